"""Models of today: what they know, what they admit not to know, and how both go with reasoning.

Of the questions of AA-Omniscience a model answers a share right (accuracy a). Of the others a share q is not wrong
(declined, empty or partial: these cannot be told apart). So wrong answers are (1 - q)(1 - a) of all, and of the
answers that commit themselves a share a / (a + wrong) is right: the precision. "Makes up less" may mean any of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from cape_lib import tables
from cape_lib.errors import MissingError, ScoresError
from cape_lib.stats import Z95, Estimate, clustered_r, mean_interval, score_sd
from cape_lib.tables import label
from cape_lib.tables.variants import DOMAINS, OMNISCIENCE_QUESTIONS

REASONING = "gpqa_diamond"
KNOWS, ADMITS, WRONG, PRECISION = "omniscience_accuracy", "omniscience_non_hallucination", "wrong", "precision"
#: other tests that ask for reasoning: would the answer be another one?
OTHER_TESTS: tuple[str, ...] = ("hle", "critpt", "scicode")
#: all other tests of the laboratory
ALL_TESTS: tuple[str, ...] = (*OTHER_TESTS, "ifbench", "tau2_bench", "terminal_bench_hard")
MEASURES: tuple[str, ...] = (KNOWS, ADMITS, WRONG, PRECISION)
SCORES: tuple[str, ...] = (REASONING, *MEASURES)
#: columns of an r in a table
R = ("r", "low", "high", "n")
#: what the rows call the two modes -> in words
MODES = {"reasoning": "thinking", "none": "not thinking"}
#: in what a model is placed beside others: points of three scores
PLACE: tuple[str, ...] = (REASONING, KNOWS, ADMITS)
#: fewer equals than that and the window is widened
FEWEST_EQUALS = 10
DATA_END = "2026-07-10"
#: reasoning tokens a question above which a variant counts as running out
MANY_TOKENS = 9_000
#: another such limit: would the answer be another one?
FEWER_TOKENS = 5_000
TRUNCATION_RULE = (
    f"A variant is set aside where it spends more than {MANY_TOKENS:,} reasoning tokens a question, or where thinking "
    "lowers its accuracy or its GPQA below those of the same weights without, by more than 1.96 standard errors."
)
#: the readings of one headline -> (what is held fixed, by ranks)
HEADLINES: dict[str, tuple[tuple[str, ...], bool]] = {
    "r": ((), False),
    "r where date and size are known": ((), False),
    "r given date": (("date",), False),
    "r given date and size": (("date", "size"), False),
    "Spearman": ((), True),
}


def readings(frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """The variants with GPQA and both omniscience figures: by default the 440 of the book.

    frame: rows as of `tables.variants`, or a reader's own with gpqa_diamond, omniscience_accuracy and
    omniscience_non_hallucination (percent). Added: wrong, rest, precision (percent), `<measure>_stderr` (points,
    binomial over 6,000 questions, those not right, or those answered), reasoning_tokens and answer_tokens (a question),
    params_b (total, billions). Raises ScoresError for values outside 0-100 and fractions, MissingError where q stands
    without a.
    """
    rows = tables.variants() if frame is None else frame.copy()
    for column in (REASONING, KNOWS, ADMITS):
        if column not in rows:
            raise MissingError(f"no column {column!r}: an admitted share says little without what is known; add it")
        values = rows[column].dropna().to_numpy(float)
        if values.size and (values.min() < 0 or values.max() > 100):
            raise ScoresError(f"column {column}: a value outside 0 to 100; scores are percent")
        if values.size and 0 < values.max() <= 1:
            raise ScoresError(f"column {column}: no value above 1; give percent (0-100), not fractions")
    rows = rows.dropna(subset=[REASONING, KNOWS, ADMITS]).reset_index(drop=True)
    rows = _with_shares(rows, rows[KNOWS], rows[ADMITS])
    a, q, answered = rows[KNOWS], rows[ADMITS], rows[KNOWS] + rows[WRONG]
    rows["rest"] = q * (100 - a) / 100
    for name, share in ((KNOWS, 100.0 + 0 * a), (WRONG, 100.0 + 0 * a), (ADMITS, 100 - a), (PRECISION, answered)):
        # Half a question away from 0 and 100, as everywhere in the book.
        asked = np.maximum(share.to_numpy(float) * OMNISCIENCE_QUESTIONS / 100, 1.0)
        p = np.clip(rows[name].to_numpy(float) / 100, 0.5 / asked, 1 - 0.5 / asked)
        rows[f"{name}_stderr"] = 100 * np.sqrt(p * (1 - p) / asked)
    rows[f"{REASONING}_stderr"] = score_sd(rows[REASONING].to_numpy(float), REASONING)
    for kind in ("reasoning", "answer"):
        column = f"omniscience_{kind}_tokens"
        if column in rows:
            rows[f"{kind}_tokens"] = rows[column] / OMNISCIENCE_QUESTIONS
    if "params_b_total" in rows:
        rows["params_b"] = rows["params_b_total"]
    return rows


def _with_shares(rows: pd.DataFrame, a: pd.Series, q: pd.Series) -> pd.DataFrame:
    """The rows with accuracy and non-hallucination (percent), and the wrong share and precision that follow."""
    wrong = (100 - q) * (100 - a) / 100
    answered = (a + wrong).where(a + wrong > 0)
    return rows.assign(**{KNOWS: a, ADMITS: q, WRONG: wrong, PRECISION: 100 * a / answered})


def truncation(rows: pd.DataFrame, *, among: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which variants ran out of tokens, by `TRUNCATION_RULE`: one row each, in the order of `rows`.

    rows: from `readings`; among: where the same weights without thinking are looked for, where `rows` is a part that
    may lack them (by default `rows`). Returns `tokens`, `loses` (True or False), `set_aside` (either),
    `change_accuracy`, `change_gpqa` (points, against the same weights without thinking; NaN where there is none).
    """
    pool = rows if among is None else among
    off = pool[pool["mode"] == "none"].drop_duplicates("weights").set_index("weights")
    thinks, table = rows["mode"] == "reasoning", pd.DataFrame(index=rows.index)
    table["tokens"], table["loses"] = rows["reasoning_tokens"] > MANY_TOKENS, False
    for name, column in (("accuracy", KNOWS), ("gpqa", REASONING)):
        before, error = (rows["weights"].map(off[score]) for score in (column, f"{column}_stderr"))
        change = (rows[column] - before).where(thinks)
        table["loses"] |= change < -Z95 * np.hypot(error, rows[f"{column}_stderr"])
        table[f"change_{name}"] = change
    table.insert(2, "set_aside", table["tokens"] | table["loses"])
    return table


