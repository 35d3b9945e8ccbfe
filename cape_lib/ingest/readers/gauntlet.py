"""LLM Foundry's gauntlet: the table that it prints, as Markdown or CSV, one row a benchmark and model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Task, cell, rows_of, run_of, shots_text, sources

NAME = "LLM Foundry gauntlet"


def fits(document: Any) -> bool:
    """Whether the document is a table with the gauntlet's columns."""
    rows = rows_of(document)
    return bool(rows) and {"Benchmark", "Accuracy", "Number few shot", "Model"} <= set(rows[0])


def tasks(document: list[dict[str, str]], path: Path) -> Iterator[Task]:
    """The scores of every model in the table, which are fractions; a benchmark's subtasks are left out."""
    for row in document:
        if row.get("Subtask", "").strip() in ("", "Average"):
            name = row["Benchmark"].strip()
            protocol = ["LLM Foundry", shots_text(row["Number few shot"])]
            run = run_of(path, row["Model"])
            yield Task(run, name, sources(name, "LLM Foundry"), {"accuracy": cell(row["Accuracy"])}, protocol)
