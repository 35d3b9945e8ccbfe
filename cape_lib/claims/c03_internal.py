"""Chapter 03: internal couplings that are quoted for curation and architecture, as far as they were released."""

from __future__ import annotations

import pandas as pd

from cape_lib import tables
from cape_lib.claims.registry import claim, stress, test
from cape_lib.claims.verdict import Result, Stress


def recorded(model: str, measure: str) -> pd.Series:
    """The released measurement of one kind of one model."""
    rows = tables.load("internal_coupling")
    return rows[(rows["model"] == model) & (rows["measure_id"] == measure)].iloc[0]


def released(*models: str, measure: str = "hidden_state", note: str = "") -> dict[str, Result]:
    """The released coupling of each model, in one kind of measurement."""
    return {model: Result(float(recorded(model, measure)["net_coupling"]), n=1, note=note) for model in models}


@claim("C13", reads=("internal_coupling",))
def gemma_small(panel: str) -> dict[str, Result]:
    """Hidden-state coupling of Gemma-4-E4B; the same measurement of standard-trained models from 13 B."""
    return {"coupling": gemma_coupling(panel), "matches 13 B and more": Result(None)}


@claim("C37", reads=("internal_coupling",))
def gemma_coupling(panel: str) -> Result:
    """Hidden-state coupling of Gemma-4-E4B as released."""
    return released("Gemma-4-E4B")["Gemma-4-E4B"]


@stress("C13", "C37")
def gemma_older(panel: str) -> list[Stress]:
    rows = tables.load("internal_coupling")
    own = float(recorded("Gemma-4-E4B", "hidden_state")["net_coupling"])
    others = rows[(rows["measure_id"] == "hidden_state") & (rows["model"] != "Gemma-4-E4B")]
    return [
        Stress(
            f"{row['model']}, the same kind of measurement",
            row["net_coupling"],
            "higher" if row["net_coupling"] > own else "lower",
            n=1,
        )
        for row in others.to_dict("records")
    ]


@claim("C14", reads=("internal_coupling",))
def pretraining_to_tuning(panel: str) -> Result:
    """Coupling of the base Gemma-4-E4B over what instruction tuning adds to it."""
    base, tuned = (recorded(name, "hidden_state")["net_coupling"] for name in ("Gemma-4-E4B", "Gemma-4-E4B-it"))
    return Result(float(base / (tuned - base)), n=2, note="a level divided by a difference, for one model")


@claim("C36", reads=("internal_coupling",))
def qwen_generations(panel: str) -> dict[str, Result]:
    """Per-head coupling of Qwen2.5-1.5B and of Qwen3-1.7B as released."""
    rows = tables.load("internal_coupling")
    heads = rows[rows["measure_id"] == "per_head"]
    same = int((heads["net_coupling"] == 0.83).sum())
    note = f"{same} of the {len(heads)} models measured in this way have the value 0.83, whatever their size"
    return released("Qwen2.5-1.5B", "Qwen3-1.7B", measure="per_head", note=note)


@claim("C73", reads=("internal_coupling",))
def qwen_eight(panel: str) -> dict[str, Result]:
    """Hidden-state coupling of Qwen3-8B and of Qwen2.5-7B, and their difference."""
    values = released("Qwen3-8B", "Qwen2.5-7B")
    newer, older = (float(one.value or 0.0) for one in values.values())
    return values | {"difference": Result(newer - older, n=2)}


@test("models with the same value", "C36", kind="null")
def same_value(panel: str) -> Stress:
    rows = tables.load("internal_coupling")
    heads = rows[rows["measure_id"] == "per_head"]
    same = int((heads["net_coupling"] == 0.83).sum())
    says = (
        f"{same} of the {len(heads)} models measured so have this very value, from 0.5 to 15 B and of both generations"
    )
    return Stress.of("models with a coupling of 0.830", float(same), says, n=len(heads), lost=same > len(heads) / 2)


@stress("C36")
def other_sizes(panel: str) -> list[Stress]:
    """The same measurement within one generation, where only size differs."""
    rows = tables.load("internal_coupling")
    heads = rows[rows["measure_id"] == "per_head"]
    tried = []
    for generation in ("Qwen2.5", "Qwen3"):
        values = heads[heads["model"].str.startswith(f"{generation}-")]["net_coupling"]
        says = f"largest less smallest of {len(values)} models of that generation"
        tried.append(Stress.of(f"range within {generation}", float(values.max() - values.min()), says, n=len(values)))
    return tried


@test("the other measurement", "C73", kind="another choice")
def qwen_other_file(panel: str) -> Stress:
    newer, older = (float(recorded(name, "per_head")["net_coupling"]) for name in ("Qwen3-8B", "Qwen2.5-7B"))
    says = f"the other released measurement of the same two models puts them {newer - older:.3f} apart"
    return Stress.of("Qwen3-8B less Qwen2.5-7B", newer - older, says, n=2, lost=newer - older < 0.12 / 2)


@claim("C74", reads=("internal_coupling",))
def gemma_table(panel: str) -> dict[str, Result]:
    """Coupling and dimension of Gemma-3-4B and Gemma-4-E4B-it, dimension of E4B, coupling of E2B."""
    older, tuned = recorded("Gemma-3-4B", "hidden_state"), recorded("Gemma-4-E4B-it", "hidden_state")
    return {
        "Gemma-3 coupling": Result(float(older["net_coupling"]), n=1),
        "Gemma-3 dimension": Result(float(older["d_rep"]), n=1),
        "Gemma-4-it coupling": Result(float(tuned["net_coupling"]), n=1),
        "Gemma-4-it dimension": Result(float(tuned["d_rep"]), n=1),
        # These two are in the paper's text only: comparing the text with itself would test nothing.
        "E4B dimension": Result(None),
        "E2B coupling": Result(None),
    }
