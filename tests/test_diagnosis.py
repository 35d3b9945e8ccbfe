"""Diagnosis: the same numbers as the chapters, no phase from size alone, no advice without evidence."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cape_lib import claims, frontier, stats, tables
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.cli import main
from cape_lib.cli.diagnose import checked
from cape_lib.dashboard import diagnose_family, diagnose_model, diagnose_release, diagnose_variant, kit, wording
from cape_lib.dashboard.page import SCRIPTS, STYLE, html, inline, static_dir
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.frontier.trajectory import KINDS

PAIR = ("hellaswag", "truthfulqa")


def example(key: str) -> dict[str, Any]:
    return next(item["state"] for item in kit()["examples"] if item["key"] == key)


def pythia() -> dict[str, Any]:
    return diagnose_family(example("pythia")["rows"])


# ---- the five analyses of the earlier dashboard ----


def test_pythia_1b_alone_has_no_phase_and_asks_for_a_second_size() -> None:
    diagnosis = diagnose_model(example("pythia-1b")["row"])
    assert diagnosis["phase"] is None
    assert "second size" in diagnosis["answers"]["measure"]
    row = tables.base("published").set_index("model").loc["Pythia-1B"]
    assert (diagnosis["hellaswag"], diagnosis["truthfulqa"]) == (row["hellaswag"], row["truthfulqa"])
    assert diagnosis["curve"]["critical"] == pytest.approx(float(boundary.isocline(row["hellaswag"])))


def test_a_second_size_is_told_what_is_noise_and_what_could_be_missed(capsys: pytest.CaptureFixture[str]) -> None:
    row = example("pythia-1b")["row"]
    answers = diagnose_model(row)["answers"]
    se = math.sqrt(2) * float(stats.score_sd(row["truthfulqa"], "truthfulqa"))
    noise, missed = 1.96 * se, stats.seen_difference(se)
    assert f"under {noise:.1f} points is within the noise, and a true one under {missed:.1f} co" in answers["measure"]
    assert f"a step of {noise / 0.3:.0f} and of {missed / 0.3:.0f} points" in answers["measure"]
    # The papers' curve is beside the answers, not in that to the first question.
    assert answers["phase"].endswith("it takes two sizes.")
    assert main(["diagnose", "--example", "pythia-1b"]) == 0
    assert "The papers' curve (30.5 at this HellaSwag score) does not tell the phase" in capsys.readouterr().out
    mc1 = ["--size", "1", "--hellaswag", "50", "--truthfulqa", "25", "--metric", "mc1"]
    assert main(["diagnose", *mc1]) == 0
    assert "papers' curve" not in capsys.readouterr().out


def test_a_model_of_today_is_advised_in_the_headline() -> None:
    state = example("gpt-oss")
    for rows in (state["rows"], state["rows"][:1]):
        diagnosis = diagnose_variant(rows, mode=state["mode"])
        assert diagnosis["answers"]["headline"].endswith(diagnosis["advice"][0]["advice"])
        assert diagnosis["answers"]["sure"].startswith("Of what it does not answer right it leaves ")


def test_phi_2_lies_above_the_web_trend_by_what_chapter_3_says() -> None:
    panel = tables.base("uniform")
    excess = levers.curation_contrasts(panel).set_index("model")["y_excess"]
    row = panel.set_index("model").loc["phi-2"]
    diagnosis = diagnose_model({"params_b": row["params_b"], **{name: row[name] for name in PAIR}})
    assert diagnosis["trend"]["truthfulqa"]["residual"] == pytest.approx(excess["phi-2"], abs=1e-6)


def test_llama_2_70b_is_nearest_to_itself() -> None:
    diagnosis = diagnose_model(example("llama-2-70b")["row"])
    assert diagnosis["nearest"][0]["model"] == "Llama-2-70b-hf"
    assert diagnosis["nearest"][0]["source"]["url"].startswith("https://")


def test_a_release_has_a_label_only_where_the_interval_of_h_leaves_zero_out() -> None:
    """Far below the line at a low SWE score the interval still holds zero; at a high one it does not."""
    open_, sure = (
        diagnose_release([{"model": "R", "swe_bench_verified": swe, "gpqa_diamond": gpqa}])["rows"][0]
        for swe, gpqa in ((30, 49), (80, 49))
    )
    assert open_["h"] < -10 and open_["interval"]["low"] < 0 < open_["interval"]["high"]
    assert (open_["phase"], open_["emphasis"]) == (frontier.NO_LABEL, frontier.NO_LABEL)
    assert sure["interval"]["high"] < 0
    assert (sure["phase"], sure["emphasis"]) == ("coding-specialist excursion", "coding-rich")


def test_the_release_agrees_with_chapter_6_and_hfield(capsys: pytest.CaptureFixture[str]) -> None:
    diagnosis = diagnose_release([{"model": "R", "swe_bench_verified": 80.8, "gpqa_diamond": 91.3}])
    own, theirs = diagnosis["rows"][0], frontier.read_h(80.8, 91.3, frontier.line("frozen")).iloc[0]
    assert own["h"] == pytest.approx(theirs.h)
    assert (own["interval"]["low"], own["interval"]["high"]) == pytest.approx((theirs["h_low"], theirs["h_high"]))
    assert own["noise_sd"] == pytest.approx(theirs.noise_sd)
    assert (own["phase"], own["emphasis"]) == (theirs.phase, theirs.emphasis)
    assert main(["hfield", "--swe", "80.8", "--gpqa", "91.3", "--json"]) == 0
    hfield = json.loads(capsys.readouterr().out)
    assert main(["diagnose", "--swe", "80.8", "--gpqa", "91.3", "--json"]) == 0
    command = json.loads(capsys.readouterr().out)
    for name in ("h", "low", "high", "line", "panel", "phase"):
        assert (
            command[name] == pytest.approx(hfield[name])
            if name in ("h", "low", "high")
            else command[name] == hfield[name]
        )


def claimed(claim: str) -> list[float]:
    """The numbers that a claim's function computes from the published panel, part by part."""
    return [part.value for part in claims.evaluate(claim, panel="published")[0].parts if isinstance(part.value, float)]


