"""Chapters 06 and 07: the trend of GPQA Diamond on SWE-bench Verified, what belongs to one lab or release, rotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from cape_lib import frontier, tables
from cape_lib.claims.registry import FRONTIER, STATED, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, beyond_zero, holds_zero, number, stress
from cape_lib.frontier.lines import BALANCED as NEAR
from cape_lib.frontier.lines import EXCURSION as BEYOND
from cape_lib.stats import (
    Z95,
    Estimate,
    clustered_r,
    isocline,
    p_text,
    pearson,
    score_sd,
    seen_difference,
    seen_effect,
    seen_words,
    wilson,
)

SWE, GPQA, HLE, IFEVAL = "swe_bench_verified", "gpqa_diamond", "hle", "ifeval"
#: Panels of the 34 rows and the five of April 2026: what is claimed of these five has no meaning on the current one.
FIXED = ("published", "corrected", "sourced")
FEWEST = 4


def rows_with(panel: str, *scores: str, frozen: bool = True) -> pd.DataFrame:
    """The rows behind a number, all scores present: the 34 of March 2026 (`frozen`), every release where a panel has
    others."""
    frame = tables.frontier(panel)
    return (frontier.frozen_rows(frame) if frozen and panel in FIXED else frame).dropna(subset=list(scores))


def rows_of(panel: str) -> pd.DataFrame:
    """The rows behind a number of SWE-bench and GPQA."""
    return rows_with(panel, SWE, GPQA)


ALL = "all models and the five of April 2026"
#: Rows of a panel, in words -> what takes them.
SUBSETS: dict[str, Callable[[str], pd.DataFrame]] = {
    "all models": rows_of,
    "the core models": lambda panel: rows_of(panel).query("subset == 'core'"),
    "models with SWE-bench from 40": lambda panel: rows_of(panel).query(f"{SWE} >= 40"),
    "models without compute tiers": lambda panel: rows_of(panel).query("compute_tier.isna()"),
    ALL: lambda panel: rows_with(panel, SWE, GPQA, frozen=False),
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
    lead = f"with the makers' release dates held fixed r is {left.estimate:.2f}, and "
    yield beyond_zero("release date held fixed", left, lead)
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
    yield stress("always both rise", curve, f"{says}, the curve {curve.estimate:.0%}", lost=not better)


@claim("C33", panels=FIXED)
def band(panel: str) -> Attempts:
    """1.96 standard deviations (divisor n) of the residuals of the 34-row line; later models within it."""
    frame = SUBSETS[ALL](panel)
    width, later = frontier.published_band(frame), frontier.later_releases(frame)
    n = len(later)
    inside, exact, flat = (int(later[f"inside_{kind}"].sum()) for kind in ("published", "exact", "flat"))
    note = (
        f"an exact prediction interval is ±{width['prediction_min']:.1f} points or wider and holds {exact} of "
        f"{n}; a flat line with its own band holds {flat} of {n}"
    )
    yield {"half width": Result(width["published"], n=int(width["n"])), "inside": Result(inside, n=n, note=note)}

    says = f"a flat line, which knows nothing of coding, holds {flat} of the {n} in its band, this one {inside}"
    yield stress("a flat line", flat, says, n=n, lost=flat >= inside)
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
        named = by_lab[by_lab["lab"].isin(["OpenAI", "Google", "DeepSeek", "Anthropic"])].to_dict("records")
        yield parts | {row["lab"]: Result(row["error"], n=row["n"]) for row in named}

    gain = by_lab["error_flat"] - by_lab["error"]
    ends = ttest_1samp(gain, 0.0).confidence_interval()
    one = Estimate(float(gain.mean()), float(ends.low), float(ends.high), len(gain), "t over labs")
    lead = f"to guess the other labs' mean errs by {flat:.1f} points: the line gains {one.estimate:.1f}, "
    yield beyond_zero("a flat line", one, lead, scale="plain", digits=1)


@claim("C76", panels=FRONTIER)
def line_and_errors(panel: str) -> Attempts:
    """GPQA = a SWE + b by least squares: a, half of its 95 % interval, b, half of its 95 % interval."""
    fit, trend = frontier.fit_line(rows_of(panel)).fit, frontier.lab_line(rows_of(panel))
    parts: dict[str, Result] = {}
    for at, (name, one) in enumerate({"slope": fit.slope, "intercept": fit.intercept}.items()):
        note = f"one standard error is {np.sqrt(fit.covariance[at, at]):.3g}"
        half = Result((one.high - one.low) / 2, n=fit.n, note=note)
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
        values = {"n": len(side), "lowest SWE": side.min(), "highest SWE": side.max()}
        parts |= {f"{name} {when}": Result(value, n=len(side)) for name, value in values.items()}
    yield parts

    count = parts["n before 2025"]
    says = f"by the dates of the rows {count.value:.0f} models were released before 2025"
    yield stress("counted again", count, says, lost=count.value != 5, more=", not 5")


def means(panel: str, *, core: bool) -> dict[str, Result]:
    """Lab -> mean h of its models, or of its core models, on the unrounded line of all rows of the panel."""
    rows = rows_of(panel)
    table = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel in FIXED)
    return {row["lab"]: Result(row["mean"], row["low"], row["high"], row["n"]) for row in table.to_dict("records")}


def with_chance(mean: Result) -> str:
    """A mean of h in words; where its interval holds zero, the mean that would have been seen."""
    if not mean.contains(0.0):
        return mean.text
    value, low, high = (float(end or 0.0) for end in (mean.value, mean.low, mean.high))
    seen = seen_words(seen_effect(Estimate(value, low, high, mean.n or 0, "t")), digits=1)
    return f"{mean.text}, an interval with zero ({seen})"


def of_chance(lab: str, mean: Result) -> Stress:
    """Whether the mean of a lab is other than zero."""
    says = f"over {mean.n} models the mean of {lab} is {with_chance(mean)}"
    return stress("no lab differs", mean, says, lost=mean.contains(0.0))


@claim({"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}, panels=FRONTIER)
def mean_h(panel: str, lab: str) -> Attempts:
    """Mean over the core models of {0} of h = GPQA - (a SWE + b), the unrounded line of all rows of the panel."""
    known, every = means(panel, core=True), means(panel, core=False)
    if lab not in known:
        yield {}
        return
    now, whole = known[lab], every[lab]
    yield now

    if panel == "corrected":
        # it counts against the claim where the sign, or an interval without zero, is lost
        before = means("published", core=True)[lab]
        turned = float(before.value or 0.0) * float(now.value or 0.0) <= 0
        lost = turned or (now.contains(0.0) and not before.contains(0.0))
        says = f"on the corrected rows the mean of {lab} is {with_chance(now)}"
        yield stress("the corrected rows", now, says, lost=lost)
    yield of_chance(lab, now)
    says = f"over all {whole.n} of its models, core or not, the mean of {lab} is {with_chance(whole)}"
    yield stress("every model of the lab", whole, says, lost=whole.contains(0.0))


LABS = {"C83": (("xAI", "Zhipu"), False), "C84": (("Alibaba", "Meta", "Moonshot", "MiniMax"), True)}


@claim(LABS, panels=FRONTIER)  # C83, C84
def means_of(panel: str, labs: tuple[str, ...], core: bool) -> Attempts:
    """Mean over the models of {0} of h on the unrounded line of all rows of the panel; core models alone: {1}."""
    own = {lab: one for lab, one in means(panel, core=core).items() if lab in labs}
    yield own

    if not core and labs[0] in own:
        yield of_chance(labs[0], own[labs[0]])
    elif panel == "corrected":
        lab, far = max(((lab, float(one.value or 0.0)) for lab, one in own.items()), key=lambda item: abs(item[1]))
        says = f"on the corrected rows the one farthest from the line is {lab}'s, at {far:+.1f}"
        yield stress("the corrected rows", far, says, n=len(own), lost=abs(far) > NEAR)


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> Attempts:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot, google = releases(panel, "Moonshot")["h"], means(panel, core=False)["Google"]
    yield {"Moonshot": Result(moonshot.mean(), n=len(moonshot)), "Google": google}

    away, says = abs(float(google.value or 0.0) - 5.1) > 0.05, f"with its extended row Google's mean is {google.text}"
    yield stress("its own rows", google, says, lost=away, more=", not +5.1")


@claim("C27", panels=FRONTIER)
def slopes(panel: str) -> Attempts:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek."""
    table = frontier.lab_slopes(rows_of(panel)).set_index("lab")
    own = table.loc[table.index.isin(["Google", "DeepSeek"]), ["slope", "low", "high", "n"]].astype(object)
    yield {str(lab): Result(*row) for lab, row in own.iterrows()}

    if panel == "corrected":
        # the ratio of the two slopes, and whether all labs could share one
        one, alike = table["slope"], frontier.heterogeneity(table)
        tested = f"F test, {p_text(alike.p, '')}, n = {alike.n}"
        says = f"on the corrected rows the slopes are {one['Google']:.2f} and {one['DeepSeek']:.2f}; "
        shared = f"all labs could share one ({tested}; a spread of {alike.seen:.2f} would have been seen)"
        says += shared if alike.p > 0.05 else f"labs differ ({tested})"
        yield stress("the corrected rows", one["Google"] / one["DeepSeek"], says, n=len(table), lost=alike.p > 0.05)


