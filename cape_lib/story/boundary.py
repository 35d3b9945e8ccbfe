"""Chapter 2 in sentences: whether a size of the turn is known, for one family and over all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.base.boundary import boundary_power, fit_parabolas, turning_points
from cape_lib.base.coupling import EDGES, TOKEN_EDGE, FamilyModel, signs_by_tokens
from cape_lib.claims import Verdict
from cape_lib.stats import Estimate, seen_difference
from cape_lib.story.answer import Answer, capital, estimates, listed, named, of, pick, span, times, verb, with_interval
from cape_lib.tables import ChapterRows, label, mark
from cape_lib.tables.axes import PARAMS, Axis

#: A turn counts as placed where its interval spans less than this factor of size.
NARROW = 4.0
ALL = "all"
#: The smaller amount of training tokens, billions, at which a model of all families is asked as well.
FEW_TOKENS = 300.0
#: Covariate of the model of all families -> a decade of it, and its verb.
TERMS = {"size": "tenfold size", "tokens": "tenfold training tokens"}


def size(value: float) -> str:
    """A size in words, "2.9 B"; "below every size" for 0 and "beyond every size" for infinity."""
    return "below every size" if value == 0 else "beyond every size" if math.isinf(value) else f"{value:.2g} B"


def answer(
    at: ChapterRows, scales: pd.DataFrame, model: FamilyModel | None = None, steps: pd.DataFrame | None = None
) -> Answer:
    """At which size does reasoning stop costing truthfulness?

    at: the rows of the chapter; scales: `boundary.critical_scales` of the family in front; steps:
    `coupling.known_steps`; model: `coupling.family_model` of them. The reader's own family answers for itself (model
    and steps may be None), a published one for all families.
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
    if model is None or steps is None:
        raise ValueError("a published family answers for all families; give their steps and the model of them")
    scale, shares = model.critical_scale(), signs_by_tokens(steps)
    few, many = _counts(shares)
    misses = ", but may miss a part of these steps" if misfit(model, steps, shares) else ""
    ends = ""
    if not math.isnan(scale.estimate):
        reaches = reach(scale), reach(model.critical_scale(tokens_b=FEW_TOKENS))
        ends = f" It puts the end at {reaches[0]} (95 %) with the more tokens, at {reaches[1]} with the fewer."
    return Answer(
        f"**{'At about one size' if placed(scale) else 'No size is known'}.** Up to {EDGES[-1]:g} B better reasoning "
        f"came with less truthfulness in {few} steps (to the next larger model of a family) in families trained on "
        f"fewer than {TOKEN_EDGE:g} billion tokens (pieces of words), and in {many} in families trained on more. "
        f"{capital(turn(model))}{misses}. {_new_family(model)}",
        "correlation",
        f"The fit: {model.steps} steps of {model.families} families in the uniform panel, size and training tokens "
        f"taken together.{ends} In that fit it lies between the published 2.9 and 13.4 B with a probability of "
        f"{model.p_turn(2.9, 13.4):.0%} and {model.p_turn(2.9, 13.4, tokens_b=FEW_TOKENS):.0%}.",
    )


def placed(scale: Estimate) -> bool:
    """Whether the interval of a size is narrow enough to name one size."""
    return scale.low > 0 and scale.high < math.inf and scale.high / scale.low < NARROW


def at_tokens(model: FamilyModel) -> float:
    """The training tokens, billions, at which a model of all families is asked where its turn lies: a round number."""
    return float(f"{10 ** model.centre['tokens']:.1g}")


def reach(scale: Estimate) -> str:
    """How far the 95 % interval of a size goes: "any size up to 2.9 B"; "0.5 B to 2.9 B" with both ends."""
    if scale.low > 0:
        return f"{size(scale.low)} to {size(scale.high)}" if scale.high < math.inf else f"{size(scale.low)} or more"
    return f"any size up to {size(scale.high)}" if scale.high < math.inf else "any size"


def turn(model: FamilyModel) -> str:
    """Where a model of all families puts the end of the losses at two amounts of tokens, as a clause."""
    scale, few = model.critical_scale(), model.critical_scale(tokens_b=FEW_TOKENS)
    if math.isnan(scale.estimate):
        return f"a fit over {model.families} families finds no coupling that rises with size"
    return (
        f"a fit over {model.families} families puts the end of the losses, on average, at {size(scale.estimate)} for "
        f"{at_tokens(model):.0f} billion tokens and at {size(few.estimate)} for {FEW_TOKENS:.0f} billion"
    )


def _new_family(model: FamilyModel) -> str:
    """How likely it is that a family which is not among these has no turn, as a sentence."""
    return (
        f"With a probability of {model.p_no_turn():.0%} a new family has no upward turn between 0.1 and 100 B, at "
        f"{at_tokens(model):.0f} billion tokens."
    )


