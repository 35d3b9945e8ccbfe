"""Figures of chapter 8: every claim by its number and its conclusion, and what another panel changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts import forms
from cape_lib.charts.forms import dots, row_names
from cape_lib.charts.frame import Figure, figure
from cape_lib.charts.look import MUTED
from cape_lib.claims import CONCLUSIONS, Verdict
from cape_lib.story.claims import ORDER, asked_of, grid

#: Marks abreast and one below another in a cell of the two axes.
ABREAST, DEEP = 6, 4
#: Whether a page is as narrow as a phone, to Vega.
PHONE = "containerSize()[0] < 480"


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
        "The number comes out in the first two columns; the conclusion withstands in the top row.",
        alt=f"One mark a claim, the number across, the conclusion down, a shape a conclusion: {grid(verdicts)}.",
        rows=rows[["id", "source", "number", "conclusion", "test", "claim"]],
        height=400,
    )


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
    names = alt.Chart(rows).mark_text(dy=-11, fontSize=10, color=MUTED).encode(x=x, y=place, text=room)
    counts = ", ".join(f"{n} on {panel}" for panel, n in rows["panel"].value_counts().items())
    return figure(
        marks + names,
        "claims-by-panel",
        f"{rows['id'].nunique()} of {asked_of(verdicts, others)} numbers have another verdict on another panel",
        "[all panels](../book/data.html)",
        f"{len(rows)} changes",
        "Shapes: the verdict on the number on that panel.",
        alt=f"One row a panel, one mark a claim whose number has another verdict there, by shape: {counts or 'none'}.",
        rows=rows.drop(columns="count"),
        height=36 * max(1, rows["panel"].nunique()),
    )
