"""Where a family is said to turn from fighting to cooperating: critical scales and the isocline.

Figures: `charts.base`; sentences: `story.boundary`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr

from cape_lib import stats, tables
from cape_lib.base.coupling import local_couplings
from cape_lib.stats import RATIO, Estimate, Floats, isocline
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis

# An estimator: sizes t (k,) as log10, draws of x and y (resamples, k) -> log10 N_c (resamples,). A boundary that these
# sizes do not hold is -inf (y rises from the smallest on) or +inf (y has not turned by the largest); NaN: no answer.
Estimator = Callable[[Floats, Floats, Floats], Floats]
READINGS = ("stated", "reversed", "always negative")
# Vertices that the published bootstrap keeps: 10^7 to 10^12 parameters, here as log10 of billions.
PUBLISHED_WINDOW = (-2.0, 3.0)
#: estimators whose answer is one of the sizes
ON_SIZES = ("minimum size", "best threshold")
#: sizes nearer to an end than this (log10) are that end
ROUNDING = 1e-9
LEAST_SIZES = 3
COLUMNS = ["estimator", "n_c_b", "low", "high", "share", "p_turn", "verdict", "reason", "raw_b", "n", "method"]
NOISE = {"questions": "questions", "four": "four times the questions"}
#: a dip of fewer points is rounding
FLAT = 1e-6


# A quadratic of a score in log10 size: thousands of fits at once


class Parabolas(NamedTuple):
    """Quadratics y = curvature v^2 + slope v + constant of v = t - centre, one an element; shapes (resamples,)."""

    curvature: Floats
    slope: Floats
    constant: Floats
    centre: Floats

    def at(self, t: Floats) -> Floats:
        """The value of each at t, (n,) or (resamples, n): shape (resamples, n)."""
        v = t - self.centre[:, None]
        return np.asarray(self.constant[:, None] + (self.slope[:, None] + self.curvature[:, None] * v) * v)

    def vertex(self) -> Floats:
        """Where each turns, in the unit of t; inf or NaN for a straight line."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.centre - self.slope / (2 * self.curvature)

    def slope_at(self, t: float) -> Floats:
        """The slope of each at t."""
        return self.slope + 2 * self.curvature * (t - self.centre)


