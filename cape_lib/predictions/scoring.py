"""The status of each prediction, by rule, on the day and the panel asked for, and the rows and numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
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
    variants,
)
from cape_lib.predictions.cards import Prediction, check_date, newest_date, predictions
from cape_lib.rules import Quantity, Rule, holds
from cape_lib.signs import written
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
    seen_effect,
)
from cape_lib.tables.frontier import middle

PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
LEANS_PASS, LEANS_FAIL, OPEN = "open leaning pass", "open leaning fail", "open"
CANNOT = "cannot be scored yet"
STATUSES = (PASSED, FAILED, UNDECIDED, LEANS_PASS, LEANS_FAIL, OPEN, CANNOT)

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
    gone = "" if holds(card.pass_rule, {h: values}) else "; the prediction itself can no longer pass"
    bounds = tuple(f"{bound}{gone}" for bound in bounds)
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
    who = ", measured by others" if row.get(f"{benchmark}_claimed_by") == "independent" else ""
    return f"; the last {tables.label(benchmark)} of {card.lab} is that of {row['model']} ({row['release_date']}{who})"


@dataclass(frozen=True, slots=True)
class Scored:
    """A prediction on one day: `status` by rule, the `value` its rules turn on with interval, and why.

    `pass_share`, `fail_share` (0-1, NaN where not scored): share of repeats in which each rule holds today; no
    forecast, for releases to come are not in it. `read_via` says how many of the values used were read in a third
    party's transcription, `since` how many of the rows are of the month in which the prediction was made, or later:
    only those can test a forecast. `bounds`: what the missing score of a release with one score would have to be;
    `between`: neither rule holds today.
    """

    card: Prediction
    status: str
    value: float
    low: float
    high: float
    n: int
    reason: str
    sources: tuple[str, ...]
    pass_share: float
    fail_share: float
    share_of: str
    pending: tuple[str, ...]
    bounds: tuple[str, ...]
    read_via: int
    since: int
    between: bool
    made: bool
    as_of: str
    panel: str


def score(
    card: Prediction, frame: pd.DataFrame, *, as_of: str, known_until: str, panel: str = "", resamples: int = 2000
) -> Scored:
    """One prediction against one panel.

    frame: the rows known on the day; as_of: that day (ISO); known_until: newest day of the data: a window is closed
    only when both have reached its end, for a day without data settles nothing.
    """
    evidence = gather(card, frame, resamples=resamples)
    rows = evidence.rows
    passes, fails = _share(card.pass_rule, evidence), _share(card.fail_rule, evidence)
    status, why = _status(card, evidence, (passes, fails), day=min(as_of, known_until))
    due = pd.Timestamp(as_of) >= card.made_from
    when = f"{'on' if len(card.made_on) == 10 else 'in'} {card.made_on}"
    reason = why if due else f"not yet made on {as_of} (made {when}); on the data of that day: {why}"
    if as_of > known_until and status not in (PASSED, FAILED, UNDECIDED):
        reason += f"; the data end on {known_until}"
    return Scored(
        card=card,
        status=status,
        value=evidence.value.estimate,
        low=evidence.value.low,
        high=evidence.value.high,
        n=evidence.value.n,
        reason=reason,
        sources=tuple(dict.fromkeys(one for cell in _cells(rows, card, "source") for one in cell.split(";") if one)),
        pass_share=passes,
        fail_share=fails,
        share_of=evidence.repeats,
        pending=evidence.pending,
        bounds=evidence.bounds,
        read_via=len(_cells(rows, card, "read_via")),
        since=int((rows["released"] >= card.made_from).sum()),
        between=not (_true(card.pass_rule, evidence) or _true(card.fail_rule, evidence)),
        made=due,
        as_of=as_of,
        panel=panel,
    )


def score_all(
    *,
    as_of: str | None = None,
    claimed_by: str | None = None,
    panel: str = "current",
    cards: Sequence[Prediction] | None = None,
) -> list[Scored]:
    """Predictions on one day, in their order: the papers' seven, or `cards` (such as `own_predictions()`).

    as_of: ISO date, None for the newest day of the data (the clock is never read); claimed_by: "lab", "independent" or
    None for either; panel: a frontier panel.  Raises UsageError on an unknown panel or date, with the nearest.
    """
    known_until, day = newest_date(), check_date(as_of)
    cards = predictions() if cards is None else cards
    # What comes out after the window is closed does not count.
    ends = {card.id: min(day, card.resolves_by or day) for card in cards}
    frames = {until: frame_of(panel, until, claimed_by) for until in set(ends.values())}
    return [
        score(
            card, counting(card, frames[ends[card.id]], ends[card.id]), as_of=day, known_until=known_until, panel=panel
        )
        for card in cards
    ]


def frame_of(panel: str, until: str, claimed_by: str | None = None) -> pd.DataFrame:
    """The panel on a day (ISO), with the releases that have none of its scores yet: they too are a lab's next ones."""
    frame = tables.frontier(panel, as_of=until, claimed_by=claimed_by)
    if panel != "current":
        return frame
    every = tables.load("frontier_scores").drop_duplicates("model")[["model", "lab", "release_date"]]
    released = every["release_date"].map(middle)
    unseen = ~every["model"].isin(frame["model"]) & (released <= pd.Timestamp(until))
    return pd.concat([frame, every.assign(released=released)[unseen].reindex(columns=frame.columns)], ignore_index=True)


