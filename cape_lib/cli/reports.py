"""`cape book`, `family` and `sweep`: chapters executed, as a book or as reports that open without a network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cape_lib.cli import importing, page_to_open, pair_of, progress
from cape_lib.errors import UsageError
from cape_lib.report import need_book

if TYPE_CHECKING:
    import pandas as pd

    from cape_lib.tables import Scores


def run_book(args: argparse.Namespace) -> None:
    """Build the book and print the path of the page to open."""
    if not 1 <= args.jobs <= 64:
        raise UsageError(f"--jobs {args.jobs}: choose a number from 1 to 64")
    need_book("the book", "jupyter_book")
    from cape_lib.report import publish

    print(page_to_open(publish.book(args.output, jobs=args.jobs, fresh=args.fresh, quiet=args.quiet)))


def run_family(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Read the scores, check everything, run the chapters; the page to open."""
    from cape_lib.report import family

    pair = pair_of(args)
    asked = dict(importing.pair("-p", "NAME=VALUE")(text) for text in args.parameters)
    family.check_folder(args.output, force=args.force)
    scores = importing.read_by_options(args.scores, args, pair_of=pair or ()).scores
    same = {name: getattr(args, name) for name in ("pairs", "audit", "force", "quiet")}
    metrics = family.rerun(scores, args.name, args.output, pair=pair, asked=asked, **same)
    page = page_to_open(args.output / family.PAGE)
    if args.quiet:
        return metrics, [page]
    for note in () if args.json else metrics["notes"]:
        print(f"note: {note}", file=sys.stderr)
    return metrics, [*(part["diagnosis"]["answers"]["headline"] for part in metrics["parts"]), page]


def run_sweep(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str], int]:
    """Diagnose all families; the page to open; exit 1 only if a family failed by a bug."""
    from cape_lib.report import sweep

    pair = pair_of(args)
    if (args.panel is None) == (not args.scores):
        raise UsageError("name a table of scores, or a panel of the book by --panel, not both")
    scores: Scores | pd.DataFrame
    by = "family"  # a table is split while it is read
    if args.panel is not None:
        scores, by = _panel(args.panel, args.axis), args.by or by
    else:
        scores = importing.read_by_options(args.scores, args, pair_of=pair or ()).scores
        if not args.quiet:
            importing.tell(scores)
    todo = sweep.tasks(scores, by=by, pair=pair, report=args.report)
    where = {"scheduler": args.scheduler, "workers": args.workers}
    try:
        whole = sweep.sweep(todo, args.output, **where, tell=progress(args.quiet))
    except KeyboardInterrupt:
        if not args.quiet:
            print("\nfinished families are kept; the same command goes on from here", file=sys.stderr)
        raise

    def lines() -> Iterator[str]:
        if not args.quiet:
            earlier = f", {whole['kept']} of them from before" if whole["kept"] else ""
            states = f"{whole['done']} done, {whole['refused']} with too little to answer"
            yield f"{whole['families']} families{earlier}: {states}"
        for answer in whole["answers"]:
            if answer["state"] == "failed":
                print(f"failed: {answer['family']}: {answer['why']}", file=sys.stderr)
        yield page_to_open(args.output / "index.html")

    return whole, lines(), 1 if whole["failed"] else 0


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
