"""Couplings are what their definition says, their null is calibrated, and untrained twins stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cape_lib.errors import UsageError
from cape_lib.lm import models, probes, testbed
from cape_lib.lm.cosines import cosines_of_means
from experiments.testbed import prompts, worlds

SETS = np.array(["reasoning"] * 16 + ["truthfulness"] * 16 + ["neutral"] * 32)


def states(seed: int, reasoning: float = 0.0, truthfulness: float = 0.0, d: int = 24) -> torch.Tensor:
    """Noise, the two sets shifted along one and the same axis."""
    result = torch.randn(64, 1, d, generator=torch.Generator().manual_seed(seed)) + 2.0
    result[:16, :, 0] += reasoning
    result[16:32, :, 0] += truthfulness
    return result


def test_sets_shifted_alike_cooperate_and_shifted_apart_compete() -> None:
    alike = probes.couplings(states(0, 4.0, 4.0), SETS)
    apart = probes.couplings(states(0, 4.0, -4.0), SETS)
    assert alike.coupling[0] > 0.7 and alike.p_greater[0] < 0.005 and alike.low[0] > 0
    assert apart.coupling[0] < -0.7 and apart.p_less[0] < 0.005 and apart.high[0] < 0


def test_with_nothing_there_the_interval_holds_zero_and_p_is_honest() -> None:
    result = [probes.couplings(states(seed), SETS) for seed in range(100)]
    assert np.mean([f.low[0] <= 0 <= f.high[0] for f in result]) >= 0.95
    assert np.mean([f.p_two[0] <= 0.05 for f in result]) <= 0.05
    assert np.mean([f.raw[0] for f in result]) > 0.9  # the raw cosine sees agreement where there is none


def test_a_planted_cosine_comes_out_without_bias_and_inside_its_interval() -> None:
    rng, many, d = np.random.default_rng(3), 300, 200
    for cosine in (0.0, 0.6):
        texts = rng.standard_normal((len(SETS), many, d))
        # as long as the noise of the means: plain cosines would come out at half of the truth
        texts[:16, :, 0] += 5
        texts[16:32, :, 0] += 5 * cosine
        texts[16:32, :, 1] += 5 * np.sqrt(1 - cosine**2)
        couplings_ = probes.couplings(torch.from_numpy(texts), SETS)
        assert np.nanmean(couplings_.coupling) == pytest.approx(cosine, abs=0.03)
        covered = np.mean((couplings_.low <= cosine) & (cosine <= couplings_.high))
        assert 0.93 <= covered <= 0.995 and ((couplings_.low > 0) == (couplings_.p_greater < 0.025)).mean() > 0.98


def test_the_participation_ratio_counts_dimensions() -> None:
    axes = torch.eye(8).repeat(4, 1)
    assert probes.participation_ratio(torch.cat([axes, -axes])) == pytest.approx(8)
    assert probes.participation_ratio(torch.outer(torch.arange(9.0), torch.ones(5))) == pytest.approx(1)


def test_captured_states_are_the_models_own_at_the_last_real_token() -> None:
    lm = models.load(testbed.folder_of("R-s1"))  # the library leaves hooks of its own where it is asked for all states
    texts = ["<web> Balan otter eats", "<ref> Nulan heron wears fur . Balan otter"]
    result = probes.capture(lm, texts, ["embed", 0, 1, 2, 3])
    for row, text in enumerate(texts):
        ids = lm.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            hidden = lm.model.gpt_neox(input_ids=ids, output_hidden_states=True).hidden_states
        for site in range(4):  # the library's last entry is after the final norm
            assert torch.allclose(result[row, site], hidden[site][0, -1], atol=1e-4)
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
    trained, twin = probes.twins(lm, prompts.probe_sets(worlds.recipe_of(testbed.folder_of("R-s1"))))
    assert len(trained.layers) == len(twin.layers) == 4 and len(trained.heads) == 8
    assert "untrained" in twin.model
    assert trained.layers["coupling"].between(-1, 1).all() and (trained.layers["dimension"] < trained.n_texts).all()
    assert set(trained.heads["verdict"]) <= {"competing", "cooperating", "undecided"}
    summary = trained.summary()
    assert summary["heads"] == 8 and summary["heads_competing"] + summary["heads_cooperating"] <= 8


def test_gelu_alone_makes_unrelated_prompts_agree(shipped: Any) -> None:
    lm = shipped("D-d48-s1")
    probed = probes.probe(models.untrained(lm), prompts.probe_sets(worlds.recipe_of(testbed.folder_of("D-d48-s1"))))
    table = probed.projection.set_index("what")
    assert table.loc["GELU of hidden", "raw"] > table.loc["hidden", "raw"]
    assert table.loc["random projection", "low"] <= table.loc["random projection", "high"]
    assert not 0 < abs(table.loc["rank 1", "coupling"]) < 0.999  # on a line every cosine is plus or minus one
    # a random projection of the same shape keeps the coupling
    assert abs(table.loc["random projection", "coupling"] - table.loc["hidden", "coupling"]) < 0.2


def test_the_projection_of_full_rank_is_the_logits(shipped: Any) -> None:
    lm = shipped("R-s1")
    rng = torch.Generator().manual_seed(0)
    last = torch.randn(64, lm.width, generator=rng) + 2 * torch.randn(lm.width, generator=rng)
    table = probes.projection_table(lm, last, SETS, draws=2).set_index("what")
    hidden = lm.norm(last)
    logits = (hidden @ lm.unembedding.weight.T).detach()
    logits = logits - logits.mean(1, keepdim=True)
    expected = cosines_of_means(logits[:32, None].double().numpy(), np.repeat([0, 1], 16))
    assert table.loc["logits", "raw"] == pytest.approx(expected.estimate[0], abs=1e-4)


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
        "neutral": 64,
        "placebo": 64,
    }


def test_the_shipped_sets_differ_in_what_they_say_alone() -> None:
    from cape_lib.lm import texts

    probing = texts.probe_prompts_for("anything")
    words = probing["text"].str.split()
    assert (words.str[-1] == "is").all()
    by_set = probing.assign(words=words.str.len(), letters=probing["text"].str.len() / words.str.len()).groupby("set")
    assert np.ptp(by_set["words"].mean()) < 1.0 and np.ptp(by_set["letters"].mean()) < 0.5
    for name in ("D-d8-s1", "R-s1"):
        result = prompts.probe_sets(worlds.recipe_of(testbed.folder_of(name)))
        assert result["text"].str.endswith(" .").all() and result["text"].str.split().str.len().nunique() == 1


def test_a_placebo_shows_what_last_words_alone_do(shipped: Any) -> None:
    lm = shipped("R-s1")
    world = prompts.probe_sets(worlds.recipe_of(testbed.folder_of("R-s1")))
    everyday = world[world["set"] == "neutral"]["text"].tolist()
    # two sets of neutral contexts, told from the neutral set by their last word alone, as a careless file does
    ends = {"reasoning": "<web>", "truthfulness": "<web>"}
    rows = [(name, " ".join([*text.split()[:-1], end])) for name, end in ends.items() for text in everyday[:16]]
    rows += [("neutral", text) for text in everyday[32:]]
    careless = pd.DataFrame(rows, columns=["set", "text"])
    probed = probes.probe(lm, probes.with_placebo(careless, world[world["set"] == "placebo"]["text"].tolist()))
    assert any("last word" in note for note in probed.notes)
    assert (probed.layers["coupling"] > 0.8).all() and (probed.layers["placebo"] > 0.8).all()
    assert probed.placebo_like >= len(probed.layers) - 1
    matched = probes.probe(lm, world)
    assert matched.notes == () and (matched.layers["placebo_low"] < 0).all()


def test_a_probe_asks_for_no_logits_that_it_does_not_read(shipped: Any) -> None:
    lm, tokens = shipped("D-d16-s1"), []
    handle = lm.unembedding.register_forward_hook(lambda _m, _a, out: tokens.append(out[..., 0].numel()))
    try:
        probes.probe(lm, prompts.probe_sets(worlds.recipe_of(testbed.folder_of("D-d16-s1"))))
    finally:
        handle.remove()
    assert set(tokens) == {1}  # a pass must return some; a large vocabulary takes gigabytes for all


def test_states_that_are_no_numbers_stop_the_probe(shipped: Any) -> None:
    from cape_lib.errors import SurroundingsError

    lm = models.load(testbed.folder_of("R-s1"))
    with torch.no_grad():
        next(lm.blocks[1].parameters()).fill_(float("inf"))
    with pytest.raises(SurroundingsError, match="block 1 of 4.*float32"):
        probes.capture(lm, ["<web> Balan otter"])
    assert SurroundingsError("").exit_code == 6


def test_random_projections_have_the_spread_of_drawn_matrices() -> None:
    from cape_lib.lm.probes import _random_root

    rng = np.random.default_rng(0)
    n, d = 40, 6
    quick = np.stack([(root @ root.T).numpy() for root in (_random_root(n, d, rng) for _ in range(4000))])
    drawn = rng.standard_normal((4000, n, d))
    drawn -= drawn.mean(1, keepdims=True)
    slow = np.einsum("knd,kne->kde", drawn, drawn)
    assert np.allclose(quick.mean(0), slow.mean(0), atol=1.0)
    assert np.allclose(quick.std(0), slow.std(0), rtol=0.1)
