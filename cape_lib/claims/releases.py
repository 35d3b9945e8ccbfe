"""Chapters 06, 07, 09 and 10: the trend of GPQA Diamond on SWE-bench Verified, what belongs to one lab or release,
rotation; and our own claims on models of today and scores along training, tried like those of the papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from cape_lib import frontier, stats, tables
from cape_lib.base import training
from cape_lib.claims.registry import FRONTIER, STATED, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, answer, beyond_zero, holds_zero, number, result, stress
from cape_lib.frontier import effort, variants
from cape_lib.frontier.lines import BALANCED as NEAR
from cape_lib.frontier.lines import EXCURSION as BEYOND
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, REASONING, WRONG
from cape_lib.stats import Estimate

SWE, GPQA, HLE, IFEVAL = "swe_bench_verified", "gpqa_diamond", "hle", "ifeval"
#: Panels of the 34 rows and the five of April 2026: what is claimed of these five has no meaning on the current one.
FIXED = ("published", "corrected", "sourced")
FEWEST = 4


def rows_of(panel: str, *scores: str, frozen: bool = True) -> pd.DataFrame:
    """The rows behind a number, all scores present (SWE-bench and GPQA): the 34 of March 2026 (`frozen`), every release
    where a panel has others."""
    frame = tables.frontier(panel)
    frame = frontier.frozen_rows(frame) if frozen and panel in FIXED else frame
    return frame.dropna(subset=list(scores or (SWE, GPQA)))


ALL = "all models and the five of April 2026"
#: Rows of a panel, in words -> what takes them.
SUBSETS: dict[str, Callable[[str], pd.DataFrame]] = {
    "all models": rows_of,
    "the core models": lambda panel: rows_of(panel).query("subset == 'core'"),
    "models with SWE-bench from 40": lambda panel: rows_of(panel).query(f"{SWE} >= 40"),
    "models without compute tiers": lambda panel: rows_of(panel).query("compute_tier.isna()"),
    ALL: lambda panel: rows_of(panel, frozen=False),
}


@claim({"C19": ("all models",), "C39": ("all models",)}, panels=FRONTIER)
@claim({"C77": ("the core models",)}, panels=FRONTIER)
@claim({"C78": ("models with SWE-bench from 40",)}, panels=FRONTIER)
@claim({"C79": ("models without compute tiers",)}, panels=FRONTIER)
@claim({"C89": (ALL,)}, panels=FIXED)
def trend_r(panel: str, subset: str) -> Attempts:
    """r = corr(SWE-bench Verified, GPQA Diamond) over {0} of the panel, each lab left out in turn."""
    rows = SUBSETS[subset](panel)
    yield answer(frontier.lab_r(rows), relatives=True, labs=rows["lab"].nunique())

    # the papers date some releases to the year only, which is no date to hold fixed
    dated = frontier.date_confound(tables.dated_by_makers(rows))
    yield beyond_zero("release date held fixed", dated["partial"])
    if subset == "all models":
        year, narrow = dated["within_year"], frontier.lab_r(rows[rows[SWE] >= 70])
        yield stress("within calendar years", year, holds_zero(year), relatives=True)
        by_lab = {lab: frontier.lab_r(rows[rows["lab"] != lab]) for lab in sorted(rows["lab"].unique())}
        lab, least = min(by_lab.items(), key=lambda item: item[1].estimate)
        # A smallest of many was picked after looking: an interval of its own would say too much.
        says = f"without {lab}, the smallest of {len(by_lab)}; the interval of r itself leaves each lab out in turn"
        yield stress("one lab left out: the smallest r", least.estimate, says, n=least.n)
        yield stress("only models from SWE 70 up", narrow, holds_zero(narrow), relatives=True)


@claim("C30", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def frontier_curve(panel: str) -> Attempts:
    """GPQA_c = sqrt(0.513 SWE), fractions: next steps within a lab foretold by its side, against "always both rise"."""
    rows = rows_of(panel)
    shares = frontier.curve_score(frontier.next_steps(tables.dated_by_makers(rows)))
    curve, always = shares["curve"], shares["always together"]
    better, above = curve.estimate > always.estimate, frontier.beside_curve(rows)["above"].sum()
    yield answer(better, curve.n, curve=curve, always=always, above=above, models=len(rows))
    yield stress("always both rise", curve, lost=not better, always=always)


@claim("C33", panels=FIXED)
def band(panel: str) -> Attempts:
    """1.96 standard deviations (divisor n) of the residuals of the 34-row line; later models within it."""
    frame = SUBSETS[ALL](panel)
    width, later = frontier.published_band(frame), frontier.later_releases(frame)
    n = len(later)
    inside, exact, flat = (int(later[f"inside_{kind}"].sum()) for kind in ("published", "exact", "flat"))
    half = Result(width["published"], n=int(width["n"]))
    yield answer({"half width": half, "inside": inside}, n, exact=exact, flat=flat, reach=width["prediction_min"])
    yield stress("a flat line", flat, n=n, lost=flat >= inside, inside=inside)
    says = f"{exact} of {n} later models, where 95 % are to be expected"
    yield stress("share inside an exact prediction interval", stats.wilson(exact, n), says)


@claim("C75", "C87", panels=FRONTIER)
def left_out(panel: str) -> Attempts:
    """Mean over labs with at least three models of the mean |error| of a line fitted to the other labs: the mean alone
    (C75); its spread, the standard deviation with divisor n, and each lab's too (C87)."""
    error, by_lab = frontier.leave_one_lab_out(rows_of(panel))
    flat, errors = by_lab["error_flat"].mean(), by_lab["error"]
    parts = {"error": error, "mean": error, "spread": errors.std(ddof=0)}
    parts |= {row["lab"]: Result(row["error"], n=row["n"]) for row in by_lab.to_dict("records")}
    yield answer(parts, len(by_lab), flat=flat, other=errors.std(ddof=1))

    gain = stats.mean_interval(by_lab["error_flat"] - by_lab["error"], "t over labs")
    yield beyond_zero("a flat line", gain, scale="plain", digits=1, flat=flat)


