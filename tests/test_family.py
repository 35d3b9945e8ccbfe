"""One's own family: parameters checked before anything runs, refusals with what is needed, a report that is whole."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_files import ladder
from stub_chapters import write_chapters

from cape_lib import tables
from cape_lib.cli import build_parser, main, pair_of
from cape_lib.errors import CapeError, MissingError, ScoresError, UsageError
from cape_lib.report import family, publish
from cape_lib.report.family import measuring, planning, summary

EXAMPLE = Path(__file__).parents[1] / "examples" / "my_family.csv"
#: Two benchmarks that no table knows: nobody can say how noisy they are, so that no step has an interval.
OWN_PAIR = {"model": ["a", "b", "c"], "params_b": [1, 3, 9], "my_x": [20, 40, 60], "my_y": [50, 45, 52]}
DECLARED = planning.declared(write_chapters(Path(tempfile.mkdtemp()) / "notebooks") / "01_coupling.ipynb")


def table(sizes=(0.4, 1.0, 3.0), hellaswag=(40, 50, 60), truthfulqa=(40, 38, 41)) -> pd.DataFrame:
    names = [f"m{size}" for size in sizes]
    rows = {"model": names, "params_b": sizes, "hellaswag": hellaswag, "truthfulqa": truthfulqa}
    return tables.read_scores(pd.DataFrame(rows))


def releases(count: int) -> pd.DataFrame:
    rows = [{"model": f"r{i}", "swe_bench_verified": 60 + 5 * i, "gpqa_diamond": 78 + 3 * i} for i in range(count)]
    return tables.read_scores(pd.DataFrame(rows))


@pytest.fixture
def chapters(tmp_path, monkeypatch) -> Path:
    """Stubs in place of the book's chapters."""
    folder = write_chapters(tmp_path / "notebooks")
    monkeypatch.setattr(publish, "notebooks_dir", lambda: folder)
    return folder


# --- parameters -----------------------------------------------------------------------------------------------


def test_every_chapter_declares_its_parameters_so_that_they_can_be_checked():
    notebooks = sorted(publish.notebooks_dir().glob("0*.ipynb"))
    assert notebooks
    for path in notebooks:
        for name, parameter in planning.declared(path).items():
            assert planning.checked({name: parameter}, {name: parameter.default}, where=path.name)
    declared = planning.declared(publish.notebooks_dir() / "01_coupling.ipynb")
    assert {"panel", "family", "scores_path", "x", "y"} <= set(declared)
    assert declared["panel"].choices == ("published", "deduplicated", "uniform")


def test_a_parameters_cell_gives_types_choices_and_ranges():
    assert DECLARED["panel"].choices == ("published", "deduplicated", "uniform")
    assert (DECLARED["cut_b"].type, DECLARED["cut_b"].low, DECLARED["cut_b"].high) == (float, 0.1, 100.0)
    assert DECLARED["scores_path"].choices == () and DECLARED["live"].type is bool


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [("cut_b", "7", 7.0), ("steps", "4", 4), ("steps", 4.0, 4), ("live", "yes", True), ("panel", "uniform", "uniform")],
)
def test_a_value_typed_on_a_command_line_gets_its_type(name, value, typed):
    result = planning.checked(DECLARED, {name: value}, where="01")[name]
    assert result == typed and type(result) is type(typed)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("pannel", "uniform", "did you mean panel"),
        ("panel", "uniforn", "did you mean uniform"),
        ("cut_b", "wide", "a number"),
        ("cut_b", 1000, "choose from 0.1 to 100"),
        ("cut_b", "nan", "a number"),
        ("steps", 2.5, "whole number"),
        ("steps", True, "whole number"),
        ("live", "perhaps", "yes or no"),
        ("x", 3, "text"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_name(name, value, message):
    with pytest.raises(UsageError, match=message):
        planning.checked(DECLARED, {name: value}, where="01")


@given(st.sampled_from(sorted(DECLARED)), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9))
def test_any_value_is_typed_or_refused(name, value):
    try:
        result = planning.checked(DECLARED, {name: value}, where="01")[name]
    except UsageError as error:
        assert "\n" not in str(error).replace(repr(value), "")
    else:
        assert type(result) is DECLARED[name].type


