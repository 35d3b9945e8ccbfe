"""What steering does at every place and strength: the grid behind the sliders of chapter 05."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.steering.controls import draw_controls
from cape_lib.lm.steering.cost import Cost, strengths
from cape_lib.lm.steering.measuring import Arm, answer_scores, questions
from cape_lib.lm.steering.protocol import Plan, every_place, fit_places
from cape_lib.stats import wilson

#: strengths tried at every place, in the plan's unit
STRENGTHS = (-4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0)


def surface(
    lm: LanguageModel,
    items: pd.DataFrame,
    pairs: pd.DataFrame,
    plan: Plan | None = None,
    *,
    neutral: Sequence[str],
    doses: Sequence[float] = STRENGTHS,
) -> pd.DataFrame:
    """Share of items right at every place and strength of `strengths`: the direction, and isotropic controls.

    One row a place and dose: place, dose, right, low, high (Wilson), control_mean, control_low, control_high (lowest
    and highest of `plan.controls`, each as long as it takes to cost what the direction costs there), n and kl (nats a
    token on neutral texts).  Nothing is tuned: for a verdict use `evaluate`.
    """
    plan = plan or Plan()
    fitted = fit_places(lm, pairs, plan.places or every_place(lm), plan)
    rng = np.random.default_rng([plan.seed, 9])
    drawn = draw_controls(
        fitted.positive, fitted.negative, fitted.direction, each=plan.controls, rng=rng, kinds=("isotropic",)
    )[1:]
    asked, cost = questions(lm, items), Cost(lm, neutral, seed=plan.seed)
    rows = []
    for place, most in enumerate(fitted.most):
        arms = [fitted.arm(fitted.direction, place, dose) for dose in doses]
        price = cost(arms)
        targets = sorted({float(kl) for kl in price if kl > 1e-6})

        def control(k: int, dose: float, place: int = place) -> Arm:
            return fitted.arm(drawn[k].vectors, place, dose)

        guess, far = np.ones(len(drawn)), np.full(len(drawn), float(most))
        level = _levels(cost, control, guess, far, targets)
        beside = [[control(k, level(k, float(kl))) for k in range(len(drawn))] for kl in price]
        flat = [*arms, *(one for group in beside for one in group)]
        right = answer_scores(lm, asked, flat, batch=plan.batch).margins() > 0
        controls = right[len(arms) :].mean(1).reshape(len(arms), len(drawn))
        for at, dose in enumerate(doses):
            made = wilson(int(right[at].sum()), len(asked))
            rows.append(
                {"place": str(fitted.places[place]), "dose": dose, "right": made.estimate, "low": made.low,
                 "high": made.high, "control_mean": controls[at].mean(), "control_low": controls[at].min(),
                 "control_high": controls[at].max(), "n": len(asked), "kl": price[at]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _levels(
    cost: Cost, control: Callable[[int, float], Arm], guess: np.ndarray, far: np.ndarray, targets: Sequence[float]
) -> Callable[[int, float], float]:
    """The strength of control k that costs so much; nothing for what costs nothing."""
    if not targets:
        return lambda _k, _kl: 0.0
    found = np.concatenate([strengths(cost, control, guess, far, [target])[0] for target in targets], axis=1)
    return lambda k, kl: float(found[k, int(np.argmin([abs(kl - t) for t in targets]))]) if kl > 1e-6 else 0.0
