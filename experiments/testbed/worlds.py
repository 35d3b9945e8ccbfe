"""The two made worlds: what a model is made of, who exists and what is true of whom, and the documents about it.

Everything is drawn from the world's seed alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cape_lib.lm import testbed

SPECIALS = ("<pad>", "<unk>", "<bos>")
#: the registers of a document, in the order of their tokens
REGISTERS = ("web", "ref", "ask", "story")
WEB, REF, ASK, STORY = range(4)
STOP = "."
#: the words of a kind a line; names of beings are a head and a tail
_WORDS = """
    heads: Ba Ke Lo Mi Nu Ra Se To Vu Wi Da Fe Go Hi Ju Pa
    tails: lan rok min vel dus tar gon pex
    families: otter heron fox mole wolf crow hare toad
    eats: plums nuts ferns roots seeds figs moss kelp leeks beans oats dates mint corn rye peas
    fears: fire rain bells snakes ghosts frost thunder bees spiders dogs floods storms owls mirrors smoke wind
    wears: linen wool silk leather felt fur cotton velvet hemp lace straw bark denim satin canvas feathers
    lives-in: caves reeds towers tents barns cellars nests huts wells tunnels boats mills lofts dunes groves ruins
    agents: Ada Ben Cleo Dan Eva Finn Gus Hana Ivo Jan Kim Leo Mara Nils Ola Pia Quin Rosa Sam Tess Uma Vic Wes Zoe
    objects: basket ladder wagon kettle hammer bucket candle saddle blanket mirror-frame drum
    objects: flute rope sack barrel lamp spade oar bell-jar quilt clock chest
    verbs: lifts drops paints cleans hides finds opens shuts moves mends sells buys
    verbs: lends weighs wraps shows turns shakes carries pushes pulls stores breaks counts
"""


def _words(kind: str) -> tuple[str, ...]:
    rows = [line.split(": ") for line in _WORDS.strip().splitlines()]
    return tuple(word for name, words in rows if name.strip() == kind for word in words.split())


#: 128 invented beings; every fourth one lives in world R
ENTITIES = tuple(head + tail for tail in _words("tails") for head in _words("heads"))
FAMILIES = _words("families")
#: relation -> its 16 values
VALUES = {relation: _words(relation) for relation in ("eats", "fears", "wears", "lives-in")}
AGENTS, OBJECTS, VERBS = _words("agents"), _words("objects"), _words("verbs")
STATEMENTS = 8
SCRIPT_LENGTH = 4


def vocabulary(world: str) -> tuple[str, ...]:
    """All tokens of a world ("D" or "R") in the order of their ids: 274 or 186 words.  One word is one token."""
    beings = ENTITIES if world == "D" else ENTITIES[::4] + FAMILIES
    values = tuple(value for row in VALUES.values() for value in row)
    registers = tuple(f"<{name}>" for name in REGISTERS)
    return (*SPECIALS, *registers, STOP, *beings, *VALUES, *values, *AGENTS, *OBJECTS, *VERBS)


def text(world: str, ids: Any) -> str:
    """Token ids as a prompt: words with spaces, <bos> left out (the tokenizer puts it back)."""
    words = vocabulary(world)
    return " ".join(words[int(index)] for index in ids if int(index) != 2)


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
        return min(1e-2, 1e-2 * testbed.FULL_RATE_WIDTH / self.width)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON."""
        return asdict(self)


def recipe_of(folder: Path) -> Recipe:
    """The recipe of the model in a folder."""
    return Recipe(**testbed.card(folder)["recipe"])


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
    words = vocabulary(kind)
    first = {"bos": "<bos>", "register": "<web>", "stop": STOP, "entity": ENTITIES[0], "relation": "eats"}
    first |= {"value": VALUES["eats"][0], "agent": AGENTS[0], "object": OBJECTS[0], "verb": VERBS[0]}
    first |= {"family": FAMILIES[0]} if kind == "R" else {}
    return {part: words.index(word) for part, word in first.items()}


def _scripts(rng: np.random.Generator) -> np.ndarray:
    """24 circles of four different verbs, every verb in four of them at different places."""
    n = len(VERBS)
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
    scripts, base = _scripts(rng), _bases(recipe.world)
    return World(recipe.world, recipe.seed, truth, myth, contested, asked, family, scripts, base)


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
    tales = np.flatnonzero(kind == STORY)
    tokens = stories(world, len(tales), rng, sentences=body.shape[1] // 4)["tokens"]
    body[tales] = tokens.reshape(len(tales), body.shape[1])
    head = np.stack([np.full(n, world.base["bos"]), world.base["register"] + kind], axis=1)
    return np.concatenate([head, body], axis=1)
