"""Figures of chapter 4: what was measured inside the models, what of it can depend on the weights, and our probes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, band, colours, forest, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.levers import TESTBED
from cape_lib.charts.look import BLUE, GREY
from cape_lib.story.mechanism import changed

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
DEPENDS = {"false": "no", "doubtful": "perhaps not", "unknown": "not known"}
#: The two twins of a probe -> their colour on every page.
TWINS = {"trained": BLUE, "untrained": GREY}
#: Column -> the place in the model at which the cosine of the two mean vectors was read.
STAGES = {
    "net_coupling": "hidden state",
    "output_proj_cosine": "output projection",
    "wider_proj_cosine": 'GELU ("wider")',
}


def layers(table: pd.DataFrame) -> Figure:
    """Coupling by depth of every model run with layers.  table: `tables.load("layer_coupling")`."""
    rows = table.round({"relative_depth": 3, "coupling": 5}).assign(kind=table["measure_id"].map(KINDS))
    rows = rows[["model", "layer", "relative_depth", "coupling", "kind"]]
    spans = table.groupby(["measure_id", "model"])["coupling"].agg(["min", "max"])
    still = spans[spans["max"] - spans["min"] < 1e-4]
    low, high = still["min"].min(), still["max"].max()
    one_band = len(still) > 1 and high - low < 0.05
    axes = across("relative_depth", "depth (0 first layer, 1 last)"), upright("coupling", "coupling")
    look = {"detail": "model:N", "colour": colours("kind", rows["kind"].drop_duplicates()), "tooltip": "layer"}
    return figure(
        trace(rows, *axes, **look),
        "coupling-by-layer",
        f"{len(still)} of {len(spans)} runs give one and the same number at every layer",
        "[layer couplings](../book/data.html#other-tables), as released",
        f"{len(spans)} model runs",
        f"The band at {(low + high) / 2:.2f} is {len(still)} flat lines on one another." if one_band else "",
        rows=rows,
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


def twin_gap(probed: pd.DataFrame) -> pd.DataFrame:
    """One row a block: coupling trained and untrained, and whether their 95 % intervals lie apart.

    probed: `testbed_probes`, or the rows of one model in that form.
    """
    wide = probed.pivot(index=["model", "layer"], columns="weights", values=["coupling", "low", "high"])
    gap = wide["coupling"][["trained", "untrained"]]
    above = wide["low", "trained"] > wide["high", "untrained"]
    below = wide["high", "trained"] < wide["low", "untrained"]
    return pd.DataFrame(gap.assign(above=above, below=below).rename_axis(columns=None).reset_index())


def twins(rows: pd.DataFrame, *, probed: pd.DataFrame, name: str = "probe-twins") -> Figure:
    """Coupling by block, trained and untrained (for `explore`: column models).

    rows: `testbed_probes` of a few models;  probed: of all that can be chosen, for the title.
    """
    shown = rows.assign(place=rows["model"] + ", block " + rows["layer"].astype(str))
    x = across("coupling", "coupling of reasoning and truthfulness", [-1, 1])
    look = forms.by("weights", TWINS, marks=("circle", "square"))
    chart = forest(shown, "place", x, **look, apart="weights", tooltip="q raw dimension")
    places = shown.groupby("models")["place"].nunique().max() if "models" in shown else shown["place"].nunique()
    gap, models = twin_gap(probed), probed["model"].nunique()
    n = f"{len(gap)} blocks" + (f" of {models} models, of which the chart shows a choice" if models > 1 else "")
    return figure(chart, name, changed(gap), TESTBED, n, rows=shown, height=44 * int(places))


def along_depth(rows: pd.DataFrame) -> Figure:
    """Coupling by block of a model read elsewhere, trained and untrained, with its band.  rows: `model_probes`."""
    shown, gap = rows[["model", "weights", "layer", "coupling", "low", "high"]], twin_gap(rows)
    floor = min(0.0, np.floor(5 * rows["low"].min()) / 5)
    x, y = across("layer", "block", [0, rows["layer"].max()], nice=False), upright("coupling", "coupling", [floor, 1])
    chart = band(shown, x, y, colour=colours("weights", TWINS), point=True)
    title, n = changed(gap, "On a real model training"), f"{len(gap)} blocks of {', '.join(rows['model'].unique())}"
    source = "[probes of real models](../book/data.html#other-tables), run for this book"
    return figure(chart, "probe-real", title, source, n, rows=shown, height=240)
