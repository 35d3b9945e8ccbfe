"""Recompute claims and give each its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.claims.registry import PANELS, Trial, claim_ids, entry, judgements, tests_of
from cape_lib.claims.rule import CONCLUSIONS, TAKES, VERDICTS, matches, near, verdict_of_part, weakest
from cape_lib.claims.verdict import Part, Result, Stress, Test, Verdict
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest


def evaluate(ids: str | Iterable[str] | None = None, *, panel: str | None = None) -> list[Verdict]:
    """Claims recomputed from the tables, in the order asked for (all of them without `ids`).

    panel: of base or frontier models; a claim that this panel does not touch is computed on the published one, and
    its verdict says so. Conclusions of numbers as published are tested on the same rows without their known errors.
    Raises UsageError for an unknown claim or panel.
    """
    if panel is not None and panel not in PANELS:
        raise UsageError(suggest("panel", panel, PANELS))
    wanted = claim_ids() if ids is None else [ids] if isinstance(ids, str) else list(ids)
    return [_evaluate(ident, panel) for ident in wanted]


def _evaluate(ident: str, panel: str | None) -> Verdict:
    known = entry(ident)
    used = panel if panel in known.panels else known.panels[0]
    results = known.recompute(used)
    rows = judgements().get(ident, {})
    if list(results) == [""] and len(rows) == 1:
        results = dict(zip(rows, results.values(), strict=True))
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
    about = _claims()[ident]
    conclusion, decided_by = conclude(known.tests(used), _untested(ident, parts))
    return Verdict(
        id=ident,
        chapter=about["chapter"],
        source=about["source"],
        claim=about["claim"],
        unit=about["unit"],
        panel=used,
        panels=known.panels,
        parts=parts,
        verdict=weakest(part.verdict for part in parts),
        conclusion=conclusion,
        conclusion_test=decided_by,
        stress=tuple(known.stresses(known.tested_on[used])),
        statement=about["statement"],
    )


def conclude(made: Iterable[tuple[Trial, Stress | None]], untested: str) -> tuple[str, Test]:
    """The conclusion and the test that decides it: the first that goes against the claim, else the first that was made.

    made: each test and its outcome, the gravest first;  untested: why there is none.
    """
    tests = [
        (bool(one.against), Test(*trial, one.against or one.says, one.value, one.low, one.high, one.n))
        for trial, one in made
        if one is not None and one.value is not None
    ]
    if not tests:
        return "untested", Test("none", "none", untested, "", "")
    against = [test for taken, test in tests if taken]
    return (TAKES[against[0].kind], against[0]) if against else ("withstands", tests[0][1])


def _untested(ident: str, parts: tuple[Part, ...]) -> str:
    """Why a claim has no test: as claim_tests.csv says, or what is missing for its number."""
    why = [row["why"] for row in tests_of().get(ident, []) if not row["test"]]
    lacks = dict.fromkeys(part.missing for part in parts if part.verdict == "not testable")
    if why or lacks or tests_of().get(ident):
        return "; ".join(why) or f"missing: {'; '.join(lacks)}"
    raise MissingError(
        f"claim_tests.csv: nothing tests the conclusion of {ident}; name a test, or leave its cell blank and say why"
    )


def _part(row: dict[str, Any], result: Result) -> Part:
    published = row["published"] or None
    match = matches(published, result.value, row["compare"], slack=result.slack)
    verdict = verdict_of_part(
        match=match,
        close=near(published, result.value, row["compare"]),
        particular=row["particular"],
        missing=row["missing"],
        supplied=result.supplied,
    )
    same = {name: row[name] for name in ("name", "compare", "definition", "particular", "missing")}
    return Part(**same, published=published, result=result, verdict=verdict)


def panels_of(ident: str) -> tuple[str, ...]:
    """The panels on which a claim can be computed, the published one first."""
    return entry(ident).panels


def counts(verdicts: Iterable[Verdict], *, by: str = "source") -> pd.DataFrame:
    """How many claims have which verdict, and how many stand: one row a source, chapter or conclusion (`by`), one
    column a verdict, then `claims` and `stand`; the last row counts all."""
    frame = pd.DataFrame([{by: getattr(v, by), "verdict": v.verdict, "stand": v.stands} for v in verdicts])
    table = pd.crosstab(frame[by], frame["verdict"]).reindex(columns=list(reversed(VERDICTS)), fill_value=0)
    if by == "conclusion":
        table = table.reindex(list(CONCLUSIONS), fill_value=0)
    table["claims"] = table.sum(axis=1)
    table["stand"] = frame.groupby(by)["stand"].sum().reindex(table.index, fill_value=0).astype(int)
    table.loc["all"] = table.sum()
    return table


def as_records(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain objects: the form of `cape claims --json` and of the download."""
    return [
        {
            "id": v.id,
            "chapter": v.chapter,
            "source": v.source,
            "claim": v.claim,
            "published": _numbers(v.published),
            "value": v.value,
            "low": v.low,
            "high": v.high,
            "n": v.n,
            "definition": v.definition,
            "panel": v.panel,
            "verdict": v.verdict,
            "conclusion": v.conclusion,
            "conclusion_test": {
                "name": v.conclusion_test.name,
                "kind": v.conclusion_test.kind,
                "value": v.conclusion_test.value,
                "low": v.conclusion_test.low,
                "high": v.conclusion_test.high,
                "n": v.conclusion_test.n,
                "panel": v.conclusion_test.panel,
                "reason": v.conclusion_test.reason,
            },
            "missing": v.missing,
        }
        for v in verdicts
    ]


def _numbers(published: list[str | None] | str | None) -> list[float | None] | float | None:
    if isinstance(published, list):
        return [None if text is None else float(text) for text in published]
    return None if published is None else float(published)


@lru_cache(maxsize=1)
def _claims() -> dict[str, dict[str, str]]:
    rows = tables.load("claims").fillna("").to_dict("records")
    return {row["id"]: {str(key): cell for key, cell in row.items()} for row in rows}
