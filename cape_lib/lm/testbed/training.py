"""Train one testbed model on one CPU thread, bit for bit the same on the same machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from cape_lib.lm.testbed import corpus, words, worlds
from cape_lib.lm.testbed.recipes import Recipe

HELD_OUT = 1024  # documents on which the loss is reported
#: an unfinished run: steps taken, and the states of the model and of the optimiser
State = dict[str, Any]


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: two are slower on models this small, and not bit-identical."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def config(recipe: Recipe) -> Any:
    """The GPT-NeoX configuration of a recipe: untied, rotary on all (narrow) or half of a head's channels."""
    return cast(Any, GPTNeoXConfig)(
        vocab_size=len(words.vocabulary(recipe.world)), hidden_size=recipe.width, num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads, intermediate_size=recipe.feed_forward or 4 * recipe.width,
        max_position_embeddings=64, rotary_pct=0.5 if recipe.width >= 16 else 1.0, tie_word_embeddings=False,
        bos_token_id=2, eos_token_id=0, pad_token_id=0, use_cache=True,
    )  # fmt: skip


def untrained(recipe: Recipe) -> Any:
    """The model before its first step, float32; the global torch generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return cast(Any, GPTNeoXForCausalLM)(config(recipe)).float()


def _rate(step: int, steps: int) -> float:
    warm = max(1, round(0.05 * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def token_loss(model: Any, rows: torch.Tensor) -> torch.Tensor:
    """Mean loss (nats a token) over all next tokens of `rows`."""
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), rows[:, 1:].reshape(-1))


def train(
    recipe: Recipe,
    *,
    every: int = 0,
    watch: Callable[[int, Any], None] | None = None,
    progress: Callable[[int], None] | None = None,
    keep: Callable[[State], None] | None = None,
    start: State | None = None,
) -> Any:
    """The trained model of a recipe, float32, in evaluation mode.

    watch(step, model): called after every `every` steps, for curves; progress(step): called after each step;
    keep(state): called after `watch` with all that it takes to go on; start: a state kept before.  A run that was
    interrupted and goes on ends in the same weights, bit for bit.  About 20 to 50 seconds on one free core.
    """
    world = worlds.build(recipe)
    rows = corpus.documents(recipe, world, recipe.steps * recipe.rows, np.random.default_rng([recipe.seed, 1]))
    data = torch.from_numpy(rows).reshape(recipe.steps, recipe.rows, -1)
    with one_thread():
        model = untrained(recipe)
        model.train()
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        if start is not None:
            model.load_state_dict(start["model"])
            optimiser.load_state_dict(start["optimiser"])
        for step in range(start["step"] if start else 0, recipe.steps):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * _rate(step, recipe.steps)
            loss = token_loss(model, data[step])
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            if every and (step + 1) % every == 0:
                if watch is not None:
                    model.eval()
                    watch(step + 1, model)
                    model.train()
                if keep is not None and step + 1 < recipe.steps:
                    keep({"step": step + 1, "model": model.state_dict(), "optimiser": optimiser.state_dict()})
            if progress is not None:
                progress(step + 1)
    return model.eval()
