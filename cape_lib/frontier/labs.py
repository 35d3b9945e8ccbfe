"""Labs: intervals that know that releases of one lab are alike, mean h, slopes, how well the others predict one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtri, stdtrit

from cape_lib.errors import UsageError
from cape_lib.frontier.lines import FrontierLine, X, Y, as_line, complete_rows, fit_line, frozen_rows
from cape_lib.names import suggest
from cape_lib.stats import (
    Estimate,
    cluster_count,
    clustered,
    clustered_r,
    clustered_slope,
    corrected,
    fisher,
    generator,
    ols,
    pearson_rows,
    permutation_p,
    permutations_within,
    seen_effect,
)
from cape_lib.stats.clusters import LEAST_CLUSTERS
from cape_lib.stats.inference import POWER

FEWEST_FOR_A_SLOPE = 3


def lab_r(frame: pd.DataFrame, x: str = X, y: str = Y, *, given: ArrayLike | None = None) -> Estimate:
    """r of two scores over releases, or partial r given other columns, with each lab left out in turn (Fisher's z).

    frame: one row a release with `lab`; given: (n,) or (n, k), one row a release. Below eight labs the interval is
    Fisher's, which takes the releases of one lab for independent. Published: .72 over 34 releases of ten labs.
    """
    return clustered_r(frame[x].astype(float), frame[y].astype(float), frame["lab"], given=given, unit="labs")


def lab_line(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, Estimate]:
    """`r`, `slope` and `intercept` of the least-squares line of a panel, each lab left out in turn.

    Below eight labs the intervals are those of independent releases. MissingError with fewer than four rows.
    """
    rows = complete_rows(frame, x, y)
    fitted = fit_line(rows, x=x, y=y).fit
    old, new, labs = rows[x].to_numpy(float), rows[y].to_numpy(float), rows["lab"]
    intercept = fitted.intercept
    if cluster_count(labs) >= LEAST_CLUSTERS:
        intercept = clustered(lambda a, b: ols(a, b).intercept.estimate, old, new, clusters=labs, unit="labs")
    return {"r": lab_r(rows, x, y), "slope": clustered_slope(old, new, labs, unit="labs"), "intercept": intercept}


def check_lab(frame: pd.DataFrame, lab: str) -> str:
    """The lab's name as the panel spells it; UsageError with the nearest names if it is not there."""
    names = {str(name).casefold(): str(name) for name in frame["lab"].dropna().unique()}
    if lab.casefold() not in names:
        raise UsageError(suggest("lab", lab, sorted(names.values())))
    return names[lab.casefold()]


def lab_means(
    frame: pd.DataFrame,
    *,
    chosen: FrontierLine | str | None = None,
    core_only: bool = True,
    x: str = X,
    y: str = Y,
) -> pd.DataFrame:
    """Mean h by lab, highest first, with a t interval from the lab's own scatter where it has two models or more.

    frame: panel with `lab` and, for `core_only`, `subset`; chosen: None takes the line of all frozen rows, as
    published. Columns lab, n, mean, low, high (points; NaN where n = 1), same_sign (all its h have one sign).
    Source: paper B, table 1: Google +5.5, OpenAI +3.1, DeepSeek +1.9, Anthropic -6.9, core models only.
    """
    rows = _with_h(frame, chosen, core_only, x, y)
    table = [_mean_row(str(lab), group["h"].to_numpy(float)) for lab, group in rows.groupby("lab")]
    columns = ["lab", "n", "mean", "low", "high", "same_sign"]
    return pd.DataFrame(table, columns=columns).sort_values("mean", ascending=False, ignore_index=True)


def _with_h(frame: pd.DataFrame, chosen: FrontierLine | str | None, core_only: bool, x: str, y: str) -> pd.DataFrame:
    """The rows behind a table of labs, with h from the line of all frozen rows unless another is chosen."""
    rows = complete_rows(frame, x, y)
    rows = rows.assign(h=rows[y] - as_line(chosen, frozen_rows(rows), x=x, y=y).at(rows[x]))
    return rows[rows["subset"] == "core"] if core_only and "subset" in rows else rows


def _mean_row(lab: str, h: NDArray[np.float64]) -> tuple[str, int, float, float, float, bool]:
    n, mean = h.size, float(h.mean())
    half = float(stdtrit(n - 1, 0.975) * h.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return lab, n, mean, mean - half, mean + half, bool((h > 0).all() or (h < 0).all())


def leave_one_lab_out(
    frame: pd.DataFrame, *, at_least: int = FEWEST_FOR_A_SLOPE, x: str = X, y: str = Y
) -> tuple[Estimate, pd.DataFrame]:
    """Mean absolute error on a lab that the line has not seen, beside a flat line.

    frame: the frozen rows for the published number; at_least: labs with fewer models are not held out.
    Returns the unweighted mean over the held-out labs (points; interval: t over those labs) and one row a lab:
    lab, n, error, error_flat (mean y of the other labs as the prediction), slope of the others' line.
    Source: paper B, section 4.3: 9.2 over four labs (OpenAI 6.5, Google 7.3, DeepSeek 10.6, Anthropic 12.4).
    """
    rows = complete_rows(frame, x, y)
    table = []
    for lab, group in rows.groupby("lab"):
        if len(group) < at_least:
            continue
        others = rows[rows["lab"] != lab]
        fitted = fit_line(others, x=x, y=y)
        error = float((group[y] - fitted.at(group[x])).abs().mean())
        flat = float((group[y] - others[y].mean()).abs().mean())
        table.append((str(lab), len(group), error, flat, fitted.slope))
    by_lab = pd.DataFrame(table, columns=["lab", "n", "error", "error_flat", "slope"])
    by_lab = by_lab.sort_values("error", ignore_index=True)
    k = len(by_lab)
    mean = float(by_lab["error"].mean()) if k else float("nan")
    half = float(stdtrit(k - 1, 0.975) * by_lab["error"].std(ddof=1) / np.sqrt(k)) if k > 1 else float("nan")
    return Estimate(mean, mean - half, mean + half, k, "mean absolute error over held-out labs, t interval"), by_lab


def lab_slopes(frame: pd.DataFrame, *, at_least: int = FEWEST_FOR_A_SLOPE, x: str = X, y: str = Y) -> pd.DataFrame:
    """Least-squares slope of each lab with at least three models, steepest first, with t intervals.

    Returns lab, n, slope, low, high, standard_error, intercept, r, x_min, x_max, and pooled_error and freedom: the
    standard error from the scatter of all these labs together about their own lines, and its degrees of freedom. A lab
    of three releases has one degree of its own, which makes its standard error a number drawn almost at random; what
    compares labs therefore takes the pooled one.
    Source: paper B, section 4.2: Google 1.15, DeepSeek 0.23, all rows of the lab among the 34.
    """
    table = []
    for lab, group in complete_rows(frame, x, y).groupby("lab"):
        old = group[x].to_numpy(float)
        if len(group) < at_least or np.ptp(old) == 0:
            continue
        own = ols(old, group[y].to_numpy(float))
        table.append(
            (str(lab), own.n, own.slope.estimate, own.slope.low, own.slope.high, float(np.sqrt(own.covariance[0, 0])),
             own.intercept.estimate, own.r, float(old.min()), float(old.max()), own.residual_sd, own.spread_x)
        )  # fmt: skip
    columns = ["lab", "n", "slope", "low", "high", "standard_error", "intercept", "r", "x_min", "x_max"]
    answer = pd.DataFrame(table, columns=[*columns, "residual_sd", "spread_x"])
    answer = answer.sort_values("slope", ascending=False, ignore_index=True)
    own_freedom = (answer["n"] - 2).clip(lower=0)
    freedom = int(own_freedom.sum())
    left = float((answer["residual_sd"].fillna(0.0) ** 2 * own_freedom).sum())
    scatter = np.sqrt(left / freedom) if freedom else float("nan")
    pooled = scatter / np.sqrt(answer["spread_x"].astype(float))
    return answer[columns].assign(pooled_error=pooled, freedom=freedom)


def lab_permutation(
    frame: pd.DataFrame,
    *,
    core_only: bool = True,
    resamples: int = 9999,
    seed: int = 0,
    x: str = X,
    y: str = Y,
) -> pd.DataFrame:
    """Two questions put to shuffled panels, on the very rows of `lab_means` (the same `core_only`) and their line.

    Returns two rows with columns question, statistic, p, sided, p_corrected (Holm, over the two), n, seen: "do labs
    differ in h?" (share of the variance of h between labs; lab names shuffled over the rows; `seen`: standard deviation
    of labs, points, that four of five such panels would show) and "do scores rise together within labs?" (r of the
    lab-demeaned scores; y shuffled within each lab; `seen`: such an r). p 0-1, never zero.
    """
    rows = _with_h(frame, None, core_only, x, y)
    rng = generator(seed)
    codes = rows["lab"].astype("category").cat.codes.to_numpy()
    labs = np.eye(int(codes.max()) + 1)[codes]
    old, new, h = rows[x].to_numpy(float), rows[y].to_numpy(float), rows["h"].to_numpy(float)
    shuffled = permutations_within(np.zeros(len(rows)), resamples, rng)
    within = permutations_within(codes, resamples, rng)
    share = _between(h[None, :], labs)[0]
    demeaned = _demean(old[None, :], labs), _demean(new[None, :], labs)
    r = float(pearson_rows(*demeaned)[0])
    p_share = permutation_p(share, _between(h[shuffled], labs), "greater")
    p_r = permutation_p(r, pearson_rows(demeaned[0], demeaned[1][0][within]))
    n, k = len(rows), labs.shape[1]
    scatter = float(np.sqrt((_demean(h[None, :], labs) ** 2).sum() / (n - k))) if n > k else float("nan")
    apart = scatter * seen_between(labs.sum(axis=0), k - 1, n - k)
    table = pd.DataFrame(
        [
            ("do labs differ in h?", share, p_share, "one-sided", n, apart),
            ("do scores rise together within labs?", r, p_r, "two-sided", n,
             seen_effect(fisher(0.0, n, given=k - 1), scale="fisher")),
        ],
        columns=["question", "statistic", "p", "sided", "n", "seen"],
    )  # fmt: skip
    return table.assign(p_corrected=corrected(table["p"]))


def seen_between(weights: ArrayLike, groups: int, freedom: int) -> float:
    """The smallest spread of groups that an F test would have seen in four of five repeats, in units of the scatter.

    weights: of each group, (k,): its number of rows, for slopes its spread of x (sum of squares); groups, freedom:
    degrees of freedom of the test. NaN without any. Source: Searle, Casella and McCulloch 1992, section 3.6.
    """
    w = np.asarray(weights, dtype=float)
    if groups < 1 or freedom < 1:
        return float("nan")
    typical = (w.sum() - (w**2).sum() / w.sum()) / groups
    return float(np.sqrt((fdtri(groups, freedom, 0.95) / fdtri(groups, freedom, 1 - POWER) - 1) / typical))


def _between(h: NDArray[np.float64], labs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the variance of each row of h that lies between labs; h (draws, n), labs (n, k) one-hot."""
    h = h - h.mean(axis=1, keepdims=True)
    means = (h @ labs) / labs.sum(axis=0)
    total = (h**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, (means**2 * labs.sum(axis=0)).sum(axis=1) / total, np.nan)


def _demean(v: NDArray[np.float64], labs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(v - ((v @ labs) / labs.sum(axis=0)) @ labs.T)
