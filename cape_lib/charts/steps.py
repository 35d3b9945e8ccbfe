"""Figures of chapter 1 about many families: whole ladders, and steps beside training tokens."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.charts.axes import across, colours, phase_colour, rounded, row_names, sides
from cape_lib.charts.forest import forest
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import TWO_SIDES
from cape_lib.story.coupling import by_direction
from cape_lib.tables import label


def whole_ladders(ladders: pd.DataFrame, *, y: str, source: str, own: str = "") -> Figure:
    """What each family gained or lost of y from its smallest to its largest size, with the interval of score noise.

    ladders: `coupling.whole_ladders`; own: the family in front, marked in the names.
    """
    rows = ladders.sort_values("dy")
    rows = rows.assign(estimate=rows["dy"], low=rows["dy_low"], high=rows["dy_high"], name=_with_sizes(rows, own))
    counts = by_direction(ladders)
    down, up = len(counts["lost"]), len(counts["gained"])
    return figure(
        forest(
            rows,
            row_names("name"),
            across("estimate", f"{label(y)}, largest minus smallest size (points)"),
            colour=phase_colour(),
            tooltip=["smaller", "larger", *rounded("+.1f", "dx", "dy"), "sizes"],
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
    small = table[table["to_b"] <= 10]
    sums = [small.loc[small["tokens"] == k, ["negative", "steps"]].sum() for k in ("under", "over")]
    few, many = (f"{v['negative']:g} of {v['steps']:g}" for v in sums)
    return figure(
        forest(
            rows,
            row_names("size", list(dict.fromkeys(words))).title("size of the step"),
            across("share", "share of negative steps", [0, 1], percent=True),
            colour=colours("trained", dict(zip(names.values(), TWO_SIDES, strict=True))),
            offset=sides("trained", list(names.values())),
            tooltip=["size", "trained", "negative", "steps", "families"],
            rule=0.5,
            height=70,
        ),
        title=f"Up to 10 B, {few} steps are negative in families trained on few tokens, {many} in the others",
        alt="Share of negative steps by class of size, for families trained on few and on many tokens.",
        source=source,
        n=f"{int(table['steps'].sum())} steps with known tokens",
        name="signs-by-tokens",
        rows=table,
        caption="A step's size is the geometric mean of its two models, and so are its tokens. Bars: 95 %; steps of "
        "one family count as relatives where eight families or more stand behind a share, else as independent.",
    )
