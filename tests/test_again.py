"""Every number of the sentences of chapters 9 and 10 comes out of the tables by another way (`reference/again.py`)."""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from cape_lib.base import training
from cape_lib.frontier import effort, variants
from cape_lib.frontier.variants import ADMITS, KNOWS, MEASURES, PRECISION, WRONG
from cape_lib.report.publish import execution
from cape_lib.story import again
from cape_lib.story import training as story
from cape_lib.tables import label

sys.path.insert(0, str(Path(__file__).parent / "reference"))
import again as reference

X, Y = "lambada_openai", "crows_pairs_english"
#: what holds digits and is no number of the sentence
NAMES = (
    "1.96 standard errors",
    "GPQA = ",
    "guessing gives 25",
    "95 % intervals",
    "SWE 65",
    "SWE-bench",
    "Qwen3.5 0.8B",
    "Qwen3.5",
    "data end 2026-07-10",
    "pythia-12b",
    "at 0.85 or more in",
    "Fisher's z",
    "the six domains",
    "ten times",
    "95 %",
    "to 2026-07-10",
    "four of five",
    "50 is no preference",
)
#: names of models in a sentence
MODELS = (r"\*\*[A-Z][\w.-]* [\w .()-]*\*\*", r"without [A-Z][\w .]* alone", r"pythia-\d[\w.]*(?:-deduped)?")
#: what a box says of ours as data: its statement and the value published
STATED = (r"\[O\d\d\]\(.*?\*\(this book\)\*", r"published [+-]?[\d.]+,")
PAGES = {
    "09_asked_again": reference.page_9,
    "audit/09_asked_again": reference.page_9_audit,
    "10_along_training": reference.page_10,
    "audit/10_along_training": reference.page_10_audit,
}


def numbers(text: str) -> list[str]:
    """The numbers of a sentence as they are printed, with their signs; what `NAMES` lists is left out."""
    text = text.replace("\u2212", "-").replace("\u00a0", " ").replace("> 0.99", "1.00")  # how a p of one is written
    for name in NAMES:
        text = text.replace(name, " ")
    return re.findall(r"(?<![\w.])[+-]?\d+(?:,\d{3})*(?:\.\d+)?", text)


def alike(printed: list[str], expected: list[float], slack: float = 1e-9) -> bool:
    """Whether the numbers are the expected ones, as rounded; a half goes either way by the last bit of a sum."""
    plain = [word.replace(",", "") for word in printed]
    places = [len(word.partition(".")[2]) for word in plain]
    return len(printed) == len(expected) and all(
        abs(float(word) - float(value)) <= 0.5 * 10**-digits + slack
        for word, value, digits in zip(plain, expected, places, strict=True)
    )


def agrees(text: str, expected: list[float]) -> None:
    """Each number of the text is the expected one, rounded as it is printed; none is left over."""
    assert alike(numbers(text), expected), (text, numbers(text), expected)


def shown(output) -> list[str]:
    """What a cell prints as texts: of a table the cells that are numbers, of a figure its title, caption and readings,
    of a claim's box what its rules computed.
    """
    data = output.get("data", {})
    text = data.get("text/markdown") or data.get("text/html") or ""
    if "This machine: " in text:
        return []
    if "<figure" in text:
        parts = re.findall(r'<p class="cape-title".*?>(.*?)<a |<figcaption>(.*?)<button', text, re.S)
        script = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', text, re.S)[0])
        return [plain(part) for pair in parts for part in pair] + [
            plain(one) for one in (script.get("control") or {}).get("readings") or []
        ]
    cells = [plain(cell) for cell in re.findall("<td[^>]*>(.*?)</td>", text, re.S)]
    return [" ".join(cell for cell in cells if re.fullmatch(r"[+-]?[\d,.]+", cell))] if cells else [plain(text)]


def plain(text: str) -> str:
    """The text without tags, names of models and what is said of ours as data."""
    text = html.unescape(re.sub("<[^>]+>", "", text)).replace("\u2212", "-").replace("\u00a0", " ")
    for pattern in (*STATED, *MODELS):
        text = re.sub(pattern, " ", text, flags=re.S)
    return text


def known(printed: list[str], entries: list[list[float]]) -> bool:
    """Whether the numbers are those of one entry, or of several with two or more numbers one after the other."""
    reached = {0}
    for start in range(len(printed)):
        for entry in entries if start in reached else ():
            end = start + len(entry)
            # Mixed models stop where their optimiser does.
            slack = 0.02 if len(entry) == 40 else 1e-9
            if (len(entry) > 1 or len(printed) == 1) and alike(printed[start:end], entry, slack):
                reached.add(end)
    return len(printed) in reached


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


@pytest.mark.slow
def test_the_answer_of_chapter_9(rows, nine) -> None:
    answer = again.answer(rows)
    agrees(answer.sentence, nine["answer"])
    agrees(answer.interval, nine["answer_interval"])


