"""Figures and cards of chapter 7: seven predictions, when they resolve, and what their status depends on."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import HTML

from cape_lib.charts.forest import forest
from cape_lib.charts.frame import GRID, INK, LAB_COLOURS, MUTED, PALETTE, PAPER, Figure, colour_scale, figure
from cape_lib.charts.look import mark_scales
from cape_lib.predictions import STATUSES, Scored, power, resolves
from cape_lib.signs import FAILS, HOLDS, MARKS, typeset
from cape_lib.story.predictions import in_plain, today

#: The predictions that turn on a correlation.
TURN_ON_R = (2, 5, 7)
SOURCE = "[predictions and frontier scores](../book/data.html#other-tables)"


def cards(scored: Sequence[Scored]) -> HTML:
    """One card a prediction: rule in words and as code, window, data needed and at hand, value, status and why."""
    return HTML(f'<div class="cape-cards">{"".join(typeset(_card(one)) for one in scored)}</div>')


def plain_cards(scored: Sequence[Scored]) -> HTML:
    """One card a prediction: its plain sentence, status and today's value; rules, data and sources folded."""
    return HTML(f'<div class="cape-cards">{"".join(typeset(_plain_card(one)) for one in scored)}</div>')


def _plain_card(one: Scored) -> str:
    shape = f'<span aria-hidden="true">{MARKS[one.status].text}</span>'
    return (
        f'<section class="cape-card" id="prediction-{one.card.id}" aria-label="Prediction {one.card.id}">'
        f"<p><strong>{one.card.id}. {escape(in_plain(one))}</strong></p>"
        f'<p class="cape-verdict-word">{shape} {one.status}</p><p>{escape(today(one))}</p>'
        f"<details><summary>Rules and data</summary><dl>{_items(one)}</dl>{_sources(one.sources)}</details></section>"
    )


def _card(one: Scored) -> str:
    shape = f'<span aria-hidden="true">{MARKS[one.status].text}</span>'
    return (
        f'<section class="cape-card" id="prediction-{one.card.id}" aria-label="Prediction {one.card.id}">'
        f"<p><strong>{one.card.id}. {escape(one.card.name)}</strong></p>"
        f'<p class="cape-verdict-word">{shape} {one.status}</p><dl>{_items(one)}</dl>{_sources(one.sources)}</section>'
    )


def _items(one: Scored) -> str:
    """Rules, window, data and value of a prediction as a list of terms."""
    card = one.card
    value = "none yet" if np.isnan(one.value) else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"
    shares = "" if np.isnan(one.pass_share) else f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail"
    read = f", {one.read_via} values read in a transcription" if one.read_via else ""
    lines = [
        ("Passes if", card.passes_if),
        ("Fails if", card.fails_if),
        ("As code", f"pass: {card.pass_rule.text}; fail: {card.fail_rule.text}"),
        ("Window", f"made {card.made_on}; resolves: {resolves(card)}"),
        ("Needs", card.needed),
        ("At hand", f"{one.n} models or releases, {one.since} of them of {card.made_on} or later{read}"),
        ("Today's value", value),
        ("Repeats", f"{shares} ({one.share_of})" if shares else ""),
        ("Power", power(one)),
        ("Why", one.reason),
    ]
    tags = {"As code": ("<code>", "</code>")}
    return "".join(
        f"<dt>{name}</dt><dd>{escape(text).join(tags.get(name, ('', '')))}</dd>" for name, text in lines if text
    )


def _sources(addresses: Sequence[str]) -> str:
    """The addresses that the values were read from, folded; each is named by its host and the end of its path."""
    links = [link for link in addresses if link.startswith("http")]
    if not links:
        return ""
    items = "".join(f'<li><a href="{escape(link)}">{escape(_short(link))}</a></li>' for link in links)
    return f"<details><summary>{len(links)} source{'' if len(links) == 1 else 's'}</summary><ul>{items}</ul></details>"


def _short(link: str) -> str:
    parts = urlsplit(link)
    end = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return f"{parts.netloc.removeprefix('www.')}: {end[:48]}" if end else parts.netloc


