"""Fit a direction to pairs of texts, and say how far to trust it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site
from cape_lib.lm.probes.capture import capture
from cape_lib.lm.steering.direction import Direction
from cape_lib.stats import repeat_cosine

FEWEST_PAIRS = 4
#: how a direction is found in the states of pairs
METHODS = {
    "mean_difference": "the mean difference of the positive and the negative texts",
    "principal": "the first axis of the differences within the pairs (each pair centred on its own middle)",
    "pca": "the first axis of all states, centred on their mean",
    "logistic": "the normal of a logistic regression of the pairs, each centred on its middle (ridge, C = 1)",
}


def check_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs unless columns `positive`, `negative` are missing or fewer than four pairs are given (UsageError)."""
    missing = {"positive", "negative"} - set(pairs.columns)
    if missing:
        raise UsageError(f"pairs need columns positive and negative; {' and '.join(sorted(missing))} not there")
    if len(pairs) < FEWEST_PAIRS:
        raise UsageError(f"{len(pairs)} pairs are too few to fit a direction; give at least {FEWEST_PAIRS}")
    return pairs


def vector_of(positive: torch.Tensor, negative: torch.Tensor, method: str = "mean_difference") -> torch.Tensor:
    """The direction (..., d) from states (n, ..., d) by one of METHODS; as long as the mean difference, and its way."""
    mean = (positive - negative).mean(0)
    if method == "mean_difference":
        return mean
    if method not in METHODS:
        raise UsageError(f"unknown method {method!r}; choose from {', '.join(METHODS)}")
    rows = (positive - negative).movedim(0, -2)
    if method == "pca":
        both = torch.cat([positive, negative]).movedim(0, -2)
        rows = both - both.mean(-2, keepdim=True)
    axis = _logistic(rows / 2) if method == "logistic" else torch.linalg.svd(rows, full_matrices=False).Vh[..., 0, :]
    sign: torch.Tensor = torch.sign((axis * mean).sum(-1, keepdim=True))
    size: torch.Tensor = mean.norm(dim=-1, keepdim=True)
    return torch.mul(axis * sign, size)


def _logistic(halves: torch.Tensor) -> torch.Tensor:
    """Unit normal (..., d) of a logistic regression without intercept of rows x (..., n, d) from rows -x, C = 1.

    The rows are brought to a root mean square length of 1 first, so that the ridge does not hang on the model's scale.
    Newton's method on the rows' weights a, normal = x'a.
    """
    x = halves.double() / halves.double().norm(dim=-1).square().mean(-1).sqrt()[..., None, None].clamp_min(1e-12)
    gram = x @ x.mT
    a = torch.zeros_like(x[..., 0])
    for _ in range(50):
        missed = torch.sigmoid(-(gram @ a[..., None])[..., 0])
        slope = 2 * missed * (1 - missed)
        step = torch.linalg.solve(torch.eye(a.shape[-1]) + slope[..., None] * gram, 2 * missed - a)
        a = a + step
        if float(step.abs().max()) < 1e-10:
            break
    return torch.nn.functional.normalize((a[..., None, :] @ x)[..., 0, :], dim=-1).to(halves.dtype)


def _cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(a, b, dim=-1))


def _left_out(
    positive: torch.Tensor,
    negative: torch.Tensor,
    groups: np.ndarray,
    fit: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Share of pairs ranked right by a direction fitted without their group; a tie counts half."""
    names = np.unique(groups)
    folds = [names[start::5] for start in range(min(5, len(names)))] if len(names) > 1 else []
    right: list[float] = []
    for fold in folds:
        out = torch.from_numpy(np.isin(groups, fold))
        vector = fit(positive[~out], negative[~out])
        margin = (positive[out] - negative[out]) @ vector
        right += ((margin > 0).float() + 0.5 * (margin == 0).float()).tolist()
    return float(np.mean(right)) if right else float("nan")


def _reliability(
    positive: torch.Tensor, negative: torch.Tensor, groups: np.ndarray, method: str,
    fit: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> tuple[float, float, float]:  # fmt: skip
    """Expected cosine to the direction of as many other pairs, with an interval.

    In closed form for the mean difference; else the mean over ten random halvings (by group where there are four)
    raised to the full number of pairs by Spearman and Brown's rule, with the range of the halvings as interval.
    """
    if method == "mean_difference":
        made = repeat_cosine((positive - negative).double().numpy(), groups)
        return made.estimate, made.low, made.high
    rng = np.random.default_rng(0)
    names = np.unique(groups) if len(np.unique(groups)) >= 4 else None
    halves = []
    for _ in range(10):
        if names is not None:
            half = np.isin(groups, rng.permutation(names)[: len(names) // 2])
        else:
            half = rng.permutation(len(groups)) < len(groups) // 2
        mask = torch.from_numpy(half)
        halves.append(_cosine(fit(positive[mask], negative[mask]), fit(positive[~mask], negative[~mask])))
    whole = [2 * c / (1 + c) if c > 0 else 0.0 for c in halves]
    return float(np.mean(whole)), float(np.min(whole)), float(np.max(whole))


def hash_of(pairs: pd.DataFrame) -> str:
    """A short hash of the pairs' texts, in order."""
    text = "\x1f".join(f"{p}\x1e{n}" for p, n in zip(pairs["positive"], pairs["negative"], strict=True))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fit_directions(
    lm: LanguageModel, pairs: pd.DataFrame, sites: Sequence[Site], *, token: int = -1,
    method: str = "mean_difference",
    name: str = "direction",
) -> list[Direction]:  # fmt: skip
    """One direction a site, from one reading of the texts; see `fit_direction`."""
    pairs = check_pairs(pairs).reset_index(drop=True)
    sites = [lm.site(site) for site in sites]
    texts = [str(text) for text in pairs["positive"]] + [str(text) for text in pairs["negative"]]
    states = capture(lm, texts, sites, token=token)
    groups = (pairs["topic"] if "topic" in pairs else pd.Series(range(len(pairs)))).astype(str).to_numpy()
    found = []
    for place, site in enumerate(sites):
        positive, negative = states[: len(pairs), place], states[len(pairs) :, place]
        both = torch.cat([positive, negative])
        vector = vector_of(positive, negative, method)
        norm = float(vector.norm())

        def fit(p: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
            return vector_of(p, n, method)

        sure = _reliability(positive, negative, groups, method, fit)
        found.append(
            Direction(
                vector=vector, site=site, token=token, method=method, norm=norm,
                std=float((both @ vector / max(norm, 1e-12)).std(correction=0)),
                residual=float(both.norm(dim=1).median()),
                reliability=sure[0], reliability_low=sure[1], reliability_high=sure[2],
                held_out=_left_out(positive, negative, groups, fit),
                model=lm.name, revision=lm.revision, pairs=hash_of(pairs), n_pairs=len(pairs), name=name,
            )
        )  # fmt: skip
    return found


def fit_direction(
    lm: LanguageModel, pairs: pd.DataFrame, layer: Site, method: str = "mean_difference", *, token: int = -1,
    name: str = "direction",
) -> Direction:  # fmt: skip
    """The direction at `layer` that leads from the pairs' negative texts to their positive ones.

    pairs: columns positive, negative (texts) and, if known, topic: halves and left-out pairs are then whole topics.
    layer: see `sites.PLACES`; token: which token's state, from the end where negative; method: one of METHODS.
    Raises UsageError for fewer than four pairs, an empty or too long text, or a layer that is not there.
    """
    return fit_directions(lm, pairs, [layer], token=token, method=method, name=name)[0]
