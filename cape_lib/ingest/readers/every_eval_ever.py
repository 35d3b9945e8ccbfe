"""The shared schema "every eval ever": one file a model and source, each score with its own scale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cape_lib.ingest.reading import Source, Task, run_of, shots_text, text, value_at
from cape_lib.tables.benchmarks import LABELS
from cape_lib.tables.columns import known_name, plain

NAME = "every eval ever"


def fits(document: Any) -> bool:
    """Whether the document follows the schema."""
    return isinstance(value_at(document, "evaluation_results"), list) and "model_info" in document


def tasks(document: dict[str, Any], path: Path) -> Iterator[Task]:
    """The scores whose evaluation is called as one of our benchmarks is; lower-is-better ones are left out."""
    model = value_at(document, "model_info.id") or value_at(document, "model_info.name")
    run = run_of(path, model, stated=value_at(document, "retrieved_timestamp"))
    source = text(value_at(document, "source_metadata.source_organization_name")) or "source unknown"
    for result in document["evaluation_results"]:
        name = text(value_at(result, "evaluation_name"))
        if not name or value_at(result, "metric_config.lower_is_better"):
            continue
        metric = plain(text(value_at(result, "metric_config.evaluation_description")) or "score")[:40] or "score"
        error = value_at(result, "score_details.uncertainty.standard_error.value")
        yield Task(
            run,
            name,
            [Source(known_name(name), metric)] if known_name(name) in LABELS else [],
            {metric: value_at(result, "score_details.score"), f"{metric}_stderr": error},
            [f"every eval ever ({source})", shots_text(value_at(result, "generation_config.num_fewshot"))],
            most=100.0 if value_at(result, "metric_config.max_score") == 100 else 1.0,
        )
