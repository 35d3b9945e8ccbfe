"""What a recomputed claim is made of, and the two rules: what makes a number reproduced, what a test makes of a claim.

**Number.** A part of a claim is

- *not testable* where something needed for it was never published (the judgement names it) and the panel at hand does
  not supply it, or where the panel lacks its rows;
- *reproduced* where the value matches and the definition is the one that a reader of the claim would take;
- *reproduced with definition* where it matches under a definition that had to be found (the judgement says which);
- *in the last digit* where it differs by no more than two units of the last printed digit;
- *differs* where it does not match, or where nothing comes out.

A value **matches** a published number where it rounds to the digits that were printed: half a unit of the last digit
either way, and the Monte-Carlo error of the value where it has one. "About" (printed with a tilde, or "an order of
magnitude") means one significant digit. A bound ("at least 0.87") was rounded too, and is given the same half unit.

A **claim** of several parts is as good as its weakest part: differs, then not testable, then in the last digit, then
reproduced with definition, then reproduced. *Differs* is the weakest because it is known that the claim as it was
stated does not come out, whatever an untestable part of it might still show; *not testable* leaves the question open.

**Conclusion.** A number that comes out is not yet a statement that holds. `claim_tests.csv` names for each claim the
tests that could take its conclusion away, the gravest first, and why. The first that does decides, and its kind says
how: `TAKES`. A test asks the rows without their known errors, where there are such; what the sentence itself says is
asked of the rows that it is about. Where none does the claim *withstands* the first of them; where there is none
it is *untested*.
A claim **stands** where its number is reproduced and its conclusion withstands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from cape_lib.errors import ScoresError
from cape_lib.signs import MARKS, sentence, typeset, written
from cape_lib.signs import VERDICTS as WORDS
from cape_lib.stats import Estimate, seen_effect, seen_words
from cape_lib.tables.chapters import RELATIVES, promise

Value = float | bool | None
FINEST = 8  # decimals, at most, to tell a value from the published one

#: Of the number, from weakest to strongest.
VERDICTS = ("differs", "not testable", "in the last digit", "reproduced with definition", "reproduced")
#: Of the conclusion, from strongest to what was not tried.
CONCLUSIONS = ("withstands", "confounded", "artefact", "wrong data", "contradicted", "untested")
#: Kind of a test -> what the conclusion is where the test goes against it.
TAKES = {
    "covariate": "confounded",  # a third quantity, held fixed
    "null": "artefact",  # the same where there is nothing to find
    "noise": "artefact",  # no more than the noise of the scores
    "clustered interval": "artefact",  # rows that are relatives were taken for independent
    "another choice": "artefact",  # another cut, subset or version, as good as the one taken
    "corrected cell": "wrong data",  # the same on rows without known errors
    "as worded": "contradicted",  # what the sentence itself says, of the same tables
}

#: Word of either axis -> the shape before it, strongest first; charts draw the same ones (`cape_lib.signs`).
SHAPES = {word: MARKS[word].text for word in (*reversed(VERDICTS), *CONCLUSIONS)}

COMPARISONS = ("equals", "about", "at least", "at most", "holds")
NO_ROWS = "rows of this panel"
LAST_DIGITS = 2  # units of the last printed digit within which a difference is one of rounding or of a late change
ROUNDING = 1e-9  # a value on the edge of the half unit counts as inside


def decimals(printed: str) -> int | None:
    """Digits after the point of a printed number; None where the text is no number."""
    try:
        float(printed)
    except ValueError:
        return None
    return len(printed.partition(".")[2])


def matches(printed: str | None, value: Value, compare: str = "equals", *, slack: float = 0.0) -> bool:
    """Whether a value agrees with what was printed.

    printed: the number as printed, digits kept ("0.720" is not "0.72"); None for a statement.  compare: one of
    `COMPARISONS`; "equals" is by rounding.  slack: Monte-Carlo error of the value, in its unit.
    Raises ScoresError where the printed text is no number although the comparison needs one.
    """
    if value is None or math.isnan(value):
        return False
    if compare == "holds":
        return bool(value)
    places = decimals(printed or "")
    if printed is None or places is None or compare not in COMPARISONS:
        raise ScoresError(f"claim_judgements: {printed!r} cannot be compared by {compare!r}; correct the row")
    stated = float(printed)
    if compare == "about":
        return f"{value:.0e}" == f"{stated:.0e}"
    room = 0.5 * 10.0**-places + slack + ROUNDING
    away = {"at least": stated - value, "at most": value - stated}.get(compare, abs(value - stated))
    return away <= room


def near(printed: str | None, value: Value, compare: str = "equals") -> bool:
    """Whether a value that does not match lies within `LAST_DIGITS` units of the last digit that was printed.

    Numbers that were printed with a point only: a whole number is mostly a count, and a count is right or wrong.
    """
    places = decimals(printed or "")
    if compare != "equals" or not places or value is None:
        return False
    return abs(float(value) - float(printed or "nan")) <= LAST_DIGITS * 10.0**-places + ROUNDING


@dataclass(frozen=True)
class Result:
    """What one part of a claim came out as, in the unit of the claim.

    value: a number, True or False for a statement, None where nothing comes out.  slack: Monte-Carlo error of the
    value, which the match is allowed.  supplied: this panel holds what the published one lacks.  covers: how often
    such an interval is right, where that is not as often as it says (`tables.promise`).  says: what else came out, in
    words; blank: the sentence of the tables, filled with `words`.  published: the number as printed, if any, which
    tells how many digits to show.
    """

    value: Value
    low: float | None = None
    high: float | None = None
    n: int | None = None
    says: str = ""
    slack: float = 0.0
    supplied: bool = False
    covers: str = ""
    words: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    published: str | None = None

    def __post_init__(self) -> None:
        # numpy's scalars print and serialise differently from Python's; an end that does not exist is left out
        for name in ("value", "low", "high", "n"):
            cell = getattr(self, name)
            cell = cell.item() if hasattr(cell, "item") else cell
            cell = float(cell) if type(cell) is int and name != "n" else cell
            object.__setattr__(self, name, None if name in ("low", "high") and cell != cell else cell)

    @property
    def came_out(self) -> str:
        """The value as text, with a digit or two more than were printed; "yes" or "no" for a statement."""
        return number(self.value, self.published)

    @property
    def interval(self) -> str:
        """The interval as text, "[low, high]", to the digits that were printed, for its ends are less sure than the
        value, and how often such an interval is right where that is less than it says; nothing without one."""
        if self.low is None or self.high is None:
            return ""
        start, end = (self._end(value) for value in (self.low, self.high))
        shown = f"[up to {end} or from {start}]" if self.low > self.high else f"[{start}, {end}]"
        return shown + self._doubt

    @property
    def _doubt(self) -> str:
        """What stands behind an interval that covers less than it says; else nothing."""
        return f" (this interval may be too narrow: it {self.covers})" if self.covers else ""

    def _end(self, value: float) -> str:
        if math.isinf(value):
            return "no upper limit" if value > 0 else "no lower limit"
        places = decimals(self.published or "")
        return number(value) if places is None else typeset(written(value, max(places, 1), words=WORDS, whole=False))

    @property
    def text(self) -> str:
        """Value and interval as text, for a sentence: how often such an interval is right is left out."""
        return f"{self.came_out} {self.interval.removesuffix(self._doubt)}".strip()

    def spoken(self, template: str) -> str:
        """What it says, or the sentence of the tables filled with its `words`, its value, interval and n."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high", "n", "text")}
        try:
            return self.says or template.format(**numbers, **self.words)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            known = ", ".join([*numbers, *self.words])
            raise ScoresError(f"tables of claims: {template!r} asks for {error}; its function gives {known}") from None


