"""Intervals and random draws against scipy, statsmodels, brute force and what must hold for any data."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.api import OLS, add_constant
from statsmodels.stats.proportion import proportion_confint

from cape_lib import stats as rs
from cape_lib.errors import MissingError, ScoresError

SCORES = st.floats(0.0, 100.0, allow_nan=False)
STEPS = st.floats(-50.0, 50.0, allow_nan=False)
VARIANCES = st.floats(0.01, 9.0)
PAIRS = st.lists(st.tuples(SCORES, SCORES), min_size=4, max_size=25)


def columns(pairs):
    return np.array(pairs).T


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_equals_statsmodels(k, more):
    n = k + more
    result = rs.wilson(k, n)
    assert (result.low, result.high) == pytest.approx(proportion_confint(k, n, 0.05, method="wilson"), abs=1e-12)


def test_wilson_of_no_trials_is_everything():
    assert (rs.wilson(0, 0).low, rs.wilson(0, 0).high) == (0.0, 1.0)


@given(PAIRS)
def test_pearson_equals_scipy(pairs):
    x, y = columns(pairs)
    assume(np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3)
    result, known = rs.pearson(x, y), stats.pearsonr(x, y)
    assert result.estimate == pytest.approx(known.statistic, abs=1e-9)
    if abs(known.statistic) < 1 - 1e-9:
        interval = known.confidence_interval()
        assert (result.low, result.high) == pytest.approx((interval.low, interval.high), abs=1e-7)


def test_partial_r_equals_the_matrix_formula_and_its_interval_loses_one_observation():
    rng = np.random.default_rng(3)
    data = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    precision = np.linalg.inv(np.cov(data.T))
    known = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    result = rs.pearson(data[:, 0], data[:, 1], given=data[:, 2])
    half = stats.norm.ppf(0.975) / np.sqrt(40 - 3 - 1)
    assert result.estimate == pytest.approx(known, abs=1e-12)
    assert (result.low, result.high) == pytest.approx(tuple(np.tanh(np.arctanh(known) + np.array([-half, half]))))


def test_nothing_is_left_of_a_score_that_size_explains():
    size = np.arange(8.0)
    assert np.isnan(rs.pearson(3 * size + 2, np.cos(size), given=size).estimate)


@given(PAIRS, st.floats(-1.0, 101.0))
def test_line_equals_statsmodels_with_its_prediction_interval(pairs, at):
    x, y = columns(pairs)
    assume(np.ptp(x) > 1.0 and np.ptp(y) > 1.0)
    line, known = rs.ols(x, y), OLS(y, add_constant(x)).fit()
    assert (line.intercept.estimate, line.slope.estimate) == pytest.approx(tuple(known.params), rel=1e-6, abs=1e-6)
    assert np.array([line.intercept.low, line.slope.low]) == pytest.approx(known.conf_int()[:, 0], rel=1e-5, abs=1e-5)
    frame = known.get_prediction([[1.0, at]]).summary_frame()
    expected = frame[["obs_ci_lower", "obs_ci_upper"]].to_numpy()[0]
    assert line.at(at) + line.half(at) * np.array([-1, 1]) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_a_line_through_equal_x_is_refused_and_one_row_is_too_few():
    with pytest.raises(ScoresError, match="two different values of x"):
        rs.ols([5, 5, 5], [1, 2, 3])
    with pytest.raises(MissingError, match="two complete rows"):
        rs.ols([5, np.nan], [1, 2])


def fieller(dy: float, dx: float, **noise: float) -> rs.Estimate:
    low, high = rs.fieller_limits(dy, dx, **noise)
    return rs.Estimate(dy / dx if dx else np.nan, float(low), float(high), 2, "Fieller")


@given(STEPS, STEPS, VARIANCES, VARIANCES, st.floats(-0.9, 0.9), st.floats(-5, 5))
def test_fieller_holds_a_ratio_exactly_where_its_contrast_is_within_the_noise(dy, dx, vy, vx, r, g):
    cov = r * np.sqrt(vy * vx)
    gap = abs(dy - g * dx) - stats.norm.ppf(0.975) * np.sqrt(vy - 2 * g * cov + g * g * vx)
    assume(abs(gap) > 1e-6)
    assert fieller(dy, dx, var_dy=vy, var_dx=vx, cov=cov).contains(g) == (gap < 0)


def test_fieller_has_three_shapes():
    bounded = fieller(-1.0, 2.0, var_dy=0.1, var_dx=0.1)
    gap = fieller(-1.0, 0.2, var_dy=0.1, var_dx=0.1)
    every = fieller(-0.1, 0.2, var_dy=0.1, var_dx=0.1)
    assert bounded.bounded and bounded.low < -0.5 < bounded.high
    assert gap.outside and gap.contains(-5) and gap.contains(1e9) and not gap.contains(0.0)
    assert every.contains(-1e12) and every.contains(1e12) and not every.bounded


@given(STEPS, STEPS, VARIANCES, VARIANCES, st.floats(-0.95, 0.95), st.floats(-5, 5))
def test_probability_of_a_ratio_equals_the_bivariate_normal(dy, dx, vy, vx, r, g):
    cov = r * np.sqrt(vy * vx)
    mean = np.array([dy - g * dx, dx])
    matrix = np.array([[vy - 2 * g * cov + g * g * vx, cov - g * vx], [cov - g * vx, vx]])
    both = stats.multivariate_normal(mean, matrix, allow_singular=True).cdf([0.0, 0.0])
    single = stats.norm.cdf(-mean / np.sqrt(np.diag(matrix))).sum()
    result = rs.ratio_below(g, dy, dx, var_dy=vy, var_dx=vx, cov=cov)
    assert float(result) == pytest.approx(single - 2 * both, abs=2e-5)


def test_owens_function_by_gauss_legendre_gives_the_probability_in_any_language():
    nodes, weights = np.polynomial.legendre.leggauss(48)

    def small(h, a):
        end = min(np.arctan(a), np.arctan(8 / h))
        angle = end * (nodes + 1) / 2
        return end / 2 * weights @ np.exp(-(h**2) / (2 * np.cos(angle) ** 2)) / (2 * np.pi)

    def owen(h, a):
        h, steep = abs(h), abs(a)
        if steep <= 1:
            return np.sign(a) * small(h, steep)
        p, q = stats.norm.cdf([h, steep * h])
        return np.sign(a) * ((p + q) / 2 - p * q - small(steep * h, 1 / steep))

    rng = np.random.default_rng(0)
    for dy, dx, g in rng.normal(scale=3, size=(200, 3)):
        vy, vx = rng.uniform(0.05, 4, size=2)
        sd_u, sd_v = np.sqrt(vy + g * g * vx), np.sqrt(vx)
        h, k, rho = (dy - g * dx) / sd_u, dx / sd_v, -g * vx / (sd_u * sd_v)
        s = np.sqrt(1 - rho * rho)
        p = float(h * k < 0) + 2 * owen(h, (k / h - rho) / s) + 2 * owen(k, (h / k - rho) / s)
        assert p == pytest.approx(float(rs.ratio_below(g, dy, dx, var_dy=vy, var_dx=vx)), abs=1e-11)


@pytest.mark.parametrize(
    ("dy", "dx", "vy", "vx", "g", "expected"),
    [
        (0.0, 1.0, 1.0, 1e-12, 0.0, 0.5),  # no change of y: a coin
        (1.0, 1.0, 0.0, 0.0, 2.0, 1.0),  # no noise: the sign decides
        (1.0, 1.0, 0.0, 0.0, 0.5, 0.0),
        (0.0, 0.0, 1.0, 1.0, 0.0, 0.5),  # nothing known
        (2.0, 1.0, 0.0, 1.0, 0.0, stats.norm.cdf(-1.0)),  # only dx may change sign
    ],
)
def test_probability_at_the_edges(dy, dx, vy, vx, g, expected):
    assert float(rs.ratio_below(g, dy, dx, var_dy=vy, var_dx=vx)) == pytest.approx(expected, abs=1e-9)


def test_unknown_noise_gives_no_interval_and_no_probability():
    assert np.isnan(rs.score_sd([50.0], "a benchmark of my own")).all()
    assert np.isnan(rs.ratio_below(0.0, 1.0, 1.0, var_dy=np.nan, var_dx=1.0))
    result = fieller(1.0, 1.0, var_dy=np.nan, var_dx=1.0)
    assert np.isnan(result.low) and not result.contains(1.0)


def test_score_noise_is_binomial_and_never_zero():
    assert float(rs.score_sd(50.0, "truthfulqa")) == pytest.approx(100 * np.sqrt(0.25 / 817))
    assert float(rs.score_sd(100.0, "gpqa_diamond")) > 0
    assert float(rs.score_sd(40.0, items=1000)) == pytest.approx(100 * np.sqrt(0.24 / 1000))


def test_the_harness_noise_is_used_where_it_is_given():
    frame = pd.DataFrame({"hellaswag": [50.0, 60.0], "hellaswag_stderr": [0.3, np.nan]})
    assert rs.score_noise(frame, "hellaswag") == pytest.approx([0.3, float(rs.score_sd(60.0, "hellaswag"))])


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(0, 2**20))
def test_resampled_families_come_whole_and_shuffles_stay_inside(labels, seed):
    names = np.array(labels)
    counts = rs.cluster_bootstrap_counts(names, 20, rs.generator(seed))
    shuffled = rs.permutations_within(names, 20, rs.generator(seed))
    for name in set(labels):
        assert (np.ptp(counts[:, names == name], axis=1) == 0).all()
    clusters = np.unique(names, return_index=True)[1]
    assert (counts[:, clusters].sum(axis=1) == clusters.size).all()
    assert (names[shuffled] == names).all()
    assert (np.sort(shuffled, axis=1) == np.arange(names.size)).all()


def test_a_missing_family_is_a_family_of_its_own():
    counts = rs.cluster_bootstrap_counts(["a", None, None], 500, rs.generator(0))
    assert (counts[:, 1] != counts[:, 2]).any() and counts.sum(axis=1).min() == 3


def test_the_fixed_draws_are_lehmers_sequence_normal_and_free_of_each_other():
    states = [123456789]
    while len(states) < 1500:
        states.append(states[-1] * 48271 % (2**31 - 1))
    z = rs.fixed_normals(40)
    half = stats.norm.ppf(np.array(states).reshape(3, 500).T / (2**31 - 1))
    assert z[:500, :3] == pytest.approx(half, rel=1e-12)
    assert np.array_equal(z[500:], -z[:500]) and np.array_equal(rs.fixed_normals(100)[:, :40], z)
    assert min(stats.kstest(column[:500], "norm").pvalue for column in z.T) > 0.01 / 40
    correlations = np.corrcoef(z[:500].T)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(500)


def test_counts_say_how_often_a_row_is_drawn():
    counts = rs.row_bootstrap_counts(6, 4, rs.generator(7))
    rows = np.random.default_rng(7).integers(0, 6, size=(4, 6))
    assert np.array_equal(counts, [np.bincount(row, minlength=6) for row in rows])


def test_weighted_r_equals_r_of_the_gathered_rows():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 15))
    counts = rs.row_bootstrap_counts(15, 50, rs.generator(2))
    rows = np.array([np.repeat(np.arange(15), drawn) for drawn in counts])
    assert rs.pearson_rows(x, y, counts) == pytest.approx(rs.pearson_rows(x[rows], y[rows]), abs=1e-12)


def test_noise_shared_by_all_models_leaves_their_differences_alone():
    draws = rs.noisy_scores([40.0, 60.0], [2.0, 2.0], 200, rs.generator(0), correlation=1.0)
    assert np.diff(draws, axis=1) == pytest.approx(np.full((200, 1), 20.0))
    assert rs.noisy_scores([40.0], [2.0], 40_000, rs.generator(0)).std() == pytest.approx(2.0, rel=0.02)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.sampled_from(["two-sided", "less", "greater"]))
def test_the_p_of_exchanged_signs_counts_all_of_them(values, alternative):
    sums = [np.dot(values, signs) for signs in itertools.product((1, -1), repeat=len(values))]
    far = {"two-sided": abs, "greater": lambda v: v, "less": lambda v: -v}[alternative]
    expected = np.mean([far(one) >= far(sum(values)) for one in sums])
    assert rs.sign_flip_p(values, alternative) == pytest.approx(expected)


def test_the_p_of_many_exchanged_signs_is_drawn_and_near_the_normal_one():
    values = np.r_[np.ones(30), -np.ones(20)]
    exact = stats.binomtest(30, 50).pvalue
    assert rs.sign_flip_p(values) == pytest.approx(exact, abs=0.01)
    assert rs.sign_flip_p(np.ones(5)) == 2 / 2**5 and rs.sign_flip_p(np.ones(17), "greater") == 2.0**-17


def test_permutation_p_counts_ties_and_is_never_zero():
    draws = np.array([0.1, -0.5, 0.5, 0.2])
    assert rs.permutation_p(0.5, draws) == pytest.approx(3 / 5)
    assert rs.permutation_p(0.5, draws, "greater") == pytest.approx(2 / 5)
    assert rs.permutation_p(-0.9, draws, "less") == pytest.approx(1 / 5)
    assert np.isnan(rs.permutation_p(0.5, [np.nan]))


def test_an_interval_of_draws_may_end_beyond_every_size():
    assert rs.percentile_interval([1.0] * 50 + [np.inf] * 50) == (1.0, np.inf)
    assert rs.percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert np.isnan(rs.percentile_interval([np.nan])).all()


@given(PAIRS, st.floats(0.1, 50), st.floats(-20, 20), st.randoms())
def test_r_does_not_know_units_or_the_order_of_rows(pairs, factor, shift, random):
    x, y = columns(pairs)
    assume(np.ptp(x) > 1e-2 and np.ptp(y) > 1e-2)
    order = list(range(len(pairs)))
    random.shuffle(order)
    first, second = rs.pearson(x, y), rs.pearson(factor * x[order] + shift, y[order])
    assert first.estimate == pytest.approx(second.estimate, abs=1e-7)


@given(PAIRS)
def test_no_function_changes_its_input(pairs):
    x, y = columns(pairs)
    before = x.copy(), y.copy()
    rs.pearson(x, y), rs.pearson(x, y, given=x + y), rs.score_sd(x, "mmlu"), rs.pearson_rows(x, y)
    assert (x == before[0]).all() and (y == before[1]).all()


def test_a_constant_column_has_no_r_and_no_warning(recwarn):
    assert np.isnan(rs.pearson([1, 2, 3, 4], [7.1, 7.1, 7.1, 7.1]).estimate)
    assert np.isnan(rs.pearson([1, 2], [3, np.nan]).estimate)
    assert not recwarn.list


def test_an_estimate_says_what_it_is():
    assert str(rs.Estimate(0.5, 0.1, 0.9, 8, "Fisher z")) == "0.5 [0.1, 0.9] (n = 8; Fisher z)"
    assert "up to -1 or from 2" in str(rs.Estimate(-5, 2.0, -1.0, 2, "Fieller"))
    assert "any value" in str(rs.Estimate(0, -np.inf, np.inf, 2, "Fieller"))
    assert "no interval" in str(rs.Estimate(0, np.nan, np.nan, 2, "x"))


def test_a_mean_with_clusters_left_out_has_the_jackknife_error_of_their_sums():
    rng = np.random.default_rng(5)
    y, family = rng.normal(size=40), np.repeat(np.arange(10), 4)
    interval = rs.clustered(np.mean, y, clusters=family)
    means = y.reshape(10, 4).mean(axis=1)  # equal clusters: the mean of their means
    half = stats.t.ppf(0.975, 8) * means.std(ddof=1) / np.sqrt(10)
    assert (interval.low, interval.high) == pytest.approx((y.mean() - half, y.mean() + half))


def test_a_clustered_slope_is_wider_where_errors_are_shared_and_near_statsmodels():
    rng = np.random.default_rng(7)
    family = np.repeat(np.arange(30), 6)
    x = rng.normal(size=180) + rng.normal(size=30)[family]
    y = 0.5 * x + 2 * rng.normal(size=30)[family] + rng.normal(size=180)
    interval = rs.clustered(lambda a, b: rs.ols(a, b).slope.estimate, x, y, clusters=family)
    plain = rs.ols(x, y).slope
    robust = OLS(y, add_constant(x)).fit(cov_type="cluster", cov_kwds={"groups": family}, use_t=True)
    width = interval.high - interval.low
    assert width > 1.2 * (plain.high - plain.low)
    assert width == pytest.approx(np.ptp(robust.conf_int()[1]), rel=0.15) and width > np.ptp(robust.conf_int()[1])


def test_clusters_are_left_out_of_a_correlation_from_eight_on():
    rng = np.random.default_rng(1)
    x, y, size = rng.normal(size=(3, 24))
    seven, eight = np.arange(24) % 7, np.arange(24) % 8
    assert rs.clustered_r(x, y, seven) == rs.pearson(x, y)
    assert "8 labs" in rs.clustered_r(x, y, eight, unit="labs").method
    assert np.isnan(rs.clustered_r(x, y, seven, fallback=False).low)
    partial = rs.clustered_r(x, y, eight, given=np.column_stack([size, x**2]))
    assert partial.estimate == pytest.approx(rs.pearson(x, y, given=np.column_stack([size, x**2])).estimate)
    # A missing label is a cluster of its own; a missing score is no row.
    assert rs.labels_to_codes(["a", None, "a", None])[1] == 3
    assert rs.clustered_r(np.append(x, np.nan), np.append(y, 1.0), np.append(eight, 0)).n == 24


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_correction_keeps_order_and_leaves_a_missing_p_out(method):
    p = np.array([0.01, np.nan, 0.04, 0.03])
    expected = {"holm": [0.03, np.nan, 0.06, 0.06], "fdr_bh": [0.03, np.nan, 0.04, 0.04]}[method]
    assert rs.corrected(p, method) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(rs.corrected([np.nan])).all()


@given(st.floats(0.0, 1.0))
def test_no_p_value_prints_as_zero_or_one_and_each_says_its_side(p):
    text = rs.p_text(p)
    assert text.endswith(", two-sided") and "0.00," not in text and "0.000" not in text and "1.0" not in text
    shown = float(text.split()[2].rstrip(","))
    assert abs(shown - p) < 0.0101


def test_p_in_words():
    assert rs.p_text(0.0159) == "p = 0.016, two-sided"
    assert rs.p_text(0.0001, "less", correction="Holm") == "p < 0.001, one-sided, after Holm's correction"
    assert [rs.p_short(p) for p in (0.0159, 0.31, 1e-9, 1.0)] == ["0.016", "0.31", "< 0.001", "> 0.99"]
    assert rs.p_text(0.31, "") == "p = 0.31" and rs.p_text(float("nan")) == "p not known"


def test_an_effect_of_the_size_that_would_be_seen_is_seen_in_four_of_five():
    rng = np.random.default_rng(11)
    effect = rs.seen_effect(rs.normal_estimate(0.1, 0.4, 1))
    assert np.mean(np.abs(effect + 0.4 * rng.normal(size=20_000)) > 1.96 * 0.4) == pytest.approx(0.8, abs=0.01)
    assert rs.seen_difference(0.4) == pytest.approx(effect)
    seven = rs.seen_difference(0.4, tests=7)
    limit = stats.norm.ppf(1 - 0.025 / 7)
    assert np.mean(np.abs(seven + 0.4 * rng.normal(size=20_000)) > limit * 0.4) == pytest.approx(0.8, abs=0.01)
    r = rs.seen_effect(rs.fisher(0.05, 40), scale="fisher")
    pairs = rng.normal(size=(2, 4000, 40))
    drawn = rs.pearson_rows(pairs[0], r * pairs[0] + np.sqrt(1 - r * r) * pairs[1])
    assert np.mean([not rs.fisher(float(v), 40).contains(0.0) for v in drawn]) == pytest.approx(0.8, abs=0.02)
    assert np.isnan(rs.seen_effect(rs.fisher(0.3, 3)))


def test_the_share_and_the_signs_that_would_be_seen():
    assert (1 - rs.seen_share(10)) ** 10 == pytest.approx(0.2)
    assert np.isnan(rs.seen_signs(5)) and rs.seen_signs(6) == pytest.approx(0.8 ** (1 / 6), abs=0.002)
    share = rs.seen_signs(20)
    chance = sum(stats.binom.pmf(k, 20, share) for k in range(21) if stats.binomtest(k, 20).pvalue <= 0.05 and k > 10)
    assert chance == pytest.approx(0.8, abs=0.01)


def test_a_mixture_has_its_tails_where_its_draws_have_them():
    weight, mean, sd = np.array([1.0, 3.0]), np.array([-2.0, 1.0]), np.array([0.5, 2.0])
    low, high = rs.mixture_interval(weight, mean, sd)
    tails = [float(weight @ stats.norm.cdf(end, mean, sd)) / 4 for end in (low, high)]
    assert tails == pytest.approx([0.025, 0.975], abs=1e-9)
    alone = rs.mixture_interval(np.ones(1), np.zeros(1), np.ones(1), freedom=7)
    assert alone == pytest.approx(stats.t.interval(0.95, 7), abs=1e-9)
