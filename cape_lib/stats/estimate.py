"""What every statistic returns: a number with its interval; p values in words, and what a test could have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from cape_lib.stats.draws import Alternative

Floats = NDArray[np.float64]
#: an effect counts as one that would have been seen where four of five repeats show it
POWER = 0.8
LEAST_P = 0.001


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


def normal_estimate(estimate: float, se: float, n: int, *, level: float = 0.95, method: str = "normal") -> Estimate:
    """An estimate with its normal interval; se: standard error in the estimate's unit, NaN gives no interval."""
    half = float(ndtri(0.5 + level / 2)) * se
    return Estimate(estimate, estimate - half, estimate + half, n, method)


def normal_p(z: float, alternative: Alternative = "two-sided") -> float:
    """p (0-1) of a value z in standard errors; alternative as in scipy. NaN where z is."""
    if alternative == "two-sided":
        return float(2 * ndtr(-abs(z)))
    return float(ndtr(-z if alternative == "greater" else z))


def corrected(p: ArrayLike, method: str = "holm") -> Floats:
    """The p values of one family of tests after correction, same order; NaN stays NaN and counts as no test.

    p: (n,), 0-1, of tests that a reader could pick from; method: a name of statsmodels' `multipletests` ("holm" keeps
    the chance of one false finding among all at the level, "fdr_bh" the share of false ones among the findings).
    """
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p, dtype=float).ravel()
    answer, known = np.full(values.shape, np.nan), ~np.isnan(values)
    if known.any():
        answer[known] = multipletests(values[known], method=method)[1]
    return answer


def p_short(p: float) -> str:
    """A p value for a column headed p: "0.016", "< 0.001" (never 0.00), "> 0.99"; a dash for NaN."""
    if math.isnan(p):
        return "\N{EN DASH}"
    if p < LEAST_P:
        return f"< {LEAST_P:g}"
    if p > 0.995:
        return "> 0.99"
    return f"{p:.2f}" if p >= 0.0995 else f"{p:.3f}"


def p_text(p: float, sided: Alternative | Literal[""] = "two-sided", *, correction: str = "") -> str:
    """A p value in words: "p = 0.016, two-sided"; "p < 0.001" below that, never 0.00; "p not known" for NaN.

    sided: what the alternative was ("less" and "greater" read "one-sided"; "" leaves it out, where a table's header
    says it); correction: "Holm" adds "after Holm's correction".
    """
    if math.isnan(p):
        return "p not known"
    short = p_short(p)
    text = f"p {short}" if short[0] in "<>" else f"p = {short}"
    side = "one-sided" if sided in ("less", "greater") else sided
    after = f"after {correction}'s correction" if correction else ""
    return ", ".join(part for part in (text, side, after) if part)


def seen_difference(se: float, *, tests: int = 1, power: float = POWER) -> float:
    """The smallest true difference that would have been told from zero in four of five repeats, in the unit of se.

    se: standard error; tests: how many share the 5 % (Bonferroni). 2.8 standard errors for one test.
    """
    return se * float(ndtri(1 - 0.025 / tests) + ndtri(power))


def seen_effect(interval: Estimate, *, scale: str = "plain", power: float = POWER) -> float:
    """The smallest true effect that this interval would have told from zero in four of five repeats; its unit.

    interval: 95 %, of an effect that is zero where nothing is there; scale: "plain", or "fisher" where it is a
    correlation, whose interval is even on Fisher's scale. NaN without a bounded interval.
    """
    if not interval.bounded:
        return math.nan
    ends = np.array([interval.low, interval.high])
    if scale == "fisher":
        ends = np.arctanh(np.clip(ends, -1 + 1e-12, 1 - 1e-12))
    effect = seen_difference(float(ends[1] - ends[0]) / 2 / float(ndtri(0.975)), power=power)
    return math.tanh(effect) if scale == "fisher" else effect


def seen_words(effect: float, *, digits: int = 2) -> str:
    """What stands beside an effect that is not shown, as part of a sentence; empty for NaN.

    effect: from `seen_effect` or its like;  digits: after the point.
    """
    return "" if math.isnan(effect) else f"{effect:.{digits}f} would have been seen in four of five repeats"


def seen_share(n: int, *, power: float = POWER) -> float:
    """The smallest share (0-1) that n independent trials would have shown at least once in four of five repeats.

    Beside a "0 of n": 0 of 10 would have missed any share below 0.15 too often to speak. n: 1 or more.
    """
    return 1 - (1 - power) ** (1 / n) if n > 0 else math.nan


def seen_signs(n: int, *, power: float = POWER, level: float = 0.95) -> float:
    """The smallest share of one sign (0.5-1) that a two-sided sign test of n independent steps would have seen.

    NaN where no outcome of n steps is significant (fewer than six at 95 %).
    """
    from scipy.stats import binom, binomtest

    reject = [k for k in range(n + 1) if n - k <= k and binomtest(k, n).pvalue <= 1 - level] if n else []
    if not reject:
        return math.nan
    shares = np.linspace(0.5, 1.0, 501)
    chance = binom.sf(reject[0] - 1, n, shares)
    return float(shares[np.argmax(chance >= power)])
