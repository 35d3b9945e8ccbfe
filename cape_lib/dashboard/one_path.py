"""A path along any axis but size: checkpoints of a run, models by width or date; nothing here speaks of sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics, training
from cape_lib.dashboard.one_family import MOST_QUESTIONS, PHASES, questions_needed, with_noise
from cape_lib.dashboard.wording import interval, number, shown, write
from cape_lib.stats import fisher, ladder_rows, pearson_rows, score_noise
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
    diagnosis["power"] = _power(frame, diagnosis)
    return diagnosis | {
        "phase": steps[-1]["phase"],
        "answers": _answers(diagnosis, along),
        "advice": [],
        "notes": _notes(frame, diagnosis, along),
    }


def _value(along: Axis, value: float) -> float | str:
    """A value of the axis as JSON has it: a date as text."""
    return day(value) if along.name == "date" else float(value)


def _points(frame: pd.DataFrame, along: Axis, x: str, y: str) -> list[Plain]:
    noise = {name: score_noise(frame, name) for name in (x, y)}
    names = frame["model"].astype(str) if "model" in frame else pd.Series([""] * len(frame))
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
    limit = coupling.settled_beyond(len(table))
    return [
        {
            **_ends(along, row[f"{along.column}_low"], row[f"{along.column}_high"]),
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


def _whole(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    whole = coupling.whole_ladder(frame, x=x, y=y, along=along)
    return {
        **_ends(along, whole.low, whole.high),
        "dx": whole.dx.estimate,
        "dy": whole.dy.estimate,
        "dx_half": number(whole.dx.high - whole.dx.estimate),
        "dy_half": number(whole.dy.high - whole.dy.estimate),
        "z": number(whole.z),
        "gamma": number(whole.gamma.estimate),
        **{name: number(getattr(whole, name)) for name in PHASES},
        "interval": interval(whole.gamma.low, whole.gamma.high),
        "phase": whole.phase,
        "settled": whole.settled,
    }


def _correlations(frame: pd.DataFrame, along: Axis, x: str, y: str) -> Plain:
    """r of the levels, or for a run that of its first differences with that of the levels beside it.

    Two scores of one run both drift with its training: their levels correlate whatever they have to do with each other
    (chapter 10), and a common trend drops out of the differences.
    """
    first, second = (frame[name].to_numpy(float) for name in (x, y))
    levels = _correlation(first, second) | {"of": "levels"}
    if not along.serial:
        return {"r": levels}
    return {"r": _correlation(np.diff(first), np.diff(second)) | {"of": "changes"}, "r_levels": levels}


def _correlation(first: np.ndarray, second: np.ndarray) -> Plain:
    n = len(first)
    # Two points always lie on a line.
    r = float(pearson_rows(first, second)) if n > 2 else math.nan
    fit = fisher(r, n)
    return {"estimate": number(r), "interval": interval(fit.low, fit.high), "n": n}


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
    table = dynamics.carried_on(frame, x=x, y=y, at=ahead, along=along)
    table.columns = ["x", "y", "held_out"]
    methods = {
        name: {column: number(value) for column, value in row.items()} for name, row in table.to_dict("index").items()
    }
    return {"at": _value(along, ahead), "text": along.shown(ahead), "methods": methods}


def _power(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> Plain:
    """How many times as many questions would settle the sign of the last step, if what is seen is true."""
    step = diagnosis["steps"][-1]
    var_x, var_y = (float((score_noise(frame, diagnosis[name])[-2:] ** 2).sum()) for name in ("x", "y"))
    limit = coupling.settled_beyond(len(diagnosis["steps"]))
    needed = questions_needed((step["dy"], step["dx"]), (var_y, var_x), limit)
    return {"questions": needed, "settled": step["settled"], "most_questions": MOST_QUESTIONS}


def _answers(diagnosis: Mapping[str, Any], along: Axis) -> dict[str, str]:
    return {
        "headline": _headline(diagnosis, along),
        "phase": _phase(diagnosis, along),
        "sure": _sure(diagnosis, along),
        "compared": _compared(diagnosis, along),
        "move": _move(diagnosis, along),
        "measure": _measure(diagnosis, along),
    }


def _headline(diagnosis: Mapping[str, Any], along: Axis) -> str:
    x, y = (diagnosis["labels"][diagnosis[axis]] for axis in ("x", "y"))
    whole, last, one = diagnosis["whole"], diagnosis["steps"][-1], len(diagnosis["steps"]) == 1
    stretch = along.between(*_numbers(diagnosis, along))
    text = f"{stretch[0].upper()}{stretch[1:]}, {y} changed by {shown(whole['dy'], '+1')}"
    if whole["dy_half"] is not None:
        text += f" ± {shown(whole['dy_half'], '1')}"
    text += f" points while {x} changed by {shown(whole['dx'], '+1')}"
    if whole["gamma"] is None:
        return f"{text}: a coupling is not defined where {x} does not change."
    text += f": {whole['phase']} over {along.path}, {_certainty(whole)}."
    if one:
        return text
    if last["gamma"] is None:
        return f"{text} In the last step, from {last['first']}, {x} does not change."
    return f"{text} The last step, from {last['first']}, is {last['phase']}, {_certainty(last)}."


def _numbers(diagnosis: Mapping[str, Any], along: Axis) -> tuple[float, float]:
    """The two ends of the path as numbers."""
    ends = (diagnosis["points"][0][along.column], diagnosis["points"][-1][along.column])
    if along.name != "date":
        return ends
    low, high = ((pd.Timestamp(end) - pd.Timestamp("1970-01-01")).days for end in ends)
    return float(low), float(high)


def _certainty(step: Mapping[str, Any]) -> str:
    if step["p_negative"] is None:
        return "and how sure that is cannot be said: the noise of the scores is not known"
    return "beyond score noise" if step["settled"] else "by best estimate, and noise could turn its sign"


def _phase(diagnosis: Mapping[str, Any], along: Axis) -> str:
    x, y = (diagnosis["labels"][diagnosis[axis]] for axis in ("x", "y"))
    whole, steps = diagnosis["whole"], diagnosis["steps"]
    counts = ", ".join(f"{sum(s['phase'] == phase for s in steps)} {phase}" for phase in coupling.PHASES)
    stretch = along.between(*_numbers(diagnosis, along))
    text = (
        f"{along.path[0].upper()}{along.path[1:]}, {stretch}: {whole['phase']}, gamma "
        f"{shown(whole['gamma'], '+2')} {shown(whole['interval'], 'i2')} points of {y} for a point of {x}."
    )
    if len(steps) > 1:
        count = f"{len(steps)} steps between neighbouring {along.points}"
        text += f" Its {count}: {counts} by best estimate. {turn(diagnosis['boundary'], along)}"
    return text


def turn(places: Mapping[str, Mapping[str, Any]], along: Axis) -> str:
    """Where it turns, in a sentence: by the estimators that are sure, else why nothing can be said."""
    sure = [f"{row['text']} by {_name(name)}" for name, row in places.items() if row["verdict"] == "boundary"]
    if sure:
        return f"Where it turns {along.where}: {'; '.join(sure)}."
    inside = [f"{row['text']} by {_name(name)}" for name, row in places.items() if row["inside"]]
    if inside:
        return f"Where it turns {along.where} is not sure: {'; '.join(inside)}."
    return f"No estimator finds a turn {along.where}: {next(iter(places.values()))['reason']}."


def _name(key: str) -> str:
    return key.replace("_", " ")


def _sure(diagnosis: Mapping[str, Any], along: Axis) -> str:
    whole, steps = diagnosis["whole"], diagnosis["steps"]
    if steps[-1]["p_negative"] is None:
        return "Not known: give the number of questions of each benchmark, or its standard error."
    settled = sum(step["settled"] for step in steps)
    text = f"Over {along.path} P(gamma below zero) is {shown(whole['p_negative'], '%')}."
    if len(steps) > 1:
        text += f" Of its {len(steps)} steps {settled} have a sign beyond score noise."
    if not diagnosis["runs"]:
        return f"{text} Variation between training runs is in none of this."
    return f"{text} {_between_runs(diagnosis)}"


def _between_runs(diagnosis: Mapping[str, Any]) -> str:
    """What the noise is where several runs were averaged."""
    names = " and ".join(diagnosis["labels"][name] for name in diagnosis["runs"])
    known = "the noise is the spread between runs, so their variation is in this"
    return f"For {names} {known}; what other questions would change is not."


def _compared(diagnosis: Mapping[str, Any], along: Axis) -> str:
    r, n = diagnosis["r"], diagnosis["n"]
    if r["estimate"] is None:
        return f"So few {along.points}, or changes all alike, have no correlation to compare."
    value = f"{shown(r['estimate'], '+2')} {shown(r['interval'], 'i2')}"
    if not along.serial:
        return f"Over these {n} {along.points} r is {value}. Nothing is known of others on this axis."
    levels = shown(diagnosis["r_levels"]["estimate"], "+2")
    if diagnosis["strangers"] is not None:
        return _beside(diagnosis, value, levels)
    return (
        f"From checkpoint to checkpoint the changes of the two scores correlate at r = {value}, n = {r['n']} changes. "
        f"Their levels correlate at {levels}, and a common trend alone gives that: any two scores that rise do "
        "(chapter 10). An even rise drops out of the changes; learning fast at the same time does not."
    )


def _beside(diagnosis: Mapping[str, Any], value: str, levels: str) -> str:
    """The changes and levels of a run beside those of strangers, in words."""
    x, y = (diagnosis["labels"][diagnosis[axis]] for axis in ("x", "y"))
    strangers = diagnosis["strangers"]
    change, level = (shown(strangers[word]["others"], "+2") for word in ("changes", "levels"))
    runs = f"{strangers['runs']} other runs" if strangers["runs"] > 1 else "another run"
    return (
        f"From checkpoint to checkpoint the changes of the two scores correlate at r = {value}, their levels at "
        f"{levels}. {x} of this run with {y} of {runs} of the table, which it cannot have touched: changes {change}, "
        f"levels {level} (median). That is what trend alone explains (chapter 10)."
    )


def _move(diagnosis: Mapping[str, Any], along: Axis) -> str:
    last, whole = diagnosis["steps"][-1], diagnosis["whole"]
    if not last["settled"] and whole["settled"]:
        return (
            f"Over {along.path} the sign is settled ({whole['phase']}), and the last step alone is open: measure "
            "further on before you change anything."
        )
    if not last["settled"]:
        return "Not enough information to change anything: the sign of the last step is open."
    if last["gamma"] is not None and last["gamma"] < 0:
        return "Not known: no lever was ever tested along this axis."
    return "Nothing has to move: the last step raised both scores, or lowered both."


def _measure(diagnosis: Mapping[str, Any], along: Axis) -> str:
    power = diagnosis["power"]
    if diagnosis["steps"][-1]["p_negative"] is None:
        return f"First the number of questions of both benchmarks, then a further {along.point}."
    if power["settled"]:
        return f"The next {along.point}, near {diagnosis['forecast']['text']}: it tells whether the sign stays."
    more = f"runs of each {along.point}" if diagnosis["runs"] else "questions"
    if power["questions"] is not None:
        return (
            f"To settle the last step, if what you see is true: {power['questions']} times as many {more}, or "
            f"{along.points} further apart."
        )
    what = "more runs" if diagnosis["runs"] else "questions"
    return (
        f"The last step will not be settled by {what} (over {power['most_questions']} times as many): measure "
        f"{along.points} further apart, such as one near {diagnosis['forecast']['text']}."
    )


def _notes(frame: pd.DataFrame, diagnosis: Mapping[str, Any], along: Axis) -> list[str]:
    notes = [_between_runs(diagnosis) if diagnosis["runs"] else write("note_seeds", {})]
    if along.serial:
        notes.append(
            "Checkpoints of one run depend on each other: r is that of the changes from one to the next (first "
            "differences), not of the levels."
        )
    y, ahead = diagnosis["labels"][diagnosis["y"]], diagnosis["forecast"]
    methods = [f"{shown(row['y'], '1')} by {name}" for name, row in ahead["methods"].items() if row["y"] is not None]
    notes.append(f"If it goes on, {y} at {ahead['text']}: {', '.join(methods)}.")
    stated = "truthfulqa_stderr" in frame.columns and bool(frame["truthfulqa_stderr"].notna().any())
    if "truthfulqa" in (diagnosis["x"], diagnosis["y"]) and not stated:
        notes.append(write("note_mc2_noise", {}))
    return notes
