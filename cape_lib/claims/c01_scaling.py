"""Chapter 01: losses, gradients and the spectrum of the Pythia scores."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cape_lib import tables
from cape_lib.base.coupling import local_couplings
from cape_lib.claims.registry import claim, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import Estimate, ols, pearson

# Paper A's loss law L = E + A N^-alpha.
E, ALPHA = 1.533, 0.238
CUT = 3.5  # billions, the boundary that the loss is said not to see
SCORES = list(tables.BASE_BENCHMARKS)


def losses(series: str) -> pd.DataFrame:
    rows = tables.losses()
    return rows[rows["series"] == series].sort_values("params_b")


def gradients() -> pd.DataFrame:
    """The six Pythia sizes with a measured gradient norm."""
    return losses("measured").dropna(subset="gradient_norm")


def level(rows: pd.DataFrame) -> np.ndarray:
    """N^alpha (L - E), constant where the law holds; N is the absolute count."""
    return np.asarray((rows["params_b"] * 1e9) ** ALPHA * (rows["loss"] - E), dtype=float)


def bend(rows: pd.DataFrame) -> Estimate:
    """Change of the slope of log(L - E) on log N at the claimed boundary: least squares with a knee there."""
    size = np.log(rows["params_b"].to_numpy(dtype=float))
    excess = np.log(rows["loss"].to_numpy(dtype=float) - E)
    design = np.column_stack([np.ones_like(size), size, np.clip(size - math.log(CUT), 0.0, None)])
    fitted = np.linalg.lstsq(design, excess, rcond=None)[0]
    freedom = len(rows) - design.shape[1]
    spread = float(np.sum((excess - design @ fitted) ** 2)) / freedom * np.linalg.inv(design.T @ design)[2, 2]
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(spread)
    return Estimate(float(fitted[2]), float(fitted[2] - half), float(fitted[2] + half), len(rows), "knee, exact t")


@claim("C60", reads=("losses",))
def loss_law(panel: str) -> dict[str, Result]:
    """R^2 of L = 1.533 + A N^-0.238; coefficient of variation of N^0.238 (L - 1.533) in percent; its mean A; a bend."""
    rows = losses("published constants")
    values = level(rows)
    n, loss = len(rows), rows["loss"].to_numpy(dtype=float)
    fitted = E + values.mean() * (rows["params_b"].to_numpy(dtype=float) * 1e9) ** -ALPHA
    explained = 1 - float(((loss - fitted) ** 2).sum() / ((loss - loss.mean()) ** 2).sum())
    source = "no data set or evaluation script is published for these eight losses"
    turn = bend(rows)
    largest = losses("measured")["params_b"].max()
    seen = (
        f"change of the exponent at {CUT} B: {turn.estimate:+.3f} [{turn.low:.3f}, {turn.high:.3f}], n = {n}; "
        f"the measured losses end at {largest:g} B"
    )
    return {
        "R squared": Result(explained, n=n, note=source),
        "CV, percent": Result(float(100 * values.std() / values.mean()), n=n),
        "level": Result(float(values.mean()), n=n),
        "no trace of a transition": Result(turn.contains(0.0), n=n, note=seen),
    }


@test("the measured losses", "C60", kind="corrected cell")
def loss_law_measured(panel: str) -> Stress:
    values = level(losses("measured"))
    spread = float(100 * values.std() / values.mean())
    says = f"the one series with a data set scatters by {spread:.1f} % about the law, the losses without one by 0.8 %"
    return Stress.of(
        "coefficient of variation of the measured losses, percent", spread, says, n=len(values), lost=spread > 2 * 0.8
    )


@claim("C61", reads=("losses",))
def independent_gradient(panel: str) -> Result:
    """Mean relative error of a gradient ~ N^-(alpha + 1) anchored at 70 M, over that of the loss law."""
    rows, known = gradients(), losses("published constants")
    size, norm = rows["params_b"].to_numpy(dtype=float), rows["gradient_norm"].to_numpy(dtype=float)
    predicted = norm[0] * (size / size[0]) ** -(ALPHA + 1)
    worse = float(np.mean(np.abs(predicted - norm) / norm))
    law = E + level(known).mean() * (known["params_b"] * 1e9) ** -ALPHA
    base = float(np.mean(np.abs(law - known["loss"]) / known["loss"]))
    note = f"one natural reading gives {100 * worse:.0f} % against {100 * base:.2f} %: the ratio of two unlike errors"
    return Result(worse / base, n=len(rows), note=note)


@claim("C67", reads=("losses",))
def gradient_loss(panel: str) -> dict[str, Result]:
    """log |grad L| = c + k log L over six Pythia sizes: r and k; the gap at 1 B to the power law in N, percent."""
    rows = gradients()
    line = ols(np.log(rows["loss"]), np.log(rows["gradient_norm"]))
    in_size = ols(np.log(rows["params_b"]), np.log(rows["gradient_norm"]))
    at = rows["params_b"] == 1.0
    gap = np.log(rows.loc[at, "gradient_norm"]).iloc[0] - float(in_size.at(0.0))
    r = pearson(np.log(rows["loss"]), np.log(rows["gradient_norm"]))
    return {
        "r": Result.of(r),
        "exponent": Result.of(line.slope, "Pythia-1B has 16 layers where its neighbours have 24"),
        "dip, percent": Result(float(-100 * math.expm1(gap)), n=len(rows)),
    }


@test("the law without the dip", "C67", kind="null")
def gradient_in_size(panel: str) -> Stress:
    rows = gradients()
    others = rows[rows["params_b"] != 1.0]
    line = ols(np.log(others["params_b"]), np.log(others["gradient_norm"]))
    band = line.predict(0.0)
    dip = float(np.log(rows.loc[rows["params_b"] == 1.0, "gradient_norm"]).iloc[0])
    inside = bool(band.low <= dip <= band.high)
    says = f"the gradient at 1 B lies {'inside' if inside else 'outside'} what five other sizes predict (95 %)"
    below = float(-100 * math.expm1(dip - float(line.at(0.0))))
    return Stress.of("percent below a law fitted without 1 B", below, says, n=len(others), lost=inside)


@claim("C68", reads=("base_panel",))
def second_eigenvalue(panel: str) -> dict[str, Result]:
    """Slope of log lambda2 on log N, and R^2; lambda2 of the correlations of five scores over Pythia up to size N."""
    rows = tables.ladder("Pythia", panel=panel)
    upto = range(3, len(rows) + 1)
    second = [np.sort(np.linalg.eigvalsh(np.corrcoef(rows[SCORES].iloc[:k].T)))[-2] for k in upto]
    line = ols(np.log(rows["params_b"].iloc[2:]), np.log(second))
    return {"exponent": Result.of(line.slope), "R squared": Result(line.r**2, n=line.n)}


@test("the slope's interval", "C68", kind="as worded")
def exponent_held(panel: str) -> Stress:
    one = second_eigenvalue(panel)["exponent"]
    apart = not one.contains(-0.72)
    says = f"on the scores the exponent is {one.text}"
    name = "exponent of the second eigenvalue"
    return Stress(name, one.value, says, one.low, one.high, one.n, f"{says}, not -0.72" if apart else "")


@test("the printed sine", "C69", kind="as worded")
def angle_of_sine(panel: str) -> Stress:
    angle = math.asin(0.626)
    says = f"an angle with the sine 0.626 is {angle:.3f}, not the 0.37 of the same sentence"
    return Stress.of("the angle with sine 0.626", angle, says, lost=round(angle, 2) != 0.37)


@claim("C69", reads=("base_panel", "base_scores"))
def angles(panel: str) -> dict[str, Result]:
    """sin(theta) at the printed fixed point, slope of gamma on log10 N, root of the printed Riccati equation."""
    # d theta / d log10 N = -16.44 theta^2 + 8.73 theta - 0.977 as printed; the stable root is the larger one.
    theta = float(max(np.roots([-16.44, 8.73, -0.977]).real))
    steps = local_couplings(tables.base_version("bootstrap_script"), by="family").dropna(subset="gamma")
    slope = ols(np.log10(steps["params_b_mid"]), steps["gamma"]).slope
    return {
        "sin theta": Result(
            math.sin(theta), note=f"an angle with sine 0.626 is {math.asin(0.626):.3f}, not {theta:.2f}"
        ),
        "slope": Result.of(slope, "the line of all steps in the version behind the vertex of 3.5 B"),
        "theta": Result(theta),
    }
