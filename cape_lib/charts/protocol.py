"""Figures of the steering protocol on testbed models (chapter 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts.axes import across, colours, rounded, row_names, shapes, upright
from cape_lib.charts.forest import ALL, forest
from cape_lib.charts.frame import INK, Figure, figure
from cape_lib.charts.look import BLUE, GREY
from cape_lib.charts.testbed import SOURCE, by_width
from cape_lib.stats import wilson_clustered

#: Texts that a direction is fitted on -> in words
WORDS = {"reg": "register", "ctx": "context", "stmt": "statement"}
#: Where a direction is there to be found, and where none is -> in words, in the order of the rows
CASES = {
    "planted": "put there by hand",
    "learnt": "learnt",
    "null: below the dip": "none: model too narrow",
    "null: shuffled labels": "none: shuffled labels",
    "null: untrained": "none: untrained model",
}
#: (rows' column) -> words in the order of the legend
STEERED = {"right_after": "the direction", "best_control": "the best of its controls"}
RIGHT = "questions right"


def _pair(words: Iterable[str]) -> dict[str, Any]:
    """Colour and shape of a direction and of what it is set beside, as encodings of a forest."""
    names = list(words)
    return {
        "colour": colours("what", dict(zip(names, (BLUE, GREY), strict=True))),
        "shape": shapes("what", dict(zip(names, ("circle", "cross"), strict=True))),
    }


def cases(trials: pd.DataFrame) -> Figure:
    """Every run of the protocol: share right under the direction and its best control.  trials: `testbed_trials`."""
    # only what is learnt was tried with several directions
    several = trials["case"] == "learnt"
    words = trials["case"].map(CASES)
    rows = trials.assign(row=words.where(~several, words + ", " + trials["contrast"].map(WORDS)))
    rank = rows["case"].map(list(CASES).index)
    order = rows.assign(rank=rank).sort_values(["rank", "contrast"])["row"].drop_duplicates().tolist()
    long = rows.melt(
        ["trial", "row", "model", "split", "p", "effect"],
        ["right_after", "best_control"],
        var_name="what",
        value_name="share",
    )
    long["what"] = long["what"].map(STEERED)
    chart = forest(
        long,
        row_names("row", order, limit=220),
        across("share", "test questions right after steering", [0, 1], percent=True),
        **_pair(STEERED.values()),
        tooltip=["model:N", "split:N", "what:N", *rounded(".2f", "share"), *rounded(".3f", "p"), "effect:N"],
        rule=None,
        hollow=ALL,
        height=34,
    )
    null = trials[trials["case"].str.startswith("null")]
    real = trials[~trials["case"].str.startswith("null") & (trials["contrast"] != "stmt")]
    return figure(
        chart,
        title=f"An effect in {int(real['effect'].sum())} of {len(real)} runs where a register or context direction is "
        f"there, in {int(null['effect'].sum())} of {len(null)} where none is",
        alt="For each case the share of test questions right after steering: a circle a run for the direction, a cross "
        "for the best of its 60 controls.",
        source=SOURCE,
        n=f"{len(trials)} runs",
        rows=trials,
        name="protocol-cases",
        caption="After learnt: the texts from which the direction is taken. None: no direction is there to be found.",
    )


def lead_over_random(surface: pd.DataFrame) -> pd.DataFrame:
    """One row a place: the strength (above 0) where the direction leads random ones most, and what both reach there.

    surface: `testbed_surface` of one model and contrast.
    """
    steered = surface[surface["dose"] > 0].assign(lead=surface["right"] - surface["control_high"])
    best = steered.loc[steered.groupby("place", sort=False)["lead"].idxmax()]
    return best[["place", "dose", "right", "low", "high", "control_high", "kl", "lead", "n"]].reset_index(drop=True)


def dose_reading(rows: pd.DataFrame) -> str:
    """The strength at which one place leads random directions most, with its cost, in a sentence."""
    best = lead_over_random(rows).iloc[0]
    return (
        f"At {_short(best['place'])} the lead is largest at strength {best['dose']:g}: {best['right']:.0%} right, the "
        f"best of 20 random directions {best['control_high']:.0%}, at {best['kl']:.2f} nats a token on stories."
    )


def dose_response(rows: pd.DataFrame, *, surface: pd.DataFrame) -> Figure:
    """Share right by strength beside isotropic controls, and the cost on other text (for `explore`: column layer).

    rows: `testbed_surface` of one place;  surface: of all places of that model, for the title.
    """
    kept = rows.assign(what="the direction", other="20 random directions")
    x = across("dose", "strength (standard deviations of the projection)")
    words = {"the direction": BLUE, "20 random directions": GREY}
    right = upright("right", RIGHT, [0, 1], percent=True)
    base = alt.Chart(kept).encode(x=x)
    band = base.mark_area(opacity=0.3)
    band = band.encode(
        y=upright("control_low", RIGHT, [0, 1], percent=True), y2="control_high:Q", color=colours("other", words)
    )
    bars = base.mark_rule(color=BLUE).encode(y="low:Q", y2="high:Q")
    tooltip = ["place:N", "dose:Q", *rounded(".2f", "right", "control_high", "kl")]
    line = base.mark_line(point=True).encode(y=right, color=colours("what", words), tooltip=tooltip)
    cost = base.mark_line(point=True, color=BLUE)
    cost = cost.encode(y=upright("kl", "cost on stories (nats a token)", [0, surface["kl"].max()]), tooltip=tooltip)
    best = lead_over_random(surface)
    first = best.sort_values("lead").iloc[-1]
    return figure(
        [band + bars + line, cost],
        title=f"The direction leads random ones most at {_short(first['place'])}: {first['right']:.0%} against "
        f"{first['control_high']:.0%}",
        alt="Two panels by strength of steering. First the share of questions right: a line with intervals for the "
        "direction, a grey band from the lowest to the highest of 20 random directions. Then what steering costs on "
        "stories, which rises on either side of strength 0.",
        source=SOURCE,
        n=f"{int(kept['n'].iloc[0])} questions",
        rows=kept,
        name="dose-response",
    )


def _short(place: str) -> str:
    return str(place).removesuffix(", last")


def by_place(rows: pd.DataFrame, *, surface: pd.DataFrame) -> Figure:
    """Share right at every place for one strength (for `explore`: column strength).

    rows: `testbed_surface` at one dose, several models;  surface: at all doses, for the title.
    """
    kept = rows.assign(at=rows["place"].map(_short))
    order = [_short(place) for place in surface["place"].drop_duplicates()]
    words = {"right": "the direction", "control_high": "best of 20 random ones"}
    long = kept.melt(["model", "at", "strength"], list(words), var_name="what", value_name="share")
    long["what"] = long["what"].map(words)
    chart = forest(
        long,
        row_names("at", order),
        across("share", RIGHT, [0, 1], percent=True),
        **_pair(words.values()),
        tooltip=["model:N", "at:N", "what:N", *rounded(".2f", "share")],
        rule=None,
        hollow=ALL,
    )
    means = surface[surface["dose"] > 0].groupby(["place", "dose"], as_index=False).agg(right=("right", "mean"))
    best = means.sort_values("right").iloc[-1]
    return figure(
        chart.properties(height=44 * len(order)),
        title=f"Best on average: {best['right']:.0%} right at {_short(best['place'])}, strength {best['dose']:g}",
        alt="One row a place: a circle a model for the share of questions right under the direction, a cross for the "
        "best of 20 random directions; the slider sets the strength.",
        source=SOURCE,
        n=f"{surface['model'].nunique()} models",
        rows=kept,
        name="strength-by-place",
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
    shade = dict(zip(words.values(), (BLUE, GREY), strict=True))
    tooltip = ["model:N", "what:N", *rounded(".2f", "share")]
    chart = by_width(long, "share", "what", shade, f"{RIGHT}, best place and strength", tooltip)
    ahead = top.assign(gap=top["direction"] - top["random"]).groupby("width")["gap"].mean()
    first = [width for width in ahead.index if (ahead[ahead.index >= width] > 0).all()]
    lead = 100 * ahead[ahead.index >= first[0]] if first else ahead
    leads = f"from width {first[0]} on, by {lead.min():.0f} to {lead.max():.0f} points" if first else "at no width"
    return figure(
        chart,
        title=f"In the mean of the seeds the direction leads the best random one {leads}",
        alt="Share of questions right at the best place and strength, by width of the model: the direction and the "
        "best of 20 random directions, one point a seed.",
        source=SOURCE,
        n=f"{len(top)} models",
        rows=top,
        name="beyond-random",
    )


def tones(rows: pd.DataFrame, *, registers: pd.DataFrame) -> Figure:
    """Share right in each tone before and after steering (for `explore`: column direction).

    rows: from `tone_shares`, of one direction;  registers: `testbed_registers` of both, for the title.
    """
    words = {"before": "unsteered", "after": "steered", "random": "random directions, mean"}
    long = rows.melt(["tone", "direction"], list(words), var_name="what", value_name="share")
    long["what"] = long["what"].map(words)
    names = list(words.values())
    bars = rows.assign(what=words["after"])
    chart = forest(
        long,
        row_names("tone", rows["tone"].drop_duplicates(), limit=180),
        across("share", RIGHT, [0, 1], percent=True),
        colour=colours("what", dict(zip(names, (INK, BLUE, GREY), strict=True))),
        shape=shapes("what", dict(zip(names, ("circle", "triangle", "cross"), strict=True))),
        tooltip=["tone:N", "what:N", *rounded(".2f", "share")],
        rule=None,
        hollow=ALL,
        bars=bars,
        height=34,
    )
    calm = registers[registers["tone"].isin(["reference", "question"])]
    broken = calm["broken"].sum() / calm["right_before"].sum()
    myths = registers[registers["tone"] == "web, after three myths"]
    corrected = myths["corrected"].sum() / (myths["n"] - myths["right_before"]).sum()
    return figure(
        chart,
        title=f"In reliable registers steering breaks {broken:.0%} of the right answers; after three myths it corrects "
        f"{corrected:.0%}",
        alt="One row a tone of the prompt: the share of questions right unsteered, steered with its interval, and "
        "under random directions of the same length.",
        source=SOURCE,
        n=f"{registers['model'].nunique()} models, {int(registers.groupby(['tone', 'contrast'])['n'].sum().max())} "
        "questions a tone",
        rows=rows,
        name="tones",
        caption="Rows: the text in which a question stands. Reference and question are the two reliable registers.",
    )


def tone_shares(registers: pd.DataFrame) -> pd.DataFrame:
    """One row a tone and direction: shares right before, after (with 95 % limits, clustered by model) and random.

    registers: `testbed_registers`.  Shares 0-1.
    """
    rows = []
    for (direction, tone), part in registers.groupby(["contrast", "tone"], sort=False):
        hits = np.concatenate([np.arange(n) < k for n, k in zip(part["n"], part["right_after"], strict=True)])
        made = wilson_clustered(hits, np.repeat(part["model"].to_numpy(), part["n"]))
        rows.append(
            {"direction": WORDS[str(direction)], "tone": tone, "before": part["right_before"].sum() / part["n"].sum(),
             "after": made.estimate, "low": made.low, "high": made.high, "n": int(part["n"].sum()),
             "random": float(np.average(part["controls"], weights=part["n"])), "models": len(part)}
        )  # fmt: skip
    return pd.DataFrame(rows)
