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
