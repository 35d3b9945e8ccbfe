"""Four estimators of a critical scale on one ladder of sizes, each named, none mixed with another; and their power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cape_lib import tables
from cape_lib.base.boundary.quadratic import (
    fit_parabolas,
    log_size,
    turn_between,
    turning_points,
)
from cape_lib.errors import UsageError
from cape_lib.stats import fixed_normals, ladder_rows, percentile_interval, score_noise
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis

Floats = NDArray[np.float64]
# An estimator: sizes t (k,) as log10, draws of x and y (resamples, k) -> log10 N_c (resamples,). A boundary that these
# sizes do not hold is -inf (y rises from the smallest on) or +inf (y has not turned by the largest); NaN: no answer.
Estimator = Callable[[Floats, Floats, Floats], Floats]
#: estimators whose answer is one of the sizes
ON_SIZES = ("minimum size", "best threshold")
#: sizes nearer to an end than this (log10) are that end
ROUNDING = 1e-9
LEAST_SIZES = 3
COLUMNS = ["estimator", "n_c_b", "low", "high", "share", "p_turn", "verdict", "reason", "raw_b", "n", "method"]
NOISE = {"questions": "questions", "four": "four times the questions"}
#: a dip of fewer points is rounding
FLAT = 1e-6


def vertex(t: Floats, x: Floats, y: Floats) -> Floats:
    """Vertex of the quadratic of y in log10 size. Needs three sizes; with three the curve has nothing to spare."""
    return turning_points(fit_parabolas(t, y), t)


def zero_crossing(t: Floats, x: Floats, y: Floats) -> Floats:
    """Where gamma(log10 size) crosses zero upwards: a line through the gammas at the middle of each interval.

    Each gamma = dy / dx counts with weight dx^2, as its noise goes with 1 / dx: the line is the regression of dy on dx
    and dx times log size, and an interval without a step in x says nothing in place of everything.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level, slope, middle = _gamma_line(t, np.diff(x, axis=-1), np.diff(y, axis=-1))
        crossing = middle - level / slope
        return turn_between(level + slope * (t[0] - middle), level + slope * (t[-1] - middle), crossing)


def _gamma_line(t: Floats, dx: Floats, dy: Floats) -> tuple[Floats, Floats, float]:
    """gamma at the mean of the steps, its slope in log10 size, and that mean; NaN where the steps do not tell."""
    halfway = (t[:-1] + t[1:]) / 2
    middle = float(halfway.mean())
    m = halfway - middle
    s0, s1, s2 = ((dx * dx * m**power).sum(axis=-1) for power in (0, 1, 2))
    r0, r1 = ((dx * dy * m**power).sum(axis=-1) for power in (0, 1))
    determinant = s0 * s2 - s1**2
    with np.errstate(divide="ignore", invalid="ignore"):
        known = determinant > 1e-12 * s0 * s0
        slope = np.where(known, (s0 * r1 - s1 * r0) / determinant, np.nan)
        return np.where(known, (r0 - slope * s1) / s0, np.nan), slope, middle


def minimum_size(t: Floats, x: Floats, y: Floats) -> Floats:
    """The size at which y is smallest; at an end of the ladder no turn has been seen."""
    place = np.argmin(y, axis=-1)
    inside = np.where(place == 0, -np.inf, t[place])
    return np.where(place == t.size - 1, np.inf, inside)


def best_threshold(t: Floats, x: Floats, y: Floats) -> Floats:
    """The size that best parts gamma < 0 below from gamma > 0 above: fewest intervals on the wrong side.

    A size inside the ladder must beat both rules without one (all negative, all positive); of equals the mean log.
    """
    sign = np.sign(np.diff(y, axis=-1) * np.diff(x, axis=-1))
    nothing = np.zeros((*sign.shape[:-1], 1))
    below = np.concatenate([nothing, np.cumsum(sign >= 0, axis=-1)], axis=-1)
    above = np.concatenate([nothing, np.cumsum(sign[..., ::-1] <= 0, axis=-1)], axis=-1)[..., ::-1]
    errors = below + above
    positive, negative = errors[..., 0], errors[..., -1]
    inner = errors[..., 1:-1]
    fewest = inner.min(axis=-1) if inner.shape[-1] else np.full(positive.shape, np.inf)
    best = inner == fewest[..., None]
    with np.errstate(invalid="ignore"):
        size = (best * t[1:-1]).sum(axis=-1) / best.sum(axis=-1)
    trivial = np.where(negative < positive, np.inf, np.where(positive < negative, -np.inf, np.nan))
    return np.where(fewest < np.minimum(positive, negative), size, trivial)


