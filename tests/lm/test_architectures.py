"""Blocks are found, read and steered in every architecture, at just the positions asked for, in all ways of running."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch

from cape_lib.errors import UsageError
from cape_lib.lm import models
from cape_lib.lm.models.running import encode_rows, watched
from cape_lib.lm.steering.applying import added
from cape_lib.lm.steering.measuring import Arm, Questions, answer_scores
from tests.lm.architectures import ALL, MORE, QUICK, VOCABULARY, build
from tests.lm.conftest import left_behind, tiny_tokenizer

EVERY = [pytest.param(kind, marks=[pytest.mark.slow] if kind in MORE else []) for kind in ALL]
#: reads the padding, whatever the mask says
UNMASKED = {"rwkv"}
PROMPT = [2, 9, 41, 53, 60]


@lru_cache(maxsize=8)
def wrapped(kind: str) -> models.LanguageModel:
    return models.wrap(build(kind), tiny_tokenizer(), name=kind)


def vector(lm: models.LanguageModel, size: float = 0.5, seed: int = 0) -> torch.Tensor:
    return size * torch.randn(lm.width, generator=torch.Generator().manual_seed(seed))


def logits(lm: models.LanguageModel, rows: list[list[int]]) -> torch.Tensor:
    with torch.inference_mode():
        return models.run(lm, encode_rows(lm, rows)).float()


def test_at_least_forty_architectures_are_tried_and_twenty_in_the_quick_run() -> None:
    assert len(ALL) >= 40 and len(QUICK) >= 20


@pytest.mark.parametrize("kind", EVERY)
def test_blocks_are_found_in_order_and_return_hidden_states(kind: str) -> None:
    lm = wrapped(kind)
    assert lm.depth in (2, 3) and lm.width == 16
    called: list[int] = []
    with watched(lm, range(lm.depth), lambda site, state: called.append(site)):
        logits(lm, [PROMPT])
    assert called == list(range(lm.depth))


@pytest.mark.parametrize("kind", EVERY)
def test_strength_zero_changes_no_bit(kind: str) -> None:
    lm = wrapped(kind)
    plain = logits(lm, [PROMPT, PROMPT[:3]])
    for positions in ("all", "last"):
        with added(lm, {0: torch.zeros(lm.width), "embed": torch.zeros(2, lm.width)}, positions=positions):
            assert torch.equal(plain, logits(lm, [PROMPT, PROMPT[:3]]))


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("positions", ["all", "last", "prompt", "generated", [1], [-1, 0]], ids=str)
def test_the_vector_lands_at_just_the_positions_asked_for_while_writing(kind: str, positions: str | list[int]) -> None:
    lm = wrapped(kind)
    site, delta = lm.depth - 2, vector(lm)
    before: list[torch.Tensor] = []
    after: list[torch.Tensor] = []
    steps = _observed(lm, site, delta, positions, before, after)
    moved = torch.cat([b.sub(a).abs().amax(-1)[0] > 1e-7 for a, b in zip(before, after, strict=True)])
    columns = {
        "all": range(len(PROMPT) + steps),
        "last": range(len(PROMPT) - 1, len(PROMPT) + steps),
        "prompt": range(len(PROMPT)),
        "generated": range(len(PROMPT), len(PROMPT) + steps),
        "[1]": [1],
        "[-1, 0]": [0, len(PROMPT) - 1],
    }[str(positions)]
    assert torch.nonzero(moved)[:, 0].tolist() == sorted(columns)
    for a, b in zip(before, after, strict=True):
        hit = b.sub(a).abs().amax(-1) > 1e-7
        assert torch.allclose((b - a)[hit], delta.expand_as(a)[hit], atol=1e-5)


def _observed(
    lm: models.LanguageModel,
    site: int,
    delta: torch.Tensor,
    positions: str | list[int],
    before: list[torch.Tensor],
    after: list[torch.Tensor],
) -> int:
    """Write three tokens; the block's own output and what the next block gets, forward by forward."""
    block = lm.blocks[site]
    raw = block.forward

    def forward(*args: object, **kwargs: object) -> object:
        out = raw(*args, **kwargs)
        before.append((out[0] if isinstance(out, (tuple, list)) else out).detach().clone())
        return out

    block.forward = forward  # type: ignore[method-assign]
    try:
        part = encode_rows(lm, [PROMPT])
        with (
            added(lm, {site: delta}, positions=positions),
            watched(lm, [site], lambda _s, state: after.append(state.detach().clone())),
        ):
            out = lm.model.generate(
                input_ids=part.ids,
                attention_mask=part.mask,
                max_new_tokens=3,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=None,
            )
    finally:
        del block.forward
    assert not left_behind(lm.model)
    if (
        after[-1].shape[1] > 1 and len(after) > 1
    ):  # no cache: every pass repeats the whole text, the last one has it all
        before[:], after[:] = before[-1:], after[-1:]
    return int(out.shape[1]) - len(PROMPT) - 1  # the last token written is never read


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("positions", ["all", "last", "generated", "prompt"])
def test_steered_writing_is_the_same_with_and_without_a_cache(kind: str, positions: str) -> None:
    lm = wrapped(kind)
    part = encode_rows(lm, [PROMPT])
    texts = []
    for use_cache in (True, False):
        with added(lm, {0: vector(lm)}, positions=positions):
            out = lm.model.generate(
                input_ids=part.ids,
                attention_mask=part.mask,
                max_new_tokens=4,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=None,
                use_cache=use_cache,
                output_logits=True,
                return_dict_in_generate=True,
            )
        texts.append(torch.stack(out.logits).float())
    assert torch.allclose(texts[0], texts[1], atol=2e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_a_row_padded_on_the_left_is_steered_like_a_row_alone(kind: str) -> None:
    if kind in UNMASKED:
        pytest.skip("its recurrent state reads the padding")
    lm = wrapped(kind)
    for positions in ("last", [1]):
        with added(lm, {0: vector(lm)}, positions=positions):
            alone = logits(lm, [PROMPT[:3]])[0, -1]
        with added(lm, {0: vector(lm)}, positions=positions):
            padded = logits(lm, [PROMPT[:3], PROMPT])[0, -1]
        assert torch.allclose(alone, padded, atol=2e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_arms_stacked_in_one_batch_equal_separate_runs(kind: str) -> None:
    lm = wrapped(kind)
    vectors = torch.stack([vector(lm, size, seed) for seed, size in enumerate((0.0, 0.5, -1.0))])
    for positions in ("last", "all"):
        with added(lm, {1: vectors}, positions=positions):
            stacked = logits(lm, [PROMPT] * 3)
        for row, delta in enumerate(vectors):
            with added(lm, {1: delta}, positions=positions):
                assert torch.allclose(stacked[row], logits(lm, [PROMPT])[0], atol=2e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_a_hook_that_was_there_before_sees_the_steered_state(kind: str) -> None:
    """The library keeps hooks of its own once it was asked for all states; they must not miss a change."""
    lm = wrapped(kind)
    seen: list[torch.Tensor] = []

    def note(_module: object, _args: object, output: object) -> None:
        seen.append((output[0] if isinstance(output, (tuple, list)) else output).detach().clone())  # type: ignore[attr-defined]

    handle = lm.blocks[0].register_forward_hook(note)
    try:
        logits(lm, [PROMPT])
        with added(lm, {0: vector(lm)}):
            logits(lm, [PROMPT])
    finally:
        handle.remove()
    assert torch.allclose(seen[1] - seen[0], vector(lm).expand_as(seen[0]), atol=1e-5)


@pytest.mark.parametrize("kind", EVERY)
def test_no_hook_is_left_after_an_exception(kind: str) -> None:
    lm = wrapped(kind)
    with pytest.raises(RuntimeError, match="stop"), added(lm, {0: vector(lm), "embed": vector(lm)}, positions="last"):
        assert left_behind(lm.model)
        raise RuntimeError("stop")
    assert not left_behind(lm.model)


def test_blocks_that_return_a_tensor_and_blocks_that_return_a_tuple_are_among_them() -> None:
    kinds = set()
    for kind in QUICK:
        lm = wrapped(kind)
        handle = lm.blocks[0].register_forward_hook(lambda _m, _a, output: kinds.add(isinstance(output, tuple)))
        logits(lm, [PROMPT])
        handle.remove()
    assert kinds == {True, False}


@pytest.mark.parametrize("index", [5, -6, 99])
def test_a_token_that_the_prompt_does_not_have_is_refused_and_no_hook_stays(index: int) -> None:
    lm = wrapped("gpt_neox")
    with pytest.raises(UsageError, match="5 tokens"), added(lm, {0: vector(lm)}, positions=[index]):
        logits(lm, [PROMPT, [*PROMPT, 61]])
    assert not left_behind(lm.model)


@pytest.mark.parametrize("site", [3, -4, "half"])
def test_a_block_that_is_not_there_is_refused_and_no_hook_stays(site: int | str) -> None:
    lm = wrapped("gpt_neox")
    with pytest.raises(UsageError, match="0 to 2"), added(lm, {site: vector(lm)}, positions="last"):
        pass
    assert not left_behind(lm.model)


@pytest.mark.parametrize("kind", ["gpt_neox", "gpt2", "opt", "bloom", "llama", "gptj"])
def test_bfloat16_models_are_steered_in_their_own_type(kind: str) -> None:
    lm = models.wrap(build(kind).bfloat16(), tiny_tokenizer())
    plain = logits(lm, [PROMPT])
    with added(lm, {0: vector(lm, 3.0)}, positions="all"):
        assert not torch.equal(plain, logits(lm, [PROMPT]))
    assert torch.equal(plain, logits(lm, [PROMPT]))


@pytest.mark.parametrize("kind", EVERY)
def test_answers_to_prompts_of_several_lengths_score_as_each_does_alone(kind: str) -> None:
    lm = wrapped(kind)
    rng = np.random.default_rng(0)
    prompts = [[2, *rng.integers(8, VOCABULARY, size=n)] for n in (3, 5, 6, 9)]
    answers = [[list(rng.integers(8, VOCABULARY, size=n)) for n in (1, 3, 2)] for _ in prompts]
    for own in answers:  # begins like another answer, and goes on in another way
        own.append([*own[1][:2], *rng.integers(8, VOCABULARY, size=2)])
    asked = Questions(prompts, answers, [1] * len(prompts), np.arange(len(prompts)))
    arms = [Arm(vector(lm, size), 0) for size in (0.0, 0.5)]
    together = answer_scores(lm, asked, arms).total
    alone = [answer_scores(lm, asked.some([item]), arms).total for item in range(len(prompts))]
    assert np.allclose(together, np.concatenate(alone, axis=1), atol=2e-4)
    for item, prompt in enumerate(prompts):
        for number, answer in enumerate(answers[item]):
            whole = torch.tensor([[*prompt, *answer]])
            with torch.inference_mode():
                logs = lm.model(input_ids=whole, use_cache=False).logits[0].float().log_softmax(-1)
            own = logs[len(prompt) - 1 : -1].gather(1, whole[0, len(prompt) :, None]).sum()
            assert together[0, item, number] == pytest.approx(float(own), abs=2e-4)
