"""Inspect logs: the JSON form, or what inspect-ai's own reader makes of an .eval file (see `files`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.benchmarks import TASKS_INSPECT, Source, sources
from cape_lib.ingest.reading import Contents, Run, date, one_line, scored, section, short_name, shots_text, text

NAME = "Inspect"


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a log of Inspect."""
    del path
    return "task" in section(document, "eval") and "status" in document


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The first scorer's metrics, which are fractions."""
    about, results = section(document, "eval"), section(document, "results")
    if document["status"] != "success":
        raise ScoresError(f"{path}: this log ended as {one_line(document['status'])}; run the task to the end")
    task = text(about.get("task")).rpartition("/")[2]
    target = text(section(about, "task_args").get("target"))
    task = f"{task}_{target}" if task == "truthfulqa" and target else task
    limit = section(about, "config").get("limit")
    count, whole = results.get("completed_samples"), results.get("total_samples")
    partial = "" if limit is None else f"limit {one_line(limit)}"
    if not partial and isinstance(count, int) and isinstance(whole, int) and count < whole:
        partial = f"{count} of {whole} items"
    name = text(about.get("model"))
    run = Run(
        path=path,
        model=short_name(name.partition("/")[2] or name),
        date=date(about.get("created"), path),
        partial=partial,
    )
    scores = results.get("scores")
    first = scores[0] if isinstance(scores, list) and scores and isinstance(scores[0], dict) else {}
    row = {key: section(section(first, "metrics"), key).get("value") for key in section(first, "metrics")}
    row = {**row, "accuracy_stderr": row.get("stderr")}
    known = sources(task, TASKS_INSPECT)
    wanted = (*known, *([also[task]] if task in also else []))
    shots = section(about, "task_args").get("fewshot", section(about, "task_args").get("num_fewshot"))
    version = about.get("task_version")
    parts = ["Inspect", shots_text(shots), f"task version {'unknown' if version is None else one_line(version)}"]
    return Contents(list(scored(run, task, wanted, row, parts)), [] if known else [task])
