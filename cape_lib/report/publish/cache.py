"""Executed notebooks, stored by content: of the notebook, of all that a chapter may read, and of the pins.

A chapter may read every table and every module below the commands and reports, so a change in one of them runs all
chapters again, and a change in prose or style none.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from cape_lib.output import write_whole
from cape_lib.report.publish import places
from cape_lib.report.publish.execution import Executed

#: What no chapter uses: it runs chapters, or is a command.
_ABOVE = ("cli", "report", "_book", "_notebooks", "_site")


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes or text, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def of_files(paths: Iterable[Path]) -> str:
    """Digest of the names and contents of files, whatever their order."""
    return digest("\n".join(f"{path.name} {digest(path.read_bytes())}" for path in sorted(paths) if path.is_file()))


def sources() -> str:
    """Digest of all that a chapter may read: tables, the library below `report`, how it is executed, the pins."""
    root = places.checkout()
    tables = root / "data" if root else places.PACKAGE / "_data"
    library = [path for path in places.PACKAGE.rglob("*") if path.suffix != ".pyc"]
    library = [path for path in library if path.relative_to(places.PACKAGE).parts[0] not in _ABOVE]
    runner = places.PACKAGE / "report" / "publish" / "execution.py"
    shown = (places.static_dir() / "dashboard").glob("*")
    return digest(of_files([*tables.rglob("*"), *library, *shown, runner]) + pins())


@cache
def pins() -> str:
    """Digest of the interpreter's version and of the versions of everything that the book is pinned to."""
    root = places.checkout()
    wanted: Iterable[str]
    if root is not None and (root / "requirements.txt").is_file():
        wanted = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    else:
        wanted = metadata.requires("cape_lib") or []
    names = sorted({match[0] for line in wanted if (match := re.match(r"[A-Za-z0-9._-]+", line))})
    return digest("\n".join([platform.python_version(), *(f"{name} {_version(name)}" for name in names)]))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _record(folder: Path, name: str) -> dict[str, object]:
    """What was stored beside the executed copy; empty for no record, or one that an older version wrote."""
    try:
        record: dict[str, object] = json.loads(_copy(folder, name).with_suffix(".json").read_text(encoding="utf-8"))
        return record | {"seconds": float(str(record["seconds"]))}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _copy(folder: Path, name: str) -> Path:
    return folder / name.replace("/", "--")


def load(folder: Path, name: str, key: str) -> str | None:
    """The executed copy that was stored with this key (see `store`), if it is as it was written; else None."""
    try:
        text = _copy(folder, name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    record = _record(folder, name)
    return text if record.get("key") == key and record.get("copy") == digest(text) else None


def seconds(folder: Path, name: str) -> float:
    """How long the notebook took last time; an unknown one counts as the longest, so that it starts first."""
    return float(str(_record(folder, name).get("seconds", "inf")))


def store(folder: Path, name: str, run: Executed, *, key: str) -> None:
    """Store an executed copy; `key` is the digest of the notebook and of `sources`, as they were before the run."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = _copy(folder, name)
    copy.with_suffix(".json").unlink(missing_ok=True)
    write_whole(copy, run.text)
    record = {"key": key, "copy": digest(run.text), "seconds": round(run.seconds, 1)}
    write_whole(copy.with_suffix(".json"), json.dumps(record, indent=1) + "\n")
