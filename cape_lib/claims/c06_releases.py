"""Chapter 06: what belongs to single releases, their h, their order and what a correction makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import FIXED, GPQA, SWE, rows_of
from cape_lib.claims.registry import FRONTIER, claim, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import normal_estimate, p_text, wilson

EXCURSION = -10.0  # paper B, section 2.3: below this h a release is a coding-specialist excursion


def releases(panel: str, lab: str, *, line: frontier.FrontierLine | str | None = None) -> pd.DataFrame:
    """A lab's releases in order of date with h; by default on the unrounded line of the panel's own rows."""
    frame = tables.frontier(panel)
    return frontier.trajectories(frame, chosen=line or frontier.fit_line(rows_of(panel)), lab=lab)


def h_of(panel: str, model: str, *, line: frontier.FrontierLine | str | None = None) -> Result:
    """h of one release; its interval is that of a new model about the line."""
    frame = tables.frontier(panel)
    placed = frontier.h_field(frame, chosen=line or frontier.fit_line(rows_of(panel)))
    own = placed[placed["model"] == model].to_dict("records")
    if not own:
        return Result(None, n=0, note=f"{model} has no pair of scores on this panel")
    row = own[0]
    return Result(row["h"], row["h_low"], row["h_high"], 1, f"{model}: SWE {row[SWE]:g}, GPQA {row[GPQA]:g}")


def google_below_line(panel: str) -> tuple[dict[str, str], int]:
    """Google's releases that do not lie above the line, with h; how many releases there are."""
    own = releases(panel, "Google")
    return {row["model"]: f"{row['h']:+.1f}" for row in own[own["h"] <= 0].to_dict("records")}, len(own)


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Result:
    """h > 0 for every Google release."""
    below, n = google_below_line(panel)
    named = ", ".join(f"{model} ({h})" for model, h in below.items()) or "none"
    return Result(bool(n and not below), n=n, note=f"not above the line: {named}")


@test("every release", "C24", kind="as worded")
def google_below(panel: str) -> Stress:
    below, n = google_below_line(panel)
    says = f"{len(below)} of {n} releases lie below the line"
    against = f"{says}: {', '.join(f'{model} {h}' for model, h in below.items())}" if below else ""
    return Stress("releases of Google below the line", float(len(below)), says, n=n, against=against)


#: the line of all models, those of April 2026 too
ALL = "all models"
DEEPSEEK = {"V2.5": "DeepSeek-V2.5", "V3.2": "DeepSeek V3.2"}
OPUS = {name: f"Claude {name}" for name in ("Opus 4.6", "Opus 4.7")}


@claim({"C25": (DEEPSEEK, "the 34 models, unrounded"), "C99": (OPUS, "frozen")}, panels=FRONTIER)
@claim({"C86": (DEEPSEEK | {"V4 Pro": "DeepSeek V4 Pro"}, ALL)}, panels=FIXED)
def h_of_each(panel: str, models: dict[str, str], line: str) -> dict[str, Result]:
    """h = GPQA - (slope SWE + intercept) of each release; line: {1}."""
    lines = {"frozen": frontier.line("frozen"), ALL: frontier.fit_line(tables.frontier(panel))}
    return {name: h_of(panel, model, line=lines.get(line)) for name, model in models.items()}


@claim("C26", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def anthropic_excursion(panel: str) -> dict[str, Result]:
    """h of Claude Sonnet 4.6 and of Claude Opus 4.6; every release below -10 is followed by one above -10.

    The order is that of the makers' dates; two dates that may be the same day are no order.
    """
    dated = tables.dated_by_makers(tables.frontier(panel))
    own = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)), lab="Anthropic")
    low, later = (own["h"] < EXCURSION).to_numpy(), own["order_known"].to_numpy()
    # The last release has no next one and cannot show a recovery.
    fallen = low[:-1] & later[1:]
    fell, back = int(fallen.sum()), int((fallen & ~low[1:]).sum())
    note = f"{back} of {fell} releases below {EXCURSION:g} are followed by one above, in order of the makers' dates"
    recovered = Result(bool(fell and back == fell), n=fell, note=note)
    ends = {name: h_of(panel, f"Claude {name}") for name in ("Sonnet 4.6", "Opus 4.6")}
    return ends | {"recovers within one release": recovered}


@test(
    "the corrected row",
    {"C26": ("Claude Sonnet 4.6", False), "C25": ("DeepSeek-V2.5", True), "C86": ("DeepSeek-V2.5", True)},
    kind="corrected cell",
)
def release_corrected(panel: str, model: str, rich: bool) -> Stress | None:
    """h of the release that carries the claim: above the line (`rich`), or below the limit of an excursion."""
    now = h_of(panel, model)
    if panel != "corrected" or now.value is None:
        return None
    says = f"on the corrected rows h of {model} is {now.value:+.1f}: {reason_of(model)}"
    lost = now.value <= 0 if rich else now.value >= EXCURSION
    return Stress.of(f"h of {model}", now, says, lost=lost)


