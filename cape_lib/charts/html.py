"""The frame of a figure as HTML: for the published page (an embedded specification) and, plainer, for Jupyter."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any

from cape_lib.signs import typeset

if TYPE_CHECKING:
    from cape_lib.charts.frame import Control, Figure


def inline(text: str) -> str:
    """One line of text to HTML: `[text](address)`, `**strong**`, `*emphasis*` and `` `code` ``; all else is escaped."""
    out = escape(typeset(text), quote=False)
    out = re.sub(r"`([^`]+)`", r"<code>\1</code>", out)
    out = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', out)
    out = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", out)
    return re.sub(r"(?<![\w*])\*(\S|\S[^*]*\S)\*(?![\w*])", r"<em>\1</em>", out)


def head(figure: Figure) -> str:
    """Title of the figure for a live notebook, where the book's style sheet is missing."""
    return f'<p style="font-weight:600;margin:.5em 0 0">{escape(figure.title)}</p>'


def foot(figure: Figure) -> str:
    """Caption line of the figure for a live notebook."""
    return f'<p style="font-size:.85em;opacity:.8;margin:0 0 1em">{_about(figure)}</p>'


def _about(figure: Figure) -> str:
    caption = f"{inline(figure.caption)} " if figure.caption else ""
    return f"{caption}<span>n = {escape(typeset(str(figure.n)))}.</span> <span>Source: {inline(figure.source)}.</span>"


def figure(figure: Figure, views: list[dict[str, Any]], rows: list[dict[str, Any]] | None) -> str:
    """The published figure: title, input, chart, caption and the specification that the shared script draws.

    views: Vega-Lite specifications; their data sets are pooled, so that no row is in the page twice.
    rows: records to download; None offers the largest data set of the chart.
    """
    data: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for view in views:
        data.update(view.pop("datasets", {}))
        config = view.pop("config", config)
    key = _key_of_rows(data, rows)
    parts: dict[str, Any] = {"data": data, "rows": key, "config": config, "views": views}
    if figure.control:
        parts["control"] = _texts(figure.control)
    ident = f"fig-{figure.name}"
    title = escape(figure.title)
    places = "".join('<div class="cape-view"></div>' for _ in views)
    several = " cape-several" if len(views) > 1 else ""
    return (
        f'<figure class="cape-figure" id="{ident}" aria-labelledby="{ident}-title">'
        f'<p class="cape-title" id="{ident}-title">{title}'
        f' <a class="headerlink" href="#{ident}" aria-label="Link to this figure">#</a></p>'
        f"{_control(figure.control, ident)}"
        f'<div class="cape-inputs"></div>'
        f'<div class="cape-views{several}" role="img" aria-label="{escape(figure.alt)}">{places}</div>'
        f"<noscript><p>{escape(figure.alt)} (The chart itself needs JavaScript.)</p></noscript>"
        f'<figcaption>{_about(figure)} <button type="button" class="cape-rows" hidden>Rows (CSV)</button> '
        '<button type="button" class="cape-picture" aria-live="polite" hidden>Copy picture</button></figcaption>'
        f'<script type="application/json">{_json(parts)}</script></figure>'
    )


def _key_of_rows(data: dict[str, Any], rows: list[dict[str, Any]] | None) -> str | None:
    """The data set that holds the rows to download; rows that the chart does not hold yet are added."""
    if rows is None:
        return max(data, key=lambda name: len(data[name]), default=None)
    for name, records in data.items():
        if records == rows:
            return name
    data["rows"] = rows
    return "rows"


def text_of(value: Any) -> str:
    """A value of a control as a reader sees it."""
    return typeset(f"{value:.4g}" if isinstance(value, float) else str(value))


def _texts(control: Control) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "signal": control.name,
        "values": control.values,
        "texts": [text_of(value) for value in control.values],
    }
    if any(control.readings):
        parts["readings"] = [inline(reading) for reading in control.readings]
    return parts


def _control(control: Control | None, ident: str) -> str:
    if control is None:
        return ""
    start, label = control.values.index(control.start), escape(control.label)
    now = escape(text_of(control.start))
    if all(isinstance(value, int | float) for value in control.values):
        box = (
            f'<input type="range" id="{ident}-input" min="0" max="{len(control.values) - 1}" step="1"'
            f' value="{start}" aria-valuetext="{now}"><output for="{ident}-input">{now}</output>'
        )
    else:
        options = "".join(
            f'<option value="{i}"{" selected" if i == start else ""}>{escape(text_of(value))}</option>'
            for i, value in enumerate(control.values)
        )
        box = f'<select id="{ident}-input">{options}</select>'
    reading = ""
    if any(control.readings):
        reading = f'<p class="cape-reading" aria-live="polite">{inline(control.readings[start])}</p>'
    return f'<div class="cape-control"><label for="{ident}-input">{label}</label>{box}</div>{reading}'


def _json(value: Any) -> str:
    """JSON that may stand in a page's script element."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
