"""Whatever a person has - tables, results files, folders of them - as one checked table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from cape_lib import tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.ingest import files
from cape_lib.ingest.benchmarks import Source
from cape_lib.ingest.importing import read_results
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
    found = [Path(name).expanduser() for name, table in kinds.items() if table]
    results = [name for name, table in kinds.items() if not table]
    unsized = set() if options.table.axis == "params" else {"unsized"}
    parts = [tables.check_scores(path, pair=pair, options=options.table, allow_mixed=mixed) for path in found]
    read = tuple(found)
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
