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
#: tokens of a probing text after its head: whole sentences of four tokens, and whole statements of four or five
_BODY = 20


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
    """Prompts for the probes: set (reasoning, truthfulness, neutral, placebo), topic, text.

    All are 22 tokens long and end in a full stop, where they are read, so that neither length nor last word tells a
    set from another.  Reasoning: stories; truthfulness: true statements of the ask register about contested pairs;
    neutral and placebo: documents of the corpus.  n of each, twice as many neutral and placebo.
    """
    world = worlds.build(recipe)
    rng = np.random.default_rng([recipe.seed, 7])
    told = corpus.stories(world, n, rng, sentences=_BODY // 4)["tokens"].reshape(n, -1)
    entity, relation = np.nonzero(world.contested & ~world.asked[:, None])
    pick = rng.integers(len(entity), size=(n, _BODY // (5 if world.family is not None else 4)))
    true = corpus.statements(world, entity[pick], relation[pick], np.zeros(pick.shape, dtype=bool)).reshape(n, -1)
    others = corpus.documents(recipe, world, 4 * n, rng)[:, : 2 + _BODY]

    def headed(register: int, body: np.ndarray) -> np.ndarray:
        head = np.broadcast_to([world.base["bos"], world.base["register"] + register], (n, 2))
        return np.concatenate([head, body], axis=1)

    parts = {
        "reasoning": headed(corpus.STORY, told), "truthfulness": headed(corpus.ASK, true),
        "neutral": others[: 2 * n], "placebo": others[2 * n :],
    }  # fmt: skip
    rows = [
        (name, f"{name} {i}", text(recipe.world, ids)) for name, group in parts.items() for i, ids in enumerate(group)
    ]
    return pd.DataFrame(rows, columns=["set", "topic", "text"])
