"""Frontier models: the rule that turns statements into points, and five panels.

Many statements of one score, one value: a value may stand for a model only if the statement is about the version and
the setting that the point stands for (`role` "main"). Of these, the newest dated one counts, a statement without a date
as of the model's release. Who states it is a choice of the reader: the maker, or an independent runner (one runner a
benchmark, so that a column has one harness). A point never joins a maker's SWE-bench value to an independent GPQA value
or the other way round.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import FRONTIER_BENCHMARKS
from cape_lib.tables.files import load, stamp


def source_url(source: str | None) -> str | None:
    """Public address of a `repository:path` pointer, or the address itself; None where there is none.

    Several pointers joined by ";" give the address of the first. `cape-scaling:data/x.json` becomes the file at the
    commit that the tables were read from.
    """
    if source is None or pd.isna(source):
        return None
    first = str(source).split(";")[0].strip()
    if first.startswith(("https://", "http://")):
        return first
    name, _, path = first.partition(":")
    known = load("sources").set_index("source")
    if name not in known.index or not path:
        return None
    row = known.loc[name]
    return f"{row['repository']}/blob/{row['commit']}/{path}"


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
    values = pd.concat([newest_main(scores, claimed_by=kind, as_of=as_of) for kind in KINDS], ignore_index=True)
    values["kind"] = values["claimed_by"].map(KINDS)
    values = values.drop_duplicates(["model", "benchmark", "kind"], keep="first")
    pair = values[values["benchmark"].isin(PAIR)].groupby(["model", "kind"]).size().unstack(fill_value=0)
    pair = pair.reindex(columns=list(CLAIMANTS), fill_value=0)
    independent = pair.index[pair["independent"] > pair["lab"]]
    preferred = values["model"].isin(independent).map({True: "independent", False: "lab"})
    of_pair = values["benchmark"].isin(PAIR)
    values = values[~of_pair | (values["kind"] == preferred)].assign(second=values["kind"] != preferred)
    values = values.sort_values(["model", "benchmark", "second"], kind="stable")
    return values.drop_duplicates(["model", "benchmark"], keep="first").drop(columns=["kind", "second"])


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


FRONTIER_PANELS: tuple[str, ...] = ("published", "corrected", "sourced", "current", "independent")
ABOUT = ["model", "lab", "release_date", "released", "frozen", "subset", "compute_tier"]
DETAILS = ("status", "source", "read_via", "claimed_by")
#: cells of the published panel for which a statement of the maker was read
DECIDED = ("confirmed", "corrected")


def frontier(panel: str = "published", *, as_of: str | None = None, claimed_by: str | None = None) -> pd.DataFrame:
    """Frontier models of one panel, oldest first; scores in percent (0-100), missing where the panel has none.

    panel: "published" (34 frozen and 5 later rows as released), "corrected" (the same rows, with the values and dates
    that the audit of the cells gives), "sourced" (the same models, only values with a source), "current" (these and
    all later releases) or "independent" (33 releases: SWE-bench by one agent, GPQA by one laboratory).
    as_of: a date as YYYY, YYYY-MM or YYYY-MM-DD; leaves out later releases (in sourced, current:
    and later statements).
    claimed_by: "lab" or "independent", for those two; None takes what gives both scores, see `statements`.
    Beside each benchmark stand `<benchmark>_status`, `_source`, `_read_via` and `_claimed_by`. `released` is the middle
    of a vague date. Raises UsageError for an unknown panel, date or claimant.
    """
    if panel not in FRONTIER_PANELS:
        raise UsageError(suggest("frontier panel", panel, FRONTIER_PANELS))
    if claimed_by is not None and panel not in ("sourced", "current"):
        raise UsageError(f"the {panel} panel is not by claimant; take panel sourced or current with {claimed_by!r}")
    until = None if as_of is None else end_of(as_of)
    return _panel(panel, until, claimed_by, (*FRONTIER_BENCHMARKS, *stamp(*_TABLES))).copy()


_TABLES = ("frontier_panel", "frontier_scores", "frontier_cells", "frontier_independent", "sources")


@lru_cache(maxsize=32)
def _panel(panel: str, until: pd.Timestamp | None, claimed_by: str | None, read: tuple[object, ...]) -> pd.DataFrame:
    """What `frontier` gives a copy of: the claims alone ask for it seventy times. `read` is part of the key."""
    listed = load("frontier_panel").set_index("model")
    if panel in ("sourced", "current"):
        frame, cells = load("frontier_scores"), _statements(claimed_by, until)
        cells = cells if panel == "current" else cells[cells["model"].isin(listed.index)]
        frame = frame[frame["model"].isin(cells["model"])].drop_duplicates("model")
    else:
        frame = load("frontier_independent" if panel == "independent" else "frontier_panel")
        cells = _printed(frame, independent=panel == "independent")
    if panel == "corrected":
        cells = pd.concat([_audited(cells), cells]).drop_duplicates(["model", "benchmark"])
    frame = frame.set_index("model")
    own = listed.reindex(frame.index)
    frame["frozen"], frame["subset"] = own["frozen"].eq(True), own["subset"].fillna("later")
    frame["compute_tier"] = own["compute_tier"]
    if panel != "published":
        frame["release_date"] = _release_dates().reindex(frame.index).fillna(frame["release_date"])
    frame["released"] = frame["release_date"].map(middle)
    columns = [*ABOUT[1:]]
    for benchmark in FRONTIER_BENCHMARKS:
        values = cells[cells["benchmark"] == benchmark].set_index("model").reindex(frame.index)
        frame[benchmark] = values["value"].astype("float64")
        names = {detail: f"{benchmark}_{detail}" for detail in DETAILS}
        frame[list(names.values())] = values[list(names)].astype(object)
        columns += [benchmark, *names.values()]
    if until is not None:
        frame = frame[frame["released"] <= until]
    return frame[columns].reset_index().sort_values(["released", "model"], ignore_index=True)


def _printed(frame: pd.DataFrame, *, independent: bool) -> pd.DataFrame:
    """The cells of a table with a column a benchmark: model, benchmark, value and `DETAILS`."""
    benchmarks = [name for name in FRONTIER_BENCHMARKS if name in frame]
    sources = ["swe_source", "gpqa_source"] if independent else ["source"]
    cells = frame.melt(["model", *sources], benchmarks, "benchmark", "value").dropna(subset="value")
    if not independent:
        return cells.assign(status="published", read_via=None, claimed_by=None)
    source = cells["swe_source"].where(cells["benchmark"] == PAIR[0], cells["gpqa_source"]).map(source_url)
    return cells.assign(status="independent only", source=source, read_via=None, claimed_by="independent")


def _audited(published: pd.DataFrame) -> pd.DataFrame:
    """The cells of the audit: where it decided with their source, else with that of the published cell."""
    cells = load("frontier_cells").drop(columns=["lab", "date"])
    before = cells[["model", "benchmark"]].merge(published, how="left")
    open_cells = ~cells["status"].isin(DECIDED)
    for detail in ("source", "read_via", "claimed_by"):
        cells[detail] = cells[detail].mask(open_cells, before[detail])
    return cells


def _statements(claimed_by: str | None, until: pd.Timestamp | None) -> pd.DataFrame:
    """The statements that count, as cells: what the audit says of a maker's own, else who stated it."""
    values = chosen(load("frontier_scores"), claimed_by=claimed_by, as_of=until)
    cells = load("frontier_cells")[["model", "benchmark", "status"]]
    values = values[values["benchmark"].isin(FRONTIER_BENCHMARKS)].merge(cells, on=["model", "benchmark"], how="left")
    by_maker = (values["claimed_by"] == "lab") & values["status"].isin(DECIDED)
    other = values["claimed_by"].map({"independent": "independent only"}).fillna("stated")
    return values.assign(status=values["status"].where(by_maker, other))


