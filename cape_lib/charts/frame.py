"""The frame of every figure: a finding as title, the chart, n, source, its rows to download, a permanent link.

`setup()` chooses how figures show: in the published book (one shared script draws an embedded specification), live in
Jupyter (a widget that works without a network) or in Colab.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from html import escape
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML, display
from markupsafe import Markup

from cape_lib.charts import look
from cape_lib.errors import UsageError
from cape_lib.page.machine import tell
from cape_lib.page.text import filled, inline, script_json, text_of, where
from cape_lib.signs import typeset
from cape_lib.tables import label
from cape_lib.tables.axes import day

#: Mark of Vega-Lite -> what a reader would see; a rule from one end to another is an interval, another one a line.
MARKS = {"point": "points", "line": "lines", "area": "bands", "bar": "bars", "tick": "ticks", "rule": "intervals"}
#: Marks about another one, which names the axes and their ends.
BESIDE = ("text", "rule", "area")
#: So many names are listed, and so many panels are told apart.
MOST, PANELS = 8, 3

Layer = tuple[str, dict[str, Any], pd.DataFrame]


def setup() -> None:
    """Register the look and the renderer for the place where this runs (`where()` names it).

    Live, it also says what the machine is and which model sizes fit there.
    """

    def refuse_a_bare_chart(*_: Any, **__: Any) -> dict[str, str]:
        raise UsageError("a chart without a frame: wrap it in charts.figure(chart, title=..., ...)")

    place = where()
    look.register(background=None if place == "book" else "white")
    alt.data_transformers.disable_max_rows()
    if place == "book":
        alt.renderers.register("cape", refuse_a_bare_chart)
        alt.renderers.enable("cape")
    elif place == "colab":
        alt.renderers.enable("html")
    else:
        alt.JupyterChart.enable_offline(True)
        alt.renderers.enable("jupyter", offline=True)
    tell()


@dataclass(frozen=True)
class Control:
    """The input beside a published figure: a signal's name, its label, the values and what is said of each."""

    name: str
    label: str
    values: list[Any]
    start: Any
    readings: list[str] = field(default_factory=list)

    @property
    def is_slider(self) -> bool:
        """Whether the values are numbers; words are chosen from a list."""
        return all(isinstance(value, int | float) for value in self.values)

    @property
    def parts(self) -> dict[str, Any]:
        """What the shared script reads: the signal, its values and their texts, where it starts, the readings."""
        texts, at = [text_of(value) for value in self.values], self.values.index(self.start)
        readings = {"readings": [inline(one) for one in self.readings]} if any(self.readings) else {}
        return {"signal": self.name, "values": self.values, "texts": texts, "at": at} | readings


