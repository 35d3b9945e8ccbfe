"""Write text with and without steering, all arms of a prompt side by side in one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


class _SharedNoise:
    """Sampling by the Gumbel trick: greedy choice of log probability plus noise, which arms may share."""

    def __init__(self, keys: Sequence[int], temperature: float, seed: int) -> None:
        self.keys, self.temperature, self.seed, self.step = list(keys), temperature, seed, 0

    def __call__(self, _ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        noise: dict[int, torch.Tensor] = {}
        for key in dict.fromkeys(self.keys):
            source = torch.Generator().manual_seed(_mixed(self.seed, key, self.step))
            uniform = torch.rand(scores.shape[-1], generator=source).clamp_min(1e-20)
            noise[key] = -torch.log((-torch.log(uniform)).clamp_min(1e-20))
        self.step += 1
        shared = torch.stack([noise[key] for key in self.keys]).to(scores.device, torch.float32)
        return scores.float() / self.temperature + shared


class _Finite:
    """Stops where a logit is no finite number: such a text would come out empty and look like an answer."""

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if broken(scores):
            checked(self.lm, lambda: self.lm.model(input_ids=ids, use_cache=False).logits)
            raise not_finite(self.lm, "the logits")
        return scores


def _mixed(*numbers: int) -> int:
    """One seed out of several numbers, the same in every process."""
    return int(np.random.SeedSequence([number & 0xFFFFFFFF for number in numbers]).generate_state(1)[0])


def _generate(lm: LanguageModel, rows: list[list[int]], writing: Writing, keys: Sequence[int]) -> list[str]:
    from transformers import GenerationConfig, LogitsProcessorList

    part = encode_rows(lm, rows)
    pad = lm.tokenizer.pad_token_id
    ends = getattr(lm.model.generation_config, "eos_token_id", None)
    settings = cast(Any, GenerationConfig)(
        max_new_tokens=writing.tokens,
        do_sample=False,
        num_beams=1,
        pad_token_id=0 if pad is None else pad,
        eos_token_id=ends,
    )
    noise: list[Any] = [_Finite(lm)]
    if writing.sampling != "greedy":
        noise.append(_SharedNoise(keys, writing.temperature, writing.seed))
    with torch.inference_mode():
        out = lm.model.generate(
            input_ids=part.ids,
            attention_mask=part.mask,
            generation_config=settings,
            logits_processor=LogitsProcessorList(noise),
        )
    texts = lm.tokenizer.batch_decode(out[:, part.ids.shape[1] :], skip_special_tokens=True)
    return [str(text) for text in texts]


def _named(positions: Positions) -> str:
    return positions if isinstance(positions, str) else ",".join(map(str, positions))


def _batches(n_prompts: int, n_arms: int, most: int) -> Iterator[list[tuple[int, int]]]:
    """(prompt, arm) in chunks that hold all arms of a prompt, so that steered and unsteered text share a batch."""
    step = max(1, most // n_arms)
    for first in range(0, n_prompts, step):
        some = range(first, min(first + step, n_prompts))
        yield [(prompt, arm) for arm in range(n_arms) for prompt in some]


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
    for batch in _batches(len(rows), len(arms), writing.rows):
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
    table = []
    for p, prompt in enumerate(prompts):
        for a, (steering, alpha) in enumerate(arms):
            row = {"prompt": prompt, "direction": "none", "layer": None, "alpha": alpha, "unit": writing.unit}
            row |= {} if steering is None else {"direction": steering.name, "layer": steering.site}
            row |= {"positions": _named(writing.positions), "text": texts[p, a], "changed": texts[p, a] != texts[p, 0]}
            table.append(row)
    # a column of block numbers, "embed" and nothing stays one of objects: 6 must not become 6.0
    return pd.DataFrame(table).assign(layer=pd.Series([row["layer"] for row in table], dtype=object))
