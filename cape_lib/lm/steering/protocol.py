"""The protocol: fit, tune and test a direction against controls that may cost as much and are tuned in the same way.

Strengths are set by what they cost, the KL divergence on neutral text: a vector of equal length can cost sixty times
as much, and a wrecked model answers by chance, which beats a model that believes in myths.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import ScoresError, UsageError
from cape_lib.lm.models.record import LanguageModel, Site
from cape_lib.lm.probes import capture
from cape_lib.lm.steering.applying import Positions
from cape_lib.lm.steering.controls import CLEAN, LEAKY, Method, draw_controls
from cape_lib.lm.steering.direction import Direction, check_fits, check_pairs, check_strength, hash_of, vector_of
from cape_lib.lm.steering.measuring import (
    FARTHEST,
    Arm,
    Cost,
    Questions,
    Tick,
    answer_scores,
    margins_of,
    questions,
    strengths,
)
from cape_lib.lm.steering.verdicts import Evaluation, claim_verdict, effect, mean_by_topic, outcome
from cape_lib.output import whole
from cape_lib.stats import Estimate

#: costs (nats a token on neutral text) at which strengths are tried; the last is the budget
DOSES = (0.03, 0.1, 0.3)
#: what a nat of cost must bring in tuning: a tenth of the questions more
PRICE = 0.1
#: once p must exceed this, whatever the controls still to come do, no more are run
HOPELESS = 0.10
#: controls that run together
TOGETHER = 6
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
    seed: of the controls; all_controls: run them all, also when p is settled; coarse: questions are added to the
    tuning step by step, and the worse places and doses left out.
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
    coarse: bool = True

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

    def at(self, keep: Sequence[int]) -> Fitted:
        """The same at some of the places."""
        rows = torch.tensor(list(keep))
        states = self.positive[:, rows], self.negative[:, rows]
        sizes = self.direction[rows], self.scale[rows], self.residual[rows]
        return Fitted(tuple(self.places[k] for k in keep), *states, *sizes)


def fit_places(
    lm: LanguageModel, pairs: pd.DataFrame, places: tuple[Place, ...], plan: Plan, own: Direction | None = None
) -> Fitted:
    """The direction at every place, with the states that it came from and the length of one unit of dose there.

    own: a direction to be tried instead of the pairs' one, at its own site.
    """
    texts = [str(text) for text in pairs["positive"]] + [str(text) for text in pairs["negative"]]
    columns: dict[int, torch.Tensor] = {}
    for token in sorted({place.token for place in places}):
        here = [index for index, place in enumerate(places) if place.token == token]
        states = capture(lm, texts, [places[index].site for index in here], token=token)
        # a site twice in one reading comes out once a mention, so columns stay in step
        columns |= {index: states[:, at] for at, index in enumerate(here)}
    states = torch.stack([columns[index] for index in range(len(places))], dim=1)
    positive, negative = states[: len(pairs)], states[len(pairs) :]
    direction = vector_of(positive, negative, plan.method) if own is None else own.vector[None].float()
    residual = states.norm(dim=-1).median(dim=0).values
    unit = direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    spread = torch.einsum("npd,pd->np", states, unit).std(dim=0, correction=0).maximum(1e-4 * residual)
    return Fitted(places, positive, negative, direction, residual if plan.unit == "residual" else spread, residual)


def every_place(lm: LanguageModel) -> tuple[Place, ...]:
    """The embeddings and every block, each read and steered at the last token."""
    return tuple(Place(site) for site in ("embed", *range(lm.depth)))


def _usable(fitted: Fitted) -> Fitted:
    """The places where the direction is more than rounding (two texts with one last word are one at the embeddings)."""
    norms = fitted.direction.norm(dim=-1)
    keep = [k for k in range(len(norms)) if float(norms[k]) > 1e-6 * float(fitted.residual[k])]
    if not keep:
        raise UsageError("the positive and negative texts leave the same states at every place; no direction is there")
    return fitted.at(keep)


@dataclass
class Run:
    """One method through the protocol: what was chosen for it, and what it did."""

    method: Method
    place: int
    level: int
    dose: float
    doses: np.ndarray
    tune: float
    by_place: np.ndarray
    cost: float = float("nan")
    margins: np.ndarray = field(default_factory=lambda: np.zeros(0))
    mc1: np.ndarray | None = None
    mc2: np.ndarray | None = None


class _Protocol:
    """The pieces of one run: questions, costs, and how a block of methods goes through them."""

    def __init__(self, lm: LanguageModel, items: pd.DataFrame, fitted: Fitted, neutral: Sequence[str], plan: Plan):
        self.lm, self.fitted, self.plan = lm, fitted, plan
        parts = {name: items[items["split"] == name].reset_index(drop=True) for name in ("tune", "test")}
        for name, part in parts.items():
            if not len(part):
                raise UsageError(f"no items in split {name!r}; give both tune and test items")
        self.table = parts["test"]
        half = max(1, len(neutral) // 2)
        self.setting = Cost(lm, list(neutral[:half]), seed=plan.seed)
        self.telling = Cost(lm, list(neutral[half:]) or list(neutral), seed=plan.seed)
        self.nothing = Arm(torch.zeros(fitted.direction.shape[-1]), fitted.places[0].site, fitted.places[0].positions)
        self.test = questions(lm, parts["test"])
        self.before = answer_scores(lm, self.test, [self.nothing], batch=plan.batch)
        self.tune = self._closest(questions(lm, parts["tune"]))

    def _closest(self, asked: Questions) -> Questions:
        """Tuning asks for the best answer and the wrong one that is nearest to it; answers of one token come free."""
        if max(len(answer) for own in asked.answers for answer in own) == 1:
            return asked
        scores = answer_scores(self.lm, asked, [self.nothing], batch=self.plan.batch)
        return asked.only([[0, int(k)] for k in scores.rivals()])

    def margins(self, arms: Sequence[Arm], say: Tick | None = None) -> np.ndarray:
        """Margins of the test items, (n_arms, n_items), exact where above 0."""
        rivals = self.before.rivals()
        return margins_of(self.lm, self.test, rivals, arms, batch=self.plan.batch, tick=say)

    def arm(self, method: Method, place: int, dose: float) -> Arm:
        return self.fitted.arm(method.vectors, place, dose)

    def doses(
        self, methods: Sequence[Method], targets: Sequence[float], say: Tick, *, at: Sequence[int] | None = None
    ) -> np.ndarray:
        """Strengths that cost so much, (n_methods, n_places, n_targets), at all places or some.

        One length for all would be no measure: what it costs differs between vectors by a factor of sixty.
        """
        chosen = list(range(len(self.fitted.places))) if at is None else list(at)
        grid = [(m, p) for m in range(len(methods)) for p in chosen]
        most = np.tile(self.fitted.most[chosen], len(methods))

        def cost(arms: Sequence[Arm]) -> np.ndarray:
            return self.setting(arms, tick=say)

        def arm(k: int, strength: float) -> Arm:
            method, place = grid[k]
            return self.arm(methods[method], place, strength)

        levels, _ = strengths(cost, arm, np.minimum(np.ones(len(grid)), most), most, targets)
        return levels.reshape(len(methods), len(chosen), len(targets))

    def tuned(self, methods: Sequence[Method], doses: np.ndarray, say: Tick) -> list[Run]:
        """Place and dose of each method: highest share right less the price of its cost; halved step by step."""
        levels = np.array(self.plan.doses)
        shape = doses.shape
        order = np.random.default_rng([self.plan.seed, 22]).permutation(len(self.tune))
        sizes = self._steps(shape[1] * shape[2])
        right, margin = np.full((*shape, len(self.tune)), np.nan), np.full((*shape, len(self.tune)), np.nan)
        alive = np.ones(shape, dtype=bool)
        done = 0
        for number, size in enumerate(sizes):
            fresh = order[done:size]
            cells = np.argwhere(alive)
            arms = [self.arm(methods[m], p, float(doses[m, p, d])) for m, p, d in cells]
            asked = self.tune.some([int(i) for i in fresh])
            scores = answer_scores(self.lm, asked, arms, batch=self.plan.batch, tick=say).margins()
            for (m, p, d), row in zip(cells, scores, strict=True):
                right[m, p, d, fresh], margin[m, p, d, fresh] = row > 0, row
            done = size
            seen = order[:done]
            worth = right[..., seen].mean(-1) - PRICE * levels + 1e-6 * np.tanh(margin[..., seen].mean(-1))
            if number + 1 < len(sizes):
                keep = max(1, round(alive[0].sum() / 3))
                for m in range(len(methods)):
                    flat = np.where(alive[m], worth[m], -np.inf).reshape(-1)
                    alive[m] = False
                    alive[m].reshape(-1)[np.argsort(-flat, kind="stable")[:keep]] = True
        runs = []
        for m, method in enumerate(methods):
            p, d = np.unravel_index(int(np.argmax(np.where(alive[m], worth[m], -np.inf))), shape[1:])
            best = np.nanmean(right[m], axis=-1).max(axis=-1)
            tune = float(np.nanmean(right[m, p, d]))
            runs.append(Run(method, int(p), int(d), float(doses[m, p, d]), doses[m], tune, best))
        return runs

    def _steps(self, cells: int) -> list[int]:
        """Numbers of tune questions after each step: a third of the cells goes on to the next."""
        n = len(self.tune)
        if not self.plan.coarse or cells < 3 or n < 12:
            return [n]
        return [n // 2, n] if cells < 12 else [n // 3, 2 * n // 3, n]

    def tested(self, runs: list[Run], say: Tick) -> None:
        """The runs' answers to the test items; all answers for the direction and for some controls, for MC1 and MC2."""
        whole = [r for r in runs if r.method.kind in ("direction", "negated") or r.method.index < WHOLE]
        rest = [r for r in runs if not any(r is one for one in whole)]
        if whole:
            arms = [self.arm(r.method, r.place, r.dose) for r in whole]
            scores = answer_scores(self.lm, self.test, arms, batch=self.plan.batch, tick=say)
            for run, *values in zip(whole, scores.margins(), scores.mc1(), scores.mc2(), strict=True):
                run.margins, run.mc1, run.mc2 = values
        if rest:
            margins = self.margins([self.arm(r.method, r.place, r.dose) for r in rest], say)
            for run, own in zip(rest, margins, strict=True):
                run.margins = own
        for run, value in zip(runs, self.telling([self.arm(r.method, r.place, r.dose) for r in runs]), strict=True):
            run.cost = float(value)

    def work(self, methods: int) -> int:
        """Tokens that so many methods read, for the time left."""
        places, levels = len(self.fitted.places), len(self.plan.doses)
        sizes = self._steps(places * levels)
        tune, cells, before = 0.0, places * levels, 0
        for size in sizes:
            tune += cells * (size - before) / max(1, len(self.tune)) * self.tune.tokens
            cells, before = max(1, round(cells / 3)), size
        return int(methods * (3 * places * self.setting.tokens + tune + self.test.tokens / 2))


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
    pairs = check_pairs(pairs).reset_index(drop=True)
    places = plan.places or every_place(lm)
    if direction is not None:
        check_fits(direction, lm, any_model=any_model)
        places = (Place(direction.site, direction.token, places[0].positions),)
    fitted = _usable(fit_places(lm, pairs, places, plan, direction))
    rng = np.random.default_rng([plan.seed, 8])
    drawn = draw_controls(
        fitted.positive, fitted.negative, fitted.direction, each=plan.controls, rng=rng, kinds=plan.kinds
    )
    methods = [Method("direction", 0, fitted.direction, torch.ones(len(fitted.places))), *drawn]
    protocol = _Protocol(lm, items, fitted, neutral, plan)
    say = progress or (lambda _stage, _done, _total: None)
    runs = _run_all(protocol, methods, say, resume, _key(lm, items, pairs, plan, direction))
    return _result(protocol, runs, methods)


