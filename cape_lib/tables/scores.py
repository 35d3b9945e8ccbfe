"""A user's scores as one checked table, refused with file, row, column, reason and next step where they are wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, ScoresError, UsageError
from cape_lib.names import listed, suggest
from cape_lib.tables import columns, model_names
from cape_lib.tables.axes import NO_DATE, PARAMS, Axis, axis_named, is_training, place
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, CHANCE, FRONTIER_BENCHMARKS, LABELS, PAIRS, label
from cape_lib.tables.columns import MEASURES, TEXT, Cell, Heading, heading, known_name
from cape_lib.tables.sheets import Sheet, read_sheet, upright

FORMAT = "cape-scores-1"
#: how the name of a file ends that holds a table checked already
STORED = ".checked.json"
UNNAMED_FAMILY = "your models"
LARGEST_PARAMS_B = 10_000
#: a bare size from here on is a count of parameters: no model has so many billions
RAW_COUNT = 100_000
DATE = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
#: columns that tell two rows of one model apart
_APART = ("seed", "recipe", "training", "ladder", "step", "pretrain_tokens_b", "tokens_b", "flops_1e21", "instruct")


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
    `refuse_mixed`. Raises ScoresError, MissingError, UsageError.
    """
    options = options or TableOptions()
    sheet = upright(source if isinstance(source, Sheet) else read_sheet(source, sep=options.sep))
    axis = axis_named(options.axis)
    if is_training(axis):
        sheet = _one_run(sheet)
    heads, notes = _headings(sheet)
    names, named = [head.name for head in heads], [known_name(name) for name in pair]
    _need(sheet, names, named, sized=axis.by_size)
    strict = named or [name for two in PAIRS for name in two]
    along = [axis.column] + ["pretrain_tokens_b"] * (axis.column == "tokens_b")
    along += ["active_params_b"] * (options.size == "active")
    percent: set[str] = set()
    values: dict[str, pd.Series] = {}
    beside: dict[str, pd.Series] = {}
    for at, head in enumerate(heads):
        name = head.name
        cells, more = _column(sheet, at, head, [*strict, *along])
        notes += more
        values[name] = cells["value"]
        # A sheet that shows 50.5 % holds 0.505: where guessing alone gives more, a head with % is not enough.
        above = pd.to_numeric(cells["value"], errors="coerce").gt(1).any()
        if (head.percent and (above or name not in CHANCE)) or cells["percent"].eq(True).any():
            percent.add(name)
        for part, own in (("active", "active_params_b"), ("stderr", f"{name}_stderr")):
            if cells[part].notna().any() and own not in names:
                beside[own] = cells[part].astype(float)
                notes += [f"{name}: the number after ± is read as its standard error"] * (part == "stderr")
        if head.shots and head.known and f"{name}_protocol" not in names:
            beside[f"{name}_protocol"] = pd.Series(head.shots, index=cells.index, dtype=object)
    frame = pd.DataFrame(values | beside)
    has_families, grouped = _families(sheet, frame, options, axis)
    benchmarks = [name for name in score_benchmarks(frame) if name != axis.column]
    of_base = bool(pair or set(benchmarks) - set(FRONTIER_BENCHMARKS)) and not set(strict) <= set(FRONTIER_BENCHMARKS)
    notes += _check_models(sheet, frame, apart=axis.column, dated=axis.name == "date" or not of_base)
    notes += grouped + _check_measures(sheet, frame, strict=of_base and axis.by_size)
    if lacking := [name for name in named if name not in benchmarks]:
        raise ScoresError(f"{sheet.name}: column {lacking[0]} holds no score; give percent, 0 to 100")
    notes += _check_units(sheet, frame, benchmarks, unit=options.unit, percent=percent, strict=strict)
    for benchmark in benchmarks:
        notes += _check_score(sheet, frame, benchmark, strict=strict, needed=named)
    if axis.by_size:
        notes += _choose_size(sheet, frame, options.size)
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


