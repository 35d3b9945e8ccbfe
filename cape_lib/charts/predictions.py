"""Figures of chapter 7: seven predictions, when they resolve, and what their status depends on."""

from __future__ import annotations

import json
from textwrap import wrap

import altair as alt
import numpy as np
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import across, band, dots, forest, line_at, row_names, same_axis, upright
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.frontier import lab_colour
from cape_lib.charts.look import GRID, INK, PAPER
from cape_lib.frontier.lines import FROZEN_INTERCEPT, FROZEN_SLOPE, later_releases, published_band
from cape_lib.predictions import STATUSES, prediction
from cape_lib.signs import FAILS, HOLDS
from cape_lib.story.answer import listed, verb
from cape_lib.story.predictions import hangs, limits

#: The predictions that turn on a correlation.
TURN_ON_R = (2, 5, 7)
SOURCE = "[predictions and frontier scores](../book/data.html#other-tables)"
#: The marks of a rule: its side, its colour, how far its word stands below it (pixels).
RULES = (("pass", HOLDS, -14), ("fail", FAILS, 15))


def gauges(table: pd.DataFrame) -> Figure:
    """Today's number of each prediction with its interval, its mark of pass above its row and that of fail below it.

    table: `story.predictions.gauges`; predictions in points and those that turn on a correlation stand apart.
    """
    titles, charts = {"pp": "points", "r": "correlation r"}, []
    for unit, rows in table.drop(columns="id").groupby("unit"):
        # Two lines a name: beside each other the two charts leave no room for one long one.
        lines = {name: wrap(name, 18) for name in rows["prediction"]}
        names = f"({json.dumps(lines)})[datum.label]"
        y = row_names("prediction", lines, labelLimit=150, labelFontSize=11, labelExpr=names)
        x = across("estimate", titles.get(str(unit), str(unit)), zero=True, padding=24)
        layers = [forest(rows, y, x, tooltip="says status resolves", colour=alt.value(INK), rule=None)]
        for side, colour, dy in RULES:
            base = alt.Chart(rows).encode(x=f"{side}_at:Q", y=y)
            layers += [base.mark_tick(thickness=3, size=22, color=colour)]
            layers += [base.mark_text(dy=dy, fontSize=11, color=colour).encode(text=f"{side}_says:N")]
        charts.append(alt.layer(*layers).properties(height=56 * len(rows)))
    none = int(table["estimate"].isna().sum())
    of_line = [ident for ident in table["id"] if prediction(str(ident)).lab]
    leans = int(table["status"].isin(["passed", "open leaning pass"]).sum())
    return figure(
        charts,
        "prediction-gauges",
        f"{leans} of {len(table)} predictions {verb(leans, 'stand')} on the side of passing; "
        f"{none} {verb(none, 'have')} no number",
        SOURCE,
        f"{len(table)} predictions",
        f"Dot, bar: today, 95 %. Blue: passes there; orange: fails there. In {listed(of_line)}, points "
        f"from the frozen line: GPQA = {FROZEN_SLOPE} SWE + {FROZEN_INTERCEPT}, fitted once by the papers and kept.",
        rows=table,
    )


def settings(table: pd.DataFrame) -> Figure:
    """The status of each prediction on each panel and with each party's scores.  table: `predictions.sensitivity`."""
    rows = table.assign(
        setting=table["panel"] + np.where(table["claimed_by"] == "either", "", ", stated by " + table["claimed_by"]),
        prediction=table["id"].astype(str) + ". " + table["name"],
    )
    x = alt.X("id:O", title="prediction", axis=alt.Axis(labelAngle=0))
    look = forms.signs("status", [word for word in STATUSES if word in set(rows["status"])])
    chart = dots(rows, x, row_names("setting"), tooltip="prediction value", size=80, **look)
    several = rows["setting"].nunique()
    n = f"{rows['id'].nunique()} predictions in {several} settings"
    title, caption = hangs(table).rstrip("."), "A setting is a panel, or one party's scores only."
    return figure(chart, "prediction-settings", title, SOURCE, n, caption, rows=table, height=30 * several)


def day_by_day(table: pd.DataFrame) -> Figure:
    """The number on which each prediction turns, as it stood on each day, beside its marks of pass and fail.

    table: `predictions.over_time`.
    """
    rows = table[table["id"].isin(TURN_ON_R)].dropna(subset=["value"])
    rows = rows.assign(day=pd.to_datetime(rows["as_of"]))
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%b", tickCount="month"))
    y = upright("value", "correlation r", [-0.2, 1])
    charts = []
    for ident, part in rows.groupby("id"):
        marks, layers = limits(prediction(str(ident))), []
        for side, colour, dy in RULES:
            at = pd.DataFrame([{"at": marks[f"{side}_at"], "says": marks[f"{side}_says"]}])
            word = alt.Chart(at).mark_text(align="left", dx=4, dy=0.5 * dy, fontSize=11, color=colour)
            layers += [line_at(marks[f"{side}_at"], "y", colour=colour, dashed=side == "fail")]
            layers += [word.encode(x=alt.value(0), y="at:Q", text="says:N")]
        drawn = band(part, x, y, colour=alt.value(INK), tooltip="as_of status", point=True)
        charts.append(alt.layer(*layers, drawn).properties(title=f"{ident}. {part['name'].iloc[0]}"))
    title = "The correlations that three predictions turn on, month by month, beside their marks"
    caption = "Blue: passes there. Orange, dashed: fails there. Bands: 95 %."
    return figure(charts, "prediction-days", title, SOURCE, f"{len(rows)} values", caption, rows=rows, height=150)


def own_check(published: pd.DataFrame) -> Figure:
    """The papers' own check: distance of the five later models from the line, and from a flat guess, in bands.

    published: the frontier panel of that name.
    """
    later, widths = later_releases(published), published_band(published)
    half = np.array([widths["published"], widths["flat"]])
    words = {"h": "the line through 34 models", "h_flat": "their mean GPQA"}
    long = later.melt(["model", "lab"], list(words), "guess", "points").replace({"guess": words})
    ends = pd.DataFrame({"guess": list(words.values()), "low": -half, "high": half})
    y, x = row_names("guess"), across("points", "points of GPQA Diamond off the guess")
    bands = alt.Chart(ends).mark_bar(height=44, color=GRID).encode(x=same_axis(x, "low"), x2="high:Q", y=y)
    # one below the other: in the upper row the models lie closer than a dot is wide
    apart = alt.YOffset("model:N", scale=alt.Scale(paddingOuter=1))
    points = dots(long, x, y, colour=lab_colour(long), offset=apart, size=60, stroke=PAPER)
    inside, flat = int(later["inside_published"].sum()), int(later["inside_flat"].sum())
    title = f"Inside their band: {inside} of {len(later)} by the line, {flat} of {len(later)} by a flat guess"
    source, n = "[frontier panel as published](../book/data.html#frontier-panel)", f"{len(later)} models"
    caption = "Grey: 1.96 standard deviations of the 34 models."
    chart = bands + line_at(0, "x") + points
    return figure(chart, "own-check", title, source, n, caption, rows=later, height=120)
