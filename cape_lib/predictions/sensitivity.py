"""Would the status be another one on another panel, with another party's scores, or on another day?"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cape_lib import tables
from cape_lib.errors import MissingError
from cape_lib.predictions.cards import Prediction, check_date, newest_date, predictions
from cape_lib.predictions.scoring import as_table, resolves, score, score_all

#: (panel, who claimed the score) in the order of a card
SETTINGS: tuple[tuple[str, str | None], ...] = (
    ("published", None),
    ("corrected", None),
    ("sourced", None),
    ("current", None),
    ("current", "lab"),
    ("current", "independent"),
)
COLUMNS = ["id", "name", "status", "value", "low", "high", "n", "pass_share", "fail_share"]


def sensitivity(*, as_of: str | None = None) -> pd.DataFrame:
    """Each prediction on each panel and with each party's scores.

    Returns panel, claimed_by, id, name, status, value, low, high, n, pass_share, fail_share. A setting that
    a panel does not offer is left out.
    """
    parts = []
    for panel, claimed_by in SETTINGS:
        try:
            table = as_table(score_all(as_of=as_of, claimed_by=claimed_by, panel=panel))
        except MissingError:
            continue
        parts.append(table[COLUMNS].assign(panel=panel, claimed_by=claimed_by or "either"))
    return pd.concat(parts, ignore_index=True)[["panel", "claimed_by", *COLUMNS]]


def over_time(days: list[str], *, claimed_by: str | None = None, panel: str = "current") -> pd.DataFrame:
    """Each prediction as it stood on each day: as_of, made, and the columns of a card; days are ISO dates."""
    parts = [as_table(score_all(as_of=day, claimed_by=claimed_by, panel=panel)) for day in days]
    return pd.concat(parts, ignore_index=True)[["as_of", "made", *COLUMNS]]


def other_rankings(card: Prediction, *, as_of: str | None = None, panel: str = "current") -> pd.DataFrame:
    """A top-k prediction with the top k chosen by each of its benchmarks in turn: axis, stated, status, value, n.

    The paper does not say by which score the ten models of prediction 6 are chosen; empty where no top k is asked for.
    """
    if card.axis is None:
        return pd.DataFrame(columns=["axis", "stated", "status", "value", "low", "high", "n"])
    known_until = newest_date()
    day = check_date(as_of) if as_of is not None else known_until
    frame = tables.frontier(panel, as_of=min(day, card.resolves_by or day))
    table = []
    for axis in card.benchmarks:
        s = score(replace(card, axis=axis), frame, as_of=day, known_until=known_until, panel=panel)
        table.append((axis, card.axis_stated and axis == card.axis, s.status, s.value, s.low, s.high, s.n))
    return pd.DataFrame(table, columns=["axis", "stated", "status", "value", "low", "high", "n"])


def timeline(*, as_of: str | None = None) -> pd.DataFrame:
    """When each prediction was made and is settled: id, name, made_on, resolves_by, days_left (NaN: by releases)."""
    day = pd.Timestamp(check_date(as_of) if as_of is not None else newest_date())
    rows = []
    for card in predictions():
        left = (pd.Timestamp(card.resolves_by) - day).days if card.resolves_by else float("nan")
        rows.append((card.id, card.name, card.made_on, resolves(card), left))
    return pd.DataFrame(rows, columns=["id", "name", "made_on", "resolves_by", "days_left"])
