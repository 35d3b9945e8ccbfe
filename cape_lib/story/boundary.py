"""Chapter 2 in sentences: whether a size of the turn is known, for one family and over all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.base.boundary import boundary_power
from cape_lib.base.coupling import TOKEN_EDGE, FamilyModel
from cape_lib.claims import Verdict
from cape_lib.stats import Estimate, seen_difference
from cape_lib.story.answer import Answer, capital, estimates, listed, named, pick, span, times, with_interval
from cape_lib.tables import ChapterRows, mark
from cape_lib.tables.axes import PARAMS, Axis

#: A turn counts as placed where its interval spans less than this factor of size.
NARROW = 4.0
ALL = "all"
#: Covariate of the model of all families -> a decade of it, and its verb.
TERMS = {"size": ("tenfold size", "goes"), "tokens": ("tenfold training tokens", "go")}


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
        shown = size if at.along.by_size else at.along.shown
        places = "; ".join(
            f"{row['estimator']} {shown(row['n_c_b'])} ({shown(row['low'])} to {shown(row['high'])})"
            for row in scales.dropna(subset=["n_c_b"]).to_dict("records")
        )
        interval = (
            f"{len(at.ladder)} {at.along.points}; {places or 'no estimator places a turn inside them'}. {at.noise}"
        )
        return Answer(estimators(scales, at.family, along=at.along), "single case", interval)
    if model is None:
        raise ValueError("a published family answers for all families; give the model of them")
    scale = model.critical_scale()
    placed = scale.low > 0 and scale.high < math.inf and scale.high / scale.low < NARROW
    sentence = (
        f"**{'At about one size' if placed else 'No size is known'}.** {capital(turn(model))}. On its own "
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
    if scale.low > 0:
        return f"{size(scale.low)} to {size(scale.high)}" if scale.high < math.inf else f"at least {size(scale.low)}"
    return f"at most {size(scale.high)}" if scale.high < math.inf else "which excludes no size"


def turn(model: FamilyModel) -> str:
    """Where a model of all families puts the turn, with its interval, as a clause."""
    scale, tokens = model.critical_scale(), _terms(model).get("tokens")
    where = f"one fit over {model.families} families"
    equally = f"for those that read {at_tokens(model):.0f} billion tokens (pieces of words)"
    if math.isnan(scale.estimate):
        return f"{where} finds no coupling that rises with size, {equally}"
    longer = pick(tokens, "less", "more", "") if tokens else ""
    less = f"; families that read {longer} lose longer" if longer else ""
    return f"{where} has the losses end, on average, at {size(scale.estimate)}, {reach(scale)} (95 %), {equally}{less}"


def _inside(scales: pd.DataFrame, family: str) -> str:
    sure = int((scales["verdict"] == "boundary").sum())
    place = "place" if sure else "places"
    return f"{sure or 'none'} of {len(scales)} estimators {place} a turn of {family} with confidence"


def estimators(scales: pd.DataFrame, family: str, *, along: Axis = PARAMS) -> str:
    """What the named estimators say of one family, in one sentence."""
    none = f"no boundary in these {along.points}"
    words = {
        "boundary": ("places a turn with confidence", "place a turn with confidence"),
        "undecided": ("is undecided", "are undecided"),
        none: (f"finds {none}", f"find {none}"),
    }
    names = {verdict: scales.loc[scales["verdict"] == verdict, "estimator"].tolist() for verdict in words}
    parts = [f"{times(len(who), *words[verdict])}{named(who)}" for verdict, who in names.items() if who]
    where = "" if along.by_size else f" {along.where}"
    return f"Of {len(scales)} estimators of a turn of {family}{where}, {', '.join(parts)}."


def one_estimator(row: Any, along: Axis = PARAMS) -> str:
    """What one estimator says of a turn, as a line of a list.  row: of `boundary.critical_scales`, a named tuple."""
    place = f"{along.shown(row.n_c_b)}, {along.shown(row.low)} to {along.shown(row.high)}"
    if along.by_size:
        low = f"{row.low:.2f}" if row.low > 0 else size(0)
        high = f"{row.high:.2f}" if row.high < math.inf else size(math.inf)
        place = f"{row.n_c_b:.2f} B [{low}, {high}], {mark('critical scales', row.estimator, n=row.n)}"
    return f"- **{row.estimator}**: {f'{place}; ' if row.n_c_b > 0 else ''}{row.verdict}. {capital(row.reason)}."


def verdicts(every: pd.DataFrame) -> str:
    """How many estimates of how many ladders hold up; every: `boundary.critical_scales` of each."""
    words = ("boundary", "no boundary in these sizes", "undecided")
    held, none, open_ones = (int((every["verdict"] == verdict).sum()) for verdict in words)
    return (
        f"{held} of {len(every)} estimates hold up to score noise, {none} say that these sizes hold no boundary, "
        f"{open_ones} are undecided. Training seeds are not in the noise."
    )


def parabola(rows: pd.DataFrame, choice: str, *, y: str = "truthfulqa") -> pd.DataFrame:
    """The least-squares parabola of y in log10 size through the rows of a choice, at 60 sizes: params_b, fitted, turn.

    choice: "all", or "without" a family. `turn` (billions) is NaN where the parabola has no lowest point inside the
    sizes; `attrs["reading"]` says where it turns.
    """
    part = rows if choice == ALL else rows[rows["family"] != choice.removeprefix("without ")]
    t = PARAMS.t(part["params_b"])
    fit = np.polyfit(t, part[y].to_numpy(dtype=float), 2)
    vertex = -fit[1] / (2 * fit[0])
    grid = np.linspace(t.min(), t.max(), 60)
    turn = PARAMS.back(vertex) if fit[0] > 0 and t.min() < vertex < t.max() else math.nan
    table = pd.DataFrame({"params_b": 10**grid, "fitted": np.polyval(fit, grid), "turn": turn})
    turns = "has no lowest point inside these sizes" if math.isnan(turn) else f"turns at {turn:.1f} B"
    models = f"{listed(sorted(part['family'].unique()))} ({len(part)} models)"
    table.attrs["reading"] = f"Through {models} the parabola {turns}."
    return table


def other_scores(rows: pd.DataFrame, panel: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """Where the pooled rows differ most from the same family in the panel of chapter 1, which has other scores."""
    own, theirs = (
        part.sort_values("params_b").groupby(by)[y].agg(lambda one: one.iloc[-1] - one.iloc[0]).to_dict()
        for part, by in ((rows, "family"), (panel, "ladder"))
    )
    most = max(set(own) & set(theirs), key=lambda name: abs(own[name] - theirs[name]), default="")
    if not most or round(own[most]) == round(theirs[most]):
        return "The papers' interval script uses the scores of chapter 1."
    there, here = (f"{'falls' if change < 0 else 'rises'} by {abs(change):.0f}" for change in (theirs[most], own[most]))
    return (
        f"The papers' interval script uses other scores than chapter 1: in chapter 1 {most} {there} points, in the "
        f"script it {here}."
    )


def joined(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """What each pooled family does by itself, and inside whose sizes the parabola through all of them turns."""
    turn = float(parabola(rows, ALL, y=y)["turn"].iloc[0])
    words, around = [], []
    for name, part in rows.sort_values("params_b").groupby("family"):
        change = np.diff(part[y])
        both = "falls, then rises" if change[0] < 0 < change[-1] else "goes up and down"
        way = "only falls" if (change < 0).all() else "only rises" if (change > 0).all() else both
        words.append(f"{name} {way} ({change.sum():+.0f} points from end to end)")
        if part["params_b"].iloc[0] < turn < part["params_b"].iloc[-1]:
            around.append(name)
    curve = (
        "they have no lowest point"
        if math.isnan(turn)
        else f"they make a curve; its lowest point, {turn:.1f} B, lies inside the sizes of "
        f"{'only ' if len(around) == 1 else ''}{listed(around)}"
    )
    return f"{'; '.join(words)}. Joined, {curve}."


def recomputed(turning: pd.Series, verdict: Verdict) -> str:
    """The published interval beside ours, and how much of the difference another draw makes; verdict: of C03."""
    one, part = turning.estimate, {part.name: part for part in verdict.parts}
    ours = f"{one.estimate:.1f} B, {one.low:.1f} to {one.high:.1f}"
    published = f"{part['median'].published} B, {part['low'].published} to {part['high'].published}"
    chance = max(part[end].slack for end in ("low", "high"))
    return (
        f"Our recomputation gives {ours}; published: {published}. Other random numbers alone move an end by up to "
        f"{chance:.1f} B. ({one.estimate:.1f} B is the median of the redrawn turns; the rows themselves turn at "
        f"{turning.point:.1f} B.)"
    )


def _terms(model: FamilyModel) -> dict[str, Estimate]:
    """What a decade of each covariate of the model does to gamma."""
    terms = model.terms()
    return {name: gamma for name, gamma in zip(terms["term"], estimates(terms), strict=True) if name in TERMS}


def all_families(model: FamilyModel) -> str:
    """What moves gamma over all families, and whether a new family would turn."""
    moved = "; ".join(
        f"{' '.join(TERMS[name])} with {with_interval(gamma, signed=True)} of gamma"
        for name, gamma in _terms(model).items()
    )
    return (
        f"{capital(moved)}. Families differ by {with_interval(model.spread())} (standard deviation): a "
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
    plain, four = (span(one[key] for one in dips) for key in ("questions", "four"))
    return (
        f"The parabola of {len(dips)} of {many} dips, by {min(deep):.1f} to {max(deep):.1f} points over half of its "
        f"sizes. Planted ladders with such a dip are called a boundary in {plain} of the cases, with four times "
        f"the questions in {four}."
    )


def power(model: FamilyModel) -> str:
    """The smallest effects that the model of all families would have seen, and what holds them together."""
    terms = _terms(model)
    seen = [f"{seen_difference((row.high - row.low) / 3.92):.2f} ({TERMS[name][0]})" for name, row in terms.items()]
    return (
        f"Effects on gamma below {' and '.join(seen)} are missed more often than one time in five; ours are "
        f"{' and '.join(f'{row.estimate:.2f}' for row in terms.values())}. Tokens differ between families, hardly "
        "within them, and score noise is the only noise that is known."
    )


def tokens(shares: pd.DataFrame, *, short: bool = False) -> str:
    """How many steps up to 10 B are negative in families trained on few and on many tokens; short: no word of cause."""
    counts = shares.groupby([shares["to_b"] <= 10, "tokens"])[["negative", "steps"]].sum()
    counts = counts[counts["steps"] > 0]
    counted = {
        key: f"{row.negative:.0f} of {row.steps:.0f}"
        for key, row in zip(counts.index, counts.itertuples(), strict=True)
    }
    few, many = (True, "under"), (True, "over")
    if few not in counted or many not in counted:
        return "The training tokens of too few families are known for a comparison."
    share = counts["negative"] / counts["steps"]
    large = [counted[False, word] for word in ("under", "over") if (False, word) in counted]
    above = f" Above 10 B, {' and '.join(large)} are." if large else ""
    cause = "" if short else " Whether they cause it, a table of families cannot tell."
    return (
        f"Up to 10 B, **{counted[few]}** steps are negative in families trained on fewer "
        f"than {TOKEN_EDGE:g} billion tokens, and {counted[many]} in families trained on "
        f"more: there tokens {'go' if abs(share[few] - share[many]) > 0.2 else 'hardly go'} along with the sign."
        f"{above}{cause}"
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
        if inside.empty:
            continue
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
    end = f"losses end, on average, at {size(scale.estimate)}, {reach(scale)} (95 %)"
    rises = not math.isnan(scale.estimate)
    return [
        f"Within the sizes of {family}, {_inside(scales, 'it')}.",
        f"Over {times(model.families, 'family', 'families')} at {at_tokens(model):.0f} B tokens "
        f"{end if rises else 'gamma does not rise with size'}.",
        tokens(shares, short=True),
    ]
