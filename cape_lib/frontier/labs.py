"""Labs: intervals that know that releases of one lab are alike, mean h, slopes, and slopes that borrow strength; what
else could make two scores rise together, and what one row, one cell or all corrections do to the numbers.

Figures: `charts.frontier`, `charts.quality`; sentences: `story.frontier`.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc, fdtri

from cape_lib import stats
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.frontier.lines import FEWEST, FrontierLine, X, Y, as_line, complete_rows, fit_line, frozen_rows, line
from cape_lib.frontier.saturation import AXES, BEST, TRUE_SPREAD, saturation, spread_draws, spread_interval
from cape_lib.names import suggest
from cape_lib.stats import Estimate, Floats

#: how a setting says that the model answers without reasoning
WITHOUT_REASONING = r"non-?(?:reasoning|think)|without (?:extended )?thinking"
#: paper B, table 2: three correlations from three different sets of models (n = 21, 10, 9)
PUBLISHED = {(X, Y): 0.848, (Y, "hle"): 0.715, (X, "hle"): -0.251}
FEWEST_FOR_A_SLOPE = 3
#: values of tau in the mixture; twice as many move no end by a hundredth of its width
GRID = 100


def lab_r(frame: pd.DataFrame, x: str = X, y: str = Y, *, given: ArrayLike | None = None) -> Estimate:
    """r of two scores over releases, or partial r given other columns, with each lab left out in turn (Fisher's z).

    frame: one row a release with `lab`; given: (n,) or (n, k), one row a release. Below eight labs the interval is
    Fisher's, which takes the releases of one lab for independent. Published: .72 over 34 releases of ten labs.
    """
    return stats.clustered_r(frame[x].astype(float), frame[y].astype(float), frame["lab"], given=given, unit="labs")


def lab_line(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, Estimate]:
    """`r`, `slope` and `intercept` of the least-squares line of a panel, each lab left out in turn.

    Below eight labs the intervals are those of independent releases. MissingError with fewer than four rows.
    """
    rows = complete_rows(frame, x, y)
    fitted = fit_line(rows, x=x, y=y).fit

    def left_out(name: str) -> Estimate:
        def value(old: Floats, new: Floats) -> float:
            return float(getattr(stats.ols(old, new), name).estimate)

        few = getattr(fitted, name)
        return stats.clustered(value, rows[x], rows[y], clusters=rows["lab"], unit="labs", few=few)

    return {"r": lab_r(rows, x, y), "slope": left_out("slope"), "intercept": left_out("intercept")}


def check_lab(frame: pd.DataFrame, lab: str) -> str:
    """The lab's name as the panel spells it; UsageError with the nearest names if it is not there."""
    names = {str(name).casefold(): str(name) for name in frame["lab"].dropna().unique()}
    if lab.casefold() not in names:
        raise UsageError(suggest("lab", lab, sorted(names.values())))
    return names[lab.casefold()]


def lab_means(
    frame: pd.DataFrame, *, chosen: FrontierLine | str | None = None, core_only: bool = True, x: str = X, y: str = Y
) -> pd.DataFrame:
    """Mean h by lab, highest first, with a t interval from the lab's own scatter where it has two models or more.

    frame: panel with `lab` and, for `core_only`, `subset`; chosen: None takes the line of all frozen rows, as
    published. Columns lab, n, mean, low, high (points; NaN where n = 1), same_sign (all its h have one sign).
    Source: paper B, table 1: Google +5.5, OpenAI +3.1, DeepSeek +1.9, Anthropic -6.9, core models only.
    """
    rows = _with_h(frame, chosen, core_only, x, y)
    table = []
    for lab, group in rows.groupby("lab"):
        h = group["h"].to_numpy(float)
        mean = stats.mean_interval(h, "t interval").row("mean")
        table.append({"lab": str(lab)} | mean | {"same_sign": bool((h > 0).all() or (h < 0).all())})
    columns = ["lab", "n", "mean", "low", "high", "same_sign"]
    return pd.DataFrame(table, columns=columns).sort_values("mean", ascending=False, ignore_index=True)


def _with_h(frame: pd.DataFrame, chosen: FrontierLine | str | None, core_only: bool, x: str, y: str) -> pd.DataFrame:
    """The rows behind a table of labs, with h from the line of all frozen rows unless another is chosen."""
    rows = complete_rows(frame, x, y)
    rows = rows.assign(h=as_line(chosen, frozen_rows(rows), x=x, y=y).h(rows[x], rows[y]))
    return rows[rows["subset"] == "core"] if core_only and "subset" in rows else rows


def leave_one_lab_out(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> tuple[Estimate, pd.DataFrame]:
    """Mean absolute error on a lab of three models or more that the line has not seen, beside a flat line.

    frame: the frozen rows for the published number.
    Returns the unweighted mean over the held-out labs (points; interval: t over those labs) and one row a lab:
    lab, n, error, error_flat (mean y of the other labs as the prediction), slope of the others' line.
    Source: paper B, section 4.3: 9.2 over four labs (OpenAI 6.5, Google 7.3, DeepSeek 10.6, Anthropic 12.4).
    """
    rows = complete_rows(frame, x, y)
    table = []
    for lab, group in rows.groupby("lab"):
        if len(group) < FEWEST_FOR_A_SLOPE:
            continue
        others = rows[rows["lab"] != lab]
        fitted = fit_line(others, x=x, y=y)
        error = float(np.abs(group[y] - fitted.at(group[x])).mean())
        flat = float((group[y] - others[y].mean()).abs().mean())
        table.append((str(lab), len(group), error, flat, fitted.slope))
    by_lab = pd.DataFrame(table, columns=["lab", "n", "error", "error_flat", "slope"])
    by_lab = by_lab.sort_values("error", ignore_index=True)
    return stats.mean_interval(by_lab["error"], "mean absolute error over held-out labs, t interval"), by_lab


def lab_slopes(frame: pd.DataFrame, *, at_least: int = FEWEST_FOR_A_SLOPE, x: str = X, y: str = Y) -> pd.DataFrame:
    """Least-squares slope of each lab with at least three models, steepest first, with t intervals.

    Returns lab, n, slope, low, high, standard_error, intercept, r, x_min, x_max, and pooled_error and freedom: the
    standard error from the scatter of all these labs together about their own lines, and its degrees of freedom. It is
    what compares labs: a lab of three releases has one degree of its own, and an error drawn almost at random.
    Source: paper B, section 4.2: Google 1.15, DeepSeek 0.23, all rows of the lab among the 34.
    """
    table, left, freedom = [], 0.0, 0
    for lab, group in complete_rows(frame, x, y).groupby("lab"):
        if len(group) < at_least or np.ptp(group[x]) == 0:
            continue
        own = stats.ols(group[x], group[y])
        slope = own.slope.estimate, own.slope.low, own.slope.high, float(np.sqrt(own.covariance[0, 0]))
        about = own.intercept.estimate, own.r, float(group[x].min()), float(group[x].max()), own.spread_x**-0.5
        table.append((str(lab), own.n, *slope, *about))
        if own.n > 2:
            left, freedom = left + own.residual_sd**2 * (own.n - 2), freedom + own.n - 2
    columns = ["lab", "n", "slope", "low", "high", "standard_error", "intercept", "r", "x_min", "x_max", "pooled_error"]
    answer = pd.DataFrame(table, columns=columns).sort_values("slope", ascending=False, ignore_index=True)
    answer["pooled_error"] *= np.sqrt(left / freedom) if freedom else float("nan")
    return answer.assign(freedom=freedom)


def lab_permutation(
    frame: pd.DataFrame, *, core_only: bool = True, resamples: int = 9999, seed: int = 0, x: str = X, y: str = Y
) -> pd.DataFrame:
    """Two questions put to shuffled panels, on the very rows of `lab_means` (the same `core_only`) and their line.

    Returns two rows with columns question, statistic, p, sided, p_corrected (Holm, over the two), n, seen: "do labs
    differ in h?" (share of the variance of h between labs; lab names shuffled over the rows; `seen`: standard deviation
    of labs, points, that four of five such panels would show) and "do scores rise together within labs?" (r of the
    lab-demeaned scores; y shuffled within each lab; `seen`: such an r). p 0-1, never zero.
    """
    rows = _with_h(frame, None, core_only, x, y)
    rng, n, h = stats.generator(seed), len(rows), rows["h"].to_numpy(float)
    codes, k = stats.labels_to_codes(rows["lab"])
    labs, of_labs = np.eye(k)[codes], np.bincount(codes)

    def between(h: Floats) -> Floats:
        h = h - h.mean(axis=-1, keepdims=True)
        total = (h**2).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, ((h @ labs) ** 2 / of_labs).sum(axis=-1) / total, np.nan)

    share = float(between(h))
    p_share = stats.permutation_p(share, between(h[stats.permutations_within(np.zeros(n), resamples, rng)]), "greater")
    r, p_r = stats.within_r(rows[x], rows[y], codes, resamples=resamples, rng=rng)
    scatter, freedom = stats.scatter_within(h, codes)
    apart = scatter * seen_between(of_labs, k - 1, freedom)
    r_seen = stats.seen_effect(stats.fisher(0.0, n, given=k - 1), scale="fisher")
    table = pd.DataFrame(
        [
            ("do labs differ in h?", share, p_share, "one-sided", n, apart),
            ("do scores rise together within labs?", r, p_r, "two-sided", n, r_seen),
        ],
        columns=["question", "statistic", "p", "sided", "n", "seen"],
    )
    return table.assign(p_corrected=stats.corrected(table["p"]))


def seen_between(weights: ArrayLike, groups: int, freedom: int) -> float:
    """The smallest spread of groups that an F test would have seen in four of five repeats, in units of the scatter.

    weights: of each group, (k,): its number of rows, for slopes its spread of x (sum of squares); groups, freedom:
    degrees of freedom of the test. NaN without any. Source: Searle, Casella and McCulloch 1992, section 3.6.
    """
    w = np.asarray(weights, dtype=float)
    if groups < 1 or freedom < 1:
        return float("nan")
    typical = (w.sum() - (w**2).sum() / w.sum()) / groups
    return float(np.sqrt((fdtri(groups, freedom, 0.95) / fdtri(groups, freedom, 1 - stats.POWER) - 1) / typical))


def heterogeneity(slopes: pd.DataFrame) -> pd.Series:
    """Whether slopes differ by more than their noise.

    Returns a row: q (weighted squares about the common slope) on freedom, f (their ratio), p; tau: standard deviation
    of the true slopes (DerSimonian-Laird, zero where the spread is no more than noise); common: the pooled slope with
    common_low and common_high; scatter_freedom: degrees of freedom of the noise, inf where it was taken as known; seen:
    the spread of true slopes (standard deviation) that four of five such panels would show; labs and n models.

    slopes: from `lab_slopes`: slope, n, pooled_error and its freedom; MissingError where these are not two labs with a
    degree of freedom, ScoresError where an error is zero. The noise is that of all labs together, so that Q over its
    freedom is the exact F test of equal slopes (analysis of covariance). With a freedom of inf the errors are taken as
    known, which is Cochran's test: with each lab's own `standard_error` in that place it calls equal slopes different
    in 20 to 40 % of the panels where labs have three to eight models.
    """
    from statsmodels.stats.meta_analysis import combine_effects

    if len(slopes) < 2 or slopes["freedom"].iloc[0] < 1:
        raise MissingError("comparing slopes needs two labs with three models each, and one with more; add rows")
    slope, errors = slopes["slope"].to_numpy(float), slopes["pooled_error"].to_numpy(float)
    if (errors == 0).any():
        raise ScoresError(
            "the models of a lab lie exactly on a line, so that the noise of its slope is unknown; add one"
        )
    nu, freedom = float(slopes["freedom"].iloc[0]), len(slopes) - 1
    with np.errstate(invalid="ignore"):
        # A spread below the noise is a negative variance to statsmodels; here it is none.
        pooled = combine_effects(slope, errors**2, method_re="dl")
    q, tau = float(pooled.q), float(max(0.0, pooled.tau2)) ** 0.5
    w = 1.0 / (errors**2 + tau**2)
    common, half = float(w @ slope / w.sum()), stats.student(0.95, nu) / float(np.sqrt(w.sum()))
    known = np.isinf(nu)
    p = float(chdtrc(freedom, q) if known else fdtrc(freedom, nu, q / freedom))
    seen = float("nan") if known else seen_between(1.0 / errors**2, freedom, int(nu))
    test = {"q": q, "freedom": freedom, "f": q / freedom, "p": p, "tau": tau, "scatter_freedom": nu, "seen": seen}
    test |= {"common": common, "common_low": common - half, "common_high": common + half}
    return pd.Series(test | {"labs": len(slopes), "n": int(slopes["n"].sum())}, dtype=object)


def known_errors(slopes: pd.DataFrame) -> pd.DataFrame:
    """Slopes whose own `standard_error` is taken for known, in the columns that `heterogeneity` reads."""
    return slopes.assign(pooled_error=slopes["standard_error"], freedom=np.inf)


def pooled_ladders(ladders: pd.DataFrame) -> pd.Series:
    """Change of a score per point of GPQA over whole ladders, pooled by random effects (points per point).

    ladders: `coupling.whole_ladders`; those whose GPQA rises, each with the noise of both scores. Returns the row of
    `heterogeneity`, its ends those of Hartung and Knapp: the scatter that the ladders show, and Student's t for their
    number.
    """
    part = ladders[ladders["dx"] > 0]
    error = (part["dy_high"] - part["dy_low"]) / 2 / stats.Z95 / part["dx"]
    slopes = pd.DataFrame({"slope": part["dy"] / part["dx"], "standard_error": error, "n": 1})
    mean = heterogeneity(known_errors(slopes))
    away, weight = slopes["slope"] - mean.common, 1 / (error**2 + mean.tau**2)
    spread = float((weight * away**2).sum() / weight.sum() / mean.freedom) ** 0.5
    half = stats.student(0.95, mean.freedom) * spread
    mean[["common_low", "common_high"]] = mean.common - half, mean.common + half
    return mean


def shrunken_slopes(slopes: pd.DataFrame) -> pd.DataFrame:
    """Each lab's slope drawn towards the common one by as much as it is noise.

    slopes: as in `heterogeneity`. Returns the rows with `shrunk` (at the DerSimonian-Laird tau), `shrunk_low`,
    `shrunk_high` and `own_weight` (0: nothing of the lab's own slope is kept, 1: all of it). The 95 % interval averages
    over what tau may be (flat prior, exact over the common slope, t noise; a mixture over a grid of tau): with a few
    labs tau is hardly known, and an interval that takes it as known covers 70 to 90 %.
    Source: Gelman and others, 2013, section 5.4.
    """
    spread = heterogeneity(slopes)
    b, errors = slopes["slope"].to_numpy(float), slopes["pooled_error"].to_numpy(float)
    weight = spread.tau**2 / (spread.tau**2 + errors**2)
    tau = np.linspace(0.0, 3.0 * float(np.ptp(b) + errors.max()), GRID)
    w = 1.0 / (errors[:, None] ** 2 + tau**2)
    total = w.sum(axis=0)
    common = (w * b[:, None]).sum(axis=0) / total
    log = 0.5 * (np.log(w).sum(axis=0) - np.log(total) - (w * (b[:, None] - common) ** 2).sum(axis=0))
    own = tau**2 * w
    middle = own * b[:, None] + (1 - own) * common
    sd = np.sqrt(own * errors[:, None] ** 2 + (1 - own) ** 2 / total)
    likely, nu = np.exp(log - log.max()), spread.scatter_freedom
    ends = [stats.mixture_interval(likely, m, s, freedom=nu) for m, s in zip(middle, sd, strict=True)]
    low, high = np.array(ends).T
    shrunk = weight * b + (1 - weight) * spread.common
    return slopes.assign(shrunk=shrunk, shrunk_low=low, shrunk_high=high, own_weight=weight)


# What else could make two scores rise together, and what one row, one cell or all corrections do to the numbers


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
    return lab_r(rows, x, y).row("r") | {"x_min": rows[x].min(), "x_max": rows[x].max()}


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
        row = {"first": first, "second": second} | r.row("r") | {"seen": stats.seen_effect(r, scale="fisher")}
        table.append(row | {f"{name}_complete": value for name, value in complete.row("r").items()})
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


def headline_numbers(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """Every headline of the frontier paper on one panel, one row by name: estimate, low, high (95 %), n.

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
    means, columns = lab_means(rows, chosen=fitted, x=x, y=y), ["estimate", "low", "high", "n"]
    parts = [pd.DataFrame(list(numbers.values()), index=list(numbers))[columns]]
    for name, table in (("mean", means[means["n"] > 1]), ("slope", lab_slopes(rows, x=x, y=y))):
        labelled = table.set_index(("mean h " if name == "mean" else "slope ") + table["lab"])
        parts.append(labelled.rename(columns={name: "estimate"})[columns])
    return pd.concat(parts)


def correction_effects(
    before: pd.DataFrame, after: pd.DataFrame, *, resamples: int = 2000, seed: int = 0, x: str = X, y: str = Y
) -> pd.DataFrame:
    """Each headline number on two panels side by side, and for r and the line the paired interval of the change.

    before, after: the same models as `tables.frontier("published")` and `("corrected")`.
    Returns number, before, before_low, before_high, before_n, the same for after, change, change_low, change_high,
    change_method (`paired_changes`; missing where the change has no interval).
    """
    first, second = (
        headline_numbers(panel, x=x, y=y).add_prefix(f"{side}_").rename(columns={f"{side}_estimate": side})
        for side, panel in (("before", before), ("after", after))
    )
    table = first.join(second, how="inner").assign(change=lambda row: row["after"] - row["before"])
    paired = paired_changes(before, after, x, y, resamples, seed)
    ends = pd.DataFrame.from_dict(
        {name: (one.low, one.high, one.method) for name, one in paired.items()},
        orient="index",
        columns=["change_low", "change_high", "change_method"],
    ).astype({"change_low": float, "change_high": float})
    return table.join(ends).rename_axis("number").reset_index()


def paired_changes(
    before: pd.DataFrame, after: pd.DataFrame, x: str, y: str, resamples: int, seed: int
) -> dict[str, Estimate]:
    """Change of r, slope and intercept from one panel to another over the models of both, 95 %.

    before: with `lab`. Each lab is left out in turn (`stats.clustered`); below eight labs the models are resampled, the
    same ones in both panels, which takes the releases of one lab for independent. Empty with fewer than four models.
    """
    second = complete_rows(after, x, y)[["model", x, y]]
    both = complete_rows(before, x, y).merge(second, on="model", suffixes=("", "_b"))
    if len(both) < 4:
        return {}

    def changes(x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> dict[str, Floats]:
        sides = []
        for a, b in ((x1, y1), (x2, y2)):
            r = stats.pearson_rows(a, b)
            slope = r * b.std(axis=-1) / a.std(axis=-1)
            sides.append({"r": r, "slope": slope, "intercept": b.mean(axis=-1) - slope * a.mean(axis=-1)})
        return {name: sides[1][name] - sides[0][name] for name in sides[0]}

    scores = [both[name].to_numpy(float) for name in (x, y, f"{x}_b", f"{y}_b")]
    draw = stats.generator(seed).integers(0, len(both), size=(resamples, len(both)))
    whole, drawn = changes(*scores), changes(*(score[draw] for score in scores))

    def left_out(name: str) -> Estimate:
        ends = stats.percentile_interval(drawn[name])
        few = Estimate(float(whole[name]), *ends, len(both), "releases drawn again")
        return stats.clustered(
            lambda *part: float(changes(*part)[name]), *scores, clusters=both["lab"], unit="labs", few=few
        )

    return {name: left_out(name) for name in whole}


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
    start, other = (panel.set_index("model")[[x, y]].astype(float) for panel in (before, after))
    lab, frozen, whole = before.set_index("model")["lab"], line("frozen"), stats.pearson(start[x], start[y]).estimate
    table = []
    for model, axis in product(start.index.intersection(other.index), (x, y)):
        old, new = start.loc[model, axis], other.loc[model, axis]
        if old == new or np.isnan([old, new]).all():
            continue
        changed = start.copy()
        changed.loc[model, axis] = new
        h = [float(frozen.h(*panel.loc[model])) for panel in (start, changed)]
        d_r = stats.pearson(changed[x], changed[y]).estimate - whole
        table.append((model, lab[model], axis, old, new, new - old, *h, d_r))
    columns = ["model", "lab", "benchmark", "before", "after", "difference", "h_before", "h_after", "d_r"]
    effects = pd.DataFrame(table, columns=columns)
    moved = (effects["h_after"] - effects["h_before"]).abs()
    return effects.loc[moved.sort_values(ascending=False, na_position="last").index].reset_index(drop=True)
