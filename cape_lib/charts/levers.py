"""Figures of chapter 3: width and its null, what a curated model is worth, two generations, one architecture."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.levers import minimum_curation
from cape_lib.charts.axes import SIZE_AXIS, across, colours, rounded, row_names, shapes, sides, upright
from cape_lib.charts.forest import forest, line_at
from cape_lib.charts.frame import INK, MUTED, PALETTE, PAPER, Figure, figure
from cape_lib.charts.look import BLUE, GREY

#: The largest size that the axis of equivalent scale shows (billions); beyond it stands an arrow.
EDGE, NEAR = 200.0, 0.07
SHORT = {"x": "same HellaSwag", "y": "same TruthfulQA", "residual": "same TruthfulQA for its HellaSwag"}


def width_and_null(
    table: pd.DataFrame, *, own: str, source: str, title: str = "", name: str = "width-and-null"
) -> Figure:
    """Each ladder's r before and after division by width, on top of what shuffled scores give after the same division.

    table: `levers.width_by_ladder` (for `explore`: with a column `power`);  own: the ladder to name first.
    """
    order = [own, *[name for name in table["ladder"].drop_duplicates() if name != own]]
    place, to_right = row_names("ladder", order, limit=160), across("value", "correlation r", [-1, 1])
    kept = [name for name in ("ladder", "n", "power") if name in table]
    points = table.melt(kept, ["r", "r_normalised"], var_name="scores", value_name="value")
    points["scores"] = points["scores"].map({"r": "as they are", "r_normalised": "divided by width"})
    words = {"as they are": PAPER, "divided by width": BLUE, "shuffled, then divided": GREY}
    shade = colours("scores", words, symbolStrokeColor=BLUE)
    null = alt.Chart(table.assign(scores="shuffled, then divided")).mark_bar(height=14, opacity=0.55)
    null = null.encode(
        x=across("null_low", "correlation r", [-1, 1]),
        x2="null_high:Q",
        y=place,
        color=shade,
        tooltip=["ladder:N", *rounded(".2f", "null_low", "null_high")],
    )
    dots = alt.Chart(points).mark_point(filled=True, size=70, stroke=BLUE, strokeWidth=1.5, opacity=1)
    dots = dots.encode(
        x=to_right, y=place, color=shade, tooltip=["ladder:N", "scores:N", *rounded(".3f", "value"), "n:Q"]
    )
    inside = int(((table["r_normalised"] >= table["null_low"]) & (table["r_normalised"] <= table["null_high"])).sum())
    return figure(
        alt.layer(null, line_at(0, "x"), dots).properties(height=30 * len(order)),
        title=title or f"{inside} of {len(table)} families lie where shuffled scores lie after the same division",
        alt="For each family a hollow point for r of the scores, a filled one for r after division by width, and a "
        "grey bar for 95 % of r of shuffled scores after the same division.",
        source=source,
        n=f"{len(table)} families",
        rows=table,
        name=name,
    )


def equivalents(table: pd.DataFrame, *, source: str) -> Figure:
    """The web-trained size with which each curated model is level, by three readings, beside its own size.

    table: `levers.equivalent_scale` of several readings, column `reading`.
    """
    rows = table.assign(
        reading=table["reading"].map(SHORT),
        shown=table["equivalent_b"].clip(upper=EDGE),
        end=np.where(np.isinf(table["equivalent_b"]), "not reached", "reached"),
    )
    names = list(SHORT.values())
    row, offset = row_names("model", limit=140), sides("reading", names)
    scale = alt.Scale(type="log", domain=[NEAR, EDGE])
    worth = forest(
        rows,
        row,
        alt.X("shown:Q", scale=scale, axis=SIZE_AXIS),
        colour=colours("reading", dict(zip(names, PALETTE, strict=False)), columns=1, labelLimit=280),
        shape=shapes("end", {"reached": "circle", "not reached": "triangle-right"}).legend(None),
        offset=offset,
        tooltip=["model:N", "reading:N", *rounded(".3g", "params_b", "equivalent_b", "low", "high")],
        rule=None,
        height=60,
    )
    own = alt.Chart(rows).mark_tick(color=INK, thickness=2, height=16)
    own = own.encode(x=alt.X("params_b:Q", scale=scale, axis=SIZE_AXIS), y=row, yOffset=offset)
    beyond = int(np.isinf(table["equivalent_b"]).sum())
    return figure(
        alt.layer(own, worth),
        title=f"What a curated model is worth in scale depends on the reading; {beyond} of {len(rows)} give no size",
        alt="For each curated model three points with intervals: the web-trained size with the same HellaSwag, with "
        "the same TruthfulQA, and with the same TruthfulQA for its HellaSwag. A tick marks its own size; a triangle at "
        "the right edge means that no web-trained size of the panel gets there.",
        source=source,
        n=f"{rows['model'].nunique()} models",
        rows=table,
        name="equivalent-scale",
    )


def curation_curve(params_b: np.ndarray, *, critical_b: float) -> pd.DataFrame:
    """The papers' minimum curation in percent at each size (billions), for one critical size."""
    share = [100 * minimum_curation(float(size), critical_b=critical_b) for size in params_b]
    table = pd.DataFrame({"params_b": params_b, "percent": share})
    at = {size: 100 * minimum_curation(size, critical_b=critical_b) for size in (1.0, 3.0)}
    asked = " and ".join(f"{share:.0f} % at {size:g} B" for size, share in at.items())
    table.attrs["reading"] = f"With N_c = {critical_b:g} B the formula asks for {asked}."
    return table


