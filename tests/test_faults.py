"""Faults of the surroundings: a full disk, a folder that cannot be written, a kill, no network, a clock far off.

Nothing is half-written, nothing old is lost, the next run completes. The book's own build is in `test_publish.py`, the
sweep's workers in `test_sweep.py`.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from results_files import harness_0_4, ladder, read_results, write

from cape_lib.cli import main

SCORES = "model,params_b,hellaswag,truthfulqa\nA,0.5,30.5,40.1\nB,1.5,45.2,38.0\nC,6,60.1,41.5\n"


def mounted(folder, options):
    """Mount a small memory disk at a folder, or skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("mounting needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB with one old file on it."""
    place = mounted(tmp_path / "disk", "size=64k")
    (place / "old.csv").write_text(SCORES)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def locked_folder(tmp_path):
    """A folder that cannot be written, for root as well."""
    place = mounted(tmp_path / "locked", "size=64k,ro")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place):
    """Write until nothing more fits; unbuffered, so that closing has nothing left to write."""
    with (place / "filler").open("wb", buffering=0) as stream, pytest.raises(OSError):
        for _ in range(1000):
            stream.write(b"x" * 4096)


def only_line(capsys):
    output = capsys.readouterr().err.strip().splitlines()
    assert len(output) == 1, output
    return output[0]


def test_an_import_to_a_full_disk_keeps_the_old_table_and_leaves_no_crumbs(tmp_path, small_disk, capsys):
    ladder(tmp_path / "r")
    fill(small_disk)
    before = sorted(small_disk.iterdir())
    out = ["-o", str(small_disk / "old.csv"), "--force", "--quiet"]
    assert main(["import", str(tmp_path / "r"), "--family", "F", *out]) == 6
    assert "No space" in only_line(capsys)
    assert (small_disk / "old.csv").read_text() == SCORES and sorted(small_disk.iterdir()) == before
    (small_disk / "filler").unlink()
    assert main(["import", str(tmp_path / "r"), "--family", "F", *out]) == 0
    assert len(pd.read_csv(small_disk / "old.csv")) == 4


def test_an_import_into_a_locked_folder_is_exit_6_in_one_line(tmp_path, locked_folder, capsys):
    ladder(tmp_path / "r")
    assert main(["import", str(tmp_path / "r"), "--family", "F", "-o", str(locked_folder / "s.csv"), "--quiet"]) == 6
    line = only_line(capsys)
    assert f"{locked_folder / 's.csv'}: " in line and "choose another place" in line and ".part" not in line


def test_what_does_not_fit_on_a_disk_leaves_the_old_file_and_no_crumbs(small_disk):
    from cape_lib.output import write_whole

    with pytest.raises(OSError, match="No space"):
        write_whole(small_disk / "old.csv", "x" * 100_000)
    left = [path.name for path in small_disk.iterdir()]
    assert (small_disk / "old.csv").read_text() == SCORES and left == ["old.csv"]


@pytest.mark.parametrize("command", ["sweep", "family"])
def test_a_command_that_writes_a_folder_says_when_it_cannot(tmp_path, locked_folder, capsys, command):
    (tmp_path / "s.csv").write_text(SCORES)
    name = ["--name", "F"] if command == "family" else ["--family-from", "."]
    assert main([command, str(tmp_path / "s.csv"), *name, "-o", str(locked_folder / "out"), "--quiet"]) == 6
    line = only_line(capsys)
    assert f"{locked_folder / 'out'}: " in line and "choose another place" in line


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("a/.scores.csv.part", "a/scores.csv"),
        ("a/.scores.csv.x1_9z0ab.part", "a/scores.csv"),
        ("a/.report.abcd1234.part/executed/01.ipynb", "a/report"),
        ("a/scores.part", "a/scores.part"),
        (".hidden", ".hidden"),
    ],
)
def test_an_error_names_the_file_that_was_asked_for(monkeypatch, capsys, written, asked):
    from cape_lib.cli import published

    def refuse(args):
        raise PermissionError(errno.EACCES, "Permission denied", written)

    monkeypatch.setattr(published, "run_claims", refuse)
    assert main(["claims"]) == 6
    assert only_line(capsys) == f"cape claims: {asked}: Permission denied; allow writing there, or choose another place"


