"""The names under which people write our columns, and how they write numbers: one table, the browser's too."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cape_lib.tables.benchmarks import CHANCE, ITEM_COUNTS, LABELS

#: columns of text; never read as numbers
TEXT = frozenset(
    ("model", "family", "lab", "release_date", "truthfulqa_metric", "training", "recipe", "note", "source")
    + ("ladder", "seed", "instruct", "revision")
)
#: numbers about a model that are no benchmark; never checked as percent
MEASURES = frozenset(
    ("params_b", "active_params_b", "d_model", "n_layers", "n_heads", "pretrain_tokens_b", "flops_1e21", "flops")
    + ("step", "tokens_b", "year")
)


class Heading(NamedTuple):
    """What the head of a column says: our `name`, whether it is `known`, factor to our unit, shots ("" for none).

    `exact`: the head is our own name, so that it wins over another one for the same column.
    """

    name: str
    known: bool
    scale: float = 1.0
    shots: str = ""
    exact: bool = False
    percent: bool = False


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The table of names as data: columns (name -> aliases), not_scores, endings, metrics, units, blank ...

    count_columns hold numbers so large that "4,096" has a thousand in it.
    """
    names: dict[str, Any] = json.loads(Path(__file__).with_name("columns.json").read_text(encoding="utf-8"))
    for name in {**ITEM_COUNTS, **CHANCE}:  # a benchmark is known by its display name too
        aliases = names["columns"].setdefault(name, [])
        aliases += {plain(LABELS.get(name, name))} - {name, *aliases}
    return names


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {alias: name for name, aliases in table()["columns"].items() for alias in (name, *aliases)}


def plain(text: str) -> str:
    """A head in small letters, digits and single underscores: "ARC-C (25-shot)" becomes "arc_c_25_shot".

    Letters with marks lose them: "Größe" becomes "grosse".
    """
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = re.sub(r"[*`#\u00ad\u0300-\u036f\u200b-\u200d\ufeff]+", "", letters)
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


@lru_cache(maxsize=4096)
def heading(text: str) -> Heading:
    """What a column head means. A head that is in no list keeps its text as its name."""
    bare, names, scale = plain(text), _names(), 1.0
    for word in table()["around"]:  # what trackers put around: "eval/hellaswag/acc_norm,none" is "hellaswag_acc_norm"
        bare = bare.removeprefix(f"{word}_")
    bare = stem = bare.removesuffix("_none")
    shots = ending = ""
    if shot := re.search(r"_?(\d+)_?shots?(?=_|$)", stem):
        stem, shots = (stem[: shot.start()] + stem[shot.end() :]).strip("_"), f"{int(shot[1])}-shot"
    for kind, words in table()["endings"].items():
        for word in words:
            if not ending and stem.endswith(f"_{word}") and len(stem) > len(word) + 1:
                stem, ending = stem[: -len(word) - 1], f"_{kind}"
    name = names.get(stem)
    if name is None:  # by its unit, else by the metric that it ends in
        head, _, last = stem.rpartition("_")
        before = [stem[: -len(metric) - 1] for metric in table()["metrics"] if stem.endswith(f"_{metric}")]
        name = names.get(head.removesuffix("_in"))
        if last in table()["units"] and name in table()["unit_columns"]:
            scale = float(table()["units"][last])
        else:
            name = next((names[word] for word in before if word in names), None)
            name = None if name in TEXT | MEASURES else name
    if name is None:
        return Heading(text.strip(), False, shots=shots, percent="%" in text)
    return Heading(name + ending, True, scale, "" if ending else shots, bare == name + ending, "%" in text)


def known_name(name: str) -> str:
    """A column name in our spelling where it is one of ours ("ARC-Challenge"), else as it stands."""
    return heading(name).name


def is_score(name: str) -> bool:
    """Whether a column of numbers by this name may be a benchmark."""
    other = name in MEASURES or name.endswith(("_stderr", "_shots"))
    return not other and plain(name) not in ("", *table()["not_scores"])


# ---- numbers ----

_DECIMAL_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
#: two groups and more can be nothing but thousands; "1,234" could be either
_THOUSANDS = {
    ",": re.compile(r"^[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?$", re.ASCII),
    ".": re.compile(r"^[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?$", re.ASCII),
}
#: groups of three set apart by a blank of any width or an apostrophe can be nothing but thousands
_APART = re.compile(r"^[+-]?\d{1,3}([ \u00a0\u2007\u2009\u202f'’_]\d{3})+([.,]\d+)?$", re.ASCII)
#: one group after a comma: thousands where the numbers are counts
_GROUPED = re.compile(r"^[+-]?\d{1,3}(,\d{3})+$", re.ASCII)
#: marks of a footnote after a number, and arrows that say which way is better
_MARKS = re.compile(r"(?<=[\d%kKmMbBtT])\s*([†‡§¶*^↑↓▲▼]+|[¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜ]|\[\^?\w{1,3}\])+$")
_PLUS_MINUS = re.compile(r"^(.+?)\s*\(?\s*(?:±|\+/-|\+-)\s*([^()]+?)\)?$")
_WITH_UNIT = re.compile(r"^(.+?)\s*(k|m|b|bn|t|billions?|millions?)$", re.IGNORECASE)
#: what stands around a size ("~7B", "7B params", "70B (dense)"), and one with its active part ("30B-A3B")
_AROUND = re.compile(r"^[~≈]\s*|\s*\((?:dense|total|base)\)$|\s*param(?:eter)?s?$", re.IGNORECASE)
_BOTH = re.compile(
    r"^(.+?)[-\s/]*\(?\s*A\s?([\d.,]+\s*[bmkt])\)?$|^(.+?)\s*\(?\s*([\d.,]+\s*[bmkt])\s+active\)?$", re.IGNORECASE
)


