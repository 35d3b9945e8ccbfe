"""Models of today: the numbers of the chapter by another road, and planted truths."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from cape_lib import tables
from cape_lib.base.coupling import whole_ladders
from cape_lib.errors import MissingError, ScoresError
from cape_lib.frontier import effort, variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PRECISION, REASONING, WRONG
from cape_lib.story import again as story
from cape_lib.tables.variants import DOMAINS


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return variants.readings()


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """The table as it lies in the file: the tests' own road to every number."""
    frame = pd.read_csv(tables.data_dir() / "one_lab_2026.csv")
    return frame.dropna(subset=["gpqa_diamond", "omniscience_accuracy"])


def test_the_headline_correlations_are_those_of_scipy_on_the_file(rows: pd.DataFrame, raw: pd.DataFrame) -> None:
    a, q = raw["omniscience_accuracy"], raw["omniscience_non_hallucination"]
    wrong = (100 - q) * (100 - a) / 100
    assert variants.association(rows, KNOWS).estimate == pytest.approx(pearsonr(raw["gpqa_diamond"], a)[0])
    assert variants.association(rows, ADMITS).estimate == pytest.approx(pearsonr(raw["gpqa_diamond"], q)[0])
    ranks = variants.association(rows, WRONG, rank=True)
    assert ranks.estimate == pytest.approx(spearmanr(raw["gpqa_diamond"], wrong)[0])
    assert (ranks.n, round(ranks.estimate, 2)) == (440, -0.61)
    assert variants.association(rows, PRECISION).estimate == pytest.approx(
        pearsonr(raw["gpqa_diamond"], a / (a + wrong))[0]
    )


def test_labs_left_out_in_turn_widen_the_interval_of_q_over_zero(rows: pd.DataFrame) -> None:
    r = variants.association(rows, ADMITS)
    assert round(r.estimate, 2) == 0.18 and r.low < 0.02 and 0.3 < r.high < 0.4
    partial = variants.association(rows, ADMITS, given=("date", "size"))
    assert -0.1 < partial.estimate < 0 < partial.high and 265 < partial.n < 280


def test_fifteen_variants_spend_many_tokens_and_five_lose_by_thinking(rows: pd.DataFrame) -> None:
    flags = variants.truncation(rows)
    assert (flags["tokens"].sum(), flags["loses"].sum(), flags["set_aside"].sum()) == (15, 5, 18)
    lost = set(rows["model"][flags["loses"]])
    assert {"Qwen3.5 0.8B (Reasoning)", "Qwen3.5 2B (Reasoning)"} <= lost
    assert len(variants.steady(rows)) == 422


def test_the_artefact_of_one_family_goes_with_its_two_smallest_sizes(rows: pd.DataFrame) -> None:
    family = rows[(rows["generation"] == "Qwen3.5") & (rows["mode"] == "reasoning")]
    assert len(family) == 8 and family[REASONING].corr(family[ADMITS]) == pytest.approx(-0.99, abs=0.006)
    six = family[family["params_b"] > 3]
    assert len(six) == 6 and six[REASONING].corr(six[ADMITS]) == pytest.approx(-0.74, abs=0.006)
    assert family[REASONING].corr(family[WRONG]) > 0.9 and six[REASONING].corr(six[WRONG]) < -0.9


def test_ladders_of_effort_by_the_printed_rule(rows: pd.DataFrame) -> None:
    ladders = effort.effort_ladders(rows)
    count = {score: effort.counted(ladders, score) for score in (REASONING, ADMITS, WRONG, PRECISION)}
    assert (len(ladders), ladders["lab"].nunique(), (ladders["lab"] == "OpenAI").sum()) == (20, 5, 13)
    assert (count[REASONING]["rose"], count[ADMITS]["fell"]) == (20, 18)
    assert (count[WRONG]["rose"], count[PRECISION]["rose"]) == (13, 14)
    wider = effort.effort_ladders(rows, bare=False)
    assert (len(wider), wider["lab"].nunique()) == (22, 6)
    assert effort.counted(wider, ADMITS)["fell"] == 20


def test_a_ladder_of_effort_runs_from_the_lowest_to_the_highest(raw: pd.DataFrame, rows: pd.DataFrame) -> None:
    by = raw.set_index("model")["omniscience_non_hallucination"]
    ladder = effort.effort_ladders(rows).set_index("model").loc["grok 4.3"]
    assert (ladder["lowest"], ladder["highest"], ladder["efforts"]) == ("low", "high", 3)
    assert ladder[ADMITS] == pytest.approx(by["Grok 4.3 (high)"] - by["Grok 4.3 (low)"])


