"""The dashboard as a page: its markup, the kit as JSON, and the scripts that do the rest in the browser."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cape_lib.dashboard.kit import kit
from cape_lib.dashboard.wording import Plain, shown, templates
from cape_lib.errors import SurroundingsError

if TYPE_CHECKING:
    from IPython.display import Markdown

#: in the order in which they are loaded
SCRIPTS = (
    "numbers.js",
    "wording.js",
    "axes.js",
    "engine-family.js",
    "engine-known.js",
    "read.js",
    "read-harness.js",
    "state.js",
    "results.js",
    "charts.js",
    "page.js",
)
STYLE = "dashboard.css"


def html(folder: str = "../_static/dashboard/") -> str:
    """The dashboard for a page of the book; `folder` is where its scripts and style lie, as the page sees it."""
    return _filled(folder=folder)


def inline() -> str:
    """The dashboard as one document that needs no other file (a live notebook, a mail)."""
    texts = {name: (static_dir() / name).read_text(encoding="utf-8") for name in (STYLE, *SCRIPTS)}
    return _filled(texts=texts | {name: texts[name].replace("</", "<\\/") for name in SCRIPTS})


def _filled(**where: Any) -> str:
    """The markup with the kit; a reader without JavaScript sees the command that does it.

    where: `folder` of its files, or their `texts`.
    """
    from jinja2 import Template

    used = kit()
    text = json.dumps(used, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    page = Template(files("cape_lib.dashboard").joinpath("dashboard.html").read_text("utf-8"), autoescape=True)
    names = {"style": STYLE, "scripts": SCRIPTS, "tabs": list(used["forms"]), "views": used["views"]}
    filled: str = page.render(examples=used["examples"], kit=text, **names, **where)
    return filled


def show(place: str = "live") -> None:
    """Display the dashboard: `place` "book" for the published page, anything else a frame that holds all of it."""
    from IPython.display import display

    text = html()
    if place != "book":
        frame = "border: 0; width: 100%; height: 60rem;"
        text = f'<iframe title="Dashboard" style="{frame}" srcdoc="{escape(inline(), quote=True)}"></iframe>'
    display({"text/html": text, "text/plain": "The dashboard: open this page in a browser."}, raw=True)


def static_dir() -> Path:
    """Folder of the dashboard's scripts: `book/_static/dashboard` of a checkout, else the copy in the package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "book", package / "_book"):
        if (folder / "_static" / "dashboard" / STYLE).is_file():
            return folder / "_static" / "dashboard"
    raise SurroundingsError(f"the dashboard's scripts are not beside {package}; install cape_lib again")


def what_it_compares_with(used: Plain) -> str:
    """The panels, lines and counts behind the page, as a Markdown list with their numbers."""
    base, frontier = used["base"], used["frontier"]
    trend = used["trends"]["truthfulqa"]
    lines = [
        f"- *Base models*: the {base['panel']} panel, {len(base['rows'])} models measured by one harness.",
        f"- *Trend of a size*: a parabola of the score in log10 of the size over {trend['n']} web-trained models, "
        f"{shown(trend['low_b'], 'B')} to {shown(trend['high_b'], 'B')}.",
        f"- *Known steps*: {len(used['steps'])} steps between neighbouring sizes of a family.",
        f"- *Frontier*: {len(frontier['releases'])} releases with both scores ({frontier['panel']} panel); "
        f"{len(frontier['lines'])} named lines, the frozen one from {frontier['lines']['frozen']['n']} releases.",
        f"- *Models of today*: {len(used['today']['rows'])} variants measured by one laboratory (Artificial Analysis), "
        f"to {used['today']['facts']['data_end']} ([chapter 9](09_asked_again.ipynb)).",
    ]
    return "\n".join(lines)


def rule_table() -> Markdown:
    """Every rule of advice with its evidence and strength, as a Markdown table a kind of diagnosis, folded."""
    from IPython.display import Markdown

    rules = kit()["rules"]
    claim = {"contradicted": "claim contradicted"}  # it is the claim that is contradicted, not the advice
    parts = []
    for kind in dict.fromkeys(rule["kind"] for rule in rules):
        rows = [
            f"| {rule['advice']} | {rule['evidence']} | {claim.get(rule['strength'], rule['strength'])} |"
            for rule in rules
            if rule["kind"] == kind
        ]
        head = f"<details><summary>{templates('views')[kind]['tab']}: {len(rows)} rules</summary>\n\n"
        parts.append(head + "| advice | evidence | strength |\n|---|---|---|\n" + "\n".join(rows) + "\n\n</details>")
    return Markdown("\n\n".join(parts))
