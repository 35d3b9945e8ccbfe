"""Chapter 7 in sentences: each prediction in plain English, where its number stands, and what its status hangs on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from cape_lib import tables
from cape_lib.predictions import Prediction, Scored, resolves
from cape_lib.rules import Comparison
from cape_lib.story.answer import Answer, listed, verb

SETTLED = ("passed", "failed", "undecided")
CANNOT = "cannot be scored yet"
SWE = "swe_bench_verified"
#: What the bar of a prediction holds.
BARS = (
    "A bar is 95 %: where models are resampled, scores measured again, or a spread freed of noise. It holds what is "
    "known today; releases to come are not in it."
)
COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def counted(scored: Sequence[Scored]) -> str:
    """How many predictions have each status, as part of a sentence."""
    return ", ".join(_how_many(n, status) for status, n in Counter(one.status for one in scored).items())


def _how_many(count: int, status: str) -> str:
    for side in ("pass", "fail"):
        if status.endswith(f"leaning {side}"):
            return f"{count} {'is open and leans' if count == 1 else 'are open and lean'} to {side}ing"
    return f"{count} {status}"


def answer(scored: Sequence[Scored], elsewhere: pd.DataFrame) -> Answer:
    """How are the predictions doing?  scored: `predictions.score_all`; elsewhere: `predictions.sensitivity`."""
    settled = sum(one.status in SETTLED for one in scored)
    lead = f"{settled} of {len(scored)} {verb(settled, 'are')} settled" if settled else "None is settled"
    since = sum(one.since > 0 for one in scored)
    month = pd.Timestamp(min(one.card.made_from for one in scored))
    interval = (
        f"{scored[0].panel.capitalize()} panel. No forecast: releases to come are not in it. {since} of {len(scored)} "
        f"{verb(since, 'use')} at least one model from {month:%B %Y} or later. {hangs(elsewhere)}"
    )
    return Answer(f"**{lead}** on {scored[0].as_of}: {counted(scored)}.", "arithmetic", interval)


def word(count: int) -> str:
    """A small count in letters."""
    return COUNTS[count - 1] if 1 <= count <= len(COUNTS) else str(count)


def in_plain(one: Scored) -> str:
    """What a prediction says, in plain English, from its rule; one: a scored prediction."""
    if one.card.chance is not None:
        return f"{one.card.quantity}."
    parts = [_part(compared, one.card) for compared in one.card.pass_rule.comparisons if compared.quantity.name != "n"]
    top = f"the top {word(one.card.top_k or 0)} lie "
    text = " and ".join([parts[0], *[part.removeprefix(top) for part in parts[1:]]])
    return f"{text[0].upper()}{text[1:]}."


def _part(compared: Comparison, card: Prediction) -> str:
    names = [tables.label(name) for name in compared.quantity.benchmarks or card.benchmarks]
    limit, less, top = f"{compared.threshold:g}", compared.sign.startswith("<"), word(card.top_k or 0)
    match compared.quantity.name:
        case "spread":
            apart = f"within {limit} points of each other" if less else f"more than {limit} points apart"
            return f"the top {top} lie {apart} on {names[0]}"
        case "r" if compared.threshold == 0:
            return f"where {names[0]} rises, {names[1]} {'falls' if less else 'rises'}"
        case "r":
            return f"{names[0]} and {names[1]} {'hardly ' if less else ''}rise together (r {compared.sign} {limit})"
        case _ if compared.threshold == 0:
            place = "below" if less else "above"
        case _:
            place = f"{'less' if less else 'more'} than {limit} points above"
    return f"the next {top} {card.lab} releases have a {names[-1]} {place} the frozen line"


def limits(card: Prediction) -> dict[str, float | str]:
    """Where the marks of pass and fail stand for the number of a gauge, and what is written at them.

    Keys pass_at, pass_says, fail_at, fail_says; NaN and "" where a rule asks for no such number.
    """
    asked = card.pass_rule.comparisons[0].quantity
    marks: dict[str, float | str] = {}
    for side, rule in (("pass", card.pass_rule), ("fail", card.fail_rule)):
        compared = next((one for one in rule.comparisons if one.quantity == asked), None)
        marks[f"{side}_at"] = compared.threshold if compared else math.nan
        marks[f"{side}_says"] = f"{side} {compared.sign} {compared.threshold:g}" if compared else ""
    return marks


def gauges(scored: Sequence[Scored]) -> pd.DataFrame:
    """One row a prediction: today's value with its interval beside the marks of pass and fail.

    Columns id, prediction, says, unit, estimate, low, high (NaN where there is none yet), pass_at, pass_says,
    fail_at, fail_says, status, resolves.
    """
    rows = [
        {
            "id": one.card.id,
            "prediction": f"{one.card.id}. {one.card.name}",
            "says": in_plain(one),
            "unit": one.card.unit,
        }
        | {"estimate": one.value, "low": one.low, "high": one.high}
        | limits(one.card)
        | {"status": one.status, "resolves": resolves(one.card)}
        for one in scored
    ]
    return pd.DataFrame(rows)


def today(one: Scored) -> str:
    """When a prediction is due and where its number stands today, with what it is a number of."""
    due = f"Due: {resolves(one.card)}. "
    if math.isnan(one.value):
        return f"{due}No number yet."
    quantity = one.card.pass_rule.comparisons[0].quantity
    names = [tables.label(name) for name in quantity.benchmarks or one.card.benchmarks]
    if one.card.unit == "r":
        return f"{due}Today r of {' and '.join(names)} is {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]."
    of = f"{names[0]} spread" if quantity.name == "spread" else "distance from the frozen line"
    return f"{due}Today's {of}: {one.value:.1f} points [{one.low:.1f}, {one.high:.1f}]."


def unsettled(elsewhere: pd.DataFrame) -> list[int]:
    """Predictions whose status, where it can be scored, changes with the panel or with who states the scores."""
    sides = elsewhere[elsewhere["status"] != CANNOT].groupby("id")["status"].nunique()
    return [int(i) for i in sides[sides > 1].index]


def by_setting(elsewhere: pd.DataFrame) -> tuple[list[int], list[int], list[int]]:
    """The predictions that keep one side in every setting, those that change it where they are scored, and the others:
    those that keep it, but cannot be scored in every setting.  elsewhere: `predictions.sensitivity`.
    """
    turned = unsettled(elsewhere)
    lacking = {int(i) for i in elsewhere.loc[elsewhere["status"] == CANNOT, "id"]} - set(turned)
    return sorted({int(i) for i in elsewhere["id"]} - lacking - set(turned)), turned, sorted(lacking)


def hangs(elsewhere: pd.DataFrame) -> str:
    """What the statuses hang on: which change sides by panel or claimant.  elsewhere: `predictions.sensitivity`."""
    keep, turned, lacking = by_setting(elsewhere)
    count = len(elsewhere[["panel", "claimed_by"]].drop_duplicates())
    parts = []
    if keep:
        parts += [
            f"{listed(keep, most=9)} {'keeps its' if len(keep) == 1 else 'keep their'} side in all {count} settings"
        ]
    if turned:
        parts += [f"{listed(turned, most=9)} {verb(len(turned), 'change')} sides"]
    if lacking:
        parts += [f"{listed(lacking, most=9)} cannot be scored in all"]
    return f"Of the predictions, {'; '.join(parts)}."


def hanging(scored: Sequence[Scored], on: dict[int | str, str]) -> str:
    """What turns the status of each, one a line, and what a missing score would decide; on: `predictions.hangs_on`."""
    nothing = {True: "nothing yet: it has no number", False: "nothing of these turns it"}
    lines = [
        f"- **{one.card.id} {one.card.name}** ({one.status}): {on.get(one.card.id, nothing[math.isnan(one.value)])}."
        for one in scored
    ]
    return "\n".join(lines + [f"- {bound}." for one in scored for bound in one.bounds])


def windows(tried: pd.DataFrame) -> pd.DataFrame:
    """Each prediction on all its models and in each window of release dates; tried: `predictions.turns`."""
    part = tried[tried["kind"].isin(["as it is", "window"])].replace({"what": {"": "all"}, "side": {"": "too few"}})
    names = {"id": "prediction", "what": "models", "side": "rule that holds"}
    return part[[*names, "value", "n"]].rename(columns=names)


def waits(scored: Sequence[Scored], last: pd.DataFrame) -> str:
    """Which predictions wait for a score that the maker no longer states; last: `tables.last_stated` of SWE-bench."""
    silent = last[last["stopped"]]
    models = dict(zip(silent["lab"], silent["model"], strict=True))
    open_ = [one.card for one in scored if SWE in one.card.benchmarks and one.status not in SETTLED]
    waiting = [f"{card.id} ({card.lab}; its last: {models[card.lab]})" for card in open_ if card.lab in models]
    if not waiting:
        return f"No prediction waits for a {tables.label(SWE)} that its maker no longer states."
    several = len(waiting) > 1
    return (
        f"{len(silent)} of {len(last)} makers that stated {tables.label(SWE)} no longer do. Of the predictions above, "
        f"{listed(waiting)} {'wait' if several else 'waits'} for such a maker: only a measurement by somebody else can "
        f"settle {'them' if several else 'it'}."
    )


def ranking(ranked: pd.DataFrame) -> str:
    """Whether prediction 6 depends on the score by which the ten are chosen; `predictions.other_rankings`."""
    if ranked.empty:
        return "No ranking is asked for."
    parts = [f"{row['status']} by {tables.label(str(row['axis']))}" for row in ranked.to_dict("records")]
    return f"The paper does not say by which score the ten models of prediction 6 are chosen: {', '.join(parts)}."


def own_check(later: pd.DataFrame) -> str:
    """The papers' own check against a guess that ignores coding; later: `frontier.later_releases`."""
    near, flat = later["h"].abs().mean(), later["h_flat"].abs().mean()
    closer = "closer than" if near < flat else "no closer than"
    return (
        f"Of {len(later)} models released after that fit, {int(later['inside_published'].sum())} fell inside the band "
        f"of the frozen line; {int(later['inside_flat'].sum())} fall inside the band of a flat guess. The line "
        f"comes {closer} the guess: {near:.1f} against {flat:.1f} points off on average."
    )


