"""Where the two scores might turn and where they might go: named estimators, three forecasts, what each got wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from cape_lib.base.boundary.scales import ESTIMATORS, LEAST_SIZES, bracketed, misfit, turn_p
from cape_lib.dashboard.wording import number
from cape_lib.stats import score_noise

Floats = NDArray[np.float64]
DRAWS = 500
#: a verdict needs this share of the draws
SURE = 0.95
#: beyond this condition number the steps do not determine a system of equations; known families stay below 130
ILL_CONDITIONED = 1e3
#: beyond this sum of a row of M times the step in log size, rounding alone decides the forecast; known ones: below 60
STEEPEST = 100.0
#: so many sizes have draws of their own
MOST_SIZES = 60


@lru_cache(maxsize=8)
def fixed_normals(columns: int) -> Floats:
    """The same normal draws everywhere, shape (500, columns), so that a page and a terminal show one interval.

    Lehmer's sequence with Park and Miller's multiplier, seed 1, mapped to normals: integers below 2^53, which a browser
    repeats exactly.
    """
    state, share = 1, np.empty(DRAWS * columns)
    for i in range(share.size):
        state = state * 48271 % 2147483647
        share[i] = state / 2147483647
    return np.asarray(ndtri(share)).reshape(DRAWS, columns)


def boundary(frame: pd.DataFrame, *, x: str, y: str) -> dict[str, Any]:
    """N_c by each named estimator of `boundary.ESTIMATORS`, with its interval from score noise and misfit.

    frame: one row a size, smallest first. Keys: vertex, zero_crossing, minimum_size, best_threshold; each with estimate
    (billions; None where these sizes hold none), low, high (None: beyond the sizes on that side), share (of draws with
    a boundary inside), inside, verdict ("boundary", "no boundary in these sizes", "undecided") by the rule of
    `boundary.critical_scales`: by the draws alone many ladders that only level off would have one.
    """
    t = np.log10(frame["params_b"].to_numpy(float))
    k = t.size
    scores = [frame[name].to_numpy(float) for name in (x, y)]
    noise = [score_noise(frame, name) for name in (x, y)]
    flat = float(np.ptp(scores[1])) == 0.0
    draws = None
    if np.isfinite(noise).all() and k <= MOST_SIZES:
        normals = fixed_normals(2 * k)
        draws = [scores[0] + noise[0] * normals[:, :k], scores[1] + noise[1] * normals[:, k:]]
    return {
        name.replace(" ", "_"): _row(name, t, scores, draws, noise[1]) if k >= LEAST_SIZES and not flat else _nothing()
        for name in ESTIMATORS
    }


def _nothing() -> dict[str, Any]:
    return {"estimate": None, "low": None, "high": None, "share": None, "inside": False, "verdict": "undecided"}


def _row(
    name: str,
    t: Floats,
    scores: list[Floats],
    draws: list[Floats] | None,
    noise: Floats,
) -> dict[str, Any]:
    estimator = ESTIMATORS[name]
    found = float(estimator(t, scores[0][None, :], scores[1][None, :])[0])
    answer = _nothing() | {"estimate": _billions(found), "inside": math.isfinite(found)}
    if draws is None:
        return answer
    wide = misfit(name, t, (scores[0], scores[1]), noise)
    drawn = estimator(t, *(v + wide * (draw - v) for v, draw in zip(scores, draws, strict=True)))
    known = np.sort(drawn[~np.isnan(drawn)])
    if known.size == 0:
        return answer
    share = float(np.isfinite(drawn).mean())
    low, high = (float(known[math.ceil(q * known.size) - 1]) for q in (0.025, 0.975))
    low, high = bracketed(name, low, high, t)
    answer |= {"share": share, "low": _billions(low), "high": _billions(high)}
    turns = turn_p(t, scores[1], noise, turn=found) < 1 - SURE
    if turns and share >= SURE and math.isfinite(low) and math.isfinite(high):
        answer["verdict"] = "boundary"
    elif not math.isfinite(found) and share <= 1 - SURE:
        answer["verdict"] = "no boundary in these sizes"
    return answer


def _billions(log: float) -> float | None:
    return number(10.0**log) if math.isfinite(log) else None


def forecast(frame: pd.DataFrame, *, x: str, y: str, at: float | None) -> dict[str, Any]:
    """Both scores at a size, by three methods, with each method's error when the largest size is held out.

    at: billions; None is twice the largest size. Keys: at_b, ratio (to the largest size), methods: persistence (the
    last score), polynomial (in log10 size, degree 2 from four sizes on, else 1), ode (a linear system of both scores,
    least squares on the steps, from four sizes on; None where the steps do not determine it), each with x, y and
    held_out (points of y, signed: forecast less what came; None where too few sizes are left).
    """
    t = np.log10(frame["params_b"].to_numpy(float))
    scores = frame[[x, y]].to_numpy(float)
    size = float(at) if at is not None else 2 * float(frame["params_b"].iloc[-1])
    methods = {}
    for name, method in METHODS.items():
        ahead = method(t, scores, math.log10(size))
        before = method(t[:-1], scores[:-1], float(t[-1])) if t.size > 2 else None
        methods[name] = {
            "x": number(float(ahead[0])) if ahead is not None else None,
            "y": number(float(ahead[1])) if ahead is not None else None,
            "held_out": number(float(before[1] - scores[-1, 1])) if before is not None else None,
        }
    return {"at_b": size, "ratio": size / float(frame["params_b"].iloc[-1]), "methods": methods}


def _persistence(t: Floats, scores: Floats, at: float) -> Floats | None:
    return np.asarray(scores[-1])


def _polynomial(t: Floats, scores: Floats, at: float) -> Floats | None:
    if t.size < 2:
        return None
    design = np.vander(t - t.mean(), 3 if t.size >= 4 else 2, increasing=True)
    coefficients = np.linalg.lstsq(design, scores, rcond=None)[0]
    return np.asarray((at - t.mean()) ** np.arange(design.shape[1]) @ coefficients)


def _ode(t: Floats, scores: Floats, at: float) -> Floats | None:
    """d score / d log10 N = M score + c, M and c by least squares on midpoints; carried on from the largest size."""
    if t.size < 4:
        return None
    step = np.diff(t)[:, None]
    middle = (scores[:-1] + scores[1:]) / 2
    centre = middle.mean(axis=0)
    design = np.column_stack([middle - centre, np.ones(len(middle))])
    diagonal = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    if diagonal.min() * ILL_CONDITIONED <= diagonal.max():
        return None
    solution = np.linalg.lstsq(design, np.diff(scores, axis=0) / step, rcond=None)[0]
    if np.abs(solution[:2] * (at - t[-1])).sum(axis=0).max() > STEEPEST:
        return None
    system = np.zeros((3, 3))
    system[:2] = solution.T
    from scipy.linalg import expm

    with np.errstate(over="ignore", invalid="ignore"):
        moved = expm(system * (at - t[-1])) @ np.append(scores[-1] - centre, 1.0)
    return np.asarray(moved[:2] + centre)


METHODS: dict[str, Callable[[Floats, Floats, float], Floats | None]] = {
    "persistence": _persistence,
    "polynomial": _polynomial,
    "ode": _ode,
}
