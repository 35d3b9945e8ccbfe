"""The beginning of a report in a page: what `cape family` says first of a table of scores.

A line `<!-- report: examples/my_family.csv Larch -->` stands for the headline, how sure it is, the figure of the steps
and what the scores cannot show, as the report on that table has them.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

import cape_lib

MARK = re.compile(r"^<!-- report: (\S+) (\S+) -->$", re.M)
ROOT = Path(cape_lib.__file__).resolve().parents[1]


def expand(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the beginning of its report in the place of every mark."""
    source[0] = MARK.sub(lambda mark: _opening(mark[1], mark[2]), source[0])


def _opening(path: str, name: str) -> str:
    from cape_lib import tables  # only a page with a report needs them
    from cape_lib.report import family

    (part,) = family.parts(tables.read_scores(ROOT / path), name=name)
    text, figure, limits = family.opening(part, name)
    return f"{text}\n\n```{{raw}} html\n{figure.to_html()}\n```\n\n**What these scores cannot show**\n\n{limits}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", expand)
    return {"parallel_read_safe": True}
