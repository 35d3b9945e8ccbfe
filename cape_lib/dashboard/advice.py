"""Advice: a table of rules held as data, each with its evidence and its strength; this module only matches them."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib.errors import ScoresError
from cape_lib.tables import data_dir

#: how well a rule is supported, strongest first; "arithmetic" follows from the definitions alone
STRENGTHS = ("experiment", "arithmetic", "correlation", "single case", "contradicted")
KINDS = ("model", "family", "release", "pair")
_COLUMNS = ("rule", "kind", "topic", "condition", "advice", "evidence", "strength", "link")
_TERM = re.compile(r"\s*([a-z0-9_]+)\s*(<=|>=|<|>|=)\s*(-?[0-9.]+)\s*")
_OPERATORS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "=": operator.eq}


@lru_cache(maxsize=1)
def rules() -> list[dict[str, Any]]:
    """The rules of `data/advice.csv` in their order; `terms` is the condition taken apart: [[name, sign, number], ...].

    Raises ScoresError (file, row, column, reason) where a rule lacks evidence, strength or a readable condition.
    """
    file = data_dir() / "advice.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    missing = [column for column in _COLUMNS if column not in table.columns]
    if missing:
        raise ScoresError(f"{file}: no column {missing[0]}; a rule has {', '.join(_COLUMNS)}")
    answer = []
    for number, row in enumerate(table[list(_COLUMNS)].to_dict("records"), start=2):
        for column in ("advice", "evidence", "link"):
            if not row[column].strip():
                raise ScoresError(f"{file}: row {number}, column {column}: empty; no advice without evidence")
        if row["strength"] not in STRENGTHS:
            raise ScoresError(f"{file}: row {number}, column strength: {row['strength']!r}; use {', '.join(STRENGTHS)}")
        if row["kind"] not in KINDS:
            raise ScoresError(f"{file}: row {number}, column kind: {row['kind']!r}; use {', '.join(KINDS)}")
        answer.append(
            {str(k): v for k, v in row.items()} | {"terms": _terms(row["condition"], f"{file}: row {number}")}
        )
    return answer


def _terms(condition: str, place: str) -> list[list[Any]]:
    terms = []
    for part in filter(None, (text.strip() for text in condition.split(" and "))):
        found = _TERM.fullmatch(part)
        if found is None:
            raise ScoresError(f"{place}, column condition: cannot read {part!r}; write NAME < NUMBER, joined by 'and'")
        terms.append([found[1], found[2], float(found[3])])
    return terms


def advise(kind: str, facts: Mapping[str, float | None], given: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The rules of one kind whose every term holds; a fact that is missing or None fails its term.

    facts: name -> number (a yes is 1, a no 0); given: from `rules`.
    Returns rule, topic, advice, evidence, strength, link.
    """
    shown = ("rule", "topic", "advice", "evidence", "strength", "link")
    return [
        {name: rule[name] for name in shown}
        for rule in given
        if rule["kind"] == kind and all(_holds(term, facts) for term in rule["terms"])
    ]


def _holds(term: list[Any], facts: Mapping[str, float | None]) -> bool:
    value = facts.get(term[0])
    return value is not None and bool(_OPERATORS[term[1]](value, term[2]))
