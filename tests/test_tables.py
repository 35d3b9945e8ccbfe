"""The tables load, refuse what cannot be right, and read a person's own scores."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cape_lib import MissingError, MixedProtocolError, ScoresError, SurroundingsError, UsageError, tables
from cape_lib.errors import CapeError
from cape_lib.tables import files

GOOD = "model,family,params_b,hellaswag,truthfulqa\na,F,0.1,30.5,45\nb,F,1,45.25,40\nc,F,7,70,38.5\n"


def write(folder: Path, text: str | bytes, name: str = "scores.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(folder: Path, text: str | bytes, kind: type[Exception] = ScoresError, **named: str) -> str:
    with pytest.raises(kind) as caught:
        tables.read_scores(write(folder, text), **named)
    message = str(caught.value)
    assert "scores.csv" in message and "\n" not in message
    return message


def test_every_table_of_the_book_loads_and_passes_all_checks():
    for name in tables.table_names():
        assert len(tables.load(name)) > 0 or name in ("families", "refresh_corrected"), name


@pytest.mark.parametrize(
    ("table", "column", "cell", "reason"),
    [
        ("base_panel", "params_b", "0", "0 is not above 0; correct the cell"),
        ("base_panel", "hellaswag", "101", "101 is outside 0 to 100; correct the cell"),
        ("base_panel", "hellaswag", "many", "'many' is not a number; correct the cell"),
        ("base_panel", "d_model", "12.5", "'12.5' is not a whole number; correct the cell"),
        ("base_panel", "in_published", "maybe", "'maybe' is neither true nor false; correct the cell"),
        ("base_panel", "in_published", None, "is blank; give a value"),
        ("base_panel", "model", "GPT-J-6B", "the key (model) stands twice: GPT-J-6B; keep one row"),
        ("claim_judgements", "compare", "is", "'is' is not one of equals, about, at least, at most, holds; correct"),
        ("advice", "rule", "A1", "'A1' is not of the form A01; correct the cell"),
        ("frontier_scores", "release_date", "2026-13", "'2026-13' is not a day of the calendar; correct the cell"),
        ("frontier_scores", "value", "0.7", "0.7 looks like a fraction; multiply by 100"),
        ("base_panel", "hellaswag", "-1", "-1 is outside 0 to 100"),
        ("base_panel", "training", "crawled", "'crawled' is not one of web, curated, distilled"),
        ("base_panel", "source", "", "is blank"),
        ("frontier_panel", "release_date", "spring 2026", "'spring 2026' is not a date"),
        ("frontier_panel", "gpqa_diamond", "inf", "'inf' is not a number"),
        ("claims", "id", "C1000", "'C1000' is not of the form"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_place_and_the_next_step(tmp_path, table, column, cell, reason):
    text = files.read_text(files.table_file(table))
    text.loc[3, column] = cell
    file = tmp_path / "changed.csv"
    text.to_csv(file, index=False)
    with pytest.raises(ScoresError) as caught:
        tables.load(table, path=file)
    assert str(caught.value).startswith(f"{file}: row 5, column {column}: {reason}")


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0c", "\x1e"])
def test_a_sign_that_ends_no_line_of_a_table_ends_no_row(tmp_path, sign):
    frame = tables.read_scores(write(tmp_path, GOOD.replace("b,F,1,", f"{sign}b,F,1,")))
    assert frame["model"].tolist() == ["a", "b", "c"] and frame["params_b"].tolist() == [0.1, 1.0, 7.0]


def test_a_loaded_table_is_a_copy_that_may_be_changed():
    frame = tables.load("losses")
    frame["loss"] = 0.0
    assert (tables.load("losses")["loss"] > 1).all()


def test_the_tables_are_found_in_an_installed_package_too(tmp_path, monkeypatch):
    (tmp_path / "cape_lib" / "_data").mkdir(parents=True)
    monkeypatch.setattr(files, "__file__", str(tmp_path / "cape_lib" / "tables" / "files.py"))
    with pytest.raises(SurroundingsError, match="install cape_lib again"):
        tables.data_dir()
    (tmp_path / "cape_lib" / "_data" / "schema.json").write_text("{}")
    assert tables.data_dir() == tmp_path / "cape_lib" / "_data"


def test_an_unknown_table_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="base_panel"):
        tables.load("base_pannel")


@pytest.mark.parametrize(("panel", "models"), [("published", 63), ("deduplicated", 61), ("uniform", 148)])
def test_base_panels_have_their_sizes_and_the_same_columns(panel, models):
    frame = tables.base(panel)
    assert len(frame) == models
    assert list(frame.columns) == list(tables.base().columns)
    assert frame["model"].is_unique
    assert frame[["family", "params_b"]].apply(tuple, axis=1).is_monotonic_increasing


def test_the_pythia_ladder_is_eight_sizes_in_every_panel():
    for panel in tables.BASE_PANELS:
        sizes = tables.ladder("Pythia", panel=panel)["params_b"].tolist()
        assert sizes == [0.07, 0.16, 0.41, 1.0, 1.4, 2.8, 6.9, 12.0]


def test_the_published_pythia_ladder_gives_the_published_correlation():
    ladder = tables.ladder("Pythia")
    assert round(ladder["hellaswag"].corr(ladder["truthfulqa"]), 3) == -0.989


def test_gpt_j_and_neox_are_filed_under_pythia_as_published_and_apart_when_deduplicated():
    names = ["GPT-J-6B", "GPT-NeoX-20B"]
    assert set(tables.base("published").set_index("model").loc[names, "family"]) == {"Pythia"}
    apart = tables.base("deduplicated").set_index("model").loc[names]
    assert set(apart["family"]) == set(apart["ladder"]) == {"GPT-Neo/J/NeoX"}


def test_no_ladder_has_two_models_of_one_size():
    for panel in tables.BASE_PANELS:
        frame = tables.base(panel).dropna(subset=["ladder"])
        assert not frame.duplicated(["ladder", "params_b"]).any()


LARCH = """model,family,lab,params_b,d_model,training,hellaswag,truthfulqa,truthfulqa_metric,\
arc_challenge,winogrande,mmlu,score_source,source
larch-1b,Larch,Larch Lab,1,,web,45,40,mc2,,,,our own run of lm-evaluation-harness 0.4.9,https://example.org/larch
larch-7b,Larch,Larch Lab,7,4096,web,70.1,38,mc2,48,72,41,our own run of lm-evaluation-harness 0.4.9,https://example.org/larch
"""


@pytest.fixture
def larch(tmp_path, monkeypatch):
    """The tables of a checkout in which somebody has added a family."""
    base_models = importlib.import_module("cape_lib.tables.base")
    file = tmp_path / "families.csv"
    file.write_text(LARCH, encoding="utf-8")
    path = {"families": file}
    monkeypatch.setattr(base_models, "load", lambda name: tables.load(name, path=path.get(name)))
    return file


def test_an_added_family_is_found_beside_every_panel_and_moves_none(larch):
    for panel in tables.BASE_PANELS:
        assert tables.ladder("Larch", panel=panel)["model"].tolist() == ["larch-1b", "larch-7b"]
        assert "larch-1b" not in set(tables.base(panel)["model"])
        assert "Larch" not in tables.ladders(panel)
    with pytest.raises(UsageError, match="Larch"):
        tables.ladder("Larsh")


def test_an_added_family_stands_in_front_of_a_chapter_with_the_panel_behind_it(larch):
    result = tables.chapter("published", "Larch")
    assert list(result.ladder["params_b"]) == [1.0, 7.0]
    assert len(result.panel) == len(tables.base("published")) + 2
    assert not result.own and "#families" in result.source and "#base-panel" in result.source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("45,40", "0.45,0.4", "row 2, column hellaswag: 0.45 looks like a fraction"),
        ("Lab,7,", "Lab,1,", "row 3, column params_b: a second model of 1 B in the family"),
        ("70.1,38,mc2", "70.1,38,mc1", "row 3, column truthfulqa_metric: differs from 'mc2' above"),
        ("larch-7b,Larch,", "larch-7b,Fir,", "row 2, column family: has one size"),
        ("48,72,41,our own run", "48,72,41,another run", "row 3, column score_source: differs"),
        ("https://example.org/larch\nlarch-7b", "our wiki\nlarch-7b", "row 2, column source: 'our wiki' is not"),
    ],
)
def test_a_family_that_is_not_measured_in_one_way_is_refused(larch, old, new, says):
    larch.write_text(LARCH.replace(old, new), encoding="utf-8")
    with pytest.raises(ScoresError, match=re.escape(says)):
        tables.ladder("Larch")


def test_unknown_panel_ladder_and_version_are_answered_with_near_names():
    with pytest.raises(UsageError, match="uniform"):
        tables.base("unifrom")
    with pytest.raises(UsageError, match="Pythia"):
        tables.ladder("Pythja")
    with pytest.raises(UsageError, match="bootstrap_script"):
        tables.base_version("bootstrap")


def test_the_version_behind_the_vertex_has_fourteen_rows_of_three_families():
    frame = tables.base_version("bootstrap_script")
    assert len(frame) == 14
    assert set(frame["family"]) == {"Pythia", "Llama-1", "Llama-2"}


def test_every_pointer_of_the_base_panel_has_a_public_address():
    for source in tables.base()["source"]:
        assert str(tables.source_url(source)).startswith("https://github.com/adilamin89/cape-scaling/blob/")
    assert tables.source_url("nowhere:x") is None
    assert tables.source_url(None) is None


# --- a bad table of the book is refused -----------------------------------------------------------------------------


def spoil(folder: Path, name: str, change) -> str:
    frame = pd.read_csv(tables.data_dir() / f"{name}.csv", dtype=str, keep_default_na=False)
    path = folder / f"{name}.csv"
    change(frame).to_csv(path, index=False)
    with pytest.raises(ScoresError) as caught:
        tables.load(name, path=path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_repeated_key_is_refused(tmp_path):
    message = spoil(tmp_path, "base_panel", lambda frame: pd.concat([frame, frame.tail(1)]))
    assert "stands twice" in message and "Qwen2.5-14B" in message


def test_missing_and_unknown_columns_are_named(tmp_path):
    assert "lacks column family" in spoil(tmp_path, "base_panel", lambda frame: frame.drop(columns="family"))
    assert "unknown column extra" in spoil(tmp_path, "base_panel", lambda frame: frame.assign(extra="1"))


# --- one's own scores ------------------------------------------------------------------------------------------------


def test_a_good_file_is_read_as_it_stands(tmp_path):
    frame = tables.read_scores(write(tmp_path, GOOD), x="hellaswag", y="truthfulqa")
    assert frame["hellaswag"].tolist() == [30.5, 45.25, 70.0]
    assert tables.score_benchmarks(frame) == ["hellaswag", "truthfulqa"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";").replace(".", ","),
        GOOD.replace(",", "\t"),
        GOOD.replace("hellaswag,truthfulqa", "HellaSwag , TruthfulQA"),
        GOOD.replace("\n", ",,\n"),
        GOOD + "\n,,,,\n",
        GOOD.replace("45.25", "45.25 %"),
    ],
    ids=["byte-order mark", "CRLF", "semicolons", "tabs", "display names", "trailing commas", "blank rows", "percent"],
)
def test_the_forms_that_spreadsheets_write_are_read(tmp_path, text):
    expected = tables.read_scores(write(tmp_path, GOOD))
    pd.testing.assert_frame_equal(tables.read_scores(write(tmp_path, text)), expected)


def test_utf_16_as_excel_saves_unicode_text_is_read(tmp_path):
    text = GOOD.replace(",", "\t").encode("utf-16")
    assert len(tables.read_scores(write(tmp_path, text))) == 3


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("45.25", "150", ["row 3", "hellaswag", "outside 0 to 100"]),
        ("45.25", "-3", ["row 3", "hellaswag", "outside"]),
        ("45.25", "forty", ["row 3", "hellaswag", "'forty' is not a number"]),
        ("45.25", '"45,25"', ["row 3", "hellaswag", "decimals with a point"]),
        ("45.25", "0.4525", ["row 3", "hellaswag", "fraction", "45.25 percent"]),
        ("45.25", "inf", ["row 3", "not a number"]),
        ("F,7,", "F,7000000000,", ["row 4", "params_b", "raw count", "1e9", "is 7"]),
        ("F,7,", "F,0,", ["row 4", "params_b", "not above 0"]),
        ("F,7,", "F,,", ["row 4", "params_b", "blank"]),
        ("c,F", "a,F", ["row 4", "model", "stands in row 2"]),
        ("c,F", ",F", ["row 4", "model", "blank"]),
        ("38.5", "38.5,9", ["row 4", "6 cells", "5 columns"]),
        ("truthfulqa", "hellaswag", ["row 1", "hellaswag", "twice"]),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(tmp_path, old, new, says):
    message = refused(tmp_path, GOOD.replace(old, new))
    assert all(part in message for part in says), message


def test_a_whole_column_of_fractions_is_refused_with_the_offer_to_multiply(tmp_path):
    message = refused(tmp_path, "model,params_b,mine\na,1,0.25\nb,2,0.5\n")
    assert "multiply the column by 100" in message and "25 percent" in message


def test_a_low_score_among_percents_of_ones_own_benchmark_is_no_fraction(tmp_path):
    frame = tables.read_scores(write(tmp_path, "model,params_b,mine\na,1,0.5\nb,2,12\n"))
    assert frame["mine"].tolist() == [0.5, 12.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("hello\nthere\n", "one column"),
        ('{"results": {}}', "cape import"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"model,params_b\n\x81\x8d,1\n", "UTF-8"),
        (b"model,params_b\na\x00,1\n", "not a text file"),
        ("model,params_b,hellaswag\n", "no row"),
        ('model,params_b,hellaswag\n"a,1,50\n', "quotation marks"),
        ("model,,hellaswag\na,1,50\n", "no name"),
    ],
)
def test_a_file_that_is_no_table_of_scores_says_what_it_is(tmp_path, text, says):
    assert says in refused(tmp_path, text)


def test_a_path_that_is_not_there_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ScoresError, match="cannot be read"):
            tables.read_scores(path)


def test_a_needed_column_that_is_missing_has_its_own_error(tmp_path):
    assert "truthfulqa" in refused(tmp_path, "model,params_b,hellaswag\na,1,50\n", MissingError, y="truthfulqa")
    assert "params_b" in refused(tmp_path, "model,hellaswag\na,50\n", MissingError)
    assert "model" in refused(tmp_path, "who,hellaswag\na,50\n", MissingError)
    assert "blank in every row" in refused(tmp_path, "model,params_b,mmlu\na,1,\n", MissingError, x="mmlu")


def test_a_blank_score_matters_only_where_it_is_analysed(tmp_path):
    text = GOOD.replace("45.25", "")
    assert np.isnan(tables.read_scores(write(tmp_path, text))["hellaswag"][1])
    assert "row 3" in refused(tmp_path, text, x="hellaswag")


def test_frontier_scores_need_no_size(tmp_path):
    text = "model,lab,release_date,swe_bench_verified,gpqa_diamond\na,L,2026-05,60,70\n"
    frame = tables.read_scores(write(tmp_path, text), x="swe_bench_verified", y="gpqa_diamond")
    assert frame["params_b"].isna().all()
    assert "not a date" in refused(tmp_path, text.replace("2026-05", "May 2026"))


def test_mixed_protocols_are_refused_and_unknown_ones_are_not_mixed(tmp_path):
    mixed = "model,params_b,hellaswag,hellaswag_protocol\na,1,40,10-shot\nb,2,50,0-shot\nc,3,60,\n"
    message = refused(tmp_path, mixed, MixedProtocolError)
    assert "a was measured by [10-shot], b by [0-shot]" in message
    assert len(tables.read_scores(write(tmp_path, mixed), allow_mixed=True)) == 3
    assert (
        len(tables.read_scores(write(tmp_path, mixed.replace("0-shot\nc", "unknown\nc").replace("10-shot", "")))) == 3
    )


def test_standard_errors_are_points_and_not_fractions(tmp_path):
    head = "model,params_b,hellaswag,hellaswag_stderr\n"
    assert tables.read_scores(write(tmp_path, head + "a,1,40,0.5\n"))["hellaswag_stderr"][0] == 0.5
    assert "fraction" in refused(tmp_path, head + "a,1,40,0.005\n")
    assert "no standard error" in refused(tmp_path, head + "a,1,40,-1\n")


def test_a_frame_is_checked_like_a_file():
    frame = pd.DataFrame({"model": ["a", "b"], "params_b": [1, 2], "hellaswag": [40.0, 140.0]})
    with pytest.raises(ScoresError, match="row 3, column hellaswag"):
        tables.read_scores(frame)
    with pytest.raises(ScoresError, match="no row"):
        tables.read_scores(frame.iloc[:0])


@given(scores=st.lists(st.floats(1.01, 100).map(lambda value: round(value, 4)), min_size=1, max_size=8))
def test_scores_survive_the_way_through_a_file(tmp_path_factory, scores):
    frame = pd.DataFrame({"model": [f"m{i}" for i in range(len(scores))], "params_b": 1.0, "mmlu": scores})
    path = tmp_path_factory.mktemp("s") / "scores.csv"
    frame.to_csv(path, index=False)
    assert tables.read_scores(path)["mmlu"].tolist() == scores


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("b") / "scores.csv"
    path.write_bytes(raw)
    try:
        tables.read_scores(path)
    except CapeError as problem:
        assert "\n" not in str(problem)


@pytest.mark.parametrize("text", [",\n,\n", '""\n', ";;\n"])
def test_a_file_of_empty_cells_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScoresError, match="empty"):
        tables.read_scores(file)
