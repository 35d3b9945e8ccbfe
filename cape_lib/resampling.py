"""The only place with random numbers: bootstrap, permutation, score noise; and intervals in closed form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval: `estimate` and [`low`, `high`] in one unit, `n` observations, the `method`.

    An unbounded side is +-inf; an interval that does not exist is NaN on both sides.
    """

    estimate: float
    low: float
    high: float
    n: int
    method: str

    def __str__(self) -> str:
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}] (n = {self.n}; {self.method})"
