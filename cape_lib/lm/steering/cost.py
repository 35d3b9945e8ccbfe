"""What steering costs where truth plays no part: KL divergence on neutral text, and the strengths of one cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from cape_lib.errors import SurroundingsError, UsageError
from cape_lib.lm.models import LanguageModel, memory_guard
from cape_lib.lm.models.batching import Batch, encode_rows, repeated, run, token_lists
from cape_lib.lm.steering.applying import added
from cape_lib.lm.steering.measuring import MOST_LOGITS, Arm, Tick, vocabulary

#: numbers held of the unsteered predictions: 64 tokens of a vocabulary of 262,144
MOST_BASE = 2**24
FEWEST_TOKENS = 64
#: strengths are looked for up to so many times the length of the hidden states
FARTHEST = 8.0


class Cost:
    """KL(unsteered || steered) in nats a token, the mean over tokens of neutral texts.

    texts: neutral ones; the tokens that are read are spread over them, at most `MOST_BASE` numbers in all.
    Raises UsageError where there is no text, or only texts of one token.
    """

    def __init__(self, lm: LanguageModel, texts: Sequence[str], *, seed: int = 0) -> None:
        self.lm = lm
        rows = token_lists(lm, list(texts), what="neutral text")
        rows = [row for row in rows if len(row) > 1]
        if not rows:
            raise UsageError("no neutral text of two tokens or more; the cost of steering cannot be measured")
        most = max(FEWEST_TOKENS, MOST_BASE // vocabulary(lm))
        rng = np.random.default_rng([seed, 21])
        # the first token is read by nobody: many models keep something else than its meaning there
        places = [(row, column) for row, ids in enumerate(rows) for column in range(1, len(ids))]
        if len(places) > most:
            places = [places[k] for k in sorted(rng.permutation(len(places))[:most])]
        used = sorted({row for row, _ in places})
        last = {row: max(column for own, column in places if own == row) for row in used}
        self.part = encode_rows(lm, [rows[row][: last[row] + 1] for row in used])
        self.read = torch.zeros_like(self.part.mask, dtype=torch.bool)
        for row, column in places:
            at = used.index(row)
            self.read[at, int(self.part.start[at]) + column] = True
        with torch.inference_mode(), memory_guard("reading neutral text"):
            self.base = run(lm, self.part, read=self.read).float().log_softmax(-1)

    @property
    def tokens(self) -> int:
        """Tokens that one arm reads."""
        return int(self.part.mask.sum())

    def __call__(self, arms: Sequence[Arm], *, tick: Tick | None = None) -> np.ndarray:
        """The cost of every arm, (n_arms,).

        Positions named "last" and "generated" are all positions here: a text is read as if every token had been the
        last.
        """
        found = np.zeros(len(arms))
        step = max(1, MOST_LOGITS // max(1, self.base.numel()))
        groups: dict[tuple[object, object], list[int]] = {}
        for place, arm in enumerate(arms):
            if bool(arm.delta.any()):  # nothing added costs nothing, not a rounding
                groups.setdefault((arm.site, arm.positions), []).append(place)
        with torch.inference_mode(), memory_guard("reading neutral text"):
            for members in groups.values():
                for first in range(0, len(members), step):
                    some = members[first : first + step]
                    found[some] = self._of([arms[k] for k in some])
                    if tick:
                        tick(len(some) * self.tokens)
        return found

    def _of(self, arms: list[Arm]) -> np.ndarray:
        part: Batch = repeated(self.part, len(arms))
        positions = "all" if arms[0].positions in ("last", "generated") else arms[0].positions
        deltas = torch.stack([arm.delta for arm in arms]).repeat_interleave(len(self.part), dim=0)
        read = self.read.repeat(len(arms), 1)
        with added(self.lm, {arms[0].site: deltas}, positions=positions):
            values = self._divergences(run(self.lm, part, read=read, check=False), len(arms))
            if not np.isfinite(values).all():
                run(self.lm, part, read=read)  # says where that began
                raise SurroundingsError(f"{self.lm.name}: the cost of steering is no finite number; try float32")
        return np.asarray(np.maximum(values, 0.0))

    def _divergences(self, logits: torch.Tensor, arms: int) -> np.ndarray:
        n, step = len(self.base), max(1, 2**21 // self.base.shape[-1])
        sums = torch.zeros(arms, dtype=torch.float64, device=logits.device)
        for k in range(arms):
            for first in range(0, n, step):
                base = self.base[first : first + step]
                own = logits[k * n + first : k * n + min(first + step, n)].float()
                # sum of p (log p - log q); log q is the logit less its row's norm
                gap = (base.exp() * (base - own)).sum(-1) + own.logsumexp(-1)
                sums[k] += gap.double().sum()
        return np.asarray((sums / n).cpu())


def strengths(
    cost: Callable[[Sequence[Arm]], np.ndarray], arm: Callable[[int, float], Arm], start: np.ndarray, most: np.ndarray,
    targets: Sequence[float], *, rounds: int = 3,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The strengths at which vectors cost what `targets` say, and the largest relative error of the top one.

    arm: an arm for (vector, strength); start: a first guess for each, most: where to stop, both (n_vectors,);
    targets: nats a token, rising.  Returns (n_vectors, n_targets) and, of every vector, cost reached over the top
    target.  The cost grows about as the square of the strength; each round corrects the guess by the measured law.
    """
    top = float(targets[-1])
    guess = np.minimum(start, most)
    tried: list[np.ndarray] = []
    costs: list[np.ndarray] = []
    for _ in range(rounds):
        tried.append(guess)
        costs.append(cost([arm(k, float(s)) for k, s in enumerate(guess)]))
        guess = np.minimum(_crossing(np.stack(tried), np.stack(costs), top), most)
    s, k = np.stack(tried), np.stack(costs)
    found = np.stack([np.minimum(_crossing(s, k, float(target)), most) for target in targets], axis=1)
    nearest = np.abs(np.log(np.maximum(k, 1e-12) / top)).argmin(0)
    return found, k[nearest, np.arange(k.shape[1])] / top


def _crossing(tried: np.ndarray, costs: np.ndarray, target: float) -> np.ndarray:
    """Where the cost crosses the target, (n_vectors,), by straight lines between logarithms; a square law outside."""
    found = np.empty(tried.shape[1])
    for k in range(tried.shape[1]):
        order = np.argsort(tried[:, k])
        x = np.log(np.maximum(tried[order, k], 1e-12))
        y = np.maximum.accumulate(np.log(np.maximum(costs[order, k], 1e-12)))
        above = np.flatnonzero(y >= np.log(target))
        if len(above) and above[0] > 0:
            hi = int(above[0])
            span = max(y[hi] - y[hi - 1], 1e-9)
            found[k] = np.exp(x[hi - 1] + (np.log(target) - y[hi - 1]) / span * (x[hi] - x[hi - 1]))
        else:
            edge = 0 if len(above) else len(x) - 1
            step = np.clip((np.log(target) - y[edge]) / 2, -np.log(30), np.log(30))
            found[k] = np.exp(x[edge] + step)
    return found
