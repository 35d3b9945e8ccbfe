"""How often an interval of the book is right, in words: one label from the table of coverage, for every place."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.files import load

#: what the table of coverage calls an interval of r that takes relatives (models of a family or lab) for independent
RELATIVES = ("population coupling", "Pearson, Fisher's z")

#: the one sign of an interval that covers less than it says somewhere, and the page that says where
DAGGER = "[†](../notebooks/trust.html)"


def promise(part: str, method: str, *, n: int | None = None) -> str:
    """How often intervals that say 95 % hold a planted truth, where that is under 90 % somewhere; else no words.

    part, method: of `tables.load("coverage")`, UsageError else; n: sizes or models at hand, which narrows the answer to
    the nearest number that was tried. "covers 83 to 96 % where it says 95 %": from the worst planted world to the best.
    """
    table = load("coverage")
    rows = table[(table["part"] == part) & (table["method"] == method) & table["measure"].str.startswith("coverage")]
    if rows.empty:
        known = table[table["measure"].str.startswith("coverage")]
        place = known[known["part"] == part]
        raise UsageError(suggest("method", method, sorted(set((known if place.empty else place)["method"]))))
    if n is not None:
        away = (rows["n"] - n).abs()
        rows = rows[away == away.min()]
    if not rows["label"].notna().any():
        return ""
    return f"covers {_percent(rows)} where it says 95\u00a0%"


def promises(part: str, methods: Iterable[str], *, n: int | None = None) -> str:
    """`promise` of several methods as a sentence; empty where all keep what they say."""
    said = [(method, promise(part, method, n=n)) for method in methods]
    kept = [f"{method} {words}" for method, words in said if words]
    return f"How often right: {'; '.join(kept)}." if kept else ""


def mark(part: str, method: str, *, n: int | None = None) -> str:
    """What an interval is called where it is shown: "95 %", or "95 %†" with a link to the page that counts.

    The dagger stands only where `promise` has something to say. Arguments as `promise`.
    """
    return f"95\u00a0%{DAGGER if promise(part, method, n=n) else ''}"


def marks(part: str, methods: Iterable[str], *, n: int | None = None) -> str:
    """`mark` of several methods that share one caption: a dagger where one of them needs it."""
    return f"95\u00a0%{DAGGER if any(promise(part, method, n=n) for method in methods) else ''}"


def _percent(rows: pd.DataFrame) -> str:
    low, high = (f"{100 * v:.0f}" for v in (rows["value"].min(), rows["value"].max()))
    return f"{low}\u00a0%" if low == high else f"{low} to {high}\u00a0%"
