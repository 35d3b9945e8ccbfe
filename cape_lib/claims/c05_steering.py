"""Chapter 05: what was counted when a truth direction was added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from itertools import product
from math import comb, prod
from typing import Any

import pandas as pd

from cape_lib import tables
from cape_lib.claims.registry import claim, stress, test
from cape_lib.claims.verdict import Result, Stress
from cape_lib.stats import wilson

#: The run with totals only, on which the published rates rest.
TOTALS = "self_align_across_nc1"
LADDER = ("Pythia-410M", "Pythia-1B", "Pythia-2.8B")


def totals() -> pd.DataFrame:
    return tables.load("steering_totals")


def changed(row: Mapping[Hashable, Any], note: str = "") -> Result:
    """Percent of prompts whose text changed, with Wilson's interval."""
    share = wilson(int(row["n_changed"]), int(row["n_total"]))
    return Result(100 * share.estimate, 100 * share.low, 100 * share.high, share.n, note)


def of(model: str, run: str = TOTALS) -> dict[Hashable, Any]:
    rows = totals()
    return rows[(rows["run"] == run) & (rows["model"] == model)].to_dict("records")[0]


@claim("C17", reads=("steering_records", "steering_totals"))
def corrected(panel: str) -> Result:
    """Prompts of Pythia-410M whose text changed, of all prompts, in percent."""
    records = tables.load("steering_records")
    known = int(records["corrected"].notna().sum())
    note = f"{known} of {len(records)} recorded prompts say whether the answer became right; changed text is counted"
    return changed(of("Pythia-410M"), note)


@claim("C18", reads=("steering_totals",))
def modified(panel: str) -> dict[str, Result]:
    """Prompts whose text changed, in percent: Pythia-410M, 1B and 2.8B, ten prompts each."""
    return {model.removeprefix("Pythia-"): changed(of(model)) for model in LADDER}


@stress("C17", "C18")
def other_runs(panel: str) -> list[Stress]:
    rows = totals()
    tried = []
    for row in rows[rows["run"] != TOTALS].to_dict("records"):
        found = changed(row)
        says = "prompts recorded one by one" if row["has_records"] else "totals only"
        name = f"{row['model']}, run {row['run']}: percent changed"
        tried.append(Stress(name, found.value, says, found.low, found.high, found.n))
    return tried


@test("no trend", "C18", kind="null")
def no_trend(panel: str) -> Stress:
    ladder = [of(model) for model in LADDER]
    hits, prompts = ([int(row[name]) for row in ladder] for name in ("n_changed", "n_total"))
    p = trend_p(hits, prompts)
    says = f"{sum(prompts)} prompts without a trend fall as steeply with a chance of {100 * p:.1f} % (exact, one-sided)"
    return Stress.of("exact one-sided p of the trend", p, says, n=sum(prompts), lost=p > 0.05)


def trend_p(hits: list[int], totals_: list[int]) -> float:
    """Exact one-sided p (0-1) of a falling trend: permutation of the hits over the prompts, scores 0, 1, 2.

    hits, totals_: changed and all prompts of each group, in the order of size.
    """
    ways = trend_ways(sum(hits), totals_)
    return float(ways.loc[ways["trend"] <= trend_of(hits), "share"].sum())


def trend_of(hits: list[int]) -> int:
    """Sum of group number (from 0) times hits: the smaller, the more hits in the first groups."""
    return sum(k * hit for k, hit in enumerate(hits))


def trend_ways(hits: int, totals_: list[int]) -> pd.DataFrame:
    """Every possible trend of so many hits spread over the groups: trend, share (0-1, if the group plays no role)."""
    ways: Counter[int] = Counter()
    for draw in product(*(range(n + 1) for n in totals_)):
        if sum(draw) == hits:
            ways[trend_of(list(draw))] += prod(comb(n, hit) for n, hit in zip(totals_, draw, strict=True))
    return pd.DataFrame(
        [(trend, count / comb(sum(totals_), hits)) for trend, count in sorted(ways.items())], columns=["trend", "share"]
    )
