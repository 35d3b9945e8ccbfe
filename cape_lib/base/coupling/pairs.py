"""Correlations below and above a cut in size: every pair of benchmarks at one cut, and one pair at every cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.coupling.population import clustered_pearson
from cape_lib.errors import UsageError
from cape_lib.stats import complete_rows, pearson_rows
from cape_lib.tables import BASE_BENCHMARKS

SIDES = ("below", "above")


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
        found = [clustered_pearson(side, x=x, y=y, by=by) for side in _sides(rows, cut)]
        for side, r in zip(SIDES, found, strict=True):
            row |= {f"n_{side}": r.n, f"r_{side}": r.estimate, f"low_{side}": r.low, f"high_{side}": r.high}
        row["flips"] = found[0].estimate < 0 < found[1].estimate
        row["flips_surely"] = found[0].high < 0 < found[1].low
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
    found = clustered_pearson(rows, x=x, y=y, by=by)
    name = _family_names(rows, by)
    families = np.unique(name)
    keep = name[None, :] != families[:, None]
    left = np.full(len(families), np.nan)
    if len(rows) > 2:
        left = np.where(keep.sum(axis=1) > 2, pearson_rows(xs, ys, keep), np.nan)
    known = left[~np.isnan(left)]
    changed = families[left * found.estimate < 0] if known.size else families[:0]
    return {
        "n": len(rows),
        "families": len(families),
        "r": found.estimate,
        "low": found.low,
        "high": found.high,
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
