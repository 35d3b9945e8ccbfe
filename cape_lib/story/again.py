"""Chapter 9 in sentences: what models of today know and admit, by reasoning, by size and under thinking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from cape_lib import claims, tables
from cape_lib.base import coupling
from cape_lib.errors import MissingError
from cape_lib.frontier import date_confound, effort, fit_line, lab_means, lab_r, variants
from cape_lib.frontier.labs import pooled_ladders
from cape_lib.frontier.variants import ADMITS, DATA_END, KNOWS, MANY_TOKENS, MEASURES, PRECISION, REASONING, WRONG
from cape_lib.stats import Z95, Estimate, ols, p_text, pearson, seen_effect, seen_words
from cape_lib.story.answer import (
    Answer,
    bracket,
    estimates,
    in_points,
    listed,
    pick,
    sign,
    span,
    times,
    verb,
    with_interval,
)
from cape_lib.tables import frontier, label, load
from cape_lib.tables.variants import DOMAINS

WORDS = {
    KNOWS: "the share of all questions answered right",
    ADMITS: "of what was not right, the share that was not wrong",
    WRONG: "the share of all questions answered wrong",
    PRECISION: "of the answers given, the share that was right",
}
#: What a rise of the measure means for making things up; of knowing it means nothing.
BETTER = {ADMITS: 1, WRONG: -1, PRECISION: 1}
HELD = ("date", "size")
#: points of GPQA up to which two models reason alike
ALIKE = 1.0


def answer(rows: pd.DataFrame | None = None, *, among: pd.DataFrame | None = None, checks: bool = True) -> Answer:
    """Does a better reasoner make up less? Over the variants of today, with three measures, and what turns the answer.

    rows: from `variants.readings`, by default all of the book; among: as for `variants.truncation`, where `rows` is one
    mode only; checks: whether the interval also names the checks that read otherwise (`hangs`).
    """
    rows = variants.readings() if rows is None else rows
    knows, wrong, precise, admits = (variants.association(rows, m) for m in (KNOWS, WRONG, PRECISION, ADMITS))
    dated, held = _dated(rows, WRONG)
    dated_precise, held_precise = _dated(rows, PRECISION)
    goes = {m: pick(r, "with", "against", "not surely with") for m, r in ((PRECISION, precise), (ADMITS, admits))}
    sentence = (
        f"**Better reasoners {knowing(knows)}; {makes_up(rows)}.** "
        f"Over {len(rows)} variants of today's models{_which(rows)}, reasoning (GPQA, hard science questions) goes "
        f"{pick(knows, 'with more', 'with fewer', 'not surely with more')} questions of fact answered right "
        f"(correlation r = {knows.estimate:.2f}), with {pick(wrong, 'more', 'fewer', 'not surely fewer')} answered "
        f"wrong (r = {wrong.estimate:.2f}), {goes[PRECISION]} more precision (right among the answers given, r = "
        f"{precise.estimate:.2f}) and {goes[ADMITS]} admitting what is not known (r = {admits.estimate:.2f}). Over the "
        f"{held.n} of known date and size r with wrong answers is {with_interval(dated)}, and {with_interval(held)} "
        f"once these are held; with precision {with_interval(dated_precise)} and {with_interval(held_precise)}. "
        f"{effort_moral(rows)}"
    )
    interval = (
        f"95 % intervals that take models of one maker (of {rows['lab'].nunique()}) as alike: right {bracket(knows)}, "
        f"wrong {bracket(wrong)}, precision {bracket(precise)}, admitted {bracket(admits)}. All measured by one "
        f"laboratory; data end {DATA_END}."
    )
    return Answer(sentence.rstrip(), "correlation", f"{interval} {hangs(rows, among=among)}" if checks else interval)


def called(measure: str) -> str:
    """What the chapter calls a measure: its label without the letter of the audit's formulas."""
    return label(measure).partition(" (")[0]


def _dated(rows: pd.DataFrame, measure: str) -> tuple[Estimate, Estimate]:
    """r of GPQA with a measure over the rows of which date and size are known: as they are, and with both held."""
    dated = rows[rows["released"].notna() & rows["params_b"].notna()]
    return variants.association(dated, measure), variants.association(dated, measure, given=HELD)


def makes_up(rows: pd.DataFrame) -> str:
    """By which measures better reasoners make up less, or more: surely, until date and size are held, or neither."""
    words, open_one = {1: "less", -1: "more", 0: "not shown"}, "not surely by {}"
    by: dict[str, list[str]] = {}
    for measure, (way, held) in ways(rows).items():
        then = "" if held == way else f" ({words[held]} with date and size held)"
        by.setdefault(f"{words[way]} by {{}}{then}" if way else open_one, []).append(called(measure))
    if set(by) == {open_one}:
        return f"that they make up less is not shown by {listed(by[open_one])}"
    shown = [frame.format(listed(by[frame])) for frame in sorted(by, key=open_one.__eq__)]
    return f"they make up {', '.join(shown)}"


