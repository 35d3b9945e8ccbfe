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


#: Where a name may stand beside its point: word -> (dx, dy in pixels, how it is aligned), in the order of preference.
PLACES = {"right": (8, 0, "left"), "above": (0, -11, "center"), "below": (0, 12, "center"), "left": (-8, 0, "right")}
#: A letter and a line, in percent of the width and the height of the plot (between a desk's and a phone's).
LETTER, LINE = 1.6, 4.5


def beside(x: pd.Series, y: pd.Series, names: pd.Series, span: tuple[float, float]) -> list[str]:
    """Where each name stands (a key of `PLACES`) so that none runs into a name that stands already.

    x, y: of the points, in any units;  span: widths of the plot in these units, x then y.
    """
    taken: list[tuple[float, float, float, float]] = []
    places: dict[int, str] = {}
    across, up = 100 * x.to_numpy() / span[0], 100 * y.to_numpy() / span[1]
    for i in sorted(range(len(x)), key=lambda one: -up[one]):
        wide = LETTER * len(str(names.iloc[i]))
        boxes = {
            "right": (across[i] + 1, up[i] - LINE / 2),
            "above": (across[i] - wide / 2, up[i] + LINE / 2),
            "below": (across[i] - wide / 2, up[i] - 1.5 * LINE),
            "left": (across[i] - wide - 1, up[i] - LINE / 2),
        }
        free = [
            place
            for place, (left, low) in boxes.items()
            if not any(left < r and left + wide > q and low < t and low + LINE > s for q, s, r, t in taken)
        ]
        places[i] = free[0] if free else "below"
        left, low = boxes[places[i]]
        taken.append((left, low, left + wide, low + LINE))
    return [places[i] for i in range(len(x))]


def named(rows: pd.DataFrame, base: Any, column: str, **mark: Any) -> list[Any]:
    """One text layer a place: the names of `rows` (column `place`, see `beside`) beside their points.

    base: the chart of the points; a layer without a name draws empty texts, as an empty layer would make Vega warn.
    """
    layers = []
    for place, (dx, dy, align) in PLACES.items():
        if (rows["place"] == place).any():
            text = base.mark_text(dx=dx, dy=dy, align=align, **mark)
            shown = alt.condition(f"datum.place === '{place}'", alt.Text(f"{column}:N"), alt.value(""))
            layers.append(text.encode(text=shown))
    return layers
