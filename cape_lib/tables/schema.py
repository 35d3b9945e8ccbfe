"""Checks every table of `data/` with pandera, by the descriptions in `data/schema.json`."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError
from cape_lib.tables.checks import CHECKS
from cape_lib.tables.files import data_dir

ROWS_ABOVE_DATA = 2  # a spreadsheet's first row is 1 and holds the names


@lru_cache(maxsize=1)
def descriptor() -> dict[str, dict[str, Any]]:
    """`data/schema.json`: table name -> title, key, rows, fields (name, type, unit, description, constraints)."""
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

    text: as from `files.read_text`, missing cells NaN.
    """
    fields = descriptor()[name]["fields"]
    expected = [field["name"] for field in fields]
    missing = [column for column in expected if column not in text.columns]
    unknown = [str(column) for column in text.columns if column not in expected]
    if missing or unknown:
        what = f"lacks column {missing[0]}" if missing else f"has an unknown column {unknown[0]}"
        raise ScoresError(f"{file}: row 1 {what}; the columns are {', '.join(expected)}")
    return pd.DataFrame({field["name"]: _typed(text, field, file) for field in fields})


def check(name: str, frame: pd.DataFrame, *, file: Path) -> None:
    """Ranges, enumerations, keys and the checks over several cells; ScoresError names file, row, column and mend."""
    import pandera.pandas as pa

    try:
        pandera_schema(name).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as problem:
        raise _first_failure(name, file, frame, problem.failure_cases) from None
    finding = CHECKS[name](frame) if name in CHECKS else None
    if finding is not None:
        row, column, reason = finding
        raise ScoresError(f"{file}: row {row + ROWS_ABOVE_DATA}, column {column}: {reason}")


def _typed(text: pd.DataFrame, field: dict[str, Any], file: Path) -> pd.Series:
    column: pd.Series = text[field["name"]]
    kind: str = field["type"]
    if kind == "string":
        return column
    if kind == "boolean":
        bad = column.notna() & ~column.isin(["true", "false"])
        _refuse(bad, column, file, "is neither true nor false")
        values = column.map({"true": True, "false": False})
        return values.astype("bool" if field.get("required") else "boolean")
    values = pd.to_numeric(column, errors="coerce")
    _refuse(column.notna() & ~np.isfinite(values.astype(float)), column, file, "is not a number")
    if kind == "integer":
        _refuse(values.notna() & (values % 1 != 0), column, file, "is not a whole number")
        return values.astype("int64" if field.get("required") and values.notna().all() else "float64")
    return values.astype("float64")


def _refuse(bad: pd.Series, column: pd.Series, file: Path, reason: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad.to_numpy())[0])
        where = f"{file}: row {row + ROWS_ABOVE_DATA}, column {column.name}"
        raise ScoresError(f"{where}: {column.iloc[row]!r} {reason}; mend the cell")


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
        said = ", ".join(str(value) for value in frame.loc[case["index"], key].fillna("blank"))
        return ScoresError(f"{where}, column {key[0]}: the key ({', '.join(key)}) stands twice: {said}; keep one row")
    found = case["failure_case"]
    said = repr(found) if isinstance(found, str) else f"{found:g}"
    return ScoresError(f"{where}, column {case['column']}: {said} is {case['check']}; mend the cell")
