"""One family out of a checked table: chosen by name, comparable, one row a size."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import pandas as pd

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.tables import model_names
from cape_lib.tables.axes import PARAMS, Axis, above_zero, is_training, of_rows
from cape_lib.tables.repeats import one_a_size, without_run
from cape_lib.tables.score_checks import UNNAMED_FAMILY, refuse_mixed
from cape_lib.tables.scores import Scores


@dataclass(frozen=True, slots=True)
class Ladder:
    """The points of one family that have both scores, one row each, in order of the axis; those left out; notes.

    axis: with the words that fit these rows.
    """

    rows: pd.DataFrame
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    axis: Axis = PARAMS


def one_family(scores: Scores, name: str | None) -> Scores:
    """The rows of the family `name` where the table has several families; all rows where it has one.

    Raises UsageError where it has several and none of that name, MissingError where the names of the models say that
    there are several and no column tells them apart.
    """
    frame = scores.frame
    if "family" not in frame:
        return scores
    if not scores.has_families:
        refuse_unnamed(scores)
        return scores
    # A row without a family belongs to the one that the person names.
    families = frame["family"].astype(str).replace(UNNAMED_FAMILY, name or UNNAMED_FAMILY)
    distinct = list(dict.fromkeys(families))
    if len(distinct) < 2:
        return scores
    if name is None:
        shown = ", ".join(distinct[:4]) + (" ..." if len(distinct) > 4 else "")
        raise UsageError(
            f"{scores.name}: {len(distinct)} families ({shown}); choose one by --name, or: cape sweep SCORES -o DIR"
        )
    chosen = next((family for family in distinct if family.casefold() == name.casefold()), None)
    if chosen is None:
        raise UsageError(f"--name: {suggest('family', name, distinct)}; for all of them: cape sweep SCORES -o DIR")
    return scores.of(frame[families == chosen].reset_index(drop=True))


def refuse_unnamed(scores: Scores, *, always: bool = False, choose: bool = True) -> None:
    """Raise MissingError where a table without a column family holds several families by the names of its models.

    always: one family by the names is refused too, for a question about many. choose: name one of them too.
    """
    found = {family: sizes for family, sizes in model_names.families(scores.frame["model"].astype(str)).items()}
    several = [family for family, sizes in found.items() if len(sizes) > 1]
    if len(several) < 2 and not always:
        return
    likely = _likely(scores.frame)
    named = f"; a column that may be it: {likely[0]} (--by {likely[0]})" if likely else ""
    told = f"{scores.name}: no column family{named}"
    if len(several) < 2:
        raise MissingError(
            f"{told}; add one, or name a column by --by, or the part of the names by --family-from REGEX"
        )
    shown = ", ".join(f"{family} ({len(found[family])} sizes)" for family in several[:4])
    more = " ..." if len(several) > 4 else ""
    raise MissingError(
        f"{told}; by their names the models are {shown}{more}: say --family-from '{model_names.PROPOSED}'"
        + (f" --name {shlex.quote(several[0])}" if choose else "")
    )


def _likely(frame: pd.DataFrame) -> list[str]:
    """Columns of text with several values, each of several models."""
    texts = [
        str(c) for c in frame if frame[c].dtype == object and c not in ("model", "family", "note", "source", "seed")
    ]
    return [
        name
        for name in texts
        if not name.endswith("_protocol")
        and frame[name].notna().all()
        and 1 < frame[name].astype(str).nunique() <= len(frame) / 2
        and frame[name].astype(str).str.contains("[A-Za-z]", regex=True).all()
    ]


def ladder_of(scores: Scores, x: str, y: str, *, name: str) -> Ladder:
    """The rows of one family that have both scores, one a size (or value of the table's axis), smallest first.

    Raises MixedProtocolError (unless the table allows it) where they were measured in different ways, MissingError
    where a size is blank, ScoresError where rows of one size are no runs of one model, where several runs share an
    axis, and where nothing moves along it.
    """
    whole = scores.frame[[x, y]].notna().all(axis=1)
    rows = scores.frame[whole].reset_index(drop=True)
    left_out = tuple(scores.frame.loc[~whole, "model"].astype(str))
    if not scores.allow_mixed:
        refuse_mixed(rows, (x, y), name=name)
    axis = of_rows(scores.axis, rows)
    if axis.column in (x, y):
        raise UsageError(f"--axis {axis.name}: that is one of the two scores; choose another column")
    rows, beyond = above_zero(rows, axis)
    if not axis.by_size:
        refuse_still(rows, axis, name=name)
    elif rows["params_b"].isna().any():
        model = rows.loc[rows["params_b"].isna(), "model"].iloc[0]
        raise MissingError(f"{name}: {model} has no params_b; give its size in billions of parameters")
    single, notes = one_a_size(rows, name=name, x=x, y=y, axis=axis)
    return Ladder(single.sort_values(axis.column, ignore_index=True), left_out, (*beyond, *notes), axis)


def refuse_still(rows: pd.DataFrame, axis: Axis, *, name: str) -> None:
    """Raise ScoresError where several runs share one axis, or all rows stand at one value of it."""
    values = rows[axis.column]
    if len(rows) > 1 and values.nunique() == 1:
        reason = f"every row is at {axis.shown(float(values.iloc[0]))}, so that nothing moves along it"
        raise ScoresError(f"{name}: {reason}; choose another --axis")
    runs = without_run(rows["model"]).map(model_names.run_in_name)
    several = [str(run) for run, rows_of in runs.value_counts(sort=False).items() if rows_of > 1]
    if is_training(axis) and len(several) > 1:
        shown = ", ".join(several[:3]) + (" ..." if len(several) > 3 else "")
        raise ScoresError(f"{name}: {len(several)} runs share the axis {axis.name} ({shown}); split by --by model")
