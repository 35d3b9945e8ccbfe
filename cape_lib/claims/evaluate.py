"""Recompute claims and give each its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.claims.registry import PANELS, claim_ids, entry, judgements
from cape_lib.claims.rule import VERDICTS, matches, verdict_of_part, weakest
from cape_lib.claims.verdict import Part, Result, Verdict
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest


def evaluate(
    ids: str | Iterable[str] | None = None, *, panel: str | None = None, stress: bool = False
) -> list[Verdict]:
    """Claims recomputed from the tables, in the order asked for (all of them without `ids`).

    panel: of base or frontier models; a claim that this panel does not touch is computed on the published one, and
    its verdict says so.  stress: also try to break each claim (slower).
    Raises UsageError for an unknown claim or panel.
    """
    if panel is not None and panel not in PANELS:
        raise UsageError(suggest("panel", panel, PANELS))
    wanted = claim_ids() if ids is None else [ids] if isinstance(ids, str) else list(ids)
    return [_evaluate(ident, panel, stress) for ident in wanted]


def _evaluate(ident: str, panel: str | None, stress: bool) -> Verdict:
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
        stress=tuple(known.stresses(used)) if stress else (),
        statement=about["statement"],
    )


def _part(row: dict[str, Any], result: Result) -> Part:
    published = row["published"] or None
    match = matches(published, result.value, row["compare"], slack=result.slack)
    verdict = verdict_of_part(
        match=match, particular=row["particular"], missing=row["missing"], supplied=result.supplied
    )
    same = {name: row[name] for name in ("name", "compare", "definition", "particular", "missing")}
    return Part(**same, published=published, result=result, verdict=verdict)


def panels_of(ident: str) -> tuple[str, ...]:
    """The panels on which a claim can be computed, the published one first."""
    return entry(ident).panels


def counts(verdicts: Iterable[Verdict], *, by: str = "source") -> pd.DataFrame:
    """How many claims have which verdict: one row a source (or chapter), one column a verdict, and all of them."""
    frame = pd.DataFrame([{by: getattr(v, by), "verdict": v.verdict} for v in verdicts])
    table = pd.crosstab(frame[by], frame["verdict"]).reindex(columns=list(reversed(VERDICTS)), fill_value=0)
    table.loc["all"] = table.sum()
    return table.assign(claims=table.sum(axis=1))


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
