"""The names under which people write our columns: one table, which the browser reads too."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

#: columns of text; they are kept and never read as numbers
TEXT = {
    "model", "family", "lab", "release_date", "truthfulqa_metric", "training", "recipe", "note", "source", "ladder",
    "seed", "instruct",
}  # fmt: skip
#: numbers about a model that are no benchmark; they are kept and never checked as percent
MEASURES = {
    "params_b", "active_params_b", "d_model", "n_layers", "n_heads", "pretrain_tokens_b", "flops_1e21", "step",
    "tokens_b", "year",
}  # fmt: skip


class Heading(NamedTuple):
    """What the head of a column says: our `name`, whether it is `known`, factor to our unit, shots ("" for none).

    `exact`: the head is our own name, so that it wins over another one for the same column.
    """

    name: str
    known: bool
    scale: float = 1.0
    shots: str = ""
    exact: bool = False
    percent: bool = False


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """The table of names as data: columns (name -> aliases), not_scores, endings, metrics, units, blank."""
    return dict(json.loads(Path(__file__).with_name("columns.json").read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {alias: name for name, aliases in table()["columns"].items() for alias in (name, *aliases)}


def plain(text: str) -> str:
    """A head in small letters, digits and single underscores: "ARC-C (25-shot)" becomes "arc_c_25_shot"."""
    bare = re.sub(r"[*`#\u00ad\u200b-\u200d\ufeff]+", "", text.casefold())
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def _stem(text: str) -> str:
    """A head without what trackers put around it: "eval/hellaswag/acc_norm,none" becomes "hellaswag_acc_norm"."""
    bare = plain(text)
    for word in table()["around"]:
        bare = bare.removeprefix(f"{word}_") if bare != word else bare
    return bare.removesuffix("_none")


@lru_cache(maxsize=4096)
def heading(text: str) -> Heading:
    """What a column head means. A head that is in no list keeps its text as its name."""
    bare = _stem(text)
    percent = "%" in text
    stem, shots = bare, ""
    if shot := re.search(r"_?(\d+)_?shots?(?=_|$)", stem):
        stem, shots = (stem[: shot.start()] + stem[shot.end() :]).strip("_"), f"{int(shot[1])}-shot"
    ending = ""
    for kind, words in table()["endings"].items():
        for word in words:
            if not ending and stem.endswith(f"_{word}") and len(stem) > len(word) + 1:
                stem, ending = stem[: -len(word) - 1], f"_{kind}"
    name, scale = _lookup(stem)
    if name is None:
        return Heading(text.strip(), False, shots=shots, percent=percent)
    exact = bare == name + ending
    return Heading(name + ending, True, scale, "" if ending else shots, exact, percent)


def _lookup(stem: str) -> tuple[str | None, float]:
    """Our name and the factor to our unit, by the alias itself, its unit, or the metric that it ends in."""
    names = _names()
    if stem in names:
        return names[stem], 1.0
    head, _, last = stem.rpartition("_")
    head = head.removesuffix("_in")
    units = table()["units"]
    if last in units and names.get(head) in table()["unit_columns"]:
        return names[head], float(units[last])
    for metric in table()["metrics"]:
        if stem.endswith(f"_{metric}") and stem[: -len(metric) - 1] in names:
            name = names[stem[: -len(metric) - 1]]
            return (name, 1.0) if name not in TEXT | MEASURES else (None, 1.0)
    return None, 1.0


def known_name(name: str) -> str:
    """A column name in our spelling where it is one of ours ("ARC-Challenge"), else as it stands."""
    return heading(name).name


def is_score(name: str) -> bool:
    """Whether a column of numbers by this name may be a benchmark."""
    stem = plain(name)
    return name not in MEASURES and not name.endswith(("_stderr", "_shots")) and stem not in set(table()["not_scores"])
