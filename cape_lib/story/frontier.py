"""Chapter 6 in sentences: where a release lies about the line, and what outlives dates, labs and corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from cape_lib import frontier, tables
from cape_lib.claims import Verdict
from cape_lib.frontier import FrontierLine
from cape_lib.stats import Estimate, Line, p_short, p_text, seen_effect
from cape_lib.story.answer import (
    Answer,
    between,
    bracket,
    capital,
    estimates,
    in_points,
    listed,
    named,
    of,
    pick,
    sign,
    span,
    times,
    verb,
    with_interval,
)
from cape_lib.tables import label
from cape_lib.tables.frontier import STOPPED_AFTER

X, Y = "swe_bench_verified", "gpqa_diamond"
LEVEL = 0.05
#: Scores that lie nearer are one score (points).
DIFFERS = 0.05
SHORT = {X: "SWE", Y: "GPQA"}
#: Statuses of a cell of the published panel for which no statement of the maker was found.
NO_STATEMENT = ("unchecked", "independent only")
SINCE = ["lab", "model", "release_date", "later"]
#: What a correlation of the calendar is called in a chart, in its order.
PLAIN, HELD = "as it is", "date held fixed"
#: The question of `frontier.lab_permutation` that is asked of all labs at once.
LABS_DIFFER = "do labs differ in h?"
#: Claims on the mean h of one lab.
OF_LABS = ("C20", "C21", "C22", "C23")
#: The lines that a reader of today chooses from.
CHOICE = ("current", "frozen", "independent")


def labs_differ(tests: pd.DataFrame, *, who: str = "they", correction: str = "Holm", missed: bool = True) -> str:
    """Whether labs differ in h beyond shuffled names, with p and what could be missed, as part of a sentence.

    tests: `frontier.lab_permutation`;  correction: of p, "" to leave it unsaid;  missed: whether that is said.
    """
    test = tests.set_index("question").to_dict("index")[LABS_DIFFER]
    differ = test["p_corrected"] < LEVEL
    p = p_text(test["p_corrected"], test["sided"], correction=correction)
    if missed and not differ and np.isfinite(test["seen"]):
        p += f"; a spread of labs below {test['seen']:.0f} points could be missed"
    return f"{f'{who} differ by more than shuffled names do' if differ else 'no difference is shown'} ({p})"


def of_current(now: pd.DataFrame) -> str:
    """The rows of a test of every release of the current panel, part of a sentence; `frontier.lab_permutation`."""
    return f"over all {now['n'].iloc[0]} releases of the current panel"


def on_current(now: pd.DataFrame, core: pd.DataFrame) -> str:
    """Whether labs differ on the current panel, part of a sentence; tests of every release there, and of core ones."""
    ps = [float(one.loc[one["question"] == LABS_DIFFER, "p_corrected"].iloc[0]) for one in (core, now)]
    if (ps[0] < LEVEL) == (ps[1] < LEVEL):
        return f"{of_current(now)} {labs_differ(now, correction='')}"
    return (
        f"on the current panel it hangs on which releases count (p = {p_short(ps[0])} over {core['n'].iloc[0]} core "
        f"ones, {p_short(ps[1])} over all {now['n'].iloc[0]}, one-sided)"
    )


def answer(
    h: pd.DataFrame,
    tests: pd.DataFrame,
    after: pd.DataFrame,
    now: pd.DataFrame,
    core: pd.DataFrame,
    *,
    own: pd.DataFrame,
    family: str,
) -> Answer:
    """Does a release reason better or worse than its coding predicts, and does that say anything about its lab?

    h: `frontier.h_field`; tests, after, now, core: `frontier.lab_permutation` of these rows, of the corrected ones, and
    of every and every core release of the current panel; own: the reader's releases, or none.
    """
    wide = h["h_high"] - h["h_low"]
    interval = f"The interval of one h (off this page's line) is {wide.min():.0f} to {wide.max():.0f} points wide."
    mine = h[h["model"].isin(own["model"])] if len(own) else own
    if len(mine):
        beyond = mine.loc[(mine["h_low"] > 0) | (mine["h_high"] < 0), "model"]
        sentence = (
            f"**{len(beyond)} of {times(len(mine), 'release')}** of {family or 'your lab'} {verb(len(beyond), 'lie')} "
            f"farther from the line than releases scatter{named(beyond)}; on average h is "
            f"{mine['h'].mean():+.1f} points."
        )
        return Answer(sentence, "single case", interval)
    outside = int(h["outside"].sum())
    lead = "Few releases stand out" if outside <= 0.2 * len(h) else "Many releases stand out"
    if binom.sf(outside - 1, len(h), 0.05) > LEVEL:
        lead = "No more releases stand out than by chance"
    sentence = (
        f"**{lead}**: {outside} of {len(h)} {verb(outside, 'lie')} outside the range that the others predict, where "
        f"chance alone gives {len(h) / 20:.1f}. Labs: on these rows {labs_differ(tests, correction='')}; with "
        f"corrected scores {labs_differ(after, correction='')}; {on_current(now, core)}."
    )
    return Answer(sentence, "correlation", interval)


def example(h: pd.DataFrame, own: pd.DataFrame) -> pd.Series:
    """The release to begin with: the reader's first, or the newest one known."""
    mine = h[h["model"].isin(own["model"])] if len(own) else own
    return mine.iloc[0] if len(mine) else h.sort_values(["released", "model"]).iloc[-1]


