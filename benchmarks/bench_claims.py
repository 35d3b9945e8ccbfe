"""Claims and predictions, timed: `python -m benchmarks claims predictions` prints one table.

Each command runs in a fresh process, three times, the best counts. Budget on two cores: all claims in 20 s; one claim,
and the seven predictions, in 2 s each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.processes import anchor, cape
from benchmarks.row import Row

CLAIMS = ("cape claims C19", "cape claims --json", "cape claims --panel current --json")
PREDICTIONS = ("cape predictions --json", "cape hfield --swe 80.8 --gpqa 91.3")


def claims() -> Iterator[Row]:
    """The claims: one, all, and all on the current panel."""
    return _commands(CLAIMS)


def predictions() -> Iterator[Row]:
    """The seven predictions, and one release."""
    return _commands(PREDICTIONS)


def _commands(commands: Iterable[str]) -> Iterator[Row]:
    for words in commands:
        wall, processor = cape(words.split()[1:])
        yield Row(words, wall, processor / anchor())
