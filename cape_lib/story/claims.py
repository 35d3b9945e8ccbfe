"""Chapter 8 in sentences: how many numbers come out, how many conclusions withstand, and which claims do both."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from cape_lib.claims import CONCLUSIONS, SHAPES, Verdict, printed
from cape_lib.story.answer import Answer, capital, listed, times, verb

#: Verdicts as a legend lists them, strongest first but for what nobody can tell.
ORDER = ("reproduced", "reproduced with definition", "in the last digit", "differs", "not testable")
#: A test on at most so many rows is that of a single case.
FEW = 2
#: What a verdict does not hold.
ONE_TEST = (
    "A verdict has no interval. A conclusion that withstands has met one test, named in its row; another could still "
    "take it away. One that a test takes away may be true for reasons that these tables do not show."
)


def _links(ids: Sequence[str], *, most: int = 12, page: str = "audit/08_claims.html") -> str:
    shown = ", ".join(f"[{one}]({page}#{one})" for one in ids[:most])
    return shown + (f" and {len(ids) - most} more" if len(ids) > most else "")


def _out(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if one.verdict.startswith("reproduced")]


def _tables(verdicts: Sequence[Verdict], panel: str) -> str:
    """The tables of a page; a claim that they have no rows for is judged on the published ones."""
    others = panel != "published" and any(one.panel != panel for one in verdicts)
    return f"{panel} tables{' (the published ones where these lack the rows)' if others else ''}"


#: The claims that carry the papers' story, and what each is about.
CARRY = {
    "C02": "the turn at 3.5 B",
    "C01": "the tax below it",
    "C19": "coupling at the frontier",
    "C16": "the mechanism",
    "C18": "steering",
}


def answer(
    verdicts: Sequence[Verdict], panel: str, others: Mapping[str, Mapping[str, Verdict]] | None = None
) -> Answer:
    """Which numbers come out, and which conclusions withstand a test?

    verdicts: `claims.evaluate` on that panel;  others: panel -> id -> verdict on that panel.
    """
    out, stand = len(_out(verdicts)), sum(one.stands for one in verdicts)
    withstand = sum(one.conclusion == "withstands" for one in verdicts)
    few = "Many numbers come out, few conclusions withstand" if 2 * stand < out else "Most of what comes out withstands"
    lead = few if 3 * out > len(verdicts) else "Few numbers come out"
    return Answer(
        f"**{lead}**: of {times(len(verdicts), 'claim')}, {out} have a number that comes out of the "
        f"{_tables(verdicts, panel)}, {withstand} a conclusion that withstands the test put to it, and **{stand}** "
        f"have both.{_newest(verdicts, panel, others or {})}",
        "arithmetic",
        "No interval: a count over our own list of claims; no fixed rule says what counts as one.",
    )


def _newest(verdicts: Sequence[Verdict], panel: str, others: Mapping[str, Mapping[str, Verdict]]) -> str:
    """How many conclusions withstand on all releases known, and of these here, a sentence; empty without that panel."""
    every = others.get("current", {})
    words = _conclusions(every.values())
    tested = {ident for ident, one in every.items() if one.conclusion != "untested"}
    here = sum(one.conclusion == "withstands" for one in verdicts if one.id in tested)
    withstand = words.count("withstands")
    return (
        f" Of {times(len(words), 'conclusion')} that can be tested on all releases known {withstand} "
        f"{verb(withstand, 'withstand')}; on the {panel} tables {here or 'none'} of these."
        if words
        else ""
    )


def _conclusions(verdicts: Iterable[Verdict]) -> list[str]:
    """The conclusions that could be tested."""
    return [one.conclusion for one in verdicts if one.conclusion != "untested"]


def holds(stand: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]], *, panel: str = "published") -> str:
    """The claims that stand, on which other panels they do not, and one a line the doubt that is left.

    others: panel -> id -> verdict on that panel; panel: of the page.
    """
    if not stand:
        return "On this panel no claim has both a number that comes out and a conclusion that withstands."
    lines = [f"- {_links([one.id])} ■ {one.sentence} *{one.source}*. {_tested(one)}" for one in stand]
    tables = _tables(stand, panel)
    count = f"{times(len(stand), 'claim')} {verb(len(stand), 'hold')}"
    hold = f"{count}: the number on the {tables}, the conclusion by its test"
    words = "\n\nh: points of GPQA Diamond above the line through SWE-bench Verified."
    meaning = words if any(re.search(r"\bh\b", one.sentence) for one in stand) else ""
    listing = "\n".join(lines) + meaning + _limits(stand)
    return f"{hold}{_lost(stand, others)}:\n\n{listing}"


def _limits(stand: Sequence[Verdict]) -> str:
    """What each of the claims that stand is too little to build on for, a sentence; empty where none has a limit."""
    limits = []
    for one in stand:
        test, covers = one.conclusion_test, [part.covers for part in one.parts if part.covers]
        few = test.n is not None and test.n <= FEW
        words = [f"rests on {times(test.n or 0, 'row')}"] * few
        words += ["is about what the papers say, not about models"] * (test.kind == "as worded")
        words += [f"has an interval that {cover}" for cover in covers[:1]]
        limits += [f"{one.id} {' and '.join(words)}"] * bool(words)
    lead = "None is much to build on" if len(limits) == len(stand) else "Little to build on"
    return f"\n\n{lead}: {'; '.join(limits)}." if limits else ""


def fallen(verdicts: Sequence[Verdict]) -> str:
    """Of the claims that carry the papers' story those that do not stand, one a line, with both words."""
    carry = {one.id: one for one in verdicts if one.id in CARRY}
    lines = [
        f"- {_links([ident])} {about}: number {SHAPES[carry[ident].verdict]} {carry[ident].verdict}, conclusion "
        f"{SHAPES[carry[ident].conclusion]} {carry[ident].conclusion}"
        for ident, about in CARRY.items()
        if ident in carry and not carry[ident].stands
    ]
    chosen = "claims that, by our choice, carry the papers' story"
    lead = f"**{len(lines)}** of {len(carry)} {chosen} {verb(len(lines), 'do')} not stand"
    return f"{lead}{':' if lines else '.'}\n\n" + "\n".join(lines)