@claim("C76", panels=FRONTIER)
def line_and_errors(panel: str) -> Attempts:
    """GPQA = a SWE + b by least squares: a, half of its 95 % interval, b, half of its 95 % interval."""
    fit, trend = frontier.fit_line(rows_of(panel)).fit, frontier.lab_line(rows_of(panel))
    slope, intercept = ((one.high - one.low) / 2 for one in (fit.slope, fit.intercept))
    halves = {"slope, half interval": slope, "intercept, half interval": intercept}
    errors = dict(zip(("slope_error", "intercept_error"), np.sqrt(np.diag(fit.covariance)), strict=True))
    yield answer({"slope": trend["slope"], "intercept": trend["intercept"]} | halves, fit.n, **errors)
    yield stress("the t interval", slope, n=fit.n, lost=slope > 0.085, **errors)


@claim("C80", panels=FRONTIER)
def lowest_r(panel: str) -> Attempts:
    """The smallest r of the four subsets that the paper tests: all, core, SWE from 40, without compute tiers."""
    subsets = frontier.subset_correlations(rows_of(panel))
    tested, named = (rows.sort_values("r").to_dict("records")[0] for rows in (subsets.iloc[:4], subsets.iloc[4:]))
    least, other = (Result(row["r"], row["low"], row["high"], row["n"]) for row in (tested, named))
    yield answer(least, subset=tested["subset"])
    yield stress("the subsets it names", other, lost=named["r"] < 0.5, subset=named["subset"])


@claim("C81", panels=STATED)
def by_year(panel: str) -> Attempts:
    """Models released before 2025 and from 2025 on: how many, lowest and highest SWE-bench score."""
    rows = rows_of(panel)
    early = rows["released"].dt.year < 2025
    parts: dict[str, Result] = {}
    for when, side in (("before 2025", rows.loc[early, SWE]), ("from 2025", rows.loc[~early, SWE])):
        values = {"n": len(side), "lowest SWE": side.min(), "highest SWE": side.max()}
        parts |= {f"{name} {when}": Result(value, n=len(side)) for name, value in values.items()}
    yield answer(parts)
    yield stress("counted again", parts["n before 2025"], lost=early.sum() != 5)


