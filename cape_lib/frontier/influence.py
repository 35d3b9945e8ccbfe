"""What else could make two scores rise together, and what one row, one cell or all corrections do to the numbers.

Figures: `charts.frontier`, `charts.quality`; sentences: `story.frontier`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import stats
from cape_lib.errors import ScoresError
from cape_lib.frontier.labs import lab_line, lab_means, lab_r, lab_slopes, leave_one_lab_out
from cape_lib.frontier.lines import X, Y, complete_rows, fit_line, line
from cape_lib.frontier.saturation import AXES, TRUE_SPREAD, saturation, spread, spread_draws, top_rows
from cape_lib.stats import Estimate

#: how a setting says that the model answers without reasoning
WITHOUT_REASONING = r"non-?(?:reasoning|think)|without (?:extended )?thinking"
#: paper B, table 2: three correlations from three different sets of models (n = 21, 10, 9)
PUBLISHED = {(X, Y): 0.848, (Y, "hle"): 0.715, (X, "hle"): -0.251}
Floats = NDArray[np.float64]


def _days(rows: pd.DataFrame) -> Floats:
    """Days since the first release, shape (n,); NaN where there is no date."""
    dates = pd.to_datetime(rows["released"])
    return np.asarray((dates - dates.min()) / np.timedelta64(1, "D"), dtype=float)


def date_confound(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, Estimate]:
    """r of the two scores, and what is left of it when release date is held fixed.

    frame: panel with `released` (timestamps).  Returns Estimates: `r`, `partial` (given date), `within_year` (both
    scores centred within the calendar year), `x_date` and `y_date` (each score with the date); each lab left out.
    """
    rows = complete_rows(frame, x, y, "released")
    rows = rows.assign(days=_days(rows))
    year = pd.to_datetime(rows["released"]).dt.year
    several = year.map(year.value_counts()).to_numpy() > 1
    years = np.eye(int(year.nunique()))[year.astype("category").cat.codes.to_numpy()][several]
    # The first year is the base line: with a constant in the fit a column for it would be a copy.
    return {
        "r": lab_r(rows, x, y),
        "partial": lab_r(rows, x, y, given=rows["days"]),
        "within_year": lab_r(rows[several], x, y, given=years[:, np.flatnonzero(years.any(axis=0))[1:]]),
        "x_date": lab_r(rows, x, "days"),
        "y_date": lab_r(rows, y, "days"),
    }


def subset_correlations(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """r on the subsets that the paper names: subset, n, r, low, high, x_min, x_max.

    Source: paper B, section 4.1, on the 34 rows: full .72, core .65 (23), x >= 40 .69 (32), without compute tiers .72
    (32), before 2025 and from 2025 on.
    """
    rows = complete_rows(frame, x, y)
    year = pd.to_datetime(rows["released"]).dt.year
    picks = {
        "all": np.ones(len(rows), dtype=bool),
        "core": (rows["subset"] == "core").to_numpy(),
        "x at least 40": (rows[x] >= 40).to_numpy(),
        "without compute tiers": rows["compute_tier"].isna().to_numpy(),
        "before 2025": (year < 2025).to_numpy(),
        "2025 on": (year >= 2025).to_numpy(),
    }
    return pd.DataFrame([_subset(name, rows[pick], x, y) for name, pick in picks.items()])


def range_cuts(frame: pd.DataFrame, cuts: list[float] | None = None, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """r among the models at or above each cut of x (percent points): the columns of `subset_correlations`, `cut`."""
    rows = complete_rows(frame, x, y)
    chosen = cuts if cuts is not None else [0.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0]
    above = {cut: rows[rows[x] >= cut] for cut in chosen}
    return pd.DataFrame(
        [{"cut": cut, **_subset(f"x at least {cut:g}", part, x, y)} for cut, part in above.items() if len(part) >= 4]
    )


def _subset(name: str, rows: pd.DataFrame, x: str, y: str) -> dict[str, object]:
    r = lab_r(rows, x, y)
    low, high = (float(rows[x].min()), float(rows[x].max())) if len(rows) else (float("nan"), float("nan"))
    return {"subset": name, "n": r.n, "r": r.estimate, "low": r.low, "high": r.high, "x_min": low, "x_max": high}


def compute_tiers(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """Pairs of rows of one model at two compute tiers: model, lower, higher, dx, dy, low, high, same_x.

    frame: panel with `compute_tier`; a pair shares model name without its last word. dy in points with an interval
    from the noise of two scores on the same questions, taken as independent (a bound). `same_x` marks a pair whose x
    is one value used twice: then dh is dy by construction.
    Source: paper B, section 4.4: GPT-5.4 standard to xhigh, +7.8 at one and the same SWE-bench score.
    """
    rows = complete_rows(frame, x, y)
    rows = rows[rows["compute_tier"].notna()].sort_values(y)
    table = []
    for base, pair in rows.groupby(rows["model"].str.rsplit(n=1).str[0]):
        if len(pair) > 1:
            ends = pair.iloc[[0, -1]]
            (dx, dy), tiers = ends[[x, y]].diff().iloc[1].astype(float), ends["compute_tier"]
            half = stats.Z95 * float(np.hypot(*stats.score_sd(ends[y], y)))
            table.append((base, *tiers, dx, dy, dy - half, dy + half, dx == 0))
    return pd.DataFrame(table, columns=["model", "lower", "higher", "dx", "dy", "low", "high", "same_x"])


def effort_contrasts(scores: pd.DataFrame, *, benchmark: str = Y) -> tuple[Estimate, pd.DataFrame]:
    """The same version of a model with and without reasoning, measured by one and the same party.

    scores: `tables.load("frontier_scores")`.  Returns the mean difference over models (points; labs left out in turn
    where there are eight, else a paired t interval) and one row a pair: model, lab, stated_by, without, with_reasoning,
    difference. A pair of one party at a time; where several parties give a pair for one model, their mean counts once.
    The published contrast is one pair of rows at one SWE-bench score; here is what the same question gives on more.
    """
    rows = scores[(scores["benchmark"] == benchmark) & scores["role"].isin(["main", "other setting"])]
    quiet = rows["setting"].str.contains(WITHOUT_REASONING, case=False, regex=True, na=False)
    keys = ["model", "lab", "stated_by"]
    table = pd.concat(
        [
            rows[quiet].groupby(keys)["value"].max().rename("without"),
            rows[~quiet].groupby(keys)["value"].max().rename("with_reasoning"),
        ],
        axis=1,
    ).dropna()
    pairs = table.assign(difference=table["with_reasoning"] - table["without"]).reset_index()
    each = pairs.groupby("model").agg(lab=("lab", "first"), difference=("difference", "mean"))
    few = stats.mean_interval(each["difference"], "mean over models, paired t interval")
    return stats.clustered(np.mean, each["difference"], clusters=each["lab"], unit="labs", few=few), pairs


def published_matrix() -> pd.DataFrame:
    """Paper B's three printed correlations as one matrix, by benchmark; its smallest eigenvalue is negative."""
    axes = [X, Y, "hle"]
    r = pd.DataFrame(np.eye(3), index=axes, columns=axes)
    for (first, second), value in PUBLISHED.items():
        r.loc[first, second] = r.loc[second, first] = value
    return r


