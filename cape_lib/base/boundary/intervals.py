"""The vertex of the pooled quadratic under four kinds of doubt: rows, families, one family fewer, score noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.boundary.quadratic import (
    Parabolas,
    billions,
    fit_parabolas,
    log_size,
    vertex_bootstrap,
)
from cape_lib.stats import (
    LEAST_CLUSTERS,
    cluster_bootstrap_counts,
    complete_rows,
    generator,
    noisy_scores,
    percentile_interval,
    score_noise,
)

Floats = NDArray[np.float64]



def vertex_intervals(
    frame: pd.DataFrame, *, y: str = "truthfulqa", by: str = "family", resamples: int = 10_000, seed: int = 42
) -> pd.DataFrame:
    """The vertex of a quadratic of y in log10 size over pooled families, with every interval that can be had.

    frame: one row a model; columns params_b (billions), y (percent), `by`. Returns one row a method:

    "rows resampled, as published"    vertices outside 10^7 to 10^12 parameters dropped; takes rows for independent
    "families resampled"    with eight families or more; NaN and the reason with fewer
    "one family left out"    from the smallest to the largest vertex with one family fewer (a range, not 95 %)
    "score noise"    the same models asked other questions; nothing else

    Columns: method, n_c_b (billions; NaN where the quadratic does not turn up inside the sizes), low, high (0 = below
    every size, inf = beyond every size: unlike the published rule, resamples without a boundary are counted), share
    (of resamples with a boundary inside), n (rows), families, reason.
    Raises MissingError with fewer than three rows. Published: 3.5 B [2.9, 13.4] (rows resampled).
    """
    rows = complete_rows(frame, ["params_b", y], least=3, purpose="a quadratic")
    t, score = log_size(rows), rows[y].to_numpy(dtype=float)
    named = by in rows.columns
    codes = pd.factorize(rows[by] if named else pd.Series(["all"] * len(rows)), use_na_sentinel=False)[0]
    names = [str(name) for name in (pd.unique(rows[by]) if named else ["all"])]
    published = vertex_bootstrap(rows, y=y, resamples=resamples, seed=seed)
    point = float(turning_points(fit_parabolas(t, score), t)[0])
    first = {
        "method": "rows resampled, as published",
        "n_c_b": published.point,
        "low": published.estimate.low,
        "high": published.estimate.high,
        "share": published.kept,
        "reason": "the interval leaves out resamples without a boundary and takes rows for independent",
    }
    rest = [
        _families(t, score, codes, resamples, seed),
        _left_out(t, score, codes, names),
        _noise(t, score, score_noise(rows, y), resamples, seed),
    ]
    for row in rest:
        row["n_c_b"] = billions(point) if np.isfinite(point) else np.nan
    answer = pd.DataFrame([first, *rest])
    return answer.assign(n=t.size, families=len(names))[
        ["method", "n_c_b", "low", "high", "share", "n", "families", "reason"]
    ]


def turning_points(parabolas: Parabolas, t: Floats) -> Floats:
    """log10 size at which each quadratic turns from falling to rising inside the sizes t.

    +inf where it still falls at the largest size, -inf where it rises from the smallest on, NaN where it is not
    defined.
    """
    start, end = parabolas.slope_at(float(t.min())), parabolas.slope_at(float(t.max()))
    with np.errstate(invalid="ignore"):
        outside = np.where(end <= 0, np.inf, -np.inf)
        turns = np.where((start < 0) & (end > 0), parabolas.vertex(), outside)
    return np.where(np.isnan(start + end), np.nan, turns)


def _summary(method: str, draws: Floats, reason: str) -> dict[str, object]:
    """One row from draws of log10 vertices that may be infinite."""
    known = draws[~np.isnan(draws)]
    low, high = percentile_interval(known)
    share = float(np.isfinite(known).mean()) if known.size else float("nan")
    return {"method": method, "low": billions(low), "high": billions(high), "share": share, "reason": reason}


def _families(t: Floats, y: Floats, codes: NDArray[np.intp], resamples: int, seed: int) -> dict[str, object]:
    families = int(codes.max()) + 1
    if families < LEAST_CLUSTERS:
        return _summary(
            "families resampled",
            np.full(1, np.nan),
            f"{families} families are too few to resample; it takes {LEAST_CLUSTERS}",
        )
    counts = cluster_bootstrap_counts(codes, resamples, generator(seed))
    return _summary("families resampled", turning_points(fit_parabolas(t, y, counts), t), "whole families drawn")


def _left_out(t: Floats, y: Floats, codes: NDArray[np.intp], names: list[str]) -> dict[str, object]:
    method = "one family left out"
    if len(names) < 2:
        return _summary(method, np.full(1, np.nan), "one family only: nothing is left without it")
    keep = (codes[None, :] != np.arange(len(names))[:, None]).astype(np.int64)
    draws = turning_points(fit_parabolas(t, y, keep), t)
    row = _summary(method, draws, "")
    known = np.flatnonzero(~np.isnan(draws))
    if known.size:
        ends = [known[np.argmin(draws[known])], known[np.argmax(draws[known])]]
        row["low"], row["high"] = (billions(float(draws[end])) for end in ends)
        row["reason"] = f"from without {names[ends[0]]} to without {names[ends[1]]}"
    return row


def _noise(t: Floats, y: Floats, sd: Floats, resamples: int, seed: int) -> dict[str, object]:
    if not np.isfinite(sd).all():
        return _summary("score noise", np.full(1, np.nan), "the noise of the scores is unknown")
    draws = noisy_scores(y, sd, resamples, generator(seed))
    return _summary("score noise", turning_points(fit_parabolas(t, draws), t), "score noise alone")
