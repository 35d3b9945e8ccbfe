"""Chapter 07: saturation, the matrix of benchmarks, and the predictions made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.claims.c06_trend import GPQA, SWE, rows_of
from cape_lib.claims.registry import FRONTIER, STATED, claim, stress
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import pearson, score_sd

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
    margin = rows[IFEVAL].round(1) - pd.Series(frontier.critical_score(rows[GPQA], 0.97), rows.index).round(1)
    below = rows[margin < 0]
    strict = int((frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)["margin"] < 0).sum())
    note = f"below: {', '.join(below['model'])}; without rounding {strict} of {len(rows)}"
    return Result(float(len(below)), n=len(rows), note=note)


@stress("C31")
def ifeval_noise(panel: str) -> list[Stress]:
    rows = panel_rows(panel).dropna(subset=[GPQA, IFEVAL])
    placed = frontier.beside_curve(rows, ratio=0.97, x=GPQA, y=IFEVAL)
    nearest = placed.sort_values("margin", key=abs).to_dict("records")[0]
    noise = float(score_sd(nearest[IFEVAL], IFEVAL))
    says = f"the nearest model lies {nearest['margin']:+.4f} points from the curve"
    return [Stress("sampling noise of one IFEval score, standard deviation", noise, says, n=len(placed))]


@claim("C34", reads=("predictions",))
def predictions(panel: str) -> dict[str, Result]:
    """Predictions with a rule for passing and a rule for failing."""
    rows = tables.load("predictions")
    ruled = int((rows["pass_rule"].notna() & rows["fail_rule"].notna()).sum())
    both = Result(ruled == len(rows), n=len(rows), note=f"{ruled} have both rules")
    return {"predictions": Result(float(len(rows)), n=len(rows)), "each can fail": both}


@claim("C90", panels=FRONTIER)
def top_five(panel: str) -> dict[str, Result]:
    """Among the five highest SWE-bench scores: range of SWE, range of GPQA, and their ratio sigma."""
    rows = rows_of(panel)
    found = frontier.saturation(rows)
    top = frontier.top_rows(rows, SWE, also=(GPQA,))
    core = frontier.top_rows(rows[rows["subset"] == "core"], SWE, also=(GPQA,))
    note = (
        f"{', '.join(top['model'])}; among the core models alone the two ranges are "
        f"{frontier.spread(core[SWE]):.1f} and {frontier.spread(core[GPQA]):.1f}"
    )
    axes = {"SWE range": SWE, "GPQA range": GPQA}
    spreads = {name: Result(frontier.spread(top[axis]), n=len(top), note=note) for name, axis in axes.items()}
    return spreads | {"sigma": _sigma(found)}


def _sigma(found: frontier.Saturation, *, supplied: bool = False) -> Result:
    return Result(found.sigma, found.low, found.high, len(found.models), supplied=supplied)


@stress("C90")
def top_five_noise(panel: str) -> list[Stress]:
    rows = rows_of(panel)
    level = float(frontier.top_rows(rows, SWE, also=(GPQA,))[SWE].mean())
    chance = frontier.noise_spread(level, SWE)
    says = "what chance alone shows among five equally good models"
    return [Stress("range of SWE-bench from the number of questions", chance, says, n=5)]


@claim("C91", panels=FRONTIER)
def hle_spread(panel: str) -> dict[str, Result]:
    """sigma = range(GPQA) / range(HLE) among the five highest GPQA scores, and that range of HLE."""
    rows = panel_rows(panel).dropna(subset=[GPQA, HLE])
    if len(rows) < 5:
        return dict.fromkeys(("sigma", "HLE range"), Result(None, n=len(rows)))
    found = frontier.saturation(rows, old=GPQA, new=HLE)
    top = frontier.top_rows(rows, GPQA, also=(HLE,))
    wide = Result(frontier.spread(top[HLE]), n=len(top), supplied=True)
    return {"sigma": _sigma(found, supplied=True), "HLE range": wide}


@claim("C92", reads=("frontier_versions",))
def earlier_panel(panel: str) -> dict[str, Result]:
    """r = corr(SWE-bench, GPQA) over the models of the earlier panel; how many they are."""
    versions = tables.load("frontier_versions")
    script = versions[versions["source"] == "cape-scaling:scripts/swe_gpqa_coupling_v22.py"]
    rows = script.pivot(index="model", columns="benchmark", values="value").dropna()
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
        versions = tables.load("frontier_versions")
        script = versions[versions["source"] == "cape-scaling:scripts/cape_nc3_saturation.py"]
        older = script.pivot(index="model", columns="benchmark", values="value").dropna()
        found = pearson(older[GPQA], older[IFEVAL])
    else:
        found = frontier.lab_r(rows, GPQA, IFEVAL)
    with_panel, coding = frontier.lab_r(rows, GPQA, IFEVAL), frontier.lab_r(rows, SWE, IFEVAL)
    note = f"on the panel's own scores r is {with_panel.estimate:.3f} (n = {with_panel.n})"
    other = f"r with SWE-bench is {coding.estimate:.2f}"
    smaller = Result(bool(coding.estimate < found.estimate), n=coding.n, note=other)
    return {"r": Result.of(found, note, relatives=True), "less with SWE-bench": smaller}
