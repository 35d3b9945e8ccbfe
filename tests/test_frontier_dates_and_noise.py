"""Time, range, compute and noise in x: against statsmodels, scipy and data made with a known answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from cape_lib import frontier, tables

X, Y = "swe_bench_verified", "gpqa_diamond"


@pytest.fixture(scope="module")
def frozen() -> pd.DataFrame:
    return frontier.frozen_rows(tables.frontier("published"))


def test_partial_r_given_date_equals_the_r_of_two_residuals(frozen: pd.DataFrame) -> None:
    design = sm.add_constant((frozen["released"] - frozen["released"].min()).dt.days.to_numpy(float))
    left = [sm.OLS(frozen[c].to_numpy(), design).fit().resid for c in (X, Y)]
    assert frontier.date_confound(frozen)["partial"].estimate == pytest.approx(stats.pearsonr(*left).statistic)


def test_r_within_years_equals_the_r_of_scores_centred_by_year(frozen: pd.DataFrame) -> None:
    year = frozen["released"].dt.year
    left = [frozen[c] - frozen[c].groupby(year).transform("mean") for c in (X, Y)]
    assert frontier.date_confound(frozen)["within_year"].estimate == pytest.approx(stats.pearsonr(*left).statistic)


def test_release_date_takes_most_of_the_published_correlation(frozen: pd.DataFrame) -> None:
    dates = frontier.date_confound(frozen)
    assert dates["partial"].estimate < dates["r"].estimate / 2
    assert dates["partial"].low < 0


def test_two_scores_that_only_grow_with_time_have_no_partial_r() -> None:
    rng = np.random.default_rng(1)
    days = np.sort(rng.uniform(0, 900, 400))
    rows = pd.DataFrame(
        {
            "released": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D"),
            X: days / 20 + rng.normal(0, 3, 400),
            Y: days / 30 + rng.normal(0, 3, 400),
            "lab": np.arange(400) % 20,
        }
    )
    dates = frontier.date_confound(rows)
    assert dates["r"].estimate > 0.8
    assert abs(dates["partial"].estimate) < 0.1
    assert dates["partial"].contains(0.0) and dates["r"].low > 0.7


def test_published_subsets(frozen: pd.DataFrame) -> None:
    table = frontier.subset_correlations(frozen).set_index("subset")
    assert table.loc[["all", "core", "x at least 40", "without compute tiers"], "n"].tolist() == [34, 23, 32, 32]
    assert table.loc["core", "r"] == pytest.approx(0.65, abs=5e-3)
    assert table.loc["x at least 40", "r"] == pytest.approx(0.69, abs=5e-3)
    assert table.loc["without compute tiers", "r"] == pytest.approx(0.72, abs=5e-3)


def test_a_narrower_range_has_a_smaller_r(frozen: pd.DataFrame) -> None:
    cuts = frontier.range_cuts(frozen).set_index("cut")
    assert cuts.loc[75.0, "r"] < 0.3 < 0.6 < cuts.loc[0.0, "r"]
    assert (cuts["n"] >= 4).all()


def test_the_compute_contrast_is_the_published_one_and_uses_one_x_twice(frozen: pd.DataFrame) -> None:
    tiers = frontier.compute_tiers(frozen)
    assert len(tiers) == 1
    assert tiers.loc[0, "dy"] == pytest.approx(7.8)
    assert bool(tiers.loc[0, "same_x"])
    assert tiers.loc[0, "low"] < 7.8 < tiers.loc[0, "high"]


def test_reasoning_on_and_off_are_paired_within_one_party() -> None:
    scores = pd.DataFrame(
        [
            ("A", "one", "judge", 70.0, "A (Non-reasoning)", "other setting"),
            ("A", "one", "judge", 85.0, "A (Reasoning)", "main"),
            ("A", "one", "maker", 90.0, "thinking", "main"),  # another party, without a counterpart
            ("B", "two", "maker", 60.0, "Non-think", "other setting"),
            ("B", "two", "maker", 65.0, "Think Max", "main"),
            ("C", "two", "maker", 50.0, "without extended thinking", "main"),
            ("C", "two", "maker", 99.0, "thinking, later release", "other version"),
        ],
        columns=["model", "lab", "stated_by", "value", "setting", "role"],
    ).assign(benchmark=Y)
    mean, pairs = frontier.effort_contrasts(scores)
    assert pairs[["model", "difference"]].values.tolist() == [["A", 15.0], ["B", 5.0]]
    assert (mean.estimate, mean.n) == (10.0, 2)
    judge = stats.ttest_1samp([15.0, 5.0], 0).confidence_interval(0.95)
    assert (mean.low, mean.high) == pytest.approx((judge.low, judge.high))


def test_reasoning_moves_h_by_more_than_any_lab_mean() -> None:
    mean, pairs = frontier.effort_contrasts(tables.load("frontier_scores"))
    assert mean.n >= 20
    assert mean.low > 5.5
    assert (pairs["difference"] > 0).all()
