"""Chapter 1 in sentences: what families did from their smallest to their largest size, and step by step."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from cape_lib.base.coupling import EDGES, PopulationCoupling, settled_beyond
from cape_lib.stats import Estimate, seen_effect
from cape_lib.story.answer import (
    Answer,
    between,
    bracket,
    capital,
    estimates,
    listed,
    named,
    of,
    sign,
    span,
    times,
    verb,
)
from cape_lib.tables import CHANCE, ChapterRows, label, mark
from cape_lib.tables.axes import PARAMS, Axis
from cape_lib.tables.chapters import RELATIVES

#: Families count as settled where their p stays below this after Holm's correction over the families.
LEVEL = 0.05


def by_direction(ladders: pd.DataFrame) -> dict[str, list[str]]:
    """Names of the ladders whose y surely falls ("lost") or surely rises ("gained") while x rises, and the others:
    "open", and of these "apart" those whose y surely moves while x does not rise.

    ladders: `coupling.whole_ladders`.
    """
    sure, rises = ladders["p_holm"] < LEVEL, ladders["dx"] > 0
    parts = {"lost": sure & rises & (ladders["dy"] < 0), "gained": sure & rises & (ladders["dy"] > 0)}
    parts |= {"open": ~(parts["lost"] | parts["gained"]), "apart": sure & ~rises}
    return {word: ladders.loc[rows, "ladder"].astype(str).tolist() for word, rows in parts.items()}


def answer(at: ChapterRows, ladders: pd.DataFrame | None, ends: pd.Series, *, x: str, y: str) -> Answer:
    """Does better reasoning go with less truthfulness?

    at: the rows of the chapter; ladders: `coupling.whole_ladders` of its panel; ends: `whole_ladder` of the family in
    front. The reader's own family answers for itself (ladders may be None), a published one for the panel.
    """
    stretch = f"{ends.low:g} to {ends.high:g} B" if at.along.by_size else at.along.between(ends.low, ends.high)
    own = f"{at.family}, {stretch}: {ends.dy.estimate:+.1f} points of {label(y)}"
    interval = f"{own} ({between(ends.dy.low, ends.dy.high)}) with {ends.dx.estimate:+.1f} points of {label(x)}."
    if at.own:
        return Answer(whole(ends, at.family, x=x, y=y, along=at.along), "single case", interval)
    if ladders is None:
        raise ValueError("a published family answers for its panel; give the whole ladders of it")
    counts = by_direction(ladders)
    lost, gained, apart = counts["lost"], counts["gained"], counts["apart"]
    unsure = [name for name in counts["open"] if name not in apart]
    other = f"; in {len(apart)} {label(x)} does not rise{named(apart)}" if apart else ""
    lead = {
        (True, True): "In some families, not in others",
        (True, False): "Yes, where it can be told",
        (False, True): "No, where it can be told",
        (False, False): "That cannot be told",
    }[bool(lost), bool(gained)]
    return Answer(
        f"**{lead}**: from their smallest to their largest size, {len(lost)} of {len(ladders)} families get better at "
        f"{label(x)} and worse at {label(y)}{named(lost)}, {len(gained)} get better at both{named(gained)}, and for "
        f"{len(unsure)} score noise (chance in which questions were asked) hides the direction{named(unsure)}{other}.",
        "correlation",
        f"{interval} The counts are corrected for asking {times(len(ladders), 'family', 'families')}.",
    )


def whole(ends: pd.Series, family: str, *, x: str, y: str, along: Axis = PARAMS) -> str:
    """What one family did from its smallest to its largest size (or along another axis), in one sentence."""
    verb = "loses" if ends.dy.estimate < 0 else "gains"
    other = "gains" if ends.dx.estimate >= 0 else "loses"
    doubt = "that is beyond score noise" if sign(ends.dy) else "score noise alone could make that change"
    if math.isnan(ends.p_negative):
        doubt = "how sure that is cannot be told, for the noise of the scores is not known"
    sizes = f"from {ends.low:g} to {ends.high:g} billion parameters"
    return (
        f"{capital(sizes if along.by_size else along.between(ends.low, ends.high))}, {family} {verb} "
        f"**{abs(ends.dy.estimate):.1f} points** of {label(y)} while it {other} {abs(ends.dx.estimate):.1f} of "
        f"{label(x)}; {doubt}."
    )


def chance(first: pd.Series, family: str, *, x: str, y: str, along: Axis = PARAMS) -> str:
    """What a guess scores, and where the smallest size of a family, or its first point on another axis, stands."""
    known = [score for score in (x, y) if score in CHANCE]
    if not known:
        return f"What a guess would score on {label(x)} or {label(y)} is not known to the book."
    guesses = " and ".join(f"about {CHANCE[score]:.0f} % on {label(score)}" for score in known)
    scores = " and ".join(f"{first[score]:.0f} %" for score in known)
    near = all(abs(float(first[score]) - CHANCE[score]) < 5 for score in known)
    below = f", and a fall of {label(y)} from there goes below a guess" if y in CHANCE else ""
    reading = f"So it begins close to guessing{below}" if near else "So its line begins away from guessing"
    begin = f"The smallest {family}" if along.by_size else f"The first {along.point} of {family}"
    return f"A guess scores {guesses}. {begin} has {scores}. {reading}."


def sure_steps(gammas: pd.DataFrame) -> int:
    """How many steps of `coupling.local_coupling` have a settled sign, all of them judged together."""
    limit = settled_beyond(max(len(gammas[["smaller", "larger"]].drop_duplicates()), 1))
    return int(((gammas["p_negative"] > limit) | (gammas["p_negative"] < 1 - limit)).sum())


def steps(gammas: pd.DataFrame, ends: pd.Series) -> str:
    """In how many steps of a ladder y falls and rises, and whether their signs and that of the whole are settled."""
    fall, rise = int((gammas["dy"] < 0).sum()), int((gammas["dy"] > 0).sum())
    counts = f"{times(fall, 'step')} of {len(gammas)} {verb(fall, 'fall')}, {rise} {verb(rise, 'rise')}"
    level = len(gammas) - fall - rise
    counts += f", {level} {verb(level, 'stay')} level" if level else ""
    if gammas["p_negative"].isna().all():
        return f"{counts}; no sign can be called settled, for the noise of the scores is not known."
    many, whole = sure_steps(gammas), "fall" if ends.dy.estimate < 0 else "rise"
    nor = f"the whole {whole} is not" if many else f"nor is the whole {whole}"
    return (
        f"{counts}. {many or 'None'} of these signs {'is' if many < 2 else 'are'} settled beyond score noise; "
        f"{f'the whole {whole} is' if sign(ends.dy) else nor}."
    )


def least_seen(ends: pd.Series, *, y: str) -> str:
    """Below which size a change over the whole ladder could be missed, for its noise."""
    seen = seen_effect(Estimate(0.0, ends.dy.low - ends.dy.estimate, ends.dy.high - ends.dy.estimate, 2, "noise"))
    if math.isnan(seen):
        return "How large a change could be missed cannot be told: the noise of the scores is not known."
    return f"A change of {label(y)} below about {seen:.0f} points could be missed (more often than one time in five)."


def population(whole: PopulationCoupling) -> str:
    """The correlation over all models of the panel, with families left out in turn and with size taken out."""
    r, partial, demeaned = whole.clustered, whole.partial_given_size, whole.family_demeaned
    interval = between(r.low, r.high, digits=2) if r.bounded else "no interval: too few families"
    without, within = (f"{one.estimate:+.2f}{f' {bracket(one)}' if one.bounded else ''}" for one in (partial, demeaned))
    fewer = f" ({demeaned.n} models)" if demeaned.n != r.n else ""
    bounded = [one for one in (r, partial, demeaned) if one.bounded]
    zero = sum(one.contains(0.0) for one in bounded)
    holds = f"All {len(bounded)}" if zero == len(bounded) else f"{zero} of {len(bounded)}"
    return (
        f"Over all {r.n} models r = **{r.estimate:+.2f}** ({interval}). With size taken out it is {without}, with what "
        f"differs between families taken out {within}{fewer}."
        + (f" {holds} intervals {'hold' if zero != 1 else 'holds'} zero." if len(bounded) > 1 else "")
    )


def leap(sweep: pd.DataFrame, panel: pd.DataFrame, *, x: str, y: str) -> str:
    """Where r of the smaller models changes most from one cut to the next, and which models make it; "" for no cuts.

    sweep: `coupling.cut_sweep` of the panel.
    """
    change = sweep["r_below"].diff().abs()
    if change.isna().all():
        return ""
    at = int(change.fillna(0).to_numpy().argmax())
    (low, before), (high, after) = sweep[["cut_b", "r_below"]].iloc[[at - 1, at]].to_numpy()
    enter = panel[(panel["params_b"] >= low) & (panel["params_b"] < high)].dropna(subset=[x, y])
    rest = panel[(panel["params_b"] < high) & ~panel["family"].isin(enter["family"])]
    families = sorted(enter["family"].unique())
    return (
        f"The line of the smaller models moves most from {low:.2g} to {high:.2g} B, r from {before:+.2f} to "
        f"{after:+.2f}, where {listed(enter['model'])} {verb(len(enter), 'enter')}; without {listed(families)} it is "
        f"{rest[x].corr(rest[y]):+.2f} there."
    )


def tokens_and_size(both: pd.DataFrame, left: pd.Series, seen: float) -> str:
    """Which of tokens and size a step's gamma goes with, side by side, and the correlation with both held equal.

    both: rows (gamma, tokens) and (gamma, size), columns estimate, low, high (a decade); left: r, low, high of models
    above 3.5 B given both; seen: the r that would have been seen.
    """
    gamma = both[both.index.get_level_values(0) == "gamma"].droplevel(0)
    terms = dict(zip(gamma.index, estimates(gamma), strict=True))
    lead = {
        (True, False): "gamma goes with tokens, and size is not shown to add anything",
        (False, True): "gamma goes with size, and tokens are not shown to add anything",
        (True, True): "gamma goes with tokens and with size",
        (False, False): "neither tokens nor size is shown to go with gamma",
    }[bool(sign(terms["tokens"])), bool(sign(terms["size"]))]
    numbers = "; ".join(
        f"{term} {terms[term].estimate:+.2f} a decade {bracket(terms[term])}" for term in ("tokens", "size")
    )
    return (
        f"Side by side, {lead}: {numbers}. Above 3.5 B the correlation given both is {left['r']:.2f} "
        f"[{left['low']:.2f}, {left['high']:.2f}]; an r below {seen:.2f} could be missed. Tokens differ between "
        "families, hardly within them, and recipes, filters and years differ along with them: this is no proof of a "
        "cause."
    )


def remember(ladders: pd.DataFrame, sweep: pd.DataFrame, *, x: str, y: str) -> list[str]:
    """Three lines to remember, from `coupling.whole_ladders` and `coupling.cut_sweep`."""
    counts = by_direction(ladders)
    return [
        f"From end to end, {len(counts['lost'])} of {len(ladders)} families surely lose {label(y)} while {label(x)} "
        f"rises, {len(counts['gained'])} surely gain it.",
        f"A correlation over many models flips its sign at {flips(sweep)}: this singles out no size.",
        "Nothing here was moved: families differ in data, tokens and age as well as in size.",
    ]


def flips(sweep: pd.DataFrame) -> str:
    """At how many splits the sign flips, the published one among them or not, and where both intervals leave zero out.

    sweep: over the splits of `grid`.
    """
    sure, published = sweep[sweep["flips_surely"]], sweep[sweep["cut_b"] == EDGES[0]]
    among = f", {EDGES[0]} B {'' if published['flips'].any() else 'not '}among them" if len(published) else ""
    also = f", {EDGES[0]} B too" if published["flips_surely"].any() else ""
    surely = f"surely at {len(sure)}, all from {span(sure['cut_b'], '.2g')} B{also}" if len(sure) else "surely at none"
    return f"{int(sweep['flips'].sum())} of {len(sweep)} splits by size{among}; {surely}"


def grid(panel: pd.DataFrame, *, x: str, y: str) -> np.ndarray:
    """One cut (billions) for every split of a panel by size that leaves three models on both sides; else its sizes.

    A cut lies midway (in log) between two neighbouring sizes; the papers' size stands for the split that it makes.
    """
    at = np.sort(panel.dropna(subset=["params_b", x, y])["params_b"].to_numpy(dtype=float))
    low, high = at[2:-3], at[3:-2]
    cuts = np.where((low < EDGES[0]) & (high >= EDGES[0]), EDGES[0], np.sqrt(low * high))
    return cuts[low < high] if (low < high).any() else np.unique(at)


def falls(changes: pd.Series, y: str, along: Axis) -> str:
    """In how many steps y falls, "TruthfulQA falls in 3 of 5 steps up in size"; changes: of y, points."""
    return f"{label(y)} falls in {of(changes < 0)} steps {'up in size' if along.by_size else along.where}"


def few_families() -> str:
    """What a reader must know of the intervals that cannot resample families."""
    return f"A side with fewer than eight families has Fisher's interval instead, {mark(*RELATIVES)}."


def size_class(from_b: float, to_b: float) -> str:
    """A class of size in words, from its two edges in billions (0 and inf at the ends)."""
    if from_b == 0:
        return f"up to {to_b:g} B"
    return f"above {from_b:g} B" if np.isinf(to_b) else f"{from_b:g} to {to_b:g} B"
