"""Figures of chapter 6: releases in the plane of coding and reasoning, and what lies off the line."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.coupling import COLUMNS
from cape_lib.charts.forest import forest
from cape_lib.charts.frame import INK, LAB_COLOURS, MUTED, PAPER, Figure, colour_scale, figure
from cape_lib.charts.naming import beside, crowded, named, names_where
from cape_lib.tables import label

SWE, GPQA = "swe_bench_verified", "gpqa_diamond"
SCORES = [alt.Tooltip(f"{name}:Q", title=label(name), format=".1f") for name in (SWE, GPQA)]
H_TOOLTIP = [
    "model", "lab", "release_date", *SCORES, alt.Tooltip("h:Q", format="+.1f"),
    alt.Tooltip("h_low:Q", format="+.1f"), alt.Tooltip("h_high:Q", format="+.1f"),
]  # fmt: skip
KEPT = ["model", "lab", "release_date", SWE, GPQA, "h", "h_low", "h_high"]


def lab_colour(labs: list[str], *, legend: bool = True, columns: int | None = None) -> alt.Color:
    """The colours of labs, grey for one without its own; columns: of the key, where row names leave it little room."""
    key = alt.Legend(columns=columns or COLUMNS, title=None) if legend else None
    return alt.Color("lab:N", scale=colour_scale(LAB_COLOURS, labs), legend=key)


def _axes() -> tuple[alt.X, alt.Y]:
    return (
        alt.X(f"{SWE}:Q", scale=alt.Scale(zero=False), title=f"{label(SWE)} (%), coding"),
        alt.Y(f"{GPQA}:Q", scale=alt.Scale(zero=False), title=f"{label(GPQA)} (%), reasoning"),
    )


def line_table(line: object, low: float, high: float) -> pd.DataFrame:
    """A frontier line and the range of 95 % of new releases on a grid of SWE-bench scores (percent)."""
    grid = np.linspace(low, high, 40)
    least, most = line.ordinary(grid)  # type: ignore[attr-defined]
    return pd.DataFrame({SWE: grid, "fit": line.at(grid), "low": least, "high": most})  # type: ignore[attr-defined]


def releases(h: pd.DataFrame, line: object, *, own: str = "", source: str = "") -> Figure:
    """Releases about a line with its prediction interval; a list picks out one lab.

    h: `frontier.h_field` rows;  line: a `frontier.FrontierLine`;  own: the lab to pick out at first.
    """
    labs = sorted(h["lab"].unique())
    pick = alt.param(
        name="lab_picked",
        value=own if own in labs else "all",
        bind=alt.binding_select(options=["all", *labs], name="lab to pick out "),
    )
    mine = "lab_picked === 'all' || datum.lab === lab_picked"
    x, y = _axes()
    shape = line_table(line, float(h[SWE].min()), float(h[SWE].max()))
    band = alt.Chart(shape).mark_area(opacity=0.12, color=MUTED).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    trend = alt.Chart(shape).mark_line(color=INK, strokeWidth=1.5).encode(x=x, y="fit:Q")
    points = alt.Chart(h[KEPT]).encode(x=x, y=y)
    dots = points.mark_point(filled=True, size=80).encode(
        color=lab_colour(labs), opacity=alt.condition(mine, alt.value(0.95), alt.value(0.12)), tooltip=H_TOOLTIP
    )
    names = points.mark_text(dy=-11, fontSize=11, color=INK).encode(
        text="model:N",
        opacity=alt.condition(f"lab_picked !== 'all' && ({mine})", alt.value(1), alt.value(0)),
    )
    r = float(np.corrcoef(h[SWE], h[GPQA])[0, 1])
    return figure(
        alt.layer(band, trend, dots, names).add_params(pick).properties(height=400),
        title=f"Coding and reasoning rise together across {len(h)} releases: r = {r:.2f}",
        alt=f"{label(GPQA)} against {label(SWE)} for {len(h)} releases of {len(labs)} labs with the {line.name} line "  # type: ignore[attr-defined]
        "and the interval in which one new release should fall.",
        source=source,
        n=len(h),
        name="releases",
        caption=f"Line: {line}. Band: 95 % prediction interval of one new release.",
    )


def your_release(h: pd.DataFrame, line: object, *, start: tuple[float, float], title: str, source: str) -> Figure:
    """Two inputs, SWE-bench and GPQA, among the named releases: h of the reader's release, and the range about a line.

    h: `frontier.h_field` rows;  line: a `frontier.FrontierLine`;  start: both scores at first, percent;  title: the
    finding.
    """
    ends = [min(20.0, np.floor(h[SWE].min())), max(95.0, np.ceil(h[SWE].max()))]
    grid = np.arange(ends[0], ends[1] + 0.25, 0.5)
    least, most = line.ordinary(grid)  # type: ignore[attr-defined]
    known = pd.DataFrame({SWE: grid, "expected": line.at(grid), "low": least, "high": most})  # type: ignore[attr-defined]
    inputs = [
        alt.param(name="your_swe", value=round(2 * start[0]) / 2,
                  bind=alt.binding_range(min=ends[0], max=ends[1], step=0.5, name=f"{label(SWE)} (%) ")),
        alt.param(name="your_gpqa", value=round(2 * start[1]) / 2,
                  bind=alt.binding_range(min=20, max=100, step=0.5, name=f"{label(GPQA)} (%) ")),
    ]  # fmt: skip
    x, y = _axes()
    newest = h.sort_values("released").groupby("lab").tail(1).index
    far = h["h"].abs().nlargest(3).index
    words = _apart(h.loc[[*far, *newest.difference(far)], ["model", SWE, GPQA]])
    words["place"] = beside(words[SWE], words[GPQA], words["model"], (ends[1] - ends[0], 80.0))
    labs = sorted(h["lab"].unique())
    band = alt.Chart(known).mark_area(opacity=0.12, color=MUTED).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    trend = alt.Chart(known).mark_line(color=INK, strokeWidth=1.5).encode(x=x, y="expected:Q")
    dots = alt.Chart(h[KEPT]).mark_point(filled=True, size=60, opacity=0.85)
    dots = dots.encode(x=x, y=y, color=lab_colour(labs), tooltip=H_TOOLTIP)
    room = alt.Chart(words).encode(x=x, y=y, opacity=alt.condition("width > 420", alt.value(1), alt.value(0)))
    mine = alt.Chart(known).transform_filter(f"datum['{SWE}'] == your_swe").transform_calculate(
        yours="your_gpqa", h="your_gpqa - datum.expected",
        reading="'h = ' + format(datum.h, '+.1f') + ': ' + (your_gpqa > datum.high ? 'above the range of releases' : "
        "your_gpqa < datum.low ? 'below the range of releases' : 'an ordinary release')",
    )  # fmt: skip
    rule = mine.mark_rule(color=INK, strokeWidth=4, opacity=0.4).encode(x=x, y="low:Q", y2="high:Q")
    point = mine.mark_point(filled=True, shape="diamond", size=170, opacity=1, color=INK).encode(x=x, y="yours:Q")
    reading = mine.mark_text(align="left", baseline="top", fontSize=13, fontWeight="bold", color=INK).encode(
        x=alt.value(6), y=alt.value(6), text="reading:N"
    )
    return figure(
        alt.layer(band, trend, dots, *named(words, room, "model", fontSize=11, color=INK), rule, point, reading)
        .add_params(*inputs)
        .properties(height=340),
        title=title,
        alt=f"{len(h)} releases by their two scores, the {line.name} line with the range of 95 % of "  # type: ignore[attr-defined]
        "new releases, and a diamond at the two scores that the reader sets.",
        source=source,
        n=len(h),
        name="your-release",
        caption=f"Diamond: yours, with the range at its coding score. h is measured from the {line}.",
    )


def _apart(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in their order, without those whose name would run into that of a row before."""
    free: list[int] = []
    for i in range(len(rows)):
        away = (rows.iloc[free][[SWE, GPQA]] - rows.iloc[i][[SWE, GPQA]].astype(float)).abs()
        if not ((away[SWE] < 18) & (away[GPQA] < 6)).any():
            free.append(i)
    return rows.iloc[free].reset_index(drop=True)


