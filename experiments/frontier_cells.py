"""`python -m experiments.frontier_cells`: the audit of the published cells, by rule, as frontier_cells.csv.

Only the words in column `reason` are carried over from the table as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.tables.files import data_dir, load, read_text
from cape_lib.tables.frontier import PAIR, newest_main

ROUNDING = 0.051  # half of the last printed digit
RULES = {
    "confirmed": "the maker's newest statement for the same version and setting equals the published value to rounding",
    "corrected": "the maker's newest statement for the same version and setting replaces the published value",
    "other setting": "the maker states values for other versions or settings only; the published value stays",
    "independent only": "no statement of the maker was found, an independent one was; the published value stays",
    "unchecked": "no statement was found; the published value stays",
}


def audit(panel: pd.DataFrame, scores: pd.DataFrame, reasons: Mapping[Any, str]) -> pd.DataFrame:
    """Status, value and source of every cell, by rule: the content of `frontier_cells`.

    panel: rows of `frontier_panel`. scores: rows of `frontier_scores`. reasons: words by (model, benchmark).
    """
    key = ["model", "benchmark"]
    cells = panel.melt(["model", "lab"], PAIR, "benchmark", "published_value", ignore_index=False)
    cells = cells.sort_index(kind="stable", ignore_index=True).astype({"published_value": float})
    maker = newest_main(scores, claimed_by="lab")[
        [*key, "value", "claimed_by", "setting", "source", "read_via", "date"]
    ]
    runner = (
        newest_main(scores, claimed_by="independent").set_index(key)[["value", "source"]].add_prefix("independent_")
    )
    cells = cells.merge(maker, on=key, how="left").join(runner, on=key)
    usable = scores[scores["role"] != "weak"]
    stated = {who: set(rows[key].itertuples(index=False, name=None)) for who, rows in usable.groupby("claimed_by")}
    keys = pd.Series(list(cells[key].itertuples(index=False, name=None)))
    by_maker, by_anyone = keys.isin(stated.get("lab", set())), keys.isin(set().union(*stated.values()))
    away = (cells["value"] - cells["published_value"]).abs()
    names = ["confirmed", "corrected", "other setting", "independent only"]
    cells["status"] = np.select([away <= ROUNDING, away.notna(), by_maker, by_anyone], names, "unchecked")
    cells["value"] = cells["value"].where(cells["status"] == "corrected", cells["published_value"])
    cells["difference"] = (cells["value"] - cells["published_value"]).round(2)
    cells["rule"], cells["reason"] = cells["status"].map(RULES), keys.map(reasons)
    columns = ["model", "lab", "benchmark", "published_value", "status", "value", "difference", "rule", "reason"]
    columns += ["claimed_by", "setting", "source", "read_via", "date", "independent_value", "independent_source"]
    return cells[columns]


def main() -> None:
    """Write the table anew."""
    path = data_dir() / "frontier_cells.csv"
    written = read_text(path).dropna(subset=["reason"]).set_index(["model", "benchmark"])["reason"]
    audit(load("frontier_panel"), load("frontier_scores"), written.to_dict()).to_csv(path, index=False)


if __name__ == "__main__":
    main()
