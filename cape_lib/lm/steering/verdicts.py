"""From answers before and after to two verdicts: is there an effect, and does it bear out a claim? And the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from cape_lib import stats
from cape_lib.output import plain
from cape_lib.stats import Estimate

if TYPE_CHECKING:
    from cape_lib.lm.steering.protocol import Place

ALPHA = 0.05
#: what a direction must beat: random directions of the sphere; label shuffles with half of each class on either side;
#: draws from the scatter within the classes.  None of them contains the direction beyond chance.
CLEAN = ("isotropic", "balanced shuffle", "within-class")
#: the older rule: unrestricted shuffles and draws from the whole scatter.  Both contain the direction itself.
LEAKY = ("isotropic", "free shuffle", "total covariance")
KINDS = tuple(dict.fromkeys(CLEAN + LEAKY))


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
        if 1 / (1 + self.n_controls) > ALPHA and self.share > self.best_control:
            return f"undecided, as {self.n_controls} controls cannot show one"
        return "effect beyond controls" if self.holds else "no effect beyond controls"


def mean_by_topic(values: np.ndarray, topics: np.ndarray, *, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Mean of per-item values (n_items,) with an interval by bootstrap over topics."""
    counts = stats.cluster_bootstrap_counts(topics, resamples, stats.generator(seed))
    low, high = stats.percentile_interval(counts @ values / counts.sum(axis=1))
    return Estimate(float(values.mean()), low, high, len(values), "bootstrap over topics")


