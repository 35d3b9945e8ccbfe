"""A direction in a model's hidden states, its quality, and its file (safetensors with JSON metadata)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models.problems import ModelError
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site
from cape_lib.output import whole

UNITS = ("std", "residual", "raw")


@dataclass(frozen=True)
class Direction:
    """A vector (d,) at a site of one model, with what is known of it.

    site: block index or "embed"; token: the token of each text it was fitted on (-1: the last); method: how;
    norm: length of the vector; std: standard deviation of the fitting texts' projections on it; residual: median
    norm of the hidden states there; split_half: cosine (-1..1) of directions fitted on two halves of the pairs;
    held_out: share (0-1) of left-out pairs ranked right; model, revision, pairs (hash of the texts), n_pairs.
    """

    vector: torch.Tensor
    site: Site
    token: int
    method: str
    norm: float
    std: float
    residual: float
    split_half: float
    held_out: float
    model: str
    revision: str
    pairs: str
    n_pairs: int
    name: str = "direction"

    def step(self, alpha: float, unit: str = "std") -> torch.Tensor:
        """The vector that strength `alpha` adds, (d,).

        unit: "std", standard deviations of the projection; "residual", median norms of the hidden state; "raw",
        multiples of the vector as fitted.
        """
        check_strength(alpha, unit)
        if unit == "raw":
            return alpha * self.vector
        scale = self.std if unit == "std" else self.residual
        return alpha * scale * self.vector / max(self.norm, 1e-12)

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting the direction; empty when nothing speaks against it."""
        found = []
        if self.split_half < 0.5:
            found.append(f"two halves of the pairs give directions with cosine {self.split_half:.2f}: little is shared")
        if self.held_out < 0.7:
            found.append(f"left-out pairs are ranked right in {self.held_out:.0%} of cases (chance 50%)")
        if self.n_pairs < 16:
            found.append(f"fitted on {self.n_pairs} pairs only")
        return found

    def like(self, vector: torch.Tensor, name: str) -> Direction:
        """The same record with another vector of equal norm (for controls and for the negated direction)."""
        scaled = vector * (self.norm / max(float(vector.norm()), 1e-12))
        return replace(self, vector=scaled, name=name)


def check_strength(alpha: float, unit: str) -> None:
    """UsageError unless alpha is a finite number and unit one of UNITS."""
    if not isinstance(alpha, (int, float)) or not math.isfinite(alpha):
        raise UsageError(f"alpha must be a finite number, not {alpha}")
    if unit not in UNITS:
        raise UsageError(f"unknown unit {unit!r}; choose from {', '.join(UNITS)}")


def save(direction: Direction, path: Path) -> None:
    """Write a direction; the file appears whole or not at all."""
    from safetensors.torch import save_file

    fields = {key: value for key, value in asdict(direction).items() if key != "vector"}
    try:
        with whole(path) as draft:
            save_file({"vector": direction.vector.contiguous()}, draft, metadata={"cape_direction": json.dumps(fields)})
    except (OSError, RuntimeError) as error:
        raise SurroundingsError(f"{path}: cannot be written ({error})") from error
    except Exception as error:  # safetensors has its own error for a folder that does not exist
        if type(error).__name__ != "SafetensorError":
            raise
        raise SurroundingsError(f"{path}: cannot be written ({error})") from error


def load(path: Path, lm: LanguageModel | None = None) -> Direction:
    """Read a direction; with `lm`, refuse one that does not fit the model (UsageError)."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            fields = json.loads((file.metadata() or {})["cape_direction"])
            direction = Direction(vector=file.get_tensor("vector"), **fields)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file") from error
    except Exception as error:
        raise ModelError(f"{path}: is no direction saved by cape ({type(error).__name__})") from error
    if lm is not None:
        check_fits(direction, lm)
    return direction


def check_fits(direction: Direction, lm: LanguageModel) -> None:
    """UsageError where width or depth differ from the model's."""
    if direction.vector.shape != (lm.width,):
        raise UsageError(f"the direction has {direction.vector.shape[0]} numbers, but {lm.name} has width {lm.width}")
    if direction.site != "embed" and direction.site >= lm.depth:
        raise UsageError(f"the direction belongs to block {direction.site}, but {lm.name} has {lm.depth} blocks")
