"""The single checks behind `check_scores`: each refuses what the question needs and notes what it does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, UsageError
from cape_lib.tables import model_names
from cape_lib.tables.benchmarks import GUESSABLE, LABELS, label
from cape_lib.tables.columns import MEASURES
from cape_lib.tables.protocols import first_mix
from cape_lib.tables.sheets import Sheet

UNNAMED_FAMILY = "your models"
LARGEST_PARAMS_B = 10_000
#: a bare size from here on is a count of parameters: no model has so many billions
RAW_COUNT = 100_000
DATE = re.compile(r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")
#: columns that tell two rows of one model apart
_APART = ("seed", "recipe", "training", "ladder", "step", "pretrain_tokens_b", "tokens_b", "flops_1e21", "instruct")


def first(bad: pd.Series) -> int | None:
    """Position of the first True, or None."""
    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    return int(positions[0]) if positions.size else None


def check_models(sheet: Sheet, frame: pd.DataFrame, *, apart: str = "") -> None:
    """Every row has a model, once among the rows alike, and a date that can be read; fills a missing family.

    apart: a further column that tells two rows of one model apart, that of the axis.
    """
    nameless = first(frame["model"].isna())
    if nameless is not None:
        raise sheet.refusal(nameless, "model", "is blank; name the model")
    unnamed = pd.Series(UNNAMED_FAMILY, index=frame.index, dtype=object)
    frame["family"] = frame["family"].fillna(UNNAMED_FAMILY) if "family" in frame else unnamed
    by = "release_date" if apart == "day" else apart
    unlike = [name for name in dict.fromkeys((*_APART, by)) if name in frame and name != "params_b"]
    keys = frame[["family", "model", *unlike]].astype(str).apply(lambda column: column.str.casefold())
    twice = first(keys.duplicated())
    if twice is not None:
        same = (keys == keys.iloc[twice]).all(axis=1)
        earlier, model = sheet.rows[int(np.flatnonzero(same)[0])], frame["model"].iloc[twice]
        reason = f"{model!r} stands in row {earlier} already; keep one row, or number the runs in a column seed"
        raise sheet.refusal(twice, "model", reason)
    if "release_date" in frame:
        dates = frame["release_date"].astype(str).str.removesuffix(" 00:00:00").str.removesuffix("T00:00:00")
        frame["release_date"] = dates.where(frame["release_date"].notna(), np.nan).astype(object)
        vague = first(frame["release_date"].notna() & ~dates.str.match(DATE))
        if vague is not None:
            raise sheet.refusal(vague, "release_date", f"{dates[vague]!r} is not a date; write YYYY-MM-DD or YYYY-MM")


def check_measures(sheet: Sheet, frame: pd.DataFrame, *, strict: bool) -> list[str]:
    """Sizes are above 0 and in billions; adds an empty params_b where there is none. Other measures are only noted."""
    notes = []
    for name in [column for column in frame.columns if column in MEASURES and column != "params_b"]:
        if pd.api.types.is_float_dtype(frame[name]) and (small := first(frame[name] < 0)) is not None:
            notes.append(f"{sheet.place(small, str(name))}: {frame[name].iloc[small]:g} is below 0")
    for name in ("active_params_b", "pretrain_tokens_b"):
        if name in frame and pd.api.types.is_float_dtype(frame[name]) and (frame[name].min() or 0) >= RAW_COUNT:
            frame[name] = frame[name] / 1e9
    if "params_b" not in frame:
        frame["params_b"] = np.nan
        return notes
    sizes = frame["params_b"]
    small = first(sizes <= 0)
    if small is not None:
        raise sheet.refusal(small, "params_b", f"{sizes[small]:g} is not above 0; give the size in billions")
    if sizes.notna().any() and sizes.min() >= RAW_COUNT:
        frame["params_b"] = sizes = (sizes / 1e9).map(lambda size: float(f"{size:.10g}"))
        notes.append("params_b: read as counts of parameters, divided by 1e9")
    raw = first(sizes > LARGEST_PARAMS_B)
    if raw is not None:
        what = f"{sizes[raw]:.6g} is a raw count, not billions of parameters, as the others are"
        raise sheet.refusal(raw, "params_b", f"{what}; divide it by 1e9, which is {sizes[raw] / 1e9:g}")
    blank = first(sizes.isna())
    if blank is not None and strict:
        raise sheet.refusal(blank, "params_b", "is blank; give the size in billions of parameters")
    return [*notes, *_sizes_in_names(sheet, frame)]


def _sizes_in_names(sheet: Sheet, frame: pd.DataFrame) -> list[str]:
    pairs = [
        (position, model_names.size_in_name(str(model)), float(size))
        for position, (model, size) in enumerate(zip(frame["model"], frame["params_b"], strict=True))
        if not np.isnan(size)
    ]
    ratios = [size / stated for _, stated, size in pairs if stated]
    if len(ratios) >= 2 and all(700 < ratio < 1400 for ratio in ratios):
        position, stated, size = next(entry for entry in pairs if entry[1])
        told = f"{size:g} is in millions, by the names of the models ({stated:g} billion)"
        raise sheet.refusal(position, "params_b", f"{told}; name the column params_m, or divide it by 1000")
    odd = [
        (str(model), size, stated)
        for model, size in zip(frame["model"], frame["params_b"], strict=True)
        if not np.isnan(size) and (stated := model_names.size_disagrees(str(model), float(size))) is not None
    ]
    return [
        f"{model}: {size:g} B in the table, {stated:g} B in its name; the table stands"
        for model, size, stated in odd[:4]
    ]


@dataclass(frozen=True, slots=True)
class Units:
    """What is known of the unit before the numbers are looked at: what the person says, columns with percent signs.

    strict: benchmarks that the question is about.
    """

    stated: str | None
    percent: set[str]
    strict: tuple[str, ...]


def check_units(sheet: Sheet, frame: pd.DataFrame, benchmarks: Sequence[str], units: Units) -> list[str]:
    """Decide percent or fraction once for every whole column, and make fractions percent where the person says so.

    A column with a value above 1 or a percent sign is percent. One with none above 1 is a fraction where guessing alone
    gives more; where it does not (GSM8K), the other columns decide. Raises ScoresError; notes what is not needed.
    """
    filled = {name: frame[name].dropna() for name in benchmarks}
    above = {name for name, values in filled.items() if (values > 1).any()} | (units.percent & set(benchmarks))
    notes = []
    if units.stated == "fraction":
        notes += _fractions(sheet, frame, [name for name in benchmarks if name not in above])
        wrong = [name for name in units.strict if name in above]
        alike = [
            name for name in wrong if name in units.percent or not ((filled[name] > 0) & (filled[name] <= 1)).any()
        ]
        if wrong == alike and len(wrong) < sum(name in filled for name in units.strict):
            notes.append(f"{', '.join(wrong)}: in percent already")
        elif wrong:
            over = first(frame[wrong[0]] > 1) or 0
            raise sheet.refusal(over, wrong[0], f"{frame[wrong[0]].iloc[over]:g} is no fraction; leave --unit out")
        return notes
    for name in [name for name in benchmarks if units.stated != "percent" and name not in units.percent]:
        low = first((frame[name] > 0) & (frame[name] <= 1))
        if low is None:
            continue
        value, strict, mixed = frame[name].iloc[low], name in units.strict, name in above
        if name in GUESSABLE and strict:
            among = " among percents" if mixed else ""
            step = (
                "correct the cell, or say --unit percent"
                if mixed
                else "say --unit fraction to multiply the column by 100"
            )
            reason = f"{value:g} looks like a fraction{among}, {100 * value:g} percent; {step}"
            raise sheet.refusal(low, name, reason)
        if name in GUESSABLE and not mixed:
            frame[name] = frame[name].astype(object)
            notes.append(f"{name}: looks like fractions among percents ({value:g}); the column is not read as scores")
        elif not mixed and (not above or (strict and name not in LABELS)):
            reason = f"{value:g} may be a fraction, {100 * value:g} percent"
            step = "say --unit fraction to multiply the column by 100, or --unit percent"
            raise sheet.refusal(low, name, f"{reason}; {step}")
        elif not mixed:
            notes.append(f"{name}: no value above 1, read as percent, as {sorted(above)[0]} is")
    return notes


def _fractions(sheet: Sheet, frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Make columns of fractions percent, their standard errors with them."""
    for name in names:
        frame[name] = frame[name] * 100
        error = f"{name}_stderr"
        if error in frame and pd.api.types.is_float_dtype(frame[error]):
            frame[error] = frame[error] * 100
    return [f"{', '.join(names)}: fractions, read as percent"] if names else []


