"""What an analysis goes along: size, tokens, compute, steps, width, time or any column; its words and its scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.tables import model_names
from cape_lib.tables.columns import TEXT, known_name, to_number, to_size
from cape_lib.tables.sheets import Sheet

Floats = NDArray[np.float64]
#: what a person may say for an axis, beside any column of numbers
NAMES = ("params", "tokens", "flops", "step", "d_model", "date")
#: a bare number of tokens from here on is a count: no run has so many billions
RAW_COUNT = 1e6
#: compute from here on is in FLOPs; a smaller number is in another unit, which the column does not say
RAW_FLOPS = 1e12
#: from here on a number is written with three digits and a power of ten: its last digits would be those of rounding
HUGE = 1e15
#: a column of one's own is drawn and fitted on a log scale from this ratio on
WIDE = 10.0
#: days of the axis of dates are counted from here
_EPOCH = pd.Timestamp("1970-01-01")
NO_DATE = "{!r} is not a date; write YYYY-MM-DD or YYYY-MM"


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: what a person calls it, its column, its words, its scale, and whether its points are one run.

    name: as typed; column: of the values, in its unit; noun: what rises; unit: behind a number; before: in front of
    it; point, points: what a row is; path: all of it; scale: "log" (fits run in log10) or "linear"; serial: the
    points are checkpoints of one run, so that neighbours depend on each other.
    """

    name: str
    column: str
    noun: str
    unit: str = ""
    before: str = ""
    point: str = "model"
    points: str = "models"
    path: str = "the whole path"
    scale: Literal["log", "linear"] = "log"
    serial: bool = False

    @property
    def by_size(self) -> bool:
        """Whether this is the usual axis, parameters."""
        return self.name == "params"

    @property
    def title(self) -> str:
        """Title of a chart's axis."""
        unit = f" ({self.unit.removesuffix(' tokens')})" if self.unit else ""
        return f"{self.noun}{unit}{', log scale' if self.scale == 'log' else ''}"

    @property
    def where(self) -> str:
        """Where along it something happens: "in training", "along d_model"."""
        return "in training" if self.serial else f"along {self.noun}"

    def t(self, values: Any) -> Floats:
        """Values of the column on the scale of the fits."""
        numbers = np.asarray(values, dtype=float)
        return np.asarray(np.log10(numbers)) if self.scale == "log" else numbers

    def back(self, t: float) -> float:
        """The value at a place of the scale; 0 and infinity beyond every number of a log scale."""
        if self.scale == "linear":
            return t
        with np.errstate(over="ignore"):
            return float(np.power(10.0, t))

    def middle(self, low: Any, high: Any) -> Floats:
        """Half way between two values: the geometric mean on a log scale."""
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        return np.asarray(np.sqrt(low * high) if self.scale == "log" else (low + high) / 2)

    def ahead(self, last: float, first: float) -> float:
        """Where a forecast looks by default: twice the last value, or one more span of half the range."""
        return 2 * last if self.scale == "log" else last + (last - first) / 2

    def number(self, value: float) -> str:
        """A value without its unit: "300", "143,000", "1.5e+23", "2024-05-01"."""
        if self.name == "date":
            return day(value)
        whole = self.name == "step" or abs(value) >= 1000
        return f"{value:,.0f}" if whole and abs(value) < HUGE else f"{value:.3g}"

    def shown(self, value: float) -> str:
        """A value in words: "300 B tokens", "step 143,000"; "before every checkpoint" for a value below all."""
        if not math.isfinite(value) or (value == 0 and self.scale == "log"):
            return f"beyond every {self.point}" if value > 0 else f"before every {self.point}"
        return f"{self.before}{self.number(value)}{' ' if self.unit else ''}{self.unit}"

    def between(self, low: float, high: float) -> str:
        """A stretch in words: "from 3 to 300 B tokens", "from step 1 to 9", "with d_model from 768 to 9,216"."""
        if self.before == f"{self.noun} ":
            return f"with {self.noun} from {self.number(low)} to {self.number(high)}"
        return f"from {self.before}{self.number(low)} to {self.number(high)}{' ' if self.unit else ''}{self.unit}"

    def read(self, text: str) -> float:
        """A value as a person types it: "600", "1.2T" tokens, "2026-01". Raises UsageError for anything else."""
        value: float | None
        if self.name == "date":
            moment: Any = pd.to_datetime(text, format="ISO8601", errors="coerce")
            value = float((moment - _EPOCH).days)
        else:
            convert = to_size if self.name in ("tokens", "params") else to_number
            value = convert(text.strip(), decimal_comma=False)
        if value is None or not math.isfinite(value) or (self.name != "date" and value <= 0):
            what = "a date, such as 2026-05" if self.name == "date" else f"a number{self.unit and ' in '}{self.unit}"
            raise UsageError(f"{text!r} is no value of the axis {self.name}; give {what}")
        return value


