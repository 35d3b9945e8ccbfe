"""How often an interval is right, in sentences: what is as promised, and what is labelled."""

from __future__ import annotations

import pandas as pd

from cape_lib.story.answer import span, verb

#: what the shape of a mark says; the colour only repeats it
FINE, LABELLED, COMPARED = "as promised", "labelled", "labelled; decides nothing here"


def source(rows: pd.DataFrame) -> str:
    """The source line of rows of the coverage table, with how many replications they rest on."""
    return f"[table `coverage`](../book/data.html), {span(rows['replications'], ',')} replications a row"


def labelled(rows: pd.DataFrame) -> str:
    """How many rows are not as promised, as a sentence."""
    bad = rows["label"].fillna("").ne("")
    if not bad.any():
        return f"All {len(rows)} are as promised."
    # Away from all for coverage, from none for wrong verdicts.
    away = (rows["value"] - rows["measure"].str.startswith("coverage").astype(float)).abs().where(bad, 0.0)
    worst = rows.iloc[int(away.to_numpy().argmax())]
    where = f"{worst['method']} where the truth is {worst['truth']!r}, n = {worst['n']}, {worst['noise']}"
    idle = int((bad & (rows["role"] == "compared")).sum())
    many = f"{int(bad.sum())} of {len(rows)} {verb(bad.sum(), 'are')} labelled"
    if idle:
        many += f", {idle} of them {'a rule that decides' if idle == 1 else 'rules that decide'} nothing here"
    return f"{many}; the furthest off is {where}: {worst['value']:.0%}."


def reading(rows: pd.DataFrame) -> pd.Series:
    """What a row says to a reader: as promised, labelled, or labelled and without a say."""
    bad, idle = rows["label"].fillna("").ne(""), rows["role"].eq("compared")
    return pd.Series(FINE, index=rows.index).mask(bad, LABELLED).mask(bad & idle, COMPARED)
