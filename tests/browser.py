"""The browser of the page tests: an installed Chromium where it runs, else Playwright's own; `--install` gets one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def installed() -> str | None:
    """Path of a Chromium on this machine that starts (a transitional package of a distribution may not)."""
    for name in (os.environ.get("CAPE_CHROMIUM"), *NAMES):
        path = name and shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None


@contextmanager
def opener(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`opened(path, width=1440, scheme="light")` opens a file; the page keeps `requests` and `complaints`.

    Every request to another host is noted and refused. The pages are closed at the end of the `with`.
    """
    contexts = []

    def opened(path: Path, *, width: int = 1440, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.requests, page.complaints = [], []
        context.route("**/*", lambda route: _local_only(route, page))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda line: page.complaints.extend([line.text] * (line.type in ("error", "warning"))))
        page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url}"))
        page.goto(path.resolve().as_uri(), wait_until="load")
        page.wait_for_function(
            "[...document.querySelectorAll('figure.cape-figure')].every(f => f.dataset.ready || f.dataset.error)"
        )
        return page

    yield opened
    for context in contexts:
        context.close()


def _local_only(route: Any, page: Any) -> None:
    if route.request.url.startswith(("file:", "data:", "blob:", "about:")):
        route.continue_()
    else:
        page.requests.append(route.request.url)
        route.abort()


def _starts() -> bool:
    """Whether Playwright can start the browser that the tests will use."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=installed(), args=["--no-sandbox"]).close()
    except Error:
        return False
    return True


def install() -> int:
    """Get a browser if there is none: by apt where possible, else Playwright's own. Returns an exit code."""
    if _starts():
        return 0
    root = [] if os.geteuid() == 0 else ["sudo", "-n"] if shutil.which("sudo") else None
    if shutil.which("apt-get") and root is not None:
        print("installing Chromium by apt-get", flush=True)
        subprocess.run([*root, "apt-get", "update", "-qq"], check=False)
        subprocess.run([*root, "apt-get", "install", "-y", "-qq", "chromium"], check=False)
        if _starts():
            return 0
    print("installing Playwright's own Chromium", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if root is not None and not _starts():
        subprocess.run([*root, sys.executable, "-m", "playwright", "install-deps", "chromium"], check=False)
    if _starts():
        return 0
    print("no browser: install Chromium, or name one: CAPE_CHROMIUM=/path/to/chromium make test", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(install() if sys.argv[1:] == ["--install"] else print(installed() or "Playwright's own"))
