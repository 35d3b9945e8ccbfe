"""Where a sweep runs: processes of this machine, or the workers of a dask scheduler that runs already."""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cape_lib
from cape_lib.errors import SurroundingsError, UsageError

MOST_WORKERS = 1024


def need_dask() -> Any:
    """The module `distributed`. Raises SurroundingsError where it is not installed."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise SurroundingsError("a scheduler needs dask.distributed: pip install 'dask[distributed]'") from None


def local_count(workers: int | None) -> int:
    """How many local processes there may be: one a core and at most 8, unless said. UsageError for an odd number."""
    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    count = count if workers is None else workers
    if not 1 <= count <= MOST_WORKERS:
        raise UsageError(f"--workers {count}: choose a number from 1 to {MOST_WORKERS}")
    return count


def start_seconds() -> float:
    """Seconds of work that local processes must take off this one to be worth their start: twice what it costs."""
    return 1.0 if _start_method() == "fork" else 8.0


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
    context = multiprocessing.get_context(_start_method())
    pool = ProcessPoolExecutor(count, context, initializer=_begin)
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

    patience: seconds to wait for the scheduler and its first worker. Raises SurroundingsError where none answers or its
    workers lack this library, UsageError for an address that cannot be.
    """
    distributed = need_dask()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    address = scheduler if "://" in scheduler else f"tcp://{scheduler}"
    try:
        dask = distributed.Client(address, timeout=patience)
    except (OSError, TimeoutError) as error:
        why = "does not answer" if isinstance(error, TimeoutError) else str(error).splitlines()[0]
        raise SurroundingsError(f"--scheduler {address}: {why}; start one with 'dask scheduler'") from None
    except (ValueError, KeyError) as error:
        raise UsageError(f"--scheduler {address}: no address ({error}); write tcp://HOST:PORT") from None
    try:
        try:
            dask.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            step = f"start one with 'dask worker {address}'"
            raise SurroundingsError(f"--scheduler {address}: no worker answers; {step}") from None
        _same_library(dask, address)
        yield dask
    finally:
        dask.close()


def _same_library(dask: Any, address: str) -> None:
    for worker, version in dask.run(_version).items():
        if version != cape_lib.__version__:
            has = f"has cape_lib {version}" if version else "has no cape_lib"
            raise SurroundingsError(
                f"--scheduler {address}: worker {worker} {has}, here is {cape_lib.__version__}; install the same there"
            )


def _version() -> str:
    try:
        import cape_lib as there
    except ImportError:
        return ""
    return there.__version__
