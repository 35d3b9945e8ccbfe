"""One model: what a single size can say, which is not a phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cape_lib.dashboard.advice import advise
from cape_lib.dashboard.kit import Kit, base_rows, kit
from cape_lib.dashboard.wording import fixed, interval, shown, write
from cape_lib.stats import score_sd, wilson

#: a known step is "near this size" where its middle is within this factor
NEAR = 3.0
#: gamma for which the suggested second size would tell the sign
TYPICAL_GAMMA = 0.3
NEIGHBOURS = 5
#: mean squared distance from the trends, in standard deviations, beyond which scores may be swapped
FAR = 9.0


def diagnose_model(model: Mapping[str, Any], *, given: Kit | None = None) -> dict[str, Any]:
    """What two scores of one model say beside the known models.

    model: params_b (billions), hellaswag, truthfulqa (percent), optionally model (name), arc_challenge, winogrande,
        mmlu (percent), metric ("mc2", "mc1"), hellaswag_shots, truthfulqa_shots; already checked (`inputs`).
    Returns plain data: `trend` (residual of each score from the web-trained models of that size, points, with the 95 %
    prediction interval), `curve` (the papers' curve in both readings), `nearest` (known models, with sources), `steps`
    (known steps near that size), `second` (how far away a second size must score), `answers`, `advice`, `notes`.
    Phase is never made from one model: `phase` is None.
    """
    used = given or kit()
    comparable = model.get("metric", "mc2") != "mc1"
    size, x, y = float(model["params_b"]), float(model["hellaswag"]), float(model["truthfulqa"])
    trends = {
        name: residual(used["trends"][name], size, score) for name, score in (("hellaswag", x), ("truthfulqa", y))
    }
    curve = _curve(used, x, y)
    near = known_steps(used, size)
    nearest = neighbours(used, model) if comparable else []
    gap = 1.96 * math.sqrt(2) * float(score_sd(y, "truthfulqa"))
    second = {"dy": gap, "dx": gap / TYPICAL_GAMMA, "dx_least": 1.96 * math.sqrt(2) * float(score_sd(x, "hellaswag"))}
    noise = 1.96 * float(score_sd(y, "truthfulqa"))
    lead = trends["truthfulqa"]
    facts: dict[str, Any] = {
        "name": model.get("model") or "This model", "params_b": size, "x": x, "y": y,
        "residual": lead["residual"], "residual_size": abs(lead["residual"]), "expected": lead["expected"],
        "interval": lead["interval"],
        "side": "above" if lead["residual"] >= 0 else "below", "n": lead["n"], "noise": noise,
        "critical": curve["critical"], "curve_side": "above" if curve["above"] else "below",
        "stated": curve["stated"], "reversed": curve["reversed"],
        "stated_right": curve["record"]["stated"], "reversed_right": curve["record"]["reversed"],
        "always_right": curve["record"]["always"], "record_n": curve["record"]["n"],
        "near_n": near["n"], "near_tax": near["tax"], "near_share": near["share"], "near_interval": near["interval"],
        "nearest": _names(nearest), "gap_x": second["dx"], "gap_y": second["dy"], "typical": TYPICAL_GAMMA,
        "low_b": lead["low_b"], "high_b": lead["high_b"],
    }  # fmt: skip
    answers = _answers(facts, lead, near, comparable=comparable)
    rules = advise("model", _rule_facts(size, trends, curve)) if comparable else []
    return {
        "kind": "model", "phase": None, "name": facts["name"], "params_b": size, "hellaswag": x, "truthfulqa": y,
        "comparable": comparable, "trend": trends, "noise": noise, "curve": curve, "steps": near, "nearest": nearest,
        "second": second, "answers": answers, "advice": rules, "notes": _notes(model, facts, lead, used),
    }  # fmt: skip


def residual(trend: Mapping[str, Any], size: float, score: float) -> dict[str, Any]:
    """Score less the trend at this size (points), with where one more web-trained model would lie around it.

    `interval`: residual plus and minus the exact 95 % prediction half-width: where it holds zero, the model is as one
    expects; `outside`; `within_range`: the size lies among those of the trend.
    """
    u = math.log10(size) - trend["mean_log"]
    at = np.array([1.0, u, u * u])
    expected = float(at @ np.array(trend["coefficients"]))
    half = trend["t95"] * trend["residual_sd"] * math.sqrt(1 + float(at @ np.array(trend["inverse"]) @ at))
    off = score - expected
    return {
        "expected": expected, "residual": off, "half": half, "interval": interval(off - half, off + half),
        "outside": abs(off) > half, "z": off / (half / trend["t95"]), "n": trend["n"],
        "within_range": trend["low_b"] <= size <= trend["high_b"], "low_b": trend["low_b"], "high_b": trend["high_b"],
    }  # fmt: skip


def perhaps_swapped(used: Kit, rows: Sequence[tuple[float, float, float]]) -> bool:
    """Whether (size, HellaSwag, TruthfulQA) rows lie far from the web trends as given and near them when exchanged."""

    def distance(place: tuple[int, int]) -> float:
        found = [
            residual(used["trends"][name], row[0], row[i])["z"] ** 2
            for row in rows
            for name, i in zip(("hellaswag", "truthfulqa"), place, strict=True)
        ]
        return float(sum(found) / len(found))

    given = distance((1, 2))
    return given > FAR and distance((2, 1)) < given / 4


def known_steps(used: Kit, size: float) -> dict[str, Any]:
    """Known steps between sizes near this one: n, how many are a tax, the share with Wilson's interval (0-1)."""
    near = [s for s in used["steps"] if 1 / NEAR <= math.sqrt(s["low_b"] * s["high_b"]) / size <= NEAR]
    tax = sum(s["phase"] == "tax" for s in near)
    share = wilson(tax, len(near))
    found = interval(share.low, share.high)
    return {"n": len(near), "tax": tax, "share": tax / len(near) if near else None, "interval": found}


def _curve(used: Kit, x: float, y: float) -> dict[str, Any]:
    """The papers' curve at this HellaSwag score, what its two readings say, and how often each is right."""
    ratio = used["ratio"]
    critical = 100.0 * math.sqrt(ratio * x / 100.0)
    above = y > critical
    return {
        "ratio": ratio, "critical": critical, "margin": y - critical, "above": above,
        "stated": "together" if above else "against each other",
        "reversed": "against each other" if above else "together", "record": used["readings"],
    }  # fmt: skip


def neighbours(used: Kit, model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The known models nearest in log10 size, HellaSwag and TruthfulQA (each divided by its spread), nearest first."""
    rows = base_rows(used)
    spread = {name: _spread([row[name] for row in rows]) for name in ("hellaswag", "truthfulqa")}
    log_spread = _spread([math.log10(row["params_b"]) for row in rows])
    answer = []
    for row in rows:
        parts = [math.log10(row["params_b"] / model["params_b"]) / log_spread]
        parts += [(row[name] - model[name]) / spread[name] for name in spread]
        distance = math.sqrt(sum(part * part for part in parts))
        shown_columns = ("model", "family", "params_b", "hellaswag", "truthfulqa", "source")
        answer.append({name: row[name] for name in shown_columns} | {"distance": distance})
    return sorted(answer, key=lambda row: (row["distance"], row["model"]))[:NEIGHBOURS]


def _spread(values: list[float]) -> float:
    middle = sum(values) / len(values)
    return math.sqrt(sum((v - middle) ** 2 for v in values) / len(values))


def _names(rows: list[dict[str, Any]]) -> str:
    three = [f"{r['model']} ({fixed(r['hellaswag'], 1)} / {fixed(r['truthfulqa'], 1)})" for r in rows[:3]]
    return ", ".join(three)


def _answers(
    facts: Mapping[str, Any], lead: Mapping[str, Any], near: Mapping[str, Any], *, comparable: bool
) -> dict[str, str]:
    if not comparable:
        return {
            "headline": write("model_headline_mc1", facts),
            "phase": write("model_phase_plain", facts),
            "sure": write("model_sure_mc1", facts),
            "compared": write("model_compared_mc1", facts),
            "move": write("model_move_unknown", facts),
            "measure": write("model_measure", facts),
        }
    move = "model_move_below" if lead["outside"] and lead["residual"] < 0 else "model_move"
    move = "model_move_above" if lead["outside"] and lead["residual"] > 0 else move
    return {
        "headline": write("model_headline_outside" if lead["outside"] else "model_headline", facts),
        "phase": write("model_phase", facts),
        "sure": write("model_sure_outside" if lead["outside"] else "model_sure", facts),
        "compared": write("model_compared" if near["n"] else "model_compared_no_steps", facts),
        "move": write(move, facts),
        "measure": write("model_measure", facts),
    }


def _notes(model: Mapping[str, Any], facts: Mapping[str, Any], lead: Mapping[str, Any], used: Kit) -> list[str]:
    notes = []
    if perhaps_swapped(used, [(facts["params_b"], facts["x"], facts["y"])]):
        notes.append(write("note_swapped_family", facts))
    if not lead["within_range"]:
        notes.append(write("note_outside_sizes", facts))
    for name, usual in (("hellaswag", 10), ("truthfulqa", 0)):
        shots = model.get(f"{name}_shots")
        if shots is not None and shots != usual:
            label = {"hellaswag": "HellaSwag", "truthfulqa": "TruthfulQA"}[name]
            notes.append(write("note_shots", {"label": label, "shots": shown(int(shots)), "usual": usual}))
    return notes


def _rule_facts(size: float, trends: Mapping[str, Any], curve: Mapping[str, Any]) -> dict[str, float | None]:
    lead = trends["truthfulqa"]
    return {
        "params_b": size, "residual": lead["residual"], "z": lead["z"], "outside": float(lead["outside"]),
        "hellaswag_z": trends["hellaswag"]["z"], "above_curve": float(curve["above"]),
    }  # fmt: skip
