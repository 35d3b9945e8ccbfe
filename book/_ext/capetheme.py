"""What the theme loads on every page and the book does not need, and what assistive technology stumbles over in it.

No Thebe anywhere, the chart scripts only where a figure is; the icons are
`cape-icons.css` (the template `static/webpack-macros.html` leaves the theme's own out).
"""

import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

#: What a script is known by -> what a page holds that needs it.
NEEDS = {
    "cape-vega.js": 'class="cape-figure"',
    "cape-charts.js": 'class="cape-figure"',
    "cape-claims.js": 'class="cape-ledger"',
    "cape-code.js": 'class="cell ',
    "cape-yours.js": 'class="cape-yours"',
}
#: The theme's rules for two thousand icons of a font that no page loads.
OF_THE_FONT = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}|@font-face\{[^{}]*Font Awesome[^{}]*\}')
UNUSED = ("scripts/fontawesome.js*", "sphinx-thebe.*", "**/*.map", "vendor/fontawesome")


def trim(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Only the scripts and style sheets that a page needs; a name for what opens a section of the sidebar."""
    body = context.get("body", "")

    def needed(file: object) -> bool:
        text = f"{getattr(file, 'filename', file)} {getattr(file, 'attributes', {}).get('body')}".lower()
        return "thebe" not in text and all(mark in body for name, mark in NEEDS.items() if name in text)

    for files in ("script_files", "css_files"):
        context[files] = [file for file in context[files] if needed(file)]
    if "generate_toctree_html" in context:
        sidebar, label = context["generate_toctree_html"], '<summary aria-label="Pages of this section">'
        context["generate_toctree_html"] = lambda *a, **k: str(sidebar(*a, **k)).replace("<summary>", label)


def no_thebe(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take out the settings of Thebe that jupyter-book puts into every page."""
    for node in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in node.astext() or node.astext().startswith("<script>kernelName"):
            node.parent.remove(node)


def in_lines(app: Sphinx, doctree: nodes.document) -> None:
    """A long signature has one argument a line by style: Sphinx makes it a list of definitions without terms."""
    for arguments in doctree.findall(addnodes.desc_parameterlist):
        if arguments.get("multi_line_parameter_list"):
            arguments["multi_line_parameter_list"] = False
            arguments.parent["classes"].append("cape-lines")


def leave_out(app: Sphinx, failure: Exception | None) -> None:
    """Of the theme's files those that no page names any more."""
    static = Path(app.outdir) / "_static"
    if app.builder.name != "html" or failure:
        return
    for path in (path for pattern in UNUSED for path in list(static.glob(pattern))):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    theme = static / "styles" / "pydata-sphinx-theme.css"
    theme.write_text(OF_THE_FONT.sub("", theme.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("doctree-read", in_lines)
    app.connect("doctree-resolved", no_thebe, priority=900)
    app.connect("html-page-context", trim, priority=900)
    app.connect("build-finished", leave_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
