"""The figure of the introduction: families of models in the plane of two scores, in motion with size."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.coupling import signs_by_size
from cape_lib.charts.axes import phase_colour, rounded
from cape_lib.charts.coupling import STEP_TOOLTIP
from cape_lib.charts.forest import line_at
from cape_lib.charts.frame import INK, MUTED, PAPER, Figure, figure
from cape_lib.charts.naming import named
from cape_lib.tables import CHANCE, label

#: The size at which the papers put the turn, billions.
CUT = 3.5


def at_size(ladders: pd.DataFrame, gammas: pd.DataFrame, params_b: float, *, x: str, y: str) -> pd.DataFrame:
    """Where each ladder stands at a size: x and y interpolated in log10 of the size, with the phase of that interval.

    ladders: rows of `tables.base` with column ladder; gammas: `coupling.local_coupling` of each, column ladder.
    Returns one row a ladder that spans `params_b` (billions): ladder, x, y, phase, gamma.
    """
    log_size, rows = np.log10(params_b), []
    for name, sizes in ladders.groupby("ladder", sort=True):
        grid = np.log10(sizes["params_b"].to_numpy())
        if not grid[0] <= log_size <= grid[-1]:
            continue
        steps = gammas[gammas["ladder"] == name]
        here = steps[(steps["params_b_low"] <= params_b * 1.000001) & (params_b <= steps["params_b_high"] * 1.000001)]
        last = here.iloc[-1] if len(here) else None
        rows.append(
            {
                "ladder": name,
                x: float(np.interp(log_size, grid, sizes[x])),
                y: float(np.interp(log_size, grid, sizes[y])),
                "phase": None if last is None else last["phase"],
                "gamma": np.nan if last is None else last["gamma"],
            }
        )
    return pd.DataFrame(rows, columns=["ladder", x, y, "phase", "gamma"])


def standing(ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str) -> Callable[[float], pd.DataFrame]:
    """`at_size` as a function of the size alone, with the sentence that goes with it, for `explore`."""

    def at(params_b: float) -> pd.DataFrame:
        rows = at_size(ladders, gammas, params_b, x=x, y=y)
        counts = rows["phase"].value_counts()
        tax, transition, bonus = (counts.get(phase, 0) for phase in ("tax", "transition", "bonus"))
        rows.attrs["reading"] = (
            f"At {params_b:g} B, of {len(rows)} families: {tax} lose truthfulness (tax), {bonus} gain it (bonus), "
            f"{transition} hardly move (transition)."
        )
        return rows

    return at


def finding(gammas: pd.DataFrame) -> str:
    """What the steps of these families say, as the title of the figure."""
    small, between, large = _by_size(gammas)
    return (
        f"In these {gammas['ladder'].nunique()} families truthfulness is lost in {small[0]} of {small[1]} steps below "
        f"3.5 B, in {between[0]} of {between[1]} up to 10 B, in {large[0]} of {large[1]} above"
    )


def doubt(gammas: pd.DataFrame, every: pd.DataFrame) -> str:
    """How many families turn themselves, and what the steps of families of every training recipe say.

    gammas: `coupling.local_couplings` of the families shown; every: `coupling.known_steps` of all.
    """
    phases = gammas.groupby("ladder")["phase"].agg(set)
    turning = [str(name) for name, seen in phases.items() if {"tax", "bonus"} <= seen]
    ends = gammas.groupby("ladder").agg(low=("params_b_low", "min"), high=("params_b_high", "max"))
    across = [str(name) for name in ends.index[(ends["low"] < 3.5) & (ends["high"] > 3.5)] if str(name) not in turning]
    small, _, large = _by_size(every)
    return (
        f"{len(turning)} of {len(phases)} families do both ({', '.join(turning)}). {len(across)} have sizes on both "
        f"sides of 3.5 B and do not turn ({', '.join(across)}). The others are seen on one side only. So the turn "
        "rests on comparing families. Over families of every training recipe "
        f"({every['ladder'].nunique()}) the picture is weaker, as counted on top: {small[0]} of {small[1]} "
        f"steps cost truthfulness below "
        f"3.5 B, {large[0]} of {large[1]} above 10 B."
    )


def _by_size(gammas: pd.DataFrame) -> list[tuple[int, int]]:
    """Negative steps, and all, below 3.5 B, from there to 10 B, and above."""
    counts = signs_by_size(gammas, edges=(3.5, 10.0))
    return [(int(row["negative"]), int(row["intervals"])) for row in counts.to_dict("records")]


def families_in_motion(
    ladders: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str
) -> Callable[..., Figure]:
    """The hero figure as a function of the rows at one size, for `explore`: every ladder's path and where it stands.

    ladders: rows with ladder, params_b (billions), x and y (percent);  gammas: their `coupling.local_couplings`.
    """
    paths = ladders[["ladder", "model", "params_b", x, y]].sort_values(["ladder", "params_b"])
    after = paths.groupby("ladder")[[x, y]].shift(-1).add_suffix("_to")
    parts = (
        paths.join(after)
        .dropna()
        .merge(gammas[["smaller", "larger", "gamma", "phase"]], left_on="model", right_on="smaller")
    )
    low, high = ({score: float(end(paths[score])) for score in (x, y)} for end in (min, max))
    wide = high[x] - low[x]
    largest = paths.groupby("ladder").tail(1).sort_values(y, ascending=False)
    at_cut = at_size(ladders, gammas, CUT, x=x, y=y)
    guess = [
        line_at(CHANCE[score], axis, colour=MUTED, dashed=True)
        for score, axis in ((x, "x"), (y, "y"))
        if score in CHANCE and low[score] - 4 < CHANCE[score] < high[score] + 4
    ]
    domain = alt.Scale(zero=False, nice=True, domain=[low[x] - 2, high[x] + 0.15 * wide])
    x_axis = alt.X(f"{x}:Q", scale=domain, title=f"{label(x)} (%), reasoning →")
    y_axis = alt.Y(f"{y}:Q", scale=alt.Scale(zero=False, nice=True), title=f"↑ {label(y)} (%), truthfulness")
    tooltip = ["ladder", "model", "params_b", *rounded(".1f", x, y)]
    covered = pd.concat([_between(parts, share, x, y) for share in np.linspace(0, 1, 12)])
    names = named(
        largest,
        x_axis,
        y_axis,
        "ladder",
        height=420,
        around=[covered],
        always=len(largest),
        gap=12,
        fontSize=12,
        fontWeight=600,
    )

    def draw(rows: pd.DataFrame) -> Figure:
        lines = alt.Chart(parts).mark_rule(strokeWidth=2, opacity=0.5)
        lines = lines.encode(
            x=x_axis, y=y_axis, x2=f"{x}_to", y2=f"{y}_to", color=phase_colour(), tooltip=STEP_TOOLTIP[:3]
        )
        sizes = alt.Chart(paths).mark_circle(size=14, color=MUTED, opacity=0.8)
        sizes = sizes.encode(x=x_axis, y=y_axis, tooltip=tooltip)
        dots = alt.Chart(rows).mark_circle(size=190, opacity=1, stroke=PAPER, strokeWidth=1.5)
        dots = dots.encode(
            x=x_axis, y=y_axis, color=phase_colour(), tooltip=["ladder", *rounded(".2f", "gamma"), "phase"]
        )
        cut = alt.Chart(at_cut).mark_point(shape="diamond", size=60, fill=PAPER, stroke=INK, opacity=1)
        cut = cut.encode(x=x_axis, y=y_axis, tooltip=["ladder"])
        return figure(
            alt.layer(*guess, lines, sizes, cut, dots, *names).properties(height=420),
            title=title,
            alt=(
                f"Families of language models as lines in the plane of {label(x)} and {label(y)}, each step orange "
                "where it falls and green where it rises. At the size chosen by the slider each family is a dot."
            ),
            source=source,
            n=f"{paths['ladder'].nunique()} families, {len(paths)} models",
            name="families-in-motion",
            caption=(
                "Lines: each family from its smallest to its largest size, a colour for what each step did. "
                f"Dots: where the families stand at the chosen size. Diamonds: {CUT:g} B, the published turn. Dashed: "
                "what a guess scores."
            ),
        )

    return draw


def _between(parts: pd.DataFrame, share: float, x: str, y: str) -> pd.DataFrame:
    """A point on each step, `share` (0-1) of the way from its smaller to its larger model."""
    return pd.DataFrame({score: parts[score] + share * (parts[f"{score}_to"] - parts[score]) for score in (x, y)})
