"""Rules are read and never run; statuses follow the data, the day and the panel."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cape_lib import predictions, tables
from cape_lib.errors import ScoresError, UsageError
from cape_lib.page import parts
from cape_lib.predictions.cards import Quantity, holds, parse
from cape_lib.story import predictions as story

X, Y = "swe_bench_verified", "gpqa_diamond"
H, N = Quantity("h"), Quantity("n")


@pytest.fixture(scope="module")
def cards() -> dict[int, predictions.Prediction]:
    return {card.id: card for card in predictions.predictions()}


def scored_table(**settings: str) -> pd.DataFrame:
    return predictions.as_table(predictions.score_all(**settings))


def releases(rows: list[tuple[str, str, str, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["model", "lab", "release_date", X, Y])
    frame["released"] = pd.to_datetime(frame["release_date"])
    return frame.assign(hle=np.nan, ifeval=np.nan)


def many(n: int, *, r: float, first: str = X, second: str = Y, seed: int = 0) -> pd.DataFrame:
    """n models whose two scores have exactly this correlation."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(n)
    b = rng.standard_normal(n)
    a, b = a - a.mean(), b - b.mean()
    b -= a * (a @ b) / (a @ a)
    y = r * a / np.sqrt(a @ a) + np.sqrt(1 - r * r) * b / np.sqrt(b @ b)
    frame = pd.DataFrame({"model": [f"m{i}" for i in range(n)], "lab": "one", "release_date": "2026-07-01"})
    frame["released"] = pd.Timestamp("2026-07-01")
    frame = frame.assign(**{name: np.nan for name in (X, Y, "hle", "ifeval")})
    return frame.assign(**{first: 60 + 8 * a, second: 60 + 30 * y})


def status(card: predictions.Prediction, frame: pd.DataFrame, day: str, known: str | None = None) -> str:
    return predictions.score(card, frame, as_of=day, known_until=known or day).status


# rules


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "spread(gpqa_diamond) < __class__",
        "h",
        "1 < h < 3",
        "r(a)>0.5",
        "spread(a,b)<1",
        "all(n<3)",
        "any(all(h<1))",
        "n == 3",
        "n<'3'",
        "n<True",
        "lambda: n<3",
        "not n<3",
        "n<3 and (h>1 or n>5)",
        "spread(x.y)<2",
        "f'{h}'<3",
        "h<1;n<2",
        "",
        "spread(a, k=1)<2",
        "(" * 300 + "h",
    ],
)
def test_anything_but_a_rule_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ScoresError, match="predictions.csv, row 4"):
        parse(text, where="predictions.csv, row 4")


def test_a_rule_is_read_into_its_parts() -> None:
    rule = parse("spread(ifeval)<3 and spread(hle)>15")
    assert rule.joint == "and"
    assert [(c.quantity, c.sign, c.threshold) for c in rule.comparisons] == [
        (Quantity("spread", ("ifeval",)), "<", 3.0),
        (Quantity("spread", ("hle",)), ">", 15.0),
    ]


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=4), st.floats(-20, 20))
def test_all_and_any_agree_with_python(h: list[float], bound: float) -> None:
    values = {H: np.array(h)}
    bound = round(bound, 3)
    assert bool(holds(parse(f"all(h<{bound})"), values)) == all(one < bound for one in h)
    assert bool(holds(parse(f"any(h>{bound})"), values)) == any(one > bound for one in h)


@given(st.floats(-1, 1), st.integers(0, 60))
def test_and_and_or_agree_with_python(r: float, n: int) -> None:
    values = {Quantity("r", (X, Y)): r, N: n}
    assert bool(holds(parse(f"r({X},{Y})>0.5 and n>=30"), values)) == (r > 0.5 and n >= 30)
    assert bool(holds(parse(f"r({X},{Y})<0.3 or n<5"), values)) == (r < 0.3 or n < 5)


