"""The status of each prediction, by rule, on the day and the panel asked for; the numbers behind it, what turns it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib import frontier, stats, tables
from cape_lib.errors import MissingError
from cape_lib.frontier import TRUE_SPREAD, variants
from cape_lib.predictions.cards import Prediction, Quantity, Rule, check_date, holds, newest_date, predictions
from cape_lib.signs import written
from cape_lib.stats import Estimate
from cape_lib.tables.frontier import middle

PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
LEANS_PASS, LEANS_FAIL, OPEN = "open leaning pass", "open leaning fail", "open"
CANNOT = "cannot be scored yet"
STATUSES = (PASSED, FAILED, UNDECIDED, LEANS_PASS, LEANS_FAIL, OPEN, CANNOT)

#: (panel, who claimed the score) in the order of a card
SETTINGS: tuple[tuple[str, str | None], ...] = (
    ("published", None),
    ("corrected", None),
    ("sourced", None),
    ("current", None),
    ("current", "lab"),
    ("current", "independent"),
    ("independent", None),
)
#: name -> first day of release of the models that count
WINDOWS = {"all": None, "since Nov 2025": "2025-11-01", "after May 2026": "2026-06-01"}
_SIDES = {PASSED: "pass", LEANS_PASS: "pass", FAILED: "fail", LEANS_FAIL: "fail", CANNOT: ""}
NAMED = 3
#: repeats where only the rules decide
REPEATS = 2
COLUMNS = ["id", "name", "status", "value", "low", "high", "n", "pass_share", "fail_share"]

Floats = NDArray[np.float64]
REMEASURED = "every score measured again with other questions; the rules take the scores as they are stated"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers for one prediction: `value` is the one the rules turn on, `values` and `draws` hold every quantity.

    `rows` are the models that count, `pending` names later releases of the lab (or better models) that lack a score,
    `bounds` says for those with one score what the other would decide. `draws` are repeats of each quantity, (draws,),
    for h (draws, releases); `repeats` says of what.
    """

    value: Estimate
    rows: pd.DataFrame
    values: dict[Quantity, float | Floats] = field(default_factory=dict)
    draws: dict[Quantity, Floats] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    missing: str = ""
    bounds: tuple[str, ...] = ()
    repeats: str = REMEASURED

    def answer(self, rule: Rule) -> tuple[bool, float]:
        """Whether a rule holds today, where what is not there makes its comparison false; and the share of repeats in
        which it holds (0-1; NaN where the data do not give its numbers at all)."""
        today = {quantity: self.values.get(quantity, np.full(1, np.nan)) for quantity in rule.quantities}
        known = np.isfinite(self.value.estimate) and all(quantity in self.draws for quantity in rule.quantities)
        return bool(holds(rule, today)), float(np.mean(holds(rule, self.draws))) if known else math.nan


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
    rows = frontier.complete_rows(frame, *card.benchmarks)
    r, n = frontier.lab_r(rows, *card.benchmarks), len(rows)
    by_lab = stats.labels_to_codes(rows["lab"])[1] >= stats.LEAST_CLUSTERS
    draws = np.full(resamples, np.nan)
    if n > 2:
        counts = stats.row_bootstrap_counts(n, resamples, stats.generator(0))
        if by_lab:
            counts = stats.cluster_bootstrap_counts(rows["lab"].to_numpy(), resamples, stats.generator(0))
        x, y = (rows[name].to_numpy(float) for name in card.benchmarks)
        draws = stats.pearson_rows(x, y, counts)
    missing = "" if n > 2 and np.isfinite(r.estimate) else _lack(card, n)
    quantity, count = Quantity("r", card.benchmarks), Quantity("n")
    values: dict[Quantity, float | Floats] = {quantity: r.estimate, count: float(n)}
    repeats = "labs resampled" if by_lab else "models resampled"
    drawn = {quantity: draws, count: np.full(resamples, float(n))}
    return Evidence(r, rows, values, drawn, missing=missing, repeats=repeats)


