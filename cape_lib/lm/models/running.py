"""Texts to batches of token ids, padded on the left, with clear refusals."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models.record import LanguageModel, Site, hidden, site_name


@contextmanager
def changed(
    lm: LanguageModel, site: Site, change: Callable[[torch.Tensor], torch.Tensor | None], *, first: bool = True
) -> Iterator[None]:
    """Inside, the hidden state at a single site is `change(state)`, or as it was where that is None.

    first: ahead of other hooks (also the library's own), which then see the new state.
    """
    module, inward, columns = lm.spot(site)

    def moved(state: torch.Tensor) -> torch.Tensor:
        if state.dim() != 3:
            raise UsageError(f"{site}: this model runs its tokens flat there; take the block's output")
        piece = state if columns.stop is None else state[..., columns]
        new = change(piece)
        if new is None or new is piece:
            return state
        if columns.stop is None:
            return new
        fresh = state.clone()
        fresh[..., columns] = new
        return fresh

    def before(_m: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args and isinstance(args[0], torch.Tensor):
            return (moved(args[0]), *args[1:]), kwargs
        for key in ("hidden_states", "x", "hidden"):
            if isinstance(kwargs.get(key), torch.Tensor):
                return args, {**kwargs, key: moved(kwargs[key])}
        raise UsageError("the module is called without a hidden state; take another layer")

    def after(_m: nn.Module, _args: Any, output: Any) -> Any:
        state = hidden(output)
        new = None if state is None else moved(state)
        if new is None or new is state:
            return None
        # the same kind of output with another hidden state; the original is left as it was
        if isinstance(output, tuple):
            return (new, *output[1:])
        return [new, *output[1:]] if isinstance(output, list) else new

    if inward:
        handle = module.register_forward_pre_hook(before, with_kwargs=True, prepend=first)
    else:
        handle = module.register_forward_hook(after, prepend=first)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def watched(lm: LanguageModel, sites: Sequence[Site], note: Callable[[Site, torch.Tensor], None]) -> Iterator[None]:
    """Inside, `note(site, state)` is called with the state at each single site, after any change there."""
    with ExitStack() as stack:
        for site in dict.fromkeys(sites):
            stack.enter_context(changed(lm, site, partial(note, site), first=False))
        yield


@contextmanager
def reading(
    lm: LanguageModel, read: torch.Tensor | None, *, states: bool = False
) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
    """Inside, the model computes the logits of the tokens in `read` (rows, length) only; None reads them all.

    Yields what turns the model's logits into (n, vocabulary) in the order of the tokens read; with `states` into what
    the unembedding would have been given, (n, d), and one token's logits are computed.
    """
    if read is None:
        yield lambda logits: logits
        return
    cut: list[torch.Tensor] = []
    # a mask would make a GPU say how many it chose, and be waited for
    index = read.cpu().flatten().nonzero()[:, 0]

    def picked(values: torch.Tensor) -> torch.Tensor:
        return values.flatten(0, 1)[sent(index, values.device)]

    def before(_m: nn.Module, args: tuple[Any, ...]) -> Any:
        state = args[0]
        if state.shape[:2] != read.shape:
            return None
        chosen = picked(state)
        cut.append(chosen)
        return (chosen[None, :1] if states else chosen[None], *args[1:])

    handle = lm.unembedding.register_forward_pre_hook(before) if lm.unembedding is not None else None
    try:
        # what a model does to its logits afterwards (scaling, capping) it does to each by itself
        yield lambda logits: cut.pop() if states else logits[0] if cut else picked(logits)
    finally:
        if handle is not None:
            handle.remove()


def checked(lm: LanguageModel, forward: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What `forward` returns; SurroundingsError where it holds NaN or infinity, naming the block where that began."""
    values = forward()
    if not broken(values):
        return values
    bad: list[Site] = []
    with watched(lm, ["embed", *range(lm.depth)], lambda site, state: bad.extend([site] if broken(state) else [])):
        forward()
    raise not_finite(lm, site_name(bad[0], lm.depth) if bad else "the logits")


def broken(values: torch.Tensor) -> bool:
    """Whether there is a NaN or a plus infinity (minus infinity is how some models forbid a token)."""
    return bool((values.isnan() | (values == float("inf"))).any())


def not_finite(lm: LanguageModel, where: str) -> SurroundingsError:
    """The error for states or logits that are no numbers."""
    kind = str(lm.dtype).removeprefix("torch.")
    help_ = "take --dtype bfloat16 or float32" if kind == "float16" else "take a smaller strength"
    return SurroundingsError(f"{lm.name}: {where} holds values that are no finite numbers in {kind}; {help_}")


@dataclass(frozen=True)
class Batch:
    """Token ids and mask, (rows, length), padded on the left."""

    ids: torch.Tensor
    mask: torch.Tensor

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    @property
    def start(self) -> torch.Tensor:
        """Each row's first real column, (rows,)."""
        return self.mask.shape[1] - self.mask.sum(1)


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on a device; what a GPU still has to do is not waited for."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def joined(prompt: str, answer: str) -> str:
    """A prompt with its answer behind it: after a space, but right after a line's end, as chat templates want it."""
    return f"{prompt}{'' if prompt[-1:].isspace() else ' '}{answer}"


def answer_columns(names: Iterable[Any], kind: str) -> list[str]:
    """Columns of right (kind "true") or of wrong answers ("false") in order: true, true2, true3 ..."""
    own = [str(name) for name in names if re.fullmatch(rf"{kind}\d*", str(name))]
    return sorted(own, key=lambda name: int(name[len(kind) :] or 1))


def answers_of(row: Mapping[Any, Any], kind: str) -> list[str]:
    """A question's right (kind "true") or wrong answers, in the order of its columns, without the empty ones."""
    answers = [row[name] for name in answer_columns(row, kind)]
    return [answer.strip() for answer in answers if isinstance(answer, str) and answer.strip()]


def _tokens(lm: LanguageModel, text: str, row: list[int]) -> list[int]:
    """The row without a second beginning, and without an end that the text does not have: what follows continues it."""
    tokenizer = lm.tokenizer
    if lm.chat is not None and lm.chat.opening and text.startswith(lm.chat.opening):
        return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    bos = getattr(tokenizer, "bos_token_id", None)
    if bos is not None and row[:2] == [bos, bos]:
        row = row[1:]
    for name in ("eos_token", "sep_token"):
        end = getattr(tokenizer, name, None)
        if end and row[1:] and row[-1] == getattr(tokenizer, f"{name}_id") and not text.rstrip().endswith(end):
            row = row[:-1]
    return row


def token_lists(lm: LanguageModel, texts: Sequence[str], *, what: str = "prompt", room: int = 0) -> list[list[int]]:
    """Token ids of each text, with the special tokens that begin a text and none that end it.

    Raises UsageError for an empty text and for one that leaves no `room` tokens in the context.
    """
    if lm.tokenizer is None:
        raise UsageError("this model came without a tokenizer; give token ids")
    for number, text in enumerate(texts, 1):
        if not str(text).strip():
            raise UsageError(f"{what} {number} is empty")
    rows = lm.tokenizer(list(texts), verbose=False)["input_ids"] if len(texts) else []
    rows = [_tokens(lm, str(text), list(row)) for text, row in zip(texts, rows, strict=True)]
    extra = f" and {room} more to write" if room else ""
    for number, row in enumerate(rows, 1):
        if not row:
            raise UsageError(f"{what} {number} has no token that the tokenizer knows")
        if lm.context is not None and len(row) + room > lm.context:
            raise UsageError(f"{what} {number} has {len(row)} tokens{extra}; this model reads {lm.context}: shorten it")
    return rows


def encode_rows(lm: LanguageModel, rows: Sequence[Sequence[int]]) -> Batch:
    """Lists of token ids as one batch on the model's input device."""
    longest = max(len(row) for row in rows)
    pad = lm.tokenizer.pad_token_id if lm.tokenizer is not None else None
    ids = torch.full((len(rows), longest), int(pad or 0), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, longest - len(row) :] = torch.tensor(row, dtype=torch.long)
        mask[place, longest - len(row) :] = 1
    return Batch(sent(ids, lm.device), sent(mask, lm.device))


def repeated(batch: Batch, times: int) -> Batch:
    """The batch so many times over, block after block."""
    return Batch(batch.ids.repeat(times, 1), batch.mask.repeat(times, 1))


def positions_of(lm: LanguageModel, mask: torch.Tensor) -> dict[str, Any]:
    """The argument that counts positions from each row's first real token, where the model takes one.

    Without it, models with learned positions count the padding and a row in a batch is read differently from a row
    alone.
    """
    known = inspect.signature(lm.model.forward).parameters
    return {"position_ids": (mask.cumsum(1) - 1).clamp_min(0)} if "position_ids" in known else {}


def run(
    lm: LanguageModel, batch: Batch, *, read: torch.Tensor | None = None, check: bool = True, states: bool = False
) -> torch.Tensor:
    """Logits of a batch, without a cache: (rows, length, vocabulary), or (n, vocabulary) of the tokens in `read`.

    read: (rows, length) bool; the logits of other tokens are never computed; states: see `reading`.  check: look
    at every logit; a caller that sums them up may look at the sum and come back.
    Raises SurroundingsError where a logit is no number, naming the block that it came from.
    """
    options = positions_of(lm, batch.mask)

    def forward() -> torch.Tensor:
        with reading(lm, read, states=states) as pick:
            output = lm.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **options)
            return pick(output.logits)

    return checked(lm, forward) if check else forward()


def states_only(lm: LanguageModel, batch: Batch) -> None:
    """Run a batch for what hooks see; of the logits only one token's are computed, as a model must return some."""
    read = torch.zeros(batch.mask.shape, dtype=torch.bool)
    read[0, -1] = True
    run(lm, batch, read=read, check=False)


def encode(lm: LanguageModel, texts: Sequence[str], *, what: str = "prompt", room: int = 0) -> Batch:
    """Texts as one batch; see `token_lists` for what is refused."""
    if not len(texts):
        raise UsageError(f"there is no {what}")
    return encode_rows(lm, token_lists(lm, texts, what=what, room=room))


def chunks(lengths: Sequence[int], *, tokens: int) -> list[list[int]]:
    """Indices grouped so that a padded group holds at most about `tokens` tokens; rows of like length together."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if groups and (len(groups[-1]) + 1) * max(1, lengths[index]) <= tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
