"""Several rows of one size: runs of one model become their mean, with the spread between runs as their noise."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cape_lib.errors import ScoresError
from cape_lib.tables.axes import PARAMS, Axis
from cape_lib.tables.benchmarks import label

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


def one_a_size(
    rows: pd.DataFrame, *, name: str = "", x: str, y: str, axis: Axis = PARAMS
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of one family with one row a size (or value of another axis), and notes of what became of the others.

    rows: params_b (the column of the axis) and the two scores, none missing. Runs of one model (names that differ in
    "seed3" or "run2" alone, or a column `seed`) become their mean. Their spread, pooled over the sizes that have
    several runs, is the run-to-run noise of every size: it stands in `<score>_stderr`, divided by the square root of
    the number of runs, and `between_runs` names such scores. Where a column `instruct` or `ladder` tells rows apart,
    instruct models and rows outside the ladder are left out. Raises ScoresError for rows of one size that are
    neither.
    """
    by = axis.column
    if rows[by].is_unique:
        return rows, []
    rows, notes = _told_apart(rows, axis)
    if rows[by].is_unique:
        return rows.reset_index(drop=True), notes
    stem = without_run(rows["model"])
    counted = rows["seed"].notna() if "seed" in rows else pd.Series(False, index=rows.index)
    for size, group in rows.groupby(by):
        if len(group) > 1 and stem[group.index].nunique() > 1 and not _are_runs(group, counted):
            raise ScoresError(_refusal(rows, group, float(str(size)), name, axis))
        if len(group) > 1 and group["model"].duplicated().any() and not counted[group.index].all():
            raise ScoresError(_refusal(rows, group, float(str(size)), name, axis))
    return _averaged(rows, stem, x=x, y=y, notes=notes, axis=axis)


def _are_runs(group: pd.DataFrame, counted: pd.Series) -> bool:
    """Whether a column `seed` alone tells the rows apart."""
    return bool(counted[group.index].all() and group["seed"].is_unique and group["model"].nunique() == 1)


def _told_apart(rows: pd.DataFrame, axis: Axis) -> tuple[pd.DataFrame, list[str]]:
    """Without the instruct models, and then without the rows outside the ladder, at the sizes that stand twice."""
    notes = []
    flags = {}
    if "instruct" in rows:
        flags["instruct model"] = rows["instruct"].astype(str).str.casefold().isin(["true", "yes", "1", "1.0"])
    if "ladder" in rows:
        flags["outside the ladder"] = rows["ladder"].isna()
    for why, flag in flags.items():
        twice = rows[axis.column].duplicated(keep=False) & flag[rows.index]
        # A ladder that is named tells which rows belong to it; of instruct models a size keeps one row at least.
        stays = (~flag[rows.index]).groupby(rows[axis.column]).transform("any")
        if why == "outside the ladder":
            stays |= not flag.all()
        if (gone := rows[twice & stays]).size:
            notes.append(f"left out, {why} at a {axis.point} that stands twice: {', '.join(gone['model'].astype(str))}")
            rows = rows.drop(index=gone.index)
    return rows, notes


def _averaged(
    rows: pd.DataFrame, stem: pd.Series, *, x: str, y: str, notes: list[str], axis: Axis
) -> tuple[pd.DataFrame, list[str]]:
    by = axis.column
    groups = rows.groupby(by, sort=False)
    runs = groups["model"].transform("size")
    merged = rows.drop_duplicates(by).copy()
    counts = groups.size().reindex(merged[by]).to_numpy()
    merged["model"] = np.where(counts > 1, stem[merged.index].str.strip("-_. /"), merged["model"])
    merged["runs"] = counts.astype(str)
    scores = [str(c) for c in rows if rows[c].dtype == "float64" and c != by and not str(c).endswith("_stderr")]
    for score in scores:
        merged[score] = groups[score].mean().reindex(merged[by]).to_numpy()
    told = []
    for score in (x, y):
        within = rows[score] - groups[score].transform("mean")
        freedom = int((runs > 1).sum() - groups.ngroups + (counts == 1).sum())
        spread = float(np.sqrt((within**2).sum() / freedom)) if freedom else 0.0
        if spread > 0:
            merged[f"{score}_stderr"] = spread / np.sqrt(counts)
            merged[f"{score}_noise"] = BETWEEN_RUNS
            told.append(f"{spread:.2g} points of {label(score)}")
    many = int((counts > 1).sum())
    note = f"{int(counts[counts > 1].sum())} runs averaged at {many} {axis.point if many == 1 else axis.points}"
    if told:
        note += f"; their spread (SD {' and '.join(told)}) is the noise of every {axis.point}, in place of the bound"
    return merged.reset_index(drop=True), [*notes, note]


def _refusal(rows: pd.DataFrame, group: pd.DataFrame, value: float, name: str, axis: Axis) -> str:
    first, second = group["model"].astype(str).iloc[:2]
    here, have, stands = f"{value:g} billion parameters", "have", "with"
    if not axis.by_size:
        here, have, stands = axis.shown(value), "are at", "at"
    both = f"{first} stands twice {stands}" if first == second else f"{first} and {second} both {have}"
    told = f"{name}: {both} {here} and are no runs of one model"
    if len(group) > 2:
        several = f"{len(group)} models {have} {here} ({first}, {second} ...)"
        told = f"{name}: {several} and are no runs of one model"
    columns = splitting(rows, axis)
    if columns:
        step = f"split by --by family,{columns[0]}, or keep one row a {axis.point}"
        compare = f"; cape diagnose SCORES --pairs {columns[0]} compares them" if axis.by_size else ""
        return f"{told}; {step}{compare}"
    return f"{told}; keep one row a {axis.point}, split by --by COLUMN, or number the runs in a column seed"


def splitting(rows: pd.DataFrame, axis: Axis = PARAMS) -> list[str]:
    """Columns whose values, taken with the size (or the axis), name every row once: they can split a family."""
    usual = {"model", "params_b", "family", "seed", "note", "source", "runs"}
    texts = [str(c) for c in rows if c not in usual and not pd.api.types.is_float_dtype(rows[c])]
    return [
        column
        for column in texts
        if rows[column].notna().all()
        and rows[column].nunique() < len(rows)
        and not rows.duplicated([axis.column, column]).any()
    ]
