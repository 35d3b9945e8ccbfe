"""A book of two short chapters in a checkout of its own, to break and to interrupt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = {"one": "losses", "two": "projection_sweep"}

CODE = """from cape_lib import charts, tables
import altair as alt
charts.setup()"""
FIGURE = """table = tables.load({table!r})
chart = alt.Chart(table.head(5)).mark_point().encode(x={x!r})
charts.figure(chart, title="Five rows", alt="Five points on a line, one a row", source="test", n=5, name={name!r})"""


def notebook(*cells: str, path: Path) -> Path:
    """Write a notebook: a text that begins with # is Markdown, any other is code."""
    result = []
    for i, source in enumerate(cells):
        cell: dict[str, object] = {"id": f"c{i}", "metadata": {}, "source": source}
        if source.startswith("# "):
            cell["cell_type"] = "markdown"
        else:
            cell |= {"cell_type": "code", "execution_count": None, "outputs": []}
        result.append(cell)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = json.dumps({"cells": result, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def chapter(folder: Path, name: str, *more: str) -> Path:
    """One of the two chapters, with further cells at its end."""
    table = CHAPTERS[name]
    first = (folder.parent / "data" / f"{table}.csv").read_text(encoding="utf-8").split(",")[0]
    figure = FIGURE.format(table=table, x=f"{first}:N", name=f"five-{name}")
    return notebook(f"# Chapter {name}", CODE, figure, *more, path=folder / f"{name}.ipynb")


def make(folder: Path) -> Path:
    """A checkout with the library, the tables, the style and two chapters."""
    leave = shutil.ignore_patterns("__pycache__", "[DKR]-*", "*.md", "*.ipynb", "*.bib", "*.png", "dashboard")
    for part in ("cape_lib", "data", "book"):
        shutil.copytree(ROOT / part, folder / part, ignore=leave)
    config = (ROOT / "_config.yml").read_text(encoding="utf-8").splitlines()
    (folder / "_config.yml").write_text("\n".join(line for line in config if "bibtex" not in line), encoding="utf-8")
    shutil.copy(ROOT / "requirements.txt", folder)
    (folder / "notebooks").mkdir()
    for name in CHAPTERS:
        chapter(folder / "notebooks", name)
    (folder / "book" / "intro.md").write_text("# Start\n\nRead [one](../notebooks/one.ipynb).\n", encoding="utf-8")
    listed = "".join(f"  - file: notebooks/{name}\n" for name in CHAPTERS)
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: book/intro\nchapters:\n{listed}", encoding="utf-8")
    return folder


def command(folder: Path, *options: str) -> subprocess.Popen[str]:
    """`cape book` of that checkout, begun in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cape_lib.cli", "book", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def build(folder: Path, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `cape book` in that checkout."""
    process = command(folder, *options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def pages(folder: Path) -> dict[str, bytes]:
    """Every file of the built book."""
    html = folder / "_build" / "html"
    return {str(path.relative_to(html)): path.read_bytes() for path in html.rglob("*") if path.is_file()}
