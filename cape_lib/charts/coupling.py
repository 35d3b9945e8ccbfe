"""Figures of chapter 1: families in the plane of two scores, and how they are coupled."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.coupling import settled_beyond
from cape_lib.charts.forest import band
from cape_lib.charts.frame import GRID, INK, MUTED, PAPER, PHASE_COLOURS, Figure, figure
from cape_lib.charts.look import TWO_SIDES
from cape_lib.charts.naming import crowded, names_where
from cape_lib.charts.trust import few_families
from cape_lib.tables import label

PHASES = list(PHASE_COLOURS)
STEP_TOOLTIP = [
    alt.Tooltip("smaller:N", title="from"),
    alt.Tooltip("larger:N", title="to"),
    alt.Tooltip("gamma:Q", format=".2f"),
    alt.Tooltip("low:Q", format=".2f"),
    alt.Tooltip("high:Q", format=".2f"),
    alt.Tooltip("p_negative:Q", format=".2f", title="P(gamma < 0)"),
]
SIDES = alt.Scale(domain=["below", "above"], range=list(TWO_SIDES))
BARS = "Bars: 95 % Fieller intervals, score noise. A bar that reaches the edge goes on beyond it."
#: A legend breaks its line where the plot is narrow: beside long row names, on a phone.
COLUMNS = alt.ExprRef("width < 240 ? 2 : width < 420 ? 3 : 5")
SIZE_AXIS = alt.Axis(
    values=[0.1, 0.3, 1, 3, 10, 30, 100], labelExpr="datum.value + ' B'", title="parameters, log scale"
)


def phase_colour(column: str = "phase", *, legend: bool = True, columns: int | alt.ExprRef | None = None) -> alt.Color:
    """The colour of a phase, the same on every page."""
    scale = alt.Scale(domain=PHASES, range=[PHASE_COLOURS[phase] for phase in PHASES])
    return alt.Color(
        f"{column}:N", scale=scale, title=None, legend=alt.Legend(columns=columns or COLUMNS) if legend else None
    )


def size_scale(column: str, *, low: float = 0.06, high: float = 200.0) -> alt.X:
    """A log axis of parameters in billions, labelled at round sizes."""
    return alt.X(f"{column}:Q", scale=alt.Scale(type="log", domain=[low, high]), axis=SIZE_AXIS)


def ladder_plane(ladder: pd.DataFrame, gammas: pd.DataFrame, *, x: str, y: str, source: str) -> Figure:
    """One family's path through the plane of two scores, each step coloured by its phase.

    ladder: rows by size with model, params_b, x, y;  gammas: its `coupling.local_coupling`.
    """
    steps = gammas.merge(ladder[["model", x, y]], left_on="smaller", right_on="model").merge(
        ladder[["model", x, y]], left_on="larger", right_on="model", suffixes=("", "_to")
    )
    family = str(ladder["family"].iloc[0])
    across = alt.X(f"{x}:Q", scale=alt.Scale(zero=False), title=f"{label(x)} (%)")
    up = alt.Y(f"{y}:Q", scale=alt.Scale(zero=False, padding=18), title=f"{label(y)} (%)")
    lines = (
        alt.Chart(steps)
        .mark_rule(strokeWidth=3)
        .encode(x=across, y=up, x2=f"{x}_to", y2=f"{y}_to", color=phase_colour())
    )
    named = ladder.reset_index(drop=True)
    points = alt.Chart(named.assign(name_below=crowded(named[x], named[y]))).encode(x=across, y=up)
    dots = points.mark_point(filled=True, fill=PAPER, stroke=INK, size=70, opacity=1).encode(
        tooltip=["model", "params_b", x, y]
    )
    over, under = (
        points.mark_text(
            dx=0 if below else 9, dy=16 if below else -9, align="center" if below else "left", color=INK
        ).encode(text=names_where("model", below=below))
        for below in (False, True)
    )
    down = int((gammas["dy"] < 0).sum())
    return figure(
        alt.layer(lines, dots, over, under),
        title=f"{family}: {label(y)} falls in {down} of {len(gammas)} steps up in size",
        alt=(
            f"{family} in the plane of {label(x)} and {label(y)}, one point a size; {down} of {len(gammas)} steps fall."
        ),
        source=source,
        n=len(ladder),
        name="ladder-plane",
    )


def sure_steps(gammas: pd.DataFrame) -> int:
    """How many steps of `coupling.local_coupling` have a settled sign, all of them judged together."""
    limit = settled_beyond(max(len(gammas[["smaller", "larger"]].drop_duplicates()), 1))
    return int(((gammas["p_negative"] > limit) | (gammas["p_negative"] < 1 - limit)).sum())


def local_couplings(gammas: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str) -> Figure:
    """Local coupling of one family by interval: the 95 % interval first, then the point; the zero line.

    gammas: `coupling.local_coupling` of the ladder, further columns allowed (for `explore`). An interval that is
    unbounded runs off the chart. title: the finding; name: the permanent link.
    """
    edge = 3.0
    steps = gammas.assign(step=_short_steps(gammas))
    bars = pd.concat([_bars(row, edge) for _, row in steps.iterrows()], ignore_index=True)
    y_axis = alt.Y("step:N", sort=list(dict.fromkeys(steps["step"])), title=None, axis=alt.Axis(labelLimit=260))
    x_axis = alt.X(
        "from:Q",
        title="gamma12",
        scale=alt.Scale(domain=[-edge, edge], clamp=True),
    )
    intervals = (
        alt.Chart(bars)
        .mark_rule(strokeWidth=5, opacity=0.5)
        .encode(y=y_axis, x=x_axis, x2="to:Q", color=phase_colour(columns=2))
    )
    points = (
        alt.Chart(steps.dropna(subset=["gamma"]))
        .mark_point(filled=True, size=90, opacity=1)
        .encode(y=y_axis, x=alt.X("gamma:Q"), color=phase_colour(columns=2), tooltip=STEP_TOOLTIP)
    )
    zero = alt.Chart(pd.DataFrame({"gamma": [0.0]})).mark_rule(color=INK).encode(x="gamma:Q")
    return figure(
        alt.layer(zero, *([intervals] if len(bars) else []), points).properties(height=30 * steps["step"].nunique()),
        title=title,
        alt=f"Local coupling for each step in size with its 95 percent interval; {sure_steps(gammas)} of {len(gammas)} "
        "signs are settled.",
        source=source,
        n=f"{steps['step'].nunique()} steps",
        name=name,
        rows=gammas,
        caption=f"gamma12: points of {label(y)} for a point of {label(x)}. "
        + (BARS if len(bars) else "No bars: how noisy the scores are is not known."),
    )


def _bars(step: pd.Series, edge: float) -> pd.DataFrame:
    """The interval of one step as one bar, or two where it is the outside of a gap; none where it is unknown."""
    low, high = float(np.clip(step["low"], -edge, edge)), float(np.clip(step["high"], -edge, edge))
    ends = {"bounded": [(low, high)], "every": [(-edge, edge)], "outside": [(-edge, high), (low, edge)]}
    found = ends.get(step["interval"], [])
    return pd.DataFrame(found, columns=["from", "to"]).assign(step=step["step"], phase=step["phase"], **_swept(step))


def _swept(step: pd.Series) -> dict[str, float]:
    """The value of a slider, where the rows were made for `explore`."""
    return {"rho": float(step["rho"])} if "rho" in step else {}


def every_family(gammas: pd.DataFrame, *, x: str, y: str, own: str, source: str) -> Figure:
    """Local coupling against size for all ladders, one of them picked out by the list or a click on the legend."""
    shown = gammas.assign(shown=gammas["gamma"].clip(-2, 2))
    names = sorted(shown["ladder"].unique())
    start = own if own in names else names[0]
    pick = alt.param(
        name="family", value=start, bind=alt.binding_select(options=["all", *names], name="family to pick out ")
    )
    mine = "family === 'all' || datum.ladder === family"
    y_axis = alt.Y("shown:Q", title="gamma12, clipped to ±2", scale=alt.Scale(domain=[-2, 2]))
    base = alt.Chart(shown).encode(x=size_scale("params_b_mid"), y=y_axis, detail="ladder:N")
    zero = alt.Chart(pd.DataFrame({"shown": [0.0]})).mark_rule(color=INK).encode(y="shown:Q")
    lines = base.mark_line(color=MUTED).encode(opacity=alt.condition(mine, alt.value(0.9), alt.value(0.0)))
    points = base.mark_point(filled=True, size=70).encode(
        color=phase_colour(),
        opacity=alt.condition(mine, alt.value(1), alt.value(0.22)),
        tooltip=["ladder", *STEP_TOOLTIP],
    )
    small, large = shown[shown["params_b_mid"] < 3.5], shown[shown["params_b_mid"] >= 10]
    return figure(
        alt.layer(zero, lines, points).add_params(pick),
        title=(
            f"Below 3.5 B {_share(small)} steps are negative; above 10 B {_share(large, positive=True)} are positive"
        ),
        alt=(
            f"Local coupling against size for {len(names)} families; most points below a few billion "
            "parameters lie under zero."
        ),
        source=source,
        n=f"{len(shown)} steps of {len(names)} families",
        name="every-family",
    )


def _share(steps: pd.DataFrame, *, positive: bool = False) -> str:
    sign = (steps["gamma"] > 0) if positive else (steps["gamma"] < 0)
    return f"{int(sign.sum())} of {len(steps)}"


def cut_in_two(rows: pd.DataFrame, *, x: str, y: str, title: str, source: str, name: str = "cut-in-two") -> Figure:
    """The panel as a scatter: models below the cut as circles, those above as triangles (for `explore`).

    rows: model, params_b, x, y, side ("below", "above") and the slider's column cut (billions); title: the finding.
    """
    points = (
        alt.Chart(rows)
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(
            x=alt.X(f"{x}:Q", scale=alt.Scale(zero=False), title=f"{label(x)} (%)"),
            y=alt.Y(f"{y}:Q", scale=alt.Scale(zero=False), title=f"{label(y)} (%)"),
            color=alt.Color("side:N", scale=SIDES, title="size"),
            shape=alt.Shape(
                "side:N", scale=alt.Scale(domain=["below", "above"], range=["circle", "triangle-up"]), title="size"
            ),
            tooltip=["model", "params_b", x, y],
        )
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
        for side in ("below", "above")
    ]
    table = pd.concat(parts, ignore_index=True).dropna(subset=["estimate"])
    drawn = band(
        table,
        size_scale("cut_b", low=float(sweep["cut_b"].min()), high=float(sweep["cut_b"].max())).title("cut, log scale"),
        alt.Y("estimate:Q", title="Pearson r", scale=alt.Scale(domain=[-1, 1])),
        colour=alt.Color("side:N", scale=SIDES, title="models"),
        tooltip=["cut_b", "side", alt.Tooltip("estimate:Q", format=".2f"), "n"],
        point=True,
    )
    zero = alt.Chart(pd.DataFrame({"estimate": [0.0]})).mark_rule(color=INK).encode(y="estimate:Q")
    flips, sure = int(sweep["flips"].sum()), int(sweep["flips_surely"].sum())
    return figure(
        alt.layer(zero, drawn).properties(height=260),
        title=f"The sign flips at {flips} of the {len(sweep)} cuts tried, beyond both intervals at {sure}: these data "
        "do not single out one size",
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
    order = list(table[table["side"] == "below"].sort_values("r")["pair"])
    base = alt.Chart(table).encode(
        y=alt.Y("pair:N", sort=order, title=None, axis=alt.Axis(labelLimit=240)),
        yOffset=alt.YOffset("side:N", sort=["below", "above"]),
        color=alt.Color("side:N", scale=SIDES, title="models"),
    )
    x = alt.X("low:Q", title="Pearson r over models", scale=alt.Scale(domain=[-1, 1]))
    bars = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x, x2="high:Q")
    tooltip = ["pair", "side", alt.Tooltip("r:Q", format=".2f"), "n", "sign_holds", "changed_by"]
    full, hollow = (base.transform_filter(f"{sign}datum.sign_holds") for sign in ("", "!"))
    points = [full.mark_point(filled=True, size=60, opacity=1), hollow.mark_point(fill=PAPER, size=60, opacity=1)]
    zero = alt.Chart(pd.DataFrame({"r": [0.0]})).mark_rule(color=INK).encode(x="r:Q")
    below = table[table["side"] == "below"]
    return figure(
        alt.layer(zero, bars, *[part.encode(x="r:Q", tooltip=tooltip) for part in points]).properties(
            height=40 * len(order)
        ),
        title=f"Below {cut_b:g} B {int((below['r'] < 0).sum())} of {len(below)} pairs of benchmarks are negative",
        alt=f"Correlation of each pair of benchmarks below and above {cut_b:g} billions, with 95 percent intervals.",
        source=source,
        n=f"{int(below['n'].max())} models below, {int(table.loc[table['side'] == 'above', 'n'].max())} above",
        name="pair-signs",
        caption="Filled: the sign stays whichever family is left out. Hollow: one family decides it. " + few_families(),
    )


def loss_and_scores(losses: pd.DataFrame, *, source: str) -> Figure:
    """Loss against size with its power law, beside the residual in which a transition would have to show.

    losses: params_b, loss, fitted, residual, series.
    """
    x = size_scale("params_b", low=0.05, high=16)
    curve = alt.Chart(losses).encode(x=x, color=alt.Color("series:N", title="series"))
    left = alt.layer(
        curve.mark_line().encode(y=alt.Y("fitted:Q", scale=alt.Scale(zero=False), title="loss (nats per token)")),
        curve.mark_point(filled=True).encode(y="loss:Q", tooltip=["series", "params_b", "loss", "fitted"]),
    ).properties(title="loss and its power law", width="container", height=240)
    zero = alt.Chart(pd.DataFrame({"residual": [0.0]})).mark_rule(color=GRID).encode(y="residual:Q")
    right = alt.layer(
        zero, curve.mark_line(point=True).encode(y=alt.Y("residual:Q", title="loss minus power law"))
    ).properties(title="what is left", width="container", height=240)
    worst = float(losses.loc[losses["series"] == "published constants", "residual"].abs().max())
    return figure(
        [left, right],
        title=f"The published losses leave at most {worst:.3f} nats beside a power law: they show no transition",
        alt="Loss against model size with a fitted power law, and the residuals of the fit.",
        source=source,
        n=f"{len(losses)} losses in {losses['series'].nunique()} series",
        name="loss-and-scores",
    )


def _short_steps(gammas: pd.DataFrame) -> list[str]:
    """Each step by its two sizes, which fit a phone; by the models' names where two steps would read alike."""
    sizes = [f"{low:g} → {high:g} B" for low, high in zip(gammas["params_b_low"], gammas["params_b_high"], strict=True)]
    pairs = gammas[["smaller", "larger"]].drop_duplicates()  # a slider has each of them several times
    return sizes if len(set(sizes)) == len(pairs) else list(gammas["smaller"] + " → " + gammas["larger"])
