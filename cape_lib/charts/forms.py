"""What figures are made of: axes, colours, tooltips; points, lines, intervals beside a rule, a line with its band.

An axis is one of Altair's (`across`, `upright`, `size_scale`, `row_names`); a look is a mapping of encodings by the
names of `CHANNELS` and of properties of the mark, so that `**by("side", SIDES)` or `**HOLLOW` go into any form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
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
#: How much of a name is left of its anchor.
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}
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


def low_end(r: pd.Series) -> float:
    """Where an axis of r begins: a fifth below the lowest at most, at zero where none is below."""
    return min(0.0, float(np.floor(5 * r.min())) / 5)


def same_axis(axis: Any, column: str) -> Any:
    """The same axis for another column."""
    return type(axis).from_dict(axis.to_dict() | {"field": column})


def row_names(column: str, order: Iterable[str] | None = None, **axis: Any) -> alt.Y:
    """An axis of names, one row each, in the given order (default: that of the table)."""
    sort = None if order is None else list(order)
    # a mark at the edge of the plot is not to touch the name of its row
    return alt.Y(f"{column}:N", sort=sort, title=None, axis=alt.Axis(**{"labelLimit": 260, "labelPadding": 8, **axis}))


def colours(
    column: str, words: Words, shades: Iterable[str] = PALETTE, *, title: str | None = None, **legend: Any
) -> alt.Color:
    """The colour of each word of a column.

    words: with their colours, or without: then these are `shades`;  legend: its settings, `hidden=True` for none.
    """
    looks = words if isinstance(words, Mapping) else dict(zip(words, cycle(shades), strict=False))
    key = None if legend.pop("hidden", False) else alt.Legend(**legend)
    scale = alt.Scale(domain=list(looks), range=list(looks.values()))
    return alt.Color(f"{column}:N", scale=scale, title=title, legend=key)


def by(
    column: str, words: Words, shades: Iterable[str] = PALETTE, marks: Sequence[str] = (), **legend: Any
) -> dict[str, Any]:
    """Colour and shape of each word of a column, for readers who see no colours too; arguments as of `colours`."""
    words = words if isinstance(words, Mapping) else list(words)
    scale = alt.Scale(domain=list(words), range=list(marks[: len(words)]) or alt.Undefined)
    shape = alt.Shape(f"{column}:N", scale=scale, title=legend.get("title"))
    shape = shape.legend(None) if legend.get("hidden") else shape
    return {"colour": colours(column, words, shades, **legend), "shape": shape}


def signs(column: str, words: Iterable[str], **legend: Any) -> dict[str, Any]:
    """Colour and shape of verdicts, statuses or readings, those that they have in boxes and tables."""
    looks = {word: MARKS[word].colour for word in words}
    return by(column, looks, marks=[MARKS[word].shape for word in looks], **legend)


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


def _marks(kind: str, rows: Any, x: Any, y: Any, look: dict[str, Any]) -> Any:
    """A mark a row, or one line through the rows; look: tooltip, encodings and properties (the head of this file)."""
    coded = {CHANNELS[name]: look[name] for name in look if name in CHANNELS}
    words = tips(rows, look.pop("tooltip", ""), x, y, coded.get("color"), coded.get("shape"))
    drawn = getattr(alt.Chart(rows), f"mark_{kind}")(**{name: look[name] for name in look if name not in CHANNELS})
    return drawn.encode(x=x, y=y, tooltip=words, **coded)


def dots(rows: Any, x: Any, y: Any, **look: Any) -> Any:
    """One full point a row; look: tooltip (as `more` of `tips`), size (pixels of area), one shape for all, others."""
    if isinstance(look.get("shape"), str):
        look["shape"] = alt.value(look["shape"])
    return _marks("point", rows, x, y, {"filled": True, "size": 65, "opacity": 1} | look)


def trace(rows: pd.DataFrame, x: Any, y: Any, *, point: bool | int = False, **look: Any) -> Any:
    """A line through the rows of each colour; point: whether with a point at each row, or its size (pixels of area)."""
    overlay = alt.OverlayMarkDef(filled=True, size=point) if point > 1 else bool(point)
    return _marks("line", rows, x, y, {"point": overlay} | look)


def bars(rows: pd.DataFrame, x: Any, y: Any, **look: Any) -> Any:
    """A bar a row of the table."""
    return _marks("bar", rows, x, y, look)


def ways(rows: Any, x: Any, y: Any, *, ends: Sequence[str], tooltip: str | None = None, **look: Any) -> Any:
    """A straight way from each row's (x, y) to its `ends`: the columns of the other x and y."""
    drawn = _marks("rule", rows, x, y, {"x2": f"{ends[0]}:Q", "y2": f"{ends[1]}:Q"} | look)
    return drawn.encode(tooltip=tips(rows, tooltip))


