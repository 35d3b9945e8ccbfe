"""The texts of a page: sentences whose numbers are computed, the boxes about them, and the pieces of HTML they fill."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from html import escape
from typing import Any, Literal

from IPython.display import Markdown, display
from markupsafe import Markup

from cape_lib.signs import typeset
from cape_lib.story import GRADES, Answer

#: The publisher sets this variable for the kernels that it starts.
PUBLISHED = "CAPE_BOOK"


def where() -> Literal["book", "colab", "live"]:
    """Where this code runs: the published "book" (or a report), "colab", or "live" in Jupyter."""
    if os.environ.get(PUBLISHED):
        return "book"
    return "colab" if "google.colab" in sys.modules else "live"


def say(markdown: str) -> None:
    """Show a sentence whose numbers were computed, as prose of the chapter (Markdown, `$...$` for formulas)."""
    display(Markdown(typeset(markdown)))


def sure(markdown: str) -> None:
    """Show the "how sure" line: interval, n, null and baseline of what was just said."""
    _boxed("cape-sure", f"**How sure?** {typeset(markdown)}")


def answer(one: Answer) -> None:
    """Show the answer of a chapter: its sentence, the grade of its evidence with its meaning, its interval."""
    grade = f"**{one.grade.capitalize()}** ({GRADES[one.grade]})."
    below = f'<div class="cape-grade">\n\n{grade} {typeset(one.interval)}\n\n</div>'
    _boxed("cape-answer", f"{typeset(one.sentence)}\n\n{below}")


def answers(*several: Answer) -> None:
    """Show several answers one below the other, the grade and the interval of each beside it."""
    parts = [
        f'{typeset(one.sentence)} <span class="cape-grade">{one.grade.capitalize()}. {typeset(one.interval)}</span>'
        for one in several
    ]
    _boxed("cape-answer cape-several-answers", "\n\n".join(parts))


def remember(*lines: str) -> None:
    """Show the lines to remember at the end of a chapter, computed like any sentence."""
    _boxed("cape-remember", "**To remember**\n\n" + "\n".join(f"- {typeset(line)}" for line in lines))


def _boxed(name: str, markdown: str) -> None:
    display(Markdown(f'<div class="{name}">\n\n{markdown}\n\n</div>'))


def inline(text: str) -> str:
    """One line of text to HTML: `[text](address)`, `**strong**`, `*emphasis*` and `` `code` ``; all else is escaped."""
    out = escape(typeset(text), quote=False)
    out = re.sub(r"`([^`]+)`", r"<code>\1</code>", out)
    out = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', out)
    out = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", out)
    return re.sub(r"(?<![\w*])\*(\S|\S[^*]*\S)\*(?![\w*])", r"<em>\1</em>", out)


def script_json(value: Any) -> Markup:
    """JSON that may stand in a page's script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("</", "<\\/"))


def text_of(value: Any) -> str:
    """A value of a control as a reader sees it."""
    return typeset(f"{value:.4g}" if isinstance(value, float) else str(value))


def filled(template: str, **values: Any) -> str:
    """A piece of a page or a script: a template of the folder `html`, its values escaped unless they are `Markup`."""
    return str(_templates().get_template(template).render(**values))


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("cape_lib.page", "html"), autoescape=True, trim_blocks=True)
