"""Chapters 01 to 03: correlations and signs, laws in size, where fighting turns to cooperating, width and curation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.base.coupling import BONUS, TAX
from cape_lib.claims.registry import BASE, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, beyond_zero, holds_zero, stress
from cape_lib.stats import (
    Estimate,
    clustered_r,
    clustered_share,
    normal_estimate,
    ols,
    p_text,
    pearson,
    pearson_rows,
    percentile_interval,
    score_noise,
    seen_difference,
    seen_effect,
    seen_share,
    seen_words,
    wilson_clustered,
)

X, Y = "hellaswag", "truthfulqa"
SCORES = list(tables.BASE_BENCHMARKS)
# Paper A's boundary, and the size from which it speaks of a second transition or of the frontier (billions).
CUT, LARGE = 3.5, 60.0
# Paper A's loss law L = E + A N^-alpha.
E, ALPHA = 1.533, 0.238
#: the version of the scores behind the vertex of 3.5 B and the forecasts of Llama-2
VERSION = "bootstrap_script"


def sizes(panel: str, low: float, high: float = np.inf) -> pd.DataFrame:
    """Rows of a panel from `low` up to but not including `high` billions."""
    frame = tables.base(panel)
    return frame[(frame["params_b"] >= low) & (frame["params_b"] < high)]


PYTHIA = "the eight Pythia sizes, 70 million to 12 billion"
LARGE_ONES = "the models of at least 7 B in Llama 1 to 3, Falcon and OPT"
NAMED = ("Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT")
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


def steps(panel: str) -> pd.DataFrame:
    """Local couplings of every ladder of a panel, those without a gamma left out."""
    return coupling.local_couplings(tables.base(panel)).dropna(subset="gamma")


def fieller_of(step: Any) -> Estimate:
    """gamma of one step with its interval."""
    return Estimate(step["gamma"], step["low"], step["high"], 2, "Fieller")


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
        yield beyond_zero("every family", whole, f"r of every family from 7 B is {whole.estimate:.2f}, and ")
    elif x == X:
        below, ends = rows[rows["params_b"] < CUT], coupling.whole_ladder(rows)
        name = "the whole ladder: points of TruthfulQA from the smallest to the largest size"
        says = f"z = {ends.z:.1f}: that the one score falls while the other rises is sure, whatever r is"
        yield stress(name, ends.dy, says)
        own = pearson(below[X], below[Y])
        yield stress("only the sizes below 3.5 B", own, "the six sizes of the claim's words")
        name = "every family below 3.5 B"
        whole = r_over(panel, name)
        says = f"all {sizes(panel, 0, CUT)['family'].nunique()} families; {holds_zero(whole)}"
        yield stress(name, whole, says, relatives=True)
    else:
        for version in ("figures_script", "dashboard_html", "obsscaling"):
            other = tables.base_version(version).query("ladder == 'Pythia'")
            r = pearson(other[x], other[Y])
            yield stress(f"version {version} of the scores", r, "another file of the same models")


@claim("C98", panels=BASE)
def coupling_by_phase(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) below 3.5 B, from 7 to 30 B and from 30 B."""
    phases = {
        "tax": r_over(panel, "every family below 3.5 B"),
        "bonus": r_over(panel, "the models from 7 to 30 B"),
        "second transition": r_over(panel, "the models from 30 B"),
    }
    yield {name: Result.of(one, relatives=True) for name, one in phases.items()}

    sure = sum(not one.contains(0.0) for one in phases.values())
    seen = ", ".join(f"{seen_effect(one, scale='fisher'):.2f}" for one in phases.values() if one.bounded)
    says = f"{sure} of the three values has an interval without zero (seen in four of five repeats: r = {seen})"
    yield stress("families left out in turn", sure, says, n=3, lost=sure < 2)
    name, says = "the middle phase from 3.5 B", "the size at which the middle phase starts moves its value"
    yield stress(name, r_over(panel, name), says, relatives=True)


