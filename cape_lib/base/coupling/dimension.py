"""Effective dimension: how many independent directions the benchmark scores of a panel fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.stats import (
    LEAST_CLUSTERS,
    Estimate,
    cluster_bootstrap_counts,
    complete_rows,
    generator,
    percentile_interval,
    row_bootstrap_counts,
)
from cape_lib.tables import BASE_BENCHMARKS

Floats = NDArray[np.float64]
NAN = float("nan")
#: resamples that fill one direction or all of them are this far from it
EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class EffectiveDimension:
    """Participation ratio of the covariance of the scores, with its spectrum.

    `estimate` (1 to the number of benchmarks); `eigenvalues` (k,), largest first, points squared; `vectors` (k, k),
    one column an eigenvalue, the largest loading positive; `benchmarks`, the rows of `vectors`.
    """

    estimate: Estimate
    eigenvalues: Floats
    vectors: Floats
    benchmarks: tuple[str, ...]


def effective_dimension(
    panel: pd.DataFrame,
    *,
    benchmarks: Sequence[str] = BASE_BENCHMARKS,
    resamples: int = 2_000,
    seed: int = 0,
    least: int = 6,
) -> EffectiveDimension:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the scores over complete rows.

    panel: one row a model; columns `benchmarks` (percent), optionally family. The interval resamples families where
    there are at least eight, else rows (`dimension_interval`). With fewer than
    `least` complete rows the estimate is NaN and its method says so: n rows span at most n - 1 directions, whatever
    the models do. A constant benchmark adds nothing; if all are constant the estimate is NaN.
    Raises MissingError where a benchmark is absent or fewer than two rows are complete.
    Source: paper A; there 1.38, 1.22 and 1.15 for three phases of 26, 27 and 3 models.
    """
    rows = complete_rows(panel, list(benchmarks), purpose="an effective dimension")
    scores = rows[list(benchmarks)].to_numpy(dtype=float)
    n = len(scores)
    centred = scores - scores.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / (n - 1))
    values, vectors = np.clip(values[::-1], 0.0, None), vectors[:, ::-1]
    vectors = vectors * np.sign(vectors[np.argmax(np.abs(vectors), axis=0), np.arange(len(values))])
    return EffectiveDimension(_estimate(rows, scores, resamples, seed, least), values, vectors, tuple(benchmarks))


def participation_ratio(scores: Floats, counts: NDArray[np.int64] | None = None) -> Floats:
    """(trace C)^2 / trace(C C) of the covariance C of scores (n, k), one a row of counts (resamples, n) if given.

    The traces equal the sums over eigenvalues and need no decomposition. NaN where nothing varies.
    """
    centred = scores - scores.mean(axis=0)
    weights = np.ones((1, len(scores))) if counts is None else counts.astype(float)
    total = weights.sum(axis=1)[:, None, None]
    mean = (weights @ centred)[:, :, None] / total
    products = (centred[:, :, None] * centred[:, None, :]).reshape(len(scores), -1)
    k = scores.shape[1]
    covariance = (weights @ products).reshape(-1, k, k) / total - mean * mean.transpose(0, 2, 1)
    trace, square = np.trace(covariance, axis1=1, axis2=2), np.sum(covariance**2, axis=(1, 2))
    floor = (1e-12 * max(1.0, float(np.max(np.abs(scores))))) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(trace > floor, trace**2 / square, np.nan)


def dimension_interval(estimate: float, draws: Floats, most: int) -> tuple[float, float]:
    """95 % interval of a participation ratio from its resamples.

    A resample repeats rows and spans fewer directions, so that its percentiles lie too low: as far below the estimate
    as the estimate lies below the truth. The interval therefore reaches to the outer of two ends, the percentile and
    its reflection about the estimate, where distance is measured on the scale of log((d - 1) / (most - d)): both
    bounds, 1 and `most`, are kept. Percentiles alone cover 20 to 80 % where two directions are strong.
    """
    low, high = percentile_interval(draws)
    if not 1.0 < estimate < most:
        return low, high
    first, last = (_free(float(np.clip(end, 1 + EDGE, most - EDGE)), most) for end in (low, high))
    turned = [_bound(2 * _free(estimate, most) - end, most) for end in (last, first)]
    return min(low, turned[0]), max(high, turned[1])


def _free(d: float, most: int) -> float:
    return float(np.log((d - 1) / (most - d)))


def _bound(u: float, most: int) -> float:
    return float(1 + (most - 1) / (1 + np.exp(-u)))


def _estimate(rows: pd.DataFrame, scores: Floats, resamples: int, seed: int, least: int) -> Estimate:
    """The participation ratio with its bootstrap interval, or NaN with the reason."""
    n = len(scores)
    if n < least:
        return Estimate(NAN, NAN, NAN, n, f"not defined below {least} complete rows")
    rng = generator(seed)
    families = rows["family"].nunique(dropna=False) if "family" in rows.columns else 0
    if families >= LEAST_CLUSTERS:
        counts = cluster_bootstrap_counts(rows["family"], resamples, rng)
        method = f"participation ratio, {families} families resampled"
    else:
        counts, method = row_bootstrap_counts(n, resamples, rng), "participation ratio, rows resampled"
    point = float(participation_ratio(scores)[0])
    low, high = dimension_interval(point, participation_ratio(scores, counts), scores.shape[1])
    return Estimate(point, low, high, n, method)
