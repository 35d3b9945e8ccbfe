"""Chapter 06: what belongs to one lab or release: h, its mean, its order, and what a correction makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import FIXED, GPQA, SWE, rows_of
from cape_lib.claims.registry import FRONTIER, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, number, stress
from cape_lib.frontier.lines import BALANCED as NEAR
from cape_lib.frontier.lines import EXCURSION as BEYOND
from cape_lib.stats import Estimate, normal_estimate, p_text, seen_difference, seen_effect, seen_words, wilson


def mean_of(panel: str, lab: str, *, core: bool) -> Result:
    """Mean h of a lab's models, or of its core models, on the unrounded line of all rows of the panel."""
    rows = rows_of(panel)
    means = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel in FIXED)
    own = means[means["lab"] == lab].to_dict("records")
    if not own:
        return Result(None, n=0, note=f"no core model of {lab} on this panel")
    return Result(own[0]["mean"], own[0]["low"], own[0]["high"], own[0]["n"])


def holds_zero_of(result: Result) -> str:
    """A mean in words, and where its interval holds zero the mean that would have been seen."""
    if not result.contains(0.0):
        return result.text
    value, low, high = (float(end or 0.0) for end in (result.value, result.low, result.high))
    seen = seen_words(seen_effect(Estimate(value, low, high, result.n or 0, "t")), digits=1)
    return f"{result.text}, an interval with zero ({seen})"


def of_chance(lab: str, mean: Result) -> Stress:
    """Whether the mean of a lab is other than zero."""
    says = f"over {mean.n} models the mean of {lab} is {holds_zero_of(mean)}"
    return stress("no lab differs", mean, says, lost=mean.contains(0.0))