def test_many_draws_at_once_give_one_answer_each() -> None:
    draws = {H: np.array([[-1.0, -2.0], [-1.0, 6.0], [1.0, 2.0]])}
    assert holds(parse("all(h<0)"), draws).tolist() == [True, False, False]
    assert holds(parse("any(h>5)"), draws).tolist() == [False, True, False]


def test_a_missing_number_makes_no_rule_true() -> None:
    values = {Quantity("r", (X, Y)): float("nan")}
    assert not holds(parse(f"r({X},{Y})>0.5"), values)
    assert not holds(parse(f"r({X},{Y})<0.3"), values)


def test_rules_in_words(cards: dict[int, predictions.Prediction]) -> None:
    assert cards[1].pass_rule.words == (
        "the SWE-bench Verified scores lie less than 2 points apart and the GPQA Diamond scores lie more than 5 points "
        "apart"
    )
    assert cards[4].fail_rule.words == "h of any of them is below 0 points"


# cards


def test_there_are_seven_with_both_rules(cards: dict[int, predictions.Prediction]) -> None:
    assert sorted(cards) == [1, 2, 3, 4, 5, 6, 7]
    assert all(card.pass_rule.comparisons and card.fail_rule.comparisons for card in cards.values())
    assert {card.made_on for card in cards.values()} == {"2026-05"}


def test_our_own_have_rules_windows_and_chances_and_wait_for_what_is_released_later() -> None:
    own = predictions.own_predictions()
    assert len(own) >= 5 and len({card.id for card in own}) == len(own)
    assert all(card.pass_rule.comparisons and card.fail_rule.comparisons for card in own)
    assert sum(card.chance is not None and card.chance < 50 for card in own) >= 2
    papers = {str(card.id) for card in predictions.predictions()}
    assert not papers & {str(card.id) for card in own}
    assert predictions.prediction("op2").name == "Admitting stays unrelated"
    for card in own:
        if card.after:
            one = predictions.score_all(cards=[card])[0]
            assert (one.status, one.n) == ("cannot be scored yet", 0)


def test_a_prediction_about_later_variants_is_settled_by_them_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from cape_lib.frontier import variants

    rng = np.random.default_rng(0)
    old = variants.readings()
    new = old.sample(200, random_state=1).assign(released=pd.Timestamp("2027-03-01"))
    gpqa = new["gpqa_diamond"].to_numpy()
    new["omniscience_accuracy"] = gpqa / 3 + rng.normal(0, 3, 200)
    monkeypatch.setattr(variants, "readings", lambda: pd.concat([old, new], ignore_index=True))
    card = predictions.prediction("OP1")
    rows = predictions.scoring.rows_for(card, "current", "2027-11-30")
    for day, status in (("2027-06-30", "open leaning pass"), ("2027-11-30", "passed")):
        one = predictions.score(card, rows, as_of=day, known_until=day)
        assert (one.status, one.n) == (status, 200)
        assert one.value == pytest.approx(np.corrcoef(gpqa, new["omniscience_accuracy"])[0, 1])
    early = predictions.scoring.rows_for(card, "current", "2027-02-01")
    assert predictions.score(card, early, as_of="2027-02-01", known_until="2027-02-01").n == 0


def test_the_ranking_score_of_the_sixth_is_not_stated(cards: dict[int, predictions.Prediction]) -> None:
    assert [card.id for card in cards.values() if not card.axis_stated] == [6]
    assert set(predictions.other_rankings(cards[6])["axis"]) == {"ifeval", "hle"}


def test_a_broken_rule_names_its_row() -> None:
    table = tables.load("predictions")
    table.loc[2, "pass_rule"] = "all(h<zero)"
    with pytest.raises(ScoresError, match="row 4, column pass_rule"):
        predictions.predictions(table)


def test_unknown_prediction_names_the_nearest() -> None:
    assert predictions.prediction("swe saturation").id == 1
    with pytest.raises(UsageError, match="SWE saturation"):
        predictions.prediction("SWE saturatoin")