def test_off_and_on_takes_the_lowest_effort_of_thinking(raw: pd.DataFrame, rows: pd.DataFrame) -> None:
    by = raw.set_index("model")["omniscience_accuracy"]
    pairs = effort.off_and_on(rows).set_index("model")
    change = by["GPT-5.6 Sol (low)"] - by["GPT-5.6 Sol (Non-reasoning)"]
    assert pairs.loc["gpt-5.6 sol", KNOWS] == pytest.approx(change)
    assert len(effort.off_and_on(rows, exclude_efforts=True)) < len(pairs)


def planted(rng: np.random.Generator, *, models: int = 200, tied: float = 0.0, by_size: float = 0.0) -> pd.DataFrame:
    """Variants whose q goes with reasoning by `tied`, and with size, on which reasoning depends, by `by_size`."""
    size = rng.uniform(-0.5, 3, models)
    lab = rng.integers(0, 20, models)
    gpqa = 45 + 12 * size + rng.normal(0, 8, models)
    own = tied * (gpqa - gpqa.mean()) + by_size * 12 * (size - size.mean())
    q = 45 + own + rng.normal(0, 6, 20)[lab] + rng.normal(0, 12, models)
    frame = pd.DataFrame({"model": [f"m{i}" for i in range(models)], "lab": lab.astype(str), "mode": "none"})
    return frame.assign(
        **{REASONING: np.clip(gpqa, 5, 99), KNOWS: np.clip(gpqa / 3, 1, 60), ADMITS: np.clip(q, 1, 99)},
        weights=frame["model"],
        params_b_total=10**size,
        released=pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, models), unit="D"),
        omniscience_reasoning_tokens=0.0,
    )


def test_q_planted_independent_of_reasoning_is_called_tied_in_few_worlds() -> None:
    rng = np.random.default_rng(3)
    worlds = [variants.association(variants.readings(planted(rng)), ADMITS) for _ in range(120)]
    wrong = sum(not r.contains(0.0) for r in worlds)
    assert wrong <= 12  # 5 % of 120 is 6; more than 12 has a chance below 1 in 100


def test_q_planted_with_reasoning_is_seen_and_q_planted_with_size_alone_falls_given_size() -> None:
    rng = np.random.default_rng(4)
    seen = [variants.association(variants.readings(planted(rng, tied=0.5)), ADMITS).low > 0 for _ in range(40)]
    assert sum(seen) >= 36
    by_size = [variants.readings(planted(rng, by_size=0.6)) for _ in range(40)]
    plain = sum(variants.association(rows, ADMITS).low > 0 for rows in by_size)
    held = sum(not variants.association(rows, ADMITS, given=("size",)).contains(0.0) for rows in by_size)
    assert plain >= 36 and held <= 6


def test_truncation_planted_alone_vanishes_with_the_variants_that_ran_out() -> None:
    rng = np.random.default_rng(5)
    frame = planted(rng, models=60)
    frame["mode"] = "reasoning"
    weak = frame[REASONING].rank() <= 12
    frame.loc[weak, [ADMITS, KNOWS]] = [95.0, 1.0]  # empty answers are graded as not attempted
    frame.loc[weak, "omniscience_reasoning_tokens"] = 30_000.0 * 6_000
    rows = variants.readings(frame)
    assert variants.association(rows, ADMITS).high < 0
    assert variants.association(variants.steady(rows), ADMITS).contains(0.0)


@pytest.mark.slow
def test_a_planted_dose_comes_back_and_no_dose_is_not_made_up() -> None:
    rng = np.random.default_rng(6)
    table = []
    for model in range(24):
        own = rng.normal(-8, 3)
        for tokens in (300, 1_000, 3_000):
            q = 60 + rng.normal(0, 1) + own * np.log10(tokens / 1_000)
            table.append((f"lab{model % 8}", f"m{model}", tokens, q, rng.normal(0, 1) + 50 + model))
    frame = pd.DataFrame(table, columns=["lab", "weights", "reasoning_tokens", ADMITS, KNOWS])
    frame = frame.assign(mode="reasoning", model=frame["weights"])
    frame = frame.assign(**dict.fromkeys((REASONING, WRONG, PRECISION), 50.0 + rng.normal(0, 1, len(frame))))
    mixed = effort.doses(frame).set_index("score")["mixed"]
    assert effort.dose(frame, ADMITS).contains(-8) and mixed[ADMITS] == pytest.approx(-8, abs=1.5)
    assert len(effort.slopes(frame, ADMITS)) == 24 and effort.dose(frame, KNOWS).contains(0)


