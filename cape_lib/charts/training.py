"""Figures of chapter 10: two scores along training, beside those of strangers."""

from __future__ import annotations

import altair as alt
import pandas as pd

from cape_lib.base.training import STEREOTYPE
from cape_lib.charts import forms
from cape_lib.charts.forms import across, band, colours, forest, low_end, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import AMBER, BLUE, MUTED
from cape_lib.stats import Z95
from cape_lib.story.answer import listed
from cape_lib.story.training import low_ticks
from cape_lib.tables import label

SOURCE = "[sixteen Pythia runs](../book/data.html#along-training), EleutherAI"
TOKENS = across("tokens_b", "training tokens (billions, log scale)", type="log", nice=False, padding=8)
TOKENS = TOKENS.axis(values=[3, 10, 30, 100, 300])


def courses(rows: pd.DataFrame, model: str, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000) -> Figure:
    """The two scores of one run along its training, one panel above the other, with bars of the harness's noise."""
    part = rows[(rows["model"] == model) & (rows["step"] >= from_step)]
    charts = []
    for column, colour in ((x, BLUE), (y, AMBER)):
        reach = Z95 * part[f"{column}_stderr"]
        one = part[["tokens_b"]].assign(score=part[column], low=part[column] - reach, high=part[column] + reach)
        score = forms.score("score", column)
        charts.append(band(one, TOKENS, score, colour=alt.value(colour), point=40, opacity=0.45, bars=True))
    r = float(part[x].corr(part[y]))
    title = f"{model}: {label(x)} and {label(y)} rise together, r = {r:.2f}" if r > 0 else f"{model}: r = {r:.2f}"
    caption = "Bars: 95 %, the harness's standard error."
    if STEREOTYPE in (x, y):
        caption += " CrowS-Pairs: 50 is no preference; its validity is disputed."
    offered, n = part[["model", "step", "tokens_b", x, y]], f"{len(part)} checkpoints of one run"
    return figure(charts, "courses", title, SOURCE, n, caption, rows=offered, height=190)


def own_and_others(
    pairs: pd.DataFrame, rows: pd.DataFrame, *, x: str, y: str = STEREOTYPE, from_step: int = 1_000
) -> Figure:
    """r of each run's x with its own y (filled) and with the y of each other run (ticks).

    pairs: `training.crossed` of the rows from that step on.
    """
    shown, own = pairs.round(3)[["x_model", "y_model", "r", "own"]], pairs["own"]
    up = forms.row_names("x_model", dict.fromkeys(pairs["x_model"]))
    r = across("r", f"r({label(x)}, {label(y)})", [low_end(pairs["r"]), 1])
    median = pairs.groupby("own")["r"].median()
    lead = median[True] - median[False]
    reads = "about as" if abs(lead) < 0.1 else "less than" if lead > 0 else "more than"
    others = alt.Chart(shown[~own]).mark_tick(color=MUTED, thickness=1.5, opacity=0.7)
    others = others.encode(x=r, y=up, tooltip=forms.tips(shown, "", r, up))
    title = (
        f"A run goes with another's {label(y)} (median {median[False]:.2f}) {reads} with its own ({median[True]:.2f})"
    )
    caption = f"Filled: a run with itself. Ticks: its {label(x)} with {label(y)} of each other run."
    caption += low_ticks(rows[rows["step"] >= from_step], pairs, y)
    chart = alt.layer(others, forest(shown[own], up, r, colour=alt.value(BLUE)))
    n = f"{pairs['x_model'].nunique()} runs, from step {from_step:,}"
    return figure(chart, "own-and-others", title, SOURCE, n, caption, rows=pairs)


def by_start(table: pd.DataFrame, *, x: str, y: str = STEREOTYPE) -> Figure:
    """r within each run, of levels and of changes; further columns allowed (for `explore`)."""
    median = table.groupby("what")["r"].median()
    start = f" from step {int(table['step'].iloc[0]):,} on" if "step" in table else ""
    look = forms.by("what", {"levels": BLUE, "changes": AMBER}, marks=("circle", "diamond"))
    chart = forest(table.round(3), "model", across("r", f"r({label(x)}, {label(y)})", [-1, 1]), **look)
    title = f"r within a run{start}: median {median['levels']:.2f} of levels, {median['changes']:.2f} of changes"
    caption = "Levels: the scores. Changes: their differences from checkpoint to checkpoint."
    return figure(chart, "by-start", title, SOURCE, f"{table['model'].nunique()} runs", caption)


def by_size(table: pd.DataFrame) -> Figure:
    """r over the eight sizes at each moment of training, both corpora; table: `training.by_size`."""
    table = table.dropna().query("step >= 1000")
    table = table.assign(corpus=table["deduplicated"].map({True: "without repeats", False: "as collected"}))
    words = ["as collected", "without repeats"]
    dashes = alt.StrokeDash("corpus:N", scale=alt.Scale(domain=words, range=[[1, 0], [4, 3]]), title=None)
    r, colour = upright("r", "r over the sizes", [low_end(table["r"]), 1]), colours("corpus", words, (BLUE, AMBER))
    last = table[table["step"] == table["step"].max()]
    more = "larger runs have more of both" if last["r"].min() > 0 else "over the sizes"
    ends = listed(f"{r:.2f} {corpus}" for r, corpus in zip(last["r"], last["corpus"], strict=True))
    title = f"At equal tokens {more}: at the end r = {ends}"
    chart, n = trace(table, TOKENS, r, colour=colour, dash=dashes, point=45), int(table["n"].max())
    return figure(chart, "by-size", title, SOURCE, f"{n} sizes at each checkpoint", rows=table)
