"""The frontier panels: as published, audited cell by cell, and built from dated statements by one rule."""

from __future__ import annotations

import importlib

import pandas as pd
import pytest

from cape_lib import ScoresError, UsageError, tables
from cape_lib.story import frontier as story
from experiments.frontier_cells import audit

PAIR = ["swe_bench_verified", "gpqa_diamond"]


def spoiled(tmp_path, change) -> str:
    frame = pd.read_csv(tables.data_dir() / "frontier_scores.csv", dtype=str, keep_default_na=False)
    path = tmp_path / "frontier_scores.csv"
    change(frame).to_csv(path, index=False)
    with pytest.raises(ScoresError) as caught:
        tables.load("frontier_scores", path=path)
    return str(caught.value)


def new_release(**cells: str):
    blank = {"model": "Nova 1", "lab": "Nova", "version": "", "release_date": "2026-11-01", "reason": "", "note": ""}
    blank |= {"benchmark": "gpqa_diamond", "value": "88.1", "setting": "no tools", "role": "main", "date": "2026-11-01"}
    blank |= {"claimed_by": "lab", "stated_by": "Nova", "source": "https://example.org/nova", "read_via": ""}
    return lambda frame: pd.concat([frame, pd.DataFrame([blank | cells])], ignore_index=True)


def test_the_published_panel_is_34_frozen_rows_and_5_later_ones():
    frame = tables.frontier()
    assert len(frame) == 39 and frame["frozen"].sum() == 34
    assert set(frame["swe_bench_verified_status"]) == {"published"}


def test_the_published_rows_give_the_published_line_and_correlations():
    frame = tables.frontier()
    frozen = frame[frame["frozen"]]
    slope = frozen["gpqa_diamond"].cov(frozen["swe_bench_verified"]) / frozen["swe_bench_verified"].var()
    assert round(slope, 3) == 0.513
    assert round(frozen["gpqa_diamond"].mean() - slope * frozen["swe_bench_verified"].mean(), 1) == 46.4
    assert round(frozen[PAIR].corr().iloc[0, 1], 4) == 0.7235
    assert round(frame[PAIR].corr().iloc[0, 1], 2) == 0.75


def test_every_panel_has_the_same_columns_and_one_row_a_model():
    for panel in tables.FRONTIER_PANELS:
        frame = tables.frontier(panel)
        assert list(frame.columns) == list(tables.frontier().columns)
        assert frame["model"].is_unique
        assert frame["released"].is_monotonic_increasing


def test_every_value_of_the_sourced_panels_has_a_public_address():
    for panel in ("sourced", "current"):
        frame = tables.frontier(panel)
        for benchmark in tables.FRONTIER_BENCHMARKS:
            there = frame[benchmark].notna()
            assert frame.loc[there, f"{benchmark}_source"].str.startswith("https://").all()
            assert frame.loc[there, f"{benchmark}_status"].notna().all()
            assert frame.loc[~there, f"{benchmark}_status"].isna().all()


def test_a_point_never_joins_a_makers_value_to_an_independent_one():
    frame = tables.frontier("current").dropna(subset=PAIR)
    swe = frame["swe_bench_verified_claimed_by"] == "independent"
    gpqa = frame["gpqa_diamond_claimed_by"] == "independent"
    assert (swe == gpqa).all() and swe.any() and (~swe).any()


def test_the_claimant_can_be_chosen_and_then_no_other_speaks():
    for claimant in ("lab", "independent"):
        frame = tables.frontier("current", claimed_by=claimant)
        for benchmark in tables.FRONTIER_BENCHMARKS:
            assert set(frame[f"{benchmark}_claimed_by"].dropna()) <= {claimant}


def test_a_date_leaves_out_what_came_later():
    frame = tables.frontier("current", as_of="2026-03")
    assert frame["released"].max() <= pd.Timestamp("2026-03-31")
    assert "Claude Opus 4.8" not in set(frame["model"])
    assert len(tables.frontier("published", as_of="2024")) == 8


@pytest.mark.parametrize(
    "wrong", [{"panel": "correct"}, {"as_of": "May"}, {"as_of": "2026-13"}, {"claimed_by": "maker", "panel": "sourced"}]
)
def test_unknown_panel_date_and_claimant_are_refused(wrong):
    with pytest.raises(UsageError):
        tables.frontier(**wrong)


