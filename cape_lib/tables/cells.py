"""The audit of the published frontier panel: 39 models, SWE-bench Verified and GPQA Diamond, cell by cell."""

from __future__ import annotations

import pandas as pd

from cape_lib.tables.files import load
from cape_lib.tables.statements import PAIR, newest_main

STATUSES: tuple[str, ...] = ("confirmed", "corrected", "other setting", "independent only", "unchecked")
CHECKED: tuple[str, ...] = ("confirmed", "corrected", "other setting")
ROUNDING = 0.051  # half of the last printed digit
RULES = {
    "confirmed": "the maker's newest statement for the same version and setting equals the published value to rounding",
    "corrected": "the maker's newest statement for the same version and setting replaces the published value",
    "other setting": "the maker states values for other versions or settings only; the published value stays",
    "independent only": "no statement of the maker was found, an independent one was; the published value stays",
    "unchecked": "no statement was found; the published value stays",
}


def audit(panel: pd.DataFrame, scores: pd.DataFrame, reasons: dict[tuple[str, str], str] | None = None) -> pd.DataFrame:
    """Status, value and source of every cell, by rule: the content of `frontier_cells`.

    panel: rows of `frontier_panel`. scores: rows of `frontier_scores`. reasons: words by (model, benchmark).
    """
    makers = newest_main(scores, claimed_by="lab").set_index(["model", "benchmark"])
    runners = newest_main(scores, claimed_by="independent").set_index(["model", "benchmark"])
    usable = scores[scores["role"] != "weak"]
    by_maker = set(map(tuple, usable.loc[usable["claimed_by"] == "lab", ["model", "benchmark"]].to_numpy()))
    by_anyone = set(map(tuple, usable[["model", "benchmark"]].to_numpy()))
    cells = []
    for row in panel.to_dict("records"):
        for benchmark in PAIR:
            key, published = (row["model"], benchmark), float(row[benchmark])
            statement = makers.loc[key] if key in makers.index else None
            if statement is not None:
                status = "confirmed" if abs(statement["value"] - published) <= ROUNDING else "corrected"
            else:
                status = "other setting" if key in by_maker else "independent only" if key in by_anyone else "unchecked"
            value = float(statement["value"]) if statement is not None and status == "corrected" else published
            cell = {"model": row["model"], "lab": row["lab"], "benchmark": benchmark, "published_value": published}
            cell |= {"status": status, "value": value, "difference": round(value - published, 2), "rule": RULES[status]}
            cell["reason"] = (reasons or {}).get(key)
            for column in ("claimed_by", "setting", "source", "read_via", "date"):
                cell[column] = None if statement is None else statement[column]
            runner = runners.loc[key] if key in runners.index else None
            cell["independent_value"] = None if runner is None else runner["value"]
            cell["independent_source"] = None if runner is None else runner["source"]
            cells.append(cell)
    return pd.DataFrame(cells)


def cell_audit() -> pd.DataFrame:
    """How far the published panel was checked, one row a lab and the row "all": cells, count by status, share checked.

    A cell is checked where a statement of the maker was found, in the same setting or another; share_checked is 0-1.
    read_at_source counts the confirmed and corrected cells that were read on the maker's page, not in a transcription.
    """
    cells = load("frontier_cells")
    counts = pd.crosstab(cells["lab"], cells["status"]).reindex(columns=list(STATUSES), fill_value=0)
    counts["read_at_source"] = (cells["source"].notna() & cells["read_via"].isna()).groupby(cells["lab"]).sum()
    counts.loc["all"] = counts.sum()
    counts.insert(0, "cells", counts[list(STATUSES)].sum(axis=1))
    counts["share_checked"] = counts[list(CHECKED)].sum(axis=1) / counts["cells"]
    return counts.rename_axis(index="lab", columns=None).reset_index()


def cell_differences() -> pd.DataFrame:
    """Every statement about a published cell beside the published value, for the page on data quality.

    One row a statement of `frontier_scores` on a cell of the panel: its columns, published_value, status of the cell
    and difference = stated minus published value (points). Largest differences first.
    """
    cells = load("frontier_cells")[["model", "benchmark", "published_value", "status"]]
    rows = load("frontier_scores").merge(cells, on=["model", "benchmark"], validate="many_to_one")
    rows["difference"] = (rows["value"] - rows["published_value"]).round(2)
    order = rows["difference"].abs().sort_values(ascending=False, kind="stable").index
    return rows.loc[order].reset_index(drop=True)
