"""Chapter 01: all models together, their dimension, their phases, and what two scores at three sizes tell."""

from __future__ import annotations

import numpy as np

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.claims.c01_coupling import CUT, LARGE, X, Y, pythia, sizes
from cape_lib.claims.registry import BASE, claim, stress, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import wilson


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


@test("the interval of few models", "C58", kind="null")
def falling_dimension(panel: str) -> Stress:
    parts = dimensions(panel)
    first, last = parts["d_eff, tax"], parts["d_eff, frontier"]
    held = last.contains(float(first.value or 0.0))
    says = f"d_eff of the {last.n} largest models is {last.text}, that of the smallest {first.text}"
    return Stress.of("d_eff of the largest models", last, says, lost=held)


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


@test("families left out in turn", "C59", kind="as worded")
def all_models_clustered(panel: str) -> Stress:
    r = coupling.clustered_pearson(tables.base(panel), x=X, y=Y)
    says = f"r of all models is {r.estimate:.2f} [{r.low:.2f}, {r.high:.2f}], families left out in turn"
    return Stress.of("r of all models", r, says, against="" if r.contains(0.682) else f"{says}: 0.682 lies outside")


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


@test("the released panel", "C72", kind="another choice")
def probe_on_panel(panel: str) -> Stress:
    steps = coupling.local_couplings(tables.base(panel)).set_index("smaller")
    own = steps.loc[["Pythia-1B"]].to_dict("records")[0]
    says = f"on the released panel the step of Pythia-1B is {own['gamma']:.2f} [{own['low']:.1f}, {own['high']:.1f}]"
    against = says if own["low"] <= 0 <= own["high"] else ""
    return Stress("gamma of Pythia-1B, released panel", own["gamma"], says, own["low"], own["high"], 2, against)


@claim("C98", panels=BASE)
def coupling_by_phase(panel: str) -> dict[str, Result]:
    """r = corr(HellaSwag, TruthfulQA) below 3.5 B, from 7 to 30 B and from 30 B."""
    ranges = {"tax": (0, CUT), "bonus": (7.0, 30.0), "second transition": (30.0, np.inf)}
    r = {name: coupling.clustered_pearson(sizes(panel, *ends), x=X, y=Y) for name, ends in ranges.items()}
    return {name: Result.of(each, relatives=True) for name, each in r.items()}


@test("families left out in turn", "C98", kind="clustered interval")
def phases_clustered(panel: str) -> Stress:
    parts = coupling_by_phase(panel)
    sure = [name for name, one in parts.items() if not one.contains(0.0)]
    says = f"{len(sure)} of the three values has an interval without zero"
    return Stress.of("phases whose r is not zero", float(len(sure)), says, n=3, lost=len(sure) < 2)


@stress("C98")
def coupling_by_phase_cuts(panel: str) -> list[Stress]:
    r = coupling.clustered_pearson(sizes(panel, CUT, 30.0), x=X, y=Y)
    says = "the size at which the middle phase starts moves its value"
    return [Stress.of(f"the middle phase from {CUT} B", r, says, relatives=True)]


def runs_of_three(panel: str) -> list[bool]:
    """Whether the change of TruthfulQA from the first to the last of three neighbouring sizes is sure; every ladder."""
    sure = []
    for _, ladder in tables.base(panel).dropna(subset=["ladder", X, Y]).groupby("ladder"):
        rows = ladder.sort_values("params_b").drop_duplicates("params_b")
        sure += [coupling.whole_ladder(rows.iloc[i : i + 3]).settled for i in range(len(rows) - 2)]
    return sure


@claim("C104", panels=BASE)
def scores_alone(panel: str) -> dict[str, Result]:
    """gamma from sizes and two scores alone; three neighbouring sizes whose change is surely of one sign."""
    rows, sure = pythia(panel), runs_of_three(panel)
    bare = coupling.local_coupling(rows[["params_b", X, Y]])["gamma"]
    same = np.allclose(bare, coupling.local_coupling(rows)["gamma"])
    note = f"{sum(sure)} of {len(sure)} runs of three sizes"
    return {
        "no internals": Result(bool(same), n=len(rows)),
        "three sizes are enough": Result(sum(sure) > len(sure) / 2, n=len(sure), note=note),
    }


@test("three sizes", "C104", kind="as worded")
def three_sizes(panel: str) -> Stress:
    sure = runs_of_three(panel)
    share = wilson(sum(sure), len(sure))
    says = f"in {sum(sure)} of {len(sure)} runs of three sizes the noise of the scores leaves the sign sure"
    name = "share of runs of three sizes with a sure sign"
    return Stress.of(name, share, says, lost=share.estimate <= 0.5)
