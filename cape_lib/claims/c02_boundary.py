"""Chapter 02: where fighting turns to cooperating, and the curve that is said to part the two."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.base import boundary, coupling
from cape_lib.claims.registry import BASE, claim, stress
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import percentile_interval

Floats = NDArray[np.float64]
X, Y = "hellaswag", "truthfulqa"
#: The version of the scores and the rows behind the published vertex.
VERSION = "bootstrap_script"
BATCHES = 20
#: what the table of coverage calls an interval of the vertex of several families
VERTEX = "pooled vertex"


def scales(panel: str, ladder: str) -> pd.DataFrame:
    """The four estimates of one ladder's critical scale, by estimator."""
    return boundary.critical_scales(tables.ladder(ladder, panel=panel)).set_index("estimator")


@claim({"C47": ("OPT",), "C48": ("Cerebras-GPT",), "C50": ("BLOOM",)}, panels=BASE)
def minimum(panel: str, ladder: str) -> Result:
    """Size at the lowest TruthfulQA of {0}, the lower edge of the first interval with gamma > 0; not an end of it."""
    if ladder not in tables.ladders(panel):
        return Result(None, note=f"no ladder {ladder} on this panel")
    row, rows = scales(panel, ladder).to_dict("index")["minimum size"], tables.ladder(ladder, panel=panel)
    if math.isnan(row["n_c_b"]):
        note = f"TruthfulQA is lowest at {row['raw_b']:g} B, an end of the ladder: no turn is seen"
        return Result(None, n=len(rows), note=note)
    kept = tables.promise("critical scales", "minimum size", n=len(rows))
    return Result(round(row["n_c_b"], 9), row["low"], row["high"], len(rows), kept=kept)


def pooled_vertex(panel: str) -> boundary.VertexBootstrap:
    """The published bootstrap; on another panel over the same families with that panel's scores."""
    if panel == "published":
        return boundary.vertex_bootstrap(tables.base_version(VERSION))
    frame = tables.base(panel)
    return boundary.vertex_bootstrap(frame[frame["ladder"].isin(["Pythia", "Llama-1", "Llama-2"])])


def monte_carlo(draws: Floats, end: int) -> float:
    """Two standard errors of one end of the percentile interval, from its spread over batches of the draws.

    The published end has such an error too, so that the difference of the two has sqrt(2) times one.
    """
    ends = np.array([percentile_interval(draws[k::BATCHES])[end] for k in range(BATCHES)])
    return float(2 * math.sqrt(2) * ends.std(ddof=1) / math.sqrt(BATCHES))


@claim("C02", panels=BASE)
def pythia_scale(panel: str) -> Result:
    """A turn from falling to rising TruthfulQA inside the Pythia sizes, by any of four estimators."""
    found = scales(panel, "Pythia")
    inside = found["n_c_b"].dropna()
    said = ", ".join(f"{name} {size:.2g} B" for name, size in inside.items())
    rows = tables.ladder("Pythia", panel=panel)
    steps = coupling.local_coupling(rows)["gamma"]
    note = (
        f"{len(inside)} of {len(found)} estimators find a turn{': ' + said if said else ''}; "
        f"{int((steps > 0).sum())} of {len(steps)} steps rise"
    )
    # An estimator that places a turn where no step rises has fitted noise, and its value would be no boundary.
    value = float(inside.median()) if len(inside) and (steps > 0).any() else None
    return Result(value, n=len(rows), note=note)


@stress("C02", "C52")
def pythia_versions(panel: str) -> list[Stress]:
    rising = steps = versions = 0
    for version in tables.base_versions():
        rows = tables.base_version(version)
        rows = rows[rows["ladder"] == "Pythia"].dropna(subset=[X, Y])
        if len(rows) >= 5:
            gamma = coupling.local_coupling(rows)["gamma"]
            rising, steps, versions = rising + int((gamma > 0).sum()), steps + len(gamma), versions + 1
    says = f"{versions} versions of the ladder with five sizes or more"
    return [Stress("steps of Pythia with gamma > 0, over all versions of its scores", float(rising), says, n=steps)]


@claim("C03", panels=BASE, reads=("base_panel", "base_scores"))
def pooled_scale(panel: str) -> dict[str, Result]:
    """Vertex of a quadratic TruthfulQA(log10 N) over Pythia, Llama-1 and Llama-2: median and 95 % of resampled rows."""
    found = pooled_vertex(panel)
    one = found.estimate
    slack = [monte_carlo(found.draws, k) for k in (0, 1)]
    note = (
        f"{found.kept:.1%} of the resamples are convex with a vertex from 10^7 to 10^12 and are kept; another seed "
        f"moves the lower end by up to {slack[0]:.2f} B and the upper by up to {slack[1]:.1f} B"
    )
    kept = tables.promise(VERTEX, "rows resampled, as published", n=one.n)
    middle = Result(one.estimate, one.low, one.high, one.n, note, kept=kept)
    low, high = (Result(end, n=one.n, slack=slack[k]) for k, end in enumerate((one.low, one.high)))
    return {"median": middle, "low": low, "high": high}


@stress("C03")
def other_intervals(panel: str) -> list[Stress]:
    rows = boundary.vertex_intervals(tables.base_version(VERSION)).to_dict("records")
    tried = []
    for row in rows:
        low, high = (None if math.isnan(row[end]) else row[end] for end in ("low", "high"))
        # the first row is the interval as published
        moved = row["method"] == "one family left out" and low is not None and low < rows[0]["low"]
        against = f"leave out one of its three families and it lies between {low:.2g} and {high:.2g} B" if moved else ""
        name = f"vertex in billions, {row['method']}"
        kept = "" if row["method"] == "one family left out" else tables.promise(VERTEX, row["method"], n=row["n"])
        tried.append(Stress(name, row["n_c_b"], row["reason"], low, high, row["n"], against, kept))
    return tried


