"""What a table of scores allows: which analysis, which rows, which chapters; or a refusal with what is needed.

What a chapter's `parameters` cell accepts is read from the cell itself, and values are checked against it: papermill
only warns at an unknown name and takes a value of any type, so a slip would show in no error and a wrong report. The
cell is plain Python: `name: type = default  # what it is: a, b or c` or `# what it is; 0 to 100`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from cape_lib import tables
from cape_lib.dashboard.one_family import comparable
from cape_lib.errors import CapeError, MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.report.family import measuring
from cape_lib.tables import Scores
from cape_lib.tables.axes import PARAMS, Axis, with_places
from cape_lib.tables.benchmarks import PAIRS
from cape_lib.tables.scores import refuse_mixed

Kind = Literal["base", "pair", "frontier", "path", "pairs"]
BASE_PAIR, FRONTIER_PAIR = PAIRS
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
#: type -> what a value of it is called
_KINDS: dict[type[Any], str] = {str: "text", int: "a whole number", float: "a number", bool: "yes or no"}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = r"-?\d+(?:\.\d+)?"
#: "...: a, b or c" in a comment: the values that are allowed
_LISTED = re.compile(r":\s*([\w.-]+(?:,\s*[\w.-]+)*\s+or\s+[\w.-]+)\s*(?:;|$)")


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


def parts(checked: Scores | pd.DataFrame, *, name: str, x: str | None = None, y: str | None = None) -> list[Part]:
    """The analyses that the scores of one family allow. Raises MissingError where there is none, with what would.

    checked: as `tables.check_scores` gives them; a frame is taken as checked and comparable.
    x, y: another pair, both or neither; without it HellaSwag and TruthfulQA, and SWE-bench and GPQA.
    """
    whole = as_scores(checked)
    scores, by_size = whole.frame, whole.axis.by_size
    scored = tables.score_benchmarks(scores)
    if x is not None and y is not None:
        if x == y:
            raise UsageError(f"--x and --y are both {x}; choose two benchmarks")
        for benchmark in (x, y):
            if benchmark not in scored:
                raise MissingError(f"{name}: {suggest('benchmark', benchmark, scored)}; {_how(benchmark, scores)}")
        return [_part(whole, *(FRONTIER_PAIR if by_size and {x, y} == set(FRONTIER_PAIR) else (x, y)), name=name)]
    filled = [benchmark for benchmark in scored if scores[benchmark].notna().any()]
    pairs = [pair for pair in (BASE_PAIR, FRONTIER_PAIR) if set(pair) <= set(filled)]
    if pairs:
        return [_part(whole, *pair, name=name) for pair in (pairs if by_size else pairs[:1])]
    half = [pair for pair in (BASE_PAIR, FRONTIER_PAIR) if set(pair) & set(filled)]
    lacking = [benchmark for benchmark in (half or [BASE_PAIR])[0] if benchmark not in filled]
    others = [benchmark for benchmark in filled if benchmark != whole.axis.column]
    other = f"; or name another pair by --x and --y ({', '.join(others[:6])})" if len(others) > 1 else ""
    raise MissingError(f"{name}: no score in {' and '.join(lacking)}; {_how(lacking[0], scores)}{other}")


def _how(benchmark: str, scores: pd.DataFrame) -> str:
    if benchmark in measuring.LEADERBOARD_TASKS and len(scores):
        return f"measure it: {measuring.command(benchmark, str(scores['model'].iloc[0]))}"
    return f"add a column {benchmark} in percent"


def _part(scores: Scores, x: str, y: str, *, name: str) -> Part:
    """The points of one family by size, along another axis, or its releases in time."""
    if (x, y) == FRONTIER_PAIR and scores.axis.by_size:
        whole = scores.frame[[x, y]].notna().all(axis=1)
        rows = _short_names(scores.frame[whole].reset_index(drop=True)).assign(family=name)
        if not scores.allow_mixed:
            refuse_mixed(rows, (x, y), name=name, kinds=False)
        if "release_date" in rows:
            rows = rows.sort_values("release_date", kind="stable", na_position="last", ignore_index=True)
        return Part("frontier", x, y, rows, tuple(scores.frame.loc[~whole, "model"].astype(str)))
    ladder = tables.ladder_of(scores, x, y, name=name)
    along = ladder.axis
    # The rows are one ladder because the person says so, whatever ladders a panel files them under.
    rows = with_places(_short_names(ladder.rows), along).assign(family=name, ladder=name)
    if len(rows) < LEAST_SIZES:
        raise MissingError(_too_few(rows, x, y, name, along, ladder.left_out))
    kind: Kind = "path" if not along.by_size else "base" if (x, y) == BASE_PAIR else "pair"
    return Part(kind, x, y, rows, ladder.left_out, ladder.notes, along)


def notes_of(wanted: Iterable[Part], without: str) -> list[str]:
    """What became of rows that are no point of an analysis; without: what is said of models that lack a score."""
    notes = []
    for part in wanted:
        if part.left_out:
            notes.append(f"{without} {tables.label(part.x)} or {tables.label(part.y)}: {', '.join(part.left_out)}")
        notes += part.notes
    return list(dict.fromkeys(notes))


def as_scores(checked: Scores | pd.DataFrame) -> Scores:
    """A checked table as it is; a frame, whose scores somebody has judged comparable, as one."""
    return checked if isinstance(checked, Scores) else Scores(checked, name="the table", allow_mixed=True)


def _short_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Models without the "lab/" that all of them begin with: a chart on a phone has no room for it."""
    names = rows["model"].astype(str)
    labs = names.str.extract(r"^([^/]+/)[^/]", expand=False)
    return rows.assign(model=names.str.slice(len(labs[0]))) if len(rows) and (labs == labs[0]).all() else rows


