"""Notebooks as one page that needs nothing beside it: no server, no network, no other file.

A builder in the place of Sphinx's own for a single page: styles and scripts stand in the page.
"""

from html import escape
from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.singlehtml import SingleFileHTMLBuilder

import cape_lib

THEME = (
    "document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><script>{theme}</script><style>{styles}</style></head><body><main>
{body}
</main><footer>Made by the CAPE book, version {version}. This file works without a network.</footer>
{scripts}</body></html>
"""


class OnePage(SingleFileHTMLBuilder):
    """Every document of the source folder as `index.html`, which is all that is written."""

    def handle_page(self, pagename: str, addctx: dict, *_: object, **__: object) -> None:
        config, body = self.config, addctx["body"]
        scripts = [path for path, mark in config.page_scripts.items() if mark in body]
        page = PAGE.format(
            title=escape(config.html_title),
            theme=THEME,
            styles="".join(Path(path).read_text(encoding="utf-8") for path in config.page_styles),
            body=body,
            version=cape_lib.__version__,
            scripts="".join(f"<script>{Path(path).read_text(encoding='utf-8')}</script>" for path in scripts),
        )
        (Path(self.outdir) / "index.html").write_text(page, encoding="utf-8")

    def write_doc_serialized(self, docname: str, doctree: nodes.document) -> None:
        """No index for a search."""

    def finish(self) -> None:
        """No further files; one extension wants to put its own beside the page."""
        (Path(self.outdir) / "_static").mkdir()


def fit(app: Sphinx, doctree: nodes.document) -> None:
    """A table scrolls inside itself; a link to a built page of the book leads to that chapter, where it is here."""
    for table in list(doctree.findall(nodes.table)):
        start, end = '<div class="cape-table" tabindex="0" role="group" aria-label="Table">', "</div>"
        table.parent.insert(table.parent.index(table), nodes.raw("", start, format="html"))
        table.parent.insert(table.parent.index(table) + 1, nodes.raw("", end, format="html"))
    for link in list(doctree.findall(addnodes.pending_xref)):
        page = PurePosixPath(link["reftarget"].partition("#")[0])
        chapter = f"audit-{page.stem}" if page.parent.name == "audit" else page.stem
        if page.suffix in (".html", ".ipynb") and chapter in app.env.found_docs:
            link.replace_self(nodes.reference("", "", *link.children, refuri=f"#document-{chapter}"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_builder(OnePage, override=True)
    app.add_config_value("page_styles", [], "html")
    app.add_config_value("page_scripts", {}, "html")
    app.connect("doctree-read", fit)
    return {"parallel_read_safe": True}
