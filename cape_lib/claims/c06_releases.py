"""Chapter 06: what belongs to single releases, their h, their order and what a correction makes of them."""

from __future__ import annotations

import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import FIXED, GPQA, SWE, rows_of
from cape_lib.claims.registry import FRONTIER, claim, stress
from cape_lib.claims.verdict import Result, Stress

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


@claim("C24", panels=FRONTIER)
def google_always(panel: str) -> Result:
    """h > 0 for every Google release."""
    own = releases(panel, "Google")
    below = own[own["h"] <= 0]
    named = ", ".join(f"{row['model']} ({row['h']:+.1f})" for row in below.to_dict("records")) or "none"
    return Result(bool(len(own) and below.empty), n=len(own), note=f"not above the line: {named}")


@claim("C25", panels=FRONTIER)
def deepseek_reversal(panel: str) -> dict[str, Result]:
    """h of DeepSeek-V2.5 and of DeepSeek V3.2."""
    return {"V2.5": h_of(panel, "DeepSeek-V2.5"), "V3.2": h_of(panel, "DeepSeek V3.2")}


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


@stress("C26")
def swing_by_date_and_score(panel: str) -> list[Stress]:
    """Which of the two releases of the swing came first, and where Sonnet 4.6 lies on the corrected rows."""
    if panel != "published":
        return []
    models = ("Claude Sonnet 4.6", "Claude Opus 4.6")
    stated = tables.dated_by_makers(tables.frontier(panel)).set_index("model")["release_date"]
    sonnet, opus = (pd.Period(stated[model]) for model in models)
    days = (opus.start_time - sonnet.start_time).days
    says = f"Sonnet 4.6 is of {stated[models[0]]}, Opus 4.6 of {stated[models[1]]}"
    backwards = opus.end_time < sonnet.start_time  # two dates in one month, known to the month only, are no order
    corrected = h_of("corrected", models[0])
    first = (
        f"by its maker's dates Opus 4.6 came out {-days} days before Sonnet 4.6, so that the recovery runs backwards "
        f"in time, and on the corrected rows Sonnet 4.6 lies at {corrected.value:+.1f}"
    )
    coding, reasoning = _pair("corrected", models[0])
    there = reasoning - float(frontier.fit_line(rows_of(panel)).at(coding))
    moved = f"{reason_of(models[0])}; with it alone changed, on the published line h is {there:+.1f}"
    gone = f"on the corrected rows Sonnet 4.6 lies at {corrected.value:+.1f}"
    fallen = corrected.value is not None and corrected.value < EXCURSION
    return [
        Stress("days from Sonnet 4.6 to Opus 4.6", days, says, n=2, against=first if backwards else ""),
        _stressed("h of Claude Sonnet 4.6 on the corrected panel", corrected, moved, "" if fallen else gone),
    ]


def reason_of(model: str) -> str:
    """What the audit of the published cells says about the GPQA score of a model."""
    cells = tables.load("frontier_cells")
    return str(cells[(cells["model"] == model) & (cells["benchmark"] == GPQA)]["reason"].iloc[0])


def _pair(panel: str, model: str) -> tuple[float, float]:
    frame = tables.frontier(panel)
    own = frame[frame["model"] == model]
    return float(own[SWE].iloc[0]), float(own[GPQA].iloc[0])


def _stressed(name: str, found: Result, says: str, against: str) -> Stress:
    return Stress(name, found.value, says, found.low, found.high, found.n, against)


@stress("C25")
def reversal_corrected(panel: str) -> list[Stress]:
    """h of the two ends of the reversal on the corrected rows."""
    if panel != "published":
        return []
    tried = []
    for model in ("DeepSeek-V2.5", "DeepSeek V3.2"):
        before, found, reason = h_of(panel, model), h_of("corrected", model), reason_of(model)
        turned = before.value is not None and found.value is not None and (before.value > 0) != (found.value > 0)
        against = f"{reason}; on the corrected rows h of {model} is {found.value:+.1f}" if turned else ""
        tried.append(_stressed(f"h of {model} on the corrected panel", found, reason, against))
    return tried


@stress("C25", "C26")
def order_by_chance(panel: str) -> list[Stress]:
    dated = tables.dated_by_makers(tables.frontier(panel))
    placed = frontier.trajectories(dated, chosen=frontier.fit_line(rows_of(panel)))
    null = frontier.order_null(placed, resamples=999)
    tried = []
    for row in null[null["kind"] != "open"].to_dict("records"):
        usual = f"{row['expected']:.1f} [{row['low']:.0f}, {row['high']:.0f}]"
        says = f"releases in shuffled order show {usual}, p = {row['p']:.2g}"
        seen = f"{row['kind']}s like this are as frequent in shuffled order ({row['observed']:.0f} seen, usual {usual})"
        against = seen if row["p"] > 0.05 else ""
        tried.append(Stress(f"{row['kind']}s in all labs", row["observed"], says, n=len(placed), against=against))
    return tried


@claim("C86", panels=FIXED)
def deepseek_refit(panel: str) -> dict[str, Result]:
    """h of DeepSeek-V2.5, V3.2 and V4 Pro on the line of all 39 models."""
    line = frontier.fit_line(tables.frontier(panel))
    models = {"V2.5": "DeepSeek-V2.5", "V3.2": "DeepSeek V3.2", "V4 Pro": "DeepSeek V4 Pro"}
    return {name: h_of(panel, model, line=line) for name, model in models.items()}


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


@claim("C99", panels=FRONTIER)
def rounded_h(panel: str) -> dict[str, Result]:
    """h = GPQA - (0.513 SWE + 46.4) of Claude Opus 4.6 and of Claude Opus 4.7."""
    return {name: h_of(panel, f"Claude {name}", line="frozen") for name in ("Opus 4.6", "Opus 4.7")}


@stress("C99", "C88")
def noise_of_h(panel: str) -> list[Stress]:
    sd = frontier.h_field(tables.frontier(panel), chosen="frozen")["noise_sd"]
    says = "median; from the number of questions alone"
    return [Stress("sampling noise of one h, standard deviation", float(sd.median()), says, n=len(sd))]
