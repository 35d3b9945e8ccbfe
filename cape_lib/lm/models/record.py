"""A language model with what probing and steering need to know about it: its blocks, and the places in them.

The blocks of any causal model are found by a rule and checked with one forward pass: the decoder's ModuleLists whose
length is the configuration's number of layers; of these the one whose members were each called once, in order, and
returned a hidden state.  It found the blocks of every architecture tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from cape_lib.errors import CapeError, SurroundingsError, UsageError


class ModelError(CapeError):
    """A folder or model that cannot be read as a causal language model (exit 3)."""

    exit_code = 3


def needed(package: str, what: str) -> None:
    """SurroundingsError, with the command that helps, where a package is not installed."""
    if find_spec(package) is None:
        raise SurroundingsError(f"{what} needs the package {package}; pip install {package}")


@contextmanager
def memory_guard(doing: str) -> Iterator[None]:
    """Turn running out of memory, on a GPU or the CPU, into a SurroundingsError (exit 6) that says what helps."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        words = ("out of memory", "can't allocate memory", "not enough memory")
        if not isinstance(error, MemoryError) and not any(some in str(error).lower() for some in words):
            raise
        raise SurroundingsError(
            f"out of memory while {doing}; take a smaller --batch, --dtype bfloat16, shorter texts or a smaller model"
        ) from error


_DEPTH = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context_length")
#: names of a block's parts; OPT's MLP is two bare layers
_PARTS = {"attn": ("attn", "attention"), "mlp": ("mlp", "ffn", "feed_forward", "moe", "fc2")}
_OUTPUTS = ("o_proj", "out_proj", "c_proj", "dense", "wo", "proj", "linear_out")

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
    parts = [_one(word.strip(), depth, heads) for word in re.split("[+,]", str(asked).lower())]
    if len(set(parts)) < len(parts):
        raise UsageError(f"layer {asked!r} names a place twice")
    return parts[0] if len(parts) == 1 else "+".join(map(str, parts))


def _one(word: str, depth: int, heads: int | None) -> Site:
    match = _SITE.fullmatch(word)
    if word == "embed":
        return word
    if match is None or (match[1] == "head") != (match[3] is not None):
        known = ", ".join(PLACES)
        raise UsageError(f"unknown layer {word!r}; choose quarter, or such as {known}, with blocks 0 to {depth - 1}")
    block = depth // 4 if match[2] == "quarter" else int(match[2])
    if not -depth <= block < depth:
        raise UsageError(f"layer {block} is out of range: this model has {depth} blocks, 0 to {depth - 1}")
    block %= depth
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
    heads or None; context: tokens that it reads or None; norm: the normalisation after the last block; chat: how it is
    asked (see `loading.Chat`), None for plain text.
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

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        own: torch.dtype = next(self.model.parameters()).dtype
        return own

    def head_mixer(self, block: int) -> nn.Module | None:
        """The projection in a block that mixes the attention heads back together; its input holds them side by side.

        None where a block has no attention or keeps its heads in another way.
        """
        for name, module in self.blocks[block].named_modules() if self.heads else ():
            *path, last = name.split(".")
            inside = any("attn" in part or "attention" in part for part in path)
            if inside and last in _OUTPUTS and isinstance(getattr(module, "weight", None), torch.Tensor):
                mixer: nn.Module = module
                return mixer
        return None

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
            parts = dict(self.blocks[int(block)].named_children())
            for name, child in parts.items():
                if any(word in name for word in _PARTS[kind]) and not any(word in name for word in ("norm", "drop")):
                    return child, False, slice(None)
            raise ModelError(f"cannot tell the {kind} of a block among {', '.join(parts)}; take the block's output")
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
    owner, blocks, width = _blocks(model, layers)
    norms = [child for name, child in owner.named_children() if "norm" in name or name.startswith("ln")]
    if tokenizer is not None:
        # batches need padding: on the left, as generation continues on the right; masked, so any token will do
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            own = (getattr(tokenizer, name, None) for name in ("eos_token", "unk_token", "bos_token"))
            tokenizer.pad_token = next((token for token in own if token is not None), None)
    return LanguageModel(
        name=name or str(getattr(model.config, "_name_or_path", "")) or type(model).__name__,
        revision=revision,
        model=model,
        tokenizer=tokenizer,
        blocks=blocks,
        width=width,
        heads=_setting(model, _HEADS),
        context=_setting(model, _CONTEXT),
        norm=norms[-1] if norms else None,
        unembedding=model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None,
    )


