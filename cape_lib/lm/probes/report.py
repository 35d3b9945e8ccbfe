"""The whole probe of one model, and of the same model before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models import LanguageModel, untrained
from cape_lib.lm.probes.capture import capture_with_heads
from cape_lib.lm.probes.coupling import couplings, false_discovery, participation_ratio
from cape_lib.lm.probes.projection import projection_table

SETS = ("reasoning", "truthfulness", "neutral")
LEVEL = 0.05
DEFINITION = (
    "a head competes when the coupling of its outputs is below zero and its one-sided permutation p, adjusted over all "
    "heads of the model (Benjamini-Hochberg), is below 0.05; it cooperates likewise above zero"
)


@dataclass(frozen=True)
class Probe:
    """The probe of one model.

    layers: a row a block (layer, depth, coupling, low, high, p, q, raw, dimension); heads: a row a head (layer, head,
    coupling, p_less, p_greater, q_less, q_greater, verdict), empty for models without attention; projection: see
    `projection_table`; profile: mean coupling of the early, middle and late third of the blocks.
    """

    model: str
    n_texts: int
    layers: pd.DataFrame
    heads: pd.DataFrame
    projection: pd.DataFrame
    profile: dict[str, float]

    @property
    def competing(self) -> int:
        """Heads that compete, by DEFINITION."""
        return int((self.heads["verdict"] == "competing").sum()) if len(self.heads) else 0

    @property
    def cooperating(self) -> int:
        """Heads that cooperate, by DEFINITION."""
        return int((self.heads["verdict"] == "cooperating").sum()) if len(self.heads) else 0

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON."""
        return {
            "model": self.model, "texts": self.n_texts, "blocks": len(self.layers),
            "coupling": float(self.layers["coupling"].mean()),
            **{f"{name}_coupling": None if np.isnan(value) else value for name, value in self.profile.items()},
            "blocks_significant": int((self.layers["q"] < LEVEL).sum()), "heads": len(self.heads),
            "heads_competing": self.competing, "heads_cooperating": self.cooperating, "definition": DEFINITION,
            "layers": self.layers.to_dict("records"),
            "projection": self.projection.astype(object).where(self.projection.notna(), None).to_dict("records"),
        }  # fmt: skip


def check_prompts(prompts: pd.DataFrame) -> pd.DataFrame:
    """The prompts unless a column or a set is missing, or a set holds fewer than four texts (UsageError)."""
    missing = {"set", "text"} - set(prompts.columns)
    if missing:
        raise UsageError(f"prompts need columns set and text; {' and '.join(sorted(missing))} not there")
    for name in SETS:
        n = int((prompts["set"] == name).sum())
        if n < 4:
            raise UsageError(f"{n} prompts in set {name!r} are too few; give at least 4")
    return prompts[prompts["set"].isin(SETS)].reset_index(drop=True)


def probe(
    lm: LanguageModel, prompts: pd.DataFrame, *, permutations: int = 999, seed: int = 0, batch: int = 4096
) -> Probe:
    """Read a model on prompts (columns set, text) and measure; one forward pass a text.

    Raises UsageError for missing sets, empty or too long texts.
    """
    prompts = check_prompts(prompts)
    sets = prompts["set"].to_numpy(dtype=str)
    states, heads = capture_with_heads(lm, [str(text) for text in prompts["text"]], batch=batch)
    found = couplings(states, sets, permutations=permutations, seed=seed)
    layers = pd.DataFrame(
        {
            "layer": range(lm.depth), "depth": (np.arange(lm.depth) + 1) / lm.depth, "coupling": found.coupling,
            "low": found.low, "high": found.high, "p": found.p_two, "q": false_discovery(found.p_two), "raw": found.raw,
            "dimension": [participation_ratio(states[:, layer]) for layer in range(lm.depth)],
        }
    )  # fmt: skip
    return Probe(
        model=lm.name, n_texts=len(prompts), layers=layers, heads=_heads(heads, sets, permutations, seed),
        projection=projection_table(lm, states[:, -1], sets, seed=seed), profile=_profile(found.coupling),
    )  # fmt: skip


def _profile(coupling: np.ndarray) -> dict[str, float]:
    """Mean coupling by thirds of the depth; with two blocks there is no middle, with one only an early part."""
    parts = np.array_split(coupling, 3) if len(coupling) > 2 else [coupling[:1], coupling[:0], coupling[1:]]
    return {
        name: float(part.mean()) if len(part) else float("nan")
        for name, part in zip(("early", "middle", "late"), parts, strict=True)
    }


def _heads(heads: dict[int, torch.Tensor], sets: np.ndarray, permutations: int, seed: int) -> pd.DataFrame:
    """One row a head; the correction for many tests runs over all heads of the model."""
    tables = []
    for layer, outputs in sorted(heads.items()):
        found = couplings(outputs, sets, permutations=permutations, resamples=2, seed=seed)
        tables.append(
            pd.DataFrame(
                {"layer": layer, "head": range(outputs.shape[1]), "coupling": found.coupling, "p_less": found.p_less,
                 "p_greater": found.p_greater}
            )
        )  # fmt: skip
    if not tables:
        return pd.DataFrame(
            columns=["layer", "head", "coupling", "p_less", "p_greater", "q_less", "q_greater", "verdict"]
        )
    table = pd.concat(tables, ignore_index=True)
    table["q_less"] = false_discovery(table["p_less"].to_numpy())
    table["q_greater"] = false_discovery(table["p_greater"].to_numpy())
    table["verdict"] = np.select(
        [(table["q_less"] < LEVEL) & (table["coupling"] < 0), (table["q_greater"] < LEVEL) & (table["coupling"] > 0)],
        ["competing", "cooperating"], default="undecided",
    )  # fmt: skip
    return table


def twins(
    lm: LanguageModel, prompts: pd.DataFrame, *, seeds: Sequence[int] = (0,), permutations: int = 999
) -> list[Probe]:
    """The probe of a model, then of untrained twins with these seeds: whatever they share was not learnt."""
    found = [probe(lm, prompts, permutations=permutations)]
    return found + [probe(untrained(lm, seed=seed), prompts, permutations=permutations) for seed in seeds]
