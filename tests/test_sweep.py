"""Sweeps: every family once, refusals in the summary, resumable, on local processes and on a scheduler that runs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stub_chapters import write_chapters

from cape_lib import tables
from cape_lib.cli import main, progress
from cape_lib.errors import ScoresError, SurroundingsError, UsageError
from cape_lib.report import publish, sweep
from cape_lib.report.sweep import page


def many(families: int, sizes: int = 4) -> pd.DataFrame:
    """Made-up families: a parabola of TruthfulQA in log size, each a little different."""
    rows = []
    for family in range(families):
        for size in range(sizes):
            t = size - 1.5 + family / max(families, 1)
            rows.append(
                {
                    "model": f"f{family}-{size}",
                    "params_b": 0.1 * 4**size,
                    "family": f"Family {family}",
                    "hellaswag": 30 + 9 * size + family % 5,
                    "truthfulqa": 38 + 2 * t * t,
                }
            )
    return tables.read_scores(pd.DataFrame(rows))


# --- tasks ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_uniform_panel_gives_24_answers_and_23_refusals():
    states = [sweep.answer(task)["state"] for task in sweep.tasks(tables.base("uniform"))]
    assert len(states) == 47 and states.count("done") == 24 and states.count("refused") == 23


def test_an_answer_is_plain_data_that_json_can_carry():
    (task,) = sweep.tasks(many(1))
    answered = sweep.answer(task)
    assert json.loads(json.dumps(answered, allow_nan=False)) == answered
    assert len(answered["parts"][0]["diagnosis"]["steps"]) == 3


def test_a_family_with_a_size_twice_keeps_one_row_and_says_which():
    rows = many(1).assign(instruct=[False, True, False, False])
    twice = pd.concat([rows, rows.iloc[[1]].assign(model="base", instruct=False)], ignore_index=True)
    answered = sweep.answer(sweep.tasks(twice)[0])
    sizes = [size["model"] for size in answered["parts"][0]["diagnosis"]["sizes"]]
    assert (
        "base" in sizes
        and "f0-1" not in sizes
        and "instruct" in answered["notes"][0]
        and "f0-1" in answered["notes"][0]
    )


def test_models_outside_a_named_ladder_stand_aside_even_where_a_size_has_no_other():
    panel = tables.base("uniform")
    (task,) = sweep.tasks(panel[panel["family"] == "H2O-Danube"])
    # Two generations share 1.8 billion parameters; the third is the ladder, and its two sizes are too few.
    why = sweep.answer(task)["why"]
    assert "2 sizes" in why and "keep one row" not in why


def test_a_bug_in_one_family_is_an_answer_and_not_an_end(monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("cape_lib.report.family.parts", broken)
    answered = sweep.answer(sweep.tasks(many(1))[0])
    assert answered["state"] == "failed" and answered["why"] == "ZeroDivisionError: by nothing"


def test_the_digest_changes_with_rows_and_settings_and_with_nothing_else():
    one, other = (sweep.tasks(many(1))[0] for _ in range(2))
    assert one.digest() == other.digest()
    changed = many(1)
    changed.loc[0, "truthfulqa"] += 0.1
    assert sweep.tasks(changed)[0].digest() != one.digest()
    assert sweep.tasks(many(1), pair=("truthfulqa", "hellaswag"))[0].digest() != one.digest()


def test_by_any_column_of_text_and_no_other():
    rows = many(2).assign(lab=["A", "B"] * 4)
    assert [task.family for task in sweep.tasks(rows, by="lab")] == ["A", "B"]
    with pytest.raises(UsageError, match="did you mean lab"):
        sweep.tasks(rows, by="labb")
    with pytest.raises(ScoresError, match="blank for f0-0"):
        sweep.tasks(rows.assign(lab=[None, *["A"] * 7]), by="lab")


# --- a local cluster ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sweep_is_resumed_where_it_was_and_only_what_changed_runs_again(tmp_path, monkeypatch):
    ran: list[str] = []
    out = tmp_path / "out"
    rows = pd.concat([many(5), many(1, sizes=2).assign(family="Small")], ignore_index=True)
    whole = sweep.sweep(sweep.tasks(rows), out, workers=2, tell=lambda *told: ran.append(told[2]))
    assert (whole["done"], whole["refused"], whole["kept"], len(ran)) == (5, 1, 0, 6)
    assert re.search(r"Small: 2 sizes", (out / "index.html").read_text(encoding="utf-8"))

    (out / "families" / "Family-3.json").unlink()
    (out / "families" / "Family-4.json").write_text('{"half": ')
    rows.loc[rows["family"] == "Family 0", "truthfulqa"] += 1
    ran.clear()
    again = sweep.sweep(sweep.tasks(rows), out, workers=1, tell=lambda *told: ran.append(told[2]))
    assert sorted(ran) == ["Family 0", "Family 3", "Family 4"] and again["kept"] == 3

    monkeypatch.setattr(sweep, "_answers", lambda *_: pytest.fail("ran what was finished"))
    assert sweep.sweep(sweep.tasks(rows), out)["kept"] == 6


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_sweeps_a_table_and_names_the_page(tmp_path, capsys):
    path = tmp_path / "scores.csv"
    many(3).to_csv(path, index=False)
    assert main(["sweep", str(path), "-o", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert "3 families: 3 done" in capsys.readouterr().out
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Family 2" in page and "aria-sort" in page and 'src="http' not in page
    assert main(["sweep", str(path), "-o", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == 3


#: the command with a family that takes for ever, so that an interrupt finds it at work however fast the machine is
HELD = """\
import sys, time
from cape_lib.cli import main
from cape_lib.report import sweep
answer = sweep.answer
sweep.answer = lambda task: time.sleep(600) if task.family == "Family 3" else answer(task)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_interrupt_keeps_what_is_finished(tmp_path):
    path = tmp_path / "scores.csv"
    many(60).to_csv(path, index=False)
    command = [sys.executable, "-c", HELD, "sweep", str(path), "-o", str(tmp_path / "out"), "--workers", "1"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    families = tmp_path / "out" / "families"
    while len(list(families.glob("*.json"))) < 3:  # however long a busy machine takes to load the library
        assert running.poll() is None, "it ended by itself"
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to every process of the command
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and errors.strip().splitlines()[-1] == "cape sweep: interrupted"
    assert "Traceback" not in errors and not (tmp_path / "out" / "index.html").exists()
    assert sorted(path.name for path in families.iterdir()) == [f"Family-{number}.json" for number in range(3)]
    for stored in families.iterdir():
        assert json.loads(stored.read_text())["state"] == "done"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_report_is_made_where_the_task_runs_and_a_lost_one_is_made_again(tmp_path, monkeypatch):
    chapters = write_chapters(tmp_path / "notebooks")
    monkeypatch.setattr(publish, "notebooks_dir", lambda: chapters)
    (task,) = sweep.tasks(many(1), report=True)
    answered = sweep.answer(task)
    assert sorted(answered["files"]) == ["index.html", "metrics.json", "scores.csv"]
    out = tmp_path / "out"
    (out / "families").mkdir(parents=True)
    sweep._store(out, answered, "F", task.digest())
    page = out / "reports" / "F" / "index.html"
    assert "Chapter 02_phase_boundary" in page.read_text() and "files" not in sweep._finished(out, task, "F")
    assert sweep._finished(out, sweep.tasks(many(1))[0], "F") is None  # without a report it is another task
    page.unlink()
    assert sweep._finished(out, task, "F") is None


def test_an_interrupt_before_the_first_answer_leaves_no_folder(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(sweep, "_answers", stopped)
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        with pytest.raises(KeyboardInterrupt):
            sweep.sweep(sweep.tasks(many(1)), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]  # a folder that was there stays
    assert list((tmp_path / "there").iterdir()) == []


# --- a scheduler that runs ------------------------------------------------------------------------------------


def wait_for(ready, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@contextmanager
def scheduler_and_workers(folder, count: int):
    """A real `dask scheduler` and `dask worker` processes on localhost; yields the address and the workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask = [sys.executable, "-m", "dask"]
    here = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    started = [subprocess.Popen([*dask, "scheduler", *here], **quiet)]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder)]
    started += [subprocess.Popen([*dask, "worker", address, *options], **quiet) for _ in range(count)]
    try:
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_worker_loses_nothing_and_its_task_runs_again(tmp_path):
    import distributed

    scores = many(40)
    with scheduler_and_workers(tmp_path, 2) as (address, workers):
        watcher = distributed.Client(address, timeout=60)
        watcher.wait_for_workers(2, timeout=60)
        pids = watcher.run(os.getpid)
        finished: list[str] = []
        killed: dict[str, object] = {}

        def kill() -> None:
            wait_for(lambda: len(finished) >= 3)
            busy = next(w for w, keys in watcher.processing().items() if keys)
            killed["keys"] = watcher.processing()[busy]
            os.kill(pids[busy], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        whole = sweep.sweep(
            sweep.tasks(scores), tmp_path / "out", scheduler=address, tell=lambda *told: finished.append(told[2])
        )
        killer.join()
        assert killed["keys"], "the worker had tasks when it was killed"
        assert sum(worker.poll() is not None for worker in workers) == 1
        assert whole["done"] == 40 and whole["failed"] == 0 and len(set(finished)) == 40
        watcher.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_scheduler_without_workers_is_said_in_one_line(tmp_path, monkeypatch):
    with (
        scheduler_and_workers(tmp_path, 0) as (address, _),
        pytest.raises(SurroundingsError, match="no worker answers; start one with 'dask worker"),
        sweep.client(address, patience=8),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_exit_6_and_one_line(tmp_path, capsys, address, monkeypatch):
    monkeypatch.setattr(sweep.client.__wrapped__, "__kwdefaults__", {"patience": 1.0})
    path = tmp_path / "scores.csv"
    many(1).to_csv(path, index=False)
    assert main(["sweep", str(path), "-o", str(tmp_path / "out"), "--scheduler", address]) == 6
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and "dask scheduler" in output
    assert not (tmp_path / "out").exists()


def test_without_dask_a_sweep_says_what_to_install_and_leaves_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", "--panel", "uniform", "-o", str(tmp_path / "out"), "--scheduler", "tcp://127.0.0.1:1"]) == 6
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and "pip install 'dask[distributed]'" in output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_where_processes_would_not_pay_none_is_started_and_dask_is_not_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    whole = sweep.sweep(sweep.tasks(many(3)), tmp_path / "out", workers=2)
    assert whole["done"] == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in reaches a process by its fork")
def test_a_family_that_ends_its_process_is_failed_and_the_others_have_their_answers(monkeypatch):
    def answer(task):
        if task.family in ("Family 3", "Family 7"):
            os.kill(os.getpid(), signal.SIGKILL)
        return {"family": task.family, "state": "done"}

    monkeypatch.setattr(sweep, "answer", answer)
    monkeypatch.setattr(sweep, "_start_method", lambda: "fork")
    answers = list(sweep._spread(sweep.processes, sweep.tasks(many(9)), 2, 2))
    assert sorted(a["family"] for a in answers) == [f"Family {number}" for number in range(9)]
    assert [a["family"] for a in answers if a["state"] == "failed"] == ["Family 3", "Family 7"]


@pytest.mark.slow
def test_the_answers_of_several_processes_are_those_of_one():
    todo = sweep.tasks(many(4))
    apart = {answered["family"]: answered for answered in sweep._spread(sweep.processes, todo, 2, 1)}
    assert [apart[task.family] for task in todo] == [sweep.answer(task) for task in todo]


def test_a_chunk_that_loses_its_worker_is_tried_family_by_family(monkeypatch):
    def several(tasks):
        if any(task.family == "Family 1" for task in tasks):
            raise MemoryError
        return [{"family": task.family, "state": "done"} for task in tasks]

    monkeypatch.setattr(sweep, "_several", several)
    answers = sweep._spread(lambda _: ThreadPoolExecutor(2), sweep.tasks(many(4)), 2, 3, apart=True)
    states = {answer["family"]: answer["state"] for answer in answers}
    assert states == {"Family 0": "done", "Family 1": "failed", "Family 2": "done", "Family 3": "done"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 2),
        (["--panel", "unifrm"], 2),
        (["--panel", "uniform", "--workers", "0"], 2),
        (["--panel", "uniform", "--workers", "2", "--scheduler", "x"], 2),
        (["--panel", "uniform", "--by", "famly"], 2),
        (["nowhere.csv"], 3),
        (["--panel", "uniform", "--scheduler", "gopher://x"], 2),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_in_one_line(tmp_path, capsys, options, code):
    assert main(["sweep", *options, "-o", str(tmp_path / "out")]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("x")
    assert main(["sweep", "--panel", "uniform", "-o", str(tmp_path / "out")]) == 2
    assert main(["sweep", "--panel", "uniform", "-o", str(tmp_path / "out" / "precious.txt")]) == 2
    assert "is no sweep" in capsys.readouterr().err


def test_names_become_files_that_no_two_families_share(tmp_path):
    names = ["A/B", "a b", "A B", "..", "", "ünï", "CON" * 3]
    places = sweep.places(names)
    assert len({place.casefold() for place in places.values()}) == len(names)
    assert all("/" not in place and not place.startswith(".") for place in places.values())


def test_progress_shows_on_a_terminal_only(monkeypatch, capsys):
    for terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        progress(quiet=False)(2, 4, "Pythia")
        shown = capsys.readouterr().err
        assert ("2/4" in shown and "Pythia" in shown) == terminal and (shown == "") != terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress(quiet=True)(2, 4, "Pythia")
    assert capsys.readouterr().err == ""


def page_of(answers: list, out: Path) -> None:
    """Write the page of a sweep that gave these answers."""
    (out / "sweep.json").write_text(json.dumps({"answers": answers}), encoding="utf-8")
    page.write_page(out)


@pytest.mark.slow
def test_the_table_of_a_page_escapes_what_a_family_is_called(tmp_path):
    name = '<img src=x onerror="alert(1)">'
    result = [sweep.answer(task) for task in sweep.tasks(many(1).assign(family=name))]
    result += [sweep.answer(task) for task in sweep.tasks(many(1, sizes=1).assign(family="*_b_*<i>"))]
    page_of(result, tmp_path)
    written = (tmp_path / "index.html").read_text(encoding="utf-8")
    shown = re.sub(r"<script.*?</script>", "", written, flags=re.DOTALL)
    assert "<img src=x" not in shown and "&lt;img src=x" in shown and "*_b_*&lt;i&gt;" in shown


@pytest.mark.page
@pytest.mark.timeout(120)
def test_a_click_sorts_the_table(tmp_path, open_page):
    rng = np.random.default_rng(5)
    order = rng.permutation(6)
    rows = many(6).set_index("family")
    scores = rows.loc[[f"Family {i}" for i in order]].reset_index()
    result = [sweep.answer(task) for task in sweep.tasks(scores)]
    page_of(result, tmp_path)
    view = open_page(tmp_path / "index.html", width=390)
    names = "Array.from(document.querySelectorAll('table.cape-sort tbody tr')).map(row => row.cells[0].innerText)"
    for direction in ("ascending", "descending"):
        view.click("table.cape-sort th button")
        assert view.get_attribute("table.cape-sort th", "aria-sort") == direction
        shown = view.evaluate(names)
        assert shown == sorted(shown, reverse=direction == "descending")
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    assert view.requests == [] and view.complaints == []
