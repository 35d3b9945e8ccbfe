"""Rows of a scores table made ready for an analysis: complete, in order of size, each score with its noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import MissingError, ScoresError
from cape_lib.names import suggest
from cape_lib.stats.noise import score_sd

Floats = NDArray[np.float64]


def complete_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str = "params_b"
) -> pd.DataFrame:
    """The rows that have a value in each of `columns`, smallest size first; the input is left as it is.

    by: the column that they are put in order by, where it is there. MissingError where a column is absent or fewer than
    `least` rows are left; `purpose` says what needs them.
    """
    for column in columns:
        if column not in frame.columns:
            raise MissingError(f"{suggest('column', column, map(str, frame.columns))}; add it to the table of scores")
    rows = frame.dropna(subset=list(columns))
    if len(rows) < least:
        names = ", ".join(columns)
        aim = f"{purpose} needs" if purpose else "this needs"
        raise MissingError(f"{aim} {least} rows with {names}; {len(rows)} of {len(frame)} have them: add more models")
    # A second key, so that the order of rows in the file never matters.
    keys = [by, "model"] if {by, "model"} <= set(rows.columns) else [columns[0]]
    return rows.sort_values(keys, kind="stable", ignore_index=True)


def ladder_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str = "params_b"
) -> pd.DataFrame:
    """The sizes of one family that have a value in each of `columns`, smallest first.

    by: the column of another axis, whose values take the place of the sizes. MissingError as `complete_rows`;
    ScoresError where two rows have one size or the rows are of several families (a `ladder` column that names one
    ladder settles the latter).
    """
    rows = complete_rows(frame, [by, *columns], least=least, purpose=purpose, by=by)
    groups = [rows[name] for name in ("ladder", "family") if name in rows.columns]
    if groups and all(group.nunique(dropna=False) > 1 for group in groups):
        listed = ", ".join(str(name) for name in groups[-1].unique()[:4])
        raise ScoresError(f"rows of several families in one ladder ({listed}); choose one family")
    size = rows[by].to_numpy(dtype=float)
    if by == "params_b" and not np.all(size > 0):
        raise ScoresError(f"params_b of {_names(rows, size <= 0)} is not positive; give the size in billions")
    again = np.flatnonzero(np.diff(size) == 0)
    if again.size:
        first = int(again[0])
        pair = " and ".join(_name(rows, row) for row in (first, first + 1))
        what = "equal sizes" if by == "params_b" else "equals"
        raise ScoresError(
            f"{pair} have the same {by} {size[first]:g}; the step between two {what} is undefined: keep one"
        )
    return rows


def score_noise(frame: pd.DataFrame, benchmark: str) -> Floats:
    """Standard deviation of the noise of each row's score, percent points, shape (n,).

    The harness's own standard error where `<benchmark>_stderr` gives it (percent points), else binomial from the
    number of questions (`score_sd`: a conservative bound for MC2); NaN where neither is known.
    """
    sd = score_sd(frame[benchmark].to_numpy(dtype=float), benchmark)
    given = f"{benchmark}_stderr"
    if given not in frame.columns:
        return sd
    stated = frame[given].to_numpy(dtype=float)
    return np.where(np.isnan(stated), sd, stated)


def _name(frame: pd.DataFrame, row: int) -> str:
    return str(frame["model"].iloc[row]) if "model" in frame.columns else f"row {row + 1}"


def _names(frame: pd.DataFrame, wrong: NDArray[np.bool_]) -> str:
    return ", ".join(_name(frame, int(row)) for row in np.flatnonzero(wrong)[:4])
