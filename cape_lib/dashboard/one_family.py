"""A family: the whole ladder, every step, a boundary if there is one, a forecast, what would settle it.

Along another axis than size (checkpoints of a run, models by width or date) it is a path, and nothing speaks of sizes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics, training
from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.kit import plain_steps, promised
from cape_lib.dashboard.one_model import perhaps_swapped
from cape_lib.dashboard.wording import BLANK, interval, number, shown, speak
from cape_lib.errors import MissingError
from cape_lib.stats import fisher, ladder_rows, pearson_rows, ratio_below, score_noise, score_sd
from cape_lib.tables.axes import PARAMS, Axis, day

Plain = dict[str, Any]
#: how many times the questions, and how many sizes, are tried before "more than that" is the answer
MOST_QUESTIONS = 1000
MOST_SIZES = 1000
PHASES = ("p_negative", "p_tax", "p_transition", "p_bonus")


def diagnose_family(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    at: float | None = None,
    items: Mapping[str, int] | None = None,
    along: Axis = PARAMS,
    beside: pd.DataFrame | None = None,
    scales: pd.DataFrame | None = None,
) -> Plain:
    """What the sizes of one family, or the points of one path, say about the coupling of two scores.

    rows: one a size: the column of the axis (params_b, billions), x, y (percent), optionally model, more benchmarks,
    <score>_stderr (points).  at: of the forecast, billions or in the unit of the axis (default: twice the largest).
    items: questions of a benchmark of one's own.  along: the axis; beside, along another than size: rows of further
    runs (column family), whose scores cannot have touched these: what trend alone gives.  scales:
    `boundary.critical_scales` of the rows, where they are at hand.
    Returns plain data: `runs` (scores whose noise is the spread between runs), `whole` (first to last in one),
    `steps` (gamma, Fieller interval, P of each phase), `r`, `boundary` (where it turns, by named estimators),
    `forecast`, `power`, `answers`, `advice`, `notes`. By size also `sizes` and `dimension`; along another axis `axis`
    and `points`, `r` of the changes where the points are checkpoints of one run (then `r_levels`, and `strangers`, or
    None: r beside other runs), and no advice: no lever was tested along another axis.
    Raises MissingError with fewer than two rows, ScoresError on equal places.
    """
    frame = with_noise(pd.DataFrame(rows), x, y, items)
    frame = ladder_rows(frame, [x, y], purpose="a local coupling", by=along.column)
    frame = frame.assign(model=_names(frame, along))
    steps = _steps(frame, along, x, y)
    diagnosis: Plain = {
        "kind": "path" if not along.by_size else "family" if (x, y) == ("hellaswag", "truthfulqa") else "pair",
        "x": x,
        "y": y,
        "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "runs": tables.between_runs(frame, (x, y)),
        "whole": _whole(frame, along, x, y),
        "steps": steps,
        "forecast": _forecast(frame, along, x, y, at),
    }
    if along.by_size:
        diagnosis |= {
            "sizes": _points(frame, along, x, y),
            "r": correlation(*(frame[name].to_numpy(float) for name in (x, y))),
            "dimension": _dimension(frame, x, y),
            "boundary": _boundary(boundary.critical_scales(frame, x=x, y=y) if scales is None else scales),
        }
    else:
        diagnosis |= {
            "axis": along.name,
            **{name: getattr(along, name) for name in ("column", "unit", "scale", "serial")},
            "points": _points(frame, along, x, y),
            **_correlations(frame, along, x, y),
            "strangers": None if beside is None or not along.serial else _strangers(frame, beside, along, x, y),
            "boundary": _turns(frame, along, x, y),
        }
    diagnosis["power"] = _power(frame, diagnosis)
    facts = _facts(frame, diagnosis) | (_of_sizes(diagnosis) if along.by_size else _of_path(frame, diagnosis, along))
    kind = diagnosis["kind"]
    return diagnosis | speak(kind, facts) | {"phase": steps[-1]["phase"], "advice": advise(kind, facts)}


def with_noise(frame: pd.DataFrame, x: str, y: str, items: Mapping[str, int] | None) -> pd.DataFrame:
    """Questions of a benchmark of one's own become the binomial standard error of each row that states none."""
    for name in (x, y):
        if name not in frame.columns:
            raise MissingError(f"no column {name} in the scores; add it")
        questions = (items or {}).get(name)
        if questions and name not in tables.ITEM_COUNTS:
            binomial = pd.Series(score_sd(frame[name].to_numpy(float), items=questions), index=frame.index)
            stated = frame[f"{name}_stderr"] if f"{name}_stderr" in frame.columns else binomial
            frame = frame.assign(**{f"{name}_stderr": stated.astype(float).fillna(binomial)})
    return frame


