"""Planted truths: intervals that hold them, verdicts that are not fooled, and a table that says where they fail.

The table in `data/` comes from 1,000 replications a row (`python -m experiments.coverage`); here is a
small run of the same.
"""

import numpy as np
import pandas as pd
import pytest

from cape_lib import tables
from cape_lib.base.boundary import critical_scales
from cape_lib.errors import UsageError
from experiments.coverage import parts, rates, scales, steps
from experiments.coverage.rates import streams

KEYS = ["part", "method", "truth", "n", "noise", "measure"]
SMALL = 40
QUICK = [name for name in parts.PARTS if name not in ("critical scales", "power")]


@pytest.fixture(scope="module")
def small():
    rows = [parts.run_part(name, replications=SMALL, seed=3) for name in QUICK]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def table():
    return tables.load("coverage")


def family(ladders, i):
    return pd.DataFrame(
        {
            "params_b": 10.0**ladders.t,
            "hellaswag": ladders.x[i],
            "truthfulqa": ladders.y[i],
            "hellaswag_stderr": ladders.x_sd[i],
            "truthfulqa_stderr": ladders.y_sd[i],
        }
    )


@pytest.mark.parametrize("shape", ["U", "levels off"])
def test_many_families_at_once_get_the_verdicts_that_each_gets_alone(shape):
    ladders = scales.planted(8, 12, rng=streams(1, shape), shape=shape)
    many = scales.verdicts(ladders)
    for i, rows in many.groupby("family"):
        alone = critical_scales(family(ladders, i)).set_index("estimator")
        rows = rows.set_index("estimator")
        for column in ("n_c_b", "low", "high", "share"):
            assert rows[column].to_numpy() == pytest.approx(alone.loc[rows.index, column].to_numpy(), nan_ok=True)
        assert list(rows["verdict"]) == list(alone.loc[rows.index, "verdict"])


@pytest.mark.parametrize("shape", [*scales.NULLS])
def test_no_boundary_is_called_where_none_is_planted(shape):
    ladders = scales.planted(8, 120, rng=streams(4, shape), shape=shape)
    for name, rows in scales.verdicts(ladders).groupby("estimator"):
        setting = rates.Setting("critical scales", str(name), shape, 8, "questions")
        assert rates.share(setting, rows["verdict"] == "boundary", "false positives")["label"] == "", name


def test_a_deep_dip_with_many_questions_is_found_where_it_is():
    ladders = scales.planted(12, 30, rng=streams(6, "deep"), depth=12.0, noise=(100.0, 0.0))
    result = scales.verdicts(ladders).query("estimator == 'vertex'")
    assert (result["verdict"] == "boundary").all()
    assert np.log10(result["n_c_b"] / result["true_b"]).abs().max() < 0.05


def test_a_planted_course_turns_where_it_says():
    t = np.linspace(-1.0, 1.0, 2001)
    for shape in scales.SHAPES:
        _, y = scales.planted_scores(t, shape=shape, turn=[-0.3, 0.4], depth=8.0)
        assert t[y.argmin(axis=1)] == pytest.approx([-0.3, 0.4], abs=1e-3)
    with pytest.raises(UsageError, match="levels off"):
        scales.planted_scores(t, shape="level off", turn=0.0, depth=1.0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_rows_and_parts_do_not_move_each_other(small):
    again = parts.run_part("local coupling", replications=SMALL, seed=3)
    pd.testing.assert_frame_equal(again, small[small["part"] == "local coupling"].reset_index(drop=True))


@pytest.mark.slow
def test_every_row_is_a_share_or_a_bias_with_its_interval(small):
    shares = small[small["unit"] == "share"]
    assert shares[["value", "low", "high"]].stack().between(0, 1).all()
    assert ((small["low"] <= small["value"] + 1e-9) & (small["value"] <= small["high"] + 1e-9)).all()


@pytest.mark.slow
def test_a_small_run_agrees_with_the_table_of_the_book(small, table):
    both = small.merge(table, on=KEYS, suffixes=("", "_book"))
    assert len(both) == len(small), "the table lacks rows of the parts; run python -m experiments.coverage"
    both = both[both["unit"] == "share"]
    p = both["value_book"].clip(1 / 1000, 1 - 1 / 1000)
    z = (both["value"] - both["value_book"]) / np.sqrt(
        p * (1 - p) * (1 / both["replications"] + 1 / both["replications_book"])
    )
    # Five standard errors and a little, as the shares of few replications are coarse.
    worst = both.assign(z=z.abs() - 2 / both["replications"]).nlargest(1, "z").iloc[0]
    assert worst["z"] < 5.5, worst[[*KEYS, "value", "value_book"]].to_dict()


def test_every_label_of_the_table_follows_from_its_numbers(table):
    coverage = table["measure"].str.startswith("coverage")
    under = coverage & (np.where(table["replications"] < 500, table["high"], table["value"]) < rates.LEAST_COVERAGE)
    above = table["measure"].str.startswith("false") & (table["low"] > rates.MOST_FALSE)
    assert (table["label"].fillna("") == np.select([under, above], [rates.UNDER, rates.ABOVE], "")).all()


def test_no_verdict_of_the_book_is_wrong_more_than_five_percent_of_the_time(table):
    wrong = table[table["label"].eq(rates.ABOVE) & table["role"].eq("here")]
    assert wrong.empty, wrong[[*KEYS, "value"]].to_dict("records")
    assert set(table.loc[table["role"].eq("compared"), "method"]) == set(rates.COMPARED)


def test_a_label_says_the_measured_range_and_only_where_a_promise_is_broken(table):
    rows = table[table["measure"].str.startswith("coverage")]
    for (part, method), group in rows.groupby(["part", "method"]):
        words = tables.promise(part, method)
        assert bool(words) == group["label"].notna().any(), (part, method)
        if words:
            assert f"{100 * group['value'].min():.0f}" in words and "where it says 95" in words
    with pytest.raises(UsageError, match="zero crossing"):
        tables.promise("critical scales", "zero crosing")


def test_a_label_is_that_of_the_nearest_number_of_sizes(table):
    rows = table[(table["method"] == "zero crossing") & table["measure"].str.startswith("coverage")]
    for n in (3, 5, 9, 40):
        near = rows[(rows["n"] - n).abs() == (rows["n"] - n).abs().min()]
        assert bool(tables.promise("critical scales", "zero crossing", n=n)) == near["label"].notna().any()


def test_every_part_is_in_the_table_with_a_thousand_replications_or_as_many_as_whole_panels_allow(table):
    # "steering" is in experiments/coverage/steering.py: it needs torch.
    assert set(table["part"]) == {*parts.PARTS, "steering"}
    plain = table[~table["measure"].isin(["coverage where a boundary is called", "bias"])]
    panels = plain["part"] == steps.PART  # each replication is a panel of thirty families, half a second
    assert plain.loc[~panels, "replications"].min() >= 1000
    assert plain.loc[panels, "replications"].min() >= 200


def test_an_interval_may_be_the_outside_of_a_gap_and_one_without_ends_is_left_out():
    setting = rates.Setting("a", "b", "c", 1, "d")
    ends = [(1.0, -1.0), (1.0, -1.0), (np.nan, np.nan), (-np.inf, np.inf), (0.0, np.inf)]
    result = rates.coverage(setting, ends, [2.0, 0.0, 0.0, 5.0, -1.0])
    assert (result["value"], result["replications"]) == (0.5, 4)


def test_an_unknown_part_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="lab slopes"):
        parts.run_part("lab slope", replications=1)