def middle(date: str) -> pd.Timestamp:
    """A date as precise as stated ("2025", "2025-03", "2025-03-26") as the middle of the period that it names."""
    period = pd.Period(date)
    return (period.start_time + (period.end_time - period.start_time) / 2).normalize()


def end_of(date: str) -> pd.Timestamp:
    """The last moment of the day, month or year that a date names; UsageError for anything else."""
    try:
        if not re.fullmatch(r"\d{4}(-\d{2}){0,2}", date):
            raise ValueError(date)
        return pd.Period(date).end_time
    except ValueError:
        raise UsageError(f"{date!r} is not a date; write YYYY-MM-DD, YYYY-MM or YYYY") from None


def dated_by_makers(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the makers' dates of release, to the day, where they are known; the papers give months or years.

    frame: of any panel, or a user's releases beside it. Only `release_date` and `released` change: whatever asks which
    release came first, or how much is due to the date, asks these rows. The scores stay those of the panel.
    """
    stated = frame["model"].map(_release_dates())
    days = pd.to_datetime(stated.map(middle, na_action="ignore"))
    return frame.assign(
        release_date=stated.fillna(frame["release_date"]), released=days.fillna(pd.to_datetime(frame["released"]))
    )


def _release_dates() -> pd.Series:
    return load("frontier_scores").drop_duplicates("model").set_index("model")["release_date"]
