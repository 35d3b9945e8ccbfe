"""Execution with a cache, the book, the report about one family and the sweep over many."""

import importlib.util

from cape_lib.errors import SurroundingsError

_OF_THE_BOOK = ("altair", "ipykernel", "myst_nb", "nbformat", "papermill", "pysindy", "statsmodels", "vl_convert")


def need_book(what: str, *more: str) -> None:
    """Raise SurroundingsError where a package that executes and draws chapters, or one of `more`, is not installed."""
    lacking = [name for name in (*_OF_THE_BOOK, *more) if importlib.util.find_spec(name) is None]
    if lacking:
        raise SurroundingsError(f"{what} needs {', '.join(lacking)}: pip install '.[book]' in the repository")
