"""The slope when the x-axis itself is noisy: moment correction and SIMEX beside least squares.

Labs scatter about the line by far more than the questions of a benchmark explain, so a Deming line that knows only the
noise of the questions would put the labs' scatter on the wrong axis; it is not offered here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import MissingError, ScoresError
from cape_lib.frontier.lines import FEWEST, X, Y, complete_rows
from cape_lib.stats import Estimate, generator, percentile_interval, row_bootstrap_indices, score_sd

Floats = NDArray[np.float64]
#: how many times the noise variance SIMEX adds
ADDED = np.array([0.0, 0.5, 1.0, 1.5, 2.0])


def slope_corrections(
    frame: pd.DataFrame,
    *,
    noise_sd: float | None = None,
    resamples: int = 2000,
    seed: int = 0,
    x: str = X,
    y: str = Y,
) -> pd.DataFrame:
    """The slope three ways, with intervals from resampled rows: method, slope, low, high, noise_sd, n.

    frame: one row a model, percent; noise_sd: standard deviation of the noise of x in points for every row (for
    instance from `setting_noise`); None takes the binomial noise of the questions, row by row.
    Raises MissingError with fewer than four models, ScoresError where the noise is as large as the spread of x: then
    no slope can be told.
    """
    rows = complete_rows(frame, x, y)
    old, new = rows[x].to_numpy(float), rows[y].to_numpy(float)
    if old.size < FEWEST:
        raise MissingError(
            f"a slope with noise in {x} needs {FEWEST} models with both scores, {old.size} given; add rows"
        )
    sd = np.full(old.size, noise_sd) if noise_sd is not None else score_sd(old, x)
    if float(np.mean(sd**2)) >= float(old.var(ddof=1)):
        raise ScoresError(f"the noise of {x} ({np.sqrt(np.mean(sd**2)):.1f} points) is as large as its spread")
    rng = generator(seed)
    draw = row_bootstrap_indices(old.size, resamples, rng)
    noise = rng.standard_normal((64, old.size))
    methods = {
        "least squares": (least_squares(old, new), least_squares(old[draw], new[draw])),
        "moment correction": (moment_slope(old, new, sd), moment_slope(old[draw], new[draw], sd[draw])),
        "SIMEX": (simex_slope(old, new, sd, noise), simex_slope(old[draw], new[draw], sd[draw], noise[:8])),
    }
    table = []
    for name, (point, drawn) in methods.items():
        low, high = percentile_interval(drawn)
        table.append((name, float(point), low, high, float(np.sqrt(np.mean(sd**2))), old.size))
    return pd.DataFrame(table, columns=["method", "slope", "low", "high", "noise_sd", "n"])


def least_squares(x: Floats, y: Floats) -> Floats:
    """Slope of y on x along the last axis; (n,) gives a number, (draws, n) gives (draws,)."""
    dx = x - x.mean(axis=-1, keepdims=True)
    return np.asarray((dx * y).sum(axis=-1) / (dx**2).sum(axis=-1))


def moment_slope(x: Floats, y: Floats, noise_sd: Floats) -> Floats:
    """Least squares divided by the reliability of x, (variance - noise variance) / variance; NaN where not positive."""
    variance = x.var(axis=-1, ddof=1)
    reliability = (variance - np.mean(noise_sd**2, axis=-1)) / variance
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(reliability > 0, least_squares(x, y) / reliability, np.nan))


def simex_slope(x: Floats, y: Floats, noise_sd: Floats, noise: Floats) -> Floats:
    """Slope with noise added step by step, then extrapolated back by a parabola to none (lambda = -1).

    noise: standard normal draws, (replicates, n), shared by all resamples so that the answer is smooth.
    """
    slopes = []
    for added in ADDED:
        shift = np.sqrt(added) * noise_sd
        slopes.append(np.mean([least_squares(x + shift * z, y) for z in noise], axis=0))
    design = np.vander(ADDED, 3, increasing=True)
    weights = np.array([1.0, -1.0, 1.0]) @ np.linalg.pinv(design)
    return np.asarray(np.tensordot(weights, np.array(slopes), axes=1))


def setting_noise(pairs: pd.DataFrame) -> Estimate:
    """Noise of one score from values that two parties measured for the same model, as a standard deviation (points).

    pairs: columns `first`, `second`, percent. The noise of one of them is the standard deviation of the differences
    over the square root of two; their mean difference (a lab's own harness scores higher) is taken out. Interval: chi
    square.
    """
    from scipy.special import chdtri

    difference = (pairs["first"] - pairs["second"]).dropna().to_numpy(float)
    n = difference.size
    if n < 3:
        return Estimate(float("nan"), float("nan"), float("nan"), n, "pairs of values, chi square")
    sd = float(difference.std(ddof=1)) / np.sqrt(2)
    low, high = (sd * float(np.sqrt((n - 1) / chdtri(n - 1, tail))) for tail in (0.025, 0.975))
    return Estimate(sd, low, high, n, "pairs of values, chi square")


def claim_pairs(scores: pd.DataFrame, *, benchmark: str = X) -> pd.DataFrame:
    """The lab's best value and the best independent value of each model: model, first (lab), second, difference.

    scores: long table (`tables.load("frontier_scores")`) with model, benchmark, value, claimed_by and, where known,
    role, of which "main" counts. The best of each side is taken because settings are rarely named alike; so the pairs
    hold differences of setting too.
    """
    rows = scores[scores["benchmark"] == benchmark]
    if "role" in rows:
        rows = rows[rows["role"] == "main"]
    best = rows.pivot_table(index="model", columns="claimed_by", values="value", aggfunc="max")
    if not {"lab", "independent"} <= set(best.columns):
        return pd.DataFrame(columns=["model", "first", "second", "difference"])
    both = best.dropna(subset=["lab", "independent"])
    first, second = both["lab"].to_numpy(float), both["independent"].to_numpy(float)
    return pd.DataFrame({"model": both.index, "first": first, "second": second, "difference": first - second})
