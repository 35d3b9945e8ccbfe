"""The protocol: fit, tune and test a direction against controls that may cost as much and are tuned in the same way.

Strengths are set by what they cost, the KL divergence on neutral text: a vector of equal length can cost sixty times
as much, and a wrecked model answers by chance, which beats a model that believes in myths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import ScoresError, UsageError
from cape_lib.lm.models.record import LanguageModel, Site
from cape_lib.lm.steering import verdicts
from cape_lib.lm.steering.applying import Positions
from cape_lib.lm.steering.direction import Direction, check_fits, check_strength, hash_of, pair_states, vector_of
from cape_lib.lm.steering.measuring import FARTHEST, Arm, Cost, Tick, answer_scores, margins_of, questions, strengths
from cape_lib.lm.steering.verdicts import CLEAN, KINDS, LEAKY, Evaluation
from cape_lib.output import write_whole

#: costs (nats a token on neutral text) at which strengths are tried; the last is the budget
DOSES = (0.03, 0.1, 0.3)
#: what a nat of cost must bring in tuning: a tenth of the questions more
PRICE = 0.1
#: once p must exceed this, whatever the controls still to come do, no more are run
HOPELESS = 0.10
#: controls that run together
TOGETHER = 6
#: draws of a control before what it shares with the direction is taken out of it instead
_TRIES = 50
#: controls of each kind whose MC1 and MC2 are measured, chosen by their number
WHOLE = 3


@dataclass(frozen=True)
class Place:
    """Where a direction is read (site, token of the text) and where it is added (site, positions)."""

    site: Site
    token: int = -1
    positions: Positions = "last"

    def __str__(self) -> str:
        where = f"block {self.site}" if isinstance(self.site, int) else self.site
        positions = (
            self.positions if isinstance(self.positions, str) else "token " + ", ".join(map(str, self.positions))
        )
        return f"{where}, {positions}"


@dataclass(frozen=True)
class Plan:
    """Choices of a run.

    places: where to try, default the embeddings and every block; doses: costs in nats a token on neutral text, rising,
    the last of them the budget; curve: costs of the dose-response; unit: of strengths, "std" (standard
    deviations of the texts' projections on the direction) or "residual" (median norms of the hidden state); controls:
    of each kind of `kinds`; claim: share (0-1) of wrong answers claimed to be corrected; method: see `fit_direction`;
    seed: of the controls; all_controls: run them all, also when p is settled.
    """

    places: tuple[Place, ...] = ()
    doses: tuple[float, ...] = DOSES
    curve: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    unit: str = "std"
    controls: int = 20
    kinds: tuple[str, ...] = CLEAN
    claim: float = 0.60
    method: str = "mean_difference"
    seed: int = 0
    batch: int = 16384
    all_controls: bool = False

    def __post_init__(self) -> None:
        if (
            not self.doses
            or list(self.doses) != sorted(set(self.doses))
            or not 0 < self.doses[0] <= self.doses[-1] < 20
        ):
            raise UsageError("doses are costs in nats a token, above 0 and below 20, rising: such as 0.03 0.1 0.3")
        if self.controls < 1:
            raise UsageError("controls must be at least 1 of each kind")
        check_strength(1.0, self.unit)
        if self.unit == "raw":
            raise UsageError("strengths are in units std or residual, not raw")


@dataclass(frozen=True)
class Fitted:
    """States of the fitting texts, the direction and the length of a dose of 1, at every place."""

    places: tuple[Place, ...]
    positive: torch.Tensor
    negative: torch.Tensor
    direction: torch.Tensor
    scale: torch.Tensor
    residual: torch.Tensor

    def arm(self, vectors: torch.Tensor, place: int, dose: float) -> Arm:
        """`dose` units of length along a vector at a place."""
        vector = vectors[place] / vectors[place].norm().clamp_min(1e-12)
        return Arm(dose * self.scale[place] * vector, self.places[place].site, self.places[place].positions)

    @property
    def most(self) -> np.ndarray:
        """The largest dose at each place: some lengths of the hidden state."""
        return np.asarray(FARTHEST * (self.residual / self.scale.clamp_min(1e-12)).double())

    def usable(self) -> Fitted:
        """Without the places where the direction is rounding (two texts with one last word are one at the embeddings).

        Raises UsageError where no place is left.
        """
        here = self.direction.norm(dim=-1) > 1e-6 * self.residual
        places = tuple(place for place, yes in zip(self.places, here.tolist(), strict=True) if yes)
        if not places:
            raise UsageError(
                "the positive and negative texts leave the same states at every place; no direction is there"
            )
        states = self.positive[:, here], self.negative[:, here]
        return Fitted(places, *states, self.direction[here], self.scale[here], self.residual[here])


def fit_places(
    lm: LanguageModel, pairs: pd.DataFrame, places: tuple[Place, ...], plan: Plan, own: Direction | None = None
) -> Fitted:
    """The direction at every place, with the states that it came from and the length of one unit of dose there.

    own: a direction to be tried instead of the pairs' one, at its own site.
    """
    columns: dict[int, torch.Tensor] = {}
    for token in sorted({place.token for place in places}):
        here = [index for index, place in enumerate(places) if place.token == token]
        # a site twice in one reading comes out once a mention, so columns stay in step
        columns |= zip(here, pair_states(lm, pairs, [places[k].site for k in here], token=token).unbind(2), strict=True)
    positive, negative = torch.stack([columns[index] for index in range(len(places))], dim=2)
    states = torch.cat([positive, negative])
    direction = vector_of(positive, negative, plan.method) if own is None else own.vector[None].float()
    residual = states.norm(dim=-1).median(dim=0).values
    unit = direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    spread = torch.einsum("npd,pd->np", states, unit).std(dim=0, correction=0).maximum(1e-4 * residual)
    return Fitted(places, positive, negative, direction, residual if plan.unit == "residual" else spread, residual)


@dataclass(frozen=True)
class Method:
    """One way of steering, to be tuned: a vector a place, (n_places, d), and its cosine to the direction there.

    left_out: draws before it that lay too near the direction.
    """

    kind: str
    index: int
    vectors: torch.Tensor
    cosine: torch.Tensor
    left_out: int = 0


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


def _cosine(vectors: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    return (vectors * axis).sum(-1, keepdim=True)


def _without(vectors: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    return vectors - _cosine(vectors, axis) * axis


def _draw(kind: str, positive: torch.Tensor, negative: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """One raw control vector a place, (n_places, d), from states (n, n_places, d)."""
    n, places, d = positive.shape
    if kind == "isotropic":
        return torch.from_numpy(rng.standard_normal((places, d))).float()
    both, scale = torch.cat([positive, negative]), n
    if kind == "free shuffle":
        weights = rng.permutation(np.repeat([1.0, -1.0], n))
    elif kind == "balanced shuffle":
        half = np.r_[np.ones(n // 2), -np.ones(n // 2), np.zeros(n % 2)]
        weights = np.concatenate([rng.permutation(half), rng.permutation(half)])
    else:
        weights, scale = rng.standard_normal(2 * n), 1
        within = torch.cat([positive - positive.mean(0), negative - negative.mean(0)])
        both = within if kind == "within-class" else both - both.mean(0)
    return torch.einsum("n,npd->pd", torch.from_numpy(weights).float(), both) / scale


def most_alike(width: int) -> float:
    """Cosine to the direction above which a control is left out: 0.3, or what chance alone gives in few dimensions."""
    return min(0.95, max(0.3, 3 / float(np.sqrt(width))))


def draw_controls(
    positive: torch.Tensor,
    negative: torch.Tensor,
    direction: torch.Tensor,
    *,
    each: int,
    rng: np.random.Generator,
    kinds: tuple[str, ...] = KINDS,
) -> list[Method]:
    """`each` controls of every kind, taking turns, and the negated direction first; of the direction's norm.

    positive, negative: states (n_pairs, n_places, d); direction: (n_places, d).  A control of a clean kind that lies
    nearer to the direction than `most_alike` is left out and drawn anew, at each place by itself: with real states a
    shuffle can hold half of the direction.  A kind without any scatter at a place (all texts alike there) is replaced
    there by an isotropic draw, so that no control does nothing.
    """
    norms, axis = direction.norm(dim=-1, keepdim=True), _unit(direction)

    def fresh(kind: str) -> torch.Tensor:
        raw, spare = (_draw(own, positive, negative, rng) for own in (kind, "isotropic"))
        return _unit(torch.where(raw.norm(dim=-1, keepdim=True) > 1e-5 * norms, raw, spare))

    methods = [Method("negated", 0, -direction, -torch.ones(len(direction)))]
    for index, kind in ((index, kind) for index in range(each) for kind in kinds):
        limit = most_alike(direction.shape[-1]) if kind in CLEAN else 2.0
        vectors, left_out = fresh(kind), 0
        while bool((near := _cosine(vectors, axis).abs() > limit).any()) and left_out < _TRIES:
            left_out += 1
            vectors = torch.where(near, fresh(kind), vectors)
        if bool(near.any()):
            # whatever is drawn lies near the direction: take out what it shares with it
            rest = _without(vectors, axis)
            empty = near & (rest.norm(dim=-1, keepdim=True) < 1e-3)
            if bool(empty.any()):
                # texts that differ along the direction alone leave but rounding, and that may point anywhere
                spare = _unit(_draw("isotropic", positive, negative, rng))
                rest = torch.where(empty, _without(spare, axis), rest)
            vectors = torch.where(near, _unit(_without(_unit(rest), axis)), vectors)
        methods.append(Method(kind, index, vectors * norms, _cosine(vectors, axis)[:, 0], left_out))
    return methods


def every_place(lm: LanguageModel) -> tuple[Place, ...]:
    """The embeddings and every block, each read and steered at the last token."""
    return tuple(Place(site) for site in ("embed", *range(lm.depth)))


@dataclass(eq=False)
class Run:
    """One method through the protocol: what was chosen for it, and what it did."""

    method: Method
    place: int
    dose: float
    tune: float
    by_place: np.ndarray
    cost: float = float("nan")
    margins: np.ndarray = field(default_factory=lambda: np.zeros(0))
    mc1: np.ndarray | None = None
    mc2: np.ndarray | None = None

    @property
    def right(self) -> np.ndarray:
        """Which test items it has right, (n_items,)."""
        return self.margins > 0


class _Protocol:
    """One evaluation: questions, costs, methods, and how some of these go through it."""

    def __init__(
        self,
        lm: LanguageModel,
        items: pd.DataFrame,
        fitted: Fitted,
        methods: list[Method],
        neutral: Sequence[str],
        plan: Plan,
    ) -> None:
        self.lm, self.fitted, self.methods, self.plan = lm, fitted, methods, plan
        parts = {name: items[items["split"] == name].reset_index(drop=True) for name in ("tune", "test")}
        for name, part in parts.items():
            if not len(part):
                raise UsageError(f"no items in split {name!r}; give both tune and test items")
        self.table = parts["test"]
        half = max(1, len(neutral) // 2)
        self.setting = Cost(lm, list(neutral[:half]), seed=plan.seed)
        self.telling = Cost(lm, list(neutral[half:]) or list(neutral), seed=plan.seed)
        self.nothing = Arm(torch.zeros(fitted.direction.shape[-1]), fitted.places[0].site, fitted.places[0].positions)
        self.test, self.tune = questions(lm, self.table), questions(lm, parts["tune"])
        self.scores = partial(answer_scores, lm, batch=plan.batch)
        self.before = self.scores(self.test, [self.nothing])
        if max(len(answer) for own in self.tune.answers for answer in own) > 1:
            # tuning asks for the best answer and the wrong one nearest to it; answers of one token come free
            rivals = self.scores(self.tune, [self.nothing]).rivals()
            self.tune = self.tune.only([[0, int(k)] for k in rivals])
        cells, n = len(fitted.places) * len(plan.doses), len(self.tune)
        #: numbers of tune questions after each step: a third of the cells goes on to the next
        self.steps = [n // 2, n] if cells < 12 else [n // 3, 2 * n // 3, n]
        if cells < 3 or n < 12:
            self.steps = [n]

    def margins(self, arms: Sequence[Arm], say: Tick | None = None) -> np.ndarray:
        """Margins of the test items, (n_arms, n_items), exact where above 0."""
        return margins_of(self.lm, self.test, self.before.rivals(), arms, batch=self.plan.batch, tick=say)

    def arms(self, runs: Sequence[Run]) -> list[Arm]:
        """The runs' methods at the places and doses that were chosen for them."""
        return [self.fitted.arm(run.method.vectors, run.place, run.dose) for run in runs]

    def doses(
        self, methods: Sequence[Method], targets: Sequence[float], places: Sequence[int], say: Tick | None = None
    ) -> np.ndarray:
        """Strengths that cost so much, (n_methods, n_places, n_targets).

        One length for all would be no measure: what it costs differs between vectors by a factor of sixty.
        """
        grid = [(method.vectors, place) for method in methods for place in places]
        most = np.tile(self.fitted.most[list(places)], len(methods))

        def arm(k: int, strength: float) -> Arm:
            return self.fitted.arm(*grid[k], strength)

        levels = strengths(partial(self.setting, tick=say), arm, np.minimum(1.0, most), most, targets)
        return levels.reshape(len(methods), len(places), len(targets))

    def tuned(self, methods: Sequence[Method], say: Tick) -> list[Run]:
        """Place and dose of each method: highest share right less the price of its cost; halved step by step."""
        doses = self.doses(methods, self.plan.doses, range(len(self.fitted.places)), say)
        price = PRICE * np.array(self.plan.doses)
        order = np.random.default_rng([self.plan.seed, 22]).permutation(len(self.tune))
        margin = np.full((*doses.shape, len(self.tune)), np.nan)
        alive = np.ones(doses.shape, dtype=bool)
        for done, size in zip([0, *self.steps], self.steps, strict=False):
            fresh, seen = order[done:size], order[:size]
            cells = np.argwhere(alive)
            arms = [self.fitted.arm(methods[m].vectors, p, float(doses[m, p, d])) for m, p, d in cells]
            scores = self.scores(self.tune.some(fresh.tolist()), arms, tick=say).margins()
            margin[(*cells.T[..., None], fresh)] = scores
            right = np.where(np.isnan(margin), np.nan, margin > 0)
            worth = right[..., seen].mean(-1) - price + 1e-6 * np.tanh(margin[..., seen].mean(-1))
            worth = np.where(alive, worth, -np.inf).reshape(len(methods), -1)
            if size < len(self.tune):
                best = np.argsort(-worth, axis=1, kind="stable")[:, : max(1, round(alive[0].sum() / 3))]
                alive = np.zeros(worth.shape, dtype=bool)
                np.put_along_axis(alive, best, True, axis=1)
                alive = alive.reshape(doses.shape)
        shares = np.nanmean(right, axis=-1)
        chosen = [np.unravel_index(int(best), doses.shape[1:]) for best in worth.argmax(1)]
        return [
            Run(method, int(at[0]), float(doses[m][at]), float(shares[m][at]), shares[m].max(axis=-1))
            for m, (method, at) in enumerate(zip(methods, chosen, strict=True))
        ]

    def tested(self, runs: list[Run], say: Tick) -> None:
        """The runs' answers to the test items; all answers for the direction and for some controls, for MC1 and MC2."""
        entire = [r for r in runs if r.method.kind in ("direction", "negated") or r.method.index < WHOLE]
        rest = [r for r in runs if r not in entire]
        if entire:
            scores = self.scores(self.test, self.arms(entire), tick=say)
            for run, *values in zip(entire, scores.margins(), scores.mc1(), scores.mc2(), strict=True):
                run.margins, run.mc1, run.mc2 = values
        if rest:
            for run, own in zip(rest, self.margins(self.arms(rest), say), strict=True):
                run.margins = own
        for run, value in zip(runs, self.telling(self.arms(runs)), strict=True):
            run.cost = float(value)

    def work(self, methods: int) -> int:
        """Tokens that so many methods read, for the time left."""
        places = len(self.fitted.places)
        tune, cells = 0.0, places * len(self.plan.doses)
        for before, size in zip([0, *self.steps], self.steps, strict=False):
            tune += cells * (size - before) / max(1, len(self.tune)) * self.tune.tokens
            cells = max(1, round(cells / 3))
        return int(methods * (3 * places * self.setting.tokens + tune + self.test.tokens / 2))

    def settled(self, runs: list[Run]) -> bool:
        """Whether p must exceed HOPELESS whatever the controls still to come do."""
        clean = [r.right.mean() for r in runs if r.method.kind in CLEAN]
        beaten = sum(share >= runs[0].right.mean() for share in clean)
        return not self.plan.all_controls and bool(clean) and (1 + beaten) / (1 + self.planned) > HOPELESS

    @property
    def planned(self) -> int:
        """Clean controls there would be."""
        return sum(method.kind in CLEAN for method in self.methods)

    def run(self, say: Callable[[str, int, int], None], file: Path | None, key: str) -> list[Run]:
        """The direction with its negation, then controls of every kind, a few at a time, until p is settled."""
        runs, total = _taken_up(file, key, self.methods), self.work(len(self.methods))
        for first in (0, *range(2, len(self.methods), TOGETHER)):
            block = self.methods[first : first + TOGETHER if first else 2]
            if first < len(runs):
                continue
            if self.settled(runs):
                break
            name = f"controls {first - 1} to {first + len(block) - 2}" if first else "direction"
            read, end = self.work(first), self.work(first + len(block))

            def tick(tokens: int, name: str = name, end: int = end) -> None:
                nonlocal read
                read = min(end, read + tokens)
                say(name, read, total)

            new = self.tuned(block, tick)
            self.tested(new, tick)
            runs += new
            if file is not None:
                rows = [{name: own for name, own in vars(run).items() if name != "method"} for run in runs]
                write_whole(file, json.dumps({"key": key, "runs": rows}, default=np.ndarray.tolist))
            say(name, end, total)
        return runs


def evaluate(
    lm: LanguageModel,
    items: pd.DataFrame,
    pairs: pd.DataFrame,
    plan: Plan | None = None,
    *,
    neutral: Sequence[str],
    direction: Direction | None = None,
    resume: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    any_model: bool = False,
) -> Evaluation:
    """Fit on `pairs`, choose place and dose on the tune items, report on the test items: two verdicts.

    items: columns prompt, true, false (true2 ..., false2 ... optional), topic, split ("tune" or "test"); topics should
    not be shared between the splits.  pairs: columns positive, negative, topic.  neutral: texts for the cost, half
    of them to set strengths, half to tell the cost.  direction: tried instead of the pairs' own, at its site.
    resume: a file that keeps what is done and is taken up again.  progress: called with stage, tokens done, tokens in
    all.  Every control goes through the same choice of place and dose under the same budget of cost; no more controls
    are run once p must exceed 0.10 (unless `plan.all_controls`).
    Raises UsageError for fewer than four pairs, a split without items, no neutral text, or places that the model does
    not have, SurroundingsError for values that are no finite numbers.
    """
    plan = plan or Plan()
    places = plan.places or every_place(lm)
    if direction is not None:
        check_fits(direction, lm, any_model=any_model)
        places = (Place(direction.site, direction.token, places[0].positions),)
    fitted = fit_places(lm, pairs, places, plan, direction).usable()
    rng = np.random.default_rng([plan.seed, 8])
    drawn = draw_controls(
        fitted.positive, fitted.negative, fitted.direction, each=plan.controls, rng=rng, kinds=plan.kinds
    )
    methods = [Method("direction", 0, fitted.direction, torch.ones(len(fitted.places))), *drawn]
    protocol = _Protocol(lm, items, fitted, methods, neutral, plan)
    say = progress or (lambda _stage, _done, _total: None)
    return _result(protocol, protocol.run(say, resume, _key(lm, items, pairs, plan, direction)))


def _taken_up(path: Path | None, key: str, methods: list[Method]) -> list[Run]:
    """The runs that a file holds; ScoresError where it belongs to another evaluation."""
    if path is None or not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        own, rows = content["key"], content["runs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"{path}: is no file of an interrupted evaluation; name another") from error
    if own != key:
        raise ScoresError(
            f"{path}: belongs to another evaluation (model, items, pairs or options differ); name another file"
        )
    runs = [Run(method, **row) for method, row in zip(methods, rows, strict=False)]
    for run in runs:
        vars(run).update({name: np.array(value) for name, value in vars(run).items() if isinstance(value, list)})
    return runs


def _key(lm: LanguageModel, items: pd.DataFrame, pairs: pd.DataFrame, plan: Plan, direction: Direction | None) -> str:
    """A hash of all that decides an evaluation's numbers."""
    parts = [lm.name, lm.revision, str(lm.dtype), items.to_json(), hash_of(pairs), repr(plan)]
    if direction is not None:
        parts.append(json.dumps([str(direction.site), direction.vector.tolist()]))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _result(protocol: _Protocol, runs: list[Run]) -> Evaluation:
    fitted, plan, topics = protocol.fitted, protocol.plan, protocol.test.topic
    before, first = protocol.before.margins()[0], runs[0]
    right, kinds = np.stack([r.right for r in runs]), np.array([r.method.kind for r in runs])
    clean, leaky = np.isin(kinds, CLEAN), np.isin(kinds, LEAKY)
    answers, beyond = verdicts.outcome(before, first.margins, topics), verdicts.effect(right[0], right[clean], topics)
    # of the controls the mean of some of every kind
    groups: dict[str, list[tuple[Any, Any]]] = {"before": [(protocol.before.mc1()[0], protocol.before.mc2()[0])]}
    for run in runs:
        if run.mc2 is not None:
            groups.setdefault("after" if run is first else run.method.kind, []).append((run.mc1, run.mc2))
    mc1, mc2 = (
        {
            name: verdicts.mean_by_topic(np.mean([own[k] for own in rows], axis=0), topics)
            for name, rows in groups.items()
        }
        for k in (0, 1)
    )
    methods = pd.DataFrame([{"kind": r.method.kind, "index": r.method.index} for r in runs]).assign(
        place=[str(fitted.places[r.place]) for r in runs],
        dose=[r.dose for r in runs],
        cost=[r.cost for r in runs],
        tune=[r.tune for r in runs],
        test=right.mean(1),
        cosine=[float(r.method.cosine[r.place]) for r in runs],
        left_out=[r.method.left_out for r in runs],
    )
    # best tuned share right at every place, where the search left a place early on the questions asked by then
    by_place = np.stack([r.by_place for r in runs])
    places = pd.DataFrame(
        {
            "place": [str(place) for place in fitted.places],
            "site": [str(place.site) for place in fitted.places],
            "direction": first.by_place,
            "control_mean": by_place[clean].mean(0),
            "control_best": by_place[clean].max(0),
            "norm": fitted.direction.norm(dim=-1).tolist(),
            "unit": fitted.scale.tolist(),
        }
    )
    base = float((before > 0).mean())
    columns = [name for name in ("prompt", "true", "false", "topic") if name in protocol.table]
    return Evaluation(
        model=protocol.lm.name,
        place=fitted.places[first.place],
        dose=first.dose,
        cost=first.cost,
        base=base,
        outcome=answers,
        effect=beyond,
        effect_leaky=verdicts.effect(right[0], right[leaky], topics) if set(LEAKY) <= set(plan.kinds) else None,
        claimed=plan.claim,
        claim=verdicts.claim_verdict(answers.corrected, beyond.holds, plan.claim),
        mc1=mc1,
        mc2=mc2,
        budget=plan.doses[-1],
        planned=protocol.planned,
        methods=methods,
        doses=_dose_table(protocol, first, base),
        places=places,
        items=protocol.table[columns].assign(before=before, after=first.margins),
    )


def _dose_table(protocol: _Protocol, run: Run, base: float) -> pd.DataFrame:
    """Share right on the test items by cost, at the direction's place."""
    columns = ["kind", "index", "dose", "cost", "right", "n"]
    if not protocol.plan.curve:
        return pd.DataFrame(columns=columns)
    doses = protocol.doses([run.method], protocol.plan.curve, [run.place])[0, 0]
    arms = protocol.arms([replace(run, dose=float(dose)) for dose in doses])
    points = pd.DataFrame({"dose": [0.0, *doses], "cost": protocol.telling([protocol.nothing, *arms])})
    points["right"] = [base, *(protocol.margins(arms) > 0).mean(1)]
    return points.assign(kind="direction", index=0, n=len(protocol.test))[columns]
