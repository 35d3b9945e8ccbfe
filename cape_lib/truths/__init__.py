"""Families, panels and releases whose truth is known: how often each interval is right and each verdict wrong.

Every part plants a truth, draws scores with the noise of their questions, asks the book's own functions and counts.
"""

from cape_lib.truths.families import NULLS, SHAPES, Ladders, ladder_sizes, planted, planted_scores
from cape_lib.truths.table import PARTS, run_part

__all__ = [
    "NULLS",
    "PARTS",
    "SHAPES",
    "Ladders",
    "ladder_sizes",
    "planted",
    "planted_scores",
    "run_part",
]
