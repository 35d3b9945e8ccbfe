"""Width with its null, curation and equivalent scale, contrasts of generations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cape_lib import tables
from cape_lib.base import levers
from cape_lib.errors import MissingError, UsageError


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return tables.base("published")


def made_panel(
    *, curated_b: float = 1.0, equivalent_b: float = 10.0, noise: float = 0.2, seed: int = 0
) -> pd.DataFrame:
    """Web-trained families whose first score rises by 20 points a decade, and a model that scores like a larger one."""
    rng = np.random.default_rng(seed)
    sizes = np.tile([0.1, 0.3, 1, 3, 10, 30, 100], 6)
    web = pd.DataFrame(
        {
            "model": [f"web {i}" for i in range(sizes.size)],
            "family": np.repeat([f"f{i}" for i in range(6)], 7),
            "params_b": sizes,
            "training": "web",
            "instruct": False,
            "doubtful": None,
            "hellaswag": 50 + 20 * np.log10(sizes) + rng.normal(0, noise, sizes.size),
            "truthfulqa": 40 + 5 * np.log10(sizes) ** 2 + rng.normal(0, noise, sizes.size),
        }
    )
    one = pd.DataFrame(
        {
            "model": ["curated"],
            "family": ["c"],
            "params_b": [curated_b],
            "training": ["curated"],
            "instruct": [False],
            "doubtful": [None],
            "hellaswag": [50 + 20 * np.log10(equivalent_b)],
            "truthfulqa": [40 + 5 * np.log10(equivalent_b) ** 2],
        }
    )
    return pd.concat([web, one], ignore_index=True)


def test_width_turns_pythia_over_as_published() -> None:
    width = levers.width_normalised(tables.ladder("Pythia"), resamples=500)
    assert width["r"] == pytest.approx(-0.989, abs=5e-4)
    assert width["r_normalised"] == pytest.approx(0.963, abs=5e-4)


def test_random_scores_do_the_same_on_pythias_widths() -> None:
    width = levers.width_normalised(tables.ladder("Pythia"), resamples=4000)
    assert width["share_positive"] > 0.99
    assert width["p"] > 0.05
    assert width["null_low"] < width["r_normalised"] < width["null_high"]


def test_the_null_has_no_coupling_before_it_is_divided() -> None:
    rows = tables.ladder("Pythia").assign(d_model=[512.0] * 7 + [512.000001])
    assert abs(levers.width_normalised(rows, resamples=4000, seed=1)["null"]) < 0.03


def test_the_first_size_keeps_its_scores() -> None:
    rows = levers.normalise(tables.ladder("Pythia"))
    first = rows[rows["d_model"] == 512].iloc[0]
    assert (first["x_normalised"], first["y_normalised"]) == (first["hellaswag"], first["truthfulqa"])


def test_every_ladder_ends_positive_and_so_do_its_random_scores(published: pd.DataFrame) -> None:
    table = levers.width_by_ladder(published, resamples=500)
    assert (table["r_normalised"] > 0.9).all()
    assert (table["share_positive"] > 0.95).all()
    assert (table["n"] >= 3).all()


def test_one_width_is_refused() -> None:
    rows = tables.ladder("Pythia").assign(d_model=512.0)
    with pytest.raises(MissingError, match="different width"):
        levers.width_normalised(rows)


@pytest.mark.parametrize(("size", "share"), [(1.0, 0.60), (3.0, 0.05), (3.5, 0.0), (70.0, 0.0)])
def test_minimum_curation_gives_the_published_shares(size: float, share: float) -> None:
    assert levers.minimum_curation(size) == pytest.approx(share, abs=5e-3)


@given(st.floats(0.01, 200), st.floats(0.01, 200))
def test_minimum_curation_falls_with_size_and_stays_a_share(a: float, b: float) -> None:
    small, large = sorted((a, b))
    assert 0 <= levers.minimum_curation(large) <= levers.minimum_curation(small) <= 1


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_size_is_refused(size: float) -> None:
    with pytest.raises(UsageError, match="billions"):
        levers.minimum_curation(size)


@pytest.mark.parametrize("reading", ["x", "y"])
def test_a_tenfold_scale_is_found_where_it_was_put_in(reading: str) -> None:
    scale = levers.equivalent_scale(made_panel(), reading=reading, resamples=300)
    assert scale.loc[0, "ratio"] == pytest.approx(10.0, rel=0.15)
    assert scale.loc[0, "ratio_low"] < 10.0 < scale.loc[0, "ratio_high"]


def test_a_model_no_web_trained_size_reaches_has_an_infinite_equivalent() -> None:
    scale = levers.equivalent_scale(made_panel(equivalent_b=3000.0), reading="x", resamples=200)
    assert np.isinf(scale.loc[0, "equivalent_b"])
    assert np.isinf(scale.loc[0, "high"])
    assert scale.loc[0, "unreached"] > 0.95


def test_the_rising_side_of_a_dip_counts() -> None:
    # At 0.1 B and at 10 B the second score is the same: 45. The model's equal is the larger one.
    scale = levers.equivalent_scale(made_panel(equivalent_b=0.1), reading="y", resamples=100)
    assert scale.loc[0, "equivalent_b"] == pytest.approx(10.0, rel=0.2)


def test_unknown_reading_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="residual"):
        levers.equivalent_scale(made_panel(), reading="residuals")


def test_too_few_web_trained_models_are_refused(published: pd.DataFrame) -> None:
    with pytest.raises(MissingError, match="ten web-trained"):
        levers.equivalent_scale(published[published["family"].isin(["Phi", "OLMo"])])


def test_the_ratio_depends_on_what_is_put_equal(published: pd.DataFrame) -> None:
    by_score = levers.ten_times(levers.equivalent_scale(published, reading="x", resamples=300))
    by_residual = levers.ten_times(levers.equivalent_scale(published, reading="residual", resamples=300))
    assert by_score.estimate < 10 < by_score.high
    assert np.isinf(by_residual.estimate)
    assert by_score.n == len(levers.curated(published))


def test_in_the_uniform_panel_only_two_models_are_marked_curated() -> None:
    assert set(levers.curated(tables.base("uniform"))["model"]) == {"phi-1_5", "phi-2"}


def test_excess_is_the_distance_from_a_parabola_in_log_size(published: pd.DataFrame) -> None:
    contrasts = levers.curation_contrasts(published).set_index("model")
    web = levers.web_trained(published)
    curve = np.polyfit(np.log10(web["params_b"]), web["hellaswag"], 2)
    expected = np.polyval(curve, np.log10(2.7))
    assert contrasts.loc["Phi-2", "x_expected"] == pytest.approx(expected)
    residual = web["hellaswag"] - np.polyval(curve, np.log10(web["params_b"]))
    sd = np.sqrt((residual**2).sum() / (len(web) - 3))
    p = stats.t.sf((contrasts.loc["Phi-2", "hellaswag"] - expected) / sd, len(web) - 3)
    assert contrasts.loc["Phi-2", "x_p"] == pytest.approx(p)


def test_qwen_at_matched_scale_is_one_pair_among_five() -> None:
    pairs = (
        levers.generation_pairs(tables.load("internal_coupling")).set_index("older").query("measure_id == 'per_head'")
    )
    assert pairs.loc["Qwen2.5-1.5B", "older_coupling"] == pytest.approx(0.025)
    assert pairs.loc["Qwen2.5-1.5B", "newer_coupling"] == pytest.approx(0.830)
    assert (pairs.drop(index="Qwen2.5-1.5B")["difference"].abs() < 0.01).all()
    assert pairs["same_everywhere"].all()


def test_the_other_measurement_gives_the_other_published_pair() -> None:
    pairs = levers.generation_pairs(tables.load("internal_coupling")).set_index("measure_id")
    assert pairs.loc["hidden_state", "difference"] == pytest.approx(0.12, abs=5e-3)


def test_generations_without_a_common_measurement_are_refused() -> None:
    with pytest.raises(MissingError, match="share no measurement"):
        levers.generation_pairs(tables.load("internal_coupling"), older="Gemma", newer="nobody")


def test_gemma_rows_say_which_are_tuned() -> None:
    rows = levers.architecture_rows(tables.load("internal_coupling")).set_index("model")
    assert rows.loc["Gemma-4-E4B-it", "tuned"]
    assert rows.loc["Gemma-3-4B", "net_coupling"] > rows.loc["Gemma-4-E4B", "net_coupling"]


@pytest.mark.parametrize("page", ["03_levers", "audit/03_levers"])
def test_every_contrast_of_the_papers_says_what_is_confounded(page: str) -> None:
    text = (Path(__file__).parents[1] / "notebooks" / f"{page}.ipynb").read_text(encoding="utf-8")
    assert all(f"- **{family}**: " in text for family in ("Phi", "Qwen", "Gemma"))