@dataclass(frozen=True)
class Stress(Result):
    """One attempt to break a claim: what was tried, what came out (number, interval, n) and what that says.

    lost: whether it goes against the claim; None where it decides nothing.  kind, why: of the test that decides, one of
    `TAKES` and the judgement, from data; "none": no test was made.  panel: whose rows it was tried on.
    """

    name: str = "none"
    lost: bool | None = None
    kind: str = "none"
    why: str = ""
    panel: str = ""

    @property
    def reason(self) -> str:
        """What was seen, as a sentence of one line; for what was not tested, why."""
        return self.says or self.why


Outcome = Estimate | Result | Value


def result(outcome: Outcome, n: int | None = None, *, relatives: bool = False, **more: Any) -> Result:
    """The result of an estimate or a value, or a result with `more` of its fields.

    n: of a value.  relatives: the rows come in families or in labs.
    """
    if isinstance(outcome, Result):
        return replace(outcome, **more)
    if not isinstance(outcome, Estimate):
        return Result(outcome, n=n, **more)
    covers = promise(*RELATIVES) if relatives and "Fisher z" in outcome.method else ""
    if outcome.method.startswith("participation ratio"):
        covers = promise("effective dimension", "bootstrap", n=outcome.n)
    if "held-out labs" in outcome.method:
        covers = promise("levers, labs and laws", "error on a lab not seen, t over labs")
    return Result(outcome.estimate, outcome.low, outcome.high, outcome.n, covers=covers, **more)


