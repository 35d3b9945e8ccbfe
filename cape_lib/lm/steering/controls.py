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
#: draws of a control before what it shares with the direction is taken out of it instead
_TRIES = 50


@dataclass(frozen=True)
class Method:
    """One way of steering, to be tuned: a vector a place, (n_places, d), and its cosine to the direction there.

    left_out: draws before it that lay too near the direction.
    """

    kind: str
    index: int
    vectors: torch.Tensor
    cosine: torch.Tensor
    left_out: int = 0


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


def _cosine(vectors: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    return (vectors * axis).sum(-1, keepdim=True)


def _without(vectors: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    return vectors - _cosine(vectors, axis) * axis


def _draw(kind: str, positive: torch.Tensor, negative: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """One raw control vector a place, (n_places, d), from states (n, n_places, d)."""
    n, places, d = positive.shape
    if kind == "isotropic":
        return torch.from_numpy(rng.standard_normal((places, d))).float()
    both, scale = torch.cat([positive, negative]), n
    if kind == "free shuffle":
        weights = rng.permutation(np.repeat([1.0, -1.0], n))
    elif kind == "balanced shuffle":
        half = np.r_[np.ones(n // 2), -np.ones(n // 2), np.zeros(n % 2)]
        weights = np.concatenate([rng.permutation(half), rng.permutation(half)])
    else:
        weights, scale = rng.standard_normal(2 * n), 1
        within = torch.cat([positive - positive.mean(0), negative - negative.mean(0)])
        both = within if kind == "within-class" else both - both.mean(0)
    return torch.einsum("n,npd->pd", torch.from_numpy(weights).float(), both) / scale


def most_alike(width: int) -> float:
    """Cosine to the direction above which a control is left out: 0.3, or what chance alone gives in few dimensions."""
    return min(0.95, max(0.3, 3 / float(np.sqrt(width))))


def draw_controls(
    positive: torch.Tensor,
    negative: torch.Tensor,
    direction: torch.Tensor,
    *,
    each: int,
    rng: np.random.Generator,
    kinds: tuple[str, ...] = KINDS,
) -> list[Method]:
    """`each` controls of every kind, taking turns, and the negated direction first; of the direction's norm.

    positive, negative: states (n_pairs, n_places, d); direction: (n_places, d).  A control of a clean kind that lies
    nearer to the direction than `most_alike` is left out and drawn anew, at each place by itself: with real states a
    shuffle can hold half of the direction.  A kind without any scatter at a place (all texts alike there) is replaced
    there by an isotropic draw, so that no control does nothing.
    """
    norms, axis = direction.norm(dim=-1, keepdim=True), _unit(direction)

    def fresh(kind: str) -> torch.Tensor:
        raw, spare = (_draw(own, positive, negative, rng) for own in (kind, "isotropic"))
        return _unit(torch.where(raw.norm(dim=-1, keepdim=True) > 1e-5 * norms, raw, spare))

    methods = [Method("negated", 0, -direction, -torch.ones(len(direction)))]
    for index, kind in ((index, kind) for index in range(each) for kind in kinds):
        limit = most_alike(direction.shape[-1]) if kind in CLEAN else 2.0
        vectors, left_out = fresh(kind), 0
        while bool((near := _cosine(vectors, axis).abs() > limit).any()) and left_out < _TRIES:
            left_out += 1
            vectors = torch.where(near, fresh(kind), vectors)
        if bool(near.any()):
            # whatever is drawn lies near the direction: take out what it shares with it
            rest = _without(vectors, axis)
            empty = near & (rest.norm(dim=-1, keepdim=True) < 1e-3)
            if bool(empty.any()):
                # texts that differ along the direction alone leave but rounding, and that may point anywhere
                spare = _unit(_draw("isotropic", positive, negative, rng))
                rest = torch.where(empty, _without(spare, axis), rest)
            vectors = torch.where(near, _unit(_without(_unit(rest), axis)), vectors)
        methods.append(Method(kind, index, vectors * norms, _cosine(vectors, axis)[:, 0], left_out))
    return methods
