"""Two shapes that many figures share: intervals with their points beside a rule, and a line with its band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.frame import INK

ROW_HEIGHT = 24


def forest(
    rows: pd.DataFrame,
    y: alt.Y,
    x: alt.X,
    *,
    colour: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    rule: float | None = 0.0,
) -> Any:
    """One row a line: its interval first, then its point, beside a rule.

    rows: columns estimate, low, high (in the unit of x) and that of `y`; a missing interval draws none, an end beyond
    the domain of x stops at its edge.  x: axis of "estimate".  rule: where the rule stands; None draws none.
    """
    known = rows[["low", "high"]].notna().all(axis=1)
    layers = [] if rule is None else [alt.Chart(pd.DataFrame({"at": [rule]})).mark_rule(color=INK).encode(x="at:Q")]
    if known.any():
        bars = alt.Chart(rows if known.all() else rows[known]).encode(y=y, color=colour)
        layers.append(bars.mark_rule(strokeWidth=5, opacity=0.5, clip=True).encode(x=_of(x, "low"), x2="high:Q"))
    points = alt.Chart(rows).encode(y=y, color=colour).mark_point(filled=True, size=90, opacity=1)
    layers.append(points.encode(x=x, tooltip=list(tooltip)))
    asked: Any = y.to_dict()
    return alt.layer(*layers).properties(height=ROW_HEIGHT * rows[asked["field"]].nunique())


def band(
    rows: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    *,
    colour: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    point: bool = False,
) -> Any:
    """A line through "estimate" with the band from "low" to "high" behind it.

    rows: columns of x, estimate, low, high;  y: axis of "estimate";  point: with a point at each row.
    """
    base = alt.Chart(rows).encode(x=x, color=colour)
    area = base.mark_area(opacity=0.2).encode(y=_of(y, "low"), y2="high:Q")
    return alt.layer(area, base.mark_line(point=point).encode(y=y, tooltip=list(tooltip)))


def _of(axis: Any, column: str) -> Any:
    """The same axis for another column."""
    return type(axis).from_dict(axis.to_dict() | {"field": column})
