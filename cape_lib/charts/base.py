"""Figures of chapters 1 and 2 and of the first page: families in the plane of two scores, and where these turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.boundary import isocline
from cape_lib.base.coupling import EDGES, TOKEN_EDGE, FamilyModel
from cape_lib.charts import forms
from cape_lib.charts.forms import across, band, dots, forest, line_at, named, phase_colour, size_scale, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import BLUE, INK, MUTED, PAPER, TWO_SIDES
from cape_lib.story.answer import capital, listed, of, times, verb
from cape_lib.story.boundary import FEW_TOKENS, at_tokens, placed, reach, turn
from cape_lib.story.coupling import by_direction, falls, few_families, flips, size_class
from cape_lib.story.intro import at_size
from cape_lib.tables import CHANCE, label, mark
from cape_lib.tables.axes import PARAMS, Axis

#: What a step says beside its coupling.
STEP = "smaller larger gamma low high p_negative"
BARS = "Bars: 95 % intervals of a ratio (Fieller's), score noise. A bar that reaches the edge goes on beyond it."
UNKNOWN = "No bars: how noisy the scores are is not known."
#: The sizes that an axis of critical scales shows (billions); a bar stops at its ends.
LEAST, MOST = 0.03, 400.0
#: Training tokens (billions) that the figure of all families shows, beside those that the turn is told for.
TOKENS = (FEW_TOKENS, 3000.0)


def families_in_motion(
    ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str
) -> Callable[..., Figure]:
    """The hero figure as a function of the rows at one size, for `explore`: every ladder's path and where it stands.

    ladders: rows with ladder, params_b (billions), x and y (percent);  gammas: their `coupling.local_couplings`.
    """
    paths = ladders[["ladder", "model", "params_b", x, y]].sort_values(["ladder", "params_b"])
    steps = paths.join(paths.groupby("ladder")[[x, y]].shift(-1).add_suffix("_to")).dropna()
    steps = steps.merge(gammas[["smaller", "larger", "gamma", "phase"]], left_on="model", right_on="smaller")
    low, high = paths[[x, y]].min(), paths[[x, y]].max()
    largest = paths.groupby("ladder").tail(1).sort_values(y, ascending=False)
    guess = [
        line_at(CHANCE[score], axis, colour=MUTED, dashed=True)
        for score, axis in ((x, "x"), (y, "y"))
        if score in CHANCE and low[score] - 4 < CHANCE[score] < high[score] + 4
    ]
    domain = [float(low[x]) - 2, float(high[x] + 0.15 * (high[x] - low[x]))]
    to_right = across(x, f"{label(x)} (%), reasoning →", domain, zero=False, nice=True)
    up = upright(y, f"↑ {label(y)} (%), truthfulness", zero=False, nice=True)
    ends, shares = [f"{x}_to", f"{y}_to"], np.linspace(0, 1, 12)
    # points along each step, from its smaller to its larger model
    covered = [steps[[x, y]] + share * (steps[ends].set_axis([x, y], axis=1) - steps[[x, y]]) for share in shares]
    text: dict[str, Any] = {"gap": 12, "fontSize": 12, "fontWeight": 600}
    names = named(largest, to_right, up, "ladder", height=420, around=[pd.concat(covered)], always=len(largest), **text)
    # the family under the pointer stands out of the tangle
    pointed = alt.selection_point(on="pointerover", clear="pointerout", fields=["ladder"], empty=False)
    joins = forms.ways(steps, to_right, up, ends=ends, colour=phase_colour(), tooltip="smaller larger gamma")
    bold = alt.condition(pointed, alt.value(1.0), alt.value(0.5)), alt.condition(pointed, alt.value(4), alt.value(2))
    drawn = [
        *guess,
        joins.encode(opacity=bold[0], strokeWidth=bold[1]).add_params(pointed),
        dots(paths, to_right, up, colour=alt.value(MUTED), tooltip="model params_b", size=14, opacity=0.8),
        dots(at_size(ladders, gammas, EDGES[0], x=x, y=y), to_right, up, shape="diamond", size=60, **forms.HOLLOW),
    ]
    n = f"{paths['ladder'].nunique()} families, {len(paths)} models"
    caption = (
        "Lines: each family from its smallest to its largest size, a colour for what each step did; point at one to "
        f"follow it. Dots: where the families stand at the chosen size. Diamonds: {EDGES[0]:g} B, the published turn. "
        "Dashed: what a guess scores."
    )

    def draw(rows: pd.DataFrame) -> Figure:
        look: dict[str, Any] = {"tooltip": "gamma", "size": 190, "stroke": PAPER, "strokeWidth": 1.5}
        chart = alt.layer(*drawn, dots(rows, to_right, up, colour=phase_colour(), **look), *names)
        return figure(chart, "families-in-motion", title, source, n, caption, height=420)

    return draw


def ladder_plane(
    ladder: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, source: str, along: Axis = PARAMS
) -> Figure:
    """One family's path through the plane of two scores, each step coloured by its phase.

    ladder: rows by size with model, params_b, x, y;  gammas: its `coupling.local_coupling`; along: the axis of both.
    """
    points = ladder[["model", x, y]]
    steps = gammas.merge(points, left_on="smaller", right_on="model")
    steps = steps.merge(points, left_on="larger", right_on="model", suffixes=("", "_to"))
    axes = forms.score_axes(x, y, padding=18)
    at = np.linspace(0, len(ladder) - 1, 60)
    path = pd.DataFrame({score: np.interp(at, range(len(ladder)), ladder[score]) for score in (x, y)})
    chart = alt.layer(
        forms.ways(steps, *axes, ends=[f"{x}_to", f"{y}_to"], colour=phase_colour(), strokeWidth=3),
        dots(ladder, *axes, tooltip=along.column, size=70, **forms.HOLLOW),
        *named(points, *axes, "model", height=320, around=[path], always=len(points), fontSize=12),
    )
    title = f"{ladder['family'].iloc[0]}: {falls(gammas['dy'], y, along)}"
    return figure(chart, "ladder-plane", title, source, len(ladder))


def _offered(steps: pd.DataFrame, along: Axis) -> pd.DataFrame:
    """The rows of steps to download: away from sizes a step has a first and a last model, no smaller and larger one."""
    return steps if along.by_size else steps.rename(columns={"smaller": "first", "larger": "last"})


def local_couplings(
    gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str, along: Axis = PARAMS
) -> Figure:
    """Local coupling of one family by interval: the 95 % interval first, then the point; the zero line.

    gammas: `coupling.local_coupling` of the ladder, further columns allowed (for `explore`). An interval that is
    unbounded runs off the chart. title: the finding; name: the permanent link.
    """
    edge = 3.0
    steps = gammas.assign(step=_short_steps(gammas, along))
    # the interval of a step is one bar, or two where it is the outside of a gap; none where it is unknown
    ends = steps.assign(low=steps["low"].clip(-edge, edge), high=steps["high"].clip(-edge, edge))
    gap, every = ends[ends["interval"] == "outside"], ends[ends["interval"] == "every"].assign(low=-edge, high=edge)
    bars = pd.concat([ends[ends["interval"] == "bounded"], every, gap.assign(low=-edge), gap.assign(high=edge)])
    bars = bars[[column for column in ("step", "phase", "low", "high", "rho") if column in ends]]
    gamma = across("gamma", "gamma", [-edge, edge], clamp=True)
    chart = forest(steps, "step", gamma, colour=phase_colour(), tooltip=STEP, bars=bars)
    caption = f"gamma: points of {label(y)} for a point of {label(x)}. {BARS if len(bars) else UNKNOWN}"
    n, offered = f"{steps['step'].nunique()} steps", _offered(gammas, along)
    return figure(chart, name, title, source, n, caption, rows=offered)


def _short_steps(gammas: pd.DataFrame, along: Axis) -> list[str]:
    """Each step by its two sizes, which fit a phone; by the models' names where two steps would read alike."""
    pairs = gammas[["smaller", "larger"]].drop_duplicates()  # a slider has each of them several times
    number, shown = (along.number, along.shown) if not along.by_size else ("{:g}".format, "{:g} B".format)
    ends = zip(gammas[f"{along.column}_low"], gammas[f"{along.column}_high"], strict=True)
    steps = [f"{number(low)} → {shown(high)}" for low, high in ends]
    alike = along.by_size and len(set(steps)) != len(pairs)
    return list(gammas["smaller"] + " → " + gammas["larger"]) if alike else steps


