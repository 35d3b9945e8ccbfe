"""Scores as a motion in size: systems of equations, forecasts, hold-outs, the gamma flow and the loss.

Figures: `charts.base`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cape_lib.errors import CapeError, MissingError, ScoresError, UsageError
from cape_lib.stats import Estimate, Floats, Line, complete_rows, fieller_limits, ladder_rows, ols
from cape_lib.tables import BASE_BENCHMARKS
from cape_lib.tables.axes import PARAMS, Axis

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
    """d score / d log10 N = coefficients @ (1, scores), points for a tenfold size.

    `benchmarks` (k); `coefficients` (k, k + 1), the constants first; `terms`: how many of them the fit left;
    `intervals`: rows of the fit; `start`: params_b (billions) and scores from which it runs, the smallest size of the
    ladder, NaN for a fit to several.
    """

    benchmarks: tuple[str, ...]
    coefficients: Floats
    terms: int
    intervals: int
    start: pd.Series


def midpoints(frame: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS) -> pd.DataFrame:
    """Scores half way between neighbouring sizes and their slopes there: the data of every fit in this module.

    frame: the sizes of one family, or of several with a column `ladder`; columns params_b, benchmarks (percent).
    Returns one row an interval: ladder (if given), log_size (log10 of billions, half way), each benchmark (percent) and
    d_<benchmark> (points per tenfold size). Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    """
    names = list(benchmarks)
    if "ladder" not in frame.columns or frame["ladder"].nunique(dropna=False) == 1:
        rows = ladder_rows(frame, names, purpose="a slope in size").assign(ladder="")
    else:
        rows = complete_rows(frame, ["ladder", "params_b", *names], least=2, purpose="a slope in size")
        rows = rows.sort_values(["ladder", "params_b"], kind="stable", ignore_index=True)
    rows = rows.assign(log_size=np.log10(rows["params_b"]))[["log_size", *names, "ladder"]]
    steps = rows.groupby("ladder").diff()
    inside = steps["log_size"].notna()
    if not inside.any():
        raise MissingError(f"no ladder has two sizes with {', '.join(names)}; add a second size of one family")
    for again in rows.loc[steps["log_size"] == 0, "ladder"]:
        # The check of a single ladder names the two rows.
        ladder_rows(frame if again == "" else frame[frame["ladder"] == again], names)
    slopes = steps[names].div(steps["log_size"], axis="index").add_prefix("d_")
    halfway = rows[["log_size", *names]] - steps / 2
    return pd.concat([halfway, slopes, rows["ladder"]], axis="columns")[inside].reset_index(drop=True)


def fit_linear(frame: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS) -> System:
    """The paper's dense linear system: every slope on all scores and a constant, least squares on midpoints.

    frame, errors: as `midpoints`. Eight sizes give seven rows for the six coefficients of each of five equations; fewer
    rows than coefficients take the smallest solution. Published: eight Pythia sizes, in-sample error 2.6 %.
    """
    names = list(benchmarks)
    data = midpoints(frame, benchmarks=names)
    design = np.column_stack([np.ones(len(data)), data[names].to_numpy(dtype=float)])
    slopes = data[[f"d_{b}" for b in names]].to_numpy(dtype=float)
    coefficients = np.linalg.lstsq(design, slopes, rcond=None)[0].T
    return _system(coefficients, frame, data, terms=int(np.count_nonzero(coefficients)))


def fit_sparse(
    frame: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS, threshold: float = 0.5, ridge: float = 0.5
) -> System:
    """A linear system with few terms, by sequentially thresholded least squares (pysindy) on the same midpoints.

    frame, errors: as `midpoints`; scores are standardised, so that one threshold serves all. threshold: smaller
    coefficients (standard deviations per tenfold size) are dropped and the rest fitted again; ridge: penalty of the
    inner regressions; UsageError below zero. Source: Brunton, Proctor and Kutz 2016.
    """
    if threshold < 0 or ridge < 0:
        raise UsageError(f"threshold {threshold:g}, ridge {ridge:g}: give numbers from 0")
    # Inside the function: the import takes seconds and nothing else needs it.
    import pysindy

    names = list(benchmarks)
    data = midpoints(frame, benchmarks=names)
    scores, slopes = (data[[f"{d}{b}" for b in names]].to_numpy(dtype=float) for d in ("", "d_"))
    mean, spread = scores.mean(axis=0), scores.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    library, optimizer = pysindy.PolynomialLibrary(degree=1), pysindy.STLSQ(threshold=threshold, alpha=ridge)
    model = pysindy.SINDy(optimizer=optimizer, feature_library=library)
    with warnings.catch_warnings():
        # A threshold that leaves no term is an answer, not a warning: nothing moves.
        warnings.filterwarnings("ignore", message="Sparsity parameter is too big")
        model.fit((scores - mean) / scale, t=data["log_size"].to_numpy(), x_dot=slopes / scale, feature_names=names)
    sparse = np.asarray(model.coefficients(), dtype=float)
    matrix = scale[:, None] * sparse[:, 1:] / scale
    coefficients = np.column_stack([scale * sparse[:, 0] - matrix @ mean, matrix])
    return _system(coefficients, frame, data, terms=int(np.count_nonzero(sparse)))


def _system(coefficients: Floats, frame: pd.DataFrame, data: pd.DataFrame, *, terms: int) -> System:
    """A system with its start: the smallest size of a single ladder."""
    names = [name.removeprefix("d_") for name in map(str, data) if name.startswith("d_")]
    start = complete_rows(frame, ["params_b", *names])[["params_b", *names]].iloc[0].astype(float)
    one = data["ladder"].nunique() == 1
    return System(tuple(names), coefficients, terms, len(data), start if one else start * np.nan)


def forecast(system: System, params_b: ArrayLike, *, start: pd.Series | None = None) -> pd.DataFrame:
    """Scores at any sizes, run from one known model: params_b and one column a benchmark (percent).

    params_b: billions, (n,); start: params_b and scores of the model to run from, by default the smallest of the fitted
    ladder. Solved exactly (matrix exponential); a solution that runs away gives NaN, and values outside 0-100 stand as
    they come: the system is wrong there. ScoresError for a size that is not positive or no start.
    """
    from scipy.linalg import expm

    sizes, names = np.atleast_1d(np.asarray(params_b, dtype=float)), list(system.benchmarks)
    origin, *scores = (system.start if start is None else start)[["params_b", *names]].astype(float)
    if not np.isfinite([origin, *scores]).all():
        raise ScoresError(f"no model to start from: give its params_b and its scores of {', '.join(names)} as start")
    if not (np.all(sizes > 0) and origin > 0):
        raise ScoresError("a size to forecast is not positive; give sizes in billions above 0")
    # The constant becomes one more variable that does not change.
    k = len(scores)
    motion = np.zeros((k + 1, k + 1))
    motion[:k, :k], motion[:k, k] = system.coefficients[:, 1:], system.coefficients[:, 0]
    steps = np.log10(sizes) - np.log10(origin)
    with np.errstate(all="ignore"):
        run = np.array([(expm(motion * step) @ np.append(scores, 1.0))[:k] for step in steps])
    run = np.where(np.isfinite(run).all(axis=1, keepdims=True), run, np.nan)
    answer = pd.DataFrame(run, columns=names)
    answer.insert(0, "params_b", sizes)
    return answer


def fit_error(system: System, ladder: pd.DataFrame) -> pd.Series:
    """Error of the run from the ladder's smallest size, against the scores of that ladder (percent of the scores).

    ladder: columns params_b and the system's benchmarks; errors as `ladder_rows`. Returns mape (mean of |error| / score
    over all sizes and benchmarks, the start included, as published), beyond_start (without it) and pooled (sum of
    |error| / sum of scores); NaN where the forecast runs away. Published: 2.6 % for the dense system on the eight
    Pythia sizes, which is `pooled`; the mean of the single errors, `mape`, is 2.5.
    """
    names = list(system.benchmarks)
    rows = ladder_rows(ladder, names, purpose="the error of a forecast")
    scores, run = rows[names].to_numpy(dtype=float), forecast(system, rows["params_b"], start=rows.iloc[0])[names]
    away = np.abs(run.to_numpy() - scores)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = 100 * away / scores
    pooled = 100 * away.sum() / scores.sum()
    return pd.Series({"mape": share.mean(), "beyond_start": share[1:].mean(), "pooled": pooled})


def leave_one_size_out(ladder: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS) -> pd.DataFrame:
    """What the dense system says of a size that it has not seen, beside the size below carried up unchanged.

    ladder: at least four sizes. Each size but the smallest is left out in turn and forecast from the smallest. Returns
    model, params_b, mape (percent of the scores, mean over benchmarks; NaN where it runs away or a score is 0),
    mape_carried (the next smaller size's scores). Raises MissingError and ScoresError.
    """
    names = list(benchmarks)
    rows = ladder_rows(ladder, names, least=4, purpose="leaving one size out")
    sizes, scores = rows["params_b"], rows[names].to_numpy(dtype=float)
    systems = [fit_linear(rows.drop(index=place), benchmarks=names) for place in rows.index[1:]]
    runs = [forecast(system, [size])[names].to_numpy()[0] for system, size in zip(systems, sizes[1:], strict=True)]
    whole = np.where(scores == 0, np.nan, scores)[1:]  # nothing is a percentage of a score of zero
    labels = rows["model"] if "model" in rows.columns else sizes.map("{:g} B".format)
    table = pd.DataFrame({"model": labels, "params_b": sizes})[1:].reset_index(drop=True)
    with np.errstate(over="ignore"):
        for column, guess in (("mape", np.array(runs)), ("mape_carried", scores[:-1])):
            table[column] = 100 * np.mean(np.abs(guess - scores[1:]) / whole, axis=1)
    return table


def hold_out(
    train: pd.DataFrame, test: pd.DataFrame, *, y: str = "truthfulqa", benchmarks: Sequence[str] = BASE_BENCHMARKS
) -> pd.DataFrame:
    """Error on a family that was left out, by every method that can be tried; compare within one value of `uses`.

    train, test: one row a model; columns params_b (billions), y (percent), for the system also benchmarks and ladder.
    From the training rows only: "mean", "nearest size" (the score nearest in log10 size, ties averaged), "degree d"
    (polynomial in log10 size). From the family's own smallest size on: "own smallest size" (its score), "degree d,
    shifted" (the polynomial moved to pass through it), "linear system" (`fit_linear`; absent where scores are missing).
    Returns method, uses, mape (percent of y), mae (points), n (scores predicted).
    Raises MissingError where y or params_b is missing in either table.
    Published: 5.6 % is degree 2 from Pythia and Llama-1 to the three Llama-2 sizes ("bootstrap_script" scores).
    """
    return _scored(_errors(train, test, y, benchmarks), ["method", "uses"])


def leave_one_family_out(
    panel: pd.DataFrame, *, y: str = "truthfulqa", by: str = "ladder", benchmarks: Sequence[str] = BASE_BENCHMARKS
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
        parts.append(_errors(panel[~inside], panel[inside], y, benchmarks).assign(**{by: name}))
    errors = pd.concat(parts, ignore_index=True)
    both = pd.concat([errors, errors.assign(**{by: "all"})], ignore_index=True)
    return _scored(both, [by, "method", "uses"])


def _errors(train: pd.DataFrame, test: pd.DataFrame, y: str, benchmarks: Sequence[str]) -> pd.DataFrame:
    """One row a predicted score and method: method, uses, true, guess."""
    known = complete_rows(train, ["params_b", y], purpose="a prediction")
    asked = complete_rows(test, ["params_b", y], least=1, purpose="a test")
    (t, score), (at, true) = (
        (np.log10(rows["params_b"].to_numpy(dtype=float)), rows[y].to_numpy(dtype=float)) for rows in (known, asked)
    )
    gap = np.abs(at[:, None] - t)
    tied = gap <= gap.min(axis=1, keepdims=True) + 1e-12
    curves = {f"degree {degree}": _polynomial(t, score, at, degree) for degree in DEGREES}
    unseen = {"mean": np.full(true.shape, score.mean()), "nearest size": (tied * score).sum(axis=1) / tied.sum(axis=1)}
    guesses = [(method, UNSEEN, true, guess) for method, guess in (unseen | curves).items()]
    if len(asked) > 1:
        started = {"own smallest size": np.full(true.shape, true[0])}
        started |= {f"{method}, shifted": true[0] + curve - curve[0] for method, curve in curves.items()}
        guesses += [(method, STARTED, true[1:], guess[1:]) for method, guess in started.items()]
    names = list(benchmarks)
    # Where either table lacks scores there is no system.
    with suppress(CapeError):
        if y in names:
            rows, system = complete_rows(test, ["params_b", *names]), fit_linear(train, benchmarks=names)
            run = forecast(system, rows["params_b"][1:], start=rows.iloc[0])[y].to_numpy()
            guesses.append(("linear system", STARTED, rows[y].to_numpy(dtype=float)[1:], run))
    frames = [pd.DataFrame({"method": m, "uses": u, "true": v, "guess": g}) for m, u, v, g in guesses]
    return pd.concat(frames, ignore_index=True)


def _scored(errors: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean errors by the keys, in the order of appearance."""
    away = (errors["guess"] - errors["true"]).abs()
    groups = errors.assign(mape=100 * away / errors["true"], mae=away).groupby(keys, sort=False)
    # A mean that passed over what ran away would flatter the method.
    means = groups[["mape", "mae"]].agg("mean").where(groups[["mape", "mae"]].count().eq(groups.size(), axis=0))
    return means.assign(n=groups.size()).reset_index()


def _polynomial(t: Floats, score: Floats, at: Floats, degree: int) -> Floats:
    """Least-squares polynomial in log10 size, centred and scaled first; NaN with too few different sizes."""
    if np.unique(t).size <= degree:
        return np.full(at.shape, np.nan)
    return np.asarray(np.polynomial.Polynomial.fit(t, score, degree)(at))


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
        before = method(seen, largest)[1] if len(seen) > 1 else np.nan
        table[name] = (*method(rows, size), before - last)
    return pd.DataFrame.from_dict(table, orient="index", columns=[x, y, "held_out"]).rename_axis("method")


def _parabola(rows: pd.DataFrame, size: float) -> Floats:
    t, *scores = np.log10(rows["params_b"].to_numpy(float)), *rows.iloc[:, 1:].to_numpy(float).T
    degree = 2 if len(rows) >= LEAST_SIZES else 1
    return np.array([_polynomial(t, score, np.log10([size]), degree)[0] for score in scores])


def _ode(rows: pd.DataFrame, size: float) -> Floats:
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
    run = forecast(system, [size], start=last)
    return np.asarray(run[names].to_numpy(float)[0] + middle.to_numpy(float))


METHODS: dict[str, Callable[[pd.DataFrame, float], Floats]] = {
    "persistence": lambda rows, size: rows.iloc[-1, 1:].to_numpy(float),
    "polynomial": _parabola,
    "ode": _ode,
}


def gamma_flow(ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> tuple[Line, Estimate]:
    """Regression of the slope of gamma in log10 size on gamma itself, half way between neighbouring intervals.

    ladder: at least five sizes; columns params_b (billions), x, y (percent). Intervals without a step in x are left
    out. Returns the line d gamma / d log10 N = a gamma + b (slope a per tenfold size, intercept b) and its fixed point
    -b / a with Fieller's interval, t noise (it may be unbounded): below a = 0 gamma moves towards it, above away from
    it. Each gamma is a ratio of noisy differences and stands on both sides, which biases the slope towards reverting
    to the mean. Raises MissingError with fewer than five sizes, ScoresError on equal sizes.
    Published: 1.49 gamma - 0.79, fixed point 0.53; a > 0 would drive gamma away from it.
    """
    rows = ladder_rows(ladder, [x, y], least=5, purpose="a gamma flow")
    t = np.log10(rows["params_b"].to_numpy(dtype=float))
    dx, dy = (np.diff(rows[score].to_numpy(dtype=float)) for score in (x, y))
    moved = dx != 0
    gamma, middle = dy[moved] / dx[moved], ((t[1:] + t[:-1]) / 2)[moved]
    if gamma.size < 4:
        raise MissingError(f"a gamma flow needs four intervals with a step in {x}, {gamma.size} have one; add sizes")
    return flow(middle, gamma)


def flow(t: Floats, gamma: Floats) -> tuple[Line, Estimate]:
    """The answer of `gamma_flow` for gammas, (n,), at so many log10 sizes t in their order; errors as `stats.ols`."""
    line = ols((gamma[1:] + gamma[:-1]) / 2, np.diff(gamma) / np.diff(t))
    a, b = line.slope.estimate, line.intercept.estimate
    if a == 0:
        return line, Estimate(float("nan"), float("nan"), float("nan"), line.n, "no interval")
    (var_slope, both), (_, var_intercept) = line.covariance
    low, high = fieller_limits(-b, a, var_dy=var_intercept, var_dx=var_slope, cov=-both, freedom=line.n - 2)
    return line, Estimate(-b / a, float(low), float(high), line.n, "Fieller with t noise")


def loss_law(losses: pd.DataFrame) -> pd.DataFrame:
    """One series of losses beside its own power law E + A N^-alpha, least squares: params_b, loss, fitted, residual.

    losses: one row a size; columns params_b (billions), loss (nats per token); all answers in nats. Raises MissingError
    with fewer than four sizes. Published: 1.533 + 154 N^-0.238 on eight Pythia constants, which carry two decimals and
    no source: they stay within 0.025 of the law and cannot confirm it independently.
    """
    from scipy.optimize import least_squares

    rows = complete_rows(losses, ["params_b", "loss"], least=4, purpose="a power law of three constants")
    size, loss = rows["params_b"].to_numpy(dtype=float), rows["loss"].to_numpy(dtype=float)
    # Sizes by their geometric mean: all three constants are then of one order.
    log_u = np.log(size) - np.log(size).mean()

    def rest(constants: Floats) -> Floats:
        e, log_a, alpha = constants
        return np.asarray(loss - e - np.exp(log_a - alpha * log_u))

    first = [0.8 * loss.min(), np.log(max(loss.mean() - 0.8 * loss.min(), 1e-6)), 0.2]
    residual = rest(least_squares(rest, first, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14).x)
    return pd.DataFrame({"params_b": size, "loss": loss, "fitted": loss - residual, "residual": residual})
