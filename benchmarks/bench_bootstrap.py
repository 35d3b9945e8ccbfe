"""Bootstrap kernels against plain loops: `python -m benchmarks bootstrap` prints one table.

Processor seconds, a kernel and its loop in turn; the loop runs on a tenth of the resamples and is scaled up. A kernel
that nobody writes as a loop of its own is compared with the loop of parabolas. Budget: 10 times as fast as that loop.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from benchmarks.row import Row
from cape_lib import tables
from cape_lib.base import boundary, coupling
from cape_lib.stats import generator, noisy_scores, pearson_rows, row_bootstrap_counts, score_noise

RESAMPLES = 10_000


def seconds(run: Callable[[], object]) -> float:
    """Processor seconds of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def times_faster(fast: Callable[[], object], loop: Callable[[], object], rounds: int = 5) -> float:
    """How many times as fast as the loop, which does a tenth: both in turn, the least of each counts."""
    fast()
    pairs = [(seconds(loop), seconds(fast)) for _ in range(rounds)]
    return 10 * min(slow for slow, _ in pairs) / min(quick for _, quick in pairs)


def vertex_loop(frame: pd.DataFrame, resamples: int) -> list[float]:
    """The published bootstrap as a loop of polyfits."""
    t, y = np.log10(frame["params_b"].to_numpy() * 1e9), frame["truthfulqa"].to_numpy()
    rng, rest = generator(42), []
    for _ in range(resamples):
        rows = rng.integers(0, t.size, t.size)
        a, b, _ = np.polyfit(t[rows], y[rows], 2)
        if a > 0 and 7 < -b / (2 * a) < 12:
            rest.append(10 ** (-b / (2 * a)))
    return rest


def r_loop(x: np.ndarray, y: np.ndarray, resamples: int) -> list[float]:
    """Resampled correlations, one `corrcoef` each."""
    rng = generator(0)
    return [np.corrcoef(x[rows], y[rows])[0, 1] for rows in (rng.integers(0, x.size, x.size) for _ in range(resamples))]


def minimum_loop(ladder: pd.DataFrame, resamples: int) -> list[float]:
    """Score noise and the size at the minimum, one draw at a time."""
    rng, y = generator(0), ladder["truthfulqa"].to_numpy()
    sd, size = score_noise(ladder, "truthfulqa"), ladder["params_b"].to_numpy()
    return [size[int(np.argmin(y + sd * rng.standard_normal(y.size)))] for _ in range(resamples)]


def kernels() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Name -> the vectorised form of RESAMPLES draws, and the plain loop of a tenth of them."""
    rows14, uniform, pythia = tables.base_version("bootstrap_script"), tables.base("uniform"), tables.ladder("Pythia")
    x, y = uniform["hellaswag"].to_numpy(), uniform["truthfulqa"].to_numpy()
    y8, sd8 = pythia["truthfulqa"].to_numpy(), score_noise(pythia, "truthfulqa")
    tenth = RESAMPLES // 10

    def drawn_r() -> np.ndarray:
        return pearson_rows(x, y, row_bootstrap_counts(x.size, RESAMPLES, generator(0)))

    def polyfits() -> list[float]:
        return vertex_loop(rows14, tenth)

    return {
        "quadratic vertex, 14 rows": (lambda: boundary.vertex_bootstrap(rows14, resamples=RESAMPLES), polyfits),
        "Pearson r, 148 rows": (drawn_r, lambda: r_loop(x, y, tenth)),
        "size at the minimum, score noise": (
            lambda: np.argmin(noisy_scores(y8, sd8, RESAMPLES, generator(0)), axis=1),
            lambda: minimum_loop(pythia, tenth),
        ),
        "four critical scales, 8 sizes": (lambda: boundary.critical_scales(pythia), polyfits),
        "population coupling, 148 rows": (lambda: coupling.population_coupling(uniform, resamples=RESAMPLES), polyfits),
        "effective dimension, 145 rows": (lambda: coupling.effective_dimension(uniform, resamples=RESAMPLES), polyfits),
    }


def names() -> list[str]:
    """The names of `rows`."""
    return [f"kernel: {name}" for name in kernels()]


def rows() -> Iterator[Row]:
    """One row a kernel: how many times as fast as the loop it is."""
    for name, (fast, loop) in kernels().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ratio = times_faster(fast, loop)
        yield Row(f"kernel: {name}", ratio, ratio)
