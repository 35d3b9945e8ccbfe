"""The page of all claims: one row each that opens to parts, formula, code, panels and attempts to break it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML

from cape_lib import claims
from cape_lib.charts.axes import row_names
from cape_lib.charts.forest import dots
from cape_lib.charts.frame import Figure, figure, script_json
from cape_lib.charts.look import MUTED, mark_scales
from cape_lib.charts.tabular import html_table
from cape_lib.claims import CONCLUSIONS, Part, Stress, Verdict
from cape_lib.claims.verdict import number
from cape_lib.output import plain
from cape_lib.signs import sentence, typeset

#: Verdicts as a legend lists them, strongest first but for what nobody can tell.
ORDER = ("reproduced", "reproduced with definition", "in the last digit", "differs", "not testable")
#: Marks abreast and one below another in a cell of the two axes.
ABREAST, DEEP = 6, 4
#: Whether a page is as narrow as a phone, to Vega.
PHONE = "containerSize()[0] < 480"
#: Table -> its place on the data page; the others stand in "other-tables".
PLACES = {name: name.replace("_", "-") for name in ("base_panel", "base_scores", "frontier_panel", "losses")}
PLACES |= {"frontier_scores": "frontier-panel", "pythia_checkpoints": "along-training"}
PLACES |= dict.fromkeys(("one_lab_2026", "variant_corrections"), "one-lab")
SORTS = ("conclusion", "chapter", "source")


def axes(verdicts: Sequence[Verdict]) -> Figure:
    """Every claim on the two axes: number across, conclusion down, one mark a claim, what holds first."""
    rows = pd.DataFrame(
        [
            {
                "id": v.id,
                "claim": v.sentence,
                "source": v.source,
                "number": v.verdict,
                "conclusion": v.conclusion,
                "test": f"{v.conclusion_test.name}: {v.conclusion_test.reason}",
            }
            for v in verdicts
        ]
    )
    place = rows.groupby(["number", "conclusion"]).cumcount()
    rows["column"], rows["line"] = place % ABREAST, place // ABREAST
    cells: dict[str, Any] = {"grid": True, "tickBand": "extent", "ticks": False, "domain": False, "labelOverlap": False}
    size = alt.ExprRef(f"{PHONE} ? 11 : 12")
    across = alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')", labelFontSize=size, **cells)
    # on a phone the words of the rows stand in them: beside them they would leave the cells too little room
    down = alt.Axis(labelExpr=f"{PHONE} ? '' : datum.label", **cells)
    x = alt.X("number:N", scale=alt.Scale(domain=ORDER, padding=0), title=None, axis=across)
    y = alt.Y("conclusion:N", scale=alt.Scale(domain=CONCLUSIONS, padding=0), title=None, axis=down)
    colour, shape = mark_scales(CONCLUSIONS)
    marks = dots(
        rows,
        x,
        y,
        colour=alt.Color("conclusion:N", scale=colour, legend=None),
        shape=alt.Shape("conclusion:N", scale=shape, legend=None),
        tooltip=["id:N", "claim:N", "number:N", "conclusion:N", "test:N"],
        size=38,
    ).encode(
        xOffset=alt.XOffset("column:Q", scale=alt.Scale(domain=[-1, ABREAST])),
        yOffset=alt.YOffset("line:Q", scale=alt.Scale(domain=[-1.6, DEEP])),
    )
    inside = alt.Chart(pd.DataFrame({"conclusion": CONCLUSIONS})).mark_text(align="left", dx=4, dy=9, fontSize=11)
    word = alt.condition(PHONE, alt.Text("conclusion:N"), alt.value(""))
    inside = inside.encode(x=alt.value(0), y=alt.Y("conclusion:N", bandPosition=0), text=word)
    stand = sum(v.stands for v in verdicts)
    out = sum(v.verdict.startswith("reproduced") for v in verdicts)
    return figure(
        alt.layer(marks, inside).properties(height=400),
        title=f"{out} of {len(rows)} numbers come out; {stand} of their conclusions withstand the test put to them",
        alt=f"One mark a claim, the number across, the conclusion down, a shape a conclusion: {grid(verdicts)}.",
        source="[claims, judgements and tests](../book/data.html#other-tables)",
        n=f"{len(rows)} claims",
        rows=rows[["id", "source", "number", "conclusion", "test", "claim"]],
        name="claims-two-axes",
    )


def grid(verdicts: Iterable[Verdict]) -> str:
    """How many claims stand in each cell of the two axes, as part of a sentence; empty cells left out."""
    cells = Counter((one.verdict, one.conclusion) for one in verdicts)
    order = [(number, word) for number in ORDER for word in CONCLUSIONS]
    return ", ".join(f"{cells[pair]} {pair[0]} and {pair[1]}" for pair in order if cells[pair])


def tally(verdicts: Iterable[Verdict]) -> str:
    """How many verdicts there are of each kind, as part of a sentence."""
    words = [one.verdict for one in verdicts]
    return ", ".join(f"{words.count(word)} {word}" for word in ORDER)


def ledger(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> HTML:
    """All claims on one page, to search, filter, sort, open and download; those of this book are counted apart.

    verdicts: on the published panel;  others: panel -> id -> verdict on that panel.
    """
    rows = "".join(_row(one, {name: got[one.id] for name, got in others.items() if one.id in got}) for one in verdicts)
    mine = sum(one.source == claims.OURS for one in verdicts)
    count = f"{len(verdicts)} of {len(verdicts)} claims" + (f", {mine} of them this book's" if mine else "")
    records = script_json(plain(claims.as_records(verdicts), words=True))
    return HTML(
        f'<div class="cape-ledger">{_controls(verdicts)}'
        f'<p class="cape-ledger-count" role="status">{count}</p>'
        f'<div class="cape-ledger-rows">{typeset(rows)}</div>'
        f'<script type="application/json" class="cape-ledger-data">{records}</script></div>'
    )


def _controls(verdicts: Sequence[Verdict]) -> str:
    every = [("", "all")]
    marked = [[(word, f"{claims.SHAPES[word]} {word}") for word in axis] for axis in (ORDER, CONCLUSIONS)]
    lists = {
        "verdict": ("Number", every + marked[0]),
        "conclusion": ("Conclusion", every + marked[1]),
        "source": ("Source", every + [(name, name) for name in sorted({one.source for one in verdicts})]),
        "chapter": ("Chapter", every + [(name, name) for name in sorted({one.chapter for one in verdicts})]),
        "sort": ("Sort by", [("id", "id"), ("verdict", "number"), *[(name, name) for name in SORTS]]),
    }
    choices = ""
    for name, (label, options) in lists.items():
        inside = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
        choices += f'<label>{label} <select name="{name}">{inside}</select></label>'
    return (
        '<form class="cape-ledger-controls" hidden><label>Search <input type="search" name="search" '
        f'autocomplete="off"></label>{choices}'
        '<button type="button" name="open">Open all shown</button>'
        '<button type="button" name="csv">CSV</button><button type="button" name="json">JSON</button></form>'
    )


def _row(one: Verdict, others: Mapping[str, Verdict]) -> str:
    place = claims.where(one.id)
    head = (
        f"{claims.badge(one.verdict)} {claims.badge(one.conclusion)} <strong>{one.id}</strong> {escape(one.sentence)} "
        f"<small>{escape(one.source)}, chapter {one.chapter}</small>"
        + (f"<br><small>But {escape(one.caveat)}.</small>" if one.caveat else "")
    )
    formula = f"<p><strong>Formula.</strong> {escape(place['formula'])}</p>"
    tested = f"<p><strong>Conclusion.</strong> {escape(claims.tested(one))}</p>"
    notes = "".join(f"<p>{escape(sentence(note))}.</p>" for note in one.notes)
    code = (
        f'<details class="cape-code"><summary>Code: <code>{place["file"]}</code>, line {place["line"]} '
        f'<a data-file="{place["file"]}" data-line="{place["line"]}" hidden>in the repository</a></summary>'
        f"<pre>{escape(place['code'])}</pre></details>"
    )
    return (
        f'<details class="cape-verdict {claims.CLASSES[one.verdict]}" id="{one.id}" data-verdict="{one.verdict}" '
        f'data-conclusion="{one.conclusion}" '
        f'data-source="{one.source}" data-chapter="{one.chapter}"><summary>{head}</summary>'
        f"{tested}{_parts(one.parts)}{formula}{notes}{_panels(one, others)}{_stress(one.stress)}{code}"
        f"{_links(one, place)}</details>"
    )


def _parts(parts: Sequence[Part]) -> str:
    body, before = [], ""
    for part in parts:
        how = claims.how(part)
        published, interval, n = claims.printed(part) or "–", part.interval or "–", part.result.n or "–"
        verdict, definition = f"{claims.SHAPES[part.verdict]} {part.verdict}", "as above" if how == before else how
        body.append((part.name, published, part.came_out, interval, n, verdict, definition))
        before = how
    return _table(("part", "published", "here", "95 % interval", "n", "verdict", "definition"), body)


def _panels(one: Verdict, others: Mapping[str, Verdict]) -> str:
    if not others:
        return ""
    body = [
        (panel, "; ".join(part.came_out for part in there.parts), f"{claims.SHAPES[there.verdict]} {there.verdict}")
        for panel, there in {one.panel: one, **others}.items()
    ]
    return "<p><strong>On other panels.</strong></p>" + _table(("panel", "comes out as", "by the same rule"), body)


def _stress(tried: Sequence[Stress]) -> str:
    if not tried:
        return ""
    body = [(each.name, number(each.value), each.interval or "–", each.n or "–", each.says) for each in tried]
    heads = ("what", "comes out as", "95 % interval", "n", "says")
    return "<p><strong>What else was tried.</strong></p>" + _table(heads, body)


def _links(one: Verdict, place: Mapping[str, Any]) -> str:
    data = ", ".join(
        f'<a href="../book/data.html#{PLACES.get(name, "other-tables")}">{name}.csv</a>' for name in place["tables"]
    )
    chapter = f'<a href="{place["chapter_link"]}">its place in chapter {one.chapter}</a>'
    return f"<p>Go to {chapter}{'; its rows: ' + data if data else ''}; <a href='#{one.id}'>link to this claim</a>.</p>"


def _table(heads: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    return html_table(heads, [[escape(str(cell)) for cell in row] for row in body], label=f"{heads[0]} and more")


def changed_by_panel(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> Figure:
    """How many claims change their verdict on which panel: a row of marks a panel, one mark a claim."""
    before = {one.id: one for one in verdicts}
    rows = pd.DataFrame(
        [
            {"panel": panel, "id": ident, "claim": one.sentence, "was": before[ident].verdict, "is": one.verdict}
            for panel, by_id in others.items()
            for ident, one in by_id.items()
            if one.verdict != before[ident].verdict
        ],
        columns=["panel", "id", "claim", "was", "is"],
    )
    rows = rows.sort_values("is", key=lambda words: words.map(ORDER.index), kind="stable")
    rows["count"] = rows.groupby("panel").cumcount() + 1
    colour, shape = mark_scales([word for word in ORDER if word in set(rows["is"])] or ORDER)
    key = alt.Legend(columns=alt.ExprRef("width < 420 ? 1 : 4"))
    place = row_names("panel", [panel for panel in others if panel in set(rows["panel"])])
    x = alt.X("count:Q", title="claims with another verdict on this panel", axis=alt.Axis(tickMinStep=1))
    marks = dots(
        rows,
        x,
        place,
        colour=alt.Color("is:N", scale=colour, title=None, legend=key),
        shape=alt.Shape("is:N", scale=shape, title=None, legend=key),
        tooltip=["panel:N", "id:N", "claim:N", "was:N", "is:N"],
        size=alt.ExprRef("width < 420 ? 30 : 60"),
    )
    room = alt.condition("width > 420", alt.Text("id:N"), alt.value(""))
    names = alt.Chart(rows).mark_text(dy=13, fontSize=9, color=MUTED).encode(x=x, y=place, text=room)
    moved = rows["id"].nunique()
    return figure(
        alt.layer(marks, names).properties(height=36 * max(1, rows["panel"].nunique())),
        title=f"{moved} of {len(before)} claims change their verdict on at least one other panel",
        alt="One row a panel, one mark a claim whose verdict there is another one, by shape: "
        + (", ".join(f"{n} on {panel}" for panel, n in rows["panel"].value_counts().items()) or "none")
        + ".",
        source="[all panels](../book/data.html)",
        n=f"{len(rows)} changes",
        rows=rows.drop(columns="count"),
        name="claims-by-panel",
        caption="Shapes: the verdict on that panel.",
    )
