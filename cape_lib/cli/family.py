"""`cape family`: the chapters rerun on one's own scores, as a report that opens without a network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cape_lib.cli import importing, page_to_open, pair_of

EPILOG = """\
examples:
  cape family scores.csv --name MyModel -o report/
  cape family results/ --name MyModel --params my-7b=6.9 -o report/
  cape family scores.csv --name MyModel --x arc_challenge --y winogrande -o report/
  cape family scores.csv --name MyModel -p panel=uniform -o report/
  cape family scores.csv --name MyModel --audit -o report/
  cape family checkpoints.csv --name MyRun --axis tokens -o report/
  cape family scores.csv --name Corpora --pairs recipe -o report/

SCORES are tables (CSV, Markdown, JSON, .xlsx: model, params_b and benchmarks in percent), results files of
lm-evaluation-harness and other tools (see cape import), or folders of them. HellaSwag and TruthfulQA of three sizes
or more bring chapters 1 to 3; SWE-bench and GPQA chapters 6 and 7."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cape family`."""
    add = parser.add_argument
    add("scores", nargs="+", metavar="SCORES", help="tables, results files or folders of them")
    add("--name", required=True, help="what to call the family in the report")
    add("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the report")
    importing.add_pair_options(parser)
    named: dict[str, Any] = {"dest": "parameters", "action": "append", "default": [], "metavar": "NAME=VALUE"}
    add("-p", **named, help="a parameter of the chapters")
    add("--audit", action="store_true", help="add the audit of each chapter: every estimator and claim")
    add("--force", action="store_true", help="replace an older report in DIR")
    add("--json", action="store_true", help="print what metrics.json holds")
    add("-q", "--quiet", action="store_true", help="no notes, no progress")
    importing.add_reading_options(parser)


def run(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Read the scores, check everything, run the chapters; the page to open."""
    from cape_lib.report import family
    from cape_lib.report.family.rerun import PAGE, check_folder

    pair = pair_of(args)
    asked = dict(importing.pair("-p", "NAME=VALUE")(text) for text in args.parameters)
    check_folder(args.output, force=args.force)
    scores = importing.read_by_options(args.scores, args, pair_of=pair or ()).scores
    metrics = family.rerun(
        scores,
        args.name,
        args.output,
        pair=pair,
        asked=asked,
        pairs=args.pairs,
        audit=args.audit,
        force=args.force,
        quiet=args.quiet,
    )
    page = page_to_open(args.output / PAGE)
    if args.quiet:
        return metrics, [page]
    for note in () if args.json else metrics["notes"]:
        print(f"note: {note}", file=sys.stderr)
    return metrics, [*(part["diagnosis"]["answers"]["headline"] for part in metrics["parts"]), page]
