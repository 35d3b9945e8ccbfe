"""Figures: one function a figure, a tidy table in, a `Figure` out. `frame` holds the renderer, `look` the colours."""

from cape_lib.imports import IRI, without

with without(IRI):  # Altair, loaded in a third of its time
    import altair as altair

from cape_lib.charts.frame import Control, Figure, answer, answers, figure, remember, say, setup, sure, where

__all__ = ["Control", "Figure", "answer", "answers", "figure", "remember", "say", "setup", "sure", "where"]
