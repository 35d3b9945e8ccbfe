"""Figures of chapter 6: releases in the plane of coding and reasoning, and what lies off the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.axes import COLUMNS, across, colours, rounded, row_names, same_axis, score_axes, upright
from cape_lib.charts.forest import band, forest, line_at
from cape_lib.charts.frame import INK, LAB_COLOURS, MUTED, PAPER, Figure, colour_scale, figure
from cape_lib.charts.naming import named
from cape_lib.tables import label

if TYPE_CHECKING:
    from cape_lib.frontier import FrontierLine

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
SCORES = [alt.Tooltip(f"{name}:Q", title=label(name), format=".1f") for name in (SWE, GPQA)]
H_TOOLTIP = ["model", "lab", "release_date", *SCORES, *rounded("+.1f", "h", "h_low", "h_high")]
KEPT = ["model", "lab", "release_date", SWE, GPQA, "h", "h_low", "h_high"]


def lab_colour(labs: list[str], *, legend: bool = True, columns: int | None = None) -> alt.Color:
    """The colours of labs; those without one are grey, and one entry of the key.

    columns: of the key, where row names leave it little room.
    """
    others = [lab for lab in labs if lab not in LAB_COLOURS]
    key: dict[str, Any] = {"columns": columns or COLUMNS, "title": None}
    if len(others) > 1:
        key["values"] = [lab for lab in labs if lab in LAB_COLOURS] + others[:1]
        key["labelExpr"] = f"datum.label === {json.dumps(others[0])} ? 'other labs' : datum.label"
    return alt.Color("lab:N", scale=colour_scale(LAB_COLOURS, labs), legend=alt.Legend(**key) if legend else None)


def _axes() -> tuple[alt.X, alt.Y]:
    x, y = score_axes(SWE, GPQA)
    return x.title(f"{label(SWE)} (%), coding"), y.title(f"{label(GPQA)} (%), reasoning")


def _about_a_line(line: FrontierLine, grid: np.ndarray) -> tuple[pd.DataFrame, Any]:
    """The line on a grid of coding scores with the range of 95 % of new releases, as a table and drawn."""
    low, high = line.ordinary(grid)
    table = pd.DataFrame({SWE: grid, "estimate": line.at(grid), "low": low, "high": high})
    x, y = _axes()
    return table, band(table, x, same_axis(y, "estimate"), colour=alt.value(INK), opacity=0.1)


def _by_importance(rows: pd.DataFrame) -> pd.DataFrame:
    """Those farthest off the line first, then the newest of each lab, then labs without a colour, then the others."""
    rows = rows.reset_index(drop=True)  # a family's own rows may bring an index of their own
    rank = pd.Series(3, index=rows.index).mask(~rows["lab"].isin(list(LAB_COLOURS)), 2)
    rank[rows.dropna(subset=["release_date"]).sort_values("release_date").groupby("lab").tail(1).index] = 1
    rank[rows["h"].abs().nlargest(3).index] = 0
    return rows.assign(rank=rank).sort_values("rank", kind="stable")[["model", "lab", SWE, GPQA]]


def releases(h: pd.DataFrame, line: FrontierLine, *, own: str = "", source: str = "") -> Figure:
    """Releases about a line with its prediction interval; a list picks out one lab.

    h: `frontier.h_field` rows;  own: the lab to pick out at first.
    """
    labs = sorted(h["lab"].unique())
    pick = alt.param(
        name="lab_picked",
        value=own if own in labs else "all",
        bind=alt.binding_select(options=["all", *labs], name="lab to pick out "),
    )
    mine = "lab_picked === 'all' || datum.lab === lab_picked"
    x, y = _axes()
    _, trend = _about_a_line(line, np.linspace(h[SWE].min(), h[SWE].max(), 40))
    dots = alt.Chart(h[KEPT]).mark_point(filled=True, size=80)
    dots = dots.encode(
        x=x,
        y=y,
        color=lab_colour(labs),
        opacity=alt.condition(mine, alt.value(0.95), alt.value(0.12)),
        tooltip=H_TOOLTIP,
    )
    only = alt.condition("datum.lab === lab_picked", alt.value(1), alt.value(0))
    names = named(_by_importance(h), x, y, "model", height=400, around=[h], by="lab", opacity=only)
    r = float(np.corrcoef(h[SWE], h[GPQA])[0, 1])
    return figure(
        alt.layer(trend, dots, *names).add_params(pick).properties(height=400),
        title=f"Coding and reasoning rise together across {len(h)} releases: r = {r:.2f}",
        alt=f"{label(GPQA)} against {label(SWE)} for {len(h)} releases of {len(labs)} labs with the {line.name} line "
        "and the interval in which one new release should fall.",
        source=source,
        n=len(h),
        name="releases",
        rows=h[KEPT],
        caption=f"Line: {line}. Band: 95 % prediction interval of one new release.",
    )


def your_release(h: pd.DataFrame, line: FrontierLine, *, start: tuple[float, float], title: str, source: str) -> Figure:
    """Two inputs, SWE-bench and GPQA, among the named releases: h of the reader's release, and the range about a line.

    h: `frontier.h_field` rows;  start: both scores at first, percent;  title: the finding.
    """
    least, most = min(20.0, np.floor(h[SWE].min())), max(95.0, np.ceil(h[SWE].max()))
    table, trend = _about_a_line(line, np.arange(least, most + 0.25, 0.5))
    asked = (("your_swe", SWE, least, most, start[0]), ("your_gpqa", GPQA, 20, 100, start[1]))
    inputs = [
        alt.param(
            name=name,
            value=round(2 * value) / 2,
            bind=alt.binding_range(min=low, max=high, step=0.5, name=f"{label(score)} (%) "),
        )
        for name, score, low, high, value in asked
    ]
    x, y = _axes()
    dots = alt.Chart(h[KEPT]).mark_point(filled=True, size=60, opacity=0.85)
    dots = dots.encode(x=x, y=y, color=lab_colour(sorted(h["lab"].unique())), tooltip=H_TOOLTIP)
    ends = table.iloc[[0, -1]].melt([SWE], ["low", "high"], value_name=GPQA)  # they stretch the axes
    names = named(_by_importance(h), x, y, "model", height=340, around=[ends], always=3)
    mine = alt.Chart(table).transform_filter(f"datum['{SWE}'] == your_swe").transform_calculate(
        yours="your_gpqa", h="your_gpqa - datum.estimate",
        reading="'h = ' + format(datum.h, '+.1f') + ': ' + (your_gpqa > datum.high ? 'above the range of releases' : "
        "your_gpqa < datum.low ? 'below the range of releases' : 'an ordinary release')",
    )  # fmt: skip
    rule = mine.mark_rule(color=INK, strokeWidth=4, opacity=0.4).encode(x=x, y="low:Q", y2="high:Q")
    point = mine.mark_point(filled=True, shape="diamond", size=170, opacity=1, color=INK).encode(x=x, y="yours:Q")
    reading = mine.mark_text(align="left", baseline="top", fontSize=13, fontWeight="bold", color=INK).encode(
        x=alt.value(6), y=alt.value(6), text="reading:N"
    )
    return figure(
        alt.layer(trend, dots, *names, rule, point, reading).add_params(*inputs).properties(height=340),
        title=title,
        alt=f"{len(h)} releases by their two scores, the {line.name} line with the range of 95 % of new releases, and "
        "a diamond at the two scores that the reader sets.",
        source=source,
        n=len(h),
        name="your-release",
        rows=h[KEPT],
        caption=f"Diamond: yours, with the range at its coding score. h is measured from the {line}.",
    )


def calendar(table: pd.DataFrame, *, title: str, source: str) -> Figure:
    """r of the two scores on each panel, as it is and with the date held fixed.

    table: `story.frontier.calendar`;  title: the finding.
    """
    kinds = dict(zip(table["what"].unique(), (MUTED, LAB_COLOURS["Google"]), strict=False))
    return figure(
        forest(
            table,
            row_names("row", limit=200),
            across("estimate", "correlation r", [-1, 1]),
            colour=colours("what", kinds, hidden=True),
            tooltip=["panel:N", "what:N", *rounded(".2f", "estimate"), "n:Q"],
        ),
        title=title,
        alt="For each panel two correlations with their intervals: as it is, and with the release date held fixed.",
        source=source,
        n=f"{table['panel'].nunique()} panels",
        name="calendar",
        caption="Bars: 95 % intervals that leave each lab out in turn.",
    )


def expected_score(rows: pd.DataFrame, *, title: str, source: str) -> Figure:
    """What the line expects at one SWE-bench score, among the releases (for `explore`: column swe).

    rows: releases with both scores, and expected, low, high, swe (percent), the same in every row;  title: the finding.
    """
    x, y = _axes()
    base = alt.Chart(rows)
    dots = base.mark_circle(color=MUTED, opacity=0.35, size=45).encode(x=x, y=y, tooltip=["model", "lab", *SCORES])
    interval = base.mark_rule(strokeWidth=5, opacity=0.35, color=INK).encode(
        x="swe:Q", y="min(low):Q", y2="max(high):Q"
    )
    point = base.mark_point(filled=True, size=130, opacity=1, color=INK, shape="diamond")
    return figure(
        alt.layer(dots, interval, point.encode(x="swe:Q", y="mean(expected):Q")).properties(height=320),
        title=title,
        alt="The expected GPQA Diamond score and its interval at the chosen SWE-bench score, among all releases.",
        source=source,
        n=rows["model"].nunique(),
        name="expected-score",
    )


def panel_points(rows: pd.DataFrame, *, title: str, source: str) -> Figure:
    """The releases of one panel with their own line (for `explore` over panels).

    rows: model, lab, both scores and the slider's column panel;  title: the finding, over all panels.
    """
    # One frame for all panels: the points move and the axes stay.
    ends = {score: [5 * np.floor(rows[score].min() / 5), 5 * np.ceil(rows[score].max() / 5)] for score in (SWE, GPQA)}
    x, y = _axes()
    x, y = x.scale(zero=False, domain=ends[SWE]), y.scale(zero=False, domain=ends[GPQA])
    base = alt.Chart(rows).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=75, opacity=0.9).encode(
        color=lab_colour(sorted(rows["lab"].unique())), tooltip=["model", "lab", "release_date", *SCORES]
    )
    line = alt.Chart(rows).transform_regression(SWE, GPQA).mark_line(color=INK, strokeWidth=1.5).encode(x=x, y=y)
    # The outermost first: in the middle of the crowd no name has room.
    away = ((rows[[SWE, GPQA]] - rows[[SWE, GPQA]].mean()) / rows[[SWE, GPQA]].std()).pow(2).sum(axis=1)
    words = rows.assign(away=away).sort_values("away", ascending=False)[["model", "panel", SWE, GPQA]]
    return figure(
        alt.layer(line, dots, *named(words, x, y, "model", height=300, by="panel", always=3)).properties(height=300),
        title=title,
        alt="Releases of the chosen panel in the plane of SWE-bench Verified and GPQA Diamond with their own line.",
        source=source,
        n=rows["model"].nunique(),
        name="panel-points",
    )


def moved_points(before: pd.DataFrame, after: pd.DataFrame, *, name: str, source: str) -> Figure:
    """Published points, hollow, and where they stand on another panel, filled; a line joins the two.

    before, after: rows with model, lab, both scores;  name: of the other panel.
    """
    both = before[["model", "lab", SWE, GPQA]].merge(after[["model", SWE, GPQA]], on="model", suffixes=("", "_after"))
    swe, gpqa = f"{SWE}_after", f"{GPQA}_after"
    both = both.dropna(subset=[swe, gpqa])
    far = (both[SWE] - both[swe]).abs() + (both[GPQA] - both[gpqa]).abs()
    moved = both[far > 0.05].assign(distance=far).sort_values("distance", ascending=False)
    x, y = _axes()
    x_after, y_after = same_axis(x, swe), same_axis(y, gpqa)
    seen: dict[str, Any] = {"color": lab_colour(sorted(both["lab"].unique())), "tooltip": ["model", *SCORES, swe, gpqa]}
    points: dict[str, Any] = {"size": 65, "opacity": 1}
    hollow = alt.Chart(both).mark_point(filled=False, fill=PAPER, **points).encode(x=x, y=y, **seen)
    ways = alt.Chart(moved).mark_rule(opacity=0.7).encode(x=x, y=y, x2=swe, y2=gpqa, color=seen["color"])
    filled = alt.Chart(moved).mark_point(filled=True, **points).encode(x=x_after, y=y_after, **seen)
    starts = both[[SWE, GPQA]].set_axis([swe, gpqa], axis=1)
    names = named(moved[["model", swe, gpqa]], x_after, y_after, "model", height=380, around=[starts])
    ends = [float(np.corrcoef(both[SWE + e], both[GPQA + e])[0, 1]) for e in ("", "_after")]
    return figure(
        alt.layer(hollow, ways, filled, *names).properties(height=380),
        title=f"{len(moved)} of {len(both)} releases move; r goes from {ends[0]:.2f} to {ends[1]:.2f}",
        alt=f"Published and {name} scores of the same releases, joined by lines where they differ.",
        source=source,
        n=len(both),
        name="moved-points",
        rows=both,
        caption=f"Hollow: as published. Filled: {name}.",
    )


def h_by_lab(h: pd.DataFrame, *, line: str, source: str) -> Figure:
    """Every release's h, lab by lab in order of date, with the interval that one new release would have."""
    means = h.groupby("lab")["h"].transform("mean")
    rows = h.assign(mean=means, low=h["h_low"], high=h["h_high"])
    rows = rows.sort_values(["mean", "released"], ascending=[False, True])
    outside = int(h["outside"].sum())
    return figure(
        forest(
            rows[[*KEPT, "low", "high", "outside"]],
            row_names("model", limit=130),
            across("h", "h (points)"),
            colour=lab_colour(list(dict.fromkeys(rows["lab"])), columns=2),
            tooltip=H_TOOLTIP,
            height=16,
        ),
        title=f"{outside} of {len(h)} releases lie outside the interval that the other releases predict",
        alt=f"h of {len(h)} releases by lab, each with the 95 percent prediction interval of the {line} line.",
        source=source,
        n=len(h),
        name="h-by-lab",
        caption="Bars: h plus and minus the 95 % prediction half-width. A bar that crosses zero is within the scatter.",
    )


def correlation_by_range(cuts: pd.DataFrame, *, source: str) -> Figure:
    """r over the releases at or above each SWE-bench score, with its interval.

    cuts: `frontier.range_cuts`.
    """
    rows = cuts.assign(estimate=cuts["r"])
    drawn = band(
        rows,
        across("cut", "SWE-bench Verified at or above (%)"),
        upright("estimate", "Pearson r", [-1, 1]),
        colour=alt.value(INK),
        tooltip=["cut", "n", *rounded(".2f", "r"), "low", "high"],
        point=True,
    )
    lost = cuts[cuts["low"] <= 0].head(1)
    title = "At every cut the interval of r stays above zero"
    for row in lost.to_dict("records"):
        title = f"From {row['cut']:g} % up ({row['n']} releases) r can no longer be told from zero"
    return figure(
        alt.layer(line_at(0, "y"), drawn).properties(height=240),
        title=title,
        alt="Correlation of the two scores among releases above a rising cut, with its 95 percent interval.",
        source=source,
        n=f"{int(cuts['n'].max())} to {int(cuts['n'].min())} releases",
        name="correlation-by-range",
        caption="The interval leaves each lab out in turn.",
    )
