"""Figures of chapter 4: what was measured inside the models, what of it can depend on the weights, and our probes."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.axes import across, colours, rounded, row_names, shapes, sides, upright
from cape_lib.charts.forest import band, forest, line_at, trace
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.levers import TESTBED
from cape_lib.charts.look import AMBER, BLUE, GREY, MUTED, PURPLE, VERMILION

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
#: The two twins of a probe -> their colour on every page.
TWINS = {"trained": BLUE, "untrained": GREY}
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
    sure_not = int(rows["weight_dependent"].isin(["false", "doubtful"]).sum())
    words, title = DEPENDS.values(), "depends on the weights"
    return figure(
        forest(
            rows,
            row_names("kind", KINDS.values(), limit=180),
            across("net_coupling", "published coupling", [0, 1]),
            colour=colours("depends", words, (AMBER, PURPLE, BLUE), title=title, titleOrient="top"),
            shape=shapes("depends", words, ("cross", "diamond", "circle"), title=title),
            tooltip=["model:N", "measure:N", *rounded(".3f", "net_coupling"), "depends:N"],
            rule=None,
            height=28,
        ),
        title=f"{rows['kind'].nunique()} kinds of measurement; {sure_not} of {len(rows)} values cannot or may not "
        "depend on the weights",
        alt="Each released coupling as a point, one row a kind of measurement, with its colour and shape by whether "
        "the value can depend on the weights. Rows of different kinds lie at different levels.",
        source=SOURCE,
        n=f"{len(rows)} values",
        rows=rows,
        name="internal-measurements",
    )


def layers(table: pd.DataFrame) -> Figure:
    """Coupling by depth of every model run with layers.  table: `tables.load("layer_coupling")`."""
    rows = table.round({"relative_depth": 3, "coupling": 5}).assign(kind=table["measure_id"].map(KINDS))
    rows = rows[["model", "layer", "relative_depth", "coupling", "kind"]]
    spans = table.groupby(["measure_id", "model"])["coupling"].agg(lambda values: values.max() - values.min())
    flat = int((spans < 1e-4).sum())
    return figure(
        trace(
            rows,
            across("relative_depth", "depth (0 first layer, 1 last)"),
            upright("coupling", "coupling"),
            detail="model:N",
            colour=colours("kind", rows["kind"].drop_duplicates()),
            tooltip=["model:N", "kind:N", "layer:Q", *rounded(".4f", "coupling")],
        ),
        title=f"{flat} of {len(spans)} runs give one and the same number at every layer",
        alt="Coupling against depth, one line a model. The lines of attention patterns are flat near 0.97 and on top "
        "of each other; the per-unit runs wander between 0 and 0.7.",
        source="[layer couplings](../book/data.html#other-tables), as released",
        n=f"{len(spans)} model runs",
        rows=rows,
        name="coupling-by-layer",
    )


def head_counts(table: pd.DataFrame, *, claimed: int) -> Figure:
    """Models with a released count of competing heads.

    table: model, size (billions, NaN where unknown), competing (heads, or 0 and 1 from a share), counted (yes or no).
    claimed: how many models the paper counts.
    """
    rows = table.sort_values("competing", ascending=False)
    base = alt.Chart(rows).encode(y=row_names("model", limit=140), tooltip=["model:N", "competing:Q", "kinds:N"])
    bars = base.mark_bar(height=12, color=VERMILION).encode(x=across("competing", "competing heads (released count)"))
    zero = base.transform_filter("datum.competing === 0").mark_point(filled=True, size=40, color=BLUE, opacity=1)
    some = int((rows["competing"] > 0).sum())
    return figure(
        alt.layer(bars, zero.encode(x=alt.datum(0))).properties(height=17 * len(rows)),
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
    return pd.DataFrame(runs.groupby(["family", "kind"]).filter(lambda part: len(part) > 1))


def one_measurement(rows: pd.DataFrame) -> Figure:
    """Coupling against size within each kind of measurement that has two sizes of one family.

    rows: family, model, size (billions), net_coupling, kind.
    """
    series = rows.assign(series=rows["family"] + ", " + rows["kind"])
    large = series[series["size"] >= 13].groupby("series").filter(lambda part: len(part) > 1)
    ends = large.groupby("series")["net_coupling"].agg(["first", "last"])
    rising = int((ends["last"] > ends["first"]).sum())
    return figure(
        trace(
            series,
            across("size", "parameters (billions), log scale", type="log"),
            upright("net_coupling", "coupling", [0, 1]),
            colour=colours("series", series["series"].drop_duplicates(), columns=1, labelLimit=260),
            tooltip=["model:N", "series:N", *rounded(".3f", "net_coupling")],
            point=70,
        ),
        title=f"Within one kind of measurement {rising} of {len(ends)} families rise from 13 B on: no drop was "
        "measured",
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
    falls = int((rows["output_proj_cosine"] < rows["net_coupling"]).sum())
    return figure(
        trace(
            long,
            alt.X("stage:N", sort=list(stages.values()), title=None, axis=axis),
            upright("cosine", "cosine", [0.5, 1]),
            colour=colours("model", SIZES),
            tooltip=["model:N", "stage:N", *rounded(".3f", "cosine")],
            point=80,
        ),
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
    drawn = trace(
        sweep,
        across("k", "kept directions, log scale", type="log"),
        upright("coupling", "coupling"),
        colour=colours("model", SIZES),
        tooltip=["model:N", "k:Q", *rounded(".3f", "coupling")],
        point=True,
    )
    words = alt.Chart(pd.DataFrame({"k": [RANK], "says": [f"rank of {RANK + 1} centred vectors"]}))
    words = words.mark_text(align="left", dx=5, dy=8, color=MUTED).encode(x="k:Q", y=alt.value(4), text="says:N")
    wide = sweep[sweep["k"] >= 32].groupby("model")["coupling"]
    constant = int(((wide.max() - wide.min()) < 1e-9).sum())
    return figure(
        alt.layer(drawn, line_at(RANK, "x", dashed=True), words),
        title=f"Beyond {RANK} directions nothing changes, in {constant} of {wide.ngroups} models: there are no more",
        alt=f"Coupling against kept directions for three Pythia models; all lines are flat to the right of a rule at "
        f"{RANK}.",
        source="[projection sweep](../book/data.html#other-tables), as released",
        n=f"{len(sweep)} values",
        rows=sweep,
        name="kept-dimensions",
    )


def twin_gap(probed: pd.DataFrame) -> pd.DataFrame:
    """One row a block: coupling trained and untrained, and whether their 95 % intervals lie apart.

    probed: `testbed_probes`, or the rows of one model in that form.
    """
    wide = probed.pivot(index=["model", "layer"], columns="weights", values=["coupling", "low", "high"])
    gap = wide["coupling"][["trained", "untrained"]]
    above = wide["low", "trained"] > wide["high", "untrained"]
    below = wide["high", "trained"] < wide["low", "untrained"]
    return pd.DataFrame(gap.assign(above=above, below=below).rename_axis(columns=None).reset_index())


def twin_reading(rows: pd.DataFrame) -> str:
    """How many blocks differ from their untrained twins, in a sentence."""
    gap = twin_gap(rows)
    return (
        f"In {int(gap['above'].sum())} of {len(gap)} blocks the trained coupling lies clearly above that of the "
        f"untrained twin, in {int(gap['below'].sum())} clearly below (intervals apart)."
    )


def twins(rows: pd.DataFrame, *, probed: pd.DataFrame, name: str = "probe-twins") -> Figure:
    """Coupling by block, trained and untrained (for `explore`: column models).

    rows: `testbed_probes` of a few models;  probed: of all that can be chosen, for the title.
    """
    shown = rows.assign(place=rows["model"] + ", block " + rows["layer"].astype(str))
    chart = forest(
        shown,
        row_names("place", limit=180),
        across("coupling", "coupling of reasoning and truthfulness", [-1, 1]),
        colour=colours("weights", TWINS),
        shape=shapes("weights", {"trained": "circle", "untrained": "square"}),
        offset=sides("weights", TWINS),
        tooltip=["place:N", "weights:N", *rounded(".2f", "coupling", "q", "raw", "dimension")],
    )
    places = shown.groupby("models")["place"].nunique().max() if "models" in shown else shown["place"].nunique()
    gap = twin_gap(probed)
    apart = int((gap["above"] | gap["below"]).sum())
    return figure(
        chart.properties(height=44 * int(places)),
        title=f"In {apart} of {len(gap)} blocks the trained coupling is clearly another than the untrained one",
        alt="Coupling with a 95 % interval for each block, trained and untrained weights side by side, and a rule at "
        "zero.",
        source=TESTBED,
        n=f"{probed['model'].nunique()} models" if probed["model"].nunique() > 1 else f"{len(gap)} blocks",
        rows=shown,
        name=name,
    )


def along_depth(rows: pd.DataFrame) -> Figure:
    """Coupling by block of a model read elsewhere, trained and untrained, with its band.  rows: `model_probes`."""
    shown = rows[["model", "weights", "layer", "coupling", "low", "high"]]
    gap = twin_gap(rows)
    apart = int((gap["above"] | gap["below"]).sum())
    return figure(
        band(
            shown,
            alt.X("layer:Q", title="block", axis=alt.Axis(tickMinStep=1)),
            upright("coupling", "coupling", [-1, 1]),
            colour=colours("weights", TWINS),
            tooltip=["weights:N", "layer:Q", *rounded(".2f", "coupling")],
            point=True,
        ),
        title=f"On a real model training changed the coupling in {apart} of {len(gap)} blocks",
        alt="Coupling against the block, one line for the trained model and one for the same architecture with random "
        "weights, each with its 95 % band.",
        source="[probes of real models](../book/data.html#other-tables), run for this book",
        n=f"{len(gap)} blocks of {', '.join(rows['model'].unique())}",
        rows=shown,
        name="probe-real",
    )
