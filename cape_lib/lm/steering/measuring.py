"""How probable a model finds each answer, with and without vectors added: many arms, many answers in one batch.

Questions of like length run together, padded on the left, each with its answers as a tree: what two answers begin with
is read once.  Where steering leaves the question alone (positions "last",
"generated"), its keys and values are computed once for all arms, else once an arm.  Logits are computed at the answers
only, as many at a time as fit, counting the vocabulary.
"""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models import running
from cape_lib.lm.models.record import LanguageModel, Site, memory_guard, sample_ids, text_config
from cape_lib.lm.steering.applying import Positions, added

#: numbers in a batch of logits, and in its keys and values: 256 and 512 MB in float32
MOST_LOGITS = 2**26
MOST_STATES = 2**27
#: tokens in a pass where logits are computed from its states, some at a time, on a processor and on a GPU
MOST_TOKENS = (2048, 16384)
#: tokens of padding times the model's parameters that cost a GPU as much as the processor takes to begin a further pass
PASS = (0, 2**43)
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Arm:
    """One way of running the model: a vector (d,) added at a site; the zero vector leaves it as it is."""

    delta: torch.Tensor
    site: Site
    positions: Positions = "last"


@dataclass(frozen=True)
class Questions:
    """Items as token ids: prompts, and for each its answers, the `n_true` right ones first and the best of them ahead.

    prompts: one list of ids an item; answers: (item, answer, ids); topic: (n_items,) what an item is about.
    """

    prompts: list[list[int]]
    answers: list[list[list[int]]]
    n_true: list[int]
    topic: np.ndarray

    def __len__(self) -> int:
        return len(self.prompts)

    def only(self, wanted: Sequence[Sequence[int]]) -> Questions:
        """The same items with some of their answers; wanted: indices an item."""
        answers = [[own[k] for k in some] for own, some in zip(self.answers, wanted, strict=True)]
        n_true = [sum(k < n for k in some) for n, some in zip(self.n_true, wanted, strict=True)]
        return replace(self, answers=answers, n_true=n_true)

    def some(self, rows: Sequence[int]) -> Questions:
        """A part of the items."""
        prompts, answers = [self.prompts[k] for k in rows], [self.answers[k] for k in rows]
        return Questions(prompts, answers, [self.n_true[k] for k in rows], self.topic[list(rows)])

    @property
    def tokens(self) -> int:
        """Tokens that one arm reads."""
        return sum(len(answer) for own in self.answers for answer in own)


def questions(lm: LanguageModel, items: pd.DataFrame) -> Questions:
    """Items (columns prompt, true, false, optional true2 ..., false2 ..., topic) as token ids.

    Answers follow the prompt as in `running.joined`; an empty cell is no answer.  Raises UsageError for missing
    columns, empty or too long texts.
    """
    missing = {"prompt", "true", "false"} - set(items.columns)
    if missing:
        raise UsageError(f"items need columns prompt, true and false; {' and '.join(sorted(missing))} not there")
    starts = running.token_lists(lm, [str(text) for text in items["prompt"]])
    rows = items.to_dict("records")
    answers = [[running.answers_of(row, kind) for kind in ("true", "false")] for row in rows]
    texts = [
        [running.joined(row["prompt"], one) for one in (*right, *wrong)]
        for row, (right, wrong) in zip(rows, answers, strict=True)
    ]
    whole = iter(running.token_lists(lm, list(itertools.chain(*texts))))
    prompts, ids = [], []
    for start, own in zip(starts, texts, strict=True):
        each = list(itertools.islice(whole, len(own)))
        # some tokenizers merge the prompt's end with what follows: what differs belongs to the answer, and one cut
        # for all answers lets them be compared after the same text
        prompts.append(_common([start, *(row[:-1] for row in each)]))
        ids.append([row[len(prompts[-1]) :] for row in each])
    topic = items["topic"] if "topic" in items else pd.Series(range(len(items)))
    return Questions(prompts, ids, [len(right) for right, _ in answers], topic.astype(str).to_numpy())


