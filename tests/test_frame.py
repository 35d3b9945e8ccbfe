"""The frame of a figure, its one input, and reports: what is refused, what is in the page, what is not in it twice."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import altair as alt
import nbformat
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from IPython.display import HTML

from cape_lib import charts, frontier, tables
from cape_lib.charts import forms, frame, look
from cape_lib.errors import UsageError
from cape_lib.explore import explore
from cape_lib.page import table
from cape_lib.page.parts import difference_table
from cape_lib.page.text import inline
from cape_lib.report.publish import report

ROWS = pd.DataFrame({"params_b": [0.07, 0.4, 1.4], "score": [27.3, 40.25, 52.01]})
ABOUT: dict[str, Any] = {"title": "It rises", "alt": "A line that rises", "source": "test", "n": 3, "name": "rise"}


def line(rows: pd.DataFrame = ROWS) -> alt.Chart:
    return alt.Chart(rows).mark_line().encode(x="params_b", y="score")


def parts(figure: charts.Figure) -> dict[str, Any]:
    """What the shared script reads in the page."""
    result = re.search(r'<script type="application/json">(.*?)</script>', figure.to_html(), re.S)
    assert result
    read: dict[str, Any] = json.loads(result[1])
    return read


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPE_BOOK", "1")
    charts.setup()


def test_a_figure_says_what_it_shows_from_its_form_and_rows() -> None:
    rows = ROWS.assign(model=["a", "b", "c"], low=ROWS.score - 1, high=ROWS.score + 1)
    described = {**ABOUT, "alt": ""}
    seen = charts.figure(line(rows).encode(y=forms.score("score", "truthfulqa")), **described).description
    assert seen == "Lines. TruthfulQA (%) 27.3 to 52; across, Parameters (billions) 0.07 to 1.4."
    x = forms.across("score", "right", [0, 100])
    seen = charts.figure(forms.forest(rows, "model", x), **described).description
    assert seen == "Intervals, points. a, b, c; across, right 27.3 (a) to 52 (c)."
    panels = charts.figure([line(), line(), line(), line()], **described).description
    assert panels.endswith("3 more panels of the same form.")
    both = charts.figure(forms.dots(rows, "params_b:Q", "score:Q", **forms.by("model", "abc")), **described)
    assert both.description.endswith("Told apart: a, b, c.")
    look = forms.by("model", "abc")
    layers = [forms.dots(rows.query(f"model == '{name}'"), "params_b:Q", "score:Q", **look) for name in "bac"]
    assert charts.figure(alt.layer(*layers), **described).description.endswith("Told apart: a, b, c.")
    page = charts.figure(line(), **described).to_html()
    assert 'aria-label="Lines. score 27.3 to 52; across, Parameters (billions) 0.07 to 1.4."' in page


@pytest.mark.parametrize("what", ["title", "source"])
def test_a_figure_without_a_finding_or_a_source_is_not_accepted(what: str) -> None:
    with pytest.raises(UsageError, match=f"{what} is empty"):
        charts.figure(line(), **{**ABOUT, what: " "})


def test_a_mark_says_its_name_what_is_drawn_and_the_ends_of_its_interval() -> None:
    rows = ROWS.assign(model="a", other=1, low=1.0, high=2.0)
    x, y = forms.across("params_b", "size"), forms.upright("score", "share", percent=True)
    words = forms.dots(rows, x, y, tooltip="other").to_dict()["encoding"]["tooltip"]
    assert [word["field"] for word in words] == ["model", "params_b", "score", "other", "low", "high"]
    assert words[2]["format"] == "%" and words[1]["format"] == ".3~r"
    assert forms.tips(rows, None, x, y) == []


@pytest.mark.parametrize("name", ["Rise", "two words", "", "1st", "a_b"])
def test_a_name_that_cannot_be_a_link_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the name is a link"):
        charts.figure(line(), **{**ABOUT, "name": name})


def test_a_bare_chart_does_not_get_into_the_book(published: None) -> None:
    with pytest.raises(UsageError, match="without a frame"):
        alt.renderers.get()(line().to_dict())


def test_the_frame_holds_title_text_alternative_n_source_and_link() -> None:
    page = charts.figure(line(), **{**ABOUT, "source": "[table](https://example.org/t.csv)"}).to_html()
    assert 'id="fig-rise"' in page
    assert 'href="#fig-rise"' in page
    assert 'role="img" aria-label="A line that rises"' in page
    assert "n = 3." in page
    assert '<a href="https://example.org/t.csv">table</a>' in page
    assert re.search(r'<p class="cape-title"[^>]*>It rises', page)


def test_no_row_is_in_the_page_twice() -> None:
    both = charts.figure([line(), line().mark_point()], **ABOUT, rows=ROWS)
    result = parts(both)
    assert len(result["data"]) == 1
    assert result["rows"] == next(iter(result["data"]))
    assert len(result["views"]) == 2
    assert both.to_html().count("40.25") == 1


def test_other_rows_than_those_drawn_can_be_offered() -> None:
    rows = ROWS.assign(note="seen")
    result = parts(charts.figure(line(), **ABOUT, rows=rows))
    assert result["data"][result["rows"]][0]["note"] == "seen"
    assert len(result["data"]) == 2


def test_text_of_a_table_cannot_leave_the_script_element() -> None:
    rows = ROWS.assign(model="</script><script>alert(1)</script>")
    page = charts.figure(line(rows), **{**ABOUT, "title": "<b>&", "alt": 'a "quoted" <word>'}).to_html()
    assert page.count("</script>") == 1
    assert "&lt;b&gt;&amp;" in page
    assert "&#34;quoted&#34; &lt;word&gt;" in page


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_the_page_keeps_seven_digits(value: float) -> None:
    from cape_lib.charts.frame import _compact

    rest = _compact({"a": [value]})["a"][0]
    assert rest == pytest.approx(value, rel=1e-6, abs=1e-300)


def test_the_four_inks_of_the_charts_are_those_that_the_style_sheet_exchanges() -> None:
    from cape_lib.report.publish.execution import static_dir

    sheet = (static_dir() / "cape.css").read_text(encoding="utf-8")
    for ink in (look.INK, look.MUTED, look.GRID, look.PAPER):
        assert f'[fill="{ink}"]' in sheet
        assert f'[stroke="{ink}"]' in sheet


def test_phases_have_the_colours_of_the_house() -> None:
    assert look.PHASE_COLOURS == {"tax": "#D55E00", "transition": "#8C8C8C", "bonus": "#009E73"}


def test_one_line_of_markdown_becomes_html_and_nothing_else_does() -> None:
    assert inline("**a** *b* `c<d` [e](f)") == ('<strong>a</strong> <em>b</em> <code>c&lt;d</code> <a href="f">e</a>')
    assert inline("2 * 3 * 4 < 5") == "2 * 3 * 4 &lt; 5"


def stands(rows: pd.DataFrame, where: str = "wide", **more: Any) -> dict[str, str]:
    """Where each name stands that has a place."""
    x, y = (alt.X("x:Q", scale=alt.Scale(domain=[0, 100])), alt.Y("y:Q", scale=alt.Scale(domain=[0, 100])))
    layers = forms.named(rows, x, y, "name", height=300, **more)
    return {name: place for layer in layers for name, place in layer.data[["name", where]].to_numpy() if place}


def test_a_name_stands_inside_the_plot_and_leaves_points_and_names_free() -> None:
    rows = pd.DataFrame({"name": ["first", "last", "lone"], "x": [50.0, 99.0, 20.0], "y": [50.0, 50.0, 90.0]})
    assert stands(rows) == {"first": "right", "last": "left", "lone": "right"}
    beside = pd.DataFrame({"x": [53.0], "y": [50.0]})
    assert stands(rows, around=[beside])["first"] == "left"


def test_of_two_names_without_room_the_first_stands_and_the_other_only_where_all_must() -> None:
    close = pd.DataFrame({"x": [44.0, 56.0, 50.0, 50.0, 44.0, 56.0], "y": [50.0, 50.0, 54.0, 46.0, 54.0, 46.0]})
    rows = pd.DataFrame({"name": ["a long name", "another one"], "x": [50.0, 50.0], "y": [50.0, 50.0]})
    assert list(stands(rows)) == ["a long name", "another one"]
    assert stands(rows, around=[close, close + 2, close - 2]) == {}
    always = stands(rows, around=[close, close + 2, close - 2], always=2)
    assert len(always) == 2 and len(set(always.values())) == 2


def test_on_a_phone_fewer_names_have_room_than_on_a_desk() -> None:
    rows = pd.DataFrame({"name": [f"release {i}" for i in range(12)], "x": range(5, 101, 8), "y": [50.0] * 12})
    assert 2 < len(stands(rows, "narrow")) < len(stands(rows))
    assert len(stands(rows, "narrow", phone=2)) == 2 and len(stands(rows, phone=2)) == len(stands(rows))


def test_names_that_are_never_on_show_together_may_stand_on_each_other() -> None:
    rows = pd.DataFrame({"name": ["one", "two"], "x": [50.0, 50.0], "y": [50.0, 50.0], "panel": ["a", "b"]})
    assert stands(rows, by="panel") == {"one": "right", "two": "right"}


def test_a_forest_draws_what_is_known_and_ends_a_bar_at_the_edge() -> None:
    rows = pd.DataFrame({"name": ["a", "b"], "estimate": [1.0, 2.0], "low": [-9.0, None], "high": [2.0, None]})
    x = alt.X("estimate:Q", scale=alt.Scale(domain=[-3, 3]))
    rule, bars, points = forms.forest(rows, "name", x).layer
    assert rule.data["at"].tolist() == [0.0]
    assert bars.data[["low", "high"]].to_numpy().tolist() == [[-3.0, 2.0]]
    assert points.data["low"].tolist()[0] == -9.0 and len(points.data) == 2


def test_a_band_draws_its_bars_only_where_an_end_is_known() -> None:
    rows = pd.DataFrame({"size": [1.0, 2.0], "score": [30.0, 40.0], "low": [25.0, 35.0], "high": [35.0, 45.0]})
    x, y = alt.X("size:Q"), alt.Y("score:Q")
    bars, drawn = forms.band(rows, x, y, bars=True).layer
    assert (bars.mark.type, drawn.mark.type) == ("rule", "line")
    assert bars.to_dict()["encoding"]["y"]["field"] == "low"
    assert len(forms.band(rows.assign(low=None, high=None), x, y, bars=True).layer) == 1


def test_a_table_escapes_text_and_puts_in_html_as_it_is() -> None:
    rows = pd.DataFrame({"model": ["a<b"], "score": [-1.5], "where": [HTML('<a href="x">source</a>')]})
    page = str(table(rows, caption="One & all").data)
    assert "<td>a&lt;b</td>" in page and '<td><a href="x">source</a></td>' in page
    assert 'role="region" aria-label="One &amp; all"' in page and "<caption>One &amp; all " in page
    assert '<td class="cape-number">\N{MINUS SIGN}1.50</td>' in page


def test_the_rows_of_a_table_come_as_a_file_with_plain_numbers() -> None:
    rows = pd.DataFrame({"model": ["a, b"], "score": [-1.23456789], "where": [HTML('<a href="x">source</a>')]})
    page = str(table(rows, caption="What it scores, in short").data)
    link = re.search(r'download="what-it-scores-in-short.csv" href="data:text/csv;charset=utf-8,([^"]*)"', page)
    assert link
    assert list(csv.DictReader(unquote(link[1]).splitlines())) == [
        {"model": "a, b", "score": "-1.234568", "where": "source"}
    ]


def test_the_file_of_every_difference_has_the_addresses_of_its_sources() -> None:
    cells = tables.load("frontier_cells")
    effects = frontier.cell_effects(tables.frontier("published"), tables.frontier("corrected"))
    page = str(difference_table(effects, cells).data)
    rows = list(csv.DictReader(unquote(page.partition("charset=utf-8,")[2].partition('"')[0]).splitlines()))
    sources = effects.merge(cells, on=["model", "benchmark"])["source"]
    assert len(rows) == len(effects) > 10 and sources.str.startswith("http").any()
    assert all(row["where"].startswith(source) for row, source in zip(rows, sources, strict=True))


def test_tables_whose_captions_begin_alike_have_files_of_their_own() -> None:
    begin = "Correlation of GPQA with each measure"
    pages = [str(table(ROWS, caption=f"{begin}{rest}").data) for rest in (", makers left out in turn", " by domain")]
    assert len({name for page in pages for name in re.findall(r'download="([^"]+)"', page)}) == 2


def test_the_file_of_a_table_of_words_may_hold_the_numbers_behind_them() -> None:
    shown = pd.DataFrame({"share": ["93.1 % ▲"]})
    page = str(table(shown, caption="Shares", rows=pd.DataFrame({"value": [0.931], "low": [0.9]})).data)
    link = re.search(r'href="data:text/csv;charset=utf-8,([^"]*)"', page)
    assert link and unquote(link[1]).split() == ["value,low", "0.931,0.9"]
    assert "<td>93.1\N{NO-BREAK SPACE}% ▲</td>" in page


def half(cut: float) -> pd.DataFrame:
    rows = ROWS.assign(score=ROWS.score / cut)
    rows.attrs["reading"] = f"Divided by **{cut:g}**"
    return rows


def drawn(rows: pd.DataFrame) -> charts.Figure:
    ground = alt.Chart(pd.DataFrame({"score": [0]})).mark_rule().encode(y="score")
    return charts.figure(alt.layer(ground, line(rows)), **{**ABOUT, "title": f"Highest {rows.score.max():.1f}"})


def test_published_the_input_chooses_among_precomputed_rows(published: None) -> None:
    figure = explore(half, drawn, name="cut", values=[1.0, 2.0, 5.0], start=2.0, label="Divide by")
    result = parts(figure)
    assert len(result["data"][result["rows"]]) == 9
    assert result["control"]["values"] == [1.0, 2.0, 5.0]
    assert result["control"]["readings"][2] == "Divided by <strong>5</strong>"
    view = result["views"][0]
    assert {"name": "cut", "value": 2.0} in view["params"]
    assert [layer.get("transform") for layer in view["layer"]] == [None, [{"filter": "datum['cut'] === cut"}]]
    assert figure.title == "Highest 26.0", "the words are those of the start"
    page = figure.to_html()
    assert '<label for="fig-rise-input">Divide by</label><input type="range" id="fig-rise-input"' in page
    assert 'value="1" aria-valuetext="2"' in page


def test_published_words_are_chosen_from_a_list(published: None) -> None:
    def named(family: str) -> pd.DataFrame:
        return ROWS.assign(score=len(family))

    page = explore(named, drawn, name="family", values=["OPT", "Pythia"], start="Pythia").to_html()
    assert '<option value="1" selected>Pythia</option>' in page
    assert 'type="range"' not in page


def test_a_single_value_gives_no_input(published: None) -> None:
    figure = explore(half, drawn, name="cut", values=[2.0], start=2.0)
    assert "<input" not in figure.to_html()
    assert figure.caption == "Divided by **2**"


def test_a_start_outside_the_values_is_refused() -> None:
    with pytest.raises(UsageError, match="start 3"):
        explore(half, drawn, name="cut", values=[1, 2], start=3)


def test_a_chart_that_drops_the_column_of_the_input_is_refused(published: None) -> None:
    def dropping(rows: pd.DataFrame) -> charts.Figure:
        return drawn(rows[["params_b", "score"]])

    with pytest.raises(UsageError, match="must keep the column 'cut'"):
        explore(half, dropping, name="cut", values=[1.0, 2.0], start=1.0)


@pytest.mark.slow
def test_live_the_same_call_gives_a_slider_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAPE_BOOK", raising=False)
    seen = []

    def counted(cut: float) -> pd.DataFrame:
        seen.append(cut)
        return half(cut)

    box = explore(counted, drawn, name="cut", values=[1.0, 2.0, 5.0], start=2.0, label="Divide by")
    slider = box.children[0]
    assert slider.description == "Divide by"
    slider.value = 5.0
    assert seen == [2.0, 5.0], "only what the reader asks for is computed"


def test_a_figure_shows_itself_as_html_when_published(published: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(frame, "display", lambda bundle, raw: shown.append(bundle))
    DisplayFormatter().format(charts.figure(line(), **ABOUT))
    assert [set(one) for one in shown] == [{"text/html", "text/plain"}]
    assert 'id="fig-rise"' in shown[0]["text/html"] and shown[0]["text/plain"] == "It rises"


def page_of(tmp_path: Path, *cells: Any, title: str = "Mine & yours") -> str:
    """The report of one notebook, without what its scripts hold."""
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), tmp_path / "one.ipynb")
    report([tmp_path / "one.ipynb"], tmp_path / "out" / "index.html", title)
    return (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_markdown_of_a_report_knows_tables_admonitions_citations_formulas_and_links(tmp_path: Path) -> None:
    inline = r"[x](one.ipynb) [y](z.md) {cite}`amin2026lying` $\sqrt{x}$ $\nosuchmacro{x}$"
    blocks = ["# T", "|a|\n|-|\n|1|", "```{note}\nMind.\n```", inline]
    page = page_of(tmp_path, nbformat.v4.new_markdown_cell("\n\n".join(blocks)))
    assert "<h2>T</h2>" in page
    assert re.search(r'<div class="cape-table"[^>]*>\s*<table', page)
    assert re.search(r'<div class="admonition note">\s*<p class="admonition-title">Note</p>\s*<p>Mind\.</p>', page)
    assert "<msqrt>" in page and r"<code>\nosuchmacro{x}</code>" in page
    assert '<a class="reference internal" href="#document-one">' in page and 'href="z' not in page
    assert "Amin" in page and 'href="https://arxiv.org/abs/2605.18838"' in page and "doc-biblioentry" not in page


def test_a_report_needs_no_other_file_and_no_network(published: None, tmp_path: Path) -> None:
    shown = charts.figure(line(), **ABOUT).to_html()
    page = page_of(
        tmp_path,
        nbformat.v4.new_markdown_cell("# One\n\nText."),
        nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", {"text/html": shown})]),
        nbformat.v4.new_code_cell("secret", metadata={"tags": ["remove-cell"]}),
    )
    assert "<title>Mine &amp; yours</title>" in page
    assert "secret" not in page
    assert "window.vegaEmbed" in page
    assert ".cape-card dd" in page  # the cards of chapter 7, whose rules break on a phone
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.search(r'(?:src|href)="(?!#|data:)', outside)
    assert "@import" not in page
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]
