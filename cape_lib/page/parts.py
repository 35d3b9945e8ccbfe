"""The parts of a page: the ledger of claims, cards of predictions, tables of sources and rates, a form."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
from IPython.display import HTML, display
from markupsafe import Markup

from cape_lib import claims, output
from cape_lib.claims import CONCLUSIONS, Verdict
from cape_lib.page.tables import html_table, table
from cape_lib.page.text import filled, inline, say, script_json, where
from cape_lib.predictions import Scored, power, resolves
from cape_lib.signs import MARKS, sentence, typeset
from cape_lib.story.claims import ORDER
from cape_lib.story.predictions import in_plain, of_interval, today
from cape_lib.story.trust import COMPARED, FINE, LABELLED, reading
from cape_lib.tables import label

#: Table -> its place on the data page; the others stand in "other-tables".
PLACES = {name: name.replace("_", "-") for name in ("base_panel", "base_scores", "frontier_panel", "losses")}
PLACES |= {"frontier_scores": "frontier-panel", "pythia_checkpoints": "along-training"}
PLACES |= dict.fromkeys(("one_lab_2026", "variant_corrections"), "one-lab")
SORTS = ("conclusion", "chapter", "source")
#: Kind of model -> what it is called, and its fields: name -> label.
KINDS = {
    "model": (
        "a base model (before chat training)",
        {"params_b": "size, billions", "hellaswag": "HellaSwag, %", "truthfulqa": "TruthfulQA, %"},
    ),
    "release": (
        "a release of 2026",
        {"swe_bench_verified": "SWE-bench Verified, %", "gpqa_diamond": "GPQA Diamond, %"},
    ),
}


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
        records=script_json(output.plain(claims.as_records(verdicts), words=True)),
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


def cards(scored: Sequence[Scored], *, plain: bool = False, on: Mapping[int | str, str] | None = None) -> HTML:
    """One card a prediction: rule in words and as code, window, data needed and at hand, value, status and why.

    plain: its plain sentence, status and today's value; rules, data and sources folded. on: a sentence on what turns a
    status, for the plain cards (`story.predictions.other_verdicts`).
    """
    words = {"on": on or {}, "in_plain": in_plain, "today": today, "terms": _terms, "links": _links, "marks": MARKS}
    return HTML(typeset(filled("cards.html", scored=scored, plain=plain, **words)))


def _terms(one: Scored) -> dict[str, str]:
    """Rules, window, data and value of a prediction; what does not apply is empty."""
    card = one.card
    read = f", {one.read_via} values read in a transcription" if one.read_via else ""
    return {
        "Passes if": card.pass_rule.words,
        "Fails if": card.fail_rule.words,
        "As code": f"pass: {card.pass_rule.text}; fail: {card.fail_rule.text}",
        "Window": f"made {card.made_on}; resolves: {resolves(card)}",
        "Chance": "" if card.chance is None else f"{card.chance:g} %, by this book when it was made; {card.note}",
        "Needs": card.needed,
        "At hand": f"{one.n} models or releases, {one.since} of them of {card.made_on} or later{read}",
        "Today's value": "none yet"
        if np.isnan(one.value)
        else f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}] (95 %: {of_interval(one)})",
        "Repeats": ""
        if np.isnan(one.pass_share)
        else f"{one.pass_share:.0%} pass, {one.fail_share:.0%} fail ({one.share_of})",
        "Could be missed": power(one),
        "Why": one.reason,
    }


def _links(one: Scored) -> dict[str, str]:
    """The public addresses of its scores -> the host and the end of the path."""
    names = {}
    for link in (link for link in one.sources if link.startswith("http")):
        parts = urlsplit(link)
        host, end = parts.netloc, unquote(parts.path.rstrip("/").rpartition("/")[2])
        names[link] = f"{host.removeprefix('www.')}: {end[:48]}" if end else host
    return names


def difference_table(effects: pd.DataFrame, cells: pd.DataFrame) -> HTML:
    """Every difference with the address where the new value stands, as an HTML table.

    effects: `frontier.cell_effects`;  cells: `tables.load("frontier_cells")` with source, read_via, reason.
    """
    about = [name for name in ("status", "source", "read_via", "reason") if name in cells]
    rows = effects.merge(cells[["model", "benchmark", *about]], on=["model", "benchmark"], how="left")
    lines = [
        {
            "model": row["model"],
            "benchmark": label(str(row["benchmark"])),
            "published": f"{row['before']:.1f}",
            "now": "no source" if pd.isna(row["after"]) else f"{row['after']:.1f}",
            "h": "" if pd.isna(row["h_after"]) else f"{row['h_before']:+.1f}\u00a0→\u00a0{row['h_after']:+.1f}",
            "why": HTML(f'<div class="cape-wide">{inline(str(row.get("reason") or ""))}</div>'),
            "where": HTML(f'<div class="cape-wide">{_where(row)}</div>'),
        }
        for row in rows.to_dict("records")
    ]
    return table(pd.DataFrame(lines), caption="Every difference with its source")


def _where(row: dict[Hashable, Any]) -> str:
    """The address of a cell's source as a link, with the transcription of a third party that it was read in.

    A transcription is an address or a file of a repository: a link too.
    """
    address, via = str(row.get("source") or ""), row.get("read_via")
    stated = inline(f"[source]({address})" if address.startswith("http") else address)
    if not isinstance(via, str) or not via:
        return stated
    if file := re.match(r"github\.com/([^@\s]+)@(\w+) (\S+)", via):
        via = f"[{file[1]}](https://github.com/{file[1]}/blob/{file[2]}/{file[3]})"
    elif page := re.match(r"(?:https://)?([\w.-]+\.\w+/[^\s,]+)", via):
        name = "/".join(page[1].removeprefix("github.com/").split("/")[:2])
        via = f"[{name}](https://{page[1]})"
    return f"{stated} <small>(read in {inline(via)})</small>"


def numbers(rows: pd.DataFrame, *, caption: str) -> HTML:
    """Every row as a cell of a table: a line a method, truth, noise and measure, a column a number of sizes or rows.

    rows: shares of one part. A cell reads "93 %"; "82 % ▲" where the table's own label says that it is not as promised,
    "82 % □" where that is a rule which decides nothing here. The file holds the shares (0-1) with their intervals.
    """
    marks = reading(rows).map({FINE: ""} | {word: f"\u00a0{MARKS[word].text}" for word in (LABELLED, COMPARED)})
    cells = rows.assign(share=rows["value"].map("{:.1%}".format).str.replace("%", "\u00a0%") + marks)
    order = ["measure", "method", "truth", "noise"]
    offered = rows[[*order, "n", "value", "low", "high", "replications", "label", "role"]]
    if not cells.duplicated(order).any():
        # One number of rows each: a column a number would be mostly empty.
        return table(cells[[*order, "n", "share"]], caption=caption, rows=offered)
    wide = cells.pivot_table(index=order, columns="n", values="share", aggfunc="first", sort=False).sort_index(axis=1)
    shown = wide.rename(columns="n\u00a0=\u00a0{}".format).reset_index().fillna("")
    return table(shown, caption=caption, rows=offered)


def your_model(rates: Mapping[str, Any]) -> None:
    """Show the form: the reader's numbers, the base rate near that size, a link to the diagnosis that carries them.

    `cape-yours.js` moves it, and without a script it is a link to the dashboard.

    rates: `story.intro.rates`, whose texts are Markdown of one line.
    """
    known = {"near": rates["near"], "rates": [one | {"text": inline(one["text"])} for one in rates["rates"]]}
    if where() == "book":
        form = filled("yours.html", kinds=KINDS, rates=script_json(known))
        display({"text/html": form, "text/plain": "A form for your model."}, raw=True)
    else:
        say("`cape diagnose --size 1 --hellaswag 49.7 --truthfulqa 38.9` diagnoses a model of yours.")
