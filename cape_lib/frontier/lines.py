"""The lines from which h is read, h itself with its interval, and the papers' curve.

Figures: `charts.frontier`; sentences: `story.frontier`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cape_lib import stats
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import ROUNDED_Z95, Estimate, Floats, Line, isocline, ols, score_sd, wilson_clustered

X, Y = "swe_bench_verified", "gpqa_diamond"
#: the frozen line as the papers announced it: two constants that no change of a table moves
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
#: paper B, section 2.3: beyond these points of h a release is an excursion
EXCURSION = 10.0
#: paper B, playbook level 1: within these points of h a release is balanced
BALANCED = 5.0
PHASES = ("coding-specialist excursion", "cooperative", "reasoning-specialist")
#: paper B's playbook
EMPHASES = ("coding-rich", "balanced", "reasoning-rich")
#: what stands in place of a phase where the interval of h holds zero
NO_LABEL = "no label"
#: (old axis, new axis) -> ratio under the square root, as published
RATIOS: dict[tuple[str, str], float] = {(X, Y): 0.513, (Y, "ifeval"): 0.97}


def angle(score: ArrayLike) -> Floats:
    """A score in percent as an angle, arcsin(sqrt(score / 100)), radians from 0 to pi / 2, same shape as `score`.

    On this scale releases scatter about equally at every level, as shares of right answers do. Source: Bartlett 1936.
    """
    return np.asarray(np.arcsin(np.sqrt(np.clip(np.asarray(score, dtype=float) / 100.0, 0.0, 1.0))))


def percent(radians: ArrayLike) -> Floats:
    """The score (percent, 0-100) of an angle; one beyond 0 or pi / 2 is an end of the scale."""
    return np.asarray(100.0 * np.sin(np.clip(np.asarray(radians, dtype=float), 0.0, np.pi / 2)) ** 2)


@dataclass(frozen=True, slots=True)
class FrontierLine:
    """A named line y = slope x + intercept in points; `fit` is the least-squares line of its rows.

    For "frozen" slope and intercept are the printed ones (`FROZEN_SLOPE`, `FROZEN_INTERCEPT`, typed as announced) and
    `fit` is the unrounded line of the same 34 rows, which lends it its scatter.
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

    def at(self, x: ArrayLike) -> Floats:
        """The line's y at x, both percent points, same shape as `x`."""
        return np.asarray(self.slope * np.asarray(x, dtype=float) + self.intercept, dtype=float)

    def h(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """h of releases with the scores x and y: y less the line at x, points, same shape. The one place of it."""
        return np.asarray(y, dtype=float) - self.at(x)

    def noise(self, x: ArrayLike, y: ArrayLike, *, names: tuple[str, str] = (X, Y)) -> Floats:
        """Standard deviation of h (points) from the sampling noise of two scores alone, same shape; names: of these."""
        return np.asarray(np.hypot(score_sd(y, names[1]), self.slope * score_sd(x, names[0])))

    def reach(self, x: ArrayLike) -> Floats:
        """How far one new release at x may lie from the line on the scale of `angle` (radians), same shape as `x`.

        The half-width of a t prediction interval at `LEVEL`, right 95 % of the time with heavy tails.
        """
        return self.fit.half(x, level=LEVEL, sd=self.scatter)

    def ordinary(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """The range of y (low, high; percent, within 0-100) in which 95 % of new releases at x fall."""
        middle, reach = angle(self.at(x)), self.reach(x)
        return percent(middle - reach), percent(middle + reach)

    def interval(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """The interval (low, high; points) of h of releases with the scores x and y.

        It holds zero exactly where y lies in the range of `ordinary` at x. Line and end together stay within 0-100:
        where the line itself has left the scale, its end does.
        """
        line, middle, reach = self.at(x), angle(y), self.reach(x)
        low = np.where(middle - reach <= 0.0, np.minimum(line, 0.0), percent(middle - reach))
        high = np.where(middle + reach >= np.pi / 2, np.maximum(line, 100.0), percent(middle + reach))
        return self.h(x, low), self.h(x, high)

    def __str__(self) -> str:
        return f"{self.name} line of {self.date}: y = {self.slope:.3g} x + {self.intercept:.3g} (n = {self.fit.n})"


def complete_rows(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows that hold every named score, in their order, however few; errors as `stats.complete_rows`."""
    return stats.complete_rows(frame, columns, least=0, by=None)


def fit_line(frame: pd.DataFrame, *, x: str = X, y: str = Y, name: str = "fitted", panel: str = "") -> FrontierLine:
    """Least-squares line of y on x over the complete rows of a panel.

    frame: one row a model, x and y percent 0-100.  Raises MissingError with fewer than four complete rows.
    Source: paper B, section 3; on the 34 published rows slope 0.513, intercept 46.4, r 0.7235.
    """
    rows = complete_rows(frame, x, y)
    if len(rows) < FEWEST:
        raise MissingError(f"a line needs {FEWEST} models with {x} and {y}, {len(rows)} have both; add rows")
    newest = rows["released"].max() if "released" in rows else None
    date = str(pd.Timestamp(newest).date()) if pd.notna(newest) else ""
    return line_through(rows[x].to_numpy(float), rows[y].to_numpy(float), name=name, panel=panel, date=date)


def line_through(x: Floats, y: Floats, *, name: str = "fitted", panel: str = "", date: str = "") -> FrontierLine:
    """The least-squares line of y on x, both percent, shape (n,), with its scatter; errors as `stats.ols`."""
    line = ols(x, y)
    rest = angle(y) - angle(line.at(x))
    scatter = float(np.sqrt(rest @ rest / (line.n - 2))) if line.n > 2 else float("nan")
    return FrontierLine(name, panel, date, line.slope.estimate, line.intercept.estimate, line, scatter)


def frozen_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the freeze of March 2026; all rows where the panel does not say."""
    return frame[frame["frozen"].astype(bool)] if "frozen" in frame else frame


def line(
    name: str = "frozen", *, as_of: str | None = None, claimed_by: str | None = None, x: str = X, y: str = Y
) -> FrontierLine:
    """The line of that name (one of `LINES`, UsageError else), read from the tables.

    as_of, claimed_by: passed on to the panel; "frozen" and "published" do not move with them.
    """
    if name not in LINES:
        raise UsageError(suggest("line", name, LINES))
    from cape_lib import tables

    if name not in ("frozen", "published", "refit"):
        frame = tables.frontier(name, as_of=as_of, claimed_by=claimed_by)
        return fit_line(frame, x=x, y=y, name=name, panel=name)
    frame = tables.frontier("published")
    rows = frame if name == "refit" else frozen_rows(frame)
    if name != "frozen":
        return fit_line(rows, x=x, y=y, name=name, panel="published")
    # The announced constants take the place of the fitted ones; the scatter of its rows is for the intervals.
    return replace(fit_line(rows, name=name, panel="published"), slope=FROZEN_SLOPE, intercept=FROZEN_INTERCEPT)


def as_line(chosen: FrontierLine | str | None, frame: pd.DataFrame, *, x: str = X, y: str = Y) -> FrontierLine:
    """A line from a line, from its name, or (None) fitted to the frame itself."""
    if chosen is None:
        return fit_line(frame, x=x, y=y)
    return line(chosen, x=x, y=y) if isinstance(chosen, str) else chosen


def labelled(h: float, low: float, high: float, *, within: float = EXCURSION, words: Sequence[str] = PHASES) -> str:
    """Paper B's word for h (points) below the line, `within` so many points of it, or above; by default its regimes.

    `NO_LABEL` where the interval of h holds zero, as where there is none.
    """
    if not (low > 0 or high < 0):
        return NO_LABEL
    return words[0 if h < -within else 2 if h > within else 1]


def read_h(x_score: ArrayLike, y_score: ArrayLike, chosen: FrontierLine, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """h of releases with these two scores, and what the papers' rules make of it: one row a release.

    x_score, y_score: percent, (n,) or one number. Columns, in points: expected (the line's y), h, h_low, h_high
    (`FrontierLine.interval`), ordinary_low, ordinary_high (percent: where 95 % of the releases with this x lie) and
    noise_sd (sampling noise of both scores alone); phase and emphasis (`NO_LABEL` where the interval holds zero, for
    then an ordinary release could lie as far) and line, its name.
    Source: paper B, equation 1; Opus 4.6 (80.8, 91.3) has h = +3.5 on the frozen line.
    """
    old, new = (np.atleast_1d(np.asarray(score, dtype=float)) for score in (x_score, y_score))
    h, (low, high), (least, most) = chosen.h(old, new), chosen.interval(old, new), chosen.ordinary(old)
    noise = chosen.noise(old, new, names=(x, y))
    table = pd.DataFrame({"expected": chosen.at(old), "h": h, "h_low": low, "h_high": high, "noise_sd": noise})
    table = table.assign(ordinary_low=least, ordinary_high=most, line=chosen.name)
    rows = list(zip(h, low, high, strict=True))
    table["phase"] = [labelled(*row) for row in rows]
    return table.assign(emphasis=[labelled(*row, within=BALANCED, words=EMPHASES) for row in rows])


def h_field(
    frame: pd.DataFrame, *, chosen: FrontierLine | str | None = "frozen", x: str = X, y: str = Y
) -> pd.DataFrame:
    """h of every complete row, beside the h from a line that has not seen the row.

    frame: one row a model, scores in percent; chosen: a line, its name, or None to fit the frame.
    Returns the rows with further columns, points: `expected`, `h`, `h_low`, `h_high`, `noise_sd` and `phase` of
    `read_h`; `h_loo`, `loo_low`, `loo_high` (line and interval without the row; NaN without four others) and `outside`
    (the row lies outside the range that the others predict).
    Source: paper B, equation 1. Published h of 34 rows: Haiku 3.5 -26.2, V2.5 +11.2, o1 +10.6.
    """
    rows = complete_rows(frame, x, y)
    old, new = rows[x].to_numpy(float), rows[y].to_numpy(float)
    read = read_h(old, new, as_line(chosen, rows, x=x, y=y), x=x, y=y).set_axis(rows.index)
    left_out = np.full((len(rows), 3), np.nan)
    for i in range(len(rows)):
        others = np.arange(len(rows)) != i
        if len(rows) > FEWEST and np.ptp(old[others]) > 0:
            fitted = line_through(old[others], new[others])
            left_out[i] = fitted.h(old[i], new[i]), *fitted.interval(old[i], new[i])
    rows = rows.assign(**read[["expected", "h", "h_low", "h_high", "noise_sd"]])
    rows[["h_loo", "loo_low", "loo_high"]] = left_out
    return rows.assign(outside=(rows["loo_low"] > 0) | (rows["loo_high"] < 0), phase=read["phase"])


def published_band(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, float]:
    """The published band of +-16.2 points beside one of a flat line and an interval that predicts.

    Returns, in points: `published` (1.96 standard deviations of the residuals of the 34-row line, divisor n), `flat`
    (the same of y about its mean), `prediction_min`, `prediction_max` (exact t half-width over the range of x), `n`.
    """
    rows = complete_rows(frozen_rows(frame), x, y)
    fitted = fit_line(rows, x=x, y=y)
    half = fitted.fit.half(np.linspace(rows[x].min(), rows[x].max(), 101))
    spreads = {"published": (rows[y] - fitted.at(rows[x])).to_numpy(float), "flat": rows[y].to_numpy(float)}
    bands = {name: ROUNDED_Z95 * float(values.std()) for name, values in spreads.items()}
    return bands | {"n": float(len(rows)), "prediction_min": float(half.min()), "prediction_max": float(half.max())}


def later_releases(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """The papers' own check: each later row against the line of the frozen rows, beside a flat line.

    Returns one row a later model: `h`, `inside_published` (+-1.96 sd), `inside_exact` (`FrontierLine.ordinary`),
    `h_flat` (distance from the mean y of the frozen rows), `inside_flat` (+-1.96 sd of y), all in points.
    Published: five of five inside; the flat line shows how little that asks.
    """
    rows = complete_rows(frame, x, y)
    old, new = frozen_rows(rows), rows[~rows["frozen"].astype(bool)]
    fitted, band = fit_line(old, x=x, y=y), published_band(rows, x=x, y=y)
    low, high = fitted.ordinary(new[x])
    new = new.assign(h=fitted.h(new[x], new[y]), h_flat=new[y] - old[y].mean())
    new["inside_published"] = new["h"].abs() <= band["published"]
    new["inside_exact"] = new[y].between(low, high)
    new["inside_flat"] = new["h_flat"].abs() <= band["flat"]
    columns = ["model", "lab", x, y, "h", "inside_published", "inside_exact", "h_flat", "inside_flat"]
    return new[columns].reset_index(drop=True)


def beside_curve(frame: pd.DataFrame, *, ratio: float = 0.513, x: str = X, y: str = Y) -> pd.DataFrame:
    """Each complete row with `critical` (the curve at its x), `margin` (points above it) and `above`.

    Published: every frontier model above for SWE and GPQA; two below for GPQA and IFEval with ratio 0.97.
    """
    rows = complete_rows(frame, x, y)
    critical = isocline(rows[x], ratio)
    margin = rows[y] - critical
    return rows.assign(critical=critical, margin=margin, above=margin >= 0)


def next_steps(frame: pd.DataFrame, *, ratio: float = 0.513, x: str = X, y: str = Y) -> pd.DataFrame:
    """Each release with the same lab's next one, and whether its side of the curve foretold the sign of dy / dx.

    The stated rule: above the curve the two scores rise together. Returns lab, model, following, dx, dy, together
    (dy / dx > 0), above, right. Steps with dx = 0 have no sign and are left out. Releases of one date stand in order of
    their names.
    """
    rows = beside_curve(frame, ratio=ratio, x=x, y=y).sort_values(["lab", "released", "model"], ignore_index=True)
    after = rows.groupby("lab")[["model", x, y]].shift(-1)
    steps = rows[["lab", "model"]].assign(following=after["model"], dx=after[x] - rows[x], dy=after[y] - rows[y])
    steps["together"], steps["above"] = steps["dy"] / steps["dx"] > 0, rows["above"]
    steps["right"] = steps["together"] == steps["above"]
    return steps[steps["following"].notna() & steps["dx"].ne(0)].reset_index(drop=True)


def curve_score(steps: pd.DataFrame) -> dict[str, Estimate]:
    """Share of steps that the curve gets right, beside the guess "they always rise together" (fractions, 0-1).

    steps: from `next_steps`. Wilson's interval, in which the steps of one lab may be alike. Where no model is below the
    curve the two shares are one and the same number.
    """
    shares = {"curve": steps["right"], "always together": steps["together"]}
    return {name: wilson_clustered(hits.astype(bool), steps["lab"]) for name, hits in shares.items()}
