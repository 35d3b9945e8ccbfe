"""Frontier models: the rule that turns statements into points, the audit of the published cells, five panels.

Many statements of one score, one value: a value may stand for a model only if the statement is about the version and
the setting that the point stands for (`role` "main"). Of these, the newest dated one counts, a statement without a date
as of the model's release. Who states it is a choice of the reader: the maker, or an independent runner (one runner a
benchmark, so that a column has one harness). A point never joins a maker's SWE-bench value to an independent GPQA value
or the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import FRONTIER_BENCHMARKS
from cape_lib.tables.files import load


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


ROUNDING = 0.051  # half of the last printed digit
RULES = {
    "confirmed": "the maker's newest statement for the same version and setting equals the published value to rounding",
    "corrected": "the maker's newest statement for the same version and setting replaces the published value",
    "other setting": "the maker states values for other versions or settings only; the published value stays",
    "independent only": "no statement of the maker was found, an independent one was; the published value stays",
    "unchecked": "no statement was found; the published value stays",
}


def audit(panel: pd.DataFrame, scores: pd.DataFrame, reasons: dict[tuple[str, str], str] | None = None) -> pd.DataFrame:
    """Status, value and source of every cell, by rule: the content of `frontier_cells`.

    panel: rows of `frontier_panel`. scores: rows of `frontier_scores`. reasons: words by (model, benchmark).
    """
    makers = newest_main(scores, claimed_by="lab").set_index(["model", "benchmark"])
    runners = newest_main(scores, claimed_by="independent").set_index(["model", "benchmark"])
    usable = scores[scores["role"] != "weak"]
    by_maker = set(map(tuple, usable.loc[usable["claimed_by"] == "lab", ["model", "benchmark"]].to_numpy()))
    by_anyone = set(map(tuple, usable[["model", "benchmark"]].to_numpy()))
    cells = []
    for row in panel.to_dict("records"):
        for benchmark in PAIR:
            key, published = (row["model"], benchmark), float(row[benchmark])
            statement = makers.loc[key] if key in makers.index else None
            if statement is not None:
                status = "confirmed" if abs(statement["value"] - published) <= ROUNDING else "corrected"
            else:
                status = "other setting" if key in by_maker else "independent only" if key in by_anyone else "unchecked"
            value = float(statement["value"]) if statement is not None and status == "corrected" else published
            cell = {"model": row["model"], "lab": row["lab"], "benchmark": benchmark, "published_value": published}
            cell |= {"status": status, "value": value, "difference": round(value - published, 2), "rule": RULES[status]}
            cell["reason"] = (reasons or {}).get(key)
            for column in ("claimed_by", "setting", "source", "read_via", "date"):
                cell[column] = None if statement is None else statement[column]
            runner = runners.loc[key] if key in runners.index else None
            cell["independent_value"] = None if runner is None else runner["value"]
            cell["independent_source"] = None if runner is None else runner["source"]
            cells.append(cell)
    return pd.DataFrame(cells)


FRONTIER_PANELS: tuple[str, ...] = ("published", "corrected", "sourced", "current", "independent")
ABOUT = ["model", "lab", "release_date", "released", "frozen", "subset", "compute_tier"]
DETAILS = ("status", "source", "read_via", "claimed_by")


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
    if panel == "published":
        frame = _published()
    elif panel == "corrected":
        frame = _corrected()
    elif panel == "independent":
        frame = _independent()
    else:
        frame = _sourced(claimed_by, until, later=panel == "current")
    frame["released"] = frame["release_date"].map(middle)
    if until is not None:
        frame = frame[frame["released"] <= until]
    columns = [f"{name}{part}" for name in FRONTIER_BENCHMARKS for part in ("", *(f"_{detail}" for detail in DETAILS))]
    return frame.sort_values(["released", "model"])[ABOUT + columns].reset_index(drop=True)


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


def _published() -> pd.DataFrame:
    frame = load("frontier_panel")
    return _detailed(frame, dict.fromkeys(FRONTIER_BENCHMARKS, frame["source"]), status="published", claimed_by=None)


def _detailed(
    frame: pd.DataFrame, sources: Mapping[str, pd.Series], *, status: str, claimed_by: str | None
) -> pd.DataFrame:
    """The rows with `DETAILS` of every benchmark where it has a score, columns of NaN where the panel has none."""
    for benchmark in FRONTIER_BENCHMARKS:
        if benchmark not in frame:
            frame[benchmark] = float("nan")
        details = {"status": status, "source": sources[benchmark], "read_via": None, "claimed_by": claimed_by}
        for detail, value in details.items():
            column = pd.Series(value, index=frame.index, dtype=object)
            frame[f"{benchmark}_{detail}"] = column.where(frame[benchmark].notna())
    return frame


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


def _corrected() -> pd.DataFrame:
    frame = _published().set_index("model")
    cells = load("frontier_cells")
    for benchmark in PAIR:
        rows = cells[cells["benchmark"] == benchmark].set_index("model").reindex(frame.index)
        decided = rows["status"].isin(["confirmed", "corrected"])
        frame[benchmark] = rows["value"]
        frame[f"{benchmark}_status"] = rows["status"]
        for detail in ("source", "read_via", "claimed_by"):
            frame[f"{benchmark}_{detail}"] = rows[detail].where(decided, frame[f"{benchmark}_{detail}"])
    frame = frame.reset_index()
    frame["release_date"] = frame["model"].map(_release_dates()).fillna(frame["release_date"])
    return frame


def _independent() -> pd.DataFrame:
    frame = load("frontier_independent")
    published = load("frontier_panel").set_index("model").reindex(frame["model"]).reset_index()
    frame["frozen"] = published["frozen"].fillna(False).astype(bool)
    frame["subset"] = published["subset"].fillna("later")
    frame["compute_tier"] = published["compute_tier"]
    sources = dict.fromkeys(FRONTIER_BENCHMARKS, frame["gpqa_source"].map(source_url))
    sources["swe_bench_verified"] = frame["swe_source"].map(source_url)
    frame = _detailed(frame, sources, status="independent only", claimed_by="independent")
    frame["release_date"] = frame["model"].map(_release_dates()).fillna(frame["release_date"])
    return frame


def _sourced(claimed_by: str | None, until: pd.Timestamp | None, *, later: bool) -> pd.DataFrame:
    scores = load("frontier_scores")
    panel = load("frontier_panel").set_index("model")
    values = chosen(scores, claimed_by=claimed_by, as_of=until)
    values = values[values["benchmark"].isin(FRONTIER_BENCHMARKS)]
    if not later:
        values = values[values["model"].isin(panel.index)]
    values = _with_status(values)
    wide = values.pivot(index="model", columns="benchmark", values=["value", *DETAILS])
    about = scores.drop_duplicates("model").set_index("model")[["lab", "release_date"]]
    frame = about.loc[wide.index].copy()
    published = panel.reindex(frame.index)
    frame["frozen"] = frame.index.isin(panel.index[panel["frozen"]])
    frame["subset"] = published["subset"].fillna("later")
    frame["compute_tier"] = published["compute_tier"]
    for benchmark in FRONTIER_BENCHMARKS:
        for detail in ("value", *DETAILS):
            name = benchmark if detail == "value" else f"{benchmark}_{detail}"
            column = wide[(detail, benchmark)] if (detail, benchmark) in wide.columns else None
            frame[name] = column
        frame[benchmark] = frame[benchmark].astype("float64")
    return frame.rename_axis("model").reset_index()


def _with_status(values: pd.DataFrame) -> pd.DataFrame:
    cells = load("frontier_cells")[["model", "benchmark", "status"]]
    values = values.merge(cells, on=["model", "benchmark"], how="left")
    by_maker = (values["claimed_by"] == "lab") & values["status"].isin(["confirmed", "corrected"])
    other = values["claimed_by"].map({"independent": "independent only"}).fillna("stated")
    return values.assign(status=values["status"].where(by_maker, other))
