"""How probable a model finds each candidate answer, with and without vectors added: many arms in one batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.models import LanguageModel, memory_guard
from cape_lib.lm.models.batching import encode_rows, repeated, run, token_lists
from cape_lib.lm.models.sites import Site
from cape_lib.lm.steering.applying import Positions, added


@dataclass(frozen=True)
class Arm:
    """One way of running the model: a vector (d,) added at a site; the zero vector leaves it as it is."""

    delta: torch.Tensor
    site: Site
    positions: Positions = "last"


@dataclass(frozen=True)
class Questions:
    """Items as token ids: prompts, and for each its candidates, the true one first.

    prompts: one list of ids an item; answers: (item, candidate, ids); topic: (n_items,) what an item is about.
    """

    prompts: list[list[int]]
    answers: list[list[list[int]]]
    topic: np.ndarray

    def __len__(self) -> int:
        return len(self.prompts)


def questions(lm: LanguageModel, items: pd.DataFrame) -> Questions:
    """Items (columns prompt, true, false, optional false2, false3 ..., topic) as token ids.

    Candidates follow the prompt after a space.  Raises UsageError for missing columns, empty or too long texts.
    """
    missing = {"prompt", "true", "false"} - set(items.columns)
    if missing:
        raise UsageError(f"items need columns prompt, true and false; {' and '.join(sorted(missing))} not there")
    others = [name for name in items.columns if name.startswith("false") and name[5:].isdigit()]
    prompts = token_lists(lm, [str(text) for text in items["prompt"]])
    whole = [
        token_lists(lm, [f"{p} {str(a).strip()}" for p, a in zip(items["prompt"], items[column], strict=True)])
        for column in ["true", "false", *others]
    ]
    answers: list[list[list[int]]] = []
    for place, prompt in enumerate(prompts):
        # one cut for all candidates, so that they are compared after the same text
        cut = min(_common(prompt, rows[place]) for rows in whole)
        prompts[place] = prompt[:cut]
        answers.append([rows[place][cut:] for rows in whole])
    topic = items["topic"] if "topic" in items else pd.Series(range(len(items)))
    return Questions(prompts, answers, topic.astype(str).to_numpy())


def _common(prompt: list[int], whole: list[int]) -> int:
    # some tokenizers merge the prompt's end with what follows: what differs belongs to the answer
    cut = 0
    while cut < min(len(prompt), len(whole) - 1) and prompt[cut] == whole[cut]:
        cut += 1
    return cut


def _rows(asked: Questions) -> dict[int, list[tuple[int, int]]]:
    """(item, candidate) by the number of tokens in the answer."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for item, answers in enumerate(asked.answers):
        for candidate, answer in enumerate(answers):
            groups.setdefault(len(answer), []).append((item, candidate))
    return groups


@torch.inference_mode()
def answer_scores(lm: LanguageModel, asked: Questions, arms: Sequence[Arm], *, batch: int = 16384) -> np.ndarray:
    """Mean log probability a token (nats) of every candidate under every arm, (n_arms, n_items, n_candidates).

    Arms that share site and positions run together, one vector a row; batch: tokens a forward pass.
    Candidates of one token are all read from one pass over the prompt.
    """
    width = max(len(answers) for answers in asked.answers)
    found = np.full((len(arms), len(asked), width), np.nan, dtype=np.float32)
    where: dict[tuple[Site, Positions], list[int]] = {}
    for index, arm in enumerate(arms):
        where.setdefault((arm.site, arm.positions), []).append(index)
    with memory_guard("scoring answers"):
        for members in where.values():
            for group in _rows(asked).values():
                rows = _distinct(asked, group)
                tokens = max(len(row) for row, _ in rows) * len(rows)
                step = max(1, batch // tokens)
                for first in range(0, len(members), step):
                    some = members[first : first + step]
                    for item, candidate, scores in _score(lm, rows, [arms[index] for index in some]):
                        found[some, item, candidate] = scores
    return found


#: a row of token ids to run, and the (item, candidate, answer) that are read from it
_Row = tuple[list[int], list[tuple[int, int, list[int]]]]


def _distinct(asked: Questions, group: list[tuple[int, int]]) -> list[_Row]:
    """The rows to run for answers of one length; candidates that differ in their last token share a row."""
    rows: dict[tuple[int, ...], list[tuple[int, int, list[int]]]] = {}
    for item, candidate in group:
        answer = asked.answers[item][candidate]
        row = tuple(asked.prompts[item] + answer[:-1])
        rows.setdefault(row, []).append((item, candidate, answer))
    return [(list(row), wanted) for row, wanted in rows.items()]


def _score(lm: LanguageModel, rows: Sequence[_Row], arms: Sequence[Arm]) -> Iterator[tuple[int, int, np.ndarray]]:
    """(item, candidate, mean log probability under each arm), for arms of one place and answers of one length."""
    part = encode_rows(lm, [row for row, _ in rows])
    n, length = len(rows), len(rows[0][1][0][2])
    deltas = torch.stack([arm.delta for arm in arms]).repeat_interleave(n, dim=0)
    end = part.ids.shape[1] - length + 1
    with added(lm, {arms[0].site: deltas}, positions=arms[0].positions, prompt_length=end):
        logits = run(lm, repeated(part, len(arms)), last=length)
    scores = logits.float().log_softmax(-1).reshape(len(arms), n, length, -1)
    for row, (_, wanted) in enumerate(rows):
        for item, candidate, answer in wanted:
            picked = scores[:, row, torch.arange(length), torch.tensor(answer)].mean(1)
            yield item, candidate, picked.cpu().numpy()


def margins(scores: np.ndarray) -> np.ndarray:
    """True answer minus best false one, (n_arms, n_items); above 0 the item is answered right."""
    return scores[..., 0] - np.nanmax(scores[..., 1:], axis=-1)  # type: ignore[no-any-return]


@torch.inference_mode()
def divergence(lm: LanguageModel, texts: Sequence[str], arms: Sequence[Arm]) -> np.ndarray:
    """Off-target cost: KL(unsteered || steered) a token (nats), mean over neutral texts, (n_arms,).

    Positions named "last" are all positions here: a text is read as if every token had been the last.
    """
    part = encode_rows(lm, token_lists(lm, texts, what="neutral text"))
    keep = part.mask.bool()
    base = run(lm, part).float().log_softmax(-1)[keep]
    found = np.zeros(len(arms))
    for place, arm in enumerate(arms):
        positions = "all" if arm.positions in ("last", "generated") else arm.positions
        with added(lm, {arm.site: arm.delta}, positions=positions):
            logits = run(lm, part)
        steered = logits.float().log_softmax(-1)[keep]
        found[place] = float((base.exp() * (base - steered)).sum(-1).mean())
    return found
