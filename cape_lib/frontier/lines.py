"""The lines from which h is read: one is frozen in print, the others are fitted to a panel and carry its date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import Band, Line, ols

X, Y = "swe_bench_verified", "gpqa_diamond"
FROZEN_SLOPE, FROZEN_INTERCEPT = 0.513, 46.4
#: least number of models for a line whose interval says anything
FEWEST = 4
#: level of the t interval behind h: where scatter has heavy tails, one of 95 % is wrong 6 % of the time with 4 to 60
#: releases; this one is right 95 % of the time there, and 96.5 % where scatter is normal
LEVEL = 0.965

#: name -> what it is
LINES: dict[str, str] = {
    "frozen": "GPQA = 0.513 SWE + 46.4, as printed in paper B (34 models, March 2026)",
    "published": "least squares on the 34 published models, not rounded",
    "refit": "least squares on the 34 published models and the five of April 2026",
    "corrected": "least squares on the published models with the makers' own values",
    "sourced": "least squares on the published models, only cells with a source",
    "current": "least squares on every release known",
    "independent": "least squares on 33 releases measured by one agent and one laboratory",
}


@dataclass(frozen=True, slots=True)
class FrontierLine:
    """A named line y = slope x + intercept in points; `fit` is the least-squares line that gives its scatter.

    For "frozen" slope and intercept are the printed ones and `fit` is the unrounded line of the same 34 rows.
    `date` is the newest release in the fit (ISO), `panel` the panel of the fit.
    """

    name: str
    panel: str
    date: str
    slope: float
    intercept: float
    fit: Line

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line's y at x, both percent points, same shape as `x`."""
        return np.asarray(self.slope * np.asarray(x, dtype=float) + self.intercept, dtype=float)

    def half_width(self, x: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
        """Half of the t prediction interval of one new model at x (points), same shape as `x`.

        level: of the exact interval under normal scatter; by default `LEVEL`, right 95 % of the time with heavy tails.
        """
        band: Band = self.fit.predict(x, level)
        return np.asarray((band.high - band.low) / 2, dtype=float)

    def __str__(self) -> str:
        return f"{self.name} line of {self.date}: y = {self.slope:.3g} x + {self.intercept:.3g} (n = {self.fit.n})"


def complete_rows(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows that hold every named score, in their order; MissingError names a column that is not there."""
    for column in columns:
        if column not in frame:
            given = ", ".join(str(name) for name in frame.columns)
            raise MissingError(f"no column {column!r} in the scores; the columns are {given}")
    return frame.dropna(subset=list(columns))


def fit_line(frame: pd.DataFrame, *, x: str = X, y: str = Y, name: str = "fitted", panel: str = "") -> FrontierLine:
    """Least-squares line of y on x over the complete rows of a panel.

    frame: one row a model, x and y percent 0-100.  Raises MissingError with fewer than four complete rows.
    Source: paper B, section 3; on the 34 published rows slope 0.513, intercept 46.4, r 0.7235.
    """
    rows = complete_rows(frame, x, y)
    if len(rows) < FEWEST:
        raise MissingError(f"a line needs {FEWEST} models with {x} and {y}, {len(rows)} have both; add rows")
    line = ols(rows[x].to_numpy(float), rows[y].to_numpy(float))
    return FrontierLine(name, panel, _newest(rows), line.slope.estimate, line.intercept.estimate, line)


def frozen_line(frame: pd.DataFrame) -> FrontierLine:
    """The printed line, with the scatter of the frozen rows of `frame` (panel "published") for its intervals."""
    fitted = fit_line(frozen_rows(frame), panel="published")
    return FrontierLine("frozen", "published", fitted.date, FROZEN_SLOPE, FROZEN_INTERCEPT, fitted.fit)


def frozen_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the freeze of March 2026; all rows where the panel does not say."""
    return frame[frame["frozen"].astype(bool)] if "frozen" in frame else frame


def line(
    name: str = "frozen", *, as_of: str | None = None, claimed_by: str | None = None, x: str = X, y: str = Y
) -> FrontierLine:
    """The line of that name, read from the tables: a name of `LINES`.

    as_of, claimed_by: passed on to the panel; "frozen" and "published" do not move with them.
    Raises UsageError on an unknown name, with the nearest valid ones.
    """
    if name not in LINES:
        raise UsageError(suggest("line", name, LINES))
    from cape_lib import tables

    if name in ("frozen", "published", "refit"):
        frame = tables.frontier("published")
        if name == "frozen":
            return frozen_line(frame)
        rows = frozen_rows(frame) if name == "published" else frame
        return fit_line(rows, x=x, y=y, name=name, panel="published")
    frame = tables.frontier(name, as_of=as_of, claimed_by=claimed_by)
    return fit_line(frame, x=x, y=y, name=name, panel=name)


def as_line(given: FrontierLine | str | None, frame: pd.DataFrame, *, x: str = X, y: str = Y) -> FrontierLine:
    """A line from a line, from its name, or (None) fitted to the frame itself."""
    if given is None:
        return fit_line(frame, x=x, y=y, name="fitted")
    return line(given, x=x, y=y) if isinstance(given, str) else given


def _newest(rows: pd.DataFrame) -> str:
    if "released" in rows and rows["released"].notna().any():
        return str(pd.Timestamp(rows["released"].max()).date())
    return ""
