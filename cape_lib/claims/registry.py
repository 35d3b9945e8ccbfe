"""Claims recomputed: which function with which arguments computes which claim, and what its tests make of it.

Functions register themselves when their file is loaded; claims of one kind are rows of one function.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from cape_lib import tables
from cape_lib.claims.verdict import NO_ROWS, TAKES, VERDICTS, Part, Result, Stress, Verdict, lacking, weakest
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest

#: What the function of a claim yields: first what came out (`answer`), then each test by its name in claim_tests.csv,
#: and whatever else was tried, which decides nothing. What a panel has no rows for is left out.
Attempts = Iterator[dict[str, Result] | Stress]
Function = TypeVar("Function", bound=Callable[..., Attempts])
#: Claims of one kind: id -> what its function is called with, after the panel.
Rows = Mapping[str, tuple[Any, ...]]

BASE = ("published", "deduplicated", "uniform")
#: Panels of released scores; "independent" has two of the benchmarks that the others have.
STATED = ("published", "corrected", "sourced", "current")
FRONTIER = (*STATED, "independent")
#: Measurements and texts of which there is one version only.
RECORDED = ("published",)
PANELS = tuple(dict.fromkeys((*BASE, *FRONTIER)))

#: the files with the functions
FILES = ("base_models", "internals", "releases", "c09_today")
#: chapter -> its page in the audit
PAGES = {"01": "coupling", "02": "phase_boundary", "03": "levers", "04": "mechanism", "05": "steering"}
PAGES |= {"06": "frontier", "07": "predictions", "09": "asked_again", "10": "along_training"}
#: The source of claims that are ours: judged by the same rules, counted apart from those of the papers.
OURS = "this book"


@dataclass(frozen=True, slots=True)
class Entry:
    """One claim's function, what it is called with, the panels it can be computed on, the tables that it reads."""

    id: str
    function: Callable[..., Attempts]
    panels: tuple[str, ...] = RECORDED
    reads: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()

    def run(self, panel: str) -> Iterator[Any]:
        """What the function yields on a panel."""
        return self.function(panel, *self.arguments)

    def attempts(self, panel: str) -> tuple[dict[str, Result], list[Stress], tuple[Stress, ...]]:
        """The answer; the tests of its conclusion that these rows allow, the gravest first; and what else was tried.

        A number as released is tried on the same rows without their known errors, where there are such; what a sentence
        says ("as worded") is asked of the rows that it is about.
        """
        better = next((name for name in ("corrected", "deduplicated") if name in self.panels), self.panels[0])
        better = better if panel == "published" else panel
        run, named, tests = self.run(panel), tests_of().get(self.id, {}), []
        answer, worded = next(run), any(row["kind"] == "as worded" for row in named.values())
        here = list(run) if worded or better == panel else []
        there = here if better == panel else list(self.run(better))[1:]
        for name, row in named.items():
            tried, on = (here, panel) if row["kind"] == "as worded" else (there, better)
            for one in tried:
                if one.name == name and one.value is not None:
                    says = one.spoken(row["says"] + (row["more"] if one.lost else ""))
                    tests.append(replace(one, kind=row["kind"], why=row["why"], panel=on, says=says))
        return answer, tests, tuple(one for one in there if one.lost is None and one.value is not None)


_ENTRIES: dict[str, Entry] = {}


def claim(
    *idents: str | Rows, panels: tuple[str, ...] = RECORDED, reads: tuple[str, ...] | None = None
) -> Callable[[Function], Function]:
    """Decorator: this function recomputes these claims on each of `panels`, and tries them.

    idents: an id, or for claims of one kind what each is called with after the panel: `{"C20": ("Google",)}`.
    reads: the tables that the number is read from on the first panel; by default the base or the frontier panel, as its
    panels say. The function yields its answer first and then what was tried (`Attempts`): a test is a `stress` that
    says whether the claim is `lost`; whether that decides, and why, is said in claim_tests.csv.
    """
    usual = ("base_panel",) if "uniform" in panels else ("frontier_panel",) if "corrected" in panels else ()

    def register(function: Function) -> Function:
        for each in idents:
            for ident, arguments in ({each: ()} if isinstance(each, str) else each).items():
                _ENTRIES[ident] = Entry(ident, function, panels, usual if reads is None else reads, arguments)
        return function

    return register


