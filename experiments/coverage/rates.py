"""Rows of the table of coverage: one counted share or one mean, with its own interval and what to make of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from cape_lib.stats import wilson

#: an interval that says 95 % and covers less than this is labelled
LEAST_COVERAGE = 0.90
#: a positive verdict may be wrong this often
MOST_FALSE = 0.05
UNDER, ABOVE = "covers under 90 %", "wrong more than 5 %"
#: rules of the papers and of textbooks that decide nothing here; they stand in the table to be compared with
COMPARED = frozenset(
    {
        "beyond 10 points",
        "published band",
        "t interval of 95 %",
        "says step, beyond ten points",
        "says excursion, beyond ten points",
        "Cochran's Q",
        "any step of a ladder, each at 97.5 %",
        "Pearson, Fisher's z",
        "partial r given size, Fisher's z",
        "sign flips at a cut, by the signs alone",
        "r, those that ran out kept",
        "r, size left out of account",
        "r of 0.85 along training",
    }
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What was planted: `part` and `method` name what is judged, `truth`, `n` and `noise` the world it is judged in."""

    part: str
    method: str
    truth: str
    n: int
    noise: str


@dataclass(frozen=True, slots=True)
class Rate:
    """One row of `data/coverage.csv`; `value`, `low`, `high` are shares (0-1) but for a bias, which has a `unit`.

    `role`: "here" for what the book shows or decides by, "compared" for a rule that decides nothing here.
    """

    part: str
    method: str
    truth: str
    n: int
    noise: str
    measure: str
    unit: str
    value: float
    low: float
    high: float
    replications: int
    role: str
    label: str

    def as_row(self) -> dict[str, object]:
        """The row as plain data."""
        return asdict(self)


def coverage(setting: Setting, ends: ArrayLike, truth: ArrayLike, *, measure: str = "coverage") -> Rate:
    """How often an interval holds the truth; one without ends (NaN) is left out.

    ends: (replications, 2); low > high is the outside of a gap. truth: (replications,) or one number.
    """
    lows, highs = np.asarray(ends, dtype=float).reshape(-1, 2).T
    lows, highs, true = np.broadcast_arrays(lows, highs, np.asarray(truth, dtype=float))
    known = ~(np.isnan(lows) | np.isnan(highs) | np.isnan(true))
    inside = np.where(lows > highs, (true <= highs) | (true >= lows), (lows <= true) & (true <= highs))
    return share(setting, inside[known], measure)


def share(setting: Setting, hits: ArrayLike, measure: str) -> Rate:
    """A counted share of yes (measure: "coverage", "false positives", "power" or another word)."""
    flat = np.asarray(hits, dtype=bool).ravel()
    interval = wilson(int(flat.sum()), flat.size)
    return _rate(setting, measure, "share", (interval.estimate, interval.low, interval.high), flat.size)


def bias(setting: Setting, errors: ArrayLike, *, unit: str, measure: str = "bias") -> Rate:
    """Mean error of the estimates that exist, with a normal interval."""
    known = np.asarray(errors, dtype=float)
    known = known[np.isfinite(known)]
    n = known.size
    mean = float(known.mean()) if n else float("nan")
    half = 1.96 * float(known.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    return _rate(setting, measure, unit, (mean, mean - half, mean + half), n)


def _rate(setting: Setting, measure: str, unit: str, interval: tuple[float, float, float], n: int) -> Rate:
    value, low, high = interval
    label = ""
    if measure.startswith("coverage"):
        # With few replications a share under 90 % may be chance: then its whole interval must lie there.
        label = UNDER if n and (high if n < 500 else value) < LEAST_COVERAGE else ""
    elif measure.startswith("false"):
        label = ABOVE if n and low > MOST_FALSE else ""
    role = "compared" if setting.method in COMPARED and not measure.startswith("coverage") else "here"
    return Rate(
        **asdict(setting),
        measure=measure,
        unit=unit,
        value=value,
        low=low,
        high=high,
        replications=n,
        role=role,
        label=label,
    )
