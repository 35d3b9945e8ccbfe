"""The small language of every rule held as data: `spread(ifeval)<3 and spread(hle)>15`, `any(h>5)`, `sigma<0.2`.

Predictions pass and fail by it, and advice applies by it.

A rule is read into a tree once and the tree is evaluated over numbers; nothing of it is ever run as Python.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cape_lib.errors import ScoresError

#: quantities of a prediction that are called by their name alone
NAMES = frozenset({"h", "n"})
#: what a rule may call: name -> number of arguments
FUNCTIONS = {"spread": 1, "r": 2, "all": 1, "any": 1}

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", "below", operator.lt),
    ast.LtE: ("<=", "at most", operator.le),
    ast.Gt: (">", "above", operator.gt),
    ast.GtE: (">=", "at least", operator.ge),
}


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


def parse(text: str, *, where: str = "rule", names: Collection[str] = NAMES) -> Rule:
    """The tree of one rule.

    text: comparisons of spread(x), r(x,y), all(h..), any(h..) or a name with a number, joined by `and` or by `or`.
    where: file and row, for the message; names: those that stand for a number of their own.
    Raises ScoresError for anything else, code in disguise included.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _refusal(where, text, "it cannot be read") from error
    if isinstance(node, ast.BoolOp):
        joint = "and" if isinstance(node.op, ast.And) else "or"
        return Rule(text, tuple(_comparison(part, where, text, names) for part in node.values), joint)
    return Rule(text, (_comparison(node, where, text, names),))


def _comparison(node: ast.expr, where: str, text: str, names: Collection[str]) -> Comparison:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("all", "any"):
        if len(node.args) != 1 or node.keywords:
            raise _refusal(where, text, f"{node.func.id}() takes one comparison of h")
        inner = _comparison(node.args[0], where, text, names)
        if inner.quantity.name != "h" or inner.over:
            raise _refusal(where, text, f"{node.func.id}() takes one comparison of h")
        return Comparison(inner.quantity, inner.sign, inner.threshold, node.func.id)
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        raise _refusal(where, text, "each part is one comparison with a number")
    known = _COMPARISONS.get(type(node.ops[0]))
    if known is None:
        raise _refusal(where, text, "compare with <, <=, > or >=")
    quantity = _quantity(node.left, where, text, names)
    return Comparison(quantity, known[0], _number(node.comparators[0], where, text))


def _quantity(node: ast.expr, where: str, text: str, names: Collection[str]) -> Quantity:
    if isinstance(node, ast.Name) and node.id in names:
        return Quantity(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("spread", "r"):
        benchmarks = tuple(arg.id for arg in node.args if isinstance(arg, ast.Name))
        wanted = FUNCTIONS[node.func.id]
        if len(benchmarks) == len(node.args) == wanted and not node.keywords:
            return Quantity(node.func.id, benchmarks)
        raise _refusal(where, text, f"{node.func.id}() takes {wanted} benchmark name{'s' if wanted > 1 else ''}")
    raise _refusal(where, text, f"the left side is spread(x), r(x,y) or one of {', '.join(sorted(names))}")


def _number(node: ast.expr, where: str, text: str) -> float:
    sign = 1.0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        node = node.operand
    # bool is an int to Python, not to a reader of the rule.
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return sign * float(node.value)
    raise _refusal(where, text, "the right side is a number")


def _refusal(where: str, text: str, reason: str) -> ScoresError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return ScoresError(f"{where}: rule {shown!r} refused: {reason}; write it like 'spread(ifeval)<3 and n>=8'")


def holds(rule: Rule, values: Mapping[Quantity, Any]) -> NDArray[np.bool_]:
    """Whether the rule is true, for one set of values or for many draws at once.

    values: for spread, r and n a number or an array of shape (draws,); for h an array (releases,) or (draws, releases).
    Returns a boolean array of shape () or (draws,).  A NaN makes its comparison false.  Raises KeyError if a
    quantity of the rule is not among the values.
    """
    answers = [_answer(comparison, values[comparison.quantity]) for comparison in rule.comparisons]
    join = np.logical_and if rule.joint == "and" else np.logical_or
    result = answers[0]
    for answer in answers[1:]:
        result = join(result, answer)
    return np.asarray(result, dtype=bool)


def _answer(comparison: Comparison, value: Any) -> NDArray[np.bool_]:
    compare = next(known[2] for known in _COMPARISONS.values() if known[0] == comparison.sign)
    answer = np.asarray(compare(np.asarray(value, dtype=float), comparison.threshold))
    if comparison.over:
        return np.asarray(answer.all(axis=-1) if comparison.over == "all" else answer.any(axis=-1))
    return answer


def in_words(rule: Rule, labels: Mapping[str, str], *, unit: str = "") -> str:
    """The rule as a sentence part for a card, with display names of the benchmarks from `labels`."""
    return f" {rule.joint} ".join(_words(comparison, labels, unit) for comparison in rule.comparisons)


def _words(comparison: Comparison, labels: Mapping[str, str], unit: str) -> str:
    word = next(known[1] for known in _COMPARISONS.values() if known[0] == comparison.sign)
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
