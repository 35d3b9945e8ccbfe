"""Names beside points, each where there is room: on a desk and on a phone, found before the chart is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.look import INK

#: Inner widths of a plot in pixels, on a desk and on a phone, and the width below which the places of the phone hold.
DESK, PHONE, NARROW = 600, 290, 420
#: A letter and a line of a name, in pixels.
LETTER, LINE = 6.4, 13
#: Where a name may stand: word -> (steps to the right, steps down, how it is aligned), in the order of preference.
PLACES = {
    "right": (1.0, 0.0, "left"),
    "left": (-1.0, 0.0, "right"),
    "above": (0.0, -1.4, "center"),
    "below": (0.0, 1.4, "center"),
    "above right": (0.7, -1.0, "left"),
    "below right": (0.7, 1.0, "left"),
    "above left": (-0.7, -1.0, "right"),
    "below left": (-0.7, 1.0, "right"),
}
#: How much of a name is left of its anchor.
BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}


def named(
    rows: pd.DataFrame,
    x: Any,
    y: Any,
    column: str,
    *,
    height: float,
    around: Sequence[pd.DataFrame] = (),
    by: str = "",
    always: int = 0,
    phone: int = 1000,
    gap: float = 8.0,
    opacity: Any = alt.Undefined,
    **mark: Any,
) -> list[Any]:
    """Text layers with the names of points, each where there is room; one without room is left out.

    rows: columns of x, y and `column`, the most important name first;  around: further points that no name may cover,
    with the same columns; they stretch the axes too;  by: rows that differ in this column (of `around` too) are never
    on show together;  height: of the plot, pixels;  always: so many of the first names are never left out, one without
    room stands where it covers least, though never on a name;  phone: so many names at most on a phone;  gap: from a
    point to its name, pixels;  opacity: its encoding;  mark: further properties of the texts.
    """
    fields = [axis.to_dict()["field"] for axis in (x, y)]
    rows, *around = [frame.dropna(subset=fields).reset_index(drop=True) for frame in (rows, *around)]
    for where, width, most in (("wide", DESK, len(rows)), ("narrow", PHONE, phone)):
        rows[where] = ""
        for part in [group for _, group in rows.groupby(by)] if by else [rows]:
            near = [frame[frame[by] == part[by].iloc[0]] if by else frame for frame in around]
            shown, every = pd.concat([part, *near]), pd.concat([part, *around])
            points = np.column_stack([_along(x, shown, every) * width, (1 - _along(y, shown, every)) * height])
            texts = [str(name) for name in part[column]]
            rows.loc[part.index, where] = _places(texts, points, (width, height), gap, always=always, most=most)
    layers = []
    for place, (right, down, align) in PLACES.items():
        here = rows[(rows["wide"] == place) | (rows["narrow"] == place)]
        if len(here):
            look: dict[str, Any] = {"fontSize": 11, "color": INK, "align": align} | mark
            text = alt.Chart(here).mark_text(dx=gap * right, dy=gap * down, **look)
            shown = f"(width > {NARROW} ? datum.wide : datum.narrow) === '{place}'"
            word = alt.condition(shown, alt.Text(f"{column}:N"), alt.value(""))
            layers.append(text.encode(x=x, y=y, text=word, opacity=opacity))
    return layers


def _places(
    names: Sequence[str], points: np.ndarray, room: tuple[float, float], gap: float, *, always: int, most: int
) -> list[str]:
    """The place of each name, "" for none.  points: pixels, those of the names first;  room: width, height."""
    # boxes are rows of left, top, right, bottom
    chosen: list[str] = []
    taken = np.empty((0, 4))
    dots = np.column_stack([points - gap / 2, points + gap / 2])

    def met(box: np.ndarray, others: np.ndarray) -> int:
        return int(((others[:, :2] < box[2:]) & (others[:, 2:] > box[:2])).all(axis=1).sum())

    for name, (px, py) in zip(names, points, strict=False):
        tried = []
        for place, (right, down, align) in PLACES.items():
            left, middle = px + gap * right - BEFORE[align] * LETTER * len(name), py + gap * down
            box = np.array([left, middle - LINE / 2, left + LETTER * len(name), middle + LINE / 2])
            outside = box[0] < 0 or box[2] > room[0] + 20 or box[1] < -LINE or box[3] > room[1]
            tried.append((met(box, taken), 10 * int(outside) + met(box, dots), place, box))
        on_names, on_dots, place, box = min(tried, key=lambda one: one[:2])
        # one that must stand may cover points, but no other name
        fits = not on_names and (not on_dots or len(chosen) < always) and len(taken) < most
        chosen.append(place if fits else "")
        taken = np.vstack([taken, box]) if fits else taken
    return chosen


def _along(axis: Any, rows: pd.DataFrame, every: pd.DataFrame) -> np.ndarray:
    """Where the rows stand on an axis, 0-1, as near as can be said before it is drawn.  every: rows that stretch it."""
    asked = axis.to_dict()
    scale, log = asked.get("scale", {}), asked.get("scale", {}).get("type") == "log"
    columns = [frame[asked["field"]] for frame in (rows, every)]
    if not pd.api.types.is_numeric_dtype(columns[0]):  # dates, as days
        columns = [(pd.to_datetime(column) - pd.Timestamp(0)).dt.total_seconds() / 86_400 for column in columns]
    values, all_values = (column.to_numpy(dtype=float) for column in columns)
    ends = scale.get("domain", [all_values.min(), all_values.max()])
    if "domain" not in scale and scale.get("zero", asked["type"] == "quantitative") and not log:
        ends = [min(0.0, ends[0]), max(0.0, ends[1])]
    nice = scale.get("nice", "domain" not in scale) and asked["type"] == "quantitative" and not log
    if nice and ends[1] > ends[0]:  # the axis ends at round numbers: about ten steps of 1, 2 or 5
        tenth = (ends[1] - ends[0]) / 10
        power = 10.0 ** np.floor(np.log10(tenth))
        step = power * (1, 2, 5, 10)[int(np.searchsorted(np.sqrt([2, 10, 50]), tenth / power, side="right"))]
        ends = [step * np.floor(ends[0] / step), step * np.ceil(ends[1] / step)]
    (low, high), at = (np.log10(ends), np.log10(values)) if log else (ends, values)
    return np.asarray((at - low) / ((high - low) or 1.0))
