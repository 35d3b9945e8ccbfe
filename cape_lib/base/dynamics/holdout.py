"""Predicting a family that was not seen: polynomials and the linear system against doing nothing clever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.dynamics.systems import fit_linear, forecast
from cape_lib.errors import CapeError
from cape_lib.stats import complete_rows
from cape_lib.tables import BASE_BENCHMARKS

Floats = NDArray[np.float64]
DEGREES = (1, 2, 3, 4)
UNSEEN = "training rows only"
STARTED = "the family's smallest size too"


def hold_out(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    y: str = "truthfulqa",
    degrees: Sequence[int] = DEGREES,
    benchmarks: Sequence[str] = BASE_BENCHMARKS,
) -> pd.DataFrame:
    """Error on a family that was left out, by every method that can be tried.

    train, test: one row a model; columns params_b (billions), y (percent), for the system also benchmarks and ladder.
    Methods that see the training rows only: "mean", "nearest size" (persistence over sizes: the training score
    nearest in log10 size, ties averaged), "degree d" (polynomial in log10 size). Methods that start from the family's
    own smallest size and predict the others: "own smallest size" (persistence), "degree d, shifted" (the polynomial,
    moved to pass through that size) and "linear system" (`fit_linear` on the training ladders; absent where scores are
    missing). Compare within one value of `uses`.
    Returns method, uses, mape (percent of y), mae (points), n (scores predicted).
    Raises MissingError where y or params_b is missing in either table.
    Published: 5.6 % is degree 2 from Pythia and Llama-1 to the three Llama-2 sizes ("bootstrap_script" scores).
    """
    errors = _errors(train, test, y, degrees, benchmarks)
    return _scored(errors, ["method", "uses"])


def leave_one_family_out(
    panel: pd.DataFrame,
    *,
    y: str = "truthfulqa",
    by: str = "ladder",
    degrees: Sequence[int] = DEGREES,
    benchmarks: Sequence[str] = BASE_BENCHMARKS,
) -> pd.DataFrame:
    """`hold_out` of every family in turn, trained on all others, and all families together ("all").

    panel: one row a model; by: the column that names what is left out (rows without it are trained on, never left
    out); families of one size are left out too, without the methods that start from a smaller size. "all" weighs every
    predicted score alike. Returns `by` and the columns of `hold_out`.
    """
    rows = complete_rows(panel, [by, "params_b", y], least=1, purpose="leaving one family out")
    parts = []
    for name in sorted(rows[by].unique()):
        inside = (panel[by] == name).to_numpy(dtype=bool, na_value=False)
        parts.append(_errors(panel[~inside], panel[inside], y, degrees, benchmarks).assign(**{by: name}))
    errors = pd.concat(parts, ignore_index=True)
    both = pd.concat([errors, errors.assign(**{by: "all"})], ignore_index=True)
    return _scored(both, [by, "method", "uses"])


def _errors(
    train: pd.DataFrame, test: pd.DataFrame, y: str, degrees: Sequence[int], benchmarks: Sequence[str]
) -> pd.DataFrame:
    """One row a predicted score and method: method, uses, true, guess."""
    known = complete_rows(train, ["params_b", y], purpose="a prediction")
    asked = complete_rows(test, ["params_b", y], least=1, purpose="a test")
    (t, score), (at, true) = (
        (np.log10(rows["params_b"].to_numpy(dtype=float)), rows[y].to_numpy(dtype=float)) for rows in (known, asked)
    )
    guesses: list[tuple[str, str, Floats, Floats]] = [
        ("mean", UNSEEN, true, np.full(true.shape, score.mean())),
        ("nearest size", UNSEEN, true, _nearest(t, score, at)),
    ]
    guesses += [(f"degree {d}", UNSEEN, true, polynomial(t, score, at, d)) for d in degrees]
    if len(asked) > 1:
        guesses.append(("own smallest size", STARTED, true[1:], np.full(true.size - 1, true[0])))
        for d in degrees:
            curve = polynomial(t, score, at, d)
            guesses.append((f"degree {d}, shifted", STARTED, true[1:], true[0] + curve[1:] - curve[0]))
    system = _system(train, test, y, benchmarks)
    if system is not None:
        guesses.append(("linear system", STARTED, *system))
    frames = [pd.DataFrame({"method": m, "uses": u, "true": v, "guess": g}) for m, u, v, g in guesses]
    return pd.concat(frames, ignore_index=True)


def _scored(errors: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean errors by the keys, in the order of appearance."""
    away = (errors["guess"] - errors["true"]).abs()
    table = errors.assign(mape=100 * away / errors["true"], mae=away, n=1)
    # A mean that passed over what ran away would flatter the method.
    return (
        table.groupby(keys, sort=False)
        .agg(mape=("mape", lambda v: v.mean(skipna=False)), mae=("mae", lambda v: v.mean(skipna=False)), n=("n", "sum"))
        .reset_index()
    )


def _nearest(t: Floats, score: Floats, at: Floats) -> Floats:
    """The score at the training size nearest to each size asked for, ties averaged."""
    gap = np.abs(at[:, None] - t[None, :])
    tied = gap <= gap.min(axis=1, keepdims=True) + 1e-12
    return np.asarray((tied * score).sum(axis=1) / tied.sum(axis=1))


def polynomial(t: Floats, score: Floats, at: Floats, degree: int) -> Floats:
    """Least-squares polynomial in log10 size, centred and scaled first; NaN with too few different sizes."""
    if np.unique(t).size <= degree:
        return np.full(at.shape, np.nan)
    centre, scale = t.mean(), np.ptp(t) / 2
    powers, asked = (np.vander((v - centre) / scale, degree + 1) for v in (t, at))
    return np.asarray(asked @ np.linalg.lstsq(powers, score, rcond=None)[0])


def _system(train: pd.DataFrame, test: pd.DataFrame, y: str, benchmarks: Sequence[str]) -> tuple[Floats, Floats] | None:
    """True scores and the linear system's, from the family's smallest size; None where either table lacks scores."""
    names = list(benchmarks)
    if y not in names:
        return None
    try:
        rows = complete_rows(test, ["params_b", *names])
        system = fit_linear(train, benchmarks=names)
    except CapeError:
        return None
    size, scores = rows["params_b"].to_numpy(dtype=float), rows[names].to_numpy(dtype=float)
    found = forecast(system, size[1:], start_b=size[0], start=scores[0])[y].to_numpy(dtype=float)
    return scores[1:, names.index(y)], found
