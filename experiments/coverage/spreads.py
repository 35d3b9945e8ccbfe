"""How far the best releases lie apart: intervals of a spread and of the ratio of two, on true scores that are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.frontier import complete_rows, spread, spread_draws, top_rows
from cape_lib.frontier.lines import X, Y
from cape_lib.frontier.saturation import ratio_interval
from cape_lib.stats import score_sd
from experiments.coverage.rates import Rate, Setting, coverage

Floats = NDArray[np.float64]
PART = "spread of the best"
#: releases, how many of them are the best, their highest true score, percent; scatter of the other axis, points
RELEASES, BEST, HIGHEST, SCATTER = 34, 5, 80.0, 6.0
#: how the true scores lie: far apart, crowded below a ceiling, within a noise's width of one another, a point apart,
#: eight of them equal
WORLDS = ("far apart", "below a ceiling", "crowded", "a point apart", "eight equal")


def true_scores(world: str, rng: np.random.Generator) -> Floats:
    """True scores of releases on the axis that ranks them, (34,), percent.  world: one of `WORLDS`."""
    if world == "far apart":
        return rng.normal(60.0, 10.0, RELEASES).clip(20.0, 92.0)
    if world == "below a ceiling":
        return HIGHEST - rng.exponential(8.0, RELEASES)
    if world == "crowded":
        return rng.normal(75.0, 1.8, RELEASES)
    if world == "a point apart":
        return HIGHEST - np.arange(RELEASES, dtype=float)
    return np.concatenate([np.full(8, HIGHEST), rng.uniform(40.0, 74.0, RELEASES - 8)])


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Intervals of the spread of either axis among the top five by one, and of sigma: true spreads of those models."""
    for world in WORLDS:
        ends: dict[str, list[tuple[float, float]]] = {}
        truth: dict[str, list[float]] = {}
        for _ in range(replications):
            old = true_scores(world, rng)
            true = {X: old, Y: (46.0 + 0.5 * old + rng.normal(0.0, SCATTER, RELEASES)).clip(5.0, 98.0)}
            names = [f"{i:02d}" for i in range(RELEASES)]
            scores = {axis: rng.normal(one, score_sd(one, axis)).clip(0.0, 100.0) for axis, one in true.items()}
            rows = complete_rows(pd.DataFrame({"model": names, "lab": names, **scores}), X, Y)
            top = top_rows(rows, X, also=(Y,), k=BEST)
            draws = spread_draws(rows, X, (X, Y), k=BEST, seed=int(rng.integers(2**31)))
            best = top["model"].astype(int).to_numpy()
            known = {"old axis": X, "new axis": Y}
            for name, axis in known.items():
                ends.setdefault(name, []).append(draws[axis].interval(spread(top[axis])))
                truth.setdefault(name, []).append(spread(true[axis][best]))
            sigma = ratio_interval(spread(top[X]), spread(top[Y]), ends["old axis"][-1], ends["new axis"][-1])
            ends.setdefault("sigma", []).append(sigma)
            truth.setdefault("sigma", []).append(spread(true[X][best]) / spread(true[Y][best]))
        for name in ends:
            setting = Setting(PART, f"{name}, noise off and on", f"scores {world}", RELEASES, "questions")
            yield coverage(setting, ends[name], truth[name])
