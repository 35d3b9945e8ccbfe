"""Chapter 06: what belongs to one lab, its mean h, its slope and its trajectory."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import FIXED, GPQA, SWE, rows_of
from cape_lib.claims.registry import FRONTIER, claim, stress
from cape_lib.claims.verdict import Found, Stress

EXCURSION = -10.0  # paper B, section 2.3: below this h a release is a coding-specialist excursion


def mean_h(panel: str, lab: str, *, core: bool = True) -> Found:
    """Mean h of one lab on the unrounded line of the panel's own rows; all its rows where none is core."""
    rows = rows_of(panel)
    means = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel != "current")
    own = means[means["lab"] == lab].to_dict("records")
    if not own:
        return Found(None, n=0, note=f"no core model of {lab} on this panel")
    low, high = (None if math.isnan(own[0][end]) else own[0][end] for end in ("low", "high"))
    return Found(own[0]["mean"], low, high, own[0]["n"])


def releases(panel: str, lab: str, *, line: frontier.FrontierLine | str | None = None) -> pd.DataFrame:
    """A lab's releases in order of date with h; by default on the unrounded line of the panel's own rows."""
    frame = tables.frontier(panel)
    return frontier.trajectories(frame, chosen=line or frontier.fit_line(rows_of(panel)), lab=lab)


def h_of(panel: str, model: str, *, line: frontier.FrontierLine | str | None = None) -> Found:
    """h of one release; its interval is that of a new model about the line."""
    frame = tables.frontier(panel)
    placed = frontier.h_field(frame, chosen=line or frontier.fit_line(rows_of(panel)))
    own = placed[placed["model"] == model].to_dict("records")
    if not own:
        return Found(None, n=0, note=f"{model} has no pair of scores on this panel")
    row = own[0]
    return Found(row["h"], row["h_low"], row["h_high"], 1, f"{model}: SWE {row[SWE]:g}, GPQA {row[GPQA]:g}")


@claim("C20", panels=FRONTIER)
def google_mean(panel: str) -> Found:
    """Mean over Google's core models of h = GPQA - (a SWE + b), the line of all 34 models."""
    return mean_h(panel, "Google")


@claim("C21", panels=FRONTIER)
def openai_mean(panel: str) -> Found:
    """Mean over OpenAI's core models of h = GPQA - (a SWE + b), the line of all 34 models."""
    return mean_h(panel, "OpenAI")


@claim("C22", panels=FRONTIER)
def deepseek_mean(panel: str) -> Found:
    """Mean over DeepSeek's core models of h = GPQA - (a SWE + b), the line of all 34 models."""
    return mean_h(panel, "DeepSeek")


@claim("C23", panels=FRONTIER)
def anthropic_mean(panel: str) -> Found:
    """Mean over Anthropic's core models of h = GPQA - (a SWE + b), the line of all 34 models."""
    return mean_h(panel, "Anthropic")


def mean_over_all(panel: str, lab: str) -> list[Stress]:
    """The same mean over every model of the lab, core or not."""
    found = mean_h(panel, lab, core=False)
    against = ""
    if found.low is not None and found.high is not None and found.low < 0 < found.high:
        against = f"over all {found.n} of its models the mean is {found.value:+.1f}, and the interval holds zero"
    name = f"every model of {lab}, core or not"
    return [Stress(name, found.value, "mean h", found.low, found.high, found.n, against)]


for _id, _lab in zip(("C20", "C21", "C22", "C23"), ("Google", "OpenAI", "DeepSeek", "Anthropic"), strict=True):
    stress(_id)(partial(mean_over_all, lab=_lab))


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Found:
    """h > 0 for every Google release."""
    own = releases(panel, "Google")
    below = own[own["h"] <= 0]
    named = ", ".join(f"{row['model']} ({row['h']:+.1f})" for row in below.to_dict("records")) or "none"
    return Found(bool(len(own) and below.empty), n=len(own), note=f"not above the line: {named}")


@claim("C25", panels=FRONTIER)
def deepseek_reversal(panel: str) -> list[Found]:
    """h of DeepSeek-V2.5 and of DeepSeek V3.2."""
    return [h_of(panel, "DeepSeek-V2.5"), h_of(panel, "DeepSeek V3.2")]


@claim("C26", panels=FRONTIER)
def anthropic_excursion(panel: str) -> list[Found]:
    """h of Claude Sonnet 4.6 and of Claude Opus 4.6; every release below -10 is followed by one above -10."""
    own = releases(panel, "Anthropic")
    low = (own["h"] < EXCURSION).to_numpy()
    # The last release has no next one and cannot show a recovery.
    fell, back = int(low[:-1].sum()), int((low[:-1] & ~low[1:]).sum())
    note = f"{back} of {fell} releases below {EXCURSION:g} are followed by one above"
    recovered = Found(bool(fell and back == fell), n=fell, note=note)
    return [h_of(panel, "Claude Sonnet 4.6"), h_of(panel, "Claude Opus 4.6"), recovered]


