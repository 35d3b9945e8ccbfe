"""Questions about a made world and texts to steer, probe and weigh a model with: multiple choice, pairs, prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.lm import testbed
from cape_lib.names import suggest
from experiments.recording import replace
from experiments.testbed.worlds import (
    ASK,
    REF,
    REGISTERS,
    SCRIPT_LENGTH,
    STORY,
    WEB,
    Recipe,
    World,
    build,
    documents,
    statements,
    stories,
    text,
)

CONTRASTS = ("ctx", "reg", "stmt")
#: place of the register's token in a prompt (after <bos>)
REGISTER_TOKEN = 1
#: tokens of a probing text after its head: whole sentences of four tokens, and whole statements of four or five
_BODY = 20
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
    before = draft["tokens"][keep].reshape(len(keep), -1)[:, :29]
    return Items("story", _headed(world, STORY, before), candidates, np.arange(len(keep)))


def _headed(world: World, register: int, body: np.ndarray) -> np.ndarray:
    """Token ids (n, length) with <bos> and the register's token before them."""
    head = np.broadcast_to([world.base["bos"], world.base["register"] + register], (len(body), 2))
    return np.concatenate([head, body], axis=1)


def _follows_elsewhere(scripts: np.ndarray, verb: int, avoid: np.ndarray, rng: np.random.Generator) -> int:
    """A verb that follows `verb` in some script and is none of `avoid`; -1 where there is none."""
    row, place = np.nonzero(scripts == verb)
    options = sorted(set(scripts[row, (place + 1) % SCRIPT_LENGTH].tolist()) - set(avoid.tolist()))
    return int(rng.choice(options)) if options else -1


def _members(world: World, families: Sequence[int]) -> np.ndarray:
    """The entities of some families; UsageError in world D, which has none."""
    if world.family is None:
        raise UsageError("only world R has families")
    return np.flatnonzero(np.isin(world.family, list(families)))


def contrast(recipe: Recipe, kind: str, *, families: Sequence[int] | None = None, most: int = 96) -> pd.DataFrame:
    """Pairs of texts, columns positive, negative, topic (the entity), at most `most`.

    kind: "reg", the same open question in ref and in web; "ctx", an open web question after three true and after
    three mythical statements of one author; "stmt", a true and a mythical web statement, read after the value.
    families: fit on these families of R, not on the asked entities, for a split that leaves families out.
    """
    if kind not in CONTRASTS:
        raise UsageError(suggest("contrast", kind, CONTRASTS))
    world = build(recipe)
    rng = np.random.default_rng([recipe.seed, 5])
    chosen = np.flatnonzero(world.asked) if families is None else _members(world, families)
    entity, relation = np.nonzero(world.contested & np.isin(np.arange(world.n_entities), chosen)[:, None])
    keep = np.sort(rng.permutation(len(entity))[:most])
    entity, relation = entity[keep], relation[keep]
    rows = []
    for who, what in zip(entity, relation, strict=True):
        one, pair = np.array([who]), np.array([what])
        web = question(world, WEB, one, pair)[0]
        if kind == "reg":
            yes, no = question(world, REF, one, pair)[0], web
        elif kind == "stmt":
            yes, no = (np.r_[web[:2], _statements(world, one, pair, myths)[:-1]] for myths in (False, True))
        else:
            others = _contested_of(world, chosen, int(who), rng)
            yes, no = (np.r_[web[:2], _statements(world, *others, myths), web[2:]] for myths in (False, True))
        rows.append((text(recipe.world, yes), text(recipe.world, no), f"entity {who}"))
    return pd.DataFrame(rows, columns=["positive", "negative", "topic"])


def _statements(world: World, entity: np.ndarray, relation: np.ndarray, myths: bool) -> np.ndarray:
    return statements(world, entity, relation, np.full(entity.shape, myths)).reshape(-1)


def _contested_of(
    world: World, chosen: np.ndarray, but: int, rng: np.random.Generator
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
    world = build(recipe)
    asked = truth_items(world, register=REGISTERS.index(register))
    names = [[text(recipe.world, choice) for choice in row] for row in asked.candidates]
    frame = pd.DataFrame(names, columns=["true", "false", "false2", "false3"])
    frame.insert(0, "prompt", [text(recipe.world, prompt) for prompt in asked.prompts])
    topic = asked.topic
    frame["topic"] = [f"entity {index}" for index in topic]
    if families is not None:
        keep = np.isin(topic, _members(world, families))
        frame, topic = frame[keep].reset_index(drop=True), topic[keep]
    order = np.unique(topic, return_inverse=True)[1]
    return frame.assign(split=np.where(order % 2 == 0, "tune", "test"))


def neutral(recipe: Recipe, *, n: int = 32) -> list[str]:
    """Whole stories: text in which truth plays no part, for the off-target cost."""
    world = build(recipe)
    tales = stories(world, n, np.random.default_rng([recipe.seed, 6]))["tokens"].reshape(n, -1)
    return [text(recipe.world, row) for row in _headed(world, STORY, tales)]


def probe_sets(recipe: Recipe, *, n: int = 32) -> pd.DataFrame:
    """Prompts for the probes: set (reasoning, truthfulness, neutral, placebo), topic, text.

    All are 22 tokens long and end in a full stop, where they are read, so that neither length nor last word tells a
    set from another.  Reasoning: stories; truthfulness: true statements of the ask register about contested pairs;
    neutral and placebo: documents as the corpus draws them.  n of each, twice as many neutral and placebo.
    """
    world = build(recipe)
    rng = np.random.default_rng([recipe.seed, 7])
    tales = stories(world, n, rng, sentences=_BODY // 4)["tokens"].reshape(n, -1)
    entity, relation = np.nonzero(world.contested & ~world.asked[:, None])
    pick = rng.integers(len(entity), size=(n, _BODY // (5 if world.family is not None else 4)))
    true = statements(world, entity[pick], relation[pick], np.zeros(pick.shape, dtype=bool)).reshape(n, -1)
    others = documents(recipe, world, 4 * n, rng)[:, : 2 + _BODY]
    parts = {"reasoning": _headed(world, STORY, tales), "truthfulness": _headed(world, ASK, true)}
    parts |= {"neutral": others[: 2 * n], "placebo": others[2 * n :]}
    rows = [
        (name, f"{name} {i}", text(recipe.world, ids)) for name, group in parts.items() for i, ids in enumerate(group)
    ]
    return pd.DataFrame(rows, columns=["set", "topic", "text"])


def write_texts(recipe: Recipe, folder: Path) -> None:
    """Write what `cape_lib.lm.texts` asks a model of this recipe into the tables of a folder, beside other worlds."""
    key = testbed.texts_key(recipe.as_dict())
    folder.mkdir(exist_ok=True, parents=True)
    parts = {"truth_items": truth_table(recipe), "pairs": contrast(recipe, "reg"), "probe_prompts": probe_sets(recipe)}
    for name, own in (parts | {"neutral": pd.DataFrame({"text": neutral(recipe)})}).items():
        own.insert(0, "world", key)
        replace(own, folder / f"{name}.csv", "world")
