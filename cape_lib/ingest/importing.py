"""Results files -> scores table -> CSV: the whole of `cape import` without its command line."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.ingest import files, harness, leaderboard, merging
from cape_lib.ingest.benchmarks import Source
from cape_lib.ingest.reading import Reading, one_line


@dataclass(frozen=True, slots=True)
class Imported:
    """`scores`: one row a model, as `tables.read_scores` accepts it; `notes`: what the person should know;
    `files`: the results files that were read."""

    scores: pd.DataFrame
    notes: tuple[str, ...]
    files: tuple[Path, ...]


def read_results(
    given: Iterable[str | Path],
    *,
    family: str | None = None,
    params: Mapping[str, float] | None = None,
    names: Mapping[str, str] | None = None,
    also: Mapping[str, Source] | None = None,
    allow: Collection[str] = (),
) -> Imported:
    """The scores in results files of lm-evaluation-harness 0.3 and 0.4 and of the Open LLM Leaderboard v1.

    given: files, folders (searched to the bottom) and patterns; family: name for all models; params: model ->
    billions of parameters, before what a file states; names: file, folder or pattern -> model name, before what the
    file says; also: further tasks -> column and metric; allow: "partial" (runs with a limit), "mixed" (protocols).
    Raises ScoresError (a file that cannot be read), MissingError (no parameter count), MixedProtocolError,
    UsageError (a name that matches nothing).
    """
    paths, notes = files.find(given)
    names, also, wrong = dict(names or {}), dict(also or {}), 0
    used: set[str] = set()
    others: dict[str, None] = {}
    read: list[Path] = []
    readings: list[Reading] = []
    for path, named in paths:
        document = files.read_json(path)
        if not files.is_results(document):
            if named:
                raise ScoresError(f'{path}: JSON, but no results of lm-evaluation-harness (no "results" with tasks)')
            wrong += 1
            continue
        found, left, remarks = _one_file(document, path, names, also, used)
        if why := next((reading.run.partial for reading in found if reading.run.partial), ""):
            if "partial" not in allow:
                raise ScoresError(f"{path}: a partial run ({why}); run it without --limit, or say --allow-partial")
            notes.append(f"{found[0].run.model}: partial run ({why}), allowed")
        read.append(path)
        readings += found
        others |= dict.fromkeys(left)
        notes += remarks
    if wrong:
        notes.append(f"passed over {wrong} JSON file(s) that hold no results")
    if not readings:
        where = ", ".join(str(name) for name in given)
        raise ScoresError(f"{where}: {files.nothing_here() if not read else _no_benchmark(others)}")
    if unused := sorted({*names} - used):
        raise UsageError(f"--model: no results file matches {unused[0]!r}; name the file, its folder or a pattern")
    left = [task for task in others if task not in also]
    if left:
        notes.append(f"tasks not read: {_some(left)} (--also TASK:METRIC reads one more)")
    frame, more = _assemble(readings, family=family, params=params or {}, allow=allow)
    return Imported(frame, (*notes, *more), tuple(read))


def _one_file(
    document: dict[str, Any], path: Path, names: Mapping[str, str], also: dict[str, Source], used: set[str]
) -> tuple[list[Reading], list[str], list[str]]:
    kind = leaderboard if leaderboard.is_leaderboard(document) else harness
    about = kind.run(document, path)
    for pattern, name in names.items():
        if fnmatch(str(path), pattern) or Path(pattern) in (path, *path.parents):
            about = about.named(name)
            used.add(pattern)
    found = list(kind.readings(document, about, also))
    if found and not about.model:
        raise ScoresError(f"{path}: the file names no model (model_name, config.model_args); say --model {path}=NAME")
    remarks = []
    if kind is leaderboard and leaderboard.discarded(document):
        remarks.append(f"{path.name}: MMLU left out, task version 0 was discarded by the leaderboard itself")
    return found, kind.others(document), remarks


def _assemble(
    readings: list[Reading], *, family: str | None, params: Mapping[str, float], allow: Collection[str]
) -> tuple[pd.DataFrame, list[str]]:
    groups = merging.by_model(readings)
    sizes = merging.sizes(groups, params)
    notes: list[str] = []
    rows = {}
    for model, group in groups.items():
        kept, replaced = merging.newest(group)
        rows[model], remarks = merging.scores(kept, allow_mixed="mixed" in allow)
        notes += replaced + remarks
    frame = merging.table({model: row for model, row in rows.items() if row}, sizes, family)
    if frame.empty:
        raise ScoresError(f"no whole benchmark in the files; {notes[-1] if notes else 'run the tasks to the end'}")
    if "mixed" not in allow:
        merging.refuse_mixed(frame)
    return frame, notes


def _no_benchmark(others: Iterable[str]) -> str:
    held = _some(list(others))
    if not held:
        return "the files hold only groups such as truthfulqa, which are never read; run --tasks truthfulqa_mc2"
    return f"none of the benchmarks is in the files (they hold {held}); see --also"


def _some(names: list[str], most: int = 6) -> str:
    return one_line(", ".join(names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def write_scores(frame: pd.DataFrame, target: Path, *, force: bool = False, inputs: Collection[Path] = ()) -> None:
    """Write a scores table as CSV in one move, so that an interrupt leaves the old file or the new one.

    Raises UsageError where `target` exists (unless `force`) or is one of `inputs`, SurroundingsError where the
    folder cannot hold it.
    """
    target = Path(target)
    if target.is_dir():
        raise UsageError(f"{target}: a folder; name a file, such as {target / 'scores.csv'}")
    if any(target.resolve() == Path(path).resolve() for path in inputs):
        raise UsageError(f"{target}: this is one of the files to read; choose another name for -o")
    if target.exists() and not force:
        raise UsageError(f"{target}: exists already; choose another name for -o, or say --force")
    if not target.parent.is_dir():
        raise SurroundingsError(f"{target.parent}: no such folder; make it first, or choose another place")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            frame.to_csv(stream, index=False, lineterminator="\n")
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
