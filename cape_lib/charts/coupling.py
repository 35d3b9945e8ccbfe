"""Figures of chapter 1: families in the plane of two scores, and how they are coupled; the families of a sweep."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.coupling import TOKEN_EDGE
from cape_lib.charts import forms
from cape_lib.charts.forms import HOLLOW, across, band, colours, dots, forest, line_at, phase_colour, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import BLUE, MUTED, TWO_SIDES
from cape_lib.charts.naming import named
from cape_lib.charts.quality import few_families
from cape_lib.story.boundary import tokens
from cape_lib.story.coupling import by_direction
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis

#: What a step says beside its coupling.
STEP = "smaller larger gamma low high p_negative"
SIDES = ("below", "above")
BARS = "Bars: 95 % intervals of a ratio (Fieller's), score noise. A bar that reaches the edge goes on beyond it."


def ladder_plane(
    ladder: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, source: str, along: Axis = PARAMS
) -> Figure:
    """One family's path through the plane of two scores, each step coloured by its phase.

    ladder: rows by size with model, params_b, x, y;  gammas: its `coupling.local_coupling`; along: the axis of both.
    """
    points = ladder[["model", x, y]]
    steps = gammas.merge(points, left_on="smaller", right_on="model")
    steps = steps.merge(points, left_on="larger", right_on="model", suffixes=("", "_to"))
    to_right, up = forms.score_axes(x, y, padding=18)
    at = np.linspace(0, len(ladder) - 1, 60)
    path = pd.DataFrame({score: np.interp(at, range(len(ladder)), ladder[score]) for score in (x, y)})
    return figure(
        alt.layer(
            forms.ways(steps, to_right, up, ends=[f"{x}_to", f"{y}_to"], colour=phase_colour(), strokeWidth=3),
            dots(ladder, to_right, up, tooltip=along.column, size=70, **HOLLOW),
            *named(points, to_right, up, "model", height=320, around=[path], always=len(points), fontSize=12),
        ),
        title=f"{ladder['family'].iloc[0]}: {label(y)} falls in {int((gammas['dy'] < 0).sum())} of {len(gammas)} steps "
        + ("up in size" if along.by_size else along.where),
        source=source,
        n=len(ladder),
        name="ladder-plane",
    )


def local_couplings(
    gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str, along: Axis = PARAMS
) -> Figure:
    """Local coupling of one family by interval: the 95 % interval first, then the point; the zero line.

    gammas: `coupling.local_coupling` of the ladder, further columns allowed (for `explore`). An interval that is
    unbounded runs off the chart. title: the finding; name: the permanent link.
    """
    edge = 3.0
    steps = gammas.assign(step=_short_steps(gammas, along))
    # the interval of a step is one bar, or two where it is the outside of a gap; none where it is unknown
    ends = steps.assign(low=steps["low"].clip(-edge, edge), high=steps["high"].clip(-edge, edge))
    gap = ends["interval"] == "outside"
    every = ends[ends["interval"] == "every"].assign(low=-edge, high=edge)
    bars = [ends[ends["interval"] == "bounded"], every, ends[gap].assign(low=-edge), ends[gap].assign(high=edge)]
    bars[2]["high"], bars[3]["low"] = ends.loc[gap, "high"], ends.loc[gap, "low"]
    shown = pd.concat(bars)[[column for column in ("step", "phase", "low", "high", "rho") if column in ends]]
    return figure(
        forest(
            steps,
            "step",
            across("gamma", "gamma", [-edge, edge], clamp=True),
            colour=phase_colour(),
            tooltip=STEP,
            bars=shown,
        ),
        title=title,
        source=source,
        n=f"{steps['step'].nunique()} steps",
        name=name,
        rows=gammas if along.by_size else gammas.rename(columns={"smaller": "first", "larger": "last"}),
        caption=f"gamma: points of {label(y)} for a point of {label(x)}. "
        + (BARS if len(shown) else "No bars: how noisy the scores are is not known."),
    )


def _short_steps(gammas: pd.DataFrame, along: Axis) -> list[str]:
    """Each step by its two sizes, which fit a phone; by the models' names where two steps would read alike."""
    if not along.by_size:
        ends = zip(gammas[f"{along.column}_low"], gammas[f"{along.column}_high"], strict=True)
        return [f"{along.number(low)} → {along.shown(high)}" for low, high in ends]
    sizes = [f"{low:g} → {high:g} B" for low, high in zip(gammas["params_b_low"], gammas["params_b_high"], strict=True)]
    pairs = gammas[["smaller", "larger"]].drop_duplicates()  # a slider has each of them several times
    return sizes if len(set(sizes)) == len(pairs) else list(gammas["smaller"] + " → " + gammas["larger"])


