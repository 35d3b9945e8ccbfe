"""Open LLM Leaderboard v1 results and details: keys such as "harness|hellaswag|10"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.benchmarks import TASKS_LEADERBOARD, Source, sources
from cape_lib.ingest.reading import (
    Contents,
    Reading,
    Run,
    date,
    one_line,
    scored,
    section,
    short_name,
    shots_text,
    text,
    version_text,
)

NAME = "Open LLM Leaderboard v1"
#: Until August 2023 the leaderboard ran MMLU by another prompt; its maintainers discard version 0, and so do we.
_DISCARDED_MMLU_VERSION = 0


def fits(document: Any, path: Path) -> bool:
    """Whether tasks are written "harness|task|shots"."""
    del path
    return any(key.startswith("harness|") for key in section(document, "results"))


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of one file; the leaderboard gives the size in bytes only, so `params_b` is None."""
    config = section(document, "config_general") or section(document, "config")
    limit = config.get("max_samples")
    # A model is entered again after each edit of its page: another hash is no other model.
    about = Run(
        path=path,
        model=short_name(text(config.get("model_name"))),
        date=date(None, path),
        partial="" if limit in (None, 0, "") else f"limit {one_line(limit)}",
    )
    tasks = [_parts(key)[1] for key in document["results"]]
    others = [task for task in tasks if task and not sources(task, TASKS_LEADERBOARD)]
    notes = []
    if any("hendrycksTest-" in k and v == _DISCARDED_MMLU_VERSION for k, v in section(document, "versions").items()):
        notes.append(f"{path.name}: MMLU left out, task version 0 was discarded by the leaderboard itself")
    return Contents(list(_readings(document, about, also)), others, notes)


def _readings(document: dict[str, Any], about: Run, also: Mapping[str, Source]) -> Iterator[Reading]:
    versions = section(document, "versions")
    for key, row in document["results"].items():
        suite, task, shots = _parts(key)
        version = versions.get(key, versions.get(task))
        if suite != "harness" or not isinstance(row, dict):
            continue
        if task.startswith("hendrycksTest-") and version == _DISCARDED_MMLU_VERSION:
            continue
        wanted = (*sources(task, TASKS_LEADERBOARD), *([also[task]] if task in also else []))
        yield from scored(about, task, wanted, row, ["leaderboard v1", shots_text(shots), version_text(version)])


def _parts(key: str) -> tuple[str, str, str]:
    suite, _, rest = key.partition("|")
    task, _, shots = rest.rpartition("|")
    return (suite, task, shots) if suite == "harness" else (suite, "", "")
