"""Critical scales: do the four estimators find a planted turn, and do they find one where there is none?

Ladders of sizes with a planted course of both scores, the noise that questions and training seeds add, and the vertex
over pooled families: the paper's bootstrap beside what knows of families.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.base.boundary import (
    ESTIMATORS,
    fit_parabolas,
    judged,
    kept_vertices,
    misfit,
    noise_draws,
    turn_p,
    turning_points,
)
from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.stats import cluster_bootstrap_counts, noisy_scores, percentile_interval, row_bootstrap_counts
from cape_lib.tables import ITEM_COUNTS
from experiments.coverage.rates import Floats, Rate, Setting, bias, coverage, measured, share

#: the range of sizes of the ladders, billions: Pythia's
SMALLEST_B, LARGEST_B = 0.07, 12.0
#: courses of the second score that turn inside the sizes -> in words
SHAPES: dict[str, str] = {
    "U": "a parabola in log size",
    "V": "falls and rises in two straight lines",
}
#: courses that do not -> in words
NULLS: dict[str, str] = {
    "falls": "falls at one rate",
    "rises": "rises at one rate",
    "levels off": "falls, then stays where it is",
    "flat": "does not depend on size",
}
#: the second score at the turn, percent
BOTTOM = 35.0
#: word for the noise -> (times the questions, points between training seeds)
NOISE: dict[str, tuple[float, float]] = {
    "questions": (1.0, 0.0),
    "four times the questions": (4.0, 0.0),
    "questions and seeds of 1 point": (1.0, 1.0),
}
SIZES = (5, 8, 12)
CHUNK = 50
#: fewer called boundaries than this say nothing of their intervals
LEAST_CALLED = 20
#: pooled families: draws of an interval; log10 of their smallest and largest size, and of the planted turn (3.5 B)
DRAWS, RANGE, TURN = 300, (-1.0, 1.85), 0.55


@dataclass(frozen=True, slots=True)
class Ladders:
    """Many families of one kind: `t` log10 sizes (k,), observed `x`, `y` and the noise stated for them, (families, k).

    `turn`: true log10 size of the turn, (families,), NaN where the course has none.
    """

    t: Floats
    x: Floats
    y: Floats
    x_sd: Floats
    y_sd: Floats
    turn: Floats


def planted_scores(t: Floats, *, shape: str, turn: ArrayLike, depth: float) -> tuple[Floats, Floats]:
    """True scores (x, y) in percent, each (families, k), of families with one course of y.

    t: (k,) log10 billions; shape: a name of `SHAPES` or `NULLS`; turn: log10 billions, (families,) (a course without a
    turn ignores it); depth: points by which y changes over half the range of sizes. x rises as HellaSwag does.
    Raises UsageError for an unknown shape.
    """
    if shape not in SHAPES | NULLS:
        raise UsageError(suggest("shape", shape, [*SHAPES, *NULLS]))
    half = float(np.ptp(t)) / 2
    at = np.atleast_1d(np.asarray(turn, dtype=float))[:, None]
    away = (t[None, :] - at) / half
    middle = np.broadcast_to((t - t.mean())[None, :] / half, away.shape)
    course = {
        "U": away**2,
        "V": np.abs(away),
        "falls": 1.0 - middle,
        "rises": 1.0 + middle,
        "levels off": np.clip(-away, 0.0, None),
        "flat": np.zeros_like(away),
    }[shape]
    x = 25.0 + 60.0 / (1.0 + np.exp(-1.2 * (t - 0.2)))
    return np.broadcast_to(x, away.shape).copy(), BOTTOM + depth * course


def planted(
    n: int,
    families: int,
    *,
    rng: np.random.Generator,
    shape: str = "U",
    depth: float = 8.0,
    noise: tuple[float, float] = (1.0, 0.0),
) -> Ladders:
    """Families of n sizes from 0.07 to 12 billions, evenly spaced in the log, as somebody would measure them.

    The turn lies anywhere in the middle half of the sizes. shape, depth: see `planted_scores`; noise: how many times
    the usual number of questions, which the stated noise knows, and the scatter between training seeds in points of
    y, which no stated noise knows.
    """
    items, seed_sd = noise
    t = np.linspace(np.log10(SMALLEST_B), np.log10(LARGEST_B), n)
    reach = float(np.ptp(t)) / 4
    turn = rng.uniform(t.mean() - reach, t.mean() + reach, size=families)
    x, y = planted_scores(t, shape=shape, turn=turn, depth=depth)
    y = y + seed_sd * rng.standard_normal(y.shape)
    x, x_sd = measured(x, round(items * ITEM_COUNTS["hellaswag"]), rng)
    y, y_sd = measured(y, round(items * ITEM_COUNTS["truthfulqa"]), rng)
    return Ladders(t, x, y, x_sd, y_sd, turn if shape in SHAPES else np.full(families, np.nan))


def verdicts(ladders: Ladders) -> pd.DataFrame:
    """What `boundary.critical_scales` says of each family: family, estimator, n_c_b, low, high, verdict, true_b.

    Many families are put to an estimator at once; the draws and the rule are the book's own.
    """
    parts = []
    for start in range(0, len(ladders.x), CHUNK):
        here = slice(start, start + CHUNK)
        x, y, x_sd, y_sd = ladders.x[here], ladders.y[here], ladders.x_sd[here], ladders.y_sd[here]
        k = ladders.t.size
        away = [np.array(part) for part in zip(*(noise_draws(*sd) for sd in zip(x_sd, y_sd, strict=True)), strict=True)]
        for name, estimator in ESTIMATORS.items():
            points = estimator(ladders.t, x, y)
            scale = np.array([misfit(name, ladders.t, (x[i], y[i]), y_sd[i]) for i in range(len(x))])[:, None, None]
            drawn = [v[:, None, :] + scale * part for v, part in zip((x, y), away, strict=True)]
            many = estimator(ladders.t, *(part.reshape(-1, k) for part in drawn)).reshape(len(x), -1)
            for i in range(len(x)):
                p = turn_p(ladders.t, y[i], y_sd[i], turn=float(points[i]))
                row = judged(name, float(points[i]), many[i], p, ladders.t, "TruthfulQA")
                parts.append({"family": start + i, "estimator": name} | row)
    table = pd.DataFrame(parts)[["family", "estimator", "n_c_b", "low", "high", "share", "verdict"]]
    return table.assign(true_b=10.0 ** ladders.turn[table["family"]])


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage, bias, power and wrong verdicts for every shape, number of sizes and noise."""
    for n in SIZES:
        for noise, amount in NOISE.items():
            for shape in (*SHAPES, *NULLS):
                ladders = planted(n, replications, rng=rng, shape=shape, noise=amount)
                for name, rows in verdicts(ladders).groupby("estimator", sort=False):
                    setting = Setting("critical scales", str(name), shape, n, noise)
                    yield from _judged(setting, rows, turns=shape in SHAPES)


