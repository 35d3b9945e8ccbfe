"""Run a sweep: every family once, finished ones not again, each answer on disk the moment that it is there.

It runs in processes of this machine, where they pay, or on the workers of a dask scheduler that runs already.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import cape_lib
from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.output import whole_folder, write_whole
from cape_lib.report import need_book
from cape_lib.report.sweep.work import FORMAT, Task, answer, head

MARK = "sweep.json"
MOST_WORKERS = 1024
#: A task that loses its worker is run again elsewhere, so often; one that kills every worker is then given up.
RETRIES = 3
#: seconds of the processor in this process that tell how long a family takes
TRIAL = 0.3
#: seconds of work that are worth a message, and most families in one to a scheduler elsewhere
WORTH, MOST_IN_ONE = 0.2, 20
Tell = Callable[[int, int, str], None]


def sweep(
    todo: Sequence[Task],
    out: Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Diagnose every family into folder `out`; returns what sweep.json holds.

    out: new, empty, or of an earlier sweep: its finished families stay, unless their rows or the settings changed.
    scheduler: its address; workers: most local processes, which are started where they pay (None: one a core, at most
    8); the answers never depend on either. tell: called with (done, all, family) after each. Each family gets
    `families/<name>.json`, with `--report` also `reports/<name>/`; then come sweep.json and index.html. Raises
    UsageError for a folder that holds something else, SurroundingsError where no scheduler answers or a package is
    missing.
    """
    from cape_lib.report.sweep.page import write_page

    need_book("a sweep")
    out = Path(out)
    _prepare(out)
    files = places(task.family for task in todo)
    answers = {task.family: old for task in todo if (old := _finished(out, task, files[task.family])) is not None}
    waiting = {task.family: task for task in todo if task.family not in answers}
    earlier = len(answers)
    if waiting:
        created = [folder for folder in (out / "families", out) if not folder.exists()]
        (out / "families").mkdir(parents=True, exist_ok=True)
        try:
            with contextlib.closing(_answers([*waiting.values()], scheduler, workers)) as coming:
                for done, fresh in enumerate(coming, start=earlier + 1):
                    family = fresh["family"]
                    answers[family] = _store(out, fresh, files[family], waiting[family].digest())
                    if tell is not None:
                        tell(done, len(todo), family)
        finally:
            for folder in created:  # gone again if the sweep ends before the first answer
                with contextlib.suppress(OSError):
                    folder.rmdir()  # refuses where something is inside
    ordered = [answers[task.family] for task in todo]
    states = {state: sum(a["state"] == state for a in ordered) for state in ("done", "refused", "failed")}
    whole = {"format": FORMAT, "families": len(ordered), "kept": earlier, **states, "answers": ordered}
    write_whole(out / MARK, json.dumps(whole, indent=1, allow_nan=False) + "\n")
    write_page(out)
    return whole


