"""Executed notebooks, kept by content: of the notebook, of the files and modules that it read, and of the pins."""

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

_OF_EVERY_RUN = ("report/publish/execution.py", "report/publish/recorder.py")


def digest(content: bytes | str) -> str:
    """SHA-256 of bytes or text, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """Digest of a file; of the sorted names for a folder; "absent" where there is nothing."""
    try:
        if path.is_dir():
            names = sorted(child.name for child in path.iterdir() if not child.name.startswith((".", "__")))
            return digest("\n".join(names))
        return digest(path.read_bytes())
    except OSError:
        return "absent"


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


def _entry(folder: Path, name: str) -> tuple[Path, Path]:
    stem = name.removesuffix(".ipynb").replace("/", "--")
    return folder / f"{stem}.ipynb", folder / f"{stem}.json"


def _files(reads: Iterable[str]) -> dict[str, str]:
    """Path relative to the package's parent -> digest, so that a cache moves with its checkout."""
    base = places.PACKAGE.parent
    paths = {Path(read) for read in reads} | {places.PACKAGE / name for name in _OF_EVERY_RUN}
    return {path.relative_to(base).as_posix(): file_digest(path) for path in sorted(paths) if path.is_relative_to(base)}


def load(folder: Path, name: str, notebook: Path) -> str | None:
    """The executed copy of a notebook, if nothing that it depends on has changed since; else None."""
    copy, record = _entry(folder, name)
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
        text = copy.read_text(encoding="utf-8")
        if known["notebook"] != file_digest(notebook) or known["pins"] != pins() or known["copy"] != digest(text):
            return None
        base = places.PACKAGE.parent
        fresh = all(file_digest(base / path) == seen for path, seen in known["files"].items())
        return text if fresh else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no record, or one that an older version wrote: execute anew


def seconds(folder: Path, name: str) -> float:
    """How long the notebook took last time; an unknown one counts as the longest, so that it starts first."""
    try:
        return float(json.loads(_entry(folder, name)[1].read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return float("inf")


def store(folder: Path, name: str, run: Executed, *, notebook: str) -> None:
    """Keep an executed copy. `notebook` is the digest of the source as it was before the run."""
    folder.mkdir(parents=True, exist_ok=True)
    copy, record = _entry(folder, name)
    record.unlink(missing_ok=True)
    write_whole(copy, run.text)
    known = {
        "notebook": notebook,
        "pins": pins(),
        "copy": digest(run.text),
        "seconds": round(run.seconds, 1),
        "files": _files(run.reads),
    }
    write_whole(record, json.dumps(known, indent=1, sort_keys=True) + "\n")
