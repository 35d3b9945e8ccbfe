"""Text tables: comma, semicolon, tab, bar, blanks or Markdown between cells; any line ends and byte-order marks."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cape_lib.errors import ScoresError
from cape_lib.tables.columns import heading
from cape_lib.tables.numbers import writes_decimal_commas

DELIMITERS = (",", ";", "\t", "|")
_WORDS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "\\t": "\t"}
_RULE = re.compile(r"^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?)?\s*$|^\s*\|?\s*:?-{3,}:?\s*\|?\s*$")
#: the lines of a frame as bars, and a line that is frame alone
_BARS = str.maketrans("│┃║", "|||")
_FRAME = re.compile(r"^\s*(?=\S*[+─━═])[-=+|─━═├┌└╞╔╚╠┏┗┡┬┴┼╤╧╪╦╩╬╇┳┻╈┐┘┤╡╗╝╣┓┛┩]+\s*$")
#: bytes of Windows-1252 that stand for no sign
_UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


class Records(NamedTuple):
    """Rows of cells, how decimals are written, and the line that each row stands in."""

    cells: list[list[str]]
    decimal_comma: bool
    lines: list[int]


def decode(path: Path, raw: bytes) -> tuple[str, list[str]]:
    """The text of a file and a note where its encoding is an old one; ScoresError where it is no text."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else _unmarked(raw) or "utf-8-sig"
    notes = [f"{path.name}: read as {encoding.upper()}, for every second byte is zero"] if "16-" in encoding else []
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        told = f"{path}: is not text in UTF-8 (byte {problem.start}); save it as CSV UTF-8"
        if encoding.startswith("utf-16") or b"\x00" in raw or any(mark in raw for mark in _UNDEFINED):
            raise ScoresError(told) from problem
        text = raw.decode("cp1252")
        notes.append(f"{path.name}: read as Windows-1252, for it is not UTF-8")
    if "\x00" in text:
        raise ScoresError(f"{path}: is not a text file; save it as CSV UTF-8")
    if not text.strip():
        raise ScoresError(f"{path}: is empty; the first row names the columns, one row a model follows")
    return text, notes


def _unmarked(raw: bytes) -> str:
    """The kind of UTF-16 of a file that does not say it, or ""."""
    start = raw[:400]
    for kind, zeros, signs in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if len(zeros) > 3 and zeros.count(0) > 0.9 * len(zeros) and not signs.count(0):
            return kind
    return ""


def split(name: str, text: str, sep: str | None = None) -> Records:
    """The rows of a text table. Raises ScoresError where no sign parts its columns or its quotation is broken."""
    lines = text.splitlines()
    if not sep and (drawn := _drawn(lines) or _latex(lines)):
        return drawn
    skipped = next((at for at, line in enumerate(lines) if line.strip() and not _is_comment(line, lines)), 0)
    first = lines[skipped]
    if declared := re.fullmatch(r"\s*\"?sep=(.)\"?\s*", first):  # Excel's own first line
        sep, skipped = sep or declared[1], skipped + 1
        first = next((line for line in lines[skipped:] if line.strip()), "")
    text = "\n" * skipped + "\n".join(lines[skipped:])
    if sep is None and _is_markdown(lines[skipped:]):
        return _markdown(lines)
    mark = _WORDS.get(sep, sep) if sep else max(DELIMITERS, key=lambda mark: _outside_quotes(first, mark))
    if len(mark) != 1:
        raise ScoresError(f"{name}: --sep {sep!r} is not one sign; write a sign, or tab, space, semicolon, pipe")
    if mark == " " or (not sep and _outside_quotes(first, mark) == 0):
        return _blanks(name, lines)
    if _outside_quotes(first, mark) == 0:
        raise ScoresError(f"{name}: row 1 has no {sep!r}; leave --sep out, or name the sign between the columns")
    try:
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as problem:
        raise ScoresError(f"{name}: not a CSV table ({problem}); check the quotation marks") from problem
    comma = mark != "," or writes_decimal_commas(cell.strip() for cell in chain.from_iterable(cells[1:]))
    return Records(cells, comma, list(range(1, len(cells) + 1)))