def _blocks(methods: list[Method]) -> list[list[Method]]:
    """The direction with its negation, then controls of every kind, a few at a time: p may be settled after each."""
    controls = methods[2:]
    return [methods[:2], *(controls[first : first + TOGETHER] for first in range(0, len(controls), TOGETHER))]


def _run_all(
    protocol: _Protocol, methods: list[Method], say: Callable[[str, int, int], None], file: Path | None, key: str
) -> list[Run]:
    """Block after block through the protocol; stops where p is settled."""
    plan = protocol.plan
    total, done = protocol.work(len(methods)), 0
    runs = _taken_up(file, key, methods)
    for block in _blocks(methods):
        todo = [m for m in block if not any(r.method is m for r in runs)]
        if not todo:
            done += protocol.work(len(block))
            continue
        if not plan.all_controls and _settled(runs, plan):
            break
        first = len(runs) - 1
        name = "direction" if block[0].kind == "direction" else f"controls {first} to {first + len(todo) - 1}"
        end, read = done + protocol.work(len(block)), done

        def tick(tokens: int, name: str = name, end: int = end) -> None:
            nonlocal read
            read = min(end, read + tokens)
            say(name, read, total)

        new = protocol.tuned(todo, protocol.doses(todo, plan.doses, tick), tick)
        protocol.tested(new, tick)
        runs += new
        _keep(file, key, runs, methods)
        done = end
        say(name, done, total)
    return runs