def _common(rows: Sequence[list[int]]) -> list[int]:
    """What all rows begin with."""
    columns = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False))
    return [column[0] for column in columns]


@dataclass(frozen=True)
class Scores:
    """Log probabilities (nats) of answers, (n_arms, n_items, n_answers), and their tokens; NaN where there is none.

    right: (n_items, n_answers) bool; the first answer of an item is its best one.
    """

    total: np.ndarray
    tokens: np.ndarray
    right: np.ndarray

    def _wrong(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.right | np.isnan(values), -np.inf, values)

    def margins(self) -> np.ndarray:
        """Best answer minus the most probable wrong one, nats a token, (n_arms, n_items); above 0 it is right."""
        mean = self.total / self.tokens
        return np.asarray(mean[..., 0] - self._wrong(mean).max(-1))

    def rivals(self) -> np.ndarray:
        """The wrong answer that is most probable a token under the first arm, by its number, (n_items,)."""
        return np.asarray(self._wrong(self.total[0] / self.tokens).argmax(-1))

    def mc1(self) -> np.ndarray:
        """Whether the best answer is more probable than every wrong one, (n_arms, n_items), as published."""
        return np.asarray(self.total[..., 0] > self._wrong(self.total).max(-1))

    def mc2(self) -> np.ndarray:
        """Share of the answers' probability that the right ones have, (n_arms, n_items) 0-1, as published."""
        weight = np.exp(self.total - np.nanmax(self.total, axis=-1, keepdims=True))
        return np.asarray(np.nansum(np.where(self.right, weight, 0), -1) / np.nansum(weight, -1))


#: an item; each beginning of what is fed after its question but the last token -> the column of its end, so that
#: answers that begin alike share tokens; and the number of each answer so told -> the columns that tell its tokens
_Tree = tuple[int, dict[tuple[int, ...], int], dict[int, list[int]]]


def _trees(asked: Questions, items: Sequence[int], most: int) -> list[_Tree]:
    """The answers of items as trees of at most about `most` tokens; 0: as chains, each for an answer and its parts."""
    trees: list[_Tree] = []
    for item in items:
        own: list[_Tree] = []
        for number in sorted(range(len(asked.answers[item])), key=lambda k: -len(asked.answers[item][k])):
            # each token is told by the one before it
            ids = (asked.prompts[item][-1], *asked.answers[item][number][:-1])
            # the longest answer comes first, so a part of it has its end in the column of its own length
            fits = (one for one in own if len(one[1]) + len(ids) <= most or one[1].get(ids) == len(ids) - 1)
            tree = next(fits, None)
            if tree is None:
                own.append(tree := (item, {}, {}))
            tree[2][number] = [tree[1].setdefault(ids[:k], len(tree[1])) for k in range(1, len(ids) + 1)]
        trees += own
    return sorted(trees, key=lambda tree: len(tree[1]))


class _Part:
    """Trees that run together, as tensors on the model's device: everything that does not depend on the arm.

    ids: (n, length); real: (n, length) bool, on the processor, which of them are tokens; mask: of attention, (n, past +
    length) for chains, else as from `_added_mask`, with columns: (n, length), else None; at: (n,) which of `items` a
    tree belongs to; cells: the answers, (item, number); scored: of every answer's token the number of the state that
    tells it, the token, and the answer's number, (3, n_tokens).
    """

    def __init__(self, lm: LanguageModel, asked: Questions, trees: list[_Tree], items: list[int], past: int) -> None:
        n, longest = len(trees), max(len(nodes) for _, nodes, _ in trees)
        self.items, self.past, self.read = items, past, 0
        ids, depth = np.zeros((2, n, longest), dtype=int)
        sees = np.tile(np.eye(longest, dtype=bool), (n, 1, 1))
        self.cells: list[tuple[int, int]] = []
        scored: list[tuple[int, int, int]] = []
        for row, (item, nodes, columns) in enumerate(trees):
            for beginning, place in nodes.items():
                ids[row, place], depth[row, place] = beginning[-1], len(beginning) - 1
                if len(beginning) > 1:
                    sees[row, place] |= sees[row, nodes[beginning[:-1]]]
            for number, places in columns.items():
                pairs = zip(places, asked.answers[item][number], strict=True)
                scored += [(self.read + place, token, len(self.cells)) for place, token in pairs]
                self.cells.append((item, number))
            self.read += len(nodes)
        self.scored = np.array(sorted(scored)).T
        self.rows = [item for item, _, _ in trees]
        real = np.arange(longest) < np.array([[len(nodes)] for _, nodes, _ in trees])
        prompts = np.array([[len(asked.prompts[item]) - 1] for item in self.rows])
        before, self.real = np.arange(past) >= past - prompts, torch.from_numpy(real)
        self.ids, self.at = _sent(ids, lm.device), _sent([items.index(item) for item in self.rows], lm.device)
        if (depth == np.arange(longest))[real].all():
            self.columns, self.mask = None, _sent(np.concatenate([before, real], 1).astype(int), lm.device)
        else:
            # each token sees its question, itself and what is before it in its tree
            seen = np.concatenate([np.repeat(before[:, None], longest, 1), sees], -1)
            self.columns, self.mask = _sent(prompts + depth, lm.device), _added_mask(lm, _sent(seen, lm.device))