def test_mixed_protocols_name_the_option_that_allows_them(tmp_path, capsys):
    rows = "A,1,40,40,10-shot\nB,2,50,41,0-shot\nC,4,60,42,0-shot\n"
    (tmp_path / "s.csv").write_text("model,params_b,hellaswag,truthfulqa,hellaswag_protocol\n" + rows)
    assert main(["family", str(tmp_path / "s.csv"), "--name", "F", "-o", str(tmp_path / "out"), "--quiet"]) == 5
    assert "--allow-mixed" in only_line(capsys) and not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sweep_that_is_killed_outright_goes_on_where_it_was(tmp_path):
    rows = [f"m{f}-{j},Family {f},{0.5 * 3**j},{30 + 8 * j},{40 - j + f % 3}" for f in range(12) for j in range(4)]
    (tmp_path / "s.csv").write_text("model,family,params_b,hellaswag,truthfulqa\n" + "\n".join(rows) + "\n")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cape_lib.cli", "sweep", str(tmp_path / "s.csv"), "-o", str(out), "--workers", "1"]
    running = subprocess.Popen([*command, "--quiet"], start_new_session=True, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (out / "families").is_dir() or len(list((out / "families").glob("*.json"))) < 3:
        assert time.monotonic() < end and running.poll() is None, "waited in vain"
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    stored = {path.name: path.read_bytes() for path in (out / "families").glob("*.json")}
    assert all(json.loads(text)["state"] == "done" for text in stored.values())
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=200)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["kept"] == len(stored) and (out / "index.html").exists()
    assert all((out / "families" / name).read_bytes() == text for name, text in stored.items())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_report_that_is_killed_outright_leaves_the_old_one_and_the_next_run_clears_up(tmp_path):
    from cape_lib import tables
    from cape_lib.report import family

    out = tmp_path / "report"
    (tmp_path / "s.csv").write_text(SCORES)
    family.rerun(tables.read_scores(tmp_path / "s.csv"), "F", out, chapters=False, quiet=True)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    command = [sys.executable, "-m", "cape_lib.cli", "family", str(tmp_path / "s.csv"), "--name", "F", "-o", str(out)]
    running = subprocess.Popen([*command, "--force", "--quiet"], start_new_session=True, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list(tmp_path.glob(".report.*.part/executed/scores-base*")):
        assert time.monotonic() < end and running.poll() is None, "waited in vain"
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert list(tmp_path.glob(".report.*.part")), "killed outright, it cannot clear up itself"
    family.rerun(tables.read_scores(tmp_path / "s.csv"), "F", out, force=True, chapters=False, quiet=True)
    assert not list(tmp_path.glob(".*.part*")) and (out / "index.html").exists()


#: what Python runs first: the clock of this and of every process that it starts is off by so many seconds
CLOCK = """\
import os, time
off, now, ns = float(os.environ["CLOCK_OFF"]), time.time, time.time_ns
time.time, time.time_ns = lambda: now() + off, lambda: ns() + int(off * 1e9)
"""
YEAR = 365.25 * 86400


def under_a_clock(place, off, *arguments):
    """Run `cape` under a clock that is `off` seconds ahead, with every file that it made dated by that clock."""
    (place / "sitecustomize.py").write_text(CLOCK)
    paths = os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "cape_lib.cli", *arguments]
    env = os.environ | {"CLOCK_OFF": str(off), "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=env)
    assert done.returncode == 0, done.stderr
    for path in place.rglob("*"):
        os.utime(path, (time.time() + off, time.time() + off))
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_keeps_what_is_done_and_completes_whatever_the_clock_says(tmp_path):
    rows = [f"m{f}-{j},Family {f},{0.5 * 3**j},{30 + 8 * j},{40 - j + f}" for f in range(3) for j in range(3)]
    (tmp_path / "s.csv").write_text("model,family,params_b,hellaswag,truthfulqa\n" + "\n".join(rows) + "\n")
    out = tmp_path / "out"
    command = ["sweep", str(tmp_path / "s.csv"), "-o", str(out), "--workers", "1", "--json"]
    first = json.loads(under_a_clock(tmp_path, -40 * YEAR, *command))
    stored = {path.name: path.read_bytes() for path in (out / "families").glob("*.json")}
    assert first["kept"] == 0 and len(stored) == 3
    assert json.loads(under_a_clock(tmp_path, 60 * YEAR, *command))["kept"] == 3
    (out / "families" / sorted(stored)[0]).unlink()
    assert json.loads(under_a_clock(tmp_path, -10 * YEAR, *command))["kept"] == 2
    assert {path.name: path.read_bytes() for path in (out / "families").glob("*.json")} == stored


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("years", [-40, 60])
def test_a_report_says_the_same_whatever_the_clock_says(tmp_path, monkeypatch, years):
    from cape_lib import tables
    from cape_lib.report import family

    (tmp_path / "s.csv").write_text(SCORES)
    os.utime(tmp_path / "s.csv", (time.time() + years * YEAR,) * 2)
    result, day = [], family.datetime.now(family.UTC)
    for i, date in enumerate([day, day.replace(year=day.year + years, day=1)]):
        clock = type("clock", (), {"now": staticmethod(lambda zone, date=date: date)})
        monkeypatch.setattr(family, "datetime", clock)
        scores = tables.read_scores(tmp_path / "s.csv")
        result.append(family.rerun(scores, "F", tmp_path / "out", force=True, chapters=False, quiet=True))
        assert result[i].pop("made").startswith(str(date.year))
    assert result[0] == result[1] and not list(tmp_path.glob(".*.part*"))


@pytest.mark.parametrize("command", ["probe", "steer"])
def test_a_command_that_runs_a_model_says_what_a_light_installation_lacks(command):
    light = "import sys; sys.modules['torch'] = None; from cape_lib.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", light, command, "--model", "x"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    wanted = f"cape {command}: needs torch: pip install '.[lm]' in the repository\n"
    assert (done.returncode, done.stderr) == (6, wanted)


@pytest.mark.slow
def test_commands_answer_without_a_network(tmp_path):
    (tmp_path / "s.csv").write_text(SCORES)
    refuse = (
        "import socket, sys\n"
        "def no(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "from cape_lib.cli import main\n"
        "sys.exit(main(['hfield', '--swe', '70', '--gpqa', '80', '--json']) or main(['predictions', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", refuse], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "stated", [-5.0, 0, 9e15, 1e400, "2999-01-01T00:00:00", "1969-12-31T23:59:59", "yesterday", None]
)
def test_a_clock_far_off_neither_stops_an_import_nor_hides_a_score(tmp_path, stated):
    document = harness_0_4() | {"date": stated}
    path = write(tmp_path, "results.json", document)
    assert read_results([path]).scores["hellaswag"].notna().all()


