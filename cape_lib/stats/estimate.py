"""What every statistic returns: a number with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval: `estimate` and [`low`, `high`] in one unit, `n` observations, the `method`.

    An unbounded side is +-inf; an interval that does not exist is NaN on both sides. Where `low` exceeds `high` the
    interval is the outside of a gap: every value up to `high` and every value from `low` on (a ratio whose
    denominator may be zero; see `fieller`). Ask `contains` rather than comparing the ends.
    """

    estimate: float
    low: float
    high: float
    n: int
    method: str

    @property
    def outside(self) -> bool:
        """True where the interval is the outside of a gap."""
        return self.low > self.high

    @property
    def bounded(self) -> bool:
        """True where the interval exists and has two finite ends with everything between them."""
        return math.isfinite(self.low) and math.isfinite(self.high) and not self.outside

    def contains(self, value: float) -> bool:
        """True where `value` lies in the interval; False where the interval does not exist."""
        if self.outside:
            return value <= self.high or value >= self.low
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if math.isnan(self.low) or math.isnan(self.high):
            interval = "[no interval]"
        elif self.outside:
            interval = f"[up to {self.high:.3g} or from {self.low:.3g}]"
        elif math.isinf(self.low) and math.isinf(self.high):
            interval = "[any value]"
        else:
            interval = f"[{self.low:.3g}, {self.high:.3g}]"
        return f"{self.estimate:.3g} {interval} (n = {self.n}; {self.method})"
