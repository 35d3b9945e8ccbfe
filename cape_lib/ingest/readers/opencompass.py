"""OpenCompass summaries (CSV or Markdown): one row a data set, one column a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.benchmarks import TASKS_OPENCOMPASS, Source, mmlu_subject
from cape_lib.ingest.reading import Contents, Run, one_line, scored, short_name
from cape_lib.tables.numbers import is_blank, to_number

NAME = "OpenCompass"
_HEAD = ("dataset", "version", "metric", "mode")


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a table that begins dataset, version, metric, mode."""
    del path
    return (
        isinstance(document, list)
        and bool(document)
        and isinstance(document[0], dict)
        and (tuple(document[0])[:4] == _HEAD)
    )


def read(document: list[dict[str, str]], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of every model; they are percent, and the summary gives neither shots nor sizes."""
    models = [name for name in document[0] if name not in (*_HEAD, "total_count")]
    contents = Contents()
    for row in document:
        task, metric = one_line(row["dataset"]), one_line(row["metric"])
        subject = mmlu_subject(task.replace("lukaemon_", ""))
        known = TASKS_OPENCOMPASS.get(task.casefold(), f"mmlu/{subject}" if subject else None)
        wanted = [Source(known, metric)] if known and metric in ("accuracy", "acc", "naive_average", "score") else []
        if task in also and also[task].metric == metric:
            wanted.append(also[task])
        if not known:
            contents.others.append(task)
        parts = ["OpenCompass", "unknown-shot", f"task version {one_line(row['version'])}", one_line(row["mode"])]
        for model in models:
            if not is_blank(row[model]):
                value = to_number(row[model], decimal_comma=False)
                score = {metric: row[model] if value is None else value}
                run = Run(path=path, model=short_name(model))
                contents.readings.extend(scored(run, task, wanted, score, parts, most=100))
    return contents
