"""Figures of chapter 6: releases in the plane of coding and reasoning, what lies off the line, labs side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, band, colours, dots, forest, line_at, named, same_axis, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import BLUE, GREY, INK, LAB_COLOURS, MUTED, PAPER
from cape_lib.story import frontier as story
from cape_lib.tables import label

if TYPE_CHECKING:
    from cape_lib.frontier import FrontierLine

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
PANELS = "[frontier panels](../book/data.html#frontier-panel)"
SHOWN = ["model", "lab", "release_date", SWE, GPQA, "h", "h_low", "h_high"]
#: What a release says beside its scores.
RELEASE = "lab release_date h h_low h_high"


def lab_colour(rows: pd.DataFrame, *, legend: bool = True) -> alt.Color:
    """The colours of the labs of some rows; those without one are grey, and one entry of the key."""
    labs = sorted(rows["lab"].unique())
    others = [lab for lab in labs if lab not in LAB_COLOURS]
    key: dict[str, Any] = {}
    if len(others) > 1:
        key["values"] = [lab for lab in labs if lab in LAB_COLOURS] + others[:1]
        key["labelExpr"] = f"datum.label === {json.dumps(others[0])} ? 'other labs' : datum.label"
    return colours("lab", {lab: LAB_COLOURS.get(lab, GREY) for lab in labs}, hidden=not legend, **key)


def _axes() -> tuple[alt.X, alt.Y]:
    x, y = forms.score_axes(SWE, GPQA)
    return x.title(f"{label(SWE)} (%), coding"), y.title(f"{label(GPQA)} (%), reasoning")


def _about_a_line(line: FrontierLine, grid: np.ndarray) -> tuple[pd.DataFrame, Any]:
    """The line on a grid of coding scores with the range of 95 % of new releases, as a table and drawn."""
    low, high = line.ordinary(grid)
    table = pd.DataFrame({SWE: grid, "estimate": line.at(grid), "low": low, "high": high})
    x, y = _axes()
    return table, band(table, x, same_axis(y, "estimate"), colour=alt.value(INK), opacity=0.1, tooltip=None)


def _by_importance(rows: pd.DataFrame) -> pd.DataFrame:
    """Those outside the range of the others first, then those farthest off the line, the newest of each lab, others."""
    rows = rows.reset_index(drop=True)  # a family's own rows may bring an index of their own
    rank = pd.Series(3, index=rows.index).mask(~rows["lab"].isin(list(LAB_COLOURS)), 2)
    rank[rows.dropna(subset=["release_date"]).sort_values("release_date").groupby("lab").tail(1).index] = 1
    rank[rows["h"].abs().nlargest(3).index] = 0
    rank[rows["outside"]] = -1
    return rows.assign(rank=rank).sort_values("rank", kind="stable")[["model", "lab", SWE, GPQA]]


def releases(h: pd.DataFrame, line: FrontierLine, *, own: str = "", source: str = "") -> Figure:
    """Releases about a line with its prediction interval; a list picks out one lab.

    h: `frontier.h_field` rows;  own: the lab to pick out at first.
    """
    labs = sorted(h["lab"].unique())
    pick = forms.picker("lab_picked", ["all", *labs], own if own in labs else "all", label="lab to pick out")
    mine = "lab_picked === 'all' || datum.lab === lab_picked"
    _, trend = _about_a_line(line, np.linspace(h[SWE].min(), h[SWE].max(), 40))
    points = dots(h[SHOWN], *_axes(), colour=lab_colour(h), tooltip=RELEASE, size=80)
    points = points.encode(opacity=alt.condition(mine, alt.value(0.95), alt.value(0.12)))
    only = alt.condition("datum.lab === lab_picked", alt.value(1), alt.value(0))
    names = named(_by_importance(h), *_axes(), "model", height=400, around=[h], by="lab", opacity=only)
    chart = alt.layer(trend, points, *names).add_params(pick)
    title = f"Coding and reasoning rise together across {len(h)} releases: r = {h[SWE].corr(h[GPQA]):.2f}"
    caption = f"Line: {line}. Band: 95 % prediction interval of one new release."
    return figure(chart, "releases", title, source, len(h), caption, rows=h[SHOWN], height=400)


def your_release(h: pd.DataFrame, line: FrontierLine, *, start: tuple[float, float], title: str, source: str) -> Figure:
    """Two inputs, SWE-bench and GPQA, among the named releases: h of the reader's release, and the range about a line.

    h: `frontier.h_field` rows;  start: both scores at first, percent;  title: the finding.
    """
    least, most = min(20.0, np.floor(h[SWE].min())), max(95.0, np.ceil(h[SWE].max()))
    table, trend = _about_a_line(line, np.arange(least, most + 0.25, 0.5))
    asked = (("your_swe", SWE, least, most, start[0]), ("your_gpqa", GPQA, 20, 100, start[1]))
    inputs = []
    for name, score, low, high, value in asked:
        slider = alt.binding_range(min=low, max=high, step=0.1, name=f"{label(score)} (%) ")
        inputs.append(alt.param(name=name, value=round(value, 1), bind=slider))
    x, y = _axes()
    rim: dict[str, Any] = {"stroke": PAPER, "strokeWidth": 1}  # dots that touch are told apart
    points = dots(h[SHOWN], x, y, colour=lab_colour(h), tooltip=RELEASE, size=60, **rim)
    ends = table.iloc[[0, -1]].melt([SWE], ["low", "high"], value_name=GPQA)  # they stretch the axes
    # no name stands on the line, or on the range at the score where the sliders start
    grid = np.linspace(least, most, 150)
    on_line = pd.DataFrame({SWE: grid, GPQA: line.at(grid)})
    on_range = pd.DataFrame({SWE: start[0], GPQA: np.linspace(*line.ordinary(start[0]), 60)})
    look: dict[str, Any] = {"around": [ends[[SWE, GPQA]], on_line, on_range], "phone": 7}
    names = named(_by_importance(h), x, y, "model", height=340, always=min(int(h["outside"].sum()), 3), **look)
    outside = dots(h.loc[h["outside"], SHOWN], x, y, colour=alt.value(INK), tooltip=RELEASE, size=220, filled=False)
    reading = (
        "'h = ' + format(datum.h, '+.1f') + ': ' + (your_gpqa > datum.most ? 'above the range of releases' : "
        "your_gpqa < datum.least ? 'below the range of releases' : 'an ordinary release')"
    )
    # the row of the grid nearest to the reader's score, moved along the line to the score itself
    mine = alt.Chart(table).transform_filter(f"datum['{SWE}'] == round(2 * your_swe) / 2")
    # fields of their own: Vega changes a row in place
    mine = mine.transform_calculate(at="your_swe", yours="your_gpqa", up=f"{line.slope} * (your_swe - datum['{SWE}'])")
    mine = mine.transform_calculate(least="datum.low + datum.up", most="datum.high + datum.up")
    mine = mine.transform_calculate(h="your_gpqa - datum.estimate - datum.up").transform_calculate(reading=reading)
    own = same_axis(x, "at")
    rule = mine.mark_rule(color=INK, strokeWidth=4, opacity=0.4).encode(x=own, y="least:Q", y2="most:Q")
    point = mine.mark_point(filled=True, shape="diamond", size=170, opacity=1, fill=INK, **rim)
    point = point.encode(x=own, y="yours:Q")
    # where a release codes well and reasons badly, there is room
    words = mine.mark_text(align="right", dx=-6, dy=-12, fontSize=13, fontWeight="bold", color=INK)
    words = words.encode(x=alt.value("width"), y=alt.value("height"), text="reading:N")
    return figure(
        alt.layer(trend, points, outside, *names, rule, point, words).add_params(*inputs),
        "your-release",
        title,
        source,
        len(h),
        "Diamond: yours, with the range at its coding score. Ringed: outside the range of the others. h is measured "
        f"from the {line}.",
        rows=h[SHOWN],
        height=340,
    )


def calendar(table: pd.DataFrame, *, title: str) -> Figure:
    """r of the two scores on each panel, as it is and with the date held fixed.

    table: `story.frontier.calendar`;  title: the finding.
    """
    look = forms.by("what", table["what"].unique(), (MUTED, BLUE), ("square", "circle"))
    chart = forest(table, "row", across("estimate", "correlation r", [-1, 1]), apart="what", **look)
    caption = (
        "Bars: 95 %, each lab left out in turn. In brackets: releases; panels share them. *Corrected*: the makers' "
        "values; *sourced*: only scores with a source; *current*: every release known."
    )
    return figure(chart, "calendar", title, PANELS, f"{table['panel'].nunique()} panels", caption)


def _on_own_line(rows: pd.DataFrame) -> pd.DataFrame:
    """Points close together on the least squares line through some rows, over their coding scores."""
    grid = np.linspace(rows[SWE].min(), rows[SWE].max(), 150)
    return pd.DataFrame({SWE: grid, GPQA: np.polyval(np.polyfit(rows[SWE], rows[GPQA], 1), grid)})


def panel_points(rows: pd.DataFrame) -> Figure:
    """The releases of one panel with their own line (for `explore` over panels).

    rows: `story.frontier.on_panel`, with the slider's column panel.
    """
    # One frame for all panels: the points move and the axes stay.
    ends = {score: [5 * np.floor(rows[score].min() / 5), 5 * np.ceil(rows[score].max() / 5)] for score in (SWE, GPQA)}
    x, y = (axis.scale(zero=False, domain=ends[score]) for axis, score in zip(_axes(), ends, strict=True))
    points = dots(rows, x, y, colour=lab_colour(rows), tooltip="release_date", size=75, opacity=0.9)
    line = alt.Chart(rows).transform_regression(SWE, GPQA).mark_line(strokeWidth=1.5).encode(x=x, y=y)
    on_line = [_on_own_line(part).assign(panel=panel) for panel, part in rows.groupby("panel", sort=False)]
    # The outermost first: in the middle of the crowd no name has room.
    away = ((rows[[SWE, GPQA]] - rows[[SWE, GPQA]].mean()) / rows[[SWE, GPQA]].std()).pow(2).sum(axis=1)
    words = rows.assign(away=away).sort_values("away", ascending=False)[["model", "panel", SWE, GPQA]]
    names = named(words, x, y, "model", height=300, by="panel", always=3, around=[pd.concat(on_line)])
    chart = alt.layer(line, points, *names)
    n = f"{rows['model'].nunique()} ({rows['panel'].iloc[0]} panel)"
    caption = "Line: least squares through the releases of the panel."
    return figure(chart, "panel-points", story.on_panels(), PANELS, n, caption, height=300)


def moved_points(before: pd.DataFrame, after: pd.DataFrame) -> Figure:
    """Published points, hollow, and where they stand on the corrected panel, filled; a line joins the two.

    before, after: rows of the two panels with model, lab, both scores.
    """
    later = [f"{score}_after" for score in (SWE, GPQA)]
    both, moved = story.moves(before, after, everything=True), story.moves(before, after)
    (x, y), labs, ends = _axes(), lab_colour(both), both[later].set_axis([SWE, GPQA], axis=1)
    # at the published point; the largest moves have one in any case, of these that in the crowd of the best first
    most = moved.head(5).sort_values(SWE, ascending=False)
    names = pd.concat([most, moved.iloc[5:]])[["model", SWE, GPQA]]
    chart = alt.layer(
        dots(both, x, y, colour=labs, filled=False, fill=PAPER),
        forms.ways(moved, x, y, ends=later, colour=labs, opacity=0.7),
        dots(moved, same_axis(x, later[0]), same_axis(y, later[1]), colour=labs, tooltip=f"{SWE} {GPQA}"),
        *named(names, x, y, "model", height=350, around=[both[[SWE, GPQA]], ends], always=5, apart=16),
    )
    title = f"{len(moved)} of {len(both)} releases move; {story.r_moves(before, after)}"
    caption = "Hollow: as published; those that move have their name where there is room. Filled: corrected."
    source = "[frontier cells](../book/data.html#frontier-cells)"
    return figure(chart, "moved-points", title, source, len(both), caption, rows=both, height=350)


def h_by_lab(h: pd.DataFrame, *, line: str, source: str) -> Figure:
    """Every release's h, lab by lab in order of date, with the interval that one new release would have."""
    rows = h.assign(mean=h.groupby("lab")["h"].transform("mean"), low=h["h_low"], high=h["h_high"])
    rows = rows.sort_values(["mean", "released"], ascending=[False, True])[[*SHOWN, "low", "high", "outside"]]
    look: dict[str, Any] = {"colour": lab_colour(rows), "tooltip": f"release_date {SWE} {GPQA}"}
    chart = forest(rows, "model", across("h", "h (points)"), **look)
    title = f"{int(h['outside'].sum())} of {len(h)} releases lie outside the interval that the others predict"
    caption = (
        f"Bars: h, from the {line} line, with its 95 % prediction interval, narrower near 0 and 100 %. A bar that "
        "crosses zero is within the scatter."
    )
    return figure(chart, "h-by-lab", title, source, len(h), caption)


