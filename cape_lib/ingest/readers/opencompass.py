"""OpenCompass summaries (CSV or Markdown): one row a data set, one column a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Contents, Run, Source, one_line, scored, short_name, sources, version_text
from cape_lib.tables.columns import is_blank, to_number

NAME = "OpenCompass"
_METRICS = ("accuracy", "acc", "naive_average", "score")
_HEAD = ("dataset", "version", "metric", "mode")


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a table that begins dataset, version, metric, mode."""
    del path
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and tuple(first)[:4] == _HEAD


def read(document: list[dict[str, str]], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of every model; they are percent, and the summary gives neither shots nor sizes."""
    models = [name for name in document[0] if name not in (*_HEAD, "total_count")]
    contents = Contents()
    for row in document:
        task, metric = one_line(row["dataset"]), one_line(row["metric"])
        known = sources(task.replace("lukaemon_", ""), NAME) or sources(task.casefold(), NAME)
        read = [Source(one.column, metric) for one in known if metric in _METRICS]
        read += [also[task]] if task in also and also[task].metric == metric else []
        contents.others.extend([] if known else [task])
        parts = [NAME, "unknown-shot", version_text(row["version"]), one_line(row["mode"])]
        for model in models:
            if not is_blank(row[model]):
                value = to_number(row[model], decimal_comma=False)
                scores = {metric: row[model] if value is None else value}
                run = Run(path=path, model=short_name(model))
                contents.readings.extend(scored(run, task, read, scores, parts, most=100))
    return contents
