"""A model of today: what it admits and gets wrong, beside those that reason as well; its family, its efforts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cape_lib.dashboard.kit import kit, variant_rows
from cape_lib.dashboard.wording import Plain, answered, records
from cape_lib.errors import UsageError
from cape_lib.frontier import variants
from cape_lib.frontier.variants import ADMITS, KNOWS, PLACE, PRECISION, REASONING, WRONG
from cape_lib.names import suggest

MODES = ("reasoning", "none")
#: sizes count as alike within this factor
ALIKE = 2.0
SHOWN = (REASONING, KNOWS, ADMITS, WRONG, PRECISION)


def diagnose_variant(
    rows: Sequence[Mapping[str, Any]], *, mode: str | None = None, generation: str | None = None
) -> Plain:
    """One model of today among the variants of one laboratory, or the same weights at several efforts.

    rows: from the lowest effort to the highest; model (name), gpqa_diamond, omniscience_accuracy,
        omniscience_non_hallucination (percent), optionally params_b (billions); already checked.
    mode: "reasoning" or "none": compare with that mode only.  generation: a generation of the table, its family.
    Returns plain data: `rows` (with wrong share and precision), `beside` (percentiles of the last among equals in GPQA,
    with their range by question noise), `nearest`, `ladder` (the known variants of the generation), `change` (first to
    last effort, None for one), `answers`, `advice`, `notes`. `phase` is None: a phase compares two sizes.
    """
    own = _own(rows)
    last = own.iloc[-1]
    peers = _peers(own, mode)
    place = variants.neighbours(peers, last)
    ladder = _ladder(peers, generation)
    change = _change(own) if len(own) > 1 else None
    diagnosis: Plain = {
        "kind": "today",
        "phase": None,
        "mode": mode,
        "generation": generation,
        "rows": _plain(own),
        "beside": {name: getattr(place, name) for name in ("n", "width", "models", "labs")}
        | {
            name: {"below": one.estimate, "low": one.low, "high": one.high}
            for name, one in (("admits", place.admits), ("wrong", place.wrong))
        }
        | {"sized": _sized(peers, last)},
        "nearest": _plain(place.nearest, "distance"),
        "ladder": ladder,
        "change": change,
    }
    newest = diagnosis["rows"][-1]
    facts = kit()["today"]["facts"] | diagnosis | {"last": newest, "family": _family(newest, ladder or [])}
    facts["fell"] = change is not None and change[ADMITS] < -change["noise"][ADMITS]
    return answered(diagnosis, facts)


def check_generation(name: str) -> str:
    """The generation of the table under this name; UsageError with near ones for another."""
    known = sorted(variant_rows()["generation"].unique())
    folded: dict[str, str] = {one.casefold(): one for one in known}
    if name.casefold() not in folded:
        raise UsageError(suggest("generation", name, known))
    return folded[name.casefold()]


def _own(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The given variants with what follows from their three scores."""
    alone = len(rows) == 1
    names = [row.get("model") or ("This model" if alone else f"Effort {i + 1}") for i, row in enumerate(rows)]
    frame = pd.DataFrame(rows).reindex(columns=["params_b", *PLACE]).astype(float)
    return variants.readings(frame.assign(model=names))


def _peers(own: pd.DataFrame, mode: str | None) -> pd.DataFrame:
    """The known variants of that mode, without those that are given."""
    known = variant_rows()
    known = known[~known["model"].isin(own["model"])]
    return known if mode is None else known[known["mode"] == mode]


def _plain(rows: pd.DataFrame, *more: str) -> list[Plain]:
    """Variants as plain data; what is not known is None."""
    return records(rows.reindex(columns=["model", "lab", "mode", "params_b", *SHOWN, *more]))


def _ladder(peers: pd.DataFrame, generation: str | None) -> list[Plain] | None:
    """The known variants of a generation, smallest first, those without a size last; None where none is named."""
    if generation is None:
        return None
    part = peers[peers["generation"] == generation].sort_values(["params_b", REASONING, "model"])
    return _plain(part, "ran_out")


def _change(own: pd.DataFrame) -> Plain:
    """Last effort less the first, points, and what question noise alone may do to it (95 %, as if independent)."""
    first, last = own.iloc[0], own.iloc[-1]
    noise = {
        name: 1.96 * math.hypot(first[f"{name}_stderr"], last[f"{name}_stderr"]) for name in (REASONING, ADMITS, WRONG)
    }
    return {name: float(last[name] - first[name]) for name in (REASONING, KNOWS, ADMITS, WRONG)} | {"noise": noise}


def _sized(peers: pd.DataFrame, last: pd.Series) -> dict[str, int] | None:
    """Of the equals in GPQA those of about its size: n and how many admit less; None where its size is not known."""
    size = float(last["params_b"])
    if not math.isfinite(size):
        return None
    near = variants.equals(peers, float(last[REASONING]))
    near = near[(near["params_b"] >= size / ALIKE) & (near["params_b"] <= size * ALIKE)]
    return {"n": len(near), "below": int((near[ADMITS] < last[ADMITS]).sum())}


def _family(last: Mapping[str, Any], ladder: list[Plain]) -> Plain:
    """What the sentences on its family speak of: how many are lower, and smallest beside largest size.

    Of one size the variant with the best GPQA counts; variants that ran out of tokens are left out of the sizes.
    """
    sized = [row for row in ladder if row["params_b"] is not None and not row["ran_out"]]
    sizes = sorted({row["params_b"] for row in sized})
    facts: Plain = {
        "n": len(ladder),
        "sizes": len(sizes),
        "admits": sum(row[ADMITS] < last[ADMITS] for row in ladder),
        "wrong": sum(row[WRONG] < last[WRONG] for row in ladder),
    }
    if sizes:
        low, high = (
            max((row for row in sized if row["params_b"] == end), key=lambda row: row[REASONING])
            for end in (sizes[0], sizes[-1])
        )
        facts |= {"smallest": low["params_b"], "largest": high["params_b"]}
        facts["d"] = {name: high[name] - low[name] for name in (REASONING, ADMITS, WRONG)}
    return facts
