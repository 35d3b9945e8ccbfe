"""A user's scores as one checked table, refused with file, row, column, reason and next step where they are wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.tables import score_checks as checks
from cape_lib.tables.axes import PARAMS, Axis, axis_named, is_training, place
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, FRONTIER_BENCHMARKS, GUESSABLE, LABELS, PAIRS
from cape_lib.tables.columns import (
    MEASURES,
    TEXT,
    TWO_NUMBERS,
    WITH_ENDS,
    Cell,
    Heading,
    heading,
    is_blank,
    is_score,
    known_name,
    plain,
    table,
    to_count,
    to_number,
    to_score,
    to_size,
    to_sizes,
)
from cape_lib.tables.model_names import run_in_name, size_in_name
from cape_lib.tables.sheets import Sheet, read_sheet, upright

FORMAT = "cape-scores-1"
#: how the name of a file ends that holds a table checked already
STORED = ".checked.json"


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a person may say of a table: `unit` of its scores, which `size`, the sign `sep`, and what makes a family.

    by: columns whose values together name the family; family_from: a regular expression that finds it in the name;
    axis: what an analysis goes along, one of `axes.NAMES` or a column; batch_tokens: training tokens of a step.
    """

    unit: Literal["percent", "fraction"] | None = None
    size: Literal["total", "active"] = "total"
    sep: str | None = None
    by: tuple[str, ...] = ()
    family_from: str | None = None
    axis: str = "params"
    batch_tokens: float | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """A checked table: `frame` (one row a model, percent, billions), what the person should know, what was allowed.

    name: the file; has_families: whether the table itself tells its families; size: which parameters params_b counts;
    axis: what an analysis of it goes along.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    name: str = "the table"
    allow_mixed: bool = False
    has_families: bool = True
    size: str = "total"
    axis: Axis = PARAMS

    def of(self, frame: pd.DataFrame, *notes: str) -> Scores:
        """The same table with other rows or columns, and further notes."""
        return replace(self, frame=frame, notes=(*self.notes, *notes))


def check_scores(
    source: str | Path | pd.DataFrame | Sheet,
    *,
    pair: Sequence[str] = (),
    options: TableOptions | None = None,
    allow_mixed: bool = False,
) -> Scores:
    """A table of scores, checked once: every later step takes the object that this returns.

    source: a file (CSV, TSV, Markdown, JSON, .xlsx, .parquet), a frame or a sheet. pair: the two benchmarks that the
    question is about; they have to be right, and what is wrong with any other column is a note. Without a pair
    HellaSwag and TruthfulQA, SWE-bench and GPQA are strict. Whether the scores of one family may be compared is told by
    `score_checks.refuse_mixed`. Raises ScoresError, MissingError, UsageError.
    """
    options = options or TableOptions()
    sheet = upright(source if isinstance(source, Sheet) else read_sheet(source, sep=options.sep))
    if is_training(axis_named(options.axis)):
        sheet = _one_run(sheet)
    heads, notes = _columns(sheet)
    named = [known_name(name) for name in pair]
    axis = axis_named(next((head.name for head in heads if head.name == options.axis.strip()), options.axis))
    _need(sheet, [head.name for head in heads], named, sized=axis.by_size)
    strict = named or [name for two in PAIRS for name in two]
    along = [axis.column, *(["pretrain_tokens_b"] if axis.column == "tokens_b" else [])]
    columns = [_column(sheet, index, head, [*strict, *along]) for index, head in enumerate(heads)]
    frame = pd.DataFrame({head.name: cells["value"] for head, (cells, _) in zip(heads, columns, strict=True)})
    percent: set[str] = set()
    for head, (cells, more) in zip(heads, columns, strict=True):
        notes += more
        # A sheet that shows 50.5 % holds 0.505: where guessing alone gives more, a head with % is not enough.
        headed = head.percent and not (head.name in GUESSABLE and (frame[head.name].dropna() <= 1).all())
        if headed or cells.get("percent", pd.Series()).eq(True).any():
            percent.add(head.name)
        for part, name in (("active", "active_params_b"), ("stderr", f"{head.name}_stderr")):
            if part in cells and cells[part].notna().any() and name not in frame:
                frame[name] = cells[part].astype(float)
                notes += [f"{head.name}: the number after ± is read as its standard error"] * (part == "stderr")
        if head.shots and head.known and f"{head.name}_protocol" not in frame:
            frame[f"{head.name}_protocol"] = pd.Series(head.shots, index=frame.index, dtype=object)
    has_families, grouped = _families(sheet, frame, options, axis)
    benchmarks = [name for name in score_benchmarks(frame) if name != axis.column]
    of_base = bool(pair or set(benchmarks) - set(FRONTIER_BENCHMARKS)) and not set(strict) <= set(FRONTIER_BENCHMARKS)
    notes += checks.check_models(sheet, frame, apart=axis.column, dated=axis.name == "date" or not of_base)
    notes += grouped + checks.check_measures(sheet, frame, strict=of_base and axis.by_size)
    if lacking := [name for name in named if name not in benchmarks]:
        raise ScoresError(f"{sheet.name}: column {lacking[0]} holds no score; give percent, 0 to 100")
    notes += checks.check_units(sheet, frame, benchmarks, unit=options.unit, percent=percent, strict=strict)
    for benchmark in benchmarks:
        notes += checks.check_score(sheet, frame, benchmark, strict=strict, needed=named)
    if axis.by_size:
        notes += checks.choose_size(sheet, frame, options.size)
    frame, axis, placed = place(sheet, frame, axis, batch_tokens=options.batch_tokens)
    return Scores(frame, (*sheet.notes, *notes, *placed), sheet.name, allow_mixed, has_families, options.size, axis)


def _one_run(sheet: Sheet) -> Sheet:
    """A sheet of checkpoints as training logs have them: the moments of training in the names of the models.

    A column of revisions ("step1000") is joined to the names; without a column model the file names the one run.
    """
    names, cells, notes = [heading(column).name for column in sheet.columns], sheet.cells.copy(), []
    if "model" not in names:
        run = Path(sheet.name).stem
        notes.append(f"no column model: the rows are taken for one run, {run}")
        cells.insert(0, "model", run)
        names = ["model", *names]
    if "revision" in names:
        at = names.index("model")
        both = zip(cells.iloc[:, at], cells.iloc[:, names.index("revision")], strict=True)
        cells.isetitem(at, [f"{model}@{moment}" if moment not in model else model for model, moment in both])
    return sheet.of(cells, *notes)


def read_scores(
    source: str | Path | pd.DataFrame,
    *,
    x: str | None = None,
    y: str | None = None,
    allow_mixed: bool = False,
    axis: str = "params",
) -> pd.DataFrame:
    """Your own models' scores, checked: one row a model, scores in percent (0-100), params_b in billions.

    source: a file (CSV, TSV, Markdown, JSON, .xlsx, .parquet; the names of columns may be spelt in the usual ways) or
    a frame with columns `model`, `params_b` and benchmarks; `family`, `d_model`, `release_date`, `<benchmark>_stderr`
    (points) and `<benchmark>_protocol` are optional, and any further column of numbers is a benchmark. params_b may be
    missing where x and y are frontier benchmarks. x, y: benchmarks that must be there in every row.
    allow_mixed: accept scores of several protocols in one column. axis: what an analysis goes along; its column is
    there and filled.
    Raises ScoresError (a value that cannot be right), MissingError (a column that is needed), MixedProtocolError.
    """
    if (stored := read_checked(source)) is not None:
        return stored.frame
    pair = [name for name in (x, y) if name is not None]
    scores = check_scores(source, pair=pair, options=TableOptions(axis=axis), allow_mixed=allow_mixed)
    if not allow_mixed:
        named = [known_name(name) for name in pair] or score_benchmarks(scores.frame)
        for _, rows in scores.frame.groupby("family", sort=False):
            checks.refuse_mixed(rows, named, name=scores.name, kinds=bool(rows["params_b"].notna().any()))
    return scores.frame


def write_checked(scores: Scores, path: Path) -> None:
    """Write a checked table so that `read_checked` gives the same object again, nothing being judged a second time.

    path: its name ends in `STORED`.
    """
    kinds = {str(name): str(dtype) for name, dtype in scores.frame.dtypes.items()}
    rows = scores.frame.astype(object).where(scores.frame.notna(), None).to_dict("list")
    about = {"format": FORMAT, "notes": scores.notes, "name": scores.name, "size": scores.size}
    about |= {"axis": scores.axis.name, "scale": scores.axis.scale}
    path.write_text(json.dumps(about | {"kinds": kinds, "columns": rows}, allow_nan=False, default=str), "utf-8")


def read_checked(source: object) -> Scores | None:
    """The table that `write_checked` wrote, or None where the source is no such file. ScoresError if it is broken."""
    if not isinstance(source, (str, Path)) or not str(source).endswith(STORED):
        return None
    try:
        stored = json.loads(Path(source).read_text("utf-8"))
        kinds = {name: kind if kind in ("float64", "bool") else "object" for name, kind in stored["kinds"].items()}
        frame = pd.DataFrame({name: pd.Series(values, dtype="object") for name, values in stored["columns"].items()})
        frame = frame.where(frame.notna(), np.nan).astype(kinds)
        axis = replace(axis_named(str(stored["axis"])), scale=stored["scale"])
        notes, name = tuple(map(str, stored["notes"])), str(stored["name"])
        if stored["format"] == FORMAT and len(frame) and {"model", "params_b", "family"} <= set(frame):
            return Scores(frame, notes, name, True, True, str(stored["size"]), axis)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ScoresError(f"{source}: not a checked table of cape; give the table itself")


def score_benchmarks(frame: pd.DataFrame) -> list[str]:
    """Benchmarks of a table of scores, in column order: its columns of numbers from 0 to 100 that are no measure."""
    return [
        str(name)
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name])
        and is_score(str(name))
        and (str(name) in LABELS or not (frame[name].dropna().lt(0) | frame[name].dropna().gt(100)).any())
    ]


def _columns(sheet: Sheet) -> tuple[list[Heading], list[str]]:
    """The meaning of every column; of two heads for one our own spelling wins; two of a benchmark are refused."""
    heads = [heading(name) for name in sheet.columns]
    notes: list[str] = []
    for name in dict.fromkeys(head.name for head in heads):
        same = [at for at, head in enumerate(heads) if head.name == name]
        if len(same) < 2:
            continue
        texts = {at: plain(sheet.columns[at]) for at in same}
        exact = [at for at in same if heads[at].exact]
        normed = [at for at in same if "acc_norm" in texts[at]]
        if len(normed) == 1 and all("acc" in text.split("_") for text in texts.values()):
            wins = normed
            notes.append(f"{name}: read from {sheet.columns[normed[0]]}, the normalised accuracy")
        elif name in TEXT | MEASURES and len(exact) == 1 and heads[same[0]].known:
            wins = exact
            others = [sheet.columns[at] for at in same if at not in exact]
            notes += [f"column {other} is not read as {name}, for there is a column {name}" for other in others]
        else:
            one, other = (sheet.columns[at] for at in same[:2])
            both = f"column {name} stands twice" if one == other else f"columns {one} and {other} are both {name}"
            raise ScoresError(f"{sheet.name}: row 1, {both}; keep one of the two")
        for at in set(same) - set(wins):
            heads[at] = Heading(sheet.columns[at], False)
    return heads, notes


def _need(sheet: Sheet, columns: list[str], named: list[str], *, sized: bool = True) -> None:
    """Raise MissingError where a column that the question needs is not there."""
    models = sheet.cells.iloc[:, columns.index("model")] if "model" in columns else None
    if models is None:
        number = sheet.cells.head(20).map(partial(to_number, decimal_comma=False))
        texts = [name for name, none in zip(sheet.columns, number.isna().all(), strict=True) if none]
        texts = [name for name in texts if not heading(name).known]
        likely = f"; likely {', '.join(map(repr, texts[:3]))}" if texts else ""
        raise MissingError(f"{sheet.name}: row 1 has no column model{likely}; name each row's model in one")
    if lacking := [benchmark for benchmark in named if benchmark not in columns]:
        others = [column for column in columns if column not in TEXT | MEASURES]
        raise MissingError(f"{sheet.name}: {suggest('benchmark', lacking[0], others)}; add a column {lacking[0]}")
    wanted = set(named or columns)
    of_frontier = wanted & set(FRONTIER_BENCHMARKS)
    without_sizes = of_frontier == wanted if named else bool(of_frontier) and not wanted & set(BASE_BENCHMARKS)
    if sized and "params_b" not in columns and not without_sizes:
        others = [name for name in columns if re.search(r"size|param|bill", name, re.IGNORECASE)]
        likely = f"; likely {', '.join(map(repr, others[:3]))}" if others else ""
        step = "give the sizes in billions of parameters"
        if models is not None and (sizes := models.map(size_in_name)).notna().all():
            step = f"add one, in billions; by their names the sizes are {', '.join(f'{size:g}' for size in sizes[:4])}"
            step += " ..." * (len(sizes) > 4)
        raise MissingError(f"{sheet.name}: row 1 has no column params_b{likely}; {step}")


def _column(sheet: Sheet, index: int, head: Heading, strict: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """One column: what each of its cells says (the fields of `Cell`, of text the value alone), and notes.

    A cell that is no number is refused where it matters, else the column is text.
    """
    name, comma = head.name, sheet.decimal_comma
    text = sheet.cells.iloc[:, index].reset_index(drop=True).astype(object)
    text = text.where(~text.map(is_blank), np.nan)
    if name in TEXT or name.endswith("_protocol"):
        return text.to_frame("value"), []
    count = name in table()["count_columns"]
    read: Callable[[str], Cell | float | None]
    if name == "params_b":
        read = partial(to_sizes, decimal_comma=comma, scale=head.scale)
    elif name in table()["unit_columns"] or name == "tokens_b":
        read = partial(to_size, decimal_comma=comma, scale=head.scale, count=count)
    elif name == "step":
        read = partial(to_count, decimal_comma=comma)
    else:
        read = partial(to_score, decimal_comma=comma, count=count)
    numbers = {at: read(cell) for at, cell in text.dropna().items()}
    bad = [int(str(at)) for at, cell in numbers.items() if cell is None]
    if not bad:
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in numbers.values() if cell is not None]
        columns = pd.DataFrame(cells, index=list(numbers), columns=Cell._fields).reindex(text.index)
        return columns.astype({"value": float}), []
    cell = text[bad[0]]
    if name.removesuffix("_stderr") in strict:
        step = "write the decimals with a point" if re.match(r"^\d+,\d+$", cell) else "give a number or leave it blank"
        if two := TWO_NUMBERS.match(cell):
            step = f"it holds two; write {two[1]} ± {two[2]} if the second is its standard error, else leave it out"
            step = "it holds a difference too; leave that out" if two[2][0] in "+-" else step
        if WITH_ENDS.match(cell):
            step = f"it holds an interval too; write {cell.split()[0]} ± its standard error, or leave the interval out"
        if re.match(r"^\d+\s*[x×]\s*\d", cell) and name == "params_b":
            step = "experts share parameters; give their total in billions (Mixtral 8x7B has 46.7)"
        raise sheet.refusal(bad[0], name, f"{cell!r} is not a number; {step}")
    note = f"{sheet.place(bad[0], name)}: {cell!r} is not a number; the column is not read as scores"
    return text.to_frame("value"), [note] if head.known or len(bad) < text.notna().sum() / 2 else []


def _families(sheet: Sheet, frame: pd.DataFrame, options: TableOptions, axis: Axis) -> tuple[bool, list[str]]:
    """Fill the column family by what the person asked for; whether the table tells its families, and notes.

    Along training a family is a run: without a column family, and by `model`, the name without its moment of training.
    A regular expression gives its first group that is filled, else all that it matches. Of merged cells each family is
    named in its first row alone.
    """
    runs = frame["model"].map(run_in_name, na_action="ignore") if is_training(axis) else frame["model"]
    notes = []
    if options.by:
        frame["family"] = by_columns(frame.assign(model=runs), options.by)
    elif options.family_from is not None:
        try:
            form = re.compile(options.family_from)
        except re.error as problem:
            reason = f"no regular expression ({problem}); mark the family by (...)"
            raise UsageError(f"--family-from {options.family_from!r}: {reason}") from None
        matches = frame["model"].fillna("").astype(str).map(form.search)
        families = matches.map(lambda match: match and next(filter(None, match.groups()), match[0]))
        says = "--family-from finds no family in {!r}; widen the expression"
        sheet.refuse(families.isna() | families.eq(""), "model", says, frame["model"].fillna(""))
        frame["family"] = families.astype(object)
    elif "family" in frame and frame["family"].notna().any():
        spelling: dict[str, str] = {}
        frame["family"] = frame["family"].map(lambda f: spelling.setdefault(f.casefold(), f), na_action="ignore")
        named = frame["family"].dropna()
        if pd.notna(frame["family"].iloc[0]) and named.is_unique and 1 < len(named) < len(frame):
            frame["family"] = frame["family"].ffill()
            notes.append(f"family: blank in {len(frame) - len(named)} rows, read as that of the row above")
    elif is_training(axis) and runs.duplicated().any() and runs.nunique() > 1:
        frame["family"] = runs
    else:
        return False, []
    return True, notes


def by_columns(frame: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """The values of columns `by` of each row, joined: what makes a family. Raises UsageError, ScoresError."""
    names = []
    for name in by:
        known = name if name in frame else known_name(name)
        if known not in frame:
            texts = [str(c) for c in frame if not pd.api.types.is_float_dtype(frame[c])]
            raise UsageError(f"--by: {suggest('column', name, texts or map(str, frame.columns))}")
        names.append(known)
        if frame[known].isna().any():
            model = frame.loc[frame[known].isna(), "model"].iloc[0]
            raise ScoresError(f"column {known}: blank for {model}; give every model one, or split by another column")
    return frame[names].astype(str).agg(" ".join, axis=1).astype(object)
