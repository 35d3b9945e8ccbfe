"""The papers' seven predictions, and those of this book, as they stand in their tables: population, window, rules."""

from __future__ import annotations

import operator
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.tables.frontier import end_of

# The small language of the rules, held as data: `spread(ifeval)<3 and spread(hle)>15`, `any(h>5)`. A rule is read by
# its form alone; nothing of it is ever run.

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


class Quantity(NamedTuple):
    """A number that the data give: `name` ("spread", "r", "h" or "n") and the benchmarks it is taken over."""

    name: str
    benchmarks: tuple[str, ...] = ()


class Comparison(NamedTuple):
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

    @property
    def words(self) -> str:
        """The rule as a sentence part for a card."""
        return f" {self.joint} ".join(map(_words, self.comparisons))


def parse(text: str, *, where: str = "rule") -> Rule:
    """A rule from its text.

    text: comparisons of spread(x), r(x,y), all(h..), any(h..) or a name with a number, joined by `and` or by `or`.
    where: file and row, for the message.
    Raises ScoresError for anything else, code in disguise included.
    """
    joint = "or" if re.search(r"\sor\s", text) else "and"
    comparisons = []
    for written in re.split(rf"\s{joint}\s", text):
        joined = _OVER.fullmatch(written.strip())
        over, inner = joined.groups() if joined else ("", written)
        part = _PART.fullmatch(inner)
        name, listed, sign, number = part.groups() if part else ("", None, "", "0")
        benchmarks = () if listed is None else tuple(one.strip() for one in listed.split(","))
        known = len(benchmarks) == OVER[name] if name in OVER else listed is None and name in NAMES
        if not known or not all(map(str.isidentifier, benchmarks)) or (over and name != "h"):
            shown, numbers = text if len(text) <= 60 else text[:57] + "...", ", ".join(sorted(NAMES))
            reason = f"each part is spread(x), r(x,y) or one of {numbers}, then <, <=, > or >=, then a number"
            raise ScoresError(f"{where}: rule {shown!r} refused: {reason}; write it like 'spread(ifeval)<3 and n>=8'")
        comparisons.append(Comparison(Quantity(name, benchmarks), sign, float(number), over))
    return Rule(text, tuple(comparisons), joint)


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


def _words(comparison: Comparison) -> str:
    word = SIGNS[comparison.sign][0]
    names = [tables.LABELS.get(name, name) for name in comparison.quantity.benchmarks]
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
    return f"{who} {word} {bound} points"


# The predictions

