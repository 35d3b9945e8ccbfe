"""What a chart shows, said from its own form and rows, for a reader who cannot see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from cape_lib.tables import label
from cape_lib.tables.axes import day

#: Mark of Vega-Lite -> what a reader would see; a rule from one end to another is an interval, another one a line.
MARKS = {"point": "points", "line": "lines", "area": "bands", "bar": "bars", "tick": "ticks", "rule": "intervals"}
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
    layers = list(_layers(view, view, {}))
    drawn = [one for one in layers if {"x", "y"} <= set(one[1])]
    kinds = list(dict.fromkeys(MARKS[kind] for kind, *_ in drawn if kind in MARKS))
    main = max(drawn, key=lambda one: (one[0] != "text", one[0] != "rule", len(one[2])), default=None)
    if main is None:
        return "A chart without rows"
    _, coded, rows = main
    axes = [_axis(coded[channel], rows, coded["y" if channel == "x" else "x"]) for channel in ("y", "x")]
    text = f"{', '.join(kinds).capitalize()}. {axes[0]}; across, {axes[1]}"
    keys = {}
    for _, other, data in drawn:
        for channel in ("color", "shape"):
            key = other.get(channel, {})
            if key.get("field") in data and key.get("type") == "nominal":
                keys[key["field"]] = _listed(data[key["field"]].dropna().unique())
    on_axes = {channel["field"] for channel in (coded["x"], coded["y"]) if "field" in channel}
    text += "".join(f". Told apart: {names}" for name, names in keys.items() if name not in on_axes)
    title = view.get("title")
    return f"{title['text'] if isinstance(title, dict) else title}: {text}" if title else text


def _layers(view: dict[str, Any], part: dict[str, Any], above: dict[str, Any]) -> Iterator[Layer]:
    """Mark, encoding and rows of every layer of a view."""
    above = {**above, **{key: part[key] for key in ("data", "encoding") if key in part}}
    for inner in part.get("layer", []):
        yield from _layers(view, inner, above)
    if "mark" in part:
        kind = part["mark"] if isinstance(part["mark"], str) else part["mark"]["type"]
        kind = "line" if kind == "rule" and {"x2", "y2"} <= set(above.get("encoding", {})) else kind
        yield kind, above.get("encoding", {}), pd.DataFrame(view["datasets"].get(above["data"].get("name"), []))


def _axis(coded: dict[str, Any], rows: pd.DataFrame, other: dict[str, Any]) -> str:
    """The title of an axis and its ends; of an axis of names, the names."""
    column = coded.get("field", "")
    title = coded.get("title") or (coded.get("axis") or {}).get("title") or label(column).replace("_", " ")
    title = " ".join(title) if isinstance(title, list) else title
    if column not in rows:
        return str(title)
    values = rows[column].dropna()
    if coded.get("type") != "quantitative" or not pd.api.types.is_numeric_dtype(values):
        ends = [values.astype(str).str[:10].min(), values.astype(str).str[:10].max()]
        return f"{title} {' to '.join(ends)}" if coded.get("type") == "temporal" else _listed(values.unique())
    look = coded.get("axis") or {}
    shown = (lambda number: f"{number:.0%}") if look.get("format") == "%" else _number
    if "utcFormat" in str(look.get("labelExpr")):  # days since 1970, which the axis writes as dates
        shown = day
    named = other.get("type") == "nominal" and other.get("field") in rows and len(values)
    names = rows[other["field"]] if named else pd.Series(dtype=str)
    ends = [(values.min(), values.idxmin()), (values.max(), values.idxmax())] if len(values) else []
    reach = [shown(end) + (f" ({names[at]})" if named else "") for end, at in ends]
    return f"{title} {' to '.join(reach)}" if reach else str(title)


def _number(number: float) -> str:
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:.3g}"


def _listed(values: Sequence[Any]) -> str:
    names = [str(value) for value in values]
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