# --- what the scores allow ------------------------------------------------------------------------------------


def test_three_sizes_are_enough_and_base_scores_bring_the_base_pair():
    (part,) = family.parts(table(), name="F")
    assert (part.kind, part.x, part.y, len(part.rows)) == ("base", "hellaswag", "truthfulqa", 3)


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_sizes_are_refused_with_what_is_needed(count):
    rows = table().head(count)
    with pytest.raises(MissingError, match="3 are needed.*lm-eval run"):
        family.parts(rows, name="F")


def test_two_sizes_are_refused_with_the_one_step_that_they_show():
    with pytest.raises(MissingError, match=r"the one step: \+10.0 HellaSwag, -2.0 TruthfulQA"):
        family.parts(table().head(2), name="F")


def test_equal_sizes_are_refused_with_both_names():
    with pytest.raises(ScoresError, match=r"m0.4 and m1.0 both have 1 billion"):
        family.parts(table().assign(params_b=[1.0, 1.0, 3.0]), name="F")


def test_a_missing_benchmark_is_refused_with_its_command():
    with pytest.raises(MissingError, match="no score in truthfulqa.*--tasks truthfulqa_mc2 --num_fewshot 0"):
        family.parts(table().drop(columns="truthfulqa"), name="F")


def test_rows_without_both_scores_are_left_out_and_named():
    rows = table((0.4, 1.0, 3.0, 7.0), (40, 50, 60, 70), (40, 38, 41, None))
    (part,) = family.parts(rows, name="F")
    assert part.left_out == ("m7.0",) and len(part.rows) == 3


def test_frontier_scores_bring_the_frontier_and_one_release_is_enough():
    rows = tables.read_scores(pd.DataFrame({"model": ["A"], "swe_bench_verified": [60], "gpqa_diamond": [70]}))
    (part,) = family.parts(rows, name="Lab")
    assert part.kind == "frontier"
    assert "h" in summary.diagnose(part)["diagnosis"]["rows"][0]


def test_both_kinds_of_scores_bring_both_parts():
    rows = table().assign(swe_bench_verified=60.0, gpqa_diamond=70.0)
    assert [part.kind for part in family.parts(rows, name="F")] == ["base", "frontier"]


def test_a_pair_of_ones_own_is_taken():
    rows = table().assign(my_maths=[10.0, 20.0, 35.0])
    (part,) = family.parts(rows, name="F", x="my_maths", y="truthfulqa")
    assert (part.kind, part.x) == ("pair", "my_maths")
    with pytest.raises(MissingError, match="did you mean my_maths"):
        family.parts(rows, name="F", x="my_math", y="truthfulqa")
    with pytest.raises(UsageError, match="choose two"):
        family.parts(rows, name="F", x="my_maths", y="my_maths")


def test_one_family_of_several_is_chosen_by_name():
    rows = pd.concat([table().assign(family="A"), table().assign(family="B")], ignore_index=True)
    assert set(tables.one_family(planning.as_scores(rows), "b").frame["family"]) == {"B"}
    with pytest.raises(UsageError, match="cape sweep"):
        tables.one_family(planning.as_scores(rows), "C")


def test_chapters_get_only_what_they_declare(chapters):
    result = planning.chapters(family.parts(table(), name="F"), chapters, name="F", asked={"cut_b": "2"})
    assert [path.stem for path in result] == ["01_coupling", "02_phase_boundary"]
    assert all(v == {"family": "F", "x": "hellaswag", "y": "truthfulqa", "cut_b": 2.0} for v in result.values())
    with pytest.raises(UsageError, match="did you mean cut_b"):
        planning.chapters(family.parts(table(), name="F"), chapters, name="F", asked={"cut": 2})
    with pytest.raises(UsageError, match="scores_path"):
        planning.chapters(family.parts(table(), name="F"), chapters, name="F", asked={"scores_path": "x"})


# --- what to run next -----------------------------------------------------------------------------------------


