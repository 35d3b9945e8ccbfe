"""The small language of the rules of predictions, held as data: `spread(ifeval)<3 and spread(hle)>15`, `any(h>5)`.

Predictions pass and fail by it. A rule is read by its form alone; nothing of it is ever run.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cape_lib.errors import ScoresError

#: quantities of a prediction that are called by their name alone
NAMES = frozenset({"h", "n"})
#: what is taken over benchmarks -> over how many
OVER = {"spread": 1, "r": 2}
#: sign of a comparison -> in words, and what it does
SIGNS = {
    "<": ("below", operator.lt),
    "<=": ("at most", operator.le),
    ">": ("above", operator.gt),
    ">=": ("at least", operator.ge),
}
_OVER = re.compile(r"(all|any)\((.*)\)")
_PART = re.compile(r"\s*([a-z_]\w*)\s*(?:\(([\w\s,]*)\))?\s*([<>]=?)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that the data give: `name` ("spread", "r", "h", ...) and the benchmarks it is taken over."""

    name: str
    benchmarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({','.join(self.benchmarks)})" if self.benchmarks else self.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """`quantity` against `threshold`; `over` says how several values of h are joined ("all", "any" or "")."""

    quantity: Quantity
    sign: str
    threshold: float
    over: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Comparisons joined by `joint` ("and" or "or"), with the `text` they were read from."""

    text: str
    comparisons: tuple[Comparison, ...]
    joint: str = "and"

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the data must give before the rule can be answered, in the order of the rule."""
        return tuple(dict.fromkeys(comparison.quantity for comparison in self.comparisons))


def parse(text: str, *, where: str = "rule") -> Rule:
    """A rule from its text.

    text: comparisons of spread(x), r(x,y), all(h..), any(h..) or a name with a number, joined by `and` or by `or`.
    where: file and row, for the message.
    Raises ScoresError for anything else, code in disguise included.
    """
    joint = "or" if re.search(r"\sor\s", text) else "and"
    parts = [_comparison(part.strip()) for part in re.split(rf"\s{joint}\s", text)]
    if None in parts:
        shown, numbers = text if len(text) <= 60 else text[:57] + "...", ", ".join(sorted(NAMES))
        reason = f"each part is spread(x), r(x,y) or one of {numbers}, then <, <=, > or >=, then a number"
        raise ScoresError(f"{where}: rule {shown!r} refused: {reason}; write it like 'spread(ifeval)<3 and n>=8'")
    return Rule(text, tuple(part for part in parts if part is not None), joint)


def _comparison(text: str) -> Comparison | None:
    joined = _OVER.fullmatch(text)
    over, inner = joined.groups() if joined else ("", text)
    part = _PART.fullmatch(inner)
    if part is None:
        return None
    name, listed, sign, number = part.groups()
    benchmarks = () if listed is None else tuple(one.strip() for one in listed.split(","))
    known = len(benchmarks) == OVER[name] if name in OVER else listed is None and name in NAMES
    if not known or not all(map(str.isidentifier, benchmarks)) or (over and name != "h"):
        return None
    return Comparison(Quantity(name, benchmarks), sign, float(number), over)


def holds(rule: Rule, values: Mapping[Quantity, Any]) -> NDArray[np.bool_]:
    """Whether the rule is true, for one set of values or for many draws at once.

    values: for spread, r and n a number or an array of shape (draws,); for h an array (releases,) or (draws, releases).
    Returns a boolean array of shape () or (draws,).  A NaN makes its comparison false.  Raises KeyError if a
    quantity of the rule is not among the values.
    """
    answers = []
    for one in rule.comparisons:
        answer = np.asarray(SIGNS[one.sign][1](np.asarray(values[one.quantity], dtype=float), one.threshold))
        answers.append(answer if not one.over else answer.all(axis=-1) if one.over == "all" else answer.any(axis=-1))
    joined = np.broadcast_arrays(*answers)
    return np.asarray(np.all(joined, axis=0) if rule.joint == "and" else np.any(joined, axis=0), dtype=bool)


def in_words(rule: Rule, labels: Mapping[str, str], *, unit: str = "") -> str:
    """The rule as a sentence part for a card, with display names of the benchmarks from `labels`."""
    return f" {rule.joint} ".join(_words(comparison, labels, unit) for comparison in rule.comparisons)


def _words(comparison: Comparison, labels: Mapping[str, str], unit: str) -> str:
    word = SIGNS[comparison.sign][0]
    names = [labels.get(name, name) for name in comparison.quantity.benchmarks]
    bound = f"{comparison.threshold:g}"
    match comparison.quantity.name:
        case "spread":
            apart = {"below": "less than", "above": "more than"}.get(word, word)
            return f"the {names[0]} scores lie {apart} {bound} points apart"
        case "r":
            return f"the correlation of {names[0]} and {names[1]} is {word} {bound}"
        case "n":
            return f"the number of models is {word} {bound}"
    who = {"all": "h of every one of them is", "any": "h of any of them is", "": "h is"}[comparison.over]
    return f"{who} {word} {bound}{' points' if unit == 'pp' else ''}"
