"""Chapter 01: correlations, signs, dimensions and phases of the base models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.claims.registry import BASE, Attempts, claim
from cape_lib.claims.verdict import Result, holds_zero, stress
from cape_lib.stats import Estimate, clustered_r, clustered_share, pearson, seen_effect, wilson_clustered

X, Y = "hellaswag", "truthfulqa"
# Paper A's boundary, and the size from which it speaks of a second transition or of the frontier (billions).
CUT, LARGE = 3.5, 60.0
NAMED = ("Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT")


def sizes(panel: str, low: float, high: float = np.inf) -> pd.DataFrame:
    """Rows of a panel from `low` up to but not including `high` billions."""
    frame = tables.base(panel)
    return frame[(frame["params_b"] >= low) & (frame["params_b"] < high)]


def steps(panel: str) -> pd.DataFrame:
    """Local couplings of every ladder of a panel, those without a gamma left out."""
    return coupling.local_couplings(tables.base(panel)).dropna(subset="gamma")


PYTHIA = "the eight Pythia sizes, 70 million to 12 billion"
LARGE_ONES = "the models of at least 7 B in Llama 1 to 3, Falcon and OPT"
#: Rows of a panel, in words -> what takes them.
SUBSETS: dict[str, Callable[[str], pd.DataFrame]] = {
    PYTHIA: lambda panel: tables.ladder("Pythia", panel=panel),
    LARGE_ONES: lambda panel: sizes(panel, 7.0).query("family in @NAMED"),
    "every model": tables.base,
    "every family below 3.5 B": lambda panel: sizes(panel, 0, CUT),
    "every family from 7 B": lambda panel: sizes(panel, 7.0),
    "the models from 7 to 30 B": lambda panel: sizes(panel, 7.0, 30.0),
    "the models from 30 B": lambda panel: sizes(panel, 30.0),
    "the middle phase from 3.5 B": lambda panel: sizes(panel, CUT, 30.0),
}


def r_over(panel: str, subset: str, x: str = X) -> Estimate:
    """r of a score and TruthfulQA over a subset; families left out in turn where there are eight."""
    return coupling.clustered_pearson(SUBSETS[subset](panel), x=x, y=Y)


@claim(
    {"C01": (X, PYTHIA), "C43": ("winogrande", PYTHIA), "C44": ("mmlu", PYTHIA), "C42": (X, LARGE_ONES)}, panels=BASE
)
def r_of_subset(panel: str, x: str, subset: str) -> Attempts:
    """r = corr({0}, truthfulqa) over {1}."""
    rows, note = SUBSETS[subset](panel), ""
    if (x, subset) == (X, PYTHIA):
        note = f"{int((rows['params_b'] >= CUT).sum())} of the sizes lie above {CUT} B"
    elif x == "mmlu":
        note = f"no Pythia size is above {rows[x].max():.1f} on MMLU, where guessing gives 25: noise bounds any r here"
    yield Result.of(r_over(panel, subset, x), note, relatives=subset != PYTHIA)

    left = clustered_r(rows[x], rows[Y], rows["family"], given=np.log10(rows["params_b"]))
    limits = "" if np.isnan(left.low) else f" [{left.low:.2f}, {left.high:.2f}]"
    side = "still above zero" if left.low > 0 else f"and {holds_zero(left)}"
    says = f"with size held fixed r is {round(left.estimate, 2) + 0.0:.2f}{limits}, {side}"
    yield stress("size held fixed", left, says, lost=left.contains(0.0))
    if subset == LARGE_ONES:
        whole = r_over(panel, "every family from 7 B")
        says = f"r of every family from 7 B is {whole.estimate:.2f}, and {holds_zero(whole)}"
        yield stress("every family", whole, says, lost=whole.contains(0.0))
    elif x == X:
        below, small = rows[rows["params_b"] < CUT], sizes(panel, 0, CUT)
        whole, ends = r_over(panel, "every family below 3.5 B"), coupling.whole_ladder(rows)
        name = "the whole ladder: points of TruthfulQA from the smallest to the largest size"
        says = f"z = {ends.z:.1f}: that the one score falls while the other rises is sure, whatever r is"
        yield stress(name, ends.dy, says)
        own = pearson(below[X], below[Y])
        yield stress("only the sizes below 3.5 B", own, "the six sizes of the claim's words")
        says = f"all {small['family'].nunique()} families; {holds_zero(whole)}"
        yield stress("every family below 3.5 B", whole, says, relatives=True)
    else:
        for version in ("figures_script", "dashboard_html", "obsscaling"):
            other = tables.base_version(version).query("ladder == 'Pythia'")
            r = pearson(other[x], other[Y])
            yield stress(f"version {version} of the scores", r, "another file of the same models")


@claim("C98", panels=BASE)
def coupling_by_phase(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) below 3.5 B, from 7 to 30 B and from 30 B."""
    phases = {
        "tax": "every family below 3.5 B",
        "bonus": "the models from 7 to 30 B",
        "second transition": "the models from 30 B",
    }
    values = [r_over(panel, phase) for phase in phases.values()]
    yield {name: Result.of(one, relatives=True) for name, one in zip(phases, values, strict=True)}

    sure = sum(not one.contains(0.0) for one in values)
    seen = ", ".join(f"{seen_effect(one, scale='fisher'):.2f}" for one in values if one.bounded)
    says = f"{sure} of the three values has an interval without zero (seen in four of five repeats: r = {seen})"
    yield stress("families left out in turn", float(sure), says, n=3, lost=sure < 2)
    name, says = "the middle phase from 3.5 B", "the size at which the middle phase starts moves its value"
    yield stress(name, r_over(panel, name), says, relatives=True)