def misfit(name: str, t: Floats, scores: tuple[Floats, Floats], noise: Floats) -> float:
    """By how much the noise must grow for the curve of an estimator to be a fair account of the scores; 1 or more.

    The square root of chi square over its degrees of freedom (Birge's ratio): a parabola through two straight lines
    misses by more than question noise, and training seeds scatter without being stated. noise: of y, points, (k,).
    1 for "minimum size" and "best threshold", which fit no curve, without a degree of freedom and without noise.
    """
    x, y = scores
    if name == "vertex":
        rest, variance, freedom = y - fit_parabolas(t, y).at(t)[0], noise**2, t.size - 3
    elif name == "zero crossing":
        dx, dy = np.diff(x), np.diff(y)
        level, slope, middle = (float(v) for v in _gamma_line(t, dx, dy))
        rest = dy - dx * (level + slope * ((t[:-1] + t[1:]) / 2 - middle))
        variance, freedom = noise[:-1] ** 2 + noise[1:] ** 2, t.size - 3
    else:
        return 1.0
    if freedom < 1 or not np.isfinite(rest).all() or not (variance > 0).all():
        return 1.0
    return float(np.sqrt(max(1.0, float((rest**2 / variance).sum()) / freedom)))


def bracketed(name: str, low: float, high: float, t: Floats) -> tuple[float, float]:
    """The ends of an interval; of an estimator that answers with a size, carried on to the sizes around them.

    A score that is smallest at one of five sizes turns anywhere between its two neighbours. low, high, t: log10.
    """
    if name not in ON_SIZES:
        return low, high
    below, above = t[t < low - ROUNDING], t[t > high + ROUNDING]
    if np.isfinite(low) and below.size:
        low = float(below[-1])
    if np.isfinite(high) and above.size:
        high = float(above[0])
    return low, high


ESTIMATORS: dict[str, Estimator] = {
    "vertex": vertex,
    "zero crossing": zero_crossing,
    "minimum size": minimum_size,
    "best threshold": best_threshold,
}


def critical_scales(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    correlation: float = 0.0,
    along: Axis = PARAMS,
) -> pd.DataFrame:
    """Four estimates of the size at which two scores turn from fighting to cooperating, on one ladder.

    ladder: one row a size; columns params_b (billions), x, y (percent), optionally <score>_stderr; correlation: of the
    score noise between sizes, 0-1; along: another axis, whose column takes the place of params_b and whose unit that of
    the billions. Returns one row an estimator ("vertex", "zero crossing", "minimum size", "best
    threshold"):

    n_c_b    billions; NaN where these sizes hold no boundary; raw_b what the formula gives all the same
    low, high    95 % of the score-noise draws (`stats.fixed_normals`: the same everywhere); 0 = below every size, inf =
        beyond every size. Noise is widened where the curve fits worse than it explains (`misfit`); an estimator that
        answers with a size has an interval from the size before to the size after (`bracketed`)
    share    of the draws with a boundary inside the sizes (0-1)
    p_turn    p of y falling towards the turn and rising after it (`turn_p`)
    verdict    "boundary" only if 95 % of the draws lie inside the sizes and p_turn < 0.05; "no boundary in these
        sizes" if the scores hold none and at most 5 % of the draws do; else "undecided"
    reason, n (sizes), method

    The interval knows score noise and misfit, not other families; how often it holds a planted turn is in the table
    "coverage".
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes, UsageError on correlation outside 0-1.
    Source: paper A, which gives Pythia 3.5 B: not on this ladder in any version of its scores.
    """
    if not 0.0 <= correlation <= 1.0:
        raise UsageError(f"correlation of the noise is {correlation:g}; give a number from 0 to 1")
    rows = ladder_rows(ladder, [x, y], purpose="a critical scale", by=along.column)
    t = along.t(rows[along.column])
    scores = [rows[score].to_numpy(dtype=float) for score in (x, y)]
    noise = [score_noise(rows, score) for score in (x, y)]
    if reason := _no_answer(t, scores[1], label(y), along):
        blank: dict[str, object] = dict.fromkeys(COLUMNS, np.nan)
        blank |= {"verdict": "undecided", "reason": reason, "n": t.size, "method": "none"}
        return pd.DataFrame([blank | {"estimator": _called(name, along)} for name in ESTIMATORS])[COLUMNS]
    away = noise_draws(noise[0], noise[1], correlation=correlation)
    # Unknown noise makes every comparison of a draw false: no interval, in place of a wrong one.
    known = all(np.isfinite(part).all() for part in away)
    table = []
    for name, estimator in ESTIMATORS.items():
        turn = float(estimator(t, scores[0][None, :], scores[1][None, :])[0])
        wide = misfit(name, t, (scores[0], scores[1]), noise[1])
        drawn = [v + wide * part for v, part in zip(scores, away, strict=True)]
        many = estimator(t, *drawn) if known else np.full(1, np.nan)
        p = turn_p(t, scores[1], noise[1], turn=turn, correlation=correlation)
        table.append(
            {"estimator": _called(name, along)}
            | judged(name, turn, many, p, t, label(y), along)
            | {"raw_b": _raw(name, t, scores[1], turn, along)}
        )
    return pd.DataFrame(table)[COLUMNS]


