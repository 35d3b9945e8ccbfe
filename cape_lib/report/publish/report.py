"""Executed notebooks as one HTML file that needs nothing beside it: no server, no network, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import nbformat

import cape_lib
from cape_lib.output import write_whole
from cape_lib.report.publish import markdown, places

_THEME = (
    "document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';"
)
#: Style sheets of a page of the book, and the one that stands in for the theme's.
STYLES = ("cape.css", "cape-claims.css", "cape-report.css")


def report(executed: Sequence[Path], out_html: Path, title: str, *, summary: str = "") -> None:
    """Write executed notebooks, in their order, as one self-contained HTML file with working charts.

    executed: paths that `execute` returned.  summary: Markdown that stands before the first chapter.
    """
    places.need("mdit_py_plugins", "docutils", "vl_convert")
    notebooks = {key(path): nbformat.read(path, as_version=4) for path in executed}

    def anchor(address: str) -> str | None:
        chapter = key(Path(address.split("#")[0]))
        return f"#{chapter}" if chapter in notebooks else None

    html_of = markdown.renderer(anchor)
    chapters = "".join(
        f'<section id="{escape(stem)}">{"".join(_cell(cell, html_of) for cell in notebook.cells)}</section>'
        for stem, notebook in notebooks.items()
    )
    links = "".join(
        f'<li><a href="#{escape(stem)}">{escape(_title(nb, stem))}</a></li>' for stem, nb in notebooks.items()
    )
    sheet = "".join((places.static_dir() / name).read_text(encoding="utf-8") for name in STYLES)
    scripts = ""
    if 'class="cape-figure"' in chapters:
        drawing = (places.static_dir() / "cape-charts.js").read_text(encoding="utf-8")
        scripts = f"<script>{places.vega_bundle()}</script><script>{drawing}</script>"
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><script>{_THEME}</script><style>{sheet}</style></head><body>"
        f"<header><h1>{escape(title)}</h1></header><main>{html_of(summary)}"
        f'<nav aria-label="Chapters"><ul>{links}</ul></nav>{chapters}</main>'
        f"<footer>Made by the CAPE book, version {cape_lib.__version__}. This file works without a network.</footer>"
        f"{scripts}</body></html>\n"
    )
    out_html.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out_html, page)


def key(chapter: Path) -> str:
    """What a chapter is called in a report: its name, "audit-" before that of an audit."""
    return f"audit-{chapter.stem}" if chapter.parent.name == "audit" else chapter.stem


def _title(notebook: Any, stem: str) -> str:
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith("# "):
                return str(line[2:].strip())
    return stem


def _cell(cell: Any, html_of: Any) -> str:
    tags = set(cell.metadata.get("tags", []))
    if "remove-cell" in tags:
        return ""
    if cell.cell_type == "markdown":
        return str(html_of(cell.source))
    if cell.cell_type != "code":
        return ""
    source = ""
    if cell.source.strip() and "remove-input" not in tags:
        code = escape(cell.source)
        source = f'<details class="code"><summary>Code</summary><pre><code>{code}</code></pre></details>'
    outputs = "" if "remove-output" in tags else "".join(_output(output, html_of) for output in cell.outputs)
    return f"<div>{outputs}</div>{source}" if outputs else source


def _output(output: Any, html_of: Any) -> str:
    if output.output_type == "stream":
        return f"<pre>{escape(output.text)}</pre>" if output.name == "stdout" else ""
    data = output.get("data", {})
    if "text/html" in data:
        return str(data["text/html"])
    if "text/markdown" in data:
        return str(html_of(data["text/markdown"]))
    if "image/png" in data:
        alt = escape(str(data.get("text/plain", "picture")))
        return f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
    return f"<pre>{escape(str(data['text/plain']))}</pre>" if "text/plain" in data else ""