@pytest.mark.slow
@pytest.mark.parametrize("measure", [KNOWS, ADMITS, WRONG, PRECISION])
def test_each_measure_of_chapter_9(rows, nine, measure: str) -> None:
    line = again.r_line(variants.association(rows, measure), measure)
    agrees(line, nine[f"r {measure}"])
    agrees(again.measure_reading(rows, measure).replace(label(measure), ""), nine[f"reading {measure}"])


@pytest.mark.slow
def test_how_sure_the_artefact_and_the_lever_of_chapter_9(rows, nine) -> None:
    agrees(again.sure(rows), nine["sure"])
    agrees(again.artefact(rows), nine["artefact"])
    ladders = effort.effort_ladders(rows)
    change = effort.over_makers(ladders, ADMITS)
    agrees(again.effort_text(rows, ladders, change=change), nine["effort"])
    agrees(again.effort_sure(rows), nine["effort_sure"])
    agrees(again.off_on_text(rows), nine["off"])
    agrees(re.sub(r"\*\*.*?\*\*", "", again.twins(variants.steady(rows))), nine["twins"])
    agrees(again.turn_text(rows), nine["turn"])
    agrees(" ".join(again.remember(rows)), nine["remember"])


@pytest.mark.slow
def test_the_hump_the_line_the_labs_and_the_agent_of_chapter_9(rows, nine) -> None:
    agrees(again.hump_text(rows), nine["hump"])
    text = re.sub(r"without .*? alone", "without one alone", again.one_laboratory())
    agrees(text, [*nine["line"], *nine["agent"], *nine["labs"]])


def test_the_twins_of_chapter_9_are_the_extremes_of_many_pairs(rows) -> None:
    agrees(again.twins_usual(rows), reference.twins_usual(reference.today()))
    agrees(again.twins_answer(rows), reference.twins_answer(reference.today()))


def same(table, columns: list[str], expected, rtol: float = 1e-6) -> None:
    """The columns of a table are the expected numbers, row by row."""
    np.testing.assert_allclose(table[columns].to_numpy(float), np.array(expected, float), rtol=rtol, atol=1e-9)


@pytest.mark.slow
def test_the_tables_of_the_audit_of_chapter_9(rows) -> None:
    other, r = reference.today(), ["r", "low", "high", "n"]
    same(variants.headlines(rows), r, reference.headline_table(other))
    same(variants.objections(rows), r, reference.objection_table(other))
    parts = {"all": other, "without truncated": other[~reference.ran_out(other).any(axis=1)]}
    for which, part in variants.both(rows).items():
        for measure in MEASURES:
            domains = reference.domain_table(parts[which])[measure]
            assert variants.by_domain(part, measure)[0]["r"].tolist() == pytest.approx(domains)
            same(variants.by_year(part, measure), r, reference.year_table(parts[which], measure))


@pytest.mark.slow
def test_the_levers_of_the_audit_of_chapter_9_and_their_objections(rows) -> None:
    other = reference.today()
    count = [
        "rose",
        "fell",
        "n",
        "sure",
        "mean",
        "by_maker",
        "by_maker_low",
        "by_maker_high",
        "makers_up",
        "makers",
        "p",
    ]
    same(effort.counts(effort.effort_ladders(rows)), count, reference.count_table(reference.ladders(other)))
    same(effort.counts(effort.effort_ladders(rows, bare=False)), count, reference.count_table(reference.wide(other)))
    same(effort.counts(effort.off_and_on(rows)), count, reference.count_table(reference.off_and_on(other)))
    of_efforts, of_pairs = reference.check_tables(other)
    moved = ["n", "makers", "admits_fell", "wrong_rose", "precision_rose"]
    same(effort.ladder_checks(rows), moved, of_efforts)
    same(effort.off_on_checks(rows), moved, of_pairs)
    steady = other[~reference.ran_out(other).any(axis=1)]
    for mine, theirs in ((rows, other), (variants.steady(rows), steady)):
        points = [reference.doses(theirs, score)[0] for score in reference.SCORES]
        same(effort.doses(mine), ["by_maker", "by_maker_low", "by_maker_high"], points)


@pytest.mark.slow
def test_the_mixed_model_of_the_dose(rows) -> None:
    other = reference.today()
    steady = other[~reference.ran_out(other).any(axis=1)]
    for mine, theirs in ((rows, other), (variants.steady(rows), steady)):
        for row, score in zip(effort.doses(mine).itertuples(), reference.SCORES, strict=True):
            expected = reference.mixed_dose(theirs, score)
            # Optimisers stop at different places: a fiftieth of a point.
            printed = [row.mixed, row.low, row.high, row.between_makers, row.between_models]
            assert printed == pytest.approx(expected, abs=0.02), (score, printed, expected)
            assert row.singular == (min(expected[3:]) < 0.02), (score, expected)


