"""Claims and predictions, timed: `python benchmarks/bench_claims.py` prints one table.

Each command runs in a fresh process, three times, the best counts. On a machine that does other things too, the
processor seconds are the number to trust.
Budget on two cores: all 99 claims in 20 s; one claim, and the seven predictions, in 2 s each.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

COMMANDS = (("claims C19", 2), ("claims --json", 20), ("claims --panel current --json", 20), ("predictions --json", 2))


def timed(words: str) -> tuple[float, float]:
    """Wall and processor seconds of one `cape` command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "cape_lib.cli", *words.split()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    print("cape ...                        wall, s  processor, s  budget, s")
    for words, budget in COMMANDS:
        wall, processor = min(timed(words) for _ in range(3))
        print(f"{words:<30} {wall:8.2f}  {processor:12.2f}  {budget:9d}")


if __name__ == "__main__":
    main()
