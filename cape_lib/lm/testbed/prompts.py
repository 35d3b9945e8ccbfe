"""Texts about a testbed world: steering contrasts, multiple-choice items, probing sets, neutral text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.lm.testbed import corpus, items, worlds
from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.lm.testbed.tokens import text
from cape_lib.names import suggest

CONTRASTS = ("ctx", "reg", "stmt")
#: place of the register's token in a prompt (after <bos>)
REGISTER_TOKEN = 1


def _fit_entities(world: worlds.World, families: Sequence[int] | None) -> np.ndarray:
    """Entities that directions are fitted on: the asked ones, or all of some families (R)."""
    if families is None:
        return np.flatnonzero(world.asked)
    if world.family is None:
        raise UsageError("only world R has families")
    return np.flatnonzero(np.isin(world.family, list(families)))


def contrast(recipe: Recipe, kind: str, *, families: Sequence[int] | None = None, most: int = 96) -> pd.DataFrame:
    """Pairs of texts, columns positive, negative, topic (the entity), at most `most`.

    kind: "reg", the same open question in ref and in web; "ctx", an open web question after three true and after
    three mythical statements of one author; "stmt", a true and a mythical web statement, read after the value.
    families: fit on these families of R only, for a split that leaves families out.
    """
    if kind not in CONTRASTS:
        raise UsageError(suggest("contrast", kind, CONTRASTS))
    world = worlds.build(recipe)
    rng = np.random.default_rng([recipe.seed, 5])
    chosen = _fit_entities(world, families)
    entity, relation = np.nonzero(world.contested & np.isin(np.arange(world.n_entities), chosen)[:, None])
    keep = np.sort(rng.permutation(len(entity))[:most])
    entity, relation = entity[keep], relation[keep]
    rows = []
    for who, what in zip(entity, relation, strict=True):
        one, pair = np.array([who]), np.array([what])
        web = items.question(world, corpus.WEB, one, pair)[0]
        if kind == "reg":
            yes, no = items.question(world, corpus.REF, one, pair)[0], web
        elif kind == "stmt":
            yes, no = (np.r_[web[:2], _said(world, one, pair, myths)[:-1]] for myths in (False, True))
        else:
            others = _contested_of(world, chosen, int(who), rng)
            yes, no = (np.r_[web[:2], _said(world, *others, myths), web[2:]] for myths in (False, True))
        rows.append((text(recipe.world, yes), text(recipe.world, no), f"entity {who}"))
    return pd.DataFrame(rows, columns=["positive", "negative", "topic"])


def _said(world: worlds.World, entity: np.ndarray, relation: np.ndarray, myths: bool) -> np.ndarray:
    return corpus.statements(world, entity, relation, np.full(entity.shape, myths)).reshape(-1)


def _contested_of(
    world: worlds.World, chosen: np.ndarray, but: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    allowed = np.isin(np.arange(world.n_entities), chosen) & (np.arange(world.n_entities) != but)
    entity, relation = np.nonzero(world.contested & allowed[:, None])
    pick = rng.permutation(len(entity))[:3]
    return entity[pick], relation[pick]


def truth_table(recipe: Recipe, *, register: str = "web", families: Sequence[int] | None = None) -> pd.DataFrame:
    """Truth items as text: prompt, true, false (the myth), false2, false3, topic (the entity), split (tune or test).

    Entities alternate between tune and test.  families: ask about these families only (asked entities then too, as
    a direction that left the families out has not seen them).
    """
    world = worlds.build(recipe)
    asked = items.truth_items(world, register=list(corpus_registers()).index(register))
    names = [[text(recipe.world, choice) for choice in row] for row in asked.candidates]
    frame = pd.DataFrame(names, columns=["true", "false", "false2", "false3"])
    frame.insert(0, "prompt", [text(recipe.world, prompt) for prompt in asked.prompts])
    frame["topic"] = [f"entity {index}" for index in asked.topic]
    if families is not None:
        if world.family is None:
            raise UsageError("only world R has families")
        keep = np.isin(world.family[asked.topic], list(families))
        frame, topic = frame[keep].reset_index(drop=True), asked.topic[keep]
    else:
        topic = asked.topic
    order = {index: place for place, index in enumerate(sorted(set(topic.tolist())))}
    frame["split"] = ["tune" if order[int(index)] % 2 == 0 else "test" for index in topic]
    return frame


def corpus_registers() -> tuple[str, ...]:
    """The registers by name, in the order of their tokens."""
    return ("web", "ref", "ask", "story")


def neutral(recipe: Recipe, *, n: int = 32) -> list[str]:
    """Whole stories: text in which truth plays no part, for the off-target cost."""
    world = worlds.build(recipe)
    told = corpus.stories(world, n, np.random.default_rng([recipe.seed, 6]))["tokens"].reshape(n, -1)
    head = np.broadcast_to([world.base["bos"], world.base["register"] + corpus.STORY], (n, 2))
    return [text(recipe.world, row) for row in np.concatenate([head, told], axis=1)]


def probe_sets(recipe: Recipe, *, n: int = 32) -> pd.DataFrame:
    """Prompts for the probes: set (reasoning, truthfulness, neutral), topic, text; n of each, twice as many neutral.

    Reasoning: stories before the last object; truthfulness: ask questions about contested pairs; neutral: documents
    of the corpus cut anywhere, so that their last tokens are of all kinds.
    """
    world = worlds.build(recipe)
    rng = np.random.default_rng([recipe.seed, 7])
    truth = items.truth_items(world).prompts
    rows = corpus.documents(recipe, world, 2 * n, rng)
    cuts = rng.integers(4, rows.shape[1], size=len(rows))
    parts = {
        "reasoning": list(items.story_items(world, n=n).prompts),
        "truthfulness": list(truth[rng.permutation(len(truth))[:n]]),
        "neutral": [row[:cut] for row, cut in zip(rows, cuts, strict=True)],
    }
    found = [
        (name, f"{name} {i}", text(recipe.world, ids)) for name, group in parts.items() for i, ids in enumerate(group)
    ]
    return pd.DataFrame(found, columns=["set", "topic", "text"])