@lru_cache(maxsize=8)
def _grouped(table: str, column: str) -> dict[str, dict[str, dict[str, str]]]:
    """Claim -> cell of a column -> the row, as text, blank cells "", in the order of the file."""
    grouped: dict[str, dict[str, dict[str, str]]] = {}
    for row in tables.load(table).fillna("").to_dict("records"):
        grouped.setdefault(row["id"], {})[row[column]] = {str(name): cell for name, cell in row.items()}
    return grouped


def about() -> dict[str, dict[str, str]]:
    """Claim -> its row of claims.csv."""
    return {ident: rows[ident] for ident, rows in _grouped("claims", "id").items()}


def judgements() -> dict[str, dict[str, dict[str, str]]]:
    """Claim -> name of the part -> its row of claim_judgements.csv, in the order of that file."""
    return _grouped("claim_judgements", "name")


def tests_of() -> dict[str, dict[str, dict[str, str]]]:
    """Claim -> name of each of its tests ("": there is none) -> its row of claim_tests.csv, the gravest first."""
    return _grouped("claim_tests", "test")


def claim_ids() -> list[str]:
    """The ids of all claims of the announcement and the papers, in order."""
    return [ident for ident, row in about().items() if row["source"] != OURS]


def own_claim_ids() -> list[str]:
    """The ids of the claims that this book adds, in order."""
    return [ident for ident, row in about().items() if row["source"] == OURS]


def panels_of(ident: str) -> tuple[str, ...]:
    """The panels on which a claim can be computed, the published one first."""
    return entry(ident).panels


def registered() -> dict[str, Entry]:
    """Claim -> its entry, of every claim that has a function."""
    for name in FILES:
        importlib.import_module(f"cape_lib.claims.{name}")
    return _ENTRIES


def _unpublished(panel: str) -> Attempts:
    yield {}


def entry(ident: str) -> Entry:
    """The registered function of one claim. A claim of which no part was published in a form that can be computed needs
    none.

    Raises UsageError for an unknown id, MissingError for a claim that has no function yet.
    """
    if ident not in about():
        raise UsageError(suggest("claim", ident, about()))
    parts = judgements().get(ident, {})
    if ident in registered():
        return _ENTRIES[ident]
    if parts and all(row["missing"] for row in parts.values()):
        return Entry(ident, _unpublished)
    raise MissingError(
        f"claims.csv: nothing recomputes {ident}; write a function, @claim({ident!r}), in cape_lib/claims"
    )


def where(ident: str) -> dict[str, Any]:
    """Where a claim is recomputed and treated: file, line, name, call, source code, formula, tables; links in the book.

    A claim without a function is a row of claim_judgements.csv, which says what is missing.
    """
    known, chapter = entry(ident), about()[ident]["chapter"]
    if known.function is _unpublished:
        rows = (tables.data_dir() / "claim_judgements.csv").read_text("utf-8").splitlines()
        own = {i + 1: row for i, row in enumerate(rows) if row.startswith(f"{ident},")}
        formula = "; ".join(dict.fromkeys(row["definition"] for row in judgements()[ident].values()))
        place: dict[str, Any] = {"file": "data/claim_judgements.csv", "line": min(own), "name": ident, "call": ""}
        place |= {"formula": formula, "code": "\n".join(own.values())}
    else:
        code, first = inspect.getsourcelines(known.function)
        words, name = [*map(_in_words, known.arguments)], known.function.__name__
        formula = inspect.getdoc(known.function) or ""
        place = {
            "file": f"cape_lib/claims/{Path(inspect.getfile(known.function)).name}",
            "line": first + next((i for i, line in enumerate(code) if ident in line), 0),
            "name": name,
            "call": f"{name}({', '.join(['panel', *words])})",
            "formula": formula.format(*words) if words else formula,
            "code": "".join(code),
        }
    return place | {
        "tables": known.reads,
        "chapter_link": f"../notebooks/audit/{chapter}_{PAGES[chapter]}.html#{ident}",
        "claim_link": f"../notebooks/audit/08_claims.html#{ident}",
    }


def _in_words(argument: Any) -> str:
    """What a function is called with, for a reader."""
    if isinstance(argument, bool):
        return "yes" if argument else "no"
    return ", ".join(map(str, argument)) if isinstance(argument, tuple | dict) else str(argument)