def line_at(value: Any, axis: str, *, colour: str = INK, dashed: bool = False) -> Any:
    """A straight line across the plot at a value of an axis, "x" or "y"."""
    line = alt.Chart(pd.DataFrame({"at": [value]})).mark_rule(color=colour, strokeDash=[4, 3] if dashed else [1, 0])
    return line.encode(**{axis: "at:Q"})


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
    look: tooltip, colour and shape.
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
        layers.append(_marks("rule", known, same_axis(x, "low"), y, drawn | {"tooltip": None}))
    points = dots(rows, x, y, size=80, **look)
    rings = points.mark_point(filled=False, size=70, opacity=1)
    if hollow == ALL:
        layers.append(rings)
    elif hollow:
        # a ring is open to the page, not to its bar
        open_ones = points.mark_point(filled=False, size=70, opacity=1, fill=PAPER).transform_filter(hollow)
        layers += [points.transform_filter(f"!({hollow})"), open_ones]
    else:
        layers.append(points)
    room = 20 + 10 * rows[apart].nunique() if apart else min(max(17, 400 / max(len(names), 1)), ROW)
    return alt.layer(*layers).properties(height=room * len(names))


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
    phone: int = 1000,
    gap: float = 8.0,
    apart: float = 0.0,
    opacity: Any = alt.Undefined,
    **mark: Any,
) -> list[Any]:
    """Text layers with the names of points, each where there is room; one without room is left out.

    rows: columns of x, y and `column`, the most important name first;  around: further points that no name may cover,
    with the same columns; they stretch the axes too;  by: rows that differ in this column (of `around` too) are never
    on show together;  height: of the plot, pixels;  always: so many of the first names are never left out, one without
    room stands where it covers least, though never on a name;  phone: so many names at most on a phone;  gap: from a
    point to its name, pixels;  apart: between two names on one line, pixels;  opacity: its encoding;  mark: further
    properties of the texts.
    """
    fields = [axis.to_dict()["field"] for axis in (x, y)]
    rows, *around = [frame.dropna(subset=fields).reset_index(drop=True) for frame in (rows, *around)]
    for where, width, most in (("wide", DESK, len(rows)), ("narrow", PHONE, phone)):
        rows[where] = ""
        for part in [group for _, group in rows.groupby(by)] if by else [rows]:
            near = [frame[frame[by] == part[by].iloc[0]] if by else frame for frame in around]
            shown, every = pd.concat([part, *near]), pd.concat([part, *around])
            points = np.column_stack([_along(x, shown, every) * width, (1 - _along(y, shown, every)) * height])
            texts = [str(name) for name in part[column]]
            rows.loc[part.index, where] = _places(
                texts, points, (width, height), gap, apart=apart, always=always, most=most
            )
    halos, texts = [], []
    for place, (right, down, align) in PLACES.items():
        here = rows[(rows["wide"] == place) | (rows["narrow"] == place)]
        if len(here):
            look: dict[str, Any] = {"fontSize": 11, "color": INK, "align": align, "dx": gap * right, "dy": gap * down}
            shown = f"(width > {NARROW} ? datum.wide : datum.narrow) === '{place}'"
            word = alt.condition(shown, alt.Text(f"{column}:N"), alt.value(""))
            text = alt.Chart(here).encode(x=x, y=y, text=word, opacity=opacity)
            # a line that runs behind a name stops at its letters
            halos.append(text.mark_text(**look | {"stroke": PAPER, "strokeWidth": 3, "strokeJoin": "round"} | mark))
            texts.append(text.mark_text(**look | mark))
    return [*halos, *texts]


