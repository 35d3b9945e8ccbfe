"""Width or parameters?  What moves the right answers when the other one is held (rows of `testbed_grid`)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.stats import Estimate


def _over_seeds(values: pd.Series, method: str) -> Estimate:
    """Mean over seeds with its t interval; UsageError below two seeds, which give no interval."""
    from scipy import stats

    n = len(values)
    if n < 2:
        raise UsageError(f"{n} seeds give no interval; train at least two")
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    middle = float(values.mean())
    return Estimate(middle, middle - half, middle + half, n, method)


def _budgets(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the number of parameters that was aimed at, as text, in a column `budget`."""
    return rows.assign(budget=rows["name"].str.split("-").str[1])


def trend(rows: pd.DataFrame) -> Estimate:
    """Change of the share right (0-1) for each doubling of the width, the number of parameters held.

    A slope on log2 of the width in every seed and budget, the mean over budgets in each seed; n counts the seeds.
    """
    slopes = _budgets(rows).groupby(["seed", "budget"])[["width", "truth"]].apply(_slope)
    return _over_seeds(slopes.groupby("seed").mean(), "mean over seeds, t interval")


def _slope(one: pd.DataFrame) -> float:
    return float(np.polyfit(np.log2(one["width"].to_numpy(float)), one["truth"].to_numpy(float), 1)[0])


def gap(rows: pd.DataFrame) -> Estimate:
    """Share right (0-1) with more parameters minus with fewer, the width held: mean over shared widths in each seed."""
    wide = _budgets(rows).pivot(index=["seed", "width"], columns="budget", values="truth").dropna()
    few, many = sorted(wide.columns, key=int)[0], sorted(wide.columns, key=int)[-1]
    return _over_seeds((wide[many] - wide[few]).groupby("seed").mean(), "mean over seeds, t interval")
