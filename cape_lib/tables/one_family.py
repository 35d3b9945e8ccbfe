"""One family out of a checked table: chosen by name, comparable, one row a size (several runs become their mean)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import listed, suggest
from cape_lib.tables import model_names
from cape_lib.tables.axes import PARAMS, Axis, above_zero, is_training, of_rows
from cape_lib.tables.benchmarks import label
from cape_lib.tables.scores import UNNAMED_FAMILY, Scores, refuse_mixed


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
    all_of_them = "cape sweep SCORES -o DIR"
    if name is None:
        reason = f"{len(distinct)} families ({listed(distinct)}); choose one by --name, or: {all_of_them}"
        raise UsageError(f"{scores.name}: {reason}")
    chosen = families.str.casefold() == name.casefold()
    if not chosen.any():
        raise UsageError(f"--name: {suggest('family', name, distinct)}; for all of them: {all_of_them}")
    return scores.of(frame[families == families[chosen].iloc[0]].reset_index(drop=True))


def refuse_unnamed(scores: Scores, *, always: bool = False, choose: bool = True) -> None:
    """Raise MissingError where a table without a column family holds several families by the names of its models.

    always: one family by the names is refused too, for a question about many. choose: name one of them too.
    """
    sizes = model_names.families(scores.frame["model"].astype(str))
    several = [family for family, of_family in sizes.items() if len(of_family) > 1]
    if len(several) < 2 and (not always or is_training(scores.axis)):  # along training, runs are told apart already
        return
    # Columns of text with several values, each of several models.
    frame, other = scores.frame, ("model", "family", "note", "source", "seed")
    texts = [str(column) for column in frame if frame[column].dtype == object and frame[column].notna().all()]
    texts = [name for name in texts if name not in other and not name.endswith("_protocol")]
    few = [name for name in texts if 1 < frame[name].astype(str).nunique() <= len(frame) / 2]
    likely = [name for name in few if frame[name].astype(str).str.contains("[A-Za-z]", regex=True).all()]
    named = f"; a column that may be it: {likely[0]} (--by {likely[0]})" if likely else ""
    lacking = f"{scores.name}: no column family{named}"
    if len(several) < 2:
        step = "add one, or name a column by --by, or the part of the names by --family-from REGEX"
        raise MissingError(f"{lacking}; {step}")
    shown = listed([f"{family} ({len(sizes[family])} sizes)" for family in several])
    chosen = f" --name {shlex.quote(several[0])}" if choose else ""
    step = f"say --family-from '{model_names.PROPOSED}'{chosen}"
    raise MissingError(f"{lacking}; by their names the models are {shown}: {step}")


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
    values = rows[axis.column]
    if axis.by_size and values.isna().any():
        lacking = f"{rows.loc[values.isna(), 'model'].iloc[0]} has no params_b"
        raise MissingError(f"{name}: {lacking}; give its size in billions of parameters")
    if not axis.by_size and len(rows) > 1 and values.nunique() == 1:
        reason = f"every row is at {axis.shown(float(values.iloc[0]))}, so that nothing moves along it"
        raise ScoresError(f"{name}: {reason}; choose another --axis")
    runs = without_run(rows["model"]).map(model_names.run_in_name).value_counts(sort=False)
    several = [str(run) for run in runs.index[runs > 1]] if is_training(axis) else []
    if len(several) > 1:
        reason = f"{len(several)} runs share the axis {axis.name} ({listed(several, 3)})"
        raise ScoresError(f"{name}: {reason}; split by --by model")
    single, notes = _one_a_size(rows, name=name, x=x, y=y, axis=axis)
    return Ladder(single.sort_values(axis.column, ignore_index=True), left_out, (*beyond, *notes), axis)


#: what tells two runs of one model apart at the end of a name, or between two parts of it
_RUN = re.compile(r"(?:^|[-_. /(])(?:seed|run|rep|replicate|trial|init|s|r)[-_ =]?\d+\)?(?=$|[-_. /])", re.IGNORECASE)


#: what stands in `<score>_noise` where the standard error is the spread between runs
BETWEEN_RUNS = "between runs"


def between_runs(rows: pd.DataFrame, scores: Sequence[str]) -> list[str]:
    """Those of `scores` whose noise is the spread between runs of one size (see `one_a_size`), in their order."""
    return [score for score in scores if f"{score}_noise" in rows and rows[f"{score}_noise"].eq(BETWEEN_RUNS).all()]


def without_run(models: pd.Series) -> pd.Series:
    """Names of models without the number of a run ("m-seed3" and "m-seed4" are both "m")."""
    return models.astype(str).str.replace(_RUN, "", regex=True)


def run_number(model: str) -> str | None:
    """The part of a model's name that numbers its run ("m-seed3": "seed3"), or None."""
    hit = _RUN.search(model)
    return None if hit is None else hit[0].strip("-_. /()")