@claim("C82", panels=FRONTIER)
def within_labs(panel: str) -> Attempts:
    """The smallest r among the labs with at least four models."""
    table = frontier.lab_slopes(rows_of(panel), at_least=FEWEST).sort_values("r").to_dict("records")
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in table)
    least = Result(table[0]["r"], n=table[0]["n"], note=f"smallest of {every}")
    yield least

    says, lost = f"the smallest is {number(least.value, '0.87')}", float(least.value or 0.0) <= 0.87
    yield stress("the bound as printed", least, says, lost=lost, more=f", not above 0.87; {least.note}")


def releases(panel: str, lab: str, *, dated: bool = False) -> pd.DataFrame:
    """A lab's releases in order of date, or of the makers' dates, with h on the unrounded line of the panel's rows."""
    frame = tables.frontier(panel)
    frame = tables.dated_by_makers(frame) if dated else frame
    return frontier.trajectories(frame, chosen=frontier.fit_line(rows_of(panel)), lab=lab)


def h_of(panel: str, *models: str, line: frontier.FrontierLine | str | None = None) -> dict[str, Result]:
    """Release -> h of those that have both scores; its interval is that of a new model about the line."""
    placed = frontier.h_field(tables.frontier(panel), chosen=line or frontier.fit_line(rows_of(panel)))
    return {
        row["model"]: Result(
            row["h"], row["h_low"], row["h_high"], 1, f"{row['model']}: SWE {row[SWE]:g}, GPQA {row[GPQA]:g}"
        )
        for row in placed[placed["model"].isin(models)].to_dict("records")
    }


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Attempts:
    """h > 0 for every Google release."""
    own = releases(panel, "Google")
    below, n = [f"{row['model']} {row['h']:+.1f}" for row in own[own["h"] <= 0].to_dict("records")], len(own)
    named = ", ".join(below) or "none"
    yield Result(bool(n and not below), n=n, note=f"not above the line: {named}")

    says = f"{len(below)} of {n} releases lie below the line"
    yield stress("every release", len(below), says, n=n, lost=bool(below), more=f": {named}")