@pytest.mark.parametrize(("given_date", "day"), [("2026-05-31", "2026-05-31"), ("2026-02", "2026-02-28")])
def test_a_month_means_its_last_day(given_date: str, day: str) -> None:
    assert predictions.check_date(given_date) == day


@pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "2026-02-30", "26-05-01", ""])
def test_an_impossible_date_is_refused_with_a_valid_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"for example \d{4}-\d{2}-\d{2}"):
        predictions.check_date(text)


# statuses


def test_releases_change_a_status_step_by_step(cards: dict[int, predictions.Prediction]) -> None:
    card, day = cards[3], "2026-11-01"
    frame = releases([("V4 Pro", "DeepSeek", "2026-04-24", 80.6, 90.1)])
    assert status(card, frame, day) == "cannot be scored yet"  # a release before the start does not count
    below = ("V5", "DeepSeek", "2026-08-01", 85.0, 85.0)
    frame = pd.concat([frame, releases([below])])
    assert status(card, frame, day) == "open leaning pass"
    again, above = ("V5.1", "DeepSeek", "2026-09-01", 86.0, 86.0), ("V5.1", "DeepSeek", "2026-09-01", 70.0, 90.0)
    assert status(card, pd.concat([frame, releases([again])]), day) == "passed"
    assert status(card, pd.concat([frame, releases([above])]), day) == "failed"


def test_the_third_release_does_not_count(cards: dict[int, predictions.Prediction]) -> None:
    rows = [(f"G{i}", "Google", f"2026-0{i}-15", 80.0, 95.0) for i in (6, 7)] + [
        ("G8", "Google", "2026-08-15", 95.0, 60.0)
    ]
    assert status(cards[4], releases(rows), "2026-11-01") == "passed"


def test_one_release_beyond_the_fail_limit_settles_it(cards: dict[int, predictions.Prediction]) -> None:
    assert status(cards[4], releases([("G", "Google", "2026-06-15", 90.0, 70.0)]), "2026-11-01") == "failed"


def test_a_release_without_a_score_is_waited_for(cards: dict[int, predictions.Prediction]) -> None:
    rows = releases(
        [("V4.1", "DeepSeek", "2026-07-31", float("nan"), 90.0), ("V5", "DeepSeek", "2026-08-10", 85.0, 85.0)]
    )
    scored = predictions.score(cards[3], rows, as_of="2026-11-01", known_until="2026-11-01")
    assert scored.pending == ("V4.1",)
    assert "V4.1" in scored.reason
    alone = predictions.score(cards[3], rows.head(1), as_of="2026-11-01", known_until="2026-11-01")
    assert alone.status == "cannot be scored yet"
    assert "V4.1" in alone.reason


@pytest.mark.parametrize(
    ("r", "n", "day", "expected"),
    [
        (0.8, 30, "2026-11-01", "open leaning pass"),
        (0.8, 30, "2027-05-31", "passed"),
        (0.1, 30, "2026-11-01", "open leaning fail"),
        (0.1, 30, "2027-06-01", "failed"),
        (0.4, 30, "2027-06-01", "undecided"),
        (0.8, 29, "2026-11-01", "cannot be scored yet"),
    ],
)
def test_a_correlation_is_scored_by_its_window(
    cards: dict[int, predictions.Prediction], r: float, n: int, day: str, expected: str
) -> None:
    assert status(cards[5], many(n, r=r), day) == expected


def test_a_day_beyond_the_data_settles_nothing(cards: dict[int, predictions.Prediction]) -> None:
    scored = predictions.score(cards[5], many(30, r=0.8), as_of="2027-06-01", known_until="2026-10-09")
    assert scored.status == "open leaning pass"
    assert "the data end on 2026-10-09" in scored.reason


