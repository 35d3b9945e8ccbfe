"""Chapter 7 in sentences: each prediction in plain English, where its number stands, and what its status hangs on."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from cape_lib import tables
from cape_lib.predictions import CANNOT, LEANS_PASS, NAMED, Prediction, Scored, resolves, transcribed
from cape_lib.stats import LEAST_CLUSTERS
from cape_lib.story.answer import Answer, capital, listed, of, times, verb
from cape_lib.tables.chapters import RELATIVES

SETTLED = ("passed", "failed", "undecided")
SWE = "swe_bench_verified"
#: the pair of prediction 5, whose coupling claim C19 tests with the release date held fixed
CODING_AND_SCIENCE = (SWE, "gpqa_diamond")
#: What each of the papers' seven is about, in a word or three.
ABOUT = {
    1: "coding scores bunch",
    2: "GPQA with IFEval",
    3: "DeepSeek",
    4: "Google",
    5: "GPQA with coding",
    6: "IFEval bunches",
    7: "HLE against coding",
}
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def standing(scored: Sequence[Scored]) -> str:
    """Where each prediction stands and what it is about, as part of a sentence: "predictions 3 (DeepSeek) and 7 (HLE
    against coding) fail today, 4 (Google) has no score".
    """
    groups: dict[str, list[str]] = {}
    for one in scored:
        about = f" ({ABOUT[int(one.card.id)]})" if one.card.id in ABOUT else ""
        groups.setdefault(_stands(one), []).append(f"{one.card.id}{about}")
    forms = {
        "passed": ("passed", "passed"),
        "failed": ("failed", "failed"),
        "undecided": ("ended undecided", "ended undecided"),
        "fails": ("fails today", "fail today"),
        "passes": ("passes today", "pass today"),
        "gone": ("can no longer pass", "can no longer pass"),
        "gone by a rival": ("cannot pass by a rival's score", "cannot pass by a rival's score"),
        "neither": ("meets neither rule", "meet neither rule"),
        "none": ("has no score", "have no score"),
    }
    known = [(groups[kind], one_or_more) for kind, one_or_more in forms.items() if kind in groups]
    parts = [f"{listed(ids, most=9)} {one_or_more[len(ids) > 1]}" for ids, one_or_more in known]
    return f"prediction{'s' if len(known[0][0]) > 1 else ''} {', '.join(parts)}"


def _stands(one: Scored) -> str:
    """Which of the words of `standing` holds for a prediction."""
    if one.status in SETTLED:
        return one.status
    if one.status == CANNOT:
        return "none"
    if one.between:
        rival = set(one.rows.get(f"{SWE}_claimed_by", [])) == {"rival"}
        return "neither" if one.card.lab is None else "gone by a rival" if rival else "gone"
    return "passes" if one.status == LEANS_PASS else "fails"


def answer(scored: Sequence[Scored], elsewhere: pd.DataFrame) -> Answer:
    """How are the predictions doing?  scored: `predictions.score_all`; elsewhere: `predictions.sensitivity`."""
    settled = sum(one.status in SETTLED for one in scored)
    lead = f"{settled} of {len(scored)} {verb(settled, 'are')} settled" if settled else "None is settled"
    keep, turned, _ = by_setting(elsewhere)
    groups = {f"{_keep(len(keep))} in every setting": keep, f"{verb(len(turned), 'change')} it": turned}
    sides = ", ".join(f"no. {listed(ids, most=9)} {what}" for what, ids in groups.items() if ids)
    interval = (
        f"{scored[0].panel.capitalize()} panel. No forecast. {recent(scored)}{capital(f'{sides}.') if sides else ''}"
    )
    return Answer(f"**{lead}** on {scored[0].as_of}: {standing(scored)}.", "arithmetic", interval)


def recent(scored: Sequence[Scored]) -> str:
    """Which predictions rest mostly on models that were out when it was made, a sentence; empty where none does."""
    older = [one for one in scored if 2 * one.since < one.n]
    month = pd.Timestamp(min(one.card.made_from for one in scored))
    shares = ", ".join(f"{one.since} of {one.n}" for one in older)
    rests = f"No. {listed((one.card.id for one in older), most=9)} {verb(len(older), 'rest')} mostly on older models"
    return f"{rests} (of {month:%B %Y} or later: {shares}). " if older else ""


def bars() -> str:
    """What the bar of a prediction holds."""
    says = "Each bar shows how far chance could move the dot"
    return f"{says} ({tables.mark(*RELATIVES)}); how it is made differs, see the card."


def in_plain(one: Scored) -> str:
    """What a prediction says, in plain English, from its rule; one: a scored prediction."""
    card = one.card
    if card.chance is not None:
        return f"{card.quantity}."
    top = COUNTS[card.top_k or 0] if (card.top_k or 0) < len(COUNTS) else str(card.top_k)
    parts: list[str] = []
    for compared in card.pass_rule.comparisons:
        names = [tables.label(name) for name in compared.quantity.benchmarks or card.benchmarks]
        limit, less, what = f"{compared.threshold:g}", compared.sign.startswith("<"), compared.quantity.name
        if what == "spread":
            apart = f"within {limit} points of each other" if less else f"more than {limit} points apart"
            parts.append(f"{'' if parts else f'the top {top} lie '}{apart} on {names[0]}")
        elif what == "r" and compared.threshold == 0:
            parts.append(f"where {names[0]} rises, {names[1]} {'falls' if less else 'rises'}")
        elif what == "r":
            together = f"{'hardly ' if less else ''}rise together (r {compared.sign} {limit})"
            parts.append(f"{names[0]} and {names[1]} {together}")
        elif what != "n":
            place = "below" if less else "above"
            if compared.threshold:
                place = f"{'less' if less else 'more'} than {limit} points above"
            parts.append(f"the next {top} {card.lab} releases have a {names[-1]} {place} the frozen line")
    return f"{capital(' and '.join(parts))}."


def limits(card: Prediction) -> dict[str, float | str]:
    """Where the marks of pass and fail stand for the number of a gauge, and what is written at them.

    Keys pass_at, pass_says, fail_at, fail_says; NaN and "" where a rule asks for no such number.
    """
    asked = card.pass_rule.comparisons[0].quantity
    marks: dict[str, float | str] = {}
    for side, rule in (("pass", card.pass_rule), ("fail", card.fail_rule)):
        mark = next((one for one in rule.comparisons if one.quantity == asked), None)
        marks[f"{side}_at"] = mark.threshold if mark else math.nan
        marks[f"{side}_says"] = f"{side} {mark.sign} {mark.threshold:g}" if mark else ""
    return marks


def gauges(scored: Sequence[Scored]) -> pd.DataFrame:
    """One row a prediction: today's value with its interval beside the marks of pass and fail.

    Columns id, prediction, says, unit, estimate, low, high (NaN where there is none yet), pass_at, pass_says,
    fail_at, fail_says, status, resolves.
    """
    return pd.DataFrame(
        {"id": one.card.id, "prediction": f"{one.card.id}. {_name(one)}", "says": in_plain(one)}
        | {"unit": one.card.unit, "estimate": one.value, "low": one.low, "high": one.high}
        | limits(one.card)
        | {"status": one.status, "resolves": resolves(one.card)}
        for one in scored
    )


def _name(one: Scored) -> str:
    """The name of a prediction without what the papers add to it in brackets."""
    return one.card.name.partition(" (")[0]


def today(one: Scored) -> str:
    """When a prediction is due and where its number stands today, with what it is a number of."""
    due = f"Due: {resolves(one.card)}. "
    if math.isnan(one.value):
        return f"{due}No number yet."
    quantity = one.card.pass_rule.comparisons[0].quantity
    names = [tables.label(name) for name in quantity.benchmarks or one.card.benchmarks]
    if one.card.unit == "r":
        labs = one.rows["lab"].nunique()
        few = f" ({one.n} models of {times(labs, 'lab')}, taken for independent†)" if labs < LEAST_CLUSTERS else ""
        date = " Both may just rise with the date (C19)." if one.card.benchmarks == CODING_AND_SCIENCE else ""
        return f"{due}Today r of {' and '.join(names)} is {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]{few}.{date}"
    of = f"{names[0]} spread" if quantity.name == "spread" else "distance from the frozen line"
    by = f" ({', '.join(_stated(row) for row in one.rows.to_dict('records'))})" if one.card.lab else ""
    return f"{due}Today's {of}: {one.value:.1f} points [{one.low:.1f}, {one.high:.1f}]{by}."


def _stated(row: Mapping[Hashable, object]) -> str:
    """A release and, where it is not its maker, who states its SWE-bench Verified."""
    who = {"rival": ", stated by a rival", "independent": ", measured by others"}
    return f"{row['model']}{who.get(str(row[f'{SWE}_claimed_by']), '')}"


def of_interval(one: Scored) -> str:
    """How the interval of a prediction's number is made."""
    if one.card.unit == "r":
        few = one.rows["lab"].nunique() < LEAST_CLUSTERS
        return "models taken for independent†" if few else "labs left out in turn"
    return "scores measured again" if one.card.lab else "the spread less its noise"


