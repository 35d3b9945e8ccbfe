"""What an answer is: a sentence, the grade of its evidence, its interval; and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.stats import Estimate

#: Grade of evidence -> what it means, in a few words.
GRADES = {
    "experiment": "we made it and chose what varies",
    "replicated": "two or more independent sources",
    "correlation": "seen together, nothing was moved",
    "single case": "one family, laboratory or run",
    "arithmetic": "counted or calculated, nothing more",
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


def times(count: int, noun: str, nouns: str | None = None) -> str:
    """A count with its noun, "1 family", "3 families"."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def of(rows: pd.Series) -> str:
    """How many of some rows are true, "3 of 5"."""
    return f"{int(rows.sum())} of {len(rows)}"


def verb(count: int, several: str) -> str:
    """The form of a verb that goes with a count: "lies" for 1 and "lie" else."""
    irregular = {"are": "is", "have": "has", "do": "does", "were": "was"}
    return several if count != 1 else irregular.get(several, f"{several}s")


def listed(names: Iterable[object], *, most: int = 4) -> str:
    """Names as a list in a sentence, "A, B and C"; beyond `most` "A, B and 5 more"; "none" where there is none."""
    shown = [str(name) for name in names]
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0] if shown else "none"


def named(names: Iterable[object]) -> str:
    """Names in brackets, to follow a count: " (A, B and C)"; nothing where there is none."""
    shown = list(names)
    return f" ({listed(shown)})" if shown else ""


def between(low: float, high: float, *, digits: int = 1) -> str:
    """An interval in words, "95 % interval -19.8 to -10.4"; where it is not known, that."""
    if math.isnan(low) or math.isnan(high):
        return "no interval: the noise of the scores is not known"
    return f"95 % interval {low:+.{digits}f} to {high:+.{digits}f}"


def bracket(value: Estimate, *, digits: int = 2, signed: bool = False) -> str:
    """The 95 % interval of a number, "[-0.01, 0.37]"."""
    form = f"{'+' if signed else ''}.{digits}f"
    return f"[{value.low:{form}}, {value.high:{form}}]"


def with_interval(value: Estimate, *, digits: int = 2, signed: bool = False) -> str:
    """A number with its 95 % interval, "0.18 [-0.01, 0.37]"."""
    return f"{value.estimate:{'+' if signed else ''}.{digits}f} {bracket(value, digits=digits, signed=signed)}"


def in_points(value: Estimate) -> str:
    """A change in points with its 95 % interval, "+1.2 [-0.3, +2.7]"."""
    return with_interval(value, digits=1, signed=True)


def sign(value: Estimate) -> int:
    """1 or -1 where the interval leaves zero out on that side, 0 where it holds zero or is not known."""
    return 1 if value.low > 0 else -1 if value.high < 0 else 0


def pick(value: Estimate, above: str, below: str, around: str) -> str:
    """The words for an interval above zero, for one below it, or for one that holds zero or is not known."""
    return {1: above, -1: below, 0: around}[sign(value)]


def span(values: Iterable[float], form: str = ".0%") -> str:
    """From the least to the most of some numbers, "2% to 7%"; one where both are written alike."""
    numbers = list(values)
    return " to ".join(dict.fromkeys(format(end, form) for end in (min(numbers), max(numbers))))


def capital(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def estimates(rows: pd.DataFrame, value: str = "estimate") -> list[Estimate]:
    """Rows with columns `value`, low, high and perhaps n as estimates."""
    counts = rows["n"] if "n" in rows else [0] * len(rows)
    numbers = rows[[value, "low", "high"]].to_numpy(float).tolist()
    return [Estimate(one, low, high, int(n), "a row") for (one, low, high), n in zip(numbers, counts, strict=True)]
