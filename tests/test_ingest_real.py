"""Files that lm-evaluation-harness 0.4.13 wrote itself: kept ones, and fresh ones where it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from results_files import read_results

KEPT = Path(__file__).parent / "fixtures" / "harness_0_4_13"


def group(folder: Path) -> dict[str, float]:
    """What the harness itself says of the group `mmlu`: the mean weighted by size."""
    for path in folder.rglob("results_*.json"):
        results = json.loads(path.read_text(encoding="utf-8"))["results"]
        if "mmlu" in results:
            return results["mmlu"]
    raise AssertionError("no file with the group mmlu")


def test_kept_files_of_the_harness_are_read():
    read = read_results([KEPT])
    (row,) = read.scores.to_dict("records")
    assert row["model"] == "tiny-16" and 0 < row["params_b"] < 0.0001
    assert read.notes == ("read from 4 file(s) of lm-evaluation-harness",)
    for column in ("hellaswag", "truthfulqa", "truthfulqa_mc1", "arc_challenge", "winogrande", "mmlu"):
        assert 0 <= row[column] <= 100
    shots = {"hellaswag": 10, "truthfulqa": 0, "arc_challenge": 25, "winogrande": 5, "mmlu": 5}
    assert all(f"; {few}-shot; " in row[f"{column}_protocol"] for column, few in shots.items())
    assert "task version 3" in row["truthfulqa_protocol"] and "BOS by tokenizer" in row["mmlu_protocol"]


def test_our_weighted_mmlu_is_the_harness_s_own_and_the_plain_one_is_not():
    (row,) = read_results([KEPT]).scores.to_dict("records")
    own = group(KEPT)
    assert row["mmlu_weighted"] == pytest.approx(100 * own["acc,none"], abs=1e-3)
    assert row["mmlu"] != pytest.approx(100 * own["acc,none"], abs=1e-2)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(find_spec("lm_eval") is None, reason="needs the extra `eval`: pip install '.[eval]'")
def test_the_harness_runs_here_and_its_files_are_read(tmp_path):
    script = str(Path(__file__).with_name("harness_run.py"))
    runs = ["--runs", "hellaswag truthfulqa_mc1 truthfulqa_mc2:10", "winogrande mmlu:5"]
    command = [sys.executable, "-P", script, str(tmp_path), "--widths", "16", *runs]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (row,) = read_results([tmp_path / "results"]).scores.to_dict("records")
    assert row["model"] == "tiny-16"
    assert "10-shot" in row["hellaswag_protocol"] and "; 0-shot" in row["truthfulqa_protocol"]
    assert row["mmlu_weighted"] == pytest.approx(100 * group(tmp_path)["acc,none"], abs=1e-3)
