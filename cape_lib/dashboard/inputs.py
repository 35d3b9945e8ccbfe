"""What a person types or pastes, checked: what is wrong, in a sentence beside the field, and the mend."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cape_lib import tables
from cape_lib.dashboard.wording import BLANK, Plain, holds, templates, write
from cape_lib.errors import UsageError
from cape_lib.tables.axes import Axis

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_WITH_UNIT = re.compile(rf"(\d+\.?\d*|\.\d+)[{BLANK}]*([bmkt])", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
_UNITS = {"t": 1e3, "b": 1.0, "m": 1e-3, "k": 1e-6}
Problem = Plain


def plain(value: float) -> str:
    """A number as a person types it, at most six digits and, down to a millionth, without an exponent."""
    short = float(f"{value:.6g}")
    if abs(short) >= 1e-6:
        return format(Decimal(str(short)).normalize(), "f")
    return re.sub(r"e-0(\d)$", r"e-\1", f"{short:g}")


def check_score(text: str) -> tuple[float | None, Problem | None]:
    """A score in percent and what is wrong with it; both None for an empty field.

    Codes: comma, text, negative, over, fraction. `mend` is the text to put in its place, or None.
    """
    return _check("score", text.strip(BLANK).removesuffix("%"), text)


def check_size(text: str) -> tuple[float | None, Problem | None]:
    """A size in billions of parameters and what is wrong with it; "410M" and "7B" are read as what they say.

    Codes: size_comma, size_text, size_zero, size_count (a raw count), size_large (perhaps in millions).
    """
    return _check("size", text)


def check_date(text: str) -> tuple[str | None, Problem | None]:
    """A date as year, year-month or year-month-day."""
    typed = text.strip(BLANK)
    if not typed:
        return None, None
    return (typed, None) if _DATE.fullmatch(typed) else (None, _problem("date", text))


def check_place(text: str, axis: Axis) -> tuple[float | None, Problem | None]:
    """A place on an axis in its unit; a date as days since 1970, a month or a year counted from its first day."""
    if axis.name != "date":
        noun = axis.noun + (f" {axis.unit}" if axis.unit else "")
        kind = "tokens" if axis.name == "tokens" else "place"
        return _check(kind, text, facts={"scale": axis.scale, "noun": noun})
    date, problem = check_date(text)
    try:
        return (axis.read(date) if date else None), problem
    except UsageError:  # no day of the calendar
        return None, _problem("date", text)


def _check(
    kind: str, text: str, original: str | None = None, *, facts: Mapping[str, Any] | None = None
) -> tuple[float | None, Problem | None]:
    """The number in a text by the rules of `checks.json`, and the first thing that is wrong with it.

    There `comma` is the code for a decimal comma (where there is none, thousands may have commas), `text` that for what
    is no number, `units` what one billion is (where "7B" may be typed), `finite` that no number may be too large, and
    `rules` conditions on the value (as in `answers.json`), each with its code and what times the value mends it.
    """
    rules, typed, original = templates("checks")[kind], text.strip(BLANK), text if original is None else original
    if not typed:
        return None, None
    if "comma" in rules and _COMMA.fullmatch(typed):
        return None, _problem(rules["comma"], original, typed.replace(",", "."))
    if "comma" not in rules and _THOUSANDS.fullmatch(typed):
        typed = typed.replace(",", "")
    unit = _WITH_UNIT.fullmatch(typed) if "units" in rules else None
    if unit is None and not _NUMBER.fullmatch(typed):
        return None, _problem(rules["text"], original, facts=facts)
    value = float(unit[1]) * _UNITS[unit[2].lower()] * rules["units"] if unit else float(typed)
    if "finite" in rules and not math.isfinite(value):
        return None, _problem(rules["text"], original, facts=facts)
    for condition, code, *times in rules["rules"]:
        if holds(condition, {**(facts or {}), "value": value}):
            return None, _problem(code, original, plain(times[0] * value) if times else None)
    return value, None


def check_rows(
    rows: Sequence[Mapping[str, Any]], *, need: Sequence[str], also: Sequence[str] = (), sized: bool = True
) -> tuple[list[Plain], list[Problem]]:
    """Rows of typed text as numbers, and every problem: column, code, message, mend.

    rows: column -> text, of models (sized: with params_b) or of releases and variants (with a date, where they have
    one).  need: scores that each row must have.  also: what it may have. A row with a problem is left out.
    """
    clean: list[Plain] = []
    problems: list[Problem] = []
    columns = ["params_b"] * sized + [*need, *also] + ["date"] * (not sized)
    for row in rows:
        numbers: Plain = {"model": _cell(row, "model") or None}
        wrong = []
        for column in columns:
            check = check_size if column == "params_b" else check_date if column == "date" else check_score
            numbers[column], problem = check(_cell(row, column))
            if problem is None and numbers[column] is None and (column in need or (sized and column == "params_b")):
                lacking = "missing_size" if column == "params_b" else "missing"
                problem = _problem(lacking, "", facts={"label": tables.label(column)})
            if problem is not None:
                wrong.append({"column": column, **problem})
        problems += wrong
        if not wrong:
            clean.append(numbers)
    return clean, problems


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip(BLANK)


def _problem(code: str, text: str, mend: str | None = None, facts: Mapping[str, Any] | None = None) -> Problem:
    typed = text.strip(BLANK)
    shortened = typed if len(typed) <= 24 else f"{typed[:24]}..."
    message = write(f"bad_{code}", {"text": shortened, "mend": mend, **(facts or {})})
    return {"code": code, "message": message, "mend": mend}