@claim("C59", panels=BASE)
def all_models_r(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) over every model of the panel; p by shuffling within families."""
    whole = coupling.population_coupling(tables.base(panel))  # the draws of chapter 01
    r = r_over(panel, "every model")
    p, draws = whole.permutation_p, 10_000
    error = 2 * (p * (1 - p) / draws) ** 0.5
    chance = f" (± {error:.3f} from {draws:,} draws)" if error > 0.0005 else ""  # half of the third decimal
    yield {
        "r": Result.of(r, f"given size the partial r is {whole.partial_given_size.estimate:.2f}", relatives=True),
        "p below 0.0001": Result(p < 1e-4, n=r.n, note=f"shuffled within families, {p_text(p)}{chance}"),
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
    yield {"right": Result(falls + rises, n=total, note=note), "of": Result(total, n=total)}

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
    families = Result(frame["family"].nunique(), n=len(frame))
    yield {"models": Result(len(frame), n=len(frame), note=note), "families": families}

    says = f"{rows - models} of the {rows} rows repeat a model: there are {models}"
    yield stress("models counted once", models, says, n=rows, lost=models != rows)


@claim("C45", panels=BASE)
def other_pairs(panel: str) -> Attempts:
    """Share of the steps between Pythia sizes in which two scores rise together, of the six pairs without TruthfulQA.

    "Nearly every" is read as all steps but at most one.
    """
    parts = {}
    for x, y in combinations([name for name in SCORES if name != Y], 2):
        gamma = coupling.local_coupling(SUBSETS[PYTHIA](panel), x=x, y=y)["gamma"]
        rising, pair = int((gamma > 0).sum()), f"{tables.label(x)} with {tables.label(y)}"
        note = f"{pair}: {rising} of {len(gamma)} steps rise together"
        parts[pair] = Result(rising >= len(gamma) - 1, n=len(gamma), note=note)
    yield parts

    failing = [name for name, result in parts.items() if not result.value]
    says = f"{len(failing)} of the {len(parts)} pairs without TruthfulQA fall together in two steps or more"
    rest, more = len(parts) - len(failing), f": {', '.join(failing)}"
    yield stress("all six pairs", rest, says, n=7, lost=bool(failing), more=more)


@claim("C58", panels=BASE)
def dimensions(panel: str) -> Attempts:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the five scores, below 3.5 B, to 60 B, and above."""
    ends = {"tax": (0, CUT), "bonus": (CUT, LARGE), "frontier": (LARGE, np.inf)}
    phases = {name: sizes(panel, *pair).dropna(subset=SCORES) for name, pair in ends.items()}
    d = {name: coupling.effective_dimension(rows).estimate for name, rows in phases.items()}
    falling = d["tax"].estimate > d["bonus"].estimate > d["frontier"].estimate
    note = f"the order (each smaller than the one before) {'comes out' if falling else 'does not come out'}"
    parts = {f"d_eff, {name}": Result.of(each, note) for name, each in d.items()}
    counts = {f"models, {name}": Result(len(rows), n=len(rows)) for name, rows in phases.items()}
    families = Result(phases["frontier"]["family"].nunique(), n=len(phases["frontier"]))
    yield parts | counts | {"families, frontier": families}

    first, last = parts["d_eff, tax"], parts["d_eff, frontier"]
    says = f"d_eff of the {last.n} largest models is {last.text}, that of the smallest {first.text}"
    yield stress("the interval of few models", last, says, lost=last.contains(float(first.value or 0.0)))


@claim("C72", reads=("base_panel", "base_scores"))
def probe_couplings(panel: str) -> Attempts:
    """gamma of the step from each of four 1 B models to the next size, in the version of the architecture probe."""
    rows = tables.base_version("architecture_probe_script")
    current = coupling.local_couplings(tables.base(panel)).set_index("smaller")
    parts = {}
    for family, model in (("OPT", "OPT-1.3B"), ("BLOOM", "BLOOM-1.1B"), ("OLMo", "OLMo-1B"), ("Pythia", "Pythia-1B")):
        step = fieller_of(coupling.local_coupling(rows[rows["family"] == family]).iloc[0])
        parts[model] = Result.of(step, f"{model} on the released panel: {current['gamma'][model]:.2f}")
    yield parts

    own = fieller_of(current.loc["Pythia-1B"])
    lead = f"on the released panel the step of Pythia-1B is {own.estimate:.2f} [{own.low:.1f}, {own.high:.1f}], and "
    yield beyond_zero("the released panel", own, lead, scale="plain", digits=1)


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


def losses(series: str) -> pd.DataFrame:
    """One series of losses by size, and `level`, N^alpha (L - E): constant where the law holds; N is the count."""
    rows = tables.losses().query("series == @series").sort_values("params_b")
    return rows.assign(level=(rows["params_b"] * 1e9) ** ALPHA * (rows["loss"] - E))


def law(rows: pd.DataFrame) -> pd.Series:
    """The loss by the law, its level the mean over the rows."""
    return E + rows["level"].mean() * (rows["params_b"] * 1e9) ** -ALPHA


