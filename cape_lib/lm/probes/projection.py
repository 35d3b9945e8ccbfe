"""What the output projection does to the coupling: hidden states, logits, random projections, truncated ones, GELU.

Cosines after a projection W depend on W'W alone, so nothing of the size of the vocabulary is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.probes.coupling import _cosines, _weights, group_labels

_CHUNK = 8192


def _gram(rows: Callable[[int, int], torch.Tensor], n: int, d: int) -> torch.Tensor:
    """W'W of a matrix given in slices of rows, each row's mean over the vocabulary taken out."""
    total, first = torch.zeros(d, d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    for start in range(0, n, _CHUNK):
        part = rows(start, min(start + _CHUNK, n)).double()
        total += part.T @ part
        first += part.sum(0)
    # a constant added to all logits changes no probability
    return total - torch.outer(first, first) / n


def _through(gram: torch.Tensor, states: torch.Tensor, rank: int | None = None) -> torch.Tensor:
    """States in coordinates where the plain cosine is that of the projected states, keeping `rank` of them."""
    values, vectors = torch.linalg.eigh(gram)
    keep = slice(None) if rank is None else slice(len(values) - rank, None)
    kept: torch.Tensor = states.double() @ vectors[:, keep] * values[keep].clamp_min(0).sqrt()
    return kept.float()


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
    gram = _gram(lambda start, stop: matrix[start:stop].float().cpu(), n, d)
    rows = [_row("hidden", d, hidden, labels), _row("logits", d, _through(gram, hidden), labels)]
    rng = torch.Generator().manual_seed(seed)
    draws = draws if n * d <= 10**7 else min(draws, 3)
    random = [
        _through(_gram(lambda start, stop: torch.randn(stop - start, d, generator=rng), n, d), hidden)
        for _ in range(draws)
    ]
    found = np.array([_coupling(state, labels) for state in random])
    rows.append(
        {"what": "random projection", "rank": d, "coupling": found.mean(), "low": found.min(), "high": found.max(),
         "raw": float(np.mean([_raw(state, labels) for state in random]))}
    )  # fmt: skip
    for rank in [2**k for k in range(d.bit_length()) if 2**k < d]:
        rows.append(_row(f"rank {rank}", rank, _through(gram, hidden, rank), labels))
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
