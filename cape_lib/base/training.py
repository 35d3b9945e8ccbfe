"""Coupling along training: two scores of one run over its checkpoints, and what two trends alone would give.

Figures: `charts.training`; sentences: `story.training`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError
from cape_lib.names import suggest
from cape_lib.stats import Estimate, Floats, pearson_rows, sign_flip_p, student
from cape_lib.tables import load

CAPABILITIES: tuple[str, ...] = ("lambada_openai", "arc_easy", "sciq", "piqa")
STEREOTYPE = "crows_pairs_english"
#: all that this chapter asks of the runs
MEASURED: tuple[str, ...] = (*CAPABILITIES, STEREOTYPE)


def runs(benchmarks: Sequence[str] = MEASURED) -> pd.DataFrame:
    """The sixteen Pythia runs, one row a checkpoint: model, params_b, deduplicated, step, tokens_b and the scores.

    benchmarks: columns of the answer, percent, each with `<benchmark>_stderr` (points). Raises MissingError for a
    benchmark that was not measured along training.
    """
    long = load("pythia_checkpoints")
    known = sorted(long["benchmark"].unique())
    for benchmark in benchmarks:
        if benchmark not in known:
            raise MissingError(suggest("benchmark along training", benchmark, known))
    part = long[long["benchmark"].isin(list(benchmarks))]
    keys = ["model", "params_b", "step", "tokens_b"]
    wide = part.pivot(index=keys, columns="benchmark", values=["score", "stderr"])
    wide.columns = pd.Index([pair[1] if pair[0] == "score" else f"{pair[1]}_stderr" for pair in wide.columns.to_list()])
    wide = wide.reset_index()
    wide.insert(2, "deduplicated", wide["model"].str.endswith("-deduped"))
    return wide.sort_values(["params_b", "deduplicated", "step"], ignore_index=True)


def grid(rows: pd.DataFrame, column: str, *, from_step: int = 1_000) -> tuple[list[str], Floats]:
    """The course of one score in every run from a step on: names of the runs and an array (runs, checkpoints).

    Raises MissingError where fewer than three checkpoints are left or a run lacks one.
    """
    part = rows[rows["step"] >= from_step]
    wide = part.pivot(index="model", columns="step", values=column).loc[list(dict.fromkeys(part["model"]))]
    if wide.shape[1] < 3 or wide.isna().any(axis=None):
        raise MissingError(f"{column}: from step {from_step:,} on, each run needs the same three checkpoints or more")
    return [str(name) for name in wide.index], wide.to_numpy(float)


def along(
    rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000, difference: bool = False
) -> pd.DataFrame:
    """r of two scores along the training of each run: model, r, n (checkpoints, or changes between them).

    difference: correlate the changes from checkpoint to checkpoint in place of the levels: two straight trends drop out
    of them, a rise that slows in both does not.
    """
    pairs = crossed(rows, x=x, y=y, from_step=from_step, difference=difference)
    own = pairs[pairs["own"]].rename(columns={"x_model": "model"})
    return own[["model", "r", "n"]].reset_index(drop=True)


def crossed(
    rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000, difference: bool = False
) -> pd.DataFrame:
    """r of `x` of each run with `y` of each run, its own and every other: x_model, y_model, r, n, own.

    Two scores of different runs cannot act on each other. What they correlate is what two trends give.
    """
    (names, first), (_, second) = (grid(rows, score, from_step=from_step) for score in (x, y))
    if difference:
        first, second = np.diff(first, axis=1), np.diff(second, axis=1)
    # Every row of the first beside every row of the second.
    k, n = first.shape
    r = pearson_rows(np.repeat(first, k, axis=0), np.tile(second, (k, 1)))
    table = pd.DataFrame({"x_model": np.repeat(names, k), "y_model": np.tile(names, k), "r": r, "n": n})
    return table.assign(own=table["x_model"] == table["y_model"])


def beyond_trend(
    rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000, difference: bool = True
) -> pd.Series:
    """A test for coupling beyond a common trend: does a run's x go with its own y more than with its twin's?

    Two runs of one size share their trends and nothing else. If trend is all there is, it does not matter which of the
    two y stands beside which x: swapping them in some of the sizes gives every value that chance could.
    Returns own and twin (mean r over the sizes, averaged in Fisher's z), excess (their gap in z, with the interval that
    the swaps themselves give) and p (one-sided, exact: the share of the 2^k swaps of twins that give as much).
    Raises MissingError with fewer than four sizes in two runs.
    """
    pairs = crossed(rows, x=x, y=y, from_step=from_step, difference=difference)
    size = rows.drop_duplicates("model").set_index("model")["params_b"]
    pairs = pairs[pairs["x_model"].map(size) == pairs["y_model"].map(size)]
    pairs = pairs.assign(size=pairs["x_model"].map(size), z=np.arctanh(np.clip(pairs["r"], -0.999999, 0.999999)))
    z = pairs.groupby(["size", "own"])["z"].mean().unstack().dropna()
    if len(z) < 4:
        raise MissingError(f"a test against twins needs four sizes in two runs each, {len(z)} given")
    return excess(z[True].to_numpy(float), z[False].to_numpy(float))


def excess(own: Floats, twin: Floats) -> pd.Series:
    """The test of `beyond_trend` on its numbers: r (Fisher's z) of a run with itself, and with its twin, by size."""
    gap, k = own - twin, len(own)
    # The means of all subsets of symmetric gaps cut the line into parts as likely as each other (Hartigan 1969): the
    # swap test turned round. Below six gaps the interval is unbounded.
    subsets = ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)[1:]
    means = np.sort(subsets @ gap / subsets.sum(axis=1))
    out = int(0.025 * (len(means) + 1))
    low, high = (float(means[out - 1]), float(means[-out])) if out else (-np.inf, np.inf)
    beyond = Estimate(float(gap.mean()), low, high, k, "swaps of twins, Fisher z")
    mean_r = {"own": float(np.tanh(own.mean())), "twin": float(np.tanh(twin.mean()))}
    return pd.Series(mean_r | {"excess": beyond, "p": sign_flip_p(gap, "greater")})


