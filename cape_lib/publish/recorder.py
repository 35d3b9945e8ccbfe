"""Runs inside the kernel of a notebook: which files of the book does it read, which modules of the library does it use?

An audit hook sees every `open`, whichever function asked, so that no chapter has to say what it reads.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_seen: set[str] = set()


def start(roots: list[str]) -> None:
    """Begin to note every file opened, and every folder listed, below one of `roots` (absolute paths)."""
    under = tuple(root.rstrip(os.sep) + os.sep for root in roots)

    def note(event: str, args: tuple[object, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir") or not args:
            return
        path = args[0]
        if isinstance(path, str | os.PathLike):
            full = os.path.abspath(os.fspath(path))
            if event != "open":
                full += os.sep
            if full.startswith(under) and not full.endswith((".pyc", ".py")):
                _seen.add(full)

    sys.addaudithook(note)


def finish() -> str:
    """JSON list of what was read, and of the library's modules that are loaded, in alphabetical order."""
    package = str(Path(__file__).resolve().parents[1]) + os.sep
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    modules = {os.path.realpath(file) for file in files if file}
    return json.dumps(sorted(_seen | {file for file in modules if file.startswith(package)}))
