"""Run a sweep: every family once, finished ones not again, each answer on disk the moment that it is there."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cape_lib.errors import UsageError
from cape_lib.report.family.rerun import need_book
from cape_lib.report.sweep.cluster import client, need_dask
from cape_lib.report.sweep.work import FORMAT, Task, answer

MARK = "sweep.json"
#: A task that loses its worker is run again elsewhere, so often; one that kills every worker is then given up.
RETRIES = 3


@dataclass(frozen=True, slots=True)
class Workers:
    """Where a sweep runs: `scheduler` (an address) or `count` local processes (None: one a core)."""

    scheduler: str | None = None
    count: int | None = None


Tell = Callable[[int, int, str], None]


def sweep(
    todo: Sequence[Task], out: Path, workers: Workers | None = None, *, tell: Tell | None = None
) -> dict[str, Any]:
    """Diagnose every family into folder `out`; returns what sweep.json holds.

    out: new, empty, or of an earlier sweep: its finished families stay, unless their rows or the settings changed.
    tell: called with (done, all, family) after each. Each family gets `families/<name>.json`, with `--report` also
    `reports/<name>/`; then come sweep.json and index.html. Raises UsageError for a folder that holds something else,
    SurroundingsError where no scheduler answers
    or a package is missing.
    """
    from cape_lib.report.sweep.page import write_page

    need_book("a sweep")
    need_dask()
    out = Path(out)
    _prepare(out)
    places = _places(todo)
    answers = {task.family: old for task in todo if (old := _finished(out, task, places[task.family])) is not None}
    waiting = [task for task in todo if task.family not in answers]
    kept, tell = len(answers), tell or (lambda *_: None)
    if waiting:
        where = workers or Workers()
        with client(where.scheduler, where.count) as dask, _folder(out):
            for done, found in enumerate(_run(dask, waiting), start=kept + 1):
                answers[found["family"]] = _store(out, found, places[found["family"]])
                tell(done, len(todo), found["family"])
    ordered = [answers[task.family] for task in todo]
    states = {state: sum(a["state"] == state for a in ordered) for state in ("done", "refused", "failed")}
    whole = {"format": FORMAT, "families": len(ordered), "kept": kept, **states, "answers": ordered}
    write_page(ordered, places, out)
    _write(out / MARK, json.dumps(whole, indent=1, allow_nan=False))
    return whole


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[None]:
    """The folder of the answers; gone again if it ends before the first one."""
    made = [folder for folder in (out / "families", out) if not folder.exists()]
    (out / "families").mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # refuses where something is inside


def _run(dask: Any, waiting: Sequence[Task]) -> Iterator[dict[str, Any]]:
    """Answers as they come. A task whose worker dies runs again on another."""
    distributed = need_dask()
    settings = {"retries": RETRIES, "pure": False}
    futures = {dask.submit(answer, task, key=f"cape-{task.digest()}", **settings): task for task in waiting}
    for future in distributed.as_completed(list(futures)):
        task = futures[future]
        if future.status == "finished":
            # This process's digest, not the worker's: an installation elsewhere may differ in a comment.
            yield future.result() | {"digest": task.digest()}
        else:
            lost = f"no worker finished it ({type(future.exception()).__name__})"
            yield {"format": FORMAT, "digest": task.digest(), "family": task.family, "n": len(task.rows),
                   "state": "failed", "why": lost}  # fmt: skip
        future.release()


def _prepare(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: a file; choose a folder for -o")
    if out.is_dir():
        inside = {path.name for path in out.iterdir()}
        if inside and "families" not in inside:
            raise UsageError(f"{out}: exists already and is no sweep; choose another folder for -o")
    for stale in out.glob("**/.*.part"):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()


def _places(todo: Sequence[Task]) -> dict[str, str]:
    """Family -> a file name, unlike for any two families on any disk."""
    places: dict[str, str] = {}
    taken: set[str] = set()
    for task in todo:
        stem = re.sub(r"[^\w.+-]+", "-", task.family).strip("-.") or "family"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        places[task.family] = name
    return places


def _finished(out: Path, task: Task, place: str) -> dict[str, Any] | None:
    """The stored answer if it is whole and of this very task; a failed one counts as unfinished."""
    try:
        old: dict[str, Any] = json.loads((out / "families" / f"{place}.json").read_text(encoding="utf-8"))
        whole = old["digest"] == task.digest() and old["family"] == task.family and old["state"] in ("done", "refused")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    report = task.report and old["state"] == "done" and not (out / "reports" / place / "index.html").is_file()
    return old if whole and not report else None


def _store(out: Path, found: dict[str, Any], place: str) -> dict[str, Any]:
    """Write an answer, its report first, so that a family with a stored answer has all its files."""
    files = found.pop("files", None)
    if files:
        folder = out / "reports" / place
        folder.parent.mkdir(exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{place}.", suffix=".part"))
        try:
            for name, text in files.items():
                (part / name).write_text(text, encoding="utf-8")
            part.chmod(0o755)
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    _write(out / "families" / f"{place}.json", json.dumps(found, indent=1, allow_nan=False))
    return found


def _write(path: Path, text: str) -> None:
    from cape_lib.report.publish.execution import write_whole

    write_whole(path, text + "\n")


def progress_bar(stream: Any = None, *, width: int = 30) -> Tell:
    """A bar on a terminal; nothing elsewhere."""
    stream = stream or sys.stderr

    def tell(done: int, total: int, family: str) -> None:
        filled = width * done // total
        name = family if len(family) <= 24 else family[:23] + "…"
        end = "\n" if done == total else ""
        stream.write(f"\r[{'#' * filled}{'.' * (width - filled)}] {done}/{total} {name:<24}{end}")
        stream.flush()

    return tell if stream.isatty() else lambda *_: None
