"""Figures: one function a figure, a tidy table in, a `Figure` out. `frame` holds the renderer and the look."""
