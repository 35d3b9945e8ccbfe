"""Inspect logs: the JSON form, or what inspect-ai's own reader makes of an .eval file (see `files`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.reading import (
    Contents,
    Run,
    Source,
    date,
    limit_text,
    one_line,
    section,
    short_name,
    shots_text,
    sources,
    text,
    version_text,
)

NAME = "Inspect"


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a log of Inspect."""
    del path
    return "task" in section(document, "eval") and "status" in document


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The metrics of the scorer that the log names first, which are fractions."""
    about, results = section(document, "eval"), section(document, "results")
    if document["status"] != "success" or document.get("invalidated"):
        ended = "was marked invalid" if document.get("invalidated") else f"ended as {one_line(document['status'])}"
        raise ScoresError(f"{path}: this log {ended}; run the task to the end")
    options, name = section(about, "task_args"), text(about.get("model"))
    task, target = text(about.get("task")).rpartition("/")[2], text(options.get("target"))
    task = f"{task}_{target}" if task == "truthfulqa" and target else task
    scores = [one for one in results.get("scores") or [] if isinstance(one, dict)]
    chosen = section(results, "headline").get("score") or (scores[0].get("name") if scores else None)
    first = next((one for one in scores if one.get("name") == chosen), {})
    others = [text(one.get("name")) for one in scores if one is not first]
    partial = _partial(about, results, first)
    model = short_name(name.partition("/")[2] or name)
    run = Run(path=path, model=model, date=date(about.get("created"), path), partial=partial)
    row = {key: section(section(first, "metrics"), key).get("value") for key in section(first, "metrics")}
    row = {**row, "accuracy_stderr": row.get("stderr")}
    parts = ["Inspect", shots_text(options.get("fewshot", options.get("num_fewshot")))]
    parts.append(version_text(about.get("task_version")))
    note = f"{path.name}: {task} by the scorer {text(chosen)}; not read: {', '.join(others)}"
    contents = Contents(notes=[note] if others else [])
    return contents.take(run, task, sources(task, "Inspect"), row, parts, also=also)


def _partial(about: Mapping[str, Any], results: Mapping[str, Any], score: Mapping[str, Any]) -> str:
    """Why a run is not the whole test: a limit, samples chosen or not finished, answers without a score."""
    if limit := limit_text(section(about, "config").get("limit")):
        return limit
    dataset, every = section(about, "dataset"), results.get("total_samples")
    chosen = dataset.get("sample_ids")
    pairs = [(results.get("completed_samples"), every)]
    pairs += [(len(chosen), dataset.get("samples"))] if isinstance(chosen, list) else []
    pairs += [(score.get("scored_samples"), every)] if score.get("unscored_samples") else []
    whole = [(a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int)]
    return next((f"{a} of {b} items" for a, b in whole if a < b), "")
