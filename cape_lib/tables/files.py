"""The tables of `data/`: where they are, and reading them, every cell checked by `data/schema.json`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.names import suggest

ROWS_ABOVE_DATA = 2  # a spreadsheet's first row is 1 and holds the names
_OTHER: list[Path] = []


@contextlib.contextmanager
def tables_in(folder: Path) -> Iterator[None]:
    """Inside the `with`, every table is read from another folder that holds all of them: what would a change do?"""
    _OTHER.append(folder)
    try:
        yield
    finally:
        _OTHER.pop()


def data_dir() -> Path:
    """Folder of the tables: `data/` of a checkout, else the copy inside the installed package."""
    if _OTHER:
        return _OTHER[-1]
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data", package.parent / "data"):
        if (folder / "schema.json").is_file():
            return folder
    raise SurroundingsError(f"the tables of the book are not beside {package}; install cape_lib again")


def table_file(name: str) -> Path:
    """The CSV file of a table: in `data/`, those of the small models of the book beside these, in `data/testbed/`."""
    return data_dir() / ("testbed" if name.startswith("testbed_") else ".") / f"{name}.csv"


def table_names() -> list[str]:
    """Names that `load` knows, in alphabetical order."""
    return sorted(descriptor())


def load(name: str, *, path: str | Path | None = None) -> pd.DataFrame:
    """One table of `data/`, checked against its schema; a fresh copy at every call.

    name: stem of the CSV file, e.g. "base_panel". path: another file of the same schema.
    Text columns hold NaN where nothing is stated. Raises UsageError for an unknown name, ScoresError (file, row,
    column, reason, mend) for a bad table.
    """
    if name not in table_names():
        raise UsageError(suggest("table", name, table_names()))
    file = Path(path) if path is not None else table_file(name)
    try:
        written = file.stat().st_mtime_ns
    except OSError as problem:
        raise ScoresError(f"{file}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    return _checked(name, file, written).copy()


@lru_cache(maxsize=64)
def _checked(name: str, file: Path, written: int) -> pd.DataFrame:
    del written  # part of the cache's key: a changed file is read again
    return checked(name, read_text(file), file=file)


def stamp(*names: str) -> tuple[int, ...]:
    """When the files of these tables were last written, in ns: part of the key of what is remembered of them."""
    return tuple(table_file(name).stat().st_mtime_ns for name in names)


def read_text(file: Path) -> pd.DataFrame:
    """A CSV file with every cell as text, blank cells missing; ScoresError where it is no table in UTF-8."""
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as problem:
        reason = str(problem).splitlines()[0]
        raise ScoresError(f"{file}: not a CSV table in UTF-8 ({reason}); save it as CSV UTF-8") from problem


@lru_cache(maxsize=1)
def descriptor() -> dict[str, dict[str, Any]]:
    """`data/schema.json`: table name -> title, key, rules, fields (name, type, unit, description, constraints)."""
    tables: dict[str, dict[str, Any]] = json.loads((data_dir() / "schema.json").read_text("utf-8"))["tables"]
    return tables


def checked(name: str, text: pd.DataFrame, *, file: Path) -> pd.DataFrame:
    """A table of text cells as a frame of the described columns and types, every cell, key and rule checked.

    text: as from `read_text`, missing cells NaN. Raises ScoresError with file, row, column and next step for the first
    row that is wrong.
    """
    table = descriptor()[name]
    expected = [field["name"] for field in table["fields"]]
    missing = [column for column in expected if column not in text.columns]
    unknown = [str(column) for column in text.columns if column not in expected]
    if missing or unknown:
        what = f"lacks column {missing[0]}" if missing else f"has an unknown column {unknown[0]}"
        raise ScoresError(f"{file}: row 1 {what}; the columns are {', '.join(expected)}")
    columns = {field["name"]: _column(text[field["name"]], field) for field in table["fields"]}
    frame = pd.DataFrame({column: values for column, (values, _) in columns.items()})
    wrong = [(row, column, reason) for column, (_, first) in columns.items() for row, reason in first]
    key = table["key"]
    if not wrong and (twice := frame.duplicated(key, keep=False)).any():
        row = int(twice.argmax())
        values = ", ".join(str(value) for value in frame.loc[row, key].fillna("blank"))
        wrong = [(row, key[0], f"the key ({', '.join(key)}) stands twice: {values}; keep one row")]
    for rule in table.get("rules", []) if not wrong and len(frame) else []:
        wrong = wrong or _broken(rule, frame)
    for row, column, reason in sorted(wrong, key=lambda one: one[0])[:1]:
        raise ScoresError(f"{file}: row {row + ROWS_ABOVE_DATA}, column {column}: {reason}")
    return frame


def _column(text: pd.Series, field: dict[str, Any]) -> tuple[pd.Series, list[tuple[int, str]]]:
    """The values of one column in their type; the first row that breaks each of its constraints, and the reason."""
    kind, required, stated, values = field["type"], field.get("required", False), text.notna(), text
    low, high = field.get("minimum", -np.inf), field.get("maximum", np.inf)
    above, says = field.get("exclusiveMinimum", -np.inf), field.get("pattern_says", "not in the form asked")
    cells, numbers = {}, {}  # reason -> rows that break it, told by the cell as it stands or by its number
    if kind == "boolean":
        cells["neither true nor false"] = stated & ~text.isin(["true", "false"])
        values = text.map({"true": True, "false": False}).astype("boolean")
    elif kind != "string":
        values = pd.to_numeric(text, errors="coerce").astype("float64")
        cells["not a number"] = stated & ~np.isfinite(values)
        cells["not a whole number"] = np.isfinite(values) & (values % 1 != 0) & (kind == "integer")
        numbers[f"outside {low:g} to {high:g}"] = (values < low) | (values > high)
        numbers[f"not above {above:g}"] = values <= above
    if "enum" in field:
        cells["not one of " + ", ".join(field["enum"])] = stated & ~text.isin(field["enum"])
    if "pattern" in field:
        cells[says] = stated & ~text.str.match(field["pattern"], na=False)
        if says.startswith("not a date"):  # the form lets a thirteenth month pass
            cells["not a day of the calendar"] = stated & pd.to_datetime(text, format="ISO8601", errors="coerce").isna()
    wrong = [(row, "is blank; give a value") for row in np.flatnonzero(~stated & required)[:1]]
    for reason, rows in (cells | numbers).items():
        for row in np.flatnonzero(rows)[:1]:
            shown = f"{values.iloc[row]:g}" if reason in numbers else repr(text.iloc[row])
            wrong.append((row, f"{shown} is {reason}; correct the cell"))
    if required and not wrong and kind in ("boolean", "integer"):
        values = values.astype("bool" if kind == "boolean" else "int64")
    return values, wrong


def _broken(rule: dict[str, Any], frame: pd.DataFrame) -> list[tuple[int, str, str]]:
    """The first row that breaks a rule over several cells, its column and what the rule says of it; [] if none does.

    `bad` is an expression of columns that is true where a row is wrong. Or the rows that are alike in `within` hold one
    value (`test` "same"), are one row ("once") or two and more ("several"). `among`: the rows that the rule is about.
    """
    rows = frame.query(rule["among"], engine="python") if "among" in rule else frame
    column: pd.Series = rows[rule["column"]]
    above = column
    if "bad" in rule:
        bad = np.asarray(rows.eval(rule["bad"], engine="python"), dtype=bool)
    else:
        groups = column.groupby([rows.eval(key, engine="python") for key in rule["within"]])
        above = groups.transform("first")
        tests = {"same": column != above, "once": groups.cumcount() > 0, "several": groups.transform("size") < 2}
        bad = tests[rule["test"]].to_numpy(dtype=bool)
    return [
        (int(str(row)), rule["column"], rule["says"].format(cell=cell, above=other, **frame.iloc[int(str(row))]))
        for row, cell, other in zip(rows.index[bad][:1], column[bad][:1], above[bad][:1], strict=True)
    ]
