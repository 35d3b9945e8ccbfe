"""The figure of a parabola through several families: each alone is a line, and the curve joins them."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.axes import size_scale
from cape_lib.charts.frame import INK, MUTED, PALETTE, Figure, figure
from cape_lib.tables import label


def pooled_parabola(curve: pd.DataFrame, rows: pd.DataFrame, *, y: str, title: str, source: str) -> Figure:
    """Several families by size, a line each, and one parabola through those chosen (for `explore`).

    curve: `story.boundary.parabola`, with the column of the input; rows: family, params_b and y of every family.
    """
    up = alt.Y(f"{y}:Q", scale=alt.Scale(zero=False), title=f"{label(y)} (%)")
    names = sorted(rows["family"].unique())
    colour = alt.Color("family:N", title=None, scale=alt.Scale(domain=names, range=PALETTE[: len(names)]))
    base = alt.Chart(rows[["model", "family", "params_b", y]]).encode(x=size_scale("params_b"), y=up, color=colour)
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        shape=alt.Shape("family:N", title=None, scale=alt.Scale(domain=names)), tooltip=["model", "params_b", y]
    )
    bent = alt.Chart(curve).mark_line(color=INK, strokeDash=[6, 4], strokeWidth=2)
    bent = bent.encode(x=size_scale("params_b"), y=alt.Y("fitted:Q"))
    turn = alt.Chart(curve.dropna(subset=["turn"])).mark_rule(color=MUTED).encode(x=size_scale("turn"))
    return figure(
        alt.layer(base.mark_line(opacity=0.6), points, bent, turn).properties(height=300),
        title=title,
        alt=f"{label(y)} by size for {len(names)} families, and a parabola through those chosen with its lowest point.",
        source=source,
        n=len(rows),
        name="pooled-parabola",
        caption="Dashed: the parabola through the chosen models. Upright line: its lowest point, where it has one.",
    )
