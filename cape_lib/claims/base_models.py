"""Chapters 01 to 03: correlations and signs, laws in size, where fighting turns to cooperating, width and curation."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import stats, tables
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.base.coupling import BONUS, TAX
from cape_lib.claims.registry import BASE, Attempts, claim
from cape_lib.claims.verdict import Result, Stress, answer, beyond_zero, holds_zero, result, stress
from cape_lib.stats import Estimate

X, Y = "hellaswag", "truthfulqa"
SCORES = list(tables.BASE_BENCHMARKS)
# Paper A's boundary, and the size from which it speaks of a second transition or of the frontier (billions).
CUT, LARGE = 3.5, 60.0
# Paper A's loss law L = E + A N^-alpha.
E, ALPHA = 1.533, 0.238
#: the version of the scores behind the vertex of 3.5 B and the forecasts of Llama-2
VERSION = "bootstrap_script"

PYTHIA = "the eight Pythia sizes, 70 million to 12 billion"
LARGE_ONES = "the models of at least 7 B in Llama 1 to 3, Falcon and OPT"
NAMED = ("Llama-1", "Llama-2", "Llama-3", "Falcon", "OPT")


def between(panel: str, low: float = 0.0, high: float = np.inf) -> pd.DataFrame:
    """The rows of a panel from one size up to but not including another (billions)."""
    frame = tables.base(panel)
    return frame[(frame["params_b"] >= low) & (frame["params_b"] < high)]


def r_over(rows: pd.DataFrame, x: str = X) -> Estimate:
    """r of a score and TruthfulQA over some rows; families left out in turn where there are eight."""
    return stats.clustered_r(rows[x], rows[Y], rows["family"])


def fieller_of(step: Any) -> Estimate:
    """gamma of one step with its interval."""
    return Estimate(step["gamma"], step["low"], step["high"], 2, "Fieller")


@claim(
    {"C01": (X, PYTHIA), "C43": ("winogrande", PYTHIA), "C44": ("mmlu", PYTHIA), "C42": (X, LARGE_ONES)}, panels=BASE
)
def r_of_subset(panel: str, x: str, subset: str) -> Attempts:
    """r = corr({0}, truthfulqa) over {1}."""
    large = subset == LARGE_ONES
    rows = between(panel, 7.0).query("family in @NAMED") if large else tables.ladder("Pythia", panel=panel)
    below = rows[rows["params_b"] < CUT]
    yield answer(r_over(rows, x), relatives=large, above=len(rows) - len(below), most=rows[x].max())

    left = stats.clustered_r(rows[x], rows[Y], rows["family"], given=np.log10(rows["params_b"]))
    limits = "" if np.isnan(left.low) else f" [{left.low:.2f}, {left.high:.2f}]"
    side = "still above zero" if left.low > 0 else f"and {holds_zero(left)}"
    yield stress("size held fixed", left, lost=left.contains(0.0), limits=limits, side=side)
    if large:
        yield beyond_zero("every family", r_over(between(panel, 7.0)))
    elif x == X:
        ends = coupling.whole_ladder(rows)
        name = "the whole ladder: points of TruthfulQA from the smallest to the largest size"
        says = f"z = {ends.z:.1f}: that the one score falls while the other rises is sure, whatever r is"
        yield stress(name, ends.dy, says)
        few, says = stats.pearson(below[X], below[Y]), "the six sizes of the claim's words"
        yield stress("only the sizes below 3.5 B", few, says)
        every = between(panel, high=CUT)
        whole, families = r_over(every), every["family"].nunique()
        says = f"all {families} families; {holds_zero(whole)}"
        yield stress("every family below 3.5 B", whole, says, relatives=True)
    else:
        for version in ("figures_script", "dashboard_html", "obsscaling"):
            other = tables.base_version(version).query("ladder == 'Pythia'")
            r = stats.pearson(other[x], other[Y])
            yield stress(f"version {version} of the scores", r, "another file of the same models")


@claim("C98", panels=BASE)
def coupling_by_phase(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) below 3.5 B, from 7 to 30 B and from 30 B."""
    ends = {"tax": (0.0, CUT), "bonus": (7.0, 30.0), "second transition": (30.0, np.inf)}
    phases = {name: r_over(between(panel, *sizes)) for name, sizes in ends.items()}
    yield answer(phases, relatives=True)

    sure = sum(not one.contains(0.0) for one in phases.values())
    seen = ", ".join(f"{stats.seen_effect(one, scale='fisher'):.2f}" for one in phases.values() if one.bounded)
    yield stress("families left out in turn", sure, n=3, lost=sure < 2, seen=seen)
    says = "the size at which the middle phase starts moves its value"
    yield stress("the middle phase from 3.5 B", r_over(between(panel, CUT, 30.0)), says, relatives=True)