def tests(rows: pd.DataFrame, *, y: str = STEREOTYPE, starts: Sequence[int] = (1_000, 3_000, 13_000)) -> pd.DataFrame:
    """`beyond_trend` for every capability that the rows have, from each start on, of changes and of levels.

    Returns capability, from_step, of, own, twin, excess, low, high (Fisher's z), p.
    """
    table, known = [], [name for name in CAPABILITIES if name in rows and name != y]
    for x, step, what in product(known, starts, ("changes", "levels")):
        one = beyond_trend(rows, x=x, y=y, from_step=step, difference=what == "changes")
        e = one.excess
        table.append((x, step, what, one.own, one.twin, e.estimate, e.low, e.high, one.p))
    names = ["capability", "from_step", "of", "own", "twin", "excess", "low", "high", "p"]
    return pd.DataFrame(table, columns=names)


def control(rows: pd.DataFrame, *, from_step: int = 1_000) -> pd.DataFrame:
    """`beyond_trend` where a tie is expected: two capabilities of one run, of which both follow what it has learnt.

    Returns first, second, own, twin, excess (Fisher's z), p for every pair of capabilities that the rows have. What
    the test does not see here it would not see elsewhere.
    """
    table = []
    for first, second in combinations([name for name in CAPABILITIES if name in rows], 2):
        one = beyond_trend(rows, x=first, y=second, from_step=from_step)
        table.append((first, second, one.own, one.twin, one.excess.estimate, one.p))
    return pd.DataFrame(table, columns=["first", "second", "own", "twin", "excess", "p"])


def change_noise(
    rows: pd.DataFrame, columns: Sequence[str], *, starts: Sequence[int] = (1_000, 3_000, 13_000)
) -> pd.DataFrame:
    """How much of the changes from checkpoint to checkpoint the questions' own noise could make.

    rows: with `<score>_stderr` (points). Returns score, from_step, sd (of the changes, points, median over the runs),
    noise (the same of two independent samples of questions: an upper bound, since all checkpoints answer the same) and
    share (noise variance over that of the changes, median; above 1 where the bound exceeds what changes).
    """
    table = []
    for column, step in product(columns, starts):
        sd = np.diff(grid(rows, column, from_step=step)[1], axis=1).std(axis=1, ddof=1)
        error = grid(rows, f"{column}_stderr", from_step=step)[1] ** 2
        noise = (error[:, 1:] + error[:, :-1]).mean(axis=1)
        medians = [float(np.median(values)) for values in (sd, np.sqrt(noise), noise / sd**2)]
        table.append((column, step, *medians))
    return pd.DataFrame(table, columns=["score", "from_step", "sd", "noise", "share"])


def by_size(rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> pd.DataFrame:
    """r over the sizes at one moment of training: step, tokens_b, deduplicated, r, n: size at equal tokens.

    A comparison by size at equal tokens has no common time in it; it has size, in which both scores may rise.
    """
    names = ["step", "tokens_b", "deduplicated"]
    parts = {moment: part for moment, part in rows.groupby(names) if len(part) > 3}
    table = [(*moment, float(pearson_rows(part[x], part[y])), len(part)) for moment, part in parts.items()]
    return pd.DataFrame(table, columns=[*names, "r", "n"])


def twin_spread(rows: pd.DataFrame, column: str, *, from_step: int = 1_000) -> Estimate:
    """How far the two runs of one size, with and without repeated documents, lie apart: SD of one run, points.

    The twins' texts differ in repeats, so that this is an upper bound for the spread between two runs alike.
    """
    part = rows[rows["step"] >= from_step]
    wide = part.pivot(index=["params_b", "step"], columns="deduplicated", values=column).dropna()
    per_size = (wide[True] - wide[False]).pow(2).groupby("params_b").mean().to_numpy(float)
    k = len(per_size)
    sd = float(np.sqrt(per_size.mean() / 2))
    left = np.sqrt((per_size.sum() - per_size) / (k - 1) / 2)
    half = student(0.95, k - 1) * float(np.sqrt((k - 1) * np.mean((left - left.mean()) ** 2)))
    return Estimate(sd, max(0.0, sd - half), sd + half, k, "sizes left out in turn")
