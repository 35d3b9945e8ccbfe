"""Where in a model something is read or added: the output of a decoder block, or the input of the first one."""

from __future__ import annotations

import re
from typing import Literal

from cape_lib.errors import UsageError

#: 0-based index of a decoder block (its output), or "embed": the input of block 0
Site = int | Literal["embed"]


def site_of(asked: str | int, depth: int) -> Site:
    """The site for "embed", "quarter" (block depth // 4, as in the papers' tool) or an index of a block.

    Negative numbers count from the end; UsageError when the model has no such block.
    """
    if isinstance(asked, str):
        word = asked.strip().lower()
        if word == "embed":
            return "embed"
        if word == "quarter":
            return depth // 4
        if not re.fullmatch(r"-?\d+", word):
            raise UsageError(f"unknown layer {asked!r}; choose embed, quarter or a block from 0 to {depth - 1}")
        asked = int(word)
    index = int(asked)
    if not -depth <= index < depth:
        raise UsageError(f"layer {index} is out of range: this model has {depth} blocks, 0 to {depth - 1}")
    return index % depth


def site_name(site: Site, depth: int) -> str:
    """A site for people: "embed", or "block 6 of 24 (depth 0.29)"; depth is the share of blocks run by then."""
    return "embed" if site == "embed" else f"block {site} of {depth} (depth {(site + 1) / depth:.2f})"
