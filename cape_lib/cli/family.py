"""`cape family`: the chapters rerun on one's own scores, as a report that opens without a network."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from cape_lib.cli import importing
from cape_lib.errors import UsageError

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
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("scores", nargs="+", metavar="SCORES", help="tables, results files or folders of them")
    parser.add_argument("--name", required=True, help="what to call the family in the report")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the report")
    parser.add_argument("--x", metavar="BENCHMARK", help="the reasoning score of a pair of your own")
    parser.add_argument("--y", metavar="BENCHMARK", help="the truthfulness score of a pair of your own")
    parser.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the chapters"
    )
    parser.add_argument(
        "--pairs", metavar="COLUMN", help="compare models of one size that differ in it: instruct, recipe, seed ..."
    )
    parser.add_argument("--audit", action="store_true", help="add the audit of each chapter: every estimator and claim")
    parser.add_argument("--force", action="store_true", help="replace an older report in DIR")
    parser.add_argument("--json", action="store_true", help="print what metrics.json holds")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes, no progress")
    importing.add_reading_options(parser)


def run(args: argparse.Namespace) -> int:
    """Read the scores, check everything, run the chapters, print the page to open."""
    from cape_lib.report import family
    from cape_lib.report.family.rerun import PAGE, check_folder

    if (args.x is None) != (args.y is None):
        raise UsageError(f"--x and --y go together; say --{'y' if args.y is None else 'x'} too")
    asked = dict(importing.pair("-p", "NAME=VALUE")(text) for text in args.parameters)
    check_folder(args.output, force=args.force)
    pair = () if args.x is None else (args.x, args.y)
    scores = importing.read_by_options(args.scores, args, pair_of=pair).scores
    settings = family.Settings(
        pair=pair or None,
        parameters=asked,
        force=args.force,
        quiet=args.quiet,
        audit=args.audit,
        pairs=args.pairs,
    )
    metrics = family.rerun(scores, args.name, args.output, settings)
    if args.json:
        print(json.dumps(metrics, indent=1, allow_nan=False))
        return 0
    if not args.quiet:
        for note in metrics["notes"]:
            print(f"note: {note}", file=sys.stderr)
        for part in metrics["parts"]:
            print(part["diagnosis"]["answers"]["headline"])
    page = (args.output / PAGE).resolve()
    print(os.path.relpath(page) if page.is_relative_to(Path.cwd()) else page)
    return 0
