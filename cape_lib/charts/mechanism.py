"""Figures of chapter 4: what was measured inside the models, and what of it can depend on the weights."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.frame import INK, MUTED, PALETTE, Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY, PURPLE, VERMILION

#: Kind of measurement -> in words; two kinds are never compared.
KINDS = {
    "per_head": "per head, Qwen",
    "attention_pattern": "attention pattern",
    "flat_not_stated": "not stated, flat",
    "opt_ladder": "OPT ladder",
    "per_unit_nc2": "per unit, first run",
    "per_unit_nc3": "per unit, second run",
    "hidden_state": "hidden state",
    "cosine_of_means": "cosine of means",
    "text_only": "paper text only",
}
DEPENDS = {"false": "cannot", "doubtful": "may not", "unknown": "not known"}
#: The three Pythia sizes that were probed -> their colour on this page.
SIZES = {"Pythia-410M": PURPLE, "Pythia-1B": AMBER, "Pythia-2.8B": BLUE}
SOURCE = "[internal couplings](../book/data.html#other-tables), as released"


def measurements(internal: pd.DataFrame) -> Figure:
    """Every released internal coupling, by kind of measurement, with whether it can depend on the weights.

    internal: `tables.load("internal_coupling")`.
    """
    rows = internal.dropna(subset=["net_coupling"])
    rows = rows.assign(kind=rows["measure_id"].map(KINDS), depends=rows["weight_dependent"].map(DEPENDS))
    rows = rows[["model", "family", "kind", "measure", "net_coupling", "depends", "weight_dependent", "source"]]
    kinds = rows["kind"].nunique()
    sure_not = int(rows["weight_dependent"].isin(["false", "doubtful"]).sum())
    words = list(DEPENDS.values())
    marks = alt.Scale(domain=words, range=["cross", "diamond", "circle"])
    chart = (
        alt.Chart(rows)
        .mark_point(filled=True, size=65, opacity=0.8)
        .encode(
            x=alt.X("net_coupling:Q", title="published coupling", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("kind:N", sort=list(KINDS.values()), title=None, axis=alt.Axis(labelLimit=180)),
            color=alt.Color("depends:N", scale=alt.Scale(domain=words, range=[AMBER, PURPLE, BLUE]),
                            title="depends on the weights", legend=alt.Legend(titleOrient="top")),
            shape=alt.Shape("depends:N", scale=marks, title="depends on the weights"),
            tooltip=["model:N", "measure:N", alt.Tooltip("net_coupling:Q", format=".3f"), "depends:N"],
        )
        .properties(height=28 * kinds)
    )  # fmt: skip
    return figure(
        chart,
        title=f"{kinds} kinds of measurement; {sure_not} of {len(rows)} values cannot or may not depend on the weights",
        alt="Each released coupling as a point, one row a kind of measurement, with its colour and shape by whether "
        "the value can depend on the weights. Rows of different kinds lie at different levels.",
        source=SOURCE,
        n=f"{len(rows)} values",
        rows=rows,
        name="internal-measurements",
    )


def layers(table: pd.DataFrame) -> Figure:
    """Coupling by depth of every model run with layers.  table: `tables.load("layer_coupling")`."""
    kept = ["model", "layer", "relative_depth", "coupling", "kind"]
    rows = table.assign(kind=table["measure_id"].map(KINDS), relative_depth=table["relative_depth"].round(3))
    rows["coupling"] = rows["coupling"].round(5)
    kinds = list(rows["kind"].drop_duplicates())
    spans = table.groupby(["measure_id", "model"])["coupling"].agg(lambda values: values.max() - values.min())
    flat = int((spans < 1e-4).sum())
    chart = (
        alt.Chart(rows[kept])
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X("relative_depth:Q", title="depth (0 first layer, 1 last)"),
            y=alt.Y("coupling:Q", title="coupling"),
            detail="model:N",
            color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=PALETTE[: len(kinds)]), title=None),
            tooltip=["model:N", "kind:N", "layer:Q", alt.Tooltip("coupling:Q", format=".4f")],
        )
    )
    return figure(
        chart,
        title=f"{flat} of {len(spans)} runs give one and the same number at every layer",
        alt="Coupling against depth, one line a model. The lines of attention patterns are flat near 0.97 and on top "
        "of each other; the per-unit runs wander between 0 and 0.7.",
        source="[layer couplings](../book/data.html#other-tables), as released",
        n=f"{len(spans)} model runs",
        rows=rows[kept],
        name="coupling-by-layer",
    )


def head_counts(table: pd.DataFrame, *, claimed: int) -> Figure:
    """Models with a released count of competing heads.

    table: model, size (billions, NaN where unknown), competing (heads, or 0 and 1 from a share), counted (yes or no).
    claimed: how many models the paper counts.
    """
    rows = table.sort_values("competing", ascending=False)
    chart = (
        alt.Chart(rows)
        .mark_bar(height=12)
        .encode(
            x=alt.X("competing:Q", title="competing heads (released count)"),
            y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=140)),
            color=alt.condition("datum.competing > 0", alt.value(VERMILION), alt.value(GREY)),
            tooltip=["model:N", "competing:Q", "kinds:N"],
        )
    )
    zero = alt.Chart(rows[rows["competing"] == 0]).mark_point(filled=True, size=40, color=BLUE, opacity=1).encode(
        x=alt.datum(0), y=alt.Y("model:N", sort=None, title=None, axis=alt.Axis(labelLimit=140))
    )  # fmt: skip
    some = int((rows["competing"] > 0).sum())
    return figure(
        alt.layer(chart, zero).properties(height=17 * len(rows)),
        title=f"{len(rows)} models have a released count, {some} of them competing heads; the paper counts {claimed}",
        alt="A bar for each model with a released count of competing heads, longest first; a blue point where the "
        "count is zero.",
        source=SOURCE,
        n=f"{len(rows)} models",
        rows=rows,
        name="competing-heads",
    )


def within_kinds(internal: pd.DataFrame) -> pd.DataFrame:
    """The couplings of families of which one kind of measurement has two sizes or more.

    internal: `tables.load("internal_coupling")`.  Returns its rows with size (billions) and kind.
    """
    rows = internal.dropna(subset=["net_coupling"])
    number = rows["model"].str.extract(r"([\d.]+)([BM])")
    size = number[0].astype(float) / number[1].map({"B": 1.0, "M": 1000.0})
    rows = rows.assign(size=size, kind=rows["measure_id"].map(KINDS))
    runs = rows[rows["measure_id"].isin(["opt_ladder", "per_unit_nc2", "per_unit_nc3"])].sort_values(["family", "size"])
    several = runs.groupby(["family", "kind"]).filter(lambda part: len(part) > 1)
    return pd.DataFrame(several)


def one_measurement(rows: pd.DataFrame) -> Figure:
    """Coupling against size within each kind of measurement that has two sizes of one family.

    rows: family, model, size (billions), net_coupling, kind.
    """
    series = rows.assign(series=rows["family"] + ", " + rows["kind"])
    names = list(series["series"].drop_duplicates())
    shades = alt.Scale(domain=names, range=PALETTE[: len(names)])
    chart = (
        alt.Chart(series)
        .mark_line(point=alt.OverlayMarkDef(size=70, filled=True))
        .encode(
            x=alt.X("size:Q", scale=alt.Scale(type="log"), title="parameters (billions), log scale"),
            y=alt.Y("net_coupling:Q", title="coupling", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("series:N", scale=shades, title=None, legend=alt.Legend(columns=1, labelLimit=260)),
            tooltip=["model:N", "series:N", alt.Tooltip("net_coupling:Q", format=".3f")],
        )
    )
    large = series[series["size"] >= 13].groupby("series")["net_coupling"]
    rising = sum(bool(values.iloc[-1] > values.iloc[0]) for _, values in large if len(values) > 1)
    pairs = sum(len(values) > 1 for _, values in large)
    return figure(
        chart,
        title=f"Within one kind of measurement {rising} of {pairs} families rise from 13 B on: no drop was measured",
        alt="Coupling against size, one line a family and kind of measurement. The OPT ladder rises to 13 billion; "
        "the per-unit runs start lower at 13 or 30 billion and rise again. No line falls.",
        source=SOURCE,
        n=f"{len(series)} values",
        rows=series,
        name="drop-within-one-measurement",
    )


def projections(rows: pd.DataFrame) -> Figure:
    """Cosine of the two mean vectors at the hidden state, after the output map, and after GELU, three Pythia sizes.

    rows: `internal_coupling` rows of kind cosine_of_means.
    """
    stages = {
        "net_coupling": "hidden state",
        "output_proj_cosine": "output projection",
        "wider_proj_cosine": 'GELU ("wider")',
    }
    long = rows.melt(["model"], list(stages), "stage", "cosine")
    long["stage"] = long["stage"].map(stages)
    order = list(SIZES)
    shades = alt.Scale(domain=order, range=list(SIZES.values()))
    chart = (
        alt.Chart(long)
        .mark_line(point=alt.OverlayMarkDef(size=80, filled=True))
        .encode(
            x=alt.X(
                "stage:N",
                sort=list(stages.values()),
                title=None,
                axis=alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')"),
            ),
            y=alt.Y("cosine:Q", title="cosine", scale=alt.Scale(domain=[0.5, 1])),
            color=alt.Color("model:N", sort=order, scale=shades, title=None),
            tooltip=["model:N", "stage:N", alt.Tooltip("cosine:Q", format=".3f")],
        )
    )
    falls = int((rows["output_proj_cosine"] < rows["net_coupling"]).sum())
    return figure(
        chart,
        title=f"The cosine falls at the output projection in {falls} of {len(rows)} sizes",
        alt="Three lines, one a Pythia size, over three stages. At 1 billion the cosine falls at the output "
        "projection and rises after GELU; at 410 million and 2.8 billion it rises at the output projection and "
        "falls after GELU.",
        source=SOURCE,
        n=f"{len(rows)} models",
        rows=long,
        name="projection-stages",
    )


def kept_dimensions(sweep: pd.DataFrame) -> Figure:
    """Coupling against the number of kept principal directions, and the rank of the data.

    sweep: `tables.load("projection_sweep")`.
    """
    shades = alt.Scale(domain=list(SIZES), range=list(SIZES.values()))
    lines = (
        alt.Chart(sweep)
        .mark_line(point=True)
        .encode(
            x=alt.X("k:Q", scale=alt.Scale(type="log"), title="kept directions, log scale"),
            y=alt.Y("coupling:Q", title="coupling"),
            color=alt.Color("model:N", scale=shades, title=None),
            tooltip=["model:N", "k:Q", alt.Tooltip("coupling:Q", format=".3f")],
        )
    )
    rank = pd.DataFrame({"k": [19], "said": ["rank of 20 centred vectors"]})
    rule = alt.Chart(rank).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="k:Q")
    words = alt.Chart(rank).mark_text(align="left", dx=5, dy=8, color=MUTED)
    text = words.encode(x="k:Q", y=alt.value(4), text="said:N")
    wide = sweep[sweep["k"] >= 32].groupby("model")["coupling"]
    constant = int(((wide.max() - wide.min()) < 1e-9).sum())
    return figure(
        lines + rule + text,
        title=f"Beyond 19 directions nothing changes, in {constant} of {wide.ngroups} models: there are no more",
        alt="Coupling against kept directions for three Pythia models; all lines are flat to the right of a rule at "
        "19.",
        source="[projection sweep](../book/data.html#other-tables), as released",
        n=f"{len(sweep)} values",
        rows=sweep,
        name="kept-dimensions",
    )
