"""What figures are made of: axes, colours, tooltips; points, lines, intervals beside a rule, a line with its band.

An axis is one of Altair's (`across`, `upright`, `size_scale`, `row_names`); a look is a mapping of encodings by the
names of `CHANNELS` and of properties of the mark, so that `**by("side", SIDES)` or `**HOLLOW` go into any form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.look import INK, PALETTE, PAPER, PHASE_COLOURS
from cape_lib.signs import MARKS
from cape_lib.tables import label
from cape_lib.tables.axes import Axis

#: Height of a row, pixels.
ROW = 26
#: Every point of a forest hollow: many of them lie on each other.
ALL = "true"
#: A ring: what was measured, or as published.
HOLLOW: dict[str, Any] = {"fill": PAPER, "stroke": INK}
#: Name of an encoding here -> in Vega-Lite.
CHANNELS = {"colour": "color", "shape": "shape", "offset": "yOffset", "dash": "strokeDash"}
CHANNELS |= {name: name for name in ("detail", "order", "x2", "y2")}
SIZE_AXIS = alt.Axis(
    values=[0.1, 0.3, 1, 3, 10, 30, 100], labelExpr="datum.value + ' B'", title="parameters, log scale"
)
#: Words with their looks, or without.
Words = Mapping[str, str] | Iterable[str]


def across(
    column: str, title: str | None, domain: Sequence[float] | None = None, *, percent: bool = False, **scale: Any
) -> alt.X:
    """A horizontal axis of numbers; domain: its ends;  percent: shares, 0-1, written in percent;  scale: its kind."""
    scale = scale if domain is None else scale | {"domain": list(domain)}
    shown = alt.Scale(**scale) if scale else alt.Undefined
    # of five labels a narrow screen keeps every second one, and so both ends
    whole: dict[str, Any] = {"values": [0, 0.25, 0.5, 0.75, 1]} if scale.get("domain") == [0, 1] else {}
    axis = alt.Axis(format="%", **whole) if percent else alt.Undefined
    return alt.X(f"{column}:Q", title=title, scale=shown, axis=axis)


def upright(column: str, title: str | None, domain: Sequence[float] | None = None, **kind: Any) -> alt.Y:
    """An upright axis of numbers, as `across`."""
    asked: Any = across(column, title, domain, **kind).to_dict()
    return alt.Y.from_dict(asked)


def size_scale(column: str, *, low: float = 0.06, high: float = 200.0) -> alt.X:
    """A log axis of parameters in billions, labelled at round sizes."""
    return alt.X(f"{column}:Q", scale=alt.Scale(type="log", domain=[low, high]), axis=SIZE_AXIS)


def axis_scale(along: Axis, rows: pd.DataFrame) -> alt.X:
    """The axis of some rows for an axis of an analysis: sizes as `size_scale`, another with its own title and scale."""
    column = along.column
    if along.by_size:
        return size_scale(column, low=0.8 * rows[column].min(), high=1.25 * rows[column].max())
    scale = alt.Scale(type="log") if along.scale == "log" else alt.Scale(zero=False)
    ticks: dict[str, Any] = {"tickCount": 6}
    if along.name == "date":
        ticks = {"tickCount": 5, "labelExpr": "utcFormat(datum.value * 86400000, '%Y-%m')"}
    return alt.X(f"{column}:Q", scale=scale, axis=alt.Axis(title=along.title, labelOverlap=True, **ticks))


def score(column: str, name: str = "", **scale: Any) -> alt.Y:
    """An upright axis of a score in percent, not from zero; name: of the benchmark, where that is not the column."""
    return upright(column, f"{label(name or column)} (%)", zero=False, **scale)


def score_axes(x: str, y: str, **scale: Any) -> tuple[alt.X, alt.Y]:
    """Two scores in percent, neither from zero; scale: of the upright one."""
    return across(x, f"{label(x)} (%)", zero=False), score(y, **scale)


def same_axis(axis: Any, column: str) -> Any:
    """The same axis for another column."""
    return type(axis).from_dict(axis.to_dict() | {"field": column})


def row_names(column: str, order: Iterable[str] | None = None, **axis: Any) -> alt.Y:
    """An axis of names, one row each, in the given order (default: that of the table)."""
    sort = None if order is None else list(order)
    return alt.Y(f"{column}:N", sort=sort, title=None, axis=alt.Axis(**{"labelLimit": 260, **axis}))


def colours(
    column: str, words: Words, shades: Sequence[str] = PALETTE, *, title: str | None = None, **legend: Any
) -> alt.Color:
    """The colour of each word of a column.

    words: with their colours, or without: then these are `shades`;  legend: its settings, `hidden=True` for none.
    """
    key = None if legend.pop("hidden", False) else alt.Legend(**legend)
    return alt.Color(f"{column}:N", scale=_scale(words, shades), title=title, legend=key)


def shapes(column: str, words: Words, marks: Sequence[str] = (), *, title: str | None = None) -> alt.Shape:
    """The shape of each word of a column, in one legend with the colours of the same column; marks: as `shades`."""
    return alt.Shape(f"{column}:N", scale=_scale(words, marks), title=title)


def _scale(words: Words, looks: Sequence[str]) -> alt.Scale:
    if isinstance(words, Mapping):
        return alt.Scale(domain=list(words), range=list(words.values()))
    names = list(words)
    return alt.Scale(domain=names, range=list(looks[: len(names)]) if looks else alt.Undefined)


def by(
    column: str, words: Words, shades: Sequence[str] = PALETTE, marks: Sequence[str] = (), **legend: Any
) -> dict[str, Any]:
    """Colour and shape of each word of a column, for readers who see no colours too; arguments as of `colours`."""
    words = words if isinstance(words, Mapping) else list(words)
    shape = shapes(column, list(words), marks, title=legend.get("title"))
    shape = shape.legend(None) if legend.get("hidden") else shape
    return {"colour": colours(column, words, shades, **legend), "shape": shape}


def signs(column: str, words: Iterable[str], **legend: Any) -> dict[str, Any]:
    """Colour and shape of verdicts, statuses or readings, those that they have in boxes and tables."""
    words = list(words)
    each = [MARKS[word] for word in words]
    return by(column, words, [mark.colour for mark in each], [mark.shape for mark in each], **legend)


def phase_colour(**legend: Any) -> alt.Color:
    """The colour of a phase, the same on every page; legend: as in `colours`."""
    return colours("phase", PHASE_COLOURS, **legend)


def picker(name: str, words: Sequence[str], start: str, *, label: str) -> Any:
    """A list inside a chart to choose a word from, `start` at first; name: of its signal."""
    return alt.param(name=name, value=start, bind=alt.binding_select(options=list(words), name=f"{label} "))


def tips(rows: pd.DataFrame, more: str | None, *drawn: Any) -> list[alt.Tooltip]:
    """What a mark says under the pointer: its name, the columns that are drawn, the ends of its interval, n, and more.

    rows: the first column of text that is not drawn is the name;  more: further columns; None for no words at all.
    """
    if more is None:
        return []
    coded = [one.to_dict() for one in drawn if isinstance(one, alt.SchemaBase)]
    axes = {one["field"]: one.get("axis") or {} for one in coded if "field" in one}
    columns = list(axes) + [one.partition(":")[0] for one in drawn if isinstance(one, str)]
    name = [column for column in rows if column not in columns and pd.api.types.is_string_dtype(rows[column])][:1]
    ends = [column for column in ("low", "high", "n") if column in rows]
    return [
        alt.Tooltip(column, format=axes.get(column, {}).get("format", ".3~r"))
        if pd.api.types.is_float_dtype(rows[column])
        else alt.Tooltip(column)
        for column in dict.fromkeys([*name, *columns, *more.split(), *ends])
        if column in rows
    ]


def _marks(kind: str, rows: Any, x: Any, y: Any, tooltip: str | None, look: Mapping[str, Any]) -> Any:
    """A mark a row, or one line through the rows; look: encodings and properties (the head of this file)."""
    coded = {CHANNELS[name]: value for name, value in look.items() if name in CHANNELS}
    words = tips(rows, tooltip, x, y, coded.get("color"), coded.get("shape"))
    drawn = getattr(alt.Chart(rows), f"mark_{kind}")(**{name: look[name] for name in look if name not in CHANNELS})
    return drawn.encode(x=x, y=y, tooltip=words, **coded)


def dots(rows: Any, x: Any, y: Any, *, tooltip: str | None = "", **look: Any) -> Any:
    """One full point a row; tooltip: as `more` of `tips`;  look: also size (pixels of area), one shape for all."""
    if isinstance(look.get("shape"), str):
        look["shape"] = alt.value(look["shape"])
    return _marks("point", rows, x, y, tooltip, {"filled": True, "size": 65, "opacity": 1} | look)


def trace(
    rows: pd.DataFrame, x: Any, y: Any, *, tooltip: str | None = "", point: bool | int = False, **look: Any
) -> Any:
    """A line through the rows of each colour; point: whether with a point at each row, or its size (pixels of area)."""
    overlay = alt.OverlayMarkDef(filled=True, size=point) if point > 1 else bool(point)
    return _marks("line", rows, x, y, tooltip, {"point": overlay} | look)


def bars(rows: pd.DataFrame, x: Any, y: Any, *, tooltip: str | None = "", **look: Any) -> Any:
    """A bar a row of the table, each name of an axis of names a row of its own."""
    drawn, coded = _marks("bar", rows, x, y, tooltip, look), y.to_dict()
    return drawn.properties(height=ROW * rows[coded["field"]].nunique()) if coded["type"] == "nominal" else drawn


def ways(rows: Any, x: Any, y: Any, *, ends: Sequence[str], tooltip: str | None = None, **look: Any) -> Any:
    """A straight way from each row's (x, y) to its `ends`: the columns of the other x and y."""
    drawn = _marks("rule", rows, x, y, None, {"x2": f"{ends[0]}:Q", "y2": f"{ends[1]}:Q"} | look)
    return drawn if tooltip is None else drawn.encode(tooltip=tips(rows, tooltip))


