"""Vectors that a direction must beat: random ones, and ones made from the same texts with the labels mixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

#: random directions of the sphere; label shuffles with half of each class on either side; draws from the scatter
#: within the classes.  None of them contains the direction beyond chance.
CLEAN = ("isotropic", "balanced shuffle", "within-class")
#: the older rule: unrestricted shuffles and draws from the whole scatter.  Both contain the direction itself.
LEAKY = ("isotropic", "free shuffle", "total covariance")
KINDS = tuple(dict.fromkeys(CLEAN + LEAKY))


@dataclass(frozen=True)
class Method:
    """One way of steering, to be tuned: a vector a place, (n_places, d), and its cosine to the direction there."""

    kind: str
    index: int
    vectors: torch.Tensor
    cosine: torch.Tensor


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


def _sides(n: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """+1 or -1 for each of the 2n texts (the n positive ones first)."""
    if kind == "free shuffle":
        return rng.permutation(np.repeat([1.0, -1.0], n))
    half = [rng.permutation(np.r_[np.ones(n // 2), -np.ones(n // 2), np.zeros(n % 2)]) for _ in range(2)]
    return np.concatenate(half)


def _draw(kind: str, positive: torch.Tensor, negative: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """One raw control vector a place, (n_places, d), from states (n, n_places, d)."""
    n, places, d = positive.shape
    if kind == "isotropic":
        return torch.from_numpy(rng.standard_normal((places, d))).float()
    if kind in ("balanced shuffle", "free shuffle"):
        weights = torch.from_numpy(_sides(n, kind, rng)).float()
        return torch.einsum("n,npd->pd", weights, torch.cat([positive, negative])) / n
    if kind == "within-class":
        centred = torch.cat([positive - positive.mean(0), negative - negative.mean(0)])
    else:
        both = torch.cat([positive, negative])
        centred = both - both.mean(0)
    return torch.einsum("n,npd->pd", torch.from_numpy(rng.standard_normal(2 * n)).float(), centred)


def draw_controls(
    positive: torch.Tensor, negative: torch.Tensor, direction: torch.Tensor, *, each: int, rng: np.random.Generator,
    kinds: tuple[str, ...] = KINDS,
) -> list[Method]:  # fmt: skip
    """`each` controls of every kind, and the negated direction, all of the direction's norm at each place.

    positive, negative: states (n_pairs, n_places, d); direction: (n_places, d).  A kind without any scatter at a
    place (all texts alike there) is replaced there by an isotropic draw, so that no control does nothing.
    """
    norms = direction.norm(dim=-1, keepdim=True)
    found = [Method("negated", 0, -direction, -torch.ones(len(direction)))]
    for kind in kinds:
        for index in range(each):
            raw = _draw(kind, positive, negative, rng)
            spare = _draw("isotropic", positive, negative, rng)
            vectors = _unit(torch.where(raw.norm(dim=-1, keepdim=True) > 1e-5 * norms, raw, spare))
            cosine = (vectors * _unit(direction)).sum(-1)
            found.append(Method(kind, index, vectors * norms, cosine))
    return found
