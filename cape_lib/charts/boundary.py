"""Figures of chapter 2: where the coupling turns, by which estimator; what isocline and dynamics predict."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.boundary import isocline
from cape_lib.base.coupling import FamilyModel
from cape_lib.charts import forms
from cape_lib.charts.forms import HOLLOW, band, colours, dots, forest, line_at, same_axis, size_scale, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import INK, MUTED
from cape_lib.story.answer import verb
from cape_lib.story.boundary import at_tokens, turn
from cape_lib.tables import mark
from cape_lib.tables.axes import PARAMS, Axis

#: The sizes that an axis of critical scales shows (billions); a bar stops at its ends.
LEAST, MOST = 0.03, 400.0


def score_by_size(ladder: pd.DataFrame, scales: pd.DataFrame, *, y: str, source: str, along: Axis = PARAMS) -> Figure:
    """One family's score against size, with the boundary of each estimator where its sizes hold one.

    ladder: model, params_b, y, low and high (score noise);  scales: `boundary.critical_scales`; along: the axis of
    both.
    """
    axes = forms.axis_scale(along, ladder), forms.score(y)
    chart = alt.layer(
        band(ladder, *axes, colour=alt.value(INK), opacity=0.35, bars=True), dots(ladder, *axes, size=70, **HOLLOW)
    )
    caption = ["Bars: 95 % score noise."] if ladder["low"].notna().any() else []
    inside = scales.dropna(subset=["n_c_b"])
    if len(inside):
        turns = alt.Chart(inside).mark_rule(strokeDash=[5, 3], strokeWidth=2)
        size = alt.Tooltip("n_c_b", format=".2f", title=along.column)
        chart += turns.encode(
            x=same_axis(axes[0], "n_c_b"),
            color=colours("estimator", scales["estimator"], title="estimator"),
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
    sure = int((table["verdict"] == "boundary").sum())
    return figure(
        forest(shown, rows, x, **forms.by("estimator", estimators), apart="estimator", tooltip="verdict reason"),
        "critical-scales",
        f"{len(shown)} of {len(table)} estimates lie inside the sizes; {sure} of them hold up to score noise",
        source,
        f"{table['ladder'].nunique()} families",
        "No mark: that estimator finds no turn inside the family's sizes. Bars: 95 % of score-noise draws, "
        f"wider where the curve fits badly: {mark('critical scales', *estimators)}.",
        rows=table,
        height=44 * len(order),
    )


def all_families(model: FamilyModel, *, tokens_b: Sequence[float], source: str) -> Figure:
    """Expected gamma over all families by size, a line for each amount of training tokens, with the zero line.

    model: `coupling.family_model` on size and tokens; tokens_b: billions, beside the amount that the turn is told for,
    which has a band.
    """
    middle = at_tokens(model)
    grid = [(tokens, size) for tokens in sorted({*map(float, tokens_b), middle}) for size in np.geomspace(0.1, 100, 40)]
    gammas = [model.gamma(size, tokens_b=tokens) for tokens, size in grid]
    table = pd.DataFrame(
        [(gamma.estimate, gamma.low, gamma.high) for gamma in gammas], columns=["estimate", "low", "high"]
    )
    table = table.assign(tokens=[f"{tokens:,.0f} B tokens" for tokens, _ in grid], params_b=[size for _, size in grid])
    colour = colours("tokens", table["tokens"].unique(), title="trained on")
    axes = size_scale("params_b", low=0.1, high=100.0), upright("estimate", "expected gamma")
    banded = pd.Series([tokens == middle for tokens, _ in grid])
    lines = trace(table[~banded], *axes, colour=colour), band(table[banded], *axes, colour=colour)
    first = turn(model).partition(";")[0]
    return figure(
        alt.layer(line_at(0, "y"), *lines),
        "all-families",
        f"{first[0].upper()}{first[1:]}",
        source,
        f"{model.steps} steps of {model.families} families",
        f"Band: 95 % for the mean over families at {middle:,.0f} B tokens; losses end where a line crosses zero. One "
        f"family lies above or below by {model.spread().estimate:.2f} (standard deviation).",
        rows=table,
        height=300,
    )


def isocline_plane(rows: pd.DataFrame, *, name: str, source: str) -> Figure:
    """Models at the start of an interval in the plane of both scores, with the isocline (for `explore` over a/b).

    rows: `boundary.classify` with columns x, y, gamma, phase and the slider's column `name` (a/b).
    """
    # The scales are fixed over all values of the slider, so that only the curve moves; it leaves through the floor.
    wide, tall = [[float(rows[c].min()) - 3, float(rows[c].max()) + 3] for c in ("x", "y")]
    grid = np.linspace(max(wide[0], 0.0), wide[1], 40)
    curves = [pd.DataFrame({"x": grid, "y": isocline(grid, ratio), name: ratio}) for ratio in rows[name].unique()]
    axes = forms.across("x", "reasoning (%)", wide), upright("y", "truthfulness (%)", tall)
    points = dots(rows, *axes, colour=forms.phase_colour(), tooltip="smaller larger gamma above", opacity=0.9)
    first = rows[rows[name] == rows[name].iloc[0]]
    below, above = first[~first["above"]], first[first["above"]]
    title = (
        f"At a/b = {first[name].iloc[0]:g} {int((above['gamma'] < 0).sum())} of {len(above)} next steps above "
        f"the curve are negative, below it {int((below['gamma'] < 0).sum())} of {len(below)}"
    )
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
    chart = lines + dots(measured, *axes, size=70, **HOLLOW)
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
