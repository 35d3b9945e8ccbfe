"""What goes wrong with language models, in one clear line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from cape_lib.errors import CapeError, SurroundingsError


class ModelError(CapeError):
    """A folder or model that cannot be read as a causal language model (exit 3)."""

    exit_code = 3


def needed(package: str, what: str) -> None:
    """SurroundingsError, with the command that helps, where a package is not installed."""
    if find_spec(package) is None:
        raise SurroundingsError(f"{what} needs the package {package}; pip install {package}")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    words = str(error).lower()
    named = type(error).__name__ in ("OutOfMemoryError", "MemoryError")
    return named or "out of memory" in words or "can't allocate memory" in words or "not enough memory" in words


@contextmanager
def memory_guard(doing: str) -> Iterator[None]:
    """Turn running out of memory into a SurroundingsError (exit 6) that says what helps."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_memory(error):
            raise
        raise SurroundingsError(
            f"out of memory while {doing}; take a smaller --batch, --dtype bfloat16, shorter texts or a smaller model"
        ) from error
