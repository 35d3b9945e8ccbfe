"""Frontier releases: h with its interval, the curves, the lab's trajectory, and which benchmark separates next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from cape_lib import frontier, tables
from cape_lib.dashboard.kit import FRONTIER_PANEL, kit
from cape_lib.dashboard.wording import Plain, answered, interval, records
from cape_lib.frontier.lines import RATIOS, FrontierLine, X, Y
from cape_lib.frontier.saturation import BEST, ROTATE_BELOW
from cape_lib.stats import isocline, seen_share
from cape_lib.tables.frontier import middle

AXES = ((X, Y), (X, "hle"), (Y, "hle"), (Y, "ifeval"))
NEIGHBOURS = 4


def diagnose_release(releases: Sequence[Mapping[str, Any]], *, line: str = "frozen", lab: str | None = None) -> Plain:
    """h of one release or of a lab's sequence, with prediction interval, under a named line.

    releases: oldest first; model (name), swe_bench_verified, gpqa_diamond (percent), optionally hle, ifeval, date;
        already checked.  line: a name of `frontier.LINES`.
    lab: a lab of the panel: its known releases come first in the trajectory.
    Returns plain data: `rows` (one a release: expected, the range of 95 % of releases, h, interval, noise_sd, phase,
    emphasis, curves), `line`,
    `trajectory` (change and kind of each), `nearest`, `saturation`, `answers` (of the last release), `advice`, `notes`.
    """
    chosen, known = _line(line), _known()
    frame = _frame(releases, known)
    read = frontier.h_field(frame, chosen=chosen)
    read["ordinary_low"], read["ordinary_high"] = chosen.ordinary(read[X])
    rows = _releases(read)
    last = rows[-1]
    trail = _trajectory(read, known, chosen, lab)
    axes = _saturation(frame, known)
    diagnosis: Plain = {
        "kind": "release",
        "phase": last["phase"],
        "line": kit()["frontier"]["lines"][line],
        "lab": lab,
        "rows": rows,
        "trajectory": trail,
        "nearest": _nearest(last),
        "saturation": axes,
    }
    scored = [axis for axis in axes if axis["sigma"] is not None]
    widest = max(scored, key=lambda axis: axis["spread_new"], default=None)
    above = frontier.beside_curve(known)["above"]
    other = frontier.read_h(last["y"], last["x"], chosen).iloc[0]
    facts = diagnosis | {
        "last": last,
        "newest": trail[-1],
        "before": trail[-2]["model"] if len(trail) > 1 else None,
        "h_size": abs(last["h"]),
        "noise95": 1.96 * last["noise_sd"],
        "widest": widest and {"label": tables.label(widest["new"]), "spread": widest["spread_new"]},
        "top": BEST,
        "curve": {"n": len(above), "below": int((~above).sum()), "seen": 100 * seen_share(len(above))},
        "swapped": bool(last["outside"] and other["h_low"] <= 0 <= other["h_high"]),
    }
    return answered(diagnosis, facts)


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


def _releases(read: pd.DataFrame) -> list[Plain]:
    """The rows of `h_field` as plain data, beside the papers' two curves."""
    columns = ["expected", "h", "noise_sd", "phase", "ifeval", "ordinary_low", "ordinary_high"]
    rows = []
    for row, (x, y, low, high) in zip(records(read), read[[X, Y, "h_low", "h_high"]].to_numpy(float), strict=True):
        gpqa_critical, ifeval_critical = (
            float(isocline(v, RATIOS[axes])) for v, axes in ((x, (X, Y)), (y, (Y, "ifeval")))
        )
        rows.append(
            {name: row[name] for name in columns if name in row}
            | {
                "model": row["model"] or "This release",
                "date": row["date"],
                "x": row[X],
                "y": row[Y],
                "interval": interval(low, high),
                "outside": bool(low > 0 or high < 0),
                "emphasis": frontier.labelled(frontier.emphasis_of(row["h"]), low, high),
                "gpqa_critical": gpqa_critical,
                "ifeval_critical": ifeval_critical,
                "ifeval_above": None if row["ifeval"] is None else row["ifeval"] >= ifeval_critical,
            }
        )
    return rows


def _trajectory(read: pd.DataFrame, known: pd.DataFrame, chosen: FrontierLine, lab: str | None) -> list[Plain]:
    """The lab's known releases up to the first given one and then those given, with what `frontier.changes` says."""
    first = read["released"].iloc[0]
    before = known[(known["lab"] == lab) & ~known["model"].isin(read["model"])]
    before = before if pd.isna(first) else before[before["released"] <= first]
    read = read.assign(known=False)
    if len(before):
        earlier = frontier.h_field(before, chosen=chosen).assign(known=True, date=before["release_date"])
        read = pd.concat([earlier.reindex(columns=read.columns), read], ignore_index=True)
    changes = frontier.changes(read, scatter=frontier.within_lab_scatter(known, chosen=chosen))
    changes = changes.assign(known=read["known"], change_noise=changes["change_high"] - changes["change"])
    rows = records(changes[["known", "change", "change_noise", "limit", "kind"]])
    return [
        {name: release[name] for name in ("model", "date", "h", "interval")} | row
        for release, row in zip(_releases(read), rows, strict=True)
    ]


def _saturation(frame: pd.DataFrame, known: pd.DataFrame) -> list[Plain]:
    """sigma = spread of the old axis / spread of the new one among the top five by the old, given releases included."""
    rows = pd.concat([known[~known["model"].isin(frame["model"])], frame.fillna({"model": ""})], ignore_index=True)
    answer = []
    for old, new in AXES:
        both = rows.dropna(subset=[old, new])
        axis: Plain = {"old": old, "new": new, "n": len(both)}
        axis |= dict.fromkeys(("sigma", "spread_old", "spread_new", "rotate")) | {"models": []}
        top = frontier.top_rows(both, old)
        if len(top) == BEST:
            first, second = frontier.spread(top[old]), frontier.spread(top[new])
            sigma = first / second if second else None
            axis |= {"sigma": sigma, "spread_old": first, "spread_new": second}
            axis |= {"rotate": sigma is not None and sigma < ROTATE_BELOW}
            axis["models"] = [name or "This release" for name in top["model"]]
        answer.append(axis)
    return answer


def _nearest(last: Plain) -> list[Plain]:
    near = [
        {name: row[name] for name in ("model", "lab", "date", "url")}
        | {"x": row[X], "y": row[Y], "distance": math.hypot(row[X] - last["x"], row[Y] - last["y"])}
        for row in kit()["frontier"]["releases"]
        if row["model"] != last["model"]
    ]
    return sorted(near, key=lambda row: (row["distance"], row["model"]))[:NEIGHBOURS]
