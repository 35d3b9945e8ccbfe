"""Directions, written text, the protocol on planted, learnt and null cases, and its two verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm import models, steering
from cape_lib.lm.steering import verdicts
from cape_lib.lm.steering.controls import CLEAN, draw_controls
from cape_lib.lm.steering.measuring import Arm, answer_scores, divergence, margins, questions
from cape_lib.lm.testbed import items as world_items
from cape_lib.lm.testbed import prompts, scoring, store, trials, worlds
from cape_lib.resampling import Estimate
from tests.lm.conftest import left_behind


def recipe(name: str) -> Any:
    return store.recipe_of(store.folder_of(name))


def reg(name: str) -> pd.DataFrame:
    return prompts.contrast(recipe(name), "reg")


# -- directions


def test_a_direction_leads_from_negative_to_positive_texts(shipped: Any) -> None:
    lm, pairs = shipped("R-s1"), reg("R-s1")
    found = steering.fit_direction(lm, pairs, 1)
    assert found.held_out == 1.0 and found.split_half > 0.8 and found.n_pairs == len(pairs)
    assert found.norm == pytest.approx(float(found.vector.norm()))
    assert not found.warnings
    other = steering.fit_direction(lm, pairs.rename(columns={"positive": "negative", "negative": "positive"}), 1)
    assert torch.allclose(other.vector, -found.vector) and other.pairs != found.pairs


def test_a_direction_of_nothing_is_warned_about(shipped: Any) -> None:
    lm = shipped("R-s1")
    rng = np.random.default_rng(0)
    texts = prompts.neutral(recipe("R-s1"), n=16)
    pairs = pd.DataFrame({"positive": rng.permutation(texts[:8]), "negative": texts[8:]})
    assert len(steering.fit_direction(lm, pairs, 2).warnings) >= 2


def test_units_of_strength_mean_what_they_say(shipped: Any) -> None:
    found = steering.fit_direction(shipped("R-s1"), reg("R-s1"), 1)
    assert float(found.step(2, "std").norm()) == pytest.approx(2 * found.std, rel=1e-5)
    assert float(found.step(-0.5, "residual").norm()) == pytest.approx(0.5 * found.residual, rel=1e-5)
    assert torch.allclose(found.step(1, "raw"), found.vector)


@pytest.mark.parametrize("alpha", [float("nan"), float("inf"), "2", None])
def test_a_strength_that_is_no_finite_number_is_refused(shipped: Any, alpha: Any) -> None:
    found = steering.fit_direction(shipped("R-s1"), reg("R-s1"), 1)
    with pytest.raises(UsageError, match="finite"):
        found.step(alpha)


def test_fewer_than_four_pairs_are_refused(shipped: Any) -> None:
    with pytest.raises(UsageError, match="at least 4"):
        steering.fit_direction(shipped("R-s1"), reg("R-s1").head(3), 1)


def test_a_direction_survives_the_disk_and_fits_its_model_only(shipped: Any, tmp_path: Path) -> None:
    lm = shipped("R-s1")
    found = steering.fit_direction(lm, reg("R-s1"), 3)
    steering.save(found, tmp_path / "d.safetensors")
    again = steering.load(tmp_path / "d.safetensors", lm)
    assert torch.equal(again.vector, found.vector)
    assert {k: v for k, v in vars(again).items() if k != "vector"} == {
        k: v for k, v in vars(found).items() if k != "vector"
    }
    with pytest.raises(UsageError, match="width"):
        steering.load(tmp_path / "d.safetensors", shipped("D-d16-s1"))
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(models.ModelError, match="no direction"):
        steering.load(tmp_path / "junk.safetensors")
    with pytest.raises(models.ModelError, match="no such file"):
        steering.load(tmp_path / "missing.safetensors")
    with pytest.raises(SurroundingsError):
        steering.save(found, tmp_path / "no" / "such" / "folder" / "d.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.safetensors", "junk.safetensors"]


# -- written text


def test_strength_zero_writes_the_unsteered_text_also_when_sampling(shipped: Any) -> None:
    lm = shipped("R-s1")
    found = steering.fit_direction(lm, reg("R-s1"), 1)
    asked = prompts.truth_table(recipe("R-s1"))["prompt"].tolist()[:12]
    changed = {}
    for sampling in ("greedy", "paired", "independent"):
        table = steering.compare(lm, asked, [found], [0.0], steering.Writing(tokens=12, sampling=sampling))
        changed[sampling] = table.loc[table["direction"] != "none", "changed"].mean()
    assert changed["greedy"] == changed["paired"] == 0
    assert changed["independent"] > 0.8  # a changed text is no correction: nothing was steered


def test_every_arm_of_every_prompt_is_written_and_agrees_with_one_alone(shipped: Any) -> None:
    lm = shipped("R-s1")
    found = [steering.fit_direction(lm, reg("R-s1"), layer, name=f"layer {layer}") for layer in (0, 2)]
    asked = prompts.truth_table(recipe("R-s1"))["prompt"].tolist()[:5]
    writing = steering.Writing(tokens=8, rows=7, positions="last")  # does not divide the arms
    table = steering.compare(lm, asked, found, [-2.0, 2.0], writing)
    assert len(table) == 5 * (1 + 2 * 2)
    for row in table[table["direction"] != "none"].sample(4, random_state=0).itertuples():
        direction = next(d for d in found if d.name == row.direction)
        with steering.steered(lm, direction, row.alpha, positions="last"):
            batch = models.encode(lm, [row.prompt])
            out = lm.model.generate(
                input_ids=batch.ids, attention_mask=batch.mask, max_new_tokens=8, do_sample=False, pad_token_id=0
            )
        assert lm.tokenizer.decode(out[0, batch.ids.shape[1] :], skip_special_tokens=True) == row.text


def test_text_that_cannot_be_written_is_refused(shipped: Any) -> None:
    lm = shipped("R-s1")
    found = steering.fit_direction(lm, reg("R-s1"), 1)
    for bad in ([], [" "], ["<web> " + "Balan otter eats plums . " * 20]):
        with pytest.raises(UsageError):
            steering.compare(lm, bad, [found], [1.0])
    with pytest.raises(UsageError, match="finite"):
        steering.compare(lm, ["<web> Balan"], [found], [float("nan")])
    with pytest.raises(UsageError, match="positions"):
        steering.Writing(positions="first")
    with pytest.raises(UsageError, match="sampling"):
        steering.Writing(sampling="hot")
    assert not left_behind(lm.model)


# -- scores


def test_answers_score_as_the_testbed_scores_them(shipped: Any) -> None:
    lm = shipped("D-d16-s1")
    table = prompts.truth_table(recipe("D-d16-s1"), register="ask")
    mine = answer_scores(lm, questions(lm, table), [Arm(torch.zeros(lm.width), "embed")])[0]
    theirs = scoring.choose(lm.model, world_items.truth_items(worlds.build(recipe("D-d16-s1"))))
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
    found = answer_scores(lm, questions(lm, table), [Arm(torch.zeros(lm.width), 0), Arm(delta, 0)])
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
                assert found[arm, int(item), column] == pytest.approx(float(expected), abs=1e-4)  # type: ignore[call-overload]


def test_cost_is_zero_without_steering_and_grows_with_strength(shipped: Any) -> None:
    lm = shipped("R-s1")
    found = steering.fit_direction(lm, reg("R-s1"), 1)
    cost = divergence(lm, prompts.neutral(recipe("R-s1"), n=8), [Arm(found.step(a), 1) for a in (0.0, 0.5, 2.0)])
    assert cost[0] == 0 and 0 < cost[1] < cost[2]


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
    assert cosine["total covariance"] > 2 * cosine["within-class"] and cosine["negated"] == 1


# -- verdicts


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_corrected_and_broken_count_every_item_once(pairs: list[tuple[bool, bool]]) -> None:
    before, after = (np.where(np.array(side), 1.0, -1.0) for side in zip(*pairs, strict=True))
    made = verdicts.outcome(before, after, np.arange(len(pairs)).astype(str), resamples=20)
    assert made.n_misaligned + made.n_aligned == len(pairs)
    fixed = sum(not was and now for was, now in pairs)
    assert made.corrected.n == made.n_misaligned
    if made.n_misaligned:
        assert made.corrected.estimate == pytest.approx(fixed / made.n_misaligned)
    assert made.net.estimate == pytest.approx(np.mean([now - was for was, now in pairs]))
    assert 0 < made.mcnemar <= 1


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


def test_pooling_models_keeps_their_controls_and_topics_apart() -> None:
    rng = np.random.default_rng(2)
    rights = [rng.random(30) < 0.7 for _ in range(5)]
    controls = [rng.random((60, 30)) < 0.4 for _ in range(5)]
    pooled = steering.pooled_effect(rights, controls, [np.arange(30).astype(str)] * 5)
    assert pooled.n_controls == 60 and pooled.holds
    assert pooled.share == pytest.approx(np.mean(rights))


# -- the protocol


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_planted_direction_is_found_at_its_site_and_position(seed: int) -> None:
    made = trials.run_trial(trials.Trial("planted", f"D-d48-s{seed}", "reg"))
    assert str(made.place) == "embed, token 1" and made.effect.holds
    assert made.base == 0 and made.effect.share > 0.85
    assert made.claim == "supported"


@pytest.mark.parametrize("contrast", ["ctx", "reg"])
def test_a_learnt_direction_beats_its_controls(contrast: str) -> None:
    made = trials.run_trial(trials.Trial("learnt", "R-s1", contrast))
    assert made.effect.holds and made.effect.share > 0.9 and made.effect.share > made.effect.best_control
    assert made.claim == "supported"
    assert made.outcome.n_aligned <= 3 and made.outcome.broken.high > 0.5  # almost nothing was right: say the bound
    direction = made.doses[made.doses["kind"] == "direction"].set_index("dose")
    assert direction.loc[0.0, "kl"] == 0 and direction.loc[0.0, "right"] == made.base
    assert set(made.methods["kind"]) >= {"direction", "negated", *CLEAN}


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
    taken = [trial for number, trial in enumerate(nulls) if number % 2 == 0][:20]
    assert len(taken) == 20 and {trial.case for trial in taken} == {trial.case for trial in nulls}
    held = [trial.name for trial in taken if trials.run_trial(trial).effect.holds]
    assert len(held) <= 1, held


def test_the_protocol_gives_the_same_answer_twice() -> None:
    lm = models.load(store.folder_of("D-d8-s1"))
    plan = steering.Plan(controls=5, curve=(0.0, 1.0))
    one, two = (steering.evaluate(lm, prompts.truth_table(recipe("D-d8-s1")), reg("D-d8-s1"), plan) for _ in range(2))
    assert one.summary() == two.summary()


def test_a_split_without_items_is_refused(shipped: Any) -> None:
    lm = shipped("R-s1")
    table = prompts.truth_table(recipe("R-s1"))
    with pytest.raises(UsageError, match="'test'"):
        steering.evaluate(lm, table[table["split"] == "tune"], reg("R-s1"))
    with pytest.raises(UsageError, match="true"):
        questions(lm, table.drop(columns="true"))
    assert margins(np.array([[[0.0, -1.0, np.nan]]]))[0, 0] == 1.0


def test_candidates_are_compared_after_the_same_text() -> None:
    class Merging:
        """A tokenizer that swallows the prompt's last letter when an `x` follows."""

        pad_token_id = 0

        def __call__(self, texts: list[str], verbose: bool = True) -> dict[str, list[list[int]]]:
            return {"input_ids": [[ord(c) for c in text.replace("e x", "X")] for text in texts]}

    from types import SimpleNamespace

    lm: Any = SimpleNamespace(tokenizer=Merging(), context=None)
    made = questions(lm, pd.DataFrame({"prompt": ["abcde"], "true": ["y"], "false": ["x"]}))
    assert made.prompts == [[ord(c) for c in "abcd"]]
    assert made.answers == [[[ord(c) for c in "e y"], [ord("X")]]]
