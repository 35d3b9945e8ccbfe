"""The benchmarks' one command: its figures and the budget file agree, a loss is told from noise. Nothing is timed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import row
from benchmarks.row import Budget, Row

AT_MOST = Budget("figure", "s", "<= 20", "anchor", "2.0", "", "")
AT_LEAST = Budget("figure", "times", ">= 10", "loop", "40", "", "")


def test_every_figure_has_a_line_in_the_budget_file_and_every_line_a_figure() -> None:
    figures = [name for group in command.GROUPS for name in command.names(group)]
    assert figures == list(row.budgets()), "a new page or figure: python -m benchmarks GROUP --record"


def test_every_budget_can_be_compared() -> None:
    for budget in row.budgets().values():
        sign, limit = budget.budget.split()
        assert sign in ("<=", ">=") and float(limit) > 0
        assert budget.unit in ("s", "ms", "MB", "kB", "times")
        assert not budget.ratio or (float(budget.ratio) > 0 and budget.machine and budget.date)


def test_every_page_has_the_budget_of_the_house() -> None:
    pages = [budget for name, budget in row.budgets().items() if name.startswith("page ")]
    assert pages
    assert {(budget.unit, budget.budget) for budget in pages} == {("kB", "<= 150")}


@pytest.mark.parametrize(
    ("budget", "value", "ratio", "keeps", "loses"),
    [
        (AT_MOST, 19.0, 2.2, True, False),
        (AT_MOST, 21.0, 2.2, False, False),
        (AT_MOST, 19.0, 2.6, True, True),
        (AT_LEAST, 33.0, 33.0, True, False),
        (AT_LEAST, 31.0, 31.0, True, True),
        (AT_LEAST, 9.0, 9.0, False, True),
        (replace(AT_MOST, ratio="0.01"), 0.03, 0.03, True, False),
        (replace(AT_MOST, ratio=""), 1.0, 9.0, True, False),
        (AT_MOST, 1.0, None, True, False),
    ],
)
def test_a_loss_is_a_ratio_a_fifth_worse_and_nothing_else(
    budget: Budget, value: float, ratio: float | None, keeps: bool, loses: bool
) -> None:
    result = Row("figure", value, ratio)
    assert budget.keeps(result) == keeps
    assert budget.loses(result) == loses


def _slow(group: str) -> list[Row]:
    return [Row("import cape_lib", 9.0, 9.0)]


def test_a_loss_is_a_warning_on_github_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "measured", _slow)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert command.main(["imports"]) == 0
    assert "::warning title=benchmarks::import cape_lib: over its budget of 1.3 times" in capsys.readouterr().out


def test_recording_changes_the_ratio_and_keeps_the_budget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = row.budgets()
    file = tmp_path / "budget.csv"
    file.write_text(row.FILE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(row, "FILE", file)
    monkeypatch.setattr(command, "measured", _slow)
    command.main(["imports", "--record"])
    after = row.budgets()
    assert after["import cape_lib"].ratio == "9"
    assert after["import cape_lib"].budget == before["import cape_lib"].budget
    assert {name for name in before if after[name] != before[name]} == {"import cape_lib"}
    assert list(after) == list(before)


def test_a_group_is_named_by_its_beginning_and_an_unknown_one_is_refused() -> None:
    assert command.chosen(["import", "cl"]) == ["imports", "claims"]
    assert command.chosen([]) == list(command.GROUPS)
    with pytest.raises(SystemExit, match="no group begins with 'speed'"):
        command.chosen(["speed"])


def test_the_command_starts_from_the_root_of_the_checkout() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "imports", "--list"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert "import cape_lib" in done.stdout
