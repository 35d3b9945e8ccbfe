"""Chapter 02: where fighting turns to cooperating, and the curve that is said to part the two."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.base import boundary, coupling
from cape_lib.base.coupling import BONUS, TAX
from cape_lib.claims.c01_coupling import X, Y
from cape_lib.claims.c01_laws import VERSION
from cape_lib.claims.registry import BASE, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, holds_zero, stress
from cape_lib.stats import (
    Estimate,
    normal_estimate,
    percentile_interval,
    score_noise,
    seen_difference,
    seen_share,
    seen_words,
)

BATCHES = 20
#: what the table of coverage calls an interval of the vertex of several families
VERTEX = "pooled vertex"
TOO_FEW = "fewer than three sizes on this panel"


def scales(panel: str, ladder: str) -> pd.DataFrame:
    """The four estimates of one ladder's critical scale, by estimator."""
    return boundary.critical_scales(tables.ladder(ladder, panel=panel)).set_index("estimator")


def lowest_inside(panel: str, ladder: str) -> Result:
    """Size at the lowest TruthfulQA of a ladder, the lower edge of the first step that rises; not an end of it."""
    if ladder not in tables.ladders(panel):
        return Result(None, note=f"no ladder {ladder} on this panel")
    row, n = scales(panel, ladder).to_dict("index")["minimum size"], len(tables.ladder(ladder, panel=panel))
    if math.isnan(row["n_c_b"]):
        note = f"TruthfulQA is lowest at {row['raw_b']:g} B, an end of the ladder: no turn is seen"
        return Result(None, n=n, note=note)
    covers = tables.promise("critical scales", "minimum size", n=n)
    return Result(round(row["n_c_b"], 9), row["low"], row["high"], n, covers=covers)


@claim({"C47": ("OPT",), "C48": ("Cerebras-GPT",), "C50": ("BLOOM",)}, panels=BASE)
def minimum(panel: str, ladder: str) -> Attempts:
    """Size at the lowest TruthfulQA of {0}, the lower edge of the first interval with gamma > 0; not an end of it."""
    yield lowest_inside(panel, ladder)

    row = scales(panel, ladder).to_dict("index")["minimum size"]
    says = f"drawn again from score noise, {ladder} has a turn inside its sizes in {row['share']:.0%} of the draws"
    yield stress("score noise", row["share"], says, n=row["n"], lost=not row["share"] >= 0.95)


def lowest_of(rows: pd.DataFrame, note: str) -> Result:
    """Size at the lowest TruthfulQA of some rows; nothing below three."""
    if len(rows) < 3:
        return Result(None, n=len(rows), note=TOO_FEW)
    return Result(rows.sort_values(Y)["params_b"].iloc[0], n=len(rows), note=note)


def neo(panel: str) -> pd.DataFrame:
    """GPT-Neo: the three models of that name, the lowest TruthfulQA first, and which of them are larger than that."""
    frame = tables.base(panel)
    rows = frame[frame["model"].str.lower().str.contains("gpt-neo-")].sort_values(Y)
    return rows.assign(later=rows["params_b"] > rows["params_b"].head(1).max())


def lowest_neo(panel: str) -> Result:
    rows = neo(panel)
    rise = (rows[rows["later"]][Y] - rows[Y].min()).min()
    return lowest_of(rows, f"the lowest larger size lies {rise:.2f} points higher")


@claim("C49", panels=BASE)
def scale_neo(panel: str) -> Attempts:
    """Size at the lowest TruthfulQA of GPT-Neo: the three models of that name, GPT-J and GPT-NeoX aside."""
    yield lowest_neo(panel)

    rows = neo(panel)
    ends = pd.concat([rows.head(1), rows[rows["later"]].head(1)])
    if len(rows) < 3 or len(ends) < 2:
        yield stress("score noise", None)
    else:
        rise, noise = float(ends[Y].diff().iloc[1]), float(np.hypot(*score_noise(ends, Y)))
        one = normal_estimate(rise, noise, 2, method="score noise")
        says = f"the claim rests on a rise of {rise:.2f} points, where the noise of such a difference is {noise:.1f}: "
        says += holds_zero(one, scale="plain", digits=1)
        yield stress("score noise", one, says, lost=one.contains(0.0))


