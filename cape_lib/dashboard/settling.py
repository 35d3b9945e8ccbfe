"""What planted ladders say about a family: how often a dip like its own is called, how right its intervals are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base.boundary import ESTIMATORS, fit_parabolas

NOISE = {"questions": "questions", "four": "four times the questions"}
#: numbers of sizes with a promise of their own; more sizes take that of the largest
MOST_PROMISED = 20
#: a dip of fewer points is rounding
FLAT = 1e-6


def power_table() -> dict[str, Any]:
    """Share of planted parabolas that the vertex calls a boundary, JSON-ready, from the table "coverage".

    Keys: sizes, depths (points), and by noise ("questions", "four") one row a number of sizes, one column a depth.
    """
    rows = tables.load("coverage")
    rows = rows[(rows["part"] == "power") & (rows["method"] == "vertex")]
    depth = rows["truth"].str.extract(r"([\d.]+) points")[0].astype(float)
    wide = {key: rows[rows["noise"] == noise] for key, noise in NOISE.items()}
    grids = {
        key: part.assign(depth=depth).pivot_table(index="n", columns="depth", values="value")
        for key, part in wide.items()
    }
    first = grids["questions"]
    answer: dict[str, Any] = {"sizes": [int(n) for n in first.index], "depths": [float(d) for d in first.columns]}
    return answer | {key: grid.to_numpy(float).tolist() for key, grid in grids.items()}


def promises() -> dict[str, list[str]]:
    """By estimator, how often its interval is right (`tables.promise`), one text a number of sizes up to 20."""
    return {
        name.replace(" ", "_"): [tables.promise("critical scales", name, n=n) for n in range(MOST_PROMISED + 1)]
        for name in ESTIMATORS
    }


def boundary_power(frame: pd.DataFrame, *, y: str, table: Mapping[str, Any]) -> dict[str, Any] | None:
    """How often a dip as deep as this family's parabola is called a boundary on so many sizes; None without a dip.

    frame: one row a size, smallest first; table: from `power_table`. Keys: depth (points over half of the sizes'
    range), near_sizes, near_depth (what was planted, the nearest by ratio), questions, four (shares, 0-1). The planted
    sizes span 0.07 to 12 billions.
    """
    t = np.log10(frame["params_b"].to_numpy(float))
    if t.size < table["sizes"][0]:
        return None
    depth = float(fit_parabolas(t, frame[y].to_numpy(float)).curvature[0]) * (float(t[-1] - t[0]) / 2) ** 2
    if not depth > FLAT:
        return None
    row = _nearest(table["sizes"], t.size)
    column = _nearest(table["depths"], depth)
    return {
        "depth": depth, "near_sizes": table["sizes"][row], "near_depth": table["depths"][column],
        "questions": table["questions"][row][column], "four": table["four"][row][column],
    }  # fmt: skip


def _nearest(values: list[float], given: float) -> int:
    """Place of the value nearest by ratio; the smaller of two that are as near."""
    away = [abs(math.log(given / value)) for value in values]
    return away.index(min(away))
