"""A language model with what probing and steering need to know about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cape_lib.errors import UsageError
from cape_lib.lm.models.finding import (
    ModelError,
    block_part,
    context_length,
    final_norm,
    find_blocks,
    head_outputs,
    input_device,
    n_heads,
)

#: a 0-based block (its output), a name such as those of PLACES, or several joined by "+", which are read side by side
Site = int | str
#: how a site is written, and what is there
PLACES = {
    "embed": "the input of block 0",
    "3": "the output of block 3",
    "attn.3": "what the attention of block 3 returns, before any normalisation behind it",
    "mlp.3": "what the MLP of block 3 returns, likewise",
    "head.3.1": "what head 1 of block 3 returns, before the heads are mixed",
}
_SITE = re.compile(r"(?:(attn|mlp|head)\.)?(quarter|-?\d+)(?:\.(\d+))?")


def site_of(asked: str | int, depth: int, heads: int | None = None) -> Site:
    """The site for a name as in PLACES, several joined by "+" or ",", with "quarter" for block depth // 4.

    Negative blocks count from the end; UsageError when the model has no such block or head.
    """
    if isinstance(asked, int):
        return _block(asked, depth)
    parts = [_one(word.strip(), depth, heads) for word in re.split("[+,]", asked.lower())]
    if len(set(parts)) < len(parts):
        raise UsageError(f"layer {asked!r} names a place twice")
    return parts[0] if len(parts) == 1 else "+".join(map(str, parts))


def _block(index: int, depth: int) -> int:
    if not -depth <= index < depth:
        raise UsageError(f"layer {index} is out of range: this model has {depth} blocks, 0 to {depth - 1}")
    return index % depth


def _one(word: str, depth: int, heads: int | None) -> Site:
    match = _SITE.fullmatch(word)
    if word == "embed":
        return word
    if match is None or (match[1] == "head") != (match[3] is not None):
        known = ", ".join(PLACES)
        raise UsageError(f"unknown layer {word!r}; choose quarter, or such as {known}, with blocks 0 to {depth - 1}")
    block = _block(depth // 4 if match[2] == "quarter" else int(match[2]), depth)
    if match[3] is None:
        return block if match[1] is None else f"{match[1]}.{block}"
    if heads is not None and int(match[3]) >= heads:
        raise UsageError(f"layer {word!r}: a block of this model has {heads} heads, 0 to {heads - 1}")
    return f"head.{block}.{int(match[3])}"


def site_parts(site: Site) -> list[Site]:
    """The single places of a site, in order."""
    return [int(part) if part.isdigit() else part for part in str(site).split("+")]


def site_name(site: Site, depth: int) -> str:
    """A site for people, such as "block 6 of 24 (depth 0.29)"; depth is the share of blocks run by then."""
    if isinstance(site, int):
        return f"block {site} of {depth} (depth {(site + 1) / depth:.2f})"
    return site


@dataclass(frozen=True)
class LanguageModel:
    """A causal model, its tokenizer, its decoder blocks in order, and the parts at its end.

    name: folder or hub id; revision: commit or "" ; width: size of the residual stream; heads: a block's attention
    heads or None; context: tokens that it reads or None; chat: how it is asked (see `loading.Chat`), None for plain
    text.
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
    chat: Any = None

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

    def site(self, asked: str | int) -> Site:
        """The site of a name; see `record.site_of` for what is refused."""
        return site_of(asked, self.depth, self.heads)

    def spot(self, site: Site) -> tuple[nn.Module, bool, slice]:
        """Where a single site is: the module, whether it is the module's input, and its columns there.

        "heads.3" is the input of the projection that mixes the heads.  Raises ModelError where a block has no such
        part.
        """
        if site == "embed" or isinstance(site, int):
            return self.blocks[0 if site == "embed" else int(site)], site == "embed", slice(None)
        kind, block, *head = site.split(".")
        if not kind.startswith("head"):
            return block_part(self.blocks[int(block)], kind), False, slice(None)
        mixer = self.head_mixer(int(block))
        if mixer is None or not self.heads:
            raise ModelError(f"cannot tell the heads of block {block}; take attn.{block} or the block's output")
        size = int(getattr(mixer, "in_features", mixer.weight.shape[0])) // self.heads  # type: ignore[index]
        return mixer, True, slice(int(head[0]) * size, (int(head[0]) + 1) * size) if head else slice(None)

    def widths(self, site: Site) -> list[int]:
        """Numbers that the state at each part of a site has."""
        columns = [self.spot(self.site(part))[2] if "head" in str(part) else slice(None) for part in site_parts(site)]
        return [own.stop - own.start if own.stop is not None else self.width for own in columns]

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r}, {self.depth} blocks, width {self.width}, {self.device})"


def wrap(
    model: Any, tokenizer: Any = None, *, name: str = "", revision: str = "", layers: str | None = None
) -> LanguageModel:
    """The record of a model that is loaded already; it is set to evaluation mode and not moved.

    layers: path of the list of blocks, where the rule cannot find it.  Raises ModelError for an encoder.
    """
    model.eval()
    place = find_blocks(model, layers=layers)
    if tokenizer is not None:
        _give_pad_token(tokenizer)
    unembedding = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return LanguageModel(
        name=name or str(getattr(model.config, "_name_or_path", "")) or type(model).__name__,
        revision=revision,
        model=model,
        tokenizer=tokenizer,
        blocks=place.blocks,
        width=place.width,
        heads=n_heads(model),
        context=context_length(model),
        norm=final_norm(model, place),
        unembedding=unembedding,
    )


def _give_pad_token(tokenizer: Any) -> None:
    """Batches need padding: on the left, as generation continues on the right; masked, so any token will do."""
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        for name in ("eos_token", "unk_token", "bos_token"):
            if getattr(tokenizer, name, None) is not None:
                tokenizer.pad_token = getattr(tokenizer, name)
                return
