"""What leaves the library: data as JSON can hold it, and files that are there as a whole or not at all."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def plain(value: Any, *, words: bool = False) -> Any:
    """Data that JSON can hold: numpy's numbers become Python's, paths text, NaN null.

    words: infinite numbers become "inf" and "-inf" instead of null, where an end beyond every size is an answer.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one, words=words) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, words=words) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), words=words)
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) or not words else "inf" if value > 0 else "-inf"
    return str(value) if isinstance(value, Path) else value


def print_json(value: Any) -> None:
    """JSON on stdout; infinite numbers are words."""
    print(json.dumps(plain(value, words=True), ensure_ascii=False, indent=2, allow_nan=False))


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A draft beside `path` that takes its place when all went well; where it did not, nothing is left behind."""
    draft = path.with_name(f".{path.name}.{os.getpid():08d}.part")
    try:
        yield draft
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file as a whole or not at all."""
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")