def falcon(panel: str) -> tuple[Result, Stress]:
    """Size at the lowest TruthfulQA of three Falcon sizes; the same within the ladder that was trained alike."""
    frame, alike, note = tables.base(panel), stress("the ladder trained alike", None), ""
    if "Falcon" in tables.ladders(panel):
        ladder = tables.ladder("Falcon", panel=panel).dropna(subset=[Y])
        lowest = float(ladder.sort_values(Y)["params_b"].iloc[0])
        end = lowest in (ladder["params_b"].min(), ladder["params_b"].max())
        sizes = ", ".join(f"{size:g}" for size in ladder["params_b"])
        note = f"within the ladder that was trained alike ({sizes} B) TruthfulQA is lowest at {lowest:g} B"
        note += ", an end of it: no turn is seen" if end else ""
        says = f"of the {len(ladder)} sizes trained alike {lowest:g} B is lowest"
        says += ", an end: no turn is seen" if end else ""
        alike = stress("the ladder trained alike", lowest, says, n=len(ladder), lost=end)
    rows = frame[(frame["family"] == "Falcon") & frame["params_b"].isin([1.0, 7.0, 40.0])]
    return lowest_of(rows, note), alike


@claim("C51", panels=BASE)
def scale_falcon(panel: str) -> Attempts:
    """Size at the lowest TruthfulQA of Falcon: 1 B, 7 B and 40 B."""
    yield from falcon(panel)


@claim("C53", panels=BASE)
def scale_range(panel: str) -> Attempts:
    """Largest over smallest critical scale of the families above that have one."""
    lowest = {name: lowest_inside(panel, name) for name in ("OPT", "Cerebras-GPT", "BLOOM")}
    lowest |= {"GPT-Neo": lowest_neo(panel), "Falcon": falcon(panel)[0]}
    sizes = {name: float(one.value) for name, one in lowest.items() if one.value is not None}
    note = ", ".join(f"{name} {size:g} B" for name, size in sizes.items())
    enough = len(sizes) > 1
    ratio = max(sizes.values()) / min(sizes.values()) if enough else None
    yield Result(ratio, n=len(sizes), note=note if enough else "")

    ladders = [name for name in ("OPT", "Cerebras-GPT", "BLOOM", "Pythia") if name in tables.ladders(panel)]
    sure = sum(scales(panel, name)["share"]["minimum size"] >= 0.95 for name in ladders)
    says = (
        f"{sure} of {len(ladders)} families has a turn inside its sizes in 95 % of the noise draws (one would have "
        f"been seen in four of five repeats where {seen_share(len(ladders)):.0%} of families have it)"
    )
    more = ": a ratio of sizes that are not known"
    yield stress("score noise", float(sure), says, n=len(ladders), lost=sure < 2, more=more)


@claim(
    {"C02": ("by any of four estimators",), "C52": ("at the lowest TruthfulQA, and an interval for it",)}, panels=BASE
)
def pythia_scale(panel: str, which: str) -> Attempts:
    """A turn from falling to rising TruthfulQA inside the Pythia sizes, {0}."""
    table, rows = scales(panel, "Pythia"), tables.ladder("Pythia", panel=panel)
    inside, gamma = table["n_c_b"].dropna(), coupling.local_coupling(rows)["gamma"]
    turns = ", ".join(f"{name} {size:.2g} B" for name, size in inside.items())
    note = (
        f"{len(inside)} of {len(table)} estimators find a turn{': ' + turns if turns else ''}; "
        f"{int((gamma > 0).sum())} of {len(gamma)} steps rise"
    )
    if which.startswith("by any"):
        # An estimator that places a turn where no step rises has fitted noise, and its value would be no boundary.
        turn = float(inside.median()) if len(inside) and (gamma > 0).any() else None
        yield Result(turn, n=len(rows), note=note)
    else:
        lowest = lowest_inside(panel, "Pythia")
        yield {"size": lowest, "low": Result(None, n=lowest.n), "high": Result(None, n=lowest.n)}

    versions = [tables.base_version(name) for name in tables.base_versions()]
    versions = [rows[rows["ladder"] == "Pythia"].dropna(subset=[X, Y]) for rows in versions]
    steps = [coupling.local_coupling(rows)["gamma"] for rows in versions if len(rows) >= 5]
    rising, n = sum(int((gamma > 0).sum()) for gamma in steps), sum(map(len, steps))
    noise = score_noise(rows, Y)
    seen = seen_words(seen_difference(float(np.median(np.hypot(noise[1:], noise[:-1])))), digits=1)
    says = f"{rising} of {n} steps of Pythia rise, in {len(steps)} versions of its scores (in points, a rise of {seen})"
    yield stress("every version of the scores", float(rising), says, n=n, lost=rising < n / 20)


