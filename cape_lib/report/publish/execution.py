"""Notebooks, where they are and executed by papermill in this one process; the copies are equal byte for byte.

The book's are stored by content: of the notebook, of all that a chapter may read, and of the packages installed. A
chapter may read every table and every module below the commands and reports, so a change in one of them runs all
chapters again, and a change in prose or style none.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shlex
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any
from unittest import mock

from cape_lib import errors
from cape_lib.imports import IRI, without
from cape_lib.output import digest, write_json, write_whole
from cape_lib.tables.files import data_dir

with without(IRI):
    import nbformat

PACKAGE = Path(__file__).resolve().parents[2]
KERNEL = "cape-book"
#: What no chapter uses: it runs chapters, or is a command.
_ABOVE = ("cli", "report", "_book", "_notebooks", "_site")
Tell = Callable[[str], None]


def checkout() -> Path | None:
    """The root of the checkout that this package is run from; None where it is installed without one."""
    root = PACKAGE.parent
    return root if (root / "_toc.yml").is_file() and (root / "notebooks").is_dir() else None


def source_of(in_checkout: str, installed: str) -> Path:
    root = checkout()
    path = root / in_checkout if root else PACKAGE / installed
    if not path.exists():
        raise errors.SurroundingsError(f"{path}: not there; install cape_lib again or work in a checkout of the book")
    return path


def notebooks_dir() -> Path:
    """Folder of the story's notebooks; those of the audit are in its folder `audit`."""
    return source_of("notebooks", "_notebooks")


def book_dir() -> Path:
    """Folder of the prose pages, with `_static` and `_ext`."""
    return source_of("book", "_book")


def static_dir() -> Path:
    """Folder of the style sheet and the chart script."""
    return book_dir() / "_static"


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

    def run(path: Path) -> Executed:
        return _run_one(path, notebooks[path], only)

    # Its threads are daemons: an interrupt ends the command at once; the kernels watch their parent and end with it.
    with _kernel(), ThreadPool(jobs) as pool:
        for result in pool.imap_unordered(run, notebooks):
            tell(f"{result.path.name}: executed in {result.seconds:.1f} s")
            yield result


def _run_one(path: Path, parameters: Mapping[str, Any], only: str) -> Executed:
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
            parameters=dict(parameters),
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
    for name in ("papermill", "widgets"):
        notebook.metadata.pop(name, None)
    notebook.metadata.kernelspec = source.metadata.get("kernelspec", {"name": "python3", "display_name": "Python 3"})
    notebook.metadata.language_info = {"name": "python"}
    count = 0
    for index, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags")
        for name in ("papermill", "execution", *([] if tags else ["tags"])):
            cell.metadata.pop(name, None)
        if cell.cell_type != "code":
            continue
        if tags and "injected-parameters" in tags:
            cell.id = f"parameters-{index}"
            tags.append("remove-cell")
        count += 1
        for counted in [cell, *(output for output in cell.outputs if "execution_count" in output)]:
            counted.execution_count = count
    text: str = nbformat.writes(notebook, version=4)
    return text.rstrip("\n") + "\n"


def _sockets(path: Path) -> Any:
    """Kernels are spoken to through sockets in a folder, not through ports, which two kernels could both reach for."""
    from traitlets.config import Config

    name = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"{path.stem[:20]}-{uuid.uuid4().hex[:8]}"
    return Config(KernelManager={"transport": "ipc", "ip": str(name), "connection_file": f"{name}.json"})


@contextlib.contextmanager
def _kernel() -> Iterator[None]:
    """A kernel of exactly this interpreter, deaf to the reader's own Jupyter and IPython settings."""
    # A kernel that starts while an interrupt takes its folder away has nothing to say about it.
    quiet = "-W 'ignore:IPython parent:UserWarning' -m ipykernel_launcher --log-level=50"
    spec = {
        "argv": [sys.executable, *shlex.split(quiet), "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    }
    # A socket's path must be short, so not in the long temporary folder that some systems name.
    short = "/tmp" if os.access("/tmp", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="cape-", dir=short, ignore_cleanup_errors=True) as folder:
        for name in (f"kernels/{KERNEL}", "run"):
            (Path(folder) / name).mkdir(parents=True)
        (Path(folder) / "kernels" / KERNEL / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        surroundings = {
            "JUPYTER_PATH": folder,
            "JUPYTER_RUNTIME_DIR": f"{folder}/run",
            "IPYTHONDIR": f"{folder}/ipython",
            "CAPE_BOOK": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "PYTHONHASHSEED": "0",
            # Two kernels at a time on two cores: each keeps to one.
            **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")},
        }
        with mock.patch.dict(os.environ, surroundings):
            yield


def of_files(paths: Iterable[Path]) -> str:
    """Digest of the names and contents of files, whatever their order."""
    return digest("\n".join(f"{path.name} {digest(path.read_bytes())}" for path in sorted(paths) if path.is_file()))


def sources(*rooms: str) -> str:
    """Digest of all that a chapter may read: tables, the library below `report`, how it is executed, the packages.

    rooms: folders of the library that count as well, such as "report/family".
    """
    files = [*data_dir().rglob("*"), *(static_dir() / "dashboard").glob("*"), Path(__file__)]
    below = [path for path in PACKAGE.glob("*") if path.name not in _ABOVE]
    files += [file for path in (*below, *map(PACKAGE.joinpath, rooms)) for file in (path, *path.rglob("*"))]
    return digest(of_files(path for path in files if path.suffix != ".pyc") + packages())


def packages() -> str:
    """Digest of the versions of the interpreter and of every package that is installed."""
    versions = sorted(f"{package.name} {package.version}" for package in metadata.distributions())
    return digest("\n".join([platform.python_version(), *versions]))


def stored(folder: Path, name: str) -> dict[str, Any]:
    """The executed copy of a notebook (`text`), its `key` and `seconds`; {} where it is not as it was written."""
    copy = folder / name.replace("/", "--")
    try:
        text, record = copy.read_text(encoding="utf-8"), json.loads(copy.with_suffix(".json").read_text("utf-8"))
        whole = {"text": text, "key": record["key"], "seconds": record["seconds"]}
        return whole if record["copy"] == digest(text) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def store(folder: Path, name: str, run: Executed, *, key: str) -> None:
    """Store an executed copy; `key` is the digest of the notebook and of `sources`, as they were before the run."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / name.replace("/", "--")
    write_whole(copy, run.text)
    write_json(copy.with_suffix(".json"), {"key": key, "copy": digest(run.text), "seconds": round(run.seconds, 1)})
