"""Figures and cards of chapter 7: seven predictions, when they resolve, and what their status depends on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from textwrap import wrap
from typing import Any
from urllib.parse import unquote, urlsplit

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import HTML

from cape_lib.charts.axes import across, rounded, row_names, same_axis, upright
from cape_lib.charts.forest import band, dots, forest, line_at
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.frontier import lab_colour
from cape_lib.charts.look import GRID, INK, LAB_COLOURS, MUTED, PAPER, mark_scales
from cape_lib.predictions import STATUSES, Scored, power, prediction, resolves
from cape_lib.signs import FAILS, HOLDS, MARKS, typeset
from cape_lib.story.predictions import in_plain, limits, today

#: The predictions that turn on a correlation.
TURN_ON_R = (2, 5, 7)
SOURCE = "[predictions and frontier scores](../book/data.html#other-tables)"


def cards(scored: Sequence[Scored]) -> HTML:
    """One card a prediction: rule in words and as code, window, data needed and at hand, value, status and why."""
    return _cards((one, one.card.name, f"<dl>{_items(one)}</dl>{_sources(one.sources)}") for one in scored)


def plain_cards(scored: Sequence[Scored]) -> HTML:
    """One card a prediction: its plain sentence, status and today's value; rules, data and sources folded."""
    folded = "<p>{}</p><details><summary>Rules and data</summary><dl>{}</dl>{}</details>"
    bodies = [folded.format(escape(today(one)), _items(one), _sources(one.sources)) for one in scored]
    return _cards((one, in_plain(one), body) for one, body in zip(scored, bodies, strict=True))


def _cards(each: Iterable[tuple[Scored, str, str]]) -> HTML:
    """Cards of predictions, each with its heading and what stands below its status (HTML)."""
    cards = [
        f'<section class="cape-card" id="prediction-{one.card.id}" aria-label="Prediction {one.card.id}">'
        f"<p><strong>{one.card.id}. {escape(heading)}</strong></p>"
        f'<p class="cape-verdict-word"><span aria-hidden="true">{MARKS[one.status].text}</span> {one.status}</p>{body}'
        "</section>"
        for one, heading, body in each
    ]
    return HTML(f'<div class="cape-cards">{typeset("".join(cards))}</div>')


def _items(one: Scored) -> str:
    """Rules, window, data and value of a prediction as a list of terms."""
    card = one.card
    value = "none yet" if np.isnan(one.value) else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"
    repeats = "" if np.isnan(one.pass_share) else f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail"
    read = f", {one.read_via} values read in a transcription" if one.read_via else ""
    items = {
        "Passes if": card.passes_if,
        "Fails if": card.fails_if,
        "As code": f"pass: {card.pass_rule.text}; fail: {card.fail_rule.text}",
        "Window": f"made {card.made_on}; resolves: {resolves(card)}",
        "Chance": "" if card.chance is None else f"{card.chance:g} %, by this book when it was made; {card.note}",
        "Needs": card.needed,
        "At hand": f"{one.n} models or releases, {one.since} of them of {card.made_on} or later{read}",
        "Today's value": value,
        "Repeats": f"{repeats} ({one.share_of})" if repeats else "",
        "Power of 80 %": power(one),
        "Why": one.reason,
    }
    texts = {name: escape(text) for name, text in items.items() if text}
    texts["As code"] = f"<code>{texts['As code']}</code>"
    return "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in texts.items())


def _sources(addresses: Sequence[str]) -> str:
    """The addresses that the values were read from, folded; each is named by its host and the end of its path."""
    items = []
    for link in addresses:
        if link.startswith("http"):
            parts = urlsplit(link)
            host, end = parts.netloc, unquote(parts.path.rstrip("/").rpartition("/")[2])
            name = f"{host.removeprefix('www.')}: {end[:48]}" if end else host
            items.append(f'<li><a href="{escape(link)}">{escape(name)}</a></li>')
    summary = f"{len(items)} source{'' if len(items) == 1 else 's'}"
    return f"<details><summary>{summary}</summary><ul>{''.join(items)}</ul></details>" if items else ""