def _alone(scales: pd.DataFrame, family: str) -> str:
    sure = int((scales["verdict"] == "boundary").sum())
    counted = f"{sure or 'none'} of {len(scales)} estimators {'place' if sure else 'places'} a turn with confidence"
    return f"For {family} alone, {counted}."


def enough(scales: pd.DataFrame, family: str, *, count: int) -> str:
    """Whether the sizes of a family were enough for the estimators; count: how many sizes it has."""
    undecided = int((scales["verdict"] == "undecided").sum())
    left = f"{undecided or 'none'} of {len(scales)} estimators undecided"
    return f"Four sizes are the least; {family}'s {count} left {left}."


def estimators(scales: pd.DataFrame, family: str, *, along: Axis = PARAMS) -> str:
    """What the named estimators say of one family, in one sentence."""
    none = f"no boundary in these {along.points}"
    words = {"boundary": ("place", "a turn with confidence"), "undecided": ("are", "undecided"), none: ("find", none)}
    names = {word: scales.loc[scales["verdict"] == verdict, "estimator"] for verdict, word in words.items()}
    parts = [f"{len(who)} {verb(len(who), do)} {what}{named(who)}" for (do, what), who in names.items() if len(who)]
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


def forecasts(scores: dict[float, float]) -> str:
    """How many thresholds of a sparse fit forecast a possible score of 100 B, and which, as a title.

    scores: threshold -> the score forecast (percent).
    """
    able = [score for score in scores.values() if 0 <= score <= 100]
    ends = f", from {min(able):.0f} to {max(able):.0f} %" if able else ""
    return f"At 100 B, {len(able)} of {len(scores)} thresholds forecast a possible score{ends}"


def verdicts(every: pd.DataFrame) -> str:
    """How many estimates of how many ladders hold up; every: `boundary.critical_scales` of each."""
    count = every["verdict"].value_counts()
    return (
        f"{count.get('boundary', 0)} of {len(every)} estimates hold up to score noise, "
        f"{count.get('no boundary in these sizes', 0)} say that these sizes hold no boundary, "
        f"{count.get('undecided', 0)} are undecided. Training seeds are not in the noise."
    )


def parabola(rows: pd.DataFrame, choice: str, *, y: str = "truthfulqa") -> pd.DataFrame:
    """The least-squares parabola of y in log10 size through the rows of a choice, at 60 sizes: params_b, fitted, turn.

    choice: "all", or "without" a family. `turn` (billions) is NaN where the parabola has no lowest point inside the
    sizes; `attrs["reading"]` says where it turns.
    """
    part = rows if choice == ALL else rows[rows["family"] != choice.removeprefix("without ")]
    t = PARAMS.t(part["params_b"])
    curve, grid = fit_parabolas(t, part[y].to_numpy(dtype=float)), np.linspace(t.min(), t.max(), 60)
    vertex = float(turning_points(curve, t)[0])
    turn = PARAMS.back(vertex) if math.isfinite(vertex) else math.nan
    table = pd.DataFrame({"params_b": 10**grid, "fitted": curve.at(grid)[0], "turn": turn})
    turns = "has no lowest point inside these sizes" if math.isnan(turn) else f"turns at {turn:.1f} B"
    models = f"{listed(sorted(part['family'].unique()))} ({len(part)} models)"
    table.attrs["reading"] = f"Through {models} the parabola {turns}."
    return table


