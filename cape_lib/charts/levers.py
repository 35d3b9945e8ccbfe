"""Figures of chapter 3: made worlds in which the dip can be moved; width and its null, curated data, architecture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.base.levers import minimum_curation
from cape_lib.charts.axes import SIZE_AXIS, across, colours, rounded, row_names, shapes, sides, size_scale, upright
from cape_lib.charts.forest import dots, forest, line_at, trace
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY, INK, PALETTE, PAPER, PURPLE, TWO_SIDES
from cape_lib.stats import Estimate

#: The largest size that the axis of equivalent scale shows (billions); beyond it stands an arrow.
EDGE, NEAR = 200.0, 0.07
SHORT = {"x": "same HellaSwag", "y": "same TruthfulQA", "residual": "same TruthfulQA for its HellaSwag"}
TESTBED = "[testbed](../book/data.html#testbed), models trained for this book"
CORPORA = {"D": "most web authors believe the myths", "K": "one in five believes them"}
RIGHT = "right answers to contested questions"
#: What guessing among four candidates gives.
CHANCE = 0.25
#: column of the grid -> what its lines are called, and what its share is a share of
GRID_LINES = {"ref": ("reliable text", "of reliable text"), "believers": ("believers", "of believers")}


def width_axis(widths: Iterable[int]) -> alt.X:
    """The width of the models on a log scale, ticks where there are models."""
    ticks = alt.Axis(values=sorted(set(widths)), grid=False)
    return alt.X("width:Q", title="width of the model", axis=ticks, scale=alt.Scale(type="log", nice=False))


def by_width(
    rows: pd.DataFrame, share: str, kind: str, words: Mapping[str, str], title: str, tooltip: list[Any]
) -> Any:
    """A share against the width of the model: a point a seed, a line through the means of each kind.

    rows: columns width, `share` (0-1) and `kind`;  words: kind -> colour;  title: of the share.
    """
    x, y, colour = width_axis(rows["width"]), upright(share, title, [0, 1], percent=True), colours(kind, words)
    means = rows.groupby([kind, "width"])[share].mean().reset_index()
    points = alt.Chart(rows).mark_point(size=45, opacity=0.9)
    points = points.encode(x=x, y=y, color=colour, shape=shapes(kind, words.keys(), ("circle", "square")))
    return alt.layer(trace(means, x, y, colour=colour), points.encode(tooltip=tooltip))


def ladders(scores: pd.DataFrame) -> Figure:
    """Truth against width in the two corpora: a point a seed, a line through the means.  scores: `testbed_scores`."""
    rows = scores[scores["ladder"].isin(CORPORA)].assign(corpus=scores["ladder"].map(CORPORA))
    many, few = (rows[rows["ladder"] == ladder].groupby("width")["truth"].mean() for ladder in CORPORA)
    shade = {CORPORA["D"]: AMBER, CORPORA["K"]: BLUE}
    return figure(
        by_width(rows, "truth", "corpus", shade, RIGHT, ["name:N", *rounded(".2f", "truth"), "parameters:Q"]),
        title=f"Right answers fall to {many.min():.0%} at width {many.idxmin()} and rise to {many.iloc[-1]:.0%} at "
        f"width {many.index[-1]}; with few believers {len(few)} widths have {few.min():.0%} or more",
        alt="Share of right answers against the width of the model, one point a seed. With mostly believing authors it "
        "falls and rises again; with few believers it stays high.",
        source=TESTBED,
        n=f"{len(rows)} models",
        rows=rows,
        name="made-ladders",
    )


def loss_and_truth(scores: pd.DataFrame) -> Figure:
    """Loss against width beside truth against width, ladder D, a line a seed."""
    rows = scores[scores["ladder"] == "D"].assign(seed=scores["seed"].astype(str))
    seed, x = alt.Color("seed:N", scale=alt.Scale(range=PALETTE[:3])), width_axis(rows["width"])
    loss = alt.Y("loss:Q", title="loss (nats a token)", scale=alt.Scale(zero=False))
    truth = upright("truth", "right answers", [0, 1], percent=True)
    steps = rows.sort_values(["seed", "width"]).groupby("seed")["loss"].diff().dropna()
    down, most = int((steps < 0).sum()), float(steps.max())
    rise = "" if down == len(steps) else f" (it rises by at most {most:.3f} nats)"
    return figure(
        [
            trace(rows, x, loss, colour=seed, tooltip=["name:N", *rounded(".3f", "loss")], point=True),
            trace(rows, x, truth, colour=seed, tooltip=["name:N", *rounded(".2f", "truth")], point=True),
        ],
        title=f"The loss falls in {down} of {len(steps)} steps{rise}; the right answers fall and rise",
        alt="Two panels by width, a line a seed: the loss falls and levels off, the right answers fall and rise.",
        source=TESTBED,
        n=f"{len(rows)} models",
        rows=rows,
        name="loss-through-the-dip",
    )


def corpora_that_dip(grid: pd.DataFrame) -> pd.DataFrame:
    """One row a corpus (believers, ref): lowest and highest share right over the widths, and the width of the lowest.

    grid: the curation rows of `testbed_grid`.
    """
    cells = grid.sort_values("truth").groupby(["believers", "ref"], as_index=False)
    rows = cells.agg(lowest=("truth", "first"), at=("width", "first"), highest=("truth", "last"))
    return rows.assign(below_chance=rows["lowest"] < CHANCE)


def dip_reading(cell: pd.DataFrame, *, lines: str = "ref") -> str:
    """What one setting of the slider shows, in a sentence.

    cell: the rows of one share of believers, or of one share of reliable text where `lines` is "believers".
    """
    corpora = corpora_that_dip(cell)
    below = corpora[corpora["below_chance"]]
    if not len(below):
        return f"No width falls below chance ({CHANCE:.0%}); the lowest share is {corpora['lowest'].min():.0%}."
    worst = below.sort_values("lowest").iloc[0]
    *most, last = [f"{share:.0%}" for share in below[lines]]
    shares = f"{', '.join(most)} and {last}" if most else last
    return (
        f"Below chance ({CHANCE:.0%}) with {shares} {GRID_LINES[lines][1]}; lowest at width {worst['at']}: "
        f"{worst['lowest']:.0%} right."
    )


def dip_grid(rows: pd.DataFrame, *, grid: pd.DataFrame, lines: str = "ref") -> Figure:
    """Truth against width, a line for each share of reliable text or of believers (for `explore`: the other share).

    rows: `testbed_grid` of one share of believers, of one share of reliable text where `lines` is "believers";  grid:
    of all, for the title.
    """
    word, shown = GRID_LINES[lines][0], rows.assign(share_of=rows[lines].map("{:.0%}".format).str.replace("%", " %"))
    order = [f"{share:.0%}".replace("%", " %") for share in sorted(set(grid[lines]))]
    corpora = corpora_that_dip(grid)
    below = corpora[corpora["below_chance"]]
    title = f"In {len(below)} of {len(corpora)} corpora some width falls below chance"
    if len(below):
        title += f", in none with fewer than {below['believers'].min():.0%} believers"
    return figure(
        alt.layer(
            line_at(CHANCE, "y", dashed=True),
            trace(
                shown,
                width_axis(grid["width"]),
                upright("truth", RIGHT, [0, 1], percent=True),
                colour=colours("share_of", order, (AMBER, PURPLE, BLUE, INK), title=word),
                tooltip=["width:Q", "believers:Q", "ref:Q", *rounded(".2f", "truth", "myth")],
                point=True,
            ),
        ),
        title=title,
        alt=f"Share of right answers against width, one line for each share of {word}, and a dashed rule at the "
        f"25 % of a guess; the slider sets the share of "
        + ("authors who believe the myths." if lines == "ref" else "reliable text."),
        source=TESTBED,
        n=f"{len(grid)} models, one seed each",
        rows=shown,
        name="dip-grid" if lines == "ref" else "dip-grid-reliable",
    )


def fixed_parameters(rows: pd.DataFrame, *, trend: Estimate) -> Figure:
    """Truth against width at a fixed number of parameters, a point a seed.

    rows: `testbed_grid`, that experiment;  trend: change of the share right a doubling of the width.
    """
    shown = rows.assign(budget=(rows["parameters"] / 1000).round().astype(int).astype(str) + " thousand parameters")
    words = dict(zip(sorted(shown["budget"].unique()), TWO_SIDES, strict=True))
    tooltip = ["name:N", "width:Q", "feed_forward:Q", "parameters:Q", *rounded(".2f", "truth")]
    gain = f"{100 * trend.estimate:+.0f} points a doubling [{100 * trend.low:+.0f}, {100 * trend.high:+.0f}]"
    if trend.low > 0 or trend.high < 0:
        title = f"At one number of parameters the right answers still move with the width: {gain}"
    else:
        title = f"At one number of parameters no trend with the width is sure: {gain}"
    return figure(
        by_width(shown, "truth", "budget", words, RIGHT, tooltip),
        title=title,
        alt="Share of right answers against width at two fixed numbers of parameters, one point a seed, lines through "
        "the means.",
        source=TESTBED,
        n=f"{len(rows)} models, {shown['seed'].nunique()} seeds",
        rows=shown,
        name="fixed-parameters",
    )


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
    place, x = row_names("ladder", order, limit=160), across("value", "correlation r", [-1, 1])
    shade = colours("scores", words, symbolStrokeColor=BLUE)
    bars = alt.Chart(null).mark_bar(height=14, opacity=0.55)
    bars = bars.encode(x=across("low", "correlation r", [-1, 1]), x2="high:Q", y=place, color=shade)
    tooltip = ["ladder:N", "scores:N", *rounded(".3f", "value"), "n:Q"]
    inside = int(((table["r_normalised"] >= table["null_low"]) & (table["r_normalised"] <= table["null_high"])).sum())
    return figure(
        alt.layer(
            bars.encode(tooltip=["ladder:N", *rounded(".2f", "low", "high")]),
            line_at(0, "x"),
            dots(points, x, place, colour=shade, tooltip=tooltip, size=70, stroke=BLUE, strokeWidth=1.5),
        ).properties(height=30 * len(order)),
        title=title or f"{inside} of {len(table)} families lie where shuffled scores lie after the same division",
        alt="For each family a hollow point for r of the scores, a filled one for r after division by width, and a "
        "grey bar for 95 % of r of shuffled scores after the same division.",
        source=source,
        n=f"{len(table)} families",
        rows=table,
        name=name,
    )


def equivalents(table: pd.DataFrame, *, source: str) -> Figure:
    """The web-trained size with which each curated model is level, by three readings, beside its own size.

    table: `levers.equivalent_scale` of several readings, column `reading`.
    """
    rows = table.assign(
        reading=table["reading"].map(SHORT),
        shown=table["equivalent_b"].clip(upper=EDGE),
        end=np.where(np.isinf(table["equivalent_b"]), "not reached", "reached"),
    )
    place, offset = row_names("model", limit=140), sides("reading", SHORT.values())
    scale = alt.Scale(type="log", domain=[NEAR, EDGE])
    worth = forest(
        rows,
        place,
        alt.X("shown:Q", scale=scale, axis=SIZE_AXIS),
        colour=colours("reading", SHORT.values(), columns=1, labelLimit=280),
        shape=shapes("end", {"reached": "circle", "not reached": "triangle-right"}).legend(None),
        offset=offset,
        tooltip=["model:N", "reading:N", *rounded(".3g", "params_b", "equivalent_b", "low", "high")],
        rule=None,
        height=60,
    )
    own = alt.Chart(rows).mark_tick(color=INK, thickness=2, height=16)
    own = own.encode(x=alt.X("params_b:Q", scale=scale, axis=SIZE_AXIS), y=place, yOffset=offset)
    beyond = int(np.isinf(table["equivalent_b"]).sum())
    return figure(
        alt.layer(own, worth),
        title=f"What a curated model is worth in scale depends on the reading; {beyond} of {len(rows)} give no size",
        alt="For each curated model three points with intervals: the web-trained size with the same HellaSwag, with "
        "the same TruthfulQA, and with the same TruthfulQA for its HellaSwag. A tick marks its own size; a triangle at "
        "the right edge means that no web-trained size of the panel gets there.",
        source=source,
        n=f"{rows['model'].nunique()} models",
        rows=table,
        name="equivalent-scale",
    )


def curation_curve(params_b: np.ndarray, *, critical_b: float) -> pd.DataFrame:
    """The papers' minimum curation in percent at each size (billions), for one critical size."""
    share = [100 * minimum_curation(float(size), critical_b=critical_b) for size in params_b]
    table = pd.DataFrame({"params_b": params_b, "percent": share})
    at = {size: 100 * minimum_curation(size, critical_b=critical_b) for size in (1.0, 3.0)}
    asked = " and ".join(f"{share:.0f} % at {size:g} B" for size, share in at.items())
    table.attrs["reading"] = f"With N_c = {critical_b:g} B the formula asks for {asked}."
    return table


