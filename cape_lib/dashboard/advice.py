"""Advice: a table of rules held as data, each with its evidence and its strength; this module only matches them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cape_lib import tables
from cape_lib.dashboard.wording import lookup
from cape_lib.errors import ScoresError
from cape_lib.frontier.trajectory import KINDS
from cape_lib.rules import Quantity, Rule, holds, parse

_FAMILY = {
    "n_sizes": "n",
    "largest_b": "largest.params_b",
    **{name: f"last.{name}" for name in ("gamma", "p_tax", "p_bonus", "p_negative", "settled", "dx")},
    "questions": "power.questions",
    "vertex_inside": "boundary.vertex.inside",
    "runs": "n_runs",
}
#: what is diagnosed -> the facts that a condition may speak of, each with its path in the diagnosis; a yes is 1, a no 0
FACTS: dict[str, dict[str, str]] = {
    "model": {
        "params_b": "params_b",
        **{name: f"lead.{name}" for name in ("residual", "z", "outside")},
        "hellaswag_z": "trend.hellaswag.z",
        "above_curve": "curve.above",
    },
    "family": _FAMILY,
    "pair": _FAMILY,
    "today": {
        "gpqa": "last.gpqa_diamond",
        "admits_below": "beside.admits.below",
        "wrong_below": "beside.wrong.below",
        "d_admits": "change.omniscience_non_hallucination",
        "d_wrong": "change.wrong",
    },
    "release": {
        "h": "last.h",
        "h_size": "h_size",
        "outside": "last.outside",
        "noise": "noise95",
        "sigma": "saturation.0.sigma",
        "ifeval_below": "ifeval_below",
        **{f"is_{kind}": f"is.{kind}" for kind in KINDS},
    },
}
SHOWN = ("rule", "topic", "advice", "evidence", "strength", "link")


@lru_cache(maxsize=1)
def rules() -> list[tuple[dict[str, str], Rule | None]]:
    """The rows of `data/advice.csv` in their order, each with its condition (None: always), in the language of
    `cape_lib.rules`.

    Raises ScoresError (file, row, reason) for a condition that cannot be read or speaks of a fact that is not known.
    """
    answer = []
    for number, row in enumerate(tables.load("advice").fillna("").to_dict("records"), start=2):
        place, condition = f"{tables.data_dir() / 'advice.csv'}: row {number}", str(row["condition"])
        rule = parse(condition, where=place, names=FACTS[row["kind"]]) if condition else None
        if rule and rule.joint == "or":
            raise ScoresError(f"{place}, column condition: {condition!r} is joined by 'or'; write a row for each")
        answer.append(({str(name): str(value) for name, value in row.items()}, rule))
    return answer


def plain_rules() -> list[dict[str, Any]]:
    """The rules as plain data for the browser: what is shown, kind, and terms [[name, sign, number], ...]."""
    return [
        {name: row[name] for name in (*SHOWN, "kind")}
        | {"terms": [[c.quantity.name, c.sign, c.threshold] for c in rule.comparisons] if rule else []}
        for row, rule in rules()
    ]


def advise(kind: str, facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rules of one kind whose condition holds; a fact that is None fails its comparison.

    facts: the diagnosis with what is derived from it, as `FACTS` has its paths. Returns rule, topic, advice, evidence,
    strength, link.
    """
    known = {name: lookup(facts, path) for name, path in FACTS.get(kind, {}).items()}
    values = {Quantity(name): float("nan") if value is None else float(value) for name, value in known.items()}
    return [
        {name: row[name] for name in SHOWN}
        for row, rule in rules()
        if row["kind"] == kind and (rule is None or bool(holds(rule, values)))
    ]
