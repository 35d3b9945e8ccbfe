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


def reader_of(document: Any, path: Path) -> Reader | None:
    """The reader of a document, or None where it is no results file."""
    return next((reader for reader in READERS if reader.fits(document, path)), None)
