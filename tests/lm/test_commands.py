"""The commands answer in one line when something is wrong, and in one object a result when asked for JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cape_lib.cli import main
from cape_lib.lm import testbed
from experiments.testbed.__main__ import main as run_testbed

PROMPT = "<web> Bamin otter eats"


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in capsys.readouterr().out.splitlines()]


def test_steer_gives_one_object_a_generation(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "R-s1", "--prompt", PROMPT, "--alpha", "0", "2", "--layer", "0", "--positions", "last"]
    assert main(["steer", *arguments, "--max-new-tokens", "4", "--json"]) == 0
    rows = said(capsys)
    assert [row["alpha"] for row in rows] == [0.0, 0.0, 2.0]
    assert {"prompt", "direction", "layer", "alpha", "text", "changed"} <= set(rows[0])
    assert [row["layer"] for row in rows] == [None, 0, 0]
    assert [row["changed"] for row in rows] == [False, False, True]
    assert rows[0]["text"] == rows[1]["text"]


def test_a_sweep_writes_at_every_layer_and_controls_stand_beside(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "R-s1", "--prompt", PROMPT, "--layer", "sweep", "--controls", "random,shuffled"]
    assert main(["steer", *arguments, "--max-new-tokens", "3", "--json"]) == 0
    rows = said(capsys)
    names = [row["direction"] for row in rows]
    assert len(rows) == 1 + 4 * 3 and names.count("isotropic") == names.count("balanced shuffle") == 4


def test_the_texts_of_the_pairs_are_read_once_for_directions_and_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    from cape_lib.lm import probes
    from cape_lib.lm.steering import direction

    read, whole = [], probes.capture

    def counted(lm: Any, texts: list[str], *rest: Any, **options: Any) -> Any:
        read.append(len(texts))
        return whole(lm, texts, *rest, **options)

    for module in (probes, direction):
        monkeypatch.setattr(module, "capture", counted)
    arguments = ["--model", "R-s1", "--prompt", PROMPT, "--controls", "random,shuffled", "--max-new-tokens", "2"]
    assert main(["steer", *arguments]) == 0 and len(read) == 1


def test_a_saved_direction_steers_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = str(tmp_path / "d.safetensors")
    start = ["steer", "--model", "R-s1", "--prompt", PROMPT, "--max-new-tokens", "4", "--json"]
    assert main([*start, "--save", rest]) == 0
    first = said(capsys)
    assert main([*start, "--direction", rest]) == 0
    assert said(capsys) == first


def test_prompts_come_from_a_file_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.txt").write_text(f"{PROMPT}\n\n<web> Bamin otter fears\n", encoding="utf-8")
    assert main(["steer", "--model", "R-s1", "--file", str(tmp_path / "p.txt"), "--max-new-tokens", "2"]) == 0
    out = capsys.readouterr().out
    assert "Bamin otter fears" in out and "that is not a correction" in out


@pytest.mark.slow
def test_the_protocol_gives_two_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["steer", "--model", "R-s1", "--evaluate", "--layer", "0", "--json"]) == 0
    (result,) = said(capsys)
    assert result["effect"] == "effect beyond controls" and result["claim"] == "supported"
    assert result["controls"] == 60 and result["place"] == "block 0, last"
    assert result["aligned"] == 0 and result["broken"]["estimate"] is None  # a share of nothing
    assert main(["steer", "--model", "R-s1", "--evaluate", "--layer", "0", "--positions", "all"]) == 0
    assert "block 0, all" in capsys.readouterr().out


@pytest.mark.slow
def test_probe_shows_the_untrained_twin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = tmp_path / "heads.csv"
    assert main(["probe", "--model", "D-d16-s1", "--heads", str(heads), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["layers"]) == 2 and len(result["untrained"]) == 1 and "one-sided p" in result["definition"]
    assert len(heads.read_text().splitlines()) == 1 + result["heads"]
    assert main(["probe", "--model", "D-d16-s1", "--untrained", "0"]) == 0
    assert "not learnt" in capsys.readouterr().out


def test_testbed_scores_a_shipped_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_testbed(["score", "D-d8-s1", "--json"]) == 0
    (result,) = said(capsys)
    assert result["model"] == "D-d8-s1" and result["truth"] == pytest.approx(
        testbed.card(testbed.folder_of("D-d8-s1"))["scores"]["truth"], abs=0.02
    )


LONG = "<web> " + "Bamin otter eats plums . " * 20


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (6, "folder", ["steer", "--model", "nobody/nothing", "--prompt", "a"]),
        (6, "folder", ["probe", "--model", "nobody/nothing"]),
        (3, "no such folder", ["steer", "--model", "./nowhere/at/all", "--prompt", "a"]),
        (2, "out of range", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--layer", "4"]),
        (2, "layer", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--layer", "half"]),
        (2, "finite", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--alpha", "nan"]),
        (2, "invalid float", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--alpha", "two"]),
        (2, "empty", ["steer", "--model", "R-s1", "--prompt", " "]),
        (2, "reads 64", ["steer", "--model", "R-s1", "--prompt", LONG]),
        (2, "nothing to continue", ["steer", "--model", "R-s1"]),
        (2, "token 77", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--positions", "77"]),
        (2, "token 40", ["steer", "--model", "R-s1", "--evaluate", "--positions", "40"]),
        (2, "leave --alpha away", ["steer", "--model", "R-s1", "--evaluate", "--alpha", "3"]),
        (2, "leave --prompt away", ["steer", "--model", "R-s1", "--evaluate", "--prompt", PROMPT]),
        (2, "std or residual", ["steer", "--model", "R-s1", "--evaluate", "--unit", "raw"]),
        (2, "unit", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--unit", "miles"]),
        (2, "positions", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--positions", "first"]),
        (2, "control", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--controls", "placebo"]),
        (2, "a number of each kind", ["steer", "--model", "R-s1", "--evaluate", "--controls", "random"]),
        (2, "rising", ["steer", "--model", "R-s1", "--evaluate", "--doses", "0.3", "0.1"]),
        (2, "belongs to --evaluate", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--limit", "9"]),
        (2, "need --items", ["steer", "--model", "R-s1", "--evaluate", "--limit", "9"]),
        (3, "no such file", ["steer", "--model", "R-s1", "--evaluate", "--items", "missing.csv"]),
        (6, "block 1 (float32)", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--alpha", "1e30"]),
        (2, "not both", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--pairs", "a", "--direction", "b"]),
        (3, "no such file", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--pairs", "missing.csv"]),
        (3, "no such file", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--direction", "missing.safetensors"]),
        (3, "cannot be read", ["steer", "--model", "R-s1", "--file", "missing.txt"]),
        (2, "lm-eval FILE.pt", ["steer", "--model", "R-s1", "--export", "csv", "d.pt"]),
        (2, "every position", ["steer", "--model", "R-s1", "--export", "lm-eval", "d.pt", "--positions", "last"]),
        (6, "cannot be written", ["steer", "--model", "R-s1", "--export", "lm-eval", "/none/d.pt"]),
        (2, "leave --action away", ["steer", "--model", "R-s1", "--evaluate", "--action", "clamp"]),
        (2, "no strength", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--action", "ablate", "--alpha", "1"]),
        (2, "add, ablate, clamp", ["steer", "--model", "R-s1", "--prompt", PROMPT, "--action", "wipe"]),
        (2, "at least", ["probe", "--model", "R-s1", "--untrained", "-1"]),
        (3, "no such file", ["probe", "--model", "R-s1", "--prompts", "missing.csv"]),
        (2, "testbed model", ["testbed", "score", "D-d9-s1"]),
        (2, "testbed model", ["testbed", "reproduce", "nothing"]),
        (2, "grid", ["testbed", "train", "--grid", "garden"]),
        (2, "experiment", ["testbed", "measure", "weather"]),
        (6, "another place", ["testbed", "measure", "scores", "--out", "/proc/none"]),
        (6, "another place", ["testbed", "train", "D-d4-s1", "--out", "/proc/none"]),
        (6, "another place", ["testbed", "harness", "D-d8-s1", "--out", "/proc/none"]),
        (6, "cannot be written", ["testbed", "train", "--grid", "curation", "--csv", "/none/grid.csv"]),
        (6, "cannot be written", ["probe", "--model", "R-s1", "--heads", "/none/heads.csv"]),
    ],
)
def test_what_is_wrong_is_one_line_with_its_exit_code(
    code: int, words: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert (run_testbed(arguments[1:]) if arguments[0] == "testbed" else main(arguments)) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert len(lines) == 1 and words in lines[0], lines


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("positive\na\n", "negative"),
        ("positive,negative\na,b\nc,\n", "row 3"),
        ("positive,negative\na,b\n", "at least 4"),
        ("", "CSV"),
    ],
)
def test_pairs_that_do_not_do_name_file_row_or_number(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.csv").write_text(text, encoding="utf-8")
    code = main(["steer", "--model", "R-s1", "--prompt", PROMPT, "--pairs", str(tmp_path / "pairs.csv")])
    err = capsys.readouterr().err
    assert code in (2, 3) and words in err and err.count("\n") == 1


def test_a_run_that_fails_leaves_no_direction_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "d.safetensors"
    for wrong in (["--positions", "77"], ["--max-new-tokens", "99"], ["--alpha", "nan"]):
        assert main(["steer", "--model", "R-s1", "--prompt", PROMPT, "--save", str(target), *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_direction_that_cannot_be_kept_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "nowhere" / "d.safetensors"
    assert main(["steer", "--model", "R-s1", "--prompt", PROMPT, "--save", str(target)]) == 6
    assert "cannot be written" in capsys.readouterr().err and not list(tmp_path.iterdir())
