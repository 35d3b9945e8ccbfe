"""The kinds of results files that are read, a module each with `NAME`, `fits`, `tasks`; the first that fits reads."""

from __future__ import annotations

from collections.abc import Mapping
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
from cape_lib.ingest.reading import Contents, Reader, Source, readings

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


def _documents(value: Any) -> list[Any]:
    """The documents in a file: several results that somebody put into one list, else the one that it is."""
    rows = value if isinstance(value, list) else []
    several = rows and all(isinstance(one, dict) and {"results", "task_config"} & set(one) for one in rows)
    return rows if several else [value]


def reader_of(value: Any) -> Reader | None:
    """The reader of the documents in a file, or None where it holds no results."""
    first = _documents(value)[0]
    return next((reader for reader in READERS if reader.fits(first)), None)


def read(reader: Reader, value: Any, path: Path, also: Mapping[str, Source]) -> Contents:
    """What the documents of a file hold; `also`: task -> a further column and metric. Raises ScoresError."""
    contents = Contents()
    for document in _documents(value):
        for task in reader.tasks(document, path):
            if isinstance(task, str):
                contents.notes.append(task)
                continue
            contents.readings.extend(readings(task, also))
            contents.others.extend([] if task.known or task.group else [task.name])
    return contents