def _status(found: pd.Series) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape of the statuses that occur, one legend for both."""
    present = [word for word in STATUSES if word in set(found)]
    legend = alt.Legend(columns=2)
    colours, marks = mark_scales(present)
    return (
        alt.Color("status:N", scale=colours, title=None, legend=legend),
        alt.Shape("status:N", scale=marks, title=None, legend=legend),
    )


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
    place = alt.Y("prediction:N", title=None, sort=None, axis=alt.Axis(labelLimit=230))
    bars = alt.Chart(rows).mark_bar(height=6, color=GRID).encode(
        x=alt.X("from:T", title=None), x2="to:T", y=place, tooltip=["prediction:N", "resolves:N"]
    )  # fmt: skip
    words = alt.Chart(rows).mark_text(align="left", dx=6, color=MUTED, fontSize=11)
    ends = words.encode(x="to:T", y=place, text="resolves:N")
    line = alt.Chart(rows.head(1)).mark_rule(color=INK).encode(x="today:T")
    dots = alt.Chart(rows).mark_point(filled=True, size=90, opacity=1).encode(
        x="today:T", y=place, color=colour, shape=shape, tooltip=["prediction:N", "status:N", "resolves:N"]
    )  # fmt: skip
    settled = int(rows["status"].isin(["passed", "failed"]).sum())
    return figure(
        (bars + line + ends + dots).properties(height=32 * len(rows)),
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
    axis = alt.Axis(labelLimit=150, labelFontSize=11)
    place = alt.Y("prediction:N", sort=list(rows["prediction"]), title=None, axis=axis)
    x = alt.X("estimate:Q", title=title, scale=alt.Scale(zero=True, padding=24))
    tooltip: list[Any] = ["says:N", "status:N", "resolves:N", alt.Tooltip("estimate:Q", format=".2f")]
    layers = [forest(rows, place, x, tooltip=tooltip, colour=alt.value(INK), rule=None)]
    for side, colour, dy in (("pass", HOLDS, -14), ("fail", FAILS, 15)):
        base = alt.Chart(rows).encode(x=f"{side}_at:Q", y=place, tooltip=tooltip)
        layers += [base.mark_tick(thickness=3, size=22, color=colour)]
        layers += [base.mark_text(dy=dy, fontSize=11, color=colour).encode(text=f"{side}_says:N")]
    return alt.layer(*layers).properties(height=46 * len(rows))


def settings(table: pd.DataFrame) -> Figure:
    """The status of each prediction on each panel and with each party's scores.  table: `predictions.sensitivity`."""
    rows = table.assign(
        setting=table["panel"] + np.where(table["claimed_by"] == "either", "", ", stated by " + table["claimed_by"]),
        prediction=table["id"].astype(str) + ". " + table["name"],
    )
    colour, shape = _status(rows["status"])
    numbers = [alt.Tooltip(f"{name}:Q", format=".2f") for name in ("value", "low", "high")]
    order = list(rows["setting"].drop_duplicates())
    chart = (
        alt.Chart(rows)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=alt.X("id:O", title="prediction", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("setting:N", title=None, sort=order, axis=alt.Axis(labelLimit=230)),
            color=colour,
            shape=shape,
            tooltip=["prediction:N", "setting:N", "status:N", *numbers, "n:Q"],
        )
        .properties(height=30 * len(order))
    )
    decided = rows[rows["status"] != "cannot be scored yet"]
    lacking = rows.loc[rows["status"] == "cannot be scored yet", "id"].unique()
    turned = int((decided.groupby("id")["status"].nunique() > 1).sum())
    return figure(
        chart,
        title=(
            f"{turned} of {rows['id'].nunique()} predictions change sides with the panel or with who states the "
            f"scores; {len(lacking)} lack data on some"
        ),
        alt="Predictions across, panels and claimants down, one mark each, shaped by status.",
        source=SOURCE,
        n=f"{len(rows)} settings",
        rows=table,
        name="prediction-settings",
    )


def day_by_day(table: pd.DataFrame) -> Figure:
    """The number on which each prediction turns, as it stood on each day.  table: `predictions.over_time`."""
    rows = table[table["id"].isin(TURN_ON_R)].dropna(subset=["value"])
    rows = rows.assign(prediction=rows["id"].astype(str) + ". " + rows["name"], day=pd.to_datetime(rows["as_of"]))
    names = list(rows["prediction"].drop_duplicates())
    shades = alt.Scale(domain=names, range=PALETTE[: len(names)])
    colour = alt.Color("prediction:N", scale=shades, title=None, legend=alt.Legend(columns=1))
    base = alt.Chart(rows).encode(x=alt.X("day:T", title="as of"), color=colour)
    bands = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title="correlation r"), y2="high:Q")
    lines = base.mark_line(point=True).encode(
        y=alt.Y("value:Q", title="correlation r"),
        tooltip=["prediction:N", "as_of:N", "status:N", alt.Tooltip("value:Q", format=".2f"), "n:Q"],
    )
    return figure(
        bands + lines,
        title="The correlations that three predictions turn on, month by month",
        alt="Correlation against day for each prediction that turns on one, with a band for the 95 % interval.",
        source=SOURCE,
        n=f"{len(rows)} values",
        rows=rows,
        name="prediction-days",
    )


def own_check(later: pd.DataFrame, *, band: float, flat_band: float) -> Figure:
    """The papers' own check: distance of the five later models from the line, and from a flat guess, in bands.

    later: `frontier.later_releases`;  band, flat_band: half widths in points.
    """
    long = later.melt(["model", "lab"], ["h", "h_flat"], "guess", "points")
    half = {"h": band, "h_flat": flat_band}
    long["low"], long["high"] = -long["guess"].map(half), long["guess"].map(half)
    long["guess"] = long["guess"].map({"h": "the line through 34 models", "h_flat": "their mean GPQA"})
    labs = [lab for lab in LAB_COLOURS if lab in set(long["lab"])] + sorted(set(long["lab"]) - set(LAB_COLOURS))
    place = alt.Y("guess:N", title=None, axis=alt.Axis(labelLimit=300))
    bands = alt.Chart(long.drop_duplicates("guess")).mark_bar(height=34, color=GRID).encode(
        x=alt.X("low:Q", title="points of GPQA Diamond off the guess"), x2="high:Q", y=place
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"points": [0.0]})).mark_rule(color=INK).encode(x="points:Q")
    dots = alt.Chart(long).mark_point(filled=True, size=75, stroke=PAPER, opacity=1).encode(
        x="points:Q", y=place, color=alt.Color("lab:N", scale=colour_scale(LAB_COLOURS, labs), title=None),
        tooltip=["model:N", "guess:N", alt.Tooltip("points:Q", format=".1f")],
    )  # fmt: skip
    inside, flat = int(later["inside_published"].sum()), int(later["inside_flat"].sum())
    return figure(
        (bands + zero + dots).properties(height=120),
        title=f"Inside their band: {inside} of {len(later)} by the line, {flat} of {len(later)} by a flat guess",
        alt="Five models of April 2026 as points, twice: their distance from the line and from a flat guess. Both "
        "times a grey bar shows 1.96 standard deviations of the 34 models.",
        source="[frontier panel as published](../book/data.html#frontier-panel)",
        n=f"{len(later)} models",
        rows=later,
        name="own-check",
    )
