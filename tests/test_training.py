"""Coupling along training: the datasheet's numbers, and runs in which only trend, or more than trend, was planted."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from cape_lib import tables
from cape_lib.base import training
from cape_lib.errors import MissingError
from cape_lib.story import training as story
from cape_lib.tables import label


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return training.runs()


@pytest.mark.parametrize(("step", "high", "changes"), [(1_000, 12, 0.78), (3_000, 7, 0.46), (13_000, 4, 0.09)])
def test_the_tempting_headline_shrinks_with_its_first_step(rows, step: int, high: int, changes: float) -> None:
    level = training.along(rows, x="lambada_openai", from_step=step)
    assert len(level) == 16 and int((level["r"] >= 0.85).sum()) == high
    difference = training.along(rows, x="lambada_openai", from_step=step, difference=True)
    assert difference["r"].median() == pytest.approx(changes, abs=0.005)


def test_a_run_is_that_of_the_file(rows: pd.DataFrame) -> None:
    raw = pd.read_csv(tables.data_dir() / "pythia_checkpoints.csv")
    one = raw[(raw["model"] == "pythia-70m-deduped") & (raw["step"] >= 1_000)]
    score = one.pivot(index="step", columns="benchmark", values="score")
    expected = pearsonr(score["lambada_openai"], score["crows_pairs_english"])[0]
    r = training.along(rows, x="lambada_openai").set_index("model")["r"]
    assert r["pythia-70m-deduped"] == pytest.approx(expected) and round(expected, 2) == -0.09


def test_a_run_goes_as_well_with_the_stereotype_score_of_another(rows: pd.DataFrame) -> None:
    large = training.crossed(rows[rows["params_b"] >= 1.4], x="lambada_openai")
    median = large.groupby("own")["r"].median()
    assert len(large) == 64 and median[False] == pytest.approx(0.97, abs=0.005)
    assert abs(median[True] - median[False]) < 0.01


def planted(rng: np.random.Generator, shared: float) -> pd.DataFrame:
    """Sixteen runs that rise alike; `shared` of the scatter at a checkpoint is common to both scores of a run."""
    table = []
    for size in (1, 2, 3, 4, 5, 6, 7, 8):
        for twin in ("", "-deduped"):
            for k, step in enumerate(range(1_000, 17_000, 1_000)):
                both = rng.normal()
                x, y = (shared**0.5 * both + (1 - shared) ** 0.5 * rng.normal() for _ in range(2))
                table.append((f"m{size}{twin}", float(size), bool(twin), step, k + x, k / 2 + y))
    return pd.DataFrame(table, columns=["model", "params_b", "deduplicated", "step", "x", "y"])


@pytest.mark.slow
def test_trend_alone_gives_a_high_r_and_passes_the_test_beyond_trend_in_few_worlds() -> None:
    rng = np.random.default_rng(1)
    worlds = [planted(rng, 0.0) for _ in range(100)]
    assert min(training.along(world, x="x", y="y")["r"].median() for world in worlds) > 0.8
    tests = [training.beyond_trend(world, x="x", y="y") for world in worlds]
    assert sum(one.p < 0.05 for one in tests) <= 11  # 5 % of 100; more than 11 has a chance below 1 in 100
    assert sum(one.excess.contains(0.0) for one in tests) >= 89


def test_coupling_beyond_trend_is_seen_where_it_was_planted() -> None:
    rng = np.random.default_rng(2)
    tests = [training.beyond_trend(planted(rng, 0.6), x="x", y="y") for _ in range(40)]
    assert sum(test.p < 0.05 for test in tests) >= 36
    assert np.median([test.own - test.twin for test in tests]) > 0.3


def test_size_at_equal_tokens_has_eight_models_a_moment(rows: pd.DataFrame) -> None:
    table = training.by_size(rows, x="lambada_openai")
    last = table[table["step"] == 143_000]
    assert set(last["n"]) == {8} and last["r"].between(0.9, 1.0).all()


def test_twins_that_differ_by_noise_alone_give_its_size_back() -> None:
    rng = np.random.default_rng(3)
    world = planted(rng, 0.0)
    assert training.twin_spread(world, "x").estimate == pytest.approx(1.0, abs=0.15)


def test_what_cannot_be_tested_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(MissingError, match="hellaswag"):
        training.runs(["hellaswag"])
    with pytest.raises(MissingError, match="four sizes"):
        training.beyond_trend(rows[rows["params_b"] > 2], x="piqa")
    with pytest.raises(MissingError, match="three checkpoints"):
        training.along(rows, x="piqa", from_step=140_000)


def made(noise: float, tie: float, seed: int = 3) -> pd.DataFrame:
    """Eight sizes in two runs: two scores whose steps share `tie`, each measured with `noise` (SD, points)."""
    rng = np.random.default_rng(seed)
    rows = []
    for size in range(1, 9):
        for word in ("", "-deduped"):
            shared, one, two = rng.normal(0, 1, (3, 40))
            x, y = np.cumsum(tie * shared + one), np.cumsum(tie * shared + two)
            for step, (a, b) in enumerate(zip(x, y, strict=True)):
                a, b = 50 + a + rng.normal(0, noise), 50 + b + rng.normal(0, noise)
                about = {"model": f"m{size}{word}", "params_b": size, "deduplicated": bool(word), "step": 1000 * step}
                rows.append(about | {"lambada_openai": a, "arc_easy": b, "lambada_openai_stderr": noise})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_the_noise_of_changes_is_told_from_what_changes(noise: float) -> None:
    one = training.change_noise(made(noise, tie=0.0), ["lambada_openai"], starts=[0]).iloc[0]
    assert one["noise"] == pytest.approx(2**0.5 * noise)
    assert one["share"] == pytest.approx(2 * noise**2 / (1 + 2 * noise**2), abs=0.1)


def test_the_control_sees_a_tie_of_one_run_and_none_where_there_is_none() -> None:
    tied, loose = (training.control(made(0.1, tie), from_step=0).iloc[0] for tie in (2.0, 0.0))
    assert tied["own"] > 0.7 > 0.2 > abs(tied["twin"]) and tied["p"] < 0.01
    assert abs(loose["own"]) < 0.2 and loose["p"] > 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x", "y", "from_step"), [("piqa", "arc_easy", 13_000), ("sciq", "crows_pairs_english", 43_000)]
)
def test_the_sentences_of_chapter_10_hold_for_other_pairs_and_starts(x: str, y: str, from_step: int) -> None:
    runs = training.runs(dict.fromkeys([x, *training.CAPABILITIES, y]))
    chosen = {"x": x, "y": y, "from_step": from_step}
    answer = story.answer(runs, **chosen)
    assert f"{label(x)} of one run and {label(y)} of *another*" in answer.sentence
    assert ("of changes from step" in answer.interval) == (from_step < 13_000)
    # no p without its side, and beside what is not shown what would have been seen
    test, last = (
        story.test_text(training.beyond_trend(runs, **chosen), runs, **chosen),
        story.remember(runs, **chosen)[2],
    )
    for part in (test, last):
        assert len(re.findall(r"\bp [=<>]", part)) == part.count("one-sided")
        assert ("shown from" in part or "not shown" in part) <= ("could be missed" in part)
    shown = story.by_capability(runs, x, y, from_step)[x][1] < 0.05
    assert shown or "could be missed" in answer.interval.split(" for these changes")[0]
    text = " ".join(
        [
            answer.sentence,
            answer.interval,
            story.tempting(training.along(runs, **chosen), x=x, y=y),
            *story.remember(runs, **chosen),
        ]
    )
    assert "nan" not in text and ("stereotype" in text) == (y == "crows_pairs_english")
    with pytest.raises(MissingError, match="pythia-1b"):
        story.one_run(runs, "pythia-1b", **chosen)
