"""Notebooks executed by papermill in this one process, two kernels at a time; the copies are equal byte for byte."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from cape_lib import errors
from cape_lib.output import write_whole
from cape_lib.report.publish import places

KERNEL = "cape-book"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Executed:
    """An executed notebook, as text, and the seconds that it took."""

    path: Path
    text: str
    seconds: float


def execute(
    notebooks: Mapping[Path, Mapping[str, Any]], out_dir: Path, *, quiet: bool = False, only: str = ""
) -> list[Path]:
    """Execute notebooks and write the copies to `out_dir`; returns their paths, in order.

    notebooks: path -> its parameters; those of an audit are written to a folder `audit`.
    only: a tag; cells without it are left out, but for the title and the parameters, and no code is shown.
    Raises the exception's own kind where a cell raised one of cape_lib's errors, else CapeError, naming notebook and
    cell.
    """
    places.need("papermill", "ipykernel", "altair")
    done = {run.path: run for run in run_all(notebooks, tell=speaker(quiet), only=only)}
    copies = []
    for path in notebooks:
        copy = out_dir / ("audit" if path.parent.name == "audit" else "") / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        write_whole(copy, done[path].text)
        copies.append(copy)
    return copies


def speaker(quiet: bool) -> Tell:
    """A function that says one line on stderr, or nothing."""
    return (lambda line: None) if quiet else (lambda line: print(line, file=sys.stderr, flush=True))


def run_all(
    notebooks: Mapping[Path, Mapping[str, Any]], *, tell: Tell, jobs: int = 2, only: str = ""
) -> Iterator[Executed]:
    """Execute notebooks, `jobs` kernels at a time; yields each as it is done, raises at the first cell error."""
    waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
    done: queue.SimpleQueue[Executed | BaseException] = queue.SimpleQueue()
    for path in notebooks:
        waiting.put(path)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                path = waiting.get_nowait()
                try:
                    done.put(run_one(path, notebooks[path], only=only))
                except BaseException as error:
                    done.put(error)
                    return

    with _kernel():
        # Daemon threads: an interrupt ends the command at once; the kernels watch their parent and end with it.
        for _ in range(min(jobs, len(notebooks))):
            threading.Thread(target=work, daemon=True).start()
        for _ in notebooks:
            result = done.get()
            if isinstance(result, BaseException):
                with contextlib.suppress(queue.Empty):
                    while True:
                        waiting.get_nowait()
                raise result
            tell(f"{result.path.name}: executed in {result.seconds:.1f} s")
            yield result


def run_one(path: Path, parameters: Mapping[str, Any] | None = None, *, only: str = "") -> Executed:
    """Execute one notebook in its own folder, in a fresh kernel of this interpreter; `only`: see `execute`."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    began = time.monotonic()
    try:
        source = nbformat.read(path, as_version=4)
    except Exception as error:
        raise errors.CapeError(f"{path.name}: not a notebook ({type(error).__name__}: {error})") from None
    if only:
        source.cells = _tagged(source.cells, only)
    try:
        notebook = papermill.execute_notebook(
            source,
            None,
            parameters=dict(parameters or {}),
            kernel_name=KERNEL,
            language="python",
            progress_bar=False,
            resources={"metadata": {"path": str(path.parent)}},
            config=_sockets(path),
        )
    except PapermillExecutionError as error:
        raise _cell_error(path, source, error) from None
    return Executed(path, _settled(notebook, source), time.monotonic() - began)


def _tagged(cells: Sequence[Any], only: str) -> list[Any]:
    """The cells with a tag, the heading of the first page and the cell of parameters; their code is not shown."""
    left = []
    for number, cell in enumerate(cells):
        tags = set(cell.metadata.get("tags", []))
        if number == 0 and only not in tags:
            cell.source = cell.source.partition("\n")[0]
        elif not tags & {only, "parameters"}:
            continue
        if cell.cell_type == "code":
            cell.metadata["tags"] = sorted(tags | {"remove-input"})
        left.append(cell)
    return left


def _cell_error(path: Path, source: Any, error: Any) -> errors.CapeError:
    """One line: notebook, code cell as Jupyter counts, its first line, exception. The note of it is the traceback."""
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    number = next((i for i, cell in enumerate(code, start=1) if cell.source == error.source), 0)
    place = f"code cell {number} of {len(code)}" if number else "the cell of parameters"
    lines = [line for line in error.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    first = f" ({lines[0].strip()[:60]})" if lines else ""
    kind = getattr(errors, error.ename, None)
    kind = kind if isinstance(kind, type) and issubclass(kind, errors.CapeError) else errors.CapeError
    what = " ".join(str(error.evalue).split())
    failure = kind(f"{path.name}, {place}{first}: {error.ename}: {what}")
    failure.add_note(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)))
    return failure


def _settled(notebook: Any, source: Any) -> str:
    """The notebook as text without what differs from run to run: times, counters, the name of the kernel."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.kernelspec = source.metadata.get("kernelspec", {"name": "python3", "display_name": "Python 3"})
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata.pop("widgets", None)
    count = 0
    for index, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if not cell.metadata.get("tags", True):
            cell.metadata.pop("tags")
        if cell.cell_type != "code":
            continue
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = f"parameters-{index}"
            cell.metadata.tags.append("remove-cell")
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    text: str = nbformat.writes(notebook, version=4)
    return text.rstrip("\n") + "\n"


def _sockets(path: Path) -> Any:
    """Kernels are spoken to through sockets in a folder, not through ports, which two kernels could both reach for."""
    from traitlets.config import Config

    folder = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / f"{path.stem[:20]}-{uuid.uuid4().hex[:8]}"
    return Config(KernelManager={"transport": "ipc", "ip": str(name), "connection_file": f"{name}.json"})


@contextlib.contextmanager
def _kernel() -> Iterator[None]:
    """A kernel of exactly this interpreter, deaf to the reader's own Jupyter and IPython settings."""
    # A socket's path must be short, so not in the long temporary folder that some systems name.
    short = "/tmp" if os.access("/tmp", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="cape-", dir=short, ignore_cleanup_errors=True) as folder:
        spec = {
            # A kernel that starts while an interrupt takes this folder away has nothing to say about it.
            "argv": [
                sys.executable,
                "-W",
                "ignore:IPython parent:UserWarning",
                "-m",
                "ipykernel_launcher",
                "--log-level=50",
                "-f",
                "{connection_file}",
            ],
            "display_name": "Python 3",
            "language": "python",
            "env": {
                "CAPE_BOOK": "1",
                "IPYTHONDIR": str(Path(folder) / "ipython"),
                "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                "PYTHONHASHSEED": "0",
                # Two kernels at a time on two cores: each keeps to one.
                **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")},
            },
        }
        place = Path(folder) / "share" / "kernels" / KERNEL
        place.mkdir(parents=True)
        (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        before = {name: os.environ.get(name) for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR")}
        os.environ |= {"JUPYTER_PATH": str(Path(folder) / "share"), "JUPYTER_RUNTIME_DIR": str(Path(folder) / "run")}
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
