"""What the output projection does to the coupling: hidden states, logits, random projections, truncated ones, GELU.

Cosines after a projection W depend on W'W alone, so nothing of the size of the vocabulary is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.probes.coupling import group_labels
from cape_lib.stats import cosines_of_means

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


@dataclass(frozen=True)
class _Cosine:
    """Coupling with its interval, and the uncentred cosine."""

    coupling: float
    low: float
    high: float
    raw: float


def _cosine(states: torch.Tensor, labels: np.ndarray) -> _Cosine:
    whole, some = states.double().numpy()[:, None], labels < 2
    centred, raw = cosines_of_means(whole, labels), cosines_of_means(whole[some], labels[some])
    return _Cosine(*(float(v[0]) for v in (centred.estimate, centred.low, centred.high, raw.estimate)))


@torch.inference_mode()
def projection_table(
    lm: LanguageModel, states: torch.Tensor, sets: np.ndarray, *, draws: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Coupling before and after the output projection, for states (n_texts, d) of the last block.

    One row a measurement: what ("hidden", "logits", "random projection", "rank k", "GELU of hidden"), rank, coupling
    (centred on neutral prompts), low, high (95 %; for random projections the range of the draws), raw (uncentred).
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
    random = [_cosine((hidden.double() @ _random_root(n, d, rng)).float(), labels) for _ in range(draws)]
    couplings = np.array([one.coupling for one in random])
    rows.append(
        {"what": "random projection", "rank": d, "coupling": _over(couplings, np.mean),
         "low": _over(couplings, np.min), "high": _over(couplings, np.max),
         "raw": _over(np.array([one.raw for one in random]), np.mean)}
    )  # fmt: skip
    for rank in [2**k for k in range(d.bit_length()) if 2**k < d]:
        rows.append(_row(f"rank {rank}", rank, through[:, d - rank :], labels))
    rows.append(_row("GELU of hidden", d, torch.nn.functional.gelu(hidden), labels))
    return pd.DataFrame(rows)


def _over(couplings: np.ndarray, of: Callable[[np.ndarray], Any]) -> float:
    known = couplings[np.isfinite(couplings)]
    return float(of(known)) if len(known) else float("nan")


def _row(what: str, rank: int, states: torch.Tensor, labels: np.ndarray) -> dict[str, object]:
    return {"what": what, "rank": rank, **asdict(_cosine(states, labels))}
