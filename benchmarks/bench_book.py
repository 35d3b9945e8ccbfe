"""The book's speed and weight, against its budget: `python benchmarks/bench_book.py [--write]`.

Builds the book in a folder of its own, twice (fresh, then with nothing changed), serves it on localhost and opens every
page. `--write` keeps the tables in `benchmarks/book.md`. Budget on two cores: fresh 90 s, nothing changed 15 s, a page
150 kB gzip without the shared scripts and pictures, its charts ready 1 s after the load.
"""

from __future__ import annotations

import functools
import gzip
import http.server
import os
import platform
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

#: Scripts that many pages share and a browser keeps: charts, formulas, and the theme's own files.
SHARED = ("cape-vega.js", "/mathjax/")
PICTURES = (".png", ".svg", ".ico", ".woff", ".woff2")
#: Milliseconds from the first request until the last figure says that it is ready.
CLOCK = """addEventListener('DOMContentLoaded', () => { const look = () => {
  const figures = [...document.querySelectorAll('figure.cape-figure')];
  if (figures.every(f => f.dataset.ready)) window.capeReady = performance.now();
  else setTimeout(look, 2); }; look(); });"""


def timed_builds(out: Path) -> dict[str, tuple[float, float]]:
    """Wall and processor seconds of a fresh build and of one with nothing changed."""
    from cape_lib import publish

    taken = {}
    for what, fresh in (("fresh", True), ("nothing changed", False)):
        wall, before = time.perf_counter(), sum(os.times()[:4])
        publish.book(out, fresh=fresh, quiet=True)
        taken[what] = (time.perf_counter() - wall, sum(os.times()[:4]) - before)
    return taken


def opened_pages(html: Path) -> list[dict[str, Any]]:
    """For every page: kilobytes (gzip) of the page, of all it loads but what is shared, figures, ms until ready."""
    from browser import installed
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        for path in sorted([*html.glob("book/*.html"), *html.glob("notebooks/*.html")]):
            context = browser.new_context()
            context.add_init_script(CLOCK)
            page, loaded = context.new_page(), []
            page.on("request", lambda request, loaded=loaded: loaded.append(urlparse(request.url).path))
            name = path.relative_to(html).as_posix()
            page.goto(f"{base}/{name}", wait_until="load")
            page.wait_for_function("window.capeReady !== undefined")
            own = [asked for asked in dict.fromkeys(loaded) if not asked.endswith(PICTURES)]
            own = [asked for asked in own if not any(shared in asked for shared in SHARED)]
            rows.append(
                {
                    "page": name.removesuffix(".html"),
                    "page kB": _kilobytes(path),
                    "all kB": sum(_kilobytes(html / unquote(asked).lstrip("/")) for asked in own),
                    "figures": page.locator("figure.cape-figure").count(),
                    "ready ms": page.evaluate("window.capeReady"),
                }
            )
            context.close()
        browser.close()
    server.shutdown()
    return rows


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _kilobytes(path: Path) -> float:
    return len(gzip.compress(path.read_bytes())) / 1000 if path.is_file() else 0.0


def tables(builds: dict[str, tuple[float, float]], rows: list[dict[str, Any]]) -> str:
    """Both tables as Markdown."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    lines = [f"# Speed and size of the book\n\nMeasured by `benchmarks/bench_book.py` on {machine}.\n"]
    lines += ["| build | wall, s | processor, s | budget, s |", "|---|---:|---:|---:|"]
    budget = {"fresh": 90, "nothing changed": 15}
    lines += [f"| {what} | {wall:.1f} | {cpu:.1f} | {budget[what]} |" for what, (wall, cpu) in builds.items()]
    lines += [
        "\n| page | kB | kB with styles and scripts | figures | ready, ms |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = f"{row['page kB']:.0f} | {row['all kB']:.0f} | {row['figures']} | {row['ready ms']:.0f}"
        lines.append(f"| {row['page']} | {cells} |")
    lines.append(
        "\nkB are gzip; ready counts from the first request. Not counted: pictures, fonts, the chart bundle (305 kB) "
        "and MathJax (265 kB), which all pages share and a page loads only if it holds a figure or a formula. "
        "Budget: 150 kB a page, 1,000 ms."
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        builds = timed_builds(Path(folder))
        text = tables(builds, opened_pages(Path(folder) / "html"))
    print(text)
    if "--write" in sys.argv[1:]:
        (ROOT / "benchmarks" / "book.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
