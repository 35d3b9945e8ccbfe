"""What a table of scores allows: which analysis, which rows, which chapters; or a refusal with what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cape_lib import tables
from cape_lib.dashboard.pairs import comparable
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.report.family import measuring, parameters
from cape_lib.tables import Scores
from cape_lib.tables.axes import PARAMS, Axis, with_places
from cape_lib.tables.scores import refuse_mixed

Kind = Literal["base", "pair", "frontier", "path", "pairs"]
BASE_PAIR = ("hellaswag", "truthfulqa")
FRONTIER_PAIR = ("swe_bench_verified", "gpqa_diamond")
#: Fewer sizes make at most one interval: no change of sign can show.
LEAST_SIZES = 3
CHAPTERS: dict[Kind, tuple[str, ...]] = {
    "base": ("01_coupling", "02_phase_boundary", "03_levers"),
    "pair": ("01_coupling", "02_phase_boundary"),
    "frontier": ("06_frontier", "07_predictions"),
    "path": ("01_coupling", "02_phase_boundary"),
    "pairs": (),
}
#: the tag of the cells of a chapter that speak of the family in front alone, along whatever axis
ANY_AXIS = "any-axis"


@dataclass(frozen=True, slots=True)
class Part:
    """One analysis: its kind, the pair, the rows that have both scores (one a size), the models left out, notes.

    along: the axis of the rows; of any but size the kind is "path"; beside: the rows of all runs of the table then; by:
    the column in which models of one size differ, for the kind "pairs".
    """

    kind: Kind
    x: str
    y: str
    rows: pd.DataFrame
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    along: Axis = PARAMS
    beside: pd.DataFrame | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a report needs, checked before anything runs.

    name: of the family, as the report shows it; parts: one or two analyses; chapters: notebook -> its parameters
    (without scores_path); notes: what the person should know.
    """

    name: str
    checked: Scores
    parts: tuple[Part, ...]
    chapters: Mapping[Path, dict[str, Any]]
    notes: tuple[str, ...] = field(default=())

    @property
    def scores(self) -> pd.DataFrame:
        """The rows of the family as a frame."""
        return self.checked.frame


def parts(checked: Scores | pd.DataFrame, *, name: str, x: str | None = None, y: str | None = None) -> list[Part]:
    """The analyses that the scores of one family allow. Raises MissingError where there is none, with what would.

    checked: as `tables.check_scores` gives them; a frame is taken as checked and comparable.
    x, y: another pair, both or neither; without it HellaSwag and TruthfulQA, and SWE-bench and GPQA.
    """
    whole = as_scores(checked)
    scores = whole.frame
    if x is not None and y is not None:
        if x == y:
            raise UsageError(f"--x and --y are both {x}; choose two benchmarks")
        for benchmark in (x, y):
            if benchmark not in tables.score_benchmarks(scores):
                reason = suggest("benchmark", benchmark, tables.score_benchmarks(scores))
                raise MissingError(f"{name}: {reason}; {_how(benchmark, scores)}")
        frontier = {x, y} == set(FRONTIER_PAIR) and whole.axis.by_size
        kind: Kind = "base" if (x, y) == BASE_PAIR else "frontier" if frontier else "pair"
        return [_part(whole, kind, *(FRONTIER_PAIR if frontier else (x, y)), name=name)]
    scored = [name for name in tables.score_benchmarks(scores) if name != whole.axis.column]
    analyses = []
    if all(_any(scores, benchmark) for benchmark in BASE_PAIR):
        analyses.append(_part(whole, "base", *BASE_PAIR, name=name))
    if all(_any(scores, benchmark) for benchmark in FRONTIER_PAIR) and (whole.axis.by_size or not analyses):
        analyses.append(_part(whole, "frontier", *FRONTIER_PAIR, name=name))
    if analyses:
        return analyses
    half = [pair for pair in (BASE_PAIR, FRONTIER_PAIR) if any(_any(scores, benchmark) for benchmark in pair)]
    lacking = [benchmark for benchmark in (half or [BASE_PAIR])[0] if not _any(scores, benchmark)]
    others = [benchmark for benchmark in scored if _any(scores, benchmark)]
    pair = f"; or name another pair by --x and --y ({', '.join(others[:6])})" if len(others) > 1 else ""
    raise MissingError(f"{name}: no score in {' and '.join(lacking)}; {_how(lacking[0], scores)}{pair}")


