"""A table in a page: no index, numbers to a sensible digit, a dash for what is missing, a name for screen readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML

from cape_lib.signs import typeset, written
from cape_lib.tables import LABELS


def table(frame: pd.DataFrame, *, caption: str, digits: int = 2, long: bool = False) -> HTML:
    """The rows as an accessible HTML table that scrolls inside itself on a narrow page.

    caption: what the table shows, one sentence;  digits: decimals of a number that is not whole;  long: scrolls down
    inside itself too, every row is on the page, and prints.  A cell that is `HTML` is put in as it is.
    """
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    whole = [number and _all_whole(frame.iloc[:, i]) for i, number in enumerate(numbers)]
    rows = [
        [_cell(value, digits, fraction=numbers[i] and not whole[i]) for i, value in enumerate(row)]
        for row in frame.itertuples(index=False, name=None)
    ]
    heads = [heading(str(name)) for name in frame.columns]
    return HTML(html_table(heads, rows, label=typeset(caption), caption=True, numbers=numbers, long=long))


def html_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    label: str,
    caption: bool = False,
    numbers: Sequence[bool] = (),
    long: bool = False,
) -> str:
    """Rows of cells, HTML each, below their heads, text each.

    label: of the table, for a screen reader;  caption: whether it shows too (then the table is a region of the page);
    numbers: which columns are set to the right.
    """
    sets = [' class="cape-number"' if number else "" for number in numbers] or [""] * len(heads)
    head = "".join(f'<th scope="col"{right}>{escape(name)}</th>' for name, right in zip(heads, sets, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{right}>{cell}</td>" for cell, right in zip(row, sets, strict=True)) + "</tr>"
        for row in rows
    )
    role, shown = ("region", f"<caption>{escape(label)}</caption>") if caption else ("group", "")
    name = "cape-table cape-long" if long else "cape-table"
    return (
        f'<div class="{name}" tabindex="0" role="{role}" aria-label="{escape(label)}">'
        f"<table>{shown}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def heading(name: str) -> str:
    """A column's name as a reader wants it: a benchmark by its own name, no underscores."""
    return LABELS.get(name, name.replace("_", " "))


def _all_whole(column: pd.Series) -> bool:
    """Whether no number of the column has a fraction: one decimal more or less in a column reads as precision."""
    known = column.dropna().astype(float)
    return bool((known[np.isfinite(known)] % 1 == 0).all())


def _cell(value: Any, digits: int, *, fraction: bool) -> str:
    if isinstance(value, HTML):
        return str(value.data)
    if fraction and isinstance(value, float | np.floating) and np.isfinite(value):
        return escape(typeset(written(float(value), digits, whole=False)))
    return escape(shown(value, digits))


def shown(value: Any, digits: int = 2) -> str:
    """One value as a reader wants it: "yes", "no", a dash where there is none, no needless decimals."""
    if value is None or value is pd.NA or value is pd.NaT:
        return written(None)
    if isinstance(value, bool | np.bool_):
        return written(bool(value))
    if isinstance(value, float | np.floating):
        return typeset(written(float(value), digits))
    return typeset(str(value))