def minimum_curations(rows: pd.DataFrame) -> Figure:
    """The curve of `curation_curve` for one critical size, or for several (for `explore`: column critical)."""
    chart = alt.Chart(rows).mark_line(color=BLUE)
    chart = chart.encode(
        x=alt.X("params_b:Q", scale=alt.Scale(type="log", domain=[0.1, 20]), axis=SIZE_AXIS),
        y=upright("percent", "curated share asked for (%)", [0, 100]),
        tooltip=[*rounded(".2f", "params_b"), *rounded(".0f", "percent")],
    )
    return figure(
        chart,
        title="The formula hangs on a critical size that is itself uncertain",
        alt="Percent of curated data that the formula asks for, falling from near 100 at small sizes to zero at the "
        "critical size, which the slider sets.",
        source="formula of paper A",
        n="a formula, no data",
        rows=rows,
        name="minimum-curation",
    )


def generations(pairs: pd.DataFrame, *, source: str) -> Figure:
    """Two Qwen generations at nearest sizes, one line a pair, each kind of measurement by itself.

    pairs: `levers.generation_pairs`.
    """
    kinds = pairs["measure_id"].map({"per_head": "per head", "hidden_state": "hidden state"})
    # the legend names the generations, so the row names the sizes
    older, newer = (pairs[name].str.split("-", n=1).str[1] for name in ("older", "newer"))
    named = pairs.assign(pair=older + " to " + newer + ", " + kinds)
    named = named.sort_values(["measure_id", "newer_b"], ascending=[False, True])
    long = named.melt(["pair"], ["older_coupling", "newer_coupling"], "which", "coupling")
    long["which"] = long["which"].map({"older_coupling": "Qwen2.5", "newer_coupling": "Qwen3"})
    place, title = row_names("pair", named["pair"]), "published internal coupling"
    lines = alt.Chart(named).mark_rule(color=MUTED, strokeWidth=2)
    lines = lines.encode(x=across("older_coupling", title), x2="newer_coupling:Q", y=place)
    dots = alt.Chart(long).mark_point(filled=True, size=70, stroke=BLUE, opacity=1)
    dots = dots.encode(
        x=across("coupling", title, [0, 1]),
        y=place,
        color=colours("which", {"Qwen2.5": PAPER, "Qwen3": BLUE}, symbolStrokeColor=BLUE),
        tooltip=["pair:N", "which:N", *rounded(".3f", "coupling")],
    )
    heads = pairs[pairs["measure_id"] == "per_head"]
    changed = int((heads["difference"].abs() > 0.01).sum())
    return figure(
        (lines + dots).properties(height=30 * len(named)),
        title=f"Per head, {changed} of {len(heads)} pairs of generations differ; the other values are one and the same",
        alt="Pairs of one Qwen2.5 (hollow) and one Qwen3 model (filled) at nearest sizes. Per head all pairs but one "
        "coincide near 0.83; by hidden states the newer one of the pair at 7 and 8 billion is higher.",
        source=source,
        n=f"{len(pairs)} pairs",
        rows=pairs,
        name="qwen-generations",
    )


def architecture(rows: pd.DataFrame, *, source: str) -> Figure:
    """Every internal coupling of one family, tuned models hollow.  rows: `levers.architecture_rows`."""
    named = rows.assign(kind=np.where(rows["tuned"], "instruction-tuned", "base"))
    chart = alt.Chart(named).mark_point(filled=True, size=80, stroke=BLUE, opacity=1)
    chart = chart.encode(
        x=across("net_coupling", "published internal coupling", [0.7, 1]),
        y=alt.Y("model:N", sort=alt.SortField("net_coupling", order="descending"), title=None),
        color=colours("kind", {"base": BLUE, "instruction-tuned": PAPER}, symbolStrokeColor=BLUE),
        tooltip=["model:N", "measure_id:N", *rounded(".3f", "net_coupling"), "note:N"],
    ).properties(height=28 * len(named))
    best = named.iloc[0]
    return figure(
        chart,
        title=f"The highest published value, {best['net_coupling']:.3f}, is that of {best['model']}",
        alt="One point a model: published internal coupling of Gemma 3 and Gemma 4; instruction-tuned ones hollow.",
        source=source,
        n=f"{len(named)} models",
        rows=rows,
        name="gemma-couplings",
    )
