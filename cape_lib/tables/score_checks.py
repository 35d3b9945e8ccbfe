"""The single checks behind `check_scores`: each refuses what the question needs and notes what it does not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError, UsageError
from cape_lib.tables import model_names
from cape_lib.tables.benchmarks import GUESSABLE, LABELS, label
from cape_lib.tables.columns import MEASURES
from cape_lib.tables.sheets import Sheet

UNNAMED_FAMILY = "your models"
LARGEST_PARAMS_B = 10_000
#: a bare size from here on is a count of parameters: no model has so many billions
RAW_COUNT = 100_000
NO_DATE = "{!r} is not a date; write YYYY-MM-DD or YYYY-MM"
DATE = re.compile(r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")
#: columns that tell two rows of one model apart
_APART = ("seed", "recipe", "training", "ladder", "step", "pretrain_tokens_b", "tokens_b", "flops_1e21", "instruct")

# ---- protocols: how a score was measured, as text of parts, and whether two may stand in one comparison ----

#: kind of a part -> what it looks like; a part of no kind is the metric or a note of the person's own
_KINDS = {
    "harness": re.compile(
        r"(lm-eval|leaderboard|lighteval|opencompass|helm|inspect|olmes|llm foundry|every eval ever)\b.*"
    ),
    "shots": re.compile(r"(\w+)-shot"),
    "version": re.compile(r"task version (.+)"),
    "template": re.compile(r"(no )?chat template.*"),
    "bos": re.compile(r"bos .+"),
    "number format": re.compile(r"dtype .+"),
    "seed of the examples": re.compile(r"few-shot seed .+"),
    "weights": re.compile(r"quantised.*"),
    "turns": re.compile(r"shots as turns"),
    "prompt": re.compile(r"system prompt .+"),
    "extent": re.compile(r"partial.*"),
}
#: kinds whose absence says something: what has no such part was measured without
_ABSENT = {"weights": "full weights", "turns": "one turn", "prompt": "no system prompt", "extent": "whole test"}


def protocol_kinds() -> dict[str, dict[str, str]]:
    """Kinds of parts as patterns, and what an absent kind says: for the browser, which tells protocols apart too."""
    return {"kinds": {name: form.pattern for name, form in _KINDS.items()}, "absent": dict(_ABSENT)}


def _parts(protocol: str) -> dict[str, str]:
    """The parts of a protocol by kind, unknown ones left out."""
    known: dict[str, str] = {}
    for part in (piece.strip() for piece in str(protocol).split(";")):
        folded = part.casefold()
        kind = next((name for name, form in _KINDS.items() if form.fullmatch(folded)), "metric")
        if part and "unknown" not in folded.split("-")[0].split():
            known[kind] = f"{known[kind]}; {part}" if kind in known else part
    if "harness" in known:  # whoever names the harness has said all: what is absent was not done
        known = {kind: text for kind, text in _ABSENT.items() if kind not in known} | known
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


# ---- models and sizes ----


def first(bad: pd.Series) -> int | None:
    """Position of the first True, or None."""
    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    return int(positions[0]) if positions.size else None


def check_models(sheet: Sheet, frame: pd.DataFrame, *, apart: str, dated: bool) -> list[str]:
    """Every row has a model, once among the rows alike, and a date that can be read; fills a missing family.

    apart: a further column that tells two rows of one model apart, that of the axis. dated: dates are needed; else a
    note says which one is none, and it is blank.
    """
    sheet.refuse(frame["model"].isna(), "model", "is blank; name the model")
    unnamed = pd.Series(UNNAMED_FAMILY, index=frame.index, dtype=object)
    frame["family"] = frame["family"].fillna(UNNAMED_FAMILY) if "family" in frame else unnamed
    by = "release_date" if apart == "day" else apart
    unlike = [name for name in dict.fromkeys((*_APART, by)) if name in frame and name != "params_b"]
    keys = frame[["family", "model", *unlike]].astype(str).apply(lambda column: column.str.casefold())
    twice = first(keys.duplicated())
    if twice is not None:
        earlier = sheet.cells.index[first((keys == keys.iloc[twice]).all(axis=1)) or 0]
        reason = f"{frame['model'].iloc[twice]!r} stands in row {earlier} already"
        raise sheet.refusal(twice, "model", f"{reason}; keep one row, or number the runs in a column seed")
    if "release_date" not in frame:
        return []
    dates = frame["release_date"].astype(str).str.removesuffix(" 00:00:00").str.removesuffix("T00:00:00")
    frame["release_date"] = dates.where(frame["release_date"].notna(), np.nan).astype(object)
    vague = frame["release_date"].notna() & ~dates.str.match(DATE)
    if dated:
        sheet.refuse(vague, "release_date", NO_DATE, dates)
    odd = first(vague)
    frame["release_date"] = frame["release_date"].where(~vague)
    place = "" if odd is None else f"{sheet.place(odd, 'release_date')}: {NO_DATE.format(dates[odd])}"
    return [f"{place}; such dates are not read"] if place else []


def check_measures(sheet: Sheet, frame: pd.DataFrame, *, strict: bool) -> list[str]:
    """Sizes are above 0 and in billions, and as in the names; adds an empty params_b where there is none.

    Other measures, and single sizes that differ from those in the names, are only noted.
    """
    notes = []
    for name in [str(column) for column in frame if column in MEASURES and pd.api.types.is_float_dtype(frame[column])]:
        if name != "params_b" and (small := first(frame[name] < 0)) is not None:
            notes.append(f"{sheet.place(small, name)}: {frame[name].iloc[small]:g} is below 0")
        if name in ("active_params_b", "pretrain_tokens_b") and (frame[name].min() or 0) >= RAW_COUNT:
            frame[name] = frame[name] / 1e9
    if "params_b" not in frame or not pd.api.types.is_float_dtype(frame["params_b"]):
        frame["params_b"] = np.nan  # missing, or text that no one asked for
        return notes
    sizes = frame["params_b"]
    sheet.refuse(sizes <= 0, "params_b", "{:g} is not above 0; give the size in billions", sizes)
    if sizes.notna().any() and sizes.min() >= RAW_COUNT:
        frame["params_b"] = sizes = (sizes / 1e9).map(lambda size: float(f"{size:.10g}"))
        notes.append("params_b: read as counts of parameters, divided by 1e9")
    what = "{:.6g} is a raw count, not billions of parameters, as the others are; divide it by 1e9, which is {:g}"
    sheet.refuse(sizes > LARGEST_PARAMS_B, "params_b", what, sizes, sizes / 1e9)
    step = "give the size in billions of parameters, or leave the row out"
    sheet.refuse(sizes.isna() & strict, "params_b", f"is blank; {step}")
    named = frame["model"].astype(str).map(model_names.size_in_name).astype("float64")
    ratios = (sizes / named).dropna()
    if len(ratios) >= 2 and ratios.between(700, 1400, inclusive="neither").all():
        what = "{:g} is in millions, by the names of the models ({:g} billion)"
        step = "name the column params_m, or divide it by 1000"
        sheet.refuse((sizes / named).notna(), "params_b", f"{what}; {step}", sizes, named)
    odd = [
        f"{model}: {size:g} B in the table, {stated:g} B in its name; the table stands"
        for model, size in zip(frame["model"].astype(str), sizes, strict=True)
        if not np.isnan(size) and (stated := model_names.size_disagrees(model, float(size))) is not None
    ]
    return [*notes, *odd[:4]]


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
    some = f"; {dense.sum()} models without them count as dense" if dense.any() else ""
    return [f"sizes are active parameters{some}"]


# ---- scores ----


def check_units(
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
    if unit == "fraction":
        names = [name for name in benchmarks if name not in above]
        for column in [part for name in names for part in (name, f"{name}_stderr")]:
            if column in frame and pd.api.types.is_float_dtype(frame[column]):
                frame[column] = frame[column] * 100
        notes = [f"{', '.join(names)}: fractions, read as percent"] if names else []
        wrong = [name for name in strict if name in above]
        doubtful = [name for name in wrong if name not in percent and frame[name].between(0, 1, "right").any()]
        if wrong and (doubtful or not any(name in names for name in strict)):
            over = frame[wrong[0]] > 1 if (frame[wrong[0]] > 1).any() else frame[wrong[0]].notna()
            sheet.refuse(over, wrong[0], "{:g} is no fraction; leave --unit out", frame[wrong[0]])
        return [*notes, f"{', '.join(wrong)}: in percent already"] if wrong else notes
    notes = []
    for name in [name for name in benchmarks if unit != "percent" and name not in percent]:
        scores, needed, mixed = frame[name], name in strict, name in above
        small = (scores > 0) & (scores <= 1)
        low = first(small)
        if low is None:
            continue
        if name in GUESSABLE and needed:
            looks = "{:g} looks like a fraction among percents, {:g} percent; correct the cell, or say --unit percent"
            alone = "{:g} looks like a fraction, {:g} percent; say --unit fraction to multiply the column by 100"
            sheet.refuse(small, name, looks if mixed else alone, scores, 100 * scores)
        elif mixed:
            continue
        elif name in GUESSABLE:
            frame[name] = scores.astype(object)
            what = f"looks like fractions among percents ({scores.iloc[low]:g})"
            notes.append(f"{name}: {what}; the column is not read as scores")
        elif not above or (needed and name not in LABELS):
            step = "say --unit fraction to multiply the column by 100, or --unit percent"
            sheet.refuse(small, name, f"{{:g}} may be a fraction, {{:g}} percent; {step}", scores, 100 * scores)
        else:
            notes.append(f"{name}: no value above 1, read as percent, as {above[0]} is")
    return notes


def check_score(
    sheet: Sheet, frame: pd.DataFrame, name: str, *, strict: Collection[str], needed: Collection[str]
) -> list[str]:
    """Scores are between 0 and 100, and none is missing where it is needed; standard errors are in points: above 0,
    and not fractions (0 only says that all answers were alike). What no one asked for is noted."""
    scores, notes = frame[name], []
    if name in needed and scores.isna().all():
        raise MissingError(f"{sheet.name}: column {name} is blank in every row; give {label(name)} in percent")
    blank = scores.isna() & (name in needed)
    sheet.refuse(blank, name, f"is blank and {label(name)} is analysed; give a score or delete the row")
    outside = first((scores < 0) | (scores > 100))
    if outside is not None:
        reason = f"{scores[outside]:g} is outside 0 to 100 percent"
        if name in strict:
            raise sheet.refusal(outside, name, f"{reason}; correct the cell")
        frame[name] = scores.astype(object)
        notes.append(f"{sheet.place(outside, name)}: {reason}; the column is not read as scores")
    error = f"{name}_stderr"
    if error not in frame or not pd.api.types.is_float_dtype(frame[error]):
        return notes
    if (frame[error] == 0).any():
        frame[error] = frame[error].where(frame[error] != 0)
        notes.append(f"{error}: a standard error of 0 is read as unknown")
    errors = frame[error]
    bad, reason = first((errors < 0) | (errors > 50)), "is no standard error in points; leave unknown ones blank"
    if bad is None and errors.notna().any() and errors.max() < 0.05:
        bad, reason = first(errors.notna()), "looks like a fraction; multiply the column by 100"
    if bad is None:
        return notes
    if name in strict:
        raise sheet.refusal(bad, error, f"{errors[bad]:g} {reason}")
    frame[error] = np.nan
    what = f"{errors[bad]:g} is no standard error in points; the column is not used"
    return [*notes, f"{sheet.place(bad, error)}: {what}"]
