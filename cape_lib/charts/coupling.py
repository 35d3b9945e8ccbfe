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
from cape_lib.story.boundary import tokens
from cape_lib.story.coupling import by_direction
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis
from cape_lib.tables.chapters import RELATIVES, mark

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
    axes = forms.score_axes(x, y, padding=18)
    at = np.linspace(0, len(ladder) - 1, 60)
    path = pd.DataFrame({score: np.interp(at, range(len(ladder)), ladder[score]) for score in (x, y)})
    chart = alt.layer(
        forms.ways(steps, *axes, ends=[f"{x}_to", f"{y}_to"], colour=phase_colour(), strokeWidth=3),
        dots(ladder, *axes, tooltip=along.column, size=70, **HOLLOW),
        *named(points, *axes, "model", height=320, around=[path], always=len(points), fontSize=12),
    )
    falls = f"{label(y)} falls in {int((gammas['dy'] < 0).sum())} of {len(gammas)} steps"
    title = f"{ladder['family'].iloc[0]}: {falls} {'up in size' if along.by_size else along.where}"
    return figure(chart, "ladder-plane", title, source, len(ladder))


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
    gap, every = ends[ends["interval"] == "outside"], ends[ends["interval"] == "every"].assign(low=-edge, high=edge)
    bars = pd.concat([ends[ends["interval"] == "bounded"], every, gap.assign(low=-edge), gap.assign(high=edge)])
    bars = bars[[column for column in ("step", "phase", "low", "high", "rho") if column in ends]]
    gamma = across("gamma", "gamma", [-edge, edge], clamp=True)
    return figure(
        forest(steps, "step", gamma, colour=phase_colour(), tooltip=STEP, bars=bars),
        name,
        title,
        source,
        f"{steps['step'].nunique()} steps",
        f"gamma: points of {label(y)} for a point of {label(x)}. "
        + (BARS if len(bars) else "No bars: how noisy the scores are is not known."),
        rows=gammas if along.by_size else gammas.rename(columns={"smaller": "first", "larger": "last"}),
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
    pick = forms.picker("family", ["all", *names], own if own in names else names[0], label="family to pick out")
    axes = forms.size_scale("params_b_mid"), upright("shown", "gamma, clipped to ±2", [-2, 2])
    mine = "family === 'all' || datum.ladder === family"
    paths = trace(shown, *axes, detail="ladder:N", colour=alt.value(MUTED), tooltip=None)
    points = dots(shown, *axes, colour=phase_colour(), tooltip=STEP, size=70)
    paths = paths.encode(opacity=alt.condition(mine, alt.value(0.9), alt.value(0.0)))
    points = points.encode(opacity=alt.condition(mine, alt.value(1), alt.value(0.22)))
    small, large = shown[shown["params_b_mid"] < 3.5], shown[shown["params_b_mid"] >= 10]
    title = (
        f"Below 3.5 B {int((small['gamma'] < 0).sum())} of {len(small)} steps are negative; above 10 B "
        f"{int((large['gamma'] > 0).sum())} of {len(large)} are positive"
    )
    chart = alt.layer(line_at(0, "y"), paths, points).add_params(pick)
    return figure(chart, "every-family", title, source, f"{len(shown)} steps of {len(names)} families")


def correlation_by_cut(sweep: pd.DataFrame, *, source: str, leap: str = "") -> Figure:
    """Correlation below and above every cut with its 95 % interval.

    sweep: `coupling.cut_sweep`; leap: which models make its largest change (`story.coupling.leap`).
    """
    table = pd.wide_to_long(sweep, ["n", "r", "low", "high"], "cut_b", "side", sep="_", suffix=r"\w+").reset_index()
    table = table.rename(columns={"r": "estimate"})[["cut_b", "side", "n", "estimate", "low", "high"]].dropna()
    x = forms.size_scale("cut_b", low=float(sweep["cut_b"].min()), high=float(sweep["cut_b"].max())).title("cut")
    side = colours("side", SIDES, TWO_SIDES, title="models")
    drawn = band(table, x, upright("estimate", "Pearson r", [-1, 1]), colour=side, point=True)
    flips, sure = int(sweep["flips"].sum()), int(sweep["flips_surely"].sum())
    title = f"The sign flips at {flips} of the {len(sweep)} cuts tried, at {sure} of them beyond both intervals"
    return figure(
        alt.layer(line_at(0, "y"), drawn),
        "correlation-by-cut",
        title + (": no single size stands out" if flips > 1 else ""),
        source,
        f"{int(max(table['n'], default=0))} models on one side at most",
        f"{leap} Bands: 95 %, families left out in turn. {few_families()}".lstrip(),
        height=260,
    )


def few_families() -> str:
    """What a reader must know of the intervals that cannot resample families."""
    return f"A side with fewer than eight families has Fisher's interval instead, {mark(*RELATIVES)}."


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

    def brief(params_b: float) -> str:
        # a row name must not take three lines on a phone
        return f"{params_b:.2g}" if params_b < 10 else f"{params_b:.0f}"

    # the sizes stay together where a phone breaks a name into lines
    rows["name"] = [
        f"{'▸ ' if ladder == own else ''}{ladder} ({brief(low)}\u00a0→\u00a0{brief(high)}\u00a0B)"
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
    n = f"{len(rows)} {unit}"
    return figure(
        chart,
        name,
        f"From smallest to largest size {label(y)} surely falls in {down} of {n} and rises in {up}",
        source,
        n,
        f"Sure: beyond score noise when all {n} are asked (Holm's correction).{rings} Bars: 95 %, score noise of one "
        f"row alone.{' Colours: the phase from smallest to largest size.' if phases else ''}",
        rows=ladders,
        height=None if phases else 16 * len(rows),
    )


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
    chart = forest(
        rows.drop(columns="tokens"),
        forms.row_names("size", dict.fromkeys(words)).title("size of the step"),
        across("share", "share of negative steps", [0, 1], percent=True),
        colour=colours("trained", names.values(), TWO_SIDES),
        apart="trained",
        tooltip="negative steps families",
        rule=0.5,
    )
    return figure(
        chart,
        "signs-by-tokens",
        tokens(table).partition(":")[0].replace("**", ""),
        source,
        f"{int(table['steps'].sum())} steps with known tokens",
        "A step's size is the geometric mean of its two models, and so are its tokens. Bars: 95 %; steps of "
        "one family count as relatives where eight families or more stand behind a share, else as independent.",
        rows=table,
    )


def small_multiples(
    steps: pd.DataFrame, *, x: str, y: str, families: Sequence[str], total: int, name: str, along: Axis = PARAMS
) -> Figure:
    """One small plane a family, all on the same axes, each step in the colour of its phase.

    steps: one row a step with family, smaller, larger, x_from, y_from, x_to, y_to (percent), phase, gamma; families: to
    draw, in this order; total: families in the sweep; along: the axis of the steps.
    """
    shown = steps[steps["family"].isin(families)]
    axes = []
    for letter, kind in (("x", across), ("y", upright)):
        values = shown[[f"{letter}_from", f"{letter}_to"]].to_numpy(dtype=float)
        axis = kind(f"{letter}_from", None, [float(values.min()), float(values.max())], nice=True, zero=False)
        axes.append(axis.axis(tickCount=3, labelFontSize=9))

    def plane(family: str) -> Any:
        rows = shown[shown["family"] == family]
        look = {"colour": phase_colour(hidden=True), "strokeWidth": 2.5}
        path = forms.ways(rows, *axes, ends=["x_to", "y_to"], tooltip="smaller larger gamma phase", **look)
        ends = [dots(rows, f"x_{end}:Q", f"y_{end}:Q", size=18, tooltip=None, **HOLLOW) for end in ("from", "to")]
        return alt.layer(path, *ends).properties(title=alt.Title(family, fontSize=11, anchor="start"))

    where = "up in size" if along.by_size else f"along {along.noun}"
    falls = f"{label(y)} falls in {int((shown['gamma'] < 0).sum())} of {len(shown)} steps {where}"
    more = f" ({total - len(families)} more in the table)" if total > len(families) else ""
    ends = "from the smallest to the largest size" if along.by_size else "from first to last"
    return figure(
        [plane(str(family)) for family in families],
        name,
        f"{falls}, over {len(families)} families{more}",
        "the scores of the sweep",
        f"{len(families)} families, {len(shown)} steps",
        f"{label(x)} (%) across, {label(y)} (%) upwards, {ends}. Vermilion: tax, grey: transition, green: bonus.",
        rows=shown if along.by_size else shown.rename(columns={"smaller": "first", "larger": "last"}),
        height=120,
    )


def pairs_of_one_size(pairs: pd.DataFrame, *, x: str, y: str, title: str, source: str) -> Figure:
    """How two scores differ between models of one size, pair by pair, with their intervals of score noise.

    pairs: rows of `diagnose_pairs`, each with first, second, dx, dy (points) and half of their 95 % intervals.
    title: the finding.
    """
    rows = pd.DataFrame(
        {
            "pair": row["second"] + " against " + row["first"],
            "score": name,
            "estimate": row[change],
            "low": row[change] - row[f"{change}_half"],
            "high": row[change] + row[f"{change}_half"],
            "p": row[f"{change}_p"],
        }
        for name, change in ((label(y), "dy"), (label(x), "dx"))
        for row in pairs.to_dict("records")
    )
    look = forms.by("score", (label(y), label(x)), TWO_SIDES, ("circle", "square"))
    points = across("estimate", "second minus first model, points")
    caption = (
        "Bars: 95 %, score noise of one pair alone. p is corrected for asking every pair (Holm)."
        if rows["low"].notna().all()
        else "No bars: how noisy the scores are is not known."
    )
    chart = forest(rows, "pair", points, **look, apart="score", tooltip="p")
    n = f"{len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'}"
    return figure(chart, "own-pairs", title, source, n, caption, rows=pairs)