@claim("C59", panels=BASE)
def all_models_r(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) over every model of the panel; p by shuffling within families."""
    whole = coupling.population_coupling(tables.base(panel))  # the draws of chapter 01
    r = r_over(panel, "every model")
    note = f"given size the partial r is {whole.partial_given_size.estimate:.2f}"
    p, draws = whole.permutation_p, 10_000
    error = 2 * (p * (1 - p) / draws) ** 0.5
    chance = f" (± {error:.3f} from {draws:,} draws)" if error > 0.0005 else ""  # half of the third decimal
    yield {
        "r": Result.of(r, note, relatives=True),
        "p below 0.0001": Result(p < 1e-4, n=r.n, note=f"shuffled within families, two-sided p = {p:.3f}{chance}"),
        "Bayes factor 72.9": Result(None, note="the two models that the Bayes factor compares are not stated"),
    }

    says = f"r of all models is {r.estimate:.2f} [{r.low:.2f}, {r.high:.2f}], families left out in turn"
    yield stress("families left out in turn", r, says, lost=not r.contains(0.682), more=": 0.682 lies outside")


@claim("C04", panels=BASE)
def flip(panel: str) -> Attempts:
    """Share of the intervals of all ladders with gamma < 0, by geometric mean size below and above 3.5 B."""
    known, parts = steps(panel), {}
    above = known["params_b_mid"] >= CUT
    for name, side, sign in (("negative below", ~above, -1), ("positive above", above, 1)):
        rows = known[side]
        share = clustered_share(sign * rows["gamma"] > 0, rows["ladder"])
        note = f"share of intervals {name.split()[1]} with gamma {'<' if sign < 0 else '>'} 0: {share.estimate:.0%}"
        note += f" [{share.low:.0%}, {share.high:.0%}] of {share.n}"
        parts[f"mostly {name} 3.5 B"] = Result(share.estimate > 0.5, n=share.n, note=note)
    middle = known.loc[above & (known["params_b_mid"] < 10), "gamma"]
    still = int((middle < 0).sum())
    note = f"between {CUT} and 10 B, {still} of {len(middle)} intervals are still negative"
    yield parts | {"sharply at 3.5 B": Result(0 < len(middle) >= 2 * still, n=len(middle), note=note)}

    sweep = coupling.cut_sweep(tables.base(panel), [1.5, 2.5, CUT, 7.0]).set_index("cut_b")
    others = [f"{cut:g} B" for cut in (1.5, 2.5, 7.0) if sweep["flips"][cut]]
    says = f"r turns from negative to positive at {CUT} B and at {len(others)} of three other cuts"
    more = f" ({', '.join(others)}): no size is singled out"
    jump, n = sweep["r_above"][CUT] - sweep["r_below"][CUT], len(tables.base(panel))
    yield stress("another cut", jump, says, n=n, lost=bool(others), more=more)


@claim("C46", panels=BASE)
def sign_predictions(panel: str) -> Attempts:
    """Intervals with both ends below 3 B and gamma <= 0, and both ends above 10 B and gamma > 0; of how many."""
    known = steps(panel)
    small, large = known[known["params_b_high"] <= 3.0], known[known["params_b_low"] > 10.0]
    falls, rises, total = int((small["gamma"] <= 0).sum()), int((large["gamma"] > 0).sum()), len(small) + len(large)
    note = f"{falls} of {len(small)} below 3 B, {rises} of {len(large)} above 10 B"
    yield {"right": Result(float(falls + rises), n=total, note=note), "of": Result(float(total), n=total)}

    # the rule on the steps between 3 and 10 B too, beside the guess that every step is negative
    negative = (known["gamma"] < 0).to_numpy()
    share = wilson_clustered(np.where(known["params_b_mid"] < CUT, negative, ~negative), known["ladder"])
    guess = float(negative.mean())
    more = f", inside the interval of the rule (a lead of {seen_effect(share):.0%} would have been seen)"
    says = f"of all {len(known)} steps the rule tells {share.estimate:.0%}; to call each negative tells {guess:.0%}"
    yield stress("every step", share, says, lost=share.contains(guess), more=more)


@claim("C35", panels=BASE)
def panel_size(panel: str) -> Attempts:
    """Rows of the panel, and families as the panel files them."""
    frame = tables.base(panel)
    rows, models = len(tables.base("published")), len(tables.base("deduplicated"))
    note = f"{models} of the rows are different models" if panel == "published" else ""
    yield {
        "models": Result(float(len(frame)), n=len(frame), note=note),
        "families": Result(float(frame["family"].nunique()), n=len(frame)),
    }

    says = f"two rows of one model count once: {models} models"
    says = says if models == rows else f"{rows - models} of the {rows} rows repeat a model: there are {models}"
    yield stress("models counted once", float(models), says, n=rows, lost=models != rows)


@claim("C45", panels=BASE)
def other_pairs(panel: str) -> Attempts:
    """Share of the steps between Pythia sizes in which two scores rise together, of the six pairs without TruthfulQA.

    "Nearly every" is read as all steps but at most one.
    """
    parts = {}
    for x, y in combinations([name for name in tables.BASE_BENCHMARKS if name != Y], 2):
        gamma = coupling.local_coupling(SUBSETS[PYTHIA](panel), x=x, y=y)["gamma"]
        rising, pair = int((gamma > 0).sum()), f"{tables.label(x)} with {tables.label(y)}"
        note = f"{pair}: {rising} of {len(gamma)} steps rise together"
        parts[pair] = Result(rising >= len(gamma) - 1, n=len(gamma), note=note)
    yield parts

    failing = [name for name, result in parts.items() if not result.value]
    says = f"{len(failing)} of the {len(parts)} pairs without TruthfulQA fall together in two steps or more"
    rest = float(len(parts) - len(failing))
    yield stress("all six pairs", rest, says, n=7, lost=bool(failing), more=f": {', '.join(failing)}")


@claim("C58", panels=BASE)
def dimensions(panel: str) -> Attempts:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the five scores, below 3.5 B, to 60 B, and above."""
    ends = {"tax": (0, CUT), "bonus": (CUT, LARGE), "frontier": (LARGE, np.inf)}
    phases = {name: sizes(panel, *pair).dropna(subset=list(tables.BASE_BENCHMARKS)) for name, pair in ends.items()}
    d = {name: coupling.effective_dimension(rows).estimate for name, rows in phases.items()}
    falling = d["tax"].estimate > d["bonus"].estimate > d["frontier"].estimate
    note = f"the order (each smaller than the one before) {'comes out' if falling else 'does not come out'}"
    parts = {f"d_eff, {name}": Result.of(each, note) for name, each in d.items()}
    counts = {f"models, {name}": Result(float(len(rows)), n=len(rows)) for name, rows in phases.items()}
    families = Result(float(phases["frontier"]["family"].nunique()), n=len(phases["frontier"]))
    yield parts | counts | {"families, frontier": families}

    first, last = parts["d_eff, tax"], parts["d_eff, frontier"]
    says = f"d_eff of the {last.n} largest models is {last.text}, that of the smallest {first.text}"
    yield stress("the interval of few models", last, says, lost=last.contains(float(first.value or 0.0)))