def _h(one: pd.Series) -> Estimate:
    return Estimate(one["h"], one["h_low"], one["h_high"], 1, one["line"])


def release(name: str, one: pd.Series, *, aside: str = "") -> str:
    """What two scores say of a release, h never without its line and interval.

    one: a row of `frontier.read_h`;  aside: what stands behind the name, as `only_published` has it.
    """
    reading = pick(
        _h(one),
        "that is farther above the line than releases scatter",
        "that is farther below the line than releases scatter",
        "an ordinary release can lie as far from the line",
    )
    low, high = one.ordinary_low - one.expected, one.ordinary_high - one.expected
    return (
        f"{name}{aside}: the {one.line} line expects {one.expected:.1f} % on {label(Y)}, so h = **{one.h:+.1f}** "
        f"points. 95 % of releases with that coding score fall between {one.ordinary_low:.0f} and "
        f"{one.ordinary_high:.0f} %, h from {low:+.0f} to {high:+.0f}: {reading}. The 95 % interval of h (narrower "
        f"near 0 and 100 %) is {bracket(_h(one), digits=1, signed=True)}."
    )


def other_lines(name: str, x: float, y: float) -> str:
    """Which line is for what, and h of one release from each: of today, printed, without makers' values."""
    uses = "; ".join(f"*{line}* {frontier.LINES[line].split('; use it ')[1]}" for line in CHOICE)
    rows = [frontier.read_h(x, y, frontier.line(line)).iloc[0] for line in CHOICE]
    reads, today = [_h(row) for row in rows], rows[0]
    each = ", ".join(f"{in_points(h)} on the {h.method} line" for h in reads)
    off = sum(sign(h) != 0 for h in reads)
    low, high = (today[end] - today["expected"] for end in ("ordinary_low", "ordinary_high"))
    shown = f"{off} of {len(reads)} intervals leave out zero"
    if not off:
        limits = f"h below {low:+.0f} or above {high:+.0f} on the {today['line']} line leaves zero out"
        shown = f"every interval holds zero: nothing is shown. With this coding score an {limits}"
    return f"Which line? {uses}. {name} has h = {each}; {shown}."


def corrected(before: pd.DataFrame, after: pd.DataFrame, effects: pd.DataFrame) -> str:
    """What correcting the scores does to the line, with the interval of the change, and which releases it moves most.

    before, after: panels of the same models; of `before` the rows of the freeze have an r of their own;
    effects: `frontier.correction_effects` of both.
    """
    by_number = effects.set_index("number").to_dict("index")
    r, slope = by_number["r"], by_number["slope"]
    change = _change(r)
    frozen = frontier.frozen_rows(before)
    later = len(before) - len(frozen)
    split = f" ({len(frozen)} frozen, alone {frozen[X].corr(frozen[Y]):.2f}, and {later} later)" if later else ""
    steps = []
    for row in moves(before, after).head(3).to_dict("records"):
        ends = [(name, row[column], row[f"{column}_after"]) for column, name in SHORT.items()]
        ways = [f"{name} {old:.0f} to {new:.0f}" for name, old, new in ends if abs(old - new) > DIFFERS]
        steps.append(f"{row['model']} ({' and '.join(ways)})")
    return (
        f"With the makers' own values the correlation r over {len(after.dropna(subset=[X, Y]))} releases{split} "
        f"{'rises' if r['change'] > 0 else 'falls'} from {r['before']:.2f} to **{r['after']:.2f}** (change "
        f"{with_interval(change, digits=3, signed=True)}, 95 %, {change.method}: the interval {_zero(change)}); "
        f"the slope goes from {slope['before']:.2f} to {slope['after']:.2f}."
        f"{f' The largest moves: {listed(steps)}.' if steps else ''}"
    )


