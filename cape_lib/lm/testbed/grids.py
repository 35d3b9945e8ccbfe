"""Experiments of many models each, of which only the scores are kept: curation, and width at fixed parameters."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cape_lib.errors import UsageError
from cape_lib.lm.testbed import words
from cape_lib.lm.testbed.recipes import Recipe, dip
from cape_lib.names import suggest

#: shares of authors that believe, of text that is reliable, and widths
BELIEVERS = (0.20, 0.50, 0.70, 0.85)
RELIABLE = (0.02, 0.08, 0.20)
GRID_WIDTHS = (8, 16, 24, 48)
#: total parameters of d = 24 and d = 32 in ladder D, and the widths that reach them with two layers
BUDGETS = {27_648: (8, 12, 16, 24, 32), 43_008: (12, 16, 24, 32, 40)}
COLUMNS = (
    "grid", "name", "seed", "width", "layers", "feed_forward", "parameters", "believers", "web", "ref", "ask",
    "story_share",
    "story", "truth", "myth", "truth_web", "n_story", "n_truth", "loss", "loss_web", "loss_ref", "loss_ask",
    "loss_story",
)  # fmt: skip


def parameters(recipe: Recipe) -> int:
    """Number of trainable parameters, without building the model."""
    d, inner = recipe.width, recipe.feed_forward or 4 * recipe.width
    block = 4 * d * d + 4 * d + 2 * d * inner + inner + d + 4 * d
    return 2 * len(words.vocabulary(recipe.world)) * d + recipe.layers * block + 2 * d


def feed_forward_for(width: int, budget: int) -> int:
    """The inner width with which two layers of `width` come nearest to a number of parameters."""
    fixed = parameters(dip(width, 1, feed_forward=1)) - 2 * (2 * width + 1)
    return max(1, round((budget - fixed) / (2 * (2 * width + 1))))


def curation(seeds: tuple[int, ...] = (1,)) -> Iterator[Recipe]:
    """Share of believers x share of reliable text x width; reliable text takes the place of stories."""
    for seed in seeds:
        for believers in BELIEVERS:
            for ref in RELIABLE:
                for width in GRID_WIDTHS:
                    name = f"grid-b{believers:g}-r{ref:g}-d{width}-s{seed}"
                    yield dip(width, seed, name=name, believers=believers, ref=ref)


def fixed_parameters(seeds: tuple[int, ...] = tuple(range(1, 9))) -> Iterator[Recipe]:
    """Width moved at a fixed number of parameters: what a wider stream takes, the feed-forward layers give."""
    for seed in seeds:
        for budget, widths in BUDGETS.items():
            for width in widths:
                yield dip(
                    width, seed, name=f"fixed-{budget}-d{width}-s{seed}", feed_forward=feed_forward_for(width, budget)
                )


GRIDS: dict[str, Callable[..., Iterator[Recipe]]] = {"curation": curation, "fixed-parameters": fixed_parameters}


def row(grid: str, recipe: Recipe, scores: dict[str, float]) -> dict[str, Any]:
    """One line of the table of scores."""
    held = recipe.as_dict()
    held["story_share"] = held.pop("story")
    return {"grid": grid, "parameters": parameters(recipe)} | {k: v for k, v in held.items() if k in COLUMNS} | scores


def run(grid: str, path: Path, *, seeds: tuple[int, ...] | None = None, report: Callable[[str], None] = print) -> None:
    """Train every model of a grid that `path` does not hold yet and add its line; interrupted, it goes on there."""
    if grid not in GRIDS:
        raise UsageError(suggest("grid", grid, GRIDS))
    from cape_lib.lm.testbed.scoring import score
    from cape_lib.lm.testbed.training import train

    done: set[str] = set()
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            done = {line["name"] for line in csv.DictReader(file)}
    recipes = GRIDS[grid](seeds) if seeds else GRIDS[grid]()
    for recipe in recipes:
        if recipe.name in done:
            continue
        scores = {key: round(value, 5) for key, value in score(train(recipe), recipe).items()}
        _append(path, row(grid, recipe, scores))
        report(f"{recipe.name}: truth {scores['truth']:.2f}, story {scores['story']:.2f}")


def _append(path: Path, line: dict[str, Any]) -> None:
    new = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)
        file.flush()
        os.fsync(file.fileno())
