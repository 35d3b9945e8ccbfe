"""The book's speed and weight: `python -m benchmarks book pages` prints one table.

Builds the book in a folder of its own, twice (fresh, then with nothing changed), serves it on localhost and opens every
page. A page weighs what it loads and no other page does, in gzip, without pictures and fonts; what several pages load
(the theme's styles and scripts, charts, formulas), which a browser keeps, is weighed once. Budget on two cores: fresh
120 s, nothing changed 15 s, a page 150 kB, what all pages share 150 kB, charts ready 1 s after the load, a slider
answered in 50 ms. `CAPE_BOOK_HTML` names a built book whose pages are to be measured in place of a fresh one.
"""

from __future__ import annotations

import atexit
import functools
import gzip
import http.server
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from benchmarks.processes import ROOT, anchor
from benchmarks.row import Row

sys.path.insert(0, str(ROOT / "tests"))

PICTURES = (".png", ".svg", ".ico", ".woff", ".woff2")
BUILDS = {"book, fresh": True, "book, nothing changed": False}
SHARED = ("shared by all pages", "shared by pages with figures or formulas")
SLOWEST = ("figures after the load, slowest page", "figures, main thread, slowest page", "slider, slowest figure")
#: Milliseconds from the first request until the last figure says that it is ready.
CLOCK = """addEventListener('DOMContentLoaded', () => { const look = () => {
  const figures = [...document.querySelectorAll('figure.cape-figure')];
  if (figures.every(f => f.dataset.ready)) window.capeReady = performance.now();
  else setTimeout(look, 2); }; look(); });"""
#: Milliseconds from a slider's move until its figure is drawn: the median of 20 moves, for the slowest of a page.
MOVES = """async () => { const medians = [0];
  for (const input of document.querySelectorAll('figure.cape-figure input[type=range]')) {
    const views = input.closest('figure').capeViews, times = [], ends = [input.min, input.max];
    for (let i = 0; i < 20; i++) {
      input.value = ends[i % 2];
      const start = performance.now();
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await Promise.all(views.map(view => view.runAsync()));
      times.push(performance.now() - start);
    }
    medians.push(times.sort((a, b) => a - b)[10]);
  }
  return Math.max(...medians); }"""


def listed(setting: str = "_toc.yml") -> list[str]:
    """The pages of the table of contents."""
    return re.findall(r"^\s*(?:-\s*)?(?:file|root):\s*(\S+)", (ROOT / setting).read_text(encoding="utf-8"), re.M)


def chapters() -> list[str]:
    """The pages that are executed."""
    return [name for name in listed() if (ROOT / f"{name}.ipynb").is_file()]


def book_names() -> list[str]:
    """The names of `book_rows`."""
    return [*BUILDS, *(f"chapter {name}" for name in chapters())]


def page_names() -> list[str]:
    """The names of `page_rows`."""
    return [*(f"page {name}" for name in listed()), *SHARED, *SLOWEST]


@cache
def _built() -> tuple[Path, dict[str, tuple[float, float]]]:
    """A folder with the book, and the wall and processor seconds of a fresh build and of one with nothing changed."""
    from cape_lib.report import publish

    folder = Path(tempfile.mkdtemp(prefix="cape-book-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    taken = {}
    for what, fresh in BUILDS.items():
        wall, before = time.perf_counter(), sum(os.times()[:4])
        publish.book(folder, fresh=fresh, quiet=True)
        taken[what] = (time.perf_counter() - wall, sum(os.times()[:4]) - before)
    return folder, taken


def book_rows() -> Iterator[Row]:
    """Both builds, then each chapter: its wall seconds, and how many times those of the mean chapter they are."""
    folder, taken = _built()
    for what, (wall, processor) in taken.items():
        yield Row(what, wall, processor / anchor())
    rest = {name: folder / "executed" / f"{name.replace('/', '--')}.json" for name in chapters()}
    seconds = {name: json.loads(path.read_text(encoding="utf-8"))["seconds"] for name, path in rest.items()}
    for name, value in seconds.items():
        yield Row(f"chapter {name}", value, value * len(seconds) / sum(seconds.values()))


def page_rows() -> Iterator[Row]:
    """Every page's own weight, then what pages share, the slowest page and the slowest slider."""
    options = os.environ.get("CAPE_BOOK_HTML")
    html = Path(options) if options else _built()[0] / "html"
    result = opened_pages(html)
    times = Counter(name for page in result for name in page["loads"])
    weight = {name: _kilobytes(html / name) for name in times}
    for page in result:
        own = sum(weight[name] for name in page["loads"] if times[name] == 1)
        yield Row(f"page {page['page']}", own, own)
    everywhere = sum(weight[name] for name in times if times[name] == len(result))
    somewhere = sum(weight[name] for name in times if 1 < times[name] < len(result))
    for name, shared in zip(SHARED, (everywhere, somewhere), strict=True):
        yield Row(name, shared, shared)
    for name, key in zip(SLOWEST, ("after", "busy", "slider"), strict=True):
        yield Row(name, max(page[key] for page in result))


def opened_pages(html: Path) -> list[dict[str, Any]]:
    """For every page: what it loads but pictures and fonts, and in ms: load to ready, main thread, slowest slider."""
    from browser import installed
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    result = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        for name in listed():
            first, second = (_visit(browser, f"{base}/{name}.html") for _ in range(2))
            result.append({"page": name} | {key: min(first[key], second[key]) for key in first if key != "loads"})
            result[-1]["loads"] = first["loads"]
        browser.close()
    server.shutdown()
    return result


def _visit(browser: Any, address: str) -> dict[str, Any]:
    """One page as a first visitor gets it: nothing is kept from other pages."""
    context = browser.new_context()
    context.add_init_script(CLOCK)
    page, loaded = context.new_page(), []
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.on("request", lambda request: loaded.append(urlparse(request.url).path))
    page.goto(address, wait_until="load")
    page.wait_for_function("window.capeReady !== undefined")
    files = {unquote(asked).lstrip("/") for asked in loaded if not asked.endswith(PICTURES)}
    metrics = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
    after = page.evaluate("Math.max(0, capeReady - performance.getEntriesByType('navigation')[0].loadEventEnd)")
    seen = {"loads": files, "after": after, "busy": 1000 * metrics["TaskDuration"], "slider": page.evaluate(MOVES)}
    context.close()
    return seen


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _kilobytes(path: Path) -> float:
    return len(gzip.compress(path.read_bytes())) / 1000 if path.is_file() else 0.0
