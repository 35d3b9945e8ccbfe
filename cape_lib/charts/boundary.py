"""Figures of chapter 2: where the coupling turns, by which estimator; what isocline and dynamics predict."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.boundary import isocline
from cape_lib.base.coupling import FamilyModel
from cape_lib.charts.axes import (
    COLUMNS,
    across,
    axis_scale,
    colours,
    phase_colour,
    rounded,
    row_names,
    score,
    shapes,
    sides,
    size_scale,
    upright,
)
from cape_lib.charts.forest import ALL, HOLLOW, band, dots, forest, line_at, trace
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import BLUE, INK, MUTED
from cape_lib.tables import label, marks
from cape_lib.tables.axes import PARAMS, Axis

LEFT_OUT = "one family left out"
#: The sizes that an axis of critical scales shows (billions); a bar stops at its ends.
LEAST, MOST = 0.03, 400.0


def score_by_size(ladder: pd.DataFrame, scales: pd.DataFrame, *, y: str, source: str, along: Axis = PARAMS) -> Figure:
    """One family's score against size, with the boundary of each estimator where its sizes hold one.

    ladder: model, params_b, y, low and high (score noise);  scales: `boundary.critical_scales`; along: the axis of
    both.
    """
    x, up = axis_scale(along), score(y)
    layers = [
        band(ladder, x, up, colour=alt.value(INK), opacity=0.35, bars=True),
        dots(ladder, x, up, tooltip=["model", along.column, *rounded(".1f", y)], size=70, **HOLLOW),
    ]
    inside = scales.dropna(subset=["n_c_b"])
    if len(inside):
        turn = alt.Tooltip("n_c_b:Q", format=".2f", title="n_c_b" if along.by_size else along.column)
        turns = alt.Chart(inside).mark_rule(strokeDash=[5, 3], strokeWidth=2)
        layers.append(
            turns.encode(
                x=axis_scale(along, "n_c_b"),
                color=colours("estimator", scales["estimator"], title="estimator"),
                tooltip=["estimator", turn, "verdict", "reason"],
            )
        )
    family = str(ladder["family"].iloc[0])
    sure = int((scales["verdict"] == "boundary").sum())
    title = f"{len(inside)} of {len(scales)} estimators place a turn inside the {along.points} of {family}"
    return figure(
        alt.layer(*layers).properties(height=320),
        title=f"{title}, {sure} with confidence"
        if len(inside)
        else f"No estimator finds a turn inside the {along.points} of {family}",
        alt=f"{label(y)} of {family} against {'size' if along.by_size else along.noun} with score noise; dashed lines "
        "where an estimator places the turn.",
        source=source,
        n=len(ladder),
        name="score-by-size" if along.by_size else "score-along",
        caption="Bars: 95 % score noise. Dashed: where an estimator places the turn.",
    )


def critical_scales(table: pd.DataFrame, *, source: str) -> Figure:
    """The four estimators for every family: one row a family, one mark an estimator.

    table: `boundary.critical_scales` of each ladder, column ladder.
    """
    shown = table.dropna(subset=["n_c_b"])
    order = list(table.groupby("ladder")["raw_b"].median().sort_values().index)
    estimators = list(table["estimator"].unique())
    sure = int((table["verdict"] == "boundary").sum())
    return figure(
        forest(
            shown,
            row_names("ladder", order).scale(domain=order),
            size_scale("n_c_b", low=LEAST, high=MOST),
            colour=colours("estimator", estimators, columns=2),
            shape=shapes("estimator", estimators),
            offset=sides("estimator", estimators),
            tooltip=["ladder", "estimator", *rounded(".2f", "n_c_b"), "low", "high", "verdict", "reason"],
            rule=None,
        ).properties(height=11 * len(order) * len(estimators)),
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
    methods = [method for method in table["method"] if method != LEFT_OUT]
    family, n = table[table["method"] == LEFT_OUT].iloc[0], int(table["n"].max())
    return figure(
        forest(
            table,
            row_names("method", limit=240),
            size_scale("n_c_b", low=LEAST, high=MOST),
            colour=alt.value(INK),
            tooltip=["method", *rounded(".2f", "n_c_b"), "low", "high", *rounded(".0%", "share"), "reason"],
            rule=published,
            dashed=True,
            height=34,
        ),
        title=f"Leave one family out, and the vertex lies between {family['low']:.2g} and {family['high']:.2g} B",
        alt="The vertex of the quadratic with its 95 percent interval under each kind of doubt.",
        source=source,
        n=f"{n} models of {int(table['families'].max())} families",
        name="vertex-doubt",
        rows=table,
        caption="Dashed: as published. A bar that reaches the edge goes on beyond it. "
        + "".join(f"No bar for {row.method}: {row.reason}. " for row in table[table["low"].isna()].itertuples())
        + f"Bars: {marks('pooled vertex', methods, n=n)}, but the range with one family left out.",
    )


def all_families(model: FamilyModel, *, tokens_b: Sequence[float], source: str) -> Figure:
    """Expected gamma over all families by size, one band for each amount of training tokens, with the zero line.

    model: `coupling.family_model` on size and tokens; tokens_b: billions.
    """
    rows = []
    for tokens in tokens_b:
        for size in np.geomspace(0.1, 100.0, 40):
            gamma = model.gamma(float(size), tokens_b=float(tokens))
            rows.append((f"{tokens:,.0f} B tokens", float(size), gamma.estimate, gamma.low, gamma.high))
    table = pd.DataFrame(rows, columns=["tokens", "params_b", "estimate", "low", "high"])
    drawn = band(
        table,
        size_scale("params_b", low=0.1, high=100.0),
        upright("estimate", "expected gamma12"),
        colour=colours("tokens", table["tokens"].unique(), title="trained on"),
        tooltip=["tokens", *rounded(".2f", "params_b", "estimate", "low", "high")],
    )
    scale = model.critical_scale()
    ends = f"[{scale.low:.2g}, {scale.high:.2g}]" if np.isfinite(scale.high) else f"[{scale.low:.2g}, no upper end]"
    return figure(
        alt.layer(line_at(0, "y"), drawn).properties(height=300),
        title=f"Over all families gamma turns upwards at {scale.estimate:.2g} B {ends}, and families lie far apart",
        alt="Expected local coupling by size over all families, a band for each amount of training tokens.",
        source=source,
        n=f"{model.steps} steps of {model.families} families",
        name="all-families",
        rows=table,
        caption="Bands: 95 % of the posterior of the mean over families. One family lies above or below by "
        f"{model.spread().estimate:.2f} (standard deviation).",
    )


def isocline_plane(rows: pd.DataFrame, *, name: str, source: str) -> Figure:
    """Models at the start of an interval in the plane of both scores, with the isocline (for `explore` over a/b).

    rows: `boundary.classify` with columns x, y, gamma, phase and the slider's column `name` (a/b).
    """
    # The scales are fixed over all values of the slider, so that only the curve moves; it leaves through the floor.
    wide, tall = [[float(rows[c].min()) - 3, float(rows[c].max()) + 3] for c in ("x", "y")]
    grid = np.linspace(max(wide[0], 0.0), wide[1], 40)
    curves = [pd.DataFrame({"x": grid, "y": isocline(grid, ratio), name: ratio}) for ratio in rows[name].unique()]
    x, y = across("x", "reasoning (%)", wide), upright("y", "truthfulness (%)", tall)
    tooltip = ["ladder", "smaller", "larger", *rounded(".2f", "gamma"), "above"]
    first = rows[rows[name] == rows[name].iloc[0]]
    below, above = first[~first["above"]], first[first["above"]]
    return figure(
        alt.layer(
            trace(pd.concat(curves, ignore_index=True), x, y, clip=True),
            dots(rows, x, y, colour=phase_colour(), tooltip=tooltip, opacity=0.9),
        ).properties(height=360),
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
    drawn = trace(
        sweep,
        across("ratio", "a/b", zero=False),
        upright("share", "share of signs right", [0, 1], percent=True),
        colour=alt.Color("reading:N", title=None, legend=alt.Legend(columns=COLUMNS)),
        dash=alt.StrokeDash("reading:N", title=None),
        tooltip=["ratio", "reading", "right", "n"],
    )
    best = sweep[sweep["reading"] == "stated"]["right"].max()
    flat = int(sweep[sweep["reading"] == "always negative"]["right"].iloc[0])
    verdict = "never beats" if best <= flat else "beats"
    return figure(
        alt.layer(line_at(published, "x", colour=MUTED, dashed=True), drawn).properties(height=260),
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
    measured, curves = table[table["kind"] == "measured"], table[table["kind"] != "measured"]
    x, up = size_scale("params_b"), score("value", y)
    method, dash = alt.Color("kind:N", title="method"), alt.StrokeDash("kind:N")
    tooltip = ["kind", "params_b", *rounded(".1f", "value")]
    return figure(
        alt.layer(
            trace(curves, x, up, colour=method, dash=dash, tooltip=tooltip),
            dots(measured, x, up, tooltip=["params_b", "value"], size=70, **HOLLOW),
        ).properties(height=320),
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
    names, x = row_names("method", order), across("mape", "error (%), beyond 40 at the edge", [0, 40], clamp=True)
    tooltip = ["ladder", "method", *rounded(".1f", "mape")]
    each = forest(table, names, x, colour=alt.value(BLUE), tooltip=tooltip, rule=None, hollow=ALL, height=26)
    middle = alt.Chart(table).mark_tick(thickness=3, size=22, color=INK).encode(x="median(mape):Q", y=names)
    return figure(
        alt.layer(each, middle),
        title=f"On families left out, the smallest median error is that of {order[0]}",
        alt="Error of each forecasting method on each left-out family; the tick is the median.",
        source=source,
        n=f"{table['ladder'].nunique()} families left out in turn",
        name="hold-out",
        caption="Tick: the median over families.",
    )


def pooled_parabola(curve: pd.DataFrame, rows: pd.DataFrame, *, y: str, title: str, source: str) -> Figure:
    """Several families by size, a line each, and one parabola through those chosen (for `explore`).

    curve: `story.boundary.parabola`, with the column of the input; rows: family, params_b and y of every family.
    """
    names = sorted(rows["family"].unique())
    shown = rows[["model", "family", "params_b", y]]
    x, up, family = size_scale("params_b"), score(y), colours("family", names)
    shape, tooltip = shapes("family", names), ["model", "params_b", y]
    turn = alt.Chart(curve.dropna(subset=["turn"])).mark_rule(color=MUTED).encode(x=size_scale("turn"))
    return figure(
        alt.layer(
            trace(shown, x, up, colour=family, opacity=0.6),
            dots(shown, x, up, colour=family, shape=shape, tooltip=tooltip, size=70),
            trace(curve, x, "fitted:Q", strokeDash=[6, 4]),
            turn,
        ).properties(height=300),
        title=title,
        alt=f"{label(y)} by size for {len(names)} families, and a parabola through those chosen with its lowest point.",
        source=source,
        n=len(rows),
        name="pooled-parabola",
        caption="Dashed: the parabola through the chosen models. Upright line: its lowest point, where it has one.",
    )