def _too_few(rows: pd.DataFrame, x: str, y: str, name: str, along: Axis, left_out: tuple[str, ...]) -> str:
    """The refusal: what is there, what is needed, and the command that would bring it."""
    names = tables.label(x), tables.label(y)
    point, points = ("size", "sizes") if along.by_size else (along.point, along.points)
    count = "no" if along.by_size and rows.empty else len(rows)
    there = f"{count} {point if len(rows) == 1 or count == 'no' else points} with {' and '.join(names)}"
    reason = f"{name}: {there}, and {LEAST_SIZES} are needed to see a change of sign"
    if not along.by_size:
        return f"{reason}; score more {points}"
    if len(rows) == 2:
        dx, dy = (float(rows[score].iloc[1] - rows[score].iloc[0]) for score in (x, y))
        reason += f" (the one step: {dx:+.1f} {names[0]}, {dy:+.1f} {names[1]})"
    if left_out:
        lacks = "both scores" if len(left_out) > 1 else "one of the two scores"
        reason += f"; {', '.join(left_out[:3])} without {lacks}"
    known = [benchmark for benchmark in (y, x) if benchmark in measuring.LEADERBOARD_TASKS]
    model = left_out[0] if left_out else "YOUR_NEXT_SIZE"
    if (x, y) == BASE_PAIR:
        return f"{reason}; score more sizes: {measuring.both(model, shots=measuring.shots_of(rows, x))}"
    return f"{reason}; score more sizes: {measuring.command(known[0], model)}" if known else f"{reason}; add sizes"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a notebook: `type`, `default`, what the cell says of it, and what it allows.

    choices: the values allowed, () for any; low, high: the range of a number, infinite where the cell states none.
    """

    name: str
    type: type[Any]
    default: Any
    comment: str = ""
    choices: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf


def declared(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in the order of its cell tagged `parameters` ({} where it has none).

    Raises CapeError where the file is no notebook or a default is no plain value.
    """
    import papermill

    try:
        cells = papermill.inspect_notebook(str(notebook))
        return {name: _parameter(name, ast.literal_eval(cell["default"]), cell) for name, cell in cells.items()}
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise CapeError(f"{notebook.name}: its cell of parameters cannot be read ({error})") from None


def _parameter(name: str, default: Any, cell: Mapping[str, str]) -> Parameter:
    types = {kind.__name__: kind for kind in _KINDS}
    kind, comment = types.get(cell["inferred_type_name"], type(default)), cell["help"].strip()
    choices: tuple[Any, ...] = ()
    if listed := _LISTED.search(comment):
        words = tuple(kind(word) for word in re.split(r",\s*|\s+or\s+", listed[1]))
        choices = words if default in words else ()  # a list that lacks the default is no list of values
    bounds = re.search(rf"({_NUMBER}) to ({_NUMBER})", comment) if kind in (int, float) else None
    low, high = (float(bounds[1]), float(bounds[2])) if bounds else (-math.inf, math.inf)
    return Parameter(name, kind, default, comment, choices, low, high)


