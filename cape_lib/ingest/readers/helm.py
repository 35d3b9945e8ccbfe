"""HELM: stats.json of a run, which needs run_spec.json beside it to say what was measured on which model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.reading import Contents, Run, Source, section, short_name, shots_text, sources, text

NAME = "HELM"


def fits(document: Any, path: Path) -> bool:
    """Whether the document is a list of HELM's statistics."""
    del path
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and "name" in section(first, "name") and "count" in first and "sum" in first


def read(document: list[Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The mean of the test split, without perturbations, of the one scenario that the run measured."""
    beside = path.with_name("run_spec.json")
    try:
        spec = json.loads(beside.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        lacking = "HELM statistics without run_spec.json beside them, which names the model"
        raise ScoresError(f"{path}: {lacking}; name the run's folder as HELM wrote it") from None
    adapter = section(spec, "adapter_spec")
    arguments = section(section(spec, "scenario_spec"), "args")
    scenario = text(spec.get("name") if isinstance(spec, dict) else "").partition(":")[0]
    task = text(arguments.get("dataset")) if scenario == "commonsense" else scenario
    task = f"mmlu_{text(arguments.get('subject'))}" if scenario == "mmlu" else task
    task = f"truthful_qa_{text(arguments.get('task'))}" if scenario == "truthful_qa" else task
    means: dict[str, Any] = {}
    for stat in document:
        name = section(stat, "name")
        if name.get("split") == "test" and not name.get("perturbation") and "mean" in stat:
            means.setdefault(text(name.get("name")), stat["mean"])
    run = Run(path=path, model=short_name(text(adapter.get("model"))))
    known = sources(task, "HELM", mmlu="exact_match")
    parts = ["HELM", shots_text(adapter.get("max_train_instances")), text(adapter.get("method")) or "adapter"]
    return Contents().take(run, task, known, means, parts, also=also)
