"""Chapters of three cells in place of the book's, for tests of what goes round them: they show what they were given."""

from __future__ import annotations

from pathlib import Path

import nbformat

PARAMETERS = """panel: str = "published"  # base panel: published, deduplicated or uniform
family: str = "Pythia"  # the ladder in front
scores_path: str = ""  # a CSV; "" for none
x: str = "hellaswag"
y: str = "truthfulqa"
cut_b: float = 3.5  # where to cut; 0.1 to 100
steps: int = 3
live: bool = False
"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
CODE = "from cape_lib import tables\nprint('rows', len(tables.read_scores(scores_path)), family, panel)"


def write_chapters(folder: Path) -> Path:
    """Write the notebooks 01, 02 and 06 and their audits into a new folder; returns it."""
    (folder / "audit").mkdir(parents=True)
    for stem in ("01_coupling", "02_phase_boundary", "06_frontier"):
        for title, place in (("Chapter", folder), ("Audit of", folder / "audit")):
            cells = [
                nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
                nbformat.v4.new_markdown_cell(f"# {title} {stem}\n\n[audit](audit/{stem}.ipynb)"),
                nbformat.v4.new_code_cell(CODE),
            ]
            nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), place / f"{stem}.ipynb")
    return folder
