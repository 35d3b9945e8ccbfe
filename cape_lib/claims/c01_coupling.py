"""Chapter 01: correlations, signs and dimensions of the base models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.claims.registry import BASE, claim, stress, test
from cape_lib.claims.verdict import Result, Stress, holds_zero
from cape_lib.stats import Estimate, clustered_r, pearson, wilson, wilson_clustered

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


def large(panel: str) -> pd.DataFrame:
    """The models from 7 B of the families that paper A names."""
    rows = sizes(panel, 7.0)
    return rows[rows["family"].isin(["Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT"])]


@claim({"C01": (X,), "C43": ("winogrande",), "C44": ("mmlu",)}, panels=BASE)
def pythia_r(panel: str, x: str) -> Result:
    """r = corr({0}, truthfulqa) over the eight Pythia sizes, 70 million to 12 billion."""
    rows = pythia(panel)
    note = f"{int((rows['params_b'] >= CUT).sum())} of the sizes lie above {CUT} B" if x == X else ""
    if x == "mmlu":
        note = f"no Pythia size is above {rows[x].max():.1f} on MMLU, where guessing gives 25: noise bounds any r here"
    return Result.of(pearson(rows[x], rows[Y]), note)


@test(
    "size held fixed",
    {"C01": (X, pythia), "C43": ("winogrande", pythia), "C44": ("mmlu", pythia), "C42": (X, large)},
    kind="covariate",
)
def size_fixed(panel: str, x: str, rows_of: Callable[[str], pd.DataFrame]) -> Stress:
    rows = rows_of(panel)
    left = clustered_r(rows[x], rows[Y], rows["family"], given=np.log10(rows["params_b"]))
    says = f"with size held fixed r is {round(left.estimate, 2) + 0.0:.2f}, and {holds_zero(left)}"
    return Stress.of("partial r given log N", left, says, lost=left.contains(0.0))


@stress("C01")
def pythia_r_below(panel: str) -> list[Stress]:
    rows = pythia(panel)
    below, everyone = rows[rows["params_b"] < CUT], sizes(panel, 0, CUT)
    whole = coupling.clustered_pearson(everyone, x=X, y=Y)
    ends = coupling.whole_ladder(rows)
    families = f"all {everyone['family'].nunique()} families; {holds_zero(whole)}"
    return [
        Stress.of(
            "the whole ladder: points of TruthfulQA from the smallest to the largest size",
            ends.dy,
            f"z = {ends.z:.1f}: that the one score falls while the other rises is sure, whatever r is",
        ),
        Stress.of(f"only the sizes below {CUT} B", pearson(below[X], below[Y]), "the six sizes of the claim's words"),
        Stress.of(f"every family below {CUT} B", whole, families, relatives=True),
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


@test("another cut", "C04", kind="another choice")
def flip_elsewhere(panel: str) -> Stress:
    sweep = coupling.cut_sweep(tables.base(panel), [1.5, 2.5, CUT, 7.0]).set_index("cut_b")
    others = [f"{cut:g} B" for cut in (1.5, 2.5, 7.0) if sweep["flips"][cut]]
    says = f"r turns from negative to positive at {CUT} B and at {len(others)} of three other cuts"
    against = f"{says} ({', '.join(others)}): no size is singled out" if others else ""
    value = sweep["r_above"][CUT] - sweep["r_below"][CUT]
    return Stress(f"r above less r below {CUT} B", value, says, n=len(tables.base(panel)), against=against)


@test("every step", "C46", kind="another choice")
def signs_of_every_step(panel: str) -> Stress:
    """The rule on the steps between 3 and 10 B too, beside the guess that every step is negative."""
    steps = intervals(panel).dropna(subset="gamma")
    negative = (steps["gamma"] < 0).to_numpy()
    hits = np.where(steps["params_b_mid"] < CUT, negative, ~negative)
    share = wilson_clustered(hits, steps["ladder"])
    guess = float(negative.mean())
    says = f"of all {len(steps)} steps the rule tells {share.estimate:.0%}; to call each negative tells {guess:.0%}"
    against = f"{says}, inside the interval of the rule" if share.contains(guess) else ""
    return Stress.of("share of all steps that the rule tells", share, says, against=against)


@claim("C35", panels=BASE)
def panel_size(panel: str) -> dict[str, Result]:
    """Rows of the panel, and families as the panel files them."""
    frame = tables.base(panel)
    note = f"{len(tables.base('deduplicated'))} of the rows are different models" if panel == "published" else ""
    return {
        "models": Result(float(len(frame)), n=len(frame), note=note),
        "families": Result(float(frame["family"].nunique()), n=len(frame)),
    }


@test("models counted once", "C35", kind="as worded")
def models_once(panel: str) -> Stress:
    rows, models = len(tables.base("published")), len(tables.base("deduplicated"))
    says = f"two rows of one model count once: {models} models" if models == rows else f"{models} models, {rows} rows"
    against = f"{rows - models} of the {rows} rows repeat a model: there are {models}" if models != rows else ""
    return Stress("different models", float(models), says, n=rows, against=against)


@claim("C42", panels=BASE)
def large_r(panel: str) -> Result:
    """r = corr(HellaSwag, TruthfulQA) over the models of at least 7 B in Llama 1 to 3, Falcon and OPT."""
    return Result.of(coupling.clustered_pearson(large(panel), x=X, y=Y), relatives=True)


@test("every family", "C42", kind="another choice")
def large_r_of_all(panel: str) -> Stress:
    whole = coupling.clustered_pearson(sizes(panel, 7.0), x=X, y=Y)
    says = f"r of every family from 7 B is {whole.estimate:.2f}, and {holds_zero(whole)}"
    return Stress.of("r of every family from 7 B", whole, says, lost=whole.contains(0.0))


@stress({"C43": ("winogrande",), "C44": ("mmlu",)})
def other_versions(panel: str, x: str) -> list[Stress]:
    tried = []
    for version in ("figures_script", "dashboard_html", "obsscaling"):
        rows = tables.base_version(version)
        rows = rows[rows["ladder"] == "Pythia"]
        name = f"version {version} of the scores"
        tried.append(Stress.of(name, pearson(rows[x], rows[Y]), "another file of the same models"))
    return tried


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


@test("all six pairs", "C45", kind="as worded")
def weakest_pair(panel: str) -> Stress:
    parts = other_pairs(panel)
    failing = [name for name, result in parts.items() if not result.value]
    says = f"{len(failing)} of the {len(parts)} pairs without TruthfulQA fall together in two steps or more"
    against = f"{says}: {', '.join(failing)}" if failing else ""
    return Stress(
        "pairs that nearly always rise together", float(len(parts) - len(failing)), says, n=7, against=against
    )


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
