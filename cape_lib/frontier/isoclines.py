"""The papers' curves GPQA_c = sqrt(0.513 SWE) and IFEval_c = sqrt(0.97 GPQA), and what they tell apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import ScoresError
from cape_lib.frontier.lines import X, Y, complete_rows
from cape_lib.stats import Estimate, wilson_clustered

#: (old axis, new axis) -> ratio under the square root, as published
RATIOS: dict[tuple[str, str], float] = {(X, Y): 0.513, (Y, "ifeval"): 0.97}


def critical_score(score: ArrayLike, ratio: float) -> NDArray[np.float64]:
    """The curve's y at x = `score`, both percent 0-100: 100 sqrt(ratio score / 100); fractions inside the root.

    Raises ScoresError for a negative ratio or score. At SWE 80 and ratio 0.513 the curve is at 64.1.
    """
    values = np.asarray(score, dtype=float)
    if ratio < 0 or (values < 0).any():
        raise ScoresError(f"a curve with a square root needs a ratio and scores of zero or more, ratio {ratio:g} given")
    return np.asarray(100.0 * np.sqrt(ratio * values / 100.0))


def beside_curve(frame: pd.DataFrame, *, ratio: float = 0.513, x: str = X, y: str = Y) -> pd.DataFrame:
    """Each complete row with `critical` (the curve at its x), `margin` (points above it) and `above`.

    Published: every frontier model above for SWE and GPQA; two below for GPQA and IFEval with ratio 0.97.
    """
    rows = complete_rows(frame, x, y).copy()
    rows["critical"] = critical_score(rows[x], ratio)
    rows["margin"] = rows[y] - rows["critical"]
    rows["above"] = rows["margin"] >= 0
    return rows


def next_steps(frame: pd.DataFrame, *, ratio: float = 0.513, x: str = X, y: str = Y) -> pd.DataFrame:
    """Each release with the same lab's next one, and whether its side of the curve foretold the sign of dy / dx.

    The stated rule: above the curve the two scores rise together. Returns lab, model, following, dx, dy, together
    (dy / dx > 0), above, right. Steps with dx = 0 have no sign and are left out. Releases of one date stand in order of
    their names.
    """
    rows = beside_curve(frame, ratio=ratio, x=x, y=y).sort_values(["released", "model"])
    table = []
    for lab, group in rows.groupby("lab"):
        for here, there in zip(group.iloc[:-1].itertuples(), group.iloc[1:].itertuples(), strict=True):
            dx, dy = getattr(there, x) - getattr(here, x), getattr(there, y) - getattr(here, y)
            if dx != 0:
                together = dy / dx > 0
                table.append((lab, here.model, there.model, dx, dy, together, here.above, together == here.above))
    columns = ["lab", "model", "following", "dx", "dy", "together", "above", "right"]
    return pd.DataFrame(table, columns=columns)


def curve_score(steps: pd.DataFrame) -> dict[str, Estimate]:
    """Share of steps that the curve gets right, beside the guess "they always rise together" (fractions, 0-1).

    steps: from `next_steps`. Wilson's interval, in which the steps of one lab may be alike. Where no model is below the
    curve the two shares are one and the same number.
    """
    return {
        "curve": wilson_clustered(steps["right"].astype(bool), steps["lab"]),
        "always together": wilson_clustered(steps["together"].astype(bool), steps["lab"]),
        "below the curve": wilson_clustered(~steps["above"].astype(bool), steps["lab"]),
    }