def every_family(gammas: pd.DataFrame, *, x: str, y: str, own: str, source: str) -> Figure:
    """Local coupling against size for all ladders, one of them picked out by the list or a click on the legend."""
    shown = gammas.assign(shown=gammas["gamma"].clip(-2, 2))
    names = sorted(shown["ladder"].unique())
    start = own if own in names else names[0]
    pick = forms.picker("family", ["all", *names], start, label="family to pick out")
    to_right, up = forms.size_scale("params_b_mid"), upright("shown", "gamma, clipped to ±2", [-2, 2])
    mine = "family === 'all' || datum.ladder === family"
    paths = trace(shown, to_right, up, detail="ladder:N", colour=alt.value(MUTED), tooltip=None)
    points = dots(shown, to_right, up, colour=phase_colour(), tooltip=STEP, size=70)
    small, large = shown[shown["params_b_mid"] < 3.5], shown[shown["params_b_mid"] >= 10]
    return figure(
        alt.layer(
            line_at(0, "y"),
            paths.encode(opacity=alt.condition(mine, alt.value(0.9), alt.value(0.0))),
            points.encode(opacity=alt.condition(mine, alt.value(1), alt.value(0.22))),
        ).add_params(pick),
        title=f"Below 3.5 B {int((small['gamma'] < 0).sum())} of {len(small)} steps are negative; above 10 B "
        f"{int((large['gamma'] > 0).sum())} of {len(large)} are positive",
        source=source,
        n=f"{len(shown)} steps of {len(names)} families",
        name="every-family",
    )


def correlation_by_cut(sweep: pd.DataFrame, *, source: str) -> Figure:
    """Correlation below and above every cut with its 95 % interval.

    sweep: `coupling.cut_sweep`.
    """
    table = pd.wide_to_long(sweep, ["n", "r", "low", "high"], "cut_b", "side", sep="_", suffix=r"\w+").reset_index()
    table = table.rename(columns={"r": "estimate"})[["cut_b", "side", "n", "estimate", "low", "high"]].dropna()
    drawn = band(
        table,
        forms.size_scale("cut_b", low=float(sweep["cut_b"].min()), high=float(sweep["cut_b"].max())).title("cut"),
        upright("estimate", "Pearson r", [-1, 1]),
        colour=colours("side", SIDES, TWO_SIDES, title="models"),
        point=True,
    )
    flips, sure = int(sweep["flips"].sum()), int(sweep["flips_surely"].sum())
    return figure(
        alt.layer(line_at(0, "y"), drawn).properties(height=260),
        title=f"The sign flips at {flips} of the {len(sweep)} cuts tried, at {sure} of them beyond both intervals"
        + (": no single size stands out" if flips > 1 else ""),
        source=source,
        n=f"{int(max(table['n'], default=0))} models on one side at most",
        name="correlation-by-cut",
        caption="Bands: 95 %, families left out in turn. " + few_families(),
    )


def pair_signs(pairs: pd.DataFrame, *, cut_b: float, source: str) -> Figure:
    """The ten benchmark pairs below and above a cut: r with its interval, two rows a pair.

    pairs: `coupling.pair_couplings`.
    """
    table = pairs.assign(pair=pairs["x"].map(label) + " – " + pairs["y"].map(label)).dropna(subset=["r"])
    below, above = (table[table["side"] == side] for side in SIDES)
    return figure(
        forest(
            table.drop(columns=["x", "y"]),
            forms.row_names("pair", below.sort_values("r")["pair"]),
            across("r", "Pearson r over models", [-1, 1]),
            colour=colours("side", SIDES, TWO_SIDES, title="models"),
            apart="side",
            tooltip="sign_holds changed_by",
            hollow="!datum.sign_holds",
        ),
        title=f"Below {cut_b:g} B {int((below['r'] < 0).sum())} of {len(below)} pairs of benchmarks are negative",
        source=source,
        n=f"{int(below['n'].max())} models below, {int(above['n'].max())} above",
        name="pair-signs",
        caption="Filled: the sign stays whichever family is left out. Hollow: one family decides it. " + few_families(),
    )