def line_at(value: Any, axis: str, *, colour: str = INK, dashed: bool = False, what: str = "") -> Any:
    """A straight line across the plot at a value of an axis, "x" or "y"; what: its tooltip."""
    table = pd.DataFrame({"at": [value]} | ({"what": [what]} if what else {}))
    line = alt.Chart(table).mark_rule(color=colour, strokeDash=[4, 3] if dashed else [1, 0])
    return line.encode(**{axis: "at:Q"} | ({"tooltip": "what:N"} if what else {}))


def band(
    rows: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    *,
    colour: Any = alt.Undefined,
    opacity: float = 0.2,
    bars: bool = False,
    **line: Any,
) -> Any:
    """A line through the column of `y` with the band from "low" to "high" behind it.

    rows: columns of x, y (in most figures "estimate"), low, high;  opacity: of the band;  bars: upright bars in place
    of the band, none where all ends are missing;  line: as in `trace`.
    """
    base = alt.Chart(rows).encode(x=x, color=colour)
    area = base.mark_rule(opacity=opacity, strokeWidth=3) if bars else base.mark_area(opacity=opacity)
    drawn = trace(rows, x, y, colour=colour, **line)
    if rows["low"].isna().all():
        return alt.layer(drawn)
    return alt.layer(area.encode(y=same_axis(y, "low"), y2="high:Q"), drawn)


