"""Chapter 01: correlations, signs and dimensions of the base models."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.claims.registry import BASE, claim, stress
from cape_lib.claims.verdict import Result, Stress, holds_zero
from cape_lib.stats import Estimate, partial_pearson, pearson, wilson

X, Y = "hellaswag", "truthfulqa"
# Paper A's boundary, and the size from which it speaks of a second transition or of the frontier (billions).
CUT, LARGE = 3.5, 60.0


def pythia(panel: str) -> pd.DataFrame:
    return tables.ladder("Pythia", panel=panel)


def sizes(panel: str, low: float, high: float = np.inf) -> pd.DataFrame:
    """Rows of a panel from `low` up to but not including `high` billions."""
    frame = tables.base(panel)
    return frame[(frame["params_b"] >= low) & (frame["params_b"] < high)]


def intervals(panel: str) -> pd.DataFrame:
    """Local couplings of every ladder of a panel."""
    return coupling.local_couplings(tables.base(panel))


@claim("C01", panels=BASE)
def pythia_r(panel: str) -> Result:
    """r = corr(HellaSwag, TruthfulQA) over the eight Pythia sizes, 70 million to 12 billion."""
    rows = pythia(panel)
    return Result.of(
        pearson(rows[X], rows[Y]), f"{int((rows['params_b'] >= CUT).sum())} of the sizes lie above {CUT} B"
    )


@stress("C01")
def pythia_r_below(panel: str) -> list[Stress]:
    rows = pythia(panel)
    below, size = rows[rows["params_b"] < CUT], np.log10(rows["params_b"])
    everyone = sizes(panel, 0, CUT)
    whole = coupling.clustered_pearson(everyone, x=X, y=Y)
    given_size = partial_pearson(rows[X], rows[Y], size)
    left = round(given_size.estimate, 2) + 0.0  # no "-0.00"
    lost = f"with size held fixed nothing is left of it (r = {left:.2f}, {holds_zero(given_size)})"
    return [
        Stress.of(f"only the sizes below {CUT} B", pearson(below[X], below[Y]), "the six sizes of the claim's words"),
        Stress.of(
            "size held fixed (partial r given log N)",
            given_size,
            f"both scores follow size; {holds_zero(given_size)}",
            against=lost if given_size.contains(0.0) else "",
        ),
        Stress.of(
            f"every family below {CUT} B",
            whole,
            f"all {everyone['family'].nunique()} families; {holds_zero(whole)}",
            relatives=True,
        ),
    ]


@claim("C04", panels=BASE)
def flip(panel: str) -> dict[str, Result]:
    """Share of the intervals of all ladders with gamma < 0, by geometric mean size below and above 3.5 B."""
    found = intervals(panel).dropna(subset="gamma")
    below, above = (found[side] for side in (found["params_b_mid"] < CUT, found["params_b_mid"] >= CUT))
    falling, rising = (wilson(int(hit.sum()), len(hit)) for hit in (below["gamma"] < 0, above["gamma"] > 0))
    middle = above[above["params_b_mid"] < 10]
    still = int((middle["gamma"] < 0).sum())
    return {
        "mostly negative below 3.5 B": _statement(falling, "share of intervals below with gamma < 0"),
        "mostly positive above 3.5 B": _statement(rising, "share of intervals above with gamma > 0"),
        "sharply at 3.5 B": Result(
            bool(len(middle) and still <= len(middle) / 2),
            n=len(middle),
            note=f"between {CUT} and 10 B, {still} of {len(middle)} intervals are still negative",
        ),
    }


def _statement(share: Estimate, what: str) -> Result:
    note = f"{what}: {share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}] of {share.n}"
    return Result(share.estimate > 0.5, n=share.n, note=note)


@stress("C04", "C46")
def flip_elsewhere(panel: str) -> list[Stress]:
    frame = tables.base(panel)
    tried = []
    for cut in (1.5, 2.5, 7.0):
        row = coupling.cut_sweep(frame, [cut]).to_dict("records")[0]
        says = "the sign flips here too: 3.5 B is not singled out" if row["flips"] else "no flip of sign at this cut"
        apart, n = row["r_above"] - row["r_below"], row["n_below"] + row["n_above"]
        against = f"a cut at {cut:g} B flips the sign too" if row["flips"] else ""
        tried.append(Stress(f"another cut: {cut:g} B, r above less r below", apart, says, n=n, against=against))
    return tried


@claim("C35", panels=BASE)
def panel_size(panel: str) -> dict[str, Result]:
    """Rows of the panel, and families as the panel files them."""
    frame = tables.base(panel)
    note = f"{len(tables.base('deduplicated'))} of the rows are different models" if panel == "published" else ""
    return {
        "models": Result(float(len(frame)), n=len(frame), note=note),
        "families": Result(float(frame["family"].nunique()), n=len(frame)),
    }


@claim("C42", panels=BASE)
def large_r(panel: str) -> Result:
    """r = corr(HellaSwag, TruthfulQA) over the models of at least 7 B in Llama 1 to 3, Falcon and OPT."""
    large = sizes(panel, 7.0)
    rows = large[large["family"].isin(["Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT"])]
    return Result.of(coupling.clustered_pearson(rows, x=X, y=Y), relatives=True)


@stress("C42")
def large_r_given_size(panel: str) -> list[Stress]:
    large = sizes(panel, 7.0)
    rows = large[large["family"].isin(["Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT"])]
    given_size = partial_pearson(rows[X], rows[Y], np.log10(rows["params_b"]))
    return [
        Stress.of(
            "every family from 7 B", coupling.clustered_pearson(large, x=X, y=Y), "no family chosen", relatives=True
        ),
        Stress.of("size held fixed (partial r given log N)", given_size, holds_zero(given_size), relatives=True),
    ]


@claim("C43", panels=BASE)
def winogrande_r(panel: str) -> Result:
    """r = corr(WinoGrande, TruthfulQA) over the eight Pythia sizes."""
    return Result.of(pearson(pythia(panel)["winogrande"], pythia(panel)[Y]))


@claim("C44", panels=BASE)
def mmlu_r(panel: str) -> Result:
    """r = corr(MMLU, TruthfulQA) over the eight Pythia sizes."""
    rows = pythia(panel)
    highest = rows["mmlu"].max()
    note = f"no Pythia size scores above {highest:.1f} on MMLU, where guessing gives 25: noise bounds any r here"
    return Result.of(pearson(rows["mmlu"], rows[Y]), note)


def _versions(column: str) -> list[Stress]:
    tried = []
    for version in ("figures_script", "dashboard_html", "obsscaling"):
        rows = tables.base_version(version)
        rows = rows[rows["ladder"] == "Pythia"]
        found = pearson(rows[column], rows[Y])
        tried.append(Stress.of(f"version {version} of the scores", found, "another file of the same models"))
    return tried


@stress("C43")
def winogrande_versions(panel: str) -> list[Stress]:
    return _versions("winogrande")


@stress("C44")
def mmlu_versions(panel: str) -> list[Stress]:
    return _versions("mmlu")


@claim("C45", panels=BASE)
def other_pairs(panel: str) -> dict[str, Result]:
    """Share of the steps between Pythia sizes in which two scores rise together, of the six pairs without TruthfulQA.

    "Nearly every" is read as all steps but at most one.
    """
    parts = {}
    for x, y in combinations([name for name in tables.BASE_BENCHMARKS if name != Y], 2):
        gamma = coupling.local_coupling(pythia(panel), x=x, y=y)["gamma"]
        rising, pair = int((gamma > 0).sum()), f"{tables.label(x)} with {tables.label(y)}"
        note = f"{pair}: {rising} of {len(gamma)} steps rise together"
        parts[pair] = Result(rising >= len(gamma) - 1, n=len(gamma), note=note)
    return parts


@claim("C46", panels=BASE)
def sign_predictions(panel: str) -> dict[str, Result]:
    """Intervals with both ends below 3 B and gamma <= 0, and both ends above 10 B and gamma > 0; of how many."""
    found = intervals(panel).dropna(subset="gamma")
    small, large = found[found["params_b_high"] <= 3.0], found[found["params_b_low"] > 10.0]
    right = int((small["gamma"] <= 0).sum() + (large["gamma"] > 0).sum())
    said = (
        f"{int((small['gamma'] <= 0).sum())} of {len(small)} below 3 B, "
        f"{int((large['gamma'] > 0).sum())} of {len(large)} above 10 B"
    )
    total = len(small) + len(large)
    return {"right": Result(float(right), n=total, note=said), "of": Result(float(total), n=total)}


@claim("C58", panels=BASE)
def dimensions(panel: str) -> dict[str, Result]:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the five scores, below 3.5 B, to 60 B, and above."""
    phases = [sizes(panel, 0, CUT), sizes(panel, CUT, LARGE), sizes(panel, LARGE)]
    scores = list(tables.BASE_BENCHMARKS)
    phases = [rows.dropna(subset=scores) for rows in phases]
    d = [coupling.effective_dimension(rows, resamples=1_000).estimate for rows in phases]
    falling = bool(d[0].estimate > d[1].estimate > d[2].estimate)
    note = f"the order (each smaller than the one before) {'comes out' if falling else 'does not come out'}"
    names = ("tax", "bonus", "frontier")
    parts = {f"d_eff, {name}": Result.of(each, note) for name, each in zip(names, d, strict=True)}
    parts |= {
        f"models, {name}": Result(float(len(rows)), n=len(rows)) for name, rows in zip(names, phases, strict=True)
    }
    return parts | {"families, frontier": Result(float(phases[2]["family"].nunique()), n=len(phases[2]))}


