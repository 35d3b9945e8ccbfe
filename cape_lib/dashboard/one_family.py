"""A family: the whole ladder, every step, a boundary if there is one, a forecast, what would settle it.

Along another axis than size (checkpoints of a run, models by width or date) it is a path, and nothing speaks of sizes.
Models of one size that differ in one thing - corpus, seed, tuning - are compared pair by pair, each with its sentence.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import boundary, coupling, dynamics, training
from cape_lib.dashboard.kit import known_steps, promised
from cape_lib.dashboard.known import perhaps_swapped
from cape_lib.dashboard.wording import BLANK, Plain, answered, correlation, interval, number, records, shown
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.stats import Z95, corrected, ladder_rows, normal_p, ratio_below, score_noise, score_sd
from cape_lib.tables import Scores, model_names
from cape_lib.tables.axes import PARAMS, Axis, day
from cape_lib.tables.columns import known_name
from cape_lib.tables.one_family import run_number
from cape_lib.tables.scores import refuse_mixed

#: how many times the questions, and how many sizes, are tried before "more than that" is the answer
MOST_QUESTIONS = 1000
MOST_SIZES = 1000
PHASES = ("p_negative", "p_tax", "p_transition", "p_bonus")
#: two models side by side: there is no order between them, and so no size and no step
_SIDE = Axis("pair", "pair", "pair", scale="linear")
#: a change counts as sure below this p, after Holm's correction over the pairs
LEVEL = 0.05
#: what the values of a column are called
_NOUNS = {"seed": ("seed", "seeds"), "recipe": ("corpus", "corpora"), "instruct": ("tuning", "tunings")}


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
    asked: Plain = {"x": x, "y": y, "along": along}
    scales = boundary.critical_scales(frame, **asked) if scales is None else scales
    steps = _steps(frame, **asked)
    diagnosis: Plain = {
        "kind": "path" if not along.by_size else "family" if (x, y) == ("hellaswag", "truthfulqa") else "pair",
        "phase": steps[-1]["phase"],
        "x": x,
        "y": y,
        "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "runs": tables.between_runs(frame, (x, y)),
        "whole": _whole(frame, asked),
        "steps": steps,
        "sizes" if along.by_size else "points": _points(frame, **asked),
        **_correlations(frame, **asked),
        "boundary": _boundary(scales, along),
        "forecast": _forecast(frame, at, asked),
    }
    if along.by_size:
        diagnosis["dimension"] = _dimension(frame, x, y)
    else:
        diagnosis |= {name: getattr(along, name) for name in ("column", "unit", "scale", "serial")}
        diagnosis |= {"axis": along.name, "strangers": None}
        if beside is not None and along.serial:
            diagnosis["strangers"] = _strangers(frame, beside, **asked)
    diagnosis["power"] = _power(frame, diagnosis)
    return answered(diagnosis, _facts(frame, diagnosis, along))


def with_noise(frame: pd.DataFrame, x: str, y: str, items: Mapping[str, int] | None) -> pd.DataFrame:
    """Questions of a benchmark of one's own become the binomial standard error of each row that states none."""
    for name in (x, y):
        if name not in frame.columns:
            raise MissingError(f"no column {name} in the scores; add it")
        questions = (items or {}).get(name)
        if questions and name not in tables.ITEM_COUNTS:
            binomial = pd.Series(score_sd(frame[name].to_numpy(float), items=questions), index=frame.index)
            stated = frame.get(f"{name}_stderr", binomial).astype(float)
            frame = frame.assign(**{f"{name}_stderr": stated.fillna(binomial)})
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


def _points(frame: pd.DataFrame, *, x: str, y: str, along: Axis) -> list[Plain]:
    scores = {"x": frame[x], "y": frame[y], "x_sd": score_noise(frame, x), "y_sd": score_noise(frame, y)}
    places = [_value(along, value) for value in frame[along.column]]
    return records(pd.DataFrame({"model": frame["model"], along.column: places, **scores}))


