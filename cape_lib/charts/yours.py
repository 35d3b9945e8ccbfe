"""A form on the first page: two scores of a model in, its base rate beside them, and the way to its diagnosis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from IPython.display import display

from cape_lib.charts.frame import say, where

DASHBOARD = "../notebooks/00_dashboard.html"
#: Kind of model -> what it is called, and its fields: name, label, step.
KINDS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "model": (
        "a base model (before chat training)",
        (("params_b", "size, billions"), ("hellaswag", "HellaSwag, %"), ("truthfulqa", "TruthfulQA, %")),
    ),
    "release": (
        "a release of 2026",
        (("swe_bench_verified", "SWE-bench Verified, %"), ("gpqa_diamond", "GPQA Diamond, %")),
    ),
}


def your_model(rates: Sequence[dict[str, object]]) -> None:
    """Show the form: the reader's numbers, the base rate near that size, a link to the diagnosis that carries them.

    rates: `story.intro.rates`, records of size (billions) and text (Markdown of one line).
    """
    if where() != "book":
        say("`cape diagnose --size 1 --hellaswag 49.7 --truthfulqa 38.9` diagnoses a model of yours.")
        return
    page = html(rates)
    display({"text/html": page, "text/plain": "A form for your model."}, raw=True)


def html(rates: Sequence[dict[str, object]]) -> str:
    """The form as HTML; `cape-yours.js` moves it, and without a script it is a link to the dashboard."""
    from cape_lib.charts.html import inline

    choice = "".join(
        f'<label><input type="radio" name="cape-kind" value="{kind}"{" checked" if i == 0 else ""}> '
        f"{escape(name)}</label>"
        for i, (kind, (name, _)) in enumerate(KINDS.items())
    )
    fields = "".join(_fields(kind, shown=i == 0) for i, kind in enumerate(KINDS))
    known: list[dict[str, Any]] = [{"size": one["size"], "text": inline(str(one["text"]))} for one in rates]
    data = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<form class="cape-yours"><div class="cape-yours-kind" role="group" aria-label="Kind of model">{choice}</div>'
        f'{fields}<p class="cape-yours-rate" aria-live="polite"></p>'
        f'<p><a class="cape-yours-go" href="{DASHBOARD}">Diagnose it</a></p>'
        f'<script type="application/json">{data}</script></form>'
    )


def _fields(kind: str, *, shown: bool) -> str:
    """The inputs of one kind of model; all but a size are percent."""
    inputs = ""
    for name, words in KINDS[kind][1]:
        most = "" if name == "params_b" else ' max="100"'
        box = f'<input type="number" name="{name}" min="0"{most} step="any" inputmode="decimal">'
        inputs += f"<label>{escape(words)} {box}</label>"
    return f'<div class="cape-yours-fields" data-kind="{kind}"{"" if shown else " hidden"}>{inputs}</div>'
