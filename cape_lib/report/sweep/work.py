"""One family of a sweep as a task: plain data in, plain data out, so that it can run in any process on any machine."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import cape_lib
from cape_lib.errors import CapeError, MissingError, ScoresError, UsageError
from cape_lib.names import suggest

#: What a task's answer looks like; a change makes older answers count as unfinished.
FORMAT = "cape-sweep-1"


@dataclass(frozen=True, slots=True)
class Task:
    """A family to diagnose: its name, its rows as records, the pair (None for the usual ones), whether to report."""

    family: str
    rows: tuple[dict[str, Any], ...]
    pair: tuple[str, str] | None = None
    report: bool = False

    def digest(self) -> str:
        """What the answer depends on, as 16 hexadecimal digits: the rows, the settings, the library itself."""
        said = [FORMAT, library(), self.family, list(self.rows), self.pair, self.report]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


@cache
def library() -> str:
    """Digest of the parts of this library that an answer comes from, so that a mended one runs again."""
    package = Path(cape_lib.__file__).parent
    parts = ("base", "dashboard", "report/family", "frontier", "stats", "tables", "_data")
    files = [path for part in parts for path in sorted((package / part).rglob("*")) if path.suffix != ".pyc"]
    content = b"".join(path.read_bytes() for path in files if path.is_file())
    return hashlib.sha256(content).hexdigest()


def tasks(
    scores: pd.DataFrame, *, by: str = "family", pair: tuple[str, str] | None = None, report: bool = False
) -> list[Task]:
    """One task for each value of column `by`, in the order of the table. Raises UsageError for an unknown column."""
    if by not in scores:
        texts = [str(name) for name in scores if not pd.api.types.is_numeric_dtype(scores[name])]
        raise UsageError(f"--by: {suggest('column', by, texts)}")
    if scores[by].isna().any():
        model = scores.loc[scores[by].isna(), "model"].iloc[0]
        raise ScoresError(f"column {by}: blank for {model}; give every model one, or sweep by another column")
    return [
        Task(str(name), tuple(_records(rows.drop(columns="family", errors="ignore"))), pair, report)
        for name, rows in scores.groupby(by, sort=False)
    ]


def _records(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as records without their blanks, dates and other objects as text."""
    for row in rows.to_dict("records"):
        kept = {str(key): value for key, value in row.items() if not pd.isna(value)}
        yield {k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in kept.items()}


def answer(task: Task) -> dict[str, Any]:
    """The diagnosis of one family: `state` is "done", "refused" (with `why`) or "failed" (with `why`: a bug).

    A done task has `parts` (as in metrics.json of `cape family`), `models` and `notes`; with `report` also `files`
    (name -> text), made where the task runs and carried back, so that no common disk is needed.
    """
    head = {"format": FORMAT, "digest": task.digest(), "family": task.family, "n": len(task.rows)}
    try:
        return head | {"state": "done"} | _diagnosed(task)
    except (MissingError, ScoresError) as refusal:
        # The command that mends it is the same for all of them; the page gives it once.
        return head | {"state": "refused", "why": str(refusal).partition("; score more sizes")[0]}
    except CapeError as error:
        return head | {"state": "failed", "why": str(error)}
    except Exception as bug:
        return head | {"state": "failed", "why": f"{type(bug).__name__}: {bug}"}


def _diagnosed(task: Task) -> dict[str, Any]:
    from cape_lib.report import family
    from cape_lib.report.family.rerun import plain

    rows, notes = one_a_size(pd.DataFrame(list(task.rows)))
    pair = task.pair
    parts = family.parts(rows, name=task.family, x=pair[0] if pair else None, y=pair[1] if pair else None)
    found: dict[str, Any] = {
        "models": rows["model"].tolist(),
        "notes": notes,
        "parts": plain([family.diagnose(part) for part in parts]),
    }
    if task.report:
        with tempfile.TemporaryDirectory(prefix="cape-sweep-") as folder:
            out = Path(folder) / "report"
            settings = family.Settings(pair=pair, quiet=True)
            family.rerun(rows.assign(family=task.family), task.family, out, settings)
            found["files"] = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.is_file()}
    return found


def one_a_size(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row a size, for a family of a panel may hold a size twice; and a note of what was left out.

    Of two rows of one size the one that stands in a ladder (column `ladder`) and is no instruct model is kept, else
    the first.
    """
    if "params_b" not in rows or not rows["params_b"].dropna().duplicated().any():
        return rows, []
    instruct = rows["instruct"].eq(True) if "instruct" in rows else pd.Series(False, index=rows.index)
    outside = rows["ladder"].isna() if "ladder" in rows else pd.Series(False, index=rows.index)
    order = (instruct.astype(int) + outside.astype(int)).sort_values(kind="stable").index
    ranked = rows.loc[order]
    twice = ranked["params_b"].duplicated() & ranked["params_b"].notna()
    left = ", ".join(ranked.loc[twice, "model"].astype(str))
    kept = rows.loc[ranked.index[~twice]].sort_index().reset_index(drop=True)
    return kept, [f"same size, left out: {left}"]