@claim("C29", panels=BASE)
def base_curve(panel: str) -> Result:
    """TQA_c = sqrt(0.187 HS), fractions: signs told right as stated (above: gamma > 0), against "always negative"."""
    table = boundary.compare_readings(tables.base(panel))
    told = table[table["ladder"] == "all"].set_index("reading")
    said = "; ".join(f"{name}: {int(told['right'][name])} of {int(told['n'][name])}" for name in told.index)
    return Result(told["right"]["stated"] > told["right"]["always negative"], n=int(told["n"].iloc[0]), note=said)


@stress("C29", "C55")
def curve_ratio(panel: str) -> list[Stress]:
    sweep = boundary.ratio_sweep(tables.base(panel), [0.15, 0.17, 0.187, 0.20, 0.22])
    stated = sweep[sweep["reading"] == "stated"]
    guess = sweep[sweep["reading"] == "always negative"].iloc[0]
    best = stated.sort_values("right", ascending=False).to_dict("records")[0]
    name = f"the stated rule at the best of five values of a/b ({best['ratio']:g}): share right"
    return [Stress(name, best["share"], f"always negative: {guess['share']:.0%}", n=best["n"])]


@claim("C49", panels=BASE)
def scale_neo(panel: str) -> Result:
    """Size at the lowest TruthfulQA of GPT-Neo: the three models of that name, GPT-J and GPT-NeoX aside."""
    frame = tables.base(panel)
    rows = frame[frame["model"].str.lower().str.contains("gpt-neo-")].sort_values("params_b")
    if len(rows) < 3:
        return Result(None, n=len(rows), note="fewer than three sizes on this panel")
    low = rows.sort_values(Y).iloc[0]
    rise = rows[rows["params_b"] > low["params_b"]][Y].min() - low[Y]
    return Result(low["params_b"], n=len(rows), note=f"the lowest larger size lies {rise:.2f} points higher")


@claim("C51", panels=BASE)
def scale_falcon(panel: str) -> Result:
    """Size at the lowest TruthfulQA of Falcon: 1 B, 7 B and 40 B."""
    frame = tables.base(panel)
    rows = frame[(frame["family"] == "Falcon") & frame["params_b"].isin([1.0, 7.0, 40.0])].sort_values("params_b")
    if len(rows) < 3:
        return Result(None, n=len(rows), note="fewer than three sizes on this panel")
    ladder = tables.ladder("Falcon", panel=panel).dropna(subset=[Y])
    lowest = float(ladder.sort_values(Y)["params_b"].iloc[0])
    end = lowest in (ladder["params_b"].min(), ladder["params_b"].max())
    sizes = ", ".join(f"{size:g}" for size in ladder["params_b"])
    note = (
        f"within the ladder that was trained alike ({sizes} B) TruthfulQA is lowest at {lowest:g} B"
        f"{', an end of it: no turn is seen' if end else ''}"
    )
    return Result(rows.sort_values(Y)["params_b"].iloc[0], n=len(rows), note=note)


@claim("C52", panels=BASE)
def scale_pythia(panel: str) -> dict[str, Result]:
    """Size at the lowest TruthfulQA of Pythia, and an interval for it."""
    lowest = minimum(panel, "Pythia")
    return {"size": lowest, "low": Result(None, n=lowest.n), "high": Result(None, n=lowest.n)}


@claim("C53", panels=BASE)
def scale_range(panel: str) -> Result:
    """Largest over smallest critical scale of the families above that have one."""
    scales = {name: minimum(panel, name) for name in ("OPT", "Cerebras-GPT", "BLOOM")}
    scales |= {"GPT-Neo": scale_neo(panel), "Falcon": scale_falcon(panel)}
    sizes = {name: float(one.value) for name, one in scales.items() if one.value is not None}
    if len(sizes) < 2:
        return Result(None, n=len(sizes))
    note = ", ".join(f"{name} {size:g} B" for name, size in sizes.items())
    return Result(max(sizes.values()) / min(sizes.values()), n=len(sizes), note=note)


@claim("C54", panels=BASE, reads=("base_panel", "base_scores"))
def olmo(panel: str) -> dict[str, Result]:
    """gamma of OLMo-1B to OLMo-7B, its step in HellaSwag, and its TruthfulQA; in the version of the long paper."""
    if panel == "published":
        rows = tables.base_version("paper_3A_long")
    else:
        frame = tables.base(panel)
        rows = frame[frame["model"].str.lower().isin(["olmo-1b", "olmo-7b", "olmo-1b-hf", "olmo-7b-hf"])]
    step = coupling.local_coupling(rows).iloc[0]
    values = rows.sort_values("params_b")[Y].tolist()
    note = f"TruthfulQA {values[0]:.1f} and {values[1]:.1f}"
    gamma = Result(step["gamma"], step["low"], step["high"], 2, note)
    return {"gamma": gamma, "HellaSwag": Result(step["dx"], n=2), "TruthfulQA": Result(sum(values) / 2, n=2)}


@stress("C54")
def olmo_versions(panel: str) -> list[Stress]:
    tried = []
    for version in ("panel_63", "algebraic_script", "obsscaling"):
        rows = tables.base_version(version)
        step = coupling.local_coupling(rows[rows["ladder"] == "OLMo"]).iloc[0]
        says = "another version of the same two models"
        tried.append(Stress(f"gamma in version {version}", step["gamma"], says, step["low"], step["high"], 2))
    return tried


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