def _spreads(card: Prediction, frame: pd.DataFrame) -> Evidence:
    assert card.top_k is not None and card.axis is not None
    k, axis, axes = card.top_k, card.axis, card.benchmarks
    rows = frontier.complete_rows(frame, *dict.fromkeys((axis, *axes)))
    if len(rows) < k:
        return Evidence(_nothing(len(rows)), rows, missing=_lack(card, len(rows)))
    top, drawn = frontier.top_rows(rows, axis, also=axes, k=k), frontier.spread_draws(rows, axis, axes, k=k)
    values: dict[Quantity, float | Floats] = {Quantity("spread", (a,)): frontier.spread(top[a]) for a in axes}
    draws = {Quantity("spread", (a,)): drawn[a].ravel() for a in axes}
    values[Quantity("n")], draws[Quantity("n")] = float(k), np.full(drawn[axes[0]].size, float(k))
    first = frontier.spread(top[axes[0]])
    value = Estimate(first, *frontier.spread_interval(drawn[axes[0]], first), k, TRUE_SPREAD)
    ranked = frontier.complete_rows(frame, axis)
    better = ranked[(ranked[axis] > top[axis].min()) & ~ranked["model"].isin(rows["model"])]
    return Evidence(value, top, values, draws, tuple(better["model"]), repeats=TRUE_SPREAD)


def _releases(card: Prediction, frame: pd.DataFrame, resamples: int) -> Evidence:
    assert card.lab is not None and card.after is not None and card.top_k is not None
    x, y = card.benchmarks
    after = pd.Period(card.after).end_time
    later = frame[(frame["lab"] == card.lab) & (frame["released"] > after)].sort_values(["released", "model"])
    rows = frontier.complete_rows(later, x, y).head(card.top_k)
    # A release of an earlier day that lacks a score may yet take the place of one that counts.
    last = rows["released"].max() if len(rows) == card.top_k else pd.Timestamp.max
    waiting = later[~later["model"].isin(rows["model"]) & (later["released"] <= last)]
    pending = tuple(waiting["model"])
    bounds = [bound for row in waiting.to_dict("records") if (bound := _bound(card, row))]
    if rows.empty:
        missing = _no_release(card, frame, later, pending)
        return Evidence(_nothing(0), rows, pending=pending, missing=missing, bounds=tuple(bounds))
    swe, gpqa = rows[x].to_numpy(float), rows[y].to_numpy(float)
    frozen, h = frontier.line("frozen"), Quantity("h")
    values = frozen.h(swe, gpqa)
    noise = np.hypot(stats.score_sd(gpqa, y), frozen.slope * stats.score_sd(swe, x))
    draws = stats.noisy_scores(values, noise, resamples, stats.generator(0))
    # The release that the pass rule hangs on: the largest h where all must be below, the smallest where all above.
    below = card.pass_rule.comparisons[0].sign.startswith("<")
    at = int(values.argmax() if below else values.argmin())
    gone = "" if holds(card.pass_rule, {h: values}) else "; the prediction itself can no longer pass"
    missing = "" if len(rows) == card.top_k else f"{len(rows)} of {card.top_k} releases have both scores"
    value = Estimate(float(values[at]), *stats.percentile_interval(draws[:, at]), len(rows), REMEASURED)
    return Evidence(value, rows, {h: values}, {h: draws}, pending, missing, tuple(f"{one}{gone}" for one in bounds))


def _nothing(n: int) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, n, "no number")


def _bound(card: Prediction, row: dict[Hashable, Any]) -> str:
    """What the score that is missing of a release would have to be for either rule, on the frozen line."""
    x, y = card.benchmarks
    known = [name for name in (x, y) if pd.notna(row[name])]
    if len(known) != 1:
        return ""
    frozen, parts = frontier.line("frozen"), []
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
    return f"{n} model{'' if n == 1 else 's'} {'has' if n == 1 else 'have'} {card.scores}; needed: {card.needed}"


