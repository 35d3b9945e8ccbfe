"""Couplings: the sign and interval of gamma, correlations over panels with families, the effective dimension."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cape_lib.base.coupling import SETTLED, dimension_interval, participation_ratio, settled_beyond
from cape_lib.stats import (
    cluster_bootstrap_counts,
    clustered_r,
    fieller_limits,
    fisher,
    pearson,
    pearson_rows,
    permutation_p,
    permutations_within,
    ratio_below,
    row_bootstrap_counts,
    score_sd,
    wilson,
)
from cape_lib.tables import ITEM_COUNTS
from experiments.coverage.rates import Floats, Rate, Setting, away, bias, coverage, measured, share

DRAWS = 300
#: how a ladder was judged at first: each step as if it were alone
ONE_BY_ONE = "any step of a ladder, each at 97.5 %"
#: shares of the variance along the directions of five scores
SPECTRA = {
    "one direction": (90.0, 6.0, 2.0, 1.0, 1.0),
    "two directions": (50.0, 40.0, 5.0, 3.0, 2.0),
    "three directions": (30.0, 28.0, 25.0, 10.0, 7.0),
}


def gamma_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Fieller's interval and the settled sign of one step, and of any step of a ladder on which nothing happens."""
    for noise, shared in (("questions", 0.0), ("questions, half of the noise shared", 0.5)):
        for dx, gamma in product((2.0, 8.0), (-0.5, 0.0, 0.3)):
            ladders = _steps(50.0 + np.array([0.0, dx]), 40.0 + gamma * np.array([0.0, dx]), shared, replications, rng)
            low, high, p = (v[:, 0] for v in _judged(*ladders))
            setting = Setting("local coupling", "Fieller", f"gamma {gamma:g}, step of {dx:g} points", 2, noise)
            yield coverage(setting, np.column_stack([low, high]), gamma)
            negative, positive = p > SETTLED, p < 1 - SETTLED
            if gamma == 0.0:
                yield share(setting, negative | positive, "false positives")
            else:
                yield share(setting, positive if gamma < 0 else negative, "false signs")
                yield share(setting, negative if gamma < 0 else positive, "power")
        for sizes in (4, 8):
            p = _judged(*_steps(np.linspace(30.0, 70.0, sizes), np.full(sizes, 40.0), shared, replications, rng))[2]
            for name, limit in (("any step of a ladder", settled_beyond(sizes - 1)), (ONE_BY_ONE, SETTLED)):
                setting = Setting("local coupling", name, "gamma 0", sizes, noise)
                yield share(setting, ((p > limit) | (p < 1 - limit)).any(axis=1), "false positives")


