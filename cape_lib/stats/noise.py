"""Rows made ready for an analysis, the noise of their scores, and intervals that a browser can repeat to the digit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, owens_t, stdtrit

from cape_lib.errors import MissingError, ScoresError
from cape_lib.names import suggest
from cape_lib.stats.estimate import Estimate
from cape_lib.tables.benchmarks import ITEM_COUNTS

Floats = NDArray[np.float64]
TINY = 1e-60


def score_sd(score: ArrayLike, benchmark: str | None = None, *, items: int | None = None) -> Floats:
    """Standard deviation of a score from the number of questions alone (percent points), same shape as `score`.

    score: percent, 0-100; benchmark: a name in `tables.ITEM_COUNTS`; items: number of questions, which goes before it.
    NaN where the number of questions is unknown. Binomial: sqrt(p (1 - p) / items). A score of 0 or 100 is treated
    as half a question away from it, or it would claim to have no noise. For MC2 (a mean of probabilities, not of
    right and wrong) and for two models asked the same questions it is a conservative bound; variation between
    training seeds is not in it.
    """
    percent = np.asarray(score, dtype=float)
    count = items if items is not None else ITEM_COUNTS.get(benchmark or "")
    if count is None:
        return np.full(percent.shape, np.nan)
    p = np.where(np.isnan(percent), np.nan, np.clip(percent / 100.0, 0.5 / count, 1.0 - 0.5 / count))
    return np.asarray(100.0 * np.sqrt(p * (1.0 - p) / count))


def wilson(k: int, n: int, level: float = 0.95) -> Estimate:
    """Share k / n with Wilson's score interval (fractions, 0-1).

    k: successes; n: trials, 0 gives NaN with the interval [0, 1]; level: coverage, 0-1. scipy's interval; 9 of 10 gives
    0.9 [0.596, 0.982].
    """
    from scipy.stats import binomtest

    if n <= 0:
        return Estimate(float("nan"), 0.0, 1.0, 0, "Wilson")
    interval = binomtest(k, n).proportion_ci(level, "wilson")
    return Estimate(k / n, float(interval.low), float(interval.high), n, "Wilson")


def wilson_clustered(hits: ArrayLike, clusters: ArrayLike, level: float = 0.95) -> Estimate:
    """Share of yes with Wilson's interval where answers of one cluster (topic, family) may be alike.

    hits: (n,) yes or no; clusters: (n,) one label each. The number of answers is divided by the design effect that the
    clusters show (never below 1), and Student's t with one freedom less than there are clusters takes the place of the
    normal: with every answer its own cluster this is Wilson's interval but for t. [0, 1] with fewer than two clusters.
    Source: Korn and Graubard 1998, with Wilson's interval in place of the exact one.
    """
    yes = np.asarray(hits, dtype=float).ravel()
    n = yes.size
    names, codes = np.unique(np.asarray(clusters).ravel(), return_inverse=True)
    if n == 0:
        return Estimate(float("nan"), 0.0, 1.0, 0, "Wilson, clusters")
    share, groups = float(yes.mean()), len(names)
    if groups < 2:
        return Estimate(share, 0.0, 1.0, n, "Wilson, one cluster: no interval")
    away = np.bincount(codes, weights=yes - share)
    variance = groups / (groups - 1) * float(away @ away) / n**2
    plain = share * (1 - share) / n
    effect = max(1.0, variance / plain) if plain > 0 else 1.0
    many, z2 = n / effect, float(stdtrit(groups - 1, 0.5 + level / 2)) ** 2
    middle = (share + z2 / (2 * many)) / (1 + z2 / many)
    half = float(np.sqrt(z2 * (share * (1 - share) / many + z2 / (4 * many * many)))) / (1 + z2 / many)
    low, high = 0.0 if share == 0 else middle - half, 1.0 if share == 1 else middle + half
    return Estimate(share, low, high, n, f"Wilson, {groups} clusters, design effect {effect:.1f}")


def fieller_limits(
    dy: ArrayLike,
    dx: ArrayLike,
    *,
    var_dy: ArrayLike,
    var_dx: ArrayLike,
    cov: ArrayLike = 0.0,
    level: float = 0.95,
    freedom: float = np.inf,
) -> tuple[Floats, Floats]:
    """Ends (low, high) of Fieller's interval of dy / dx, element by element.

    It holds every ratio g for which dy - g dx is within its own noise of zero: g^2 A - 2 g B + C <= 0 with
    A = dx^2 - z^2 var_dx, B = dx dy - z^2 cov, C = dy^2 - z^2 var_dy. Where dx cannot be told from zero (A < 0) the
    answer is the outside of a gap, returned with low > high (values up to `high` or from `low` on), or, where dy
    cannot be told from zero either, every value, (-inf, inf). NaN in, NaN out. freedom: of the variances, where they
    were estimated: z is then Student's t.
    """
    up, along, var_up, var_along, both = (np.asarray(v, dtype=float) for v in (dy, dx, var_dy, var_dx, cov))
    z2 = float(ndtri(0.5 + level / 2) if np.isinf(freedom) else stdtrit(freedom, 0.5 + level / 2)) ** 2
    a, b, c = np.broadcast_arrays(along**2 - z2 * var_along, along * up - z2 * both, up**2 - z2 * var_up)
    # B^2 - A C, expanded by hand: the difference of the two products would lose its digits to cancellation.
    inside = z2 * (along**2 * var_up + up**2 * var_along - 2 * along * up * both - z2 * (var_along * var_up - both**2))
    root = np.sqrt(np.clip(inside, 0.0, None))
    q = b + np.where(b < 0, -root, root)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = q / a
        second = np.where(q == 0, first, c / q)
    small, large = np.fmin(first, second), np.fmax(first, second)
    low, high = np.where(a < 0, large, small), np.where(a < 0, small, large)
    everything = (a <= 0) & (inside <= 0)
    low, high = np.where(everything, -np.inf, low), np.where(everything, np.inf, high)
    unknown = np.isnan(a + b + c)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def fieller(dy: float, dx: float, *, var_dy: float, var_dx: float, cov: float = 0.0, level: float = 0.95) -> Estimate:
    """dy / dx with Fieller's interval, which may be bounded, the outside of a gap (low > high) or every value.

    dy, dx: two differences in one unit; var_dy, var_dx: variances of their noise (that unit squared); cov: its
    covariance; level: 0-1. The ratio is NaN where dx is zero. See `fieller_limits` and `Estimate.contains`.
    """
    low, high = fieller_limits(dy, dx, var_dy=var_dy, var_dx=var_dx, cov=cov, level=level)
    if low > high:
        method = "Fieller: dx may be zero, outside of a gap"
    elif np.isneginf(low) and np.isposinf(high):
        method = "Fieller: dx may be zero, every value"
    else:
        method = "Fieller"
    return Estimate(dy / dx if dx != 0 else float("nan"), float(low), float(high), 2, method)


def ratio_below(
    limit: ArrayLike, dy: ArrayLike, dx: ArrayLike, *, var_dy: ArrayLike, var_dx: ArrayLike, cov: ArrayLike = 0.0
) -> Floats:
    """Probability (0-1) that the ratio of two noisy differences is below `limit`, element by element, exactly.

    The true differences are taken as bivariate normal about the observed ones. With u = dy - limit dx and v = dx the
    ratio is below the limit where u and v have opposite signs, and for standardised means h, k and correlation rho

        P = delta + 2 T(h, (k / h - rho) / s) + 2 T(k, (h / k - rho) / s),   s = sqrt(1 - rho^2),

    T being Owen's function (1 / 2 pi) int_0^atan(a) exp(-h^2 / (2 cos^2 t)) dt, and delta = 1 where h and k have
    opposite signs, else 0. In any language: T is even in h and odd in a; for 0 <= a <= 1 it takes 48 Gauss-Legendre
    nodes up to min(atan(a), atan(8 / h)), and for a > 1 T(h, a) = (P + Q) / 2 - P Q - T(a h, 1 / a) with P, Q the
    normal distribution at h and a h: 1e-12 (a test does it). NaN where a variance is NaN.
    """
    g, up, along, var_up, var_along, both = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (limit, dy, dx, var_dy, var_dx, cov))
    )
    var_u = np.clip(var_up - 2 * g * both + g**2 * var_along, 0.0, None)
    # A variance of zero (a score without noise) leaves the sign to decide.
    sd_u, sd_v = np.sqrt(np.maximum(var_u, TINY)), np.sqrt(np.maximum(var_along, TINY))
    # Zero is moved aside by nothing that matters, so that h / k keeps a sign.
    h, k = (np.where(m == 0, TINY, m) for m in ((up - g * along) / sd_u, along / sd_v))
    rho = np.clip((both - g * var_along) / (sd_u * sd_v), -1.0, 1.0)
    s = np.sqrt(np.clip((1.0 - rho) * (1.0 + rho), 0.0, None))
    wedges = np.where((h < 0) != (k < 0), 1.0, 0.0)
    for one, other in ((h, k), (k, h)):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = (other - rho * one) / (one * s)
        # 0 / 0: u and v are one and the same line, which has no wedge.
        wedges = wedges + 2 * owens_t(one, np.where(np.isnan(slope), 0.0, slope))
    return np.where(np.isnan(h + k + rho), np.nan, np.clip(wedges, 0.0, 1.0))


def complete_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str = "params_b"
) -> pd.DataFrame:
    """The rows that have a value in each of `columns`, smallest size first; the input is left as it is.

    by: the column that they are put in order by, where it is there. MissingError where a column is absent or fewer than
    `least` rows are left; `purpose` says what needs them.
    """
    for column in columns:
        if column not in frame.columns:
            raise MissingError(f"{suggest('column', column, map(str, frame.columns))}; add it to the table of scores")
    whole = np.logical_and.reduce([frame[column].notna().to_numpy() for column in columns])
    rows = frame if whole.all() else frame[whole]
    if len(rows) < least:
        names = ", ".join(columns)
        aim = f"{purpose} needs" if purpose else "this needs"
        raise MissingError(f"{aim} {least} rows with {names}; {len(rows)} of {len(frame)} have them: add more models")
    # A second key, so that the order of rows in the file never matters.
    keys = [by, "model"] if {by, "model"} <= set(rows.columns) else [columns[0]]
    first = rows[keys[0]].to_numpy()
    if first.dtype.kind in "if" and (first[1:] > first[:-1]).all():
        return rows.reset_index(drop=True)
    return rows.sort_values(keys, kind="stable", ignore_index=True)


def ladder_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str = "params_b"
) -> pd.DataFrame:
    """The sizes of one family that have a value in each of `columns`, smallest first.

    by: the column of another axis, whose values take the place of the sizes. MissingError as `complete_rows`;
    ScoresError where two rows have one size or the rows are of several families (a `ladder` column that names one
    ladder settles the latter).
    """
    rows = complete_rows(frame, [by, *columns], least=least, purpose=purpose, by=by)
    groups = [rows[name] for name in ("ladder", "family") if name in rows.columns]
    if groups and all(group.nunique(dropna=False) > 1 for group in groups):
        listed = ", ".join(str(name) for name in groups[-1].unique()[:4])
        raise ScoresError(f"rows of several families in one ladder ({listed}); choose one family")
    size = rows[by].to_numpy(dtype=float)
    if by == "params_b" and not np.all(size > 0):
        raise ScoresError(f"params_b of {_names(rows, size <= 0)} is not positive; give the size in billions")
    again = np.flatnonzero(np.diff(size) == 0)
    if again.size:
        first = int(again[0])
        pair = " and ".join(_name(rows, row) for row in (first, first + 1))
        what = "equal sizes" if by == "params_b" else "equals"
        raise ScoresError(
            f"{pair} have the same {by} {size[first]:g}; the step between two {what} is undefined: keep one"
        )
    return rows


def score_noise(frame: pd.DataFrame, benchmark: str) -> Floats:
    """Standard deviation of the noise of each row's score, percent points, shape (n,).

    The harness's own standard error where `<benchmark>_stderr` gives it (percent points), else binomial from the
    number of questions (`score_sd`: a conservative bound for MC2); NaN where neither is known.
    """
    sd = score_sd(frame[benchmark].to_numpy(dtype=float), benchmark)
    column = f"{benchmark}_stderr"
    if column not in frame.columns:
        return sd
    stated = frame[column].to_numpy(dtype=float)
    return np.where(np.isnan(stated), sd, stated)


def _name(frame: pd.DataFrame, row: int) -> str:
    return str(frame["model"].iloc[row]) if "model" in frame.columns else f"row {row + 1}"


def _names(frame: pd.DataFrame, wrong: NDArray[np.bool_]) -> str:
    return ", ".join(_name(frame, int(row)) for row in np.flatnonzero(wrong)[:4])
