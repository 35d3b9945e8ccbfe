"""Cosines between directions that are known from few texts.

A mean of few texts in many dimensions is mostly noise, and noise is long: the cosine of two such means is pulled to
zero, or to one where they share a part, and a bootstrap repeats the pull.  So the inner product and both lengths are
estimated each without its own noise (products of different texts only), and the interval solves Fieller's equation
with the jackknife's covariance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from cape_lib.stats import Estimate, fieller_limits, student

Floats = NDArray[np.float64]


def cosines_of_means(states: Floats, groups: NDArray[np.int64]) -> pd.DataFrame:
    """Cosine of two mean states, both centred on a third where there is one, with an interval; one row a place.

    states: (n_texts, n_places, d); groups: (n_texts,) 0 and 1 for the two sets, 2 for the neutral texts; without any
    2 nothing is centred.  At least three texts a group.
    Returns estimate, missing where a length is unknown; low, high: 95 %, -1 to 1 where a length cannot be told from
    zero; p_two, p_less, p_greater (0-1): of a cosine of zero, by the inner product over its standard error.
    """
    used = np.unique(groups)
    centred = len(used) > 2
    contrasts = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])[:, : len(used)]
    states = np.asarray(states, dtype=np.float64)
    if centred:
        states = states - states.mean(0)  # changes nothing but rounding
    member = (groups[:, None] == used).astype(float)
    counts = member.sum(0)
    products = np.matmul(states.transpose(1, 0, 2), states.transpose(1, 2, 0))
    products *= 1 - np.eye(len(groups))  # never a text with itself
    with_groups = products @ member
    sums = member.T @ with_groups
    own = member[:, :, None] * with_groups[:, :, None, :]

    def parts(sums: Floats, counts: Floats) -> Floats:
        """Inner product and product of the two lengths, (..., 2), of sums of products between the groups."""
        pairs = counts[..., :, None] * (counts[..., None, :] - np.eye(len(used)))
        dots = contrasts @ (sums / pairs) @ contrasts.T
        lengths = np.maximum(np.diagonal(dots, axis1=-2, axis2=-1), 0)
        return np.stack([dots[..., 0, 1], np.sqrt(lengths.prod(axis=-1))], axis=-1)

    without_text = parts(sums[:, None] - own - own.swapaxes(-1, -2), counts - member)
    covariance = np.zeros((states.shape[1], 2, 2))
    for n, inside in zip(counts, member.T > 0, strict=True):
        left = without_text[:, inside]
        left = left - left.mean(1, keepdims=True)
        covariance += (n - 1) / n * np.einsum("pka,pkb->pab", left, left)
    freedom = int(counts.min()) - 1
    inner, lengths = parts(sums, counts).T
    var_inner, var_lengths, both = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    low, high = fieller_limits(inner, lengths, var_dy=var_inner, var_dx=var_lengths, cov=both, freedom=freedom)
    bounded = np.isfinite(low) & np.isfinite(high) & (low <= high)
    low, high = np.where(bounded, np.clip(low, -1, 1), -1.0), np.where(bounded, np.clip(high, -1, 1), 1.0)
    estimate = np.where(lengths > 0, np.clip(inner / np.where(lengths > 0, lengths, 1.0), -1, 1), np.nan)
    t = inner / np.sqrt(np.maximum(var_inner, 1e-300))
    greater = stdtr(freedom, -t)
    columns = {"estimate": estimate, "low": low, "high": high, "p_two": 2 * stdtr(freedom, -np.abs(t))}
    return pd.DataFrame(columns | {"p_less": 1 - greater, "p_greater": greater})


def repeat_cosine(differences: Floats, clusters: NDArray[np.str_]) -> Estimate:
    """Reliability of a mean difference: its expected cosine to that of as many other pairs, with a 95 % interval.

    differences: (n_pairs, d); clusters: (n_pairs,) topics; pairs of one topic may share what they show, so
    only products of different topics count.  With fewer than four topics each pair stands for itself.
    """
    differences = np.asarray(differences, dtype=np.float64)
    names, place = np.unique(clusters, return_inverse=True)
    if len(names) < 4:
        names, place = np.arange(len(differences)).astype(str), np.arange(len(differences))
    sums = np.stack([differences[place == one].sum(0) for one in range(len(names))])
    sizes, squares = np.bincount(place).astype(float), (sums**2).sum(1)
    products = sums @ sums.sum(0)
    # The whole first, then one cluster left out at a time: squared length, its noise, and the number of pairs.
    length = products.sum() - np.append(0.0, 2 * products - squares)
    noise = squares.sum() - np.append(0.0, squares)
    n, own = sizes.sum() - np.append(0.0, sizes), (sizes**2).sum() - np.append(0.0, sizes**2)
    whole, *left = ((length - noise) / (n**2 - own) / np.maximum(length / n**2, 1e-300)).tolist()
    k = len(names)
    sd = np.sqrt((k - 1) / k * ((np.array(left) - np.mean(left)) ** 2).sum())
    reach = student(0.95, k - 1) * sd
    estimate, low, high = (float(np.clip(value, 0, 1)) for value in (whole, whole - reach, whole + reach))
    return Estimate(estimate, low, high, len(differences), "jackknife over topics")
