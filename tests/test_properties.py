"""What must hold for any data: order of rows, names and seeds; inputs stay as they are; odd tables are answered.

Every public statistic on a table of models or releases goes through the same checks; a new one is one line in `BASE`
or `RELEASES`. Below: hostile input, a short run of `benchmarks/fuzz.py`.
"""

import dataclasses
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hostile import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cape_lib import boundary, coupling, diagnosis, dynamics, frontier, levers
from cape_lib.errors import CapeError
from cape_lib.tables import BASE_BENCHMARKS

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
# Numbers that come of random draws over rows: another order of rows takes other draws.
DRAWN = {"low", "high", "p", "share", "null", "kept", "draws", "p_rotate", "expected", "noise_spread", "unreached"}
N = 60  # draws of whatever is resampled


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
    return frame.assign(frozen=True, subset="core", compute_tier=None)


def ladder(panel):
    return panel[panel["family"] == panel["family"].min()]


BASE = {
    "local_coupling": lambda p: coupling.local_coupling(ladder(p)),
    "local_couplings": coupling.local_couplings,
    "signs_by_size": lambda p: coupling.signs_by_size(coupling.local_couplings(p)),
    "population_coupling": lambda p: coupling.population_coupling(p, resamples=N),
    "effective_dimension": lambda p: coupling.effective_dimension(p, resamples=N).estimate,
    "pair_couplings": coupling.pair_couplings,
    "cut_sweep": lambda p: coupling.cut_sweep(p, [1.5, 3.5]),
    "critical_scales": lambda p: boundary.critical_scales(ladder(p), resamples=N),
    "vertex_intervals": lambda p: boundary.vertex_intervals(p, resamples=N).drop(columns="reason"),
    "vertex_bootstrap": lambda p: boundary.vertex_bootstrap(p, resamples=N, seed=1),
    "u_shape": boundary.u_shape,
    "calibrate": boundary.calibrate,
    "classify": boundary.classify,
    "compare_readings": boundary.compare_readings,
    "ratio_sweep": lambda p: boundary.ratio_sweep(p, [0.1, 0.3]),
    "midpoints": dynamics.midpoints,
    "fit_linear": lambda p: dynamics.fit_linear(ladder(p), benchmarks=["hellaswag", "truthfulqa"]).coefficients,
    "leave_one_family_out": lambda p: dynamics.leave_one_family_out(p),
    "loss_law": lambda p: dynamics.loss_law(ladder(p), irreducible=1.0, exponent=0.1),
    "width_normalised": lambda p: levers.width_normalised(ladder(p), resamples=N),
    "width_by_ladder": lambda p: levers.width_by_ladder(p, resamples=N),
    "curation_contrasts": levers.curation_contrasts,
    "equivalent_scale": lambda p: levers.equivalent_scale(p, resamples=N),
    "diagnose_family": lambda p: diagnosis.diagnose_family(ladder(p)),
}
RELEASES = {
    "fit_line": lambda r: frontier.fit_line(r).fit,
    "h_field": lambda r: frontier.h_field(r, chosen=None),
    "lab_means": frontier.lab_means,
    "lab_slopes": frontier.lab_slopes,
    "leave_one_lab_out": frontier.leave_one_lab_out,
    "heterogeneity": lambda r: frontier.heterogeneity(frontier.lab_slopes(r)),
    "shrunken_slopes": lambda r: frontier.shrunken_slopes(frontier.lab_slopes(r)),
    "lab_permutation": lambda r: frontier.lab_permutation(r, resamples=N),
    "date_confound": frontier.date_confound,
    "r_by_year": frontier.r_by_year,
    "trend_removed_h": frontier.trend_removed_h,
    "subset_correlations": frontier.subset_correlations,
    "range_cuts": frontier.range_cuts,
    "slope_corrections": lambda r: frontier.slope_corrections(r, noise_sd=3.0, resamples=N).query("method != 'SIMEX'"),
    "saturation": frontier.saturation,
    "saturation_over_time": frontier.saturation_over_time,
    "trajectories": lambda r: frontier.trajectories(r, chosen=None),
    "influence": frontier.influence,
}
ALL = [pytest.param(f, panel_of, id=name) for name, f in BASE.items()]
ALL += [pytest.param(f, releases_of, id=name) for name, f in RELEASES.items()]


