"""Claims recomputed: which function with which arguments computes which claim, and what its tests make of it.

Functions register themselves when their file is loaded; claims of one kind are rows of one function.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from cape_lib import tables
from cape_lib.claims.verdict import (
    NO_ROWS,
    SHAPES,
    TAKES,
    VERDICTS,
    Part,
    Result,
    Stress,
    Verdict,
    figures,
    how,
    lacking,
    tested,
)
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.signs import sentence, typeset

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
FILES = ("base_models", "internals", "releases")
#: chapter -> its page in the audit
PAGES = {"01": "coupling", "02": "phase_boundary", "03": "levers", "04": "mechanism", "05": "steering"}
PAGES |= {"06": "frontier", "07": "predictions", "09": "asked_again", "10": "along_training"}
#: Verdict -> class of the style sheet.
CLASSES = {word: f"cape-{word.removeprefix('in the ').replace(' ', '-')}" for word in VERDICTS}
#: A closed box names its only part up to so many letters, and each of its parts up to so many of them.
SHORT, FEW = 24, 3
#: The source of claims that are ours: judged by the same rules, counted apart from those of the papers.
OURS = "this book"
#: Source -> what a reader is told it is, with the name by which the book cites it.
SOURCES = {"announcement": "the announcement", "paper A": "paper A, Amin 2026a", "paper B": "paper B, Amin 2026b"}
SOURCES |= {"paper A abstract": "the abstract of paper A, Amin 2026a", OURS: OURS}


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
        named = tests_of().get(self.id, {})
        worded = any(row["kind"] == "as worded" for row in named.values())
        run = self.run(panel)
        answer = next(run)
        here = list(run) if worded or better == panel else []
        there = here if better == panel else list(self.run(better))[1:]
        tests = []
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
        return Entry(ident, lambda panel: iter([{}]))
    raise MissingError(
        f"claims.csv: nothing recomputes {ident}; write a function, @claim({ident!r}), in cape_lib/claims"
    )


def where(ident: str) -> dict[str, Any]:
    """Where a claim is recomputed and treated: file, line, name, call, source code, formula, tables; links in the book.

    A claim without a function is a row of claim_judgements.csv, which says what is missing.
    """
    known, chapter = entry(ident), about()[ident]["chapter"]
    if ident not in registered():
        rows = (tables.data_dir() / "claim_judgements.csv").read_text("utf-8").splitlines()
        own = {i + 1: row for i, row in enumerate(rows) if row.startswith(f"{ident},")}
        file, line, name, call, code = "data/claim_judgements.csv", min(own), ident, "", "\n".join(own.values())
        formula = "; ".join(dict.fromkeys(row["definition"] for row in judgements()[ident].values()))
    else:
        lines, first = inspect.getsourcelines(known.function)
        file, name = f"cape_lib/claims/{Path(inspect.getfile(known.function)).name}", known.function.__name__
        line, code = first + next((i for i, each in enumerate(lines) if ident in each), 0), "".join(lines)
        words = [_in_words(each) for each in known.arguments]
        call, formula = f"{name}({', '.join(['panel', *words])})", inspect.getdoc(known.function) or ""
        formula = formula.format(*words) if words else formula
    place = {"file": file, "line": line, "name": name, "call": call, "formula": formula, "code": code}
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
    known, rows, row = entry(ident), judgements().get(ident, {}), about()[ident]
    used = panel if panel in known.panels else known.panels[0]
    results, tests, others = known.attempts(used)
    if list(results) == [""] and len(rows) == 1:
        results = dict.fromkeys(rows, results[""])
    # another panel than the first may lack the rows of a part; what a function computes more is of another claim
    needed = {name for name, one in rows.items() if not one["missing"] and used == known.panels[0]}
    if not needed <= {*results} or not rows:
        named = ", ".join(map(repr, sorted(needed - {*results} or results)))
        raise ScoresError(f"claim_judgements.csv: {ident} has a part here or in its function only: {named}; name each")
    parts = tuple(Part.of(one, results.get(name)) for name, one in rows.items())
    for part in parts:
        if part.value != part.value and not rows[part.name]["missing"]:
            raise MissingError(
                f"{ident}, part {part.name!r} on the {used} panel: nothing to compute it from; name only panels that "
                "have the rows, or say in claim_judgements.csv what is missing"
            )
    conclusion, decided_by = conclude(ident, tests, lacking(parts))
    return Verdict(
        **{name: row[name] for name in ("id", "chapter", "source", "claim")},
        sentence=row["statement"],
        panel=used,
        panels=known.panels,
        parts=parts,
        verdict=min((part.verdict for part in parts), key=VERDICTS.index),
        conclusion=conclusion,
        conclusion_test=decided_by,
        stress=others,
    )


def conclude(ident: str, tests: Sequence[Stress], lacks: Sequence[str]) -> tuple[str, Stress]:
    """The conclusion and the test that decides it: the first that goes against the claim, else the first of them.

    tests: the gravest first;  lacks: what is missing for its number, which is why there is none where claim_tests.csv
    does not say why. Raises MissingError where nothing says.
    """
    known = tests_of().get(ident, {})
    if not tests:
        if not known and not lacks:
            says = f"claim_tests.csv: nothing tests the conclusion of {ident}"
            raise MissingError(f"{says}; name a test, or leave its cell blank and say why")
        why = known[""]["why"] if "" in known else f"missing: {'; '.join(lacks) or NO_ROWS}"
        return "untested", Stress(None, why=why)
    decisive = next((test for test in tests if test.lost), None)
    return ("withstands", tests[0]) if decisive is None else (TAKES[decisive.kind], decisive)


def counts(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """How many claims have which verdict, and how many stand: one row a source, one column a verdict, then `claims` and
    `stand`; the last row counts all."""
    frame = pd.DataFrame([{"source": v.source, "verdict": v.verdict, "stand": v.stands} for v in verdicts])
    table = pd.crosstab(frame["source"], frame["verdict"]).reindex(columns=list(reversed(VERDICTS)), fill_value=0)
    table["claims"] = table.sum(axis=1)
    table["stand"] = frame.groupby("source")["stand"].sum().astype(int)
    table.loc["all"] = table.sum()
    return table


def moved(verdicts: Iterable[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> dict[str, tuple[str, ...]]:
    """Claim -> the panels on which its number has another verdict; claims that stay are left out.

    others: panel -> id -> verdict on that panel.
    """
    panels = {
        one.id: tuple(name for name, rows in others.items() if one.id in rows and one.moves_on(rows[one.id]))
        for one in verdicts
    }
    return {ident: names for ident, names in panels.items() if names}


def as_records(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain objects: the form of `cape claims --json` and of the download."""
    test = ("name", "kind", "value", "low", "high", "n", "panel", "reason")
    return [
        {name: getattr(v, name) for name in ("id", "chapter", "source", "claim")}
        | {name: v.each(name) for name in ("published", "value", "low", "high", "n")}
        | {name: getattr(v, name) for name in ("definition", "panel", "verdict", "conclusion")}
        | {"conclusion_test": {name: getattr(v.conclusion_test, name) for name in test}, "missing": v.missing}
        for v in verdicts
    ]


