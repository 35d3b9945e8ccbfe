"""olmes (Ai2's evaluation system): one "...-metrics.json" a task, or the metrics.json of all tasks of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Source, Task, facts, run_of, section, shots_text, sources, text, version_text

NAME = "olmes"


def fits(document: Any) -> bool:
    """Whether the document is the metrics of one task, or has those of all tasks."""
    return bool(_alone(document))


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task]:
    """The primary score of each task, its kind named in the protocol ("acc_per_char")."""
    for one in _alone(document):
        name = text(one["task_name"])
        config, model, metrics = (section(one, key) for key in ("task_config", "model_config", "metrics"))
        run = run_of(
            path,
            model.get("model") or model.get("model_path"),
            stated=one.get("current_date"),
            limit=config.get("limit"),
            revision=model.get("revision"),
        )
        base, _, form = name.partition(":")
        primary = text(config.get("primary_metric")) or "primary_score"
        known = [Source(other.column, primary) for other in sources(base, "olmes")]
        protocol = ["olmes", shots_text(config.get("num_shots")), version_text(config.get("version"))]
        protocol += [form] * bool(form) + facts(seed=config.get("fewshot_seed"), shots=config.get("num_shots"))
        yield Task(run, name, known, {primary: metrics.get("primary_score")} | metrics, protocol)


def _alone(document: Any) -> list[dict[str, Any]]:
    """The tasks of a document, each as the file of one task has it."""
    if not isinstance(document, dict) or "all_primary_scores" not in document:
        one = section(document, "metrics") and "task_name" in document
        return [document] if one else []
    rows = document.get("tasks", document.get("metrics"))
    model = {"model_config": section(document, "model_config")}
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = [next((row[key] for key in ("task_name", "alias", "task") if key in row), "") for row in rows]
    metrics = [section(row, "metrics") or row for row in rows]
    return [
        {**model, **row, "task_name": name, "metrics": scores}
        for row, name, scores in zip(rows, names, metrics, strict=True)
    ]
