"""h: how far a release lies above or below the line, and whether that is more than releases scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.frontier.lines import (
    FEWEST,
    LEVEL,
    FrontierLine,
    X,
    Y,
    as_line,
    complete_rows,
    fit_line,
    frozen_rows,
    line,
    line_through,
)
from cape_lib.stats import score_sd

#: paper B, section 2.3: beyond these points of h a release is an excursion
EXCURSION = 10.0
#: paper B, playbook level 1: within these points of h a release is balanced
BALANCED = 5.0
PHASES = ("coding-specialist excursion", "cooperative", "reasoning-specialist")
#: what stands in place of a phase where the interval of h holds zero
NO_LABEL = "no label"


@dataclass(frozen=True, slots=True)
class ReleaseH:
    """h of one release in points, with the interval `low` to `high`, and what the papers' rules make of it.

    Where the interval holds zero, an ordinary release of the panel could lie as far from the line: 95 % of those with
    this x have a y from `ordinary_low` to `ordinary_high` percent (`FrontierLine.ordinary`). `noise_sd` is the sampling
    noise of both scores alone, in points of h. `line` names the line, `panel` and `date` say what it was fitted to.
    """

    h: float
    low: float
    high: float
    noise_sd: float
    expected: float
    ordinary_low: float
    ordinary_high: float
    line: str
    panel: str
    date: str
    phase: str
    emphasis: str

    def __str__(self) -> str:
        return f"h = {self.h:+.1f} [{self.low:+.1f}, {self.high:+.1f}] points: {self.phase} ({self.line} line)"


def phase_of(h: float) -> str:
    """Paper B's three regimes: beyond 10 points below the line, within, beyond 10 points above."""
    if h < -EXCURSION:
        return PHASES[0]
    return PHASES[2] if h > EXCURSION else PHASES[1]


def emphasis_of(h: float) -> str:
    """Paper B's playbook: "coding-rich" below -5 points, "reasoning-rich" above +5, else "balanced"."""
    if h < -BALANCED:
        return "coding-rich"
    return "reasoning-rich" if h > BALANCED else "balanced"


def labelled(word: str, low: float, high: float) -> str:
    """The word, where the interval of h (points) leaves zero out; else `NO_LABEL`, as where there is no interval."""
    return word if low > 0 or high < 0 else NO_LABEL


def release_h(swe: float, gpqa: float, *, line_name: str = "frozen", as_of: str | None = None) -> ReleaseH:
    """h, interval and phase of a release with these two scores.

    swe, gpqa: SWE-bench Verified and GPQA Diamond in percent, 0-100; line_name: a name of `lines.LINES`.
    Raises UsageError out of range and where a fraction was given for percent.
    Source: paper B, equation 1; Opus 4.6 (80.8, 91.3) has h = +3.5 on the frozen line.
    """
    _check(swe, gpqa)
    return read_h(swe, gpqa, line(line_name, as_of=as_of))


def read_h(swe: float, gpqa: float, chosen: FrontierLine, *, x: str = X, y: str = Y) -> ReleaseH:
    """The same for a line at hand (a sliding cut-off, a user's own panel)."""
    expected = float(chosen.at(swe))
    h = gpqa - expected
    low, high = (float(end) for end in chosen.interval(swe, gpqa))
    least, most = (float(end) for end in chosen.ordinary(swe))
    noise = float(np.hypot(score_sd(gpqa, y), chosen.slope * score_sd(swe, x)))
    return ReleaseH(
        h, low, high, noise, expected, least, most, chosen.name, chosen.panel, chosen.date,
        labelled(phase_of(h), low, high), labelled(emphasis_of(h), low, high),
    )  # fmt: skip


def _check(swe: float, gpqa: float) -> None:
    for name, score in (("SWE-bench Verified", swe), ("GPQA Diamond", gpqa)):
        if not np.isfinite(score) or not 0 <= score <= 100:
            raise UsageError(f"{name} score {score:g} is out of range; give percent, 0 to 100")
        if 0 < score <= 1:
            raise UsageError(f"{name} score {score:g} looks like a fraction; give percent, e.g. {100 * score:g}")