def pair_table(frame: pd.DataFrame, *, axes: tuple[str, ...] = AXES) -> pd.DataFrame:
    """r of every pair twice: on all models with both scores, and on the complete cases of all axes.

    Returns first, second, n, r, low, high, seen (the r that would have been told from zero), n_complete, r_complete,
    low_complete, high_complete (`lab_r`).
    """
    everywhere = complete_rows(frame, *axes)
    table = []
    for i, first in enumerate(axes):
        for second in axes[i + 1 :]:
            both = complete_rows(frame, first, second)
            a, b = lab_r(both, first, second), lab_r(everywhere, first, second)
            seen = stats.seen_effect(a, scale="fisher")
            table.append((first, second, a.n, a.estimate, a.low, a.high, seen, b.n, b.estimate, b.low, b.high))
    tail = ["n_complete", "r_complete", "low_complete", "high_complete"]
    return pd.DataFrame(table, columns=["first", "second", "n", "r", "low", "high", "seen", *tail])


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
    rows["d_r"] = stats.pearson_rows(old, new) - stats.pearson_rows(old, new, 1.0 - np.eye(old.size))
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
        "partial r given date": lab_r(rows, x, y, given=_days(rows)),
        "leave-one-lab-out error": leave_one_lab_out(rows, x=x, y=y)[0],
    }
    if len(rows) >= 5:
        numbers |= _top_five(rows, x, y)
    means = lab_means(rows, chosen=fitted, x=x, y=y)
    slopes = lab_slopes(rows, x=x, y=y)
    for name, table, column, method in (
        ("mean h", means[means["n"] > 1], "mean", "core models, t interval"),
        ("slope", slopes, "slope", "least squares, t interval"),
    ):
        for lab, value, low, high, n in table[["lab", column, "low", "high", "n"]].itertuples(index=False):
            numbers[f"{name} {lab}"] = Estimate(float(value), float(low), float(high), int(n), method)
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


