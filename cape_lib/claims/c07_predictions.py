"""Chapter 07: saturation, the matrix of benchmarks, and the predictions made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import GPQA, SWE
from cape_lib.claims.registry import FRONTIER, STATED, claim, stress, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import clustered_r, isocline, normal_estimate, pearson, score_sd, seen_difference, seen_words

HLE, IFEVAL = "hle", "ifeval"
FEWEST = 4


def panel_rows(panel: str) -> pd.DataFrame:
    frame = tables.frontier(panel)
    return frame if panel == "current" else frontier.frozen_rows(frame)


def r_between(panel: str, x: str, y: str) -> Result:
    """r of two benchmarks over the models of a panel that have both; nothing below four."""
    rows = panel_rows(panel).dropna(subset=[x, y])
    if len(rows) < FEWEST:
        return Result(None, n=len(rows), note=f"{len(rows)} models of this panel have both scores")
    return Result.of(frontier.lab_r(rows, x, y), supplied=True, relatives=True)


@claim("C31", panels=FRONTIER)
def below_ifeval_curve(panel: str) -> Result:
    """Models with IFEval below 100 sqrt(0.97 GPQA / 100), both to one decimal as scores are printed."""
    rows = panel_rows(panel).dropna(subset=[GPQA, IFEVAL])
    margin = rows[IFEVAL].round(1) - pd.Series(isocline(rows[GPQA], 0.97), rows.index).round(1)
    below = rows[margin < 0]
    strict = int((frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)["margin"] < 0).sum())
    note = f"below: {', '.join(below['model'])}; without rounding {strict} of {len(rows)}"
    return Result(float(len(below)), n=len(rows), note=note)


@test("score noise", "C31", kind="noise")
def ifeval_noise(panel: str) -> Stress:
    rows = panel_rows(panel).dropna(subset=[GPQA, IFEVAL])
    placed = frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)
    # the curve lies at 100 sqrt(0.97 GPQA / 100): noise of GPQA moves it by its slope there
    slope = placed["critical"] / (2 * placed[GPQA])
    noise = np.hypot(score_sd(placed[IFEVAL], IFEVAL), slope * score_sd(placed[GPQA], GPQA))
    margins = [normal_estimate(float(margin), float(sd), 1) for margin, sd in zip(placed["margin"], noise, strict=True)]
    sure = sum(margin.high < 0 for margin in margins)
    seen = seen_words(seen_difference(float(np.median(noise))), digits=1)
    says = (
        f"by the number of questions alone {sure} of {len(placed)} lies below the curve for sure (a margin of {seen})"
    )
    return Stress.of("models below for sure", float(sure), says, n=len(placed), lost=sure < 2)


@stress("C31")
def ifeval_without_rounding(panel: str) -> list[Stress]:
    """The count on scores as they are, at the printed ratio and half a unit of its last digit beside it."""
    rows = panel_rows(panel).dropna(subset=[GPQA, IFEVAL])
    below = {
        ratio: int((~frontier.beside_curve(rows, ratio=ratio, x=GPQA, y=IFEVAL)["above"]).sum())
        for ratio in (0.965, 0.97, 0.975)
    }
    says = f"of {len(rows)}, no score rounded"
    return [
        Stress.of(f"models below at the ratio {ratio:g}", float(k), says, n=len(rows)) for ratio, k in below.items()
    ]


@claim("C34", reads=("predictions",))
def predictions(panel: str) -> dict[str, Result]:
    """Predictions with a rule for passing and a rule for failing."""
    rows = tables.load("predictions")
    ruled = int((rows["pass_rule"].notna() & rows["fail_rule"].notna()).sum())
    both = Result(ruled == len(rows), n=len(rows), note=f"{ruled} have both rules")
    return {"predictions": Result(float(len(rows)), n=len(rows)), "each can fail": both}


@test("a rule that can fail", "C34", kind="as worded")
def fail_rule_met(panel: str) -> Stress:
    """Prediction 1 fails where the five highest SWE-bench scores lie more than 5 points apart."""
    top = frontier.top_rows(tables.frontier("current"), SWE, also=(GPQA,))
    spread = frontier.spread(top[SWE])
    says = f"of the releases known today the top five lie {spread:.1f} points apart on SWE-bench: prediction 1 can fail"
    against = "" if spread > 5 else "no rule for failing is met by any release known today"
    return Stress("range of the five highest SWE-bench scores", spread, says, n=len(top), against=against)


@claim(
    {"C90": (SWE, GPQA, {"SWE range": SWE, "GPQA range": GPQA}), "C91": (GPQA, HLE, {"HLE range": HLE})},
    panels=FRONTIER,
)
def top_five(panel: str, old: str, new: str, ranges: dict[str, str]) -> dict[str, Result]:
    """Among the five highest {0}: the ranges (max - min), and sigma = range({0}) / range({1})."""
    rows, supplied = panel_rows(panel).dropna(subset=[old, new]), old != SWE
    if len(rows) < 5:
        return dict.fromkeys(("sigma", *ranges), Result(None, n=len(rows)))
    found, top = frontier.saturation(rows, old=old, new=new), frontier.top_rows(rows, old, also=(new,))
    note = ""
    if old == SWE:
        core = frontier.top_rows(rows[rows["subset"] == "core"], old, also=(new,))
        alone = " and ".join(f"{frontier.spread(core[axis]):.1f}" for axis in (old, new))
        note = f"{', '.join(top['model'])}; among the core models alone the two ranges are {alone}"
    parts = {
        name: Result(frontier.spread(top[axis]), n=len(top), note=note, supplied=supplied)
        for name, axis in ranges.items()
    }
    return parts | {"sigma": Result(found.sigma, found.low, found.high, len(found.models), supplied=supplied)}


@test("the releases since", "C90", kind="as worded")
def top_five_today(panel: str) -> Stress:
    top = frontier.top_rows(tables.frontier("current"), SWE, also=(GPQA,))
    spread, chance = frontier.spread(top[SWE]), frontier.noise_spread(float(top[SWE].mean()), SWE)
    says = f"today the five highest lie {spread:.1f} points apart on SWE-bench, where chance makes {chance:.1f}"
    against = f"{says}: it tells them apart" if spread > chance else ""
    return Stress("range of the five highest SWE-bench scores", spread, says, n=len(top), against=against)


@test("the releases since", "C91", kind="as worded")
def hle_today(panel: str) -> Stress:
    rows = tables.frontier("current").dropna(subset=[GPQA, HLE])
    top = frontier.top_rows(rows, GPQA, also=(HLE,))
    spread, chance = frontier.spread(top[HLE]), frontier.noise_spread(float(top[HLE].mean()), HLE)
    says = f"today the five highest on GPQA lie {spread:.1f} points apart on HLE, where chance makes {chance:.1f}"
    return Stress.of("range of HLE among the top five", spread, says, n=len(top), lost=spread <= chance)


def of_script(name: str) -> pd.DataFrame:
    """Scores as a figure script of the papers has them, a column a benchmark, models with all of them."""
    versions = tables.load("frontier_versions")
    script = versions[versions["source"] == f"cape-scaling:scripts/{name}.py"]
    return script.pivot(index="model", columns="benchmark", values="value").dropna()


@claim("C92", reads=("frontier_versions",))
def earlier_panel(panel: str) -> dict[str, Result]:
    """r = corr(SWE-bench, GPQA) over the models of the earlier panel; how many they are."""
    rows = of_script("swe_gpqa_coupling_v22")
    r = Result.of(pearson(rows[SWE], rows[GPQA]), relatives=True)
    return {"r": r, "n": Result(float(len(rows)), n=len(rows))}


@claim("C93", panels=FRONTIER)
def hle_pairs(panel: str) -> dict[str, Result]:
    """r = corr(GPQA, HLE) and r = corr(SWE-bench, HLE)."""
    return {"GPQA, HLE": r_between(panel, GPQA, HLE), "SWE, HLE": r_between(panel, SWE, HLE)}


@stress("C92", "C93")
def no_matrix(panel: str) -> list[Stress]:
    printed = frontier.published_matrix()
    return [
        Stress(
            "smallest eigenvalue of the three printed correlations together",
            float(np.linalg.eigvalsh(printed).min()),
            "negative: no set of scores has these three correlations at once, because each pair uses other models",
            n=3,
        )
    ]


@claim("C94", panels=STATED, reads=("frontier_panel", "frontier_versions"))
def ifeval_pair(panel: str) -> dict[str, Result]:
    """r = corr(GPQA, IFEval), the GPQA score of MiniMax M2.5 as in the figure script; r of SWE-bench is smaller."""
    rows = panel_rows(panel).dropna(subset=[GPQA, IFEVAL, SWE])
    if panel == "published":
        older = of_script("cape_nc3_saturation")
        found = pearson(older[GPQA], older[IFEVAL])
    else:
        found = frontier.lab_r(rows, GPQA, IFEVAL)
    with_panel, coding = frontier.lab_r(rows, GPQA, IFEVAL), frontier.lab_r(rows, SWE, IFEVAL)
    note = f"on the panel's own scores r is {with_panel.estimate:.3f} (n = {with_panel.n})"
    other = f"r with SWE-bench is {coding.estimate:.2f}"
    smaller = Result(bool(coding.estimate < found.estimate), n=coding.n, note=other)
    return {"r": Result.of(found, note, relatives=True), "less with SWE-bench": smaller}


@test("the releases since", {"C94": (IFEVAL,), "C93": (HLE,)}, kind="as worded")
def coding_with(panel: str, other: str) -> Stress:
    rows = tables.frontier("current").dropna(subset=[SWE, GPQA, other])
    reasoning, coding = (clustered_r(rows[axis], rows[other], rows["lab"], unit="labs") for axis in (GPQA, SWE))
    name = tables.label(other)
    says = f"over {len(rows)} releases {name} goes with SWE-bench at r = {coding.estimate:.2f}"
    says += f", with GPQA at {reasoning.estimate:.2f}"
    return Stress.of(f"r of SWE-bench and {name}", coding, says, lost=coding.low > 0)
