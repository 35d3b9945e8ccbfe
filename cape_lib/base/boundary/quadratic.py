"""A quadratic of a score in log10 size: thousands of fits at once, its vertex with intervals, the test of a U."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from cape_lib import stats
from cape_lib.stats import Estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Vertices that the published bootstrap keeps: 10^7 to 10^12 parameters, here as log10 of billions.
PUBLISHED_WINDOW = (-2.0, 3.0)


class Parabolas(NamedTuple):
    """Quadratics y = curvature (t - centre)^2 + slope (t - centre) + constant, one an element; shapes (resamples,)."""

    curvature: Floats
    slope: Floats
    centre: Floats
    constant: Floats

    def at(self, t: Floats) -> Floats:
        """The value of each at t, (n,) or (resamples, n): shape (resamples, n)."""
        v = t - self.centre[:, None]
        return np.asarray(self.constant[:, None] + (self.slope[:, None] + self.curvature[:, None] * v) * v)

    def vertex(self) -> Floats:
        """Where each turns, in the unit of t; inf or NaN for a straight line."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.centre - self.slope / (2 * self.curvature)

    def slope_at(self, t: float) -> Floats:
        """The slope of each at t."""
        return self.slope + 2 * self.curvature * (t - self.centre)


@dataclass(frozen=True, slots=True)
class VertexBootstrap:
    """The published bootstrap of the vertex, sizes in billions.

    `estimate`: median of the vertices that count, with their percentile interval; `point`: vertex of the rows
    themselves (NaN if it does not count); `share`: of the resamples those that count, convex with a vertex in the
    window (0-1);
    `draws`: their vertices.
    """

    estimate: Estimate
    point: float
    share: float
    draws: Floats


@dataclass(frozen=True, slots=True)
class UShape:
    """Test of a U shape: falling at the smallest size and rising at the largest, by a parabola and by two lines.

    `slope_low`, `slope_high`: points per tenfold size at the two ends of the parabola; `p_low`, `p_high`: one-sided p
    of a fall and of a rise there (Sasabuchi; Lind and Mehlum); `p_lines`: the larger p of a line that falls up to the
    vertex and one that rises from it (Simonsohn); `p`: the largest of the three, small only if all is shown;
    `vertex`: billions, Fieller interval.
    """

    slope_low: float
    slope_high: float
    p_low: float
    p_high: float
    p_lines: float
    p: float
    vertex: Estimate


def fit_parabolas(t: Floats, y: Floats, counts: Integers | None = None, *, bend: bool = True) -> Parabolas:
    """Least-squares quadratics of y in t, all resamples at once.

    t: (n,), log10 size; y: (n,), or (resamples, n) for draws of scores; counts: how often each row is in a resample,
    (resamples, n); bend: False for straight lines. Moments are taken about the mean of each resample, which is stable
    and needs no matrix to be solved; NaN where a resample has fewer than three different t (two for a line).
    """
    middle, scale = float(t.mean()), float(np.ptp(t)) or 1.0
    u = (t - middle) / scale
    powers = np.column_stack([np.ones_like(u), u, u**2, u**3, u**4])
    # Without the level of y a constant score leaves no rounding that could pass for a bend.
    level = y.mean(axis=-1, keepdims=True)
    weights = np.ones((1, t.size)) if counts is None else counts.astype(float)
    right = (weights * (y - level)) @ powers[:, :3]
    total, *raw = (weights @ powers).T
    m1, m2, m3, m4 = (moment / total for moment in raw)
    y0, y1, y2 = (right / total[:, None]).T
    # Central moments of u, and the covariances of y with v = u - m1 and with v^2.
    c2 = m2 - m1**2
    c3 = m3 - 3 * m1 * m2 + 2 * m1**3
    c4 = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    vy = y1 - m1 * y0
    wy = y2 - 2 * m1 * y1 + m1**2 * y0 - c2 * y0
    determinant = c2 * (c4 - c2**2) - c3**2
    # Three different t leave at least the square of their smallest gap; less than this is rounding.
    known = determinant > 1e-12 * np.maximum(c2, 1e-300) ** 3 if bend else c2 > 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        curvature = np.where(known, (c2 * wy - c3 * vy) / determinant if bend else 0.0 * vy, np.nan)
        slope = np.where(known, (vy - curvature * c3) / c2, np.nan)
    constant = level[..., 0] + y0 - curvature * c2
    centre = np.broadcast_to(m1 * scale + middle, curvature.shape)
    return Parabolas(curvature / scale**2, slope / scale, centre, constant)


