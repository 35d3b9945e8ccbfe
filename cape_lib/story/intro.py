"""The first page in sentences: who pays and where it ends, what goes with it, what moves it, and how it is today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cape_lib.base.coupling import NEAR, TOKEN_EDGE, FamilyModel, base_rate, signs_by_size, signs_by_tokens
from cape_lib.claims import Verdict
from cape_lib.stats import Estimate
from cape_lib.story import boundary, levers
from cape_lib.story.answer import Answer, listed, times

#: The classes of size of the first sentence, billions.
EDGES = (3.5, 10.0)


def pays(steps: pd.DataFrame, model: FamilyModel) -> Answer:
    """Who pays, and where that ends; steps: `coupling.known_steps`; model: `coupling.family_model` of them."""
    scale = model.critical_scale()
    few, at = model.critical_scale(tokens_b=boundary.FEW_TOKENS), boundary.at_tokens(model)
    small, middle, large = signs_by_size(steps, edges=EDGES).to_dict("records")
    lead = "Not known: small and large models cannot be told apart"
    if small["low"] > large["high"]:
        lead = "Often, not always: better reasoning costs truthfulness in small models more often than in large ones"
    elif large["low"] > small["high"]:
        lead = "No: better reasoning costs truthfulness in large models more often than in small ones"
    missed = bool(boundary.misfit(model, steps, signs_by_tokens(steps)))
    end = f"{boundary.turn(model)}: {borne(scale, few, missed=missed)}"
    if not np.isnan(scale.estimate):
        end = (
            f"a fit over {model.families} families puts that end at {boundary.size(scale.estimate)} "
            f"({boundary.reach(scale)}, 95 %) for {at:.0f} billion training tokens (pieces of words), at "
            f"{boundary.size(few.estimate)} ({boundary.reach(few)}) for {boundary.FEW_TOKENS:.0f}"
            f"{', and misses a part of these steps (chapter 2)' if missed else ''}: {borne(scale, few, missed=missed)}"
        )
    sentence = (
        f"**{lead}.** Compare each model with the next larger one of its family. Better reasoning came with less "
        f"truthfulness in {small['negative']} of {small['steps']} such steps below 3.5 billion parameters (B), in "
        f"{middle['negative']} of {middle['steps']} from there to 10 B, in {large['negative']} of "
        f"{large['steps']} above. The papers say that the losses end at 3.5 B; {end}."
    )
    taxes = [int(inside.sum()) for inside in _taxes(steps)]
    interval = (
        f"95 % intervals: {small['low']:.0%} to {small['high']:.0%} of the steps below 3.5 B, {large['low']:.0%} to "
        f"{large['high']:.0%} above 10 B. A step's size is the geometric mean of its two models. Any fall counts, "
        f"however small; as a tax (more than 0.1 points for a point of reasoning) {listed(taxes)}."
    )
    return Answer(sentence, "correlation", interval)


def borne(scale: Estimate, few: Estimate, *, missed: bool) -> str:
    """What the intervals of the end at two amounts of tokens say of the papers' size; missed: the fit misses steps."""
    inside = [one.low <= EDGES[0] <= one.high for one in (scale, few)]
    if not any(inside) and not missed:
        return "3.5 B is excluded"
    return "3.5 B is allowed, not shown" if all(inside) else "3.5 B is neither shown nor excluded"


def _taxes(steps: pd.DataFrame) -> list[pd.Series]:
    """Whether each step of each class of size of the first sentence is a tax."""
    classes = np.searchsorted(EDGES, steps["size_b"], side="right")
    return [steps["phase"][classes == one] == "tax" for one in range(len(EDGES) + 1)]


def goes_with(steps: pd.DataFrame) -> Answer:
    """What goes with it beside size: training tokens, up to 10 B as in chapter 2; steps: `coupling.known_steps`."""
    shares = signs_by_tokens(steps, edges=EDGES[-1:])
    few, many = (
        shares[(shares["tokens"] == word) & (shares["to_b"] <= EDGES[-1])].iloc[0] for word in ("under", "over")
    )
    lead = "Whether the amount of training text goes with this is open"
    if few["low"] > many["high"] or many["low"] > few["high"]:
        lead = f"Families trained on {'less' if few['low'] > many['high'] else 'more'} text pay this price more often"
    sentence = (
        f"**{lead}.** Where the amount is known, {few['negative']} of {few['steps']} steps up to 10 B came with less "
        f"truthfulness in {few['families']} families trained on fewer than {TOKEN_EDGE:g} billion tokens, and "
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
        "The text alone can make such a loss, and remove it"
        if levers.moved(scores)
        else "The text alone did not make such a loss where we tried"
    )
    return levers.by_text(scores, f"**{lead}.** Tiny models read the text of an invented world.")


def today(one: Answer) -> Answer:
    """How it is in 2026: the lead and the first sentence of the answer of chapter 9."""
    lead, _, rest = one.sentence.removeprefix("**").partition(".** ")
    first = rest.split(". ")[0].rstrip(".")
    return Answer(f"**In 2026: {lead[0].lower()}{lead[1:]}.** {first}.", one.grade, one.interval)


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


#: Chip -> what it means; the first that fits counts.
CHIPS = {
    "holds": "number and conclusion stand",
    "wrong data": "rests on a score that was corrected",
    "arithmetic only": "the number comes out, the conclusion does not follow",
    "unknown": "the number, or a test of it, needs what was not published",
}


def chip(one: Verdict) -> str:
    """Which chip a claim belongs to; "" where another number comes out."""
    if one.stands:
        return "holds"
    if one.conclusion == "wrong data":
        return "wrong data"
    if one.verdict.startswith("reproduced"):
        return "unknown" if one.conclusion == "untested" else "arithmetic only"
    return "unknown" if one.verdict == "not testable" else ""


def chips(verdicts: Sequence[Verdict]) -> str:
    """Four counts over all claims as HTML, each a link to chapter 8, and what is left."""
    counts = Counter(chip(one) for one in verdicts)
    items = "".join(
        f'<li><a href="../notebooks/08_claims.html"><strong>{counts[word]}</strong> {word}</a>'
        f"<small>{meaning}</small></li>"
        for word, meaning in CHIPS.items()
    )
    rest = f"Of {len(verdicts)} claims; the other {counts['']} give another number when computed anew."
    return f'<ul class="cape-chips">{items}</ul><p>{rest}</p>'
