"""Chapters 03 to 05: what was measured inside models, as far as it was released, and what steering was seen to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, multivariate_hypergeom

from cape_lib import tables
from cape_lib.claims.registry import Attempts, claim
from cape_lib.claims.verdict import Result, answer, stress
from cape_lib.stats import wilson

READS = ("internal_coupling",)


def internal(measure: str) -> pd.DataFrame:
    """The released measurements of one kind, a row a model, the first of each."""
    rows = tables.load("internal_coupling")
    return rows[rows["measure_id"] == measure].drop_duplicates("model").set_index("model", drop=False)


def released(*models: str, measure: str = "hidden_state") -> dict[str, float]:
    """The released coupling of each model in one kind of measurement."""
    return {model: float(internal(measure)["net_coupling"][model]) for model in models}


@claim("C13", "C37", reads=READS)
def gemma_coupling(panel: str) -> Attempts:
    """Hidden-state coupling of Gemma-4-E4B as released."""
    others = internal("hidden_state")["net_coupling"]
    own = others.pop("Gemma-4-E4B")
    yield answer({"coupling": own}, 1)
    for model, value in others.items():
        yield stress(f"{model}, the same kind of measurement", value, "higher" if value > own else "lower", n=1)


@claim("C36", reads=READS)
def qwen_generations(panel: str) -> Attempts:
    """Per-head coupling of Qwen2.5-1.5B and of Qwen3-1.7B as released."""
    heads = internal("per_head")["net_coupling"]
    same, n = int((heads == 0.83).sum()), len(heads)
    yield answer(released("Qwen2.5-1.5B", "Qwen3-1.7B", measure="per_head"), 1, same=same, models=n)
    yield stress("models with the same value", same, n=n, lost=same > n / 2)
    for generation in ("Qwen2.5", "Qwen3"):  # within one generation only size differs
        own = heads[heads.index.str.startswith(f"{generation}-")]
        says = f"largest less smallest of {len(own)} models of that generation"
        yield stress(f"range within {generation}", own.max() - own.min(), says, n=len(own))


#: Kind of measurement -> the models of which the papers print the coupling.
RELEASED = {
    "hidden_state": ("Qwen3-8B", "Qwen2.5-7B"),
    "opt_ladder": ("OPT-125M", "OPT-13B"),
    "per_unit_nc2": ("OPT-30B", "OPT-66B", "Llama-2-70B"),
    "per_unit_nc3": ("Llama-3.1-70B", "Qwen2.5-72B", "OLMo-2-32B"),
}


@claim("C14", "C73", "C74", "C95", "C96", reads=READS)
def as_released(panel: str) -> Attempts:
    """Couplings as released: of the base Gemma-4-E4B over what instruction tuning adds to it (C14); of Qwen3-8B, of
    Qwen2.5-7B, and their difference (C73); of Gemma-3-4B and Gemma-4-E4B-it, with dimensions, where two more stand in
    the paper's text only (C74); of OPT-125M, 13B, 30B and 66B, and 1 - (30B / 13B) in percent (C95); of Llama-2-70B,
    Llama-3.1-70B, Qwen2.5-72B and OLMo-2-32B (C96); for both, a drop within one measurement."""
    own = {model: one for kind, models in RELEASED.items() for model, one in released(*models, measure=kind).items()}
    hidden = internal("hidden_state")
    base, tuned = (hidden["net_coupling"][model] for model in ("Gemma-4-E4B", "Gemma-4-E4B-it"))
    parts = own | {
        f"{short} {what}": hidden[column][model]
        for short, model in {"Gemma-3": "Gemma-3-4B", "Gemma-4-it": "Gemma-4-E4B-it"}.items()
        for what, column in {"coupling": "net_coupling", "dimension": "d_rep"}.items()
    }
    of_two = {"ratio": base / (tuned - base), "difference": own["Qwen3-8B"] - own["Qwen2.5-7B"]}
    of_two |= {"drop, percent": 100 * (1 - own["OPT-30B"] / own["OPT-13B"])}
    of_two |= dict.fromkeys(("a drop within one measurement", "a second transition"))
    low, high = released("OLMo-2-13B", "OLMo-2-32B", measure="per_unit_nc3").values()
    alike: dict[str, Any] = {"first": low, "last": high}
    yield answer(parts, 1, run=own) | answer(of_two, 2, run=own, moves="rises" if high > low else "falls", **alike)

    yield stress("one measurement", high - low, n=2, lost=high > low, **alike)
    again = released("Qwen3-8B", "Qwen2.5-7B", measure="per_head")
    apart = again["Qwen3-8B"] - again["Qwen2.5-7B"]
    yield stress("the other measurement", apart, n=2, lost=apart < 0.12 / 2)


@claim("C16", reads=READS)
def projection(panel: str) -> Attempts:
    """Cosine of the mean last-token vectors: hidden state, after the output map, after GELU; Pythia-1B."""
    columns = {"hidden state": "net_coupling", "output map": "output_proj_cosine", "wider map": "wider_proj_cosine"}
    sizes = internal("cosine_of_means")
    falls, n = sizes[sizes["output_proj_cosine"] < sizes["net_coupling"]].index, len(sizes)
    parts = {name: Result(sizes[column]["Pythia-1B"], n=1) for name, column in columns.items()}
    yield answer(parts | {"at every size": len(falls) == n}, n, falls=len(falls), named=", ".join(falls))
    yield stress("every size measured", len(falls), n=n, lost=len(falls) < n)
    full = tables.load("projection_sweep").query("k >= 32").groupby("model")["coupling"]
    name = "kept dimensions from 32 up: largest change of the coupling"
    says = "twenty centred vectors have rank 19, so nothing can change beyond it"
    yield stress(name, (full.max() - full.min()).max(), says, n=full.ngroups)


@claim("C15", "C41", reads=READS)
def heads(panel: str) -> Attempts:
    """Models whose released count of competing heads is zero; models with a released count."""
    rows = tables.load("internal_coupling")
    competing = rows["competing_units"].fillna(rows["competing_fraction"]).groupby(rows["model"]).max().dropna() > 0
    n, some = len(competing), int(competing.sum())
    yield answer({"without": n - some, "of": n}, n, without=n - some, named=", ".join(competing.index[competing]))
    yield stress("every released count", some, n=n, lost=some > 2)
    zero = rows[(rows["competing_units"] == 0) | (rows["competing_fraction"] == 0)]
    blind = zero["weight_dependent"].isin(["false", "doubtful"]).sum()
    name = "records with a zero count whose value cannot, or may not, depend on the weights"
    yield stress(name, blind, f"of {len(zero)} records with a zero count", n=len(zero))
    layers = tables.load("layer_coupling").query("measure_id == 'attention_pattern'").groupby("model")["coupling"]
    name = "attention patterns: largest difference between any two layers of a model"
    says = "the same number at every layer and every size: prompts and tokenizer, not the model"
    yield stress(name, (layers.max() - layers.min()).max(), says, n=layers.ngroups)


#: The run with totals only, on which the published rates of steering rest.
TOTALS = "self_align_across_nc1"
LADDER = ("Pythia-410M", "Pythia-1B", "Pythia-2.8B")


@claim({"C17": (LADDER[:1],)}, reads=("steering_records", "steering_totals"))
@claim({"C18": (LADDER,)}, reads=("steering_totals",))
def steered(panel: str, models: tuple[str, ...]) -> Attempts:
    """Prompts whose text changed, of all prompts, in percent: {0}."""
    rows = tables.load("steering_totals").query("run == @TOTALS").set_index("model").loc[list(models)]
    hits, prompts = rows["n_changed"].astype(int).tolist(), rows["n_total"].astype(int).tolist()
    shares = [percent(*pair) for pair in zip(hits, prompts, strict=True)]
    if models == LADDER:
        yield answer(dict(zip((model.removeprefix("Pythia-") for model in models), shares, strict=True)))
        p, power = trend_p(hits, prompts), trend_power(hits, prompts)
        yield stress("no trend", p, n=sum(prompts), lost=p > 0.05, chance=100 * p, power=power)
    else:
        right = tables.load("steering_records")["corrected"]
        yield answer(shares[0], known=right.notna().sum(), of=len(right))
    # the share in each run but the one on which the published rates rest
    for row in tables.load("steering_totals").query("run != @TOTALS").to_dict("records"):
        says = "prompts recorded one by one" if row["has_records"] else "totals only"
        changed = percent(int(row["n_changed"]), int(row["n_total"]))
        yield stress(f"{row['model']}, run {row['run']}: percent changed", changed, says)


def percent(hits: int, total: int) -> Result:
    """A share in percent, with Wilson's interval."""
    share = wilson(hits, total)
    return Result(100 * share.estimate, 100 * share.low, 100 * share.high, share.n)


@cache
def _draws(totals: tuple[int, ...]) -> NDArray[np.int64]:
    """Every possible number of hits in each group, (draws, groups)."""
    return np.array([*product(*(range(n + 1) for n in totals))])


def trend_p(hits: Sequence[int], totals: Sequence[int]) -> float:
    """Exact one-sided p (0-1) of a falling trend: permutation of the hits over the prompts, scores 0, 1, 2.

    hits, totals: changed and all prompts of each group, in the order of size.
    """
    draws, scores = _draws(tuple(totals)), np.arange(len(totals))
    alike = draws[draws.sum(axis=1) == sum(hits)]
    shares = multivariate_hypergeom.pmf(alike, totals, sum(hits))
    return float(shares[alike @ scores <= np.dot(hits, scores)].sum())


def trend_power(hits: Sequence[int], totals: Sequence[int]) -> float:
    """Share of repeats (0-1) in which groups whose true shares are those seen have a `trend_p` of at most .05."""
    draws = _draws(tuple(totals))
    chances = binom.pmf(draws, totals, np.divide(hits, totals)).prod(axis=1)
    return float(chances[[trend_p(draw, totals) <= 0.05 for draw in draws]].sum())
