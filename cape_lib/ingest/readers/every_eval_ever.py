"""The shared schema "every eval ever": one file a model and source, each score with its own scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Contents, Run, Source, date, section, short_name, shots_text, text
from cape_lib.tables.benchmarks import LABELS
from cape_lib.tables.columns import known_name, plain

NAME = "every eval ever"


def fits(document: Any, path: Path) -> bool:
    """Whether the document follows the schema."""
    del path
    if not isinstance(document, dict):
        return False
    return "model_info" in document and isinstance(document.get("evaluation_results"), list)


def read(document: dict[str, Any], path: Path, also: Mapping[str, Source]) -> Contents:
    """The scores whose evaluation is called as one of our benchmarks is; lower-is-better ones are left out."""
    model = section(document, "model_info")
    name = short_name(text(model.get("id")) or text(model.get("name")))
    run = Run(path=path, model=name, date=date(document.get("retrieved_timestamp"), path))
    source = text(section(document, "source_metadata").get("source_organization_name")) or "source unknown"
    contents = Contents()
    for result in document["evaluation_results"]:
        task = text(section({"r": result}, "r").get("evaluation_name"))
        config = section(result, "metric_config")
        if not task or config.get("lower_is_better"):
            continue
        benchmark = known_name(task)
        most = config.get("max_score")
        details = section(result, "score_details")
        error = section(section(details, "uncertainty"), "standard_error").get("value")
        metric = plain(text(config.get("evaluation_description")) or "score")[:40] or "score"
        known = [Source(benchmark, metric)] if benchmark in LABELS else []
        known = known or ([Source(also[task].column, metric)] if task in also else [])
        row = {metric: details.get("score"), f"{metric}_stderr": error}
        shots = section(result, "generation_config").get("num_fewshot")
        parts = [f"every eval ever ({source})", shots_text(shots)]
        contents.take(run, task, known, row, parts, most=100.0 if most == 100 else 1.0)
    return contents
