"""Chapter 06: what belongs to one lab, its mean h and its slope."""

from __future__ import annotations

import math

from cape_lib import frontier
from cape_lib.claims.c06_releases import releases
from cape_lib.claims.c06_trend import rows_of
from cape_lib.claims.registry import FRONTIER, claim, entry, test
from cape_lib.claims.verdict import Result, Stress, number
from cape_lib.stats import Estimate, p_text, seen_effect, seen_words

NEAR = 5.0  # points of h that paper B calls balanced
LABS = {"C20": ("Google",), "C21": ("OpenAI",), "C22": ("DeepSeek",), "C23": ("Anthropic",)}


@claim(LABS, panels=FRONTIER)  # C20, C21, C22, C23
def mean_h(panel: str, lab: str, *, core: bool = True) -> Result:
    """Mean over the core models of {0} of h = GPQA - (a SWE + b), the unrounded line of all rows of the panel."""
    rows = rows_of(panel)
    means = frontier.lab_means(rows, chosen=frontier.fit_line(rows), core_only=core and panel != "current")
    own = means[means["lab"] == lab].to_dict("records")
    if not own:
        return Result(None, n=0, note=f"no core model of {lab} on this panel")
    low, high = (None if math.isnan(own[0][end]) else own[0][end] for end in ("low", "high"))
    return Result(own[0]["mean"], low, high, own[0]["n"])


def holds_zero_of(result: Result) -> str:
    """A mean in words, and where its interval holds zero the mean that would have been seen."""
    if not result.contains(0.0):
        return result.text
    value, low, high = (float(end or 0.0) for end in (result.value, result.low, result.high))
    seen = seen_words(seen_effect(Estimate(value, low, high, result.n or 0, "t")), digits=1)
    return f"{result.text}, an interval with zero ({seen})"


@test("the corrected rows", LABS, kind="corrected cell")
def mean_corrected(panel: str, lab: str) -> Stress | None:
    """It counts against the claim where the sign, or an interval without zero, is lost."""
    before, now = mean_h("published", lab), mean_h(panel, lab)
    if panel != "corrected" or before.value is None or now.value is None:
        return None
    turned = (before.value > 0) != (now.value > 0)
    lost = now.contains(0.0) and not before.contains(0.0)
    says = f"on the corrected rows the mean of {lab} is {holds_zero_of(now)}"
    return Stress.of(f"mean h of {lab}'s core models", now, says, lost=turned or lost)


@test("no lab differs", LABS, {"C83": ("xAI", False)}, kind="null")
def mean_of_chance(panel: str, lab: str, core: bool = True) -> Stress | None:
    own = mean_h(panel, lab, core=core)
    if own.value is None:
        return None
    says = f"over {own.n} models the mean of {lab} is {holds_zero_of(own)}"
    return Stress.of(f"mean h of {lab}", own, says, lost=own.contains(0.0))


@test("every model of the lab", LABS, kind="another choice")
def mean_over_all(panel: str, lab: str) -> Stress:
    every = mean_h(panel, lab, core=False)
    says = f"over all {every.n} of its models, core or not, the mean of {lab} is {holds_zero_of(every)}"
    return Stress.of(f"mean h of every model of {lab}", every, says, lost=every.contains(0.0))


@claim("C27", panels=FRONTIER)
def slopes(panel: str) -> dict[str, Result]:
    """Least-squares slope of GPQA on SWE over all models of Google and of DeepSeek."""
    parts = {}
    for lab in ("Google", "DeepSeek"):
        own = frontier.lab_slopes(rows_of(panel)).query("lab == @lab").to_dict("records")
        none = Result(None, note=f"fewer than three models of {lab}")
        parts[lab] = Result(own[0]["slope"], own[0]["low"], own[0]["high"], own[0]["n"]) if own else none
    return parts


@test("the corrected rows", "C27", kind="corrected cell")
def slopes_corrected(panel: str) -> Stress | None:
    """The ratio of the two slopes, and whether all labs could share one."""
    if panel != "corrected":
        return None
    table = frontier.lab_slopes(rows_of(panel))
    one, alike = table.set_index("lab")["slope"], frontier.slope_test(rows_of(panel))
    tested = f"F test, {p_text(alike.p, '')}, n = {alike.n}"
    says = f"on the corrected rows the slopes are {one['Google']:.2f} and {one['DeepSeek']:.2f}; "
    shared = f"all labs could share one ({tested}; a spread of {alike.seen:.2f} would have been seen)"
    says += shared if alike.p > 0.05 else f"labs differ ({tested})"
    ratio = float(one["Google"] / one["DeepSeek"])
    name = "slope of Google over that of DeepSeek"
    return Stress.of(name, ratio, says, n=len(table), lost=alike.p > 0.05)


@claim("C82", panels=FRONTIER)
def within_labs(panel: str) -> Result:
    """The smallest r among the labs with at least four models."""
    table = frontier.lab_slopes(rows_of(panel), at_least=4).sort_values("r").to_dict("records")
    if not table:
        return Result(None)
    every = ", ".join(f"{row['lab']} {row['r']:.3f}" for row in table)
    return Result(table[0]["r"], n=table[0]["n"], note=f"smallest of {every}")


@test("the bound as printed", "C82", kind="as worded")
def smallest_within(panel: str) -> Stress:
    least = within_labs(panel)
    says = f"the smallest is {number(least.value, '0.87')}"
    against = f"{says}, not above 0.87; {least.note}" if float(least.value or 0.0) <= 0.87 else ""
    return Stress("smallest r within a lab", least.value, says, n=least.n, against=against)


@claim({"C83": (("xAI", "Zhipu"), False), "C84": (("Alibaba", "Meta", "Moonshot", "MiniMax"), True)}, panels=FRONTIER)
def means_of(panel: str, labs: tuple[str, ...], core: bool) -> dict[str, Result]:
    """Mean over the models of {0} of h on the unrounded line of all rows of the panel; core models alone: {1}."""
    return {lab: mean_h(panel, lab, core=core) for lab in labs}


@test("the corrected rows", "C84", kind="corrected cell")
def single_corrected(panel: str) -> Stress | None:
    if panel != "corrected":
        return None
    means = means_of(panel, *entry("C84").arguments)
    h = {lab: float(one.value) for lab, one in means.items() if one.value is not None}
    lab, far = max(h.items(), key=lambda item: abs(item[1]))
    says = f"on the corrected rows the one farthest from the line is {lab}'s, at {far:+.1f}"
    return Stress.of(f"h of {lab}'s model", far, says, n=len(h), lost=abs(far) > NEAR)


@claim("C85", panels=FRONTIER)
def wider_means(panel: str) -> dict[str, Result]:
    """Mean h of Moonshot with its later release, and of Google with its extended row."""
    moonshot = releases(panel, "Moonshot")["h"]
    google = mean_h(panel, "Google", core=False)
    return {"Moonshot": Result(float(moonshot.mean()), n=len(moonshot)), "Google": google}


@test("its own rows", "C85", kind="as worded")
def google_with_extended(panel: str) -> Stress:
    google = wider_means(panel)["Google"]
    says = f"with its extended row Google's mean is {google.text}"
    away = abs(float(google.value or 0.0) - 5.1) > 0.05
    return Stress.of("mean h of Google, all rows", google, says, against=f"{says}, not +5.1" if away else "")