def _status(statuses: pd.Series) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape of the statuses that occur, one legend for both."""
    colour, shape = mark_scales([word for word in STATUSES if word in set(statuses)])
    about: dict[str, Any] = {"title": None, "legend": alt.Legend(columns=2)}
    return alt.Color("status:N", scale=colour, **about), alt.Shape("status:N", scale=shape, **about)


def timeline(scored: Sequence[Scored]) -> Figure:
    """From when to when each prediction runs, and where it stands today."""
    today = pd.Timestamp(scored[0].as_of)
    rows = pd.DataFrame(
        [
            {
                "prediction": f"{one.card.id}. {one.card.name}",
                "from": pd.Timestamp(one.card.made_from),
                "to": pd.Timestamp(one.card.resolves_by) if one.card.resolves_by else today,
                "resolves": resolves(one.card),
                "today": today,
                "status": one.status,
            }
            for one in scored
        ]
    )
    colour, shape = _status(rows["status"])
    place, tooltip = row_names("prediction", limit=230), ["prediction:N", "status:N", "resolves:N"]
    base = alt.Chart(rows).encode(y=place, tooltip=tooltip)
    bars = base.mark_bar(height=6, color=GRID).encode(x=alt.X("from:T", title=None), x2="to:T")
    ends = base.mark_text(align="left", dx=6, color=MUTED, fontSize=11).encode(x="to:T", text="resolves:N")
    now = dots(rows, "today:T", place, colour=colour, shape=shape, tooltip=tooltip, size=90)
    settled = int(rows["status"].isin(["passed", "failed"]).sum())
    return figure(
        alt.layer(bars, line_at(today, "x", kind="T"), ends, now).properties(height=32 * len(rows)),
        title=f"{settled} of {len(rows)} predictions are settled; an open one has until the end of its bar",
        alt="A bar for each prediction from May 2026 to the day on which it resolves; a mark at today with its status. "
        "Two predictions have no day: they wait for the next two releases of a lab.",
        source=SOURCE,
        n=f"{len(rows)} predictions",
        rows=rows,
        name="prediction-timeline",
    )


def gauges(table: pd.DataFrame) -> Figure:
    """Today's number of each prediction with its interval, between its marks of pass and fail.

    table: `story.predictions.gauges`; predictions in points and those that turn on a correlation stand apart.
    """
    titles = {"pp": "points", "r": "correlation r"}
    charts = [_gauge(rows.drop(columns="id"), titles.get(str(unit), str(unit))) for unit, rows in table.groupby("unit")]
    missing = int(table["estimate"].isna().sum())
    leans = int(table["status"].isin(["passed", "open leaning pass"]).sum())
    return figure(
        charts,
        title=f"{leans} of {len(table)} predictions stand on the side of passing; {missing} have no number",
        alt="One row a prediction: its number today with an interval, and the marks at which it passes and fails.",
        source=SOURCE,
        n=f"{len(table)} predictions",
        rows=table,
        name="prediction-gauges",
        caption="Dot, bar: today, 95 %. Blue: passes there; orange: fails there. In 3 and 4, h from the frozen line.",
    )


def _gauge(rows: pd.DataFrame, title: str) -> Any:
    """The predictions of one unit, the mark of pass above its row and that of fail below it."""
    # Two lines a name: beside each other the two charts leave no room for one long one.
    lines = {name: wrap(name, 18) for name in rows["prediction"]}
    axis = alt.Axis(labelLimit=150, labelFontSize=11, labelExpr=f"({json.dumps(lines)})[datum.label]")
    place = alt.Y("prediction:N", sort=list(lines), title=None, axis=axis)
    x = alt.X("estimate:Q", title=title, scale=alt.Scale(zero=True, padding=24))
    tooltip: list[Any] = ["says:N", "status:N", "resolves:N", *rounded(".2f", "estimate")]
    layers = [forest(rows, place, x, tooltip=tooltip, colour=alt.value(INK), rule=None, height=46)]
    for side, colour, dy in (("pass", HOLDS, -14), ("fail", FAILS, 15)):
        base = alt.Chart(rows).encode(x=f"{side}_at:Q", y=place, tooltip=tooltip)
        layers += [base.mark_tick(thickness=3, size=22, color=colour)]
        layers += [base.mark_text(dy=dy, fontSize=11, color=colour).encode(text=f"{side}_says:N")]
    return alt.layer(*layers)


def settings(table: pd.DataFrame) -> Figure:
    """The status of each prediction on each panel and with each party's scores.  table: `predictions.sensitivity`."""
    rows = table.assign(
        setting=table["panel"] + np.where(table["claimed_by"] == "either", "", ", stated by " + table["claimed_by"]),
        prediction=table["id"].astype(str) + ". " + table["name"],
    )
    colour, shape = _status(rows["status"])
    decided = rows[rows["status"] != "cannot be scored yet"]
    lacking = rows.loc[rows["status"] == "cannot be scored yet", "id"].unique()
    turned = int((decided.groupby("id")["status"].nunique() > 1).sum())
    return figure(
        forest(
            rows,
            row_names("setting", limit=230),
            alt.X("id:O", title="prediction", axis=alt.Axis(labelAngle=0)),
            colour=colour,
            shape=shape,
            tooltip=["prediction:N", "setting:N", "status:N", *rounded(".2f", "value", "low", "high"), "n:Q"],
            rule=None,
            bars=rows.head(0),
            height=30,
        ),
        title=f"{turned} of {rows['id'].nunique()} predictions {'changes' if turned == 1 else 'change'} sides with the "
        f"panel or with who states the scores; {len(lacking)} lack data on some",
        alt="Predictions across, panels and claimants down, one mark each, shaped by status.",
        source=SOURCE,
        n=f"{len(rows)} settings",
        rows=table,
        name="prediction-settings",
    )