def _sent(values: Any, device: torch.device) -> torch.Tensor:
    return running.sent(torch.as_tensor(values), device)


def vocabulary(lm: LanguageModel) -> int:
    """Logits a token."""
    weight = getattr(lm.unembedding, "weight", None)
    return int(weight.shape[0]) if weight is not None else int(getattr(text_config(lm.model), "vocab_size", 50_000))


def _together(arms: Sequence[Arm]) -> list[list[int]]:
    """Numbers of the arms that add something at one place, and so run together, one vector a row."""
    groups: dict[tuple[Site, Positions], list[int]] = {}
    for index, arm in enumerate(arms):
        groups.setdefault((arm.site, arm.positions), []).append(index)
    return list(groups.values())


def answer_scores(
    lm: LanguageModel, asked: Questions, arms: Sequence[Arm], *, batch: int = 16384, tick: Tick | None = None
) -> Scores:
    """Log probability of every answer under every arm.

    Arms that share site and positions run together, one vector a row; batch: most tokens a forward pass (fewer where
    the vocabulary is large); tick: called with the tokens read so far by one arm more.
    Raises SurroundingsError where a logit is no finite number, or memory runs out.
    """
    width = max(len(own) for own in asked.answers)
    tokens, right = np.full((len(asked), width), np.nan), np.zeros((len(asked), width), dtype=bool)
    for item, own in enumerate(asked.answers):
        tokens[item, : len(own)] = [len(answer) for answer in own]
        right[item, : asked.n_true[item]] = True
    with memory_guard("scoring answers"), torch.inference_mode():
        total = _Reader(lm, asked, arms, batch, tick or (lambda _n: None)).totals()
    return Scores(np.where(np.isnan(tokens), np.nan, total), tokens, right)


def margins_of(
    lm: LanguageModel,
    asked: Questions,
    rivals: np.ndarray,
    arms: Sequence[Arm],
    *,
    batch: int = 16384,
    tick: Tick | None = None,
) -> np.ndarray:
    """Margins as `Scores.margins`, (n_arms, n_items), exact where above 0; below it some wrong answers are not asked.

    rivals: a wrong answer of each item, by number, which is asked first: where it wins under all arms, the item is lost
    whatever the others do.
    """
    close = answer_scores(lm, asked.only([[0, int(k)] for k in rivals]), arms, batch=batch, tick=tick)
    margins, best = close.margins(), close.total[..., 0] / close.tokens[:, 0]
    others = [
        [k for k in range(n, len(own)) if k != rival]
        for n, own, rival in zip(asked.n_true, asked.answers, rivals, strict=True)
    ]
    left = [item for item in np.flatnonzero((margins > 0).any(0)).tolist() if others[item]]
    if left:
        far = answer_scores(lm, asked.some(left).only([others[item] for item in left]), arms, batch=batch, tick=tick)
        beside = np.nanmax(far.total / far.tokens, axis=-1)
        margins[:, left] = np.minimum(margins[:, left], best[:, left] - beside)
    return margins


