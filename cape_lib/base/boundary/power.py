"""How often a dip as deep as a family's own is called a boundary, from planted ladders."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base.boundary.quadratic import fit_parabolas, log_size
from cape_lib.stats import ladder_rows

NOISE = {"questions": "questions", "four": "four times the questions"}
#: a dip of fewer points is rounding
FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class BoundaryPower:
    """`depth`: points by which the family's parabola dips over half of its range of sizes; `near_sizes`, `near_depth`:
    the planted ladder nearest by ratio; `questions`, `four`: share (0-1) of such ladders that the vertex calls a
    boundary, with the benchmarks' questions and with four times as many."""

    depth: float
    near_sizes: int
    near_depth: float
    questions: float
    four: float


@lru_cache(maxsize=1)
def power_table() -> dict[str, Any]:
    """Share of planted parabolas that the vertex calls a boundary, from the table "coverage".

    Keys: sizes, depths (points), and by noise ("questions", "four") one row a number of sizes, one column a depth.
    """
    rows = tables.load("coverage")
    rows = rows[(rows["part"] == "power") & (rows["method"] == "vertex")]
    depth = rows["truth"].str.extract(r"([\d.]+) points")[0].astype(float)
    grids = {
        key: rows[rows["noise"] == noise].assign(depth=depth).pivot_table(index="n", columns="depth", values="value")
        for key, noise in NOISE.items()
    }
    first = grids["questions"]
    answer: dict[str, Any] = {"sizes": [int(n) for n in first.index], "depths": [float(d) for d in first.columns]}
    return answer | {key: grid.to_numpy(float).tolist() for key, grid in grids.items()}


def boundary_power(ladder: pd.DataFrame, *, y: str = "truthfulqa") -> BoundaryPower | None:
    """The power to call this family's dip a boundary; None where its parabola does not dip or sizes are too few.

    ladder: one row a size; columns params_b (billions), y (percent). The planted sizes span 0.07 to 12 billions.
    """
    rows, table = ladder_rows(ladder, [y], purpose="a dip"), power_table()
    t = log_size(rows)
    if t.size < table["sizes"][0]:
        return None
    depth = float(fit_parabolas(t, rows[y].to_numpy(float)).curvature[0]) * (float(np.ptp(t)) / 2) ** 2
    if not depth > FLAT:
        return None
    row, column = _nearest(table["sizes"], t.size), _nearest(table["depths"], depth)
    questions, four = (float(table[key][row][column]) for key in NOISE)
    return BoundaryPower(depth, table["sizes"][row], table["depths"][column], questions, four)


def _nearest(values: list[float], value: float) -> int:
    """Place of the number nearest by ratio; the smaller of two that are as near."""
    away = [abs(math.log(value / one)) for one in values]
    return away.index(min(away))
