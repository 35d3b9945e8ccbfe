"""Execution, cache and exchange of the book, on a book of two short chapters."""

from __future__ import annotations

import contextlib
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
from cape_lib.output import whole_folder
from cape_lib.report import publish
from cape_lib.report.publish import build, execution

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

    def test_a_changed_table_or_module_runs_every_chapter_again_and_a_changed_page_none(self, checkout: Path) -> None:
        table, page = checkout / "data" / f"{little_book.CHAPTERS['two']}.csv", checkout / "book" / "intro.md"
        text, prose = table.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
        lines = text.splitlines()
        try:
            table.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]) + "\n", encoding="utf-8")
            code, _, err = little_book.build(checkout)
            assert code == 0, err
            assert executed(err) == {"one", "two"}
        finally:
            table.write_text(text, encoding="utf-8")
        used, unused = checkout / "cape_lib" / "charts" / "look.py", checkout / "cape_lib" / "cli" / "reports.py"
        for path in (used, unused):
            path.write_text(path.read_text(encoding="utf-8") + "\n# a remark\n", encoding="utf-8")
            again = executed(little_book.build(checkout)[2])
            assert again == ({"one", "two"} if path == used else set())
        page.write_text(prose + "\nMore.\n", encoding="utf-8")
        assert executed(little_book.build(checkout)[2]) == set()
        page.write_text(prose, encoding="utf-8")

    def test_a_changed_chapter_runs_again_alone(self, checkout: Path) -> None:
        little_book.chapter(checkout / "notebooks", "one", "1 + 1")
        assert executed(little_book.build(checkout)[2]) == {"one"}
        little_book.chapter(checkout / "notebooks", "one")
        assert executed(little_book.build(checkout)[2]) == {"one"}

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


@pytest.mark.slow
def test_an_error_of_the_library_in_a_cell_keeps_its_kind_and_so_its_exit_code(tmp_path: Path) -> None:
    cell = "from cape_lib.errors import MissingError\nraise MissingError('one size only; add a second')"
    path = little_book.notebook("# T", cell, path=tmp_path / "sizes.ipynb")
    with pytest.raises(MissingError, match=r"sizes\.ipynb, code cell 1 of 1 .*MissingError: one size only"):
        publish.execute({path: {}}, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()


def test_parameters_reach_the_notebook_and_their_cell_leaves_no_trace_in_the_page(tmp_path: Path) -> None:
    path = little_book.notebook("n = 1", "n * 2", path=tmp_path / "double.ipynb")
    text = path.read_text(encoding="utf-8").replace('"metadata": {}', '"metadata": {"tags": ["parameters"]}', 1)
    path.write_text(text, encoding="utf-8")
    copy = nbformat.read(publish.execute({path: {"n": 21}}, tmp_path / "out", quiet=True)[0], as_version=4)
    assert copy.cells[-1].outputs[0].data["text/plain"] == "42"
    assert "remove-cell" in copy.cells[1].metadata.tags
    assert [cell.execution_count for cell in copy.cells] == [1, 2, 3]


def test_a_broken_notebook_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "torn.ipynb"
    path.write_text('{"cells": [', encoding="utf-8")
    with pytest.raises(CapeError, match=r"torn\.ipynb: not a notebook"):
        publish.execute({path: {}}, tmp_path / "out", quiet=True)


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    for words in (["old"], ["new"], ["torn", "stop"]):
        with contextlib.suppress(ZeroDivisionError), whole_folder(tmp_path / "html") as draft:
            for word in words:
                (draft / "page").write_text(word, encoding="utf-8")
                assert word != "stop" or 1 / 0
        assert (tmp_path / "html" / "page").read_text(encoding="utf-8") == ("old" if words == ["old"] else "new")
        assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_what_a_killed_build_left_is_cleared_or_put_back(tmp_path: Path) -> None:
    for name in (".html-before", ".html.abcd1234.part"):
        (tmp_path / name).mkdir()
    (tmp_path / ".html-before" / "page").write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "html"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["html"]
    assert (tmp_path / "html" / "page").read_text(encoding="utf-8") == "old"


def test_the_draft_of_a_live_process_stays(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "html") as one:
        (one / "page").write_text("one", encoding="utf-8")
        with whole_folder(tmp_path / "html") as other:
            (other / "page").write_text("other", encoding="utf-8")
        assert (one / "page").exists()
    assert (tmp_path / "html" / "page").read_text(encoding="utf-8") == "one"


def test_a_damaged_record_of_the_cache_means_execute_anew(tmp_path: Path) -> None:
    path = little_book.notebook("# T", path=tmp_path / "a.ipynb")
    for record in ("", "[]", "{}", '{"key": "k"}', '{"key": "k", "copy": "torn", "seconds": 1}'):
        (tmp_path / "a.json").write_text(record, encoding="utf-8")
        assert execution.stored(tmp_path, "a.ipynb") == {}
    run = execution.Executed(path, path.read_text(encoding="utf-8"), 1.0)
    execution.store(tmp_path, "a.ipynb", run, key="k")
    assert execution.stored(tmp_path, "a.ipynb") == {"text": run.text, "key": "k", "seconds": 1.0}


def test_a_fork_is_named_by_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPE_REPOSITORY", "https://example.org/someone/book")
    monkeypatch.setenv("CAPE_BRANCH", "trunk")
    text = build._settings()
    assert "  url: https://example.org/someone/book\n" in text
    assert "  branch: trunk\n" in text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_page_gets_its_description_and_a_picture_of_its_figure(checkout: Path) -> None:
    html = checkout / "_build" / "html"
    for name in ("one", "two"):
        head = (html / "notebooks" / f"{name}.html").read_text(encoding="utf-8").partition("</head>")[0]
        assert '<meta name="description" content="Five rows">' in head
        assert f'_static/preview/notebooks-{name}.png">' in head
        assert f'property="og:url" content="https://cape-book.github.io/cape-book/notebooks/{name}.html"' in head
        png = (html / "_static" / "preview" / f"notebooks-{name}.png").read_bytes()
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (1200, 630)
