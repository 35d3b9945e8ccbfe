"""A family: the whole ladder, every step, a boundary if there is one, a forecast, what would settle it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics
from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.kit import plain_steps, promised
from cape_lib.dashboard.one_model import perhaps_swapped
from cape_lib.dashboard.wording import BLANK, interval, number, shown, speak
from cape_lib.errors import MissingError
from cape_lib.stats import fisher, ladder_rows, pearson_rows, ratio_below, score_noise, score_sd
from cape_lib.tables.axes import PARAMS, Axis

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
) -> dict[str, Any]:
    """What the sizes of one family say about the coupling of two scores.

    rows: one a size: params_b (billions), x, y (percent), optionally model, more benchmarks, <score>_stderr (points).
    at: size of the forecast, billions (default: twice the largest).  items: questions of a benchmark of one's own.
    along: another axis; then the answer is that of `diagnose_path`, which speaks of no sizes; beside: further runs, for
    what trend alone explains there.  scales: `boundary.critical_scales` of the rows, where they are at hand.
    Returns plain data: `runs` (scores whose noise is the spread between runs), `whole` (smallest to largest in one),
    `steps` (gamma, Fieller interval, P of each phase), `r`, `dimension`, `boundary` (N_c by named estimators),
    `forecast`, `power`, `answers`, `advice`, `notes`.
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    """
    if not along.by_size:
        from cape_lib.dashboard.one_path import diagnose_path

        return diagnose_path(pd.DataFrame(rows), along, x=x, y=y, at=at, items=items, beside=beside)
    frame = ladder_rows(with_noise(pd.DataFrame(rows), x, y, items), [x, y], purpose="a local coupling")
    frame = frame.assign(model=_names(frame))
    steps = _steps(frame, x, y)
    kind = "family" if (x, y) == ("hellaswag", "truthfulqa") else "pair"
    diagnosis: dict[str, Any] = {
        "kind": kind,
        "x": x,
        "y": y,
        "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "runs": tables.between_runs(frame, (x, y)),
        "sizes": _sizes(frame, x, y),
        "whole": _whole(frame, x, y),
        "steps": steps,
        "r": correlation(*(frame[name].to_numpy(float) for name in (x, y))),
        "dimension": _dimension(frame, x, y),
        "boundary": _boundary(boundary.critical_scales(frame, x=x, y=y) if scales is None else scales),
        "forecast": _forecast(frame, x, y, at),
    }
    diagnosis["power"] = _power(frame, diagnosis)
    facts = _facts(frame, diagnosis)
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


def _names(frame: pd.DataFrame) -> list[str]:
    known = frame["model"] if "model" in frame.columns else pd.Series([None] * len(frame))
    return [
        str(name) if isinstance(name, str) and name.strip(BLANK) else shown(size, "B")
        for name, size in zip(known, frame["params_b"], strict=True)
    ]


def _sizes(frame: pd.DataFrame, x: str, y: str) -> list[dict[str, Any]]:
    noise = {name: score_noise(frame, name) for name in (x, y)}
    return [
        {
            "model": row["model"],
            "params_b": float(row["params_b"]),
            "x": float(row[x]),
            "y": float(row[y]),
            "x_sd": number(float(noise[x][i])),
            "y_sd": number(float(noise[y][i])),
        }
        for i, row in enumerate(frame.to_dict("records"))
    ]


def _steps(frame: pd.DataFrame, x: str, y: str) -> list[dict[str, Any]]:
    table = coupling.local_coupling(frame, x=x, y=y)
    ends = [
        {
            "smaller": row["smaller"],
            "larger": row["larger"],
            "low_b": row["params_b_low"],
            "high_b": row["params_b_high"],
            "mid_b": row["params_b_mid"],
        }
        for row in table.to_dict("records")
    ]
    return [end | step for end, step in zip(ends, plain_changes(table), strict=True)]


def plain_changes(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Steps of `coupling.local_coupling` as plain data, without their ends: dx, dy, gamma, probabilities, phase."""
    limit = coupling.settled_beyond(len(table))
    return [
        {
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


def _whole(frame: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    whole = coupling.whole_ladder(frame, x=x, y=y)
    ends = {"smaller": whole.smaller, "larger": whole.larger, "low_b": whole.low, "high_b": whole.high}
    return ends | {"mid_b": math.sqrt(whole.low * whole.high)} | plain_whole(whole)


def plain_whole(whole: coupling.WholeLadder) -> dict[str, Any]:
    """A whole ladder or path as plain data, without its ends: dx and dy with half of their 95 % intervals, then gamma
    as a step has it."""
    return {
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


def _forecast(frame: pd.DataFrame, x: str, y: str, at: float | None) -> dict[str, Any]:
    """`dynamics.carried_on` as plain data: at_b, ratio (to the largest size), methods."""
    largest = float(frame["params_b"].iloc[-1])
    size = 2 * largest if at is None else float(at)
    methods = plain_methods(dynamics.carried_on(frame, x=x, y=y, at=size))
    return {"at_b": size, "ratio": size / largest, "methods": methods}


def plain_methods(table: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """`dynamics.carried_on` as plain data: by method, x, y and held_out."""
    rows = table.set_axis(["x", "y", "held_out"], axis="columns").to_dict("index").items()
    return {str(name): {str(column): number(value) for column, value in row.items()} for name, row in rows}


def _power(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> dict[str, Any]:
    """What would settle the sign of the last step, and of r, if the values seen are the true ones.

    `questions`: how many times as many questions a benchmark (None: more than `MOST_QUESTIONS` times, or no noise is
    known); `sizes`: sizes in all for an interval of r without zero (None: more than `MOST_SIZES`); `boundary`: see
    `boundary.boundary_power`.
    """
    r = diagnosis["r"]["estimate"]
    sizes = None
    if r is not None and 0 < abs(r) < 1:
        needed = math.ceil((1.959963984540054 / math.atanh(abs(r))) ** 2 + 3)
        sizes = max(needed, 4) if needed <= MOST_SIZES else None
    elif r is not None and abs(r) == 1:
        sizes = 4
    dip = boundary.boundary_power(frame, y=diagnosis["y"]) if diagnosis["kind"] == "family" else None
    settle = last_step_power(frame, diagnosis)
    return {
        "questions": settle["questions"],
        "sizes": sizes,
        "settled": settle["settled"],
        "most_questions": MOST_QUESTIONS,
        "most_sizes": MOST_SIZES,
        "boundary": None if dip is None else asdict(dip),
    }


def last_step_power(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> dict[str, Any]:
    """How many times as many questions would settle the sign of the last step, if what is seen is true."""
    step = diagnosis["steps"][-1]
    var_x, var_y = (float((score_noise(frame, diagnosis[name])[-2:] ** 2).sum()) for name in ("x", "y"))
    limit = coupling.settled_beyond(len(diagnosis["steps"]))
    needed = questions_needed((step["dy"], step["dx"]), (var_y, var_x), limit)
    return {"questions": needed, "settled": step["settled"], "most_questions": MOST_QUESTIONS}


def questions_needed(step: tuple[float, float], variance: tuple[float, float], limit: float) -> int | None:
    (dy, dx), (var_y, var_x) = step, variance
    if math.isnan(var_x + var_y) or dx == 0 or dy == 0:
        return None

    def settled(times: int) -> bool:
        p = float(ratio_below(0.0, dy, dx, var_dy=var_y / times, var_dx=var_x / times))
        return p > limit or p < 1 - limit

    low, high = 0, 1
    while not settled(high):
        low, high = high, high * 2
        if high > MOST_QUESTIONS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high


def spoken_of(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> dict[str, Any]:
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


def _facts(frame: pd.DataFrame, diagnosis: Mapping[str, Any]) -> dict[str, Any]:
    known, sizes = plain_steps(), diagnosis["sizes"]
    rows = [(size["params_b"], size["x"], size["y"]) for size in sizes]
    return spoken_of(frame, diagnosis) | {
        "smallest": sizes[0],
        "largest": sizes[-1],
        "known": len(known),
        "known_negative": sum(step["gamma"] < 0 for step in known),
        "swapped": diagnosis["kind"] == "family" and perhaps_swapped(rows),
    }