def minimum_curations(rows: pd.DataFrame) -> Figure:
    """The curve of `curation_curve` for one critical size, or for several (for `explore`: column critical)."""
    x, y = size_scale("params_b", low=0.1, high=20), upright("percent", "curated share asked for (%)", [0, 100])
    return figure(
        trace(rows, x, y, colour=alt.value(BLUE), tooltip=[*rounded(".2f", "params_b"), *rounded(".0f", "percent")]),
        title="The formula hangs on a critical size that is itself uncertain",
        alt="Percent of curated data that the formula asks for, falling from near 100 at small sizes to zero at the "
        "critical size, which the slider sets.",
        source="formula of paper A",
        n="a formula, no data",
        rows=rows,
        name="minimum-curation",
    )


def generations(pairs: pd.DataFrame, *, source: str) -> Figure:
    """Two Qwen generations at nearest sizes, one line a pair, each kind of measurement by itself.

    pairs: `levers.generation_pairs`.
    """
    kinds = pairs["measure_id"].map({"per_head": "per head", "hidden_state": "hidden state"})
    # the legend names the generations, so the row names the sizes
    older, newer = (pairs[name].str.split("-", n=1).str[1] for name in ("older", "newer"))
    rows = pairs.assign(
        pair=older + " to " + newer + ", " + kinds, low=pairs["older_coupling"], high=pairs["newer_coupling"]
    )
    rows = rows.sort_values(["measure_id", "newer_b"], ascending=[False, True])
    long = rows.melt(["pair"], ["older_coupling", "newer_coupling"], "which", "coupling")
    long["which"] = long["which"].map({"older_coupling": "Qwen2.5", "newer_coupling": "Qwen3"})
    heads = pairs[pairs["measure_id"] == "per_head"]
    changed = int((heads["difference"].abs() > 0.01).sum())
    return figure(
        forest(
            long,
            row_names("pair", rows["pair"]),
            across("coupling", "published internal coupling", [0, 1]),
            colour=colours("which", {"Qwen2.5": GREY, "Qwen3": BLUE}),
            tooltip=["pair:N", "which:N", *rounded(".3f", "coupling")],
            rule=None,
            hollow="datum.which === 'Qwen2.5'",
            bars=rows[["pair", "low", "high"]].assign(which="Qwen2.5"),
            height=30,
        ),
        title=f"Per head, {changed} of {len(heads)} pairs of generations differ; the other values are one and the same",
        alt="Pairs of one Qwen2.5 (hollow) and one Qwen3 model (filled) at nearest sizes. Per head all pairs but one "
        "coincide near 0.83; by hidden states the newer one of the pair at 7 and 8 billion is higher.",
        source=source,
        n=f"{len(pairs)} pairs",
        rows=pairs,
        name="qwen-generations",
    )


def architecture(rows: pd.DataFrame, *, source: str) -> Figure:
    """Every internal coupling of one family, tuned models hollow.  rows: `levers.architecture_rows`."""
    shown = rows.assign(kind=np.where(rows["tuned"], "instruction-tuned", "base"))
    best = shown.iloc[0]
    return figure(
        forest(
            shown,
            row_names("model", shown.sort_values("net_coupling", ascending=False)["model"].drop_duplicates()),
            across("net_coupling", "published internal coupling", [0.7, 1]),
            colour=colours("kind", {"base": BLUE, "instruction-tuned": GREY}),
            tooltip=["model:N", "measure_id:N", *rounded(".3f", "net_coupling"), "note:N"],
            rule=None,
            hollow="datum.tuned",
            height=28,
        ),
        title=f"The highest published value, {best['net_coupling']:.3f}, is that of {best['model']}",
        alt="One point a model: published internal coupling of Gemma 3 and Gemma 4; instruction-tuned ones hollow.",
        source=source,
        n=f"{len(shown)} models",
        rows=rows,
        name="gemma-couplings",
    )