def bend(rows: pd.DataFrame) -> Estimate:
    """Change of the slope of log(L - E) on log N at the claimed boundary: least squares with a knee there."""
    from statsmodels.regression.linear_model import OLS

    size = np.log(rows["params_b"].to_numpy(dtype=float))
    excess = np.log(rows["loss"].to_numpy(dtype=float) - E)
    design = np.column_stack([np.ones_like(size), size, np.clip(size - math.log(CUT), 0.0, None)])
    fit = OLS(excess, design).fit()
    low, high = fit.conf_int()[2]
    return Estimate(float(fit.params[2]), float(low), float(high), len(rows), "knee, exact t")


@claim("C60", reads=("losses",))
def loss_law(panel: str) -> Attempts:
    """R^2 of L = 1.533 + A N^-0.238; coefficient of variation of N^0.238 (L - 1.533) in percent; its mean A; a bend."""
    rows, measured = losses("published constants"), losses("measured")
    level, n, loss, turn = rows["level"], len(rows), rows["loss"], bend(rows)
    explained = 1 - float(((loss - law(rows)) ** 2).sum() / ((loss - loss.mean()) ** 2).sum())
    seen = (
        f"change of the exponent at {CUT} B: {turn.estimate:+.3f} [{turn.low:.3f}, {turn.high:.3f}], n = {n}; "
        f"the measured losses end at {measured['params_b'].max():g} B"
    )
    yield {
        "R squared": Result(
            explained, n=n, note="no data set or evaluation script is published for these eight losses"
        ),
        "CV, percent": Result(100 * level.std(ddof=0) / level.mean(), n=n),
        "level": Result(level.mean(), n=n),
        "no trace of a transition": Result(turn.contains(0.0), n=n, note=seen),
    }

    own = measured["level"]
    spread = float(100 * own.std(ddof=0) / own.mean())
    says = f"the one series with a data set scatters by {spread:.1f} % about the law, the losses without one by 0.8 %"
    yield stress("the measured losses", spread, says, n=len(own), lost=spread > 2 * 0.8)


@claim("C61", reads=("losses",))
def independent_gradient(panel: str) -> Result:
    """Mean relative error of a gradient ~ N^-(alpha + 1) anchored at 70 M, over that of the loss law."""
    rows, known = losses("measured").dropna(subset="gradient_norm"), losses("published constants")
    size, norm = rows["params_b"].to_numpy(dtype=float), rows["gradient_norm"].to_numpy(dtype=float)
    predicted = norm[0] * (size / size[0]) ** -(ALPHA + 1)
    worse = float(np.mean(np.abs(predicted - norm) / norm))
    base = float(((law(known) - known["loss"]).abs() / known["loss"]).mean())
    note = f"one natural reading gives {100 * worse:.0f} % against {100 * base:.2f} %: the ratio of two unlike errors"
    return Result(worse / base, n=len(rows), note=note)


@claim("C67", reads=("losses",))
def gradient_loss(panel: str) -> Attempts:
    """log |grad L| = c + k log L over six Pythia sizes: r and k; the gap at 1 B to the power law in N, percent."""
    rows = losses("measured").dropna(subset="gradient_norm")
    size, loss, norm = (np.log(rows[name]) for name in ("params_b", "loss", "gradient_norm"))
    at = rows["params_b"] == 1.0
    dip = float(norm[at].iloc[0])
    yield {
        "r": Result.of(pearson(loss, norm)),
        "exponent": Result.of(ols(loss, norm).slope, "Pythia-1B has 16 layers where its neighbours have 24"),
        "dip, percent": Result(-100 * math.expm1(dip - float(ols(size, norm).at(0.0))), n=len(rows)),
    }

    others = ols(size[~at], norm[~at])
    band, below = others.predict(0.0), -100 * math.expm1(dip - float(others.at(0.0)))
    inside = bool(band.low <= dip <= band.high)
    says = f"the gradient at 1 B lies {'inside' if inside else 'outside'} what five other sizes predict (95 %)"
    yield stress("the law without the dip", below, says, n=int((~at).sum()), lost=inside)


@claim("C68", reads=("base_panel",))
def second_eigenvalue(panel: str) -> Attempts:
    """Slope of log lambda2 on log N, and R^2; lambda2 of the correlations of five scores over Pythia up to size N."""
    rows = tables.ladder("Pythia", panel=panel)
    upto = range(3, len(rows) + 1)
    second = [np.sort(np.linalg.eigvalsh(np.corrcoef(rows[SCORES].iloc[:k].T)))[-2] for k in upto]
    line = ols(np.log(rows["params_b"].iloc[2:]), np.log(second))
    slope = Result.of(line.slope)
    yield {"exponent": slope, "R squared": Result(line.r**2, n=line.n)}

    says = f"on the scores the exponent is {slope.text}"
    yield stress("the slope's interval", slope, says, lost=not slope.contains(-0.72), more=", not -0.72")


