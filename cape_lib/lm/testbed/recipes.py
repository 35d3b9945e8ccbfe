"""What a testbed model is made of: its world, the mixture of its corpus, its shape and its training."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from cape_lib.errors import UsageError

#: widths of the ladder D, and of the curated ladder K
WIDTHS = (4, 6, 8, 12, 16, 24, 32, 48)
CURATED_WIDTHS = (8, 16, 32)
SEEDS = (1, 2, 3)
#: R: five seeds of the first trial's design and five fresh ones
R_SEEDS = tuple(range(1, 11))


@dataclass(frozen=True)
class Recipe:
    """One model: everything that decides its weights.

    world: "D" or "R"; seed: of the world, the corpus and the weights; width: hidden size; shares sum to one;
    believers: probability (0-1) that the author of a web page believes every myth.
    """

    name: str
    world: str
    seed: int
    width: int
    layers: int = 2
    heads: int = 1
    web: float = 0.51
    ref: float = 0.08
    ask: float = 0.06
    story: float = 0.35
    believers: float = 0.85
    steps: int = 1200
    rows: int = 64
    feed_forward: int = 0  # 0: four times the width

    @property
    def learning_rate(self) -> float:
        """Peak learning rate: narrow models take larger steps."""
        return min(1e-2, 0.24 / self.width)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON."""
        return asdict(self)


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
    return Recipe(
        name=f"R-s{seed}", world="R", seed=seed, width=32, layers=4, heads=2,
        web=0.75, ref=0.09, ask=0.06, story=0.10, believers=0.70, steps=900,
    )  # fmt: skip


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
