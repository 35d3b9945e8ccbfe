"""lighteval results: "leaderboard|hellaswag|10" or "hellaswag|10", a results file or the model card of its details."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Task, facts, run_of, section, sources, version_text

NAME = "lighteval"


def fits(document: Any) -> bool:
    """Whether tasks are written with bars and shots, in "results" or, in a model card, at the top."""
    return any(_task(key) for key in _rows(document))


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task]:
    """The scores of one file."""
    general = section(document, "config_general")
    inner = section(general, "model_config")
    model = general.get("model_name") or inner.get("model_name") or document.get("model_name")
    run = run_of(path, model, limit=general.get("max_samples"))
    dtype = facts(general.get("model_dtype") or inner.get("dtype"))
    for key, row in _rows(document).items():
        name, shots = _task(key) or ("", "")
        if name and isinstance(row, dict) and not name.endswith("_average"):
            version = version_text(section(document, "versions").get(key))
            known = sources(name.replace("mmlu:", "mmlu_"), "lighteval")
            yield Task(run, name, known, row, ["lighteval", f"{shots}-shot", version, *dtype])


def _rows(document: Any) -> dict[str, Any]:
    return section(document, "results") or (document if isinstance(document, dict) else {})


def _task(key: str) -> tuple[str, str] | None:
    """The task and its shots: the suite in front and the old fourth part (may the prompt be cut) are dropped."""
    parts = str(key).split("|")
    if len(parts) < 2 or parts[0] == "harness":
        return None
    parts = parts[1:] if len(parts) > 2 else parts
    return (parts[0], parts[1]) if parts[1].isdigit() else None
