"""How far a system of equations can be trusted: its error on its own data, without one size, and at each threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib.base.dynamics.systems import System, fit_linear, forecast
from cape_lib.stats import ladder_rows
from cape_lib.tables import BASE_BENCHMARKS


@dataclass(frozen=True, slots=True)
class FitError:
    """Distance of a forecast from the scores, in percent of the scores.

    `mape`: mean of |error| / score over all sizes and benchmarks, the start (no error by construction) included, as
    published; `beyond_start`: the same without the start; `pooled`: sum of |error| / sum of scores; `by_benchmark`:
    mape of each. NaN where the forecast runs away.
    """

    mape: float
    beyond_start: float
    pooled: float
    by_benchmark: dict[str, float]


def fit_error(system: System, ladder: pd.DataFrame) -> FitError:
    """Error of the run from the ladder's smallest size, against the scores of that ladder (percent of the scores).

    ladder: columns params_b and the system's benchmarks. Raises MissingError and ScoresError as `ladder_rows`.
    Published: 2.6 % for the dense system on the eight Pythia sizes. `pooled` gives that; the mean of the single
    errors, `mape`, is 2.5.
    """
    names = list(system.benchmarks)
    rows = ladder_rows(ladder, names, purpose="the error of a forecast")
    scores, size = rows[names].to_numpy(dtype=float), rows["params_b"].to_numpy(dtype=float)
    found = forecast(system, size, start_b=size[0], start=scores[0])[names].to_numpy(dtype=float)
    away = np.abs(found - scores)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = 100 * away / scores
    return FitError(
        mape=float(share.mean()),
        beyond_start=float(share[1:].mean()),
        pooled=float(100 * away.sum() / scores.sum()),
        by_benchmark={name: float(value) for name, value in zip(names, share.mean(axis=0), strict=True)},
    )


def leave_one_size_out(
    ladder: pd.DataFrame,
    *,
    benchmarks: Sequence[str] = BASE_BENCHMARKS,
    fit: Callable[..., System] = fit_linear,
) -> pd.DataFrame:
    """What the system says of a size that it has not seen, beside the size below carried up unchanged.

    ladder: at least four sizes; fit: `fit_linear` or a function like it. Each size but the smallest is left out in
    turn and forecast from the smallest. Returns model, params_b, mape (percent of the scores, mean over benchmarks; NaN
    where it runs away or a score is 0), mape_carried (the next smaller size's scores). Raises MissingError and
    ScoresError.
    """
    names = list(benchmarks)
    rows = ladder_rows(ladder, names, least=4, purpose="leaving one size out")
    answer = []
    for place in range(1, len(rows)):
        system = fit(rows.drop(index=place), benchmarks=names)
        size, scores = float(rows["params_b"].iloc[place]), rows[names].iloc[place].to_numpy(dtype=float)
        found = forecast(system, [size])[names].to_numpy(dtype=float)[0]
        below = rows[names].iloc[place - 1].to_numpy(dtype=float)
        whole = np.where(scores == 0, np.nan, scores)  # nothing is a percentage of a score of zero
        with np.errstate(over="ignore"):
            errors = [float(100 * np.mean(np.abs(guess - scores) / whole)) for guess in (found, below)]
        name = rows["model"].iloc[place] if "model" in rows.columns else f"{size:g} B"
        answer.append((name, size, *errors))
    return pd.DataFrame(answer, columns=["model", "params_b", "mape", "mape_carried"])
