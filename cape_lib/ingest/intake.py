"""Whatever a person has - tables, results files, folders of them - as one checked table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.ingest import files, merging
from cape_lib.ingest.readers import Reader, Source, Task, one_line, reader_of
from cape_lib.ingest.readers import readings as readings_of
from cape_lib.names import suggest
from cape_lib.output import whole
from cape_lib.tables import Scores, TableOptions
from cape_lib.tables.sheets import read_sheet


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say of results files and tables.

    params: model -> billions; names: file -> model; also: task -> column and metric; family: of all models in results
    files; allow: "partial", "mixed"; table: what may be said of a table.
    """

    params: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, Source] = field(default_factory=dict)
    family: str | None = None
    allow: frozenset[str] = frozenset()
    table: TableOptions = field(default_factory=TableOptions)


@dataclass(frozen=True, slots=True)
class Intake:
    """The checked table and the files that it came from."""

    scores: Scores
    files: tuple[Path, ...]


def read_any(sources: Sequence[str], options: Options | None = None, *, pair: Sequence[str] = ()) -> Intake:
    """One checked table out of tables, results files, folders and patterns.

    pair: the two benchmarks that the question is about. Raises ScoresError, MissingError, UsageError,
    SurroundingsError (a package that reads the file is missing).
    """
    options = options or Options()
    mixed = "mixed" in options.allow
    kinds = {name: files.is_table(name) for name in sources}
    paths = [Path(name).expanduser() for name, table in kinds.items() if table]
    results = [name for name, table in kinds.items() if not table]
    unsized = set() if options.table.axis == "params" else {"unsized"}
    parts = [tables.check_scores(path, pair=pair, options=options.table, allow_mixed=mixed) for path in paths]
    read = tuple(paths)
    if results:
        imported = read_results(
            results,
            family=options.family,
            params=options.params,
            names=options.names,
            also=options.also,
            allow={*options.allow, *unsized, "families"},
        )
        stated = replace(options.table, unit="percent", sep=None)
        checked = tables.check_scores(
            read_sheet(imported.scores, name=", ".join(results)), options=stated, allow_mixed=mixed
        )
        parts.append(checked.of(checked.frame, *imported.notes))
        read += imported.files
    elif unused := [name for name in ("params", "names", "also") if getattr(options, name)]:
        option = {"params": "--params", "names": "--model", "also": "--also"}[unused[0]]
        raise UsageError(f"{option}: for results files only; edit the table instead")
    return Intake(_together(parts), read)


