"""Rows of the table of coverage: one counted share or one mean, with its own interval and what to make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cape_lib.stats import Estimate, score_sd, wilson

Floats = NDArray[np.float64]
#: a row of `data/coverage.csv`: the fields of its `Setting`; measure, unit; value, low, high (shares, 0-1, but for a
#: bias, which has a unit), replications; role, "here" for what the book shows or decides by, "compared" for a rule that
#: decides nothing here; label
Rate = dict[str, Any]
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


def streams(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each part, so that one more part moves no number of the others."""
    return np.random.default_rng([seed, *name.encode()])


def measured(true: Floats, items: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scores in percent from so many questions, each right with the true probability, and their stated noise."""
    observed = 100.0 * rng.binomial(items, np.clip(true, 0.0, 100.0) / 100.0) / items
    return observed, score_sd(observed, items=items)


def repeated(replications: int, once: Callable[[], Mapping[str, Any]]) -> dict[str, list[Any]]:
    """What `once` answers about one planted world, so many times: each of its answers as a list."""
    answers = [once() for _ in range(replications)]
    return {name: [answer[name] for answer in answers] for name in answers[0]}


def coverage(setting: Setting, intervals: Iterable[Any], truth: ArrayLike, *, measure: str = "coverage") -> Rate:
    """How often an interval holds the truth; one without ends (NaN) is left out.

    intervals: estimates, or their ends, (replications, 2); low > high is the outside of a gap. truth: (replications,)
    or one number.
    """
    ends = [(one.low, one.high) if isinstance(one, Estimate) else one for one in intervals]
    lows, highs = np.asarray(ends, dtype=float).reshape(-1, 2).T
    lows, highs, true = np.broadcast_arrays(lows, highs, np.asarray(truth, dtype=float))
    known = ~(np.isnan(lows) | np.isnan(highs) | np.isnan(true))
    inside = np.where(lows > highs, (true <= highs) | (true >= lows), (lows <= true) & (true <= highs))
    return share(setting, inside[known], measure)


def share(setting: Setting, hits: ArrayLike, measure: str) -> Rate:
    """A counted share of yes (measure: "coverage", "false positives", "power" or another word)."""
    flat = np.asarray(hits, dtype=bool).ravel()
    return _row(setting, measure, "share", wilson(int(flat.sum()), flat.size))


def away(setting: Setting, intervals: Iterable[Estimate], effect: float = 0.0) -> Rate:
    """How often an interval leaves zero out: the power where an effect was planted, else false positives."""
    return share(setting, [not one.contains(0.0) for one in intervals], "power" if effect else "false positives")


def bias(setting: Setting, errors: ArrayLike, *, unit: str) -> Rate:
    """Mean error of the estimates that exist, with a normal interval."""
    known = np.asarray(errors, dtype=float)
    known = known[np.isfinite(known)]
    n = known.size
    mean = float(known.mean()) if n else float("nan")
    half = 1.96 * float(known.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    return _row(setting, "bias", unit, Estimate(mean, mean - half, mean + half, n, "normal"))


def _row(setting: Setting, measure: str, unit: str, mean: Estimate) -> Rate:
    label, n = "", mean.n
    if measure.startswith("coverage"):
        # With few replications a share under 90 % may be chance: then its whole interval must lie there.
        label = UNDER if n and (mean.high if n < 500 else mean.estimate) < LEAST_COVERAGE else ""
    elif measure.startswith("false"):
        label = ABOVE if n and mean.low > MOST_FALSE else ""
    role = "compared" if setting.method in COMPARED and not measure.startswith("coverage") else "here"
    row = {"measure": measure, "unit": unit, "value": mean.estimate, "low": mean.low, "high": mean.high}
    return asdict(setting) | row | {"replications": n, "role": role, "label": label}
