"""Texts to batches of token ids, padded on the left, with clear refusals."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.hooks import checked, reading
from cape_lib.lm.models.record import LanguageModel


@dataclass(frozen=True)
class Batch:
    """Token ids and mask, (rows, length), padded on the left; `start` is each row's first real column."""

    ids: torch.Tensor
    mask: torch.Tensor
    start: torch.Tensor

    def __len__(self) -> int:
        return int(self.ids.shape[0])


def joined(prompt: str, answer: str) -> str:
    """A prompt with its answer behind it: after a space, but right after a line's end, as chat templates want it."""
    return f"{prompt}{'' if prompt[-1:].isspace() else ' '}{answer}"


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
    for place, text in enumerate(texts):
        if not str(text).strip():
            raise UsageError(f"{what} {place + 1} is empty")
    rows = lm.tokenizer(list(texts), verbose=False)["input_ids"] if len(texts) else []
    found = [_tokens(lm, str(text), list(row)) for text, row in zip(texts, rows, strict=True)]
    for place, row in enumerate(found):
        if not row:
            raise UsageError(f"{what} {place + 1} has no token that the tokenizer knows")
        if lm.context is not None and len(row) + room > lm.context:
            extra = f" and {room} more to write" if room else ""
            raise UsageError(
                f"{what} {place + 1} has {len(row)} tokens{extra}; this model reads {lm.context}: shorten it"
            )
    return found


def encode_rows(lm: LanguageModel, rows: Sequence[Sequence[int]]) -> Batch:
    """Lists of token ids as one batch on the model's input device."""
    longest = max(len(row) for row in rows)
    pad = 0
    if lm.tokenizer is not None and lm.tokenizer.pad_token_id is not None:
        pad = int(lm.tokenizer.pad_token_id)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, longest - len(row) :] = torch.tensor(row, dtype=torch.long)
        mask[place, longest - len(row) :] = 1
    start = torch.tensor([longest - len(row) for row in rows])
    return Batch(ids.to(lm.device), mask.to(lm.device), start.to(lm.device))


def repeated(batch: Batch, times: int) -> Batch:
    """The batch so many times over, block after block."""
    return Batch(batch.ids.repeat(times, 1), batch.mask.repeat(times, 1), batch.start.repeat(times))


def positions_of(lm: LanguageModel, mask: torch.Tensor) -> dict[str, Any]:
    """The argument that counts positions from each row's first real token, where the model takes one.

    Without it, models with learned positions count the padding and a row in a batch is read differently from a row
    alone.
    """
    known = inspect.signature(lm.model.forward).parameters
    return {"position_ids": (mask.cumsum(1) - 1).clamp_min(0)} if "position_ids" in known else {}


def run(lm: LanguageModel, batch: Batch, *, read: torch.Tensor | None = None, check: bool = True) -> torch.Tensor:
    """Logits of a batch, without a cache: (rows, length, vocabulary), or (n, vocabulary) of the tokens in `read`.

    read: (rows, length) bool; the logits of other tokens are never computed.  check: look at every logit; a caller that
    sums them up may look at the sum and come back.
    Raises SurroundingsError where a logit is no number, naming the block that it came from.
    """
    options = positions_of(lm, batch.mask)

    def forward() -> torch.Tensor:
        with reading(lm, read) as pick:
            output = lm.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **options)
            return pick(output.logits)

    return checked(lm, forward) if check else forward()


def states_only(lm: LanguageModel, batch: Batch) -> None:
    """Run a batch for what hooks see; of the logits only one token's are computed, as a model must return some."""
    read = torch.zeros_like(batch.mask, dtype=torch.bool)
    read[0, -1] = True
    with reading(lm, read):
        lm.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **positions_of(lm, batch.mask))


def encode(lm: LanguageModel, texts: Sequence[str], *, what: str = "prompt", room: int = 0) -> Batch:
    """Texts as one batch; see `token_lists` for what is refused."""
    if not len(texts):
        raise UsageError(f"no {what} given")
    return encode_rows(lm, token_lists(lm, texts, what=what, room=room))


def chunks(lengths: Sequence[int], *, tokens: int) -> list[list[int]]:
    """Indices grouped so that a padded group holds at most about `tokens` tokens; rows of like length together."""
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    groups: list[list[int]] = []
    for index in order:
        if groups and (len(groups[-1]) + 1) * max(1, lengths[index]) <= tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