def _one_a_size(rows: pd.DataFrame, *, name: str, x: str, y: str, axis: Axis) -> tuple[pd.DataFrame, list[str]]:
    """The rows of one family with one row a size (or value of another axis), and notes of what became of the others.

    rows: params_b (the column of the axis) and the two scores, none missing. Runs of one model (names that differ in
    "seed3" or "run2" alone, or a column `seed`) become their mean. Their spread, pooled over the sizes that have
    several runs, is the run-to-run noise of every size: it stands in `<score>_stderr`, divided by the square root of
    the number of runs, and `between_runs` names such scores. Where a column `instruct` or `ladder` tells rows apart,
    instruct models and rows outside the ladder are left out. Raises ScoresError for rows of one size that are
    neither.
    """
    by, notes, flags = axis.column, [], {}
    if "instruct" in rows:
        flags["instruct model"] = rows["instruct"].astype(str).str.casefold().isin(["true", "yes", "1", "1.0"])
    if "ladder" in rows:
        flags["outside the ladder"] = rows["ladder"].isna()
    for why, flag in flags.items():
        # A ladder that is named tells which rows belong to it; of instruct models a size keeps one row at least.
        named, flag = why == "outside the ladder" and not flag.all(), flag[rows.index]
        out = rows[rows[by].duplicated(keep=False) & flag & ((~flag).groupby(rows[by]).transform("any") | named)]
        if len(out):
            notes.append(f"left out, {why} at a {axis.point} that stands twice: {', '.join(out['model'].astype(str))}")
            rows = rows.drop(index=out.index)
    if rows[by].is_unique:
        return rows.reset_index(drop=True), notes
    stem = without_run(rows["model"])
    counted = rows["seed"].notna() if "seed" in rows else pd.Series(False, index=rows.index)
    for size, group in rows[rows[by].duplicated(keep=False)].groupby(by):
        unnumbered = group["model"].duplicated().any() and not counted[group.index].all()
        if stem[group.index].nunique() > 1 or unnumbered:
            raise ScoresError(_refusal(rows, group, float(str(size)), name, axis))
    groups, merged = rows.groupby(by, sort=False), rows.drop_duplicates(by).copy()
    counts = groups.size().to_numpy()
    merged["model"] = np.where(counts > 1, stem[merged.index].str.strip("-_. /"), merged["model"])
    merged["runs"] = counts.astype(str)
    scores = [str(c) for c in rows if rows[c].dtype == "float64" and c != by and not str(c).endswith("_stderr")]
    merged[scores] = groups[scores].mean().to_numpy()
    spreads = []
    for score in (x, y):
        within = rows[score] - groups[score].transform("mean")
        spread = float(np.sqrt((within**2).sum() / (counts - 1).sum()))
        if spread > 0:
            merged[f"{score}_stderr"] = spread / np.sqrt(counts)
            merged[f"{score}_noise"] = BETWEEN_RUNS
            spreads.append(f"{spread:.2g} points of {label(score)}")
    many = int((counts > 1).sum())
    note = f"{int(counts[counts > 1].sum())} runs averaged at {many} {axis.point if many == 1 else axis.points}"
    if spreads:
        note += f"; their spread (SD {' and '.join(spreads)}) is the noise of every {axis.point}, in place of the bound"
    return merged.reset_index(drop=True), [*notes, note]


def _refusal(rows: pd.DataFrame, group: pd.DataFrame, value: float, name: str, axis: Axis) -> str:
    first, second = group["model"].astype(str).iloc[:2]
    here, have, stands = f"{value:g} billion parameters", "have", "with"
    if not axis.by_size:
        here, have, stands = axis.shown(value), "are at", "at"
    both = f"{first} stands twice {stands}" if first == second else f"{first} and {second} both {have}"
    if len(group) > 2:
        both, here = f"{len(group)} models {have} {here}", f"({first}, {second} ...)"
    if axis.by_size and group["model"].map(model_names.step_in_name).nunique() >= max(2, len(group) - 1):
        return f"{name}: {both} {here} and are checkpoints of one model; say --axis step"
    reason = f"{name}: {both} {here} and are no runs of one model"
    # Columns whose values, taken with the size (or the axis), name every row once can split the family.
    usual = {"model", "params_b", "family", "seed", "note", "source", "runs"}
    filled = [str(column) for column in rows if column not in usual and rows[column].notna().all()]
    few = [name for name in filled if not pd.api.types.is_float_dtype(rows[name]) and not rows[name].is_unique]
    columns = [name for name in few if not rows.duplicated([axis.column, name]).any()]
    if columns:
        compare = f"; cape diagnose SCORES --pairs {columns[0]} compares them" if axis.by_size else ""
        return f"{reason}; split by --by family,{columns[0]}, or keep one row a {axis.point}{compare}"
    return f"{reason}; keep one row a {axis.point}, split by --by COLUMN, or number the runs in a column seed"