@test("order of the dates", "C26", kind="as worded")
def swing_by_date(panel: str) -> Stress:
    """Days from Sonnet 4.6 to Opus 4.6: a recovery comes after what it recovers from."""
    models = ("Claude Sonnet 4.6", "Claude Opus 4.6")
    stated = tables.dated_by_makers(tables.frontier(panel)).set_index("model")["release_date"]
    sonnet, opus = (pd.Period(stated[model]) for model in models)
    days = (opus.start_time - sonnet.start_time).days
    backwards = opus.end_time < sonnet.start_time  # two dates in one month, known to the month only, are no order
    says = f"Sonnet 4.6 is of {stated[models[0]]}, Opus 4.6 of {stated[models[1]]}"
    against = f"{says}: the recovery runs backwards in time" if backwards else ""
    return Stress("days from Sonnet 4.6 to Opus 4.6", float(days), says, n=2, against=against)


def reason_of(model: str) -> str:
    """What the audit of the published cells says about the GPQA score of a model."""
    cells = tables.load("frontier_cells")
    return str(cells[(cells["model"] == model) & (cells["benchmark"] == GPQA)]["reason"].iloc[0])


@test("shuffled order", "C25", "C26", kind="null")
def order_by_chance(panel: str) -> Stress | None:
    placed = frontier.trajectories(
        tables.dated_by_makers(tables.frontier(panel)), chosen=frontier.fit_line(rows_of(panel))
    )
    null = frontier.order_null(placed, resamples=999)
    rows = null[null["kind"] != "open"].to_dict("records")
    if not rows:
        return None
    rarest = min(rows, key=lambda row: row["p"])
    usual = f"{rarest['expected']:.1f} [{rarest['low']:.0f}, {rarest['high']:.0f}]"
    says = f"{rarest['kind']}s: {rarest['observed']:.0f} seen, {usual} in shuffled order ({p_text(rarest['p'])})"
    return Stress.of("the rarest kind of move", rarest["observed"], says, n=len(placed), lost=rarest["p"] > 0.05)


@claim("C88", panels=FRONTIER)
def compute_tier(panel: str) -> Result:
    """h of GPT-5.4 xhigh less h of GPT-5.4 standard."""
    pairs = frontier.compute_tiers(rows_of(panel)).to_dict("records")
    if not pairs:
        return Result(None, n=0, note="no pair of compute tiers on this panel")
    pair = pairs[0]
    line = frontier.fit_line(rows_of(panel))
    both = "one SWE-bench score stands in both rows" if pair["same_x"] else "each tier has its own SWE-bench score"
    return Result(pair["dy"] - line.slope * pair["dx"], pair["low"], pair["high"], 2, both)


@test("score noise", "C88", kind="noise")
def tier_noise(panel: str) -> Stress:
    one = compute_tier(panel)
    says = f"the noise of the four scores leaves {one.text}"
    return Stress.of("difference of h", one, says, lost=one.value is None or one.contains(0.0))


@test("score noise", "C99", kind="noise")
def noise_of_h(panel: str) -> Stress | None:
    placed = frontier.h_field(tables.frontier(panel), chosen="frozen").set_index("model")
    sure, models = [], ("Claude Opus 4.6", "Claude Opus 4.7")
    if not set(models) <= set(placed.index):
        return None
    for model in models:
        one = normal_estimate(placed["h"][model], placed["noise_sd"][model], 1)
        sure += [] if one.contains(0.0) else [model]
    says = f"by the number of questions alone {len(sure)} of the two lies above the line for sure"
    name = "largest standard deviation of h from noise"
    noise = float(placed.loc[list(models), "noise_sd"].max())
    return Stress(name, noise, says, n=2, against=f"{says} (noise of h: {noise:.1f})" if len(sure) < 2 else "")


def ascent(panel: str) -> tuple[int, int]:
    """Steps of OpenAI's h that rise, and all of those whose order is known."""
    dated = tables.dated_by_makers(tables.frontier(panel))
    own = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)), lab="OpenAI")
    steps = np.diff(own["h"].to_numpy(dtype=float))[own["order_known"].to_numpy()[1:]]
    return int((steps > 0).sum()), steps.size


@claim("C100", panels=FRONTIER, reads=("frontier_panel", "frontier_scores"))
def steady_ascent(panel: str) -> Result:
    """h of every OpenAI release above that of the one before, in order of the makers' dates."""
    rising, steps = ascent(panel)
    return Result(bool(steps and rising == steps), n=steps, note=f"{rising} of {steps} steps rise")


@test("steps that rise", "C100", kind="as worded")
def steps_that_rise(panel: str) -> Stress | None:
    rising, steps = ascent(panel)
    if not steps:
        return None
    share = wilson(rising, steps)
    says = f"{rising} of {steps} steps of OpenAI's h rise"
    return Stress.of("share of steps that rise", share, says, lost=share.contains(0.5))
