"""Signs that a reader meets on many pages: the mark of a verdict or a status, the minus and the percent of a number.

One word has one mark, in a box, a table, a card and a chart: the shape says how sure it is (full, half, hollow), the
colour which way it points, and neither is one of the colours that stand for a phase.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Which way a mark points -> its colour; `cape.css` has the same as `--cape-holds` and so on, and for dark pages.
HOLDS, FAILS, UNSAID = "#0072B2", "#C27C00", "#5c636a"

#: Character -> the same shape for Vega: a name that it knows, or a path in a box from -1 to 1, holes run backwards.
DRAWN = {
    "●": "circle",
    "▲": "triangle-up",
    "◆": "diamond",
    "■": "square",
    "✚": "cross",
    "▼": "triangle-down",
    "◇": "M0,-1L1,0L0,1L-1,0ZM0,-0.55L-0.55,0L0,0.55L0.55,0Z",
    "○": "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0ZM-0.62,0A0.62,0.62,0,1,0,0.62,0A0.62,0.62,0,1,0,-0.62,0Z",
    "◐": "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0ZM0,-0.62L0,0.62A0.62,0.62,0,0,0,0,-0.62Z",
    "◭": "M0,-0.87L1,0.87L-1,0.87ZM0,-0.4L0,0.62L0.59,0.62Z",
    "□": "M-0.89,-0.89L0.89,-0.89L0.89,0.89L-0.89,0.89ZM-0.55,-0.55L-0.55,0.55L0.55,0.55L0.55,-0.55Z",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in place of a number: `missing` where there is none, `above` and `below` beyond all bounds."""

    missing: str
    above: str
    below: str


#: in a table of a page, in a verdict, on a terminal
READERS = Words("–", "no end", "\N{MINUS SIGN}no end")
VERDICTS = Words("none", "unbounded", "unbounded")
TERMINAL = Words("-", "inf", "-inf")


@dataclass(frozen=True, slots=True)
class Mark:
    """One sign: `text` is its character, `shape` the same for a chart, `colour` a hex that only repeats the word."""

    text: str
    colour: str

    @property
    def shape(self) -> str:
        return DRAWN[self.text]


#: Word -> its mark. First the two axes of claims, then the statuses of predictions, then the readings of the trials.
MARKS = {
    "reproduced": Mark("●", HOLDS),
    "reproduced with definition": Mark("◐", HOLDS),
    "in the last digit": Mark("◭", FAILS),
    "differs": Mark("▲", FAILS),
    "not testable": Mark("○", UNSAID),
    "withstands": Mark("■", HOLDS),
    "confounded": Mark("◆", FAILS),
    "artefact": Mark("◇", FAILS),
    "wrong data": Mark("✚", FAILS),
    "contradicted": Mark("▼", FAILS),
    "untested": Mark("□", UNSAID),
    "passed": Mark("●", HOLDS),
    "open leaning pass": Mark("◐", HOLDS),
    "failed": Mark("▲", FAILS),
    "open leaning fail": Mark("◭", FAILS),
    "open": Mark("○", UNSAID),
    "undecided": Mark("◆", UNSAID),
    "cannot be scored yet": Mark("□", UNSAID),
    "as promised": Mark("●", HOLDS),
    "labelled": Mark("▲", FAILS),
    "labelled; decides nothing here": Mark("□", UNSAID),
}

#: Code, formulas, addresses and tags stay as they are; elsewhere a hyphen before a digit, after no word, is a sign
#: (a zero has none), and a percent sign stands off its number.
_PARTS = re.compile(
    r"(<(pre|code|script|style|math)\b.*?</\2>|<[a-zA-Z/!][^>]*>|`[^`]*`|\$[^$\n]+\$|\]\([^)\s]*\)|https?://\S+)"
    r"|(?<![\w)\]%./&#-])(?:(-(?=0(?:\.0+)?(?![\w-]|[.,:/]\d)))|(-)(?=\.?\d))|(?<=\d) ?(%)(?!\w)",
    re.DOTALL,
)


def written(
    value: float | bool | None, digits: int | None = None, *, words: Words = READERS, whole: bool = True
) -> str:
    """A number as text, with a hyphen for its minus (`typeset` sets the sign of a page).

    digits: decimals, which a whole number goes without unless `whole` is False; None for three significant digits, and
    whole numbers from 1,000 on. words: what stands where there is no number, or one beyond all bounds.
    """
    if value is None or math.isnan(value):
        return words.missing
    if isinstance(value, bool):
        return "yes" if value else "no"
    if math.isinf(value):
        return words.above if value > 0 else words.below
    if digits is not None:
        return f"{int(value)}" if whole and float(value).is_integer() else f"{value:z.{digits}f}"
    return f"{value:z.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.3g}"


def typeset(text: str) -> str:
    """The text as a page shows it: U+2212 for a hyphen that is the sign of a number, none for zero ("-0.00" is "0.00"),
    and a space before "%".

    Markdown, HTML or plain. "GPT-4", "2026-05-01" and "5-shot" keep their hyphens; code, formulas, tags and addresses
    stay as they are.
    """
    return _PARTS.sub(_sign, text)


def _sign(part: re.Match[str]) -> str:
    as_it_is, _, of_zero, minus, _ = part.groups()
    return as_it_is or ("" if of_zero else "\N{MINUS SIGN}" if minus else "\N{NO-BREAK SPACE}%")


def literal(text: str) -> str:
    """Text in Markdown with nothing in it that Markdown or HTML takes for its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", text)


def sentence(text: str) -> str:
    """The text with a capital first letter, unless it begins with a formula ("a/b is calibrated")."""
    return text if re.match(r"\w[^\w\s]\w|\w [^\w\s]", text) else text[:1].upper() + text[1:]