def plain(value, drop=frozenset(), order=False):
    """An answer as nested plain data; `drop` leaves out fields by name, `order` makes the order of rows not matter."""
    if isinstance(value, pd.DataFrame):
        kept = [c for c in value.columns if not _drawn(c, drop)]
        rows = [{c: plain(v) for c, v in row.items()} for row in value[kept].to_dict("records")]
        return sorted(rows, key=lambda row: repr([_coarse(v) for v in row.values()])) if order else rows
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not _drawn(f.name, drop)}
        return {name: plain(part, drop, order) for name, part in fields.items()}
    if isinstance(value, dict):
        return {str(k): plain(v, drop, order) for k, v in value.items() if not _drawn(k, drop)}
    if isinstance(value, tuple | list):
        return [plain(part, drop, order) for part in value]
    if isinstance(value, np.ndarray):
        return [plain(part) for part in value.tolist()]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | float | np.number):
        return float(value)
    return None if value is None or value is pd.NaT else str(value)


def _drawn(name, drop):
    return any(str(name) == word or str(name).endswith(f"_{word}") for word in drop)


def _coarse(value):
    return f"{value:.4g}" if isinstance(value, float) else value


def same(one, other, tolerance=1e-7):
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other, rel=tolerance, abs=tolerance)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k], tolerance) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return one == other


@pytest.mark.parametrize(("function", "table"), ALL)
@FEW
@given(seed=SEEDS)
def test_the_same_call_gives_the_same_answer_and_leaves_its_input_alone(function, table, seed):
    frame = table(seed)
    before = frame.copy(deep=True)
    first = plain(function(frame))
    pd.testing.assert_frame_equal(frame, before)
    assert same(first, plain(function(frame)), 0.0)


@pytest.mark.parametrize(("function", "table"), ALL)
@FEW
@given(seed=SEEDS)
def test_the_order_of_rows_and_their_index_do_not_matter(function, table, seed):
    frame = table(seed)
    shuffled = frame.sample(frac=1.0, random_state=seed).set_index(np.arange(len(frame)) * 7 + 3)
    one, other = (plain(function(rows), DRAWN, True) for rows in (frame, shuffled))
    assert same(one, other, 1e-6)


@pytest.mark.parametrize(("function", "table"), ALL)
@FEW
@given(seed=SEEDS)
def test_other_names_for_families_and_labs_change_no_number(function, table, seed):
    frame = table(seed)
    renamed = frame.copy()
    for column in {"family", "ladder", "lab"} & set(frame.columns):
        # Names that keep their order, so that ties by name fall alike.
        renamed[column] = "Ω " + renamed[column] + " <b>'\""
    numbers = [_numbers(plain(function(rows))) for rows in (frame, renamed)]
    assert same(*numbers)


def _numbers(node):
    if isinstance(node, dict):
        return [number for part in node.values() for number in _numbers(part)]
    if isinstance(node, list):
        return [number for part in node for number in _numbers(part)]
    return [node] if isinstance(node, float) else []


ODD = {
    "one row": lambda f: f.iloc[:1],
    "two rows": lambda f: f.iloc[:2],
    "no row": lambda f: f.iloc[:0],
    "constant scores": lambda f: f.assign(**{c: 40.0 for c in _scores(f)}),
    "all scores missing": lambda f: f.assign(**{c: np.nan for c in _scores(f)}),
    "scores of 0 and 100": lambda f: f.assign(**{c: np.where(np.arange(len(f)) % 2, 0.0, 100.0) for c in _scores(f)}),
    "rows twice": lambda f: pd.concat([f, f], ignore_index=True),
    "tied scores": lambda f: f.assign(**{c: (f[c] / 20).round() * 20 for c in _scores(f)}),
    "half missing": lambda f: f.assign(**{c: f[c].where(np.arange(len(f)) % 2 == 0) for c in _scores(f)}),
}


def _scores(frame):
    known = {"hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu", "swe_bench_verified", "gpqa_diamond"}
    return sorted(known & set(frame.columns))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(("function", "table"), ALL)
def test_an_odd_table_is_answered_or_refused_in_words(function, table, odd):
    frame = ODD[odd](table(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            function(frame)
        except CapeError as problem:
            assert str(problem).strip()


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_input_is_refused_in_one_line_or_read_as_it_stands(name, tmp_path):
    strategy, check = TARGETS[name]

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def any_case(case):
        check(case, tmp_path)

    any_case()