@claim("C72", reads=("base_panel", "base_scores"))
def probe_couplings(panel: str) -> Attempts:
    """gamma of the step from each of four 1 B models to the next size, in the version of the architecture probe."""
    rows = tables.base_version("architecture_probe_script")
    current = coupling.local_couplings(tables.base(panel)).set_index("smaller").to_dict("index")
    parts = {}
    for family, model in (("OPT", "OPT-1.3B"), ("BLOOM", "BLOOM-1.1B"), ("OLMo", "OLMo-1B"), ("Pythia", "Pythia-1B")):
        step = coupling.local_coupling(rows[rows["family"] == family]).to_dict("records")[0]
        note = f"{model} on the released panel: {current[model]['gamma']:.2f}"
        parts[model] = Result(step["gamma"], step["low"], step["high"], 2, note)
    yield parts

    gamma, low, high = (current["Pythia-1B"][name] for name in ("gamma", "low", "high"))
    own = Estimate(gamma, low, high, 2, "Fieller")
    says = f"on the released panel the step of Pythia-1B is {gamma:.2f} [{low:.1f}, {high:.1f}], and "
    says += holds_zero(own, scale="plain", digits=1)
    yield stress("the released panel", own, says, lost=own.contains(0.0))


@claim("C104", panels=BASE)
def scores_alone(panel: str) -> Attempts:
    """gamma from sizes and two scores alone; three neighbouring sizes whose change is surely of one sign."""
    rows = SUBSETS[PYTHIA](panel)
    sure: list[bool] = []
    whose: list[str] = []
    bare, whole = (coupling.local_coupling(each)["gamma"] for each in (rows[["params_b", X, Y]], rows))
    for ladder, own in tables.base(panel).dropna(subset=["ladder", X, Y]).groupby("ladder"):
        each = own.sort_values("params_b").drop_duplicates("params_b")
        sure += [coupling.whole_ladder(each.iloc[i : i + 3]).settled for i in range(len(each) - 2)]
        whose += [str(ladder)] * (len(sure) - len(whose))
    share = clustered_share(sure, whose)  # runs of one ladder share models
    note = f"{sum(sure)} of {len(sure)} runs of three sizes"
    yield {
        "no internals": Result(np.allclose(bare, whole), n=len(rows)),
        "three sizes are enough": Result(share.estimate > 0.5, n=len(sure), note=note),
    }

    says = f"in {note} the noise of the scores leaves the sign sure"
    yield stress("three sizes", share, says, lost=share.estimate <= 0.5)
