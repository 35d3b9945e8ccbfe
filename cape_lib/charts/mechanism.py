"""Figures of chapter 4: what was measured inside the models, and what of it can depend on the weights."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.axes import across, colours, rounded, row_names, shapes, upright
from cape_lib.charts.forest import forest, line_at
from cape_lib.charts.frame import MUTED, PALETTE, Figure, figure
from cape_lib.charts.look import AMBER, BLUE, PURPLE, VERMILION

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
#: What 20 centred vectors can span.
RANK = 19
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
    about = {"title": "depends on the weights"}
    chart = forest(
        rows,
        row_names("kind", list(KINDS.values()), limit=180),
        across("net_coupling", "published coupling", [0, 1]),
        colour=colours("depends", dict(zip(words, (AMBER, PURPLE, BLUE), strict=True)), titleOrient="top", **about),
        shape=shapes("depends", dict(zip(words, ("cross", "diamond", "circle"), strict=True)), **about),
        tooltip=["model:N", "measure:N", *rounded(".3f", "net_coupling"), "depends:N"],
        rule=None,
        height=28,
    )
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
    chart = alt.Chart(rows[kept]).mark_line(strokeWidth=1.8)
    chart = chart.encode(
        x=across("relative_depth", "depth (0 first layer, 1 last)"),
        y=upright("coupling", "coupling"),
        detail="model:N",
        color=colours("kind", dict(zip(kinds, PALETTE, strict=False))),
        tooltip=["model:N", "kind:N", "layer:Q", *rounded(".4f", "coupling")],
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
    base = alt.Chart(rows).encode(y=row_names("model", limit=140), tooltip=["model:N", "competing:Q", "kinds:N"])
    bars = base.mark_bar(height=12, color=VERMILION)
    zero = base.transform_filter("datum.competing === 0").mark_point(filled=True, size=40, color=BLUE, opacity=1)
    some = int((rows["competing"] > 0).sum())
    return figure(
        alt.layer(
            bars.encode(x=across("competing", "competing heads (released count)")), zero.encode(x=alt.datum(0))
        ).properties(height=17 * len(rows)),
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
    chart = alt.Chart(series).mark_line(point=alt.OverlayMarkDef(size=70, filled=True))
    chart = chart.encode(
        x=alt.X("size:Q", scale=alt.Scale(type="log"), title="parameters (billions), log scale"),
        y=upright("net_coupling", "coupling", [0, 1]),
        color=colours("series", dict(zip(names, PALETTE, strict=False)), columns=1, labelLimit=260),
        tooltip=["model:N", "series:N", *rounded(".3f", "net_coupling")],
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
    axis = alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')")
    chart = alt.Chart(long).mark_line(point=alt.OverlayMarkDef(size=80, filled=True))
    chart = chart.encode(
        x=alt.X("stage:N", sort=list(stages.values()), title=None, axis=axis),
        y=upright("cosine", "cosine", [0.5, 1]),
        color=colours("model", SIZES),
        tooltip=["model:N", "stage:N", *rounded(".3f", "cosine")],
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
    lines = alt.Chart(sweep).mark_line(point=True)
    lines = lines.encode(
        x=alt.X("k:Q", scale=alt.Scale(type="log"), title="kept directions, log scale"),
        y=upright("coupling", "coupling"),
        color=colours("model", SIZES),
        tooltip=["model:N", "k:Q", *rounded(".3f", "coupling")],
    )
    words = alt.Chart(pd.DataFrame({"k": [RANK], "says": [f"rank of {RANK + 1} centred vectors"]}))
    words = words.mark_text(align="left", dx=5, dy=8, color=MUTED).encode(x="k:Q", y=alt.value(4), text="says:N")
    wide = sweep[sweep["k"] >= 32].groupby("model")["coupling"]
    constant = int(((wide.max() - wide.min()) < 1e-9).sum())
    return figure(
        alt.layer(lines, line_at(RANK, "x", dashed=True), words),
        title=f"Beyond {RANK} directions nothing changes, in {constant} of {wide.ngroups} models: there are no more",
        alt="Coupling against kept directions for three Pythia models; all lines are flat to the right of a rule at "
        "19.",
        source="[projection sweep](../book/data.html#other-tables), as released",
        n=f"{len(sweep)} values",
        rows=sweep,
        name="kept-dimensions",
    )
