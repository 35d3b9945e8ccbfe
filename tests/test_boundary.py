"""Critical scales and isoclines: published numbers, planted boundaries, nulls without one, and refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cape_lib import stats, tables
from cape_lib.base import boundary
from cape_lib.base.boundary import fit_parabolas, kept_vertices
from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.stats import generator, row_bootstrap_counts

SCORES = st.floats(1.0, 99.0)
TRIPLES = st.lists(st.tuples(SCORES, SCORES), min_size=3, max_size=8)


def ladder(y, x=None, sizes=None, sd=0.5):
    k = len(y)
    size = np.geomspace(0.1, 100, k) if sizes is None else np.asarray(sizes, dtype=float)
    first = np.linspace(30, 85, k) if x is None else x
    names = [f"m{i}" for i in range(k)]
    frame = pd.DataFrame({"model": names, "params_b": size, "hellaswag": first, "truthfulqa": y})
    return frame.assign(hellaswag_stderr=0.4, truthfulqa_stderr=sd)


def planted(turn_b=3.0, k=9, depth=6.0, sd=0.5, seed=None):
    t = np.linspace(-1, 2, k)
    y = 35 + depth * (t - np.log10(turn_b)) ** 2
    noise = 0 if seed is None else np.random.default_rng(seed).normal(scale=sd, size=k)
    return ladder(y + noise, sizes=10**t, sd=sd)


def test_the_published_bootstrap_gives_3_5_with_2_9_to_13_4():
    result = boundary.vertex_bootstrap(tables.base_version("bootstrap_script"))
    assert result.estimate.n == 14
    assert result.estimate.estimate == pytest.approx(3.5, abs=0.05)
    assert result.estimate.low == pytest.approx(2.9, abs=0.05)
    assert result.estimate.high == pytest.approx(13.4, abs=1.2)  # about one Monte-Carlo standard error at 10,000
    assert result.point == pytest.approx(3.43, abs=0.01)


def test_the_published_upper_end_is_the_mean_of_many_seeds():
    rows = tables.base_version("bootstrap_script")
    ends = [boundary.vertex_bootstrap(rows, seed=seed).estimate.high for seed in range(12)]
    assert abs(np.mean(ends) - 13.4) < 2 * np.std(ends)


def test_every_resample_equals_polyfit():
    rows = tables.base_version("bootstrap_script")
    t, y = np.log10(rows["params_b"].to_numpy()), rows["truthfulqa"].to_numpy()
    counts = row_bootstrap_counts(14, 300, generator(0))
    result = fit_parabolas(t, y, counts)
    for count, a, slope, constant, centre, vertex in zip(counts, *result, result.vertex(), strict=True):
        drawn = np.repeat(np.arange(14), count)
        known = np.polyfit(t[drawn] - centre, y[drawn], 2)
        assert (a, slope, constant) == pytest.approx(known, rel=1e-8, abs=1e-8)
        assert vertex == pytest.approx(centre - known[1] / 2 / known[0], abs=1e-7)


@given(st.floats(-3, 3), st.floats(0.1, 20), st.floats(-50, 50), st.integers(3, 12))
def test_an_exact_parabola_gives_its_vertex(turn, curvature, shift, n):
    t = np.linspace(-1, 2, n)
    result = fit_parabolas(t, shift + curvature * (t - turn) ** 2)
    assert result.vertex()[0] == pytest.approx(turn, abs=1e-6)
    assert result.curvature[0] == pytest.approx(curvature, rel=1e-6)


def test_two_different_sizes_have_no_parabola_and_no_warning(recwarn):
    t = np.array([0.0, 0.0, 1.0, 1.0])
    assert np.isnan(fit_parabolas(t, np.array([1.0, 2.0, 3.0, 4.0])).curvature).all()
    assert np.isnan(kept_vertices(fit_parabolas(np.zeros(4), np.arange(4.0)))).all()
    assert not recwarn.list


def test_pythia_alone_has_no_boundary():
    scales = boundary.critical_scales(tables.ladder("Pythia"))
    assert scales["n_c_b"].isna().all()
    assert set(scales["verdict"]) <= {"no boundary in these sizes", "undecided"}
    assert scales["reason"].str.contains("TruthfulQA has not turned up by the largest size, 12 B").all()


def test_a_planted_boundary_is_found_by_every_estimator():
    scales = boundary.critical_scales(planted(3.0)).set_index("estimator")
    assert (scales["verdict"] == "boundary").all()
    assert scales.loc["vertex", "n_c_b"] == pytest.approx(3.0, rel=1e-6)
    assert scales["n_c_b"].between(1.5, 6.0).all()
    assert (scales["low"] <= scales["n_c_b"]).all() and (scales["n_c_b"] <= scales["high"]).all()


@pytest.mark.slow
def test_the_vertex_interval_covers_a_planted_boundary():
    inside = 0
    for seed in range(100):
        row = boundary.critical_scales(planted(seed=seed, sd=1.0)).iloc[0]
        inside += row["low"] <= 3.0 <= row["high"]
    assert inside >= 88


@pytest.mark.parametrize("shape", ["falling", "flat", "levelling off", "step", "hump"])
def test_a_curve_without_a_turn_is_rarely_called_a_boundary(shape):
    t = np.linspace(-1, 2, 8)
    curve = {
        "falling": 45 - 4 * t,
        "flat": 0 * t + 40,
        "levelling off": 33 + 6 * np.exp(-1.5 * (t + 1)),
        "step": np.where(t < 0.5, 45.0, 33.0),
        "hump": 36 + 5 * np.exp(-((t - 0.5) ** 2)),
    }[shape]
    rng = np.random.default_rng(11)
    wrong = np.zeros(4)
    for _ in range(60):
        frame = ladder(curve + rng.normal(scale=1.7, size=8), sizes=10**t, sd=1.7)
        wrong += (boundary.critical_scales(frame)["verdict"] == "boundary").to_numpy()
    # 5 % of 60 is 3; seven or more would happen once in thirty at that rate.
    assert wrong.max() <= 6


def test_sizes_that_are_too_few_are_an_answer():
    scales = boundary.critical_scales(ladder([40, 30]))
    assert (scales["verdict"] == "undecided").all() and scales["n_c_b"].isna().all()
    assert scales["reason"].str.contains("2 sizes cannot show a turn").all()


def test_unknown_noise_leaves_a_point_without_a_verdict():
    frame = planted().rename(columns={"truthfulqa": "mine"}).drop(columns="truthfulqa_stderr")
    scales = boundary.critical_scales(frame, y="mine").set_index("estimator")
    assert scales.loc["vertex", "n_c_b"] == pytest.approx(3.0)
    assert scales["low"].isna().all() and (scales["verdict"] == "undecided").all()
    assert scales["reason"].str.contains("noise of the scores is unknown").all()


def test_a_score_that_only_rises_puts_the_turn_below_the_sizes():
    scales = boundary.critical_scales(ladder(np.linspace(30, 60, 6)))
    assert (scales["verdict"] == "no boundary in these sizes").all()
    assert (scales["low"] == 0).all()
    assert scales["reason"].str.contains("rises from the smallest size on").all()


@given(TRIPLES, st.randoms(), st.floats(0.01, 100))
def test_critical_scales_know_neither_order_nor_the_unit_of_size(pairs, random, unit):
    frame = ladder([p[1] for p in pairs], x=[p[0] for p in pairs])
    order = list(range(len(frame)))
    random.shuffle(order)
    rest = frame.copy()
    one = boundary.critical_scales(frame)
    two = boundary.critical_scales(frame.iloc[order])
    three = boundary.critical_scales(frame.assign(params_b=frame["params_b"] * unit))
    pd.testing.assert_frame_equal(frame, rest)
    pd.testing.assert_frame_equal(one, two)
    assert three["n_c_b"].to_numpy() == pytest.approx(one["n_c_b"].to_numpy() * unit, rel=1e-6, nan_ok=True)


@given(TRIPLES)
def test_a_value_lies_inside_the_sizes_and_a_verdict_needs_one(pairs):
    frame = ladder([p[1] for p in pairs], x=[p[0] for p in pairs])
    for row in boundary.critical_scales(frame).itertuples():
        if np.isfinite(row.n_c_b):
            assert frame["params_b"].min() * (1 - 1e-9) <= row.n_c_b <= frame["params_b"].max() * (1 + 1e-9)
        assert (row.verdict == "boundary") <= (np.isfinite(row.n_c_b) and row.p_turn < 0.05 and row.share >= 0.95)
        assert (row.verdict == "no boundary in these sizes") <= np.isnan(row.n_c_b)


def test_equal_scores_give_no_warning(recwarn):
    boundary.critical_scales(ladder([40.0] * 5, x=[50.0] * 5))
    boundary.vertex_intervals(ladder([40.0] * 5), resamples=50)
    assert not recwarn.list


def test_intervals_are_named_and_few_families_are_not_resampled():
    result = boundary.vertex_intervals(tables.base_version("bootstrap_script"), resamples=2000).set_index("method")
    assert len(result) == 4 and (result["families"] == 3).all()
    assert np.isnan(result.loc["families resampled", "low"])
    assert "3 families are too few" in result.loc["families resampled", "reason"]
    assert result.loc["one family left out", "low"] < 2.9
    wide = boundary.vertex_intervals(tables.base(), resamples=2000).set_index("method")
    assert wide.loc["families resampled", "high"] > wide.loc["rows resampled, as published", "high"]


def test_one_family_has_nothing_to_leave_out():
    result = boundary.vertex_intervals(planted(), resamples=500).set_index("method")
    assert np.isnan(result.loc["one family left out", "low"])
    assert result.loc["score noise", "low"] <= 3.0 <= result.loc["score noise", "high"]


def test_published_isocline_signs_come_out_only_in_the_reversed_reading():
    table = boundary.compare_readings(tables.base()).set_index(["ladder", "reading"])
    published = {"OPT": (6, 7), "BLOOM": (4, 5), "Cerebras-GPT": (5, 6)}
    for name, counts in published.items():
        assert tuple(table.loc[(name, "reversed"), ["right", "n"]]) == counts
        assert table.loc[(name, "stated"), "right"] < counts[0]


def test_the_readings_mirror_each_other_and_the_sweep_agrees():
    frame = tables.base()
    table = boundary.classify(frame)
    moved = table["gamma"] != 0
    assert (table.loc[moved, "stated"] != table.loc[moved, "reversed"]).all()
    sweep = boundary.ratio_sweep(frame, [0.187]).set_index("reading")
    assert sweep.loc["stated", "right"] == table["stated"].sum()
    assert sweep.loc["always negative", "right"] == (table["gamma"] < 0).sum()


def test_the_isocline_takes_the_root_of_fractions():
    assert float(boundary.isocline(69.45, 0.1866)) == pytest.approx(36.0, abs=0.01)
    assert float(boundary.isocline(80.0, 0.513)) == pytest.approx(100 * np.sqrt(0.513 * 0.8))


def test_bad_arguments_are_refused_with_the_mend():
    with pytest.raises(UsageError, match="above 0"):
        boundary.isocline(50.0, 0.0)
    with pytest.raises(ScoresError, match="same params_b"):
        boundary.critical_scales(planted().assign(params_b=1.0))
    with pytest.raises(MissingError, match="needs 3 rows"):
        boundary.vertex_bootstrap(planted().head(2))
    with pytest.raises(MissingError, match="column"):
        boundary.vertex_bootstrap(planted(), y="gsm8k")
    with pytest.raises(MissingError, match="no ladder has two sizes"):
        boundary.classify(planted().assign(ladder=[f"l{i}" for i in range(9)]))


@pytest.mark.parametrize("name", ["OPT", "Pythia", "Qwen2.5"])
def test_the_fixed_draws_give_the_share_that_many_random_draws_give(name):
    rows = tables.ladder(name)
    t, rng = np.log10(rows["params_b"].to_numpy()), np.random.default_rng(3)
    scores = [rows[score].to_numpy() for score in ("hellaswag", "truthfulqa")]
    noise = [stats.score_noise(rows, score) for score in ("hellaswag", "truthfulqa")]
    for row in boundary.critical_scales(rows).itertuples():
        wide = boundary.misfit(row.estimator, t, scores, noise[1])
        drawn = [v + wide * sd * rng.standard_normal((20_000, t.size)) for v, sd in zip(scores, noise, strict=True)]
        share = np.isfinite(boundary.ESTIMATORS[row.estimator](t, *drawn)).mean()
        assert row.share == pytest.approx(share, abs=4 * np.sqrt(0.25 / 1000))


def test_a_score_that_never_changes_has_no_boundary_to_speak_of():
    scales = boundary.critical_scales(ladder([40.0] * 6))
    assert (scales["verdict"] == "undecided").all() and scales["n_c_b"].isna().all()
    assert scales["reason"].str.contains("same at every size").all()


def test_the_same_seed_gives_the_same_answer():
    assert (
        boundary.vertex_bootstrap(planted(), seed=1).estimate == boundary.vertex_bootstrap(planted(), seed=1).estimate
    )
