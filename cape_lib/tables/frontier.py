"""Frontier models: the published panel, the audited one, and panels in which every value has a source."""

from __future__ import annotations

import re

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import FRONTIER_BENCHMARKS
from cape_lib.tables.files import load
from cape_lib.tables.sources import source_url
from cape_lib.tables.statements import PAIR, chosen

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
    for benchmark in FRONTIER_BENCHMARKS:
        if benchmark not in frame:  # named after the papers: they have no value of it
            frame[benchmark] = float("nan")
        there = frame[benchmark].notna()
        frame[f"{benchmark}_status"] = pd.Series("published", index=frame.index, dtype=object).where(there)
        frame[f"{benchmark}_source"] = frame["source"].where(there)
        frame[f"{benchmark}_read_via"] = pd.Series(None, index=frame.index, dtype=object)
        frame[f"{benchmark}_claimed_by"] = pd.Series(None, index=frame.index, dtype=object)
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
    for benchmark in FRONTIER_BENCHMARKS:
        if benchmark not in frame:
            frame[benchmark] = float("nan")
        there = frame[benchmark].notna()
        source = "swe_source" if benchmark == "swe_bench_verified" else "gpqa_source"
        details = {
            "status": "independent only",
            "source": frame[source].map(source_url),
            "read_via": None,
            "claimed_by": "independent",
        }
        for detail, value in details.items():
            frame[f"{benchmark}_{detail}"] = pd.Series(value, index=frame.index, dtype=object).where(there)
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