@dataclass(frozen=True)
class Figure:
    """A chart (or several, side by side where there is room) in its frame; shows itself in book, Colab and Jupyter.

    name: permanent link, lower case with dashes.  title: the finding, one sentence.  source: table or publication,
    `[text](address)` allowed.  n: how many observations, and of what if not models.  caption: how to read it.
    rows: the table behind the chart (default: the chart's largest data).  height: of each chart, pixels, where its form
    sets none.  alt: what the chart shows, for a reader who cannot see it, where its form and rows do not say it
    (`describe`).
    """

    chart: alt.TopLevelMixin | Sequence[alt.TopLevelMixin]
    name: str
    title: str
    source: str
    n: int | str
    caption: str = ""
    rows: pd.DataFrame | None = None
    height: int | None = None
    alt: str = ""
    control: Control | None = None

    def __post_init__(self) -> None:
        for what in ("title", "alt", "source", "caption"):
            object.__setattr__(self, what, typeset(str(getattr(self, what))))
        for what in ("title", "source"):
            if not getattr(self, what).strip():
                raise UsageError(f"figure {self.name!r}: {what} is empty")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise UsageError(f"figure {self.name!r}: the name is a link: lower case letters, digits and dashes")

    @property
    def charts(self) -> list[Any]:
        """The charts as a list, each as wide as its container unless it says otherwise."""
        look: dict[str, Any] = {"height": self.height} if self.height else {}
        several = list(self.chart) if isinstance(self.chart, Sequence) else [self.chart]
        # Fit the width only: Vega-Lite warns of a fit in height on every chart whose rows have a height of their own.
        wide = look | {"width": "container", "autosize": alt.AutoSizeParams(type="fit-x", contains="padding")}
        free = [isinstance(one, alt.Chart | alt.LayerChart) and one.width is alt.Undefined for one in several]
        return [one.properties(**(wide if is_free else look)) for one, is_free in zip(several, free, strict=True)]

    @cached_property
    def specs(self) -> list[dict[str, Any]]:
        """The charts as specifications of Vega-Lite."""
        return [chart.to_dict() for chart in self.charts]

    @property
    def description(self) -> str:
        """What the charts show, for a reader who cannot see them."""
        return self.alt or typeset(describe(self.specs))

    @property
    def about(self) -> str:
        """The line below the charts: caption, n, source."""
        caption = f"{inline(self.caption)} " if self.caption else ""
        n = escape(typeset(str(self.n)))
        return f"{caption}<span>n = {n}.</span> <span>Source: {inline(self.source)}.</span>"

    @property
    def live(self) -> tuple[str, str]:
        """Title and caption line for a live notebook, where the book's style sheet is missing."""
        return (
            f'<p style="font-weight:600;margin:.5em 0 0">{escape(self.title)}</p>',
            f'<p style="font-size:.85em;opacity:.8;margin:0 0 1em">{self.about}</p>',
        )

    def to_html(self) -> str:
        """The figure for a page that loads the shared script (`cape-charts.js`) and the style sheet."""
        views = [_compact(spec) for spec in self.specs]
        data: dict[str, Any] = {}  # pooled, so that no row is in the page twice
        config: dict[str, Any] = {}
        for view in views:
            data.update(view.pop("datasets", {}))
            config = view.pop("config", config)
        offered = max(data, key=lambda name: len(data[name]), default=None)
        if self.rows is not None:  # rows that the chart does not hold yet are added
            rows = _compact(alt.to_values(self.rows)["values"])
            offered = next((name for name, records in data.items() if records == rows), "rows")
            data[offered] = rows
        parts = {"data": data, "rows": offered, "config": config, "views": views}
        if self.control:
            parts["control"] = self.control.parts
        texts = {"about": Markup(self.about), "parts": script_json(parts), "views": len(views)}
        return filled("figure.html", figure=self, ident=f"fig-{self.name}", control=self.control, **texts)

    def _ipython_display_(self) -> None:
        place, (head, foot) = where(), self.live
        if place == "book":
            # a search index and a terminal see the plain text
            display({"text/html": self.to_html(), "text/plain": self.title}, raw=True)
        elif place == "colab":
            div = f"cape-{self.name}-{{}}".format
            texts = [chart.to_html(fullhtml=False, output_div=div(i)) for i, chart in enumerate(self.charts)]
            display(HTML(head + "".join(texts) + foot))
        else:
            display(HTML(head), *map(widget, self.charts), width(), HTML(foot))


#: `figure(chart, name, title, source, n, caption)`: the name under which chapters use the frame.
figure = Figure


def describe(views: Sequence[dict[str, Any]]) -> str:
    """The kinds of marks, what stands on the axes with its lowest and highest value, rows and colours by their names.

    views: specifications of Vega-Lite with their data sets.  Panels beyond three are counted, not described.
    """
    texts = [_one(view) for view in views[: PANELS if len(views) <= PANELS else 1]]
    if len(views) > PANELS:
        texts.append(f"{len(views) - 1} more panels of the same form")
    return ". ".join(texts) + "."


def _one(view: dict[str, Any]) -> str:
    drawn = [layer for layer in _layers(view, view, {}) if {"x", "y"} <= set(layer[1])]
    if not drawn:
        return "A chart without rows"
    _, coded, rows = max(drawn, key=lambda layer: (*(layer[0] != kind for kind in BESIDE), len(layer[2])))
    kinds = ", ".join(dict.fromkeys(MARKS[kind] for kind, *_ in drawn if kind in MARKS)).capitalize()
    up, right = _axis(coded["y"], rows, coded["x"]), _axis(coded["x"], rows, coded["y"])
    on_axes = {coded["x"].get("field"), coded["y"].get("field")}
    words: dict[str, dict[str, bool]] = {}  # column -> its words in the order of the legend, and whether one is drawn
    for _, other, data in drawn:
        for key in (other.get("color", {}), other.get("shape", {})):
            column, scale = key.get("field"), key.get("scale") or {}
            if key.get("type") == "nominal" and column in data and column not in on_axes:
                legend = words.setdefault(column, dict.fromkeys(scale.get("domain", []), False))
                legend |= dict.fromkeys(data[column].dropna(), True)
    told_apart = [_listed([word for word in legend if legend[word]]) for legend in words.values()]
    text = f"{kinds}. {up}; across, {right}" + "".join(f". Told apart: {names}" for names in told_apart)
    title = view.get("title")
    return f"{title['text'] if isinstance(title, dict) else title}: {text}" if title else text