class Cell(NamedTuple):
    """A number, its standard error where the cell gives one, whether a percent sign stood by it, its active part."""

    value: float
    stderr: float | None = None
    percent: bool = False
    active: float | None = None


def is_blank(cell: str) -> bool:
    """Whether a cell says that no value is there."""
    return cell.casefold() in table()["blank"]


def to_number(cell: str, *, decimal_comma: bool, count: bool = False) -> float | None:
    """The number that a cell holds (a percent sign is dropped), or None where it holds none.

    count: a whole number is meant, so that "4,096" has a thousand in it whatever decimals look like.
    """
    bare = _MARKS.sub("", cell.replace("\u2212", "-")).removesuffix("%").strip()
    if _APART.match(bare):
        bare = re.sub(r"[^\d.,+-]", "", bare)
    if count and _GROUPED.match(bare):
        bare = bare.replace(",", "")
    elif decimal_comma and _DECIMAL_COMMA.match(bare):
        bare = bare.replace(",", ".")
    elif decimal_comma and _THOUSANDS["."].match(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif _THOUSANDS[","].match(bare):
        bare = bare.replace(",", "")
    return float(bare) if _NUMBER.match(bare) else None


def to_score(cell: str, *, decimal_comma: bool, count: bool = False) -> Cell | None:
    """A score with its standard error ("50.5 ± 0.5"), or None."""
    parts = _PLUS_MINUS.match(cell)
    value = to_number(parts[1] if parts else cell, decimal_comma=decimal_comma, count=count)
    error = to_number(parts[2], decimal_comma=decimal_comma) if parts else None
    return None if value is None or (parts and error is None) else Cell(value, error, "%" in cell)


def to_sizes(cell: str, *, decimal_comma: bool, scale: float = 1.0) -> Cell | None:
    """A count of parameters in billions, with its active part where "30B-A3B" or "30B (3B active)" has one, or None.

    "~7B", "7B params" and "70B (dense)" are what they say; "8x7B" is no count, for experts share parameters.
    """
    bare = _AROUND.sub("", cell.strip())
    if both := _BOTH.match(bare):
        total, active = (to_size((both[i] or both[i + 2]).strip(), decimal_comma=decimal_comma) for i in (1, 2))
        return None if total is None or active is None or active > total else Cell(total, active=active)
    size = to_size(bare, decimal_comma=decimal_comma, scale=scale)
    return None if size is None else Cell(size)


def to_size(cell: str, *, decimal_comma: bool, scale: float = 1.0, count: bool = False) -> float | None:
    """A count in billions: "410M", "1.1B", "7b"; a bare number is multiplied by `scale`. count: as in `to_number`.

    In millions "1,100" is a count too: nobody writes their decimals so.
    """
    bare = _MARKS.sub("", cell)
    if (unit := _WITH_UNIT.match(bare)) is not None:
        bare, scale, count = unit[1], float(table()["units"][unit[2].casefold()]), False
    count = count or scale < 1
    number = None if bare.endswith("%") else to_number(bare, decimal_comma=decimal_comma, count=count)
    return None if number is None else number * scale


def to_count(cell: str, *, decimal_comma: bool) -> float | None:
    """A count as it is: "143000", "143k", "1.4M", or None."""
    number = to_number(cell, decimal_comma=decimal_comma, count=True)
    if number is None and (billions := to_size(cell, decimal_comma=decimal_comma, count=True)) is not None:
        return float(f"{billions * 1e9:.12g}")
    return number


def to_cell(cell: str, *, name: str, decimal_comma: bool, scale: float = 1.0) -> Cell | None:
    """What a cell of the column `name` says, in our unit, or None where it is no number. scale: as its head says."""
    count = name in table()["count_columns"]
    if name == "params_b":
        return to_sizes(cell, decimal_comma=decimal_comma, scale=scale)
    if name == "step":
        number = to_count(cell, decimal_comma=decimal_comma)
    elif name in table()["unit_columns"] or name == "tokens_b":
        number = to_size(cell, decimal_comma=decimal_comma, scale=scale, count=count)
    else:
        return to_score(cell, decimal_comma=decimal_comma, count=count)
    return None if number is None else Cell(number)


def writes_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether a comma-separated table has quoted decimal commas ("50,5") throughout: some, and no decimal point."""
    some = False
    for cell in cells:
        bare = cell.removesuffix("%").strip()
        if _NUMBER.match(bare) and "." in bare:
            return False
        some = some or (_DECIMAL_COMMA.match(bare) is not None and len(bare.rpartition(",")[2]) != 3)
    return some