PARAMS = Axis("params", "params_b", "parameters", "B", point="size", points="sizes", path="the whole ladder")
_TOKENS = Axis("tokens", "tokens_b", "training tokens", "B tokens")
_AXES = {
    axis.name: axis
    for axis in (
        PARAMS,
        _TOKENS,
        Axis("flops", "flops_1e21", "training compute", "× 10²¹ FLOPs"),
        Axis("step", "step", "training step", before="step "),
        Axis("d_model", "d_model", "d_model", before="d_model "),
        Axis("date", "day", "date", scale="linear"),
    )
}


#: every name and column of an axis that has words of its own
KNOWN = {axis.column: axis for axis in _AXES.values()} | _AXES
KNOWN |= {"pretrain_tokens_b": _TOKENS, "release_date": _AXES["date"], "compute": _AXES["flops"]}


def day(value: float) -> str:
    """Days since 1970 as a date."""
    return str((_EPOCH + pd.Timedelta(days=round(value))).date())


def axis_named(name: str) -> Axis:
    """The axis that a person calls so; one that is not among `NAMES` is a column of the table."""
    plain = name.strip()
    column = known_name(plain)
    return KNOWN.get(plain) or KNOWN.get(column) or Axis(plain, column, column, before=f"{column} ", scale="linear")


def of_rows(axis: Axis, rows: pd.DataFrame) -> Axis:
    """The axis with the words that fit the rows of one family: checkpoints where they are one run.

    Steps always are; tokens and compute where the names without their revisions, or the sizes, are one.
    """
    if not is_training(axis):
        return axis
    sizes = rows["params_b"].dropna() if "params_b" in rows else pd.Series(dtype=float)
    one = rows["model"].astype(str).map(model_names.run_in_name).nunique() == 1
    if not (axis.name == "step" or one or (len(sizes) == len(rows) and sizes.nunique() == 1)):
        return axis
    return replace(axis, point="checkpoint", points="checkpoints", path="the whole run", serial=True)


def settled(axis: Axis, values: Any) -> Axis:
    """The axis with the scale that fits its values: a column of any other name is logarithmic from `WIDE` on."""
    numbers = np.asarray(values, dtype=float)
    wide = axis.name not in _AXES and numbers.size and (numbers > 0).all() and numbers.max() / numbers.min() >= WIDE
    return replace(axis, scale="log") if wide else axis


