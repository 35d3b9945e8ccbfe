"""Chapter 2 in sentences: whether a size of the turn is known, for one family and over all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.base.boundary import billions, boundary_power, log_size
from cape_lib.base.coupling import TOKEN_EDGE, FamilyModel
from cape_lib.stats import Estimate, seen_difference
from cape_lib.story.answer import Answer, estimates, listed, named, sign, times, with_interval
from cape_lib.tables import ChapterRows
from cape_lib.tables.axes import PARAMS, Axis

#: A turn counts as placed where its interval spans less than this factor of size.
NARROW = 4.0
ALL = "all"


def size(value: float) -> str:
    """A size in words, "2.9 B"; "below every size" for 0 and "beyond every size" for infinity."""
    return "below every size" if value == 0 else "beyond every size" if math.isinf(value) else f"{value:.2g} B"


def answer(at: ChapterRows, scales: pd.DataFrame, model: FamilyModel | None) -> Answer:
    """At which size does reasoning stop costing truthfulness?

    at: the rows of the chapter; scales: `boundary.critical_scales` of the family in front; model:
    `coupling.family_model`. The reader's own family answers for itself (model may be None), a published one for all
    families.
    """
    if at.own:
        interval = f"{len(at.ladder)} {at.along.points}; {_places(scales, at.along)}. {at.noise}"
        return Answer(estimators(scales, at.family, along=at.along), "single case", interval)
    if model is None:
        raise ValueError("a published family answers for all families; give the model of them")
    scale = model.critical_scale()
    placed = scale.low > 0 and scale.high < math.inf and scale.high / scale.low < NARROW
    where = turn(model)
    sentence = (
        f"**{'At about one size' if placed else 'No size is known'}.** {where[0].upper()}{where[1:]}. On its own "
        f"sizes, {_inside(scales, at.family)}."
    )
    interval = (
        f"{model.steps} steps of {model.families} families in the uniform panel, size and training tokens taken "
        f"together; the turn lies between the published 2.9 and 13.4 B with a probability of "
        f"{model.p_turn(2.9, 13.4):.0%}."
    )
    return Answer(sentence, "correlation", interval)


def turn(model: FamilyModel) -> str:
    """Where a model of all families puts the turn, with its interval, as a clause."""
    scale = model.critical_scale()
    tokens = float(f"{10 ** model.centre['tokens']:.1g}")
    where = (
        f"among families that read equally much ({tokens:.0f} billion tokens, pieces of words), a fit over "
        f"{model.families} of them"
    )
    if math.isnan(scale.estimate):
        return f"{where} finds no coupling that rises with size"
    below = scale.low <= 0 and math.isfinite(scale.high)
    fits = f"anything up to {size(scale.high)}" if below else f"{size(scale.low)} to {size(scale.high)}"
    way = next((sign(gamma) for noun, _, gamma in _terms(model) if "tokens" in noun), 0)
    less = {1: "; families that read less lose longer", -1: "; families that read more lose longer", 0: ""}[way]
    return f"{where} puts the end of the losses at {size(scale.estimate)}, and {fits} fits (95 %){less}"


def _inside(scales: pd.DataFrame, family: str) -> str:
    sure = int((scales["verdict"] == "boundary").sum())
    place = f"{sure} of {len(scales)} estimators place" if sure else f"none of {len(scales)} estimators places"
    return f"{place} a turn of {family} with confidence"


def _places(scales: pd.DataFrame, along: Axis) -> str:
    shown = size if along.by_size else along.shown
    places = [
        f"{row['estimator']} {shown(row['n_c_b'])} ({shown(row['low'])} to {shown(row['high'])})"
        for row in scales.dropna(subset=["n_c_b"]).to_dict("records")
    ]
    return "; ".join(places) if places else "no estimator places a turn inside them"


def estimators(scales: pd.DataFrame, family: str, *, along: Axis = PARAMS) -> str:
    """What the named estimators say of one family, in one sentence."""
    none = f"in these {along.points}"
    words = {
        "boundary": ("places a turn with confidence", "place a turn with confidence"),
        "undecided": ("is undecided", "are undecided"),
        f"no boundary {none}": (f"finds none {none}", f"find none {none}"),
    }
    names = {verdict: scales.loc[scales["verdict"] == verdict, "estimator"].tolist() for verdict in words}
    parts = [
        f"{times(len(names[verdict]), one, several)}{named(names[verdict])}"
        for verdict, (one, several) in words.items()
        if names[verdict]
    ]
    where = "" if along.by_size else f" {along.where}"
    return f"Of {len(scales)} estimators of a turn of {family}{where}, {', '.join(parts)}."


def one_estimator(row: Any, along: Axis) -> str:
    """What one estimator says of a turn along another axis than size, as a line of a list.

    row: of `boundary.critical_scales`, as a named tuple.
    """
    place = f"{along.shown(row.n_c_b)}, {along.shown(row.low)} to {along.shown(row.high)}; " if row.n_c_b > 0 else ""
    return f"- **{row.estimator}**: {place}{row.verdict}. {row.reason[0].upper()}{row.reason[1:]}."


def choices(rows: pd.DataFrame) -> list[str]:
    """What may be fitted by a parabola: all families, and all but each of them."""
    return [ALL, *(f"without {name}" for name in sorted(rows["family"].unique()))]


def parabola(rows: pd.DataFrame, choice: str, *, y: str = "truthfulqa") -> pd.DataFrame:
    """The least-squares parabola of y in log10 size through the rows of a choice, at 60 sizes: params_b, fitted, turn.

    `turn` (billions) is NaN where the parabola has no lowest point inside the sizes; `attrs["reading"]` says where it
    turns.
    """
    part = rows if choice == ALL else rows[rows["family"] != choice.removeprefix("without ")]
    t = log_size(part)
    curvature, slope, constant = np.polyfit(t, part[y].to_numpy(dtype=float), 2)
    vertex = -slope / (2 * curvature)
    grid = np.linspace(t.min(), t.max(), 60)
    turn = billions(vertex) if curvature > 0 and t.min() < vertex < t.max() else math.nan
    fitted = np.polyval([curvature, slope, constant], grid)
    table = pd.DataFrame({"params_b": 10**grid, "fitted": fitted, "turn": turn})
    turns = "has no lowest point inside these sizes" if math.isnan(turn) else f"turns at {turn:.1f} B"
    models = f"{listed(sorted(part['family'].unique()))} ({len(part)} models)"
    table.attrs["reading"] = f"Through {models} the parabola {turns}."
    return table


def three_families(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """Which of the pooled families falls with size and which rises, and where the parabola of each leaves one turn."""
    words = []
    for name, part in rows.sort_values("params_b").groupby("family"):
        change = float(part[y].iloc[-1] - part[y].iloc[0])
        words.append(f"{name} {'falls' if change < 0 else 'rises'} by {abs(change):.0f} points")
    turns = {choice: float(parabola(rows, choice, y=y)["turn"].iloc[0]) for choice in choices(rows)[1:]}
    places = (f"{'none' if math.isnan(turn) else f'{turn:.1f} B'} {choice}" for choice, turn in turns.items())
    return f"From end to end, {listed(words)}. Where the parabola turns: {listed(places, most=6)}."


def _terms(model: FamilyModel) -> list[tuple[str, str, Estimate]]:
    """The covariates of the model: noun, verb, and what a decade of it does to gamma."""
    words = {"size": ("tenfold size", "goes"), "tokens": ("tenfold training tokens", "go")}
    terms = model.terms()
    pairs = zip(terms["term"].astype(str), estimates(terms), strict=True)
    return [(*words[term], gamma) for term, gamma in pairs if term in words]


def all_families(model: FamilyModel) -> str:
    """What moves gamma over all families, and whether a new family would turn."""
    moved = "; ".join(
        f"{noun} {verb} with {with_interval(row, signed=True)} of gamma" for noun, verb, row in _terms(model)
    )
    return (
        f"{moved[0].upper()}{moved[1:]}. Families differ by {model.spread().estimate:.2f} (standard deviation): a "
        f"new one has no upward turn between 0.1 and 100 B with a probability of {model.p_no_turn():.0%}."
    )


def dip_power(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """How often the dips of these families would be called a boundary, from planted ladders.  rows: with `ladder`."""
    ladders = [part for _, part in rows.groupby("ladder")]
    dips = [one for one in (boundary_power(part, y=y) for part in ladders) if one is not None]
    many = times(len(ladders), "family", "families")
    if not dips:
        return f"The parabola of none of these {many} dips."
    deep, plain, four = ([getattr(one, key) for one in dips] for key in ("depth", "questions", "four"))
    return (
        f"The parabola of {len(dips)} of {many} dips, by {min(deep):.1f} to {max(deep):.1f} points over half of its "
        f"sizes. Planted ladders with such a dip are called a boundary in {min(plain):.0%} to {max(plain):.0%} of the "
        f"cases, with four times the questions in {min(four):.0%} to {max(four):.0%}."
    )


def power(model: FamilyModel) -> str:
    """The smallest effects that the model of all families would have seen, and what holds them together."""
    seen = [f"{seen_difference((row.high - row.low) / 3.92):.2f} of gamma for {noun}" for noun, _, row in _terms(model)]
    return (
        f"An effect from {' and '.join(seen)} on would have been seen in four of five repeats. Tokens differ between "
        "families, hardly within them, and score noise is the only noise that is known."
    )


def tokens(shares: pd.DataFrame, *, short: bool = False) -> str:
    """How many steps up to 10 B are negative in families trained on few and on many tokens; short: no word of cause."""
    small = shares[shares["to_b"] <= 10]
    few, many = (small.loc[small["tokens"] == word, ["negative", "steps"]].sum() for word in ("under", "over"))
    if not few["steps"] or not many["steps"]:
        return "The training tokens of too few families are known for a comparison."
    apart = few["negative"] / few["steps"] - many["negative"] / many["steps"]
    cause = "" if short else "; whether they cause it, a table of families cannot tell"
    return (
        f"Up to 10 B, **{few['negative']:.0f} of {few['steps']:.0f}** steps are negative in families trained on fewer "
        f"than {TOKEN_EDGE:g} billion tokens, and {many['negative']:.0f} of {many['steps']:.0f} in families trained on "
        f"more. So tokens {'go' if abs(apart) > 0.2 else 'hardly go'} along with the sign{cause}."
    )


def remember(scales: pd.DataFrame, model: FamilyModel, shares: pd.DataFrame, *, family: str) -> list[str]:
    """Three lines to remember."""
    scale = model.critical_scale()
    return [
        f"On its own sizes, {_inside(scales, family)}.",
        f"Over {times(model.families, 'family', 'families')} the turn may lie anywhere from {size(scale.low)} to "
        f"{size(scale.high)}.",
        tokens(shares, short=True),
    ]