DEEPSEEK = {"V2.5": "DeepSeek-V2.5", "V3.2": "DeepSeek V3.2"}
OPUS = {name: f"Claude {name}" for name in ("Opus 4.6", "Opus 4.7")}
#: the line through all models, those of April 2026 too
WHOLE = "all models"


@claim({"C25": (DEEPSEEK, "the 34 models, unrounded"), "C99": (OPUS, "frozen")}, panels=FRONTIER)
@claim({"C86": (DEEPSEEK | {"V4 Pro": "DeepSeek V4 Pro"}, WHOLE)}, panels=FIXED)
def h_of_each(panel: str, models: dict[str, str], line: str) -> Attempts:
    """h = GPQA - (slope SWE + intercept) of each release; line: {1}."""
    lines = {"frozen": frontier.line("frozen"), WHOLE: frontier.fit_line(tables.frontier(panel))}
    h = h_of(panel, *models.values(), line=lines.get(line))
    yield {name: h[model] for name, model in models.items() if model in h}

    if models == OPUS:
        yield from noise_of_h(panel)
    else:
        yield from release_corrected(panel, "DeepSeek-V2.5", rich=True)
        if line != WHOLE:
            yield from order_by_chance(panel)


def release_corrected(panel: str, model: str, *, rich: bool) -> Iterator[Stress]:
    """h of the release that carries the claim: above the line (`rich`), or below the limit of an excursion."""
    if panel == "corrected":
        now = h_of(panel, model)[model]
        # what the audit of the published cells says about its GPQA score
        reason = tables.load("frontier_cells").query("model == @model and benchmark == @GPQA")["reason"].iloc[0]
        h = float(now.value or 0.0)
        lost = h <= 0 if rich else h >= -BEYOND
        yield stress("the corrected row", now, f"on the corrected rows h of {model} is {h:+.1f}: {reason}", lost=lost)


