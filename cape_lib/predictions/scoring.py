"""The status of each prediction, by rule, on the day and the panel asked for; the numbers behind it, what turns it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
WINDOWS = {"since Nov 2025": "2025-11-01", "after May 2026": "2026-06-01"}
_SIDES = {PASSED: "pass", LEANS_PASS: "pass", FAILED: "fail", LEANS_FAIL: "fail", CANNOT: ""}
NAMED = 3
#: repeats where only the rules decide
REPEATS = 2
COLUMNS = ["id", "name", "status", "value", "low", "high", "n", "pass_share", "fail_share"]

Floats = NDArray[np.float64]
#: value, low and high where there is no number
NOTHING = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Scored:
    """A prediction on one day: `status` by rule, the `value` its rules turn on with interval, and why.

    `rows` are the models that count, `values` and `draws` hold every quantity: draws are repeats of it, (draws,), for h
    (draws, releases), and `share_of` says of what. `pending` names later releases of the lab (or better models) that
    lack a score, `bounds` says for those with one score what the other would decide, `missing` what is not there.
    `pass_share`, `fail_share` (0-1, NaN where not scored): share of repeats in which each rule holds today; no
    forecast, for releases to come are not in it. `between`: neither rule holds today.
    """

    card: Prediction
    value: float
    low: float
    high: float
    n: int
    rows: pd.DataFrame = field(repr=False, compare=False)
    values: dict[Quantity, float | Floats] = field(default_factory=dict, repr=False, compare=False)
    draws: dict[Quantity, float | Floats] = field(default_factory=dict, repr=False, compare=False)
    pending: tuple[str, ...] = ()
    missing: str = ""
    bounds: tuple[str, ...] = ()
    share_of: str = "if all scores were measured again on other questions; the rules, which decide, take them as stated"
    status: str = ""
    reason: str = ""
    pass_share: float = math.nan
    fail_share: float = math.nan
    between: bool = False
    as_of: str = ""
    panel: str = ""

    @property
    def due(self) -> bool:
        """Whether it was made by that day."""
        return pd.Timestamp(self.as_of) >= self.card.made_from

    @property
    def since(self) -> int:
        """How many of the rows are of the month in which it was made, or later: only those can test a forecast."""
        return int((self.rows["released"] >= self.card.made_from).sum())

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses of the values used, each once."""
        links = (link for cell in self._cells("source") for link in cell.split(";") if link)
        return tuple(dict.fromkeys(links))

    @property
    def read_via(self) -> int:
        """How many of the values used were read in a third party's transcription."""
        return len(self._cells("read_via"))

    def _cells(self, what: str) -> list[str]:
        """What is known of the values used ("source", "read_via"), one cell a value, in the order of the rows."""
        columns = [name for benchmark in self.card.benchmarks if (name := f"{benchmark}_{what}") in self.rows]
        return [str(cell) for name in columns for cell in self.rows[name].dropna()]

    def answer(self, rule: Rule) -> tuple[bool, float]:
        """Whether a rule holds today, where what is not there makes its comparison false; and the share of repeats in
        which it holds (0-1; NaN where the data do not give its numbers at all)."""
        today = {quantity: self.values.get(quantity, np.full(1, np.nan)) for quantity in rule.quantities}
        known = np.isfinite(self.value) and all(quantity in self.draws for quantity in rule.quantities)
        return bool(holds(rule, today)), float(np.mean(holds(rule, self.draws))) if known else math.nan


def gather(card: Prediction, frame: pd.DataFrame, *, resamples: int = 2000) -> Scored:
    """What a panel holds for one prediction, not yet judged.

    frame: `tables.frontier(...)` of the day in question, a release without any score included if it is to be named.
    """
    kinds = {quantity.name for quantity in (*card.pass_rule.quantities, *card.fail_rule.quantities)}
    later = frame if card.after is None else frame[frame["released"] > pd.Period(card.after).end_time]
    if "h" in kinds:
        own = later[later["lab"] == card.lab].sort_values(["released", "model"])
        return _releases(card, frame, own, resamples)
    return _spreads(card, later) if "spread" in kinds else _correlation(card, later, resamples)