def hidden(output: Any) -> torch.Tensor | None:
    """The hidden state in what a block returned: the tensor itself or the first one of a tuple."""
    first = output[0] if isinstance(output, (tuple, list)) and len(output) else output
    return first if isinstance(first, torch.Tensor) else None


def text_config(model: nn.Module) -> Any:
    """The configuration of the text part."""
    config: Any = model.config
    return config.get_text_config(decoder=True) if hasattr(config, "get_text_config") else config


def _setting(model: nn.Module, names: Sequence[str]) -> int | None:
    """The first of these settings that the text part has, None where it has none."""
    values = [getattr(text_config(model), name, None) for name in names]
    return next((value for value in values if isinstance(value, int) and value > 0), None)


def _decoder(model: Any) -> nn.Module:
    try:
        decoder = model.get_decoder()
        if isinstance(decoder, nn.Module):
            return decoder
    except (AttributeError, NotImplementedError):
        pass  # older releases have it for a few architectures only
    base = getattr(model, "base_model", model)
    return base if isinstance(base, nn.Module) else model


def sample_ids(model: nn.Module) -> torch.Tensor:
    """Two short rows that differ in their last token only, (2, 4), on the device of the embeddings."""
    size = int(getattr(text_config(model), "vocab_size", 100))
    first = min(5, size - 2)
    rows = torch.tensor([[first, first + 1, first, first], [first, first + 1, first, first + 1]])
    return rows.to(input_device(model))


def input_device(model: Any) -> torch.device:
    """The device that token ids must be on."""
    embeddings = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    parameter = next((embeddings or model).parameters(), None)
    if parameter is None or parameter.device.type == "meta":
        # weights on disk are fetched by a hook, which knows where it puts them
        hook = getattr(embeddings or model, "_hf_hook", None)
        return torch.device(getattr(hook, "execution_device", None) or "cpu")
    device: torch.device = parameter.device
    return device


def _blocks(model: nn.Module, layers: str | None) -> tuple[nn.Module, tuple[nn.Module, ...], int]:
    """The module that owns the decoder blocks' list, the blocks in order, and the width of what they return.

    layers: path of the list where the rule does not find it.  Raises ModelError when nothing fits (naming what was
    found), and for an encoder, whose tokens see what comes after them.
    """
    depth = _setting(model, _DEPTH)
    for root in (model,) if layers else (_decoder(model), model):
        named = root.named_modules()
        lists = {name: own for name, own in named if isinstance(own, nn.ModuleList) and len(own)}
        if lists:
            break
    described = [f"{name or '(root)'} ({len(modules)})" for name, modules in list(lists.items())[:8]]
    among = ", ".join(described) or "no list of modules"
    if layers is not None and layers not in lists:
        raise ModelError(f"no list of modules at {layers!r}; this model has {among}")
    asked = {name: own for name, own in lists.items() if (name == layers if layers else len(own) == depth)}
    seen: dict[str, list[tuple[int, torch.Tensor | None]]] = {name: [] for name in asked}
    with ExitStack() as stack:
        for name, modules in asked.items():
            for index, module in enumerate(modules):

                def note(_m: nn.Module, _a: Any, output: Any, *, name: str = name, index: int = index) -> None:
                    seen[name].append((index, hidden(output)))

                stack.callback(module.register_forward_hook(note).remove)
        with torch.inference_mode():
            model(input_ids=sample_ids(model), use_cache=False)
    for name in sorted(asked, key=lambda path: (path.count("."), path)):
        states = [own for _, own in seen[name] if own is not None and own.dim() == 3 and own.shape[:2] == (2, 4)]
        if [index for index, _ in seen[name]] == list(range(len(asked[name]))) and len(states) == len(seen[name]):
            if not all(map(_is_causal, states)):
                kind = getattr(model.config, "model_type", "model")
                raise ModelError(
                    f"this {kind} is an encoder: its tokens see what follows them; a causal language model is needed"
                )
            return root.get_submodule(name.rpartition(".")[0]), tuple(asked[name]), int(states[0].shape[-1])
    raise ModelError(
        f"cannot tell the decoder blocks ({depth} layers by the configuration) among {among}; "
        "name their list with layers='...'"
    )


def _is_causal(state: torch.Tensor) -> bool:
    """The two rows differ in the last token only, so earlier positions must agree."""
    early = state[:, :-1].float()
    apart = float((early[0] - early[1]).abs().max())
    return apart <= min(64 * torch.finfo(state.dtype).eps, 0.02) * float(early.abs().max())
