"""Recompute claims and give each its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.claims.registry import PANELS, claim_ids, entry
from cape_lib.claims.rule import VERDICTS, matches, verdict_of_part, weakest
from cape_lib.claims.verdict import Found, Part, Verdict
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
    found = known.recompute(used)
    found = [found] if isinstance(found, Found) else found
    rows = _judgements().get(ident, [])
    if len(rows) != len(found):
        says = f"{ident} has {len(rows)} parts, its function finds {len(found)}; write one row a part"
        raise ScoresError(f"claim_judgements.csv: {says}")
    for row, came_out in zip(rows, found, strict=True):
        if came_out.value != came_out.value and not row["missing"]:
            raise MissingError(
                f"{ident}, part {row['part']} on the {used} panel: nothing to compute it from; name only panels that "
                "have the rows, or say in claim_judgements.csv what is missing"
            )
    parts = tuple(_part(row, came_out) for row, came_out in zip(rows, found, strict=True))
    about = _claims()[ident]
    tried = [each for function in known.stresses for each in function(used)] if stress else []
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
        stress=tuple(tried),
        statement=about.get("statement", ""),
    )


def _part(row: dict[str, Any], found: Found) -> Part:
    match = matches(row["published"], found.value, row["compare"], slack=found.slack)
    verdict = verdict_of_part(
        match=match, particular=row["particular"], missing=row["missing"], supplied=found.supplied
    )
    kept = {name: row[name] for name in ("name", "published", "compare", "definition", "particular", "missing")}
    return Part(**kept, found=found, verdict=verdict)


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


@lru_cache(maxsize=1)
def _judgements() -> dict[str, list[dict[str, Any]]]:
    frame = tables.load("claim_judgements").sort_values(["id", "part"])
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        plain = {str(key): "" if pd.isna(cell) else cell for key, cell in row.items()}
        plain["published"] = plain["published"] or None
        grouped.setdefault(str(plain["id"]), []).append(plain)
    return grouped