def _no_release(card: Prediction, frame: pd.DataFrame, later: pd.DataFrame, pending: tuple[str, ...]) -> str:
    """That no release has both scores, and since which one nobody states a score: a maker that stops reporting it
    leaves nothing to score."""
    if later.empty:
        return f"no release of {card.lab} after {card.after} is known"
    shown = ", ".join(pending[:4]) + (" ..." if len(pending) > 4 else "")
    none = f"no release of {card.lab} after {card.after} has both {card.scores} (a score is missing of {shown})"
    for name in card.benchmarks:
        known = frame[(frame["lab"] == card.lab) & frame[name].notna()].sort_values("released").to_dict("records")
        if not known:
            none += f"; no {tables.label(name)} of {card.lab} is known"
        elif later[name].isna().all():
            who = ", measured by others" if known[-1].get(f"{name}_claimed_by") == "independent" else ""
            where = f"{known[-1]['model']} ({known[-1]['release_date']}{who})"
            none += f"; the last {tables.label(name)} of {card.lab} is that of {where}"
    return none


@dataclass(frozen=True, slots=True)
class Scored:
    """A prediction on one day: `status` by rule, the `value` its rules turn on with interval, and why.

    `pass_share`, `fail_share` (0-1, NaN where not scored): share of repeats in which each rule holds today; no
    forecast, for releases to come are not in it. `read_via` says how many of the values used were read in a third
    party's transcription, `since` how many of the rows are of the month in which the prediction was made, or later:
    only those can test a forecast. `bounds`: what the missing score of a release with one score would have to be;
    `between`: neither rule holds today; `due`: it was made by that day.
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
    due: bool
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
    rows, value = evidence.rows, evidence.value
    (passed, passes), (failed, fails) = (evidence.answer(rule) for rule in (card.pass_rule, card.fail_rule))
    status, reason = _status(card, evidence, (passed, failed), (passes, fails), day=min(as_of, known_until))
    due = pd.Timestamp(as_of) >= card.made_from
    if not due:
        when = f"{'on' if len(card.made_on) == 10 else 'in'} {card.made_on}"
        reason = f"not yet made on {as_of} (made {when}); on the data of that day: {reason}"
    if as_of > known_until and status not in (PASSED, FAILED, UNDECIDED):
        reason += f"; the data end on {known_until}"
    sources = (link for cell in _cells(rows, card, "source") for link in cell.split(";") if link)
    return Scored(
        card=card,
        status=status,
        value=value.estimate,
        low=value.low,
        high=value.high,
        n=value.n,
        reason=reason,
        sources=tuple(dict.fromkeys(sources)),
        pass_share=passes,
        fail_share=fails,
        share_of=evidence.repeats,
        pending=evidence.pending,
        bounds=evidence.bounds,
        read_via=len(_cells(rows, card, "read_via")),
        since=int((rows["released"] >= card.made_from).sum()),
        between=not (passed or failed),
        due=due,
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
    sources, bounds, pass_share, fail_share, made (whether it was made by that day), as_of, panel."""
    return pd.DataFrame(
        [
            {"id": s.card.id, "name": s.card.name}
            | {name: getattr(s, name) for name in ("status", "value", "low", "high", "n")}
            | {"resolves_by": resolves(s.card), "reason": s.reason, "sources": [*s.sources], "bounds": [*s.bounds]}
            | {"pass_share": s.pass_share, "fail_share": s.fail_share}
            | {"made": s.due, "as_of": s.as_of, "panel": s.panel}
            for s in scored
        ]
    )


def power(one: Scored) -> str:
    """What would have been told from the mark of passing in four of five repeats; empty without a bounded interval."""
    mark = one.card.pass_rule.comparisons[0].threshold
    known = Estimate(one.value, one.low, one.high, one.n, one.share_of)
    if one.card.unit != "r":
        seen = stats.seen_effect(known)
        return "" if math.isnan(seen) else f"{seen:.1f} points or more from {mark:g} would have been told from it"
    seen = math.atanh(stats.seen_effect(known, scale="fisher"))
    if math.isnan(seen):
        return ""
    below, above = (math.tanh(math.atanh(mark) + side * seen) for side in (-1, 1))
    return f"an r under {below:.2f} or over {above:.2f} would have been told from {mark:g}"