def test_reading_results_follows_no_link_out_of_its_folder_and_writes_nothing(tmp_path):
    outside = write(tmp_path / "outside", "results_x.json", harness_0_4(model="lab/outside"))
    inside = tmp_path / "inside"
    write(inside, "results_../../evil.json".replace("/", "_"), harness_0_4(model="../../evil/../../etc/x"))
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    frame = read_results([inside], params={"x": 1.0}).scores
    assert list(frame["model"]) == ["x"] and outside.exists()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_notebook_from_outside_is_never_executed_by_import(tmp_path, capsys):
    trap = tmp_path / "ran"
    cell = {"cell_type": "code", "source": f"open({str(trap)!r}, 'w')", "metadata": {}, "outputs": []}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for name in ("evil.ipynb", "results.json"):
        (tmp_path / name).write_text(json.dumps(notebook))
        assert main(["import", str(tmp_path / name), "-o", str(tmp_path / "s.csv")]) == 3
        only_line(capsys)
    assert not trap.exists() and not (tmp_path / "s.csv").exists()


def test_semicolons_bom_crlf_spaces_and_unicode_names_all_at_once(tmp_path):
    from cape_lib import tables

    folder = tmp_path / "a folder – ünïcode"
    folder.mkdir()
    text = "model;params_b;hellaswag;truthfulqa;family\r\nА-1;0,5;30,5;40,1;家族 <b>\r\nА-2;1,5;45,2;38,0;家族 <b>\r\n"
    (folder / "my scores.csv").write_bytes(text.encode("utf-8-sig"))
    frame = tables.read_scores(folder / "my scores.csv")
    assert frame["hellaswag"].tolist() == [30.5, 45.2] and set(frame["family"]) == {"家族 <b>"}
