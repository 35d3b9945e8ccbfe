"""Local and population coupling: published numbers, known answers, and what must hold for any scores."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cape_lib import tables
from cape_lib.base import coupling
from cape_lib.errors import MissingError, ScoresError, UsageError

SCORES = st.floats(1.0, 99.0)
FEW = st.lists(st.tuples(SCORES, SCORES), min_size=2, max_size=7)


def ladder(pairs, **more):
    x, y = np.array(pairs).T
    size = 0.1 * 3.0 ** np.arange(len(pairs))
    names = [f"m{i}" for i in range(len(pairs))]
    return pd.DataFrame({"model": names, "params_b": size, "hellaswag": x, "truthfulqa": y} | more)


def panel(n, seed=0, families=5, common=0.0):
    rng = np.random.default_rng(seed)
    family = np.arange(n) % families
    level = rng.normal(scale=common, size=families)[family]
    scores = rng.uniform(30, 70, size=(n, 5)) + level[:, None]
    frame = pd.DataFrame(scores, columns=list(tables.BASE_BENCHMARKS))
    return frame.assign(model=[f"m{i}" for i in range(n)], family=family.astype(str), params_b=rng.uniform(0.1, 70, n))


def test_the_first_published_gamma_is_minus_0_683():
    steps = coupling.local_coupling(tables.ladder("Pythia"))
    assert len(steps) == 7
    assert steps["gamma"].iloc[0] == pytest.approx(-0.683, abs=5e-4)
    assert steps["phase"].iloc[0] == "tax"
    assert not (steps["gamma"] > 0).any()


def test_published_r_of_the_pythia_ladder_is_minus_0_989_and_size_explains_it():
    result = coupling.population_coupling(tables.ladder("Pythia"), resamples=500)
    assert result.pearson.estimate == pytest.approx(-0.989, abs=5e-4)
    assert abs(result.partial_given_size.estimate) < 0.1
    assert "1 families: too few" in result.clustered.method and np.isnan(result.clustered.low)


def test_the_whole_pythia_ladder_falls_by_15_points_where_no_step_is_sure():
    ladder = tables.ladder("Pythia")
    whole, steps = coupling.whole_ladder(ladder), coupling.local_coupling(ladder)
    assert whole.sizes == 8 and whole.dy.estimate == pytest.approx(steps["dy"].sum())
    assert round(whole.z, 1) == -6.3 and round(whole.dy.high - whole.dy.estimate, 1) == 4.7
    limit = coupling.settled_beyond(len(steps))
    assert whole.settled and not ((steps["p_negative"] > limit) | (steps["p_negative"] < 1 - limit)).any()
    assert whole.gamma.high < 0 and whole.phase == "tax"


def test_a_ladder_of_two_sizes_is_its_step_and_all_ladders_are_corrected_together():
    panel = tables.base("uniform")
    whole = coupling.whole_ladders(panel).set_index("ladder")
    steps = coupling.local_couplings(panel).set_index("ladder")
    two = whole[whole["sizes"] == 2]
    columns = ["smaller", "larger", "dx", "dy", "gamma", "low", "high", "p_negative", "phase"]
    pd.testing.assert_frame_equal(two[columns].sort_index(), steps.loc[two.index, columns].sort_index())
    assert (whole["p_holm"] >= whole["p"]).all()
    assert set(whole.index[whole["z"].abs() > 5.8]) == {"Pythia", "GPT-Neo/J/NeoX", "Qwen2", "DeepSeek-LLM", "Yi"}


def test_the_uniform_panel_flips_its_sign_at_every_cut():
    sweep = coupling.cut_sweep(tables.base("uniform"), [1.5, 2.5, 3.5, 7.0]).set_index("cut_b")
    assert sweep["flips"].all()
    assert sweep.loc[3.5, ["n_below", "n_above"]].tolist() == [58, 90]
    assert sweep.loc[3.5, "r_below"] == pytest.approx(-0.67, abs=5e-3)
    assert sweep.loc[3.5, "r_above"] == pytest.approx(0.51, abs=5e-3)


@pytest.mark.parametrize(
    ("gamma", "name"),
    [(-0.11, "tax"), (-0.1, "transition"), (0.0, "transition"), (0.1, "transition"), (0.11, "bonus")],
)
def test_a_phase_ends_at_a_tenth(gamma, name):
    assert coupling.phase(gamma) == name
    assert coupling.phase(float("nan")) == "undefined"


@given(FEW, st.floats(0, 0.9))
def test_the_phases_share_one_probability(pairs, correlation):
    steps = coupling.local_coupling(ladder(pairs), correlation=correlation)
    total = steps[["p_tax", "p_transition", "p_bonus"]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(np.ones(len(steps)), abs=1e-9)
    assert (steps["p_negative"] >= steps["p_tax"] - 1e-9).all()
    assert (steps["p_negative"] <= steps["p_tax"] + steps["p_transition"] + 1e-9).all()


@given(FEW)
def test_gamma_lies_in_its_interval_and_the_interval_knows_its_kind(pairs):
    steps = coupling.local_coupling(ladder(pairs))
    for row in steps[steps["gamma"].notna()].itertuples():
        if row.interval == "outside":
            assert row.gamma <= row.high or row.gamma >= row.low
        elif row.interval == "bounded":
            assert row.low - 1e-9 <= row.gamma <= row.high + 1e-9
        else:
            assert row.interval == "every"


@given(FEW, st.randoms())
def test_gamma_does_not_know_the_order_of_rows(pairs, random):
    frame = ladder(pairs)
    order = list(range(len(frame)))
    random.shuffle(order)
    rest = frame.copy()
    pd.testing.assert_frame_equal(coupling.local_coupling(frame), coupling.local_coupling(frame.iloc[order]))
    pd.testing.assert_frame_equal(frame, rest)


@given(FEW)
def test_swapping_the_pair_inverts_gamma(pairs):
    frame = ladder(pairs)
    forth = coupling.local_coupling(frame)["gamma"].to_numpy()
    back = coupling.local_coupling(frame, x="truthfulqa", y="hellaswag")["gamma"].to_numpy()
    both = np.isfinite(forth) & np.isfinite(back) & (np.abs(forth) > 1e-6)
    assert forth[both] == pytest.approx(1 / back[both], rel=1e-9)


def test_probability_agrees_with_drawn_scores():
    frame = ladder([(40.0, 40.0), (44.0, 37.5)])
    row = coupling.local_coupling(frame).iloc[0]
    rng = np.random.default_rng(0)
    sd = {s: 100 * np.sqrt(frame[s] / 100 * (1 - frame[s] / 100) / tables.ITEM_COUNTS[s]) for s in frame.columns[2:]}
    x, y = (frame[s].to_numpy() + sd[s].to_numpy() * rng.normal(size=(200_000, 2)) for s in ("hellaswag", "truthfulqa"))
    ratio = np.diff(y)[:, 0] / np.diff(x)[:, 0]
    assert row["p_negative"] == pytest.approx((ratio < 0).mean(), abs=0.005)
    assert row["p_tax"] == pytest.approx((ratio < -0.1).mean(), abs=0.005)


def test_fieller_covers_the_true_gamma_in_95_of_100():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        pairs = np.array([(40.0, 40.0), (43.0, 37.0)]) + rng.normal(size=(2, 2)) * [0.5, 1.7]
        noise = {"hellaswag_stderr": 0.5, "truthfulqa_stderr": 1.7}
        row = coupling.local_coupling(ladder(pairs, **noise)).iloc[0]
        inside = row["low"] <= -1.0 <= row["high"]
        hits += not (row["high"] < -1.0 < row["low"]) if row["interval"] == "outside" else inside
    assert 0.90 <= hits / 200 <= 0.99


def test_shared_noise_makes_gamma_surer():
    frame = tables.ladder("Pythia")
    alone, shared = (coupling.local_coupling(frame, correlation=c)["p_negative"].iloc[0] for c in (0.0, 0.8))
    assert shared > alone


def test_gamma_is_refused_at_equal_size_for_one_size_and_without_a_score():
    frame = ladder([(40, 40), (50, 35), (60, 30)])
    with pytest.raises(ScoresError, match="m0 and m1 have the same params_b"):
        coupling.local_coupling(frame.assign(params_b=[1.0, 1.0, 2.0]))
    with pytest.raises(MissingError, match="needs 2 rows"):
        coupling.local_coupling(frame.head(1))
    with pytest.raises(MissingError, match="did you mean truthfulqa"):
        coupling.local_coupling(frame, y="truthful_qa")
    with pytest.raises(ScoresError, match="several families"):
        coupling.local_coupling(frame.assign(family=["a", "a", "b"]))
    with pytest.raises(UsageError, match="0 to 1"):
        coupling.local_coupling(frame, correlation=1.5)


def test_a_step_without_a_change_of_x_has_no_gamma_and_no_warning(recwarn):
    row = coupling.local_coupling(ladder([(40, 40), (40, 30)])).iloc[0]
    assert np.isnan(row["gamma"]) and row["phase"] == "undefined" and row["interval"] in ("every", "outside")
    assert not recwarn.list


def test_a_benchmark_of_ones_own_has_gamma_but_no_interval():
    row = coupling.local_coupling(ladder([(40, 40), (50, 30)], mine=[10.0, 20.0]), y="mine").iloc[0]
    assert row["gamma"] == 1.0 and row["interval"] == "unknown" and np.isnan(row["p_negative"])
    noisy = ladder([(40, 40), (50, 30)], mine=[10.0, 20.0], mine_stderr=[1.0, 1.0])
    assert coupling.local_coupling(noisy, y="mine").iloc[0]["interval"] == "bounded"


def test_signs_by_size_counts_every_defined_interval_once():
    intervals = coupling.local_couplings(tables.base())
    table = coupling.signs_by_size(intervals, edges=[3.5, 10.0])
    assert table["steps"].sum() == intervals["gamma"].notna().sum()
    assert table["negative"].sum() == (intervals["gamma"] < 0).sum()


def test_shuffles_within_families_find_nothing_in_noise_and_something_in_a_line():
    ps = [coupling.population_coupling(panel(30, seed), resamples=199, seed=seed).permutation_p for seed in range(60)]
    assert np.mean(np.array(ps) < 0.05) <= 0.15
    frame = panel(30)
    frame["truthfulqa"] = frame["hellaswag"] * -0.5 + 60
    result = coupling.population_coupling(frame, resamples=199)
    assert result.permutation_p == pytest.approx(1 / 200)
    assert result.family_demeaned.estimate == pytest.approx(-1.0)


def test_what_families_share_is_taken_out():
    frame = panel(60, families=10, common=200.0)
    result = coupling.population_coupling(frame, resamples=200)
    assert result.pearson.estimate > 0.9
    assert abs(result.family_demeaned.estimate) < 0.4
    assert not np.isnan(result.clustered.low)


@given(st.integers(6, 20), st.integers(0, 1000), st.randoms())
def test_population_coupling_does_not_know_order_names_or_units(n, seed, random):
    frame = panel(n, seed)
    order = list(range(n))
    random.shuffle(order)
    renamed = frame.iloc[order].assign(
        family=lambda rows: "family " + rows["family"], hellaswag=lambda r: r["hellaswag"] / 2
    )
    one, two = (coupling.population_coupling(f, resamples=20) for f in (frame, renamed))
    for part in ("pearson", "partial_given_size", "family_demeaned"):
        assert getattr(one, part).estimate == pytest.approx(getattr(two, part).estimate, abs=1e-9, nan_ok=True)


def test_the_same_seed_gives_the_same_answer():
    frame = panel(20)
    # As text: an end that cannot be given is NaN, which from Python 3.13 on equals nothing within a dataclass either.
    one, two = (coupling.population_coupling(frame, seed=3) for _ in range(2))
    assert repr(one) == repr(two)
    assert coupling.effective_dimension(frame, seed=3).estimate == coupling.effective_dimension(frame, seed=3).estimate


def test_a_constant_score_gives_no_r_no_p_and_no_warning(recwarn):
    result = coupling.population_coupling(panel(12).assign(truthfulqa=33.3), resamples=50)
    assert np.isnan([result.pearson.estimate, result.family_demeaned.estimate, result.permutation_p]).all()
    pairs = coupling.pair_couplings(panel(12).assign(truthfulqa=33.3))
    assert pairs.loc[pairs["x"] == "truthfulqa", "r"].isna().all()
    assert not recwarn.list


def test_dimension_is_one_on_a_line_and_five_in_a_ball():
    line = np.outer(np.arange(10.0), np.ones(5))
    frame = pd.DataFrame(line, columns=list(tables.BASE_BENCHMARKS)).assign(params_b=1.0, model="m")
    assert coupling.effective_dimension(frame, resamples=10).estimate.estimate == pytest.approx(1.0)
    ball = np.vstack([np.eye(5), -np.eye(5)]) * 10 + 50
    frame[list(tables.BASE_BENCHMARKS)] = ball
    assert coupling.effective_dimension(frame, resamples=10).estimate.estimate == pytest.approx(5.0)


def test_dimension_equals_the_ratio_of_the_eigenvalues():
    result = coupling.effective_dimension(tables.base(), resamples=200)
    values = result.eigenvalues
    complete = tables.base().dropna(subset=list(tables.BASE_BENCHMARKS))
    assert result.estimate.n == len(complete)
    assert result.estimate.estimate == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert result.estimate.low < result.estimate.estimate < result.estimate.high
    covariance = np.cov(complete[list(tables.BASE_BENCHMARKS)].to_numpy().T)
    assert result.vectors @ np.diag(values) @ result.vectors.T == pytest.approx(covariance)


@given(st.integers(2, 5), st.integers(0, 50))
def test_five_models_have_no_dimension(n, seed):
    result = coupling.effective_dimension(panel(n, seed))
    assert np.isnan(result.estimate.estimate) and "below 6" in result.estimate.method
    assert (result.eigenvalues > 1e-9).sum() <= n - 1


def test_there_are_ten_pairs_and_each_has_two_sides():
    result = coupling.pair_couplings(tables.base("uniform"))
    assert len(result) == 20 and result.groupby(["x", "y"]).ngroups == 10
    assert result["r"].between(result["leave_low"], result["leave_high"]).all()
    with pytest.raises(UsageError, match="above 0"):
        coupling.pair_couplings(tables.base(), cut_b=0)


def test_a_sign_that_rests_on_one_family_is_said():
    frame = panel(12, families=4).assign(params_b=1.0)
    frame["truthfulqa"] = 100 - frame["hellaswag"]
    lone = frame["family"] == "0"
    frame.loc[lone, ["hellaswag", "truthfulqa"]] += 500 * np.arange(1, lone.sum() + 1)[:, None]
    result = coupling.pair_couplings(frame, benchmarks=("hellaswag", "truthfulqa")).set_index("side").loc["below"]
    assert result["r"] > 0 and not result["sign_holds"] and result["changed_by"] == "0"


@given(st.lists(st.tuples(SCORES, SCORES), min_size=3, max_size=8))
def test_every_cut_splits_all_models(pairs):
    frame = ladder(pairs)
    assume(frame["hellaswag"].std() > 0)
    sweep = coupling.cut_sweep(frame, [0.05, 0.5, 5000.0])
    assert (sweep["n_below"] + sweep["n_above"] == len(frame)).all()
