"""The papers' seven predictions, and those of this book, as they stand in their tables: population, window, rules."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.rules import Rule, in_words, parse
from cape_lib.tables.frontier import end_of

_LAB = re.compile(r"lab=(?P<lab>[\w .-]+), next (?P<k>\d+) releases after (?P<after>\d{4}-\d{2})")
_SINCE = re.compile(r"(?P<what>variants|releases)(?: released)? after (?P<since>\d{4}-\d{2})$")
_AXIS = re.compile(r"top_k by (?P<axis>\w+)")


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction: who it is about, until when, and the two rules that decide it.

    `resolves_by` is an ISO date, or None for "the next `top_k` releases of `lab` after `after`". `axis` is the score
    that ranks the top k; `axis_stated` is False where the paper does not say by which score they are chosen. `id` is a
    number for the papers' and "OP1" and so on for the book's own, of which `chance` is the chance of passing that we
    gave it (percent). Only what is released after `since` (a month) counts, where it is given; `variants`: the variants
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
    since: str | None = None
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

    @property
    def passes_if(self) -> str:
        """The pass rule in words."""
        return in_words(self.pass_rule, tables.LABELS, unit=self.unit)

    @property
    def fails_if(self) -> str:
        """The fail rule in words."""
        return in_words(self.fail_rule, tables.LABELS, unit=self.unit)


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
    of_lab, ranked, since = (pattern.search(population) for pattern in (_LAB, _AXIS, _SINCE))
    benchmarks = tuple(str(row["benchmarks"]).split(";"))
    top_k = int(of_lab["k"]) if of_lab else int(cells["top_k"]) if cells["top_k"] is not None else None
    if cells["resolves_by"] is None and not of_lab:
        raise ScoresError(f"{where}, column resolves_by: blank, and no releases are counted; give one of them")
    first_of_all = benchmarks[0] if top_k and not of_lab else None
    return Prediction(
        id=int(row["id"]) if str(row["id"]).isdigit() else str(row["id"]),
        **{name: str(row[name]) for name in ("name", "made_on", "quantity", "unit")},
        resolves_by=cells["resolves_by"],
        benchmarks=benchmarks,
        lab=of_lab["lab"] if of_lab else None,
        after=of_lab["after"] if of_lab else None,
        top_k=top_k,
        axis=ranked["axis"] if ranked else first_of_all,
        axis_stated=bool(ranked) or first_of_all is None,
        pass_rule=parse(str(row["pass_rule"]), where=f"{where}, column pass_rule"),
        fail_rule=parse(str(row["fail_rule"]), where=f"{where}, column fail_rule"),
        min_n=int(row["min_n"]),
        note=cells["note"] or "",
        chance=cells.get("chance"),
        since=since["since"] if since and not of_lab else None,
        variants=population.startswith("variants"),
    )
