"""Workers for a sweep: a local cluster of processes, or a scheduler that runs already."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import cape_lib
from cape_lib.errors import SurroundingsError, UsageError

#: A terminal sends Ctrl-C to every process of the command; only the one that the person sees may answer.
_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
MOST_WORKERS = 1024


def need_dask() -> Any:
    """The module `distributed`. Raises SurroundingsError where it is not installed."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise SurroundingsError("a sweep needs dask.distributed: pip install 'dask[distributed]'") from None


def has_dask() -> bool:
    """Whether local processes can be started."""
    try:
        need_dask()
    except SurroundingsError:
        return False
    return True


def local_count(workers: int | None) -> int:
    """How many local processes there may be: one a core and at most 8, unless said. UsageError for an odd number."""
    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    count = count if workers is None else workers
    if not 1 <= count <= MOST_WORKERS:
        raise UsageError(f"--workers {count}: choose a number from 1 to {MOST_WORKERS}")
    return count


@contextlib.contextmanager
def client(scheduler: str | None, workers: int | None, *, patience: float = 20.0) -> Iterator[Any]:
    """A `dask.distributed.Client`, closed at the end; a local cluster unless `scheduler` names one that runs.

    scheduler: such as "tcp://host:8786"; workers: processes of the local cluster (default: one a core, at most 8);
    patience: seconds to wait for a scheduler and its first worker. Raises SurroundingsError where none answers or its
    workers lack this library, UsageError for an address or number that cannot be.
    """
    distributed = need_dask()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if scheduler is not None:
        with _connected(distributed, scheduler, patience) as dask:
            yield dask
        return
    count = local_count(workers)
    # Workers get the settings of this process: nobody asks what a worker did every ten milliseconds.
    importlib.import_module("dask").config.set({"distributed.worker.profile.enabled": False})
    local = distributed.LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        # Any port: a second cluster on the machine finds the usual one taken.
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        silence_logs=logging.CRITICAL,
        preload=[_DEAF],
    )
    # `closing`: the client's own context must end in the thread that it began in.
    with local, contextlib.closing(distributed.Client(local)) as dask:
        yield dask


@contextlib.contextmanager
def _connected(distributed: Any, address: str, patience: float) -> Iterator[Any]:
    if "://" not in address:
        address = f"tcp://{address}"
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
