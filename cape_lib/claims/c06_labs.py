"""Chapter 06: what belongs to one lab, its mean h and its slope."""

from __future__ import annotations

import math
from functools import partial

from cape_lib import frontier
from cape_lib.claims.c06_releases import releases
from cape_lib.claims.c06_trend import rows_of
from cape_lib.claims.registry import FRONTIER, claim, stress
from cape_lib.claims.verdict import Found, Stress


def mean_h(panel: str, lab: str, *, core: bool = True) -> Found:
    """Mean h of one lab on the unrounded line of the panel's own rows; all its rows where none is core."""
    rows = rows_of(panel)
    means = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel != "current")
    own = means[means["lab"] == lab].to_dict("records")
    if not own:
        return Found(None, n=0, note=f"no core model of {lab} on this panel")
    low, high = (None if math.isnan(own[0][end]) else own[0][end] for end in ("low", "high"))
    return Found(own[0]["mean"], low, high, own[0]["n"])


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


def mean_corrected(panel: str, lab: str) -> list[Stress]:
    """The same mean on the corrected rows; it counts against the claim where the sign or what excludes zero is lost."""
    if panel != "published":
        return []
    before, found = mean_h(panel, lab), mean_h("corrected", lab)
    if before.value is None or found.value is None:
        return []
    zero = holds_zero_between(found)
    turned = (before.value > 0) != (found.value > 0)
    lost = zero and not holds_zero_between(before)
    says = "the interval holds zero" if zero else "the interval excludes zero"
    interval = f" [{found.low:.1f}, {found.high:.1f}]" if found.low is not None and found.high is not None else ""
    against = f"on the corrected rows the mean is {found.value:+.1f}{interval}{', and ' + says if lost else ''}"
    name = f"core models of {lab} on the corrected panel"
    return [Stress(name, found.value, says, found.low, found.high, found.n, against if turned or lost else "")]


def holds_zero_between(found: Found) -> bool:
    return found.low is not None and found.high is not None and found.low <= 0 <= found.high


def mean_over_all(panel: str, lab: str) -> list[Stress]:
    """The same mean over every model of the lab, core or not."""
    found = mean_h(panel, lab, core=False)
    against = ""
    if holds_zero_between(found):
        against = f"over all {found.n} of its models the mean is {found.value:+.1f}, and the interval holds zero"
    name = f"every model of {lab}, core or not"
    return [Stress(name, found.value, "mean h", found.low, found.high, found.n, against)]


for _id, _lab in zip(("C20", "C21", "C22", "C23"), ("Google", "OpenAI", "DeepSeek", "Anthropic"), strict=True):
    stress(_id)(partial(mean_corrected, lab=_lab))
    stress(_id)(partial(mean_over_all, lab=_lab))


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


@stress("C27")
def slopes_corrected(panel: str) -> list[Stress]:
    """The two slopes on the corrected rows, and whether all labs could share one there."""
    if panel != "published":
        return []
    table = frontier.lab_slopes(rows_of("corrected"))
    one = table.set_index("lab")["slope"]
    p = frontier.heterogeneity(table).p
    shared = (
        f"all labs could share one slope (F test, p = {p:.2g})" if p > 0.05 else f"labs differ (F test, p = {p:.2g})"
    )
    says = f"Google {one['Google']:.2f}, DeepSeek {one['DeepSeek']:.2f}; {shared}"
    against = f"on the corrected rows the slopes are {one['Google']:.2f} and {one['DeepSeek']:.2f}, and {shared}"
    name = "slope of Google over that of DeepSeek on the corrected panel"
    ratio = float(one["Google"] / one["DeepSeek"])
    return [Stress(name, ratio, says, n=len(table), against=against if p > 0.05 else "")]


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
