"""Near matches for a mistyped name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def listed(names: Sequence[str], most: int = 4) -> str:
    """The first names, parted by commas, and " ..." where there are more."""
    return ", ".join(names[:most]) + " ..." * (len(names) > most)


def suggest(kind: str, given: str, valid: Iterable[str], *, most: int = 4) -> str:
    """One sentence for an unknown name: what was given and the nearest valid names, or all if few are near."""
    names = [str(name) for name in valid]
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(given.casefold(), folded, n=most, cutoff=0.5)
    shown = listed([folded[name] for name in near] or names, 12)
    return f"unknown {kind} {given!r}; {'did you mean' if near else 'choose from'} {shown}"