def test_between_the_rules_the_repeats_decide_where_it_leans(cards: dict[int, predictions.Prediction]) -> None:
    assert status(cards[5], many(40, r=0.48), "2026-11-01") == "open leaning pass"
    assert status(cards[5], many(40, r=0.32), "2026-11-01") == "open leaning fail"


def test_fewer_than_five_models_fail_the_second_by_its_own_rule(cards: dict[int, predictions.Prediction]) -> None:
    assert status(cards[2], many(4, r=0.9, first=Y, second="ifeval"), "2026-11-01") == "open leaning fail"


def test_no_model_at_all_is_no_failure_before_the_window_closes(cards: dict[int, predictions.Prediction]) -> None:
    none = many(3, r=0.9)
    assert status(cards[2], none, "2026-11-01") == "cannot be scored yet"
    assert status(cards[2], none, "2026-12-31") == "failed"


def test_top_five_spread_decides_the_first(cards: dict[int, predictions.Prediction]) -> None:
    near = releases([(f"m{i}", "one", "2026-07-01", 90 - 0.3 * i, 95 - 2.0 * i) for i in range(6)])
    wide = releases([(f"m{i}", "one", "2026-07-01", 90 - 2.0 * i, 95 - 2.0 * i) for i in range(6)])
    assert status(cards[1], near, "2026-11-01") == "open leaning pass"
    assert status(cards[1], near, "2026-12-31") == "passed"
    assert status(cards[1], wide, "2026-12-31") == "failed"
    assert status(cards[1], near.head(4), "2026-11-01") == "cannot be scored yet"


def test_shares_are_of_repeats_and_not_both_one(cards: dict[int, predictions.Prediction]) -> None:
    scored = predictions.score(cards[5], many(40, r=0.55), as_of="2026-11-01", known_until="2026-11-01")
    assert 0.3 < scored.pass_share < 0.95
    assert scored.pass_share + scored.fail_share <= 1
    assert scored.low < scored.value < scored.high


def test_no_number_is_made_up_where_there_is_none() -> None:
    table = scored_table(panel="published").set_index("id")
    assert table.loc[7, "status"] == "cannot be scored yet"
    assert np.isnan(table.loc[7, "value"]) and np.isnan(table.loc[7, "pass_share"])
    assert table.loc[7, "sources"] == []


def test_before_may_2026_it_computes_and_says_that_it_was_not_made() -> None:
    table = scored_table(as_of="2026-03-31", panel="published").set_index("id")
    assert not table["made"].any()
    assert table["reason"].str.startswith("not yet made on 2026-03-31").all()
    assert table.loc[1, "value"] == pytest.approx(0.9)
    assert scored_table(as_of="2026-05-01", panel="published")["made"].all()


def test_the_clock_is_not_read() -> None:
    sources = [path.read_text("utf-8") for path in Path(predictions.__file__).parent.glob("*.py")]
    assert not any(word in text for text in sources for word in ("today(", ".now(", "import time", "utcnow"))
    table = scored_table(panel="published")
    assert (table["as_of"] == predictions.newest_date()).all()


def test_scores_come_with_their_sources() -> None:
    table = scored_table().set_index("id")
    assert table.loc[5, "n"] > 30
    assert len(table.loc[5, "sources"]) > 3
    assert table["status"].isin(predictions.STATUSES).all()


def test_a_new_row_in_the_data_changes_a_status(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scored_table(as_of="2026-12-01").set_index("id").loc[4, "status"]
    real = tables.frontier
    new = releases([("G9", "Google", "2026-06-10", 90.0, 60.0), ("G10", "Google", "2026-06-20", 90.0, 60.0)])

    def with_new_rows(*args: object, **kwargs: object) -> pd.DataFrame:
        return pd.concat([real(*args, **kwargs), new], ignore_index=True)

    monkeypatch.setattr(tables, "frontier", with_new_rows)
    after = scored_table(as_of="2026-12-01").set_index("id").loc[4, "status"]
    assert (before, after) == ("cannot be scored yet", "failed")


def test_unknown_panel_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="current"):
        scored_table(panel="curent")


