"""What a person types or pastes, checked: what is wrong, in a sentence beside the field, and the mend."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from cape_lib import tables
from cape_lib.dashboard.wording import BLANK, holds, templates, write
from cape_lib.errors import UsageError
from cape_lib.tables.axes import Axis, axis_named

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_WITH_UNIT = re.compile(rf"(\d+\.?\d*|\.\d+)[{BLANK}]*([bmkt])", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
_UNITS = {"t": 1e3, "b": 1.0, "m": 1e-3, "k": 1e-6}
Problem = dict[str, Any]


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


def check_batch(text: str) -> tuple[float | None, Problem | None]:
    """The training tokens of one step, above 0; "2M" and "2,097,152" are read as what they say."""
    return _check("batch", text)


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


def check_table(
    rows: Sequence[Mapping[str, Any]],
    *,
    need: Sequence[str],
    also: Sequence[str] = (),
    sized: bool = True,
    least: int = 1,
    allow_mixed: bool = False,
    axis: Axis | None = None,
    batch_tokens: float | None = None,
    target: str = "tokens_b",
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Rows of typed text as numbers, and every problem: row (from 0, None for the table), column, code, message, mend.

    rows: column -> text; wholly empty rows are passed over.  need: scores that each row must have.
    also: scores that it may have.  sized: each row needs a size, no two the same.  least: rows needed.  axis: another
    axis than size, along which each row needs a place then.  batch_tokens: of one step, on the axis step: each row gets
    tokens_b too, as it states them or else step x batch_tokens in billions; where target is flops_1e21 also that, as it
    states it or else 6 N D. No two rows may have the same target.
    A column <score>_shots holds the number of examples: two different ones are `mixed` unless allowed. A row with a
    problem is left out.
    """
    also = [name for name in also if axis is None or name != axis.column]
    clean: list[dict[str, Any]] = []
    problems: list[Problem] = []
    sizes: dict[float, int] = {}
    shots: dict[str, dict[str, int]] = {}
    filled = [(i, row) for i, row in enumerate(rows) if any(_cell(row, name) for name in row)]
    for i, row in filled:
        numbers, wrong = _check_row(
            row, need=need, also=also, sized=sized, axis=axis, batch_tokens=batch_tokens, target=target
        )
        by, column = ("params_b", "params_b") if axis is None else (_typed(axis), axis.column)
        size = numbers.get(column if batch_tokens is None else target)
        if sized and size is not None and size in sizes:
            code = "duplicate" if axis is None else "duplicate_place"
            wrong.append({"column": by, **_problem(code, _cell(row, by), facts={"first": sizes[size] + 1})})
        elif sized and size is not None:
            sizes[size] = i
        for name in (*need, *also):
            if typed := _cell(row, f"{name}_shots"):
                shots.setdefault(name, {}).setdefault(typed, i)
        problems += [{"row": i, **problem} for problem in wrong]
        if not wrong:
            clean.append(numbers)
    for name, seen in shots.items():
        if len(seen) > 1 and not allow_mixed:
            first, second = list(seen)[:2]
            facts = {"label": tables.label(name), "first": first, "second": second}
            problems.append({"row": seen[second], "column": name, **_problem("mixed", "", facts=facts)})
    if len(filled) < least:
        key = "too_few_none" if not filled else "too_few"
        problems.append({"row": None, "column": None, **_problem(key, "", facts={"n": len(filled), "least": least})})
    return clean, problems


def _typed(axis: Axis) -> str:
    """The column of an axis as a person fills it: a date is text."""
    return "date" if axis.name == "date" else axis.column


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value).strip(BLANK)


def _check_row(
    row: Mapping[str, Any],
    *,
    need: Iterable[str],
    also: Iterable[str],
    sized: bool,
    axis: Axis | None,
    batch_tokens: float | None,
    target: str,
) -> tuple[dict[str, Any], list[Problem]]:
    """One row as numbers, with its problems (column, code, message, mend)."""
    numbers: dict[str, Any] = {"model": _cell(row, "model") or None}
    wrong: list[Problem] = []

    def read(column: str, check: Callable[[str], tuple[Any, Problem | None]], lacking: str = "") -> Any:
        value, problem = check(_cell(row, column))
        if problem is None and value is None and lacking:
            problem = _problem(lacking, "", facts={"label": tables.label(column), "noun": axis and axis.noun})
        if problem is not None:
            wrong.append({"column": column, **problem})
        return value

    if axis is not None:
        place = numbers[axis.column] = read(_typed(axis), partial(check_place, axis=axis), "missing_place")
        if batch_tokens is not None:
            numbers["tokens_b"] = read("tokens_b", partial(check_place, axis=axis_named("tokens")))
            if not _cell(row, "tokens_b") and place is not None:
                numbers["tokens_b"] = place * batch_tokens / 1e9
        size, tokens = check_size(_cell(row, "params_b"))[0], numbers.get("tokens_b")
        if size is not None:
            numbers["params_b"] = size
        if batch_tokens is not None and target == "flops_1e21":
            stated = numbers[target] = read(target, partial(check_place, axis=axis_named("flops")))
            if stated is None:
                read("params_b", check_size, "missing_size")
            if not stated and size and tokens is not None:
                numbers[target] = 6e-3 * size * tokens
    elif sized:
        numbers["params_b"] = read("params_b", check_size, "missing_size")
    for column in [*need, *also]:
        check = check_size if column == "params_b" else check_score
        numbers[column] = read(column, check, "missing" if column in need else "")
    if not sized:
        numbers["date"] = read("date", check_date)
    for column in [*need, *also]:
        shots, error, noise = (_cell(row, f"{column}_{what}") for what in ("shots", "stderr", "noise"))
        if re.fullmatch(r"[0-9]+", shots):
            numbers[f"{column}_shots"] = int(shots)
        if _NUMBER.fullmatch(error) and float(error) > 0:
            numbers[f"{column}_stderr"] = float(error)
        if noise:
            numbers[f"{column}_noise"] = noise
    return numbers, wrong


def _problem(code: str, text: str, mend: str | None = None, facts: Mapping[str, Any] | None = None) -> Problem:
    typed = text.strip(BLANK)
    shortened = typed if len(typed) <= 24 else f"{typed[:24]}..."
    message = write(f"bad_{code}", {"text": shortened, "mend": mend, **(facts or {})})
    return {"code": code, "message": message, "mend": mend}
