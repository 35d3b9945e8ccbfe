"""The hidden states of texts at chosen places, at one token of each text."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.finding import memory_guard
from cape_lib.lm.models.record import LanguageModel, Site, site_name, site_parts
from cape_lib.lm.models.running import broken, chunks, encode_rows, not_finite, states_only, token_lists, watched


def _read(
    lm: LanguageModel, texts: Sequence[str], sites: Sequence[Site], token: int, batch: int
) -> dict[Site, torch.Tensor]:
    """Single site -> states (n_texts, width) of one token a text, counted from the end where negative."""
    rows = token_lists(lm, texts, what="text")
    shortest = min(len(row) for row in rows)
    if not -shortest <= token < shortest:
        raise UsageError(f"token {token} is outside the shortest text, which has {shortest} tokens")
    result: dict[Site, torch.Tensor] = {}
    with memory_guard("reading hidden states"):
        for group in chunks([len(row) for row in rows], tokens=batch):
            part = encode_rows(lm, [rows[index] for index in group])
            column = part.start + token if token >= 0 else torch.full_like(part.start, part.ids.shape[1] + token)

            def note(site: Site, state: torch.Tensor, group: list[int] = group, column: torch.Tensor = column) -> None:
                own = (
                    state[torch.arange(len(state), device=state.device), column.to(state.device)].detach().float().cpu()
                )
                result.setdefault(site, torch.zeros(len(rows), own.shape[-1]))[group] = own

            with watched(lm, sites, note):
                states_only(lm, part)
    return result


def _finite(lm: LanguageModel, states: torch.Tensor, sites: Sequence[Site]) -> torch.Tensor:
    # a state that is no number would pass through every comparison as "not exceeded"
    for place, site in enumerate(sites):
        if broken(states[:, place].abs()):
            raise not_finite(lm, site_name(site, lm.depth), next(lm.model.parameters()).dtype)
    return states


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
    seen = _read(lm, texts, [part for site in wanted for part in site_parts(site)], token, batch)
    states = torch.stack([torch.cat([seen[part] for part in site_parts(site)], -1) for site in wanted], dim=1)
    return _finite(lm, states, wanted)


@torch.inference_mode()
def capture_with_heads(
    lm: LanguageModel, texts: Sequence[str], *, batch: int = 4096
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """States of all blocks (n_texts, depth, d), and per block its heads' outputs (n_texts, heads, size), in one pass.

    Blocks without attention are left out of the second.
    """
    mixers = {block: f"heads.{block}" for block in range(lm.depth) if lm.head_mixer(block) is not None}
    seen = _read(lm, texts, [*range(lm.depth), *mixers.values()], -1, batch)
    states = _finite(lm, torch.stack([seen[block] for block in range(lm.depth)], dim=1), range(lm.depth))
    whole = {b: seen[site] for b, site in mixers.items() if lm.heads and seen[site].shape[-1] % lm.heads == 0}
    return states, {block: own.reshape(len(own), lm.heads or 1, -1) for block, own in whole.items()}
