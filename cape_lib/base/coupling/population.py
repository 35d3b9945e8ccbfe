"""Population coupling: Pearson r over a panel, and what is left of it when size and family are taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.stats import (
    Estimate,
    clustered_r,
    complete_rows,
    fisher,
    generator,
    labels_to_codes,
    pearson,
    permutation_p,
    permutations_within,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
NAN = float("nan")


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