#: what the population of a prediction says beside its columns
_POPULATION = (
    re.compile(r"lab=(?P<lab>[\w .-]+), next (?P<top_k>\d+) releases"),
    re.compile(r"(?:variants|releases)(?: released)? after (?P<after>\d{4}-\d{2})$"),
    re.compile(r"top_k by (?P<axis>\w+)"),
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction: who it is about, until when, and the two rules that decide it.

    `resolves_by` is an ISO date, or None for "the next `top_k` releases of `lab` after `after`". `axis` is the score
    that ranks the top k; `axis_stated` is False where the paper does not say by which score they are chosen. `id` is a
    number for the papers' and "OP1" and so on for the book's own, of which `chance` is the chance of passing that we
    gave it (percent). Only what is released after the month `after` counts, where it is given; `variants`: the variants
    of one laboratory count, and no frontier panel.
    """

    id: int | str
    name: str
    made_on: str
    resolves_by: str | None
    quantity: str
    benchmarks: tuple[str, ...]
    lab: str | None
    after: str | None
    top_k: int | None
    axis: str | None
    axis_stated: bool
    pass_rule: Rule
    fail_rule: Rule
    min_n: int
    unit: str
    note: str
    chance: float | None = None
    variants: bool = False

    @property
    def made_from(self) -> pd.Timestamp:
        """First day on which the prediction may have been made."""
        return pd.Period(self.made_on).start_time

    @property
    def scores(self) -> str:
        """The names of its benchmarks."""
        return " and ".join(tables.label(benchmark) for benchmark in self.benchmarks)

    @property
    def needed(self) -> str:
        """In words, the data without which the prediction cannot be scored."""
        if self.lab is not None:
            return f"{self.top_k} releases of {self.lab} after {self.after} with {self.scores}"
        return f"{max(self.min_n, self.top_k or 0)} models with {self.scores}"


def predictions(table: pd.DataFrame | None = None) -> list[Prediction]:
    """The predictions of the table, in its order; ScoresError names the row of a rule that cannot be read.

    table: None loads `data/predictions.csv`. Source: paper B, section "Seven falsifiable predictions".
    """
    rows = tables.load("predictions") if table is None else table
    return [_read(row, i + 2) for i, row in enumerate(rows.to_dict("records"))]


def own_predictions() -> list[Prediction]:
    """The predictions of this book, of `data/own_predictions.csv`, in its order; their ids are OP1, OP2 and so on."""
    rows = tables.load("own_predictions").to_dict("records")
    return [_read(row, i + 2, file="own_predictions.csv") for i, row in enumerate(rows)]


def prediction(name: int | str) -> Prediction:
    """One prediction by its id or its name; UsageError with the nearest valid ones."""
    every = [*predictions(), *own_predictions()]
    known = {str(word).casefold(): one for one in every for word in (one.name, one.id)}
    if str(name).casefold() in known:
        return known[str(name).casefold()]
    raise UsageError(suggest("prediction", str(name), [f"{one.id}" for one in every] + [one.name for one in every]))


def check_date(text: str | None) -> str:
    """The ISO date of "2026-05-31" or, as its last day, of "2026-05" or "2026"; `newest_date` for None. UsageError."""
    if text is None:
        return newest_date()
    try:
        return str(end_of(text).date())
    except UsageError:
        raise UsageError(f"unknown date {text!r}; write YYYY-MM-DD, for example {_near_date(text)}") from None


def _near_date(text: str) -> str:
    """The nearest day to one whose month or day is too large, "2026-12-01" for "2026-13-01"; else `newest_date`."""
    parts = re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*", text)
    if not parts or parts[1] < "1900":
        return newest_date()
    year, month, day = (max(int(part), 1) for part in parts.groups())
    first = pd.Period(year=year, month=min(month, 12), freq="M")
    return f"{first}-{min(day, first.days_in_month):02d}"


def newest_date() -> str:
    """The newest day of which the tables know anything: a release, a value or its reading (ISO date).

    This, and not the clock, is "today" for every status, so that the same tables always give the same book.
    """
    scores = tables.load("frontier_scores")
    dates = {date for column in ("release_date", "date") if column in scores for date in scores[column].dropna()}
    periods = [pd.Period(date) for date in dates]
    return max(str((day.end_time if day.freqstr == "D" else day.start_time).date()) for day in periods)


def _read(row: dict[Hashable, Any], line: int, *, file: str = "predictions.csv") -> Prediction:
    where, population = f"{file}, row {line}", str(row["population"])
    cells: dict[str, Any] = {str(name): None if pd.isna(cell) else cell for name, cell in row.items()}
    for pattern in _POPULATION:
        match = pattern.search(population)
        cells |= match.groupdict() if match else {}
    if cells["resolves_by"] is None and "lab" not in cells:
        raise ScoresError(f"{where}, column resolves_by: blank, and no releases are counted; give one of them")
    benchmarks, top_k, axis = tuple(str(row["benchmarks"]).split(";")), cells["top_k"], cells.get("axis")
    ranked = top_k is not None and "lab" not in cells
    as_stated = ("name", "made_on", "resolves_by", "quantity", "lab", "after", "unit", "chance")
    plain: dict[str, Any] = {name: cells.get(name) for name in as_stated}
    plain |= {name: parse(str(row[name]), where=f"{where}, column {name}") for name in ("pass_rule", "fail_rule")}
    return Prediction(
        **plain,
        id=int(row["id"]) if str(row["id"]).isdigit() else str(row["id"]),
        benchmarks=benchmarks,
        top_k=int(top_k) if top_k else None,
        axis=axis or (benchmarks[0] if ranked else None),
        axis_stated=axis is not None or not ranked,
        min_n=int(row["min_n"]),
        note=cells["note"] or "",
        variants=population.startswith("variants"),
    )