def answer(
    parts: Mapping[str, Any] | Outcome, n: int | None = None, *, relatives: bool = False, **words: Any
) -> dict[str, Result]:
    """What a claim came out as, part by part, or the only part of a claim.

    n: of values;  relatives: as in `result`;  words: what the notes in claim_judgements.csv are filled with.
    """
    each = parts if isinstance(parts, Mapping) else {"": parts}
    return {name: result(one, n, relatives=relatives, words=words) for name, one in each.items()}


def stress(
    name: str,
    outcome: Outcome,
    says: str = "",
    *,
    lost: bool | None = None,
    n: int | None = None,
    relatives: bool = False,
    **words: Any,
) -> Stress:
    """One attempt to break a claim, of an estimate, a part's result or a value.

    name: as in claim_tests.csv where it may decide; its sentence there is filled with `words`.  says: the sentence of
    what decides nothing.  outcome: None where the panel does not let it be made.  lost: whether it goes against the
    claim.  n: of a value.  relatives: as in `result`.
    """
    one = vars(result(outcome, n, relatives=relatives))
    return Stress(**one | {"says": says, "words": words, "name": name, "lost": lost})


@dataclass(frozen=True, kw_only=True)
class Part(Result):
    """One part of a claim: the judgement (from data) beside what came out (computed) and the verdict (by rule)."""

    name: str
    compare: str
    definition: str
    particular: str
    missing: str
    verdict: str

    @classmethod
    def of(cls, row: Mapping[str, str], result: Result | None) -> Part:
        """The part of a row of claim_judgements.csv; result: None where the panel has no rows for it."""
        one = Result(None) if result is None else replace(result, says=result.spoken(row["note"]))
        missing = row["missing"] or (NO_ROWS if result is None else "")
        if missing and not one.supplied:
            verdict = "not testable"
        elif not matches(row["published"], one.value, row["compare"], slack=one.slack):
            verdict = "in the last digit" if near(row["published"], one.value, row["compare"]) else "differs"
        else:
            verdict = "reproduced with definition" if row["particular"] else "reproduced"
        judged = {name: row[name] for name in ("name", "compare", "definition", "particular")}
        judged |= {"missing": missing, "verdict": verdict}
        return cls(**vars(one) | judged | {"published": row["published"] or None})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim, recomputed: the `claim` in short and as a plain `sentence`, `parts` in the order in which they were
    published, the `verdict` of the weakest, and what its `conclusion` is by which test."""

    id: str
    chapter: str
    source: str
    claim: str
    sentence: str
    panel: str
    panels: tuple[str, ...]
    parts: tuple[Part, ...]
    verdict: str
    conclusion: str
    conclusion_test: Stress
    stress: tuple[Stress, ...] = ()

    @property
    def caveat(self) -> str:
        """What the deciding test took from the claim; blank where it withstands or was not tested."""
        return "" if self.conclusion in ("withstands", "untested") else self.conclusion_test.says

    @property
    def stands(self) -> bool:
        """Whether the number is reproduced and the conclusion withstands."""
        return self.verdict.startswith("reproduced") and self.conclusion == "withstands"

    def moves_on(self, other: Verdict) -> bool:
        """Whether the number has another verdict on another panel, one that has its rows."""
        return other.verdict not in (self.verdict, "not testable")

    def each(self, name: str) -> Any:
        """What is named of each part with a published number (of all parts if none has one), NaN as None: a list, or
        single where one value was published."""
        cells = [getattr(part, name) for part in [one for one in self.parts if one.published] or self.parts]
        cells = [float(cell) if isinstance(cell, str) else None if cell != cell else cell for cell in cells]
        return cells[0] if len(cells) == 1 else cells

    @property
    def definition(self) -> str:
        """The definition of each part, and why it is not the obvious one where it is not."""
        each = (f"{p.definition} ({p.particular})" if p.particular else p.definition for p in self.parts)
        return "; ".join(_distinct(each))

    @property
    def missing(self) -> str | None:
        """What would have to be published to test the claim; None where nothing is missing."""
        return "; ".join(lacking(self.parts)) or None

    @property
    def notes(self) -> list[str]:
        """What else came out of its parts, each once."""
        return _distinct(part.says for part in self.parts)


def number(value: Value, published: str | None = None) -> str:
    """A value as text: a digit or two more than were printed, three significant digits where nothing was printed."""
    known = value is not None and not isinstance(value, bool) and math.isfinite(value)
    places = decimals(published) if published and known else None
    if value is None or published is None or places is None:
        return typeset(written(value, words=WORDS))
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


def beyond_zero(name: str, estimate: Estimate, *, scale: str = "fisher", digits: int = 2, **words: Any) -> Stress:
    """The test that an interval excludes zero; its sentence has the word `zero` for `holds_zero`."""
    zero = holds_zero(estimate, scale=scale, digits=digits)
    return stress(name, estimate, lost=estimate.contains(0.0), zero=zero, **words)


def lacking(parts: Iterable[Part]) -> list[str]:
    """What is missing for the parts that cannot be tested, each once."""
    return _distinct(part.missing for part in parts if part.verdict == "not testable")


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def figures(part: Part) -> str:
    """What was published and what came out, as one line of text."""
    here = f"{part.came_out} {part.interval}".strip() + (f", n = {part.n}" if part.n else "")
    return here if part.compare == "holds" else f"published {printed(part)}, here {here}"


def printed(part: Part) -> str:
    """The published number of a part as text, with the bound that it is."""
    bound = {"at least": "at least ", "at most": "at most ", "about": "about "}.get(part.compare, "")
    return typeset(bound + (part.published or ""))


def how(part: Part) -> str:
    """The definition of a part, why it is particular, and what is missing."""
    text = part.definition
    if part.particular:
        text += f" ({part.particular})"
    if part.verdict == "not testable":
        text += f"; missing: {part.missing}"
    return text


def tested(verdict: Verdict) -> str:
    """The test that decides the conclusion, its number and what it says, as one sentence."""
    by = verdict.conclusion_test
    if by.kind == "none":
        return f"Untested: {by.why}."
    on = "" if by.panel == verdict.panel else f", {by.panel} panel"
    return f"{verdict.conclusion.capitalize()}, tested by {by.name} ({by.kind}{on}): {by.says}. {sentence(by.why)}."
