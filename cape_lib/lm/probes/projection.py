"""What the output projection does to the coupling: hidden states, logits, random projections, truncated ones, GELU.

Cosines after a projection W depend on W'W alone, so nothing of the size of the vocabulary is kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.probes.coupling import _cosines, _weights, group_labels

_CHUNK = 8192


def _gram(matrix: torch.Tensor) -> torch.Tensor:
    """W'W of a matrix (vocabulary, d) in double precision, the mean over the vocabulary taken out of each column."""
    n, d = matrix.shape
    total, first = torch.zeros(d, d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    for start in range(0, n, _CHUNK):
        part = matrix[start : start + _CHUNK].detach().float()
        total += (part.T @ part).double().cpu()
        first += part.sum(0).double().cpu()
    # a constant added to all logits changes no probability
    return total - torch.outer(first, first) / n


def _random_root(n: int, d: int, rng: np.random.Generator) -> torch.Tensor:
    """A with AA' distributed as W'W of a centred Gaussian matrix (n, d): Bartlett's decomposition, d x d numbers.

    Where the vocabulary is smaller than the width, the matrix itself is drawn.
    """
    if n <= d:
        drawn = rng.standard_normal((n, d))
        return torch.from_numpy((drawn - drawn.mean(0)).T)
    root = np.tril(rng.standard_normal((d, d)), -1)
    np.fill_diagonal(root, np.sqrt(rng.chisquare(n - 1 - np.arange(d))))
    return torch.from_numpy(root)


def _coupling(states: torch.Tensor, labels: np.ndarray) -> float:
    weights = _weights(labels[None], np.ones((1, len(labels))))
    return float(_cosines(weights, states[:, None])[0, 0])


def _raw(states: torch.Tensor, labels: np.ndarray) -> float:
    a, b = (states[torch.from_numpy(labels == group)].mean(0) for group in (0, 1))
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0))


@torch.inference_mode()
def projection_table(
    lm: LanguageModel, states: torch.Tensor, sets: np.ndarray, *, draws: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Coupling before and after the output projection, for states (n_texts, d) of the last block.

    One row a measurement: what ("hidden", "logits", "random projection", "rank k", "GELU of hidden"), rank, coupling
    (centred on neutral prompts), low, high (range of random draws, else missing), raw (uncentred cosine).
    The "wider projection" of the papers is the raw cosine of GELU(hidden): GELU makes most numbers positive, so any
    two sets of prompts agree after it; its centred coupling shows what is left.
    An empty table where a model has no readable output matrix.
    """
    labels = group_labels(sets)
    hidden = states
    if lm.norm is not None:
        weight = next(lm.norm.parameters(), None)
        device, kind = (weight.device, weight.dtype) if weight is not None else (torch.device("cpu"), torch.float32)
        if device.type != "meta":
            hidden = lm.norm(states.to(device, kind)).float().cpu()
    matrix = getattr(lm.unembedding, "weight", None)
    if matrix is None or matrix.device.type == "meta" or matrix.shape[-1] != hidden.shape[-1]:
        return pd.DataFrame(columns=["what", "rank", "coupling", "low", "high", "raw"])
    n, d = int(matrix.shape[0]), int(matrix.shape[1])
    values, vectors = torch.linalg.eigh(_gram(matrix))
    # coordinates, smallest direction first, in which the plain cosine is that of the logits
    through = (hidden.double() @ vectors * values.clamp_min(0).sqrt()).float()
    rows = [_row("hidden", d, hidden, labels), _row("logits", d, through, labels)]
    rng = np.random.default_rng([seed, 11])
    random = [(hidden.double() @ _random_root(n, d, rng)).float() for _ in range(draws)]
    found = np.array([_coupling(state, labels) for state in random])
    rows.append(
        {"what": "random projection", "rank": d, "coupling": found.mean(), "low": found.min(), "high": found.max(),
         "raw": float(np.mean([_raw(state, labels) for state in random]))}
    )  # fmt: skip
    for rank in [2**k for k in range(d.bit_length()) if 2**k < d]:
        rows.append(_row(f"rank {rank}", rank, through[:, d - rank :], labels))
    rows.append(_row("GELU of hidden", d, torch.nn.functional.gelu(hidden), labels))
    return pd.DataFrame(rows)


def _row(what: str, rank: int, states: torch.Tensor, labels: np.ndarray) -> dict[str, object]:
    nothing = float("nan")
    return {
        "what": what,
        "rank": rank,
        "coupling": _coupling(states, labels),
        "low": nothing,
        "high": nothing,
        "raw": _raw(states, labels),
    }
