"""cape hfield, frontier and predictions: what they print, how they fail, what they load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cape_lib.cli import main


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> object:
    assert main(list(argv)) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(list(argv))
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    return code, output.err


def test_hfield_answers_with_the_frozen_line_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    answered = answer(capsys, "hfield", "--swe", "80.8", "--gpqa", "91.3", "--json")
    assert isinstance(answered, dict)
    assert answered["h"] == pytest.approx(3.45, abs=0.01)
    assert answered["low"] < answered["h"] < answered["high"]
    assert {"h", "low", "high", "line", "panel", "phase", "advice"} <= set(answered)
    assert (answered["line"], answered["panel"]) == ("frozen", "published")


@pytest.mark.parametrize("line", ["corrected", "current"])
def test_hfield_on_another_line_names_its_panel(capsys: pytest.CaptureFixture[str], line: str) -> None:
    answered = answer(capsys, "hfield", "--swe", "80", "--gpqa", "90", "--line", line, "--json")
    assert isinstance(answered, dict)
    assert (answered["line"], answered["panel"]) == (line, line)


def test_hfield_shows_a_labs_releases_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hfield", "--swe", "80", "--gpqa", "90", "--lab", "google"]) == 0
    assert "Gemini 3 Pro" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (("hfield", "--swe", "150", "--gpqa", "90"), "0 to 100"),
        (("hfield", "--swe", "0.8", "--gpqa", "0.9"), "in percent it is 80"),
        (("hfield", "--swe", "nan", "--gpqa", "90"), "0 to 100"),
        (("hfield", "--swe", "eighty", "--gpqa", "90"), "not a number"),
        (("hfield", "--swe", "80"), "--gpqa"),
        (("hfield", "--swe", "80", "--gpqa", "90", "--line", "frosen"), "frozen"),
        (("hfield", "--swe", "80", "--gpqa", "90", "--lab", "Gogle"), "Google"),
        (("frontier", "--panel", "curent"), "current"),
        (("frontier", "--as-of", "2026-13-01"), "2026-12-01"),
        (("frontier", "--claimed-by", "labs"), "lab"),
        (("frontier", "--lab", "Antropic"), "Anthropic"),
        (("predictions", "--panel", "correct"), "corrected"),
        (("predictions", "--as-of", "soon"), "YYYY-MM-DD"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], part: str
) -> None:
    code, line = complaint(capsys, *argv)
    assert code == 2
    assert part in line


def test_a_day_before_the_first_release_is_missing_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = complaint(capsys, "frontier", "--as-of", "2023-01-01")
    assert code == 4
    assert "needs 4 models" in line


def test_frontier_gives_the_published_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    answered = answer(capsys, "frontier", "--panel", "published", "--as-of", "2026-03-20", "--json")
    assert isinstance(answered, dict)
    assert (answered["n"], answered["labs"]) == (34, 10)
    assert answered["r"]["value"] == pytest.approx(0.7235, abs=5e-5)
    assert answered["leave_one_lab_out"]["value"] == pytest.approx(9.2, abs=0.05)
    assert len(answered["releases"]) == 34


def test_frontier_shows_one_lab(capsys: pytest.CaptureFixture[str]) -> None:
    answered = answer(capsys, "frontier", "--panel", "published", "--lab", "deepseek", "--json")
    assert isinstance(answered, dict)
    assert {row["lab"] for row in answered["releases"]} == {"DeepSeek"}


def test_frontier_in_words_says_how_much_was_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frontier", "--panel", "corrected"]) == 0
    assert "checked against a source" in capsys.readouterr().out


@pytest.mark.slow
def test_predictions_are_seven_objects_with_all_fields(capsys: pytest.CaptureFixture[str]) -> None:
    answered = answer(capsys, "predictions", "--json")
    assert isinstance(answered, list)
    fields = {"id", "name", "status", "value", "low", "high", "n", "resolves_by", "reason", "sources"}
    assert [one["id"] for one in answered if one["chance"] is None] == [1, 2, 3, 4, 5, 6, 7]
    assert all(fields <= set(one) for one in answered)
    ours = [one for one in answered if one["chance"] is not None]
    assert len(ours) >= 5 and all(str(one["id"]).startswith("OP") for one in ours)
    assert sum(one["chance"] < 50 for one in ours) >= 2


@pytest.mark.slow
def test_predictions_before_may_2026_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predictions", "--as-of", "2026-04-30"]) == 0
    assert capsys.readouterr().out.count("(made in 2026-05)") == 7


@pytest.mark.slow
def test_predictions_by_independent_scores_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predictions", "--claimed-by", "independent"]) == 0
    assert "independent" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.slow
def test_the_commands_load_nothing_heavy() -> None:
    code = (
        "import sys; from cape_lib.cli import main; main(['predictions']); "
        "print(sorted({'statsmodels', 'altair', 'torch', 'pysindy', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
