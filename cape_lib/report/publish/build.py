"""Executed notebooks as pages: the whole book by jupyter-book, or one HTML file that needs nothing beside it."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from cape_lib.errors import CapeError
from cape_lib.imports import IRI, without
from cape_lib.output import digest, locked, once, whole_folder, write_whole
from cape_lib.report.publish import execution
from cape_lib.signs import literal
from cape_lib.tables.files import data_dir

KEY = ".cape-book"
VEGA_LITE = "6.4"
BUNDLE = "cape-vega.js"
#: Style sheets of a page of the book, and the one that stands in for the theme's.
STYLES = ("cape.css", "cape-claims.css", "cape-report.css")
#: A script of the page -> what a page holds that needs it.
SCRIPTS = {"cape-charts.js": 'class="cape-figure"', "cape-sort.js": 'class="cape-sort"'}
#: Sphinx's settings of one page: those of the book (`_config.yml`), but for what differs without a theme.
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


def book(out: Path = Path("_build"), *, jobs: int = 2, fresh: bool = False, quiet: bool = False) -> Path:
    """Execute the notebooks of the table of contents, build the book; returns `out/html/index.html`.

    out: folder of the result, of the executed copies and of the work under way.  jobs: kernels at a time.
    fresh: forget the executed copies.  Raises CapeError for a cell error or a warning of the builder; the last good
    book then stays as it is, as it does when the command is interrupted or killed.
    """
    tell = execution.speaker(quiet)
    out = Path(os.path.abspath(out))
    out.mkdir(parents=True, exist_ok=True)
    with locked(out, held=lambda: tell(f"another build is at work in {out}; waiting for it")) as lock:
        work, html = out / ".work", out / "html"
        shutil.rmtree(work, ignore_errors=True)
        executed = _executed(out / "executed", jobs=jobs, fresh=fresh, tell=tell)
        key = _key(executed)
        if not fresh and (html / "index.html").is_file() and _read(html / KEY) == key:
            tell("nothing changed since the last build")
            return html / "index.html"
        try:
            with whole_folder(html) as draft:
                _assemble(work / "src", executed, out / "cache")
                tell("building the pages")
                _pages(work, out, lock).rename(draft)
                (draft / KEY).write_text(key, encoding="utf-8")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return html / "index.html"


def settings() -> tuple[Path, Path]:
    """The settings and the table of contents of the book."""
    return execution.source_of("_config.yml", "_site/_config.yml"), execution.source_of("_toc.yml", "_site/_toc.yml")


def book_sources() -> dict[str, Path]:
    """Every file that the builder needs beside the notebooks: path in the book -> file.

    The tables come along to be downloaded, their datasheet and the pages at the root for `include`.
    """
    config, toc = settings()
    pages, tables, folder = execution.checkout() or execution.PACKAGE / "_site", data_dir(), execution.book_dir()
    files = {"_config.yml": config, "_toc.yml": toc}
    files |= {page.name: page for pattern in ("*.md", "*.cff", "LICENSE") for page in pages.glob(pattern)}
    downloads = [table for table in tables.glob("*") if table.is_file()] + list(tables.glob("*/*.csv"))
    files |= {f"data/{table.relative_to(tables).as_posix()}": table for table in downloads}
    for path in folder.rglob("*"):
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
            files[f"book/{path.relative_to(folder).as_posix()}"] = path
    return files


def vega_bundle(cache: Path | None = None) -> str:
    """Vega, Vega-Lite and Vega-Embed as one classic script, which all pages share; with `cache`, stored there."""

    def bundled() -> bytes:
        import vl_convert

        # Wrapped: the bundle's short names must not become names of the page.
        bundle: str = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
        return ("(function () {\n" + bundle.replace("</script", "<\\/script") + "\n})();\n").encode()

    return once(cache and cache / f"vega-{version('vl-convert-python')}-{VEGA_LITE}.js", bundled).decode()


def toc_notebooks() -> dict[str, Path]:
    """Path in the book -> source, of every notebook in the table of contents, in its order."""
    listed = re.findall(r"^\s*(?:-\s*)?(?:file|root):\s*['\"]?([^'\"\s#]+)", _read(settings()[1]), re.M)
    story = execution.notebooks_dir()
    folders = {"notebooks": story, "notebooks/audit": story / "audit", "book": execution.book_dir()}
    notebooks = {}
    for entry in listed:
        folder, _, stem = entry.removesuffix(".ipynb").rpartition("/")
        path = folders.get(folder, Path()) / f"{stem}.ipynb"
        if path.is_file():
            notebooks[f"{folder}/{stem}.ipynb"] = path
        elif folder.startswith("notebooks"):
            raise CapeError(f"_toc.yml: {entry}: there is no such notebook")
    return notebooks


def _executed(folder: Path, *, jobs: int, fresh: bool, tell: execution.Tell) -> dict[str, str]:
    """Executed copies by path in the book; those whose sources are unchanged come from the cache."""
    notebooks, sources = toc_notebooks(), execution.sources()
    keys = {name: digest(sources + execution.of_files([path])) for name, path in notebooks.items()}
    before = {name: execution.stored(folder, name) for name in notebooks}
    copies = {name: old["text"] for name, old in before.items() if old.get("key") == keys[name] and not fresh}
    # Those that took longest start first; an unknown one counts as the longest.
    stale = [name for name in notebooks if name not in copies]
    stale.sort(key=lambda name: -before[name].get("seconds", float("inf")))
    names = {notebooks[name]: name for name in stale}
    log = folder.parent / "execution.log"
    log.unlink(missing_ok=True)
    try:
        for run in execution.run_all({path: {} for path in names}, jobs=jobs, tell=tell):
            name = names[run.path]
            execution.store(folder, name, run, key=keys[name])
            copies[name] = run.text
    except CapeError as error:
        log.write_text("\n\n".join([str(error), *getattr(error, "__notes__", [])]) + "\n", encoding="utf-8")
        tell(f"the whole traceback is in {log}")
        raise
    return copies


def _key(executed: Mapping[str, str]) -> str:
    """Digest of all that the pages are made of."""
    parts = [f"{name} {digest(text)}" for name, text in sorted(executed.items())]
    parts += [f"{name} {execution.of_files([path])}" for name, path in sorted(book_sources().items())]
    # The pages of the reference are made of the library's own docstrings.
    library = execution.of_files(execution.PACKAGE.rglob("*.py"))
    return digest("\n".join([execution.packages(), _settings(), library, *parts]))


def _settings() -> str:
    """The builder's settings; a fork's own address replaces ours (CAPE_REPOSITORY, CAPE_BRANCH), for its buttons."""
    text = _read(settings()[0])
    for name, key in (("CAPE_REPOSITORY", "url"), ("CAPE_BRANCH", "branch")):
        if value := os.environ.get(name):
            text = re.sub(rf"^  {key}: .*$", lambda _: f"  {key}: {value}", text, count=1, flags=re.M)  # noqa: B023
    return text


def _assemble(source: Path, executed: Mapping[str, str], stored: Path) -> None:
    """The folder that the builder reads: pages, settings, executed notebooks, scripts."""
    # What the library computes links from a page one folder deep; an audit is two.
    deep = {name: re.sub(r"(?<![./])\.\./(book|notebooks)/", r"../../\1/", text) for name, text in executed.items()}
    texts = {name: deep[name] if name.count("/") > 1 else text for name, text in executed.items()}
    texts |= {"_config.yml": _settings(), f"book/_static/{BUNDLE}": vega_bundle(stored)}
    for name, content in (book_sources() | texts).items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content.encode() if isinstance(content, str) else content.read_bytes())


def _pages(work: Path, out: Path, lock: int) -> Path:
    """Run jupyter-book, warnings as errors; returns the folder of the pages. Its output goes to `build.log` in `out`.

    The builder holds the lock too: should this process be killed, the next build waits until the builder has ended.
    """
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", "-W", "-n", "--keep-going", str(work / "src"), "--path-output", str(work)]
    environment = os.environ | {"PYTHONHASHSEED": "0", "NO_COLOR": "1", "CAPE_CACHE": str(out / "cache")}
    done = subprocess.run(command, text=True, capture_output=True, env=environment, check=False, pass_fds=[lock])
    log = out / "build.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        source = str(work / "src") + os.sep
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).replace(source, "")
        warnings = [line for line in plain.splitlines() if re.search(r"WARNING|ERROR|Error\b|rror:", line)]
        warnings = list(dict.fromkeys(warnings))[:12] or plain.splitlines()[-5:]
        raise CapeError(f"jupyter-book stopped; all it said is in {log}: " + "; ".join(warnings))
    return work / "_build" / "html"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def report(executed: Sequence[Path], out_html: Path, title: str) -> None:
    """Write executed notebooks, in their order, as one self-contained HTML file with working charts.

    executed: paths that `execute` returned.
    """
    if (extensions := str(execution.book_dir() / "_ext")) not in sys.path:
        sys.path.append(extensions)
    with without(IRI):
        from sphinx.application import Sphinx

    with tempfile.TemporaryDirectory(prefix="cape-page-") as folder:
        source, names = Path(folder), [key(path) for path in executed]
        for name, path in zip(names, executed, strict=True):
            shutil.copyfile(path, source / f"{name}.ipynb")
        cites = any("{cite" in _read(path) for path in executed)
        links = "\n".join(f"- [](<{name}.ipynb>)" for name in names) if len(names) > 1 else ""
        chapters = "\n".join(names)
        works = "\n## References\n\n```{bibliography}\n```\n" if cites else ""
        index = f"# {literal(title)}\n\n{links}\n\n```{{toctree}}\n{chapters}\n```\n{works}"
        (source / "index.md").write_text(index, encoding="utf-8")
        bundle, static = source / BUNDLE, execution.static_dir()
        bundle.write_text(vega_bundle(), encoding="utf-8")
        of_page = SETTINGS | {
            "html_title": title,
            "bibtex_bibfiles": [str(execution.book_dir() / "references.bib")],
            "page_styles": [str(static / name) for name in STYLES],
            "page_scripts": {str(bundle): 'class="cape-figure"'}
            | {str(static / name): mark for name, mark in SCRIPTS.items()},
        }
        out, trees = str(source / "_out"), str(source / "_trees")
        app = Sphinx(folder, None, out, trees, "singlehtml", of_page, None, warning=io.StringIO(), freshenv=True)
        app.build()
        out_html.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out_html, _read(source / "_out" / "index.html"))


def key(chapter: Path) -> str:
    """What a chapter is called in a report: its name, "audit-" before that of an audit."""
    return f"audit-{chapter.stem}" if chapter.parent.name == "audit" else chapter.stem
