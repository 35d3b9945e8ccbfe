"""Lines and h: the published numbers, and statsmodels as the judge of the intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.diagnostic import het_breuschpagan

from cape_lib import frontier, tables
from cape_lib.errors import MissingError, UsageError
from cape_lib.frontier.lines import BALANCED, EMPHASES

X, Y = "swe_bench_verified", "gpqa_diamond"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return tables.frontier("published")


@pytest.fixture(scope="module")
def frozen(panel: pd.DataFrame) -> pd.DataFrame:
    return frontier.frozen_rows(panel)


def test_the_34_rows_give_the_published_line(frozen: pd.DataFrame) -> None:
    fitted = frontier.fit_line(frozen)
    assert len(frozen) == 34
    assert fitted.slope == pytest.approx(0.513, abs=5e-4)
    assert fitted.intercept == pytest.approx(46.4, abs=0.05)
    assert fitted.fit.r == pytest.approx(0.7235, abs=5e-5)


def test_five_later_rows_raise_r_to_075(panel: pd.DataFrame) -> None:
    assert len(panel) == 39
    assert frontier.fit_line(panel).fit.r == pytest.approx(0.75, abs=5e-3)


def test_published_errors_of_the_coefficients_are_narrower_than_95_percent(frozen: pd.DataFrame) -> None:
    slope = frontier.fit_line(frozen).fit.slope
    assert (slope.high - slope.low) / 2 > 2 * 0.08


def test_reach_equals_the_prediction_of_statsmodels_at_the_scatter_of_angles(frozen: pd.DataFrame) -> None:
    line = frontier.fit_line(frozen)
    judge = sm.OLS(frozen[Y].to_numpy(), sm.add_constant(frozen[X].to_numpy())).fit()
    at = np.array([20.0, 50.0, 80.0])
    frame = judge.get_prediction(np.column_stack([np.ones(3), at])).summary_frame(alpha=1 - frontier.lines.LEVEL)
    half = (frame["obs_ci_upper"] - frame["obs_ci_lower"]).to_numpy() / 2
    # The same leverage and the same t; only the scatter is measured on another scale.
    assert line.reach(at) == pytest.approx(half * line.scatter / np.sqrt(judge.scale))
    away = np.arcsin(np.sqrt(frozen[Y] / 100)) - np.arcsin(np.sqrt(judge.fittedvalues / 100))
    assert line.scatter == pytest.approx(np.sqrt((away**2).sum() / judge.df_resid))


def test_frozen_rows_scatter_twice_as_wide_below_70_as_above_in_points_and_not_in_angles(frozen: pd.DataFrame) -> None:
    judge = sm.OLS(frozen[Y].to_numpy(), sm.add_constant(frozen[X].to_numpy())).fit()
    assert het_breuschpagan(judge.resid, judge.model.exog)[1] == pytest.approx(0.016, abs=0.0005)
    line, low = frontier.fit_line(frozen), (frozen[X] < 70).to_numpy()
    points = frozen[Y] - line.at(frozen[X])
    angles = frontier.lines.angle(frozen[Y]) - frontier.lines.angle(line.at(frozen[X]))
    assert points[low].std() / points[~low].std() == pytest.approx(11.1 / 5.7, abs=0.02)
    assert angles[low].std() / angles[~low].std() < 1.6


@pytest.mark.parametrize("name", sorted(frontier.LINES))
def test_every_interval_of_h_stays_on_the_scale_and_holds_zero_where_the_release_is_ordinary(name: str) -> None:
    line = frontier.line(name)
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 100, 41), np.linspace(0, 100, 41)))
    (low, high), (least, most) = line.interval(x, y), line.ordinary(x)
    assert (least >= 0).all() and (most <= 100).all() and (least < most).all()
    on_scale = (line.at(x) >= 0) & (line.at(x) <= 100)
    assert (line.at(x) + low)[on_scale].min() >= -1e-9 and (line.at(x) + high)[on_scale].max() <= 100 + 1e-9
    assert (low <= y - line.at(x) + 1e-9).all() and (high >= y - line.at(x) - 1e-9).all()
    far = np.minimum(abs(y - least), abs(y - most)) > 1e-9
    assert (((low <= 0) & (high >= 0)) == ((least <= y) & (y <= most)))[far].all()


def test_at_swe_80_a_release_can_lie_above_the_ordinary_range() -> None:
    low, high = (float(end) for end in frontier.line("frozen").ordinary(80.0))
    assert 65 < low < 72 and 97 < high < 99
    assert frontier.read_h(80.0, 99.5, frontier.line("frozen"))["h_low"].iloc[0] > 0


def test_published_band_is_16_2_and_narrower_than_any_prediction(panel: pd.DataFrame) -> None:
    band = frontier.published_band(panel)
    assert band["published"] == pytest.approx(16.2, abs=0.05)
    assert band["published"] < band["prediction_min"] < band["prediction_max"]


def test_published_h_of_single_releases(panel: pd.DataFrame) -> None:
    h = frontier.h_field(panel).set_index("model")["h"]
    published = {
        "Claude 3.5 Haiku": -26.2,
        "DeepSeek-V2.5": 11.2,
        "DeepSeek V3.2": -4.7,
        "Claude Sonnet 4.6": -13.1,
        "Claude Opus 4.7": 2.9,
    }
    assert {model: round(float(h[model]), 1) for model in published} == published


def test_left_out_h_equals_a_fit_without_the_row(frozen: pd.DataFrame) -> None:
    h = frontier.h_field(frozen, chosen=None).reset_index(drop=True)
    others = frozen.reset_index(drop=True).drop(index=5)
    judge = sm.OLS(others[Y].to_numpy(), sm.add_constant(others[X].to_numpy())).fit()
    frame = judge.get_prediction([[1.0, float(h.loc[5, X])]]).summary_frame()
    assert h.loc[5, "h_loo"] == pytest.approx(float(h.loc[5, Y] - frame["mean"].iloc[0]))
    low, high = frontier.fit_line(others).interval(h.loc[5, X], h.loc[5, Y])
    assert (h.loc[5, "loo_low"], h.loc[5, "loo_high"]) == pytest.approx((float(low), float(high)))


def test_five_of_five_are_inside_and_so_they_are_for_a_flat_line(panel: pd.DataFrame) -> None:
    later = frontier.later_releases(panel)
    assert len(later) == 5
    assert later["inside_published"].all() and later["inside_exact"].all()
    assert later["inside_flat"].all()
    assert (later["h"].abs() < later["h_flat"].abs()).all()


def test_opus_47_has_the_published_h_and_an_interval_with_zero() -> None:
    release = frontier.read_h(87.6, 94.2, frontier.line("frozen")).iloc[0]
    assert release["h"] == pytest.approx(2.9, abs=0.05)
    assert release["h_low"] < 0 < release["h_high"]
    assert (release["line"], release["phase"]) == ("frozen", frontier.NO_LABEL)


@pytest.mark.parametrize(
    ("h", "phase", "emphasis"),
    [
        (-10.1, "coding-specialist excursion", "coding-rich"),
        (-10.0, "cooperative", "coding-rich"),
        (0.0, "cooperative", "balanced"),
        (5.1, "cooperative", "reasoning-rich"),
        (10.1, "reasoning-specialist", "reasoning-rich"),
    ],
)
def test_phase_and_emphasis_follow_the_papers_limits(h: float, phase: str, emphasis: str) -> None:
    assert frontier.labelled(h, 1.0, 2.0) == phase
    assert frontier.labelled(h, -2.0, -1.0, within=BALANCED, words=EMPHASES) == emphasis


def test_unknown_line_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="frozen"):
        frontier.line("frosen")


def test_line_of_three_models_is_refused(frozen: pd.DataFrame) -> None:
    with pytest.raises(MissingError, match="4 models"):
        frontier.fit_line(frozen.head(3))


def test_missing_column_is_named(frozen: pd.DataFrame) -> None:
    with pytest.raises(MissingError, match="'arena'"):
        frontier.fit_line(frozen, y="arena")


@given(st.floats(-2, 2), st.floats(-50, 50), st.integers(0, 10_000))
def test_h_does_not_change_when_the_line_is_added_to_the_scores(slope: float, intercept: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(10, 90, 12)
    noise = rng.normal(0, 5, 12)
    here = frontier.h_field(pd.DataFrame({X: x, Y: noise}), chosen=None)["h"]
    there = frontier.h_field(pd.DataFrame({X: x, Y: noise + slope * x + intercept}), chosen=None)["h"]
    assert here.to_numpy() == pytest.approx(there.to_numpy(), abs=1e-8)
    assert float(here.sum()) == pytest.approx(0, abs=1e-8)


def test_95_percent_interval_holds_95_percent_of_new_releases() -> None:
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(400):
        x = rng.uniform(20, 90, 21)
        y = 0.5 * x + 40 + rng.normal(0, 6, 21)
        low, high = frontier.fit_line(pd.DataFrame({X: x[:20], Y: y[:20]})).ordinary(x[20])
        inside.append(low <= y[20] <= high)
    assert 0.93 < np.mean(inside) < 0.99


def test_another_pair_of_benchmarks_works_the_same_way(frozen: pd.DataFrame) -> None:
    renamed = frozen.rename(columns={X: "mine", Y: "yours"})
    assert frontier.fit_line(renamed, x="mine", y="yours").slope == frontier.fit_line(frozen).slope


def test_a_line_of_others_than_the_makers_can_be_named() -> None:
    chosen = frontier.line("independent")
    rows = tables.frontier("independent")
    slope, intercept = np.polyfit(rows["swe_bench_verified"], rows["gpqa_diamond"], 1)
    assert (chosen.slope, chosen.intercept) == pytest.approx((slope, intercept)) and chosen.fit.n == 33


@pytest.mark.parametrize("name", ["frozen", "published", "current"])
def test_h_is_one_number_wherever_it_is_asked(frozen: pd.DataFrame, name: str) -> None:
    chosen = frontier.line(name)
    field = frontier.h_field(frozen, chosen=chosen)
    means = frontier.lab_means(frozen, chosen=chosen, core_only=False).set_index("lab")["mean"]
    h = chosen.h(field[X], field[Y])
    assert h == pytest.approx(field["h"].to_numpy())
    assert h == pytest.approx((field[Y] - chosen.slope * field[X] - chosen.intercept).to_numpy())
    assert means.to_dict() == pytest.approx(field.groupby("lab")["h"].mean().to_dict())
    one = field.iloc[0]
    assert frontier.read_h(one[X], one[Y], chosen)["h"].iloc[0] == pytest.approx(one["h"])
