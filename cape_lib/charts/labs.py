"""Figures of chapter 6 that set the labs side by side: their slopes, the error without them, their paths in time."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.axes import across, colours, rounded, row_names, sides
from cape_lib.charts.forest import forest, line_at
from cape_lib.charts.frame import INK, MUTED, Figure, figure
from cape_lib.charts.frontier import H_TOOLTIP, KEPT, lab_colour
from cape_lib.charts.look import BLUE, GREY
from cape_lib.charts.naming import named


def means(table: pd.DataFrame, *, title: str, source: str) -> Figure:
    """Mean h of each lab of two releases or more, with its interval.  table: `frontier.lab_means`;  title: finding."""
    table = table[table["n"] > 1]
    rows = table.rename(columns={"mean": "estimate"}).assign(row=table["lab"] + " (" + table["n"].astype(str) + ")")
    return figure(
        forest(
            rows.drop(columns="same_sign"),
            row_names("row"),
            across("estimate", "mean h (points)"),
            colour=lab_colour(list(rows["lab"]), legend=False),
            tooltip=["lab:N", "n:Q", *rounded("+.1f", "estimate", "low", "high")],
        ),
        title=title,
        alt="Mean h of each lab's core releases with its 95 percent interval, highest on top.",
        source=source,
        n=f"{int(rows['n'].sum())} releases of {len(rows)} labs",
        name="lab-means",
        caption="In brackets: core releases. h is measured from the line fitted to all these rows.",
    )


def slopes(table: pd.DataFrame, *, common: float, source: str) -> Figure:
    """Each lab's own slope with its interval, and the slope shrunk towards the common one.

    table: `frontier.shrunken_slopes`;  common: the slope over all releases.
    """
    kinds = {"own": ["slope", "low", "high"], "partly pooled": ["shrunk", "shrunk_low", "shrunk_high"]}
    parts = [
        table[["lab", "n", *columns]].set_axis(["lab", "n", "slope", "low", "high"], axis=1).assign(estimate=kind)
        for kind, columns in kinds.items()
    ]
    order = list(table.sort_values("slope", ascending=False)["lab"])
    key = alt.Legend(symbolFillColor=INK, symbolStrokeColor=INK)
    apart = table["slope"].max() / table["slope"].min()
    return figure(
        forest(
            pd.concat(parts, ignore_index=True),
            row_names("lab", order),
            across("slope", "slope (GPQA points per SWE-bench point)"),
            colour=lab_colour(order, legend=False),
            shape=alt.Shape("estimate:N", sort=list(kinds), legend=key),
            offset=sides("estimate", list(kinds)),
            tooltip=["lab", "n", "estimate", *rounded(".2f", "slope"), "low", "high"],
            rule=common,
            dashed=True,
            height=55,
        ),
        title=(
            f"Lab slopes differ {apart:.1f} fold, on {int(table['n'].min())} to {int(table['n'].max())} releases each"
        ),
        alt=(
            "Slope of each lab with its 95 percent interval, alone and partly pooled; the dashed line "
            "is the common slope."
        ),
        source=source,
        n=f"{len(table)} labs, {int(table['n'].sum())} releases",
        name="lab-slopes",
        caption="Dashed: the slope over all releases.",
    )


def held_out_labs(table: pd.DataFrame, *, source: str) -> Figure:
    """Error on each lab when the line is fitted without it, beside the error of a flat guess."""
    words = {"error": "the line", "error_flat": "the mean of the others"}
    long = table.melt(["lab", "n"], list(words), var_name="guess", value_name="points")
    long["guess"] = long["guess"].map(words)
    wins = int((table["error"] < table["error_flat"]).sum())
    bars = alt.Chart(long).mark_bar(height={"band": 0.85})
    bars = bars.encode(
        y=alt.Y("lab:N", title=None),
        yOffset="guess:N",
        x=across("points", "mean absolute error (points)"),
        color=colours("guess", dict(zip(words.values(), (BLUE, GREY), strict=True)), title="guess"),
        tooltip=["lab", "guess", *rounded(".1f", "points"), "n"],
    )
    return figure(
        bars.properties(height=40 * len(table)),
        title=f"Fitted without a lab, the line beats a flat guess for {wins} of {len(table)} labs",
        alt="Mean absolute error on each left-out lab, for the line and for the mean of the other labs.",
        source=source,
        n=f"{len(table)} labs with at least three releases",
        name="held-out-labs",
    )


def paths_of_labs(table: pd.DataFrame, *, own: str = "", source: str) -> Figure:
    """h of each lab's releases over time, one lab picked out, changes named by the papers' rule and by ours.

    table: `frontier.trajectories`.
    """
    undated = int(table["released"].isna().sum())
    table = table.dropna(subset=["released"])
    labs = sorted(table["lab"].unique())
    start = own if own in labs else "DeepSeek" if "DeepSeek" in labs else labs[0]
    pick = alt.param(name="lab_path", value=start, bind=alt.binding_select(options=labs, name="lab "))
    mine = "datum.lab === lab_path"
    columns = [*KEPT, "released", "kind", "papers_kind", "change"]
    shown = table[columns].assign(released=table["released"].dt.strftime("%Y-%m-%d"))
    x, y = alt.X("released:T", title="release date"), alt.Y("h:Q", title="h (points)")
    base = alt.Chart(shown).encode(x=x, y=y)
    one = base.transform_filter(mine)
    points = one.mark_point(filled=True, size=90, opacity=1).encode(
        tooltip=[*H_TOOLTIP, "kind", "papers_kind", *rounded("+.1f", "change")],
        shape=alt.Shape("papers_kind:N", title="change"),
    )
    only = alt.condition(mine, alt.value(1), alt.value(0))
    words = shown[["model", "lab", "released", "h"]]
    jumps = table["change"].abs() > 10
    sure = table["kind"].isin(["step", "excursion", "open"])
    return figure(
        alt.layer(
            line_at(0, "y"),
            base.mark_circle(color=MUTED, opacity=0.2, size=30),
            one.mark_rule(opacity=0.3, strokeWidth=3).encode(y="h_low:Q", y2="h_high:Q"),
            one.mark_line(strokeWidth=2),
            points,
            *named(words, x, y, "model", height=340, around=[words], by="lab", opacity=only),
        )
        .add_params(pick)
        .properties(height=340),
        title=(
            f"{int(jumps.sum())} of {int((table['order'] > 1).sum())} changes from one release to the "
            f"next exceed ten points, {int(sure.sum())} the scatter of a lab's releases"
        ),
        alt="h over time for one lab chosen from a list, with the prediction interval of each release.",
        source=source,
        n=f"{len(table)} releases of {len(labs)} labs",
        name="paths-of-labs",
        caption="Bars: 95 % prediction interval about h. Grey: the other labs. Shapes: the papers' rule."
        + (f" Without a date of release, and so not drawn: {undated}." if undated else ""),
    )