def every_family(gammas: pd.DataFrame, *, x: str, y: str, own: str, source: str) -> Figure:
    """Local coupling against size for all ladders, one of them picked out by the list or a click on the legend."""
    shown = gammas.assign(shown=gammas["gamma"].clip(-2, 2))
    names = sorted(shown["ladder"].unique())
    pick = forms.picker("family", ["all", *names], own if own in names else names[0], label="family to pick out")
    axes = size_scale("params_b_mid"), upright("shown", "gamma, clipped to ±2", [-2, 2])
    mine = "family === 'all' || datum.ladder === family"
    paths = trace(shown, *axes, detail="ladder:N", colour=alt.value(MUTED), tooltip=None)
    points = dots(shown, *axes, colour=phase_colour(), tooltip=STEP, size=70)
    paths = paths.encode(opacity=alt.condition(mine, alt.value(0.9), alt.value(0.0)))
    points = points.encode(opacity=alt.condition(mine, alt.value(1), alt.value(0.22)))
    small, large = shown[shown["params_b_mid"] < 3.5], shown[shown["params_b_mid"] >= 10]
    signs = f"Below 3.5 B {of(small['gamma'] < 0)} steps are negative; above 10 B {of(large['gamma'] > 0)} are positive"
    chart = alt.layer(line_at(0, "y"), paths, points).add_params(pick)
    return figure(chart, "every-family", signs, source, f"{len(shown)} steps of {len(names)} families")


