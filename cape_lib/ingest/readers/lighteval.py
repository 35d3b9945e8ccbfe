"""lighteval results: "leaderboard|hellaswag|10" or "hellaswag|10", a results file or the model card of its details."""

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
    sources,
    text,
    version_text,
)

NAME = "lighteval"


def fits(document: Any, path: Path) -> bool:
    """Whether tasks are written with bars and shots, in "results" or, in a model card, at the top."""
    del path
    return any(_task(key) for key in _rows(document))


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores of one file."""
    general = section(document, "config_general")
    inner = section(general, "model_config")
    about = Run(
        path=path,
        model=short_name(text(general.get("model_name") or inner.get("model_name") or document.get("model_name"))),
        date=date(None, path),
        partial=limit_text(general.get("max_samples")),
    )
    dtype = text(general.get("model_dtype") or inner.get("dtype")).removeprefix("torch.")
    facts = [f"dtype {dtype}"] if dtype and dtype != "auto" else []
    contents = Contents()
    for key, row in _rows(document).items():
        task, shots = _task(key) or ("", "")
        if not task or not isinstance(row, dict) or task.endswith("_average"):
            continue
        known = sources(task.replace("mmlu:", "mmlu_"), "lighteval")
        parts = ["lighteval", f"{shots}-shot", version_text(section(document, "versions").get(key)), *facts]
        contents.take(about, task, known, row, parts, also=also)
    return contents


def _rows(document: Any) -> dict[str, Any]:
    return section(document, "results") or (document if isinstance(document, dict) else {})


def _task(key: str) -> tuple[str, str] | None:
    """The task and its shots: the suite in front and the old fourth part (may the prompt be cut) are dropped."""
    parts = str(key).split("|")
    if len(parts) < 2 or parts[0] == "harness":
        return None
    parts = parts[1:] if len(parts) > 2 else parts
    return (parts[0], parts[1]) if parts[1].isdigit() else None