@claim("C69", reads=("base_panel", "base_scores"))
def angles(panel: str) -> Attempts:
    """sin(theta) at the printed fixed point, slope of gamma on log10 N, root of the printed Riccati equation."""
    # d theta / d log10 N = -16.44 theta^2 + 8.73 theta - 0.977 as printed; the stable root is the larger one.
    theta, angle = float(max(np.roots([-16.44, 8.73, -0.977]).real)), math.asin(0.626)
    rows = tables.base_version(VERSION)
    known = coupling.local_couplings(rows.assign(ladder=rows["family"])).dropna(subset="gamma")
    slope = ols(np.log10(known["params_b_mid"]), known["gamma"]).slope
    yield {
        "sin theta": Result(math.sin(theta), note=f"an angle with sine 0.626 is {angle:.3f}, not {theta:.2f}"),
        "slope": Result.of(slope, "the line of all steps in the version behind the vertex of 3.5 B"),
        "theta": Result(theta),
    }

    says = f"an angle with the sine 0.626 is {angle:.3f}, not the 0.37 of the same sentence"
    yield stress("the printed sine", angle, says, lost=round(angle, 2) != 0.37)


def errors_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors on Llama-2 of every method, trained on Pythia and Llama-1, by method."""
    train, held = frame[frame["ladder"].isin(["Pythia", "Llama-1"])], frame[frame["ladder"] == "Llama-2"]
    return dynamics.hold_out(train, held, y=Y).set_index("method")


def other_methods(errors: pd.DataFrame) -> Iterator[Stress]:
    """The error of each method but the two that are judged; errors: `errors_of`."""
    for method, row in errors.drop(index=["degree 2", "linear system"], errors="ignore").iterrows():
        yield stress(f"{method}: percent error on Llama-2", row["mape"], f"uses {row['uses']}", n=row["n"])


@claim({"C38": ("the equation",), "C63": ("its baseline",)}, panels=BASE, reads=("base_panel", "base_scores"))
def llama_two(panel: str, role: str) -> Attempts:
    """Mean |error| / TruthfulQA over three Llama-2 sizes of a (log10 N)^2 + b log10 N + c, from Pythia and Llama-1,
    which is printed as the error of {0}."""
    printed = errors_of(tables.base_version(VERSION))
    released, own = (errors_of(tables.base(name)) for name in ("published", panel))
    quadratic = (printed if panel == "published" else own).to_dict("index")["degree 2"]
    if role == "its baseline":
        yield Result(
            quadratic["mape"], n=quadratic["n"], note="this baseline is the method behind the 5.6 % of the ODE"
        )
        error = float(printed["mape"]["degree 2"])
        says = f"the polynomial errs by {error:.2f} %: it is the method behind the 5.6 % of the equation"
        yield stress("the method behind 5.6 %", error, says, n=3, lost=error < 10.15)
        yield from other_methods(printed)
        return

    error, carried = (released["mape"][name] for name in ("linear system", "own smallest size"))
    note = f"the linear system itself: {error:.1f} % from Llama-2-7B on, where carrying its score up unchanged errs by "
    yield Result(quadratic["mape"], n=quadratic["n"], note=f"{note}{carried:.1f} %")
    if "linear system" in own.index:
        error, carried = (own["mape"][name] for name in ("linear system", "own smallest size"))
        says = f"the differential equation errs by {error:.1f} %; the 5.6 % are those of a parabola in log N"
        says += f"; to carry the smallest size up unchanged errs by {carried:.1f} %"
        yield stress("the equation itself", error, says, n=int(own["n"]["linear system"]), lost=error > 5.65)
    yield from other_methods(printed)


@claim("C62", panels=BASE)
def in_sample(panel: str) -> Attempts:
    """Sum of |error| over sum of scores of dB/dlog10 N = A B + b, run from Pythia-70M over the eight sizes."""
    rows = tables.ladder("Pythia", panel=panel)
    system = dynamics.fit_linear(rows)
    error = dynamics.fit_error(system, rows)
    note = f"{system.coefficients.size} coefficients from {system.intervals * len(SCORES)} differences"
    note += f"; without the start {error.beyond_start:.1f} %"
    yield Result(error.pooled, n=len(rows) * len(SCORES), note=note)

    table = dynamics.leave_one_size_out(rows)
    worse = int((table["mape"] > table["mape_carried"]).sum())
    says = f"{worse} of {len(table)} sizes that it has not seen it misses by more than the size below, carried up, does"
    more = f" (median error {table['mape'].median():.1f} %; some forecasts explode)"
    yield stress("a size left out", worse, says, n=len(table), lost=worse > 1, more=more)


@claim("C64", panels=BASE)
def pull_on_truth(panel: str) -> Attempts:
    """Slope with intercept of dTQA / dlog10 N on HellaSwag at the midpoints, 70 M to 1 B and 2.8 B to 12 B."""
    rows = tables.ladder("Pythia", panel=panel)
    sides = {"tax": rows[rows["params_b"] <= 1.0], "bonus": rows[rows["params_b"] >= 2.8]}
    known = {name: dynamics.midpoints(side) for name, side in sides.items()}
    slopes = {name: ols(data[X], data[f"d_{Y}"]).slope for name, data in known.items()}
    yield {name: Result.of(one) for name, one in slopes.items()}

    # a slope is a sum of the TruthfulQA scores with weights that sizes and HellaSwag give
    noise = 0.0
    for side in sides.values():
        t, x = np.log10(side["params_b"].to_numpy(dtype=float)), side[X].to_numpy(dtype=float)
        middle = (x[1:] + x[:-1]) / 2 - ((x[1:] + x[:-1]) / 2).mean()
        weight = middle / (middle @ middle) / np.diff(t)
        noise = math.hypot(noise, *((np.r_[0, weight] - np.r_[weight, 0]) * score_noise(side, Y)))
    change = normal_estimate(slopes["bonus"].estimate - slopes["tax"].estimate, noise, sum(map(len, known.values())))
    lead = f"from {change.n} differences the slope grows by {change.estimate:.2f}, the noise of that is {noise:.1f}: "
    yield beyond_zero("score noise", change, lead, scale="plain", digits=1)


@claim("C65", panels=BASE)
def transfer(panel: str) -> Attempts:
    """Smallest diagonal element of V_bonus V_tax^-1; V: eigenvectors of the covariance of five scores, signs alike."""
    frame = tables.base(panel).dropna(subset=SCORES)
    sides = (frame[side][SCORES].to_numpy(dtype=float) for side in (frame["params_b"] < CUT, frame["params_b"] >= CUT))
    before, after = (np.linalg.eigh(np.cov(scores.T))[1][:, ::-1] for scores in sides)
    # An eigenvector's sign is free: each pair is turned the same way before the two are compared.
    aligned = before * np.sign((after * before).sum(axis=0))
    least = float(np.diag(after @ np.linalg.inv(aligned)).min())
    note = "the published matrix was made from eigenvectors typed into a script, not from the scores"
    yield Result(least, n=len(frame), note=note)

    says = f"from the scores the smallest diagonal element is {least:.2f}"
    yield stress("the scores' own directions", least, says, n=len(frame), lost=least < 0.985, more=", not above 0.99")


@claim("C66", reads=("internal_coupling",))
def fixed_point(panel: str) -> Attempts:
    """-b / a of the line dgamma / dlog10 N = a gamma + b through the midpoints of the internal coupling of OPT."""
    rows = tables.load("internal_coupling").query("measure_id == 'opt_ladder'")
    size = rows["model"].str.extract(r"([\d.]+)([MB])$")
    rows = rows.assign(t=np.log10(size[0].astype(float) * size[1].map({"M": 1e-3, "B": 1.0}))).sort_values("t")
    t, gamma = rows["t"].to_numpy(), rows["net_coupling"].to_numpy(dtype=float)
    line = ols((gamma[1:] + gamma[:-1]) / 2, np.diff(gamma) / np.diff(t))
    slope, away = line.slope, line.slope.estimate > 0
    note = f"the slope is {slope.estimate:+.2f}: the flow leads {'away from' if away else 'towards'} the fixed point"
    yield Result(-line.intercept.estimate / slope.estimate, n=len(t) - 1, note=note)

    says = (
        f"the slope there is {slope.estimate:+.2f}: what is near moves {'away from' if away else 'to'} the fixed point"
    )
    yield stress("the sign of the slope", slope, says, lost=away, more="; it settles nowhere")
    for ladder in ("OPT", "Pythia"):
        flow = dynamics.gamma_flow(tables.ladder(ladder, panel="published"))
        says = "attracting" if flow.line.slope.estimate < 0 else "repelling"
        yield stress(f"gamma of the scores, {ladder}: fixed point", flow.fixed_point, says)


def scales(panel: str, ladder: str) -> pd.DataFrame:
    """The four estimates of one ladder's critical scale, by estimator."""
    return boundary.critical_scales(tables.ladder(ladder, panel=panel)).set_index("estimator")


