"""Sentences and advice from templates and rules held as data: the browser fills the same with the same numbers."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.errors import ScoresError
from cape_lib.stats import Floats, fisher, pearson

Plain = dict[str, Any]
_SLOT = re.compile(r"\{(@?[a-z0-9_.]+)(?:\|([^}]*))?\}")
_TERM = re.compile(r"(!?)([a-z0-9_.]+)(\?|(?:(<=|>=|<|>|=)(-?[0-9][0-9.e-]*|'[^']*'|[a-z][a-z0-9_.]*)))?")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}
#: what a browser trims from the ends of a text; Python's own list differs by a few control characters
BLANK = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
#: the five answers after the headline, each with what it answers
QUESTIONS = {
    "phase": "Which phase?",
    "sure": "How sure?",
    "compared": "Compared with whom?",
    "move": "What would move it?",
    "measure": "What to measure next?",
}
#: numbers of this size or more are not written out
LARGE = 1e6


@lru_cache(maxsize=8)
def templates(name: str = "words") -> Any:
    """What a file beside this one holds: `words` (single sentences), `answers` (by kind of diagnosis, see `speak`),
    `views` (the charts and tables below them, which the browser draws), `forms` (what is typed there), `checks` (of
    what is typed) or `examples`.
    """
    text = files("cape_lib.dashboard").joinpath(f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


@lru_cache(maxsize=1)
def rules() -> list[dict[str, str]]:
    """The rows of `data/advice.csv` in their order, with kind and condition (as in `speak`; blank: always).

    Raises ScoresError (file, row, reason) for a condition that cannot be read.
    """
    table = tables.load("advice").fillna("").astype(str)
    for row, condition in enumerate(table["condition"], start=2):
        for term in filter(None, condition.split(" & ")):
            if not _TERM.fullmatch(term):
                place = f"{tables.data_dir() / 'advice.csv'}: row {row}, column condition"
                raise ScoresError(f"{place}: {term!r} cannot be read; write a path and a limit, such as last.gamma<0")
    return [{str(name): text for name, text in row.items()} for row in table.to_dict("records")]


def answered(diagnosis: Plain, more: Mapping[str, Any]) -> Plain:
    """The diagnosis with its answers and notes (`speak`), and as `advice` the rules of its kind that hold.

    They speak of the diagnosis, of `more`, and of what `answers.json` names in both by its path (`facts`).
    """
    kind, facts = diagnosis["kind"], {**diagnosis, **more}
    facts |= {name: lookup(facts, path) for name, path in _lists(kind).get("facts", {}).items()}
    own = [rule for rule in rules() if rule["kind"] == kind and holds(rule["condition"], facts)]
    shown_of = [{name: text for name, text in rule.items() if name not in ("kind", "condition")} for rule in own]
    return diagnosis | speak(kind, facts) | {"advice": shown_of}


def speak(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The headline and the five answers (`answers`), and the `notes`, of a diagnosis of this kind.

    `answers.json` has, for each, pairs of a condition and a text in order: the first that holds is said, of notes every
    one. A condition is terms joined by " & ": a path in the facts ("last.gamma") that holds where its value is not
    false, zero or empty, one that holds where it is known ("last.gamma?"), or a comparison ("n>2", "r.of='levels'");
    "!" turns a term round, and what is not known passes no comparison. A text has slots {path} and {path|format} (see
    `shown`), and {@name} for a further list of the same kind. A kind that is `like` another takes its lists from it.
    Raises KeyError for a path that is not among the facts.
    """
    lists = _lists(kind)
    return {
        "answers": {name: _say(lists[name], facts, lists) for name in ("headline", *QUESTIONS)},
        "notes": [_fill(text, facts, lists) for condition, text in lists["notes"] if holds(condition, facts)],
    }


def text(kind: str, template: str, facts: Mapping[str, Any]) -> str:
    """A text of this kind of diagnosis, filled (as of `speak`): of what is said beside its answers."""
    return _fill(template, facts, _lists(kind))


def _lists(kind: str) -> Plain:
    lists: Plain = templates("answers")[kind]
    like: Plain = templates("answers")[lists["like"]] if "like" in lists else {}
    return like | lists


def _say(choices: list[list[str]], facts: Mapping[str, Any], lists: Mapping[str, Any]) -> str:
    return next((_fill(text, facts, lists) for condition, text in choices if holds(condition, facts)), "")


