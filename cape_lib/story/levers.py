"""Chapter 3 in sentences: what moves the dip where we made it, and what the published levers can be told from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from cape_lib.stats import Estimate, student
from cape_lib.story.answer import Answer, listed, times
from cape_lib.tables import label

#: What a guess among the four answers of the made world gives.
CHANCE = 0.25
#: The two made ladders that differ in the share of writers who believe.
LADDERS = ("D", "K")


def percent(share: float) -> str:
    """A share of 0 to 1 in percent."""
    return f"{share:.0%}"


def open_by(questions: int) -> int:
    """Half of the widest 95 % interval of a share of so many questions, whole points."""
    return round(100 * 1.96 * math.sqrt(0.25 / questions))


def over_widths(scores: pd.DataFrame) -> dict[float, pd.Series]:
    """Share of writers who believe -> mean share of right answers by width; scores: table `testbed_scores`."""
    known = scores[scores["ladder"].isin(LADDERS)]
    shares = sorted(known["believers"].unique().tolist())
    return {share: known[known["believers"] == share].groupby("width")["truth"].mean() for share in shares}


def fall(scores: pd.DataFrame, *, ladder: str = "D") -> Estimate:
    """How far the right answers fall from the narrowest models to the width where they are fewest (0-1, over seeds).

    The t interval over seeds of the difference within a seed; scores: table `testbed_scores`.
    """
    wide = scores[scores["ladder"] == ladder].pivot(index="seed", columns="width", values="truth")
    change = wide[wide.mean().idxmin()] - wide[wide.columns.min()]
    half = student(0.95, len(change) - 1) * float(change.std(ddof=1)) / len(change) ** 0.5
    middle = float(change.mean())
    return Estimate(middle, middle - half, middle + half, len(change), "mean over seeds, t interval")


def moved(scores: pd.DataFrame) -> bool:
    """Whether the made models dip below a guess with many believers and not with few; scores: `testbed_scores`."""
    ladders = over_widths(scores)
    return bool(ladders[max(ladders)].min() < CHANCE <= ladders[min(ladders)].min())


def answer(scores: pd.DataFrame) -> Answer:
    """Can one move the point where truthfulness turns? What the made world shows; scores: table `testbed_scores`."""
    ladders = over_widths(scores)
    few, many = min(ladders), max(ladders)
    dip, flat = ladders[many], ladders[few]
    drop = fall(scores)
    lead = "Yes, by the text alone" if moved(scores) else "The text alone did not move it here"
    tail = f"where {percent(few)} believe it, no size has fewer than {percent(flat.min())}"
    shape = (
        f"fall from {percent(dip.iloc[0])} in the smallest models to {percent(dip.min())} in larger ones, and rise to "
        f"{percent(dip.iloc[-1])} in the largest"
        if dip.iloc[0] > dip.min() < dip.iloc[-1]
        else f"go from {percent(dip.iloc[0])} to {percent(dip.iloc[-1])}"
    )
    sentence = (
        f"**{lead}**: tiny models read the text of an invented world. Where {percent(many)} of its writers believe a "
        f"popular error, right answers {shape}; {tail}."
    )
    interval = (
        f"The fall: {100 * drop.estimate:+.0f} points (95 % interval {100 * drop.low:+.0f} to {100 * drop.high:+.0f}, "
        f"{drop.n} seeds). It shows what text can do, not what made the losses of published families."
    )
    return Answer(sentence, "experiment", interval)


def corpora(found: pd.DataFrame) -> str:
    """In how many made corpora some width falls below chance; found: one row a corpus, `believers`, `below_chance`."""
    below, above = found[found["below_chance"]], found[~found["below_chance"]]
    if below.empty:
        return f"In none of {len(found)} corpora does any width fall below a guess."
    least = below["believers"].min()
    free = int((above["believers"] >= least).sum())
    return (
        f"In **{len(below)} of {len(found)}** corpora some width falls below a guess. All of these have "
        f"{percent(least)} believers or more, and {free} with as many {'has' if free == 1 else 'have'} no such width."
    )


def width_null(ladders: pd.DataFrame) -> str:
    """How many families lie beyond what shuffled scores give after the same division; `levers.width_by_ladder`."""
    positive = int((ladders["r_normalised"] > 0).sum())
    shuffled = int((ladders["share_positive"] > 0.99).sum())
    above = ladders.loc[ladders["r_normalised"] > ladders["null_high"], "ladder"].astype(str).tolist()
    named = f" ({listed(above)})" if above else ""
    beyond = "does better than 95 % of its" if len(above) == 1 else "do better than 95 % of their"
    return (
        f"After the division r is positive in {positive} of {len(ladders)} families. So it is when the scores are "
        f"shuffled: in {shuffled} of {len(ladders)} families, more than 99 % of the shuffles. **{len(above)}** "
        f"{beyond} own shuffles{named}."
    )


def width_made(trend: Estimate, size: Estimate) -> str:
    """What the width does at a fixed number of parameters in the made world; `widths.trend` and `widths.gap`."""
    sure = "a sure rise" if trend.low > 0 else "a sure fall" if trend.high < 0 else "no sure effect"
    return (
        f"In the made world width can be moved alone. With the number of parameters held, a doubling of the width "
        f"changes the right answers by {100 * trend.estimate:+.0f} points [{100 * trend.low:+.0f}, "
        f"{100 * trend.high:+.0f}] ({sure}); half as many parameters again at one width, by "
        f"{100 * size.estimate:+.0f} [{100 * size.low:+.0f}, {100 * size.high:+.0f}]. {trend.n} seeds."
    )


def curated(excess: pd.DataFrame, *, y: str) -> str:
    """How many curated models lie above the web-trained ones of their size; `levers.curation_contrasts`."""
    if excess.empty:
        return "No model here is marked as curated or distilled."
    above, sure = int((excess["y_excess"] > 0).sum()), excess[excess["y_p"] < 0.05 / len(excess)]
    names = sure["model"].astype(str).tolist()
    beyond = f"{len(sure)} of them beyond the scatter of the web-trained, corrected for asking {len(excess)}"
    return (
        f"**{above} of {len(excess)}** curated or distilled models lie above what web-trained ones of their size have "
        f"in {label(y)}; {beyond}{f' ({listed(names)})' if names else ''}."
    )


def confounds(reasons: Mapping[str, Sequence[str]]) -> str:
    """What changed along with the data, family by family, as a list in Markdown."""
    return "\n".join(f"- **{name}**: {'; '.join(why)}." for name, why in reasons.items())


def architecture(rows: pd.DataFrame) -> str:
    """What the released measurements of one architecture say; `levers.architecture_rows`."""
    count = len(rows)
    if not count:
        return "No measurement of another architecture was released."
    tuned = int(rows["tuned"].sum())
    return (
        f"For Gemma, {times(count, 'value')} of one internal measurement {'was' if count == 1 else 'were'} released, "
        f"{tuned} of tuned models, and none of a standard-trained model of 13 B beside it. So whether an architecture "
        "moves the turn cannot be told."
    )


def remember(scores: pd.DataFrame, ladders: pd.DataFrame) -> list[str]:
    """Three lines to remember."""
    shares = over_widths(scores)
    few, many = min(shares), max(shares)
    above = int((ladders["r_normalised"] > ladders["null_high"]).sum())
    verb = "lies" if above == 1 else "lie"
    return [
        f"In the made world the text decides: with {percent(many)} believers right answers fall to "
        f"{percent(shares[many].min())}, with {percent(few)} to no less than {percent(shares[few].min())}.",
        f"Dividing both scores by the width shows the width: {above} of {len(ladders)} families {verb} above "
        "what shuffled scores give.",
        "Curated models differ from web-trained ones in more than their data.",
    ]
