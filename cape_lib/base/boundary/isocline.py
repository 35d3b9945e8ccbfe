"""The isocline: a curve of one score over another that is said to part fighting from cooperating models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.coupling.local import local_couplings
from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.stats import RATIO, clustered_share, complete_rows, isocline

Floats = NDArray[np.float64]
READINGS = ("stated", "reversed", "always negative")


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
    reading, right, n (intervals), share, low, high (0-1; Wilson's, over all ladders one that takes the steps of a
    ladder for alike where there are eight).
    """
    parts = [
        classify(panel, x=x, y=y, ratio=ratio, reading=reading, by=by).assign(reading=reading) for reading in READINGS
    ]
    table = pd.concat(parts, ignore_index=True)
    both = pd.concat([table.assign(group=table[by]), table.assign(group="all")], ignore_index=True)
    answer = []
    for (group, reading), rows in both.groupby(["group", "reading"], sort=False):
        share = clustered_share(rows["correct"], rows[by], level)
        answer.append((group, reading, int(rows["correct"].sum()), len(rows), share.estimate, share.low, share.high))
    return pd.DataFrame(answer, columns=[by, "reading", "right", "n", "share", "low", "high"])


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
    steps = local_couplings(panel, by=by, x=x, y=y).dropna(subset="gamma")
    smaller = panel[[by, "params_b", x, y]].rename(columns={"params_b": "params_b_low", x: "x", y: "y"})
    columns = [by, "smaller", "larger", "params_b_low", "params_b_high", "x", "y", "gamma"]
    return steps.merge(smaller.dropna(), on=[by, "params_b_low"], how="left")[columns]
