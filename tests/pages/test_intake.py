"""Tables in the browser: the same names of columns and the same numbers as Python reads from the same file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import results_files
from browser import opener
from test_cases import CASES, TABLES

from cape_lib import tables
from cape_lib.dashboard.one_family import diagnose_family
from cape_lib.dashboard.page import inline
from cape_lib.errors import CapeError, MissingError
from cape_lib.tables.columns import heading, table

pytestmark = pytest.mark.page

#: tables of several families, where the page asks for one
ELSEWHERE = {"sweep_blank_for_family.csv", "sweep_no_family_column.csv", "messy/merged_family.csv"}
#: long, transposed and inside a text: only Python reads them
ELSEWHERE |= {"tab/long.csv", "ours/transposed.csv", "ours/readme_table.md"}
ELSEWHERE |= {"stranger/long_metrics.csv", "stranger/long_shots.tsv", "stranger/transposed_metrics.csv"}
NAMES = [name for name in TABLES if name not in ELSEWHERE]
HEADS = [
    "Params",
    "Params (B)",
    "size",
    "#params",
    "# Params (M)",
    "model_name",
    "HellaSwag (10-shot)",
    "MMLU 5-shot",
    "ARC-C",
    "TQA",
    "TruthfulQA MC2",
    "TruthfulQA (mc1)",
    "hellaswag_stderr",
    "HellaSwag acc_norm",
    "Model Family",
    "active params",
    "Training tokens (T)",
    "WinoGrande",
    "gsm8k_protocol",
    "**HellaSwag**",
    "eval/hellaswag/acc_norm,none",
    "results/truthfulqa_mc2/acc,none",
    "Hella\u200bSwag",
    "eval",
    "Größe (B)",
    "HellaSwag points",
    "MMLU-Pro",
    "GPQA",
    "SWE-bench Verified",
]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("intake") / "dashboard.html"
    file.write_text(inline(), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def page(document: Path, chromium: Any) -> Iterator[Any]:
    """The dashboard, opened once: every test gives it its own table or files."""
    with opener(chromium) as opened:
        ready = opened(document, width=1000)
        ready.wait_for_selector(".cape-dash[data-ready]")
        yield ready


def test_a_head_means_the_same_in_the_browser_and_in_python(page: Any) -> None:
    heads = HEADS + [alias for aliases in table()["columns"].values() for alias in aliases]
    theirs = page.evaluate("heads => heads.map(Cape.read.heading)", heads)
    for text, result in zip(heads, theirs, strict=True):
        ours = heading(text)
        name = ours.name.replace("release_date", "date")
        assert (result["known"], result["name"], result["scale"]) == (ours.known, name, ours.scale), text
        assert result["shots"] == ours.shots.removesuffix("-shot"), text


@pytest.mark.parametrize("name", NAMES)
def test_a_table_gives_the_same_numbers_in_the_browser_and_in_python(page: Any, name: str) -> None:
    ours = tables.check_scores(CASES / name).frame
    theirs = page.evaluate(
        """bytes => { const text = Cape.harness.decoded(new Uint8Array(bytes));
        const found = Cape.read.readTable(text, ["model", "params_b", "hellaswag", "truthfulqa"]);
        const asked = { need: [], also: ["hellaswag", "truthfulqa"] };
        return { found, checked: Cape.read.checkTable(found.rows, asked) }; }""",
        list((CASES / name).read_bytes()),
    )
    assert theirs["found"]["problems"] == [] and theirs["checked"]["problems"] == []
    columns = [
        "params_b",
        "hellaswag",
        "truthfulqa",
        *(c for c in ours if c in ("hellaswag_stderr", "truthfulqa_stderr")),
    ]
    for row, (_, own) in zip(theirs["checked"]["rows"], ours.iterrows(), strict=True):
        assert row["model"] == own["model"]
        for column in columns:
            got = float("nan") if row.get(column) is None else row[column]
            assert got == pytest.approx(own[column], rel=1e-9, nan_ok=True), (name, column)


@pytest.mark.parametrize("name", ["sweep_same_size.csv", "ours/seeds.csv"])
def test_runs_of_one_size_have_the_same_mean_and_noise_in_the_browser(page: Any, name: str) -> None:
    ladder = tables.ladder_of(tables.check_scores(CASES / name), "hellaswag", "truthfulqa", name="F").rows
    text = (CASES / name).read_text(encoding="utf-8")
    order = ["model", "params_b", "hellaswag", "truthfulqa"]
    theirs = page.evaluate("([text, order]) => Cape.read.readTable(text, order).rows", [text, order])
    assert [row["model"] for row in theirs] == ladder["model"].tolist()
    for column in ("hellaswag", "truthfulqa", "hellaswag_stderr", "truthfulqa_stderr"):
        assert [float(row[column]) for row in theirs] == pytest.approx(ladder[column].tolist()), column
    assert [row["hellaswag_noise"] for row in theirs] == ladder["hellaswag_noise"].tolist()
    page_says = page.evaluate(
        """rows => Cape.diagnoseFamily(Cape.read.checkTable(rows, { need: ["hellaswag", "truthfulqa"] }).rows, {},
        Cape.kit)""",
        theirs,
    )
    own = diagnose_family(ladder)
    assert (page_says["runs"], page_says["answers"], page_says["notes"]) == (own["runs"], own["answers"], own["notes"])
    assert [rule["rule"] for rule in page_says["advice"]] == [rule["rule"] for rule in own["advice"]]


#: folders of results files; what Python refuses the page refuses too, and what it asks for the page asks for
FOLDERS = [
    "lm/rerun",
    "lm/dup",
    "lm/stderr",
    "lm/gen",
    "lm/two",
    "lm/steps",
    "lm/api",
    "lm/ckpt",
    "lm/gptq",
    "lm/chat",
    "lm03/v0",
    "lm03/v0_v1",
    "one more seed",
    "two dtypes",
    "4-bit",
    "half a test",
]


def _files(name: str) -> list[tuple[str, str]]:
    """Names and texts of the files of a folder of cases, or of one of the families made here."""
    if (CASES / name).is_dir():
        return [
            (path.relative_to(CASES / name).as_posix(), path.read_text(encoding="utf-8"))
            for path in sorted((CASES / name).rglob("*.json"))
            if path.is_file()
        ]
    result = []
    for size in (1, 3, 7):
        document = results_files.harness_0_4(model=f"org/m-{size}b", params=size * 1e9)
        document["config"] |= {"model_dtype": "torch.bfloat16", "fewshot_seed": 1234}
        if name == "one more seed":  # the same runs again, later and with other examples: the shared way is read
            later = json.loads(json.dumps(document))
            later["config"]["fewshot_seed"], later["date"] = 7, document["date"] + 1000
            result += [(f"results_{size}_again.json", json.dumps(later))] if size == 7 else []
        if name == "two dtypes" and size == 7:
            document["config"]["model_dtype"] = "torch.float16"
        if name == "4-bit" and size == 7:
            document["config"]["model_args"] = "pretrained=org/m-7b,load_in_4bit=True"
        if name == "half a test" and size == 7:
            document["n-samples"]["hellaswag"] = {"original": 10042, "effective": 5000}
        result.append((f"results_{size}.json", json.dumps(document)))
    return result


@pytest.mark.parametrize("name", FOLDERS)
def test_results_files_give_the_same_rows_or_a_refusal_in_both(page: Any, tmp_path: Path, name: str) -> None:
    files = _files(name)
    for path, text in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    theirs = page.evaluate(
        """files => { try { return Cape.harness.assemble(files.map(([n, t]) => Cape.harness.readDocument(n, t))); }
        catch (error) { if (!(error instanceof Cape.harness.Refusal)) throw error; return { refusal: error.message }; }
        }""",
        files,
    )
    try:
        ours = results_files.read_results([tmp_path]).scores.set_index("model")
    except MissingError:
        assert theirs["asks"] and "type its size" in theirs["asks"][0]
        return
    except CapeError:
        assert theirs["refusal"]
        return
    assert "refusal" not in theirs, theirs
    assert theirs["asks"] == [] and {row["model"] for row in theirs["rows"]} == set(ours.index)
    for row in theirs["rows"]:
        own = ours.loc[row["model"]]
        assert row["params_b"] == pytest.approx(own["params_b"])
        for column in [column for column in row if f"{column}_protocol" in row]:
            assert row[column] == pytest.approx(own[column], abs=1e-4), (row["model"], column)
            assert row[f"{column}_protocol"] == own[f"{column}_protocol"]
        benchmarks = {c for c in ours if f"{c}_protocol" in ours and not pd.isna(own[c])} - {"mmlu_weighted"}
        assert benchmarks <= set(row)


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("lighteval/results_135M_2025-01-01T00-00-00.000000.json", "lighteval"),
        ("other/inspect_log.json", "Inspect"),
        ("ours/inspect_v2.json", "Inspect"),
        ("ours/lighteval_new_keys.json", "lighteval"),
        ("ours/lighteval_card.md", "lighteval"),
        ("ours/every_eval_ever.json", "every eval ever"),
        ("ours/opencompass_summary_20240101.csv", "OpenCompass"),
        ("ours/gauntlet.md", "LLM Foundry gauntlet"),
        ("ours/opencompass_summary.md", "OpenCompass"),
        ("other/inspect_log.eval", "Inspect"),
    ],
)
def test_results_of_another_tool_are_named_with_the_command_that_reads_them(page: Any, name: str, tool: str) -> None:
    path = CASES / name
    page.click("#dash-tab-family")
    page.locator("#dash-panel-family input[type=file]").set_input_files(str(path))
    page.get_by_text("holds results of").first.wait_for()
    text = page.inner_text("#dash-panel-family")
    assert f"holds results of {tool}" in text and f"cape import {path.name}" in text