def power(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """How often a parabola of a given depth is called a boundary, by sizes and by questions."""
    for n in (4, 5, 6, 8, 10, 12, 16):
        for noise, items in (("questions", 1.0), ("four times the questions", 4.0), ("no noise to speak of", 100.0)):
            for depth in (2.0, 4.0, 8.0, 12.0):
                ladders = planted(n, replications, rng=rng, depth=depth, noise=(items, 0.0))
                for name, rows in verdicts(ladders).groupby("estimator", sort=False):
                    setting = Setting("power", str(name), f"U, {depth:g} points", n, noise)
                    yield share(setting, rows["verdict"] == "boundary", "power")


def _judged(setting: Setting, rows: pd.DataFrame, *, turns: bool) -> Iterator[Rate]:
    called, ends = rows["verdict"] == "boundary", rows[["low", "high"]].to_numpy(dtype=float)
    if not turns:
        yield share(setting, called, "false positives")
        return
    yield coverage(setting, ends, rows["true_b"])
    if called.sum() >= LEAST_CALLED:
        yield coverage(setting, ends[called], rows["true_b"][called], measure="coverage where a boundary is called")
    yield bias(setting, np.log10(rows["n_c_b"] / rows["true_b"]), unit="powers of ten")
    yield share(setting, called, "power")
    yield share(setting, rows["verdict"] == "no boundary in these sizes", "false verdicts of no boundary")


def pooled_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage of three intervals of the vertex over pooled families, in billions."""
    names = ("rows resampled, as published", "families resampled", "score noise")
    for families in (3, 12):
        for noise, family_sd in (("questions", 0.0), ("questions and families of 3 points", 3.0)):
            t, y, sd, family = _pooled(families, replications, rng, family_sd=family_sd)
            ends = np.array([_vertices(t[i], y[i], sd[i], family, rng) for i in range(replications)])
            for j, name in enumerate(names):
                if name != "families resampled" or families >= 8:
                    yield coverage(Setting("pooled vertex", name, "U", families * 5, noise), ends[:, j], 10.0**TURN)


def _pooled(
    families: int, replications: int, rng: np.random.Generator, *, family_sd: float
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Panels of families with five sizes each: t and y (replications, n), noise (replications, n), family (n,).

    family_sd: scatter of whole families in points of y; a family's sizes span one to two powers of ten anywhere in the
    range.
    """
    k = 5
    width = rng.uniform(1.0, 2.0, size=(replications, families, 1))
    start = rng.uniform(RANGE[0], RANGE[1] - width)
    t = (start + width * np.linspace(0.0, 1.0, k)).reshape(replications, families * k)
    # The course is piecewise simple: a fine grid and straight lines between its points are exact enough.
    fine = np.linspace(*RANGE, 400)
    _, true = planted_scores(fine, shape="U", turn=TURN, depth=8.0)
    y = np.interp(t, fine, true[0]) + np.repeat(family_sd * rng.standard_normal((replications, families)), k, axis=1)
    observed, sd = measured(np.clip(y, BOTTOM - 15, 95.0), ITEM_COUNTS["truthfulqa"], rng)
    return t, observed, sd, np.repeat(np.arange(families), k)


def _vertices(t: Floats, y: Floats, sd: Floats, family: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Ends in billions of the three intervals, as `boundary.vertex_intervals` gives them, (3, 2)."""
    rows = kept_vertices(fit_parabolas(t, y, row_bootstrap_counts(t.size, DRAWS, rng)))
    whole = turning_points(fit_parabolas(t, y, cluster_bootstrap_counts(family, DRAWS, rng)), t)
    noise = turning_points(fit_parabolas(t, noisy_scores(y, sd, DRAWS, rng)), t)
    return 10.0 ** np.array([percentile_interval(draws) for draws in (rows, whole, noise)])
