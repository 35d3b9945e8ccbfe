"""olmes (Ai2's evaluation system): one "...-metrics.json" a task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Source, Task, facts, run_of, section, shots_text, sources, text, version_text

NAME = "olmes"


def fits(document: Any) -> bool:
    """Whether the document is the metrics of one task."""
    return isinstance(document, dict) and "task_name" in document and isinstance(document.get("metrics"), dict)


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task]:
    """The primary score of the task, its kind named in the protocol ("acc_per_char")."""
    name = text(document["task_name"])
    config, model, metrics = section(document, "task_config"), section(document, "model_config"), document["metrics"]
    run = run_of(
        path,
        model.get("model") or model.get("model_path"),
        stated=document.get("current_date"),
        limit=config.get("limit"),
        revision=model.get("revision"),
    )
    base, _, form = name.partition(":")
    primary = text(config.get("primary_metric")) or "primary_score"
    known = [Source(one.column, primary) for one in sources(base, "olmes")]
    protocol = ["olmes", shots_text(config.get("num_shots")), version_text(config.get("version"))]
    protocol += [form] * bool(form) + facts(seed=config.get("fewshot_seed"), shots=config.get("num_shots"))
    yield Task(run, name, known, {primary: metrics.get("primary_score")} | metrics, protocol)
