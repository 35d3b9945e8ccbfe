"""HELM: stats.json of a run, which needs run_spec.json beside it to say what was measured on which model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.reading import Task, rows_of, run_of, section, shots_text, sources, text, value_at

NAME = "HELM"


def fits(document: Any) -> bool:
    """Whether the document is a list of HELM's statistics."""
    rows = rows_of(document)
    return bool(rows) and "name" in section(rows[0], "name") and {"count", "sum"} <= set(rows[0])


def tasks(document: list[Any], path: Path) -> Iterator[Task]:
    """The mean of the test split, without perturbations, of the one scenario that the run measured."""
    try:
        spec = json.loads(path.with_name("run_spec.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        lacking = "HELM statistics without run_spec.json beside them, which names the model"
        raise ScoresError(f"{path}: {lacking}; name the run's folder as HELM wrote it") from None
    adapter, arguments = section(spec, "adapter_spec"), section(section(spec, "scenario_spec"), "args")
    scenario = text(value_at(spec, "name")).partition(":")[0]
    name = {
        "commonsense": text(arguments.get("dataset")),
        "mmlu": f"mmlu_{text(arguments.get('subject'))}",
        "truthful_qa": f"truthful_qa_{text(arguments.get('task'))}",
    }.get(scenario, scenario)
    means: dict[str, Any] = {}
    for stat in document:
        about = section(stat, "name")
        if about.get("split") == "test" and not about.get("perturbation") and "mean" in stat:
            means.setdefault(text(about.get("name")), stat["mean"])
    protocol = ["HELM", shots_text(adapter.get("max_train_instances")), text(adapter.get("method")) or "adapter"]
    known = sources(name, "HELM", mmlu="exact_match")
    yield Task(run_of(path, adapter.get("model")), name, known, means, protocol)