def fit_parabolas(t: Floats, y: Floats, weights: ArrayLike | None = None, *, bend: bool = True) -> Parabolas:
    """Least-squares quadratics of y in t, all resamples at once, from the central moments of t.

    t: (n,), log10 size; y: (n,), or (resamples, n) for draws of scores; weights: of the rows, such as how often each is
    in a resample, (n,) or (resamples, n); bend: False for straight lines. NaN with fewer than three different t (two
    for a line).
    """
    scale = float(np.ptp(t)) or 1.0
    # Without the level of y a constant score leaves no rounding that could pass for a bend.
    level = y.mean(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # a size that is not a number, rows without a weight
        w = np.atleast_2d(np.ones(t.size) if weights is None else np.asarray(weights, dtype=float))
        w = w / w.sum(axis=1, keepdims=True)
        centre = w @ t
        v = (t - centre[:, None]) / scale
        m2, m3, m4 = ((w * v**power).sum(axis=1) for power in (2, 3, 4))
        p0, p1, p2 = ((w * v**power * (y - level)).sum(axis=1) for power in (0, 1, 2))
        # Three different t leave at least the square of their smallest gap; less than this is rounding.
        room = m4 - m2**2 - m3**2 / m2 if bend else np.inf
        known = (m2 > 1e-12) & (room > 1e-12 * m2**2)
        curvature = np.where(known, (p2 - m2 * p0 - m3 * p1 / m2) / room, np.nan)
        slope = (p1 - curvature * m3) / m2
    return Parabolas(curvature / scale**2, slope / scale, level[..., 0] + p0 - curvature * m2, centre)


def kept_vertices(parabolas: Parabolas) -> Floats:
    """Vertices that the published rule keeps (convex, 10^7 to 10^12), log10 of billions; NaN for the others."""
    vertex = parabolas.vertex()
    low, high = PUBLISHED_WINDOW
    with np.errstate(invalid="ignore"):
        return np.where((parabolas.curvature > 0) & (vertex > low) & (vertex < high), vertex, np.nan)


def turning_points(parabolas: Parabolas, t: Floats) -> Floats:
    """log10 size at which each quadratic turns from falling to rising inside the sizes t.

    +inf where it still falls at the largest size, -inf where it rises from the smallest on, NaN where it is not
    defined.
    """
    return _turn_between(parabolas.slope_at(float(t.min())), parabolas.slope_at(float(t.max())), parabolas.vertex())


def _turn_between(start: Floats, end: Floats, turn: Floats) -> Floats:
    """The turn where the slope goes from negative to positive; else on which side of the sizes it must lie: +-inf."""
    with np.errstate(invalid="ignore"):
        outside = np.where(end <= 0, np.inf, -np.inf)
        turns = np.where((start < 0) & (end > 0), turn, outside)
    return np.where(np.isnan(start + end), np.nan, turns)


def vertex_bootstrap(
    frame: pd.DataFrame, *, y: str = "truthfulqa", resamples: int = 10_000, seed: int = 42
) -> pd.Series:
    """The paper's critical scale: vertex of a quadratic of y in log10 size, rows resampled with replacement.

    frame: one row a model, families pooled; columns params_b (billions), y (percent). Resamples without a vertex that
    `kept_vertices` keeps are dropped, so that the interval is conditional on a boundary; it takes rows for independent
    (see `vertex_intervals`). Returns, in billions, estimate (median of the vertices that count, with their percentile
    interval), point (vertex of the rows themselves, NaN if it does not count), share (of the resamples those that
    count, 0-1) and draws (their vertices). Raises MissingError with fewer than three rows.
    Published: 3.5 B [2.9, 13.4] on 14 rows (Pythia, Llama-1 and Llama-2 in the version "bootstrap_script").
    """
    rows = stats.complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score = PARAMS.t(rows["params_b"]), rows[y].to_numpy(dtype=float)
    counts = stats.row_bootstrap_counts(t.size, resamples, stats.generator(seed))
    draws = kept_vertices(fit_parabolas(t, score, counts))
    vertices = 10 ** draws[~np.isnan(draws)]
    median = float(np.median(vertices)) if vertices.size else float("nan")
    method = f"rows resampled, {vertices.size} of {resamples} vertices kept"
    estimate = Estimate(median, *stats.percentile_interval(vertices), t.size, method)
    point = PARAMS.back(float(kept_vertices(fit_parabolas(t, score))[0]))
    return pd.Series({"estimate": estimate, "point": point, "share": vertices.size / resamples, "draws": vertices})


def vertex_intervals(
    frame: pd.DataFrame, *, y: str = "truthfulqa", resamples: int = 10_000, seed: int = 42
) -> pd.DataFrame:
    """The vertex of a quadratic of y in log10 size over pooled families, with every interval that can be had.

    frame: one row a model; columns params_b (billions), y (percent), family. Returns one row a method: "rows resampled,
    as published"; "families resampled" (NaN and the reason below eight); "one family left out" (from the smallest to
    the largest vertex with one family fewer, a range); "score noise" (the same models asked other questions).
    Columns: method, n_c_b (billions; NaN where the quadratic does not turn up inside the sizes), low, high (0 = below
    every size, inf = beyond every size: unlike the published rule, resamples without a boundary are counted), share
    (of resamples with a boundary inside), n (rows), families, reason. Raises MissingError with fewer than three rows.
    """
    rows = stats.complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score, sd = PARAMS.t(rows["params_b"]), rows[y].to_numpy(dtype=float), stats.score_noise(rows, y)
    named = rows["family"] if "family" in rows.columns else pd.Series("all", index=rows.index)
    codes, names = pd.factorize(named, use_na_sentinel=False)
    families, least = len(names), stats.LEAST_CLUSTERS
    published = vertex_bootstrap(rows, y=y, resamples=resamples, seed=seed)
    # method -> arguments of `fit_parabolas` beside t, or none; and the reason
    fits: dict[str, tuple[tuple[Any, ...], str]] = {
        "families resampled": ((), f"{families} families are too few to resample; it takes {least}"),
        "one family left out": ((), "one family only: nothing is left without it"),
        "score noise": ((), "the noise of the scores is unknown"),
    }
    if families >= least:
        counts = stats.cluster_bootstrap_counts(codes, resamples, stats.generator(seed))
        fits["families resampled"] = (score, counts), "whole families drawn"
    if families > 1:
        fits["one family left out"] = (score, (codes != np.arange(families)[:, None]).astype(np.int64)), ""
    if np.isfinite(sd).all():
        fits["score noise"] = (stats.noisy_scores(score, sd, resamples, stats.generator(seed)),), "score noise alone"
    point = float(turning_points(fit_parabolas(t, score), t)[0])
    n_c_b, ends = PARAMS.back(point) if np.isfinite(point) else np.nan, published.estimate
    reason = "the interval leaves out resamples without a boundary and takes rows for independent"
    table = [("rows resampled, as published", published.point, ends.low, ends.high, published.share, reason)]
    for method, (fit, why) in fits.items():
        draws = turning_points(fit_parabolas(t, *fit), t) if fit else np.full(1, np.nan)
        known = draws[~np.isnan(draws)]
        low, high = stats.percentile_interval(known)
        if method == "one family left out" and known.size:
            low, high = float(known.min()), float(known.max())
            why = f"from without {names[int(np.nanargmin(draws))]} to without {names[int(np.nanargmax(draws))]}"
        share = float(np.isfinite(known).mean()) if known.size else np.nan
        table.append((method, n_c_b, PARAMS.back(low), PARAMS.back(high), share, why))
    columns = ["method", "n_c_b", "low", "high", "share", "reason"]
    answer = pd.DataFrame(table, columns=columns).assign(n=t.size, families=families)
    return answer[[*columns[:-1], "n", "families", "reason"]]


# Four estimators of a critical scale on one ladder, each named, none mixed with another; and their power


def _zero_crossing(t: Floats, x: Floats, y: Floats) -> Floats:
    """Where gamma(log10 size) crosses zero upwards: a line through the gammas at the middle of each interval.

    Each gamma = dy / dx counts with weight dx^2, as its noise goes with 1 / dx: the line is the regression of dy on dx
    and dx times log size, and an interval without a step in x says nothing in place of everything.
    """
    line = _gamma_line(t, x, y)
    start, end = line.at(t[[0, -1]]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return _turn_between(start, end, line.centre - line.constant / line.slope)


def _gamma_line(t: Floats, x: Floats, y: Floats) -> Parabolas:
    """The straight line of gamma in log10 size; NaN where the steps do not tell."""
    dx, dy = np.diff(x, axis=-1), np.diff(y, axis=-1)
    gamma = np.divide(dy, dx, out=np.zeros_like(dx), where=dx != 0)
    return fit_parabolas((t[:-1] + t[1:]) / 2, gamma, dx**2, bend=False)


def _minimum_size(t: Floats, x: Floats, y: Floats) -> Floats:
    """The size at which y is smallest; at an end of the ladder no turn has been seen."""
    place = np.argmin(y, axis=-1)
    inside = np.where(place == 0, -np.inf, t[place])
    return np.where(place == t.size - 1, np.inf, inside)


def _best_threshold(t: Floats, x: Floats, y: Floats) -> Floats:
    """The size that best parts gamma < 0 below from gamma > 0 above: fewest intervals on the wrong side.

    A size inside the ladder must beat both rules without one (all negative, all positive); of equals the mean log.
    """
    sign = np.sign(np.diff(y, axis=-1) * np.diff(x, axis=-1))
    before = np.arange(t.size - 1)[:, None] < np.arange(t.size)
    errors = (sign >= 0).astype(int) @ before + (sign <= 0).astype(int) @ ~before
    positive, negative = errors[..., 0], errors[..., -1]
    inner = errors[..., 1:-1]
    fewest = inner.min(axis=-1) if inner.shape[-1] else np.full(positive.shape, np.inf)
    best = inner == fewest[..., None]
    with np.errstate(invalid="ignore"):
        size = (best * t[1:-1]).sum(axis=-1) / best.sum(axis=-1)
    trivial = np.where(negative < positive, np.inf, np.where(positive < negative, -np.inf, np.nan))
    return np.where(fewest < np.minimum(positive, negative), size, trivial)


ESTIMATORS: dict[str, Estimator] = {
    # Needs three sizes; with three the curve has nothing to spare.
    "vertex": lambda t, x, y: turning_points(fit_parabolas(t, y), t),
    "zero crossing": _zero_crossing,
    "minimum size": _minimum_size,
    "best threshold": _best_threshold,
}


def misfit(name: str, t: Floats, scores: tuple[Floats, Floats], noise: Floats) -> float:
    """By how much the noise must grow for the curve of an estimator to be a fair account of the scores; 1 or more.

    The square root of chi square over its degrees of freedom (Birge's ratio): a parabola through two straight lines
    misses by more than question noise, and training seeds scatter without being stated. noise: of y, points, (k,).
    1 for "minimum size" and "best threshold", which fit no curve, without a degree of freedom and without noise.
    """
    x, y = scores
    if name == "vertex":
        rest, variance = y - fit_parabolas(t, y).at(t)[0], noise**2
    elif name == "zero crossing":
        rest = np.diff(y) - np.diff(x) * _gamma_line(t, x, y).at((t[:-1] + t[1:]) / 2)[0]
        variance = noise[:-1] ** 2 + noise[1:] ** 2
    else:
        return 1.0
    if t.size < 4 or not np.isfinite(rest).all() or not (variance > 0).all():
        return 1.0
    return float(np.sqrt(max(1.0, float((rest**2 / variance).sum()) / (t.size - 3))))


def critical_scales(
    ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", along: Axis = PARAMS
) -> pd.DataFrame:
    """Four estimates of the size at which two scores turn from fighting to cooperating, on one ladder.

    ladder: one row a size; columns params_b (billions), x, y (percent), optionally <score>_stderr; along: another axis,
    whose column takes the place of params_b and whose unit that of the billions. Returns one row an estimator
    ("vertex", "zero crossing", "minimum size", "best threshold"):

    n_c_b    billions; NaN where these sizes hold no boundary; raw_b what the formula gives all the same
    low, high    95 % of the score-noise draws (`stats.fixed_normals`), widened by `misfit`; 0 = below every size, inf =
        beyond every size. An estimator that answers with a size has one from the size before to the size after
    share    of the draws with a boundary inside the sizes (0-1)
    p_turn    p of y falling towards the turn and rising after it (`turn_p`)
    verdict    "boundary" only if 95 % of the draws lie inside the sizes and p_turn < 0.05; "no boundary in these
        sizes" if the scores hold none and at most 5 % of the draws do; else "undecided"
    reason, n (sizes), method

    The interval knows score noise and misfit, not other families: its coverage is in the table "coverage".
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    Source: paper A, which gives Pythia 3.5 B: not on this ladder in any version of its scores.
    """
    rows = stats.ladder_rows(ladder, [x, y], purpose="a critical scale", by=along.column)
    t, sizes = along.t(rows[along.column]), len(rows)
    scores = [rows[score].to_numpy(dtype=float) for score in (x, y)]
    noise = [stats.score_noise(rows, score) for score in (x, y)]
    # The minimum size is the lowest point of any other axis.
    called = {name: name if along.by_size or name != "minimum size" else "lowest point" for name in ESTIMATORS}
    none = f"{label(y)} is the same at every {along.point}" if np.ptp(scores[1]) == 0 else ""
    if sizes < LEAST_SIZES:
        none = (
            f"{sizes} {along.points} cannot show a turn: it takes {LEAST_SIZES} to draw one, more to tell it from noise"
        )
    if none:
        blank = {"verdict": "undecided", "reason": none, "n": sizes, "method": "none"}
        return pd.DataFrame([{"estimator": name} | blank for name in called.values()], columns=COLUMNS)
    away = noise_draws(*noise)
    # Unknown noise makes every comparison of a draw false: no interval, in place of a wrong one.
    known = all(np.isfinite(part).all() for part in away)
    table = []
    for name, estimator in ESTIMATORS.items():
        turn = float(estimator(t, scores[0][None, :], scores[1][None, :])[0])
        wide = misfit(name, t, (scores[0], scores[1]), noise[1])
        drawn = [v + wide * part for v, part in zip(scores, away, strict=True)]
        many = estimator(t, *drawn) if known else np.full(1, np.nan)
        row = judged(name, turn, many, turn_p(t, scores[1], noise[1], turn=turn), t, label(y), along)
        raw = turn
        if not np.isfinite(turn):
            vertex = float(fit_parabolas(t, scores[1]).vertex()[0])
            raw = {"minimum size": float(t[int(np.argmin(scores[1]))]), "vertex": vertex}.get(name, np.nan)
        table.append({"estimator": called[name], **row, "raw_b": along.back(raw)})
    return pd.DataFrame(table)[COLUMNS]


def noise_draws(x_sd: Floats, y_sd: Floats) -> tuple[Floats, Floats]:
    """What score noise adds to x and to y in each of the fixed draws, (1000, k) each; x_sd, y_sd: (k,), all points."""
    k = x_sd.size
    normals = stats.fixed_normals(2 * k)
    return x_sd * normals[:, :k], y_sd * normals[:, k:]


def turn_p(t: Floats, y: Floats, sd: Floats, *, turn: float) -> float:
    """p (0-1) that y neither falls up to a turn nor rises from it, one-sided slopes with known noise.

    The sizes up to and from the one nearest the turn each get a straight line; p is the larger of the two, times the
    number of sizes that could have been the turn. Where the sizes lie off the two lines, and off a parabola too, by
    more than their noise (training seeds do that), the noise grows as in `misfit`. t: (k,) log10 size; y, sd: (k,)
    points; turn: log10, inside t; NaN if it is not or sd is not. Source: after Simonsohn's two lines (2018).
    """
    if not np.isfinite(turn) or not np.isfinite(sd).all():
        return float("nan")
    middle = int(np.clip(np.argmin(np.abs(t - turn)), 1, t.size - 2))
    rises, square = [], 0.0
    for arm, sign in ((slice(0, middle + 1), 1.0), (slice(middle, None), -1.0)):
        u = t[arm] - t[arm].mean()
        rise = float(u @ y[arm])
        rises.append((sign * rise, float(u**2 @ sd[arm] ** 2)))
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
    """Value, interval, verdict and reason of one estimator, as columns of `critical_scales`.

    turn: log10, many: its draws (resamples,), NaN where the noise is unknown; p: of `turn_p`; y: the score in words.
    """
    known = not np.isnan(many).all()
    share = float(np.isfinite(many).mean()) if known else np.nan
    low, high = stats.percentile_interval(many)
    if name in ON_SIZES:
        # A score that is smallest at one of five sizes turns anywhere between its two neighbours.
        below, above = t[t < low - ROUNDING], t[t > high + ROUNDING]
        low = float(below[-1]) if np.isfinite(low) and below.size else low
        high = float(above[0]) if np.isfinite(high) and above.size else high
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
    value = along.back(turn) if np.isfinite(turn) else np.nan
    ends = {"n_c_b": value, "low": along.back(low), "high": along.back(high), "share": share, "p_turn": p}
    return ends | {"verdict": verdict, "reason": reason, "n": t.size, "method": "score noise and misfit"}


def _reason(turn: float, t: Floats, y: str, along: Axis) -> str:
    """Why there is or is not a boundary, in words: of sizes, or of another axis."""
    ends = [along.back(float(end)) for end in (t[0], t[-1])]
    first, last = (along.shown(end) for end in ends)
    between = f"between {first} and {last}" if along.by_size else along.between(*ends)
    words = ("smallest size", "largest size", "below")
    low, high, below = words if along.by_size else (f"first {along.point}", f"last {along.point}", "before")
    if np.isfinite(turn):
        return f"a turn {between}" if along.by_size else f"a turn {along.where}, {between}"
    if np.isnan(turn):
        return f"{y} has no turn from falling to rising {between}"
    if turn > 0:
        return f"{y} has not turned up by the {high}, {last}"
    return f"{y} rises from the {low} on, {first}: a turn would lie {below} it"


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


def boundary_power(ladder: pd.DataFrame, *, y: str = "truthfulqa") -> dict[str, float] | None:
    """The power to call this family's dip a boundary; None where its parabola does not dip or sizes are too few.

    ladder: one row a size; columns params_b (billions), y (percent). Returns depth (points by which the parabola dips
    over half of the range of sizes), near_sizes, near_depth (the planted ladder nearest by ratio, sizes from 0.07 to 12
    billions), questions and four: share (0-1) of such ladders that the vertex calls a boundary, with the benchmarks'
    questions and with four times as many.
    """
    rows, table = stats.ladder_rows(ladder, [y], purpose="a dip"), power_table()
    t, sizes, depths = PARAMS.t(rows["params_b"]), np.array(table["sizes"]), np.array(table["depths"])
    depth = float(fit_parabolas(t, rows[y].to_numpy(float)).curvature[0]) * (float(np.ptp(t)) / 2) ** 2
    if t.size < sizes[0] or not depth > FLAT:
        return None
    row, column = (int(np.abs(np.log(value / many)).argmin()) for value, many in ((t.size, sizes), (depth, depths)))
    answer = {"depth": depth, "near_sizes": int(sizes[row]), "near_depth": float(depths[column])}
    return answer | {key: float(table[key][row][column]) for key in NOISE}


# The isocline: a curve of one score over another that is said to part fighting from cooperating models


def classify(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", ratio: float = RATIO) -> pd.DataFrame:
    """The sign of each local coupling, predicted from where the interval's smaller model lies on the isocline.

    panel: one row a model; columns params_b, x, y (percent), ladder (rows without one are left out). Returns one row an
    interval: ladder, smaller, larger, params_b_low, params_b_high, x, y (of the smaller model), gamma, critical, above,
    and whether the sign is that of each reading: "stated" (above the curve: gamma > 0), "reversed" (above the curve:
    gamma < 0, the reading in which the published counts come out), "always negative" (the curve ignored). An interval
    without a change of x is left out, one without a change of y agrees with neither sign.
    Raises MissingError where no ladder has two sizes, ScoresError on equal sizes.
    Published: OPT 6 of 7, BLOOM 4 of 5, Cerebras-GPT 5 of 6.
    """
    steps = local_couplings(panel, x=x, y=y).dropna(subset="gamma")
    smaller = panel[["ladder", "params_b", x, y]].rename(columns={"params_b": "params_b_low", x: "x", y: "y"})
    columns = ["ladder", "smaller", "larger", "params_b_low", "params_b_high", "x", "y", "gamma"]
    return _read(steps.merge(smaller.dropna(), on=["ladder", "params_b_low"], how="left")[columns], ratio)


def _read(intervals: pd.DataFrame, ratio: float) -> pd.DataFrame:
    """The intervals with the curve at the smaller model, its side, and which readings have the sign right."""
    critical, sign = isocline(intervals["x"], ratio), np.sign(intervals["gamma"])
    above = intervals["y"] > critical
    stated = np.where(above, 1, -1)
    right = dict(zip(READINGS, (sign == stated, sign == -stated, sign == -1), strict=True))
    return intervals.assign(critical=critical, above=above, **right)


def compare_readings(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """Right signs of every ladder in both readings of the isocline and in the guess that ignores it.

    Arguments as `classify`. Returns one row a ladder and reading, and one for all ladders together ("all"): ladder,
    reading, right, n (intervals), share, low, high (0-1; `stats.clustered_share` over the ladders).
    """
    table, answer = classify(panel, x=x, y=y), []
    for reading, (group, rows) in product(READINGS, [*table.groupby("ladder"), ("all", table)]):
        share = stats.clustered_share(rows[reading], rows["ladder"])
        answer.append((group, reading, int(rows[reading].sum()), share.n, share.estimate, share.low, share.high))
    return pd.DataFrame(answer, columns=["ladder", "reading", "right", "n", "share", "low", "high"])


def ratio_sweep(
    panel: pd.DataFrame, ratios: Sequence[float], *, x: str = "hellaswag", y: str = "truthfulqa"
) -> pd.DataFrame:
    """Right signs over all ladders for many values of a/b: ratio, reading, right, n, share."""
    rows, table = classify(panel, x=x, y=y), []
    for ratio in ratios:
        for reading, right in _read(rows, ratio)[list(READINGS)].items():
            table.append((float(ratio), reading, int(right.sum()), len(right), right.mean()))
    return pd.DataFrame(table, columns=["ratio", "reading", "right", "n", "share"])