@pytest.mark.slow
def test_the_sizes_of_the_audit_of_chapter_9(rows) -> None:
    other = reference.today()
    parts = {"all": other, "without truncated": other[~reference.ran_out(other).any(axis=1)]}
    table = again.sizes(rows)
    expected = [
        reference.whole_sizes(parts[row.rows], row.measure, {"total": "size", "active": "active"}[row.size])
        for row in table.itertuples()
    ]
    # One takes 1.96, the other the quantile itself.
    same(table, ["ladders", "surely_rise", "surely_fall", "pooled", "low", "high", "tau"], expected, rtol=1e-4)
    agrees(again.sizes_text(table), [table["ladders"].iloc[0], table["ladders"].iloc[1]])
    for measure in MEASURES:
        for which, part in parts.items():
            agrees(
                again.turn_text(variants.both(rows)[which], measure).replace(label(measure), ""),
                reference.turn(part, measure),
            )


def test_the_control_of_the_artefact_is_the_same_sizes_without_thinking(rows) -> None:
    other = reference.today()
    family = other[other.model.str.match(r"Qwen3\.5 [\d.]+B") & ~other.thinks]
    agrees(again.control(rows), [len(family), family[reference.GPQA].corr(family[reference.Q])])


@pytest.mark.slow
def test_the_sentences_of_chapter_10(ten) -> None:
    runs = training.runs()
    chosen = {"x": X, "y": Y, "from_step": 1000}
    answer = story.answer(runs, **chosen)
    agrees(answer.sentence, ten["answer"][1:])
    agrees(answer.interval, ten["answer_interval"])
    agrees(story.one_run(runs, "pythia-12b", **chosen), ten["one"])
    agrees(story.starts(runs, x=X, y=Y), ten["starts"])
    agrees(story.strangers(runs, **chosen), ten["strangers"])
    agrees(story.sizes(training.by_size(runs, x=X, y=Y)), ten["sizes"])
    agrees(" ".join(story.remember(runs, **chosen)), ten["remember"])
    agrees(story.test_text(training.beyond_trend(runs, **chosen), runs, **chosen), ten["test"])
    agrees(story.averages(runs, **chosen), ten["averages"])


@pytest.mark.slow
@pytest.mark.parametrize("x", reference.CAPABILITIES)
def test_the_audit_of_chapter_10_for_each_capability(x: str) -> None:
    runs, other, chosen = training.runs(), reference.chapter_10(x), {"x": x, "from_step": 1000}
    agrees(story.starts(runs, x=x), other["starts"])
    agrees(story.strangers(runs, **chosen), other["strangers"])
    agrees(story.sizes(training.by_size(runs, x=x)), other["sizes"])
    agrees(story.test_sure(runs, **chosen), other["holm"])
    agrees(story.noise_text(runs, x=x), other["noise"])
    own = reference.runs(x, Y, 1000)
    along = training.along(runs, **chosen).set_index("model")["r"]
    assert along.rename(lambda name: name.removesuffix("-bf16")).to_dict() == pytest.approx(
        dict(own[0].corrwith(own[1]))
    )


def test_the_tables_of_the_audit_of_chapter_10(ten) -> None:
    runs = training.runs()
    agrees(story.control_text(runs), ten["control"])
    for row in training.tests(runs).itertuples():
        own, twin, gap, p = reference.beyond(row.capability, row.from_step, of=row.of)
        assert [row.own, row.twin, row.excess, row.low, row.high, row.p] == pytest.approx([own, twin, *gap, p]), row
    for row in training.change_noise(runs, [X, Y]).itertuples():
        assert (row.sd, row.noise, row.share) == pytest.approx(reference.noise_of_changes(row.score, row.from_step))
    for row in training.control(runs).itertuples():
        own, twin, gap, p = reference.beyond(row.first, y=row.second)
        assert [row.own, row.twin, row.excess, row.p] == pytest.approx([own, twin, gap[0], p]), row


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_number_that_a_page_prints_is_one_that_the_other_script_has(page: str) -> None:
    path = Path(__file__).parents[1] / "notebooks" / f"{page}.ipynb"
    run = next(iter(execution.run_all({path: {}}, tell=lambda line: None)))
    cells = nbformat.reads(run.text, as_version=4).cells
    texts = [text for cell in cells for output in cell.get("outputs", []) for text in shown(output)]
    entries = [[float(value) for value in entry] for entry in PAGES[page]()]
    unknown = [(text, numbers(text)) for text in texts if numbers(text) and not known(numbers(text), entries)]
    assert sum(bool(numbers(text)) for text in texts) > 12
    assert not unknown, "\n".join(f"{text[:300]}: {words[:40]}" for text, words in unknown)
