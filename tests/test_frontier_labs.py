"""Labs: the published means, slopes and held-out errors; pooling against known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cape_lib import frontier, tables
from cape_lib.errors import MissingError, UsageError

X, Y = "swe_bench_verified", "gpqa_diamond"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return tables.frontier("published")


@pytest.fixture(scope="module")
def frozen(panel: pd.DataFrame) -> pd.DataFrame:
    return frontier.frozen_rows(panel)


def made_labs(slopes: list[float], *, each: int = 12, noise: float = 1.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for i, slope in enumerate(slopes):
        x = rng.uniform(30, 80, each)
        parts.append(pd.DataFrame({"lab": f"lab {i}", X: x, Y: 50 + slope * (x - 55) + rng.normal(0, noise, each)}))
    return pd.concat(parts, ignore_index=True).assign(subset="core")


def test_core_means_are_the_published_ones(panel: pd.DataFrame) -> None:
    means = frontier.lab_means(panel).set_index("lab")["mean"]
    published = {"Google": 5.5, "OpenAI": 3.1, "DeepSeek": 1.9, "Anthropic": -6.9, "Alibaba": 2.8, "Meta": 2.4}
    assert {lab: round(float(means[lab]), 1) for lab in published} == published


def test_interval_of_a_mean_equals_scipy(panel: pd.DataFrame) -> None:
    rows = frontier.frozen_rows(panel)
    fitted = frontier.fit_line(rows)
    core = rows[(rows["lab"] == "OpenAI") & (rows["subset"] == "core")]
    h = core[Y] - fitted.at(core[X])
    judge = stats.ttest_1samp(h, 0).confidence_interval(0.95)
    ours = frontier.lab_means(panel).set_index("lab").loc["OpenAI"]
    assert (ours["low"], ours["high"]) == pytest.approx((judge.low, judge.high))


def test_google_is_not_on_one_side_once_every_release_counts(panel: pd.DataFrame) -> None:
    assert frontier.lab_means(panel).set_index("lab").loc["Google", "same_sign"]
    assert not frontier.lab_means(panel, core_only=False).set_index("lab").loc["Google", "same_sign"]


def test_a_lab_with_one_model_has_no_interval(panel: pd.DataFrame) -> None:
    assert np.isnan(frontier.lab_means(panel).set_index("lab").loc["Meta", "low"])


def test_held_out_labs_give_the_published_errors(frozen: pd.DataFrame) -> None:
    mean, by_lab = frontier.leave_one_lab_out(frozen)
    assert mean.estimate == pytest.approx(9.2, abs=0.05)
    assert mean.n == 4
    assert by_lab["error"].std(ddof=0) == pytest.approx(2.4, abs=0.1)
    assert by_lab.set_index("lab")["error"].round(1).to_dict() == {
        "OpenAI": 6.6,
        "Google": 7.3,
        "DeepSeek": 10.6,
        "Anthropic": 12.4,
    }


def test_published_slopes(frozen: pd.DataFrame) -> None:
    slopes = frontier.lab_slopes(frozen).set_index("lab")
    assert slopes.loc["Google", "slope"] == pytest.approx(1.15, abs=5e-3)
    assert slopes.loc["DeepSeek", "slope"] == pytest.approx(0.23, abs=5e-3)
    assert (slopes.loc[slopes["n"] >= 4, "r"] >= 0.866).all()


def test_intervals_of_slopes_equal_scipy(frozen: pd.DataFrame) -> None:
    rows = frozen[frozen["lab"] == "Google"]
    judge = stats.linregress(rows[X], rows[Y])
    half = stats.t.ppf(0.975, len(rows) - 2) * judge.stderr
    ours = frontier.lab_slopes(frozen).set_index("lab").loc["Google"]
    assert (ours["low"], ours["high"]) == pytest.approx((judge.slope - half, judge.slope + half))


def test_equal_labs_are_pooled_completely_and_different_ones_hardly() -> None:
    same = frontier.lab_slopes(made_labs([0.5, 0.5, 0.5, 0.5], noise=4.0))
    apart = frontier.lab_slopes(made_labs([0.0, 0.5, 1.0, 1.5], noise=0.3))
    assert frontier.heterogeneity(same).p > 0.05
    assert frontier.shrunken_slopes(same)["shrunk"].std() < 0.6 * same["slope"].std()
    assert frontier.heterogeneity(apart).p < 1e-6
    assert frontier.shrunken_slopes(apart)["own_weight"].min() > 0.98


def test_shrunken_slope_lies_between_its_own_and_the_common_one(frozen: pd.DataFrame) -> None:
    slopes = frontier.shrunken_slopes(frontier.lab_slopes(frozen))
    common = frontier.heterogeneity(slopes).common
    low, high = np.minimum(slopes["slope"], common), np.maximum(slopes["slope"], common)
    assert ((slopes["shrunk"] >= low) & (slopes["shrunk"] <= high)).all()


def test_cochran_q_of_three_slopes_by_hand() -> None:
    slopes = pd.DataFrame({"slope": [1.0, 2.0, 3.0], "standard_error": [1.0, 1.0, 1.0], "n": 3})
    spread = frontier.heterogeneity(frontier.known_errors(slopes))
    assert (spread.q, spread.freedom, spread.common) == pytest.approx((2.0, 2, 2.0))
    assert spread.p == pytest.approx(stats.chi2.sf(2.0, 2))
    assert spread.tau == 0.0


def test_comparing_one_slope_is_refused() -> None:
    with pytest.raises(MissingError, match="two labs"):
        frontier.heterogeneity(pd.DataFrame({"slope": [1.0], "pooled_error": [1.0], "freedom": [3]}))


@pytest.mark.slow
def test_shuffled_labs_find_a_difference_that_is_there_and_none_that_is_not() -> None:
    rows = made_labs([0.5] * 4, noise=2.0, seed=2)
    shifted = rows.assign(**{Y: rows[Y] + rows["lab"].map({"lab 0": 15, "lab 1": 0, "lab 2": 0, "lab 3": -15})})
    question = "do labs differ in h?"
    assert frontier.lab_permutation(rows, resamples=999).set_index("question").loc[question, "p"] > 0.05
    assert frontier.lab_permutation(shifted, resamples=999).set_index("question").loc[question, "p"] == 0.001


def test_unknown_lab_names_the_nearest(panel: pd.DataFrame) -> None:
    assert frontier.check_lab(panel, "google") == "Google"
    with pytest.raises(UsageError, match="Google"):
        frontier.check_lab(panel, "Gogle")


def test_the_slope_test_is_the_analysis_of_covariance_of_statsmodels() -> None:
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    frame = frontier.frozen_rows(tables.frontier("published"))
    rows = frame[frame.groupby("lab")["lab"].transform("size") >= 3]
    parallel = smf.ols("gpqa_diamond ~ C(lab) + swe_bench_verified", rows).fit()
    own = smf.ols("gpqa_diamond ~ C(lab) * swe_bench_verified", rows).fit()
    known = anova_lm(parallel, own).iloc[1]
    result = frontier.heterogeneity(frontier.lab_slopes(frame))
    assert result.f == pytest.approx(known["F"], rel=1e-9) and result.p == pytest.approx(known["Pr(>F)"], rel=1e-9)


@pytest.mark.slow
def test_equal_slopes_are_called_different_no_more_than_one_time_in_twenty() -> None:
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(400):
        x = rng.uniform(40, 80, 16)
        frame = pd.DataFrame({"lab": np.repeat(list("abcd"), 4), "swe_bench_verified": x})
        frame["gpqa_diamond"] = 30 + 0.5 * x + rng.normal(0, 6, 16)
        wrong += frontier.heterogeneity(frontier.lab_slopes(frame)).p < 0.05
    assert wrong <= 0.08 * 400


def test_the_frontier_r_leaves_labs_out_on_fishers_scale(frozen: pd.DataFrame) -> None:
    r = frontier.lab_r(frozen)
    left = [np.arctanh(frozen[frozen["lab"] != lab][[X, Y]].corr().iloc[0, 1]) for lab in frozen["lab"].unique()]
    k = len(left)
    se = np.sqrt((k - 1) / k * ((np.array(left) - np.mean(left)) ** 2).sum())
    ends = np.tanh(np.arctanh(r.estimate) + stats.t.ppf([0.025, 0.975], k - 2) * se)
    assert (r.low, r.high) == pytest.approx(tuple(ends), rel=1e-6)
    assert (r.low, r.high) == pytest.approx((0.35, 0.90), abs=0.005)


def test_the_line_of_a_panel_has_intervals_of_labs_and_below_eight_labs_those_of_rows(frozen: pd.DataFrame) -> None:
    line, plain = frontier.lab_line(frozen), frontier.fit_line(frozen).fit
    assert [line[name].estimate for name in ("slope", "intercept")] == [plain.slope.estimate, plain.intercept.estimate]
    assert line["slope"].high - line["slope"].low > plain.slope.high - plain.slope.low
    few = frozen[frozen["lab"].isin(["OpenAI", "Google", "Anthropic"])]
    assert frontier.lab_line(few)["slope"] == frontier.fit_line(few).fit.slope


@pytest.mark.slow
def test_the_test_under_the_table_of_labs_is_made_of_the_rows_of_the_table(frozen: pd.DataFrame) -> None:
    means, tests = frontier.lab_means(frozen), frontier.lab_permutation(frozen).set_index("question")
    assert set(tests["n"]) == {int(means["n"].sum())}
    assert 0.03 < tests.loc["do labs differ in h?", "p"] < 0.06
    everything = frontier.lab_permutation(frozen, core_only=False).set_index("question")
    assert 0.12 < everything.loc["do labs differ in h?", "p"] < 0.17
    assert (tests["p_corrected"] >= tests["p"]).all()


@pytest.mark.slow
def test_a_spread_of_labs_said_to_be_seen_is_seen_in_four_of_five_panels() -> None:
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(6), 5)
    seen = frontier.labs.seen_between(np.full(6, 5), 5, 24)
    p = [
        stats.f_oneway(*(v[groups == g] for g in range(6))).pvalue
        for v in (rng.normal(0, seen, 6)[groups] + rng.normal(0, 1, 30) for _ in range(1500))
    ]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.8, abs=0.035)


def test_the_change_of_a_panel_leaves_labs_out_from_eight_labs_on(panel: pd.DataFrame) -> None:
    after = tables.frontier("corrected")
    one = frontier.correction_effects(panel, after, resamples=50).set_index("number").loc["r"]
    both = panel.merge(after, on="model", suffixes=("", "_b")).dropna(subset=[X, Y, f"{X}_b", f"{Y}_b"])

    def change(rows: pd.DataFrame) -> float:
        return float(rows[f"{X}_b"].corr(rows[f"{Y}_b"]) - rows[X].corr(rows[Y]))

    left = np.array([change(both[both["lab"] != lab]) for lab in both["lab"].unique()])
    k = len(left)
    half = stats.t.ppf(0.975, k - 2) * np.sqrt((k - 1) / k * ((left - left.mean()) ** 2).sum())
    assert one[["change_low", "change_high"]].tolist() == pytest.approx([change(both) - half, change(both) + half])
    few = [rows[rows["lab"].isin(["Google", "OpenAI", "DeepSeek", "Anthropic"])] for rows in (panel, after)]
    drawn = frontier.correction_effects(*few, resamples=50).set_index("number").loc["r"]
    assert (one["change_method"], drawn["change_method"]) == (
        f"{k} labs, each left out in turn",
        "releases drawn again",
    )