@claim("C59", panels=BASE)
def all_models_r(panel: str) -> Attempts:
    """r = corr(HellaSwag, TruthfulQA) over every model of the panel; p by shuffling within families."""
    whole = coupling.population_coupling(tables.base(panel))  # as chapter 01 draws
    r, p, draws = whole.clustered, whole.permutation_p, 10_000
    error = 2 * (p * (1 - p) / draws) ** 0.5
    chance = f" (± {error:.3f} from {draws:,} draws)" if error > 0.0005 else ""  # half of the third decimal
    parts = {"r": r, "p below 0.0001": p < 1e-4}
    yield answer(parts, r.n, relatives=True, left=whole.partial_given_size, p=stats.p_text(p), chance=chance)
    yield stress("families left out in turn", r, lost=not r.contains(0.682))


@claim("C04", "C46", panels=BASE)
def signs(panel: str) -> Attempts:
    """Share of the intervals of all ladders with gamma < 0, by geometric mean size below and above 3.5 B (C04); those
    with both ends below 3 B and gamma <= 0, and with both ends above 10 B and gamma > 0, of how many (C46)."""
    frame = tables.base(panel)
    known = coupling.local_couplings(frame).dropna(subset="gamma")
    low, gamma, ladder = known["params_b_mid"] < CUT, known["gamma"], known["ladder"]
    below = stats.clustered_share(gamma[low] < 0, ladder[low])
    above = stats.clustered_share(gamma[~low] > 0, ladder[~low])
    middle = gamma[~low & (known["params_b_mid"] < 10)]
    still = int((middle < 0).sum())
    falls, rises = gamma[known["params_b_high"] <= 3.0] <= 0, gamma[known["params_b_low"] > 10.0] > 0
    counts, total = {"falls": falls.agg(["sum", "size"]), "rises": rises.agg(["sum", "size"])}, len(falls) + len(rises)
    parts = {
        "mostly negative below 3.5 B": Result(below.estimate > 0.5, n=below.n),
        "mostly positive above 3.5 B": Result(above.estimate > 0.5, n=above.n),
        "sharply at 3.5 B": Result(0 < len(middle) >= 2 * still, n=len(middle)),
        "right": falls.sum() + rises.sum(),
        "of": total,
    }
    yield answer(parts, total, below=below, above=above, still=still, counts=counts)

    sweep = coupling.cut_sweep(frame, [1.5, 2.5, CUT, 7.0]).set_index("cut_b")
    others = [f"{cut:g} B" for cut in (1.5, 2.5, 7.0) if sweep["flips"][cut]]
    jump, named = sweep["r_above"][CUT] - sweep["r_below"][CUT], ", ".join(others)
    yield stress("another cut", jump, n=len(frame), lost=bool(others), at=len(others), named=named)
    # the rule on the steps between 3 and 10 B too, beside the guess that every step is negative
    share = stats.wilson_clustered(np.where(low, gamma < 0, gamma >= 0), ladder)
    guess = float((gamma < 0).mean())
    yield stress("every step", share, lost=share.contains(guess), guess=guess, seen=stats.seen_effect(share))


@claim("C35", panels=BASE)
def panel_size(panel: str) -> Attempts:
    """Rows of the panel, and families as the panel files them."""
    frame = tables.base(panel)
    rows, models = len(tables.base("published")), len(tables.base("deduplicated"))
    says = f"{models} of the rows are different models" if panel == "published" else ""
    count = Result(len(frame), n=len(frame), says=says)
    yield answer({"models": count, "families": frame["family"].nunique()}, len(frame))
    yield stress("models counted once", models, n=rows, lost=models != rows, repeats=rows - models)


@claim("C45", panels=BASE)
def other_pairs(panel: str) -> Attempts:
    """Share of the steps between Pythia sizes in which two scores rise together, of the six pairs without TruthfulQA.

    "Nearly every" is read as all steps but at most one.
    """
    parts = {}
    for x, y in combinations([name for name in SCORES if name != Y], 2):
        gamma = coupling.local_coupling(tables.ladder("Pythia", panel=panel), x=x, y=y)["gamma"]
        rising, pair = int((gamma > 0).sum()), f"{tables.label(x)} with {tables.label(y)}"
        says = f"{pair}: {rising} of {len(gamma)} steps rise together"
        parts[pair] = Result(rising >= len(gamma) - 1, n=len(gamma), says=says)
    yield answer(parts)

    failing = [name for name, one in parts.items() if not one.value]
    rest, named = len(parts) - len(failing), ", ".join(failing)
    yield stress("all six pairs", rest, n=7, lost=bool(failing), falling=len(failing), named=named)


