"""Find the decoder blocks of any causal model, and check them with one forward pass.

Rule: the decoder's ModuleLists whose length is the configuration's number of layers; of these the one whose members
were each called once, in order, and returned a hidden state.  It found the blocks of every architecture tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from cape_lib.errors import CapeError, SurroundingsError


class ModelError(CapeError):
    """A folder or model that cannot be read as a causal language model (exit 3)."""

    exit_code = 3


def needed(package: str, what: str) -> None:
    """SurroundingsError, with the command that helps, where a package is not installed."""
    if find_spec(package) is None:
        raise SurroundingsError(f"{what} needs the package {package}; pip install {package}")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on a GPU or on the CPU."""
    words = str(error).lower()
    named = type(error).__name__ in ("OutOfMemoryError", "MemoryError")
    return named or "out of memory" in words or "can't allocate memory" in words or "not enough memory" in words


@contextmanager
def memory_guard(doing: str) -> Iterator[None]:
    """Turn running out of memory into a SurroundingsError (exit 6) that says what helps."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_memory(error):
            raise
        raise SurroundingsError(
            f"out of memory while {doing}; take a smaller --batch, --dtype bfloat16, shorter texts or a smaller model"
        ) from error


_DEPTH_NAMES = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEAD_NAMES = ("num_attention_heads", "n_head", "n_heads", "num_heads")
#: names of a block's parts; OPT's MLP is two bare layers
_PART_NAMES = {"attn": ("attn", "attention"), "mlp": ("mlp", "ffn", "feed_forward", "moe", "fc2")}
_OUTPUT_NAMES = ("o_proj", "out_proj", "c_proj", "dense", "wo", "proj", "linear_out")


def hidden(output: Any) -> torch.Tensor | None:
    """The hidden state in what a block returned: the tensor itself or the first one of a tuple."""
    first = output[0] if isinstance(output, (tuple, list)) and len(output) else output
    return first if isinstance(first, torch.Tensor) else None


def with_hidden(output: Any, state: torch.Tensor) -> Any:
    """The same kind of output with another hidden state (the original is left as it was)."""
    if isinstance(output, tuple):
        return (state, *output[1:])
    if isinstance(output, list):
        return [state, *output[1:]]
    return state


def text_config(model: nn.Module) -> Any:
    """The configuration of the text part."""
    config: Any = model.config
    return config.get_text_config(decoder=True) if hasattr(config, "get_text_config") else config


def _setting(config: Any, names: Sequence[str]) -> int | None:
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def n_heads(model: nn.Module) -> int | None:
    """Attention heads a block, None where the configuration names none."""
    return _setting(text_config(model), _HEAD_NAMES)


def context_length(model: nn.Module) -> int | None:
    """How many tokens the model reads, None where there is no bound."""
    return _setting(
        text_config(model), ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context_length")
    )


@dataclass(frozen=True)
class Decoder:
    """Blocks of a decoder, the path of their list, and the width of what they return."""

    path: str
    blocks: tuple[nn.Module, ...]
    width: int


def _decoder(model: Any) -> nn.Module:
    try:
        decoder = model.get_decoder()
        if isinstance(decoder, nn.Module):
            return decoder
    except (AttributeError, NotImplementedError):
        pass  # older releases have it for a few architectures only
    base = getattr(model, "base_model", model)
    return base if isinstance(base, nn.Module) else model


def _lists(root: nn.Module) -> dict[str, nn.ModuleList]:
    return {name: module for name, module in root.named_modules() if isinstance(module, nn.ModuleList) and len(module)}


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


def _trace(
    model: nn.Module, candidates: dict[str, Sequence[nn.Module]]
) -> dict[str, list[tuple[int, torch.Tensor | None]]]:
    """What each candidate's members returned during one forward pass: (index, hidden state) in order of the calls."""
    seen: dict[str, list[tuple[int, torch.Tensor | None]]] = {name: [] for name in candidates}
    handles = []
    try:
        for name, modules in candidates.items():
            for index, module in enumerate(modules):

                def note(_m: nn.Module, _a: Any, output: Any, *, name: str = name, index: int = index) -> None:
                    seen[name].append((index, hidden(output)))

                handles.append(module.register_forward_hook(note))
        with torch.inference_mode():
            model(input_ids=sample_ids(model), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def find_blocks(model: nn.Module, *, layers: str | None = None) -> Decoder:
    """The decoder blocks of a model in order; `layers` names the ModuleList where the rule does not find it.

    Raises ModelError when nothing fits (naming what was found), and for an encoder, whose tokens see what comes
    after them.
    """
    decoder = _decoder(model)
    depth = _setting(text_config(model), _DEPTH_NAMES)
    lists = _lists(model) if layers else _lists(decoder) or _lists(model)
    if layers is not None:
        if layers not in lists:
            raise ModelError(f"no list of modules at {layers!r}; this model has {_described(lists)}")
        candidates: dict[str, Sequence[nn.Module]] = {layers: list(lists[layers])}
    else:
        candidates = {name: list(modules) for name, modules in lists.items() if len(modules) == depth}
    seen = _trace(model, candidates)
    for name in sorted(candidates, key=lambda path: (path.count("."), path)):
        calls = seen[name]
        states = [state for _, state in calls if state is not None and state.dim() == 3 and state.shape[:2] == (2, 4)]
        if [index for index, _ in calls] == list(range(len(candidates[name]))) and len(states) == len(calls):
            if not _is_causal(states):
                kind = getattr(model.config, "model_type", "model")
                raise ModelError(
                    f"this {kind} is an encoder: its tokens see what follows them; a causal language model is needed"
                )
            return Decoder(name, tuple(candidates[name]), int(states[0].shape[-1]))
    raise ModelError(
        f"cannot tell the decoder blocks ({depth} layers by the configuration) among {_described(lists)}; "
        "name their list with layers='...'"
    )


def _described(lists: dict[str, nn.ModuleList]) -> str:
    shown = [f"{name or '(root)'} ({len(modules)})" for name, modules in list(lists.items())[:8]]
    return ", ".join(shown) or "no list of modules"


def _is_causal(states: Sequence[torch.Tensor]) -> bool:
    """The two rows differ in the last token only, so earlier positions must agree."""
    for state in states:
        early = state[:, :-1]
        apart = float((early[0].float() - early[1].float()).abs().max())
        if apart > min(64 * torch.finfo(state.dtype).eps, 0.02) * float(early.float().abs().max()):
            return False
    return True


def head_outputs(block: nn.Module, heads: int | None) -> nn.Module | None:
    """The projection in a block that mixes the attention heads back together; its input holds the heads side by side.

    None where a block has no attention or keeps its heads in another way.
    """
    if not heads:
        return None
    for name, module in block.named_modules():
        parts = name.split(".")
        inside = any("attn" in part or "attention" in part for part in parts[:-1])
        if inside and parts[-1] in _OUTPUT_NAMES and isinstance(getattr(module, "weight", None), torch.Tensor):
            mixer: nn.Module = module
            return mixer
    return None


def block_part(block: nn.Module, kind: str) -> nn.Module:
    """The attention ("attn") or the MLP ("mlp") of a block; ModelError where it has none by a known name."""
    names = dict(block.named_children())
    for name, child in names.items():
        if any(word in name for word in _PART_NAMES[kind]) and not any(word in name for word in ("norm", "drop")):
            return child
    raise ModelError(f"cannot tell the {kind} of a block among {', '.join(names)}; take the block's output")


def final_norm(model: nn.Module, place: Decoder) -> nn.Module | None:
    """The normalisation after the last block: the last direct child of the blocks' parent that is one."""
    decoder = _decoder(model)
    if not any(place.path == name for name, _ in decoder.named_modules()):
        decoder = model
    owner: nn.Module = decoder.get_submodule(place.path.rpartition(".")[0]) if "." in place.path else decoder
    norms = [child for name, child in owner.named_children() if "norm" in name or name.startswith("ln")]
    return norms[-1] if norms else None