def counting(card: Prediction, frame: pd.DataFrame, until: str) -> pd.DataFrame:
    """The rows that a prediction speaks of: of the panel or of the variants, after its month and up to a day (ISO)."""
    if card.variants:
        rows = variants.readings()
        frame = rows[rows["released"] <= pd.Timestamp(until)]
        frame = frame.assign(**{f"{name}_source": frame["source"] for name in card.benchmarks})
    if card.since is not None:
        frame = frame[frame["released"] > pd.Period(card.since).end_time]
    return frame


def as_table(scored: list[Scored]) -> pd.DataFrame:
    """One row a prediction: id, name, status, value, low, high, n, resolves_by (a date or "next 2 releases"), reason,
    sources, bounds, pass_share, fail_share, made, as_of, panel."""
    same = ("pass_share", "fail_share", "made", "as_of", "panel")
    return pd.DataFrame(
        [
            {"id": s.card.id, "name": s.card.name}
            | {name: getattr(s, name) for name in ("status", "value", "low", "high", "n")}
            | {"resolves_by": resolves(s.card), "reason": s.reason, "sources": [*s.sources], "bounds": [*s.bounds]}
            | {name: getattr(s, name) for name in same}
            for s in scored
        ]
    )


def power(one: Scored) -> str:
    """What would have been told from the mark of passing in four of five repeats; empty without a bounded interval."""
    mark = one.card.pass_rule.comparisons[0].threshold
    known = Estimate(one.value, one.low, one.high, one.n, one.share_of)
    if one.card.unit != "r":
        seen = seen_effect(known)
        return "" if math.isnan(seen) else f"{seen:.1f} points or more from {mark:g} would have been told from it"
    seen = math.atanh(seen_effect(known, scale="fisher"))
    if math.isnan(seen):
        return ""
    below, above = (math.tanh(math.atanh(mark) + side * seen) for side in (-1, 1))
    return f"an r under {below:.2f} or over {above:.2f} would have been told from {mark:g}"


def resolves(card: Prediction) -> str:
    """When it is settled, for a table: the ISO date or "next 2 releases"."""
    return card.resolves_by or f"next {card.top_k} releases"


