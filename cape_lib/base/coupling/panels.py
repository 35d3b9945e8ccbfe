"""A panel of many models: r without size and family, on both sides of a cut, of every pair; and its dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from cape_lib import stats
from cape_lib.errors import UsageError
from cape_lib.stats import Estimate, pearson, permutation_p
from cape_lib.tables import BASE_BENCHMARKS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NAN = float("nan")
#: resamples that fill one direction or all of them are this far from it
EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class PopulationCoupling:
    """r of two scores over a panel in four readings.

    `pearson`: Fisher interval, which takes models for independent; `clustered`: the same r, families left out in
    turn (no interval below eight families); `partial_given_size`: given log10 of the size, the same where there are
    eight families, else Fisher; `family_demeaned`: scores less
    their family's mean, families of one size left out; `permutation_p`: share of shuffles within families that give
    a demeaned r as far from zero, NaN where no family has two sizes.
    """

    pearson: Estimate
    clustered: Estimate
    partial_given_size: Estimate
    family_demeaned: Estimate
    permutation_p: float
    families: int


def population_coupling(
    panel: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    resamples: int = 10_000,
    seed: int = 0,
    by: str = "family",
) -> PopulationCoupling:
    """Pearson r of two scores over a panel, beside its partial, demeaned, clustered and permuted readings.

    panel: one row a model; columns params_b (billions), x, y (percent), `by` (the family; a missing one is a family
    of its own). Rows without both scores are left out; a constant score gives NaN, not a warning.
    Raises MissingError with fewer than two complete rows.
    Published: -0.989 over the eight Pythia sizes.
    """
    rows = stats.complete_rows(panel, ["params_b", x, y], purpose="a correlation")
    first, second = rows[x].to_numpy(dtype=float), rows[y].to_numpy(dtype=float)
    family = stats.labels_to_codes(_families(rows, by))[0]
    size = np.log10(rows["params_b"].to_numpy(dtype=float))
    rng = stats.generator(seed)
    demeaned, p = _demeaned(first, second, family, stats.permutations_within(family, resamples, rng))
    return PopulationCoupling(
        pearson=pearson(first, second),
        clustered=stats.clustered_r(first, second, family, fallback=False),
        partial_given_size=stats.clustered_r(first, second, family, given=size),
        family_demeaned=demeaned,
        permutation_p=p,
        families=int(family.max()) + 1,
    )


def clustered_pearson(rows: pd.DataFrame, *, x: str, y: str, by: str = "family") -> Estimate:
    """Pearson r of two scores with an interval that knows of families: each left out in turn, where there are eight.

    rows: one row a model; columns x, y (percent), `by` (a missing one is a family of its own). With fewer families the
    interval is Fisher's, which takes models for independent, and the method says so. NaN below three complete rows:
    two models always lie on a line.
    """
    known = stats.complete_rows(rows, [x, y], least=0)
    return stats.clustered_r(known[x], known[y], _families(known, by))


def pair_couplings(
    panel: pd.DataFrame, *, cut_b: float = 3.5, benchmarks: Sequence[str] = BASE_BENCHMARKS, by: str = "family"
) -> pd.DataFrame:
    """Pearson r of every pair of benchmarks below and above a cut, and whether its sign rests on one family.

    panel: one row a model; columns params_b, benchmarks (percent), `by`; cut_b: billions, a model of that size is
    above. Returns two rows a pair (ten pairs of the five base benchmarks): x, y, side, n, families, r, low, high
    (`clustered_pearson`), leave_low, leave_high (smallest and largest r with one family left out), sign_holds (the
    same sign whichever family is left out), changed_by (families without which the sign changes, by name). r is NaN
    with fewer than three rows or a constant score.
    Raises MissingError for an absent column, UsageError for a cut that is not positive.
    """
    return pd.DataFrame(
        {"x": x, "y": y, "side": side} | _one_side(inside, x, y, by)
        for x, y in combinations(benchmarks, 2)
        for side, inside in _sides(stats.complete_rows(panel, ["params_b", x, y], least=0), cut_b).items()
    )


def cut_sweep(
    panel: pd.DataFrame, cuts: Sequence[float], *, x: str = "hellaswag", y: str = "truthfulqa", by: str = "family"
) -> pd.DataFrame:
    """r of one pair below and above each of many cuts: does the sign flip at one size or at all of them?

    cuts: billions. Returns one row a cut: cut_b, then n, r, low, high (`clustered_pearson`) with the endings _below
    and _above, flips (r < 0 below and r > 0 above: so it is in a quarter of the panels of unrelated scores) and
    flips_surely (both intervals on their side of zero). Published story: one critical scale near 3.5 B.
    """
    rows = stats.complete_rows(panel, ["params_b", x, y], least=0)
    table = []
    for cut in cuts:
        row: dict[str, object] = {"cut_b": float(cut)}
        sides = {side: clustered_pearson(part, x=x, y=y, by=by) for side, part in _sides(rows, cut).items()}
        for side, r in sides.items():
            row |= {f"n_{side}": r.n, f"r_{side}": r.estimate, f"low_{side}": r.low, f"high_{side}": r.high}
        row["flips"] = sides["below"].estimate < 0 < sides["above"].estimate
        row["flips_surely"] = sides["below"].high < 0 < sides["above"].low
        table.append(row)
    return pd.DataFrame(table)


def _sides(rows: pd.DataFrame, cut: float) -> dict[str, pd.DataFrame]:
    """The rows below a cut (billions) and above it."""
    if not cut > 0:
        raise UsageError(f"the cut is {cut:g}; give a size in billions above 0")
    below = rows["params_b"] < cut
    return {"below": rows[below], "above": rows[~below]}


def _one_side(rows: pd.DataFrame, x: str, y: str, by: str) -> dict[str, object]:
    """r of one pair on one side of the cut, and its range with one family left out."""
    xs, ys = rows[x].to_numpy(dtype=float), rows[y].to_numpy(dtype=float)
    r = clustered_pearson(rows, x=x, y=y, by=by)
    # A row without a family is a family of its own.
    named = rows[by] if by in rows.columns else pd.Series(np.nan, index=rows.index)
    name = np.asarray([f"row {i}" if pd.isna(family) else str(family) for i, family in named.items()], dtype=str)
    families = np.unique(name)
    keep = name[None, :] != families[:, None]
    left = np.full(len(families), np.nan)
    if len(rows) > 2:
        left = np.where(keep.sum(axis=1) > 2, stats.pearson_rows(xs, ys, keep), np.nan)
    known = left[~np.isnan(left)]
    changed = families[left * r.estimate < 0] if known.size else families[:0]
    return {
        "n": len(rows),
        "families": len(families),
        "r": r.estimate,
        "low": r.low,
        "high": r.high,
        "leave_low": known.min() if known.size else np.nan,
        "leave_high": known.max() if known.size else np.nan,
        "sign_holds": bool(known.size and not changed.size),
        "changed_by": ", ".join(changed),
    }


def _families(rows: pd.DataFrame, by: str) -> pd.Series:
    """The family of each row; without that column the rows are one family."""
    return rows[by] if by in rows.columns else pd.Series("all", index=rows.index)


def _demeaned(x: Floats, y: Floats, family: Integers, shuffles: Integers) -> tuple[Estimate, float]:
    """r of the scores less their family's mean, and its permutation p within families.

    The shuffles leave the family means alone, so the demeaned scores can be shuffled in place of the scores.
    """
    size = np.bincount(family)
    inside = size[family] > 1
    dx, dy = (v - (np.bincount(family, weights=v) / size)[family] for v in (x, y))
    families, n = int(np.count_nonzero(size > 1)), int(np.count_nonzero(inside))
    # What is left of scores that do not vary within families is rounding.
    flat = [np.abs(d).max(initial=0.0) <= 1e-12 * max(1.0, np.abs(v).max(initial=0.0)) for d, v in ((dx, x), (dy, y))]
    if n < 2 or any(flat):
        return Estimate(NAN, NAN, NAN, n, "no variation within families"), NAN
    norm = float(np.sqrt((dx @ dx) * (dy @ dy)))
    r = float(np.clip(dx @ dy / norm, -1.0, 1.0))
    return stats.fisher(r, n, given=families - 1), permutation_p(r, dy[shuffles] @ dx / norm)


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
    rows = stats.complete_rows(panel, list(benchmarks), purpose="an effective dimension")
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
    low, high = stats.percentile_interval(draws)
    if not 1.0 < estimate < most:
        return low, high
    middle, first, last = logit((np.clip([estimate, low, high], 1 + EDGE, most - EDGE) - 1) / (most - 1))
    turned = 1 + (most - 1) * expit([2 * middle - last, 2 * middle - first])
    return min(low, float(turned[0])), max(high, float(turned[1]))


def _estimate(rows: pd.DataFrame, scores: Floats, resamples: int, seed: int, least: int) -> Estimate:
    """The participation ratio with its bootstrap interval, or NaN with the reason."""
    n = len(scores)
    if n < least:
        return Estimate(NAN, NAN, NAN, n, f"not defined below {least} complete rows")
    rng = stats.generator(seed)
    families = rows["family"].nunique(dropna=False) if "family" in rows.columns else 0
    if families >= stats.LEAST_CLUSTERS:
        counts = stats.cluster_bootstrap_counts(rows["family"], resamples, rng)
        method = f"participation ratio, {families} families resampled"
    else:
        counts, method = stats.row_bootstrap_counts(n, resamples, rng), "participation ratio, rows resampled"
    point = float(participation_ratio(scores)[0])
    low, high = dimension_interval(point, participation_ratio(scores, counts), scores.shape[1])
    return Estimate(point, low, high, n, method)