@pytest.mark.slow
def test_a_hump_is_called_in_few_worlds_where_thinking_does_nothing() -> None:
    rng = np.random.default_rng(7)
    called = 0
    for _ in range(100):
        table = []
        for model in range(18):
            for mode, word in (("none", None), ("reasoning", "low"), ("reasoning", "high")):
                row = {"lab": f"lab{model % 6}", "weights": f"lab: m{model}", "mode": mode, "effort": word}
                row |= {score: rng.normal(50, 5) for score in effort.CHANGES} | {"model": f"m{model} ({word})"}
                table.append(row | {f"{score}_stderr": 1.0 for score in effort.CHANGES} | {"reasoning_tokens": 1.0})
        called += effort.hump(pd.DataFrame(table)).p < 0.05
    assert called <= 11  # 5 % of 100; more than 11 has a chance below 1 in 100


def one(gpqa: float, accuracy: float, admits: float) -> pd.DataFrame:
    return pd.DataFrame({"model": ["mine"], REASONING: [gpqa], KNOWS: [accuracy], ADMITS: [admits]})


def test_a_model_is_placed_among_those_that_reason_as_well(rows: pd.DataFrame) -> None:
    mine = variants.readings(one(88.0, 40.0, 95.0)).iloc[0]
    place = variants.neighbours(rows[rows["mode"] == "reasoning"], mine)
    assert place.n >= 10 and place.admits.estimate == 100.0 and place.models <= place.n
    same = rows.iloc[100]
    nearest = variants.neighbours(rows, same).nearest
    assert (nearest.iloc[0]["model"], nearest.iloc[0]["distance"]) == (same["model"], 0)
    assert nearest["distance"].is_monotonic_increasing
    with pytest.raises(MissingError, match="takes 10"):
        variants.neighbours(rows.head(9), same)


@pytest.mark.parametrize("wrong", [(0.88, 40, 30), (88, 140, 30), (88, 40, 0.3)])
def test_fractions_and_impossible_scores_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ScoresError, match="percent"):
        variants.readings(one(*wrong))


def test_what_is_missing_is_named() -> None:
    one = pd.DataFrame({"model": ["m"], REASONING: [50.0], ADMITS: [30.0]})
    with pytest.raises(MissingError, match="omniscience_accuracy"):
        variants.readings(one)
    with pytest.raises(ScoresError, match="not fractions"):
        variants.readings(one.assign(**{KNOWS: 0.4}))
    rows = variants.readings().query("effort == 'high'")
    with pytest.raises(MissingError, match="two efforts"):
        effort.effort_ladders(rows)


def test_the_control_of_the_artefact_and_the_power_of_the_objections_say_the_opposite_too(rows: pd.DataFrame) -> None:
    assert "It turns with the mode" in story.control(rows)
    family = (rows["generation"] == "Qwen3.5") & (rows["mode"] == "none")
    alike = rows.assign(**{ADMITS: rows[ADMITS].where(~family, 100 - rows[REASONING])})
    assert "It does not turn" in story.control(alike)
    assert "was not measured without thinking" in story.control(rows[~family])
    table = variants.objections(rows)
    settled = table[(table["low"] > 0) | (table["high"] < 0)]
    assert story.power(settled) == f"All {len(settled)} readings leave zero out."
    assert story.power(table).startswith(f"{len(table) - len(settled)} of {len(table)} readings hold zero")


@pytest.mark.slow
def test_a_lever_is_counted_by_objection_in_the_pairs_that_the_objection_leaves(rows: pd.DataFrame) -> None:
    checks = effort.ladder_checks(rows).set_index("check")
    whole, ladders = checks.loc["all ladders"], effort.effort_ladders(rows)
    most = ladders["lab"].value_counts()
    assert checks.loc[f"without {most.index[0]}", "n"] == len(ladders) - most.iloc[0]
    assert (checks.loc[list(DOMAINS), "n"] == whole["n"]).all()
    assert checks.loc["each step of effort", "n"] == int((ladders["efforts"] - 1).sum())
    still = rows.assign(**{ADMITS: 50.0, WRONG: 25.0, PRECISION: 50.0})
    same = effort.off_on_checks(still)[["admits_fell", "wrong_rose", "precision_rose"]]
    assert (same == 0).all(axis=None)