def means(panel: str, *, core: bool) -> dict[str, Estimate]:
    """Lab -> mean h of its models, or of its core models, on the unrounded line of all rows of the panel."""
    rows = rows_of(panel)
    table = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel in FIXED)
    return {
        row["lab"]: Estimate(row["mean"], row["low"], row["high"], row["n"], "t interval")
        for row in table.to_dict("records")
    }


def mean_of(name: str, lab: str, mean: Estimate, *, lost: bool | None = None) -> Stress:
    """The mean of a lab as a test, by default that it is other than zero; where its interval holds zero, `zero` says
    the mean that would have been seen."""
    holds, seen = mean.contains(0.0), stats.seen_words(stats.seen_effect(mean), digits=1)
    zero = f", an interval with zero ({seen})" if holds else ""
    return stress(name, mean, lost=holds if lost is None else lost, lab=lab, zero=zero)


@claim({"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}, panels=FRONTIER)
def mean_h(panel: str, lab: str) -> Attempts:
    """Mean over the core models of {0} of h = GPQA - (a SWE + b), the unrounded line of all rows of the panel."""
    known, every = means(panel, core=True), means(panel, core=False)
    if lab not in known:
        yield {}
        return
    now = known[lab]
    yield answer(now)

    if panel == "corrected":
        # it counts against the claim where the sign, or an interval without zero, is lost
        before = means("published", core=True)[lab]
        lost = before.estimate * now.estimate <= 0 or (now.contains(0.0) and not before.contains(0.0))
        yield mean_of("the corrected rows", lab, now, lost=lost)
    yield mean_of("no lab differs", lab, now)
    yield mean_of("every model of the lab", lab, every[lab])


LABS = {"C83": (("xAI", "Zhipu"), False), "C84": (("Alibaba", "Meta", "Moonshot", "MiniMax"), True)}


@claim(LABS, panels=FRONTIER)  # C83, C84
def means_of(panel: str, labs: tuple[str, ...], core: bool) -> Attempts:
    """Mean over the models of {0} of h on the unrounded line of all rows of the panel; core models alone: {1}."""
    own = {lab: one for lab, one in means(panel, core=core).items() if lab in labs}
    yield answer(own)
    if not core and labs[0] in own:
        yield mean_of("no lab differs", labs[0], own[labs[0]])
    elif panel == "corrected":
        far, lab = max(((one.estimate, lab) for lab, one in own.items()), key=lambda pair: abs(pair[0]))
        yield stress("the corrected rows", far, n=len(own), lost=abs(far) > NEAR, lab=lab)


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> Attempts:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot, google = releases(panel, "Moonshot")["h"], means(panel, core=False)["Google"]
    yield answer({"Moonshot": moonshot.mean(), "Google": google}, len(moonshot))
    yield stress("its own rows", google, lost=abs(google.estimate - 5.1) > 0.05)


@claim("C27", "C82", panels=FRONTIER)
def within_labs(panel: str) -> Attempts:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek (C27); the smallest r among the labs
    with at least four models (C82)."""
    table = frontier.lab_slopes(rows_of(panel))
    slopes = table[["slope", "low", "high", "n"]].astype(object).set_index(table["lab"])
    several = table[table["n"] >= FEWEST].sort_values("r").to_dict("records")
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in several)
    least, n = several[0]["r"], several[0]["n"]
    parts = {str(lab): Result(*row) for lab, row in slopes.iterrows()} | {"smallest r": Result(least, n=n)}
    yield answer(parts, every=every)

    yield stress("the bound as printed", least, n=n, lost=least <= 0.87, smallest=number(least, "0.87"), every=every)
    if panel == "corrected":
        # the ratio of the two slopes, and whether all labs could share one
        one, alike = slopes["slope"], frontier.heterogeneity(table)
        tested = f"F test, one upper tail, {stats.p_text(alike.p, '')}, n = {alike.n}"
        shared = f"all labs could share one ({tested}; a spread of less than {alike.seen:.2f} could be missed)"
        lost, ratio = alike.p > 0.05, one["Google"] / one["DeepSeek"]
        shared = shared if lost else f"labs differ ({tested})"
        yield stress("the corrected rows", ratio, n=len(table), lost=lost, slopes=one, shared=shared)


def releases(panel: str, lab: str, *, dated: bool = False) -> pd.DataFrame:
    """A lab's releases in order of date, or of the makers' dates, with h on the unrounded line of the panel's rows."""
    frame = tables.frontier(panel)
    frame = tables.dated_by_makers(frame) if dated else frame
    return frontier.trajectories(frame, chosen=frontier.fit_line(rows_of(panel)), lab=lab)


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Attempts:
    """h > 0 for every Google release."""
    own = releases(panel, "Google")
    below, n = [f"{row['model']} {row['h']:+.1f}" for row in own[own["h"] <= 0].to_dict("records")], len(own)
    named = ", ".join(below) or "none"
    yield answer(bool(n and not below), n, named=named)
    yield stress("every release", len(below), n=n, lost=bool(below), named=named)


DEEPSEEK = {"V2.5": "DeepSeek-V2.5", "V3.2": "DeepSeek V3.2"}
OPUS = {"Opus 4.6": "Claude Opus 4.6", "Opus 4.7": "Claude Opus 4.7"}
SWING = {"Sonnet 4.6": "Claude Sonnet 4.6", "Opus 4.6": "Claude Opus 4.6"}
#: the line through all models, those of April 2026 too
WHOLE = "all models"


def h_of(panel: str, models: dict[str, str], line: frontier.FrontierLine | str | None = None) -> dict[str, Result]:
    """Part -> h of those of its releases that have both scores; its interval is that of a new model about the line."""
    placed = frontier.h_field(tables.frontier(panel), chosen=line or frontier.fit_line(rows_of(panel)))
    known = placed.set_index("model", drop=False).to_dict("index")
    return {
        part: Result(row["h"], row["h_low"], row["h_high"], 1, f"{model}: SWE {row[SWE]:g}, GPQA {row[GPQA]:g}")
        for part, model in models.items()
        if (row := known.get(model))
    }


@claim({"C25": (DEEPSEEK, "the 34 models, unrounded"), "C99": (OPUS, "frozen")}, panels=FRONTIER)
@claim({"C86": (DEEPSEEK | {"V4 Pro": "DeepSeek V4 Pro"}, WHOLE)}, panels=FIXED)
def h_of_each(panel: str, models: dict[str, str], line: str) -> Attempts:
    """h = GPQA - (slope SWE + intercept) of each release; line: {1}."""
    lines = {"frozen": frontier.line("frozen"), WHOLE: frontier.fit_line(tables.frontier(panel))}
    yield answer(h_of(panel, models, lines.get(line)))

    if models == OPUS:
        # whether both lie above the line by more than the noise of their scores
        placed = frontier.h_field(tables.frontier(panel), chosen="frozen")
        own = placed[placed["model"].isin(OPUS.values())]
        if len(own) == len(OPUS):
            sure, noise = int((own["h"] > stats.Z95 * own["noise_sd"]).sum()), float(own["noise_sd"].max())
            seen = stats.seen_words(stats.seen_difference(noise), digits=1)
            yield stress("score noise", noise, n=2, lost=sure < 2, sure=sure, seen=seen)
    else:
        yield from release_corrected(panel, "DeepSeek-V2.5", above=0.0)
        yield from order_by_chance(panel)


def release_corrected(panel: str, model: str, *, above: float | None = None) -> Iterator[Stress]:
    """h of the release that carries the claim: `above` a limit, or (None) below that of an excursion."""
    if panel == "corrected":
        now = h_of(panel, {"": model})[""]
        frozen = h_of(panel, {"": model}, "frozen")[""].value
        # what the audit of the published cells says about its GPQA score
        reason = tables.load("frontier_cells").query("model == @model and benchmark == @GPQA")["reason"].iloc[0]
        h = float(now.value or 0.0)
        lost = h >= -BEYOND if above is None else h <= above
        yield stress("the corrected row", now, lost=lost, model=model, frozen=frozen, reason=reason)


def order_by_chance(panel: str) -> Iterator[Stress]:
    """The kind of move that shuffled releases make least often, and whether as often as it was seen (p after Holm, for
    there are two kinds to pick from)."""
    dated = tables.dated_by_makers(tables.frontier(panel))
    placed = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)))
    null = frontier.order_null(placed, resamples=999).query("kind != 'open'")
    null["p"] = stats.corrected(null["p"])
    for rarest in null.sort_values("p", kind="stable").head(1).to_dict("records"):
        lost, p = rarest["p"] > 0.05, stats.p_text(rarest["p"], correction="Holm")
        yield stress("shuffled order", rarest["observed"], n=len(placed), lost=lost, rarest=rarest, p=p)


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
    recovers = Result(bool(fell and back == fell), n=fell)
    yield answer(h_of(panel, SWING) | {"recovers within one release": recovers}, back=back)

    yield from release_corrected(panel, SWING["Sonnet 4.6"])
    # a recovery comes after what it recovers from; two dates in one month, known to the month only, are no order
    stated = tables.dated_by_makers(tables.frontier(panel)).set_index("model")["release_date"][list(SWING.values())]
    sonnet, opus = stated.map(pd.Period)
    days, lost = float((opus.start_time - sonnet.start_time).days), opus.end_time < sonnet.start_time
    yield stress("order of the dates", days, n=2, lost=lost, stated=stated.tolist())
    yield from order_by_chance(panel)


