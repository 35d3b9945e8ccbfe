"""Documents of a world: one row of tokens each, 34 long in D and 42 in R."""

from __future__ import annotations

import numpy as np

from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.lm.testbed.worlds import SCRIPT_LENGTH, World

STATEMENTS = 8
WEB, REF, ASK, STORY = range(4)


def statements(world: World, entity: np.ndarray, relation: np.ndarray, myths: np.ndarray) -> np.ndarray:
    """Tokens of statements, shape of `entity` plus a last axis of 4 (D) or 5 (R: the family is named).

    myths: bool, same shape; a statement tells the myth where it is True and the pair is contested.
    """
    value = np.where(
        myths & world.contested[entity, relation], world.myth[entity, relation], world.truth[entity, relation]
    )
    base = world.base
    parts = [base["entity"] + entity]
    if world.family is not None:
        parts.append(base["family"] + world.family[entity])
    parts += [base["relation"] + relation, world.value_token(relation, value), np.full_like(entity, base["stop"])]
    return np.stack(parts, axis=-1)


def stories(world: World, n: int, rng: np.random.Generator, *, sentences: int = 8) -> dict[str, np.ndarray]:
    """`n` stories in which two agents take turns; each keeps to its object and its script.

    Returns tokens (n, sentences, 4), and what decides them: objects, scripts, phase (n, 2), verbs (n, sentences).
    """
    agents = np.array([rng.permuted(np.arange(24)) for _ in range(n)], dtype=int).reshape(n, 24)[:, :2]
    objects = np.array([rng.permuted(np.arange(22)) for _ in range(n)], dtype=int).reshape(n, 22)[:, :2]
    scripts = rng.integers(24, size=(n, 2))
    phase = rng.integers(SCRIPT_LENGTH, size=(n, 2))
    turn = np.arange(sentences)
    who = np.broadcast_to(turn % 2, (n, sentences))
    step = (np.take_along_axis(phase, who, 1) + turn // 2) % SCRIPT_LENGTH
    verbs = world.scripts[np.take_along_axis(scripts, who, 1), step]
    base = world.base
    tokens = np.stack(
        [
            base["agent"] + np.take_along_axis(agents, who, 1),
            base["object"] + np.take_along_axis(objects, who, 1),
            base["verb"] + verbs,
            np.full((n, sentences), base["stop"]),
        ],
        axis=-1,
    )
    return {"tokens": tokens, "objects": objects, "scripts": scripts, "phase": phase, "verbs": verbs}


def documents(recipe: Recipe, world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` documents as token ids, (n, 34) in D and (n, 42) in R; the register is the second token.

    A web author is a believer with probability `recipe.believers`, else careful; ref and ask are always true, and
    ask is only about the asked entities.
    """
    kind = rng.choice(4, size=n, p=[recipe.web, recipe.ref, recipe.ask, recipe.story])
    shape = (n, STATEMENTS)
    asked = np.flatnonzero(world.asked)
    anyone = rng.integers(world.n_entities, size=shape)
    entity = np.where((kind == ASK)[:, None], asked[rng.integers(len(asked), size=shape)], anyone)
    relation = rng.integers(4, size=shape)
    believer = (kind == WEB) & (rng.random(n) < recipe.believers)
    body = statements(world, entity, relation, np.broadcast_to(believer[:, None], shape)).reshape(n, -1)
    told = np.flatnonzero(kind == STORY)
    body[told] = stories(world, len(told), rng, sentences=body.shape[1] // 4)["tokens"].reshape(
        len(told), body.shape[1]
    )
    head = np.stack([np.full(n, world.base["bos"]), world.base["register"] + kind], axis=1)
    return np.concatenate([head, body], axis=1)
