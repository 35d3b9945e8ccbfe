"""Chapter 03: width, curation and the scale that they are said to be worth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling, levers
from cape_lib.claims.registry import BASE, claim, stress, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import pearson, pearson_rows

#: The five families that paper A normalises, as ladders of the tables.
TESTED = ("Pythia", "GPT-Neo/J/NeoX", "Cerebras-GPT", "BLOOM", "OPT")
X, Y = "hellaswag", "truthfulqa"


def widths(panel: str, ladder: str) -> pd.DataFrame:
    """A ladder's rows with a width and both scores; none where the panel has no such ladder."""
    frame = tables.base(panel)
    return frame[frame["ladder"] == ladder].dropna(subset=[X, Y, "d_model"]).sort_values("params_b")


def before_and_after(rows: pd.DataFrame, note: str = "") -> dict[str, Result]:
    """r of the two scores, and r after dividing both by d_model / 512."""
    if len(rows) < 3:
        return dict.fromkeys(
            ("plain", "divided"), Result(None, n=len(rows), note="fewer than three widths on this panel")
        )
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


@claim("C05", panels=BASE)
def phi_coupling(panel: str) -> Result:
    """gamma of the smallest step between Phi models, beside those of web-trained ladders whose step spans 10 B."""
    frame = tables.base(panel)
    phi = frame[frame["model"].str.lower().isin(["phi-1.5", "phi-1_5", "phi-2"])]
    step = coupling.local_coupling(phi).iloc[0]
    found = coupling.local_couplings(frame[frame["training"] == "web"])
    at = found[(found["params_b_low"] < 10) & (found["params_b_high"] > 10)]["gamma"]
    note = (
        f"the smallest step of Phi, {step['params_b_low']:g} to {step['params_b_high']:g} B; "
        f"{len(at)} web-trained steps span 10 B, from {at.min():.2f} to {at.max():.2f}"
    )
    return Result(step["gamma"], step["low"], step["high"], 2, note)


@claim("C06", panels=BASE)
def ten_times(panel: str) -> Result:
    """Median over curated models of (web-trained size with the same HellaSwag score) / (own size)."""
    found = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading="x"))
    return Result.of(found, "one of several readings of a unit that is not defined")


@stress("C05", "C06")
def other_readings(panel: str) -> list[Stress]:
    tried = []
    for reading in ("y", "residual"):
        found = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading=reading, resamples=500))
        says = "unbounded: for most curated models no web-trained size of the panel gets there"
        if np.isfinite(found.estimate):
            says = "the reading decides the number"
        tried.append(Stress.of(f"equivalent scale at {levers.READINGS[reading]}", found, says))
    return tried


@claim("C07", panels=BASE)
def width_families(panel: str) -> dict[str, Result]:
    """Of five families: how many have r < 0 and, after dividing both scores by d_model / 512, r > 0."""
    pairs = [before_and_after(widths(panel, name)).values() for name in TESTED]
    known = [(float(a.value), float(b.value)) for a, b in pairs if a.value is not None and b.value is not None]
    flipped = sum(plain < 0 < wide for plain, wide in known)
    return {"flipped": Result(float(flipped), n=len(known)), "of": Result(float(len(known)), n=len(known))}


#: Claim -> the family, the size that the paper leaves out of it, and the two values that no reading of it gives.
WIDTHS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "C08": ("Pythia", "none", ()),
    "C09": ("GPT-Neo/J/NeoX", "2.7", ()),
    "C10": ("Cerebras-GPT", "2.7", ()),
    "C11": ("BLOOM", "none", (-0.981, 0.995)),
    "C12": ("OPT", "none", (-0.428, 0.926)),
}


@claim(WIDTHS, panels=BASE)  # C08, C09, C10, C11, C12
def width(panel: str, ladder: str, left_out: str, printed: tuple[float, ...]) -> dict[str, Result]:
    """r over the sizes of {0}, plain and with both scores divided by d_model / 512; left out: {1} (billions)."""
    rows = widths(panel, ladder)
    own = rows[~rows["model"].str.contains(left_out, regex=False)]
    note = nearest_subset(rows, printed) if printed else ""
    plain, divided = before_and_after(rows).values()
    if len(own) < len(rows) and plain.value is not None:
        note = f"with all {len(rows)} sizes: {plain.value:.3f} to {divided.value:.3f}"
    return before_and_after(own, note)


@claim("C40", panels=BASE)
def width_removes(panel: str) -> Result:
    """r > 0 in every tested family after dividing both scores by d_model / 512."""
    after = [before_and_after(widths(panel, name))["divided"].value for name in TESTED]
    known = [value for value in after if value is not None]
    return Result(all(value > 0 for value in known), n=len(known), note=f"smallest r after division: {min(known):.3f}")


@test("shuffled scores", "C07", "C40", {ident: (row[0],) for ident, row in WIDTHS.items()}, kind="null")
def width_null(panel: str, *ladders: str) -> Stress:
    """r after division by width of the same scores, each shuffled over the sizes: no coupling is left in them."""
    nulls = {}
    for name in ladders or TESTED:
        rows = widths(panel, name)
        if len(rows) > 2:
            nulls[name] = levers.width_normalised(rows, resamples=1_000)
    name, least = min(nulls.items(), key=lambda item: item[1].share_positive)
    family = f"of {len(nulls)} families {name} least often" if len(nulls) > 1 else name
    says = f"shuffled scores over width have r > 0 in {least.share_positive:.0%} of the draws ({family})"
    # what chance does more often than one time in twenty is no evidence
    return Stress.of("r of shuffled scores over width", least.null, says, lost=least.share_positive > 0.05)


@claim("C70")
def minimum_curation(panel: str) -> dict[str, Result]:
    """h_c = ((N_c - N) / N_c)^1.5 with N_c = 3.5, in percent, at N = 1 and N = 3 billion; whether models need it."""
    note = "the exponent was set, not fitted, and no training run has tested it"
    shares = {f"{size} B": Result(100 * levers.minimum_curation(size), note=note) for size in (1, 3)}
    return shares | {"the need itself": Result(None)}


@stress("C70")
def minimum_curation_interval(panel: str) -> list[Stress]:
    tried = []
    for end in (2.9, 13.4):
        share = 100 * levers.minimum_curation(1.0, critical_b=end)
        tried.append(Stress(f"percent at 1 B with N_c = {end:g} B", share, "an end of the published interval of N_c"))
    return tried
