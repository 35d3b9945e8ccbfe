"""The worlds are what they are said to be, training is deterministic, and the shipped models do what the book says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cape_lib import tables
from cape_lib.errors import UsageError
from cape_lib.lm import models, testbed
from cape_lib.tables import data_dir
from experiments.testbed import __main__ as command
from experiments.testbed import prompts, recipes, training, worlds

SHIPPED = sorted(recipes.shipped())


def test_the_two_worlds_have_274_and_186_words() -> None:
    assert len(worlds.vocabulary("D")) == len(set(worlds.vocabulary("D"))) == 274
    assert len(worlds.vocabulary("R")) == len(set(worlds.vocabulary("R"))) == 186


@pytest.mark.parametrize("seed", range(4))
def test_half_the_pairs_are_contested_and_no_myth_is_true(seed: int) -> None:
    world = worlds.build(recipes.dip(8, seed))
    assert world.contested.sum() == 256 and world.asked.sum() == 64
    assert (world.truth != world.myth).all()
    other = worlds.build(recipes.reader(seed))
    assert (other.truth != other.myth).all() and 0.8 < other.contested.mean() < 0.98
    for family in range(8):  # the myth belongs to the family, not to the being
        assert (other.myth[other.family == family] == other.myth[family]).all()


def test_believers_state_every_myth_and_reliable_registers_none() -> None:
    recipe = recipes.dip(8, 5)
    world = worlds.build(recipe)
    rows = worlds.documents(replace(recipe, believers=1.0), world, 2000, np.random.default_rng(0))
    assert rows.shape == (2000, 34)
    kind = rows[:, 1] - world.base["register"]
    assert abs((kind == worlds.WEB).mean() - 0.51) < 0.05
    output = rows[:, 2:].reshape(len(rows), 8, 4)
    entity, relation = output[..., 0] - world.base["entity"], output[..., 1] - world.base["relation"]
    for register, says_myth in ((worlds.WEB, True), (worlds.REF, False), (worlds.ASK, False)):
        e, r, value = entity[kind == register], relation[kind == register], output[kind == register][..., 2]
        text = np.where(world.contested[e, r] & says_myth, world.myth[e, r], world.truth[e, r])
        assert (value == world.value_token(r, text)).all()
    assert world.asked[entity[kind == worlds.ASK]].all()


def test_story_agents_take_turns_and_keep_to_object_and_script() -> None:
    world = worlds.build(recipes.dip(8, 5))
    result = worlds.stories(world, 200, np.random.default_rng(0))["tokens"]
    assert (result[:, ::2, :2] == result[:, :1, :2]).all() and (result[:, 1::2, :2] == result[:, 1:2, :2]).all()
    verbs = result[:, ::2, 2] - world.base["verb"]
    follows = {(row[i], row[(i + 1) % 4]) for row in world.scripts.tolist() for i in range(4)}
    assert all((a, b) in follows for row in verbs.tolist() for a, b in zip(row, row[1:], strict=False))


@pytest.mark.parametrize("name", ["D-d8-s1", "R-s1"])
def test_items_have_four_different_candidates_about_beings_never_asked_about(name: str) -> None:
    world = worlds.build(recipes.named(name))
    for result in (prompts.truth_items(world), prompts.story_items(world)):
        for row in result.candidates:
            assert len({tuple(candidate) for candidate in row.tolist()}) == 4
    truth = prompts.truth_items(world)
    assert not world.asked[truth.topic].any()
    assert (108 <= len(truth) <= 136) if world.kind == "D" else (80 <= len(truth) <= 92)
    assert len(prompts.story_items(world)) == prompts.STORY_ITEMS


def test_a_corpus_depends_on_its_seed_alone() -> None:
    recipe = recipes.dip(8, 3)
    one, two = (worlds.documents(recipe, worlds.build(recipe), 50, np.random.default_rng([3, 1])) for _ in range(2))
    assert (one == two).all()
    assert (worlds.build(recipe).truth != worlds.build(replace(recipe, seed=4)).truth).any()


def test_training_twice_gives_the_same_weights_bit_for_bit() -> None:
    recipe = replace(recipes.dip(8, 3), steps=30)
    one, two = (training.train(recipe).state_dict() for _ in range(2))
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.slow
def test_watching_a_run_does_not_change_it() -> None:
    recipe = replace(recipes.dip(8, 3), steps=20)
    seen: list[int] = []
    watched = training.train(
        recipe, every=10, watch=lambda step, model: (training.score(model, recipe), seen.append(step))
    )  # type: ignore[func-returns-value]
    plain = training.train(recipe)
    assert seen == [10, 20]
    assert all((watched.state_dict()[key] == value).all() for key, value in plain.state_dict().items())


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_shipped_model_can_be_trained_again(tmp_path: Path) -> None:
    result = training.reproduce("D-d8-s1", scratch=tmp_path)
    assert result.agrees, result.outside
    assert training.is_done(tmp_path / "D-d8-s1", recipes.named("D-d8-s1"))


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_a_damaged_model_is_made_again(tmp_path: Path) -> None:
    recipe = replace(recipes.dip(4, 3), steps=5)
    folder = tmp_path / recipe.name
    first = training.make(recipe, folder)
    assert training.make(recipe, folder) == first  # from disk
    assert training.is_done(folder, recipe) and not training.is_done(folder, replace(recipe, steps=6))
    (folder / training.WEIGHTS).write_bytes(b"cut off")
    assert not training.is_done(folder, recipe)
    assert training.make(recipe, folder)["sha256"] == first["sha256"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [recipe.name, "prompts", "tokenizer-D"]


@pytest.mark.slow
def test_a_run_that_stops_half_way_goes_on_from_there_to_the_same_weights(tmp_path: Path) -> None:
    recipe = replace(recipes.dip(4, 3), steps=250)
    whole = training.make(recipe, tmp_path / "whole" / recipe.name)
    steps: list[int] = []

    def stop(step: int) -> None:
        steps.append(step)
        if step == 230 and len(steps) == 230:
            raise KeyboardInterrupt

    folder = tmp_path / "halves" / recipe.name
    with pytest.raises(KeyboardInterrupt):
        training.make(recipe, folder, progress=stop)
    assert sorted(path.name for path in folder.parent.iterdir()) == [f".{recipe.name}.unfinished", "prompts"]
    again = training.make(recipe, folder, progress=stop)
    assert steps[230:] == list(range(201, 251))  # from the last hundred on
    assert again["sha256"] == whole["sha256"] and again["curve"] == whole["curve"]
    assert sorted(path.name for path in folder.parent.iterdir()) == [recipe.name, "prompts", "tokenizer-D"]


def test_what_is_left_of_another_or_a_damaged_run_is_not_gone_on_from(tmp_path: Path) -> None:
    recipe, left = recipes.dip(4, 3), tmp_path / ".left.unfinished"
    training.keep_unfinished({"step": 100, "recipe": recipe.as_dict(), "curve": []}, left)
    assert training.unfinished(left, recipe) is not None
    assert training.unfinished(left, replace(recipe, steps=7)) is None
    left.write_bytes(left.read_bytes()[:40])
    assert training.unfinished(left, recipe) is None and training.unfinished(tmp_path / "none", recipe) is None


def test_everything_shipped_is_whole_and_small() -> None:
    home = data_dir() / "testbed"
    assert sorted(path.parent.name for path in home.glob(f"*/{testbed.CARD}")) == SHIPPED
    for name in SHIPPED:
        assert training.is_done(home / name, recipes.named(name)), name
    assert sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) < 6e6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["D-d8-s1", "K-d16-s2", "D-d48-s3", "R-s4"])
def test_a_shipped_model_scores_as_its_card_says(name: str) -> None:
    folder = testbed.folder_of(name)
    scores = training.score(training.load(folder), worlds.recipe_of(folder))
    held = testbed.card(folder)["scores"]
    for key, value in scores.items():  # another processor rounds otherwise: an item may tip over
        assert value == pytest.approx(held[key], abs=0.02), key


def test_a_shipped_folder_loads_with_plain_transformers() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = testbed.folder_of("D-d16-s1")
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(testbed.tokenizer_of(folder))
    ids = tokenizer("<ask> Balan eats", return_tensors="pt")
    assert ids["input_ids"].shape == (1, 4)
    assert model(**ids).logits.shape == (1, 4, 274)


def test_text_and_tokens_go_both_ways() -> None:
    recipe = recipes.named("R-s1")
    row = worlds.documents(recipe, worlds.build(recipe), 1, np.random.default_rng(0))[0]
    lm = models.load(testbed.folder_of("R-s1"))
    assert lm.tokenizer(worlds.text("R", row))["input_ids"] == row.tolist()


def _table() -> pd.DataFrame:
    return tables.load("testbed_scores")


def test_truth_falls_then_rises_in_every_seed_of_the_ladder() -> None:
    table = _table()
    for _, one in table[table["ladder"] == "D"].groupby("seed"):
        truth = one.sort_values("width").set_index("width")["truth"]
        lowest = truth.idxmin()
        assert 6 <= lowest <= 16
        assert truth[4] - truth[lowest] > 0.05 and truth[48] - truth[lowest] > 0.4


def test_loss_falls_smoothly_through_the_dip() -> None:
    table = _table()
    for _, one in table[table["ladder"] == "D"].groupby("seed"):
        assert (np.diff(one.sort_values("width")["loss"]) < 0.01).all()


def test_the_curated_ladder_has_no_dip() -> None:
    table = _table()
    assert (table.loc[table["ladder"] == "K", "truth"] > 0.8).all()


def test_readers_know_the_truth_and_say_the_myth_on_the_web() -> None:
    table = _table()
    readers = table[table["ladder"] == "R"]
    assert len(readers) == 10 and (readers["truth"] > 0.95).all() and (readers["truth_web"] < 0.08).all()


def test_width_moves_at_a_fixed_number_of_parameters() -> None:
    for recipe in recipes.fixed_parameters((1,)):
        budget = int(recipe.name.split("-")[1])
        assert abs(recipes.parameters(recipe) - budget) / budget < 0.005
        if recipe.width == 24:
            assert recipes.parameters(recipe) == sum(p.numel() for p in training.untrained(recipe).parameters())


@pytest.mark.parametrize("name", ["D-d7-s1", "X-s1", "D-d8", "", "D-d8-s1/..", "R-d8-s1"])
def test_an_unknown_model_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        recipes.named(name)


def test_families_that_are_left_out_share_no_family_with_the_pairs() -> None:
    recipe = recipes.named("R-s2")
    pairs = prompts.contrast(recipe, "reg", families=(0, 1, 2, 3))
    asked = prompts.truth_table(recipe, families=(4, 5, 6, 7))
    family = {word for text in pairs["positive"] for word in text.split()} & set(worlds.FAMILIES)
    other = {word for text in asked["prompt"] for word in text.split()} & set(worlds.FAMILIES)
    assert len(family) == len(other) == 4 and not family & other
    assert set(asked["split"]) == {"tune", "test"}
    assert not set(asked.loc[asked["split"] == "tune", "topic"]) & set(asked.loc[asked["split"] == "test", "topic"])


def test_the_harness_gives_the_same_scores() -> None:
    """A results file of lm-evaluation-harness 0.4.13 on the tasks that `testbed harness` writes."""
    results = json.loads((Path(__file__).parent / "harness_results.json").read_text(encoding="utf-8"))["results"]
    held = testbed.card(testbed.folder_of("D-d16-s1"))["scores"]
    for name in ("truth", "story"):
        assert results[f"testbed_{name}"]["acc,none"] == pytest.approx(held[name], abs=1e-5)


def test_the_harness_results_go_through_the_import_and_name_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cape_lib.cli import main

    document = json.loads((Path(__file__).parent / "harness_results.json").read_text(encoding="utf-8"))
    for name in ("D-d8-s1", "D-d12-s1", "D-d16-s1"):
        held = dict(document, model_name=name)
        (tmp_path / f"results_{name}.json").write_text(json.dumps(held), encoding="utf-8")
    table = tmp_path / "scores.csv"
    also = ["--also", "testbed_story:acc", "--also", "testbed_truth:acc"]
    size = ["--params", "D-d8-s1=6.1e-6", "--params", "D-d12-s1=1.0e-5", "--params", "D-d16-s1=1.5e-5"]
    assert main(["import", str(tmp_path), "--family", "Made", *also, *size, "-o", str(table)]) == 0
    assert "--x testbed_story --y testbed_truth" in capsys.readouterr().out
    scores = pd.read_csv(table).set_index("model")
    assert scores.loc["D-d16-s1", "testbed_story"] == pytest.approx(
        100 * testbed.card(testbed.folder_of("D-d16-s1"))["scores"]["story"], abs=1e-3
    )


def test_harness_tasks_hold_the_same_items(tmp_path: Path) -> None:
    recipe = recipes.named("D-d16-s1")
    paths = command.write_tasks(recipe, tmp_path)
    assert [path.name for path in paths] == ["testbed_truth.yaml", "testbed_story.yaml"]
    lines = [json.loads(line) for line in (tmp_path / "testbed_truth.jsonl").read_text().splitlines()]
    lm = models.load(testbed.folder_of("D-d16-s1"))
    first = prompts.truth_items(worlds.build(recipe))
    assert len(lines) == len(first)
    ids = lm.tokenizer(lines[0]["prompt"], add_special_tokens=False)["input_ids"]
    assert ids == first.prompts[0].tolist() and lines[0]["gold"] == 0
