"""The two rules, here and nowhere else: what makes a number reproduced, what a test makes of a conclusion.

**Number.** A part of a claim is

- *not testable* where something needed for it was never published (the judgement names it) and the panel at hand does
  not supply it;
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
from collections.abc import Iterable

from cape_lib.errors import ScoresError
from cape_lib.signs import MARKS

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
LAST_DIGITS = 2  # units of the last printed digit within which a difference is one of rounding or of a late change
ROUNDING = 1e-9  # a value on the edge of the half unit counts as inside


def decimals(printed: str) -> int | None:
    """Digits after the point of a printed number; None where the text is no number."""
    try:
        float(printed)
    except ValueError:
        return None
    return len(printed.partition(".")[2])


def matches(printed: str | None, value: float | bool | None, compare: str = "equals", *, slack: float = 0.0) -> bool:
    """Whether a value agrees with what was printed.

    printed: the number as printed, digits kept ("0.720" is not "0.72"); None for a statement.  compare: one of
    `COMPARISONS`; "equals" is by rounding.  slack: Monte-Carlo error of the value, in its unit.
    Raises ScoresError where the printed text is no number although the comparison needs one.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    if compare == "holds":
        return bool(value)
    places = decimals(printed or "")
    if printed is None or places is None or compare not in COMPARISONS:
        raise ScoresError(f"claim_judgements: {printed!r} cannot be compared by {compare!r}; correct the row")
    stated, value = float(printed), float(value)
    if compare == "about":
        return _one_digit(value) == _one_digit(stated)
    room = 0.5 * 10.0**-places + slack + ROUNDING
    if compare == "at least":
        return value >= stated - room
    if compare == "at most":
        return value <= stated + room
    return abs(value - stated) <= room


def near(printed: str | None, value: float | bool | None, compare: str = "equals") -> bool:
    """Whether a value that does not match lies within `LAST_DIGITS` units of the last digit that was printed.

    Numbers that were printed with a point only: a whole number is mostly a count, and a count is right or wrong.
    """
    places = decimals(printed or "")
    if compare != "equals" or not places or value is None or isinstance(value, bool):
        return False
    return abs(float(value) - float(printed or "nan")) <= LAST_DIGITS * 10.0**-places + ROUNDING


def verdict_of_part(*, match: bool, close: bool, particular: str, missing: str, supplied: bool) -> str:
    """The verdict of one part, by the rule at the head of this file."""
    if missing and not supplied:
        return "not testable"
    if not match:
        return "in the last digit" if close else "differs"
    return "reproduced with definition" if particular else "reproduced"


def weakest(verdicts: Iterable[str]) -> str:
    """The verdict of a claim from those of its parts."""
    return min(verdicts, key=VERDICTS.index)


def _one_digit(value: float) -> float:
    return float(f"{value:.0e}")