def correlation_by_cut(sweep: pd.DataFrame, *, source: str, leap: str = "") -> Figure:
    """Correlation below and above every cut with its 95 % interval.

    sweep: `coupling.cut_sweep`; leap: which models make its largest change (`story.coupling.leap`).
    """
    shown = ["cut_b", "side", "n", "r", "low", "high"]
    table = pd.wide_to_long(sweep, shown[2:], "cut_b", "side", sep="_", suffix=r"\w+").reset_index()[shown].dropna()
    x = size_scale("cut_b", low=float(sweep["cut_b"].min()), high=float(sweep["cut_b"].max())).title("cut")
    side = forms.colours("side", ("below", "above"), TWO_SIDES, title="models on this side")
    drawn = band(table, x, upright("r", "Pearson r", [-1, 1]), colour=side, point=True)
    title = f"The sign flips at {flips(sweep)}"
    n = f"{int(max(table['n'], default=0))} models on one side at most"
    caption = (
        f"{leap} Neighbouring splits share most models. Surely: both intervals leave zero out, not corrected for the "
        f"number of splits, so that no size is shown to be special. Dashed: {EDGES[0]:g} B. Bands: 95 %, families left "
        f"out in turn. {few_families()}"
    ).lstrip()
    inside = float(sweep["cut_b"].min()) < EDGES[0] < float(sweep["cut_b"].max())
    at_edge = [line_at(EDGES[0], "x", colour=MUTED, dashed=True)] if inside else []
    chart = alt.layer(line_at(0, "y"), *at_edge, drawn)
    return figure(chart, "correlation-by-cut", title, source, n, caption, height=260)


#: Share of an axis that a point covers, about: a shorter bar cannot be seen.
HIDDEN = 0.04