@claim("C58", panels=BASE)
def dimensions(panel: str) -> Attempts:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the five scores, below 3.5 B, to 60 B, and above."""
    ends = {"tax": (0.0, CUT), "bonus": (CUT, LARGE), "frontier": (LARGE, np.inf)}
    phases = {name: between(panel, *sizes).dropna(subset=SCORES) for name, sizes in ends.items()}
    d = {name: coupling.effective_dimension(rows).estimate for name, rows in phases.items()}
    falling = d["tax"].estimate > d["bonus"].estimate > d["frontier"].estimate
    parts: dict[str, Any] = {f"d_eff, {name}": each for name, each in d.items()}
    parts |= {f"models, {name}": Result(len(rows), n=len(rows)) for name, rows in phases.items()}
    parts["families, frontier"] = Result(phases["frontier"]["family"].nunique(), n=len(phases["frontier"]))
    yield answer(parts, comes="comes out" if falling else "does not come out")

    first, last = d["tax"], d["frontier"]
    lost = last.contains(first.estimate)
    yield stress("the interval of few models", last, lost=lost, first=result(first).text)


@claim("C72", reads=("base_panel", "base_scores"))
def probe_couplings(panel: str) -> Attempts:
    """gamma of the step from each of four 1 B models to the next size, in the version of the architecture probe."""
    rows = tables.base_version("architecture_probe_script")
    current = coupling.local_couplings(tables.base(panel)).set_index("smaller")
    models = {"OPT": "OPT-1.3B", "BLOOM": "BLOOM-1.1B", "OLMo": "OLMo-1B", "Pythia": "Pythia-1B"}
    first = {family: coupling.local_coupling(rows[rows["family"] == family]).iloc[0] for family in models}
    parts = {model: fieller_of(first[family]) for family, model in models.items()}
    yield answer(parts, released=current["gamma"])
    yield beyond_zero("the released panel", fieller_of(current.loc["Pythia-1B"]), scale="plain", digits=1)


@claim("C104", panels=BASE)
def scores_alone(panel: str) -> Attempts:
    """gamma from sizes and two scores alone; three neighbouring sizes whose change is surely of one sign."""
    rows = tables.ladder("Pythia", panel=panel)
    bare, whole = (coupling.local_coupling(each)["gamma"] for each in (rows[["params_b", X, Y]], rows))
    own = tables.base(panel).dropna(subset=["ladder", X, Y]).sort_values("params_b", kind="stable")
    own = own.drop_duplicates(["ladder", "params_b"])
    runs = [each.iloc[i : i + 3] for _, each in own.groupby("ladder") for i in range(len(each) - 2)]
    settled = [coupling.whole_ladder(run).settled for run in runs]
    share, sure = stats.clustered_share(settled, [run["ladder"].iloc[0] for run in runs]), sum(settled)
    parts = {
        "no internals": Result(np.allclose(bare, whole), n=len(rows)),
        "three sizes are enough": Result(share.estimate > 0.5, n=len(runs)),
    }
    yield answer(parts, sure=sure)
    yield stress("three sizes", share, lost=share.estimate <= 0.5, sure=sure)


def losses(series: str) -> pd.DataFrame:
    """One series of losses by size; `level`, N^alpha (L - E), constant where the law holds; `law`, the loss by the law
    at the mean level.  N is the count of parameters."""
    rows = tables.losses().query("series == @series").sort_values("params_b")
    falls = (rows["params_b"] * 1e9) ** -ALPHA
    level = (rows["loss"] - E) / falls
    return rows.assign(level=level, law=E + level.mean() * falls)


@claim("C60", "C61", reads=("losses",))
def loss_law(panel: str) -> Attempts:
    """R^2 of L = 1.533 + A N^-0.238; coefficient of variation of N^0.238 (L - 1.533) in percent; its mean A; a bend
    (C60). Mean relative error of a gradient ~ N^-(alpha + 1) anchored at 70 M, over that of the loss law (C61)."""
    from statsmodels.regression.linear_model import OLS

    rows, measured = losses("published constants"), losses("measured")
    level, loss, by_law = rows["level"], rows["loss"], rows["law"]
    size = np.log(rows["params_b"].to_numpy(dtype=float))
    # change of the slope of log(L - E) on log N at the claimed boundary: least squares with a knee there
    design = np.column_stack([np.ones_like(size), size, np.clip(size - math.log(CUT), 0.0, None)])
    bent = OLS(np.log(loss.to_numpy(dtype=float) - E), design).fit()
    low, high = bent.conf_int()[2]
    known = measured.dropna(subset="gradient_norm")
    norm, times = known["gradient_norm"], known["params_b"] / known["params_b"].iloc[0]
    worse = float((norm.iloc[0] * times ** -(ALPHA + 1) / norm - 1).abs().mean())
    base = float((by_law / loss - 1).abs().mean())
    parts = {
        "R squared": 1 - float(((loss - by_law) ** 2).sum() / ((loss - loss.mean()) ** 2).sum()),
        "CV, percent": 100 * level.std(ddof=0) / level.mean(),
        "level": level.mean(),
        "no trace of a transition": low <= 0.0 <= high,
        "ratio": Result(worse / base, n=len(known)),
    }
    words: dict[str, Any] = {"change": bent.params[2], "ends": (low, high), "most": measured["params_b"].max()}
    yield answer(parts, len(rows), worse=100 * worse, base=100 * base, **words)

    own = measured["level"]
    spread = float(100 * own.std(ddof=0) / own.mean())
    yield stress("the measured losses", spread, n=len(own), lost=spread > 2 * 0.8)


@claim("C67", reads=("losses",))
def gradient_loss(panel: str) -> Attempts:
    """log |grad L| = c + k log L over six Pythia sizes: r and k; the gap at 1 B to the power law in N, percent."""
    from statsmodels.api import OLS, add_constant

    rows = losses("measured").dropna(subset="gradient_norm")
    size, loss, norm = (np.log(rows[name]) for name in ("params_b", "loss", "gradient_norm"))
    at = rows["params_b"] == 1.0
    dip = float(norm[at].iloc[0])
    gap = -100 * math.expm1(dip - float(stats.ols(size, norm).at(0.0)))
    r, line = stats.pearson(loss, norm), stats.ols(loss, norm)
    parts = {"r": r, "exponent": line.slope, "dip, percent": gap}
    yield answer(parts, len(rows), dataset=rows.loc[at, "dataset"].iloc[0])

    below = -100 * math.expm1(dip - float(stats.ols(size[~at], norm[~at]).at(0.0)))
    # 1 B is the lowest of six and was picked after looking: Bonferroni's p of the residual that the others leave it
    p = float(OLS(norm, add_constant(size)).fit().outlier_test().loc[at, "bonf(p)"].iloc[0])
    lost, n, side = p > 0.05, int((~at).sum()), "inside" if p > 0.05 else "outside"
    yield stress("the law without the dip", below, n=n, lost=lost, side=side, p=stats.p_text(p))


@claim("C68", reads=("base_panel",))
def second_eigenvalue(panel: str) -> Attempts:
    """Slope of log lambda2 on log N, and R^2; lambda2 of the correlations of five scores over Pythia up to size N."""
    rows = tables.ladder("Pythia", panel=panel)
    upto = range(3, len(rows) + 1)
    second = [np.sort(np.linalg.eigvalsh(np.corrcoef(rows[SCORES].iloc[:k].T)))[-2] for k in upto]
    line = stats.ols(np.log(rows["params_b"].iloc[2:]), np.log(second))
    yield answer({"exponent": line.slope, "R squared": line.r**2}, line.n)
    yield stress("the slope's interval", line.slope, lost=not line.slope.contains(-0.72))


@claim("C69", reads=("base_panel", "base_scores"))
def angles(panel: str) -> Attempts:
    """sin(theta) at the printed fixed point, slope of gamma on log10 N, root of the printed Riccati equation."""
    # d theta / d log10 N = -16.44 theta^2 + 8.73 theta - 0.977 as printed; the stable root is the larger one.
    theta, angle = float(max(np.roots([-16.44, 8.73, -0.977]).real)), math.asin(0.626)
    rows = tables.base_version(VERSION)
    known = coupling.local_couplings(rows.assign(ladder=rows["family"])).dropna(subset="gamma")
    slope = stats.ols(np.log10(known["params_b_mid"]), known["gamma"]).slope
    yield answer({"sin theta": math.sin(theta), "slope": slope, "theta": theta}, angle=angle, root=theta)
    yield stress("the printed sine", angle, lost=round(angle, 2) != 0.37)


def errors_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Errors on Llama-2 of every method, trained on Pythia and Llama-1, by method."""
    train, held = frame[frame["ladder"].isin(["Pythia", "Llama-1"])], frame[frame["ladder"] == "Llama-2"]
    return dynamics.hold_out(train, held, y=Y).set_index("method")


