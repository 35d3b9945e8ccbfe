"""Chapter 06: the trend of GPQA Diamond on SWE-bench Verified over all labs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from cape_lib import frontier, tables
from cape_lib.claims.registry import FRONTIER, STATED, claim, stress, test
from cape_lib.claims.verdict import Result, Stress, holds_zero
from cape_lib.stats import Estimate, wilson

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
#: Panels of the 34 rows and the five of April 2026: what is claimed of these five has no meaning on the current one.
FIXED = ("published", "corrected", "sourced")


def rows_of(panel: str) -> pd.DataFrame:
    """The rows behind a number: the 34 of March 2026, every release on the current panel; both scores present."""
    frame = tables.frontier(panel)
    rows = frame if panel == "current" else frontier.frozen_rows(frame)
    return rows.dropna(subset=[SWE, GPQA])


def r_of(rows: pd.DataFrame, note: str = "") -> Result:
    """r of these releases, each lab left out in turn."""
    return Result.of(frontier.lab_r(rows), note, relatives=True)


def all_rows(panel: str) -> pd.DataFrame:
    return tables.frontier(panel).dropna(subset=[SWE, GPQA])


#: Subset of the rows -> which of them it takes.
SUBSETS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "all models": lambda rows: rows,
    "the core models": lambda rows: rows[rows["subset"] == "core"],
    "models with SWE-bench from 40": lambda rows: rows[rows[SWE] >= 40],
    "models without compute tiers": lambda rows: rows[rows["compute_tier"].isna()],
}
#: Claim -> the subset of the 34 rows that its r is over.
R_OF = dict(zip(("C19", "C77", "C78", "C79"), ((name,) for name in SUBSETS), strict=True))
R_OF["C39"] = R_OF["C19"]


@claim(R_OF, panels=FRONTIER)  # C19, C39, C77, C78, C79
def trend_r(panel: str, subset: str) -> Result:
    """r = corr(SWE-bench Verified, GPQA Diamond) over {0} of the panel."""
    rows = SUBSETS[subset](rows_of(panel))
    return r_of(rows, f"{len(rows)} models from {rows['lab'].nunique()} labs")


@test("release date held fixed", R_OF, {"C89": ("",)}, kind="covariate")
def date_fixed(panel: str, subset: str) -> Stress:
    rows = SUBSETS[subset](rows_of(panel)) if subset else all_rows(panel)
    # the papers date some releases to the year only, which is no date to hold fixed
    rows = tables.dated_by_makers(rows)
    left = frontier.date_confound(rows)["partial"]
    says = f"with the makers' release dates held fixed r is {left.estimate:.2f}, and {holds_zero(left)}"
    return Stress.of("partial r given the release date", left, says, lost=left.contains(0.0))


@stress("C19", "C39")
def trend_elsewhere(panel: str) -> list[Stress]:
    rows = tables.dated_by_makers(rows_of(panel))
    dated = frontier.date_confound(rows)
    by_lab = {lab: frontier.lab_r(rows[rows["lab"] != lab]) for lab in sorted(rows["lab"].unique())}
    lab, weakest = min(by_lab.items(), key=lambda item: item[1].estimate)
    large = rows[rows[SWE] >= 70]
    narrow = frontier.lab_r(large)
    return [
        Stress.of("within calendar years", dated["within_year"], holds_zero(dated["within_year"]), relatives=True),
        # A smallest of many was picked after looking: an interval of its own would say too much.
        Stress(
            "one lab left out: the smallest r",
            weakest.estimate,
            f"without {lab}, the smallest of {len(by_lab)}; the interval of r itself leaves each lab out in turn",
            n=weakest.n,
        ),
        Stress.of("only models from SWE 70 up", narrow, holds_zero(narrow), relatives=True),
    ]


@claim("C30", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def frontier_curve(panel: str) -> Result:
    """GPQA_c = sqrt(0.513 SWE), fractions: next steps within a lab foretold by its side, against "always both rise"."""
    rows = rows_of(panel)
    placed = frontier.beside_curve(rows)
    shares = frontier.curve_score(frontier.next_steps(tables.dated_by_makers(rows)))
    curve, always = shares["curve"], shares["always together"]
    above = int(placed["above"].sum())
    note = (
        f"{above} of {len(placed)} models lie above the curve; it foretells {curve.estimate:.0%} of {curve.n} "
        f"next steps within a lab, the guess that both scores always rise together {always.estimate:.0%}"
    )
    return Result(bool(curve.estimate > always.estimate), n=curve.n, note=note)


@test("always both rise", "C30", kind="as worded")
def always_together(panel: str) -> Stress:
    shares = frontier.curve_score(frontier.next_steps(tables.dated_by_makers(rows_of(panel))))
    curve, always = shares["curve"], shares["always together"]
    says = f"the guess that both scores always rise foretells {always.estimate:.0%} of {curve.n} steps within a lab"
    says += f", the curve {curve.estimate:.0%}"
    return Stress.of("share of steps that the curve foretells", curve, says, lost=curve.estimate <= always.estimate)


@claim("C33", panels=FIXED)
def band(panel: str) -> dict[str, Result]:
    """1.96 standard deviations (divisor n) of the residuals of the 34-row line; later models within it."""
    frame = tables.frontier(panel).dropna(subset=[SWE, GPQA])
    width = frontier.published_band(frame)
    later = frontier.later_releases(frame)
    inside, exact, flat = (int(later[f"inside_{kind}"].sum()) for kind in ("published", "exact", "flat"))
    note = (
        f"an exact prediction interval is ±{width['prediction_min']:.1f} points or wider and holds {exact} of "
        f"{len(later)}; a flat line with its own band holds {flat} of {len(later)}"
    )
    half = Result(width["published"], n=int(width["n"]))
    return {"half width": half, "inside": Result(float(inside), n=len(later), note=note)}


@test("a flat line", "C33", kind="null")
def band_of_a_flat_line(panel: str) -> Stress:
    later = frontier.later_releases(all_rows(panel))
    inside, flat = int(later["inside_published"].sum()), int(later["inside_flat"].sum())
    says = (
        f"a flat line, which knows nothing of coding, holds {flat} of the {len(later)} in its band, this one {inside}"
    )
    return Stress.of("later models inside a flat band", float(flat), says, n=len(later), lost=flat >= inside)


@stress("C33")
def exact_band(panel: str) -> list[Stress]:
    """The same count by an interval that knows how few rows the line rests on."""
    later = frontier.later_releases(all_rows(panel))
    share = wilson(int(later["inside_exact"].sum()), len(later))
    says = f"{int(later['inside_exact'].sum())} of {len(later)} later models, where 95 % are to be expected"
    return [Stress.of("share inside an exact prediction interval", share, says)]


@claim("C75", panels=FRONTIER)
def left_out(panel: str) -> Result:
    """Mean over labs with at least three models of the mean |error| of a line fitted to the other labs."""
    error, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    flat = by_lab["error_flat"].mean()
    return Result.of(error, f"the other labs' mean GPQA as the prediction errs by {flat:.1f} points")


@claim("C87", panels=FRONTIER)
def left_out_by_lab(panel: str) -> dict[str, Result]:
    """The same, its standard deviation over labs (divisor n) and each lab's error."""
    error, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    spread = f"with divisor n - 1 it is {by_lab['error'].std(ddof=1):.1f}"
    spread_of = Result(float(by_lab["error"].std(ddof=0)), n=len(by_lab), note=spread)
    parts = {"mean": Result.of(error), "spread": spread_of}
    for lab in ("OpenAI", "Google", "DeepSeek", "Anthropic"):
        own = by_lab[by_lab["lab"] == lab].to_dict("records")
        parts[lab] = Result(own[0]["error"], n=own[0]["n"]) if own else Result(None, note=f"no line without {lab}")
    return parts


