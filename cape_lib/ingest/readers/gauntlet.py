"""LLM Foundry's gauntlet: the table that it prints, as Markdown or CSV, one row a benchmark and model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.benchmarks import TASKS_GAUNTLET, Source, sources
from cape_lib.ingest.reading import Contents, Run, one_line, scored, short_name, shots_text
from cape_lib.tables.numbers import to_number

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
        known = sources(task, TASKS_GAUNTLET)
        wanted = (*known, *([also[task]] if task in also else []))
        value = to_number(row["Accuracy"], decimal_comma=False)
        scores = {source.metric: row["Accuracy"] if value is None else value for source in wanted}
        run = Run(path=path, model=short_name(row["Model"]))
        contents.readings.extend(scored(run, task, wanted, scores, ["LLM Foundry", shots_text(row["Number few shot"])]))
        contents.others.extend([] if known else [task])
    return contents
