"""The isocline: a curve of one score over another that is said to part fighting from cooperating models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import complete_rows, ladder_rows, wilson

Floats = NDArray[np.float64]
# a/b as published, calibrated on OLMo.
RATIO = 0.187
READINGS = ("stated", "reversed", "always negative")


def isocline(score: ArrayLike, ratio: float = RATIO) -> Floats:
    """The critical second score (percent) over a first score (percent): 100 sqrt(ratio score / 100).

    score: percent, 0-100, any shape; ratio: a/b, above 0. The root is taken of fractions, as published: TQA_c =
    sqrt(0.187 HellaSwag), GPQA_c = sqrt(0.513 SWE-bench), IFEval_c = sqrt(0.97 GPQA). Raises UsageError.
    """
    if not ratio > 0:
        raise UsageError(f"a/b is {ratio:g}; give a number above 0")
    return np.asarray(100.0 * np.sqrt(ratio * np.asarray(score, dtype=float) / 100.0))


def calibrate(frame: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> float:
    """a/b that puts the mean of the rows on the isocline: (mean y)^2 / mean x, as fractions.

    Published: 0.187 from the two OLMo rows at HellaSwag 62.5 and 76.4, TruthfulQA 36.0 (0.1866 unrounded).
    """
    rows = complete_rows(frame, [x, y], least=1, purpose="a calibration")
    return float((rows[y].mean() / 100.0) ** 2 / (rows[x].mean() / 100.0))


def classify(
    panel: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    ratio: float = RATIO,
    reading: str = "stated",
    by: str = "ladder",
) -> pd.DataFrame:
    """The sign of each local coupling, predicted from where the interval's smaller model lies on the isocline.

    panel: one row a model; columns params_b, x, y (percent), `by` (the ladder; rows without one are left out).
    reading: "stated" (above the curve: gamma > 0), "reversed" (above the curve: gamma < 0, the reading in which the
    published counts come out) or "always negative" (the curve ignored). Returns one row an interval: `by`, smaller,
    larger, params_b_low, params_b_high, x, y (of the smaller model), critical, above, gamma, predicted (-1 or 1),
    correct. An interval without a change of y agrees with neither sign.
    Raises MissingError where no ladder has two sizes, UsageError for an unknown reading, ScoresError on equal sizes.
    Published: OPT 6 of 7, BLOOM 4 of 5, Cerebras-GPT 5 of 6.
    """
    if reading not in READINGS:
        raise UsageError(suggest("reading", reading, READINGS))
    intervals = _intervals(panel, x, y, by)
    critical = isocline(intervals["x"].to_numpy(dtype=float), ratio)
    above = intervals["y"].to_numpy(dtype=float) > critical
    predicted = _predictions(above)[reading]
    sign = np.sign(intervals["gamma"].to_numpy(dtype=float))
    return intervals.assign(critical=critical, above=above, predicted=predicted, correct=sign == predicted)


def compare_readings(
    panel: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    ratio: float = RATIO,
    by: str = "ladder",
    level: float = 0.95,
) -> pd.DataFrame:
    """Right signs of every ladder in both readings of the isocline and in the guess that ignores it.

    Arguments as `classify`. Returns one row a ladder and reading, and one for all ladders together ("all"): `by`,
    reading, right, n (intervals), share, low, high (Wilson, 0-1).
    """
    parts = [
        classify(panel, x=x, y=y, ratio=ratio, reading=reading, by=by).assign(reading=reading) for reading in READINGS
    ]
    table = pd.concat(parts, ignore_index=True)
    table = pd.concat([table, table.assign(**{by: "all"})], ignore_index=True)
    counts = table.groupby([by, "reading"], sort=False)["correct"].agg(right="sum", n="size").reset_index()
    shares = [wilson(int(right), int(n), level) for right, n in zip(counts["right"], counts["n"], strict=True)]
    return counts.assign(share=[s.estimate for s in shares], low=[s.low for s in shares], high=[s.high for s in shares])


def ratio_sweep(
    panel: pd.DataFrame, ratios: Sequence[float], *, x: str = "hellaswag", y: str = "truthfulqa", by: str = "ladder"
) -> pd.DataFrame:
    """Right signs over all ladders for many values of a/b: ratio, reading, right, n, share."""
    intervals = _intervals(panel, x, y, by)
    sign = np.sign(intervals["gamma"].to_numpy(dtype=float))
    answer = []
    for ratio in ratios:
        above = intervals["y"].to_numpy(dtype=float) > isocline(intervals["x"].to_numpy(dtype=float), ratio)
        for reading, predicted in _predictions(above).items():
            right = int(np.count_nonzero(sign == predicted))
            share = right / sign.size if sign.size else float("nan")
            answer.append((float(ratio), reading, right, sign.size, share))
    return pd.DataFrame(answer, columns=["ratio", "reading", "right", "n", "share"])


def _predictions(above: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """The predicted sign of gamma in each reading."""
    stated = np.where(above, 1, -1)
    return {"stated": stated, "reversed": -stated, "always negative": np.full(above.shape, -1)}


def _intervals(panel: pd.DataFrame, x: str, y: str, by: str) -> pd.DataFrame:
    """Consecutive sizes of every ladder with their gamma; intervals where x does not change are left out."""
    rows = complete_rows(panel, [by, "params_b", x, y], least=0)
    parts = []
    for name, group in rows.groupby(by, sort=True):
        if len(group) < 2:
            continue
        ladder = ladder_rows(group, [x, y])
        labels = ladder["model"] if "model" in ladder.columns else ladder["params_b"].astype(str)
        first, second = (ladder[score].to_numpy(dtype=float) for score in (x, y))
        size = ladder["params_b"].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            gamma = np.where(np.diff(first) == 0, np.nan, np.diff(second) / np.diff(first))
        parts.append(
            pd.DataFrame(
                {
                    by: name,
                    "smaller": labels.to_numpy()[:-1],
                    "larger": labels.to_numpy()[1:],
                    "params_b_low": size[:-1],
                    "params_b_high": size[1:],
                    "x": first[:-1],
                    "y": second[:-1],
                    "gamma": gamma,
                }
            )
        )
    if not parts:
        raise MissingError(f"no {by} has two sizes with {x} and {y}; add a second size of one family")
    return pd.concat(parts, ignore_index=True).dropna(subset="gamma").reset_index(drop=True)