def monte_carlo(draws: NDArray[np.float64], end: int) -> float:
    """Two standard errors of one end of the percentile interval, from its spread over batches of the draws.

    The published end has such an error too, so that the difference of the two has sqrt(2) times one.
    """
    ends = np.array([percentile_interval(draws[k::BATCHES])[end] for k in range(BATCHES)])
    return float(2 * math.sqrt(2) * ends.std(ddof=1) / math.sqrt(BATCHES))


@claim("C03", panels=BASE, reads=("base_panel", "base_scores"))
def pooled_scale(panel: str) -> Attempts:
    """Vertex of a quadratic TruthfulQA(log10 N) over Pythia, Llama-1 and Llama-2: median and 95 % of resampled rows."""
    # on another panel than the published one the same families with that panel's scores
    printed, frame = tables.base_version(VERSION), tables.base(panel)
    same = frame[frame["ladder"].isin(["Pythia", "Llama-1", "Llama-2"])]
    vertex = boundary.vertex_bootstrap(printed if panel == "published" else same)
    one, slack = vertex.estimate, [monte_carlo(vertex.draws, k) for k in (0, 1)]
    note = (
        f"{vertex.share:.1%} of the resamples are convex with a vertex from 10^7 to 10^12 and are kept; another seed "
        f"moves the lower end by up to {slack[0]:.2f} B and the upper by up to {slack[1]:.1f} B"
    )
    covers = tables.promise(VERTEX, "rows resampled, as published", n=one.n)
    yield {
        "median": Result(one.estimate, one.low, one.high, one.n, note, covers=covers),
        "low": Result(one.low, n=one.n, slack=slack[0]),
        "high": Result(one.high, n=one.n, slack=slack[1]),
    }

    rows = {row["method"]: row for row in boundary.vertex_intervals(printed).to_dict("records")}
    left, published = rows["one family left out"], rows["rows resampled, as published"]
    says = f"without one of its three families the vertex lies between {left['low']:.2g} and {left['high']:.2g} B"
    size = Result(left["n_c_b"], left["low"], left["high"], left["n"])
    lost = left["low"] < published["low"]
    yield stress("one family left out", size, says, lost=lost)
    for method, row in rows.items():
        if method != "one family left out":
            covers = tables.promise(VERTEX, method, n=row["n"])
            size = Result(row["n_c_b"], row["low"], row["high"], row["n"], covers=covers)
            yield stress(f"vertex in billions, {method}", size, row["reason"])


@claim("C54", panels=BASE, reads=("base_panel", "base_scores"))
def olmo(panel: str) -> Attempts:
    """gamma of OLMo-1B to OLMo-7B, its step in HellaSwag, and its TruthfulQA; in the version of the long paper."""
    rows = tables.base_version("paper_3A_long")
    if panel != "published":
        frame = tables.base(panel)
        rows = frame[frame["model"].str.lower().isin(["olmo-1b", "olmo-7b", "olmo-1b-hf", "olmo-7b-hf"])]
    step = coupling.local_coupling(rows).iloc[0]
    first, last = rows.sort_values("params_b")[Y]
    gamma = Result(step["gamma"], step["low"], step["high"], 2, f"TruthfulQA {first:.1f} and {last:.1f}")
    yield {"gamma": gamma, "HellaSwag": Result(step["dx"], n=2), "TruthfulQA": Result((first + last) / 2, n=2)}

    says = f"the noise of the four scores puts gamma between {gamma.low:.2f} and {gamma.high:.2f}"
    own = Estimate(step["gamma"], step["low"], step["high"], 2, "Fieller")
    wide, more = own.contains(TAX) or own.contains(BONUS), ": tax, transition or bonus alike"
    more += f"; {holds_zero(own, scale='plain')}"
    yield stress("score noise", own, says, lost=wide, more=more)
    for version in ("panel_63", "algebraic_script", "obsscaling"):
        step = coupling.local_coupling(tables.base_version(version).query("ladder == 'OLMo'")).iloc[0]
        other = Result(step["gamma"], step["low"], step["high"], 2)
        yield stress(f"gamma in version {version}", other, "another version of the same two models")


