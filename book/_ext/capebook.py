"""Only what a page needs: no Thebe anywhere, the chart scripts only where a figure is, MathJax only where a formula is.

The version of the book where a page says @VERSION@: it stands in one place, the library's. And what is typed in prose
is set like what is computed: a minus is a minus (`cape_lib.signs.typeset`).
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import cape_lib
from cape_lib.signs import typeset

CHARTS = ("cape-vega.js", "cape-charts.js")


def _holds_figure(doctree: nodes.document) -> bool:
    return any('class="cape-figure"' in node.astext() for node in doctree.findall(nodes.raw))


def _holds_ledger(doctree: nodes.document) -> bool:
    return any('class="cape-ledger"' in node.astext() for node in doctree.findall(nodes.raw))


def _holds_form(doctree: nodes.document) -> bool:
    return any('class="cape-yours"' in node.astext() for node in doctree.findall(nodes.raw))


def _holds_cell(doctree: nodes.document) -> bool:
    return any("cell" in node["classes"] for node in doctree.findall(nodes.container))


def _holds_formula(doctree: nodes.document) -> bool:
    return any(True for kind in (nodes.math, nodes.math_block) for _ in doctree.findall(kind))


def trim(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    charts = doctree is not None and _holds_figure(doctree)
    ledger = doctree is not None and _holds_ledger(doctree)
    form = doctree is not None and _holds_form(doctree)
    cells = doctree is not None and _holds_cell(doctree)
    formulas = doctree is not None and _holds_formula(doctree)

    def needed(script: object) -> bool:
        name = str(getattr(script, "filename", script) or "")
        body = str(getattr(script, "attributes", {}).get("body") or "")
        if "thebe" in name.lower() or "thebe" in body.lower():
            return False
        if any(chart in name for chart in CHARTS):
            return charts
        if "cape-claims.js" in name:
            return ledger
        if "cape-code.js" in name:
            return cells
        if "cape-yours.js" in name:
            return form
        if "mathjax" in name.lower() or "mathjax" in body.lower():
            return formulas
        return True

    context["script_files"] = [script for script in context["script_files"] if needed(script)]
    context["css_files"] = [
        sheet for sheet in context["css_files"] if "thebe" not in str(getattr(sheet, "filename", sheet))
    ]


def state_version(app: Sphinx, pagename: str, source: list[str]) -> None:
    source[0] = source[0].replace("@VERSION@", cape_lib.__version__)


#: What is shown as it was written: code, formulas, signatures.
AS_WRITTEN = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw, addnodes.desc_signature)


def set_prose(app: Sphinx, doctree: nodes.document) -> None:
    for text in list(doctree.findall(nodes.Text)):
        above = text.parent
        while above is not None and not isinstance(above, AS_WRITTEN):
            above = above.parent
        follows = text.parent is not None and text.parent.index(text) > 0 and text.startswith("-")
        if above is None and not follows:  # a hyphen after a piece of code is part of a name
            shown = typeset(text.astext())
            if shown != text.astext():
                text.parent.replace(text, nodes.Text(shown))


def setup(app: Sphinx) -> dict:
    app.connect("source-read", state_version)
    app.connect("doctree-read", set_prose)
    app.connect("html-page-context", trim, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
