"""What a table of scores allows: which analysis, which rows, which chapters; or a refusal with what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cape_lib import tables
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.report.family import measuring, parameters
from cape_lib.tables.score_checks import UNNAMED_FAMILY

Kind = Literal["base", "pair", "frontier"]
BASE_PAIR = ("hellaswag", "truthfulqa")
FRONTIER_PAIR = ("swe_bench_verified", "gpqa_diamond")
#: Fewer sizes make at most one interval: no change of sign can show.
LEAST_SIZES = 3
CHAPTERS: dict[Kind, tuple[str, ...]] = {
    "base": ("01_coupling", "02_phase_boundary", "03_levers"),
    "pair": ("01_coupling", "02_phase_boundary"),
    "frontier": ("06_frontier", "07_predictions"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One analysis: its kind, the pair, the rows that have both scores, the models left out for want of one."""

    kind: Kind
    x: str
    y: str
    rows: pd.DataFrame
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a report needs, checked before anything runs.

    name: of the family, as the report shows it; parts: one or two analyses; chapters: notebook -> its parameters
    (without scores_path); notes: what the person should know.
    """

    name: str
    scores: pd.DataFrame
    parts: tuple[Part, ...]
    chapters: Mapping[Path, dict[str, Any]]
    notes: tuple[str, ...] = field(default=())


def one_family(scores: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of the family `name` where the table has several families; all rows where it has one.

    Raises UsageError where it has several and none of that name.
    """
    if "family" not in scores:
        return scores
    # A row without a family belongs to the one that the person names.
    families = scores["family"].fillna(UNNAMED_FAMILY).astype(str).replace(UNNAMED_FAMILY, name)
    distinct = list(dict.fromkeys(families))
    if len(distinct) < 2:
        return scores
    chosen = next((family for family in distinct if family.casefold() == name.casefold()), None)
    if chosen is None:
        raise UsageError(f"--name: {suggest('family', name, distinct)}; for all of them: cape sweep SCORES -o DIR")
    chosen_rows: pd.DataFrame = scores[families == chosen]
    return chosen_rows.reset_index(drop=True)


def parts(scores: pd.DataFrame, *, name: str, x: str | None = None, y: str | None = None) -> list[Part]:
    """The analyses that the scores allow. Raises MissingError where there is none, with what would allow one.

    x, y: a pair of one's own, both or neither; without it HellaSwag and TruthfulQA, and SWE-bench and GPQA.
    """
    if x is not None and y is not None:
        if x == y:
            raise UsageError(f"--x and --y are both {x}; choose two benchmarks")
        for benchmark in (x, y):
            if benchmark not in tables.score_benchmarks(scores):
                told = suggest("benchmark", benchmark, tables.score_benchmarks(scores))
                raise MissingError(f"{name}: {told}; {_how(benchmark, scores)}")
        frontier = {x, y} == set(FRONTIER_PAIR)
        kind: Kind = "base" if (x, y) == BASE_PAIR else "frontier" if frontier else "pair"
        return [_part(scores, kind, *(FRONTIER_PAIR if frontier else (x, y)), name=name)]
    given = tables.score_benchmarks(scores)
    found = []
    if all(_any(scores, benchmark) for benchmark in BASE_PAIR):
        found.append(_part(scores, "base", *BASE_PAIR, name=name))
    if all(_any(scores, benchmark) for benchmark in FRONTIER_PAIR):
        found.append(_part(scores, "frontier", *FRONTIER_PAIR, name=name))
    if found:
        return found
    half = [pair for pair in (BASE_PAIR, FRONTIER_PAIR) if any(_any(scores, benchmark) for benchmark in pair)]
    lacking = [benchmark for benchmark in (half or [BASE_PAIR])[0] if not _any(scores, benchmark)]
    others = [benchmark for benchmark in given if _any(scores, benchmark)]
    pair = f"; or name another pair by --x and --y ({', '.join(others[:6])})" if len(others) > 1 else ""
    raise MissingError(f"{name}: no score in {' and '.join(lacking)}; {_how(lacking[0], scores)}{pair}")


def _any(scores: pd.DataFrame, benchmark: str) -> bool:
    return benchmark in scores and bool(scores[benchmark].notna().any())


def _how(benchmark: str, scores: pd.DataFrame) -> str:
    if benchmark in measuring.LEADERBOARD_TASKS and len(scores):
        return f"measure it: {measuring.command(benchmark, str(scores['model'].iloc[0]))}"
    return f"add a column {benchmark} in percent"