def lowest_inside(panel: str, ladder: str) -> Result:
    """Size at the lowest TruthfulQA of a ladder, the lower edge of the first step that rises; not an end of it."""
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


#: The sizes of which the lowest is taken of families without a ladder of three.
FEW: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "GPT-Neo": lambda frame: frame["model"].str.lower().str.contains("gpt-neo-"),
    "Falcon": lambda frame: (frame["family"] == "Falcon") & frame["params_b"].isin([1.0, 7.0, 40.0]),
}


def lowest_of(panel: str, family: str) -> tuple[Result, Stress | None]:
    """Size at the lowest TruthfulQA of a family without a ladder of three sizes; the test of it, if the rows do."""
    rows = tables.base(panel)
    rows = rows[FEW[family](rows)].sort_values(Y)
    lowest, n = rows["params_b"].iloc[0], len(rows)
    if family == "GPT-Neo":
        # the claim rests on the lowest of the larger sizes
        ends = pd.concat([rows.head(1), rows[rows["params_b"] > lowest].head(1)])
        noise = float(np.hypot(*score_noise(ends, Y)))
        one = normal_estimate(float(ends[Y].diff().iloc[1]), noise, 2)
        lead = f"the claim rests on a rise of {one.estimate:.2f} points, where the noise of such a difference is "
        tested = beyond_zero("score noise", one, f"{lead}{noise:.1f}: ", scale="plain", digits=1)
        return Result(lowest, n=n, note=f"the lowest larger size lies {one.estimate:.2f} points higher"), tested
    if family not in tables.ladders(panel):
        return Result(lowest, n=n), None
    alike = tables.ladder(family, panel=panel).dropna(subset=[Y])
    least = float(alike.sort_values(Y)["params_b"].iloc[0])
    end = least in (alike["params_b"].min(), alike["params_b"].max())
    trained = ", ".join(f"{size:g}" for size in alike["params_b"])
    note = f"within the ladder that was trained alike ({trained} B) TruthfulQA is lowest at {least:g} B"
    note += ", an end of it: no turn is seen" if end else ""
    says, more = f"of the {len(alike)} sizes trained alike {least:g} B is lowest", ", an end: no turn is seen"
    tested = stress("the ladder trained alike", least, says, n=len(alike), lost=end, more=more)
    return Result(lowest, n=n, note=note), tested


