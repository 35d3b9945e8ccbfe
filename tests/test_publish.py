"""Execution, cache and exchange of the book, on a book of two short chapters."""

from __future__ import annotations

import os
import re
import signal
import struct
import time
from pathlib import Path

import little_book
import nbformat
import pytest

from cape_lib.errors import CapeError, MissingError
from cape_lib.report import publish
from cape_lib.report.publish import build, cache, preview

slow = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = little_book.make(tmp_path_factory.mktemp("book") / "checkout")
    code, out, err = little_book.build(folder)
    assert code == 0, err
    assert out.strip() == os.path.join("_build", "html", "index.html")
    return folder


def executed(err: str) -> set[str]:
    return set(re.findall(r"^(\w+)\.ipynb: executed", err, re.M))


class TestBook:
    pytestmark = slow

    def test_nothing_is_done_again_when_nothing_changed(self, checkout: Path) -> None:
        before = little_book.pages(checkout)
        code, _, err = little_book.build(checkout)
        assert code == 0
        assert executed(err) == set()
        assert "nothing changed" in err
        assert little_book.pages(checkout) == before

    def test_two_runs_give_the_same_book_byte_for_byte(self, checkout: Path) -> None:
        folder = checkout / "_build" / "executed"
        before = {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}
        pages = little_book.pages(checkout)
        assert little_book.build(checkout, "--fresh")[0] == 0
        assert {path.name: path.read_bytes() for path in folder.glob("*.ipynb")} == before
        assert len(before) == 2
        now = little_book.pages(checkout)
        assert [name for name in pages.keys() | now.keys() if pages.get(name) != now.get(name)] == []

    def test_a_changed_table_runs_again_the_chapter_that_reads_it_and_no_other(self, checkout: Path) -> None:
        table = checkout / "data" / f"{little_book.CHAPTERS['two']}.csv"
        text = table.read_text(encoding="utf-8")
        lines = text.splitlines()
        try:
            table.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]) + "\n", encoding="utf-8")
            code, _, err = little_book.build(checkout)
            assert code == 0, err
            assert executed(err) == {"two"}
        finally:
            table.write_text(text, encoding="utf-8")
        assert executed(little_book.build(checkout)[2]) == {"two"}

    def test_a_changed_module_runs_again_only_chapters_that_use_it(self, checkout: Path) -> None:
        unused, used = checkout / "cape_lib" / "dynamics", checkout / "cape_lib" / "charts" / "look.py"
        for path in unused.rglob("*.py"):
            path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
        assert executed(little_book.build(checkout)[2]) == set()
        used.write_text(used.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
        assert executed(little_book.build(checkout)[2]) == {"one", "two"}

    def test_a_cell_error_names_notebook_cell_and_exception_and_keeps_the_last_book(self, checkout: Path) -> None:
        before = little_book.pages(checkout)
        try:
            little_book.chapter(checkout / "notebooks", "one", "# Then", "1 / 0")
            code, out, err = little_book.build(checkout)
        finally:
            little_book.chapter(checkout / "notebooks", "one")
        assert code not in (0, None)
        assert out == ""
        text = err.strip().splitlines()[-1]
        assert re.search(r"one\.ipynb, code cell 3 of 3 .*ZeroDivisionError: division by zero", text)
        assert "Traceback" not in err
        rest = (checkout / "_build" / "execution.log").read_text(encoding="utf-8")
        assert rest.startswith("one.ipynb, code cell 3 of 3")
        assert "----> 1 1 / 0" in rest
        assert "\x1b" not in rest
        assert little_book.pages(checkout) == before

    def test_a_broken_link_fails_the_build_and_keeps_the_last_book(self, checkout: Path) -> None:
        page = checkout / "book" / "intro.md"
        text, before = page.read_text(encoding="utf-8"), little_book.pages(checkout)
        try:
            page.write_text(text + "\n[nowhere](nowhere.md)\n", encoding="utf-8")
            code, _, err = little_book.build(checkout)
        finally:
            page.write_text(text, encoding="utf-8")
        assert code != 0
        assert "book/intro.md:5" in err
        assert "nowhere.md" in err
        assert little_book.pages(checkout) == before

    @pytest.mark.parametrize(("how", "when"), [(signal.SIGINT, ": executed"), (signal.SIGKILL, "building the pages")])
    def test_an_interrupt_leaves_the_last_book_and_the_next_build_works(
        self, checkout: Path, how: signal.Signals, when: str
    ) -> None:
        before = little_book.pages(checkout)
        process = little_book.command(checkout, "--fresh")
        assert process.stderr is not None
        for line in process.stderr:
            if when in line:
                break
        time.sleep(0.3)
        process.send_signal(how)
        process.wait(60)
        assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
        assert little_book.pages(checkout) == before
        assert little_book.build(checkout)[0] == 0
        assert not (checkout / "_build" / ".work").exists()
        assert set(little_book.pages(checkout)) == set(before)


def test_an_error_of_the_library_in_a_cell_keeps_its_kind_and_so_its_exit_code(tmp_path: Path) -> None:
    cell = "from cape_lib.errors import MissingError\nraise MissingError('one size only; add a second')"
    path = little_book.notebook("# T", cell, path=tmp_path / "sizes.ipynb")
    with pytest.raises(MissingError, match=r"sizes\.ipynb, code cell 1 of 1 .*MissingError: one size only"):
        publish.execute([path], tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_parameters_reach_the_notebook_and_their_cell_leaves_no_trace_in_the_page(tmp_path: Path) -> None:
    path = little_book.notebook("n = 1", "n * 2", path=tmp_path / "double.ipynb")
    text = path.read_text(encoding="utf-8").replace('"metadata": {}', '"metadata": {"tags": ["parameters"]}', 1)
    path.write_text(text, encoding="utf-8")
    copy = nbformat.read(publish.execute([path], tmp_path / "out", {"n": 21}, quiet=True)[0], as_version=4)
    assert copy.cells[-1].outputs[0].data["text/plain"] == "42"
    assert "remove-cell" in copy.cells[1].metadata.tags
    assert [cell.execution_count for cell in copy.cells] == [1, 2, 3]


def test_a_broken_notebook_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "torn.ipynb"
    path.write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(CapeError, match=r"torn\.ipynb: not a notebook"):
        publish.execute([path], tmp_path / "out", quiet=True)


def test_the_exchange_puts_the_new_folder_in_the_place_of_the_old(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "html"
    for folder, word in ((new, "new"), (old, "old")):
        folder.mkdir()
        (folder / "page").write_text(word, encoding="utf-8")
    build.exchange(new, old)
    assert (old / "page").read_text(encoding="utf-8") == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["html"]


def test_the_exchange_works_without_the_one_step_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_swap", lambda first, second: False)
    test_the_exchange_puts_the_new_folder_in_the_place_of_the_old(tmp_path)


def test_a_book_that_was_moved_aside_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".html-before").mkdir()
    (tmp_path / ".work").mkdir()
    build._recover(tmp_path, tmp_path / "html")
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_a_damaged_record_of_the_cache_means_execute_anew(tmp_path: Path) -> None:
    notebook = little_book.notebook("# T", path=tmp_path / "a.ipynb")
    for record in ("", "[]", "{}", '{"notebook": 1}'):
        (tmp_path / "a.json").write_text(record, encoding="utf-8")
        assert cache.load(tmp_path, "a.ipynb", notebook) is None


def test_a_fork_is_named_by_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPE_REPOSITORY", "https://example.org/someone/book")
    monkeypatch.setenv("CAPE_BRANCH", "trunk")
    text = build._settings()
    assert "  url: https://example.org/someone/book\n" in text
    assert "  branch: trunk\n" in text


class TestPreview:
    PAGE = (
        '<head></head><article class="bd-article"><h1>1 Coupling<a class="headerlink" href="#">#</a></h1>'
        "<p><strong>A question?</strong></p>"
        '<div class="cape-answer">\n<p><strong>Yes</strong>: 3 &lt; 4 &amp; more.</p></div>'
        "{figure}</article>"
    )
    FIGURE = (
        '<figure class="cape-figure" id="fig-a">'
        '<p class="cape-title">Three rise <a class="headerlink" href="#fig-a">#</a></p>'
        '<script type="application/json">{"data":{"d":[{"a":1,"b":2},{"a":2,"b":3}]},"config":{},'
        '"views":[{"data":{"name":"d"},"mark":"point","width":"container","encoding":{"x":{"field":"a","type":"quantitative"},'
        '"y":{"field":"b","type":"quantitative"}}}]}</script></figure>'
    )

    def test_the_answer_heads_a_page_and_without_one_the_finding_of_its_figure(self) -> None:
        one = preview.of(self.PAGE.format(figure=self.FIGURE))
        assert one is not None and (one.name, one.sentence) == ("1 Coupling", "Yes: 3 < 4 & more.")
        plain = re.sub(r'<div class="cape-answer">.*?</div>', "", self.PAGE, flags=re.S).format(figure=self.FIGURE)
        other = preview.of(plain)
        assert other is not None and other.sentence == "Three rise"

    def test_a_page_gets_its_description_and_a_picture_of_its_figure(self, tmp_path: Path) -> None:
        (tmp_path / "html" / "notebooks").mkdir(parents=True)
        page, prose = tmp_path / "html" / "notebooks" / "one.html", tmp_path / "html" / "prose.html"
        page.write_text(self.PAGE.format(figure=self.FIGURE), encoding="utf-8")
        prose.write_text(self.PAGE.format(figure=""), encoding="utf-8")
        preview.dress(tmp_path / "html", "https://a.github.io/b/", tmp_path / "kept")
        heads = {path.stem: path.read_text(encoding="utf-8").partition("</head>")[0] for path in (page, prose)}
        for head in heads.values():
            assert '<meta name="description" content="Yes: 3 &lt; 4 &amp; more.">' in head
            assert 'property="og:image" content="https://a.github.io/b/_static/preview/notebooks-one.png"' in head
        assert 'property="og:url" content="https://a.github.io/b/notebooks/one.html"' in heads["one"]
        png = (tmp_path / "html" / "_static" / "preview" / "notebooks-one.png").read_bytes()
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (1200, 630)

    def test_a_long_sentence_takes_smaller_letters_and_at_most_four_lines(self) -> None:
        short, long, endless = (preview._broken(" ".join(["family"] * count)) for count in (8, 40, 200))
        assert short[0] > long[0] and " ".join(long[1]) == " ".join(["family"] * 40)
        assert len(endless[1]) == preview.MOST_LINES and endless[1][-1].endswith("...")

    def test_of_what_is_too_long_the_last_sentences_go_and_a_number_stays_with_its_unit(self) -> None:
        first = "Of all families 85\u00a0% lose."
        size, lines = preview._broken(f"{first} {' '.join(['family'] * 200)}.")
        assert lines == [first] and size == preview.SIZES[0]
        assert all("\u00a0%" in line for line in preview._lines("word " * 60 + "85\u00a0%", 40) if "85" in line)