@claim("C88", panels=FRONTIER)
def compute_tier(panel: str) -> Attempts:
    """h of GPT-5.4 xhigh less h of GPT-5.4 standard."""
    pairs = frontier.compute_tiers(rows_of(panel))
    if pairs.empty:
        yield {}
        return
    pair = pairs.to_dict("records")[0]
    change = pair["dy"] - frontier.fit_line(rows_of(panel)).slope * pair["dx"]
    one = Estimate(change, pair["low"], pair["high"], 2, "noise of two scores")
    both = "one SWE-bench score stands in both rows" if pair["same_x"] else "each tier has its own SWE-bench score"
    yield answer(one, both=both)
    yield stress("score noise", one, lost=one.contains(0.0))


@claim("C100", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def steady_ascent(panel: str) -> Attempts:
    """h of every OpenAI release above that of the one before, in order of the makers' dates."""
    own = releases(panel, "OpenAI", dated=True)
    steps = np.diff(own["h"].to_numpy(dtype=float))[own["order_known"].to_numpy()[1:]]
    rising, n = int((steps > 0).sum()), steps.size
    yield answer(bool(n and rising == n), n, rising=rising)
    if n:
        share = stats.wilson(rising, n)
        yield stress("steps that rise", share, lost=share.contains(0.5), rising=rising)


@claim("C31", panels=FRONTIER)
def below_ifeval_curve(panel: str) -> Attempts:
    """Models with IFEval below 100 sqrt(0.97 GPQA / 100), both to one decimal as scores are printed."""
    rows = rows_of(panel, GPQA, IFEVAL)
    placed = frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)
    margin = rows[IFEVAL].round(1) - pd.Series(stats.isocline(rows[GPQA], 0.97), rows.index).round(1)
    below, n = rows.loc[margin < 0, "model"], len(rows)
    yield answer(len(below), n, named=", ".join(below), exact=int((placed["margin"] < 0).sum()))

    # the curve lies at 100 sqrt(0.97 GPQA / 100): noise of GPQA moves it by its slope there
    slope = placed["critical"] / (2 * placed[GPQA])
    noise = np.hypot(stats.score_sd(placed[IFEVAL], IFEVAL), slope * stats.score_sd(placed[GPQA], GPQA))
    sure = int((placed["margin"] < -stats.Z95 * noise).sum())
    seen = stats.seen_words(stats.seen_difference(float(np.median(noise))), digits=1) if n else ""
    none = "" if n else "no model of this panel has both scores"
    yield stress("score noise", sure, none, n=n, lost=sure < 2, seen=seen)
    for ratio in (0.965, 0.97, 0.975):  # the printed ratio and half a unit of its last digit beside it
        count = (~frontier.beside_curve(rows, ratio=ratio, x=GPQA, y=IFEVAL)["above"]).sum()
        yield stress(f"models below at the ratio {ratio:g}", count, f"of {n}, no score rounded", n=n)


