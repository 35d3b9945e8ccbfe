"""Sweeps, timed: `python -m benchmarks.bench_sweep` prints a table of its own, `python -m benchmarks sweep` its ratios.

10 and 100 made-up families of six sizes on one and on two local workers. `tasks` is the time from the first task to the
last answer with workers that have loaded the library; efficiency is t1 / (2 t2) of that. `whole` has the start of the
workers and the page in it. Memory is the resident set of the largest worker.
Budget: efficiency at least 0.8; ten times the families cost at most about ten times the tasks' time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.row import Row
from cape_lib import sweep
from cape_lib.sweep.cluster import client

SIZES = 6


def families(count: int) -> pd.DataFrame:
    """Families with a parabola of TruthfulQA in log size and noise of a point."""
    rng = np.random.default_rng(0)
    t = np.linspace(-1, 1, SIZES)
    rows = [
        {"model": f"f{family}-{size}", "params_b": 0.1 * 4.0**size, "family": f"family {family}",
         "hellaswag": 55 + 25 * t[size] + rng.normal(), "truthfulqa": 38 + 6 * t[size] ** 2 + rng.normal()}
        for family in range(count) for size in range(SIZES)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def measured(todo: list[sweep.Task], workers: int) -> tuple[float, float]:
    """Seconds of the tasks alone on warm workers, and the largest worker's memory in MB."""
    with client(None, workers) as dask:
        dask.run(sweep.answer, todo[0])
        start = time.perf_counter()
        dask.gather([dask.submit(sweep.answer, task, pure=False) for task in todo])
        seconds = time.perf_counter() - start
        memory = max(worker["metrics"]["memory"] for worker in dask.scheduler_info(n_workers=-1)["workers"].values())
    return seconds, memory / 1e6


def whole(todo: list[sweep.Task], workers: int) -> float:
    """Seconds of a sweep from nothing to its page."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep.sweep(todo, Path(folder) / "out", sweep.Workers(count=workers))
        return time.perf_counter() - start


NAMES = ("sweep: efficiency of two workers", "sweep: time of 100 families, in times of 10", "sweep: memory of a worker")


def rows() -> Iterator[Row]:
    """How the tasks' time goes with workers and with families, and what a worker holds."""
    few, many = (sweep.tasks(families(count)) for count in (10, 100))
    ten, (one, _), (two, memory) = measured(few, 1)[0], measured(many, 1), measured(many, 2)
    for name, value in zip(NAMES, (one / (2 * two), one / ten, memory), strict=True):
        yield Row(name, value, value)


def main() -> None:
    """Print the table."""
    print("families  workers  tasks, s  a family, ms  efficiency  whole, s  memory of a worker, MB")
    for count in (10, 100):
        todo = sweep.tasks(families(count))
        alone, _ = measured(todo, 1)
        for workers in (1, 2):
            seconds, memory = measured(todo, workers)
            seconds = min(seconds, alone) if workers == 1 else seconds
            alone = min(alone, seconds) if workers == 1 else alone
            efficiency = alone / (workers * seconds)
            print(f"{count:8}  {workers:7}  {seconds:8.1f}  {1000 * seconds / count:12.0f}  {efficiency:10.2f}"
                  f"  {whole(todo, workers):8.1f}  {memory:23.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
