"""Open LLM Leaderboard v1 results and details: keys such as "harness|hellaswag|10"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Task, run_of, section, shots_text, sources, version_text

NAME = "Open LLM Leaderboard v1"
#: Until August 2023 the leaderboard ran MMLU by another prompt; its maintainers discard version 0, and so do we.
_DISCARDED_MMLU_VERSION = 0


def fits(document: Any) -> bool:
    """Whether tasks are written "harness|task|shots"."""
    return any(key.startswith("harness|") for key in section(document, "results"))


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task | str]:
    """The scores of one file; the leaderboard gives the size in bytes only, so `params_b` is None."""
    config = section(document, "config_general") or section(document, "config")
    # A model is entered again after each edit of its page: another hash is no other model.
    run = run_of(path, config.get("model_name"), limit=config.get("max_samples"))
    versions, discarded = section(document, "versions"), False
    for key, row in document["results"].items():
        suite, _, rest = key.partition("|")
        name, _, shots = rest.rpartition("|")
        version = versions.get(key, versions.get(name))
        if name.startswith("hendrycksTest-") and version == _DISCARDED_MMLU_VERSION:
            discarded = True
        elif suite == "harness" and name and isinstance(row, dict):
            protocol = ["leaderboard v1", shots_text(shots), version_text(version)]
            yield Task(run, name, sources(name, "leaderboard v1"), row, protocol)
    if discarded:
        yield f"{path.name}: MMLU left out, task version 0 was discarded by the leaderboard itself"