@claim({"C49": ("GPT-Neo",), "C51": ("Falcon",)}, panels=BASE)
def lowest_of_few(panel: str, family: str) -> Attempts:
    """Size at the lowest TruthfulQA of {0}: the three models named GPT-Neo, or Falcon of 1, 7 and 40 B."""
    lowest, tested = lowest_of(panel, family)
    yield lowest
    if tested is not None:
        yield tested


@claim("C53", panels=BASE)
def scale_range(panel: str) -> Attempts:
    """Largest over smallest critical scale of the families above that have one."""
    named: tuple[str, ...] = ("OPT", "Cerebras-GPT", "BLOOM", "Pythia")
    there = [name for name in named if name in tables.ladders(panel)]
    lowest = {name: lowest_inside(panel, name) for name in there if name != "Pythia"}
    lowest |= {name: lowest_of(panel, name)[0] for name in FEW}
    known = {name: float(one.value) for name, one in lowest.items() if one.value is not None}
    note = ", ".join(f"{name} {size:g} B" for name, size in known.items())
    yield Result(max(known.values()) / min(known.values()), n=len(known), note=note)

    sure = sum(scales(panel, name)["share"]["minimum size"] >= 0.95 for name in there)
    says = (
        f"{sure} of {len(there)} families has a turn inside its sizes in 95 % of the noise draws (one would have "
        f"been seen in four of five repeats where {seen_share(len(there)):.0%} of families have it)"
    )
    more = ": a ratio of sizes that are not known"
    yield stress("score noise", sure, says, n=len(there), lost=sure < 2, more=more)


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

    versions = [tables.base_version(name).query("ladder == 'Pythia'") for name in tables.base_versions()]
    each = [one.dropna(subset=[X, Y]) for one in versions]
    gammas = [coupling.local_coupling(one)["gamma"] for one in each if len(one) >= 5]
    rising, n = sum(int((gamma > 0).sum()) for gamma in gammas), sum(map(len, gammas))
    noise = score_noise(rows, Y)
    seen = seen_words(seen_difference(float(np.median(np.hypot(noise[1:], noise[:-1])))), digits=1)
    says = (
        f"{rising} of {n} steps of Pythia rise, in {len(gammas)} versions of its scores (in points, a rise of {seen})"
    )
    yield stress("every version of the scores", rising, says, n=n, lost=rising < n / 20)


