"""The tables `data/testbed_*.csv`, each made again by one call: the measurements behind chapters 3, 4 and 5.

Each writes into a folder of the caller's choice. The long ones (grid, surface, trials) go on where an interrupted run
stopped; the others take seconds to a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib import tables
from cape_lib.errors import UsageError
from cape_lib.lm import models, testbed
from cape_lib.lm import probes as probing
from cape_lib.lm.steering.measuring import Arm, Cost, answer_scores, questions, strengths
from cape_lib.lm.steering.protocol import Fitted, Place, Plan, draw_controls, every_place, fit_places
from cape_lib.names import suggest
from cape_lib.stats import wilson
from experiments.recording import append, in_front, write
from experiments.testbed import prompts, recipes, worlds
from experiments.testbed import trials as protocol
from experiments.testbed.training import made_folder, score, train
from experiments.testbed.worlds import Recipe, statements, text

Report = Callable[[str], None]
#: the seeds of `surface` and of the experiment on width, as in the book
SURFACE_SEEDS = (1, 2, 3)
WIDTH_SEEDS = (1, 2, 3, 4, 5)
#: columns of `testbed_grid`
COLUMNS = (
    "grid name seed width layers feed_forward parameters believers web ref ask story_share story truth myth truth_web "
    "n_story n_truth loss loss_web loss_ref loss_ask loss_story"
)
#: strengths tried at every place, in standard deviations
STRENGTHS = (-4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
#: tone -> register of the question; the last two put three statements of one author before it
TONES = {
    "web, open": "web",
    "reference": "ref",
    "question": "ask",
    "story": "story",
    "web, after three truths": "web",
    "web, after three myths": "web",
}
CONTROLS = 20


def scores(folder: Path, _report: Report) -> None:
    """testbed_scores.csv and testbed_curves.csv, out of the cards of the shipped models; nothing is computed."""
    cards = [testbed.card(path.parent) for path in (tables.data_dir() / "testbed").glob(f"*/{testbed.CARD}")]
    rows, points = [], []
    for card in sorted(cards, key=lambda card: (card["name"][0], card["recipe"]["seed"], card["recipe"]["width"])):
        recipe = card["recipe"]
        about = {"ladder": card["name"][0], "name": card["name"], "seed": recipe["seed"], "width": recipe["width"]}
        shape = {"layers": recipe["layers"], "parameters": card["parameters"], "believers": recipe["believers"]}
        rows.append(about | shape | card["scores"])
        points += [about | point for point in card["curve"]]
    write(pd.DataFrame(rows), folder / "testbed_scores.csv")
    write(pd.DataFrame(points), folder / "testbed_curves.csv")


def texts(folder: Path, _report: Report) -> None:
    """The tables of `prompts/`: what the shipped models are asked, by world."""
    for recipe in {testbed.texts_key(one.as_dict()): one for one in recipes.shipped().values()}.values():
        prompts.write_texts(recipe, folder / "prompts")


def grid(folder: Path, report: Report) -> None:
    """testbed_grid.csv: trains about a hundred models, half a minute of a core each."""
    train_grid("curation", folder / "testbed_grid.csv", report=report)
    train_grid("fixed-parameters", folder / "testbed_grid.csv", seeds=WIDTH_SEEDS, report=report)


def train_grid(
    grid: str, path: Path, *, seeds: tuple[int, ...] | None = None, report: Callable[[str], None] = print
) -> None:
    """Train every model of a grid that `path` does not hold yet and add its line; interrupted, it goes on there."""
    if grid not in recipes.GRIDS:
        raise UsageError(suggest("grid", grid, recipes.GRIDS))
    done = set(pd.read_csv(path)["name"]) if path.is_file() else set()
    for recipe in recipes.GRIDS[grid](seeds) if seeds else recipes.GRIDS[grid]():
        if recipe.name in done:
            continue
        scores = {key: round(value, 5) for key, value in score(train(recipe), recipe).items()}
        line = recipe.as_dict() | {"grid": grid, "parameters": recipes.parameters(recipe), "story_share": recipe.story}
        append([{name: (line | scores)[name] for name in COLUMNS.split()}], path)
        report(f"{recipe.name}: truth {scores['truth']:.2f}, story {scores['story']:.2f}")


def probes(folder: Path, report: Report) -> None:
    """testbed_probes.csv, testbed_projection.csv and testbed_heads.csv: each model and its untrained twin."""
    layers, output, heads = [], [], []
    for name, recipe in recipes.shipped().items():
        if name.startswith("K"):
            continue
        lm = models.load(testbed.folder_of(name))
        twins = probing.twins(lm, prompts.probe_sets(recipe), seeds=(recipe.seed,))
        for weights, probe in zip(("trained", "untrained"), twins, strict=True):
            about = {"model": name, "weights": weights, "width": recipe.width}
            layers.append(in_front(about, probe.layers))
            output.append(in_front(about, probe.projection))
            counts = {"competing": probe.competing, "cooperating": probe.cooperating, "texts": probe.n_texts}
            heads.append(about | {"heads": len(probe.heads)} | counts)
        report(name)
    write(pd.concat(layers), folder / "testbed_probes.csv")
    write(pd.concat(output), folder / "testbed_projection.csv")
    write(pd.DataFrame(heads), folder / "testbed_heads.csv")


def surface(folder: Path, report: Report) -> None:
    """testbed_surface.csv: every place and strength, on ladder D and world R."""
    table = folder / "testbed_surface.csv"
    done = set(pd.read_csv(table)[["model", "contrast"]].itertuples(index=False, name=None)) if table.is_file() else ()
    for name, contrast in _surfaces():
        if (name, contrast) in done:
            continue
        recipe = recipes.named(name)
        pairs, neutral = prompts.contrast(recipe, contrast), prompts.neutral(recipe, n=16)
        lm = models.load(testbed.folder_of(name))
        points = every_point(lm, prompts.truth_table(recipe), pairs, Plan(seed=recipe.seed), neutral=neutral)
        append(in_front({"model": name, "contrast": contrast, "width": recipe.width}, points), table)
        report(f"{name} {contrast}")


def _surfaces() -> Iterator[tuple[str, str]]:
    for seed in SURFACE_SEEDS:
        for width in sorted(recipes.WIDTHS, key=str):
            yield f"D-d{width}-s{seed}", "reg"
        for contrast in ("ctx", "reg"):
            yield f"R-s{seed}", contrast


def every_point(
    lm: models.LanguageModel,
    items: pd.DataFrame,
    pairs: pd.DataFrame,
    plan: Plan,
    *,
    neutral: Sequence[str],
    doses: Sequence[float] = STRENGTHS,
) -> pd.DataFrame:
    """Share of items right at every place and strength of `doses`: the direction, and isotropic controls.

    One row a place and dose: place, dose, right, low, high (Wilson), control_mean, control_low, control_high (lowest
    and highest of `plan.controls`, each as long as it takes to cost what the direction costs there), n and kl (nats a
    token on neutral texts).  Nothing is tuned: for a verdict use `evaluate`.
    """
    fitted = fit_places(lm, pairs, plan.places or every_place(lm), plan)
    drawn = _isotropic(fitted, plan.controls, np.random.default_rng([plan.seed, 9]))
    asked, cost = questions(lm, items), Cost(lm, neutral, seed=plan.seed)
    rows = []
    for place in range(len(fitted.places)):
        arms = [fitted.arm(fitted.direction, place, dose) for dose in doses]
        price = cost(arms)
        level = {kl: _costing(kl, cost, fitted, place, drawn) for kl in price}
        beside = [control for kl in price for control in level[kl]]
        right = answer_scores(lm, asked, [*arms, *beside], batch=plan.batch).margins() > 0
        controls = right[len(arms) :].mean(1).reshape(len(arms), len(drawn))
        for at, dose in enumerate(doses):
            share, own = wilson(int(right[at].sum()), len(asked)), controls[at]
            row = {"place": str(fitted.places[place]), "dose": dose, "right": share.estimate}
            row |= {"low": share.low, "high": share.high, "control_mean": own.mean(), "control_low": own.min()}
            rows.append(row | {"control_high": own.max(), "n": len(asked), "kl": price[at]})
    return pd.DataFrame(rows)


def _isotropic(fitted: Fitted, n: int, rng: np.random.Generator) -> list[torch.Tensor]:
    """Random vectors as long as the direction at every place, (n_places, d) each."""
    states = fitted.positive, fitted.negative
    drawn = draw_controls(*states, fitted.direction, each=n, rng=rng, kinds=("isotropic",))
    return [method.vectors for method in drawn[1:]]


def _costing(
    kl: float, cost: Cost, fitted: Fitted, place: int, vectors: list[torch.Tensor], start: float = 1.0
) -> list[Arm]:
    """The vectors at a place, each as long as it takes to cost `kl` (nats a token); start: a first guess.

    What costs nothing has controls that do nothing.
    """

    def arm(k: int, dose: float) -> Arm:
        return fitted.arm(vectors[k], place, dose)

    guess, most = np.full(len(vectors), start), np.full(len(vectors), fitted.most[place])
    doses = strengths(cost, arm, guess, most, [kl])[:, 0] if kl > 1e-6 else 0.0 * guess
    return [arm(k, float(dose)) for k, dose in enumerate(doses)]


def trials(folder: Path, report: Report) -> None:
    """testbed_trials.csv, testbed_controls.csv and testbed_pooled.csv: the protocol where the answer is known."""
    protocol.run(folder, report=report)
    order = [trial.name for trial in protocol.trials()]
    table = pd.read_csv(folder / "testbed_trials.csv", dtype=str, keep_default_na=False).set_index("trial")
    write(table.loc[order].reset_index(), folder / "testbed_trials.csv")  # whatever order interrupted runs left
    write(protocol.pooled(pd.read_csv(folder / "testbed_trials.csv")), folder / "testbed_pooled.csv")


def registers(folder: Path, report: Report) -> None:
    """testbed_registers.csv: what the directions of world R do to questions in every register and context."""
    rows = []
    for seed in recipes.R_SEEDS:
        for contrast in ("ctx", "reg"):
            rows.append(tones(f"R-s{seed}", contrast))
            report(f"R-s{seed} {contrast}")
    write(pd.concat(rows), folder / "testbed_registers.csv")


def asked_in(recipe: Recipe, tone: str) -> pd.DataFrame:
    """The test items of a world in one tone of TONES; statements before a question are about other, asked beings."""
    items = prompts.truth_table(recipe, register=TONES[tone])
    items = items[items["split"] == "test"].reset_index(drop=True)
    if not tone.startswith("web, after"):
        return items
    world = worlds.build(recipe)
    rng = np.random.default_rng([recipe.seed, 12])
    entity, relation = np.nonzero(world.contested & world.asked[:, None])
    before = []
    for prompt in items["prompt"]:
        pick = rng.permutation(len(entity))[:3]
        first = statements(world, entity[pick], relation[pick], np.full(3, tone.endswith("myths"))).reshape(-1)
        register, question = str(prompt).split(" ", 1)
        before.append(f"{register} {text(recipe.world, first)} {question}")
    return items.assign(prompt=before)


def tones(name: str, contrast: str) -> pd.DataFrame:
    """One row a tone: how many test questions are right, before and after, corrected and broken, of n.

    controls: mean share right (0-1) under 20 isotropic vectors of the same cost on stories at the same place.
    """
    folder = testbed.folder_of(name)
    recipe, lm = worlds.recipe_of(folder), models.load(folder)
    runs = tables.load("testbed_trials")
    (chosen,) = runs[runs["trial"] == f"learnt/{name}/{contrast}/entities/0"].to_dict("records")
    place = Place(models.site_of(str(chosen["place"]).split(",")[0].removeprefix("block "), lm.depth))
    fitted = fit_places(lm, prompts.contrast(recipe, contrast), (place,), Plan(seed=recipe.seed))
    drawn = _isotropic(fitted, CONTROLS, np.random.default_rng([recipe.seed, 13]))
    dose = float(chosen["dose"])
    arms = [Arm(torch.zeros(lm.width), place.site, place.positions)]
    steering, cost = fitted.arm(fitted.direction, 0, dose), Cost(lm, prompts.neutral(recipe))
    arms += [steering, *_costing(float(cost([steering])[0]), cost, fitted, 0, drawn, dose)]
    rows: list[dict[str, Any]] = []
    for tone in TONES:
        right = answer_scores(lm, questions(lm, asked_in(recipe, tone)), arms).margins() > 0
        before, after = right[0], right[1]
        row = {"model": name, "contrast": contrast, "tone": tone, "place": str(place), "dose": dose, "n": len(before)}
        row |= {"right_before": int(before.sum()), "right_after": int(after.sum())}
        row |= {"corrected": int((~before & after).sum()), "broken": int((before & ~after).sum())}
        rows.append(row | {"controls": round(float(right[2:].mean()), 4)})
    return pd.DataFrame(rows)


TABLES = {each.__name__: each for each in (scores, texts, grid, probes, surface, trials, registers)}


def measure(table: str, folder: Path, *, report: Report = print) -> None:
    """Make the tables of one experiment in `folder`; UsageError for an experiment that is not in TABLES."""
    if table not in TABLES:
        raise UsageError(suggest("experiment", table, TABLES))
    TABLES[table](made_folder(folder), report)