def whole_ladders(
    ladders: pd.DataFrame,
    *,
    y: str,
    source: str,
    own: str = "",
    phases: bool = True,
    hollow: Collection[str] = (),
    name: str = "whole-ladders",
) -> Figure:
    """What each family gained or lost of y from its smallest to its largest size, with the interval of score noise.

    ladders: `coupling.whole_ladders`; own: the family in front, marked in the names; phases: one ladder a family,
    coloured by its phase from end to end; hollow: ladders whose smallest size loses by thinking; name: of the figure on
    its page.
    """
    rows = ladders.assign(low=ladders["dy_low"], high=ladders["dy_high"]).sort_values("dy")
    # a row name must not take three lines on a phone, and its sizes stay together where one breaks it
    low, high = (rows[f"params_b_{end}"].map(lambda b: f"{b:.2g}" if b < 10 else f"{b:.0f}") for end in ("low", "high"))
    ladder = rows["ladder"].where(rows["ladder"] != own, f"▸ {own}")
    rows["name"] = ladder + " (" + low + "\u00a0→\u00a0" + high + "\u00a0B)"
    called = label(y).partition(" (")[0]  # without the letter of the audit's formulas
    ways = by_direction(ladders)
    down, up = len(ways["lost"]), len(ways["gained"])
    rows["hollow"] = rows["ladder"].isin(hollow or ways["open"])
    rings = " Hollow: not sure." if ways["open"] else ""
    if hollow:
        fall, rise = (len({*hollow} & {*ways[way]}) for way in ("lost", "gained"))
        doubt = f"{fall} of the {down} that fall, {rise} of the {up} that rise"
        rings = f" Hollow: starts at a size that loses by thinking ({doubt})."
    chart = forest(
        rows,
        "name",
        across("dy", f"{called}, largest minus smallest size (points)", padding=10),
        colour=phase_colour() if phases else alt.value(BLUE),
        tooltip="smaller larger sizes",
        hollow=forms.ALL if rows["hollow"].all() else "datum.hollow" if rows["hollow"].any() else "",
    )
    n = f"{len(rows)} {'families' if phases else 'ladders'}"
    falls, beyond = "surely falls", f"Sure: beyond score noise when all {n} are asked"
    if not phases:
        falls, beyond = "falls beyond question noise", f"Beyond question noise: with all {n} asked"
    title = f"From smallest to largest size {called} {falls} in {down} of {n} and rises in {up}"
    inside = (rows["high"] - rows["low"]).median() < HIDDEN * np.ptp(rows["dy"])
    bars = "Bars, mostly within the points" if inside else "Bars"
    caption = (
        f"{beyond} (Holm's correction).{rings} {bars}: 95 %, score noise of one row alone."
        f"{' Colours: the phase from smallest to largest size.' if phases else ''}"
    )
    height = None if phases else 16 * len(rows)
    return figure(chart, name, title, source, n, caption, rows=ladders, height=height)


def signs_by_tokens(table: pd.DataFrame, *, source: str) -> Figure:
    """Share of negative steps by class of size, for families trained on few and on many tokens.

    table: `coupling.signs_by_tokens`.
    """
    names = {"under": f"under {TOKEN_EDGE:g} B tokens", "over": f"{TOKEN_EDGE:g} B tokens and more"}
    words = [size_class(a, b) for a, b in zip(table["from_b"], table["to_b"], strict=True)]
    rows = table.assign(size=words, trained=table["tokens"].map(names)).dropna(subset=["share"])
    chart = forest(
        rows.drop(columns="tokens"),
        forms.row_names("size", dict.fromkeys(words)).title("size of the step"),
        across("share", "share of negative steps", [0, 1], percent=True),
        colour=forms.colours("trained", names.values(), TWO_SIDES),
        apart="trained",
        tooltip="negative steps families",
        rule=0.5,
    )
    counts = {
        word: listed(f"{row.negative} of {row.steps}" for row in part.itertuples())
        for word, part in table[table["steps"] > 0].groupby("tokens")
    }
    which = {"under": f"under {TOKEN_EDGE:g} billion tokens", "over": f"from {TOKEN_EDGE:g} billion on"}
    negative = [f"{counts[word]} {amount}" for word, amount in which.items() if word in counts]
    title = f"Negative steps {listed(dict.fromkeys(words))}: {'; '.join(negative)}"
    n = f"{int(table['steps'].sum())} steps with known tokens"
    caption = (
        "A step's size is the geometric mean of its two models, and so are its tokens. Bars: 95 %; steps of one "
        "family count as relatives. Dashed: half of the steps."
    )
    return figure(chart, "signs-by-tokens", title, source, n, caption, rows=table)


