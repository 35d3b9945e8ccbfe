"""The lines from which h is read: one is frozen in print, the others are fitted to a panel and carry its date."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import Line, ols

X, Y = "swe_bench_verified", "gpqa_diamond"
FROZEN_SLOPE, FROZEN_INTERCEPT = 0.513, 46.4
#: least number of models for a line whose interval says anything
FEWEST = 4
#: level of the t interval behind h: where scatter has heavy tails, one of 95 % is wrong 6 % of the time with 8 to 60
#: releases; this one is right 95 % of the time there, and 97 % where scatter is normal
LEVEL = 0.97

#: name -> what it is; use it for what
LINES: dict[str, str] = {
    "frozen": "GPQA = 0.513 SWE + 46.4, as printed in paper B (34 models, March 2026); use it for h as the papers "
    "mean it, and for predictions 3 and 4",
    "published": "least squares on the 34 published models, not rounded; use it to repeat the papers' tables",
    "refit": "least squares on the 34 published models and the five of April 2026; use it to see what the five move",
    "corrected": "least squares on the published models, makers' own values; use it to see what wrong cells move",
    "sourced": "least squares on the published models, only cells with a source; use it if every value must have one",
    "current": "least squares on every release known; use it to compare a release of today with those of today",
    "independent": "least squares on 33 releases that one agent and one laboratory measured; use it where no maker's "
    "value may count",
}


def angle(score: ArrayLike) -> NDArray[np.float64]:
    """A score in percent as an angle, arcsin(sqrt(score / 100)), radians from 0 to pi / 2, same shape as `score`.

    On this scale releases scatter about equally at every level: in points they lie twice as far apart at 60 % as at
    90 %, as shares of right answers do (variance p (1 - p)). Source: Bartlett 1936.
    """
    return np.asarray(np.arcsin(np.sqrt(np.clip(np.asarray(score, dtype=float) / 100.0, 0.0, 1.0))))


def percent(radians: ArrayLike) -> NDArray[np.float64]:
    """The score (percent, 0-100) of an angle; one beyond 0 or pi / 2 is an end of the scale."""
    return np.asarray(100.0 * np.sin(np.clip(np.asarray(radians, dtype=float), 0.0, np.pi / 2)) ** 2)


@dataclass(frozen=True, slots=True)
class FrontierLine:
    """A named line y = slope x + intercept in points; `fit` is the least-squares line of its rows.

    For "frozen" slope and intercept are the printed ones and `fit` is the unrounded line of the same 34 rows.
    `scatter` is the standard deviation of the rows about `fit` on the scale of `angle` (radians, divisor n - 2).
    `date` is the newest release in the fit (ISO), `panel` the panel of the fit.
    """

    name: str
    panel: str
    date: str
    slope: float
    intercept: float
    fit: Line
    scatter: float

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line's y at x, both percent points, same shape as `x`."""
        return np.asarray(self.slope * np.asarray(x, dtype=float) + self.intercept, dtype=float)

    def reach(self, x: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
        """How far one new release at x may lie from the line on the scale of `angle` (radians), same shape as `x`.

        The half-width of a t prediction interval. level: by default `LEVEL`, right 95 % of the time with heavy tails.
        """
        away = np.asarray(x, dtype=float) - self.fit.mean_x
        t = float(stdtrit(self.fit.n - 2, 0.5 + level / 2))
        return np.asarray(t * self.scatter * np.sqrt(1 + 1 / self.fit.n + away**2 / self.fit.spread_x))

    def ordinary(self, x: ArrayLike, level: float = LEVEL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The range of y (low, high; percent, within 0-100) in which 95 % of new releases at x fall."""
        middle, reach = angle(self.at(x)), self.reach(x, level)
        return percent(middle - reach), percent(middle + reach)

    def interval(
        self, x: ArrayLike, y: ArrayLike, level: float = LEVEL
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The interval (low, high; points) of h of releases with the scores x and y.

        It holds zero exactly where y lies in the range of `ordinary` at x. Line and end together stay within 0-100:
        where the line itself has left the scale, its end does.
        """
        line, middle, reach = self.at(x), angle(y), self.reach(x, level)
        low = np.where(middle - reach <= 0.0, np.minimum(line, 0.0), percent(middle - reach))
        high = np.where(middle + reach >= np.pi / 2, np.maximum(line, 100.0), percent(middle + reach))
        return low - line, high - line

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
    return line_through(rows[x].to_numpy(float), rows[y].to_numpy(float), name=name, panel=panel, date=_newest(rows))


def line_through(
    x: NDArray[np.float64], y: NDArray[np.float64], *, name: str = "fitted", panel: str = "", date: str = ""
) -> FrontierLine:
    """The least-squares line of y on x, both percent, shape (n,), with its scatter; errors as `stats.ols`."""
    line = ols(x, y)
    rest = angle(y) - angle(line.at(x))
    scatter = float(np.sqrt(rest @ rest / (line.n - 2))) if line.n > 2 else float("nan")
    return FrontierLine(name, panel, date, line.slope.estimate, line.intercept.estimate, line, scatter)


def frozen_line(frame: pd.DataFrame) -> FrontierLine:
    """The printed line, with the scatter of the frozen rows of `frame` (panel "published") for its intervals."""
    fitted = fit_line(frozen_rows(frame), panel="published")
    return replace(fitted, name="frozen", slope=FROZEN_SLOPE, intercept=FROZEN_INTERCEPT)


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
