"""Steps of many families: whole ladders, shares of signs, regressions on size and tokens, the model of all families."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cape_lib.base.coupling import (
    family_model,
    known_steps,
    regression,
    whole_ladder,
)
from cape_lib.errors import MissingError
from cape_lib.stats import LEAST_CLUSTERS, Estimate, clustered, clustered_r, clustered_share, ols
from cape_lib.tables import ITEM_COUNTS
from experiments.coverage.rates import Floats, Rate, Setting, coverage, measured, repeated, share

PART = "steps of families"
#: log10 of tokens and sizes about which a world is centred: 800 and 3 billions
TOKENS, SIZE = 2.9, 0.5
#: sizes (billions) at which the band of the model of all families is held against the planted gamma
BAND = (0.3, 3.0, 30.0)
#: one panel of many families takes a second: so many fewer of them are planted
FEWER = 5


@dataclass(frozen=True, slots=True)
class World:
    """Gamma of a step: `level`, `size` and `tokens` (a decade each), and a level of each family's own (`spread`)."""

    level: float
    size: float
    tokens: float
    spread: float

    def __str__(self) -> str:
        return f"gamma {self.size:+.1f} a decade of size, {self.tokens:+.1f} of tokens"


WORLDS = (World(0.1, 0.3, 0.3, 0.5), World(0.1, 0.3, 0.0, 0.5), World(0.1, 0.3, 0.3, 0.0))


