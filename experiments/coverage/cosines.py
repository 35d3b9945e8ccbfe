"""Planted cosines: how often the intervals of a coupling and of a direction's reliability hold them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cape_lib.lm.cosines import cosines_of_means, repeat_cosine
from experiments.coverage.rates import Rate, Setting, bias, coverage, share

PART = "cosines"
#: name -> (width, how fast the spread falls off over the directions): like a small and like a real model's states
STATES = {"32 alike directions": (32, 0.0), "400 uneven directions": (400, 1.0)}
#: length of a set's difference from neutral text, in lengths of the noise of its mean
SIGNALS = {"faint": 1.0, "plain": 3.0}
CHUNK = 50


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage, bias and false positives of the three cosines, by number of texts, kind of states and signal."""
    for texts in (16, 32):
        for states, (width, decay) in STATES.items():
            spread = np.arange(1, width + 1) ** (-decay / 2)
            spread = spread / np.sqrt((spread**2).mean())
            for signal, times in SIGNALS.items():
                for cosine in (0.0, 0.6, 0.9):
                    setting = Setting(PART, "coupling", f"cosine {cosine:g}, {signal} difference", texts, states)
                    yield from _means(texts, spread, times, cosine, setting, rng, replications)
                setting = Setting(PART, "reliability of a direction", f"{signal} difference", texts, states)
                yield from _repeats(texts, spread, times, setting, rng, replications)


def _means(
    texts: int,
    spread: NDArray[np.float64],
    times: float,
    cosine: float,
    setting: Setting,
    rng: np.random.Generator,
    replications: int,
) -> Iterator[Rate]:
    width = spread.size
    groups = np.repeat([0, 1, 2], [texts, texts, 2 * texts])
    length = times * np.linalg.norm(spread) / np.sqrt(texts)
    ends, errors, sure = [], [], []
    for first in range(0, replications, CHUNK):
        many = min(CHUNK, replications - first)
        axes = np.linalg.qr(rng.standard_normal((many, width, 2)))[0]
        one = axes[..., 0]
        other = cosine * one + np.sqrt(1 - cosine**2) * axes[..., 1]
        states = rng.standard_normal((groups.size, many, width)) * spread
        states[groups == 0] += length * one
        states[groups == 1] += length * other
        fit = cosines_of_means(states, groups)
        ends += list(zip(fit.low, fit.high, strict=True))
        errors += list(fit.estimate - cosine)
        sure += list(fit.p_two < 0.05)
    yield coverage(setting, ends, cosine)
    yield bias(setting, errors, unit="cosine")
    yield share(setting, sure, "power" if cosine else "false positives")


def _repeats(
    texts: int,
    spread: NDArray[np.float64],
    times: float,
    setting: Setting,
    rng: np.random.Generator,
    replications: int,
) -> Iterator[Rate]:
    length = times * np.linalg.norm(spread) / np.sqrt(texts)
    true = times**2 / (times**2 + 1)
    ends, errors = [], []
    for _ in range(replications):
        axis = rng.standard_normal(spread.size)
        pairs = rng.standard_normal((texts, spread.size)) * spread + length * axis / np.linalg.norm(axis)
        fit = repeat_cosine(pairs, np.arange(texts).astype(str))
        ends.append((fit.low, fit.high))
        errors.append(fit.estimate - true)
    yield coverage(setting, ends, true)
    yield bias(setting, errors, unit="cosine")