def _correlation(card: Prediction, frame: pd.DataFrame, resamples: int) -> Scored:
    rows = frontier.complete_rows(frame, *card.benchmarks)
    r, n = frontier.lab_r(rows, *card.benchmarks), len(rows)
    by_lab = stats.labels_to_codes(rows["lab"])[1] >= stats.LEAST_CLUSTERS
    draws = np.full(resamples, np.nan)
    if n > 2:
        # without clusters that can stand for others each model is one of its own
        clusters = rows["lab"].to_numpy() if by_lab else np.arange(n)
        counts = stats.cluster_bootstrap_counts(clusters, resamples, stats.generator(0))
        x, y = (rows[name].to_numpy(float) for name in card.benchmarks)
        draws = stats.pearson_rows(x, y, counts)
    return Scored(
        *(card, r.estimate, r.low, r.high, n, rows),
        values={Quantity("r", card.benchmarks): r.estimate, Quantity("n"): float(n)},
        draws={Quantity("r", card.benchmarks): draws, Quantity("n"): float(n)},
        missing="" if n > 2 and np.isfinite(r.estimate) else _lack(card, n),
        share_of="labs resampled" if by_lab else "models resampled",
    )


def _spreads(card: Prediction, frame: pd.DataFrame) -> Scored:
    assert card.top_k is not None and card.axis is not None
    k, axis, axes = card.top_k, card.axis, card.benchmarks
    rows = frontier.complete_rows(frame, *dict.fromkeys((axis, *axes)))
    if len(rows) < k:
        return Scored(card, *NOTHING, len(rows), rows, missing=_lack(card, len(rows)))
    top, drawn = frontier.top_rows(rows, axis, also=axes, k=k), frontier.spread_draws(rows, axis, axes, k=k)
    count: dict[Quantity, float | Floats] = {Quantity("n"): float(k)}
    values = {Quantity("spread", (a,)): frontier.spread(top[a]) for a in axes} | count
    draws = {Quantity("spread", (a,)): drawn[a].ravel() for a in axes} | count
    first, ranked = frontier.spread(top[axes[0]]), frontier.complete_rows(frame, axis)
    better = ranked[(ranked[axis] > top[axis].min()) & ~ranked["model"].isin(rows["model"])]
    ends = frontier.spread_interval(drawn[axes[0]], first)
    return Scored(card, first, *ends, k, top, values, draws, tuple(better["model"]), share_of=TRUE_SPREAD)


def _releases(card: Prediction, frame: pd.DataFrame, later: pd.DataFrame, resamples: int) -> Scored:
    assert card.top_k is not None
    x, y = card.benchmarks
    rows = frontier.complete_rows(later, x, y).head(card.top_k)
    # A release of an earlier day that lacks a score may yet take the place of one that counts.
    last = rows["released"].max() if len(rows) == card.top_k else pd.Timestamp.max
    waiting = later[~later["model"].isin(rows["model"]) & (later["released"] <= last)]
    pending = tuple(waiting["model"])
    bounds = [bound for row in waiting.to_dict("records") if (bound := _bound(card, row))]
    if rows.empty:
        missing = _no_release(card, frame, later, pending)
        return Scored(card, *NOTHING, 0, rows, pending=pending, missing=missing, bounds=tuple(bounds))
    swe, gpqa = rows[x].to_numpy(float), rows[y].to_numpy(float)
    frozen, h = frontier.line("frozen"), Quantity("h")
    values = frozen.h(swe, gpqa)
    draws = stats.noisy_scores(values, frozen.noise(swe, gpqa, names=(x, y)), resamples, stats.generator(0))
    # The release that the pass rule hangs on: the largest h where all must be below, the smallest where all above.
    below = card.pass_rule.comparisons[0].sign.startswith("<")
    at = int(values.argmax() if below else values.argmin())
    ends = stats.percentile_interval(draws[:, at])
    gone = "" if holds(card.pass_rule, {h: values}) else "; the prediction itself can no longer pass"
    return Scored(
        *(card, float(values[at]), *ends, len(rows), rows),
        values={h: values},
        draws={h: draws},
        pending=pending,
        missing="" if len(rows) == card.top_k else f"{len(rows)} of {card.top_k} releases have both scores",
        bounds=tuple(f"{one}{gone}" for one in bounds),
    )


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


def score(
    card: Prediction, frame: pd.DataFrame, *, as_of: str, known_until: str, panel: str = "", resamples: int = 2000
) -> Scored:
    """One prediction against one panel.

    frame: the rows known on the day; as_of: that day (ISO); known_until: newest day of the data: a window is closed
    only when both have reached its end, for a day without data settles nothing.
    """
    one = replace(gather(card, frame, resamples=resamples), as_of=as_of, panel=panel)
    (passed, passes), (failed, fails) = (one.answer(rule) for rule in (card.pass_rule, card.fail_rule))
    one = replace(one, pass_share=passes, fail_share=fails, between=not (passed or failed))
    status, reason = _status(one, passed, failed, day=min(as_of, known_until))
    if not one.due:
        when = f"{'on' if len(card.made_on) == 10 else 'in'} {card.made_on}"
        reason = f"not yet made on {as_of} (made {when}); on the data of that day: {reason}"
    if as_of > known_until and status not in (PASSED, FAILED, UNDECIDED):
        reason += f"; the data end on {known_until}"
    return replace(one, status=status, reason=reason)


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
    return [
        score(card, rows_for(card, panel, day, claimed_by), as_of=day, known_until=known_until, panel=panel)
        for card in (predictions() if cards is None else cards)
    ]


