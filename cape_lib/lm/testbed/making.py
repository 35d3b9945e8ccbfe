"""Make, score and remake testbed models: the work behind `cape testbed`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cape_lib.lm.testbed import store
from cape_lib.lm.testbed.recipes import Recipe

#: how far a share (0-1) and a loss (nats) may lie from the shipped model's after retraining elsewhere
TOLERANCE = {"share": 0.12, "loss": 0.05}
CURVE_EVERY = 100


def make(recipe: Recipe, folder: Path, *, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Train a recipe into `folder` unless it is there already; returns its card.

    Every hundred steps the run is kept in a file beside the folder, `.NAME.unfinished`, which the next call goes on
    from and which is gone at the end.
    """
    if store.is_done(folder, recipe):
        return store.card(folder)
    from cape_lib.lm.testbed.scoring import score
    from cape_lib.lm.testbed.training import train

    unfinished = folder.with_name(f".{folder.name}.unfinished")
    start = store.unfinished(unfinished, recipe)
    curve: list[dict[str, float]] = start["curve"] if start else []

    def watch(step: int, model: Any) -> None:
        curve.append({"step": step} | _rounded(score(model, recipe)))

    def keep(state: dict[str, Any]) -> None:
        store.keep_unfinished(state | {"recipe": recipe.as_dict(), "curve": curve}, unfinished)

    model = train(recipe, every=CURVE_EVERY, watch=watch, progress=progress, keep=keep, start=start)
    store.save(model, recipe, folder, {"curve": curve})
    # the scores that count are those of the float16 weights as shipped
    scores = _rounded(score(store.load(folder), recipe))
    store.save(model, recipe, folder, {"scores": scores, "curve": curve})
    unfinished.unlink(missing_ok=True)
    return store.card(folder)


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {key: value if isinstance(value, int) else round(value, 5) for key, value in scores.items()}


@dataclass(frozen=True)
class Reproduction:
    """A model retrained and set beside the shipped one: scores of both, and what moved further than tolerated."""

    name: str
    shipped: dict[str, float]
    again: dict[str, float]
    identical: bool
    outside: dict[str, float]

    @property
    def agrees(self) -> bool:
        """Whether every score lies within the tolerance."""
        return not self.outside


def reproduce(name: str, *, scratch: Path, progress: Callable[[int], None] | None = None) -> Reproduction:
    """Retrain a shipped model in `scratch` and compare.

    On the machine and versions that made it the weights are the same bit for bit; elsewhere shares may move by
    0.12 and losses by 0.05 nats (TOLERANCE), as rounding differs between processors.
    """
    shipped = store.folder_of(name)
    held = store.card(shipped)
    again = make(Recipe(**held["recipe"]), scratch / name, progress=progress)
    moved = {key: again["scores"][key] - value for key, value in held["scores"].items()}
    outside = {
        key: value for key, value in moved.items()
        if abs(value) > (TOLERANCE["loss"] if key.startswith("loss") else TOLERANCE["share"])
    }  # fmt: skip
    return Reproduction(name, held["scores"], again["scores"], held["sha256"] == again["sha256"], outside)
