"""Where the names of points stand in a chart: above a point, or below it where a neighbour's name is above already."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd


def crowded(x: pd.Series, y: pd.Series) -> list[bool]:
    """Whether each point's name goes below it: where one above would run into that of a point already named above."""
    below: list[bool] = []
    for i in range(len(x)):
        near = [j for j in range(i) if not below[j] and abs(x[i] - x[j]) < 12 and abs(y[i] - y[j]) < 1.1]
        below.append(bool(near))
    return below


def names_where(column: str, *, below: bool) -> Any:
    """The text of the points whose `name_below` is `below`, nothing for the others, as an encoding of a text layer.

    A filter would do the same, but a layer without any row makes Vega warn of an axis without an extent.
    """
    return alt.condition(f"{'!' if below else ''}datum.name_below", alt.value(""), alt.Text(f"{column}:N"))
