"""The page of all claims: one row each that opens to parts, formula, code, panels and attempts to break it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import HTML
from markupsafe import Markup

from cape_lib import claims
from cape_lib.charts import forms
from cape_lib.charts.forms import dots, row_names
from cape_lib.charts.frame import Figure, figure, filled, script_json
from cape_lib.charts.look import MUTED
from cape_lib.charts.tabular import html_table
from cape_lib.claims import CONCLUSIONS, Verdict
from cape_lib.output import plain
from cape_lib.signs import sentence, typeset
from cape_lib.story.claims import ORDER

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
        {
            "id": v.id,
            "claim": v.sentence,
            "source": v.source,
            "number": v.verdict,
            "conclusion": v.conclusion,
            "test": f"{v.conclusion_test.name}: {v.conclusion_test.reason}",
        }
        for v in verdicts
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
    marks = dots(rows, x, y, size=38, tooltip="claim test", **forms.signs("conclusion", CONCLUSIONS, hidden=True))
    marks = marks.encode(
        xOffset=alt.XOffset("column:Q", scale=alt.Scale(domain=[-1, ABREAST])),
        yOffset=alt.YOffset("line:Q", scale=alt.Scale(domain=[-1.6, DEEP])),
    )
    inside = alt.Chart(pd.DataFrame({"conclusion": CONCLUSIONS})).mark_text(align="left", dx=2, dy=9, fontSize=10)
    word = alt.condition(PHONE, alt.Text("conclusion:N"), alt.value(""))
    inside = inside.encode(x=alt.value(0), y=alt.Y("conclusion:N", bandPosition=0), text=word)
    stand = sum(v.stands for v in verdicts)
    out = sum(v.verdict.startswith("reproduced") for v in verdicts)
    return figure(
        marks + inside,
        "claims-two-axes",
        f"{out} of {len(rows)} numbers come out; {stand} of their conclusions withstand the test put to them",
        "[claims, judgements and tests](../book/data.html#other-tables)",
        f"{len(rows)} claims",
        alt=f"One mark a claim, the number across, the conclusion down, a shape a conclusion: {grid(verdicts)}.",
        rows=rows[["id", "source", "number", "conclusion", "test", "claim"]],
        height=400,
    )


def grid(verdicts: Iterable[Verdict]) -> str:
    """How many claims stand in each cell of the two axes, as part of a sentence; empty cells left out."""
    cells = Counter((one.verdict, one.conclusion) for one in verdicts)
    order = [(number, word) for number in ORDER for word in CONCLUSIONS]
    return ", ".join(f"{cells[pair]} {pair[0]} and {pair[1]}" for pair in order if cells[pair])


def ledger(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> HTML:
    """All claims on one page, to search, filter, sort, open and download; those of this book are counted apart.

    verdicts: on the published panel;  others: panel -> id -> verdict on that panel.
    """
    mine = sum(one.source == claims.OURS for one in verdicts)
    every = [("", "all")]
    marked = [every + [(word, _marked(word)) for word in axis] for axis in (ORDER, CONCLUSIONS)]
    sources, chapters = (
        every + [(name, name) for name in sorted({getattr(one, what) for one in verdicts})]
        for what in ("source", "chapter")
    )
    page = filled(
        "ledger.html",
        verdicts=verdicts,
        count=f"{len(verdicts)} of {len(verdicts)} claims" + (f", {mine} of them this book's" if mine else ""),
        lists={
            "verdict": ("Number", marked[0]),
            "conclusion": ("Conclusion", marked[1]),
            "source": ("Source", sources),
            "chapter": ("Chapter", chapters),
            "sort": ("Sort by", [("id", "id"), ("verdict", "number"), *[(name, name) for name in SORTS]]),
        },
        claims=claims,
        places=PLACES,
        sentence=sentence,
        table=_table,
        tables=lambda one: _tables(one, others),
        records=script_json(plain(claims.as_records(verdicts), words=True)),
    )
    return HTML(typeset(page))


def _tables(one: Verdict, others: Mapping[str, Mapping[str, Verdict]]) -> tuple[Sequence[tuple[object, ...]], ...]:
    """Rows of the three tables of a claim: its parts by their definitions, other panels, attempts to break it."""
    how = [claims.how(part) for part in one.parts]
    words = ["as above" if how[at] == before else how[at] for at, before in enumerate(["", *how[:-1]])]
    parts = [
        (part.name, claims.printed(part), part.came_out, part.interval, part.n, _marked(part.verdict), definition)
        for part, definition in zip(one.parts, words, strict=True)
    ]
    there = {one.panel: one} | {panel: by_id[one.id] for panel, by_id in others.items() if one.id in by_id}
    panels = [(name, "; ".join(part.came_out for part in v.parts), _marked(v.verdict)) for name, v in there.items()]
    tried = [(each.name, each.came_out, each.interval, each.n, each.says) for each in one.stress]
    return parts, panels, tried


def _marked(word: str) -> str:
    return f"{claims.SHAPES[word]} {word}"


def _table(heads: str, rows: Iterable[Sequence[object]]) -> Markup:
    """A table of a claim; its heads in one line, a dash for what is not there."""
    names = heads.split(" | ")
    cells = [[cell if at == 0 else cell or "–" for at, cell in enumerate(row)] for row in rows]
    return html_table(names, cells, label=f"{names[0]} and more")


def changed_by_panel(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> Figure:
    """The numbers that have another verdict on which panel: a row of marks a panel, one mark a claim."""
    before = {one.id: one for one in verdicts}
    rows = pd.DataFrame(
        [
            {"panel": panel, "id": ident, "claim": one.sentence, "was": before[ident].verdict, "is": one.verdict}
            for panel, by_id in others.items()
            for ident, one in by_id.items()
            if before[ident].moves_on(one)
        ],
        columns=["panel", "id", "claim", "was", "is"],
    )
    rows = rows.sort_values("is", key=lambda words: words.map(ORDER.index), kind="stable")
    rows["count"] = rows.groupby("panel").cumcount() + 1
    place = row_names("panel", [panel for panel in others if panel in set(rows["panel"])])
    x = alt.X("count:Q", title="numbers with another verdict on this panel", axis=alt.Axis(tickMinStep=1))
    look = forms.signs("is", [word for word in ORDER if word in set(rows["is"])] or ORDER)
    marks = dots(rows, x, place, tooltip="claim was", size=alt.ExprRef("width < 420 ? 30 : 60"), **look)
    room = alt.condition("width > 420", alt.Text("id:N"), alt.value(""))
    names = alt.Chart(rows).mark_text(dy=13, fontSize=9, color=MUTED).encode(x=x, y=place, text=room)
    counts = ", ".join(f"{n} on {panel}" for panel, n in rows["panel"].value_counts().items())
    return figure(
        marks + names,
        "claims-by-panel",
        f"{rows['id'].nunique()} of {len(before)} numbers have another verdict on at least one other panel",
        "[all panels](../book/data.html)",
        f"{len(rows)} changes",
        "Shapes: the verdict on the number on that panel.",
        alt=f"One row a panel, one mark a claim whose number has another verdict there, by shape: {counts or 'none'}.",
        rows=rows.drop(columns="count"),
        height=36 * max(1, rows["panel"].nunique()),
    )
