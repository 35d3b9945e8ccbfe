"""Chapters 03 to 05: what was measured inside models, as far as it was released, and what steering was seen to do."""

from __future__ import annotations

from functools import cache
from itertools import product

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


def recorded(model: str, measure: str, column: str = "net_coupling") -> float:
    """The released measurement of one kind of one model."""
    return float(internal(measure)[column][model])


def released(*models: str, measure: str = "hidden_state") -> dict[str, float]:
    """The released coupling of each model, in one kind of measurement."""
    return {model: recorded(model, measure) for model in models}


@claim("C13", "C37", reads=READS)
def gemma_coupling(panel: str) -> Attempts:
    """Hidden-state coupling of Gemma-4-E4B as released."""
    own = recorded("Gemma-4-E4B", "hidden_state")
    yield answer({"coupling": own}, 1)
    for model, value in internal("hidden_state")["net_coupling"].drop("Gemma-4-E4B").items():
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


@claim("C73", reads=READS)
def qwen_eight(panel: str) -> Attempts:
    """Hidden-state coupling of Qwen3-8B and of Qwen2.5-7B, and their difference."""
    apart, other = (
        recorded("Qwen3-8B", measure) - recorded("Qwen2.5-7B", measure) for measure in ("hidden_state", "per_head")
    )
    yield answer(released("Qwen3-8B", "Qwen2.5-7B") | {"difference": Result(apart, n=2)}, 1)
    yield stress("the other measurement", other, n=2, lost=other < 0.12 / 2)


@claim("C74", reads=READS)
def gemma_table(panel: str) -> Attempts:
    """Coupling and dimension of Gemma-3-4B and Gemma-4-E4B-it; two more stand in the paper's text only."""
    parts = {
        f"{short} {what}": recorded(model, "hidden_state", column)
        for short, model in {"Gemma-3": "Gemma-3-4B", "Gemma-4-it": "Gemma-4-E4B-it"}.items()
        for what, column in {"coupling": "net_coupling", "dimension": "d_rep"}.items()
    }
    yield answer(parts, 1)


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


@claim("C95", reads=READS)
def opt_ladder(panel: str) -> Attempts:
    """Released couplings of OPT-125M, 13B, 30B and 66B; 1 - (30B / 13B) in percent; a drop within one measurement."""
    small, large = released("OPT-125M", "OPT-13B", measure="opt_ladder"), {"middle": "OPT-30B", "top": "OPT-66B"}
    run = released(*large.values(), measure="per_unit_nc2")
    drop = Result(100 * (1 - run["OPT-30B"] / small["OPT-13B"]), n=2)
    parts = small | run | {"drop, percent": drop, "a drop within one measurement": Result(None, n=2)}
    yield answer(parts, 1, **{name: run[model] for name, model in large.items()})


@claim("C96", reads=READS)
def large_models(panel: str) -> Attempts:
    """Released couplings of Llama-2-70B, Llama-3.1-70B, Qwen2.5-72B and OLMo-2-32B; a drop within one measurement."""
    low, high = (recorded(f"OLMo-2-{size}", "per_unit_nc3") for size in ("13B", "32B"))
    values = released("Llama-2-70B", measure="per_unit_nc2")
    values |= released("Llama-3.1-70B", "Qwen2.5-72B", "OLMo-2-32B", measure="per_unit_nc3")
    words = {"small": low, "large": high, "moves": "rises" if high > low else "falls"}
    yield answer(values | {"a second transition": Result(None, n=2)}, 1, **words)
    yield stress("one measurement", high - low, n=2, lost=high > low, **words)


@claim("C14", reads=READS)
def pretraining_to_tuning(panel: str) -> Attempts:
    """Coupling of the base Gemma-4-E4B over what instruction tuning adds to it."""
    base, tuned = (recorded(name, "hidden_state") for name in ("Gemma-4-E4B", "Gemma-4-E4B-it"))
    yield answer(base / (tuned - base), 2)


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


def trend_p(hits: list[int], totals: list[int]) -> float:
    """Exact one-sided p (0-1) of a falling trend: permutation of the hits over the prompts, scores 0, 1, 2.

    hits, totals: changed and all prompts of each group, in the order of size.
    """
    ways = trend_ways(sum(hits), totals)
    return float(ways.loc[ways["trend"] <= trend_of(hits), "share"].sum())


def trend_of(hits: list[int]) -> int:
    """Sum of group number (from 0) times hits: the smaller, the more hits in the first groups."""
    return sum(k * hit for k, hit in enumerate(hits))


@cache
def _draws(totals: tuple[int, ...]) -> NDArray[np.int64]:
    """Every possible number of hits in each group, (draws, groups)."""
    return np.array([*product(*(range(n + 1) for n in totals))])


def trend_ways(hits: int, totals: list[int]) -> pd.DataFrame:
    """Every possible trend of so many hits spread over the groups: trend, share (0-1, if the group plays no role)."""
    draws = _draws(tuple(totals))
    draws = draws[draws.sum(axis=1) == hits]
    shares = multivariate_hypergeom.pmf(draws, totals, hits)
    ways = pd.DataFrame({"trend": draws @ np.arange(len(totals)), "share": shares})
    return ways.groupby("trend")["share"].sum().reset_index()


def trend_power(hits: list[int], totals: list[int]) -> float:
    """Share of repeats (0-1) in which groups whose true shares are those seen have a `trend_p` of at most .05."""
    draws = _draws(tuple(totals))
    chances = binom.pmf(draws, totals, np.divide(hits, totals)).prod(axis=1)
    trends, told = draws @ np.arange(len(totals)), 0.0
    for count in range(sum(totals) + 1):
        ways = trend_ways(count, totals)
        seen = ways.loc[ways["share"].cumsum() <= 0.05, "trend"]
        told += float(chances[(draws.sum(axis=1) == count) & np.isin(trends, seen)].sum())
    return told
