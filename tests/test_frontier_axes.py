"""Curves, saturation and the matrix of four benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies

from cape_lib import frontier, stats, tables
from cape_lib.errors import MissingError, UsageError
from cape_lib.frontier.saturation import spread_without_noise

X, Y = "swe_bench_verified", "gpqa_diamond"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return tables.frontier("published")


@pytest.fixture(scope="module")
def four() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ability = rng.normal(0, 1, 20)
    shape = {X: (80, 5), Y: (85, 5), "hle": (30, 9), "ifeval": (92, 2)}
    columns = {name: middle + size * (ability + rng.normal(0, 1, 20)) for name, (middle, size) in shape.items()}
    return pd.DataFrame({"model": [f"m{i:02}" for i in range(20)], "lab": "one", **columns})


def test_the_curve_at_80_percent_is_at_64() -> None:
    assert float(stats.isocline(80.0, 0.513)) == pytest.approx(64.06, abs=0.01)


@given(strategies.floats(0, 100), strategies.floats(1e-9, 1))
def test_the_curve_is_a_root_of_fractions(score: float, ratio: float) -> None:
    critical = float(stats.isocline(score, ratio))
    assert (critical / 100) ** 2 == pytest.approx(ratio * score / 100, abs=1e-12)


def test_a_negative_ratio_is_refused() -> None:
    with pytest.raises(UsageError, match="above 0"):
        stats.isocline(50.0, -0.1)


def test_nearly_every_release_is_above_the_frontier_curve(panel: pd.DataFrame) -> None:
    beside = frontier.beside_curve(panel)
    assert (~beside["above"]).sum() == 1
    assert beside.loc[~beside["above"], "model"].item() == "Claude 3.5 Haiku"


def test_the_curve_foretells_no_better_than_always_together(panel: pd.DataFrame) -> None:
    steps = frontier.next_steps(panel)
    shares = frontier.curve_score(steps)
    assert shares["curve"].estimate <= shares["always together"].estimate
    assert shares["curve"].n == len(steps)
    assert (steps["dx"] != 0).all()


def test_published_spreads_of_the_top_five(panel: pd.DataFrame) -> None:
    s = frontier.saturation(frontier.frozen_rows(panel))
    assert s.spread_old == pytest.approx(0.9)  # printed as 1.3
    assert s.spread_new == pytest.approx(9.1)
    assert s.rotate


def test_one_later_release_takes_the_saturation_back(panel: pd.DataFrame) -> None:
    assert not frontier.saturation(panel).rotate


def test_five_equal_models_lie_apart_by_more_than_the_papers_limit_for_saturation() -> None:
    # Range of five normal values: 2.326 standard deviations.
    sd = 100 * np.sqrt(0.8 * 0.2 / 500)
    assert frontier.noise_spread(80.0, X) == pytest.approx(2.326 * sd, rel=0.03)
    assert frontier.noise_spread(80.0, X) > 2.0


def test_a_spread_that_noise_alone_gives_may_be_nothing_and_one_beyond_it_may_not() -> None:
    rows = pd.DataFrame({"model": list("abcdefgh"), "lab": list("abcdefgh"), Y: np.linspace(40.0, 90.0, 8)})
    for step, nothing in ((0.5, True), (5.0, False)):
        measured = 4 * step
        draws = frontier.spread_draws(rows.assign(**{X: 80.0 - step * np.arange(8)}), X, (X, Y), k=5)[X]
        low, high = frontier.spread_interval(draws, measured)
        assert (low == 0) is nothing and low <= measured <= high
        assert np.median(draws[0]) == pytest.approx(measured, rel=0.05) or nothing


def test_no_interval_of_a_spread_is_right_95_times_in_a_hundred_for_five_equal_models_and_for_eight() -> None:
    rng = np.random.default_rng(7)

    def range_of_the_best(models: int) -> np.ndarray:
        return np.ptp(np.sort(rng.standard_normal((40_000, models)), axis=1)[:, -5:], axis=1)

    five, eight = range_of_the_best(5), range_of_the_best(8)
    # Zero is the truth in both: only an interval that begins above it is wrong.
    assert np.mean(eight > np.quantile(five, 0.95)) < 0.005
    assert np.mean(five > np.quantile(eight, 0.95)) > 0.2


def test_noise_added_to_a_spread_that_it_was_taken_off_gives_the_measured_one_again() -> None:
    scores = np.array([80.0, 79.0, 77.5, 77.0, 70.0])
    noise = np.random.default_rng(3).normal(0.0, 3.0, (300, 5))
    narrow = spread_without_noise(scores, noise)
    alone, factor = np.ptp(noise, axis=1), narrow / 10.0
    again = np.ptp(factor[:, None] * scores + noise, axis=1)
    assert again[factor > 0] == pytest.approx(10.0)
    assert (alone[factor == 0] >= 10.0).all() and 0 < np.mean(factor == 0) < 0.5


def test_a_better_model_without_the_new_score_is_named(four: pd.DataFrame) -> None:
    best = four.sort_values(X, ascending=False)["model"].iloc[0]
    without = four.assign(**{Y: four[Y].where(four["model"] != best)})
    assert frontier.saturation(without).skipped == (best,)


def test_too_few_models_for_a_top_five(four: pd.DataFrame) -> None:
    with pytest.raises(MissingError, match="top 5"):
        frontier.saturation(four.head(4))


def test_rotation_says_where_there_are_too_few(panel: pd.DataFrame, four: pd.DataFrame) -> None:
    table = frontier.rotation(panel).set_index(["old", "new"])
    assert table.loc[(X, "hle"), "advice"] == "too few"
    everything = frontier.rotation(four)
    assert len(everything) == 12
    assert set(everything["advice"]) <= {"keep", "rotate", "rotate, not certain"}


def test_the_published_matrix_cannot_exist() -> None:
    matrix = frontier.published_matrix()
    assert (matrix == matrix.T).all(axis=None) and (np.diag(matrix) == 1).all()
    assert np.linalg.eigvalsh(matrix).min() < -0.1


def test_pair_by_pair_counts_its_own_models(four: pd.DataFrame) -> None:
    gaps = four.assign(hle=four["hle"].where(np.arange(20) % 3 > 0))
    table = frontier.pair_table(gaps).set_index(["first", "second"])
    assert (table.loc[(X, Y), "n"], table.loc[(X, Y), "n_complete"]) == (20, 13)
    complete = gaps.dropna()
    assert table.loc[(X, "hle"), "r_complete"] == pytest.approx(np.corrcoef(complete[X], complete["hle"])[0, 1])
