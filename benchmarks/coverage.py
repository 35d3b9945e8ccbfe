"""How often each interval is right and each verdict wrong: writes `data/coverage.csv`.

    nice -n 15 python benchmarks/coverage.py                     1,000 replications a row, minutes on one core
    python benchmarks/coverage.py --part "lab slopes" --replications 100 --print

Parts that are not named keep their rows. The same seed gives the same table.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

# One thread: the parts are many small products, which more threads only slow down.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import coverage_steering  # noqa: E402
import pandas as pd  # noqa: E402

from cape_lib import truths  # noqa: E402
from cape_lib.truths.table import PARTS  # noqa: E402

PARTS[coverage_steering.PART] = coverage_steering.rates
FILE = Path(__file__).parents[1] / "data" / "coverage.csv"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this part; may be repeated")
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--print", action="store_true", help="print the rows and leave the file as it is")
    given = parser.parse_args()
    found = []
    for name in given.part or PARTS:
        start = time.perf_counter()
        rows = truths.run_part(name, replications=given.replications, seed=given.seed)
        print(f"{name}: {len(rows)} rows, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        found.append(rows)
    table = pd.concat(found, ignore_index=True)
    if given.print:
        print(table.to_string())
        return 0
    if given.part and FILE.exists():
        old = pd.read_csv(FILE, keep_default_na=False)
        kept = old[~old["part"].isin(set(table["part"]))]
        table = pd.concat([kept, table.astype(object)], ignore_index=True)
    scratch = FILE.with_suffix(".csv.new")
    table.to_csv(scratch, index=False, lineterminator="\n")
    os.replace(scratch, FILE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
