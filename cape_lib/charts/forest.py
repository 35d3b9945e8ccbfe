"""Shapes that many figures share: intervals with their points beside a rule, a line with its band, a rule alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.axes import same_axis
from cape_lib.charts.frame import INK

ROW_HEIGHT = 24
#: Every point of a forest hollow: many of them lie on each other.
ALL = "true"


def forest(
    rows: pd.DataFrame,
    y: alt.Y,
    x: alt.X,
    *,
    colour: Any = alt.Undefined,
    shape: Any = alt.Undefined,
    offset: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    rule: float | None = 0.0,
    dashed: bool = False,
    hollow: str = "",
    bars: pd.DataFrame | None = None,
    height: float = ROW_HEIGHT,
) -> Any:
    """One row a line: its interval first, then its point, beside a rule.

    rows: column of x (in most figures "estimate"), that of `y`, and low, high (in the unit of x; both may be left
    out); a missing interval draws none, an end beyond the domain of x stops at its edge.  offset: several marks in a
    row.  rule: where the rule stands; None draws none.  hollow: a Vega expression, true of points that are drawn
    hollow.  bars: the intervals, where a row may have none or two (no row of it: no interval): low, high and the
    columns of `y` and `colour`.
    height: of a row, pixels.
    """
    asked: Any = y.to_dict()
    names = list(dict.fromkeys(rows[asked["field"]]))
    if asked.get("sort") is None:  # rows without an interval are not to change the order of the others
        y = alt.Y.from_dict(asked | {"sort": names})
    layers = [] if rule is None else [line_at(rule, "x", dashed=dashed)]
    ends = rows if bars is None else bars
    if {"low", "high"} <= set(ends.columns) and ends[["low", "high"]].notna().all(axis=1).any():
        known = alt.Chart(_inside(ends, x)).encode(y=y, yOffset=offset, color=colour)
        layers.append(known.mark_rule(strokeWidth=5, opacity=0.5).encode(x=same_axis(x, "low"), x2="high:Q"))
    points = alt.Chart(rows).encode(x=x, y=y, yOffset=offset, color=colour, shape=shape, tooltip=list(tooltip))
    if hollow != ALL:
        full = points.transform_filter(f"!({hollow})") if hollow else points
        layers.append(full.mark_point(filled=True, size=80, opacity=1))
    if hollow:
        some = points.transform_filter(hollow) if hollow != ALL else points
        layers.append(some.mark_point(filled=False, size=70, opacity=1))
    return alt.layer(*layers).properties(height=height * len(names))


def band(
    rows: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    *,
    colour: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    point: bool = False,
    opacity: float = 0.2,
) -> Any:
    """A line through "estimate" with the band from "low" to "high" behind it.

    rows: columns of x, estimate, low, high;  y: axis of "estimate";  point: with a point at each row;
    opacity: of the band.
    """
    base = alt.Chart(rows).encode(x=x, color=colour)
    area = base.mark_area(opacity=opacity).encode(y=same_axis(y, "low"), y2="high:Q")
    return alt.layer(area, base.mark_line(point=point).encode(y=y, tooltip=list(tooltip)))


def line_at(value: Any, axis: str, *, colour: str = INK, dashed: bool = False, kind: str = "Q") -> Any:
    """A straight line across the plot at a value of an axis, "x" or "y"; kind: "T" of a date."""
    dash = [4, 3] if dashed else [1, 0]
    table = pd.DataFrame({"at": [value]})
    return alt.Chart(table).mark_rule(color=colour, strokeDash=dash).encode(**{axis: f"at:{kind}"})


def _inside(rows: pd.DataFrame, x: alt.X) -> pd.DataFrame:
    """The rows that have an interval, its ends moved to the domain of x where they lie beyond."""
    known = rows.dropna(subset=["low", "high"])
    asked: Any = x.to_dict()
    edges = asked.get("scale", {}).get("domain")
    if edges is None or (known["low"].min() >= edges[0] and known["high"].max() <= edges[1]):
        return known if len(known) < len(rows) else rows
    return known.assign(low=known["low"].clip(*edges), high=known["high"].clip(*edges))
