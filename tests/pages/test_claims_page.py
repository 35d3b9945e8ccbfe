"""The page of all claims: its counts are the code's, its controls work, and no link of it or to it dangles."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cape_lib import claims

pytestmark = pytest.mark.page
SHOWN = "[...document.querySelectorAll('.cape-ledger-rows > details:not([hidden])')]"


@pytest.fixture(scope="module")
def verdicts() -> list[claims.Verdict]:
    return claims.evaluate()


@pytest.fixture(scope="module")
def every(verdicts: list[claims.Verdict]) -> list[claims.Verdict]:
    """Those of the announcement and the papers, then those of this book."""
    return [*verdicts, *claims.evaluate(claims.own_claim_ids())]


@pytest.fixture
def page(book_html: Path, open_page: Callable[..., Any]) -> Any:
    opened = open_page(book_html / "notebooks" / "audit" / "08_claims.html")
    opened.wait_for_selector(".cape-ledger-controls:not([hidden])")
    return opened


def ids(page: Any) -> list[str]:
    return page.evaluate(f"{SHOWN}.map(row => row.id)")


def test_the_page_counts_what_the_code_counts(page, every):
    assert ids(page) == claims.claim_ids() + claims.own_claim_ids()
    on_page = Counter(page.evaluate(f"{SHOWN}.map(row => row.dataset.verdict)"))
    assert on_page == Counter(one.verdict for one in every)
    by_source = page.evaluate(f"{SHOWN}.map(row => row.dataset.source + '|' + row.dataset.verdict)")
    assert Counter(by_source) == Counter(f"{one.source}|{one.verdict}" for one in every)
    own = len(claims.own_claim_ids())
    assert page.inner_text(".cape-ledger-count") == f"{len(every)} of {len(every)} claims, {own} of them this book's"


def test_every_row_shows_the_word_and_the_shape_of_its_verdict(page, every):
    marks = "[...row.querySelectorAll('summary .cape-verdict-word')].slice(0, 2).map(mark => mark.textContent)"
    words = page.evaluate(f"{SHOWN}.map(row => {marks})")
    assert words == [[f"{claims.SHAPES[w]} {w}" for w in (one.verdict, one.conclusion)] for one in every]


def test_search_filter_and_sort_leave_what_was_asked_for(page, every):
    page.fill("input[name=search]", "gemma")
    assert "C37" in ids(page) and len(ids(page)) < 20
    page.fill("input[name=search]", "no such words at all")
    assert ids(page) == [] and page.inner_text(".cape-ledger-count") == f"0 of {len(every)} claims"
    page.fill("input[name=search]", "")
    page.select_option("select[name=verdict]", "differs")
    page.select_option("select[name=chapter]", "06")
    wanted = [one.id for one in every if one.verdict == "differs" and one.chapter == "06"]
    assert ids(page) == wanted
    page.select_option("select[name=verdict]", "")
    page.select_option("select[name=conclusion]", "wrong data")
    assert ids(page) == [one.id for one in every if one.conclusion == "wrong data" and one.chapter == "06"]
    page.select_option("select[name=conclusion]", "")
    page.select_option("select[name=chapter]", "")
    page.select_option("select[name=sort]", "chapter")
    chapters = page.evaluate(f"{SHOWN}.map(row => row.dataset.chapter)")
    assert chapters == sorted(chapters) and len(chapters) == len(every)


def test_a_reader_can_leave_this_books_own_claims_alone(page):
    page.select_option("select[name=source]", claims.OURS)
    assert ids(page) == claims.own_claim_ids()
    page.select_option("select[name=source]", "announcement")
    assert "this book" not in page.inner_text(".cape-ledger-count")


def test_a_link_to_a_claim_opens_its_row(page):
    page.evaluate("location.hash = '#C26'")
    page.wait_for_function("document.getElementById('C26').open")
    assert "h of Claude Sonnet 4.6" in page.inner_text("#C26")


def test_the_rows_shown_can_be_downloaded_as_csv_and_json(page, verdicts):
    page.select_option("select[name=verdict]", "not testable")
    wanted = [one.id for one in verdicts if one.verdict == "not testable"]
    with page.expect_download() as got:
        page.click("button[name=json]")
    assert [record["id"] for record in json.loads(Path(got.value.path()).read_text("utf-8"))] == wanted
    with page.expect_download() as got:
        page.click("button[name=csv]")
    rows = list(csv.DictReader(io.StringIO(Path(got.value.path()).read_text("utf-8"))))
    assert [row["id"] for row in rows] == wanted and all(row["verdict"] == "not testable" for row in rows)


def test_no_link_between_claims_and_chapters_dangles(book_html, every):
    pages = {file.stem: file.read_text("utf-8") for file in (book_html / "notebooks" / "audit").glob("*.html")}
    anchors = {name: set(re.findall(r'\bid="([^"]+)"', text)) for name, text in pages.items()}
    for one in every:
        name, _, anchor = claims.where(one.id)["chapter_link"].removeprefix("../notebooks/audit/").partition(".html#")
        assert anchor in anchors[name], f"{one.id} has no box in {name}"
        assert one.id in anchors["08_claims"]
    for name, text in pages.items():
        for anchor in re.findall(r"08_claims\.html#([A-Za-z0-9-]+)", text):
            assert anchor in anchors["08_claims"], f"{name} links to a claim {anchor}"


def test_every_link_of_a_row_to_the_data_page_arrives(book_html):
    rows = (book_html / "notebooks" / "audit" / "08_claims.html").read_text("utf-8")
    data = (book_html / "book" / "data.html").read_text("utf-8")
    for anchor in set(re.findall(r"book/data\.html#([a-z-]+)", rows)):
        assert f'id="{anchor}"' in data, anchor


def test_the_page_needs_no_other_host_and_fits_a_phone(book_html, open_page):
    page = open_page(book_html / "notebooks" / "audit" / "08_claims.html", width=390)
    page.click("button[name=open]")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.requests == [] and page.complaints == []