def forest(
    rows: pd.DataFrame,
    y: alt.Y | str,
    x: alt.X,
    *,
    apart: str = "",
    tooltip: str | None = "",
    rule: float | None = 0.0,
    hollow: str = "",
    bars: pd.DataFrame | None = None,
    **look: Any,
) -> Any:
    """One row a line: its interval first, then its point, beside a rule.

    rows: column of x (in most figures "estimate"), that of `y` (or its name alone), and low, high (in the unit of x;
    both may be left out); a missing interval draws none, an end beyond the domain of x stops at its edge.  apart: the
    column whose words stand one above the other in a row.  rule: where the rule stands, dashed but at 0; none where the
    axis does not go beyond it.  hollow: a Vega expression, true of points that are drawn hollow.  bars: the intervals,
    where a row may have none or two (no row of it: no interval): low, high and the columns of `y` and `colour`.
    look: colour and shape.
    """
    asked: Any = (row_names(y) if isinstance(y, str) else y).to_dict()
    names = list(dict.fromkeys(rows[asked["field"]]))
    # rows without an interval are not to change the order of the others
    y = alt.Y.from_dict(asked if asked.get("sort") is not None else asked | {"sort": names})
    ends: Any = x.to_dict()
    if not {"domain", "padding"} & set(ends.get("scale") or {}):
        # a bar that ends inside the plot is not to look like one that goes on beyond it
        ends["scale"] = (ends.get("scale") or {}) | {"padding": 10}
        x = alt.X.from_dict(ends)
    low, high = ends["scale"].get("domain", [-np.inf, np.inf])
    layers = [line_at(rule, "x", dashed=rule != 0)] if rule is not None and low < rule else []
    if apart:
        words = list(dict.fromkeys(rows[apart]))
        look["offset"] = alt.YOffset(f"{apart}:N", sort=words, scale=alt.Scale(domain=words))
    spans = rows if bars is None else bars
    if {"low", "high"} <= set(spans.columns) and spans[["low", "high"]].notna().all(axis=1).any():
        known = spans.dropna(subset=["low", "high"])
        known = known.assign(low=known["low"].clip(low, high), high=known["high"].clip(low, high))
        drawn = {"strokeWidth": 5, "opacity": 0.5, "x2": "high:Q"} | {one: look[one] for one in look if one != "shape"}
        layers.append(_marks("rule", known, same_axis(x, "low"), y, None, drawn))
    points = dots(rows, x, y, tooltip=tooltip, size=80, **look)
    rings = points.mark_point(filled=False, size=70, opacity=1)
    if hollow == ALL:
        layers.append(rings)
    elif hollow:
        layers += [points.transform_filter(f"!({hollow})"), rings.transform_filter(hollow)]
    else:
        layers.append(points)
    room = 20 + 10 * rows[apart].nunique() if apart else min(max(17, 400 / max(len(names), 1)), ROW)
    return alt.layer(*layers).properties(height=room * len(names))
