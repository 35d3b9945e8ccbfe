"""Population coupling: Pearson r over a panel, and what is left of it when size and family are taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.stats import (
    Estimate,
    clustered_fisher,
    complete_rows,
    fisher,
    generator,
    partial_pearson,
    pearson,
    pearson_rows,
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
    family = _families(rows, by)
    rng = generator(seed)
    demeaned, p = _demeaned(first, second, family, permutations_within(family, resamples, rng))
    return PopulationCoupling(
        pearson=pearson(first, second),
        clustered=_clustered(first, second, family),
        partial_given_size=_partial(first, second, np.log10(rows["params_b"].to_numpy(dtype=float)), family),
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
    kept = complete_rows(rows, [x, y], least=0)
    first, second = kept[x].to_numpy(dtype=float), kept[y].to_numpy(dtype=float)
    if len(kept) < 3:
        return fisher(NAN, len(kept))
    family = _families(kept, by)
    families = int(family.max()) + 1
    if families < LEAST_FAMILIES:
        return fisher(float(pearson_rows(first, second)), len(kept))
    return _clustered(first, second, family)


def _families(rows: pd.DataFrame, by: str) -> Integers:
    """A number for each row's family; a row without one is its own."""
    if by not in rows.columns:
        return np.zeros(len(rows), dtype=np.int64)
    alone = pd.Series([f"\0{i}" for i in range(len(rows))], index=rows.index)
    return pd.factorize(rows[by].astype(object).where(rows[by].notna(), alone))[0].astype(np.int64)


def without_each(family: Integers) -> Integers:
    """Which rows are left without each family in turn, (families, n), 0 or 1; family: numbers from 0 on, (n,)."""
    return np.asarray(family[None, :] != np.arange(int(family.max()) + 1)[:, None], dtype=np.int64)


def _clustered(x: Floats, y: Floats, family: Integers) -> Estimate:
    """r with an interval from families left out in turn, where there are enough of them."""
    r, families = float(pearson_rows(x, y)), int(family.max()) + 1
    if families < LEAST_FAMILIES:
        return Estimate(r, NAN, NAN, x.size, f"{families} families: too few to leave out")
    return clustered_fisher(r, pearson_rows(x, y, without_each(family)), x.size)


def _partial(x: Floats, y: Floats, size: Floats, family: Integers) -> Estimate:
    """Partial r given size; from families left out in turn, as models of one family are not independent."""
    found = partial_pearson(x, y, size)
    if int(family.max()) + 1 < LEAST_FAMILIES or np.isnan(found.estimate):
        return found
    return clustered_fisher(found.estimate, partial_rows(x, y, size, without_each(family)), found.n, given=1)


def partial_rows(x: Floats, y: Floats, z: Floats, counts: Integers) -> Floats:
    """Partial r of x and y given z, one a row of counts (resamples, n); NaN where z explains one of them wholly."""
    xy, xz, yz = (pearson_rows(a, b, counts) for a, b in ((x, y), (x, z), (y, z)))
    left = (1 - xz**2) * (1 - yz**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 1e-12, np.clip((xy - xz * yz) / np.sqrt(left), -1.0, 1.0), np.nan)


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
