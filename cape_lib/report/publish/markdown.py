"""The chapters' Markdown as plain HTML for a report: tables, formulas as MathML, admonitions; no builder, no script."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from cape_lib.report.publish import places
from cape_lib.signs import typeset

_DIRECTIVE = re.compile(r"\{([\w-]+)\}\s*(.*)")
_SILENT = {"toctree", "bibliography", "include", "contents", "tableofcontents"}


def renderer(anchor: Callable[[str], str | None]) -> Callable[[str], str]:
    """A function from Markdown to HTML. `anchor` turns a relative link into the report's own address, or None."""
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.use(dollarmath_plugin, renderer=lambda tex, options: mathml(tex, block=options["display_mode"]))
    reader.use(amsmath_plugin, renderer=lambda tex: mathml(tex, block=True)).use(colon_fence_plugin).use(
        myst_role_plugin
    )

    def directive(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        match = _DIRECTIVE.match(tokens[index].info)
        if not match:
            return f"<pre><code>{escape(tokens[index].content)}</code></pre>\n"
        name, title = match.groups()
        if name in _SILENT:
            return ""
        body = "\n".join(line for line in tokens[index].content.splitlines() if not re.match(r":[\w-]+:", line))
        inside = reader.render(body)
        heading = title if name == "admonition" else name.capitalize()
        return f'<aside class="admonition {name}"><p class="admonition-title">{escape(heading)}</p>{inside}</aside>\n'

    def role(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        name, content = tokens[index].meta["name"], tokens[index].content
        if name == "math":
            return mathml(content, block=False)
        text = re.sub(r"\s*<[^>]*>\s*$", "", content)
        return cited(text) if name.startswith("cite") else escape(text)

    def heading(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        # The report has the one heading of the first level: every heading of a chapter goes one down.
        level = min(int(tokens[index].tag[1:]) + 1, 6)
        return f"<h{level}>" if tokens[index].nesting == 1 else f"</h{level}>\n"

    def link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        address = str(tokens[index].attrGet("href") or "")
        if not re.match(r"(https?:|mailto:|#)", address):
            address = anchor(address) or ""
        return f'<a href="{escape(address)}">' if address else "<a>"

    def words(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return escape(typeset(tokens[index].content), quote=False)

    def table_open(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return '<div class="cape-table" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    for name, rule in {
        "text": words,
        "table_open": table_open,
        "table_close": table_close,
        "fence": directive,
        "colon_fence": directive,
        "myst_role": role,
        "heading_open": heading,
        "heading_close": heading,
        "link_open": link,
    }.items():
        reader.add_render_rule(name, rule)
    return lambda text: str(reader.render(text))


def mathml(tex: str, *, block: bool) -> str:
    """A TeX formula as MathML; as code, where the translator does not know a macro."""
    from docutils.utils.math import latex2mathml

    try:
        return str(latex2mathml.tex2mathml(tex.strip(), as_block=block))
    except Exception:  # the translator's own errors differ from version to version
        return f"<code>{escape(tex.strip())}</code>"


def cited(keys: str) -> str:
    """HTML for the content of a `cite` role, "key" or "key, key": author and year, with a link to the work.

    A key that the bibliography lacks stays as it is.
    """
    bibliography = (places.book_dir() / "references.bib").read_text(encoding="utf-8")
    return f"({'; '.join(_work(key.strip(), bibliography) for key in keys.split(','))})"


def _work(key: str, bibliography: str) -> str:
    entry = re.search(rf"^@\w+\{{{re.escape(key)},(.*?)^\}}", bibliography, re.M | re.S)
    fields = dict(re.findall(r"^\s*(\w+) = \{(.*)\},?$", entry[1], re.M)) if entry else {}
    if not {"author", "year"} <= fields.keys():
        return escape(key)
    authors = fields["author"].split(" and ")
    family = authors[0].split(",")[0] if "," in authors[0] else authors[0].split()[-1]
    more = "" if len(authors) == 1 else f" and {authors[1].split()[-1]}" if len(authors) == 2 else " et al."
    text = escape(f"{family}{more} {fields['year']}")
    return f'<a href="{escape(fields["url"])}">{text}</a>' if "url" in fields else text
