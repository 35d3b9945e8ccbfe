"""Figures of chapter 1 about many families: whole ladders, and steps beside training tokens."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.coupling import phase_colour
from cape_lib.charts.frame import INK, Figure, figure
from cape_lib.charts.look import TWO_SIDES
from cape_lib.tables import label


def whole_ladders(table: pd.DataFrame, *, y: str, source: str) -> Figure:
    """What every ladder did from its smallest to its largest size: the change of one score with its interval.

    table: `coupling.whole_ladders`.
    """
    order = list(table.sort_values("dy")["ladder"])
    names = alt.Y("ladder:N", sort=order, title=None, axis=alt.Axis(labelLimit=220))
    sure = table["p_holm"] < 0.05
    base = alt.Chart(table.assign(sizes_text=table["sizes"].astype(str) + " sizes")).encode(y=names)
    x = alt.X("dy_low:Q", title=f"change of {label(y)} over the whole ladder, points")
    bars = base.mark_rule(strokeWidth=5, opacity=0.5).encode(x=x, x2="dy_high:Q", color=phase_colour(columns=3))
    tooltip = ["ladder", "smaller", "larger", "sizes", alt.Tooltip("dy:Q", format=".1f"),
               alt.Tooltip("z:Q", format=".1f"), alt.Tooltip("gamma:Q", format=".2f")]  # fmt: skip
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="dy:Q", color=phase_colour(columns=3), tooltip=tooltip
    )
    zero = alt.Chart(pd.DataFrame({"dy": [0.0]})).mark_rule(color=INK).encode(x="dy:Q")
    falls, rises = (int((sure & side).sum()) for side in (table["dy"] < 0, table["dy"] > 0))
    return figure(
        alt.layer(zero, bars, points).properties(height=20 * len(order)),
        title=f"Over the whole ladder {label(y)} surely falls in {falls} of {len(table)} families and rises in {rises}",
        alt=f"Change of {label(y)} over each whole ladder with its 95 percent interval; {falls} fall, {rises} rise.",
        source=source,
        n=f"{len(table)} ladders of {int(table['sizes'].sum())} sizes",
        name="whole-ladders",
        rows=table,
        caption="Bars: 95 %, score noise. Sure: p < 0.05, two-sided, after Holm's correction over the ladders. "
        "Colour: phase of gamma over the whole ladder.",
    )


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