@claim("C38", "C63", panels=BASE, reads=("base_panel", "base_scores"))
def llama_two(panel: str) -> Attempts:
    """Mean |error| / TruthfulQA over three Llama-2 sizes of a (log10 N)^2 + b log10 N + c, from Pythia and Llama-1,
    which is printed as the error of the equation (C38) and of its baseline (C63)."""
    frames = tables.base_version(VERSION), tables.base("published"), tables.base(panel)
    printed, released, own = (errors_of(frame) for frame in frames)
    first = (printed if panel == "published" else own).to_dict("index")["degree 2"]
    yield answer(first["mape"], first["n"], released=released["mape"])

    error = float(printed["mape"]["degree 2"])
    yield stress("the method behind 5.6 %", error, n=3, lost=error < 10.15)
    if "linear system" in own.index:
        error, carried = (own["mape"][name] for name in ("linear system", "own smallest size"))
        n = int(own["n"]["linear system"])
        yield stress("the equation itself", error, n=n, lost=error > 5.65, carried=carried)
    for method, row in printed.drop(index=["degree 2", "linear system"], errors="ignore").iterrows():
        yield stress(f"{method}: percent error on Llama-2", row["mape"], f"uses {row['uses']}", n=row["n"])


@claim("C62", panels=BASE)
def in_sample(panel: str) -> Attempts:
    """Sum of |error| over sum of scores of dB/dlog10 N = A B + b, run from Pythia-70M over the eight sizes."""
    rows = tables.ladder("Pythia", panel=panel)
    system = dynamics.fit_linear(rows)
    error = dynamics.fit_error(system, rows)
    differences = system.intervals * len(SCORES)
    yield answer(error.pooled, len(rows) * len(SCORES), system=system, error=error, differences=differences)

    table = dynamics.leave_one_size_out(rows)
    worse = int((table["mape"] > table["mape_carried"]).sum())
    yield stress("a size left out", worse, n=len(table), lost=worse > 1, median=table["mape"].median())