def chance_of(p: float, draws: int = 10_000) -> str:
    """Two standard errors of a permutation p from its number of draws, where they exceed half of the third decimal."""
    error = 2 * (p * (1 - p) / draws) ** 0.5
    return f" (± {error:.3f} from {draws:,} draws)" if error > 0.0005 else ""


@claim("C59", panels=BASE)
def all_models_r(panel: str) -> dict[str, Result]:
    """r = corr(HellaSwag, TruthfulQA) over every model of the panel; p by shuffling within families."""
    frame = tables.base(panel)
    found = coupling.population_coupling(frame)  # the draws of chapter 01
    note = (
        f"given size the partial r is {found.partial_given_size.estimate:.2f}; "
        f"with families left out in turn the interval is [{found.clustered.low:.2f}, {found.clustered.high:.2f}]"
    )
    p = found.permutation_p
    return {
        "r": Result.of(found.pearson, note, relatives=True),
        "p below 0.0001": Result(
            bool(p < 1e-4), n=found.pearson.n, note=f"shuffled within families, p = {p:.3f}{chance_of(p)}"
        ),
        "Bayes factor 72.9": Result(None, note="the two models that the Bayes factor compares are not stated"),
    }


@claim("C72", panels=("published",), reads=("base_panel", "base_scores"))
def probe_couplings(panel: str) -> dict[str, Result]:
    """gamma of the step from each of four 1 B models to the next size, in the version of the architecture probe."""
    rows = tables.base_version("architecture_probe_script")
    current = coupling.local_couplings(tables.base(panel)).set_index("smaller")["gamma"]
    parts = {}
    for family, model in (("OPT", "OPT-1.3B"), ("BLOOM", "BLOOM-1.1B"), ("OLMo", "OLMo-1B"), ("Pythia", "Pythia-1B")):
        gamma, low, high = coupling.local_coupling(rows[rows["family"] == family]).iloc[0][["gamma", "low", "high"]]
        parts[model] = Result(gamma, low, high, 2, f"{model} on the released panel: {current[model]:.2f}")
    return parts


@claim("C98", panels=BASE)
def coupling_by_phase(panel: str) -> dict[str, Result]:
    """r = corr(HellaSwag, TruthfulQA) below 3.5 B, from 7 to 30 B and from 30 B."""
    ranges = {"tax": (0, CUT), "bonus": (7.0, 30.0), "second transition": (30.0, np.inf)}
    r = {name: coupling.clustered_pearson(sizes(panel, *ends), x=X, y=Y) for name, ends in ranges.items()}
    return {name: Result.of(each, relatives=True) for name, each in r.items()}


@stress("C98")
def coupling_by_phase_cuts(panel: str) -> list[Stress]:
    rows = sizes(panel, CUT, 30.0)
    return [
        Stress.of(
            f"the middle phase from {CUT} B",
            coupling.clustered_pearson(rows, x=X, y=Y),
            "the size at which the middle phase starts moves its value",
            relatives=True,
        )
    ]
