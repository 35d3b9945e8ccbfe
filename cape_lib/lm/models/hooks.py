"""Read or change hidden states while a model runs; every hook is gone afterwards, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from cape_lib.errors import SurroundingsError
from cape_lib.lm.models.finding import hidden, with_hidden
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site, site_name

Change = Callable[[torch.Tensor], torch.Tensor]


def _replace_input(
    args: tuple[Any, ...], kwargs: dict[str, Any], change: Change
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if args and isinstance(args[0], torch.Tensor):
        return (change(args[0]), *args[1:]), kwargs
    for key in ("hidden_states", "x", "hidden"):
        if isinstance(kwargs.get(key), torch.Tensor):
            return args, {**kwargs, key: change(kwargs[key])}
    raise RuntimeError("the first block is called without a hidden state")


@contextmanager
def changed(lm: LanguageModel, site: Site, change: Change) -> Iterator[None]:
    """Inside, the hidden state at a site is `change(state)`; later hooks (also the library's own) see the new one."""
    block = lm.blocks[0 if site == "embed" else site]
    if site == "embed":

        def before(_m: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return _replace_input(args, kwargs, change)

        handle = block.register_forward_pre_hook(before, with_kwargs=True, prepend=True)
    else:

        def after(_m: nn.Module, _args: Any, output: Any) -> Any:
            state = hidden(output)
            return None if state is None else with_hidden(output, change(state))

        handle = block.register_forward_hook(after, prepend=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def watched(lm: LanguageModel, sites: Sequence[Site], note: Callable[[Site, torch.Tensor], None]) -> Iterator[None]:
    """Inside, `note(site, state)` is called with the hidden state at each site, after any change there."""
    handles = []
    try:
        for site in dict.fromkeys(sites):
            if site == "embed":

                def seen(state: torch.Tensor) -> torch.Tensor:
                    note("embed", state)
                    return state

                def before(_m: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                    _replace_input(args, kwargs, seen)

                handles.append(lm.blocks[0].register_forward_pre_hook(before, with_kwargs=True))
            else:

                def after(_m: nn.Module, _args: Any, output: Any, *, site: Site = site) -> None:
                    state = hidden(output)
                    if state is not None:
                        note(site, state)

                handles.append(lm.blocks[site].register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched_heads(lm: LanguageModel, note: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """Inside, `note(block, state)` gets each block's head outputs side by side, (rows, tokens, heads * size)."""
    handles = []
    try:
        for index in range(lm.depth):
            mixer = lm.head_mixer(index)
            if mixer is None:
                continue

            def before(_m: nn.Module, args: tuple[Any, ...], *, index: int = index) -> None:
                if args and isinstance(args[0], torch.Tensor):
                    note(index, args[0])

            handles.append(mixer.register_forward_pre_hook(before))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def reading(lm: LanguageModel, read: torch.Tensor | None) -> Iterator[Change]:
    """Inside, the model computes the logits of the tokens in `read` (rows, length) only; None reads them all.

    Yields what turns the model's logits into (n, vocabulary) in the order of the tokens read.
    """
    if read is None:
        yield lambda logits: logits
        return
    cut: list[bool] = []

    def before(_m: nn.Module, args: tuple[Any, ...]) -> Any:
        state = args[0]
        if state.shape[:2] != read.shape:
            return None
        cut.append(True)
        return (state[read.to(state.device)][None], *args[1:])

    handle = lm.unembedding.register_forward_pre_hook(before) if lm.unembedding is not None else None
    try:
        # what a model does to its logits afterwards (scaling, capping) it does to each by itself
        yield lambda logits: logits[0] if cut else logits[read.to(logits.device)]
    finally:
        if handle is not None:
            handle.remove()


def checked(lm: LanguageModel, forward: Callable[[], torch.Tensor]) -> torch.Tensor:
    """What `forward` returns; SurroundingsError where it holds NaN or infinity, naming the block where that began."""
    values = forward()
    if not broken(values):
        return values
    first: list[Site] = []

    def note(site: Site, state: torch.Tensor) -> None:
        if broken(state) and not first:
            first.append(site)

    with watched(lm, ["embed", *range(lm.depth)], note):
        forward()
    where = site_name(first[0], lm.depth) if first else "the logits"
    raise not_finite(lm, where, values.dtype)


def broken(values: torch.Tensor) -> bool:
    """Whether there is a NaN or a plus infinity (minus infinity is how some models forbid a token)."""
    return bool((values.isnan() | (values == float("inf"))).any())


def not_finite(lm: LanguageModel, where: str, dtype: torch.dtype) -> SurroundingsError:
    """The error for states or logits that are no numbers."""
    kind = str(dtype).removeprefix("torch.")
    help_ = "take --dtype bfloat16 or float32" if dtype == torch.float16 else "take a smaller strength"
    return SurroundingsError(f"{lm.name}: {where} holds values that are no finite numbers in {kind}; {help_}")
