"""Figures of the probes on testbed models and on a reader's own (chapter 4)."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.axes import across, colours, rounded, row_names, shapes, sides, upright
from cape_lib.charts.forest import band, forest
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import BLUE, GREY
from cape_lib.charts.testbed import SOURCE

#: The two twins of a probe -> their colour on every page.
TWINS = {"trained": BLUE, "untrained": GREY}


def twin_gap(probed: pd.DataFrame) -> pd.DataFrame:
    """One row a block: coupling trained and untrained, and whether their 95 % intervals lie apart.

    probed: `testbed_probes`, or the rows of one model in that form.
    """
    wide = probed.pivot(index=["model", "layer"], columns="weights", values=["coupling", "low", "high"])
    above = wide["low", "trained"] > wide["high", "untrained"]
    below = wide["high", "trained"] < wide["low", "untrained"]
    return pd.DataFrame(
        {"trained": wide["coupling", "trained"], "untrained": wide["coupling", "untrained"], "above": above,
         "below": below}
    ).reset_index()  # fmt: skip


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
    kept = rows.assign(place=rows["model"] + ", block " + rows["layer"].astype(str))
    chart = forest(
        kept,
        row_names("place", limit=180),
        across("coupling", "coupling of reasoning and truthfulness", [-1, 1]),
        colour=colours("weights", TWINS),
        shape=shapes("weights", {"trained": "circle", "untrained": "square"}),
        offset=sides("weights", list(TWINS)),
        tooltip=["place:N", "weights:N", *rounded(".2f", "coupling", "q", "raw", "dimension")],
    )
    places = kept.groupby("models")["place"].nunique().max() if "models" in kept else kept["place"].nunique()
    gap = twin_gap(probed)
    apart = int((gap["above"] | gap["below"]).sum())
    return figure(
        chart.properties(height=44 * int(places)),
        title=f"In {apart} of {len(gap)} blocks the trained coupling is clearly another than the untrained one",
        alt="Coupling with a 95 % interval for each block, trained and untrained weights side by side, and a rule at "
        "zero.",
        source=SOURCE,
        n=f"{probed['model'].nunique()} models" if probed["model"].nunique() > 1 else f"{len(gap)} blocks",
        rows=kept,
        name=name,
    )


def along_depth(rows: pd.DataFrame) -> Figure:
    """Coupling by block of a model read elsewhere, trained and untrained, with its band.  rows: `model_probes`."""
    kept = rows[["model", "weights", "layer", "coupling", "low", "high"]].rename(columns={"coupling": "estimate"})
    chart = band(
        kept,
        alt.X("layer:Q", title="block", axis=alt.Axis(tickMinStep=1)),
        upright("estimate", "coupling", [-1, 1]),
        colour=colours("weights", TWINS),
        tooltip=["weights:N", "layer:Q", *rounded(".2f", "estimate")],
        point=True,
    )
    gap = twin_gap(rows)
    apart = int((gap["above"] | gap["below"]).sum())
    return figure(
        chart,
        title=f"On a real model training changed the coupling in {apart} of {len(gap)} blocks",
        alt="Coupling against the block, one line for the trained model and one for the same architecture with random "
        "weights, each with its 95 % band.",
        source="[probes of real models](../book/data.html#other-tables), run for this book",
        n=f"{len(gap)} blocks of {', '.join(rows['model'].unique())}",
        rows=kept,
        name="probe-real",
    )
