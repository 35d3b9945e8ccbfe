"""LLM Foundry's gauntlet: the table that it prints, as Markdown or CSV, one row a benchmark and model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Contents, Run, Source, one_line, short_name, shots_text, sources
from cape_lib.tables.columns import to_number

NAME = "LLM Foundry gauntlet"


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a table with the gauntlet's columns."""
    del path
    head = {"Benchmark", "Accuracy", "Number few shot", "Model"}
    return isinstance(document, list) and bool(document) and isinstance(document[0], dict) and head <= set(document[0])


def read(document: list[dict[str, str]], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of every model in the table, which are fractions; a benchmark's subtasks are left out."""
    contents = Contents()
    for row in document:
        task = one_line(row["Benchmark"])
        if row.get("Subtask", "").strip() not in ("", "Average"):
            continue
        known = sources(task, "LLM Foundry")
        value = to_number(row["Accuracy"], decimal_comma=False)
        scores = {"accuracy": row["Accuracy"] if value is None else value}
        run = Run(path=path, model=short_name(row["Model"]))
        contents.take(run, task, known, scores, ["LLM Foundry", shots_text(row["Number few shot"])], also=also)
    return contents