def top_today(old: str, new: str, apart: str) -> tuple[float, float, int]:
    """The range of a score among the five releases known today that are highest on another; that of chance alone; n."""
    top = frontier.top_rows(tables.frontier("current").dropna(subset=[old, new]), old, also=(new,))
    return float(frontier.spread(top[apart])), frontier.noise_spread(float(top[apart].mean()), apart), len(top)


@claim("C34", reads=("predictions",))
def predictions(panel: str) -> Attempts:
    """Predictions with a rule for passing and a rule for failing."""
    rows = tables.load("predictions")
    ruled = int((rows["pass_rule"].notna() & rows["fail_rule"].notna()).sum())
    yield answer({"predictions": len(rows), "each can fail": ruled == len(rows)}, len(rows), ruled=ruled)

    # prediction 1 fails where the five highest SWE-bench scores lie more than 5 points apart
    spread, _, n = top_today(SWE, GPQA, SWE)
    lost = spread <= 5
    rule = "no rule for failing is met" if lost else "prediction 1 can fail"
    yield stress("a rule that can fail", spread, n=n, lost=lost, rule=rule)


@claim(
    {"C90": (SWE, GPQA, {"SWE range": SWE, "GPQA range": GPQA}), "C91": (GPQA, HLE, {"HLE range": HLE})},
    panels=FRONTIER,
)
def top_five(panel: str, old: str, new: str, ranges: dict[str, str]) -> Attempts:
    """Among the five highest {0}: the ranges (max - min), and sigma = range({0}) / range({1})."""
    rows, supplied = rows_of(panel, old, new), old != SWE
    if len(rows) < 5:
        yield answer(dict.fromkeys(("sigma", *ranges)), len(rows))
    else:
        ratio, top, says = frontier.saturation(rows, old=old, new=new), frontier.top_rows(rows, old, also=(new,)), ""
        if old == SWE:
            core = frontier.top_rows(rows[rows["subset"] == "core"], old, also=(new,))
            alone = " and ".join(f"{frontier.spread(core[axis]):.1f}" for axis in (old, new))
            says = f"{', '.join(top['model'])}; among the core models alone the two ranges are {alone}"
        parts = {name: Result(frontier.spread(top[axis]), n=len(top), says=says) for name, axis in ranges.items()}
        parts["sigma"] = Result(ratio.sigma, ratio.low, ratio.high, len(ratio.models))
        yield {name: result(part, supplied=supplied) for name, part in parts.items()}

    apart = HLE if supplied else SWE
    spread, chance, n = top_today(old, new, apart)
    # the one axis is said to be used up, the other to tell models apart still
    yield stress("the releases since", spread, n=n, lost=(spread > chance) != supplied, chance=chance)


