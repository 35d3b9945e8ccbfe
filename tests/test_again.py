"""Every number of the sentences of chapters 9 and 10 comes out of the tables by another way (`reference/again.py`)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from cape_lib.base import training
from cape_lib.frontier import variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, WRONG
from cape_lib.story import again
from cape_lib.story import training as story
from cape_lib.tables import label

sys.path.insert(0, str(Path(__file__).parent / "reference"))
import again as reference

X, Y = "lambada_openai", "crows_pairs_english"
#: what holds digits and is no number of the sentence
NAMES = (
    "1.96 standard errors", "6,000 questions", "GPQA = ", "guessing gives 25", "95 % intervals", "SWE 65", "SWE-bench",
    "Qwen3.5 0.8B", "Qwen3.5", "data end 2026-07-10", "pythia-12b", "at 0.85 or more in", "Fisher's z",
    "the six domains", "ten times",
)  # fmt: skip


def numbers(text: str) -> list[str]:
    """The numbers of a sentence as they are printed, with their signs; what `NAMES` lists is left out."""
    for name in NAMES:
        text = text.replace(name, " ")
    return re.findall(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?", text.replace("\u2212", "-"))


def agrees(text: str, expected: list[float]) -> None:
    """Each number of the text is the expected one, rounded as it is printed; none is left over."""
    printed = numbers(text)
    assert len(printed) == len(expected), (text, printed, expected)
    for word, value in zip(printed, expected, strict=True):
        plain = word.replace(",", "")
        digits = len(plain.partition(".")[2])
        # A half may be rounded either way by the last bit of a sum.
        assert abs(float(plain) - float(value)) <= 0.5 * 10**-digits + 1e-9, (word, value, text)


@pytest.fixture(scope="module")
def rows():
    return variants.readings()


@pytest.fixture(scope="module")
def nine() -> dict[str, list[float]]:
    return reference.chapter_9()


@pytest.fixture(scope="module")
def ten() -> dict[str, list[float]]:
    return reference.chapter_10()


def test_the_rows_and_what_their_names_say_come_out_alike(rows) -> None:
    other = reference.today()
    assert list(other.model) == list(rows["model"])
    assert (other.thinks.to_numpy() == (rows["mode"] == "reasoning").to_numpy()).all()
    assert other["size"].fillna(-1).tolist() == rows["params_b"].fillna(-1).tolist()
    assert (reference.ran_out(other).any(axis=1).to_numpy() == variants.truncation(rows)["set_aside"].to_numpy()).all()


def test_the_answer_of_chapter_9(rows, nine) -> None:
    answer = again.answer(rows)
    agrees(answer.sentence, nine["answer"])
    agrees(answer.interval, nine["answer_interval"])


@pytest.mark.parametrize("measure", [KNOWS, ADMITS, WRONG, PRECISION])
def test_each_measure_of_chapter_9(rows, nine, measure: str) -> None:
    line = again.r_line(variants.association(rows, measure), measure)
    agrees(line, nine[f"r {measure}"])
    agrees(again.measure_reading(rows, measure).replace(label(measure), ""), nine[f"reading {measure}"])


def test_how_sure_the_artefact_and_the_lever_of_chapter_9(rows, nine) -> None:
    agrees(again.sure(rows), nine["sure"])
    agrees(again.artefact(rows), nine["artefact"])
    agrees(again.effort_text(rows), nine["effort"])
    agrees(again.effort_sure(rows), nine["effort_sure"])
    agrees(again.off_on_text(rows), nine["off"])
    agrees(re.sub(r"\*\*.*?\*\*", "", again.twins(rows)), nine["twins"])
    agrees(again.turn_text(rows), nine["turn"])
    agrees(" ".join(again.remember(rows)), nine["remember"])


def test_the_hump_the_line_and_the_agent_of_chapter_9(rows, nine) -> None:
    # The share under a fall alone is simulated there; all else is arithmetic.
    agrees(re.sub(r"only lowered, \d+%", "", again.hump_text(rows)), nine["hump"])
    agrees(again.line_text().split(";")[0], nine["line"])
    agrees(again.agent_text(), nine["agent"])


def test_the_sentences_of_chapter_10(ten) -> None:
    runs = training.runs()
    chosen = {"x": X, "y": Y, "from_step": 1000}
    answer = story.answer(runs, **chosen)
    agrees(answer.sentence, ten["answer"][1:])
    agrees(answer.interval, ten["answer_interval"])
    agrees(story.one_run(runs, "pythia-12b", **chosen), ten["one"])
    agrees(story.starts(runs, x=X, y=Y), ten["starts"])
    agrees(story.strangers(runs, **chosen), ten["strangers"])
    agrees(story.sizes(runs, x=X, y=Y), ten["sizes"])
    agrees(" ".join(story.remember(runs, **chosen)), ten["remember"])
    agrees(story.test_text(runs, **chosen), ten["test"])
    agrees(story.test_sure(runs, **chosen).split(" A twin")[0], ten["holm"])