def _settled(runs: list[Run], plan: Plan) -> bool:
    """Whether p must exceed HOPELESS whatever the controls still to come do."""
    if not any(r.method.kind in CLEAN for r in runs):
        return False
    share = (runs[0].margins > 0).mean()
    beaten = sum((r.margins > 0).mean() >= share for r in runs if r.method.kind in CLEAN)
    planned = plan.controls * sum(kind in CLEAN for kind in plan.kinds)
    return bool((1 + beaten) / (1 + planned) > HOPELESS)


#: what a file of an interrupted evaluation holds of a run
_KEPT = ("place", "level", "dose", "doses", "tune", "by_place", "cost", "margins", "mc1", "mc2")


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
    values: list[Any] = [
        [np.array(row[name]) if isinstance(row[name], list) else row[name] for name in _KEPT] for row in rows
    ]
    return [
        Run(methods[row["method"]], **dict(zip(_KEPT, own, strict=True))) for row, own in zip(rows, values, strict=True)
    ]


def _keep(path: Path | None, key: str, runs: list[Run], methods: list[Method]) -> None:
    """Write the runs that are done; the file appears whole or not at all."""
    if path is None:
        return
    number = {id(method): place for place, method in enumerate(methods)}
    rows = [{"method": number[id(r.method)]} | {name: getattr(r, name) for name in _KEPT} for r in runs]
    with whole(path) as draft:
        draft.write_text(json.dumps({"key": key, "runs": rows}, default=np.ndarray.tolist), encoding="utf-8")