def other_scores(rows: pd.DataFrame, panel: pd.DataFrame, uniform: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """Where the pooled rows differ most from the same family in the panel of chapter 1, which has other scores.

    uniform: the panel of one test program, which says whose of the two it has.
    """
    here, there, checked = (
        part.sort_values("params_b").groupby(by)[y].agg(lambda one: one.iloc[-1] - one.iloc[0])
        for part, by in ((rows, "family"), (panel, "ladder"), (uniform, "ladder"))
    )
    apart = (here - there).abs().dropna()
    most = str(apart.idxmax()) if len(apart) else ""
    if not most or round(here[most]) == round(there[most]):
        return "The papers' interval script uses the scores of chapter 1."
    first, own = (f"{'falls' if one[most] < 0 else 'rises'} by {abs(one[most]):.0f}" for one in (there, here))
    return (
        f"The papers' interval script, followed here, uses other scores than chapter 1: in chapter 1 {most} {first} "
        f"points of {label(y)}, in the script it {own}."
        f"{_checked(here[most], there[most], checked.get(most, math.nan))}"
    )


def _checked(script: float, chapter: float, uniform: float) -> str:
    """Whose change of a score (points) the uniform panel has, as a sentence; empty where it lacks the family."""
    if math.isnan(uniform):
        return ""
    whose = [who for who, one in (("the script", script), ("chapter 1", chapter)) if round(one) == round(uniform)]
    return f" The uniform panel (one test program) has {uniform:+.0f}, like {whose[0] if whose else 'neither'}."


def joined(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """What each pooled family does by itself, and inside whose sizes the parabola through all of them turns."""
    turn = float(parabola(rows, ALL, y=y)["turn"].iloc[0])
    words, around = [], []
    for name, part in rows.sort_values("params_b").groupby("family"):
        change = np.diff(part[y])
        way = "falls, then rises" if change[0] < 0 < change[-1] else "goes up and down"
        if (change < 0).all() or (change > 0).all():
            way = f"only {'falls' if change[0] < 0 else 'rises'}"
        words.append(f"{name} {way} ({change.sum():+.0f} points from end to end)")
        if part["params_b"].iloc[0] < turn < part["params_b"].iloc[-1]:
            around.append(name)
    curve = "they have no lowest point"
    if not math.isnan(turn):
        inside = f"the sizes of {'only ' if len(around) == 1 else ''}{listed(around)}"
        curve = f"they make a curve; its lowest point, {turn:.1f} B, lies inside {inside}"
    return f"{'; '.join(words)}. Joined, {curve}. {_left_out(rows, y=y)}"


def _left_out(rows: pd.DataFrame, *, y: str) -> str:
    """Where the parabola turns without each family in turn."""
    turns = {name: parabola(rows, f"without {name}", y=y)["turn"].iloc[0] for name in sorted(rows["family"].unique())}
    parts = [
        f"without {name} {'nowhere inside the sizes' if math.isnan(turn) else f'at {turn:.1f} B'}"
        for name, turn in turns.items()
    ]
    return f"The parabola turns {', '.join(parts)}."


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


def as_worded(verdict: Verdict) -> str:
    """What a turn of Pythia falls by, and what it could still hide; verdict: of C02; empty where it does not fall."""
    if verdict.conclusion != "contradicted":
        return ""
    says = verdict.conclusion_test.says
    return f"Of the claim, as worded: {says}."


def _terms(model: FamilyModel) -> dict[str, Estimate]:
    """What a decade of each covariate of the model does to gamma."""
    terms = model.terms()
    return {name: gamma for name, gamma in zip(terms["term"], estimates(terms), strict=True) if name in TERMS}


def all_families(model: FamilyModel) -> str:
    """What moves gamma over all families, and how far they differ."""
    moved = [
        f"at {TERMS[name]} gamma is {with_interval(one, digits=3, signed=True)} higher"
        for name, one in _terms(model).items()
    ]
    return f"{capital('; '.join(moved))}. Families differ by {with_interval(model.spread())} (standard deviation)."


def taxes(steps: pd.DataFrame) -> str:
    """How many steps of each class of size fall at all, and how many are a tax; steps: `coupling.known_steps`."""
    classes = np.searchsorted(EDGES, steps["size_b"], side="right")
    falls, deep = steps["gamma"] < 0, steps["phase"] == "tax"
    inside = [classes == one for one in range(len(EDGES) + 1)]
    return (
        f"Below {EDGES[0]:g} B, from there to {EDGES[-1]:g} B and above, {listed(of(falls[one]) for one in inside)} "
        f"steps of all families fall, however little; as a tax (more than 0.1 points for a point of reasoning) "
        f"{listed(int(deep[one].sum()) for one in inside)}."
    )


def dip_power(rows: pd.DataFrame, *, y: str = "truthfulqa") -> str:
    """How often the dips of these families would be called a boundary, from planted ladders.  rows: with `ladder`."""
    ladders = [boundary_power(part, y=y) for _, part in rows.groupby("ladder")]
    dips, many = pd.DataFrame([one for one in ladders if one]), times(len(ladders), "family", "families")
    if dips.empty:
        return f"The parabola of none of these {many} dips."
    return (
        f"The parabola of {len(dips)} of {many} dips, by {dips['depth'].min():.1f} to {dips['depth'].max():.1f} points "
        f"over half of its sizes. Planted ladders with such a dip are called a boundary in {span(dips['questions'])} "
        f"of the cases, with four times the questions in {span(dips['four'])}."
    )


def power(model: FamilyModel) -> str:
    """The smallest effects that the model of all families would have seen, and what holds them together."""
    terms = _terms(model)
    seen = [f"{seen_difference((row.high - row.low) / 3.92):.2f} ({TERMS[name]})" for name, row in terms.items()]
    return (
        f"Effects on gamma below {' and '.join(seen)} are missed more often than one time in five; ours are "
        f"{' and '.join(f'{row.estimate:.2f}' for row in terms.values())}. Tokens differ between families, hardly "
        "within them, and score noise is the only noise that is known."
    )


def by_tokens(shares: pd.DataFrame) -> str:
    """How many steps up to 10 B are negative in families trained on few and on many tokens, as a clause.

    shares: `coupling.signs_by_tokens`, of any classes of size with an edge at 10 B.
    """
    few, many = _counts(shares)
    return (
        f"Up to {EDGES[-1]:g} B, **{few}** steps are negative in families trained on fewer than {TOKEN_EDGE:g} billion "
        f"tokens, and {many} in families trained on more"
    )


def _counts(shares: pd.DataFrame) -> tuple[str, str]:
    """Negative steps up to 10 B of all such steps, "25 of 26", of families trained on few and on many tokens."""
    up = shares[shares["to_b"] <= EDGES[-1]].groupby("tokens")[["negative", "steps"]].sum()
    few, many = (f"{up.negative[word]} of {up.steps[word]}" for word in ("under", "over"))
    return few, many


def by_size(model: FamilyModel, shares: pd.DataFrame) -> str:
    """Whether size is told apart among families alike in tokens, and in the fit; shares: `coupling.signs_by_tokens`."""
    parts, apart = [], []
    for word, name in (("under", "fewer tokens"), ("over", "more")):
        rows = shares[(shares["tokens"] == word) & (shares["steps"] > 0)]
        small, large = rows[rows["from_b"] == 0], rows[np.isinf(rows["to_b"])]
        if len(small) and len(large):
            counts = [f"{row['negative'].item()} of {row['steps'].item()}" for row in (small, large)]
            parts.append(f"from {' to '.join(counts)} with {name}")
            first, last = small.iloc[0], large.iloc[0]
            apart += [name] * bool(first["low"] > last["high"] or last["low"] > first["high"])
    reads = f"told apart with {' and with '.join(apart)}" if apart else "the intervals overlap, so counts leave it open"
    fit = pick(_terms(model)["size"], "gamma rises with size", "gamma falls with size", "size is open as well")
    ends = f"From steps up to {EDGES[0]:g} B to those above {EDGES[-1]:g} B"
    ways = f" {ends} negative ones go {' and '.join(parts)}: {reads}." if parts else ""
    return f"And size?{ways} In the fit {fit}."


def tokens(steps: pd.DataFrame, *, short: bool = False) -> str:
    """`by_tokens` with what it shows, and the steps above 10 B; short: nothing but what it shows.

    steps: `coupling.known_steps`. The intervals take families for clusters; tokens go along where they do not overlap.
    """
    shares = signs_by_tokens(steps, edges=EDGES[-1:])
    few, many, *above = shares.sort_values(["from_b", "tokens"], ascending=[True, False]).to_dict("records")
    apart = few["low"] > many["high"] or many["low"] > few["high"]
    large = " and ".join(f"{row['negative']} of {row['steps']}" for row in above if row["steps"])
    return (
        f"{by_tokens(shares)}: {'there tokens go' if apart else 'it is open whether tokens go'} along with the sign."
        f"{f' Above {EDGES[-1]:g} B it is {large}.' if large and not short else ''}"
        f"{'' if short else ' Whether they cause it, a table of families cannot tell.'}"
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
            edges = (
                f"from {row['from_b']:g} to {row['to_b']:g} B"
                if row["to_b"] < math.inf
                else f"above {row['from_b']:g} B"
            )
            amount = f"{'under' if row['tokens'] == 'under' else 'from'} {TOKEN_EDGE:g} billion tokens"
            against.append(
                f"{edges}, {amount}, it expects a gamma of {with_interval(gamma, signed=True)} (at {at:.2g} billion "
                f"parameters and {read:.0f} billion tokens), but {row['negative']} of {row['steps']} such steps are "
                "negative"
            )
    if not against:
        return ""
    misses = f"The straight fit may miss a part of this: {'; '.join(against)}."
    return f"{misses} Its end of the losses is no size to plan by."


def remember(
    scales: pd.DataFrame, model: FamilyModel, steps: pd.DataFrame, shares: pd.DataFrame, *, family: str
) -> list[str]:
    """Three lines to remember; the arguments are those of `answer` and `misfit`."""
    scale, few = model.critical_scale(), model.critical_scale(tokens_b=FEW_TOKENS)
    end = turn(model)
    if not math.isnan(scale.estimate):
        end = (
            f"a fit over {model.families} families puts the end of the losses, on average, at {size(scale.estimate)} "
            f"({reach(scale)}, 95 %) for {at_tokens(model):.0f} billion tokens, at {size(few.estimate)} ({reach(few)}) "
            f"for {FEW_TOKENS:.0f}"
        )
    end = f"{'No size to plan by: ' if misfit(model, steps, shares) else ''}{end}."
    return [
        _alone(scales, family),
        capital(end),
        tokens(steps, short=True),
    ]
