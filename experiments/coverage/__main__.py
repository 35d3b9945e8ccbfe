"""How often each interval is right and each verdict wrong: writes `data/coverage.csv`.

    nice -n 15 python -m experiments.coverage                    1,000 replications a row, minutes on one core
    python -m experiments.coverage --part "lab slopes" --replications 100 --print
    python -m experiments.coverage --compare --seed 7            other draws beside the table: exit 1 if they differ

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

import pandas as pd  # noqa: E402

from experiments.coverage import steering  # noqa: E402
from experiments.coverage.parts import PARTS, run_part  # noqa: E402
from experiments.recording import write  # noqa: E402

PARTS[steering.PART] = steering.rates
FILE = Path(__file__).parents[2] / "data" / "coverage.csv"
KEYS = ["part", "method", "truth", "n", "noise", "measure"]


def differing(rows: pd.DataFrame, known: pd.DataFrame, *, errors: float = 5.0) -> pd.DataFrame:
    """The shares that differ by more than so many standard errors, and those that one of the two tables lacks."""
    both = rows[rows["unit"] == "share"].merge(known, on=KEYS, how="left", suffixes=("", "_known"))
    p = ((both["value"] + both["value_known"]) / 2).clip(0.002, 0.998)
    noise = (p * (1 - p) * (1 / both["replications"] + 1 / both["replications_known"])) ** 0.5
    # Too few called boundaries leave a row out of one table: that is no difference.
    missing = both["value_known"].isna() & ~both["measure"].str.contains("where a boundary")
    return both[missing | ((both["value"] - both["value_known"]).abs() > errors * noise)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this part; may be repeated")
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--print", action="store_true", help="print the rows and leave the file as it is")
    parser.add_argument("--compare", action="store_true", help="compare with the file and leave it as it is")
    args = parser.parse_args()
    parts = []
    for name in args.part or PARTS:
        start = time.perf_counter()
        rows = run_part(name, replications=args.replications, seed=args.seed)
        print(f"{name}: {len(rows)} rows, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        parts.append(rows)
    table = pd.concat(parts, ignore_index=True)
    if args.print:
        print(table.to_string())
        return 0
    if args.compare:
        far = differing(table, pd.read_csv(FILE))
        print(far.to_string() if len(far) else f"{len(table)} rows agree with {FILE.name}")
        return int(len(far) > 0)
    if args.part and FILE.exists():
        old = pd.read_csv(FILE, keep_default_na=False)
        others = old[~old["part"].isin(set(table["part"]))]
        table = pd.concat([others, table.astype(object)], ignore_index=True)
    write(table, FILE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