def _lost(stand: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> str:
    """On how many other panels the number of which of them is another one, or its conclusion does not withstand, as the
    end of a sentence.
    """
    parts = []
    for one in stand:
        there = {name: by_id[one.id].verdict for name, by_id in others.items() if one.id in by_id}
        lost = {name: verdict for name, verdict in there.items() if verdict in ("differs", "in the last digit")}
        if lost:
            word = "differs" if set(lost.values()) == {"differs"} else "does not come out"
            parts.append(f"; on {times(len(lost), 'other panel')} ({', '.join(lost)}) the number of {one.id} {word}")
        falls: dict[str, list[str]] = {}
        for name, by_id in others.items():
            if one.id in by_id and (conclusion := by_id[one.id].conclusion) != "withstands":
                falls.setdefault(conclusion, []).append(name)
        unasked = falls.pop("untested", [])
        if falls:
            where = "; ".join(f"{conclusion} on {listed(names, most=6)}" for conclusion, names in falls.items())
            parts.append(f"; the conclusion of {one.id} does not withstand everywhere ({where})")
        if unasked:
            parts.append(f"; the conclusion of {one.id} cannot be tested on {listed(unasked, most=6)}")
    return "".join(parts) or "; no other panel that has their rows takes a number or a conclusion away"


def _tested(one: Verdict) -> str:
    """What was published and what comes out, the test that a claim met, what it left, and what else limits it."""
    test = one.conclusion_test
    rows = [f"{test.panel} panel"] * (test.panel not in ("", one.panel)) + [f"n = {test.n}"] * bool(test.n)
    came = "; ".join(
        f"published {printed(part)}, here {part.came_out} {part.interval}".rstrip()
        for part in one.parts
        if part.published and not math.isnan(_float(part.published))
    )
    came = f"{capital(came)}. " if came else ""
    bounds = [_float(part.published) for part in one.parts if part.compare == "at least" and part.published]
    below = [f"but below {limit:g}" for limit in bounds if _float(test.value) < limit]
    says = ", ".join([test.says, *below])
    inside = f" ({', '.join(rows)})" if rows else ""
    return f"{came}Tested by *{test.name}*{inside}: {'; '.join([says, *one.notes])}."


def _float(value: object) -> float:
    """The number of a cell, NaN where it is none."""
    return float(pd.to_numeric(str(value), errors="coerce"))


def tally(verdicts: Iterable[Verdict]) -> str:
    """How many verdicts there are of each kind, as part of a sentence."""
    words = [one.verdict for one in verdicts]
    return ", ".join(f"{words.count(word)} {word}" for word in ORDER)


def _by_word(verdicts: Sequence[Verdict]) -> str:
    words = Counter(one.conclusion for one in verdicts)
    return ", ".join(f"{word} {words[word]}" for word in CONCLUSIONS if words[word])


def withstand(verdicts: Sequence[Verdict]) -> str:
    """The conclusions that withstand although their number does not come out, and how the others fall."""
    met = [one for one in verdicts if one.conclusion == "withstands"]
    others = [f"{_links([one.id])} ({one.claim}: {one.verdict})" for one in met if not one.stands]
    falls = _by_word([one for one in verdicts if one.conclusion != "withstands"])
    also = f"{times(len(others), 'conclusion')} more withstand, without their number: {', '.join(others)}. "
    return f"{also if others else ''}Of the other conclusions{f': {falls}' if falls else ', none falls'}."


def ours(own: Sequence[Verdict], page: str = "audit/08_claims.html") -> str:
    """What became of the claims that this book adds, by the same rules.

    own: their verdicts;  page: where their rows stand, from the page of the sentence.
    """
    stand = [one.id for one in own if one.stands]
    which = ", ".join(f"{_links([one.id], page=page)} ({one.claim})" for one in own if one.stands)
    which = f": {which}" if which else ""
    fall = [f"{_links([one.id], page=page)} {one.conclusion} ({one.claim})" for one in own if not one.stands]
    not_so = f"; of the others: {', '.join(fall)}" if fall else ""
    return (
        f"This book has claims too, judged by the same rules and counted apart: **{len(stand)}** of {len(own)} "
        f"{verb(len(stand), 'stand')}{which}{not_so}."
    )


def sources(cells: pd.DataFrame) -> str:
    """How many numbers come out by source.  cells: `claims.counts`."""
    names = {"announcement": "the announcement", "paper A abstract": "the abstract of paper A"}
    by_source = cells.drop(index="all", errors="ignore")
    out = by_source["reproduced"] + by_source["reproduced with definition"]
    counts = zip(by_source.index.astype(str), out, by_source["claims"], strict=True)
    parts = (f"{came:.0f} of {of:.0f} in {names.get(source, source)}" for source, came, of in counts)
    return f"Numbers that come out: {', '.join(parts)}."


def asked_of(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]]) -> int:
    """How many of the numbers can be asked of at least one other panel."""
    elsewhere = [[rows[one.id].verdict for rows in others.values() if one.id in rows] for one in verdicts]
    return sum(any(word != "not testable" for word in words) for words in elsewhere)


