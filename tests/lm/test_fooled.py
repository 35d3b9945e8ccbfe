"""Attempts to fool the protocol, on a model with a real-sized vocabulary in which a direction was planted."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from cape_lib.lm import models, steering
from cape_lib.lm.models.running import encode
from cape_lib.lm.steering.measuring import Arm, Cost, answer_scores, questions, strengths
from cape_lib.lm.steering.protocol import most_alike
from cape_lib.lm.steering.verdicts import CLEAN, KINDS

WORDS, HERE = 32_000, (1,)
PLACE = steering.Place("embed", token=1, positions=HERE)
PLAN = steering.Plan(places=(PLACE,), doses=(0.1, 0.3), curve=(), controls=8)


@lru_cache(maxsize=1)
def model() -> models.LanguageModel:
    """Random weights, two blocks, 32,000 words."""
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers import models as kinds
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {"<pad>": 0, "<bos>": 1, "web": 2, "ref": 3} | {f"w{k}": k for k in range(4, WORDS)}
    result = Tokenizer(kinds.WordLevel(vocabulary, unk_token="<pad>"))
    result.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    result.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=0,
        initializer_range=0.12,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = LlamaForCausalLM(config).eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=result, bos_token="<bos>", pad_token="<pad>")
    return models.wrap(weights, tokenizer, name="planted")


def sentences(n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(f"w{k}" for k in rng.integers(4, WORDS, 3)) for _ in range(n)]


@lru_cache(maxsize=1)
def items() -> pd.DataFrame:
    """Questions whose wrong answer wins after "web" and whose right one wins after "ref", by the model itself."""
    lm, asked = model(), sentences(60, 1)
    with torch.inference_mode():
        web, ref = (models.run(lm, encode(lm, [f"{word} {text}" for text in asked]))[:, -1] for word in ("web", "ref"))
    # among the words that the model finds likely, as a myth and its correction are
    likely = torch.where(torch.maximum(web, ref) > web.mean() + 2 * web.std(), ref - web, torch.nan)
    true, false = likely.nan_to_num(-1e9).argmax(1), likely.nan_to_num(1e9).argmin(1)
    return pd.DataFrame(
        {
            "prompt": [f"web {text}" for text in asked],
            "true": [f"w{k}" for k in true],
            "false": [f"w{k}" for k in false],
            "topic": [f"t{k // 3}" for k in range(60)],
            "split": ["tune"] * 24 + ["test"] * 36,
        }
    )


def pairs(*, mixed: int = 0) -> pd.DataFrame:
    """Texts after "ref" and after "web"; `mixed` of the positive ones say "web" as well."""
    texts = sentences(32, 2)
    words = ["web"] * mixed + ["ref"] * (32 - mixed)
    return pd.DataFrame(
        {
            "positive": [f"{w} {t}" for w, t in zip(words, texts, strict=True)],
            "negative": [f"web {t}" for t in texts],
            "topic": [f"p{k}" for k in range(32)],
        }
    )


def evaluated(
    own: steering.Direction | None = None, *, table: pd.DataFrame | None = None, mixed: int = 0, **changes: Any
) -> steering.Evaluation:
    plan, table = replace(PLAN, **changes), items() if table is None else table
    return steering.evaluate(model(), table, pairs(mixed=mixed), plan, neutral=sentences(16, 3), direction=own)


def as_direction(vector: torch.Tensor) -> steering.Direction:
    direction = steering.fit_directions(model(), pairs(), ["embed"], token=1)[0]
    return replace(direction, vector=vector, norm=float(vector.norm()))


def test_the_planted_direction_is_found_and_beats_its_controls() -> None:
    result = evaluated()
    assert result.base == 0 and result.effect.holds and result.effect.share > 0.8
    assert result.cost < 2 * result.budget


def test_a_direction_that_wrecks_the_model_lifts_the_score_and_is_no_effect() -> None:
    lm, asked = model(), questions(model(), items())
    wreck = 50 * torch.randn(lm.width, generator=torch.Generator().manual_seed(5))
    right = answer_scores(lm, asked, [Arm(wreck, "embed", "all")]).margins()[0] > 0
    assert right.mean() > 0.25  # a base of nothing is beaten by a model that says anything
    result = evaluated(as_direction(wreck))
    assert not result.effect.holds and result.claim != "supported"
    assert result.cost < 2 * result.budget


@pytest.mark.slow
def test_controls_that_would_hold_the_direction_are_left_out() -> None:
    result = evaluated(mixed=10, kinds=KINDS, all_controls=True)
    table = result.methods
    clean = table[table["kind"].isin(CLEAN)]
    limit = most_alike(model().width)
    assert clean["left_out"].sum() > 0 and clean["cosine"].abs().max() <= limit + 1e-5
    assert table.loc[table["kind"] == "total covariance", "cosine"].abs().max() > limit
    assert result.effect.holds and result.effect_leaky is not None and result.effect_leaky.p > result.effect.p


@pytest.mark.slow
def test_the_luckiest_of_many_random_directions_on_the_tune_questions_is_no_effect() -> None:
    # whether an answer is called true is a coin's fall, so nothing that holds on one half holds on the other
    lm, table = model(), items().copy()
    turned = np.random.default_rng(6).random(len(table)) < 0.5
    table.loc[turned, ["true", "false"]] = table.loc[turned, ["false", "true"]].to_numpy()
    rng = torch.Generator().manual_seed(7)
    vectors = torch.randn(80, lm.width, generator=rng)
    cost = Cost(lm, sentences(8, 3))

    def arm(k: int, strength: float) -> Arm:
        return Arm(strength * vectors[k] / vectors[k].norm(), "embed", HERE)

    doses = strengths(cost, arm, np.ones(80), np.full(80, 50.0), [0.3])
    asked = questions(lm, table[table["split"] == "tune"].reset_index(drop=True))
    right = answer_scores(lm, asked, [arm(k, float(d)) for k, d in enumerate(doses[:, 0])]).margins() > 0
    lucky = int(right.mean(1).argmax())
    assert right.mean(1)[lucky] > right.mean() + 0.1
    result = evaluated(as_direction(vectors[lucky]), table=table)
    assert not result.effect.holds and result.claim != "supported"
