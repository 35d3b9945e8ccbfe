"""What the axes, colours, shapes and tooltips of many figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from cape_lib.charts.look import PHASE_COLOURS
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
    ticks = alt.Axis(title=along.title, tickCount=6, labelOverlap=True)
    if along.name == "date":
        ticks = alt.Axis(
            title=along.title, tickCount=5, labelExpr="utcFormat(datum.value * 86400000, '%Y-%m')", labelOverlap=True
        )
    return alt.X(f"{column}:Q", scale=scale, axis=ticks)


def score_axes(x: str, y: str, **scale: Any) -> tuple[alt.X, alt.Y]:
    """Two scores in percent, neither from zero; scale: of the upright one."""
    return (
        alt.X(f"{x}:Q", scale=alt.Scale(zero=False), title=f"{label(x)} (%)"),
        alt.Y(f"{y}:Q", scale=alt.Scale(zero=False, **scale), title=f"{label(y)} (%)"),
    )


def same_axis(axis: Any, column: str) -> Any:
    """The same axis for another column."""
    return type(axis).from_dict(axis.to_dict() | {"field": column})


def across(column: str, title: str, domain: Sequence[float] | None = None, *, percent: bool = False) -> alt.X:
    """A horizontal axis of numbers; domain: its ends;  percent: shares, 0-1, written in percent."""
    return alt.X(f"{column}:Q", title=title, **_numbers(domain, percent))


def upright(column: str, title: str, domain: Sequence[float] | None = None, *, percent: bool = False) -> alt.Y:
    """An upright axis of numbers; domain: its ends;  percent: shares, 0-1, written in percent."""
    return alt.Y(f"{column}:Q", title=title, **_numbers(domain, percent))


def _numbers(domain: Sequence[float] | None, percent: bool) -> dict[str, Any]:
    scale = {} if domain is None else {"scale": alt.Scale(domain=list(domain))}
    return scale | ({"axis": alt.Axis(format="%")} if percent else {})


def row_names(column: str, order: Iterable[str] | None = None, *, limit: int = 260) -> alt.Y:
    """An axis of names, one row each, in the given order (default: that of the table); limit: pixels of a name."""
    return alt.Y(
        f"{column}:N", sort=None if order is None else list(order), title=None, axis=alt.Axis(labelLimit=limit)
    )


def colours(column: str, words: Mapping[str, str], *, title: str | None = None, **legend: Any) -> alt.Color:
    """The colour of each word of a column; legend: its settings, `hidden=True` for none."""
    scale = alt.Scale(domain=list(words), range=list(words.values()))
    key = None if legend.pop("hidden", False) else alt.Legend(**legend)
    return alt.Color(f"{column}:N", scale=scale, title=title, legend=key)


def shapes(column: str, words: Mapping[str, str], *, title: str | None = None) -> alt.Shape:
    """The shape of each word of a column, in one legend with the colours of the same column."""
    return alt.Shape(f"{column}:N", scale=alt.Scale(domain=list(words), range=list(words.values())), title=title)


def sides(column: str, words: Sequence[str]) -> alt.YOffset:
    """Several marks in one row, one above the other in the order of `words`."""
    return alt.YOffset(f"{column}:N", sort=list(words), scale=alt.Scale(domain=list(words)))


def rounded(form: str, *columns: str) -> list[alt.Tooltip]:
    """Tooltips of numeric columns in one format, for instance ".2f"."""
    return [alt.Tooltip(f"{column}:Q", format=form) for column in columns]


def phase_colour(*, legend: bool = True, columns: int | alt.ExprRef | None = None) -> alt.Color:
    """The colour of a phase, the same on every page."""
    return colours("phase", PHASE_COLOURS, hidden=not legend, columns=columns or COLUMNS)
