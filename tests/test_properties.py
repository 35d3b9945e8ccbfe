"""What must hold for any data: order of rows, names and seeds; inputs stay as they are; odd tables are answered.

Every public statistic goes through the same checks; a new one is one line in `statistic_calls.py`, and a test fails
without it. Below: hostile input, a short run of `benchmarks/fuzz.py`.
"""

import dataclasses
import inspect
import math
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hostile import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st
from statistic_calls import BASE, ELSEWHERE, NUMBERS, RELEASES, SLOW, panel_of, releases_of, vectors

from cape_lib import dashboard, frontier, stats
from cape_lib.base import boundary, coupling, dynamics, levers
from cape_lib.errors import CapeError

SEEDS = st.integers(0, 10_000)
#: examples of what is slow: five, or two in `make check`
FEW = settings(max_examples=max(2, settings().max_examples // 12))
#: tables that each statistic of a table is tried on: five, or one where `make check` asks for few examples
TABLES = range(1, 1 + max(1, settings().max_examples // 12))
# Numbers that come of random draws over rows: another order of rows takes other draws.
DRAWN = {"low", "high", "p", "share", "null", "kept", "draws", "p_rotate", "expected", "noise_spread", "unreached"}
ALL = [
    pytest.param(function, table, id=name, marks=[pytest.mark.slow] * (name in SLOW))
    for calls, table in ((BASE, panel_of), (RELEASES, releases_of))
    for name, function in calls.items()
]


def plain(value, drop=frozenset(), order=False):
    """An answer as nested plain data; `drop` leaves out fields by name, `order` makes the order of rows not matter."""
    if isinstance(value, pd.DataFrame):
        rest = [c for c in value.columns if not _drawn(c, drop)]
        rows = [{c: plain(v) for c, v in row.items()} for row in value[rest].to_dict("records")]
        return sorted(rows, key=lambda row: repr([_coarse(v) for v in row.values()])) if order else rows
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not _drawn(f.name, drop)}
        return {name: plain(part, drop, order) for name, part in fields.items()}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, pd.Series):
        value = value.to_dict()
    if isinstance(value, dict):
        return {str(k): plain(v, drop, order) for k, v in value.items() if not _drawn(k, drop)}
    if isinstance(value, tuple | list):
        return [plain(part, drop, order) for part in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
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


@cache
def answer(function, table, seed):
    """What a statistic says of a generated table, which it leaves as it is."""
    frame = table(seed)
    before = frame.copy(deep=True)
    value = function(frame)
    pd.testing.assert_frame_equal(frame, before)
    return value


@pytest.mark.parametrize(("function", "table"), ALL)
def test_the_same_call_gives_the_same_answer_and_leaves_its_input_alone(function, table):
    for seed in TABLES:
        assert same(plain(answer(function, table, seed)), plain(function(table(seed))), 0.0)


@pytest.mark.parametrize(("function", "table"), ALL)
def test_the_order_of_rows_and_their_index_do_not_matter(function, table):
    for seed in TABLES:
        frame = table(seed)
        shuffled = frame.sample(frac=1.0, random_state=seed).set_index(np.arange(len(frame)) * 7 + 3)
        one, other = (plain(value, DRAWN, True) for value in (answer(function, table, seed), function(shuffled)))
        assert same(one, other, 1e-6)


@pytest.mark.parametrize(("function", "table"), ALL)
def test_other_names_for_families_and_labs_change_no_number(function, table):
    for seed in TABLES:
        renamed = table(seed)
        for column in {"family", "ladder", "lab"} & set(renamed.columns):
            # Names that keep their order, so that ties by name fall alike.
            renamed[column] = "Ω " + renamed[column] + " <b>'\""
        one, other = (_numbers(plain(value)) for value in (answer(function, table, seed), function(renamed)))
        assert same(one, other)


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


def test_every_public_function_of_the_statistics_is_held_to_account():
    modules = (stats, coupling, boundary, dynamics, levers, frontier, dashboard)
    public = {
        name
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value) and not name.startswith("_") and value.__module__.startswith(module.__name__)
    }
    called = {name.split(".")[-1] for name in (*BASE, *RELEASES, *NUMBERS)}
    assert public - called - set(ELSEWHERE) == set(), "give it a line in statistic_calls.py"
    assert (called | set(ELSEWHERE)) - public == set(), "no longer public"
    assert called & set(ELSEWHERE) == set()


@pytest.mark.parametrize("name", NUMBERS)
@FEW
@given(seed=SEEDS, n=st.integers(1, 14))
def test_a_function_of_numbers_repeats_itself_and_leaves_its_input_alone(name, seed, n):
    given_ = vectors(seed, n)
    before = [v.copy() for v in given_]
    first, again = (_answer(NUMBERS[name], given_) for _ in range(2))
    assert same(first, again, 0.0)
    for v, was in zip(given_, before, strict=True):
        assert np.array_equal(v, was)


def _answer(function, given_):
    try:
        return plain(function(*given_))
    except CapeError as problem:
        return str(problem)


EXTREME = {
    "nothing": (np.array([]),) * 3,
    "one": (np.array([50.0]), np.array([40.0]), np.array([1.0])),
    "constant": (np.full(9, 50.0), np.full(9, 40.0), np.full(9, 1.0)),
    "missing": (np.full(6, np.nan), np.full(6, 40.0), np.full(6, np.nan)),
    "no noise": (np.arange(5.0, 50.0, 5.0), np.arange(90.0, 45.0, -5.0), np.zeros(9)),
    "tied": (np.repeat([10.0, 20.0, 30.0], 3), np.repeat([30.0, 10.0, 20.0], 3), np.full(9, 0.5)),
    "the ends": (np.array([0.0, 100.0] * 4), np.array([100.0, 0.0] * 4), np.full(8, 1e-9)),
}


@pytest.mark.parametrize("kind", EXTREME)
@pytest.mark.parametrize("name", NUMBERS)
def test_extreme_numbers_are_answered_or_refused_in_words(name, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert _answer(NUMBERS[name], EXTREME[kind]) is not ...


PAIRED = ("pearson", "ols", "pearson_rows", "percentile_interval", "permutation_p")


@pytest.mark.parametrize("name", PAIRED)
@FEW
@given(seed=SEEDS)
def test_the_order_of_numbers_does_not_matter(name, seed):
    x, y, s = vectors(seed)
    order = np.random.default_rng(seed).permutation(x.size)
    assert same(*(_answer(NUMBERS[name], part) for part in ((x, y, s), (x[order], y[order], s[order]))), 1e-9)


@FEW
@given(seed=SEEDS, unit=st.sampled_from([1e-3, 0.01, 7.0, 1e4]))
def test_units_change_a_slope_by_their_ratio_and_a_correlation_not_at_all(seed, unit):
    x, y, s = vectors(seed)
    lines = [stats.ols(x, y), stats.ols(unit * x, y)]
    ends = [(e.estimate, e.low, e.high) for e in (lines[0].slope, lines[1].slope)]
    assert ends[0] == pytest.approx(tuple(unit * v for v in ends[1]), rel=1e-9)
    for result in (stats.pearson, lambda a, b: stats.pearson(a, b, given=s)):
        one, other = result(x, y), result(unit * x, 3 * y + 1)
        assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high), rel=1e-9)
    limits = [stats.fieller_limits(k * y, x, var_dy=k**2 * s, var_dx=s) for k in (1.0, unit)]
    for one, other in zip(*limits, strict=True):
        assert unit * one == pytest.approx(other, rel=1e-6)


@FEW
@given(seed=SEEDS, unit=st.sampled_from([1e-3, 1e3, 1e9]))
def test_sizes_in_another_unit_move_a_boundary_by_that_unit_and_no_verdict(seed, unit):
    frame = panel_of(seed)
    rows = frame[frame["family"] == "F0"]
    one, other = (boundary.critical_scales(f) for f in (rows, rows.assign(params_b=rows["params_b"] * unit)))
    assert list(one["verdict"]) == list(other["verdict"])
    for name in ("n_c_b", "low", "high"):
        assert one[name].to_numpy() * unit == pytest.approx(other[name].to_numpy(), rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_input_is_refused_in_one_line_or_read_as_it_stands(name, tmp_path):
    strategy, check = TARGETS[name]

    @given(strategy)
    def any_case(case):
        check(case, tmp_path)

    any_case()
