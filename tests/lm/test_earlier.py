"""The book's models beside the trial run before them."""

from __future__ import annotations

import pandas as pd
import pytest

from cape_lib import tables
from cape_lib.errors import UsageError
from cape_lib.lm import testbed


def _scores(truth: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"ladder": "D", "width": 8, "truth": truth, "n_truth": 120, "n_story": 400})


def _first(truth: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"part": ["ladder D"], "at": ["width 8"], "measure": ["truth"], "low": [truth], "high": [truth], "n": [3]}
    )


def test_a_gap_within_the_scatter_of_seeds_is_not_beyond_it_and_a_wide_one_is() -> None:
    near = testbed.ladder_gaps(_scores([0.10, 0.20, 0.15]), _first(0.20)).iloc[0]
    far = testbed.ladder_gaps(_scores([0.10, 0.20, 0.15]), _first(0.60)).iloc[0]
    assert near["gap"] == pytest.approx(-0.05) and not near["beyond"]
    assert far["gap"] == pytest.approx(-0.45) and far["beyond"]


def test_questions_are_counted_where_seeds_happen_to_agree() -> None:
    same = testbed.ladder_gaps(_scores([0.5, 0.5, 0.5]), _first(0.54)).iloc[0]
    assert same["sd"] == pytest.approx((2 * 0.25 / 360) ** 0.5) and not same["beyond"]


def test_every_mean_of_the_trial_has_its_counterpart() -> None:
    scores, first = tables.load("testbed_scores"), tables.load("testbed_first_trial")
    assert len(testbed.ladder_gaps(scores, first)) == 24 and len(testbed.ladder_gaps(scores, first, ladder="K")) == 3
    with pytest.raises(UsageError, match="ladder 'R'"):
        testbed.ladder_gaps(scores, first, ladder="R")
    both = testbed.steering_counts(tables.load("testbed_trials"), first)
    assert both["run"].tolist() == ["trial", "here"] * 3 and (both["runs"] == 5).all()
    assert (both["ahead"] <= both["runs"]).all()
