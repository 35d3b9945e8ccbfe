"""Steering: add a direction to a model's hidden states, and find out whether that did more than chance would.

`fit_direction` makes a direction from pairs of texts, `steered` adds it inside a `with` block, `compare` writes text
with and without it in one batch, `evaluate` runs the whole protocol with its controls and gives two verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.steering.applying import Positions, added
from cape_lib.lm.steering.direction import (
    Direction,
    check_fits,
    fit_direction,
    fit_directions,
    harness_file,
    load,
    save,
)
from cape_lib.lm.steering.generating import Writing, compare
from cape_lib.lm.steering.protocol import DOSES, Place, Plan, evaluate
from cape_lib.lm.steering.verdicts import Evaluation, report

__all__ = ["DOSES", "Direction", "Evaluation", "Place", "Plan", "Writing", "compare", "evaluate", "fit_direction"]
__all__ += ["fit_directions", "harness_file", "load", "report", "save", "steered"]


@contextmanager
def steered(
    lm: LanguageModel,
    direction: Direction,
    alpha: float,
    *,
    unit: str = "std",
    positions: Positions = "all",
    action: str = "add",
    prompt_length: int | None = None,
    any_model: bool = False,
) -> Iterator[None]:
    """Inside, the model runs with `alpha` times the direction added at its site; strength 0 changes no bit.

    unit, action, positions: see `Direction.change` and `applying.added`; any_model: also on a model that the direction
    was not fitted on.  The hook is gone afterwards, also after an exception.
    """
    check_fits(direction, lm, any_model=any_model)
    delta, axis = direction.change(alpha, unit, action)
    site = direction.site
    with added(lm, {site: delta}, positions=positions, prompt_length=prompt_length, axes={site: axis}):
        yield