def planted_panel(world: World, families: int, rng: np.random.Generator) -> pd.DataFrame:
    """Models of families of two to four sizes, trained on as many tokens each, as one harness would measure them."""
    parts = []
    for family in range(families):
        tokens = rng.uniform(2.2, 3.8)
        k = int(rng.integers(2, 5))
        logs = rng.uniform(-0.8, 1.0) + np.cumsum(rng.uniform(0.25, 0.7, k))
        dx = rng.uniform(4.0, 14.0, k - 1)
        middle = (logs[:-1] + logs[1:]) / 2
        gamma = world.level + world.size * (middle - SIZE) + world.tokens * (tokens - TOKENS)
        gamma = gamma + world.spread * rng.standard_normal()
        scores = {}
        for name, start, change in (("hellaswag", 45.0, dx), ("truthfulqa", 42.0, gamma * dx)):
            true = np.clip(start + np.concatenate([[0.0], np.cumsum(change)]), 2.0, 98.0)
            scores[name] = measured(true, ITEM_COUNTS[name], rng)[0]
        name = f"F{family:02d}"
        parts.append(
            pd.DataFrame(
                {"model": [f"{name}-{i}" for i in range(k)], "family": name, "ladder": name, "params_b": 10**logs}
                | {"pretrain_tokens_b": 10**tokens, **scores}
            )
        )
    return pd.concat(parts, ignore_index=True)


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """How often each interval over steps of families is right, and how often a trend is seen where none is."""
    yield from _whole_ladders(replications, rng)
    yield from _clusters(replications, rng)
    families = 30
    for world in WORLDS:
        noise = f"questions, families of {world.spread:g}" if world.spread else "questions"
        panels = [planted_panel(world, families, rng) for _ in range(max(1, replications // FEWER))]
        steps = [known_steps(panel) for panel in panels]
        yield from _model(world, noise, panels, steps)
        yield from _regressions(world, noise, steps)


def _whole_ladders(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The change from the smallest to the largest size, of ladders that fall and of ladders that do not change."""
    for change in (0.0, -10.0):
        scores = (("hellaswag", np.linspace(30.0, 70.0, 6)), ("truthfulqa", np.linspace(45.0, 45.0 + change, 6)))

        def once(scores: tuple[tuple[str, Floats], ...] = scores) -> dict[str, object]:
            frame = pd.DataFrame({name: measured(true, ITEM_COUNTS[name], rng)[0] for name, true in scores})
            whole = whole_ladder(frame.assign(params_b=10.0 ** np.arange(6)))
            return {"change": whole.dy, "sure": whole.settled}

        trial = repeated(replications, once)
        setting = Setting(PART, "whole ladder", f"changes by {change:g} points", 6, "questions")
        yield coverage(setting, trial["change"], change)
        yield share(setting, trial["sure"], "false positives" if change == 0 else "power")


def _slope(x: Floats, y: Floats, families: NDArray[np.int64]) -> Estimate:
    """The slope with each family left out, as for the line of a panel; below eight families its t interval."""
    return clustered(lambda a, b: ols(a, b).slope.estimate, x, y, clusters=families, few=ols(x, y).slope)


def _clusters(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """A share of signs, a slope and a partial r where what families share is half of all scatter."""
    for families, k in ((5, 3), (8, 3), (12, 3), (30, 3)):
        noise = f"{families} families of {k}, half of the scatter shared"
        family = np.repeat(np.arange(families), k)

        def once(family: NDArray[np.int64] = family) -> dict[str, Estimate]:
            own = rng.standard_normal((4, family.size))
            mixed = np.sqrt(0.5) * (own + rng.standard_normal((4, family.max() + 1))[:, family])
            held = mixed[2:].T
            return {
                "share of signs": clustered_share(mixed[0] + 0.25 < 0, family),
                "slope": _slope(mixed[1], 0.5 * mixed[1] + mixed[2], family),
                "partial r given two": clustered_r(*(mixed[:2] + held.sum(1)), family, given=held),
            }

        trial, few = repeated(replications, once), families < LEAST_CLUSTERS
        names = ("Wilson", "t interval", "Fisher's z") if few else ("families alike", *["families left out"] * 2)
        worlds = (("a share of 40 %", float(ndtr(-0.25))), ("a slope of 0.5", 0.5), ("r 0 given both", 0.0))
        for (what, ends), name, (world, true) in zip(trial.items(), names, worlds, strict=True):
            yield coverage(Setting(PART, f"{what}, {name}", world, family.size, noise), ends, true)


def _model(world: World, noise: str, panels: list[pd.DataFrame], steps: list[pd.DataFrame]) -> Iterator[Rate]:
    """The model of all families: slopes, the level's crossing, spread; and trends where none is."""
    truths = {"size": world.size, "tokens": world.tokens, "N_c": 10 ** (SIZE - world.level / world.size)}
    truths |= {f"band at {at:g} B": world.level + world.size * (np.log10(at) - SIZE) for at in BAND}
    truths |= {"spread of families": world.spread} if world.spread else {}
    intervals: dict[str, list[Any]] = {name: [] for name in truths}
    for panel, table in zip(panels, steps, strict=True):
        model = family_model(table, panel)
        ends = model.terms()[["low", "high"]].to_numpy(dtype=float)
        band = [model.gamma(at, tokens_b=10**TOKENS) for at in BAND]
        every = [ends[1], ends[2], model.critical_scale(tokens_b=10**TOKENS), *band, model.spread()]
        for name, interval in zip(truths, every, strict=False):  # no spread is asked where families are alike
            intervals[name].append(interval)
    settings = {name: Setting(PART, f"model of all families, {name}", str(world), 30, noise) for name in truths}
    for name, true in truths.items():
        yield coverage(settings[name], intervals[name], true)
    away = [low > 0 or high < 0 for low, high in intervals["tokens"]]
    yield share(settings["tokens"], away, "power" if world.tokens else "false positives")


def _regressions(world: World, noise: str, steps: list[pd.DataFrame]) -> Iterator[Rate]:
    """The regressions with families as clusters: coverage for gamma, and a trend in tokens where none is."""
    ends, signs = [], []
    for table in steps:
        ends.append(regression(table, "gamma", ("size", "tokens"))[["low", "high", "p"]].to_numpy(dtype=float)[1])
        with suppress(MissingError):
            signs.append(regression(table, "sign", ("size", "tokens"))["p"].to_numpy(dtype=float)[1])
    measure = "power" if world.tokens else "false positives"
    gamma = Setting(PART, "regression of gamma, families as clusters", str(world), 30, noise)
    yield coverage(gamma, np.array(ends)[:, :2], world.tokens)
    yield share(gamma, np.array(ends)[:, 2] < 0.05, measure)
    sign = Setting(PART, "regression of the sign, families as clusters", str(world), 30, noise)
    yield share(sign, np.array(signs) < 0.05, measure)
