"""Chapter 2 in sentences: whether a size of the turn is known, for one family and over all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.base.boundary import VertexBootstrap, boundary_power
from cape_lib.base.coupling import TOKEN_EDGE, FamilyModel
from cape_lib.claims import Verdict
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
        f"{model.steps} steps of {model.families} families in the uniform panel (scores of one test program), size "
        f"and training tokens taken together; at {at_tokens(model):.0f} billion tokens the turn lies between the "
        f"published 2.9 and 13.4 B with a probability of {model.p_turn(2.9, 13.4):.0%}."
    )
    return Answer(sentence, "correlation", interval)


def at_tokens(model: FamilyModel) -> float:
    """The training tokens, billions, at which a model of all families is asked where its turn lies: a round number."""
    return float(f"{10 ** model.centre['tokens']:.1g}")


def reach(scale: Estimate) -> str:
    """How far the 95 % interval of a size goes, "at most 2.9 B"; "0.5 B to 2.9 B" where both ends are known."""
    known = (scale.low > 0, math.isfinite(scale.high))
    return {
        (True, True): f"{size(scale.low)} to {size(scale.high)}",
        (False, True): f"at most {size(scale.high)}",
        (True, False): f"at least {size(scale.low)}",
        (False, False): "which excludes no size",
    }[known]


def turn(model: FamilyModel) -> str:
    """Where a model of all families puts the turn, with its interval, as a clause."""
    scale = model.critical_scale()
    where = f"one fit over {model.families} families"
    equally = f"for those that read {at_tokens(model):.0f} billion tokens (pieces of words)"
    if math.isnan(scale.estimate):
        return f"{where} finds no coupling that rises with size, {equally}"
    way = next((sign(gamma) for noun, _, gamma in _terms(model) if "tokens" in noun), 0)
    less = {1: "; families that read less lose longer", -1: "; families that read more lose longer", 0: ""}[way]
    return f"{where} has the losses end, on average, at {size(scale.estimate)}, {reach(scale)} (95 %), {equally}{less}"


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
        f"no boundary {none}": (f"finds no boundary {none}", f"find no boundary {none}"),
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


def verdicts(every: pd.DataFrame) -> str:
    """How many estimates of how many ladders hold up; every: `boundary.critical_scales` of each."""
    held, none, open_ones = (
        int((every["verdict"] == verdict).sum()) for verdict in ("boundary", "no boundary in these sizes", "undecided")
    )
    return (
        f"{held} of {len(every)} estimates hold up to score noise, {none} say that these sizes hold no boundary, "
        f"{open_ones} are undecided. Training seeds are not in the noise."
    )


def choices(rows: pd.DataFrame) -> list[str]:
    """What may be fitted by a parabola: all families, and all but each of them."""
    return [ALL, *(f"without {name}" for name in sorted(rows["family"].unique()))]


def parabola(rows: pd.DataFrame, choice: str, *, y: str = "truthfulqa") -> pd.DataFrame:
    """The least-squares parabola of y in log10 size through the rows of a choice, at 60 sizes: params_b, fitted, turn.

    `turn` (billions) is NaN where the parabola has no lowest point inside the sizes; `attrs["reading"]` says where it
    turns.
    """
    part = rows if choice == ALL else rows[rows["family"] != choice.removeprefix("without ")]
    t = PARAMS.t(part["params_b"])
    curvature, slope, constant = np.polyfit(t, part[y].to_numpy(dtype=float), 2)
    vertex = -slope / (2 * curvature)
    grid = np.linspace(t.min(), t.max(), 60)
    turn = PARAMS.back(vertex) if curvature > 0 and t.min() < vertex < t.max() else math.nan
    fitted = np.polyval([curvature, slope, constant], grid)
    table = pd.DataFrame({"params_b": 10**grid, "fitted": fitted, "turn": turn})
    turns = "has no lowest point inside these sizes" if math.isnan(turn) else f"turns at {turn:.1f} B"
    models = f"{listed(sorted(part['family'].unique()))} ({len(part)} models)"
    table.attrs["reading"] = f"Through {models} the parabola {turns}."
    return table


def _changes(rows: pd.DataFrame, y: str, by: str) -> dict[str, float]:
    """The change of y from the smallest to the largest size of each family."""
    groups = rows.sort_values("params_b").groupby(by)[y]
    return {str(name): float(part.iloc[-1] - part.iloc[0]) for name, part in groups}


def _verb(change: float) -> str:
    return "falls" if change < 0 else "rises"


def other_scores(rows: pd.DataFrame, panel: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """Where the pooled rows differ most from the same family in the panel of chapter 1, which has other scores."""
    own, theirs = _changes(rows, y, "family"), _changes(panel, y, "ladder")
    both = [name for name in own if name in theirs]
    most = max(both, key=lambda name: abs(own[name] - theirs[name]), default="")
    if not most or round(own[most]) == round(theirs[most]):
        return "The papers' interval script uses the scores of chapter 1."
    return (
        f"The papers' interval script uses other scores than chapter 1: in chapter 1 {most} {_verb(theirs[most])} by "
        f"{abs(theirs[most]):.0f} points, in the script it {_verb(own[most])} by {abs(own[most]):.0f}."
    )


def joined(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """What each pooled family does by itself, and inside whose sizes the parabola through all of them turns."""
    words, ends = [], _changes(rows, y, "family")
    for name, part in rows.sort_values("params_b").groupby("family"):
        change = np.diff(part[y])
        both = "falls, then rises" if change[0] < 0 < change[-1] else "goes up and down"
        way = "only falls" if (change < 0).all() else "only rises" if (change > 0).all() else both
        words.append(f"{name} {way} ({ends[str(name)]:+.0f} points from end to end)")
    turn = float(parabola(rows, ALL, y=y)["turn"].iloc[0])
    if math.isnan(turn):
        return f"{'; '.join(words)}. Joined, they have no lowest point."
    sizes = rows.groupby("family")["params_b"].agg(["min", "max"])
    around = [str(name) for name in sizes.index[(sizes["min"] < turn) & (turn < sizes["max"])]]
    return (
        f"{'; '.join(words)}. Joined, they make a curve; its lowest point, {turn:.1f} B, lies inside the sizes of "
        f"{'only ' if len(around) == 1 else ''}{listed(around)}."
    )


def recomputed(turning: VertexBootstrap, verdict: Verdict) -> str:
    """The published interval beside ours, and how much of the difference another draw makes; verdict: of C03."""
    one, part = turning.estimate, {part.name: part for part in verdict.parts}
    ours = f"{one.estimate:.1f} B, {one.low:.1f} to {one.high:.1f}"
    published = f"{part['median'].published} B, {part['low'].published} to {part['high'].published}"
    chance = max(part[end].result.slack for end in ("low", "high"))
    return (
        f"Our recomputation gives {ours}; published: {published}. Other random numbers alone move an end by up to "
        f"{chance:.1f} B. ({one.estimate:.1f} B is the median of the redrawn turns; the rows themselves turn at "
        f"{turning.point:.1f} B.)"
    )


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
    deep = [one["depth"] for one in dips]
    plain, four = (
        " to ".join(dict.fromkeys(f"{end:.0%}" for end in (min(shares), max(shares))))
        for shares in ([one[key] for one in dips] for key in ("questions", "four"))
    )
    return (
        f"The parabola of {len(dips)} of {many} dips, by {min(deep):.1f} to {max(deep):.1f} points over half of its "
        f"sizes. Planted ladders with such a dip are called a boundary in {plain} of the cases, with four times "
        f"the questions in {four}."
    )


def power(model: FamilyModel) -> str:
    """The smallest effects that the model of all families would have seen, and what holds them together."""
    terms = _terms(model)
    seen = [f"{seen_difference((row.high - row.low) / 3.92):.2f} ({noun})" for noun, _, row in terms]
    ours = [f"{row.estimate:.2f}" for _, _, row in terms]
    return (
        f"Effects on gamma below {' and '.join(seen)} are missed more often than one time in five; ours are "
        f"{' and '.join(ours)}. Tokens differ between families, hardly within them, and score noise is the only noise "
        "that is known."
    )


def tokens(shares: pd.DataFrame, *, short: bool = False) -> str:
    """How many steps up to 10 B are negative in families trained on few and on many tokens; short: no word of cause."""
    inside = shares["to_b"] <= 10
    few, many, few_large, many_large = (
        shares.loc[side & (shares["tokens"] == word), ["negative", "steps"]].sum()
        for side in (inside, ~inside)
        for word in ("under", "over")
    )
    if not few["steps"] or not many["steps"]:
        return "The training tokens of too few families are known for a comparison."
    apart = few["negative"] / few["steps"] - many["negative"] / many["steps"]
    large = [f"{one['negative']:.0f} of {one['steps']:.0f}" for one in (few_large, many_large) if one["steps"]]
    above = f" Above, {' and '.join(large)} are." if large else ""
    cause = "" if short else " Whether they cause it, a table of families cannot tell."
    return (
        f"Up to 10 B, **{few['negative']:.0f} of {few['steps']:.0f}** steps are negative in families trained on fewer "
        f"than {TOKEN_EDGE:g} billion tokens, and {many['negative']:.0f} of {many['steps']:.0f} in families trained on "
        f"more: there tokens {'go' if abs(apart) > 0.2 else 'hardly go'} along with the sign.{above}{cause}"
    )


def misfit(model: FamilyModel, steps: pd.DataFrame, shares: pd.DataFrame) -> str:
    """Classes of size and tokens whose steps surely go against the sign that the model expects; empty for none.

    steps: `coupling.known_steps`; shares: its `coupling.signs_by_tokens`. A class stands at its mean log size and
    tokens.
    """
    against = []
    for row in shares.to_dict("records"):
        inside = steps[(steps["size_b"] >= row["from_b"]) & (steps["size_b"] < row["to_b"])].dropna(subset=["tokens_b"])
        inside = inside[(inside["tokens_b"] < TOKEN_EDGE) == (row["tokens"] == "under")]
        if len(inside):
            at, read = (float(np.exp(np.log(inside[column]).mean())) for column in ("size_b", "tokens_b"))
            gamma = model.gamma(at, tokens_b=read)
            if (gamma.estimate > 0 and row["low"] > 0.5) or (gamma.estimate < 0 and row["high"] < 0.5):
                where = f"near {size(at)} and {read:.0f} B tokens it expects {with_interval(gamma, signed=True)}"
                against.append(f"{where}, but {row['negative']} of {row['steps']} such steps are negative")
    if not against:
        return ""
    misses = f"The straight fit of the section before misses a part of this: {'; '.join(against)}."
    return f"{misses} Its turn is no size to plan by."


def remember(scales: pd.DataFrame, model: FamilyModel, shares: pd.DataFrame, *, family: str) -> list[str]:
    """Three lines to remember."""
    scale = model.critical_scale()
    end = "gamma does not rise with size"
    if not math.isnan(scale.estimate):
        end = f"losses end at {size(scale.estimate)}, {reach(scale)} (95 %)"
    return [
        f"On its own sizes, {_inside(scales, family)}.",
        f"Over {times(model.families, 'family', 'families')} at {at_tokens(model):.0f} B tokens {end}.",
        tokens(shares, short=True),
    ]
