"""`python -m experiments.testbed`: make, score and remake the small models of the book, and their tables."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

from cape_lib.cli import progress
from cape_lib.errors import CapeError, UsageError
from cape_lib.lm import testbed
from cape_lib.lm.texts import writable_file
from experiments.testbed import prompts, recipes, tables, training, worlds
from experiments.testbed.training import made_folder
from experiments.testbed.worlds import Recipe, vocabulary

HARNESS = """\
then, in an environment with lm_eval, and back in this one:
  lm_eval --model hf --model_args pretrained=data/testbed/D-d16-s1,tokenizer=data/testbed/tokenizer-D,dtype=float32 \\
      --tasks testbed_truth,testbed_story --include_path tasks --output_path results
  cape import results --family Made --also testbed_story:acc --also testbed_truth:acc -o scores.csv
  cape family scores.csv --name Made --x testbed_story --y testbed_truth -o report/"""


_TASK = """\
task: testbed_{name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{gold}}}}"
target_delimiter: " "
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1
"""


def write_tasks(recipe: Recipe, folder: Path) -> list[Path]:
    """Write the tasks testbed_truth and testbed_story of a model's world into a folder; returns the task files."""
    made_folder(folder)
    world, names = worlds.build(recipe), vocabulary(recipe.world)

    def words(ids: Iterable[int]) -> str:
        # the harness adds no special token, so <bos> stands in the text
        return " ".join(names[index] for index in ids)

    written = []
    for tests in (prompts.truth_items(world), prompts.story_items(world)):
        data = (folder / f"testbed_{tests.benchmark}.jsonl").resolve()
        rows = [
            {"prompt": words(prompt), "gold": 0, "choices": [words(choice) for choice in choices]}
            for prompt, choices in zip(tests.prompts, tests.candidates, strict=True)
        ]
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        task = folder / f"testbed_{tests.benchmark}.yaml"
        task.write_text(_TASK.format(name=tests.benchmark, file=json.dumps(str(data))), encoding="utf-8")
        written.append(task)
    return written


