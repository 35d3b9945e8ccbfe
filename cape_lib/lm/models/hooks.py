"""Read or change hidden states while a model runs; every hook is gone afterwards, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from cape_lib.errors import SurroundingsError, UsageError
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
    raise UsageError("the module is called without a hidden state; take another layer")


@contextmanager
def changed(lm: LanguageModel, site: Site, change: Change, *, first: bool = True) -> Iterator[None]:
    """Inside, the hidden state at a single site is `change(state)`.

    first: ahead of other hooks (also the library's own), which then see the new state.
    """
    module, inward, columns = lm.spot(site)

    def moved(state: torch.Tensor) -> torch.Tensor:
        if state.dim() != 3:
            raise UsageError(f"{site}: this model runs its tokens flat there; take the block's output")
        piece = state if columns.stop is None else state[..., columns]
        new = change(piece)
        if new is piece:
            return state
        if columns.stop is None:
            return new
        fresh = state.clone()
        fresh[..., columns] = new
        return fresh

    def before(_m: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _replace_input(args, kwargs, moved)

    def after(_m: nn.Module, _args: Any, output: Any) -> Any:
        state = hidden(output)
        new = None if state is None else moved(state)
        return None if new is None or new is state else with_hidden(output, new)

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

    def seen(site: Site) -> Change:
        def change(state: torch.Tensor) -> torch.Tensor:
            note(site, state)
            return state

        return change

    with ExitStack() as stack:
        for site in dict.fromkeys(sites):
            stack.enter_context(changed(lm, site, seen(site), first=False))
        yield


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
