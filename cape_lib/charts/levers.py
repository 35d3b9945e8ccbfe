"""Figures of chapter 3: width and its null, what a curated model is worth, two generations, one architecture."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.levers import minimum_curation
from cape_lib.charts.axes import SIZE_AXIS
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
    place = alt.Y("ladder:N", sort=order, title=None, axis=alt.Axis(labelLimit=160))
    kept = [name for name in ("ladder", "n", "power") if name in table]
    points = table.melt(kept, ["r", "r_normalised"], var_name="scores", value_name="value")
    points["scores"] = points["scores"].map({"r": "as they are", "r_normalised": "divided by width"})
    scale = alt.Scale(domain=["as they are", "divided by width", "shuffled, then divided"], range=[PAPER, BLUE, GREY])
    shade = alt.Color("scores:N", scale=scale, title=None, legend=alt.Legend(symbolStrokeColor=BLUE))
    across = alt.X("value:Q", title="correlation r", scale=alt.Scale(domain=[-1, 1]))
    null = (
        alt.Chart(table.assign(scores="shuffled, then divided"))
        .mark_bar(height=14, opacity=0.55)
        .encode(
            x=alt.X("null_low:Q", title="correlation r", scale=alt.Scale(domain=[-1, 1])),
            x2="null_high:Q",
            y=place,
            color=shade,
            tooltip=["ladder:N", alt.Tooltip("null_low:Q", format=".2f"), alt.Tooltip("null_high:Q", format=".2f")],
        )
    )
    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color=INK).encode(x=across)
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=70, stroke=BLUE, strokeWidth=1.5, opacity=1)
        .encode(
            x=across,
            y=place,
            color=shade,
            tooltip=["ladder:N", "scores:N", alt.Tooltip("value:Q", format=".3f"), "n:Q"],
        )
    )
    inside = int(((table["r_normalised"] >= table["null_low"]) & (table["r_normalised"] <= table["null_high"])).sum())
    return figure(
        (null + zero + dots).properties(height=30 * len(order)),
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
        from_b=table["low"].clip(lower=NEAR, upper=EDGE),
        to_b=table["high"].clip(lower=NEAR, upper=EDGE),
        end=np.where(np.isinf(table["equivalent_b"]), "not reached", "reached"),
    )
    names = list(SHORT.values())
    row = alt.Y("model:N", title=None, axis=alt.Axis(labelLimit=140))
    offset = alt.YOffset("reading:N", sort=names)
    shades = alt.Scale(domain=names, range=PALETTE[: len(names)])
    colour = alt.Color("reading:N", scale=shades, title=None, legend=alt.Legend(columns=1, labelLimit=280))
    ends = alt.Scale(domain=["reached", "not reached"], range=["circle", "triangle-right"])
    numbers = [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("params_b", "equivalent_b", "low", "high")]
    base = alt.Chart(rows)
    bars = base.mark_rule(strokeWidth=2).encode(x=_sizes("from_b"), x2="to_b:Q", y=row, yOffset=offset, color=colour)
    dots = base.mark_point(filled=True, size=65, opacity=1).encode(
        x=_sizes("shown"), y=row, yOffset=offset, color=colour, shape=alt.Shape("end:N", scale=ends, legend=None),
        tooltip=["model:N", "reading:N", *numbers],
    )  # fmt: skip
    own = base.mark_tick(color=INK, thickness=2, height=16).encode(x=_sizes("params_b"), y=row, yOffset=offset)
    beyond = int(np.isinf(table["equivalent_b"]).sum())
    return figure(
        (own + bars + dots).properties(height=60 * rows["model"].nunique()),
        title=f"What a curated model is worth in scale depends on the reading; {beyond} of {len(rows)} give no size",
        alt="For each curated model three points with intervals: the web-trained size with the same HellaSwag, with "
        "the same TruthfulQA, and with the same TruthfulQA for its HellaSwag. A tick marks its own size; a triangle at "
        "the right edge means that no web-trained size of the panel gets there.",
        source=source,
        n=f"{rows['model'].nunique()} models",
        rows=table,
        name="equivalent-scale",
    )


def _sizes(column: str) -> alt.X:
    return alt.X(f"{column}:Q", scale=alt.Scale(type="log", domain=[NEAR, EDGE]), axis=SIZE_AXIS)


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
    chart = (
        alt.Chart(rows)
        .mark_line(color=BLUE)
        .encode(
            x=alt.X("params_b:Q", scale=alt.Scale(type="log", domain=[0.1, 20]), axis=SIZE_AXIS),
            y=alt.Y("percent:Q", title="curated share asked for (%)", scale=alt.Scale(domain=[0, 100])),
            tooltip=[alt.Tooltip("params_b:Q", format=".2f"), alt.Tooltip("percent:Q", format=".0f")],
        )
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
    place = alt.Y("pair:N", sort=list(named["pair"]), title=None, axis=alt.Axis(labelLimit=260))
    across = alt.X("coupling:Q", title="published internal coupling", scale=alt.Scale(domain=[0, 1]))
    lines = alt.Chart(named).mark_rule(color=MUTED, strokeWidth=2).encode(
        x=alt.X("older_coupling:Q", title="published internal coupling"), x2="newer_coupling:Q", y=place
    )  # fmt: skip
    shades = alt.Scale(domain=["Qwen2.5", "Qwen3"], range=[PAPER, BLUE])
    dots = alt.Chart(long).mark_point(filled=True, size=70, stroke=BLUE, opacity=1).encode(
        x=across, y=place,
        color=alt.Color("which:N", scale=shades, title=None, legend=alt.Legend(symbolStrokeColor=BLUE)),
        tooltip=["pair:N", "which:N", alt.Tooltip("coupling:Q", format=".3f")],
    )  # fmt: skip
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
    shades = alt.Scale(domain=["base", "instruction-tuned"], range=[BLUE, PAPER])
    chart = (
        alt.Chart(named)
        .mark_point(filled=True, size=80, stroke=BLUE, opacity=1)
        .encode(
            x=alt.X("net_coupling:Q", title="published internal coupling", scale=alt.Scale(domain=[0.7, 1])),
            y=alt.Y("model:N", sort=alt.SortField("net_coupling", order="descending"), title=None),
            color=alt.Color("kind:N", scale=shades, title=None, legend=alt.Legend(symbolStrokeColor=BLUE)),
            tooltip=["model:N", "measure_id:N", alt.Tooltip("net_coupling:Q", format=".3f"), "note:N"],
        )
        .properties(height=28 * len(named))
    )
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
