"""Every family of a table, diagnosed on many processes: finished ones not again, each answer on disk as it comes.

A family is a task: plain data in, plain data out, so that it can run in any process on any machine; in processes of
this machine, where they pay, or on the workers of a dask scheduler that runs already. `page` shows them all.
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
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

import cape_lib
from cape_lib import tables
from cape_lib.errors import CapeError, MissingError, ScoresError, SurroundingsError, UsageError
from cape_lib.output import digest, whole_folder, write_json
from cape_lib.report import inside, need_book
from cape_lib.report.family.planning import as_scores, notes_of
from cape_lib.tables import Scores
from cape_lib.tables.axes import PARAMS, axis_named

__all__ = ["Task", "answer", "sweep", "tasks"]

#: What a task's answer looks like; a change makes older answers count as unfinished.
FORMAT = "cape-sweep-1"
MARK = "sweep.json"
MOST_WORKERS = 1024
#: A task that loses its worker is run again elsewhere, so often; one that kills every worker is then given up.
RETRIES = 3
#: seconds of the processor in this process that tell how long a family takes
TRIAL = 0.3
#: seconds of work that are worth a message, and most families in one to a scheduler elsewhere
WORTH, MOST_IN_ONE = 0.2, 20
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """A family to diagnose: its name, its rows as records, the pair (None for the usual ones), whether to report.

    allow_mixed: whether scores measured in different ways may be compared; size: which parameters params_b counts;
    axis, scale: what the rows go along, and on which scale.
    """

    family: str
    rows: tuple[dict[str, Any], ...]
    pair: tuple[str, str] | None = None
    report: bool = False
    allow_mixed: bool = True
    size: str = "total"
    axis: str = "params"
    scale: Literal["log", "linear"] = "log"

    def digest(self) -> str:
        """What the answer depends on, as 16 hexadecimal digits: the rows, the settings, tables and library."""
        parts = [FORMAT, _sources(), asdict(self)]
        return digest(json.dumps(parts, sort_keys=True, default=str))[:16]


@cache
def _sources() -> str:
    """Digest of all that an answer comes from, so that a changed library runs again."""
    from cape_lib.report.publish import execution

    return execution.sources("report/family", "report/sweep")


def tasks(
    checked: Scores | pd.DataFrame, *, by: str = "family", pair: tuple[str, str] | None = None, report: bool = False
) -> list[Task]:
    """One task for each family, in the order of the table.

    by: columns, parted by commas, whose values together make a family. Raises UsageError for an unknown column,
    MissingError where a table does not tell its families.
    """
    scores = as_scores(checked)
    if by == "family" and not scores.has_families:
        tables.refuse_unnamed(scores, always=True, choose=False)
    frame = scores.frame
    if by != "family":
        frame = frame.assign(family=tables.by_columns(frame, by.split(",")))
    tables.by_columns(frame, ["family"])
    settings: dict[str, Any] = {"pair": pair, "report": report, "allow_mixed": scores.allow_mixed, "size": scores.size}
    settings |= {"axis": scores.axis.name, "scale": scores.axis.scale}
    todo = []
    for name, rows in frame.groupby("family", sort=False):
        # Records without their blanks, dates and other objects as text.
        records = [{str(key): one for key, one in row.items() if not pd.isna(one)} for row in rows.to_dict("records")]
        texts = [{k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in r.items()} for r in records]
        todo.append(Task(str(name), tuple(texts), **settings))
    return todo


def answer(task: Task) -> dict[str, Any]:
    """The diagnosis of one family: `state` is "done", "refused" (with `why`) or "failed" (with `why`: a bug).

    A done task has `parts` (as in metrics.json of `cape family`), `models` and `notes`; with `report` also `files`
    (name -> text), made where the task runs and carried back, so that no common disk is needed.
    """
    try:
        state = {"state": "done"} | _diagnosed(task)
    except (MissingError, ScoresError) as refusal:
        # The command that mends it is the same for all of them; the page gives it once.
        state = {"state": "refused", "why": str(refusal).partition("; score more sizes")[0]}
    except CapeError as error:
        state = {"state": "failed", "why": str(error)}
    except Exception as bug:
        state = {"state": "failed", "why": f"{type(bug).__name__}: {bug}"}
    return head(task) | state


def head(task: Task) -> dict[str, Any]:
    """What every answer begins with: whose it is, how many rows, and what they go along."""
    along = {"size_measure": task.size} if task.axis == PARAMS.name else {"axis": task.axis}
    return {"family": task.family, "n": len(task.rows), **along}


def _diagnosed(task: Task) -> dict[str, Any]:
    from cape_lib.report import family

    frame = pd.DataFrame(list(task.rows))
    if "params_b" not in frame:
        frame["params_b"] = np.nan
    axis = replace(axis_named(task.axis), scale=task.scale)
    scores = Scores(frame, name=task.family, allow_mixed=task.allow_mixed, size=task.size, axis=axis)
    x, y = task.pair or (None, None)
    parts = family.parts(scores, name=task.family, x=x, y=y)
    about: dict[str, Any] = {"models": frame["model"].tolist(), "notes": notes_of(parts, "without")}
    if not task.report:
        return about | {"parts": [family.diagnose(part) for part in parts]}
    with tempfile.TemporaryDirectory(prefix="cape-sweep-") as folder:
        out = Path(folder) / "report"
        metrics = family.rerun(scores, task.family, out, pair=task.pair, quiet=True)
        files = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.is_file()}
    return about | {"parts": metrics["parts"], "files": files}


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
    there = inside(out)
    if there and "families" not in there:
        raise UsageError(f"{out}: exists already and is no sweep; choose another folder for -o")
    for stale in out.glob("**/.*.part"):
        if stale.is_file():
            stale.unlink()
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
    write_json(out / MARK, whole)
    write_page(out)
    return whole


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
    write_json(out / "families" / f"{place}.json", answered)
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

    def library() -> str:  # goes to a worker by value, which may have no library
        import cape_lib as there

        return there.__version__

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
        for worker, version in dask.run(library, on_error="return").items():
            if version != cape_lib.__version__:
                has = f"has cape_lib {version}" if isinstance(version, str) else "has no cape_lib"
                here = f"here is {cape_lib.__version__}; install the same there"
                raise SurroundingsError(f"--scheduler {address}: worker {worker} {has}, {here}")
        yield dask