def rows_for(card: Prediction, panel: str, day: str, claimed_by: str | None = None) -> pd.DataFrame:
    """What is known on a day (ISO) of those that a prediction speaks of; what comes after its window does not count.

    Rows of the panel, in the current one with the releases that have none of its scores yet: they too are a lab's next
    ones. For a prediction about variants: the variants released by then.
    """
    until = min(day, card.resolves_by or day)
    if card.variants:
        rows = variants.readings()
        rows = rows[rows["released"] <= pd.Timestamp(until)]
        return rows.assign(**{f"{name}_source": rows["source"] for name in card.benchmarks})
    frame = tables.frontier(panel, as_of=until, claimed_by=claimed_by)
    if panel != "current":
        return frame
    every = tables.load("frontier_scores").drop_duplicates("model")[["model", "lab", "release_date"]]
    released = every["release_date"].map(middle)
    unseen = ~every["model"].isin(frame["model"]) & (released <= pd.Timestamp(until))
    return pd.concat([frame, every.assign(released=released)[unseen].reindex(columns=frame.columns)], ignore_index=True)


def as_table(scored: list[Scored]) -> pd.DataFrame:
    """One row a prediction: id, name, status, value, low, high, n, resolves_by (a date or "next 2 releases"), reason,
    sources, bounds, pass_share, fail_share, made (whether it was made by that day), as_of, panel."""
    return pd.DataFrame(
        [
            {"id": s.card.id, "name": s.card.name}
            | {name: getattr(s, name) for name in ("status", "value", "low", "high", "n")}
            | {"resolves_by": resolves(s.card), "reason": s.reason, "sources": [*s.sources], "bounds": [*s.bounds]}
            | {"pass_share": s.pass_share, "fail_share": s.fail_share, "made": s.due}
            | {"as_of": s.as_of, "panel": s.panel}
            for s in scored
        ]
    )


def power(one: Scored) -> str:
    """What is told from the mark of passing in four of five repeats; empty without a bounded interval."""
    mark = one.card.pass_rule.comparisons[0].threshold
    known = Estimate(one.value, one.low, one.high, one.n, one.share_of)
    if one.card.unit != "r":
        seen = stats.seen_effect(known)
        return "" if math.isnan(seen) else f"less than {seen:.1f} points from {mark:g} could be missed"
    seen = math.atanh(stats.seen_effect(known, scale="fisher"))
    if math.isnan(seen):
        return ""
    below, above = (math.tanh(math.atanh(mark) + side * seen) for side in (-1, 1))
    return f"an r from {below:.2f} to {above:.2f} could be taken for {mark:g}"


def resolves(card: Prediction) -> str:
    """When it is settled, for a table: the ISO date or "next 2 releases"."""
    return card.resolves_by or f"next {card.top_k} releases"


def _status(one: Scored, passed: bool, failed: bool, *, day: str) -> tuple[str, str]:
    """Status and the reason for it.

    passed, failed: whether the pass and the fail rule hold;  day: the earlier of the day asked for and the last day of
    the data.
    """
    card, known = one.card, len(one.rows)
    numbers, passes_if, fails_if = _in_words(one), card.pass_rule.words, card.fail_rule.words
    held = {True: f"the pass rule holds ({passes_if})", False: f"the fail rule holds ({fails_if})"}
    if card.lab is not None:
        if not known:
            return CANNOT, one.missing
        if failed or known == card.top_k:
            status = FAILED if failed else PASSED if passed else UNDECIDED
            why = held[not failed] if failed or passed else "neither rule holds"
        else:
            status = LEANS_PASS if passed else LEANS_FAIL
            ahead = "it passes if" if passed else "it can no longer pass: it would if"
            why = f"{known} of {card.top_k} releases known; {ahead} {passes_if}"
        waiting = f"; not counted, without both scores: {', '.join(one.pending)}" if one.pending else ""
        return status, f"{numbers}; {why}{waiting}"
    closed = card.resolves_by is not None and day >= card.resolves_by
    window = f"the window closed on {card.resolves_by}" if closed else f"open until {card.resolves_by}"
    # While the window is open, no number is no evidence, even where a rule counts the models.
    if one.missing and not closed:
        return CANNOT, f"{one.missing}; {window}"
    if passed or failed:
        status = (PASSED if passed else FAILED) if closed else (LEANS_PASS if passed else LEANS_FAIL)
        return status, f"{numbers}; {held[passed]}; {window}"
    between = f"neither rule holds: it passes if {passes_if} and fails if {fails_if}"
    if closed:
        return UNDECIDED, f"{one.missing or numbers}; {between}; {window}"
    if one.n < card.min_n:
        return CANNOT, f"{one.n} of {card.min_n} models needed have the scores; {numbers}; {window}"
    passes, fails = one.pass_share, one.fail_share
    lean = LEANS_PASS if passes > fails else LEANS_FAIL if fails > passes else OPEN
    return lean, f"{numbers}; {between}; of the repeats {passes:.1%} pass and {fails:.1%} fail; {window}"


