"""A prompt's tone as a stress test: the chosen direction on the same questions in every register and context.

The direction, its place and its strength are those that the protocol chose on open web questions; nothing is chosen
again.  In reliable registers the model is right by itself, so that is where steering can break something.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib import tables
from cape_lib.lm import models
from cape_lib.lm.steering.controls import draw_controls
from cape_lib.lm.steering.cost import Cost, strengths
from cape_lib.lm.steering.measuring import Arm, answer_scores, questions
from cape_lib.lm.steering.protocol import Place, Plan, fit_places
from cape_lib.lm.testbed import corpus, prompts, store, worlds
from cape_lib.lm.testbed.recipes import Recipe
from cape_lib.lm.testbed.tokens import text

#: tone -> register of the question; the last two put three statements of one author before it
TONES = {
    "web, open": "web", "reference": "ref", "question": "ask", "story": "story",
    "web, after three truths": "web", "web, after three myths": "web",
}  # fmt: skip
CONTROLS = 20


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
        told = corpus.statements(world, entity[pick], relation[pick], np.full(3, tone.endswith("myths"))).reshape(-1)
        register, question = str(prompt).split(" ", 1)
        before.append(f"{register} {text(recipe.world, told)} {question}")
    return items.assign(prompt=before)


def tones(name: str, contrast: str) -> pd.DataFrame:
    """One row a tone: how many test questions are right, before and after, corrected and broken, of n.

    controls: mean share right (0-1) under 20 isotropic vectors of the same cost on stories at the same place.
    """
    folder = store.folder_of(name)
    recipe, lm = store.recipe_of(folder), models.load(folder)
    trials = tables.load("testbed_trials")
    (chosen,) = trials[trials["trial"] == f"learnt/{name}/{contrast}/entities/0"].to_dict("records")
    place = Place(models.site_of(str(chosen["place"]).split(",")[0].removeprefix("block "), lm.depth))
    fitted = fit_places(lm, prompts.contrast(recipe, contrast), (place,), Plan(seed=recipe.seed))
    drawn = draw_controls(
        fitted.positive, fitted.negative, fitted.direction, each=CONTROLS, kinds=("isotropic",),
        rng=np.random.default_rng([recipe.seed, 13]),
    )[1:]  # fmt: skip
    dose = float(chosen["dose"])
    arms = [Arm(torch.zeros(lm.width), place.site, place.positions)]
    steering = fitted.arm(fitted.direction, 0, dose)
    cost = Cost(lm, prompts.neutral(recipe))

    def control(k: int, strength: float) -> Arm:
        return fitted.arm(drawn[k].vectors, 0, strength)

    start, most = np.full(CONTROLS, dose), np.full(CONTROLS, fitted.most[0])
    equal, _ = strengths(cost, control, start, most, [float(cost([steering])[0])])
    arms += [steering, *(control(k, float(equal[k, 0])) for k in range(CONTROLS))]
    rows: list[dict[str, Any]] = []
    for tone in TONES:
        right = answer_scores(lm, questions(lm, asked_in(recipe, tone)), arms).margins() > 0
        before, after = right[0], right[1]
        rows.append(
            {"model": name, "contrast": contrast, "tone": tone, "place": str(place), "dose": dose, "n": len(before),
             "right_before": int(before.sum()), "right_after": int(after.sum()),
             "corrected": int((~before & after).sum()), "broken": int((before & ~after).sum()),
             "controls": round(float(right[2:].mean()), 4)}
        )  # fmt: skip
    return pd.DataFrame(rows)