# The verdict box: what a chapter shows of the claims that it treats. A word with a shape, never a colour alone.


@dataclass(frozen=True, slots=True)
class Box:
    """Verdicts that show themselves in the book, in Jupyter and as text."""

    verdicts: tuple[Verdict, ...]

    def _repr_html_(self) -> str:
        return typeset("".join(_html(verdict) for verdict in self.verdicts))

    def _repr_markdown_(self) -> str:
        return typeset("\n\n".join(_markdown(verdict) for verdict in self.verdicts))

    def __str__(self) -> str:
        return self._repr_markdown_()


def box(*ids: str, panel: str | None = None) -> Box:
    """The verdicts of these claims, each with an anchor (`#C03`) to which the page of all claims links.

    panel: as for `evaluate`. Raises UsageError for an unknown claim or panel.
    """
    return Box(tuple(evaluate(ids, panel=panel)))


def badge(verdict: str) -> str:
    """A verdict as HTML: its shape, hidden from a screen reader, and its word."""
    return f'<span class="cape-verdict-word"><span aria-hidden="true">{SHAPES[verdict]}</span> {verdict}</span>'


def badges(verdict: Verdict) -> str:
    """Both verdicts of a claim as HTML, each with what it judges."""
    axes = {"number": verdict.verdict, "conclusion": verdict.conclusion}
    return " · ".join(f'<span class="cape-axis">{what}:</span> {badge(word)}' for what, word in axes.items())


