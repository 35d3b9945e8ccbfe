"""What the data say about one prediction today: the rows that count, the numbers of its rules, repeats of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import tables
from cape_lib.frontier import (
    TRUE_SPREAD,
    complete_rows,
    lab_r,
    line,
    spread,
    spread_draws,
    top_rows,
)
from cape_lib.predictions.cards import Prediction
from cape_lib.rules import Quantity
from cape_lib.stats import (
    LEAST_CLUSTERS,
    Estimate,
    cluster_bootstrap_counts,
    generator,
    labels_to_codes,
    noisy_scores,
    pearson_rows,
    percentile_interval,
    row_bootstrap_counts,
    score_sd,
)

Floats = NDArray[np.float64]
REMEASURED = "every score measured again with other questions"
RESAMPLED = "models resampled"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers for one prediction: `value` is the one the rules turn on, `values` and `draws` hold every quantity.

    `rows` are the models that count, `pending` names later releases of the lab (or better models) that lack a score,
    `bounds` says for those with one score what the other would decide. `draws` are repeats of each quantity, (draws,),
    for h (draws, releases); `repeats` says of what.
    """

    value: Estimate
    values: dict[Quantity, float | Floats]
    draws: dict[Quantity, Floats]
    rows: pd.DataFrame
    pending: tuple[str, ...] = ()
    missing: str = ""
    bounds: tuple[str, ...] = ()
    repeats: str = REMEASURED


def gather(card: Prediction, frame: pd.DataFrame, *, resamples: int = 2000) -> Evidence:
    """The evidence that a panel holds for one prediction.

    frame: `tables.frontier(...)` of the day in question, a release without any score included if it is to be named.
    `missing` says in words what is not there.
    """
    kinds = {quantity.name for quantity in (*card.pass_rule.quantities, *card.fail_rule.quantities)}
    if "h" in kinds:
        return _releases(card, frame, resamples)
    return _spreads(card, frame) if "spread" in kinds else _correlation(card, frame, resamples)


def _correlation(card: Prediction, frame: pd.DataFrame, resamples: int) -> Evidence:
    first, second = card.benchmarks
    rows = complete_rows(frame, first, second)
    x, y = rows[first].to_numpy(float), rows[second].to_numpy(float)
    r = lab_r(rows, first, second)
    by_lab = labels_to_codes(rows["lab"])[1] >= LEAST_CLUSTERS
    quantity, count = Quantity("r", (first, second)), Quantity("n")
    draws = np.full(resamples, np.nan)
    if len(rows) > 2:
        rng = generator(0)
        counts = (
            cluster_bootstrap_counts(rows["lab"].to_numpy(), resamples, rng)
            if by_lab
            else row_bootstrap_counts(len(rows), resamples, rng)
        )
        draws = pearson_rows(x, y, counts)
    missing = "" if len(rows) > 2 and np.isfinite(r.estimate) else _lack(card, len(rows))
    n = float(len(rows))
    values: dict[Quantity, float | Floats] = {quantity: r.estimate, count: n}
    drawn = {quantity: draws, count: np.full(resamples, n)}
    return Evidence(r, values, drawn, rows, (), missing, repeats="labs resampled" if by_lab else RESAMPLED)


def _spreads(card: Prediction, frame: pd.DataFrame) -> Evidence:
    assert card.top_k is not None and card.axis is not None
    k, axis, axes = card.top_k, card.axis, card.benchmarks
    rows = complete_rows(frame, *dict.fromkeys((axis, *axes)))
    if len(rows) < k:
        blank = Estimate(float("nan"), float("nan"), float("nan"), len(rows), TRUE_SPREAD)
        return Evidence(blank, {}, {}, rows, (), _lack(card, len(rows)))
    top = top_rows(rows, axis, also=axes, k=k)
    drawn = spread_draws(rows, axis, axes, k=k)
    values: dict[Quantity, float | Floats] = {Quantity("spread", (a,)): spread(top[a]) for a in axes}
    draws = {Quantity("spread", (a,)): drawn[a].both for a in axes}
    values[Quantity("n")], draws[Quantity("n")] = float(k), np.full(len(drawn[axes[0]].both), float(k))
    low, high = drawn[axes[0]].interval(spread(top[axes[0]]))
    ranked = complete_rows(frame, axis)
    better = ranked[(ranked[axis] > top[axis].min()) & ~ranked["model"].isin(rows["model"])]
    value = Estimate(spread(top[axes[0]]), low, high, k, TRUE_SPREAD)
    return Evidence(value, values, draws, top, tuple(better["model"]), repeats=TRUE_SPREAD)


