"""Score a testbed model on its benchmarks and on held-out documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cape_lib.lm.testbed import corpus, items, worlds
from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.lm.testbed.training import HELD_OUT, one_thread

REGISTER_NAMES = ("web", "ref", "ask", "story")


@torch.inference_mode()
def choose(model: Any, tests: items.Items) -> np.ndarray:
    """Log probability (nats) of every candidate, (n_items, 4): the sum over its tokens."""
    prompts, candidates = torch.from_numpy(tests.prompts), torch.from_numpy(tests.candidates)
    n, k, length = candidates.shape
    rows = torch.cat([prompts[:, None].expand(n, k, -1), candidates], dim=2).reshape(n * k, -1)
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits[:, -length:].float()
    picked = logits.log_softmax(-1).gather(-1, candidates.reshape(n * k, length, 1))
    return np.asarray(picked.sum((1, 2)).reshape(n, k))


@torch.inference_mode()
def losses(model: Any, recipe: Recipe, world: worlds.World) -> dict[str, float]:
    """Mean loss (nats a token) on 1,024 fresh documents of the model's own mixture: overall and by register."""
    rows = torch.from_numpy(corpus.documents(recipe, world, HELD_OUT, np.random.default_rng([recipe.seed, 4])))
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits.float()
    each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none").mean(1)
    kind = rows[:, 1] - world.base["register"]
    found = {"loss": float(each.mean())}
    for index, name in enumerate(REGISTER_NAMES):
        if bool((kind == index).any()):
            found[f"loss_{name}"] = float(each[kind == index].mean())
    return found


def score(model: Any, recipe: Recipe) -> dict[str, float]:
    """All scores of a model, shares 0-1 and losses in nats a token.

    story, truth: share of items whose right candidate has the highest probability; myth: share whose myth has it;
    n_story, n_truth: items; truth_web: the same questions in the web register.
    """
    world = worlds.build(recipe)
    with one_thread():
        asked = items.truth_items(world)
        truth = choose(model, asked).argmax(1)
        web = choose(model, items.truth_items(world, register=corpus.WEB)).argmax(1)
        story = choose(model, items.story_items(world)).argmax(1)
        found = {
            "story": float((story == 0).mean()), "truth": float((truth == 0).mean()),
            "myth": float((truth == 1).mean()),
            "truth_web": float((web == 0).mean()), "n_story": len(story), "n_truth": len(asked),
        }  # fmt: skip
        return found | losses(model, recipe, world)
