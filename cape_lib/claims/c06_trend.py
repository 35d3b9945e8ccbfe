"""Chapter 06: the trend of GPQA Diamond on SWE-bench Verified over all labs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from cape_lib import frontier, tables
from cape_lib.claims.registry import FRONTIER, STATED, Attempts, claim
from cape_lib.claims.verdict import Result, holds_zero, stress
from cape_lib.stats import Estimate, wilson

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
#: Panels of the 34 rows and the five of April 2026: what is claimed of these five has no meaning on the current one.
FIXED = ("published", "corrected", "sourced")


def all_rows(panel: str) -> pd.DataFrame:
    return tables.frontier(panel).dropna(subset=[SWE, GPQA])


def rows_of(panel: str) -> pd.DataFrame:
    """The rows behind a number, both scores present: the 34 of March 2026, every release where a panel has others."""
    return frontier.frozen_rows(all_rows(panel)) if panel in FIXED else all_rows(panel)


ALL = "all models and the five of April 2026"
#: Rows of a panel, in words -> what takes them.
SUBSETS: dict[str, Callable[[str], pd.DataFrame]] = {
    "all models": rows_of,
    "the core models": lambda panel: rows_of(panel).query("subset == 'core'"),
    "models with SWE-bench from 40": lambda panel: rows_of(panel).query(f"{SWE} >= 40"),
    "models without compute tiers": lambda panel: rows_of(panel).query("compute_tier.isna()"),
    ALL: all_rows,
}


@claim({"C19": ("all models",), "C39": ("all models",)}, panels=FRONTIER)
@claim({"C77": ("the core models",)}, panels=FRONTIER)
@claim({"C78": ("models with SWE-bench from 40",)}, panels=FRONTIER)
@claim({"C79": ("models without compute tiers",)}, panels=FRONTIER)
@claim({"C89": (ALL,)}, panels=FIXED)
def trend_r(panel: str, subset: str) -> Attempts:
    """r = corr(SWE-bench Verified, GPQA Diamond) over {0} of the panel, each lab left out in turn."""
    rows = SUBSETS[subset](panel)
    note = "" if subset == ALL else f"{len(rows)} models from {rows['lab'].nunique()} labs"
    yield Result.of(frontier.lab_r(rows), note, relatives=True)

    # the papers date some releases to the year only, which is no date to hold fixed
    dated = frontier.date_confound(tables.dated_by_makers(rows))
    left = dated["partial"]
    says = f"with the makers' release dates held fixed r is {left.estimate:.2f}, and {holds_zero(left)}"
    yield stress("release date held fixed", left, says, lost=left.contains(0.0))
    if subset == "all models":
        year = dated["within_year"]
        yield stress("within calendar years", year, holds_zero(year), relatives=True)
        by_lab = {lab: frontier.lab_r(rows[rows["lab"] != lab]) for lab in sorted(rows["lab"].unique())}
        lab, least = min(by_lab.items(), key=lambda item: item[1].estimate)
        # A smallest of many was picked after looking: an interval of its own would say too much.
        says = f"without {lab}, the smallest of {len(by_lab)}; the interval of r itself leaves each lab out in turn"
        yield stress("one lab left out: the smallest r", least.estimate, says, n=least.n)
        narrow = frontier.lab_r(rows[rows[SWE] >= 70])
        yield stress("only models from SWE 70 up", narrow, holds_zero(narrow), relatives=True)


@claim("C30", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def frontier_curve(panel: str) -> Attempts:
    """GPQA_c = sqrt(0.513 SWE), fractions: next steps within a lab foretold by its side, against "always both rise"."""
    rows = rows_of(panel)
    shares = frontier.curve_score(frontier.next_steps(tables.dated_by_makers(rows)))
    curve, always = shares["curve"], shares["always together"]
    placed = frontier.beside_curve(rows)["above"]
    note = (
        f"{int(placed.sum())} of {len(placed)} models lie above the curve; it foretells {curve.estimate:.0%} of "
        f"{curve.n} next steps within a lab, the guess that both scores always rise together {always.estimate:.0%}"
    )
    better = curve.estimate > always.estimate
    yield Result(better, n=curve.n, note=note)

    says = f"the guess that both scores always rise foretells {always.estimate:.0%} of {curve.n} steps within a lab"
    says += f", the curve {curve.estimate:.0%}"
    yield stress("always both rise", curve, says, lost=not better)


@claim("C33", panels=FIXED)
def band(panel: str) -> Attempts:
    """1.96 standard deviations (divisor n) of the residuals of the 34-row line; later models within it."""
    frame = all_rows(panel)
    width, later = frontier.published_band(frame), frontier.later_releases(frame)
    n = len(later)
    inside, exact, flat = (int(later[f"inside_{kind}"].sum()) for kind in ("published", "exact", "flat"))
    note = (
        f"an exact prediction interval is ±{width['prediction_min']:.1f} points or wider and holds {exact} of "
        f"{n}; a flat line with its own band holds {flat} of {n}"
    )
    half = Result(width["published"], n=int(width["n"]))
    yield {"half width": half, "inside": Result(float(inside), n=n, note=note)}

    says = f"a flat line, which knows nothing of coding, holds {flat} of the {n} in its band, this one {inside}"
    yield stress("a flat line", float(flat), says, n=n, lost=flat >= inside)
    says = f"{exact} of {n} later models, where 95 % are to be expected"
    yield stress("share inside an exact prediction interval", wilson(exact, n), says)


@claim({"C75": ("the mean alone",), "C87": ("its spread and each lab's too",)}, panels=FRONTIER)
def left_out(panel: str, which: str) -> Attempts:
    """Mean over labs with at least three models of the mean |error| of a line fitted to the other labs; {0} (standard
    deviation with divisor n)."""
    error, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    flat = by_lab["error_flat"].mean()
    if which == "the mean alone":
        yield Result.of(error, f"the other labs' mean GPQA as the prediction errs by {flat:.1f} points")
    else:
        note = f"with divisor n - 1 it is {by_lab['error'].std(ddof=1):.1f}"
        parts = {"mean": Result.of(error), "spread": Result(by_lab["error"].std(ddof=0), n=len(by_lab), note=note)}
        own = {row["lab"]: Result(row["error"], n=row["n"]) for row in by_lab.to_dict("records")}
        for lab in ("OpenAI", "Google", "DeepSeek", "Anthropic"):
            parts[lab] = own.get(lab, Result(None, note=f"no line without {lab}"))
        yield parts

    gain = by_lab["error_flat"] - by_lab["error"]
    ends = ttest_1samp(gain, 0.0).confidence_interval()
    one = Estimate(float(gain.mean()), float(ends.low), float(ends.high), len(gain), "t over labs")
    gains = f"the line gains {one.estimate:.1f}, {holds_zero(one, scale='plain', digits=1)}"
    says = f"to guess the other labs' mean errs by {flat:.1f} points: {gains}"
    yield stress("a flat line", one, says, lost=one.contains(0.0))


@claim("C76", panels=FRONTIER)
def line_and_errors(panel: str) -> Attempts:
    """GPQA = a SWE + b by least squares: a, half of its 95 % interval, b, half of its 95 % interval."""
    fit, trend = frontier.fit_line(rows_of(panel)).fit, frontier.lab_line(rows_of(panel))
    parts: dict[str, Result] = {}
    for name, one, error in zip(
        ("slope", "intercept"), (fit.slope, fit.intercept), np.sqrt(np.diag(fit.covariance)), strict=True
    ):
        half = Result((one.high - one.low) / 2, n=fit.n, note=f"one standard error is {error:.3g}")
        parts |= {name: Result.of(trend[name]), f"{name}, half interval": half}
    yield parts

    half = parts["slope, half interval"]
    says = f"half of a 95 % interval of the slope is {half.value:.2f}; {half.note}"
    yield stress("the t interval", half, says, lost=float(half.value or 0) > 0.085)


@claim("C80", panels=FRONTIER)
def lowest_r(panel: str) -> Attempts:
    """The smallest r of the four subsets that the paper tests: all, core, SWE from 40, without compute tiers."""
    subsets = frontier.subset_correlations(rows_of(panel))
    tested, named = (rows.sort_values("r").to_dict("records")[0] for rows in (subsets.iloc[:4], subsets.iloc[4:]))
    least, other = (Result(row["r"], row["low"], row["high"], row["n"]) for row in (tested, named))
    yield replace(least, note=f"the smallest is the subset {tested['subset']!r}")

    says = f"{named['subset']}, a subset that the paper names and does not test, r is {named['r']:.2f}"
    yield stress("the subsets it names", other, f"{says} (n = {named['n']})", lost=named["r"] < 0.5)


@claim("C81", panels=STATED)
def by_year(panel: str) -> Attempts:
    """Models released before 2025 and from 2025 on: how many, lowest and highest SWE-bench score."""
    rows = rows_of(panel)
    parts: dict[str, Result] = {}
    early = rows["released"].dt.year < 2025
    for when, side in (("before 2025", rows.loc[early, SWE]), ("from 2025", rows.loc[~early, SWE])):
        values = {"n": float(len(side)), "lowest SWE": side.min(), "highest SWE": side.max()}
        parts |= {f"{name} {when}": Result(value, n=len(side)) for name, value in values.items()}
    yield parts

    count = parts["n before 2025"]
    says = f"by the dates of the rows {count.value:.0f} models were released before 2025"
    yield stress("counted again", count, says, lost=count.value != 5, more=", not 5")