def with_places(rows: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Rows whose models are named by their place on the axis where the names are too long or alike: checkpoints."""
    if axis.by_size or not (axis.serial or rows["model"].duplicated().any()):
        return rows
    return rows.assign(model=[axis.shown(float(value)) for value in rows[axis.column]])


def above_zero(rows: pd.DataFrame, axis: Axis) -> tuple[pd.DataFrame, list[str]]:
    """The rows that have a place on the scale of an axis: a log scale has none for 0; a note of those left out."""
    nothing = rows[axis.column] == 0
    if axis.by_size or axis.scale == "linear" or not nothing.any():
        return rows, []
    who = ", ".join(dict.fromkeys(rows.loc[nothing, "model"].astype(str)))
    reason = f"left out, for a log scale has no place for {axis.column} 0: {who}"
    return rows[~nothing].reset_index(drop=True), [reason]


def is_training(axis: Axis) -> bool:
    """Whether the axis is one along which a run is trained."""
    return axis.name in ("tokens", "flops", "step")


def place(
    sheet: Sheet, frame: pd.DataFrame, axis: Axis, *, batch_tokens: float | None = None
) -> tuple[pd.DataFrame, Axis, list[str]]:
    """A checked table with the column of the axis filled; the axis, its scale settled; notes of what was derived.

    Values come from the column, else from the revisions in the names of the models ("step143000", "tokens300B"), else
    from others: tokens = step x `batch_tokens`, FLOPs = 6 N D.
    Raises MissingError (no column, a row without a value), ScoresError (no number, no date, below 0, a name that
    contradicts the column), UsageError (a column that is none).
    """
    if axis.by_size:
        return frame, axis, []
    if axis.column in TEXT:
        reason = f"--axis {axis.name}: a column of text; choose {', '.join(NAMES)} or a column of numbers"
        raise UsageError(f"{reason}, or compare its values by: cape diagnose SCORES --pairs {axis.name}")
    frame, notes = frame.copy(), []
    if axis.name in _AXES:
        notes = _fill(sheet, frame, axis, batch_tokens)
    elif axis.column not in frame:
        numbers = [str(name) for name in frame if _numbers(frame, str(name)) and not str(name).endswith("_stderr")]
        raise UsageError(f"{sheet.name}: --axis: {suggest('column', axis.name, dict.fromkeys((*NAMES, *numbers)))}")
    values = frame[axis.column].astype(float)
    # The end of a run in the name of a checkpoint says nothing of when that was.
    ending = frame["model"].astype(str).str.contains(r"[@/ _-](?:main|final|last|latest|best)$", case=False)
    ends = values.isna() & ending & is_training(axis)
    if values.isna().all():
        raise MissingError(f"{sheet.name}: no {axis.column} for any model; {_how(frame, axis)}")
    says = f"is blank for {{}}, and others have it; {_how(frame, axis)}"
    sheet.refuse(values.isna() & ~ends, axis.column, says, frame["model"])
    sheet.refuse((values < 0) & (axis.name != "date"), axis.column, "{:g} is below 0; correct the cell", values)
    if axis.scale == "log" and (values == 0).all():
        raise ScoresError(f"{sheet.name}: {axis.column} is 0 in every row; give its values")
    if ends.any():
        notes.append(f"left out, for no {axis.column} is stated: {', '.join(frame.loc[ends, 'model'])}")
    return frame[~ends].reset_index(drop=True), settled(axis, values[~ends]), notes


def _how(frame: pd.DataFrame, axis: Axis) -> str:
    """What to add where the values of an axis are missing."""
    stepped = "step" in frame or frame["model"].astype(str).map(model_names.step_in_name).notna().any()
    if axis.name == "tokens" and stepped:
        return "say --batch-tokens N, the tokens of a step, or add a column tokens_b (billions)"
    unit = "the column flops is no count of FLOPs; " if _numbers(frame, "flops") else ""
    return {
        "tokens": "add a column tokens_b, in billions",
        "flops": f"{unit}add a column flops_1e21, or params_b and tokens_b, of which 6 N D is made",
        "step": "add a column step, or name the models as run@step1000",
        "date": "add a column release_date, as YYYY-MM-DD",
    }.get(axis.name, f"add a column {axis.column}")


def _fill(sheet: Sheet, frame: pd.DataFrame, axis: Axis, batch_tokens: float | None) -> list[str]:
    """Put the column of a named axis into the frame; notes of what it was product of."""
    if axis.name == "date":
        text = frame["release_date"] if "release_date" in frame else pd.Series(np.nan, index=frame.index, dtype=object)
        dates = pd.to_datetime(text.astype(str).where(text.notna()), format="ISO8601", errors="coerce")
        sheet.refuse(dates.isna() & text.notna(), "release_date", NO_DATE, text)
        # Days since 1970; a month or a year counts from its first day.
        frame["day"] = (dates - _EPOCH) / pd.Timedelta(days=1)
        return []
    if axis.name == "step":
        return _from_names(sheet, frame, "step", model_names.step_in_name)
    if axis.name == "flops" and not _numbers(frame, axis.column):
        frame[axis.column] = np.nan
        if _numbers(frame, "flops") and frame["flops"].max() >= RAW_FLOPS:
            frame[axis.column] = frame["flops"].astype(float) / 1e21
            return ["flops: divided by 1e21"]
    elif axis.name != "tokens":
        frame[axis.column] = frame.get(axis.column, np.nan)
        return []
    notes = []
    column = next((name for name in ("tokens_b", "pretrain_tokens_b") if _numbers(frame, name)), None)
    frame["tokens_b"] = np.nan if column is None else frame[column].astype(float)
    if frame["tokens_b"].max() >= RAW_COUNT:
        frame["tokens_b"] = frame["tokens_b"] / 1e9
        notes.append(f"{column}: read as counts of tokens, divided by 1e9")
    notes += _from_names(sheet, frame, "tokens_b", model_names.tokens_in_name)
    if frame["tokens_b"].isna().any() and batch_tokens is not None:
        _from_names(sheet, frame, "step", model_names.step_in_name)
        if frame["step"].notna().any():
            frame["tokens_b"] = frame["tokens_b"].fillna(frame["step"] * batch_tokens / 1e9)
            notes.append(f"tokens_b: step x {batch_tokens:,.0f} tokens")
    if axis.name == "flops" and _numbers(frame, "params_b") and frame["tokens_b"].notna().any():
        frame[axis.column] = 6e-3 * frame["params_b"] * frame["tokens_b"]
        notes.append("flops_1e21: 6 N D, of params_b and tokens_b")
    return notes


def _numbers(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and pd.api.types.is_float_dtype(frame[name]) and bool(frame[name].notna().any())


def _from_names(sheet: Sheet, frame: pd.DataFrame, column: str, read: Callable[[str], float | None]) -> list[str]:
    """Fill the blanks of a column from the names of the models; ScoresError where a name contradicts it."""
    named = frame["model"].astype(str).map(read).astype(float)
    stated = frame[column] if _numbers(frame, column) else pd.Series(np.nan, index=frame.index)
    apart = (stated - named).abs() > 0.02 * named.abs()
    says = "{:g} here, {:g} in the name {}; correct one of the two"
    sheet.refuse(apart, column, says, stated, named, frame["model"])
    frame[column] = stated.fillna(named)
    return [f"{column}: from the names of the models"] if (stated.isna() & named.notna()).any() else []