def test_thinking_variants_alone_are_set_aside_as_among_all(rows: pd.DataFrame) -> None:
    thinking = rows[rows["mode"] == "reasoning"]
    whole = variants.truncation(rows).loc[thinking.index]
    assert variants.truncation(thinking, among=rows).equals(whole)
    alone = variants.truncation(thinking)["set_aside"]
    assert alone.sum() < whole["set_aside"].sum()  # without the settings to compare with, only the tokens tell


def test_a_size_that_loses_with_few_tokens_is_not_said_to_have_run_out(rows: pd.DataFrame) -> None:
    assert "It ran out" in story.artefact(rows, "Qwen3.5")
    text = story.artefact(rows, "Gemma 4")
    assert "Gemma 4 E2B" in text and "It ran out" not in text and "not for want of tokens" in text


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["", "reasoning", "none"])
@pytest.mark.parametrize("keep_truncated", [True, False])
def test_the_sentences_of_chapter_9_are_of_the_rows_that_were_chosen(
    rows: pd.DataFrame, mode: str, keep_truncated: bool
) -> None:
    every = rows if keep_truncated else variants.steady(rows)
    chosen = every[every["mode"] == mode].reset_index(drop=True) if mode else every
    answer, (first, second, third) = story.answer(chosen, among=rows), story.remember(chosen, "Gemma 4", among=every)
    word = {"": "", "reasoning": ", thinking", "none": ", not thinking"}[mode]
    assert f"Over {len(chosen)} variants of today's models{word}, reasoning" in answer.sentence
    assert first.startswith(f"Among models{word[1:]}, reasoning" if mode else "Reasoning goes with")
    assert f"r = {variants.association(chosen, KNOWS).estimate:.2f}" in first
    assert ("more effort" in answer.sentence) == (mode != "none")
    assert "Gemma 4, thinking" in second and "at more effort" in third
    text = " ".join([answer.sentence, answer.interval, story.sure(chosen), story.turn_text(chosen)])
    assert "nan" not in text and "of 0" not in text


@pytest.mark.slow
def test_opposite_worlds_are_told_as_they_are(rows: pd.DataFrame) -> None:
    turned = rows.assign(**{m: 100 - rows[m] for m in (KNOWS, ADMITS)})
    assert "know less" in story.answer(turned).sentence and "goes against knowing" in story.remember(turned)[0]
    assert story.hangs(turned) != story.hangs(rows)
    even = effort.ladder_checks(rows).assign(admits_fell=20, wrong_rose=20, precision_rose=20, n=20)
    assert story.effort_hangs(even) == "Every check has these majorities."
    even.loc[3, "admits_fell"] = 8
    lost = f"The majority with a falling share admitted is lost in 1 check ({even.loc[3, 'check']}, 8 of 20)."
    assert story.effort_hangs(even) == lost


@pytest.mark.slow
def test_the_lever_the_turn_and_the_two_alike_say_the_opposite_too(rows: pd.DataFrame) -> None:
    turned = rows.assign(**{ADMITS: 100 - rows[ADMITS]})
    moral = story.effort_moral(turned)
    lead = "Of 20 models (13 are one maker's) more effort at the same weights raises what is known in 18; 18 admit more"
    assert moral.startswith(f"{lead} (over makers not sure)")
    assert re.search(
        r"with thinking switched on 63 of 87 admit less \(by maker: \d+ of 17\)", story.remember(turned)[2]
    )
    ladders = effort.effort_ladders(rows)
    even = ladders.assign(**{ADMITS: -10 + ladders[ADMITS] / 100})
    assert story.admit(even).endswith("(over makers sure)")
    assert story.effort_moral(rows).endswith("That more effort invents more, or less, is not shown.")
    steep = 20 * np.log10(rows["reasoning_tokens"].clip(lower=1))
    more = rows.assign(**{WRONG: rows[WRONG] + steep})
    assert story.effort_moral(more).endswith(
        "depends on the measure: more by wrong share and neither surely by precision."
    )
    both = more.assign(**{PRECISION: rows[PRECISION] - steep})
    assert story.effort_moral(both).endswith("More effort invents more.")
    assert re.match(r"15 of the 18 rises", story.effort_sure(turned))
    sized = variants.size_ladders(rows)
    small = sized.assign(**{ADMITS: np.where(sized["params_b"] < 3.5, 100 - sized[REASONING], sized[REASONING])})
    assert "below 3.5 B they do so more often (p < 0.001, two-sided)" in story.turn_text(small)
    large = small[small["params_b"] > 3.5].drop(columns="ladder")
    assert story.turn_text(large).endswith("steps on one side of 3.5 B cannot show a turn there.")
    assert story.twins_answer(rows).startswith("By all three the first makes up less")
    moved = effort.effort_ladders(turned)
    text = story.effort_text(turned, moved, change=effort.over_makers(moved, ADMITS))
    assert "**falls in 2**" in text and "from it on the share admitted falls in 6 of 20" in text
    # where the one that answers more is also right in all that it answers, precision is on its side
    second = rows["model"].eq(re.findall(r"\*\*(.*?)\*\*", story.twins(rows))[1])
    split = rows.assign(**{PRECISION: rows[PRECISION].where(~second, 99.0)})
    assert "the second by precision 69 against 99 %" in story.twins_answer(split)