def _status(card: Prediction, evidence: Evidence, shares: tuple[float, float], *, day: str) -> tuple[str, str]:
    """Status and the reason for it; `day` is the earlier of the day asked for and the last day of the data."""
    passed, failed = _true(card.pass_rule, evidence), _true(card.fail_rule, evidence)
    numbers = _in_words(card, evidence)
    if card.lab is not None:
        return _status_of_releases(card, evidence, passed, failed, numbers)
    closed = card.resolves_by is not None and day >= card.resolves_by
    window = f"the window closed on {card.resolves_by}" if closed else f"open until {card.resolves_by}"
    # While the window is open, no number is no evidence, even where a rule counts the models.
    if evidence.missing and not closed:
        return CANNOT, f"{evidence.missing}; {window}"
    if passed or failed:
        rule = f"the pass rule holds ({card.passes_if})" if passed else f"the fail rule holds ({card.fails_if})"
        status = (PASSED if passed else FAILED) if closed else (LEANS_PASS if passed else LEANS_FAIL)
        return status, f"{numbers}; {rule}; {window}"
    between = f"neither rule holds: it passes if {card.passes_if} and fails if {card.fails_if}"
    if closed:
        return UNDECIDED, f"{evidence.missing or numbers}; {between}; {window}"
    if evidence.value.n < card.min_n:
        why = f"{evidence.value.n} of {card.min_n} models needed have the scores; {numbers}"
        return CANNOT, f"{why}; {window}"
    passes, fails = shares
    lean = LEANS_PASS if passes > fails else LEANS_FAIL if fails > passes else OPEN
    return lean, f"{numbers}; {between}; of the repeats {passes:.1%} pass and {fails:.1%} fail; {window}"


def _status_of_releases(
    card: Prediction, evidence: Evidence, passed: bool, failed: bool, numbers: str
) -> tuple[str, str]:
    k, known = card.top_k or 0, len(evidence.rows)
    if known == 0:
        return CANNOT, evidence.missing
    waiting = f"; earlier without both scores: {', '.join(evidence.pending)}" if evidence.pending else ""
    if failed:
        return FAILED, f"{numbers}; the fail rule holds ({card.fails_if}){waiting}"
    if known < k:
        lean = LEANS_PASS if passed else LEANS_FAIL
        ahead = f"it passes if {card.passes_if}" if passed else f"it can no longer pass: it would if {card.passes_if}"
        return lean, f"{numbers}; {known} of {k} releases known; {ahead}{waiting}"
    if passed:
        return PASSED, f"{numbers}; the pass rule holds ({card.passes_if}){waiting}"
    return UNDECIDED, f"{numbers}; neither rule holds{waiting}"


def _true(rule: Rule, evidence: Evidence) -> bool:
    """Whether a rule holds on the values; a quantity that is not there makes its comparison false."""
    unknown = {"h": np.array([np.nan])}
    values = {q: evidence.values.get(q, unknown.get(q.name, float("nan"))) for q in rule.quantities}
    return bool(holds(rule, values))


def _share(rule: Rule, evidence: Evidence) -> float:
    """Share of repeats in which a rule holds (0-1); NaN where the data do not give its numbers at all."""
    known = np.isfinite(evidence.value.estimate) and all(q in evidence.draws for q in rule.quantities)
    return float(np.mean(holds(rule, evidence.draws))) if known else float("nan")


def _in_words(card: Prediction, evidence: Evidence) -> str:
    """Today's numbers as a sentence part."""
    parts = []
    for quantity, value in evidence.values.items():
        match quantity.name:
            case "spread":
                parts.append(f"{tables.label(quantity.benchmarks[0])} spread {float(value):.1f} points")
            case "r":
                parts.append(f"r = {written(float(value), 2, whole=False)} on {evidence.value.n} models")
            case "h":
                each = zip(np.atleast_1d(value), evidence.rows["model"], strict=True)
                parts += [f"h = {h:+.1f} ({model})" for h, model in each]
    who = f" among the top {card.top_k} by {tables.label(card.axis)}" if card.axis and parts else ""
    skipped = f" ({', '.join(evidence.pending)} left out: a score is missing)" if card.axis and evidence.pending else ""
    return " and ".join(parts) + who + skipped


def _cells(rows: pd.DataFrame, card: Prediction, what: str) -> list[str]:
    """What is known of the values used ("source", "read_via"), one cell a value, in the order of the rows."""
    columns = [name for benchmark in card.benchmarks if (name := f"{benchmark}_{what}") in rows]
    return [str(cell) for name in columns for cell in rows[name].dropna()]