def _in_words(one: Scored) -> str:
    """Today's numbers as a sentence part."""
    card, parts = one.card, []
    for quantity, value in one.values.items():
        match quantity.name:
            case "spread":
                parts.append(f"{tables.label(quantity.benchmarks[0])} spread {float(value):.1f} points")
            case "r":
                parts.append(f"r = {written(float(value), 2, whole=False)} on {one.n} models")
            case "h":
                each = zip(np.atleast_1d(value), one.rows["model"], strict=True)
                parts += [f"h = {h:+.1f} ({model})" for h, model in each]
    who = f" among the top {card.top_k} by {tables.label(card.axis)}" if card.axis and parts else ""
    skipped = f" ({', '.join(one.pending)} left out: a score is missing)" if card.axis and one.pending else ""
    return " and ".join(parts) + who + skipped


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
    parts = []
    for card in predictions() if cards is None else cards:
        whole = rows_for(card, panel, day, claimed_by)
        counted = gather(card, whole, resamples=REPEATS).rows["model"]
        tried = [("as it is", "", whole)]
        tried += [("release left out", str(model), whole[whole["model"] != model]) for model in counted]
        tried += [("window", name, whole[whole["released"] >= pd.Timestamp(first)]) for name, first in WINDOWS.items()]
        for name, party in SETTINGS:
            if not card.variants and (name, party) != (panel, claimed_by):
                kind, what = ("claimant", f"{name}, by {party}") if party else ("panel", name)
                tried.append((kind, what, rows_for(card, name, day, party)))
        table = []
        for kind, what, frame in tried:
            one = score(card, frame, as_of=day, known_until=known, panel=panel, resamples=REPEATS)
            side = "neither" if one.between else _SIDES.get(one.status, "neither")
            side = side if one.n >= card.min_n and one.value == one.value else ""
            table.append((card.id, kind, what, side, one.value, one.n))
        part = pd.DataFrame(table, columns=["id", "kind", "what", "side", "value", "n"])
        here = part["side"][0]
        parts.append(part.assign(turned=(part["side"] != here) & (part["side"] != "") & (here != "")))
    return pd.concat(parts, ignore_index=True)


def transcribed(frame: pd.DataFrame) -> set[str]:
    """The releases of a frontier panel of which a score was read in a third party's transcription."""
    read = [column for column in frame if str(column).endswith("_read_via")]
    return set(frame.loc[frame[read].notna().any(axis=1), "model"])


def hangs_on(table: pd.DataFrame, frame: pd.DataFrame | None = None) -> dict[int | str, str]:
    """What turns each prediction, in words, for those that something turns: "hangs on Gemma 4 31B (left out: pass)".

    table: from `turns`; frame: the panel, which tells of a release whether its scores were read in a transcription.
    """
    via = transcribed(pd.DataFrame({"model": []}) if frame is None else frame)
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
    """A top-k prediction with the top k chosen by each of its benchmarks in turn.

    Columns axis, stated, status, between (whether neither rule holds today), value, low, high, n.

    The paper does not say by which score the ten models of prediction 6 are chosen; empty where no top k is asked for.
    """
    known_until, day = newest_date(), check_date(as_of)
    frame, table = rows_for(card, "current", day), []
    for axis in card.benchmarks if card.axis is not None else ():
        s = score(replace(card, axis=axis), frame, as_of=day, known_until=known_until)
        table.append((axis, card.axis_stated and axis == card.axis, s.status, s.between, s.value, s.low, s.high, s.n))
    return pd.DataFrame(table, columns=["axis", "stated", "status", "between", "value", "low", "high", "n"])