def means(table: pd.DataFrame, *, title: str, source: str) -> Figure:
    """Mean h of each lab of two releases or more, with its interval.  table: `frontier.lab_means`;  title: finding."""
    rows = table.query("n > 1").drop(columns="same_sign").assign(row=table["lab"] + " (" + table["n"].astype(str) + ")")
    chart = forest(rows, "row", across("mean", "mean h (points)"), colour=lab_colour(rows, legend=False))
    whole = f"all {int(table['n'].sum())} core releases of {len(table)} labs; shown: labs of two or more"
    caption = f"In brackets: core releases. h is from the line fitted to all these rows. The test is of {whole}."
    return figure(chart, "lab-means", title, source, f"{int(rows['n'].sum())} releases of {len(rows)} labs", caption)


def paths_of_labs(table: pd.DataFrame, *, own: str = "", source: str) -> Figure:
    """h of each lab's releases over time, one lab picked out, changes named by the papers' rule and by ours.

    table: `frontier.trajectories`.
    """
    undated = int(table["released"].isna().sum())
    table = table.dropna(subset=["released"])
    labs = sorted(table["lab"].unique())
    start = next(lab for lab in (own, "DeepSeek", labs[0]) if lab in labs)
    pick, mine = forms.picker("lab_path", labs, start, label="lab"), "datum.lab === lab_path"
    shown = table[[*SHOWN, "released", "kind", "papers_kind", "change"]]
    shown = shown.assign(released=shown["released"].dt.strftime("%Y-%m-%d"))
    axes = alt.X("released:T", title="release date"), upright("h", "h (points)")
    one = alt.Chart(shown).encode(x=axes[0], y=axes[1]).transform_filter(mine)
    points = dots(shown, *axes, shape=alt.Shape("papers_kind:N", title="change"), tooltip=f"{RELEASE} kind", size=90)
    only, words = alt.condition(mine, alt.value(1), alt.value(0)), shown[["model", "lab", "released", "h"]]
    chart = alt.layer(
        line_at(0, "y"),
        dots(shown, *axes, colour=alt.value(MUTED), tooltip=None, size=30, opacity=0.2),
        one.mark_rule(opacity=0.3, strokeWidth=3).encode(y="h_low:Q", y2="h_high:Q"),
        one.mark_line(strokeWidth=2),
        points.transform_filter(mine),
        *named(words, *axes, "model", height=340, around=[words], by="lab", opacity=only),
    )
    return figure(
        chart.add_params(pick),
        "paths-of-labs",
        f"{int((table['change'].abs() > 10).sum())} of {int((table['order'] > 1).sum())} changes from one release to "
        f"the next exceed ten points, {int(table['kind'].isin(['step', 'excursion', 'open']).sum())} what a lab's "
        "scatter makes by chance",
        source,
        f"{len(table)} releases of {len(labs)} labs",
        "Bars: 95 % prediction interval about h. Grey: the other labs. Shapes: the papers' rule."
        + (f" Without a date of release, and so not drawn: {undated}." if undated else ""),
        height=340,
    )
