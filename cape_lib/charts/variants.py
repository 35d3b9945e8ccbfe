"""Figures of chapter 9: what models of today know and admit, by reasoning, size and thinking."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, colours, dots, named, trace, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import AMBER, BLUE, GREY, INK, PURPLE, SKY
from cape_lib.frontier import variants
from cape_lib.frontier.variants import ADMITS, DATA_END, KNOWS, MODES, REASONING, WRONG
from cape_lib.story.again import admit, called, of_models, thinking_sizes
from cape_lib.story.answer import pick, with_interval

SOURCE = f"[models of today](../book/data.html#one-lab), Artificial Analysis, to {DATA_END}"
GRADES = {"right": BLUE, "declined, empty or partial": "#B9C0C7", "wrong": AMBER}
#: makers with a colour here; the others are grey
MAKERS = {"OpenAI": BLUE, "Amazon": AMBER, "Google": PURPLE, "SpaceXAI": INK, "DeepSeek": SKY}


def shares_by_gpqa(rows: pd.DataFrame) -> Figure:
    """The three grades as shares of all questions, by steps of GPQA: mean over the variants of each step."""
    low = (rows[REASONING] // 10 * 10).astype(int)
    steps = rows.assign(step=low).groupby("step")[[KNOWS, "rest", WRONG]].agg("mean").set_axis(list(GRADES), axis=1)
    steps = steps.assign(variants=low.value_counts()).query("variants >= 5")
    steps.index = pd.Index([f"{step}-{step + 10}" for step in steps.index], name="gpqa")
    tidy = steps.reset_index().melt(["gpqa", "variants"], var_name="grade", value_name="share")
    tidy["order"] = tidy["grade"].map(list(GRADES).index)
    wrong, n = steps["wrong"], int(steps["variants"].sum())
    peak = wrong.idxmax() if wrong.iloc[-1] < wrong.iloc[0] else wrong.idxmin()
    shown = dict.fromkeys([steps.index[0], peak, steps.index[-1]])
    # A phone has room for the first edge alone.
    edge = "width < 420 ? split(datum.label, '-')[0] + 's' : datum.label"
    names = alt.Axis(labelAngle=0, labelOverlap=False, labelExpr=edge)
    x = alt.X("gpqa:N", sort=list(steps.index), title="GPQA Diamond (%)", axis=names)
    y, grade = upright("share", "share of all questions (%)", [0, 100]), colours("grade", GRADES)
    left_out = f"Steps with fewer than five variants are left out ({len(rows) - n} variants)."
    return figure(
        forms.bars(tidy, x, y, colour=grade, tooltip="variants", order="order:Q"),
        "shares-by-gpqa",
        f"Wrong answers: {', '.join(f'{wrong[step]:.0f} % at GPQA {step}' for step in shown)}",
        SOURCE,
        f"{n} variants",
        left_out if n < len(rows) else "",
        rows=tidy.drop(columns="order"),
        height=200,
    )


def measure_plane(rows: pd.DataFrame) -> Figure:
    """GPQA against one measure, every variant a point, with the least-squares line of the rows.

    rows: `measure_rows`; further columns allowed (for `explore`).
    """
    first = str(rows["measure"].iloc[0])
    here = rows[(rows["kind"] == "variant") & (rows["measure"] == first)]
    axes = across("gpqa", "GPQA Diamond (%)", [10, 100]), upright("value", "share (%)", [0, 100])
    look = forms.by("mode", MODES.values(), (BLUE, AMBER), ("circle", "triangle-up"))
    points = dots(rows, *axes, tooltip="maker", size=34, filled=False, strokeWidth=1.2, **look)
    line = trace(rows, *axes, tooltip=None, strokeWidth=2.5).transform_filter("datum.kind === 'line'")
    chart = points.transform_filter("datum.kind === 'variant'") + line
    r = variants.association(here, "value", x="gpqa", by="maker")
    link = pick(r, " go together at r =", " move apart at r =", ": no clear link, r =")
    title = f"GPQA and the {first}{link} {with_interval(r)}"
    caption = "Circles think before they answer, triangles do not. Variants of one model are several points."
    return figure(chart, "measure-plane", title, SOURCE, f"{len(here)} variants", caption, height=215)


def artefact(rows: pd.DataFrame, generation: str, *, ran_out: pd.DataFrame) -> Figure:
    """One family by size, thinking: GPQA against the share admitted, sizes that lose by thinking hollow.

    ran_out: `variants.truncation` of the rows.
    """
    part, left = thinking_sizes(rows, generation, ran_out=ran_out)
    flags = ran_out.loc[part.index]
    words = ["loses by thinking", "many tokens", "within bounds"]
    # the size as the model's name has it, else as it is
    written = part["weights"].str.extract(r"(?<![\w.])(\d+(?:\.\d+)?)b\b", expand=False)
    part = part.assign(
        size=written.fillna(part["params_b"].map("{:.3g}".format)) + " B",
        state=np.select([flags["loses"], flags["tokens"]], words[:2], words[2]),
        tokens=part["reasoning_tokens"].round(),
    )
    axes = across(REASONING, "GPQA Diamond (%)", [0, 100]), upright(ADMITS, "share admitted (%)", [0, 80])
    look = forms.by("state", words, (AMBER, SKY, BLUE), ("cross", "diamond", "circle"))
    shown, scores = part[["model", "size", "state", "tokens", REASONING, ADMITS]], [REASONING, ADMITS]
    names = named(part.loc[flags["loses"], ["size", *scores]], *axes, "size", height=180, around=[part[scores]])
    whole, rest = (float(table[REASONING].corr(table[ADMITS])) for table in (part, left))
    return figure(
        alt.layer(dots(shown, *axes, tooltip="tokens", size=110, **look), *names),
        "truncation",
        f"{generation}: r = {whole:.2f} over {len(part)} sizes, {rest:.2f} without those that lose by thinking",
        SOURCE,
        f"{len(part)} sizes of one family, thinking",
        "Loses by thinking: lower accuracy or GPQA than the same weights without. Many tokens: over "
        f"{variants.MANY_TOKENS:,} reasoning tokens a question.",
        height=180,
    )


def effort_paths(rows: pd.DataFrame, ladders: pd.DataFrame) -> Figure:
    """Each model over its efforts: reasoning tokens a question against the share admitted, one line a model.

    ladders: `effort.effort_ladders` of the rows.
    """
    part = rows[rows["weights"].isin(ladders["weights"]) & (rows["mode"] == "reasoning") & rows["effort"].notna()]
    part = part.assign(value=part[ADMITS].round(1), tokens=part["reasoning_tokens"].round()).query("tokens > 0")
    makers = [name for name in ladders["lab"].value_counts().index if name in MAKERS]
    others = sorted(set(part["lab"]) - set(makers))
    last = others if len(others) < 2 else ["others"]
    part = part.assign(maker=part["lab"].where(part["lab"].isin([*makers, *last]), "others"))
    shown = part[["model", "weights", "maker", "effort", "tokens", "value"]]
    x = across("tokens", "reasoning tokens a question, log scale", [50, 20_000], type="log", nice=False)
    x = x.axis(values=[30, 100, 300, 1000, 3000, 10000], format=",d")
    # most lines lie below 20 %
    low = max(1.0, np.floor(shown["value"].min()))
    y = upright("value", f"{called(ADMITS)} (%), log scale", [low, 100], type="log", nice=False, clamp=True)
    y = y.axis(values=[value for value in (1, 2, 5, 10, 20, 40, 80) if value >= low], format=".3~r")
    maker = colours("maker", {name: MAKERS.get(name, GREY) for name in [*makers, *last]})
    lines = trace(shown, x, y, colour=maker, detail="weights:N", opacity=0.8)
    # the ends on the right first: there is room beside them
    ends = shown.sort_values("tokens").drop_duplicates("weights", keep="last").iloc[::-1]
    ends = ends.assign(name=ends["model"].str.replace(r"\s*\([^()]*\)$", "", regex=True))[["name", "tokens", "value"]]
    # many lines cross here: the wide edge of a name stops them before its letters
    near = [shown[["tokens", "value"]]]
    names = named(ends, x, y, "name", height=260, around=near, phone=6, strokeWidth=6)
    return figure(
        alt.layer(lines, dots(shown, x, y, colour=maker, tooltip="effort", size=45), *names),
        "effort-paths",
        f"{of_models(ladders)} {admit(ladders, over=False)} at more effort",
        SOURCE,
        f"{len(ladders)} models, {ladders['lab'].nunique()} makers",
        "One line a model, from its lowest thinking effort to its highest.",
        height=260,
    )