def _is_markdown(lines: list[str]) -> bool:
    filled = [line for line in lines if line.strip()]
    return any(
        "|" in above and _RULE.match(below) is not None for above, below in zip(filled[:60], filled[1:61], strict=False)
    )


def _is_comment(line: str, lines: list[str]) -> bool:
    """Whether a line is a remark above a table: it begins with # and the table goes on without."""
    return (
        line.lstrip().startswith("#")
        and any(
            other.strip() and not other.lstrip().startswith("#") and any(mark in other for mark in DELIMITERS)
            for other in lines
        )
        and _is_remark(line)
    )


def _is_remark(line: str) -> bool:
    cells = re.split(r"[,;\t|]", line)
    return sum(heading(cell).known for cell in cells) < 2


def _drawn(lines: list[str]) -> Records | None:
    """A table in a frame of lines, as databases and terminals draw them."""
    rows = [(at, line.translate(_BARS)) for at, line in enumerate(lines, start=1)]
    if not any(_FRAME.match(line) for _, line in rows[:10]):
        return None
    kept = [(at, _cells(line)) for at, line in rows if "|" in line and not _FRAME.match(line)]
    cells = [row for _, row in kept]
    return (
        Records(cells, writes_decimal_commas(chain.from_iterable(cells[1:])), [at for at, _ in kept]) if cells else None
    )


def _latex(lines: list[str]) -> Records | None:
    """The rows of a LaTeX table, without the commands around its cells."""
    if not any(line.lstrip().startswith("\\begin{tabular") for line in lines):
        return None
    kept = [(at, line.split("\\\\")[0]) for at, line in enumerate(lines, start=1) if re.search(r"(?<!\\)&", line)]
    cells = [[_plain_tex(cell) for cell in re.split(r"(?<!\\)&", line)] for _, line in kept]
    return (
        Records(cells, writes_decimal_commas(chain.from_iterable(cells[1:])), [at for at, _ in kept]) if cells else None
    )


def _plain_tex(cell: str) -> str:
    bare = re.sub(r"\\(?:pm)\b", "±", cell.replace("$", ""))
    for _ in range(3):
        bare = re.sub(r"\\[a-zA-Z]+\*?\{([^{}]*)\}", r"\1", bare)
    return re.sub(r"\\([%&_#$])", r"\1", bare).strip()


def _markdown(lines: list[str]) -> Records:
    """The first table of a Markdown text; emphasis, code and links are dropped from its cells."""
    rule = next(at for at, line in enumerate(lines) if at and _RULE.match(line) and "|" in lines[at - 1])
    kept, places = [_cells(lines[rule - 1])], [rule]
    for at, line in enumerate(lines[rule + 1 :], start=rule + 2):
        if "|" not in line:
            break
        kept.append(_cells(line))
        places.append(at)
    return Records(kept, writes_decimal_commas(chain.from_iterable(kept[1:])), places)


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]
    return [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\*\*|__|`", "", cell)).strip(" *_") for cell in cells]


def _blanks(name: str, lines: list[str]) -> Records:
    """A table whose columns stand apart by blanks, every row with as many words as the first."""
    rows = [(at, line.split()) for at, line in enumerate(lines, start=1) if line.strip()]
    width = len(rows[0][1])
    if width < 2 or any(len(words) != width for _, words in rows):
        raise ScoresError(f"{name}: row 1 holds one column; give a CSV with columns model, params_b and benchmarks")
    return Records([words for _, words in rows], False, [at for at, _ in rows])


def _outside_quotes(line: str, mark: str) -> int:
    return re.sub(r'"[^"]*"', "", line).count(mark)
