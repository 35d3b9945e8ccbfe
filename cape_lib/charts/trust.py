"""Figures of the trust page: how often intervals hold a planted truth, how often verdicts are wrong, and power."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML

from cape_lib.charts.axes import colours, rounded, upright
from cape_lib.charts.forest import band, forest
from cape_lib.charts.frame import GRID, INK, PALETTE, Figure, figure
from cape_lib.charts.look import mark_scales
from cape_lib.charts.tabular import table
from cape_lib.signs import MARKS, typeset
from cape_lib.tables.chapters import RELATIVES, mark

#: what the shape of a mark says; the colour only repeats it
FINE, LABELLED, COMPARED = "as promised", "labelled", "labelled; decides nothing here"
NOMINAL, LEAST, MOST = 0.95, 0.90, 0.05
SOURCE = "[table `coverage`](../book/data.html), {n} replications a row"


def source(rows: pd.DataFrame) -> str:
    """The source line of rows of the coverage table, with how many replications they rest on."""
    low, high = int(rows["replications"].min()), int(rows["replications"].max())
    return SOURCE.format(n=f"{low:,}" if low == high else f"{low:,} to {high:,}")


def coverage(rows: pd.DataFrame, *, title: str, name: str, by: list[str] | None = None, caption: str = "") -> Figure:
    """Actual coverage of intervals that say 95 %, one mark a row with its own interval.

    rows: of `tables.load("coverage")`, one measure; by: the columns that tell the rows apart, in the order shown.
    """
    rules = [(NOMINAL, [1, 0], "95 % promised"), (LEAST, [4, 3], "90 %, labelled below")]
    shown = _named(rows, by or ["method", "truth", "n", "noise"])
    floor = max(0.0, min(0.8, float(shown["low"].min()) - 0.02))
    chart = _dots(shown, rules, alt.Scale(domain=[floor, 1.0]), "share of intervals that hold the truth")
    return figure(
        chart,
        title=title,
        alt="Share of intervals that hold the planted truth, a mark a setting; lines at 95 % and 90 %.",
        source=source(rows),
        n=f"{len(rows)} settings",
        name=name,
        rows=rows,
        caption=caption or "Solid: 95 %, as the interval says. Dashed: 90 %. Triangles: labelled as covering less.",
    )


def false_verdicts(
    rows: pd.DataFrame, *, title: str, name: str, by: list[str] | None = None, caption: str = ""
) -> Figure:
    """How often a positive verdict falls where nothing was planted, one mark a row with its own interval."""
    shown = _named(rows, by or ["method", "truth", "n", "noise"])
    top = max(0.12, float(shown["high"].max()) + 0.01)
    rules = [(MOST, [4, 3], "5 %")]
    chart = _dots(shown, rules, alt.Scale(domain=[0.0, min(1.0, top)]), "share of wrong verdicts")
    return figure(
        chart,
        title=title,
        alt="Share of verdicts that are wrong where nothing was planted, a mark a setting; a line at 5 %.",
        source=source(rows),
        n=f"{len(rows)} settings",
        name=name,
        rows=rows,
        caption=caption
        or "Dashed: 5 %. Triangles: wrong more often than that, beyond the noise of the simulation. "
        "Squares: the same, of rules of the papers or of textbooks that decide nothing in this book.",
    )


def power(rows: pd.DataFrame, *, title: str, name: str) -> Figure:
    """How often a boundary that is there is called one: a line a depth of the dip, a chart a number of questions.

    rows: part "power" of the coverage table, one estimator.
    """
    shown = rows.assign(depth=rows["truth"].str.extract(r"([\d.]+) points")[0].astype(float).map("{:g} points".format))
    depths = sorted(shown["depth"].unique(), key=lambda text: float(text.split()[0]))
    views = [
        _power_view(shown[shown["noise"] == noise], str(noise), depths) for noise in shown["noise"].drop_duplicates()
    ]
    return figure(
        views,
        title=title,
        alt="Share of planted boundaries that are called, over the number of sizes, one line a depth of the dip.",
        source=source(rows),
        n=f"{len(rows)} settings",
        name=name,
        rows=rows,
        caption="A parabola that falls and rises by so many points over half of the sizes, from 0.07 to 12 billions.",
    )


def grid(rows: pd.DataFrame) -> pd.DataFrame:
    """Every row as a cell of a table: a line a method, truth, noise and measure, a column a number of sizes or rows.

    rows: shares of one part. A cell reads "93 %"; "82 % ▲" where the table's own label says that it is not as promised,
    "82 % □" where that is a rule which decides nothing here.
    """
    marks = _reading(rows).map(lambda said: "" if said == FINE else f"\u00a0{MARKS[said].text}")
    shares = rows["value"].map("{:.1%}".format).str.replace("%", "\u00a0%") + marks
    order = ["measure", "method", "truth", "noise"]
    cells: pd.DataFrame = rows.assign(share=shares)
    if not cells.duplicated(order).any():
        # One number of rows each: a column a number would be mostly empty.
        return cells[[*order, "n", "share"]].reset_index(drop=True)
    wide = cells.pivot_table(index=order, columns="n", values="share", aggfunc="first", sort=False)
    wide = wide[sorted(wide.columns)]
    wide.columns = [f"n\u00a0=\u00a0{n}" for n in wide.columns]
    return wide.reset_index().fillna("")


def numbers(rows: pd.DataFrame, *, caption: str) -> HTML:
    """`grid` as a table that scrolls inside itself once it is long: every row is on the page, and prints."""
    made = table(grid(rows), caption=caption)
    return HTML(str(made.data).replace('class="cape-table"', 'class="cape-table cape-long"', 1))


def few_families() -> str:
    """What a reader must know of the intervals that cannot resample families."""
    return f"A side with fewer than eight families has Fisher's interval instead, {mark(*RELATIVES)}."


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
    many = f"{int(bad.sum())} of {len(rows)} {'is' if bad.sum() == 1 else 'are'} labelled"
    many += (
        f", {idle} of them {'a rule' if idle == 1 else 'rules'} that decide{'s' * (idle == 1)} nothing here"
        if idle
        else ""
    )
    return f"{many}; the furthest off is {where}: {worst['value']:.0%}."


def _power_view(rows: pd.DataFrame, noise: str, depths: list[str]) -> Any:
    drawn = band(
        rows.assign(estimate=rows["value"]),
        alt.X("n:Q", title="sizes", scale=alt.Scale(zero=False), axis=alt.Axis(tickMinStep=1)),
        upright("estimate", "power", [0, 1], percent=True),
        colour=colours("depth", dict(zip(depths, PALETTE, strict=False)), title="depth"),
        tooltip=["depth", "n", *rounded(".0%", "value")],
        point=True,
    )
    return drawn.properties(height=240, title=noise)


def _named(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The rows with a name of their own each, from the columns that differ."""
    telling = [column for column in by if rows[column].nunique() > 1] or by[:1]
    words = {column: ("n\u00a0=\u00a0" if column == "n" else "") + rows[column].astype(str) for column in telling}
    name = words[telling[0]]
    for column in telling[1:]:
        name = name + ", " + words[column]
    return rows.assign(setting=name.map(typeset), reading=_reading(rows))