def _part(scores: pd.DataFrame, kind: Kind, x: str, y: str, *, name: str) -> Part:
    whole = scores[[x, y]].notna().all(axis=1)
    rows = _short_names(scores[whole].reset_index(drop=True))
    left_out = tuple(scores.loc[~whole, "model"].astype(str))
    if kind == "frontier":
        return Part(kind, x, y, _in_time(rows).assign(family=name), left_out)
    # The rows are one ladder because the person says so, whatever ladders a panel files them under.
    rows = rows.sort_values("params_b", ignore_index=True).assign(family=name, ladder=name)
    if rows["params_b"].isna().any():
        model = rows.loc[rows["params_b"].isna(), "model"].iloc[0]
        raise MissingError(f"{name}: {model} has no params_b; give its size in billions of parameters")
    alike = rows["params_b"].duplicated(keep=False)
    if alike.any():
        first, second = rows.loc[alike, "model"].iloc[:2]
        size = rows.loc[alike, "params_b"].iloc[0]
        raise ScoresError(f"{name}: {first} and {second} both have {size:g} billion parameters; keep one row a size")
    if len(rows) < LEAST_SIZES:
        raise MissingError(_too_few(rows, x, y, name, left_out))
    return Part(kind, x, y, rows, left_out)


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
    told = f"{name}: {sizes} with {both}, and {LEAST_SIZES} are needed to see a change of sign"
    if len(rows) == 2:
        dx, dy = (float(rows[score].iloc[1] - rows[score].iloc[0]) for score in (x, y))
        told += f" (the one step: {dx:+.1f} {tables.label(x)}, {dy:+.1f} {tables.label(y)})"
    if left_out:
        lacks = "both scores" if len(left_out) > 1 else "one of the two scores"
        told += f"; {', '.join(left_out[:3])} without {lacks}"
    known = [benchmark for benchmark in (y, x) if benchmark in measuring.LEADERBOARD_TASKS]
    model = left_out[0] if left_out else "YOUR_NEXT_SIZE"
    if (x, y) == BASE_PAIR:
        return f"{told}; score more sizes: {measuring.both(model, shots=measuring.shots_of(rows, x))}"
    return f"{told}; score more sizes: {measuring.command(known[0], model)}" if known else f"{told}; add sizes"


def chapters(
    wanted: list[Part], folder: Path, *, name: str, given: Mapping[str, Any], audit: bool = False
) -> dict[Path, dict[str, Any]]:
    """Notebook -> checked parameters, for every chapter of the parts that is in `folder`; with `audit` its audit too.

    Each notebook gets the shared parameters that it declares (family, x, y) and of `given` what it declares. Raises
    UsageError for a name that no notebook declares, a wrong type or a value out of range.
    """
    found: dict[Path, dict[str, Any]] = {}
    declared: dict[Path, dict[str, parameters.Parameter]] = {}
    for part in wanted:
        for stem in [f"{place}{stem}" for place in ("", "audit/")[: 1 + audit] for stem in CHAPTERS[part.kind]]:
            path = folder / f"{stem}.ipynb"
            if path.is_file():
                declared[path] = parameters.read(path)
                shared = {"family": name, "x": part.x, "y": part.y}
                found[path] = {key: value for key, value in shared.items() if key in declared[path]}
    everything = parameters.together(declared.values())
    reserved = {"scores_path", "family", "x", "y"} & set(given)
    if reserved:
        raise UsageError(f"-p {reserved.pop()}: set by SCORES, --name, --x and --y")
    for key in given:
        if key not in everything:
            raise UsageError(f"-p: {suggest('parameter', key, sorted(set(everything) - {'scores_path'}))}")
    for path, values in found.items():
        mine = {key: value for key, value in given.items() if key in declared[path]}
        found[path] = values | parameters.checked(declared[path], mine, where=path.name)
    return found


def plan(
    scores: pd.DataFrame,
    *,
    name: str,
    pair: tuple[str, str] | None,
    given: Mapping[str, Any],
    folder: Path,
    audit: bool = False,
) -> Plan:
    """Check everything that can be checked before anything runs.

    scores: as `tables.read_scores` gives them; pair: x and y, or None for the usual pairs; given: further parameters of
    the chapters; folder: of the notebooks; audit: with the audit of each chapter. Raises UsageError, MissingError,
    ScoresError.
    """
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise UsageError(f"--name {name!r}: give the family a name of 1 to 60 characters")
    rows = one_family(scores, name)
    shown, notes = name, []
    if name in tables.base()["family"].to_numpy() or name in tables.base("uniform")["family"].to_numpy():
        shown = f"{name} (yours)"
        notes.append(f"{name} is a published family as well; the report calls yours {shown!r}")
    found = parts(rows, name=name, x=pair[0] if pair else None, y=pair[1] if pair else None)
    for part in found:
        if part.left_out:
            what = f"{tables.label(part.x)} or {tables.label(part.y)}"
            notes.append(f"left out for want of {what}: {', '.join(part.left_out)}")
    books = chapters(found, folder, name=shown, given=given, audit=audit)
    return Plan(shown, rows, tuple(found), books, tuple(notes))