def _together(parts: list[Scores]) -> Scores:
    """Several checked tables as one. Raises ScoresError where a model stands in two of them, alike but for scores."""
    if len(parts) == 1:
        return parts[0]
    frame = pd.concat([part.frame.assign(**{"_from": part.name}) for part in parts], ignore_index=True)
    first = parts[0]
    usual = ("family", "model", "params_b", "seed", "recipe", "step", "pretrain_tokens_b")
    keys = [name for name in dict.fromkeys((*usual, first.axis.column)) if name in frame]
    twice = frame[keys].astype(str).duplicated(keep=False)
    if twice.any():
        model = frame.loc[twice, "model"].iloc[0]
        one, other = frame.loc[twice & (frame["model"] == model), "_from"].iloc[:2]
        raise ScoresError(f"{other}: {model} stands in {one} too; keep one of the two rows")
    notes = tuple(note for part in parts for note in part.notes)
    names = ", ".join(part.name for part in parts)
    known = any(part.has_families for part in parts)
    axis = next((part.axis for part in parts if part.axis.scale == "linear"), first.axis)
    whole = frame.drop(columns="_from")
    return replace(first, frame=whole, notes=notes, name=names, has_families=known, axis=axis)


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
    """The scores in results files of the tools of `readers`.

    sources: files, folders (searched to the bottom) and patterns; family: name for all models; params: model ->
    billions of parameters, before what a file states; names: file, folder or pattern -> model name, before what the
    file says; also: further tasks -> column and metric; allow: "partial" (runs with a limit), "mixed" (protocols),
    "families" (whoever asks compares the rows of each family), "unsized" (models whose size is not known).
    Raises ScoresError (a file that cannot be read), MissingError (no parameter count), MixedProtocolError,
    UsageError (a name that matches nothing).
    """
    places = list(sources)
    paths, notes = files.find(places)
    names, also = dict(names or {}), dict(also or {})
    used: set[str] = set()
    others: dict[str, None] = {}
    read: list[Path] = []
    tools: Counter[str] = Counter()
    readings: list[dict[str, Any]] = []
    passed = {"file(s) that hold no results": 0, "Git LFS pointer(s); fetch the files by: git lfs pull": 0}
    for path, named in paths:
        documents, reader = _documents(path, named)
        if reader is None:
            with path.open("rb") as stream:
                passed[list(passed)[stream.read(24).startswith(b"version https://git-lfs")]] += 1
            continue
        items = [item for document in documents for item in reader.tasks(document, path)]
        tasks = [item for item in items if isinstance(item, Task)]
        here = [reading for task in tasks for reading in readings_of(task, also)]
        for pattern, name in names.items():
            if fnmatch(str(path), pattern) or Path(pattern) in (path, *path.parents):
                here = [reading | {"model": name, "identity": ()} for reading in here]
                used.add(pattern)
        if any(not reading["model"] for reading in here):
            reason = "the file names no model (model_name, config.model_args)"
            raise ScoresError(f"{path}: {reason}; say --model {path}=NAME")
        if why := next((reading["partial"] for reading in here if reading["partial"]), ""):
            if "partial" not in allow:
                raise ScoresError(f"{path}: a partial run ({why}); run it without --limit, or say --allow-partial")
            notes.append(f"{here[0]['model']}: partial run ({why}), allowed")
        read.append(path)
        tools[reader.name] += 1
        readings += here
        others |= dict.fromkeys(task.name for task in tasks if not (task.known or task.group))
        notes += [item for item in items if isinstance(item, str)]
    notes += [f"passed over {count} {what}" for what, count in passed.items() if count]
    if not readings:
        where = ", ".join(str(name) for name in places)
        raise ScoresError(f"{where}: {files.nothing_here() if not read else _no_benchmark(others, tools)}")
    if unused := sorted({*names} - used):
        raise UsageError(f"--model: no results file matches {unused[0]!r}; name the file, its folder or a pattern")
    held = {reading["task"] for reading in readings} | set(others)
    if lacking := [task for task in also if task not in held]:
        raise UsageError(f"--also: {suggest('task', lacking[0], sorted(held))}")
    left = [task for task in others if task not in also]
    if left:
        notes.append(f"tasks not read: {_some(left)} (--also TASK:METRIC reads one more)")
    notes.append("read from " + ", ".join(f"{count} file(s) of {tool}" for tool, count in tools.items()))
    frame, more = merging.one_row_a_model(readings, family=family, params=params or {}, allow=allow)
    return Imported(frame, tuple(dict.fromkeys((*notes, *more))), tuple(read))


def _documents(path: Path, named: bool) -> tuple[list[Any], Reader | None]:
    """The documents in a file and their reader; None where a folder holds something else."""
    try:
        value = files.opened(path)
    except ScoresError as problem:
        if not named and any(words in str(problem) for words in ("Git LFS", "HTML page", "too large", "no zip")):
            return [], None
        raise
    documents = files.documents(value)
    reader = reader_of(documents[0])
    if reader is None and named:
        raise files.refusal(value, path)
    return documents, reader


def _no_benchmark(others: Iterable[str], tools: Collection[str]) -> str:
    held = _some(list(others))
    if not held and "lm-evaluation-harness" not in tools:
        return "no benchmark has a score in the files; run the tasks to the end"
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