def _headings(sheet: Sheet) -> tuple[list[Heading], list[str]]:
    """The meaning of every column; of two heads for one our own spelling wins; two of a benchmark are refused."""
    heads = [heading(name) for name in sheet.columns]
    notes: list[str] = []
    for name in dict.fromkeys(head.name for head in heads):
        same = [at for at, head in enumerate(heads) if head.name == name]
        if len(same) < 2:
            continue
        texts = {at: columns.plain(sheet.columns[at]) for at in same}
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


def _need(sheet: Sheet, names: list[str], named: list[str], *, sized: bool = True) -> None:
    """Raise MissingError where a column that the question needs is not there."""
    models = sheet.cells.iloc[:, names.index("model")] if "model" in names else None
    if models is None:
        number = sheet.cells.head(20).map(partial(columns.to_number, decimal_comma=False))
        texts = [name for name, none in zip(sheet.columns, number.isna().all(), strict=True) if none]
        texts = [name for name in texts if not heading(name).known]
        likely = f"; likely {', '.join(map(repr, texts[:3]))}" if texts else ""
        raise MissingError(f"{sheet.name}: row 1 has no column model{likely}; name each row's model in one")
    if lacking := [benchmark for benchmark in named if benchmark not in names]:
        others = [column for column in names if column not in TEXT | MEASURES]
        raise MissingError(f"{sheet.name}: {suggest('benchmark', lacking[0], others)}; add a column {lacking[0]}")
    wanted = set(named or names)
    of_frontier = wanted & set(FRONTIER_BENCHMARKS)
    without_sizes = of_frontier == wanted if named else bool(of_frontier) and not wanted & set(BASE_BENCHMARKS)
    if sized and "params_b" not in names and not without_sizes:
        others = [name for name in names if re.search(r"size|param|bill", name, re.IGNORECASE)]
        likely = f"; likely {', '.join(map(repr, others[:3]))}" if others else ""
        step = "give the sizes in billions of parameters"
        if models is not None and (sizes := models.map(model_names.size_in_name)).notna().all():
            step = f"add one, in billions; by their names the sizes are {listed([f'{size:g}' for size in sizes])}"
        raise MissingError(f"{sheet.name}: row 1 has no column params_b{likely}; {step}")


#: a number and what may be the ends of its interval
_WITH_ENDS = r"([\d.,]+)\s*[\[(]\s*[\d.,]+\s*(?:[,;–-]|to)\s*[\d.,]+\s*[\])]"
#: the next step for a cell that is no number, by its form
_INSTEAD = {
    _WITH_ENDS: r"it holds an interval too; write \1 ± its standard error, or leave the interval out",
    r"[\d.,]+\s*\([+-][\d.,]+\)": "it holds a difference too; leave that out",
    r"([\d.,]+)\s*\(([\d.,]+)\)": r"it holds two; write \1 ± \2 if the second is its standard error, else leave it out",
    r"\d+,\d+": "write the decimals with a point",
    ".*": "give a number or leave it blank",
}


