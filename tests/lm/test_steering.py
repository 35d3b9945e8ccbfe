"""Directions and their files, written text, scores of answers, controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm import models, steering, testbed
from cape_lib.lm.steering.measuring import Arm, Cost, answer_scores, margins_of, questions, strengths
from cape_lib.lm.steering.protocol import draw_controls, most_alike
from cape_lib.lm.steering.verdicts import CLEAN
from experiments.testbed import prompts, training, worlds
from tests.lm.conftest import left_behind, recipe, reg

# -- directions


def test_a_direction_leads_from_negative_to_positive_texts(shipped: Any) -> None:
    lm, pairs = shipped("R-s1"), reg("R-s1")
    direction = steering.fit_direction(lm, pairs, 1)
    assert direction.held_out == 1.0 and direction.reliability > 0.8 and direction.n_pairs == len(pairs)
    assert direction.norm == pytest.approx(float(direction.vector.norm()))
    assert not direction.warnings
    other = steering.fit_direction(lm, pairs.rename(columns={"positive": "negative", "negative": "positive"}), 1)
    assert torch.allclose(other.vector, -direction.vector) and other.pairs != direction.pairs


def test_a_direction_of_nothing_is_warned_about(shipped: Any) -> None:
    lm = shipped("R-s1")
    rng = np.random.default_rng(0)
    texts = prompts.neutral(recipe("R-s1"), n=16)
    pairs = pd.DataFrame({"positive": rng.permutation(texts[:8]), "negative": texts[8:]})
    assert len(steering.fit_direction(lm, pairs, 2).warnings) >= 2


def test_units_of_strength_mean_what_they_say(shipped: Any) -> None:
    direction = steering.fit_direction(shipped("R-s1"), reg("R-s1"), 1)
    assert float(direction.step(2, "std").norm()) == pytest.approx(2 * direction.std, rel=1e-5)
    assert float(direction.step(-0.5, "residual").norm()) == pytest.approx(0.5 * direction.residual, rel=1e-5)
    assert torch.allclose(direction.step(1, "raw"), direction.vector)


@pytest.mark.parametrize("alpha", [float("nan"), float("inf"), "2", None])
def test_a_strength_that_is_no_finite_number_is_refused(shipped: Any, alpha: Any) -> None:
    direction = steering.fit_direction(shipped("R-s1"), reg("R-s1"), 1)
    with pytest.raises(UsageError, match="finite"):
        direction.step(alpha)


@pytest.mark.parametrize("layer", [4, -5, 99])
def test_a_layer_that_is_not_there_is_refused_before_anything_is_read(shipped: Any, layer: int) -> None:
    lm = shipped("R-s1")
    with pytest.raises(UsageError, match="out of range"):
        steering.fit_direction(lm, reg("R-s1"), layer)
    plan = steering.Plan(places=(steering.Place(layer),))
    with pytest.raises(UsageError, match="out of range"):
        steering.evaluate(lm, prompts.truth_table(recipe("R-s1")), reg("R-s1"), plan, neutral=["<web> Balan otter"])


def test_fewer_than_four_pairs_are_refused(shipped: Any) -> None:
    with pytest.raises(UsageError, match="at least 4"):
        steering.fit_direction(shipped("R-s1"), reg("R-s1").head(3), 1)


def test_a_direction_survives_the_disk_and_fits_its_model_only(shipped: Any, tmp_path: Path) -> None:
    lm = shipped("R-s1")
    direction = steering.fit_direction(lm, reg("R-s1"), 3)
    steering.save(direction, tmp_path / "d.safetensors")
    again = steering.load(tmp_path / "d.safetensors", lm)
    assert torch.equal(again.vector, direction.vector)
    assert {k: v for k, v in vars(again).items() if k != "vector"} == {
        k: v for k, v in vars(direction).items() if k != "vector"
    }
    with pytest.raises(UsageError, match="width"):
        steering.load(tmp_path / "d.safetensors", shipped("D-d16-s1"))
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(models.ModelError, match="no direction"):
        steering.load(tmp_path / "junk.safetensors")
    with pytest.raises(models.ModelError, match="no such file"):
        steering.load(tmp_path / "missing.safetensors")
    with pytest.raises(SurroundingsError):
        steering.save(direction, tmp_path / "no" / "such" / "folder" / "d.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.safetensors", "junk.safetensors"]


# -- written text


def test_strength_zero_writes_the_unsteered_text_also_when_sampling(shipped: Any) -> None:
    lm = shipped("R-s1")
    direction = steering.fit_direction(lm, reg("R-s1"), 1)
    asked = prompts.truth_table(recipe("R-s1"))["prompt"].tolist()[:12]
    changed = {}
    for sampling in ("greedy", "paired", "independent"):
        table = steering.compare(lm, asked, [direction], [0.0], steering.Writing(tokens=12, sampling=sampling))
        changed[sampling] = table.loc[table["direction"] != "none", "changed"].mean()
    assert changed["greedy"] == changed["paired"] == 0
    assert changed["independent"] > 0.8  # a changed text is no correction: nothing was steered


def test_every_arm_of_every_prompt_is_written_and_agrees_with_one_alone(shipped: Any) -> None:
    lm = shipped("R-s1")
    result = [steering.fit_direction(lm, reg("R-s1"), layer, name=f"layer {layer}") for layer in (0, 2)]
    asked = prompts.truth_table(recipe("R-s1"))["prompt"].tolist()[:5]
    writing = steering.Writing(tokens=8, rows=7, positions="last")  # does not divide the arms
    table = steering.compare(lm, asked, result, [-2.0, 2.0], writing)
    assert len(table) == 5 * (1 + 2 * 2)
    for row in table[table["direction"] != "none"].sample(4, random_state=0).itertuples():
        direction = next(d for d in result if d.name == row.direction)
        with steering.steered(lm, direction, row.alpha, positions="last"):
            batch = models.encode(lm, [row.prompt])
            out = lm.model.generate(
                input_ids=batch.ids, attention_mask=batch.mask, max_new_tokens=8, do_sample=False, pad_token_id=0
            )
        assert lm.tokenizer.decode(out[0, batch.ids.shape[1] :], skip_special_tokens=True) == row.text


def test_text_that_cannot_be_written_is_refused(shipped: Any) -> None:
    lm = shipped("R-s1")
    direction = steering.fit_direction(lm, reg("R-s1"), 1)
    for bad in ([], [" "], ["<web> " + "Balan otter eats plums . " * 20]):
        with pytest.raises(UsageError):
            steering.compare(lm, bad, [direction], [1.0])
    with pytest.raises(UsageError, match="finite"):
        steering.compare(lm, ["<web> Balan"], [direction], [float("nan")])
    with pytest.raises(UsageError, match="positions"):
        steering.Writing(positions="first")
    with pytest.raises(UsageError, match="sampling"):
        steering.Writing(sampling="hot")
    assert not left_behind(lm.model)


# -- scores


def test_answers_score_as_the_testbed_scores_them(shipped: Any) -> None:
    lm = shipped("D-d16-s1")
    table = prompts.truth_table(recipe("D-d16-s1"), register="ask")
    mine = answer_scores(lm, questions(lm, table), [Arm(torch.zeros(lm.width), "embed")]).total[0]
    theirs = training.choose(lm.model, prompts.truth_items(worlds.build(recipe("D-d16-s1"))))
    assert np.allclose(mine, theirs, atol=1e-4)


def test_long_answers_are_scored_a_token_and_steered_at_the_right_place(shipped: Any) -> None:
    lm = shipped("D-d16-s1")
    table = pd.DataFrame(
        {
            "prompt": ["<web> Balan", "<web> Kelan eats plums . Balan"],
            "true": ["eats plums .", "eats"],
            "false": ["eats", "eats nuts ."],
        }
    )
    delta = torch.randn(lm.width, generator=torch.Generator().manual_seed(0))
    scores = answer_scores(lm, questions(lm, table), [Arm(torch.zeros(lm.width), 0), Arm(delta, 0)])
    result = scores.total / scores.tokens
    for arm, vector in enumerate((torch.zeros(lm.width), delta)):
        for item, row in table.iterrows():
            for column, name in enumerate(("true", "false")):
                ids = lm.tokenizer(f"{row['prompt']} {row[name]}", return_tensors="pt")["input_ids"]
                start = len(lm.tokenizer(row["prompt"])["input_ids"])
                with (
                    torch.inference_mode(),
                    steering.applying.added(lm, {0: vector}, positions="last", prompt_length=start),
                ):
                    scores = lm.model(input_ids=ids[:, :-1]).logits[0, start - 1 :].log_softmax(-1)
                expected = scores.gather(1, ids[0, start:, None]).mean()
                assert result[arm, int(item), column] == pytest.approx(float(expected), abs=1e-4)  # type: ignore[call-overload]


@pytest.mark.parametrize("positions", ["all", "last", "prompt", "generated", (1,), (-1,)])
def test_answers_score_alike_with_cached_questions_and_without(shipped: Any, positions: Any) -> None:
    from cape_lib.lm.steering import measuring

    lm = shipped("D-d16-s1")
    table = pd.DataFrame(
        {
            "prompt": ["<web> Balan", "<web> Kelan", "<web> Kelan eats plums . Balan"],
            "true": ["eats plums .", "eats", "eats plums"],
            "true2": ["", "eats nuts", "fears"],
            "false": ["eats", "eats nuts .", "eats nuts ."],
        }
    )
    rng = torch.Generator().manual_seed(0)
    arms = [Arm(torch.randn(lm.width, generator=rng) * size, 0, positions) for size in (0.0, 1.0, 2.0)]
    asked = questions(lm, table)
    cached = answer_scores(lm, asked, arms)
    small = answer_scores(lm, asked, arms, batch=7)  # rows and arms are split
    measuring._KNOWN[lm.model] = measuring.Kind(keys=False, positions=False, linear=False)
    try:
        whole = answer_scores(lm, asked, arms)
    finally:
        del measuring._KNOWN[lm.model]
    assert np.allclose(cached.total, whole.total, atol=1e-4, equal_nan=True)
    assert np.allclose(cached.total, small.total, atol=1e-4, equal_nan=True)
    assert cached.right.sum(1).tolist() == [1, 2, 2] and not np.allclose(
        cached.total[0], cached.total[2], equal_nan=True
    )


def test_asking_the_nearest_wrong_answer_first_changes_no_verdict(shipped: Any) -> None:
    lm = shipped("R-s1")
    asked = questions(lm, prompts.truth_table(recipe("R-s1")))
    rng = torch.Generator().manual_seed(1)
    arms = [Arm(size * torch.randn(lm.width, generator=rng), 1) for size in (0.0, 0.3, 1.0, 3.0)]
    scores = answer_scores(lm, asked, arms)
    whole, quick = scores.margins(), margins_of(lm, asked, scores.rivals(), arms)
    assert (whole > 0).tolist() == (quick > 0).tolist() and 0 < (whole > 0).mean() < 1
    assert np.allclose(whole[whole > 0], quick[whole > 0], atol=1e-4)


def test_mc1_and_mc2_are_what_was_published() -> None:
    from cape_lib.lm.steering.measuring import Scores

    total = np.log(np.array([[[0.2, 0.3, 0.1, np.nan], [0.1, 0.4, 0.2, 0.3]]]))
    right = np.array([[True, True, False, False], [True, False, False, False]])
    result = Scores(total, np.array([[1.0, 1, 1, np.nan], [1, 4, 1, 1]]), right)
    assert result.mc1().tolist() == [[True, False]]
    assert np.allclose(result.mc2(), [[5 / 6, 0.1]])
    assert np.allclose(result.margins()[0, 0], np.log(2)) and result.margins()[0, 1] < 0


def test_cost_is_zero_without_steering_and_grows_with_strength(shipped: Any) -> None:
    lm = shipped("R-s1")
    direction = steering.fit_direction(lm, reg("R-s1"), 1)
    cost = Cost(lm, prompts.neutral(recipe("R-s1"), n=8))([Arm(direction.step(a), 1) for a in (0.0, 0.5, 2.0)])
    assert cost[0] == 0 and 0 < cost[1] < cost[2]


def test_strengths_of_one_cost_cost_as_much(shipped: Any) -> None:
    lm = shipped("R-s1")
    cost = Cost(lm, prompts.neutral(recipe("R-s1"), n=8))
    rng = torch.Generator().manual_seed(1)
    vectors = [torch.randn(lm.width, generator=rng) for _ in range(6)]

    def arm(k: int, strength: float) -> Arm:
        return Arm(strength * vectors[k] / vectors[k].norm(), 1)

    result = strengths(cost, arm, np.ones(6), np.full(6, 200.0), [0.03, 0.3])
    reached = np.array([[cost([arm(k, result[k, level])])[0] for level in range(2)] for k in range(6)])
    assert np.allclose(reached[:, 1], 0.3, rtol=0.15) and np.allclose(reached[:, 0], 0.03, rtol=0.4)
    assert np.ptp(result[:, 1]) > 0.2 * result[:, 1].mean()  # equal cost is not equal length


def test_a_strength_beyond_all_measure_and_weights_in_float16_stop(shipped: Any) -> None:
    lm = shipped("R-s1")
    direction = steering.fit_direction(lm, reg("R-s1"), 1)
    with pytest.raises(SurroundingsError, match="block 1.*float32"):
        direction.step(1e30)
    broken = models.load(testbed.folder_of("R-s1"))
    with torch.no_grad():
        broken.blocks[2].mlp.dense_4h_to_h.bias.fill_(float("nan"))
    for run in (
        lambda: steering.compare(broken, ["<web> Balan otter"], [direction], [1.0], any_model=True),
        lambda: answer_scores(
            broken, questions(broken, prompts.truth_table(recipe("R-s1"))[:3]), [Arm(direction.vector, 0)]
        ),
        lambda: Cost(broken, prompts.neutral(recipe("R-s1"), n=2)),
    ):
        with pytest.raises(SurroundingsError, match="block 2 of 4.*float32"):
            run()
    assert not left_behind(broken.model)


def test_a_direction_steers_the_model_it_was_fitted_on(shipped: Any) -> None:
    direction = steering.fit_direction(shipped("R-s1"), reg("R-s1"), 1)
    other = shipped("R-s2")
    with pytest.raises(UsageError, match="R-s1.*--any-model"):
        steering.compare(other, ["<web> Balan otter"], [direction], [1.0])
    steering.compare(other, ["<web> Balan otter"], [direction], [1.0], steering.Writing(tokens=2), any_model=True)


def test_controls_are_as_long_as_the_direction_and_the_clean_ones_do_not_contain_it() -> None:
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.standard_normal((2, 40, 3, 64))).float()
    shift = torch.zeros(64)
    shift[0] = 6
    positive, negative = noise[0] + shift, noise[1]
    direction = (positive - negative).mean(0)
    drawn = draw_controls(positive, negative, direction, each=20, rng=rng)
    for method in drawn:
        assert torch.allclose(method.vectors.norm(dim=-1), direction.norm(dim=-1), rtol=1e-4)
    cosine = {
        kind: np.mean([m.cosine.abs().mean() for m in drawn if m.kind == kind]) for kind in {m.kind for m in drawn}
    }
    assert all(cosine[kind] < 0.3 for kind in CLEAN)
    # two classes that differ in one wide direction: shuffles hold much of it, and none nearer than the limit is kept
    positive, negative = (
        noise[0] * torch.tensor([30.0] + [1.0] * 63) + shift,
        noise[1] * torch.tensor([30.0] + [1.0] * 63),
    )
    crowded = draw_controls(positive, negative, (positive - negative).mean(0), each=10, rng=rng, kinds=CLEAN)[1:]
    assert max(float(m.cosine.abs().max()) for m in crowded) <= most_alike(64) + 1e-5
    assert sum(m.left_out for m in crowded) > 0
    assert cosine["total covariance"] > 2 * cosine["within-class"] and cosine["negated"] == 1
