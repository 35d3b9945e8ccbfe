"""The story: answers that follow the rows, chapters in their form, no false sentence for an opposite family."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from cape_lib import story, tables
from cape_lib.base import coupling
from cape_lib.errors import UsageError
from cape_lib.story import coupling as chapter_1

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [ROOT / "notebooks" / f"{name}.ipynb" for name in ("01_coupling", "09_asked_again", "10_along_training")]


def code(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def family(name: str, truthfulqa: list[float], *, hellaswag: tuple[float, float] = (30.0, 75.0)) -> pd.DataFrame:
    """A made family of as many sizes as scores, reasoning rising evenly over them."""
    count = len(truthfulqa)
    return pd.DataFrame(
        {
            "model": [f"{name}-{i}" for i in range(count)],
            "family": name,
            "ladder": name,
            "params_b": np.geomspace(0.2, 20, count).round(3),
            "hellaswag": np.linspace(*hellaswag, count),
            "truthfulqa": truthfulqa,
        }
    )


def answer_of(*families: pd.DataFrame, own: bool = False) -> story.Answer:
    panel = pd.concat(families, ignore_index=True)
    at = tables.ChapterRows(panel, families[0], str(families[0]["family"].iloc[0]), own, "test", "", "")
    ends, ladders = coupling.whole_ladder(families[0]), coupling.whole_ladders(panel)
    return chapter_1.answer(at, ladders, ends, x="hellaswag", y="truthfulqa")


FALLS, RISES, STAYS = (
    family("Falls", [46, 40, 34, 30]),
    family("Rises", [35, 42, 49, 56]),
    family("Stays", [40, 41, 40, 41]),
)


@pytest.mark.parametrize(
    ("families", "lead"),
    [
        ((FALLS, RISES), "In some families"),
        ((FALLS, STAYS), "Yes, where it can be told"),
        ((RISES, STAYS), "No, where it can be told"),
        ((STAYS,), "That cannot be told"),
    ],
)
def test_the_answer_on_coupling_follows_the_families(families: tuple[pd.DataFrame, ...], lead: str) -> None:
    one = answer_of(*families)
    assert one.sentence.startswith(f"**{lead}"), one.sentence
    assert one.grade == "correlation"


def test_the_answer_on_coupling_counts_what_it_names() -> None:
    one = answer_of(FALLS, RISES, STAYS)
    assert "1 of 3 families get better at HellaSwag and worse at TruthfulQA (Falls)" in one.sentence
    assert "1 get better at both (Rises), and for 1 score noise" in one.sentence
    assert "-16.0 points of TruthfulQA" in one.interval


@pytest.mark.parametrize(("rows", "verb"), [(FALLS, "loses **16.0"), (RISES, "gains **21.0")])
def test_a_family_of_the_reader_answers_for_itself(rows: pd.DataFrame, verb: str) -> None:
    one = answer_of(rows, own=True)
    assert verb in one.sentence and "beyond score noise" in one.sentence
    assert one.grade == "single case"


def test_an_answer_without_a_grade_or_an_interval_is_refused() -> None:
    with pytest.raises(UsageError, match="grade"):
        story.Answer("It is so.", "surely", "n = 3")
    with pytest.raises(UsageError, match="interval"):
        story.Answer("It is so.", "correlation", " ")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_first_thing_that_a_chapter_shows_is_its_computed_answer(path: Path) -> None:
    shown = [cell for cell in code(path) if "remove-cell" not in tags(cell) and "parameters" not in tags(cell)]
    assert re.match(r"answer\(\w+[\w.]*\(", shown[0].source), shown[0].source
    before = nbformat.read(path, as_version=4).cells
    prose = [cell.source for cell in before[: before.index(shown[0])] if cell.cell_type == "markdown"]
    assert len(prose) == 1 and re.fullmatch(r"# [^\n]+\n\n\*\*[^*]+\?\*\*", prose[0]), (
        "only title and question before it"
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_section_shows_at_most_one_cell_of_at_most_four_lines(path: Path) -> None:
    shown, sections = 0, 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.M):
            sections, shown = sections + 1, 0
        if cell.cell_type == "code" and not tags(cell) & {"hide-input", "remove-input", "remove-cell"}:
            shown += 1
            assert shown == 1 and len(cell.source.splitlines()) <= 4, cell.source
    assert sections >= 3


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_leads_to_its_audit_and_ends_with_what_to_remember(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert f"](audit/{path.stem}.ipynb" in prose
    assert code(path)[-1].source.startswith("remember(")
    assert "Next: [" in cells[-1].source or path.stem.startswith("08")
