"""The frame of every figure: a finding as title, the chart, n, source, its rows to download, a permanent link.

`setup()` chooses how figures show: in the published book (one shared script draws an embedded specification), live in
Jupyter (a widget that works without a network) or in Colab.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt
import pandas as pd
from IPython.display import HTML, Markdown, display

from cape_lib.charts import html, live, look
from cape_lib.charts.look import (
    FAMILY_COLOURS,
    GRID,
    INK,
    LAB_COLOURS,
    MUTED,
    PALETTE,
    PAPER,
    PHASE_COLOURS,
    colour_scale,
)
from cape_lib.errors import UsageError
from cape_lib.signs import typeset
from cape_lib.story import GRADES, Answer

__all__ = [
    "FAMILY_COLOURS", "GRID", "INK", "LAB_COLOURS", "MUTED", "PALETTE", "PAPER", "PHASE_COLOURS",
    "Figure", "answer", "answers", "colour_scale", "figure", "remember", "say", "setup", "sure", "where",
]  # fmt: skip

Place = Literal["book", "colab", "live"]
Charts = alt.TopLevelMixin | Sequence[alt.TopLevelMixin]

#: The publisher sets this variable for the kernels that it starts.
PUBLISHED = "CAPE_BOOK"
_NAME = re.compile(r"[a-z][a-z0-9-]*")


def where() -> Place:
    """Where this code runs: the published "book" (or a report), "colab", or "live" in Jupyter."""
    if os.environ.get(PUBLISHED):
        return "book"
    return "colab" if "google.colab" in sys.modules else "live"


def setup() -> None:
    """Register the look and the renderer for the place where this runs (`where()` names it).

    Live, it also says what the machine is and which model sizes fit there.
    """
    from cape_lib.charts.place import tell

    place = where()
    look.register(background=None if place == "book" else "white")
    alt.data_transformers.disable_max_rows()
    if place == "book":
        alt.renderers.register("cape", _refuse_a_bare_chart)
        alt.renderers.enable("cape")
    elif place == "colab":
        alt.renderers.enable("html")
    else:
        alt.JupyterChart.enable_offline(True)
        alt.renderers.enable("jupyter", offline=True)
    tell()


def _refuse_a_bare_chart(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    raise UsageError("a chart without a frame: wrap it in charts.figure(chart, title=..., alt=..., ...)")


@dataclass(frozen=True)
class Control:
    """The input beside a published figure: a signal's name, its label, the values and what is said of each."""

    name: str
    label: str
    values: list[Any]
    start: Any
    readings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """A chart (or several, side by side where there is room) in its frame; shows itself in book, Colab and Jupyter.

    title: the finding, one sentence.  alt: what the chart shows, for a reader who cannot see it.
    source: table or publication, `[text](address)` allowed.  n: how many observations, and of what if not models.
    name: permanent link, lower case with dashes.  rows: the table behind the chart (default: the chart's largest data).
    """

    chart: Charts
    title: str = field(kw_only=True)
    alt: str = field(kw_only=True)
    source: str = field(kw_only=True)
    n: int | str = field(kw_only=True)
    name: str = field(kw_only=True)
    rows: pd.DataFrame | None = field(default=None, kw_only=True)
    caption: str = field(default="", kw_only=True)
    control: Control | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for what in ("title", "alt", "source", "caption"):
            object.__setattr__(self, what, typeset(str(getattr(self, what))))
        for what in ("title", "alt", "source"):
            if not str(getattr(self, what)).strip():
                raise UsageError(f"figure {self.name!r}: {what} is empty")
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"figure {self.name!r}: the name is a link: lower case letters, digits and dashes")

    @property
    def charts(self) -> list[Any]:
        """The charts as a list, each as wide as its container unless it says otherwise."""
        several = list(self.chart) if isinstance(self.chart, Sequence) else [self.chart]
        return [_as_wide_as_the_page(chart) for chart in several]

    def to_html(self) -> str:
        """The figure for a page that loads the shared script (`cape-charts.js`) and the style sheet."""
        views = [_compact(chart.to_dict()) for chart in self.charts]
        rows = None if self.rows is None else _compact(alt.to_values(self.rows)["values"])
        return html.figure(self, views, rows)

    def _ipython_display_(self) -> None:
        place = where()
        if place == "book":
            display(_Html(self.to_html(), self.title))
        elif place == "colab":
            drawn = "".join(chart.to_html(fullhtml=False, output_div=f"cape-{self.name}-{i}")
                            for i, chart in enumerate(self.charts))  # fmt: skip
            display(HTML(html.head(self) + drawn + html.foot(self)))
        else:
            display(HTML(html.head(self)))
            for chart in self.charts:
                display(live.widget(chart))
            display(live.width())
            display(HTML(html.foot(self)))


#: `figure(chart, *, title, alt, source, n, name, rows=None, caption="")`: the name under which chapters use the frame.
figure = Figure


class _Html:
    """HTML with a plain text beside it, which is what a search index and a terminal see."""

    def __init__(self, page: str, text: str) -> None:
        self._bundle = {"text/html": page, "text/plain": text}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self._bundle


def say(markdown: str) -> None:
    """Show a sentence whose numbers were computed, as prose of the chapter (Markdown, `$...$` for formulas)."""
    display(Markdown(typeset(markdown)))


def sure(markdown: str) -> None:
    """Show the "how sure" line: interval, n, null and baseline of what was just said."""
    display(Markdown(f'<div class="cape-sure">\n\n**How sure?** {typeset(markdown)}\n\n</div>'))


def answer(one: Answer) -> None:
    """Show the answer of a chapter: its sentence, the grade of its evidence with its meaning, its interval."""
    grade = f"**{one.grade.capitalize()}** ({GRADES[one.grade]})."
    inside = f"{typeset(one.sentence)}\n\n<div class=\"cape-grade\">\n\n{grade} {typeset(one.interval)}\n\n</div>"
    display(Markdown(f'<div class="cape-answer">\n\n{inside}\n\n</div>'))


def answers(*several: Answer) -> None:
    """Show several answers one below the other, the grade and the interval of each beside it."""
    parts = [
        f"{typeset(one.sentence)} <span class=\"cape-grade\">{one.grade.capitalize()}. {typeset(one.interval)}</span>"
        for one in several
    ]
    display(Markdown('<div class="cape-answer cape-several-answers">\n\n' + "\n\n".join(parts) + "\n\n</div>"))


def remember(*lines: str) -> None:
    """Show the lines to remember at the end of a chapter, computed like any sentence."""
    items = "\n".join(f"- {typeset(line)}" for line in lines)
    display(Markdown(f'<div class="cape-remember">\n\n**To remember**\n\n{items}\n\n</div>'))


def _as_wide_as_the_page(chart: Any) -> Any:
    if not isinstance(chart, alt.Chart | alt.LayerChart) or chart.width is not alt.Undefined:
        return chart
    # Fit the width only: Vega-Lite warns of a fit in height on every chart whose rows have a height of their own.
    return chart.properties(width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


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
