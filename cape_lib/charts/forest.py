"""Shapes that many figures share: points, lines, intervals beside a rule, a line with its band, names beside points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.axes import same_axis
from cape_lib.charts.look import INK, PAPER

ROW_HEIGHT = 24
#: Every point of a forest hollow: many of them lie on each other.
ALL = "true"
#: A ring: what was measured, or as published.
HOLLOW: dict[str, Any] = {"fill": PAPER, "stroke": INK}
#: Inner widths of a plot in pixels, on a desk and on a phone, and the width below which the places of the phone hold.
DESK, PHONE, NARROW = 600, 290, 420
#: A letter and a line of a name, in pixels.
LETTER, LINE = 6.4, 13
#: Where a name may stand: word -> (steps to the right, steps down, how it is aligned), in the order of preference.
PLACES = {
    "right": (1.0, 0.0, "left"),
    "left": (-1.0, 0.0, "right"),
    "above": (0.0, -1.4, "center"),
    "below": (0.0, 1.4, "center"),
    "above right": (0.7, -1.0, "left"),
    "below right": (0.7, 1.0, "left"),
    "above left": (-0.7, -1.0, "right"),
    "below left": (-0.7, 1.0, "right"),
}
#: How much of a box is left of its anchor.
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}


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
    point: bool | int = False,
    opacity: float = 0.2,
    bars: bool = False,
) -> Any:
    """A line through the column of `y` with the band from "low" to "high" behind it.

    rows: columns of x, y (in most figures "estimate"), low, high;  point: as in `trace`;  opacity: of the band;
    bars: upright bars in place of the band, none where all ends are missing.
    """
    base = alt.Chart(rows).encode(x=x, color=colour)
    area = base.mark_rule(opacity=opacity, strokeWidth=3) if bars else base.mark_area(opacity=opacity)
    drawn = trace(rows, x, y, colour=colour, tooltip=tooltip, point=point)
    if rows["low"].isna().all():
        return alt.layer(drawn)
    return alt.layer(area.encode(y=same_axis(y, "low"), y2="high:Q"), drawn)


def dots(
    rows: Any,
    x: Any,
    y: Any,
    *,
    colour: Any = alt.Undefined,
    shape: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    size: Any = 65,
    opacity: float = 1,
    **mark: Any,
) -> Any:
    """One full point a row.

    shape: its encoding, or one for all;  size: pixels of area;  mark: further properties, `**HOLLOW` for rings.
    """
    look = {"filled": True, "size": size, "opacity": opacity} | mark
    shape = alt.value(shape) if isinstance(shape, str) else shape
    return alt.Chart(rows).mark_point(**look).encode(x=x, y=y, color=colour, shape=shape, tooltip=list(tooltip))


def trace(
    rows: pd.DataFrame,
    x: Any,
    y: Any,
    *,
    colour: Any = alt.Undefined,
    dash: Any = alt.Undefined,
    detail: Any = alt.Undefined,
    tooltip: Sequence[Any] = (),
    point: bool | int = False,
    **mark: Any,
) -> Any:
    """A line through the rows of each colour; point: whether with a point at each row, or its size (pixels of area)."""
    overlay = alt.OverlayMarkDef(filled=True, size=point) if point > 1 else bool(point)
    drawn = alt.Chart(rows).mark_line(point=overlay, **mark)
    return drawn.encode(x=x, y=y, color=colour, strokeDash=dash, detail=detail, tooltip=list(tooltip))


def ways(rows: Any, x: Any, y: Any, *, ends: Sequence[str], colour: Any = alt.Undefined, **mark: Any) -> Any:
    """A straight way from each row's (x, y) to its `ends`: the columns of the other x and y, or of x alone."""
    drawn = alt.Chart(rows).mark_rule(**mark).encode(x=x, y=y, x2=f"{ends[0]}:Q", color=colour)
    return drawn.encode(y2=f"{ends[1]}:Q") if len(ends) > 1 else drawn


def line_at(value: Any, axis: str, *, colour: str = INK, dashed: bool = False, kind: str = "Q", what: str = "") -> Any:
    """A straight line across the plot at a value of an axis, "x" or "y"; kind: "T" of a date;  what: its tooltip."""
    table = pd.DataFrame({"at": [value]} | ({"what": [what]} if what else {}))
    line = alt.Chart(table).mark_rule(color=colour, strokeDash=[4, 3] if dashed else [1, 0])
    return line.encode(**{axis: f"at:{kind}"} | ({"tooltip": "what:N"} if what else {}))


def _inside(rows: pd.DataFrame, x: alt.X) -> pd.DataFrame:
    """The rows that have an interval, its ends moved to the domain of x where they lie beyond."""
    known = rows.dropna(subset=["low", "high"])
    asked: Any = x.to_dict()
    edges = asked.get("scale", {}).get("domain")
    if edges is None or (known["low"].min() >= edges[0] and known["high"].max() <= edges[1]):
        return known if len(known) < len(rows) else rows
    return known.assign(low=known["low"].clip(*edges), high=known["high"].clip(*edges))


