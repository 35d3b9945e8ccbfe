"""Run the chapters on a person's own scores and put the report in place as a whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

import cape_lib
from cape_lib import tables
from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.output import plain
from cape_lib.report.family import next_steps, parameters, planning, summary

PAGE, METRICS, SCORES = "index.html", "metrics.json", "scores.csv"
FIRST_PAGE = Path(__file__).with_name("first_page.ipynb")
FORMAT = "cape-family-1"
_OF_THE_BOOK = ("altair", "ipykernel", "myst_nb", "nbformat", "papermill", "pysindy", "statsmodels", "vl_convert")


def rerun(
    scores: tables.Scores | pd.DataFrame,
    name: str,
    out: Path,
    *,
    pair: tuple[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
    pairs: str | None = None,
    chapters: bool = True,
    audit: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """The report of one family in folder `out`: index.html, metrics.json, scores.csv; returns what metrics.json holds.

    scores: as `tables.check_scores` or `tables.read_scores` gives them; pair, asked, pairs, audit: as `planning.plan`
    takes them; chapters: False for the first page alone; force: replace an older report; quiet: no progress on stderr.
    Everything is checked before anything runs; the folder appears when it is whole. Raises UsageError (the folder
    exists, an unknown parameter), MissingError (too few sizes, no benchmark), ScoresError, SurroundingsError.
    """
    out = Path(out)
    check_folder(out, force=force)
    need_book("a report")
    from cape_lib.report import publish

    folder = publish.notebooks_dir()
    plan = planning.plan(scores, name=name, pair=pair, asked=asked, folder=folder, audit=audit, pairs=pairs)
    metrics: dict[str, Any] = plain(_metrics(plan, chapters=chapters))
    with _beside(out) as work:
        _own_columns(plan).to_csv(work / SCORES, index=False, lineterminator="\n")
        (work / METRICS).write_text(json.dumps(metrics, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        notebooks = _notebooks(plan, work, chapters=chapters)
        only = "" if plan.checked.axis.by_size else planning.ANY_AXIS
        executed = publish.execute(notebooks, work / "executed", quiet=quiet, only=only)
        publish.report(executed, work / PAGE, f"{plan.name}: CAPE report")
        shutil.rmtree(work / "executed", ignore_errors=True)
        _put(work, out, force=force)
    return metrics


def _own_columns(plan: planning.Plan) -> pd.DataFrame:
    """The table that was read; along another axis than size without columns that only the reading put there."""
    if plan.checked.axis.by_size:
        return plan.scores
    blank = ["params_b"] if plan.scores["params_b"].isna().all() else []
    return plan.scores.drop(columns=[*blank, "day"], errors="ignore")


def need_book(what: str) -> None:
    """Raise SurroundingsError where the packages that execute and draw chapters are not installed."""
    lacking = [name for name in _OF_THE_BOOK if importlib.util.find_spec(name) is None]
    if lacking:
        raise SurroundingsError(f"{what} needs {', '.join(lacking)}: pip install '.[book]' in the repository")


def _metrics(plan: planning.Plan, *, chapters: bool) -> dict[str, Any]:
    from cape_lib.report import publish

    analyses = [summary.diagnose(part) for part in plan.parts]
    return {
        "format": FORMAT,
        "cape_lib": cape_lib.__version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "family": plan.name,
        "models": plan.scores["model"].tolist(),
        "chapters": {publish.key(path): values for path, values in plan.chapters.items()} if chapters else {},
        **({"size_measure": plan.checked.size} if plan.checked.axis.by_size else {"axis": plan.checked.axis.name}),
        "parts": analyses,
        "cannot_show": [line for one in analyses for line in summary.cannot_show(one)],
        "next": [
            {"why": why, "command": line}
            for part, one in zip(plan.parts, analyses, strict=True)
            for why, line in next_steps.commands(plan.scores, part, one)
        ],
        "notes": list(plan.notes),
    }


def _notebooks(plan: planning.Plan, work: Path, *, chapters: bool) -> dict[Path, dict[str, Any]]:
    """The first page, then every chapter, with the parameters that it declares; the rows of each part are stored."""
    notebooks: dict[Path, dict[str, Any]] = {FIRST_PAGE: {"report_path": str((work / METRICS).resolve())}}
    (work / "executed").mkdir()
    for part in plan.parts:
        stored = _rows_of(work, part.kind)
        tables.write_checked(replace(plan.checked.of(part.rows), axis=part.along), stored)
        for path, values in plan.chapters.items() if chapters else ():
            if path.stem in planning.CHAPTERS[part.kind]:
                takes = {"scores_path": str(stored.resolve())} if "scores_path" in parameters.read(path) else {}
                notebooks[path] = values | takes
    return notebooks


def _rows_of(work: Path, kind: str) -> Path:
    return work / "executed" / f"scores-{kind}{tables.STORED}"


def stored(metrics: Path) -> tuple[dict[str, Any], list[tuple[planning.Part, dict[str, Any]]]]:
    """What the metrics.json of a report in the making holds, and its parts: each with its rows and its diagnosis."""
    report: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    parts = []
    for one in report["parts"]:
        scores = tables.read_checked(_rows_of(metrics.parent, one["kind"]))
        assert scores is not None  # the name of the file says that it is one
        parts.append((planning.Part(one["kind"], one["x"], one["y"], scores.frame, along=scores.axis), one))
    return report, parts


def check_folder(out: Path, *, force: bool) -> None:
    """Refuse an output folder that holds something, before any work is done.

    Raises UsageError where it is not empty (with `force`: where it is not an older report), SurroundingsError where
    its place is no folder.
    """
    if out.is_dir():
        inside = {path.name for path in out.iterdir()}
        if inside and not force:
            raise UsageError(f"{out}: exists already; choose another folder for -o, or say --force")
        if inside and METRICS not in inside:
            raise UsageError(f"{out}: not a report of cape (no {METRICS}), so --force leaves it; choose another folder")
    elif out.exists():
        raise UsageError(f"{out}: a file; choose a folder for -o")
    for parent in out.resolve().parents:
        if parent.exists():
            if not parent.is_dir():
                raise SurroundingsError(f"{parent}: a file stands where a folder is needed; choose another place")
            break


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A working folder beside the output folder (one file system, so the last step is one move); gone afterwards.

    Its lock goes with the process, however that ends: what a killed run left is told from the work of a live one.
    """
    parent = out.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f".{out.name}.*.part"):
        if (lock := _lock(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    work = Path(tempfile.mkdtemp(dir=parent, prefix=f".{out.name}.", suffix=".part"))
    work.chmod(0o755)
    held = _lock(work)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if held is not None:
            os.close(held)


def _lock(folder: Path) -> int | None:
    """A lock on a folder, to be closed; None where another process holds it."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _put(work: Path, out: Path, *, force: bool) -> None:
    """Move the finished folder into place; an older report leaves only when the new one stands."""
    from cape_lib.report.publish.build import exchange

    check_folder(out, force=force)
    exchange(work, out)
