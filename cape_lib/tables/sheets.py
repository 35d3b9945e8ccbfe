"""Any table that a person has, as cells of text: CSV and its relatives, Markdown, JSON, spreadsheets, Parquet."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError
from cape_lib.tables import delimited
from cape_lib.tables.delimited import Records
from cape_lib.tables.layout import laid_out

#: a larger file is no table of scores
MOST_BYTES = 50_000_000
MOST_UNPACKED = 200_000_000
#: what a page puts around a name, and a raised mark after a number
_LINK, _RAISED = (
    re.compile(r"^\s*<a\s[^<>]*>([^<]*)</a>\s*$", re.IGNORECASE),
    re.compile(r"<sup>[^<]*</sup>", re.IGNORECASE),
)
#: first bytes -> what the file is, and what to do
FOREIGN = {
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch it by: git lfs pull",
    b"<!doctype html": "an HTML page, not a table; fetch the raw file",
    b"<html": "an HTML page, not a table; fetch the raw file",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"%pdf": "a PDF, not a table; copy the table out of it as CSV",
    b"\x80\x04": "a Python pickle, which is never opened; save the table as CSV",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells as text: `columns`, `cells` (one list a row, blanks as ""), `rows` (numbers as a spreadsheet counts)."""

    name: str
    columns: list[str]
    cells: list[list[str]]
    rows: list[int]
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()

    def place(self, position: int, column: str) -> str:
        """File, row and column of a cell, to open an error message."""
        return f"{self.name}: row {self.rows[position]}, column {column}"

    def refusal(self, position: int, column: str, reason: str) -> ScoresError:
        """The error for one cell: its place and the reason, which ends with the next step."""
        return ScoresError(f"{self.place(position, column)}: {reason}")

    def noting(self, *notes: str) -> Sheet:
        """The same sheet with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def read_sheet(source: str | Path | pd.DataFrame | list[Any], *, sep: str | None = None, name: str = "") -> Sheet:
    """The cells of a file, of a frame or of JSON that was read already; ScoresError where it is not one table.

    sep: the sign between columns, where it cannot be told from the file. name: of the file, for messages.
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, name or "the table")
    if isinstance(source, list):
        return _from_frame(frame_of_json(source, name), name)
    path = Path(source)
    raw = read_bytes(path)
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _spreadsheet(path, raw)
    if raw.startswith(b"PAR1"):
        return _parquet(path)
    text, notes = delimited.decode(path, raw)
    if text.lstrip().startswith(("{", "[")) and not sep:
        return _from_frame(frame_of_json(_json(path, text), str(path)), str(path))
    records = delimited.split(str(path), text, sep)
    return _sheet(str(path), records).noting(*notes)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, or a refusal that names what it is where it is no table."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ScoresError(f"{path}: {size / 1e6:.0f} MB, too large for a table of scores; give the table alone")
        raw = path.read_bytes()
    except OSError as problem:
        raise ScoresError(f"{path}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    start = raw[:64].lstrip().lower()
    for mark, what in FOREIGN.items():
        if start.startswith(mark):
            raise ScoresError(f"{path}: {what}")
    return raw


def _json(path: Path, text: str) -> Any:
    """A JSON value, or the objects of JSON lines."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ScoresError(f"{path}: JSON nested too deeply for a table; save the table as CSV") from None
    except ValueError as problem:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) > 1:
                return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            pass
        place = f"line {getattr(problem, 'lineno', 1)}"
        raise ScoresError(f"{path}: not whole JSON ({place}); save the table again, or as CSV") from None


def frame_of_json(value: Any, name: str) -> pd.DataFrame:
    """Records, columns, or pandas' own split form as a frame of text. Raises ScoresError for any other JSON."""
    wrong = ScoresError(
        f"{name}: JSON, but no table of scores; give a list of objects with model, params_b, benchmarks"
    )
    if isinstance(value, dict) and "results" in value:
        raise ScoresError(f"{name}: JSON with results of a harness, not a table; `cape import` reads it")
    if isinstance(value, dict):
        for key in ("data", "rows", "records"):
            if isinstance(value.get(key), list) and value[key]:
                rows = value[key]
                if isinstance(value.get("columns"), list) and all(isinstance(row, list) for row in rows):
                    rows = [dict(zip(map(str, value["columns"]), row, strict=False)) for row in rows]
                return frame_of_json(rows, name)
        if value and all(isinstance(column, dict) for column in value.values()) and _has_model(value):
            keys = list(dict.fromkeys(key for column in value.values() for key in column))
            return frame_of_json([{c: column.get(k) for c, column in value.items()} for k in keys], name)
        if value and all(isinstance(column, list) for column in value.values()) and _has_model(value):
            longest = max(len(column) for column in value.values())
            if any(len(column) != longest for column in value.values()):
                raise ScoresError(f"{name}: its columns have unlike lengths; save the table again")
            return frame_of_json([{c: column[i] for c, column in value.items()} for i in range(longest)], name)
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise wrong
    value = [_flat(row) for row in value]
    columns = list(dict.fromkeys(str(key) for row in value for key in row))
    cells = [[_text(row.get(column)) for column in columns] for row in value]
    return pd.DataFrame(cells, columns=columns, dtype=object)


def _flat(row: dict[str, Any], depth: int = 3) -> dict[str, Any]:
    """A record whose nested objects are columns: {"hellaswag": {"acc_norm": 50}} has a column "hellaswag acc_norm".

    The name of an object that says nothing of its own ("metrics", "results") is left out where that leaves no doubt.
    """
    from cape_lib.tables.columns import heading

    flat: dict[str, Any] = {}
    for key, value in row.items():
        if not isinstance(value, dict) or not depth:
            flat[str(key)] = value
            continue
        for inner, cell in _flat(value, depth - 1).items():
            name = f"{key} {inner}" if heading(str(key)).known or inner in row or inner in flat else inner
            flat[name] = cell
    return flat


def _has_model(value: dict[str, Any]) -> bool:
    from cape_lib.tables.columns import known_name

    return any(known_name(str(key)) == "model" for key in value)


def _text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""  # nested values are no cells
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _spreadsheet(path: Path, raw: bytes) -> Sheet:
    if raw.startswith(b"PK"):
        _refuse_bomb(path)
    try:
        book = pd.read_excel(path, sheet_name=None, header=None, dtype=object)
    except ImportError:
        lacking = "openpyxl" if raw.startswith(b"PK") else "xlrd"
        raise SurroundingsError(
            f"{path}: a spreadsheet, which needs {lacking}: pip install {lacking}; or save it as CSV UTF-8"
        ) from None
    except Exception as problem:  # the readers raise whatever a broken file makes them raise
        reason = " ".join(str(problem).split())[:80]
        raise ScoresError(
            f"{path}: is a spreadsheet file that cannot be read ({reason}); save it as CSV UTF-8"
        ) from None
    filled = {str(title): frame for title, frame in book.items() if frame.notna().any(axis=None)}
    if not filled:
        raise ScoresError(f"{path}: every sheet is empty; the first row names the columns, one row a model follows")
    title, frame = next(iter(filled.items()))
    rows = [["" if pd.isna(cell) else _text(cell) for cell in row] for row in frame.itertuples(index=False)]
    sheet = _sheet(str(path), Records(rows, False, list(range(1, len(rows) + 1))))
    if len(filled) > 1:
        others = ", ".join(list(filled)[1:4])
        sheet = sheet.noting(f"{path.name}: read the first sheet ({title}); not read: {others}")
    return sheet


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
            names = {part.filename for part in packed.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        raise ScoresError(f"{path}: is a spreadsheet file that cannot be read; save it as CSV UTF-8") from None
    if size > MOST_UNPACKED:
        raise ScoresError(f"{path}: unpacks to {size / 1e6:.0f} MB, too large for a table of scores; save it as CSV")
    if "[Content_Types].xml" not in names:
        what = (
            "an Inspect log" if any(name.startswith(("header", "samples/", "_journal")) for name in names) else "a zip"
        )
        next_step = "`cape import` reads it" if what != "a zip" else "unpack it first"
        raise ScoresError(f"{path}: {what}, not a table; {next_step}")


def _parquet(path: Path) -> Sheet:
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise SurroundingsError(
            f"{path}: a Parquet file, which needs pyarrow: pip install pyarrow; or save it as CSV UTF-8"
        ) from None
    except Exception as problem:  # the readers raise whatever a broken file makes them raise
        reason = " ".join(str(problem).split())[:80]
        raise ScoresError(f"{path}: a Parquet file that cannot be read ({reason}); save it as CSV UTF-8") from None
    return _from_frame(frame, str(path))


def _from_frame(frame: pd.DataFrame, name: str) -> Sheet:
    if frame.empty:
        raise ScoresError(f"{name}: has no row; add one row a model")
    if not isinstance(frame.index, pd.RangeIndex) and all(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # pandas keeps the names of the models there
    columns = [str(column).strip() for column in frame.columns]
    cells = [[_clean(_cell(cell)) for cell in row] for row in frame.itertuples(index=False)]
    return Sheet(name, columns, cells, list(range(2, len(cells) + 2)))


def _cell(value: Any) -> str:
    """A value of a frame as text; nested values are no cells."""
    if isinstance(value, (dict, list, tuple, set, np.ndarray)):
        return ""
    return "" if pd.isna(value) else str(value)


def _clean(cell: str) -> str:
    """A cell without the link around it and the mark of a footnote in it."""
    bare = _LINK.sub(r"\1", _RAISED.sub("", cell)) if "<" in cell else cell
    return bare.strip()


def _sheet(name: str, records: Records) -> Sheet:
    stripped = [[_clean(cell) for cell in record] for record in records.cells]
    numbered = [(number, record) for number, record in zip(records.lines, stripped, strict=True) if any(record)]
    if not numbered:
        raise ScoresError(f"{name}: every cell is empty; the first row names the columns, one row a model follows")
    layout = laid_out(name, numbered)
    top, header, body = layout.top, layout.header, layout.body
    width = max(position + 1 for position, cell in enumerate(header) if cell)
    for number, record in body:
        if any(record[width:]):
            told = f"row {number} has {len(record)} cells, row {top} names {width} columns"
            raise ScoresError(f"{name}: {told}; give each cell its column")
    if not body:
        raise ScoresError(f"{name}: has column names but no row below them; add one row a model")
    cells = [(record + [""] * width)[:width] for _, record in body]
    header = header[:width]
    if not header[0]:
        header, cells = _index(header, cells)
    for position, column in enumerate(header):
        if not column:
            raise ScoresError(f"{name}: row {top}, column {position + 1} has no name; name it or delete the column")
    return Sheet(name, header, cells, [number for number, _ in body], records.decimal_comma, layout.notes)


def _index(header: list[str], cells: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The nameless first column of pandas: a count of rows is dropped, names of models are the models."""
    from cape_lib.tables.columns import known_name

    first = [row[0] for row in cells]
    if first == [str(i) for i in range(len(first))]:
        return header[1:], [row[1:] for row in cells]
    if "model" not in map(known_name, header) and not all(_is_number(cell) for cell in first):
        return ["model", *header[1:]], cells
    return header, cells


def _is_number(cell: str) -> bool:
    from cape_lib.tables.numbers import to_number

    return to_number(cell, decimal_comma=False) is not None
