"""Open LLM Leaderboard v1 results and details: keys such as "harness|hellaswag|10"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.ingest.benchmarks import TASKS_LEADERBOARD, Source, sources
from cape_lib.ingest.harness import date, short_name
from cape_lib.ingest.reading import Reading, Run, one_line, percent, points_or_none

#: Until August 2023 the leaderboard ran MMLU by another prompt; its maintainers discard version 0, and so do we.
_DISCARDED_MMLU_VERSION = 0


def is_leaderboard(document: dict[str, Any]) -> bool:
    """Whether tasks are written "harness|task|shots"."""
    return any(key.startswith("harness|") for key in document["results"])


def run(document: dict[str, Any], path: Path) -> Run:
    """What the file says of its run; the leaderboard gives the size in bytes only, so `params_b` is None."""
    config = _config(document)
    name = config.get("model_name")
    limit = config.get("max_samples")
    return Run(
        path=path,
        model=short_name(name) if isinstance(name, str) else "",
        identity=(),  # a model is entered again after each edit of its page: another hash is no other model
        params_b=None,
        date=date(None, path),
        partial="" if limit in (None, 0, "") else f"limit {one_line(limit)}",
    )


def readings(document: dict[str, Any], about: Run, also: dict[str, Source]) -> Iterator[Reading]:
    """Every benchmark of ours in the file, and the tasks that `also` names (task -> column and metric)."""
    versions = document.get("versions")
    versions = versions if isinstance(versions, dict) else {}
    for key, row in document["results"].items():
        _, task, shots = _parts(key)
        version = versions.get(key)
        if not task or not isinstance(row, dict):
            continue
        if task.startswith("hendrycksTest-") and version == _DISCARDED_MMLU_VERSION:
            continue
        for source in (*sources(task, TASKS_LEADERBOARD), *([also[task]] if task in also else [])):
            if source.metric not in row:
                raise ScoresError(f"{about.path}: task {key} has no {source.metric}; fetch that file again")
            protocol = ["leaderboard v1", f"{one_line(shots)}-shot", source.metric]
            protocol.append(f"task version {'unknown' if version is None else one_line(version)}")
            if about.partial:
                protocol.append(f"partial ({about.partial})")
            yield Reading(
                run=about,
                column=source.column,
                task=key,
                value=percent(row[source.metric], path=about.path, task=key, metric=source.metric),
                stderr=points_or_none(row.get(f"{source.metric}_stderr")),
                protocol="; ".join(protocol),
            )


def others(document: dict[str, Any]) -> list[str]:
    """Tasks of the file that no rule reads."""
    tasks = (_parts(key)[1] for key in document["results"])
    return [task for task in tasks if task and not sources(task, TASKS_LEADERBOARD)]


def discarded(document: dict[str, Any]) -> bool:
    """Whether the file holds the leaderboard's first, discarded MMLU."""
    versions = document.get("versions")
    return isinstance(versions, dict) and any(
        "hendrycksTest-" in key and version == _DISCARDED_MMLU_VERSION for key, version in versions.items()
    )


def _parts(key: str) -> tuple[str, str, str]:
    suite, _, rest = key.partition("|")
    task, _, shots = rest.rpartition("|")
    return (suite, task, shots) if suite == "harness" else (suite, "", "")


def _config(document: dict[str, Any]) -> dict[str, Any]:
    for part in (document.get("config_general"), document.get("config")):
        if isinstance(part, dict):
            return part
    return {}
