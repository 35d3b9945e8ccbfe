"""The commands on the pages for one's own scores run as printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from harness_run import OFFLINE
from results_files import ladder, read_results
from stub_chapters import write_chapters

from cape_lib.cli import main
from cape_lib.report import family, publish
from cape_lib.report.family.measuring import LEADERBOARD_TASKS
from cape_lib.tables import read_scores

ROOT = Path(__file__).parents[1]


def commands(page: str, program: str) -> list[str]:
    """The lines of a page's bash blocks that start with a program's name."""
    text = (ROOT / "book" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.split(" ")[0] == program]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder as a reader has it after some runs of the harness: the repository's files, and `results/`."""
    for name in ("data", "examples", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    ladder(tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_opens_with_the_beginning_of_its_examples_report():
    spec = spec_from_file_location("capebook", ROOT / "book" / "_ext" / "capebook.py")
    extension = module_from_spec(spec)
    spec.loader.exec_module(extension)
    source = [(ROOT / "book" / "your-family.md").read_text(encoding="utf-8")]
    extension.fill_in(None, "book/your-family", source)
    before_the_commands = source[0].partition("```bash")[0]
    (part,) = family.parts(read_scores(ROOT / "examples" / "my_family.csv"), name="Larch")
    diagnosis = family.diagnose(part)["diagnosis"]
    assert diagnosis["answers"]["headline"] in before_the_commands and diagnosis["answers"]["sure"] in source[0]
    assert 'id="fig-own-steps"' in before_the_commands and "<!-- report" not in source[0]
    assert all(f"- {note}" in before_the_commands for note in diagnosis["notes"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cape_command_of_your_family_runs_as_printed(folder, monkeypatch):
    stubs = write_chapters(folder / "stubs")
    monkeypatch.setattr(publish, "notebooks_dir", lambda: stubs)
    lines = commands("your-family.md", "cape")
    assert len(lines) >= 6
    for line in lines:
        assert main([*shlex.split(line)[1:], "--quiet"]) == 0, line
    reports = [Path(shlex.split(line)[-1]) for line in lines if line.startswith(("cape family", "cape sweep"))]
    assert all((report / "index.html").is_file() for report in reports)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_papermill_command_of_your_family_runs_as_printed(folder):
    (line,) = commands("your-family.md", "papermill")
    done = subprocess.run([sys.executable, "-m", *shlex.split(line)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Passed unknown parameter" not in done.stderr and "Larch" in (folder / "my-coupling.ipynb").read_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sweep_prints_what_the_page_shows(folder, capsys):
    page = (ROOT / "book" / "your-family.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    (line,) = [line for line in commands("your-family.md", "cape") if "--panel" in line]
    assert main([*shlex.split(line)[1:], "--workers", "1"]) == 0
    assert capsys.readouterr().out == shown


def test_the_table_of_costs_is_the_formula_of_the_page():
    page = (ROOT / "book" / "measure-your-scores.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d.]+) B \| (.*) \|$", page, flags=re.MULTILINE)
    assert len(rows) >= 4
    runs = [(tokens, peak) for peak in (312e12, 65e12) for tokens in (42e6, 58.5e6)]
    for size, cells in rows:
        for cell, (tokens, peak) in zip(cells.split(" | "), runs, strict=True):
            seconds = 2 * float(size) * 1e9 * tokens / (0.3 * peak)
            minutes, hours = f"{seconds / 60:.0f} min", seconds / 3600
            text = minutes if hours < 1 else f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
            assert cell.startswith(text) or (cell == "does not fit" and 2 * float(size) > 0.8 * 16), (size, cell, text)


def test_the_commands_that_measure_have_the_shots_of_the_table_and_of_the_report():
    shots = {}
    for line in commands("measure-your-scores.md", "lm-eval")[:3]:
        words = shlex.split(line)
        for task in words[words.index("--tasks") + 1].split(","):
            shots[task] = int(words[words.index("--num_fewshot") + 1])
    shots["truthfulqa_mc2"] = 0  # the task fixes its own, as the page says and the next test shows
    assert shots == dict(LEADERBOARD_TASKS.values())
    page = (ROOT / "book" / "measure-your-scores.md").read_text(encoding="utf-8")
    for task, few in LEADERBOARD_TASKS.values():
        assert re.search(rf"\| `{task}`[^|]*\|[^|]*\| {few} \|", page)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(find_spec("lm_eval") is None, reason="needs the extra `eval`: pip install '.[eval]'")
def test_the_commands_that_measure_run_as_printed_on_a_random_model(tmp_path):
    script = str(Path(__file__).with_name("harness_run.py"))
    subprocess.run([sys.executable, "-P", script, str(tmp_path), "--widths", "16", "--runs"], check=True)
    here = ["--include_path", "tasks", "--device", "cpu"]  # in place of the hub's data sets
    for line in commands("measure-your-scores.md", "lm-eval"):
        words = shlex.split(line.replace("$MODEL", "./tiny-16"))
        done = subprocess.run(
            [sys.executable, "-m", "lm_eval", *words[1:], *here],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=os.environ | OFFLINE,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    (row,) = read_results([tmp_path / "results"]).scores.to_dict("records")
    for benchmark, (_, few) in LEADERBOARD_TASKS.items():
        assert f"; {few}-shot; " in row[f"{benchmark}_protocol"]