def _fill(text: str, facts: Mapping[str, Any], lists: Mapping[str, Any]) -> str:
    def value(slot: re.Match[str]) -> str:
        path, form = slot[1], slot[2] or ""
        return _say(lists[path[1:]], facts, lists) if path[0] == "@" else shown(lookup(facts, path), form)

    return _SLOT.sub(value, text)


def lookup(facts: Mapping[str, Any], path: str) -> Any:
    """The value at a path of names and places ("rows.0.model", "rows.-1", "rows.length").

    None below None and beyond the end of a list, KeyError for a name that is not there.
    """
    value: Any = facts
    for key in path.split("."):
        if isinstance(value, list) and key == "length":
            value = len(value)
        elif isinstance(value, list):
            value = value[int(key)] if -len(value) <= int(key) < len(value) else None
        elif value is not None:
            value = value[key]
    return value


def holds(condition: str, facts: Mapping[str, Any]) -> bool:
    """Whether every term of a condition holds (see `speak`)."""
    return all(_term(term, facts) for term in condition.split(" & ") if term)


def _term(term: str, facts: Mapping[str, Any]) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(f"condition {term!r} cannot be read")
    turned, path, ending, sign, right = match.groups()
    value = lookup(facts, path)
    if not sign:
        return (value is not None if ending else bool(value)) != bool(turned)
    limit = right.strip("'") if right[0] == "'" else lookup(facts, right) if right[0].isalpha() else float(right)
    return bool(value is not None and _COMPARE[sign](value, limit)) != bool(turned)


def shown(value: Any, form: str = "") -> str:
    """A value as a reader sees it; None is "unknown".

    form: "1" (decimals), "+1" (with its sign), "%" (a probability), "B" (a size in billions), "i1" (an interval with
    one decimal), "" (text or a whole number as it is).
    """
    if value is None:
        return "unknown"
    if form == "%":
        share = "under 1" if value < 0.01 else "over 99" if value > 0.99 else fixed(100 * float(value), 0)
        return f"{share}\u00a0%"
    if form == "B":
        return _size(float(value))
    if form.startswith("i"):
        if value["shape"] in ("none", "any"):
            return "[no interval]" if value["shape"] == "none" else "[any value]"
        low, high = (fixed(value[end], int(form[1:])) for end in ("low", "high"))
        return f"[up to {high} or from {low}]" if value["shape"] == "gap" else f"[{low}, {high}]"
    text = fixed(float(value), int(form)) if form else str(value)
    return f"+{text}" if form.startswith("+") and not text.startswith(("-", "over", "under")) else text


def fixed(value: float, digits: int) -> str:
    """A number with so many decimals; a tie is rounded away from zero, as the browser does."""
    if abs(value) >= LARGE:
        return "over 1,000,000" if value > 0 else "under -1,000,000"
    text = str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
    return text.lstrip("-") if not float(text) else text


def _size(billions: float) -> str:
    if billions >= 10_000:
        return "over 10,000B"
    if billions < 0.001:
        return "under 1M"
    if billions < 0.9995:
        return f"{fixed(1000 * billions, 0)}M"
    text = fixed(billions, 0 if billions >= 100 else 1)
    return f"{text.removesuffix('.0')}B"


def correlation(first: Floats, second: Floats) -> Plain:
    """r of two columns as plain data: two points always lie on a line, so that it takes three."""
    fit = pearson(first, second) if len(first) > 2 else fisher(math.nan, len(first))
    return {"estimate": number(fit.estimate), "interval": interval(fit.low, fit.high), "n": fit.n}


def interval(low: float, high: float) -> dict[str, Any]:
    """The ends of an interval as plain data: low, high (None where infinite) and shape.

    shape: "bounded", "gap" (up to high or from low), "any" (every value) or "none".
    """
    if math.isnan(low) or math.isnan(high):
        return {"low": None, "high": None, "shape": "none"}
    finite = math.isfinite(low) + math.isfinite(high)
    shape = "any" if not finite else "none" if finite == 1 else "gap" if low > high else "bounded"
    return {"low": number(low), "high": number(high), "shape": shape}


def number(value: float | None) -> float | None:
    """The value as a plain float, or None where it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def records(frame: pd.DataFrame) -> list[Plain]:
    """The rows of a table as plain data: what is blank or not finite is None."""
    blank = frame.isna() | frame.isin([math.inf, -math.inf])
    rows = frame.astype(object).where(~blank, None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
