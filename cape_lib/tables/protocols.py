"""How a score was measured, as text of parts, and whether two scores may stand in one comparison."""

from __future__ import annotations

import re
from itertools import combinations

import pandas as pd

#: kind of a part -> what it looks like; a part of no kind is the metric or a note of the person's own
_KINDS = {
    "harness": re.compile(
        r"(lm-eval|leaderboard|lighteval|opencompass|helm|inspect|olmes|llm foundry|every eval ever)\b.*"
    ),
    "shots": re.compile(r"(\w+)-shot"),
    "version": re.compile(r"task version (.+)"),
    "template": re.compile(r"(no )?chat template.*"),
    "bos": re.compile(r"bos .+"),
    "number format": re.compile(r"dtype .+"),
    "seed of the examples": re.compile(r"few-shot seed .+"),
    "weights": re.compile(r"quantised.*"),
    "turns": re.compile(r"shots as turns"),
    "prompt": re.compile(r"system prompt .+"),
    "extent": re.compile(r"partial.*"),
}
#: kinds whose absence says something: what has no such part was measured without
_ABSENT = {"weights": "full weights", "turns": "one turn", "prompt": "no system prompt", "extent": "whole test"}


def table() -> dict[str, dict[str, str]]:
    """Kinds of parts as patterns, and what an absent kind says: for the browser, which tells protocols apart too."""
    return {"kinds": {name: form.pattern for name, form in _KINDS.items()}, "absent": dict(_ABSENT)}


def parts(protocol: str) -> dict[str, str]:
    """The parts of a protocol by kind, unknown ones left out."""
    known: dict[str, str] = {}
    for part in (piece.strip() for piece in str(protocol).split(";")):
        folded = part.casefold()
        kind = next((name for name, form in _KINDS.items() if form.fullmatch(folded)), "metric")
        if part and "unknown" not in folded.split("-")[0].split():
            known[kind] = f"{known[kind]}; {part}" if kind in known else part
    if "harness" in known:  # whoever names the harness has said all: what is absent was not done
        known = {kind: text for kind, text in _ABSENT.items() if kind not in known} | known
    return known


def differences(one: str, other: str) -> list[tuple[str, str]]:
    """What differs between two protocols, as pairs of parts; a part that either leaves unknown differs from nothing."""
    left, right = parts(one), parts(other)
    return [
        (left[kind], right[kind]) for kind in left if kind in right and left[kind].casefold() != right[kind].casefold()
    ]


def first_mix(protocols: pd.Series) -> tuple[int, int, tuple[str, str]] | None:
    """Positions of the first two scores that were measured in different ways, and the parts that differ; else None."""
    known = protocols.reset_index(drop=True).dropna().astype(str).str.strip()
    distinct = known.drop_duplicates()
    for (one, first), (other, second) in combinations(distinct.items(), 2):
        if unlike := differences(first, second):
            return int(str(one)), int(str(other)), (", ".join(a for a, _ in unlike), ", ".join(b for _, b in unlike))
    return None
