"""Where two scores of one family might go beyond its sizes, by three methods, and what each got wrong before."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.dynamics.holdout import polynomial
from cape_lib.base.dynamics.systems import fit_linear, forecast, midpoints
from cape_lib.stats import ladder_rows
from cape_lib.tables.axes import PARAMS, Axis

Floats = NDArray[np.float64]
#: beyond this condition number the steps do not determine a system of equations; known families stay below 130
ILL_CONDITIONED = 1e3
#: beyond this sum of a row of M times the step in log size, rounding alone decides the forecast; known ones: below 60
STEEPEST = 100.0
#: from so many sizes on the polynomial is a parabola and the equations are tried
LEAST_SIZES = 4


def carried_on(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    at: float | None = None,
    along: Axis = PARAMS,
) -> pd.DataFrame:
    """Both scores at a size, one row a method, with the method's error when the largest size is held out.

    ladder: one row a size; columns params_b (billions), x, y (percent); at: billions, by default twice the largest;
    along: another axis, in whose column and unit both are.
    Methods: "persistence" (the last score), "polynomial" (in log10 size, degree 2 from four sizes on, else 1), "ode"
    (`fit_linear` of both scores, run from the largest size; NaN below four sizes and where the steps do not determine
    it). Returns, by method, x, y (percent) and held_out (points of y, forecast less what came; NaN with two sizes).
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    """
    rows = ladder_rows(ladder, [x, y], purpose="a forecast", by=along.column)[[along.column, x, y]]
    if not along.by_size:
        # The methods run in log10 of params_b: the place on the scale of the axis stands there as a power of ten.
        first, last_at = (float(rows[along.column].iloc[end]) for end in (0, -1))
        t = along.t([*rows[along.column], along.ahead(last_at, first) if at is None else float(at)])
        places = 10 ** ((t - t[0]) / (1.0 if along.scale == "log" else t[-2] - t[0]))
        rows, at = rows[[x, y]].assign(params_b=places[:-1])[["params_b", x, y]], float(places[-1])
    largest = float(rows["params_b"].iloc[-1])
    size = 2 * largest if at is None else float(at)
    seen, last = rows.iloc[:-1], float(rows[y].iloc[-1])
    table = {}
    for name, method in METHODS.items():
        before = method(seen, size=largest)[1] if len(seen) > 1 else np.nan
        table[name] = (*method(rows, size=size), before - last)
    return pd.DataFrame.from_dict(table, orient="index", columns=[x, y, "held_out"]).rename_axis("method")


def _persistence(rows: pd.DataFrame, *, size: float) -> Floats:
    return rows.iloc[-1, 1:].to_numpy(float)


def _polynomial(rows: pd.DataFrame, *, size: float) -> Floats:
    t = np.log10(rows["params_b"].to_numpy(float))
    degree = 2 if len(rows) >= LEAST_SIZES else 1
    at = np.log10([size])
    return np.array([polynomial(t, rows[name].to_numpy(float), at, degree)[0] for name in rows.columns[1:]])


def _ode(rows: pd.DataFrame, *, size: float) -> Floats:
    names, nothing = list(rows.columns[1:]), np.full(2, np.nan)
    if len(rows) < LEAST_SIZES:
        return nothing
    # About the middle of the steps, where the constant is nearly free of the slopes.
    middle = midpoints(rows, benchmarks=names)[names].mean()
    moved = rows.assign(**(rows[names] - middle))
    design = np.column_stack([midpoints(moved, benchmarks=names)[names].to_numpy(float), np.ones(len(rows) - 1)])
    diagonal = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    if diagonal.min() * ILL_CONDITIONED <= diagonal.max():
        return nothing
    system, last = fit_linear(moved, benchmarks=names), moved.iloc[-1]
    ahead = np.log10(size) - np.log10(last["params_b"])
    if np.abs(system.coefficients[:, 1:] * ahead).sum(axis=1).max() > STEEPEST:
        return nothing
    run = forecast(system, [size], start_b=float(last["params_b"]), start=last[names].to_numpy(float))
    return np.asarray(run[names].to_numpy(float)[0] + middle.to_numpy(float))


METHODS = {"persistence": _persistence, "polynomial": _polynomial, "ode": _ode}
