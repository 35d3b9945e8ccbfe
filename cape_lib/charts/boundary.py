"""Figures of chapter 2: where the coupling turns, by which estimator; what isocline and dynamics predict."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.boundary import isocline
from cape_lib.base.coupling import FamilyModel
from cape_lib.charts.axes import COLUMNS, axis_scale, phase_colour, size_scale
from cape_lib.charts.forest import band
from cape_lib.charts.frame import INK, MUTED, PALETTE, PAPER, Figure, figure
from cape_lib.tables import label, marks
from cape_lib.tables.axes import PARAMS, Axis

LEFT_OUT = "one family left out"


def score_by_size(
    ladder: pd.DataFrame, scales: pd.DataFrame, *, y: str, source: str, along: Axis = PARAMS
) -> Figure:
    """One family's score against size, with the boundary of each estimator where its sizes hold one.

    ladder: model, params_b, y and optionally sd (score noise, points);  scales: `boundary.critical_scales`; along: the
    axis of both.
    """
    base = alt.Chart(ladder).encode(x=axis_scale(along))
    bars = base.mark_rule(color=MUTED, opacity=0.6).encode(y="low:Q", y2="high:Q")
    y_axis = alt.Y(f"{y}:Q", scale=alt.Scale(zero=False), title=f"{label(y)} (%)")
    line = base.mark_line(color=INK, strokeWidth=1.5).encode(y=y_axis)
    points = base.mark_point(filled=True, fill=PAPER, stroke=INK, size=70, opacity=1).encode(
        y=y_axis, tooltip=["model", along.column, alt.Tooltip(f"{y}:Q", format=".1f")]
    )
    inside = scales.dropna(subset=["n_c_b"])
    turn = alt.Tooltip("n_c_b:Q", format=".2f", **({} if along.by_size else {"title": along.column}))
    rules = (
        alt.Chart(inside)
        .mark_rule(strokeDash=[5, 3], strokeWidth=2)
        .encode(
            x=axis_scale(along, "n_c_b"),
            color=alt.Color(
                "estimator:N", scale=alt.Scale(domain=list(scales["estimator"]), range=PALETTE), title="estimator"
            ),
            tooltip=["estimator", turn, "verdict", "reason"],
        )
    )
    family = str(ladder["family"].iloc[0])
    sure = int((scales["verdict"] == "boundary").sum())
    found = f"{len(inside)} of {len(scales)} estimators place a turn inside the {along.points} of {family}"
    against = "size" if along.by_size else along.noun
    return figure(
        alt.layer(
            *([bars] if ladder["low"].notna().any() else []), line, points, *([rules] if len(inside) else [])
        ).properties(height=320),
        title=f"{found}, {sure} with confidence"
        if len(inside)
        else f"No estimator finds a turn inside the {along.points} of {family}",
        alt=f"{label(y)} of {family} against {against} with score noise; dashed lines where an estimator places the "
        "turn.",
        source=source,
        n=len(ladder),
        name="score-by-size" if along.by_size else "score-along",
        caption="Bars: 95 % score noise. Dashed: where an estimator places the turn.",
    )


def critical_scales(table: pd.DataFrame, *, source: str) -> Figure:
    """The four estimators for every family: one row a family, one mark an estimator.

    table: `boundary.critical_scales` of each ladder, column ladder.
    """
    shown = table.dropna(subset=["n_c_b"]).assign(
        low_shown=lambda rows: rows["low"].clip(lower=0.03), high_shown=lambda rows: rows["high"].clip(upper=400)
    )
    order = list(table.groupby("ladder")["raw_b"].median().sort_values().index)
    estimators = list(table["estimator"].unique())
    scale = alt.Scale(domain=estimators, range=PALETTE)
    base = alt.Chart(shown).encode(
        y=alt.Y("ladder:N", sort=order, title=None, scale=alt.Scale(domain=order)),
        yOffset=alt.YOffset("estimator:N", sort=estimators, scale=alt.Scale(domain=estimators)),
        color=alt.Color("estimator:N", scale=scale, title=None, legend=alt.Legend(columns=2)),
    )
    bars = base.mark_rule(strokeWidth=3, opacity=0.4).encode(
        x=size_scale("low_shown", low=0.03, high=400), x2="high_shown:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=size_scale("n_c_b", low=0.03, high=400),
        shape=alt.Shape("estimator:N", scale=alt.Scale(domain=estimators), title=None),
        tooltip=["ladder", "estimator", alt.Tooltip("n_c_b:Q", format=".2f"), "low", "high", "verdict", "reason"],
    )
    sure = int((table["verdict"] == "boundary").sum())
    return figure(
        alt.layer(bars, points).properties(height=11 * len(order) * len(estimators)),
        title=f"{len(shown)} of {len(table)} estimates lie inside the sizes; {sure} of them hold up to score noise",
        alt="Critical scale of each family by four estimators, each with its 95 percent interval from score noise.",
        source=source,
        n=f"{table['ladder'].nunique()} families",
        name="critical-scales",
        rows=table,
        caption="No mark: that estimator finds no turn inside the family's sizes. Bars: 95 % of score-noise draws, "
        f"wider where the curve fits badly: {marks('critical scales', estimators)}.",
    )


def vertex_doubt(table: pd.DataFrame, *, published: float, source: str) -> Figure:
    """The vertex of the quadratic with its interval under each kind of doubt.

    table: `boundary.vertex_intervals`;  published: the paper's value in billions.
    """
    shown = table.assign(low_shown=table["low"].clip(lower=0.03), high_shown=table["high"].clip(upper=400))
    order = list(table["method"])
    y = alt.Y("method:N", sort=order, title=None, axis=alt.Axis(labelLimit=240))
    tooltip = [
        "method",
        alt.Tooltip("n_c_b:Q", format=".2f"),
        "low",
        "high",
        alt.Tooltip("share:Q", format=".0%"),
        "reason",
    ]
    bars = (
        alt.Chart(shown.dropna(subset=["low"]))
        .mark_rule(strokeWidth=5, opacity=0.4)
        .encode(x=size_scale("low_shown", low=0.03, high=400), x2="high_shown:Q", y=y, tooltip=tooltip)
    )
    points = (
        alt.Chart(shown.dropna(subset=["n_c_b"]))
        .mark_point(filled=True, size=90, opacity=1, color=INK)
        .encode(x=size_scale("n_c_b", low=0.03, high=400), y=y, tooltip=tooltip)
    )
    rule = (
        alt.Chart(pd.DataFrame({"b": [published]}))
        .mark_rule(strokeDash=[4, 3], color=MUTED)
        .encode(x=size_scale("b", low=0.03, high=400))
    )
    family = table[table["method"] == LEFT_OUT].iloc[0]
    return figure(
        alt.layer(rule, bars, points).properties(height=34 * shown["method"].nunique()),
        title=f"Leave one family out, and the vertex lies between {family['low']:.2g} and {family['high']:.2g} B",
        alt="The vertex of the quadratic with its 95 percent interval under each kind of doubt.",
        source=source,
        n=f"{int(table['n'].max())} models of {int(table['families'].max())} families",
        name="vertex-doubt",
        rows=table,
        caption="Dashed: as published. A bar that reaches the edge goes on beyond it. "
        + "".join(f"No bar for {row.method}: {row.reason}. " for row in shown[shown["low"].isna()].itertuples())
        + f"Bars: {marks('pooled vertex', [m for m in order if m != LEFT_OUT], n=int(table['n'].max()))}, "
        + "but the range with one family left out.",
    )


def all_families(model: FamilyModel, *, tokens_b: Sequence[float], source: str) -> Figure:
    """Expected gamma over all families by size, one band for each amount of training tokens, with the zero line.

    model: `coupling.family_model` on size and tokens; tokens_b: billions.
    """
    sizes = np.geomspace(0.1, 100.0, 40)
    rows = []
    for tokens in tokens_b:
        for size in sizes:
            gamma = model.gamma(float(size), tokens_b=float(tokens))
            rows.append((f"{tokens:,.0f} B tokens", float(size), gamma.estimate, gamma.low, gamma.high))
    table = pd.DataFrame(rows, columns=["tokens", "params_b", "estimate", "low", "high"])
    order = list(dict.fromkeys(table["tokens"]))
    colour = alt.Color("tokens:N", title="trained on", sort=order, scale=alt.Scale(domain=order, range=PALETTE))
    tooltip = ["tokens", *(alt.Tooltip(f"{c}:Q", format=".2f") for c in ("params_b", "estimate", "low", "high"))]
    across, up = size_scale("params_b", low=0.1, high=100.0), alt.Y("estimate:Q", title="expected gamma12")
    drawn = band(table, across, up, colour=colour, tooltip=tooltip)
    zero = alt.Chart(pd.DataFrame({"estimate": [0.0]})).mark_rule(color=INK).encode(y="estimate:Q")
    scale = model.critical_scale()
    ends = f"[{scale.low:.2g}, {scale.high:.2g}]" if np.isfinite(scale.high) else f"[{scale.low:.2g}, no upper end]"
    return figure(
        alt.layer(zero, drawn).properties(height=300),
        title=f"Over all families gamma turns upwards at {scale.estimate:.2g} B {ends}, and families lie far apart",
        alt="Expected local coupling by size over all families, a band for each amount of training tokens.",
        source=source,
        n=f"{model.steps} steps of {model.families} families",
        name="all-families",
        rows=table,
        caption="Bands: 95 % of the posterior of the mean over families. One family lies above or below by "
        f"{model.spread()[0].estimate:.2f} (standard deviation).",
    )


def isocline_plane(rows: pd.DataFrame, *, name: str, source: str) -> Figure:
    """Models at the start of an interval in the plane of both scores, with the isocline (for `explore` over a/b).

    rows: `boundary.classify` with columns x, y, gamma, phase and the slider's column `name` (a/b).
    """
    # The scales are fixed over all values of the slider, so that only the curve moves.
    wide, tall = [[float(rows[c].min()) - 3, float(rows[c].max()) + 3] for c in ("x", "y")]
    grid = np.linspace(max(wide[0], 0.0), wide[1], 40)
    curves = pd.concat(
        [pd.DataFrame({"x": grid, "curve": isocline(grid, ratio), name: ratio}) for ratio in rows[name].unique()],
        ignore_index=True,
    )
    points = (
        alt.Chart(rows)
        .mark_point(filled=True, size=65, opacity=0.9)
        .encode(
            x=alt.X("x:Q", scale=alt.Scale(domain=wide), title="reasoning (%)"),
            y=alt.Y("y:Q", scale=alt.Scale(domain=tall), title="truthfulness (%)"),
            color=phase_colour(),
            tooltip=["ladder", "smaller", "larger", alt.Tooltip("gamma:Q", format=".2f"), "above"],
        )
    )
    line = (
        alt.Chart(curves)
        .mark_line(color=INK)
        .encode(x="x:Q", y=alt.Y("curve:Q", scale=alt.Scale(domain=tall, clamp=True)))
    )
    first = rows[rows[name] == rows[name].iloc[0]]
    below, above = first[~first["above"]], first[first["above"]]
    return figure(
        alt.layer(line, points).properties(height=360),
        title=f"At a/b = {first[name].iloc[0]:g} {int((above['gamma'] < 0).sum())} of {len(above)} next steps above "
        f"the curve are negative, below it {int((below['gamma'] < 0).sum())} of {len(below)}",
        alt="Models in the plane of both scores, coloured by the phase of their next step, with the isocline.",
        source=source,
        n=f"{len(first)} steps in size",
        name="isocline-plane",
    )


def readings_by_ratio(sweep: pd.DataFrame, *, published: float, source: str) -> Figure:
    """Right signs for every value of a/b in both readings of the isocline and for the guess that ignores it.

    sweep: `boundary.ratio_sweep`.
    """
    lines = (
        alt.Chart(sweep)
        .mark_line()
        .encode(
            x=alt.X("ratio:Q", scale=alt.Scale(zero=False), title="a/b"),
            y=alt.Y("share:Q", title="share of signs right", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color("reading:N", title=None, legend=alt.Legend(columns=COLUMNS)),
            strokeDash=alt.StrokeDash("reading:N", title=None),
            tooltip=["ratio", "reading", "right", "n"],
        )
    )
    rule = alt.Chart(pd.DataFrame({"ratio": [published]})).mark_rule(color=MUTED, strokeDash=[4, 3]).encode(x="ratio:Q")
    best = sweep[sweep["reading"] == "stated"]["right"].max()
    flat = int(sweep[sweep["reading"] == "always negative"]["right"].iloc[0])
    verdict = "never beats" if best <= flat else "beats"
    return figure(
        alt.layer(rule, lines).properties(height=260),
        title=f"As stated, the isocline {verdict} the guess that every step is negative ({best} against {flat} right)",
        alt="Share of right signs for each a/b in the stated and reversed reading and for always negative.",
        source=source,
        n=f"{int(sweep['n'].max())} steps in size",
        name="readings-by-ratio",
        caption="Dashed: the published a/b.",
    )


def forecasts(table: pd.DataFrame, *, y: str, source: str, title: str) -> Figure:
    """Measured scores of one family and what each method forecasts.

    table: params_b, value, kind ("measured" or the method's name).
    """
    measured = table[table["kind"] == "measured"]
    base = alt.Chart(table[table["kind"] != "measured"]).encode(x=size_scale("params_b"))
    lines = base.mark_line().encode(
        y=alt.Y("value:Q", scale=alt.Scale(zero=False), title=f"{label(y)} (%)"),
        color=alt.Color("kind:N", title="method"),
        strokeDash=alt.StrokeDash("kind:N"),
        tooltip=["kind", "params_b", alt.Tooltip("value:Q", format=".1f")],
    )
    points = (
        alt.Chart(measured)
        .mark_point(filled=True, fill=PAPER, stroke=INK, size=75, opacity=1)
        .encode(x=size_scale("params_b"), y="value:Q", tooltip=["params_b", "value"])
    )
    return figure(
        alt.layer(lines, points).properties(height=320),
        title=title,
        alt=f"Measured {label(y)} by size, and the curves of each forecasting method.",
        source=source,
        n=f"{len(measured)} measured sizes",
        name="forecasts",
    )


def hold_out(table: pd.DataFrame, *, source: str) -> Figure:
    """Error of each method on families that it has not seen.

    table: `dynamics.leave_one_family_out`: ladder, method, mape (percent).
    """
    order = list(table.groupby("method")["mape"].median().sort_values().index)
    base = alt.Chart(table).encode(
        y=alt.Y("method:N", sort=order, title=None),
        x=alt.X(
            "mape:Q",
            scale=alt.Scale(domain=[0, 40], clamp=True),
            title="error (%), beyond 40 at the edge",
        ),
    )
    points = base.mark_point(filled=True, size=55, opacity=0.6).encode(
        tooltip=["ladder", "method", alt.Tooltip("mape:Q", format=".1f")]
    )
    middle = base.mark_tick(thickness=3, size=22, color=INK).encode(x="median(mape):Q")
    return figure(
        alt.layer(points, middle).properties(height=26 * len(order)),
        title=f"On families left out, the smallest median error is that of {order[0]}",
        alt="Error of each forecasting method on each left-out family; the tick is the median.",
        source=source,
        n=f"{table['ladder'].nunique()} families left out in turn",
        name="hold-out",
        caption="Tick: the median over families.",
    )