def _column(sheet: Sheet, index: int, head: Heading, strict: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """One column: what each of its cells says (the fields of `Cell`, of text the value alone is filled), and notes.

    A cell that is no number is refused where it matters, else the column is text.
    """
    name = head.name
    text = sheet.cells.iloc[:, index].reset_index(drop=True).astype(object)
    text = text.where(~text.map(columns.is_blank), np.nan)
    as_text = text.to_frame("value").reindex(columns=list(Cell._fields))
    if name in TEXT or name.endswith("_protocol"):
        return as_text, []
    read = partial(columns.to_cell, name=name, decimal_comma=sheet.decimal_comma, scale=head.scale)
    cells = text.dropna().map(read)
    bad = cells.isna().reindex(text.index, fill_value=False)
    if not bad.any():
        numbers = pd.DataFrame(cells.tolist(), index=cells.index, columns=Cell._fields)
        return numbers.reindex(text.index).astype({"value": float}), []
    cell, says = text[bad].iloc[0], "{!r} is not a number; "
    forms = ((re.fullmatch(form, cell), words) for form, words in _INSTEAD.items())
    step = next(match.expand(words) for match, words in forms if match)
    if re.match(r"\d+\s*[x×]\s*\d", cell) and name == "params_b":
        step = "experts share parameters; give their total in billions (Mixtral 8x7B has 46.7)"
    sheet.refuse(bad & (name.removesuffix("_stderr") in strict), name, f"{says}{{}}", text, pd.Series(step, text.index))
    notable = head.known or bad.sum() < text.notna().sum() / 2
    return as_text, sheet.note(bad & notable, name, f"{says}the column is not read as scores", text)


def _families(sheet: Sheet, frame: pd.DataFrame, options: TableOptions, axis: Axis) -> tuple[bool, list[str]]:
    """Fill the column family by what the person asked for; whether the table tells its families, and notes.

    Along training a family is a run: without a column family, and by `model`, the name without its moment of training.
    A regular expression gives its first group that is filled, else all that it matches. Of merged cells each family is
    named in its first row alone.
    """
    runs = frame["model"].map(model_names.run_in_name, na_action="ignore") if is_training(axis) else frame["model"]
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


def score_benchmarks(frame: pd.DataFrame) -> list[str]:
    """Benchmarks of a table of scores, in column order: its columns of numbers from 0 to 100 that are no measure."""
    return [
        str(name)
        for name in frame.columns
        if pd.api.types.is_float_dtype(frame[name])
        and columns.is_score(str(name))
        and (str(name) in LABELS or not (frame[name].dropna().lt(0) | frame[name].dropna().gt(100)).any())
    ]


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
            refuse_mixed(rows, named, name=scores.name, kinds=bool(rows["params_b"].notna().any()))
    return scores.frame


def write_checked(scores: Scores, path: Path) -> None:
    """Write a checked table so that `read_checked` gives the same object again, nothing being judged a second time.

    path: its name ends in `STORED`.
    """
    frame = scores.frame
    stored: dict[str, Any] = {"format": FORMAT, "notes": scores.notes, "name": scores.name, "size": scores.size}
    stored |= {"axis": scores.axis.name, "scale": scores.axis.scale, "kinds": frame.dtypes.astype(str).to_dict()}
    stored |= {"columns": frame.astype(object).where(frame.notna(), None).to_dict("list")}
    path.write_text(json.dumps(stored, allow_nan=False, default=str), "utf-8")


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


# ---- the single checks: each refuses what the question needs and notes what it does not ----


def _check_models(sheet: Sheet, frame: pd.DataFrame, *, apart: str, dated: bool) -> list[str]:
    """Every row has a model, once among the rows alike, and a date that can be read; fills a missing family.

    apart: a further column that tells two rows of one model apart, that of the axis. dated: dates are needed; else a
    note says which one is none, and it is blank.
    """
    sheet.refuse(frame["model"].isna(), "model", "is blank; name the model")
    unnamed = pd.Series(UNNAMED_FAMILY, index=frame.index, dtype=object)
    frame["family"] = frame["family"].fillna(UNNAMED_FAMILY) if "family" in frame else unnamed
    by = "release_date" if apart == "day" else apart
    unlike = [name for name in dict.fromkeys((*_APART, by)) if name in frame and name != "params_b"]
    keys = [frame[name].astype(str).str.casefold() for name in ("family", "model", *unlike)]
    rows = pd.Series(sheet.cells.index, index=frame.index)
    earlier = rows.groupby(keys, dropna=False).transform("first")
    says = "{!r} stands in row {} already; keep one row, or number the runs in a column seed"
    sheet.refuse(rows != earlier, "model", says, frame["model"], earlier)
    if "release_date" not in frame:
        return []
    dates = frame["release_date"].str.removesuffix(" 00:00:00").str.removesuffix("T00:00:00")
    vague = dates.map(lambda date: re.fullmatch(DATE, date) is None, na_action="ignore").eq(True)
    sheet.refuse(vague & dated, "release_date", NO_DATE, dates)
    frame["release_date"] = dates.where(~vague)
    return sheet.note(vague, "release_date", f"{NO_DATE}; such dates are not read", dates)


def _check_measures(sheet: Sheet, frame: pd.DataFrame, *, strict: bool) -> list[str]:
    """Sizes are above 0 and in billions, and as in the names; adds an empty params_b where there is none.

    Other measures, and single sizes that differ from those in the names, are only noted.
    """
    notes = []
    for name in [str(name) for name in frame if name in MEASURES and pd.api.types.is_float_dtype(frame[name])]:
        if name != "params_b":
            notes += sheet.note(frame[name] < 0, name, "{:g} is below 0", frame[name])
        if name in ("active_params_b", "pretrain_tokens_b") and frame[name].min() >= RAW_COUNT:
            frame[name] = frame[name] / 1e9
    if "params_b" not in frame or not pd.api.types.is_float_dtype(frame["params_b"]):
        frame["params_b"] = np.nan  # missing, or text that no one asked for
        return notes
    sizes = frame["params_b"]
    sheet.refuse(sizes <= 0, "params_b", "{:g} is not above 0; give the size in billions", sizes)
    if sizes.min() >= RAW_COUNT:
        frame["params_b"] = sizes = (sizes / 1e9).map(lambda size: float(f"{size:.10g}"))
        notes.append("params_b: read as counts of parameters, divided by 1e9")
    what = "{:.6g} is a raw count, not billions of parameters, as the others are; divide it by 1e9, which is {:g}"
    sheet.refuse(sizes > LARGEST_PARAMS_B, "params_b", what, sizes, sizes / 1e9)
    blank = "is blank; give the size in billions of parameters, or leave the row out"
    sheet.refuse(sizes.isna() & strict, "params_b", blank)
    models = frame["model"].astype(str)
    named = models.map(model_names.size_in_name).astype("float64")
    ratios = (sizes / named).dropna()
    if len(ratios) >= 2 and ratios.between(700, 1400, inclusive="neither").all():
        what = "{:g} is in millions, by the names of the models ({:g} billion)"
        step = "name the column params_m, or divide it by 1000"
        sheet.refuse((sizes / named).notna(), "params_b", f"{what}; {step}", sizes, named)
    odd = [
        f"{model}: {size:g} B in the table, {stated:g} B in its name; the table stands"
        for model, size in zip(models[sizes.notna()], sizes.dropna(), strict=True)
        if (stated := model_names.size_disagrees(model, float(size))) is not None
    ]
    return [*notes, *odd[:4]]


def _choose_size(sheet: Sheet, frame: pd.DataFrame, size: str) -> list[str]:
    """Total parameters stay params_b; `active` puts the active ones there and the total ones in total_params_b."""
    from_names = frame["model"].astype(str).map(model_names.active_in_name)
    if "active_params_b" not in frame and from_names.notna().any():
        frame["active_params_b"] = from_names.astype("float64")
    known = "active_params_b" in frame and bool(frame["active_params_b"].notna().any())
    if size == "total":
        return ["sizes are total parameters; --size active takes the active ones"] if known else []
    if size != "active":
        raise UsageError(f"--size {size}: choose total or active")
    if not known:
        raise MissingError(f"{sheet.name}: no column active_params_b; give the active parameters in billions")
    dense = frame["active_params_b"].isna()
    frame["total_params_b"] = frame["params_b"].astype(str)
    frame["params_b"] = frame["active_params_b"].where(~dense, frame["params_b"])
    some = f"; {dense.sum()} models without them count as dense" if dense.any() else ""
    return [f"sizes are active parameters{some}"]


def _check_units(
    sheet: Sheet,
    frame: pd.DataFrame,
    benchmarks: Sequence[str],
    *,
    unit: str | None,
    percent: Collection[str],
    strict: Collection[str],
) -> list[str]:
    """Decide percent or fraction once for every whole column, and make fractions percent where the person says so.

    A column with a value above 1 or a percent sign is percent. One with none above 1 is a fraction where guessing alone
    gives more; where it does not (GSM8K), the other columns decide. unit: what the person says; percent: columns with
    signs; strict: those that the question is about. Raises ScoresError; notes what is not needed.
    """
    above = [name for name in sorted(benchmarks) if (frame[name] > 1).any() or name in percent]
    small = {name: frame[name].between(0, 1, inclusive="right") for name in benchmarks}
    notes = []
    if unit == "fraction":
        names = [name for name in benchmarks if name not in above]
        for column in [part for name in names for part in (name, f"{name}_stderr")]:
            if column in frame and pd.api.types.is_float_dtype(frame[column]):
                frame[column] = frame[column] * 100
        if names:
            notes.append(f"{', '.join(names)}: fractions, read as percent")
        if wrong := [name for name in strict if name in above]:
            doubtful = any(small[name].any() for name in wrong if name not in percent)
            scores = frame[wrong[0]]
            over = scores > 1 if (scores > 1).any() else scores.notna()
            only = doubtful or not set(names) & set(strict)
            sheet.refuse(over & only, wrong[0], "{:g} is no fraction; leave --unit out", scores)
            notes.append(f"{', '.join(wrong)}: in percent already")
        return notes
    for name in [name for name in benchmarks if unit != "percent" and name not in percent and small[name].any()]:
        scores, needed, mixed = frame[name], name in strict, name in above
        if name in CHANCE and needed:
            looks = "{:g} looks like a fraction among percents, {:g} percent; correct the cell, or say --unit percent"
            alone = "{:g} looks like a fraction, {:g} percent; say --unit fraction to multiply the column by 100"
            sheet.refuse(small[name], name, looks if mixed else alone, scores, 100 * scores)
        elif mixed:
            continue
        elif name in CHANCE:
            frame[name] = scores.astype(object)
            what = f"looks like fractions among percents ({scores[small[name]].iloc[0]:g})"
            notes.append(f"{name}: {what}; the column is not read as scores")
        elif not above or (needed and name not in LABELS):
            step = "say --unit fraction to multiply the column by 100, or --unit percent"
            sheet.refuse(small[name], name, f"{{:g}} may be a fraction, {{:g}} percent; {step}", scores, 100 * scores)
        else:
            notes.append(f"{name}: no value above 1, read as percent, as {above[0]} is")
    return notes


def _check_score(
    sheet: Sheet, frame: pd.DataFrame, name: str, *, strict: Collection[str], needed: Collection[str]
) -> list[str]:
    """Scores are between 0 and 100, and none is missing where it is needed; standard errors are in points: above 0,
    and not fractions (0 only says that all answers were alike). What no one asked for is noted."""
    scores, error = frame[name], f"{name}_stderr"
    if name in needed and scores.isna().all():
        raise MissingError(f"{sheet.name}: column {name} is blank in every row; give {label(name)} in percent")
    blank = f"is blank and {label(name)} is analysed; give a score or delete the row"
    sheet.refuse(scores.isna() & (name in needed), name, blank)
    outside, says = (scores < 0) | (scores > 100), "{:g} is outside 0 to 100 percent; "
    sheet.refuse(outside & (name in strict), name, f"{says}correct the cell", scores)
    if notes := sheet.note(outside, name, f"{says}the column is not read as scores", scores):
        frame[name] = scores.astype(object)
    if error not in frame or not pd.api.types.is_float_dtype(frame[error]):
        return notes
    if (frame[error] == 0).any():
        frame[error] = frame[error].where(frame[error] != 0)
        notes.append(f"{error}: a standard error of 0 is read as unknown")
    errors = frame[error]
    bad, says = (errors < 0) | (errors > 50), "{:g} is no standard error in points; "
    small = errors.notna() & (errors.max() < 0.05) & ~bad.any()
    sheet.refuse(bad & (name in strict), error, f"{says}leave unknown ones blank", errors)
    fraction = "{:g} looks like a fraction; multiply the column by 100"
    sheet.refuse(small & (name in strict), error, fraction, errors)
    if (bad | small).any():
        frame[error] = np.nan
    return notes + sheet.note(bad | small, error, f"{says}the column is not used", errors)


# ---- protocols: how a score was measured, as text of parts, and whether two may stand in one comparison ----

#: kind of a part -> what it looks like; a part of no kind is the metric or a note of the person's own
PROTOCOL_KINDS = {
    "harness": r"(lm-eval|leaderboard|lighteval|opencompass|helm|inspect|olmes|llm foundry|every eval ever)\b.*",
    "shots": r"(\w+)-shot",
    "version": r"task version (.+)",
    "template": r"(no )?chat template.*",
    "bos": r"bos .+",
    "number format": r"dtype .+",
    "seed of the examples": r"few-shot seed .+",
    "weights": r"quantised.*",
    "turns": r"shots as turns",
    "prompt": r"system prompt .+",
    "extent": r"partial.*",
}
#: kinds whose absence says something: what has no such part was measured without
ABSENT = {"weights": "full weights", "turns": "one turn", "prompt": "no system prompt", "extent": "whole test"}


def _parts(protocol: str) -> dict[str, str]:
    """The parts of a protocol by kind, unknown ones left out."""
    known: dict[str, str] = {}
    for part in (piece.strip() for piece in str(protocol).split(";")):
        folded = part.casefold()
        kind = next((name for name, form in PROTOCOL_KINDS.items() if re.fullmatch(form, folded)), "metric")
        if part and "unknown" not in folded.split("-")[0].split():
            known[kind] = f"{known[kind]}; {part}" if kind in known else part
    if "harness" in known:  # whoever names the harness has said all: what is absent was not done
        known = {kind: text for kind, text in ABSENT.items() if kind not in known} | known
    return known


def protocol_differences(one: str, other: str) -> list[tuple[str, str]]:
    """What differs between two protocols, as pairs of parts; a part that either leaves unknown differs from nothing."""
    left, right = _parts(one), _parts(other)
    both = [(left[kind], right[kind]) for kind in left if kind in right]
    return [(this, that) for this, that in both if this.casefold() != that.casefold()]


def refuse_mixed(rows: pd.DataFrame, benchmarks: Iterable[str], *, name: str, kinds: bool = True) -> None:
    """Raise MixedProtocolError where the scores of one family were measured in different ways, or models differ.

    rows: of one family. Unknown parts of a protocol differ from nothing. kinds: whether instruct and quantised models,
    told by their names, are looked for too.
    """
    models = rows["model"].astype(str).tolist()
    step = "measure both alike, or say --allow-mixed (in Python allow_mixed=True)"
    for benchmark in benchmarks:
        columns = [f"{benchmark}_protocol", *(["truthfulqa_metric"] if benchmark == "truthfulqa" else [])]
        for column in [column for column in columns if column in rows]:
            stated = rows[column].where(rows[benchmark].notna()) if benchmark in rows else rows[column]
            ways = stated.reset_index(drop=True).dropna().astype(str).str.strip().drop_duplicates()
            for (one, first), (other, second) in combinations(ways.items(), 2):
                if unlike := protocol_differences(first, second):
                    this, that = (", ".join(side) for side in zip(*unlike, strict=True))
                    both = f"{models[one]} was measured by [{this}], {models[other]} by [{that}]"  # type: ignore[call-overload]
                    raise MixedProtocolError(f"{name}: {benchmark}: {both}; {step}")
    if not kinds:
        return
    step = "keep one kind, or say --allow-mixed (in Python allow_mixed=True)"
    tuned = [model for model in models if model_names.instruct(model)]
    base = [model for model in models if model not in tuned]
    if tuned and base and "instruct" not in rows:
        both = f"{base[0]} is a base model by its name, {tuned[0]} an instruct model"
        raise MixedProtocolError(f"{name}: {both}; {step}; cape diagnose SCORES --pairs instruct compares them")
    packed = {model: kind for model in models if (kind := model_names.quantised(model))}
    full = [model for model in models if model not in packed]
    if packed and full:
        one, kind = next(iter(packed.items()))
        raise MixedProtocolError(f"{name}: {one} has quantised weights ({kind}), {full[0]} has not; {step}")