def vertex_bootstrap(
    frame: pd.DataFrame, *, y: str = "truthfulqa", resamples: int = 10_000, seed: int = 42, level: float = 0.95
) -> VertexBootstrap:
    """The paper's critical scale: vertex of a quadratic of y in log10 size, rows resampled with replacement.

    frame: one row a model, families pooled; columns params_b (billions), y (percent). A vertex is kept if the
    quadratic is convex and turns between 10^7 and 10^12 parameters; resamples without one are dropped, so that the
    interval is conditional on a boundary. Rows of one family are not independent: see `vertex_intervals`.
    Raises MissingError with fewer than three rows.
    Published: 3.5 B [2.9, 13.4] on 14 rows (Pythia, Llama-1 and Llama-2 in the version "bootstrap_script").
    """
    rows = stats.complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score = log_size(rows), rows[y].to_numpy(dtype=float)
    draws = kept_vertices(fit_parabolas(t, score, stats.row_bootstrap_counts(t.size, resamples, stats.generator(seed))))
    point = kept_vertices(fit_parabolas(t, score))
    vertices = 10 ** draws[~np.isnan(draws)]
    median = float(np.median(vertices)) if vertices.size else float("nan")
    low, high = stats.percentile_interval(vertices, level)
    method = f"rows resampled, {vertices.size} of {resamples} vertices kept"
    return VertexBootstrap(
        Estimate(median, low, high, t.size, method), billions(float(point[0])), vertices.size / resamples, vertices
    )


def kept_vertices(parabolas: Parabolas) -> Floats:
    """Vertices that the published rule keeps, log10 of billions; NaN for the others."""
    vertex = parabolas.vertex()
    low, high = PUBLISHED_WINDOW
    with np.errstate(invalid="ignore"):
        return np.where((parabolas.curvature > 0) & (vertex > low) & (vertex < high), vertex, np.nan)


def u_shape(frame: pd.DataFrame, *, y: str = "truthfulqa", level: float = 0.95) -> UShape:
    """Whether y falls at the smallest size and rises at the largest, by the quadratic's slopes there.

    frame: one row a model; columns params_b (billions), y (percent). A parabola takes any curve that levels off for a
    U, in up to half of the panels; so two straight lines on either side of its vertex must fall and rise as well. All
    are one-sided t tests; the p of the test is their largest. Rows count as independent. All values are NaN with fewer
    than four rows of three sizes (nothing is left to judge the fit by).
    Raises MissingError with fewer than three rows. Source: Sasabuchi 1980; Lind and Mehlum 2010; Simonsohn 2018.
    """
    from statsmodels.api import OLS

    rows = stats.complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score = log_size(rows), rows[y].to_numpy(dtype=float)
    n, nan = t.size, float("nan")
    if n < 4 or np.unique(t).size < 3:
        return UShape(nan, nan, nan, nan, nan, nan, Estimate(nan, nan, nan, n, "needs four rows of three sizes"))
    middle = float(t.mean())
    u = t - middle
    fit = OLS(score, np.vander(u, 3, increasing=True)).fit()
    coefficients, covariance = fit.params, fit.cov_params()
    slope_low, p_low = _end_slope(coefficients, covariance, float(u.min()), n - 3, fall=True)
    slope_high, p_high = _end_slope(coefficients, covariance, float(u.max()), n - 3, fall=False)
    vertex = _fieller_vertex(coefficients, covariance, middle, n, level)
    turn = -coefficients[1] / (2 * coefficients[2]) if coefficients[2] > 0 else nan
    p_lines = two_lines_p(u, score, turn)
    # NaN in any of them is NaN: a perfect fit leaves nothing to judge by.
    return UShape(slope_low, slope_high, p_low, p_high, p_lines, float(np.max([p_low, p_high, p_lines])), vertex)


