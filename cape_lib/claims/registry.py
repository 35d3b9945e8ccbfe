"""Claims recomputed: which function with which arguments computes which claim, and what its tests make of it.

Functions register themselves when their chapter's file is loaded; claims of one kind are rows of one function.
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
from cape_lib.claims.rule import TAKES, VERDICTS, matches, near, verdict_of_part, weakest
from cape_lib.claims.verdict import Part, Result, Stress, Verdict
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest

#: What a claim came out as: name of the part -> its result; the result alone where there is one part.
Answer = Result | dict[str, Result]
#: What the function of a claim yields: its answer first, then each test by its name in claim_tests.csv, and whatever
#: else was tried, which decides nothing.
Attempts = Iterator[Answer | Stress]
Function = TypeVar("Function", bound=Callable[..., Answer | Attempts])
#: Claims of one kind: id -> what its function is called with, after the panel.
Rows = Mapping[str, tuple[Any, ...]]

BASE = ("published", "deduplicated", "uniform")
#: Panels of released scores; "independent" has two of the benchmarks that the others have.
STATED = ("published", "corrected", "sourced", "current")
FRONTIER = (*STATED, "independent")
#: Measurements and texts of which there is one version only.
RECORDED = ("published",)
PANELS = tuple(dict.fromkeys((*BASE, *FRONTIER)))

#: chapter -> its page in the audit, and the files with the functions of its claims
CHAPTERS = {
    "01": ("01_coupling", "c01_coupling", "c01_laws"),
    "02": ("02_phase_boundary", "c02_boundary", "c01_laws"),
    "03": ("03_levers", "c03_levers", "c04_internals"),
    "04": ("04_mechanism", "c04_internals"),
    "05": ("05_steering", "c04_internals"),
    "06": ("06_frontier", "c06_trend", "c06_releases"),
    "07": ("07_predictions", "c07_predictions"),
    "09": ("09_asked_again", "c09_today"),
    "10": ("10_along_training", "c09_today"),
}
#: The source of claims that are ours: judged by the same rules, counted apart from those of the papers.
OURS = "this book"


@dataclass(frozen=True, slots=True)
class Entry:
    """One claim's function, what it is called with, the panels it can be computed on, the tables that it reads."""

    id: str
    function: Callable[..., Answer | Attempts]
    panels: tuple[str, ...] = RECORDED
    reads: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()

    def recompute(self, panel: str) -> dict[str, Result]:
        """The result of each part, by name; the only part of a claim is named ""."""
        return _answer(next(self.run(panel)))

    def run(self, panel: str) -> Attempts:
        """What the function yields on a panel."""
        answer = self.function(panel, *self.arguments)
        yield from [answer] if isinstance(answer, Result | dict) else answer

    def attempts(self, panel: str) -> tuple[dict[str, Result], list[Stress], tuple[Stress, ...]]:
        """The answer; the tests of its conclusion that these rows allow, the gravest first; and what else was tried.

        A number as released is tried on the same rows without their known errors, where there are such; what a sentence
        says ("as worded") is asked of the rows that it is about.
        """
        better = next((name for name in ("corrected", "deduplicated") if name in self.panels), self.panels[0])
        better = better if panel == "published" else panel
        named, tests = tests_of().get(self.id, {}), []
        worded = any(row["kind"] == "as worded" for row in named.values())
        there = list(self.run(better))
        here = there if better == panel else list(self.run(panel)) if worded else [next(self.run(panel))]
        for name, row in named.items():
            run, on = (here, panel) if row["kind"] == "as worded" else (there, better)
            tried = {one.name: one for one in run if isinstance(one, Stress)}
            if name and name not in tried:
                known = ", ".join(name for name, one in tried.items() if one.lost is not None) or "none"
                raise ScoresError(f"claim_tests.csv: nothing computes {name!r} for {self.id}; known are {known}")
            if name and tried[name].value is not None:
                tests.append(replace(tried[name], kind=row["kind"], why=row["why"], panel=on))
        others = [one for one in there if isinstance(one, Stress) and one.lost is None and one.value is not None]
        return _answer(here[0]), tests, tuple(others)


def _answer(first: Any) -> dict[str, Result]:
    return {"": first} if isinstance(first, Result) else dict(first)


