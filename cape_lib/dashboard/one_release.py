"""Frontier releases: h with its interval, the curves, the lab's trajectory, and which benchmark separates next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.kit import Kit, kit
from cape_lib.dashboard.wording import fixed, interval, write
from cape_lib.errors import UsageError
from cape_lib.frontier.hfield import emphasis_of, phase_of
from cape_lib.frontier.lines import line as frontier_line
from cape_lib.frontier.saturation import ROTATE_BELOW
from cape_lib.frontier.trajectory import KINDS, THRESHOLD, classify_changes
from cape_lib.names import suggest
from cape_lib.stats import score_sd
from cape_lib.tables.frontier import middle

X, Y = "swe_bench_verified", "gpqa_diamond"
AXES = (X, Y, "hle", "ifeval")
TOP = 5
NEIGHBOURS = 4


def diagnose_release(
    releases: Sequence[Mapping[str, Any]], *, line: str = "frozen", lab: str | None = None, given: Kit | None = None
) -> dict[str, Any]:
    """h of one release or of a lab's sequence, with prediction interval, under a named line.

    releases: oldest first; model (name), swe_bench_verified, gpqa_diamond (percent), optionally hle, ifeval, date;
        already checked (`inputs`).  line: a name of `frontier.LINES`.
    lab: a lab of the panel: its known releases come first in the trajectory.
    Returns plain data: `rows` (one a release: expected, h, interval, noise_sd, phase, emphasis, curves), `line`,
    `trajectory` (change and kind of each), `nearest`, `saturation`, `answers` (of the last release), `advice`, `notes`.
    """
    used = given or kit()
    lines = used["frontier"]["lines"]
    if line not in lines:
        raise UsageError(suggest("line", line, lines))
    chosen = lines[line]
    rows = [read_release(row, chosen, used) for row in releases]
    last = rows[-1]
    trail = trajectory(rows, chosen, used, lab)
    newest = trail[-1]
    others = _nearest(last, used)
    axes = saturation(releases, used)
    facts = {
        **{name: last[name] for name in ("h", "interval", "expected", "noise_sd", "phase", "emphasis", "x", "y")},
        "name": last["model"], "line": line, "line_n": chosen["n"], "line_date": chosen["date"],
        "slope": chosen["slope"], "intercept": chosen["intercept"], "h_size": abs(last["h"]),
        "side": "above" if last["h"] >= 0 else "below", "noise95": 1.96 * last["noise_sd"],
        "critical": last["gpqa_critical"], "curve_side": "above" if last["y"] >= last["gpqa_critical"] else "below",
        "nearest": _names(others), "lab": lab, "change": newest["change"], "kind": newest["kind"],
        "before": trail[-2]["model"] if len(trail) > 1 else None, "limit": newest["limit"], **_curve_facts(used),
        **_axis_facts(axes, used),
    }  # fmt: skip
    return {
        "kind": "release", "phase": last["phase"], "line": chosen, "lab": lab, "rows": rows, "trajectory": trail,
        "nearest": others, "saturation": axes, "answers": _answers(facts, last, newest, axes),
        "advice": advise("release", _rule_facts(last, newest, axes), used["rules"]),
        "notes": [write("note_swapped_release", facts)] if _perhaps_swapped(last, chosen) else [],
    }  # fmt: skip


def read_release(row: Mapping[str, Any], line: Mapping[str, Any], used: Kit) -> dict[str, Any]:
    """One release under a line; all scores in percent, h in points (GPQA less the line at SWE)."""
    x, y = float(row[X]), float(row[Y])
    expected = line["slope"] * x + line["intercept"]
    h = y - expected
    low, high = (float(end) for end in frontier_line(line["name"]).interval(x, y))
    noise = math.hypot(float(score_sd(y, Y)), line["slope"] * float(score_sd(x, X)))
    ratios, ifeval = used["frontier_ratios"], row.get("ifeval")
    critical = 100.0 * math.sqrt(ratios["ifeval"] * y / 100.0)
    return {
        "model": row.get("model") or "This release", "date": row.get("date") or None, "x": x, "y": y,
        "expected": expected, "h": h, "interval": interval(low, high), "outside": not low <= 0 <= high,
        "noise_sd": noise, "phase": phase_of(h), "emphasis": emphasis_of(h),
        "gpqa_critical": 100.0 * math.sqrt(ratios[Y] * x / 100.0), "ifeval": ifeval, "ifeval_critical": critical,
        "ifeval_above": None if ifeval is None else ifeval >= critical,
    }  # fmt: skip


def trajectory(rows: list[dict[str, Any]], line: Mapping[str, Any], used: Kit, lab: str | None) -> list[dict[str, Any]]:
    """The lab's known releases and then the given ones, with change, its noise interval and the verdict's kind.

    `limit`: points that no change among so many releases passes by scatter alone (95 %); never below the papers' ten.
    """
    names = {row["model"] for row in rows}
    limit = _day(rows[0], used)
    known = [row for row in used["frontier"]["releases"] if row["lab"] == lab and row["model"] not in names]
    before = [read_release(row, line, used) | {"known": True} for row in known if limit is None or row["day"] <= limit]
    trail = before + [dict(row) | {"known": False} for row in rows]
    limits = line["change_limits"]
    limit_h = max(THRESHOLD, limits[min(len(trail), len(limits) - 1)] or THRESHOLD)
    kinds = classify_changes(np.array([row["h"] for row in trail]), threshold=limit_h)
    answer = []
    for i, row in enumerate(trail):
        change = row["h"] - trail[i - 1]["h"] if i else None
        spread = 1.96 * math.hypot(row["noise_sd"], trail[i - 1]["noise_sd"]) if i else None
        answer.append(
            {"model": row["model"], "date": row["date"], "h": row["h"], "interval": row["interval"],
             "known": row["known"],
             "change": change, "change_noise": spread, "limit": limit_h, "kind": KINDS[int(kinds[i])]}
        )  # fmt: skip
    return answer


def _day(row: Mapping[str, Any], used: Kit) -> int | None:
    """Days since 1970 of a release: of its date, else of the known release of that name, else None (after all)."""
    if row["date"]:
        return int((middle(str(row["date"])) - pd.Timestamp("1970-01-01")).days)
    known = [release["day"] for release in used["frontier"]["releases"] if release["model"] == row["model"]]
    return int(known[0]) if known else None


def saturation(releases: Sequence[Mapping[str, Any]], used: Kit) -> list[dict[str, Any]]:
    """sigma = spread of the old axis / spread of the new one among the top five by the old, given releases included."""
    names = {row.get("model") for row in releases}
    rows = [row for row in used["frontier"]["releases"] if row["model"] not in names] + list(releases)
    answer = []
    for old, new in ((X, Y), (X, "hle"), (Y, "hle"), (Y, "ifeval")):
        both = [row for row in rows if row.get(old) is not None and row.get(new) is not None]
        top = sorted(both, key=lambda row: (-row[old], row.get("model") or ""))[:TOP]
        if len(top) < TOP:
            answer.append({"old": old, "new": new, "n": len(both), "sigma": None, "spread_old": None,
                           "spread_new": None, "rotate": None, "models": []})  # fmt: skip
            continue
        first, second = (max(r[a] for r in top) - min(r[a] for r in top) for a in (old, new))
        sigma = first / second if second else None
        answer.append({"old": old, "new": new, "n": len(both), "sigma": sigma, "spread_old": first,
                       "spread_new": second, "rotate": sigma is not None and sigma < ROTATE_BELOW,
                       "models": [row.get("model") or "This release" for row in top]})  # fmt: skip
    return answer


def _nearest(last: Mapping[str, Any], used: Kit) -> list[dict[str, Any]]:
    rows = [row for row in used["frontier"]["releases"] if row["model"] != last["model"]]
    near = sorted(rows, key=lambda r: (math.hypot(r[X] - last["x"], r[Y] - last["y"]), r["model"]))[:NEIGHBOURS]
    return [{"model": r["model"], "lab": r["lab"], "date": r["date"], "x": r[X], "y": r[Y], "url": r["url"],
             "distance": math.hypot(r[X] - last["x"], r[Y] - last["y"])} for r in near]  # fmt: skip


def _names(rows: list[dict[str, Any]]) -> str:
    return ", ".join(f"{r['model']} ({fixed(r['x'], 1)} / {fixed(r['y'], 1)})" for r in rows[:3])


def _axis_facts(axes: list[dict[str, Any]], used: Kit) -> dict[str, Any]:
    first = axes[0]
    scored = [axis for axis in axes if axis["sigma"] is not None]
    widest = max(scored, key=lambda axis: axis["spread_new"], default=None)
    return {
        "sigma": first["sigma"], "spread_old": first["spread_old"], "spread_new": first["spread_new"], "top": TOP,
        "separates": used["labels"][widest["new"]] if widest else None,
        "separates_spread": widest["spread_new"] if widest else None,
    }  # fmt: skip


def _curve_facts(used: Kit) -> dict[str, int]:
    """How many known releases lie below the papers' curve."""
    rows, ratio = used["frontier"]["releases"], used["frontier_ratios"][Y]
    below = sum(row[Y] < 100.0 * math.sqrt(ratio * row[X] / 100.0) for row in rows)
    return {"curve_n": len(rows), "curve_below": below}