def small_multiples(steps: pd.DataFrame, *, x: str, y: str, families: Sequence[str], total: int, along: Axis) -> Figure:
    """One small plane a family, all on the same axes, each step in the colour of its phase.

    steps: one row a step with family, smaller, larger, x_from, y_from, x_to, y_to (percent), phase, gamma; families: to
    draw, in this order; total: families in the sweep; along: the axis of the steps.
    """
    shown = steps[steps["family"].isin(families)]
    axes = []
    for column, kind in (("x_from", across), ("y_from", upright)):
        values = shown[[column, column.replace("from", "to")]].to_numpy(dtype=float)
        axis = kind(column, None, [float(values.min()), float(values.max())], nice=True, zero=False)
        axes.append(axis.axis(tickCount=3, labelFontSize=9))

    def plane(family: str) -> Any:
        rows = shown[shown["family"] == family]
        look = {"colour": phase_colour(hidden=True), "strokeWidth": 2.5}
        path = forms.ways(rows, *axes, ends=["x_to", "y_to"], tooltip="smaller larger gamma phase", **look)
        ends = [dots(rows, f"x_{end}:Q", f"y_{end}:Q", size=18, tooltip=None, **forms.HOLLOW) for end in ("from", "to")]
        return alt.layer(path, *ends).properties(title=alt.Title(family, fontSize=11, anchor="start"))

    more = f" ({total - len(families)} more in the table)" if total > len(families) else ""
    title = f"{falls(shown['y_to'] - shown['y_from'], y, along)}, over {len(families)} families{more}"
    source, n = "the scores of the sweep", f"{len(families)} families, {len(shown)} steps"
    ends = "from the smallest to the largest size" if along.by_size else "from first to last"
    caption = f"{label(x)} (%) across, {label(y)} (%) upwards, {ends}. Vermilion: tax, grey: transition, green: bonus."
    charts = [plane(str(family)) for family in families]
    return figure(charts, "sweep-families", title, source, n, caption, rows=_offered(shown, along), height=120)


def pairs_of_one_size(pairs: pd.DataFrame, *, x: str, y: str, title: str, source: str) -> Figure:
    """How two scores differ between models of one size, pair by pair, with their intervals of score noise.

    pairs: rows of `diagnose_pairs`, each with first, second, dx, dy (points) and half of their 95 % intervals.
    title: the finding.
    """
    names, parts = pairs["second"] + " against " + pairs["first"], []
    for score, change in ((y, "dy"), (x, "dx")):
        estimate, half = pairs[change], pairs[f"{change}_half"]
        columns = {"estimate": estimate, "low": estimate - half, "high": estimate + half, "p": pairs[f"{change}_p"]}
        parts.append(pd.DataFrame({"pair": names, "score": label(score)} | columns))
    rows = pd.concat(parts)
    look = forms.by("score", (label(y), label(x)), TWO_SIDES, ("circle", "square"))
    points = across("estimate", "second minus first model, points")
    chart = forest(rows, "pair", points, **look, apart="score", tooltip="p")
    caption = "Bars: 95 %, score noise of one pair alone. p is corrected for asking every pair (Holm)."
    caption = caption if rows["low"].notna().all() else UNKNOWN
    return figure(chart, "own-pairs", title, source, times(len(pairs), "pair"), caption, rows=pairs)