def by_setting(elsewhere: pd.DataFrame) -> tuple[list[int], list[int], list[int]]:
    """The predictions that keep one side in every setting, those that change it where they are scored, and the others:
    those that keep it, but cannot be scored in every setting.  elsewhere: `predictions.sensitivity`.
    """
    scored = elsewhere[elsewhere["status"] != CANNOT].groupby("id")["status"].nunique()
    turned = {int(i) for i in scored.index[scored > 1]}
    lacking = {int(i) for i in elsewhere.loc[elsewhere["status"] == CANNOT, "id"]} - turned
    return sorted({int(i) for i in elsewhere["id"]} - lacking - turned), sorted(turned), sorted(lacking)


def _keep(count: int) -> str:
    return "keeps its side" if count == 1 else "keep their side"


def hangs(elsewhere: pd.DataFrame) -> str:
    """What the statuses hang on: which change sides by panel or claimant.  elsewhere: `predictions.sensitivity`."""
    keep, turned, _ = by_setting(elsewhere)
    settings = len(elsewhere[["panel", "claimed_by"]].drop_duplicates())
    unscored = (elsewhere["status"] == CANNOT).groupby(elsewhere["id"]).sum()
    some = unscored.index[(unscored > 0) & (unscored < settings)].tolist()
    never = unscored.index[unscored == settings].tolist()
    parts = {
        f"{_keep(len(keep))} in all {settings} settings": keep,
        f"{verb(len(turned), 'change')} sides": turned,
        f"{verb(len(some), 'lack')} a score in some settings": some,
        f"{verb(len(never), 'lack')} one in every setting": never,
    }
    sides = (f"no. {listed(ids, most=9)} {what}" for what, ids in parts.items() if ids)
    return f"{capital('; '.join(sides))}."


