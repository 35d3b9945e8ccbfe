"""What the axes, colours, shapes and tooltips of many figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from cape_lib.charts.look import PALETTE, PHASE_COLOURS
from cape_lib.tables import label
from cape_lib.tables.axes import Axis

#: A legend breaks its line where the plot is narrow: beside long row names, on a phone.
COLUMNS = alt.ExprRef("width < 240 ? 2 : width < 420 ? 3 : 5")
SIZE_AXIS = alt.Axis(
    values=[0.1, 0.3, 1, 3, 10, 30, 100], labelExpr="datum.value + ' B'", title="parameters, log scale"
)


def size_scale(column: str, *, low: float = 0.06, high: float = 200.0) -> alt.X:
    """A log axis of parameters in billions, labelled at round sizes."""
    return alt.X(f"{column}:Q", scale=alt.Scale(type="log", domain=[low, high]), axis=SIZE_AXIS)


def axis_scale(along: Axis, column: str = "") -> alt.X:
    """The axis of a chart for an axis of an analysis: sizes as `size_scale`, another with its own title and scale.

    column: that is drawn, by default that of the axis.
    """
    column = column or along.column
    if along.by_size:
        return size_scale(column)
    scale = alt.Scale(type="log") if along.scale == "log" else alt.Scale(zero=False)
    ticks: dict[str, Any] = {"tickCount": 6}
    if along.name == "date":
        ticks = {"tickCount": 5, "labelExpr": "utcFormat(datum.value * 86400000, '%Y-%m')"}
    return alt.X(f"{column}:Q", scale=scale, axis=alt.Axis(title=along.title, labelOverlap=True, **ticks))


def score(column: str, name: str = "", **scale: Any) -> alt.Y:
    """An upright axis of a score in percent, not from zero; name: of the benchmark, where that is not the column."""
    return alt.Y(f"{column}:Q", scale=alt.Scale(zero=False, **scale), title=f"{label(name or column)} (%)")


def score_axes(x: str, y: str, **scale: Any) -> tuple[alt.X, alt.Y]:
    """Two scores in percent, neither from zero; scale: of the upright one."""
    return alt.X(f"{x}:Q", scale=alt.Scale(zero=False), title=f"{label(x)} (%)"), score(y, **scale)


def same_axis(axis: Any, column: str) -> Any:
    """The same axis for another column."""
    return type(axis).from_dict(axis.to_dict() | {"field": column})


def across(
    column: str, title: str | None, domain: Sequence[float] | None = None, *, percent: bool = False, **scale: Any
) -> alt.X:
    """A horizontal axis of numbers; domain: its ends;  percent: shares, 0-1, written in percent;  scale: its kind."""
    return alt.X(f"{column}:Q", title=title, **_numbers(domain, percent, scale))


def upright(
    column: str, title: str | None, domain: Sequence[float] | None = None, *, percent: bool = False, **scale: Any
) -> alt.Y:
    """An upright axis of numbers, as `across`."""
    return alt.Y(f"{column}:Q", title=title, **_numbers(domain, percent, scale))


def _numbers(domain: Sequence[float] | None, percent: bool, scale: dict[str, Any]) -> dict[str, Any]:
    scale = scale if domain is None else scale | {"domain": list(domain)}
    return ({"scale": alt.Scale(**scale)} if scale else {}) | ({"axis": alt.Axis(format="%")} if percent else {})


def row_names(column: str, order: Iterable[str] | None = None, *, limit: int = 260, **axis: Any) -> alt.Y:
    """An axis of names, one row each, in the given order (default: that of the table); limit: pixels of a name."""
    sort = None if order is None else list(order)
    return alt.Y(f"{column}:N", sort=sort, title=None, axis=alt.Axis(labelLimit=limit, **axis))


def colours(
    column: str,
    words: Mapping[str, str] | Iterable[str],
    shades: Sequence[str] = PALETTE,
    *,
    title: str | None = None,
    hidden: bool = False,
    **legend: Any,
) -> alt.Color:
    """The colour of each word of a column.

    words: with their colours, or without: then these are `shades`;  hidden: without a legend;  legend: its settings.
    """
    key = None if hidden else alt.Legend(**legend)
    return alt.Color(f"{column}:N", scale=_scale(words, shades), title=title, legend=key)


def shapes(
    column: str, words: Mapping[str, str] | Iterable[str], marks: Sequence[str] = (), *, title: str | None = None
) -> alt.Shape:
    """The shape of each word of a column, in one legend with the colours of the same column; marks: as `shades`."""
    return alt.Shape(f"{column}:N", scale=_scale(words, marks), title=title)


def _scale(words: Mapping[str, str] | Iterable[str], looks: Sequence[str]) -> alt.Scale:
    if not isinstance(words, Mapping):
        names = list(words)
        return alt.Scale(domain=names, range=list(looks[: len(names)])) if looks else alt.Scale(domain=names)
    return alt.Scale(domain=list(words), range=list(words.values()))


def sides(column: str, words: Iterable[str]) -> alt.YOffset:
    """Several marks in one row, one above the other in the order of `words`."""
    order = list(words)
    return alt.YOffset(f"{column}:N", sort=order, scale=alt.Scale(domain=order))


def rounded(form: str, *columns: str) -> list[alt.Tooltip]:
    """Tooltips of numeric columns in one format, for instance ".2f"."""
    return [alt.Tooltip(f"{column}:Q", format=form) for column in columns]


def phase_colour(*, legend: bool = True, columns: int | alt.ExprRef | None = None) -> alt.Color:
    """The colour of a phase, the same on every page."""
    return colours("phase", PHASE_COLOURS, hidden=not legend, columns=columns or COLUMNS)


def picker(name: str, words: Sequence[str], start: str, *, label: str) -> Any:
    """A list inside a chart to choose a word from, `start` at first; name: of its signal."""
    return alt.param(name=name, value=start, bind=alt.binding_select(options=list(words), name=f"{label} "))