def order_by_chance(panel: str) -> Iterator[Stress]:
    """The kind of move that shuffled releases make least often, and whether as often as it was seen."""
    dated = tables.dated_by_makers(tables.frontier(panel))
    placed = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)))
    null = frontier.order_null(placed, resamples=999).query("kind != 'open'")
    for rarest in null.sort_values("p", kind="stable").head(1).to_dict("records"):
        usual = f"{rarest['expected']:.1f} [{rarest['low']:.0f}, {rarest['high']:.0f}]"
        says = f"{rarest['kind']}s: {rarest['observed']:.0f} seen, {usual} in shuffled order ({p_text(rarest['p'])})"
        yield stress("shuffled order", rarest["observed"], says, n=len(placed), lost=rarest["p"] > 0.05)


def noise_of_h(panel: str) -> Iterator[Stress]:
    """Whether both Opus models lie above the line by more than the noise of their scores."""
    placed = frontier.h_field(tables.frontier(panel), chosen="frozen")
    own = placed[placed["model"].isin(OPUS.values())]
    if len(own) == len(OPUS):
        sure, noise = int((own["h"].abs() > Z95 * own["noise_sd"]).sum()), float(own["noise_sd"].max())
        says = f"by the number of questions alone {sure} of the two lies above the line for sure"
        more = f" (noise of h: {noise:.1f}; {seen_words(seen_difference(noise), digits=1)})"
        yield stress("score noise", noise, says, n=2, lost=sure < 2, more=more)