def score_by_size(ladder: pd.DataFrame, scales: pd.DataFrame, *, y: str, source: str, along: Axis = PARAMS) -> Figure:
    """One family's score against size, with the boundary of each estimator where its sizes hold one.

    ladder: model, params_b, y, low and high (score noise);  scales: `boundary.critical_scales`; along: the axis of
    both.
    """
    axes = forms.axis_scale(along, ladder), forms.score(y)
    chart = alt.layer(
        band(ladder, *axes, colour=alt.value(INK), opacity=0.35, bars=True),
        dots(ladder, *axes, size=70, **forms.HOLLOW),
    )
    caption = ["Bars: 95 % score noise."] if ladder["low"].notna().any() else []
    inside = scales.dropna(subset=["n_c_b"])
    if len(inside):
        turns = alt.Chart(inside).mark_rule(strokeDash=[5, 3], strokeWidth=2)
        size = alt.Tooltip("n_c_b", format=".2f", title=along.column)
        chart += turns.encode(
            x=forms.same_axis(axes[0], "n_c_b"),
            color=forms.colours("estimator", scales["estimator"], title="estimator"),
            tooltip=["estimator", size, "verdict", "reason"],
        )
        caption.append("Dashed: where an estimator places the turn.")
    sure = int((scales["verdict"] == "boundary").sum())
    who = f"{sure} of {len(scales)} estimators {verb(sure, 'are')}" if sure else "No estimator is"
    title = f"{who} sure of a turn inside the {along.points} of {ladder['family'].iloc[0]}"
    name = "score-by-size" if along.by_size else "score-along"
    return figure(chart, name, title, source, len(ladder), " ".join(caption))


def critical_scales(table: pd.DataFrame, *, source: str) -> Figure:
    """The four estimators for every family: one row a family, one mark an estimator.

    table: `boundary.critical_scales` of each ladder, column ladder.
    """
    shown, estimators = table.dropna(subset=["n_c_b"]), list(table["estimator"].unique())
    order = list(table.groupby("ladder")["raw_b"].median().sort_values().index)
    rows, x = forms.row_names("ladder", order).scale(domain=order), size_scale("n_c_b", low=LEAST, high=MOST)
    chart = forest(shown, rows, x, **forms.by("estimator", estimators), apart="estimator", tooltip="verdict reason")
    sure, n = int((table["verdict"] == "boundary").sum()), f"{table['ladder'].nunique()} families"
    title = f"{len(shown)} of {len(table)} estimates lie inside the sizes; {sure} of them hold up to score noise"
    caption = (
        "No mark: that estimator finds no turn inside the family's sizes. Bars: 95 % of score-noise draws, wider where "
        f"the curve fits badly: {mark('critical scales', *estimators)}."
    )
    return figure(chart, "critical-scales", title, source, n, caption, rows=table, height=44 * len(order))


def all_families(model: FamilyModel, *, source: str) -> Figure:
    """Expected gamma over all families by size, a line for each amount of training tokens, with the zero line.

    model: `coupling.family_model` on size and tokens.  The amount that the turn is told for has a band.
    """
    middle = at_tokens(model)
    grid = [(tokens, size) for tokens in sorted({*TOKENS, middle}) for size in np.geomspace(0.1, 100, 40)]
    table = pd.DataFrame([model.gamma(size, tokens_b=tokens) for tokens, size in grid])[["estimate", "low", "high"]]
    table = table.assign(tokens=[f"{tokens:,.0f} B tokens" for tokens, _ in grid], params_b=[size for _, size in grid])
    colour = forms.colours("tokens", table["tokens"].unique(), title="trained on")
    axes = size_scale("params_b", low=0.1, high=100.0), upright("estimate", "expected gamma")
    banded = pd.Series([tokens == middle for tokens, _ in grid])
    lines = trace(table[~banded], *axes, colour=colour), band(table[banded], *axes, colour=colour)
    scale, few = model.critical_scale(), model.critical_scale(tokens_b=FEW_TOKENS)
    title, n = capital(turn(model)), f"{model.steps} steps of {model.families} families"
    if not math.isnan(scale.estimate):
        title = (
            f"The fit places {'the size' if placed(scale) else 'no one size'} at which losses end: {reach(scale)} with "
            f"{middle:,.0f} billion tokens, {reach(few)} with {FEW_TOKENS:.0f}"
        )
    caption = (
        f"Band: 95 % for the mean over families at {middle:,.0f} B tokens; losses end where a line crosses zero. "
        f"Dashed: {EDGES[0]:g} B, the published turn. One family lies above or below by "
        f"{model.spread().estimate:.2f} (standard deviation)."
    )
    chart = alt.layer(line_at(0, "y"), line_at(EDGES[0], "x", colour=MUTED, dashed=True), *lines)
    return figure(chart, "all-families", title, source, n, caption, rows=table, height=300)


