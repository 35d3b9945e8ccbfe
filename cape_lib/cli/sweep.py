"""`cape sweep`: every family of a table, diagnosed on many processes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.cli import importing, page_to_open, pair_of, progress
from cape_lib.errors import UsageError
from cape_lib.output import print_json

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.tables import Scores

EPILOG = """\
examples:
  cape sweep scores.csv -o out/
  cape sweep --panel uniform -o out/                       the 47 families of the uniform panel
  cape sweep checkpoints.csv --axis tokens -o out/         every run of a table of checkpoints
  cape sweep scores.csv --report -o out/                   a full report of each family too
  cape sweep scores.csv --scheduler tcp://host:8786 -o out/

Stopped in the middle, the same command goes on where it was: finished families are not run again."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cape sweep`."""
    add = parser.add_argument
    add("scores", nargs="*", metavar="SCORES", help="tables, results files or folders of them")
    add("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the answers")
    add("--panel", metavar="NAME", help="sweep a panel of the book in place of SCORES")
    importing.add_pair_options(parser, pairs=False)
    add("--report", action="store_true", help="the chapters' report of each family too")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--scheduler", metavar="ADDRESS", help="a dask scheduler that runs, such as tcp://host:8786")
    place.add_argument("--workers", type=int, metavar="N", help="most local processes, where they pay (default: 8)")
    add("--json", action="store_true", help="print what sweep.json holds")
    add("-q", "--quiet", action="store_true", help="no notes, no progress")
    importing.add_reading_options(parser)


def run(args: argparse.Namespace) -> int:
    """Diagnose all families, print the page to open; exit 1 only if a family failed by a bug."""
    from cape_lib.report import sweep

    pair = pair_of(args)
    todo = sweep.tasks(_scores(args, pair), by=_by(args), pair=pair, report=args.report)
    try:
        where = {"scheduler": args.scheduler, "workers": args.workers}
        whole = sweep.sweep(todo, args.output, **where, tell=progress(args.quiet))
    except KeyboardInterrupt:
        if not args.quiet:
            print("\nfinished families are kept; the same command goes on from here", file=sys.stderr)
        raise
    if args.json:
        print_json(whole)
    else:
        _tell(whole, args)
    return 1 if whole["failed"] else 0


def _by(args: argparse.Namespace) -> str:
    """Columns that make a family: of a panel here; a table was split while it was read."""
    return args.by or "family" if args.panel is not None else "family"


def _scores(args: argparse.Namespace, pair: tuple[str, str] | None) -> Scores | pd.DataFrame:
    if (args.panel is None) == (not args.scores):
        raise UsageError("name a table of scores, or a panel of the book by --panel, not both")
    if args.panel is not None:
        return _panel(args.panel, args.axis)
    scores = importing.read_by_options(args.scores, args, pair_of=pair or ()).scores
    if not args.quiet:
        importing.tell(scores)
    return scores


def _panel(name: str, axis: str) -> Scores | pd.DataFrame:
    """A panel of the book; along another axis than size its rows that have a place there."""
    from cape_lib import tables
    from cape_lib.tables.axes import axis_named

    panel, along = tables.base(name), axis_named(axis)
    if along.by_size:
        return panel
    wanted = {"date": ["release_date"], "tokens": ["tokens_b", "pretrain_tokens_b"]}.get(along.name, [along.column])
    there = [column for column in wanted if column in panel]
    known = panel.dropna(subset=there, how="all") if there else panel
    return tables.check_scores(known, options=tables.TableOptions(axis=axis), allow_mixed=True)


def _tell(whole: dict[str, Any], args: argparse.Namespace) -> None:
    if not args.quiet:
        earlier = f", {whole['kept']} of them from before" if whole["kept"] else ""
        print(
            f"{whole['families']} families{earlier}: {whole['done']} done, {whole['refused']} with too little to answer"
        )
    for answer in whole["answers"]:
        if answer["state"] == "failed":
            print(f"failed: {answer['family']}: {answer['why']}", file=sys.stderr)
    print(page_to_open(args.output / "index.html"))
