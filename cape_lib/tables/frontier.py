"""Frontier models: the published panel, and panels in which every value has a source."""

from __future__ import annotations

import pandas as pd

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import FRONTIER_BENCHMARKS
from cape_lib.tables.files import load

FRONTIER_PANELS: tuple[str, ...] = ("published", "corrected", "sourced", "current")


def middle(date: str) -> pd.Timestamp:
    """A date as precise as stated ("2025", "2025-03", "2025-03-26") as the middle of the period that it names."""
    start = pd.Period(date)
    return (start.start_time + (start.end_time - start.start_time) / 2).normalize()


def frontier(panel: str = "published", *, as_of: str | None = None, claimed_by: str | None = None) -> pd.DataFrame:
    """Frontier models of one panel (provisional: the published rows)."""
    if panel not in FRONTIER_PANELS:
        raise UsageError(suggest("frontier panel", panel, FRONTIER_PANELS))
    frame = load("frontier_panel")
    frame["released"] = frame["release_date"].map(middle)
    for benchmark in FRONTIER_BENCHMARKS:
        frame[f"{benchmark}_status"] = frame[benchmark].notna().map({True: "published", False: None})
        frame[f"{benchmark}_source"] = frame["source"].where(frame[benchmark].notna())
        frame[f"{benchmark}_read_via"] = None
        frame[f"{benchmark}_claimed_by"] = None
    if as_of is not None:
        frame = frame[frame["released"] <= pd.Timestamp(as_of)]
    return frame.reset_index(drop=True)
