"""The dashboard's speed in a browser: `python -m benchmarks dashboard` prints one table.

First paint, ready, and the update after a keystroke (median of 20), of the dashboard alone in a page. Budget: an update
in 50 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.row import Row

sys.path.insert(0, str(ROOT / "tests"))

EXAMPLES = ("pythia-1b", "pythia", "opus-4.6", "commonsense")
NAMES = [f"dashboard: {what}" for what in ("first paint", "ready", *(f"update, {key}" for key in EXAMPLES))]
KEYSTROKES = """() => { const open = document.querySelector('.cape-dash [role=tabpanel]:not([hidden])');
  const field = open.querySelector('tbody input') || open.querySelector('input');
  return Array.from({ length: 20 }, (_, i) => { field.value = i % 2 ? "7" : "8";
    field.dispatchEvent(new Event("input", { bubbles: true })); return Cape.page.lastUpdate; }); }"""


def measure(page_file: Path) -> dict[str, float]:
    """Milliseconds: first paint, the page ready, and the median update of each example."""
    from browser import installed
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.goto(page_file.resolve().as_uri())
        page.wait_for_selector(".cape-dash[data-ready]")
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
        result = {"first paint": page.evaluate(paint), "ready": page.evaluate("performance.now()")}
        for key in EXAMPLES:
            page.click(f"[data-example='{key}']")
            result[f"update, {key}"] = statistics.median(page.evaluate(KEYSTROKES))
        browser.close()
    return result


def rows() -> Iterator[Row]:
    """One row a figure."""
    from cape_lib.dashboard.page import inline

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dashboard.html"
        file.write_text(inline(), encoding="utf-8")
        for name, value in measure(file).items():
            yield Row(f"dashboard: {name}", value)
