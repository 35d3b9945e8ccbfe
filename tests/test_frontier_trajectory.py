"""The rule for steps and excursions, its null, and the influence of rows and cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cape_lib import frontier, tables
from cape_lib.frontier.trajectory import KINDS

X, Y = "swe_bench_verified", "gpqa_diamond"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return tables.frontier("published")


def kinds(h: list[float]) -> list[str]:
    return [KINDS[k] for k in frontier.classify_changes(h)]


def test_a_change_that_stays_is_a_step() -> None:
    assert kinds([0, 1, 16, 15, 17]) == ["first", "noise", "step", "noise", "noise"]


def test_a_change_that_comes_back_is_an_excursion() -> None:
    assert kinds([0, 1, -14, 2, 1]) == ["first", "noise", "excursion", "return", "noise"]


def test_the_newest_jump_is_open() -> None:
    assert kinds([0, 1, 20]) == ["first", "noise", "open"]


def test_a_return_that_goes_on_falling_is_not_a_second_change() -> None:
    assert kinds([0, 20, -2, -1])[2] == "return"


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9), st.floats(-30, 30))
def test_kinds_do_not_depend_on_the_level_or_the_sign(h: list[float], level: float) -> None:
    values = np.round(h, 3)
    here = frontier.classify_changes(values).tolist()
    assert here == frontier.classify_changes(-values).tolist()
    if not np.any(np.abs(np.abs(np.diff(values)) - 10) < 1e-6):
        moved = values + round(level)
        assert here == frontier.classify_changes(moved).tolist()


@given(st.lists(st.lists(st.integers(-40, 40), min_size=6, max_size=6), min_size=1, max_size=5))
def test_many_series_at_once_give_what_each_gives_alone(series: list[list[int]]) -> None:
    together = frontier.classify_changes(np.array(series, dtype=float))
    alone = [frontier.classify_changes(np.array(one, dtype=float)) for one in series]
    assert np.array_equal(together, np.array(alone))


def test_sonnet_46_is_the_published_excursion(panel: pd.DataFrame) -> None:
    paths = frontier.trajectories(panel).set_index("model")
    assert paths.loc["Claude Sonnet 4.6", "papers_kind"] == "excursion"
    assert paths.loc["Claude Opus 4.7", "papers_kind"] == "return"
    # The papers' rule calls it one; beyond the scatter of a lab's releases it is none.
    assert paths.loc["Claude Sonnet 4.6", "kind"] == "noise"


def test_releases_of_one_vague_date_stand_in_order_of_their_names_and_never_of_a_score() -> None:
    def order(scores: tuple[float, float, float]) -> list[str]:
        rows = pd.DataFrame(
            {
                "model": ["Cee", "Aye", "Bee"],
                "lab": "one",
                "release_date": "2026-02",
                X: scores,
                Y: scores,
                "released": pd.Timestamp("2026-02-14"),
            }
        )
        return frontier.trajectories(rows)["model"].tolist()

    assert order((10.0, 20.0, 30.0)) == order((30.0, 20.0, 10.0)) == ["Aye", "Bee", "Cee"]


def test_by_the_makers_dates_the_recovery_of_sonnet_46_runs_backwards(panel: pd.DataFrame) -> None:
    own = frontier.trajectories(tables.dated_by_makers(panel), lab="Anthropic").set_index("model")
    assert own.loc["Claude Opus 4.6", "order"] < own.loc["Claude Sonnet 4.6", "order"]
    assert own["order_known"].all()


def test_deepseek_moves_by_small_changes_only(panel: pd.DataFrame) -> None:
    paths = frontier.trajectories(panel, lab="DeepSeek")
    assert paths["h"].iloc[0] == pytest.approx(11.2, abs=0.05)
    assert set(paths["papers_kind"]) == {"first", "noise"}


def test_a_date_of_a_year_leaves_the_order_unknown(panel: pd.DataFrame) -> None:
    paths = frontier.trajectories(panel).set_index("model")
    assert not paths.loc["Gemini 3 Pro", "order_known"]
    assert paths.loc["Claude Opus 4.7", "order_known"]


def test_a_release_without_a_date_does_not_stop_the_others(panel: pd.DataFrame) -> None:
    own = pd.DataFrame({"model": ["Mine"], "lab": ["Mine"], X: [80.0], Y: [90.0]})
    paths = frontier.trajectories(pd.concat([panel, own], ignore_index=True)).set_index("model")
    assert paths.loc["Mine", "kind"] == "first"


def test_the_published_order_is_no_different_from_a_shuffled_one(panel: pd.DataFrame) -> None:
    null = frontier.order_null(frontier.trajectories(panel), resamples=999)
    assert (null["p"] > 0.05).all()
    assert ((null["low"] <= null["observed"]) & (null["observed"] <= null["high"])).all()


def test_shuffled_order_finds_a_step_where_order_matters() -> None:
    h = [0.0, 0, 0, 0, 40, 40, 40, 40]
    one = pd.DataFrame({"order": range(1, 9), "h": h})
    rows = pd.concat([one.assign(lab=name) for name in "abcd"])
    null = frontier.order_null(rows, resamples=999).set_index("kind")
    assert null.loc["excursion", "expected"] > null.loc["excursion", "observed"] == 0
    assert null.loc["excursion", "p"] < 0.1


def test_the_rule_errs_often_at_the_scatter_that_labs_have(panel: pd.DataFrame) -> None:
    rates = frontier.rule_error_rates([8], noise_sd=frontier.within_lab_scatter(panel)[0], series=1500)
    nothing = rates[rates["truth"] == "nothing"].set_index("kind")["share"]
    assert nothing["noise"] < 0.3
    assert nothing["excursion"] > 0.4


@pytest.mark.parametrize("length", [4, 9, 14])
@pytest.mark.parametrize("noise_sd", [2.0, 7.0])
def test_the_verdict_sees_a_change_in_nothing_in_at_most_one_of_twenty_labs(length: int, noise_sd: float) -> None:
    rates = frontier.rule_error_rates([length], noise_sd=noise_sd, freedom=20, series=4000)
    assert rates[(rates["truth"] == "nothing") & (rates["kind"] == "noise")]["share"].iloc[0] >= 0.95


def test_the_verdict_finds_a_step_far_beyond_the_scatter() -> None:
    rates = frontier.rule_error_rates([6], noise_sd=2.0, freedom=20, size=40.0, series=500)
    result = rates[rates["truth"] == rates["kind"]]
    assert (result["share"] > 0.95).all()


def test_the_limit_of_a_change_grows_with_the_releases_and_is_none_where_the_scatter_is_unknown() -> None:
    limits = [float(frontier.change_limit(6.0, 24, n)) for n in (2, 3, 8)]
    assert limits[0] == pytest.approx(6.0 * 2**0.5 * stats.t.ppf(0.975, 24)) and limits == sorted(limits)
    assert np.isinf(frontier.change_limit(np.nan, 0, 5)) and np.isinf(frontier.change_limit(6.0, 24, 1))


@pytest.mark.parametrize("freedom", [None, 20])
def test_without_scatter_the_rule_never_errs(freedom: int | None) -> None:
    rates = frontier.rule_error_rates([5, 9], noise_sd=1e-6, freedom=freedom, series=200)
    right = rates[(rates["truth"] == rates["kind"]) | ((rates["truth"] == "nothing") & (rates["kind"] == "noise"))]
    assert (right["share"] == 1.0).all()
    for _, group in rates[rates["truth"] != "nothing"].groupby(["length", "truth"]):
        assert group["share"].sum() == pytest.approx(1.0)


def test_within_lab_scatter_is_found() -> None:
    rng = np.random.default_rng(2)
    lab = np.repeat([f"lab {i}" for i in range(60)], 10)
    h = rng.normal(0, 20, 60).repeat(10) + rng.normal(0, 6, 600)
    x = np.full(600, 50.0)
    rows = pd.DataFrame({"lab": lab, X: x, Y: 0.513 * x + 46.4 + h})
    assert frontier.within_lab_scatter(rows, chosen=frontier.line("frozen"))[0] == pytest.approx(6.0, abs=0.5)


def test_influence_equals_statsmodels(panel: pd.DataFrame) -> None:
    rows = frontier.frozen_rows(panel)
    judge = sm.OLS(rows[Y].to_numpy(), sm.add_constant(rows[X].to_numpy())).fit().get_influence()
    ours = frontier.influence(rows).set_index("model").loc[rows["model"]]
    assert ours["cooks"].to_numpy() == pytest.approx(judge.cooks_distance[0])
    assert ours["leverage"].to_numpy() == pytest.approx(judge.hat_matrix_diag)
    assert ours["d_slope"].to_numpy() == pytest.approx(judge.dfbeta[:, 1])
    assert ours["d_intercept"].to_numpy() == pytest.approx(judge.dfbeta[:, 0])


def test_headlines_are_the_published_ones(panel: pd.DataFrame) -> None:
    numbers = frontier.headline_numbers(frontier.frozen_rows(panel))
    published = {"r": 0.72, "slope": 0.51, "leave-one-lab-out error": 9.2, "mean h Google": 5.5, "slope DeepSeek": 0.23}
    for name, value in published.items():
        assert numbers.loc[name, "estimate"] == pytest.approx(value, abs=0.05)


def test_one_changed_cell_is_found_with_its_effect(panel: pd.DataFrame) -> None:
    after = panel.copy()
    after.loc[after["model"] == "Claude Sonnet 4.6", Y] = 89.9
    effects = frontier.cell_effects(panel, after)
    assert effects[["model", "benchmark", "before", "after"]].values.tolist() == [["Claude Sonnet 4.6", Y, 74.1, 89.9]]
    assert effects.loc[0, "h_before"] == pytest.approx(-13.1, abs=0.05)
    assert effects.loc[0, "h_after"] == pytest.approx(2.7, abs=0.05)
    r = [np.corrcoef(frame[X], frame[Y])[0, 1] for frame in (panel, after)]
    assert effects.loc[0, "d_r"] == pytest.approx(r[1] - r[0])


def test_a_removed_cell_is_an_effect_too(panel: pd.DataFrame) -> None:
    after = panel.assign(**{X: panel[X].where(panel["model"] != "Grok 4")})
    effects = frontier.cell_effects(panel, after)
    assert effects["model"].tolist() == ["Grok 4"]
    assert np.isnan(effects.loc[0, "after"])


def test_the_same_panel_twice_changes_nothing(panel: pd.DataFrame) -> None:
    effects = frontier.correction_effects(panel, panel, resamples=50)
    assert (effects["change"] == 0).all()
    assert effects.loc[effects["number"] == "r", ["change_low", "change_high"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert frontier.cell_effects(panel, panel).empty
