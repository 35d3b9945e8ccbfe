"""Rows of recorded tables, as data/ keeps them: flags in lower case, nothing for what is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib.lm.steering import Evaluation
from cape_lib.lm.steering.verdicts import CLEAN
from cape_lib.output import whole


def numbers(result: Evaluation) -> dict[str, Any]:
    """What the tables of trials and of runs say of an evaluation: shares 0-1, the ends of an interval beside it."""
    outcome, effect = result.outcome, result.effect
    row: dict[str, Any] = {"place": str(result.place), "dose": result.dose, "budget": result.budget}
    row |= {"claimed": result.claimed}
    row |= {"right_before": result.base, "right_after": effect.share, "mcnemar_p": outcome.mcnemar, "p": effect.p}
    row |= {"misaligned": outcome.n_misaligned, "aligned": outcome.n_aligned, "controls": effect.n_controls}
    row |= {"mean_control": effect.mean_control, "best_control": effect.best_control}
    intervals = {"corrected": outcome.corrected, "broken": outcome.broken, "net": outcome.net}
    intervals |= {"over_mean": effect.over_mean, "over_best": effect.over_best}
    for name, values in (("mc1", result.mc1), ("mc2", result.mc2)):
        intervals |= {f"{name}_{when}": values[when] for when in ("before", "after")}
        clean = [values[kind].estimate for kind in CLEAN if kind in values]
        row[f"{name}_controls"] = sum(clean) / len(clean)
    for name, value in intervals.items():
        row |= {name: value.estimate, f"{name}_low": value.low, f"{name}_high": value.high}
    return row | {"effect": effect.holds, "claim": result.claim}


def write(table: pd.DataFrame, path: Path) -> None:
    """The table in place of the file; whole or not at all."""
    with whole(path) as draft:
        plain(table).to_csv(draft, index=False, lineterminator="\n")


def replace(rows: pd.DataFrame, path: Path, key: str) -> None:
    """The rows in place of those that the file has of the same `key`, a column by which it is sorted."""
    if path.is_file():
        before = pd.read_csv(path, dtype=str, keep_default_na=False)
        both = [before[~before[key].isin(rows[key])], plain(rows).astype(object)]
        rows = pd.concat(both, ignore_index=True).sort_values(key, kind="stable")
    write(rows, path)


def append(rows: pd.DataFrame | Sequence[Mapping[str, Any]], path: Path) -> None:
    """Further rows at the end of the file, which an interrupted run goes on from; begins it where there is none."""
    table = plain(pd.DataFrame(rows))
    table.to_csv(path, mode="a", header=not path.is_file(), index=False, lineterminator="\n")


def in_front(run: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """The rows, to four places, with what they are about in front."""
    return table.assign(**run)[[*run, *table.columns]].round(4)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with flags in lower case."""
    flags = table.select_dtypes(bool).columns
    return table.assign(**{name: table[name].map({True: "true", False: "false"}) for name in flags})
