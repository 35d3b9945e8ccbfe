"""What else could make two scores rise together: time, the range of the panel, the compute of one answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from cape_lib.frontier.labs import lab_r
from cape_lib.frontier.lines import X, Y, complete_rows
from cape_lib.stats import Estimate, score_sd

Z95 = 1.959963984540054
#: how a setting says that the model answers without reasoning
WITHOUT_REASONING = r"non-?(?:reasoning|think)|without (?:extended )?thinking"


def release_days(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Days since the first release, shape (n,); NaN where there is no date."""
    dates = pd.to_datetime(rows["released"])
    return np.asarray((dates - dates.min()) / np.timedelta64(1, "D"), dtype=float)


def date_confound(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, Estimate]:
    """r of the two scores, and what is left of it when release date is held fixed.

    frame: panel with `released` (timestamps).  Returns Estimates: `r`, `partial` (given date), `within_year` (both
    scores centred within the calendar year), `x_date` and `y_date` (each score with the date); each lab left out.
    """
    rows = complete_rows(frame, x, y, "released")
    rows = rows.assign(days=release_days(rows))
    year = pd.to_datetime(rows["released"]).dt.year
    several = year.map(year.value_counts()).to_numpy() > 1
    years = np.eye(int(year.nunique()))[year.astype("category").cat.codes.to_numpy()]
    # The first year is the base line: with a constant in the fit a column for it would be a copy.
    return {
        "r": lab_r(rows, x, y),
        "partial": lab_r(rows, x, y, given=rows["days"]),
        "within_year": lab_r(rows[several], x, y, given=years[several][:, _used(years[several])]),
        "x_date": lab_r(rows, x, "days"),
        "y_date": lab_r(rows, y, "days"),
    }


def _used(years: NDArray[np.float64]) -> NDArray[np.int64]:
    """Columns of the years that occur, without the first of them."""
    return np.flatnonzero(years.any(axis=0))[1:]


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
    kept = {cut: rows[rows[x] >= cut] for cut in chosen}
    return pd.DataFrame(
        [{"cut": cut, **_subset(f"x at least {cut:g}", part, x, y)} for cut, part in kept.items() if len(part) >= 4]
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
    rows = rows[rows["compute_tier"].notna()]
    table = []
    for base, pair in rows.groupby(rows["model"].str.rsplit(n=1).str[0]):
        if len(pair) < 2:
            continue
        ordered = pair.sort_values(y)
        first, last = ordered.iloc[0], ordered.iloc[-1]
        dy = float(last[y] - first[y])
        half = Z95 * float(np.hypot(score_sd(float(first[y]), y), score_sd(float(last[y]), y)))
        dx = float(last[x] - first[x])
        table.append((base, first["compute_tier"], last["compute_tier"], dx, dy, dy - half, dy + half, dx == 0))
    return pd.DataFrame(table, columns=["model", "lower", "higher", "dx", "dy", "low", "high", "same_x"])


def effort_contrasts(scores: pd.DataFrame, *, benchmark: str = Y) -> tuple[Estimate, pd.DataFrame]:
    """The same version of a model with and without reasoning, measured by one and the same party.

    scores: `tables.load("frontier_scores")`.  Returns the mean difference over models (points, paired t interval) and
    one row a pair: model, lab, stated_by, without, with_reasoning, difference. A pair of one party at a time; where
    several parties give a pair for one model, their mean counts once.
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
    each = pairs.groupby("model")["difference"].mean().to_numpy(float)
    n, method = each.size, "mean over models, paired t interval"
    if n < 2:
        return Estimate(float(each[0]) if n else float("nan"), float("nan"), float("nan"), n, method), pairs
    half = float(stdtrit(n - 1, 0.975) * each.std(ddof=1) / np.sqrt(n))
    mean = float(each.mean())
    return Estimate(mean, mean - half, mean + half, n, method), pairs