@test("a flat line", "C75", "C87", kind="null")
def left_out_flat(panel: str) -> Stress:
    _, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    gain = by_lab["error_flat"] - by_lab["error"]
    ends = ttest_1samp(gain, 0.0).confidence_interval()
    one = Estimate(float(gain.mean()), float(ends.low), float(ends.high), len(gain), "t over labs")
    flat = by_lab["error_flat"].mean()
    gains = f"the line gains {one.estimate:.1f}, {holds_zero(one, scale='plain', digits=1)}"
    says = f"to guess the other labs' mean errs by {flat:.1f} points: {gains}"
    return Stress.of("points gained over a flat line", one, says, lost=one.contains(0.0))


@claim("C76", panels=FRONTIER)
def line_and_errors(panel: str) -> dict[str, Result]:
    """GPQA = a SWE + b by least squares: a, half of its 95 % interval, b, half of its 95 % interval."""
    fit = frontier.fit_line(rows_of(panel)).fit
    errors = np.sqrt(np.diag(fit.covariance))
    parts = {}
    for name, one, error in zip(("slope", "intercept"), (fit.slope, fit.intercept), errors, strict=True):
        half = (one.high - one.low) / 2
        parts[name] = Result.of(one)
        parts[f"{name}, half interval"] = Result(half, n=fit.n, note=f"one standard error is {error:.3g}")
    return parts


