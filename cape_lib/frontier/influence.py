"""What else could make two scores rise together, and what one row, one cell or all corrections do to the numbers.

Figures: `charts.frontier`, `charts.quality`; sentences: `story.frontier`.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import stats
from cape_lib.errors import ScoresError
from cape_lib.frontier.labs import lab_line, lab_means, lab_r, lab_slopes, leave_one_lab_out
from cape_lib.frontier.lines import FEWEST, X, Y, complete_rows, fit_line, line
from cape_lib.frontier.saturation import AXES, BEST, TRUE_SPREAD, saturation, spread_draws, spread_interval
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
    several = (year.map(year.value_counts()) > 1).to_numpy()
    # The first year is the base line: with a constant in the fit a column for it would be a copy.
    years = pd.get_dummies(year[several], drop_first=True, dtype=float)
    return {
        "r": lab_r(rows, x, y),
        "partial": lab_r(rows, x, y, given=rows["days"]),
        "within_year": lab_r(rows[several], x, y, given=years),
        "x_date": lab_r(rows, x, "days"),
        "y_date": lab_r(rows, y, "days"),
    }


def subset_correlations(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """r on the subsets that the paper names: subset, n, r, low, high, x_min, x_max.

    Source: paper B, section 4.1, on the 34 rows: full .72, core .65 (23), x >= 40 .69 (32), without compute tiers .72
    (32), before 2025 and from 2025 on.
    """
    rows = complete_rows(frame, x, y)
    early = pd.to_datetime(rows["released"]).dt.year < 2025
    parts = {
        "all": rows,
        "core": rows[rows["subset"] == "core"],
        "x at least 40": rows[rows[x] >= 40],
        "without compute tiers": rows[rows["compute_tier"].isna()],
        "before 2025": rows[early],
        "2025 on": rows[~early],
    }
    return pd.DataFrame([{"subset": name} | _r_and_range(part, x, y) for name, part in parts.items()])


def range_cuts(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """r among the models at or above each cut of x (percent points): cut, n, r, low, high, x_min, x_max."""
    rows = complete_rows(frame, x, y)
    above = {cut: rows[rows[x] >= cut] for cut in (0.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0)}
    return pd.DataFrame([{"cut": cut} | _r_and_range(part, x, y) for cut, part in above.items() if len(part) >= FEWEST])


def _r_and_range(rows: pd.DataFrame, x: str, y: str) -> dict[str, float]:
    r = lab_r(rows, x, y)
    return {"n": r.n, "r": r.estimate, "low": r.low, "high": r.high, "x_min": rows[x].min(), "x_max": rows[x].max()}


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
    which = quiet.map({True: "without", False: "with_reasoning"}).rename(None)
    table = rows.groupby(["model", "lab", "stated_by", which])["value"].max().unstack()
    table = table.reindex(columns=["without", "with_reasoning"]).rename_axis(columns=None).dropna()
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
    everywhere, table = complete_rows(frame, *axes), []
    for first, second in combinations(axes, 2):
        r, complete = (lab_r(complete_rows(rows, first, second), first, second) for rows in (frame, everywhere))
        seen = stats.seen_effect(r, scale="fisher")
        row = {"first": first, "second": second, "n": r.n, "r": r.estimate, "low": r.low, "high": r.high, "seen": seen}
        row |= {"n_complete": complete.n, "r_complete": complete.estimate}
        table.append(row | {"low_complete": complete.low, "high_complete": complete.high})
    return pd.DataFrame(table)


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
    if len(rows) >= BEST:
        top = saturation(rows, old=x, new=y)
        drawn = spread_draws(rows, x, (x, y), k=BEST)
        for name, axis, measured in (("old", x, top.spread_old), ("new", y, top.spread_new)):
            ends = spread_interval(drawn[axis], measured)
            numbers[f"top-five spread, {name} axis"] = Estimate(measured, *ends, BEST, TRUE_SPREAD)
        numbers["sigma"] = Estimate(top.sigma, top.low, top.high, BEST, TRUE_SPREAD)
    means = lab_means(rows, chosen=fitted, x=x, y=y)
    for name, table, column, method in (
        ("mean h", means[means["n"] > 1], "mean", "core models, t interval"),
        ("slope", lab_slopes(rows, x=x, y=y), "slope", "least squares, t interval"),
    ):
        for lab, value, low, high, n in table[["lab", column, "low", "high", "n"]].itertuples(index=False):
            numbers[f"{name} {lab}"] = Estimate(float(value), float(low), float(high), int(n), method)
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
    for name in (name for name in first if name in second):
        row: dict[str, object] = {"number": name}
        for side, e in (("before", first[name]), ("after", second[name])):
            row |= {side: e.estimate, f"{side}_low": e.low, f"{side}_high": e.high, f"{side}_n": e.n}
        low, high = paired.get(name, (float("nan"), float("nan")))
        change = second[name].estimate - first[name].estimate
        table.append(row | {"change": change, "change_low": low, "change_high": high})
    return pd.DataFrame(table)


def paired_changes(
    before: pd.DataFrame, after: pd.DataFrame, x: str, y: str, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % of the change of r, slope and intercept from one panel to another, the same models resampled in both."""
    second = complete_rows(after, x, y)[["model", x, y]]
    both = complete_rows(before, x, y).merge(second, on="model", suffixes=("", "_b"))
    if len(both) < 4:
        return {}
    draw = stats.generator(seed).integers(0, len(both), size=(resamples, len(both)))
    sides = []
    for old, new in ((both[x], both[y]), (both[f"{x}_b"], both[f"{y}_b"])):
        a, b = old.to_numpy(float)[draw], new.to_numpy(float)[draw]
        r = stats.pearson_rows(a, b)
        slope = r * b.std(axis=1) / a.std(axis=1)
        sides.append({"r": r, "slope": slope, "intercept": b.mean(axis=1) - slope * a.mean(axis=1)})
    return {name: stats.percentile_interval(sides[1][name] - sides[0][name]) for name in sides[0]}


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
    start, other = before.set_index("model"), after.set_index("model")
    frozen = line("frozen")

    def r(panel: pd.DataFrame) -> float:
        rows = panel.dropna(subset=[x, y])
        return stats.pearson(rows[x].to_numpy(float), rows[y].to_numpy(float)).estimate

    table = []
    for model in start.index.intersection(other.index):
        for axis in (x, y):
            old, new = float(start.loc[model, axis]), float(other.loc[model, axis])
            if old == new or (np.isnan(old) and np.isnan(new)):
                continue
            changed = start[[x, y]].astype(float)
            changed.loc[model, axis] = new
            h = [float(frozen.h(*panel.loc[model, [x, y]])) for panel in (start, changed)]
            table.append((model, start.loc[model, "lab"], axis, old, new, new - old, *h, r(changed) - r(start)))
    columns = ["model", "lab", "benchmark", "before", "after", "difference", "h_before", "h_after", "d_r"]
    effects = pd.DataFrame(table, columns=columns)
    moved = (effects["h_after"] - effects["h_before"]).abs()
    return effects.loc[moved.sort_values(ascending=False, na_position="last").index].reset_index(drop=True)
