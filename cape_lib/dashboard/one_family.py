"""A family: the coupling of every step, how sure, a boundary if there is one, a forecast, what would settle it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base.coupling import effective_dimension, local_coupling, settled_beyond
from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.forecast import boundary, forecast
from cape_lib.dashboard.kit import Kit, kit
from cape_lib.dashboard.one_model import perhaps_swapped
from cape_lib.dashboard.settling import MOST_PROMISED, boundary_power
from cape_lib.dashboard.wording import BLANK, interval, number, write
from cape_lib.errors import MissingError
from cape_lib.stats import fisher, ladder_rows, pearson_rows, ratio_below, score_noise, score_sd

#: how many times the questions are tried before "more than that" is the answer
MOST_QUESTIONS = 1000
MOST_SIZES = 1000


def diagnose_family(
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    at: float | None = None,
    items: Mapping[str, int] | None = None,
    given: Kit | None = None,
) -> dict[str, Any]:
    """What the sizes of one family say about the coupling of two scores.

    rows: one a size: params_b (billions), x, y (percent), optionally model, more benchmarks, <score>_stderr (points).
    at: size of the forecast, billions (default: twice the largest).  items: questions of a benchmark of one's own.
    Returns plain data: `steps` (gamma, Fieller interval, P of each phase), `whole` (smallest to largest in one), `r`,
    `dimension`, `boundary` (N_c by named estimators), `forecast`, `power`, `answers`, `advice`, `notes`.
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes.
    """
    used = given or kit()
    frame = ladder_rows(_with_noise(pd.DataFrame(rows), x, y, items), [x, y], purpose="a local coupling")
    frame = frame.assign(model=_names(frame))
    steps = _steps(frame, x, y)
    own = (x, y) == ("hellaswag", "truthfulqa")
    r = _correlation(frame, x, y)
    found: dict[str, Any] = {
        "kind": "family" if own else "pair", "x": x, "y": y, "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "sizes": _sizes(frame, x, y), "steps": steps, "whole": _whole(frame, x, y),
        "r": r, "dimension": _dimension(frame, x, y),
        "boundary": boundary(frame, x=x, y=y), "forecast": forecast(frame, x=x, y=y, at=at),
    }  # fmt: skip
    for name, row in found["boundary"].items():
        row["promise"] = used["promises"][name][min(len(frame), MOST_PROMISED)]
    found["power"] = _power(steps[-1], frame, found, r)
    found["power"]["boundary"] = boundary_power(frame, y=y, table=used["power"]) if own else None
    facts = _facts(found, used)
    kind = str(found["kind"])
    return found | {
        "phase": steps[-1]["phase"], "answers": _answers(found, facts),
        "advice": advise(kind, _rule_facts(found)), "notes": _notes(frame, found, facts, used),
    }  # fmt: skip


def _with_noise(frame: pd.DataFrame, x: str, y: str, items: Mapping[str, int] | None) -> pd.DataFrame:
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
    from cape_lib.dashboard.wording import shown

    known = frame["model"] if "model" in frame.columns else pd.Series([None] * len(frame))
    return [
        str(name) if isinstance(name, str) and name.strip(BLANK) else shown(size, "B")
        for name, size in zip(known, frame["params_b"], strict=True)
    ]


def _sizes(frame: pd.DataFrame, x: str, y: str) -> list[dict[str, Any]]:
    noise = {name: score_noise(frame, name) for name in (x, y)}
    return [
        {"model": row["model"], "params_b": float(row["params_b"]), "x": float(row[x]), "y": float(row[y]),
         "x_sd": number(float(noise[x][i])), "y_sd": number(float(noise[y][i]))}
        for i, row in enumerate(frame.to_dict("records"))
    ]  # fmt: skip


def _steps(frame: pd.DataFrame, x: str, y: str) -> list[dict[str, Any]]:
    table = local_coupling(frame, x=x, y=y)
    limit = settled_beyond(len(table))
    return [_step({str(name): value for name, value in row.items()}, limit) for row in table.to_dict("records")]


def _step(row: Mapping[str, Any], limit: float) -> dict[str, Any]:
    p = float(row["p_negative"])
    numbers = ("gamma", "p_negative", "p_tax", "p_transition", "p_bonus")
    return {
        "smaller": row["smaller"], "larger": row["larger"], "low_b": float(row["params_b_low"]),
        "high_b": float(row["params_b_high"]), "mid_b": float(row["params_b_mid"]),
        "dx": float(row["dx"]), "dy": float(row["dy"]), **{name: number(float(row[name])) for name in numbers},
        "interval": interval(float(row["low"]), float(row["high"])), "phase": row["phase"],
        "settled": bool(p > limit or p < 1 - limit),
    }  # fmt: skip


def _whole(frame: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """The step from the smallest to the largest size in one: what the ladder did as a whole."""
    return _steps(frame.iloc[[0, -1]], x, y)[0]


def _correlation(frame: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    r, n = float(pearson_rows(frame[x].to_numpy(float), frame[y].to_numpy(float))), len(frame)
    # Two points always lie on a line.
    r = r if n > 2 else float("nan")
    found = fisher(r, n)
    return {"estimate": number(r), "interval": interval(found.low, found.high), "n": n}


def _dimension(frame: pd.DataFrame, x: str, y: str) -> dict[str, Any]:
    """Eigenvalues and vectors of the family's own covariance; d_eff only from six sizes on."""
    names = [name for name in tables.BASE_BENCHMARKS if name in frame.columns and frame[name].notna().all()]
    if x not in names or y not in names:
        names = [x, y]
    found = effective_dimension(frame, benchmarks=names, resamples=2)
    values = found.eigenvalues
    kept = values > 1e-9 * values.sum()
    return {
        "n": len(frame), "benchmarks": names, "estimate": number(found.estimate.estimate), "least": 6,
        "eigenvalues": [float(v) if keep else 0.0 for v, keep in zip(values, kept, strict=True)],
        "vectors": [_upright(v) if keep else None for v, keep in zip(found.vectors.T, kept, strict=True)],
        "most": min(len(names), len(frame) - 1),
    }  # fmt: skip