def _prepare(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: a file; choose a folder for -o")
    inside = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if inside and "families" not in inside:
        raise UsageError(f"{out}: exists already and is no sweep; choose another folder for -o")
    for stale in out.glob("**/.*.part"):
        if stale.is_file():
            stale.unlink()


def places(families: Iterable[str]) -> dict[str, str]:
    """Family -> a file name, unlike for any two families on any disk."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for family in families:
        stem = re.sub(r"[^\w.+-]+", "-", family).strip("-.") or "family"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names[family] = name
    return names


def _finished(out: Path, task: Task, place: str) -> dict[str, Any] | None:
    """The stored answer if it is whole and of this very task; a failed one counts as unfinished."""
    try:
        old: dict[str, Any] = json.loads((out / "families" / f"{place}.json").read_text(encoding="utf-8"))
        whole = old["digest"] == task.digest() and old["family"] == task.family and old["state"] in ("done", "refused")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    report = task.report and old["state"] == "done" and not (out / "reports" / place / "index.html").is_file()
    return old if whole and not report else None


def _store(out: Path, answered: dict[str, Any], place: str, digest: str) -> dict[str, Any]:
    """Write an answer, its report first, so that a family with a stored answer has all its files."""
    # This process's digest: an installation on another machine may differ in a comment.
    answered = {"format": FORMAT, "digest": digest} | answered
    if files := answered.pop("files", None):
        with whole_folder(out / "reports" / place) as draft:
            for name, text in files.items():
                (draft / name).write_text(text, encoding="utf-8")
    write_whole(out / "families" / f"{place}.json", json.dumps(answered, indent=1, allow_nan=False) + "\n")
    return answered


def _answers(
    waiting: Sequence[Task], scheduler: str | None, workers: int | None
) -> Generator[dict[str, Any], None, None]:
    """Answers as they come: from a scheduler, or from this process until several would be faster."""
    if scheduler is not None:
        with client(scheduler) as dask:
            many = max(1, len(dask.scheduler_info()["workers"]))
            size = 1 if waiting[0].report else min(MOST_IN_ONE, 1 + len(waiting) // (8 * many))
            pool = dask.get_executor(retries=RETRIES, pure=False)
            yield from _spread(lambda _: contextlib.nullcontext(pool), waiting, many, size, apart=True)
        return
    count = workers
    if count is None:
        count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    if not 1 <= count <= MOST_WORKERS:
        raise UsageError(f"--workers {count}: choose a number from 1 to {MOST_WORKERS}")
    if waiting[0].report and count > 1:  # chapters take long: one at a time
        yield from _spread(processes, waiting, count, 1)
        return
    yield answer(waiting[0])  # loads the library too, which no later family pays for
    # Time of the processor, so that other work on the machine does not make processes seem worth their start.
    began, at = time.process_time(), 1
    while at < len(waiting) and (count == 1 or time.process_time() - began < TRIAL):
        yield answer(waiting[at])
        at += 1
    rest, each = waiting[at:], (time.process_time() - began) / max(at - 1, 1)
    # What local processes must take off this one to be worth their start: twice what it costs.
    if len(rest) * each * (1 - 1 / count) < (1.0 if _start_method() == "fork" else 8.0):
        yield from map(answer, rest)
    else:
        yield from _spread(processes, rest, count, max(1, min(round(WORTH / each), -(-len(rest) // (4 * count)))))


def _spread(
    pool_of: Callable[[int], contextlib.AbstractContextManager[Executor]],
    waiting: Sequence[Task],
    count: int,
    size: int,
    *,
    apart: bool = False,
) -> Iterator[dict[str, Any]]:
    """Answers as they come from a pool of `count`, `size` tasks a message; what loses its process runs again, alone.

    apart: a task that is lost takes no other with it. Else the first that is lost ended its process, where one process
    runs one task a message.
    """
    chunks = [waiting[at : at + size] for at in range(0, len(waiting), size)]
    lost: list[Task] = []
    why = ""
    with pool_of(count) as pool:
        futures = {pool.submit(_several, list(chunk)): chunk for chunk in chunks}
        for future in as_completed(futures):
            try:
                yield from future.result()
            except Exception as error:  # a process that was ended, or what dask says of a lost worker
                lost += futures[future]
                why = f"no worker finished it ({type(error).__name__})"
    lost.sort(key=waiting.index)
    if size == 1 and (apart or count == 1):
        ended = lost if apart else lost[:1]
        why = why if apart else "its process was ended, perhaps for want of memory"
        yield from (head(task) | {"state": "failed", "why": why} for task in ended)
        lost = lost[len(ended) :]
    if lost:
        yield from _spread(pool_of, lost, 1, 1, apart=apart)


def _several(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    return [answer(task) for task in tasks]


def _start_method() -> str:
    """A fork has the library loaded, and is safe on Linux where this process has one thread; else a new interpreter."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _begin() -> None:
    """Readies a process: one thread of linear algebra, for together the processes have every core already."""
    # A terminal sends Ctrl-C to every process of the command; only the one that the person sees may answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module("threadpoolctl").threadpool_limits(1)


@contextlib.contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of local processes; where the block ends early, what they do is stopped."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, multiprocessing.get_context(_start_method()), initializer=_begin)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    pool.shutdown()


@contextlib.contextmanager
def client(scheduler: str, *, patience: float = 20.0) -> Iterator[Any]:
    """A `dask.distributed.Client` of a scheduler that runs, such as "tcp://host:8786"; closed at the end.

    patience: seconds to wait for the scheduler and its first worker. Raises SurroundingsError where dask is not
    installed, none answers or its workers lack this library, UsageError for an address that cannot be.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise SurroundingsError("a scheduler needs dask.distributed: pip install 'dask[distributed]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    address = scheduler if "://" in scheduler else f"tcp://{scheduler}"
    try:
        dask = distributed.Client(address, timeout=patience)
    except (OSError, TimeoutError) as error:
        why = "does not answer" if isinstance(error, TimeoutError) else str(error).splitlines()[0]
        raise SurroundingsError(f"--scheduler {address}: {why}; start one with 'dask scheduler'") from None
    except (ValueError, KeyError) as error:
        raise UsageError(f"--scheduler {address}: no address ({error}); write tcp://HOST:PORT") from None
    with contextlib.closing(dask):
        try:
            dask.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            step = f"start one with 'dask worker {address}'"
            raise SurroundingsError(f"--scheduler {address}: no worker answers; {step}") from None
        for worker, version in dask.run(_version).items():
            if version != cape_lib.__version__:
                has = f"has cape_lib {version}" if version else "has no cape_lib"
                here = f"here is {cape_lib.__version__}; install the same there"
                raise SurroundingsError(f"--scheduler {address}: worker {worker} {has}, {here}")
        yield dask


def _version() -> str:
    try:
        import cape_lib as there
    except ImportError:
        return ""
    return there.__version__
