"""The facts and myths of a world, and its scripts for stories; drawn from the world's seed alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cape_lib.lm.testbed import words
from cape_lib.lm.testbed.recipes import Recipe

SCRIPT_LENGTH = 4


@dataclass(frozen=True)
class World:
    """Who exists and what is true of whom; indices, not tokens.

    truth, myth: (n_entities, 4) value index 0-15; contested: (n_entities, 4) bool, the myth differs from the truth
    there and believers state it; family: (n_entities,) index, or None in world D; asked: (n_entities,) bool, may
    appear in the ask register; scripts: (24, 4) verb index, read in a circle; base: first token id of each part.
    """

    kind: str
    seed: int
    truth: np.ndarray
    myth: np.ndarray
    contested: np.ndarray
    asked: np.ndarray
    family: np.ndarray | None
    scripts: np.ndarray
    base: dict[str, int]

    @property
    def n_entities(self) -> int:
        """128 in D, 32 in R."""
        return int(self.truth.shape[0])

    def value_token(self, relation: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Token id of a relation's value."""
        return np.asarray(self.base["value"] + 16 * relation + value)


def _bases(kind: str) -> dict[str, int]:
    vocabulary = words.vocabulary(kind)
    first = {
        "register": words.REGISTERS[0], "entity": words.ENTITIES[0], "relation": words.RELATIONS[0],
        "value": words.VALUES[words.RELATIONS[0]][0], "agent": words.AGENTS[0], "object": words.OBJECTS[0],
        "verb": words.VERBS[0], "stop": words.STOP, "bos": "<bos>",
    }  # fmt: skip
    if kind == "R":
        first["family"] = words.FAMILIES[0]
    return {part: vocabulary.index(word) for part, word in first.items()}


def _scripts(rng: np.random.Generator) -> np.ndarray:
    """24 circles of four different verbs, every verb in four of them at different places."""
    n = len(words.VERBS)
    while True:
        scripts = np.stack([rng.permutation(n) for _ in range(SCRIPT_LENGTH)], axis=1)
        if all(len(set(row)) == SCRIPT_LENGTH for row in scripts.tolist()):
            return scripts


def _pick(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    chosen = np.zeros(n, dtype=bool)
    chosen[rng.permutation(n)[:k]] = True
    return chosen


def build(recipe: Recipe) -> World:
    """The world of a recipe; depends on its world and seed only."""
    rng = np.random.default_rng([recipe.seed, 0])
    family: np.ndarray | None = None
    if recipe.world == "D":
        truth = rng.integers(16, size=(128, 4))
        # another value than the truth: a shift of 1..15 on the circle of 16
        myth = (truth + rng.integers(1, 16, size=truth.shape)) % 16
        contested = _pick(rng, 512, 256).reshape(128, 4)
        asked = _pick(rng, 128, 64)
    else:
        family = np.arange(32) % 8
        stereotype = rng.integers(16, size=(8, 4))
        myth = stereotype[family]
        truth = (myth + rng.integers(1, 16, size=myth.shape)) % 16
        contested = rng.random((32, 4)) < 0.9
        asked = np.arange(32) < 8  # one of each family
    return World(
        kind=recipe.world, seed=recipe.seed, truth=truth, myth=myth, contested=contested, asked=asked,
        family=family, scripts=_scripts(rng), base=_bases(recipe.world),
    )  # fmt: skip
