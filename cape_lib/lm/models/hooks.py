"""Read or change hidden states while a model runs; every hook is gone afterwards, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from cape_lib.lm.models.finding import hidden, with_hidden
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site

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
