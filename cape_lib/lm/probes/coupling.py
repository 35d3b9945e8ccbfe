"""Coupling of two sets of prompts at many places at once, with interval, test and the correction for many.

Definition.  r, t, n are the mean states of reasoning, truthfulness and neutral prompts.  The coupling is the cosine
of r - n and t - n, estimated without the noise of the means (`cape_lib.stats.cosine`): with one and the same n in
both, its noise alone would make every coupling positive, and the noise of r and t would pull it to zero.  Without
centring, any two sets agree: that raw cosine is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from cape_lib.stats import cosines_of_means


@dataclass(frozen=True)
class Couplings:
    """Couplings at many places, each (n_places,).

    coupling: -1..1, missing where a set does not differ from the neutral one beyond noise; low, high: 95 % (-1 to 1
    where that cannot be told); p_two, p_less, p_greater: of a
    coupling of zero, in agreement with the interval; raw:
    uncentred cosine of the mean states, with raw_low and raw_high.
    """

    coupling: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_two: np.ndarray
    p_less: np.ndarray
    p_greater: np.ndarray
    raw: np.ndarray
    raw_low: np.ndarray
    raw_high: np.ndarray


def group_labels(sets: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for a reasoning, truthfulness or neutral prompt."""
    return np.select([sets == "reasoning", sets == "truthfulness"], [0, 1], default=2)


def couplings(states: torch.Tensor, sets: np.ndarray) -> Couplings:
    """Couplings of states (n_texts, n_places, d); sets (n_texts,): "reasoning", "truthfulness" or "neutral"."""
    groups, whole = group_labels(sets), states.double().numpy()
    centred, raw = cosines_of_means(whole, groups), cosines_of_means(whole[groups < 2], groups[groups < 2])
    return Couplings(
        centred.estimate, centred.low, centred.high, centred.p_two, 1 - centred.p_greater, centred.p_greater,
        raw.estimate, raw.low, raw.high,
    )  # fmt: skip


def false_discovery(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p (0-1), in the order given."""
    n = len(p)
    if n == 0:
        return np.asarray(p, dtype=float)
    order = np.argsort(p)
    raised = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def participation_ratio(states: torch.Tensor) -> float:
    """Effective number of dimensions of states (n_texts, d) around their mean; at most n_texts - 1."""
    centred = (states - states.mean(0)).double()
    gram = centred @ centred.T
    total = float(gram.diagonal().sum())
    return total**2 / max(float((gram**2).sum()), 1e-300)