def pull(rows: pd.DataFrame) -> Estimate:
    """Slope with intercept of dTQA / dlog10 N on HellaSwag at the midpoints of some sizes."""
    known = dynamics.midpoints(rows)
    return stats.ols(known[X], known[f"d_{Y}"]).slope


@claim("C64", panels=BASE)
def pull_on_truth(panel: str) -> Attempts:
    """Slope with intercept of dTQA / dlog10 N on HellaSwag at the midpoints, 70 M to 1 B and 2.8 B to 12 B."""
    rows = tables.ladder("Pythia", panel=panel)
    sides = {"tax": rows[rows["params_b"] <= 1.0], "bonus": rows[rows["params_b"] >= 2.8]}
    slopes = {name: pull(side) for name, side in sides.items()}
    yield answer(slopes)

    # a slope is a sum of the TruthfulQA scores, the weight of each that which it has alone
    noise = 0.0
    for side in sides.values():
        weights = [pull(side.assign(**{Y: alone})).estimate for alone in np.eye(len(side))]
        noise = math.hypot(noise, *(weights * stats.score_noise(side, Y)))
    growth = slopes["bonus"].estimate - slopes["tax"].estimate
    change = stats.normal_estimate(growth, noise, sum(len(side) - 1 for side in sides.values()))
    yield beyond_zero("score noise", change, scale="plain", digits=1, noise=noise)


@claim("C65", panels=BASE)
def transfer(panel: str) -> Attempts:
    """Smallest diagonal element of V_bonus V_tax^-1; V: eigenvectors of the covariance of five scores, signs alike."""
    frame = tables.base(panel).dropna(subset=SCORES)
    sides = (frame[side][SCORES].to_numpy(dtype=float) for side in (frame["params_b"] < CUT, frame["params_b"] >= CUT))
    before, after = (np.linalg.eigh(np.cov(scores.T))[1][:, ::-1] for scores in sides)
    # An eigenvector's sign is free: each pair is turned the same way before the two are compared.
    aligned = before * np.sign((after * before).sum(axis=0))
    least = float(np.diag(after @ np.linalg.inv(aligned)).min())
    yield answer(least, len(frame))
    yield stress("the scores' own directions", least, n=len(frame), lost=least < 0.985)


@claim("C66", reads=("internal_coupling",))
def fixed_point(panel: str) -> Attempts:
    """-b / a of the line dgamma / dlog10 N = a gamma + b through the midpoints of the internal coupling of OPT."""
    rows = tables.load("internal_coupling").query("measure_id == 'opt_ladder'")
    size = rows["model"].str.extract(r"([\d.]+)([MB])$")
    rows = rows.assign(t=np.log10(size[0].astype(float) * size[1].map({"M": 1e-3, "B": 1.0}))).sort_values("t")
    t, gamma = rows["t"].to_numpy(), rows["net_coupling"].to_numpy(dtype=float)
    line, rest = dynamics.flow(t, gamma)
    slope, away = line.slope.estimate, line.slope.estimate > 0
    yield answer(rest.estimate, line.n, slope=slope, way="away from" if away else "towards")

    yield stress("the sign of the slope", line.slope, lost=away, way="away from" if away else "to")
    for ladder in ("OPT", "Pythia"):
        flow, rest = dynamics.gamma_flow(tables.ladder(ladder, panel="published"))
        says = "attracting" if flow.slope.estimate < 0 else "repelling"
        yield stress(f"gamma of the scores, {ladder}: fixed point", rest, says)


def lowest_inside(panel: str, ladder: str) -> tuple[Result, float]:
    """Size at the lowest TruthfulQA of a ladder, the lower edge of the first step that rises, not an end of it; and the
    share of draws of score noise (0-1) with one."""
    rows = tables.ladder(ladder, panel=panel)
    row = boundary.critical_scales(rows).set_index("estimator").to_dict("index")["minimum size"]
    n = len(rows)
    if math.isnan(row["n_c_b"]):
        says = f"TruthfulQA is lowest at {row['raw_b']:g} B, an end of the ladder: no turn is seen"
        return Result(None, n=n, says=says), row["share"]
    covers = tables.promise("critical scales", "minimum size", n=n)
    return Result(round(row["n_c_b"], 9), row["low"], row["high"], n, covers=covers), row["share"]


@claim({"C47": ("OPT",), "C48": ("Cerebras-GPT",), "C50": ("BLOOM",)}, panels=BASE)
def minimum(panel: str, ladder: str) -> Attempts:
    """Size at the lowest TruthfulQA of {0}, the lower edge of the first interval with gamma > 0; not an end of it."""
    lowest, share = lowest_inside(panel, ladder)
    yield answer(lowest)
    yield stress("score noise", share, n=lowest.n, lost=not share >= 0.95, ladder=ladder)


#: Families without a ladder of three sizes -> the models among which the lowest is taken.
FEW = {"GPT-Neo": "gpt-neo-", "Falcon": "falcon-(?:rw-)?(?:1|7|40)b$"}


