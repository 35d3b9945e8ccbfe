"""Frontier releases: h with its interval, the curves, the lab's trajectory, and which benchmark separates next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib import frontier, tables
from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.kit import FRONTIER_PANEL, kit
from cape_lib.dashboard.wording import interval, number, speak
from cape_lib.frontier.lines import RATIOS, FrontierLine, X, Y
from cape_lib.frontier.saturation import ROTATE_BELOW
from cape_lib.frontier.trajectory import KINDS
from cape_lib.stats import isocline, seen_share
from cape_lib.tables.frontier import middle

AXES = ((X, Y), (X, "hle"), (Y, "hle"), (Y, "ifeval"))
TOP = 5
NEIGHBOURS = 4


def diagnose_release(
    releases: Sequence[Mapping[str, Any]], *, line: str = "frozen", lab: str | None = None
) -> dict[str, Any]:
    """h of one release or of a lab's sequence, with prediction interval, under a named line.

    releases: oldest first; model (name), swe_bench_verified, gpqa_diamond (percent), optionally hle, ifeval, date;
        already checked (`inputs`).  line: a name of `frontier.LINES`.
    lab: a lab of the panel: its known releases come first in the trajectory.
    Returns plain data: `rows` (one a release: expected, the range of 95 % of releases, h, interval, noise_sd, phase,
    emphasis, curves), `line`,
    `trajectory` (change and kind of each), `nearest`, `saturation`, `answers` (of the last release), `advice`, `notes`.
    """
    chosen = _line(line)
    plain = kit()["frontier"]["lines"][line]
    known = _known()
    frame = _frame(releases, known)
    read = frontier.h_field(frame, chosen=chosen)
    ranges = zip(*chosen.ordinary(read[X]), strict=True)
    rows = [
        _release(row) | {"ordinary_low": float(low), "ordinary_high": float(high)}
        for row, (low, high) in zip(read.to_dict("records"), ranges, strict=True)
    ]
    last = rows[-1]
    trail = _trajectory(read, known, chosen, lab)
    newest = trail[-1]
    axes = _saturation(frame, known)
    diagnosis: dict[str, Any] = {
        "kind": "release",
        "phase": last["phase"],
        "line": plain,
        "lab": lab,
        "rows": rows,
        "trajectory": trail,
        "nearest": _nearest(last),
        "saturation": axes,
    }
    scored = [axis for axis in axes if axis["sigma"] is not None]
    widest = max(scored, key=lambda axis: axis["spread_new"], default=None)
    above = frontier.beside_curve(known)["above"]
    other = frontier.read_h(last["y"], last["x"], chosen)
    facts = diagnosis | {
        "last": last,
        "newest": newest,
        "is": {kind: newest["kind"] == kind for kind in KINDS},
        "before": trail[-2]["model"] if len(trail) > 1 else None,
        "h_size": abs(last["h"]),
        "noise95": 1.96 * last["noise_sd"],
        "ifeval_below": None if last["ifeval_above"] is None else not last["ifeval_above"],
        "widest": widest and {"label": tables.label(widest["new"]), "spread": widest["spread_new"]},
        "top": TOP,
        "curve": {"n": len(above), "below": int((~above).sum()), "seen": 100 * seen_share(len(above))},
        "swapped": bool(last["outside"] and other.low <= 0 <= other.high),
    }
    return diagnosis | speak("release", facts) | {"advice": advise("release", facts)}


@lru_cache(maxsize=16)
def _line(name: str) -> FrontierLine:
    return frontier.line(name)


@lru_cache(maxsize=1)
def _known() -> pd.DataFrame:
    """The known releases with both scores, oldest first."""
    return tables.frontier(FRONTIER_PANEL).dropna(subset=[X, Y])


def _frame(releases: Sequence[Mapping[str, Any]], known: pd.DataFrame) -> pd.DataFrame:
    """The releases as a table in their order; without a date a known release has its own, else it comes after all."""
    frame = pd.DataFrame(releases).reindex(columns=["model", "date", *tables.FRONTIER_BENCHMARKS])
    scores = frame[list(tables.FRONTIER_BENCHMARKS)].astype(float)
    names = frame["model"].astype(object).where(frame["model"].notna() & frame["model"].ne(""), None)
    frame = frame.assign(**scores, model=names)
    days = [middle(str(date)) if isinstance(date, str) and date else pd.NaT for date in frame["date"]]
    usual = frame["model"].map(known.set_index("model")["released"])
    return frame.assign(released=pd.Series(days, dtype="datetime64[ns]").fillna(usual))


def _release(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One row of `h_field` as plain data, beside the papers' two curves."""
    critical, ifeval_critical = (float(isocline(row[axes[0]], RATIOS[axes])) for axes in ((X, Y), (Y, "ifeval")))
    ifeval = number(row["ifeval"])
    emphasis = frontier.labelled(frontier.emphasis_of(row["h"]), row["h_low"], row["h_high"])
    return {
        "model": row["model"] or "This release",
        "date": row["date"] if isinstance(row["date"], str) else None,
        "x": row[X],
        "y": row[Y],
        "expected": row["expected"],
        "h": row["h"],
        "interval": interval(row["h_low"], row["h_high"]),
        "outside": not row["h_low"] <= 0 <= row["h_high"],
        "noise_sd": row["noise_sd"],
        "phase": row["phase"],
        "emphasis": emphasis,
        "gpqa_critical": critical,
        "ifeval": ifeval,
        "ifeval_critical": ifeval_critical,
        "ifeval_above": None if ifeval is None else ifeval >= ifeval_critical,
    }