def _places(
    names: Sequence[str],
    points: np.ndarray,
    room: tuple[float, float],
    gap: float,
    *,
    apart: float,
    always: int,
    most: int,
) -> list[str]:
    """The place of each name, "" for none.  points: pixels, those of the names first;  room: width, height."""
    # boxes are rows of left, top, right, bottom
    chosen: list[str] = []
    taken = np.empty((0, 4))
    dots = np.column_stack([points - gap / 2, points + gap / 2])

    def met(box: np.ndarray, others: np.ndarray) -> int:
        return int(((others[:, :2] < box[2:]) & (others[:, 2:] > box[:2])).all(axis=1).sum())

    for name, (px, py) in zip(names, points, strict=False):
        tried = []
        for place, (right, down, align) in PLACES.items():
            left, middle = px + gap * right - BEFORE[align] * LETTER * len(name), py + gap * down
            box = np.array([left, middle - LINE / 2, left + LETTER * len(name), middle + LINE / 2])
            outside = box[0] < 0 or box[2] > room[0] + 20 or box[1] < -LINE or box[3] > room[1]
            wide = box + [-apart, 0, apart, 0]
            tried.append((met(wide, taken), 10 * int(outside) + met(box, dots), place, box))
        on_names, on_dots, place, box = min(tried, key=lambda one: one[:2])
        # one that must stand may cover points, but no other name
        fits = not on_names and (not on_dots or len(chosen) < always) and len(taken) < most
        chosen.append(place if fits else "")
        taken = np.vstack([taken, box]) if fits else taken
    return chosen


def _along(axis: Any, rows: pd.DataFrame, every: pd.DataFrame) -> np.ndarray:
    """Where the rows stand on an axis, 0-1, as near as can be said before it is drawn.  every: rows that stretch it."""
    asked = axis.to_dict()
    scale, log = asked.get("scale", {}), asked.get("scale", {}).get("type") == "log"
    columns = [frame[asked["field"]] for frame in (rows, every)]
    if not pd.api.types.is_numeric_dtype(columns[0]):  # dates, as days
        columns = [(pd.to_datetime(column) - pd.Timestamp(0)).dt.total_seconds() / 86_400 for column in columns]
    values, all_values = (column.to_numpy(dtype=float) for column in columns)
    ends = scale.get("domain", [all_values.min(), all_values.max()])
    if "domain" not in scale and scale.get("zero", asked["type"] == "quantitative") and not log:
        ends = [min(0.0, ends[0]), max(0.0, ends[1])]
    nice = scale.get("nice", "domain" not in scale) and asked["type"] == "quantitative" and not log
    if nice and ends[1] > ends[0]:  # the axis ends at round numbers: about ten steps of 1, 2 or 5
        tenth = (ends[1] - ends[0]) / 10
        power = 10.0 ** np.floor(np.log10(tenth))
        step = power * (1, 2, 5, 10)[int(np.searchsorted(np.sqrt([2, 10, 50]), tenth / power, side="right"))]
        ends = [step * np.floor(ends[0] / step), step * np.ceil(ends[1] / step)]
    (low, high), at = (np.log10(ends), np.log10(values)) if log else (ends, values)
    return np.asarray((at - low) / ((high - low) or 1.0))
