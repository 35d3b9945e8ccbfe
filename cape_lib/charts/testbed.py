"""Figures of the testbed (chapter 3): made worlds in which the dip can be made, moved and watched."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.frame import INK, PALETTE, Figure, figure
from cape_lib.charts.look import AMBER, BLUE, PURPLE, TWO_SIDES
from cape_lib.stats import Estimate

SOURCE = "[testbed](../book/data.html#testbed), models trained for this book"
CORPORA = {"D": "most web authors believe the myths", "K": "one in five believes them"}
PERCENT = alt.Axis(format="%")


def width_axis(values: pd.Series) -> alt.X:
    """The width of the models on a log scale, ticks where there are models."""
    shown = sorted(set(values.tolist()))
    return alt.X(
        "width:Q",
        title="width of the model",
        axis=alt.Axis(values=shown, grid=False),
        scale=alt.Scale(type="log", nice=False),
    )


def share_axis(column: str, title: str) -> alt.Y:
    """A share from nothing to all, in percent."""
    return alt.Y(f"{column}:Q", title=title, axis=PERCENT, scale=alt.Scale(domain=[0, 1]))


def ladders(scores: pd.DataFrame) -> Figure:
    """Truth against width in the two corpora: a point a seed, a line through the means.  scores: `testbed_scores`."""
    rows = scores[scores["ladder"].isin(CORPORA)].assign(corpus=scores["ladder"].map(CORPORA))
    means = rows.groupby(["corpus", "width"], as_index=False)["truth"].mean()
    colour = alt.Color("corpus:N", title=None, scale=alt.Scale(domain=list(CORPORA.values()), range=[AMBER, BLUE]))
    base = alt.Chart(means).encode(
        x=width_axis(rows["width"]), y=share_axis("truth", "right answers to contested questions")
    )
    points = (
        alt.Chart(rows)
        .mark_point(size=40, opacity=0.9)
        .encode(
            x=width_axis(rows["width"]),
            y=share_axis("truth", "right answers to contested questions"),
            color=colour,
            shape=alt.Shape("corpus:N", title=None, scale=alt.Scale(domain=list(CORPORA.values()))),
            tooltip=["name:N", alt.Tooltip("truth:Q", format=".2f"), "parameters:Q"],
        )
    )
    made, few = (means[means["corpus"] == CORPORA[name]].set_index("width")["truth"] for name in ("D", "K"))
    return figure(
        base.mark_line().encode(color=colour) + points,
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
    colour = alt.Color("seed:N", scale=alt.Scale(range=PALETTE[:3]))
    top = (
        alt.Chart(rows)
        .mark_line(point=True)
        .encode(
            x=width_axis(rows["width"]),
            y=alt.Y("loss:Q", title="loss (nats a token)", scale=alt.Scale(zero=False)),
            color=colour,
            tooltip=["name:N", alt.Tooltip("loss:Q", format=".3f")],
        )
    )
    low = (
        alt.Chart(rows)
        .mark_line(point=True)
        .encode(
            x=width_axis(rows["width"]),
            y=share_axis("truth", "right answers"),
            color=colour,
            tooltip=["name:N", alt.Tooltip("truth:Q", format=".2f")],
        )
    )
    steps = rows.sort_values(["seed", "width"]).groupby("seed")["loss"].diff().dropna()
    down, most = int((steps < 0).sum()), float(steps.max())
    rise = "" if down == len(steps) else f" (it rises by at most {most:.3f} nats)"
    return figure(
        [top, low],
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
    colour = alt.Color(
        "share_of:N",
        title=word,
        sort=order,
        scale=alt.Scale(domain=order, range=[AMBER, PURPLE, BLUE, INK][: len(order)]),
    )
    y = share_axis("truth", "right answers to contested questions")
    drawn = (
        alt.Chart(kept)
        .mark_line(point=alt.OverlayMarkDef(size=55))
        .encode(
            x=width_axis(grid["width"]),
            y=y,
            color=colour,
            tooltip=[
                "width:Q",
                "believers:Q",
                "ref:Q",
                alt.Tooltip("truth:Q", format=".2f"),
                alt.Tooltip("myth:Q", format=".2f"),
            ],
        )
    )
    chance = alt.Chart(pd.DataFrame({"truth": [CHANCE]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(y=y)
    found = corpora_that_dip(grid)
    below = found[found["below_chance"]]
    title = f"In {len(below)} of {len(found)} corpora some width falls below chance"
    if len(below):
        title += f", in none with fewer than {below['believers'].min():.0%} believers"
    return figure(
        chance + drawn,
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
    colour = alt.Color("budget:N", title=None, scale=alt.Scale(domain=names, range=list(TWO_SIDES)))
    means = kept.groupby(["budget", "width"], as_index=False)["truth"].mean()
    y = share_axis("truth", "right answers to contested questions")
    line = alt.Chart(means).mark_line().encode(x=width_axis(rows["width"]), y=y, color=colour)
    points = (
        alt.Chart(kept)
        .mark_point(size=45)
        .encode(
            x=width_axis(rows["width"]),
            y=y,
            color=colour,
            shape=alt.Shape("budget:N", title=None, scale=alt.Scale(domain=names)),
            tooltip=["name:N", "width:Q", "feed_forward:Q", "parameters:Q", alt.Tooltip("truth:Q", format=".2f")],
        )
    )
    gain = f"{100 * trend.estimate:+.0f} points a doubling [{100 * trend.low:+.0f}, {100 * trend.high:+.0f}]"
    if trend.low > 0 or trend.high < 0:
        title = f"At one number of parameters the right answers still move with the width: {gain}"
    else:
        title = f"At one number of parameters no trend with the width is sure: {gain}"
    return figure(
        line + points,
        title=title,
        alt="Share of right answers against width at two fixed numbers of parameters, one point a seed, lines through "
        "the means.",
        source=SOURCE,
        n=f"{len(rows)} models, {kept['seed'].nunique()} seeds",
        rows=kept,
        name="fixed-parameters",
    )