@claim("C29", panels=BASE)
def base_curve(panel: str) -> Attempts:
    """TQA_c = sqrt(0.187 HS), fractions: signs told right as stated (above: gamma > 0), against "always negative"."""
    table = boundary.compare_readings(tables.base(panel)).query("ladder == 'all'").set_index("reading")
    right, n = table["right"], int(table["n"].iloc[0])
    note = "; ".join(f"{name}: {row['right']} of {row['n']}" for name, row in table.to_dict("index").items())
    yield Result(right["stated"] > right["always negative"], n=n, note=note)

    sweep = boundary.ratio_sweep(tables.base(panel), [0.15, 0.17, 0.187, 0.20, 0.22])
    guess = sweep[sweep["reading"] == "always negative"].iloc[0]
    stated = sweep[sweep["reading"] == "stated"].sort_values("right", ascending=False)
    best = stated.to_dict("records")[0]
    says = f"at the best of five ratios ({best['ratio']:g}) the curve tells {best['share']:.0%} of the signs"
    says += f", the guess that each is negative {guess['share']:.0%}"
    yield stress("the best ratio", best["share"], says, n=best["n"], lost=best["share"] < guess["share"])


@claim("C55", panels=BASE)
def curve_counts(panel: str) -> Attempts:
    """Signs told right with the rule reversed (above the curve: gamma < 0), for OPT, BLOOM and Cerebras-GPT."""
    table = boundary.compare_readings(tables.base(panel)).set_index(["ladder", "reading"])
    parts, stated, guess, n = {}, 0, 0, 0
    for ladder in ("OPT", "BLOOM", "Cerebras-GPT"):
        if ladder not in table.index:
            parts[ladder] = Result(None, note=f"no ladder {ladder} on this panel")
            continue
        right, of = table["right"][ladder], int(table["n"][ladder]["stated"])
        note = f"{ladder}: of {of}; as stated {right['stated']}, always negative {right['always negative']}"
        parts[ladder] = Result(float(right["reversed"]), n=of, note=note)
        stated, guess, n = stated + int(right["stated"]), guess + int(right["always negative"]), n + of
    yield parts

    says = f"as stated the curve tells {stated} of the {n} signs of these families; to call each negative tells {guess}"
    yield stress("the rule as stated", float(stated), says, n=n, lost=stated < guess)


@claim(
    {"C57": ("the curve meets them",), "C105": ("the ratio is another than theirs",)},
    panels=("published",),
    reads=("base_panel", "base_scores"),
)
def olmo_curve(panel: str, which: str) -> Attempts:
    """The printed a/b = 0.187 and the two OLMo models: whether {0}, with the curve 100 sqrt(0.187 HS) at their mean
    HellaSwag of 69.4 percent, their TruthfulQA, and their own ratio TruthfulQA^2 / HellaSwag, as fractions."""
    rows = tables.base_version("paper_3A_long")
    mean, truth, ratio = rows[X].mean(), rows[Y].mean(), boundary.calibrate(rows)
    if which == "the curve meets them":
        curve = float(boundary.isocline(math.floor(10 * mean) / 10, 0.187)) / 100
        note = f"a/b is calibrated on these two models: with the exact {ratio:.4f} the two agree by construction"
        yield {"predicted": Result(curve, n=2, note=note), "measured": Result(truth / 100, n=2)}
    else:
        note = f"OLMo's own ratio is {ratio:.4f}; the printed one is {boundary.RATIO:g}"
        yield Result(abs(ratio - boundary.RATIO) >= 0.0005, n=2, note=note)

    apart = abs(float(boundary.isocline(mean, ratio)) - truth) / 100
    says = f"a/b = {ratio:.4f} is the ratio of these two models' own scores: with it the curve meets them exactly"
    yield stress("the exact ratio", apart, says, n=2, lost=apart < 5e-5)
