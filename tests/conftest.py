"""What several test files share: the built book, the browser, what a page does when it is opened."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from cape_lib.imports import IRI, without

#: how many examples a property is tried on: "full" in `make test`, "check" (--hypothesis-profile=check) in `make check`
settings.register_profile("full", max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("check", settings.get_profile("full"), max_examples=10)
settings.load_profile("full")

ROOT = Path(__file__).resolve().parents[1]
with without(IRI):  # every test process saves two seconds
    importlib.import_module("nbformat")

#: The files that take longest, longest first: begun at the end, one of them would keep one process busy alone.
LONGEST = """
pages/test_pages test_colab test_family test_faults pages/test_dashboard test_again test_goldens test_sweep
lm/test_testbed test_variants test_axes test_story lm/test_protocol test_own_pages test_properties
"""


def pytest_configure() -> None:
    """Tests that a shell put in the background ignore Ctrl-C, and so would the commands that they interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; `make` has them handed out in this order (`--no-loadscope-reorder`)."""
    rank = {ROOT / "tests" / f"{name}.py": place for place, name in enumerate(LONGEST.split())}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def book_html() -> Path:
    """Folder of the built pages; built by the same function as `make book`, once for all test processes.

    CAPE_BOOK_HTML names a book that is built already, for instance a published one.
    """
    from cape_lib.report import publish

    if built := os.environ.get("CAPE_BOOK_HTML"):
        return Path(built)
    return publish.book(ROOT / "_build", quiet=True).parent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium. Without one the tests fail: `make test` installs it."""
    from browser import installed
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"])
        except Error:
            pytest.fail("no browser that starts: `make browser` gets one, CAPE_CHROMIUM=PATH names one", pytrace=False)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(path, width=1440, scheme="light")` opens a file for one test, see `browser.opener`."""
    from browser import opener

    with opener(chromium) as opened:
        yield opened
