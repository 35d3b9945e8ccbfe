"""A table in a page: no index, numbers to a sensible digit, a dash for what is missing, a name for screen readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from IPython.display import HTML
from markupsafe import Markup

from cape_lib.page.text import filled
from cape_lib.signs import typeset, written
from cape_lib.tables import LABELS

#: Rows that a table shows at once.
MANY = 24
#: Words of a caption that name the file of a table: so many tell the tables of a page apart.
WORDS = 10


def table(frame: pd.DataFrame, *, caption: str, digits: int = 2, rows: pd.DataFrame | None = None) -> HTML:
    """The rows as an accessible HTML table that scrolls inside itself on a narrow page.

    caption: what the table shows, one sentence;  digits: decimals of a number that is not whole.  A table of more than
    `MANY` rows scrolls down inside itself too: every row is on the page, and prints.  A cell that is `HTML` is put in
    as it is.  The rows come as a file (CSV), numbers with seven digits and links by their address, named by the first
    `WORDS` words of the caption.  rows: those of the file, where cells put several numbers into words (default: frame).
    """
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    columns = []
    for i, number in enumerate(numbers):
        known = frame.iloc[:, i].dropna()
        # one decimal more or less in a column reads as precision
        whole = not number or bool((known[np.isfinite(known.astype(float))] % 1 == 0).all())
        columns.append([shown(value, digits, whole=whole) for value in frame.iloc[:, i].astype(object)])
    heads = [LABELS.get(name, name.replace("_", " ")) for name in map(str, frame.columns)]
    cells, look = zip(*columns, strict=True), {"numbers": numbers, "long": len(frame) > MANY}
    offered = (frame if rows is None else rows).map(_plain)
    look["file"] = quote(offered.to_csv(index=False, float_format="%.7g"))
    look["name"] = "-".join(re.findall(r"\w+", caption.lower())[:WORDS])
    return HTML(html_table(heads, cells, label=typeset(caption), caption=True, **look))


def _plain(cell: Any) -> Any:
    """A cell as a file holds it: of `HTML` the text, of a link to another site its address."""
    if not isinstance(cell, HTML):
        return cell
    text = re.sub(r'<a href="(https?:[^"]*)">[^<]*</a>', r"\1", str(cell.data))
    return unescape(re.sub("<[^>]+>", "", text))


def html_table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, label: str, **look: Any) -> Markup:
    """Rows of cells, text or `HTML`, below their heads.

    label: of the table, for a screen reader.  look: caption, whether the label shows too (then the table is a region of
    the page); numbers, which columns are set to the right; long, whether it scrolls down; file, its rows to download,
    and their name; keys, what each cell is sorted by where the heads are buttons that sort (`cape-sort.js`).
    """
    look = {"caption": False, "numbers": [False] * len(heads), "long": False} | look
    return Markup(filled("table.html", heads=heads, rows=rows, label=label, **look))


def shown(value: Any, digits: int = 2, *, whole: bool = True) -> Any:
    """One value as a reader wants it: "yes", "no", a dash where there is none; whole: may go without decimals."""
    if value is None or value is pd.NA or value is pd.NaT:
        return written(None)
    if isinstance(value, bool | np.bool_):
        return written(bool(value))
    if isinstance(value, float | np.floating):
        return typeset(written(float(value), digits, whole=whole))
    return value if isinstance(value, HTML) else typeset(str(value))
