"""Chapter 9 in sentences, by size: families and generations of today, and the family that ran out of tokens."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cape_lib.base import coupling
from cape_lib.errors import MissingError
from cape_lib.frontier import variants
from cape_lib.frontier.labs import pooled_ladders
from cape_lib.frontier.variants import ADMITS, REASONING, WRONG
from cape_lib.story.answer import listed
from cape_lib.tables import label


def artefact(rows: pd.DataFrame, generation: str = "Qwen3.5") -> str:
    """One family in reasoning mode, with and without the sizes that ran out of tokens."""
    family = one_family(rows, generation)
    flags = variants.truncation(rows).loc[family.index]
    small = family[flags["loses"]]
    left = family.drop(small.index)
    whole, rest = (float(part[REASONING].corr(part[ADMITS])) for part in (family, left))
    wrong, wrong_rest = (float(part[REASONING].corr(part[WRONG])) for part in (family, left))
    if small.empty:
        return f"In {generation} no size loses by thinking: r(GPQA, admitted) = {whole:.2f} over {len(family)} sizes."
    worst = small.sort_values("params_b").iloc[0]
    return (
        f"Over the {len(family)} sizes of {generation}, thinking, r(GPQA, admitted) = **{whole:.2f}**: the "
        f"better they "
        f"reason, the {'less' if whole < 0 else 'more'} they admit? Look at {worst['model']}: it spends "
        f"{worst['reasoning_tokens']:,.0f} reasoning "
        f"tokens a question, answers in {worst['answer_tokens']:.0f}, and scores {worst[REASONING]:.0f} on "
        f"GPQA, where "
        f"guessing gives 25. It ran out, and an empty answer is graded as not attempted. Without the "
        f"{len(small)} sizes that lose by thinking, r = {rest:.2f} over {len(left)}, and with the wrong share "
        f"the sign "
        f"turns from {wrong:+.2f} to {wrong_rest:+.2f}."
    )


def family_text(rows: pd.DataFrame, generation: str) -> str:
    """r of GPQA with q and with the wrong share in one generation, with and without what ran out."""
    family = one_family(rows, generation)
    left = family[~variants.truncation(rows).loc[family.index, "set_aside"]]
    parts = []
    for word, part in (("all", family), ("without what ran out", left), ("without the two smallest", family.iloc[2:])):
        if len(part) > 2:
            r, wrong = part[REASONING].corr(part[ADMITS]), part[REASONING].corr(part[WRONG])
            parts.append(
                f"{word} ({len(part)} sizes) {r:.2f} with the share admitted, {wrong:.2f} with the wrong share"
            )
        else:
            parts.append(f"{word} {len(part)} left, too few for an r")
    return f"**{generation}**, thinking: {'; '.join(parts)}."


def one_family(rows: pd.DataFrame, generation: str) -> pd.DataFrame:
    """The thinking variants of one generation by size; MissingError names the generations that have three sizes."""
    part = rows[(rows["generation"] == generation) & (rows["mode"] == "reasoning") & rows["params_b"].notna()]
    if len(part) < 3:
        some = rows[(rows["mode"] == "reasoning") & rows["params_b"].notna()].groupby("generation").size()
        names = ", ".join(str(name) for name in some.index[some > 2])
        raise MissingError(f"{generation!r} has fewer than three thinking sizes; these have them: {names}")
    return part.sort_values("params_b")


def size_ladders(rows: pd.DataFrame) -> pd.DataFrame:
    """The variants that form ladders by size: one generation in one mode, one variant a size.

    Returns the rows with `ladder` ("Gemma 4, thinking"), the first variant of a size where there are several.
    """
    part = rows[rows["params_b"].notna() & rows["effort"].isna() | (rows["effort"] == "high")]
    part = part[part["params_b"].notna()]
    words = part["mode"].map({"reasoning": "thinking", "none": "not thinking"})
    part = part.assign(ladder=part["generation"] + ", " + words)
    part = part.sort_values(["ladder", "params_b", "model"]).drop_duplicates(["ladder", "params_b"])
    return part[part.groupby("ladder")["model"].transform("size") > 2].reset_index(drop=True)


def sizes_text(rows: pd.DataFrame, measure: str) -> str:
    """What happens to a measure from the smallest to the largest size, all ladders and those of steady variants."""
    parts = []
    for which, part in (("All", rows), ("Without the variants that ran out", variants.steady(rows))):
        ladders = coupling.whole_ladders(size_ladders(part), x=REASONING, y=measure)
        sure = ladders["p_holm"] < 0.05
        up, down = int((sure & (ladders["dy"] > 0)).sum()), int((sure & (ladders["dy"] < 0)).sum())
        mean = pooled_ladders(ladders)
        parts.append(
            f"{which}: of {len(ladders)} ladders {up} surely rise and {down} surely fall; pooled "
            f"{mean.common:+.2f} [{mean.common_low:+.2f}, {mean.common_high:+.2f}] points a point of GPQA, "
            f"spread between ladders {mean.tau:.2f}."
        )
    return f"**{label(measure)}**. " + " ".join(parts)


def turn_text(rows: pd.DataFrame, measure: str = ADMITS) -> str:
    """Whether the local coupling of today's ladders turns at some size: the share of falling steps below and above."""
    steps = coupling.local_couplings(size_ladders(rows), x=REASONING, y=measure)
    middle = np.sqrt(steps["params_b_low"] * steps["params_b_high"])
    falls = steps["gamma"] < 0
    parts = []
    for word, where in (
        ("below 3.5 B", middle < 3.5),
        ("from 3.5 to 10 B", (middle >= 3.5) & (middle < 10)),
        ("above", middle >= 10),
    ):
        parts.append(f"{word} in {int((falls & where).sum())} of {int(where.sum())}")
    return (
        f"Step by step, the {label(measure)} and GPQA move apart {listed(parts)}. The size of a step is the "
        f"geometric mean "
        f"of its two models."
    )
