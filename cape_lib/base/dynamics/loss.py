"""The loss power law L = E + A N^-alpha and what it leaves over: the curve that is said to be blind to the turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from cape_lib.errors import MissingError, ScoresError
from cape_lib.stats import Estimate, complete_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LossLaw:
    """L = irreducible + amplitude N^-exponent, N the absolute count of parameters.

    `irreducible` (nats), `exponent`, `amplitude` with t intervals where they were fitted, none where given;
    `r_squared` of the losses (0-1); `variation`: standard deviation over mean of N^exponent (L - irreducible), percent;
    `residuals`: params_b, loss, fitted, residual (nats), level (N^exponent (L - irreducible)).
    """

    irreducible: Estimate
    exponent: Estimate
    amplitude: Estimate
    r_squared: float
    variation: float
    residuals: pd.DataFrame


def loss_law(losses: pd.DataFrame, *, irreducible: float | None = None, exponent: float | None = None) -> LossLaw:
    """The power law of one series of losses, fitted or with the published constants.

    losses: one row a size; columns params_b (billions), loss (nats per token). irreducible, exponent: give both to
    judge a stated law (the amplitude is then the mean level), neither to fit all three by least squares on the losses.
    Raises MissingError with fewer than four sizes to fit, ScoresError where only one constant is given or a loss is
    not above the irreducible one.
    Published: 1.533 + 154 N^-0.238 on the eight Pythia constants, R^2 0.9994, variation 0.8 %. Those losses carry two
    decimals and no source, and stay within 0.025 of the law: they cannot confirm it independently.
    """
    rows = complete_rows(losses, ["params_b", "loss"], least=2, purpose="a power law")
    size, loss = rows["params_b"].to_numpy(dtype=float), rows["loss"].to_numpy(dtype=float)
    if (irreducible is None) != (exponent is None):
        raise ScoresError("one constant of the power law is given: give irreducible and exponent, or neither")
    if irreducible is None or exponent is None:
        constants = _fitted(size, loss)
    else:
        if not np.all(loss > irreducible):
            raise ScoresError(f"a loss is not above the irreducible {irreducible:g}; check the column loss")
        constants = _given(size, loss, irreducible, exponent)
    e, alpha, a = (constant.estimate for constant in constants)
    count = size * 1e9
    fitted, level = e + a * count**-alpha, count**alpha * (loss - e)
    spread = float(np.sum((loss - loss.mean()) ** 2))
    return LossLaw(
        *constants,
        r_squared=1 - float(np.sum((loss - fitted) ** 2)) / spread if spread > 0 else float("nan"),
        variation=float(100 * level.std() / level.mean()),
        residuals=pd.DataFrame(
            {"params_b": size, "loss": loss, "fitted": fitted, "residual": loss - fitted, "level": level}
        ),
    )


def _given(size: Floats, loss: Floats, irreducible: float, exponent: float) -> tuple[Estimate, Estimate, Estimate]:
    level = float(np.mean((size * 1e9) ** exponent * (loss - irreducible)))
    nan = float("nan")
    values = ((irreducible, "given"), (exponent, "given"), (level, "mean level"))
    first, second, third = (Estimate(value, nan, nan, size.size, method) for value, method in values)
    return first, second, third


def _fitted(size: Floats, loss: Floats) -> tuple[Estimate, Estimate, Estimate]:
    """All three constants by least squares on the losses, with asymptotic t intervals."""
    from scipy.optimize import least_squares

    n = size.size
    if n < 4:
        raise MissingError(
            f"a power law of three constants needs four sizes, {n} given; add sizes or give the constants"
        )
    # Sizes by their geometric mean: the amplitude is then near the spread of the losses and all three are of one order.
    middle = float(np.exp(np.log(size).mean()))
    log_u = np.log(size / middle)

    def away(p: Floats) -> Floats:
        return np.asarray(p[0] + np.exp(p[1] - p[2] * log_u) - loss)

    first = np.array([0.8 * loss.min(), np.log(max(loss.mean() - 0.8 * loss.min(), 1e-6)), 0.2])
    found = least_squares(away, first, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
    e, log_b, alpha = (float(v) for v in found.x)
    covariance = np.linalg.pinv(found.jac.T @ found.jac) * float(2 * found.cost) / (n - 3)
    t = float(stdtrit(n - 3, 0.975))
    # log of the amplitude on absolute counts: log b + alpha log(middle in parameters).
    shift = np.log(middle * 1e9)
    gradient = np.array([0.0, 1.0, shift])
    log_a, half = log_b + alpha * shift, t * float(np.sqrt(gradient @ covariance @ gradient))
    half_e, half_alpha = (t * float(np.sqrt(covariance[i, i])) for i in (0, 2))
    method = "least squares, t interval"
    return (
        Estimate(e, e - half_e, e + half_e, n, method),
        Estimate(alpha, alpha - half_alpha, alpha + half_alpha, n, method),
        Estimate(float(np.exp(log_a)), float(np.exp(log_a - half)), float(np.exp(log_a + half)), n, method),
    )
