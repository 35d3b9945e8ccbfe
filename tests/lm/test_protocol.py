"""The protocol on planted, learnt and null cases, and its two verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import stats

from cape_lib import tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.lm import models, steering, testbed
from cape_lib.lm.steering import verdicts
from cape_lib.lm.steering.measuring import questions
from cape_lib.lm.steering.verdicts import CLEAN
from cape_lib.stats import Estimate
from experiments.testbed import prompts, trials
from tests.lm.conftest import recipe, reg

# -- verdicts


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_corrected_and_broken_count_every_item_once(pairs: list[tuple[bool, bool]]) -> None:
    before, after = (np.where(np.array(side), 1.0, -1.0) for side in zip(*pairs, strict=True))
    result = verdicts.outcome(before, after, np.arange(len(pairs)).astype(str), resamples=20)
    assert result.n_misaligned + result.n_aligned == len(pairs)
    fixed = sum(not was and now for was, now in pairs)
    assert result.corrected.n == result.n_misaligned
    if result.n_misaligned:
        assert result.corrected.estimate == pytest.approx(fixed / result.n_misaligned)
    assert result.net.estimate == pytest.approx(np.mean([now - was for was, now in pairs]))
    assert 0 < result.mcnemar <= 1


def test_the_claim_is_supported_refuted_or_undecided_by_the_bounds() -> None:
    def made(low: float, high: float, n: int = 40) -> Estimate:
        return Estimate((low + high) / 2, low, high, n, "Wilson")

    assert verdicts.claim_verdict(made(0.7, 0.9), True, 0.6) == "supported"
    assert verdicts.claim_verdict(made(0.7, 0.9), False, 0.6) == "undecided"  # right answers, but controls do it too
    assert verdicts.claim_verdict(made(0.1, 0.5), True, 0.6) == "refuted"
    assert verdicts.claim_verdict(made(0.5, 0.7), True, 0.6) == "undecided"
    assert verdicts.claim_verdict(made(0.0, 1.0, 0), True, 0.6) == "undecided"


def test_a_direction_drawn_like_its_controls_is_rarely_called_an_effect() -> None:
    rng = np.random.default_rng(1)
    topics = np.repeat(np.arange(20), 2).astype(str)
    held = [
        verdicts.effect(right[0], right[1:], topics, resamples=200).holds
        for right in (rng.random((61, 40)) < rng.uniform(0.2, 0.8, (61, 1)) for _ in range(200))
    ]
    assert np.mean(held) <= 0.075  # 5 % and two standard errors


@pytest.mark.parametrize(
    ("right", "controls", "word"),
    [(0.9, 6, "undecided, as 6 controls cannot show one"), (0.5, 6, "no effect"), (0.9, 19, "effect beyond")],
)
def test_a_handful_of_controls_shows_no_effect_and_refutes_none(right: float, controls: int, word: str) -> None:
    mine, others = np.arange(40) < 40 * right, np.tile(np.arange(40) < 20, (controls, 1))
    result = verdicts.effect(mine, others, np.arange(40).astype(str), resamples=200)
    assert result.word.startswith(word) and result.holds == (controls == 19)


def test_the_pooled_lead_is_the_mean_of_the_leads_of_the_runs() -> None:
    runs = tables.load("testbed_trials")
    pooled = trials.pooled(runs)
    assert_frame_equal(pooled, tables.load("testbed_pooled"), check_dtype=False, atol=1e-4, rtol=0)
    own = runs[(runs["case"] == "null: shuffled labels")]
    row = pooled[pooled["case"] == "null: shuffled labels"].iloc[0]
    assert row["over_best"] == pytest.approx(own["over_best"].mean(), abs=1e-4)
    judge = stats.ttest_1samp(own["over_best"], 0).confidence_interval()
    assert (row["over_best_low"], row["over_best_high"]) == pytest.approx((judge.low, judge.high), abs=1e-4)


def test_two_runs_on_one_model_count_once_in_the_pool() -> None:
    runs = tables.load("testbed_trials")
    halves = runs[runs["split"].str.startswith("fitted on") & (runs["contrast"] == "reg")]
    assert len(halves) == 2 * halves["model"].nunique()
    twice = trials.pooled(pd.concat([halves, halves], ignore_index=True)).iloc[0]
    once = trials.pooled(halves).iloc[0]
    assert (twice["over_best_low"], twice["p"]) == (once["over_best_low"], once["p"])


# -- the protocol


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_direction_is_exactly_the_difference_of_two_token_embeddings(shipped: Any, seed: int) -> None:
    lm = shipped(f"D-d48-s{seed}")
    direction = steering.fit_direction(lm, reg(f"D-d48-s{seed}"), "embed", token=prompts.REGISTER_TOKEN)
    weights = lm.model.get_input_embeddings().weight
    ref, web = (weights[lm.tokenizer(word)["input_ids"][-1]] for word in ("<ref>", "<web>"))
    assert torch.allclose(direction.vector, (ref - web).detach(), atol=1e-6)
    # added whole, it makes a web question a question of the reliable register, bit for bit but for rounding
    asked = [prompts.truth_table(recipe(f"D-d48-s{seed}"), register=name)["prompt"].tolist() for name in ("web", "ref")]
    with steering.steered(lm, direction, 1.0, unit="raw", positions=(prompts.REGISTER_TOKEN,)), torch.inference_mode():
        output = models.run(lm, models.encode(lm, asked[0]))
    with torch.inference_mode():
        real = models.run(lm, models.encode(lm, asked[1]))
    assert torch.allclose(output, real, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_planted_direction_is_found_at_its_site_and_position(seed: int) -> None:
    result = trials.run_trial(trials.Trial("planted", f"D-d48-s{seed}", "reg"))
    assert str(result.place) == "embed, token 1" and result.effect.holds
    assert result.base == 0 and result.effect.share > 0.85
    assert result.claim == "supported"


@pytest.mark.slow
@pytest.mark.parametrize("contrast", ["ctx", "reg"])
def test_a_learnt_direction_beats_its_controls(contrast: str) -> None:
    result = trials.run_trial(trials.Trial("learnt", "R-s1", contrast))
    assert result.effect.holds and result.effect.share > 0.9 and result.effect.share > result.effect.best_control
    assert result.claim == "supported"
    assert result.outcome.n_aligned <= 3 and result.outcome.broken.high > 0.5  # almost nothing was right: say the bound
    assert set(result.methods["kind"]) >= {"direction", "negated", *CLEAN}
    # all stay within the budget, as told by stories that were not used to set the strength, and controls spend it
    assert result.cost < 1.5 * result.budget and result.methods["cost"].max() < 2.5 * result.budget
    assert result.methods.loc[result.methods["kind"] == "isotropic", "cost"].mean() > 0.3 * result.budget


@pytest.mark.slow
@pytest.mark.parametrize(
    "trial",
    [
        trials.Trial("null: untrained", "R-s1", "reg", untrained=True),
        trials.Trial("null: below the dip", "D-d12-s1", "reg"),
    ],
    ids=lambda trial: trial.case,
)
def test_nothing_is_found_where_nothing_is(trial: trials.Trial) -> None:
    assert not trials.run_trial(trial).effect.holds


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_nulls_give_at_most_one_effect() -> None:
    nulls = [trial for trial in trials.trials() if trial.case.startswith("null")]
    taken = [trial for number, trial in enumerate(nulls) if number % 3 != 2]
    assert len(taken) == 20 and {trial.case for trial in taken} == {trial.case for trial in nulls}
    held = [trial.name for trial in taken if trials.run_trial(trial).effect.holds]
    assert len(held) <= 1, held


def test_the_protocol_gives_the_same_answer_twice() -> None:
    lm = models.load(testbed.folder_of("D-d8-s1"))
    plan = steering.Plan(controls=5, curve=(0.1,))
    world = recipe("D-d8-s1")
    one, two = (
        steering.evaluate(lm, prompts.truth_table(world), reg("D-d8-s1"), plan, neutral=prompts.neutral(world, n=8))
        for _ in range(2)
    )
    assert one.summary() == two.summary()
    output = one.doses[one.doses["kind"] == "direction"].set_index("dose")
    assert output.loc[0.0, "cost"] == 0 and output.loc[0.0, "right"] == one.base


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on_to_the_same_answer(tmp_path: Path) -> None:
    lm, world = models.load(testbed.folder_of("R-s1")), recipe("R-s1")
    plan = steering.Plan(places=(steering.Place(1),), controls=10, curve=(), all_controls=True)
    rest, blocks = tmp_path / "kept.npz", []

    def run(stop: int | None, plan: Any = plan) -> Any:
        blocks.clear()

        def progress(stage: str, done: int, total: int) -> None:
            assert 0 <= done <= total
            if not blocks or blocks[-1] != stage:
                blocks.append(stage)
            if len(blocks) == stop:
                raise KeyboardInterrupt

        return steering.evaluate(
            lm,
            prompts.truth_table(world),
            reg("R-s1"),
            plan,
            neutral=prompts.neutral(world, n=8),
            resume=rest,
            progress=progress,
        )

    with pytest.raises(KeyboardInterrupt):
        run(3)
    assert len(blocks) == 3 and rest.is_file()
    stopped = blocks[-1]
    again = run(None)
    assert blocks[0] == stopped  # what was done before is not done again
    left = len(blocks)
    rest.unlink()
    assert run(None).summary() == again.summary() and len(blocks) == left + 2
    with pytest.raises(ScoresError, match="another evaluation"):
        run(None, steering.Plan(places=(steering.Place(0),), controls=10, curve=()))


@pytest.mark.slow
def test_no_more_controls_are_run_once_p_is_settled() -> None:
    result = trials.run_trial(trials.Trial("null: untrained", "R-s1", "reg", untrained=True))
    assert result.effect.n_controls == 60  # the trials of the book run them all, as they are pooled
    lm = models.untrained(models.load(testbed.folder_of("R-s1")))
    world = recipe("R-s1")
    plan = steering.Plan(places=(steering.Place(1),), curve=())
    early = steering.evaluate(lm, prompts.truth_table(world), reg("R-s1"), plan, neutral=prompts.neutral(world, n=8))
    assert early.effect.n_controls < early.planned == 60 and not early.effect.holds


def test_a_split_without_items_is_refused(shipped: Any) -> None:
    lm = shipped("R-s1")
    table = prompts.truth_table(recipe("R-s1"))
    with pytest.raises(UsageError, match="'test'"):
        steering.evaluate(lm, table[table["split"] == "tune"], reg("R-s1"), neutral=["<web> Balan otter"])
    with pytest.raises(UsageError, match="true"):
        questions(lm, table.drop(columns="true"))


def test_candidates_are_compared_after_the_same_text() -> None:
    class Merging:
        """A tokenizer that swallows the prompt's last letter when an `x` follows."""

        pad_token_id = 0

        def __call__(self, texts: list[str], verbose: bool = True) -> dict[str, list[list[int]]]:
            return {"input_ids": [[ord(c) for c in text.replace("e x", "X")] for text in texts]}

    from types import SimpleNamespace

    lm: Any = SimpleNamespace(tokenizer=Merging(), context=None, chat=None)
    result = questions(lm, pd.DataFrame({"prompt": ["abcde"], "true": ["y"], "false": ["x"]}))
    assert result.prompts == [[ord(c) for c in "abcd"]]
    assert result.answers == [[[ord(c) for c in "e y"], [ord("X")]]]
