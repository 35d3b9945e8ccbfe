"""Write text with and without steering, all arms of a prompt side by side in one batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.record import LanguageModel, memory_guard
from cape_lib.lm.models.running import broken, checked, encode_rows, not_finite, token_lists
from cape_lib.lm.steering.applying import Positions, added, check_positions
from cape_lib.lm.steering.direction import Direction, check_action, check_fits, check_strength

SAMPLING = ("greedy", "paired", "independent")


@dataclass(frozen=True)
class Writing:
    """How text is steered and written.

    tokens: at most so many new ones; unit, action, positions: see `Direction.change` and `applying.added`;
    sampling: "greedy"; "paired", every arm of a prompt gets the same random numbers, so that strength 0 writes the
    unsteered text; "independent", each row its own, as plain sampling does;
    temperature: of the sampling; seed: of its random numbers; rows: prompts times arms in one batch.
    """

    tokens: int = 32
    unit: str = "std"
    action: str = "add"
    positions: Positions = "all"
    sampling: str = "greedy"
    temperature: float = 1.0
    seed: int = 0
    rows: int = 64

    def __post_init__(self) -> None:
        if self.sampling not in SAMPLING:
            raise UsageError(f"unknown sampling {self.sampling!r}; choose from {', '.join(SAMPLING)}")
        check_positions(self.positions)
        check_strength(0.0, self.unit)
        check_action(self.action)
        if self.tokens < 1 or self.rows < 1 or not self.temperature > 0:
            raise UsageError("new tokens, batch and temperature must be positive")


def _noise(keys: Sequence[int], writing: Writing) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Sampling by the Gumbel trick: greedy choice of log probability plus noise, which rows of one key share."""
    steps = itertools.count()

    def sampled(_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        step, noise = next(steps), {}
        for key in dict.fromkeys(keys):
            # one seed out of several numbers, the same in every process
            numbers = [number & 0xFFFFFFFF for number in (writing.seed, key, step)]
            seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
            uniform = torch.rand(scores.shape[-1], generator=torch.Generator().manual_seed(seed)).clamp_min(1e-20)
            noise[key] = -torch.log((-torch.log(uniform)).clamp_min(1e-20))
        shared = torch.stack([noise[key] for key in keys]).to(scores.device, torch.float32)
        return scores.float() / writing.temperature + shared

    return sampled


def _generate(lm: LanguageModel, rows: list[list[int]], writing: Writing, keys: Sequence[int]) -> list[str]:
    from transformers import GenerationConfig, LogitsProcessorList

    def finite(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # a text of logits that are no numbers would come out empty and look like an answer
        if broken(scores):
            checked(lm, lambda: lm.model(input_ids=ids, use_cache=False).logits)
            raise not_finite(lm, "the logits")
        return scores

    part, pad = encode_rows(lm, rows), lm.tokenizer.pad_token_id
    settings = cast(Any, GenerationConfig)(
        max_new_tokens=writing.tokens,
        do_sample=False,
        num_beams=1,
        pad_token_id=0 if pad is None else pad,
        eos_token_id=getattr(lm.model.generation_config, "eos_token_id", None),
    )
    with torch.inference_mode():
        out = lm.model.generate(
            input_ids=part.ids,
            attention_mask=part.mask,
            generation_config=settings,
            logits_processor=LogitsProcessorList(
                [finite] if writing.sampling == "greedy" else [finite, _noise(keys, writing)]
            ),
        )
    return [str(text) for text in lm.tokenizer.batch_decode(out[:, part.ids.shape[1] :], skip_special_tokens=True)]


def compare(
    lm: LanguageModel,
    prompts: Sequence[str],
    directions: Sequence[Direction],
    alphas: Sequence[float],
    writing: Writing | None = None,
    *,
    any_model: bool = False,
) -> pd.DataFrame:
    """What the model writes under every direction and strength, beside the unsteered arm of the same batch.

    Returns one row a generation: prompt, direction, layer, alpha, unit, positions, text, changed (the text differs
    from the unsteered one).  The unsteered arm is always there, as alpha 0 of direction "none".
    Raises UsageError for an empty or too long prompt, a strength that is no finite number, a direction of another
    model's shape, or one fitted on another model (unless `any_model`).
    """
    writing = writing or Writing()
    for direction in directions:
        check_fits(direction, lm, any_model=any_model)
    for alpha in alphas:
        check_strength(alpha, writing.unit)
    rows = token_lists(lm, prompts, room=writing.tokens)
    if not rows:
        raise UsageError("there is no prompt")
    arms: list[tuple[Direction | None, float]] = [(None, 0.0)] + [(d, float(a)) for d in directions for a in alphas]
    texts: dict[tuple[int, int], str] = {}
    # all arms of a prompt in one batch, so that steered and unsteered text share it
    step = max(1, writing.rows // len(arms))
    for first in range(0, len(rows), step):
        batch = [(prompt, arm) for arm in range(len(arms)) for prompt in range(len(rows))[first : first + step]]
        deltas: dict[Any, torch.Tensor] = {}
        axes: dict[Any, torch.Tensor] = {}
        for place, (_, arm) in enumerate(batch):
            steering, strength = arms[arm]
            if steering is not None:
                change = steering.change(strength, writing.unit, writing.action)
                for vectors, own in zip((deltas, axes), change, strict=True):
                    vectors.setdefault(steering.site, torch.zeros(len(batch), len(own)))[place] = own
        keys = [prompt if writing.sampling == "paired" else prompt * len(arms) + arm for prompt, arm in batch]
        with memory_guard("writing text"), added(lm, deltas, positions=writing.positions, axes=axes):
            written = _generate(lm, [rows[prompt] for prompt, _ in batch], writing, keys)
        texts |= dict(zip(batch, written, strict=True))
    positions = writing.positions if isinstance(writing.positions, str) else ",".join(map(str, writing.positions))
    table = [
        {
            "prompt": prompt,
            "direction": "none" if steering is None else steering.name,
            "layer": None if steering is None else steering.site,
            "alpha": alpha,
            "unit": writing.unit,
            "positions": positions,
            "text": texts[p, a],
            "changed": texts[p, a] != texts[p, 0],
        }
        for p, prompt in enumerate(prompts)
        for a, (steering, alpha) in enumerate(arms)
    ]
    # a column of block numbers, "embed" and nothing stays one of objects: 6 must not become 6.0
    return pd.DataFrame(table).assign(layer=pd.Series([row["layer"] for row in table], dtype=object))