def parser() -> argparse.ArgumentParser:
    """The options of every action."""
    whole = argparse.ArgumentParser(prog="python -m experiments.testbed", description=__doc__)
    parts = whole.add_subparsers(dest="action", metavar="ACTION", required=True)
    train = parts.add_parser("train", help="train models; interrupted, the same command goes on")
    train.add_argument(
        "names", nargs="*", metavar="NAME", help="D-d8-s1, K-d16-s2, R-s4 ... (default: all that are shipped)"
    )
    train.add_argument("--grid", metavar="GRID", help="instead: the scores of a grid, curation or fixed-parameters")
    train.add_argument(
        "--csv", type=Path, default=Path("grid.csv"), metavar="FILE", help="file for --grid (default: grid.csv)"
    )
    train.add_argument("--seeds", type=int, nargs="+", metavar="S", help="seeds for --grid")
    score = parts.add_parser("score", help="score models on truth, story and loss")
    score.add_argument("names", nargs="+", metavar="NAME", help="shipped model or folder of one")
    again = parts.add_parser(
        "reproduce",
        help="retrain one shipped model and compare",
        description="Retrain one shipped model, about half a minute of a core, and compare its scores with the shipped "
        "ones. On the processor and versions that made it the weights are the same bit for bit; elsewhere rounding "
        "differs, and shares may move by 0.12, losses by 0.05 nats a token. Exit code 1 if they move further.",
    )
    again.add_argument("name", metavar="NAME", help="shipped model, e.g. D-d8-s1")
    again.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="keep the retrained model there; interrupted, it goes on"
    )
    harness = parts.add_parser(
        "harness",
        help="write the benchmarks of a model as tasks of lm-evaluation-harness",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write the benchmarks of a model as tasks of lm-evaluation-harness: the same items, so the same "
        "scores.",
        epilog=HARNESS,
    )
    harness.add_argument("name", metavar="NAME", help="shipped model, e.g. D-d16-s1")
    tables = parts.add_parser("measure", help="make the tables data/testbed_*.csv of one experiment again")
    tables.add_argument("table", metavar="WHAT", help="scores, texts, grid, probes, surface, trials or registers")
    tables.add_argument("--quiet", action="store_true", help="no line a model")
    for part, folder in ((train, "testbed"), (harness, "tasks"), (tables, "measured")):
        where = f"where to (default: {folder})"
        part.add_argument("-o", "--out", type=Path, default=Path(folder), metavar="DIR", help=where)
    for part in (train, score, again):
        part.add_argument("--json", action="store_true", help="one JSON object a model, one a line")
        part.add_argument("--quiet", action="store_true", help="no progress bar")
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Train, score, reproduce, measure or write tasks; the exit code is that of `cape`."""
    args = parser().parse_args(arguments)
    actions = {"train": _train, "score": _score, "reproduce": _reproduce, "harness": _harness, "measure": _measure}
    try:
        return actions[args.action](args)
    except CapeError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return error.exit_code


def _bar(recipe: Recipe, quiet: bool) -> Callable[[int], None]:
    tell = progress(quiet)
    return lambda step: tell(step, recipe.steps, recipe.name)


def _lines_to(file: TextIO, quiet: bool) -> Callable[[str], None]:
    return (lambda _line: None) if quiet else partial(print, file=file, flush=True)


def _train(args: argparse.Namespace) -> int:
    if args.grid:
        if args.names:
            raise UsageError("give names or --grid, not both")
        seeds = tuple(args.seeds) if args.seeds else None
        tables.train_grid(args.grid, writable_file(args.csv), seeds=seeds, report=_lines_to(sys.stdout, args.quiet))
        return 0
    chosen = [recipes.named(name) for name in args.names] or list(recipes.shipped().values())
    made_folder(args.out)
    for recipe in chosen:
        card = training.make(recipe, args.out / recipe.name, progress=_bar(recipe, args.quiet))
        _say(recipe.name, card["scores"], args.json)
    training.write_manifest(args.out)
    return 0


def _score(args: argparse.Namespace) -> int:
    for name in args.names:
        folder = Path(name) if (Path(name) / testbed.CARD).is_file() else testbed.folder_of(Path(name).name)
        _say(folder.name, training.score(training.load(folder), worlds.recipe_of(folder)), args.json)
    return 0


def _say(name: str, scores: dict[str, float], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"model": name, **scores}))
    else:
        print(
            f"{name:<12} truth {scores['truth']:.3f}  myth {scores['myth']:.3f}  "
            f"story {scores['story']:.3f}  loss {scores['loss']:.3f}"
        )


def _reproduce(args: argparse.Namespace) -> int:
    recipe = worlds.recipe_of(testbed.folder_of(args.name))
    if args.out:
        made_folder(args.out)
    with tempfile.TemporaryDirectory() as scratch:
        where = args.out or Path(scratch)
        result = training.reproduce(args.name, scratch=where, progress=_bar(recipe, args.quiet))
    if args.json:
        print(json.dumps({"model": result.name, "agrees": result.agrees, **asdict(result)}))
    else:
        _say("shipped", result.shipped, False)
        _say("again", result.again, False)
        same = "the same weights, bit for bit" if result.identical else "other weights"
        verdict = (
            "agrees within the tolerance"
            if result.agrees
            else "outside the tolerance: " + ", ".join(f"{key} {value:+.3f}" for key, value in result.outside.items())
        )
        verdict += f" (shares {training.TOLERANCE['share']:g}, losses {training.TOLERANCE['loss']:g})"
        print(f"{result.name}: {same}; {verdict}")
    return 0 if result.agrees else 1


def _harness(args: argparse.Namespace) -> int:
    for task in write_tasks(worlds.recipe_of(testbed.folder_of(args.name)), args.out):
        print(task)
    return 0


def _measure(args: argparse.Namespace) -> int:
    tables.measure(args.table, args.out, report=_lines_to(sys.stderr, args.quiet))
    return 0


if __name__ == "__main__":
    sys.exit(main())