def test_commands_take_the_shots_that_the_other_sizes_had():
    rows = table().assign(hellaswag_protocol="lm-eval 0.4; 0-shot; acc_norm")
    rows.loc[0, "hellaswag"] = None
    (line,) = measuring.commands(rows, ["hellaswag"])
    assert "--num_fewshot 0" in line and "pretrained=m0.4" in line


def test_a_command_survives_a_name_with_spaces_and_quotes():
    words = shlex.split(measuring.command("mmlu", "my 'model'; rm -rf x"))
    assert words[:4] == ["lm-eval", "run", "--model", "hf"] and "pretrained=my 'model'; rm -rf x" in words


def test_the_next_size_lies_where_the_scores_turn():
    sizes, truth = (0.2, 1.0, 6.0, 20.0), (45, 35, 34, 44)
    rows = table(sizes, (40, 50, 60, 70), truth)
    diagnosis = summary.diagnose(family.parts(rows, name="F")[0])
    assert 1.0 < diagnosis["next_size"]["params_b"] < 6.0
    falling = table(sizes, (40, 50, 60, 70), (45, 40, 35, 30))
    assert summary.diagnose(family.parts(falling, name="F")[0])["next_size"]["params_b"] > 20


def test_a_further_size_is_measured_by_one_command_with_the_shots_of_the_others():
    rows = table().assign(hellaswag_protocol="lm-eval 0.4; 5-shot; acc_norm")
    part = family.parts(rows, name="F")[0]
    why, line = measuring.next_commands(rows, part, summary.diagnose(part))[0]
    assert "both scores" in why and "--tasks hellaswag,truthfulqa_mc2 --num_fewshot 5" in line


def test_releases_without_ifeval_get_its_command_and_how_to_read_what_it_writes():
    rows = releases(2).assign(ifeval=[80.0, None])
    part = family.parts(rows, name="L")[0]
    commands = measuring.next_commands(rows, part, summary.diagnose(part))
    assert (
        "pretrained=r1 --tasks ifeval" in commands[0][1] and "cape import results/ --also 'ifeval:" in commands[-1][1]
    )


def test_releases_say_that_their_intervals_hold_zero_and_noise_covers_the_changes():
    output = " ".join(summary.cannot_show(summary.diagnose(family.parts(releases(3), name="L")[0])))
    assert "any of r0, r1 and r2 lies off the line" in output and "change of h up to r1 and r2" in output


def test_unknown_noise_is_called_unknown_and_the_columns_that_would_tell_are_named():
    scores = {"model": list("abc"), "params_b": [1, 2, 4], "p": [20, 30, 40], "q": [50, 45, 41]}
    rows = tables.read_scores(pd.DataFrame(scores))
    part = family.parts(rows, name="F", x="p", y="q")[0]
    diagnosis = summary.diagnose(part)
    output = " ".join(summary.cannot_show(diagnosis))
    assert "is not known" in output and "score noise alone" not in output
    assert measuring.stderr_columns(part, diagnosis) == ["p_stderr", "q_stderr"]
    usual = family.parts(table(), name="F")[0]
    assert measuring.stderr_columns(usual, summary.diagnose(usual)) == []


def test_charts_leave_out_the_lab_that_all_names_begin_with_and_commands_keep_it():
    rows = table().assign(model=["lab/a", "lab/b", "lab/c"], mmlu=[30, 31, None])
    part = family.parts(rows, name="F")[0]
    assert part.rows["model"].tolist() == ["a", "b", "c"]
    commands = measuring.next_commands(rows, part, summary.diagnose(part))
    assert any("pretrained=lab/c" in line for _, line in commands)
    apart = table().assign(model=["lab/a", "lab/b", "other/c"])
    assert family.parts(apart, name="F")[0].rows["model"].tolist() == ["lab/a", "lab/b", "other/c"]


def test_three_sizes_say_what_they_cannot_show():
    output = " ".join(summary.cannot_show(summary.diagnose(family.parts(table(), name="F")[0])))
    assert "boundary" in output and "score noise" in output


