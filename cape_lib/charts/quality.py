"""Figures of the data quality page: what was checked, what differs, and what it moves."""

from __future__ import annotations

import html
import re
from collections.abc import Hashable, Iterable
from typing import Any

import altair as alt
import pandas as pd

from cape_lib.charts.axes import across, rounded, row_names
from cape_lib.charts.forest import forest, line_at
from cape_lib.charts.frame import INK, MUTED, PALETTE, Figure, figure
from cape_lib.charts.frontier import lab_colour
from cape_lib.signs import typeset
from cape_lib.tables import label

STATUS_ORDER = ["confirmed", "corrected", "other setting", "independent only", "unchecked"]


def status_by_lab(cells: pd.DataFrame, *, source: str) -> Figure:
    """How many cells of each lab have each status.

    cells: `tables.load("frontier_cells")`: model, lab, benchmark, status.
    """
    counts = cells.groupby(["lab", "status"]).size().rename("cells").reset_index()
    order = list(cells["lab"].value_counts().index)
    known = [status for status in STATUS_ORDER if status in set(counts["status"])]
    known += sorted(set(counts["status"]) - set(known))
    counts["rank"] = counts["status"].map({status: i for i, status in enumerate(known)})
    key = alt.Color("status:N", scale=alt.Scale(domain=known, range=PALETTE), title=None, legend=alt.Legend(columns=2))
    bars = alt.Chart(counts).mark_bar()
    bars = bars.encode(
        y=row_names("lab", order),
        x=across("cells", "cells"),
        color=key,
        order="rank:Q",
        tooltip=["lab", "status", "cells"],
    )
    alike = int(cells["status"].isin(["confirmed", "corrected"]).sum())
    return figure(
        bars.properties(height=24 * len(order)),
        title=f"For {alike} of {len(cells)} published cells the maker states a value for the same version and setting",
        alt="Number of published cells by lab and status.",
        source=source,
        n=f"{len(cells)} cells",
        name="status-by-lab",
    )


def cell_effects(effects: pd.DataFrame, *, source: str) -> Figure:
    """What each changed cell does to its model's h, published end hollow, new end filled.

    effects: `frontier.cell_effects`.
    """
    shown = effects.dropna(subset=["h_after"]).assign(
        cell=lambda rows: rows["model"] + ", " + rows["benchmark"].map(label).str.split().str[0]
    )
    tooltip: list[Any] = [
        "model",
        "benchmark",
        "before",
        "after",
        *rounded("+.1f", "h_before", "h_after"),
        *rounded("+.3f", "d_r"),
    ]
    colour = lab_colour(sorted(shown["lab"].unique()), columns=2)
    base = alt.Chart(shown).encode(y=row_names("cell", limit=190), color=colour, tooltip=tooltip)
    before = across("h_before", "h (points)")
    ways = base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=before, x2="h_after:Q")
    ends = [
        base.mark_point(filled=False, size=60).encode(x=before),
        base.mark_point(filled=True, size=60, opacity=1).encode(x="h_after:Q"),
    ]
    flips = int((shown["h_before"] * shown["h_after"] < 0).sum())
    return figure(
        alt.layer(line_at(0, "x"), ways, *ends).properties(height=18 * len(shown)),
        title=f"{len(shown)} cells differ; {flips} of them turn the sign of their model's h",
        alt="h of each model before and after one of its cells is replaced.",
        source=source,
        n=f"{len(shown)} cells",
        name="cell-effects",
        caption="Hollow: as published. Filled: with this one cell replaced. h on the frozen line.",
    )


def headline_changes(table: pd.DataFrame, *, source: str) -> Figure:
    """Each headline number before and after, every one on its own scale of its published interval.

    table: `frontier.correction_effects`.
    """
    half = (table["before_high"] - table["before_low"]) / 2
    moved = {"shift": "after", "low": "after_low", "high": "after_high"}
    shown = table.assign(**{name: (table[column] - table["before"]) / half for name, column in moved.items()})
    shown = shown.dropna(subset=["shift"])
    edges = [line_at(at, "x", colour=MUTED, dashed=True) for at in (-1, 0, 1)]
    changes = forest(
        shown,
        row_names("number", limit=170),
        across("shift", "change, in half-widths"),
        colour=alt.value(INK),
        tooltip=["number", *rounded(".2f", "before", "after")],
        rule=None,
    )
    beyond = int((shown["shift"].abs() > 1).sum())
    return figure(
        alt.layer(*edges, changes),
        title=f"{beyond} of {len(shown)} headline numbers leave the interval they had as published",
        alt="Change of each headline number in units of its published interval.",
        source=source,
        n=f"{len(shown)} numbers",
        name="headline-changes",
        rows=table,
        caption="Zero: as published. Dashed: the edges of the published number's 95 % interval.",
    )


