"""Our numbers against R and metafor; `reference/reference.R` made them and is not needed to run this file.

Tolerances: 1e-9 relative where both sides solve the same equations in closed form, 1e-6 where R searches for a root.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from cape_lib import frontier, stats, tables
from cape_lib.base import boundary, coupling, dynamics
from cape_lib.base.coupling import participation_ratio
from cape_lib.frontier.lines import X, Y

HERE = Path(__file__).with_name("reference")
R = json.loads((HERE / "reference.json").read_text("utf-8"))
CLOSED, ROOT = 1e-9, 1e-6


def read(name):
    return pd.read_csv(HERE / "inputs" / f"{name}.csv")


@pytest.fixture(scope="module")
def releases():
    return read("frontier").assign(frozen=True, subset="core", released=pd.Timestamp("2025-01-01"))


@pytest.fixture(scope="module")
def panel():
    return read("base")


@pytest.fixture(scope="module")
def labs():
    """Fourteen synthetic labs of eight models, whose slopes truly differ."""
    return read("labs").rename(columns={"x": X, "y": Y})


def pythia(panel):
    return panel[panel["ladder"] == "Pythia"].sort_values("params_b")


def pair(frame, names=(X, Y)):
    return [frame[name].to_numpy(float) for name in names]


def test_the_inputs_are_those_of_the_book(releases, panel):
    shown = tables.frontier("published").set_index("model").loc[releases["model"], [X, Y]]
    assert shown.to_numpy() == pytest.approx(np.column_stack(pair(releases)))
    base = tables.base("published").set_index("model").loc[panel["model"], ["hellaswag", "truthfulqa"]]
    assert base.to_numpy() == pytest.approx(panel[["hellaswag", "truthfulqa"]].to_numpy())


@pytest.mark.parametrize("name", ["frontier", "pythia", "base"])
def test_pearson_and_its_interval_equal_r(name, releases, panel):
    rows = {"frontier": releases, "pythia": pythia(panel), "base": panel}[name]
    names = (X, Y) if name == "frontier" else ("hellaswag", "truthfulqa")
    result, known = stats.pearson(*pair(rows, names)), R["pearson"][name]
    assert result.n == known["n"]
    assert (result.estimate, result.low, result.high) == pytest.approx(
        (known["r"], known["low"], known["high"]), rel=CLOSED
    )


@pytest.mark.parametrize("name", ["frontier_date", "base_size"])
def test_partial_correlation_equals_r_by_two_roads(name, releases, panel):
    if name == "frontier_date":
        result = stats.pearson(*pair(releases), given=releases["days"])
    else:
        result = stats.pearson(*pair(panel, ("hellaswag", "truthfulqa")), given=np.log10(panel["params_b"]))
        ours = coupling.population_coupling(panel, resamples=10).partial_given_size
        assert (ours.estimate, ours.n) == (pytest.approx(result.estimate, rel=CLOSED), result.n)
    known = R["partial"][name]
    assert result.n == known["n"]
    assert (result.estimate, result.low, result.high) == pytest.approx(
        (known["r"], known["low"], known["high"]), rel=CLOSED
    )
    assert result.estimate == pytest.approx(known["r_from_t"], rel=CLOSED)


def test_family_demeaned_correlation_equals_r(panel):
    result = coupling.population_coupling(panel, resamples=10).family_demeaned
    assert result.estimate == pytest.approx(R["demeaned_r"], rel=CLOSED)


@pytest.mark.parametrize("name", ["frontier", "pythia"])
def test_line_with_its_intervals_equals_r(name, releases, panel):
    rows = releases if name == "frontier" else pythia(panel)
    names = (X, Y) if name == "frontier" else ("hellaswag", "truthfulqa")
    result, known = stats.ols(*pair(rows, names)), R["line"][name]
    for part in ("slope", "intercept"):
        ours = getattr(result, part)
        assert (ours.estimate, ours.low, ours.high) == pytest.approx(
            [known[part], known[f"{part}_low"], known[f"{part}_high"]], rel=CLOSED
        )
    assert result.residual_sd == pytest.approx(known["residual_sd"], rel=CLOSED)
    covariance = [[known["var_slope"], known["cov"]], [known["cov"], known["var_intercept"]]]
    assert np.asarray(result.covariance) == pytest.approx(np.array(covariance), rel=CLOSED)
    of_r = np.array([[row["fit"], row["lwr"], row["upr"]] for row in known["prediction"]]).T
    ours = result.at(known["at"]) + np.outer([0, -1, 1], result.half(known["at"]))
    assert ours == pytest.approx(of_r, rel=CLOSED)


def test_the_vertex_of_pooled_families_equals_r():
    rows, known = read("pooled"), R["quadratic"]["pooled"]
    fit = boundary.fit_parabolas(np.log10(rows["params_b"].to_numpy(float)), rows["truthfulqa"].to_numpy(float))
    assert 10 ** fit.vertex()[0] == pytest.approx(known["vertex_b"], rel=1e-8)


def test_local_coupling_intervals_and_probabilities_equal_r(panel):
    steps = coupling.local_coupling(pythia(panel)[["model", "params_b", "hellaswag", "truthfulqa"]])
    known = pd.DataFrame(R["local_coupling"])
    for name in ("gamma", "low", "high"):
        assert steps[name].to_numpy() == pytest.approx(known[name].to_numpy(), rel=ROOT)
    for name in ("p_negative", "p_tax", "p_bonus"):
        assert steps[name].to_numpy() == pytest.approx(known[name].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("name", ["labs", "frontier"])
def test_slopes_of_labs_equal_r(name, labs, releases):
    result = frontier.lab_slopes(labs if name == "labs" else releases).set_index("lab")
    known = pd.DataFrame(R["lab_slopes"][name]).set_index("lab")
    assert set(result.index) == set(known.index)
    for column in ("n", "slope", "low", "high", "standard_error"):
        assert result.loc[known.index, column].to_numpy() == pytest.approx(known[column].to_numpy(), rel=CLOSED)


@pytest.mark.parametrize("name", ["labs", "frontier"])
def test_heterogeneity_and_shrunken_slopes_equal_metafor(name, labs, releases):
    slopes = frontier.lab_slopes(labs if name == "labs" else releases)
    slopes, known = frontier.known_errors(slopes), R["pooled_slopes"][name]
    result = frontier.heterogeneity(slopes)
    for part in ("q", "p", "tau", "common", "common_low", "common_high"):
        assert result[part] == pytest.approx(known[part], rel=1e-7, abs=1e-12), part
    shrunk = frontier.shrunken_slopes(slopes).set_index("lab")["shrunk"]
    assert shrunk.to_dict() == pytest.approx(known["shrunk"], rel=1e-7)


def test_leave_one_lab_out_equals_r(releases):
    result, by_lab = frontier.leave_one_lab_out(releases)
    known = R["leave_one_lab_out"]
    assert by_lab.set_index("lab")["error"].to_dict() == pytest.approx(known["errors"], rel=CLOSED)
    assert (result.estimate, result.low, result.high) == pytest.approx(
        (known["mean"], known["low"], known["high"]), rel=CLOSED
    )


def test_lab_means_of_h_equal_r(releases):
    result = frontier.lab_means(releases, core_only=False).set_index("lab")
    for row in R["lab_means"]:
        assert result.loc[row["lab"], ["mean", "low", "high"]].astype(float).tolist() == pytest.approx(
            [row["mean"], row["low"], row["high"]], rel=1e-8
        )


@pytest.mark.parametrize("row", R["wilson"], ids=lambda row: f"{row['k']} of {row['n']}")
def test_wilson_equals_r(row):
    result = stats.wilson(row["k"], row["n"])
    assert (result.low, result.high) == pytest.approx((row["low"], row["high"]), abs=1e-12)


def test_permutation_p_approaches_the_exact_p_of_all_orders(panel):
    rows, known = pythia(panel), R["permutation"]
    x = rows["hellaswag"].to_numpy(float)
    y = rows["winogrande"].to_numpy(float) - 0.9 * x
    r = float(stats.pearson_rows(x, y))
    assert r == pytest.approx(known["r"], rel=CLOSED)
    draws = 40_000
    orders = stats.permutations_within(np.zeros(x.size), draws, stats.generator(5))
    many = stats.pearson_rows(x, y[orders])
    for alternative, exact in (("two-sided", known["two_sided"]), ("less", known["less"])):
        result = stats.permutation_p(r, many, alternative)
        assert result == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / draws) + 2 / draws)


@pytest.mark.parametrize("name", ["base", "pythia"])
def test_effective_dimension_equals_r(name, panel):
    rows = panel if name == "base" else pythia(panel)
    result, known = coupling.effective_dimension(rows, resamples=2), R["spectrum"][name]
    assert result.estimate.n == known["n"]
    assert result.eigenvalues == pytest.approx(known["eigenvalues"], rel=1e-7, abs=1e-9)
    assert result.estimate.estimate == pytest.approx(known["participation"], rel=CLOSED)
    scores = rows[list(tables.BASE_BENCHMARKS)].dropna().to_numpy(float)
    assert float(participation_ratio(scores)[0]) == pytest.approx(known["participation"], rel=CLOSED)


def test_the_reference_says_what_made_it():
    assert R["versions"]["R"].startswith("R version 4")
    assert set(R["versions"]) == {"R", "metafor", "platform"}


# A known motion of two standardised scores: dz/dt = A z + c, and the same with a product.
LINEAR = np.array([[0.30, -0.55, 0.20], [-0.10, 0.45, -0.35]])  # constant, first, second


def _ladder(slope, sizes=60):
    """Scores of a family that moves exactly by `slope`, integrated by scipy (DOP853), at many sizes."""
    t = np.linspace(-1.0, 2.0, sizes)
    run = solve_ivp(lambda _, z: slope(z), (t[0], t[-1]), [1.0, 0.2], "DOP853", t, rtol=1e-11, atol=1e-12)
    return pd.DataFrame({"params_b": 10**t, "first": run.y[0], "second": run.y[1]})


def _linear(z):
    return LINEAR @ np.array([1.0, *z])


def test_least_squares_on_midpoints_recovers_a_linear_system():
    system = dynamics.fit_linear(_ladder(_linear), benchmarks=["first", "second"])
    assert system.coefficients == pytest.approx(LINEAR, abs=2e-3)


def test_a_forecast_equals_scipys_own_integrator():
    ladder = _ladder(_linear)
    system = dynamics.System(("first", "second"), LINEAR, 6, 59, ladder.iloc[0])
    path = dynamics.forecast(system, ladder["params_b"])
    assert path[["first", "second"]].to_numpy() == pytest.approx(ladder[["first", "second"]].to_numpy(), abs=1e-6)
