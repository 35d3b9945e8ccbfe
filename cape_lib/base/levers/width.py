"""Width normalisation as published, and what it does to scores that know nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError
from cape_lib.stats import (
    Estimate,
    generator,
    pearson,
    pearson_rows,
    percentile_interval,
    permutation_p,
)

#: width of Pythia-70M, the papers' unit
REFERENCE_WIDTH = 512.0


@dataclass(frozen=True, slots=True)
class WidthNull:
    """r after width normalisation beside the r of scores without any coupling on the same widths.

    `plain` and `normalised`: r of the ladder with Fisher intervals; `null`: mean and 95 % of r over random scores
    divided by the same widths; `share_positive`, `share_as_high`: parts of the random draws (0-1) with r above zero,
    and at least as high as the ladder's. `p`: permutation p, one-sided, that the ladder's r exceeds the null.
    """

    plain: Estimate
    normalised: Estimate
    null: Estimate
    share_positive: float
    share_as_high: float
    p: float


def with_width(ladder: pd.DataFrame, *, x: str, y: str) -> pd.DataFrame:
    """Rows that hold both scores and a width; MissingError with fewer than three or with one width only."""
    rows = ladder.dropna(subset=[x, y, "d_model"])
    if len(rows) < 3 or rows["d_model"].nunique() < 2:
        raise MissingError(
            f"width normalisation needs three models of different width with {x} and {y}, {len(rows)} given; "
            "add the column d_model"
        )
    return rows


def normalise(ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """Both scores divided by d_model / 512, as columns `x_normalised` and `y_normalised`, beside the given rows.

    Source: paper A, width normalisation; it names the risk that a common divisor makes r positive by itself.
    """
    rows = with_width(ladder, x=x, y=y)
    unit = rows["d_model"].astype(float) / REFERENCE_WIDTH
    return rows.assign(x_normalised=rows[x] / unit, y_normalised=rows[y] / unit)


def width_normalised(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    resamples: int = 10_000,
    seed: int = 0,
) -> WidthNull:
    """r before and after dividing both scores by width, beside random scores on the same widths.

    ladder: sizes of one family with d_model, scores in percent. The random scores are the ladder's own x and y, each
    shuffled over the sizes by itself: same values, no coupling and no trend with size.
    Source: paper A; Pythia -0.989 to +0.963.
    """
    rows = normalise(ladder, x=x, y=y)
    after = pearson(rows["x_normalised"].to_numpy(float), rows["y_normalised"].to_numpy(float))
    drawn = random_r(rows, x=x, y=y, resamples=resamples, seed=seed)
    low, high = percentile_interval(drawn)
    return WidthNull(
        plain=pearson(rows[x].to_numpy(float), rows[y].to_numpy(float)),
        normalised=after,
        null=Estimate(float(np.nanmean(drawn)), low, high, len(rows), "random scores divided by the same widths"),
        share_positive=float(np.mean(drawn > 0)),
        share_as_high=float(np.mean(drawn >= after.estimate)),
        p=permutation_p(after.estimate, drawn, "greater"),
    )


def random_r(ladder: pd.DataFrame, *, x: str, y: str, resamples: int, seed: int) -> np.ndarray:
    """r of shuffled scores after division by width, shape (resamples,); x and y are shuffled independently."""
    rows = with_width(ladder, x=x, y=y)
    rng = generator(seed)
    unit = rows["d_model"].to_numpy(float) / REFERENCE_WIDTH
    old = rng.permuted(np.tile(rows[x].to_numpy(float), (resamples, 1)), axis=1)
    new = rng.permuted(np.tile(rows[y].to_numpy(float), (resamples, 1)), axis=1)
    return pearson_rows(old / unit, new / unit)


def width_by_ladder(
    panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", resamples: int = 4000, seed: int = 0
) -> pd.DataFrame:
    """Every ladder of a panel with at least three widths, before and after, beside its own null.

    panel: `tables.base(...)`. Returns ladder, n, r, low, high, r_normalised, low_normalised, high_normalised, null,
    null_low, null_high, share_positive, p; by name of the ladder.
    """
    table = []
    for name, rows in panel.dropna(subset=["ladder"]).groupby("ladder"):
        usable = rows.dropna(subset=[x, y, "d_model"])
        if len(usable) < 3 or usable["d_model"].nunique() < 2:
            continue
        w = width_normalised(usable, x=x, y=y, resamples=resamples, seed=seed)
        table.append(
            (str(name), w.plain.n, w.plain.estimate, w.plain.low, w.plain.high, w.normalised.estimate, w.normalised.low,
             w.normalised.high, w.null.estimate, w.null.low, w.null.high, w.share_positive, w.p)
        )  # fmt: skip
    columns = ["ladder", "n", "r", "low", "high", "r_normalised", "low_normalised", "high_normalised"]
    return pd.DataFrame(table, columns=[*columns, "null", "null_low", "null_high", "share_positive", "p"])