def _perhaps_swapped(last: Mapping[str, Any], line: Mapping[str, Any]) -> bool:
    """The pair is outside as given and inside with the two scores exchanged."""
    low, high = frontier_line(line["name"]).interval(last["y"], last["x"])
    return bool(last["outside"] and low <= 0 <= high)


def _answers(
    facts: Mapping[str, Any], last: Mapping[str, Any], newest: Mapping[str, Any], axes: list[dict[str, Any]]
) -> dict[str, str]:
    measured = "release_measure_none" if facts["separates"] is None else "release_measure"
    if facts["separates"] is not None and axes[0]["rotate"]:
        measured = "release_measure_rotate"
    return {
        "headline": write("release_headline", facts),
        "phase": write("release_phase", facts),
        "sure": write("release_sure_outside" if last["outside"] else "release_sure", facts),
        "compared": write("release_compared_lab" if facts["before"] else "release_compared", facts),
        "move": write(_move(newest), facts),
        "measure": write(measured, facts),
    }


def _move(newest: Mapping[str, Any]) -> str:
    """The sentence on the change since the release before: scatter is told apart from no change to speak of."""
    if newest["change"] is None:
        return "release_move_alone"
    scatter = newest["kind"] == "noise" and abs(newest["change"]) > THRESHOLD
    return "release_move_scatter" if scatter else f"release_move_{newest['kind']}"


def _rule_facts(
    last: Mapping[str, Any], newest: Mapping[str, Any], axes: list[dict[str, Any]]
) -> dict[str, float | None]:
    sigma = axes[0]["sigma"]
    facts: dict[str, float | None] = {f"is_{kind}": float(newest["kind"] == kind) for kind in KINDS}
    return facts | {
        "h": last["h"], "h_size": abs(last["h"]), "outside": float(last["outside"]), "noise": 1.96 * last["noise_sd"],
        "sigma": sigma, "ifeval_below": None if last["ifeval_above"] is None else float(not last["ifeval_above"]),
    }  # fmt: skip
