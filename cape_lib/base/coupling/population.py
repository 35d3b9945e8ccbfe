"""Population coupling: Pearson r over a panel, without size and family, below and above a cut, of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import UsageError
from cape_lib.stats import (
    Estimate,
    clustered_r,
    complete_rows,
    fisher,
    generator,
    labels_to_codes,
    pearson,
    pearson_rows,
    permutation_p,
    permutations_within,
)
from cape_lib.tables import BASE_BENCHMARKS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NAN = float("nan")
SIDES = ("below", "above")


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
    rows = complete_rows(panel, ["params_b", x, y], purpose="a correlation")
    first, second = rows[x].to_numpy(dtype=float), rows[y].to_numpy(dtype=float)
    family = labels_to_codes(_families(rows, by))[0]
    size = np.log10(rows["params_b"].to_numpy(dtype=float))
    rng = generator(seed)
    demeaned, p = _demeaned(first, second, family, permutations_within(family, resamples, rng))
    return PopulationCoupling(
        pearson=pearson(first, second),
        clustered=clustered_r(first, second, family, fallback=False),
        partial_given_size=clustered_r(first, second, family, given=size),
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
    known = complete_rows(rows, [x, y], least=0)
    return clustered_r(known[x], known[y], _families(known, by))


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
    _check_cut(cut_b)
    parts = []
    for x, y in combinations(benchmarks, 2):
        rows = complete_rows(panel, ["params_b", x, y], least=0)
        for side, inside in zip(SIDES, _sides(rows, cut_b), strict=True):
            parts.append({"x": x, "y": y, "side": side} | _one_side(inside, x, y, by))
    return pd.DataFrame(parts)


def cut_sweep(
    panel: pd.DataFrame, cuts: Sequence[float], *, x: str = "hellaswag", y: str = "truthfulqa", by: str = "family"
) -> pd.DataFrame:
    """r of one pair below and above each of many cuts: does the sign flip at one size or at all of them?

    cuts: billions. Returns one row a cut: cut_b, then n, r, low, high (`clustered_pearson`) with the endings _below
    and _above, flips (r < 0 below and r > 0 above: so it is in a quarter of the panels of unrelated scores) and
    flips_surely (both intervals on their side of zero). Published story: one critical scale near 3.5 B.
    """
    rows = complete_rows(panel, ["params_b", x, y], least=0)
    answer = []
    for cut in cuts:
        _check_cut(cut)
        row: dict[str, object] = {"cut_b": float(cut)}
        below, above = (clustered_pearson(side, x=x, y=y, by=by) for side in _sides(rows, cut))
        for side, r in zip(SIDES, (below, above), strict=True):
            row |= {f"n_{side}": r.n, f"r_{side}": r.estimate, f"low_{side}": r.low, f"high_{side}": r.high}
        row["flips"] = below.estimate < 0 < above.estimate
        row["flips_surely"] = below.high < 0 < above.low
        answer.append(row)
    return pd.DataFrame(answer)


def _check_cut(cut: float) -> None:
    if not cut > 0:
        raise UsageError(f"the cut is {cut:g}; give a size in billions above 0")


def _sides(rows: pd.DataFrame, cut: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    below = rows["params_b"] < cut
    return rows[below], rows[~below]


def _one_side(rows: pd.DataFrame, x: str, y: str, by: str) -> dict[str, object]:
    """r of one pair on one side of the cut, and its range with one family left out."""
    xs, ys = rows[x].to_numpy(dtype=float), rows[y].to_numpy(dtype=float)
    r = clustered_pearson(rows, x=x, y=y, by=by)
    name = _family_names(rows, by)
    families = np.unique(name)
    keep = name[None, :] != families[:, None]
    left = np.full(len(families), np.nan)
    if len(rows) > 2:
        left = np.where(keep.sum(axis=1) > 2, pearson_rows(xs, ys, keep), np.nan)
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


def _family_names(rows: pd.DataFrame, by: str) -> NDArray[np.str_]:
    """The family of each row; a row without one is a family of its own."""
    if by not in rows.columns:
        return np.asarray([f"row {i}" for i in rows.index], dtype=str)
    pairs = zip(rows[by], rows.index, strict=True)
    return np.asarray([f"row {i}" if pd.isna(name) else str(name) for name, i in pairs], dtype=str)


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
    if n < 2 or _flat(dx, x) or _flat(dy, y):
        return Estimate(NAN, NAN, NAN, n, "no variation within families"), NAN
    norm = float(np.sqrt((dx @ dx) * (dy @ dy)))
    r = float(np.clip(dx @ dy / norm, -1.0, 1.0))
    return fisher(r, n, given=families - 1), permutation_p(r, dy[shuffles] @ dx / norm)


def _flat(left: Floats, scores: Floats) -> bool:
    """True where what is left of the scores is rounding."""
    return bool(np.max(np.abs(left)) <= 1e-12 * max(1.0, float(np.max(np.abs(scores)))))