class _Reader:
    """Runs groups of questions of like length, and adds up the answers' log probabilities where the model is."""

    def __init__(self, lm: LanguageModel, asked: Questions, arms: Sequence[Arm], batch: int, tick: Tick) -> None:
        self.lm, self.asked, self.arms, self.tick = lm, asked, arms, tick
        self.kind = kind_of(lm)
        self.at_once = max(1, MOST_LOGITS // vocabulary(lm))
        most = MOST_TOKENS[lm.device.type != "cpu"] if self.kind.linear else self.at_once
        self.most = max(1, min(batch, most))
        config, parameters = text_config(lm.model), sum(int(one.numel()) for one in lm.model.parameters())
        #: tokens of padding that cost less than a further pass
        self.padding = PASS[lm.device.type != "cpu"] // (max(1, parameters) * len(arms))
        heads = getattr(config, "num_key_value_heads", None) or lm.heads or 1
        size = getattr(config, "head_dim", None) or lm.width // (lm.heads or 1)
        #: columns whose keys and values fit
        self.columns: int = max(MOST_STATES, parameters // 8) // max(1, 2 * lm.depth * int(heads) * int(size))
        common = _common([prompt[:-1] for prompt in asked.prompts]) if len(asked) > 1 and self.kind.keys else []
        self.common = len(common) if len(common) >= 8 else 0
        self.begin = self._prompt([common], None) if self.common else None
        weight: Any = getattr(lm.unembedding, "weight", None)
        where = weight.device if self.kind.linear else lm.device
        shape = len(arms), len(asked), max(len(own) for own in asked.answers)
        self.total = torch.zeros(shape, dtype=torch.float64, device=where)

    def totals(self) -> np.ndarray:
        """Log probabilities (n_arms, n_items, n_answers); SurroundingsError, naming the block, where one is none."""
        pads = self.kind.keys and self.kind.positions and not self.common
        pads = pads and all(isinstance(arm.positions, str) for arm in self.arms)
        # prompts that run together are of one length, or of like length where the model is told of the padding
        groups: list[list[int]] = []
        shortest = 0
        for item in sorted(range(len(self.asked)), key=lambda k: len(self.asked.prompts[k])):
            length = len(self.asked.prompts[item])
            if groups and length <= (1.5 * shortest + 8 if pads else shortest):
                groups[-1].append(item)
            else:
                groups.append([item])
                shortest = length
        for items in groups:
            self._read(items)
        bad = self.total.isfinite().logical_not().nonzero().tolist()
        if bad:
            number, item, answer = bad[0]
            arm, prompt = self.arms[number], self.asked.prompts[item]
            with added(self.lm, {arm.site: arm.delta}, positions=arm.positions, prompt_length=len(prompt)):
                running.run(self.lm, running.encode_rows(self.lm, [[*prompt, *self.asked.answers[item][answer]]]))
            raise running.not_finite(self.lm, "the logits")
        return np.asarray(self.total.cpu())

    def _rows(self, past: int, length: int) -> int:
        """Rows of so many tokens behind so many others that fit in one pass."""
        return min(self.most // length, max(1, self.columns // (past + length)))

    def _read(self, items: list[int]) -> None:
        """Add the log probabilities of the items' answers under all arms to the total."""
        past = max(len(self.asked.prompts[item]) for item in items) - 1
        trees = _trees(self.asked, items, self.most)
        if past + len(trees[-1][1]) >= self.kind.branches:
            trees = _trees(self.asked, items, 0)
        # as many as fit for one arm, of like size: padding is by a fifth at most, or costs less than a further pass
        alike: list[list[_Tree]] = []
        for tree in trees:
            length, last = len(tree[1]), alike[-1] if alike else []
            padding = sum(length - len(nodes) for _, nodes, _ in last)
            close = last and (length <= 1.2 * len(last[0][1]) + 4 or padding <= self.padding)
            if close and len(last) < self._rows(past, length):
                last.append(tree)
            else:
                alike.append([tree])
        parts = [_Part(self.lm, self.asked, some, items, past) for some in alike]
        shared = None
        for where in _together(self.arms):
            arms = [self.arms[k] for k in where]
            untouched = arms[0].positions in ("last", "generated") or not any(bool(arm.delta.any()) for arm in arms)
            if self.kind.keys and past and untouched and shared is None:
                # the unsteered questions but their last tokens, once for all arms and places
                start = None
                if self.common:
                    start = _selected(self.begin, torch.zeros(len(items), dtype=torch.long, device=self.lm.device))
                rows = [self.asked.prompts[item][self.common : -1] for item in items]
                shared = self._prompt(rows, start) if past > self.common else start
            for part in parts:
                step = max(1, self._rows(past, part.ids.shape[1]) // len(part.rows))
                for first in range(0, len(arms), step):
                    read = self._forward(part, arms[first : first + step], shared if untouched else None)
                    self._add(read, part, where[first : first + step])

    def _prompt(self, rows: list[list[int]], start: Any, times: int = 1) -> Any:
        """Keys and values after rows, padded on the left, so many times over; they may continue `start`."""
        part = running.repeated(running.encode_rows(self.lm, rows), times)
        read = torch.zeros(part.mask.shape, dtype=torch.bool)
        read[0, -1] = True
        before = torch.ones(len(part), int(start.get_seq_length()) if start is not None else 0, device=self.lm.device)
        with running.reading(self.lm, read):
            return self._output(part.ids, start, torch.cat([before.to(part.mask), part.mask], 1)).past_key_values

    def _output(self, ids: torch.Tensor, cache: Any, mask: torch.Tensor, columns: torch.Tensor | None = None) -> Any:
        """What the model returns for the last columns of `mask`; those before are in the cache."""
        options = {"past_key_values": cache} if cache is not None else {}
        if columns is not None:
            options["position_ids"] = columns
        else:
            options |= {name: own[:, -ids.shape[1] :] for name, own in running.positions_of(self.lm, mask).items()}
        return self.lm.model(input_ids=ids, attention_mask=mask, use_cache=self.kind.keys, return_dict=True, **options)

    def _forward(self, part: _Part, arms: list[Arm], shared: Any) -> torch.Tensor:
        """One pass over trees times arms: what is read of it, states (n, d) of linear models and logits of others."""
        n, device, many, past = len(part.rows), self.lm.device, len(arms), part.past
        ids, read = part.ids.repeat(many, 1), part.real.repeat(many, 1)
        deltas, site = torch.stack([arm.delta for arm in arms]), arms[0].site
        steered = partial(added, self.lm, positions=arms[0].positions, prompt_length=past + 1)
        cache: Any = None
        if shared is not None:
            cache = _selected(shared, part.at.repeat(many))
        elif past and self.kind.keys:
            before = [self.asked.prompts[item][:-1] for item in part.items]
            with steered({site: deltas.repeat_interleave(len(before), dim=0)}):
                own = self._prompt(before, None, many)
            first = torch.arange(many, device=device).repeat_interleave(n) * len(before)
            cache = _selected(own, part.at.repeat(many) + first)
        elif past:
            whole = _sent([self.asked.prompts[item][:past] for item in part.rows], device)
            ids = torch.cat([whole.repeat(many, 1), ids], 1)
            read = torch.cat([torch.zeros(len(ids), past, dtype=torch.bool), read], 1)
        mask = part.mask.repeat(many, *[1] * (part.mask.dim() - 1))
        columns = part.columns.repeat(many, 1) if part.columns is not None else None
        with (
            steered({site: deltas.repeat_interleave(n, dim=0)}),
            running.reading(self.lm, read, states=self.kind.linear) as pick,
        ):
            return pick(self._output(ids, cache, mask, columns).logits)

    def _add(self, read: torch.Tensor, part: _Part, where: list[int]) -> None:
        """Add the answers' log probabilities, a few logits at a time; nothing waits for them here."""
        many, device, answers = len(where), self.total.device, len(part.cells)
        read, arms = read.to(device), np.arange(many)[:, None]
        state, token, cell = part.scored
        rows = (arms * part.read + state).reshape(-1)
        parts = (rows, np.tile(token, many), (arms * answers + cell).reshape(-1))
        states, tokens, cells = (_sent(one, device) for one in parts)
        # one tensor for all that is picked: small ones among large ones would keep the large ones' memory from reuse
        picked = torch.empty(len(rows), device=device)
        step = self.at_once if device.type != "cpu" else max(1, 2**21 // vocabulary(self.lm))
        for first in range(0, len(read), self.at_once):
            logits = read[first : first + self.at_once]
            if self.kind.linear:
                logits = self.lm.unembedding(logits[None])[0]  # type: ignore[misc]
            for start in range(0, len(logits), step):
                # a few rows at a time: in float32 they stay in the processor's cache
                own = logits[start : start + step].log_softmax(-1, dtype=torch.float32)
                lo, hi = np.searchsorted(rows, [first + start, first + start + len(own)])
                picked[lo:hi] = own[states[lo:hi] - first - start, tokens[lo:hi]]
            del logits, own  # before the next ones are computed
        sums = torch.zeros(many * answers, dtype=torch.float64, device=device).index_add_(0, cells, picked.double())
        index = _sent(part.cells, device)
        self.total[_sent(where, device)[:, None], index[:, 0], index[:, 1]] += sums.view(many, -1)
        self.tick(many * len(token))


@dataclass(frozen=True)
class Kind:
    """How a model can be read.

    keys: its cache holds keys and values alone, which can be chosen by row (a recurrent state, or a cache of another
    kind, makes the whole text be read for each answer); positions: it takes the columns of its tokens; linear: its
    logits are what its unembedding returns, so that they can be computed from states, some at a time; branches: the
    number of columns below which a token can be told which others it follows, 0 where it cannot.
    """

    keys: bool
    positions: bool
    linear: bool
    branches: int = 0


_KNOWN: WeakKeyDictionary[Any, Kind] = WeakKeyDictionary()


@torch.inference_mode()
def kind_of(lm: LanguageModel) -> Kind:
    """How the model can be read, found out by one short pass."""
    if lm.model in _KNOWN:
        return _KNOWN[lm.model]
    known, ids = inspect.signature(lm.model.forward).parameters, sample_ids(lm.model)
    seen: list[torch.Tensor] = []
    mapped = lm.unembedding
    handle = mapped.register_forward_hook(lambda _m, _a, out: seen.append(out)) if mapped is not None else None
    try:
        output = lm.model(input_ids=ids, use_cache="past_key_values" in known)
    finally:
        if handle is not None:
            handle.remove()
    cache = getattr(output, "past_key_values", None)
    layers = getattr(cache, "layers", None) or []
    keys = {type(layer).__name__ for layer in layers} <= {"DynamicLayer", "DynamicSlidingWindowLayer"}
    keys = keys and hasattr(cache, "batch_select_indices") and len(layers) == lm.depth
    weight = getattr(mapped, "weight", None)
    linear = len(seen) == 1 and weight is not None and weight.device.type != "meta"
    linear = linear and torch.equal(seen[0].float(), output.logits.to(seen[0].device).float())
    positions = "position_ids" in known
    _KNOWN[lm.model] = Kind(keys, positions, linear, _branches(lm, ids) if keys and positions else 0)
    return _KNOWN[lm.model]


def _branches(lm: LanguageModel, ids: torch.Tensor) -> int:
    """See `Kind`; tried with two answers after one question, the second beside the first."""
    first, answers = ids[:1, :2], [ids[0, 2:], ids.flip(1)[1, 2:]]
    sees = torch.eye(4, dtype=torch.bool, device=ids.device)
    sees[1, 0] = sees[3, 2] = True
    seen = torch.cat([torch.ones(4, 2, dtype=torch.bool, device=ids.device), sees], 1)[None]
    depth = torch.tensor([[2, 3, 2, 3]], device=ids.device)
    try:
        cache = lm.model(input_ids=first, use_cache=True).past_key_values
        options = {"attention_mask": _added_mask(lm, seen), "position_ids": depth, "past_key_values": cache}
        own = lm.model(input_ids=torch.cat(answers)[None], use_cache=True, **options).logits[0, [1, 3]].float()
    except Exception:  # whatever a model raises at a mask of a kind that it does not know
        return 0
    alone = [lm.model(input_ids=torch.cat([first[0], one])[None], use_cache=False).logits[0, -1] for one in answers]
    plain = torch.stack(alone).float()
    close = min(64 * torch.finfo(alone[0].dtype).eps, 0.02) * float(plain.abs().max())
    config = text_config(lm.model)
    spans = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return min([2**31, *(one for one in spans if one)]) if float((own - plain).abs().max()) <= close else 0


def _added_mask(lm: LanguageModel, seen: torch.Tensor) -> torch.Tensor:
    """What is added to attention, (n, 1, tokens, columns): nothing where `seen`, elsewhere what leaves none of it."""
    nothing = torch.zeros(seen.shape, dtype=lm.dtype, device=seen.device)
    return nothing.masked_fill_(~seen, torch.finfo(lm.dtype).min)[:, None]


def _selected(cache: Any, rows: torch.Tensor) -> Any:
    chosen = copy.copy(cache)
    chosen.layers = [copy.copy(layer) for layer in cache.layers]  # selecting makes new tensors, and only those are kept
    chosen.batch_select_indices(rows)
    return chosen


#: numbers held of the unsteered predictions: 64 tokens of a vocabulary of 262,144
MOST_BASE = 2**24
FEWEST_TOKENS = 64
#: tokens that are read of one text: fewer would have more texts run, for a cost that is hardly surer
TOKENS_A_TEXT = 8
#: strengths are looked for up to so many times the length of the hidden states
FARTHEST = 8.0


class Cost:
    """KL(unsteered || steered) in nats a token, the mean over tokens of neutral texts.

    texts: neutral ones; the tokens that are read are spread over some of them, at most `MOST_BASE` numbers in all.
    Raises UsageError where there is no text, or only texts of one token.
    """

    def __init__(self, lm: LanguageModel, texts: Sequence[str], *, seed: int = 0) -> None:
        self.lm = lm
        rows = [row for row in running.token_lists(lm, list(texts), what="neutral text") if len(row) > 1]
        if not rows:
            raise UsageError("no neutral text of two tokens or more; the cost of steering cannot be measured")
        rng = np.random.default_rng([seed, 21])
        # the first token is read by nobody: many models keep something else than its meaning there
        own = [[(row, column) for column in rng.permutation(np.arange(1, len(ids)))] for row, ids in enumerate(rows)]
        rounds = range(0, max(map(len, own)), TOKENS_A_TEXT)
        order = rng.permutation(len(rows))
        places = [place for k in rounds for row in order for place in own[row][k : k + TOKENS_A_TEXT]]
        columns: dict[int, list[int]] = {}
        for row, column in places[: max(FEWEST_TOKENS, MOST_BASE // vocabulary(lm))]:
            columns.setdefault(row, []).append(int(column))
        used = sorted(columns)
        self.part = running.encode_rows(lm, [rows[row][: max(columns[row]) + 1] for row in used])
        self.read = torch.zeros(self.part.mask.shape, dtype=torch.bool)
        for at, row in enumerate(used):
            self.read[at, [int(self.part.start[at]) + column for column in columns[row]]] = True
        with torch.inference_mode(), memory_guard("reading neutral text"):
            self.base = running.run(lm, self.part, read=self.read).float().log_softmax(-1)

    @property
    def tokens(self) -> int:
        """Tokens that one arm reads."""
        return int(self.part.mask.sum())

    def __call__(self, arms: Sequence[Arm], *, tick: Tick | None = None) -> np.ndarray:
        """The cost of every arm, (n_arms,).

        Positions named "last" and "generated" are all positions here: a text is read as if every token had been the
        last.
        """
        costs = np.zeros(len(arms))
        most = MOST_LOGITS // self.base.numel()
        if kind_of(self.lm).linear:
            most = MOST_TOKENS[self.lm.device.type != "cpu"] // self.part.ids.numel()
        with torch.inference_mode(), memory_guard("reading neutral text"):
            for group in _together(arms):
                members = [k for k in group if bool(arms[k].delta.any())]  # nothing added costs nothing, not a rounding
                for first in range(0, len(members), max(1, most)):
                    some = members[first : first + max(1, most)]
                    costs[some] = self._of([arms[k] for k in some])
                    if tick:
                        tick(len(some) * self.tokens)
        return costs

    def _of(self, arms: list[Arm]) -> np.ndarray:
        n, linear, part = len(self.base), kind_of(self.lm).linear, running.repeated(self.part, len(arms))
        positions = "all" if arms[0].positions in ("last", "generated") else arms[0].positions
        deltas = torch.stack([arm.delta for arm in arms]).repeat_interleave(len(self.part), dim=0)
        read = self.read.repeat(len(arms), 1)
        with added(self.lm, {arms[0].site: deltas}, positions=positions):
            states = running.run(self.lm, part, read=read, check=False, states=linear)
            together = max(1, MOST_LOGITS // self.base.numel())
            step = max(1, (2**21 if states.device.type == "cpu" else MOST_LOGITS) // self.base.shape[-1])
            sums = torch.zeros(len(arms), dtype=torch.float64, device=self.base.device)
            for k in range(len(arms)):
                if k % together == 0:
                    logits = states[k * n : (k + together) * n]
                    logits = self.lm.unembedding(logits[None])[0] if linear else logits  # type: ignore[misc]
                mine = logits[k % together * n :][:n]
                for first in range(0, n, step):
                    base, own = self.base[first : first + step], mine[first : first + step].float()
                    # sum of p (log p - log q); log q is the logit less its row's norm
                    sums[k] += ((base.exp() * (base - own)).sum(-1) + own.logsumexp(-1)).double().sum()
            values = np.asarray((sums / n).cpu())
            if not np.isfinite(values).all():
                running.run(self.lm, part, read=read)  # says where that began
                raise SurroundingsError(f"{self.lm.name}: the cost of steering is no finite number; try float32")
        return np.asarray(np.maximum(values, 0.0))


def strengths(
    cost: Callable[[Sequence[Arm]], np.ndarray],
    arm: Callable[[int, float], Arm],
    start: np.ndarray,
    most: np.ndarray,
    targets: Sequence[float],
) -> np.ndarray:
    """The strengths at which vectors cost what `targets` say, (n_vectors, n_targets).

    arm: an arm for (vector, strength); start: a first guess for each, most: where to stop, both (n_vectors,);
    targets: nats a token, rising.  The cost grows about as the square of the strength; each of three rounds corrects
    the guess by the measured law.
    """
    guess, levels = np.minimum(start, most), np.empty((len(start), len(targets)))
    tried: list[np.ndarray] = []
    costs: list[np.ndarray] = []
    for _ in range(3):
        tried.append(guess)
        costs.append(cost([arm(k, float(s)) for k, s in enumerate(guess)]))
        for k, (x, y) in enumerate(zip(np.transpose(tried), np.transpose(costs), strict=True)):
            levels[k] = [min(_crossing(x, y, target), most[k]) for target in targets]
        guess = levels[:, -1].copy()
    return levels


def _crossing(tried: np.ndarray, costs: np.ndarray, target: float) -> float:
    """Where the cost crosses the target, by straight lines between logarithms; a square law outside."""
    order = np.argsort(tried)
    x = np.log(np.maximum(tried[order], 1e-12))
    y = np.maximum.accumulate(np.log(np.maximum(costs[order], 1e-12)))
    if y[0] < np.log(target) <= y[-1]:
        return float(np.exp(np.interp(np.log(target), y, x)))
    edge = 0 if np.log(target) <= y[0] else -1
    step = np.clip((np.log(target) - y[edge]) / 2, -np.log(30), np.log(30))
    return float(np.exp(x[edge] + step))
