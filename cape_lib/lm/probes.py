"""Probes: how the states that reasoning and truthfulness prompts leave in a model relate, by block and by head.

`capture` reads hidden states, `couplings` measures how they relate, with intervals, `probe` does all of it for one
model, with its output projection, and `twins` sets untrained weights beside it.

Definition.  r, t, n are the mean states of reasoning, truthfulness and neutral prompts.  The coupling is the cosine
of r - n and t - n, estimated without the noise of the means (`cosines_of_means`): with one and the same n in
both, its noise alone would make every coupling positive, and the noise of r and t would pull it to zero.  Without
centring, any two sets agree: that raw cosine is shown beside it.  Cosines behind a projection W depend on W'W alone, so
nothing of the size of the vocabulary is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from cape_lib.errors import UsageError
from cape_lib.lm.cosines import cosines_of_means
from cape_lib.lm.models import LanguageModel, Site, untrained
from cape_lib.lm.models.record import memory_guard, site_name, site_parts
from cape_lib.lm.models.running import broken, chunks, encode_rows, not_finite, states_only, token_lists, watched
from cape_lib.output import plain
from cape_lib.stats import corrected

SETS = ("reasoning", "truthfulness", "neutral")
#: neutral contexts that end like the two sets: whatever they couple with, it is not reasoning or truth
PLACEBO = "placebo"
#: share of last tokens by which two sets may differ before a note says so
MOST_APART = 0.25
LEVEL = 0.05
DEFINITION = (
    "a head competes when the coupling of its outputs is below zero and its one-sided p, adjusted over all heads "
    "of the model (Benjamini-Hochberg), is below 0.05; it cooperates likewise above zero"
)


def _read(
    lm: LanguageModel, texts: Sequence[str], sites: Sequence[Site], token: int, batch: int
) -> dict[Site, torch.Tensor]:
    """Single site -> states (n_texts, width) of one token a text, counted from the end where negative."""
    rows = token_lists(lm, texts, what="text")
    shortest = min(len(row) for row in rows)
    if not -shortest <= token < shortest:
        raise UsageError(f"token {token} is outside the shortest text, which has {shortest} tokens")
    result: dict[Site, torch.Tensor] = {}
    with memory_guard("reading hidden states"), torch.inference_mode():
        for group in chunks([len(row) for row in rows], tokens=batch):
            part = encode_rows(lm, [rows[index] for index in group])
            column = part.start + token if token >= 0 else torch.full_like(part.start, part.ids.shape[1] + token)

            def note(site: Site, state: torch.Tensor, group: list[int] = group, column: torch.Tensor = column) -> None:
                here = torch.arange(len(state), device=state.device), column.to(state.device)
                own = state[here].detach().float().cpu()
                result.setdefault(site, torch.zeros(len(rows), own.shape[-1]))[group] = own

            with watched(lm, sites, note):
                states_only(lm, part)
    for site, states in result.items():
        # a state that is no number would pass through every comparison as "not exceeded"
        if broken(states.abs()):
            raise not_finite(lm, site_name(site, lm.depth))
    return result


def capture(
    lm: LanguageModel, texts: Sequence[str], sites: Sequence[Site] | None = None, *, token: int = -1, batch: int = 4096
) -> torch.Tensor:
    """Hidden states (n_texts, n_sites, d), float32 on the CPU, of the last real token of each text (or of `token`).

    sites: see `record.PLACES`, default all blocks; the parts of a joined one lie side by side; batch: padded tokens a
    forward pass.  Raises UsageError for an empty text, one longer than the context, a block that is not there or
    sites of several widths, and SurroundingsError for a state that is no finite number.
    """
    wanted = [lm.site(site) for site in sites] if sites is not None else list(range(lm.depth))
    widths = {sum(lm.widths(site)) for site in wanted}
    if len(widths) > 1:
        raise UsageError(f"places of {len(widths)} widths cannot be read into one table; read them one by one")
    seen = _read(lm, texts, [part for site in wanted for part in site_parts(site)], token, batch)
    return torch.stack([torch.cat([seen[part] for part in site_parts(site)], -1) for site in wanted], dim=1)


def capture_with_heads(
    lm: LanguageModel, texts: Sequence[str], *, batch: int = 4096
) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
    """States of all blocks (n_texts, depth, d), and per block its heads' outputs (n_texts, heads, size), in one pass.

    Blocks without attention are left out of the second.
    """
    mixers = {block: f"heads.{block}" for block in range(lm.depth) if lm.head_mixer(block) is not None}
    seen = _read(lm, texts, [*range(lm.depth), *mixers.values()], -1, batch)
    states = torch.stack([seen[block] for block in range(lm.depth)], dim=1)
    whole = {b: seen[site] for b, site in mixers.items() if lm.heads and seen[site].shape[-1] % lm.heads == 0}
    return states, {block: own.reshape(len(own), lm.heads or 1, -1) for block, own in whole.items()}


def couplings(states: torch.Tensor, sets: np.ndarray) -> pd.DataFrame:
    """Couplings of states (n_texts, n_places, d), one row a place; sets (n_texts,): SETS.

    coupling: -1..1, missing where a set does not differ from the neutral one beyond noise; low, high: 95 % (-1 to 1
    where that cannot be told); p_two, p_less, p_greater: of a coupling of zero, in agreement with the interval; raw:
    uncentred cosine of the mean states, with raw_low and raw_high.
    """
    groups = np.select([sets == "reasoning", sets == "truthfulness"], [0, 1], default=2)
    whole = states.double().numpy()
    centred, raw = cosines_of_means(whole, groups), cosines_of_means(whole[groups < 2], groups[groups < 2])
    beside = raw[["estimate", "low", "high"]].set_axis(["raw", "raw_low", "raw_high"], axis=1)
    return centred.rename(columns={"estimate": "coupling"}).join(beside)


def participation_ratio(states: torch.Tensor) -> float:
    """Effective number of dimensions of states (n_texts, d) around their mean; at most n_texts - 1."""
    centred = (states - states.mean(0)).double()
    gram = centred @ centred.T
    total = float(gram.diagonal().sum())
    return total**2 / max(float((gram**2).sum()), 1e-300)


def _gram(matrix: torch.Tensor) -> torch.Tensor:
    """W'W of a matrix (vocabulary, d) in double precision, the mean over the vocabulary taken out of each column."""
    n, d = matrix.shape
    total, first = torch.zeros(d, d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    for part in torch.split(matrix.detach(), 8192):
        part = part.float()
        total += (part.T @ part).double().cpu()
        first += part.sum(0).double().cpu()
    # a constant added to all logits changes no probability
    return total - torch.outer(first, first) / n


def _random_root(n: int, d: int, rng: np.random.Generator) -> torch.Tensor:
    """A with AA' distributed as W'W of a centred Gaussian matrix (n, d): Bartlett's decomposition, d x d numbers.

    Where the vocabulary is smaller than the width, the matrix itself is drawn.
    """
    if n <= d:
        drawn = rng.standard_normal((n, d))
        return torch.from_numpy((drawn - drawn.mean(0)).T)
    root = np.tril(rng.standard_normal((d, d)), -1)
    np.fill_diagonal(root, np.sqrt(rng.chisquare(n - 1 - np.arange(d))))
    return torch.from_numpy(root)


@torch.inference_mode()
def projection_table(
    lm: LanguageModel, states: torch.Tensor, sets: np.ndarray, *, draws: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Coupling before and after the output projection, for states (n_texts, d) of the last block.

    One row a measurement: what ("hidden", "logits", "random projection", "rank k", "GELU of hidden"), rank, coupling
    (centred on neutral prompts), low, high (95 %; for random projections the range of the draws), raw (uncentred).
    The "wider projection" of the papers is the raw cosine of GELU(hidden): GELU makes most numbers positive, so any
    two sets of prompts agree after it; its centred coupling shows what is left.
    An empty table where a model has no readable output matrix.
    """
    hidden = states
    if lm.norm is not None:
        weight = next(lm.norm.parameters(), None)
        device, kind = (weight.device, weight.dtype) if weight is not None else (torch.device("cpu"), torch.float32)
        if device.type != "meta":
            hidden = lm.norm(states.to(device, kind)).float().cpu()
    matrix = getattr(lm.unembedding, "weight", None)
    if matrix is None or matrix.device.type == "meta" or matrix.shape[-1] != hidden.shape[-1]:
        return pd.DataFrame(columns=["what", "rank", "coupling", "low", "high", "raw"])
    n, d = int(matrix.shape[0]), int(matrix.shape[1])
    values, vectors = torch.linalg.eigh(_gram(matrix))
    # coordinates, smallest direction first, in which the plain cosine is that of the logits
    through = (hidden.double() @ vectors * values.clamp_min(0).sqrt()).float()
    rng = np.random.default_rng([seed, 11])
    random = [(hidden.double() @ _random_root(n, d, rng)).float() for _ in range(draws)]
    drawn = couplings(torch.stack(random, dim=1), sets).agg(["mean", "min", "max"])
    ranks = {f"rank {2**k}": through[:, d - 2**k :] for k in range((d - 1).bit_length())}
    read = {"hidden": hidden, "logits": through, **ranks, "GELU of hidden": torch.nn.functional.gelu(hidden)}
    rows = [couplings(own[:, None], sets).assign(what=what, rank=own.shape[1]) for what, own in read.items()]
    chance = {"what": "random projection", "rank": d, "raw": drawn.raw["mean"], "coupling": drawn.coupling["mean"]}
    chance |= {"low": drawn.coupling["min"], "high": drawn.coupling["max"]}
    table = pd.concat([*rows[:2], pd.DataFrame([chance]), *rows[2:]], ignore_index=True)
    return table[["what", "rank", "coupling", "low", "high", "raw"]]


@dataclass(frozen=True)
class Probe:
    """The probe of one model.

    layers: a row a block (layer, depth, coupling, low, high, p, q, raw, dimension, and the placebo's coupling with its
    interval: placebo, placebo_low, placebo_high); heads: a row a head (layer, head,
    coupling, p_less, p_greater, q_less, q_greater, verdict), empty for models without attention; projection: see
    `projection_table`; profile: mean coupling of the early, middle and late third of the blocks; notes: what a reader
    should know of the prompts.
    """

    model: str
    n_texts: int
    layers: pd.DataFrame
    heads: pd.DataFrame
    projection: pd.DataFrame
    profile: dict[str, float]
    notes: tuple[str, ...] = ()

    @property
    def competing(self) -> int:
        """Heads that compete, by DEFINITION."""
        return int((self.heads["verdict"] == "competing").sum())

    @property
    def cooperating(self) -> int:
        """Heads that cooperate, by DEFINITION."""
        return int((self.heads["verdict"] == "cooperating").sum())

    @property
    def placebo_like(self) -> int:
        """Blocks in which the placebo couples too, and as much: there the prompts' endings may be all."""
        table = self.layers
        couples = (table["placebo_low"] > 0) | (table["placebo_high"] < 0)
        overlaps = (table["low"] <= table["placebo_high"]) & (table["high"] >= table["placebo_low"])
        return int((couples & overlaps).sum())

    def summary(self) -> dict[str, Any]:
        """The result as plain JSON."""
        layers = self.layers
        summary = {"model": self.model, "texts": self.n_texts, "blocks": len(layers)}
        summary |= {"coupling": layers["coupling"].mean(), "placebo": layers["placebo"].mean()}
        summary |= {"blocks_like_placebo": self.placebo_like}
        summary |= {f"{name}_coupling": value for name, value in self.profile.items()}
        summary |= {"blocks_significant": int((layers["q"] < LEVEL).sum()), "heads": len(self.heads)}
        summary |= {"heads_competing": self.competing, "heads_cooperating": self.cooperating}
        summary |= {"definition": DEFINITION, "notes": list(self.notes), "layers": layers.to_dict("records")}
        # a coupling that cannot be told is no number, and JSON has no word for it
        plain_summary: dict[str, Any] = plain(summary | {"projection": self.projection.to_dict("records")})
        return plain_summary


def check_prompts(prompts: pd.DataFrame) -> pd.DataFrame:
    """The prompts unless a column or a set is missing, or a set holds fewer than four texts (UsageError)."""
    missing = {"set", "text"} - set(prompts.columns)
    if missing:
        raise UsageError(f"prompts need columns set and text; {' and '.join(sorted(missing))} not there")
    for name in SETS:
        n = int((prompts["set"] == name).sum())
        if n < 4:
            raise UsageError(f"{n} prompts in set {name!r} are too few; give at least 4")
    return prompts[prompts["set"].isin([*SETS, PLACEBO])].reset_index(drop=True)


def with_placebo(prompts: pd.DataFrame, contexts: Sequence[str]) -> pd.DataFrame:
    """The prompts, and neutral contexts whose last word is changed to those of the reasoning and truthfulness prompts.

    contexts: neutral texts that are not among the neutral prompts.  Prompts that have a placebo are left alone.
    """
    if (prompts["set"] == PLACEBO).any():
        return prompts
    ends = [str(text).split()[-1] for name in SETS[:2] for text in prompts.loc[prompts["set"] == name, "text"]]
    texts = [" ".join([*contexts[place % len(contexts)].split()[:-1], end]) for place, end in enumerate(ends)]
    extra = pd.DataFrame({"set": PLACEBO, "text": texts})
    return pd.concat([prompts, extra], ignore_index=True)


def prompt_notes(lm: LanguageModel, prompts: pd.DataFrame) -> tuple[str, ...]:
    """What the sets do not have in common: last tokens (what is read) and length; empty where they are matched."""
    rows = token_lists(lm, [str(text) for text in prompts["text"]], what="text")
    by_set = {name: [row for row, own in zip(rows, prompts["set"], strict=True) if own == name] for name in SETS}
    notes = []
    neutral = Counter(row[-1] for row in by_set["neutral"])
    for name in SETS[:2]:
        mine = Counter(row[-1] for row in by_set[name])
        apart = 0.5 * sum(abs(mine[t] / mine.total() - neutral[t] / neutral.total()) for t in {*mine, *neutral})
        if apart > MOST_APART:
            notes.append(
                f"{apart:.0%} of the last tokens of the {name} prompts are others than in the neutral ones: what is "
                "read may be the last word; end all prompts alike"
            )
    lengths = {name: float(np.mean([len(row) for row in part])) for name, part in by_set.items()}
    if max(lengths.values()) > 1.25 * min(lengths.values()):
        shown = ", ".join(f"{name} {value:.0f}" for name, value in lengths.items())
        notes.append(f"the sets differ in length (mean tokens: {shown}); states move with the position")
    return tuple(notes)


def probe(lm: LanguageModel, prompts: pd.DataFrame, *, seed: int = 0, batch: int = 4096) -> Probe:
    """Read a model on prompts (columns set, text) and measure; one forward pass a text.

    Raises UsageError for missing sets, empty or too long texts.
    """
    prompts = check_prompts(prompts)
    sets = prompts["set"].to_numpy(dtype=str)
    states, heads = capture_with_heads(lm, [str(text) for text in prompts["text"]], batch=batch)
    real = np.isin(sets, SETS)
    blocks = couplings(states[real], sets[real]).rename(columns={"p_two": "p"}).drop(columns=["p_less", "p_greater"])
    blocks.insert(0, "layer", range(lm.depth))
    blocks.insert(1, "depth", (blocks["layer"] + 1) / lm.depth)
    blocks.insert(6, "q", corrected(blocks["p"].to_numpy(), "fdr_bh"))
    blocks["dimension"] = [participation_ratio(states[real][:, layer]) for layer in range(lm.depth)]
    # with two blocks there is no middle, with one only an early part
    parts = [blocks["coupling"].loc[part] for part in np.array_split(blocks.index, 3)]
    if lm.depth < 3:
        parts = [blocks["coupling"][:1], blocks["coupling"][:0], blocks["coupling"][1:]]
    return Probe(
        model=lm.name,
        n_texts=int(real.sum()),
        layers=blocks.join(_placebo(states, sets)),
        heads=_heads({block: outputs[real] for block, outputs in heads.items()}, sets[real]),
        projection=projection_table(lm, states[real][:, -1], sets[real], seed=seed),
        profile={name: float(part.mean()) for name, part in zip(("early", "middle", "late"), parts, strict=True)},
        notes=prompt_notes(lm, prompts),
    )


def _placebo(states: torch.Tensor, sets: np.ndarray) -> pd.DataFrame:
    """The coupling that neutral contexts with the prompts' endings show; one half stands for each of the two sets."""
    columns = ["placebo", "placebo_low", "placebo_high"]
    where, neutral = np.flatnonzero(sets == PLACEBO), np.flatnonzero(sets == "neutral")
    if len(where) < 6:
        return pd.DataFrame(np.nan, range(states.shape[1]), columns)
    half = len(where) // 2
    groups = np.repeat([0, 1, 2], [half, len(where) - half, len(neutral)])
    cosine = cosines_of_means(states[np.r_[where, neutral]].double().numpy(), groups)
    return cosine[["estimate", "low", "high"]].set_axis(columns, axis=1)


def _heads(heads: dict[int, torch.Tensor], sets: np.ndarray) -> pd.DataFrame:
    """One row a head; the correction for many tests runs over all heads of the model."""
    columns = ["layer", "head", "coupling", "p_less", "p_greater", "q_less", "q_greater", "verdict"]
    if not heads:
        return pd.DataFrame(columns=columns)
    tables = {layer: couplings(own, sets) for layer, own in sorted(heads.items())}
    table = pd.concat(tables, names=["layer", "head"]).reset_index()
    for side in ("less", "greater"):
        table[f"q_{side}"] = corrected(table[f"p_{side}"], "fdr_bh")
    competes = (table["q_less"] < LEVEL) & (table["coupling"] < 0)
    cooperates = (table["q_greater"] < LEVEL) & (table["coupling"] > 0)
    table["verdict"] = np.select([competes, cooperates], ["competing", "cooperating"], default="undecided")
    return table[columns]


def twins(lm: LanguageModel, prompts: pd.DataFrame, *, seeds: Sequence[int] = (0,)) -> list[Probe]:
    """The probe of a model, then of untrained twins with these seeds: whatever they share was not learnt."""
    return [probe(lm, prompts)] + [probe(untrained(lm, seed=seed), prompts) for seed in seeds]