@claim({"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}, panels=FRONTIER)
def mean_h(panel: str, lab: str) -> Attempts:
    """Mean over the core models of {0} of h = GPQA - (a SWE + b), the unrounded line of all rows of the panel."""
    now, every = mean_of(panel, lab, core=True), mean_of(panel, lab, core=False)
    yield now

    before = mean_of("published", lab, core=True)
    if panel != "corrected" or before.value is None or now.value is None:
        yield stress("the corrected rows", None)
    else:
        # it counts against the claim where the sign, or an interval without zero, is lost
        lost = (before.value > 0) != (now.value > 0) or (now.contains(0.0) and not before.contains(0.0))
        says = f"on the corrected rows the mean of {lab} is {holds_zero_of(now)}"
        yield stress("the corrected rows", now, says, lost=lost)
    yield of_chance(lab, now)
    says = f"over all {every.n} of its models, core or not, the mean of {lab} is {holds_zero_of(every)}"
    yield stress("every model of the lab", every, says, lost=every.contains(0.0))


LABS = {"C83": (("xAI", "Zhipu"), False), "C84": (("Alibaba", "Meta", "Moonshot", "MiniMax"), True)}


@claim(LABS, panels=FRONTIER)  # C83, C84
def means_of(panel: str, labs: tuple[str, ...], core: bool) -> Attempts:
    """Mean over the models of {0} of h on the unrounded line of all rows of the panel; core models alone: {1}."""
    means = {lab: mean_of(panel, lab, core=core) for lab in labs}
    yield means

    if not core:
        yield of_chance(labs[0], means[labs[0]])
    elif panel != "corrected":
        yield stress("the corrected rows", None)
    else:
        h = {lab: float(one.value) for lab, one in means.items() if one.value is not None}
        lab, far = max(h.items(), key=lambda item: abs(item[1]))
        says = f"on the corrected rows the one farthest from the line is {lab}'s, at {far:+.1f}"
        yield stress("the corrected rows", far, says, n=len(h), lost=abs(far) > NEAR)


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> Attempts:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot = releases(panel, "Moonshot")["h"]
    google = mean_of(panel, "Google", core=False)
    yield {"Moonshot": Result(float(moonshot.mean()), n=len(moonshot)), "Google": google}

    away, says = abs(float(google.value or 0.0) - 5.1) > 0.05, f"with its extended row Google's mean is {google.text}"
    yield stress("its own rows", google, says, lost=away, more=", not +5.1")


@claim("C27", panels=FRONTIER)
def slopes(panel: str) -> Attempts:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek."""
    table = frontier.lab_slopes(rows_of(panel)).set_index("lab")
    own = {lab: Result(*row) for lab, row in table[["slope", "low", "high", "n"]].astype(object).iterrows()}
    yield {lab: own.get(lab, Result(None, note=f"fewer than three models of {lab}")) for lab in ("Google", "DeepSeek")}

    if panel != "corrected":
        yield stress("the corrected rows", None)
        return
    # the ratio of the two slopes, and whether all labs could share one
    one, alike = table["slope"], frontier.slope_test(rows_of(panel))
    tested = f"F test, {p_text(alike.p, '')}, n = {alike.n}"
    says = f"on the corrected rows the slopes are {one['Google']:.2f} and {one['DeepSeek']:.2f}; "
    shared = f"all labs could share one ({tested}; a spread of {alike.seen:.2f} would have been seen)"
    says += shared if alike.p > 0.05 else f"labs differ ({tested})"
    yield stress("the corrected rows", one["Google"] / one["DeepSeek"], says, n=len(table), lost=alike.p > 0.05)


@claim("C82", panels=FRONTIER)
def within_labs(panel: str) -> Attempts:
    """The smallest r among the labs with at least four models."""
    table = frontier.lab_slopes(rows_of(panel), at_least=4).sort_values("r").to_dict("records")
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in table)
    least = Result(table[0]["r"], n=table[0]["n"], note=f"smallest of {every}") if table else Result(None)
    yield least

    says, lost = f"the smallest is {number(least.value, '0.87')}", float(least.value or 0.0) <= 0.87
    yield stress("the bound as printed", least, says, lost=lost, more=f", not above 0.87; {least.note}")


def releases(panel: str, lab: str, *, dated: bool = False) -> pd.DataFrame:
    """A lab's releases in order of date, or of the makers' dates, with h on the unrounded line of the panel's rows."""
    frame = tables.frontier(panel)
    frame = tables.dated_by_makers(frame) if dated else frame
    return frontier.trajectories(frame, chosen=frontier.fit_line(rows_of(panel)), lab=lab)


def h_of(panel: str, model: str, *, line: frontier.FrontierLine | str | None = None) -> Result:
    """h of one release; its interval is that of a new model about the line."""
    placed = frontier.h_field(tables.frontier(panel), chosen=line or frontier.fit_line(rows_of(panel)))
    own = placed[placed["model"] == model].to_dict("records")
    if not own:
        return Result(None, n=0, note=f"{model} has no pair of scores on this panel")
    row = own[0]
    return Result(row["h"], row["h_low"], row["h_high"], 1, f"{model}: SWE {row[SWE]:g}, GPQA {row[GPQA]:g}")


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Attempts:
    """h > 0 for every Google release."""
    own = releases(panel, "Google")
    below, n = [(row["model"], f"{row['h']:+.1f}") for row in own[own["h"] <= 0].to_dict("records")], len(own)
    named = ", ".join(f"{model} ({h})" for model, h in below) or "none"
    yield Result(bool(n and not below), n=n, note=f"not above the line: {named}")

    says, more = f"{len(below)} of {n} releases lie below the line", f": {', '.join(' '.join(one) for one in below)}"
    yield stress("every release", float(len(below)), says, n=n, lost=bool(below), more=more)


#: the line of all models, those of April 2026 too
ALL = "all models"
DEEPSEEK = {"V2.5": "DeepSeek-V2.5", "V3.2": "DeepSeek V3.2"}
OPUS = {name: f"Claude {name}" for name in ("Opus 4.6", "Opus 4.7")}


@claim({"C25": (DEEPSEEK, "the 34 models, unrounded"), "C99": (OPUS, "frozen")}, panels=FRONTIER)
@claim({"C86": (DEEPSEEK | {"V4 Pro": "DeepSeek V4 Pro"}, ALL)}, panels=FIXED)
def h_of_each(panel: str, models: dict[str, str], line: str) -> Attempts:
    """h = GPQA - (slope SWE + intercept) of each release; line: {1}."""
    lines = {"frozen": frontier.line("frozen"), ALL: frontier.fit_line(tables.frontier(panel))}
    yield {name: h_of(panel, model, line=lines.get(line)) for name, model in models.items()}

    if models == OPUS:
        yield noise_of_h(panel)
    else:
        yield release_corrected(panel, "DeepSeek-V2.5", rich=True)
        if line != ALL:
            yield order_by_chance(panel)


def release_corrected(panel: str, model: str, *, rich: bool) -> Stress:
    """h of the release that carries the claim: above the line (`rich`), or below the limit of an excursion."""
    now = h_of(panel, model)
    if panel != "corrected" or now.value is None:
        return stress("the corrected row", None)
    # what the audit of the published cells says about its GPQA score
    reason = tables.load("frontier_cells").query("model == @model and benchmark == @GPQA")["reason"].iloc[0]
    says = f"on the corrected rows h of {model} is {now.value:+.1f}: {reason}"
    lost = now.value <= 0 if rich else now.value >= -BEYOND
    return stress("the corrected row", now, says, lost=lost)


def order_by_chance(panel: str) -> Stress:
    """The kind of move that shuffled releases make least often, and whether as often as it was seen."""
    dated = tables.dated_by_makers(tables.frontier(panel))
    placed = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)))
    null = frontier.order_null(placed, resamples=999)
    rows = null[null["kind"] != "open"].to_dict("records")
    if not rows:
        return stress("shuffled order", None)
    rarest = min(rows, key=lambda row: row["p"])
    usual = f"{rarest['expected']:.1f} [{rarest['low']:.0f}, {rarest['high']:.0f}]"
    says = f"{rarest['kind']}s: {rarest['observed']:.0f} seen, {usual} in shuffled order ({p_text(rarest['p'])})"
    return stress("shuffled order", rarest["observed"], says, n=len(placed), lost=rarest["p"] > 0.05)