def _key(lm: LanguageModel, items: pd.DataFrame, pairs: pd.DataFrame, plan: Plan, direction: Direction | None) -> str:
    """A hash of all that decides an evaluation's numbers."""
    kind = next(lm.model.parameters()).dtype
    parts = [lm.name, lm.revision, str(kind), items.to_json(), hash_of(pairs), repr(plan)]
    if direction is not None:
        parts.append(json.dumps([str(direction.site), direction.vector.tolist()]))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _mc(protocol: _Protocol, runs: list[Run]) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    """MC1 and MC2 before and after steering, and the mean of some controls of every kind, by bootstrap over topics."""
    before, topics = protocol.before, protocol.test.topic
    mc1 = {"before": mean_by_topic(before.mc1()[0].astype(float), topics)}
    mc2 = {"before": mean_by_topic(before.mc2()[0], topics)}
    groups: dict[str, list[Run]] = {"after": [runs[0]], "negated": [runs[1]]}
    for run in runs[2:]:
        if run.mc2 is not None:
            groups.setdefault(run.method.kind, []).append(run)
    for name, members in groups.items():
        mc1[name] = mean_by_topic(np.mean([np.asarray(r.mc1, dtype=float) for r in members], axis=0), topics)
        mc2[name] = mean_by_topic(np.mean([np.asarray(r.mc2) for r in members], axis=0), topics)
    return mc1, mc2