def correction_effects(
    before: pd.DataFrame, after: pd.DataFrame, *, resamples: int = 2000, seed: int = 0, x: str = X, y: str = Y
) -> pd.DataFrame:
    """Each headline number on two panels side by side, and for r and the line the paired interval of the change.

    before, after: the same models as `tables.frontier("published")` and `("corrected")`.
    Returns number, before, before_low, before_high, before_n, the same for after, change, change_low, change_high
    (models resampled, the same ones in both panels; NaN where the change is not resampled).
    """
    first, second = headline_numbers(before, x=x, y=y), headline_numbers(after, x=x, y=y)
    paired = paired_changes(before, after, x, y, resamples, seed)
    table = []
    for name, a in first.items():
        b = second.get(name)
        if b is None:
            continue
        sides = [value for e in (a, b) for value in (e.estimate, e.low, e.high, e.n)]
        table.append((name, *sides, b.estimate - a.estimate, *paired.get(name, (float("nan"), float("nan")))))
    columns = ["number", *(f"before{part}" for part in ("", "_low", "_high", "_n")), "after", "after_low", "after_high"]
    return pd.DataFrame(table, columns=[*columns, "after_n", "change", "change_low", "change_high"])


def paired_changes(
    before: pd.DataFrame, after: pd.DataFrame, x: str, y: str, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % of the change of r, slope and intercept from one panel to another, the same models resampled in both."""
    second = complete_rows(after, x, y)[["model", x, y]]
    both = complete_rows(before, x, y).merge(second, on="model", suffixes=("", "_b"))
    if len(both) < 4:
        return {}
    draw = stats.generator(seed).integers(0, len(both), size=(resamples, len(both)))
    x1, y1, x2, y2 = (both[c].to_numpy(float)[draw] for c in (x, y, f"{x}_b", f"{y}_b"))
    statistics: dict[str, Callable[[Floats, Floats], Floats]] = {
        "r": stats.pearson_rows,
        "slope": least_squares,
        "intercept": lambda a, b: b.mean(axis=-1) - least_squares(a, b) * a.mean(axis=-1),
    }
    return {name: stats.percentile_interval(f(x2, y2) - f(x1, y1)) for name, f in statistics.items()}


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
    base, frozen = complete_rows(before, x, y), line("frozen")
    r0 = stats.pearson(base[x].to_numpy(float), base[y].to_numpy(float)).estimate
    table = []
    for model in start.index.intersection(other.index):
        for axis in (x, y):
            old, new = float(start.loc[model, axis]), float(other.loc[model, axis])
            if old == new or (np.isnan(old) and np.isnan(new)):
                continue
            changed = start[[x, y]].astype(float).copy()
            changed.loc[model, axis] = new
            left = changed.dropna()
            r = stats.pearson(left[x].to_numpy(), left[y].to_numpy()).estimate
            h = [float(frozen.h(v[x], v[y])) for v in (start.loc[model], changed.loc[model])]
            table.append((model, start.loc[model, "lab"], axis, old, new, new - old, h[0], h[1], r - r0))
    columns = ["model", "lab", "benchmark", "before", "after", "difference", "h_before", "h_after", "d_r"]
    effects = pd.DataFrame(table, columns=columns)
    order = (effects["h_after"] - effects["h_before"]).abs().sort_values(ascending=False, na_position="last").index
    return effects.loc[order].reset_index(drop=True)
