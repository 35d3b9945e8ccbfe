"""Coupling of two sets of prompts at many places at once, with interval, permutation null and multiple testing.

Definition.  r, t, n are the mean states of reasoning, truthfulness and neutral prompts.  The coupling is the cosine
of r - n and t - n.  The neutral prompts are split in two halves, one for either difference (both ways round, the
mean taken): with one and the same n in both, its noise alone would make every coupling positive, about 0.5 where
nothing is there.  Without centring, any two sets agree: that raw cosine is shown beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

#: order of the groups in the weights below
GROUPS = ("reasoning", "truthfulness", "neutral a", "neutral b")


@dataclass(frozen=True)
class Couplings:
    """Couplings at many places, each (n_places,).

    coupling: -1..1; low, high: 95 % by bootstrap over prompts within their sets; p_two, p_less, p_greater: by
    permutation of the sets' labels, never zero; raw: uncentred cosine of the mean states.
    """

    coupling: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_two: np.ndarray
    p_less: np.ndarray
    p_greater: np.ndarray
    raw: np.ndarray


def group_labels(sets: np.ndarray) -> np.ndarray:
    """Group 0-3 of each prompt (GROUPS); neutral prompts alternate between the two halves."""
    labels = np.select([sets == "reasoning", sets == "truthfulness"], [0, 1], default=2)
    neutral = np.flatnonzero(labels == 2)
    labels[neutral[1::2]] = 3
    return labels


def _weights(labels: np.ndarray, counts: np.ndarray) -> torch.Tensor:
    """Averaging weights (draws, 4, n_texts) for labels (draws, n_texts) drawn `counts` times each."""
    hit = (labels[:, None] == np.arange(4)[None, :, None]) * counts[:, None]
    return torch.from_numpy(hit / np.maximum(hit.sum(-1, keepdims=True), 1)).float()


def _cosines(weights: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Couplings (draws, n_places) of states (n_texts, n_places, d)."""
    means = torch.einsum("gcn,npd->gcpd", weights, states)
    r, t, a, b = means.unbind(1)
    cosine = torch.nn.functional.cosine_similarity
    return (cosine(r - a, t - b, dim=-1) + cosine(r - b, t - a, dim=-1)) / 2


def _many(labels: np.ndarray, counts: np.ndarray, states: torch.Tensor) -> np.ndarray:
    # a few at a time: all draws at once would hold draws x 4 x places x d numbers
    step = max(1, int(4e7 // max(1, 4 * states[0].numel())))
    parts = [
        _cosines(_weights(labels[i : i + step], counts[i : i + step]), states) for i in range(0, len(labels), step)
    ]
    return torch.cat(parts).numpy()


def couplings(
    states: torch.Tensor, sets: np.ndarray, *, permutations: int = 999, resamples: int = 400, seed: int = 0
) -> Couplings:
    """Couplings of states (n_texts, n_places, d); sets (n_texts,): "reasoning", "truthfulness" or "neutral"."""
    rng = np.random.default_rng(seed)
    labels = group_labels(sets)
    ones = np.ones((1, len(labels)))
    found = _many(labels[None], ones, states)[0]
    shuffled = np.stack([rng.permutation(labels) for _ in range(permutations)])
    null = _many(shuffled, np.broadcast_to(ones, shuffled.shape), states)
    counts = np.zeros((resamples, len(labels)))
    for group in range(4):
        where = np.flatnonzero(labels == group)
        counts[:, where] = rng.multinomial(len(where), np.full(len(where), 1 / len(where)), size=resamples)
    draws = _many(np.broadcast_to(labels, counts.shape), counts, states)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    means = torch.stack([states[torch.from_numpy(labels == group)].mean(0) for group in (0, 1)])
    raw = torch.nn.functional.cosine_similarity(means[0], means[1], dim=-1).numpy()
    slack = 1e-9
    rank = {
        "two": (np.abs(null) >= np.abs(found) - slack), "less": null <= found + slack, "greater": null >= found - slack,
    }  # fmt: skip
    p = {name: (1 + hit.sum(0)) / (1 + permutations) for name, hit in rank.items()}
    return Couplings(found, low, high, p["two"], p["less"], p["greater"], raw)


def false_discovery(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg adjusted p (0-1), in the order given."""
    n = len(p)
    if n == 0:
        return np.asarray(p, dtype=float)
    order = np.argsort(p)
    raised = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    found = np.empty(n)
    found[order] = np.minimum(raised, 1.0)
    return found


def participation_ratio(states: torch.Tensor) -> float:
    """Effective number of dimensions of states (n_texts, d) around their mean; at most n_texts - 1."""
    centred = (states - states.mean(0)).double()
    gram = centred @ centred.T
    total = float(gram.diagonal().sum())
    return total**2 / max(float((gram**2).sum()), 1e-300)