def _steps(frame: pd.DataFrame, *, x: str, y: str, along: Axis) -> list[Plain]:
    """Steps of `coupling.local_coupling` as plain data: their ends, dx, dy, gamma, probabilities, phase."""
    table = coupling.local_coupling(frame, x=x, y=y, along=along)
    limit = coupling.settled_beyond(len(table))
    steps = []
    for row in table.to_dict("records"):
        low, high, middle = (float(row[f"{along.column}_{end}"]) for end in ("low", "high", "mid"))
        if along.by_size:
            names = {"smaller": row["smaller"], "larger": row["larger"], "low_b": low, "high_b": high, "mid_b": middle}
        else:
            names = {"first": along.shown(low), "last": along.shown(high)}
            names |= {"from": _value(along, low), "to": _value(along, high), "mid": _value(along, middle)}
        steps.append(
            names
            | {name: number(row[name]) for name in ("dx", "dy", "gamma", *PHASES)}
            | {"interval": interval(row["low"], row["high"]), "phase": row["phase"]}
            | {"settled": bool(row["p_negative"] > limit or row["p_negative"] < 1 - limit)}
        )
    return steps


def _whole(frame: pd.DataFrame, asked: Plain) -> Plain:
    """First to last as one step, with half of the 95 % intervals of both changes and z."""
    whole = coupling.whole_ladder(frame, **asked)
    (step,) = _steps(frame.iloc[[0, -1]], **asked)
    changes = {"dx_half": whole.dx, "dy_half": whole.dy}
    halves = {name: number(change.high - change.estimate) for name, change in changes.items()}
    return step | halves | {"z": number(whole.z)}


def _correlations(frame: pd.DataFrame, *, x: str, y: str, along: Axis) -> Plain:
    """r of the levels, or for a run that of its first differences with that of the levels beside it.

    Two scores of one run both drift with its training: their levels correlate whatever they have to do with each other
    (chapter 10), and a common trend drops out of the differences.
    """
    first, second = (frame[name].to_numpy(float) for name in (x, y))
    levels = correlation(first, second) | ({} if along.by_size else {"of": "levels"})
    if not along.serial:
        return {"r": levels}
    return {"r": correlation(np.diff(first), np.diff(second)) | {"of": "changes"}, "r_levels": levels}


def _dimension(frame: pd.DataFrame, x: str, y: str) -> Plain:
    """Eigenvalues and vectors of the family's own covariance; d_eff only from six sizes on."""
    names = [name for name in tables.BASE_BENCHMARKS if name in frame.columns and frame[name].notna().all()]
    names = names if {x, y} <= set(names) else [x, y]
    fit = coupling.effective_dimension(frame, benchmarks=names, resamples=2)
    real = fit.eigenvalues > 1e-9 * fit.eigenvalues.sum()
    return {
        "n": len(frame),
        "benchmarks": names,
        "estimate": number(fit.estimate.estimate),
        "least": coupling.LEAST_ROWS,
        "eigenvalues": np.where(real, fit.eigenvalues, 0.0).tolist(),
        "vectors": [v.tolist() if keep else None for v, keep in zip(fit.vectors.T, real, strict=True)],
        "most": min(len(names), len(frame) - 1),
    }


def _boundary(scales: pd.DataFrame, along: Axis) -> Plain:
    """`critical_scales` as plain data: of sizes with how often an interval like it is right, of a path in words.

    estimate: billions or the unit of the axis, None where there is no turn inside; low, high: None beyond the sizes or
    points on that side; text: a turn with its interval, "22 B tokens (18 to 27)".
    """
    answer = {}
    for row in scales.to_dict("records"):
        places = [number(row[name]) for name in ("n_c_b", "low", "high")]
        estimate, low, high = (None if v is None or (v == 0 and along.scale == "log") else v for v in places)
        turn: Plain = {"share": number(row["share"]), "inside": estimate is not None, "verdict": row["verdict"]}
        for name, v in (("estimate", estimate), ("low", low), ("high", high)):
            turn[name] = None if v is None else _value(along, v)
        if along.by_size:
            turn["promise"] = promised(row["estimator"], row["n"])
        else:
            start = f"before every {along.point}" if low is None else along.number(low)
            end = f"beyond every {along.point}" if high is None else along.number(high)
            turn["text"] = "" if estimate is None else f"{along.shown(estimate)} ({start} to {end})"
            turn["reason"] = row["reason"]
        answer[row["estimator"].replace(" ", "_")] = turn
    return answer


