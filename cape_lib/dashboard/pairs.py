"""Models of one size that differ in one thing - corpus, seed, tuning: compared pair by pair, each with its sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.dashboard.wording import Plain, answered, correlation, interval, number, shown
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.stats import Z95, corrected, normal_p, score_noise
from cape_lib.tables import Scores, model_names
from cape_lib.tables.axes import Axis
from cape_lib.tables.columns import known_name
from cape_lib.tables.one_family import run_number
from cape_lib.tables.scores import refuse_mixed

#: two models side by side: there is no order between them, and so no size and no step
_SIDE = Axis("pair", "pair", "pair", scale="linear")
#: a change counts as sure below this p, after Holm's correction over the pairs
LEVEL = 0.05
#: what the values of a column are called
_NOUNS = {"seed": ("seed", "seeds"), "recipe": ("corpus", "corpora"), "instruct": ("tuning", "tunings")}


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
