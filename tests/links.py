"""Where links lead: inside the built pages and the repository's Markdown, no network; `--online` asks every host.

    python tests/links.py _build/html               the links inside
    python tests/links.py _build/html --online      and every address of another host; ends with 1 if one is gone

A host that refuses robots (401, 403, 405, 406, 429, 451, 5xx) or does not answer in time is named, and is no failure.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"""<(?:a|link|img|script|iframe|source)\b[^>]*?\s(?:href|src)=["']([^"']+)["']""")
NAME = re.compile(r"""\s(?:id|name)=["']([^"']+)["']""")
MARKDOWN = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc=).*?</script>", re.S)
REFUSALS = {401, 403, 405, 406, 429, 451}


@cache
def _page(path: Path) -> tuple[list[str], set[str]]:
    """Addresses that a page names, and the names that a link can end in; what scripts hold does not count."""
    text = SCRIPT.sub("", path.read_text(encoding="utf-8"))
    return [unescape(link) for link in LINK.findall(text)], {unescape(name) for name in NAME.findall(text)}


def pages(html: Path) -> list[Path]:
    """The pages of a built book, without those that a theme brings along."""
    return [path for path in sorted(html.rglob("*.html")) if html / "_static" not in path.parents]


def broken(html: Path) -> Iterator[str]:
    """Links between the pages of a book that lead nowhere, as `page: address`."""
    for page in pages(html):
        for link in _page(page)[0]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = page.parent / unquote(parts.path) if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            wrong = not target.is_file()
            if not wrong and parts.fragment and target.suffix == ".html":
                wrong = unquote(parts.fragment) not in _page(target.resolve())[1]
            if wrong:
                yield f"{page.relative_to(html).as_posix()}: {link}"


def markdown_files() -> list[Path]:
    """The Markdown that a reader of the repository meets outside the book."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "data").glob("*.md")), *sorted((ROOT / "tests").rglob("*.md"))]


def broken_in_repository() -> Iterator[str]:
    """Relative links of that Markdown that lead to no file."""
    for path in markdown_files():
        for link in MARKDOWN.findall(path.read_text(encoding="utf-8")):
            parts = urlsplit(link)
            if not parts.scheme and parts.path and not (path.parent / unquote(parts.path)).exists():
                yield f"{path.relative_to(ROOT).as_posix()}: {link}"


def outside(html: Path) -> set[str]:
    """Every address of another host: in the pages, in the Markdown and in the tables' columns of sources."""
    result = {link for page in pages(html) for link in _page(page)[0]}
    result |= {link for path in markdown_files() for link in MARKDOWN.findall(path.read_text(encoding="utf-8"))}
    for path in sorted((ROOT / "data").rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            result |= {cell for line in csv.reader(file) for cell in line if re.fullmatch(r"https?://\S+", cell)}
    return {link.split("#")[0] for link in result if urlsplit(link).scheme in ("http", "https")}


def answer(address: str, seconds: float = 30.0) -> tuple[bool, str]:
    """Whether an address is gone, and what its host said."""
    asked = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check of a book)"})
    try:
        with urllib.request.urlopen(asked, timeout=seconds) as reply:
            return False, str(reply.status)
    except urllib.error.HTTPError as error:
        return error.code not in REFUSALS and error.code < 500, str(error.code)
    except (OSError, ValueError) as error:
        return "Name or service not known" in str(error), str(error)


def main() -> int:
    """Print what leads nowhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("html", nargs="?", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--online", action="store_true", help="also ask every other host")
    options = parser.parse_args()
    gone = [*broken(options.html), *broken_in_repository()]
    if options.online:
        addresses = sorted(outside(options.html))
        with ThreadPoolExecutor(8) as pool:
            for address, (lost, text) in zip(addresses, pool.map(answer, addresses), strict=True):
                if text != "200":
                    print(f"{'gone' if lost else 'no answer for a robot'}: {address} ({text})", flush=True)
                gone += [address] * lost
        print(f"{len(addresses)} addresses asked")
    print("\n".join(gone) or "every link inside leads somewhere")
    return int(bool(gone))


if __name__ == "__main__":
    sys.exit(main())
