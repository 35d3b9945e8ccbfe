"""Correlations and straight lines with their intervals, where rows stand alone and where they come in clusters.

Models of one family, releases of one laboratory, are not independent: with eight clusters or more each is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.stats.draws import labels_to_codes
from cape_lib.stats.estimate import Estimate
from cape_lib.stats.noise import wilson, wilson_clustered

Floats = NDArray[np.float64]
NAN = float("nan")
# Spread below this share of the size of the values is rounding, not variation.
FLAT = 1e-12
Scale = Literal["plain", "fisher"]
#: a/b of the isocline of TruthfulQA over HellaSwag as published, calibrated on OLMo
RATIO = 0.187
#: fewer clusters than this cannot stand for the clusters there might be
LEAST_CLUSTERS = 8


class Band(NamedTuple):
    """A fitted line and its interval, three arrays of one shape."""

    fit: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line y = slope x + intercept by least squares, with exact t intervals.

    `residual_sd` has n - 2 in its denominator; `covariance` is that of (slope, intercept), shape (2, 2);
    `mean_x` and `spread_x` (sum of squares about the mean) serve the prediction interval.
    """

    slope: Estimate
    intercept: Estimate
    residual_sd: float
    covariance: Floats
    r: float
    n: int
    mean_x: float
    spread_x: float

    def at(self, x: ArrayLike) -> Floats:
        """The fitted y, same shape as `x`."""
        return np.asarray(self.slope.estimate * np.asarray(x, dtype=float) + self.intercept.estimate)

    def predict(self, x: ArrayLike, level: float = 0.95) -> Band:
        """Where one further observation at `x` lies (exact t, n - 2 degrees of freedom); level 0-1."""
        return self._band(x, level, 1.0)

    def confidence(self, x: ArrayLike, level: float = 0.95) -> Band:
        """Where the line itself lies at `x` (exact t); level 0-1."""
        return self._band(x, level, 0.0)

    def _band(self, x: ArrayLike, level: float, own: float) -> Band:
        fit, away = self.at(x), np.asarray(x, dtype=float) - self.mean_x
        half = student(level, self.n - 2) * self.residual_sd * np.sqrt(own + 1 / self.n + away**2 / self.spread_x)
        return Band(fit, fit - half, fit + half)


def complete(*columns: ArrayLike) -> list[Floats]:
    """The columns as float arrays without the rows in which any is missing; ScoresError if lengths differ."""
    arrays = [np.asarray(column, dtype=float) for column in columns]
    if len({array.shape for array in arrays}) > 1:
        raise ScoresError(f"columns of different length: {', '.join(str(array.size) for array in arrays)}")
    keep = np.all([np.isfinite(array) for array in arrays], axis=0)
    return [array[keep] for array in arrays]


