"""Results files -> scores table -> CSV: the whole of `cape import` without its command line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.ingest import files, merging
from cape_lib.ingest.benchmarks import Source
from cape_lib.ingest.readers import reader_of
from cape_lib.ingest.reading import Contents, Reader, Reading, one_line
from cape_lib.names import suggest
from cape_lib.output import whole
from cape_lib.tables.score_checks import refuse_mixed


@dataclass(frozen=True, slots=True)
class Imported:
    """`scores`: one row a model, as `tables.read_scores` accepts it; `notes`: what the person should know;
    `files`: the results files that were read."""

    scores: pd.DataFrame
    notes: tuple[str, ...]
    files: tuple[Path, ...]


def read_results(
    sources: Iterable[str | Path],
    *,
    family: str | None = None,
    params: Mapping[str, float] | None = None,
    names: Mapping[str, str] | None = None,
    also: Mapping[str, Source] | None = None,
    allow: Collection[str] = (),
) -> Imported:
    """The scores in results files of the tools in `readers.READERS`.

    sources: files, folders (searched to the bottom) and patterns; family: name for all models; params: model ->
    billions of parameters, before what a file states; names: file, folder or pattern -> model name, before what the
    file says; also: further tasks -> column and metric; allow: "partial" (runs with a limit), "mixed" (protocols),
    "families" (whoever asks compares the rows of each family), "unsized" (models whose size is not known).
    Raises ScoresError (a file that cannot be read), MissingError (no parameter count), MixedProtocolError,
    UsageError (a name that matches nothing).
    """
    given = list(sources)
    paths, notes = files.find(given)
    names, also = dict(names or {}), dict(also or {})
    used: set[str] = set()
    others: dict[str, None] = {}
    read: list[Path] = []
    tools: dict[str, int] = {}
    readings: list[Reading] = []
    passed: list[Path] = []
    for path, named in paths:
        reader, contents = _contents(path, named, also)
        if reader is None:
            passed.append(path)
            continue
        found = _named(contents, path, names, used)
        if why := next((reading.run.partial for reading in found if reading.run.partial), ""):
            if "partial" not in allow:
                raise ScoresError(f"{path}: a partial run ({why}); run it without --limit, or say --allow-partial")
            notes.append(f"{found[0].run.model}: partial run ({why}), allowed")
        read.append(path)
        tools[reader.NAME] = tools.get(reader.NAME, 0) + 1
        readings += found
        others |= dict.fromkeys(contents.others)
        notes += contents.notes
    notes += _passed(passed)
    if not readings:
        where = ", ".join(str(name) for name in given)
        raise ScoresError(f"{where}: {files.nothing_here() if not read else _no_benchmark(others)}")
    if unused := sorted({*names} - used):
        raise UsageError(f"--model: no results file matches {unused[0]!r}; name the file, its folder or a pattern")
    held = {reading.task for reading in readings} | set(others)
    if lacking := [task for task in also if task not in held]:
        raise UsageError(f"--also: {suggest('task', lacking[0], sorted(held))}")
    left = [task for task in others if task not in also]
    if left:
        notes.append(f"tasks not read: {_some(left)} (--also TASK:METRIC reads one more)")
    notes.append("read from " + ", ".join(f"{count} file(s) of {tool}" for tool, count in tools.items()))
    frame, more = _assemble(readings, family=family, params=params or {}, allow=allow)
    return Imported(frame, tuple(dict.fromkeys((*notes, *more))), tuple(read))


def _contents(path: Path, named: bool, also: Mapping[str, Source]) -> tuple[Reader | None, Contents]:
    """The reader of a file and what it holds; None where a folder holds something else."""
    try:
        document = files.opened(path)
    except ScoresError as problem:
        if not named and any(words in str(problem) for words in ("Git LFS", "HTML page", "too large", "no zip")):
            return None, Contents()
        raise
    reader = reader_of(document, path)
    if reader is None and named:
        raise files.refusal(document, path)
    return reader, reader.read(document, path, also) if reader else Contents()


def _passed(paths: list[Path]) -> list[str]:
    if not paths:
        return []
    pointers = 0
    for path in paths:
        with path.open("rb") as stream:
            pointers += stream.read(24).startswith(b"version https://git-lfs")
    told = [f"passed over {len(paths) - pointers} file(s) that hold no results"] if len(paths) > pointers else []
    return told + ([f"passed over {pointers} Git LFS pointer(s); fetch the files by: git lfs pull"] if pointers else [])


def _named(contents: Contents, path: Path, names: Mapping[str, str], used: set[str]) -> list[Reading]:
    """The readings under the names that the person chose; ScoresError where a model has none."""
    found = contents.readings
    for pattern, name in names.items():
        if fnmatch(str(path), pattern) or Path(pattern) in (path, *path.parents):
            found = [replace(reading, run=reading.run.named(name)) for reading in found]
            used.add(pattern)
    if any(not reading.run.model for reading in found):
        raise ScoresError(f"{path}: the file names no model (model_name, config.model_args); say --model {path}=NAME")
    return found


def _assemble(
    readings: list[Reading], *, family: str | None, params: Mapping[str, float], allow: Collection[str]
) -> tuple[pd.DataFrame, list[str]]:
    readings = merging.by_revision(readings)
    groups = merging.by_model(readings)
    sizes, notes = merging.sizes(groups, params, needed="unsized" not in allow)
    groups, chosen = merging.one_protocol(groups)
    notes += chosen
    rows = {}
    for model, group in groups.items():
        kept, replaced = merging.newest(group)
        rows[model], remarks = merging.scores(kept, allow_mixed="mixed" in allow)
        notes += replaced + remarks
    frame = merging.table({model: row for model, row in rows.items() if row}, sizes, family)
    if frame.empty:
        raise ScoresError(f"no whole benchmark in the files; {notes[-1] if notes else 'run the tasks to the end'}")
    if not {"mixed", "families"} & set(allow):
        benchmarks = [str(name) for name in frame if f"{name}_protocol" in frame]
        refuse_mixed(frame, benchmarks, name=str(readings[0].run.path.parent))
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
    with whole(target) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")
