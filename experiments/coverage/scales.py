"""Critical scales: do the four estimators find a planted turn, and do they find one where there is none?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.boundary import ESTIMATORS, judged, misfit, noise_draws, turn_p
from experiments.coverage.families import NULLS, SHAPES, Ladders, planted
from experiments.coverage.rates import Rate, Setting, bias, coverage, share

Floats = NDArray[np.float64]
PART = "critical scales"
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
                    setting = Setting(PART, str(name), shape, n, noise)
                    yield from _planted(setting, rows) if shape in SHAPES else _null(setting, rows)


def power(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """How often a parabola of a given depth is called a boundary, by sizes and by questions."""
    for n in (4, 5, 6, 8, 10, 12, 16):
        for noise, items in (("questions", 1.0), ("four times the questions", 4.0), ("no noise to speak of", 100.0)):
            for depth in (2.0, 4.0, 8.0, 12.0):
                ladders = planted(n, replications, rng=rng, depth=depth, noise=(items, 0.0))
                for name, rows in verdicts(ladders).groupby("estimator", sort=False):
                    setting = Setting("power", str(name), f"U, {depth:g} points", n, noise)
                    yield share(setting, rows["verdict"] == "boundary", "power")


def _planted(setting: Setting, rows: pd.DataFrame) -> Iterator[Rate]:
    called, ends = rows["verdict"] == "boundary", rows[["low", "high"]]
    yield coverage(setting, ends, rows["true_b"])
    if called.sum() >= LEAST_CALLED:
        yield coverage(setting, ends[called], rows["true_b"][called], measure="coverage where a boundary is called")
    yield bias(setting, np.log10(rows["n_c_b"] / rows["true_b"]), unit="powers of ten")
    yield share(setting, called, "power")
    yield share(setting, rows["verdict"] == "no boundary in these sizes", "false verdicts of no boundary")


def _null(setting: Setting, rows: pd.DataFrame) -> Iterator[Rate]:
    yield share(setting, rows["verdict"] == "boundary", "false positives")
