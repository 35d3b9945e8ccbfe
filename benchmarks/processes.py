"""Whole processes, timed: wall seconds for who waits, processor seconds for ratios, which other work moves little."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What every process is compared with: an interpreter that loads the two libraries nothing here can do without.
ANCHOR = "import pandas, scipy.stats"


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Wall and processor seconds of one run of this interpreter, all that it starts included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor


def best(arguments: Sequence[str], runs: int = 3) -> tuple[float, float]:
    """The least wall and the least processor seconds of several runs."""
    walls, processors = zip(*(timed(arguments) for _ in range(runs)), strict=True)
    return min(walls), min(processors)


def cape(words: Sequence[str], runs: int = 3) -> tuple[float, float]:
    """The same of one `cape` command."""
    return best(["-m", "cape_lib.cli", *words], runs)


@cache
def anchor() -> float:
    """Processor seconds of the anchor on this machine."""
    return best(["-c", ANCHOR], 5)[1]