def _result(protocol: _Protocol, runs: list[Run], methods: list[Method]) -> Evaluation:
    fitted, plan, topics = protocol.fitted, protocol.plan, protocol.test.topic
    before, after = protocol.before.margins()[0], runs[0].margins
    right = np.stack([r.margins > 0 for r in runs])
    kinds = np.array([r.method.kind for r in runs])
    clean, leaky = right[np.isin(kinds, CLEAN)], right[np.isin(kinds, LEAKY)]
    answers, beyond = outcome(before, after, topics), effect(right[0], clean, topics)
    mc1, mc2 = _mc(protocol, runs)
    columns = [name for name in ("prompt", "true", "false", "topic") if name in protocol.table]
    return Evaluation(
        model=protocol.lm.name,
        place=fitted.places[runs[0].place],
        dose=runs[0].dose,
        cost=runs[0].cost,
        base=float((before > 0).mean()),
        outcome=answers,
        effect=beyond,
        effect_leaky=effect(right[0], leaky, topics) if set(LEAKY) <= set(plan.kinds) else None,
        claimed=plan.claim,
        claim=claim_verdict(answers.corrected, beyond.holds, plan.claim),
        mc1=mc1,
        mc2=mc2,
        budget=plan.doses[-1],
        planned=sum(method.kind in CLEAN for method in methods),
        methods=_method_table(runs, fitted),
        doses=_dose_table(protocol, runs),
        places=_place_table(fitted, runs),
        items=protocol.table[columns].assign(before=before, after=after),
    )


def _method_table(runs: list[Run], fitted: Fitted) -> pd.DataFrame:
    rows = []
    for r in runs:
        row = {"kind": r.method.kind, "index": r.method.index, "place": str(fitted.places[r.place]), "dose": r.dose}
        row |= {"cost": r.cost, "tune": r.tune, "test": float((r.margins > 0).mean())}
        rows.append(row | {"cosine": float(r.method.cosine[r.place]), "left_out": r.method.left_out})
    return pd.DataFrame(rows)


def _dose_table(protocol: _Protocol, runs: list[Run]) -> pd.DataFrame:
    """Share right on the test items by cost, at the direction's place."""
    plan, place, direction = protocol.plan, runs[0].place, runs[0].method
    columns = ["kind", "index", "dose", "cost", "right", "n"]
    if not plan.curve:
        return pd.DataFrame(columns=columns)
    doses = protocol.doses([direction], plan.curve, lambda _n: None, at=[place])[0, 0]
    arms = [protocol.arm(direction, place, float(dose)) for dose in doses]
    cost = protocol.telling([protocol.nothing, *arms])
    right = (protocol.margins(arms) > 0).mean(1)
    base = float((protocol.before.margins()[0] > 0).mean())
    points = pd.DataFrame({"dose": [0.0, *doses], "cost": cost, "right": [base, *right]})
    return points.assign(kind="direction", index=0, n=len(protocol.test))[columns]


def _place_table(fitted: Fitted, runs: list[Run]) -> pd.DataFrame:
    """Best tuned share right at every place: the direction's, and the clean controls' mean and best.

    Where the search left a place early, on the questions asked by then.
    """
    clean = np.stack([r.by_place for r in runs if r.method.kind in CLEAN])
    columns: dict[str, Any] = {
        "place": [str(place) for place in fitted.places],
        "site": [str(place.site) for place in fitted.places],
    }
    columns |= {"direction": runs[0].by_place, "control_mean": clean.mean(0), "control_best": clean.max(0)}
    return pd.DataFrame(columns | {"norm": fitted.direction.norm(dim=-1).tolist(), "unit": fitted.scale.tolist()})
