"""Steps beside training tokens, and one model of all families: figures of the panel, statsmodels, planted truths."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from cape_lib import stats, tables
from cape_lib.base import coupling
from cape_lib.base.coupling import posterior, restricted_likelihood, step_noise
from cape_lib.errors import MissingError, UsageError


@pytest.fixture(scope="module")
def panel():
    return tables.base("uniform")


@pytest.fixture(scope="module")
def steps(panel):
    return coupling.known_steps(panel)


@pytest.fixture(scope="module")
def model(steps, panel):
    return coupling.family_model(steps, panel)


def test_steps_of_families_with_few_tokens_are_negative_up_to_ten_billion(steps):
    table = coupling.signs_by_tokens(steps)
    assert list(zip(table["negative"], table["steps"], strict=True)) == [
        (16, 17),
        (3, 8),
        (9, 9),
        (5, 14),
        (1, 4),
        (5, 20),
    ]
    assert table["steps"].sum() == steps["tokens_b"].notna().sum() == 72


@pytest.mark.parametrize(
    ("size", "shares"), [("geometric mean", [0.73, 0.60, 0.26]), ("smaller model", [0.72, 0.35, 0.25])]
)
def test_where_the_share_falls_depends_on_the_size_that_a_step_is_given(steps, size, shares):
    table = coupling.signs_by_size(steps, edges=(3.5, 10.0), size=size)
    assert table["share"].round(2).tolist() == shares
    counts = np.histogram(steps[coupling.SIZE_RULES[size]], [0, 3.5, 10, np.inf])[0]
    assert table["steps"].tolist() == counts.tolist()
    with pytest.raises(UsageError, match="geometric mean"):
        coupling.signs_by_size(steps, size="mean")


def test_the_slip_in_the_source_is_no_number_of_tokens(panel):
    tokens = pd.Series(coupling.training_tokens(panel), index=panel["model"])
    assert np.isnan(tokens["btlm-3b-8k-base"]) and tokens["pythia-1b-deduped"] == 300 and tokens.notna().sum() == 122


def test_compute_of_a_step_is_six_n_d_of_its_two_means(steps):
    llama = steps.set_index("smaller").loc["Llama-2-7b-hf"]
    assert llama["flops_1e21"] == pytest.approx(6 * np.sqrt(7 * 13) * 2000 / 1e3)


def test_the_regression_of_the_sign_is_the_logit_with_wider_errors(steps):
    table = coupling.regression(steps, "sign", ("size", "tokens")).set_index("term")
    rows = steps.dropna(subset=["tokens_b"])
    design = sm.add_constant(np.log10(rows[["size_b", "tokens_b"]].to_numpy()))
    groups = pd.factorize(rows["family"])[0]
    known = sm.Logit(rows["gamma"] < 0, design).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    assert table["estimate"].to_numpy() == pytest.approx(np.asarray(known.params)[1:], abs=1e-4)
    assert (table["p"].to_numpy() > np.asarray(known.pvalues)[1:]).all()
    assert known.pvalues.iloc[2] == pytest.approx(0.006, abs=0.001)
    assert table.loc["tokens", "p"] < 0.05 < table.loc["size", "p"]


@pytest.mark.slow
def test_the_regression_of_gamma_is_least_squares_of_the_changes(steps):
    table = coupling.regression(steps, "gamma", ("tokens",))
    rows = steps.dropna(subset=["tokens_b"])
    decades = np.log10(rows["tokens_b"])
    design = np.column_stack([np.ones(len(rows)), decades - decades.mean()]) * rows["dx"].to_numpy()[:, None]
    assert table["estimate"][0] == pytest.approx(np.linalg.lstsq(design, rows["dy"], rcond=None)[0][1])
    assert table["families"][0] == 31 and table["low"][0] > 0


def test_given_size_and_tokens_the_scores_of_large_models_no_longer_go_together(panel):
    table = coupling.partial_couplings(panel).set_index(["side", "held"])
    assert table.loc[("above", "nothing"), "low"] > 0
    assert table.loc[("above", "size and tokens"), "low"] < 0 < table.loc[("above", "size and tokens"), "high"]
    rows = panel.assign(t=coupling.training_tokens(panel)).query("t > 0 and params_b >= 3.5")
    known = stats.pearson(rows["hellaswag"], rows["truthfulqa"], given=np.log10(rows[["params_b", "t"]]))
    assert table.loc[("above", "size and tokens"), "r"] == pytest.approx(known.estimate)
    few = rows["t"] < 600
    r = [stats.pearson(part["hellaswag"], part["truthfulqa"]) for part in (rows[few], rows[~few])]
    assert [(round(v.estimate, 2), v.n) for v in r] == [(-0.33, 15), (0.39, 60)]


def test_a_base_rate_counts_the_steps_near_a_size_and_near_the_tokens(steps):
    tokens = steps["tokens_b"]
    chosen = (steps, steps[tokens.between(100, 900)], steps[tokens.between(1000, 9000)])
    every, few, many = (coupling.base_rate(rows, 1.0) for rows in chosen)
    near = steps[(steps["size_b"] / 1.0).between(1 / 3, 3)]
    assert (every.steps, every.tax) == (len(near), (near["gamma"] < -0.1).sum())
    assert every.negative == (near["gamma"] < 0).sum() >= every.tax
    whole = stats.clustered_share(near["gamma"] < -0.1, near["family"])
    assert (every.share.estimate, every.share.low, every.share.high) == (whole.estimate, whole.low, whole.high)
    assert few.share.estimate > 0.7 and many.share.estimate < 0.4 and few.steps + many.steps < every.steps
    with pytest.raises(UsageError, match="above 0"):
        coupling.base_rate(steps, 0.0)
    assert coupling.base_rate(steps, 1e6).steps == 0


def test_without_known_noise_the_restricted_likelihood_is_that_of_statsmodels():
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(20), 4)
    design = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    gamma = design @ [0.2, 0.3, -0.1] + rng.normal(size=20)[codes] * 0.5 + rng.normal(size=80) * 0.3
    noise = np.zeros((80, 80))
    best = minimize(
        lambda log: -restricted_likelihood(gamma, design, codes, noise, tuple(np.exp(log)))[0],
        np.log([0.4, 0.4]),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    )
    _, beta, covariance = restricted_likelihood(gamma, design, codes, noise, tuple(np.exp(best.x)))
    known = sm.MixedLM(gamma, design, groups=codes).fit(reml=True, method=["lbfgs"])
    assert beta == pytest.approx(known.fe_params, abs=1e-5)
    assert np.exp(2 * best.x) == pytest.approx([known.cov_re[0, 0], known.scale], rel=1e-3)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(known.bse_fe, rel=1e-2)


def test_known_noise_takes_the_place_of_part_of_the_spread():
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(25), 3)
    sd = rng.uniform(0.1, 0.8, 75)
    gamma = 0.4 + 0.5 * rng.normal(size=25)[codes] + sd * rng.normal(size=75)
    design = np.ones((75, 1))
    tau, weight, beta, _ = posterior(gamma, design, codes, np.diag(sd**2))
    aware = weight @ tau
    tau, weight, *_ = posterior(gamma, design, codes, np.eye(75) * 1e-6)
    assert aware[0] == pytest.approx(0.5, abs=0.2) and aware[1] < 0.3 < weight @ tau[:, 1]


def test_neighbouring_steps_share_the_noise_of_one_model_with_opposite_signs(steps, panel):
    rows = steps[steps["ladder"] == "Pythia"]
    noise = step_noise(rows, panel, np.zeros(len(rows)), x="hellaswag", y="truthfulqa")
    sd = pd.Series(stats.score_noise(panel, "truthfulqa"), index=panel["model"])
    first, second = rows.iloc[0], rows.iloc[1]
    assert noise[0, 1] == pytest.approx(-(sd[first["larger"]] ** 2) / (first["dx"] * second["dx"]))
    assert noise[0, 2] == 0 and (np.linalg.eigvalsh(noise) > 0).all()
    with pytest.raises(MissingError, match="mmlu_pro_stderr"):
        other = panel.assign(mmlu_pro=50.0)
        step_noise(rows, other, np.zeros(len(rows)), x="hellaswag", y="mmlu_pro")


@pytest.mark.slow
def test_the_turn_of_all_families_lies_below_the_published_one(model):
    assert (model.steps, model.families) == (72, 31)
    terms = model.terms().set_index("term")
    assert 0.1 < terms.loc["size", "estimate"] < 0.25 and 0.2 < terms.loc["tokens", "estimate"] < 0.45
    scale = model.critical_scale()
    assert 0.05 < scale.estimate < 0.6 and scale.low == 0.0 and 2.0 < scale.high < 3.5
    assert model.p_turn(2.9, 13.4) < 0.05 and 0.5 < model.p_no_turn() < 0.75
    assert model.critical_scale(tokens_b=300).estimate > model.critical_scale(tokens_b=3000).estimate
    with pytest.raises(UsageError, match="no training tokens"):
        coupling.family_model(coupling.known_steps(tables.base("uniform")), tables.base("uniform"), on=("size",)).gamma(
            1.0, tokens_b=300
        )


def test_what_the_model_says_of_a_turn_is_what_draws_of_its_posterior_say(model):
    rng = np.random.default_rng(9)
    point = rng.choice(model.weight.size, 40_000, p=model.weight)
    root = np.linalg.cholesky(model.covariance)[point]
    beta = model.beta[point] + np.einsum("dij,dj->di", root, rng.standard_normal((40_000, 3)))
    own = model.tau[point, 0] * rng.standard_normal(40_000)

    def gamma(size):
        return beta[:, 0] + beta[:, 1] * (np.log10(size) - model.centre["size"])

    assert model.p_turn(1.0, 13.4) == pytest.approx(((gamma(1.0) < 0) & (gamma(13.4) > 0)).mean(), abs=0.006)
    turns = ((gamma(0.1) + own < 0) & (gamma(100.0) + own > 0)).mean()
    assert model.p_no_turn() == pytest.approx(1 - turns, abs=0.01)
    interval = model.gamma(7.0)
    assert (interval.low, interval.high) == pytest.approx(np.quantile(gamma(7.0), [0.025, 0.975]), abs=0.01)
    assert model.spread().estimate == pytest.approx(np.median(model.tau[point, 0]), abs=0.02)
    scale = model.critical_scale()
    assert (gamma(scale.high) < 0).mean() == pytest.approx(0.025, abs=0.004)


@pytest.mark.slow
def test_a_planted_turn_comes_back():
    rng = np.random.default_rng(12)
    rows = []
    for f in range(40):
        tokens = 10 ** rng.uniform(2, 3.7)
        hellaswag, truthfulqa = 30.0, 40.0
        for size in (0.3, 1.0, 3.0, 9.0, 27.0):
            rows.append((f"m{f}-{size}", f"F{f}", f"F{f}", size, tokens, hellaswag, truthfulqa))
            gamma = 0.6 * (np.log10(size * np.sqrt(3)) - 0.5) + 0.4 * (np.log10(tokens) - 2.85)
            hellaswag, truthfulqa = hellaswag + 10, truthfulqa + 10 * gamma
    names = ["model", "family", "ladder", "params_b", "pretrain_tokens_b", "hellaswag", "truthfulqa"]
    panel = pd.DataFrame(rows, columns=names)
    for score in ("hellaswag", "truthfulqa"):
        panel[score] += rng.normal(size=len(panel)) * stats.score_noise(panel, score)
    model = coupling.family_model(coupling.known_steps(panel), panel)
    terms = model.terms().set_index("term")
    for term, truth in (("size", 0.6), ("tokens", 0.4)):
        assert terms.loc[term, "low"] < truth < terms.loc[term, "high"]
    scale = model.critical_scale(tokens_b=10**2.85)
    assert scale.contains(10**0.5) and scale.low > 1.0 and scale.high < 8.0
    # A family of its own without a level of its own has the turn of all.
    assert model.p_turn(1.0, 10.0, tokens_b=10**2.85) > 0.99 and model.spread().high < 0.2


def test_seven_families_are_too_few_for_a_model_of_all(steps, panel):
    seven = steps[steps["family"].isin(sorted(steps["family"].unique())[:7])]
    with pytest.raises(MissingError, match="needs 8"):
        coupling.family_model(seven, panel, on=("size",))
    with pytest.raises(MissingError, match="needs 8"):
        coupling.regression(seven, "sign", ("size",))
    with pytest.raises(MissingError, match="told apart"):
        coupling.regression(steps, "sign", ("size", "tokens", "compute"))