def _strangers(frame: pd.DataFrame, beside: pd.DataFrame, *, x: str, y: str, along: Axis) -> Plain | None:
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
        own, strangers = r.loc[r["own"], "r"].iloc[0], r.loc[~r["own"], "r"].median()
        answer[word] = {"own": number(float(own)), "others": number(float(strangers))}
    return answer


def _forecast(frame: pd.DataFrame, at: float | None, asked: Plain) -> Plain:
    """`dynamics.carried_on` as plain data: where (of a size also its ratio to the largest), and x, y, held_out by
    method."""
    along: Axis = asked["along"]
    first, last = (float(frame[along.column].iloc[end]) for end in (0, -1))
    usual = 2 * last if along.by_size else along.ahead(last, first)
    ahead = usual if at is None else float(at)
    table = dynamics.carried_on(frame, **asked, at=ahead).set_axis(["x", "y", "held_out"], axis="columns")
    methods = dict(zip(map(str, table.index), records(table), strict=True))
    if along.by_size:
        return {"at_b": ahead, "ratio": ahead / last, "methods": methods}
    return {"at": _value(along, ahead), "text": along.shown(ahead), "methods": methods}


def _power(frame: pd.DataFrame, diagnosis: Plain) -> Plain:
    """What would settle the sign of the last step, and over sizes that of r, if the values seen are the true ones.

    `questions`: how many times as many questions a benchmark (None: more than `MOST_QUESTIONS` times, or no noise is
    known); `sizes`: sizes in all for an interval of r without zero (None: more than `MOST_SIZES`); `boundary`: see
    `boundary.boundary_power`.
    """
    step, r = diagnosis["steps"][-1], diagnosis["r"]["estimate"]
    var_x, var_y = (float((score_noise(frame, diagnosis[name])[-2:] ** 2).sum()) for name in ("x", "y"))
    limit = coupling.settled_beyond(len(diagnosis["steps"]))

    def settled(times: int) -> bool:
        p = float(ratio_below(0.0, step["dy"], step["dx"], var_dy=var_y / times, var_dx=var_x / times))
        return p > limit or p < 1 - limit

    known = not math.isnan(var_x + var_y) and step["dx"] and step["dy"]
    least = bisect_left(range(1, MOST_QUESTIONS + 1), True, key=settled) + 1 if known else math.inf
    settle = {
        "questions": least if least <= MOST_QUESTIONS else None,
        "settled": step["settled"],
        "most_questions": MOST_QUESTIONS,
    }
    if diagnosis["kind"] == "path":
        return settle
    sizes = None
    if r:
        needed = 4 if abs(r) == 1 else math.ceil((Z95 / math.atanh(abs(r))) ** 2 + 3)
        sizes = max(needed, 4) if needed <= MOST_SIZES else None
    dip = boundary.boundary_power(frame, y=diagnosis["y"]) if diagnosis["kind"] == "family" else None
    return settle | {"sizes": sizes, "most_sizes": MOST_SIZES, "boundary": dip}


