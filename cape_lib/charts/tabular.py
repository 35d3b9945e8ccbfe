"""A table in a page: no index, numbers to a sensible digit, a dash for what is missing, a name for screen readers."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML

from cape_lib.signs import typeset, written
from cape_lib.tables import LABELS


def table(frame: pd.DataFrame, *, caption: str, digits: int = 2) -> HTML:
    """The rows as an accessible HTML table that scrolls inside itself on a narrow page.

    caption: what the table shows, one sentence;  digits: decimals of a number that is not whole.
    """
    caption = typeset(caption)
    numeric = {str(name): pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame.columns}
    whole = {str(name): numeric[str(name)] and _all_whole(frame[name]) for name in frame.columns}
    head = "".join(
        f'<th scope="col"{_right(numeric[str(name)])}>{html.escape(heading(str(name)))}</th>' for name in frame.columns
    )
    rows = [
        "<tr>"
        + "".join(
            _cell(value, numeric[str(name)], digits, whole[str(name)])
            for name, value in zip(frame.columns, row, strict=True)
        )
        + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    ]
    return HTML(
        f'<div class="cape-table" tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}"><table>'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def heading(name: str) -> str:
    """A column's name as a reader wants it: a benchmark by its own name, no underscores."""
    return LABELS.get(name, name.replace("_", " "))


def _all_whole(column: pd.Series) -> bool:
    """Whether no number of the column has a fraction: one decimal more or less in a column reads as precision."""
    known = column.dropna().astype(float)
    return bool((known[np.isfinite(known)] % 1 == 0).all())


def _cell(value: Any, numeric: bool, digits: int, whole: bool) -> str:
    text = shown(value, digits)
    if numeric and not whole and isinstance(value, float | np.floating) and np.isfinite(value):
        text = typeset(written(float(value), digits, whole=False))
    return f"<td{_right(numeric)}>{html.escape(text)}</td>"


def _right(numeric: bool) -> str:
    return ' class="cape-number"' if numeric else ""


def shown(value: Any, digits: int = 2) -> str:
    """One value as a reader wants it: "yes", "no", a dash where there is none, no needless decimals."""
    if value is None or value is pd.NA or value is pd.NaT:
        return written(None)
    if isinstance(value, bool | np.bool_):
        return written(bool(value))
    if isinstance(value, float | np.floating):
        return typeset(written(float(value), digits))
    return typeset(str(value))