def _steps(
    x: Floats, y: Floats, shared: float, replications: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    """Measured scores of ladders whose truth is x and y (k,), and their stated noise, each (replications, k).

    shared: correlation of the noise between sizes, as models that answer the same questions have; the book assumes 0.
    """
    answer = []
    for true, items in ((x, ITEM_COUNTS["hellaswag"]), (y, ITEM_COUNTS["truthfulqa"])):
        many = np.broadcast_to(true, (replications, true.size))
        if shared == 0.0:
            answer.append(measured(many, items, rng))
        else:
            own, common = rng.standard_normal(many.shape), rng.standard_normal((replications, 1))
            mixed = np.sqrt(1 - shared) * own + np.sqrt(shared) * common
            observed = many + score_sd(many, items=items) * mixed
            answer.append((observed, score_sd(observed, items=items)))
    (first, first_sd), (second, second_sd) = answer
    return first, second, first_sd, second_sd


def _judged(x: Floats, y: Floats, x_sd: Floats, y_sd: Floats) -> tuple[Floats, Floats, Floats]:
    """Fieller's ends and P(gamma < 0) of every step, as `coupling.local_coupling` has them."""
    dx, dy = np.diff(x, axis=1), np.diff(y, axis=1)
    var_dx, var_dy = (sd[:, :-1] ** 2 + sd[:, 1:] ** 2 for sd in (x_sd, y_sd))
    low, high = fieller_limits(dy, dx, var_dy=var_dy, var_dx=var_dx)
    return low, high, ratio_below(0.0, dy, dx, var_dy=var_dy, var_dx=var_dx)


def panel_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Pearson r, the clustered interval, the partial r and the permutation test on panels made of families.

    Four times the replications: these are quick, and the shares are near their limits.
    """
    replications *= 4
    for families, k, icc in ((58, 1, 0.0), (12, 5, 0.0), (12, 5, 0.6), (30, 5, 0.6)):
        noise = f"{families} families of {k}, {icc:.0%} of the variance between them"
        family = np.repeat(np.arange(families), k)
        x, y = _panels(families, k, icc, (0.5, 0.3), replications, rng)
        truth, r = icc * 0.5 + (1 - icc) * 0.3, pearson_rows(x, y)
        intervals = [fisher(float(v), family.size) for v in r]
        aware = [clustered_r(x[i], y[i], family) for i in range(replications)]
        plain = _setting("Pearson, Fisher's z", "r above 0", family.size, noise)
        yield coverage(plain, intervals, truth)
        left_out = _setting("Pearson, families left out", "r above 0", family.size, noise)
        yield coverage(left_out, aware, truth)
        yield bias(plain, r - truth, unit="r")
        yield from _null_rates(family, icc, noise, replications, rng)
    yield from _flip_rates(replications, rng)


def _setting(method: str, truth: str, n: int, noise: str) -> Setting:
    return Setting("population coupling", method, truth, n, noise)


def _null_rates(
    family: NDArray[np.int64], icc: float, noise: str, replications: int, rng: np.random.Generator
) -> Iterator[Rate]:
    """Two scores that share nothing but, in turn, the family and the size of the model."""
    families, n = int(family.max()) + 1, family.size
    k = n // families
    x, y = _panels(families, k, icc, (0.0, 0.0), replications, rng)
    yield away(_setting("Pearson, Fisher's z", "r 0", n, noise), [fisher(float(v), n) for v in pearson_rows(x, y)])
    size = rng.standard_normal(x.shape)
    big, bold = x + 2 * size, y + 2 * size
    left = [pearson(big[i], bold[i], given=size[i]) for i in range(replications)]
    truth = "r 0 at equal size"
    yield away(_setting("partial r given size, Fisher's z", truth, n, noise), left)
    left = [clustered_r(big[i], bold[i], family, given=size[i]) for i in range(replications)]
    yield away(_setting("partial r given size, families left out", truth, n, noise), left)
    if k > 1:
        x, y = _panels(families, k, max(icc, 0.6), (0.8, 0.0), replications, rng)
        p = np.array([_permuted(x[i], y[i], family, rng) for i in range(replications)])
        shuffled = _setting("shuffles within families", "r 0 within families, 0.8 between", n, noise)
        yield share(shuffled, p < 0.05, "false positives")


def _flip_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """A negative r below the cut and a positive one above it, where no two scores know of each other."""
    for n in (20, 60):
        half = n // 2
        below, above = (pearson_rows(*rng.standard_normal((2, replications, half))) for _ in range(2))
        sure = [fisher(a, half).high < 0 < fisher(b, half).low for a, b in zip(below, above, strict=True)]
        for reading, hits in (("the signs alone", (below < 0) & (above > 0)), ("both intervals", sure)):
            setting = _setting(f"sign flips at a cut, by {reading}", "r 0 on both sides", n, "independent models")
            yield share(setting, hits, "false positives")


def _panels(
    families: int, k: int, icc: float, r: tuple[float, float], replications: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Standard scores (replications, families k): a share `icc` of the variance between families; r between, within."""
    parts = []
    for shape, correlation in zip(((replications, families, 1), (replications, families, k)), r, strict=True):
        first, other = rng.standard_normal((2, *shape))
        parts.append((first, correlation * first + np.sqrt(1 - correlation**2) * other))
    x, y = (np.sqrt(icc) * parts[0][i] + np.sqrt(1 - icc) * parts[1][i] for i in (0, 1))
    return x.reshape(replications, -1), y.reshape(replications, -1)


def _permuted(x: Floats, y: Floats, family: NDArray[np.int64], rng: np.random.Generator) -> float:
    size = np.bincount(family)
    dx, dy = (v - (np.bincount(family, weights=v) / size)[family] for v in (x, y))
    draws = dy[permutations_within(family, DRAWS, rng)] @ dx
    return permutation_p(float(dx @ dy), draws)


def dimension_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The bootstrap interval of the participation ratio, for scores of one and of two strong directions."""
    for truth, spectrum in SPECTRA.items():
        values = np.array(spectrum)
        true = float(values.sum() ** 2 / (values**2).sum())
        for n, families in ((8, 0), (26, 0), (60, 0), (60, 12)):
            ends, points = [], []
            for _ in range(replications):
                scores, counts = _scores(values, n, families, rng)
                points.append(float(participation_ratio(scores)[0]))
                ends.append(dimension_interval(points[-1], participation_ratio(scores, counts), values.size))
            noise = f"{families} families" if families else "independent models"
            setting = Setting("effective dimension", "bootstrap", truth, n, noise)
            yield coverage(setting, ends, true)
            yield bias(setting, np.array(points) - true, unit="directions")


def _scores(values: Floats, n: int, families: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Scores (n, 5) with this spectrum and the resamples that the book would take of them."""
    own = rng.standard_normal((n, values.size))
    if not families:
        return own * np.sqrt(values), row_bootstrap_counts(n, DRAWS, rng)
    family = np.repeat(np.arange(families), n // families)
    shared = rng.standard_normal((families, values.size))[family]
    return (np.sqrt(0.4) * own + np.sqrt(0.6) * shared) * np.sqrt(values), cluster_bootstrap_counts(family, DRAWS, rng)


def share_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Wilson's interval, over true shares from 2 to 98 %."""
    for n in (7, 20, 60):
        true = rng.uniform(0.02, 0.98, size=replications)
        ends = [wilson(int(k), n) for k in rng.binomial(n, true)]
        yield coverage(Setting("shares", "Wilson", "any share", n, "draws alone"), ends, true)