def _facts(frame: pd.DataFrame, diagnosis: Plain, along: Axis) -> Plain:
    """What the sentences of a diagnosis of steps say besides: labels for names, counts; of sizes the known steps and
    whether the scores seem swapped, of a path the words of its axis, its turns and its forecast."""
    steps, names, labels = diagnosis["steps"], (diagnosis["x"], diagnosis["y"]), diagnosis["labels"]
    stated = "truthfulqa_stderr" in frame.columns and bool(frame["truthfulqa_stderr"].notna().any())
    facts = {
        **{axis: labels[diagnosis[axis]] for axis in ("x", "y")},
        "counts": {phase: sum(step["phase"] == phase for step in steps) for phase in coupling.PHASES},
        "settled": sum(step["settled"] for step in steps),
        "runs_of": " and ".join(labels[name] for name in diagnosis["runs"]),
        "mc2_bound": "truthfulqa" in names and not stated,
    }
    if along.by_size:
        sizes, known = diagnosis["sizes"], known_steps()
        rows = [(size["params_b"], size["x"], size["y"]) for size in sizes]
        return facts | {
            "known": len(known),
            "known_negative": int((known["gamma"] < 0).sum()),
            "swapped": diagnosis["kind"] == "family" and perhaps_swapped(rows),
        }
    stretch = along.between(*frame[along.column].astype(float).iloc[[0, -1]])
    turns = diagnosis["boundary"]
    texts = {name: f"{row['text']} by {name.replace('_', ' ')}" for name, row in turns.items()}
    methods = {name: row["y"] for name, row in diagnosis["forecast"]["methods"].items() if row["y"] is not None}
    return facts | {
        "stretch": stretch,
        "stretch_first": stretch[0].upper() + stretch[1:],
        "path_first": along.path[0].upper() + along.path[1:],
        **{name: getattr(along, name) for name in ("path", "point", "points", "where")},
        "turns": {
            "sure": "; ".join(texts[name] for name, row in turns.items() if row["verdict"] == "boundary"),
            "inside": "; ".join(texts[name] for name, row in turns.items() if row["inside"]),
            "reason": next(iter(turns.values()))["reason"],
        },
        "methods": ", ".join(f"{shown(y, '1')} by {name}" for name, y in methods.items()),
    }


# ---- models of one size, pair by pair ----


def comparable(scores: Scores, by: str, x: str, y: str, *, name: str) -> tuple[pd.DataFrame, str]:
    """The rows of a checked table for `diagnose_pairs`, and the column by its own name.

    Raises UsageError along another axis than size, MixedError where the scores were measured in several ways.
    """
    if not scores.axis.by_size:
        raise UsageError("--pairs and --axis: pairs are of one size; say one of the two")
    column = by if by in scores.frame else known_name(by)
    if not scores.allow_mixed:
        refuse_mixed(scores.frame, (x, y), name=name, kinds=column != "instruct")
    return scores.frame, column


def diagnose_pairs(rows: pd.DataFrame, by: str, *, x: str = "hellaswag", y: str = "truthfulqa") -> Plain:
    """Models alike but for the column `by`, in pairs of one size: what changes in two scores between them.

    rows: model, params_b (billions), x, y (percent), and `by`; `instruct` and `seed` may stand in the names alone. The
    first of a pair is the base model, else the first value in the table; every other value of the size is held against
    it. Returns plain data: `pairs` (dx, dy, points, with half of their 95 % intervals, p after Holm's correction over
    the pairs, gamma with Fieller's interval), for three values or more of one size `r` over them with `spread` (SD,
    points) and the `noise` that questions alone give, and `answers`. A pair has no phase: nothing grows from one of its
    models to the other. Raises MissingError where no size has two values, ScoresError where a value stands twice.
    """
    frame = _told_apart(rows.dropna(subset=[x, y]), by)
    groups = [group for _, group in frame.groupby("params_b", sort=True)]
    for group in groups:
        if len(twice := group[group[by].duplicated(keep=False)]):
            one, other = twice["model"].astype(str).iloc[:2]
            value = twice[by].iloc[0]
            raise ScoresError(f"{one} and {other} are of one size and both {value} in {by}; keep one of the two")
    pairs = [_pair(group.iloc[[0, place]], by, x, y) for group in groups for place in range(1, len(group))]
    if not pairs:
        raise MissingError(f"no size has two values in {by}; add a model that differs in {by} alone")
    for name in ("dx_p", "dy_p"):
        raw = [np.nan if pair[name] is None else pair[name] for pair in pairs]
        for pair, p in zip(pairs, corrected(raw), strict=True):
            pair[name] = number(p)
    diagnosis: Plain = {
        "kind": "pairs",
        "by": by,
        "x": x,
        "y": y,
        "n": len(frame),
        "labels": {name: tables.label(name) for name in (x, y)},
        "phase": None,
        "pairs": pairs,
        **_over_values(max(groups, key=len), x, y),
    }
    one, many = _NOUNS.get(by, (f"value of {by}", f"values of {by}"))
    labels = {axis: diagnosis["labels"][diagnosis[axis]] for axis in ("x", "y")}

    def count(name: str) -> str:
        sure = [pair for pair in pairs if _is_sure(pair, name)]
        up = sum(pair[name] > 0 for pair in sure)
        return f"is surely higher in {up}, surely lower in {len(sure) - up}, open in {len(pairs) - len(sure)}"

    facts = {
        **labels,
        **{f"{name}_y": (diagnosis[name] or {}).get(y) for name in ("spread", "noise")},
        "one": one,
        "many": many,
        "sentence": sentence(pairs[0], **labels),
        "counts": {name: count(name) for name in ("dx", "dy")},
    }
    return answered(diagnosis, facts)


