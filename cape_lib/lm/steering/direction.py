"""A direction in a model's hidden states, what is known of it, and what it does at a strength."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site

UNITS = ("std", "residual", "raw")
#: what is done with a direction -> whether its step is added, and whether the projection on it is taken out before
ACTIONS = {"add": (True, False), "ablate": (False, True), "clamp": (True, True)}
#: a steering vector may be so many times as long as the hidden state it is added to
LONGEST = 1000.0


@dataclass(frozen=True)
class Direction:
    """A vector (d,) at a site of one model, with what is known of it.

    site: see `sites.PLACES`, a joined one has its parts side by side in the vector;
    token: the token of each text it was fitted on (-1: the last); method: how;
    norm: length of the vector; std: standard deviation of the fitting texts' projections on it; residual: median
    norm of the hidden states there; reliability: expected cosine (0..1) to the direction of as many other pairs, with
    its 95 % interval; held_out: share (0-1) of left-out pairs ranked right; model, revision, pairs (hash of the texts),
    n_pairs.
    """

    vector: torch.Tensor
    site: Site
    token: int
    method: str
    norm: float
    std: float
    residual: float
    reliability: float
    reliability_low: float
    reliability_high: float
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
        scale = {"std": self.std, "residual": self.residual, "raw": self.norm}[unit]
        length = abs(alpha) * scale
        if not length <= LONGEST * self.residual:
            place = f"block {self.site}" if isinstance(self.site, int) else self.site
            kind = str(self.vector.dtype).removeprefix("torch.")
            raise SurroundingsError(
                f"alpha {alpha:g} adds a vector {length / max(self.residual, 1e-12):.3g} times as long as the states "
                f"at {place} ({kind}): nothing of the model is left; stay below {LONGEST:g} times"
            )
        return alpha * scale * self.vector / max(self.norm, 1e-12)

    def change(self, alpha: float, unit: str = "std", action: str = "add") -> tuple[torch.Tensor, torch.Tensor]:
        """What is added, and the axis that is taken out before (zeros for none), both (d,).

        action: "add"; "ablate", the state's projection on the direction becomes 0, whatever alpha; "clamp", it becomes
        alpha units.
        """
        adds, takes = ACTIONS[check_action(action)]
        nothing = torch.zeros_like(self.vector)
        return self.step(alpha, unit) if adds else nothing, self.vector if takes else nothing

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting the direction; empty when nothing speaks against it."""
        found = []
        if self.reliability < 0.5:
            found.append(
                f"as many other pairs would give a direction with a cosine of {self.reliability:.2f} "
                f"[{self.reliability_low:.2f}, {self.reliability_high:.2f}] to this one: little of it is sure"
            )
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


def check_action(action: str) -> str:
    """The action; UsageError unless it is one of ACTIONS."""
    if action not in ACTIONS:
        raise UsageError(f"unknown action {action!r}; choose from {', '.join(ACTIONS)}")
    return action


def check_fits(direction: Direction, lm: LanguageModel, *, any_model: bool = False) -> None:
    """UsageError where width or depth differ from the model's, or the direction was fitted on another model.

    any_model: the name and revision of the model do not matter.
    """
    width = sum(lm.widths(direction.site))
    if direction.vector.shape != (width,):
        raise UsageError(f"the direction has {direction.vector.shape[0]} numbers, but {lm.name} has width {width}")
    lm.site(direction.site)
    here, there = (lm.name, lm.revision), (direction.model, direction.revision)
    if here != there and not any_model:
        raise UsageError(
            f"the direction was fitted on {_named(*there)}, and this is {_named(*here)}; "
            "--any-model steers all the same"
        )


def _named(name: str, revision: str) -> str:
    return f"{name} ({revision[:16]})" if revision else name
