"""Hostile input by the hundred thousand: CSV, broken bytes, results files, what is typed into the dashboard, its links.

    nice -n 15 python benchmarks/fuzz.py --cases 100000 --seed 1
    python benchmarks/fuzz.py --only links --cases 2000 --seed 7 --record     adds the counts to data/hostile_input.csv

Prints how each kind was answered; ends with 1 and the smallest failing case if anything but a refusal in one line or
a true answer came back. "links" opens the dashboard in a browser. The same checks run shortly in
`tests/test_properties.py` and `tests/pages/test_dashboard.py`.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from hostile import TARGETS  # noqa: E402

RESULTS = ROOT / "data" / "hostile_input.csv"
COLUMNS = ("kind", "seed", "cases", "answered", "refused", "failures")
LINKS = "links"
#: a link costs more than a line of text, as the page draws its answer: a smaller share of the cases
LINK_SHARE = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="in all; a tenth of them are links")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*TARGETS, LINKS], action="append")
    parser.add_argument("--record", action="store_true", help="add the counts to data/hostile_input.csv")
    asked = parser.parse_args()
    chosen = asked.only or [*TARGETS, LINKS]
    failed = False
    for name in chosen:
        start = time.perf_counter()
        text, problem = _fuzz(name, _cases(name, chosen, asked.cases), asked.seed)
        output = ", ".join(f"{kind} {count}" for kind, count in text.most_common())
        print(f"{name}: {sum(text.values())} cases in {time.perf_counter() - start:.0f} s: {output}", flush=True)
        if problem is not None:
            failed = True
            print(f"{name}: FAILED with {type(problem).__name__}: {problem}", flush=True)
            print("\n".join(getattr(problem, "__notes__", [])), flush=True)
        if asked.record:
            record(name, asked.seed, text, problem is not None)
    return int(failed)


def _cases(name: str, chosen: list[str], cases: int) -> int:
    if LINKS not in chosen or len(chosen) == 1:
        return cases // len(chosen)
    links = int(LINK_SHARE * cases)
    return links if name == LINKS else (cases - links) // (len(chosen) - 1)


def record(name: str, start: int, counts: Counter[str], failed: bool) -> None:
    """Add or replace the row of one kind and seed; the file is replaced whole."""
    rows = []
    if RESULTS.exists():
        with RESULTS.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if (row["kind"], row["seed"]) != (name, str(start))]
    total = sum(counts.values())
    result = (name, start, total, counts["read"], total - counts["read"], int(failed))
    rows.append(dict(zip(COLUMNS, result, strict=True)))
    scratch = RESULTS.with_suffix(".csv.new")
    with scratch.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (str(row["kind"]), int(row["seed"]))))
    os.replace(scratch, RESULTS)


@contextmanager
def _target(name: str, folder: Path) -> Iterator[tuple[Any, Callable[[Any, Path], str]]]:
    """Cases of one kind and the check of one case."""
    if name != LINKS:
        yield TARGETS[name]
        return
    import hostile_links

    with hostile_links.open_dashboard(folder) as page:
        yield hostile_links.links(), hostile_links.check_with(page)


def _fuzz(name: str, cases: int, start: int) -> tuple[Counter[str], BaseException | None]:
    """How so many cases of one kind were answered, and the failure that ended them early, if any."""
    text: Counter[str] = Counter()
    quiet = settings(
        max_examples=cases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    with tempfile.TemporaryDirectory() as place, _target(name, Path(place)) as (strategy, check):

        @seed(start)
        @quiet
        @given(strategy)
        def one(case: object) -> None:
            text[check(case, Path(place))] += 1

        try:
            one()
        except Exception as problem:
            return text, problem
    return text, None


if __name__ == "__main__":
    raise SystemExit(main())
