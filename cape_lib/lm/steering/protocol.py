"""The protocol: fit, tune and test a direction against controls that are tuned in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models.record import LanguageModel
from cape_lib.lm.models.sites import Site
from cape_lib.lm.probes.capture import capture
from cape_lib.lm.steering.applying import Positions
from cape_lib.lm.steering.controls import CLEAN, LEAKY, Method, draw_controls
from cape_lib.lm.steering.direction import check_strength
from cape_lib.lm.steering.fitting import check_pairs, vector_of
from cape_lib.lm.steering.measuring import Arm, Questions, answer_scores, divergence, margins, questions
from cape_lib.lm.steering.verdicts import Effect, Outcome, claim_verdict, effect, outcome


@dataclass(frozen=True)
class Place:
    """Where a direction is read (site, token of the text) and where it is added (site, positions)."""

    site: Site
    token: int = -1
    positions: Positions = "last"

    def __str__(self) -> str:
        where = "embed" if self.site == "embed" else f"block {self.site}"
        positions = (
            self.positions if isinstance(self.positions, str) else "token " + ", ".join(map(str, self.positions))
        )
        return f"{where}, {positions}"


@dataclass(frozen=True)
class Plan:
    """Choices of a run.

    places: where to try, default the embeddings and every block; doses: strengths tried in tuning, positive; unit:
    of the doses, "std" (standard deviations of the texts' projections on the direction) or "residual" (median norms
    of the hidden state); curve: strengths of the dose-response; controls: of each kind; claim: share (0-1) of wrong
    answers said to be corrected; method: see `fit_direction`; seed: of the controls.
    """

    places: tuple[Place, ...] = ()
    doses: tuple[float, ...] = (0.5, 1.0, 2.0, 3.0, 4.0)
    curve: tuple[float, ...] = (-4.0, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
    unit: str = "std"
    controls: int = 20
    claim: float = 0.60
    method: str = "mean_difference"
    seed: int = 0
    batch: int = 16384


@dataclass(frozen=True)
class Evaluation:
    """The result of the protocol on one model.

    place, dose: chosen on the tune items; outcome, effect, claim: on the test items, `effect` against the clean
    controls, `effect_leaky` against the older ones; methods: a row for the direction and each control (kind, index,
    place, dose, tune, test, cosine); doses: dose-response at the chosen place; places: tuned share right by place;
    items: margins before and after; base: share right before steering.
    """

    model: str
    place: Place
    dose: float
    base: float
    outcome: Outcome
    effect: Effect
    effect_leaky: Effect
    claimed: float
    claim: str
    methods: pd.DataFrame
    doses: pd.DataFrame
    places: pd.DataFrame
    items: pd.DataFrame
    right: np.ndarray = field(repr=False)
    control_rights: np.ndarray = field(repr=False)

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON."""
        made, bound = self.outcome, self.outcome.broken
        return {
            "model": self.model, "place": str(self.place), "dose": self.dose, "right_before": self.base,
            "right_after": self.effect.share, "corrected": _plain(made.corrected), "broken": _plain(bound),
            "net": _plain(made.net), "mcnemar_p": made.mcnemar, "misaligned": made.n_misaligned,
            "aligned": made.n_aligned,
            "best_control": self.effect.best_control, "mean_control": self.effect.mean_control,
            "over_best_control": _plain(self.effect.over_best), "controls": self.effect.n_controls,
            "p": self.effect.p, "effect": self.effect.word, "p_leaky_controls": self.effect_leaky.p,
            "claimed": self.claimed, "claim": self.claim,
        }  # fmt: skip


def _plain(value: Any) -> dict[str, float | None]:
    # a share of nothing is no number, and JSON has no word for it
    found = {"estimate": value.estimate, "low": value.low, "high": value.high}
    return {name: None if number != number else number for name, number in found.items()} | {"n": value.n}


@dataclass(frozen=True)
class Fitted:
    """States of the fitting texts, the direction and the length of a dose of 1, at every place."""

    places: tuple[Place, ...]
    positive: torch.Tensor
    negative: torch.Tensor
    direction: torch.Tensor
    scale: torch.Tensor

    def arm(self, vectors: torch.Tensor, place: int, dose: float) -> Arm:
        # one length a place, whatever the vector: every control is as long as the direction
        vector = vectors[place] / vectors[place].norm().clamp_min(1e-12)
        return Arm(dose * self.scale[place] * vector, self.places[place].site, self.places[place].positions)