def evaluate(ids: str | Iterable[str] | None = None, *, panel: str | None = None) -> list[Verdict]:
    """Claims recomputed from the tables, in the order asked for (all of them without `ids`).

    panel: of base or frontier models; a claim that this panel does not touch is computed on the published one, and
    its verdict says so. Conclusions of numbers as published are tested on the same rows without their known errors.
    Raises UsageError for an unknown claim or panel.
    """
    if panel is not None and panel not in PANELS:
        raise UsageError(suggest("panel", panel, PANELS))
    asked = claim_ids() if ids is None else [ids] if isinstance(ids, str) else list(ids)
    return [_evaluate(ident, panel) for ident in asked]


def _evaluate(ident: str, panel: str | None) -> Verdict:
    known, rows = entry(ident), judgements().get(ident, {})
    used = panel if panel in known.panels else known.panels[0]
    results, tests, others = known.attempts(used)
    if list(results) == [""] and len(rows) == 1:
        results = dict(zip(rows, results.values(), strict=True))
    apart = [name for name in results if name not in rows]
    if used == known.panels[0]:  # another panel may lack the rows of a part
        apart += [name for name, row in rows.items() if name not in results and not row["missing"]]
    if apart or not rows:
        named = ", ".join(map(repr, sorted(apart)))
        raise ScoresError(f"claim_judgements.csv: {ident} has a part here or in its function only: {named}; name each")
    for name, result in results.items():
        if result.value != result.value and not rows[name]["missing"]:
            raise MissingError(
                f"{ident}, part {name!r} on the {used} panel: nothing to compute it from; name only panels that "
                "have the rows, or say in claim_judgements.csv what is missing"
            )
    parts = tuple(Part.of(row, results.get(name)) for name, row in rows.items())
    conclusion, decided_by = conclude(tests, _untested(ident, parts))
    row = about()[ident]
    fields: dict[str, Any] = {name: row[name] for name in ("id", "chapter", "source", "claim")}
    fields["sentence"] = row["statement"]
    verdict = weakest(part.verdict for part in parts)
    axes: dict[str, Any] = {"verdict": verdict, "conclusion": conclusion, "conclusion_test": decided_by}
    return Verdict(panel=used, panels=known.panels, parts=parts, stress=others, **fields, **axes)


def conclude(tests: Sequence[Stress], untested: str) -> tuple[str, Stress]:
    """The conclusion and the test that decides it: the first that goes against the claim, else the first of them.

    tests: the gravest first;  untested: why there is none.
    """
    if not tests:
        return "untested", Stress(None, why=untested)
    decisive = next((test for test in tests if test.lost), None)
    return ("withstands", tests[0]) if decisive is None else (TAKES[decisive.kind], decisive)


def _untested(ident: str, parts: tuple[Part, ...]) -> str:
    """Why a claim has no test: as claim_tests.csv says, or what is missing for its number."""
    tests, lacks = tests_of().get(ident, {}), lacking(parts)
    if not tests and not lacks:
        says = f"claim_tests.csv: nothing tests the conclusion of {ident}"
        raise MissingError(f"{says}; name a test, or leave its cell blank and say why")
    return tests[""]["why"] if "" in tests else f"missing: {'; '.join(lacks) or NO_ROWS}"


def counts(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """How many claims have which verdict, and how many stand: one row a source, one column a verdict, then `claims` and
    `stand`; the last row counts all."""
    frame = pd.DataFrame([{"source": v.source, "verdict": v.verdict, "stand": v.stands} for v in verdicts])
    table = pd.crosstab(frame["source"], frame["verdict"]).reindex(columns=list(reversed(VERDICTS)), fill_value=0)
    table["claims"] = table.sum(axis=1)
    table["stand"] = frame.groupby("source")["stand"].sum().astype(int)
    table.loc["all"] = table.sum()
    return table


def as_records(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain objects: the form of `cape claims --json` and of the download."""
    test = ("name", "kind", "value", "low", "high", "n", "panel", "reason")
    return [
        {name: getattr(v, name) for name in ("id", "chapter", "source", "claim")}
        | {"published": v.each(lambda part: float(part.published) if part.published else None), "value": v.value}
        | {"low": v.each(lambda part: part.result.low), "high": v.each(lambda part: part.result.high)}
        | {"n": v.each(lambda part: part.result.n)}
        | {"definition": v.definition, "panel": v.panel, "verdict": v.verdict, "conclusion": v.conclusion}
        | {"conclusion_test": {name: getattr(v.conclusion_test, name) for name in test}, "missing": v.missing}
        for v in verdicts
    ]