def test_whether_better_reasoners_make_up_less_is_told_measure_by_measure(rows: pd.DataFrame) -> None:
    assert story.makes_up(rows) == (
        "they make up less by precision, less by wrong share (not shown with date and size held), not surely by share "
        "admitted"
    )
    noise = np.random.default_rng(5).normal(0, 20, (3, len(rows)))
    ways = dict(zip((PRECISION, WRONG, ADMITS), (1, -1, 1), strict=True))
    better = {m: way * rows[REASONING] + one for (m, way), one in zip(ways.items(), noise, strict=True)}
    assert story.makes_up(rows.assign(**better)) == "they make up less by precision, wrong share and share admitted"
    worse = {m: -values for m, values in better.items()}
    assert story.makes_up(rows.assign(**worse)) == "they make up more by precision, wrong share and share admitted"
    x = rows[REASONING]
    alone = {m: one - np.polyval(np.polyfit(x, one, 1), x) for m, one in zip(ways, noise, strict=True)}
    assert story.makes_up(rows.assign(**alone)).startswith("that they make up less is not shown by precision, wrong")


def test_what_noise_alone_could_make_tells_no_two_models_apart(rows: pd.DataFrame) -> None:
    steady = variants.steady(rows)
    text = story.twins_answer(steady)
    assert text.startswith("By two of the three the first makes up less") and "; within noise: precision 52" in text
    _, (less, more), _ = story.alike(steady)
    twins = steady["slug"].isin([less["slug"], more["slug"]])
    coarse = {f"{m}_stderr": steady[f"{m}_stderr"].where(~twins, 90.0) for m in (WRONG, ADMITS, PRECISION)}
    assert story.twins_answer(steady.assign(**coarse)).startswith("By none of the three does one surely make up less")
    one = {name: value for name, value in coarse.items() if not name.startswith(WRONG)}
    assert story.twins_answer(steady.assign(**one)).startswith("By one of the three the first makes up less: wrong")


def test_a_minimal_effort_that_does_not_think_is_told_as_it_goes(rows: pd.DataFrame) -> None:
    minimal = (rows["effort"] == "minimal") & (rows["mode"] == "none")
    ladders = effort.effort_ladders(rows, minimal=True)
    assert (ladders["lowest"] == "minimal").sum() == minimal.sum() == 4
    assert (effort.effort_ladders(rows)["lowest"] != "minimal").all()
    change = effort.over_makers(ladders, ADMITS)
    fell = int((ladders[ADMITS] < 0).sum())
    text = story.effort_text(rows[~minimal], effort.effort_ladders(rows[~minimal]), change=change)
    assert f"falls in {fell} of {len(ladders)}" in story.from_minimal(rows) and change.contains(0.0)
    assert story.from_minimal(rows).endswith(": not sure.")
    assert story.from_minimal(rows[~minimal]) == "" and not text.endswith(" ")
    high = rows.assign(**{ADMITS: rows[ADMITS].where(~minimal, 100.0)})
    assert "falls in 18 of 20" in story.from_minimal(high)


def test_the_change_of_the_share_admitted_is_the_sum_of_its_two_parts(rows: pd.DataFrame) -> None:
    whole, held, left = story._split(effort.effort_ladders(rows))
    assert whole.estimate == pytest.approx(held.estimate + left.estimate)


def test_ladders_that_start_at_a_size_that_loses_by_thinking_are_the_ones_in_doubt(rows: pd.DataFrame) -> None:
    sized = variants.size_ladders(rows)
    ladders = whole_ladders(sized, x=REASONING, y=ADMITS)
    first = sized.sort_values("params_b").drop_duplicates("ladder").set_index("ladder")["slug"]
    loses = set(rows.loc[variants.truncation(rows)["loses"], "slug"])
    expected = {ladder for ladder, slug in first.items() if slug in loses}
    assert set(story.starts_in_doubt(ladders, rows)) == expected and "Qwen3.5, thinking" in expected