def steady(rows: pd.DataFrame, *, among: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows that `truncation` does not set aside; the arguments are its own."""
    return rows[~truncation(rows, among=among)["set_aside"]].reset_index(drop=True)


def both(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows twice: "all", and "without truncated", those that `truncation` does not set aside."""
    return {"all": rows, "without truncated": steady(rows)}


def size_ladders(rows: pd.DataFrame, *, size: str = "params_b") -> pd.DataFrame:
    """The variants that form ladders by size: one generation in one mode, one variant a size.

    size: "params_b" (total), or "params_b_active" (those that work on one token), which becomes params_b. Returns the
    rows with `ladder` ("Gemma 4, thinking"), the first variant of a size where there are several.
    """
    part = rows[rows[size].notna() & (rows["effort"].isna() | (rows["effort"] == "high"))]
    part = part.assign(ladder=part["generation"] + ", " + part["mode"].map(MODES), params_b=part[size])
    part = part.sort_values(["ladder", "params_b", "model"]).drop_duplicates(["ladder", "params_b"])
    return part[part.groupby("ladder")["model"].transform("size") > 2].reset_index(drop=True)


def association(
    rows: pd.DataFrame, y: str, *, x: str = REASONING, given: Sequence[str] = (), rank: bool = False, by: str = "lab"
) -> Estimate:
    """Correlation of two scores over the variants, labs left out in turn for the interval.

    y, x: columns; rank: Spearman's (ranks over the rows that are used); given: "date", "size" (log10 of the total
    parameters) or columns, held fixed; then the few makers with most of the variants count by their sizes. Variants of
    one model are not independent, nor are those of one lab: hence `by`.
    """
    data = pd.DataFrame({"x": rows[x], "y": rows[y]}).astype(float)
    for name in given:
        if name == "date":
            data[name] = (rows["released"] - pd.Timestamp("2020-01-01")).dt.days
        else:
            data[name] = np.log10(rows["params_b"].astype(float)) if name == "size" else rows[name]
    data, makers = data[data.notna().all(axis=1)], rows[by]
    if rank:
        data = data.rank()
    held = data.iloc[:, 2:] if given else None
    return clustered_r(data["x"], data["y"], makers[data.index], given=held, unit=f"{by}s", uneven=bool(given))


def of_domain(rows: pd.DataFrame, domain: str) -> pd.DataFrame:
    """The rows with the four measures of one domain (1,000 questions) in place of those of all six."""
    return _with_shares(rows, rows[f"accuracy_{domain}"], 100 - rows[f"hallucination_{domain}"])


def by_domain(rows: pd.DataFrame, measure: str, *, x: str = REASONING) -> tuple[pd.DataFrame, Estimate]:
    """The same correlation in each of the six domains (1,000 questions each), and their mean.

    measure: one of `MEASURES`. The interval of the mean is Student's t over the domains as replicates: what another six
    domains would do, for the same models.
    """
    table = []
    for domain in DOMAINS:
        both = of_domain(rows, domain)[[x, measure]].dropna()
        table.append((domain, float(both[x].corr(both[measure])), len(both)))
    domains = pd.DataFrame(table, columns=["domain", "r", "n"])
    return domains, mean_interval(domains["r"], "six domains as replicates")


def by_year(rows: pd.DataFrame, measure: str, *, fewest: int = 20) -> pd.DataFrame:
    """The correlation of GPQA with a measure among the releases of each year: year, r, low, high, n.

    Years with fewer than `fewest` variants are left out.
    """
    years = rows.groupby(rows["released"].dt.year)
    table = [(int(year), *_r(part, measure)) for year, part in years if len(part) >= fewest]
    return pd.DataFrame(table, columns=["year", *R])


def _r(rows: pd.DataFrame, measure: str, **how: Any) -> tuple[float, float, float, int]:
    """The columns `R` of one `association`."""
    r = association(rows, measure, **how)
    return r.estimate, r.low, r.high, r.n


def reliability(rows: pd.DataFrame) -> float:
    """The share of the variance of GPQA that is not the noise of its questions; its root bounds any r with it."""
    return float(1 - (rows[f"{REASONING}_stderr"] ** 2).mean() / rows[REASONING].var())


def headlines(rows: pd.DataFrame) -> pd.DataFrame:
    """Every headline with and without the variants that ran out: measure, reading, rows, r, low, high, n."""
    table = []
    for which, part in both(rows).items():
        dated = part[part["released"].notna() & part["params_b"].notna()]
        for measure, (name, (held, rank)) in product(MEASURES, HEADLINES.items()):
            r = _r(dated if "known" in name else part, measure, given=held, rank=rank)
            table.append((measure, name, which, *r))
    return pd.DataFrame(table, columns=["measure", "reading", "rows", *R])


def best_of_each(rows: pd.DataFrame) -> pd.DataFrame:
    """One variant a model: of the same weights the one with the best GPQA."""
    return rows.sort_values([REASONING, "slug"]).drop_duplicates("weights", keep="last").reset_index(drop=True)


def objections(rows: pd.DataFrame, *, among: pd.DataFrame | None = None) -> pd.DataFrame:
    """The correlations under each objection: objection, check, measure, r, low, high, n.

    among: as for `truncation`. A check that leaves fewer than eight variants, or one maker, is left out.

    Truncation (without the variants set aside, and by another limit), incapacity (GPQA above 40: guessing gives 25),
    ceiling (GPQA above 80, the models that a reader chooses among), policy (within makers: scores less their maker's
    mean), one vote a maker (their means), one vote a model (the means of its variants), selection (one variant a
    model: the one with the best GPQA), one mode at a time, weights that anyone can check and those that nobody can,
    shares as logits; another test of reasoning in place of GPQA; arithmetic: the three others follow what is known (it
    takes questions from those that q is a share of), and so they are read at an equal share known; and one maker:
    without the one that moves r most.
    """
    scores, makers = list(SCORES), rows.groupby("lab")
    within = rows.assign(**(rows[scores] - makers[scores].transform("mean")))
    open_weights = rows["open_weights"].fillna(False).astype(bool)
    models = rows.groupby(["weights", "lab"], as_index=False)[scores].mean()
    parts = [
        ("none", "all variants", rows),
        ("truncation", "without what ran out", steady(rows, among=among)),
        ("truncation", "5,000 reasoning tokens at most", rows[~(rows["reasoning_tokens"] > FEWER_TOKENS)]),
        ("incapacity", "GPQA above 40", rows[rows[REASONING] > 40]),
        ("ceiling", "GPQA above 80", rows[rows[REASONING] > 80]),
        ("policy of the maker", "scores less the mean of their maker", within),
        ("makers of many variants", "the mean of each maker", rows.groupby("lab", as_index=False)[scores].mean()),
        ("variants of one model", "the mean of each model", models),
        ("selection of variants", "best variant of each model", best_of_each(rows)),
        ("mode", "thinking only", rows[rows["mode"] == "reasoning"]),
        ("mode", "not thinking only", rows[rows["mode"] == "none"]),
        ("unlike makers", "open weights only", rows[open_weights]),
        ("unlike makers", "closed weights only", rows[~open_weights]),
        ("scale", "logits", rows.assign(**logit(rows[scores].clip(0.1, 99.9) / 100))),
    ]
    table = [
        (objection, check, measure, *_r(part, measure))
        for objection, check, part in parts
        for measure in MEASURES
        if len(part) >= 8 and part["lab"].nunique() > 1
    ]
    for test, measure in product(OTHER_TESTS, MEASURES):
        table.append(("another test of reasoning", label(test), measure, *_r(rows, measure, x=test)))
    for measure in MEASURES[1:]:
        table.append(("arithmetic", "at an equal share known", measure, *_r(rows, measure, given=(KNOWS,))))
    others = {lab: rows[rows["lab"] != lab] for lab in rows["lab"].unique()}
    for measure in MEASURES:
        moved = {lab: part[REASONING].corr(part[measure]) for lab, part in others.items()}
        whole = rows[REASONING].corr(rows[measure])
        far = (pd.Series(moved) - whole).abs().idxmax()
        table.append(("one maker", f"without {far}", measure, *_r(others[far], measure)))
    return pd.DataFrame(table, columns=["objection", "check", "measure", *R])


def neighbours(peers: pd.DataFrame, model: pd.Series, *, width: float = 5.0, most: int = 5) -> pd.Series:
    """A model of today beside the others: percentile of its q and of its wrong share among equals in GPQA.

    peers: rows from `readings` to compare with; model: one such row. The window grows by `width` points until it holds
    ten variants. Returns n variants within width points of its GPQA, of so many models and labs; admits and wrong:
    percentiles (0-100: the share of them with a lower q, a lower wrong share), whose ends are those at the ends of the
    model's own question noise; nearest: the closest variants by GPQA, a and q, nearest first, with distance (points).
    Raises MissingError with fewer than ten peers.
    """
    if len(peers) < FEWEST_EQUALS:
        raise MissingError(f"only {len(peers)} variants to compare with; a place among equals takes {FEWEST_EQUALS}")
    near = equals(peers, float(model[REASONING]), width=width)
    away = peers[list(PLACE)].astype(float) - model[list(PLACE)].astype(float)
    nearest = peers.assign(distance=np.sqrt((away**2).sum(axis=1))).sort_values("distance", kind="stable").head(most)
    places = {name: percentile(near, model, column) for name, column in (("admits", ADMITS), ("wrong", WRONG))}
    among = {"n": len(near), "width": float(near.attrs["width"]), "models": near["weights"].nunique()}
    return pd.Series(among | {"labs": near["lab"].nunique()} | places | {"nearest": nearest})


def equals(peers: pd.DataFrame, gpqa: float, *, width: float = 5.0) -> pd.DataFrame:
    """Those within `width` points of a GPQA score (percent); the window, in `attrs`, grows until ten are in it."""
    reach, away = width, (peers[REASONING] - gpqa).abs()
    while (away <= reach).sum() < FEWEST_EQUALS:
        reach += width
    near = peers[away <= reach]
    near.attrs["width"] = reach
    return near


def percentile(near: pd.DataFrame, model: pd.Series, column: str) -> Estimate:
    """Share (percent) of the rows that lie lower than the model in a column, and at the ends of its question noise."""
    half = Z95 * float(model[f"{column}_stderr"])
    value, low, high = (100 * float((near[column] < model[column] + shift).mean()) for shift in (0.0, -half, half))
    return Estimate(value, low, high, len(near), "question noise of the model alone")