def _upright(vector: np.ndarray) -> list[float]:
    """The vector with its component of largest size positive; the first of equals decides."""
    lead = 0.0
    for item in vector:
        if abs(item) > abs(lead) * (1 + 1e-9):
            lead = float(item)
    return [float(-item if lead < 0 else item) for item in vector]


def _power(
    step: Mapping[str, Any], frame: pd.DataFrame, found: Mapping[str, Any], r: Mapping[str, Any]
) -> dict[str, Any]:
    """What would settle the sign of the last step, and of r, if the values seen are the true ones.

    `questions`: how many times as many questions a benchmark (None: more than `MOST_QUESTIONS` times, or no noise is
    known); `sizes`: sizes in all for an interval of r without zero (None: more than `MOST_SIZES`).
    """
    last = [score_noise(frame, found[name])[-2:] for name in ("x", "y")]
    var_x, var_y = (float((sd**2).sum()) for sd in last)
    estimate = r["estimate"]
    sizes = None
    if estimate is not None and 0 < abs(estimate) < 1:
        needed = math.ceil((1.959963984540054 / math.atanh(abs(estimate))) ** 2 + 3)
        sizes = max(needed, 4) if needed <= MOST_SIZES else None
    elif estimate is not None and abs(estimate) == 1:
        sizes = 4
    limit = settled_beyond(len(found["steps"]))
    questions = _questions((step["dy"], step["dx"]), (var_y, var_x), limit)
    return {"questions": questions, "sizes": sizes, "settled": step["settled"],
            "most_questions": MOST_QUESTIONS, "most_sizes": MOST_SIZES}  # fmt: skip


def _questions(step: tuple[float, float], variance: tuple[float, float], limit: float) -> int | None:
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


