"""Which function recomputes which claim. Functions register themselves when their chapter's file is loaded."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cape_lib import tables
from cape_lib.claims.verdict import Found, Stress
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest

Recompute = Callable[[str], "list[Found] | Found"]
Stresses = Callable[[str], list[Stress]]

BASE = ("published", "deduplicated", "uniform")
#: Panels of released scores; "independent" has two of the benchmarks that the others have.
STATED = ("published", "corrected", "sourced", "current")
FRONTIER = (*STATED, "independent")
#: Measurements and texts of which there is one version only.
RECORDED = ("published",)
PANELS = tuple(dict.fromkeys((*BASE, *FRONTIER)))

#: chapter -> files with the functions of its claims
FILES = {
    "01": ("c01_coupling", "c01_scaling"),
    "02": ("c02_boundary", "c02_dynamics"),
    "03": ("c03_levers", "c03_internal"),
    "04": ("c04_mechanism",),
    "05": ("c05_steering",),
    "06": ("c06_trend", "c06_labs", "c06_releases"),
    "07": ("c07_predictions",),
}

#: chapter -> its page in the audit
PAGES = {
    "01": "01_coupling",
    "02": "02_phase_boundary",
    "03": "03_levers",
    "04": "04_mechanism",
    "05": "05_steering",
    "06": "06_frontier",
    "07": "07_predictions",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One claim's function, the panels that it can be computed on, the tables that it reads."""

    id: str
    recompute: Recompute
    panels: tuple[str, ...]
    reads: tuple[str, ...]

    @property
    def stresses(self) -> list[Stresses]:
        return _STRESSES.get(self.id, [])


_ENTRIES: dict[str, Entry] = {}
_STRESSES: dict[str, list[Stresses]] = {}


def claim(
    ident: str, *, panels: tuple[str, ...] = RECORDED, reads: tuple[str, ...] | None = None
) -> Callable[[Recompute], Recompute]:
    """Decorator: this function recomputes claim `ident` on each of `panels`.

    reads: the tables that it reads on the first of them; by default the base or the frontier panel, as its panels say.
    """
    given = ("base_panel",) if "uniform" in panels else ("frontier_panel",) if "corrected" in panels else ()

    def register(function: Recompute) -> Recompute:
        _ENTRIES[ident] = Entry(ident, function, panels, given if reads is None else reads)
        return function

    return register


def stress(*idents: str) -> Callable[[Stresses], Stresses]:
    """Decorator: this function tries to break these claims (of the same file)."""

    def register(function: Stresses) -> Stresses:
        for ident in idents:
            _STRESSES.setdefault(ident, []).append(function)
        return function

    return register


@lru_cache(maxsize=1)
def _chapters() -> dict[str, str]:
    frame = tables.load("claims")
    return dict(zip(frame["id"], frame["chapter"], strict=True))


def claim_ids() -> list[str]:
    """The ids of all claims, in order."""
    return list(_chapters())


def entry(ident: str) -> Entry:
    """The registered function of one claim; loads the files of its chapter.

    Raises UsageError for an unknown id, MissingError for a claim that has no function yet.
    """
    chapters = _chapters()
    if ident not in chapters:
        raise UsageError(suggest("claim", ident, chapters))
    for name in FILES[chapters[ident]]:
        if ident in _ENTRIES:
            break
        importlib.import_module(f"cape_lib.claims.{name}")
    if ident not in _ENTRIES:
        places = " or ".join(f"cape_lib/claims/{name}.py" for name in FILES[chapters[ident]])
        raise MissingError(f"claims.csv: nothing recomputes {ident}; write a function, @claim({ident!r}), in {places}")
    return _ENTRIES[ident]


def registered() -> list[str]:
    """Ids of every function that there is, all chapters loaded."""
    for names in FILES.values():
        for name in names:
            importlib.import_module(f"cape_lib.claims.{name}")
    return sorted(_ENTRIES)


def function_of(ident: str) -> Recompute:
    """The function that recomputes a claim."""
    return entry(ident).recompute


def where(ident: str) -> dict[str, Any]:
    """Where a claim is recomputed and treated: file, line, name, source code, formula, tables; links in the book."""
    function = function_of(ident)
    code = function.__code__
    page = PAGES[_chapters()[ident]]
    root = Path(__file__).resolve().parents[2]
    return {
        "file": Path(code.co_filename).resolve().relative_to(root).as_posix(),
        "line": code.co_firstlineno,
        "name": code.co_name,
        "formula": inspect.getdoc(function) or "",
        "code": inspect.getsource(function),
        "tables": entry(ident).reads,
        "chapter_link": f"../notebooks/audit/{page}.html#{ident}",
        "claim_link": f"../notebooks/audit/08_claims.html#{ident}",
    }
