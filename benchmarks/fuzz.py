"""Hostile input by the hundred thousand: CSV, broken bytes, results files, what is typed into the dashboard.

    nice -n 15 python benchmarks/fuzz.py --cases 100000 --seed 1

Prints how each kind was answered; ends with 1 and the smallest failing case if anything but a refusal in one line or
a true answer came back. The same checks run shortly in `tests/test_properties.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hostile import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="in all; a quarter for each kind of input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(TARGETS), action="append")
    asked = parser.parse_args()
    chosen = asked.only or list(TARGETS)
    failed = False
    for name in chosen:
        start = time.perf_counter()
        said, problem = _fuzz(name, asked.cases // len(chosen), asked.seed)
        told = ", ".join(f"{kind} {count}" for kind, count in said.most_common())
        print(f"{name}: {sum(said.values())} cases in {time.perf_counter() - start:.0f} s: {told}", flush=True)
        if problem is not None:
            failed = True
            print(f"{name}: FAILED with {type(problem).__name__}: {problem}", flush=True)
            print("\n".join(getattr(problem, "__notes__", [])), flush=True)
    return int(failed)


def _fuzz(name: str, cases: int, start: int) -> tuple[Counter[str], BaseException | None]:
    """How so many cases of one kind were answered, and the failure that ended them early, if any."""
    strategy, check = TARGETS[name]
    said: Counter[str] = Counter()
    quiet = settings(
        max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink], print_blob=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:

        @seed(start)
        @quiet
        @given(strategy)
        def one(case: object) -> None:
            said[check(case, Path(folder))] += 1

        try:
            one()
        except Exception as problem:
            return said, problem
    return said, None


if __name__ == "__main__":
    raise SystemExit(main())
