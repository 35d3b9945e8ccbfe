"""The engine of the dashboard in a browser, without the book: scripts and kit on an empty page."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from cape_lib.diagnosis import kit

SCRIPTS = Path(__file__).resolve().parents[2] / "book" / "_static" / "dashboard"
#: what this much below zero or near zero differs in rounding alone
FLOOR = 1e-11


def chromium() -> str | None:
    """The browser to drive: an installed chromium, else Playwright's own (None)."""
    return os.environ.get("CAPE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browser_page(**context: Any) -> Iterator[Page]:
    """An empty page in headless Chromium that reaches no host."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield browser.new_context(offline=True, **context).new_page()
        finally:
            browser.close()


def load_engine(page: Page) -> None:
    """The scripts that compute, in the order of the page, and the kit."""
    from cape_lib.diagnosis.page import SCRIPTS as names

    for name in names:
        if name != "page.js":
            page.add_script_tag(content=(SCRIPTS / name).read_text(encoding="utf-8"))
    page.evaluate("kit => { Cape.kit = kit; Cape.numbers.use(kit); Cape.wording.use(kit); }", json.loads(json.dumps(kit())))


def differences(ours: Any, theirs: Any, path: str = "", relative: float = 1e-9) -> list[str]:
    """Every place where two plain results differ: numbers by more than `relative`, all else at all."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{path}: keys {set(ours) ^ set(theirs)}"] if set(ours) != set(theirs) else []
        return found + [line for key in ours if key in theirs for line in differences(ours[key], theirs[key], f"{path}.{key}", relative)]
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return [f"{path}: {len(ours)} and {len(theirs)} items"]
        return [line for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) for line in differences(a, b, f"{path}[{i}]", relative)]
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in (ours, theirs)]
    if all(numbers):
        same = math.isclose(ours, theirs, rel_tol=relative, abs_tol=FLOOR)
        return [] if same else [f"{path}: {ours!r} and {theirs!r}"]
    return [] if ours == theirs else [f"{path}: {ours!r} and {theirs!r}"]
