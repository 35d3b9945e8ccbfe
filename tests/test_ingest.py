"""Results files of every release, and files that are broken in every way a file can be."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_files import (
    RELEASES,
    SCORES,
    harness_0_3,
    harness_0_4,
    ladder,
    leaderboard_v1,
    numbers,
    read_results,
    subject_score,
    write,
)

from cape_lib.cli import main
from cape_lib.errors import CapeError, MissingError, MixedProtocolError, ScoresError, UsageError
from cape_lib.ingest import Source, read_any, task_table, write_scores

MMLU_SUBJECTS = task_table()["mmlu_subjects"]
PLAIN_MMLU = 100 * sum(map(subject_score, MMLU_SUBJECTS)) / 57
WEIGHTED_MMLU = 100 * sum(subject_score(s) * n for s, n in MMLU_SUBJECTS.items()) / 14_042


def one(frame: pd.DataFrame) -> pd.Series:
    assert len(frame) == 1
    return frame.iloc[0]


# --- the shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_of_0_4_gives_the_same_row(tmp_path, release):
    path = write(tmp_path, "results.json", harness_0_4(release, mmlu=True))
    row = one(read_results([path], params={"lab/model-1b": 1.0}).scores)
    assert (row["model"], row["params_b"]) == ("lab/model-1b", 1.0)
    assert [row[c] for c in ("hellaswag", "arc_challenge", "winogrande", "truthfulqa")] == [40.0, 30.0, 55.0, 42.0]
    assert row["truthfulqa_mc1"] == 25.0
    assert row["hellaswag_stderr"] == 1.3 and row["winogrande_stderr"] == 1.2
    assert row["mmlu"] == pytest.approx(PLAIN_MMLU, abs=1e-3)
    assert row["mmlu_weighted"] == pytest.approx(WEIGHTED_MMLU, abs=1e-3)
    assert row["mmlu_stderr"] == pytest.approx(1.2 / math.sqrt(57), abs=1e-3)
    assert "5-shot" in row["mmlu_protocol"] and "25-shot" in row["arc_challenge_protocol"]
    assert ("BOS by tokenizer" in row["hellaswag_protocol"]) == (numbers(release) >= (0, 4, 9, 2))


def test_mmlu_means_differ_and_the_group_is_never_read(tmp_path):
    row = one(read_results([write(tmp_path, "r.json", harness_0_4(mmlu=True))]).scores)
    assert row["mmlu_weighted"] - row["mmlu"] > 1
    assert max(row["mmlu"], row["mmlu_weighted"]) < 99


def test_the_truthfulqa_group_is_never_read(tmp_path):
    document = harness_0_4("0.4.2")
    document["results"]["truthfulqa"] = {"acc,none": 0.99, "acc_stderr,none": 0.01}
    row = one(read_results([write(tmp_path, "r.json", document)], params={"model-1b": 1}).scores)
    assert row["truthfulqa"] == 42.0


def test_a_file_with_nothing_but_the_truthfulqa_group_says_what_to_run(tmp_path):
    document = harness_0_4(scores={}) | {"groups": {"truthfulqa": {"acc,none": 0.4}}}
    document["results"]["truthfulqa"] = {"acc,none": 0.4}
    with pytest.raises(ScoresError, match="never read; run --tasks truthfulqa_mc2"):
        read_results([write(tmp_path, "r.json", document)])


def test_a_file_that_ends_in_the_middle_is_called_cut_off(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(harness_0_4())[:400], encoding="utf-8")
    with pytest.raises(ScoresError, match="cut off at line 1"):
        read_results([tmp_path / "r.json"])


def test_the_version_of_truthfulqa_mc2_is_recorded_and_the_two_do_not_mix(tmp_path):
    write(tmp_path, "a.json", harness_0_4("0.4.8", "lab/a"))
    write(tmp_path, "b.json", harness_0_4("0.4.9", "lab/b"))
    with pytest.raises(MixedProtocolError, match="truthfulqa: .*task version 2.*task version 3"):
        read_results([tmp_path])
    both = read_results([tmp_path], allow=["mixed"]).scores
    assert both["truthfulqa_protocol"].nunique() == 2


def test_a_release_that_leaves_bos_to_the_tokenizer_does_not_mix_with_one_before(tmp_path):
    write(tmp_path, "a.json", harness_0_4("0.4.9.1", "lab/a"))
    write(tmp_path, "b.json", harness_0_4("0.4.9.2", "lab/b"))
    with pytest.raises(MixedProtocolError, match="BOS"):
        read_results([tmp_path])
    for name in "ab":
        document = json.loads((tmp_path / f"{name}.json").read_text())
        document["config"]["model_args"]["add_bos_token"] = True
        write(tmp_path, f"{name}.json", document)
    assert len(read_results([tmp_path]).scores) == 2


@pytest.mark.parametrize("general", [True, False])
def test_open_llm_leaderboard_v1_is_read(tmp_path, general):
    path = write(tmp_path, "results_2023-10-04T12-00-00.123456.json", leaderboard_v1(general=general))
    row = one(read_results([path], params={"model-1b": 1.0}).scores)
    assert [row[c] for c in ("hellaswag", "arc_challenge", "winogrande", "truthfulqa")] == [40.0, 30.0, 55.0, 42.0]
    assert row["mmlu"] == pytest.approx(PLAIN_MMLU, abs=1e-3)
    assert row["hellaswag_protocol"] == "leaderboard v1; 10-shot; acc_norm; task version 0"


def test_the_mmlu_that_the_leaderboard_discarded_is_left_out(tmp_path):
    path = write(tmp_path, "results.json", leaderboard_v1(mmlu_version=0))
    read = read_results([path], params={"model-1b": 1.0})
    assert "mmlu" not in read.scores and any("discarded" in note for note in read.notes)


def test_0_3_takes_many_files_for_one_model(tmp_path):
    for tasks, shots in ((("hellaswag",), 10), (("arc_challenge",), 25), (("winogrande", "hendrycksTest"), 5)):
        write(tmp_path, f"{tasks[0]}.json", harness_0_3(shots=shots, tasks=tasks))
    write(tmp_path, "truthfulqa.json", harness_0_3(shots=0, tasks=("truthfulqa_mc",)))
    row = one(read_results([tmp_path], params={"model-1b": 1.0}).scores)
    assert (row["hellaswag"], row["truthfulqa"], row["truthfulqa_mc1"]) == (40.0, 42.0, 25.0)
    assert row["mmlu"] == pytest.approx(PLAIN_MMLU, abs=1e-3)
    assert "lm-eval 0.3; 25-shot" in row["arc_challenge_protocol"]


def test_leaderboard_v2_names_are_other_benchmarks(tmp_path):
    scores = {"leaderboard_arc_challenge": 0.9, "leaderboard_mmlu": 0.9}
    with pytest.raises(ScoresError, match="leaderboard_arc_challenge"):
        read_results([write(tmp_path, "r.json", harness_0_4(scores=scores))])


def test_a_further_task_is_read_when_asked_for(tmp_path):
    document = harness_0_4()
    document["results"]["gsm8k"] = {"exact_match,strict-match": 0.125, "exact_match_stderr,strict-match": "N/A"}
    path = write(tmp_path, "r.json", document)
    assert any("gsm8k" in note for note in read_results([path]).notes)
    row = one(read_results([path], also={"gsm8k": Source("maths", "exact_match,strict-match")}).scores)
    assert row["maths"] == 12.5 and math.isnan(row["maths_stderr"])


def test_a_task_with_a_colon_in_its_name_is_asked_for_by_name(tmp_path):
    document = harness_0_4()
    document["results"]["arc:easy:v2"] = {"acc,none": 0.5, "acc_stderr,none": 0.01}
    path = write(tmp_path, "r.json", document)
    assert main(["import", str(path), "-o", str(tmp_path / "s.csv"), "--also", "arc:easy:v2:acc=easy"]) == 0
    assert one(pd.read_csv(tmp_path / "s.csv"))["easy"] == 50.0


def test_a_size_that_is_not_the_one_in_the_name_is_noted_and_far_from_it_refused(tmp_path):
    path = write(tmp_path, "r.json", harness_0_4(model="lab/model-7b", params=4.0e9))
    assert "lab/model-7b: 4 B by its file, 7 B by its name; the file stands" in read_results([path]).notes
    path = write(tmp_path, "r.json", harness_0_4(model="lab/model-7b", params=2.6e8))
    with pytest.raises(MissingError, match="0.26 B by its file, 7 B by its name; add --params lab/model-7b=7"):
        read_results([path])


# --- names, sizes, dates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("pretrained=org/m,dtype=bfloat16", "org/m"),
        ({"pretrained": "org/m"}, "org/m"),
        ("pretrained=org/base,peft=me/adapter", "me/adapter"),
        ({"pretrained": "/data/runs/big/checkpoint-900"}, "big/checkpoint-900"),
        ("pretrained=./out/model-2b/", "model-2b"),
        ({"model": "served-name", "base_url": "http://localhost"}, "served-name"),
    ],
)
def test_the_name_comes_from_model_args_where_model_name_is_missing(tmp_path, arguments, name):
    document = harness_0_4("0.4.2", config={"model_args": arguments})
    assert one(read_results([write(tmp_path, "r.json", document)], params={name: 2}).scores)["model"] == name


def test_a_file_without_a_name_is_refused_until_it_is_named(tmp_path):
    path = write(tmp_path, "r.json", harness_0_4("0.4.2", config={"model_args": ""}))
    with pytest.raises(ScoresError, match="--model"):
        read_results([path])
    frame = read_results([path], names={str(path): "mine"}, params={"mine": 2.0}).scores
    assert one(frame)["model"] == "mine"


def test_an_unknown_size_is_refused_with_the_option_to_add(tmp_path):
    write(tmp_path, "a.json", harness_0_4(params=None))
    with pytest.raises(MissingError, match="--params lab/model-1b=1 "):
        read_results([tmp_path])
    with pytest.raises(UsageError, match="did you mean lab/model-1b"):
        read_results([tmp_path], params={"lab/model-1": 1.0})


def test_the_given_size_wins_over_the_file(tmp_path):
    write(tmp_path, "a.json", harness_0_4(params=2e9))
    assert one(read_results([tmp_path], params={"model-1b": 1.3}).scores)["params_b"] == 1.3


def test_the_newest_file_wins_and_says_so(tmp_path):
    write(tmp_path, "z_old.json", harness_0_4(date=1.0e9))
    write(tmp_path, "a_new.json", harness_0_4(date=1.5e9, scores={"hellaswag": 0.5}))
    read = read_results([tmp_path])
    assert one(read.scores)["hellaswag"] == 50.0 and one(read.scores)["winogrande"] == 55.0
    assert any("a_new.json, newer than z_old.json" in note for note in read.notes)


def test_the_time_in_a_file_name_stands_in_for_the_date(tmp_path):
    for day, score in (("2024-01-02", 0.5), ("2024-01-01", 0.3)):
        write(
            tmp_path,
            f"results_{day}T00-00-00.000000.json",
            harness_0_3() | {"results": {"hellaswag": {"acc": 0.2, "acc_norm": score}}},
        )
    assert one(read_results([tmp_path], params={"model-1b": 1}).scores)["hellaswag"] == 50.0


def test_two_scores_without_a_date_are_refused(tmp_path):
    write(tmp_path, "a.json", harness_0_4("0.4.0"))
    write(tmp_path, "b.json", harness_0_4("0.4.0", scores={"hellaswag": 0.5}))
    with pytest.raises(ScoresError, match="no date tells"):
        read_results([tmp_path], params={"model-1b": 1})


def test_revisions_of_one_model_are_checkpoints_with_their_step(tmp_path):
    write(tmp_path, "a.json", harness_0_4())
    arguments = {"pretrained": "lab/model-1b", "revision": "step1000"}
    write(tmp_path, "b.json", harness_0_4(date=1.8e9, config={"model_args": arguments}))
    frame = read_results([tmp_path]).scores.set_index("model")
    assert frame.loc["lab/model-1b@step1000", "step"] == 1000 and "lab/model-1b@main" in frame.index


@pytest.mark.parametrize(
    "other",
    [{"params": 1.3e9}, {"config": {"model_args": {"pretrained": "lab/model-1b", "subfolder": "other"}}}],
)
def test_two_models_with_one_name_are_refused_until_one_is_named(tmp_path, other):
    write(tmp_path, "a.json", harness_0_4())
    b = write(tmp_path, "b.json", harness_0_4(date=1.8e9, **other))
    with pytest.raises(ScoresError, match="two models are called"):
        read_results([tmp_path])
    frame = read_results([tmp_path], names={str(b): "lab/model-b"}, params={"lab/model-b": 3.0}).scores
    assert sorted(frame["model"]) == ["lab/model-1b", "lab/model-b"]


# --- what is refused --------------------------------------------------------------------------------------


def test_a_partial_run_is_refused_unless_allowed_and_never_mixes_with_a_whole_one(tmp_path):
    write(tmp_path, "a.json", harness_0_4(model="lab/a", config={"limit": 20}))
    with pytest.raises(ScoresError, match="partial run .limit 20"):
        read_results([tmp_path])
    assert "partial" in one(read_results([tmp_path], allow=["partial"]).scores)["hellaswag_protocol"]
    write(tmp_path, "b.json", harness_0_4(model="lab/b"))
    with pytest.raises(MixedProtocolError):
        read_results([tmp_path], allow=["partial"])


def test_chosen_samples_are_a_partial_run_too(tmp_path):
    document = harness_0_4()
    document["n-samples"]["hellaswag"]["effective"] = 50
    with pytest.raises(ScoresError, match="50 of 10042"):
        read_results([write(tmp_path, "a.json", document)])


def test_shots_that_differ_are_mixed(tmp_path):
    write(tmp_path, "a.json", harness_0_4(model="lab/a"))
    document = harness_0_4(model="lab/b")
    document["configs"]["hellaswag"]["num_fewshot"] = 0
    write(tmp_path, "b.json", document)
    with pytest.raises(MixedProtocolError, match="hellaswag: .*10-shot.*0-shot"):
        read_results([tmp_path])


def test_a_chat_template_on_one_model_is_mixed(tmp_path):
    write(tmp_path, "a.json", harness_0_4(model="lab/a"))
    write(tmp_path, "b.json", harness_0_4(model="lab/b", chat_template="{{ messages }}"))
    with pytest.raises(MixedProtocolError, match="chat template"):
        read_results([tmp_path])


def test_subjects_of_mmlu_measured_in_two_ways_are_mixed(tmp_path):
    document = harness_0_4(mmlu=True)
    document["configs"]["mmlu_anatomy"]["num_fewshot"] = 0
    with pytest.raises(MixedProtocolError, match="subjects of MMLU"):
        read_results([write(tmp_path, "a.json", document)])


def test_mmlu_with_a_missing_subject_is_left_out_and_named(tmp_path):
    document = harness_0_4(mmlu=True)
    del document["results"]["mmlu_virology"]
    read = read_results([write(tmp_path, "a.json", document)])
    assert "mmlu" not in read.scores and any("56 of 57" in note and "virology" in note for note in read.notes)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 40.0, "N/A", None, True])
def test_a_score_that_is_no_fraction_is_refused_with_task_and_file(tmp_path, value):
    document = harness_0_4()
    document["results"]["winogrande"]["acc,none"] = value
    with pytest.raises(ScoresError, match=r"r\.json: task winogrande, acc is"):
        read_results([write(tmp_path, "r.json", document)])


def test_a_standard_error_may_be_the_text_na(tmp_path):
    document = harness_0_4()
    document["results"]["winogrande"]["acc_stderr,none"] = "N/A"
    assert math.isnan(one(read_results([write(tmp_path, "r.json", document)]).scores)["winogrande_stderr"])


def test_a_task_without_its_metric_is_refused(tmp_path):
    document = harness_0_4()
    document["results"]["hellaswag"] = {"bypass,none": 999}
    with pytest.raises(ScoresError, match="hellaswag has no acc_norm "):
        read_results([write(tmp_path, "r.json", document)])


# --- files that are no results ------------------------------------------------------------------------------


NO_RESULTS = ["", "  \n", "{", '{"results": {"hellaswag": {"acc_norm,none": 0.4', "[1, 2]", "3", '"a"', "{}"]
NO_RESULTS += ['{"results": {}}', '{"results": []}', '{"results": {"a": 1}}', "\x00\x01", "not json"]


@pytest.mark.parametrize("text", NO_RESULTS)
def test_a_named_file_that_is_no_results_file_is_one_line(tmp_path, capsys, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    assert main(["import", str(path), "-o", str(tmp_path / "out.csv")]) == 3
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and "results.json" in output
    assert not (tmp_path / "out.csv").exists()


def test_a_folder_passes_over_other_json_and_samples_but_not_a_cut_file(tmp_path):
    ladder(tmp_path)
    write(tmp_path / "lab__model-0.5b", "settings.json", {"a": 1})
    (tmp_path / "samples_hellaswag_2025.jsonl").write_text("{}\n{}\n")
    (tmp_path / "tokenizer.json").write_text("{ broken on purpose")
    read = read_results([tmp_path])
    assert len(read.scores) == 4 and sum(note.startswith("passed over") for note in read.notes) == 2
    (tmp_path / "results_cut.json").write_text('{"results": {')
    with pytest.raises(ScoresError, match=r"results_cut\.json: cut off"):
        read_results([tmp_path])


@pytest.mark.parametrize("what", ["empty", "samples", "nowhere", "pattern", "null", "long"])
def test_a_place_without_results_is_exit_3(tmp_path, capsys, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "samples_hellaswag_2025.jsonl").write_text("{}")
    place = {"pattern": str(tmp_path / "*.json"), "null": "a\0b", "long": "a" * 5000}.get(what, str(tmp_path / what))
    assert main(["import", place, "-o", str(tmp_path / "s.csv")]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_pattern_and_a_folder_that_meet_count_a_file_once(tmp_path):
    ladder(tmp_path / "r")
    read = read_results([tmp_path / "r", str(tmp_path / "r" / "*" / "*.json")])
    assert len(read.scores) == 4 and len(read.files) == 4


@given(st.data())
def test_a_file_cut_at_any_byte_is_an_error_in_words(tmp_path, data):
    whole = json.dumps(harness_0_4(mmlu=False)).encode()
    path = tmp_path / "results.json"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ScoresError, match=r"results\.json"):
        read_results([path])


KEYS = ["hellaswag", "limit", "model_args", "model_name", "model_num_parameters", "acc_norm,none", "num_fewshot"]
KEYS += ["effective", "original", "revision", "harness|hellaswag|10", "harness|\n|", "max_samples", "pretrained"]
TEXTS = st.text(max_size=8) | st.sampled_from(["a\nb", "N/A", "../..", "=", ",pretrained=\n", "9" * 400])
KEY = st.text(max_size=8) | st.sampled_from(KEYS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=10,
)


@given(key=st.sampled_from(sorted(harness_0_4(mmlu=True))), value=JSON)
def test_any_value_in_any_section_is_read_or_refused_never_a_crash(tmp_path, key, value):
    path = write(tmp_path, "results.json", harness_0_4() | {key: value})
    try:
        read_results([path], params={"lab/model-1b": 1.0})
    except CapeError as error:
        assert "\n" not in str(error)


@given(key=st.sampled_from(sorted(leaderboard_v1())), value=JSON)
def test_any_value_in_a_leaderboard_file_is_read_or_refused(tmp_path, key, value):
    path = write(tmp_path, "results.json", leaderboard_v1() | {key: value})
    try:
        read_results([path], params={"lab/model-1b": 1.0})
    except CapeError as error:
        assert "\n" not in str(error)


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_writes_a_table_that_read_scores_accepts(tmp_path, capsys):
    from cape_lib import tables

    out = tmp_path / "scores.csv"
    assert main(["import", str(ladder(tmp_path / "r")), "--family", "F", "-o", str(out)]) == 0
    assert "cape family" in capsys.readouterr().out
    frame = tables.read_scores(out)
    assert list(frame["params_b"]) == [0.5, 1.5, 4.0, 9.0] and set(frame["family"]) == {"F"}
    assert frame["hellaswag"].tolist() == pytest.approx([35, 45, 55, 65])


def test_the_command_answers_as_json(tmp_path, capsys):
    out = tmp_path / "scores.csv"
    assert main(["import", str(ladder(tmp_path / "r")), "-o", str(out), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert len(output["scores"]) == 4 and len(output["files"]) == 4


def test_an_existing_table_is_kept_unless_forced(tmp_path, capsys):
    out = tmp_path / "scores.csv"
    out.write_text("precious")
    folder = str(ladder(tmp_path / "r"))
    assert main(["import", folder, "-o", str(out)]) == 2
    assert out.read_text() == "precious" and "--force" in capsys.readouterr().err
    assert main(["import", folder, "-o", str(out), "--force"]) == 0
    assert out.read_text().startswith("model,")


def test_a_results_file_is_never_overwritten(tmp_path):
    path = write(tmp_path, "r.json", harness_0_4())
    before = path.read_text()
    assert main(["import", str(path), "-o", str(path), "--force"]) == 2
    assert path.read_text() == before


def test_a_mix_is_exit_5_and_an_unknown_size_exit_4(tmp_path):
    write(tmp_path, "a.json", harness_0_4("0.4.8", "lab/a"))
    b = write(tmp_path, "b.json", harness_0_4("0.4.13", "lab/b"))
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "s.csv")]) == 5
    assert main(["import", str(tmp_path), "-o", str(tmp_path / "s.csv"), "--allow-mixed"]) == 0
    write(tmp_path, "b.json", harness_0_4(params=None))
    assert main(["import", str(b), "-o", str(tmp_path / "t.csv")]) == 4


@pytest.mark.parametrize(
    "option",
    [
        "--params=x",
        "--params=m=",
        "--params=m=big",
        "--params=m=-1",
        "--params=m=7e9",
        "--model=x",
        "--also=piqa",
        "--also=:acc",
    ],
)
def test_an_option_that_cannot_be_read_is_exit_2(tmp_path, capsys, option):
    path = write(tmp_path, "r.json", harness_0_4())
    assert main(["import", str(path), "-o", str(tmp_path / "s.csv"), option]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_or_a_missing_folder_as_output_is_refused(tmp_path):
    path = str(write(tmp_path, "r.json", harness_0_4()))
    assert main(["import", path, "-o", str(tmp_path), "--force"]) == 2
    assert main(["import", path, "-o", str(tmp_path / "no" / "s.csv")]) == 6


def test_an_interrupt_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_csv", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_scores(pd.DataFrame({"model": ["a"]}), tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_scores_survive_the_file(tmp_path):
    read = read_results([ladder(tmp_path / "r")])
    write_scores(read.scores, tmp_path / "s.csv")
    again = pd.read_csv(tmp_path / "s.csv")
    for task, column in (("winogrande", "winogrande"), ("arc_challenge", "arc_challenge")):
        assert set(again[column]) == {round(100 * SCORES[task], 4)}


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("results.json", lambda texts: f"[{','.join(texts)}]".encode()),
        ("results.jsonl", lambda texts: "\n".join(texts).encode()),
        ("results.txt", lambda texts: f"[{','.join(texts)}]".encode()),
        ("results", lambda texts: f"[{','.join(texts)}]".encode()),
        ("results_utf16.json", lambda texts: f"[{','.join(texts)}]".encode("utf-16")),
    ],
)
def test_results_in_one_list_with_any_ending_and_in_utf_16_are_read(tmp_path, name, encoded):
    texts = [json.dumps(harness_0_4(model=f"lab/m-{size}b", params=size * 1e9)) for size in (1, 3)]
    (tmp_path / name).write_bytes(encoded(texts))
    frame = read_any([str(tmp_path / name)]).scores.frame
    assert frame["model"].tolist() == ["lab/m-1b", "lab/m-3b"] and frame["params_b"].tolist() == [1.0, 3.0]
    assert frame["hellaswag"].tolist() == [40.0, 40.0]


def test_a_name_with_a_size_of_zero_states_none(tmp_path):
    row = one(read_results([write(tmp_path, "r.json", harness_0_4(model="lab/m-0b", params=2e9))]).scores)
    assert (row["model"], row["params_b"]) == ("lab/m-0b", 2.0)
