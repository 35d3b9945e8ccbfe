"""The single checks behind `read_scores`: each raises on the first cell that cannot be right."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, MixedProtocolError
from cape_lib.tables.benchmarks import BASE_BENCHMARKS, label
from cape_lib.tables.delimited import Sheet

UNNAMED_FAMILY = "your models"
LARGEST_PARAMS_B = 10_000
# Numbers about a model that are no benchmark; they are kept and never checked as percent.
MEASURES = {"params_b", "d_model", "n_layers", "n_heads", "pretrain_tokens_b", "flops_1e21"}
DATE = re.compile(r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")


def first(bad: pd.Series) -> int | None:
    """Position of the first True, or None."""
    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    return int(positions[0]) if positions.size else None


def check_models(sheet: Sheet, frame: pd.DataFrame) -> None:
    """Every row has a model, once in its family, and a date that can be read; fills a missing family."""
    nameless = first(frame["model"].isna())
    if nameless is not None:
        raise sheet.refusal(nameless, "model", "is blank; name the model")
    frame["family"] = frame["family"].fillna(UNNAMED_FAMILY) if "family" in frame else UNNAMED_FAMILY
    keys = pd.Series(
        [(str(f).casefold(), str(m).casefold()) for f, m in zip(frame["family"], frame["model"], strict=True)]
    )
    twice = first(keys.duplicated())
    if twice is not None:
        earlier = sheet.rows[list(keys).index(keys[twice])]
        model = frame["model"].iloc[twice]
        raise sheet.refusal(twice, "model", f"{model!r} stands in row {earlier} already; keep one row")
    if "release_date" in frame:
        dates = frame["release_date"]
        vague = first(dates.notna() & ~dates.astype(str).str.match(DATE))
        if vague is not None:
            raise sheet.refusal(vague, "release_date", f"{dates[vague]!r} is not a date; write YYYY-MM-DD or YYYY-MM")


def check_measures(sheet: Sheet, frame: pd.DataFrame, *, sizes_needed: bool) -> None:
    """Sizes, widths and the like are above 0 and sizes in billions; adds an empty params_b where there is none."""
    for name in [column for column in frame.columns if column in MEASURES]:
        small = first(frame[name] <= 0)
        if small is not None:
            raise sheet.refusal(small, str(name), f"{frame[name].iloc[small]:g} is not above 0; mend the cell")
    if "params_b" not in frame:
        frame["params_b"] = np.nan
        return
    sizes = frame["params_b"]
    raw = first(sizes > LARGEST_PARAMS_B)
    if raw is not None:
        said = f"{sizes[raw]:.6g} is a raw count, not billions of parameters"
        raise sheet.refusal(raw, "params_b", f"{said}; divide the column by 1e9, this one is {sizes[raw] / 1e9:g}")
    blank = first(sizes.isna())
    if blank is not None and sizes_needed:
        raise sheet.refusal(blank, "params_b", "is blank; give the size in billions of parameters")


def check_percent(sheet: Sheet, scores: pd.Series, *, needed: bool) -> None:
    """Scores are percent between 0 and 100 and no fractions, and none is missing where they are analysed."""
    name, given = str(scores.name), scores.dropna()
    blank = first(scores.isna())
    if needed and given.empty:
        raise MissingError(f"{sheet.name}: column {name} is blank in every row; give {label(name)} in percent")
    if needed and blank is not None:
        raise sheet.refusal(blank, name, f"is blank and {label(name)} is analysed; give a score or delete the row")
    outside = first((scores < 0) | (scores > 100))
    if outside is not None:
        mend = "mend the cell, or drop a column that is no benchmark"
        raise sheet.refusal(outside, name, f"{scores[outside]:g} is outside 0 to 100 percent; {mend}")
    # A guess gives 20 % and more on the five base benchmarks, so that one value of at most 1 is a fraction there.
    fraction = first((scores > 0) & (scores <= 1))
    if fraction is not None and (name in BASE_BENCHMARKS or given.max() <= 1):
        value = scores[fraction]
        mend = f"multiply the column by 100, this one is {100 * value:g} percent"
        raise sheet.refusal(fraction, name, f"{value:g} looks like a fraction; {mend}")


def check_stderr(sheet: Sheet, frame: pd.DataFrame, benchmark: str) -> None:
    """Standard errors, where given, are in points: above 0, and not fractions."""
    name = f"{benchmark}_stderr"
    if name not in frame:
        return
    errors = frame[name]
    bad = first((errors <= 0) | (errors > 50))
    if bad is not None:
        reason = f"{errors[bad]:g} is no standard error in points; leave unknown ones blank"
        raise sheet.refusal(bad, name, reason)
    given = first(errors.notna())
    if given is not None and errors.max() < 0.05:
        raise sheet.refusal(given, name, f"{errors[given]:g} looks like a fraction; multiply the column by 100")


def check_protocols(sheet: Sheet, frame: pd.DataFrame, benchmarks: Iterable[str]) -> None:
    """One protocol in a benchmark's column; a blank or unknown one is unknown, not mixed."""
    for benchmark in benchmarks:
        names = [f"{benchmark}_protocol", *(["truthfulqa_metric"] if benchmark == "truthfulqa" else [])]
        for name in [name for name in names if name in frame]:
            said = frame[name].dropna().astype(str).str.strip()
            kinds = said[said.str.casefold() != "unknown"].str.casefold().drop_duplicates()
            if len(kinds) > 1:
                one, other = int(kinds.index[0]), int(kinds.index[1])
                reason = f"{said[other]!r}, but row {sheet.rows[one]} has {said[one]!r}"
                mend = f"keep one protocol of {label(benchmark)}, or say --allow-mixed (in Python allow_mixed=True)"
                raise MixedProtocolError(f"{sheet.place(other, name)}: {reason}; {mend}")
