"""Numbers as people write them: percent signs, units, thousands, decimal commas, a value with its standard error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cape_lib.tables.columns import table

DECIMAL_COMMA = re.compile(r"^[+-]?\d+,\d+$")
NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
#: two groups and more can be nothing but thousands; "1,234" could be either
THOUSANDS = {
    ",": re.compile(r"^[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?$", re.ASCII),
    ".": re.compile(r"^[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?$", re.ASCII),
}
#: groups of three set apart by a blank of any width or an apostrophe can be nothing but thousands
APART = re.compile(r"^[+-]?\d{1,3}([ \u00a0\u2007\u2009\u202f'’]\d{3})+([.,]\d+)?$", re.ASCII)
#: marks of a footnote after a number
MARKS = re.compile(r"(?<=[\d%])\s*([†‡§¶*^]+|[¹²³⁴⁵⁶⁷⁸⁹]|\[\w{1,3}\])+$")
TWO_NUMBERS = re.compile(r"^([\d.,]+)\s*\(([\d.,]+)\)$")
PLUS_MINUS = re.compile(r"^(.+?)\s*\(?\s*(?:±|\+/-|\+-)\s*([^()]+?)\)?$")
WITH_UNIT = re.compile(r"^(.+?)\s*(k|m|b|bn|t|billions?|millions?)$", re.IGNORECASE)


class Cell(NamedTuple):
    """A number, its standard error where the cell gives one, and whether a percent sign stood by it."""

    value: float
    stderr: float | None = None
    percent: bool = False


def is_blank(cell: str) -> bool:
    """Whether a cell says that no value is there."""
    return cell.casefold() in _blank()


def _blank() -> set[str]:
    return set(table()["blank"])


def to_number(cell: str, *, decimal_comma: bool) -> float | None:
    """The number that a cell holds (a percent sign is dropped), or None where it holds none."""
    bare = MARKS.sub("", cell.replace("\u2212", "-")).removesuffix("%").strip()
    if APART.match(bare):
        bare = re.sub(r"[^\d.,+-]", "", bare)
    if decimal_comma and DECIMAL_COMMA.match(bare):
        bare = bare.replace(",", ".")
    elif decimal_comma and THOUSANDS["."].match(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif THOUSANDS[","].match(bare):
        bare = bare.replace(",", "")
    return float(bare) if NUMBER.match(bare) else None


def to_score(cell: str, *, decimal_comma: bool) -> Cell | None:
    """A score with its standard error ("50.5 ± 0.5"), or None."""
    parts = PLUS_MINUS.match(cell)
    value = to_number(parts[1] if parts else cell, decimal_comma=decimal_comma)
    if value is None:
        return None
    percent = "%" in cell
    if not parts:
        return Cell(value, None, percent)
    error = to_number(parts[2], decimal_comma=decimal_comma)
    return None if error is None else Cell(value, error, percent)


def to_sizes(cell: str, *, decimal_comma: bool, scale: float = 1.0) -> tuple[float, float | None] | None:
    """A count of parameters in billions as (total, active): "30B-A3B" and "30B (3B active)" have both, else None.

    "~7B", "7B params" and "70B (dense)" are what they say; "8x7B" is no count, for experts share parameters.
    """
    bare = re.sub(r"^[~≈]\s*|\s*\((?:dense|total|base)\)$|\s*param(?:eter)?s?$", "", cell.strip(), flags=re.IGNORECASE)
    both = re.match(
        r"^(.+?)[-\s/]*\(?\s*A\s?([\d.,]+\s*[bmkt])\)?$|^(.+?)\s*\(?\s*([\d.,]+\s*[bmkt])\s+active\)?$",
        bare,
        re.IGNORECASE,
    )
    if both:
        total, active = (
            to_size(part.strip(), decimal_comma=decimal_comma) for part in (both[1] or both[3], both[2] or both[4])
        )
        return None if total is None or active is None or active > total else (total, active)
    size = to_size(bare, decimal_comma=decimal_comma, scale=scale)
    return None if size is None else (size, None)


def to_size(cell: str, *, decimal_comma: bool, scale: float = 1.0) -> float | None:
    """A count in billions: "410M", "1.1B", "7b"; a bare number is multiplied by `scale`."""
    number = None if cell.endswith("%") else to_number(cell, decimal_comma=decimal_comma)
    if number is not None:
        return number * scale if scale != 1.0 else number
    unit = WITH_UNIT.match(cell)
    number = to_number(unit[1], decimal_comma=decimal_comma) if unit and not unit[1].endswith("%") else None
    return None if number is None or unit is None else number * float(table()["units"][unit[2].casefold()])


def writes_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether a comma-separated table has quoted decimal commas ("50,5") throughout: some, and no decimal point."""
    some = False
    for cell in cells:
        bare = cell.removesuffix("%").strip()
        if NUMBER.match(bare) and "." in bare:
            return False
        if DECIMAL_COMMA.match(bare):
            some = some or len(bare.rpartition(",")[2]) != 3
    return some
