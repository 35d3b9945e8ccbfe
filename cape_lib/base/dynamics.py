"""Scores as a motion in size: systems of equations, forecasts, hold-outs, the gamma flow and the loss.

Figures: `charts.boundary`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import CapeError, MissingError, ScoresError, UsageError
from cape_lib.stats import Estimate, Line, complete_rows, fieller_limits, ladder_rows, ols, student
from cape_lib.tables import BASE_BENCHMARKS
from cape_lib.tables.axes import PARAMS, Axis

Floats = NDArray[np.float64]
# A standardised score this far out is a solution that has run away.
RUNAWAY = 1e6
DEGREES = (1, 2, 3, 4)
UNSEEN = "training rows only"
STARTED = "the family's smallest size too"
#: beyond this condition number the steps do not determine a system of equations; known families stay below 130
ILL_CONDITIONED = 1e3
#: beyond this sum of a row of M times the step in log size, rounding alone decides the forecast; known ones: below 60
STEEPEST = 100.0
#: from so many sizes on the polynomial is a parabola and the equations are tried
LEAST_SIZES = 4


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
    coefficients = np.asarray(model.coefficients(), dtype=float)
    method = f"sparse, degree {degree}, threshold {threshold:g}"
    return _started(System(tuple(names), powers, coefficients, mean, scale, method=method), frame, data)


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
                lambda _, v: system.coefficients @ np.prod(v**system.powers, axis=1),
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


@dataclass(frozen=True, slots=True)
class FitError:
    """Distance of a forecast from the scores, in percent of the scores.

    `mape`: mean of |error| / score over all sizes and benchmarks, the start (no error by construction) included, as
    published; `beyond_start`: the same without the start; `pooled`: sum of |error| / sum of scores. NaN where the
    forecast runs away.
    """

    mape: float
    beyond_start: float
    pooled: float


def fit_error(system: System, ladder: pd.DataFrame) -> FitError:
    """Error of the run from the ladder's smallest size, against the scores of that ladder (percent of the scores).

    ladder: columns params_b and the system's benchmarks. Raises MissingError and ScoresError as `ladder_rows`.
    Published: 2.6 % for the dense system on the eight Pythia sizes. `pooled` gives that; the mean of the single
    errors, `mape`, is 2.5.
    """
    names = list(system.benchmarks)
    rows = ladder_rows(ladder, names, purpose="the error of a forecast")
    scores, size = rows[names].to_numpy(dtype=float), rows["params_b"].to_numpy(dtype=float)
    run = forecast(system, size, start_b=size[0], start=scores[0])[names].to_numpy(dtype=float)
    away = np.abs(run - scores)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = 100 * away / scores
    return FitError(float(share.mean()), float(share[1:].mean()), float(100 * away.sum() / scores.sum()))


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
        run = forecast(system, [size])[names].to_numpy(dtype=float)[0]
        below = rows[names].iloc[place - 1].to_numpy(dtype=float)
        whole = np.where(scores == 0, np.nan, scores)  # nothing is a percentage of a score of zero
        with np.errstate(over="ignore"):
            errors = [float(100 * np.mean(np.abs(guess - scores) / whole)) for guess in (run, below)]
        name = rows["model"].iloc[place] if "model" in rows.columns else f"{size:g} B"
        answer.append((name, size, *errors))
    return pd.DataFrame(answer, columns=["model", "params_b", "mape", "mape_carried"])


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
    guesses += [(f"degree {d}", UNSEEN, true, _polynomial(t, score, at, d)) for d in degrees]
    if len(asked) > 1:
        guesses.append(("own smallest size", STARTED, true[1:], np.full(true.size - 1, true[0])))
        for d in degrees:
            curve = _polynomial(t, score, at, d)
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


def _polynomial(t: Floats, score: Floats, at: Floats, degree: int) -> Floats:
    """Least-squares polynomial in log10 size, centred and scaled first; NaN with too few different sizes."""
    if np.unique(t).size <= degree:
        return np.full(at.shape, np.nan)
    return np.asarray(np.polynomial.Polynomial.fit(t, score, degree)(at))


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
    ahead = forecast(system, size[1:], start_b=size[0], start=scores[0])[y].to_numpy(dtype=float)
    return scores[1:, names.index(y)], ahead


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


def _parabola(rows: pd.DataFrame, *, size: float) -> Floats:
    t = np.log10(rows["params_b"].to_numpy(float))
    degree = 2 if len(rows) >= LEAST_SIZES else 1
    at = np.log10([size])
    return np.array([_polynomial(t, rows[name].to_numpy(float), at, degree)[0] for name in rows.columns[1:]])


def _ode(rows: pd.DataFrame, *, size: float) -> Floats:
    names, nothing = list(rows.columns[1:]), np.full(2, np.nan)
    if len(rows) < LEAST_SIZES:
        return nothing
    # About the middle of the steps, where the constant is nearly free of the slopes.
    between = midpoints(rows, benchmarks=names)[names]
    middle = between.mean()
    moved = rows.assign(**(rows[names] - middle))
    design = np.column_stack([(between - middle).to_numpy(float), np.ones(len(between))])
    diagonal = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    if diagonal.min() * ILL_CONDITIONED <= diagonal.max():
        return nothing
    system, last = fit_linear(moved, benchmarks=names), moved.iloc[-1]
    ahead = np.log10(size) - np.log10(last["params_b"])
    if np.abs(system.coefficients[:, 1:] * ahead).sum(axis=1).max() > STEEPEST:
        return nothing
    run = forecast(system, [size], start_b=float(last["params_b"]), start=last[names].to_numpy(float))
    return np.asarray(run[names].to_numpy(float)[0] + middle.to_numpy(float))


METHODS = {"persistence": _persistence, "polynomial": _parabola, "ode": _ode}


@dataclass(frozen=True, slots=True)
class GammaFlow:
    """The line d gamma / d log10 N = a gamma + b and where it is zero.

    `line`: slope a (per tenfold size), intercept b; `fixed_point`: -b / a with Fieller's interval, t noise (it may be
    unbounded); `attracting`: a < 0, so that gamma moves towards the fixed point (away from it for a > 0); `points`:
    the data, columns log_size, gamma, slope.
    """

    line: Line
    fixed_point: Estimate
    attracting: bool
    points: pd.DataFrame


def gamma_flow(ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", level: float = 0.95) -> GammaFlow:
    """Regression of the slope of gamma in log10 size on gamma itself, half way between neighbouring intervals.

    ladder: at least five sizes; columns params_b (billions), x, y (percent). Each gamma is a ratio of noisy differences
    and stands in both sides of the regression, so that the slope is biased towards the mean reverting: read it with
    its interval. Intervals without a step in x are left out.
    Raises MissingError with fewer than five sizes, ScoresError on equal sizes.
    Published: 1.49 gamma - 0.79, fixed point 0.53; a > 0 would drive gamma away from it.
    """
    rows = ladder_rows(ladder, [x, y], least=5, purpose="a gamma flow")
    t = np.log10(rows["params_b"].to_numpy(dtype=float))
    dx, dy = (np.diff(rows[score].to_numpy(dtype=float)) for score in (x, y))
    moved = dx != 0
    gamma, middle = dy[moved] / dx[moved], ((t[1:] + t[:-1]) / 2)[moved]
    if gamma.size < 4:
        raise MissingError(f"a gamma flow needs four intervals with a step in {x}, {gamma.size} have one; add sizes")
    points = pd.DataFrame(
        {
            "log_size": (middle[1:] + middle[:-1]) / 2,
            "gamma": (gamma[1:] + gamma[:-1]) / 2,
            "slope": np.diff(gamma) / np.diff(middle),
        }
    )
    line = ols(points["gamma"], points["slope"], level)
    return GammaFlow(line, _zero(line, level), line.slope.estimate < 0, points)


def _zero(line: Line, level: float) -> Estimate:
    """Where a line is zero, -intercept / slope, with Fieller's interval."""
    a, b = line.slope.estimate, line.intercept.estimate
    if line.n < 3 or a == 0:
        return Estimate(-b / a if a else float("nan"), float("nan"), float("nan"), line.n, "no interval")
    (var_slope, both), (_, var_intercept) = line.covariance
    low, high = fieller_limits(
        -b, a, var_dy=var_intercept, var_dx=var_slope, cov=-both, level=level, freedom=line.n - 2
    )
    return Estimate(-b / a, float(low), float(high), line.n, "Fieller with t noise")


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
        mean_level, nan = float(np.mean((size * 1e9) ** exponent * (loss - irreducible))), float("nan")
        values = ((irreducible, "as stated"), (exponent, "as stated"), (mean_level, "mean level"))
        constants = [Estimate(value, nan, nan, size.size, method) for value, method in values]
    e, alpha, a = (constant.estimate for constant in constants)
    count = size * 1e9
    fitted, level = e + a * count**-alpha, count**alpha * (loss - e)
    spread = float(np.sum((loss - loss.mean()) ** 2))
    return LossLaw(
        irreducible=constants[0],
        exponent=constants[1],
        amplitude=constants[2],
        r_squared=1 - float(np.sum((loss - fitted) ** 2)) / spread if spread > 0 else float("nan"),
        variation=float(100 * level.std() / level.mean()),
        residuals=pd.DataFrame(
            {"params_b": size, "loss": loss, "fitted": fitted, "residual": loss - fitted, "level": level}
        ),
    )


def _fitted(size: Floats, loss: Floats) -> list[Estimate]:
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
    fit = least_squares(away, first, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
    e, log_b, alpha = (float(v) for v in fit.x)
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac) * float(2 * fit.cost) / (n - 3)
    t = student(0.95, n - 3)
    # log of the amplitude on absolute counts: log b + alpha log(middle in parameters).
    shift = np.log(middle * 1e9)
    gradient = np.array([0.0, 1.0, shift])
    log_a, half = log_b + alpha * shift, t * float(np.sqrt(gradient @ covariance @ gradient))
    half_e, half_alpha = (t * float(np.sqrt(covariance[i, i])) for i in (0, 2))
    method = "least squares, t interval"
    return [
        Estimate(e, e - half_e, e + half_e, n, method),
        Estimate(alpha, alpha - half_alpha, alpha + half_alpha, n, method),
        Estimate(float(np.exp(log_a)), float(np.exp(log_a - half)), float(np.exp(log_a + half)), n, method),
    ]
