"""Population coupling: Pearson r over a panel, and what is left of it when size and family are taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.resampling import (
    Estimate,
    cluster_bootstrap_counts,
    complete_rows,
    fisher,
    generator,
    partial_pearson,
    pearson,
    pearson_rows,
    percentile_interval,
    permutation_p,
    permutations_within,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NAN = float("nan")
# Fewer families than this cannot stand for the families there might be.
LEAST_FAMILIES = 8


@dataclass(frozen=True, slots=True)
class PopulationCoupling:
    """r of two scores over a panel in four readings.

    `pearson`: Fisher interval, which takes models for independent; `clustered`: the same r, whole families resampled
    (no interval below eight families); `partial_given_size`: given log10 of the size; `family_demeaned`: scores less
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
    family = _families(rows, by)
    rng = generator(seed)
    counts = cluster_bootstrap_counts(family, resamples, rng)
    demeaned, p = _demeaned(first, second, family, permutations_within(family, resamples, rng))
    return PopulationCoupling(
        pearson=pearson(first, second),
        clustered=_clustered(first, second, family, counts),
        partial_given_size=partial_pearson(first, second, np.log10(rows["params_b"].to_numpy(dtype=float))),
        family_demeaned=demeaned,
        permutation_p=p,
        families=int(family.max()) + 1,
    )


def _families(rows: pd.DataFrame, by: str) -> Integers:
    """A number for each row's family; a row without one is its own."""
    if by not in rows.columns:
        return np.zeros(len(rows), dtype=np.int64)
    alone = pd.Series([f"\0{i}" for i in range(len(rows))], index=rows.index)
    return pd.factorize(rows[by].astype(object).where(rows[by].notna(), alone))[0].astype(np.int64)


def _clustered(x: Floats, y: Floats, family: Integers, counts: Integers) -> Estimate:
    """r with the percentile interval over resampled families, where there are enough of them."""
    r, families = float(pearson_rows(x, y)), int(family.max()) + 1
    if families < LEAST_FAMILIES:
        return Estimate(r, NAN, NAN, x.size, f"{families} families: too few to resample")
    low, high = percentile_interval(pearson_rows(x, y, counts))
    return Estimate(r, low, high, x.size, f"{families} families resampled")


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
