"""Chapter 06: the trend of GPQA Diamond on SWE-bench Verified over all labs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.registry import FRONTIER, STATED, claim, stress
from cape_lib.claims.verdict import Result, Stress, holds_zero

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


@claim("C19", "C39", panels=FRONTIER)
def trend_r(panel: str) -> Result:
    """r = corr(SWE-bench Verified, GPQA Diamond) over the models of the panel."""
    rows = rows_of(panel)
    return r_of(rows, f"{len(rows)} models from {rows['lab'].nunique()} labs")


@stress("C19", "C39")
def trend_given_date(panel: str) -> list[Stress]:
    # the papers date some releases to the year only, which is no date to hold fixed
    rows = tables.dated_by_makers(rows_of(panel))
    dated = frontier.date_confound(rows)
    by_lab = [frontier.lab_r(rows[rows["lab"] != lab]) for lab in sorted(rows["lab"].unique())]
    weakest = min(by_lab, key=lambda found: found.estimate)
    large = rows[rows[SWE] >= 70]
    narrow = frontier.lab_r(large)
    left = dated["partial"]
    undated = f"with the makers' release dates held fixed r is {left.estimate:.2f}, and {holds_zero(left)}"
    return [
        Stress.of(
            "the makers' dates held fixed (partial r)",
            left,
            holds_zero(left),
            against=undated if left.contains(0.0) else "",
            relatives=True,
        ),
        Stress.of("within calendar years", dated["within_year"], holds_zero(dated["within_year"]), relatives=True),
        Stress.of("one lab left out: the smallest r", weakest, holds_zero(weakest), relatives=True),
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


@stress("C75", "C87")
def left_out_flat(panel: str) -> list[Stress]:
    _, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    return [
        Stress(
            "a flat line: the other labs' mean GPQA as the prediction",
            float(by_lab["error_flat"].mean()),
            "how much of the error the SWE-bench score removes",
            n=len(by_lab),
        )
    ]


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


@claim("C77", panels=FRONTIER)
def core_r(panel: str) -> Result:
    """r over the core models."""
    rows = rows_of(panel)
    return r_of(rows[rows["subset"] == "core"])


@claim("C78", panels=FRONTIER)
def upper_r(panel: str) -> Result:
    """r over the models with SWE-bench Verified of at least 40."""
    rows = rows_of(panel)
    return r_of(rows[rows[SWE] >= 40])


@claim("C79", panels=FRONTIER)
def untiered_r(panel: str) -> Result:
    """r without the rows of one model at several compute tiers."""
    rows = rows_of(panel)
    return r_of(rows[rows["compute_tier"].isna()])


@claim("C80", panels=FRONTIER)
def lowest_r(panel: str) -> Result:
    """The smallest r of the four subsets that the paper tests: all, core, SWE from 40, without compute tiers."""
    tested = frontier.subset_correlations(rows_of(panel)).iloc[:4]
    low = tested.sort_values("r").to_dict("records")[0]
    return Result(low["r"], low["low"], low["high"], low["n"], f"the smallest is the subset {low['subset']!r}")


@stress("C80", "C19")
def lowest_r_elsewhere(panel: str) -> list[Stress]:
    subsets = frontier.subset_correlations(rows_of(panel)).iloc[4:]
    says = "a subset that the paper names but does not test"
    tried = []
    for row in subsets.to_dict("records"):
        against = f"{row['subset']} r is {row['r']:.2f}" if row["r"] < 0.5 else ""
        ends = row["low"], row["high"]
        tried.append(Stress(row["subset"], row["r"], says, *ends, row["n"], against))
    return tried


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


@claim("C89", panels=FIXED)
def refit(panel: str) -> Result:
    """r over the 34 models and the five of April 2026."""
    return r_of(tables.frontier(panel).dropna(subset=[SWE, GPQA]))


@stress("C89")
def refit_chance(panel: str) -> list[Stress]:
    before = rows_of(panel)
    r = frontier.lab_r(before)
    return [Stress.of("r before the five were added", r, "the same rows but five", relatives=True)]
