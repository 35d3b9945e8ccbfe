"""Figures of whole ladders: each family from its smallest to its largest size."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.coupling import phase_colour
from cape_lib.charts.forest import forest
from cape_lib.charts.frame import Figure, figure
from cape_lib.story.coupling import by_direction
from cape_lib.tables import label


def whole_ladders(ladders: pd.DataFrame, *, y: str, own: str, source: str) -> Figure:
    """What each family gained or lost of y from its smallest to its largest size, with the interval of score noise.

    ladders: `coupling.whole_ladders`; own: the family in front, marked in the names.
    """
    rows = ladders.sort_values("dy").assign(estimate=lambda t: t["dy"], low=lambda t: t["dy_low"])
    rows = rows.assign(high=rows["dy_high"], name=_with_sizes(rows, own))
    counts = by_direction(ladders)
    down, up = len(counts["lost"]), len(counts["gained"])
    tooltip = ["smaller", "larger", alt.Tooltip("dx:Q", format="+.1f"), alt.Tooltip("dy:Q", format="+.1f"), "sizes"]
    return figure(
        forest(
            rows,
            alt.Y("name:N", sort=list(rows["name"]), title=None, axis=alt.Axis(labelLimit=260)),
            alt.X("estimate:Q", title=f"{label(y)}, largest minus smallest size (points)"),
            colour=phase_colour(),
            tooltip=tooltip,
        ),
        title=(
            f"From smallest to largest size {label(y)} surely falls in {down} of {len(rows)} families and rises in {up}"
        ),
        alt=f"Change of {label(y)} over each family's whole ladder with its 95 percent interval: {down} surely fall, "
        f"{up} surely rise, the others could do either.",
        source=source,
        n=f"{len(rows)} families",
        name="whole-ladders",
        rows=ladders,
        caption=f"Sure: beyond score noise when all {len(rows)} families are asked (Holm's correction). Bars: 95 %, "
        "score noise of one family. Colours: the phase of the whole ladder.",
    )


def _with_sizes(rows: pd.DataFrame, own: str) -> list[str]:
    names = zip(rows["ladder"], rows["params_b_low"], rows["params_b_high"], strict=True)
    return [f"{'▸ ' if name == own else ''}{name} ({low:g} → {high:g} B)" for name, low, high in names]
