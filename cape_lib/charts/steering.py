"""Figures of chapter 5, recorded part: what was counted, how sure it is, and how much more would have been needed."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import ndtri

from cape_lib.charts.axes import across, colours, rounded, row_names, shapes, upright
from cape_lib.charts.forest import forest, line_at
from cape_lib.charts.frame import GRID, INK, Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY
from cape_lib.stats import wilson

#: Half of an interval with which one can tell 60 % from 40 % (points).
WANTED = 10.0
SOURCE = "[steering totals](../book/data.html#other-tables), as released"


def with_intervals(totals: pd.DataFrame) -> pd.DataFrame:
    """Share of changed texts with Wilson's interval, percent.  totals: `tables.load("steering_totals")`."""
    shares = [wilson(int(k), int(n)) for k, n in zip(totals["n_changed"], totals["n_total"], strict=True)]
    return totals.assign(
        percent=[100 * share.estimate for share in shares],
        low=[100 * share.low for share in shares],
        high=[100 * share.high for share in shares],
        records=totals["has_records"].map({True: "prompts recorded", False: "totals only"}),
    )


def runs(totals: pd.DataFrame) -> Figure:
    """Every run: the share of texts that changed, with its interval.  totals: from `with_intervals`."""
    counted = totals["n_changed"].astype(int).astype(str) + " of " + totals["n_total"].astype(str)
    rows = totals.assign(row=totals["model"] + ", " + counted)
    again = rows.groupby("row").cumcount()
    rows["row"] = rows["row"].where(again == 0, rows["row"] + " (" + (again + 1).astype(str) + ")")
    widest, fewest, most = float((totals["high"] - totals["low"]).max()), *totals["n_total"].agg(["min", "max"])
    return figure(
        forest(
            rows,
            row_names("row", limit=180),
            across("percent", "texts that changed (%)", [0, 100]),
            colour=colours("records", {"prompts recorded": BLUE, "totals only": AMBER}),
            shape=shapes("records", {"prompts recorded": "circle", "totals only": "square"}),
            tooltip=["model:N", "run:N", "n_changed:Q", "n_total:Q", *rounded(".0f", "low", "high")],
            rule=None,
            height=26,
        ),
        title=f"{fewest} to {most} prompts a run leave the share open by up to {widest:.0f} points",
        alt="A point with a 95 % interval for each steering run: the percent of texts that changed. Runs whose single"
        " prompts were kept are blue circles, runs with totals only amber squares. Runs on one and the same "
        "model differ widely.",
        source=SOURCE,
        n=f"{len(rows)} runs, {int(rows['n_total'].sum())} prompts",
        rows=totals,
        name="steering-runs",
    )


def trend_null(ways: pd.DataFrame, *, observed: int) -> Figure:
    """All ways to spread the changed texts over the sizes, by their trend, with the published one marked.

    ways: `claims.trend_ways`: trend, share (0-1, if size played no role);  observed: the published trend.
    """
    words = ["as published or further", "less of a trend"]
    rows = ways.assign(far=np.where(ways["trend"] <= observed, *words))
    p = float(rows.loc[rows["trend"] <= observed, "share"].sum())
    ticks = alt.Axis(labelAngle=0, labelOverlap="parity", labelSeparation=4)
    chart = alt.Chart(rows).mark_bar()
    chart = chart.encode(
        x=alt.X("trend:O", title="trend (fewer: more changes at the smaller sizes)", axis=ticks),
        y=upright("share", "probability", percent=True),
        color=colours("far", dict(zip(words, (AMBER, GREY), strict=True))),
        tooltip=["trend:Q", *rounded(".3f", "share")],
    )
    return figure(
        chart,
        title=f"If size played no role, so strong a trend would come up with probability {p:.2f}",
        alt="Bars for the probability of each possible trend over the sizes if size played no role; those as far out "
        "as the published one in amber.",
        source=SOURCE,
        n=f"{len(rows)} possible trends",
        rows=rows,
        name="steering-trend",
    )


def precision(items: np.ndarray, *, share: float) -> pd.DataFrame:
    """Half of Wilson's 95 % interval (points) at a share (0-1) for each number of items."""
    z = float(ndtri(0.975))  # in closed form: an expected count need not be whole
    half = 100 * z * np.sqrt(share * (1 - share) / items + z * z / (4 * items * items)) / (1 + z * z / items)
    table = pd.DataFrame({"items": items, "half": half})
    enough = int(table.loc[table["half"].round(1) <= WANTED, "items"].min())
    table.attrs["reading"] = f"At a true share of {share:.0%}, {enough} misaligned items give ±{WANTED:g} points."
    return table


def needed(rows: pd.DataFrame) -> Figure:
    """Half width of the interval against the number of misaligned items (for `explore`: column share)."""
    line = alt.Chart(rows).mark_line(color=BLUE)
    line = line.encode(
        x=across("items", "misaligned items"),
        y=upright("half", "half of the 95 % interval (points)"),
        tooltip=["items:Q", *rounded(".1f", "half")],
    )
    at_ten = float(rows.loc[rows["items"] == 10, "half"].max())
    ten = alt.Chart(pd.DataFrame({"items": [10]})).mark_rule(color=GRID, strokeWidth=6).encode(x="items:Q")
    return figure(
        alt.layer(ten, line_at(WANTED, "y", colour=INK, dashed=True), line),
        title=f"With ten prompts the share is open by ±{at_ten:.0f} points",
        alt="Half width of the interval falling with the number of items; a grey rule at ten items, a dashed one at "
        "ten points.",
        source="Wilson's interval, no data",
        n="a formula, no data",
        rows=rows,
        name="steering-precision",
    )
