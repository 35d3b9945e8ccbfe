"""Correlations and straight lines with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from cape_lib.errors import MissingError, ScoresError
from cape_lib.stats.estimate import Estimate

Floats = NDArray[np.float64]
NAN = float("nan")
# Spread below this share of the size of the values is rounding, not variation.
FLAT = 1e-12


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
    given = np.asarray(z, dtype=float)
    xs, ys, *columns = complete(x, y, *(given[:, None] if given.ndim == 1 else given).T)
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
    half = student(level, n - 2) * np.sqrt(np.diag(covariance))
    slope_half, intercept_half = (float(h) for h in half)
    return Line(
        slope=Estimate(slope, slope - slope_half, slope + slope_half, n, "least squares, t interval"),
        intercept=Estimate(
            intercept, intercept - intercept_half, intercept + intercept_half, n, "least squares, t interval"
        ),
        residual_sd=sd,
        covariance=covariance,
        r=float(pearson_rows(xs, ys)),
        n=n,
        mean_x=mean_x,
        spread_x=spread,
    )


def student(level: float, freedom: float) -> float:
    """Half-width of the central interval of Student's t, in standard errors."""
    return float(stdtrit(freedom, 0.5 + level / 2)) if freedom > 0 else NAN


def _standard(v: Floats) -> Floats:
    """Centred, and divided by its spread unless it has none: units then do not matter to rounding."""
    v = v - v.mean()
    scale = float(np.sqrt(np.mean(v**2)))
    return v / scale if scale > 0 else v