def resolves(card: Prediction) -> str:
    """When it is settled, for a table: the ISO date or "next 2 releases"."""
    return card.resolves_by or f"next {card.top_k} releases"


def _status(
    card: Prediction, evidence: Evidence, rules: tuple[bool, bool], shares: tuple[float, float], *, day: str
) -> tuple[str, str]:
    """Status and the reason for it.

    rules: whether the pass and the fail rule hold;  shares: of repeats in which they do;  day: the earlier of the day
    asked for and the last day of the data.
    """
    (passed, failed), (passes, fails) = rules, shares
    numbers, known = _in_words(card, evidence), len(evidence.rows)
    held = {True: f"the pass rule holds ({card.passes_if})", False: f"the fail rule holds ({card.fails_if})"}
    if card.lab is not None:
        if not known:
            return CANNOT, evidence.missing
        if failed or known == card.top_k:
            status = FAILED if failed else PASSED if passed else UNDECIDED
            why = held[not failed] if failed or passed else "neither rule holds"
        else:
            status = LEANS_PASS if passed else LEANS_FAIL
            ahead = "it passes if" if passed else "it can no longer pass: it would if"
            why = f"{known} of {card.top_k} releases known; {ahead} {card.passes_if}"
        waiting = f"; not counted, without both scores: {', '.join(evidence.pending)}" if evidence.pending else ""
        return status, f"{numbers}; {why}{waiting}"
    closed = card.resolves_by is not None and day >= card.resolves_by
    window = f"the window closed on {card.resolves_by}" if closed else f"open until {card.resolves_by}"
    # While the window is open, no number is no evidence, even where a rule counts the models.
    if evidence.missing and not closed:
        return CANNOT, f"{evidence.missing}; {window}"
    if passed or failed:
        status = (PASSED if passed else FAILED) if closed else (LEANS_PASS if passed else LEANS_FAIL)
        return status, f"{numbers}; {held[passed]}; {window}"
    between = f"neither rule holds: it passes if {card.passes_if} and fails if {card.fails_if}"
    if closed:
        return UNDECIDED, f"{evidence.missing or numbers}; {between}; {window}"
    if evidence.value.n < card.min_n:
        return CANNOT, f"{evidence.value.n} of {card.min_n} models needed have the scores; {numbers}; {window}"
    lean = LEANS_PASS if passes > fails else LEANS_FAIL if fails > passes else OPEN
    return lean, f"{numbers}; {between}; of the repeats {passes:.1%} pass and {fails:.1%} fail; {window}"


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


# Would the status be another one on another panel, with another party's scores, on other rows, or on another day?


def sensitivity(*, as_of: str | None = None) -> pd.DataFrame:
    """Each prediction on each panel and with each party's scores.

    Returns panel, claimed_by, id, name, status, value, low, high, n, pass_share, fail_share. A setting that
    a panel does not offer is left out.
    """
    parts = []
    for panel, claimed_by in SETTINGS:
        with suppress(MissingError):
            table = as_table(score_all(as_of=as_of, claimed_by=claimed_by, panel=panel))
            parts.append(table[COLUMNS].assign(panel=panel, claimed_by=claimed_by or "either"))
    return pd.concat(parts, ignore_index=True)[["panel", "claimed_by", *COLUMNS]]


