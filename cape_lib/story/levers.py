"""Chapter 3 in sentences: what moves the dip where we made it, and what the published levers can be told from."""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import binomtest

from cape_lib.lm.testbed import FULL_RATE_WIDTH
from cape_lib.stats import Estimate, corrected, mean_interval, p_text, seen_effect, seen_share, seen_words, wilson
from cape_lib.story.answer import Answer, capital, estimates, listed, named, of, times, verb
from cape_lib.tables import label

#: What a guess among the four answers of the made world gives.
CHANCE = 0.25
#: The two made ladders that differ in the share of writers who believe.
LADDERS = ("D", "K")


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
    return mean_interval(change, "mean over seeds, t interval")


def moved(scores: pd.DataFrame) -> bool:
    """Whether the made models dip below a guess with many believers and not with few; scores: `testbed_scores`."""
    ladders = over_widths(scores)
    return bool(ladders[max(ladders)].min() < CHANCE <= ladders[min(ladders)].min())


def by_text(scores: pd.DataFrame, lead: str) -> Answer:
    """What the text did in the made world, behind the first sentences of a page; scores: table `testbed_scores`."""
    ladders, drop = over_widths(scores), fall(scores)
    few, many = min(ladders), max(ladders)
    first, least, last = ladders[many].iloc[0], ladders[many].min(), ladders[many].iloc[-1]
    shape = f"go from {first:.0%} to {last:.0%}"
    if first > least < last:
        shape = (
            f"fall from {first:.0%} in the smallest models (a guess: {CHANCE:.0%}) to {least:.0%} in larger ones, and "
            f"rise to {last:.0%} in the largest"
        )
    return Answer(
        f"{lead} Where {many:.0%} of its writers believe a popular error, right answers {shape}; where {few:.0%} "
        f"believe it, none of the {len(ladders[few])} widths tried has a mean below {ladders[few].min():.0%}.",
        "experiment",
        f"The fall: {100 * drop.estimate:+.0f} points (95 % interval {100 * drop.low:+.0f} to {100 * drop.high:+.0f}, "
        f"{drop.n} seeds). It shows what text can do, not what made the losses of published families.",
    )


def _points(share: Estimate) -> str:
    """A change of a share (0-1) in points, with its interval."""
    return f"{100 * share.estimate:+.0f} points [{100 * share.low:+.0f}, {100 * share.high:+.0f}]"


def answer(scores: pd.DataFrame, doublings: pd.DataFrame) -> Answer:
    """What makes truthfulness fall and rise? What the made world shows of text and width; of architecture nothing.

    scores: table `testbed_scores`; doublings: of the width, `testbed.doublings`.
    """
    worked = ["the text alone can make truthfulness fall and rise"] if moved(scores) else []
    changes = _each(doublings)
    for word, sure in zip(("more", "fewer"), sure_changes(doublings), strict=True):
        if sure.any():
            worked.append(f"{of(sure)} doublings of the width with as many parameters go with {word} right answers")
            changes = f"by {listed(map(_points, estimates(doublings)))}"
    where = "in tiny models of an invented world"
    lead = f"{capital(where)} {', and '.join(worked)}" if worked else f"It is not shown, not even {where}"
    one = by_text(scores, f"**{lead}; architecture could not be tested.**")
    wider = f"With the parameters held, in one made text, doublings of the width change them {changes}."
    return Answer(f"{one.sentence} {wider}", one.grade, f"{one.interval} {along_width(doublings)}")


def along_width(doublings: pd.DataFrame) -> str:
    """What changes with the width where the number of parameters is held; `testbed.doublings`."""
    slower = doublings[doublings["wide"] > FULL_RATE_WIDTH]
    steps = (f"from {narrow} to {wide}" for narrow, wide in zip(slower["narrow"], slower["wide"], strict=True))
    rate = f" and, {listed(steps)}, the learning rate falls" if len(slower) else ""
    return f"As the width doubles, feed-forward layers narrow{rate}: not told apart."


