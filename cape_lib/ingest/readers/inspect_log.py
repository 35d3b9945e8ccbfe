"""Inspect logs: the JSON form, or what inspect-ai's own reader makes of an .eval file (see `files`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.reading import Task, one_line, run_of, section, shots_text, sources, text, value_at, version_text

NAME = "Inspect"


def fits(document: Any) -> bool:
    """Whether the document is a log of Inspect."""
    return "task" in section(document, "eval") and "status" in document


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task | str]:
    """The metrics of the scorer that the log names first, which are fractions."""
    about, results = section(document, "eval"), section(document, "results")
    if document["status"] != "success" or document.get("invalidated"):
        ended = "was marked invalid" if document.get("invalidated") else f"ended as {one_line(document['status'])}"
        raise ScoresError(f"{path}: this log {ended}; run the task to the end")
    options, model = section(about, "task_args"), text(about.get("model"))
    name, target = text(about.get("task")).rpartition("/")[2], text(options.get("target"))
    name = f"{name}_{target}" if name == "truthfulqa" and target else name
    scores = [one for one in results.get("scores") or [] if isinstance(one, dict)]
    chosen = value_at(results, "headline.score") or (scores[0].get("name") if scores else None)
    first = next((one for one in scores if one.get("name") == chosen), {})
    if others := [text(one.get("name")) for one in scores if one is not first]:
        yield f"{path.name}: {name} by the scorer {text(chosen)}; not read: {', '.join(others)}"
    limit, created = value_at(about, "config.limit"), about.get("created")
    run = run_of(path, model.partition("/")[2] or model, stated=created, limit=limit)
    row = {key: value_at(metric, "value") for key, metric in section(first, "metrics").items()}
    protocol = ["Inspect", shots_text(options.get("fewshot", options.get("num_fewshot")))]
    yield Task(
        replace(run, partial=run.partial or _partial(about, results, first)),
        name,
        sources(name, "Inspect"),
        {**row, "accuracy_stderr": row.get("stderr")},
        [*protocol, version_text(about.get("task_version"))],
    )


def _partial(about: Mapping[str, Any], results: Mapping[str, Any], score: Mapping[str, Any]) -> str:
    """Why a run is not the whole test: samples chosen or not finished, answers without a score."""
    every, chosen = results.get("total_samples"), value_at(about, "dataset.sample_ids")
    pairs = [(results.get("completed_samples"), every)]
    pairs += [(len(chosen), value_at(about, "dataset.samples"))] if isinstance(chosen, list) else []
    pairs += [(score.get("scored_samples"), every)] if score.get("unscored_samples") else []
    whole = [(a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int)]
    return next((f"{a} of {b} items" for a, b in whole if a < b), "")