def _layers(view: dict[str, Any], part: dict[str, Any], above: dict[str, Any]) -> Iterator[Layer]:
    """Mark, encoding and rows of every layer of a view."""
    above = {**above, **{key: part[key] for key in ("data", "encoding") if key in part}}
    for inner in part.get("layer", []):
        yield from _layers(view, inner, above)
    if "mark" in part:
        kind, coded = part["mark"] if isinstance(part["mark"], str) else part["mark"]["type"], above.get("encoding", {})
        kind = "line" if kind == "rule" and {"x2", "y2"} <= set(coded) else kind
        yield kind, coded, pd.DataFrame(view["datasets"].get(above["data"].get("name"), []))


def _axis(coded: dict[str, Any], rows: pd.DataFrame, other: dict[str, Any]) -> str:
    """The title of an axis and its ends; of an axis of names, the names."""
    column, look = coded.get("field", ""), coded.get("axis") or {}
    title = coded.get("title") or look.get("title") or label(column).replace("_", " ")
    title = " ".join(title) if isinstance(title, list) else str(title)
    values = rows[column].dropna() if column in rows else pd.Series(dtype=float)
    if values.empty:
        return title
    if coded.get("type") == "temporal":
        return f"{title} {values.min()[:10]} to {values.max()[:10]}"
    if coded.get("type") != "quantitative" or not pd.api.types.is_numeric_dtype(values):
        return _listed(list(values.unique()))
    names = rows[other["field"]] if other.get("type") == "nominal" and other.get("field") in rows else None
    ends = [(values.min(), values.idxmin()), (values.max(), values.idxmax())]
    return f"{title} " + " to ".join(
        _number(end, look) + ("" if names is None else f" ({names[at]})") for end, at in ends
    )


def _number(number: float, look: dict[str, Any]) -> str:
    """A number as its axis writes it; days since 1970 as dates."""
    if "utcFormat" in str(look.get("labelExpr")):
        return day(number)
    if look.get("format") == "%":
        return f"{number:.0%}"
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:.3g}"


def _listed(values: Sequence[Any]) -> str:
    names = [str(value) for value in values]
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def _compact(value: Any) -> Any:
    """The same specification with floats of seven significant digits: half the page, no visible change.

    A missing value in a column of text is NaN, for which JSON has null.
    """
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _compact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_compact(item) for item in value]
    return value


def widget(chart: Any) -> Any:
    """The chart as a Jupyter widget that needs no network; a new chart is put in by setting its `chart`."""
    menu = {"export": True, "source": False, "compiled": False, "editor": False}  # the editor is another host's
    return _widgets()["chart"](chart, embed_options={"renderer": "svg", "actions": menu})


def width() -> Any:
    """An invisible widget, one beside each figure: it lets charts fill the width of their place and follow it."""
    return _widgets()["width"]()


@cache
def _widgets() -> dict[str, Any]:
    """The kinds of widget, made when first needed: a published book shows none and needs no anywidget."""
    import anywidget
    import traitlets

    alt.JupyterChart.enable_offline(True)
    code = traitlets.Unicode().tag(sync=True)
    library = type("Library", (anywidget.AnyWidget,), {"_esm": "export default {};", "code": code})
    shared = library(code=alt.JupyterChart._esm)
    style = {"_css": ".vega-embed { width: 100%; overflow: visible; }"}
    asked = style | {"library": traitlets.Unicode(shared.model_id).tag(sync=True), "shared": shared}
    return {
        "chart": type("Chart", (alt.JupyterChart,), asked | {"_esm": filled("chart.js")}),
        "width": type("Width", (anywidget.AnyWidget,), style | {"_esm": filled("width.js")}),
    }