def few(panel: str, family: str) -> pd.DataFrame:
    """The rows of a family without a ladder of three sizes, the one lowest in TruthfulQA first."""
    rows = tables.base(panel)
    return rows[rows["model"].str.contains(FEW[family], case=False)].sort_values(Y)


@claim({"C49": ("GPT-Neo",), "C51": ("Falcon",)}, panels=BASE)
def lowest_of_few(panel: str, family: str) -> Attempts:
    """Size at the lowest TruthfulQA of {0}: the three models named GPT-Neo, or Falcon of 1, 7 and 40 B."""
    rows, frame = few(panel, family), tables.base(panel)
    alike = frame[frame["ladder"].isin(rows["ladder"].dropna())].dropna(subset=[Y]).sort_values(Y)
    lowest, sizes = rows["params_b"].iloc[0], alike["params_b"]
    ends = pd.concat([rows.head(1), rows[rows["params_b"] > lowest].head(1)])  # and the lowest of the larger sizes
    noise, rise = float(np.hypot(*stats.score_noise(ends, Y))), float(ends[Y].diff().iloc[1])
    end = sizes.iloc[0] in (sizes.min(), sizes.max())
    of_ladder = {"trained": ", ".join(f"{size:g}" for size in sorted(sizes)), "least": sizes.iloc[0]}
    yield answer(lowest, len(rows), rise=rise, turn=", an end of it: no turn is seen" if end else "", **of_ladder)
    yield beyond_zero("score noise", stats.normal_estimate(rise, noise, 2), scale="plain", digits=1, noise=noise)
    yield stress("the ladder trained alike", float(sizes.iloc[0]), n=len(alike), lost=end)


@claim("C53", panels=BASE)
def scale_range(panel: str) -> Attempts:
    """Largest over smallest critical scale of the families above that have one."""
    there = [name for name in ("OPT", "Cerebras-GPT", "BLOOM", "Pythia") if name in tables.ladders(panel)]
    lowest = {name: lowest_inside(panel, name) for name in there}
    inside: dict[str, Any] = {name: one.value for name, (one, _) in lowest.items() if name != "Pythia"}
    inside |= {name: few(panel, name)["params_b"].iloc[0] for name in FEW}
    known = {name: float(size) for name, size in inside.items() if size is not None}
    named = ", ".join(f"{name} {size:g} B" for name, size in known.items())
    yield answer(max(known.values()) / min(known.values()), len(known), named=named)

    sure = sum(share >= 0.95 for _, share in lowest.values())
    yield stress("score noise", sure, n=len(there), lost=sure < 2, seen=stats.seen_share(len(there)))


@claim(
    {"C02": ("by any of four estimators",), "C52": ("at the lowest TruthfulQA, and an interval for it",)}, panels=BASE
)
def pythia_scale(panel: str, which: str) -> Attempts:
    """A turn from falling to rising TruthfulQA inside the Pythia sizes, {0}."""
    rows = tables.ladder("Pythia", panel=panel)
    if which.startswith("by any"):
        table, gamma = boundary.critical_scales(rows), coupling.local_coupling(rows)["gamma"]
        inside, rising = table.set_index("estimator")["n_c_b"].dropna(), int((gamma > 0).sum())
        turns = ": " * bool(len(inside)) + ", ".join(f"{name} {size:.2g} B" for name, size in inside.items())
        # An estimator that places a turn where no step rises has fitted noise, and its value would be no boundary.
        turn = float(inside.median()) if len(inside) and rising else None
        count = f"{len(inside)} of {len(table)}"
        yield answer(turn, len(rows), count=count, turns=turns, rising=rising, steps=len(gamma))
    else:
        yield answer({"size": lowest_inside(panel, "Pythia")[0], "low": None, "high": None}, len(rows))

    versions = [tables.base_version(name).query("ladder == 'Pythia'") for name in tables.base_versions()]
    each = [one.dropna(subset=[X, Y]) for one in versions]
    gammas = [coupling.local_coupling(one)["gamma"] for one in each if len(one) >= 5]
    rising, n = sum(int((gamma > 0).sum()) for gamma in gammas), sum(map(len, gammas))
    noise = stats.score_noise(rows, Y)
    seen = stats.seen_words(stats.seen_difference(float(np.median(np.hypot(noise[1:], noise[:-1])))), digits=1)
    yield stress("every version of the scores", rising, n=n, lost=rising < n / 20, versions=len(gammas), seen=seen)


def monte_carlo(draws: NDArray[np.float64], end: int, batches: int = 20) -> float:
    """Two standard errors of one end of the percentile interval, from its spread over batches of the draws.

    The published end has such an error too, so that the difference of the two has sqrt(2) times one.
    """
    ends = np.array([stats.percentile_interval(draws[k::batches])[end] for k in range(batches)])
    return float(2 * math.sqrt(2) * ends.std(ddof=1) / math.sqrt(batches))


