"""The hidden states of texts at chosen places, at one token of each text."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.finding import memory_guard
from cape_lib.lm.models.record import LanguageModel, Site, site_name, site_parts
from cape_lib.lm.models.running import Batch, broken, chunks, encode_rows, not_finite, states_only, token_lists, watched


def _at(batch_start: torch.Tensor, length: int, token: int, state: torch.Tensor) -> torch.Tensor:
    """The state of one token a row: `token` counts real tokens, from the end where negative."""
    column = batch_start + token if token >= 0 else torch.full_like(batch_start, length + token)
    rows = torch.arange(state.shape[0], device=state.device)
    return state[rows, column.to(state.device)].detach().float().cpu()


def _check_token(rows: Sequence[Sequence[int]], token: int) -> None:
    shortest = min(len(row) for row in rows)
    if not -shortest <= token < shortest:
        raise UsageError(f"token {token} is outside the shortest text, which has {shortest} tokens")


def _check_finite(lm: LanguageModel, states: torch.Tensor, sites: Sequence[Site]) -> None:
    # a state that is no number would pass through every comparison as "not exceeded"
    for place, site in enumerate(sites):
        if broken(states[:, place].abs()):
            raise not_finite(lm, site_name(site, lm.depth), next(lm.model.parameters()).dtype)


@torch.inference_mode()
def capture(
    lm: LanguageModel, texts: Sequence[str], sites: Sequence[Site] | None = None, *, token: int = -1, batch: int = 4096
) -> torch.Tensor:
    """Hidden states (n_texts, n_sites, d), float32 on the CPU, of the last real token of each text (or of `token`).

    sites: see `record.PLACES`, default all blocks; the parts of a joined one lie side by side; batch: padded tokens a
    forward pass.  Raises UsageError for an empty text, one longer than the context, a block that is not there or
    sites of several widths, and SurroundingsError for a state that is no finite number.
    """
    wanted = [lm.site(site) for site in sites] if sites is not None else list(range(lm.depth))
    widths = {sum(lm.widths(site)) for site in wanted}
    if len(widths) > 1:
        raise UsageError(f"places of {len(widths)} widths cannot be read into one table; read them one by one")
    rows = token_lists(lm, texts, what="text")
    _check_token(rows, token)
    states = torch.zeros(len(rows), len(wanted), *widths)
    with memory_guard("reading hidden states"):
        for group in chunks([len(row) for row in rows], tokens=batch):
            part = encode_rows(lm, [rows[index] for index in group])
            seen: dict[Site, torch.Tensor] = {}

            def note(
                site: Site, state: torch.Tensor, seen: dict[Site, torch.Tensor] = seen, part: Batch = part
            ) -> None:
                seen[site] = _at(part.start, part.ids.shape[1], token, state)

            with watched(lm, [place for site in wanted for place in site_parts(site)], note):
                states_only(lm, part)
            joined = [torch.cat([seen[place] for place in site_parts(site)], -1) for site in wanted]
            states[group] = torch.stack(joined, dim=1)
    _check_finite(lm, states, wanted)
    return states


@torch.inference_mode()
def capture_with_heads(
    lm: LanguageModel, texts: Sequence[str], *, batch: int = 4096
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """States of all blocks (n_texts, depth, d), and per block its heads' outputs (n_texts, heads, size), in one pass.

    Blocks without attention are left out of the second.
    """
    rows = token_lists(lm, texts, what="text")
    states = torch.zeros(len(rows), lm.depth, lm.width)
    heads: dict[int, torch.Tensor] = {}
    mixers: list[Site] = [f"heads.{block}" for block in range(lm.depth) if lm.head_mixer(block) is not None]
    with memory_guard("reading hidden states"):
        for group in chunks([len(row) for row in rows], tokens=batch):
            part = encode_rows(lm, [rows[index] for index in group])

            def note(site: Site, state: torch.Tensor, group: list[int] = group) -> None:
                last = state[:, -1].detach().float().cpu()
                if isinstance(site, int):
                    states[group, site] = last
                elif lm.heads and last.shape[-1] % lm.heads == 0:
                    own = last.reshape(len(group), lm.heads, -1)
                    heads.setdefault(int(site.split(".")[1]), torch.zeros(len(rows), *own.shape[1:]))[group] = own

            with watched(lm, [*range(lm.depth), *mixers], note):
                states_only(lm, part)
    _check_finite(lm, states, list(range(lm.depth)))
    return states, heads