def fit_places(lm: LanguageModel, pairs: pd.DataFrame, places: tuple[Place, ...], plan: Plan) -> Fitted:
    """The direction at every place, with the states that it came from and the length of one unit of dose there."""
    texts = [str(text) for text in pairs["positive"]] + [str(text) for text in pairs["negative"]]
    columns: dict[int, torch.Tensor] = {}
    for token in sorted({place.token for place in places}):
        here = [index for index, place in enumerate(places) if place.token == token]
        states = capture(lm, texts, [places[index].site for index in here], token=token)
        # a site twice in one reading comes out once a mention, so columns stay in step
        columns |= {index: states[:, at] for at, index in enumerate(here)}
    states = torch.stack([columns[index] for index in range(len(places))], dim=1)
    positive, negative = states[: len(pairs)], states[len(pairs) :]
    direction = vector_of(positive, negative, plan.method)
    if plan.unit == "residual":
        scale = states.norm(dim=-1).median(dim=0).values
    else:
        check_strength(1.0, plan.unit)
        if plan.unit != "std":
            raise UsageError(f"strengths are tuned in units std or residual, not {plan.unit}")
        unit = direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        scale = torch.einsum("npd,pd->np", states, unit).std(dim=0, correction=0)
    return Fitted(places, positive, negative, direction, scale)


def _tuned(
    lm: LanguageModel, asked: Questions, fitted: Fitted, methods: Sequence[Method], plan: Plan
) -> tuple[np.ndarray, np.ndarray]:
    """Share right and mean margin on the tune items, (n_methods, n_places, n_doses)."""
    grid = [(place, dose) for place in range(len(fitted.places)) for dose in plan.doses]
    arms = [fitted.arm(method.vectors, place, dose) for method in methods for place, dose in grid]
    found = margins(answer_scores(lm, asked, arms, batch=plan.batch))
    shape = (len(methods), len(fitted.places), len(plan.doses))
    return (found > 0).mean(1).reshape(shape), found.mean(1).reshape(shape)


def _best(share: np.ndarray, margin: np.ndarray) -> tuple[int, int]:
    """Place and dose with the highest share right; between equals, the higher mean margin."""
    order = np.lexsort((margin.reshape(-1), share.reshape(-1)))
    place, dose = divmod(int(order[-1]), int(share.shape[1]))
    return place, dose


def every_place(lm: LanguageModel) -> tuple[Place, ...]:
    """The embeddings and every block, each read and steered at the last token."""
    return tuple(Place(site) for site in ("embed", *range(lm.depth)))