def checked(accepted: Mapping[str, Parameter], values: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The values in their declared types. Raises UsageError naming the first that does not fit.

    A value may be text as typed on a command line: "0.2" for a float, "yes" for a bool.
    """
    fitting = {}
    for name, value in values.items():
        if name not in accepted:
            raise UsageError(f"{where}: {suggest('parameter', name, accepted)}")
        one = accepted[name]
        typed = _typed(one.type, value)
        if typed is None and (value is not None or one.default is not None):
            wanted = f"{_KINDS.get(one.type, one.type.__name__)}, not {value!r} ({one.comment or 'no comment'})"
            raise UsageError(f"{where}: parameter {name} is {wanted}")
        if one.choices and typed not in one.choices:
            raise UsageError(f"{where}: {suggest(f'value of {name}', str(typed), map(str, one.choices))}")
        if isinstance(typed, (int, float)) and not one.low <= typed <= one.high:
            raise UsageError(f"{where}: parameter {name} is {typed:g}; choose from {one.low:g} to {one.high:g}")
        fitting[name] = typed
    return fitting


def _typed(kind: type[Any], value: Any) -> Any:
    """The value in its type; None where it has none."""
    if kind is bool:
        return value if isinstance(value, bool) else _WORDS.get(str(value).strip().casefold())
    if kind is str:
        return value if isinstance(value, str) else None
    if kind not in (int, float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
        whole = number == int(number)  # raises for what is not finite
    except (TypeError, ValueError, OverflowError):
        return None
    return kind(number) if whole or kind is float else None


def chapters(
    wanted: list[Part], folder: Path | None, *, name: str, asked: Mapping[str, Any] | None, audit: bool = False
) -> dict[Path, dict[str, Any]]:
    """Notebook -> checked parameters, for every chapter of the parts that is in `folder`; with `audit` its audit too.

    Each notebook gets the shared parameters that it declares (family, x, y) and of `asked` what it declares. Raises
    UsageError for a name that no notebook declares, a wrong type or a value out of range.
    """
    if folder is None:
        return {}
    asked = dict(asked or {})
    if reserved := {"scores_path", "family", "x", "y", "axis"} & set(asked):
        raise UsageError(f"-p {reserved.pop()}: set by SCORES, --name, --x, --y and --axis")
    notebooks: dict[Path, dict[str, Any]] = {}
    accepted: dict[Path, dict[str, Parameter]] = {}
    for part in wanted:
        shared = {"family": name, "x": part.x, "y": part.y}
        shared |= {} if part.along.by_size else {"axis": part.along.name}
        for place in (folder, folder / "audit")[: 1 + audit]:
            for path in (place / f"{stem}.ipynb" for stem in CHAPTERS[part.kind]):
                if path.is_file():
                    accepted[path] = declared(path)
                    notebooks[path] = {key: value for key, value in shared.items() if key in accepted[path]}
    everything = {name for one in accepted.values() for name in one}
    for key in asked:
        if key not in everything:
            raise UsageError(f"-p: {suggest('parameter', key, sorted(everything - {'scores_path'}))}")
    for path, values in notebooks.items():
        own = {key: value for key, value in asked.items() if key in accepted[path]}
        values |= checked(accepted[path], own, where=path.name)
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
    whole = as_scores(scores)
    if pairs is not None:
        x, y = pair or BASE_PAIR
        frame, by = comparable(whole, pairs, x, y, name=name)
        part = Part("pairs", x, y, frame, by=by)
        return Plan(name, whole, (part,), chapters([part], folder, name=name, asked=asked), whole.notes)
    rows = tables.one_family(whole, name)
    shown, notes = name, list(rows.notes)
    if name in {*tables.base()["family"], *tables.base("uniform")["family"]}:
        shown = f"{name} (yours)"
        notes.append(f"{name} is a published family as well; the report calls yours {shown!r}")
    analyses = parts(rows, name=name, x=pair[0] if pair else None, y=pair[1] if pair else None)
    if not rows.axis.by_size:
        analyses = [replace(part, beside=whole.frame) for part in analyses]
    notes += notes_of(analyses, "left out for want of")
    books = chapters(analyses, folder, name=shown, asked=asked, audit=audit)
    return Plan(shown, rows, tuple(analyses), books, tuple(dict.fromkeys(notes)))