def ways(rows: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Measure -> whether better reasoners surely make up less by it (1), more (-1) or neither (0): so, given `HELD`."""

    def way(measure: str, held: tuple[str, ...]) -> int:
        return sign(variants.association(rows, measure, given=held)) * BETTER[measure]

    return {measure: (way(measure, ()), way(measure, HELD)) for measure in (PRECISION, WRONG, ADMITS)}


def knowing(knows: Estimate) -> str:
    """Whether better reasoners know more, for r of reasoning and the share known."""
    return pick(knows, "know more", "know less", "do not surely know more")


def moral(rows: pd.DataFrame) -> str:
    """Whether better reasoners make up less, by all measures as they are and with date and size held, in a clause."""
    every = {way for both in ways(rows).values() for way in both}
    clear = {1: "they make up less", -1: "they make up more", 0: "that they make up less is not shown"}
    return clear[every.pop()] if len(every) == 1 else "whether they make up less depends on the measure"


def _which(rows: pd.DataFrame) -> str:
    """Which mode the rows are of, to follow "models"; nothing where they are of both."""
    modes = set(rows["mode"])
    return "" if len(modes) > 1 else ", thinking" if modes == {"reasoning"} else ", not thinking"


def hangs(rows: pd.DataFrame, *, among: pd.DataFrame | None = None) -> str:
    """In how many checks the interval of r reads otherwise than over all rows, by measure; up to three are named.

    The checks: those of `variants.objections` but the arithmetic, ranks, and date and size held.
    """
    table = variants.objections(rows, among=among).query("objection != 'arithmetic'")
    parts = []
    for measure in (KNOWS, WRONG, ADMITS):
        mine = table[table["measure"] == measure]
        tried = dict(zip(mine["check"], estimates(mine, "r"), strict=True))
        tried["ranks"] = variants.association(rows, measure, rank=True)
        tried["date and size held"] = variants.association(rows, measure, given=HELD)
        whole = sign(tried.pop("all variants"))
        r = {name: one.estimate for name, one in tried.items() if sign(one) != whole}
        if not r:
            continue
        unsure = all(sign(tried[name]) == 0 for name in r)
        word = "sure" if not whole else "not sure" if unsure else "not sure or turned"
        named = listed(f"{name}, r = {one:.2f}" for name, one in r.items())
        which = named if len(r) <= 3 else f"r from {span(r.values(), '.2f')}"
        parts.append(f"link with the *{called(measure)}* is {word} in {len(r)} of {len(tried)} checks ({which})")
    return f"The {'; the '.join(parts)}." if parts else "In all checks the links are as sure."


def _counts(pairs: pd.DataFrame) -> dict[Any, dict[Any, Any]]:
    """`effort.counted` of every score."""
    return effort.counts(pairs).set_index("score").to_dict("index")


def _split(ladders: pd.DataFrame) -> tuple[Estimate, Estimate, Estimate]:
    """The change of the share admitted over makers, points: the whole, what it would be with as many wrong answers as
    before, and what is left. The first is the sum of the others.
    """
    parts = ladders.assign(left=ladders[ADMITS] - ladders[effort.BY_KNOWING])
    whole, held, left = (effort.over_makers(parts, score) for score in (ADMITS, effort.BY_KNOWING, "left"))
    return whole, held, left


def effort_moral(rows: pd.DataFrame) -> str:
    """What more effort does at the same weights, and thinking switched on; empty without ladders of effort."""
    try:
        ladders = effort.effort_ladders(rows)
    except MissingError:
        return ""
    count = _counts(ladders)
    knows, known = most_moved(count[KNOWS])
    return (
        f"{of_models(ladders)} more effort at the same weights {knows} what is known in {known}; {admit(ladders)}. "
        f"{_invents(rows)}"
    ).rstrip()


def of_models(ladders: pd.DataFrame) -> str:
    """How many models were measured at several efforts, and how many of them one maker has: a sentence's start.

    ladders: `effort.effort_ladders`, here and in `admit`.
    """
    return f"Of {len(ladders)} models ({ladders['lab'].value_counts().iloc[0]} are one maker's)"


def admit(ladders: pd.DataFrame, *, over: bool = True) -> str:
    """How many of `of_models` admit less (or more) at more effort.

    over: also whether that is sure over makers, corrected for asking four measures.
    """
    way, most = most_moved(effort.counted(ladders, ADMITS))
    less = "less" if way == "lowers" else "more"
    sure = "sure" if effort.student_p(ladders, ADMITS)[1] < 0.05 else "not sure"
    return f"{most} admit {less}{f' (over makers {sure})' if over else ''}"


def _invents(rows: pd.DataFrame) -> str:
    """Whether more effort invents more, by the doses of the wrong share and of precision; empty without doses."""
    try:
        ways = {measure: sign(effort.dose(rows, measure)) * -BETTER[measure] for measure in (WRONG, PRECISION)}
    except MissingError:
        return ""
    if len(set(ways.values())) == 1:
        more = {1: "More effort invents more.", -1: "More effort invents less."}
        return more.get(ways[WRONG], "That more effort invents more, or less, is not shown.")
    words = {1: "more", -1: "less", 0: "neither surely"}
    by = listed(f"{words[way]} by {called(measure)}" for measure, way in ways.items())
    return f"Whether more effort invents more depends on the measure: {by}."


def most_moved(count: dict[Any, Any]) -> tuple[str, int]:
    """What a lever did to a score in most models, and in how many; count: `effort.counted`."""
    return ("raises", count["rose"]) if count["rose"] >= count["fell"] else ("lowers", count["fell"])


def _switched_on(rows: pd.DataFrame) -> str:
    """What thinking switched on does to the share admitted, to follow what more effort does; empty without pairs."""
    try:
        on = effort.counted(effort.off_and_on(rows), ADMITS)
    except MissingError:
        return ""
    way, most = most_moved(on)
    makers = on["makers_up"] if way == "raises" else on["makers"] - on["makers_up"]
    more = "more" if way == "raises" else "less"
    return f"; with thinking switched on {most} of {on['n']} admit {more} (by maker: {makers} of {on['makers']})"


def alike(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.Series], np.ndarray]:
    """The best twentieth of the thinking models; the two of them that reason alike and differ most in wrong answers,
    the one with fewer first; and how far each two that reason alike are apart in wrong answers (points).
    """
    top = rows[(rows["mode"] == "reasoning") & (rows[REASONING] >= rows[REASONING].quantile(0.95))]
    first, second = np.triu_indices(len(top), 1)
    gpqa, wrong = (top[score].to_numpy(float) for score in (REASONING, WRONG))
    near = np.abs(gpqa[first] - gpqa[second]) <= ALIKE
    gaps = np.abs(wrong[first] - wrong[second])[near]
    pair = [int(one[near][gaps.argmax()]) for one in (first, second)]
    return top, [top.iloc[k] for k in sorted(pair, key=lambda k: wrong[k])], gaps


def twins(rows: pd.DataFrame) -> str:
    """Two thinking models that reason alike and differ most in wrong answers."""
    _, (less, more), gaps = alike(rows)
    first, second = (
        f"{row[KNOWS]:.0f} % right, {row[WRONG]:.0f} % wrong, and leaves {row['rest']:.0f} %" for row in (less, more)
    )
    return (
        f"Of {times(len(gaps), 'pair')} that reason alike **{less['model']}** and **{more['model']}** differ most: "
        f"GPQA {less[REASONING]:.0f} and {more[REASONING]:.0f}. The first answers {first}; the second {second}."
    )


def twins_answer(rows: pd.DataFrame) -> str:
    """Which of the two of `twins` makes up less, by each of the three measures that tells them apart beyond noise."""
    _, pair, _ = alike(rows)
    better: dict[str, list[str]] = {}
    within = []
    for measure in (WRONG, ADMITS, PRECISION):
        first, second = (float(one[measure]) for one in pair)
        z = (first - second) / float(np.hypot(*(one[f"{measure}_stderr"] for one in pair)))
        scores = f"{called(measure)} {first:.0f} against {second:.0f} %"
        if abs(z) < Z95:
            within.append(f"{scores} ({abs(z):.1f} standard errors)")
        else:
            better.setdefault("the first" if z * BETTER[measure] > 0 else "the second", []).append(scores)
    parts = [f"{word} by {listed(measures)}" for word, measures in better.items()]
    lead = f"Which makes up less depends on the measure: {'; '.join(parts)}"
    if not better:
        lead = "By none of the three does one surely make up less"
    elif len(better) == 1:
        (word, measures), count = *better.items(), ("one of the three", "two of the three", "all three")
        lead = f"By {count[len(measures) - 1]} {word} makes up less: {listed(measures)}"
    return f"{lead}{f'; within noise: {listed(within)}' if within else ''}."


def twins_usual(rows: pd.DataFrame) -> str:
    """How far two models that reason alike are usually apart: the pair of `twins` is the extreme of many."""
    top, _, gaps = alike(rows)
    return (
        f"These two are the extremes of {len(gaps)} pairs within {ALIKE:g} point of GPQA, among {len(top)} models of "
        f"{top['lab'].nunique()} makers. Usually such a pair is {np.median(gaps):.0f} points apart in wrong answers; "
        f"one in ten is more than {np.quantile(gaps, 0.9):.0f}."
    )


def r_line(r: Estimate, measure: str) -> str:
    """One correlation as a sentence."""
    return f"r(GPQA, {called(measure)}) = **{r.estimate:.2f}** {bracket(r)} over {r.n} variants."


def measure_reading(rows: pd.DataFrame, measure: str) -> str:
    """What one measure says about better reasoners, with r given date and size beside it."""
    r = variants.association(rows, measure)
    known, partial = _dated(rows, measure)
    reading = "knowing, not admitting"
    if measure in BETTER:
        moral = {1: "better reasoners make up less", -1: "better reasoners make up more", 0: "no clear link"}
        plain, held = (moral[sign(one) * BETTER[measure]] for one in (r, partial))
        reading = plain if plain == held else f"{plain}; given date and size, {held}"
    return (
        f"**{called(measure)}**, {WORDS[measure]}, "
        f"{pick(r, 'rises with GPQA', 'falls with GPQA', 'does not surely go with GPQA')}: r = {with_interval(r)}, "
        f"n = {r.n}; where date and size are known {known.estimate:.2f}, given these {with_interval(partial)}, n = "
        f"{partial.n}. By this measure: {reading}."
    )


def measures_disagree(rows: pd.DataFrame) -> str:
    """Whether the three measures of making things up agree on the moral."""
    words = {1: "better", -1: "worse", 0: "open"}
    plain, held = (
        {m: words[sign(variants.association(rows, m, given=given)) * way] for m, way in BETTER.items()}
        for given in ((), HELD)
    )
    first, second = (listed(f"{called(m)} {word}" for m, word in ways.items()) for ways in (plain, held))
    lead = "The three measures agree" if len(set(plain.values())) == 1 else "**The moral depends on the measure**"
    return f"{lead}: {first}. Given date and size: {second}. (Better: less made up; open: the interval holds zero.)"


def sure(rows: pd.DataFrame) -> str:
    """How sure the correlations are where other questions are asked of the same models: domains as replicates."""
    over = {m: variants.by_domain(rows, m)[1] for m in (ADMITS, WRONG)}
    makers = [variants.association(rows, m) for m in over]
    narrower = [d.high - d.low < m.high - m.low for d, m in zip(over.values(), makers, strict=True)]
    doubt = "narrower" if all(narrower) else "no narrower" if not any(narrower) else "not always narrower"
    each = " and ".join(f"{with_interval(one)} for the {called(m)}" for m, one in over.items())
    return f"Over the six domains r is {each}. That is {doubt} than over makers: the domains ask the same models."


def power(table: pd.DataFrame) -> str:
    """How many readings hold zero, and which r would have been seen in them; table: `variants.objections`."""
    open_ones = table[(table["low"] <= 0) & (table["high"] >= 0)]
    if open_ones.empty:
        return f"All {len(table)} readings leave zero out."
    seen = [seen_effect(r, scale="fisher") for r in estimates(open_ones, "r")]
    named = listed([label(m) for m in MEASURES if m in set(open_ones["measure"])])
    return (
        f"{len(open_ones)} of {len(table)} readings hold zero ({named}). *Not shown* is not *none*: they could miss "
        f"any r below {span(seen, '.2f')}."
    )


def effort_text(rows: pd.DataFrame, ladders: pd.DataFrame, *, change: Estimate) -> str:
    """The count of ladders of effort by four measures, makers named, and whether more knowledge makes a part of it.

    ladders: `effort.effort_ladders` of the rows; change: that of the share admitted over their makers, points.
    """
    count, makers, (_, held, _) = _counts(ladders), ladders["lab"].value_counts(), _split(ladders)
    part = "A part of the fall may be only that more is known. " if max(change.estimate, held.estimate) < 0 else ""
    return (
        f"Of {len(ladders)} models at two or more efforts, from {times(len(makers), 'maker')} ({makers.iloc[0]} by "
        f"{makers.index[0]}), GPQA rises in {count[REASONING]['rose']} and the share known in {count[KNOWS]['rose']}. "
        f"The share admitted **falls in {count[ADMITS]['fell']}**; by maker it changes by {in_points(change)} points "
        f"(not corrected). {part}The wrong share rises in {count[WRONG]['rose']}, precision in "
        f"{count[PRECISION]['rose']}. {from_minimal(rows)}"
    ).rstrip()


def from_minimal(rows: pd.DataFrame) -> str:
    """The share admitted where a setting named minimal that does not think counts as an effort; empty without one."""
    if not ((rows["effort"] == effort.MINIMAL) & (rows["mode"] == "none")).any():
        return ""
    ladders = effort.effort_ladders(rows, minimal=True)
    change = effort.over_makers(ladders, ADMITS)
    return (
        f"*Minimal*, which does not think, is not counted; from it on the share admitted falls in "
        f"{(ladders[ADMITS] < 0).sum()} of {len(ladders)}, by maker {in_points(change)}: "
        f"{pick(change, 'a sure rise', 'a sure fall', 'not sure')}."
    )


def effort_sure(rows: pd.DataFrame) -> str:
    """The dose with its interval, how many single changes are beyond noise, and the p over makers."""
    ladders, slopes = effort.effort_ladders(rows), effort.slopes(rows, ADMITS)
    moved, (_, p) = effort.counted(ladders, ADMITS), effort.student_p(ladders, ADMITS)
    (way, most), (admits, more, precise) = most_moved(moved), _doses(rows)
    together = max(moved["makers_up"], moved["makers"] - moved["makers_up"])
    agree = f"All {together}" if together == moved["makers"] else f"{together} of {moved['makers']}"
    return (
        f"{moved['sure']} of the {most} {'falls' if way == 'lowers' else 'rises'} are beyond the noise of the "
        f"questions (1.96 standard errors). {agree} makers agree; for the makers' mean, corrected for four measures, "
        f"{p_text(p)}. Ten times the reasoning tokens change the share admitted by {admits} points, the wrong share by "
        f"{more} and precision by {precise} ({len(slopes)} models with any two thinking variants; "
        f"{slopes['lab'].nunique()} makers as replicates)."
    )


def _doses(rows: pd.DataFrame) -> list[str]:
    """Points for ten times the reasoning tokens, with intervals: share admitted, wrong share, precision."""
    return [in_points(effort.dose(rows, score)) for score in (ADMITS, WRONG, PRECISION)]


def doubts(rows: pd.DataFrame) -> list[str]:
    """Objections to the correlations that no row of `variants.objections` answers, a sentence each with its check."""
    tests = [_r(rows, test) for test in variants.ALL_TESTS]
    r = {name: _r(variants.of_domain(rows, name), KNOWS) for name in DOMAINS}
    science = r.pop("science")
    hidden = [1 - variants.reliability(part) ** 0.5 for part in (rows, rows[rows[REASONING] > 80])]
    every = tables.variants()
    missing = every[every[[KNOWS, ADMITS]].isna().any(axis=1)]
    seen = missing[REASONING].dropna()
    return [
        f"*Any two tests go together.* GPQA goes with {len(tests)} other tests at r from {span(tests, '.2f')} "
        f"(median {np.median(tests):.2f}), and with the share known at "
        f"{_r(rows, KNOWS):.2f}: knowing is a part of what all tests share, and no closer to reasoning.",
        f"*GPQA is science, and so is a sixth of the questions.* In science r with the share known is "
        f"{science:.2f}; in the other domains it lies between {min(r.values()):.2f} and {max(r.values()):.2f}.",
        f"*Noise.* The questions of GPQA are few: their noise takes at most {hidden[0]:.0%} off any r over all "
        f"variants, and {hidden[1]:.0%} above GPQA 80.",
        f"*What was not measured.* {len(missing)} of {len(every)} variants have no score of facts. Half of the "
        f"{len(seen)} with GPQA have less than {seen.median():.0f} there, half of the others less than "
        f"{rows[REASONING].median():.0f}: what is missing is older and weaker.",
    ]


def _r(part: pd.DataFrame, measure: str = ADMITS) -> float:
    return float(part[REASONING].corr(part[measure]))


def effort_doubts(rows: pd.DataFrame) -> list[str]:
    """Objections to the lever of effort, each with its check in a sentence."""
    ladders = effort.effort_ladders(rows)
    makers, (p, after) = ladders["lab"].nunique(), effort.student_p(ladders, ADMITS)
    admits, more, precise = _doses(rows.assign(reasoning_tokens=rows["gpqa_reasoning_tokens"]))
    fall, (whole, held, left) = ladders[ADMITS], _split(ladders)
    seen = seen_words(seen_effect(left), digits=1)
    sure = pick(left, "a sure rise", "a sure fall", f"not shown; {seen}" if seen else "not shown")
    as_many = int(((fall < 0) & (ladders[WRONG] <= 0)).sum())
    return [
        f"*The share admitted is a share of what is not known.* Where more is known it can fall with not one more "
        f"wrong answer, and so it did in {as_many} of its {int((fall < 0).sum())} falls. Over {whole.n} makers it "
        f"changes by {in_points(whole)} points: by {in_points(held)} with as many wrong answers as before, by "
        f"{in_points(left)} beyond that ({sure}). The baseline is a choice: had new right answers come from wrong and "
        f"open ones in their proportion, the share would have stayed, and all of its change is beyond that.",
        f"*Four measures are asked.* Student's p over makers is {p:.3f}, two-sided, for the share admitted, and "
        f"{after:.3f} corrected for asking four; the coin of signs gives {2.0 ** (1 - makers):.3f} at least, however "
        f"large the change.",
        f"*Who declines spends fewer tokens.* Counted on GPQA, where nothing is declined, ten times the tokens change "
        f"the share admitted by {admits} points, the wrong share by {more}, precision by {precise}.",
        "*Empty answers.* They would raise the share admitted with effort; it falls.",
    ]


def effort_hangs(checks: pd.DataFrame) -> str:
    """In which checks a majority of ladders or pairs is lost; checks: `effort.ladder_checks` or `off_on_checks`."""
    words = {"admits_fell": ("falling", "a {} share admitted"), "wrong_rose": ("rising", "a {} wrong share")}
    parts = []
    for column, (way, word) in (words | {"precision_rose": ("rising", "{} precision")}).items():
        lead = 2 * checks[column] - checks["n"]
        turned, most = checks[np.sign(lead) != np.sign(lead.iloc[0])], lead.iloc[0] > 0
        moved = turned[column] if most else turned["n"] - turned[column]
        counts = [f"{check}, {k} of {n}" for check, k, n in zip(turned["check"], moved, turned["n"], strict=True)]
        if counts:
            what = word.format(way if most else {"falling": "rising", "rising": "falling"}[way])
            parts.append(f"The majority with {what} is lost in {times(len(counts), 'check')} ({'; '.join(counts)}).")
    return " ".join(parts) or "Every check has these majorities."


def off_on_text(rows: pd.DataFrame) -> str:
    """Thinking off against its lowest effort: pairs, makers, three measures."""
    count = _counts(effort.off_and_on(rows))
    admits = count[ADMITS]
    same = "is not one thing" if 0 < admits["makers_up"] < admits["makers"] else "is the same everywhere"
    return (
        f"From no thinking to the least of it, in {admits['n']} pairs of the same weights, precision rises in "
        f"{count[PRECISION]['rose']}, the wrong share falls in {count[WRONG]['fell']}, and the share admitted rises in "
        f"{admits['rose']}. By maker it rises in {admits['makers_up']} of {admits['makers']} (the mean over makers, "
        f"{p_text(admits['p'])}): what thinking does to admitting {same}."
    )


def hump_text(rows: pd.DataFrame) -> str:
    """A little thought admits more, more thought less: how many models, beside two planted nulls."""
    one = effort.hump(rows)
    return (
        f"*A little thought admits more, more thought less?* {one.humped} of {one.n} models with all three settings, "
        f"from {times(one.makers, 'maker')}, have that hump. Where thinking did nothing, a third would; where it only "
        f"lowered, {one.trend_share:.0%}, because both steps share the low point. {p_text(one.p, 'greater')}, against "
        f"a third, with models taken for independent: {'a hypothesis' if one.p < 0.05 else 'no more than chance gives'}"
        f", and {one.makers} makers are few."
    )


def one_laboratory() -> str:
    """The frontier where one agent and one laboratory measured all: its line, and the row that moves it most, beside
    that of the makers' own values; r given the version of the agent, and given the makers' dates as in chapter 6
    (`frontier.date_confound`); labs off the line.
    """
    rows = frontier("independent").dropna(subset=["swe_bench_verified", "gpqa_diamond"]).reset_index(drop=True)
    one, other = fit_line(rows, panel="independent"), fit_line(frontier("corrected"), panel="corrected")
    slopes = {name: fit_line(rows.drop(i), panel="independent").slope for i, name in rows["model"].items()}
    far = max(slopes, key=lambda name: abs(slopes[name] - one.slope))
    means = lab_means(frontier("independent"), chosen=one, core_only=False)
    off = [f"{lab} {h.estimate:+.1f}" for lab, h in zip(means["lab"], estimates(means, "mean"), strict=True) if sign(h)]
    agents = load("frontier_independent").set_index("model")["swe_agent"]
    version = rows["model"].map(agents).str.extract(r"v1\.(\d+)", expand=False).astype(float)
    day, dated = rows["released"].astype("int64").astype(float), date_confound(rows)
    upper = lab_r(rows[rows["swe_bench_verified"] >= 65])
    return (
        f"Measured by one agent and one laboratory, {one.fit.n} releases lie on GPQA = {with_interval(one.fit.slope)} "
        f"SWE {one.intercept:+.0f} (r = {one.fit.r:.2f}); without {far} alone the slope is {slopes[far]:.2f}. On the "
        f"makers' own values it is {with_interval(other.fit.slope)} (n = {other.fit.n}). r(SWE, GPQA) = "
        f"{with_interval(dated['r'])} over {dated['r'].n} releases; given the version of the agent "
        f"{with_interval(lab_r(rows, given=version))}, given the makers' dates {with_interval(dated['partial'])}; from "
        f"SWE 65 on {with_interval(upper)} (n = {upper.n}), labs left out in turn. Versions of the agent go with the "
        f"date (r = {version.corr(day):.2f}), so that neither can be told from the other. Of {len(means)} labs these "
        f"have a mean h whose interval leaves zero out: {listed(off)}."
    )


def surviving(panel: str = "independent") -> pd.DataFrame:
    """The papers' frontier claims that a panel can judge: claim, its sentence, its conclusion there, by which test, and
    what that test rests on (releases, labs or steps).
    """
    ids = [one for one in claims.claim_ids() if panel in claims.panels_of(one)]
    rows = [
        (one.id, one.sentence, one.conclusion, one.conclusion_test.name, one.conclusion_test.n)
        for one in claims.evaluate(ids, panel=panel)
    ]
    return pd.DataFrame(rows, columns=["claim", "says", "conclusion", "tested by", "rests on"]).convert_dtypes()


# --- by size ---------------------------------------------------------------------------------------------------------


def thinking_sizes(
    rows: pd.DataFrame, generation: str, aside: str = "loses", *, ran_out: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The thinking variants of one generation by size: all, and those that a column `aside` of `ran_out` leaves.

    ran_out: `variants.truncation` of the rows. MissingError names the generations that have three sizes.
    """
    ran_out = variants.truncation(rows) if ran_out is None else ran_out
    sized = rows[(rows["mode"] == "reasoning") & rows["params_b"].notna()]
    family = sized[sized["generation"] == generation].sort_values("params_b")
    if len(family) < 3:
        counts = sized["generation"].value_counts().sort_index()
        names = ", ".join(counts.index[counts > 2].astype(str))
        raise MissingError(f"{generation!r} has fewer than three thinking sizes; these have them: {names}")
    return family, family[~ran_out.loc[family.index, aside]]


def artefact(rows: pd.DataFrame, generation: str = "Qwen3.5", *, ran_out: pd.DataFrame | None = None) -> str:
    """One family in reasoning mode, with and without the sizes that ran out of tokens (as for `thinking_sizes`)."""
    family, left = thinking_sizes(rows, generation, ran_out=ran_out)
    r = _r(family)
    if len(left) == len(family):
        sizes = f"these {len(family)} sizes of {generation}, none of which loses by thinking"
        return f"Over {sizes}, r(GPQA, admitted) = {r:.2f}."
    worst, lost = family.drop(left.index).iloc[0], len(family) - len(left)
    why = "It loses by thinking, though not for want of tokens."
    if worst["reasoning_tokens"] > MANY_TOKENS:
        why = "It ran out, and an empty answer is graded as not attempted."
    return (
        f"Over the {len(family)} sizes of {generation}, thinking, r(GPQA, admitted) = **{r:.2f}**: the better "
        f"they reason, the {'less' if r < 0 else 'more'} they admit? Look at {worst['model']}: it spends "
        f"{worst['reasoning_tokens']:,.0f} reasoning tokens and {worst['answer_tokens']:.0f} tokens of answer a "
        f"question, and scores {worst[REASONING]:.0f} on GPQA, where guessing gives 25. {why} "
        f"Without the {times(lost, 'size')} that {verb(lost, 'lose')} by thinking, r = {_r(left):.2f} over "
        f"{len(left)}, and r with the wrong share goes from {_r(family, WRONG):+.2f} to {_r(left, WRONG):+.2f}."
    )


def control(rows: pd.DataFrame, generation: str = "Qwen3.5") -> str:
    """The control of the artefact: the same sizes without thinking, where no token is spent on it."""
    family, _ = thinking_sizes(rows, generation)
    part = rows[(rows["generation"] == generation) & (rows["mode"] == "none")]
    still = part[part["params_b"].isin(family["params_b"])].drop_duplicates("params_b")
    if len(still) < 3:
        return f"{generation} was not measured without thinking at three of its sizes."
    opposite = _r(still) * _r(family) < 0
    turned = "It turns with the mode, so that size alone does not make it" if opposite else "It does not turn"
    return f"The same {len(still)} sizes without thinking: r(GPQA, admitted) = {_r(still):+.2f}. {turned}."


def family_text(rows: pd.DataFrame, generation: str) -> str:
    """r of GPQA with q and with the wrong share in one generation, with and without what ran out."""
    family, left = thinking_sizes(rows, generation, "set_aside")
    parts = {"all": family, "without what ran out": left, "without the two smallest": family.iloc[2:]}
    readings = [
        f"{word} ({len(part)} sizes) {_r(part):.2f} with the share admitted, {_r(part, WRONG):.2f} with the wrong share"
        if len(part) > 2
        else f"{word} {len(part)} left, too few for an r"
        for word, part in parts.items()
    ]
    return f"**{generation}**, thinking: {'; '.join(readings)}."


def sizes(rows: pd.DataFrame) -> pd.DataFrame:
    """Each measure over whole ladders by size: all variants, also by active size, and without those that ran out.

    Returns measure, rows, size, ladders, surely_rise and surely_fall (after Holm), and the change in points a point of
    GPQA pooled by random effects (pooled, low, high, tau: the spread between ladders).
    """
    steady = variants.both(rows)
    ways = [(which, "total", variants.size_ladders(part)) for which, part in steady.items()]
    ways.insert(1, ("all", "active", variants.size_ladders(rows, size="params_b_active")))
    table = []
    for measure in MEASURES:
        for which, size, part in ways:
            ladders = coupling.whole_ladders(part, x=REASONING, y=measure)
            sure, mean = ladders[ladders["p_holm"] < 0.05], pooled_ladders(ladders)
            row = {"measure": measure, "rows": which, "size": size, "ladders": len(ladders)}
            row |= {"surely_rise": int((sure["dy"] > 0).sum()), "surely_fall": int((sure["dy"] < 0).sum())}
            row |= {"pooled": mean.common, "low": mean.common_low, "high": mean.common_high, "tau": mean.tau}
            table.append(row)
    return pd.DataFrame(table)


def sizes_text(table: pd.DataFrame) -> str:
    """What the table `sizes` says of active size against total, and of the variants that ran out."""
    first: dict[str, Estimate] = {}
    turned = []
    for row, pooled in zip(table.to_dict("records"), estimates(table, "pooled"), strict=True):
        if sign(pooled) != sign(first.setdefault(row["measure"], pooled)):
            turned.append(f"{label(row['measure'])} ({row['rows']}, {row['size']} size)")
    reads = listed(f"the {label(m)} {pick(r, 'rises', 'falls', 'does neither surely')}" for m, r in first.items())
    total, active = table["ladders"].iloc[:2]
    stands = f"Otherwise: {listed(turned)}." if turned else "It is so by active size and without what ran out."
    return (
        f"With each point of GPQA, pooled over {total} ladders by total size and {active} by active, {reads}. {stands}"
    )


def turn_text(rows: pd.DataFrame, measure: str = ADMITS) -> str:
    """Whether the local coupling of today's ladders turns at 3.5 B: falling steps below and above, by Fisher's test."""
    steps = coupling.local_couplings(variants.size_ladders(rows), x=REASONING, y=measure)
    middle, apart = (steps["params_b_low"] * steps["params_b_high"]) ** 0.5, steps["gamma"] < 0
    sizes = pd.cut(middle, [0, 3.5, 10, np.inf], right=False, labels=["below 3.5 B", "from 3.5 to 10 B", "above"])
    falls = apart.groupby(sizes, observed=True).agg(["sum", "count"])
    parts = listed(f"{word} in {n} of {of}" for word, n, of in falls.itertuples())
    small = middle < 3.5
    p = float(fisher_exact(pd.crosstab(small, apart)).pvalue) if small.nunique() * apart.nunique() == 4 else 1.0
    turn = f"a turn at 3.5 B is not shown ({p_text(p)}, and {times(int(small.sum()), 'step')} below are few)"
    if small.nunique() < 2:
        turn = "steps on one side of 3.5 B cannot show a turn there"
    elif p < 0.05:
        more = "more" if apart[small].mean() > apart[~small].mean() else "less"
        turn = f"below 3.5 B they do so {more} often ({p_text(p)})"
    return f"Step by step the {called(measure)} and GPQA move apart {parts}: {turn}."


def starts_in_doubt(ladders: pd.DataFrame, rows: pd.DataFrame, *, among: pd.DataFrame | None = None) -> list[str]:
    """The ladders whose smallest size loses by thinking: what they do over sizes may be that size running out.

    ladders: `coupling.whole_ladders` of `variants.size_ladders` of the rows; among: as for `variants.truncation`.
    """
    loses = set(rows.loc[variants.truncation(rows, among=among)["loses"], "model"])
    return list(ladders.loc[ladders["smaller"].isin(loses), "ladder"])


def remember(
    rows: pd.DataFrame, generation: str = "Qwen3.5", *, among: pd.DataFrame | None = None
) -> tuple[str, str, str]:
    """Three lines: what goes with reasoning, what one family hangs on, what thinking does.

    rows: for the first line; among: all modes, for the other two (by default `rows`).
    """
    every = rows if among is None else among
    knows, admits = (variants.association(rows, m) for m in (KNOWS, ADMITS))
    _, held = _dated(rows, WRONG)
    family, left = thinking_sizes(every, generation)
    lead = f"Among models{_which(rows)[1:]}, reasoning" if _which(rows) else "Reasoning"
    doubt = " (interval holds zero)" if pearson(left[REASONING], left[ADMITS]).contains(0.0) else ""
    without = f" and {_r(left):.2f} over the {len(left)} that did not lose by thinking{doubt}"
    ladders = effort.effort_ladders(every)
    return (
        f"{lead} {pick(knows, 'goes with', 'goes against', 'does not surely go with')} knowing (r = "
        f"{knows.estimate:.2f}), {pick(admits, 'and also with', 'and against', 'and not surely with')} admitting "
        f"(r = {with_interval(admits)}); given date and size, r with wrong answers is "
        f"{with_interval(held)}.",
        f"In {generation}, thinking, r with admitting is {_r(family):.2f} over {len(family)} sizes"
        f"{without if len(left) < len(family) else ''}: count tokens before you read a score.",
        f"{of_models(ladders)} at more effort {admit(ladders)}{_switched_on(every)}.",
    )


def measure_rows(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Rows of the figure `measure_plane`: a point a variant and the two ends of the line."""
    points = rows[["model", "lab", REASONING, measure, "mode"]].round(1).replace({"mode": variants.MODES})
    points = points.set_axis(["model", "maker", "gpqa", "value", "mode"], axis=1).dropna(subset=["value"])
    fit = ols(points["gpqa"], points["value"])
    ends = pd.DataFrame({"gpqa": [points["gpqa"].min(), points["gpqa"].max()]})
    ends["value"] = np.clip(fit.at(ends["gpqa"]), 0, 100)
    both = pd.concat([points.assign(kind="variant"), ends.assign(kind="line")], ignore_index=True)
    return both.assign(measure=called(measure))


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose column `score` or `measure` names scores, for reading."""
    return table.assign(**{name: table[name].map(label) for name in ("score", "measure") if name in table})


def wide_by(parts: Sequence[pd.DataFrame], keys: Sequence[str]) -> pd.DataFrame:
    """Tables of one measure each (columns keys, r, measure) side by side, a column a measure."""
    wide = pd.concat(parts).pivot(index=list(keys), columns="measure", values="r")[list(MEASURES)]
    return wide.rename(columns=label).rename_axis(columns=None).reset_index()
