"""Chapter 06: what belongs to one lab, its mean h and its slope."""

from __future__ import annotations

import math

from cape_lib import frontier
from cape_lib.claims.c06_releases import releases
from cape_lib.claims.c06_trend import rows_of
from cape_lib.claims.registry import FRONTIER, claim, stress
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import p_text

LABS = {"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}


@claim({"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}, panels=FRONTIER)
def mean_h(panel: str, lab: str, *, core: bool = True) -> Result:
    """Mean over the core models of {0} of h = GPQA - (a SWE + b), the unrounded line of all rows of the panel."""
    rows = rows_of(panel)
    means = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel != "current")
    own = means[means["lab"] == lab].to_dict("records")
    if not own:
        return Result(None, n=0, note=f"no core model of {lab} on this panel")
    low, high = (None if math.isnan(own[0][end]) else own[0][end] for end in ("low", "high"))
    return Result(own[0]["mean"], low, high, own[0]["n"])


@stress(LABS)
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


def holds_zero_between(found: Result) -> bool:
    return found.low is not None and found.high is not None and found.low <= 0 <= found.high


@stress(LABS)
def mean_over_all(panel: str, lab: str) -> list[Stress]:
    """The same mean over every model of the lab, core or not."""
    found = mean_h(panel, lab, core=False)
    against = ""
    if holds_zero_between(found):
        against = f"over all {found.n} of its models the mean is {found.value:+.1f}, and the interval holds zero"
    name = f"every model of {lab}, core or not"
    return [Stress(name, found.value, "mean h", found.low, found.high, found.n, against)]


@claim("C27", panels=FRONTIER)
def slopes(panel: str) -> dict[str, Result]:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek."""
    parts = {}
    for lab in ("Google", "DeepSeek"):
        own = frontier.lab_slopes(rows_of(panel)).query("lab == @lab").to_dict("records")
        none = Result(None, note=f"fewer than three models of {lab}")
        parts[lab] = Result(own[0]["slope"], own[0]["low"], own[0]["high"], own[0]["n"]) if own else none
    return parts


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
    test = frontier.slope_test(rows_of("corrected"))
    p, tested = test.p, f"F test, {p_text(test.p, '')}, n = {test.n}"
    shared = f"labs differ ({tested})"
    if p > 0.05:
        shared = f"all labs could share one slope ({tested}; a spread of {test.seen:.2f} would have been seen)"
    says = f"Google {one['Google']:.2f}, DeepSeek {one['DeepSeek']:.2f}; {shared}"
    against = f"on the corrected rows the slopes are {one['Google']:.2f} and {one['DeepSeek']:.2f}, and {shared}"
    name = "slope of Google over that of DeepSeek on the corrected panel"
    ratio = float(one["Google"] / one["DeepSeek"])
    return [Stress(name, ratio, says, n=len(table), against=against if p > 0.05 else "")]


@claim("C82", panels=FRONTIER)
def within_labs(panel: str) -> Result:
    """The smallest r among the labs with at least four models."""
    table = frontier.lab_slopes(rows_of(panel), at_least=4).sort_values("r").to_dict("records")
    if not table:
        return Result(None)
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in table)
    return Result(table[0]["r"], n=table[0]["n"], note=f"smallest of {every}")


@claim("C83", panels=FRONTIER)
def labs_without_core(panel: str) -> dict[str, Result]:
    """Mean h of xAI and of Zhipu over all their rows of March 2026."""
    return {lab: mean_h(panel, lab, core=False) for lab in ("xAI", "Zhipu")}


@claim("C84", panels=FRONTIER)
def single_models(panel: str) -> dict[str, Result]:
    """h of the one core model of Alibaba, Meta, Moonshot and MiniMax."""
    return {lab: mean_h(panel, lab) for lab in ("Alibaba", "Meta", "Moonshot", "MiniMax")}


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> dict[str, Result]:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot = releases(panel, "Moonshot")["h"]
    google = mean_h(panel, "Google", core=False)
    return {"Moonshot": Result(float(moonshot.mean()), n=len(moonshot)), "Google": google}