def of_script(name: str) -> pd.DataFrame:
    """Scores as a figure script of the papers has them, a column a benchmark, models with all of them."""
    versions = tables.load("frontier_versions")
    script = versions[versions["source"] == f"cape-scaling:scripts/{name}.py"]
    return script.pivot(index="model", columns="benchmark", values="value").dropna()


def coding_with(other: str) -> Stress:
    """Whether another benchmark goes with SWE-bench too, over the releases known today."""
    rows = tables.frontier("current").dropna(subset=[SWE, GPQA, other])
    reasoning, coding = (stats.clustered_r(rows[axis], rows[other], rows["lab"], unit="labs") for axis in (GPQA, SWE))
    return stress("the releases since", coding, lost=coding.low > 0, reasoning=reasoning.estimate)


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
    yield answer({"r": stats.pearson(rows[SWE], rows[GPQA]), "n": len(rows)}, len(rows), relatives=True)
    yield no_matrix()


@claim("C93", panels=FRONTIER)
def hle_pairs(panel: str) -> Attempts:
    """r = corr(GPQA, HLE) and r = corr(SWE-bench, HLE); nothing below four models."""
    parts = {}
    for name, x in (("GPQA, HLE", GPQA), ("SWE, HLE", SWE)):
        rows = rows_of(panel, x, HLE)
        says = f"{len(rows)} models of this panel have both scores"
        parts[name] = Result(None, n=len(rows), says=says)
        if len(rows) >= FEWEST:
            parts[name] = result(frontier.lab_r(rows, x, HLE), supplied=True, relatives=True)
    yield answer(parts)
    yield coding_with(HLE)
    yield no_matrix()