def whole_ladders(
    ladders: pd.DataFrame,
    *,
    y: str,
    source: str,
    own: str = "",
    unit: str = "families",
    phases: bool = True,
    hollow: Collection[str] = (),
    name: str = "whole-ladders",
) -> Figure:
    """What each family gained or lost of y from its smallest to its largest size, with the interval of score noise.

    ladders: `coupling.whole_ladders`; own: the family in front, marked in the names; unit: what a ladder is one of;
    phases: colour by the phase of the whole ladder; hollow: ladders whose smallest size loses by thinking; name: of the
    figure on its page.
    """
    rows = ladders.sort_values("dy").assign(low=lambda table: table["dy_low"], high=lambda table: table["dy_high"])
    # the sizes stay together where a phone breaks a name into lines
    rows["name"] = [
        f"{'▸ ' if ladder == own else ''}{ladder} ({_brief(low)}\u00a0→\u00a0{_brief(high)}\u00a0B)"
        for ladder, low, high in zip(rows["ladder"], rows["params_b_low"], rows["params_b_high"], strict=True)
    ]
    ways = by_direction(ladders)
    down, up = len(ways["lost"]), len(ways["gained"])
    rows["hollow"] = rows["ladder"].isin(hollow or ways["open"])
    doubtful = rows.loc[rows["hollow"] & (rows["p_holm"] < 0.05), "dy"]
    rings = " Hollow: not sure." if ways["open"] else ""
    if hollow:
        rings = (
            f" Hollow: starts at a size that loses by thinking ({int((doubtful < 0).sum())} of the {down} that fall, "
            f"{int((doubtful > 0).sum())} of the {up} that rise)."
        )
    chart = forest(
        rows,
        "name",
        across("dy", f"{label(y)}, largest minus smallest size (points)", padding=10),
        colour=phase_colour() if phases else alt.value(BLUE),
        tooltip="smaller larger sizes",
        hollow=forms.ALL if rows["hollow"].all() else "datum.hollow" if rows["hollow"].any() else "",
    )
    return figure(
        chart if phases else chart.properties(height=16 * len(rows)),
        title=f"From smallest to largest size {label(y)} surely falls in {down} of {len(rows)} {unit} and rises in "
        f"{up}",
        source=source,
        n=f"{len(rows)} {unit}",
        name=name,
        rows=ladders,
        caption=f"Sure: beyond score noise when all {len(rows)} {unit} are asked (Holm's correction).{rings} "
        f"Bars: 95 %, score noise of one row alone."
        f"{' Colours: the phase from smallest to largest size.' if phases else ''}",
    )


def _brief(params_b: float) -> str:
    """A size in billions in few digits, "0.27", "4.4", "235": a row name must not take three lines on a phone."""
    return f"{params_b:.2g}" if params_b < 10 else f"{params_b:.0f}"


def size_class(from_b: float, to_b: float) -> str:
    """A class of size in words, from its two edges in billions (0 and inf at the ends)."""
    if from_b == 0:
        return f"up to {to_b:g} B"
    return f"above {from_b:g} B" if np.isinf(to_b) else f"{from_b:g} to {to_b:g} B"


def signs_by_tokens(table: pd.DataFrame, *, source: str) -> Figure:
    """Share of negative steps by class of size, for families trained on few and on many tokens.

    table: `coupling.signs_by_tokens`.
    """
    names = {"under": f"under {TOKEN_EDGE:g} B tokens", "over": f"{TOKEN_EDGE:g} B tokens and more"}
    words = [size_class(a, b) for a, b in zip(table["from_b"], table["to_b"], strict=True)]
    rows = table.assign(size=words, trained=table["tokens"].map(names)).dropna(subset=["share"])
    return figure(
        forest(
            rows.drop(columns="tokens"),
            forms.row_names("size", dict.fromkeys(words)).title("size of the step"),
            across("share", "share of negative steps", [0, 1], percent=True),
            colour=colours("trained", names.values(), TWO_SIDES),
            apart="trained",
            tooltip="negative steps families",
            rule=0.5,
        ),
        title=tokens(table).partition(":")[0].replace("**", ""),
        source=source,
        n=f"{int(table['steps'].sum())} steps with known tokens",
        name="signs-by-tokens",
        rows=table,
        caption="A step's size is the geometric mean of its two models, and so are its tokens. Bars: 95 %; steps of "
        "one family count as relatives where eight families or more stand behind a share, else as independent.",
    )


