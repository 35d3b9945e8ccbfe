"""Two generations or two architectures side by side, with everything else that changed between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError

#: contrast -> what changed beside the lever that the papers name
CONFOUNDED: dict[str, tuple[str, ...]] = {
    "Phi": (
        "data and size change together from one generation to the next",
        "Phi-3-mini is instruction-tuned, the others are base models",
        "synthetic textbooks may resemble the benchmarks' style",
    ),
    "Qwen": (
        "data, tokens, tokenizer and architecture change between the generations",
        "sizes match in name only",
        "two published measurements of the same models disagree",
        "the value of most models equals that of every size, so it may not depend on the weights",
    ),
    "Gemma": (
        "distillation, data and architecture change together",
        "one of the two checkpoints may be instruction-tuned",
        "the higher internal coupling belongs to the older generation",
        "two models of one nominal size are no ladder",
    ),
}


def generation_pairs(
    internal: pd.DataFrame, *, older: str = "Qwen2.5", newer: str = "Qwen3", measure: str | None = None
) -> pd.DataFrame:
    """Models of two generations matched by nearest size, within one kind of measurement.

    internal: `tables.load("internal_coupling")`; measure: a `measure_id`, None for each that both generations have.
    Returns measure_id, older, newer, older_b, newer_b, size_ratio, older_coupling, newer_coupling, difference,
    same_everywhere (True where the newer value equals that of another size of its generation to three digits).
    Raises MissingError where the two share no measurement.
    Source: paper A: Qwen 0.025 to 0.830 "at matched scale"; Qwen3-8B .741 against Qwen2.5-7B .619.
    """
    rows = internal.dropna(subset=["net_coupling"]).copy()
    rows["size"] = rows["params_b"].fillna(rows["model"].map(_size_in_name))
    table = []
    for name, group in rows.groupby("measure_id"):
        old, new = group[group["family"] == older], group[group["family"] == newer]
        if old.empty or new.empty or (measure is not None and name != measure):
            continue
        old_b, old_r = old["size"].to_numpy(float), old["net_coupling"].to_numpy(float)
        new_r = new["net_coupling"].to_numpy(float)
        for i, (model, size) in enumerate(zip(new["model"], new["size"].to_numpy(float), strict=True)):
            j = int(np.abs(np.log(old_b) - np.log(size)).argmin())
            twins = int((new_r.round(3) == new_r[i].round(3)).sum())
            table.append(
                (name, old["model"].iloc[j], model, old_b[j], size, size / old_b[j], old_r[j], new_r[i],
                 new_r[i] - old_r[j], twins > 1)
            )  # fmt: skip
    if not table:
        raise MissingError(f"{older} and {newer} share no measurement; rows of different measures are not compared")
    columns = ["measure_id", "older", "newer", "older_b", "newer_b", "size_ratio", "older_coupling", "newer_coupling"]
    return pd.DataFrame(table, columns=[*columns, "difference", "same_everywhere"])


def architecture_rows(internal: pd.DataFrame, *, family: str = "Gemma") -> pd.DataFrame:
    """All internal measurements of one family, with whether each was made like the others and on what kind of model.

    Returns model, params_b, measure_id, net_coupling, d_rep, tuned (instruction-tuned by name or note), note.
    Published: Gemma-3 .965, Gemma-4 .871, Gemma-4-it .952, E2B .789.
    """
    rows = internal[internal["family"] == family].copy()
    note = rows["note"].fillna("").astype(str)
    rows["tuned"] = rows["model"].str.endswith("-it") | note.str.contains("instruction-tuned")
    columns = ["model", "params_b", "measure_id", "net_coupling", "d_rep", "tuned", "note"]
    return rows[columns].sort_values("net_coupling", ascending=False, ignore_index=True)


def _size_in_name(model: str) -> float:
    """Billions from a name such as "Qwen2.5-7B"; NaN if it holds none."""
    last = model.rsplit("-", 1)[-1].upper()
    try:
        return float(last.removesuffix("B")) if last.endswith("B") else float("nan")
    except ValueError:
        return float("nan")
