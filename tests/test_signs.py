"""Marks, colours and the minus: one word looks the same in text, boxes and charts; no colour has two meanings."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cape_lib import claims, predictions, signs
from cape_lib.charts import forms, look
from cape_lib.report.publish.execution import static_dir
from cape_lib.signs import FAILS, HOLDS, MARKS, UNSAID, sentence, typeset
from cape_lib.story import trust

ROOT = Path(__file__).resolve().parents[1]
LIGHT_PAGE, DARK_PAGE = "#ffffff", "#14181e"
#: What a reader without one kind of cone sees, in linear RGB (Machado, Oliveira and Fernandes 2009, full severity).
SEEN = {
    "all cones": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, page: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(one)) for one in (colour, page))
    return (high + 0.05) / (low + 0.05)


def apart(one: str, other: str, eye: str) -> float:
    """Distance in CIE Lab as this eye sees the two."""
    places = []
    for colour in (one, other):
        x, y, z = np.cbrt(TO_XYZ @ np.clip(np.array(SEEN[eye]) @ linear(colour), 0.001, 1) / [0.9505, 1, 1.089])
        places.append((116 * y - 16, 500 * (x - y), 200 * (y - z)))
    return math.dist(*places)


def test_every_verdict_status_and_reading_has_a_mark() -> None:
    readings = (trust.FINE, trust.LABELLED, trust.COMPARED)
    words = [*claims.VERDICTS, *claims.CONCLUSIONS, *predictions.STATUSES, *readings]
    assert set(words) == set(MARKS) and len(words) == len(set(words))
    for group in ((*claims.VERDICTS, *claims.CONCLUSIONS), predictions.STATUSES):
        assert len({MARKS[word].text for word in group}) == len(group), "two words of one kind share a shape"


def test_a_box_and_a_chart_show_one_mark_for_a_verdict() -> None:
    words = (*claims.VERDICTS, *claims.CONCLUSIONS)
    scales = [channel.to_dict()["scale"] for channel in forms.signs("verdict", words).values()]
    assert scales[0]["domain"] == scales[1]["domain"] == list(words)
    for word, colour, shape in zip(words, *(scale["range"] for scale in scales), strict=True):
        assert MARKS[word].text in claims.badge(word)
        assert claims.SHAPES[word] == MARKS[word].text
        assert (colour, shape) == (MARKS[word].colour, MARKS[word].shape)


def test_the_key_of_chapter_8_shows_the_marks_of_the_verdicts() -> None:
    page = ROOT / "notebooks" / "audit" / "08_claims.ipynb"
    rows = re.findall(r"\| (\S) \| ([\w ]+?) \|", page.read_text(encoding="utf-8"))
    words = (*claims.VERDICTS, *claims.CONCLUSIONS)
    assert {word: sign for sign, word in rows} == {word: MARKS[word].text for word in words}


def test_the_style_sheet_has_the_colours_of_the_marks() -> None:
    sheet = (static_dir() / "cape.css").read_text(encoding="utf-8")
    first = sheet[: sheet.index("@media")]
    assert f"--cape-holds: {HOLDS.lower()};" in first and f"--cape-fails: {FAILS.lower()};" in first
    assert f"--cape-muted: {UNSAID};" in first and "--cape-unsaid: var(--cape-muted);" in first
    sides = {HOLDS: "holds", FAILS: "fails", UNSAID: "unsaid"}
    for word in claims.VERDICTS:
        rule = re.search(rf"\.{claims.CLASSES[word]} {{ border-left-color: var\(--cape-(\w+)\)", sheet)
        assert rule and rule[1] == sides[MARKS[word].colour], word


def test_no_mark_and_no_series_has_the_colour_of_a_phase() -> None:
    phases = set(look.PHASE_COLOURS.values())
    assert phases.isdisjoint(look.PALETTE) and phases.isdisjoint(mark.colour for mark in MARKS.values())
    assert phases.isdisjoint(look.TWO_SIDES)


@pytest.mark.parametrize("eye", list(SEEN))
def test_colours_that_stand_side_by_side_are_told_apart_by_every_eye(eye: str) -> None:
    in_the_dark = {look.BLUE: "#4aa3df", look.INK: "#e9ecef", look.SKY: "#a5dbf7"}
    for palette in (look.PALETTE[:4], [in_the_dark.get(colour, colour) for colour in look.PALETTE[:4]]):
        for one, other in itertools.combinations(palette, 2):
            assert apart(one, other, eye) > 13, (one, other)
    for one, other in (look.TWO_SIDES, (in_the_dark[look.BLUE], look.AMBER)):
        assert apart(one, other, eye) > 70


def test_the_two_sides_stand_out_from_a_light_and_a_dark_page() -> None:
    for page, colours in ((LIGHT_PAGE, look.TWO_SIDES), (DARK_PAGE, ("#4aa3df", look.AMBER))):
        assert min(contrast(colour, page) for colour in colours) >= 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("r = -0.5 [-0.6, -.4]", "r = −0.5 [−0.6, −.4]"),
        ("from -6 to -2 (-3)", "from −6 to −2 (−3)"),
        ("GPT-4, 5-shot, 2026-05-01, 12-B", "GPT-4, 5-shot, 2026-05-01, 12-B"),
        ("`x[-1]` and $-1$ and -1", "`x[-1]` and $-1$ and −1"),
        ('<a href="?at=-1">-1</a><pre>a[-1]\nb[-2]</pre>', '<a href="?at=-1">−1</a><pre>a[-1]\nb[-2]</pre>'),
        ("[-2](t/-3.html) https://example.org/-1", "[−2](t/-3.html) https://example.org/-1"),
        ("- a list\n- -1", "- a list\n- −1"),
        ("P(gamma < 0) is -0.1 > -0.2", "P(gamma < 0) is −0.1 > −0.2"),
        ("cape h --at -1 -o x", "cape h --at −1 -o x"),
        ("62% to 98 %, `5%`", "62\u00a0% to 98\u00a0%, `5%`"),
    ],
)
def test_a_hyphen_before_a_number_is_a_minus_and_no_other_is(text: str, shown: str) -> None:
    assert typeset(text) == shown


def test_a_note_begins_with_a_capital_and_a_formula_as_it_is() -> None:
    message = {"in two": "In two", "a/b is": "a/b is", "r = 1": "r = 1", "a line": "A line", "": "", "99 of": "99 of"}
    assert {text: sentence(text) for text in message} == message


@given(st.text(alphabet="-−.0 1a[]()`$<>/\n"))
def test_the_minus_changes_hyphens_only_and_is_done_once(text: str) -> None:
    shown = typeset(text)
    assert typeset(shown) == shown
    assert re.sub("[-−]", "", shown) == re.sub("[-−]", "", text) and shown.count("−") >= text.count("−")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-10, max_value=10), st.integers(0, 4))
def test_no_zero_has_a_minus(value: float, digits: int) -> None:
    text = f"r = {value:.{digits}f} [{value:.{digits}f}, 9]"
    for shown in (signs.written(value, digits, whole=False), typeset(text)):
        assert not re.search(r"[-−]0(\.0*)?(?!\.?\d)", shown)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=-0.01))
def test_a_negative_number_never_begins_with_a_hyphen(value: float) -> None:
    assert typeset(f"{value:.2f}").startswith("−")


def test_a_number_is_written_by_one_rule_for_page_verdict_and_terminal() -> None:
    nan, inf = float("nan"), float("inf")
    assert [signs.written(v, 2) for v in (None, nan, True, 3.0, 2.5, -0.125, inf)] == [
        "–",
        "–",
        "yes",
        "3",
        "2.50",
        "-0.12",
        "no end",
    ]
    assert signs.written(3.0, 2, whole=False) == "3.00" and signs.written(3.0, 0) == "3"
    assert [signs.written(v) for v in (0.12345, 12.0, 999.4, 1234.56)] == ["0.123", "12", "999", "1235"]
    assert [signs.written(v, words=signs.TERMINAL) for v in (nan, inf, -inf)] == ["-", "inf", "-inf"]
    assert [signs.written(v, words=signs.VERDICTS) for v in (None, inf, -inf, False)] == [
        "none",
        "unbounded",
        "unbounded",
        "no",
    ]
