"""Figures of chapters 3 to 5: made worlds and width, what was measured inside the models, and steering."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import ALL, across, band, colours, dots, forest, line_at, row_names, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY, GRID, INK, PALETTE, PAPER, PURPLE, TWO_SIDES
from cape_lib.story.answer import capital, listed, of, times
from cape_lib.story.levers import CHANCE, beyond, corpora_that_dip, sure_changes
from cape_lib.story.mechanism import FLAT, KINDS, UNDEFINED, differ, twin_gap
from cape_lib.story.steering import AFTER_MYTHS, RELIABLE, WANTED, WORDS, lead_over_random, verdicts

TESTBED = "[testbed](../book/data.html#testbed), models trained for this book"
CORPORA = {"D": "most web authors believe the myths", "K": "one in five believes them"}
RIGHT = "right answers to contested questions"
GUESS = "Dashed: what a guess gives."
#: The two twins of a probe -> their colour on every page.
TWINS = {"trained": BLUE, "untrained": GREY}
#: Where a direction is there to be found, and where none is -> in words, in the order of the rows
CASES = {
    "planted": "put there by hand",
    "learnt": "learnt",
    "null: below the dip": "none: model too narrow",
    "null: shuffled labels": "none: shuffled labels",
    "null: untrained": "none: untrained model",
}
QUESTIONS_RIGHT = "questions right"
#: The width of a point on an axis from -1 to 1, about.
POINT = 0.06
#: What the intervals of a coupling are.
CUT = "Bars: 95 %; they end at ±1, as a cosine does."


def _plane(widths: pd.Series) -> tuple[alt.X, alt.Y]:
    """The width of the models on a log scale, ticks where there are models, and the share right."""
    x = across("width", "width of the model", type="log", nice=False)
    return x.axis(values=sorted(set(widths)), grid=False), upright("truth", RIGHT, [0, 1], percent=True)


def by_width(rows: pd.DataFrame, kind: str, words: Mapping[str, str]) -> Any:
    """The share right against the width of the model: a point a seed, a line through the means of each kind.

    rows: columns width, truth (0-1) and `kind`;  words: kind -> colour.
    """
    axes, look = _plane(rows["width"]), forms.by(kind, words, marks=("circle", "square"))
    means = rows.groupby([kind, "width"])["truth"].mean().reset_index()
    guess, points = line_at(CHANCE, "y", dashed=True), dots(rows, *axes, size=45, filled=False, opacity=0.9, **look)
    return guess + trace(means, *axes, colour=look["colour"]) + points


def ladders(scores: pd.DataFrame, *, reliable: float | None = None) -> Figure:
    """Truth against width in the two corpora: a point a seed, a line through the means.

    scores: `testbed_scores`;  reliable: share of reliable text in both (0-1), for the caption.
    """
    rows = scores[scores["ladder"].isin(CORPORA)].assign(corpus=scores["ladder"].map(CORPORA))
    many, few = (rows[rows["ladder"] == ladder].groupby("width")["truth"].mean() for ladder in CORPORA)
    title = (
        f"Right answers fall to {many.min():.0%} at width {many.idxmin()} and rise to {many.iloc[-1]:.0%} at "
        f"width {many.index[-1]}; with few believers the lowest mean of {len(few)} widths is {few.min():.0%}"
    )
    n = f"{len(rows)} models, {rows['seed'].nunique()} seeds"
    caption = f"Line: mean over seeds. {GUESS}" + (
        f" Reliable text: {reliable:.0%} in both corpora." if reliable else ""
    )
    chart = by_width(rows, "corpus", {CORPORA["D"]: AMBER, CORPORA["K"]: BLUE})
    return figure(chart, "made-ladders", title, TESTBED, n, caption, rows=rows)


def loss_and_truth(scores: pd.DataFrame) -> Figure:
    """Loss against width beside truth against width, ladder D, a line a seed."""
    rows = scores[scores["ladder"] == "D"].assign(seed=scores["seed"].astype(str))
    look: dict[str, Any] = {"colour": alt.Color("seed:N", scale=alt.Scale(range=PALETTE[:3])), "point": True}
    x, truth = _plane(rows["width"])
    loss = upright("loss", "loss (nats a token)", zero=False)
    steps = rows.sort_values(["seed", "width"]).groupby("seed")["loss"].diff().dropna()
    down, most = int((steps < 0).sum()), steps.max()
    rise = "" if down == len(steps) else f" (it rises by at most {most:.3f} nats)"
    title = f"The loss falls in {down} of {len(steps)} steps{rise}; the right answers fall and rise"
    charts = [trace(rows, x, y, **look) for y in (loss, truth.title("right answers"))]
    return figure(charts, "loss-through-the-dip", title, TESTBED, f"{len(rows)} models", rows=rows)


def dip_grid(rows: pd.DataFrame, *, grid: pd.DataFrame) -> Figure:
    """Truth against width, a line for each share of reliable text (for `explore`: the share of believers).

    rows: `testbed_grid` of one share of believers;  grid: of all, for the title.
    """
    order = [f"{100 * share:.0f} %" for share in sorted(set(grid["ref"]))]
    shown = rows.assign(share_of=(100 * rows["ref"]).map("{:.0f} %".format))
    corpora = corpora_that_dip(grid)
    below = corpora[corpora["surely"]]
    title = (
        f"In {len(below)} of {len(corpora)} corpora some width is surely below chance, corrected for {len(grid)} models"
    )
    if len(below):
        title += f", in none with fewer than {below['believers'].min():.0%} believers"
    axes = _plane(grid["width"])
    colour = colours("share_of", order, (AMBER, PURPLE, BLUE, INK), title="reliable text")
    chart = line_at(CHANCE, "y", dashed=True) + trace(shown, *axes, colour=colour, tooltip="myth", point=True)
    return figure(chart, "dip-grid", title, TESTBED, f"{len(grid)} models, one seed each", GUESS, rows=shown)


def fixed_parameters(rows: pd.DataFrame, *, doublings: pd.DataFrame) -> Figure:
    """Truth against width at a fixed number of parameters, a point a seed.

    rows: `testbed_grid`, that experiment;  doublings: of the width, `testbed.doublings`.
    """
    shown = rows.assign(budget=(rows["parameters"] / 1000).round().astype(int).astype(str) + " thousand parameters")
    words = dict(zip(sorted(shown["budget"].unique()), TWO_SIDES, strict=True))
    more, fewer = sure_changes(doublings)
    moved = doublings[more | fewer].to_dict("records")
    each = listed(f"{one['narrow']} to {one['wide']} {100 * one['estimate']:+.0f} points" for one in moved)
    title = f"At one number of parameters {of(more | fewer)} doublings of the width surely move the right answers"
    title += f": {each}" if moved else ""
    n = f"{len(rows)} models, {shown['seed'].nunique()} seeds"
    return figure(by_width(shown, "budget", words), "fixed-parameters", title, TESTBED, n, GUESS, rows=shown)


def width_and_null(
    table: pd.DataFrame, *, own: str, source: str, title: str = "", name: str = "width-and-null"
) -> Figure:
    """Each ladder's r before and after division by width, on top of what shuffled scores give after the same division.

    table: `levers.width_by_ladder` (for `explore`: with a column `power`);  own: the ladder to name first.
    """
    order = [own, *[name for name in table["ladder"].drop_duplicates() if name != own]]
    names = {"r": "as they are", "r_normalised": "divided by width"}
    points = table.melt([name for name in ("ladder", "n", "power") if name in table], list(names), "scores", "value")
    points["scores"] = points["scores"].map(names)
    null = table.assign(scores="shuffled, then divided", low=table["null_low"], high=table["null_high"])
    words = {"as they are": PAPER, "divided by width": BLUE, "shuffled, then divided": GREY}
    look = forms.by("scores", words, marks=("circle", "circle", "square"))
    edge: Any = forms.colours("scores", list(words), (BLUE, BLUE, GREY)).to_dict()
    # what lies on each other in a row, as it is and divided, stands one above the other
    look["offset"] = alt.YOffset("scores:N", sort=list(names.values()), scale=alt.Scale(domain=list(names.values())))
    y, x = row_names("ladder", order), across("value", "correlation r", [-1, 1])
    grey = {"colour": look["colour"], "height": 20, "opacity": 0.55}
    bars = forms.bars(null, forms.same_axis(x, "low"), y, x2="high:Q", **grey)
    above, outside = beyond(table), table.loc[table["r_normalised"] > table["null_high"], "ladder"]
    alone = outside[~outside.isin(above)]
    shown = f"{len(above)} of {len(table)} families are shown to lie above shuffled scores after the same division"
    shown += f" ({listed(above)})" if len(above) else ""
    return figure(
        bars
        + line_at(0, "x")
        + dots(points, x, y, **look, size=70, strokeWidth=1.5).encode(stroke=alt.Stroke.from_dict(edge)),
        name,
        title or shown + (f"; {listed(alone)} only before correcting for {len(table)} looks" if len(alone) else ""),
        source,
        f"{len(table)} families",
        "Hollow: r of the scores. Filled: after division by width. Grey: 95 % of shuffled scores after it.",
        rows=table,
        height=30 * len(order),
    )


def layers(table: pd.DataFrame) -> Figure:
    """Coupling by depth of every model run with layers.  table: `tables.load("layer_coupling")`."""
    rows = table.round({"relative_depth": 3, "coupling": 5}).assign(kind=table["measure_id"].map(KINDS))
    rows = rows[["model", "layer", "relative_depth", "coupling", "kind"]]
    spans = table.groupby(["measure_id", "model"])["coupling"].agg(["min", "max"])
    still = spans[spans["max"] - spans["min"] < FLAT]
    low, high = still["min"].min(), still["max"].max()
    together = len(still) > 1 and high - low < 0.05
    one_band = f"The band at {(low + high) / 2:.2f} is {len(still)} flat lines on one another." if together else ""
    kinds = table.loc[table["measure"].str.contains(UNDEFINED), "measure_id"].map(KINDS)
    names = kinds.str.split(",").str[0].drop_duplicates()
    unknown = f"What \u201c{listed(names)}\u201d measures was not published." if len(names) else ""
    axes = across("relative_depth", "depth (0 first layer, 1 last)"), upright("coupling", "coupling")
    kind = colours("kind", rows["kind"].drop_duplicates())
    return figure(
        trace(rows, *axes, detail="model:N", colour=kind, tooltip="layer"),
        "coupling-by-layer",
        f"{len(still)} of {len(spans)} runs give one and the same number at every layer",
        "[layer couplings](../book/data.html#other-tables), as released",
        f"{len(spans)} model runs",
        " ".join(part for part in (one_band, unknown) if part),
        rows=rows,
    )


def twins(rows: pd.DataFrame, *, probed: pd.DataFrame, name: str = "probe-twins") -> Figure:
    """Coupling by block, trained and untrained (for `explore`: column models).

    rows: `testbed_probes` of a few models;  probed: of all that can be chosen, for the title.
    """
    shown = rows.assign(place=rows["model"] + ", block " + rows["layer"].astype(str))
    x = across("coupling", "coupling of reasoning and truthfulness", [-1, 1]).axis(values=[-1, -0.5, 0, 0.5, 1])
    look = forms.by("weights", TWINS, marks=("circle", "square"))
    chart = forest(shown, "place", x, **look, apart="weights", tooltip="q raw dimension")
    places = shown.groupby("models")["place"].nunique().max() if "models" in shown else shown["place"].nunique()
    gap = twin_gap(probed)
    models = gap["model"].nunique()
    n = f"{len(gap)} blocks" + (f" of {models} models, of which the chart shows a choice" if models > 1 else "")
    hidden = " Where none shows, it is shorter than its point." if (shown["high"] - shown["low"]).min() < POINT else ""
    names = " D: the made world of chapter 3, R: a second one; d: width, s: seed." if models > 1 else ""
    title, height = capital(differ(gap)), 44 * int(places)
    return figure(chart, name, title, TESTBED, n, f"{CUT}{hidden}{names}", rows=shown, height=height)


def along_depth(rows: pd.DataFrame) -> Figure:
    """Coupling by block of a model read elsewhere, trained with a band, untrained with bars.  rows: `model_probes`."""
    shown, gap = rows[["model", "weights", "layer", "coupling", "low", "high"]], twin_gap(rows)
    x = across("layer", "block", [0, rows["layer"].max()], nice=False)
    y = upright("coupling", "coupling", [forms.low_end(rows["low"]), 1])
    look: dict[str, Any] = {"colour": colours("weights", TWINS), "point": True}
    trained, untrained = (shown[shown["weights"] == weights] for weights in TWINS)
    chart = band(trained, x, y, opacity=0.3, **look) + band(untrained, x, y, opacity=0.6, bars=True, **look)
    models = rows["model"].unique()
    fall = (gap["trained"] - gap["untrained"]).sort_values()
    lower, worst = int((fall < 0).sum()), gap.loc[fall.index[0]]
    caption = CUT.replace("Bars", "Band and bars")
    if lower:
        caption += (
            f" Trained lies lower in {times(lower, 'block')}, most in block {worst['layer']} "
            f"({worst['trained']:.2f} against {worst['untrained']:.2f})."
        )
    if bits := re.search(r"\bq\d", " ".join(models)):
        caption += f" {bits[0]}: weights compressed to about {bits[0][1:]} bits."
    title, n = f"In a real model {differ(gap)}", f"{len(gap)} blocks of {', '.join(models)}"
    source = "[probes of real models](../book/data.html#other-tables), run for this book"
    return figure(chart, "probe-real", title, source, n, caption, rows=shown, height=240)


def needed(rows: pd.DataFrame) -> Figure:
    """Half width of the interval against the number of questions answered wrong before; rows: `precision`."""
    x, y = across("items", "questions answered wrong before"), upright("half", "half of the 95 % interval (points)")
    ten = line_at(10, "x").mark_rule(color=GRID, strokeWidth=6)
    chart = ten + line_at(WANTED, "y", dashed=True) + trace(rows, x, y, colour=alt.value(BLUE))
    at_ten = rows.loc[rows["items"] == 10, "half"].max()
    title = f"At a true share of {rows['share'].iloc[0]:.0%}, ten prompts leave it open by ±{at_ten:.0f} points"
    return figure(chart, "steering-precision", title, "Wilson's interval, no data", "a formula, no data", rows=rows)


def cases(trials: pd.DataFrame) -> Figure:
    """Every run of the protocol: share right under the direction and its best control.  trials: `testbed_trials`."""
    # only what is learnt was tried with several directions
    several, case = trials["case"] == "learnt", trials["case"].map(CASES)
    rows = trials.assign(
        row=case.where(~several, case + ", " + trials["contrast"].map(WORDS)),
        rank=trials["case"].map(list(CASES).index),
    )
    rows = rows.sort_values(["right_after", "best_control"], ascending=False)
    rows["line"] = rows.groupby("row").cumcount() / (rows.groupby("row")["row"].transform("size") - 1)
    words = {"right_after": "the direction", "best_control": "the best of its controls"}
    long = rows.drop(columns="trial").rename(columns=words)
    long = long.melt(["model", "row", "split", "p", "effect", "line"], list(words.values()), "what", "share")
    y = row_names("row", rows.sort_values(["rank", "contrast"])["row"].drop_duplicates())
    x = across("share", "test questions right after steering", [0, 1], percent=True)
    apart = alt.YOffset("line:Q", scale=alt.Scale(domain=[-0.15, 1.15]))
    look = forms.by("what", words.values(), (BLUE, GREY), ("circle", "cross"))
    joined = alt.Chart(rows).mark_rule(color=GREY, opacity=0.7)
    joined = joined.encode(x=forms.same_axis(x, "best_control"), x2="right_after:Q", y=y, yOffset=apart)
    chart = joined + dots(
        long.sort_values("what", kind="stable"),  # the direction lies on top of its controls
        x,
        y,
        **look,
        offset=apart,
        tooltip="split p effect",
        size=22,
    )
    planted = trials.loc[trials["case"] == "planted", "effect"]
    caption = (
        "A line a run joins the two. "
        f"{f'Put there by hand: an effect in {of(planted)} runs. ' if len(planted) else ''}"
        "Register: from reliable minus web text. Context: after three truths minus after three myths. "
        "Statement: true minus false. Shuffled labels: the model has learnt, and only the labels are mixed; so the "
        "luckiest of many controls can come upon the direction that the mixed labels hide."
    )
    chart, n = chart.properties(height=36 * rows["row"].nunique()), f"{len(trials)} runs"
    return figure(chart, "protocol-cases", verdicts(trials), TESTBED, n, caption, rows=trials)


def dose_response(rows: pd.DataFrame, *, surface: pd.DataFrame) -> Figure:
    """Share right by strength beside isotropic controls, and the cost on other text (for `explore`: column layer).

    rows: `testbed_surface` of one place;  surface: of all places of that model, for the title.
    """
    shown = rows.assign(what="the direction", other="20 random directions")
    x = across("dose", "strength")
    right, least = (upright(column, QUESTIONS_RIGHT, [0, 1], percent=True) for column in ("right", "control_low"))
    random = alt.Chart(shown).mark_area(opacity=0.3)
    key = colours("other", {"20 random directions": GREY}, symbolType="square")
    random = random.encode(x=x, y=least, y2="control_high:Q", color=key)
    blue = colours("what", {"the direction": BLUE})
    look: dict[str, Any] = {"colour": blue, "point": True, "tooltip": "place control_high kl"}
    steered = band(shown, x, right, opacity=0.6, bars=True, **look)
    cost = upright("kl", "cost on stories (nats a token)", [0, surface["kl"].max()])
    first = lead_over_random(surface).sort_values("lead").iloc[-1]
    kind, model = surface[["contrast", "model"]].iloc[0]
    return figure(
        [
            alt.layer(random, steered).resolve_scale(color="independent"),
            trace(shown, x, cost, colour=alt.value(BLUE), tooltip="place right", point=True),
        ],
        "dose-response",
        f"The {WORDS[kind]} direction of {model} leads random ones most at {first['place']}: {first['right']:.0%} "
        f"against {first['control_high']:.0%}",
        TESTBED,
        f"{int(shown['n'].iloc[0])} questions",
        "Strength 1: one standard deviation of the texts along the direction. Grey: from the lowest to the highest of "
        "20 random directions; what these cost was not recorded. The axes hold for every place.",
        rows=shown,
    )


def tones(rows: pd.DataFrame, *, registers: pd.DataFrame) -> Figure:
    """Share right in each tone before and after steering (for `explore`: column direction).

    rows: from `tone_shares`, of one direction;  registers: `testbed_registers` of both, for the title.
    """
    words = {"before": "unsteered", "after": "steered", "random": "random directions, mean"}
    chart = forest(
        rows.rename(columns=words).melt(["tone", "direction"], list(words.values()), "what", "share"),
        row_names("tone", rows["tone"].drop_duplicates()),
        across("share", QUESTIONS_RIGHT, [0, 1], percent=True),
        apart="what",
        **forms.by("what", words.values(), (INK, BLUE, GREY), ("circle", "triangle", "cross")),
        hollow=ALL,
        bars=rows.assign(what=words["after"]),
    )
    chart = chart.properties(height=34 * rows["tone"].nunique())
    calm = registers[registers["tone"].isin(RELIABLE)]
    myths = registers[registers["tone"] == AFTER_MYTHS]
    each = myths.assign(wrong=myths["n"] - myths["right_before"]).groupby("contrast", sort=False)
    share = each["corrected"].sum() / each["wrong"].sum()
    corrects = [f"{value:.0%} as a {WORDS[str(one)]}" for one, value in share.items()]
    return figure(
        chart,
        "tones",
        f"In reliable registers steering breaks {calm['broken'].sum() / calm['right_before'].sum():.0%} of the right "
        f"answers; after three myths it corrects {' and '.join(corrects)} direction",
        TESTBED,
        f"{registers['model'].nunique()} models, {int(registers.groupby(['tone', 'contrast'])['n'].sum().max())} "
        "questions a row",
        "Rows: the text in which a question stands, and what stands before it. Reference and question are the two "
        "reliable registers.",
        rows=rows,
    )
