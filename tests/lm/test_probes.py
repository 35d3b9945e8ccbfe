"""Couplings are what their definition says, their null is calibrated, and untrained twins stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from cape_lib.errors import UsageError
from cape_lib.lm import models, probes
from cape_lib.lm.probes.coupling import false_discovery
from cape_lib.lm.testbed import prompts, store

SETS = np.array(["reasoning"] * 16 + ["truthfulness"] * 16 + ["neutral"] * 32)


def states(seed: int, reasoning: float = 0.0, truthfulness: float = 0.0, d: int = 24) -> torch.Tensor:
    """Noise, the two sets shifted along one and the same axis."""
    made = torch.randn(64, 1, d, generator=torch.Generator().manual_seed(seed)) + 2.0
    made[:16, :, 0] += reasoning
    made[16:32, :, 0] += truthfulness
    return made


def test_sets_shifted_alike_cooperate_and_shifted_apart_compete() -> None:
    alike = probes.couplings(states(0, 4.0, 4.0), SETS, permutations=199)
    apart = probes.couplings(states(0, 4.0, -4.0), SETS, permutations=199)
    assert alike.coupling[0] > 0.7 and alike.p_greater[0] == pytest.approx(0.005) and alike.low[0] > 0
    assert apart.coupling[0] < -0.7 and apart.p_less[0] == pytest.approx(0.005) and apart.high[0] < 0


def test_with_nothing_there_the_coupling_is_around_zero_and_p_is_honest() -> None:
    found = [probes.couplings(states(seed), SETS, permutations=99, resamples=2) for seed in range(100)]
    assert abs(np.mean([f.coupling[0] for f in found])) < 0.08
    assert np.mean([f.p_two[0] <= 0.05 for f in found]) <= 0.11
    assert np.mean([f.raw[0] for f in found]) > 0.9  # the raw cosine sees agreement where there is none


def test_one_neutral_set_for_both_would_make_a_coupling_out_of_nothing() -> None:
    cosines = []
    for seed in range(50):
        made = states(seed)[:, 0]
        neutral = made[32:48].mean(0)
        cosines.append(
            float(
                torch.nn.functional.cosine_similarity(made[:16].mean(0) - neutral, made[16:32].mean(0) - neutral, dim=0)
            )
        )
    assert np.mean(cosines) > 0.4


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_the_adjusted_p_is_benjamini_and_hochbergs(p: list[float]) -> None:
    assert np.allclose(false_discovery(np.array(p)), false_discovery_control(p))


def test_the_participation_ratio_counts_dimensions() -> None:
    axes = torch.eye(8).repeat(4, 1)
    assert probes.participation_ratio(torch.cat([axes, -axes])) == pytest.approx(8)
    assert probes.participation_ratio(torch.outer(torch.arange(9.0), torch.ones(5))) == pytest.approx(1)


def test_captured_states_are_the_models_own_at_the_last_real_token() -> None:
    lm = models.load(store.folder_of("R-s1"))  # the library leaves hooks of its own where it is asked for all states
    texts = ["<web> Balan otter eats", "<ref> Nulan heron wears fur . Balan otter"]
    found = probes.capture(lm, texts, ["embed", 0, 1, 2, 3])
    for row, text in enumerate(texts):
        ids = lm.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            hidden = lm.model.gpt_neox(input_ids=ids, output_hidden_states=True).hidden_states
        for site in range(4):  # the library's last entry is after the final norm
            assert torch.allclose(found[row, site], hidden[site][0, -1], atol=1e-4)
    first = probes.capture(lm, texts, [0], token=1)
    assert not torch.allclose(first[0], first[1])
    with pytest.raises(UsageError, match="token 9"):
        probes.capture(lm, texts, [0], token=9)


def test_heads_side_by_side_are_what_the_mixer_reads(shipped: Any) -> None:
    lm = shipped("R-s1")
    whole, heads = probes.capture_with_heads(lm, ["<web> Balan otter eats", "<ref> Nulan heron"])
    assert sorted(heads) == [0, 1, 2, 3] and heads[0].shape == (2, 2, 16)
    assert torch.allclose(whole, probes.capture(lm, ["<web> Balan otter eats", "<ref> Nulan heron"]), atol=1e-5)


def test_a_probe_has_a_row_for_every_block_and_head_beside_its_untrained_twin(shipped: Any) -> None:
    lm = shipped("R-s1")
    trained, twin = probes.twins(lm, prompts.probe_sets(store.recipe_of(store.folder_of("R-s1"))), permutations=99)
    assert len(trained.layers) == len(twin.layers) == 4 and len(trained.heads) == 8
    assert "untrained" in twin.model
    assert trained.layers["coupling"].between(-1, 1).all() and (trained.layers["dimension"] < trained.n_texts).all()
    assert set(trained.heads["verdict"]) <= {"competing", "cooperating", "undecided"}
    summary = trained.summary()
    assert summary["heads"] == 8 and summary["heads_competing"] + summary["heads_cooperating"] <= 8


def test_gelu_alone_makes_unrelated_prompts_agree(shipped: Any) -> None:
    lm = shipped("D-d48-s1")
    made = probes.probe(
        models.untrained(lm), prompts.probe_sets(store.recipe_of(store.folder_of("D-d48-s1"))), permutations=19
    )
    table = made.projection.set_index("what")
    assert table.loc["GELU of hidden", "raw"] > table.loc["hidden", "raw"]
    assert table.loc["random projection", "low"] <= table.loc["random projection", "high"]
    assert np.isclose(table.loc["rank 1", "coupling"] ** 2, 1) or abs(table.loc["rank 1", "coupling"]) < 1
    # a random projection of the same shape keeps the coupling
    assert abs(table.loc["random projection", "coupling"] - table.loc["hidden", "coupling"]) < 0.15


def test_the_projection_of_full_rank_is_the_logits(shipped: Any) -> None:
    lm = shipped("R-s1")
    rng = torch.Generator().manual_seed(0)
    last = torch.randn(64, lm.width, generator=rng)
    table = probes.projection_table(lm, last, SETS, draws=2).set_index("what")
    hidden = lm.norm(last)
    logits = (hidden @ lm.unembedding.weight.T).detach()
    logits = logits - logits.mean(1, keepdim=True)
    a, b = logits[:16].mean(0), logits[16:32].mean(0)
    assert table.loc["logits", "raw"] == pytest.approx(
        float(torch.nn.functional.cosine_similarity(a, b, dim=0)), abs=1e-4
    )


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"text": ["a"]}, "set"),
        ({"set": ["reasoning"], "text": ["a"]}, "too few"),
        ({"set": ["neutral"] * 9, "text": ["a"] * 9}, "reasoning"),
    ],
)
def test_prompts_that_lack_a_set_are_refused(frame: dict[str, list[str]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        probes.check_prompts(pd.DataFrame(frame))


def test_shipped_prompts_and_questions_are_complete() -> None:
    from cape_lib.lm import texts

    asked = texts.items_for("anything")
    assert len(asked) == asked["prompt"].nunique() == 80 and (asked["true"] != asked["false"]).all()
    assert asked.groupby("topic")["split"].nunique().max() == 1  # no topic in two splits
    probing = texts.probe_prompts_for("anything")
    assert probing["text"].is_unique and probing["set"].value_counts().to_dict() == {
        "reasoning": 32,
        "truthfulness": 32,
        "neutral": 32,
    }


def test_random_projections_have_the_spread_of_drawn_matrices() -> None:
    from cape_lib.lm.probes.projection import _random_root

    rng = np.random.default_rng(0)
    n, d = 40, 6
    quick = np.stack([(root @ root.T).numpy() for root in (_random_root(n, d, rng) for _ in range(4000))])
    drawn = rng.standard_normal((4000, n, d))
    drawn -= drawn.mean(1, keepdims=True)
    slow = np.einsum("knd,kne->kde", drawn, drawn)
    assert np.allclose(quick.mean(0), slow.mean(0), atol=1.0)
    assert np.allclose(quick.std(0), slow.std(0), rtol=0.1)
