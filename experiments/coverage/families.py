"""Ladders of sizes with a planted course of both scores, and the noise that questions and training seeds add."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.stats import score_sd
from cape_lib.tables import ITEM_COUNTS

Floats = NDArray[np.float64]
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


def ladder_sizes(n: int) -> Floats:
    """log10 of n sizes from 0.07 to 12 billions, evenly spaced in the log, shape (n,)."""
    return np.linspace(np.log10(SMALLEST_B), np.log10(LARGEST_B), n)


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
    """Families of n sizes with a planted course, as somebody would measure them.

    The turn lies anywhere in the middle half of the sizes. shape, depth: see `planted_scores`; noise: how many times
    the usual number of questions, which the stated noise knows, and the scatter between training seeds in points of
    y, which no stated noise knows.
    """
    items, seed_sd = noise
    t = ladder_sizes(n)
    reach = float(np.ptp(t)) / 4
    turn = rng.uniform(t.mean() - reach, t.mean() + reach, size=families)
    x, y = planted_scores(t, shape=shape, turn=turn, depth=depth)
    y = y + seed_sd * rng.standard_normal(y.shape)
    x, x_sd = measured(x, round(items * ITEM_COUNTS["hellaswag"]), rng)
    y, y_sd = measured(y, round(items * ITEM_COUNTS["truthfulqa"]), rng)
    return Ladders(t, x, y, x_sd, y_sd, turn if shape in SHAPES else np.full(families, np.nan))


def measured(true: Floats, items: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scores in percent from so many questions, each right with the true probability, and their stated noise."""
    observed = 100.0 * rng.binomial(items, np.clip(true, 0.0, 100.0) / 100.0) / items
    return observed, score_sd(observed, items=items)


def streams(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each part, so that one more part moves no number of the others."""
    return np.random.default_rng([seed, *name.encode()])
