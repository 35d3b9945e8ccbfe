"""Models of today in every mode they were measured in: the figures of one laboratory and what their names say.

The laboratory names a variant "Model 30B A3B (mode)". Family, generation, mode, effort and size are read from that
name by the rule below, which is printed in the book; where it errs, a row of `variant_corrections` replaces its word.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from cape_lib.errors import ScoresError
from cape_lib.tables.files import load

#: domains of AA-Omniscience, 1,000 questions each
DOMAINS: tuple[str, ...] = ("business", "law", "health", "humanities", "software", "science")
OMNISCIENCE_QUESTIONS = 6000
EFFORTS: tuple[str, ...] = ("minimal", "low", "medium", "high", "xhigh", "max")
DERIVED: tuple[str, ...] = ("weights", "family", "generation", "mode", "effort", "params_b_total", "params_b_active")
RULE = """
| column | rule |
|---|---|
| weights | maker and name without the last bracket, if that bracket names a mode or an effort |
| generation | that name without sizes (`8B`, `A3B`, `E2B`) and the words Instruct, Think, Reasoning, Preview, Chat, \
Vision |
| family | the letters with which that begins (Qwen of Qwen3.5) |
| effort | minimal, low, medium, high, xhigh or max, where the bracket says so |
| mode | "none" where the bracket says non-reasoning; else "reasoning" where bracket or name says reasoning \
or thinking, or where reasoning tokens were counted; else "none" |
| size | billions of parameters as the laboratory lists them; where it lists none, as in the name (`236B A21B`) |
"""

_LABEL = re.compile(r"\s*\(([^()]*\b(?:reasoning|effort)\b[^()]*|minimal|low|medium|high|xhigh|max)\)$", re.IGNORECASE)
_SIZE = re.compile(r"[ -]?(?<![\w.])(?:A|E)?\d+(?:\.\d+)?(?:B|M|T)\b", re.IGNORECASE)
_KIND = re.compile(r"[ -](?:Instruct|Think(?:ing|er)?|Reasoning|Preview|Chat)\b|\s*\(Vision\)|^NVIDIA ", re.IGNORECASE)
_SIZES = {
    "params_b_total": re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)B\b"),
    "params_b_active": re.compile(r"(?<![\w.])A(\d+(?:\.\d+)?)B\b"),
}


def variants() -> pd.DataFrame:
    """All 570 variants, one row each: the laboratory's figures and the columns `DERIVED` that the rule reads.

    Scores in percent (0-100); `released` is the day of release, missing where the laboratory gives none. Raises
    ScoresError where a correction names no variant.
    """
    return _variants().copy()


@lru_cache(maxsize=1)
def _variants() -> pd.DataFrame:
    frame = derive(load("one_lab_2026"))
    frame = corrected(frame, load("variant_corrections"))
    return frame.assign(released=pd.to_datetime(frame["release_date"]))


def derive(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns of `DERIVED` as the rule reads them, uncorrected.

    frame: model, lab, params_b_total, params_b_active (billions, may be missing), omniscience_reasoning_tokens and
    gpqa_reasoning_tokens (counts, may be missing).
    """
    model = frame["model"].str
    names = model.replace(_LABEL, "", regex=True).str.strip()
    labels = model.extract(_LABEL, expand=False).fillna("").str.casefold()
    counted = frame[["omniscience_reasoning_tokens", "gpqa_reasoning_tokens"]].fillna(0).max(axis=1) > 0
    thinks = model.contains(r"\b(?:reasoning|thinking|think|thinker)\b", case=False) | counted
    shorter = names.str.replace(_KIND, "", regex=True).str.replace(_SIZE, "", regex=True)
    shorter = shorter.str.replace(r"\s+", " ", regex=True).str.strip(" -")
    generation = shorter.where(shorter != "", names)
    sizes = {column: names.str.extract(size, expand=False).astype(float) for column, size in _SIZES.items()}
    return frame.assign(
        weights=frame["lab"] + ": " + names.str.casefold(),
        family=generation.str.extract(r"^([A-Za-z]+)", expand=False).fillna(generation),
        generation=generation,
        mode=(thinks & ~labels.str.contains("non-reasoning")).map({True: "reasoning", False: "none"}),
        effort=labels.str.extract(rf"\b({'|'.join(EFFORTS)})\b", expand=False),
        **{column: frame[column].fillna(size) for column, size in sizes.items()},
    )


def highest_effort(rows: pd.DataFrame) -> pd.Series:
    """The variant of the same model at its highest effort: thinking before not, then the effort named, then GPQA."""
    rung = rows["effort"].map({name: i for i, name in enumerate(EFFORTS)}).fillna(-1)
    order = rows.assign(thinks=rows["mode"] == "reasoning", rung=rung)
    highest: pd.Series = rows.loc[order.sort_values(["thinks", "rung", "gpqa_diamond"]).index[-1]]
    return highest


def corrected(frame: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """The rows with each correction in its place; ScoresError for a variant that does not exist.

    corrections: slug (the variant), column (one of `DERIVED`), value, reason.
    """
    frame = frame.copy()
    row_of = dict(zip(frame["slug"], frame.index, strict=True))
    for number, row in enumerate(corrections.to_dict("records"), start=2):
        slug, column, value = row["slug"], row["column"], row["value"]
        if slug not in row_of:
            where = f"variant_corrections.csv: row {number}, column slug"
            raise ScoresError(f"{where}: no variant is named {slug!r}; take one of one_lab_2026.csv")
        frame.loc[row_of[slug], column] = float(value) if "params" in column else value
    return frame
