"""Chapter 07: saturation, the matrix of benchmarks, and the predictions made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import GPQA, SWE
from cape_lib.claims.registry import FRONTIER, STATED, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, stress
from cape_lib.stats import clustered_r, isocline, normal_estimate, pearson, score_sd, seen_difference, seen_words

HLE, IFEVAL = "hle", "ifeval"
FEWEST = 4


def rows_with(panel: str, *scores: str) -> pd.DataFrame:
    """The rows behind a number that have every one of the scores."""
    frame = tables.frontier(panel)
    return (frame if panel == "current" else frontier.frozen_rows(frame)).dropna(subset=list(scores))


@claim("C31", panels=FRONTIER)
def below_ifeval_curve(panel: str) -> Attempts:
    """Models with IFEval below 100 sqrt(0.97 GPQA / 100), both to one decimal as scores are printed."""
    rows = rows_with(panel, GPQA, IFEVAL)
    placed = frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)
    n = len(rows)
    margin = rows[IFEVAL].round(1) - pd.Series(isocline(rows[GPQA], 0.97), rows.index).round(1)
    below = rows.loc[margin < 0, "model"]
    note = f"below: {', '.join(below)}; without rounding {int((placed['margin'] < 0).sum())} of {n}"
    yield Result(float(len(below)), n=n, note=note)

    # the curve lies at 100 sqrt(0.97 GPQA / 100): noise of GPQA moves it by its slope there
    slope = placed["critical"] / (2 * placed[GPQA])
    noise = np.hypot(score_sd(placed[IFEVAL], IFEVAL), slope * score_sd(placed[GPQA], GPQA))
    margins = [normal_estimate(float(one), float(sd), 1) for one, sd in zip(placed["margin"], noise, strict=True)]
    sure = sum(one.high < 0 for one in margins)
    says = "no model of this panel has both scores"
    if n:
        seen = seen_words(seen_difference(float(np.median(noise))), digits=1)
        says = f"by the number of questions alone {sure} of {n} lies below the curve for sure (a margin of {seen})"
    yield stress("score noise", float(sure), says, n=n, lost=sure < 2)
    for ratio in (0.965, 0.97, 0.975):  # the printed ratio and half a unit of its last digit beside it
        count = float((~frontier.beside_curve(rows, ratio=ratio, x=GPQA, y=IFEVAL)["above"]).sum())
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
    yield {"predictions": Result(float(len(rows)), n=len(rows)), "each can fail": both}

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


def no_matrix() -> Stress:
    least = float(np.linalg.eigvalsh(frontier.published_matrix()).min())
    name = "smallest eigenvalue of the three printed correlations together"
    says = "negative: no set of scores has these three correlations at once, because each pair uses other models"
    return stress(name, least, says, n=3)


def coding_with(other: str) -> Stress:
    """Whether another benchmark goes with SWE-bench too, over the releases known today."""
    rows = tables.frontier("current").dropna(subset=[SWE, GPQA, other])
    reasoning, coding = (clustered_r(rows[axis], rows[other], rows["lab"], unit="labs") for axis in (GPQA, SWE))
    name = tables.label(other)
    says = f"over {len(rows)} releases {name} goes with SWE-bench at r = {coding.estimate:.2f}"
    says += f", with GPQA at {reasoning.estimate:.2f}"
    return stress("the releases since", coding, says, lost=coding.low > 0)


@claim("C92", reads=("frontier_versions",))
def earlier_panel(panel: str) -> Attempts:
    """r = corr(SWE-bench, GPQA) over the models of the earlier panel; how many they are."""
    rows = of_script("swe_gpqa_coupling_v22")
    r = Result.of(pearson(rows[SWE], rows[GPQA]), relatives=True)
    yield {"r": r, "n": Result(float(len(rows)), n=len(rows))}
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
    other = f"r with SWE-bench is {coding.estimate:.2f}"
    smaller = Result(coding.estimate < r.estimate, n=coding.n, note=other)
    yield {"r": Result.of(r, note, relatives=True), "less with SWE-bench": smaller}
    yield coding_with(IFEVAL)
