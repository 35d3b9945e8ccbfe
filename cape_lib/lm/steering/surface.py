"""What steering does at every place and strength: the grid behind the sliders of chapter 05."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.steering.controls import Method, draw_controls
from cape_lib.lm.steering.measuring import answer_scores, divergence, margins, questions
from cape_lib.lm.steering.protocol import Plan, every_place, fit_places
from cape_lib.stats import wilson


def surface(
    lm: LanguageModel,
    items: pd.DataFrame,
    pairs: pd.DataFrame,
    plan: Plan | None = None,
    *,
    neutral: Sequence[str] = (),
) -> pd.DataFrame:
    """Share of items right at every place and strength of `plan.curve`: the direction and isotropic controls.

    One row a place and dose: place, dose, right, low, high (Wilson), control_mean, control_low,
    control_high (lowest and highest of `plan.controls`), n,
    and kl (nats a token on neutral texts) if any are given.  Nothing is tuned: for a
    verdict use `evaluate`.
    """
    plan = plan or Plan()
    places = plan.places or every_place(lm)
    fitted = fit_places(lm, pairs, places, plan)
    rng = np.random.default_rng([plan.seed, 9])
    drawn = draw_controls(
        fitted.positive, fitted.negative, fitted.direction, each=plan.controls, rng=rng, kinds=("isotropic",)
    )
    methods = [Method("direction", 0, fitted.direction, torch.ones(len(places))), *drawn[1:]]
    grid = [(place, dose) for place in range(len(places)) for dose in plan.curve]
    asked = questions(lm, items)
    arms = [fitted.arm(method.vectors, place, dose) for method in methods for place, dose in grid]
    right = (margins(answer_scores(lm, asked, arms, batch=plan.batch)) > 0).reshape(len(methods), len(grid), len(asked))
    mine, controls = right[0], right[1:].mean(axis=2)
    cost = divergence(lm, neutral, arms[: len(grid)]) if len(neutral) else None
    rows = []
    for at, (place, dose) in enumerate(grid):
        made = wilson(int(mine[at].sum()), len(asked))
        rows.append(
            {"place": str(places[place]), "dose": dose, "right": made.estimate, "low": made.low, "high": made.high,
             "control_mean": controls[:, at].mean(), "control_low": controls[:, at].min(),
             "control_high": controls[:, at].max(),
             "n": len(asked)} | ({} if cost is None else {"kl": cost[at]})
        )  # fmt: skip
    return pd.DataFrame(rows)