def other_verdicts(tried: pd.DataFrame, frame: pd.DataFrame) -> dict[int | str, str]:
    """Prediction -> on which other rows the other rule holds, a sentence; those that nothing turns are left out.

    tried: `predictions.turns`; frame: the panel, which tells whose scores were read in a transcription.
    """
    via = transcribed(frame)
    on = {"release left out": "without {}", "window": "on models {}", "panel": "on the {} panel", "claimant": "on {}"}
    verbs = {"pass": "it passes", "fail": "it fails", "neither": "it meets neither rule"}
    sentences: dict[int | str, str] = {}
    for ident, rows in tried[tried["turned"]].groupby("id", sort=False):
        words = [
            f"{on[row['kind']].format(row['what'])}{' (read in a transcription)' if row['what'] in via else ''} "
            f"{verbs[row['side']]} ({row['value']:.2f}, n = {row['n']})"
            for row in rows.head(NAMED).to_dict("records")
        ]
        more = f"; and {len(rows) - len(words)} more" if len(rows) > len(words) else ""
        sentences[ident if isinstance(ident, str) else int(str(ident))] = f"Other verdict: {'; '.join(words)}{more}."
    return sentences


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
    models = dict(last.loc[last["stopped"], ["lab", "model"]].to_numpy().tolist())
    open_ = [one.card for one in scored if SWE in one.card.benchmarks and one.status not in SETTLED]
    waiting = [f"{card.id} ({card.lab}; its last: {models[card.lab]})" for card in open_ if card.lab in models]
    if not waiting:
        return f"No prediction waits for a {tables.label(SWE)} that its maker no longer states."
    return (
        f"{len(models)} of {len(last)} makers that stated {tables.label(SWE)} no longer do. Of the predictions above, "
        f"{listed(waiting)} {verb(len(waiting), 'wait')} for such a maker: unless it states one again, only a "
        f"measurement by others settles {'it' if len(waiting) == 1 else 'them'}."
    )


