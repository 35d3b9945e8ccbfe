"""What an answer is: a sentence, the grade of its evidence, its interval; and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cape_lib.errors import UsageError

#: Grade of evidence -> what it means, in a few words.
GRADES = {
    "experiment": "made and moved by us",
    "replicated": "two or more independent sources",
    "correlation": "seen together, nothing was moved",
    "single case": "one family, laboratory or run",
    "arithmetic": "the number comes out, nothing more",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a chapter: `sentence` (Markdown), `grade` (of `GRADES`), `interval` (the doubt of its number)."""

    sentence: str
    grade: str
    interval: str

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise UsageError(f"grade {self.grade!r}: choose from {', '.join(GRADES)}")
        if not self.sentence.strip() or not self.interval.strip():
            raise UsageError("an answer has a sentence and an interval; say in words why there is no interval")


def points(value: float, *, digits: int = 1) -> str:
    """A change of a score with its sign, "-15.1 points"."""
    return f"{value:+.{digits}f} points"


def times(count: int, noun: str, nouns: str | None = None) -> str:
    """A count with its noun, "1 family", "3 families"."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def listed(names: Sequence[str], *, most: int = 4) -> str:
    """Names as a list in a sentence, "A, B and C"; beyond `most` "A, B and 5 more"."""
    if not names:
        return "none"
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def between(low: float, high: float, *, digits: int = 1) -> str:
    """An interval in words, "95 % interval -19.8 to -10.4"; where it is not known, that."""
    if math.isnan(low) or math.isnan(high):
        return "no interval: the noise of the scores is not known"
    return f"95 % interval {low:+.{digits}f} to {high:+.{digits}f}"