def test_h_agrees_with_the_claim_on_sonnet_and_opus() -> None:
    result = [
        diagnose_release(example(key)["rows"], line="published")["rows"][0]["h"] for key in ("sonnet-4.6", "opus-4.6")
    ]
    assert result == pytest.approx(claimed("C26")[:2], rel=1e-9)


def test_r_agrees_with_the_claims_on_pythia_and_its_other_pair() -> None:
    assert pythia()["r"]["estimate"] == pytest.approx(claimed("C01")[0], rel=1e-9)
    pair = example("commonsense")
    diagnosis = diagnose_family(pair["rows"], x=pair["x"], y=pair["y"])
    assert diagnosis["r"]["estimate"] == pytest.approx(claimed("C43")[0], rel=1e-9)


def test_a_pair_of_ones_own_agrees_with_chapter_1() -> None:
    ladder = tables.ladder("Pythia")
    diagnosis = diagnose_family(ladder, x="winogrande", y="truthfulqa")
    steps = coupling.local_coupling(ladder, x="winogrande", y="truthfulqa")
    assert [step["gamma"] for step in diagnosis["steps"]] == pytest.approx(list(steps["gamma"]))
    assert diagnosis["kind"] == "pair"
    assert diagnosis["r"]["estimate"] == pytest.approx(-0.941, abs=0.001)


# ---- a family agrees with the chapters ----


def test_published_numbers_of_the_pythia_ladder_come_out() -> None:
    diagnosis = pythia()
    assert diagnosis["r"]["estimate"] == pytest.approx(-0.989, abs=0.001)
    assert diagnosis["steps"][0]["gamma"] == pytest.approx(-0.683, abs=0.001)
    assert all(row["estimate"] is None for name, row in diagnosis["boundary"].items() if name != "best_threshold")


def test_the_forecast_by_equations_is_the_linear_system_of_chapter_2() -> None:
    ladder = tables.ladder("Pythia")
    diagnosis = diagnose_family(ladder, at=30.0)["forecast"]["methods"]["ode"]
    last = ladder.iloc[-1]
    system = dynamics.fit_linear(ladder, benchmarks=PAIR)
    theirs = dynamics.forecast(system, [30.0], start=last)
    assert [diagnosis["x"], diagnosis["y"]] == pytest.approx([float(theirs[name].iloc[0]) for name in PAIR], rel=1e-6)


