"""Figures of the pages on data quality and on trust: what was checked and moved, how often an interval is right."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML

from cape_lib.charts import forms
from cape_lib.charts.forms import across, colours, forest, line_at, row_names, same_axis
from cape_lib.charts.frame import Figure, figure, inline
from cape_lib.charts.look import GRID
from cape_lib.charts.tabular import table
from cape_lib.signs import MARKS, typeset
from cape_lib.story.answer import verb
from cape_lib.tables import label

#: what the shape of a mark says; the colour only repeats it
FINE, LABELLED, COMPARED = "as promised", "labelled", "labelled; decides nothing here"
NOMINAL, LEAST, MOST = 0.95, 0.90, 0.05
BY = ("method", "truth", "n", "noise")
SOURCE = "[table `coverage`](../book/data.html), {n} replications a row"


def difference_table(effects: pd.DataFrame, cells: pd.DataFrame) -> HTML:
    """Every difference with the address where the new value stands, as an HTML table.

    effects: `frontier.cell_effects`;  cells: `tables.load("frontier_cells")` with source, read_via, reason.
    """
    about = [name for name in ("status", "source", "read_via", "reason") if name in cells]
    rows = effects.merge(cells[["model", "benchmark", *about]], on=["model", "benchmark"], how="left")
    lines = [
        {
            "model": row["model"],
            "benchmark": label(str(row["benchmark"])),
            "published": f"{row['before']:.1f}",
            "now": "no source" if pd.isna(row["after"]) else f"{row['after']:.1f}",
            "h": "" if pd.isna(row["h_after"]) else f"{row['h_before']:+.1f}\u00a0→\u00a0{row['h_after']:+.1f}",
            "why": HTML(f'<div class="cape-wide">{inline(str(row.get("reason") or ""))}</div>'),
            "where": HTML(f'<div class="cape-wide">{_where(row)}</div>'),
        }
        for row in rows.to_dict("records")
    ]
    return table(pd.DataFrame(lines), caption="Every difference with its source")


def _where(row: dict[Hashable, Any]) -> str:
    """The address of a cell's source as a link, with the transcription of a third party that it was read in.

    A transcription is an address or a file of a repository: a link too.
    """
    address, via = str(row.get("source") or ""), row.get("read_via")
    stated = inline(f"[source]({address})" if address.startswith("http") else address)
    if not isinstance(via, str) or not via:
        return stated
    if file := re.match(r"github\.com/([^@\s]+)@(\w+) (\S+)", via):
        via = f"[{file[1]}](https://github.com/{file[1]}/blob/{file[2]}/{file[3]})"
    elif page := re.match(r"(?:https://)?([\w.-]+\.\w+/[^\s,]+)", via):
        name = "/".join(page[1].removeprefix("github.com/").split("/")[:2])
        via = f"[{name}](https://{page[1]})"
    return f"{stated} <small>(read in {inline(via)})</small>"


def source(rows: pd.DataFrame) -> str:
    """The source line of rows of the coverage table, with how many replications they rest on."""
    ends = [f"{n:,}" for n in sorted({int(rows["replications"].min()), int(rows["replications"].max())})]
    return SOURCE.format(n=" to ".join(ends))


def rates(rows: pd.DataFrame, *, title: str, name: str, by: Sequence[str] = BY, caption: str = "") -> Figure:
    """How often intervals that say 95 % hold the truth, or a verdict falls where nothing was planted: a mark a row.

    rows: of `tables.load("coverage")`, one kind of measure;  by: the columns that tell the rows apart, in the order
    shown;  caption: default what the rules and shapes mean.
    """
    if rows["measure"].str.startswith("coverage").all():
        rules = {NOMINAL: "95 % promised", LEAST: "90 %, labelled below"}
        ends, what = [max(0.0, min(0.8, float(rows["low"].min()) - 0.02)), 1.0], "intervals that hold the truth"
        meaning = "Solid: 95 %, as the interval says. Dashed: 90 %. Triangles: labelled as covering less."
    else:
        rules = {MOST: "5 %"}
        ends, what = [0.0, min(1.0, max(0.12, float(rows["high"].max()) + 0.01))], "wrong verdicts"
        meaning = (
            "Dashed: 5 %. Triangles: wrong more often than that, beyond the noise of the simulation. Squares: the "
            "same, of rules of the papers or of textbooks that decide nothing in this book."
        )
    x = across("value", f"share of {what}", ends, percent=True)
    telling = [column for column in by if rows[column].nunique() > 1] or list(by[:1])
    words = {column: ("n\u00a0=\u00a0" if column == "n" else "") + rows[column].astype(str) for column in telling}
    names = pd.DataFrame(words).agg(", ".join, axis=1).map(typeset)
    shown = rows.assign(setting=names, reading=_reading(rows))
    kinds = [kind for kind in (FINE, LABELLED, COMPARED) if (shown["reading"] == kind).any()]
    lines = [
        line_at(at, "x", dashed=at != NOMINAL).encode(x=same_axis(x, "at"), tooltip=alt.TooltipValue(word))
        for at, word in rules.items()
    ]
    y = row_names("setting", labelLimit=330, grid=True, gridColor=GRID)
    shown = shown[["setting", "value", "low", "high", "replications", "reading"]]
    dots = forest(shown, y, x, tooltip="replications", rule=None, **forms.signs("reading", kinds))
    chart, n = alt.layer(*lines, dots), f"{len(rows)} settings"
    return figure(chart, name, title, source(rows), n, caption or meaning, rows=rows)


def power(rows: pd.DataFrame, *, title: str, name: str) -> Figure:
    """How often a boundary that is there is called one: a line a depth of the dip, a chart a number of questions.

    rows: part "power" of the coverage table, one estimator.
    """
    shown = rows.assign(depth=rows["truth"].str.extract(r"([\d.]+) points")[0].astype(float).map("{:g} points".format))
    depths = sorted(shown["depth"].unique(), key=lambda text: float(text.split()[0]))
    x = across("n", "sizes", zero=False).axis(tickMinStep=1)
    y, depth = forms.upright("value", "power", [0, 1], percent=True), colours("depth", depths, title="depth")
    views = [
        forms.band(part, x, y, colour=depth, point=True).properties(title=str(noise))
        for noise, part in shown.groupby("noise", sort=False)
    ]
    caption = "A parabola that falls and rises by so many points over half of the sizes, from 0.07 to 12 billions."
    return figure(views, name, title, source(rows), f"{len(rows)} settings", caption, rows=rows, height=240)


def numbers(rows: pd.DataFrame, *, caption: str) -> HTML:
    """Every row as a cell of a table: a line a method, truth, noise and measure, a column a number of sizes or rows.

    rows: shares of one part. A cell reads "93 %"; "82 % ▲" where the table's own label says that it is not as promised,
    "82 % □" where that is a rule which decides nothing here. The file holds the shares (0-1) with their intervals.
    """
    marks = _reading(rows).map({FINE: ""} | {word: f"\u00a0{MARKS[word].text}" for word in (LABELLED, COMPARED)})
    cells = rows.assign(share=rows["value"].map("{:.1%}".format).str.replace("%", "\u00a0%") + marks)
    order = ["measure", "method", "truth", "noise"]
    offered = rows[[*order, "n", "value", "low", "high", "replications", "label", "role"]]
    if not cells.duplicated(order).any():
        # One number of rows each: a column a number would be mostly empty.
        return table(cells[[*order, "n", "share"]], caption=caption, rows=offered)
    wide = cells.pivot_table(index=order, columns="n", values="share", aggfunc="first", sort=False)
    wide = wide[sorted(wide.columns)]
    shown = wide.rename(columns="n\u00a0=\u00a0{}".format).reset_index().fillna("")
    return table(shown, caption=caption, rows=offered)


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


def _reading(rows: pd.DataFrame) -> pd.Series:
    """What a row says to a reader: as promised, labelled, or labelled and without a say."""
    bad, idle = rows["label"].fillna("").ne(""), rows["role"].eq("compared")
    return pd.Series(FINE, index=rows.index).mask(bad, LABELLED).mask(bad & idle, COMPARED)