def test_the_published_values_cannot_be_filtered_by_claimant():
    with pytest.raises(UsageError, match="sourced or current"):
        tables.frontier("published", claimed_by="lab")


# --- the audit --------------------------------------------------------------------------------------------------------


def test_the_table_of_cells_is_what_the_rule_gives():
    written = tables.load("frontier_cells")
    reasons = {(row["model"], row["benchmark"]): row["reason"] for row in written.to_dict("records")}
    computed = audit(tables.load("frontier_panel"), tables.load("frontier_scores"), reasons)
    for column in written.columns:
        expected, result = (side[column].astype(object).fillna("") for side in (computed, written))
        assert list(result) == list(expected), f"{column}: run python -m experiments.frontier_cells"


def test_every_cell_that_is_not_confirmed_says_why():
    cells = tables.load("frontier_cells")
    assert len(cells) == 78
    assert cells.loc[cells["status"] != "confirmed", "reason"].notna().all()


def test_the_corrected_panel_differs_from_the_published_one_in_the_corrected_cells_only():
    published, corrected = (tables.frontier(panel).set_index("model") for panel in ("published", "corrected"))
    for benchmark in PAIR:
        status = corrected[f"{benchmark}_status"]
        changed = corrected[benchmark] != published.loc[corrected.index, benchmark]
        assert set(status[changed]) == {"corrected"}
        assert (changed == (status == "corrected")).all()


@pytest.mark.parametrize(
    ("model", "benchmark", "value"),
    [
        ("DeepSeek-V2.5", "gpqa_diamond", 41.3),
        ("DeepSeek-V3", "gpqa_diamond", 59.1),
        ("DeepSeek-R1", "swe_bench_verified", 49.2),
        ("Llama 4 Maverick", "gpqa_diamond", 69.8),
        ("Grok 4", "gpqa_diamond", 87.5),
        ("Claude Sonnet 4.6", "gpqa_diamond", 89.9),
    ],
)
def test_known_errors_of_the_published_panel_are_corrected(model, benchmark, value):
    row = tables.frontier("corrected").set_index("model").loc[model]
    assert row[benchmark] == value and row[f"{benchmark}_status"] == "corrected"


# --- a new release is one row -----------------------------------------------------------------------------------------


def test_one_row_adds_a_release(tmp_path, monkeypatch):
    frame = pd.read_csv(tables.data_dir() / "frontier_scores.csv", dtype=str, keep_default_na=False)
    path = tmp_path / "frontier_scores.csv"
    new_release()(frame).to_csv(path, index=False)
    rows = tables.load("frontier_scores", path=path)
    assert tables.chosen(rows).query("model == 'Nova 1'")["value"].tolist() == [88.1]


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"source": ""}, "source", "blank"),
        ({"source": "the launch page"}, "source", "not a public address"),
        ({"value": "0.881"}, "value", "fraction"),
        ({"value": "881"}, "value", "881 is outside 0 to 100"),
        ({"release_date": "2026-13-01"}, "release_date", "not a day of the calendar"),
        ({"release_date": "2026-02-30"}, "release_date", "not a day of the calendar"),
        ({"role": "maybe"}, "role", "not one of"),
        ({"claimed_by": "a friend"}, "claimed_by", "not one of"),
        ({"model": "GPT-5", "lab": "OpenAI", "release_date": "2026-11-01"}, "release_date", "another model"),
        ({"model": "GPT-5", "lab": "Nova", "release_date": "2025-08-07"}, "lab", "another model"),
        ({"role": "other setting"}, "reason", "say why"),
    ],
)
def test_a_bad_statement_is_refused_with_row_and_column(tmp_path, cells, column, reason):
    message = spoiled(tmp_path, new_release(**cells))
    assert f"row {len(tables.load('frontier_scores')) + 2}, column {column}" in message and reason in message


def test_a_benchmark_named_later_has_its_column_in_every_panel(monkeypatch):
    module = importlib.import_module("cape_lib.tables.frontier")
    monkeypatch.setattr(module, "FRONTIER_BENCHMARKS", (*tables.FRONTIER_BENCHMARKS, "ifbench"))
    known = {panel: tables.frontier(panel)["ifbench"].notna().sum() for panel in tables.FRONTIER_PANELS}
    assert known["published"] == known["corrected"] == 0
    assert 0 < known["sourced"] < known["current"]


