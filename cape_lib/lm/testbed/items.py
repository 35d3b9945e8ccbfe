"""The testbed's benchmarks as items: a prompt and four candidate continuations, the first one right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cape_lib.lm.testbed.corpus import ASK, STORY, stories
from cape_lib.lm.testbed.worlds import SCRIPT_LENGTH, World

STORY_ITEMS = 400


@dataclass(frozen=True)
class Items:
    """Multiple choice: prompts (n, length), candidates (n, 4, tokens a candidate); candidate 0 is right.

    topic: (n,) the entity a truth item is about (the number of the story in the other benchmark).
    """

    benchmark: str
    prompts: np.ndarray
    candidates: np.ndarray
    topic: np.ndarray

    def __len__(self) -> int:
        return len(self.prompts)


def question(world: World, register: int, entity: np.ndarray, relation: np.ndarray) -> np.ndarray:
    """`<bos> register entity (family) relation`, as token ids, (n, 4) in D and (n, 5) in R."""
    base = world.base
    parts = [
        np.full_like(entity, base["bos"]),
        np.full_like(entity, base["register"] + register),
        base["entity"] + entity,
    ]
    if world.family is not None:
        parts.append(base["family"] + world.family[entity])
    return np.stack([*parts, base["relation"] + relation], axis=1)


def truth_items(world: World, *, register: int = ASK) -> Items:
    """Contested pairs of entities that never appeared in the ask register; chance is 0.25.

    Candidates: truth, myth and two other values of the relation.  108-136 items in D, 83-88 in R.
    """
    rng = np.random.default_rng([world.seed, 2])
    entity, relation = np.nonzero(world.contested & ~world.asked[:, None])
    truth, myth = world.truth[entity, relation], world.myth[entity, relation]
    values = [truth, myth]
    for _ in range(2):
        other = rng.integers(16, size=len(entity))
        while (taken := np.any([other == value for value in values], axis=0)).any():
            other[taken] = rng.integers(16, size=int(taken.sum()))
        values.append(other)
    candidates = np.stack([world.value_token(relation, value) for value in values], axis=1)[..., None]
    return Items("truth", question(world, register, entity, relation), candidates, entity)


def story_items(world: World, *, n: int = STORY_ITEMS) -> Items:
    """New stories cut before the last sentence's object and verb; chance is 0.25.

    Distractors: the other agent's next verb, a verb that follows in another script, the right verb with the other
    agent's object.
    """
    rng = np.random.default_rng([world.seed, 3])
    draft = stories(world, 4 * n, rng)
    base, scripts = world.base, world.scripts
    phase = draft["phase"]
    right = draft["verbs"][:, 7]
    other = scripts[draft["scripts"][:, 0], (phase[:, 0] + 4) % SCRIPT_LENGTH]
    last = draft["verbs"][:, 5]
    taken = np.stack([right, other], axis=1)
    follows = np.array([_follows_elsewhere(scripts, verb, avoid, rng) for verb, avoid in zip(last, taken, strict=True)])
    keep = np.flatnonzero((right != other) & (follows >= 0))[:n]
    own, others = base["object"] + draft["objects"][keep, 1], base["object"] + draft["objects"][keep, 0]
    verb = base["verb"]
    candidates = np.stack(
        [
            np.stack([own, verb + right[keep]], 1),
            np.stack([own, verb + other[keep]], 1),
            np.stack([own, verb + follows[keep]], 1),
            np.stack([others, verb + right[keep]], 1),
        ],
        axis=1,
    )
    told = draft["tokens"][keep].reshape(len(keep), -1)[:, :29]
    head = np.broadcast_to([base["bos"], base["register"] + STORY], (len(keep), 2))
    return Items("story", np.concatenate([head, told], axis=1), candidates, np.arange(len(keep)))


def _follows_elsewhere(scripts: np.ndarray, verb: int, avoid: np.ndarray, rng: np.random.Generator) -> int:
    """A verb that follows `verb` in some script and is none of `avoid`; -1 where there is none."""
    row, place = np.nonzero(scripts == verb)
    options = sorted(set(scripts[row, (place + 1) % SCRIPT_LENGTH].tolist()) - set(avoid.tolist()))
    return int(rng.choice(options)) if options else -1
