"""Scores as a system of differential equations in log10 size: fitted densely or sparsely, and carried to any size."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.stats import complete_rows, ladder_rows
from cape_lib.tables import BASE_BENCHMARKS

Floats = NDArray[np.float64]
# A standardised score this far out is a solution that has run away.
RUNAWAY = 1e6


@dataclass(frozen=True, slots=True)
class System:
    """dz/dt = coefficients @ terms(z), with t = log10 of the size and z = (score - mean) / scale.

    `benchmarks` (k); `powers` (terms, k): exponents of z in each term, zeros for the constant; `coefficients`
    (k, terms); `mean`, `scale` (k,): points; `method`; `start_b`, `start`: size in billions and scores (k,) from which
    it runs, NaN for a fit to several ladders; `intervals`: rows of the fit; `condition`: of its design matrix, where
    1e3 costs three digits.
    """

    benchmarks: tuple[str, ...]
    powers: NDArray[np.int64]
    coefficients: Floats
    mean: Floats
    scale: Floats
    method: str
    start_b: float = float("nan")
    start: Floats = field(default_factory=lambda: np.full(1, np.nan))
    intervals: int = 0
    condition: float = float("nan")

    @property
    def degree(self) -> int:
        """Highest power of any term."""
        return int(self.powers.sum(axis=1).max(initial=0))

    @property
    def terms(self) -> int:
        """Coefficients that are not zero, over all equations."""
        return int(np.count_nonzero(self.coefficients))

    def names(self) -> list[str]:
        """A name for each term: "1", "hellaswag", "hellaswag truthfulqa", "hellaswag^2"."""
        factors = [
            [b if p == 1 else f"{b}^{p}" for b, p in zip(self.benchmarks, row, strict=True) if p] for row in self.powers
        ]
        return [" ".join(factor) or "1" for factor in factors]


def midpoints(frame: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS) -> pd.DataFrame:
    """Scores half way between neighbouring sizes and their slopes there: the data of every fit in this module.

    frame: the sizes of one family, or of several with a column `ladder`; columns params_b, benchmarks (percent).
    Returns one row an interval: ladder (if given), log_size (log10 of billions, half way), each benchmark (percent) and
    d_<benchmark> (points per tenfold size). Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    """
    names = list(benchmarks)
    rows = _sorted(frame, names)
    ladder, t = rows["ladder"].to_numpy(), np.log10(rows["params_b"].to_numpy(dtype=float))
    inside = ladder[1:] == ladder[:-1]
    if not inside.any():
        raise MissingError(f"no ladder has two sizes with {', '.join(names)}; add a second size of one family")
    scores, steps = rows[names].to_numpy(dtype=float), np.diff(t)[inside]
    if np.any(steps == 0):
        # The check of a single ladder names the two rows.
        again = ladder[1:][inside][int(np.argmin(steps))]
        ladder_rows(rows[rows["ladder"] == again], names)
    answer = pd.DataFrame(((scores[1:] + scores[:-1]) / 2)[inside], columns=names)
    answer.insert(0, "log_size", ((t[1:] + t[:-1]) / 2)[inside])
    slopes = pd.DataFrame(np.diff(scores, axis=0)[inside] / steps[:, None], columns=[f"d_{b}" for b in names])
    return pd.concat([answer, slopes], axis="columns").assign(ladder=ladder[1:][inside])


def fit_linear(frame: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS) -> System:
    """The paper's dense linear system: every slope on all scores and a constant, least squares on midpoints.

    frame: as `midpoints`. With five benchmarks an equation has six coefficients, and a ladder of eight sizes gives
    seven rows to fit them: one degree of freedom. Fewer rows than coefficients take the smallest solution.
    Raises as `midpoints`. Published: eight Pythia sizes, in-sample error 2.6 %.
    """
    names = list(benchmarks)
    data = midpoints(frame, benchmarks=names)
    design = np.column_stack([np.ones(len(data)), data[names].to_numpy(dtype=float)])
    slopes = data[[f"d_{b}" for b in names]].to_numpy(dtype=float)
    solution = np.linalg.lstsq(design, slopes, rcond=None)[0]
    k = len(names)
    powers = np.vstack([np.zeros((1, k), dtype=np.int64), np.eye(k, dtype=np.int64)])
    system = System(tuple(names), powers, solution.T, np.zeros(k), np.ones(k), method="dense linear, least squares")
    return _started(system, frame, data)


def fit_sparse(
    frame: pd.DataFrame,
    *,
    benchmarks: Sequence[str] = BASE_BENCHMARKS,
    threshold: float = 0.5,
    degree: int = 1,
    ridge: float = 0.5,
    standardise: bool = True,
) -> System:
    """A system with few terms, by sequentially thresholded least squares (pysindy's STLSQ) on the same midpoints.

    frame: as `midpoints`; threshold: coefficients smaller than this are dropped and the rest fitted again (in standard
    deviations per tenfold size, or in the scores' own unit if not standardise); degree: 1 linear, 2 with products;
    ridge: penalty of the inner regressions. Standardised scores make the threshold the same for all benchmarks.
    Raises MissingError and ScoresError as `midpoints`, UsageError for degree or threshold out of range.
    Source: Brunton, Proctor and Kutz 2016.
    """
    if degree not in (1, 2, 3) or threshold < 0 or ridge < 0:
        raise UsageError(f"degree {degree}, threshold {threshold:g}, ridge {ridge:g}: give 1 to 3 and numbers from 0")
    # Inside the function: the import takes seconds and nothing else needs it.
    import pysindy

    names = list(benchmarks)
    data = midpoints(frame, benchmarks=names)
    scores, slopes = (data[[f"{d}{b}" for b in names]].to_numpy(dtype=float) for d in ("", "d_"))
    mean, scale = np.zeros(len(names)), np.ones(len(names))
    if standardise:
        mean, spread = scores.mean(axis=0), scores.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
    library = pysindy.PolynomialLibrary(degree=degree)
    model = pysindy.SINDy(optimizer=pysindy.STLSQ(threshold=threshold, alpha=ridge), feature_library=library)
    with warnings.catch_warnings():
        # A threshold that leaves no term is an answer, not a warning: nothing moves.
        warnings.filterwarnings("ignore", message="Sparsity parameter is too big")
        model.fit((scores - mean) / scale, t=data["log_size"].to_numpy(), x_dot=slopes / scale, feature_names=names)
    powers = np.asarray(library.powers_, dtype=np.int64)
    found = np.asarray(model.coefficients(), dtype=float)
    method = f"sparse, degree {degree}, threshold {threshold:g}"
    return _started(System(tuple(names), powers, found, mean, scale, method=method), frame, data)


def forecast(
    system: System, params_b: ArrayLike, *, start_b: float | None = None, start: ArrayLike | None = None
) -> pd.DataFrame:
    """Scores at any sizes, run from one known model: params_b and one column a benchmark (percent).

    params_b: billions, (n,), larger or smaller than the start; start_b, start: the size and scores (k,) of the model to
    run from, by default the smallest of the fitted ladder. A linear system is solved exactly (matrix exponential), any
    other by Runge-Kutta; a solution that runs away gives NaN. Values outside 0-100 are shown as they come: they say
    that the system is wrong there. Raises ScoresError for a size that is not positive or a start without scores.
    """
    sizes = np.atleast_1d(np.asarray(params_b, dtype=float))
    first = system.start_b if start_b is None else float(start_b)
    scores = system.start if start is None else np.asarray(start, dtype=float)
    if not np.isfinite([first, *scores]).all():
        names = ", ".join(system.benchmarks)
        raise ScoresError(f"no model to start from: give its size as start_b and its scores of {names} as start")
    if not (np.all(sizes > 0) and first > 0):
        raise ScoresError("a size to forecast is not positive; give sizes in billions above 0")
    steps = np.log10(sizes) - np.log10(first)
    z = (scores - system.mean) / system.scale
    run = _linear(system, z, steps) if system.degree <= 1 else _runge_kutta(system, z, steps)
    answer = pd.DataFrame(run * system.scale + system.mean, columns=list(system.benchmarks))
    answer.insert(0, "params_b", sizes)
    return answer


def derivative(system: System, z: Floats) -> Floats:
    """dz/dt (k,) at standardised scores z (k,)."""
    return np.asarray(system.coefficients @ np.prod(z**system.powers, axis=1))


def _linear(system: System, z: Floats, steps: Floats) -> Floats:
    """Exact solution: the constant becomes one more variable that does not change."""
    from scipy.linalg import expm

    k = len(z)
    generator = np.zeros((k + 1, k + 1))
    for power, column in zip(system.powers, system.coefficients.T, strict=True):
        generator[:k, int(np.argmax(power)) if power.any() else k] += column
    with np.errstate(all="ignore"):
        run = np.array([(expm(generator * step) @ np.append(z, 1.0))[:k] for step in steps])
    return np.where(np.isfinite(run).all(axis=1, keepdims=True), run, np.nan)


def _runge_kutta(system: System, z: Floats, steps: Floats) -> Floats:
    """Solution by RK45 to either side of the start; NaN from where it runs away."""
    from scipy.integrate import solve_ivp

    def leaves(_: float, v: Floats) -> float:
        return float(RUNAWAY - np.max(np.abs(v)))

    leaves.terminal = True  # type: ignore[attr-defined]
    answer = np.full((steps.size, z.size), np.nan)
    for side in (steps >= 0, steps < 0):
        if not side.any():
            continue
        order = np.flatnonzero(side)[np.argsort(np.abs(steps[side]))]
        end = float(steps[order[-1]])
        if end == 0.0:
            answer[order] = z
            continue
        with np.errstate(all="ignore"):
            run = solve_ivp(
                lambda _, v: derivative(system, v),
                (0.0, end),
                z,
                t_eval=steps[order],
                rtol=1e-8,
                atol=1e-10,
                events=leaves,
            )
        reached = len(run.t)
        answer[order[:reached]] = np.asarray(run.y, dtype=float).reshape(z.size, reached).T
    return answer


def _sorted(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Complete rows by ladder and size; a frame without a column `ladder`, or with one name in it, is one ladder."""
    if "ladder" not in frame.columns or frame["ladder"].nunique(dropna=False) == 1:
        return ladder_rows(frame, names, purpose="a slope in size").assign(ladder="")
    rows = complete_rows(frame, ["ladder", "params_b", *names], least=2, purpose="a slope in size")
    return rows.sort_values(["ladder", "params_b"], kind="stable", ignore_index=True)


def _started(system: System, frame: pd.DataFrame, data: pd.DataFrame) -> System:
    """The system with its start (the smallest size of a single ladder) and the condition of its design."""
    names = list(system.benchmarks)
    z = (data[names].to_numpy(dtype=float) - system.mean) / system.scale
    design = np.prod(z[:, None, :] ** system.powers[None, :, :], axis=2)
    ready = replace(system, intervals=len(data), condition=float(np.linalg.cond(design)))
    if data["ladder"].nunique() > 1:
        return ready
    first = complete_rows(frame, ["params_b", *names]).iloc[0]
    return replace(ready, start_b=float(first["params_b"]), start=first[names].to_numpy(dtype=float))