def _trajectory(read: pd.DataFrame, known: pd.DataFrame, chosen: FrontierLine, lab: str | None) -> list[dict[str, Any]]:
    """The lab's known releases up to the first given one and then those given, with what `frontier.changes` says."""
    first = read["released"].iloc[0]
    before = known[(known["lab"] == lab) & ~known["model"].isin(read["model"])]
    before = before if pd.isna(first) else before[before["released"] <= first]
    read = read.assign(known=False)
    if len(before):
        earlier = frontier.h_field(before, chosen=chosen).assign(known=True, date=before["release_date"])
        read = pd.concat([earlier[read.columns], read], ignore_index=True)
    changes = frontier.changes(read, scatter=frontier.within_lab_scatter(known, chosen=chosen))
    return [
        {
            **{name: _release(row)[name] for name in ("model", "date", "h", "interval")},
            "known": row["known"],
            "change": number(row["change"]),
            "change_noise": number(row["change_high"] - row["change"]),
            "limit": number(row["limit"]),
            "kind": row["kind"],
        }
        for row in read.join(changes).to_dict("records")
    ]


def _saturation(frame: pd.DataFrame, known: pd.DataFrame) -> list[dict[str, Any]]:
    """sigma = spread of the old axis / spread of the new one among the top five by the old, given releases included."""
    rows = pd.concat([known[~known["model"].isin(frame["model"])], frame.fillna({"model": ""})], ignore_index=True)
    answer = []
    for old, new in AXES:
        both = rows.dropna(subset=[old, new])
        top = frontier.top_rows(both, old, k=TOP)
        first, second, sigma = None, None, None
        if len(top) == TOP:
            first, second = frontier.spread(top[old]), frontier.spread(top[new])
            sigma = first / second if second else None
        answer.append(
            {
                "old": old,
                "new": new,
                "n": len(both),
                "sigma": sigma,
                "spread_old": first,
                "spread_new": second,
                "rotate": None if first is None else sigma is not None and sigma < ROTATE_BELOW,
                "models": [] if first is None else [name or "This release" for name in top["model"]],
            }
        )
    return answer


def _nearest(last: Mapping[str, Any]) -> list[dict[str, Any]]:
    near = [
        {
            **{name: row[name] for name in ("model", "lab", "date", "url")},
            "x": row[X],
            "y": row[Y],
            "distance": math.hypot(row[X] - last["x"], row[Y] - last["y"]),
        }
        for row in kit()["frontier"]["releases"]
        if row["model"] != last["model"]
    ]
    return sorted(near, key=lambda row: (row["distance"], row["model"]))[:NEIGHBOURS]
