"""Figures of chapter 6 that set the labs side by side: their slopes, the error without them, their paths in time."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.forest import forest
from cape_lib.charts.frame import INK, MUTED, Figure, figure
from cape_lib.charts.frontier import H_TOOLTIP, KEPT, lab_colour


def means(table: pd.DataFrame, *, title: str, source: str) -> Figure:
    """Mean h of each lab of two releases or more, with its interval.  table: `frontier.lab_means`;  title: finding."""
    table = table[table["n"] > 1]
    rows = table.rename(columns={"mean": "estimate"}).assign(row=table["lab"] + " (" + table["n"].astype(str) + ")")
    order = list(rows["row"])
    chart = forest(
        rows.drop(columns="same_sign"),
        alt.Y("row:N", sort=order, title=None),
        alt.X("estimate:Q", title="mean h (points)"),
        colour=lab_colour(list(rows["lab"]), legend=False),
        tooltip=["lab:N", "n:Q", *(alt.Tooltip(f"{one}:Q", format="+.1f") for one in ("estimate", "low", "high"))],
    )
    return figure(
        chart,
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
    names = {"own": ("slope", "low", "high"), "partly pooled": ("shrunk", "shrunk_low", "shrunk_high")}
    parts = [
        table[["lab", "n", *columns]].set_axis(["lab", "n", "slope", "low", "high"], axis=1).assign(estimate=kind)
        for kind, columns in names.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    order = list(table.sort_values("slope", ascending=False)["lab"])
    base = alt.Chart(rows).encode(
        y=alt.Y("lab:N", sort=order, title=None), yOffset=alt.YOffset("estimate:N", sort=list(names))
    )
    bars = base.mark_rule(strokeWidth=4, opacity=0.4).encode(
        x=alt.X("low:Q", title="slope (GPQA points per SWE-bench point)"),
        x2="high:Q",
        color=lab_colour(order, legend=False),
    )
    key = alt.Legend(symbolFillColor=INK, symbolStrokeColor=INK)
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="slope:Q", color=lab_colour(order, legend=False), shape=alt.Shape("estimate:N", sort=list(names), legend=key),
        tooltip=["lab", "n", "estimate", alt.Tooltip("slope:Q", format=".2f"), "low", "high"],
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"slope": [common]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="slope:Q")
    apart = table["slope"].max() / table["slope"].min()
    return figure(
        alt.layer(rule, bars, points).properties(height=55 * len(order)),
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
    long = table.melt(["lab", "n"], ["error", "error_flat"], var_name="guess", value_name="points")
    long["guess"] = long["guess"].map({"error": "the line", "error_flat": "the mean of the others"})
    wins = int((table["error"] < table["error_flat"]).sum())
    bars = alt.Chart(long).mark_bar(height={"band": 0.85}).encode(
        y=alt.Y("lab:N", title=None), yOffset="guess:N",
        x=alt.X("points:Q", title="mean absolute error (points)"),
        color=alt.Color("guess:N", scale=alt.Scale(range=["#0072B2", "#8C8C8C"]), title="guess"),
        tooltip=["lab", "guess", alt.Tooltip("points:Q", format=".1f"), "n"],
    )  # fmt: skip
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
    x = alt.X("released:T", title="release date")
    base = alt.Chart(shown).encode(x=x, y=alt.Y("h:Q", title="h (points)"))
    others = base.mark_circle(color=MUTED, opacity=0.2, size=30)
    bars = base.transform_filter(mine).mark_rule(opacity=0.3, strokeWidth=3).encode(y="h_low:Q", y2="h_high:Q")
    line = base.transform_filter(mine).mark_line(strokeWidth=2)
    points = (
        base.transform_filter(mine)
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            tooltip=[*H_TOOLTIP, "kind", "papers_kind", alt.Tooltip("change:Q", format="+.1f")],
            shape=alt.Shape("papers_kind:N", title="change"),
        )
    )
    names = base.transform_filter(mine).mark_text(dy=-12, fontSize=11, color=INK).encode(text="model:N")
    zero = alt.Chart(pd.DataFrame({"h": [0.0]})).mark_rule(color=INK).encode(y="h:Q")
    jumps = table["change"].abs() > 10
    sure = table["kind"].isin(["step", "excursion", "open"])
    return figure(
        alt.layer(zero, others, bars, line, points, names).add_params(pick).properties(height=340),
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
