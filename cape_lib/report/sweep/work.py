"""One family of a sweep as a task: plain data in, plain data out, so that it can run in any process on any machine."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

import cape_lib
from cape_lib import tables
from cape_lib.errors import CapeError, MissingError, ScoresError
from cape_lib.report.family.planning import as_scores
from cape_lib.tables import Scores
from cape_lib.tables.axes import PARAMS, axis_named

#: What a task's answer looks like; a change makes older answers count as unfinished.
FORMAT = "cape-sweep-1"


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
        """What the answer depends on, as 16 hexadecimal digits: the rows, the settings, the library itself."""
        parts = [FORMAT, _library(), asdict(self)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def _library() -> str:
    """Digest of the parts of this library that an answer comes from, so that a changed one runs again."""
    package = Path(cape_lib.__file__).parent
    parts = ("base", "dashboard", "report/family", "report/sweep", "frontier", "stats.py", "tables", "_data")
    files = [path for part in parts for path in (package / part, *sorted((package / part).rglob("*")))]
    content = b"".join(path.read_bytes() for path in files if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(content).hexdigest()


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
    notes = []  # what became of rows that are no point of the analysis
    for part in parts:
        if part.left_out:
            what = f"{tables.label(part.x)} or {tables.label(part.y)}"
            notes.append(f"without {what}: {', '.join(part.left_out)}")
        notes += part.notes
    about: dict[str, Any] = {"models": frame["model"].tolist(), "notes": list(dict.fromkeys(notes))}
    if not task.report:
        return about | {"parts": [family.diagnose(part) for part in parts]}
    with tempfile.TemporaryDirectory(prefix="cape-sweep-") as folder:
        out = Path(folder) / "report"
        metrics = family.rerun(scores, task.family, out, pair=task.pair, quiet=True)
        files = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.is_file()}
    return about | {"parts": metrics["parts"], "files": files}
