"""Four benchmarks at once: correlations on the same models, and whether a printed matrix can exist at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.errors import MissingError
from cape_lib.frontier.lines import X, Y, complete_rows
from cape_lib.stats import pearson

AXES = (X, Y, "hle", "ifeval")
#: paper B, table 2: three correlations from three different sets of models (n = 21, 10, 9)
PUBLISHED = {(X, Y): 0.848, (Y, "hle"): 0.715, (X, "hle"): -0.251}
#: below this an eigenvalue is negative and not rounding
NEGATIVE = -1e-9


@dataclass(frozen=True, slots=True)
class CouplingMatrix:
    """Correlations of several benchmarks, `r` and `n` as frames by benchmark name.

    `eigenvalues` descending, `vectors` one column an eigenvalue; `possible`: no eigenvalue is negative, so that some
    set of models could show all these correlations at once. `models` are the complete cases ((), if pairs differ).
    """

    r: pd.DataFrame
    n: pd.DataFrame
    eigenvalues: NDArray[np.float64]
    vectors: pd.DataFrame
    possible: bool
    models: tuple[str, ...]


def coupling_matrix(frame: pd.DataFrame, *, axes: tuple[str, ...] = AXES) -> CouplingMatrix:
    """Correlations on the models that hold every score; MissingError with fewer than three of them."""
    rows = complete_rows(frame, *axes)
    if len(rows) < 3:
        raise MissingError(
            f"a matrix of {', '.join(axes)} needs three models with all of them, {len(rows)} given; "
            "add scores or leave a benchmark out"
        )
    r = rows[list(axes)].astype(float).corr()
    n = pd.DataFrame(len(rows), index=r.index, columns=r.columns)
    return _assemble(r, n, tuple(rows["model"]))


def pairwise_matrix(frame: pd.DataFrame, *, axes: tuple[str, ...] = AXES) -> CouplingMatrix:
    """Correlations pair by pair, each on whatever models hold both: the way of the paper, which may give no matrix."""
    r = pd.DataFrame(np.eye(len(axes)), index=list(axes), columns=list(axes))
    n = pd.DataFrame(0, index=list(axes), columns=list(axes))
    for first in axes:
        for second in axes:
            both = complete_rows(frame, *dict.fromkeys((first, second)))
            n.loc[first, second] = len(both)
            if first != second:
                r.loc[first, second] = pearson(both[first].to_numpy(float), both[second].to_numpy(float)).estimate
    return _assemble(r, n, ())


def published_matrix() -> CouplingMatrix:
    """Paper B's three printed correlations as one matrix; its smallest eigenvalue is negative."""
    axes = (X, Y, "hle")
    r = pd.DataFrame(np.eye(3), index=list(axes), columns=list(axes))
    for (first, second), value in PUBLISHED.items():
        r.loc[first, second] = r.loc[second, first] = value
    n = pd.DataFrame([[21, 21, 9], [21, 21, 10], [9, 10, 10]], index=list(axes), columns=list(axes))
    return _assemble(r, n, ())


def _assemble(r: pd.DataFrame, n: pd.DataFrame, models: tuple[str, ...]) -> CouplingMatrix:
    values = r.to_numpy(float)
    if not np.isfinite(values).all():
        empty = np.full(len(r), np.nan)
        return CouplingMatrix(r, n, empty, r * np.nan, False, models)
    eigenvalues, vectors = np.linalg.eigh(values)
    # A vector's sign is free: the largest loading is made positive.
    vectors = vectors[:, ::-1] * np.sign(vectors[:, ::-1][np.abs(vectors[:, ::-1]).argmax(axis=0), range(len(r))])
    named = pd.DataFrame(vectors, index=r.index, columns=[f"axis {i + 1}" for i in range(len(r))])
    return CouplingMatrix(r, n, eigenvalues[::-1].copy(), named, bool(eigenvalues.min() >= NEGATIVE), models)


def pair_table(frame: pd.DataFrame, *, axes: tuple[str, ...] = AXES) -> pd.DataFrame:
    """r of every pair twice: on all models with both scores, and on the complete cases of all axes.

    Returns first, second, n, r, low, high, n_complete, r_complete, low_complete, high_complete (Fisher z).
    """
    everywhere = complete_rows(frame, *axes)
    table = []
    for i, first in enumerate(axes):
        for second in axes[i + 1 :]:
            both = complete_rows(frame, first, second)
            a = pearson(both[first].to_numpy(float), both[second].to_numpy(float))
            b = pearson(everywhere[first].to_numpy(float), everywhere[second].to_numpy(float))
            table.append((first, second, a.n, a.estimate, a.low, a.high, b.n, b.estimate, b.low, b.high))
    tail = ["n_complete", "r_complete", "low_complete", "high_complete"]
    return pd.DataFrame(table, columns=["first", "second", "n", "r", "low", "high", *tail])
