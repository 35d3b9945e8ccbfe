"""Planted cosines: how often the intervals of a coupling and of a direction's reliability hold them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from cape_lib.lm.cosines import cosines_of_means, repeat_cosine
from experiments.coverage.rates import Floats, Rate, Setting, bias, coverage, share

PART = "cosines"
#: name -> (width, how fast the spread falls off over the directions): like a small and like a real model's states
STATES = {"32 alike directions": (32, 0.0), "400 uneven directions": (400, 1.0)}
#: length of a set's difference from neutral text, in lengths of the noise of its mean
SIGNALS = {"faint": 1.0, "plain": 3.0}
CHUNK = 50


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage, bias and false positives of the three cosines, by number of texts, kind of states and signal."""
    for texts, (states, (width, decay)), (signal, times) in product((16, 32), STATES.items(), SIGNALS.items()):
        spread = np.arange(1, width + 1) ** (-decay / 2)
        spread = spread / np.sqrt((spread**2).mean())
        length = times * np.linalg.norm(spread) / np.sqrt(texts)
        for cosine in (0.0, 0.6, 0.9):
            setting = Setting(PART, "coupling", f"cosine {cosine:g}, {signal} difference", texts, states)
            yield from _means(texts, spread, float(length), cosine, setting, rng, replications)
        ends, errors, true = [], [], times**2 / (times**2 + 1)
        for _ in range(replications):
            axis = rng.standard_normal(width)
            pairs = rng.standard_normal((texts, width)) * spread + length * axis / np.linalg.norm(axis)
            fit = repeat_cosine(pairs, np.arange(texts).astype(str))
            ends.append(fit)
            errors.append(fit.estimate - true)
        setting = Setting(PART, "reliability of a direction", f"{signal} difference", texts, states)
        yield coverage(setting, ends, true)
        yield bias(setting, errors, unit="cosine")


def _means(
    texts: int,
    spread: Floats,
    length: float,
    cosine: float,
    setting: Setting,
    rng: np.random.Generator,
    replications: int,
) -> Iterator[Rate]:
    """Two directions with a known cosine, each the mean of so many texts; `CHUNK` of them at once."""
    groups = np.repeat([0, 1, 2], [texts, texts, 2 * texts])
    ends, errors, sure = [], [], []
    for first in range(0, replications, CHUNK):
        many = min(CHUNK, replications - first)
        axes = np.linalg.qr(rng.standard_normal((many, spread.size, 2)))[0]
        one = axes[..., 0]
        other = cosine * one + np.sqrt(1 - cosine**2) * axes[..., 1]
        states = rng.standard_normal((groups.size, many, spread.size)) * spread
        states[groups == 0] += length * one
        states[groups == 1] += length * other
        fit = cosines_of_means(states, groups)
        ends += list(zip(fit.low, fit.high, strict=True))
        errors += list(fit.estimate - cosine)
        sure += list(fit.p_two < 0.05)
    yield coverage(setting, ends, cosine)
    yield bias(setting, errors, unit="cosine")
    yield share(setting, sure, "power" if cosine else "false positives")