@stress("C25", "C26")
def order_by_chance(panel: str) -> list[Stress]:
    placed = frontier.trajectories(tables.frontier(panel), chosen=frontier.fit_line(rows_of(panel)))
    null = frontier.order_null(placed, resamples=999)
    tried = []
    for row in null[null["kind"] != "open"].to_dict("records"):
        usual = f"{row['expected']:.1f} [{row['low']:.0f}, {row['high']:.0f}]"
        says = f"releases in shuffled order show {usual}, p = {row['p']:.2g}"
        seen = f"{row['kind']}s like this are as frequent in shuffled order ({row['observed']:.0f} seen, usual {usual})"
        against = seen if row["p"] > 0.05 else ""
        tried.append(Stress(f"{row['kind']}s in all labs", row["observed"], says, n=len(placed), against=against))
    return tried


@claim("C27", panels=FRONTIER)
def slopes(panel: str) -> list[Found]:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek."""
    found = []
    for lab in ("Google", "DeepSeek"):
        own = frontier.lab_slopes(rows_of(panel)).query("lab == @lab").to_dict("records")
        none = Found(None, note=f"fewer than three models of {lab}")
        found.append(Found(own[0]["slope"], own[0]["low"], own[0]["high"], own[0]["n"]) if own else none)
    return found


@stress("C27")
def slopes_alike(panel: str) -> list[Stress]:
    table = frontier.lab_slopes(rows_of(panel))
    test = frontier.heterogeneity(table)
    return [
        Stress(
            "all labs have one slope: p of the F test",
            test.p,
            "a small p says that labs differ; with this few models a large one leaves it open",
            n=len(table),
        )
    ]


@claim("C28")
def origin(panel: str) -> Found:
    """Difference of h between a frontier model before and after post-training, by lab."""
    return Found(None)


@claim("C82", panels=FRONTIER)
def within_labs(panel: str) -> Found:
    """The smallest r among the labs with at least four models."""
    table = frontier.lab_slopes(rows_of(panel), at_least=4).sort_values("r").to_dict("records")
    if not table:
        return Found(None)
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in table)
    return Found(table[0]["r"], n=table[0]["n"], note=f"smallest of {every}")


@claim("C83", panels=FRONTIER)
def labs_without_core(panel: str) -> list[Found]:
    """Mean h of xAI and of Zhipu over all their rows of March 2026."""
    return [mean_h(panel, lab, core=False) for lab in ("xAI", "Zhipu")]


@claim("C84", panels=FRONTIER)
def single_models(panel: str) -> list[Found]:
    """h of the one core model of Alibaba, Meta, Moonshot and MiniMax."""
    return [mean_h(panel, lab) for lab in ("Alibaba", "Meta", "Moonshot", "MiniMax")]


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> list[Found]:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot = releases(panel, "Moonshot")["h"]
    google = mean_h(panel, "Google", core=False)
    return [Found(float(moonshot.mean()), n=len(moonshot)), google]


@claim("C86", panels=FIXED)
def deepseek_refit(panel: str) -> list[Found]:
    """h of DeepSeek-V2.5, V3.2 and V4 Pro on the line of all 39 models."""
    line = frontier.fit_line(tables.frontier(panel))
    return [h_of(panel, model, line=line) for model in ("DeepSeek-V2.5", "DeepSeek V3.2", "DeepSeek V4 Pro")]


@claim("C88", panels=FRONTIER)
def compute_tier(panel: str) -> Found:
    """h of GPT-5.4 xhigh less h of GPT-5.4 standard."""
    pairs = frontier.compute_tiers(rows_of(panel)).to_dict("records")
    if not pairs:
        return Found(None, n=0, note="no pair of compute tiers on this panel")
    pair = pairs[0]
    line = frontier.fit_line(rows_of(panel))
    both = "one SWE-bench score stands in both rows" if pair["same_x"] else "each tier has its own SWE-bench score"
    return Found(pair["dy"] - line.slope * pair["dx"], pair["low"], pair["high"], 2, both)


@claim("C99", panels=FRONTIER)
def rounded_h(panel: str) -> list[Found]:
    """h = GPQA - (0.513 SWE + 46.4) of Claude Opus 4.6 and of Claude Opus 4.7."""
    return [h_of(panel, model, line="frozen") for model in ("Claude Opus 4.6", "Claude Opus 4.7")]


@stress("C99", "C88")
def noise_of_h(panel: str) -> list[Stress]:
    sd = frontier.h_field(tables.frontier(panel), chosen="frozen")["noise_sd"]
    says = "median; from the number of questions alone"
    return [Stress("sampling noise of one h, standard deviation", float(sd.median()), says, n=len(sd))]
