"""Chapter 02: where fighting turns to cooperating, and the curve that is said to part the two."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.base import boundary, coupling
from cape_lib.base.coupling.local import BONUS, TAX
from cape_lib.claims.registry import BASE, claim, stress, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import normal_estimate, percentile_interval, score_noise

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


@test("score noise", {"C47": ("OPT",), "C48": ("Cerebras-GPT",), "C50": ("BLOOM",)}, kind="noise")
def minimum_in_noise(panel: str, ladder: str) -> Stress:
    row = scales(panel, ladder).to_dict("index")["minimum size"]
    says = f"drawn again from score noise, {ladder} has a turn inside its sizes in {row['share']:.0%} of the draws"
    return Stress.of("share of noise draws with a turn", row["share"], says, n=row["n"], lost=not row["share"] >= 0.95)


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


@test("every version of the scores", "C02", "C52", kind="as worded")
def pythia_versions(panel: str) -> Stress:
    rising = steps = versions = 0
    for version in tables.base_versions():
        rows = tables.base_version(version)
        rows = rows[rows["ladder"] == "Pythia"].dropna(subset=[X, Y])
        if len(rows) >= 5:
            gamma = coupling.local_coupling(rows)["gamma"]
            rising, steps, versions = rising + int((gamma > 0).sum()), steps + len(gamma), versions + 1
    says = f"{rising} of {steps} steps of Pythia rise, in {versions} versions of its scores"
    return Stress.of("steps of Pythia with gamma > 0", float(rising), says, n=steps, lost=rising < steps / 20)


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


@test("one family left out", "C03", kind="clustered interval")
def without_a_family(panel: str) -> Stress:
    rows = boundary.vertex_intervals(tables.base_version(VERSION)).set_index("method").to_dict("index")
    left, published = rows["one family left out"], rows["rows resampled, as published"]
    low, high = left["low"], left["high"]
    says = f"without one of its three families the vertex lies between {low:.2g} and {high:.2g} B"
    against = says if low < published["low"] else ""
    return Stress("vertex, billions", left["n_c_b"], says, low, high, left["n"], against)


@stress("C03")
def other_intervals(panel: str) -> list[Stress]:
    tried = []
    for row in boundary.vertex_intervals(tables.base_version(VERSION)).to_dict("records"):
        if row["method"] == "one family left out":
            continue
        low, high = (None if math.isnan(row[end]) else row[end] for end in ("low", "high"))
        label = tables.promise(VERTEX, row["method"], n=row["n"])
        name = f"vertex in billions, {row['method']}"
        tried.append(Stress(name, row["n_c_b"], row["reason"], low, high, row["n"], kept=label))
    return tried


def neo(panel: str) -> pd.DataFrame:
    frame = tables.base(panel)
    return frame[frame["model"].str.lower().str.contains("gpt-neo-")].sort_values("params_b")


@claim("C49", panels=BASE)
def scale_neo(panel: str) -> Result:
    """Size at the lowest TruthfulQA of GPT-Neo: the three models of that name, GPT-J and GPT-NeoX aside."""
    rows = neo(panel)
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


@test("score noise", "C49", kind="noise")
def neo_in_noise(panel: str) -> Stress | None:
    rows = neo(panel)
    if len(rows) < 3:
        return None
    low = rows.sort_values(Y).iloc[0]
    later = rows[rows["params_b"] > low["params_b"]].sort_values(Y)
    if later.empty:
        return None
    rise = float(later[Y].iloc[0] - low[Y])
    noise = float(np.hypot(*score_noise(pd.DataFrame([low, later.iloc[0]]), Y)))
    one = normal_estimate(rise, noise, 2, method="score noise")
    says = f"the claim rests on a rise of {rise:.2f} points, where the noise of such a difference is {noise:.1f}"
    return Stress.of("points from the lowest to a larger size", one, says, lost=one.contains(0.0))


@test("the ladder trained alike", "C51", kind="as worded")
def falcon_alike(panel: str) -> Stress | None:
    if "Falcon" not in tables.ladders(panel):
        return None
    rows = tables.ladder("Falcon", panel=panel).dropna(subset=[Y])
    lowest = float(rows.sort_values(Y)["params_b"].iloc[0])
    end = lowest in (rows["params_b"].min(), rows["params_b"].max())
    says = f"of the {len(rows)} sizes trained alike {lowest:g} B is lowest{', an end: no turn is seen' if end else ''}"
    return Stress.of("size at the lowest TruthfulQA, billions", lowest, says, n=len(rows), lost=end)


@test("score noise", "C53", kind="noise")
def scales_in_noise(panel: str) -> Stress:
    ladders = [name for name in ("OPT", "Cerebras-GPT", "BLOOM", "Pythia") if name in tables.ladders(panel)]
    shares = {name: scales(panel, name)["share"]["minimum size"] for name in ladders}
    sure = [name for name, share in shares.items() if share >= 0.95]
    says = f"{len(sure)} of {len(shares)} families has a turn inside its sizes in 95 % of the noise draws"
    against = f"{says}: a ratio of sizes that are not known" if len(sure) < 2 else ""
    return Stress("families with a turn that noise leaves", float(len(sure)), says, n=len(shares), against=against)


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


@test("score noise", "C54", kind="noise")
def olmo_noise(panel: str) -> Stress:
    one = olmo(panel)["gamma"]
    says = f"the noise of the four scores puts gamma between {one.low:.2f} and {one.high:.2f}"
    wide = one.contains(TAX) or one.contains(BONUS)
    against = f"{says}: tax, transition or bonus alike" if wide else ""
    return Stress("gamma of OLMo", one.value, says, one.low, one.high, 2, against)


@stress("C54")
def olmo_versions(panel: str) -> list[Stress]:
    tried = []
    for version in ("panel_63", "algebraic_script", "obsscaling"):
        rows = tables.base_version(version)
        step = coupling.local_coupling(rows[rows["ladder"] == "OLMo"]).iloc[0]
        says = "another version of the same two models"
        tried.append(Stress(f"gamma in version {version}", step["gamma"], says, step["low"], step["high"], 2))
    return tried
