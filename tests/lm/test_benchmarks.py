"""A benchmark as it is published, or a reader's own, becomes questions for the protocol; slips are named by row."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from cape_lib.cli import main
from cape_lib.errors import ScoresError, UsageError
from cape_lib.lm import testbed, texts
from cape_lib.lm.models.running import answer_columns
from experiments.testbed import prompts, worlds

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_questions.csv"


def published(path: Path, categories: int = 10, each: int = 2) -> Path:
    """A made-up file of the shape of TruthfulQA.csv, in the words of world R."""
    table = prompts.truth_table(worlds.recipe_of(testbed.folder_of("R-s1")))
    rows = [
        {
            "Type": "made up",
            "Category": f"kind {number // each}",
            "Question": row["prompt"],
            "Best Answer": row["true"],
            "Correct Answers": f"{row['true']}; {row['true']} .",
            "Incorrect Answers": f"{row['false']}; {row['false2']}; {row['false3']}",
            "Source": "",
        }
        for number, row in enumerate(table.head(categories * each).to_dict("records"))
    ]
    pd.DataFrame(rows).to_csv(path, index=False, encoding="utf-8-sig")
    return path


def test_the_published_file_is_read_as_it_is(tmp_path: Path) -> None:
    benchmark = texts.read_benchmark(published(tmp_path / "TruthfulQA.csv"))
    items = benchmark.items
    assert len(items) == 20 and answer_columns(items, "true") == ["true", "true2"]
    assert answer_columns(items, "false") == ["false", "false2", "false3"]
    assert items["prompt"].str.startswith("Q: ").all() and items["prompt"].str.endswith("\nA:").all()
    assert items.groupby("topic")["split"].nunique().max() == 1
    assert items["split"].value_counts().to_dict() == {"fit": 8, "test": 8, "tune": 4}
    pairs = texts.pairs_of(benchmark.items)
    assert len(pairs) == 16 and set(pairs["topic"]) == set(items.loc[items["split"] == "fit", "topic"])
    assert any("8 test questions are few" in note for note in benchmark.notes)


def test_splits_and_draws_hang_on_the_seed_alone(tmp_path: Path) -> None:
    path = published(tmp_path / "q.csv")
    one, two, other = (texts.read_benchmark(path, limit=12, seed=seed).items for seed in (1, 1, 2))
    assert one.equals(two) and not one.equals(other)
    assert len(one) in (11, 12, 13) and set(one["split"]) == {"fit", "tune", "test"}
    with pytest.raises(UsageError, match="at least 6"):
        texts.read_benchmark(path, limit=3)


def test_a_readers_own_table_may_have_several_answers_and_a_primer() -> None:
    benchmark = texts.read_benchmark(EXAMPLE, primer="Q: What is two and two? A: Four\n")
    assert benchmark.items["prompt"].str.startswith("Q: What is two and two? A: Four\n\nQ: ").all()
    assert (benchmark.items["true2"] == "").any() and set(benchmark.items["split"]) == {"fit", "tune", "test"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["a", "x", "x"]], "row 2: every false answer is also a true one"),
        ([["a", "", "x"]], "row 2, column true: empty"),
        ([["a", "x", "y", "elsewhere"]], "'elsewhere' is none of fit, tune, test"),
        ([["a", "x", "y", "test"]], "no question in split 'tune'"),
    ],
)
def test_slips_are_named_by_row(rows: list[list[str]], words: str, tmp_path: Path) -> None:
    columns = ["prompt", "true", "false", "split"][: len(rows[0])]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "q.csv", index=False)
    with pytest.raises(ScoresError, match=words):
        texts.read_benchmark(tmp_path / "q.csv")


def test_an_answer_under_true_and_false_is_no_false_one(tmp_path: Path) -> None:
    rows = [[f"t{k}", f"q{k}", "yes", "Yes." if k == 0 else "no", "never"] for k in range(10)]
    pd.DataFrame(rows, columns=["topic", "prompt", "true", "false", "false2"]).to_csv(tmp_path / "q.csv", index=False)
    benchmark = texts.read_benchmark(tmp_path / "q.csv")
    assert benchmark.items.loc[0, "false"] == "never" and any(
        "1 answers stand under" in note for note in benchmark.notes
    )


@pytest.mark.slow
def test_evaluate_takes_a_benchmark_and_goes_on_after_an_interrupt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, rest = published(tmp_path / "TruthfulQA.csv", 20), tmp_path / "kept.npz"
    command = ["steer", "--model", "R-s1", "--evaluate", "--items", str(path), "--layer", "1", "--controls", "4"]
    command += ["--doses", "0.1", "0.3", "--batch", "4000", "--limit", "30", "--resume", str(rest)]
    assert main([*command, "--json"]) == 0
    out = capsys.readouterr()
    (result,) = [json.loads(line) for line in out.out.splitlines()]
    assert "test questions are few" in out.err
    for name in ("mc1", "mc2"):
        assert {"before", "after", "negated", "isotropic", "balanced shuffle", "within-class"} == set(result[name])
        assert all(0 <= v["low"] <= v["estimate"] <= v["high"] <= 1 for v in result[name].values())
    assert result["budget"] == 0.3 and result["kl"] >= 0 and result["controls"] <= 12
    assert {row["kind"] for row in result["methods"]} > {"direction", "negated"}
    assert rest.is_file() and main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == result
    assert main([*command[:-1], str(tmp_path / "new.npz")]) == 0
    output = capsys.readouterr().out
    assert "MC2 before" in output and "controls: isotropic" in output and "claim of 60%" in output
    (tmp_path / "junk.npz").write_bytes(b"junk")
    assert main([*command[:-1], str(tmp_path / "junk.npz")]) == 3
    assert "no file of an interrupted evaluation" in capsys.readouterr().err


def test_a_saved_direction_is_evaluated_and_refused_on_another_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = tmp_path / "d.safetensors"
    assert (
        main(
            [
                "steer",
                "--model",
                "R-s1",
                "--prompt",
                "<web> Balan otter",
                "--layer",
                "1",
                "--save",
                str(rest),
                "--max-new-tokens",
                "2",
            ]
        )
        == 0
    )
    capsys.readouterr()
    command = ["steer", "--evaluate", "--direction", str(rest), "--controls", "3", "--json", "--model"]
    assert main([*command, "R-s1"]) == 0
    assert json.loads(capsys.readouterr().out)["place"] == "block 1, last"
    assert main([*command, "R-s2"]) == 2
    assert "--any-model" in capsys.readouterr().err
    assert main([*command, "R-s2", "--any-model"]) == 0
