"""The recipes of the testbed: two ladders, the readers, and the grids of models of which only scores are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from cape_lib.errors import UsageError
from experiments.testbed.worlds import Recipe, vocabulary

#: widths of the ladder D, and of the curated ladder K
WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48)
CURATED_WIDTHS = (8, 16, 32)
SEEDS = (1, 2, 3)
#: R: five seeds of the first trial's design and five fresh ones
R_SEEDS = tuple(range(1, 11))
#: shares of authors that believe, of text that is reliable, and widths
BELIEVERS = (0.20, 0.50, 0.70, 0.85)
RELIABLE = (0.02, 0.08, 0.20)
GRID_WIDTHS = (8, 16, 24, 48)
#: total parameters of d = 24 and d = 32 in ladder D, and the widths that reach them with two layers
BUDGETS = {27_648: (8, 12, 16, 24, 32), 43_008: (12, 16, 24, 32, 40)}


def _heads(width: int) -> int:
    return max(1, width // 16)


def dip(width: int, seed: int, *, name: str = "", **changes: Any) -> Recipe:
    """A model of world D at `width` (multiple of 2); `changes` override any field (believers, ref, layers ...).

    A changed share of reliable or of web text is taken from, or given to, the stories.
    """
    recipe = Recipe(name=name or f"D-d{width}-s{seed}", world="D", seed=seed, width=width, heads=_heads(width))
    recipe = replace(recipe, **changes)
    return replace(recipe, story=round(1 - recipe.web - recipe.ref - recipe.ask, 10))


def curated(width: int, seed: int) -> Recipe:
    """The same as D with one in five authors a believer, and nothing else changed."""
    return dip(width, seed, name=f"K-d{width}-s{seed}", believers=0.20)


def reader(seed: int) -> Recipe:
    """A model of world R: it learns to read from the context whether its author is truthful."""
    recipe = Recipe(name=f"R-s{seed}", world="R", seed=seed, width=32, layers=4, heads=2, steps=900)
    return replace(recipe, web=0.75, ref=0.09, ask=0.06, story=0.10, believers=0.70)


def shipped() -> dict[str, Recipe]:
    """The models that come with the book, by name."""
    recipes = [dip(width, seed) for seed in SEEDS for width in WIDTHS]
    recipes += [curated(width, seed) for seed in SEEDS for width in CURATED_WIDTHS]
    recipes += [reader(seed) for seed in R_SEEDS]
    return {recipe.name: recipe for recipe in recipes}


def named(name: str) -> Recipe:
    """The recipe of a name such as "D-d8-s1", "K-d16-s2" or "R-s4"; seeds that are not shipped are allowed."""
    match = re.fullmatch(r"([DK])-d(\d+)-s(\d+)|R-s(\d+)", name)
    if match is None:
        raise UsageError(f"unknown testbed model {name!r}; write D-d8-s1, K-d16-s2 or R-s4 (ladder, width, seed)")
    if match[4]:
        return reader(int(match[4]))
    width, seed = int(match[2]), int(match[3])
    if not 2 <= width <= 512 or width % 2 or width % _heads(width):
        raise UsageError(f"testbed model {name!r}: width {width} must be even, from 2 to 512")
    return dip(width, seed) if match[1] == "D" else curated(width, seed)


def parameters(recipe: Recipe) -> int:
    """Number of trainable parameters, without building the model."""
    d, inner = recipe.width, recipe.feed_forward or 4 * recipe.width
    block = 4 * d * d + 4 * d + 2 * d * inner + inner + d + 4 * d
    return 2 * len(vocabulary(recipe.world)) * d + recipe.layers * block + 2 * d


def feed_forward_for(width: int, budget: int) -> int:
    """The inner width with which two layers of `width` come nearest to a number of parameters."""
    fixed = parameters(dip(width, 1, feed_forward=1)) - 2 * (2 * width + 1)
    return max(1, round((budget - fixed) / (2 * (2 * width + 1))))


def curation(seeds: tuple[int, ...] = (1,)) -> Iterator[Recipe]:
    """Share of believers x share of reliable text x width; reliable text takes the place of stories."""
    for seed, believers, ref, width in product(seeds, BELIEVERS, RELIABLE, GRID_WIDTHS):
        name = f"grid-b{believers:g}-r{ref:g}-d{width}-s{seed}"
        yield dip(width, seed, name=name, believers=believers, ref=ref)


def fixed_parameters(seeds: tuple[int, ...] = tuple(range(1, 9))) -> Iterator[Recipe]:
    """Width moved at a fixed number of parameters: what a wider stream takes, the feed-forward layers give."""
    for seed, (budget, widths) in product(seeds, BUDGETS.items()):
        for width in widths:
            name = f"fixed-{budget}-d{width}-s{seed}"
            yield dip(width, seed, name=name, feed_forward=feed_forward_for(width, budget))


GRIDS: dict[str, Callable[..., Iterator[Recipe]]] = {"curation": curation, "fixed-parameters": fixed_parameters}
