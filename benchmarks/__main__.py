"""Speed and size of the project in one table: `make bench`, or `python -m benchmarks [WHAT ...]`.

    python -m benchmarks --list                 the groups and their figures
    python -m benchmarks imports claims         only these groups (or the figures whose names begin so)
    python -m benchmarks imports --record       also put the ratios on record, in benchmarks/budget.csv

A figure stands beside its budget. Its ratio to an anchor that ran on the same machine at the same time stands beside
the ratio on record: where it is worse by more than 20 %, or a value is over its budget, the line says so, on GitHub as
a warning. The command ends with 0 in any case: a busy machine is no error.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import row
from benchmarks.row import Budget, Row

#: Group -> (module, the names of its figures, their measurement); what is slow comes last. Loaded when it is asked for.
GROUPS = {
    "imports": ("bench_imports", "STATEMENTS", "rows"),
    "bootstrap": ("bench_bootstrap", "names", "rows"),
    "claims": ("bench_claims", "CLAIMS", "claims"),
    "predictions": ("bench_claims", "PREDICTIONS", "predictions"),
    "dashboard": ("bench_dashboard", "NAMES", "rows"),
    "family": ("bench_import", "NAMES", "rows"),
    "sweep": ("bench_sweep", "NAMES", "rows"),
    "models": ("bench_models", "NAMES", "rows"),
    "book": ("bench_book", "book_names", "book_rows"),
    "pages": ("bench_book", "page_names", "page_rows"),
}


def _part(group: str, index: int) -> Any:
    return getattr(importlib.import_module(f"benchmarks.{GROUPS[group][0]}"), GROUPS[group][index])


def names(group: str) -> list[str]:
    """The figures of a group, in their order; nothing is measured."""
    result = _part(group, 1)
    return list(result() if callable(result) else result)


def measured(group: str) -> Iterator[Row]:
    """The figures of a group, measured now."""
    rows: Iterator[Row] = _part(group, 2)()
    return rows


def chosen(words: Sequence[str]) -> list[str]:
    """The groups that the words name, each in full or by its beginning; all of them without a word."""
    unknown = [word for word in words if not any(group.startswith(word) for group in GROUPS)]
    if unknown:
        raise SystemExit(f"benchmarks: no group begins with {unknown[0]!r}; there are {', '.join(GROUPS)}")
    return [group for group in GROUPS if not words or any(group.startswith(word) for word in words)]


def machine() -> str:
    """Processor, cores, interpreter and system, in words."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.is_file() else ""
    model = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model or platform.machine()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def line(measured: Row, budget: Budget) -> tuple[str, str]:
    """The line of the table, and what is wrong with the figure, or nothing."""
    wrong = []
    if not budget.keeps(measured):
        wrong.append(
            f"over its budget of {budget.budget.split()[1]} {budget.unit}"
            if "<" in budget.budget
            else f"under its budget of {budget.budget.split()[1]} {budget.unit}"
        )
    if budget.loses(measured):
        wrong.append(f"worse by more than 20 % than the {budget.ratio} on record")
    ratio = "" if measured.ratio is None else f"{measured.ratio:.3g}"
    message = "; ".join(wrong)
    text = f"{measured.name:<46}{measured.value:>9.3g} {budget.unit:<6}{budget.budget:>8}{ratio:>9}{budget.ratio:>9}"
    return f"{text}  {budget.anchor:<34}{message or 'good'}", message


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; always 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(GROUPS)} (default: all)")
    parser.add_argument("--list", action="store_true", help="print the groups and their figures, measure nothing")
    parser.add_argument("--record", action="store_true", help="put the measured ratios on record in budget.csv")
    options = parser.parse_args(argv)
    todo = chosen(options.what)
    if options.list:
        print("\n".join(f"{group:<13}{name}" for group in todo for name in names(group)))
        return 0
    known, today = row.budgets(), datetime.date.today().isoformat()
    print(f"{machine()}, {today}")
    print(f"{'figure':<46}{'measured':>9} {'unit':<6}{'budget':>8}{'ratio':>9}{'record':>9}  to")
    for group in todo:
        for result in measured(group):
            budget = known.get(result.name) or Budget(result.name, "", "", "", "", "", "")
            text, wrong = line(result, budget)
            print(text, flush=True)
            if wrong and os.environ.get("GITHUB_ACTIONS") == "true":
                print(f"::warning title=benchmarks::{result.name}: {wrong}", flush=True)
            ratio = "" if result.ratio is None else f"{result.ratio:.3g}"
            known[result.name] = replace(budget, ratio=ratio, machine=machine(), date=today)
    if options.record:
        order = [name for group in GROUPS for name in names(group)]
        row.write(known[name] for name in order if name in known)
    return 0


if __name__ == "__main__":
    sys.exit(main())