def ranking(ranked: pd.DataFrame) -> str:
    """Whether prediction 6 depends on the score by which the ten are chosen; `predictions.other_rankings`."""
    asked = "The paper does not say which score ranks the ten models of prediction 6"
    if ranked["between"].all():
        return f"{asked}; by either, neither rule holds."
    if ranked["status"].nunique() == 1:
        status, _, leans = ranked["status"].iloc[0].partition(" leaning ")
        return f"{asked}; either way it {f'leans to {leans}ing' if leans else f'is {status}'}."
    parts = [f"{row['status']} by {tables.label(str(row['axis']))}" for row in ranked.to_dict("records")]
    return f"{asked}: {', '.join(parts)}."


def own_check(later: pd.DataFrame) -> str:
    """The papers' own check against a guess that ignores coding; later: `frontier.later_releases`."""
    near, flat = later["h"].abs().mean(), later["h_flat"].abs().mean()
    closer = "closer than" if near < flat else "no closer than"
    return (
        f"Of {len(later)} models released after that fit, {later['inside_published'].sum()} fell inside the band "
        f"of the frozen line, {later['inside_flat'].sum()} inside that of a flat guess (one mean). The line "
        f"comes {closer} the guess: {near:.1f} against {flat:.1f} points off on average."
    )


def own(scored: Sequence[Scored]) -> str:
    """The book's own predictions, one a line, with the chance that it gave each and what became of it."""
    cards = [one.card for one in scored]
    out = [card.id for card in cards if card.after is None]
    dayless = [card.id for card in cards if card.resolves_by is None]
    unscored = [one.card.id for one in scored if one.status == CANNOT]
    lines = [
        f"- **{card.id}. {card.name}** (chance {card.chance:g} %, {_due(card)}). {in_plain(one)} {marks(card)}"
        + ("" if one.status == CANNOT else f" *{capital(one.status)}.*")
        for card, one in zip(cards, scored, strict=True)
    ]
    also = f" ({listed(out)} also {verb(len(out), 'count')} models already out)" if out else ""
    ends = f" (the tables end on {scored[0].as_of})" if scored[0].as_of < cards[0].made_on else ""
    wait = f" {listed(dayless)} {verb(len(dayless), 'wait')} for releases, without a day." if dayless else ""
    none = f" {listed(unscored, most=9)} cannot be scored yet." if unscored else ""
    return f"Made on {cards[0].made_on}{ends}, on what is released later{also}.{wait}{none}\n\n" + "\n".join(lines)


def _due(card: Prediction) -> str:
    return f"due {resolves(card)}" if card.resolves_by else resolves(card)


def marks(card: Prediction) -> str:
    """The marks of pass and fail of a prediction in short: "Pass r > 0.5; fail r < 0.3."; counts of models left out."""
    sides = []
    for side, rule in (("Pass", card.pass_rule), ("fail", card.fail_rule)):
        each = [
            f"{f'{tables.label(one.quantity.benchmarks[0])} ' if one.quantity.name == 'spread' else ''}"
            f"{one.quantity.name} {one.sign} {one.threshold:g}"
            for one in rule.comparisons
            if one.quantity.name != "n"
        ]
        sides.append(f"{side}: {f' {rule.joint} '.join(each)}")
    return f"{'; '.join(sides)}."


def remember(scored: Sequence[Scored], elsewhere: pd.DataFrame, later: pd.DataFrame) -> list[str]:
    """Three lines to remember; the arguments are those of `answer` and `own_check`."""
    keep, turned, lacking = by_setting(elsewhere)
    settled = sum(one.status in SETTLED for one in scored)
    words = [_stands(one) for one in scored]
    others = f"; the other {len(lacking)} cannot be scored everywhere" if lacking else ""
    near, flat = later["h"].abs().mean(), later["h_flat"].abs().mean()
    closer = "the line comes closer" if near < flat else "the line comes no closer"
    return [
        f"{settled or 'None'} of {len(scored)} {verb(settled or 1, 'are')} settled on {scored[0].as_of}; "
        f"{words.count('passes') or 'none'} on the side of passing, {words.count('fails') or 'none'} of failing.",
        f"{len(keep)} of {len(scored)} {_keep(len(keep))} on every panel and by every claimant, "
        f"{len(turned)} {verb(len(turned), 'do')} not{others}.",
        f"A wide band is easily hit: {of(later['inside_published'])} by the line, "
        f"{later['inside_flat'].sum()} by a guess without it; {closer} ({near:.1f} against {flat:.1f} points off).",
    ]
