"""Figures of chapter 1: families in the plane of two scores, and how they are coupled."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.coupling import settled_beyond
from cape_lib.charts.axes import (
    across,
    colours,
    phase_colour,
    rounded,
    row_names,
    score_axes,
    shapes,
    sides,
    size_scale,
    upright,
)
from cape_lib.charts.forest import band, forest, line_at
from cape_lib.charts.frame import GRID, INK, MUTED, PAPER, Figure, figure
from cape_lib.charts.look import TWO_SIDES
from cape_lib.charts.naming import named
from cape_lib.charts.trust import few_families
from cape_lib.tables import label
from cape_lib.tables.axes import PARAMS, Axis

STEP_TOOLTIP = [
    alt.Tooltip("smaller:N", title="from"),
    alt.Tooltip("larger:N", title="to"),
    *rounded(".2f", "gamma", "low", "high"),
    alt.Tooltip("p_negative:Q", format=".2f", title="P(gamma < 0)"),
]
SIDES = dict(zip(("below", "above"), TWO_SIDES, strict=True))
BARS = "Bars: 95 % Fieller intervals, score noise. A bar that reaches the edge goes on beyond it."


def ladder_plane(
    ladder: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, source: str, along: Axis = PARAMS
) -> Figure:
    """One family's path through the plane of two scores, each step coloured by its phase.

    ladder: rows by size with model, params_b, x, y;  gammas: its `coupling.local_coupling`; along: the axis of both.
    """
    ends = ladder[["model", x, y]]
    steps = gammas.merge(ends, left_on="smaller", right_on="model")
    steps = steps.merge(ends, left_on="larger", right_on="model", suffixes=("", "_to"))
    family = str(ladder["family"].iloc[0])
    to_right, up = score_axes(x, y, padding=18)
    lines = alt.Chart(steps).mark_rule(strokeWidth=3)
    lines = lines.encode(x=to_right, y=up, x2=f"{x}_to", y2=f"{y}_to", color=phase_colour())
    dots = alt.Chart(ladder).mark_point(filled=True, fill=PAPER, stroke=INK, size=70, opacity=1)
    dots = dots.encode(x=to_right, y=up, tooltip=["model", along.column, x, y])
    path = pd.DataFrame({score: np.interp(np.linspace(0, 1, 60), np.linspace(0, 1, len(ladder)), ladder[score])
                         for score in (x, y)})  # fmt: skip
    names = named(ends, to_right, up, "model", height=320, around=[path], always=len(ends), fontSize=12)
    down = int((gammas["dy"] < 0).sum())
    return figure(
        alt.layer(lines, dots, *names),
        title=f"{family}: {label(y)} falls in {down} of {len(gammas)} steps {_up(along)}",
        alt=(
            f"{family} in the plane of {label(x)} and {label(y)}, one point a {along.point}; {down} of {len(gammas)} "
            "steps fall."
        ),
        source=source,
        n=len(ladder),
        name="ladder-plane",
    )


def _up(along: Axis) -> str:
    """What a step goes up in, in words."""
    return "up in size" if along.by_size else along.where


def sure_steps(gammas: pd.DataFrame) -> int:
    """How many steps of `coupling.local_coupling` have a settled sign, all of them judged together."""
    limit = settled_beyond(max(len(gammas[["smaller", "larger"]].drop_duplicates()), 1))
    return int(((gammas["p_negative"] > limit) | (gammas["p_negative"] < 1 - limit)).sum())


def local_couplings(
    gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str, along: Axis = PARAMS
) -> Figure:
    """Local coupling of one family by interval: the 95 % interval first, then the point; the zero line.

    gammas: `coupling.local_coupling` of the ladder, further columns allowed (for `explore`). An interval that is
    unbounded runs off the chart. title: the finding; name: the permanent link.
    """
    edge = 3.0
    steps = gammas.assign(step=_short_steps(gammas, along))
    bars = pd.concat([_bars(row, edge) for _, row in steps.iterrows()], ignore_index=True)
    return figure(
        forest(
            steps,
            row_names("step"),
            alt.X("gamma:Q", title="gamma12", scale=alt.Scale(domain=[-edge, edge], clamp=True)),
            colour=phase_colour(columns=2),
            tooltip=STEP_TOOLTIP,
            bars=bars,
            height=30,
        ),
        title=title,
        alt=f"Local coupling for each step {'in size' if along.by_size else along.where} with its 95 percent interval; "
        f"{sure_steps(gammas)} of {len(gammas)} signs are settled.",
        source=source,
        n=f"{steps['step'].nunique()} steps",
        name=name,
        rows=gammas if along.by_size else gammas.rename(columns={"smaller": "first", "larger": "last"}),
        caption=f"gamma12: points of {label(y)} for a point of {label(x)}. "
        + (BARS if len(bars) else "No bars: how noisy the scores are is not known."),
    )


def _bars(step: pd.Series, edge: float) -> pd.DataFrame:
    """The interval of one step as one bar, or two where it is the outside of a gap; none where it is unknown."""
    low, high = float(np.clip(step["low"], -edge, edge)), float(np.clip(step["high"], -edge, edge))
    ends = {"bounded": [(low, high)], "every": [(-edge, edge)], "outside": [(-edge, high), (low, edge)]}
    known = pd.DataFrame(ends.get(step["interval"], []), columns=["low", "high"])
    swept = {"rho": float(step["rho"])} if "rho" in step else {}  # where the rows were made for `explore`
    return known.assign(step=step["step"], phase=step["phase"], **swept)


def every_family(gammas: pd.DataFrame, *, x: str, y: str, own: str, source: str) -> Figure:
    """Local coupling against size for all ladders, one of them picked out by the list or a click on the legend."""
    shown = gammas.assign(shown=gammas["gamma"].clip(-2, 2))
    names = sorted(shown["ladder"].unique())
    pick = alt.param(
        name="family",
        value=own if own in names else names[0],
        bind=alt.binding_select(options=["all", *names], name="family to pick out "),
    )
    mine = "family === 'all' || datum.ladder === family"
    up = upright("shown", "gamma12, clipped to ±2", [-2, 2])
    base = alt.Chart(shown).encode(x=size_scale("params_b_mid"), y=up, detail="ladder:N")
    lines = base.mark_line(color=MUTED).encode(opacity=alt.condition(mine, alt.value(0.9), alt.value(0.0)))
    points = base.mark_point(filled=True, size=70).encode(
        color=phase_colour(),
        opacity=alt.condition(mine, alt.value(1), alt.value(0.22)),
        tooltip=["ladder", *STEP_TOOLTIP],
    )
    small, large = shown[shown["params_b_mid"] < 3.5], shown[shown["params_b_mid"] >= 10]
    return figure(
        alt.layer(line_at(0, "y"), lines, points).add_params(pick),
        title=f"Below 3.5 B {int((small['gamma'] < 0).sum())} of {len(small)} steps are negative; above 10 B "
        f"{int((large['gamma'] > 0).sum())} of {len(large)} are positive",
        alt=(
            f"Local coupling against size for {len(names)} families; most points below a few billion "
            "parameters lie under zero."
        ),
        source=source,
        n=f"{len(shown)} steps of {len(names)} families",
        name="every-family",
    )


def cut_in_two(rows: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str = "cut-in-two") -> Figure:
    """The panel as a scatter: models below the cut as circles, those above as triangles (for `explore`).

    rows: model, params_b, x, y, side ("below", "above") and the slider's column cut (billions); title: the finding.
    """
    to_right, up = score_axes(x, y)
    points = alt.Chart(rows).mark_point(filled=True, size=60, opacity=0.85)
    points = points.encode(
        x=to_right,
        y=up,
        color=colours("side", SIDES, title="size"),
        shape=shapes("side", {"below": "circle", "above": "triangle-up"}, title="size"),
        tooltip=["model", "params_b", x, y],
    )
    return figure(
        points,
        title=title,
        alt=(
            f"{label(y)} against {label(x)} for all models of the panel; those below the cut are "
            "circles, those above triangles."
        ),
        source=source,
        n=rows["model"].nunique(),
        name=name,
        caption=few_families(),
    )


def correlation_by_cut(sweep: pd.DataFrame, *, source: str) -> Figure:
    """Correlation below and above every cut with its 95 % interval.

    sweep: `coupling.cut_sweep`.
    """
    parts = [
        sweep[["cut_b", f"n_{side}", f"r_{side}", f"low_{side}", f"high_{side}"]]
        .set_axis(["cut_b", "n", "estimate", "low", "high"], axis=1)
        .assign(side=side)
        for side in SIDES
    ]
    table = pd.concat(parts, ignore_index=True).dropna(subset=["estimate"])
    ends = {"low": float(sweep["cut_b"].min()), "high": float(sweep["cut_b"].max())}
    drawn = band(
        table,
        size_scale("cut_b", **ends).title("cut, log scale"),
        upright("estimate", "Pearson r", [-1, 1]),
        colour=colours("side", SIDES, title="models"),
        tooltip=["cut_b", "side", *rounded(".2f", "estimate"), "n"],
        point=True,
    )
    flips, sure = int(sweep["flips"].sum()), int(sweep["flips_surely"].sum())
    return figure(
        alt.layer(line_at(0, "y"), drawn).properties(height=260),
        title=f"The sign flips at {flips} of the {len(sweep)} cuts tried, at {sure} of them beyond both intervals"
        + (": no single size stands out" if flips > 1 else ""),
        alt=f"Correlation below and above each cut, with 95 percent bands; its sign flips at {flips} of {len(sweep)}.",
        source=source,
        n=f"{int(table['n'].max())} models on one side at most",
        name="correlation-by-cut",
        caption="Bands: 95 %, families left out in turn. " + few_families(),
    )


def pair_signs(pairs: pd.DataFrame, *, cut_b: float, source: str) -> Figure:
    """The ten benchmark pairs below and above a cut: r with its interval, two rows a pair.

    pairs: `coupling.pair_couplings`.
    """
    table = pairs.assign(pair=[f"{label(a)} – {label(b)}" for a, b in zip(pairs["x"], pairs["y"], strict=True)])
    table = table.dropna(subset=["r"])
    below, above = (table[table["side"] == side] for side in SIDES)
    return figure(
        forest(
            table,
            row_names("pair", below.sort_values("r")["pair"], limit=240),
            across("r", "Pearson r over models", [-1, 1]),
            colour=colours("side", SIDES, title="models"),
            offset=sides("side", list(SIDES)),
            tooltip=["pair", "side", *rounded(".2f", "r"), "n", "sign_holds", "changed_by"],
            hollow="!datum.sign_holds",
            height=40,
        ),
        title=f"Below {cut_b:g} B {int((below['r'] < 0).sum())} of {len(below)} pairs of benchmarks are negative",
        alt=f"Correlation of each pair of benchmarks below and above {cut_b:g} billions, with 95 percent intervals.",
        source=source,
        n=f"{int(below['n'].max())} models below, {int(above['n'].max())} above",
        name="pair-signs",
        caption="Filled: the sign stays whichever family is left out. Hollow: one family decides it. " + few_families(),
    )


def loss_and_scores(losses: pd.DataFrame, *, source: str) -> Figure:
    """Loss against size with its power law, beside the residual in which a transition would have to show.

    losses: params_b, loss, fitted, residual, series.
    """
    curve = alt.Chart(losses).encode(x=size_scale("params_b", low=0.05, high=16), color=alt.Color("series:N"))
    fitted = curve.mark_line().encode(y=alt.Y("fitted:Q", scale=alt.Scale(zero=False), title="loss (nats per token)"))
    measured = curve.mark_point(filled=True).encode(y="loss:Q", tooltip=["series", "params_b", "loss", "fitted"])
    rest = curve.mark_line(point=True).encode(y=upright("residual", "loss minus power law"))
    worst = float(losses.loc[losses["series"] == "published constants", "residual"].abs().max())
    return figure(
        [
            alt.layer(*layers).properties(title=title, width="container", height=240)
            for title, layers in (
                ("loss and its power law", (fitted, measured)),
                ("what is left", (line_at(0, "y", colour=GRID), rest)),
            )
        ],
        title=f"The published losses leave at most {worst:.3f} nats beside a power law: they show no transition",
        alt="Loss against model size with a fitted power law, and the residuals of the fit.",
        source=source,
        n=f"{len(losses)} losses in {losses['series'].nunique()} series",
        name="loss-and-scores",
    )


def _short_steps(gammas: pd.DataFrame, along: Axis) -> list[str]:
    """Each step by its two sizes, which fit a phone; by the models' names where two steps would read alike."""
    if not along.by_size:
        ends = zip(gammas[f"{along.column}_low"], gammas[f"{along.column}_high"], strict=True)
        return [f"{along.number(low)} → {along.shown(high)}" for low, high in ends]
    sizes = [f"{low:g} → {high:g} B" for low, high in zip(gammas["params_b_low"], gammas["params_b_high"], strict=True)]
    pairs = gammas[["smaller", "larger"]].drop_duplicates()  # a slider has each of them several times
    return sizes if len(set(sizes)) == len(pairs) else list(gammas["smaller"] + " → " + gammas["larger"])