def two_lines_p(t: Floats, y: Floats, turn: float) -> float:
    """Larger of the one-sided p that y falls up to a turn and rises from it: two separate lines, one residual scatter.

    t: (n,) log10 size; y: points; turn: in the unit of t, moved inward until three rows lie on either side (two of
    one size make no line). 1 where there is no turn or no room for two lines.
    """
    order = np.sort(t)
    if np.isnan(turn) or t.size < 6 or order[2] == order[0] or order[-1] == order[-3]:
        return 1.0
    at = float(np.clip(turn, order[2], order[-3]))
    above = t > at if np.unique(t[t <= at]).size > 1 and np.unique(t[t > at]).size > 1 else t >= at
    p, square = [], 0.0
    for arm, sign in ((~above, 1.0), (above, -1.0)):
        u = t[arm] - t[arm].mean() if arm.any() else t[arm]
        spread = float(u @ u)
        if spread <= 0:
            return 1.0
        slope = float(u @ y[arm]) / spread
        rest = y[arm] - y[arm].mean() - slope * u
        square += float(rest @ rest)
        p.append((sign * slope, spread))
    sd = np.sqrt(square / (t.size - 4))
    if not sd > 0:
        return float(max(slope >= 0 for slope, _ in p))
    return max(float(stdtr(t.size - 4, slope * np.sqrt(spread) / sd)) for slope, spread in p)


def _end_slope(
    coefficients: Floats, covariance: Floats, end: float, freedom: int, *, fall: bool
) -> tuple[float, float]:
    """The quadratic's slope at one end and the one-sided p of a fall or of a rise there."""
    gradient = np.array([0.0, 1.0, 2 * end])
    slope, sd = float(gradient @ coefficients), float(np.sqrt(gradient @ covariance @ gradient))
    if not sd > 0:
        return slope, float("nan")
    return slope, float(stdtr(freedom, slope / sd if fall else -slope / sd))


def _fieller_vertex(coefficients: Floats, covariance: Floats, middle: float, n: int, level: float) -> Estimate:
    """The vertex in billions with Fieller's interval, which may have no end."""
    _, b, a = (float(c) for c in coefficients)
    low, high = stats.fieller_limits(
        -b,
        2 * a,
        var_dy=covariance[1, 1],
        var_dx=4 * covariance[2, 2],
        cov=-2 * covariance[1, 2],
        level=level,
        freedom=n - 3,
    )
    turn = -b / (2 * a) if a != 0 else float("nan")
    size = [billions(middle + t) for t in (turn, float(low), float(high))]
    return Estimate(size[0], size[1], size[2], n, "vertex, Fieller with t noise")


def billions(t: float) -> float:
    """10^t without a warning where it is beyond every number: +inf gives inf, -inf gives 0."""
    with np.errstate(over="ignore"):
        return float(np.power(10.0, t))


def log_size(rows: pd.DataFrame) -> Floats:
    """log10 of params_b, shape (n,)."""
    return np.asarray(np.log10(rows["params_b"].to_numpy(dtype=float)))


def vertex_intervals(
    frame: pd.DataFrame, *, y: str = "truthfulqa", by: str = "family", resamples: int = 10_000, seed: int = 42
) -> pd.DataFrame:
    """The vertex of a quadratic of y in log10 size over pooled families, with every interval that can be had.

    frame: one row a model; columns params_b (billions), y (percent), `by`. Returns one row a method:

    "rows resampled, as published"    vertices outside 10^7 to 10^12 parameters dropped; takes rows for independent
    "families resampled"    with eight families or more; NaN and the reason with fewer
    "one family left out"    from the smallest to the largest vertex with one family fewer (a range, not 95 %)
    "score noise"    the same models asked other questions; nothing else

    Columns: method, n_c_b (billions; NaN where the quadratic does not turn up inside the sizes), low, high (0 = below
    every size, inf = beyond every size: unlike the published rule, resamples without a boundary are counted), share
    (of resamples with a boundary inside), n (rows), families, reason.
    Raises MissingError with fewer than three rows. Published: 3.5 B [2.9, 13.4] (rows resampled).
    """
    rows = stats.complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score = log_size(rows), rows[y].to_numpy(dtype=float)
    named = by in rows.columns
    codes = pd.factorize(rows[by] if named else pd.Series(["all"] * len(rows)), use_na_sentinel=False)[0]
    names = [str(name) for name in (pd.unique(rows[by]) if named else ["all"])]
    published = vertex_bootstrap(rows, y=y, resamples=resamples, seed=seed)
    point = float(turning_points(fit_parabolas(t, score), t)[0])
    first = {
        "method": "rows resampled, as published",
        "n_c_b": published.point,
        "low": published.estimate.low,
        "high": published.estimate.high,
        "share": published.share,
        "reason": "the interval leaves out resamples without a boundary and takes rows for independent",
    }
    rest = [
        _families(t, score, codes, resamples, seed),
        _left_out(t, score, codes, names),
        _noise(t, score, stats.score_noise(rows, y), resamples, seed),
    ]
    for row in rest:
        row["n_c_b"] = billions(point) if np.isfinite(point) else np.nan
    answer = pd.DataFrame([first, *rest])
    return answer.assign(n=t.size, families=len(names))[
        ["method", "n_c_b", "low", "high", "share", "n", "families", "reason"]
    ]


