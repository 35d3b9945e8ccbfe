"""Steering: add a direction to a model's hidden states, and find out whether that did more than chance would.

`fit_direction` makes a direction from pairs of texts, `steered` adds it inside a `with` block, `compare` writes text
with and without it in one batch, `evaluate` runs the whole protocol with its controls and gives two verdicts.
"""

from cape_lib.lm.steering.applying import Writing, compare, steered
from cape_lib.lm.steering.direction import Direction, fit_direction, fit_directions, harness_file, load, save
from cape_lib.lm.steering.protocol import DOSES, Place, Plan, evaluate
from cape_lib.lm.steering.verdicts import Evaluation, report

__all__ = ["DOSES", "Direction", "Evaluation", "Place", "Plan", "Writing", "compare", "evaluate", "fit_direction"]
__all__ += ["fit_directions", "harness_file", "load", "report", "save", "steered"]