def test_a_system_that_the_steps_do_not_determine_forecasts_nothing() -> None:
    x, y = [1.001, 1.317, 3.417, 1.001, 1.001], [1.001, 1.006, 1.006, 1.006, 1.001]
    rows = [
        {"params_b": size, "hellaswag": a, "truthfulqa": b}
        for size, a, b in zip([0.1, 0.3, 0.9, 2.7, 8.1], x, y, strict=True)
    ]
    diagnosis = diagnose_family(rows)["forecast"]["methods"]
    assert diagnosis["ode"] == {"x": None, "y": None, "held_out": None}
    assert diagnosis["polynomial"]["y"] is not None


def test_the_dimension_is_that_of_chapter_1() -> None:
    theirs = coupling.effective_dimension(tables.ladder("Pythia"), resamples=2)
    own = pythia()["dimension"]
    assert own["estimate"] == pytest.approx(theirs.estimate.estimate)
    assert own["eigenvalues"] == pytest.approx(list(theirs.eigenvalues))


def test_fewer_than_six_sizes_have_no_effective_dimension() -> None:
    assert diagnose_family(tables.ladder("Llama-2"))["dimension"]["estimate"] is None


def test_power_is_what_would_settle_the_sign() -> None:
    diagnosis = pythia()
    questions = diagnosis["power"]["questions"]
    last = diagnosis["sizes"][-2:]
    rows = pd.DataFrame(
        {
            "model": s["model"],
            "params_b": s["params_b"],
            "hellaswag": s["x"],
            "truthfulqa": s["y"],
            "hellaswag_stderr": s["x_sd"] / math.sqrt(questions),
            "truthfulqa_stderr": s["y_sd"] / math.sqrt(questions),
        }
        for s in last
    )
    limit = coupling.settled_beyond(len(diagnosis["steps"]))  # one step of a ladder, not a lone one

    def settled() -> bool:
        p = float(coupling.local_coupling(rows)["p_negative"].iloc[0])
        return p > limit or p < 1 - limit

    assert settled()
    rows[["hellaswag_stderr", "truthfulqa_stderr"]] *= math.sqrt(questions / (questions - 1))
    assert not settled()


# ---- what the earlier dashboard did, so that this one does not ----


@pytest.mark.parametrize("size", [0.07, 1.0, 3.4, 70.0])
@pytest.mark.parametrize("scores", [(100.0, 100.0), (25.0, 25.0), (90.0, 60.0)])
def test_no_phase_comes_from_size_alone(size: float, scores: tuple[float, float]) -> None:
    diagnosis = diagnose_model({"params_b": size, "hellaswag": scores[0], "truthfulqa": scores[1]})
    assert diagnosis["phase"] is None
    assert diagnosis["answers"]["phase"].startswith("Not known")


def test_eigenvalues_move_with_the_scores() -> None:
    rows = [dict(row) for row in example("pythia")["rows"]]
    before = diagnose_family(rows)["dimension"]["eigenvalues"]
    rows[-1]["mmlu"] = 60.0
    assert diagnose_family(rows)["dimension"]["eigenvalues"] != pytest.approx(before)


def test_mc1_is_not_compared_with_mc2() -> None:
    diagnosis = diagnose_model({"params_b": 1.0, "hellaswag": 50.0, "truthfulqa": 25.0, "metric": "mc1"})
    assert diagnosis["nearest"] == []
    assert diagnosis["advice"] == []
    assert "MC1" in diagnosis["answers"]["headline"]


def test_other_shots_are_said() -> None:
    diagnosis = diagnose_model({"params_b": 1.0, "hellaswag": 50.0, "truthfulqa": 39.0, "hellaswag_shots": 0})
    assert any("shots" in note for note in diagnosis["notes"])


def test_one_size_and_equal_sizes_are_refused() -> None:
    rows = example("pythia")["rows"]
    with pytest.raises(MissingError):
        diagnose_family(rows[:1])
    with pytest.raises(ScoresError):
        diagnose_family([rows[0], {**rows[1], "params_b": rows[0]["params_b"]}])


