"""Many statements of one score, one value: the rule that turns them into a point, the same for every model.

A value may stand for a model only if the statement is about the version and the setting that the point stands for
(`role` "main"). Of these, the newest dated one counts, a statement without a date as of the model's release. Who
states it is a choice of the reader: the maker, or an independent runner (one runner a benchmark, so that a column has
one harness). A point never joins a maker's SWE-bench value to an independent GPQA value or the other way round.
"""

from __future__ import annotations

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest

CLAIMANTS: tuple[str, ...] = ("lab", "independent")
PAIR: tuple[str, ...] = ("swe_bench_verified", "gpqa_diamond")
KINDS = {"lab": "lab", "rival": "lab", "independent": "independent"}
#: A maker that leaves a benchmark out of this many releases in a row has stopped to state it.
STOPPED_AFTER = 2


def newest_main(scores: pd.DataFrame, *, claimed_by: str, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """The statement that counts for every model and benchmark, of one kind of claimant.

    scores: rows of `frontier_scores`. claimed_by: "lab", "rival" or "independent". as_of: leave out later statements;
    a maker's value of its own release was announced with it, so that where only a later document was read, its first
    one counts from the release. Returns at most one row a model and benchmark.
    """
    rows = scores[(scores["role"] == "main") & (scores["claimed_by"] == claimed_by)].copy()
    rows["stated_on"] = pd.to_datetime(rows["date"].fillna(rows["release_date"]), format="ISO8601")
    if as_of is not None:
        rows = rows.sort_values("stated_on", kind="stable")
        known = rows["stated_on"] <= as_of
        cell = [rows["model"], rows["benchmark"]]
        out = pd.to_datetime(rows["release_date"], format="ISO8601") <= as_of
        announced = out & ~known.groupby(cell).transform("any") & (rows.groupby(cell).cumcount() == 0)
        rows = rows[known | announced if claimed_by == "lab" else known]
    rows = rows.sort_values(["model", "benchmark", "stated_on"], kind="stable")
    return rows.drop_duplicates(["model", "benchmark"], keep="last")


def chosen(scores: pd.DataFrame, *, claimed_by: str | None = None, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """One row a model and benchmark: the value that stands for the model, by the rule of this module.

    claimed_by: "lab" (the maker's own statements), "independent", or None: for SWE-bench and GPQA the kind that gives
    both, the maker's on a draw; for other benchmarks the same kind where it has a value, else the other. Without a
    choice a value from another maker's table stands in where the maker itself states none.
    Raises UsageError for another claimant.
    """
    if claimed_by is not None and claimed_by not in CLAIMANTS:
        raise UsageError(suggest("claimant", claimed_by, CLAIMANTS))
    if claimed_by is not None:
        return newest_main(scores, claimed_by=claimed_by, as_of=as_of)
    found = pd.concat([newest_main(scores, claimed_by=kind, as_of=as_of) for kind in KINDS], ignore_index=True)
    found["kind"] = found["claimed_by"].map(KINDS)
    found = found.drop_duplicates(["model", "benchmark", "kind"], keep="first")
    pair = found[found["benchmark"].isin(PAIR)].groupby(["model", "kind"]).size().unstack(fill_value=0)
    pair = pair.reindex(columns=list(CLAIMANTS), fill_value=0)
    independent = pair.index[pair["independent"] > pair["lab"]]
    preferred = found["model"].isin(independent).map({True: "independent", False: "lab"})
    of_pair = found["benchmark"].isin(PAIR)
    found = found[~of_pair | (found["kind"] == preferred)].assign(second=found["kind"] != preferred)
    found = found.sort_values(["model", "benchmark", "second"], kind="stable")
    return found.drop_duplicates(["model", "benchmark"], keep="first").drop(columns=["kind", "second"])


def last_stated(scores: pd.DataFrame, benchmark: str, *, as_of: pd.Timestamp | None = None) -> pd.DataFrame:
    """The last release of each maker for which it states a benchmark itself, and how many it has released since.

    scores: rows of `frontier_scores`. Returns one row a maker that ever stated it: lab, model, release_date (as the
    table writes it), `later`, its releases after that day for which it states another score, and `stopped`, whether
    these are `STOPPED_AFTER` or more; the most first. as_of: leave out later releases. A release whose page nobody
    read counts in neither.
    """
    rows = scores[(scores["role"] == "main") & (scores["claimed_by"] == "lab")]
    rows = rows.assign(day=pd.to_datetime(rows["release_date"], format="ISO8601"))
    if as_of is not None:
        rows = rows[rows["day"] <= as_of]
    stated = rows[rows["benchmark"] == benchmark].sort_values(["day", "model"]).drop_duplicates("lab", keep="last")
    stated = stated.set_index("lab")
    since = rows[rows["day"] > rows["lab"].map(stated["day"])]
    stated["later"] = since.groupby("lab")["model"].nunique().reindex(stated.index, fill_value=0)
    stated = stated.sort_values(["later", "day"], ascending=[False, True])
    stated["stopped"] = stated["later"] >= STOPPED_AFTER
    return stated[["model", "release_date", "later", "stopped"]].reset_index()
