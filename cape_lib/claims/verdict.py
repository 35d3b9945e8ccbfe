"""What a recomputed claim is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from cape_lib.claims.rule import decimals
from cape_lib.signs import VERDICTS, typeset, written
from cape_lib.stats import Estimate, seen_effect, seen_words
from cape_lib.tables.chapters import RELATIVES, promise

Value = float | bool | None
FINEST = 8  # decimals, at most, to tell a value from the published one


@dataclass(frozen=True, slots=True)
class Result:
    """What one part of a claim came out as, in the unit of the claim.

    value: a number, True or False for a statement, None where nothing comes out.  slack: Monte-Carlo error of the
    value, which the match is allowed.  supplied: this panel holds what the published one lacks.  note: what else came
    out, in words; its numbers are computed.  kept: how often such an interval is right, where that is not as often as
    it says (`tables.promise`).
    """

    value: Value
    low: float | None = None
    high: float | None = None
    n: int | None = None
    note: str = ""
    slack: float = 0.0
    supplied: bool = False
    kept: str = ""

    def __post_init__(self) -> None:
        # numpy's scalars print and serialise differently from Python's
        for name in ("value", "low", "high", "n"):
            given = getattr(self, name)
            object.__setattr__(self, name, given.item() if hasattr(given, "item") else given)

    @classmethod
    def of(cls, estimate: Estimate, note: str = "", *, supplied: bool = False, relatives: bool = False) -> Result:
        """The same from an Estimate; an interval that does not exist is left out.

        relatives: the rows come in families or in labs.
        """
        low, high = (None if math.isnan(end) else end for end in (estimate.low, estimate.high))
        kept = _kept(estimate, relatives)
        return cls(estimate.estimate, low, high, estimate.n, note, supplied=supplied, kept=kept)

    def contains(self, value: float) -> bool:
        """Whether the interval holds a value; False where there is none."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high

    @property
    def text(self) -> str:
        """Value and interval as text."""
        return f"{number(self.value)} {interval(self.low, self.high)}".strip()


@dataclass(frozen=True, slots=True)
class Stress:
    """One attempt to break a claim: what was tried, what came out (number, interval, n) and what that says.

    against: in a few words what it takes from the claim, numbers computed; blank where the claim withstood it.
    kept: as in `Result`.
    """

    name: str
    value: Value
    says: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    against: str = ""
    kept: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        outcome: Estimate | Result | Value,
        says: str,
        *,
        lost: bool = False,
        against: str = "",
        n: int | None = None,
        relatives: bool = False,
    ) -> Stress:
        """The same from an estimate (an interval that does not exist is left out), a part's result, or a value.

        lost: what it says goes against the claim;  n: of a value;  relatives: as in `Result.of`.
        """
        against = says if lost else against
        if isinstance(outcome, Estimate):
            low, high = (None if math.isnan(end) else end for end in (outcome.low, outcome.high))
            return cls(name, outcome.estimate, says, low, high, outcome.n, against, _kept(outcome, relatives))
        if isinstance(outcome, Result):
            return cls(name, outcome.value, says, outcome.low, outcome.high, outcome.n, against)
        return cls(name, outcome, says, n=n, against=against)

    @property
    def interval(self) -> str:
        """The interval as text, with how often it is right where that is less than it says; or nothing."""
        return hedged(interval(self.low, self.high), self.kept)


