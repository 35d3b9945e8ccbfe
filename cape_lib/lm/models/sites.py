"""Where in a model something is read or changed: one table of the places that a block has."""

from __future__ import annotations

import re

from cape_lib.errors import UsageError

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