def _releases(card: Prediction, frame: pd.DataFrame, resamples: int) -> Evidence:
    assert card.lab is not None and card.after is not None and card.top_k is not None
    x, y = card.benchmarks
    after = pd.Period(card.after).end_time
    later = frame[(frame["lab"] == card.lab) & (frame["released"] > after)].sort_values(["released", "model"])
    rows = complete_rows(later, x, y).head(card.top_k)
    # A release of an earlier day that lacks a score may yet take the place of one that counts.
    last = rows["released"].max() if len(rows) == card.top_k else pd.Timestamp.max
    pending = tuple(later[~later["model"].isin(rows["model"]) & (later["released"] <= last)]["model"])
    h = Quantity("h")
    bounds = tuple(_bound(card, row) for row in later[later["model"].isin(pending)].to_dict("records"))
    bounds = tuple(bound for bound in bounds if bound)
    if rows.empty:
        blank = Estimate(float("nan"), float("nan"), float("nan"), 0, REMEASURED)
        return Evidence(blank, {}, {}, rows, pending, _no_release(card, frame, later, pending), bounds=bounds)
    swe, gpqa = rows[x].to_numpy(float), rows[y].to_numpy(float)
    frozen = line("frozen")
    values = frozen.h(swe, gpqa)
    noise = np.hypot(score_sd(gpqa, y), frozen.slope * score_sd(swe, x))
    draws = noisy_scores(values, noise, resamples, generator(0))
    # The release that the pass rule hangs on: the largest h where all must be below, the smallest where all above.
    below = card.pass_rule.comparisons[0].sign.startswith("<")
    at = int(values.argmax() if below else values.argmin())
    low, high = percentile_interval(draws[:, at])
    missing = "" if len(rows) == card.top_k else f"{len(rows)} of {card.top_k} releases have both scores"
    value = Estimate(float(values[at]), low, high, len(rows), REMEASURED)
    return Evidence(value, {h: values}, {h: draws}, rows, pending, missing, bounds)


def _bound(card: Prediction, row: dict[Hashable, Any]) -> str:
    """What the score that is missing of a release would have to be for either rule, on the frozen line."""
    x, y = card.benchmarks
    known = [name for name in (x, y) if pd.notna(row[name])]
    if len(known) != 1:
        return ""
    frozen, parts = line("frozen"), []
    for word, rule in (("passes", card.pass_rule), ("fails", card.fail_rule)):
        limit = rule.comparisons[0]
        above = limit.sign.startswith(">")
        if known[0] == y:
            need, name = (row[y] - limit.threshold - frozen.intercept) / frozen.slope, x
            above = not above
        else:
            need, name = float(frozen.at(row[x])) + limit.threshold, y
        never = need >= 100 if above else need <= 0
        side = "above" if above else "below"
        parts.append(f"{word} only with {tables.label(name)} {side} {need:.1f}" if not never else f"never {word}")
    return f"{row['model']} ({tables.label(known[0])} {row[known[0]]:.1f}) {', '.join(parts)}"


def _lack(card: Prediction, n: int) -> str:
    names = " and ".join(tables.label(benchmark) for benchmark in card.benchmarks)
    return f"{n} model{'' if n == 1 else 's'} {'has' if n == 1 else 'have'} {names}; needed: {card.needed}"


def _no_release(card: Prediction, frame: pd.DataFrame, later: pd.DataFrame, pending: tuple[str, ...]) -> str:
    names = " and ".join(tables.label(benchmark) for benchmark in card.benchmarks)
    if later.empty:
        return f"no release of {card.lab} after {card.after} is known"
    shown = ", ".join(pending[:4]) + (" ..." if len(pending) > 4 else "")
    none = f"no release of {card.lab} after {card.after} has both {names} (a score is missing of {shown})"
    return none + "".join(_last(card, frame, name) for name in card.benchmarks if later[name].isna().all())


def _last(card: Prediction, frame: pd.DataFrame, benchmark: str) -> str:
    """Since which release of the lab nobody states a score: a maker that stops to report it leaves nothing to score."""
    known = frame[(frame["lab"] == card.lab) & frame[benchmark].notna()].sort_values("released")
    if known.empty:
        return f"; no {tables.label(benchmark)} of {card.lab} is known"
    row = known.iloc[-1]
    return f"; the last {tables.label(benchmark)} of {card.lab} is that of {row['model']} ({row['release_date']})"
