"""What chapters 3 to 5 do live, the figures they draw, and the commands that make their tables again."""

from __future__ import annotations

import shutil
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cape_lib import tables
from cape_lib.charts import testbed as draw
from cape_lib.errors import ScoresError, UsageError
from cape_lib.lm import models, pages, steering, testbed, texts
from cape_lib.lm.steering.verdicts import KINDS
from cape_lib.story import levers
from experiments.testbed import prompts, recipes, training, trials, worlds
from experiments.testbed import tables as measured


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a page would have said."""
    result: list[str] = []
    monkeypatch.setattr(pages, "say", result.append)
    return result


def test_a_page_without_torch_says_how_to_get_it(messages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None if name.startswith("torch") else object())
    assert pages.probed("R-s1") == [] and pages.evaluated("R-s1", claim=0.6) is None
    assert pages.blocks([]) is None and pages.at_strength_zero("R-s1").empty
    assert len(messages) == 3 and all("pip install" in text for text in messages)


def test_an_empty_package_named_torch_is_no_torch(messages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "torch.nn" else real(name))
    assert not pages.ready() and len(messages) == 1


@pytest.mark.slow
def test_a_probe_on_a_page_stands_beside_its_untrained_twin(messages: list[str]) -> None:
    probed = pages.probed("R-s1")
    drawn = pages.blocks(probed)
    assert drawn is not None and "4 blocks" in drawn.title
    assert pages.profile(probed)["weights"].tolist() == ["trained", "untrained"]
    table = pages.projections(probed)
    assert {"hidden", "logits", "random projection", "rank 8", "GELU of hidden"} <= set(table["read in"])
    assert "untrained" in messages[1]


def test_nothing_changes_at_strength_zero_but_by_sampling() -> None:
    table = pages.at_strength_zero("R-s1").set_index("text is")
    assert table["changed"].tolist()[:2] == [0, 0]
    assert table.loc["sampled, as one usually does", "share"] > 0.8


def test_the_time_of_an_evaluation_is_told_ahead_and_checked_at_the_end(
    messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 5.0, 20.0, 30.0, 100.0])
    monkeypatch.setattr(pages, "perf_counter", lambda: next(now))
    clock = pages._Clock()
    for stage, done in (("direction", 10), ("direction", 40), ("controls 1 to 6", 60), ("controls 1 to 6", 180)):
        clock(stage, done, 1240)
    assert len(messages) == 1 and "20 seconds" in messages[0] and "10 minutes" in messages[0]  # 20 s + 0.5 s * 1200
    assert "took 100 seconds; by the direction's speed 90 seconds" in clock.checked()  # 20 s + 0.5 s * 140


@pytest.mark.slow
def test_a_point_can_be_trained_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    whole = recipes.dip
    monkeypatch.setattr(recipes, "dip", lambda *a, **k: replace(whole(*a, **k), steps=3))
    grid = tables.load("testbed_grid")
    assert "In the grid" in training.retrained(grid, believers=0.85, reliable=0.08, width=8)
    assert "no such cell" in training.retrained(grid, believers=0.33, reliable=0.08, width=6)


def test_titles_of_figures_with_a_slider_hold_for_every_value() -> None:
    grid = tables.load("testbed_grid").query("grid == 'curation'")
    cells = [cell for _, cell in grid.groupby("believers")]
    assert len({draw.dip_grid(cell, grid=grid).title for cell in cells}) == 1
    probed = tables.load("testbed_probes")
    some = [probed[probed.model == name] for name in ("D-d8-s1", "R-s1")]
    assert len({draw.twins(rows, probed=probed).title for rows in some}) == 1
    surface = tables.load("testbed_surface").query("model == 'R-s1' and contrast == 'reg' and place != 'embed, last'")
    parts = [rows for _, rows in surface.groupby("place")]
    assert len({draw.dose_response(rows, surface=surface).title for rows in parts}) == 1


def test_a_dip_is_a_width_below_chance_beyond_the_noise_of_its_questions() -> None:
    grid = pd.DataFrame(
        {
            "believers": 0.85,
            "ref": [0.08] * 3 + [0.2] * 3,
            "width": [8, 16, 24] * 2,
            "truth": [0.3, 0.1, 0.9, 0.24, 0.5, 0.9],
            "n_truth": 119,
        }
    )
    result = levers.corpora_that_dip(grid)
    assert result["below_chance"].tolist() == [True, False] and result["at"].tolist() == [16, 8]
    assert result["surely"].tolist() == [True, False]
    assert "8%" in levers.dip_reading(result) and "10% right" in levers.dip_reading(result)
    assert "No width" in levers.dip_reading(result[result.ref == 0.2])
    # one model a little below chance is below it by itself, and not among many
    many = pd.concat([grid.assign(truth=0.5, ref=share) for share in np.linspace(0.3, 0.9, 40)])
    among = levers.corpora_that_dip(pd.concat([grid.replace({"truth": {0.1: 0.16}}), many]))
    assert among["below_chance"].iloc[0] and not among["surely"].iloc[0]


def _fixed(truth: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {
            "name": f"fixed-{budget}-d{width}-s{seed}",
            "seed": seed,
            "width": width,
            "parameters": budget,
            "truth": truth(width, budget) + rng.normal(0, 0.01),
        }
        for seed in range(5)
        for budget in (27648, 43008)
        for width in (8, 16, 32)
    ]
    return pd.DataFrame(rows)


def test_a_doubling_of_the_width_is_told_from_one_with_the_parameters() -> None:
    by_width = _fixed(lambda width, _: 0.1 * np.log2(width))
    doublings = testbed.doublings(by_width)
    assert doublings["narrow"].tolist() == [8, 16] and doublings["estimate"].between(0.09, 0.11).all()
    assert (doublings["p"] < 0.001).all() and doublings["n"].tolist() == [5, 5]
    assert "2 of 2 doublings" in draw.fixed_parameters(by_width, doublings=doublings).title
    assert testbed.gap(by_width).low < 0 < testbed.gap(by_width).high
    by_size = _fixed(lambda _, budget: budget / 1e5)
    level = testbed.doublings(by_size)
    assert (level["low"] < 0).all() and (level["high"] > 0).all() and (level["p"] > 0.05).all()
    assert testbed.gap(by_size).estimate == pytest.approx(0.154, abs=0.02) and testbed.gap(by_size).n == 5
    assert "0 of 2 doublings" in draw.fixed_parameters(by_size, doublings=level).title
    one = testbed.doublings(by_width[by_width.seed == 0])
    assert (one["n"] == 1).all() and one[["low", "high", "p"]].isna().all(axis=None)
    step = testbed.doublings(_fixed(lambda width, _: 0.4 * (width > 16)))
    assert (step["p"] < 0.05).tolist() == [False, True]


def test_tones_ask_the_same_questions_in_other_words() -> None:
    recipe = recipes.named("R-s1")
    asked = {tone: measured.asked_in(recipe, tone) for tone in measured.TONES}
    assert len({len(items) for items in asked.values()}) == 1
    assert all((items["true"] == asked["web, open"]["true"]).all() for items in asked.values())
    assert len(asked["web, after three myths"]["prompt"][0].split()) > 3 * 4
    assert set(asked["web, open"]["split"]) == {"test"}


@pytest.mark.slow
def test_right_answers_add_up_in_every_tone() -> None:
    table = tables.load("testbed_registers")
    assert (table.right_after == table.right_before + table.corrected - table.broken).all()
    again = measured.tones("R-s1", "reg")
    rest = table[(table.model == "R-s1") & (table.contrast == "reg")]
    assert np.abs(again["right_after"].to_numpy() - rest["right_after"].to_numpy()).max() <= 1


def test_every_trial_is_in_the_table_and_in_its_order() -> None:
    assert tables.load("testbed_trials")["trial"].tolist() == [trial.name for trial in trials.trials()]


def test_the_tables_of_scores_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    measured.measure("scores", tmp_path, report=lambda _: None)
    for name in ("testbed_scores.csv", "testbed_curves.csv"):
        assert (tmp_path / name).read_bytes() == (tables.data_dir() / "testbed" / name).read_bytes()
    with pytest.raises(UsageError, match="experiment"):
        measured.measure("weather", tmp_path)


def test_the_texts_of_the_made_worlds_are_made_again_byte_for_byte(tmp_path: Path) -> None:
    measured.measure("texts", tmp_path, report=lambda _: None)
    for path in (tables.data_dir() / "testbed" / "prompts").iterdir():
        assert (tmp_path / "prompts" / path.name).read_bytes() == path.read_bytes()
    for name in ("D-d8-s2", "K-d8-s2", "R-s9"):
        folder = testbed.folder_of(name)
        recipe = worlds.recipe_of(folder)
        assert_frame_equal(texts.items_for(str(folder)), prompts.truth_table(recipe))
        assert_frame_equal(texts.pairs_for(str(folder)), prompts.contrast(recipe, "reg"))
        assert_frame_equal(texts.probe_prompts_for(str(folder)), prompts.probe_sets(recipe))
        assert texts.neutral_for(str(folder)) == prompts.neutral(recipe)


def test_a_made_model_without_the_texts_of_its_world_is_refused(tmp_path: Path) -> None:
    shutil.copytree(testbed.folder_of("R-s1"), tmp_path / "R-s1")
    with pytest.raises(ScoresError, match="no such file"):
        texts.items_for(str(tmp_path / "R-s1"))
    prompts.write_texts(recipes.reader(2), tmp_path / "prompts")
    with pytest.raises(ScoresError, match="no rows of world R-s1-b0.7"):
        texts.items_for(str(tmp_path / "R-s1"))


def test_an_interrupted_run_of_trials_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [trials.Trial("learnt", "R-s1", "reg"), trials.Trial("null: untrained", "R-s1", "reg", untrained=True)]
    monkeypatch.setattr(trials, "trials", lambda: iter(few))
    result: list[str] = []
    plan = steering.Plan(places=(steering.Place(0),), curve=(), controls=2, kinds=KINDS)
    name = str(testbed.folder_of("R-s1"))
    one = steering.evaluate(
        models.load(name), texts.items_for(name), texts.pairs_for(name), plan, neutral=texts.neutral_for(name)
    )

    def run_trial(trial: trials.Trial) -> Any:
        result.append(trial.name)
        if len(result) == 2:
            raise KeyboardInterrupt
        return one

    monkeypatch.setattr(trials, "run_trial", run_trial)
    with pytest.raises(KeyboardInterrupt):
        measured.measure("trials", tmp_path, report=lambda _: None)
    measured.measure("trials", tmp_path, report=lambda _: None)
    assert result == [few[0].name, few[1].name, few[1].name]
    table = pd.read_csv(tmp_path / "testbed_trials.csv")
    assert table["trial"].tolist() == [trial.name for trial in few] and table["effect"].dtype == bool
    assert (tmp_path / "testbed_pooled.csv").is_file()


def test_a_grid_is_as_large_as_it_says() -> None:
    table = tables.load("testbed_grid")
    wanted = [recipe.name for recipe in recipes.curation()]
    wanted += [recipe.name for recipe in recipes.fixed_parameters(measured.WIDTH_SEEDS)]
    assert table["name"].tolist() == wanted
