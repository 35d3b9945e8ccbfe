"""Open LLM Leaderboard v1 results and details: keys such as "harness|hellaswag|10"."""

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
    # A model is entered again after each edit of its page: another hash is no other model.
    about = Run(
        path=path,
        model=short_name(text(config.get("model_name"))),
        date=date(None, path),
        partial=limit_text(config.get("max_samples")),
    )
    contents, versions = Contents(), section(document, "versions")
    for key, row in document["results"].items():
        task, shots = _parts(key)
        version = versions.get(key, versions.get(task))
        if task.startswith("hendrycksTest-") and version == _DISCARDED_MMLU_VERSION:
            contents.notes[:] = [f"{path.name}: MMLU left out, task version 0 was discarded by the leaderboard itself"]
        elif task and isinstance(row, dict):
            parts = ["leaderboard v1", shots_text(shots), version_text(version)]
            contents.take(about, task, sources(task, "leaderboard v1"), row, parts, also=also)
    return contents


def _parts(key: str) -> tuple[str, str]:
    """The task and its shots; two empty texts for what is no task of the harness."""
    suite, _, rest = key.partition("|")
    task, _, shots = rest.rpartition("|")
    return (task, shots) if suite == "harness" else ("", "")