def check_percent(
    sheet: Sheet, frame: pd.DataFrame, name: str, *, strict: Sequence[str], needed: Sequence[str]
) -> list[str]:
    """Scores are between 0 and 100, and none is missing where it is needed; a column that no one asked for is noted."""
    scores = frame[name]
    blank = first(scores.isna())
    if name in needed and scores.notna().sum() == 0:
        raise MissingError(f"{sheet.name}: column {name} is blank in every row; give {label(name)} in percent")
    if name in needed and blank is not None:
        raise sheet.refusal(blank, name, f"is blank and {label(name)} is analysed; give a score or delete the row")
    outside = first((scores < 0) | (scores > 100))
    if outside is None:
        return []
    told = f"{scores[outside]:g} is outside 0 to 100 percent"
    if name in strict:
        raise sheet.refusal(outside, name, f"{told}; correct the cell")
    frame[name] = scores.astype(object)
    return [f"{sheet.place(outside, name)}: {told}; the column is not read as scores"]


def check_stderr(sheet: Sheet, frame: pd.DataFrame, benchmark: str, *, strict: bool) -> list[str]:
    """Standard errors are in points: above 0, and not fractions; 0 only says that all answers were alike."""
    name = f"{benchmark}_stderr"
    if name not in frame or not pd.api.types.is_float_dtype(frame[name]):
        return []
    notes = []
    if (frame[name] == 0).any():
        frame[name] = frame[name].where(frame[name] != 0)
        notes.append(f"{name}: a standard error of 0 is read as unknown")
    errors = frame[name]
    bad, reason = first((errors < 0) | (errors > 50)), "is no standard error in points; leave unknown ones blank"
    if bad is None and errors.notna().any() and errors.max() < 0.05:
        bad, reason = first(errors.notna()), "looks like a fraction; multiply the column by 100"
    if bad is None:
        return notes
    if strict:
        raise sheet.refusal(bad, name, f"{errors[bad]:g} {reason}")
    frame[name] = np.nan
    return [*notes, f"{sheet.place(bad, name)}: {errors[bad]:g} is no standard error in points; the column is not used"]