def influence(table: pd.DataFrame, *, source: str) -> Figure:
    """What leaving out each release does to r.

    table: `frontier.influence`.
    """
    # The table has the value with the row minus that without it; a reader wants to see what leaving it out does.
    shown = table.assign(d_r=-table["d_r"], d_slope=-table["d_slope"])
    shown = shown.sort_values("d_r", key=abs, ascending=False).head(12)[["model", "lab", "cooks", "d_r", "d_slope"]]
    bars = alt.Chart(shown).mark_bar()
    bars = bars.encode(
        y=row_names("model", shown["model"], limit=200),
        x=across("d_r", "change of r when left out"),
        color=lab_colour(sorted(table["lab"].unique()), columns=2),
        tooltip=["model", *rounded("+.3f", "d_r", "d_slope"), "cooks"],
    )
    first = shown.iloc[0]
    return figure(
        bars.properties(height=22 * len(shown)),
        title=f"No single release carries the trend: without {first['model']} r changes most, by {first['d_r']:+.2f}",
        alt="Change of the correlation when each of the twelve most influential releases is left out.",
        source=source,
        n=f"{len(shown)} of {len(table)} releases",
        name="influence",
        rows=table[["model", "lab", "leverage", "cooks", "d_slope", "d_intercept", "d_r"]],
    )


def difference_table(effects: pd.DataFrame, cells: pd.DataFrame) -> object:
    """Every difference with the address where the new value stands, as an HTML table.

    effects: `frontier.cell_effects`;  cells: `tables.load("frontier_cells")` with source, read_via, reason.
    """
    from IPython.display import HTML

    about = [name for name in ("status", "source", "read_via", "reason") if name in cells]
    rows = effects.merge(cells[["model", "benchmark", *about]], on=["model", "benchmark"], how="left")
    lines = [_line(row) for row in rows.to_dict("records")]
    head = "".join(
        f"<th scope='col'{' style=min-width:14rem' if name in ('why', 'where') else ''}>{name}</th>"
        for name in ("model", "benchmark", "published", "now", "h", "why", "where")
    )
    return HTML(
        "<div class='cape-table' tabindex='0' role='region' aria-label='Every difference with its source'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{typeset(''.join(lines))}</tbody></table></div>"
    )


def _transcription(via: str) -> str:
    """Where a third party wrote a maker's statement down; an address, or a file of a repository, as a link."""
    file = re.match(r"github\.com/([^@\s]+)@(\w+) (\S+)", via)
    page = re.match(r"(?:https://)?([\w.-]+\.\w+/[^\s,]+)", via)
    if file:
        address, shown = f"https://github.com/{file[1]}/blob/{file[2]}/{file[3]}", file[1]
    elif page:
        address, shown = f"https://{page[1]}", "/".join(page[1].removeprefix("github.com/").split("/")[:2])
    else:
        return html.escape(via)
    return f"<a href='{html.escape(address, quote=True)}'>{html.escape(shown)}</a>"


def _line(row: dict[Hashable, Any]) -> str:
    address = str(row.get("source") or "")
    link = (
        f"<a href='{html.escape(address, quote=True)}'>source</a>"
        if address.startswith("http")
        else html.escape(address)
    )
    via = row.get("read_via")
    read = f" <small>(read in {_transcription(str(via))})</small>" if isinstance(via, str) and via else ""
    after = row["after"]
    now = "no source" if pd.isna(after) else f"{after:.1f}"
    moved = "" if pd.isna(row["h_after"]) else f"{row['h_before']:+.1f} → {row['h_after']:+.1f}"
    values: Iterable[str] = (
        html.escape(str(row["model"])), label(str(row["benchmark"])), f"{row['before']:.1f}", now,
        f"<span style='white-space: nowrap'>{moved}</span>",
        html.escape(str(row.get("reason") or "")), link + read,
    )  # fmt: skip
    return "<tr>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>"
