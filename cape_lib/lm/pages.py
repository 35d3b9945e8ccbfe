"""What chapters 3 to 5 do live, on the models of the book or on any other; a note where torch is missing.

Nothing here is imported with torch before it is called, so that a chapter opens without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import util
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from cape_lib.charts import testbed as draw
from cape_lib.charts.frame import Figure
from cape_lib.page import say
from cape_lib.stats import wilson

if TYPE_CHECKING:
    from cape_lib.lm.probes import Probe
    from cape_lib.lm.steering import Evaluation

#: prompts and tokens of the check at strength 0
PROMPTS, TOKENS = 40, 16
SAMPLINGS = {
    "greedy": "greedy",
    "paired": "sampled, the same random numbers for both",
    "independent": "sampled, as one usually does",
}
WEIGHTS = ("trained", "untrained")


def ready() -> bool:
    """Whether torch and transformers are here; says how to install them where they are not."""
    # an empty package of that name is no torch
    here = all(util.find_spec(name) for name in ("torch", "transformers", "safetensors"))
    here = here and util.find_spec("torch.nn") is not None
    if not here:
        say("*This part runs a language model and needs torch and transformers: `pip install 'cape_lib[lm]'`.*")
    return here


@lru_cache(maxsize=1)
def _loaded(model: str) -> Any:
    # a chapter asks for one model several times, and loads it once
    from cape_lib.lm import models, texts

    name = texts.model_path(model)
    return name, models.load(name)


def probed(model: str) -> list[Probe]:
    """The probes of a model and of one untrained twin (see `probes.probe`); an empty list where torch is missing."""
    if not ready():
        return []
    from cape_lib.lm import probes, texts

    name, lm = _loaded(model)
    twins = probes.twins(lm, texts.probe_prompts_for(name))
    for weights, one in zip(WEIGHTS, twins, strict=True):
        say(
            f"- {lm.name}, {weights}: {len(one.layers)} blocks, {len(one.heads)} heads, {one.n_texts} prompts; "
            f"{one.competing} {'head competes' if one.competing == 1 else 'heads compete'}, "
            f"{one.cooperating} {'cooperates' if one.cooperating == 1 else 'cooperate'}."
        )
    return twins


def blocks(twins: Sequence[Probe]) -> Figure | None:
    """The coupling of every block, trained and untrained.  twins: from `probed`."""
    if not twins:
        return None
    rows = both(twins)
    return draw.twins(rows, probed=rows, name="probe-live")


def both(twins: Sequence[Probe]) -> pd.DataFrame:
    """The blocks of a model and of its untrained twin as rows of `testbed_probes`.  twins: from `probed`, not empty."""
    return _by_weights(twins, "layers").assign(model=twins[0].model)


def profile(twins: Sequence[Probe]) -> pd.DataFrame:
    """Coupling by thirds of the depth, and dimensions (participation ratio) first and last.  twins: from `probed`."""
    rows = []
    for weights, one in zip(WEIGHTS, twins, strict=False):
        ends = {f"dimensions, {end}": one.layers["dimension"].iloc[k] for end, k in (("first", 0), ("last", -1))}
        rows.append({"weights": weights} | {f"{part} coupling": r for part, r in one.profile.items()} | ends)
    return pd.DataFrame(rows).dropna(axis=1, how="all")


def projections(twins: Sequence[Probe]) -> pd.DataFrame:
    """Coupling before and behind the output projection, trained beside untrained.  twins: from `probed`."""
    table = _by_weights(twins, "projection")
    words = {"coupling": "coupling", "raw": "raw cosine"}
    wide = table.pivot(index="what", columns="weights", values=list(words)).loc[table["what"].unique()]
    pairs: list[tuple[str, str]] = [*wide.columns]
    wide.columns = pd.Index([f"{words[kind]}, {weights}" for kind, weights in pairs])
    return wide.rename_axis("read in").reset_index()


def _by_weights(twins: Sequence[Probe], part: str) -> pd.DataFrame:
    tables = [getattr(one, part).assign(weights=weights) for weights, one in zip(WEIGHTS, twins, strict=False)]
    table: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return table


def at_strength_zero(model: str, *, seed: int = 0) -> pd.DataFrame:
    """How many texts differ when nothing is steered (strength 0), by the way of sampling; empty without torch.

    Columns: text is drawn, texts, changed, share, low, high (0-1, Wilson).
    """
    if not ready():
        return pd.DataFrame()
    from cape_lib.lm import steering, texts

    name, lm = _loaded(model)
    asked = [str(prompt) for prompt in texts.items_for(name)["prompt"]][:PROMPTS]
    direction = steering.fit_direction(lm, texts.pairs_for(name), lm.depth // 4)
    rows = []
    for sampling, words in SAMPLINGS.items():
        writing = steering.Writing(tokens=TOKENS, sampling=sampling, seed=seed)
        table = steering.compare(lm, asked, [direction], [0.0], writing)
        changed = int(table.loc[table["direction"] != "none", "changed"].sum())
        share = wilson(changed, len(asked))
        row = {"text is": words, "texts": len(asked), "changed": changed, "share": share.estimate}
        rows.append(row | {"low": share.low, "high": share.high})
    return pd.DataFrame(rows)


class _Clock:
    """Tells how long an evaluation will take once the direction is through it, and at the end how long it took."""

    def __init__(self) -> None:
        self.start = perf_counter()
        #: seconds and tokens at every report on the direction, and at the last of all
        self.direction: list[tuple[float, int]] = []
        self.last = (0.0, 0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """The progress of `steering.evaluate`: what runs, tokens read and tokens in all."""
        before, self.last = self.last, (perf_counter() - self.start, done)
        if stage == "direction":
            self.direction.append(self.last)
        elif self.direction and before == self.direction[-1]:
            first, most = _duration(before[0]), self._expected(total)
            say(f"*The direction took {first}; with all controls {most} in all, less where p is settled.*")

    def checked(self) -> str:
        """The estimate for what was read in the end, beside what it took."""
        seconds, done = self.last
        return f"*It took {_duration(seconds)}; by the direction's speed {self._expected(done)} were expected.*"

    def _expected(self, tokens: int) -> str:
        """How long so many tokens take by the direction's speed; what comes ahead of it comes once."""
        (begun, read), (seconds, done) = self.direction[0], self.direction[-1]
        return _duration(seconds + (seconds - begun) / max(1, done - read) * (tokens - done))


def _duration(seconds: float) -> str:
    """Seconds in words: "40 seconds", "3 minutes"."""
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def evaluated(model: str, *, claim: float, tell: bool = True) -> Evaluation | None:
    """The whole protocol on a model, with the book's questions or its world's own; None where torch is missing.

    claim: share of wrong answers (0-1) claimed to be corrected; tell: whether its report is shown.
    """
    if not ready():
        return None
    from cape_lib.lm import steering, texts

    name, lm = _loaded(model)
    # a model of the book takes seconds, and nobody needs to be told
    clock = None if texts.is_testbed(name) else _Clock()
    items, pairs, neutral = texts.items_for(name), texts.pairs_for(name), texts.neutral_for(name)
    result = steering.evaluate(lm, items, pairs, steering.Plan(claim=claim), neutral=neutral, progress=clock)
    if clock:
        say(clock.checked())
    if tell:
        first, *others = steering.report(result)
        say(f"**{first}**\n\n" + "\n".join(f"- {line}" for line in others))
    return result
