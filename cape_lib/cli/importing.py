"""`cape import`: results files of many tools, and tables of any kind -> scores.csv."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.errors import UsageError, one_line
from cape_lib.ingest import Intake, Options, Source, read_any, write_scores
from cape_lib.tables import Scores, TableOptions, refuse_unnamed, score_benchmarks
from cape_lib.tables.axes import axis_named, of_rows
from cape_lib.tables.benchmarks import PAIRS
from cape_lib.tables.columns import to_size
from cape_lib.tables.scores import refuse_mixed

if TYPE_CHECKING:
    import pandas as pd

EPILOG = {
    "import": """\
examples:
  cape import results/ --family MyModel -o scores.csv
  cape import 'runs/*/results_*.json' --family MyModel --params my-7b=6.9 -o scores.csv
  cape import results/ --also 'gsm8k:exact_match,strict-match' --family MyModel -o scores.csv
  cape import checkpoints/ --axis tokens --batch-tokens 2M -o scores.csv

What is read: lm-evaluation-harness, Open LLM Leaderboard v1 and v2, lighteval, olmes, OpenCompass, HELM, Inspect, LLM
Foundry, every eval ever; CSV, TSV, Markdown, JSON, .xlsx and .parquet tables. Of the harness: acc_norm of HellaSwag
and ARC-Challenge; acc of WinoGrande, MMLU and TruthfulQA MC2 and MC1. MMLU is made from its 57 subjects: mmlu is their
plain mean, mmlu_weighted weighs them by questions. Of several protocols the one that most models share is read; then
the newest file wins."""
}


def options_import(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cape import`."""
    add = parser.add_argument
    add("results", nargs="+", metavar="FILE|DIR|GLOB", help="results files, tables, folders, patterns")
    add("-o", "--output", required=True, type=Path, metavar="CSV", help="the scores table to write")
    add_reading_options(parser)
    add("--family", metavar="NAME", help="family of all models in the files")
    add("--force", action="store_true", help="write over an existing table")
    add("--json", action="store_true", help="print the table and the notes as JSON")
    add("-q", "--quiet", action="store_true", help="no notes, no summary")


def add_pair_options(parser: argparse.ArgumentParser, *, pairs: bool = True) -> None:
    """`--x`, `--y` and, with `pairs`, `--pairs`: what is compared with what."""
    add = parser.add_argument
    add("--x", metavar="BENCHMARK", help="the reasoning score of a pair of your own (default hellaswag)")
    add("--y", metavar="BENCHMARK", help="the truthfulness score of a pair of your own (default truthfulqa)")
    if pairs:
        what = "compare models of one size that differ in it: instruct, recipe, seed ..."
        add("--pairs", metavar="COLUMN", help=what)


def add_reading_options(parser: argparse.ArgumentParser, *, sized: bool = True) -> None:
    """The options that say how results files and tables are read; `family`, `sweep` and `diagnose` take them too.

    sized: add `--size`, which `diagnose` has already.
    """
    add = parser.add_argument_group("results files").add_argument
    several: dict[str, Any] = {"action": "append", "default": []}
    further = "a further task, such as piqa:acc_norm or gsm8k:exact_match,strict-match=gsm8k"
    add("--params", **several, metavar="MODEL=N", help="parameters of a model, in billions")
    add("--model", **several, metavar="FILE=NAME", help="name of the model in a file or folder")
    add("--also", **several, metavar="TASK:METRIC[=COLUMN]", help=further)
    add("--allow-partial", action="store_true", help="accept runs with a limit")
    add("--allow-mixed", action="store_true", help="accept scores that were measured in different ways")
    add = parser.add_argument_group("tables").add_argument
    along = "what the rows go along: params (default), tokens, flops, step, d_model, date or a column of numbers"
    add("--unit", choices=("percent", "fraction"), help="of scores that could be either")
    add("--by", metavar="COLUMN[,COLUMN]", help="what makes a family (default: the column family)")
    add("--family-from", metavar="REGEX", help="the part of a model's name that is its family")
    add("--sep", metavar="SIGN", help="between columns, where it cannot be told: a sign, tab, space")
    add("--axis", default="params", metavar="AXIS", help=along)
    add("--batch-tokens", metavar="N", help="training tokens of one step: tokens = step x N")
    if sized:
        add("--size", choices=("total", "active"), help="which parameters are the size (default total)")


