"""From answers before and after to two verdicts: is there an effect, and does it bear out a claim?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from cape_lib.stats import (
    Estimate,
    cluster_bootstrap_counts,
    generator,
    percentile_interval,
    permutation_p,
    wilson_clustered,
)

ALPHA = 0.05


@dataclass(frozen=True)
class Outcome:
    """What steering did to the test items, shares 0-1.

    corrected: of the answers wrong before, right after; broken: of those right before, wrong after, both with an
    interval that knows of topics; net: change of the share right, interval by bootstrap over topics; mcnemar: exact
    two-sided p that corrected and broken are equally likely.
    """

    corrected: Estimate
    broken: Estimate
    net: Estimate
    mcnemar: float
    n_misaligned: int
    n_aligned: int


@dataclass(frozen=True)
class Effect:
    """Whether the direction does more than controls tuned in the same way.

    p: rank among the controls, (1 + as good) / (1 + controls); excess over the mean and over the best control, with
    intervals by bootstrap over topics; holds: p <= 0.05 and the excess over the mean is surely above 0.
    """

    p: float
    share: float
    best_control: float
    mean_control: float
    over_mean: Estimate
    over_best: Estimate
    n_controls: int

    @property
    def holds(self) -> bool:
        """The verdict: True, an effect beyond the controls."""
        return self.p <= ALPHA and self.over_mean.low > 0

    @property
    def word(self) -> str:
        """The verdict for people."""
        return "effect beyond controls" if self.holds else "no effect beyond controls"


def mean_by_topic(
    values: np.ndarray, topics: np.ndarray, method: str = "bootstrap over topics", resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Mean of per-item values (n_items,) with an interval by bootstrap over topics."""
    counts = cluster_bootstrap_counts(topics, resamples, generator(seed))
    draws = counts @ values / counts.sum(axis=1)
    low, high = percentile_interval(draws)
    return Estimate(float(values.mean()), low, high, len(values), method)


def outcome(
    before: np.ndarray, after: np.ndarray, topics: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Outcome:
    """What happened to items with margins `before` and `after` (n_items,); above 0 is right."""
    was, now = before > 0, after > 0
    fixed, lost = int((~was & now).sum()), int((was & ~now).sum())
    p = float(binomtest(fixed, fixed + lost).pvalue) if fixed + lost else 1.0
    net = mean_by_topic(now.astype(float) - was.astype(float), topics, resamples=resamples, seed=seed)
    names = np.asarray(topics)
    corrected, broken = wilson_clustered(now[~was], names[~was]), wilson_clustered(~now[was], names[was])
    return Outcome(corrected, broken, net, p, int((~was).sum()), int(was.sum()))


def effect(
    right: np.ndarray, controls: np.ndarray, topics: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Effect:
    """The direction's right answers (n_items,) beside its controls' (n_controls, n_items), all bool."""
    shares = controls.mean(axis=1)
    mine = right.astype(float)
    best = controls[int(np.argmax(shares))].astype(float)
    return Effect(
        p=permutation_p(float(mine.mean()), shares, "greater"), share=float(mine.mean()),
        best_control=float(shares.max()), mean_control=float(shares.mean()),
        over_mean=mean_by_topic(mine - controls.mean(axis=0), topics, resamples=resamples, seed=seed),
        over_best=mean_by_topic(mine - best, topics, resamples=resamples, seed=seed),
        n_controls=len(controls),
    )  # fmt: skip


def claim_verdict(corrected: Estimate, held: bool, claim: float) -> str:
    """ "supported", "refuted" or "undecided": does steering correct at least `claim` (0-1) of the wrong answers?"""
    if corrected.n == 0:
        return "undecided"
    if corrected.low > claim and held:
        return "supported"
    return "refuted" if corrected.high < claim else "undecided"