def own(scored: Sequence[Scored]) -> str:
    """The book's own predictions, one a line, with the chance that it gave each and what became of it."""
    hard = [str(one.card.id) for one in scored if one.card.chance is not None and one.card.chance < 50]
    lines = [
        f"- **{one.card.id}. {one.card.name}** ({one.card.chance:g} %, {resolves(one.card)}). {in_plain(one)} "
        f"{marks(one.card)} *{one.status[0].upper()}{one.status[1:]}.*"
        for one in scored
    ]
    out = [one.card.id for one in scored if one.card.since is None and one.card.lab is None]
    also = f" ({listed(out)} also {verb(len(out), 'count')} models already out)" if out else ""
    dayless = [one.card.id for one in scored if one.card.resolves_by is None]
    wait = f" {listed(dayless)} {verb(len(dayless), 'wait')} for releases, without a day." if dayless else ""
    return (
        f"Made on {scored[0].card.made_on}, on what is released later{also}. We gave each a chance of passing; "
        f"{listed(hard)} we expect to be hard.{wait}\n\n" + "\n".join(lines)
    )


def marks(card: Prediction) -> str:
    """The marks of pass and fail of a prediction in short: "Pass r > 0.5; fail r < 0.3."; counts of models left out."""
    sides = []
    for side, rule in (("Pass", card.pass_rule), ("fail", card.fail_rule)):
        asked = [
            (one.quantity, f"{one.sign} {one.threshold:g}") for one in rule.comparisons if one.quantity.name != "n"
        ]
        names = [
            f"{tables.label(what.benchmarks[0])} spread" if what.name == "spread" else what.name for what, _ in asked
        ]
        sides.append(f"{side}: " + f" {rule.joint} ".join(f"{n} {at}" for n, (_, at) in zip(names, asked, strict=True)))
    return f"{'; '.join(sides)}."


def remember(scored: Sequence[Scored], elsewhere: pd.DataFrame, later: pd.DataFrame) -> list[str]:
    """Three lines to remember; the arguments are those of `answer` and `own_check`."""
    keep, turned, lacking = by_setting(elsewhere)
    return [
        f"On {scored[0].as_of}: {counted(scored)}.",
        f"{len(keep)} of {len(scored)} {'keeps its' if len(keep) == 1 else 'keep their'} side on every panel and by "
        f"every claimant, {len(turned)} {verb(len(turned), 'do')} not; {len(lacking)} cannot be scored everywhere.",
        f"A wide band is easily hit: {int(later['inside_published'].sum())} of {len(later)} by the line, "
        f"{int(later['inside_flat'].sum())} by a guess without it.",
    ]
