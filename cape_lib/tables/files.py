"""The tables of `data/`: where they are, reading them, and checking them with pandera by `data/schema.json`."""

from __future__ import annotations

import contextlib
import hashlib
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

    A file that is byte for byte the one that passed (`data/checked.json`) is not checked a second time, for speed.
    name: stem of the CSV file, e.g. "base_panel". path: another file of the same schema.
    Text columns hold NaN where nothing is stated. Raises UsageError for an unknown name, ScoresError (file, row,
    column, reason, mend) for a bad table.
    """
    if name not in table_names():
        raise UsageError(suggest("table", name, table_names()))
    file = Path(path) if path is not None else table_file(name)
    try:
        stamp = file.stat().st_mtime_ns
    except OSError as problem:
        raise ScoresError(f"{file}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    return _checked(name, file, stamp).copy()


@lru_cache(maxsize=64)
def _checked(name: str, file: Path, stamp: int) -> pd.DataFrame:
    del stamp  # part of the cache's key: a changed file is read again
    frame = typed(name, read_text(file), file=file)
    if passed().get(name) != digest(name, file):
        check(name, frame, file=file)
    return frame


@lru_cache(maxsize=1)
def passed() -> dict[str, str]:
    """Digests of the tables that passed all checks, by name; `python -m cape_lib.tables` writes them."""
    file = data_dir() / "checked.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def digest(name: str, file: Path) -> str:
    """SHA-256 of a file together with the description that it is checked against."""
    described = json.dumps(descriptor()[name], sort_keys=True).encode()
    return hashlib.sha256(file.read_bytes() + described).hexdigest()


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


@lru_cache(maxsize=64)
def pandera_schema(name: str) -> Any:
    """The pandera DataFrameSchema of one table, for frames whose columns have their types."""
    import pandera.pandas as pa

    table = descriptor()[name]
    columns = {field["name"]: _column(pa, field) for field in table["fields"]}
    return pa.DataFrameSchema(columns, unique=table.get("key"), strict=True, ordered=True, name=name)


def _column(pa: Any, field: dict[str, Any]) -> Any:
    checks = []
    if "minimum" in field or "maximum" in field:
        low, high = field.get("minimum", -np.inf), field.get("maximum", np.inf)
        checks.append(pa.Check.in_range(low, high, error=f"outside {low:g} to {high:g}"))
    if "exclusiveMinimum" in field:
        above = field["exclusiveMinimum"]
        checks.append(pa.Check.gt(above, error=f"not above {above:g}"))
    if "enum" in field:
        checks.append(pa.Check.isin(field["enum"], error="not one of " + ", ".join(field["enum"])))
    if "pattern" in field:
        says = field.get("pattern_says", "not in the form asked")
        checks.append(pa.Check.str_matches(field["pattern"], error=says))
        if says.startswith("not a date"):  # the form lets a thirteenth month pass
            checks.append(pa.Check(_days, error="not a day of the calendar"))
    return pa.Column(None, checks, nullable=not field.get("required", False), name=field["name"])


def _days(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, format="ISO8601", errors="coerce").notna()


def typed(name: str, text: pd.DataFrame, *, file: Path) -> pd.DataFrame:
    """A table of text cells as a frame of the described columns and types, or ScoresError with row and column.

    text: as from `read_text`, missing cells NaN.
    """
    fields = descriptor()[name]["fields"]
    expected = [field["name"] for field in fields]
    missing = [column for column in expected if column not in text.columns]
    unknown = [str(column) for column in text.columns if column not in expected]
    if missing or unknown:
        what = f"lacks column {missing[0]}" if missing else f"has an unknown column {unknown[0]}"
        raise ScoresError(f"{file}: row 1 {what}; the columns are {', '.join(expected)}")
    return pd.DataFrame({field["name"]: _typed(text, field, file) for field in fields})


def _typed(text: pd.DataFrame, field: dict[str, Any], file: Path) -> pd.Series:
    column: pd.Series = text[field["name"]]
    kind, required = field["type"], field.get("required", False)
    if kind == "string":
        return column
    if kind == "boolean":
        _refuse(column.notna() & ~column.isin(["true", "false"]), column, file, "is neither true nor false")
        return column.map({"true": True, "false": False}).astype("bool" if required else "boolean")
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    _refuse(column.notna() & ~np.isfinite(values), column, file, "is not a number")
    if kind == "integer":
        _refuse(values.notna() & (values % 1 != 0), column, file, "is not a whole number")
        return values.astype("int64") if required and values.notna().all() else values
    return values


def _refuse(bad: pd.Series, column: pd.Series, file: Path, reason: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        where = f"{file}: row {row + ROWS_ABOVE_DATA}, column {column.name}"
        raise ScoresError(f"{where}: {column.iloc[row]!r} {reason}; correct the cell")


def check(name: str, frame: pd.DataFrame, *, file: Path) -> None:
    """Ranges, enumerations, keys and the rules over several cells; ScoresError names file, row, column, next step."""
    import pandera.pandas as pa

    try:
        pandera_schema(name).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as problem:
        raise _first_failure(name, file, frame, problem.failure_cases) from None
    for rule in descriptor()[name].get("rules", []):
        if (broken := _broken(rule, frame)) is not None:
            row, reason = broken
            raise ScoresError(f"{file}: row {row + ROWS_ABOVE_DATA}, column {rule['column']}: {reason}")


def _broken(rule: dict[str, Any], frame: pd.DataFrame) -> tuple[int, str] | None:
    """The first row that breaks a rule over several cells, and what the rule says of it; None where none does.

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
    if not bad.any():
        return None
    at = int(bad.argmax())
    row = int(str(rows.index[at]))
    return row, rule["says"].format(cell=column.iloc[at], above=above.iloc[at], **frame.iloc[row])


def _first_failure(name: str, file: Path, frame: pd.DataFrame, cases: pd.DataFrame) -> ScoresError:
    cases = cases[cases["index"].notna()].sort_values("index", kind="stable")
    if cases.empty:
        return ScoresError(f"{file}: does not fit the schema of {name}; see schema.json beside it")
    case = cases.iloc[0]
    where = f"{file}: row {int(case['index']) + ROWS_ABOVE_DATA}"
    if str(case["check"]) == "not_nullable":
        return ScoresError(f"{where}, column {case['column']}: is blank; give a value")
    if "unique" in str(case["check"]):
        key = descriptor()[name]["key"]
        values = ", ".join(str(value) for value in frame.loc[case["index"], key].fillna("blank"))
        return ScoresError(f"{where}, column {key[0]}: the key ({', '.join(key)}) stands twice: {values}; keep one row")
    cell = case["failure_case"]
    shown = repr(cell) if isinstance(cell, str) else f"{cell:g}"
    return ScoresError(f"{where}, column {case['column']}: {shown} is {case['check']}; correct the cell")
