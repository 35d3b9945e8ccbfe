"""Cosines between directions that are known from few texts: estimates without bias, intervals that cover.

A mean of few texts in many dimensions is mostly noise, and noise is long.  The cosine of two such means is pulled to
zero, or to one where they share a part, and a bootstrap of it repeats the pull.  Here the inner product and the two
lengths are estimated each without its own noise (products of different texts only), and the interval solves
Fieller's equation with the jackknife's covariance.  Where a length cannot be told from zero the cosine is unknown: the
interval is -1 to 1, and the estimate is missing where the length comes out below zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from cape_lib.stats.estimate import Estimate
from cape_lib.stats.noise import fieller_limits

Floats = NDArray[np.float64]

#: products between groups 0, 1, 2, in the order of the weights below
_TERMS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_CENTRED = np.array([[0, 0, 1, 1, -1, -1], [1, 0, 1, 0, -2, 0], [0, 1, 1, 0, 0, -2]], dtype=float)
_RAW = np.array([[0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], dtype=float)


@dataclass(frozen=True)
class Cosines:
    """Cosines at many places, each (n_places,).

    estimate: missing where a length is unknown; low, high: 95 %; t: the inner product over its standard error, with
    `freedom` degrees, which tests whether the cosine is zero and agrees with the interval.
    """

    estimate: Floats
    low: Floats
    high: Floats
    t: Floats
    freedom: int

    @property
    def p_greater(self) -> Floats:
        """One-sided p (0-1) that the cosine is above zero by chance; 1 - p_greater is the other side's."""
        return np.asarray(stdtr(self.freedom, -self.t))

    @property
    def p_two(self) -> Floats:
        """Two-sided p (0-1) of a cosine of zero."""
        return np.asarray(2 * stdtr(self.freedom, -np.abs(self.t)))


def cosines_of_means(states: Floats, groups: NDArray[np.int64], *, level: float = 0.95) -> Cosines:
    """Cosine of two mean states, both centred on a third where there is one, with an interval.

    states: (n_texts, n_places, d); groups: (n_texts,) 0 and 1 for the two sets, 2 for the neutral texts; without any
    2 nothing is centred.  At least three texts a group.
    """
    centred = bool((groups == 2).any())
    weights = _CENTRED if centred else _RAW
    used = [group for group in (0, 1, 2) if centred or group < 2]
    states = np.asarray(states, dtype=np.float64)
    if centred:
        states = states - states.mean(0)  # changes nothing but rounding
    inside = [np.flatnonzero(groups == group) for group in (0, 1, 2)]
    sums = np.stack([states[rows].sum(0) for rows in inside])
    shares = np.einsum("npd,gpd->gnp", states, sums)
    squares = np.einsum("npd,npd->np", states, states)
    whole = _ratio_parts(_products(shares, squares, inside, None), weights)
    covariance = np.zeros((states.shape[1], 2, 2))
    for group in used:
        without = [_products(shares, squares, inside, (group, int(row))) for row in inside[group]]
        left = np.stack([_ratio_parts(products, weights) for products in without])
        left -= left.mean(0)
        n = len(inside[group])
        covariance += (n - 1) / n * np.einsum("kpa,kpb->pab", left, left)
    freedom = min(len(inside[group]) for group in used) - 1
    return _fieller(whole, covariance, freedom, level)


def _products(shares: Floats, squares: Floats, inside: list[NDArray[np.int64]], out: tuple[int, int] | None) -> Floats:
    """Mean products between texts of two groups, never of a text with itself, (n_places, 6); `out` leaves one out."""
    products = []
    for a, b in _TERMS:
        n, m = len(inside[a]), len(inside[b])
        if not n or not m:
            products.append(np.zeros(squares.shape[1]))
            continue
        total = shares[b][inside[a]].sum(0)
        if a == b:
            total = total - squares[inside[a]].sum(0)
            if out and out[0] == a:
                total, n = total - 2 * (shares[a][out[1]] - squares[out[1]]), n - 1
            products.append(total / (n * (n - 1)))
            continue
        if out and out[0] == a:
            total, n = total - shares[b][out[1]], n - 1
        elif out and out[0] == b:
            total, m = total - shares[a][out[1]], m - 1
        products.append(total / (n * m))
    return np.stack(products, axis=-1)


def _ratio_parts(products: Floats, weights: Floats) -> Floats:
    """Inner product and product of the two lengths, (n_places, 2)."""
    inner, first, second = (products @ weights.T).T
    return np.stack([inner, np.sqrt(np.maximum(first, 0) * np.maximum(second, 0))], axis=-1)


def _fieller(parts: Floats, covariance: Floats, freedom: int, level: float) -> Cosines:
    """All cosines c for which inner product minus c times the lengths lies within t standard errors of zero."""
    inner, lengths = parts.T
    var_inner, var_lengths, both = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    low, high = fieller_limits(
        inner, lengths, var_dy=var_inner, var_dx=var_lengths, cov=both, level=level, freedom=freedom
    )
    bounded = np.isfinite(low) & np.isfinite(high) & (low <= high)
    low, high = np.where(bounded, np.clip(low, -1, 1), -1.0), np.where(bounded, np.clip(high, -1, 1), 1.0)
    estimate = np.where(lengths > 0, np.clip(inner / np.where(lengths > 0, lengths, 1.0), -1, 1), np.nan)
    return Cosines(estimate, low, high, inner / np.sqrt(np.maximum(var_inner, 1e-300)), freedom)


def repeat_cosine(differences: Floats, clusters: NDArray[np.str_], *, level: float = 0.95) -> Estimate:
    """Reliability of a mean difference: its expected cosine to that of as many other pairs, with an interval.

    differences: (n_pairs, d); clusters: (n_pairs,) topics; pairs of one topic may share what they show, so
    only products of different topics count.  With fewer than four topics each pair stands for itself.
    """
    differences = np.asarray(differences, dtype=np.float64)
    names, place = np.unique(clusters, return_inverse=True)
    if len(names) < 4:
        names, place = np.arange(len(differences)).astype(str), np.arange(len(differences))
    sums = np.stack([differences[place == one].sum(0) for one in range(len(names))])
    sizes = np.bincount(place).astype(float)
    squares = (sums**2).sum(1)
    total = sums.sum(0)
    products = sums @ total

    def share(out: int | None) -> float:
        """Squared length without noise over squared length, where one cluster may be left out."""
        length = float(total @ total)
        noise, n, own = squares.sum(), sizes.sum(), (sizes**2).sum()
        if out is not None:
            length = length - 2 * products[out] + squares[out]
            noise, n, own = noise - squares[out], n - sizes[out], own - sizes[out] ** 2
        real = (length - noise) / (n**2 - own)
        return float(real / max(length / n**2, 1e-300))

    whole = share(None)
    left = np.array([share(one) for one in range(len(names))])
    k = len(names)
    sd = np.sqrt((k - 1) / k * ((left - left.mean(0)) ** 2).sum())
    reach = float(stdtrit(k - 1, 0.5 + level / 2)) * sd
    estimate, low, high = (float(np.clip(value, 0, 1)) for value in (whole, whole - reach, whole + reach))
    return Estimate(estimate, low, high, len(differences), "jackknife over topics")
