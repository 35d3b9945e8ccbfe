"""What is drawn with Altair: one function a figure, a tidy table in, a `Figure` out. `frame` is about all of them."""

from cape_lib.imports import IRI, without

with without(IRI):  # Altair, loaded in a third of its time
    import altair as altair

from cape_lib.charts.frame import Control, Figure, figure, setup