@test("the t interval", "C76", kind="as worded")
def printed_half(panel: str) -> Stress:
    one = line_and_errors(panel)["slope, half interval"]
    says = f"half of a 95 % interval of the slope is {one.value:.2f}; {one.note}"
    return Stress.of("half interval of the slope", one.value, says, n=one.n, lost=float(one.value or 0) > 0.085)


@claim("C80", panels=FRONTIER)
def lowest_r(panel: str) -> Result:
    """The smallest r of the four subsets that the paper tests: all, core, SWE from 40, without compute tiers."""
    tested = frontier.subset_correlations(rows_of(panel)).iloc[:4]
    low = tested.sort_values("r").to_dict("records")[0]
    return Result(low["r"], low["low"], low["high"], low["n"], f"the smallest is the subset {low['subset']!r}")


@test("the subsets it names", "C80", kind="as worded")
def lowest_r_elsewhere(panel: str) -> Stress:
    subsets = frontier.subset_correlations(rows_of(panel)).iloc[4:]
    low = subsets.sort_values("r").to_dict("records")[0]
    says = f"{low['subset']}, a subset that the paper names and does not test, r is {low['r']:.2f} (n = {low['n']})"
    against = says if low["r"] < 0.5 else ""
    return Stress(f"r {low['subset']}", low["r"], says, low["low"], low["high"], low["n"], against)


@claim("C81", panels=STATED)
def by_year(panel: str) -> dict[str, Result]:
    """Models released before 2025 and from 2025 on: how many, lowest and highest SWE-bench score."""
    rows = rows_of(panel)
    early = rows["released"].dt.year < 2025
    parts = {}
    for when, side in (("before 2025", rows[early]), ("from 2025", rows[~early])):
        parts[f"n {when}"] = Result(float(len(side)), n=len(side))
        parts[f"lowest SWE {when}"] = Result(side[SWE].min(), n=len(side))
        parts[f"highest SWE {when}"] = Result(side[SWE].max(), n=len(side))
    return parts


@test("counted again", "C81", kind="as worded")
def early_again(panel: str) -> Stress:
    early = by_year(panel)["n before 2025"]
    says = f"by the dates of the rows {early.value:.0f} models were released before 2025"
    against = f"{says}, not 5" if early.value != 5 else ""
    return Stress("models before 2025", early.value, says, n=early.n, against=against)


@claim("C89", panels=FIXED)
def refit(panel: str) -> Result:
    """r over the 34 models and the five of April 2026."""
    return r_of(all_rows(panel))