_ENTRIES: dict[str, Entry] = {}


def claim(
    *idents: str | Rows, panels: tuple[str, ...] = RECORDED, reads: tuple[str, ...] | None = None
) -> Callable[[Function], Function]:
    """Decorator: this function recomputes these claims on each of `panels`, and tries them.

    idents: an id, or for claims of one kind what each is called with after the panel: `{"C20": ("Google",)}`.
    reads: the tables that the number is read from on the first panel; by default the base or the frontier panel, as its
    panels say. The function returns its answer, or yields it first and then what was tried (`Attempts`): a test is a
    `stress` that says whether the claim is `lost`; whether that decides, and why, is said in claim_tests.csv. A part of
    which claim_judgements.csv says what is missing may be left out.
    """
    usual = ("base_panel",) if "uniform" in panels else ("frontier_panel",) if "corrected" in panels else ()

    def register(function: Function) -> Function:
        for each in idents:
            for ident, arguments in ({each: ()} if isinstance(each, str) else each).items():
                _ENTRIES[ident] = Entry(ident, function, panels, usual if reads is None else reads, arguments)
        return function

    return register


@lru_cache(maxsize=8)
def _table(name: str) -> list[dict[str, str]]:
    """The rows of a table as text, blank cells "", in the order of the file."""
    rows = tables.load(name).fillna("").to_dict("records")
    return [{str(key): cell for key, cell in row.items()} for row in rows]


def about() -> dict[str, dict[str, str]]:
    """Claim -> its row of claims.csv."""
    return {row["id"]: row for row in _table("claims")}


def judgements() -> dict[str, dict[str, dict[str, str]]]:
    """Claim -> name of the part -> its row of claim_judgements.csv, in the order of that file."""
    return _grouped("claim_judgements", "name")


def tests_of() -> dict[str, dict[str, dict[str, str]]]:
    """Claim -> name of each of its tests ("": there is none) -> its row of claim_tests.csv, the gravest first."""
    return _grouped("claim_tests", "test")


def _grouped(table: str, column: str) -> dict[str, dict[str, dict[str, str]]]:
    grouped: dict[str, dict[str, dict[str, str]]] = {}
    for row in _table(table):
        grouped.setdefault(row["id"], {})[row[column]] = row
    return grouped


def claim_ids() -> list[str]:
    """The ids of all claims of the announcement and the papers, in order."""
    return [ident for ident, row in about().items() if row["source"] != OURS]


def own_claim_ids() -> list[str]:
    """The ids of the claims that this book adds, in order."""
    return [ident for ident, row in about().items() if row["source"] == OURS]


def panels_of(ident: str) -> tuple[str, ...]:
    """The panels on which a claim can be computed, the published one first."""
    return entry(ident).panels


def _unpublished(panel: str) -> dict[str, Result]:
    return {}


def entry(ident: str) -> Entry:
    """The registered function of one claim; loads the files of its chapter. A claim of which no part was published
    in a form that can be computed needs none.

    Raises UsageError for an unknown id, MissingError for a claim that has no function yet.
    """
    known = about()
    if ident not in known:
        raise UsageError(suggest("claim", ident, known))
    files = CHAPTERS[known[ident]["chapter"]][1:]
    for name in files:
        if ident not in _ENTRIES:
            importlib.import_module(f"cape_lib.claims.{name}")
    if ident in _ENTRIES:
        return _ENTRIES[ident]
    parts = judgements().get(ident, {})
    if parts and all(row["missing"] for row in parts.values()):
        return Entry(ident, _unpublished)
    places = " or ".join(f"cape_lib/claims/{name}.py" for name in files)
    raise MissingError(f"claims.csv: nothing recomputes {ident}; write a function, @claim({ident!r}), in {places}")


def registered() -> list[str]:
    """Ids of every function that there is, all chapters loaded."""
    for _, *files in CHAPTERS.values():
        for name in files:
            importlib.import_module(f"cape_lib.claims.{name}")
    return sorted(_ENTRIES)


