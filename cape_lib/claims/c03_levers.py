"""Chapter 03: width, curation and the scale that they are said to be worth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling, levers
from cape_lib.claims.c01_coupling import X, Y
from cape_lib.claims.registry import BASE, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, stress
from cape_lib.stats import pearson, pearson_rows

#: The five families that paper A normalises, as ladders of the tables.
TESTED = ("Pythia", "GPT-Neo/J/NeoX", "Cerebras-GPT", "BLOOM", "OPT")


def widths(panel: str, ladder: str) -> pd.DataFrame:
    """A ladder's rows with a width and both scores; none where the panel has no such ladder."""
    frame = tables.base(panel)
    return frame[frame["ladder"] == ladder].dropna(subset=[X, Y, "d_model"]).sort_values("params_b")


def before_and_after(rows: pd.DataFrame, note: str = "") -> dict[str, Result]:
    """r of the two scores, and r after dividing both by d_model / 512."""
    if len(rows) < 3:
        few = Result(None, n=len(rows), note="fewer than three widths on this panel")
        return {"plain": few, "divided": few}
    wide = levers.normalise(rows)
    divided = pearson(wide["x_normalised"], wide["y_normalised"])
    return {"plain": Result.of(pearson(wide[X], wide[Y]), note), "divided": Result.of(divided, note)}


def nearest_subset(rows: pd.DataFrame, printed: tuple[float, ...]) -> str:
    """Which three or more sizes of a ladder come nearest to two printed values, and what they give."""
    if len(rows) < 3:
        return ""
    wide = levers.normalise(rows)
    chosen = np.array([mask for mask in product((0.0, 1.0), repeat=len(rows)) if sum(mask) >= 3])
    plain, divided = (
        pearson_rows(wide[first].to_numpy(dtype=float), wide[second].to_numpy(dtype=float), chosen)
        for first, second in ((X, Y), ("x_normalised", "y_normalised"))
    )
    best = int(np.nanargmin(np.abs(plain - printed[0]) + np.abs(divided - printed[1])))
    named = ", ".join(rows["model"].to_numpy()[chosen[best] > 0])
    return f"of all subsets of three or more, {named} come nearest: {plain[best]:.4f} to {divided[best]:.4f}"


def shuffled(panel: str, *ladders: str) -> Stress:
    """r after division by width of the same scores, each shuffled over the sizes: no coupling is left in them."""
    rows = {name: widths(panel, name) for name in ladders}
    nulls = {name: levers.width_normalised(own) for name, own in rows.items() if len(own) > 2}
    name, least = min(nulls.items(), key=lambda item: item[1].share_positive)
    family = f"of {len(nulls)} families {name} least often" if len(nulls) > 1 else name
    says = f"shuffled scores over width have r > 0 in {least.share_positive:.0%} of the draws ({family})"
    # what chance does more often than one time in twenty is no evidence
    return stress("shuffled scores", least.null, says, lost=least.share_positive > 0.05)


#: Claim -> the family, the size that the paper leaves out of it, and the two values that no reading of it gives.
WIDTHS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "C08": ("Pythia", "none", ()),
    "C09": ("GPT-Neo/J/NeoX", "2.7", ()),
    "C10": ("Cerebras-GPT", "2.7", ()),
    "C11": ("BLOOM", "none", (-0.981, 0.995)),
    "C12": ("OPT", "none", (-0.428, 0.926)),
}


@claim(WIDTHS, panels=BASE)  # C08, C09, C10, C11, C12
def width(panel: str, ladder: str, left_out: str, printed: tuple[float, ...]) -> Attempts:
    """r over the sizes of {0}, plain and with both scores divided by d_model / 512; left out: {1} (billions)."""
    rows = widths(panel, ladder)
    own = rows[~rows["model"].str.contains(left_out, regex=False)]
    note = nearest_subset(rows, printed) if printed else ""
    plain, divided = before_and_after(rows).values()
    if len(own) < len(rows) and plain.value is not None:
        note = f"with all {len(rows)} sizes: {plain.value:.3f} to {divided.value:.3f}"
    yield before_and_after(own, note)
    yield shuffled(panel, ladder)


@claim({"C07": ("how many have r < 0 and",), "C40": ("whether each has,",)}, panels=BASE)
def width_families(panel: str, which: str) -> Attempts:
    """Of five families: {0} after dividing both scores by d_model / 512, r > 0."""
    pairs = [before_and_after(widths(panel, name)).values() for name in TESTED]
    known = [(float(a.value), float(b.value)) for a, b in pairs if a.value is not None and b.value is not None]
    flipped, after = sum(plain < 0 < wide for plain, wide in known), [wide for _, wide in known]
    n = len(known)
    if which.startswith("how many"):
        yield {"flipped": Result(float(flipped), n=n), "of": Result(float(n), n=n)}
    else:
        yield Result(min(after) > 0, n=n, note=f"smallest r after division: {min(after):.3f}")
    yield shuffled(panel, *TESTED)


def other_readings(panel: str) -> list[Stress]:
    """The equivalent scale read at another axis."""
    tried = []
    for reading in ("y", "residual"):
        scale = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading=reading))
        bounded = np.isfinite(scale.estimate)
        says = "unbounded: for most curated models no web-trained size of the panel gets there"
        says = "the reading decides the number" if bounded else says
        tried.append(stress(f"equivalent scale at {levers.READINGS[reading]}", scale, says))
    return tried


@claim("C05", panels=BASE)
def phi_coupling(panel: str) -> Attempts:
    """gamma of the smallest step between Phi models, beside those of web-trained ladders whose step spans 10 B."""
    frame = tables.base(panel)
    phi = frame[frame["model"].str.lower().isin(["phi-1.5", "phi-1_5", "phi-2"])]
    step = coupling.local_coupling(phi).iloc[0]
    web = coupling.local_couplings(frame[frame["training"] == "web"])
    at = web[(web["params_b_low"] < 10) & (web["params_b_high"] > 10)]["gamma"]
    note = (
        f"the smallest step of Phi, {step['params_b_low']:g} to {step['params_b_high']:g} B; "
        f"{len(at)} web-trained steps span 10 B, from {at.min():.2f} to {at.max():.2f}"
    )
    yield Result(step["gamma"], step["low"], step["high"], 2, note)
    yield from other_readings(panel)


@claim("C06", panels=BASE)
def ten_times(panel: str) -> Attempts:
    """Median over curated models of (web-trained size with the same HellaSwag score) / (own size)."""
    scale = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading="x"))
    yield Result.of(scale, "one of several readings of a unit that is not defined")
    yield from other_readings(panel)


@claim("C70")
def minimum_curation(panel: str) -> Attempts:
    """h_c = ((N_c - N) / N_c)^1.5 with N_c = 3.5, in percent, at N = 1 and N = 3 billion; whether models need it."""
    note = "the exponent was set, not fitted, and no training run has tested it"
    yield {f"{size} B": Result(100 * levers.minimum_curation(size), note=note) for size in (1, 3)}
    for end in (2.9, 13.4):
        share = 100 * levers.minimum_curation(1.0, critical_b=end)
        yield stress(f"percent at 1 B with N_c = {end:g} B", share, "an end of the published interval of N_c")
