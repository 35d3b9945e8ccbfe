"""Figures of the steering protocol and of the probes on testbed models (chapters 4 and 5)."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.charts.frame import INK, Figure, figure
from cape_lib.charts.testbed import BLUE, GREY, PERCENT, SOURCE, share_axis, width_axis

CASES = ("planted", "learnt", "null: below the dip", "null: shuffled labels", "null: untrained")
#: (rows' column) -> words in the order of the legend
STEERED = {"right_after": "the direction", "best_control": "the best of its controls"}


def cases(trials: pd.DataFrame) -> Figure:
    """Every run of the protocol: share right under the direction and its best control.  trials: `testbed_trials`."""
    rows = trials.assign(row=trials["case"] + ", " + trials["contrast"])
    rank = rows["case"].map(CASES.index)
    order = rows.assign(rank=rank).sort_values(["rank", "contrast"])["row"].drop_duplicates().tolist()
    long = rows.melt(
        ["trial", "row", "model", "split", "p", "effect"],
        ["right_after", "best_control"],
        var_name="what",
        value_name="share",
    )
    long["what"] = long["what"].map(STEERED)
    domain = list(STEERED.values())
    chart = (
        alt.Chart(long)
        .mark_point(size=55, opacity=0.75)
        .encode(
            x=alt.X(
                "share:Q", title="test questions right after steering", axis=PERCENT, scale=alt.Scale(domain=[0, 1])
            ),
            y=alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color("what:N", title=None, scale=alt.Scale(domain=domain, range=[BLUE, GREY])),
            shape=alt.Shape("what:N", title=None, scale=alt.Scale(domain=domain, range=["circle", "cross"])),
            tooltip=[
                "model:N",
                "split:N",
                "what:N",
                alt.Tooltip("share:Q", format=".2f"),
                alt.Tooltip("p:Q", format=".3f"),
                "effect:N",
            ],
        )
    )
    null = trials[trials["case"].str.startswith("null")]
    real = trials[~trials["case"].str.startswith("null") & (trials["contrast"] != "stmt")]
    return figure(
        chart.properties(height=34 * len(order)),
        title=f"An effect in {int(real['effect'].sum())} of {len(real)} runs where there is one, in "
        f"{int(null['effect'].sum())} of {len(null)} where there is none",
        alt="For each case the share of test questions right after steering: a circle a run for the direction, a cross "
        "for the best of its 60 controls.",
        source=SOURCE,
        n=f"{len(trials)} runs",
        rows=trials,
        name="protocol-cases",
    )


def dose_response(rows: pd.DataFrame) -> Figure:
    """Share right by strength, beside isotropic controls (for `explore`: column layer).  rows: `testbed_surface`."""
    kept = rows.assign(what="the direction", other="20 random directions")
    x = alt.X("dose:Q", title="strength (standard deviations of the projection)")
    colour = alt.Scale(domain=["the direction", "20 random directions"], range=[BLUE, GREY])
    y = alt.Y("right:Q", title="questions right", axis=PERCENT, scale=alt.Scale(domain=[0, 1]))
    band = (
        alt.Chart(kept)
        .mark_area(opacity=0.3)
        .encode(
            x=x,
            y=alt.Y("control_low:Q", title="questions right", axis=PERCENT, scale=alt.Scale(domain=[0, 1])),
            y2="control_high:Q",
            color=alt.Color("other:N", scale=colour, title=None),
        )
    )
    bars = alt.Chart(kept).mark_rule(color=BLUE).encode(x=x, y="low:Q", y2="high:Q")
    line = (
        alt.Chart(kept)
        .mark_line(point=True)
        .encode(
            x=x,
            y=y,
            color=alt.Color("what:N", scale=colour, title=None),
            tooltip=[
                "place:N",
                "dose:Q",
                *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("right", "control_high", "kl")),
            ],
        )
    )
    return figure(
        band + bars + line,
        title="What the direction does, beside random ones of the same length",
        alt="Share of questions right against the strength of steering: a line with intervals for the direction, a "
        "grey band from the lowest to the highest of 20 random directions.",
        source=SOURCE,
        n=f"{int(kept['n'].iloc[0])} questions",
        rows=kept,
        name="dose-response",
    )


def beyond_random(surface: pd.DataFrame) -> Figure:
    """By width: the most that the direction reaches anywhere, beside the most that a random one does.  Ladder D."""
    rows = surface[surface["model"].str.startswith("D-") & (surface["dose"] > 0)]
    top = rows.groupby(["model", "width"], as_index=False).agg(
        direction=("right", "max"), random=("control_high", "max")
    )
    words = {"direction": "the direction", "random": "the best of 20 random ones"}
    long = top.melt(["model", "width"], list(words), var_name="what", value_name="share")
    long["what"] = long["what"].map(words)
    domain = list(words.values())
    colour = alt.Color("what:N", title=None, scale=alt.Scale(domain=domain, range=[BLUE, GREY]))
    means = long.groupby(["what", "width"], as_index=False)["share"].mean()
    y = share_axis("share", "questions right, best place and strength")
    line = alt.Chart(means).mark_line().encode(x=width_axis(top["width"]), y=y, color=colour)
    dots = (
        alt.Chart(long)
        .mark_point(size=45)
        .encode(
            x=width_axis(top["width"]),
            y=y,
            color=colour,
            shape=alt.Shape("what:N", title=None, scale=alt.Scale(domain=domain)),
            tooltip=["model:N", "what:N", alt.Tooltip("share:Q", format=".2f")],
        )
    )
    ahead = top.assign(gap=top["direction"] - top["random"]).groupby("width")["gap"].mean()
    first = [width for width in ahead.index if (ahead[ahead.index >= width] > 0).all()]
    return figure(
        line + dots,
        title=f"The direction leads random ones {f'from width {first[0]} on' if first else 'at no width'}",
        alt="Share of questions right at the best place and strength, by width of the model: the direction and the "
        "best of 20 random directions, one point a seed.",
        source=SOURCE,
        n=f"{len(top)} models",
        rows=top,
        name="beyond-random",
    )


def twins(rows: pd.DataFrame) -> Figure:
    """Coupling by block, trained and untrained (for `explore`: column shown).  rows: `testbed_probes`."""
    domain = ["trained", "untrained"]
    colour = alt.Color("weights:N", title=None, scale=alt.Scale(domain=domain, range=[BLUE, GREY]))
    kept = rows.assign(place=rows["model"] + ", block " + rows["layer"].astype(str))
    y = alt.Y("place:N", title=None, axis=alt.Axis(labelLimit=180))
    x = alt.X("coupling:Q", title="coupling of reasoning and truthfulness", scale=alt.Scale(domain=[-1, 1]))
    zero = alt.Chart(pd.DataFrame({"coupling": [0.0]})).mark_rule(color=INK).encode(x="coupling:Q")
    shift = alt.YOffset("weights:N")
    bars = alt.Chart(kept).mark_rule().encode(x=alt.X("low:Q", title=""), x2="high:Q", y=y, yOffset=shift, color=colour)
    dots = (
        alt.Chart(kept)
        .mark_point(filled=True, size=55, opacity=1)
        .encode(
            x=x,
            y=y,
            yOffset=shift,
            color=colour,
            shape=alt.Shape("weights:N", title=None, scale=alt.Scale(domain=domain)),
            tooltip=[
                "place:N",
                "weights:N",
                *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("coupling", "q", "raw", "dimension")),
            ],
        )
    )
    untrained = kept[kept["weights"] == "untrained"]
    found = int((untrained["q"] < 0.05).sum())
    return figure(
        zero + bars + dots,
        title=f"{found} of {len(untrained)} untrained blocks have a significant coupling too",
        alt="Coupling with a 95 % interval for each block, trained and untrained weights side by side.",
        source=SOURCE,
        n=f"{kept['model'].nunique()} models",
        rows=kept,
        name="probe-twins",
    )
