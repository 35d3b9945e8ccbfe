"""The built chapters of the story: short enough to be read to the end, and everything in the audit reachable."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import opener

pytestmark = [pytest.mark.page, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("[01][0-9]_*.ipynb") if path.stem[:2] != "00")
AUDITS = sorted(path.stem for path in (ROOT / "notebooks" / "audit").glob("*.ipynb"))

MOST_WORDS, MOST_FIGURES, MOST_BOXES, MOST_HEIGHT = 1200, 6, 3, 6500
#: What a reader reads: prose, without code, figures, tables, verdict boxes and what is folded.
WORDS = """() => { const read = document.querySelector('article.bd-article').cloneNode(true);
  read.querySelectorAll('script, style, pre, figure, table, nav, .cape-verdict, .headerlink, math, button, ' +
    'details:not([open]) > *:not(summary)').forEach(part => part.remove());
  return read.textContent.trim().split(/\\s+/).length; }"""


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(book_html: Path, chromium: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A chapter of the story, opened once."""
    with opener(chromium) as opened:
        yield opened(book_html / "notebooks" / f"{request.param}.html")


def test_a_chapter_is_short(chapter: Any) -> None:
    assert chapter.evaluate(WORDS) <= MOST_WORDS
    assert chapter.locator("article figure.cape-figure").count() <= MOST_FIGURES
    assert chapter.locator("article details.cape-verdict").count() <= MOST_BOXES
    assert chapter.evaluate("document.documentElement.scrollHeight") < MOST_HEIGHT


def test_the_answer_stands_first_with_its_grade(chapter: Any) -> None:
    first = chapter.evaluate("document.querySelector('article .cell .cell_output').innerText")
    assert first.startswith(chapter.inner_text(".cape-answer > p"))
    grade = r"^(Experiment|Replicated|Correlation|Single case|Arithmetic) \("
    assert re.search(grade, chapter.inner_text(".cape-answer .cape-grade"))
    assert chapter.locator(".cape-remember li").count() == 3


@pytest.mark.parametrize("name", AUDITS)
def test_every_section_of_an_audit_is_reached_from_its_chapter(book_html: Path, name: str) -> None:
    chapter, audit = (
        (book_html / "notebooks" / place / f"{name}.html").read_text(encoding="utf-8") for place in ("", "audit")
    )
    sections = re.findall(r'<section id="([^"]+)">\s*(?:<span[^>]*></span>)*<h2>', audit)
    linked = set(re.findall(rf'href="audit/{name}\.html#([^"]+)"', chapter))
    assert sections and [section for section in sections if section not in linked] == []
    targets = set(re.findall(r'\bid="([^"]+)"', audit))
    assert [anchor for anchor in linked if anchor not in targets] == []


def test_no_page_prints_a_warning_of_a_library(book_html: Path) -> None:
    printed = [path.stem for path in book_html.rglob("*.html") if "output stderr" in path.read_text(encoding="utf-8")]
    assert printed == []


def test_the_switch_opens_all_code_and_remembers_it(book_html: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(book_html / "notebooks" / "01_coupling.html")
    folded, opened = ".cell details.above-input:not([open])", ".cell details.above-input[open]"
    assert page.locator(opened).count() == 0
    count = page.locator(folded).count()
    page.click(".cape-code-switch")
    assert page.locator(opened).count() == count > 3
    page.reload()
    assert page.get_attribute(".cape-code-switch", "aria-pressed") == "true"
    page.click(".cape-code-switch")
    assert page.locator(folded).count() == count


def test_a_figure_is_saved_as_a_picture_with_its_words(book_html: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(book_html / "notebooks" / "01_coupling.html")
    page.evaluate("() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); }")
    with page.expect_download() as download:
        page.locator("button.cape-picture").first.click()
    png = Path(download.value.path()).read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    chart = page.evaluate("(() => { const s = document.querySelector('.cape-view svg'); return s.clientHeight; })()")
    assert png[:4] == b"\x89PNG" and width >= 800 and height > 2 * chart


@pytest.mark.parametrize("name", ["book/intro", *(f"notebooks/{name}" for name in CHAPTERS)])
def test_a_link_to_a_page_shows_its_answer_and_a_picture(book_html: Path, name: str) -> None:
    text = (book_html / f"{name}.html").read_text(encoding="utf-8")
    head = text.partition("</head>")[0]
    message = dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)">', head))
    assert len(message["og:description"]) > 40 and message["og:url"].endswith(f"{name}.html")
    picture = book_html / message["og:image"].split("/", 4)[4]
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (1200, 630)


def test_the_form_of_the_first_page_tells_the_base_rate_and_leads_to_the_diagnosis(
    book_html: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page(book_html / "book" / "intro.html")
    page.fill("input[name=params_b]", "1")
    assert re.search(r"Near .* B, \d+ of \d+ known steps", page.inner_text(".cape-yours-rate"))
    page.fill("input[name=hellaswag]", "49.7")
    page.fill("input[name=truthfulqa]", "38.9")
    page.click(".cape-yours-go")
    page.wait_for_selector(".cape-dash[data-ready]")
    shown = json.loads(page.evaluate("decodeURIComponent(location.hash.slice(3))"))
    assert shown == {"tab": "model", "row": {"params_b": "1", "hellaswag": "49.7", "truthfulqa": "38.9"}}
    assert page.complaints == []
