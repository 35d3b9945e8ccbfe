"""Figures: one function a figure, a tidy table in, a `Figure` out. `frame` holds the renderer, `look` the colours."""

from cape_lib.charts import altair_first as altair_first
from cape_lib.charts.frame import (
    FAMILY_COLOURS,
    GRID,
    INK,
    LAB_COLOURS,
    MUTED,
    PALETTE,
    PAPER,
    PHASE_COLOURS,
    Control,
    Figure,
    answer,
    answers,
    colour_scale,
    figure,
    remember,
    say,
    setup,
    sure,
    where,
)

__all__ = [
    "FAMILY_COLOURS", "GRID", "INK", "LAB_COLOURS", "MUTED", "PALETTE", "PAPER", "PHASE_COLOURS",
    "Control", "Figure", "answer", "answers", "colour_scale", "figure", "remember", "say", "setup", "sure", "where",
]  # fmt: skip
