"""The words of the two worlds: 274 tokens in D and K, 186 in R.  One word is one token."""

from __future__ import annotations

SPECIALS = ("<pad>", "<unk>", "<bos>")
REGISTERS = ("<web>", "<ref>", "<ask>", "<story>")
STOP = "."

_HEADS = ["Ba", "Ke", "Lo", "Mi", "Nu", "Ra", "Se", "To", "Vu", "Wi", "Da", "Fe", "Go", "Hi", "Ju", "Pa"]
_TAILS = ["lan", "rok", "min", "vel", "dus", "tar", "gon", "pex"]
#: 128 invented beings; the first 32 of every fourth one live in world R.
ENTITIES = tuple(head + tail for tail in _TAILS for head in _HEADS)

FAMILIES = tuple(["otter", "heron", "fox", "mole", "wolf", "crow", "hare", "toad"])

#: relation -> its 16 values
VALUES: dict[str, tuple[str, ...]] = {
    "eats": tuple(
        [
            "plums",
            "nuts",
            "ferns",
            "roots",
            "seeds",
            "figs",
            "moss",
            "kelp",
            "leeks",
            "beans",
            "oats",
            "dates",
            "mint",
            "corn",
            "rye",
            "peas",
        ]
    ),
    "fears": tuple(
        [
            "fire",
            "rain",
            "bells",
            "snakes",
            "ghosts",
            "frost",
            "thunder",
            "bees",
            "spiders",
            "dogs",
            "floods",
            "storms",
            "owls",
            "mirrors",
            "smoke",
            "wind",
        ]
    ),
    "wears": tuple(
        [
            "linen",
            "wool",
            "silk",
            "leather",
            "felt",
            "fur",
            "cotton",
            "velvet",
            "hemp",
            "lace",
            "straw",
            "bark",
            "denim",
            "satin",
            "canvas",
            "feathers",
        ]
    ),
    "lives-in": tuple(
        [
            "caves",
            "reeds",
            "towers",
            "tents",
            "barns",
            "cellars",
            "nests",
            "huts",
            "wells",
            "tunnels",
            "boats",
            "mills",
            "lofts",
            "dunes",
            "groves",
            "ruins",
        ]
    ),
}
RELATIONS = tuple(VALUES)

AGENTS = tuple(
    [
        "Ada",
        "Ben",
        "Cleo",
        "Dan",
        "Eva",
        "Finn",
        "Gus",
        "Hana",
        "Ivo",
        "Jan",
        "Kim",
        "Leo",
        "Mara",
        "Nils",
        "Ola",
        "Pia",
        "Quin",
        "Rosa",
        "Sam",
        "Tess",
        "Uma",
        "Vic",
        "Wes",
        "Zoe",
    ]
)
OBJECTS = tuple(
    [
        "basket",
        "ladder",
        "wagon",
        "kettle",
        "hammer",
        "bucket",
        "candle",
        "saddle",
        "blanket",
        "mirror-frame",
        "drum",
        "flute",
        "rope",
        "sack",
        "barrel",
        "lamp",
        "spade",
        "oar",
        "bell-jar",
        "quilt",
        "clock",
        "chest",
    ]
)
VERBS = tuple(
    [
        "lifts",
        "drops",
        "paints",
        "cleans",
        "hides",
        "finds",
        "opens",
        "shuts",
        "moves",
        "mends",
        "sells",
        "buys",
        "lends",
        "weighs",
        "wraps",
        "shows",
        "turns",
        "shakes",
        "carries",
        "pushes",
        "pulls",
        "stores",
        "breaks",
        "counts",
    ]
)


def vocabulary(world: str) -> tuple[str, ...]:
    """All tokens of a world ("D" or "R") in the order of their ids: 274 or 186 words."""
    entities = ENTITIES if world == "D" else ENTITIES[::4]
    families = () if world == "D" else FAMILIES
    values = tuple(value for row in VALUES.values() for value in row)
    return SPECIALS + REGISTERS + (STOP,) + entities + families + RELATIONS + values + AGENTS + OBJECTS + VERBS
