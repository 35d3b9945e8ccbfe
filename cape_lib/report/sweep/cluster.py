"""Workers for a sweep: a local cluster of processes, or a scheduler that runs already."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import warnings
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
        with _connected(distributed, scheduler, patience) as found:
            yield found
        return
    count = local_count(workers)
    with warnings.catch_warnings():
        # A second cluster on the machine finds the usual port of its page taken: no news to who asked for a sweep.
        warnings.filterwarnings("ignore", message="Port", category=UserWarning)
        local = distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            preload=[_DEAF],
        )
    with local, distributed.Client(local) as found:
        yield found


@contextlib.contextmanager
def _connected(distributed: Any, address: str, patience: float) -> Iterator[Any]:
    if "://" not in address:
        address = f"tcp://{address}"
    try:
        found = distributed.Client(address, timeout=patience)
    except (OSError, TimeoutError) as error:
        told = "does not answer" if isinstance(error, TimeoutError) else str(error).splitlines()[0]
        raise SurroundingsError(f"--scheduler {address}: {told}; start one with 'dask scheduler'") from None
    except (ValueError, KeyError) as error:
        raise UsageError(f"--scheduler {address}: no address ({error}); write tcp://HOST:PORT") from None
    try:
        try:
            found.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            mend = f"start one with 'dask worker {address}'"
            raise SurroundingsError(f"--scheduler {address}: no worker answers; {mend}") from None
        _same_library(found, address)
        yield found
    finally:
        found.close()


def _same_library(found: Any, address: str) -> None:
    for worker, version in found.run(_version).items():
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