@claim("C26", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def anthropic_excursion(panel: str) -> Attempts:
    """h of Claude Sonnet 4.6 and of Claude Opus 4.6; every release below -10 is followed by one above -10.

    The order is that of the makers' dates; two dates that may be the same day are no order.
    """
    own = releases(panel, "Anthropic", dated=True)
    low, later = (own["h"] < -BEYOND).to_numpy(), own["order_known"].to_numpy()
    # The last release has no next one and cannot show a recovery.
    fallen = low[:-1] & later[1:]
    fell, back = int(fallen.sum()), int((fallen & ~low[1:]).sum())
    note = f"{back} of {fell} releases below {-BEYOND:g} are followed by one above, in order of the makers' dates"
    models = {name: f"Claude {name}" for name in ("Sonnet 4.6", "Opus 4.6")}
    h = h_of(panel, *models.values())
    ends = {name: h[model] for name, model in models.items() if model in h}
    yield ends | {"recovers within one release": Result(bool(fell and back == fell), n=fell, note=note)}

    yield from release_corrected(panel, "Claude Sonnet 4.6", rich=False)
    # a recovery comes after what it recovers from; two dates in one month, known to the month only, are no order
    stated = tables.dated_by_makers(tables.frontier(panel)).set_index("model")["release_date"][list(models.values())]
    sonnet, opus = stated.map(pd.Period)
    days, lost = float((opus.start_time - sonnet.start_time).days), opus.end_time < sonnet.start_time
    says, more = "Sonnet 4.6 is of {}, Opus 4.6 of {}".format(*stated), ": the recovery runs backwards in time"
    yield stress("order of the dates", days, says, n=2, lost=lost, more=more)
    yield from order_by_chance(panel)


@claim("C88", panels=FRONTIER)
def compute_tier(panel: str) -> Attempts:
    """h of GPT-5.4 xhigh less h of GPT-5.4 standard."""
    pairs = frontier.compute_tiers(rows_of(panel))
    if pairs.empty:
        yield {}
        return
    pair = pairs.to_dict("records")[0]
    both = "one SWE-bench score stands in both rows" if pair["same_x"] else "each tier has its own SWE-bench score"
    change = pair["dy"] - frontier.fit_line(rows_of(panel)).slope * pair["dx"]
    one = Result(change, pair["low"], pair["high"], 2, both)
    yield one

    yield stress("score noise", one, f"with the noise of the four scores {one.text}", lost=one.contains(0.0))


@claim("C100", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def steady_ascent(panel: str) -> Attempts:
    """h of every OpenAI release above that of the one before, in order of the makers' dates."""
    own = releases(panel, "OpenAI", dated=True)
    steps = np.diff(own["h"].to_numpy(dtype=float))[own["order_known"].to_numpy()[1:]]
    rising, n = int((steps > 0).sum()), steps.size
    yield Result(bool(n and rising == n), n=n, note=f"{rising} of {n} steps rise")

    if n:
        share, says = wilson(rising, n), f"{rising} of {n} steps of OpenAI's h rise"
        yield stress("steps that rise", share, says, lost=share.contains(0.5))


@claim("C31", panels=FRONTIER)
def below_ifeval_curve(panel: str) -> Attempts:
    """Models with IFEval below 100 sqrt(0.97 GPQA / 100), both to one decimal as scores are printed."""
    rows = rows_with(panel, GPQA, IFEVAL)
    placed = frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)
    n = len(rows)
    margin = rows[IFEVAL].round(1) - pd.Series(isocline(rows[GPQA], 0.97), rows.index).round(1)
    below = rows.loc[margin < 0, "model"]
    note = f"below: {', '.join(below)}; without rounding {int((placed['margin'] < 0).sum())} of {n}"
    yield Result(len(below), n=n, note=note)

    # the curve lies at 100 sqrt(0.97 GPQA / 100): noise of GPQA moves it by its slope there
    slope = placed["critical"] / (2 * placed[GPQA])
    noise = np.hypot(score_sd(placed[IFEVAL], IFEVAL), slope * score_sd(placed[GPQA], GPQA))
    sure = int((placed["margin"] < -Z95 * noise).sum())
    says = "no model of this panel has both scores"
    if n:
        seen = seen_words(seen_difference(float(np.median(noise))), digits=1)
        says = f"by the number of questions alone {sure} of {n} lies below the curve for sure (a margin of {seen})"
    yield stress("score noise", sure, says, n=n, lost=sure < 2)
    for ratio in (0.965, 0.97, 0.975):  # the printed ratio and half a unit of its last digit beside it
        count = (~frontier.beside_curve(rows, ratio=ratio, x=GPQA, y=IFEVAL)["above"]).sum()
        yield stress(f"models below at the ratio {ratio:g}", count, f"of {n}, no score rounded", n=n)


def top_today(old: str, new: str, apart: str) -> tuple[Result, float]:
    """The range of a score among the five releases known today that are highest on another; that of chance alone."""
    top = frontier.top_rows(tables.frontier("current").dropna(subset=[old, new]), old, also=(new,))
    return Result(frontier.spread(top[apart]), n=len(top)), frontier.noise_spread(float(top[apart].mean()), apart)


@claim("C34", reads=("predictions",))
def predictions(panel: str) -> Attempts:
    """Predictions with a rule for passing and a rule for failing."""
    rows = tables.load("predictions")
    ruled = int((rows["pass_rule"].notna() & rows["fail_rule"].notna()).sum())
    both = Result(ruled == len(rows), n=len(rows), note=f"{ruled} have both rules")
    yield {"predictions": Result(len(rows), n=len(rows)), "each can fail": both}

    # prediction 1 fails where the five highest SWE-bench scores lie more than 5 points apart
    spread, _ = top_today(SWE, GPQA, SWE)
    lost = float(spread.value or 0.0) <= 5
    says = f"of the releases known today the top five lie {spread.value:.1f} points apart on SWE-bench: "
    says += "no rule for failing is met" if lost else "prediction 1 can fail"
    yield stress("a rule that can fail", spread, says, lost=lost)


@claim(
    {"C90": (SWE, GPQA, {"SWE range": SWE, "GPQA range": GPQA}), "C91": (GPQA, HLE, {"HLE range": HLE})},
    panels=FRONTIER,
)
def top_five(panel: str, old: str, new: str, ranges: dict[str, str]) -> Attempts:
    """Among the five highest {0}: the ranges (max - min), and sigma = range({0}) / range({1})."""
    rows, supplied = rows_with(panel, old, new), old != SWE
    if len(rows) < 5:
        yield dict.fromkeys(("sigma", *ranges), Result(None, n=len(rows)))
    else:
        ratio, top = frontier.saturation(rows, old=old, new=new), frontier.top_rows(rows, old, also=(new,))
        note = ""
        if old == SWE:
            core = frontier.top_rows(rows[rows["subset"] == "core"], old, also=(new,))
            alone = " and ".join(f"{frontier.spread(core[axis]):.1f}" for axis in (old, new))
            note = f"{', '.join(top['model'])}; among the core models alone the two ranges are {alone}"
        spreads = {name: frontier.spread(top[axis]) for name, axis in ranges.items()}
        parts = {name: Result(one, n=len(top), note=note, supplied=supplied) for name, one in spreads.items()}
        yield parts | {"sigma": Result(ratio.sigma, ratio.low, ratio.high, len(ratio.models), supplied=supplied)}

    apart, on = (HLE, " on GPQA") if supplied else (SWE, "")
    spread, chance = top_today(old, new, apart)
    says = f"today the five highest{on} lie {spread.value:.1f} points apart on {tables.label(apart).split()[0]}, "
    says += f"where chance makes {chance:.1f}"
    # the one axis is said to be used up, the other to tell models apart still
    lost = (float(spread.value or 0.0) > chance) != supplied
    yield stress("the releases since", spread, says, lost=lost, more="" if supplied else ": it tells them apart")


def of_script(name: str) -> pd.DataFrame:
    """Scores as a figure script of the papers has them, a column a benchmark, models with all of them."""
    versions = tables.load("frontier_versions")
    script = versions[versions["source"] == f"cape-scaling:scripts/{name}.py"]
    return script.pivot(index="model", columns="benchmark", values="value").dropna()


def coding_with(other: str) -> Stress:
    """Whether another benchmark goes with SWE-bench too, over the releases known today."""
    rows = tables.frontier("current").dropna(subset=[SWE, GPQA, other])
    reasoning, coding = (clustered_r(rows[axis], rows[other], rows["lab"], unit="labs") for axis in (GPQA, SWE))
    says = f"over {len(rows)} releases {tables.label(other)} goes with SWE-bench at r = {coding.estimate:.2f}"
    says += f", with GPQA at {reasoning.estimate:.2f}"
    return stress("the releases since", coding, says, lost=coding.low > 0)


def no_matrix() -> Stress:
    """Whether the three printed correlations can be those of one set of scores."""
    least = float(np.linalg.eigvalsh(frontier.published_matrix()).min())
    name = "smallest eigenvalue of the three printed correlations together"
    says = "negative: no set of scores has these three correlations at once, because each pair uses other models"
    return stress(name, least, says, n=3)


@claim("C92", reads=("frontier_versions",))
def earlier_panel(panel: str) -> Attempts:
    """r = corr(SWE-bench, GPQA) over the models of the earlier panel; how many they are."""
    rows = of_script("swe_gpqa_coupling_v22")
    r = Result.of(pearson(rows[SWE], rows[GPQA]), relatives=True)
    yield {"r": r, "n": Result(len(rows), n=len(rows))}
    yield no_matrix()


@claim("C93", panels=FRONTIER)
def hle_pairs(panel: str) -> Attempts:
    """r = corr(GPQA, HLE) and r = corr(SWE-bench, HLE); nothing below four models."""
    parts = {}
    for name, x in (("GPQA, HLE", GPQA), ("SWE, HLE", SWE)):
        rows = rows_with(panel, x, HLE)
        parts[name] = Result(None, n=len(rows), note=f"{len(rows)} models of this panel have both scores")
        if len(rows) >= FEWEST:
            parts[name] = Result.of(frontier.lab_r(rows, x, HLE), supplied=True, relatives=True)
    yield parts
    yield coding_with(HLE)
    yield no_matrix()


@claim("C94", panels=STATED, reads=("frontier_panel", "frontier_versions"))
def ifeval_pair(panel: str) -> Attempts:
    """r = corr(GPQA, IFEval), the GPQA score of MiniMax M2.5 as in the figure script; r of SWE-bench is smaller."""
    rows, older = rows_with(panel, GPQA, IFEVAL, SWE), of_script("cape_nc3_saturation")
    own, coding = frontier.lab_r(rows, GPQA, IFEVAL), frontier.lab_r(rows, SWE, IFEVAL)
    r = pearson(older[GPQA], older[IFEVAL]) if panel == "published" else own
    note = f"on the panel's own scores r is {own.estimate:.3f} (n = {own.n})"
    smaller = Result(coding.estimate < r.estimate, n=coding.n, note=f"r with SWE-bench is {coding.estimate:.2f}")
    yield {"r": Result.of(r, note, relatives=True), "less with SWE-bench": smaller}
    yield coding_with(IFEVAL)