def noise_of_h(panel: str) -> Stress:
    """Whether both Opus models lie above the line by more than the noise of their scores."""
    placed, models = frontier.h_field(tables.frontier(panel), chosen="frozen").set_index("model"), list(OPUS.values())
    if not set(models) <= set(placed.index):
        return stress("score noise", None)
    own = placed.loc[models]
    sure = sum(not normal_estimate(h, sd, 1).contains(0.0) for h, sd in zip(own["h"], own["noise_sd"], strict=True))
    noise = float(own["noise_sd"].max())
    says = f"by the number of questions alone {sure} of the two lies above the line for sure"
    seen = seen_words(seen_difference(noise), digits=1)
    return stress("score noise", noise, says, n=2, lost=sure < 2, more=f" (noise of h: {noise:.1f}; {seen})")


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
    ends = {name: h_of(panel, model) for name, model in models.items()}
    yield ends | {"recovers within one release": Result(bool(fell and back == fell), n=fell, note=note)}

    yield release_corrected(panel, "Claude Sonnet 4.6", rich=False)
    # a recovery comes after what it recovers from; two dates in one month, known to the month only, are no order
    stated = tables.dated_by_makers(tables.frontier(panel)).set_index("model")["release_date"]
    sonnet, opus = (pd.Period(stated[model]) for model in models.values())
    says = "Sonnet 4.6 is of {}, Opus 4.6 of {}".format(*stated[list(models.values())])
    days = float((opus.start_time - sonnet.start_time).days)
    lost, more = opus.end_time < sonnet.start_time, ": the recovery runs backwards in time"
    yield stress("order of the dates", days, says, n=2, lost=lost, more=more)
    yield order_by_chance(panel)


@claim("C88", panels=FRONTIER)
def compute_tier(panel: str) -> Attempts:
    """h of GPT-5.4 xhigh less h of GPT-5.4 standard."""
    pairs = frontier.compute_tiers(rows_of(panel)).to_dict("records")
    one = Result(None, n=0, note="no pair of compute tiers on this panel")
    for pair in pairs[:1]:
        both = "one SWE-bench score stands in both rows" if pair["same_x"] else "each tier has its own SWE-bench score"
        change = pair["dy"] - frontier.fit_line(rows_of(panel)).slope * pair["dx"]
        one = Result(change, pair["low"], pair["high"], 2, both)
    yield one

    lost = one.value is None or one.contains(0.0)
    says = f"with the noise of the four scores {one.text}"
    yield stress("score noise", one, says, lost=lost)


@claim("C100", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def steady_ascent(panel: str) -> Attempts:
    """h of every OpenAI release above that of the one before, in order of the makers' dates."""
    own = releases(panel, "OpenAI", dated=True)
    steps = np.diff(own["h"].to_numpy(dtype=float))[own["order_known"].to_numpy()[1:]]
    rising, n = int((steps > 0).sum()), steps.size
    yield Result(bool(n and rising == n), n=n, note=f"{rising} of {n} steps rise")

    if not n:
        yield stress("steps that rise", None)
        return
    share, says = wilson(rising, n), f"{rising} of {n} steps of OpenAI's h rise"
    yield stress("steps that rise", share, says, lost=share.contains(0.5))
