"""Files as people have them, made by hand in real shapes: each gives the right row, or the one sentence that helps."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from cape_lib import tables
from cape_lib.cli import main
from cape_lib.dashboard.one_family import diagnose_family
from cape_lib.errors import CapeError
from cape_lib.ingest import Options, Source, read_any
from cape_lib.report import family, sweep
from cape_lib.tables import TableOptions

CASES = Path(__file__).with_name("cases")
#: model, size, HellaSwag, TruthfulQA: what most of the tables hold
USUAL = {"a-1b": (1.1, 50.5, 40.2), "a-3b": (3.0, 62.1, 36.0), "a-7b": (7.0, 70.75, 38.4)}
SMOL = {"org/Smol-135M": 0.135, "org/Smol-360M": 0.36, "org/Smol-1.7B": 1.7}
M = {"org/m-1b": 1.0, "org/m-3b": 3.0, "org/m-7b": 7.0}

#: file -> the rows: model -> (params_b, hellaswag, truthfulqa)
TABLES = {
    **{
        f"tab/{name}": USUAL
        for name in (
            "cols.json",
            "comma_decimal.csv",
            "excel_bom.csv",
            "excel_crlf.csv",
            "excel_de.csv",
            "excel_utf16.csv",
            "index.csv",
            "lines.jsonl",
            "long.csv",
            "names2.csv",
            "nb2.csv",
            "nonbench.csv",
            "percent.csv",
            "pipe.csv",
            "pm.csv",
            "records.json",
            "space.txt",
            "t.tsv",
            "thousands.csv",
        )
    },
    "tab/excel_cp1252.csv": {name.replace("a-", "Modèle-"): row for name, row in USUAL.items()},
    "tab/sizes_text.csv": USUAL | {"a-7b": (0.41, 70.75, 38.4)},
    "tab/paper.md": USUAL | {"a-7b": (7.0, 70.8, 38.4)},
    "sz/two.csv": {"a": (1.0, 50.0, 40.0), "b": (7.0, 60.0, 36.0)},
    "sz/forty.csv": {"m0": (0.05, 30.0, 46.03)},
    "small_scores_are_percent.csv": {"g-124m": (0.124, 31.5, 40.7), "g-1.5b": (1.5, 51.4, 38.5)},
    "one_family_of_a_table_small_scores.csv": {"g-124m": (0.124, 31.5, 40.7), "h-70b": (70.0, 87.0, 45.0)},
    "sweep_blank_for_family.csv": {"c-9b": (9.0, 72.0, 39.0)},
    "sweep_no_family_column.csv": {"b-3b": (3.2, 60.0, 39.0)},
    **{
        f"messy/{name}": USUAL
        for name in (
            "blanks.csv",
            "bold.md",
            "bom_semicolon_thin.csv",
            "both_metrics.csv",
            "comments.csv",
            "footer.csv",
            "merged_head.csv",
            "multiline_head.csv",
            "mysql.txt",
            "nbsp_heads.csv",
            "nested.jsonl",
            "repeated_head.csv",
            "swiss.csv",
            "title_above.csv",
            "totals.csv",
            "two_heads.csv",
            "unicode_text.txt",
            "utf16_no_bom.csv",
            "asciidoc.txt",
            "by_model.json",
            "counts.csv",
            "cp1252_semicolon.csv",
            "dashes.csv",
            "entities.csv",
            "excel_errors.csv",
            "utf16be_semicolon.csv",
            "colours.csv",
            "german.csv",
            "group_heads.csv",
            "html_cells.csv",
            "human_row.csv",
            "jira.txt",
            "numbered.csv",
            "rst_simple.txt",
            "scores.dat",
            "stars.csv",
            "units_row.csv",
            "units_row_named.csv",
        )
    },
    **{
        f"stranger/{name}": USUAL
        for name in (
            "empty_column.csv",
            "garbage_beside.csv",
            "llm_heads.csv",
            "long_metrics.csv",
            "long_shots.tsv",
            "milliards.csv",
            "millions_grouped.csv",
            "row_numbers.csv",
            "second_table.md",
            "transposed_metrics.csv",
            "underscores.csv",
            "records_below.json",
            "by_column.json",
            "by_model_nested.json",
            "footnotes.md",
            "counted_with_mean.csv",
            "family_spellings.csv",
        )
    },
    "messy/nbsp_names.csv": {f"Pythia {name[2:].upper()}": row for name, row in USUAL.items()},
    "messy/merged_family.csv": USUAL | {"b-7b": (7.0, 69.0, 39.0)},
    **{f"messy/{name}": dict(list(USUAL.items())[:2]) for name in ("box.txt", "latex.txt", "nested_stderr.jsonl")},
    "messy/group_rows.csv": {"a-3b": (3.0, 62.1, 36.0), "b-7b": (7.0, 70.75, 38.4)},
    "messy/hf_board.csv": {f"org/{name}": row for name, row in USUAL.items()},
    "messy/revisions.csv": {"org/a-1b@main": (1.1, 50.5, 40.2), "other/b-7b (rev 12ab)": (7.0, 70.75, 38.4)},
    "messy/moe_sizes.csv": {
        "e-30b": (30.0, 70.5, 37.0),
        "g-13b": (13.0, 75.0, 39.0),
        "h-70b": (70.0, 84.0, 44.0),
        "i-7b": (7.0, 70.0, 38.0),
        "j-235b": (235.0, 87.0, 46.0),
    },
    "ours/excel_sep.csv": USUAL,
    "ours/readme_table.md": {"m-1b": (1.1, 50.5, 40.2), "m-3b": (3.0, 62.1, 36.0), "m-7b": (7.0, 70.8, 38.4)},
    "ours/transposed.csv": {name.replace("a-", "m-"): row for name, row in USUAL.items()},
    "ours/split.json": {"a-1b": (1.1, 50.5, 40.2), "a-3b": (3.0, 62.1, 36.0)},
    "ours/tokens_beside.csv": {"a-7b": (7.0, 70.0, 38.0)},
    "ours/moe.csv": {"OLMoE-1B-7B": (6.9, 78.0, 36.0), "Dense-3B": (3.0, 70.0, 38.0)},
}

#: file or folder, options -> model -> (params_b, column, percent); what a note says
RESULTS: list[tuple[str, Options, dict[str, tuple[float, str, float]], str]] = [
    (
        "lm/rerun",
        Options(),
        {"org/m-1b": (1.0, "hellaswag", 60.0)},
        r"hellaswag: \[10-shot\] is read \(3 models, 2025-01-01",
    ),
    ("lm/dup", Options(), {"org/m-3b": (3.0, "hellaswag", 70.0)}, "lm-evaluation-harness"),
    ("lm/stderr", Options(), {"org/m-7b": (7.0, "truthfulqa", 36.0)}, "lm-evaluation-harness"),
    ("lm/gen", Options(), {"org/m-7b": (7.0, "truthfulqa_mc1", 25.0)}, "tasks not read: truthfulqa_gen"),
    ("lm/two", Options(), {"Qwen/Q2-7b": (7.0, "hellaswag", 80.0)}, "lm-evaluation-harness"),
    ("lm/steps", Options(), {"EleutherAI/pythia-1b@step143000": (1.01178, "step", 143000.0)}, "lm-evaluation-harness"),
    ("lm/api", Options(params=M), {"org/m-7b": (7.0, "hellaswag", 80.0)}, "lm-evaluation-harness"),
    (
        "lm/ckpt",
        Options(params={f"exp-{n}b/checkpoint-14676": n for n in (1, 3, 7)}),
        {"exp-7b/checkpoint-14676": (7.0, "hellaswag", 70.0)},
        "lm-evaluation-harness",
    ),
    (
        "lm/gptq",
        Options(allow=frozenset({"mixed"})),
        {"org/m-7b-GPTQ": (7.0, "hellaswag", 80.0)},
        "the 7 B of its name",
    ),
    ("lm/chat", Options(allow=frozenset({"mixed"})), {"org/m-7b": (7.0, "hellaswag", 80.0)}, "lm-evaluation-harness"),
    (
        "lm03/v0",
        Options(params=M),
        {"org/m-1b": (1.0, "hellaswag", 50.0)},
        "MMLU left out, 57 of its subjects have task version 0",
    ),
    ("lm03/v0_v1", Options(params=M), {"org/m-7b": (7.0, "mmlu", 29.0)}, "m-1b.json: MMLU left out"),
    ("lighteval", Options(params=SMOL), {"org/Smol-1.7B": (1.7, "truthfulqa", 37.0)}, "lighteval"),
    ("v2", Options(), {"org/Smol-1.7B": (1.711, "bbh", 62.0)}, "raw scores"),
    ("v2", Options(), {"org/Smol-1.7B": (1.711, "ifeval", 37.0)}, "raw scores"),
    ("other/inspect_log.json", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "hellaswag", 55.0)}, "Inspect"),
    (
        "other/bigscience.json",
        Options(params={"b": 1}, names={str(CASES / "other/bigscience.json"): "b"}),
        {"b": (1.0, "hellaswag", 44.0)},
        "without a frame",
    ),
    (
        "other/bare.json",
        Options(params={"b": 1}, names={str(CASES / "other/bare.json"): "b"}),
        {"b": (1.0, "truthfulqa", 40.0)},
        "without a frame",
    ),
    (
        "real",
        Options(params={"bigscience/bloom-560m": 0.56}),
        {"bigscience/bloom-560m": (0.56, "hellaswag", 36.5565)},
        "mc_taco",
    ),
    (
        "ours/opencompass_summary_20240101.csv",
        Options(params={"m-1b": 1, "m-3b": 3, "m-7b": 7}),
        {"m-3b": (3.0, "gsm8k", 12.3)},
        "BoolQ",
    ),
    (
        "ours/opencompass_summary.md",
        Options(params={"m-1b": 1, "m-3b": 3}),
        {"m-3b": (3.0, "hellaswag", 62.2)},
        "OpenCompass",
    ),
    (
        "ours/gauntlet.md",
        Options(params={"org/m-1b": 1, "org/m-3b": 3}),
        {"org/m-3b": (3.0, "mmlu", 27.0)},
        "LLM Foundry",
    ),
    ("ours/helm", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "hellaswag", 55.0)}, "HELM"),
    ("ours/olmes", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "arc_challenge", 31.0)}, "tasks not read: piqa"),
    (
        "ours/lighteval_new_keys.json",
        Options(params={"org/m-1b": 1}, also={"gsm8k": Source("gsm8k", "extractive_match")}),
        {"org/m-1b": (1.0, "gsm8k", 2.0)},
        "lighteval",
    ),
    ("ours/lighteval_card.md", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "truthfulqa", 40.0)}, "lighteval"),
    (
        "ours/every_eval_ever.json",
        Options(params={"org/m-1b": 1}),
        {"org/m-1b": (1.0, "truthfulqa", 41.0)},
        "CivilComments",
    ),
    ("ours/leaderboard_v2_table.csv", Options(), {"org/m-7b": (7.2, "bbh_raw", 43.0)}, "Open LLM Leaderboard v2"),
    (
        "ours/leaderboard_v2_table.csv",
        Options(),
        {"org/m-7b": (7.2, "bbh_normalised", 15.1)},
        "Open LLM Leaderboard v2",
    ),
    (
        "ours/moe.csv",
        Options(table=TableOptions(size="active")),
        {"Big-30B-A3B": (3.3, "hellaswag", 85.0)},
        "active parameters",
    ),
    (
        "messy/mixed_units.csv",
        Options(table=TableOptions(unit="fraction")),
        {"a-1b": (1.1, "truthfulqa", 40.2)},
        "hellaswag: in percent already",
    ),
    (
        "messy/percent_cells.csv",
        Options(table=TableOptions(unit="fraction")),
        {"a-1b": (1.1, "hellaswag", 50.5)},
        "truthfulqa: fractions",
    ),
    ("messy/wandb.csv", Options(table=TableOptions(unit="fraction")), {"a-7b": (7.0, "truthfulqa", 38.4)}, "fractions"),
    ("messy/moe_sizes.csv", Options(table=TableOptions(size="active")), {"e-30b": (3.0, "hellaswag", 70.5)}, "active"),
    ("messy/totals.csv", Options(), {"a-7b": (7.0, "hellaswag", 70.75)}, "no models, left out: Average"),
    ("messy/group_rows.csv", Options(), {"b-7b": (7.0, "hellaswag", 70.75)}, "families: Our models, Baselines"),
    ("messy/two_heads.csv", Options(), {"a-7b": (7.0, "hellaswag_stderr", 0.45)}, "rows 1 and 2 are read together"),
    ("messy/both_metrics.csv", Options(), {"a-3b": (3.0, "hellaswag_stderr", 0.5)}, "the normalised accuracy"),
    ("messy/repeated_head.csv", Options(), {"a-3b": (3.0, "hellaswag", 62.1)}, "stand again in row 3, 5"),
    (
        "messy/merged_family.csv",
        Options(),
        {"b-7b": (7.0, "hellaswag", 69.0)},
        "blank in 3 rows, read as that of the row above",
    ),
    ("messy/counts.csv", Options(), {"a-7b": (7.0, "d_model", 4096.0)}, "counts of parameters"),
    ("messy/counts.csv", Options(), {"a-7b": (7.0, "pretrain_tokens_b", 300.0)}, "counts of parameters"),
    ("messy/human_row.csv", Options(), {"a-7b": (7.0, "truthfulqa", 38.4)}, "left out: Human, Random chance"),
    ("messy/dashes.csv", Options(), {"a-7b": (7.0, "mmlu", 45.3)}, "'x' is not a number; the column is not read"),
    ("messy/stars.csv", Options(), {"a-7b": (7.0, "truthfulqa", 38.4)}, "one text alone are passed over"),
    ("messy/ends_in_cell.csv", Options(), {"a-7b": (7.0, "truthfulqa", 3.0)}, "ends in row 4 at '3'.*was it cut off"),
    (
        "messy/step_units.csv",
        Options(table=TableOptions(axis="flops")),
        {"a": (float("nan"), "flops_1e21", 0.1), "c": (float("nan"), "step", 100000.0)},
        "divided by 1e21",
    ),
    (
        "messy/revision_column.csv",
        Options(table=TableOptions(axis="tokens")),
        {"revision_column@stage1-step10000-tokens42B": (float("nan"), "tokens_b", 42.0)},
        "tokens_b: from the names",
    ),
    (
        "messy/revision_column.csv",
        Options(table=TableOptions(axis="step")),
        {"revision_column@stage1-step1000-tokens5B": (float("nan"), "step", 1000.0)},
        "one run, revision_column",
    ),
    ("ours/inspect_v2.json", Options(params={"m-1b": 1}), {"m-1b": (1.0, "gsm8k", 62.5)}, "by the scorer match"),
    (
        "stranger/opencompass_printed.txt",
        Options(params={"m-1b": 1, "m-3b": 3}),
        {"m-3b": (3.0, "hellaswag", 62.1)},
        "OpenCompass",
    ),
    ("stranger/olmes_run", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "truthfulqa", 40.0)}, "olmes"),
    ("stranger/olmes_all.jsonl", Options(params={"org/m-1b": 1}), {"org/m-1b": (1.0, "hellaswag", 50.0)}, "olmes"),
    (
        "stranger/ends",
        Options(table=TableOptions(axis="step")),
        {"org/m-1b@step1000": (1.0, "hellaswag", 30.0)},
        "left out, for no step is stated: org/m-1b@main",
    ),
    ("stranger/garbage_beside.csv", Options(), {"a-3b": (3.0, "truthfulqa", 36.0)}, "'yesterday' is not a date"),
    ("stranger/second_table.md", Options(), {"a-3b": (3.0, "truthfulqa", 36.0)}, "not read: 1 more in the text"),
    (
        "stranger/percent_head_fractions.csv",
        Options(table=TableOptions(unit="fraction")),
        {"a-3b": (3.0, "truthfulqa", 36.0)},
        "fractions, read as percent",
    ),
    ("ours/text_beside.csv", Options(), {"a-7b@step3000": (7.0, "hellaswag", 70.75)}, "'not run' is not a number"),
    (
        "ours/text_beside.csv",
        Options(table=TableOptions(axis="tokens", batch_tokens=1e6)),
        {"a-1b@step1000": (1.0, "tokens_b", 1.0)},
        "step: 'main' is not a number; the column is not read",
    ),
    ("swe_small.csv", Options(), {"Old-1": (float("nan"), "swe_bench_verified", 0.8)}, "read as percent"),
    (
        "small_scores_are_percent.csv",
        Options(),
        {"g-124m": (0.124, "gsm8k", 0.68)},
        "gsm8k: no value above 1, read as percent",
    ),
]

#: file or folder, options -> exit code and words of the sentence
REFUSED: list[tuple[str, Options, int, str]] = [
    ("lm/ckpt", Options(), 4, "--params exp-7b/checkpoint-14676=7"),
    ("lm/api", Options(), 4, "--params org/m-1b=1"),
    ("lighteval", Options(), 4, "--params org/Smol-135M=0.135"),
    ("real", Options(), 4, "bloom-560m=0.56"),
    ("other/inspect_log.eval", Options(), 6, "Inspect log, which inspect-ai reads"),
    ("other/lfs_pointer.json", Options(), 3, "Git LFS pointer.*git lfs pull"),
    ("other/hf_404.html.json", Options(), 3, "HTML page"),
    ("other/arc_challenge_write_out_info.json", Options(), 3, "single answers"),
    ("other/stats.json", Options(), 3, "HELM statistics without run_spec.json"),
    ("other/bigscience.json", Options(), 3, "--model .*bigscience.json=NAME"),
    ("other/bare.json", Options(), 3, "--model .*bare.json=NAME"),
    ("tab/base_instruct.csv", Options(), 5, "m-1b is a base model by its name, m-1b-instruct an instruct model"),
    ("lm/gptq", Options(), 5, "dtype bfloat16.*dtype float16"),
    ("lm/chat", Options(), 5, "no chat template.*chat template"),
    ("lm/two", Options(), 4, "Qwen/Q2 .3 sizes., meta/L3 .3 sizes.: say --family-from"),
    ("messy/mixed_units.csv", Options(), 3, "column truthfulqa: 0.402 looks like a fraction.*--unit fraction"),
    ("messy/fraction_one_percent.csv", Options(), 3, "0.505 looks like a fraction.*--unit fraction"),
    ("messy/experts.csv", Options(), 3, "row 3, column params_b: '8x7B'.*experts share parameters"),
    ("messy/experts.csv", Options(table=TableOptions(axis="step")), 4, "no step for any model; add a column step"),
    ("messy/paren_err.csv", Options(), 3, "it holds two; write 50.5 ± 0.5"),
    ("messy/ragged_end.csv", Options(), 3, "row 4 has 5 cells, row 1 names 4 columns"),
    ("messy/harness_print.md", Options(), 3, "lm-evaluation-harness prints, which names no model; name the results"),
    ("messy/delta.csv", Options(), 3, "row 2, column hellaswag: '50.5 .+0.0.' is not a number; it holds a difference"),
    ("messy/wiki.txt", Options(), 3, "a table of a wiki; save it as CSV"),
    ("messy/list.yml", Options(), 3, "a YAML file, which is not read; save the table as CSV or JSON"),
    ("messy/cyclic.yaml", Options(), 3, "a YAML file"),
    ("messy/page_table.html", Options(), 3, "a table of an HTML page; save it as CSV"),
    ("messy/ends_in_row.csv", Options(), 3, "cut off in row 4, which has 3 cells"),
    ("messy/interval_cells.csv", Options(), 3, "it holds an interval too; write 50.5 ± its standard error"),
    ("messy/opencompass_blank.csv", Options(), 3, "no benchmark has a score"),
    ("messy/compute_without_unit.csv", Options(table=TableOptions(axis="flops")), 4, "flops is no count of FLOPs"),
    ("stranger/percent_head_fractions.csv", Options(), 3, "0.505 looks like a fraction.*--unit fraction"),
    ("stranger/with_results.json", Options(), 4, "--params a-1b=1 --params a-3b=3"),
    ("stranger/closed_baseline.csv", Options(), 3, "row 5, column params_b: is blank.*or leave the row out"),
    ("stranger/xml.csv", Options(), 3, "an XML file"),
    ("stranger/opencompass_summary.txt", Options(), 3, "OpenCompass as text; name the summary_"),
    ("stranger/ends", Options(), 3, "checkpoints of one model; say --axis step"),
    ("stranger/tables", Options(), 3, "a table is read where it is named: .*first.csv '.*second 2.csv'"),
    ("ours/inspect_failed.json", Options(), 3, "ended as error"),
    ("ours/model_config.json", Options(), 3, "configuration of a model"),
    ("ours/text_beside.csv", Options(table=TableOptions(size="active")), 3, "row 3, column active_params_b: 'half'"),
    ("ours/two_columns.csv", Options(), 3, "columns HellaSwag and HS are both hellaswag"),
    ("ours/millions.csv", Options(), 3, "in millions.*params_m"),
    ("ours/scaling_runs.csv", Options(), 3, "--by family,recipe"),
    ("sweep_no_family_column.csv", Options(table=TableOptions(by=("lab",))), 2, "--by"),
    ("tab/sizes_text.csv", Options(table=TableOptions(unit="fraction")), 3, "is no fraction"),
    ("lm/dup", Options(params={"org/m-2b": 2.0}), 2, "--params: unknown model"),
    ("lm/dup", Options(names={"other.json": "x"}), 2, "--model: no results file matches"),
    ("lm/dup", Options(also={"hellaswagg": Source("h", "acc")}), 2, "--also: .*did you mean hellaswag"),
    ("sz/two.csv", Options(also={"piqa": Source("piqa", "acc")}), 2, "--also: for results files only"),
]


def read(name: str, options: Options | None = None) -> tables.Scores:
    return read_any([str(CASES / name)], options).scores


@pytest.mark.parametrize("name", TABLES)
def test_a_table_gives_its_rows(name):
    frame = read(name).frame.set_index("model")
    for model, (size, x, y) in TABLES[name].items():
        row = frame.loc[model]
        assert (row["params_b"], row["hellaswag"], row["truthfulqa"]) == pytest.approx((size, x, y))


@pytest.mark.parametrize(
    ("name", "options", "rows", "note"), RESULTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_results_give_their_rows_and_say_what_was_read(name, options, rows, note):
    scores = read(name, options)
    frame = scores.frame.set_index("model")
    for model, (size, column, value) in rows.items():
        assert frame.loc[model, "params_b"] == pytest.approx(size, nan_ok=True)
        assert frame.loc[model, column] == pytest.approx(value)
    assert pd.Series(scores.notes).str.contains(note, regex=True).any(), scores.notes


@pytest.mark.parametrize(
    ("name", "options", "code", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_cannot_be_right_is_one_sentence_with_its_next_step(name, options, code, words):
    with pytest.raises(CapeError, match=words) as caught:
        scores = tables.one_family(read(name, options), "M")
        tables.ladder_of(scores, "hellaswag", "truthfulqa", name="M")
    assert caught.value.exit_code == code and "\n" not in str(caught.value)


def test_every_case_has_its_outcome():
    named = {name for name in (*TABLES, *(entry[0] for entry in RESULTS), *(entry[0] for entry in REFUSED), *PACKED)}
    named |= {"sweep_same_size.csv", "ours/seeds.csv"}
    files = [path.relative_to(CASES).as_posix() for path in CASES.rglob("*") if path.is_file()]
    assert [file for file in files if not any(file == name or file.startswith(f"{name}/") for name in named)] == []


#: a file in the form of a package that may be missing -> the package
PACKED = {
    "tab/t.xlsx": "openpyxl",
    "tab/xlsx_named.csv": "openpyxl",
    "tab/t.parquet": "pyarrow",
    "tab/parquet_named.csv": "pyarrow",
}


@pytest.mark.parametrize("name", PACKED)
def test_a_packed_table_is_read_or_names_the_package_that_reads_it(name, monkeypatch):
    if importlib.util.find_spec(PACKED[name]):
        frame = read(name).frame.set_index("model")
        assert frame.loc["a-7b", "hellaswag"] == 70.75
    monkeypatch.setattr(pd, "read_excel", _missing)
    monkeypatch.setattr(pd, "read_parquet", _missing)
    with pytest.raises(CapeError, match=f"pip install {PACKED[name]}") as caught:
        read(name)
    assert caught.value.exit_code == 6


def test_a_workbook_may_open_with_a_page_of_notes_and_merge_its_heads(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "about"
    book.active.append(["Scores of our models, October"])
    scores = book.create_sheet("scores")
    scores.append(["Model", "Params (B)", "Scores", None])
    scores.merge_cells("C1:D1")
    scores.append([None, None, "HellaSwag (10-shot)", "TruthfulQA MC2"])
    for row in (["a-1b", 1, 50.1, 39.2], ["a-3b", 3, 60.3, 37.1], ["a-7b", 7, 70.75, 38.8]):
        scores.append(row)
    book.save(tmp_path / "book.xlsx")
    sheet = read(tmp_path / "book.xlsx")
    assert sheet.frame.set_index("model").loc["a-7b", ["hellaswag", "truthfulqa"]].tolist() == [70.75, 38.8]
    assert any("scores; not read: about" in note for note in sheet.notes)


def test_a_frame_keeps_its_index_of_names_and_drops_nested_values(tmp_path):
    frame = pd.DataFrame(
        {"params_b": [1.0, 3.0], "hellaswag": [50.5, 62.1], "truthfulqa": [40.2, 36.0], "runs": [[1, 2], [3]]},
        index=pd.Index(["a-1b", "a-3b"], name="model"),
    )
    sources = [frame]
    if importlib.util.find_spec("pyarrow"):
        frame.to_parquet(tmp_path / "t.parquet")
        sources.append(tmp_path / "t.parquet")
    for source in sources:
        assert tables.check_scores(source).frame.set_index("model").loc["a-3b", "hellaswag"] == 62.1


def test_an_eval_file_of_inspect_is_read_as_its_json_is(tmp_path):
    log = pytest.importorskip("inspect_ai.log")
    log.write_eval_log(log.read_eval_log(str(CASES / "ours/inspect_v2.json")), str(tmp_path / "log.eval"))
    packed = read_any([str(tmp_path / "log.eval")], Options(params={"m-1b": 1})).scores.frame
    pd.testing.assert_frame_equal(packed, read("ours/inspect_v2.json", Options(params={"m-1b": 1})).frame)


def _missing(*_: object, **__: object) -> None:
    raise ImportError("no such package")


# --- repeats and families ---------------------------------------------------------------------------------------


def test_runs_of_one_size_are_averaged_and_their_spread_is_the_noise():
    ladder = tables.ladder_of(read("sweep_same_size.csv"), "hellaswag", "truthfulqa", name="A")
    first = ladder.rows.iloc[0]
    assert (first["model"], first["hellaswag"], first["truthfulqa"]) == ("a-1b", 55, 37)
    assert first["hellaswag_stderr"] == pytest.approx(50**0.5 / 2**0.5)  # SD of 50 and 60, by the root of two runs
    assert ladder.rows["hellaswag_stderr"].iloc[1] == pytest.approx(50**0.5)  # of one run
    assert "2 runs averaged" in ladder.notes[0]


def test_a_column_of_seeds_makes_repeats_and_their_spread_is_pooled():
    ladder = tables.ladder_of(read("ours/seeds.csv"), "hellaswag", "truthfulqa", name="F")
    assert ladder.rows["hellaswag"].tolist() == [31, 39, 47]
    spread = ((2 * 1.0 + 1 * 2.0) / 3) ** 0.5  # variances 1 (three runs) and 2 (two runs), by their degrees of freedom
    assert ladder.rows["hellaswag_stderr"].tolist() == pytest.approx([spread / 3**0.5, spread / 2**0.5, spread])


def _repeated() -> pd.DataFrame:
    ladder = tables.ladder_of(read("ours/seeds.csv"), "hellaswag", "truthfulqa", name="F")
    return ladder.rows.assign(family="F", ladder="F")


def test_a_diagnosis_of_averaged_runs_says_that_their_spread_is_in_its_intervals(tmp_path):
    rows = _repeated()
    assert tables.between_runs(rows, ("truthfulqa", "hellaswag")) == ["truthfulqa", "hellaswag"]
    diagnosis = diagnose_family(rows)
    assert diagnosis["runs"] == ["hellaswag", "truthfulqa"]
    for text in (diagnosis["answers"]["sure"], diagnosis["notes"][0]):
        assert "runs" in text and "HellaSwag and TruthfulQA" in text
    output = " ".join(
        [*diagnosis["answers"].values(), *diagnosis["notes"], *(rule["advice"] for rule in diagnosis["advice"])]
    )
    assert "training runs" not in output and "many questions" not in output and "more questions" not in output
    single = diagnose_family(rows[["model", "params_b", "hellaswag", "truthfulqa"]])
    assert single["runs"] == [] and "training runs" in single["answers"]["sure"] + single["notes"][0]


def test_a_chapter_of_averaged_runs_says_what_its_intervals_hold(tmp_path):
    path = tmp_path / f"own{tables.STORED}"
    rows = _repeated()
    tables.write_checked(tables.Scores(rows), path)
    at = tables.chapter("published", "F", scores_path=str(path))
    assert "spread between runs of one size for HellaSwag and TruthfulQA" in at.noise and "bound" not in at.noise
    assert "HellaSwag and TruthfulQA between the runs averaged here is in the interval" in at.runs
    one = rows.drop(columns=["hellaswag_noise", "hellaswag_stderr"])
    tables.write_checked(tables.Scores(one), path)
    at = tables.chapter("published", "F", scores_path=str(path))
    assert "10,042 questions for HellaSwag" in at.noise and "bound" in at.noise
    assert "TruthfulQA between the runs averaged here is in the interval, and not that of HellaSwag" in at.runs
    assert "not in the interval" in tables.chapter("published", "Pythia").runs


def test_the_order_of_rows_never_decides():
    frame = pd.read_csv(CASES / "sweep_same_size.csv")
    one, other = (
        tables.ladder_of(tables.check_scores(rows), "hellaswag", "truthfulqa", name="A").rows
        for rows in (frame, frame.iloc[::-1].reset_index(drop=True))
    )
    pd.testing.assert_frame_equal(
        one[["params_b", "hellaswag", "truthfulqa"]], other[["params_b", "hellaswag", "truthfulqa"]]
    )


def test_by_splits_what_one_family_cannot_hold():
    scores = read("ours/scaling_runs.csv", Options(table=TableOptions(by=("recipe",))))
    assert [task.family for task in sweep.tasks(scores)] == ["c4", "pile"]
    assert len(family.parts(tables.one_family(scores, "pile"), name="pile")[0].rows) == 3


def test_a_family_is_found_in_the_names_by_an_expression():
    options = Options(table=TableOptions(family_from=r"^(.*?)[-_. ]*[0-9.]+[bBmM]"))
    assert set(read("lm/two", options).frame["family"]) == {"Qwen/Q2", "meta/L3"}


def test_a_family_is_one_however_its_letters_are_cased():
    assert set(read("stranger/family_spellings.csv").frame["family"]) == {"Alpha"}


def test_a_sweep_needs_to_know_the_families(capsys, tmp_path):
    assert main(["sweep", str(CASES / "sz/two.csv"), "-o", str(tmp_path / "out")]) == 4
    assert "no column family" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_protocols_are_compared_within_a_family(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text(
        "model,family,params_b,hellaswag,truthfulqa,truthfulqa_metric\n"
        + "".join(f"a{n},A,{n},{50 + n},{40 - n},mc1\n" for n in (1, 2, 3))
        + "".join(f"b{n},B,{n},{50 + n},{40 - n},{'mc1' if n == 1 else 'mc2'}\n" for n in (1, 2, 3))
    )
    answers = {task.family: sweep.answer(task) for task in sweep.tasks(read_any([str(path)]).scores)}
    assert answers["A"]["state"] == "done" and answers["B"]["state"] == "refused"
    assert "mc1" in answers["B"]["why"] and "--allow-mixed" in answers["B"]["why"]


def test_a_checked_table_comes_back_as_it_went(tmp_path):
    scores = read("small_scores_are_percent.csv")
    path = tmp_path / f"own{tables.STORED}"
    tables.write_checked(scores, path)
    pd.testing.assert_frame_equal(tables.read_scores(path, x="hellaswag", y="truthfulqa"), scores.frame)
    path.write_text(path.read_text().replace("cape-scores-1", "other"))
    with pytest.raises(CapeError, match="not a checked table"):
        tables.read_scores(path)


# --- a hostile hand ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", b"0" * 250_000_000)
    with pytest.raises(CapeError, match="unpacks to 250 MB"):
        tables.read_scores(path)


def test_a_large_file_and_a_deep_one_are_refused_at_once(tmp_path):
    large = tmp_path / "large.json"
    with large.open("wb") as stream:
        stream.truncate(60_000_000)
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    for path in (large, deep):
        with pytest.raises(CapeError, match="too large|not JSON|nested"):
            read_any([str(path)])


def test_a_link_to_itself_and_groups_in_a_circle_do_no_harm(tmp_path):
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    (tmp_path / "up").symlink_to(tmp_path)
    document = json.loads(next((CASES / "lm/dup/m-1b").glob("*.json")).read_text())
    document["group_subtasks"] = {"a": ["b"], "b": ["a"]}
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert len(read_any([str(tmp_path)]).scores.frame) == 1


def test_units_that_contradict_are_refused_in_the_pair_and_noted_beside_it(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("model,params_b,hellaswag,truthfulqa,mmlu\na,1,50,40,0.26\nb,3,62,36,0.27\n")
    scores = read_any([str(path)]).scores
    assert "mmlu: looks like fractions" in scores.notes[0] and "mmlu" not in tables.score_benchmarks(scores.frame)
    path.write_text("model,params_b,hellaswag,truthfulqa\na,1,0.50,0.40\nb,3,62,36\n")
    with pytest.raises(CapeError, match="row 2, column hellaswag: 0.5 looks like a fraction among percents"):
        read_any([str(path)])
    path.write_text("model,params_b,hellaswag,truthfulqa\na,1,0.50,0.40\nb,3,0.62,0.36\n")
    assert read_any([str(path)], Options(table=TableOptions(unit="fraction"))).scores.frame["hellaswag"][0] == 50


def test_a_printed_next_command_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(CASES / "v2"), "--family", "My Smol", "-o", "my scores.csv"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    import shlex

    words = shlex.split(line.removeprefix("next: cape "))
    monkeypatch.setattr(family, "rerun", lambda scores, name, out, pair, **_: _planned(scores, name, pair))
    assert main(words) == 0


def _planned(scores, name, pair):
    (part,) = family.parts(tables.one_family(scores, name), name=name, x=pair[0], y=pair[1])
    assert (part.x, part.y, len(part.rows)) == ("bbh", "ifeval", 3)
    return {"notes": [], "parts": []}