@pytest.mark.slow
def test_sensitivity_has_a_row_for_every_setting() -> None:
    table = predictions.sensitivity()
    assert len(table) == 7 * len(predictions.SETTINGS)
    assert set(table["panel"]) == {"published", "corrected", "sourced", "current", "independent"}


@pytest.mark.slow
def test_prediction_2_hangs_on_a_window_and_6_on_one_transcribed_release() -> None:
    table = predictions.turns()
    second = table[(table["id"] == 2) & (table["what"] == "since Nov 2025")].iloc[0]
    assert (second["side"], second["n"], bool(second["turned"])) == ("fail", 12, True)
    assert second["value"] == pytest.approx(-0.34, abs=0.005)
    words = predictions.hangs_on(table, tables.frontier("current"))
    assert "since Nov 2025" in words[2] and "Gemma 4 31B" in words[6] and "transcription" in words[6]
    assert 7 not in words
    sentences = story.other_verdicts(table, tables.frontier("current"))
    assert sentences[2] == f"Other verdict: on models since Nov 2025 it fails ({second['value']:.2f}, n = 12)."
    assert "without Gemma 4 31B (read in a transcription) it passes" in sentences[6] and set(sentences) == set(words)
    assert not table.loc[table["side"] == "", "turned"].any()


@pytest.mark.slow
def test_what_turns_our_own_is_what_other_rows_say() -> None:
    own = {card.id: card for card in predictions.own_predictions()}
    table = predictions.turns(cards=[own["OP4"], own["OP6"]])
    assert (table.loc[table["id"] == "OP4", "n"] == 0).all()  # no release of after November 2026 is known
    sixth = table[table["id"] == "OP6"].set_index("what")
    for panel in ("sourced", "independent"):
        rows = tables.frontier(panel, as_of=predictions.newest_date()).dropna(subset=[Y, "hle"])
        top = rows.nlargest(10, Y)
        near, far = (float(top[name].max() - top[name].min()) for name in (Y, "hle"))
        side = "pass" if near < 3 and far > 12 else "fail" if near > 6 else "neither"
        assert (sixth.loc[panel, "side"], sixth.loc[panel, "value"]) == (side, pytest.approx(near))
        assert sixth.loc[panel, "turned"] == (side != sixth.loc["", "side"])
    turned = sixth.index[sixth["turned"]]
    words = predictions.hangs_on(table)
    assert set(words) == ({"OP6"} if len(turned) else set()) and all(name in words["OP6"] for name in turned[:3])


def test_a_prediction_on_variants_is_tried_on_them_less_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    knows = rng.normal(50, 5, 61)
    frame = pd.DataFrame({"model": [f"v{i}" for i in range(61)], "lab": [f"l{i % 8}" for i in range(61)]})
    frame = frame.assign(release_date="2026-12-15", released=pd.Timestamp("2026-12-15"), source="s")
    frame = frame.assign(gpqa_diamond=knows, omniscience_accuracy=knows + rng.normal(0, 1, 61))
    monkeypatch.setattr("cape_lib.frontier.variants.readings", lambda: frame)
    first = predictions.prediction("OP1")
    table = predictions.turns(as_of="2027-06-01", cards=[first])
    assert set(table["kind"]) == {"as it is", "release left out", "window"}  # one laboratory: no panel, no claimant
    left = table[table["kind"] == "release left out"].set_index("what")
    assert len(left) == 61 and (left["n"] == 60).all() and (table["side"] == "pass").all()
    less = frame[frame["model"] != "v7"]
    assert left.loc["v7", "value"] == pytest.approx(less["gpqa_diamond"].corr(less["omniscience_accuracy"]))
    assert predictions.hangs_on(table) == {}