def sure_changes(doublings: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Which doublings surely raise the right answers, and which lower them (p corrected); `testbed.doublings`."""
    sure = doublings["p"] < 0.05
    return sure & (doublings["estimate"] > 0), sure & (doublings["estimate"] < 0)


def _each(doublings: pd.DataFrame) -> str:
    """The change with every doubling; beside one that is not sure the change that would have been seen."""
    rows = zip(doublings["narrow"], doublings["wide"], doublings["p"], estimates(doublings), strict=True)
    return listed(
        f"by {_points(change)}{'' if p < 0.05 else _seen(change)} from width {narrow} to {wide}"
        for narrow, wide, p, change in rows
    )


def _seen(change: Estimate) -> str:
    """The change that would have been seen, in brackets."""
    return f" (not sure; {seen_words(100 * seen_effect(change), digits=0)})"


def seeds_and_noise(dip: pd.DataFrame) -> str:
    """How sure the shares of the made ladder that dips are; dip: its rows of table `testbed_scores`."""
    myths = dip.groupby("width")["myth"].mean()
    apart = 100 * dip.groupby("width")["truth"].std().max()
    return (
        f"{dip['seed'].nunique()} seeds a width. At width {myths.idxmax()} the models choose the myth on "
        f"{myths.max():.0%} of the questions, so they have learnt something that is wrong; chance is {CHANCE:.0%}. "
        f"Each share rests on {dip['n_truth'].min()} to {dip['n_truth'].max()} questions; from seed to seed it varies "
        f"by a standard deviation of up to {apart:.0f} points."
    )


def corpora_that_dip(grid: pd.DataFrame) -> pd.DataFrame:
    """One row a corpus (believers, ref): lowest and highest share right over the widths, and the width of the lowest.

    grid: the curation rows of `testbed_grid`.  Returns also widths (how many), low and high (of the lowest, Wilson's
    95 %), p (one-sided binomial, that the lowest is a guess or more, 0-1, Holm's correction over all models of the
    grid), below_chance (high is below a guess) and surely (that, and p below 0.05).
    """
    counts = [(round(share * n), int(n)) for share, n in zip(grid["truth"], grid["n_truth"], strict=True)]
    shares = [wilson(*count) for count in counts]
    each = grid.assign(
        low=[share.low for share in shares],
        high=[share.high for share in shares],
        p=corrected([binomtest(*count, CHANCE, "less").pvalue for count in counts]),
    )
    cells = each.sort_values("truth").groupby(["believers", "ref"], as_index=False)
    first = {name: (name, "first") for name in ("low", "high", "p")}
    rows = cells.agg(
        lowest=("truth", "first"), at=("width", "first"), highest=("truth", "last"), widths=("width", "size"), **first
    )
    below = rows["high"] < CHANCE
    return rows.assign(below_chance=below, surely=below & (rows["p"] < 0.05))


def dip_reading(corpora: pd.DataFrame) -> str:
    """What some corpora show, in a sentence; corpora: rows of `corpora_that_dip`, as those of one share of believers.

    Surely is after the correction for all models of the grid that they come from.
    """
    below = corpora[corpora["surely"]]
    if not len(below):
        least = corpora.sort_values("lowest").iloc[0]
        return (
            f"No width is surely below chance ({CHANCE:.0%}); the lowest share is {least['lowest']:.0%} "
            f"[{least['low']:.0%}, {least['high']:.0%}]."
        )
    worst = below.sort_values("lowest").iloc[0]
    shares = listed(map("{:.0%}".format, below["ref"]), most=9)
    return (
        f"Surely below chance ({CHANCE:.0%}) with {shares} of reliable text; lowest at width {worst['at']}: "
        f"{worst['lowest']:.0%} right."
    )


def corpora(rows: pd.DataFrame) -> str:
    """In how many made corpora some width is below chance beyond noise; rows: `corpora_that_dip`."""
    below, above = rows[rows["below_chance"]], rows[~rows["below_chance"]]
    if below.empty:
        return (
            f"In none of {len(rows)} corpora is any width surely below a guess; such a width in less than "
            f"{seen_share(len(rows)):.0%} of corpora could be missed."
        )
    near, left = int((above["lowest"] < CHANCE).sum()), int(below["surely"].sum())
    more = f"; {near} more {verb(near, 'lie')} below it within noise" if near else ""
    return (
        f"In **{len(below)} of {len(rows)}** corpora (made texts) some width is below a guess by more than the noise "
        f"of its questions: {_believed(rows, below)}. Corrected for {rows['widths'].sum()} models, {left} of these "
        f"{len(below)} {verb(left, 'are')} left{more}."
    )


def _believed(rows: pd.DataFrame, below: pd.DataFrame) -> str:
    """How many of the corpora with as many believers as the ones below a guess have, or more, are below it."""
    least, most = below["believers"].min(), rows["believers"].max()
    alike = int((rows["believers"] >= least).sum())
    count = f"all {alike}" if len(below) == alike else f"{len(below)} of the {alike}"
    return f"{count} with {least:.0%} believers{' or more' if least < most else ''}"


def how_sure(curated: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Models, seeds and questions behind the dip; curated: of table `testbed_grid`, scores: table `testbed_scores`."""
    again = scores[scores["ladder"].isin(LADDERS)]
    settings = again.groupby(["ladder", "width"])["truth"]
    apart = 100 * float((settings.max() - settings.min()).max())
    fewest = int(min(curated["n_truth"].min(), again["n_truth"].min()))
    both = len(curated.merge(again, on=["believers", "width", "truth", "loss"]))
    return (
        f"{len(curated)} models with one seed each; {len(again)} ({both or 'none'} of them among these): "
        f"{settings.ngroups} settings, {len(again) // settings.ngroups} seeds (runs that differ only in chance) each. "
        f"The {fewest} questions or "
        f"more leave up to {98 / math.sqrt(fewest):.0f} points open; seeds of one setting differ by up to {apart:.0f}. "
        "The dip was built in."
    )


def width_null(ladders: pd.DataFrame) -> str:
    """How many families lie beyond what shuffled scores give after the same division; `levers.width_by_ladder`."""
    positive, before = ladders["r_normalised"] > 0, ladders["r"] >= 0
    turned, already = int((positive & ~before).sum()), int((positive & before).sum())
    shuffled = int((ladders["share_positive"] > 0.99).sum())
    above, p = beyond(ladders), pd.Series(corrected(ladders["p"]), index=ladders["ladder"])
    least = f"; the least p is {p.idxmin()}'s ({p_text(p.min(), 'greater', correction='Holm')})" if p.any() else ""
    few = int((~could_be_shown(ladders)).sum())
    bound = f" ({few} {verb(few, 'have')} too few sizes for a corrected p below 0.05)" if few else ""
    return (
        f"After the division r is positive in {positive.sum()} of {len(ladders)} families of three sizes or more: "
        f"{turned} {verb(turned, 'turn')} positive, {already} {verb(already, 'were')} so already. Shuffled "
        f"scores do the same: in {shuffled} of {len(ladders)} families r is positive in over 99 % of the shuffles. "
        f"**{len(above)}** {verb(len(above), 'are')} shown to do better than {'its' if len(above) == 1 else 'their'} "
        f"shuffles{named(above)}{bound}{least}."
    )


def could_be_shown(ladders: pd.DataFrame) -> pd.Series:
    """Whether a family has enough sizes to lie above its shuffles, p corrected (Holm); `levers.width_by_ladder`.

    n sizes have n! orders of each score, so no p lies below 1 in (n!)^2.
    """
    least = [1 / math.factorial(int(n)) ** 2 for n in ladders["n"]]
    return pd.Series(corrected(least), index=ladders.index) < 0.05


def beyond(ladders: pd.DataFrame) -> pd.Series:
    """The families that lie above their shuffled scores, p corrected (Holm) for all asked; `levers.width_by_ladder`."""
    return ladders.loc[corrected(ladders["p"]) < 0.05, "ladder"]


def width_made(doublings: pd.DataFrame, size: Estimate) -> str:
    """What the width does at a fixed number of parameters in the made world; `testbed.doublings` and `testbed.gap`."""
    return (
        f"In the made world the width moves with the parameters held. The right answers change {_each(doublings)}; "
        f"with one and a half times the parameters, in the mean over widths, by {_points(size)}. {size.n} seeds."
    )


def curated(excess: pd.DataFrame, *, y: str) -> str:
    """How many curated models lie above the web-trained ones of their size; `levers.curation_contrasts`."""
    above, sure = excess["y_excess"] > 0, excess[corrected(excess["y_p"]) < 0.05]
    sourceless = int(excess.loc[above, "doubtful"].str.contains("no source for the scores", na=False).sum())
    names = sure["model"].where(~sure["instruct"].fillna(False).astype(bool), sure["model"] + ", instruction-tuned")
    return (
        f"**{of(above)}** curated or distilled models lie above what web-trained ones of their size have in "
        f"{label(y)}, {sourceless} of them without a source for their scores; {len(sure)} beyond the scatter of the "
        f"web-trained, one-sided and corrected for asking {len(excess)}{named(names)}."
    )


def architecture(rows: pd.DataFrame) -> str:
    """What the released measurements of one architecture say; `levers.architecture_rows`."""
    return (
        f"For Gemma, {times(len(rows), 'value')} of one measurement inside the model (chapter 4) "
        f"{verb(len(rows), 'were')} released, {int(rows['tuned'].sum())} of them tuned, and none of a "
        "standard-trained model of 13 B to compare with. So what an architecture does cannot be told."
    )


def remember(scores: pd.DataFrame, ladders: pd.DataFrame) -> list[str]:
    """Three lines to remember."""
    shares = over_widths(scores)
    few, many = min(shares), max(shares)
    above = len(beyond(ladders))
    return [
        f"In the made world {shares[many].min():.0%} of the answers are right at the worst width with {many:.0%} "
        f"believers, {shares[few].min():.0%} with {few:.0%}.",
        f"Dividing both scores by the width shows the width: {above} of {len(ladders)} families "
        f"{verb(above, 'are')} shown to lie above what shuffled scores give.",
        "Curated models differ from web-trained ones in more than their data.",
    ]