def _change(effect: Mapping[Any, Any]) -> Estimate:
    """The change of a number with its interval; effect: a row of `frontier.correction_effects`."""
    ends = effect["change"], effect["change_low"], effect["change_high"]
    return Estimate(*ends, int(effect["after_n"]), effect["change_method"])


def _zero(change: Estimate) -> str:
    """Whether zero is in the interval of a change, in words."""
    return "leaves zero out" if sign(change) else "holds zero"


def r_moves(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """What correcting does to r, "r goes from 0.75 to 0.86 (the interval of the change holds zero)"; both panels."""
    r = frontier.correction_effects(before, after).set_index("number").to_dict("index")["r"]
    return f"r goes from {r['before']:.2f} to {r['after']:.2f} (the interval of the change {_zero(_change(r))})"


def moves(before: pd.DataFrame, after: pd.DataFrame, *, everything: bool = False) -> pd.DataFrame:
    """The releases whose scores differ between two panels, the largest move first; everything: the others too.

    Columns model, lab, both scores, the same with "_after", and distance: both differences together (points).
    """
    both = before[["model", "lab", X, Y]].merge(after[["model", X, Y]], on="model", suffixes=("", "_after"))
    both = both.dropna(subset=[f"{X}_after", f"{Y}_after"])
    both["distance"] = sum((both[column] - both[f"{column}_after"]).abs() for column in (X, Y))
    moved = both[both["distance"] > DIFFERS].sort_values("distance", ascending=False, kind="stable")
    return both if everything else moved


def calendar(date_held: Mapping[str, Mapping[str, Estimate]]) -> pd.DataFrame:
    """r of the two scores on each panel, and what is left when the release date is held fixed.

    date_held: panel -> `frontier.date_confound` of its rows with the makers' dates.
    Returns panel, what, row, estimate, low, high, n.
    """
    rows = []
    for name, left in date_held.items():
        both = {PLAIN: left["r"], HELD: left["partial"]}
        row = f"{name} ({' and '.join(dict.fromkeys(str(one.n) for one in both.values()))})"
        for what, one in both.items():
            numbers = {"estimate": one.estimate, "low": one.low, "high": one.high, "n": one.n}
            rows.append({"panel": name, "what": what, "row": row} | numbers)
    return pd.DataFrame(rows)


def panels() -> dict[str, pd.DataFrame]:
    """Every frontier panel with the makers' dates; of the published one the rows of the freeze."""
    every = {name: tables.frontier(name) for name in tables.FRONTIER_PANELS}
    every["published"] = frontier.frozen_rows(every["published"])
    return {name: tables.dated_by_makers(rows) for name, rows in every.items()}


def _signs(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `calendar` with the date held fixed, and the sign that each settles."""
    held = table[table["what"] == HELD]
    return held.assign(sign=[sign(r) for r in estimates(held)])


def by_date(table: pd.DataFrame) -> str:
    """On how many panels a correlation is left once the date is held fixed; table: `calendar`."""
    held = _signs(table)
    above, below = (held.loc[held["sign"] == way, "panel"] for way in (1, -1))
    return (
        f"With the date held fixed, r is surely above zero on **{len(above)} of {len(held)}** panels{named(above)}; "
        f"over all of them it goes from {held['estimate'].min():+.2f} to {held['estimate'].max():+.2f}."
        f"{f' On {listed(below)} it is surely below zero.' if len(below) else ''}"
    )


def held_fixed(table: pd.DataFrame) -> str:
    """On how many panels r is surely above zero with the date held fixed, and on how many open; table: `calendar`."""
    signs = _signs(table)["sign"]
    below, left_open = int((signs < 0).sum()), int((signs == 0).sum())
    parts = [f"With the date held fixed r is surely above zero on {of(signs > 0)} panels"]
    parts += [f"surely below on {below}"] * bool(below)
    parts += [f"{left_open} {verb(left_open, 'leave')} its sign open"] * bool(left_open)
    return "; ".join(parts)


def date_power(table: pd.DataFrame) -> str:
    """The correlation that each panel would have shown with the date held fixed; table: `calendar`."""
    seen = [seen_effect(r, scale="fisher") for r in estimates(_signs(table).query("sign == 0"))]
    open_panels = f"the {times(len(seen), 'open panel')} could miss any r below"
    missed = (
        f"*Not shown* is not *none*: {open_panels} {span(seen, '.2f')}." if seen else "Every panel settles the sign."
    )
    return f"{missed} The box below judges by the claim's own releases, corrected."


def labs(means: pd.DataFrame, rows: pd.DataFrame, tests: pd.DataFrame, after: pd.DataFrame) -> tuple[str, str, str]:
    """Which labs' mean h lies off the line taken singly, as a sentence and as a title, and the test of all at once.

    means: `frontier.lab_means` of rows; tests, after: `frontier.lab_permutation` of them and of the corrected scores.
    """
    known = means[means["n"] > 1]
    above, below = known.loc[known["low"] > 0, "lab"], known.loc[known["high"] < 0, "lab"]
    title: dict[str, Any] = {"who": "labs", "correction": "", "missed": False}
    return (
        f"Of {rows['lab'].nunique()} labs {len(means)} have a core release, {len(known)} of them two or more, and so "
        f"an interval. Taken singly, above the fitted line: {listed(above)}; below: {listed(below)}.",
        f"On these scores {labs_differ(tests, **title)}; on corrected ones {labs_differ(after, **title)}",
        f"All at once, names shuffled: on these {means['n'].sum()} core releases of {len(means)} labs "
        f"{labs_differ(tests)}; on the corrected panel "
        f"{labs_differ(after)}. The means are each 95 % by themselves, not corrected for asking several labs.",
    )


def labs_now(now: pd.DataFrame, core: pd.DataFrame, verdicts: Sequence[Verdict]) -> str:
    """Whether labs differ over every release of the current panel, and which claims on labs withstand there.

    now, core: `frontier.lab_permutation` of these, and of its core releases;  verdicts: of the claims `OF_LABS` there.
    """
    withstand = [one.id for one in verdicts if one.conclusion == "withstands"]
    also = f": there {listed(withstand)} {verb(len(withstand), 'withstand')} ([chapter 8](08_claims.ipynb))"
    of_core = labs_differ(core, correction="", missed=False)
    return (
        f"{capital(of_current(now))}, core or not, {labs_differ(now)}{also if withstand else ''}; over its "
        f"{core['n'].iloc[0]} core ones {of_core}."
    )


def paths(steps: pd.DataFrame, scatter: tuple[float, int]) -> str:
    """How many changes between neighbours exceed ten points, and how many what a lab's scatter makes by chance.

    steps: `frontier.trajectories`; scatter: `frontier.within_lab_scatter`.
    """
    pairs = steps[steps["order"] > 1]
    beyond = int(pairs["kind"].isin(["step", "excursion", "open"]).sum())
    ten = int((pairs["change"].abs() > 10).sum())
    limit = float(frontier.change_limit(*scatter, 5))
    return (
        f"Of {len(pairs)} changes of h from one release of a lab to its next, "
        f"{ten} {verb(ten, 'were')} larger than ten points (the papers' sign of a change), and **{beyond}** larger "
        f"than a lab's scatter makes by chance (95 %; up to {limit:.0f} points among five releases)."
    )


def independent(table: pd.DataFrame, fit: Line) -> str:
    """What the panel without makers' values says; table: `calendar`; fit: the line through its releases."""
    plain, held = (
        estimates(table[(table["panel"] == "independent") & (table["what"] == what)])[0] for what in (PLAIN, HELD)
    )
    return (
        f"Where one agent and one laboratory measured all {fit.n} releases, r = **{fit.r:+.2f}** "
        f"({between(plain.low, plain.high, digits=2)}); with the date held fixed {held.estimate:+.2f} "
        f"({between(held.low, held.high, digits=2)}: {pick(held, 'above zero', 'below zero', 'open')})."
    )


def stopped(last: pd.DataFrame, *, day: str = "") -> str:
    """Which makers no longer state SWE-bench Verified, and since when; last: `tables.last_stated` of it.

    day: the last statement in the table.
    """
    silent = last[last["stopped"]]
    if silent.empty:
        return f"All {times(len(last), 'maker')} that stated {label(X)} still do."
    makers = [f"{lab} after {model} ({on}; {n} since)" for lab, model, on, n in silent[SINCE].to_numpy()]
    return (
        f"{f'As of {day}, ' if day else ''}**{len(silent)} of {times(len(last), 'maker')}** that stated {label(X)} "
        f"give it for none of their last {STOPPED_AFTER} or more releases: {listed(makers, most=len(makers))}."
    )


def only_published(one: pd.Series) -> str:
    """That a release's SWE-bench score has no statement of its maker, as the audit of the cells says; else nothing."""
    cells = tables.load("frontier_cells")
    own = cells[(cells["model"] == one["model"]) & (cells["benchmark"] == X) & (cells["value"] == one[X])]
    if not own["status"].isin(NO_STATEMENT).any():
        return ""
    return f" (its {one[X]:.1f} is the papers', not {one['lab']}'s)"


def remember(
    h: pd.DataFrame, line: FrontierLine, table: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame
) -> list[str]:
    """Three lines to remember.  h: `frontier.h_field` from line; table: `calendar`; the others as in `corrected`."""
    held = _signs(table)
    half = float((h["h_high"] - h["h_low"]).median()) / 2
    return [
        f"One h says little: half its interval is about {half:.0f} points ({line.name} line).",
        f"Ask for the date of release: with it held fixed, the sign of the correlation is settled on "
        f"{int((held['sign'] != 0).sum())} of {len(held)} panels.",
        f"Check both scores first: the makers' own values move {len(moves(before, after))} of "
        f"{times(len(moves(before, after, everything=True)), 'published release')}, and {r_moves(before, after)}.",
    ]


def same_slopes(test: pd.Series) -> str:
    """Part of a sentence: whether labs differ in slope, and what would have been seen; `frontier.heterogeneity`."""
    return (
        f"F = {test.f:.2f} on {test.freedom} and {test.scatter_freedom:g} degrees of freedom, {p_text(test.p, '')} "
        "(F test, one upper tail), "
        f"{test.n} models of {test.labs} labs; slopes that differ by {test.seen:.2f} (standard deviation) would have "
        "been seen"
    )


def on_panel(name: str) -> pd.DataFrame:
    """The releases of a panel with both scores; `attrs["reading"]` is their line in one sentence."""
    rows = tables.frontier(name).dropna(subset=[X, Y])[["model", "lab", "release_date", X, Y]]
    fit = frontier.fit_line(rows).fit
    line = f"GPQA = {fit.slope.estimate:.2f} SWE + {fit.intercept.estimate:.0f}"
    rows.attrs["reading"] = f"{name}: {len(rows)} releases, r = {fit.r:.2f}, {line}."
    return rows


def on_panels() -> str:
    """On how many panels the two scores rise together, and how closely, as a title."""
    r = pd.Series([frontier.fit_line(tables.frontier(name)).fit.r for name in tables.FRONTIER_PANELS])
    return f"Date not held fixed, both scores rise together on {of(r > 0)} panels, r from {span(r, '.2f')}"


def spreads_hold() -> str:
    """How often the intervals of a spread of the best and of sigma are right, and why none can be nearer to 95 %."""
    rates = tables.load("coverage").query("part == 'spread of the best'")["value"]
    return (
        f"These intervals say 95\u00a0%{tables.chapters.DAGGER}. On planted scores they hold the truth in "
        f"{rates.min():.0%} to {rates.max():.0%}, most often where the best are equal. That is the price of being "
        "right elsewhere: to leave zero out in one repeat of twenty for eight equal models, an interval would have to "
        "leave it out in one of four for five, and scores do not tell five equal models from eight."
    )


def other_cells(effects: pd.DataFrame) -> str:
    """How many cells differ between two panels, and how many of them turn a sign of h.  effects: `cell_effects`."""
    turned = int((effects["h_before"] * effects["h_after"] < 0).sum())
    return (
        f"{effects['h_after'].notna().sum()} cells differ; {turned} of them turn the sign of their model's h. h is "
        f"from the frozen line, with this one cell replaced."
    )


def other_headlines(headline: pd.DataFrame) -> str:
    """How many headline numbers leave the interval that they had.  headline: `correction_effects`."""
    half = (headline["before_high"] - headline["before_low"]) / 2
    beyond = int(((headline["after"] - headline["before"]).abs() > half).sum())
    leave, they = ("leaves", "it") if beyond == 1 else ("leave", "they")
    count = f"{beyond} of {headline['after'].notna().sum()} headline numbers"
    return f"{count} {leave} the interval that {they} had as published."
