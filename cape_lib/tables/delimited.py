"""Reads the CSV that a person made: comma, semicolon or tab, decimal commas, byte-order marks, any line ends."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cape_lib.errors import ScoresError

DELIMITERS = (",", ";", "\t")
BLANK = {"", "na", "n/a", "nan", "none", "null", "-", "–", "?"}
DECIMAL_COMMA = re.compile(r"^[+-]?\d+,\d+$")
NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells as text: `columns`, `cells` (one list a row, blanks as ""), `rows` (numbers as a spreadsheet counts)."""

    name: str
    columns: list[str]
    cells: list[list[str]]
    rows: list[int]
    decimal_comma: bool

    def place(self, position: int, column: str) -> str:
        """File, row and column of a cell, to open an error message."""
        return f"{self.name}: row {self.rows[position]}, column {column}"

    def refusal(self, position: int, column: str, reason: str) -> ScoresError:
        """The error for one cell: its place and the reason, which ends with the mend."""
        return ScoresError(f"{self.place(position, column)}: {reason}")


def read_sheet(source: str | Path | pd.DataFrame) -> Sheet:
    """The cells of a CSV file or frame; ScoresError where it cannot be read as one table."""
    if isinstance(source, pd.DataFrame):
        return _from_frame(source)
    name, text = str(source), _decode(Path(source))
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda mark: _outside_quotes(first_line, mark))
    if first_line.lstrip().startswith(("{", "[")):
        raise ScoresError(f"{name}: looks like JSON, not CSV; `cape import` reads lm-evaluation-harness results")
    if _outside_quotes(first_line, delimiter) == 0:
        raise ScoresError(f"{name}: row 1 holds one column; give a CSV with columns model, params_b and benchmarks")
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as problem:
        raise ScoresError(f"{name}: not a CSV table ({problem}); check the quotation marks") from problem
    return _sheet(name, records, decimal_comma=delimiter != ",")


def _decode(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ScoresError(f"{path}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ScoresError(f"{path}: is a spreadsheet file, not CSV; save it as CSV UTF-8")
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise ScoresError(f"{path}: is not text in UTF-8 (byte {problem.start}); save it as CSV UTF-8") from problem
    if "\x00" in text:
        raise ScoresError(f"{path}: is not a text file; save it as CSV UTF-8")
    if not text.strip():
        raise ScoresError(f"{path}: is empty; the first row names the columns, one row a model follows")
    return text


def _outside_quotes(line: str, mark: str) -> int:
    return re.sub(r'"[^"]*"', "", line).count(mark)


def _sheet(name: str, records: list[list[str]], *, decimal_comma: bool) -> Sheet:
    stripped = [[cell.strip() for cell in record] for record in records]
    numbered = [(number, record) for number, record in enumerate(stripped, start=1) if any(record)]
    if not numbered:
        raise ScoresError(f"{name}: every cell is empty; the first row names the columns, one row a model follows")
    (top, header), body = numbered[0], numbered[1:]
    width = max(position + 1 for position, cell in enumerate(header) if cell)
    for number, record in body:
        if any(record[width:]):
            said = f"row {number} has {len(record)} cells, row {top} names {width} columns"
            raise ScoresError(f"{name}: {said}; mend the row")
    for position, column in enumerate(header[:width]):
        if not column:
            raise ScoresError(f"{name}: row {top}, column {position + 1} has no name; name it or delete the column")
    if not body:
        raise ScoresError(f"{name}: has column names but no row below them; add one row a model")
    cells = [(record + [""] * width)[:width] for _, record in body]
    return Sheet(name, header[:width], cells, [number for number, _ in body], decimal_comma)


def _from_frame(frame: pd.DataFrame) -> Sheet:
    if frame.empty:
        raise ScoresError("the table: has no row; add one row a model")
    columns = [str(column).strip() for column in frame.columns]
    cells = [["" if pd.isna(cell) else str(cell).strip() for cell in row] for row in frame.itertuples(index=False)]
    return Sheet("the table", columns, cells, list(range(2, len(cells) + 2)), False)


def is_blank(cell: str) -> bool:
    """Whether a cell says that no value is there."""
    return cell.casefold() in BLANK


def to_number(cell: str, *, decimal_comma: bool) -> float | None:
    """The number that a cell holds (a percent sign is dropped), or None where it holds none."""
    bare = cell.removesuffix("%").strip().replace("\u2212", "-").replace("\u00a0", "")
    if decimal_comma and DECIMAL_COMMA.match(bare):
        bare = bare.replace(",", ".")
    return float(bare) if NUMBER.match(bare) else None
