"""The vertex over pooled families: the paper's bootstrap beside what knows of families."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cape_lib.base.boundary import fit_parabolas, kept_vertices, turning_points
from cape_lib.stats import cluster_bootstrap_counts, noisy_scores, percentile_interval, row_bootstrap_counts
from experiments.coverage.families import BOTTOM, measured, planted_scores
from experiments.coverage.rates import Rate, Setting, coverage

Floats = NDArray[np.float64]
PART = "pooled vertex"
DRAWS = 300
ITEMS = 817
#: log10 of the sizes of one family lie between these
RANGE = (-1.0, 1.85)
TURN = 0.55


def pooled(
    families: int, replications: int, rng: np.random.Generator, *, shape: str = "U", family_sd: float = 3.0
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Panels of families with five sizes each: t and y (replications, n), noise (replications, n), family (n,).

    family_sd: scatter of whole families in points of y; a family's sizes span one to two powers of ten anywhere in the
    range. The planted turn is at log10 size 0.55 (3.5 billions).
    """
    k = 5
    width = rng.uniform(1.0, 2.0, size=(replications, families, 1))
    start = rng.uniform(RANGE[0], RANGE[1] - width)
    t = (start + width * np.linspace(0.0, 1.0, k)).reshape(replications, families * k)
    # The courses are piecewise simple: a fine grid and straight lines between its points are exact enough.
    fine = np.linspace(*RANGE, 400)
    _, true = planted_scores(fine, shape=shape, turn=TURN, depth=8.0)
    y = np.interp(t, fine, true[0]) + np.repeat(family_sd * rng.standard_normal((replications, families)), k, axis=1)
    observed, sd = measured(np.clip(y, BOTTOM - 15, 95.0), ITEMS, rng)
    return t, observed, sd, np.repeat(np.arange(families), k)


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage of three intervals of the vertex."""
    for families in (3, 12):
        for noise, family_sd in (("questions", 0.0), ("questions and families of 3 points", 3.0)):
            t, y, sd, family = pooled(families, replications, rng, family_sd=family_sd)
            ends = np.array([_intervals(t[i], y[i], sd[i], family, rng) for i in range(replications)])
            names = ("rows resampled, as published", "families resampled", "score noise")
            for j, name in enumerate(names):
                if name == "families resampled" and families < 8:
                    continue
                setting = Setting(PART, name, "U", families * 5, noise)
                yield coverage(setting, ends[:, j], 10.0**TURN)


def _intervals(
    t: Floats, y: Floats, sd: Floats, family: NDArray[np.int64], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Ends in billions of the three intervals, as `boundary.vertex_intervals` gives them."""
    rows = percentile_interval(kept_vertices(fit_parabolas(t, y, row_bootstrap_counts(t.size, DRAWS, rng))))
    whole = turning_points(fit_parabolas(t, y, cluster_bootstrap_counts(family, DRAWS, rng)), t)
    noise = turning_points(fit_parabolas(t, noisy_scores(y, sd, DRAWS, rng)), t)
    logs = [rows, percentile_interval(whole), percentile_interval(noise)]
    return [(10.0**low, 10.0**high) for low, high in logs]
