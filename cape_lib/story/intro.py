"""The first page in sentences: who pays and where it ends, what goes with it, what moves it, and how it is today."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cape_lib.base.coupling import EDGES, NEAR, TOKEN_EDGE, FamilyModel, base_rate, signs_by_size, signs_by_tokens
from cape_lib.claims import Verdict
from cape_lib.frontier import variants
from cape_lib.stats import Estimate
from cape_lib.story import again, boundary, levers
from cape_lib.story.answer import Answer, bracket, sign, times, verb


def pays(steps: pd.DataFrame, model: FamilyModel) -> Answer:
    """Who pays, and where that ends; steps: `coupling.known_steps`; model: `coupling.family_model` of them."""
    scale, few = model.critical_scale(), model.critical_scale(tokens_b=boundary.FEW_TOKENS)
    small, middle, large = signs_by_size(steps, edges=EDGES).to_dict("records")
    lead = "Not known: small and large models cannot be told apart"
    if small["low"] > large["high"]:
        lead = (
            "Often, not always: better reasoning comes with less truthfulness, in small models more often than in large"
        )
    elif large["low"] > small["high"]:
        lead = "No: better reasoning comes with less truthfulness in large models more often than in small"
    missed = bool(boundary.misfit(model, steps, signs_by_tokens(steps)))
    sentence = (
        f"**{lead}.** Compare each model with the next larger one of its family. Better reasoning came with less "
        f"truthfulness, any fall counted, in {small['negative']} of {small['steps']} such steps below 3.5 billion "
        f"parameters (B), in {middle['negative']} of {middle['steps']} from there to 10 B, in {large['negative']} of "
        f"{large['steps']} above. Two papers of 2026 put the end of the losses at 3.5 B: a fit over {model.families} "
        f"families {borne(scale, few, missed=missed)} (chapter 2)."
    )
    interval = (
        f"95 % intervals: {small['low']:.0%} to {small['high']:.0%} of the steps below 3.5 B, {large['low']:.0%} to "
        f"{large['high']:.0%} above 10 B. A step's size is the geometric mean of its two models."
    )
    return Answer(sentence, "correlation", interval)


def borne(scale: Estimate, few: Estimate, *, missed: bool) -> str:
    """What a fit with these ends of the losses, at two amounts of tokens, does to the papers' size.

    missed: whether it may miss a part of the steps, and so says nothing of a single size.
    """
    inside = [one.low <= EDGES[0] <= one.high for one in (scale, few)]
    if missed:
        return "is too coarse to show or exclude that size"
    if math.isnan(scale.estimate):
        return "finds no losses that end with size"
    if any(inside):
        return "allows that size, without showing it" if all(inside) else "neither shows nor excludes that size"
    return "excludes that size"


def goes_with(steps: pd.DataFrame) -> Answer:
    """What goes with it beside size: training tokens, up to 10 B as in chapter 2; steps: `coupling.known_steps`."""
    shares = signs_by_tokens(steps, edges=EDGES[-1:])
    few, many = (
        shares[(shares["tokens"] == word) & (shares["to_b"] <= EDGES[-1])].iloc[0] for word in ("under", "over")
    )
    lead = "Whether the amount of training text goes with this is open"
    if few["low"] > many["high"] or many["low"] > few["high"]:
        lead = f"Families trained on {'less' if few['low'] > many['high'] else 'more'} text lose it more often"
    sentence = (
        f"**{lead}.** Where the amount is known, {few['negative']} of {few['steps']} steps up to 10 B came with less "
        f"truthfulness in {few['families']} families trained on fewer than {TOKEN_EDGE:g} billion tokens (pieces of "
        f"words), and "
        f"{many['negative']} of {many['steps']} in {many['families']} others."
    )
    interval = (
        f"95 % intervals, families as clusters: {few['low']:.0%} to {few['high']:.0%} against {many['low']:.0%} to "
        f"{many['high']:.0%}. "
        "Families differ in more than tokens, so this is no proof of cause."
    )
    return Answer(sentence, "correlation", interval)


def moves(scores: pd.DataFrame) -> Answer:
    """What can be moved: the made world; scores: table `testbed_scores`."""
    lead = (
        "The text alone can make larger models less truthful, or keep them truthful"
        if levers.moved(scores)
        else "The text alone did not make larger models less truthful where we tried"
    )
    return levers.by_text(scores, f"**{lead}.** Tiny models read the text of an invented world.")


def today(one: Answer, rows: pd.DataFrame) -> Answer:
    """How it is in 2026: the first sentence of the answer of chapter 9 behind its moral, and with date and size held.

    rows: `variants.readings`, of which `one` speaks.
    """
    first = one.sentence.partition(".** ")[2].split(". ")[0].rstrip(".")
    known, precise, wrong = (
        (variants.association(rows, measure), variants.association(rows, measure, given=again.HELD))
        for measure in (variants.KNOWS, variants.PRECISION, variants.WRONG)
    )
    return Answer(
        f"**In 2026: better reasoners {again.knowing(known[0])}; {again.moral(rows)}.** {first}. With date and size "
        f"held (known for {wrong[1].n}), the link with right answers "
        f"{_left(*known)}, that with precision {_left(*precise)}, that with wrong ones {_left(*wrong)}.",
        one.grade,
        one.interval,
    )


def _left(whole: Estimate, held: Estimate) -> str:
    """What is left of a link when date and size are held: its r with its interval."""
    left = "stays" if sign(held) == sign(whole) else "is another"
    return f"{left if sign(held) else 'is not shown'} (r = {held.estimate:.2f} {bracket(held)})"


def falls(verdict: Verdict) -> str:
    """A claim of the papers that falls, in a sentence; verdict: of C07; empty where its conclusion is no artefact."""
    if verdict.conclusion != "artefact":
        return ""
    return (
        "**One claim that falls**: that dividing both scores by the width of the model uncovers a coupling; shuffled "
        "scores turn positive too (chapter 3)."
    )


def rate(steps: pd.DataFrame, size_b: float) -> str:
    """The base rate near a size in a sentence; steps: `coupling.known_steps`."""
    sizes = {"size": size_b, "low": size_b / NEAR, "high": size_b * NEAR}
    return _rate(steps, size_b).format(**{name: f"{float(f'{size:.2g}'):g}" for name, size in sizes.items()})


def _rate(steps: pd.DataFrame, size_b: float) -> str:
    """The sentence of `rate` with the sizes left open, as {size}, {low} and {high}."""
    near = base_rate(steps, size_b)
    if not near.steps:
        return "Near {size} B no step of a family is known to the book."
    return (
        f"Near {{size}} B, from {{low}} to {{high}} B, **{near.tax} of {near.steps}** known steps of "
        f"{times(near.families, 'family', 'families')} cost truthfulness (95 % interval {near.share.low:.0%} to "
        f"{near.share.high:.0%}): more than 0.1 points of it for a point of reasoning; by sign alone, {near.negative}."
    )


def rates(steps: pd.DataFrame) -> dict[str, object]:
    """The sentence of `rate` for every size, for a page: `near`, the factor that is near, and `rates`, records of the
    size `from` which on (billions) a `text` holds, its sizes left open. It changes where a step comes near or leaves.
    """
    ends = np.concatenate([[np.nextafter(0.0, 1.0)], steps["size_b"] / NEAR, steps["size_b"] * NEAR])
    close = np.unique(np.outer(ends, 1 + np.arange(-2, 3) * np.finfo(float).eps))  # a step may lie just at its end
    texts = pd.Series({size: _rate(steps, size) for size in close})
    texts = texts[texts.ne(texts.shift())]
    records = zip(texts.index.tolist(), texts, strict=True)
    return {"near": NEAR, "rates": [{"from": size, "text": text} for size, text in records]}


def at_size(ladders: pd.DataFrame, gammas: pd.DataFrame, params_b: float, *, x: str, y: str) -> pd.DataFrame:
    """Where each ladder stands at a size: x and y interpolated in log10 of the size, with the phase of that interval.

    ladders: rows of `tables.base` with column ladder; gammas: `coupling.local_coupling` of each, column ladder.
    Returns one row a ladder that spans `params_b` (billions): ladder, x, y, phase, gamma.
    """
    near = gammas[gammas["params_b_low"].le(params_b * 1.000001) & gammas["params_b_high"].ge(params_b / 1.000001)]
    steps, rows = near.groupby("ladder").tail(1).set_index("ladder")[["phase", "gamma"]], []
    for name, sizes in ladders.groupby("ladder", sort=True):
        if sizes["params_b"].min() <= params_b <= sizes["params_b"].max():
            scores = {s: np.interp(np.log10(params_b), np.log10(sizes["params_b"]), sizes[s]) for s in (x, y)}
            rows.append({"ladder": name, **scores})
    return pd.DataFrame(rows, columns=["ladder", x, y]).join(steps, on="ladder")


def standing(ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str) -> Callable[[float], pd.DataFrame]:
    """`at_size` as a function of the size alone, with the sentence that goes with it, for `explore`."""

    def at(params_b: float) -> pd.DataFrame:
        rows = at_size(ladders, gammas, params_b, x=x, y=y)
        tax, bonus, transition = rows["phase"].value_counts().reindex(["tax", "bonus", "transition"], fill_value=0)
        rows.attrs["reading"] = (
            f"At {params_b:g} B, of {len(rows)} families: {tax} {verb(tax, 'lose')} truthfulness (tax), "
            f"{bonus} {verb(bonus, 'gain')} it (bonus), {transition} hardly {verb(transition, 'move')} (transition)."
        )
        return rows

    return at


def finding(gammas: pd.DataFrame) -> str:
    """What the steps of these families say, as the title of the figure."""
    small, between, large = _by_size(gammas)
    return (
        f"In these {gammas['ladder'].nunique()} families of web text truthfulness falls in {small} steps below "
        f"3.5 B, in {between} up to 10 B, in {large} above"
    )


def doubt(gammas: pd.DataFrame, every: pd.DataFrame) -> str:
    """How many families turn themselves, and what the steps of families of every training recipe say.

    gammas: `coupling.local_couplings` of the families shown; every: `coupling.known_steps` of all.
    """
    turning = {str(name): turn for name, rows in gammas.groupby("ladder") if (turn := _turn(rows))}
    ends = gammas.groupby("ladder").agg(low=("params_b_low", "min"), high=("params_b_high", "max"))
    across = ends.index[(ends["low"] < EDGES[0]) & (ends["high"] > EDGES[0])].difference([*turning]).tolist()
    at_cut = [name for name, (low, _, high) in turning.items() if low < EDGES[0] < high]
    where = ", ".join(f"{name} at {size:g} B" for name, (_, size, _) in turning.items())
    turns = f" ({where}), {', '.join(at_cut) or 'none'} at 3.5 B" if turning else ""
    count, names = len(across), f" ({', '.join(across)})" if across else ""
    small, _, large = _by_size(every)
    known = every.loc[every["tokens_b"].notna(), "ladder"].nunique()
    shown = f"[{len(ends)} families](glossary.html#term-number-of-families)"
    return (
        f"{len(turning)} of {len(ends)} families first sink, then rise{turns}. {count} {verb(count, 'have')} sizes on "
        f"both sides of 3.5 B and {verb(count, 'do')} not turn{names}. The others are seen on one side only. So the "
        f"turn rests on comparing families. The figure shows the {shown} of web text with three sizes or more. The "
        f"counts on top are of all {every['ladder'].nunique()} families, whatever their text, where the picture is "
        f"weaker ({small} below 3.5 B, {large} above 10 B); the fit, of the {known} whose tokens are known."
    )


def _turn(steps: pd.DataFrame) -> tuple[float, float, float] | None:
    """Between which sizes, and at which, a family turns from tax to bonus (billions); None where it does not.

    steps: its `coupling.local_coupling`.
    """
    taxes, bonuses = (steps[steps["phase"] == phase] for phase in ("tax", "bonus"))
    later = bonuses[bonuses["params_b_low"] > taxes["params_b_low"].min()]
    if later.empty:
        return None
    last = taxes[taxes["params_b_low"] < later["params_b_low"].min()]["params_b_low"].max()
    return float(last), float(later["params_b_low"].min()), float(later["params_b_high"].min())


def _by_size(gammas: pd.DataFrame) -> list[str]:
    """Negative steps of all, "15 of 16", below 3.5 B, from there to 10 B, and above."""
    counts = signs_by_size(gammas, edges=EDGES)
    return [f"{row.negative:.0f} of {row.steps:.0f}" for row in counts.itertuples()]


#: Chip -> what it means; the first that fits counts.
CHIPS = {
    "holds": "number and conclusion stand",
    "wrong data": "rests on a score that was corrected",
    "arithmetic only": "the number comes out, the conclusion does not follow",
    "unknown": "the number, or a test of it, needs what was not published",
    "another number": "comes out when computed anew; for {close} only the last digit differs",
}


def chip(one: Verdict) -> str:
    """Which chip a claim belongs to."""
    if one.stands:
        return "holds"
    if one.conclusion == "wrong data":
        return "wrong data"
    if one.verdict.startswith("reproduced"):
        return "unknown" if one.conclusion == "untested" else "arithmetic only"
    return "unknown" if one.verdict == "not testable" else "another number"


def chips(verdicts: Sequence[Verdict]) -> str:
    """The counts over all claims as HTML, each a link to chapter 8."""
    counts = Counter(chip(one) for one in verdicts)
    close = sum(one.verdict == "in the last digit" for one in verdicts if chip(one) == "another number")
    items = "".join(
        f'<li><a href="../notebooks/08_claims.html"><strong>{counts[word]}</strong> {word}</a>'
        f"<small>{meaning.format(close=close)}</small></li>"
        for word, meaning in CHIPS.items()
    )
    return f'<ul class="cape-chips">{items}</ul><p>Of {len(verdicts)} claims.</p>'
