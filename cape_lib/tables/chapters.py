"""What a chapter is about: a panel, one family in front of it, and perhaps the reader's own scores."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cape_lib.tables.base import base, ladder
from cape_lib.tables.benchmarks import BASE_BENCHMARKS
from cape_lib.tables.frontier import frontier
from cape_lib.tables.scores import read_scores

SOURCES = {
    "published": "[base panel as published](../book/data.html#base-panel)",
    "deduplicated": "[base panel, 61 different models](../book/data.html#base-panel)",
    "uniform": "[uniform panel](../book/data.html#uniform-panel), one harness (Ruan et al. 2024)",
}


@dataclass(frozen=True)
class ChapterRows:
    """The rows of a chapter: `panel` (background and own), `ladder` (the family in front), `own` (is it the reader's?).

    `source` says in Markdown where the rows are from; `family` is the name of the family in front.
    """

    panel: pd.DataFrame
    ladder: pd.DataFrame
    family: str
    own: bool
    source: str


def chapter(
    panel: str, family: str, *, scores_path: str = "", x: str = "hellaswag", y: str = "truthfulqa"
) -> ChapterRows:
    """The rows that a chapter draws: a panel with one of its ladders in front, or with the reader's family in front.

    panel: a base panel; family: a ladder of it or, with `scores_path`, the name of the reader's family; scores_path: a
    CSV that `read_scores` accepts ("" for none).  x, y: the pair. Where the panel does not have them, the reader's
    rows stand alone.  Raises UsageError for an unknown panel or ladder, ScoresError for a bad file.
    """
    if not scores_path:
        return ChapterRows(base(panel), ladder(family, panel=panel), family, False, SOURCES[panel])
    own = read_scores(scores_path, x=x, y=y).assign(family=family, ladder=family)
    own = own.sort_values("params_b", ignore_index=True)
    known = {x, y} <= set(BASE_BENCHMARKS)
    background = base(panel) if known else base(panel).iloc[:0]
    rows = pd.concat([own, background], ignore_index=True) if known else own
    source = f"your scores ({family})" + (f"; background: {SOURCES[panel]}" if known else "")
    return ChapterRows(rows, own, family, True, source)


@dataclass(frozen=True)
class FrontierRows:
    """The rows of a frontier chapter: `panel` (the releases known), `own` (the reader's, perhaps empty), `source`."""

    panel: pd.DataFrame
    own: pd.DataFrame
    source: str


FRONTIER_SOURCES = {
    "published": "[frontier panel as published](../book/data.html#frontier-panel)",
    "corrected": "[frontier panel, corrected](../book/data.html#frontier-panel)",
    "sourced": "[frontier panel, sourced cells only](../book/data.html#frontier-panel)",
    "current": "[every release known](../book/data.html#frontier-panel)",
}


def frontier_chapter(panel: str, *, family: str = "", scores_path: str = "") -> FrontierRows:
    """The releases of a frontier chapter, with the reader's own beside them.

    panel: a frontier panel; scores_path: a CSV with model, swe_bench_verified and gpqa_diamond ("" for none); family:
    the name under which the reader's releases are shown as a lab.  Raises UsageError, ScoresError, MissingError.
    """
    rows = frontier(panel)
    if not scores_path:
        return FrontierRows(rows, rows.iloc[:0], FRONTIER_SOURCES[panel])
    own = read_scores(scores_path, x="swe_bench_verified", y="gpqa_diamond")
    dated = own["release_date"] if "release_date" in own else pd.Series(pd.NA, index=own.index, dtype="object")
    own = own.assign(lab=family or "your lab", release_date=dated, released=pd.to_datetime(dated, errors="coerce"))
    return FrontierRows(rows, own, f"{FRONTIER_SOURCES[panel]}; your scores ({family or 'your lab'})")