def _names(frame: pd.DataFrame, along: Axis) -> list[str]:
    """The names of the models; a size without one is named by it, a point of a path not at all."""
    known = frame["model"] if "model" in frame.columns else pd.Series([None] * len(frame))
    if not along.by_size:
        return known.astype(object).fillna("").astype(str).tolist()
    return [
        str(name) if isinstance(name, str) and name.strip(BLANK) else shown(size, "B")
        for name, size in zip(known, frame["params_b"], strict=True)
    ]


def _value(along: Axis, value: float) -> float | str:
    """A value of the axis as JSON has it: a date as text."""
    return day(value) if along.name == "date" else float(value)


def _points(frame: pd.DataFrame, along: Axis, x: str, y: str) -> list[Plain]:
    noise = {name: score_noise(frame, name) for name in (x, y)}
    return [
        {
            "model": row["model"],
            along.column: _value(along, row[along.column]),
            "x": float(row[x]),
            "y": float(row[y]),
            "x_sd": number(float(noise[x][i])),
            "y_sd": number(float(noise[y][i])),
        }
        for i, row in enumerate(frame.to_dict("records"))
    ]


def _steps(frame: pd.DataFrame, along: Axis, x: str, y: str) -> list[Plain]:
    """Steps of `coupling.local_coupling` as plain data: their ends, dx, dy, gamma, probabilities, phase."""
    table = coupling.local_coupling(frame, x=x, y=y, along=along)
    limit = coupling.settled_beyond(len(table))
    return [
        {
            **_ends(along, row),
            "dx": row["dx"],
            "dy": row["dy"],
            "gamma": number(row["gamma"]),
            **{name: number(row[name]) for name in PHASES},
            "interval": interval(row["low"], row["high"]),
            "phase": row["phase"],
            "settled": bool(row["p_negative"] > limit or row["p_negative"] < 1 - limit),
        }
        for row in table.to_dict("records")
    ]


def _ends(along: Axis, step: Mapping[Any, Any]) -> Plain:
    """Where a step begins and ends: by the names of two models and their sizes, or by two places in words."""
    low, high = (float(step[f"{along.column}_{end}"]) for end in ("low", "high"))
    middle = float(along.middle(low, high))
    if along.by_size:
        return {"smaller": step["smaller"], "larger": step["larger"], "low_b": low, "high_b": high, "mid_b": middle}
    words = {"first": along.shown(low), "last": along.shown(high)}
    return words | {"from": _value(along, low), "to": _value(along, high), "mid": _value(along, middle)}


