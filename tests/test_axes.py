"""Analyses along another axis than size: checkpoints, compute, dates, columns; never a word of sizes there."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from results_files import SCORES, harness_0_4, write
from scipy.stats import norm

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.cli import main
from cape_lib.dashboard import diagnose_family
from cape_lib.errors import CapeError, MissingError, ScoresError, UsageError
from cape_lib.report import family, publish
from cape_lib.story import coupling as story
from cape_lib.tables import TableOptions, check_scores, ladder_of, model_names
from cape_lib.tables.axes import axis_named

PAIR = ("hellaswag", "truthfulqa")
#: words that no answer along another axis may hold; "B tokens" is a unit of its own
SIZES = re.compile(
    r"(?<!--batch_)size|param|billion|smaller|larger|smallest|largest|whole.ladder|\d ?B\b(?! tokens)", re.IGNORECASE
)


def planted(column: str, values: list[float], *, turn: float, log: bool = True, **further: Any) -> pd.DataFrame:
    """A path whose TruthfulQA falls up to `turn` and rises from it, a parabola on the scale of the axis."""
    at = np.array(values, dtype=float)
    t, t0 = (np.log10(at), np.log10(turn)) if log else (at, turn)
    u = (t - t0) / np.ptp(t)
    frame = pd.DataFrame({"model": "run", column: at, "hellaswag": 30 + 40 * (t - t[0]) / np.ptp(t)})
    return frame.assign(truthfulqa=35 + 45 * u**2, hellaswag_stderr=0.5, truthfulqa_stderr=0.8, **further)


def read(frame: pd.DataFrame, axis: str, **options: Any) -> tables.Ladder:
    scores = check_scores(frame, pair=PAIR, options=TableOptions(axis=axis, **options))
    return ladder_of(scores, *PAIR, name="run")


def diagnosis(frame: pd.DataFrame, axis: str, **options: Any) -> dict[str, Any]:
    ladder = read(frame, axis, **options)
    return diagnose_family(ladder.rows, along=ladder.axis)


POWERS = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
DAYS = [f"2024-{month:02d}-01" for month in range(1, 12)]


def dated() -> pd.DataFrame:
    since = [float((pd.Timestamp(day) - pd.Timestamp("1970-01-01")).days) for day in DAYS]
    middle = (pd.Timestamp("2024-06-15") - pd.Timestamp("1970-01-01")).days
    return planted("value", since, turn=middle, log=False, release_date=DAYS).drop(columns="value")


PLANTED: dict[str, tuple[Callable[[], pd.DataFrame], Any]] = {
    "tokens": (lambda: planted("tokens_b", POWERS, turn=12.0), 12.0),
    "step": (lambda: planted("step", [1000 * p for p in POWERS], turn=9000.0), 9000.0),
    "flops": (lambda: planted("flops_1e21", [0.01 * p for p in POWERS], turn=0.1), 0.1),
    "d_model": (lambda: planted("d_model", [256 * p for p in POWERS], turn=3000.0), 3000.0),
    "lr": (lambda: planted("lr", [0.0001 * p for p in POWERS], turn=0.001), 0.001),
    "depth_share": (lambda: planted("depth_share", [40, 45, 50, 55, 60, 65, 70], turn=56.0, log=False), 56.0),
}


@pytest.mark.parametrize("axis", PLANTED)
def test_a_planted_turn_is_placed_in_the_unit_of_its_axis(axis: str) -> None:
    make, turn = PLANTED[axis]
    answer = diagnosis(make(), axis)
    vertex = answer["boundary"]["vertex"]
    assert vertex["verdict"] == "boundary" and vertex["estimate"] == pytest.approx(turn, rel=0.03)
    assert vertex["low"] < turn < vertex["high"]
    assert vertex["text"] in answer["answers"]["phase"] and answer["axis"] == axis
    assert answer["points"][0].keys() >= {axis_named(axis).column}


def test_a_turn_in_time_is_a_date_on_a_linear_scale() -> None:
    answer = diagnosis(dated(), "date")
    turn = pd.Timestamp(answer["boundary"]["vertex"]["estimate"])
    assert answer["boundary"]["vertex"]["verdict"] == "boundary"
    assert abs((turn - pd.Timestamp("2024-06-15")).days) <= 5
    assert answer["scale"] == "linear" and not answer["serial"]
    assert answer["answers"]["headline"].startswith("From 2024-01-01 to 2024-11-01, ")
    assert pd.Timestamp(answer["forecast"]["at"]) > pd.Timestamp("2024-11-01")


def test_gamma_between_neighbours_is_that_of_the_same_scores_along_any_axis() -> None:
    frame = planted("tokens_b", POWERS, turn=12.0)
    by_size = diagnose_family(frame.assign(params_b=frame["tokens_b"]))
    along = diagnosis(frame, "tokens")
    for key in ("gamma", "dx", "dy", "p_negative", "interval", "phase", "settled"):
        assert [step[key] for step in along["steps"]] == [step[key] for step in by_size["steps"]], key
        assert along["whole"][key] == by_size["whole"][key]
    for name in ("persistence", "polynomial", "ode"):  # twice the last value on the same scale
        for score in ("x", "y", "held_out"):
            assert along["forecast"]["methods"][name][score] == pytest.approx(
                by_size["forecast"]["methods"][name][score], abs=1e-6
            )


def test_checkpoints_are_correlated_by_their_first_differences_and_it_is_said() -> None:
    rng = np.random.default_rng(3)
    frame = planted("tokens_b", POWERS, turn=0.5).assign(hellaswag=lambda t: t["hellaswag"] + rng.normal(0, 2, 8))
    answer = diagnosis(frame, "tokens")
    first, second = (np.diff(frame[name].to_numpy()) for name in PAIR)
    assert answer["serial"] and answer["r"]["of"] == "changes" and answer["r"]["n"] == 7
    assert answer["r"]["estimate"] == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert answer["r_levels"]["estimate"] == pytest.approx(np.corrcoef(frame[PAIR[0]], frame[PAIR[1]])[0, 1])
    assert any("first differences" in note for note in answer["notes"])
    widths = diagnosis(frame.rename(columns={"tokens_b": "d_model"}), "d_model")
    assert widths["r"]["of"] == "levels" and not any("first differences" in note for note in widths["notes"])


def test_a_run_stands_beside_strangers_which_show_what_trend_alone_explains(tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(5)
    runs = {
        name: planted("step", [1000 * p for p in POWERS], turn=500.0).assign(
            model=name, hellaswag=lambda t: t["hellaswag"] + rng.normal(0, 1, 8)
        )
        for name in ("run-a", "run-b", "run-c")
    }
    path = tmp_path / "runs.csv"
    pd.concat(runs.values()).to_csv(path, index=False)
    assert main(["diagnose", str(path), "--axis", "step", "--name", "run-a", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["diagnosis"]
    changes = {name: {score: np.diff(rows[score]) for score in PAIR} for name, rows in runs.items()}
    own = np.corrcoef(changes["run-a"]["hellaswag"], changes["run-a"]["truthfulqa"])[0, 1]
    first = changes["run-a"]["hellaswag"]
    other = [np.corrcoef(first, changes[name]["truthfulqa"])[0, 1] for name in ("run-b", "run-c")]
    assert answer["strangers"]["runs"] == 2
    assert answer["strangers"]["changes"]["own"] == pytest.approx(own) == answer["r"]["estimate"]
    assert answer["strangers"]["changes"]["others"] == pytest.approx(np.median(other))
    assert "2 other runs of the table" in answer["answers"]["compared"]
    assert diagnosis(runs["run-a"], "step")["strangers"] is None


def page_block(command: str) -> tuple[str, list[str]]:
    """A command of the page on one's own family and the lines that the page shows below it."""
    page = (Path(__file__).parents[1] / "book" / "your-family.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith(command))
    shown = page.partition(line)[2].partition("```none\n")[2].partition("```")[0]
    return line, [" ".join(part.split()) for part in shown.strip().split("\n\n")]


def test_the_page_shows_what_its_command_along_tokens_answers(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    line, shown = page_block("cape diagnose data/pythia_checkpoints.csv --axis tokens")
    assert main(shlex.split(line)[1:]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert len(shown) == 2 and all(part in text for part in shown)


def test_models_of_several_sizes_are_no_checkpoints_of_one_run() -> None:
    frame = planted("tokens_b", POWERS, turn=12.0).assign(
        model=[f"m-{i}" for i in range(8)], params_b=[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8]
    )
    assert not diagnosis(frame, "tokens")["serial"]


def strings(value: Any, key: str = "") -> Iterator[str]:
    """Every key and text of an answer."""
    yield key
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from strings("" if name == "digest" else inside, name)
    elif isinstance(value, list):
        for inside in value:
            yield from strings(inside)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("axis", [*PLANTED, "date"])
def test_an_answer_along_another_axis_never_speaks_of_sizes(axis: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "run.csv"
    (dated() if axis == "date" else PLANTED[axis][0]()).to_csv(path, index=False)
    assert main(["diagnose", str(path), "--axis", axis]) == 0
    text = capsys.readouterr().out
    assert main(["diagnose", str(path), "--axis", axis, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["axis"] == data["diagnosis"]["axis"] == axis
    assert [line for line in (*text.splitlines(), *strings(data)) if SIZES.search(line)] == []


@pytest.mark.parametrize("short", range(2, 5))
def test_a_short_or_flat_path_never_speaks_of_sizes_either(short: int) -> None:
    frame = planted("step", [1000 * p for p in POWERS], turn=9000.0).iloc[:short]
    for rows in (frame, frame.assign(truthfulqa=40.0), frame.assign(hellaswag=50.0)):
        answer = diagnosis(rows.drop(columns=["hellaswag_stderr"]), "step")
        assert [line for line in strings(answer) if SIZES.search(line)] == []


def test_the_axis_of_parameters_answers_as_without_the_option(capsys: Any) -> None:
    example = str(Path(__file__).parents[1] / "examples" / "my_family.csv")
    answers = []
    for more in ([], ["--axis", "params"]):
        assert main(["diagnose", example, "--json", *more]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1] and '"axis"' not in answers[0]


@pytest.mark.parametrize(
    ("name", "step", "tokens", "run"),
    [
        ("EleutherAI/pythia-1.4b@step143000", 143000, None, "EleutherAI/pythia-1.4b"),
        ("OLMo-7B-step1000-tokens4B", 1000, 4, "OLMo-7B"),
        ("out/checkpoint-14676", 14676, None, "out"),
        ("amber-ckpt_358", 358, None, "amber"),
        ("m-tokens300B", None, 300, "m"),
        ("m-1.5T-tokens", None, 1500, "m"),
        ("fineweb-28BT", None, 28, "fineweb"),
        ("m-7b", None, None, "m-7b"),
        ("global_step5k", 5000, None, "global_step5k"),
    ],
)
def test_revisions_are_names_and_values_of_an_axis(name: str, step: Any, tokens: Any, run: str) -> None:
    read_as = (model_names.step_in_name(name), model_names.tokens_in_name(name), model_names.run_in_name(name))
    assert read_as == (step, tokens, run)


def test_tokens_come_from_the_batch_and_the_steps_in_the_names() -> None:
    frame = planted("step", [1000 * p for p in POWERS], turn=9000.0)
    frame = frame.assign(model=[f"m@step{step:.0f}" for step in frame["step"]]).drop(columns="step")
    ladder = read(frame, "tokens", batch_tokens=2e6)
    assert ladder.rows["tokens_b"].tolist() == [2 * p for p in POWERS]
    assert ladder.axis.serial


def test_compute_is_made_of_parameters_and_tokens() -> None:
    frame = planted("tokens_b", POWERS, turn=12.0).assign(params_b=2.0)
    assert read(frame, "flops").rows["flops_1e21"].tolist() == pytest.approx([6e-3 * 2 * p for p in POWERS])


def test_results_files_of_checkpoints_go_along_their_revisions(tmp_path: Path, capsys: Any) -> None:
    for i, step in enumerate((1000, 2000, 4000, 8000)):
        scores = SCORES | {"hellaswag": 0.3 + 0.1 * i, "truthfulqa_mc2": 0.45 - 0.02 * i}
        document = harness_0_4("0.4.8", "lab/model", params=None, scores=scores)
        document["config"]["model_args"] = f"pretrained=lab/model,revision=step{step},dtype=float16"
        write(tmp_path / "results" / f"step{step}", "results_2025-03-01T10-00-00.json", document)
    out = tmp_path / "scores.csv"
    words = ["import", str(tmp_path / "results"), "--axis", "tokens", "--batch-tokens", "2M", "-o", str(out)]
    assert main(words) == 0
    frame = pd.read_csv(out)
    assert frame["tokens_b"].tolist() == [2, 4, 8, 16] and frame["step"].tolist() == [1000, 2000, 4000, 8000]
    reason = capsys.readouterr().out
    assert "--axis tokens" in reason
    assert main(["diagnose", str(out), "--axis", "tokens", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["n"] == 4


def test_a_training_log_without_a_model_is_one_run(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "larch.csv"
    log = planted("Step", [1000 * p for p in POWERS], turn=9000.0).drop(columns="model")
    log.to_csv(path, index=False)
    assert main(["diagnose", str(path), "--axis", "step"]) == 0
    assert "note: no column model: the rows are taken for one run, larch" in capsys.readouterr().out
    assert main(["diagnose", str(path)]) == 4  # along sizes each row is a model, and needs its name


def test_checkpoints_of_a_trainer_are_one_run_by_their_folder(tmp_path: Path, capsys: Any) -> None:
    for i, step in enumerate((500, 1000, 1500, 2000)):
        scores = SCORES | {"hellaswag": 0.3 + 0.1 * i, "truthfulqa_mc2": 0.45 - 0.02 * i}
        document = harness_0_4("0.4.8", f"./out/checkpoint-{step}", params=None, scores=scores)
        write(tmp_path / "results", f"results_2025-03-01T10-0{i}-00.json", document)
    assert main(["diagnose", str(tmp_path / "results"), "--axis", "step", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["diagnosis"]
    assert [point["step"] for point in answer["points"]] == [500, 1000, 1500, 2000] and answer["serial"]


def test_seeds_at_one_checkpoint_become_their_mean_and_their_noise() -> None:
    one = planted("step", [1000.0, 2000.0, 4000.0], turn=3000.0).drop(columns=["hellaswag_stderr", "truthfulqa_stderr"])
    both = pd.concat([one.assign(model="m-seed1"), one.assign(model="m-seed2", truthfulqa=one["truthfulqa"] + 2)])
    ladder = read(both, "step")
    assert ladder.rows["truthfulqa"].tolist() == pytest.approx((one["truthfulqa"] + 1).tolist())
    assert ladder.rows["truthfulqa_stderr"].tolist() == pytest.approx([1.0] * 3)
    assert "6 runs averaged at 3 checkpoints" in ladder.notes[0]


def test_runs_in_one_table_are_families_of_their_own(tmp_path: Path, capsys: Any) -> None:
    one = planted("step", [1000.0, 2000.0, 4000.0, 8000.0], turn=3000.0)
    path = tmp_path / "runs.csv"
    pd.concat([one.assign(model=f"run-{name}") for name in "ab"]).to_csv(path, index=False)
    assert main(["diagnose", str(path), "--axis", "step"]) == 2
    assert "2 families (run-a, run-b)" in capsys.readouterr().err
    assert main(["diagnose", str(path), "--axis", "step", "--name", "run-b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diagnosis"]["n"] == 4


def seen(page: Path) -> list[str]:
    """What a reader sees of a page: its lines without tags, scripts and data."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "\n", bare)).splitlines()


def report(frame: pd.DataFrame, axis: str, out: Path, **settings: Any) -> dict[str, Any]:
    scores = check_scores(frame, pair=PAIR, options=TableOptions(axis=axis))
    return family.rerun(scores, "Larch", out, quiet=True, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("axis", [*PLANTED, "date"])
def test_the_first_page_of_a_report_along_another_axis_speaks_of_no_sizes(axis: str, tmp_path: Path) -> None:
    frame = dated() if axis == "date" else PLANTED[axis][0]()
    metrics = report(frame, axis, tmp_path / "report", chapters=False)
    assert metrics["axis"] == metrics["parts"][0]["axis"] == axis
    assert [line for line in (*seen(tmp_path / "report" / "index.html"), *strings(metrics)) if SIZES.search(line)] == []
    assert "params_b" not in pd.read_csv(tmp_path / "report" / "scores.csv")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_chapters_of_a_report_along_tokens_speak_of_no_sizes(tmp_path: Path) -> None:
    report(planted("tokens_b", POWERS, turn=12.0, params_b=1.4), "tokens", tmp_path / "report", audit=True)
    lines = seen(tmp_path / "report" / "index.html")
    assert [line for line in lines if SIZES.search(line)] == []
    text = " ".join(lines)
    assert text.count("from 1 to 128 B tokens") >= 3 and "turn of Larch in training" in text


@pytest.mark.slow
def test_a_sweep_along_steps_answers_for_every_run_and_speaks_of_no_sizes(tmp_path: Path, capsys: Any) -> None:
    path, out = tmp_path / "runs.csv", tmp_path / "out"
    one = planted("step", [1000 * p for p in POWERS], turn=9000.0)
    runs = [one.assign(model=f"run-{name}", truthfulqa=one["truthfulqa"] + up) for name, up in (("a", 0), ("b", 5))]
    pd.concat([*runs, one.iloc[:2].assign(model="run-c")]).to_csv(path, index=False)
    assert main(["sweep", str(path), "--axis", "step", "-o", str(out), "--workers", "1", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["done"], whole["refused"]) == (2, 1)
    alone = diagnosis(one, "step")
    for answer in whole["answers"][:2]:
        assert answer["axis"] == "step"
        assert answer["parts"][0]["diagnosis"]["boundary"]["vertex"]["estimate"] == pytest.approx(
            alone["boundary"]["vertex"]["estimate"]
        )
    assert [line for line in (*seen(out / "index.html"), *strings(whole)) if SIZES.search(line)] == []


def test_a_chapter_follows_a_published_ladder_along_its_widths() -> None:
    at, usual = tables.chapter("published", "OPT", axis="d_model"), tables.chapter("published", "OPT")
    assert at.along.name == "d_model" and at.ladder["d_model"].is_monotonic_increasing
    assert sorted(at.ladder["d_model"]) == sorted(usual.ladder["d_model"]) and not at.own
    ends = coupling.whole_ladder(at.ladder, along=at.along)
    words = story.whole(ends, "OPT", x=PAIR[0], y=PAIR[1], along=at.along)
    assert words.startswith("With d_model from 768 to 9,216, OPT")


def test_two_checkpoints_are_too_few_for_a_report(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="2 checkpoints with HellaSwag and TruthfulQA, and 3 are needed"):
        report(planted("step", [1000.0, 2000.0], turn=1500.0), "step", tmp_path / "report")
    assert not (tmp_path / "report").exists()


STEPS = planted("step", [1000.0, 2000.0, 4000.0, 8000.0], turn=3000.0)
BAD: dict[str, tuple[pd.DataFrame, list[str], int, str]] = {
    "missing": (
        STEPS.drop(columns="step").assign(model=list("abcd")),
        ["--axis", "tokens"],
        4,
        "no tokens_b for any model; add a column tokens_b",
    ),
    "no batch": (STEPS, ["--axis", "tokens"], 4, "--batch-tokens"),
    "no such column": (STEPS, ["--axis", "epochz"], 2, "unknown column 'epochz'"),
    "a score": (STEPS, ["--axis", "truthfulqa"], 2, "one of the two scores"),
    "constant": (STEPS.assign(step=1000.0, model=list("abcd")), ["--axis", "step"], 3, "step 1,000"),
    "negative": (STEPS.assign(step=[-1.0, 1, 2, 3]), ["--axis", "step"], 3, "row 2, column step: -1 is below 0"),
    "no number": (STEPS.assign(step=["early", "2", "3", "4"]), ["--axis", "step"], 3, "'early' is not a number"),
    "text": (STEPS.assign(recipe=list("abcd")), ["--axis", "recipe"], 2, "column of text"),
    "blank": (STEPS.assign(step=[1000.0, np.nan, 3000, 4000]), ["--axis", "step"], 3, "row 3, column step: is blank"),
    "zeros": (STEPS.assign(step=0.0, model=list("abcd")), ["--axis", "step"], 3, "0 in every row"),
    "no date": (STEPS.assign(release_date="soon"), ["--axis", "date"], 3, "'soon' is not a date"),
    "dates missing": (STEPS, ["--axis", "date"], 4, "add a column release_date"),
    "twice": (
        STEPS.assign(step=[1000.0, 1000, 2000, 3000], model=list("abcd")),
        ["--axis", "step"],
        3,
        "no runs of one model",
    ),
    "name contradicts": (STEPS.assign(model="m@step5"), ["--axis", "step"], 3, "5 in the name m@step5"),
    "two runs in a family": (
        pd.concat([STEPS.assign(model="a"), STEPS.assign(model="b", step=STEPS["step"] + 1)]).assign(family="F"),
        ["--axis", "step"],
        3,
        "2 runs share the axis step (a, b); split by --by model",
    ),
    "mixed axes": (
        STEPS.assign(tokens_b=[1.0, 2, np.nan, np.nan], step=[np.nan, np.nan, 3, 4]),
        ["--axis", "tokens"],
        3,
        "is blank for run, and others have it; say --batch-tokens N",
    ),
    "batch of nothing": (STEPS, ["--axis", "step", "--batch-tokens", "2M"], 2, "for --axis tokens or flops"),
    "batch": (STEPS, ["--axis", "tokens", "--batch-tokens", "many"], 2, "--batch-tokens many"),
    "at": (STEPS, ["--axis", "step", "--at", "soon"], 2, "'soon' is no value of the axis step; give a number"),
    "at nothing of a log scale": (
        STEPS,
        ["--axis", "step", "--at", "0"],
        2,
        "'0' is no value of the axis step; give a number",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_axis_is_refused_in_one_line(case: str, tmp_path: Path, capsys: Any) -> None:
    frame, words, code, reason = BAD[case]
    path = tmp_path / "scores.csv"
    frame.to_csv(path, index=False)
    assert main(["diagnose", str(path), *words]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and reason in err, err
    if "--at" not in words and case not in ("a score", "constant", "twice", "two runs in a family"):
        assert main(["import", str(path), "-o", str(tmp_path / "out.csv"), *words]) == code
        assert not (tmp_path / "out.csv").exists()


def paired(frame: pd.DataFrame, by: str, tmp_path: Path, capsys: Any) -> dict[str, Any]:
    path = tmp_path / "pairs.csv"
    frame.to_csv(path, index=False)
    assert main(["diagnose", str(path), "--pairs", by, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["diagnosis"]


ONE_SIZE = pd.DataFrame(
    {
        "model": ["m-1b-chat", "m-1b", "m-7b", "m-7b-chat"],
        "params_b": [1.0, 1.0, 7.0, 7.0],
        "hellaswag": [50.0, 51.0, 70.0, 70.5],
        "truthfulqa": [48.0, 38.0, 36.0, 50.0],
        "hellaswag_stderr": 0.5,
        "truthfulqa_stderr": 1.0,
    }
)


def test_instruct_models_are_held_against_the_base_of_their_size(tmp_path: Path, capsys: Any) -> None:
    answer = paired(ONE_SIZE, "instruct", tmp_path, capsys)
    assert [(pair["first"], pair["second"], pair["dy"]) for pair in answer["pairs"]] == [
        ("m-1b", "m-1b-chat", 10.0),
        ("m-7b", "m-7b-chat", 14.0),
    ]
    pair = answer["pairs"][0]
    assert pair["dy_half"] == pytest.approx(1.959964 * 2**0.5) and answer["phase"] is None
    assert pair["dy_p"] < 1e-6 < 0.05 < pair["dx_p"]
    assert "TruthfulQA is surely higher in 2, surely lower in 0, open in 0" in answer["answers"]["headline"]


def test_corpora_of_one_size_have_a_correlation_and_a_spread(tmp_path: Path, capsys: Any) -> None:
    frame = ONE_SIZE.assign(model=list("abcd"), params_b=1.0, recipe=["c4", "pile", "fineweb", "dolma"])
    answer = paired(frame, "corpus", tmp_path, capsys)
    assert [pair["from"] for pair in answer["pairs"]] == ["c4"] * 3
    r = np.corrcoef(frame["hellaswag"], frame["truthfulqa"])[0, 1]
    assert answer["r"]["estimate"] == pytest.approx(r) and answer["r"]["n"] == 4
    assert answer["spread"]["truthfulqa"] == pytest.approx(frame["truthfulqa"].std())
    assert answer["noise"]["truthfulqa"] == pytest.approx(1.0)
    assert "Over 4 corpora of one size r is" in answer["answers"]["compared"]


def test_seeds_in_the_names_are_pairs_and_their_spread_is_noise(tmp_path: Path, capsys: Any) -> None:
    frame = ONE_SIZE.assign(model=[f"m-seed{i}" for i in range(4)], params_b=1.0)
    answer = paired(frame, "seed", tmp_path, capsys)
    assert len(answer["pairs"]) == 3 and "run-to-run noise" in answer["notes"][-1]


def test_holm_s_correction_is_over_all_pairs(tmp_path: Path, capsys: Any) -> None:
    sd = 2**0.5
    frame = ONE_SIZE.assign(model=list("abcd"), params_b=1.0, recipe=list("wxyz"))
    frame = frame.assign(truthfulqa=[40.0, 40 + 2.5 * sd, 40 + 2.1 * sd, 40 + 0.1 * sd])
    answer = paired(frame, "recipe", tmp_path, capsys)
    p = 2 * norm.sf([2.5, 2.1, 0.1])
    assert [pair["dy_p"] for pair in answer["pairs"]] == pytest.approx([3 * p[0], 2 * p[1], p[2]])


@pytest.mark.parametrize(
    ("frame", "words", "code", "reason"),
    [
        (ONE_SIZE.iloc[[1, 2]], ["--pairs", "instruct"], 4, "no size has two values in instruct"),
        (ONE_SIZE.iloc[[1, 2]], ["--pairs", "colour"], 4, "no column colour"),
        (ONE_SIZE.assign(model=["a", "b", "c", "d-chat"]), ["--pairs", "instruct"], 3, "a and b are of one size"),
        (ONE_SIZE.assign(step=1.0), ["--pairs", "instruct", "--axis", "step"], 2, "say one of the two"),
        (ONE_SIZE, [], 5, "cape diagnose SCORES --pairs instruct compares them"),
    ],
)
def test_what_makes_no_pairs_is_refused_in_one_line(
    frame: pd.DataFrame, words: list[str], code: int, reason: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "pairs.csv"
    frame.to_csv(path, index=False)
    assert main(["diagnose", str(path), *words]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and reason in err, err


@pytest.mark.parametrize(
    ("axis", "text", "value"),
    [("tokens", "600", 600.0), ("tokens", "1.2T", 1200.0), ("step", "143000", 143000.0), ("date", "1970-02", 31.0)],
)
def test_a_value_of_an_axis_is_read_as_people_type_it(axis: str, text: str, value: float) -> None:
    assert axis_named(axis).read(text) == value


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("steps", "step"),
        ("width", "d_model"),
        ("tokens_b", "tokens"),
        ("compute", "flops"),
        ("size", "params"),
        ("release_date", "date"),
        ("lr", "lr"),
    ],
)
def test_an_axis_is_known_by_the_names_of_its_column(typed: str, name: str) -> None:
    assert axis_named(typed).name == name


@pytest.mark.parametrize("words", [["--axis", "tokens"], ["--pairs", "seed"], ["--batch-tokens", "2M"]])
def test_an_axis_without_a_table_is_wrong_usage(words: list[str], capsys: Any) -> None:
    assert main(["diagnose", "--example", "pythia", *words]) == 2
    assert "are for SCORES files" in capsys.readouterr().err


def test_what_no_axis_can_be_is_an_error_of_the_library_too() -> None:
    for frame, axis, kind in (
        (STEPS, "tokens", MissingError),
        (STEPS.assign(step=-1.0), "step", ScoresError),
        (STEPS, "nothing", UsageError),
    ):
        with pytest.raises(kind) as refusal:
            check_scores(frame, pair=PAIR, options=TableOptions(axis=axis))
        assert isinstance(refusal.value, CapeError)


@pytest.mark.slow
def test_a_report_compares_models_of_one_size_pair_by_pair(tmp_path: Path, capsys: Any) -> None:
    path, out = tmp_path / "pairs.csv", tmp_path / "report"
    ONE_SIZE.to_csv(path, index=False)
    assert main(["family", str(path), "--name", "Mine", "--pairs", "instruct", "-o", str(out), "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["parts"][0]["diagnosis"] == paired(ONE_SIZE, "instruct", tmp_path, capsys)
    assert metrics["chapters"] == {} and metrics["next"] == []
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "m-7b-chat against m-7b: TruthfulQA +14.0 ± 2.8 points, beyond score noise" in page
    assert 'id="fig-own-pairs"' in page and page.count("m-7b-chat against m-7b") > 1
    assert not [word for word in ("tax", "N_c", "ladder") if word in page.split("<main")[1].split("<footer")[0]]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--pairs", "colour"], 4, "no column colour"),
        (["--pairs", "instruct", "--axis", "date"], 2, "pairs are of one size"),
    ],
)
def test_a_report_on_pairs_that_cannot_be_is_refused(
    tmp_path: Path, capsys: Any, words: list[str], code: int, reason: str
) -> None:
    path = tmp_path / "pairs.csv"
    ONE_SIZE.assign(model=list("abcd"), release_date=["2024-01", "2024-02", "2024-03", "2024-04"]).to_csv(
        path, index=False
    )
    assert main(["family", str(path), "--name", "Mine", "-o", str(tmp_path / "report"), *words]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and reason in err, err
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("scores", "asked", "reason"),
    [
        ({}, {}, "add a column truthfulqa"),
        ({"truthfulqa": np.nan}, {}, "column truthfulqa is blank in every row"),
        ({"truthfulqa": [40.0, np.nan, 41.0]}, {}, "row 3, column truthfulqa: is blank"),
        ({"truthfulqa": 40.0, "mine": 3.0}, {"x": "mine", "y": "other"}, "unknown benchmark 'other'"),
        ({"truthfulqa": 40.0}, {"axis": "flops"}, "no flops_1e21 for any model"),
    ],
)
def test_a_chapter_along_an_axis_names_what_its_table_lacks(
    tmp_path: Path, scores: dict[str, Any], asked: dict[str, str], reason: str
) -> None:
    table = pd.DataFrame({"model": list("abc"), "tokens_b": [1.0, 2.0, 3.0], "hellaswag": [30.0, 40.0, 50.0]} | scores)
    table.to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises((MissingError, ScoresError), match=reason):
        tables.chapter("published", "Mine", scores_path=str(tmp_path / "own.csv"), **{"axis": "tokens"} | asked)


@pytest.mark.slow
def test_papermill_on_a_table_without_the_pair_stops_with_notebook_cell_and_column(tmp_path: Path) -> None:
    table = pd.DataFrame({"model": list("abc"), "tokens_b": [1.0, 2.0, 3.0], "hellaswag": [30.0, 40.0, 50.0]})
    table.to_csv(tmp_path / "own.csv", index=False)
    values = {"scores_path": str(tmp_path / "own.csv"), "family": "Mine", "axis": "tokens"}
    with pytest.raises(MissingError, match=r"01_coupling\.ipynb, code cell .* add a column truthfulqa"):
        publish.execute({publish.notebooks_dir() / "01_coupling.ipynb": values}, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
