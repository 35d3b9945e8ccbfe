"""olmes (Ai2's evaluation system): one "...-metrics.json" a task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import (
    Contents,
    Run,
    Source,
    date,
    limit_text,
    section,
    short_name,
    shots_text,
    sources,
    text,
    version_text,
)

NAME = "olmes"


def fits(document: Any, path: Path) -> bool:
    """Whether the document is the metrics of one task."""
    del path
    return isinstance(document, dict) and "task_name" in document and isinstance(document.get("metrics"), dict)


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The primary score of the task, its kind named in the protocol ("acc_per_char")."""
    task = text(document["task_name"])
    config, model = section(document, "task_config"), section(document, "model_config")
    metrics = dict(document["metrics"])
    revision = text(model.get("revision"))
    about = Run(
        path=path,
        model=short_name(text(model.get("model") or model.get("model_path"))),
        identity=(("revision", revision),) if revision and revision != "main" else (),
        date=date(document.get("current_date"), path),
        partial=limit_text(config.get("limit")),
    )
    base, _, form = task.partition(":")
    primary = text(config.get("primary_metric")) or "primary_score"
    known = [Source(s.column, primary) for s in sources(base, "olmes")]
    if known and primary not in metrics:
        metrics[primary] = metrics.get("primary_score")
    seed = config.get("fewshot_seed")
    facts = [f"few-shot seed {seed}"] if isinstance(seed, int) and config.get("num_shots") else []
    parts = ["olmes", shots_text(config.get("num_shots")), version_text(config.get("version"))]
    parts += [*([form] if form else []), *facts]
    return Contents().take(about, task, known, metrics, parts, also=also)