def calendar(table: pd.DataFrame, *, title: str, source: str) -> Figure:
    """r of the two scores on each panel, as it is and with the date held fixed.

    table: `story.frontier.calendar`;  title: the finding.
    """
    kinds = list(dict.fromkeys(table["what"]))
    chart = forest(
        table,
        alt.Y("row:N", sort=list(table["row"]), title=None, axis=alt.Axis(labelLimit=200)),
        alt.X("estimate:Q", title="correlation r", scale=alt.Scale(domain=[-1, 1])),
        colour=alt.Color("what:N", scale=alt.Scale(domain=kinds, range=[MUTED, LAB_COLOURS["Google"]]), legend=None),
        tooltip=["panel:N", "what:N", alt.Tooltip("estimate:Q", format=".2f"), "n:Q"],
    )
    return figure(
        chart,
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
    at_x = alt.X("swe:Q")
    interval = base.mark_rule(strokeWidth=5, opacity=0.35, color=INK).encode(x=at_x, y="min(low):Q", y2="max(high):Q")
    point = base.mark_point(filled=True, size=130, opacity=1, color=INK, shape="diamond").encode(
        x=at_x, y="mean(expected):Q"
    )
    return figure(
        alt.layer(dots, interval, point).properties(height=320),
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
    x, y = _axes()
    labs = sorted(rows["lab"].unique())
    base = alt.Chart(rows).encode(x=x, y=y)
    dots = base.mark_point(filled=True, size=75, opacity=0.9).encode(
        color=lab_colour(labs), tooltip=["model", "lab", "release_date", *SCORES]
    )
    line = alt.Chart(rows).transform_regression(SWE, GPQA).mark_line(color=INK, strokeWidth=1.5).encode(x=x, y=y)
    return figure(
        alt.layer(line, dots).properties(height=300),
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
    both = both.dropna(subset=[f"{SWE}_after", f"{GPQA}_after"])
    far = (both[SWE] - both[f"{SWE}_after"]).abs() + (both[GPQA] - both[f"{GPQA}_after"]).abs()
    moved = both[far > 0.05].assign(distance=far)
    x, y = _axes()
    labs = sorted(both["lab"].unique())
    tooltip = ["model", *SCORES, f"{SWE}_after", f"{GPQA}_after"]
    hollow = (
        alt.Chart(both)
        .mark_point(filled=False, fill=PAPER, size=65, opacity=1)
        .encode(x=x, y=y, color=lab_colour(labs), tooltip=tooltip)
    )
    ways = (
        alt.Chart(moved)
        .mark_rule(opacity=0.7)
        .encode(x=x, y=y, x2=f"{SWE}_after", y2=f"{GPQA}_after", color=lab_colour(labs))
    )
    filled = (
        alt.Chart(moved)
        .mark_point(filled=True, size=65, opacity=1)
        .encode(x=f"{SWE}_after:Q", y=f"{GPQA}_after:Q", color=lab_colour(labs), tooltip=tooltip)
    )
    # On a phone the names would run into each other.
    room = alt.condition("width > 420", alt.value(1), alt.value(0))
    far_ones = moved.nlargest(8, "distance").reset_index(drop=True)
    far_ones["name_below"] = crowded(far_ones[f"{SWE}_after"], far_ones[f"{GPQA}_after"])
    names = [
        alt.Chart(far_ones)
        .mark_text(dy=17 if below else -11, fontSize=11, color=INK)
        .encode(x=f"{SWE}_after:Q", y=f"{GPQA}_after:Q", text=names_where("model", below=below), opacity=room)
        for below in (False, True)
    ]
    ends = [float(np.corrcoef(both[SWE + e], both[GPQA + e])[0, 1]) for e in ("", "_after")]
    return figure(
        alt.layer(hollow, ways, filled, *names).properties(height=380),
        title=f"{len(moved)} of {len(both)} releases move; r goes from {ends[0]:.2f} to {ends[1]:.2f}",
        alt=f"Published and {name} scores of the same releases, joined by lines where they differ.",
        source=source,
        n=len(both),
        name="moved-points",
        caption=f"Hollow: as published. Filled: {name}.",
    )


def h_by_lab(h: pd.DataFrame, *, line: str, source: str) -> Figure:
    """Every release's h, lab by lab in order of date, with the interval that one new release would have."""
    means = h.groupby("lab")["h"].transform("mean")
    rows = h.assign(mean=means).sort_values(["mean", "released"], ascending=[False, True])
    order = list(rows["model"])
    base = alt.Chart(rows[[*KEPT, "outside"]]).encode(
        y=alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=130, labelFontSize=11, ticks=False))
    )
    bars = base.mark_rule(opacity=0.3, strokeWidth=2, color=MUTED).encode(
        x=alt.X("h_low:Q", title="h (points)"), x2="h_high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="h:Q", color=lab_colour(list(dict.fromkeys(rows["lab"])), columns=2), tooltip=H_TOOLTIP
    )
    zero = alt.Chart(pd.DataFrame({"h": [0.0]})).mark_rule(color=INK).encode(x="h:Q")
    outside = int(h["outside"].sum())
    return figure(
        alt.layer(bars, zero, points).properties(height=16 * len(order)),
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
    base = alt.Chart(cuts).encode(x=alt.X("cut:Q", title="SWE-bench Verified at or above (%)"))
    band = base.mark_area(opacity=0.18, color=MUTED).encode(
        y=alt.Y("low:Q", title="Pearson r", scale=alt.Scale(domain=[-1, 1])), y2="high:Q"
    )
    line = base.mark_line(point=True, color=INK).encode(
        y="r:Q", tooltip=["cut", "n", alt.Tooltip("r:Q", format=".2f"), "low", "high"]
    )
    zero = alt.Chart(pd.DataFrame({"r": [0.0]})).mark_rule(color=MUTED).encode(y="r:Q")
    lost = cuts[cuts["low"] <= 0].head(1)
    said = [
        f"From {row['cut']:g} % up ({row['n']} releases) r can no longer be told from zero"
        for row in lost.to_dict("records")
    ]
    return figure(
        alt.layer(band, zero, line).properties(height=240),
        title=said[0] if said else "At every cut the interval of r stays above zero",
        alt="Correlation of the two scores among releases above a rising cut, with its 95 percent interval.",
        source=source,
        n=f"{int(cuts['n'].max())} to {int(cuts['n'].min())} releases",
        name="correlation-by-range",
        caption="The interval leaves each lab out in turn.",
    )


def spreads_over_time(table: pd.DataFrame, *, source: str) -> Figure:
    """Saturation ratio sigma of each pair of benchmarks over time.

    table: `frontier.saturation_over_time`: date, pair, sigma, n.
    """
    base = alt.Chart(table).encode(x=alt.X("date:T", title="as of"))
    lines = base.mark_line(point=True).encode(
        y=alt.Y("sigma:Q", title="sigma"),
        color=alt.Color("pair:N", title="pair"),
        tooltip=["date", "pair", alt.Tooltip("sigma:Q", format=".2f"), "n"],
    )
    rule = alt.Chart(pd.DataFrame({"sigma": [0.2]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(y="sigma:Q")
    now = table[table["date"] == table["date"].max()]
    return figure(
        alt.layer(rule, lines).properties(height=260),
        title=f"{int((now['sigma'] < 0.2).sum())} of {len(now)} pairs of benchmarks call for rotation today",
        alt="Saturation ratio of each pair of benchmarks over time; the dashed line is the rotation threshold of 0.2.",
        source=source,
        n=f"{table['pair'].nunique()} pairs",
        name="spreads-over-time",
        caption="Dashed: 0.2, below which the papers call for a newer benchmark.",
    )
