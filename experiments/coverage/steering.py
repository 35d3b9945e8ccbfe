"""Planted truths for the verdicts of the steering protocol; a part of the table of coverage.

Not in `parts.PARTS`: everything about steering needs torch to be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cape_lib.lm.steering.verdicts import Outcome, claim_verdict, effect, outcome
from experiments.coverage.rates import Rate, Setting, coverage, share

PART = "steering"
CONTROLS, CLAIM, DRAWS = 20, 0.60, 300
NOISE = {"items alike": 0.0, "topics differ": 0.8}


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The verdict on an effect and the verdict on a claim, with and without an effect, topics alike or not."""
    for topics, (noise, topic_sd) in product((8, 24), NOISE.items()):
        labels = np.repeat(np.arange(topics), 5)
        for lift, truth in ((0.0, "no better than controls"), (0.5244, "lifts a half of right answers to 0.7")):
            setting = Setting(PART, "effect beyond controls", truth, labels.size, noise)
            called = [_effect(labels, topic_sd, lift, rng) for _ in range(replications)]
            yield share(setting, called, "power" if lift else "false positives")
        corrected = [_outcome(labels, topic_sd, rng).corrected for _ in range(replications)]
        verdicts = np.array([claim_verdict(one, True, CLAIM) for one in corrected])
        setting = Setting(PART, "claim of 60 % corrected", "60 % corrected", labels.size, noise)
        yield coverage(setting, corrected, CLAIM)
        yield share(setting, verdicts == "supported", "false positives")
        yield share(setting, verdicts == "refuted", "false refutations")


def _effect(labels: NDArray[np.int64], topic_sd: float, lift: float, rng: np.random.Generator) -> bool:
    """Whether an effect is called: one direction and its controls, each with luck of its own by topic."""
    items = rng.standard_normal(labels.size)
    luck = topic_sd * rng.standard_normal((CONTROLS + 1, int(labels.max()) + 1))[:, labels]
    right = items + luck + rng.standard_normal((CONTROLS + 1, labels.size)) > 0
    # The normal quantile of 0.7 in standard deviations of the margin: a half becomes 0.7 whatever the topics do.
    right[0] = items + luck[0] + rng.standard_normal(labels.size) + lift * np.sqrt(2 + topic_sd**2) > 0
    return effect(right[0], right[1:], labels, resamples=DRAWS, seed=int(rng.integers(2**31))).holds


def _outcome(labels: NDArray[np.int64], topic_sd: float, rng: np.random.Generator) -> Outcome:
    """What is corrected where just 60 % of the margins end above zero, topics included."""
    luck = topic_sd * rng.standard_normal(int(labels.max()) + 1)[labels]
    after = luck + rng.standard_normal(labels.size) + 0.2533 * np.sqrt(1 + topic_sd**2)
    return outcome(-np.ones(labels.size), after, labels, resamples=DRAWS, seed=int(rng.integers(2**31)))