def small_multiples(
    steps: pd.DataFrame, *, x: str, y: str, families: Sequence[str], total: int, name: str, along: Axis = PARAMS
) -> Figure:
    """One small plane a family, all on the same axes, each step in the colour of its phase.

    steps: one row a step with family, smaller, larger, x_from, y_from, x_to, y_to (percent), phase, gamma; families: to
    draw, in this order; total: families in the sweep; along: the axis of the steps.
    """
    up, ends = ("up in size", "from the smallest to the largest size") if along.by_size else ("", "from first to last")
    shown = steps[steps["family"].isin(families)]
    axes = {}
    for letter, kind in (("x", across), ("y", upright)):
        values = shown[[f"{letter}_from", f"{letter}_to"]].to_numpy(dtype=float)
        axis = kind(f"{letter}_from", None, [float(values.min()), float(values.max())], nice=True, zero=False)
        axes[letter] = axis.axis(tickCount=3, labelFontSize=9)

    def plane(family: str) -> Any:
        rows = shown[shown["family"] == family]
        path = forms.ways(rows, **axes, ends=["x_to", "y_to"], colour=phase_colour(hidden=True), strokeWidth=2.5)
        tooltip = forms.tips(rows, "smaller larger gamma phase")
        ends = [dots(rows, f"x_{end}:Q", f"y_{end}:Q", size=18, tooltip=None, **HOLLOW) for end in ("from", "to")]
        return alt.layer(path.encode(tooltip=tooltip), *ends).properties(
            height=120, title=alt.Title(family, fontSize=11, anchor="start")
        )

    more = f" ({total - len(families)} more in the table)" if total > len(families) else ""
    return figure(
        [plane(str(family)) for family in families],
        title=f"{label(y)} falls in {int((shown['gamma'] < 0).sum())} of {len(shown)} steps "
        f"{up or f'along {along.noun}'}, over {len(families)} families{more}",
        source="the scores of the sweep",
        n=f"{len(families)} families, {len(shown)} steps",
        name=name,
        rows=shown if along.by_size else shown.rename(columns={"smaller": "first", "larger": "last"}),
        caption=f"{label(x)} (%) across, {label(y)} (%) upwards, {ends}. Vermilion: tax, grey: transition, green: "
        "bonus.",
    )


def pairs_of_one_size(pairs: pd.DataFrame, *, x: str, y: str, title: str, source: str) -> Figure:
    """How two scores differ between models of one size, pair by pair, with their intervals of score noise.

    pairs: rows of `diagnose_pairs`, each with first, second, dx, dy (points) and half of their 95 % intervals.
    title: the finding.
    """
    parts = [
        pd.DataFrame(
            {
                "pair": pairs["second"] + " against " + pairs["first"],
                "score": name,
                "estimate": pairs[change],
                "low": pairs[change] - pairs[f"{change}_half"],
                "high": pairs[change] + pairs[f"{change}_half"],
                "p": pairs[f"{change}_p"],
            }
        )
        for name, change in ((label(y), "dy"), (label(x), "dx"))
    ]
    rows = pd.concat(parts, ignore_index=True)
    look = forms.by("score", (label(y), label(x)), TWO_SIDES, ("circle", "square"))
    across_points = across("estimate", "second minus first model, points")
    return figure(
        forest(rows, "pair", across_points, **look, apart="score", tooltip="p"),
        title=title,
        source=source,
        n=f"{len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'}",
        name="own-pairs",
        rows=pairs,
        caption="Bars: 95 %, score noise of one pair alone. p is corrected for asking every pair (Holm)."
        if rows["low"].notna().all()
        else "No bars: how noisy the scores are is not known.",
    )