def _whole(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    """First to last as one step, with half of the 95 % intervals of both changes and z."""
    whole = coupling.whole_ladder(frame, x=x, y=y, along=along)
    (step,) = _steps(frame.iloc[[0, -1]], along, x, y)
    return step | {
        "dx_half": number(whole.dx.high - whole.dx.estimate),
        "dy_half": number(whole.dy.high - whole.dy.estimate),
        "z": number(whole.z),
    }


def correlation(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    """r with its interval, as plain data; two points always lie on a line, so that takes three."""
    n = len(first)
    r = float(pearson_rows(first, second)) if n > 2 else math.nan
    fit = fisher(r, n)
    return {"estimate": number(r), "interval": interval(fit.low, fit.high), "n": n}


def _dimension(frame: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """Eigenvalues and vectors of the family's own covariance; d_eff only from six sizes on."""
    names = [name for name in tables.BASE_BENCHMARKS if name in frame.columns and frame[name].notna().all()]
    if x not in names or y not in names:
        names = [x, y]
    fit = coupling.effective_dimension(frame, benchmarks=names, resamples=2)
    values = fit.eigenvalues
    real = values > 1e-9 * values.sum()
    return {
        "n": len(frame),
        "benchmarks": names,
        "estimate": number(fit.estimate.estimate),
        "least": 6,
        "eigenvalues": [float(v) if keep else 0.0 for v, keep in zip(values, real, strict=True)],
        "vectors": [_upright(v) if keep else None for v, keep in zip(fit.vectors.T, real, strict=True)],
        "most": min(len(names), len(frame) - 1),
    }


def _upright(vector: np.ndarray) -> list[float]:
    """The vector with its component of largest size positive; the first of equals decides."""
    lead = 0.0
    for item in vector:
        if abs(item) > abs(lead) * (1 + 1e-9):
            lead = float(item)
    return [float(-item if lead < 0 else item) for item in vector]


def _boundary(scales: pd.DataFrame) -> dict[str, Any]:
    """`critical_scales` as plain data, and how often an interval like it is right.

    estimate: billions, None where these sizes hold none; low, high: None beyond the sizes on that side.
    """
    answer = {}
    for row in scales.to_dict("records"):
        name = row["estimator"].replace(" ", "_")
        low, high = (number(row[end]) for end in ("low", "high"))
        answer[name] = {
            "estimate": number(row["n_c_b"]),
            "low": low or None,
            "high": high or None,
            "share": number(row["share"]),
            "inside": math.isfinite(row["n_c_b"]),
            "verdict": row["verdict"],
            "promise": promised(row["estimator"], row["n"]),
        }
    return answer


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


def _turns(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
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
    """`dynamics.carried_on` as plain data: where (of a size also its ratio to the largest), and x, y, held_out by
    method."""
    values = frame[along.column].astype(float)
    first, last = float(values.iloc[0]), float(values.iloc[-1])
    usual = 2 * last if along.by_size else along.ahead(last, first)
    ahead = usual if at is None else float(at)
    table = dynamics.carried_on(frame, x=x, y=y, at=ahead, along=along)
    rows = table.set_axis(["x", "y", "held_out"], axis="columns").to_dict("index").items()
    methods = {str(name): {str(column): number(value) for column, value in row.items()} for name, row in rows}
    if along.by_size:
        return {"at_b": ahead, "ratio": ahead / last, "methods": methods}
    return {"at": _value(along, ahead), "text": along.shown(ahead), "methods": methods}


def _power(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> Plain:
    """What would settle the sign of the last step, and over sizes that of r, if the values seen are the true ones.

    `questions`: how many times as many questions a benchmark (None: more than `MOST_QUESTIONS` times, or no noise is
    known); `sizes`: sizes in all for an interval of r without zero (None: more than `MOST_SIZES`); `boundary`: see
    `boundary.boundary_power`.
    """
    step, r = diagnosis["steps"][-1], diagnosis["r"]["estimate"]
    var_x, var_y = (float((score_noise(frame, diagnosis[name])[-2:] ** 2).sum()) for name in ("x", "y"))
    limit = coupling.settled_beyond(len(diagnosis["steps"]))
    settle = {
        "questions": questions_needed((step["dy"], step["dx"]), (var_y, var_x), limit),
        "settled": step["settled"],
        "most_questions": MOST_QUESTIONS,
    }
    if diagnosis["kind"] == "path":
        return settle
    sizes = None
    if r:
        needed = 4 if abs(r) == 1 else math.ceil((1.959963984540054 / math.atanh(abs(r))) ** 2 + 3)
        sizes = max(needed, 4) if needed <= MOST_SIZES else None
    dip = boundary.boundary_power(frame, y=diagnosis["y"]) if diagnosis["kind"] == "family" else None
    return settle | {"sizes": sizes, "most_sizes": MOST_SIZES, "boundary": None if dip is None else dip._asdict()}


def questions_needed(step: tuple[float, float], variance: tuple[float, float], limit: float) -> int | None:
    (dy, dx), (var_y, var_x) = step, variance
    if math.isnan(var_x + var_y) or dx == 0 or dy == 0:
        return None

    def settled(times: int) -> bool:
        p = float(ratio_below(0.0, dy, dx, var_dy=var_y / times, var_dx=var_x / times))
        return p > limit or p < 1 - limit

    least = bisect_left(range(1, MOST_QUESTIONS + 1), True, key=settled) + 1
    return least if least <= MOST_QUESTIONS else None


def _facts(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> Plain:
    """A diagnosis of steps with what its sentences say of it besides: labels for names, the last step, counts."""
    steps, names = diagnosis["steps"], (diagnosis["x"], diagnosis["y"])
    stated = "truthfulqa_stderr" in frame.columns and bool(frame["truthfulqa_stderr"].notna().any())
    return {
        **diagnosis,
        **{axis: diagnosis["labels"][diagnosis[axis]] for axis in ("x", "y")},
        "n_steps": len(steps),
        "last": steps[-1],
        "counts": {phase: sum(step["phase"] == phase for step in steps) for phase in coupling.PHASES},
        "settled": sum(step["settled"] for step in steps),
        "runs_of": " and ".join(diagnosis["labels"][name] for name in diagnosis["runs"]),
        "n_runs": len(diagnosis["runs"]),
        "mc2_bound": "truthfulqa" in names and not stated,
    }


def _of_sizes(diagnosis: Mapping[str, Any]) -> Plain:
    """What the sentences on sizes speak of besides: the two ends, the known steps, whether the scores seem swapped."""
    known, sizes = plain_steps(), diagnosis["sizes"]
    rows = [(size["params_b"], size["x"], size["y"]) for size in sizes]
    return {
        "smallest": sizes[0],
        "largest": sizes[-1],
        "known": len(known),
        "known_negative": sum(step["gamma"] < 0 for step in known),
        "swapped": diagnosis["kind"] == "family" and perhaps_swapped(rows),
    }


def _of_path(frame: pd.DataFrame, diagnosis: Mapping[str, Any], along: Axis) -> Plain:
    """What the sentences take from the axis: its words, its two ends, where it turns, what the forecast says."""
    stretch = along.between(*frame[along.column].astype(float).iloc[[0, -1]])
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