def _facts(found: Mapping[str, Any], used: Kit) -> dict[str, Any]:
    steps, last, r = found["steps"], found["steps"][-1], found["r"]
    counts = {phase: sum(step["phase"] == phase for step in steps) for phase in ("tax", "transition", "bonus")}
    negative = sum(step["gamma"] < 0 for step in used["steps"])
    largest, whole = found["sizes"][-1], found["whole"]
    return {
        "x": found["labels"][found["x"]], "y": found["labels"][found["y"]], "n": found["n"], "n_steps": len(steps),
        "smaller": last["smaller"], "larger": last["larger"], "gamma": last["gamma"], "interval": last["interval"],
        "phase": last["phase"], "p_phase": last.get(f"p_{last['phase']}"), "p_negative": last["p_negative"],
        "p_positive": None if last["p_negative"] is None else 1 - last["p_negative"],
        "dx": last["dx"], "dy": last["dy"], **counts, "settled": sum(step["settled"] for step in steps),
        "r": r["estimate"], "r_interval": r["interval"], "known": len(used["steps"]), "known_negative": negative,
        "questions": found["power"]["questions"], "needed": found["power"]["sizes"],
        "most_questions": MOST_QUESTIONS, "most_sizes": MOST_SIZES, "largest_b": largest["params_b"],
        "largest": largest["model"], "smallest": found["sizes"][0]["model"], "whole_gamma": whole["gamma"],
        "whole_interval": whole["interval"], "whole_phase": whole["phase"], "whole_negative": whole["p_negative"],
        "settle_r": _settle_r(found),
    }  # fmt: skip


def _settle_r(found: Mapping[str, Any]) -> str:
    needed, dip = found["power"]["sizes"], found["power"]["boundary"]
    said = "" if needed is None else write("settle_r" if needed > found["n"] else "settled_r", {"needed": needed})
    if dip is None or found["boundary"]["vertex"]["verdict"] == "boundary":
        return said
    return said + write("settle_boundary", dip | {"n": found["n"]})


def _answers(found: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, str]:
    last, kind = found["steps"][-1], str(found["kind"])
    known = last["p_negative"] is not None
    if last["gamma"] is None:
        headline = "family_headline_undefined"
    elif not known:
        headline = "family_headline_no_noise"
    elif found["n"] > 2 and found["whole"]["gamma"] is not None:
        whole = "settled" if found["whole"]["settled"] else "open"
        headline = f"family_headline_{whole}_{'settled' if last['settled'] else 'open'}"
    else:
        headline = "family_headline_settled" if last["settled"] else "family_headline"
    return {
        "headline": write(headline, facts),
        "phase": write("family_phase_one" if len(found["steps"]) == 1 else "family_phase", facts),
        "sure": write("family_sure" if known else "family_sure_no_noise", facts),
        "compared": write(f"{kind}_compared" if facts["r"] is not None else f"{kind}_compared_two", facts),
        "move": write(f"{kind}_move_{_situation(last)}", facts),
        "measure": write(_measure(found, known), facts),
    }


def _situation(last: Mapping[str, Any]) -> str:
    if not last["settled"]:
        return "open"
    return "tax" if last["gamma"] is not None and last["gamma"] < 0 else "bonus"


def _measure(found: Mapping[str, Any], known: bool) -> str:
    power = found["power"]
    if not known:
        return "family_measure_no_noise"
    if power["settled"]:
        return "family_measure_settled" if found["n"] >= 4 else "family_measure_settled_few"
    return "family_measure" if power["questions"] is not None else "family_measure_hopeless"


def _notes(frame: pd.DataFrame, found: Mapping[str, Any], facts: Mapping[str, Any], used: Kit) -> list[str]:
    notes = [write("note_seeds", facts)]
    if found["kind"] == "family" and perhaps_swapped(used, [(s["params_b"], s["x"], s["y"]) for s in found["sizes"]]):
        notes.append(write("note_swapped_family", facts))
    stated = "truthfulqa_stderr" in frame.columns and bool(frame["truthfulqa_stderr"].notna().any())
    if "truthfulqa" in (found["x"], found["y"]) and not stated:
        notes.append(write("note_mc2_noise", facts))
    if found["n"] < 6:
        notes.append(write("note_few_for_dimension", facts))
    return notes


def _rule_facts(found: Mapping[str, Any]) -> dict[str, float | None]:
    last = found["steps"][-1]
    vertex = found["boundary"]["vertex"]
    return {
        "n_sizes": float(found["n"]), "largest_b": found["sizes"][-1]["params_b"], "gamma": last["gamma"],
        "p_tax": last["p_tax"], "p_bonus": last["p_bonus"], "p_negative": last["p_negative"],
        "settled": float(last["settled"]), "questions": found["power"]["questions"],
        "vertex_inside": float(vertex["inside"]), "dx": last["dx"],
    }  # fmt: skip
