"""Figures of the testbed (chapter 3): made worlds in which the dip can be made, moved and watched."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.axes import colours, rounded, shapes, upright
from cape_lib.charts.forest import line_at
from cape_lib.charts.frame import INK, PALETTE, Figure, figure
from cape_lib.charts.look import AMBER, BLUE, PURPLE, TWO_SIDES
from cape_lib.stats import Estimate

SOURCE = "[testbed](../book/data.html#testbed), models trained for this book"
CORPORA = {"D": "most web authors believe the myths", "K": "one in five believes them"}
RIGHT = "right answers to contested questions"


def width_axis(values: pd.Series) -> alt.X:
    """The width of the models on a log scale, ticks where there are models."""
    shown = sorted(set(values.tolist()))
    return alt.X(
        "width:Q",
        title="width of the model",
        axis=alt.Axis(values=shown, grid=False),
        scale=alt.Scale(type="log", nice=False),
    )


def by_width(rows: pd.DataFrame, share: str, kind: str, words: dict[str, str], title: str, tooltip: list[Any]) -> Any:
    """A share against the width of the model: a point a seed, a line through the means of each kind.

    rows: columns width, `share` (0-1) and `kind`;  words: kind -> colour;  title: of the share.
    """
    x, y, colour = width_axis(rows["width"]), upright(share, title, [0, 1], percent=True), colours(kind, words)
    means = rows.groupby([kind, "width"], as_index=False)[share].mean()
    marks = shapes(kind, dict(zip(words, ("circle", "square"), strict=True)))
    lines = alt.Chart(means).mark_line().encode(x=x, y=y, color=colour)
    points = alt.Chart(rows).mark_point(size=45, opacity=0.9)
    return alt.layer(lines, points.encode(x=x, y=y, color=colour, shape=marks, tooltip=tooltip))


def ladders(scores: pd.DataFrame) -> Figure:
    """Truth against width in the two corpora: a point a seed, a line through the means.  scores: `testbed_scores`."""
    rows = scores[scores["ladder"].isin(CORPORA)].assign(corpus=scores["ladder"].map(CORPORA))
    means = rows.groupby(["corpus", "width"], as_index=False)["truth"].mean()
    made, few = (means[means["corpus"] == CORPORA[name]].set_index("width")["truth"] for name in ("D", "K"))
    shade = dict(zip(CORPORA.values(), (AMBER, BLUE), strict=True))
    return figure(
        by_width(rows, "truth", "corpus", shade, RIGHT, ["name:N", *rounded(".2f", "truth"), "parameters:Q"]),
        title=f"Right answers fall to {made.min():.0%} at width {made.idxmin()} and rise to {made.iloc[-1]:.0%} at "
        f"width {made.index[-1]}; with few believers {len(few)} widths have {few.min():.0%} or more",
        alt="Share of right answers against the width of the model, one point a seed. With mostly believing authors it "
        "falls and rises again; with few believers it stays high.",
        source=SOURCE,
        n=f"{len(rows)} models",
        rows=rows,
        name="made-ladders",
    )


def loss_and_truth(scores: pd.DataFrame) -> Figure:
    """Loss against width beside truth against width, ladder D, a line a seed."""
    rows = scores[scores["ladder"] == "D"].assign(seed=scores["seed"].astype(str))
    axes = (
        alt.Y("loss:Q", title="loss (nats a token)", scale=alt.Scale(zero=False)),
        upright("truth", "right answers", [0, 1], percent=True),
    )
    base = alt.Chart(rows).mark_line(point=True)
    base = base.encode(x=width_axis(rows["width"]), color=alt.Color("seed:N", scale=alt.Scale(range=PALETTE[:3])))
    panels = [
        base.encode(y=axis, tooltip=["name:N", *rounded(form, column)])
        for axis, column, form in zip(axes, ("loss", "truth"), (".3f", ".2f"), strict=True)
    ]
    steps = rows.sort_values(["seed", "width"]).groupby("seed")["loss"].diff().dropna()
    down, most = int((steps < 0).sum()), float(steps.max())
    rise = "" if down == len(steps) else f" (it rises by at most {most:.3f} nats)"
    return figure(
        panels,
        title=f"The loss falls in {down} of {len(steps)} steps{rise}; the right answers fall and rise",
        alt="Two panels by width, a line a seed: the loss falls and levels off, the right answers fall and rise.",
        source=SOURCE,
        n=f"{len(rows)} models",
        rows=rows,
        name="loss-through-the-dip",
    )


#: What guessing among four candidates gives.
CHANCE = 0.25


def corpora_that_dip(grid: pd.DataFrame) -> pd.DataFrame:
    """One row a corpus (believers, ref): lowest and highest share right over the widths, and the width of the lowest.

    grid: the curation rows of `testbed_grid`.
    """
    rows = []
    for (believers, ref), cell in grid.groupby(["believers", "ref"]):
        least = cell.sort_values("truth").iloc[0]
        rows.append(
            {"believers": believers, "ref": ref, "lowest": float(least["truth"]), "at": int(least["width"]),
             "highest": float(cell["truth"].max()), "below_chance": bool(least["truth"] < CHANCE)}
        )  # fmt: skip
    return pd.DataFrame(rows)


#: column of the grid -> what its lines are called, and what its share is a share of
GRID_LINES = {"ref": ("reliable text", "of reliable text"), "believers": ("believers", "of believers")}


def dip_reading(cell: pd.DataFrame, *, lines: str = "ref") -> str:
    """What one setting of the slider shows, in a sentence.

    cell: the rows of one share of believers, or of one share of reliable text where `lines` is "believers".
    """
    found = corpora_that_dip(cell)
    below = found[found["below_chance"]]
    if not len(below):
        return f"No width falls below chance ({CHANCE:.0%}); the lowest share is {found['lowest'].min():.0%}."
    worst = below.sort_values("lowest").iloc[0]
    *most, last = [f"{share:.0%}" for share in below[lines]]
    shares = f"{', '.join(most)} and {last}" if most else last
    return (
        f"Below chance ({CHANCE:.0%}) with {shares} {GRID_LINES[lines][1]}; lowest at width {worst['at']}: "
        f"{worst['lowest']:.0%} right."
    )


def dip_grid(rows: pd.DataFrame, *, grid: pd.DataFrame, lines: str = "ref") -> Figure:
    """Truth against width, a line for each share of reliable text or of believers (for `explore`: the other share).

    rows: `testbed_grid` of one share of believers, of one share of reliable text where `lines` is "believers";  grid:
    of all, for the title.
    """
    word, kept = GRID_LINES[lines][0], rows.assign(share_of=(100 * rows[lines]).round().astype(int).astype(str) + " %")
    order = [f"{round(100 * share)} %" for share in sorted(set(grid[lines]))]
    lines_drawn = alt.Chart(kept).mark_line(point=alt.OverlayMarkDef(size=55))
    lines_drawn = lines_drawn.encode(
        x=width_axis(grid["width"]),
        y=upright("truth", RIGHT, [0, 1], percent=True),
        color=colours("share_of", dict(zip(order, (AMBER, PURPLE, BLUE, INK), strict=False)), title=word),
        tooltip=["width:Q", "believers:Q", "ref:Q", *rounded(".2f", "truth", "myth")],
    )
    found = corpora_that_dip(grid)
    below = found[found["below_chance"]]
    title = f"In {len(below)} of {len(found)} corpora some width falls below chance"
    if len(below):
        title += f", in none with fewer than {below['believers'].min():.0%} believers"
    return figure(
        alt.layer(line_at(CHANCE, "y", dashed=True), lines_drawn),
        title=title,
        alt=f"Share of right answers against width, one line for each share of {word}, and a dashed rule at the "
        f"25 % of a guess; the slider sets the share of "
        + ("authors who believe the myths." if lines == "ref" else "reliable text."),
        source=SOURCE,
        n=f"{len(grid)} models, one seed each",
        rows=kept,
        name="dip-grid" if lines == "ref" else "dip-grid-reliable",
    )


def fixed_parameters(rows: pd.DataFrame, *, trend: Estimate) -> Figure:
    """Truth against width at a fixed number of parameters, a point a seed.

    rows: `testbed_grid`, that experiment;  trend: change of the share right a doubling of the width.
    """
    kept = rows.assign(budget=(rows["parameters"] / 1000).round().astype(int).astype(str) + " thousand parameters")
    names = sorted(kept["budget"].unique())
    tooltip = ["name:N", "width:Q", "feed_forward:Q", "parameters:Q", *rounded(".2f", "truth")]
    gain = f"{100 * trend.estimate:+.0f} points a doubling [{100 * trend.low:+.0f}, {100 * trend.high:+.0f}]"
    if trend.low > 0 or trend.high < 0:
        title = f"At one number of parameters the right answers still move with the width: {gain}"
    else:
        title = f"At one number of parameters no trend with the width is sure: {gain}"
    return figure(
        by_width(kept, "truth", "budget", dict(zip(names, TWO_SIDES, strict=True)), RIGHT, tooltip),
        title=title,
        alt="Share of right answers against width at two fixed numbers of parameters, one point a seed, lines through "
        "the means.",
        source=SOURCE,
        n=f"{len(rows)} models, {kept['seed'].nunique()} seeds",
        rows=kept,
        name="fixed-parameters",
    )
