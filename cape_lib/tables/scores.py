"""A user's own scores, refused with file, row, column, reason and mend wherever they cannot be right."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, ScoresError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, FRONTIER_BENCHMARKS, LABELS
from cape_lib.tables.delimited import Sheet, is_blank, read_sheet, to_number
from cape_lib.tables.score_checks import (
    MEASURES,
    check_measures,
    check_models,
    check_percent,
    check_protocols,
    check_stderr,
)

TEXT = {"model", "family", "lab", "release_date", "truthfulqa_metric", "training", "note", "source", "ladder"}


def read_scores(
    source: str | Path | pd.DataFrame, *, x: str | None = None, y: str | None = None, allow_mixed: bool = False
) -> pd.DataFrame:
    """Scores of one's own models, checked: one row a model, scores in percent (0-100), params_b in billions.

    source: a CSV file (comma, semicolon or tab; decimal commas with the latter two) or a frame with columns `model`,
    `params_b` and benchmarks by name; `family`, `d_model`, `release_date`, `<benchmark>_stderr` (points) and
    `<benchmark>_protocol` are optional, and any further column of numbers is a benchmark. params_b may be missing
    where x and y are frontier benchmarks. x, y: benchmarks that must be there in every row.
    allow_mixed: accept scores of several protocols in one column.
    Raises ScoresError (a value that cannot be right), MissingError (a column that is needed), MixedProtocolError.
    """
    sheet = read_sheet(source)
    columns = _columns(sheet)
    named = [known_name(name) for name in (x, y) if name is not None]
    _need(sheet, columns, named)
    frame = pd.DataFrame({name: _column(sheet, index, name, named) for index, name in enumerate(columns)})
    check_models(sheet, frame)
    benchmarks = score_benchmarks(frame)
    check_measures(sheet, frame, sizes_needed=not set(benchmarks) & set(FRONTIER_BENCHMARKS))
    for benchmark in named:
        if benchmark not in benchmarks:
            raise ScoresError(f"{sheet.name}: column {benchmark} holds no score; give percent, 0 to 100")
    for benchmark in benchmarks:
        check_percent(sheet, frame[benchmark], needed=benchmark in named)
        check_stderr(sheet, frame, benchmark)
    if not allow_mixed:
        check_protocols(sheet, frame, named or benchmarks)
    return frame


def score_benchmarks(frame: pd.DataFrame) -> list[str]:
    """Benchmarks of a table of scores, in column order: its columns of numbers that are no measure or error."""
    return [
        str(name)
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name]) and name not in MEASURES and not str(name).endswith("_stderr")
    ]


def known_name(name: str) -> str:
    """A column name in our spelling where it is one of ours ("ARC-Challenge"), else as it stands."""
    plain = re.sub(r"[\s\-]+", "_", name.strip()).casefold()
    stem = re.sub(r"_(stderr|protocol)$", "", plain)
    return plain if stem in {*LABELS, *TEXT, *MEASURES} else name.strip()


def _columns(sheet: Sheet) -> list[str]:
    columns = [known_name(name) for name in sheet.columns]
    for position, name in enumerate(columns):
        if name in columns[:position]:
            raise ScoresError(f"{sheet.name}: row 1, column {name} stands twice; keep one of the two")
    return columns


def _need(sheet: Sheet, columns: list[str], named: list[str]) -> None:
    if "model" not in columns:
        raise MissingError(f"{sheet.name}: row 1 has no column model; name each row's model in one")
    for benchmark in named:
        if benchmark not in columns:
            others = [column for column in columns if column not in {*TEXT, *MEASURES}]
            raise MissingError(f"{sheet.name}: {suggest('benchmark', benchmark, others)}; add a column {benchmark}")
    wanted = set(named or columns)
    of_frontier, of_base = wanted & set(FRONTIER_BENCHMARKS), wanted & set(BASE_BENCHMARKS)
    without_sizes = of_frontier == wanted if named else bool(of_frontier) and not of_base
    if "params_b" not in columns and not without_sizes:
        raise MissingError(f"{sheet.name}: row 1 has no column params_b; give the sizes in billions of parameters")


def _column(sheet: Sheet, index: int, name: str, named: list[str]) -> pd.Series:
    cells = [row[index] for row in sheet.cells]
    given = [position for position, cell in enumerate(cells) if not is_blank(cell)]
    numbers = {position: to_number(cells[position], decimal_comma=sheet.decimal_comma) for position in given}
    bad = [position for position, number in numbers.items() if number is None]
    text = name in TEXT or name.endswith("_protocol")
    numeric = name in {*LABELS, *MEASURES, *named} or name.endswith("_stderr") or len(bad) < len(given) / 2
    if text or (bad and not numeric):
        filled: list[object] = [cells[position] if position in numbers else np.nan for position in range(len(cells))]
        return pd.Series(filled, dtype=object)
    if bad:
        cell = cells[bad[0]]
        mend = "write the decimals with a point" if re.match(r"^\d+,\d+$", cell) else "give a number or leave it blank"
        raise sheet.refusal(bad[0], name, f"{cell!r} is not a number; {mend}")
    values = [numbers.get(position) for position in range(len(cells))]
    return pd.Series([np.nan if value is None else value for value in values], dtype="float64")