def _any(scores: pd.DataFrame, benchmark: str) -> bool:
    return benchmark in scores and bool(scores[benchmark].notna().any())


def _how(benchmark: str, scores: pd.DataFrame) -> str:
    if benchmark in measuring.LEADERBOARD_TASKS and len(scores):
        return f"measure it: {measuring.command(benchmark, str(scores['model'].iloc[0]))}"
    return f"add a column {benchmark} in percent"


def _part(scores: Scores, kind: Kind, x: str, y: str, *, name: str) -> Part:
    if not scores.axis.by_size:
        return _path(scores, x, y, name=name)
    if kind == "frontier":
        frame = scores.frame
        whole = frame[[x, y]].notna().all(axis=1)
        rows = _short_names(frame[whole].reset_index(drop=True))
        if not scores.allow_mixed:
            refuse_mixed(rows, (x, y), name=name, kinds=False)
        return Part(kind, x, y, _in_time(rows).assign(family=name), tuple(frame.loc[~whole, "model"].astype(str)))
    ladder = tables.ladder_of(scores, x, y, name=name)
    # The rows are one ladder because the person says so, whatever ladders a panel files them under.
    rows = _short_names(ladder.rows).assign(family=name, ladder=name)
    if len(rows) < LEAST_SIZES:
        raise MissingError(_too_few(rows, x, y, name, ladder.left_out))
    return Part(kind, x, y, rows, ladder.left_out, ladder.notes)


def _path(scores: Scores, x: str, y: str, *, name: str) -> Part:
    """The points of one family along another axis than size."""
    path = tables.ladder_of(scores, x, y, name=name)
    rows = with_places(_short_names(path.rows), path.axis).assign(family=name, ladder=name)
    if len(rows) < LEAST_SIZES:
        both, what = f"{tables.label(x)} and {tables.label(y)}", path.axis.points
        there = f"{len(rows)} {path.axis.point if len(rows) == 1 else what} with {both}"
        raise MissingError(f"{name}: {there}, and {LEAST_SIZES} are needed to see a change of sign; score more {what}")
    return Part("path", x, y, rows, path.left_out, path.notes, path.axis)


def as_scores(checked: Scores | pd.DataFrame) -> Scores:
    """A checked table as it is; a frame, whose scores somebody has judged comparable, as one."""
    return checked if isinstance(checked, Scores) else Scores(checked, name="the table", allow_mixed=True)