def monte_carlo(draws: NDArray[np.float64], end: int, batches: int = 20) -> float:
    """Two standard errors of one end of the percentile interval, from its spread over batches of the draws.

    The published end has such an error too, so that the difference of the two has sqrt(2) times one.
    """
    ends = np.array([percentile_interval(draws[k::batches])[end] for k in range(batches)])
    return float(2 * math.sqrt(2) * ends.std(ddof=1) / math.sqrt(batches))


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
    covers = tables.promise("pooled vertex", "rows resampled, as published", n=one.n)
    yield {
        "median": Result(one.estimate, one.low, one.high, one.n, note, covers=covers),
        "low": Result(one.low, n=one.n, slack=slack[0]),
        "high": Result(one.high, n=one.n, slack=slack[1]),
    }

    rows = boundary.vertex_intervals(printed).set_index("method").to_dict("index")
    left = rows["one family left out"]
    says = f"without one of its three families the vertex lies between {left['low']:.2g} and {left['high']:.2g} B"
    size = Result(left["n_c_b"], left["low"], left["high"], left["n"])
    lost = left["low"] < rows["rows resampled, as published"]["low"]
    yield stress("one family left out", size, says, lost=lost)
    for method, row in rows.items():
        if method != "one family left out":
            covers = tables.promise("pooled vertex", str(method), n=row["n"])
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
    own, (first, last) = fieller_of(step), rows.sort_values("params_b")[Y]
    gamma = Result.of(own, f"TruthfulQA {first:.1f} and {last:.1f}")
    yield {"gamma": gamma, "HellaSwag": Result(step["dx"], n=2), "TruthfulQA": Result((first + last) / 2, n=2)}

    says = f"the noise of the four scores puts gamma between {gamma.low:.2f} and {gamma.high:.2f}"
    wide, more = own.contains(TAX) or own.contains(BONUS), ": tax, transition or bonus alike"
    more += f"; {holds_zero(own, scale='plain')}"
    yield stress("score noise", own, says, lost=wide, more=more)
    for version in ("panel_63", "algebraic_script", "obsscaling"):
        other = coupling.local_coupling(tables.base_version(version).query("ladder == 'OLMo'")).iloc[0]
        yield stress(f"gamma in version {version}", fieller_of(other), "another version of the same two models")


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
    table = boundary.compare_readings(tables.base(panel)).pivot(index="ladder", columns="reading")
    right = table["right"].reindex(["OPT", "BLOOM", "Cerebras-GPT"]).dropna()
    n = table["n"]["stated"]
    parts = {}
    for ladder, row in right.iterrows():
        note = f"{ladder}: of {n[ladder]:.0f}; as stated {row['stated']}, always negative {row['always negative']}"
        parts[str(ladder)] = Result(row["reversed"], n=int(n[ladder]), note=note)
    yield parts

    stated, guess, of = (int(v) for v in (right["stated"].sum(), right["always negative"].sum(), n[right.index].sum()))
    says = (
        f"as stated the curve tells {stated} of the {of} signs of these families; to call each negative tells {guess}"
    )
    yield stress("the rule as stated", stated, says, n=of, lost=stated < guess)


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


#: The five families that paper A normalises, as ladders of the tables.
TESTED = ("Pythia", "GPT-Neo/J/NeoX", "Cerebras-GPT", "BLOOM", "OPT")


def widths(panel: str, ladder: str) -> pd.DataFrame:
    """A ladder's rows with a width and both scores, as they are and normalised; none where there is no such ladder."""
    frame = tables.base(panel)
    rows = frame[frame["ladder"] == ladder].dropna(subset=[X, Y, "d_model"]).sort_values("params_b")
    return rows if rows.empty else levers.normalise(rows)


def before_and_after(rows: pd.DataFrame, note: str = "") -> dict[str, Result]:
    """r of the two scores, and r after dividing both by d_model / 512."""
    pairs = {"plain": (X, Y), "divided": ("x_normalised", "y_normalised")}
    return {name: Result.of(pearson(rows[x], rows[y]), note) for name, (x, y) in pairs.items()}


def nearest_subset(rows: pd.DataFrame, printed: tuple[float, ...]) -> str:
    """Which three or more sizes of a ladder come nearest to two printed values, and what they give."""
    chosen = np.array([mask for mask in product((0.0, 1.0), repeat=len(rows)) if sum(mask) >= 3])
    plain, divided = (
        pearson_rows(rows[first].to_numpy(dtype=float), rows[second].to_numpy(dtype=float), chosen)
        for first, second in ((X, Y), ("x_normalised", "y_normalised"))
    )
    best = int(np.nanargmin(np.abs(plain - printed[0]) + np.abs(divided - printed[1])))
    named = ", ".join(rows["model"].to_numpy()[chosen[best] > 0])
    return f"of all subsets of three or more, {named} come nearest: {plain[best]:.4f} to {divided[best]:.4f}"