# --- the report -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_report_is_one_page_with_metrics_and_scores(tmp_path, chapters, capsys):
    out = tmp_path / "report"
    assert main(["family", str(EXAMPLE), "--name", "Larch", "-o", str(out), "-p", "panel=uniform"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "metrics.json", "scores.csv"]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.index("What your scores say") < page.index("Chapter 01_coupling") < page.index("Chapter 02_phase")
    text = re.sub("<[^>]+>", "", page)
    assert "rows 8 Larch uniform" in text and "lm-eval run" in text
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["family"] == "Larch" and len(metrics["parts"][0]["diagnosis"]["steps"]) == 7
    assert metrics["chapters"]["01_coupling"]["panel"] == "uniform"
    assert len(tables.read_scores(out / "scores.csv")) == 8
    assert capsys.readouterr().out.strip().endswith("index.html")
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


@pytest.mark.slow
def test_a_report_has_the_story_and_with_audit_the_rest_behind_it(tmp_path, chapters):
    text = ["family", str(EXAMPLE), "--name", "Larch", "--quiet", "-o"]
    assert main([*text, str(tmp_path / "story")]) == 0
    assert main([*text, str(tmp_path / "both"), "--audit"]) == 0
    story, both = ((tmp_path / name / "index.html").read_text(encoding="utf-8") for name in ("story", "both"))
    assert "Audit of" not in story and "audit-01_coupling" not in story
    assert both.index("Chapter 02_phase_boundary") < both.index('<span id="document-audit-01_coupling">')
    assert both.count("Audit of 01_coupling") == 2 and re.search(
        'href="#document-audit-01_coupling">(<[^>]+>)?audit<', both
    )
    metrics = json.loads((tmp_path / "both" / "metrics.json").read_text())
    assert metrics["chapters"]["audit-01_coupling"] == metrics["chapters"]["01_coupling"]


@pytest.mark.slow
def test_results_files_go_straight_to_a_report(tmp_path, chapters):
    folder = ladder(tmp_path / "results")
    assert main(["family", str(folder), "--name", "F", "-o", str(tmp_path / "report"), "--quiet"]) == 0
    assert len(pd.read_csv(tmp_path / "report" / "scores.csv")) == 4


@pytest.mark.slow
def test_a_published_name_is_told_apart(tmp_path, chapters):
    metrics = family.rerun(table(), "Pythia", tmp_path / "report", quiet=True, chapters=False)
    assert metrics["family"] == "Pythia (yours)" and "published family" in metrics["notes"][0]


@pytest.mark.slow
def test_an_existing_folder_is_kept_unless_it_is_an_older_report(tmp_path, chapters, capsys):
    out = tmp_path / "report"
    out.mkdir()
    (out / "precious.txt").write_text("x")
    arguments = ["family", str(EXAMPLE), "--name", "L", "-o", str(out), "--quiet"]
    assert main(arguments) == 2 and main([*arguments, "--force"]) == 2
    assert (out / "precious.txt").read_text() == "x"
    (out / "precious.txt").unlink()
    assert main(arguments) == 0  # an empty folder is as good as none
    assert main(arguments) == 2 and main([*arguments, "--force"]) == 0
    assert capsys.readouterr().err.count("\n") == 3


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("model,params_b,hellaswag,truthfulqa\na,1,40,40\n", 4),
        ("model,params_b,hellaswag\na,1,40\nb,2,50\nc,3,60\n", 4),
        ("model,params_b,hellaswag,truthfulqa\na,1,40,40\nb,1,50,40\nc,3,60,40\n", 3),
        ("model,params_b,hellaswag,truthfulqa\na,1,140,40\nb,2,50,40\nc,3,60,40\n", 3),
        ("model,params_b,hellaswag,truthfulqa,hellaswag_protocol\na,1,40,40,5-shot\nb,2,50,40,0-shot\n", 5),
        ("", 3),
    ],
)
def test_scores_that_cannot_be_used_are_one_line_and_their_exit_code(tmp_path, capsys, rows, code):
    path = tmp_path / "s.csv"
    path.write_text(rows)
    assert main(["family", str(path), "--name", "F", "-o", str(tmp_path / "report")]) == code
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--x", "truthfulqa"],
        ["--x", "HellaSwag", "--y", "hellaswag"],
        ["-p", "panel"],
        ["-p", "panel=uniforn"],
        ["-p", "pannel=uniform"],
        ["-p", "x=mmlu"],
        ["--params", "a=1"],
        ["--name", " "],
        ["--name", "x" * 70],
    ],
)
def test_an_option_that_cannot_be_used_is_exit_2_before_anything_runs(tmp_path, chapters, capsys, options, monkeypatch):
    monkeypatch.setattr(publish, "execute", lambda *_, **__: pytest.fail("ran"))
    base = ["family", str(EXAMPLE), "-o", str(tmp_path / "report"), *([] if "--name" in options else ["--name", "F"])]
    assert main([*base, *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "pair"),
    [
        ([], None),
        (["--y", "GSM8K"], ("hellaswag", "gsm8k")),
        (["--x", "arc-challenge"], ("arc_challenge", "truthfulqa")),
        (["--x", "MMLU-Pro", "--y", "My own"], ("mmlu_pro", "My own")),
    ],
)
def test_a_pair_is_named_as_people_write_it_and_one_alone_has_its_usual_partner(options, pair):
    assert pair_of(build_parser("family").parse_args(["s.csv", "--name", "F", "-o", "r", *options])) == pair