def choose_size(sheet: Sheet, frame: pd.DataFrame, size: str) -> list[str]:
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
    told = f"; {int(dense.sum())} models without them count as dense" if dense.any() else ""
    return [f"sizes are active parameters{told}"]


def refuse_mixed(rows: pd.DataFrame, benchmarks: Iterable[str], *, name: str, kinds: bool = True) -> None:
    """Raise MixedProtocolError where the scores of one family were measured in different ways, or models differ.

    rows: of one family. Unknown parts of a protocol differ from nothing. kinds: whether instruct and quantised models,
    told by their names, are looked for too.
    """
    step = "measure both alike, or say --allow-mixed (in Python allow_mixed=True)"
    for benchmark in benchmarks:
        columns = [f"{benchmark}_protocol", *(["truthfulqa_metric"] if benchmark == "truthfulqa" else [])]
        for column in [column for column in columns if column in rows]:
            if mix := first_mix(rows[column].where(rows.get(benchmark, pd.Series(0, index=rows.index)).notna())):
                one, other, (this, that) = mix
                models = rows["model"].astype(str).tolist()
                told = f"{models[one]} was measured by [{this}], {models[other]} by [{that}]"
                raise MixedProtocolError(f"{name}: {benchmark}: {told}; {step}")
    if kinds:
        _refuse_kinds(rows, name)


def _refuse_kinds(rows: pd.DataFrame, name: str) -> None:
    """An instruct model between base models, or quantised weights between full ones, is a mix like any other."""
    models = rows["model"].astype(str).tolist()
    step = "keep one kind, or say --allow-mixed (in Python allow_mixed=True)"
    if "instruct" not in rows:
        tuned = [model for model in models if model_names.instruct(model)]
        plain = [model for model in models if model not in tuned]
        if tuned and plain:
            raise MixedProtocolError(
                f"{name}: {plain[0]} is a base model by its name, {tuned[0]} an instruct model; {step}; "
                "cape diagnose SCORES --pairs instruct compares them"
            )
    packed = {model: model_names.quantised(model) for model in models}
    if len({bool(kind) for kind in packed.values()}) > 1:
        one = next(model for model in models if packed[model])
        other = next(model for model in models if not packed[model])
        raise MixedProtocolError(f"{name}: {one} has quantised weights ({packed[one]}), {other} has not; {step}")