def _reading(rows: pd.DataFrame) -> pd.Series:
    """What a row says to a reader: as promised, labelled, or labelled and without a say."""
    bad, idle = rows["label"].fillna("").ne(""), rows["role"].eq("compared")
    return pd.Series(FINE, index=rows.index).mask(bad, LABELLED).mask(bad & idle, COMPARED)


def _dots(shown: pd.DataFrame, rules: list[tuple[float, list[int], str]], scale: alt.Scale, title: str) -> Any:
    colour, shape = mark_scales([kind for kind in (FINE, LABELLED, COMPARED) if (shown["reading"] == kind).any()])
    lines = [
        alt.Chart(pd.DataFrame({"value": [at], "what": [what]}))
        .mark_rule(color=INK, strokeDash=dash)
        .encode(x=alt.X("value:Q", scale=scale), tooltip="what")
        for at, dash, what in rules
    ]
    names = alt.Axis(labelLimit=330, grid=True, gridColor=GRID)
    dots = forest(
        shown,
        alt.Y("setting:N", sort=None, title=None, axis=names),
        alt.X("value:Q", scale=scale, title=title, axis=alt.Axis(format="%")),
        colour=alt.Color("reading:N", scale=colour, title=None),
        shape=alt.Shape("reading:N", scale=shape, title=None),
        tooltip=["setting", *rounded(".1%", "value"), "replications:Q", "reading"],
        rule=None,
        height=20,
    )
    return alt.layer(*lines, dots)
