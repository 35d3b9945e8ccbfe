"""Counts and sums of the tables; after a wanted change `python tests/reference/data_checks.py` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from cape_lib import tables

FILE = Path(__file__).with_name("data_checks.json")
# Tables of figures that are carried over and do not grow. frontier_scores grows: its rows up to a date are counted.
TABLES = (
    "base_panel",
    "base_scores",
    "uniform_panel",
    "losses",
    "internal_coupling",
    "layer_coupling",
    "projection_sweep",
    "steering_records",
    "steering_totals",
    "predictions",
    "claims",
    "frontier_panel",
    "frontier_versions",
    "one_lab_2026",
    "frontier_independent",
    "pythia_checkpoints",
)
SCORES_UNTIL = "2026-10-01"


def summary(frame: pd.DataFrame) -> dict[str, object]:
    """Rows, and for each column the filled cells with their sum (numbers, flags) or their distinct values (text)."""
    columns: dict[str, list[float]] = {}
    for name in frame.columns:
        filled = frame[name].dropna()
        number = pd.api.types.is_numeric_dtype(filled) or pd.api.types.is_bool_dtype(filled)
        columns[name] = [len(filled), round(float(filled.sum()), 6) if number else int(filled.nunique())]
    return {"rows": len(frame), "columns": columns}


def summaries() -> dict[str, dict[str, object]]:
    """The summary of every table that is checked, by name."""
    result = {name: summary(tables.load(name)) for name in TABLES}
    scores = tables.load("frontier_scores")
    figures = scores[scores["release_date"] < SCORES_UNTIL]
    result["frontier_scores"] = summary(figures[["model", "benchmark", "value", "role", "claimed_by", "source"]])
    return result


if __name__ == "__main__":
    lines = [f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in summaries().items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
