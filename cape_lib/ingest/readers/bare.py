"""Results without their frame: a dictionary of tasks alone, or scores below the time of their run (bigscience)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.readers import lm_eval
from cape_lib.ingest.reading import Task, section, sources

NAME = "tasks without a frame"


def fits(document: Any) -> bool:
    """Whether tasks that we know stand at the top, or hold one more level of runs."""
    rows = document if isinstance(document, dict) else {}
    tasks_known = [row for task, row in rows.items() if sources(task, "lm-eval 0.3")]
    scored = any(isinstance(row, dict) and {"acc", "acc_norm", "mc2"} & set(row) for row in tasks_known)
    return scored or any(_runs(row) for row in section(document, "results").values())


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task | str]:
    """The scores as a file of lm-evaluation-harness would give them; of several runs of a task the last."""
    results = section(document, "results") or document
    flat = {task: _runs(row)[max(_runs(row))] if _runs(row) else row for task, row in results.items()}
    return lm_eval.tasks({"config": {}, "versions": {}} | document | {"results": flat}, path)


def _runs(row: Any) -> dict[str, Any]:
    """Run -> scores, where a task holds its runs by their times."""
    inside = row if isinstance(row, dict) else {}
    return inside if inside and all(isinstance(scores, dict) for scores in inside.values()) else {}
