"""Testbed models on disk: a folder a model, readable by plain `AutoModelForCausalLM.from_pretrained(folder)`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cape_lib.errors import UsageError
from cape_lib.lm.testbed.worlds import Recipe
from cape_lib.names import suggest
from cape_lib.tables import data_dir

CARD = "testbed.json"


def folder_of(name: str, *, where: Path | None = None) -> Path:
    """The folder of a testbed model, by name; UsageError if it is not there."""
    where = where or data_dir() / "testbed"
    if not (where / name / CARD).is_file():
        raise UsageError(suggest("testbed model", name, sorted(path.parent.name for path in where.glob(f"*/{CARD}"))))
    return where / name


def card(folder: Path) -> dict[str, Any]:
    """What a model's testbed.json says: recipe, scores, curve, hash, versions."""
    content: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return content


def recipe_of(folder: Path) -> Recipe:
    """The recipe of the model in a folder."""
    return Recipe(**card(folder)["recipe"])


def tokenizer_of(folder: Path) -> Path:
    """The folder of a model's tokenizer: its own, or that of its world beside it, where testbed models share one."""
    shared = folder.parent / f"tokenizer-{card(folder)['recipe']['world']}" if (folder / CARD).is_file() else folder
    return shared if shared.is_dir() else folder
