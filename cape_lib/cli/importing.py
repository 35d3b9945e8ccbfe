"""`cape import`: results files of lm-evaluation-harness and the Open LLM Leaderboard v1 -> scores.csv."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

from cape_lib.errors import UsageError, one_line
from cape_lib.ingest import Imported, Source, read_results, write_scores

EPILOG = """\
examples:
  cape import results/ --family MyModel -o scores.csv
  cape import 'runs/*/results_*.json' --family MyModel --params my-7b=6.9 -o scores.csv
  cape import results/ --also 'gsm8k:exact_match,strict-match' --family MyModel -o scores.csv

What is read: acc_norm of HellaSwag and ARC-Challenge; acc of WinoGrande, MMLU and TruthfulQA MC2 and MC1. MMLU is
made from its 57 subjects: mmlu is their plain mean, mmlu_weighted weighs them by questions. The newest file wins."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cape import`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("results", nargs="+", metavar="FILE|DIR|GLOB", help="results files, folders, patterns")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="CSV", help="the scores table to write")
    add_reading_options(parser)
    parser.add_argument("--family", metavar="NAME", help="family of all models in the files")
    parser.add_argument("--force", action="store_true", help="write over an existing table")
    parser.add_argument("--json", action="store_true", help="print the table and the notes as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes, no summary")


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how results files are read; `cape family` takes them too."""
    group = parser.add_argument_group("results files")
    group.add_argument(
        "--params", action="append", default=[], metavar="MODEL=N", help="parameters of a model, in billions"
    )
    group.add_argument(
        "--model", action="append", default=[], metavar="FILE=NAME", help="name of the model in a file or folder"
    )
    group.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="TASK:METRIC[=COLUMN]",
        help="a further task, such as piqa:acc_norm or gsm8k:exact_match,strict-match=gsm8k",
    )
    group.add_argument("--allow-partial", action="store_true", help="accept runs with a limit")
    group.add_argument("--allow-mixed", action="store_true", help="accept scores that were measured in different ways")


def run(args: argparse.Namespace) -> int:
    """Read, check, write; the table only ever appears whole."""
    if args.output.exists() and not args.force:
        raise UsageError(f"{args.output}: exists already; choose another name for -o, or say --force")
    read = read_by_options(args.results, args)
    from cape_lib import tables

    tables.read_scores(read.scores, allow_mixed=args.allow_mixed)
    write_scores(read.scores, args.output, force=args.force, inputs=read.files)
    if args.json:
        print(json.dumps(_as_json(read, args.output), indent=2, allow_nan=False))
    elif not args.quiet:
        tell(read)
        print(_summary(read, args.output, args.family))
    return 0


def read_by_options(results: list[str], args: argparse.Namespace) -> Imported:
    """`ingest.read_results` with the options of the command line. Raises UsageError for one that cannot be read."""
    return read_results(
        results,
        family=getattr(args, "family", None),
        params={name: _billions(number, name) for name, number in map(pair("--params", "MODEL=N"), args.params)},
        names=dict(map(pair("--model", "FILE=NAME"), args.model)),
        also=dict(map(_also, args.also)),
        allow=[kind for kind in ("partial", "mixed") if getattr(args, f"allow_{kind}")],
    )


def tell(read: Imported) -> None:
    """The notes, one a line, on stderr."""
    for note in read.notes:
        print(f"note: {one_line(note)}", file=sys.stderr)


def pair(option: str, form: str) -> Callable[[str], tuple[str, str]]:
    """A function that splits LEFT=RIGHT at the last sign. Raises UsageError where either side is empty."""

    def split(text: str) -> tuple[str, str]:
        left, sign, right = text.rpartition("=")
        if not (left and sign and right):
            raise UsageError(f"{option} {text!r}: write {option} {form}")
        return left, right

    return split


def _billions(text: str, model: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise UsageError(f"--params {model}={text}: write the parameters in billions, such as {model}=1.4")
    if number > 100_000:
        raise UsageError(f"--params {model}={text}: in billions, please: {model}={number / 1e9:g}")
    return number


def _also(text: str) -> tuple[str, Source]:
    task, sign, rest = text.partition(":")
    metric, _, column = rest.partition("=")
    if not (task and sign and metric):
        raise UsageError(f"--also {text!r}: write --also TASK:METRIC, such as piqa:acc_norm")
    return task, Source(column or task, metric)


def _as_json(read: Imported, target: Path) -> dict[str, object]:
    paths = [str(path) for path in read.files]
    rows = json.loads(read.scores.to_json(orient="records"))
    return {"output": str(target), "files": paths, "notes": list(read.notes), "scores": rows}


def _summary(read: Imported, target: Path, family: str | None) -> str:
    frame = read.scores
    benchmarks = [name for name in frame if f"{name}_stderr" in frame]
    lines = [f"{target}: {len(frame)} model(s) from {len(read.files)} file(s)"]
    lines += [f"  {name:<16} {frame[name].notna().sum()} of {len(frame)} models" for name in benchmarks]
    axes = ""
    if len(benchmarks) > 1 and not {"hellaswag", "truthfulqa"} & set(benchmarks):  # the report must be told which two
        axes = f" --x {benchmarks[0]} --y {benchmarks[1]}"
    return "\n".join([*lines, f"next: cape family {target} --name {family or 'NAME'}{axes} -o report/"])
