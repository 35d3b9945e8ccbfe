"""Every built page in headless Chromium, from the file, with every other host refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from browser import opener

pytestmark = [pytest.mark.page, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
LISTED = re.findall(r"^\s*(?:-\s*)?(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"), re.M)
PAGES = [*LISTED, "search"]

#: Findings of axe that the theme brings along on every page and that are not ours to mend.
OF_THE_THEME = ["label-content-name-mismatch", "region", "landmark-unique", "landmark-no-duplicate-banner"]

UNLABELLED = """() => [...document.querySelectorAll('input, select, textarea, button')].filter(e =>
    e.type !== 'hidden' && getComputedStyle(e).display !== 'none' && !(e.labels && e.labels.length) &&
    !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.title && !e.textContent.trim())
  .map(e => e.outerHTML.slice(0, 120))"""
REPEATED = """() => { const seen = {};
  document.querySelectorAll('[id]').forEach(e => seen[e.id] = (seen[e.id] || 0) + 1);
  return Object.keys(seen).filter(id => seen[id] > 1); }"""
#: Contrast of the axis and legend texts of every chart with the page behind them.
FAINT = """() => {
  const light = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
      .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const roles = '.role-axis-label text, .role-axis-title text, .role-legend-label text, .role-legend-title text';
  return [...document.querySelectorAll('.cape-view svg')].flatMap(svg => [...svg.querySelectorAll(roles)])
    .filter(t => { const ink = light(getComputedStyle(t).fill);
      return (Math.max(ink, page) + .05) / (Math.min(ink, page) + .05) < 4.5; }).map(t => t.textContent); }"""
#: Words that a reader sees, code and formulas left out, in which a hyphen stands for a minus.
HYPHENS = """() => { const found = [], deep = 'pre, code, script, style, math, textarea, .sig';
  const walk = document.createTreeWalker(document.querySelector('main') || document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const text = walk.currentNode.textContent;
    if (/(^|[\\s([=:,;<>~±])-\\.?\\d/.test(text) && !walk.currentNode.parentElement.closest(deep))
      found.push(text.trim().slice(0, 90)); }
  return found; }"""
#: Scales of the page's charts in which two of the three phase colours stand for other words than the phases, or labs.
TWICE = """() => { const phase = ['#D55E00', '#8C8C8C', '#009E73'], known = ['tax', 'transition', 'bonus'], found = [];
  document.querySelectorAll('figure.cape-figure').forEach(figure => {
    const look = node => { if (!node || typeof node !== 'object') return;
      if (node.field !== 'lab' && node.scale && Array.isArray(node.scale.range) && Array.isArray(node.scale.domain) &&
          node.scale.range.filter(colour => phase.includes(colour)).length > 1 &&
          !node.scale.domain.every(word => known.includes(word))) found.push(figure.id + ' ' + node.field);
      Object.keys(node).forEach(key => { if (key !== 'data') look(node[key]); }); };
    look(JSON.parse(figure.querySelector("script[type='application/json']").textContent)); });
  return found; }"""
#: Tables that are wider than their place and do not show it, or that no key reaches.
NO_CUE = """() => [...document.querySelectorAll('main table')].map(table => {
    let box = table.parentElement;
    const still = node => node && node.tagName !== "MAIN" && !/auto|scroll/.test(getComputedStyle(node).overflowX);
    while (still(box)) box = box.parentElement;
    return box && box.tagName !== 'MAIN' && box.clientWidth && box.scrollWidth > box.clientWidth + 1 ? box : null; })
  .filter(box => box && !(getComputedStyle(box).backgroundAttachment.includes('local') && box.tabIndex === 0))
  .map(box => box.className + ' ' + box.textContent.trim().slice(0, 60))"""
#: Names of rows in several lines that come nearer to the next name than their own lines lie apart.
TOUCHING = """() => [...document.querySelectorAll('.cape-view svg .role-axis-label')].flatMap(axis => {
  const names = [...axis.children].filter(one => one.getAttribute('text-anchor') === 'end')
    .map(one => [one.getBoundingClientRect(), one.textContent]).filter(one => one[0].height > 0)
    .sort((one, other) => one[0].top - other[0].top);
  return names.slice(1).filter((one, at) => one[0].top - names[at][0].bottom < 4 &&
    Math.max(one[0].height, names[at][0].height) > 20).map(one => axis.closest('figure').id + ' ' + one[1]); })"""
SVG = "figure => [...figure.querySelectorAll('.cape-view svg')].map(svg => svg.innerHTML).join('')"


@pytest.fixture(scope="module", params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def desk(book_html: Path, chromium: Any, name: str) -> Iterator[Any]:
    """A page on a wide screen, opened once for all tests that only look at it."""
    with opener(chromium) as opened:
        yield opened(book_html / f"{name}.html")


@pytest.fixture(scope="module")
def phone(book_html: Path, chromium: Any, name: str) -> Iterator[Any]:
    """A page on a phone at night, opened once; the last test on it unfolds what is folded."""
    with opener(chromium) as opened:
        yield opened(book_html / f"{name}.html", width=390, scheme="dark")


def test_page_asks_no_other_host_and_says_no_error(desk: Any) -> None:
    assert desk.requests == []
    assert desk.complaints == []


def test_every_figure_is_drawn_and_described(desk: Any) -> None:
    for figure in desk.locator("figure.cape-figure").all():
        assert figure.get_attribute("data-error") is None
        assert figure.locator(".cape-view svg").count() == figure.locator(".cape-view").count()
        assert len(figure.locator("[role=img]").get_attribute("aria-label") or "") > 20
        assert re.search(r"n = .+Source: .+", figure.locator("figcaption").inner_text())


def test_every_input_has_a_label_and_every_identifier_is_unique(desk: Any) -> None:
    assert desk.evaluate(UNLABELLED) == []
    assert desk.evaluate(REPEATED) == []


def test_a_minus_is_a_minus(desk: Any) -> None:
    assert desk.evaluate(HYPHENS) == []


def test_the_colours_of_the_phases_stand_for_phases(desk: Any) -> None:
    assert desk.evaluate(TWICE) == []


def test_every_icon_of_the_theme_has_its_picture(desk: Any) -> None:
    bare = """() => [...document.querySelectorAll('i[class*="fa-"]')]
        .filter(i => !getComputedStyle(i).getPropertyValue('--cape-icon')).map(i => i.className)"""
    assert desk.evaluate(bare) == []
    assert desk.locator("i[class*='fa-']").count() > 4


def fits(page: Any, width: int, scheme: str) -> None:
    """Hold a page to its screen: nothing beyond its edge, charts inside it and with enough contrast."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert page.complaints == []
    assert page.evaluate(FAINT) == []
    wide = "[...document.querySelectorAll('.cape-view svg')].filter(s => s.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{wide}.map(s => s.closest('figure').id)") == []


def turned(page: Any, scheme: str) -> Any:
    """The page after the reader's system has turned to the other colour scheme, its charts drawn anew."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    page.wait_for_timeout(300)
    page.wait_for_function(
        "[...document.querySelectorAll('figure.cape-figure')].every(f => f.dataset.ready || f.dataset.error)"
    )
    return page


def test_page_fits_a_wide_screen_and_its_charts_are_readable(desk: Any) -> None:
    fits(desk, 1440, "light")


def test_page_fits_a_phone_in_the_dark_and_its_charts_are_readable(phone: Any) -> None:
    fits(phone, 390, "dark")


def test_assistive_technology_finds_nothing_to_complain_of(desk: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # no second load of the style sheets: a page that is opened from a file may not ask for them
    rules = {"preload": False, "rules": {rule: {"enabled": False} for rule in OF_THE_THEME}}
    marks = {"exclude": [[".cape-view svg g"]]}  # each chart is one picture with its text; FAINT looks into it
    rules["resultTypes"] = ["violations"]  # what passes is not written down: that saves a third of the time
    violations = Axe().run(desk, context=marks, options=rules).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]][:3]) for rule in violations] == []


def test_a_page_that_turns_dark_or_light_fits_its_screen_and_its_charts_stay_readable(desk: Any, phone: Any) -> None:
    fits(turned(desk, "dark"), 1440, "dark")
    fits(turned(phone, "light"), 390, "light")


def test_rows_of_a_figure_are_downloaded_as_csv(desk: Any, tmp_path: Path) -> None:
    import pandas as pd

    for figure in desk.locator("figure.cape-figure").all()[:3]:
        with desk.expect_download() as download:
            figure.locator("button.cape-rows").click()
        download.value.save_as(tmp_path / "rows.csv")
        assert len(pd.read_csv(tmp_path / "rows.csv")) > 0
        assert download.value.suggested_filename == f"{(figure.get_attribute('id') or '').removeprefix('fig-')}.csv"


def test_names_of_rows_do_not_run_into_each_other_on_a_phone(phone: Any) -> None:
    assert phone.evaluate(TOUCHING) == []


def test_a_table_that_scrolls_sideways_shows_it_and_is_reached_by_keys(phone: Any) -> None:
    phone.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    phone.wait_for_timeout(100)
    assert phone.evaluate(NO_CUE) == []


def test_the_inputs_move_the_charts(desk: Any) -> None:
    for figure in desk.locator("figure.cape-figure").all():
        for box in figure.locator(".cape-control input, .cape-inputs input[type=range]").all():
            before, label = figure.evaluate(SVG), figure.get_attribute("id")
            box.focus()
            at_the_end = box.evaluate("box => Number(box.value) >= Number(box.max)")
            for _ in range(3):
                box.press("ArrowLeft" if at_the_end else "ArrowRight")
            desk.wait_for_timeout(150)
            assert figure.evaluate(SVG) != before, f"{label}: the slider moves nothing"
        for box in figure.locator(".cape-control select, .cape-inputs select").all():
            before, label = figure.evaluate(SVG), figure.get_attribute("id")
            box.select_option(index=1 if box.evaluate("box => box.selectedIndex") == 0 else 0)
            desk.wait_for_timeout(150)
            assert figure.evaluate(SVG) != before, f"{label}: the choice changes nothing"
    assert desk.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_offers_two_files_of_one_name(book_html: Path, name: str) -> None:
    text = (book_html / f"{name}.html").read_text(encoding="utf-8")
    figures = re.findall(r'<figure class="cape-figure" id="fig-([^"]+)"', text)
    files = [*re.findall(r'<a [^>]*download="([^"]+)"', text), *(f"{figure}.csv" for figure in figures)]
    assert sorted(files) == sorted(set(files))


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_is_there(book_html: Path, name: str) -> None:
    page = book_html / f"{name}.html"
    text = page.read_text(encoding="utf-8")
    named = re.findall(r'<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"#?]+)', text)
    own = [unquote(one) for one in named if not re.match(r"[a-z]+:", one)]
    assert [one for one in own if not (page.parent / one).exists()] == []
    # A page without an icon makes the browser ask for /favicon.ico, which is not there.
    assert re.search(r'<link rel="(?:shortcut )?icon"', text)


@pytest.mark.parametrize("name", PAGES)
def test_page_weighs_at_most_150_kb_without_shared_script_and_pictures(book_html: Path, name: str) -> None:
    import gzip

    assert len(gzip.compress((book_html / f"{name}.html").read_bytes())) <= 150_000


@pytest.mark.parametrize("name", LISTED)
def test_page_loads_only_the_scripts_that_it_needs(book_html: Path, name: str) -> None:
    text = (book_html / f"{name}.html").read_text(encoding="utf-8")
    assert ("cape-vega.js" in text) == ('class="cape-figure"' in text)
    assert not re.search(r"mathjax/|thebe|fontawesome\.js|require\.js|embed-amd", text)
    assert not re.search(r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//', text)
    assert not re.search(r'<link[^>]*stylesheet[^>]*href="(?:https?:)?//', text)


@pytest.mark.parametrize("name", LISTED)
def test_launch_button_of_a_chapter_opens_its_source_in_colab(book_html: Path, name: str) -> None:
    text = (book_html / f"{name}.html").read_text(encoding="utf-8")
    links = set(re.findall(r"https://colab\.research\.google\.com[^\"']+", text))
    source = f"{name}.ipynb"
    is_notebook = (ROOT / source).is_file()
    assert all(link.endswith(source) for link in links)
    assert bool(links) == is_notebook