def _told_apart(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The rows with the column `by`, from the names where it is missing; base models first."""
    names = frame["model"].astype(str)
    if by == "instruct":
        stated = frame[by].astype(str).str.casefold().isin(["true", "yes", "1", "1.0"]) if by in frame else None
        tuned = names.map(model_names.instruct) if stated is None else stated
        frame = frame.assign(**{by: np.where(tuned, "instruct", "base")})
        return frame.sort_values(by, kind="stable", ignore_index=True)
    if by == "seed" and by not in frame:
        frame = frame.assign(seed=names.map(run_number))
    if by not in frame:
        raise MissingError(f"no column {by}; it has {', '.join(map(str, frame.columns))}")
    if frame[by].isna().any():
        model = frame.loc[frame[by].isna(), "model"].iloc[0]
        raise ScoresError(f"column {by}: blank for {model}; give every model one")
    return frame.assign(**{by: frame[by].astype(str)}).reset_index(drop=True)


def _pair(two: pd.DataFrame, by: str, x: str, y: str) -> Plain:
    """The second of two rows of one size against the first; a p is two-sided, None where the noise is not known."""
    whole = coupling.whole_ladder(two.assign(pair=[0.0, 1.0], family="pair"), x=x, y=y, along=_SIDE)
    pair: Plain = {"first": whole.smaller, "second": whole.larger, "from": two[by].iloc[0], "to": two[by].iloc[1]}
    pair["params_b"] = float(two["params_b"].iloc[0])
    for name, change in (("dx", whole.dx), ("dy", whole.dy)):
        half = change.high - change.estimate
        p = normal_p(Z95 * change.estimate / half) if half > 0 else np.nan
        pair |= {name: change.estimate, f"{name}_half": number(half), f"{name}_p": number(p)}
    return pair | {"gamma": number(whole.gamma.estimate), "interval": interval(whole.gamma.low, whole.gamma.high)}


def _is_sure(pair: Plain, name: str) -> bool:
    """Whether the change of a score in a pair is beyond its noise, after the correction over the pairs."""
    return pair[f"{name}_p"] is not None and pair[f"{name}_p"] < LEVEL


def _over_values(group: pd.DataFrame, x: str, y: str) -> Plain:
    """r over the values of the size that has most, their spread and the spread that questions alone give."""
    scores = {name: group[name].to_numpy(float) for name in (x, y)}
    if len(group) < 3:
        return {"r": None, "spread": None, "noise": None}
    noise = {name: number(float(np.sqrt(np.mean(score_noise(group, name) ** 2)))) for name in (x, y)}
    return {
        "r": correlation(scores[x], scores[y]),
        "spread": {name: float(values.std(ddof=1)) for name, values in scores.items()},
        "noise": noise,
    }


def open_pairs(diagnosis: Plain) -> list[str]:
    """The pairs, second model against first, in which neither score surely differs."""
    return [
        f"{pair['second']} against {pair['first']}"
        for pair in diagnosis["pairs"]
        if not any(_is_sure(pair, name) for name in ("dx", "dy"))
    ]


def sentence(pair: Plain, x: str, y: str) -> str:
    """One pair in a sentence."""

    def change(name: str, label: str) -> str:
        value = f"{label} {shown(pair[name], '+1')}"
        if pair[f"{name}_p"] is None:
            return f"{value} points, of unknown noise"
        doubt = "beyond score noise" if _is_sure(pair, name) else "within score noise"
        return f"{value} ± {shown(pair[f'{name}_half'], '1')} points, {doubt}"

    return f"{pair['second']} against {pair['first']}: {change('dy', y)}; {change('dx', x)}."
