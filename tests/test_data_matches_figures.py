"""The tables hold the figures that they were written from, and every table has a description."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from cape_lib import tables

REFERENCE = Path(__file__).parent / "reference"
# A checkout of the project's own has the collated figures beside it; another clone has the counts and sums only.
FIGURES = Path(__file__).resolve().parents[2] / "shared" / "facts"
with_figures = pytest.mark.skipif(not FIGURES.is_dir(), reason="the collated figures do not lie beside this clone")


def data_checks():
    spec = importlib.util.spec_from_file_location("data_checks", REFERENCE / "data_checks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_and_sums_of_every_table_are_those_written_down():
    written = json.loads((REFERENCE / "data_checks.json").read_text("utf-8"))
    result = data_checks().summaries()
    assert set(result) == set(written)
    for table, expected in written.items():
        assert result[table]["rows"] == expected["rows"], table
        for column, (filled, total) in expected["columns"].items():
            count, amount = result[table]["columns"][column]
            assert count == filled and amount == pytest.approx(total, abs=1e-5), f"{table}.{column}"


SAME = ["hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu"]
SIZES = ["params_b", "d_model", "n_layers", "n_heads", "pretrain_tokens_b"]
TABLES = {
    # table: (file, key, {our column: their column})
    "base_panel": (
        "base_models.csv",
        ["model"],
        {**{name: name for name in [*SAME, *SIZES, "truthfulqa_metric", "lab", "shots", "hf_id", "traceable"]}}
        | {"family_published": "family", "in_published": "in_paper_panel", "duplicate_of": "duplicate_of"}
        | {"training": "curated", "estimated": "estimated", "coupling_published": "gamma12_reported"}
        | {"source": "source_file", "same_as_uniform": "same_as_obsscaling", "largest_difference": "obs_max_abs_diff"},
    ),
    "uniform_panel": (
        "base_models_obsscaling.csv",
        ["model"],
        {name: name for name in [*SAME, *SIZES, "lab", "hf_id", "gsm8k", "humaneval", "xwinograd", "flops_1e21"]}
        | {name: name for name in ["lbv2_bbh", "lbv2_gpqa", "lbv2_ifeval", "lbv2_math_hard", "lbv2_mmlu_pro"]}
        | {"lbv2_musr": "lbv2_musr", "family_source": "family", "training": "curated", "source": "source_file"}
        | {"published_model": "paper_panel_model", "same_as_published": "same_as_paper_panel"},
    ),
    "internal_coupling": (
        "internal_coupling.csv",
        ["record_id"],
        {name: name for name in ["net_coupling", "coupling_std", "coop_fraction", "competing_units", "total_units"]}
        | {name: name for name in ["early", "mid", "late", "d_rep", "output_proj_cosine", "wider_proj_cosine"]}
        | {name: name for name in ["pair_hs_mmlu", "pair_mmlu_code", "params_b", "model", "source"]},
    ),
    "layer_coupling": (
        "layer_coupling.csv",
        ["model", "layer", "source"],
        {"coupling": "coupling", "relative_depth": "relative_depth", "cooperating_percent": "coop_pct"},
    ),
    "projection_sweep": ("dimension_sweep.csv", ["model", "k"], {"coupling": "coupling"}),
    "steering_records": (
        "steering_records.csv",
        ["record_id"],
        {name: name for name in ["changed", "excerpts_equal", "cos_truth", "probe_layer", "model", "run"]},
    ),
    "steering_totals": ("steering_summary.csv", ["run", "model"], {"n_changed": "n_changed", "n_total": "n_total"}),
    "predictions": (
        "predictions.csv",
        ["id"],
        {name: name for name in ["name", "pass_rule", "fail_rule", "resolves_by", "min_n", "top_k", "population"]},
    ),
    "claims": ("claims.csv", ["id"], {"claim": "claim", "unit": "unit", "source": "source"}),
    "frontier_panel": (
        "frontier_models.csv",
        ["model"],
        {name: name for name in ["swe_bench_verified", "gpqa_diamond", "hle", "ifeval", "mmlu", "lab", "release_date"]}
        | {
            "frozen": "in_frozen_panel",
            "subset": "subset",
            "compute_tier": "compute_tier",
            "h_published": "h_reported",
        },
    ),
    "frontier_versions": (
        "frontier_score_variants.csv",
        ["model", "benchmark", "source", "source_label"],
        {"value": "value"},
    ),
}


def as_text(cell: object) -> str:
    if pd.isna(cell) or cell == "":
        return ""
    text = str(cell)
    return f"{float(text):.9g}" if re.fullmatch(r"-?\d+\.?\d*(e-?\d+)?", text) else text.casefold()


def figures(file: str) -> pd.DataFrame:
    return pd.read_csv(FIGURES / file, dtype=str, keep_default_na=False)


@with_figures
@pytest.mark.parametrize("table", TABLES)
def test_every_cell_carried_over_equals_the_figure(table):
    file, key, columns = TABLES[table]
    ours = tables.load(table)
    ours = ours.assign(**{name: ours[name].map(as_text) for name in key}).set_index(key)
    theirs = figures(file)
    theirs = theirs.assign(**{name: theirs[name].map(as_text) for name in key}).set_index(key)
    if table == "claims":  # those from C100 on were added in this book
        ours = ours[ours.index.isin(theirs.index)]
    assert set(ours.index) <= set(theirs.index) and ours.index.is_unique
    theirs = theirs[~theirs.index.duplicated()].loc[ours.index]
    for mine, figure in columns.items():
        result, expected = list(ours[mine].map(as_text)), list(theirs[figure].map(as_text))
        wrong = [key for key, a, b in zip(ours.index, result, expected, strict=True) if a != b]
        assert not wrong, f"{table}.{mine}: {wrong[:3]}"


@with_figures
def test_no_row_of_the_figures_is_left_out():
    for table, (file, _, _) in TABLES.items():
        theirs = figures(file)
        if table == "frontier_panel":
            theirs = theirs[theirs["subset"] != ""]
        if table == "frontier_versions":
            theirs = theirs[theirs["source_kind"] == "tree"]
        ours = tables.load(table)
        added = int(ours["id"].str.fullmatch(r"C\d{3}|O\d{2}").sum()) if table == "claims" else 0
        assert len(ours) - added == len(theirs), table


@with_figures
def test_every_version_of_a_base_score_is_there():
    ours = tables.load("base_scores")
    key = ["benchmark", "version", "source_label", "source", "value"]
    known = set(ours[key].itertuples(index=False, name=None))
    for file in ("base_score_variants.csv", "pythia_versions.csv"):
        theirs = figures(file).astype({"value": float})
        assert set(theirs[key].itertuples(index=False, name=None)) <= known, file
    assert len(ours) == len(figures("base_score_variants.csv"))


@with_figures
def test_losses_are_the_figures_in_billions_of_parameters():
    ours, theirs = tables.load("losses"), figures("pythia_loss.csv")
    assert list(ours["loss"]) == [float(value) for value in theirs["loss"]]
    assert list((ours["params_b"] * 1e9).round()) == [float(value) for value in theirs["params"]]


NAMES = {"SWE-bench Verified": "swe_bench_verified", "GPQA Diamond": "gpqa_diamond", "HLE (no tools)": "hle"}
NAMES |= {"HLE (with tools)": "hle_tools", "HLE-Verified": "hle_verified", "IFBench": "ifbench", "IFEval": "ifeval"}
NAMES |= {"ARC-AGI-2": "arc_agi_2"}


@with_figures
def test_every_later_frontier_statement_and_conflict_is_among_the_statements():
    ours = tables.load("frontier_scores")
    known = {(row["model"].split(" (")[0], row["benchmark"], row["value"]) for row in ours.to_dict("records")}
    updates, conflicts = figures("frontier_updates.csv"), figures("frontier_conflicts.csv")
    conflicts = conflicts[conflicts["found_value"] != "none found"].rename(columns={"found_value": "value"})
    external = figures("frontier_score_variants.csv").query("source_kind == 'external'")
    external = external[external["benchmark"].isin(["swe_bench_verified", "gpqa_diamond", "ifeval"])]
    for rows in (updates, conflicts, external):
        for row in rows.to_dict("records"):
            benchmark = NAMES.get(row["benchmark"], row["benchmark"])
            assert (row["model"], benchmark, float(row["value"])) in known, row
    assert len(ours) >= len(updates)


@with_figures
def test_the_audit_knows_every_makers_value_of_the_first_pass():
    statements = tables.load("frontier_scores").query("claimed_by != 'independent'")
    known = {(row["model"], row["benchmark"], row["value"]) for row in statements.to_dict("records")}
    for row in figures("frontier_cells.csv").to_dict("records"):
        for value in filter(None, row["lab_values"].split(";")):
            assert (row["model"], row["benchmark"], float(value)) in known, row


# --- the description of the tables ----------------------------------------------------------------------------------


def test_every_csv_has_a_description_and_every_description_a_csv():
    files = [*tables.data_dir().glob("*.csv"), *tables.data_dir().glob("testbed/*.csv")]
    assert sorted(path.stem for path in files) == tables.table_names()


def test_a_description_names_its_key_and_knows_its_types_and_constraints():
    from cape_lib.tables.files import descriptor

    words = {"name", "type", "description", "unit", "required", "minimum", "maximum", "exclusiveMinimum", "enum"}
    for table in descriptor().values():
        assert set(table["key"]) <= {field["name"] for field in table["fields"]}
        for field in table["fields"]:
            assert field["type"] in {"string", "number", "integer", "boolean"} and field["description"]
            assert set(field) <= words | {"pattern", "pattern_says"}, "a constraint that nothing checks"


def test_every_score_column_has_a_unit():
    from cape_lib.tables.files import descriptor

    for name, table in descriptor().items():
        for field in table["fields"]:
            if field["name"] in {*tables.BASE_BENCHMARKS, *tables.FRONTIER_BENCHMARKS, "params_b", "loss"}:
                assert field.get("unit"), f"{name}.{field['name']}"


def test_the_datasheet_names_every_table_and_credits_every_source():
    text = (tables.data_dir() / "README.md").read_text("utf-8")
    for name in tables.table_names():
        assert f"`{name}`" in text, name
    for row in tables.load("sources").to_dict("records"):
        assert row["repository"].removeprefix("https://") in text
    assert "MIT" in text and "Apache-2.0" in text


def test_the_datasheet_counts_the_rows_that_are_there():
    text = (tables.data_dir() / "README.md").read_text("utf-8")
    counts = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, flags=re.M)
    assert len(counts) >= 13
    for name, rows in counts:
        assert len(tables.load(name)) == int(rows), name


def test_the_numbers_of_the_known_errors_are_those_of_the_tables():
    text = (tables.data_dir() / "README.md").read_text("utf-8")
    panel = tables.load("base_panel").query("in_published")
    same = int(panel["same_as_uniform"].fillna(False).sum())
    metric = panel["truthfulqa_metric"].value_counts()
    assert f"{same} of the {len(panel)} published rows" in text
    assert f"{metric['mc2']} are MC2, {metric['unknown']} unknown" in text
    uniform = tables.load("uniform_panel")
    assert f"{int(uniform['published_model'].isna().sum())} uniform rows" in text


def test_nothing_is_stated_twice_in_one_place():
    for name in tables.table_names():
        assert not tables.load(name).duplicated().any(), name