@claim("C03", panels=BASE, reads=("base_panel", "base_scores"))
def pooled_scale(panel: str) -> Attempts:
    """Vertex of a quadratic TruthfulQA(log10 N) over Pythia, Llama-1 and Llama-2: median and 95 % of resampled rows."""
    # on another panel than the published one the same families with that panel's scores
    printed, frame = tables.base_version(VERSION), tables.base(panel)
    same = frame[frame["ladder"].isin(["Pythia", "Llama-1", "Llama-2"])]
    vertex = boundary.vertex_bootstrap(printed if panel == "published" else same)
    one, (low, high) = vertex.estimate, (monte_carlo(vertex.draws, k) for k in (0, 1))
    covers = tables.promise("pooled vertex", "rows resampled, as published", n=one.n)
    parts = {
        "median": Result(one.estimate, one.low, one.high, one.n, covers=covers),
        "low": Result(one.low, n=one.n, slack=low),
        "high": Result(one.high, n=one.n, slack=high),
    }
    yield answer(parts, share=vertex.share, lower=low, upper=high)

    by_method = boundary.vertex_intervals(printed).set_index("method").to_dict("index")
    left = by_method.pop("one family left out")
    size = Result(left["n_c_b"], left["low"], left["high"], left["n"])
    yield stress("one family left out", size, lost=left["low"] < by_method["rows resampled, as published"]["low"])
    for method, row in by_method.items():
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
    parts = {"gamma": own, "HellaSwag": step["dx"], "TruthfulQA": (first + last) / 2}
    yield answer(parts, 2, first=first, last=last)

    wide = own.contains(TAX) or own.contains(BONUS)
    yield stress("score noise", own, lost=wide, zero=holds_zero(own, scale="plain"))
    for version in ("panel_63", "algebraic_script", "obsscaling"):
        other = coupling.local_coupling(tables.base_version(version).query("ladder == 'OLMo'")).iloc[0]
        yield stress(f"gamma in version {version}", fieller_of(other), "another version of the same two models")


@claim("C29", "C55", panels=BASE)
def base_curve(panel: str) -> Attempts:
    """TQA_c = sqrt(0.187 HS), fractions: signs told right as stated (above: gamma > 0), against "always negative"
    (C29); with the rule reversed (above: gamma < 0), for OPT, BLOOM and Cerebras-GPT (C55)."""
    readings = boundary.compare_readings(tables.base(panel))
    whole, table = readings.query("ladder == 'all'"), readings.pivot(index="ladder", columns="reading")
    every, total = whole.set_index("reading")["right"], int(whole["n"].iloc[0])
    right = table["right"].reindex(["OPT", "BLOOM", "Cerebras-GPT"]).dropna()
    n = table["n"]["stated"][right.index].astype(int)
    parts = {str(name): Result(hits, n=n[name]) for name, hits in right["reversed"].items()}
    parts["better than a guess"] = Result(bool(every["stated"] > every["always negative"]), n=total)
    each = "; ".join(f"{name}: {hits} of {total}" for name, hits in every.items())
    yield answer(parts, right=right, each=each)

    stated, guess = (int(right[reading].sum()) for reading in ("stated", "always negative"))
    yield stress("the rule as stated", stated, n=int(n.sum()), lost=stated < guess, guess=guess)
    sweep = boundary.ratio_sweep(tables.base(panel), [0.15, 0.17, 0.187, 0.20, 0.22])
    guess = sweep[sweep["reading"] == "always negative"].iloc[0]["share"]
    best = sweep[sweep["reading"] == "stated"].sort_values("right", ascending=False).to_dict("records")[0]
    lost = best["share"] < guess
    yield stress("the best ratio", best["share"], n=best["n"], lost=lost, ratio=best["ratio"], guess=guess)


@claim("C57", "C105", reads=("base_panel", "base_scores"))
def olmo_curve(panel: str) -> Attempts:
    """The printed a/b = 0.187 and the two OLMo models: the curve 100 sqrt(0.187 HS) at their mean HellaSwag of 69.4
    percent, their TruthfulQA, and whether the curve meets them (C57); whether their own ratio TruthfulQA^2 / HellaSwag,
    as fractions, is another one (C105)."""
    rows, printed = tables.base_version("paper_3A_long"), boundary.RATIO
    mean, truth = rows[X].mean(), rows[Y].mean()
    ratio = (truth / 100) ** 2 / (mean / 100)
    parts = {"predicted": float(boundary.isocline(math.floor(10 * mean) / 10, printed)) / 100, "measured": truth / 100}
    parts["ratio known before OLMo"] = abs(ratio - printed) >= 0.0005
    yield answer(parts, 2, ratio=ratio, printed=printed)

    apart = abs(float(boundary.isocline(mean, ratio)) - truth) / 100
    yield stress("the exact ratio", apart, n=2, lost=not parts["ratio known before OLMo"], ratio=ratio)


#: The five families that paper A normalises, as ladders of the tables.
TESTED = ("Pythia", "GPT-Neo/J/NeoX", "Cerebras-GPT", "BLOOM", "OPT")
#: Claim -> the family, the size that the paper leaves out of it, and the two values that no reading of it gives.
WIDTHS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "C08": ("Pythia", "none", ()),
    "C09": ("GPT-Neo/J/NeoX", "2.7", ()),
    "C10": ("Cerebras-GPT", "2.7", ()),
    "C11": ("BLOOM", "none", (-0.981, 0.995)),
    "C12": ("OPT", "none", (-0.428, 0.926)),
}