def _short_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Models without the "lab/" that all of them begin with: a chart on a phone has no room for it."""
    names = rows["model"].astype(str)
    labs = names.str.extract(r"^([^/]+/)[^/]", expand=False)
    return rows.assign(model=names.str.slice(len(labs[0]))) if len(rows) and (labs == labs[0]).all() else rows


def _in_time(rows: pd.DataFrame) -> pd.DataFrame:
    if "release_date" not in rows:
        return rows
    return rows.sort_values("release_date", kind="stable", na_position="last", ignore_index=True)


def _too_few(rows: pd.DataFrame, x: str, y: str, name: str, left_out: tuple[str, ...]) -> str:
    """The refusal: what is there, what is needed, and the command that would bring it."""
    both = f"{tables.label(x)} and {tables.label(y)}"
    sizes = "no size" if rows.empty else "1 size" if len(rows) == 1 else f"{len(rows)} sizes"
    reason = f"{name}: {sizes} with {both}, and {LEAST_SIZES} are needed to see a change of sign"
    if len(rows) == 2:
        dx, dy = (float(rows[score].iloc[1] - rows[score].iloc[0]) for score in (x, y))
        reason += f" (the one step: {dx:+.1f} {tables.label(x)}, {dy:+.1f} {tables.label(y)})"
    if left_out:
        lacks = "both scores" if len(left_out) > 1 else "one of the two scores"
        reason += f"; {', '.join(left_out[:3])} without {lacks}"
    known = [benchmark for benchmark in (y, x) if benchmark in measuring.LEADERBOARD_TASKS]
    model = left_out[0] if left_out else "YOUR_NEXT_SIZE"
    if (x, y) == BASE_PAIR:
        return f"{reason}; score more sizes: {measuring.both(model, shots=measuring.shots_of(rows, x))}"
    return f"{reason}; score more sizes: {measuring.command(known[0], model)}" if known else f"{reason}; add sizes"


def chapters(
    wanted: list[Part], folder: Path | None, *, name: str, asked: Mapping[str, Any] | None, audit: bool = False
) -> dict[Path, dict[str, Any]]:
    """Notebook -> checked parameters, for every chapter of the parts that is in `folder`; with `audit` its audit too.

    Each notebook gets the shared parameters that it declares (family, x, y) and of `asked` what it declares. Raises
    UsageError for a name that no notebook declares, a wrong type or a value out of range.
    """
    notebooks: dict[Path, dict[str, Any]] = {}
    declared: dict[Path, dict[str, parameters.Parameter]] = {}
    if folder is None:
        return {}
    asked = asked or {}
    for part in wanted:
        for stem in [f"{place}{stem}" for place in ("", "audit/")[: 1 + audit] for stem in CHAPTERS[part.kind]]:
            path = folder / f"{stem}.ipynb"
            if path.is_file():
                declared[path] = parameters.read(path)
                shared = {"family": name, "x": part.x, "y": part.y}
                shared |= {} if part.along.by_size else {"axis": part.along.name}
                notebooks[path] = {key: value for key, value in shared.items() if key in declared[path]}
    everything = {name for one in declared.values() for name in one}
    reserved = {"scores_path", "family", "x", "y", "axis"} & set(asked)
    if reserved:
        raise UsageError(f"-p {reserved.pop()}: set by SCORES, --name, --x, --y and --axis")
    for key in asked:
        if key not in everything:
            raise UsageError(f"-p: {suggest('parameter', key, sorted(everything - {'scores_path'}))}")
    for path, values in notebooks.items():
        mine = {key: value for key, value in asked.items() if key in declared[path]}
        notebooks[path] = values | parameters.checked(declared[path], mine, where=path.name)
    return notebooks


def plan(
    scores: Scores | pd.DataFrame,
    *,
    name: str,
    pair: tuple[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    audit: bool = False,
    pairs: str | None = None,
) -> Plan:
    """Check everything that can be checked before anything runs.

    scores: as `tables.check_scores` gives them; pair: x and y, or None for the usual pairs; asked: more parameters of
    the chapters; folder: of the notebooks (None: no chapters); audit: with the audit of each chapter; pairs: a column,
    for the comparison of models of one size that differ in it. Raises UsageError, MissingError, ScoresError.
    """
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise UsageError(f"--name {name!r}: give the family a name of 1 to 60 characters")
    if pairs is not None:
        whole, (x, y) = as_scores(scores), pair or BASE_PAIR
        frame, by = comparable(whole, pairs, x, y, name=name)
        part = Part("pairs", x, y, frame, by=by)
        return Plan(name, whole, (part,), chapters([part], folder, name=name, asked=asked), whole.notes)
    rows = tables.one_family(as_scores(scores), name)
    shown, notes = name, list(rows.notes)
    if name in tables.base()["family"].to_numpy() or name in tables.base("uniform")["family"].to_numpy():
        shown = f"{name} (yours)"
        notes.append(f"{name} is a published family as well; the report calls yours {shown!r}")
    analyses = parts(rows, name=name, x=pair[0] if pair else None, y=pair[1] if pair else None)
    if not rows.axis.by_size:
        analyses = [replace(part, beside=as_scores(scores).frame) for part in analyses]
    for part in analyses:
        if part.left_out:
            what = f"{tables.label(part.x)} or {tables.label(part.y)}"
            notes.append(f"left out for want of {what}: {', '.join(part.left_out)}")
        notes += part.notes
    books = chapters(analyses, folder, name=shown, asked=asked, audit=audit)
    return Plan(shown, rows, tuple(analyses), books, tuple(dict.fromkeys(notes)))
