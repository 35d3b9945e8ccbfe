"""Figures of the pages on data quality and on trust: what was checked and moved, how often an interval is right."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, colours, forest, line_at, row_names, same_axis
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import GRID
from cape_lib.signs import typeset
from cape_lib.story.trust import COMPARED, FINE, LABELLED, reading, source

NOMINAL, LEAST, MOST = 0.95, 0.90, 0.05
BY = ("method", "truth", "n", "noise")


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
    shown = rows.assign(setting=names, reading=reading(rows))
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
