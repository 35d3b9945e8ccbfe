"""A path along any axis but size: checkpoints of a run, models by width or date; nothing here speaks of sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics, training
from cape_lib.dashboard.one_family import (
    correlation,
    last_step_power,
    plain_changes,
    plain_methods,
    plain_whole,
    spoken_of,
    with_noise,
)
from cape_lib.dashboard.wording import number, shown, speak
from cape_lib.stats import ladder_rows, score_noise
from cape_lib.tables.axes import Axis, day

Plain = dict[str, Any]


def diagnose_path(
    rows: pd.DataFrame,
    along: Axis,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    at: float | None = None,
    items: Mapping[str, int] | None = None,
    beside: pd.DataFrame | None = None,
) -> Plain:
    """What the points of one path say about the coupling of two scores.

    rows: one a point: the column of the axis, x, y (percent), optionally model and <score>_stderr (points). along: the
    axis; at: of the forecast, in its unit; items: questions of a benchmark of one's own; beside: rows of further runs
    (column family), whose scores cannot have touched these: what trend alone gives.
    Returns plain data: `axis`, `points`, `whole` (first to last in one), `steps`, `r` (of the changes where the
    points are checkpoints of one run, and then `r_levels`; `strangers`, or None, has r beside other runs), `boundary`
    (where it turns, by named estimators), `forecast`, `power`, `answers`, `advice` (none: no lever was tested along
    another axis), `notes`.
    Raises MissingError with fewer than two points, ScoresError on equal values.
    """
    frame = ladder_rows(with_noise(rows, x, y, items), [x, y], purpose="a local coupling", by=along.column)
    steps, whole = _steps(frame, along, x, y), _whole(frame, along, x, y)
    diagnosis: Plain = {
        "kind": "path",
        "axis": along.name,
        "column": along.column,
        "unit": along.unit,
        "scale": along.scale,
        "serial": along.serial,
        "x": x,
        "y": y,
        "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "runs": tables.between_runs(frame, (x, y)),
        "points": _points(frame, along, x, y),
        "whole": whole,
        "steps": steps,
        **_correlations(frame, along, x, y),
        "strangers": None if beside is None or not along.serial else _strangers(frame, beside, along, x, y),
        "boundary": _boundary(frame, along, x, y),
        "forecast": _forecast(frame, along, x, y, at),
    }
    diagnosis["power"] = last_step_power(frame, diagnosis)
    facts = spoken_of(frame, diagnosis) | _words(diagnosis, along)
    return diagnosis | speak("path", facts) | {"phase": steps[-1]["phase"], "advice": []}


def _value(along: Axis, value: float) -> float | str:
    """A value of the axis as JSON has it: a date as text."""
    return day(value) if along.name == "date" else float(value)


def _points(frame: pd.DataFrame, along: Axis, x: str, y: str) -> list[Plain]:
    noise = {name: score_noise(frame, name) for name in (x, y)}
    names = frame["model"].astype(object).fillna("").astype(str) if "model" in frame else pd.Series([""] * len(frame))
    return [
        {
            "model": names.iloc[i],
            along.column: _value(along, row[along.column]),
            "x": float(row[x]),
            "y": float(row[y]),
            "x_sd": number(float(noise[x][i])),
            "y_sd": number(float(noise[y][i])),
        }
        for i, row in enumerate(frame.to_dict("records"))
    ]


def _ends(along: Axis, low: float, high: float) -> Plain:
    middle = float(along.middle(low, high))
    words = {"first": along.shown(low), "last": along.shown(high)}
    return words | {"from": _value(along, low), "to": _value(along, high), "mid": _value(along, middle)}


def _steps(frame: pd.DataFrame, along: Axis, x: str, y: str) -> list[Plain]:
    table = coupling.local_coupling(frame, x=x, y=y, along=along)
    places = zip(table[f"{along.column}_low"], table[f"{along.column}_high"], strict=True)
    return [_ends(along, *two) | step for two, step in zip(places, plain_changes(table), strict=True)]


def _whole(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    whole = coupling.whole_ladder(frame, x=x, y=y, along=along)
    return _ends(along, whole.low, whole.high) | plain_whole(whole)


def _correlations(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    """r of the levels, or for a run that of its first differences with that of the levels beside it.

    Two scores of one run both drift with its training: their levels correlate whatever they have to do with each other
    (chapter 10), and a common trend drops out of the differences.
    """
    first, second = (frame[name].to_numpy(float) for name in (x, y))
    levels = correlation(first, second) | {"of": "levels"}
    if not along.serial:
        return {"r": levels}
    return {"r": correlation(np.diff(first), np.diff(second)) | {"of": "changes"}, "r_levels": levels}


def _strangers(frame: pd.DataFrame, beside: pd.DataFrame, along: Axis, x: str, y: str) -> Plain | None:
    """r of this run's x with its own y and, in the median, with the y of other runs at the same values of the axis.

    Two scores of different runs cannot act on each other, so that r beside a stranger is what two trends give. None
    where fewer than three values or no other run have all of it. Reuses `training.crossed` of chapter 10.
    """
    by = along.column
    others = beside.dropna(subset=[by, x, y]).assign(model=lambda rows: rows["family"].astype(str))
    others = others[others[by].isin(frame[by]) & ~others.duplicated(["model", by], keep=False)]
    alike = others.merge(frame[[by, x, y]], on=[by, x, y])["model"].value_counts()
    here = alike.index[alike == len(frame)]  # this run itself stands in the table too
    whole = others.groupby("model")[by].nunique()
    common = whole.index[whole == len(frame)]
    rows = others[others["model"].isin(common) & ~others["model"].isin(here)]
    if rows.empty or len(frame) < 4:
        return None
    rows = pd.concat([frame.assign(model="own"), rows], ignore_index=True).assign(step=lambda table: table[by])
    answer: Plain = {"runs": rows["model"].nunique() - 1, "n": len(frame)}
    for word, difference in (("changes", True), ("levels", False)):
        r = training.crossed(rows, x=x, y=y, from_step=0, difference=difference).query("x_model == 'own'")
        answer[word] = {
            "own": number(float(r.loc[r["own"], "r"].iloc[0])),
            "others": number(float(r.loc[~r["own"], "r"].median())),
        }
    return answer


def _boundary(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    """`critical_scales` as plain data, in the unit of the axis; ends beyond the points on a side are None."""
    answer = {}
    for row in boundary.critical_scales(frame, x=x, y=y, along=along).to_dict("records"):
        estimate, low, high = (number(row[name]) for name in ("n_c_b", "low", "high"))
        beyond = [None if end is None or (end == 0 and along.scale == "log") else end for end in (low, high)]
        values = [None if value is None else _value(along, value) for value in (estimate, *beyond)]
        answer[row["estimator"].replace(" ", "_")] = {
            "estimate": values[0],
            "low": values[1],
            "high": values[2],
            "text": "" if estimate is None else turn_text(along, estimate, *beyond),
            "share": number(row["share"]),
            "inside": estimate is not None,
            "verdict": row["verdict"],
            "reason": row["reason"],
        }
    return answer


def turn_text(along: Axis, estimate: float, low: float | None, high: float | None) -> str:
    """A turn with its interval in words: "22 B tokens (18 to 27)"."""
    ends = [along.number(low) if low is not None else f"before every {along.point}"]
    ends.append(along.number(high) if high is not None else f"beyond every {along.point}")
    return f"{along.shown(estimate)} ({' to '.join(ends)})"


def _forecast(frame: pd.DataFrame, along: Axis, x: str, y: str, at: float | None) -> Plain:
    values = frame[along.column].astype(float)
    ahead = along.ahead(float(values.iloc[-1]), float(values.iloc[0])) if at is None else float(at)
    methods = plain_methods(dynamics.carried_on(frame, x=x, y=y, at=ahead, along=along))
    return {"at": _value(along, ahead), "text": along.shown(ahead), "methods": methods}


def _words(diagnosis: Mapping[str, Any], along: Axis) -> Plain:
    """What the sentences take from the axis: its words, its two ends, where it turns, what the forecast says."""
    stretch = along.between(*_numbers(diagnosis, along))
    methods = diagnosis["forecast"]["methods"].items()
    places = diagnosis["boundary"]

    def joined(chosen: Callable[[Plain], bool]) -> str:
        rows = [(name.replace("_", " "), row) for name, row in places.items() if chosen(row)]
        return "; ".join(f"{row['text']} by {name}" for name, row in rows)

    return {
        "stretch": stretch,
        "stretch_first": stretch[0].upper() + stretch[1:],
        "path": along.path,
        "path_first": along.path[0].upper() + along.path[1:],
        "point": along.point,
        "points": along.points,
        "where": along.where,
        "turns": {
            "sure": joined(lambda row: row["verdict"] == "boundary"),
            "inside": joined(lambda row: row["inside"]),
            "reason": next(iter(places.values()))["reason"],
        },
        "methods": ", ".join(f"{shown(row['y'], '1')} by {name}" for name, row in methods if row["y"] is not None),
    }


def _numbers(diagnosis: Mapping[str, Any], along: Axis) -> tuple[float, float]:
    """The two ends of the path as numbers."""
    ends = (diagnosis["points"][0][along.column], diagnosis["points"][-1][along.column])
    if along.name != "date":
        return ends
    low, high = ((pd.Timestamp(end) - pd.Timestamp("1970-01-01")).days for end in ends)
    return float(low), float(high)
