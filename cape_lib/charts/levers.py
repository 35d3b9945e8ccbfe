"""Figures of chapter 3: made worlds in which the dip can be moved; width and its null, curated data, architecture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, colours, dots, line_at, row_names, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY, INK, PALETTE, PAPER, PURPLE, TWO_SIDES
from cape_lib.stats import Estimate
from cape_lib.story.answer import listed

#: Readings of an equivalent scale in short
SHORT = {"x": "same HellaSwag", "y": "same TruthfulQA", "residual": "same TruthfulQA for its HellaSwag"}
TESTBED = "[testbed](../book/data.html#testbed), models trained for this book"
CORPORA = {"D": "most web authors believe the myths", "K": "one in five believes them"}
RIGHT = "right answers to contested questions"
#: What guessing among four candidates gives.
CHANCE = 0.25


def width_axis(widths: Iterable[int]) -> alt.X:
    """The width of the models on a log scale, ticks where there are models."""
    axis = across("width", "width of the model", type="log", nice=False)
    return axis.axis(values=sorted(set(widths)), grid=False)


def by_width(rows: pd.DataFrame, kind: str, words: Mapping[str, str]) -> Any:
    """The share right against the width of the model: a point a seed, a line through the means of each kind.

    rows: columns width, truth (0-1) and `kind`;  words: kind -> colour.
    """
    axes = width_axis(rows["width"]), upright("truth", RIGHT, [0, 1], percent=True)
    look = forms.by(kind, words, marks=("circle", "square"))
    means = rows.groupby([kind, "width"])["truth"].mean().reset_index()
    return trace(means, *axes, colour=look["colour"]) + dots(rows, *axes, size=45, filled=False, opacity=0.9, **look)


def ladders(scores: pd.DataFrame, *, reliable: float | None = None) -> Figure:
    """Truth against width in the two corpora: a point a seed, a line through the means.

    scores: `testbed_scores`;  reliable: share of reliable text in both (0-1), for the caption.
    """
    rows = scores[scores["ladder"].isin(CORPORA)].assign(corpus=scores["ladder"].map(CORPORA))
    many, few = (rows[rows["ladder"] == ladder].groupby("width")["truth"].mean() for ladder in CORPORA)
    title = (
        f"Right answers fall to {many.min():.0%} at width {many.idxmin()} and rise to {many.iloc[-1]:.0%} at "
        f"width {many.index[-1]}; with few believers the lowest mean of {len(few)} widths is {few.min():.0%}"
    )
    n = f"{len(rows)} models, {rows['seed'].nunique()} seeds"
    caption = "Line: mean over seeds." + (f" Reliable text: {reliable:.0%} in both corpora." if reliable else "")
    chart = by_width(rows, "corpus", {CORPORA["D"]: AMBER, CORPORA["K"]: BLUE})
    return figure(chart, "made-ladders", title, TESTBED, n, caption, rows=rows)


def loss_and_truth(scores: pd.DataFrame) -> Figure:
    """Loss against width beside truth against width, ladder D, a line a seed."""
    rows = scores[scores["ladder"] == "D"].assign(seed=scores["seed"].astype(str))
    look: dict[str, Any] = {"colour": alt.Color("seed:N", scale=alt.Scale(range=PALETTE[:3])), "point": True}
    loss = upright("loss", "loss (nats a token)", zero=False)
    truth = upright("truth", "right answers", [0, 1], percent=True)
    steps = rows.sort_values(["seed", "width"]).groupby("seed")["loss"].diff().dropna()
    down, most = int((steps < 0).sum()), float(steps.max())
    rise = "" if down == len(steps) else f" (it rises by at most {most:.3f} nats)"
    title = f"The loss falls in {down} of {len(steps)} steps{rise}; the right answers fall and rise"
    charts = [trace(rows, width_axis(rows["width"]), y, **look) for y in (loss, truth)]
    return figure(charts, "loss-through-the-dip", title, TESTBED, f"{len(rows)} models", rows=rows)


def corpora_that_dip(grid: pd.DataFrame) -> pd.DataFrame:
    """One row a corpus (believers, ref): lowest and highest share right over the widths, and the width of the lowest.

    grid: the curation rows of `testbed_grid`.
    """
    cells = grid.sort_values("truth").groupby(["believers", "ref"], as_index=False)
    rows = cells.agg(lowest=("truth", "first"), at=("width", "first"), highest=("truth", "last"))
    return rows.assign(below_chance=rows["lowest"] < CHANCE)


def dip_reading(cell: pd.DataFrame) -> str:
    """What one share of believers shows, in a sentence; cell: its rows."""
    corpora = corpora_that_dip(cell)
    below = corpora[corpora["below_chance"]]
    if not len(below):
        return f"No width falls below chance ({CHANCE:.0%}); the lowest share is {corpora['lowest'].min():.0%}."
    worst = below.sort_values("lowest").iloc[0]
    shares = listed(map("{:.0%}".format, below["ref"]), most=9)
    return (
        f"Below chance ({CHANCE:.0%}) with {shares} of reliable text; lowest at width {worst['at']}: "
        f"{worst['lowest']:.0%} right."
    )


def dip_grid(rows: pd.DataFrame, *, grid: pd.DataFrame) -> Figure:
    """Truth against width, a line for each share of reliable text (for `explore`: the share of believers).

    rows: `testbed_grid` of one share of believers;  grid: of all, for the title.
    """
    order = [f"{100 * share:.0f} %" for share in sorted(set(grid["ref"]))]
    shown = rows.assign(share_of=(100 * rows["ref"]).map("{:.0f} %".format))
    corpora = corpora_that_dip(grid)
    below = corpora[corpora["below_chance"]]
    title = f"In {len(below)} of {len(corpora)} corpora some width falls below chance"
    if len(below):
        title += f", in none with fewer than {below['believers'].min():.0%} believers"
    axes = width_axis(grid["width"]), upright("truth", RIGHT, [0, 1], percent=True)
    colour = colours("share_of", order, (AMBER, PURPLE, BLUE, INK), title="reliable text")
    chart = line_at(CHANCE, "y", dashed=True) + trace(shown, *axes, colour=colour, tooltip="myth", point=True)
    n, caption = f"{len(grid)} models, one seed each", "Dashed: what a guess gives."
    return figure(chart, "dip-grid", title, TESTBED, n, caption, rows=shown)


def fixed_parameters(rows: pd.DataFrame, *, trend: Estimate) -> Figure:
    """Truth against width at a fixed number of parameters, a point a seed.

    rows: `testbed_grid`, that experiment;  trend: change of the share right a doubling of the width.
    """
    shown = rows.assign(budget=(rows["parameters"] / 1000).round().astype(int).astype(str) + " thousand parameters")
    words = dict(zip(sorted(shown["budget"].unique()), TWO_SIDES, strict=True))
    gain = f"{100 * trend.estimate:+.0f} points a doubling [{100 * trend.low:+.0f}, {100 * trend.high:+.0f}]"
    moves = "the right answers still move" if trend.low > 0 or trend.high < 0 else "it is not sure that they move"
    title = f"At one number of parameters {moves} with the width: {gain}"
    n = f"{len(rows)} models, {shown['seed'].nunique()} seeds"
    return figure(by_width(shown, "budget", words), "fixed-parameters", title, TESTBED, n, rows=shown)


def width_and_null(
    table: pd.DataFrame, *, own: str, source: str, title: str = "", name: str = "width-and-null"
) -> Figure:
    """Each ladder's r before and after division by width, on top of what shuffled scores give after the same division.

    table: `levers.width_by_ladder` (for `explore`: with a column `power`);  own: the ladder to name first.
    """
    order = [own, *[name for name in table["ladder"].drop_duplicates() if name != own]]
    names = {"r": "as they are", "r_normalised": "divided by width"}
    points = table.melt([name for name in ("ladder", "n", "power") if name in table], list(names), "scores", "value")
    points["scores"] = points["scores"].map(names)
    null = table.assign(scores="shuffled, then divided", low=table["null_low"], high=table["null_high"])
    words = {"as they are": PAPER, "divided by width": BLUE, "shuffled, then divided": GREY}
    marks = forms.shapes("scores", list(words), ("circle", "circle", "square"))
    y, x = row_names("ladder", order), across("value", "correlation r", [-1, 1])
    shade = colours("scores", words, symbolStrokeColor=BLUE)
    bars = forms.bars(null, forms.same_axis(x, "low"), y, colour=shade, x2="high:Q", height=14, opacity=0.55)
    inside = int(table["r_normalised"].between(table["null_low"], table["null_high"]).sum())
    return figure(
        bars + line_at(0, "x") + dots(points, x, y, colour=shade, shape=marks, size=70, stroke=BLUE, strokeWidth=1.5),
        name,
        title or f"{inside} of {len(table)} families lie where shuffled scores lie after the same division",
        source,
        f"{len(table)} families",
        "Hollow: r of the scores. Filled: after division by width. Grey: 95 % of shuffled scores after it.",
        rows=table,
        height=30 * len(order),
    )
