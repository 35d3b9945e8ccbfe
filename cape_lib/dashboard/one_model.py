"""One model: what a single size can say, which is not a phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.base.boundary import RATIO, isocline
from cape_lib.base.coupling import NEAR, TOKEN_EDGE, base_rate
from cape_lib.base.levers import WebTrend
from cape_lib.dashboard.kit import kit, known_models, known_steps, trends
from cape_lib.dashboard.wording import Plain, answered, interval, number, records
from cape_lib.stats import score_sd

#: gamma for which the suggested second size would tell the sign
TYPICAL_GAMMA = 0.3
NEIGHBOURS = 5
#: mean squared distance from the trends, in standard deviations, beyond which scores may be swapped
FAR = 9.0
PAIR = ("hellaswag", "truthfulqa")


def diagnose_model(model: Mapping[str, Any]) -> Plain:
    """What two scores of one model say beside the known models.

    model: params_b (billions), hellaswag, truthfulqa (percent), optionally model (name), arc_challenge, winogrande,
        mmlu (percent), metric ("mc2", "mc1"), hellaswag_shots, truthfulqa_shots; already checked.
    Returns plain data: `trend` (residual of each score from the web-trained models of that size, points, with the 95 %
    prediction interval), `curve` (the papers' curve in both readings), `nearest` (known models, with sources), `steps`
    (known steps near that size), `second` (how far away a second size must score), `answers`, `advice`, `notes`.
    Phase is never made from one model: `phase` is None.
    """
    comparable = model.get("metric", "mc2") != "mc1"
    size, (x, y) = float(model["params_b"]), (float(model[name]) for name in PAIR)
    trend = {name: residual(trends()[name], size, score) for name, score in zip(PAIR, (x, y), strict=True)}
    lead, curve, near = trend["truthfulqa"], _curve(x, y), base_rates(size)
    nearest = neighbours(size, x, y) if comparable else []
    noise_x, noise_y = (1.96 * float(score_sd(score, name)) for name, score in zip(PAIR, (x, y), strict=True))
    gap = math.sqrt(2) * noise_y
    second = {"dy": gap, "dx": gap / TYPICAL_GAMMA, "dx_least": math.sqrt(2) * noise_x}
    diagnosis: Plain = {
        "kind": "model",
        "phase": None,
        "name": model.get("model") or "This model",
        "params_b": size,
        "hellaswag": x,
        "truthfulqa": y,
        "comparable": comparable,
        "trend": trend,
        "noise": noise_y,
        "curve": curve,
        "steps": near,
        "nearest": nearest,
        "second": second,
    }
    shots = {name: model.get(f"{name}_shots") for name in PAIR}
    facts = diagnosis | {
        "lead": lead,
        "residual_size": abs(lead["residual"]),
        "token_edge": TOKEN_EDGE,
        "typical": TYPICAL_GAMMA,
        "shots": {name: None if value is None else int(value) for name, value in shots.items()},
        "swapped": perhaps_swapped([(size, x, y)]),
    }
    whole = answered(diagnosis, facts)
    return whole if comparable else whole | {"advice": []}


def residual(trend: WebTrend, size: float, score: float) -> Plain:
    """Score less the trend at this size (points), with where one more web-trained model would lie around it.

    `interval`: residual plus and minus the exact 95 % prediction half-width: where it holds zero, the model is as one
    expects; `outside`; `within_range`: the size lies among those of the trend.
    """
    expected, half = float(trend.expected(size)), float(trend.half_width(size))
    off = score - expected
    return {
        "expected": expected,
        "residual": off,
        "half": half,
        "interval": interval(off - half, off + half),
        "outside": abs(off) > half,
        "z": off / (half / trend.t95),
        "n": trend.n,
        "within_range": trend.low_b <= size <= trend.high_b,
        "low_b": trend.low_b,
        "high_b": trend.high_b,
    }


def perhaps_swapped(rows: Sequence[tuple[float, float, float]]) -> bool:
    """Whether (size, HellaSwag, TruthfulQA) rows lie far from the web trends as given and near them when exchanged."""

    def distance(place: tuple[int, int]) -> float:
        z = [residual(trends()[name], row[0], row[i])["z"] for row in rows for name, i in zip(PAIR, place, strict=True)]
        return float(np.mean(np.square(z)))

    usual = distance((1, 2))
    return usual > FAR and distance((2, 1)) < usual / 4


def base_rates(size: float) -> Plain:
    """`coupling.base_rate` of a tax near this size as plain data: n, tax, negative (gamma below 0), the share of a tax
    (0-1) and its interval; `low_b` to `high_b` (billions) is near.

    `few_n`, `few_tax`, `few_negative`, `many_...`: the same among families trained on fewer tokens than
    `coupling.TOKEN_EDGE` and on more, where that is known.
    """
    steps = known_steps()
    sides = {"": steps, "few_": steps[steps["tokens_b"] < TOKEN_EDGE], "many_": steps[steps["tokens_b"] >= TOKEN_EDGE]}
    rates = {side: base_rate(part, size) for side, part in sides.items()}
    share = rates[""].share
    near = {"low_b": size / NEAR, "high_b": size * NEAR, "share": number(share.estimate)}
    return near | {
        "interval": interval(share.low, share.high),
        **{f"{side}n": rate.steps for side, rate in rates.items()},
        **{f"{side}{name}": getattr(rate, name) for side, rate in rates.items() for name in ("tax", "negative")},
    }


def _curve(x: float, y: float) -> Plain:
    """The papers' curve at this HellaSwag score, what its two readings say, and how often each is right."""
    critical = float(isocline(x))
    above = y > critical
    sides = ("together", "against each other")
    stated, reverse = sides if above else sides[::-1]
    return {
        "ratio": RATIO,
        "critical": critical,
        "margin": y - critical,
        "above": above,
        "stated": stated,
        "reversed": reverse,
        "record": kit()["readings"],
    }


@lru_cache(maxsize=1)
def _places() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The known models, their places (log10 size and both scores) and the spread of each."""
    rows = known_models()
    places = np.column_stack([np.log10(rows["params_b"]), *(rows[name] for name in PAIR)])
    return rows, places, places.std(axis=0)


def neighbours(size: float, x: float, y: float) -> list[Plain]:
    """The known models nearest in log10 size, HellaSwag and TruthfulQA (each divided by its spread), nearest first."""
    rows, places, spread = _places()
    distance = np.sqrt((((places - [math.log10(size), x, y]) / spread) ** 2).sum(axis=1))
    near = rows.assign(distance=distance).sort_values(["distance", "model"]).head(NEIGHBOURS)
    columns = ["model", "family", "params_b", *PAIR, "source", "distance"]
    named = [{"name": source, "url": tables.source_url(source)} for source in near["source"]]
    return [row | {"source": source} for row, source in zip(records(near[columns]), named, strict=True)]
