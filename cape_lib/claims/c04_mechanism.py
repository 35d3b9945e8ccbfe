"""Chapter 04: heads that compete, the output projection, and the drop from 30 to 72 B."""

from __future__ import annotations

import pandas as pd

from cape_lib import tables
from cape_lib.claims.c03_internal import recorded, released
from cape_lib.claims.registry import claim, stress, test
from cape_lib.claims.verdict import Result, Stress


def counted() -> pd.DataFrame:
    """Released models with a count or a share of competing heads: model, competes (in any record of it)."""
    rows = tables.load("internal_coupling")
    competing = rows["competing_units"].fillna(rows["competing_fraction"])
    known = rows.assign(competing=competing).dropna(subset=["competing"])
    return known.groupby("model")["competing"].max().gt(0).rename("competes").reset_index()


@claim("C15", "C41", reads=("internal_coupling",))
def heads(panel: str) -> dict[str, Result]:
    """Models whose released count of competing heads is zero; models with a released count."""
    models = counted()
    free = int((~models["competes"]).sum())
    some = ", ".join(models.loc[models["competes"], "model"])
    note = f"{len(models)} models have a released count, {free} of them without a competing head; with some: {some}"
    return {"without": Result(float(free), n=len(models), note=note), "of": Result(float(len(models)), n=len(models))}


@test("every released count", "C15", "C41", kind="as worded")
def models_with_competition(panel: str) -> Stress:
    models = counted()
    some = int(models["competes"].sum())
    says = f"{some} of the {len(models)} models with a released count have a competing head; the claim leaves 2 of 40"
    return Stress.of("models with a competing head", float(some), says, n=len(models), lost=some > 2)


@stress("C15", "C41")
def heads_from_weights(panel: str) -> list[Stress]:
    rows = tables.load("internal_coupling")
    zero = rows[(rows["competing_units"] == 0) | (rows["competing_fraction"] == 0)]
    blind = zero[zero["weight_dependent"].isin(["false", "doubtful"])]
    layers = tables.load("layer_coupling")
    pattern = layers[layers["measure_id"] == "attention_pattern"].groupby("model")["coupling"]
    flat = float((pattern.max() - pattern.min()).max())
    return [
        Stress(
            "records with a zero count whose value cannot, or may not, depend on the weights",
            float(len(blind)),
            f"of {len(zero)} records with a zero count",
            n=len(zero),
        ),
        Stress(
            "attention patterns: largest difference between any two layers of a model",
            flat,
            "the same number at every layer and every size: prompts and tokenizer, not the model",
            n=int(pattern.ngroups),
        ),
    ]


@claim("C16", reads=("internal_coupling",))
def projection(panel: str) -> dict[str, Result]:
    """Cosine of the mean last-token vectors: hidden state, after the output map, after GELU; Pythia-1B."""
    row = recorded("Pythia-1B", "cosine_of_means")
    columns = {"hidden state": "net_coupling", "output map": "output_proj_cosine", "wider map": "wider_proj_cosine"}
    rows = tables.load("internal_coupling")
    sizes = rows[rows["measure_id"] == "cosine_of_means"]
    falls = sizes[sizes["output_proj_cosine"] < sizes["net_coupling"]]["model"].tolist()
    note = f"the cosine falls at the output map in {len(falls)} of {len(sizes)} sizes measured ({', '.join(falls)})"
    general = Result(len(falls) == len(sizes), n=len(sizes), note=note)
    return {name: Result(float(row[column]), n=1) for name, column in columns.items()} | {"at every size": general}


@test("every size measured", "C16", kind="as worded")
def falls_everywhere(panel: str) -> Stress:
    rows = tables.load("internal_coupling")
    sizes = rows[rows["measure_id"] == "cosine_of_means"]
    falls = int((sizes["output_proj_cosine"] < sizes["net_coupling"]).sum())
    says = f"the cosine falls at the output projection in {falls} of {len(sizes)} sizes measured"
    against = f'{says}; "wider" is the hidden state after GELU' if falls < len(sizes) else ""
    return Stress("sizes whose cosine falls there", float(falls), says, n=len(sizes), against=against)


@stress("C16")
def projection_sweep(panel: str) -> list[Stress]:
    sweep = tables.load("projection_sweep")
    full = sweep[sweep["k"] >= 32].groupby("model")["coupling"]
    return [
        Stress(
            "kept dimensions from 32 up: largest change of the coupling",
            float((full.max() - full.min()).max()),
            "twenty centred vectors have rank 19, so nothing can change beyond it",
            n=int(full.ngroups),
        )
    ]


@claim("C95", reads=("internal_coupling",))
def opt_ladder(panel: str) -> dict[str, Result]:
    """Released couplings of OPT-125M, 13B, 30B and 66B; 1 - (30B / 13B) in percent; a drop within one measurement."""
    levels = released("OPT-125M", "OPT-13B", measure="opt_ladder")
    levels |= released("OPT-30B", "OPT-66B", measure="per_unit_nc2")
    _, large, middle, top = (float(one.value or 0.0) for one in levels.values())
    two = "13B and 30B come from two different measurements"
    drop = Result(100 * (1 - middle / large), n=2, note=two)
    rise = f"in the one run with two OPT sizes, 30B has {middle:.3f} and 66B {top:.3f}"
    within = Result(None, n=2, note=rise)
    return levels | {"drop, percent": drop, "a drop within one measurement": within}


def olmo_sizes() -> tuple[float, float]:
    """The couplings of OLMo-2-13B and OLMo-2-32B, measured alike."""
    small, large = released("OLMo-2-13B", "OLMo-2-32B", measure="per_unit_nc3").values()
    return float(small.value or 0.0), float(large.value or 0.0)


@test("one measurement", "C96", kind="as worded")
def rises_within_one_run(panel: str) -> Stress:
    low, high = olmo_sizes()
    says = f"in the one family measured alike at two sizes the coupling goes from {low:.3f} (13 B) to {high:.3f} (32 B)"
    return Stress(
        "OLMo-2-32B less OLMo-2-13B", high - low, says, n=2, against=f"{says}: it rises" if high > low else ""
    )


@claim("C96", reads=("internal_coupling",))
def large_models(panel: str) -> dict[str, Result]:
    """Released couplings of Llama-2-70B, Llama-3.1-70B, Qwen2.5-72B and OLMo-2-32B; a drop within one measurement."""
    values = released("Llama-2-70B", measure="per_unit_nc2")
    values |= released("Llama-3.1-70B", "Qwen2.5-72B", "OLMo-2-32B", measure="per_unit_nc3")
    low, high = olmo_sizes()
    moved = "rises" if high > low else "falls"
    note = (
        "one of the four families has a smaller model in the same measurement: "
        f"from OLMo-2-13B to OLMo-2-32B the coupling {moved}, from {low:.3f} to {high:.3f}"
    )
    return values | {"a second transition": Result(None, n=2, note=note)}
