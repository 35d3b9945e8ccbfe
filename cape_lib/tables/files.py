"""The tables of `data/`: where they are, reading and checking them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.names import suggest

_OTHER: list[Path] = []


@contextlib.contextmanager
def tables_in(folder: Path) -> Iterator[None]:
    """Inside the `with`, every table is read from another folder that holds all of them: what would a change do?"""
    _OTHER.append(folder)
    try:
        yield
    finally:
        _OTHER.pop()


def data_dir() -> Path:
    """Folder of the tables: `data/` of a checkout, else the copy inside the installed package."""
    if _OTHER:
        return _OTHER[-1]
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data", package.parent / "data"):
        if (folder / "schema.json").is_file():
            return folder
    raise SurroundingsError(f"the tables of the book are not beside {package}; install cape_lib again")


def table_names() -> list[str]:
    """Names that `load` knows, in alphabetical order."""
    from cape_lib.tables.schema import descriptor

    return sorted(descriptor())


def load(name: str, *, path: str | Path | None = None) -> pd.DataFrame:
    """One table of `data/`, checked against its schema; a fresh copy at every call.

    A file that is byte for byte the one that passed (`data/checked.json`) is not checked a second time, for speed.
    name: stem of the CSV file, e.g. "base_panel". path: another file of the same schema.
    Text columns hold NaN where nothing is stated. Raises UsageError for an unknown name, ScoresError (file, row,
    column, reason, mend) for a bad table.
    """
    if name not in table_names():
        raise UsageError(suggest("table", name, table_names()))
    file = Path(path) if path is not None else data_dir() / f"{name}.csv"
    try:
        stamp = file.stat().st_mtime_ns
    except OSError as problem:
        raise ScoresError(f"{file}: cannot be read ({problem.strerror}); give the path of a CSV file") from problem
    return _checked(name, file, stamp).copy()


@lru_cache(maxsize=64)
def _checked(name: str, file: Path, stamp: int) -> pd.DataFrame:
    from cape_lib.tables.schema import check, typed

    del stamp  # part of the cache's key: a changed file is read again
    frame = typed(name, read_text(file), file=file)
    if passed().get(name) != digest(name, file):
        check(name, frame, file=file)
    return frame


@lru_cache(maxsize=1)
def passed() -> dict[str, str]:
    """Digests of the tables that passed all checks, by name; `python -m cape_lib.tables` writes them."""
    file = data_dir() / "checked.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def digest(name: str, file: Path) -> str:
    """SHA-256 of a file together with the description that it is checked against."""
    from cape_lib.tables.schema import descriptor

    described = json.dumps(descriptor()[name], sort_keys=True).encode()
    return hashlib.sha256(file.read_bytes() + described).hexdigest()


def read_text(file: Path) -> pd.DataFrame:
    """A CSV file with every cell as text, blank cells missing; ScoresError where it is no table in UTF-8."""
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as problem:
        reason = str(problem).splitlines()[0]
        raise ScoresError(f"{file}: not a CSV table in UTF-8 ({reason}); save it as CSV UTF-8") from problem
