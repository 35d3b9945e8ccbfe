"""Which function recomputes which claim. Functions register themselves when their chapter's file is loaded."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cape_lib import tables
from cape_lib.claims.verdict import Result, Stress
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest

#: What a claim came out as: name of the part -> its result; the result alone where there is one part.
Answer = Result | dict[str, Result]
Recompute = Callable[..., Answer]
Stresses = Callable[..., list[Stress]]
R = TypeVar("R", bound=Recompute)
S = TypeVar("S", bound=Stresses)
#: Claims of one kind: id -> what its function is called with, after the panel.
Rows = Mapping[str, tuple[Any, ...]]

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
    """One claim's function, what it is called with, the panels it can be computed on, the tables that it reads."""

    id: str
    function: Recompute
    panels: tuple[str, ...] = RECORDED
    reads: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()

    def recompute(self, panel: str) -> dict[str, Result]:
        """The result of each part, by name; the only part of a claim is named ""."""
        answer = self.function(panel, *self.arguments)
        return {"": answer} if isinstance(answer, Result) else answer

    def stresses(self, panel: str) -> list[Stress]:
        """What was tried against the claim."""
        return [each for function, given in _STRESSES.get(self.id, []) for each in function(panel, *given)]


_ENTRIES: dict[str, Entry] = {}
_STRESSES: dict[str, list[tuple[Stresses, tuple[Any, ...]]]] = {}


def claim(
    *idents: str | Rows, panels: tuple[str, ...] = RECORDED, reads: tuple[str, ...] | None = None
) -> Callable[[R], R]:
    """Decorator: this function recomputes these claims on each of `panels`.

    idents: an id, or for claims of one kind what each is called with after the panel: `{"C20": ("Google",)}`.
    reads: the tables that it reads on the first panel; by default the base or the frontier panel, as its panels say.
    """
    usual = ("base_panel",) if "uniform" in panels else ("frontier_panel",) if "corrected" in panels else ()

    def register(function: R) -> R:
        for ident, arguments in _rows(idents).items():
            _ENTRIES[ident] = Entry(ident, function, panels, usual if reads is None else reads, arguments)
        return function

    return register


def stress(*idents: str | Rows) -> Callable[[S], S]:
    """Decorator: this function tries to break these claims (of the same file); `idents` as for `claim`."""

    def register(function: S) -> S:
        for ident, arguments in _rows(idents).items():
            _STRESSES.setdefault(ident, []).append((function, arguments))
        return function

    return register


def _rows(idents: tuple[str | Rows, ...]) -> dict[str, tuple[Any, ...]]:
    rows: dict[str, tuple[Any, ...]] = {}
    for each in idents:
        rows |= {each: ()} if isinstance(each, str) else dict(each)
    return rows


@lru_cache(maxsize=1)
def _chapters() -> dict[str, str]:
    frame = tables.load("claims")
    return dict(zip(frame["id"], frame["chapter"], strict=True))


@lru_cache(maxsize=1)
def judgements() -> dict[str, dict[str, dict[str, Any]]]:
    """Claim -> name of the part -> its row of claim_judgements.csv, in the order of that file; blank cells are ""."""
    grouped: dict[str, dict[str, dict[str, Any]]] = {}
    for row in tables.load("claim_judgements").fillna("").to_dict("records"):
        plain = {str(key): cell for key, cell in row.items()}
        grouped.setdefault(plain["id"], {})[plain["name"]] = plain
    return grouped


def claim_ids() -> list[str]:
    """The ids of all claims, in order."""
    return list(_chapters())


def _unpublished(panel: str, ident: str) -> dict[str, Result]:
    return {name: Result(None) for name in judgements()[ident]}


def entry(ident: str) -> Entry:
    """The registered function of one claim; loads the files of its chapter. A claim of which no part was published
    in a form that can be computed needs none.

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
        parts = judgements().get(ident, {})
        if parts and all(row["missing"] for row in parts.values()):
            return Entry(ident, _unpublished, arguments=(ident,))
        places = " or ".join(f"cape_lib/claims/{name}.py" for name in FILES[chapters[ident]])
        raise MissingError(f"claims.csv: nothing recomputes {ident}; write a function, @claim({ident!r}), in {places}")
    return _ENTRIES[ident]


def registered() -> list[str]:
    """Ids of every function that there is, all chapters loaded."""
    for names in FILES.values():
        for name in names:
            importlib.import_module(f"cape_lib.claims.{name}")
    return sorted(_ENTRIES)


def where(ident: str) -> dict[str, Any]:
    """Where a claim is recomputed and treated: file, line, name, source code, formula, tables; links in the book.

    A claim without a function is a row of claim_judgements.csv, which says what is missing.
    """
    known = entry(ident)
    page = PAGES[_chapters()[ident]]
    place = _row_of(ident) if known.function is _unpublished else _code_of(known)
    return place | {
        "tables": known.reads,
        "chapter_link": f"../notebooks/audit/{page}.html#{ident}",
        "claim_link": f"../notebooks/audit/08_claims.html#{ident}",
    }


def _code_of(known: Entry) -> dict[str, Any]:
    lines, first = inspect.getsourcelines(known.function)
    offset = next(i for i, line in enumerate(lines) if known.id in line)
    root = Path(__file__).resolve().parents[2]
    file = Path(inspect.getfile(known.function)).resolve().relative_to(root).as_posix()
    formula = inspect.getdoc(known.function) or ""
    formula = formula.format(*known.arguments) if known.arguments else formula
    name = known.function.__name__
    return {"file": file, "line": first + offset, "name": name, "formula": formula, "code": "".join(lines)}


def _row_of(ident: str) -> dict[str, Any]:
    rows = (tables.data_dir() / "claim_judgements.csv").read_text("utf-8").splitlines()
    own = [i for i, row in enumerate(rows) if row.startswith(f"{ident},")]
    formula = "; ".join(dict.fromkeys(row["definition"] for row in judgements()[ident].values()))
    code = "\n".join(rows[i] for i in own)
    return {"file": "data/claim_judgements.csv", "line": own[0] + 1, "name": ident, "formula": formula, "code": code}