@dataclass(frozen=True, slots=True)
class Test:
    """The named test that decides a conclusion: what was computed, its number, and in one line why it decides.

    kind: one of `rule.TAKES`, or "none".  why: the judgement, from data.  panel: whose rows were asked.  seen: what
    came out, in words.
    """

    name: str
    kind: str
    why: str
    panel: str
    seen: str
    value: Value = None
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def figures(self) -> str:
        """Value, interval and n as one line of text; nothing where no test was made."""
        if self.kind == "none":
            return ""
        ends = interval(self.low, self.high)
        return f"{number(self.value)}{' ' + ends if ends else ''}{f', n = {self.n}' if self.n else ''}"

    @property
    def reason(self) -> str:
        """What was seen, as a sentence of one line; for what was not tested, why."""
        return self.seen or self.why


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a claim: the judgement (from data) beside the result (computed) and the verdict (by rule)."""

    name: str
    published: str | None
    compare: str
    definition: str
    particular: str
    missing: str
    result: Result
    verdict: str

    @property
    def came_out(self) -> str:
        """The value as text, with a digit or two more than were printed; "yes" or "no" for a statement."""
        return number(self.result.value, self.published)

    @property
    def interval(self) -> str:
        """The interval as text, with how often it is right where that is less than it says; or nothing."""
        return hedged(interval(self.result.low, self.result.high, self.published), self.result.kept)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim, recomputed: `parts` in the order in which they were published, the `verdict` of the weakest, and what
    its `conclusion` is by which test.

    `published`, `value`, `low`, `high` and `n` are lists parallel to the published values, or single where one value
    was published; for a claim without a number they hold its statements.
    """

    id: str
    chapter: str
    source: str
    claim: str
    unit: str
    panel: str
    panels: tuple[str, ...]
    parts: tuple[Part, ...]
    verdict: str
    conclusion: str
    conclusion_test: Test
    stress: tuple[Stress, ...] = ()
    statement: str = ""

    @property
    def sentence(self) -> str:
        """The claim as one plain sentence; in short where there is none."""
        return self.statement or self.claim

    @property
    def caveat(self) -> str:
        """What the deciding test took from the claim; blank where it withstands or was not tested."""
        return "" if self.conclusion in ("withstands", "untested") else self.conclusion_test.seen

    @property
    def stands(self) -> bool:
        """Whether the number is reproduced and the conclusion withstands."""
        return self.verdict.startswith("reproduced") and self.conclusion == "withstands"

    @property
    def numbered(self) -> list[Part]:
        """The parts with a published number; for a claim without one, all parts."""
        return [part for part in self.parts if part.published] or list(self.parts)

    @property
    def published(self) -> Any:
        return _single([part.published for part in self.numbered])

    @property
    def value(self) -> Any:
        return _single([_known(part.result.value) for part in self.numbered])

    @property
    def low(self) -> Any:
        return _single([_known(part.result.low) for part in self.numbered])

    @property
    def high(self) -> Any:
        return _single([_known(part.result.high) for part in self.numbered])

    @property
    def n(self) -> Any:
        return _single([part.result.n for part in self.numbered])

    @property
    def definition(self) -> str:
        """The definition of each part, and why it is not the obvious one where it is not."""
        return "; ".join(_distinct(_joined(part.definition, part.particular) for part in self.parts))

    @property
    def missing(self) -> str | None:
        """What would have to be published to test the claim; None where nothing is missing."""
        lacks = [part.missing for part in self.parts if part.verdict == "not testable"]
        return "; ".join(_distinct(lacks)) or None

    @property
    def notes(self) -> list[str]:
        return _distinct(part.result.note for part in self.parts if part.result.note)


def number(value: Value, published: str | None = None) -> str:
    """A value as text: a digit or two more than were printed, three significant digits where nothing was printed."""
    known = value is not None and not isinstance(value, bool) and math.isfinite(value)
    places = decimals(published) if published and known else None
    if value is None or published is None or places is None:
        return typeset(written(value, words=VERDICTS))
    whole = not places and float(value).is_integer()
    # A value that ends where the printed digits do has no further digit to show.
    ends = abs(value - round(value, places)) < 10.0**-FINEST
    shown = 0 if whole else places if ends else 4 if places in (2, 3) else places + 1
    while shown < FINEST and _looks_like(value, published, shown):
        shown += 1
    return typeset(written(value, shown, whole=False))


def _looks_like(value: float, published: str, shown: int) -> bool:
    """Whether a value that does not round to the published one seems to, once it is cut to `shown` places."""
    unit = Decimal(1).scaleb(-(decimals(published) or 0))
    stated, text = Decimal(published), Decimal(f"{value:.{shown}f}")
    if abs(Decimal(value) - stated) <= unit / 2:
        return False
    return any(text.quantize(unit, rounding) == stated for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN))


def interval(low: float | None, high: float | None, published: str | None = None) -> str:
    """An interval as text, "[low, high]"; nothing where there is none."""
    if low is None or high is None:
        return ""
    start, end = (_end(value, published) for value in (low, high))
    return f"[up to {end} or from {start}]" if low > high else f"[{start}, {end}]"


def hedged(interval: str, kept: str) -> str:
    """An interval as text, and how often such an interval is right."""
    return f"{interval} ({kept})" if interval and kept else interval


def _kept(estimate: Estimate, relatives: bool) -> str:
    """How often an interval of this method is right (`tables.promise`), where that is less often than it says."""
    if estimate.method.startswith("participation ratio"):
        return promise("effective dimension", "bootstrap", n=estimate.n)
    return promise(*RELATIVES) if relatives and "Fisher z" in estimate.method else ""


def _end(value: float, published: str | None) -> str:
    """An end of an interval, to the digits that were printed: it is less sure than the value."""
    places = decimals(published or "")
    if places is None or math.isinf(value):
        return number(value)
    return typeset(written(value, max(places, 1), words=VERDICTS, whole=False))


def _known(value: Value) -> Value:
    return None if isinstance(value, float) and math.isnan(value) else value


def holds_zero(estimate: Estimate, *, scale: str = "fisher", digits: int = 2) -> str:
    """In words whether the interval of an estimate holds zero; where it does, the effect that would have been seen.

    scale: "fisher" for a correlation, "plain" for another quantity;  digits: of that effect.
    """
    if math.isnan(estimate.low):
        return "no interval"
    if not estimate.contains(0.0):
        return "the interval excludes zero"
    seen = seen_words(seen_effect(estimate, scale=scale), digits=digits)
    return f"the interval holds zero{f' ({seen})' if seen else ''}"


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _joined(definition: str, particular: str) -> str:
    return f"{definition} ({particular})" if particular else definition


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
