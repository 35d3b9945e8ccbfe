"""Run a sweep: every family once, finished ones not again, each answer on disk the moment that it is there."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cape_lib.errors import UsageError
from cape_lib.report.family.rerun import need_book
from cape_lib.report.sweep.cluster import client, local_count, need_dask, processes, start_seconds
from cape_lib.report.sweep.work import FORMAT, Task, answer, head

MARK = "sweep.json"
#: A task that loses its worker is run again elsewhere, so often; one that kills every worker is then given up.
RETRIES = 3
#: seconds of the processor in this process that tell how long a family takes
TRIAL = 0.3
#: seconds of work that are worth a message, and most families in one to a scheduler elsewhere
WORTH, MOST_IN_ONE = 0.2, 20


@dataclass(frozen=True, slots=True)
class Workers:
    """Where a sweep runs: `scheduler` (an address) or at most `count` local processes (None: one a core, at most 8).

    Local processes are started where they pay; the answers never depend on it.
    """

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
    out = Path(out)
    _prepare(out)
    places = _places(todo)
    answers = {task.family: old for task in todo if (old := _finished(out, task, places[task.family])) is not None}
    waiting = [task for task in todo if task.family not in answers]
    earlier, tell = len(answers), tell or (lambda *_: None)
    if waiting:
        with _folder(out), contextlib.closing(_answers(waiting, workers or Workers())) as coming:
            for done, fresh in enumerate(coming, start=earlier + 1):
                answers[fresh["family"]] = _store(out, fresh, places[fresh["family"]])
                tell(done, len(todo), fresh["family"])
    ordered = [answers[task.family] for task in todo]
    states = {state: sum(a["state"] == state for a in ordered) for state in ("done", "refused", "failed")}
    whole = {"format": FORMAT, "families": len(ordered), "kept": earlier, **states, "answers": ordered}
    _write(out / MARK, json.dumps(whole, indent=1, allow_nan=False))
    write_page(out)
    return whole


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[None]:
    """The folder of the answers; gone again if it ends before the first one."""
    created = [folder for folder in (out / "families", out) if not folder.exists()]
    (out / "families").mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in created:
            with contextlib.suppress(OSError):
                folder.rmdir()  # refuses where something is inside


def _answers(waiting: Sequence[Task], where: Workers) -> Generator[dict[str, Any], None, None]:
    """Answers as they come: from a scheduler, or from this process until several would be faster."""
    if where.scheduler is not None:
        with client(where.scheduler) as dask:
            many = max(1, len(dask.scheduler_info()["workers"]))
            size = 1 if waiting[0].report else min(MOST_IN_ONE, 1 + len(waiting) // (8 * many))
            yield from _elsewhere(dask, waiting, size)
        return
    count = local_count(where.count)
    if waiting[0].report and count > 1:  # chapters take long: one at a time
        yield from _processes(waiting, count, 1)
        return
    yield answer(waiting[0])  # loads the library too, which no later family pays for
    # Time of the processor, so that other work on the machine does not make processes seem worth their start.
    began, at = time.process_time(), 1
    while at < len(waiting) and (count == 1 or time.process_time() - began < TRIAL):
        yield answer(waiting[at])
        at += 1
    rest, each = waiting[at:], (time.process_time() - began) / max(at - 1, 1)
    if len(rest) * each * (1 - 1 / count) < start_seconds():
        yield from map(answer, rest)
    else:
        yield from _processes(rest, count, max(1, min(round(WORTH / each), -(-len(rest) // (4 * count)))))


def _processes(waiting: Sequence[Task], count: int, size: int) -> Iterator[dict[str, Any]]:
    """Answers as they come, `size` tasks in one message. What loses its process runs again, alone.

    Where one process runs one task a message, the first that is lost is the one that ended it.
    """
    chunks = [waiting[at : at + size] for at in range(0, len(waiting), size)]
    lost: list[Task] = []
    with processes(count) as pool:
        futures = {pool.submit(_several, chunk): chunk for chunk in chunks}
        for future in as_completed(futures):
            try:
                yield from future.result()
            except BrokenProcessPool:
                lost += futures[future]
    if lost and count == size == 1:
        lost.sort(key=waiting.index)
        yield _failed(lost.pop(0), "its process was ended, perhaps for want of memory")
    if lost:
        yield from _processes(lost, 1, 1)


def _elsewhere(dask: Any, waiting: Sequence[Task], size: int) -> Iterator[dict[str, Any]]:
    """Answers as they come, `size` tasks in one message. What loses its worker runs again, in the end alone."""
    distributed = need_dask()

    def submit(tasks: Sequence[Task]) -> Any:
        key = f"cape-{tasks[0].digest()}-{len(tasks)}"
        return dask.submit(_several, list(tasks), key=key, retries=RETRIES, pure=False)

    chunks = [waiting[at : at + size] for at in range(0, len(waiting), size)]
    futures = {submit(chunk): chunk for chunk in chunks}
    coming = distributed.as_completed(list(futures))
    for future in coming:
        chunk = futures.pop(future)
        if future.status == "finished":
            # This process's digest, not the worker's: an installation elsewhere may differ in a comment.
            for task, fresh in zip(chunk, future.result(), strict=True):
                yield fresh | {"digest": task.digest()}
        elif len(chunk) > 1:
            for task in chunk:
                again = submit([task])
                futures[again] = [task]
                coming.add(again)
        else:
            yield _failed(chunk[0], f"no worker finished it ({type(future.exception()).__name__})")
        future.release()


def _several(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    return [answer(task) for task in tasks]


def _failed(task: Task, why: str) -> dict[str, Any]:
    return head(task) | {"state": "failed", "why": why}


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


def _store(out: Path, answered: dict[str, Any], place: str) -> dict[str, Any]:
    """Write an answer, its report first, so that a family with a stored answer has all its files."""
    files = answered.pop("files", None)
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
    _write(out / "families" / f"{place}.json", json.dumps(answered, indent=1, allow_nan=False))
    return answered


def _write(path: Path, text: str) -> None:
    from cape_lib.output import write_whole

    write_whole(path, text + "\n")