class Box(NamedTuple):
    """A name's place in pixels, from the upper left corner of the plot."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a pixel in common."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def named(
    rows: pd.DataFrame,
    x: Any,
    y: Any,
    column: str,
    *,
    height: float,
    around: Sequence[pd.DataFrame] = (),
    by: str = "",
    always: int = 0,
    gap: float = 8.0,
    opacity: Any = alt.Undefined,
    **mark: Any,
) -> list[Any]:
    """Text layers with the names of points, each where there is room; one without room is left out.

    rows: columns of x, y and `column`, the most important name first;  around: further points that no name may cover,
    with the same columns; they stretch the axes too;  by: rows that differ in this column (of `around` too) are never
    on show together;  height: of the plot, pixels;  always: so many of the first names are never left out, one without
    room stands where it covers least;  gap: from a point to its name, pixels;  opacity: its encoding;  mark: further
    properties of the texts.
    """
    fields = [axis.to_dict()["field"] for axis in (x, y)]
    rows, *around = [frame.dropna(subset=fields).reset_index(drop=True) for frame in (rows, *around)]
    for where, width in (("wide", DESK), ("narrow", PHONE)):
        rows[where] = ""
        for part in [group for _, group in rows.groupby(by)] if by else [rows]:
            near = [frame[frame[by] == part[by].iloc[0]] if by else frame for frame in around]
            spans = [_span(axis, pd.concat([part, *around])) for axis in (x, y)]
            points = np.concatenate([_pixels(frame, spans, width, height) for frame in [part, *near]])
            texts = [str(name) for name in part[column]]
            rows.loc[part.index, where] = _places(texts, points, (width, height), gap, always=always)
    layers = []
    for place, (right, down, align) in PLACES.items():
        here = rows[(rows["wide"] == place) | (rows["narrow"] == place)]
        if len(here):
            look: dict[str, Any] = {"fontSize": 11, "color": INK, "align": align} | mark
            text = alt.Chart(here).mark_text(dx=gap * right, dy=gap * down, **look)
            shown = f"(width > {NARROW} ? datum.wide : datum.narrow) === '{place}'"
            word = alt.condition(shown, alt.Text(f"{column}:N"), alt.value(""))
            layers.append(text.encode(x=x, y=y, text=word, opacity=opacity))
    return layers


def _places(
    names: Sequence[str], points: np.ndarray, room: tuple[float, float], gap: float, *, always: int
) -> list[str]:
    """The place of each name, "" for none.  points: pixels, those of the names first;  room: width, height."""
    dots = [Box(px - gap / 2, py - gap / 2, px + gap / 2, py + gap / 2) for px, py in points]
    taken: list[Box] = []
    chosen: list[str] = []
    for name, (px, py) in zip(names, points, strict=False):
        tried = []
        for place, (right, down, align) in PLACES.items():
            left = px + gap * right - BEFORE[align] * LETTER * len(name)
            middle = py + gap * down
            box = Box(left, middle - LINE / 2, left + LETTER * len(name), middle + LINE / 2)
            outside = box.left < 0 or box.right > room[0] + 20 or box.top < -LINE or box.bottom > room[1]
            tried.append((100 * sum(map(box.meets, taken)) + 10 * outside + sum(map(box.meets, dots)), place, box))
        cost, place, box = min(tried, key=lambda one: one[0])
        fits = cost == 0 or len(chosen) < always
        chosen.append(place if fits else "")
        taken += [box] if fits else []
    return chosen


def _span(axis: Any, rows: pd.DataFrame) -> tuple[str, float, float, bool]:
    """Column, ends and kind (log or not) of an axis, as near as can be said before it is drawn."""
    asked = axis.to_dict()
    scale = asked.get("scale", {})
    log = scale.get("type") == "log"
    ends = scale.get("domain")
    if ends is None:
        values = _numbers(rows[asked["field"]])
        ends = [values.min(), values.max()]
        if scale.get("zero", asked["type"] == "quantitative") and not log:
            ends = [min(0.0, ends[0]), max(0.0, ends[1])]
    low, high = np.log10(ends) if log else ends
    return asked["field"], float(low), float(high), log


def _numbers(column: pd.Series) -> np.ndarray:
    """Numbers as they are, dates as days."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float)
    return (pd.to_datetime(column) - pd.Timestamp(0)).dt.total_seconds().to_numpy() / 86_400


def _pixels(
    rows: pd.DataFrame, spans: Sequence[tuple[str, float, float, bool]], width: float, height: float
) -> np.ndarray:
    """Where the points stand, in pixels from the upper left corner, shape (n_points, 2)."""
    shares = []
    for column, low, high, log in spans:
        values = _numbers(rows[column])
        shares.append(((np.log10(values) if log else values) - low) / ((high - low) or 1.0))
    return np.column_stack([width * shares[0], height * (1 - shares[1])])