def _html(verdict: Verdict) -> str:
    panel = "" if verdict.panels == ("published",) else f" Panel: {verdict.panel}."
    notes = ". ".join(map(sentence, verdict.notes)) + ". " if verdict.notes else ""
    source, items = SOURCES[verdict.source], []
    for i, part in enumerate(verdict.parts):
        # a definition that several parts share in a row stands once, after the last of them
        shared = any(how(following) == how(part) for following in verdict.parts[i + 1 : i + 2])
        word = "" if len(verdict.parts) == 1 else f" {badge(part.verdict)}"
        definition = "" if shared else f'<br><span class="cape-definition">{escape(how(part))}</span>'
        items.append(f"<li>{escape(_named(part, verdict))}{escape(figures(part))}{word}{definition}</li>")
    return (
        f'<details class="cape-verdict {CLASSES[verdict.verdict]}" id="{verdict.id}">'
        f"<summary>{badges(verdict)} <strong>{verdict.id}</strong> {escape(verdict.sentence)} "
        f'<span class="cape-definition">({escape(source)}) {escape(_short(verdict))}</span></summary>'
        f"<p>{escape(tested(verdict))}</p><ul>{''.join(items)}</ul><p><small>{escape(notes)}{panel} "
        f'<a href="{where(verdict.id)["claim_link"]}">Formula, code and other panels</a></small></p></details>'
    )


def _short(verdict: Verdict) -> str:
    """What stands beside a claim while its box is closed: the figures of its only part, what each of a few parts came
    out as, by their verdicts, or how many have which."""
    if len(verdict.parts) == 1:
        part = verdict.parts[0]
        here = f"here {figures(part)}" if part.compare == "holds" else figures(part)
        named = f"{part.name}: {here}" if 0 < len(part.name) <= SHORT else here
        return named + (f"; {part.particular}" if part.particular else "")
    by_word: dict[str, list[str]] = {}
    for part in verdict.parts:
        named = f"{part.name} ({part.came_out})" if part.compare == "holds" else f"{part.name} {part.came_out}"
        by_word.setdefault(part.verdict, []).append(part.name if part.value is None else named)
    if len(verdict.parts) <= FEW:
        return "; ".join(f"{word}: {', '.join(each)}" for word, each in by_word.items())
    return f"{len(verdict.parts)} parts: " + ", ".join(f"{len(each)} {word}" for word, each in by_word.items())


def _markdown(verdict: Verdict) -> str:
    axes = {"number": verdict.verdict, "conclusion": verdict.conclusion}
    words = " · ".join(f"{what}: {SHAPES[word]} **{word}**" for what, word in axes.items())
    source = SOURCES[verdict.source]
    head = f"> {words} [{verdict.id}]({where(verdict.id)['claim_link']}) {verdict.sentence} *({source})*"
    lines = [f"> - {_named(part, verdict)}{figures(part)} ({part.verdict}): {how(part)}" for part in verdict.parts]
    return "\n>\n".join([head, f"> {tested(verdict)}", "\n".join(lines)])


def _named(part: Part, verdict: Verdict) -> str:
    return "" if len(verdict.parts) == 1 else f"{part.name}: "