@pytest.mark.slow
def test_mixed_protocols_pass_when_allowed(tmp_path, chapters):
    path = tmp_path / "s.csv"
    table().assign(hellaswag_protocol=["5-shot", "0-shot", "0-shot"]).to_csv(path, index=False)
    base = ["family", str(path), "--name", "F", "-o", str(tmp_path / "report"), "--quiet"]
    assert main(base) == 5 and main([*base, "--allow-mixed"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["execute", "report"])
def test_an_interrupt_leaves_nothing_behind(tmp_path, chapters, monkeypatch, moment):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, moment, interrupt)
    place = tmp_path / "place"
    place.mkdir()
    assert main(["family", str(EXAMPLE), "--name", "L", "-o", str(place / "report"), "--quiet"]) == 130
    assert list(place.iterdir()) == []


@pytest.mark.slow
def test_a_failed_rerun_leaves_the_older_report(tmp_path, chapters, monkeypatch):
    out = tmp_path / "report"
    arguments = ["family", str(EXAMPLE), "--name", "L", "-o", str(out), "--quiet"]
    assert main(arguments) == 0
    before = (out / "index.html").read_text()

    def fail(*_, **__):
        raise CapeError("a cell failed")

    monkeypatch.setattr(publish, "execute", fail)
    assert main([*arguments, "--force"]) == 1
    assert (out / "index.html").read_text() == before


def test_a_place_under_a_file_is_refused(tmp_path, chapters):
    (tmp_path / "file").write_text("x")
    assert main(["family", str(EXAMPLE), "--name", "L", "-o", str(tmp_path / "file" / "report"), "--quiet"]) == 6
    assert main(["family", str(EXAMPLE), "--name", "L", "-o", str(tmp_path / "file"), "--quiet"]) == 2


