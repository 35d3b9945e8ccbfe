"""Figures of chapter 1 about many families: whole ladders, and steps beside training tokens."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.axes import phase_colour
from cape_lib.charts.forest import forest
from cape_lib.charts.frame import INK, Figure, figure
from cape_lib.charts.look import TWO_SIDES
from cape_lib.story.coupling import by_direction
from cape_lib.tables import label


def whole_ladders(ladders: pd.DataFrame, *, y: str, source: str, own: str = "") -> Figure:
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


def size_class(from_b: float, to_b: float) -> str:
    """A class of size in words, from its two edges in billions (0 and inf at the ends)."""
    if from_b == 0:
        return f"up to {to_b:g} B"
    return f"above {from_b:g} B" if np.isinf(to_b) else f"{from_b:g} to {to_b:g} B"


def signs_by_tokens(table: pd.DataFrame, *, token_edge: float, source: str) -> Figure:
    """Share of negative steps by class of size, for families trained on few and on many tokens.

    table: `coupling.signs_by_tokens`; token_edge: billions.
    """
    names = {"under": f"under {token_edge:g} B tokens", "over": f"{token_edge:g} B tokens and more"}
    words = [size_class(a, b) for a, b in zip(table["from_b"], table["to_b"], strict=True)]
    rows = table.assign(size=words, trained=table["tokens"].map(names)).dropna(subset=["share"])
    order = list(dict.fromkeys(words))
    colour = alt.Color("trained:N", title=None, sort=list(names.values()),
                       scale=alt.Scale(domain=list(names.values()), range=list(TWO_SIDES)))  # fmt: skip
    base = alt.Chart(rows).encode(
        y=alt.Y("size:N", sort=order, title="size of the step"),
        yOffset=alt.YOffset("trained:N", sort=list(names.values())),
        color=colour,
    )
    percent = alt.Axis(format="%")
    x = alt.X("low:Q", title="share of negative steps", scale=alt.Scale(domain=[0, 1]), axis=percent)
    bars = base.mark_rule(strokeWidth=5, opacity=0.5).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="share:Q", tooltip=["size", "trained", "negative", "steps", "families"]
    )
    half = alt.Chart(pd.DataFrame({"share": [0.5]})).mark_rule(color=INK).encode(x="share:Q")
    small = table[table["to_b"] <= 10]
    sums = [small.loc[small["tokens"] == k, ["negative", "steps"]].sum() for k in ("under", "over")]
    few, many = (f"{v['negative']:g} of {v['steps']:g}" for v in sums)
    return figure(
        alt.layer(half, bars, points).properties(height=70 * len(order)),
        title=f"Up to 10 B, {few} steps are negative in families trained on few tokens, {many} in the others",
        alt="Share of negative steps by class of size, for families trained on few and on many tokens.",
        source=source,
        n=f"{int(table['steps'].sum())} steps with known tokens",
        name="signs-by-tokens",
        rows=table,
        caption="A step's size is the geometric mean of its two models, and so are its tokens. Bars: 95 %; steps of "
        "one family are taken for alike where eight families stand behind a share, else for independent.",
    )