def where(ident: str) -> dict[str, Any]:
    """Where a claim is recomputed and treated: file, line, name, call, source code, formula, tables; links in the book.

    A claim without a function is a row of claim_judgements.csv, which says what is missing.
    """
    known = entry(ident)
    page = CHAPTERS[about()[ident]["chapter"]][0]
    place = _row_of(ident) if known.function is _unpublished else _code_of(known)
    return place | {
        "tables": known.reads,
        "chapter_link": f"../notebooks/audit/{page}.html#{ident}",
        "claim_link": f"../notebooks/audit/08_claims.html#{ident}",
    }


def _code_of(known: Entry) -> dict[str, Any]:
    lines, first = inspect.getsourcelines(known.function)
    offset = next((i for i, line in enumerate(lines) if known.id in line), 0)
    root = Path(__file__).resolve().parents[2]
    file = Path(inspect.getfile(known.function)).resolve().relative_to(root).as_posix()
    words = [_in_words(argument) for argument in known.arguments]
    formula = inspect.getdoc(known.function) or ""
    formula = formula.format(*words) if words else formula
    name = known.function.__name__
    call = f"{name}({', '.join(['panel', *words])})"
    code = "".join(lines)
    return {"file": file, "line": first + offset, "name": name, "call": call, "formula": formula, "code": code}


def _in_words(argument: Any) -> str:
    """What a function is called with, for a reader."""
    if isinstance(argument, bool):
        return "yes" if argument else "no"
    return ", ".join(map(str, argument)) if isinstance(argument, tuple | dict) else str(argument)


def _row_of(ident: str) -> dict[str, Any]:
    rows = (tables.data_dir() / "claim_judgements.csv").read_text("utf-8").splitlines()
    own = [i for i, row in enumerate(rows) if row.startswith(f"{ident},")]
    formula = "; ".join(dict.fromkeys(row["definition"] for row in judgements()[ident].values()))
    place = {"file": "data/claim_judgements.csv", "line": own[0] + 1, "name": ident, "call": ""}
    return place | {"formula": formula, "code": "\n".join(rows[i] for i in own)}


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
    results |= {name: Result(None) for name, row in rows.items() if row["missing"] and name not in results}
    if set(rows) != set(results):
        apart = ", ".join(repr(name) for name in sorted(set(rows) ^ set(results)))
        raise ScoresError(f"claim_judgements.csv: {ident} has a part here or in its function only: {apart}; name each")
    for name, result in results.items():
        if result.value != result.value and not rows[name]["missing"]:
            raise MissingError(
                f"{ident}, part {name!r} on the {used} panel: nothing to compute it from; name only panels that "
                "have the rows, or say in claim_judgements.csv what is missing"
            )
    parts = tuple(_part(row, results[name]) for name, row in rows.items())
    conclusion, decided_by = conclude(tests, _untested(ident, parts))
    fields: dict[str, Any] = {
        name: about()[ident][name] for name in ("id", "chapter", "source", "claim", "unit", "statement")
    }
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
    tests = tests_of().get(ident, {})
    lacks = dict.fromkeys(part.missing for part in parts if part.verdict == "not testable")
    if not tests and not lacks:
        says = f"claim_tests.csv: nothing tests the conclusion of {ident}"
        raise MissingError(f"{says}; name a test, or leave its cell blank and say why")
    return tests[""]["why"] if "" in tests else f"missing: {'; '.join(lacks)}"


def _part(row: Mapping[str, str], result: Result) -> Part:
    published, compare = row["published"] or None, row["compare"]
    verdict = verdict_of_part(
        match=matches(published, result.value, compare, slack=result.slack),
        close=near(published, result.value, compare),
        particular=row["particular"],
        missing=row["missing"],
        supplied=result.supplied,
    )
    texts = (row["definition"], row["particular"], row["missing"])
    return Part(row["name"], published, compare, *texts, result, verdict)


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
        | {
            "published": v.each(lambda part: float(part.published) if part.published else None),
            "value": v.value,
            "low": v.each(lambda part: part.result.low),
            "high": v.each(lambda part: part.result.high),
            "n": v.each(lambda part: part.result.n),
        }
        | {name: getattr(v, name) for name in ("definition", "panel", "verdict", "conclusion")}
        | {"conclusion_test": {name: getattr(v.conclusion_test, name) for name in test}, "missing": v.missing}
        for v in verdicts
    ]
