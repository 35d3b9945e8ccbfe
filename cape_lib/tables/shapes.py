"""Tables that stand another way: one column a model, or one row a score; turned to one row a model."""

from __future__ import annotations

from dataclasses import replace

from cape_lib.tables.columns import MEASURES, TEXT, heading, is_score, plain, table
from cape_lib.tables.layout import models_only
from cape_lib.tables.numbers import to_number
from cape_lib.tables.sheets import Sheet

_BENCHMARK = ("benchmark", "task", "dataset", "eval", "evaluation", "metric", "test", "task_name", "benchmark_name")
_SCORE = ("score", "value", "result", "accuracy", "acc", "percent", "performance", "score_percent")


def upright(sheet: Sheet) -> Sheet:
    """The sheet with one row a model, and a note where it had to be turned or rows were passed over."""
    turned = _turned(sheet)
    keep, families, notes = models_only(turned.columns, turned.cells)
    cells = [turned.cells[at] for at in keep]
    columns = turned.columns
    if families:
        columns, cells = [*columns, "family"], [[*row, family] for row, family in zip(cells, families, strict=True)]
    return replace(turned, columns=columns, cells=cells, rows=[turned.rows[at] for at in keep]).noting(*notes)


def _turned(sheet: Sheet) -> Sheet:
    if named := _leaderboard_v2(sheet):
        return named.noting("read as a table of the Open LLM Leaderboard v2: raw and normalised scores are named apart")
    if turned := _from_long(sheet):
        return turned.noting("read as a long table: one row a score")
    if turned := _transposed(sheet):
        return turned.noting("read as a transposed table: one column a model")
    return sheet


def _leaderboard_v2(sheet: Sheet) -> Sheet | None:
    """The sheet with "BBH" as bbh_normalised and the fractions of "BBH Raw" as percent in bbh_raw."""
    heads = [plain(column) for column in sheet.columns]
    raw = [at for at, head in enumerate(heads) if head.endswith("_raw") and head.removesuffix("_raw") in heads]
    if len(raw) < 2:
        return None
    bases = {heads[at].removesuffix("_raw") for at in raw}
    columns = [
        heads[i] if i in raw else f"{heads[i]}_normalised" if heads[i] in bases else column
        for i, column in enumerate(sheet.columns)
    ]
    cells = [
        [_hundredfold(cell, sheet.decimal_comma) if i in raw else cell for i, cell in enumerate(row)]
        for row in sheet.cells
    ]
    return replace(sheet, columns=columns, cells=cells)


def _hundredfold(cell: str, decimal_comma: bool) -> str:
    value = to_number(cell, decimal_comma=decimal_comma)
    return cell if value is None or value > 1 else f"{100 * value:.10g}"


def _from_long(sheet: Sheet) -> Sheet | None:
    heads = [plain(column) for column in sheet.columns]
    names = [heading(column).name for column in sheet.columns]
    at_benchmark = next((heads.index(word) for word in _BENCHMARK if word in heads), None)
    at_score = next((heads.index(word) for word in _SCORE if word in heads), None)
    if at_benchmark is None or at_score is None or at_benchmark == at_score or "model" not in names:
        return None
    if any(_benchmark(name) for name in names):
        return None
    at_model = names.index("model")
    at_error = next((i for i, word in enumerate(heads) if word in table()["endings"]["stderr"]), None)
    beside = [i for i in range(len(names)) if i not in (at_benchmark, at_score, at_error) and heads[i] != "metric"]
    benchmarks = list(dict.fromkeys(row[at_benchmark] for row in sheet.cells if row[at_benchmark]))
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    first: dict[tuple[str, ...], int] = {}
    for position, row in enumerate(sheet.cells):
        # Several runs of a model differ in a further column: each keeps its own row.
        key = tuple(row[i] for i in beside)
        if not row[at_benchmark]:
            raise sheet.refusal(position, sheet.columns[at_benchmark], "is blank; name the benchmark of this score")
        cells = rows.setdefault(key, {sheet.columns[i]: row[i] for i in beside})
        first.setdefault(key, position)
        if row[at_benchmark] in cells:
            told = f"{row[at_model]!r} has a score in {row[at_benchmark]!r} already; keep one row"
            raise sheet.refusal(position, sheet.columns[at_benchmark], told)
        cells[row[at_benchmark]] = row[at_score]
        if at_error is not None:
            cells[f"{row[at_benchmark]}_stderr"] = row[at_error]
    errors = [f"{name}_stderr" for name in benchmarks] if at_error is not None else []
    columns = [*(sheet.columns[i] for i in beside), *benchmarks, *errors]
    cells_of = [[row.get(column, "") for column in columns] for row in rows.values()]
    return replace(sheet, columns=columns, cells=cells_of, rows=[sheet.rows[first[key]] for key in rows])


def _transposed(sheet: Sheet) -> Sheet | None:
    names = [heading(column) for column in sheet.columns]
    if any(name.known and name.name != "model" for name in names[1:]):
        return None
    down = [row[0] for row in sheet.cells]
    known = [name for name in down if heading(name).known and heading(name).name != "model"]
    if len(known) < 2 or len(known) < len(down) / 2 or len(set(down)) < len(down):
        return None
    columns = ["model", *down]
    cells = [[sheet.columns[i], *(row[i] for row in sheet.cells)] for i in range(1, len(sheet.columns))]
    return replace(sheet, columns=columns, cells=cells, rows=list(range(2, len(cells) + 2)))


def _benchmark(name: str) -> bool:
    return heading(name).known and name not in TEXT | MEASURES and is_score(name)
