"""The gamma flow: does the local coupling itself follow a law in size, with a fixed point?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from cape_lib.errors import MissingError
from cape_lib.stats import Estimate, Line, fieller_limits, ladder_rows, ols


@dataclass(frozen=True, slots=True)
class GammaFlow:
    """The line d gamma / d log10 N = a gamma + b and where it is zero.

    `line`: slope a (per tenfold size), intercept b; `fixed_point`: -b / a with Fieller's interval, t noise (it may be
    unbounded); `attracting`: a < 0, so that gamma moves towards the fixed point (away from it for a > 0); `points`:
    the data, columns log_size, gamma, slope.
    """

    line: Line
    fixed_point: Estimate
    attracting: bool
    points: pd.DataFrame


def gamma_flow(ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", level: float = 0.95) -> GammaFlow:
    """Regression of the slope of gamma in log10 size on gamma itself, half way between neighbouring intervals.

    ladder: at least five sizes; columns params_b (billions), x, y (percent). Each gamma is a ratio of noisy differences
    and stands in both sides of the regression, so that the slope is biased towards the mean reverting: read it with
    its interval. Intervals without a step in x are left out.
    Raises MissingError with fewer than five sizes, ScoresError on equal sizes.
    Published: 1.49 gamma - 0.79, fixed point 0.53; a > 0 would drive gamma away from it.
    """
    rows = ladder_rows(ladder, [x, y], least=5, purpose="a gamma flow")
    t = np.log10(rows["params_b"].to_numpy(dtype=float))
    dx, dy = (np.diff(rows[score].to_numpy(dtype=float)) for score in (x, y))
    moved = dx != 0
    gamma, middle = dy[moved] / dx[moved], ((t[1:] + t[:-1]) / 2)[moved]
    if gamma.size < 4:
        raise MissingError(f"a gamma flow needs four intervals with a step in {x}, {gamma.size} have one; add sizes")
    points = pd.DataFrame(
        {
            "log_size": (middle[1:] + middle[:-1]) / 2,
            "gamma": (gamma[1:] + gamma[:-1]) / 2,
            "slope": np.diff(gamma) / np.diff(middle),
        }
    )
    line = ols(points["gamma"], points["slope"], level)
    return GammaFlow(line, _zero(line, level), line.slope.estimate < 0, points)


def _zero(line: Line, level: float) -> Estimate:
    """Where a line is zero, -intercept / slope, with Fieller's interval."""
    a, b = line.slope.estimate, line.intercept.estimate
    if line.n < 3 or a == 0:
        return Estimate(-b / a if a else float("nan"), float("nan"), float("nan"), line.n, "no interval")
    # Fieller's interval is written for normal noise; with t noise the variances grow by (t / z)^2.
    spread = float((stdtrit(line.n - 2, 0.5 + level / 2) / ndtri(0.5 + level / 2)) ** 2)
    variance = spread * line.covariance
    low, high = fieller_limits(-b, a, var_dy=variance[1, 1], var_dx=variance[0, 0], cov=-variance[0, 1], level=level)
    return Estimate(-b / a, float(low), float(high), line.n, "Fieller with t noise")
