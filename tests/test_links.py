"""No link leads nowhere, between the built pages and in the repository's Markdown. Other hosts are asked nightly."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import links
import pytest


@pytest.mark.page
@pytest.mark.timeout(600)
def test_every_link_between_the_pages_leads_to_a_page_and_to_a_place_on_it(book_html: Path) -> None:
    assert list(links.broken(book_html)) == []


def test_every_link_of_the_repository_leads_to_a_file() -> None:
    assert links.markdown_files()
    assert list(links.broken_in_repository()) == []


def test_a_missing_page_and_a_missing_place_are_found(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text(
        '<a href="two.html#there">a</a> <a href="two.html#gone">b</a> <a href="three.html">c</a> <a href="#here">d</a>'
        '<p id="here"></p><script>"<a href=\'no.html\'>"</script><a href="https://example.org/x#y">e</a>',
        encoding="utf-8",
    )
    (tmp_path / "two.html").write_text('<h1 id="there">Two</h1>', encoding="utf-8")
    assert list(links.broken(tmp_path)) == ["one.html: two.html#gone", "one.html: three.html"]
    assert "https://example.org/x" in links.outside(tmp_path)


class _Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_an_address_is_gone_only_if_its_host_says_so() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    dead = {code: links.answer(f"{base}/{code}")[0] for code in (200, 403, 404, 410, 503)}
    server.shutdown()
    assert dead == {200: False, 403: False, 404: True, 410: True, 503: False}
