"""A language model with what probing and steering need to know about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cape_lib.lm.models.finding import context_length, final_norm, find_blocks, head_outputs, input_device, n_heads


@dataclass(frozen=True)
class LanguageModel:
    """A causal model, its tokenizer, its decoder blocks in order, and the parts at its end.

    name: folder or hub id; revision: commit or "" ; width: size of the residual stream; heads: a block's attention
    heads or None; context: tokens that it reads or None; placed: spread over devices by a device map, so nothing
    ever moves it.
    """

    name: str
    revision: str
    model: Any
    tokenizer: Any
    blocks: tuple[nn.Module, ...]
    width: int
    heads: int | None
    context: int | None
    norm: nn.Module | None
    unembedding: nn.Module | None
    placed: bool

    @property
    def depth(self) -> int:
        """Number of decoder blocks."""
        return len(self.blocks)

    @property
    def device(self) -> torch.device:
        """Where token ids go."""
        return input_device(self.model)

    def head_mixer(self, block: int) -> nn.Module | None:
        """The projection whose input holds the heads of a block side by side, or None."""
        return head_outputs(self.blocks[block], self.heads)

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r}, {self.depth} blocks, width {self.width}, {self.device})"


def wrap(
    model: Any, tokenizer: Any = None, *, name: str = "", revision: str = "", layers: str | None = None
) -> LanguageModel:
    """The record of a model that is loaded already; it is set to evaluation mode and not moved.

    layers: path of the list of blocks, where the rule cannot find it.  Raises ModelError for an encoder.
    """
    model.eval()
    found = find_blocks(model, layers=layers)
    if tokenizer is not None:
        _give_pad_token(tokenizer)
    unembedding = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return LanguageModel(
        name=name or str(getattr(model.config, "_name_or_path", "")) or type(model).__name__, revision=revision,
        model=model, tokenizer=tokenizer, blocks=found.blocks, width=found.width, heads=n_heads(model),
        context=context_length(model), norm=final_norm(model, found), unembedding=unembedding,
        placed=getattr(model, "hf_device_map", None) is not None,
    )  # fmt: skip


def _give_pad_token(tokenizer: Any) -> None:
    """Batches need padding: on the left, as generation continues on the right; masked, so any token will do."""
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        for name in ("eos_token", "unk_token", "bos_token"):
            if getattr(tokenizer, name, None) is not None:
                tokenizer.pad_token = getattr(tokenizer, name)
                return
