"""What one row, one cell or all corrections together do to the numbers in the headlines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import ScoresError
from cape_lib.frontier.confounds import release_days
from cape_lib.frontier.labs import lab_line, lab_means, lab_r, lab_slopes, leave_one_lab_out
from cape_lib.frontier.lines import FROZEN_INTERCEPT, FROZEN_SLOPE, X, Y, complete_rows, fit_line
from cape_lib.frontier.saturation import TRUE_SPREAD, saturation, spread, spread_draws, top_rows
from cape_lib.stats import (
    Estimate,
    generator,
    pearson,
    pearson_rows,
    percentile_interval,
    row_bootstrap_indices,
)

Floats = NDArray[np.float64]


def influence(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """Each complete row with what its removal does to the line and to r.

    Returns the rows with `leverage` (0-1), `cooks` (Cook's distance), `d_slope`, `d_intercept` and `d_r` (value with
    the row minus value without it), largest Cook's distance first.
    """
    from statsmodels.api import OLS, add_constant

    rows = complete_rows(frame, x, y).copy()
    fit_line(rows, x=x, y=y)  # refuses what is no line
    old, new = rows[x].to_numpy(float), rows[y].to_numpy(float)
    judge = OLS(new, add_constant(old)).fit().get_influence()
    rows["leverage"] = judge.hat_matrix_diag
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rows that lie exactly on a line have no distance.
        rows["cooks"] = judge.cooks_distance[0]
    rows["d_intercept"], rows["d_slope"] = judge.dfbeta.T
    rows["d_r"] = pearson_rows(old, new) - pearson_rows(old, new, 1.0 - np.eye(old.size))
    return rows.sort_values("cooks", ascending=False, ignore_index=True)


def headline_numbers(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, Estimate]:
    """Every headline of the frontier paper on one panel, with its interval: name -> Estimate.

    r, slope, intercept, partial r given date, leave-one-lab-out error, spread of the top five on both axes, mean h of
    each lab with two core models or more, slope of each lab with three models or more. A number that the panel cannot
    give is left out.
    """
    rows = complete_rows(frame, x, y)
    fitted = fit_line(rows, x=x, y=y)
    numbers = lab_line(rows, x=x, y=y) | {
        "partial r given date": lab_r(rows, x, y, given=release_days(rows)),
        "leave-one-lab-out error": leave_one_lab_out(rows, x=x, y=y)[0],
    }
    if len(rows) >= 5:
        numbers |= _top_five(rows, x, y)
    means = lab_means(rows, chosen=fitted, x=x, y=y)
    numbers |= _by_lab(means[means["n"] > 1], "mean", "mean h", "core models, t interval")
    numbers |= _by_lab(lab_slopes(rows, x=x, y=y), "slope", "slope", "least squares, t interval")
    return numbers


def _top_five(rows: pd.DataFrame, x: str, y: str) -> dict[str, Estimate]:
    draws = spread_draws(rows, x, (x, y), k=5)
    top, ratio = top_rows(rows, x, k=5), saturation(rows, old=x, new=y)
    numbers = {}
    for name, axis in (("top-five spread, old axis", x), ("top-five spread, new axis", y)):
        measured = spread(top[axis])
        numbers[name] = Estimate(measured, *draws[axis].interval(measured), 5, TRUE_SPREAD)
    numbers["sigma"] = Estimate(ratio.sigma, ratio.low, ratio.high, 5, TRUE_SPREAD)
    return numbers


def _by_lab(table: pd.DataFrame, column: str, name: str, method: str) -> dict[str, Estimate]:
    return {
        f"{name} {row['lab']}": Estimate(
            float(row[column]), float(row["low"]), float(row["high"]), int(row["n"]), method
        )
        for row in table.to_dict("records")
    }


def correction_effects(
    before: pd.DataFrame, after: pd.DataFrame, *, resamples: int = 2000, seed: int = 0, x: str = X, y: str = Y
) -> pd.DataFrame:
    """Each headline number on two panels side by side, and for r and the line the paired interval of the change.

    before, after: the same models as `tables.frontier("published")` and `("corrected")`.
    Returns number, before, before_low, before_high, before_n, the same for after, change, change_low, change_high
    (models resampled, the same ones in both panels; NaN where the change is not resampled).
    """
    first, second = headline_numbers(before, x=x, y=y), headline_numbers(after, x=x, y=y)
    paired = _paired_changes(before, after, x, y, resamples, seed)
    table = []
    for name, a in first.items():
        b = second.get(name)
        if b is None:
            continue
        change_low, change_high = paired.get(name, (float("nan"), float("nan")))
        table.append(
            (name, a.estimate, a.low, a.high, a.n, b.estimate, b.low, b.high, b.n, b.estimate - a.estimate, change_low,
             change_high)
        )  # fmt: skip
    columns = ["number", *(f"before{part}" for part in ("", "_low", "_high", "_n")), "after", "after_low", "after_high"]
    return pd.DataFrame(table, columns=[*columns, "after_n", "change", "change_low", "change_high"])


def _paired_changes(
    before: pd.DataFrame, after: pd.DataFrame, x: str, y: str, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    second = complete_rows(after, x, y)[["model", x, y]]
    both = complete_rows(before, x, y).merge(second, on="model", suffixes=("", "_b"))
    if len(both) < 4:
        return {}
    draw = row_bootstrap_indices(len(both), resamples, generator(seed))
    x1, y1, x2, y2 = (both[c].to_numpy(float)[draw] for c in (x, y, f"{x}_b", f"{y}_b"))
    statistics: dict[str, Callable[[Floats, Floats], Floats]] = {
        "r": pearson_rows,
        "slope": least_squares,
        "intercept": lambda a, b: b.mean(axis=-1) - least_squares(a, b) * a.mean(axis=-1),
    }
    return {name: percentile_interval(f(x2, y2) - f(x1, y1)) for name, f in statistics.items()}


def least_squares(x: Floats, y: Floats) -> Floats:
    """Slope of y on x along the last axis; (n,) gives a number, (draws, n) gives (draws,)."""
    dx = x - x.mean(axis=-1, keepdims=True)
    return np.asarray((dx * y).sum(axis=-1) / (dx**2).sum(axis=-1))


def cell_effects(before: pd.DataFrame, after: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """Every cell that differs between two panels, with its effect alone on the model's h and on the panel's r.

    Returns model, lab, benchmark, before, after, difference, h_before, h_after (frozen line), d_r (r with only this
    cell changed minus r before; NaN where the model then has no pair). Largest change of h first. Raises ScoresError
    where a model stands twice in a panel.
    """
    for panel in (before, after):
        twice = panel["model"][panel["model"].duplicated()]
        if len(twice):
            raise ScoresError(f"{twice.iloc[0]} stands twice in the panel; keep one row a model")
    start = before.set_index("model")
    other = after.set_index("model")
    base = complete_rows(before, x, y)
    r0 = pearson(base[x].to_numpy(float), base[y].to_numpy(float)).estimate
    table = []
    for model in start.index.intersection(other.index):
        for axis in (x, y):
            old, new = float(start.loc[model, axis]), float(other.loc[model, axis])
            if old == new or (np.isnan(old) and np.isnan(new)):
                continue
            changed = start[[x, y]].astype(float).copy()
            changed.loc[model, axis] = new
            left = changed.dropna()
            r = pearson(left[x].to_numpy(), left[y].to_numpy()).estimate
            h = [float(v[y] - FROZEN_SLOPE * v[x] - FROZEN_INTERCEPT) for v in (start.loc[model], changed.loc[model])]
            table.append((model, start.loc[model, "lab"], axis, old, new, new - old, h[0], h[1], r - r0))
    columns = ["model", "lab", "benchmark", "before", "after", "difference", "h_before", "h_after", "d_r"]
    effects = pd.DataFrame(table, columns=columns)
    order = (effects["h_after"] - effects["h_before"]).abs().sort_values(ascending=False, na_position="last").index
    return effects.loc[order].reset_index(drop=True)


def share_checked(panel: pd.DataFrame, *, axes: tuple[str, ...] = (X, Y)) -> pd.DataFrame:
    """How many cells were looked up, by lab: lab, cells, checked, share, and one column a status with its count.

    panel: `tables.frontier("corrected")` with `<benchmark>_status`; "unchecked" cells are those that no source names.
    """
    statuses = pd.concat([panel[["lab"]].assign(status=panel[f"{axis}_status"]) for axis in axes], ignore_index=True)
    counts = statuses.groupby(["lab", "status"]).size().unstack(fill_value=0)
    cells = counts.sum(axis=1)
    checked = cells - counts.get("unchecked", 0)
    table = counts.assign(cells=cells, checked=checked, share=checked / cells).reset_index()
    lead = ["lab", "cells", "checked", "share"]
    return table[lead + [column for column in table if column not in lead]].rename_axis(columns=None)