def h_field(
    frame: pd.DataFrame, *, chosen: FrontierLine | str | None = "frozen", x: str = X, y: str = Y, level: float = LEVEL
) -> pd.DataFrame:
    """h of every complete row, beside the h from a line that has not seen the row.

    frame: one row a model, scores in percent; chosen: a line, its name, or None to fit the frame.
    Returns the rows with further columns, points: `expected`, `h`, `h_low`, `h_high` (`FrontierLine.interval` at
    `level`), `noise_sd` (both scores' sampling noise), `h_loo`, `loo_low`, `loo_high` (line and interval without the
    row), `outside` (the row lies outside the range that the others predict), `phase` (`NO_LABEL` where the interval
    holds zero). Without four other rows there is
    no line without the row: NaN.
    Source: paper B, equation 1. Published h of 34 rows: Haiku 3.5 -26.2, V2.5 +11.2, o1 +10.6.
    """
    rows = complete_rows(frame, x, y).copy()
    used = as_line(chosen, rows, x=x, y=y)
    old, new = rows[x].to_numpy(float), rows[y].to_numpy(float)
    rows["expected"] = used.at(old)
    rows["h"] = new - rows["expected"]
    rows["h_low"], rows["h_high"] = used.interval(old, new, level)
    rows["noise_sd"] = np.hypot(score_sd(new, y), used.slope * score_sd(old, x))
    left_out = [_without(old, new, i, level) for i in range(len(rows))]
    rows[["h_loo", "loo_low", "loo_high"]] = np.array(left_out, dtype=float).reshape(len(rows), 3)
    rows["outside"] = (rows["loo_low"] > 0) | (rows["loo_high"] < 0)
    rows["phase"] = [
        labelled(phase_of(h), low, high) for h, low, high in rows[["h", "h_low", "h_high"]].to_numpy(float).tolist()
    ]
    return rows


def _without(x: np.ndarray, y: np.ndarray, i: int, level: float) -> tuple[float, float, float]:
    others = np.arange(x.size) != i
    if x.size <= FEWEST or np.ptp(x[others]) == 0:
        return float("nan"), float("nan"), float("nan")
    fitted = line_through(x[others], y[others])
    low, high = fitted.interval(x[i], y[i], level)
    return float(y[i] - fitted.at(x[i])), float(low), float(high)


def published_band(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> dict[str, float]:
    """The published band of +-16.2 points beside an interval that predicts.

    Returns, in points: `published` (1.96 standard deviations of the residuals of the 34-row line, divisor n),
    `prediction_min`, `prediction_max` (exact t half-width over the range of x), and `n`.
    """
    rows = complete_rows(frozen_rows(frame), x, y)
    fitted = fit_line(rows, x=x, y=y)
    residual = rows[y].to_numpy(float) - fitted.at(rows[x])
    band = fitted.fit.predict(np.linspace(rows[x].min(), rows[x].max(), 101))
    half = band.high - band.fit
    return {
        "published": 1.96 * float(residual.std(ddof=0)),
        "prediction_min": float(half.min()),
        "prediction_max": float(half.max()),
        "n": float(len(rows)),
    }


def later_releases(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> pd.DataFrame:
    """The papers' own check: each later row against the line of the frozen rows, beside a flat line.

    Returns one row a later model: `h`, `inside_published` (+-1.96 sd), `inside_exact` (`FrontierLine.ordinary`),
    `h_flat` (distance from the mean y of the frozen rows), `inside_flat` (+-1.96 sd of y), all in points.
    Published: five of five inside; the flat line shows how little that asks.
    """
    rows = complete_rows(frame, x, y)
    old, new = frozen_rows(rows), rows[~rows["frozen"].astype(bool)].copy()
    fitted = fit_line(old, x=x, y=y)
    band = published_band(rows, x=x, y=y)["published"]
    new["h"] = new[y] - fitted.at(new[x])
    new["inside_published"] = new["h"].abs() <= band
    low, high = fitted.ordinary(new[x])
    new["inside_exact"] = new[y].between(low, high)
    new["h_flat"] = new[y] - old[y].mean()
    new["inside_flat"] = new["h_flat"].abs() <= 1.96 * float(old[y].std(ddof=0))
    columns = ["model", "lab", x, y, "h", "inside_published", "inside_exact", "h_flat", "inside_flat"]
    return new[columns].reset_index(drop=True)
