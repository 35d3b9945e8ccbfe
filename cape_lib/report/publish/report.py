"""Executed notebooks as one HTML file that needs nothing beside it: no server, no network, no other file."""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cape_lib.imports import IRI, without
from cape_lib.output import write_whole
from cape_lib.report.publish import places

#: Style sheets of a page of the book, and the one that stands in for the theme's.
STYLES = ("cape.css", "cape-claims.css", "cape-report.css")
#: A script of the page -> what a page holds that needs it.
SCRIPTS = {"cape-charts.js": 'class="cape-figure"', "cape-sort.js": 'class="cape-sort"'}
#: Sphinx's settings: those of the book (`_config.yml`), but for what one page without a theme does differently.
SETTINGS = {
    "extensions": ["myst_nb", "sphinxcontrib.bibtex", "capebook", "capepage"],
    "myst_enable_extensions": ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"],
    "nb_execution_mode": "off",
    "nb_render_markdown_format": "myst",
    "nb_output_stderr": "remove",
    "nb_code_prompt_show": "Code",
    "nb_code_prompt_hide": "Code",
    "bibtex_reference_style": "author_year",
    "html_math_renderer": "mathml",
    "html_permalinks": False,
    "html_theme": "basic",
}


def report(executed: Sequence[Path], out_html: Path, title: str) -> None:
    """Write executed notebooks, in their order, as one self-contained HTML file with working charts.

    executed: paths that `execute` returned.
    """
    places.need("sphinx", "myst_nb", "vl_convert")
    if (extensions := str(places.book_dir() / "_ext")) not in sys.path:
        sys.path.append(extensions)
    with without(IRI):
        from sphinx.application import Sphinx

    with tempfile.TemporaryDirectory(prefix="cape-page-") as folder:
        source = Path(folder)
        names = [key(path) for path in executed]
        for name, path in zip(names, executed, strict=True):
            shutil.copyfile(path, source / f"{name}.ipynb")
        cites = any("{cite" in path.read_text(encoding="utf-8") for path in executed)
        (source / "index.md").write_text(_index(title, names, cites=cites), encoding="utf-8")
        bundle = source / places.BUNDLE
        bundle.write_text(places.vega_bundle(), encoding="utf-8")
        static = places.static_dir()
        settings = SETTINGS | {
            "html_title": title,
            "bibtex_bibfiles": [str(places.book_dir() / "references.bib")],
            "page_styles": [str(static / name) for name in STYLES],
            "page_scripts": {str(bundle): 'class="cape-figure"'}
            | {str(static / name): mark for name, mark in SCRIPTS.items()},
        }
        warnings = io.StringIO()
        out, trees = str(source / "_out"), str(source / "_trees")
        app = Sphinx(folder, None, out, trees, "singlehtml", settings, status=None, warning=warnings, freshenv=True)
        app.build()
        out_html.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out_html, (source / "_out" / "index.html").read_text(encoding="utf-8"))


def _index(title: str, names: Sequence[str], *, cites: bool) -> str:
    plain = re.sub(r"([^\w\s])", r"\\\1", title)
    links = "\n".join(f"- [](<{name}.ipynb>)" for name in names) if len(names) > 1 else ""
    chapters = "\n".join(names)
    works = "\n## References\n\n```{bibliography}\n```\n" if cites else ""
    return f"# {plain}\n\n{links}\n\n```{{toctree}}\n{chapters}\n```\n{works}"


def key(chapter: Path) -> str:
    """What a chapter is called in a report: its name, "audit-" before that of an audit."""
    return f"audit-{chapter.stem}" if chapter.parent.name == "audit" else chapter.stem
