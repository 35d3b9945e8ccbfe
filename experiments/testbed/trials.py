"""The protocol put to the test: planted, learnt and null cases through the one code path of `steering.evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from cape_lib import tables
from cape_lib.lm import models, steering, testbed
from cape_lib.lm.steering.protocol import Place, Plan, every_place
from cape_lib.lm.steering.verdicts import ALPHA, KINDS, Evaluation
from experiments.recording import append, in_front, numbers
from experiments.testbed import prompts, recipes, worlds
from experiments.testbed.worlds import Recipe

HALVES = {"families 0-3": (0, 1, 2, 3), "families 4-7": (4, 5, 6, 7)}


@dataclass(frozen=True)
class Trial:
    """One run: the case ("planted", "learnt", "null: ..."), the model, the contrast and what is done to it."""

    case: str
    model: str
    contrast: str
    split: str = "entities"
    untrained: bool = False
    shuffle: int = 0

    @property
    def name(self) -> str:
        """A name that tells all trials apart."""
        return "/".join([self.case, self.model, self.contrast, self.split, str(self.shuffle)])


def trials() -> Iterator[Trial]:
    """Every trial of the book, planted ones first."""
    for seed in recipes.SEEDS:
        yield Trial("planted", f"D-d48-s{seed}", "reg")
    for seed in recipes.R_SEEDS:
        for contrast in prompts.CONTRASTS:
            yield Trial("learnt", f"R-s{seed}", contrast)
    for seed in recipes.R_SEEDS:
        for contrast in ("reg", "ctx"):
            for split in HALVES:
                yield Trial("learnt", f"R-s{seed}", contrast, split=f"fitted on {split}")
    for seed in recipes.SEEDS:
        for width in (8, 12, 16):
            yield Trial("null: below the dip", f"D-d{width}-s{seed}", "reg")
    for seed in recipes.R_SEEDS:
        yield Trial("null: shuffled labels", f"R-s{seed}", "reg", shuffle=1)
        yield Trial("null: untrained", f"R-s{seed}", "reg", untrained=True)


def places_for(trial: Trial, lm: models.LanguageModel) -> tuple[Place, ...]:
    """The ordinary places; the planted case is also tried at the register's own token."""
    ordinary = every_place(lm)
    if trial.case != "planted":
        return ordinary
    here = (prompts.REGISTER_TOKEN,)
    return (*(Place(place.site, prompts.REGISTER_TOKEN, here) for place in ordinary), *ordinary)


def _texts(trial: Trial, recipe: Recipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items and pairs of a trial."""
    if trial.split == "entities":
        return prompts.truth_table(recipe), prompts.contrast(recipe, trial.contrast)
    fit = HALVES[trial.split.removeprefix("fitted on ")]
    rest = tuple(sorted(set(range(8)) - set(fit)))
    return prompts.truth_table(recipe, families=rest), prompts.contrast(recipe, trial.contrast, families=fit)


def _shuffled(pairs: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Just half of the pairs turned round: no direction is left but chance.

    One pair more on either side would leave a grain of the real direction, and equal norms make a grain whole again.
    """
    pairs = pairs.iloc[: len(pairs) // 2 * 2]
    turn = np.random.default_rng([seed, 10]).permutation(len(pairs)) < len(pairs) // 2
    mixed = pairs.copy()
    mixed["positive"] = pairs["positive"].where(~turn, pairs["negative"])
    mixed["negative"] = pairs["negative"].where(~turn, pairs["positive"])
    return mixed


def run_trial(trial: Trial) -> Evaluation:
    """The protocol on one trial."""
    folder = testbed.folder_of(trial.model)
    recipe = worlds.recipe_of(folder)
    lm = models.load(folder)
    if trial.untrained:
        lm = models.untrained(lm, seed=recipe.seed)
    items, pairs = _texts(trial, recipe)
    if trial.shuffle:
        pairs = _shuffled(pairs, 100 * recipe.seed + trial.shuffle)
    seed = recipe.seed + 1000 * trial.shuffle
    plan = Plan(places=places_for(trial, lm), seed=seed, kinds=KINDS, all_controls=True, curve=())
    return steering.evaluate(lm, items, pairs, plan, neutral=prompts.neutral(recipe, n=16))


def row(trial: Trial, result: Evaluation) -> dict[str, Any]:
    """One line of the table of trials, shares 0-1."""
    older = result.effect_leaky
    assert older is not None, "trials run both rules for controls"
    line = vars(trial) | numbers(result) | {"trial": trial.name, "n": len(result.items), "cost": result.cost}
    line |= {"p_leaky": older.p, "best_leaky": older.best_control, "effect_leaky": older.holds}
    columns = tables.load("testbed_trials").columns
    return {name: round(line[name], 4) if isinstance(line[name], float) else line[name] for name in columns}


def run(folder: Path, *, report: Callable[[str], None] = print) -> None:
    """Run every trial that `folder` does not hold yet.

    Adds to testbed_trials.csv and testbed_controls.csv there.  An interrupted run goes on where it stopped.
    """
    table = folder / "testbed_trials.csv"
    done = set(pd.read_csv(table)["trial"]) if table.is_file() else set()
    for trial in trials():
        if trial.name in done:
            continue
        result = run_trial(trial)
        if trial.split == "entities" and trial.case in ("planted", "learnt"):
            controls = in_front({"model": trial.model, "contrast": trial.contrast}, result.methods)
            append(controls, folder / "testbed_controls.csv")
        append([row(trial, result)], table)
        effect = result.effect
        report(f"{trial.name}: {effect.share:.2f} against {effect.best_control:.2f}, p {effect.p:.3f}")


def pooled(table: pd.DataFrame) -> pd.DataFrame:
    """One row a case, contrast and way of splitting: the leads of its runs, averaged over models.

    table: testbed_trials. A run's lead is over its own controls, their mean and the best of them: the controls of two
    runs have nothing in common that would pair them. Two runs on one model (the halves of the families) count as one.
    Intervals: t over models; p: one-sided t test of the lead over the mean; shares 0-1, `items` of all runs.
    """
    halves = table["split"].isin([f"fitted on {half}" for half in HALVES])
    runs = table.assign(split=table["split"].mask(halves, "families left out"))
    rows = []
    for (case, contrast, split), group in runs.groupby(["case", "contrast", "split"], sort=False):
        columns = ["right_after", "mean_control", "best_control", "over_mean", "over_best"]
        models = group.groupby("model")[columns].mean()
        mean, best = (ttest_1samp(models[lead], 0.0) for lead in ("over_mean", "over_best"))
        (low, high), (least, most) = mean.confidence_interval(), best.confidence_interval()
        p = float(ttest_1samp(models["over_mean"], 0.0, alternative="greater").pvalue)
        means = models[columns].mean()
        row: dict[str, Any] = {"case": case, "contrast": contrast, "split": split, "runs": len(group)}
        row |= {"items": int(group["n"].sum())} | {name: means[name] for name in columns[:4]}
        row |= {"over_mean_low": low, "over_mean_high": high, "over_best": means["over_best"]}
        row |= {"over_best_low": least, "over_best_high": most, "controls": int(group["controls"].iloc[0])}
        rows.append(row | {"p": p, "effect": bool(p <= ALPHA and low > 0)})
    # a p rounded to four places would be zero
    return pd.DataFrame(rows).round(4).assign(p=[float(f"{row['p']:.2g}") for row in rows])