def test_two_versions_in_one_point_are_refused(tmp_path):
    row = {"model": "o3", "lab": "OpenAI", "release_date": "2025-04-16", "version": "o3-pro", "setting": "pro"}
    message = spoiled(tmp_path, new_release(**row))
    assert "column version" in message and "released 2025-04-16" in message


def test_two_values_of_one_maker_and_day_are_refused(tmp_path):
    twice = new_release(value="90.0", setting="tools")
    message = spoiled(tmp_path, lambda frame: twice(new_release()(frame)))
    assert "second value of one day" in message


def test_the_newest_dated_statement_counts():
    rows = tables.load("frontier_scores")
    older = rows[(rows["model"] == "DeepSeek-V2.5") & (rows["benchmark"] == "swe_bench_verified")]
    assert set(older["value"]) == {16.8, 22.6}
    picked = tables.chosen(older, claimed_by="lab")
    assert picked["value"].tolist() == [22.6]
    earlier = tables.chosen(older, claimed_by="lab", as_of=pd.Timestamp("2024-10-01"))
    assert earlier["value"].tolist() == [16.8]


def test_a_maker_that_leaves_a_benchmark_out_of_two_releases_has_stopped():
    swe, gpqa = "swe_bench_verified", "gpqa_diamond"
    rows = [
        ("A", "a1", "2025-01-01", swe, "main", "lab"),
        ("A", "a2", "2025-02-01", gpqa, "main", "lab"),
        ("A", "a3", "2025-03", gpqa, "main", "lab"),
        ("A", "a3", "2025-03", swe, "main", "independent"),
        ("B", "b1", "2025-01-01", swe, "main", "lab"),
        ("B", "b2", "2025-02-01", gpqa, "main", "lab"),
        ("B", "b1b", "2025-01-01", gpqa, "main", "lab"),
        ("B", "b3", "2025-03-01", gpqa, "weak", "lab"),
        ("C", "c1", "2025-01-01", gpqa, "main", "lab"),
        ("C", "c1", "2025-01-01", swe, "main", "rival"),
    ]
    scores = pd.DataFrame(rows, columns=["lab", "model", "release_date", "benchmark", "role", "claimed_by"])
    last = tables.last_stated(scores, swe).set_index("lab")
    assert last["later"].to_dict() == {"A": 2, "B": 1}
    assert last["stopped"].to_dict() == {"A": True, "B": False}
    early = tables.last_stated(scores, swe, as_of=pd.Timestamp("2025-02-15"))
    assert not early["stopped"].any()
    assert "**1 of 2 makers**" in story.stopped(last.reset_index())
    assert story.stopped(last.reset_index(), day="2025-04-01").startswith("As of 2025-04-01, **1 of 2 makers**")
    assert story.stopped(early) == "All 2 makers that stated SWE-bench Verified still do."


def test_a_score_that_its_maker_never_stated_is_said_to_be_the_papers():
    openai = tables.frontier("corrected").query("lab == 'OpenAI'").set_index("model", drop=False)
    alone = openai.loc["GPT-5.4 xhigh"]
    assert story.only_published(alone) == " (its 77.2 is the papers', not OpenAI's)"
    stated = openai[openai["swe_bench_verified_status"] == "confirmed"].iloc[0]
    assert story.only_published(stated) == story.only_published(alone.replace(77.2, 78.0)) == ""


def test_a_later_score_of_the_maker_takes_it_off_the_list_of_those_that_stopped():
    scores = tables.load("frontier_scores")
    last = tables.last_stated(scores, "swe_bench_verified").set_index("lab")
    lab = last.index[last["stopped"]][0]
    newest = scores[(scores["lab"] == lab) & (scores["claimed_by"] == "lab")].sort_values("release_date").tail(1)
    again = pd.concat([scores, newest.assign(benchmark="swe_bench_verified", role="main")], ignore_index=True)
    assert not tables.last_stated(again, "swe_bench_verified").set_index("lab").loc[lab, "stopped"]
