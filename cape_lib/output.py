"""What leaves the library: data as JSON can hold it, and files that are there as a whole or not at all.

What is made of files or data is known by the `digest` of these.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
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


def write_json(path: Path, value: Any) -> None:
    """Write finite data as JSON, as a whole or not at all."""
    write_whole(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes or text, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def once(file: Path | None, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, read from a file where it was stored before; without a file it is made anew."""
    if file is None:
        return make()
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as draft:
            draft.write_bytes(make())
    return file.read_bytes()


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A draft folder beside `out` that takes its place when all went well; where it did not, nothing is left behind.

    What a killed process left is cleared up, and a former folder that it moved aside is put back. The draft of a live
    one stays: it holds a lock, which goes with the process however that ends.
    """
    out = out.resolve()
    parent = out.parent
    parent.mkdir(parents=True, exist_ok=True)
    before = parent / f".{out.name}-before"
    if before.is_dir() and not out.exists():
        os.rename(before, out)
    for left in parent.glob(f".{out.name}.*.part"):
        with contextlib.suppress(OSError), locked(left):
            shutil.rmtree(left, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(dir=parent, prefix=f".{out.name}.", suffix=".part"))
    draft.chmod(0o755)
    try:
        with locked(draft):
            yield draft
        shutil.rmtree(before, ignore_errors=True)
        if out.exists():
            os.rename(out, before)  # killed between this line and the next, it is put back by the next run
        os.rename(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if out.exists():
            shutil.rmtree(before, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path, *, held: Callable[[], None] | None = None) -> Iterator[int]:
    """Within the block no other process has the lock of the folder, which goes with the process however that ends.

    Yields the lock's descriptor. held: called where another process has it, to wait for that; without it OSError.
    """
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if held is None:
                raise
            held()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)