def _called(name: str, along: Axis) -> str:
    """What an estimator is called along an axis: the minimum size is the lowest point of any other."""
    return "lowest point" if name == "minimum size" and not along.by_size else name


def noise_draws(x_sd: Floats, y_sd: Floats, *, correlation: float = 0.0) -> tuple[Floats, Floats]:
    """What score noise adds to x and to y in each of the fixed draws, points, (1000, k) each.

    x_sd, y_sd: (k,) points; correlation: of the noise between sizes, 0-1 (models that answer the same questions).
    """
    k = x_sd.size
    normals = fixed_normals(2 * k + 2)
    own, shared = normals[:, : 2 * k], normals[:, 2 * k :]
    private, common = np.sqrt(1 - correlation), np.sqrt(correlation)
    x, y = (private * own[:, j * k : (j + 1) * k] + common * shared[:, [j]] for j in (0, 1))
    return x_sd * x, y_sd * y


def turn_p(t: Floats, y: Floats, sd: Floats, *, turn: float, correlation: float = 0.0) -> float:
    """p (0-1) that y neither falls up to a turn nor rises from it, one-sided slopes with known noise.

    The sizes up to and from the one nearest the turn each get a straight line; p is the larger of the two, times the
    number of sizes that could have been the turn, as the turn was looked for. A quadratic alone would call any curve
    that levels off a U. Where the sizes lie off the two lines, and off a parabola too, by more than their noise
    (training seeds do that), the noise grows as in `misfit`. t: (k,) log10 size; y, sd: (k,) points; turn: log10,
    inside t; NaN if it is not or sd is not.
    Source: after Simonsohn's two lines (2018).
    """
    if not np.isfinite(turn) or not np.isfinite(sd).all():
        return float("nan")
    middle = int(np.clip(np.argmin(np.abs(t - turn)), 1, t.size - 2))
    rises, square = [], 0.0
    for arm, sign in ((slice(0, middle + 1), 1.0), (slice(middle, None), -1.0)):
        u = t[arm] - t[arm].mean()
        variance = (1 - correlation) * (u**2 @ sd[arm] ** 2) + correlation * (u @ sd[arm]) ** 2
        rise = float(u @ y[arm])
        rises.append((sign * rise, float(variance)))
        rest = y[arm] - y[arm].mean() - u * rise / (u @ u)
        with np.errstate(divide="ignore", invalid="ignore"):
            square += float(np.where(sd[arm] > 0, rest**2 / sd[arm] ** 2, 0.0).sum())
    lines = np.sqrt(max(1.0, square / (t.size - 3))) if t.size > 3 else 1.0
    wide = min(lines, misfit("vertex", t, (y, y), sd))
    p = [float(ndtr(r / (wide * np.sqrt(v)))) if v > 0 else float(r >= 0) for r, v in rises]
    return min(1.0, (t.size - 2) * max(p))


def judged(
    name: str, turn: float, many: Floats, p: float, t: Floats, y: str, along: Axis = PARAMS
) -> dict[str, object]:
    """Value, interval, verdict and reason of one estimator."""
    known = not np.isnan(many).all()
    share = float(np.isfinite(many).mean()) if known else np.nan
    low, high = bracketed(name, *percentile_interval(many), t)
    reason, verdict = _reason(turn, t, y, along), "undecided"
    if not known:
        reason += "; the noise of the scores is unknown, so that nothing can be told from it"
    elif not np.isfinite(turn):
        verdict = f"no boundary in these {along.points}" if share <= 0.05 else verdict
    elif share >= 0.95 and np.isfinite([low, high]).all() and p < 0.05:
        verdict = "boundary"
    elif share < 0.95:
        reason += f", but {1 - share:.0%} of the noise draws have none inside the {along.points}"
    else:
        reason += ", but the fall before it or the rise after it is within the noise"
    return {
        "n_c_b": along.back(turn) if np.isfinite(turn) else np.nan,
        "low": along.back(low),
        "high": along.back(high),
        "share": share,
        "p_turn": p,
        "verdict": verdict,
        "reason": reason,
        "n": t.size,
        "method": "score noise and misfit",
    }


