"""Runs inside the kernel of a notebook: which files of the book does it read, which modules of the library does it use?

It is loaded by its path, so that a notebook does not come to depend on the publisher. An audit hook sees every `open`,
whichever function asked, so that no chapter has to say what it reads.
"""

from __future__ import annotations

import json
import os
import sys

_seen: set[str] = set()


def start(package: str, folders: list[str]) -> None:
    """Begin to note every file opened below `package` or one of `folders`, and every one of these folders listed.

    The import system lists folders of the package; that says nothing of what the notebook depends on: left out.
    """
    listed = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
    opened = (package.rstrip(os.sep) + os.sep, *listed)

    def note(event: str, args: tuple[object, ...]) -> None:
        if event not in ("open", "os.listdir", "os.scandir") or not args:
            return
        path = args[0]
        if not isinstance(path, str | os.PathLike):
            return
        full = os.path.abspath(os.fspath(path))
        if event == "open":
            wanted = full.startswith(opened) and not full.endswith((".pyc", ".py"))
        else:
            wanted = (full + os.sep).startswith(listed)
        if wanted:
            _seen.add(full)

    sys.addaudithook(note)


def finish(package: str) -> str:
    """JSON list of what was read, and of the modules of `package` that are loaded, in alphabetical order."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    modules = {os.path.realpath(file) for file in files if file}
    return json.dumps(sorted(_seen | {file for file in modules if file.startswith(package.rstrip(os.sep) + os.sep)}))
