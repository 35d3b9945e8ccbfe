"""The testbed: two made worlds with popular myths, and ladders of tiny language models trained on them.

World "D" makes a dip: truth falls, then rises with width.  "K" is D with fewer believers.  World "R" makes models
that infer whether their author is truthful, which is what a steering tool wants to move.  All of it is constructed:
it shows that a corpus *can* make a dip, not where the dip of any published family comes from.

Here: where a model lies, what its card says, and what the models' tables say, width or parameters, and this book's
models beside a trial run before them, of the same design and in other code, which was not kept: its results are the
table `testbed_first_trial`.  Nothing here needs torch; what makes the models and their texts is `experiments.testbed`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t, ttest_1samp

from cape_lib.errors import UsageError
from cape_lib.names import suggest
from cape_lib.stats import Estimate, corrected, mean_interval
from cape_lib.tables import data_dir

#: the file in a model's folder that says how it was made
CARD = "testbed.json"
#: up to this width every model learns at the same rate; a wider one takes smaller steps
FULL_RATE_WIDTH = 24
#: measure -> column with the number of its questions
MEASURES = {"story": "n_story", "truth": "n_truth", "myth": "n_truth"}


def folder_of(name: str) -> Path:
    """The folder of a testbed model, readable by plain `from_pretrained`, by name; UsageError if it is not there."""
    home = data_dir() / "testbed"
    if not (home / name / CARD).is_file():
        raise UsageError(suggest("testbed model", name, sorted(path.parent.name for path in home.glob(f"*/{CARD}"))))
    return home / name


def card(folder: Path) -> dict[str, Any]:
    """What a model's testbed.json says: recipe, scores, curve, hash, versions."""
    content: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return content


def tokenizer_of(folder: Path) -> Path:
    """The folder of a model's tokenizer: its own, or that of its world beside it, where testbed models share one."""
    shared = folder.parent / f"tokenizer-{card(folder)['recipe']['world']}" if (folder / CARD).is_file() else folder
    return shared if shared.is_dir() else folder


def texts_key(recipe: dict[str, Any]) -> str:
    """By what the texts of a recipe's world are told from others: such as "D-s1-b0.85" (world, seed, believers)."""
    return f"{recipe['world']}-s{recipe['seed']}-b{recipe['believers']:g}"


def ladder_gaps(scores: pd.DataFrame, first: pd.DataFrame, *, ladder: str = "D") -> pd.DataFrame:
    """Mean scores of a ladder here and in the trial, by width and measure, shares 0-1.

    scores: `testbed_scores`; first: `testbed_first_trial`.  Returns width, measure, first, here, gap (here minus
    first), sd (of the difference of two such means, by the scatter of seeds or by counting questions, whichever is
    larger) and beyond (the gap exceeds its t interval, and two points, as the trial's shares were noted to one).
    Raises UsageError for a ladder that the trial did not have.
    """
    trial = first[first["part"] == f"ladder {ladder}"]
    if trial.empty:
        raise UsageError(f"the trial had no ladder {ladder!r}")
    rows = []
    for old in trial.to_dict("records"):
        width, measure = int(str(old["at"]).split()[-1]), str(old["measure"])
        own = scores[(scores["ladder"] == ladder) & (scores["width"] == width)]
        here, n = float(own[measure].mean()), len(own)
        counting = np.sqrt(here * (1 - here) / (n * own[MEASURES[measure]].mean()))
        sd = np.sqrt(2) * max(float(own[measure].std()) / np.sqrt(n), float(counting))
        gap = here - float(old["low"])
        limit = max(0.02, float(t.ppf(0.975, 2 * n - 2)) * sd)
        rows.append((width, measure, float(old["low"]), here, gap, sd, abs(gap) > limit))
    return pd.DataFrame(rows, columns=["width", "measure", "first", "here", "gap", "sd", "beyond"])


def steering_counts(trials: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """World R's directions in the trial and here, on the seeds that both have: one row a direction and run.

    trials: `testbed_trials`; first: `testbed_first_trial`.  Returns contrast, run ("trial", "here"), runs, after and
    control (lowest and highest share right under the direction and under its best control, as text), ahead (runs whose
    lead over the best control is surely above 0, which is what the trial counted), older (the same by the older
    controls; here, without an interval, runs that lead the best of them).
    """
    here = trials[(trials["case"] == "learnt") & (trials["split"] == "entities")]
    rows = []
    for contrast, old in first[first["part"] == "steering R"].groupby("at", sort=False):
        low, high = (dict(zip(old["measure"], old[side].astype(float), strict=True)) for side in ("low", "high"))
        runs = int(old["n"].iloc[0])
        own = here[(here["contrast"] == contrast) & (here["model"].str[3:].astype(int) <= runs)]
        measures = ("right_after", "best_control")
        spans = [f"{low[name]:.2f} to {high[name]:.2f}" for name in measures]
        rows.append((contrast, "trial", runs, *spans, int(low["passed"]), low.get("passed_older", float("nan"))))
        spans = [f"{own[name].min():.2f} to {own[name].max():.2f}" for name in measures]
        ahead, older = int((own["over_best_low"] > 0).sum()), float((own["right_after"] > own["best_leaky"]).sum())
        rows.append((contrast, "here", len(own), *spans, ahead, older))
    return pd.DataFrame(rows, columns=["contrast", "run", "runs", "after", "control", "ahead", "older"])


def _budgets(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the number of parameters that was aimed at, as text, in a column `budget`."""
    return rows.assign(budget=rows["name"].str.split("-").str[1])


def doublings(rows: pd.DataFrame) -> pd.DataFrame:
    """Change of the share right (0-1) with every doubling of the width that was made, the number of parameters held.

    The difference in every seed and budget that has both widths, the mean over budgets in each seed. Returns narrow,
    wide (widths), estimate, low, high (t interval over seeds; NaN for one seed), n (seeds) and p (two-sided t test,
    0-1, Holm's correction over the doublings).
    """
    shares = _budgets(rows).pivot(index=["seed", "budget"], columns="width", values="truth")
    table = []
    for narrow in [width for width in shares.columns if 2 * width in shares.columns]:
        change = (shares[2 * narrow] - shares[narrow]).dropna().groupby("seed").mean()
        mean = mean_interval(change, "mean over seeds, t interval")
        p = ttest_1samp(change, 0).pvalue if mean.n > 1 else np.nan
        table.append((narrow, 2 * narrow, mean.estimate, mean.low, mean.high, mean.n, p))
    changes = pd.DataFrame(table, columns=["narrow", "wide", "estimate", "low", "high", "n", "p"])
    return changes.assign(p=corrected(changes["p"]))


def gap(rows: pd.DataFrame) -> Estimate:
    """Share right (0-1) with more parameters minus with fewer, the width held: mean over shared widths in each seed."""
    wide = _budgets(rows).pivot(index=["seed", "width"], columns="budget", values="truth").dropna()
    few, many = sorted(wide.columns, key=int)[0], sorted(wide.columns, key=int)[-1]
    return mean_interval((wide[many] - wide[few]).groupby("seed").mean(), "mean over seeds, t interval")