def isocline_plane(rows: pd.DataFrame, *, source: str) -> Figure:
    """Models at the start of an interval in the plane of both scores, with the isocline (for `explore` over a/b).

    rows: `boundary.classify` with columns x, y, gamma, phase and that of the slider, `ratio` (a/b).
    """
    # The scales are fixed over all values of the slider, so that only the curve moves; it leaves through the floor.
    wide, tall = [[float(rows[c].min()) - 3, float(rows[c].max()) + 3] for c in ("x", "y")]
    grid = np.linspace(max(wide[0], 0.0), wide[1], 40)
    curves = [pd.DataFrame({"x": grid, "y": isocline(grid, at), "ratio": at}) for at in rows["ratio"].unique()]
    axes = across("x", "reasoning (%)", wide), upright("y", "truthfulness (%)", tall)
    points = dots(rows, *axes, colour=phase_colour(), tooltip="smaller larger gamma above", opacity=0.9)
    first = rows[rows["ratio"] == rows["ratio"].iloc[0]]
    below, above = (of(first.loc[first["above"] == side, "gamma"] < 0) for side in (False, True))
    at = f"At a/b = {first['ratio'].iloc[0]:g}"
    title = f"{at} {above} next steps above the curve are negative, below it {below}"
    caption = "A point a model, in the colour of the phase of its next step. Line: the isocline."
    chart = trace(pd.concat(curves, ignore_index=True), *axes, clip=True) + points
    return figure(chart, "isocline-plane", title, source, f"{len(first)} steps in size", caption, height=360)


def forecasts(table: pd.DataFrame, *, y: str, source: str, title: str) -> Figure:
    """Measured scores of one family and what each method forecasts.

    table: params_b, value, kind ("measured" or the method's name).
    """
    measured, curves = table[table["kind"] == "measured"], table[table["kind"] != "measured"]
    axes = size_scale("params_b"), forms.score("value", y)
    lines = trace(curves, *axes, colour=alt.Color("kind:N", title="method"), dash=alt.StrokeDash("kind:N"))
    chart = lines + dots(measured, *axes, size=70, **forms.HOLLOW)
    return figure(chart, "forecasts", title, source, f"{len(measured)} measured sizes", "Rings: measured.")


def pooled_parabola(curve: pd.DataFrame, rows: pd.DataFrame, *, y: str, title: str, source: str) -> Figure:
    """Several families by size, a line each, and one parabola through those chosen (for `explore`).

    curve: `story.boundary.parabola`, with the column of the input; rows: family, params_b and y of every family.
    """
    shown, axes = rows[["model", "family", "params_b", y]], (size_scale("params_b"), forms.score(y))
    family = forms.by("family", sorted(rows["family"].unique()))
    chart = alt.layer(
        trace(shown, *axes, colour=family["colour"], opacity=0.6),
        dots(shown, *axes, size=70, **family),
        trace(curve, axes[0], "fitted:Q", strokeDash=[6, 4]),
        alt.Chart(curve.dropna(subset=["turn"])).mark_rule(color=MUTED).encode(x=size_scale("turn")),
    )
    caption = "Dashed: the parabola through the chosen models. Upright line: its lowest point, where it has one."
    return figure(chart, "pooled-parabola", title, source, len(rows), caption, height=300)
