"""Runs a notebook in a kernel of a given interpreter, as a reader would, and moves every input that it shows."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
#: Every notebook that is a page: the chapters, and the pages of prose that compute.
PAGES = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/audit/*.ipynb"), *ROOT.glob("book/*.ipynb")])

#: Refuses every host but this one and writes down who was asked for. IPython runs it before a kernel's first cell.
CUT = """
import socket as _socket
def _guard(connect):
    def guarded(self, address):
        here = ("127.0.0.1", "::1", "localhost")
        if self.family != getattr(_socket, "AF_UNIX", None) and str(address[0]) not in here:
            open({record!r}, "a").write(f"{{address}}\\n")
            raise OSError(101, f"the network is cut: {{address}}")
        return connect(self, address)
    return guarded
_socket.socket.connect = _guard(_socket.socket.connect)
_socket.socket.connect_ex = _guard(_socket.socket.connect_ex)
"""

#: Moves every slider and list through its ends and middle; says how many there are, what was drawn for each value, and
#: what went wrong: an input shows its errors, and so hides them from the kernel.
#: (Every value is drawn when the book is built, where an input that fails stops the build.)
MOVE = """
import gc, hashlib, json, traceback
import ipywidgets
_moved_inputs, _wrong = [], []
get_ipython().showtraceback = lambda exc_tuple=None, *a, **k: _wrong.extend(traceback.format_exception(*exc_tuple)[-3:])
def _inside(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)
# type(w), for isinstance asks each object what it is, and some of torch's answer with a warning
_boxes = [w for w in gc.get_objects() if issubclass(type(w), ipywidgets.VBox) and not hasattr(w, "_was_read")]
for _box in [w for w in _boxes if len(w.children) == 3]:
    _box._was_read = True
    _chooser = _box.children[0]
    if not isinstance(_chooser, (ipywidgets.SelectionSlider, ipywidgets.Dropdown)):
        continue
    _seen = []
    _values = [_value for _, _value in _chooser.options]
    for _i in sorted({0, 1, len(_values) // 2, len(_values) - 1} & set(range(len(_values)))):
        _chooser.value = _values[_i]
        _specs = [w.spec for w in _inside(_box) if hasattr(w, "spec")]
        _seen.append(hashlib.sha1(json.dumps(_specs, default=str).encode()).hexdigest() if _specs else None)
    _moved_inputs.append({"label": _chooser.description, "drawn": _seen})
del get_ipython().showtraceback
"""


def how_many_inputs(notebook: Path) -> int:
    """How many figures with an input the source of a notebook shows."""
    cells = nbformat.read(notebook, as_version=4).cells
    return sum(len(re.findall(r"(?<![\w.])explore\(", cell.source)) for cell in cells if cell.cell_type == "code")


@contextmanager
def kernel_spec(folder: Path, python: Path, startup: str, env: Mapping[str, str]) -> Iterator[str]:
    """A kernel of `python` that first runs `startup`; yields its name."""
    place = folder / "share" / "kernels" / "reader"
    place.mkdir(parents=True)
    first = folder / "ipython" / "profile_default" / "startup"
    first.mkdir(parents=True)
    (first / "00-first.py").write_text(startup, encoding="utf-8")
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Reader", "language": "python"}
    spec["env"] = {"IPYTHONDIR": str(folder / "ipython"), "OMP_NUM_THREADS": "1", **env}
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(folder / "share")
    try:
        yield "reader"
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


@contextmanager
def one_for_all(kernel: str, folder: Path) -> Iterator[Any]:
    """A kernel that reads several notebooks one after the other (`read_through`): what one loads, no other loads."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel(cwd=str(folder))
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


def read_through(notebook: Path, *, kernel: Any, folder: Path) -> tuple[Any, list[dict[str, Any]]]:
    """Run a notebook's source in `folder`, move its inputs; returns the run notebook and what `MOVE` told.

    kernel: the name of a kernel, which is started for this notebook, or one of `one_for_all`, which forgets its names.
    Raises nbclient's CellExecutionError at the first cell that fails, and AssertionError where an input's answer did.
    Beside Colab's old kernel nbclient at times misses an answer that the kernel gave: the notebook is then read anew.
    """
    from nbclient.exceptions import CellTimeoutError

    for last in (False, False, True):
        try:
            return _read(notebook, kernel=kernel, folder=folder)
        except CellTimeoutError:
            if last:
                raise
    raise AssertionError


def _read(notebook: Path, *, kernel: Any, folder: Path) -> tuple[Any, list[dict[str, Any]]]:
    from nbclient import NotebookClient

    run = nbformat.read(notebook, as_version=4)
    which = {"kernel_name": kernel} if isinstance(kernel, str) else {"km": kernel}
    client = NotebookClient(run, timeout=100, resources={"metadata": {"path": str(folder)}}, **which)
    with client.setup_kernel(cleanup_kc=isinstance(kernel, str)):
        if not isinstance(kernel, str):
            client.kc.execute("%reset -f", store_history=False, reply=True, timeout=60)
        for index, cell in enumerate(run.cells):
            client.execute_cell(cell, index)
        output, wrong = _moved(client.km.connection_file)
        client.set_widgets_metadata()
    wrong += [text] if '"output_type": "error"' in (text := json.dumps(run.metadata.get("widgets", {}))) else []
    assert not wrong, f"{notebook.name}: an input's answer failed: {wrong[0][-2000:]}"
    return run, output


def _moved(connection_file: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What `MOVE` told in a kernel, and the errors on the way.

    By a client of its own that waits for the reply alone: of the many messages of widgets some may be dropped, a reply
    is not.
    """
    from jupyter_client.blocking import BlockingKernelClient

    client = BlockingKernelClient()
    client.load_connection_file(connection_file)
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        sent = client.execute(MOVE, user_expressions={"moved": "json.dumps([_moved_inputs, _wrong])"})
        reply = client.get_shell_msg(timeout=300)
        while reply["parent_header"].get("msg_id") != sent:
            reply = client.get_shell_msg(timeout=300)
    finally:
        client.stop_channels()
    content = reply["content"]
    if content["status"] != "ok":
        return [], ["\n".join(content.get("traceback", [content["status"]]))]
    drawn, wrong = json.loads(ast.literal_eval(content["user_expressions"]["moved"]["data"]["text/plain"]))
    return drawn, wrong
