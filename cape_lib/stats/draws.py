"""Everything random: bootstrap rows and families, permutations, draws of score noise. All vectorised, all seeded."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Alternative = Literal["two-sided", "less", "greater"]
#: half of the rows of `fixed_normals`
FIXED_HALF = 500
#: Park and Miller's generator: state = 48271 state mod (2^31 - 1), from a first state that is no small number
MULTIPLIER, MODULUS, FIRST_STATE = 48271, 2**31 - 1, 123456789


def generator(seed: int | np.random.Generator = 0) -> np.random.Generator:
    """A random generator: PCG64 from an integer seed, or the given generator itself."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)


def fixed_normals(columns: int) -> Floats:
    """The same standard normal draws everywhere, shape (1000, columns): page, report and terminal show one interval.

    Lehmer's sequence with Park and Miller's multiplier fills column after column with 500 draws, so that a column is
    the same however many there are; the other 500 are their mirror image, so that no column has a mean. The integers
    stay below 2^53, which a browser repeats exactly.
    """
    return _columns(max(64, 2 ** int(np.ceil(np.log2(max(columns, 1))))))[:, :columns]


@lru_cache(maxsize=4)
def _columns(columns: int) -> Floats:
    state, jump = np.array([FIRST_STATE], dtype=np.int64), MULTIPLIER
    while state.size < FIXED_HALF * columns:
        # The next so many states are these, moved on by as many steps at once: products stay below 2^62.
        state, jump = np.concatenate([state, state * jump % MODULUS]), jump * jump % MODULUS
    half = ndtri(state[: FIXED_HALF * columns] / MODULUS).reshape(columns, FIXED_HALF).T
    normals = np.concatenate([half, -half])
    normals.flags.writeable = False
    return normals


def row_bootstrap_counts(n: int, resamples: int, rng: np.random.Generator) -> Integers:
    """How often each row is drawn in each resample, shape (resamples, n); each row of the answer sums to n.

    Counts in place of indices: a statistic with weights then needs no gathering of rows.
    """
    rows = rng.integers(0, n, size=(resamples, n), dtype=np.int64)
    flat = (rows + n * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=n * resamples).reshape(resamples, n)


def cluster_bootstrap_counts(labels: ArrayLike, resamples: int, rng: np.random.Generator) -> Integers:
    """How often each row is drawn when whole clusters (families) are drawn with replacement, (resamples, n).

    labels: one label a row, (n,); a missing label is a cluster of its own. As many clusters are drawn as there are;
    the number of rows in a resample varies with their sizes.
    """
    codes, clusters = labels_to_codes(labels)
    return row_bootstrap_counts(clusters, resamples, rng)[:, codes]


def permutations_within(labels: ArrayLike, resamples: int, rng: np.random.Generator) -> Integers:
    """Row numbers shuffled among the rows of one label only, shape (resamples, n).

    labels: one label a row, (n,); one and the same label for all gives an ordinary permutation.
    """
    codes, _ = labels_to_codes(labels)
    shuffled = np.argsort(codes + rng.random((resamples, codes.size)), axis=1)
    answer = np.empty_like(shuffled)
    answer[:, np.argsort(codes, kind="stable")] = shuffled
    return answer


def noisy_scores(
    score: ArrayLike, sd: ArrayLike, resamples: int, rng: np.random.Generator, *, correlation: float = 0.0
) -> Floats:
    """Scores that a repeat with other questions might give, shape (resamples, n): normal about each score.

    score, sd: percent points, (n,); correlation: of the noise between models, 0-1 (models that answer the same
    questions share part of it). Draws may leave 0-100: clipping would bias them.
    """
    middle, spread = np.asarray(score, dtype=float), np.asarray(sd, dtype=float)
    own = rng.standard_normal((resamples, middle.size))
    shared = rng.standard_normal((resamples, 1))
    return np.asarray(middle + spread * (np.sqrt(1.0 - correlation) * own + np.sqrt(correlation) * shared))


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Central interval (low, high) of the draws that are not NaN; NaN on both sides if there is none. level: 0-1.

    Draws may be infinite ("beyond every size"); an end then is one of the draws, as nothing lies half way to infinity.
    """
    values = np.asarray(draws, dtype=float).ravel()
    values = values[~np.isnan(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    tails = ((1 - level) / 2, (1 + level) / 2)
    if np.isfinite(values).all():
        low, high = np.quantile(values, tails)
    else:
        low, high = np.quantile(values, tails[0], method="lower"), np.quantile(values, tails[1], method="higher")
    return float(low), float(high)


def permutation_p(statistic: float, draws: ArrayLike, alternative: Alternative = "two-sided") -> float:
    """p (0-1) of a statistic among its permutation draws, (1 + as extreme) / (1 + draws): never zero.

    alternative: "two-sided" compares sizes without sign, "less" and "greater" with it. Draws that are NaN are left
    out; NaN where the statistic is NaN or no draw is left.
    """
    values = np.asarray(draws, dtype=float).ravel()
    values = values[~np.isnan(values)]
    if np.isnan(statistic) or values.size == 0:
        return float("nan")
    # A draw that repeats the data must count as a tie, whatever the order of its sums.
    slack = 1e-12 * max(1.0, abs(statistic))
    if alternative == "two-sided":
        statistic, values = abs(statistic), np.abs(values)
    extreme = values <= statistic + slack if alternative == "less" else values >= statistic - slack
    return float((1 + np.count_nonzero(extreme)) / (1 + values.size))


def labels_to_codes(labels: ArrayLike) -> tuple[Integers, int]:
    """Numbers 0, 1, ... for the labels in order of appearance, and how many; a missing label counts as its own."""
    codes, names = pd.factorize(pd.Series(np.asarray(labels, dtype=object)), use_na_sentinel=True)
    codes, missing = codes.astype(np.int64), np.flatnonzero(codes < 0)
    codes[missing] = len(names) + np.arange(missing.size)
    return codes, len(names) + missing.size
