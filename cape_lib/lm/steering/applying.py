"""Add vectors to hidden states at chosen positions, the same with and without a cache; write text with and without.

All arms of a prompt are written side by side in one batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.record import LanguageModel, Site, memory_guard, site_parts
from cape_lib.lm.models.running import broken, changed, checked, encode_rows, not_finite, sent, token_lists
from cape_lib.lm.steering.direction import Direction, check_fits, check_strength

POSITIONS = ("all", "last", "prompt", "generated")
#: a name of POSITIONS, or indices of prompt tokens (from the end where negative)
Positions = str | Sequence[int]


def check_positions(positions: Positions) -> Positions:
    """The positions unless they are no name of POSITIONS and no list of whole numbers (UsageError)."""
    if isinstance(positions, str):
        if positions not in POSITIONS:
            raise UsageError(
                f"unknown positions {positions!r}; choose {', '.join(POSITIONS)} or indices of prompt tokens"
            )
        return positions
    indices = tuple(positions)
    if not indices or not all(isinstance(index, int) for index in indices):
        raise UsageError("positions: give at least one whole number, or one of " + ", ".join(POSITIONS))
    return indices


class _Clock:
    """Which columns of the whole sequence the present forward pass holds.

    One object a `with` block: it watches the model being called, because a block alone cannot tell where it is when
    keys and values are cached.
    """

    def __init__(self, prompt_length: int | None) -> None:
        self.fixed = prompt_length
        self.offset = 0
        self.length = 0
        self.prompt = prompt_length or 0
        self.start: torch.Tensor | None = None
        self._ids: torch.Tensor | None = None

    def __call__(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs.get("input_ids", args[0] if args else None)
        whole = ids if ids is not None else kwargs["inputs_embeds"]
        length = int(whole.shape[1])
        cached = _cached(kwargs.get("past_key_values"))
        if cached is None:
            # a recurrent state does not say how much it has read; one more token continues, more begin anew
            carried = any(kwargs.get(key) is not None for key in ("cache_params", "state", "past_key_values"))
            cached = self.offset + self.length if length == 1 and carried else 0
        # a pass without cache may repeat the last one with one more token
        longer = self._ids is not None and ids is not None and torch.equal(ids[:, :-1], self._ids)
        if cached == 0 and not longer:
            self.prompt = self.fixed or length
            mask = kwargs.get("attention_mask")
            self.start = None
            if isinstance(mask, torch.Tensor) and mask.dim() == 2 and mask.shape[1] == length:
                self.start = (mask != 0).int().argmax(dim=1)
        self.offset, self.length, self._ids = cached, length, ids if cached == 0 else None

    def chosen(self, positions: Positions, rows: int, device: torch.device) -> torch.Tensor | None:
        """Which of the present columns are steered, (rows or 1, length) bool; None where none is."""
        end, last = self.prompt - 1, self.offset + self.length - 1
        columns = torch.arange(self.offset, last + 1, device=device)[None]
        if isinstance(positions, str):
            # "last": the last prompt token and all written after it
            low, high = {"last": (end, last), "prompt": (0, end), "generated": (end + 1, last)}[positions]
            # whether any is chosen is told from the numbers: a GPU would have to be waited for
            return (columns >= low) & (columns <= high) if low <= last and high >= self.offset else None
        start = self.start if self.start is not None else torch.zeros(rows, dtype=torch.long)
        first, tokens = start.to(device)[:, None], end + 1 - int(start.max())
        for index in positions if self.offset == 0 else ():
            # beyond the prompt it would steer nothing, or a token that is written later, and nobody would notice
            if not -tokens <= index < tokens:
                raise UsageError(f"positions: token {index} is not in the shortest prompt, which has {tokens} tokens")
        if rows != first.shape[0]:  # beams and several answers repeat each prompt
            first = first.repeat_interleave(rows // first.shape[0], dim=0)
        wanted = [first + index if index >= 0 else torch.full_like(first, end + 1 + index) for index in positions]
        chosen = (columns == torch.stack(wanted)).any(0)
        return chosen if bool(chosen.any()) else None


def _cached(cache: Any) -> int | None:
    """Tokens in the cache that the model gets; None where there is none, or a state that does not count them."""
    if isinstance(cache, (tuple, list)):
        return int(cache[0][0].shape[-2]) if len(cache) and cache[0] is not None else 0
    try:
        return int(cache.get_seq_length())
    except (TypeError, ValueError, IndexError, AttributeError, NotImplementedError):
        return None


@contextmanager
def added(
    lm: LanguageModel,
    deltas: dict[Site, torch.Tensor],
    *,
    positions: Positions = "all",
    prompt_length: int | None = None,
    axes: dict[Site, torch.Tensor] | None = None,
) -> Iterator[None]:
    """Inside, `deltas[site]` is added to the hidden state at each site; (d,), or (rows, d) for one vector a row.

    axes: vectors of the same shapes; the state's projection on them is taken out before, at each part of a joined site
    by itself.  A row of zeros does nothing.
    positions: "all"; "last", the last prompt token and every one written after it; "prompt"; "generated", those
    written after the prompt; or indices of prompt tokens.  prompt_length: columns of the prompt, needed only where
    the model is called with a prompt and its continuation at once.
    The vectors follow the state's device and dtype.  All hooks are removed at the end, also after an exception.
    Raises UsageError for unknown positions, a block that is not there and, once the model runs, a token that the
    prompt does not have.
    """
    positions = check_positions(positions)
    clock = _Clock(prompt_length)
    with ExitStack() as stack:
        if positions != "all":
            handle = lm.model.register_forward_pre_hook(clock, with_kwargs=True, prepend=True)
            stack.callback(handle.remove)
        for asked, delta in deltas.items():
            site = lm.site(asked)
            axis = axes[asked] if axes and asked in axes else torch.zeros_like(delta)
            widths = lm.widths(site)
            pieces = zip(site_parts(site), *(one.split_with_sizes(widths, -1) for one in (delta, axis)), strict=True)
            for part, vector, own in pieces:
                if bool(vector.any() or own.any()):  # strength 0 is the unsteered model, bit for bit
                    stack.enter_context(changed(lm, part, _change(vector, own, positions, clock)))
        yield


def _change(delta: torch.Tensor, axis: torch.Tensor, positions: Positions, clock: _Clock) -> Any:
    unit = torch.nn.functional.normalize(axis.float(), dim=-1) if bool(axis.any()) else None
    moved: dict[tuple[torch.device, torch.dtype], list[torch.Tensor]] = {}

    def change(state: torch.Tensor) -> torch.Tensor:
        key, rows = (state.device, state.dtype), state.shape[0]
        if key not in moved:
            own = [delta.to(state.dtype), *([] if unit is None else [unit])]
            own = [sent(one, state.device) for one in own]
            moved[key] = [one[:, None] if one.dim() == 2 else one[None, None] for one in own]
        # beams and several answers repeat each row
        vector, *rest = (
            one if len(one) in (1, rows) else one.repeat_interleave(rows // len(one), dim=0) for one in moved[key]
        )
        new = state
        for one in rest:
            new = new - ((new.float() * one).sum(-1, keepdim=True) * one).to(state.dtype)
        new = new + vector
        if positions == "all":
            return new
        chosen = clock.chosen(positions, rows, state.device)
        return state if chosen is None else torch.where(chosen[..., None], new, state)

    return change


@contextmanager
def steered(
    lm: LanguageModel,
    direction: Direction,
    alpha: float,
    *,
    unit: str = "std",
    positions: Positions = "all",
    action: str = "add",
    prompt_length: int | None = None,
    any_model: bool = False,
) -> Iterator[None]:
    """Inside, the model runs with `alpha` times the direction added at its site; strength 0 changes no bit.

    unit, action, positions: see `Direction.change` and `added`; any_model: also on a model that the direction
    was not fitted on.  The hook is gone afterwards, also after an exception.
    """
    check_fits(direction, lm, any_model=any_model)
    delta, axis = direction.change(alpha, unit, action)
    site = direction.site
    with added(lm, {site: delta}, positions=positions, prompt_length=prompt_length, axes={site: axis}):
        yield


SAMPLING = ("greedy", "paired", "independent")


@dataclass(frozen=True)
class Writing:
    """How text is steered and written.

    tokens: at most so many new ones; unit, action, positions: see `Direction.change` and `applying.added`;
    sampling: "greedy"; "paired", every arm of a prompt gets the same random numbers, so that strength 0 writes the
    unsteered text; "independent", each row its own, as plain sampling does;
    seed: of its random numbers; rows: prompts times arms in one batch.
    """

    tokens: int = 32
    unit: str = "std"
    action: str = "add"
    positions: Positions = "all"
    sampling: str = "greedy"
    seed: int = 0
    rows: int = 64

    def __post_init__(self) -> None:
        if self.sampling not in SAMPLING:
            raise UsageError(f"unknown sampling {self.sampling!r}; choose from {', '.join(SAMPLING)}")
        check_positions(self.positions)
        check_strength(0.0, self.unit, self.action)
        if self.tokens < 1 or self.rows < 1:
            raise UsageError("new tokens and batch must be positive")


def _generate(lm: LanguageModel, rows: list[list[int]], writing: Writing, keys: Sequence[int]) -> list[str]:
    """What follows each row; where it is sampled, rows of one key share their random numbers."""
    from transformers import GenerationConfig, LogitsProcessorList

    steps = itertools.count()

    def processed(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # a text of logits that are no numbers would come out empty and look like an answer
        if broken(scores):
            checked(lm, lambda: lm.model(input_ids=ids, use_cache=False).logits)
            raise not_finite(lm, "the logits")
        if writing.sampling == "greedy":
            return scores
        # the Gumbel trick: the greedy choice of log probability plus noise is a draw
        step, noise = next(steps), {}
        for key in dict.fromkeys(keys):
            # one seed out of several numbers, the same in every process
            numbers = [number & 0xFFFFFFFF for number in (writing.seed, key, step)]
            seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
            uniform = torch.rand(scores.shape[-1], generator=torch.Generator().manual_seed(seed)).clamp_min(1e-20)
            noise[key] = -torch.log((-torch.log(uniform)).clamp_min(1e-20))
        return scores.float() + torch.stack([noise[key] for key in keys]).to(scores.device, torch.float32)

    part, pad = encode_rows(lm, rows), lm.tokenizer.pad_token_id
    settings = cast(Any, GenerationConfig)(
        max_new_tokens=writing.tokens,
        do_sample=False,
        num_beams=1,
        pad_token_id=0 if pad is None else pad,
        eos_token_id=getattr(lm.model.generation_config, "eos_token_id", None),
    )
    options = {"generation_config": settings, "logits_processor": LogitsProcessorList([processed])}
    with torch.inference_mode():
        out = lm.model.generate(input_ids=part.ids, attention_mask=part.mask, **options)
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
