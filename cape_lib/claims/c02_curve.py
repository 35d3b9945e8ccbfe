"""Chapter 02: the curve that is said to part models that fight from models that cooperate."""

from __future__ import annotations

import math

from cape_lib import tables
from cape_lib.base import boundary
from cape_lib.claims.registry import BASE, claim, test
from cape_lib.claims.verdict import Result, Stress

X, Y = "hellaswag", "truthfulqa"


@claim("C29", panels=BASE)
def base_curve(panel: str) -> Result:
    """TQA_c = sqrt(0.187 HS), fractions: signs told right as stated (above: gamma > 0), against "always negative"."""
    table = boundary.compare_readings(tables.base(panel))
    told = table[table["ladder"] == "all"].set_index("reading")
    said = "; ".join(f"{name}: {int(told['right'][name])} of {int(told['n'][name])}" for name in told.index)
    return Result(told["right"]["stated"] > told["right"]["always negative"], n=int(told["n"].iloc[0]), note=said)


@test("the best ratio", "C29", kind="as worded")
def curve_ratio(panel: str) -> Stress:
    sweep = boundary.ratio_sweep(tables.base(panel), [0.15, 0.17, 0.187, 0.20, 0.22])
    stated = sweep[sweep["reading"] == "stated"]
    guess = sweep[sweep["reading"] == "always negative"].iloc[0]
    best = stated.sort_values("right", ascending=False).to_dict("records")[0]
    says = f"at the best of five ratios ({best['ratio']:g}) the curve tells {best['share']:.0%} of the signs"
    says += f", the guess that each is negative {guess['share']:.0%}"
    return Stress.of(
        "share of signs that the curve tells", best["share"], says, n=best["n"], lost=best["share"] < guess["share"]
    )


@test("the rule as stated", "C55", kind="as worded")
def curve_as_stated(panel: str) -> Stress:
    table = boundary.compare_readings(tables.base(panel))
    own = table[table["ladder"].isin(["OPT", "BLOOM", "Cerebras-GPT"])].groupby("reading")[["right", "n"]].sum()
    stated, guess, n = (int(own[c][r]) for c, r in (("right", "stated"), ("right", "always negative"), ("n", "stated")))
    says = f"as stated the curve tells {stated} of the {n} signs of these families; to call each negative tells {guess}"
    return Stress.of("signs that the stated rule tells", float(stated), says, n=n, lost=stated < guess)


@claim("C55", panels=BASE)
def curve_counts(panel: str) -> dict[str, Result]:
    """Signs told right with the rule reversed (above the curve: gamma < 0), for OPT, BLOOM and Cerebras-GPT."""
    table = boundary.compare_readings(tables.base(panel))
    parts = {}
    for ladder in ("OPT", "BLOOM", "Cerebras-GPT"):
        told = table[table["ladder"] == ladder].set_index("reading")
        if told.empty:
            parts[ladder] = Result(None, note=f"no ladder {ladder} on this panel")
            continue
        n = int(told["n"].iloc[0])
        stated, guess = (int(told["right"][name]) for name in ("stated", "always negative"))
        note = f"{ladder}: of {n}; as stated {stated}, always negative {guess}"
        parts[ladder] = Result(float(told["right"]["reversed"]), n=n, note=note)
    return parts


@test("the exact ratio", "C57", "C105", kind="null")
def olmo_by_construction(panel: str) -> Stress:
    rows = tables.base_version("paper_3A_long")
    ratio = boundary.calibrate(rows)
    apart = abs(float(boundary.isocline(rows[X].mean(), ratio)) - rows[Y].mean()) / 100
    says = f"a/b = {ratio:.4f} is the ratio of these two models' own scores: with it the curve meets them exactly"
    name = "distance of curve and score with the exact ratio"
    return Stress.of(name, apart, says, n=2, lost=apart < 5e-5)


@claim("C57", reads=("base_panel", "base_scores"))
def olmo_curve(panel: str) -> dict[str, Result]:
    """100 sqrt(0.187 HS) at OLMo's mean HellaSwag of 69.4 percent, as fractions; OLMo's TruthfulQA."""
    rows = tables.base_version("paper_3A_long")
    mean, truth = rows[X].mean(), rows[Y].mean()
    shortened = math.floor(10 * mean) / 10
    exact = boundary.calibrate(rows)
    note = f"a/b is calibrated on these two models: with the exact {exact:.4f} the two agree by construction"
    curve = float(boundary.isocline(shortened, 0.187)) / 100
    return {"predicted": Result(curve, n=2, note=note), "measured": Result(truth / 100, n=2)}


@claim("C105", reads=("base_panel", "base_scores"))
def olmo_before(panel: str) -> Result:
    """Whether the printed a/b = 0.187 is other than TruthfulQA^2 / HellaSwag of the two OLMo models, as fractions."""
    ratio = boundary.calibrate(tables.base_version("paper_3A_long"))
    note = f"OLMo's own ratio is {ratio:.4f}; the printed one is {boundary.RATIO:g}"
    return Result(abs(ratio - boundary.RATIO) >= 0.0005, n=2, note=note)