def outcome(
    before: np.ndarray, after: np.ndarray, topics: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Outcome:
    """What happened to items with margins `before` and `after` (n_items,); above 0 is right."""
    was, now = before > 0, after > 0
    fixed, lost = int((~was & now).sum()), int((was & ~now).sum())
    p = float(binomtest(fixed, fixed + lost).pvalue) if fixed + lost else 1.0
    net = mean_by_topic(now.astype(float) - was.astype(float), topics, resamples=resamples, seed=seed)
    corrected, broken = stats.wilson_clustered(now[~was], topics[~was]), stats.wilson_clustered(~now[was], topics[was])
    return Outcome(corrected, broken, net, p, int((~was).sum()), int(was.sum()))


def effect(
    right: np.ndarray, controls: np.ndarray, topics: np.ndarray, *, resamples: int = 2000, seed: int = 0
) -> Effect:
    """The direction's right answers (n_items,) beside its controls' (n_controls, n_items), all bool."""
    shares, mine = controls.mean(axis=1), right.astype(float)
    share, best = float(mine.mean()), controls[int(np.argmax(shares))].astype(float)
    over_mean, over_best = (
        mean_by_topic(mine - others, topics, resamples=resamples, seed=seed) for others in (controls.mean(axis=0), best)
    )
    p = stats.permutation_p(share, shares, "greater")
    return Effect(p, share, float(shares.max()), float(shares.mean()), over_mean, over_best, len(controls))


def claim_verdict(corrected: Estimate, held: bool, claim: float) -> str:
    """ "supported", "refuted" or "undecided": does steering correct at least `claim` (0-1) of the wrong answers?"""
    if corrected.n == 0:
        return "undecided"
    if corrected.low > claim and held:
        return "supported"
    return "refuted" if corrected.high < claim else "undecided"


@dataclass(frozen=True)
class Evaluation:
    """The result of the protocol on one model.

    place, dose, cost: chosen on the tune items, strength in the plan's unit and nats a token on neutral texts that
    were not used to set it; outcome, effect, claim: on the test items, `effect` against the clean controls,
    `effect_leaky` against the older ones where they were run; mc1, mc2: by name ("before", "after" and the kinds of
    controls) with intervals; methods: a row for the direction and each control (kind, index, place, dose, cost, tune,
    test, cosine, left_out); doses: dose-response at the chosen place; places: tuned share right by place; items:
    margins before and after; base: share right before steering; planned: controls there would have been.
    """

    model: str
    place: Place
    dose: float
    cost: float
    base: float
    outcome: Outcome
    effect: Effect
    effect_leaky: Effect | None
    claimed: float
    claim: str
    mc1: dict[str, Estimate]
    mc2: dict[str, Estimate]
    budget: float
    planned: int
    methods: pd.DataFrame
    doses: pd.DataFrame
    places: pd.DataFrame
    items: pd.DataFrame

    @property
    def controls(self) -> pd.DataFrame:
        """The clean controls among the methods."""
        return self.methods[self.methods["kind"].isin(CLEAN)]

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON."""
        outcome, effect, controls = self.outcome, self.effect, self.controls
        summary = {"model": self.model, "place": str(self.place), "dose": self.dose, "kl": self.cost}
        summary |= {"budget": self.budget, "items": len(self.items), "right_before": self.base}
        summary |= {"right_after": effect.share, "corrected": _ends(outcome.corrected), "broken": _ends(outcome.broken)}
        summary |= {"net": _ends(outcome.net), "mcnemar_p": outcome.mcnemar, "misaligned": outcome.n_misaligned}
        summary |= {"aligned": outcome.n_aligned, "mc1": {name: _ends(value) for name, value in self.mc1.items()}}
        summary |= {"mc2": {name: _ends(value) for name, value in self.mc2.items()}}
        summary |= {"best_control": effect.best_control, "mean_control": effect.mean_control}
        summary |= {"over_best_control": _ends(effect.over_best), "controls": effect.n_controls}
        summary |= {"controls_planned": self.planned, "controls_left_out": controls["left_out"].sum()}
        summary |= {"control_kl": controls["cost"].mean(), "control_cosine": controls["cosine"].abs().max()}
        summary |= {"p": effect.p, "effect": effect.word}
        summary |= {"p_leaky_controls": self.effect_leaky.p if self.effect_leaky else None}
        summary |= {"claimed": self.claimed, "claim": self.claim}
        summary |= {name: getattr(self, name).to_dict("records") for name in ("doses", "places", "methods")}
        # a share of nothing is no number, and JSON has no word for it
        plain_summary: dict[str, Any] = plain(summary)
        return plain_summary


def _ends(value: Estimate) -> dict[str, float]:
    return {"estimate": value.estimate, "low": value.low, "high": value.high, "n": value.n}


def span(value: Estimate) -> str:
    """An estimate of a share with its interval, "34% [18%, 55%]"."""
    return f"{value.estimate:.0%} [{value.low:.0%}, {value.high:.0%}]"


def report(result: Evaluation) -> list[str]:
    """What was chosen, what it did, what its controls do, and the two verdicts; one line each."""
    outcome, effect, controls = result.outcome, result.effect, result.controls
    fixed = "none was wrong that could be corrected"
    if outcome.n_misaligned:
        fixed = f"corrected {span(outcome.corrected)} of {outcome.n_misaligned} wrong answers"
    lost = "none was right before"
    if outcome.n_aligned:
        lost = f"broken {span(outcome.broken)} of {outcome.n_aligned} right ones"
    stopped = f" of {result.planned}: p is settled" if effect.n_controls < result.planned else ""
    names = [name for name in result.mc2 if name not in ("before", "after", "negated")]
    lines = [
        f"{result.model}: {result.place}, strength {result.dose:.2g}, chosen on the tune questions under a budget of "
        f"{result.budget:g} nats a token on neutral text; it costs {result.cost:.2g}",
        f"right before {result.base:.0%}, after {effect.share:.0%}; {effect.n_controls} controls{stopped}: mean "
        f"{effect.mean_control:.0%}, best {effect.best_control:.0%}, cost {controls['cost'].mean():.2g} in the mean, "
        f"cosine to the direction at most {controls['cosine'].abs().max():.2f} ({stats.p_text(effect.p, 'greater')})",
        f"{fixed}; {lost}",
    ]
    for name, values in (("MC1", result.mc1), ("MC2", result.mc2)):
        beside = ", ".join(f"{kind} {values[kind].estimate:.0%}" for kind in names)
        lines.append(f"{name} before {span(values['before'])}, after {span(values['after'])}; controls: {beside}")
    lines.append(f"effect: {effect.word}; claim of {result.claimed:.0%}: {result.claim}")
    return lines
