"""Sweeps, timed: `python -m benchmarks.bench_sweep` prints a table of its own, `python -m benchmarks sweep` its ratios.

With --record the table goes to benchmarks/sweep.csv, with the machine and the date. 10 and 100 made-up families of six
sizes on one and on two local processes. `tasks_s` is the time from the first task to the last answer with workers that
have loaded the library; efficiency is t1 / (2 t2) of that. `whole_s` has the start of the workers and the page in it.
Memory is the largest resident set of a process.
Budget: efficiency at least 0.8; ten times the families cost at most about ten times the tasks' time.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.__main__ import machine
from benchmarks.row import Row
from cape_lib.report import sweep
from cape_lib.report.sweep import processes

SIZES = 6
COUNTS = (10, 100)
#: The numbers of the last run that was recorded, with the machine and the date.
FILE = Path(__file__).with_name("sweep.csv")


class Timed(NamedTuple):
    """Seconds from the first task to the last answer, and MB of the largest worker."""

    seconds: float
    memory: float


def families(count: int) -> pd.DataFrame:
    """Families with a parabola of TruthfulQA in log size and noise of a point."""
    rng = np.random.default_rng(0)
    t = np.linspace(-1, 1, SIZES)
    rows = [
        {
            "model": f"f{family}-{size}",
            "params_b": 0.1 * 4.0**size,
            "family": f"family {family}",
            "hellaswag": 55 + 25 * t[size] + rng.normal(),
            "truthfulqa": 38 + 6 * t[size] ** 2 + rng.normal(),
        }
        for family in range(count)
        for size in range(SIZES)
    ]
    return pd.DataFrame(rows)


def measured(todo: list[sweep.Task], counts: tuple[int, ...] = (1, 2), runs: int = 5) -> dict[int, Timed]:
    """Number of workers -> seconds of the tasks alone on warm workers, and the largest worker's memory.

    The pools take turns, and the best run of each counts: other work on the machine, which comes and goes, does not
    fall on one of them alone.
    """
    result = {count: Timed(math.inf, 0.0) for count in counts}
    sweep.answer(todo[0])
    with contextlib.ExitStack() as stack:
        pools = {count: stack.enter_context(processes(count)) for count in counts}
        for pool in pools.values():
            list(pool.map(sweep.answer, todo[:4]))
        for _ in range(runs):
            for count, pool in pools.items():
                start = time.perf_counter()
                list(pool.map(sweep.answer, todo))
                seconds = time.perf_counter() - start
                memory = max(pool.map(_resident, range(4 * count)))
                result[count] = Timed(min(result[count].seconds, seconds), max(result[count].memory, memory))
    return result


def _resident(_: int) -> float:
    """MB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def whole(todo: list[sweep.Task], workers: int | None) -> float:
    """Seconds of a sweep from an empty folder to its page, the library being loaded; None: as by default."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep.sweep(todo, Path(folder) / "out", workers=workers)
        return time.perf_counter() - start


NAMES = (
    "sweep: efficiency of two workers",
    "sweep: time of 100 families, in times of 10",
    "sweep: memory of a worker",
    "sweep: efficiency of two processes, 1000 families from nothing to the page",
    "sweep: 47 families by default, in times of the loop",
)


def rows() -> Iterator[Row]:
    """How the tasks' time goes with workers and with families, and what a worker holds."""
    few, many = (measured(sweep.tasks(families(count))) for count in COUNTS)
    values = [many[1].seconds / (2 * many[2].seconds), many[1].seconds / few[1].seconds, many[2].memory]
    whole(sweep.tasks(families(3)), 1)  # loads what the page needs, for both alike
    todo = sweep.tasks(families(1000))
    values.append(whole(todo, 1) / (2 * whole(todo, 2)))
    todo = sweep.tasks(families(47))
    turns = [(whole(todo, 1), whole(todo, None)) for _ in range(3)]
    values.append(min(default for _, default in turns) / min(loop for loop, _ in turns))
    for name, value in zip(NAMES, values, strict=True):
        yield Row(name, value, value)


def table() -> pd.DataFrame:
    """A row for each number of families and of workers, as in the file."""
    lines = []
    for count in COUNTS:
        todo = sweep.tasks(families(count))
        result = measured(todo)
        for workers, (seconds, memory) in result.items():
            lines.append(
                {
                    "families": count,
                    "workers": workers,
                    "tasks_s": round(seconds, 2),
                    "family_ms": round(1000 * seconds / count),
                    "memory_mb": round(memory),
                    "efficiency": round(result[1].seconds / (workers * seconds), 2),
                    "whole_s": round(whole(todo, workers), 1),
                }
            )
    return pd.DataFrame(lines)


def main() -> None:
    """Print the table; with --record also write it to the file."""
    result = table().assign(machine=machine(), date=datetime.date.today().isoformat())
    print(result.drop(columns=["machine", "date"]).to_string(index=False))
    if "--record" in sys.argv[1:]:
        result.to_csv(FILE, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
