"""OpenCompass summaries (CSV or Markdown): one row a data set, one column a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Source, Task, cell, one_line, rows_of, run_of, sources, version_text
from cape_lib.tables.columns import is_blank

NAME = "OpenCompass"
_METRICS = ("accuracy", "acc", "naive_average", "score")
_HEAD = ("dataset", "version", "metric", "mode")


def fits(document: Any) -> bool:
    """Whether the document is a table that begins dataset, version, metric, mode."""
    rows = rows_of(document)
    return bool(rows) and tuple(rows[0])[:4] == _HEAD


def tasks(document: list[dict[str, str]], path: Path) -> Iterator[Task]:
    """The scores of every model; they are percent, and the summary gives neither shots nor sizes."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in document:
        about = (one_line(row["dataset"]), version_text(row["version"]), one_line(row["mode"]))
        for model in row:
            if model not in (*_HEAD, "total_count") and not is_blank(row[model]):
                rows.setdefault((*about, model), {})[one_line(row["metric"])] = cell(row[model])
    for (name, version, mode, model), scores in rows.items():
        known = sources(name.replace("lukaemon_", ""), NAME) or sources(name.casefold(), NAME)
        metric = next((metric for metric in scores if metric in _METRICS), None)
        read = [] if metric is None else [Source(one.column, metric) for one in known]
        protocol = [NAME, "unknown-shot", version, mode]
        yield Task(run_of(path, model), name, read, scores, protocol, most=100.0, group=bool(known))
