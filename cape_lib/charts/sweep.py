"""Figures of a sweep: every family small, on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.axes import phase_colour
from cape_lib.charts.frame import INK, PAPER, Figure, figure
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis


def small_multiples(
    steps: pd.DataFrame,
    *,
    x: str,
    y: str,
    families: Sequence[str],
    total: int,
    name: str,
    along: Axis = PARAMS,
) -> Figure:
    """One small plane a family, all on the same axes, each step in the colour of its phase.

    steps: one row a step with family, smaller, larger, x_from, y_from, x_to, y_to (percent), phase, gamma; families: to
    draw, in this order; total: families in the sweep; along: the axis of the steps.
    """
    up, ends = ("up in size", "from the smallest to the largest size") if along.by_size else ("", "from first to last")
    up = up or f"along {along.noun}"
    shown = steps[steps["family"].isin(families)]
    low_x, high_x = float(shown[["x_from", "x_to"]].min().min()), float(shown[["x_from", "x_to"]].max().max())
    low_y, high_y = float(shown[["y_from", "y_to"]].min().min()), float(shown[["y_from", "y_to"]].max().max())
    alike = _plane([low_x, high_x], [low_y, high_y])
    views: list[Any] = [
        alike.properties(data=rows, title=alt.Title(str(family), fontSize=11, anchor="start"))
        for family, rows in ((family, shown[shown["family"] == family]) for family in families)
    ]
    down = int((shown["gamma"] < 0).sum())
    more = f" ({total - len(families)} more in the table)" if total > len(families) else ""
    return figure(
        views,
        title=f"{label(y)} falls in {down} of {len(shown)} steps {up}, over {len(families)} families{more}",
        alt=(
            f"{len(families)} small charts, one a family, all with {label(x)} across and {label(y)} upwards; each line "
            f"goes {ends}, orange where {label(y)} falls as {label(x)} rises, green "
            f"where both rise. {down} of {len(shown)} steps fall."
        ),
        source="the scores of the sweep",
        n=f"{len(families)} families, {len(shown)} steps",
        name=name,
        rows=shown if along.by_size else shown.rename(columns={"smaller": "first", "larger": "last"}),
        caption=(
            f"{label(x)} (%) across, {label(y)} (%) upwards, {ends}. Vermilion: tax, grey: transition, green: bonus."
        ),
    )


def _plane(x: list[float], y: list[float]) -> Any:
    """The chart of any family, without its rows: a rule a step, a point at each end; x, y: from and to, percent."""

    def axis(kind: Any, column: str, domain: list[float]) -> Any:
        scale = alt.Scale(domain=domain, nice=True, zero=False)
        return kind(f"{column}:Q", scale=scale, title=None, axis=alt.Axis(tickCount=3, labelFontSize=9))

    ends = [alt.Tooltip("smaller:N", title="from"), alt.Tooltip("larger:N", title="to")]
    tooltip = [*ends, alt.Tooltip("gamma:Q", format=".2f"), "phase:N"]
    base = alt.Chart().encode(x=axis(alt.X, "x_from", x), y=axis(alt.Y, "y_from", y))
    lines = base.mark_rule(strokeWidth=2.5).encode(
        x2="x_to", y2="y_to", color=phase_colour(legend=False), tooltip=tooltip
    )
    look: dict[str, Any] = {"filled": True, "size": 18, "fill": PAPER, "stroke": INK, "opacity": 1}
    dots = [alt.Chart().mark_point(**look).encode(x=f"x_{end}:Q", y=f"y_{end}:Q") for end in ("from", "to")]
    return alt.layer(lines, *dots).properties(height=120)