def test_unknown_noise_is_said_and_not_invented() -> None:
    rows = [{"params_b": n, "a": 10.0 * n, "b": 5.0 * n} for n in (1.0, 2.0, 4.0)]
    diagnosis = diagnose_family(rows, x="a", y="b")
    assert diagnosis["steps"][0]["p_negative"] is None
    assert diagnosis["steps"][0]["interval"]["shape"] == "none"
    assert "number of questions" in diagnosis["answers"]["sure"]
    known = diagnose_family(rows, x="a", y="b", items={"a": 1000, "b": 1000})
    assert known["steps"][0]["p_bonus"] > 0.99


# ---- releases ----


def test_a_known_release_is_compared_with_what_came_before_it() -> None:
    diagnosis = diagnose_release(example("opus-4.6")["rows"], lab="Anthropic")
    names = [row["model"] for row in diagnosis["trajectory"]]
    assert names[-1] == "Claude Opus 4.6"
    assert "Claude Opus 4.7" not in names


def test_the_trajectory_is_classified_as_in_chapter_6() -> None:
    rows = [
        {"model": f"R{i}", "swe_bench_verified": 50.0, "gpqa_diamond": g}
        for i, g in enumerate((52, 90, 53, 54, 95, 94))
    ]
    diagnosis = diagnose_release(rows)
    h = np.array([row["h"] for row in diagnosis["rows"]])
    known = tables.frontier("current")
    limit = max(10.0, float(frontier.change_limit(*frontier.within_lab_scatter(known), len(rows))))
    assert [row["limit"] for row in diagnosis["trajectory"]] == pytest.approx([float(limit)] * len(rows))
    kinds = [row["kind"] for row in diagnosis["trajectory"]]
    assert kinds == [KINDS[k] for k in frontier.classify_changes(h, threshold=float(limit))]
    assert kinds[1:3] == ["excursion", "return"]


def test_a_change_within_the_scatter_of_a_lab_is_no_step_whatever_ten_points_say() -> None:
    rows = [{"model": f"R{i}", "swe_bench_verified": 50.0, "gpqa_diamond": g} for i, g in enumerate((72, 73, 85))]
    diagnosis = diagnose_release(rows)
    assert diagnosis["trajectory"][-1]["kind"] == "noise" and "by chance" in diagnosis["answers"]["move"]


def test_saturation_is_that_of_the_frontier_module() -> None:
    frame = tables.frontier("current")
    diagnosis = diagnose_release([{"model": "weak", "swe_bench_verified": 1.5, "gpqa_diamond": 30.0}])["saturation"][0]
    theirs = frontier.saturation(frame)
    assert diagnosis["sigma"] == pytest.approx(theirs.sigma)
    assert tuple(diagnosis["models"]) == theirs.models


def test_an_unknown_line_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UsageError, match="frozen"):
        diagnose_release([{"swe_bench_verified": 80.0, "gpqa_diamond": 90.0}], line="frosen")


# ---- advice ----


def test_every_rule_leads_to_a_chapter() -> None:
    for rule in wording.rules():
        assert rule["link"][:2].isdigit() and rule["link"].endswith(".html")


