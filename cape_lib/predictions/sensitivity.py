"""Would the status be another one on another panel, with another party's scores, on other rows, or on another day?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from cape_lib import tables
from cape_lib.errors import MissingError
from cape_lib.predictions.cards import Prediction, check_date, newest_date, predictions
from cape_lib.predictions.scoring import (
    CANNOT,
    FAILED,
    LEANS_FAIL,
    LEANS_PASS,
    PASSED,
    as_table,
    counting,
    frame_of,
    gather,
    score,
    score_all,
)

#: (panel, who claimed the score) in the order of a card
SETTINGS: tuple[tuple[str, str | None], ...] = (
    ("published", None),
    ("corrected", None),
    ("sourced", None),
    ("current", None),
    ("current", "lab"),
    ("current", "independent"),
    ("independent", None),
)
#: name -> first day of release of the models that count
WINDOWS = {"all": None, "since Nov 2025": "2025-11-01", "after May 2026": "2026-06-01"}
_SIDES = {PASSED: "pass", LEANS_PASS: "pass", FAILED: "fail", LEANS_FAIL: "fail", CANNOT: ""}
NAMED = 3
#: repeats where only the rules decide
REPEATS = 2
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


def turns(
    *,
    as_of: str | None = None,
    claimed_by: str | None = None,
    panel: str = "current",
    cards: Sequence[Prediction] | None = None,
) -> pd.DataFrame:
    """Every prediction on its rows less one release, in each date window, on each panel and with each party's scores.

    cards: the papers' seven, or others such as `own_predictions()`; those on the variants of one laboratory have no
    panel and no claimant. Returns id, kind ("as it is", "release left out", "window", "panel", "claimant"), what
    (blank: as it is), side ("pass", "fail", "neither", "" where too few models are left), value, n and turned: whether
    the side is another one than as it is. Of two rules, the pass rule is read first; a lean between the rules counts as
    neither.
    """
    known, day = newest_date(), check_date(as_of)
    frame_at = cache(frame_of)
    table = []
    for card in predictions() if cards is None else cards:
        until = min(day, card.resolves_by or day)
        whole = counting(card, frame_at(panel, until, claimed_by), until)
        tried: list[tuple[str, str, pd.DataFrame]] = [("as it is", "", whole)]
        for model in gather(card, whole, resamples=REPEATS).rows["model"]:
            tried.append(("release left out", str(model), whole[whole["model"] != model]))
        for name, first in WINDOWS.items():
            if first is not None:
                tried.append(("window", name, whole[whole["released"] >= pd.Timestamp(first)]))
        for name, party in SETTINGS:
            if not card.variants and (name, party) != (panel, claimed_by):
                kind = "panel" if party is None else "claimant"
                other = counting(card, frame_at(name, until, party), until)
                tried.append((kind, name if party is None else f"{name}, by {party}", other))
        here = None
        for kind, what, frame in tried:
            one = score(card, frame, as_of=day, known_until=known, panel=panel, resamples=REPEATS)
            side = "neither" if one.between else _SIDES.get(one.status, "neither")
            side = side if one.n >= card.min_n and one.value == one.value else ""
            here = side if here is None else here
            turned = bool(side and here and side != here)
            table.append((card.id, kind, what, side, one.value, one.n, turned))
    return pd.DataFrame(table, columns=["id", "kind", "what", "side", "value", "n", "turned"])


def hangs_on(table: pd.DataFrame, frame: pd.DataFrame | None = None) -> dict[int | str, str]:
    """What turns each prediction, in words, for those that something turns: "hangs on Gemma 4 31B (left out: pass)".

    table: from `turns`; frame: the panel, which tells of a release whether its scores were read in a transcription.
    """
    via = set()
    if frame is not None:
        read = [column for column in frame if str(column).endswith("_read_via")]
        via = set(frame.loc[frame[read].notna().any(axis=1), "model"])
    answer: dict[int | str, str] = {}
    for ident, rows in table[table["turned"]].groupby("id", sort=False):
        words = []
        for row in rows.to_dict("records"):
            value = f"{row['side']}, {row['value']:.2f}, n = {row['n']}"
            read_via = ", read in a transcription" if row["what"] in via else ""
            words.append(f"{row['what']} ({row['kind']}: {value}{read_via})")
        more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
        answer[ident if isinstance(ident, str) else int(str(ident))] = "hangs on " + "; ".join(words[:NAMED]) + more
    return answer


def over_time(days: list[str], *, claimed_by: str | None = None, panel: str = "current") -> pd.DataFrame:
    """Each prediction as it stood on each day: as_of, made, and the columns of a card; days are ISO dates."""
    parts = [as_table(score_all(as_of=day, claimed_by=claimed_by, panel=panel)) for day in days]
    return pd.concat(parts, ignore_index=True)[["as_of", "made", *COLUMNS]]


def other_rankings(card: Prediction, *, as_of: str | None = None) -> pd.DataFrame:
    """A top-k prediction with the top k chosen by each of its benchmarks in turn: axis, stated, status, value, n.

    The paper does not say by which score the ten models of prediction 6 are chosen; empty where no top k is asked for.
    """
    known_until, day = newest_date(), check_date(as_of)
    frame = tables.frontier("current", as_of=min(day, card.resolves_by or day))
    table = []
    for axis in card.benchmarks if card.axis is not None else ():
        s = score(replace(card, axis=axis), frame, as_of=day, known_until=known_until)
        table.append((axis, card.axis_stated and axis == card.axis, s.status, s.value, s.low, s.high, s.n))
    return pd.DataFrame(table, columns=["axis", "stated", "status", "value", "low", "high", "n"])