def _no_answer(t: Floats, y: Floats, name: str, along: Axis) -> str:
    """Why nothing can turn on such a ladder, or an empty text."""
    if t.size < LEAST_SIZES:
        takes = f"it takes {LEAST_SIZES} to draw one, more to tell it from noise"
        return f"{t.size} {along.points} cannot show a turn: {takes}"
    return f"{name} is the same at every {along.point}" if np.ptp(y) == 0 else ""


def _raw(name: str, t: Floats, y: Floats, turn: float, along: Axis) -> float:
    """What the formula alone gives, inside the sizes or not."""
    if np.isfinite(turn):
        return along.back(turn)
    if name == "minimum size":
        return along.back(float(t[int(np.argmin(y))]))
    return along.back(float(fit_parabolas(t, y).vertex()[0])) if name == "vertex" else float("nan")


def _reason(turn: float, t: Floats, y: str, along: Axis) -> str:
    """Why there is or is not a boundary, in words: of sizes, or of another axis."""
    ends = [along.back(float(end)) for end in (t[0], t[-1])]
    if along.by_size:
        first, last = (f"{end:.3g} B" for end in ends)
        where, between = "", f"between {first} and {last}"
        start, stop, below = f"smallest size on, {first}", f"largest size, {last}", "below it"
    else:
        first, last = (along.shown(end) for end in ends)
        where, between = f"{along.where}, ", along.between(*ends)
        start, stop, below = f"first {along.point} on, {first}", f"last {along.point}, {last}", "before it"
    if np.isfinite(turn):
        return f"a turn {where}{between}"
    if np.isnan(turn):
        return f"{y} has no turn from falling to rising {between}"
    if turn > 0:
        return f"{y} has not turned up by the {stop}"
    return f"{y} rises from the {start}: a turn would lie {below}"


@dataclass(frozen=True, slots=True)
class BoundaryPower:
    """`depth`: points by which the family's parabola dips over half of its range of sizes; `near_sizes`, `near_depth`:
    the planted ladder nearest by ratio; `questions`, `four`: share (0-1) of such ladders that the vertex calls a
    boundary, with the benchmarks' questions and with four times as many."""

    depth: float
    near_sizes: int
    near_depth: float
    questions: float
    four: float


@lru_cache(maxsize=1)
def power_table() -> dict[str, Any]:
    """Share of planted parabolas that the vertex calls a boundary, from the table "coverage".

    Keys: sizes, depths (points), and by noise ("questions", "four") one row a number of sizes, one column a depth.
    """
    rows = tables.load("coverage")
    rows = rows[(rows["part"] == "power") & (rows["method"] == "vertex")]
    depth = rows["truth"].str.extract(r"([\d.]+) points")[0].astype(float)
    grids = {
        key: rows[rows["noise"] == noise].assign(depth=depth).pivot_table(index="n", columns="depth", values="value")
        for key, noise in NOISE.items()
    }
    first = grids["questions"]
    answer: dict[str, Any] = {"sizes": [int(n) for n in first.index], "depths": [float(d) for d in first.columns]}
    return answer | {key: grid.to_numpy(float).tolist() for key, grid in grids.items()}


def boundary_power(ladder: pd.DataFrame, *, y: str = "truthfulqa") -> BoundaryPower | None:
    """The power to call this family's dip a boundary; None where its parabola does not dip or sizes are too few.

    ladder: one row a size; columns params_b (billions), y (percent). The planted sizes span 0.07 to 12 billions.
    """
    rows, table = ladder_rows(ladder, [y], purpose="a dip"), power_table()
    t = log_size(rows)
    if t.size < table["sizes"][0]:
        return None
    depth = float(fit_parabolas(t, rows[y].to_numpy(float)).curvature[0]) * (float(np.ptp(t)) / 2) ** 2
    if not depth > FLAT:
        return None
    row, column = _nearest(table["sizes"], t.size), _nearest(table["depths"], depth)
    questions, four = (float(table[key][row][column]) for key in NOISE)
    return BoundaryPower(depth, table["sizes"][row], table["depths"][column], questions, four)


def _nearest(values: list[float], value: float) -> int:
    """Place of the number nearest by ratio; the smaller of two that are as near."""
    away = [abs(math.log(value / one)) for one in values]
    return away.index(min(away))
