"""The kinds of results files that are read, each a module with `NAME`, `fits` and `read`; the first that fits reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cape_lib.ingest.readers import (
    bare,
    every_eval_ever,
    gauntlet,
    helm,
    inspect_log,
    leaderboard,
    lighteval,
    lm_eval,
    olmes,
    opencompass,
)
from cape_lib.ingest.reading import Reader

#: in the order in which they are asked
READERS: tuple[Reader, ...] = (
    inspect_log,
    leaderboard,
    lighteval,
    lm_eval,
    olmes,
    helm,
    every_eval_ever,
    opencompass,
    gauntlet,
    bare,
)


def documents(value: Any) -> list[Any]:
    """The documents in a file: several results that somebody put into one list, else the one that it is."""
    several = isinstance(value, list) and value and all(isinstance(one, dict) and "results" in one for one in value)
    return list(value) if several else [value]


def reader_of(value: Any, path: Path) -> Reader | None:
    """The reader of the documents in a file, or None where it holds no results."""
    first = documents(value)[0]
    return next((reader for reader in READERS if reader.fits(first, path)), None)