def pearson_rows(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Pearson r of each row of two (resamples, n) arrays, shape (resamples,); either may be one row, (n,).

    weights: counts of the rows, (resamples, n), in place of gathered resamples. NaN where a row is constant.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    w = np.ones(xs.shape[-1]) if weights is None else np.asarray(weights, dtype=float)
    total = w.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x, mean_y = (w * xs).sum(axis=-1) / total, (w * ys).sum(axis=-1) / total
        dx, dy = xs - mean_x[..., None], ys - mean_y[..., None]
        xx, yy = (w * dx * dx).sum(axis=-1), (w * dy * dy).sum(axis=-1)
        r = (w * dx * dy).sum(axis=-1) / np.sqrt(xx * yy)
        flat = (xx <= total * (FLAT * mean_x) ** 2) | (yy <= total * (FLAT * mean_y) ** 2)
    return np.where(flat, np.nan, np.clip(r, -1.0, 1.0))


def fisher(r: float, n: int, *, given: int = 0, level: float = 0.95) -> Estimate:
    """A correlation with Fisher's z interval; each of the `given` variables held fixed costs one observation.

    r: -1 to 1, NaN allowed; n: observations. No interval (NaN) without a degree of freedom left.
    """
    freedom = n - 3 - given
    if np.isnan(r) or freedom <= 0:
        return Estimate(r, NAN, NAN, n, "Fisher z")
    with np.errstate(divide="ignore"):
        z = np.arctanh(r)
    half = float(ndtri(0.5 + level / 2)) / np.sqrt(freedom)
    return Estimate(r, float(np.tanh(z - half)), float(np.tanh(z + half)), n, "Fisher z")


def pearson(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Estimate:
    """Pearson r (-1 to 1) with Fisher's z interval; rows with a missing value are left out.

    NaN where a column is constant or fewer than two rows are left; no interval below four rows.
    Published: -0.989 for HellaSwag and TruthfulQA of the eight Pythia sizes.
    """
    xs, ys = complete(x, y)
    return fisher(float(pearson_rows(xs, ys)) if xs.size > 1 else NAN, xs.size, level=level)


def partial_pearson(x: ArrayLike, y: ArrayLike, z: ArrayLike, level: float = 0.95) -> Estimate:
    """Partial r of x and y given z, with Fisher's z interval (one observation fewer for each column of z).

    x, y: (n,); z: (n,) or (n, k). NaN where x or y has no variation left beside z.
    """
    fixed = np.asarray(z, dtype=float)
    xs, ys, *columns = complete(x, y, *(fixed[:, None] if fixed.ndim == 1 else fixed).T)
    k, n = len(columns), xs.size
    if n < k + 3:
        return fisher(NAN, n, given=k, level=level)
    design = np.column_stack([np.ones(n), *[_standard(c) for c in columns]])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (_standard(xs), _standard(ys))]
    # Standardised columns: a remainder of 1e-9 is rounding.
    explained = any(float(v @ v) <= 1e-18 * v.size for v in left)
    return fisher(NAN if explained else float(pearson_rows(*left)), n, given=k, level=level)


def ols(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> Line:
    """Straight line y on x by least squares, with exact t intervals; rows with a missing value are left out.

    MissingError with fewer than two complete rows, ScoresError where x is constant. With two rows the line has no
    interval (NaN). Published: frontier panel of 34 rows, slope 0.513, intercept 46.4.
    """
    xs, ys = complete(x, y)
    n = xs.size
    if n < 2:
        raise MissingError(f"a line needs two complete rows, {n} given; add rows that have both values")
    mean_x, mean_y = float(xs.mean()), float(ys.mean())
    dx = xs - mean_x
    spread = float(dx @ dx)
    if spread <= n * (FLAT * mean_x) ** 2:
        raise ScoresError(f"a line needs two different values of x, all {n} are {mean_x:g}")
    slope = float(dx @ (ys - mean_y)) / spread
    intercept = mean_y - slope * mean_x
    residual = ys - mean_y - slope * dx
    sd = float(np.sqrt(residual @ residual / (n - 2))) if n > 2 else NAN
    covariance = sd**2 * np.array([[1 / spread, -mean_x / spread], [-mean_x / spread, 1 / n + mean_x**2 / spread]])
    halves = (student(level, n - 2) * np.sqrt(np.diag(covariance))).tolist()
    first, second = (
        Estimate(value, value - half, value + half, n, "least squares, t interval")
        for value, half in zip((slope, intercept), halves, strict=True)
    )
    return Line(first, second, sd, covariance, float(pearson_rows(xs, ys)), n, mean_x, spread)


def mean_interval(values: ArrayLike, method: str) -> Estimate:
    """Mean of independent values, (n,), with Student's t from their own scatter; no interval (NaN) for one value."""
    v = np.asarray(values, dtype=float)
    mean, n = float(v.mean()) if v.size else NAN, v.size
    half = student(0.95, n - 1) * float(v.std(ddof=1)) / float(np.sqrt(n)) if n > 1 else NAN
    return Estimate(mean, mean - half, mean + half, n, method)


def student(level: float, freedom: float) -> float:
    """Half-width of the central interval of Student's t, in standard errors."""
    return float(stdtrit(freedom, 0.5 + level / 2)) if freedom > 0 else NAN


def _standard(v: Floats) -> Floats:
    """Centred, and divided by its spread unless it has none: units then do not matter to rounding."""
    v = v - v.mean()
    scale = float(np.sqrt(np.mean(v**2)))
    return v / scale if scale > 0 else v


def cluster_count(labels: ArrayLike) -> int:
    """How many clusters the rows form; labels: one a row, (n,), a missing one is a cluster of its own."""
    return labels_to_codes(labels)[1]


def left_out_interval(
    estimate: float,
    left_out: ArrayLike,
    n: int,
    *,
    given: int = 0,
    scale: Scale = "plain",
    unit: str = "families",
    sizes: ArrayLike | None = None,
) -> Estimate:
    """An estimate with a 95 % interval from leaving each cluster out in turn: the jackknife.

    left_out: the estimate without each cluster, (clusters,); n: observations; given: variables held fixed; scale:
    "fisher" for a correlation; unit: what the clusters are. Half-width: Student's t with clusters - 2 - given degrees
    of freedom times the jackknife's standard error. Percentiles of resampled clusters cover 88 to 92 % with a dozen
    of them; this covers 94 to 96 %. Source: Bell and McCaffrey 2002. sizes: rows of each cluster, where they are very
    uneven: the freedom is that of as many even clusters as count alike, (sum of sizes)^2 / sum of squares (Kish).
    """
    left = np.asarray(left_out, dtype=float)
    clusters, freedom = left.size, float(left.size - 2 - given)
    if sizes is not None:
        rows = np.asarray(sizes, dtype=float)
        freedom = min(freedom, float(rows.sum() ** 2 / (rows**2).sum()) - 2 - given)
    method = f"{clusters} {unit}, each left out in turn"
    if np.isnan(estimate) or freedom < 1 or np.isnan(left).any():
        return Estimate(estimate, NAN, NAN, n, method)
    ends, middle = left, estimate
    if scale == "fisher":
        ends, middle = (np.arctanh(np.clip(v, -1 + FLAT, 1 - FLAT)) for v in (left, estimate))
    se = float(np.sqrt((clusters - 1) / clusters * ((ends - ends.mean()) ** 2).sum()))
    low, high = middle - student(0.95, freedom) * se, middle + student(0.95, freedom) * se
    if scale == "fisher":
        low, high = np.tanh(low), np.tanh(high)
    return Estimate(estimate, float(low), float(high), n, method)


def clustered(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    clusters: ArrayLike,
    given: int = 0,
    scale: Scale = "plain",
    unit: str = "families",
    few: Estimate | None = None,
) -> Estimate:
    """Any statistic with the interval of `left_out_interval`; below eight clusters `few`, or no interval.

    statistic: takes the columns (or the rows of them that are left) and returns a number; columns: (n,) or (n, k);
    few: the estimate to show where there are too few clusters, whose interval takes rows for independent.
    """
    arrays = [np.asarray(column) for column in columns]
    codes, number = labels_to_codes(clusters)
    if few is not None and number < LEAST_CLUSTERS:
        return few
    estimate, n = float(statistic(*arrays)), codes.size
    if number < LEAST_CLUSTERS:
        return Estimate(estimate, NAN, NAN, n, f"{number} {unit}: too few to leave out")
    left = [float(statistic(*(array[codes != code] for array in arrays))) for code in range(number)]
    return left_out_interval(estimate, left, n, given=given, scale=scale, unit=unit)


def clustered_r(
    x: ArrayLike,
    y: ArrayLike,
    clusters: ArrayLike,
    *,
    given: ArrayLike | None = None,
    unit: str = "families",
    fallback: bool = True,
    uneven: bool = False,
) -> Estimate:
    """Pearson r, or partial r given other columns, with the interval to show: clusters left out where there are eight.

    x, y, clusters: (n,); given: (n,) or (n, k), held fixed; rows with a missing number are left out. With fewer
    clusters the interval is Fisher's, which takes rows for independent (fallback=False: none). NaN below three rows.
    uneven: count clusters by their sizes (see `left_out_interval`), as where a few makers have most of the rows.
    """
    first, second = (np.asarray(v, dtype=float) for v in (x, y))
    held = np.empty((first.size, 0))
    if given is not None and first.size:
        held = np.asarray(given, dtype=float).reshape(first.size, -1)
    labels = np.asarray(clusters, dtype=object)
    if not first.shape == second.shape == labels.shape:
        raise ScoresError(f"columns of different length: {first.size}, {second.size}, {labels.size}")
    known = np.isfinite(np.column_stack([first, second, held])).all(axis=1)
    first, second, held, labels = first[known], second[known], held[known], labels[known]
    k, n = held.shape[1], first.size
    if n < 3:
        return fisher(NAN, n, given=k)
    codes, number = labels_to_codes(labels)
    r = float(pearson_rows(first, second)) if k == 0 else partial_pearson(first, second, held).estimate
    if number < LEAST_CLUSTERS or np.isnan(r):
        return fisher(r, n, given=k) if fallback else Estimate(r, NAN, NAN, n, f"{number} {unit}: too few to leave out")
    if k == 0:
        left = pearson_rows(first, second, codes[None, :] != np.arange(number)[:, None])
    else:
        keep = [codes != code for code in range(number)]
        left = np.array([partial_pearson(first[rows], second[rows], held[rows]).estimate for rows in keep])
    sizes = np.bincount(codes) if uneven else None
    return left_out_interval(r, left, n, given=k, scale="fisher", unit=unit, sizes=sizes)


def clustered_share(hits: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Share of yes (0-1) with the interval to show: `wilson_clustered` where there are eight clusters, else Wilson's.

    hits: (n,) yes or no; clusters: (n,) one label each, a missing one is a cluster of its own.
    """
    yes = np.asarray(hits, dtype=bool).ravel()
    codes, number = labels_to_codes(clusters)
    return wilson(int(yes.sum()), yes.size, level) if number < LEAST_CLUSTERS else wilson_clustered(yes, codes, level)


def clustered_slope(x: ArrayLike, y: ArrayLike, clusters: ArrayLike, *, unit: str = "families") -> Estimate:
    """Slope of y on x by least squares with the interval to show: clusters left out in turn where there are eight.

    x, y, clusters: (n,), complete. With fewer clusters the interval is Student's t, which takes rows for independent.
    """
    slope = ols(x, y).slope
    return clustered(lambda a, b: ols(a, b).slope.estimate, x, y, clusters=clusters, unit=unit, few=slope)


def isocline(score: ArrayLike, ratio: float = RATIO) -> Floats:
    """The papers' curve: the critical second score (percent) over a first score (percent), 100 sqrt(ratio score / 100).

    score: percent, 0-100, any shape; ratio: a/b, above 0. The root is taken of fractions, as published: TQA_c =
    sqrt(0.187 HellaSwag), GPQA_c = sqrt(0.513 SWE-bench), IFEval_c = sqrt(0.97 GPQA); at SWE 80 the curve is at 64.1.
    Raises UsageError for a ratio that is not positive, ScoresError for a negative score.
    """
    if not ratio > 0:
        raise UsageError(f"a/b is {ratio:g}; give a number above 0")
    values = np.asarray(score, dtype=float)
    if (values < 0).any():
        raise ScoresError(f"a score of {float(np.nanmin(values)):g} has no square root; give percent, 0 to 100")
    return np.asarray(100.0 * np.sqrt(ratio * values / 100.0))