@claim("C94", panels=STATED, reads=("frontier_panel", "frontier_versions"))
def ifeval_pair(panel: str) -> Attempts:
    """r = corr(GPQA, IFEval), the GPQA score of MiniMax M2.5 as in the figure script; r of SWE-bench is smaller."""
    rows, older = rows_of(panel, GPQA, IFEVAL, SWE), of_script("cape_nc3_saturation")
    own, coding = frontier.lab_r(rows, GPQA, IFEVAL), frontier.lab_r(rows, SWE, IFEVAL)
    r = stats.pearson(older[GPQA], older[IFEVAL]) if panel == "published" else own
    smaller = Result(coding.estimate < r.estimate, n=coding.n)
    yield answer({"r": r, "less with SWE-bench": smaller}, relatives=True, own=own, coding=coding.estimate)
    yield coding_with(IFEVAL)


TODAY = ("one_lab_2026", "variant_corrections")
#: Claim -> measure, and whether the correlation is of ranks.
R_OF: dict[str, tuple[str, bool]] = {"O01": (KNOWS, False), "O02": (ADMITS, False), "O06": (WRONG, True)}
HIGH = 0.85


@claim(R_OF, reads=TODAY)  # O01, O02, O06
def reasoning_and(panel: str, measure: str, rank: bool) -> Attempts:
    """r, or Spearman's r for O06, of GPQA Diamond and {0} over the variants that have both; makers left out in turn."""
    rows = variants.readings()
    r = variants.association(rows, measure, rank=rank)
    yield answer(r, rows=len(rows), models=rows["weights"].nunique(), makers=rows["lab"].nunique())

    yield beyond_zero("makers left out", r)
    yield beyond_zero(
        "release date and size held fixed", variants.association(rows, measure, given=("date", "size"), rank=rank)
    )
    parts = {
        "without the variants that ran out": variants.steady(rows),
        "the best variant of each model": variants.best_of_each(rows),
        "thinking only": rows[rows["mode"] == "reasoning"],
        "not thinking only": rows[rows["mode"] == "none"],
    }
    others = {name: variants.association(part, measure, rank=rank) for name, part in parts.items()}
    if measure == WRONG:
        # the wrong share follows what is known by arithmetic: what is left of it at an equal share known
        others["at an equal share known"] = variants.association(rows, WRONG, given=(KNOWS,), rank=True)
    for name, other in others.items():
        yield stress(name, other, holds_zero(other))


@claim("O03", reads=TODAY)
def one_family(panel: str) -> Attempts:
    """r of GPQA and the share admitted over the sizes of Qwen3.5, thinking."""
    rows = variants.readings()
    family = rows[(rows["generation"] == "Qwen3.5") & (rows["mode"] == "reasoning")]
    steady = family[~variants.truncation(rows)["loses"][family.index]]

    def r_of(sizes: pd.DataFrame, measure: str) -> Estimate:
        return stats.fisher(float(sizes[REASONING].corr(sizes[measure])), len(sizes))

    yield answer(r_of(family, ADMITS))

    r, whole, left = r_of(steady, ADMITS), r_of(family, WRONG).estimate, r_of(steady, WRONG).estimate
    lost = whole * left < 0 or r.contains(0.0)
    yield stress("without the sizes that ran out", r, lost=lost, zero=holds_zero(r), whole=whole, left=left)


