"""Every public function of the statistics as a call on generated data; `test_properties.py` holds all to account.

A new public function belongs into one of the tables here, or its absence is a failing test.
"""

import numpy as np
import pandas as pd

from cape_lib import dashboard, frontier, stats
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.tables import BASE_BENCHMARKS

N = 60  # draws of whatever is resampled
X, Y = "swe_bench_verified", "gpqa_diamond"
PAIR = ["hellaswag", "truthfulqa"]


def panel_of(seed, families=9, sizes=5):
    """Base models: families of sizes with scores that follow size, family and luck."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(families):
        for j in range(sizes):
            size = 0.1 * (1 + 0.07 * i) * 3.0**j
            about = 30 + 8 * j + rng.normal(0, 3)
            row = {
                "model": f"f{i}-{j}",
                "family": f"F{i}",
                "ladder": f"F{i}",
                "params_b": size,
                "d_model": 256.0 * 2**j,
                "pretrain_tokens_b": 100.0 * 1.5**i * (1 + 0.1 * j),
            }
            row |= {
                "training": "curated" if i == 8 else "web",
                "instruct": False,
                "doubtful": False,
                "loss": 3.0 - 0.2 * j,
            }
            row |= {b: float(np.clip(about + rng.normal(0, 4), 3, 97)) for b in BASE_BENCHMARKS}
            rows.append(row | {"truthfulqa": float(np.clip(38 + (j - 2) ** 2 + rng.normal(0, 1.5), 3, 97))})
    return pd.DataFrame(rows)


def releases_of(seed, labs=(7, 5, 4, 3, 1)):
    """Frontier releases of some labs over two years."""
    rng = np.random.default_rng(seed)
    lab = np.repeat([f"Lab {i}" for i in range(len(labs))], labs)
    n = lab.size
    swe = rng.uniform(30, 80, n)
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.sort(rng.choice(700, n, replace=False)), unit="D")
    frame = pd.DataFrame({"model": [f"m{i}" for i in range(n)], "lab": lab, "released": day, "swe_bench_verified": swe})
    frame["release_date"] = frame["released"].dt.strftime("%Y-%m-%d")
    frame["gpqa_diamond"] = np.clip(46 + 0.5 * swe + rng.normal(0, 6, n), 5, 99)
    frame["hle"], frame["ifeval"] = np.clip(swe - 30 + rng.normal(0, 4, n), 1, 60), rng.uniform(60, 95, n)
    tiers = np.array(["small", "large"])[np.arange(n) % 2]
    status = {f"{axis}_status": np.where(np.arange(n) % 3, "confirmed", "unchecked") for axis in (X, Y)}
    return frame.assign(frozen=np.arange(n) < n - 3, subset="core", compute_tier=tiers, **status)


def _dated(releases: pd.DataFrame) -> pd.DataFrame:
    return frontier.h_field(releases, chosen=None).sort_values(["released", "model"])


def ladder(panel):
    return panel[panel["family"] == panel["family"].min()]


def others(panel):
    return panel[panel["family"] != panel["family"].min()]


def linear(panel):
    return dynamics.fit_linear(ladder(panel), benchmarks=PAIR)


BASE = {
    "local_coupling": lambda p: coupling.local_coupling(ladder(p)),
    "local_couplings": coupling.local_couplings,
    "whole_ladder": lambda p: coupling.whole_ladder(ladder(p)),
    "whole_ladders": coupling.whole_ladders,
    "signs_by_size": lambda p: coupling.signs_by_size(coupling.local_couplings(p)),
    "known_steps": coupling.known_steps,
    "signs_by_tokens": lambda p: coupling.signs_by_tokens(coupling.known_steps(p)),
    "base_rate": lambda p: coupling.base_rate(coupling.known_steps(p), 1.0),
    "regression": lambda p: coupling.regression(coupling.known_steps(p), "gamma", ("size", "tokens")),
    "partial_couplings": coupling.partial_couplings,
    "training_tokens": lambda p: np.sort(coupling.training_tokens(p)),
    "family_model": lambda p: coupling.family_model(coupling.known_steps(p), p).terms(),
    "population_coupling": lambda p: coupling.population_coupling(p, resamples=N),
    "effective_dimension": lambda p: coupling.effective_dimension(p, resamples=N).estimate,
    "pair_couplings": coupling.pair_couplings,
    "cut_sweep": lambda p: coupling.cut_sweep(p, [1.5, 3.5]),
    "critical_scales": lambda p: boundary.critical_scales(ladder(p)),
    "boundary_power": lambda p: boundary.boundary_power(ladder(p)),
    "carried_on": lambda p: dynamics.carried_on(ladder(p)),
    "web_trend": lambda p: levers.web_trend(p, PAIR[1]),
    "beside_trend": lambda p: levers.beside_trend(levers.web_trend(p, PAIR[1]), 1.0),
    "vertex_intervals": lambda p: boundary.vertex_intervals(p, resamples=N).drop(columns="reason"),
    "vertex_bootstrap": lambda p: boundary.vertex_bootstrap(p, resamples=N, seed=1),
    "classify": boundary.classify,
    "compare_readings": boundary.compare_readings,
    "ratio_sweep": lambda p: boundary.ratio_sweep(p, [0.1, 0.3]),
    "midpoints": dynamics.midpoints,
    "fit_linear": lambda p: linear(p).coefficients,
    "fit_error": lambda p: dynamics.fit_error(linear(p), ladder(p)),
    "forecast": lambda p: dynamics.forecast(linear(p), [1.0, 2.0]),
    "gamma_flow": lambda p: dynamics.gamma_flow(ladder(p)),
    "hold_out": lambda p: dynamics.hold_out(others(p), ladder(p), benchmarks=PAIR),
    "leave_one_family_out": lambda p: dynamics.leave_one_family_out(p),
    "leave_one_size_out": lambda p: dynamics.leave_one_size_out(ladder(p), benchmarks=PAIR),
    "loss_law": lambda p: dynamics.loss_law(ladder(p).assign(loss=ladder(p)["truthfulqa"] / 20)),
    "width_normalised": lambda p: levers.width_normalised(ladder(p), resamples=N),
    "width_by_ladder": lambda p: levers.width_by_ladder(p, resamples=N),
    "normalise": lambda p: levers.normalise(ladder(p)),
    "curated": levers.curated,
    "web_trained": levers.web_trained,
    "curation_contrasts": levers.curation_contrasts,
    "equivalent_scale": lambda p: levers.equivalent_scale(p, resamples=N),
    "ten_times": lambda p: levers.ten_times(levers.equivalent_scale(p, resamples=N)),
    "diagnose_family": lambda p: dashboard.diagnose_family(ladder(p)),
    "diagnose_model": lambda p: dashboard.diagnose_model(_first(p)),
    "resampling.complete_rows": lambda p: stats.complete_rows(p, ["params_b", *PAIR]),
    "ladder_rows": lambda p: stats.ladder_rows(ladder(p), PAIR),
    "score_noise": lambda p: stats.score_noise(stats.complete_rows(p, PAIR), "hellaswag"),
}
RELEASES = {
    "fit_line": lambda r: frontier.fit_line(r).fit,
    "frozen_rows": frontier.frozen_rows,
    "complete_rows": lambda r: frontier.complete_rows(r, X, Y),
    "h_field": lambda r: frontier.h_field(r, chosen=None),
    "published_band": frontier.published_band,
    "later_releases": frontier.later_releases,
    "lab_means": frontier.lab_means,
    "lab_slopes": frontier.lab_slopes,
    "leave_one_lab_out": frontier.leave_one_lab_out,
    "heterogeneity": lambda r: frontier.heterogeneity(frontier.lab_slopes(r)),
    "known_errors": lambda r: frontier.known_errors(frontier.lab_slopes(r)),
    "shrunken_slopes": lambda r: frontier.shrunken_slopes(frontier.lab_slopes(r)),
    "lab_permutation": lambda r: frontier.lab_permutation(r, resamples=N).drop(columns="p_corrected"),
    "lab_r": frontier.lab_r,
    "lab_line": frontier.lab_line,
    "within_lab_scatter": frontier.within_lab_scatter,
    "date_confound": frontier.date_confound,
    "subset_correlations": frontier.subset_correlations,
    "compute_tiers": frontier.compute_tiers,
    "range_cuts": frontier.range_cuts,
    "saturation": frontier.saturation,
    "rotation": frontier.rotation,
    "top_rows": lambda r: frontier.top_rows(r, X),
    "spread_draws": lambda r: sorted(frontier.spread_draws(r, X, (X, Y), k=5)),
    "trajectories": lambda r: frontier.trajectories(r, chosen=None),
    "changes": lambda r: frontier.changes(_dated(r), scatter=(5.0, 20)),
    "order_null": lambda r: frontier.order_null(frontier.trajectories(r, chosen=None), resamples=N),
    "influence": frontier.influence,
    "headline_numbers": frontier.headline_numbers,
    "cell_effects": lambda r: frontier.cell_effects(r, _moved(r)),
    "correction_effects": lambda r: frontier.correction_effects(r, _moved(r), resamples=N),
    "beside_curve": frontier.beside_curve,
    "next_steps": frontier.next_steps,
    "curve_score": lambda r: frontier.curve_score(frontier.next_steps(r)),
    "pair_table": frontier.pair_table,
    "diagnose_release": lambda r: dashboard.diagnose_release(_as_typed(r)),
}


#: those that take long on a table: `make check` leaves them to `make test`
SLOW = {
    "compare_readings",
    "correction_effects",
    "family_model",
    "lab_permutation",
    "leave_one_family_out",
    "rotation",
    "regression",
    "whole_ladders",
}


def _first(panel):
    """The first model of a panel as the dashboard gets it."""
    nobody = {"params_b": 1.0, "hellaswag": 50.0, "truthfulqa": 40.0}
    return panel.sort_values("model").iloc[:1].to_dict("records")[0] if len(panel) else nobody


def _as_typed(releases):
    return releases.sort_values("model")[["model", X, Y]].dropna().to_dict("records") or [{X: 50.0, Y: 60.0}]


def _moved(releases):
    """The same releases with one cell changed."""
    after = releases.copy()
    if len(after):
        after.loc[after["model"] == after["model"].min(), Y] = 60.0
    return after


def vectors(seed, n=12):
    rng = np.random.default_rng(seed)
    return rng.uniform(5, 95, n), rng.uniform(5, 95, n), rng.uniform(0.1, 3, n)


def _groups(x):
    return [f"group {i % 9}" for i in range(len(x))]


def _rng():
    return np.random.default_rng(3)


#: functions of numbers: called with (x, y, sd), arrays of one length
NUMBERS = {
    "pearson": lambda x, y, s: stats.pearson(x, y),
    "student": lambda x, y, s: stats.student(0.95, len(x)),
    "pearson_rows": lambda x, y, s: stats.pearson_rows(x, y),
    "fisher": lambda x, y, s: stats.fisher(float(np.tanh(s.sum() / 50 - 1)), len(x)),
    "clustered": lambda x, y, s: stats.clustered(np.median, y, clusters=_groups(x)) if len(x) > 2 else None,
    "clustered_r": lambda x, y, s: stats.clustered_r(x, y, _groups(x), given=s),
    "clustered_share": lambda x, y, s: stats.clustered_share(x > 50, _groups(x)),
    "within": lambda x, y, s: stats.within(np.column_stack([x, y]), _groups(x)),
    "within_r": lambda x, y, s: stats.within_r(x, y, (s > 1).astype(int), resamples=N, rng=_rng()),
    "scatter_within": lambda x, y, s: stats.scatter_within(x, (s > 1).astype(int)),
    "labels_to_codes": lambda x, y, s: stats.labels_to_codes(_groups(x)),
    "corrected": lambda x, y, s: stats.corrected(x / 100),
    "normal_estimate": lambda x, y, s: stats.normal_estimate(s.sum(), s.sum(), len(x)),
    "normal_p": lambda x, y, s: [stats.normal_p(float(v)) for v in s],
    "p_text": lambda x, y, s: [stats.p_text(float(v) / 100) for v in x],
    "p_short": lambda x, y, s: [stats.p_short(float(v) / 100) for v in x],
    "seen_difference": lambda x, y, s: [stats.seen_difference(float(v), tests=7) for v in s],
    "seen_effect": lambda x, y, s: stats.seen_effect(stats.normal_estimate(s.sum(), s.sum(), len(x))),
    "seen_share": lambda x, y, s: stats.seen_share(len(x)),
    "seen_signs": lambda x, y, s: stats.seen_signs(len(x)),
    "ols": lambda x, y, s: stats.ols(x, y),
    "complete": lambda x, y, s: stats.complete(x, y),
    "wilson": lambda x, y, s: stats.wilson(int((x > 50).sum()), len(x)),
    "wilson_clustered": lambda x, y, s: stats.wilson_clustered(x > 50, np.arange(len(x)) // 3),
    "fieller_limits": lambda x, y, s: stats.fieller_limits(y, x, var_dy=s, var_dx=s),
    "ratio_below": lambda x, y, s: stats.ratio_below(0.1, y, x, var_dy=s, var_dx=s),
    "score_sd": lambda x, y, s: stats.score_sd(x, items=100),
    "noisy_scores": lambda x, y, s: stats.noisy_scores(x, s, 5, _rng()),
    "percentile_interval": lambda x, y, s: stats.percentile_interval(x),
    "permutation_p": lambda x, y, s: stats.permutation_p(40.0, x),
    "sign_flip_p": lambda x, y, s: stats.sign_flip_p(y - 50.0),
    "permutations_within": lambda x, y, s: stats.permutations_within((x > 50).astype(int), 5, _rng()),
    "mean_interval": lambda x, y, s: stats.mean_interval(x, "t"),
    "row_bootstrap_counts": lambda x, y, s: stats.row_bootstrap_counts(max(len(x), 1), 5, _rng()),
    "cluster_bootstrap_counts": lambda x, y, s: stats.cluster_bootstrap_counts((x > 50).astype(int), 5, _rng()),
    "isocline": lambda x, y, s: stats.isocline(x),
    "participation_ratio": lambda x, y, s: coupling.participation_ratio(np.column_stack([x, y, s])) if len(x) else None,
    "kept_vertices": lambda x, y, s: boundary.kept_vertices(boundary.fit_parabolas(x, y)) if len(x) else None,
    "turning_points": lambda x, y, s: boundary.turning_points(boundary.fit_parabolas(x, y), x) if len(x) else None,
    "misfit": lambda x, y, s: boundary.misfit("vertex", x, (x, y), s) if len(x) else None,
    "noise_draws": lambda x, y, s: boundary.noise_draws(x, y),
    "fit_parabolas": lambda x, y, s: boundary.fit_parabolas(x, y) if len(x) else None,
    "turn_p": lambda x, y, s: boundary.turn_p(np.sort(x), y, s, turn=50.0) if len(set(x)) > 3 else None,
    "phase": lambda x, y, s: [coupling.phase(float(v)) for v in x - y],
    "settled_beyond": lambda x, y, s: coupling.settled_beyond(len(x) + 1),
    "classify_changes": lambda x, y, s: frontier.classify_changes(x) if len(x) else None,
    "change_limit": lambda x, y, s: frontier.change_limit(s, 20, len(x)),
    "read_h": lambda x, y, s: frontier.read_h(x, y, frontier.line("frozen")),
    "spread": lambda x, y, s: frontier.spread(x) if len(x) else None,
    "noise_spread": lambda x, y, s: [frontier.noise_spread(float(v), Y, draws=N) for v in x[:2]],
    "minimum_curation": lambda x, y, s: [levers.minimum_curation(float(v)) for v in x],
}

#: public, and no statistic of generated data: why, and where it is tested
ELSEWHERE = {
    "mixture_interval": "parts of a mixture: test_resampling",
    "dimension_interval": "resamples of a dimension: test_coupling and the table of coverage",
    "posterior": "a grid of likelihoods: test_steps",
    "restricted_likelihood": "statsmodels' own: test_steps",
    "step_noise": "noise that neighbours share: test_steps",
    "judged": "verdicts and words: test_boundary",
    "diagnose_variant": "a model of today beside the variants: test_diagnosis",
    "diagnose_pairs": "one size under several conditions: test_axes",
    "labelled": "words: test_frontier_lines",
    "generator": "makes the random generator: test_resampling",
    "fixed_normals": "draws that are the same for all data: test_resampling",
    "flow": "the line of `gamma_flow`: test_one_answer",
    "fit_sparse": "known systems recovered by pysindy: test_dynamics",
    "check_lab": "a name: test_frontier_labs",
    "line": "lines by name: test_frontier_lines",
    "published_matrix": "constants: test_frontier_axes",
    "effort_contrasts": "rows of the claims table: test_frontier_dates_and_noise",
    "rule_error_rates": "a simulation from a seed: test_frontier_trajectory",
    "architecture_rows": "rows of the table of internals: test_levers",
    "generation_pairs": "rows of the table of internals: test_levers",
    "rule_table": "words: test_diagnosis",
    "seen_words": "words: test_claims",
    "show": "a page: test_live",
    "spread_interval": "inside `saturation`: test_frontier_axes",
    "what_it_compares_with": "words: test_diagnosis",
}
