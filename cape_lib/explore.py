"""One call, two renderings: a slider over precomputed rows in the published page, a live widget in a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.frame import Control, Figure, widget, width
from cape_lib.errors import UsageError
from cape_lib.page.text import inline, say, text_of, where

Model = Callable[[Any], pd.DataFrame]
Rows = Callable[[Any], tuple[pd.DataFrame, str]]
Draw = Callable[[pd.DataFrame], Figure]
Show = Callable[[Figure, str], None]


def explore(model: Model, draw: Draw, *, name: str, values: Sequence[Any], start: Any, label: str = "") -> Any:
    """A figure with one input: the reader moves it, the chart (and a sentence) follow.

    model: value -> tidy table; the column `name` is added here.  `table.attrs["reading"]`, where given, is the sentence
        that goes with this value (Markdown in one line).
    draw: table -> `Figure`.  Published, it gets the rows of all values at once and the page shows those of one; so it
        keeps the column `name`, and computes nothing across rows.
    values: numbers (a slider, even or uneven steps) or words (a list to choose from).  label: what the input is called.
    Returns a `Figure` when published, an ipywidgets box otherwise.  Raises UsageError if `start` is not in `values`.
    """
    choices = [value.item() if hasattr(value, "item") else value for value in values]
    if start not in choices:
        raise UsageError(f"explore {name!r}: start {start!r} is not among the values {choices[:6]} ...")
    if not name.isidentifier():
        raise UsageError(f"explore {name!r}: the name must be a plain identifier")

    def rows(value: Any) -> tuple[pd.DataFrame, str]:
        table = model(value)
        reading = str(table.attrs.get("reading", ""))
        table = table.assign(**{name: value})
        table.attrs = {}
        return table, reading

    return (_published if where() == "book" else _live)(rows, draw, Control(name, label or name, choices, start))


def _published(rows: Rows, draw: Draw, control: Control) -> Figure:
    tables, readings = zip(*map(rows, control.values), strict=True)
    first = draw(tables[control.values.index(control.start)])
    if len(control.values) == 1:  # nothing to choose: no input, and the sentence goes into the caption
        return replace(first, caption=" ".join(text for text in (readings[0], first.caption) if text))
    whole = draw(pd.concat(tables, ignore_index=True))
    charts = [_one_value_at_a_time(chart, control) for chart in whole.charts]
    # The words (title, n, alt) are those of the start; the rows to download are those of every value.
    control = replace(control, readings=list(readings))
    return replace(first, chart=charts, height=None, rows=whole.rows, alt=first.description, control=control)


def _one_value_at_a_time(chart: Any, control: Control) -> Any:
    """The chart with a signal that keeps the rows of one value, wherever a part of it draws such rows."""
    chart = chart.copy(deep=True)
    if not _filter(chart, control.name):
        raise UsageError(f"explore {control.name!r}: draw() must keep the column {control.name!r} in its chart's data")
    start = float(f"{control.start:.7g}") if isinstance(control.start, float) else control.start
    return chart.add_params(alt.param(name=control.name, value=start))


def _filter(chart: Any, name: str) -> bool:
    """Filter every part that draws rows with the column `name`; returns whether there is one."""
    data = getattr(chart, "data", alt.Undefined)
    has_column = isinstance(data, pd.DataFrame) and name in data.columns
    if has_column:
        before = [] if chart.transform is alt.Undefined else list(chart.transform)
        chart.transform = [alt.FilterTransform(filter=f"datum['{name}'] === {name}"), *before]
    inside = [getattr(chart, what, alt.Undefined) for what in ("layer", "hconcat", "vconcat", "concat", "spec")]
    parts = [part for one in inside if one is not alt.Undefined for part in (one if isinstance(one, list) else [one])]
    return any([_filter(part, name) for part in parts]) or has_column


def _live(rows: Rows, draw: Draw, control: Control) -> Any:
    import ipywidgets as widgets

    options = [(text_of(value), value) for value in control.values]
    about = {"options": options, "value": control.start, "description": control.label}
    style = {"style": {"description_width": "initial"}, "layout": {"width": "min(100%, 36em)"}}
    if control.is_slider:
        chooser: Any = widgets.SelectionSlider(continuous_update=False, **about, **style)
    else:
        chooser = widgets.Dropdown(**about, **style)
    frame, show = _in_place() if where() == "live" else _anew()
    problem = widgets.Output()

    def redraw() -> None:
        table, reading = rows(chooser.value)
        show(draw(table), reading)

    def moved(_: Any) -> None:
        problem.clear_output()
        with problem:  # the only place where a reader sees what goes wrong while a slider moves
            redraw()

    redraw()
    chooser.observe(moved, names="value")
    return widgets.VBox([chooser, frame, problem])


def _in_place() -> tuple[Any, Show]:
    """A frame whose charts, once there, are told their new rows: no flicker, and the chart script is sent once."""
    import ipywidgets as widgets

    head, views, foot, below = widgets.HTML(), widgets.VBox(), widgets.HTML(), widgets.HTML()

    def show(figure: Figure, reading: str) -> None:
        charts = figure.charts
        if len(charts) == len(views.children):
            for view, chart in zip(views.children, charts, strict=True):
                view.chart = chart
        else:
            views.children = [widget(chart) for chart in charts]
        (head.value, foot.value), below.value = figure.live, f"<p>{inline(reading)}</p>"

    return widgets.VBox([head, views, foot, below, width()]), show


def _anew() -> tuple[Any, Show]:
    """A frame that is shown again as a whole, where chart widgets need more than the place offers (Colab)."""
    import ipywidgets as widgets
    from IPython.display import display

    output = widgets.Output()

    def show(figure: Figure, reading: str) -> None:
        with output:
            output.clear_output(wait=True)
            display(figure)
            if reading:
                say(reading)

    return output, show