# --- the real chapters ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_example_family_gets_its_report_from_the_real_chapters(tmp_path):
    out = tmp_path / "report"
    assert main(["family", str(EXAMPLE), "--name", "Larch", "-o", str(out), "--quiet"]) == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 5_000_000 and "1 Coupling" in page
    assert str(tmp_path) not in page and 'src="http' not in page and 'rel="stylesheet"' not in page


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "rows", [OWN_PAIR, {"model": ["A", "B"], "swe_bench_verified": [60, 70], "gpqa_diamond": [70, 82]}]
)
def test_a_pair_of_ones_own_and_frontier_scores_run_through_the_real_chapters(tmp_path, open_page, rows):
    path = tmp_path / "s.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    pair = ["--x", "my_x", "--y", "my_y"] if "my_x" in rows else []
    assert main(["family", str(path), "--name", "F", "-o", str(tmp_path / "report"), "--quiet", *pair]) == 0
    for width in (1440, 390):
        page = open_page(tmp_path / "report" / "index.html", width=width)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.locator("figure.cape-figure[data-error]").count() == 0
        assert page.requests == [] and page.complaints == [], "a chart of the report warns"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mc1_beside_mc2_and_runs_of_one_size_go_through_the_real_chapters_where_the_person_allows_it(tmp_path, capsys):
    path, out = tmp_path / "mixed.csv", tmp_path / "report"
    rows = [
        (f"M-{size:g}B-run{run}", size, 40 + 8 * at + run, 45 - 2 * at + run, "mc1" if at == 3 else "mc2")
        for at, size in enumerate((0.4, 1.0, 3.0, 7.0))
        for run in (1, 2)
    ]
    names = ["model", "params_b", "hellaswag", "truthfulqa", "truthfulqa_metric"]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)
    command = ["family", str(path), "--name", "M", "-o", str(out), "--quiet"]
    assert main(command) == 5 and not out.exists()
    assert "mc1" in capsys.readouterr().err
    assert main([*command, "--allow-mixed"]) == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "1 Coupling" in page and "8 runs averaged at 4 sizes" in page
    assert "between the runs averaged here is in the interval" in page and "training run could differ" not in page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_plain_papermill_runs_a_chapter_on_ones_own_scores(tmp_path):
    import papermill

    result = papermill.execute_notebook(
        str(publish.notebooks_dir() / "01_coupling.ipynb"),
        None,
        kernel_name="python3",
        progress_bar=False,
        parameters={"scores_path": str(EXAMPLE), "family": "Larch"},
        cwd=str(publish.notebooks_dir()),
    )
    assert "Larch" in json.dumps(result)


@pytest.mark.page
@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scores", [EXAMPLE, OWN_PAIR], ids=["example", "own pair"])
def test_the_first_page_of_a_report_opens_alone_and_fits_a_phone(tmp_path, open_page, width, scores):
    pair = None if scores is EXAMPLE else ("my_x", "my_y")
    x, y = pair or (None, None)
    read = tables.read_scores(scores if pair is None else pd.DataFrame(scores), x=x, y=y)
    family.rerun(read, "Larch", tmp_path / "report", pair=pair, chapters=False, quiet=True)
    page = open_page(tmp_path / "report" / "index.html", width=width, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.requests == [] and page.complaints == []
    assert page.locator("figure.cape-figure").count() == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ctrl_c_while_the_chapters_run_leaves_nothing(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    command = [sys.executable, "-m", "cape_lib.cli", "family", str(EXAMPLE), "--name", "L", "-o", str(place / "report")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 120
    while not list(place.glob(".report.*.part/executed/scores-base.checked.json")):
        assert time.monotonic() < end and running.poll() is None
        time.sleep(0.05)
    time.sleep(1.0)  # into the kernels
    os.killpg(running.pid, signal.SIGINT)
    errors = running.communicate(timeout=60)[1]
    assert (
        running.returncode == 130
        and errors.splitlines()[-1] == "cape family: interrupted"
        and "Traceback" not in errors
    )
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("command", [["family", str(EXAMPLE), "--name", "L"], ["sweep", "--panel", "uniform"]])
def test_without_the_book_s_packages_the_command_says_what_to_install(tmp_path, capsys, monkeypatch, command):
    from importlib import util

    result = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "papermill" else result(name, *rest))
    assert main([*command, "-o", str(tmp_path / "out")]) == 6
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and "papermill: pip install '.[book]'" in output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_tables_and_results_files_may_come_together(tmp_path, chapters):
    folder = ladder(tmp_path / "results", sizes=(0.5, 1.5))
    table((20.0, 30.0), (80, 85), (45, 46)).assign(family="F").to_csv(tmp_path / "large.csv", index=False)
    arguments = ["family", str(tmp_path / "large.csv"), str(folder), "--name", "F", "-o", str(tmp_path / "report")]
    assert main([*arguments, "--quiet"]) == 0  # the files name no family, so their models are of the one named here
    assert len(pd.read_csv(tmp_path / "report" / "scores.csv")) == 4
