"""One measured figure, its budget and the ratio on record: `benchmarks/budget.csv`, a line a figure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("budget.csv")
#: A ratio that is worse than the recorded one by more than this share is a loss.
LOSS = 0.20
#: What a ratio that should be small may grow by in any case: a hundredth of the anchor is not a loss.
SLACK = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """A measured `value` in the unit of its budget, and its `ratio` to an anchor (None where there is no anchor)."""

    name: str
    value: float
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a figure may be ("<= 20") in its unit, its anchor, and the ratio last recorded, where and when."""

    name: str
    unit: str
    budget: str
    anchor: str
    ratio: str
    machine: str
    date: str

    def keeps(self, row: Row) -> bool:
        """Whether a measured value is within the budget; no budget is kept by all."""
        if not self.budget:
            return True
        sign, limit = self.budget.split()
        return row.value <= float(limit) if sign == "<=" else row.value >= float(limit)

    def loses(self, row: Row) -> bool:
        """Whether a measured ratio is worse than the recorded one by more than LOSS."""
        if not self.ratio or row.ratio is None:
            return False
        if self.budget.startswith(">="):
            return row.ratio < float(self.ratio) * (1 - LOSS)
        return row.ratio > float(self.ratio) * (1 + LOSS) + SLACK


def budgets() -> dict[str, Budget]:
    """Name of a figure -> its line of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {line["name"]: Budget(**line) for line in csv.DictReader(file)}


def write(lines: Iterable[Budget]) -> None:
    """Write the file anew."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Budget.__slots__)
        writer.writerows([getattr(line, column) for column in Budget.__slots__] for line in lines)