@pytest.mark.parametrize("condition", ["speed > 3", "last.gamma>3 or last.dx>1", "last.gamma>", "last.gamma~1"])
def test_a_condition_that_cannot_be_read_is_refused_with_its_row(
    monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    table = tables.load("advice").assign(kind="family", condition=condition)
    monkeypatch.setattr(tables, "load", lambda name: table)
    with pytest.raises(ScoresError, match="row 2.*last.gamma<0"):
        wording.rules.__wrapped__()


def test_a_missing_fact_never_fires_a_rule() -> None:
    def topics(sigma: float | None) -> set[str]:
        unknown: dict[str, Any] = dict.fromkeys(("h_size", "noise95", "newest"))
        facts = unknown | {"last": {"outside": None, "ifeval_above": None}, "saturation": [{"sigma": sigma}]}
        rules = [rule for rule in wording.rules() if rule["kind"] == "release"]
        return {rule["topic"] for rule in rules if wording.holds(rule["condition"], facts)}

    assert topics(0.1) == {"benchmark rotation"}
    assert topics(None) == topics(0.3) == set()


@pytest.mark.parametrize(("swe", "gpqa"), [(80.8, 75.0), (81.0, 92.0), (20.0, 90.0), (60.0, 66.0)])
def test_hfield_and_diagnose_give_one_advice_and_one_trajectory(
    swe: float, gpqa: float, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = []
    for command in ("hfield", "diagnose"):
        assert main([command, "--swe", str(swe), "--gpqa", str(gpqa), "--lab", "Anthropic", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    hfield, diagnosis = answers
    assert hfield["advice"] == diagnosis["advice"]
    assert hfield["trajectory"] == diagnosis["diagnosis"]["trajectory"]


# ---- words ----


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.25, "1", "0.3"),
        (-0.25, "1", "-0.3"),
        (-0.04, "1", "0.0"),
        (2.5, "0", "3"),
        (0.004, "%", "under 1\u00a0%"),
        (0.996, "%", "over 99\u00a0%"),
        (0.07, "B", "70M"),
        (6.9, "B", "6.9B"),
        (176.0, "B", "176B"),
        (7.0, "B", "7B"),
        (3.45, "+1", "+3.5"),
        (-3.0, "+1", "-3.0"),
        (1e300, "1", "over 1,000,000"),
        (None, "1", "unknown"),
    ],
)
def test_numbers_are_written_for_readers(value: float | None, form: str, text: str) -> None:
    assert wording.shown(value, form) == text


def test_every_sentence_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(wording.__file__).parent.glob("*.py"))
    scripts = "".join((static_dir() / name).read_text(encoding="utf-8") for name in SCRIPTS)
    checks = json.dumps(wording.templates("checks"))
    for key in wording.templates():
        assert key.removeprefix("bad_") in source + scripts + checks, key
    parts = {"like", "parts", "tab", "about", "facts", "reason", "headline", "notes", *wording.QUESTIONS}
    for file in ("answers", "views"):
        for kind, lists in wording.templates(file).items():
            shown_below = wording.templates("views").get(kind)  # a view says sentences of the answers too
            texts = json.dumps([lists, wording.templates(file)["family"], shown_below])
            assert set(lists) - parts <= set(re.findall(r"\{@([A-Za-z_]+)\}", texts)), (file, kind)


def test_an_answer_is_the_first_whose_condition_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = dict.fromkeys(("headline", *wording.QUESTIONS), [["", ""]]) | {"notes": []}
    monkeypatch.setattr(wording, "templates", lambda name: {"any": lists | {"headline": [[condition, "yes"]]}})
    facts = {"n": 2, "none": None, "of": "levels", "row": {"x": 0.0, "m": 2}, "rows": [{"x": 1}]}
    for condition, holds in (
        ("n>1 & of='levels'", True),
        ("n=row.m", True),
        ("n>=3", False),
        ("none<5", False),
        ("!none<5", True),
        ("row.x", False),
        ("row.x?", True),
        ("!none?", True),
        ("none.below?", False),
        ("rows.0.x=1", True),
    ):
        assert (wording.speak("any", facts)["answers"]["headline"] == "yes") is holds, condition


# ---- input ----


def test_what_is_typed_is_numbers_in_percent_and_billions() -> None:
    rows = [{"model": "", "params_b": "6.9b", "hellaswag": "50 %", "truthfulqa": "40.5"}]
    number = {"model": None, "params_b": 6.9, "hellaswag": 50.0, "truthfulqa": 40.5, "mmlu": None}
    assert checked(rows, need=PAIR, also=["mmlu"]) == [number]
    dated = [{"model": "R", "hellaswag": 50.0, "truthfulqa": 0, "date": "2026-03"}]
    assert checked(dated, need=PAIR, sized=False)[0]["date"] == "2026-03"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("hellaswag", "0.497", "percent it is 49.7"),
        ("hellaswag", "49,7", "give 49.7"),
        ("hellaswag", "150", "0 to 100"),
        ("hellaswag", "-1", "0 to 100"),
        ("hellaswag", "nan", "0 to 100"),
        ("hellaswag", "1e999", "0 to 100"),
        ("hellaswag", "", "missing"),
        ("params_b", "6900000000", "billions"),
        ("params_b", "0", "billions"),
        ("params_b", None, "missing"),
    ],
)
def test_what_cannot_be_a_score_or_a_size_is_refused(name: str, text: str | None, says: str) -> None:
    row = {"params_b": "1", "hellaswag": "50", "truthfulqa": "40"} | {name: text}
    with pytest.raises(UsageError, match=f"{name}.*{says}"):
        checked([row], need=PAIR)


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_a_refusal(text: str) -> None:
    for name in ("params_b", "hellaswag"):
        try:
            (row,) = checked([{"params_b": 1, "hellaswag": 50, name: text}], need=["hellaswag"])
        except UsageError:
            continue
        assert math.isfinite(row[name])


