"""Four benchmarks at once: correlations on the same models, and whether a printed matrix can exist at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.frontier.labs import lab_r
from cape_lib.frontier.lines import X, Y, complete_rows
from cape_lib.stats import seen_effect

AXES = (X, Y, "hle", "ifeval")
#: paper B, table 2: three correlations from three different sets of models (n = 21, 10, 9)
PUBLISHED = {(X, Y): 0.848, (Y, "hle"): 0.715, (X, "hle"): -0.251}


def published_matrix() -> pd.DataFrame:
    """Paper B's three printed correlations as one matrix, by benchmark; its smallest eigenvalue is negative."""
    axes = [X, Y, "hle"]
    r = pd.DataFrame(np.eye(3), index=axes, columns=axes)
    for (first, second), value in PUBLISHED.items():
        r.loc[first, second] = r.loc[second, first] = value
    return r


def pair_table(frame: pd.DataFrame, *, axes: tuple[str, ...] = AXES) -> pd.DataFrame:
    """r of every pair twice: on all models with both scores, and on the complete cases of all axes.

    Returns first, second, n, r, low, high, seen (the r that would have been told from zero), n_complete, r_complete,
    low_complete, high_complete (`lab_r`).
    """
    everywhere = complete_rows(frame, *axes)
    table = []
    for i, first in enumerate(axes):
        for second in axes[i + 1 :]:
            both = complete_rows(frame, first, second)
            a, b = lab_r(both, first, second), lab_r(everywhere, first, second)
            seen = seen_effect(a, scale="fisher")
            table.append((first, second, a.n, a.estimate, a.low, a.high, seen, b.n, b.estimate, b.low, b.high))
    tail = ["n_complete", "r_complete", "low_complete", "high_complete"]
    return pd.DataFrame(table, columns=["first", "second", "n", "r", "low", "high", "seen", *tail])
