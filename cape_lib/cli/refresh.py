"""`cape refresh`: new and changed scores from the public sources into the tables, shown before they are written."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.errors import UsageError

if TYPE_CHECKING:
    from cape_lib.ingest.refresh import Changes
    from cape_lib.predictions import Scored

EPILOG = """\
examples:
  cape refresh --dry-run                       what would change, and which predictions it would turn
  cape refresh                                 the sources that are on, into data/
  cape refresh --only artificial-analysis      a source that needs a key of your own, from its environment variable

A cell that a person corrected (table refresh_corrected) stays. A source that is away, changed its shape or lost models
is refused by name, and nothing is written."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `cape refresh`."""
    parser.add_argument("--only", metavar="SOURCE", help="one source of the table `refresh`, also one that is off")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    parser.add_argument("--json", action="store_true", help="print the changes as JSON")


def run(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Read the sources, check the new tables as a whole, write them; what changed and what it turns."""
    from cape_lib.ingest.refresh import read_source, updated
    from cape_lib.output import write_whole
    from cape_lib.tables.files import data_dir

    changes = [read_source(source) for source in _sources(args.only)]
    with tempfile.TemporaryDirectory() as folder:
        files = updated(changes, Path(folder))
        turned = _turned(Path(folder)) if files else []
        if files and not args.dry_run:
            for name, text in files.items():
                write_whole(data_dir() / f"{name}.csv", text)
            named = ", ".join(sorted(files))
            print(f"cape refresh: wrote {named} in {data_dir()}; next: make tables", file=sys.stderr)
    lines = [*(line for change in changes for line in _lines(change)), *_turned_lines(turned)]
    return {"sources": [_plain(change) for change in changes], "predictions": turned}, lines


def _sources(only: str | None) -> list[dict[str, Any]]:
    from cape_lib.ingest.refresh import sources
    from cape_lib.names import suggest

    table = sources()
    if only is not None:
        if only not in set(table["source"]):
            raise UsageError(suggest("source", only, sorted(table["source"])))
        table = table[table["source"] == only]
    else:
        table = table[table["on"]]
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]


def _turned(folder: Path) -> list[dict[str, Any]]:
    """Predictions whose status the new tables would change: id, name, before, after.

    The papers' are scored on the independent panel, which the sources feed; those of this book as everywhere.
    """
    from cape_lib.predictions import own_predictions, score_all
    from cape_lib.tables.files import tables_in

    def scored() -> list[Scored]:
        return [*score_all(panel="independent"), *score_all(cards=own_predictions())]

    before = scored()
    with tables_in(folder):
        after = scored()
    return [
        {"id": old.card.id, "name": old.card.name, "before": old.status, "after": new.status}
        for old, new in zip(before, after, strict=True)
        if old.status != new.status
    ]


def _plain(change: Changes) -> dict[str, Any]:
    named = ("source", "table", "new", "changed", "protected", "incomplete")
    return {name: getattr(change, name) for name in named}


def _lines(change: Changes) -> list[str]:
    lines = [
        f"{change.source}: {len(change.new)} new, {len(change.changed)} changed, "
        f"{len(change.protected)} left as a person corrected them"
    ]
    lines += [f"  new      {row['model']}: {_scores(row)}" for row in change.new]
    lines += [f"  changed  {c['model']}, {c['column']}: {c['old']} -> {c['new']}" for c in change.changed]
    lines += [f"  left     {c['model']}, {c['column']}: {c['old']} (source: {c['new']})" for c in change.protected]
    lines += [
        f"  to do    {row['index_name']}: {_scores(row)}; no GPQA by one laboratory is known for this name, "
        "add its row by hand when there is one"
        for row in change.incomplete
    ]
    return lines


def _scores(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in row.items() if isinstance(value, float))


def _turned_lines(turned: list[dict[str, Any]]) -> list[str]:
    if not turned:
        return ["No prediction changes its status."]
    return [f"{t['id']} ({t['name']}): {t['before']} -> {t['after']}" for t in turned]