def test_one_score_bounds_the_other_by_the_frozen_line() -> None:
    third = predictions.score_all()[2]
    bound = next(one for one in third.bounds if "V4 Pro 0813" in one)
    assert f"above {(92.4 - 46.4) / 0.513:.1f}" in bound and f"below {(92.4 - 5 - 46.4) / 0.513:.1f}" in bound
    # one release above the line is known: what the next one scores cannot make all of them lie below it
    assert third.value > 0 and "can no longer pass" in bound and "can no longer pass" in third.reason
    assert not any("no longer" in one for one in predictions.score_all()[3].bounds)
    assert {"Gemini 3.7 Flash", "Gemini 3.8 Flash"} <= set(predictions.score_all()[3].pending)


def test_a_makers_value_counts_from_the_release_that_it_came_with() -> None:
    april = tables.frontier("current", as_of="2026-04-30").set_index("model")
    assert april.loc["Claude Opus 4.7", ["swe_bench_verified", "gpqa_diamond"]].tolist() == [87.6, 94.2]
    first = scored_table(as_of="2026-04-30").set_index("id").loc[1]
    assert first["value"] > 5


def test_over_time_follows_the_panel() -> None:
    days = predictions.over_time(["2026-03-31", "2026-04-30"], panel="published")
    first = days[days["id"] == 1].set_index("as_of")["value"]
    assert first["2026-03-31"] == pytest.approx(0.9)
    assert first["2026-04-30"] == pytest.approx(7.0)


@pytest.mark.slow
def test_in_every_month_of_the_history_no_model_is_lost() -> None:
    days = [str(day.date()) for day in pd.date_range("2026-01-31", predictions.newest_date(), freq="ME")]
    history = predictions.over_time(days)
    assert len(history) == 7 * len(days)
    for ident in (2, 5, 7):
        n = history[history["id"] == ident]["n"]
        assert n.is_monotonic_increasing and n.iloc[-1] > n.iloc[0]


def test_the_power_of_a_prediction_is_told_in_its_own_unit_and_not_where_there_is_no_number() -> None:
    by_id = {one.card.id: one for one in predictions.score_all()}
    for one in by_id.values():
        assert bool(predictions.power(one)) == np.isfinite(one.value)
    below, above = (float(word) for word in re.findall(r"-?\d\.\d\d", predictions.power(by_id[2])))
    first = by_id[2]
    seen = 2.8016 / 3.92 * (np.arctanh(first.high) - np.arctanh(first.low))
    mark = first.card.pass_rule.comparisons[0].threshold
    assert [below, above] == pytest.approx(np.tanh(np.arctanh(mark) + seen * np.array([-1, 1])), abs=0.006)
    spread = by_id[1]
    points = float(predictions.power(spread).split()[2])
    assert points == pytest.approx(2.8016 / 3.92 * (spread.high - spread.low), abs=0.06)


def test_predictions_that_wait_for_a_maker_that_stopped_are_named_with_its_last_release() -> None:
    scored = predictions.score_all()
    last = tables.last_stated(tables.load("frontier_scores"), "swe_bench_verified")
    labs = {one.card.lab for one in scored if one.card.lab and one.status == "cannot be scored yet"}
    text = story.waits(scored, last)
    for row in last[last["lab"].isin(labs)].to_dict("records"):
        assert (f"({row['lab']}; its last: {row['model']})" in text) == row["stopped"]
    assert "unless it states one again, only a measurement by others settles" in text
    assert story.waits(scored, last.assign(stopped=False)).startswith("No prediction waits")


def test_an_interval_below_eight_labs_says_that_models_are_taken_for_independent() -> None:
    by_id = {one.card.id: one for one in predictions.score_all()}
    for ident in (2, 5):
        labs = by_id[ident].rows["lab"].nunique()
        assert (f"models of {labs} labs, taken for independent" in story.today(by_id[ident])) == (labs < 8)
    shown = parts.cards(list(by_id.values()), plain=True, on={2: "Other verdict: in a window."}).data
    assert shown.count("Other verdict: in a window.") == 1
