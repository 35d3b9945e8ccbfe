"""Which function recomputes which claim. Functions register themselves when their chapter's file is loaded."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cape_lib import tables
from cape_lib.claims.verdict import Result, Stress
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest

#: What a claim came out as: name of the part -> its result; the result alone where there is one part.
Answer = Result | dict[str, Result]
Recompute = Callable[..., Answer]
Stresses = Callable[..., list[Stress]]
Tests = Callable[..., Stress | None]
R = TypeVar("R", bound=Recompute)
S = TypeVar("S", bound=Stresses)
T = TypeVar("T", bound=Tests)
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
    "01": ("c01_coupling", "c01_population", "c01_scaling"),
    "02": ("c02_boundary", "c02_curve", "c02_dynamics"),
    "03": ("c03_levers", "c03_internal"),
    "04": ("c04_mechanism",),
    "05": ("c05_steering",),
    "06": ("c06_trend", "c06_labs", "c06_releases"),
    "07": ("c07_predictions",),
    "09": ("c09_today",),
    "10": ("c09_today",),
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
    "09": "09_asked_again",
    "10": "10_along_training",
}
#: The source of claims that are ours: judged by the same rules, counted apart from those of the papers.
OURS = "this book"


class Trial(NamedTuple):
    """A test as it is made: its name, its kind (`rule.TAKES`), why it decides, on which panel."""

    name: str
    kind: str
    why: str
    panel: str


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

    @property
    def tested_on(self) -> dict[str, str]:
        """Panel of the number -> panel of its tests: what is as released is tried on the same rows without their known
        errors, where there are such. What a sentence says ("as worded") is asked of the rows that it is about."""
        better = next((panel for panel in ("corrected", "deduplicated") if panel in self.panels), self.panels[0])
        return {panel: better if panel == "published" else panel for panel in self.panels}

    def tests(self, panel: str) -> list[tuple[Trial, Stress | None]]:
        """Each test of the conclusion of a number computed on `panel`, and its outcome; None: not to be made here."""
        known = _TESTS.get(self.id, {})
        made = []
        for row in tests_of().get(self.id, []):
            if row["test"] and row["test"] not in known:
                says = f"nothing computes {row['test']!r} for {self.id}; known are {', '.join(known) or 'none'}"
                raise ScoresError(f"claim_tests.csv: {says}")
            if row["test"]:
                kind, function, given = known[row["test"]]
                on = panel if kind == "as worded" else self.tested_on[panel]
                outcome = function(on, *given)
                made.append((Trial(row["test"], kind, row["why"], on), outcome))
        return made

    def stresses(self, panel: str) -> list[Stress]:
        """What else was tried, which decides nothing."""
        return [each for function, given in _STRESSES.get(self.id, []) for each in function(panel, *given)]


_ENTRIES: dict[str, Entry] = {}
_STRESSES: dict[str, list[tuple[Stresses, tuple[Any, ...]]]] = {}
_TESTS: dict[str, dict[str, tuple[str, Tests, tuple[Any, ...]]]] = {}


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
    """Decorator: what else was tried against these claims (of the same file); `idents` as for `claim`."""

    def register(function: S) -> S:
        for ident, arguments in _rows(idents).items():
            _STRESSES.setdefault(ident, []).append((function, arguments))
        return function

    return register


def test(name: str, *idents: str | Rows, kind: str) -> Callable[[T], T]:
    """Decorator: this function tests the conclusion of these claims; `idents` as for `claim`, kind one of `TAKES`.

    It returns one `Stress`, with `against` filled where it goes against the claim, or None where the panel does not
    let it be made. Whether it decides, and why, is said in claim_tests.csv by `name`.
    """

    def register(function: T) -> T:
        for ident, arguments in _rows(idents).items():
            _TESTS.setdefault(ident, {})[name] = (kind, function, arguments)
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


@lru_cache(maxsize=1)
def tests_of() -> dict[str, list[dict[str, Any]]]:
    """Claim -> its rows of claim_tests.csv: test (blank: there is none) and why, the gravest first."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in tables.load("claim_tests").fillna("").to_dict("records"):
        grouped.setdefault(str(row["id"]), []).append({str(key): cell for key, cell in row.items()})
    return grouped


def claim_ids() -> list[str]:
    """The ids of all claims of the announcement and the papers, in order."""
    frame = tables.load("claims")
    return [str(ident) for ident in frame.loc[frame["source"] != OURS, "id"]]


def own_claim_ids() -> list[str]:
    """The ids of the claims that this book adds, in order."""
    frame = tables.load("claims")
    return [str(ident) for ident in frame.loc[frame["source"] == OURS, "id"]]


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
    formula = formula.format(*map(_in_words, known.arguments)) if known.arguments else formula
    name = known.function.__name__
    return {"file": file, "line": first + offset, "name": name, "formula": formula, "code": "".join(lines)}


def _in_words(argument: Any) -> Any:
    """What a function is called with, for a reader."""
    if isinstance(argument, bool):
        return "yes" if argument else "no"
    return ", ".join(map(str, argument)) if isinstance(argument, tuple) else argument


def _row_of(ident: str) -> dict[str, Any]:
    rows = (tables.data_dir() / "claim_judgements.csv").read_text("utf-8").splitlines()
    own = [i for i, row in enumerate(rows) if row.startswith(f"{ident},")]
    formula = "; ".join(dict.fromkeys(row["definition"] for row in judgements()[ident].values()))
    code = "\n".join(rows[i] for i in own)
    return {"file": "data/claim_judgements.csv", "line": own[0] + 1, "name": ident, "formula": formula, "code": code}
