"""Works of the book's bibliography as a report cites them: author and year, with a link to the work itself."""

from __future__ import annotations

import re
from html import escape

from cape_lib.report.publish import places


def cited(keys: str) -> str:
    """HTML for the content of a `cite` role, "key" or "key, key"; a key that the bibliography lacks stays as it is."""
    bibliography = (places.book_dir() / "references.bib").read_text(encoding="utf-8")
    return f"({'; '.join(_one(key.strip(), bibliography) for key in keys.split(','))})"


def _one(key: str, bibliography: str) -> str:
    entry = re.search(rf"^@\w+\{{{re.escape(key)},(.*?)^\}}", bibliography, re.M | re.S)
    fields = dict(re.findall(r"^\s*(\w+) = \{(.*)\},?$", entry[1], re.M)) if entry else {}
    if not {"author", "year"} <= fields.keys():
        return escape(key)
    authors = fields["author"].split(" and ")
    family = authors[0].split(",")[0] if "," in authors[0] else authors[0].split()[-1]
    more = "" if len(authors) == 1 else f" and {authors[1].split()[-1]}" if len(authors) == 2 else " et al."
    text = escape(f"{family}{more} {fields['year']}")
    return f'<a href="{escape(fields["url"])}">{text}</a>' if "url" in fields else text