def shuffled(panel: str, *ladders: str) -> Stress:
    """r after division by width of the same scores, each shuffled over the sizes: no coupling is left in them."""
    rows = {name: widths(panel, name) for name in ladders}
    nulls = {name: levers.width_normalised(own) for name, own in rows.items() if len(own)}
    name, least = min(nulls.items(), key=lambda item: item[1]["share_positive"])
    family = f"of {len(nulls)} families {name} least often" if len(nulls) > 1 else name
    share, ends = least["share_positive"], (least["null_low"], least["null_high"])
    null = Estimate(least["null"], *ends, int(least["n"]), "random scores divided by the same widths")
    says = f"shuffled scores over width have r > 0 in {share:.0%} of the draws ({family})"
    # what chance does more often than one time in twenty is no evidence
    return stress("shuffled scores", null, says, lost=share > 0.05)


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
    if len(own) < len(rows):
        plain, divided = (one.value for one in before_and_after(rows).values())
        note = f"with all {len(rows)} sizes: {plain:.3f} to {divided:.3f}"
    yield before_and_after(own, note)
    yield shuffled(panel, ladder)


@claim({"C07": ("how many have r < 0 and",), "C40": ("whether each has,",)}, panels=BASE)
def width_families(panel: str, which: str) -> Attempts:
    """Of five families: {0} after dividing both scores by d_model / 512, r > 0."""
    there = [rows for rows in (widths(panel, name) for name in TESTED) if len(rows)]
    r = pd.DataFrame([{name: one.value for name, one in before_and_after(rows).items()} for rows in there])
    n = len(r)
    if which.startswith("how many"):
        flipped = ((r["plain"] < 0) & (r["divided"] > 0)).sum()
        yield {"flipped": Result(flipped, n=n), "of": Result(n, n=n)}
    else:
        least = r["divided"].min()
        yield Result(least > 0, n=n, note=f"smallest r after division: {least:.3f}")
    yield shuffled(panel, *TESTED)


@claim("C05", panels=BASE)
def phi_coupling(panel: str) -> Attempts:
    """gamma of the smallest step between Phi models, beside those of web-trained ladders whose step spans 10 B."""
    frame = tables.base(panel)
    step = coupling.local_coupling(frame[frame["model"].str.lower().isin(["phi-1.5", "phi-1_5", "phi-2"])]).iloc[0]
    web = coupling.local_couplings(frame[frame["training"] == "web"])
    at = web[(web["params_b_low"] < 10) & (web["params_b_high"] > 10)]["gamma"]
    note = (
        f"the smallest step of Phi, {step['params_b_low']:g} to {step['params_b_high']:g} B; "
        f"{len(at)} web-trained steps span 10 B, from {at.min():.2f} to {at.max():.2f}"
    )
    yield Result.of(fieller_of(step), note)
    yield from other_readings(panel)


@claim("C06", panels=BASE)
def ten_times(panel: str) -> Attempts:
    """Median over curated models of (web-trained size with the same HellaSwag score) / (own size)."""
    scale = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading="x"))
    yield Result.of(scale, "one of several readings of a unit that is not defined")
    yield from other_readings(panel)


def other_readings(panel: str) -> Iterator[Stress]:
    """The equivalent scale read at another axis."""
    for reading in ("y", "residual"):
        scale = levers.ten_times(levers.equivalent_scale(tables.base(panel), reading=reading))
        says = "unbounded: for most curated models no web-trained size of the panel gets there"
        says = "the reading decides the number" if np.isfinite(scale.estimate) else says
        yield stress(f"equivalent scale at {levers.READINGS[reading]}", scale, says)


@claim("C70")
def minimum_curation(panel: str) -> Attempts:
    """h_c = ((N_c - N) / N_c)^1.5 with N_c = 3.5, in percent, at N = 1 and N = 3 billion; whether models need it."""
    note = "the exponent was set, not fitted, and no training run has tested it"
    yield {f"{size} B": Result(100 * levers.minimum_curation(size), note=note) for size in (1, 3)}
    for end in (2.9, 13.4):
        share = 100 * levers.minimum_curation(1.0, critical_b=end)
        yield stress(f"percent at 1 B with N_c = {end:g} B", share, "an end of the published interval of N_c")
