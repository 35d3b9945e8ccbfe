"""The page of all claims: one row each that opens to parts, formula, code, panels and attempts to break it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML

from cape_lib import claims
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import mark_scales
from cape_lib.claims import Part, Stress, Verdict
from cape_lib.signs import sentence, typeset

#: Verdicts as a legend lists them, strongest first but for what nobody can tell.
ORDER = ("reproduced", "reproduced with definition", "differs", "not testable")
#: Table -> its place on the data page.
PLACES = {
    "base_panel": "base-panel",
    "base_scores": "base-scores",
    "frontier_panel": "frontier-panel",
    "losses": "losses",
}


def by_source(verdicts: Sequence[Verdict]) -> Figure:
    """How many claims of the announcement and of each paper have which verdict, one mark a claim."""
    order = list(ORDER)
    rows = pd.DataFrame([{"id": v.id, "claim": v.sentence, "source": v.source, "verdict": v.verdict} for v in verdicts])
    rows["order"] = rows["verdict"].map(order.index)
    rows = rows.sort_values(["source", "order", "id"], ignore_index=True)
    rows["place"] = rows.groupby("source").cumcount() + 1
    scale, shapes = mark_scales(order)
    chart = (
        alt.Chart(rows)
        .mark_point(filled=True, size=55, opacity=1)
        .encode(
            x=alt.X("place:Q", title="claims", axis=alt.Axis(tickMinStep=10)),
            y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=200)),
            color=alt.Color("verdict:N", scale=scale, legend=alt.Legend(columns=1), title=None),
            shape=alt.Shape("verdict:N", scale=shapes, legend=alt.Legend(columns=1), title=None),
            tooltip=["id:N", "claim:N", "verdict:N"],
        )
        .properties(height=34 * rows["source"].nunique())
    )
    stands = int(rows["verdict"].str.startswith("reproduced").sum())
    return figure(
        chart,
        title=f"{stands} of {len(rows)} claims come out of the published tables, with or without a footnote",
        alt=f"One mark a claim, a row a source, sorted by verdict: {tally(verdicts)}.",
        source="[claims and judgements](../book/data.html#other-tables)",
        n=f"{len(rows)} claims",
        rows=rows[["id", "source", "verdict", "claim"]],
        name="claims-by-source",
    )


def tally(verdicts: Iterable[Verdict]) -> str:
    """How many verdicts there are of each kind, as part of a sentence."""
    words = [one.verdict for one in verdicts]
    return ", ".join(f"{words.count(word)} {word}" for word in ORDER)


def ledger(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> HTML:
    """All claims on one page, to search, filter, sort, open and download.

    verdicts: on the published panel, with stress;  others: panel -> id -> verdict on that panel.
    """
    rows = "".join(_row(one, {name: got[one.id] for name, got in others.items() if one.id in got}) for one in verdicts)
    records = json.dumps(_plain(claims.as_records(verdicts)), ensure_ascii=False).replace("</", "<\\/")
    return HTML(
        f'<div class="cape-ledger">{_controls(verdicts)}'
        f'<p class="cape-ledger-count" role="status">{len(verdicts)} of {len(verdicts)} claims</p>'
        f'<div class="cape-ledger-rows">{typeset(rows)}</div>'
        f'<script type="application/json" class="cape-ledger-data">{records}</script></div>'
    )


def _controls(verdicts: Sequence[Verdict]) -> str:
    sources = sorted({one.source for one in verdicts})
    chapters = sorted({one.chapter for one in verdicts})
    words = [(word, f"{claims.SHAPES[word]} {word}") for word in ORDER]
    sorts = [("id", "number"), ("verdict", "verdict"), ("chapter", "chapter"), ("source", "source")]
    choices = (
        _choice("verdict", "Verdict", [("", "all"), *words])
        + _choice("source", "Source", [("", "all"), *[(name, name) for name in sources]])
        + _choice("chapter", "Chapter", [("", "all"), *[(name, name) for name in chapters]])
        + _choice("sort", "Sort by", sorts)
    )
    return (
        '<form class="cape-ledger-controls" hidden><label>Search <input type="search" name="search" '
        f'autocomplete="off"></label>{choices}'
        '<button type="button" name="open">Open all shown</button>'
        '<button type="button" name="csv">CSV</button><button type="button" name="json">JSON</button></form>'
    )


def _choice(name: str, label: str, options: Iterable[tuple[str, str]]) -> str:
    inside = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return f'<label>{label} <select name="{name}">{inside}</select></label>'


def _row(one: Verdict, others: Mapping[str, Verdict]) -> str:
    place = claims.where(one.id)
    head = (
        f"{claims.badge(one.verdict)}{claims.last_digit(one)} <strong>{one.id}</strong> {escape(one.sentence)} "
        f"<small>{escape(one.source)}, chapter {one.chapter}</small>"
        + (f"<br><small>But {escape(one.caveat)}.</small>" if one.caveat else "")
    )
    formula = f"<p><strong>Formula.</strong> {escape(place['formula'])}</p>"
    notes = "".join(f"<p>{escape(sentence(note))}.</p>" for note in one.notes)
    code = (
        f'<details class="cape-code"><summary>Code: <code>{place["file"]}</code>, line {place["line"]} '
        f'<a data-file="{place["file"]}" data-line="{place["line"]}" hidden>in the repository</a></summary>'
        f"<pre>{escape(place['code'])}</pre></details>"
    )
    return (
        f'<details class="cape-verdict {claims.CLASSES[one.verdict]}" id="{one.id}" data-verdict="{one.verdict}" '
        f'data-source="{one.source}" data-chapter="{one.chapter}"><summary>{head}</summary>'
        f"{_parts(one.parts)}{formula}{notes}{_panels(one, others)}{_stress(one.stress)}{code}"
        f"{_links(one, place)}</details>"
    )


def _parts(parts: Sequence[Part]) -> str:
    body, before = [], ""
    for part in parts:
        how = claims.how(part)
        body.append(
            (part.name, claims.printed(part) or "–", part.came_out, part.interval or "–", part.result.n or "–",
             claims.SHAPES[part.verdict] + " " + part.worded, "as above" if how == before else how)
        )  # fmt: skip
        before = how
    return _table(("part", "published", "here", "95 % interval", "n", "verdict", "definition"), body)


def _panels(one: Verdict, others: Mapping[str, Verdict]) -> str:
    if not others:
        return ""
    body = [
        (panel, "; ".join(part.came_out for part in found.parts), claims.SHAPES[found.verdict] + " " + found.verdict)
        for panel, found in {one.panel: one, **others}.items()
    ]
    return "<p><strong>On other panels.</strong></p>" + _table(("panel", "comes out as", "by the same rule"), body)


def _stress(tried: Sequence[Stress]) -> str:
    if not tried:
        return ""
    body = [(each.name, _number(each.value), each.interval or "–", each.n or "–", each.says) for each in tried]
    return "<p><strong>What was tried against it.</strong></p>" + _table(
        ("what", "comes out as", "95 % interval", "n", "says"), body
    )


def _number(value: float | bool | None) -> str:
    from cape_lib.claims.verdict import number

    return number(value)


def _links(one: Verdict, place: Mapping[str, Any]) -> str:
    data = ", ".join(
        f'<a href="../book/data.html#{PLACES.get(name, "other-tables")}">{name}.csv</a>' for name in place["tables"]
    )
    chapter = f'<a href="{place["chapter_link"]}">its place in chapter {one.chapter}</a>'
    return f"<p>Go to {chapter}{'; its rows: ' + data if data else ''}; <a href='#{one.id}'>link to this claim</a>.</p>"


def _table(head: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in body)
    return (
        f'<div class="cape-table" tabindex="0" role="group" aria-label="{escape(head[0])} and more"><table>'
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _plain(value: Any) -> Any:
    """JSON has no infinity: an unbounded end is the word for it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def changed_by_panel(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> Figure:
    """Which claims change their verdict on which panel: one mark a claim and panel, those that stay left out."""
    before = {one.id: one for one in verdicts}
    rows = pd.DataFrame(
        [
            {"panel": panel, "id": ident, "claim": one.sentence, "was": before[ident].verdict, "is": one.verdict}
            for panel, found in others.items()
            for ident, one in found.items()
            if one.verdict != before[ident].verdict
        ],
        columns=["panel", "id", "claim", "was", "is"],
    )
    order = list(ORDER)
    scale, shapes = mark_scales(order)
    marks = (
        alt.Chart(rows)
        .mark_point(filled=True, size=60, opacity=1)
        .encode(
            x=alt.X("id:N", title=None, axis=alt.Axis(labelAngle=-90, labelOverlap=True)),
            y=alt.Y("panel:N", title=None, sort=list(others)),
            color=alt.Color("is:N", scale=scale, title=None, legend=alt.Legend(columns=1)),
            shape=alt.Shape("is:N", scale=shapes, title=None, legend=alt.Legend(columns=1)),
            tooltip=["panel:N", "id:N", "claim:N", "was:N", "is:N"],
        )
        .properties(height=30 * max(1, rows["panel"].nunique()))
    )
    moved = rows["id"].nunique()
    return figure(
        marks,
        title=f"{moved} of {len(before)} claims change their verdict on at least one other panel",
        alt="Claims across, panels down; a mark where the verdict on that panel is another one, by shape.",
        source="[all panels](../book/data.html)",
        n=f"{len(rows)} changes",
        rows=rows,
        name="claims-by-panel",
    )