def nearest_subset(rows: pd.DataFrame, printed: tuple[float, ...]) -> str:
    """Which three or more sizes of a ladder come nearest to two printed values, and what they give."""
    chosen = np.array([mask for mask in product((0.0, 1.0), repeat=len(rows)) if sum(mask) >= 3])
    plain, divided = (
        stats.pearson_rows(rows[first].to_numpy(dtype=float), rows[second].to_numpy(dtype=float), chosen)
        for first, second in ((X, Y), ("x_normalised", "y_normalised"))
    )
    best = int(np.nanargmin(np.abs(plain - printed[0]) + np.abs(divided - printed[1])))
    named = ", ".join(rows["model"].to_numpy()[chosen[best] > 0])
    return f"of all subsets of three or more, {named} come nearest: {plain[best]:.4f} to {divided[best]:.4f}"


def shuffled(table: pd.DataFrame) -> Stress:
    """r after division by width of the same scores, each shuffled over the sizes: no coupling is left in them.

    table: `levers.width_by_ladder`.
    """
    least = table.sort_values("share_positive", kind="stable").to_dict("records")[0]
    family = f"{least['ladder']}'s, the least of {len(table)} families" if len(table) > 1 else least["ladder"]
    null = Result(least["null"], least["null_low"], least["null_high"], int(least["n"]))
    # what chance does more often than one time in twenty is no evidence
    lost = least["share_positive"] > 0.05
    return stress("shuffled scores", null, lost=lost, share=least["share_positive"], family=family)


@claim(WIDTHS, panels=BASE)  # C08, C09, C10, C11, C12
def width(panel: str, ladder: str, left_out: str, printed: tuple[float, ...]) -> Attempts:
    """r over the sizes of {0}, plain and with both scores divided by d_model / 512; left out: {1} (billions)."""
    rows = levers.normalise(tables.ladder(ladder, panel=panel))
    own, table = rows[~rows["model"].str.contains(left_out, regex=False)], levers.width_by_ladder(rows)
    note = nearest_subset(rows, printed) if printed else ""
    if len(own) < len(rows):
        note = f"with all {len(rows)} sizes: {table['r'][0]:.3f} to {table['r_normalised'][0]:.3f}"
    plain, divided = stats.pearson(own[X], own[Y]), stats.pearson(own["x_normalised"], own["y_normalised"])
    yield answer({"plain": plain, "divided": divided}, note=note)
    yield shuffled(table)


@claim("C07", "C40", panels=BASE)
def width_families(panel: str) -> Attempts:
    """Of five families: how many have r < 0 and, after dividing both scores by d_model / 512, r > 0 (C07); whether each
    has, after dividing, r > 0 (C40)."""
    frame = tables.base(panel)
    table = levers.width_by_ladder(frame[frame["ladder"].isin(TESTED)].sort_values("params_b"))
    table = table.sort_values("ladder", key=lambda names: names.map(TESTED.index))
    after, n = table["r_normalised"], len(table)
    parts = {"flipped": ((table["r"] < 0) & (after > 0)).sum(), "of": n, "positive after division": after.min() > 0}
    yield answer(parts, n, least=after.min())
    yield shuffled(table)


@claim("C05", "C06", panels=BASE)
def curated(panel: str) -> Attempts:
    """gamma of the smallest step between Phi models, beside those of web-trained ladders whose step spans 10 B (C05);
    median over curated models of (web-trained size with the same HellaSwag score) / (own size) (C06)."""
    frame = tables.base(panel)
    step = coupling.local_coupling(frame[frame["model"].str.lower().isin(["phi-1.5", "phi-1_5", "phi-2"])]).iloc[0]
    web = coupling.local_couplings(frame[frame["training"] == "web"])
    at = web[(web["params_b_low"] < 10) & (web["params_b_high"] > 10)]["gamma"]
    times = {one: levers.ten_times(levers.equivalent_scale(frame, reading=one)) for one in ("x", "y", "residual")}
    parts = {"same coupling": fieller_of(step), "ten times": times.pop("x")}
    yield answer(parts, step=step, spanning=len(at), least=at.min(), most=at.max())

    for reading, scale in times.items():
        says = "unbounded: for most curated models no web-trained size of the panel gets there"
        says = "the reading decides the number" if np.isfinite(scale.estimate) else says
        yield stress(f"equivalent scale at {levers.READINGS[reading]}", scale, says)


@claim("C70")
def minimum_curation(panel: str) -> Attempts:
    """h_c = ((N_c - N) / N_c)^1.5 with N_c = 3.5, in percent, at N = 1 and N = 3 billion; whether models need it."""
    yield answer({f"{size} B": 100 * levers.minimum_curation(size) for size in (1, 3)})
    for end in (2.9, 13.4):
        share = 100 * levers.minimum_curation(1.0, critical_b=end)
        yield stress(f"percent at 1 B with N_c = {end:g} B", share, "an end of the published interval of N_c")
