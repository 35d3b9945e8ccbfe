"""What a chart shows, said from its own form and rows, for a reader who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from cape_lib.tables import label
from cape_lib.tables.axes import day

#: Mark of Vega-Lite -> what a reader would see; a rule from one end to another is an interval, another one a line.
MARKS = {"point": "points", "line": "lines", "area": "bands", "bar": "bars", "tick": "ticks", "rule": "intervals"}
#: Marks about another one, which names the axes and their ends.
BESIDE = ("text", "rule", "area")
#: So many names are listed, and so many panels are told apart.
MOST, PANELS = 8, 3

Layer = tuple[str, dict[str, Any], pd.DataFrame]


def describe(views: Sequence[dict[str, Any]]) -> str:
    """The kinds of marks, what stands on the axes with its lowest and highest value, rows and colours by their names.

    views: specifications of Vega-Lite with their data sets.  Panels beyond three are counted, not described.
    """
    texts = [_one(view) for view in views[: PANELS if len(views) <= PANELS else 1]]
    if len(views) > PANELS:
        texts.append(f"{len(views) - 1} more panels of the same form")
    return ". ".join(texts) + "."


def _one(view: dict[str, Any]) -> str:
    drawn = [layer for layer in _layers(view, view, {}) if {"x", "y"} <= set(layer[1])]
    if not drawn:
        return "A chart without rows"
    _, coded, rows = max(drawn, key=lambda layer: (*(layer[0] != kind for kind in BESIDE), len(layer[2])))
    kinds = ", ".join(dict.fromkeys(MARKS[kind] for kind, *_ in drawn if kind in MARKS)).capitalize()
    up, right = _axis(coded["y"], rows, coded["x"]), _axis(coded["x"], rows, coded["y"])
    on_axes, keys = {coded["x"].get("field"), coded["y"].get("field")}, {}
    for _, other, data in drawn:
        for key in (other.get("color", {}), other.get("shape", {})):
            if key.get("type") == "nominal" and key.get("field") in data and key["field"] not in on_axes:
                keys[key["field"]] = _listed(data[key["field"]].dropna().unique())
    text = f"{kinds}. {up}; across, {right}" + "".join(f". Told apart: {names}" for names in keys.values())
    title = view.get("title")
    return f"{title['text'] if isinstance(title, dict) else title}: {text}" if title else text


def _layers(view: dict[str, Any], part: dict[str, Any], above: dict[str, Any]) -> Iterator[Layer]:
    """Mark, encoding and rows of every layer of a view."""
    above = {**above, **{key: part[key] for key in ("data", "encoding") if key in part}}
    for inner in part.get("layer", []):
        yield from _layers(view, inner, above)
    if "mark" in part:
        kind, coded = part["mark"] if isinstance(part["mark"], str) else part["mark"]["type"], above.get("encoding", {})
        kind = "line" if kind == "rule" and {"x2", "y2"} <= set(coded) else kind
        yield kind, coded, pd.DataFrame(view["datasets"].get(above["data"].get("name"), []))


def _axis(coded: dict[str, Any], rows: pd.DataFrame, other: dict[str, Any]) -> str:
    """The title of an axis and its ends; of an axis of names, the names."""
    column, look = coded.get("field", ""), coded.get("axis") or {}
    title = coded.get("title") or look.get("title") or label(column).replace("_", " ")
    title = " ".join(title) if isinstance(title, list) else str(title)
    values = rows[column].dropna() if column in rows else pd.Series(dtype=float)
    if values.empty:
        return title
    if coded.get("type") == "temporal":
        return f"{title} {values.min()[:10]} to {values.max()[:10]}"
    if coded.get("type") != "quantitative" or not pd.api.types.is_numeric_dtype(values):
        return _listed(list(values.unique()))
    names = rows[other["field"]] if other.get("type") == "nominal" and other.get("field") in rows else None
    ends = [(values.min(), values.idxmin()), (values.max(), values.idxmax())]
    return f"{title} " + " to ".join(
        _number(end, look) + ("" if names is None else f" ({names[at]})") for end, at in ends
    )


def _number(number: float, look: dict[str, Any]) -> str:
    """A number as its axis writes it; days since 1970 as dates."""
    if "utcFormat" in str(look.get("labelExpr")):
        return day(number)
    if look.get("format") == "%":
        return f"{number:.0%}"
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:.3g}"


def _listed(values: Sequence[Any]) -> str:
    names = [str(value) for value in values]
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
