"""The chapters rerun on a person's own scores: what they allow, the report, and what to measure next.

The report is put in place as a whole or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

import cape_lib
from cape_lib import tables
from cape_lib.errors import UsageError
from cape_lib.output import plain, whole_folder, write_json
from cape_lib.report import inside, need_book
from cape_lib.report.family import measuring, planning
from cape_lib.report.family.planning import LEAST_SIZES, Part, Plan, parts, plan
from cape_lib.report.family.summary import (
    about,
    bullets,
    cannot_show,
    diagnose,
    figures,
    headline,
    numbers,
    opening,
    ready_to_run,
    what_next,
)

__all__ = ["LEAST_SIZES", "Part", "Plan", "about", "bullets", "cannot_show", "diagnose", "figures", "headline"]
__all__ += ["numbers", "opening", "parts", "plan", "ready_to_run", "rerun", "stored", "what_next"]

PAGE, METRICS, SCORES = "index.html", "metrics.json", "scores.csv"
FIRST_PAGE = Path(__file__).with_name("first_page.ipynb")
FORMAT = "cape-family-1"


def rerun(
    scores: tables.Scores | pd.DataFrame,
    name: str,
    out: Path,
    *,
    pair: tuple[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
    pairs: str | None = None,
    chapters: bool = True,
    audit: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """The report of one family in folder `out`: index.html, metrics.json, scores.csv; returns what metrics.json holds.

    scores: as `tables.check_scores` or `tables.read_scores` gives them; pair, asked, pairs, audit: as `plan` takes
    them; chapters: False for the first page alone; force: replace an older report; quiet: no progress on stderr.
    Everything is checked before anything runs; the folder appears when it is whole. Raises UsageError (the folder
    exists, an unknown parameter), MissingError (too few sizes, no benchmark), ScoresError, SurroundingsError.
    """
    out = Path(out)
    check_folder(out, force=force)
    need_book("a report")
    from cape_lib.report import publish

    folder = publish.notebooks_dir() if chapters else None
    planned = plan(scores, name=name, pair=pair, asked=asked, folder=folder, audit=audit, pairs=pairs)
    by_size, own = planned.checked.axis.by_size, planned.checked.frame
    analyses = [diagnose(part) for part in planned.parts]
    metrics: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "cape_lib": cape_lib.__version__,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "family": planned.name,
            "models": own["model"].tolist(),
            "chapters": {publish.key(path): values for path, values in planned.chapters.items()},
            **({"size_measure": planned.checked.size} if by_size else {"axis": planned.checked.axis.name}),
            "parts": analyses,
            "cannot_show": [line for one in analyses for line in cannot_show(one)],
            "next": [
                {"why": why, "command": line}
                for part, one in zip(planned.parts, analyses, strict=True)
                for why, line in measuring.next_commands(own, part, one)
            ],
            "notes": list(planned.notes),
        }
    )
    if not by_size:  # without columns that only the reading put there
        own = own.drop(columns=[*(["params_b"] if own["params_b"].isna().all() else []), "day"], errors="ignore")
    with whole_folder(out) as work:
        own.to_csv(work / SCORES, index=False, lineterminator="\n")
        write_json(work / METRICS, metrics)
        (work / "executed").mkdir()
        # The first page, then every chapter, with the rows of its part.
        notebooks: dict[Path, dict[str, Any]] = {FIRST_PAGE: {"report_path": str(work / METRICS)}}
        for part in planned.parts:
            rows = _rows_of(work, part.kind)
            tables.write_checked(replace(planned.checked.of(part.rows), axis=part.along), rows)
            for path, values in planned.chapters.items():
                if path.stem in planning.CHAPTERS[part.kind]:
                    takes = {"scores_path": str(rows)} if "scores_path" in planning.declared(path) else {}
                    notebooks[path] = values | takes
        only = "" if by_size else planning.ANY_AXIS
        executed = publish.execute(notebooks, work / "executed", quiet=quiet, only=only)
        publish.report(executed, work / PAGE, f"{planned.name}: CAPE report")
        shutil.rmtree(work / "executed", ignore_errors=True)
        check_folder(out, force=force)
    return metrics


def _rows_of(work: Path, kind: str) -> Path:
    return work / "executed" / f"scores-{kind}{tables.STORED}"


def stored(metrics: Path) -> tuple[dict[str, Any], list[tuple[Part, dict[str, Any]]]]:
    """What the metrics.json of a report in the making holds, and its parts: each with its rows and its diagnosis."""
    report: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    parts = []
    for one in report["parts"]:
        scores = tables.read_checked(_rows_of(metrics.parent, one["kind"]))
        assert scores is not None  # the name of the file says that it is one
        parts.append((Part(one["kind"], one["x"], one["y"], scores.frame, along=scores.axis), one))
    return report, parts


def check_folder(out: Path, *, force: bool) -> None:
    """Refuse an output folder that holds something, before any work is done (`inside`).

    Raises UsageError where it is not empty, with `force` where it is not an older report.
    """
    there = inside(out)
    if there and not force:
        raise UsageError(f"{out}: exists already; choose another folder for -o, or say --force")
    if there and METRICS not in there:
        raise UsageError(f"{out}: not a report of cape (no {METRICS}), so --force leaves it; choose another folder")
