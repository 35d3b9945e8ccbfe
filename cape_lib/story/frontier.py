"""Chapter 6 in sentences: where a release lies about the line, and what outlives dates, labs and corrections."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import frontier, tables
from cape_lib.frontier import FrontierLine, ReleaseH
from cape_lib.stats import Estimate, p_text, seen_effect
from cape_lib.story.answer import Answer, between, listed, points, times
from cape_lib.tables import label
from cape_lib.tables.frontier import STOPPED_AFTER

X, Y = "swe_bench_verified", "gpqa_diamond"
LEVEL = 0.05
SINCE = ["lab", "model", "release_date", "later"]
#: What a correlation of the calendar is called in a chart, in its order.
PLAIN, GIVEN = "as it is", "date held fixed"


def lab_test(tests: pd.DataFrame) -> dict[str, Any]:
    """The row of `frontier.lab_permutation` that asks whether labs differ in h."""
    return next(
        {str(key): value for key, value in row.items()}
        for row in tests.to_dict("records")
        if row["question"] == "do labs differ in h?"
    )


def labs_differ(tests: pd.DataFrame, *, short: bool = False) -> str:
    """Whether labs differ in h beyond shuffled names, with p and what would have been seen, as part of a sentence.

    short: p alone, without its sides, its correction and what would have been seen.
    """
    test = lab_test(tests)
    if short:
        differ = (
            "they differ by more than shuffled names do" if test["p_corrected"] < LEVEL else "no difference is shown"
        )
        return f"{differ} ({p_text(float(test['p_corrected']), '')})"
    p = p_text(float(test["p_corrected"]), test["sided"], correction="Holm")
    if not test["p_corrected"] >= LEVEL:
        return f"they differ by more than shuffled names do ({p})"
    seen = f"; {test['seen']:.0f} points would have been seen" if np.isfinite(test["seen"]) else ""
    return f"no difference is shown ({p}{seen})"


def answer(
    h: pd.DataFrame, line: FrontierLine, tests: pd.DataFrame, after: pd.DataFrame, own: pd.DataFrame, family: str
) -> Answer:
    """Does a release reason better or worse than its coding predicts, and does that say anything about its lab?

    h: `frontier.h_field` from `line`; tests, after: `frontier.lab_permutation` of these rows and of the corrected ones;
    own: the reader's releases, or none.
    """
    range_of = h["h_high"] - h["h_low"]
    interval = (
        f"From the {line.name} line; the interval of one h is {range_of.min():.0f} to {range_of.max():.0f} points wide "
        f"({times(len(h), 'release')})."
    )
    mine = h[h["model"].isin(own["model"])] if len(own) else h.iloc[:0]
    if len(mine):
        beyond = (mine["h_low"] > 0) | (mine["h_high"] < 0)
        named = f" ({listed(mine.loc[beyond, 'model'].astype(str).tolist())})" if beyond.any() else ""
        sentence = (
            f"**{int(beyond.sum())} of {times(len(mine), 'release')}** of {family or 'your lab'} "
            f"{'lies' if beyond.sum() == 1 else 'lie'} farther from the line than releases scatter{named}; on average "
            f"h is {points(float(mine['h'].mean()))}."
        )
        return Answer(sentence, "single case", interval)
    outside = int(h["outside"].sum())
    lead = "For few releases can that be told" if outside <= 0.2 * len(h) else "For many releases that can be told"
    sentence = (
        f"**{lead}**: {outside} of {len(h)} lie outside the range that the others predict, where chance alone gives "
        f"one in twenty. Labs: on these rows {labs_differ(tests, short=True)}; with corrected scores "
        f"{labs_differ(after, short=True)}."
    )
    return Answer(sentence, "correlation", interval)


def example(h: pd.DataFrame, own: pd.DataFrame) -> pd.Series:
    """The release to begin with: the reader's first, or the newest one known."""
    mine = h[h["model"].isin(own["model"])] if len(own) else h.iloc[:0]
    return mine.iloc[0] if len(mine) else h.sort_values(["released", "model"]).iloc[-1]


def release(name: str, one: ReleaseH) -> str:
    """What two scores say of a release, h never without its line and interval; one: `frontier.read_h`."""
    where = "above" if one.h > 0 else "below"
    reading = (
        f"that is farther {where} the line than releases scatter"
        if one.low > 0 or one.high < 0
        else "an ordinary release can lie as far from the line"
    )
    return (
        f"{name}: the {one.line} line expects {one.expected:.1f} % on {label(Y)}, so h = **{one.h:+.1f}** points "
        f"[{one.low:+.1f}, {one.high:+.1f}]; {reading}. 95 % of releases with that coding score fall between "
        f"{one.ordinary_low:.0f} and {one.ordinary_high:.0f} %."
    )


