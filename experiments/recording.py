"""Rows of recorded tables, as data/ keeps them: flags in lower case, nothing for what is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cape_lib.output import whole
from cape_lib.stats import Estimate


def ends(name: str, value: Estimate) -> dict[str, float]:
    """The three columns of an estimate: `name`, `name`_low and `name`_high."""
    return {name: value.estimate, f"{name}_low": value.low, f"{name}_high": value.high}


def write(table: pd.DataFrame, path: Path) -> None:
    """The table in place of the file; whole or not at all."""
    with whole(path) as draft:
        plain(table).to_csv(draft, index=False, lineterminator="\n")


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