def run_import(args: argparse.Namespace) -> tuple[dict[str, Any], Iterator[str]]:
    """Read, check, write; the table only ever appears whole."""
    if args.output.exists() and not args.force:
        raise UsageError(f"{args.output}: exists already; choose another name for -o, or say --force")
    read = read_by_options(args.results, args)
    scores = read.scores
    if args.family is not None and not scores.has_families:  # every unnamed model is of this one
        refuse_unnamed(scores, choose=False)
        scores = replace(scores, frame=scores.frame.assign(family=args.family), has_families=True)
    if not args.allow_mixed:
        for _, rows in scores.frame.groupby("family", sort=False):
            benchmarks = [str(name) for name in rows if f"{name}_protocol" in rows]
            refuse_mixed(rows, benchmarks, name=scores.name, kinds=bool(rows["params_b"].notna().any()))
    frame = scores.frame if scores.has_families else scores.frame.drop(columns="family")
    frame = frame.drop(columns="day", errors="ignore")  # of release_date, which stands there
    write_scores(frame, args.output, force=args.force, inputs=read.files)

    def lines() -> Iterator[str]:
        if not args.quiet:
            tell(scores)
            yield from _summary(scores, frame, len(read.files), args.output)

    rows = json.loads(frame.to_json(orient="records"))
    files = list(map(str, read.files))
    return {"output": str(args.output), "files": files, "notes": list(scores.notes), "scores": rows}, lines()


def read_by_options(sources: list[str], args: argparse.Namespace, *, pair_of: Sequence[str] = ()) -> Intake:
    """`ingest.read_any` with the options of the command line. Raises UsageError for one that cannot be read.

    pair_of: the two benchmarks that the question is about.
    """
    if args.batch_tokens is not None and axis_named(args.axis).name not in ("tokens", "flops"):
        raise UsageError("--batch-tokens: for --axis tokens or flops, which it makes of steps")
    options = Options(
        params={name: _billions(number, name) for name, number in map(pair("--params", "MODEL=N"), args.params)},
        names=dict(map(pair("--model", "FILE=NAME"), args.model)),
        also=dict(map(_also, args.also)),
        allow=frozenset(kind for kind in ("partial", "mixed") if getattr(args, f"allow_{kind}")),
        table=TableOptions(
            unit=args.unit,
            size=getattr(args, "size", None) or "total",
            sep=args.sep,
            by=tuple(part.strip() for part in (args.by or "").split(",") if part.strip()),
            family_from=args.family_from,
            axis=args.axis,
            batch_tokens=_tokens(args.batch_tokens),
        ),
    )
    return read_any(sources, options, pair=pair_of)


def tell(scores: Scores) -> None:
    """The notes, one a line, on stderr."""
    for note in scores.notes:
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


def _tokens(text: str | None) -> float | None:
    """A number of tokens: "2097152", "2M", "0.5M"; UsageError for anything else."""
    if text is None:
        return None
    billions = to_size(text.strip(), decimal_comma=False, scale=1e-9)
    if billions is None or not (math.isfinite(billions) and billions > 0):
        raise UsageError(f"--batch-tokens {text}: give the training tokens of one step, such as 2097152 or 2M")
    return billions * 1e9


def _also(text: str) -> tuple[str, Source]:
    rest, _, column = text.partition("=")
    task, sign, metric = rest.rpartition(":")  # a task may have a colon, a metric has none
    if not (task and sign and metric):
        raise UsageError(f"--also {text!r}: write --also TASK:METRIC, such as piqa:acc_norm")
    return task, Source(column or task, metric)


def _summary(scores: Scores, frame: pd.DataFrame, files: int, output: Path) -> Iterator[str]:
    """What the table holds, and the command that comes next."""
    benchmarks, target = score_benchmarks(frame), shlex.quote(str(output))
    yield f"{output}: {len(frame)} model(s) from {files} file(s)"
    for name in benchmarks:
        yield f"  {name:<16} {frame[name].notna().sum()} of {len(frame)} models"
    families = list(dict.fromkeys(scores.frame["family"]))
    option = "" if scores.axis.by_size else f" --axis {shlex.quote(scores.axis.name)}"
    if scores.has_families and len(families) > 1:
        yield f"next: cape sweep {target}{option} -o sweep/"
        return
    report = f"cape family {target} --name {shlex.quote(families[0] if scores.has_families else 'NAME')}"
    along = of_rows(scores.axis, scores.frame)
    places = scores.frame[along.column].dropna().nunique()
    if 0 < places < 3 and scores.axis.by_size and "step" in scores.frame and scores.frame["step"].nunique() > 2:
        yield f"next, along training: {report} --axis step -o report/"
    elif 0 < places < 3:
        yield f"a report needs three {along.points}; here {'is' if places == 1 else 'are'} {places}"
    else:
        axes = ""
        if len(benchmarks) > 1 and not any(set(two) <= set(benchmarks) for two in PAIRS):  # the report is told which
            x, y = ("bbh", "ifeval") if {"bbh", "ifeval"} <= set(benchmarks) else benchmarks[:2]
            axes = f" --x {shlex.quote(x)} --y {shlex.quote(y)}"
        yield f"next: {report}{option}{axes} -o report/"
