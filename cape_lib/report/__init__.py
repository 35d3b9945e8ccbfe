"""Execution with a cache, the book, the report about one family and the sweep over many."""

import importlib.util
from pathlib import Path

from cape_lib.errors import SurroundingsError, UsageError

_OF_THE_BOOK = ("altair", "ipykernel", "myst_nb", "nbformat", "papermill", "pysindy", "statsmodels", "vl_convert")


def need_book(what: str, *more: str) -> None:
    """Raise SurroundingsError where a package that executes and draws chapters, or one of `more`, is not installed."""
    lacking = [name for name in (*_OF_THE_BOOK, *more) if importlib.util.find_spec(name) is None]
    if lacking:
        raise SurroundingsError(f"{what} needs {', '.join(lacking)}: pip install '.[book]' in the repository")


def inside(out: Path) -> set[str]:
    """The names of what is in a folder that a command is to write; none where it is not there yet.

    Raises UsageError where a file stands there, SurroundingsError where its place is no folder.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: a file; choose a folder for -o")
    parent = next(parent for parent in out.resolve().parents if parent.exists())
    if not parent.is_dir():
        raise SurroundingsError(f"{parent}: a file stands where a folder is needed; choose another place")
    return {path.name for path in out.iterdir()} if out.is_dir() else set()
