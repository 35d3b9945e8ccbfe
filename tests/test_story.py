"""The story: answers that follow the rows, chapters in their form, no false sentence for an opposite family."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cape_lib import claims, frontier, predictions, stats, story, tables
from cape_lib.base import boundary, coupling, levers
from cape_lib.errors import UsageError
from cape_lib.frontier import variants
from cape_lib.lm.cosines import cosines_of_means
from cape_lib.story import again
from cape_lib.story import boundary as chapter_2
from cape_lib.story import claims as chapter_8
from cape_lib.story import coupling as chapter_1
from cape_lib.story import frontier as chapter_6
from cape_lib.story import intro as first_page
from cape_lib.story import levers as chapter_3
from cape_lib.story import mechanism as chapter_4
from cape_lib.story import predictions as chapter_7
from cape_lib.story import steering as chapter_5

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = (
    "01_coupling",
    "02_phase_boundary",
    "03_levers",
    "04_mechanism",
    "05_steering",
    "06_frontier",
    "07_predictions",
    "08_claims",
    "09_asked_again",
    "10_along_training",
)
CHAPTERS = [ROOT / "notebooks" / f"{name}.ipynb" for name in WRITTEN]
#: Every page of the story: the chapters, the first page, the dashboard.
PAGES = [*CHAPTERS, ROOT / "book" / "intro.ipynb", ROOT / "notebooks" / "00_dashboard.ipynb"]


def code(path: Path) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def family(name: str, truthfulqa: list[float], *, hellaswag: tuple[float, float] = (30.0, 75.0)) -> pd.DataFrame:
    """A made family of as many sizes as scores, reasoning rising evenly over them."""
    count = len(truthfulqa)
    return pd.DataFrame(
        {
            "model": [f"{name}-{i}" for i in range(count)],
            "family": name,
            "ladder": name,
            "params_b": np.geomspace(0.2, 20, count).round(3),
            "hellaswag": np.linspace(*hellaswag, count),
            "truthfulqa": truthfulqa,
        }
    )


def answer_of(*families: pd.DataFrame, own: bool = False) -> story.Answer:
    panel = pd.concat(families, ignore_index=True)
    at = tables.ChapterRows(panel, families[0], str(families[0]["family"].iloc[0]), own, "test", "", "", "")
    ends, ladders = coupling.whole_ladder(families[0]), coupling.whole_ladders(panel)
    return chapter_1.answer(at, ladders, ends, x="hellaswag", y="truthfulqa")


FALLS, RISES, STAYS = (
    family("Falls", [46, 40, 34, 30]),
    family("Rises", [35, 42, 49, 56]),
    family("Stays", [40, 41, 40, 41]),
)


@pytest.mark.parametrize(
    ("families", "lead"),
    [
        ((FALLS, RISES), "In some families"),
        ((FALLS, STAYS), "Yes, where it can be told"),
        ((RISES, STAYS), "No, where it can be told"),
        ((STAYS,), "That cannot be told"),
    ],
)
def test_the_answer_on_coupling_follows_the_families(families: tuple[pd.DataFrame, ...], lead: str) -> None:
    one = answer_of(*families)
    assert one.sentence.startswith(f"**{lead}"), one.sentence
    assert one.grade == "correlation"


def test_the_answer_on_coupling_counts_what_it_names() -> None:
    one = answer_of(FALLS, RISES, STAYS)
    assert "1 of 3 families get better at HellaSwag and worse at TruthfulQA (Falls)" in one.sentence
    assert "1 get better at both (Rises), and for 1 score noise" in one.sentence
    assert "hides the direction (Stays)" in one.sentence
    assert "-16.0 points of TruthfulQA" in one.interval


def test_noise_is_not_blamed_where_the_first_score_does_not_rise() -> None:
    backwards = family("Backwards", [46, 40, 34, 30], hellaswag=(75.0, 70.0))
    one = answer_of(FALLS, STAYS, backwards)
    assert "and for 1 score noise" in one.sentence
    assert one.sentence.endswith("hides the direction (Stays); in 1 HellaSwag does not rise (Backwards).")


def test_steps_are_counted_by_what_the_score_does_where_the_first_score_falls() -> None:
    backwards = family("Backwards", [46, 40, 34, 34], hellaswag=(75.0, 60.0))
    text = chapter_1.steps(coupling.local_coupling(backwards), coupling.whole_ladder(backwards))
    assert text.startswith("2 steps of 3 fall, 0 rise, 1 stays level. ")


@pytest.mark.parametrize(("rows", "verb"), [(FALLS, "loses **16.0"), (RISES, "gains **21.0")])
def test_a_family_of_the_reader_answers_for_itself(rows: pd.DataFrame, verb: str) -> None:
    one = answer_of(rows, own=True)
    assert verb in one.sentence and "beyond score noise" in one.sentence
    assert one.grade == "single case"


def test_an_answer_without_a_grade_or_an_interval_is_refused() -> None:
    with pytest.raises(UsageError, match="grade"):
        story.Answer("It is so.", "surely", "n = 3")
    with pytest.raises(UsageError, match="interval"):
        story.Answer("It is so.", "correlation", " ")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_first_thing_that_a_chapter_shows_is_its_computed_answer(path: Path) -> None:
    shown = [cell for cell in code(path) if "remove-cell" not in tags(cell) and "parameters" not in tags(cell)]
    assert re.match(r"answer\(\w+[\w.]*\(", shown[0].source), shown[0].source
    before = nbformat.read(path, as_version=4).cells
    prose = [cell.source for cell in before[: before.index(shown[0])] if cell.cell_type == "markdown"]
    assert len(prose) == 1 and re.fullmatch(r"# [^\n]+\n\n\*\*[^*]+\?\*\*", prose[0]), (
        "only title and question before it"
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_section_shows_at_most_one_cell_of_at_most_four_lines(path: Path) -> None:
    shown, sections = 0, 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and re.search(r"^## ", cell.source, re.M):
            sections, shown = sections + 1, 0
        if cell.cell_type == "code" and not tags(cell) & {"hide-input", "remove-input", "remove-cell"}:
            shown += 1
            assert shown == 1 and len(cell.source.splitlines()) <= 4, cell.source
    assert sections >= 3


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_cell_of_code_only_makes_prose_and_text_is_at_least_as_much_as_code(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    working = [cell for cell in code(path) if not tags(cell) & {"remove-cell", "parameters"}]
    assert sum(cell.cell_type == "markdown" for cell in cells) >= len(working)
    for cell in working:
        assert any(not is_prose(step) for step in ast.parse(cell.source).body), cell.source


def is_prose(step: ast.stmt) -> bool:
    """Whether a statement does nothing but show a sentence."""
    called = step.value.func if isinstance(step, ast.Expr) and isinstance(step.value, ast.Call) else None
    return ast.unparse(called).split(".")[-1] in {"say", "sure"} if called else False


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_leads_to_its_audit_and_ends_with_what_to_remember(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert f"](audit/{path.stem}." in prose
    assert code(path)[-1].source.startswith("remember(")
    assert "Next: [" in cells[-1].source or path.stem.startswith("08")


def test_a_link_to_a_section_of_the_audit_is_one_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from docutils import nodes, utils
    from sphinx import addnodes

    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    capebook = importlib.import_module("capebook")
    page = utils.new_document("03_levers")
    for address in ("audit/03_levers.html#width", "04_mechanism.ipynb"):
        page += addnodes.pending_xref("", nodes.Text("there"), reftarget=address)
    capebook.link(SimpleNamespace(builder=SimpleNamespace(name="html")), page)
    links = list(page.findall(nodes.reference))
    assert [one["refuri"] for one in links] == ["audit/03_levers.html#width"]
    assert [one["reftarget"] for one in page.findall(addnodes.pending_xref)] == ["04_mechanism.ipynb"]


# --- chapters 2 and 3 and the first page -------------------------------------------------------------------------


def test_a_parabola_through_three_families_turns_where_the_published_one_does() -> None:
    rows = tables.base_version("bootstrap_script")
    turn = chapter_2.parabola(rows, chapter_2.ALL)["turn"].iloc[0]
    assert turn == pytest.approx(boundary.vertex_bootstrap(rows, resamples=10).point)
    assert np.isnan(chapter_2.parabola(rows, "without Pythia")["turn"].iloc[0])


def test_families_that_do_the_opposite_are_told_the_other_way_round() -> None:
    rows = tables.base_version("bootstrap_script")
    other = rows.assign(truthfulqa=100 - rows["truthfulqa"])
    text, opposite = chapter_2.joined(rows), chapter_2.joined(other)
    assert "Llama-1 only rises (+9 points" in text and "Pythia only falls (-15 points" in text
    assert "Llama-1 only falls (-9 points" in opposite and "Pythia only rises (+15 points" in opposite
    assert "has no lowest point" in chapter_2.parabola(other, chapter_2.ALL).attrs["reading"]


def test_other_scores_than_those_of_chapter_1_are_told_with_the_family_that_differs_most() -> None:
    rows, panel = tables.base_version("bootstrap_script"), tables.base("published")
    text = chapter_2.other_scores(rows, panel, tables.base("uniform"))
    assert "than chapter 1: in chapter 1 Llama-1 rises by 15 points of TruthfulQA, in the script it rises by 9." in text
    assert "The uniform panel (one test program) has +9, like the script." in text
    turned = [part.assign(truthfulqa=-part["truthfulqa"]) for part in (rows, panel)]
    other = chapter_2.other_scores(*turned, panel)
    assert "has +15, like neither." in other
    assert "The uniform" not in chapter_2.other_scores(*turned, panel.head(0))
    assert "in chapter 1 Llama-1 falls by 15 points of TruthfulQA, in the script it falls by 9." in other
    same = rows.assign(ladder=rows["family"])
    assert "uses the scores of chapter 1" in chapter_2.other_scores(rows, same, same)


def test_each_family_of_the_parabola_is_told_as_its_own_steps_go() -> None:
    rows = tables.base_version("bootstrap_script")
    text = chapter_2.joined(rows)
    assert "Llama-2 falls, then rises (+6 points from end to end); Pythia only falls" in text
    assert "3.4 B, lies inside the sizes of only Pythia" in text
    assert "turns without Llama-1 at 3.6 B, without Llama-2 at 4.0 B, without Pythia nowhere inside" in text
    other = chapter_2.joined(rows.assign(truthfulqa=100 - rows["truthfulqa"]))
    assert "Pythia only rises" in other and "Llama-2 goes up and down" in other and "have no lowest point" in other


def test_the_recomputed_interval_stands_beside_the_published_one() -> None:
    rows, verdict = tables.base_version("bootstrap_script"), claims.evaluate("C03")[0]
    turning = boundary.vertex_bootstrap(rows)
    text = chapter_2.recomputed(turning, verdict)
    assert "gives 3.5 B, 2.9 to 14.1; published: 3.5 B, 2.9 to 13.4." in text
    assert f"{turning.point:.1f} B" in text and f"up to {verdict.parts[2].slack:.1f} B" in text


def test_the_end_of_the_losses_is_told_at_its_tokens_and_as_far_as_it_is_known() -> None:
    reach = {(0.0, 2.9): "any size up to 2.9 B", (0.5, 2.9): "0.5 B to 2.9 B"}
    reach |= {(0.5, np.inf): "0.5 B or more", (0.0, np.inf): "any size"}
    for (low, high), words in reach.items():
        assert chapter_2.reach(stats.Estimate(1.0, low, high, 9, "test")) == words
    uniform = tables.base("uniform")
    steps = coupling.known_steps(uniform)
    model, shares = coupling.family_model(steps, uniform), coupling.signs_by_tokens(steps)
    scale, amount = model.critical_scale(), chapter_2.at_tokens(model)
    few = model.critical_scale(tokens_b=300.0)
    assert few.low == 0 and few.high == np.inf
    ends = f"on average, at {scale.estimate:.2g} B for {amount:.0f} billion tokens and at {few.estimate:.2g} B for 300"
    assert f"puts the end of the losses, {ends} billion" in chapter_2.turn(model)
    assert amount == pytest.approx(10 ** model.centre["tokens"], rel=0.1)
    at = tables.chapter("published", "Pythia")
    scales = boundary.critical_scales(at.ladder)
    one = chapter_2.answer(at, scales, model, steps)
    assert one.sentence.startswith("**No size is known.**") and "but may miss a part of these steps" in one.sentence
    assert f"With a probability of {model.p_no_turn():.0%}" in one.sentence
    assert f"puts the end at any size up to {scale.high:.2g} B (95 %) with the more tokens, at any size" in one.interval
    lines = chapter_2.remember(scales, model, steps, shares, family="Pythia")
    assert lines[1].startswith("No size to plan by: a fit over 31 families")
    assert f"at {few.estimate:.2g} B (any size) for 300." in lines[1]


def test_sizes_that_were_not_enough_are_counted() -> None:
    scales = pd.DataFrame({"verdict": ["undecided", "undecided", "boundary", "no boundary in these sizes"]})
    assert chapter_2.enough(scales, "F", count=8) == "Four sizes are the least; F's 8 left 2 of 4 estimators undecided."
    assert "left none of 4" in chapter_2.enough(scales.assign(verdict="boundary"), "F", count=9)


def test_size_is_told_apart_only_where_the_intervals_part() -> None:
    uniform = tables.base("uniform")
    steps = coupling.known_steps(uniform)
    model, shares = coupling.family_model(steps, uniform), coupling.signs_by_tokens(steps)
    text = chapter_2.by_size(model, shares)
    assert "from 16 of 17 to 1 of 4 with fewer tokens and from 3 of 8 to 5 of 20 with more: the" in text
    assert "the intervals overlap, so counts leave it open. In the fit gamma rises with size." in text
    apart = shares.assign(high=shares["high"].where(shares["from_b"] < 10, 0.05))
    assert "told apart with fewer tokens and with more." in chapter_2.by_size(model, apart)
    assert chapter_2.by_size(model, shares.query("from_b > 0")).startswith("And size? In the fit")


def test_a_turn_that_noise_could_hide_is_said_beside_the_claim_that_falls() -> None:
    one = claims.evaluate("C02")[0]
    assert "Of the claim, as worded: 0 of 64 steps of Pythia rise" in chapter_2.as_worded(one)
    assert chapter_2.as_worded(replace(one, conclusion="withstands")) == ""


def test_counts_that_the_fit_of_all_families_misses_stand_beside_it() -> None:
    uniform = tables.base("uniform")
    steps = coupling.known_steps(uniform)
    model, shares = coupling.family_model(steps, uniform), coupling.signs_by_tokens(steps)
    few = shares[(shares["from_b"] == 3.5) & (shares["tokens"] == "under")].iloc[0]
    text = chapter_2.misfit(model, steps, shares)
    assert (
        "from 3.5 to 10 B, under 600 billion tokens, it expects a gamma of +0.09 [-0.20, +0.39] (at 5.5 billion" in text
    )
    assert f"and 264 billion tokens), but {few.negative} of {few.steps} such steps are negative" in text
    assert chapter_2.misfit(model, steps, shares[shares["tokens"] == "over"]) == ""


def test_tokens_are_told_up_to_10_b_and_above() -> None:
    steps = coupling.known_steps(tables.base("uniform"))
    text, shares = chapter_2.tokens(steps), coupling.signs_by_tokens(steps)
    large = shares[shares["to_b"] > 10].set_index("tokens")
    few, many = (f"{large.negative[word]} of {large.steps[word]}" for word in ("under", "over"))
    assert "there tokens go along with the sign" in text and f"Above 10 B it is {few} and {many}." in text
    assert "Above" not in chapter_2.tokens(steps[steps["size_b"] < 10])
    assert "open whether tokens go" in chapter_2.tokens(steps.assign(gamma=np.where(steps.index % 2, 0.5, -0.5)))
    assert text.startswith(chapter_2.by_tokens(shares))


def test_a_whole_fall_that_is_settled_is_told_beside_steps_that_are_not() -> None:
    for rows, words in ((FALLS, "the whole fall is"), (RISES, "the whole rise is"), (STAYS, "nor is the whole rise")):
        text = chapter_1.steps(coupling.local_coupling(rows), coupling.whole_ladder(rows))
        assert words in text, text
    gammas = coupling.local_coupling(FALLS)
    assert f"{chapter_1.sure_steps(gammas) or 'None'} of these signs" in chapter_1.steps(
        gammas, coupling.whole_ladder(FALLS)
    )


def test_the_cuts_of_a_panel_are_its_splits_and_the_sure_flips_have_a_place() -> None:
    panel, pair = tables.base("published"), {"x": "hellaswag", "y": "truthfulqa"}
    cuts = chapter_1.grid(panel, **pair)
    sweep = coupling.cut_sweep(panel, cuts, **pair)
    assert sweep["n_below"].is_unique and sweep[["r_below", "r_above"]].notna().all(axis=None)
    assert 3.5 in cuts and sweep[["n_below", "n_above"]].min().tolist() == [4, 5]
    sure = sweep.loc[sweep["flips_surely"], "cut_b"]
    text = chapter_1.flips(sweep)
    assert text.endswith(f"; surely at {len(sure)}, all from {sure.min():.2g} to {sure.max():.2g} B")
    among = sweep.set_index("cut_b")["flips"][3.5]
    assert f"splits by size, 3.5 B {'' if among else 'not '}among them;" in text
    assert ", 3.5 B not among them;" in chapter_1.flips(sweep.assign(flips=False))
    assert chapter_1.flips(sweep.assign(flips_surely=sweep["cut_b"] == 3.5)).endswith(", 3.5 B too")
    assert chapter_1.flips(sweep.assign(flips_surely=False)).endswith("; surely at none")
    assert chapter_1.grid(panel.head(3), **pair).tolist() == sorted(panel.head(3)["params_b"].unique())


def test_a_correlation_without_size_or_families_has_its_interval() -> None:
    whole = coupling.population_coupling(tables.base("published"), resamples=10)
    text = chapter_1.population(whole)
    for one in (whole.partial_given_size, whole.family_demeaned):
        assert f"{one.estimate:+.2f} [{one.low:.2f}, {one.high:.2f}]" in text
    assert f"({whole.family_demeaned.n} models)" in text


def made_steps(*, small_negative: bool) -> pd.DataFrame:
    """Steps of twelve families: one sign below 3.5 B and with few tokens, the other above and with many."""
    rows = []
    for i in range(12):
        for size in (0.5, 1.0, 20.0, 40.0):
            negative = (size < 3.5) == small_negative
            few = i % 2 == 0
            if size < 3.5 and not few:
                negative = not negative
            gamma = -0.5 if negative else 0.5
            rows.append(
                {
                    "family": f"F{i}",
                    "params_b_mid": size,
                    "size_b": size,
                    "tokens_b": 100.0 if few else 2000.0,
                    "gamma": gamma,
                    "phase": "tax" if negative else "bonus",
                }
            )
    return pd.DataFrame(rows)


def test_the_first_page_says_who_pays_whichever_way_the_steps_go() -> None:
    uniform = tables.base("uniform")
    model = coupling.family_model(coupling.known_steps(uniform), uniform)
    few = made_steps(small_negative=True).query("tokens_b < 600")
    assert first_page.pays(few, model).sentence.startswith("**Often, not always: ")
    other = made_steps(small_negative=False).query("tokens_b < 600")
    assert first_page.pays(other, model).sentence.startswith("**No: ")
    level = few.assign(gamma=[-0.5, 0.5] * (len(few) // 2))
    assert first_page.pays(level, model).sentence.startswith("**Not known: small and large")


def test_a_size_is_excluded_only_where_both_amounts_of_tokens_exclude_it_and_the_fit_holds() -> None:
    out, inside, none = (
        stats.Estimate(one, 0.0, high, 72, "test") for one, high in ((1, 2.9), (1, np.inf), (np.nan, 1))
    )
    assert first_page.borne(out, inside, missed=False) == "neither shows nor excludes that size"
    assert first_page.borne(out, out, missed=True) == "is too coarse to show or exclude that size"
    assert first_page.borne(out, out, missed=False) == "excludes that size"
    assert first_page.borne(inside, inside, missed=False) == "allows that size, without showing it"
    assert first_page.borne(none, none, missed=False) == "finds no losses that end with size"


def test_every_fall_is_counted_on_the_first_page_and_every_tax_in_the_audit_of_chapter_2() -> None:
    uniform = tables.base("uniform")
    steps = coupling.known_steps(uniform)
    one = first_page.pays(steps, coupling.family_model(steps, uniform))
    assert "with less truthfulness, any fall counted, in " in one.sentence
    assert "the end of the losses at 3.5 B: a fit over 31 families is too coarse" in one.sentence
    steps = steps.assign(falls=steps["gamma"] < 0, tax=steps["phase"] == "tax")
    inside = [steps[steps["size_b"].between(a, b, inclusive="left")] for a, b in ((0, 3.5), (3.5, 10), (10, np.inf))]
    falls, taxes = ([int(rows[what].sum()) for rows in inside] for what in ("falls", "tax"))
    text = chapter_2.taxes(steps)
    assert f"{falls[0]} of {len(inside[0])}, {falls[1]} of {len(inside[1])} and {falls[2]} of {len(inside[2])}" in text
    assert text.endswith(f"{taxes[0]}, {taxes[1]} and {taxes[2]}.")


def test_the_first_page_names_a_claim_that_falls_only_while_it_falls() -> None:
    one = claims.evaluate("C07")[0]
    assert first_page.falls(one).startswith("**One claim that falls**") and "chapter 3" in first_page.falls(one)
    assert first_page.falls(replace(one, conclusion="withstands")) == ""


def test_today_says_what_is_left_with_date_and_size_held() -> None:
    rows = variants.readings()
    text = first_page.today(again.answer(rows, checks=False), rows).sentence
    right, wrong = (variants.association(rows, name, given=again.HELD) for name in (variants.KNOWS, variants.WRONG))
    assert f"(known for {wrong.n}), the link with right answers stays (r = {right.estimate:.2f} [" in text
    assert f"wrong ones is not shown (r = {wrong.estimate:.2f} [{wrong.low:.2f}, " in text


def test_families_that_turn_are_told_with_the_size_at_which_they_do() -> None:
    made = pd.DataFrame({"smaller": "a", "larger": "b"}, index=range(4))
    made = made.assign(ladder="Turns", params_b_low=[0.5, 1, 3, 6], params_b_high=[1, 3, 6, 9], gamma=[-1, -1, 1, 1])
    made = made.assign(params_b_mid=made["params_b_low"], size_b=made["params_b_low"], tokens_b=1.0)
    made["phase"] = ["tax", "tax", "bonus", "bonus"]
    back = made.assign(ladder="Back", phase=["bonus", "bonus", "tax", "tax"])
    text = first_page.doubt(pd.concat([made, back]), made)
    assert text.startswith("1 of 2 families first sink, then rise (Turns at 3 B), Turns at 3.5 B. 1 has sizes")
    assert first_page.doubt(back, back).startswith("0 of 1 families first sink, then rise. 1 has sizes")


def test_the_first_page_says_of_tokens_only_what_the_steps_show() -> None:
    apart, alike = made_steps(small_negative=True), made_steps(small_negative=True)
    assert first_page.goes_with(apart).sentence.startswith("**Families trained on less text")
    alike["gamma"] = np.where(np.arange(len(alike)) % 2, 0.5, -0.5)
    assert "is open" in first_page.goes_with(alike).sentence
    turned = apart.assign(tokens_b=2100.0 - apart["tokens_b"])
    assert first_page.goes_with(turned).sentence.startswith("**Families trained on more text")


def test_a_base_rate_counts_the_steps_near_a_size() -> None:
    steps = made_steps(small_negative=True)
    near = steps[steps["size_b"].between(1 / 3, 3)]
    taxed = (near["phase"] == "tax").sum()
    text = first_page.rate(steps, 1.0)
    assert f"Near 1 B, from 0.33 to 3 B, **{taxed} of {len(near)}** known steps of 12 families cost" in text
    share = coupling.base_rate(steps, 1.0).share
    assert f"(95 % interval {share.low:.0%} to {share.high:.0%})" in text
    assert "no step of a family is known" in first_page.rate(steps, 900.0)


def test_corpora_without_a_dip_are_told_with_the_share_that_would_have_been_seen() -> None:
    rows = pd.DataFrame(
        {"believers": [0.1, 0.5] * 5, "below_chance": False, "lowest": 0.3, "surely": False, "widths": 4}
    )
    text = chapter_3.corpora(rows)
    # 1 - 0.2^(1/10): the share of which ten corpora show at least one in four of five repeats
    assert text.startswith("In none of 10 corpora") and "in less than 15% of corpora could be missed" in text
    some = rows.assign(below_chance=[False, True] * 5, lowest=[0.24, 0.1] * 5, surely=[False, True] * 4 + [False] * 2)
    text = chapter_3.corpora(some)
    assert "In **5 of 10** corpora" in text and "noise of its questions: all 5 with 50% believers." in text
    assert "Corrected for 40 models, 4 of these 5 are left; 5 more lie below it within noise." in text
    wider = chapter_3.corpora(some.assign(below_chance=[True, False] + [False, True] * 4))
    assert "5 of the 10 with 10% believers or more" in wider


def test_curated_models_are_told_with_their_sources_and_one_sided() -> None:
    excess = levers.curation_contrasts(tables.base("published"))
    text = chapter_3.curated(excess, y="truthfulqa")
    assert text.startswith("**6 of 6**") and "3 of them without a source for their scores" in text
    assert "1 beyond" in text and "one-sided" in text and "(Phi-3-mini-4k, instruction-tuned)" in text


def test_the_made_world_is_told_as_it_is_made() -> None:
    scores = tables.load("testbed_scores")
    flat = scores.assign(truth=scores["truth"].clip(lower=0.6))
    one_doubling = {"narrow": [8], "wide": [16], "estimate": [0.4], "low": [0.3], "high": [0.5], "n": [5], "p": [0.001]}
    rises = pd.DataFrame(one_doubling)
    open_width = rises.assign(low=-0.1, p=0.2)
    one = chapter_3.answer(scores, rises)
    assert one.grade == "experiment" and "text alone can make truthfulness fall and rise, and 1 of 1" in one.sentence
    assert "with as many parameters go with more right answers; architecture could not be tested.**" in one.sentence
    assert "doublings of the width change them by +40 points [+30, +50]." in one.sentence
    unsure = chapter_3.answer(scores, open_width).sentence
    assert "can make truthfulness fall and rise; architecture" in unsure and "could be missed" in unsure
    other = chapter_3.answer(flat, rises).sentence
    assert "world 1 of 1 doublings of the width with as many parameters" in other and "fall from" not in other
    assert one.interval.endswith("As the width doubles, feed-forward layers narrow: not told apart.")
    wide = chapter_3.answer(scores, rises.assign(narrow=16, wide=32))
    assert wide.interval.endswith(
        "feed-forward layers narrow and, from 16 to 32, the learning rate falls: not told apart."
    )
    assert chapter_3.answer(flat, open_width).sentence.startswith("**It is not shown, not even in tiny models")
    assert first_page.moves(scores).sentence.startswith(
        "**The text alone can make larger models less truthful, or keep them truthful.**"
    )
    assert first_page.moves(flat).sentence.startswith("**The text alone did not make larger models less truthful")
    lowest = scores[scores["ladder"] == "K"].groupby("width")["truth"].mean()
    for sentence in (one.sentence, first_page.moves(scores).sentence):
        assert f"none of the {len(lowest)} widths tried has a mean below {lowest.min():.0%}" in sentence


def test_the_doubt_of_the_dip_is_that_of_questions_and_of_seeds() -> None:
    scores, grid = tables.load("testbed_scores"), tables.load("testbed_grid")
    both = scores[scores["ladder"].isin(["D", "K"])]
    apart = both.groupby(["ladder", "width"])["truth"].agg(lambda part: part.max() - part.min()).max()
    text = chapter_3.how_sure(grid[grid["grid"] == "curation"], scores)
    assert "33 (5 of them among these): 11 settings, 3 seeds (runs that differ only in chance) each" in text
    assert f"up to {196 * np.sqrt(0.25 / 119):.0f} points open" in text
    assert f"differ by up to {100 * apart:.0f}." in text


def test_the_fall_of_the_made_ladder_is_the_t_interval_of_scipy() -> None:
    scores = tables.load("testbed_scores")
    drop = chapter_3.fall(scores)
    wide = scores[scores["ladder"] == "D"].pivot(index="seed", columns="width", values="truth")
    change = wide[8] - wide[4]
    low, high = scipy.stats.t.interval(0.95, len(change) - 1, change.mean(), scipy.stats.sem(change))
    assert (drop.estimate, drop.low, drop.high) == pytest.approx((change.mean(), low, high))


def test_a_width_that_beats_its_null_is_counted_and_named() -> None:
    ladders = pd.DataFrame(
        {
            "ladder": ["A", "B"],
            "n": [6, 4],
            "r": [-0.9, 0.2],
            "r_normalised": [0.99, 0.7],
            "share_positive": [1.0, 0.5],
            "null_high": [0.98, 0.9],
            "p": [0.009, 0.4],
        }
    )
    text = chapter_3.width_null(ladders)
    assert "**1** is shown to do better than its shuffles (A)" in text and "too few sizes" not in text
    open_text = chapter_3.width_null(ladders.assign(p=[0.03, 0.4]))
    assert "**0** are shown to do better" in open_text
    # three sizes of two scores can be ordered in 36 ways, and 2 / 36 is more than 0.05
    small = chapter_3.width_null(ladders.assign(n=[6, 3]))
    assert "shuffles (A)" in small and "(1 has too few sizes for a corrected p below 0.05)" not in small
    both = chapter_3.width_null(ladders.assign(n=[3, 3]))
    assert "(2 have too few sizes for a corrected p below 0.05)" in both
    assert "the least p is A's (p = 0.060, one-sided, after Holm's correction)" in open_text
    assert "in 1 of 2 families r is positive in over 99 % of the shuffles" in text
    assert "positive in 2 of 2 families of three sizes or more: 1 turns positive, 1 was so already" in text
    assert "2 turn positive, 0 were so already" in chapter_3.width_null(ladders.assign(r=-0.5))


def twins_of(trained: list[float], untrained: list[float], *, half: float = 0.1) -> pd.DataFrame:
    """Rows of `testbed_probes`: one block a model, with intervals of the same width."""
    rows = pd.DataFrame({"trained": trained, "untrained": untrained})
    rows["model"] = [f"M{i}" for i in rows.index]
    long = rows.melt("model", var_name="weights", value_name="coupling").assign(layer=0)
    return long.assign(low=long["coupling"] - half, high=long["coupling"] + half)


def test_a_probe_that_finds_competition_or_nothing_is_told_so() -> None:
    internal = tables.load("internal_coupling")
    competing, nothing = twins_of([-0.8, -0.7, -0.6], [0.1, 0.0, 0.2]), twins_of([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    falls, stays = chapter_4.twin_gap(competing), chapter_4.twin_gap(nothing)
    ends = chapter_4.at_output(outputs([0.3, 0.4, 0.5], [-0.5, -0.4, -0.2]))
    one = chapter_4.answer(internal, competing, falls, falls, ends)
    assert "in 3 of 3 blocks" in one.sentence and "each time towards opposition" in one.sentence
    assert (
        "0 of 3 tiny models surely compete and 3 are surely alike (untrained: 0 of 3 and 3), behind it alone 3"
        in one.sentence
    )
    assert one.interval.startswith("Training moves the coupling of 3 tiny models by -0.80")
    other = chapter_4.answer(internal, nothing, stays, stays, ends)
    assert "in none of 3 blocks" in other.sentence
    open_text = "trained and untrained differ beyond prompt noise in none of 3 blocks"
    assert chapter_4.differ(stays) == open_text and chapter_4.here(stays) == "Here in none of 3 blocks."
    text = "trained and untrained differ beyond prompt noise in 3 of 3 blocks, each time towards opposition"
    assert chapter_4.differ(falls) == text
    assert "Not corrected for 3 blocks: by prompt noise about 0 at most." in chapter_4.how_sure(falls)
    assert "likeness" not in other.sentence
    assert "competition is shown in 3 blocks" in chapter_4.yours(competing.query("weights == 'trained'"), "mine")
    assert "no block shows competition" in chapter_4.yours(nothing.query("weights == 'trained'"), "mine")


def test_released_values_with_a_definition_and_a_twin_change_the_answer_on_the_mechanism() -> None:
    internal = tables.load("internal_coupling")
    output = internal.assign(weight_dependent="true", measure="cosine of centred means", note="untrained twin measured")
    rows = twins_of([0.8, 0.7, 0.6], [0.1, 0.0, 0.2])
    gap = chapter_4.twin_gap(rows)
    ends = chapter_4.at_output(outputs([0.3, 0.4, 0.5], [0.2, 0.4, 0.6]))
    first = chapter_4.answer(internal, rows, gap, gap, ends).sentence
    assert first.startswith("**From what was released one cannot know**") and "behind it alone none compete." in first
    values = chapter_4.answer(output, rows, gap, gap, ends).sentence
    assert values.startswith("**The released values leave it open**: on 0 of 40")
    assert "none, and 40 are of untrained models." in values
    assert chapter_4.defined(output) == "40 of the other 40 have a published definition"
    assert chapter_4.defined(internal).startswith("3 of the other 22")


def test_the_shift_by_training_is_the_t_interval_of_scipy() -> None:
    rows = twins_of([0.5, 0.7, 0.2, 0.9], [0.1, 0.0, 0.2, -0.3])
    change = np.array([0.4, 0.7, 0.0, 1.2])
    low, high = scipy.stats.t.interval(0.95, 3, change.mean(), scipy.stats.sem(change))
    moved = chapter_4.shift(rows)
    assert (moved.estimate, moved.low, moved.high) == pytest.approx((change.mean(), low, high))


def test_a_family_that_falls_within_one_kind_is_told_so() -> None:
    several = chapter_4.within_kinds(tables.load("internal_coupling"))
    assert several.set_index("model")["size"][["OPT-125M", "OPT-13B"]].tolist() == [0.125, 13.0]
    text = chapter_4.drop(several, "OPT")
    assert text.startswith("OPT rises within each kind of measurement: from 0.514 (OPT-125M) to 0.876 (OPT-13B), and")
    falling = several.assign(net_coupling=1 - several["net_coupling"])
    assert chapter_4.drop(falling, "OPT").startswith("OPT falls within each kind of measurement: from 0.486 (OPT-125M)")
    mixed = several.assign(net_coupling=several["net_coupling"].where(several["kind"] == "OPT ladder", 0.5))
    mixed.loc[mixed["model"] == "OPT-66B", "net_coupling"] = 0.4
    both_ways = chapter_4.drop(mixed, "OPT")
    assert "does not go one way" in both_ways and "it falls from 0.500 (OPT-30B) to 0.400" in both_ways
    assert "no kind of measurement has two sizes" in chapter_4.drop(several, "Pythia")


def test_heads_that_compete_are_told_by_the_interval_of_the_difference() -> None:
    internal = tables.load("internal_coupling")

    def counted(trained: int, untrained: int) -> pd.DataFrame:
        rows = [(f"M{i}", "trained", 10, trained + i % 3) for i in range(9)]
        rows += [(f"M{i}", "untrained", 10, untrained + i % 2) for i in range(9)]
        return pd.DataFrame(rows, columns=["model", "weights", "heads", "competing"])

    def told(table: pd.DataFrame) -> str:
        return chapter_4.heads(table, chapter_4.head_change(table), internal, claimed=40)

    near = told(counted(4, 4))
    assert "45 of 90 heads of tiny models, and 40 of 90 untrained: a difference is not shown (+6 points [-" in near
    assert "untrained: more with training (+46 points [+" in told(counted(8, 4))


def test_a_block_without_a_coupling_is_not_counted() -> None:
    rows = twins_of([0.8, 0.7, 0.6], [0.1, 0.0, np.nan])
    assert "differ beyond prompt noise in 2 of 2 blocks" in chapter_4.differ(chapter_4.twin_gap(rows))
    none = chapter_4.differ(chapter_4.twin_gap(rows.assign(coupling=np.nan)))
    assert none == "trained and untrained cannot be compared: no block has a coupling"
    gone = outputs([0.3, 0.4, 0.5], [-0.5, -0.4, -0.2])
    gone.loc[(gone["model"] == "M1") & (gone["weights"] == "untrained"), ["coupling", "low", "high"]] = np.nan
    assert "in 3 of 3 trained tiny models, and in 0 of 2 untrained ones" in chapter_4.output(chapter_4.at_output(gone))
    assert "; 1 more has no coupling)" in chapter_4.output(chapter_4.at_output(gone))


def outputs(before: list[float], behind: list[float]) -> pd.DataFrame:
    """Rows of `testbed_projection`: a trained model and its untrained twin, which the output map leaves as it was."""
    rows = []
    for place, (state, word) in enumerate(zip(before, behind, strict=True)):
        for weights, last in (("trained", word), ("untrained", state)):
            for what, value in (("hidden", state), ("logits", last), ("random projection", state)):
                about = {"model": f"M{place}", "weights": weights, "what": what, "coupling": value}
                rows.append(about | {"low": value - 0.1, "high": value + 0.1})
    return pd.DataFrame(rows)


def test_what_the_output_map_does_is_told_as_it_is() -> None:
    before = [0.3, 0.4, 0.5]
    low = chapter_4.output(chapter_4.at_output(outputs(before, [-0.5, -0.4, -0.2])))
    assert "in 3 of 3 trained tiny models, and in 0 of 3 untrained ones" in low
    assert "the output map lowers the coupling** (mean -0.77" in low and "untrained +0.00" in low
    assert "the output map 0 of 3 tiny models surely compete" in low and "behind it alone 3 compete." in low
    high = chapter_4.output(chapter_4.at_output(outputs(before, [0.9, 0.9, 1.0])))
    assert "raises the coupling**" in high and "behind it alone none compete." in high
    inside = chapter_4.output(chapter_4.at_output(outputs([-0.5, -0.4, -0.3], [-0.5, -0.4, -0.3])))
    assert "3 of 3 tiny models surely compete and 0 are surely alike (untrained: 3 of 3 and 0), behind" in inside
    assert "moves the coupling by nothing sure**" in chapter_4.output(
        chapter_4.at_output(outputs(before, [0.2, 0.4, 0.6]))
    )


def test_a_placebo_is_held_against_what_chance_gives() -> None:
    rows = pd.DataFrame({"placebo": [0.5] * 3 + [np.nan] * 17, "placebo_low": [-1.0] * 20, "placebo_high": [1.0] * 20})
    text = chapter_4.last_words(rows)
    assert text.startswith("In 3 of 20 blocks the placebo has a coupling at all") and "by chance about 5, fewer" in text
    assert "so endings still tell" not in text and "In none of these is it beyond noise" in text
    more = chapter_4.last_words(rows.assign(placebo=0.5, placebo_low=0.2))
    assert "; more than chance gives, so endings still tell)" in more and "In **20** of these" in more


def test_the_share_that_chance_gives_a_placebo_is_that_of_noise() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat([0, 1, 2], [32, 32, 64])
    known = np.isfinite(cosines_of_means(rng.normal(size=(128, 1000, 24)), groups).estimate).mean()
    assert known == pytest.approx(chapter_4.EVEN**2, abs=0.05)


@pytest.mark.parametrize(
    ("shown", "real", "lead"),
    [
        (True, "refuted", "In made worlds, yes for two kinds of direction; in a real model it is not shown"),
        (True, "supported", "Yes, in made worlds for two kinds of direction, and in a real model"),
        (False, "supported", "In a real model, yes"),
        (False, "refuted", "It is not shown"),
    ],
)
def test_the_answer_on_steering_follows_the_runs(shown: bool, real: str, lead: str) -> None:
    records, trials = tables.load("steering_records"), tables.load("testbed_trials")
    null = trials["case"].str.startswith("null")
    runs = tables.load("model_runs").head(1).assign(claim=real)
    one = chapter_5.answer(records, trials.assign(effect=~null & shown), runs.assign(effect=False))
    assert one.sentence.startswith(f"**{lead}"), one.sentence
    assert ("of planted runs of 40 questions" in one.interval) == ("not shown" in one.sentence.split("**")[1])
    stated = trials["contrast"] == "stmt"
    assert f"the papers' own recipe beats them in {int(shown) * stated.sum()} of {stated.sum()}" in one.sentence
    # what a strong author before the question leaves of it stands beside it
    myths = tables.load("testbed_registers").query("tone == 'web, after three myths'")
    share = myths["corrected"].sum() / (myths["n"] - myths["right_before"]).sum()
    openly = tables.load("testbed_registers").query("tone == 'web, open'")
    open_web = openly["corrected"].sum() / (openly["n"] - openly["right_before"]).sum()
    assert f"correct {open_web:.0%} in open web text, {share:.0%} after three myths" in one.sentence


def real_told(runs: pd.DataFrame) -> str:
    """The sentence on real models, with the numbers that the chapter computes in sight."""
    return chapter_5.real(runs, holm=stats.corrected(runs["p"]), below=runs["corrected_high"] < runs["claimed"])


def test_the_largest_run_speaks_for_a_real_model() -> None:
    records, trials = tables.load("steering_records"), tables.load("testbed_trials")
    one = tables.load("model_runs").head(1).assign(claim="refuted", effect=False, tested=40, misaligned=31)
    more = one.assign(run="all", tested=326, misaligned=200, corrected=0.05, effect=True)
    # the p corrected for both runs decides, not the verdict of one run
    sentence = chapter_5.answer(records, trials, pd.concat([one, more.assign(p=0.04)])).sentence
    assert (
        "in a real model it is not shown**" in sentence and "10 of 200 wrong answers, in the largest of 2" in sentence
    )
    sentence = chapter_5.answer(records, trials, pd.concat([one, more.assign(p=0.02)])).sentence
    assert "in a real model hardly**" in sentence
    many = pd.concat([one.assign(run=f"{seed}", controls=60) for seed in range(4)])
    interval = chapter_5.answer(records, trials, many).interval
    assert interval.endswith("Corrected for 4 runs, 60 controls are too few to show an effect.")  # 4 / 61 is above 0.05
    ends = pd.concat([one.assign(corrected_high=0.19), more.assign(corrected_high=0.07)])
    assert (
        "up to 7% in the largest and 19% in a run of 31 wrong answers are not"
        in chapter_5.answer(records, trials, ends).interval
    )


def test_runs_that_are_equally_large_are_told_together() -> None:
    one = tables.load("model_runs").head(1).assign(tested=326, misaligned=247, aligned=79, corrected=7 / 247, broken=0)
    two = pd.concat([one, one.assign(run="sweep", broken=1 / 79), one.assign(run="small", tested=40)])
    sentence = real_told(two)
    assert "In each of the 2 largest of 3 runs **7 of 247** wrong answers are corrected" in sentence
    assert "and 0 and 1 of 79 right ones break" in sentence
    apart = real_told(pd.concat([one, one.assign(run="sweep", misaligned=240, corrected=9 / 240)]))
    assert "**7 of 247 and 9 of 240** wrong answers" in apart
    assert "(p up to 0.05: of 60, 2 may do as well)" in sentence and "may do" not in real_told(two.assign(controls=15))


def test_a_direction_put_there_by_hand_is_not_counted_among_the_learnt() -> None:
    records, trials, runs = (tables.load(f"{name}") for name in ("steering_records", "testbed_trials", "model_runs"))
    learnt = trials[(trials["case"] == "learnt") & trials["contrast"].isin(["reg", "ctx"])]
    count = f"{learnt['effect'].sum()} of {len(learnt)} runs ({learnt['model'].nunique()} models)"
    assert f"beat their controls (random or mislabelled) in {count}" in chapter_5.answer(records, trials, runs).sentence
    assert chapter_5.verdicts(trials).startswith(f"An effect in {count} of register and context directions")


def test_a_real_model_that_is_corrected_and_breaks_nothing_is_told_so() -> None:
    runs = tables.load("model_runs").head(1)
    better = runs.assign(
        corrected=1.0, corrected_low=0.9, corrected_high=1.0, effect=True, broken=0.0, claim="supported"
    )
    wrong, right = int(runs["misaligned"].iloc[0]), int(runs["aligned"].iloc[0])
    row = chapter_5.real_runs(better).iloc[0]
    assert row["wrong corrected"] == f"{wrong} of {wrong} (90% to 100%)" and row["right broken"][:4] == "0 of"
    assert str(right) in row["right broken"] and row["below 60%"] == "no"
    sentence = real_told(better)
    assert f"**{wrong} of {wrong}** wrong answers" in sentence and "1 of 1 do, by p alone 0." in sentence
    assert "0 of 1 interval of the share corrected stay below the claimed 60%" in sentence
    assert chapter_5.real_runs(runs).iloc[0]["below 60%"] == "yes"
    assert chapter_5.real_runs(runs.assign(corrected_high=0.7, claim="undecided")).iloc[0]["below 60%"] == "open"
    sentence = real_told(runs)
    assert (
        "1 of 1 interval of the share corrected stays below the claimed 60%" in sentence and "none of 1 do" in sentence
    )
    records = tables.load("steering_records")
    assert "**None** says whether the answer became right." in chapter_5.recorded(records)
    first = tables.load("steering_totals").query("phase == 'TAX'").iloc[0]
    texts = f"{first['n_changed']} of {first['n_total']} texts changed, not answers corrected."
    assert chapter_5.published(tables.load("steering_totals")).endswith(texts)
    assert "**84** say whether the answer became right; of these, 84 answers" in chapter_5.recorded(
        records.assign(corrected=True)
    )
    several = pd.concat([runs.assign(p=p, effect=p < 0.05, dose=p) for p in (0.9, 0.03, 0.04)], ignore_index=True)
    sentence = real_told(several)
    assert "surely: uncorrected, 2 of 3 do, by p alone 2; corrected for 3 looks none" in sentence
    assert "all 3 intervals" in sentence
    assert "corrected for 3 looks 1." in real_told(several.assign(p=[0.9, 0.001, 0.04]))
    assert "2 of 3 do (at one place and strength: one result" in real_told(several.assign(dose=1.0))
    doses = pd.DataFrame({"run": "a", "dose": [0, 1, 2], "cost": [0.0, 0.1, 0.9], "right": [0.5, 0.4, 0.1], "n": 40})
    assert "gains nothing. Unsteered 50% are right; the strongest has 10%" in chapter_5.stronger(doses)
    better = doses.assign(right=[0.5, 0.6, 0.1])
    assert "gains at most 10 points (40 questions each)." in chapter_5.stronger(better)
    two = pd.concat([doses, better.assign(run="b", cost=[0.0, 0.1, 1.1], n=80)])
    assert "at most 10 points in any of 2 runs (40 to 80 questions each)" in chapter_5.stronger(two)
    assert "costs 0.90 to 1.10 nats" in chapter_5.stronger(two)


@pytest.mark.slow
def test_a_small_p_among_several_runs_is_corrected_for_the_looks() -> None:
    runs = tables.load("model_runs").head(1)
    four = pd.concat([runs.assign(p=p, effect=p < 0.05) for p in (0.9, 0.02, 0.4, 0.5)], ignore_index=True)
    assert "0.020" in chapter_5.looks(four) and "(Holm) it is 0.080: no effect is shown" in chapter_5.looks(four)
    assert "an effect is sure" in chapter_5.looks(four.assign(p=[0.9, 0.001, 0.4, 0.5]))
    assert "no effect is shown" in chapter_5.looks(four.assign(p=[0.9, 0.001, 0.4, 0.5], effect=False))
    least = chapter_5.looks(four.assign(p=[0.9, 1 / 61, 0.4, 0.5], controls=60))
    assert least.endswith("(Holm) it is 0.066: no effect is shown, and 60 controls are too few to show one.")
    assert "too few" not in chapter_5.looks(four.assign(p=[0.9, 2 / 61, 0.4, 0.5], controls=60))


def test_a_quarter_of_the_depth_is_set_against_every_place() -> None:
    runs = tables.load("model_runs").head(1)
    sweep = runs.assign(run="m, sweep, seed 0", place="block 3, last", right_after=0.5)
    both = pd.concat([runs.assign(run="m, quarter, seed 0", right_after=0.25), sweep])
    places = pd.DataFrame({"run": "m, sweep, seed 0", "site": ["embed", "0", "1", "2", "3"]})
    places["direction"] = [0.1, 0.2, 0.3, 0.4, 0.5]
    sentence = chapter_5.places(both, places)
    assert "Of 5 places 2 have more of the tune questions right than a quarter of the depth (30%" in sentence
    assert "With 100 questions the search, which counts the cost as well, chooses block 3, with 50% of" in sentence
    assert "the test questions right; a quarter of the depth has 25%." in sentence
    more = pd.concat([both, sweep.assign(run="m, sweep, seed 1", tested=9, questions=50, place="block 2, last")])
    again = pd.concat([places, places.assign(run="m, sweep, seed 1")])
    assert chapter_5.places(more, again).endswith("; with 50, block 2.")
    assert chapter_5.places(both.assign(place="block 1, last"), places).endswith("chooses the quarter itself.")
    assert "none has more" in chapter_5.places(both, places.assign(direction=0.2))


@pytest.mark.parametrize(
    ("tokens", "size", "lead"),
    [
        (0.4, 0.0, "gamma goes with tokens, and size is not shown"),
        (0.0, 0.4, "gamma goes with size, and tokens are not shown"),
        (0.4, -0.4, "gamma goes with tokens and with size"),
        (0.1, 0.1, "neither tokens nor size"),
    ],
)
def test_tokens_and_size_are_told_as_their_intervals_lie(tokens: float, size: float, lead: str) -> None:
    rows = [("gamma", "tokens", tokens, tokens - 0.2, tokens + 0.2), ("gamma", "size", size, size - 0.2, size + 0.2)]
    both = pd.DataFrame(rows, columns=["of", "term", "estimate", "low", "high"]).set_index(["of", "term"])
    left = pd.Series({"r": 0.2, "low": -0.1, "high": 0.5})
    assert chapter_1.tokens_and_size(both, left, 0.4).startswith(f"Side by side, {lead}")


def labs_tested(p: float) -> pd.DataFrame:
    question = "do labs differ in h?"
    return pd.DataFrame([{"question": question, "p_corrected": p, "sided": "one-sided", "seen": 6.0}])


def test_labs_are_said_to_differ_only_where_their_test_shows_it() -> None:
    assert "differ by more than shuffled names" in chapter_6.labs_differ(labs_tested(0.01))
    open_question = chapter_6.labs_differ(labs_tested(0.3))
    assert (
        open_question.startswith("no difference is shown (p = 0.3")
        and "below 6 points could be missed" in open_question
    )
    assert "one-sided" in open_question


def test_own_releases_far_below_the_line_are_told_so() -> None:
    line = frontier.line("frozen")
    own = pd.DataFrame({"model": ["Mine"], "lab": ["My lab"], "swe_bench_verified": [80.0], "gpqa_diamond": [20.0]})
    h = frontier.h_field(pd.concat([frontier.frozen_rows(tables.frontier("published")), own]), chosen=line)
    one = chapter_6.answer(h, *[labs_tested(0.3).assign(n=80)] * 4, own=own, family="My lab")
    assert one.grade == "single case" and "**1 of 1 release** of My lab" in one.sentence and "(Mine)" in one.sentence
    read = chapter_6.release("Mine", frontier.read_h(80.0, 20.0, line).iloc[0])
    assert "farther below the line" in read and "the frozen line" in read
    one = frontier.read_h(80.0, 90.0, line).iloc[0]
    low, high = (end - one.expected for end in (one.ordinary_low, one.ordinary_high))
    assert f"h from {low:+.0f} to {high:+.0f}: an ordinary release" in chapter_6.release("Mine", one)
    # the limits of h are those at which its interval leaves zero out
    today = frontier.line("current")
    ends = [float(end) for end in today.ordinary(80.0)]
    beyond = [frontier.read_h(80.0, y, today).iloc[0] for y in (ends[0] - 0.2, ends[1] + 0.2)]
    within = [frontier.read_h(80.0, y, today).iloc[0] for y in (ends[0] + 0.2, ends[1] - 0.2)]
    assert all(h.h_high < 0 or h.h_low > 0 for h in beyond) and all(h.h_low < 0 < h.h_high for h in within)
    limits = [end - float(today.at(80.0)) for end in ends]
    text = f"an h below {limits[0]:+.0f} or above {limits[1]:+.0f} on the current line leaves zero out."
    assert chapter_6.other_lines("Mine", 80.0, 90.0).endswith(text)


def test_the_largest_moves_of_a_correction_are_named_with_both_ends() -> None:
    before = tables.frontier("published").head(12)
    gpqa = "gpqa_diamond"
    after = before.assign(**{gpqa: before[gpqa].where(before.index != before.index[3], before[gpqa] - 20)})
    moved = chapter_6.moves(before, after)
    assert moved["model"].tolist() == [before["model"].iloc[3]] and moved["distance"].tolist() == [20.0]
    assert len(chapter_6.moves(before, after, everything=True)) == len(before)
    value = before[gpqa].iloc[3]
    text = f"The largest moves: {before['model'].iloc[3]} (GPQA {value:.0f} to {value - 20:.0f})"
    effects = frontier.correction_effects(before, after)
    assert text in chapter_6.corrected(before, after, effects)
    assert "largest moves" not in chapter_6.corrected(before, before, effects)
    r = before["swe_bench_verified"].corr(before[gpqa])
    assert chapter_6.r_moves(before, after).startswith(f"r goes from {r:.2f} to ")
    assert chapter_6.r_moves(before, before).endswith("(the interval of the change holds zero)")


@pytest.mark.parametrize(("low", "high", "above"), [(1.0, 3.0, "A"), (-1.0, 3.0, "none")])
def test_labs_are_told_singly_and_again_on_corrected_scores(low: float, high: float, above: str) -> None:
    means = pd.DataFrame({"lab": ["A", "B", "C"], "n": [3, 2, 1], "low": [low, -2, np.nan], "high": [high, 2, np.nan]})
    tests = labs_tested(0.3)
    text, title, _ = chapter_6.labs(means, pd.DataFrame({"lab": ["A", "B", "C", "D"]}), tests, tests)
    none = "no difference is shown (p = 0.30, one-sided)"
    assert title == f"On these scores {none}; on corrected ones {none}"
    differ = chapter_6.labs(means, pd.DataFrame({"lab": ["A"]}), labs_tested(0.01), tests)[1]
    assert differ.startswith("On these scores labs differ by more than shuffled names do (p = 0.01")
    assert text.startswith("Of 4 labs 3 have a core release, 2 of them two or more, and so an interval.")
    assert f"line: {above}; below: none" in text


def test_every_release_of_today_stands_beside_the_claims_that_withstand_there() -> None:
    one = claims.evaluate("C20", panel="current")[0]
    stands, falls = replace(one, conclusion="withstands"), replace(one, conclusion="artefact")
    now = labs_tested(0.01).assign(n=80)
    core = labs_tested(0.2).assign(n=21)
    hangs = "on the current panel it hangs on which releases count (p = 0.20 over 21 core ones, 0.010 over all 80, one-"
    assert chapter_6.on_current(now, core).startswith(hangs)
    assert chapter_6.on_current(now, now).startswith("over all 80 releases of the current panel they differ")
    text = chapter_6.labs_now(now, core, [stands, falls])
    assert text.startswith("Over all 80 releases of the current panel, core or not, they differ by more than shuffled")
    assert ": there C20 withstands ([chapter 8](08_claims.ipynb)); over its 21 core ones no difference is shown" in text
    assert "withstand" not in chapter_6.labs_now(now, core, [falls])


def test_the_calendar_tells_a_planted_date_from_a_planted_correlation() -> None:
    rng = np.random.default_rng(0)
    days = np.arange(60.0) * 20
    rows = pd.DataFrame(
        {"lab": [f"L{i % 10}" for i in range(60)], "released": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, "D")}
    )
    x, y, both = rng.normal(0, 3, (3, 60))
    dated = rows.assign(swe_bench_verified=20 + days / 20 + x, gpqa_diamond=30 + days / 20 + y)
    joined = dated.assign(
        swe_bench_verified=dated["swe_bench_verified"] + 3 * both, gpqa_diamond=dated["gpqa_diamond"] + 3 * both
    )
    worlds = {"by date": dated, "together": joined}
    result = chapter_6.calendar({name: frontier.date_confound(world) for name, world in worlds.items()})
    assert "**1 of 2** panels (together)" in chapter_6.by_date(result)
    assert "1 open panel could miss any r below 0." in chapter_6.date_power(result)
    assert chapter_6.held_fixed(result).endswith("r is surely above zero on 1 of 2 panels; 1 leaves its sign open")
    turned = joined.assign(gpqa_diamond=-joined["gpqa_diamond"])
    falls = chapter_6.calendar({"turned": frontier.date_confound(turned)})
    assert chapter_6.held_fixed(falls).endswith("r is surely above zero on 0 of 1 panels; surely below on 1")


def test_each_prediction_is_told_in_plain_english_with_its_marks() -> None:
    scored = predictions.score_all(panel="published")
    text = {one.card.id: chapter_7.in_plain(one) for one in scored}
    assert text[1].startswith("The top five lie within 2 points of each other on SWE-bench Verified")
    assert text[4] == "The next two Google releases have a GPQA Diamond more than 3 points above the frozen line."
    marks = chapter_7.gauges(scored).set_index("id")
    assert (marks.loc[1, "pass_at"], marks.loc[1, "fail_at"]) == (2, 5)
    assert (marks.loc[7, "pass_at"], marks.loc[7, "fail_at"]) == (0, 0.3)


def test_the_answer_on_predictions_counts_what_is_settled() -> None:
    scored = predictions.score_all(panel="published")
    elsewhere = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3], "panel": ["published", "current"] * 3, "claimed_by": "either"})
    elsewhere["status"] = ["passed", "failed", "open", chapter_7.CANNOT, "failed", "failed"]
    settled = [replace(one, status="passed" if one.card.id < 4 else "failed") for one in scored]
    assert chapter_7.answer(settled, elsewhere).sentence.startswith("**7 of 7 are settled**")
    waiting = [replace(one, status=chapter_7.CANNOT) for one in scored]
    assert chapter_7.answer(waiting, elsewhere).sentence.startswith("**None is settled**")
    assert chapter_7.by_setting(elsewhere) == ([3], [1], [2])
    assert chapter_7.answer(waiting, elsewhere).interval.endswith(
        "No. 3 keeps its side in every setting, no. 1 changes it."
    )
    ranked = pd.DataFrame({"axis": ["ifeval", "hle"], "status": "open leaning fail", "between": [True, True]})
    assert chapter_7.ranking(ranked).endswith("; by either, neither rule holds.")
    assert chapter_7.ranking(ranked.assign(between=[True, False])).endswith("; either way it leans to failing.")
    says = "No. 3 keeps its side in all 2 settings; no. 1 changes sides; no. 2 lacks a score in some settings."
    assert chapter_7.hangs(elsewhere) == says
    assert "keep" not in chapter_7.hangs(elsewhere[elsewhere["id"] == 1])
    never = elsewhere.assign(status=chapter_7.CANNOT)
    assert chapter_7.hangs(never) == "No. 1, 2 and 3 lack one in every setting."


def test_where_the_predictions_stand_is_told_by_what_their_rules_say_today() -> None:
    scored = {one.card.id: one for one in predictions.score_all()}
    fails, passes, of_lab, between = scored[7], scored[5], scored[3], scored[6]
    assert chapter_7.standing([fails, passes]) == (
        "prediction 7 (HLE against coding) fails today, 5 (GPQA with coding) passes today"
    )
    assert (
        chapter_7.standing([between, fails])
        == "prediction 7 (HLE against coding) fails today, 6 (IFEval bunches) meets neither rule"
    )  # it leans, and no rule holds
    assert chapter_7.standing([of_lab]) == "prediction 3 (DeepSeek) cannot pass by a rival's score"
    by_itself = replace(of_lab, rows=of_lab.rows.assign(swe_bench_verified_claimed_by="lab"))
    assert chapter_7.standing([by_itself]) == "prediction 3 (DeepSeek) can no longer pass"
    later = frontier.later_releases(tables.frontier("published"))
    first = chapter_7.remember([fails, passes, between, of_lab], predictions.sensitivity(), later)[0]
    assert first.startswith("None of 4 is settled on 20")
    assert first.endswith("; 1 on the side of passing, 1 of failing.")
    undecided = replace(of_lab, status="undecided")
    assert chapter_7.standing([undecided, replace(passes, status="passed")]) == (
        "prediction 5 (GPQA with coding) passed, 3 (DeepSeek) ended undecided"
    )
    assert chapter_7.recent([passes]).endswith(f"{passes.since} of {passes.n}). ")
    assert chapter_7.recent([replace(passes, n=passes.since)]) == ""
    assert "stated by a rival" in chapter_7.today(of_lab)


def test_a_card_says_when_it_is_due_and_of_what_its_number_is_and_the_own_ones_their_marks() -> None:
    scored = predictions.score_all()
    due = {one.card.id: chapter_7.today(one) for one in scored}
    assert due[1].startswith("Due: 2026-12-31. Today's SWE-bench Verified spread: ")
    assert "r of GPQA Diamond and IFEval" in due[2] and due[3].startswith("Due: next 2 releases.")
    own = chapter_7.own(predictions.score_all(cards=predictions.own_predictions()))
    assert "(OP6 also counts models already out)" in own and "OP5 waits for releases, without a day" in own
    assert "Pass: r > 0.5; fail: r < 0.3." in own
    assert "fail: r > 0.3 or r < -0.3." in own and "Pass: GPQA Diamond spread < 3 and HLE spread > 12" in own


def test_power_of_the_dips_is_that_of_the_planted_ladders_and_none_is_none() -> None:
    deep = family("Deep", [50, 40, 34, 32, 34, 40, 50])
    rising = family("Rising", [36, 41, 46, 51, 56, 61, 66])
    text = chapter_2.dip_power(pd.concat([deep, rising]))
    power = boundary.boundary_power(deep)
    assert text.startswith("The parabola of 1 of 2 families dips")
    assert f"in {power['questions']:.0%} of the cases" in text
    assert "none of these 1 family" in chapter_2.dip_power(rising.assign(truthfulqa=[30, 40, 45, 48, 49, 49.5, 49.6]))


PANELS_OF_C19 = {"corrected": "differs", "current": "reproduced with definition"}


def test_what_a_test_leaves_of_a_bound_is_said_beside_it() -> None:
    stands = claims.evaluate("C42")[0]
    limit = float(stands.parts[0].published or "nan")
    text = chapter_8.holds([stands], {})
    left = stands.conclusion_test
    assert left.low is not None and left.low > 0 and float(left.value or 0) < limit
    assert f"[{left.low:.2f}, {left.high:.2f}], still above zero, but below {limit:g}" in text
    more = replace(left, value=limit + 0.1)
    assert "but below" not in chapter_8.holds([replace(stands, conclusion_test=more)], {})


def test_the_claims_are_counted_whichever_way_they_come_out() -> None:
    one = claims.evaluate("C19")[0]
    holds = [replace(one, verdict="reproduced", conclusion="withstands")] * 3
    falls = [replace(one, verdict="differs", conclusion="contradicted")] * 3
    assert "**Most of what comes out withstands**" in chapter_8.answer(holds, "published").sentence
    assert "and **0** have both" in chapter_8.answer(falls, "published").sentence
    assert chapter_8.holds([], {}).startswith("On this panel no claim")
    assert chapter_8.holds(holds, {}, panel="corrected").startswith(
        "3 claims hold: the number on the corrected tables (the published ones where these lack the rows), the"
    )
    there = {name: {"C19": replace(holds[0], verdict=verdict, panel=name)} for name, verdict in PANELS_OF_C19.items()}
    assert "on 1 other panel (corrected) the number of C19 differs:" in chapter_8.holds(holds[:1], there)
    assert "takes a number or a conclusion away" in chapter_8.holds(holds[:1], {"current": there["current"]})
    unasked = {"sourced": {"C19": replace(holds[0], verdict="not testable", conclusion="untested")}}
    fallen = {**there, **unasked, "uniform": {"C19": falls[0]}}
    doubt = "the conclusion of C19 does not withstand everywhere (contradicted on uniform); "
    doubt += "the conclusion of C19 cannot be tested on sourced:"
    assert doubt in chapter_8.holds(holds[:1], fallen)
    withstand = "these withstand: 1 of 1 on corrected, 1 of 1 on current and 0 of 1 on uniform."
    assert chapter_8.asked_there(fallen).endswith(withstand)
    assert chapter_8.asked_there(dict.fromkeys(claims.panels_of("C19"), {"C19": falls[0]})).count("0 of 1 on") == 5
    assert "Published 0.72, here 0.7235" in chapter_8.holds(holds[:1], {})
    assert "No claim changes" in chapter_8.elsewhere({}, 3)
    assert "**3** of 3 stand" in chapter_8.ours(holds) and "**0** of 3 stand;" in chapter_8.ours(falls)
    assert "C19 (r" not in chapter_8.ours(holds) and "contradicted (" in chapter_8.ours(falls)
    assert chapter_8.fallen(holds) == "**0** of 1 claims that, by our choice, carry the papers' story do not stand.\n\n"
    assert chapter_8.fallen(falls).endswith("coupling at the frontier: number ▲ differs, conclusion ▼ contradicted")
    assert chapter_8.asked_of(holds[:1], unasked) == 0 and chapter_8.asked_of(holds[:1], there) == 1
    newest = {"current": {"C19": holds[0]}}
    of_newest = "Of 1 conclusion that can be tested on all releases known 1 withstands; "
    of_newest += "on the published tables none of these."
    assert of_newest in chapter_8.answer(falls, "published", newest).sentence
    assert chapter_8.kinder(falls[:1], newest).startswith("1 of those on current does not withstand")
    assert chapter_8.kinder(holds[:1], newest) == "" == chapter_8.kinder(falls, unasked)
    moved = claims.moved(holds[:1], {"corrected": {"C19": falls[0]}})
    assert moved == {"C19": ("corrected",)}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stem", ["01_coupling", "02_phase_boundary", "03_levers"])
def test_a_family_that_does_the_opposite_gets_no_false_sentence(stem: str, tmp_path: Path) -> None:
    from cape_lib.report import publish

    rising = family("Opposite", [36, 41, 46, 51, 56])
    rising.drop(columns=["family", "ladder"]).to_csv(tmp_path / "scores.csv", index=False)
    options = {"scores_path": str(tmp_path / "scores.csv"), "family": "Opposite"}
    copy = publish.execute({ROOT / "notebooks" / f"{stem}.ipynb": options}, tmp_path / "run", quiet=True)[0]
    outputs = [output for cell in code(copy) for output in cell.outputs if output.output_type == "display_data"]
    texts = [str(output.data.get("text/markdown", output.data.get("text/plain", ""))) for output in outputs]
    text = "\n".join(texts)
    for sentence in re.split(r"(?<=[.;:])\s|\n", text):
        if "Opposite" in sentence:
            assert not re.search(r"\bloses\b|\bfalls?\b(?! in 0)|less truthful", sentence), sentence
    if stem == "01_coupling":
        assert "Opposite gains **20.0 points** of TruthfulQA" in text
    if stem == "02_phase_boundary":
        assert "Of 4 estimators of a turn of Opposite" in text and "place a turn with confidence" not in text


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_other_models_and_families_read_live_get_their_own_sentences(tmp_path: Path) -> None:
    from cape_lib.report import publish

    text = {}
    for stem, values in {
        "04_mechanism": {"family": "OLMo-2", "model": "D-d8-s1"},
        "05_steering": {"model": "D-d8-s1", "share": 0.35},
    }.items():
        copy = publish.execute({ROOT / "notebooks" / f"{stem}.ipynb": values}, tmp_path / stem, quiet=True)[0]
        outputs = [output for cell in code(copy) for output in cell.outputs if output.output_type == "display_data"]
        text[stem] = "\n".join(str(output.data.get("text/markdown", "")) for output in outputs)
    assert "OLMo-2 rises within the one kind of measurement: from 0.165 (OLMo-2-13B)" in text["04_mechanism"]
    assert "OPT" not in text["04_mechanism"]
    assert re.search("D-d8-s1: (no block shows competition|competition is shown in)", text["04_mechanism"])
    assert re.search(r"D-d8-s1, a made model: \*\*\d+\s?%\*\* of \d+ wrong answers become right", text["05_steering"])
    assert "R-s1" not in text["05_steering"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_frontier_and_the_predictions_follow_other_rows(tmp_path: Path) -> None:
    from cape_lib.report import publish

    releases = {"model": ["Nova-1", "Nova-2"], "swe_bench_verified": [75.0, 80.0], "gpqa_diamond": [30.0, 92.0]}
    pd.DataFrame(releases).to_csv(tmp_path / "releases.csv", index=False)
    runs = {
        "06_frontier": {"scores_path": str(tmp_path / "releases.csv"), "family": "Nova"},
        "07_predictions": {"panel": "corrected"},
    }
    text = {}
    for stem, values in runs.items():
        copy = publish.execute({ROOT / "notebooks" / f"{stem}.ipynb": values}, tmp_path / stem, quiet=True)[0]
        outputs = [output for cell in code(copy) for output in cell.outputs if output.output_type == "display_data"]
        text[stem] = "\n".join(str(output.data.get("text/markdown", "")) for output in outputs)
    assert "**1 of 2 releases** of Nova lies farther from the line" in text["06_frontier"]
    assert "(Nova-1)" in text["06_frontier"] and "farther below the line" in text["06_frontier"]
    counts = set(re.findall(r"2026-[\d-]+\**: ([^.]*)\.", text["07_predictions"]))
    assert len(counts) == 1, counts
    assert "Corrected panel." in text["07_predictions"] and "Current panel." not in text["07_predictions"]


def test_every_claim_has_one_chip_and_the_counts_add_up() -> None:
    verdicts = claims.evaluate(["C02", "C01", "C13", "C19", "C26", "C42"])
    shown = first_page.chips(verdicts)
    counts = [int(number) for number in re.findall(r"<strong>(\d+)</strong>", shown)]
    assert len(counts) == len(first_page.CHIPS) == 5 and sum(counts) == len(verdicts)
    assert {first_page.chip(one) for one in verdicts} <= set(first_page.CHIPS)
    assert all(first_page.chip(one) != "holds" or one.stands for one in verdicts)
    assert first_page.chip(next(one for one in verdicts if one.id == "C13")) == "unknown"
    close = [replace(verdicts[0], verdict="in the last digit")] * 3
    assert first_page.chip(close[0]) == "another number" and "for 3 only the last digit differs" in first_page.chips(
        close
    )