def evaluate(
    lm: LanguageModel,
    items: pd.DataFrame,
    pairs: pd.DataFrame,
    plan: Plan | None = None,
    *,
    neutral: Sequence[str] = (),
) -> Evaluation:
    """Fit on `pairs`, choose place and dose on the tune items, report on the test items: two verdicts.

    items: columns prompt, true, false (false2 ... optional), topic, split ("tune" or "test"); topics should not be
    shared between the splits.  pairs: columns positive, negative, topic.  neutral: texts for the off-target cost.
    Every control goes through the same choice of place and dose.  Raises UsageError for fewer than four pairs, a
    split without items, or places that the model does not have.
    """
    plan = plan or Plan()
    pairs = check_pairs(pairs).reset_index(drop=True)
    parts = {name: items[items["split"] == name].reset_index(drop=True) for name in ("tune", "test")}
    for name, part in parts.items():
        if not len(part):
            raise UsageError(f"no items in split {name!r}; give both tune and test items")
    places = plan.places or every_place(lm)
    fitted = fit_places(lm, pairs, places, plan)
    rng = np.random.default_rng([plan.seed, 8])
    steering = Method("direction", 0, fitted.direction, torch.ones(len(places)))
    methods = [
        steering,
        *draw_controls(fitted.positive, fitted.negative, fitted.direction, each=plan.controls, rng=rng),
    ]

    share, margin = _tuned(lm, questions(lm, parts["tune"]), fitted, methods, plan)
    chosen = [_best(share[i], margin[i]) for i in range(len(methods))]
    asked = questions(lm, parts["test"])
    nothing = Arm(torch.zeros(lm.width), places[0].site, places[0].positions)
    arms = [nothing] + [fitted.arm(m.vectors, p, plan.doses[d]) for m, (p, d) in zip(methods, chosen, strict=True)]
    test = margins(answer_scores(lm, asked, arms, batch=plan.batch))
    before, after = test[0], test[1]
    kinds = np.array([method.kind for method in methods])
    right = test[1:] > 0
    clean, leaky = right[np.isin(kinds, CLEAN)], right[np.isin(kinds, LEAKY)]
    made, found = outcome(before, after, asked.topic), effect(right[0], clean, asked.topic)
    place, dose = chosen[0]
    return Evaluation(
        model=lm.name, place=places[place], dose=plan.doses[dose], base=float((before > 0).mean()), outcome=made,
        effect=found, effect_leaky=effect(right[0], leaky, asked.topic), claimed=plan.claim,
        claim=claim_verdict(made.corrected, found.holds, plan.claim),
        methods=_method_table(methods, chosen, share, right, fitted, plan),
        doses=_dose_table(lm, asked, _Doses(fitted, methods, place, plan), neutral),
        places=_place_table(fitted, share, kinds), items=_item_table(parts["test"], before, after),
        right=right[0], control_rights=clean,
    )  # fmt: skip


def _method_table(
    methods: Sequence[Method],
    chosen: Sequence[tuple[int, int]],
    share: np.ndarray,
    right: np.ndarray,
    fitted: Fitted,
    plan: Plan,
) -> pd.DataFrame:
    rows = [
        {
            "kind": m.kind, "index": m.index, "place": str(fitted.places[p]), "dose": plan.doses[d],
            "tune": share[i, p, d], "test": right[i].mean(), "cosine": float(m.cosine[p]),
        }
        for i, (m, (p, d)) in enumerate(zip(methods, chosen, strict=True))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Doses:
    """What the dose-response runs: every clean method at one place, over the plan's curve."""

    fitted: Fitted
    methods: Sequence[Method]
    place: int
    plan: Plan


def _dose_table(lm: LanguageModel, asked: Questions, chosen: _Doses, neutral: Sequence[str]) -> pd.DataFrame:
    """Share right on the test items at the chosen place: the direction and every clean control, by dose."""
    plan = chosen.plan
    used = [m for m in chosen.methods if m.kind == "direction" or m.kind in CLEAN]
    arms = [chosen.fitted.arm(m.vectors, chosen.place, dose) for m in used for dose in plan.curve]
    found = margins(answer_scores(lm, asked, arms, batch=plan.batch)) > 0
    table = pd.DataFrame(
        [{"kind": m.kind, "index": m.index, "dose": dose} for m in used for dose in plan.curve]
    ).assign(right=found.mean(1), n=len(asked))  # fmt: skip
    if len(neutral):
        mine = (table["kind"] == "direction").to_numpy()
        cost = np.full(len(table), np.nan)
        cost[mine] = divergence(lm, neutral, [arm for arm, own in zip(arms, mine, strict=True) if own])
        table["kl"] = cost
    return table


def _place_table(fitted: Fitted, share: np.ndarray, kinds: np.ndarray) -> pd.DataFrame:
    """Best tuned share right at every place: the direction's, and the clean controls' mean and best."""
    top = share.max(axis=2)
    clean = top[np.isin(kinds, CLEAN)]
    return pd.DataFrame(
        {
            "place": [str(place) for place in fitted.places], "site": [str(place.site) for place in fitted.places],
            "direction": top[0], "control_mean": clean.mean(0), "control_best": clean.max(0),
            "norm": fitted.direction.norm(dim=-1).tolist(), "unit": fitted.scale.tolist(),
        }
    )  # fmt: skip


def _item_table(items: pd.DataFrame, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    kept = items[[name for name in ("prompt", "true", "false", "topic") if name in items]].copy()
    return kept.assign(before=before, after=after)