@claim("O04", reads=TODAY)
def effort_admits(panel: str) -> Attempts:
    """Ladders of effort, by name, in which the share admitted falls from lowest to highest effort, and how many."""
    rows = variants.readings()
    ladders = effort.effort_ladders(rows)
    admits, wrong, precise = (effort.counted(ladders, m) for m in (ADMITS, WRONG, PRECISION))
    n = len(ladders)
    yield answer({"fell": admits["fell"], "of": n}, n, sure=admits["sure"], mean=admits["mean"])

    change, (p, after) = effort.over_makers(ladders, ADMITS), effort.student_p(ladders, ADMITS)
    lost, tested = after >= 0.05, stats.p_text(p)
    yield stress("makers as clusters", change, lost=lost, makers=change.n, p=tested, after=stats.p_short(after))
    beyond = effort.over_makers(ladders.assign(beyond=ladders[ADMITS] - ladders[effort.BY_KNOWING]), "beyond")
    held = effort.over_makers(ladders, effort.BY_KNOWING)
    says = f"with as many wrong answers as before it would change by {held.estimate:+.1f} points, for what is known "
    says += f"changes; beyond that {holds_zero(beyond, scale='plain', digits=1)}; another baseline splits it otherwise"
    yield stress("beyond what knowing more makes", beyond, says)
    longer = effort.effort_ladders(rows, minimal=True)
    from_minimal = effort.over_makers(longer, ADMITS)
    says = f"it falls in {effort.counted(longer, ADMITS)['fell']} of {len(longer)}; "
    says += holds_zero(from_minimal, scale="plain", digits=1)
    yield stress("with minimal, which does not think, as the lowest effort", from_minimal, says)
    says = f"two-sided; {change.n} makers that agree can give no less than {2.0 ** (1 - change.n):.2g}"
    yield stress("p where each maker's sign is a coin", float(admits["p"]), says, n=change.n)
    yield stress("points for ten times the tokens", effort.dose(rows, ADMITS), "makers as replicates")
    wider = effort.counted(effort.effort_ladders(rows, bare=False), ADMITS)
    least = min(effort.ladder_checks(rows).to_dict("records"), key=lambda check: check["admits_fell"] / check["n"])
    for name, hits, of in (
        ("the wrong share rises in", wrong["rose"], n),
        ("precision rises in", precise["rose"], n),
        ("by the wider rule it falls in", wider["fell"], wider["n"]),
        (f"where it falls least ({least['check']}) it falls in", least["admits_fell"], least["n"]),
    ):
        yield stress(name, float(hits), f"of {of}", n=int(of))


@claim("O05", reads=("pythia_checkpoints",))
def runs_at_high_r(panel: str) -> Attempts:
    """Pythia runs with r(LAMBADA, CrowS-Pairs) of 0.85 or more from step 1,000 on, and how many."""
    rows = training.runs()
    along, pairs = training.along(rows, x="lambada_openai")["r"], training.crossed(rows, x="lambada_openai")
    high = {own: each["r"] >= HIGH for own, each in pairs.groupby("own")}
    yield answer({"runs": (along >= HIGH).sum(), "of": len(along)}, len(along), median=along.median())

    share, own = float(high[False].mean()), float(high[True].mean())
    yield stress("a stranger's curve", share, n=len(high[False]), lost=share > own / 2, own=own)
    for x in training.CAPABILITIES:
        beyond = training.beyond_trend(rows, x=x)
        name = f"{x}: own less twin, changes (Fisher's z)"
        p = stats.p_text(beyond.p, "greater")
        yield stress(name, beyond.excess, f"exact, {p}, not corrected for asking {len(training.CAPABILITIES)}")