def elsewhere(moved: Mapping[str, tuple[str, ...]], asked: int) -> str:
    """How many claims change their verdict on another panel, and on which most.

    moved: `claims.moved`;  asked: how many numbers can be asked of another panel (`asked_of`).
    """
    if not moved:
        return "No claim changes the verdict of its number on any other panel."
    count = Counter(name for names in moved.values() for name in names)
    most, n = count.most_common(1)[0]
    return (
        f"Of {times(asked, 'number')} that can be asked of another panel **{len(moved)}** {verb(len(moved), 'have')} "
        f'another verdict on at least one, most on the {most} one ({n}). There "differs" says that the published '
        "number is not that of those rows."
    )


def kinder(verdicts: Sequence[Verdict], others: Mapping[str, Mapping[str, Verdict]], name: str = "current") -> str:
    """Which conclusions withstand on one other panel and not here, with the rows of the first; empty without any."""
    there = others.get(name, {})
    more = [one for one in verdicts if one.conclusion != "withstands" and one.id in there]
    more = [one for one in more if there[one.id].conclusion == "withstands"]
    if not more:
        return ""
    here, now = more[0].conclusion_test, there[more[0].id].conclusion_test
    rows = f" ({more[0].id}: {now.name}, n = {now.n}; here n = {here.n})" if now.n and here.n else ""
    which = _links([one.id for one in more], most=5)
    return f"{len(more)} of those on {name} {verb(len(more), 'do')} not withstand on this page's panel: {which}{rows}."


def asked_there(others: Mapping[str, Mapping[str, Verdict]]) -> str:
    """How many conclusions withstand on each other panel, of those that its rows can test; empty without any."""
    counts = []
    for name, by_id in others.items():
        if words := _conclusions(by_id.values()):
            counts.append(f"{words.count('withstands')} of {len(words)} on {name}")
    return (
        f"Of the conclusions that can be asked on another panel, these withstand: {listed(counts, most=6)}."
        if counts
        else ""
    )


def remember(
    verdicts: Sequence[Verdict], moved: Mapping[str, tuple[str, ...]], others: Mapping[str, Mapping[str, Verdict]]
) -> list[str]:
    """Three lines to remember; moved: `claims.moved`;  others: panel -> id -> verdict on that panel."""
    stand = [one.id for one in verdicts if one.stands]
    return [
        f"{len(_out(verdicts))} of {len(verdicts)} numbers come out; that says nothing yet of what they show.",
        f"{len(stand)} {verb(len(stand), 'stand')} by number and by conclusion"
        + (f": {_links(stand)}." if stand else "."),
        f"Of {times(asked_of(verdicts, others), 'number')} that can be asked of another panel {len(moved)} "
        f"{verb(len(moved), 'have')} another verdict on at least one.",
    ]


def grid(verdicts: Iterable[Verdict]) -> str:
    """How many claims stand in each cell of the two axes, as part of a sentence; empty cells left out."""
    cells = Counter((one.verdict, one.conclusion) for one in verdicts)
    order = [(number, word) for number in ORDER for word in CONCLUSIONS]
    return ", ".join(f"{cells[pair]} {pair[0]} and {pair[1]}" for pair in order if cells[pair])