def turns(
    *,
    as_of: str | None = None,
    claimed_by: str | None = None,
    panel: str = "current",
    cards: Sequence[Prediction] | None = None,
) -> pd.DataFrame:
    """Every prediction on its rows less one release, in each date window, on each panel and with each party's scores.

    cards: the papers' seven, or others such as `own_predictions()`; those on the variants of one laboratory have no
    panel and no claimant. Returns id, kind ("as it is", "release left out", "window", "panel", "claimant"), what
    (blank: as it is), side ("pass", "fail", "neither", "" where too few models are left), value, n and turned: whether
    the side is another one than as it is. Of two rules, the pass rule is read first; a lean between the rules counts as
    neither.
    """
    known, day = newest_date(), check_date(as_of)
    frame_at = cache(frame_of)
    table = []
    for card in predictions() if cards is None else cards:
        until = min(day, card.resolves_by or day)
        whole = counting(card, frame_at(panel, until, claimed_by), until)
        tried: list[tuple[str, str, pd.DataFrame]] = [("as it is", "", whole)]
        for model in gather(card, whole, resamples=REPEATS).rows["model"]:
            tried.append(("release left out", str(model), whole[whole["model"] != model]))
        for name, first in WINDOWS.items():
            if first is not None:
                tried.append(("window", name, whole[whole["released"] >= pd.Timestamp(first)]))
        for name, party in SETTINGS:
            if not card.variants and (name, party) != (panel, claimed_by):
                kind = "panel" if party is None else "claimant"
                other = counting(card, frame_at(name, until, party), until)
                tried.append((kind, name if party is None else f"{name}, by {party}", other))
        here = None
        for kind, what, frame in tried:
            one = score(card, frame, as_of=day, known_until=known, panel=panel, resamples=REPEATS)
            side = "neither" if one.between else _SIDES.get(one.status, "neither")
            side = side if one.n >= card.min_n and one.value == one.value else ""
            here = side if here is None else here
            turned = bool(side and here and side != here)
            table.append((card.id, kind, what, side, one.value, one.n, turned))
    return pd.DataFrame(table, columns=["id", "kind", "what", "side", "value", "n", "turned"])


def hangs_on(table: pd.DataFrame, frame: pd.DataFrame | None = None) -> dict[int | str, str]:
    """What turns each prediction, in words, for those that something turns: "hangs on Gemma 4 31B (left out: pass)".

    table: from `turns`; frame: the panel, which tells of a release whether its scores were read in a transcription.
    """
    frame = pd.DataFrame({"model": []}) if frame is None else frame
    read = [column for column in frame if str(column).endswith("_read_via")]
    via = set(frame.loc[frame[read].notna().any(axis=1), "model"])
    answer: dict[int | str, str] = {}
    for ident, rows in table[table["turned"]].groupby("id", sort=False):
        words = []
        for row in rows.to_dict("records"):
            value = f"{row['side']}, {row['value']:.2f}, n = {row['n']}"
            read_via = ", read in a transcription" if row["what"] in via else ""
            words.append(f"{row['what']} ({row['kind']}: {value}{read_via})")
        more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
        answer[ident if isinstance(ident, str) else int(str(ident))] = "hangs on " + "; ".join(words[:NAMED]) + more
    return answer


def over_time(days: list[str], *, claimed_by: str | None = None, panel: str = "current") -> pd.DataFrame:
    """Each prediction as it stood on each day: as_of, made, and the columns of a card; days are ISO dates."""
    parts = [as_table(score_all(as_of=day, claimed_by=claimed_by, panel=panel)) for day in days]
    return pd.concat(parts, ignore_index=True)[["as_of", "made", *COLUMNS]]


def other_rankings(card: Prediction, *, as_of: str | None = None) -> pd.DataFrame:
    """A top-k prediction with the top k chosen by each of its benchmarks in turn: axis, stated, status, value, n.

    The paper does not say by which score the ten models of prediction 6 are chosen; empty where no top k is asked for.
    """
    known_until, day = newest_date(), check_date(as_of)
    frame = tables.frontier("current", as_of=min(day, card.resolves_by or day))
    table = []
    for axis in card.benchmarks if card.axis is not None else ():
        s = score(replace(card, axis=axis), frame, as_of=day, known_until=known_until)
        table.append((axis, card.axis_stated and axis == card.axis, s.status, s.value, s.low, s.high, s.n))
    return pd.DataFrame(table, columns=["axis", "stated", "status", "value", "low", "high", "n"])