def day_by_day(table: pd.DataFrame) -> Figure:
    """The number on which each prediction turns, as it stood on each day, beside its marks of pass and fail.

    table: `predictions.over_time`.
    """
    rows = table[table["id"].isin(TURN_ON_R)].dropna(subset=["value"])
    rows = rows.assign(day=pd.to_datetime(rows["as_of"]))
    charts = []
    for ident, part in rows.groupby("id"):
        marks = limits(prediction(str(ident)))
        drawn = band(
            part,
            alt.X("day:T", title=None, axis=alt.Axis(format="%b", tickCount="month")),
            upright("value", "correlation r", [-0.2, 1]),
            colour=alt.value(INK),
            tooltip=["name:N", "as_of:N", "status:N", *rounded(".2f", "value"), "n:Q"],
            point=True,
        )
        lines = []
        for side, colour, dy in (("pass", HOLDS, -7), ("fail", FAILS, 9)):
            at = pd.DataFrame([{"at": marks[f"{side}_at"], "says": marks[f"{side}_says"]}])
            word = alt.Chart(at).mark_text(align="left", dx=4, dy=dy, fontSize=11, color=colour)
            lines += [line_at(marks[f"{side}_at"], "y", colour=colour, dashed=side == "fail")]
            lines += [word.encode(x=alt.value(0), y="at:Q", text="says:N")]
        charts.append(alt.layer(*lines, drawn).properties(height=150, title=f"{ident}. {part['name'].iloc[0]}"))
    return figure(
        charts,
        title="The correlations that three predictions turn on, month by month, beside their marks",
        alt="Correlation against day for each prediction that turns on one, with a band for the 95 % interval and a "
        "line each where it passes and where it fails.",
        source=SOURCE,
        n=f"{len(rows)} values",
        rows=rows,
        name="prediction-days",
        caption="Blue: passes there. Orange, dashed: fails there. Bands: 95 %.",
    )


def own_check(later: pd.DataFrame, *, band: float, flat_band: float) -> Figure:
    """The papers' own check: distance of the five later models from the line, and from a flat guess, in bands.

    later: `frontier.later_releases`;  band, flat_band: half widths in points.
    """
    half = {"the line through 34 models": band, "their mean GPQA": flat_band}
    words = dict(zip(("h", "h_flat"), half, strict=True))
    long = later.melt(["model", "lab"], list(words), "guess", "points").replace({"guess": words})
    bars = pd.DataFrame({"guess": list(half), "low": [-half[name] for name in half], "high": list(half.values())})
    labs = [lab for lab in LAB_COLOURS if lab in set(long["lab"])] + sorted(set(long["lab"]) - set(LAB_COLOURS))
    place, x = row_names("guess", limit=300), across("points", "points of GPQA Diamond off the guess")
    bands = alt.Chart(bars).mark_bar(height=34, color=GRID).encode(x=same_axis(x, "low"), x2="high:Q", y=place)
    tooltip = ["model:N", "guess:N", *rounded(".1f", "points")]
    points = dots(long, x, place, colour=lab_colour(labs), tooltip=tooltip, size=75, stroke=PAPER)
    inside, flat = int(later["inside_published"].sum()), int(later["inside_flat"].sum())
    return figure(
        alt.layer(bands, line_at(0, "x"), points).properties(height=120),
        title=f"Inside their band: {inside} of {len(later)} by the line, {flat} of {len(later)} by a flat guess",
        alt="Five models of April 2026 as points, twice: their distance from the line and from a flat guess. Both "
        "times a grey bar shows 1.96 standard deviations of the 34 models.",
        source="[frontier panel as published](../book/data.html#frontier-panel)",
        n=f"{len(later)} models",
        rows=later,
        name="own-check",
    )