def recommended() -> str:
    """The line for a release of today, the one for the papers' h, and the one without makers' values."""
    uses = {name: about.split("; use it ")[1] for name, about in frontier.LINES.items()}
    named = [f"*{name}* {uses[name]}" for name in ("current", "frozen", "independent")]
    return "Which line? " + "; ".join(named) + "."


def other_lines(name: str, x: float, y: float) -> str:
    """h of one release from the line of today, the printed one and that of independent scores."""
    reads = [frontier.release_h(x, y, line_name=line) for line in ("current", "frozen", "independent")]
    listed_h = ", ".join(f"{one.h:+.1f} [{one.low:+.1f}, {one.high:+.1f}] on the {one.line} line" for one in reads)
    off = sum(one.low > 0 or one.high < 0 for one in reads)
    shown = f"{off} of {len(reads)} intervals leave out zero" if off else "every interval holds zero: nothing is shown"
    return f"{name} has h = {listed_h}; {shown}."


def corrected(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """What correcting the scores does to the line, with the paired interval; both are panels of the same models."""
    effects = frontier.correction_effects(before, after).set_index("number")
    r, slope = effects.loc["r"], effects.loc["slope"]
    sure = "beyond" if r["change_low"] > 0 or r["change_high"] < 0 else "within"
    n = int(after[[X, Y]].notna().all(axis=1).sum())
    verb = "rises" if r["change"] > 0 else "falls"
    return (
        f"With the makers' own values r over {n} releases {verb} from {r['before']:.2f} to "
        f"**{r['after']:.2f}** (change "
        f"{r['change']:+.2f} [{r['change_low']:+.2f}, {r['change_high']:+.2f}], {sure} chance); the slope goes from "
        f"{slope['before']:.2f} to {slope['after']:.2f}."
    )


def calendar(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """r of the two scores on each panel, and what is left when the release date is held fixed.

    panels: name -> rows with the makers' dates.  Returns panel, what, row, estimate, low, high, n.
    """
    rows = []
    for name, frame in panels.items():
        left = frontier.date_confound(frame)
        for what, one in ((PLAIN, left["r"]), (GIVEN, left["partial"])):
            rows.append((name, what, f"{name}, {what}", one.estimate, one.low, one.high, one.n))
    return pd.DataFrame(rows, columns=["panel", "what", "row", "estimate", "low", "high", "n"])


def panels() -> dict[str, pd.DataFrame]:
    """Every frontier panel with the makers' dates; of the published one the rows of the freeze."""
    every = {name: tables.frontier(name) for name in tables.FRONTIER_PANELS}
    every["published"] = frontier.frozen_rows(every["published"])
    return {name: tables.dated_by_makers(rows) for name, rows in every.items()}


def by_date(found: pd.DataFrame) -> str:
    """On how many panels a correlation is left once the date is held fixed; found: `calendar`."""
    given = found[found["what"] == GIVEN]
    above, below = given[given["low"] > 0], given[given["high"] < 0]
    named = f" ({listed(above['panel'].tolist())})" if len(above) else ""
    against = f" On {listed(below['panel'].tolist())} it is surely below zero." if len(below) else ""
    return (
        f"With the date held fixed, r is surely above zero on **{len(above)} of {len(given)}** panels{named}; over all "
        f"of them it goes from {given['estimate'].min():+.2f} to {given['estimate'].max():+.2f}.{against}"
    )


def date_power(found: pd.DataFrame) -> str:
    """The correlation that each panel would have shown with the date held fixed; found: `calendar`."""
    given = found[(found["what"] == GIVEN) & (found["low"] <= 0) & (found["high"] >= 0)]
    if given.empty:
        return "Every panel settles the sign. Intervals leave each lab out in turn."
    seen = [
        seen_effect(Estimate(r, low, high, int(n), "leaves labs out"), scale="fisher")
        for r, low, high, n in given[["estimate", "low", "high", "n"]].to_numpy(float)
    ]
    return (
        f"Intervals leave each lab out in turn. *Not shown* is not *none*: on the {len(seen)} open panels only an r "
        f"from {min(seen):.2f} to {max(seen):.2f} up would have been seen in four of five repeats."
    )


def labs(means: pd.DataFrame) -> str:
    """Which labs' mean h is surely above or below the line; means: `frontier.lab_means`."""
    known = means[means["n"] > 1]
    above = known.loc[known["low"] > 0, "lab"].astype(str).tolist()
    below = known.loc[known["high"] < 0, "lab"].astype(str).tolist()
    return (
        f"Of {len(known)} labs with two core releases or more, the mean h lies surely above the fitted line for "
        f"{listed(above)}, surely below for {listed(below)}. {times(len(means) - len(known), 'lab')} had one release "
        "and so no interval."
    )


def labs_sure(tests: pd.DataFrame, after: pd.DataFrame) -> str:
    """The test of labs on these rows, and again on the corrected scores; both `frontier.lab_permutation`."""
    return (
        f"All labs at once, names shuffled: on these rows {labs_differ(tests)}; on the corrected panel "
        f"{labs_differ(after)}. The means are each 95 % by themselves, not corrected for asking several labs."
    )


def paths(steps: pd.DataFrame, scatter: tuple[float, int]) -> str:
    """How many changes between neighbours exceed ten points, and how many the scatter of a lab's own releases.

    steps: `frontier.trajectories`; scatter: `frontier.within_lab_scatter`.
    """
    pairs = steps[steps["order"] > 1]
    large = int((pairs["change"].abs() > 10).sum())
    beyond = int(pairs["kind"].isin(["step", "excursion", "open"]).sum())
    limit = float(frontier.change_limit(scatter[0], scatter[1], 5))
    return (
        f"Of {len(pairs)} changes from one release to the next, {large} were larger than the papers' ten points and "
        f"**{beyond}** larger than the usual scatter of a lab's own releases. Among five releases, a change up "
        f"to {limit:.0f} points comes by chance."
    )


def independent(found: pd.DataFrame, line: FrontierLine) -> str:
    """What the panel without makers' values says; found: `calendar`; line: the line of that panel."""
    rows = found[found["panel"] == "independent"].set_index("what")[["estimate", "low", "high", "n"]].astype(float)
    plain, given = (dict(rows.loc[what]) for what in (PLAIN, GIVEN))
    sign = "above zero" if given["low"] > 0 else "below zero" if given["high"] < 0 else "open"
    return (
        f"Where one agent and one laboratory measured all {int(plain['n'])} releases, r = **{plain['estimate']:+.2f}** "
        f"({between(plain['low'], plain['high'], digits=2)}); with the date held fixed {given['estimate']:+.2f} "
        f"({between(given['low'], given['high'], digits=2)}: {sign}). The line is GPQA = {line.slope:.2f} SWE + "
        f"{line.intercept:.0f}."
    )


def stopped(last: pd.DataFrame) -> str:
    """Which makers no longer state SWE-bench Verified, and since when; last: `tables.last_stated` of it."""
    silent = last[last["stopped"]]
    if silent.empty:
        return f"All {times(len(last), 'maker')} that stated {label(X)} still do."
    named = [f"{lab} after {model} ({day}; {n} since)" for lab, model, day, n in silent[SINCE].to_numpy()]
    return (
        f"**{len(silent)} of {times(len(last), 'maker')}** that stated {label(X)} give it for none of their last "
        f"{STOPPED_AFTER} or more releases: {listed(named, most=len(named))}."
    )


def remember(
    h: pd.DataFrame, line: FrontierLine, found: pd.DataFrame, tests: pd.DataFrame, after: pd.DataFrame
) -> list[str]:
    """Three lines to remember; the arguments are those of `answer` and `by_date`."""
    given = found[found["what"] == GIVEN]
    half = float((h["h_high"] - h["h_low"]).median()) / 2
    return [
        f"One h says little: half its interval is about {half:.0f} points ({line.name} line).",
        f"Ask for the date of release: with it held fixed, the sign of the correlation is settled on "
        f"{int(((given['low'] > 0) | (given['high'] < 0)).sum())} of {len(given)} panels.",
        f"Labs and their mean h: on these rows {labs_differ(tests, short=True)}; with corrected scores "
        f"{labs_differ(after, short=True)}.",
    ]


def trend(name: str, rows: pd.DataFrame) -> str:
    """The line of one panel in one sentence."""
    fit = frontier.fit_line(rows).fit
    r = "not known" if math.isnan(fit.r) else f"{fit.r:.2f}"
    return f"{name}: {len(rows)} releases, r = {r}, GPQA = {fit.slope.estimate:.2f} SWE + {fit.intercept.estimate:.0f}."