def turning_points(parabolas: Parabolas, t: Floats) -> Floats:
    """log10 size at which each quadratic turns from falling to rising inside the sizes t.

    +inf where it still falls at the largest size, -inf where it rises from the smallest on, NaN where it is not
    defined.
    """
    return turn_between(parabolas.slope_at(float(t.min())), parabolas.slope_at(float(t.max())), parabolas.vertex())


def turn_between(start: Floats, end: Floats, turn: Floats) -> Floats:
    """The turn where the slope goes from negative to positive; else on which side of the sizes it must lie: +-inf."""
    with np.errstate(invalid="ignore"):
        outside = np.where(end <= 0, np.inf, -np.inf)
        turns = np.where((start < 0) & (end > 0), turn, outside)
    return np.where(np.isnan(start + end), np.nan, turns)


def _summary(method: str, draws: Floats, reason: str) -> dict[str, object]:
    """One row from draws of log10 vertices that may be infinite."""
    known = draws[~np.isnan(draws)]
    low, high = stats.percentile_interval(known)
    share = float(np.isfinite(known).mean()) if known.size else float("nan")
    return {"method": method, "low": billions(low), "high": billions(high), "share": share, "reason": reason}


def _families(t: Floats, y: Floats, codes: NDArray[np.intp], resamples: int, seed: int) -> dict[str, object]:
    families = int(codes.max()) + 1
    if families < stats.LEAST_CLUSTERS:
        return _summary(
            "families resampled",
            np.full(1, np.nan),
            f"{families} families are too few to resample; it takes {stats.LEAST_CLUSTERS}",
        )
    counts = stats.cluster_bootstrap_counts(codes, resamples, stats.generator(seed))
    return _summary("families resampled", turning_points(fit_parabolas(t, y, counts), t), "whole families drawn")


def _left_out(t: Floats, y: Floats, codes: NDArray[np.intp], names: list[str]) -> dict[str, object]:
    method = "one family left out"
    if len(names) < 2:
        return _summary(method, np.full(1, np.nan), "one family only: nothing is left without it")
    keep = (codes[None, :] != np.arange(len(names))[:, None]).astype(np.int64)
    draws = turning_points(fit_parabolas(t, y, keep), t)
    row = _summary(method, draws, "")
    known = np.flatnonzero(~np.isnan(draws))
    if known.size:
        ends = [known[np.argmin(draws[known])], known[np.argmax(draws[known])]]
        row["low"], row["high"] = (billions(float(draws[end])) for end in ends)
        row["reason"] = f"from without {names[ends[0]]} to without {names[ends[1]]}"
    return row


def _noise(t: Floats, y: Floats, sd: Floats, resamples: int, seed: int) -> dict[str, object]:
    if not np.isfinite(sd).all():
        return _summary("score noise", np.full(1, np.nan), "the noise of the scores is unknown")
    draws = stats.noisy_scores(y, sd, resamples, stats.generator(seed))
    return _summary("score noise", turning_points(fit_parabolas(t, draws), t), "score noise alone")
