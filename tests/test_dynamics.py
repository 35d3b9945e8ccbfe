"""Systems of equations, forecasts, hold-outs, flow and loss: known systems, published numbers, baselines, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import curve_fit

from cape_lib import tables
from cape_lib.base import dynamics
from cape_lib.errors import MissingError, ScoresError, UsageError

PAIR = ("hellaswag", "truthfulqa")
MATRIX = np.array([[-0.6, 0.4], [0.0, -0.9]])
CONSTANT = np.array([30.0, 25.0])


def stepped(f, start, t):
    """Scores whose midpoint slopes obey f exactly (the implicit midpoint rule), so that a fit has nothing to lose."""
    rows = [np.asarray(start, dtype=float)]
    for h in np.diff(t):
        ahead = rows[-1] + h * f(rows[-1])
        for _ in range(200):
            ahead = rows[-1] + h * f((rows[-1] + ahead) / 2)
        rows.append(ahead)
    return np.array(rows)


def ladder(f=lambda y: MATRIX @ y + CONSTANT, start=(28.0, 47.0), k=9):
    t = np.linspace(-1, 1.5, k)
    frame = pd.DataFrame(stepped(f, start, t), columns=list(PAIR))
    return frame.assign(params_b=10**t, model=[f"m{i}" for i in range(k)])


def matrix_of(system):
    """Constant and matrix of a linear system in points."""
    return system.coefficients[:, 0], system.coefficients[:, 1:]


def test_the_dense_fit_recovers_a_known_linear_system():
    constant, matrix = matrix_of(dynamics.fit_linear(ladder(), benchmarks=PAIR))
    assert matrix == pytest.approx(MATRIX, abs=1e-8)
    assert constant == pytest.approx(CONSTANT, abs=1e-6)


def test_the_sparse_fit_recovers_a_known_linear_system_with_its_zero():
    result = dynamics.fit_sparse(ladder(k=15), benchmarks=PAIR, threshold=0.01, ridge=1e-12)
    constant, matrix = matrix_of(result)
    assert matrix == pytest.approx(MATRIX, abs=1e-6) and matrix[1, 0] == 0.0
    assert constant == pytest.approx(CONSTANT, abs=1e-4)
    assert result.terms == 5


@given(st.lists(st.floats(0.02, 500.0), min_size=1, max_size=6))
def test_a_linear_forecast_equals_runge_kutta(sizes):
    system = dynamics.fit_linear(tables.ladder("Pythia"))
    constant, matrix = matrix_of(system)
    path = dynamics.forecast(system, sizes)
    for row, size in zip(path[list(system.benchmarks)].to_numpy(), sizes, strict=True):
        end = np.log10(size / system.start["params_b"])
        known = solve_ivp(lambda _, y: matrix @ y + constant, (0, end), system.start.iloc[1:], rtol=1e-9, atol=1e-9)
        assert row == pytest.approx(known.y[:, -1], rel=1e-5, abs=1e-4)


def test_the_fitted_sizes_are_where_the_forecast_starts_and_goes():
    rows = ladder()
    system = dynamics.fit_linear(rows, benchmarks=PAIR)
    path = dynamics.forecast(system, rows["params_b"])
    assert path[list(PAIR)].to_numpy()[0] == pytest.approx(rows[list(PAIR)].to_numpy()[0])
    assert dynamics.fit_error(system, rows).mape < 0.5


def test_published_in_sample_error_is_2_6_pooled_and_2_5_as_a_mean():
    rows = tables.ladder("Pythia")
    result = dynamics.fit_error(dynamics.fit_linear(rows), rows)
    assert round(result.pooled, 1) == 2.6
    assert round(result.mape, 1) == 2.5


def test_the_dense_system_cannot_be_trusted_without_one_size():
    system = dynamics.fit_linear(tables.ladder("Pythia"))
    assert system.intervals == 7 and system.terms == 30
    errors = dynamics.leave_one_size_out(tables.ladder("Pythia"))
    assert len(errors) == 7 and (errors["mape"] > 1000).sum() >= 2 and (errors["mape_carried"] < 15).all()


def test_published_hold_out_on_llama_2_is_5_6_percent_and_the_mean_is_as_good():
    rows = tables.base_version("bootstrap_script")
    errors = dynamics.hold_out(rows[rows["family"] != "Llama-2"], rows[rows["family"] == "Llama-2"], benchmarks=PAIR)
    error = errors.set_index("method")["mape"]
    assert error["degree 2"] == pytest.approx(5.6, abs=0.05)
    assert error["mean"] < 1.1 * error["degree 2"]
    assert errors.set_index("method").loc["degree 2", "n"] == 3
    assert errors.set_index("method").loc["linear system", "n"] == 2


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_polynomials_equal_polyfit(degree):
    rows = tables.base("uniform")
    train, test = rows[rows["family"] != "OPT"], rows[rows["family"] == "OPT"]
    errors = dynamics.hold_out(train, test, benchmarks=PAIR).set_index("method")
    curve = np.polyfit(np.log10(train["params_b"]), train["truthfulqa"], degree)
    known = np.abs(np.polyval(curve, np.log10(test["params_b"])) - test["truthfulqa"])
    assert errors.loc[f"degree {degree}", "mae"] == pytest.approx(known.mean(), rel=1e-6)
    assert errors.loc[f"degree {degree}", "mape"] == pytest.approx(100 * (known / test["truthfulqa"]).mean(), rel=1e-6)


def test_every_family_is_left_out_once():
    panel = tables.base()
    result = dynamics.leave_one_family_out(panel, by="family")
    assert set(result["family"]) == {*panel["family"], "all"}
    whole = result[result["family"] == "all"].set_index("method")
    assert whole.loc["degree 2", "n"] == len(panel.dropna(subset=["truthfulqa"]))
    parts = result[(result["family"] != "all") & (result["method"] == "degree 2")]
    assert np.average(parts["mae"], weights=parts["n"]) == pytest.approx(whole.loc["degree 2", "mae"])


def test_slopes_of_several_ladders_do_not_cross_their_borders():
    both = dynamics.midpoints(tables.base(), benchmarks=PAIR)
    alone = dynamics.midpoints(tables.ladder("OPT"), benchmarks=PAIR)
    pd.testing.assert_frame_equal(
        both[both["ladder"] == "OPT"].drop(columns="ladder").reset_index(drop=True), alone.drop(columns="ladder")
    )


@given(st.randoms(), st.floats(0.01, 100.0))
def test_a_fit_knows_neither_order_nor_the_unit_of_size(random, unit):
    rows = ladder()
    order = list(range(len(rows)))
    random.shuffle(order)
    rest = rows.copy()
    one = dynamics.fit_linear(rows, benchmarks=PAIR)
    two = dynamics.fit_linear(rows.iloc[order].assign(params_b=lambda r: r["params_b"] * unit), benchmarks=PAIR)
    pd.testing.assert_frame_equal(rows, rest)
    assert two.coefficients == pytest.approx(one.coefficients, abs=1e-6)


def test_more_threshold_never_means_more_terms_and_none_left_means_no_motion(recwarn):
    terms = [dynamics.fit_sparse(tables.ladder("Pythia"), threshold=cut).terms for cut in (0.0, 0.5, 1.0, 100.0)]
    assert terms == sorted(terms, reverse=True) and terms[-1] == 0
    still = dynamics.fit_sparse(ladder(), benchmarks=PAIR, threshold=100.0)
    ahead = dynamics.forecast(still, [1000.0])[list(PAIR)].iloc[0]
    assert ahead.tolist() == pytest.approx(still.start[list(PAIR)].tolist())
    assert not [w for w in recwarn.list if "Sparsity" in str(w.message)]


def test_a_solution_that_runs_away_is_nan_not_a_number():
    system = dynamics.fit_linear(ladder(lambda y: np.array([[3.0, 0.0], [0.0, -0.1]]) @ y), benchmarks=PAIR)
    path = dynamics.forecast(system, [0.05, 0.2, 1e300])
    assert path["hellaswag"].notna().tolist() == [True, True, False]


def test_gamma_flow_finds_a_planted_law_and_its_fixed_point():
    t = np.linspace(-1, 1.5, 12)
    middle = (t[1:] + t[:-1]) / 2
    gamma = stepped(lambda g: -1.5 * g + 0.6, [-0.8], middle)[:, 0]
    y = 47 + np.concatenate([[0.0], np.cumsum(gamma * 4.0)])
    rows = pd.DataFrame({"params_b": 10**t, "hellaswag": 30 + 4.0 * np.arange(12), "truthfulqa": y})
    line, rest = dynamics.gamma_flow(rows)
    assert line.slope.estimate == pytest.approx(-1.5)
    assert rest.estimate == pytest.approx(0.4)
    assert rest.contains(0.4)


def test_pythia_has_too_few_sizes_to_fix_a_fixed_point():
    line, rest = dynamics.gamma_flow(tables.ladder("Pythia"))
    assert not rest.bounded
    assert line.slope.low < 0 < line.slope.high


def test_the_published_constants_lie_within_a_fortieth_of_a_nat_of_their_law():
    losses = tables.losses()
    stated = losses[losses["series"] == "published constants"]
    result = dynamics.loss_law(stated)
    published = 1.533 + 154 * (1e9 * result["params_b"]) ** -0.238
    assert result["residual"].abs().max() < 0.025
    assert (result["residual"] ** 2).sum() <= ((result["loss"] - published) ** 2).sum()


def test_the_loss_fit_equals_curve_fit():
    rng = np.random.default_rng(2)
    size = np.geomspace(0.05, 20, 12)
    loss = 1.7 + 1.1 * size**-0.3 + rng.normal(scale=0.01, size=12)
    result = dynamics.loss_law(pd.DataFrame({"params_b": size, "loss": loss}))
    known, _ = curve_fit(lambda n, e, a, p: e + a * n**-p, size, loss, p0=[1.5, 1.0, 0.25])
    assert result["fitted"].to_numpy() == pytest.approx(known[0] + known[1] * size ** -known[2], rel=1e-6)
    assert result["residual"].sum() == pytest.approx(0.0, abs=1e-6)


def test_what_cannot_be_fitted_is_refused_with_the_mend():
    rows = ladder()
    with pytest.raises(MissingError, match="needs 2 rows"):
        dynamics.fit_linear(rows.head(1), benchmarks=PAIR)
    with pytest.raises(ScoresError, match="m3 and m4 have the same params_b"):
        dynamics.midpoints(rows.assign(params_b=[1, 2, 3, 4, 4, 5, 6, 7, 8.0]), benchmarks=PAIR)
    with pytest.raises(ScoresError, match="same params_b"):
        both = pd.concat([rows.assign(ladder="a"), rows.assign(ladder="b", params_b=2.0)])
        dynamics.fit_linear(both, benchmarks=PAIR)
    with pytest.raises(UsageError, match="numbers from 0"):
        dynamics.fit_sparse(rows, benchmarks=PAIR, threshold=-1.0)
    with pytest.raises(ScoresError, match="not positive"):
        dynamics.forecast(dynamics.fit_linear(rows, benchmarks=PAIR), [0.0])
    pooled = dynamics.fit_linear(tables.base(), benchmarks=PAIR)
    with pytest.raises(ScoresError, match="to start from"):
        dynamics.forecast(pooled, [1.0])
    with pytest.raises(MissingError, match="needs 5 rows"):
        dynamics.gamma_flow(rows.head(4))
    with pytest.raises(MissingError, match="three constants needs 4 rows"):
        dynamics.loss_law(pd.DataFrame({"params_b": [1.0, 2.0, 3.0], "loss": [3.0, 2.5, 2.3]}))


def test_constant_scores_give_no_warning(recwarn):
    rows = ladder().assign(truthfulqa=40.0)
    system = dynamics.fit_linear(rows, benchmarks=PAIR)
    assert dynamics.forecast(system, [100.0])["truthfulqa"].iloc[0] == pytest.approx(40.0)
    dynamics.fit_sparse(rows, benchmarks=PAIR)
    dynamics.hold_out(rows, rows, benchmarks=PAIR)
    assert not recwarn.list