@given(
    st.lists(st.tuples(st.floats(1.1, 100), st.floats(1.1, 100)), min_size=2, max_size=7),
    st.randoms(use_true_random=False),
)
def test_any_family_gives_whole_answers_in_any_order(scores: list[tuple[float, float]], rng: Any) -> None:
    rows = [{"model": f"M{i}", "params_b": 2.0**i, "hellaswag": x, "truthfulqa": y} for i, (x, y) in enumerate(scores)]
    diagnosis = diagnose_family(rows)
    json.dumps(diagnosis, allow_nan=False)
    for step in diagnosis["steps"]:
        assert step["p_tax"] + step["p_transition"] + step["p_bonus"] == pytest.approx(1, abs=1e-9)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert diagnose_family(shuffled) == diagnosis


# ---- the page's markup and the command ----


def test_the_page_holds_what_it_needs() -> None:
    page = html()
    assert all(f"dashboard/{name}" in page for name in (*SCRIPTS, STYLE))
    assert "http-equiv" not in page and 'src="http' not in page
    assert "</script" not in page.split('id="cape-kit">')[1].split("</script>")[0]
    assert len(inline()) > len(page)


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 2),
        (["--size", "1", "--hellaswag", "0.5", "--truthfulqa", "40"], 2),
        (["--swe", "80", "--gpqa", "150"], 2),
        (["--size", "1", "--hellaswag", "50"], 2),
        (["--example", "pithia"], 2),
        (["missing.csv"], 3),
        (["--swe", "80", "--gpqa", "90", "--line", "frosen"], 2),
        (["--swe", "80", "--gpqa", "90", "--lab", "Antropic"], 2),
        (["--gpqa", "80", "--non-hallucination", "40"], 2),
        (["--gpqa", "80", "--accuracy", "40"], 2),
        (["--accuracy", "30", "--non-hallucination", "40"], 2),
        (["--gpqa", "0.8", "--accuracy", "30", "--non-hallucination", "40"], 2),
        (["--gpqa", "80", "--accuracy", "30", "--non-hallucination", "40", "--generation", "Qwen3,5"], 2),
        (["--gpqa", "80", "--accuracy", "30", "--non-hallucination", "40", "--mode", "slow"], 2),
        (["--swe", "80", "--gpqa", "90", "--mode", "none"], 2),
    ],
)
def test_wrong_use_is_one_line_and_an_exit_code(argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", *argv]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1


def test_a_file_of_scores_is_diagnosed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scores.csv"
    file.write_text("model,params_b,hellaswag,truthfulqa\na,1,50,40\nb,7,70,36\n", encoding="utf-8")
    assert main(["diagnose", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gamma"] == pytest.approx(-0.2)
    file.write_text("model,params_b,hellaswag\na,1,50\nb,7,70\n", encoding="utf-8")
    assert main(["diagnose", str(file)]) == 4
    file.write_text("model,params_b,hellaswag,truthfulqa\na,1,50,40\n", encoding="utf-8")
    assert main(["diagnose", str(file)]) == 4


SHARES = ("gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination")


def variant(gpqa: float, a: float, q: float, **more: Any) -> dict[str, Any]:
    return dict(zip(SHARES, (gpqa, a, q), strict=True)) | more


@pytest.mark.parametrize(("blank", "lacks"), [("40,", "truthfulqa"), (",", "hellaswag and truthfulqa")])
def test_a_file_without_a_score_says_which_and_the_next_step(
    blank: str, lacks: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(f"model,params_b,hellaswag,truthfulqa\na,1,{blank}\nb,2,{blank}\n")
    assert main(["diagnose", str(file)]) == 4
    error = capsys.readouterr().err
    assert f"every one lacks {lacks}; give two sizes" in error and str(file) in error


def test_a_model_of_today_stands_where_the_table_puts_it() -> None:
    one = diagnose_variant([variant(80.0, 30.0, 40.0)], mode="reasoning")
    rows = tables.variants().dropna(subset=list(SHARES))
    rows = rows[(rows["mode"] == "reasoning") & rows["gpqa_diamond"].between(75, 85)]
    wrong = (100 - rows[SHARES[1]]) * (100 - rows[SHARES[2]]) / 100
    assert one["beside"]["n"] == len(rows)
    assert one["beside"]["admits"]["below"] == pytest.approx(100 * (rows[SHARES[2]] < 40).mean())
    assert one["beside"]["wrong"]["below"] == pytest.approx(100 * (wrong < 42).mean())
    assert one["rows"][0]["wrong"] == pytest.approx(42)
    assert one["rows"][0]["precision"] == pytest.approx(100 * 30 / 72)


def test_more_admitted_never_lowers_the_place_and_noise_lies_around_it() -> None:
    for gpqa in (30.0, 60.0, 80.0, 99.0):
        places = [diagnose_variant([variant(gpqa, 25.0, q)])["beside"] for q in (2.0, 10.0, 30.0, 60.0, 98.0)]
        below = [place["admits"]["below"] for place in places]
        assert below == sorted(below) and below[0] < below[-1]
        wrong = [place["wrong"]["below"] for place in places]
        assert wrong == sorted(wrong, reverse=True)
        assert all(p["admits"]["low"] <= p["admits"]["below"] <= p["admits"]["high"] for p in places)
        assert all(place["n"] >= 10 for place in places)


def test_two_efforts_are_a_change_and_one_is_said_to_be_one() -> None:
    efforts = [variant(70.0, 20.0, 50.0), variant(80.0, 22.0, 40.0)]
    both = diagnose_variant(efforts)
    assert both["change"]["omniscience_non_hallucination"] == pytest.approx(-10)
    assert both["change"]["wrong"] == pytest.approx(0.6 * 78 - 0.5 * 80)
    assert "less thought" in " ".join(rule["advice"] for rule in both["advice"])
    alone = diagnose_variant(efforts[-1:])
    assert alone["change"] is None
    assert alone["answers"]["move"].startswith("One effort only")
    assert "No family is named" in alone["answers"]["compared"]


def test_a_variant_that_ran_out_of_tokens_is_no_end_of_its_family() -> None:
    one = diagnose_variant([variant(80.0, 30.0, 40.0)], mode="reasoning", generation="Qwen3.5")
    assert {row["model"] for row in one["ladder"] if row["ran_out"]} >= {"Qwen3.5 0.8B (Reasoning)"}
    assert "873M" not in one["answers"]["phase"] and "397B" in one["answers"]["phase"]


def test_a_file_of_efforts_is_a_model_of_today(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "efforts.csv"
    head = "model,gpqa_diamond,omniscience_accuracy,omniscience_non_hallucination"
    file.write_text(f"{head}\nlow,70,20,50\nhigh,80,22,40\n", encoding="utf-8")
    assert main(["diagnose", str(file), "--mode", "reasoning", "--json"]) == 0
    short = json.loads(capsys.readouterr().out)
    assert (short["kind"], short["wrong"]) == ("today", pytest.approx(0.6 * 78))
    file.write_text("model,gpqa_diamond,omniscience_non_hallucination\nlow,70,50\n", encoding="utf-8")
    assert main(["diagnose", str(file)]) == 4
    assert "omniscience_accuracy" in capsys.readouterr().err


def test_every_example_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    for item in kit()["examples"]:
        assert main(["diagnose", "--example", item["key"]]) == 0
        output = capsys.readouterr().out
        assert "How sure?" in output and "nan" not in output.split()


def test_a_release_without_a_name_beside_named_ones_has_a_name_in_words() -> None:
    scores = {"swe_bench_verified": 71.0, "gpqa_diamond": 70.0}
    rows = [{"model": "A", **scores}, {"model": None, **scores}]
    answer = json.loads(json.dumps(diagnose_release(rows), allow_nan=False))
    assert [row["model"] for row in answer["rows"]] == ["A", "This release"]
    assert [row["model"] for row in answer["trajectory"]] == ["A", "This release"]
