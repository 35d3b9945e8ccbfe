"""Chapters 9 and 10 over again: every number of their sentences, from the tables by another way.

Nothing of `cape_lib` is used: the CSV files are read as they are, names are taken apart anew, statistics are scipy's,
statsmodels' or written out. `tests/test_again.py` compares each sentence of the chapters with the list of its numbers
here, in order and to the last printed digit.
"""

from __future__ import annotations

import copy
import functools
import itertools
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import integrate, optimize, stats

DATA = Path(__file__).parents[2] / "data"
EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"]
GPQA, A, Q = "gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination"
MEASURES = (A, Q, "wrong", "precision")
SCORES = (GPQA, *MEASURES)
CAPABILITIES = ("lambada_openai", "arc_easy", "sciq", "piqa")
DOMAINS = ("business", "law", "health", "humanities", "software", "science")


def once(function):
    """The function, worked out once for each content of its arguments: the tables of a page repeat its sentences."""
    known: dict[bytes, object] = {}

    @functools.wraps(function)
    def remembered(*args, **options):
        key = pickle.dumps((args, options))
        if key not in known:
            known[key] = function(*args, **options)
        return copy.deepcopy(known[key])

    return remembered


def today() -> pd.DataFrame:
    """The variants with GPQA, a and q, with what their names say."""
    rows = pd.read_csv(DATA / "one_lab_2026.csv")
    last = rows.model.str.extract(r"\(([^()]*)\)$", expand=False).fillna("")
    words = last.str.lower().str.findall("[a-z]+")
    named = words.map(lambda w: bool({"reasoning", "effort"} & set(w)) or w in [[e] for e in EFFORTS])
    short = rows.model.str.replace(r"\s*\([^()]*\)$", "", regex=True)
    bare = short.where(named, rows.model)
    rows["weights"] = rows.lab + ": " + bare.str.lower()
    efforts = [next((e for e in EFFORTS if e in w), None) for w in words]
    rows["effort"] = pd.Series(efforts, dtype=object).where(named, None)
    counted = rows[["omniscience_reasoning_tokens", "gpqa_reasoning_tokens"]].fillna(0).max(axis=1) > 0
    says = rows.model.str.lower().str.findall("[a-z]+").map(lambda w: bool({"reasoning", "thinking", "think"} & set(w)))
    off = last.str.lower().str.contains("non-reasoning") & named
    rows["thinks"] = (says | counted) & ~off
    size = bare.str.extract(r"(?<![\w.])(\d+(?:\.\d+)?)B\b", expand=False).astype(float)
    rows["size"] = rows.params_b_total.fillna(size)
    of_name = bare.str.extract(r"(?<![\w.])A(\d+(?:\.\d+)?)B\b", expand=False).astype(float)
    rows["active"] = rows.params_b_active.fillna(of_name)
    rows["open_weights"] = rows.open_weights.fillna(False).astype(bool)
    fixes = pd.read_csv(DATA / "variant_corrections.csv")
    for slug, column, value in fixes[["slug", "column", "value"]].itertuples(index=False):
        if column == "mode":
            rows.loc[rows.slug == slug, "thinks"] = value == "reasoning"
        elif column.startswith("params_b"):
            rows.loc[rows.slug == slug, "size" if column.endswith("total") else "active"] = float(value)
        elif column in ("weights", "effort"):
            rows.loc[rows.slug == slug, column] = value
    rows = rows.dropna(subset=[GPQA, A, Q]).reset_index(drop=True)
    rows["bare_effort"] = rows.model.str.extract(r"\((\w+)\)$", expand=False)
    rows["day"] = (pd.to_datetime(rows.release_date) - pd.Timestamp("2020-01-01")).dt.days.astype(float)
    a, q = rows[A] / 100, rows[Q] / 100
    rows["wrong"] = 100 * (1 - q) * (1 - a)
    rows["precision"] = 100 * rows[A] / (rows[A] + rows.wrong)
    rows["tokens"] = rows.omniscience_reasoning_tokens / 6000
    rows["answers"] = rows.omniscience_answer_tokens / 6000
    return rows


def se(p, n):
    """Binomial standard error of scores in percent, half a question away from the ends, points."""
    n = np.maximum(n, 1.0)
    p = np.clip(p / 100, 0.5 / n, 1 - 0.5 / n)
    return 100 * np.sqrt(p * (1 - p) / n)


def ran_out(rows: pd.DataFrame) -> pd.DataFrame:
    """`many` tokens, and thinking that `loses` accuracy or GPQA beyond 1.96 standard errors."""
    off = rows[~rows.thinks].drop_duplicates("weights").set_index("weights")
    loses = pd.Series(False, index=rows.index)
    for score, n in ((A, 6000), (GPQA, 198)):
        before = rows.weights.map(off[score])
        noise = np.hypot(se(before, n), se(rows[score], n))
        loses |= rows.thinks & (rows[score] - before < -1.96 * noise)
    return pd.DataFrame({"many": rows.tokens > 9000, "loses": loses})


@once
def r_over_makers(x, y, labs, given=None, *, alike=False) -> tuple[float, float, float, int]:
    """r (partial r given columns) with the jackknife over makers in Fisher's z: r, low, high, n; alike: makers count
    alike, not by their sizes, where something is held fixed."""
    data = pd.DataFrame({"x": x, "y": y, "lab": labs})
    names = []
    for i, column in enumerate(given or []):
        data[f"g{i}"] = column
        names.append(f"g{i}")
    data = data.dropna()

    def one(rows: pd.DataFrame) -> float:
        both = rows[["x", "y"]].to_numpy(float)
        if names:
            design = np.column_stack([np.ones(len(rows)), rows[names].to_numpy(float)])
            both = both - design @ np.linalg.lstsq(design, both, rcond=None)[0]
        return float(np.corrcoef(both.T)[0, 1])

    whole = one(data)
    makers = sorted(data.lab.unique())
    z = np.arctanh([one(data[data.lab != maker]) for maker in makers])
    g = len(makers)
    error = np.sqrt((g - 1) / g * ((z - z.mean()) ** 2).sum())
    freedom = g - 2 - len(names)
    if names and not alike:
        sizes = data.lab.value_counts()
        freedom = min(freedom, sizes.sum() ** 2 / (sizes**2).sum() - 2 - len(names))
    half = stats.t.ppf(0.975, freedom) * error
    return whole, np.tanh(np.arctanh(whole) - half), np.tanh(np.arctanh(whole) + half), len(data)


def over(values) -> tuple[float, float, float]:
    """Mean with Student's interval, one value a maker (a domain)."""
    v = np.asarray(values, float)
    low, high = stats.t.interval(0.95, len(v) - 1, loc=v.mean(), scale=stats.sem(v))
    return float(v.mean()), float(low), float(high)


@once
def ladders(rows: pd.DataFrame, *, minimal: bool = False) -> pd.DataFrame:
    """Lowest to highest effort of the same weights, by the bare word in the last bracket: change of each score;
    minimal: from that setting on, which spends no token on thinking, where there is one."""
    word = rows.bare_effort.str.lower()
    part = rows[word.isin(EFFORTS) & (rows.thinks | (minimal & (word == "minimal")))]
    part = part.assign(rung=part.bare_effort.str.lower().map(EFFORTS.index))
    table = []
    for weights, ladder in part.groupby("weights"):
        if ladder.rung.nunique() > 1:
            ladder = ladder.sort_values("rung")
            table.append(changes(weights, ladder.iloc[0], ladder.iloc[-1]) | {"efforts": ladder.rung.nunique()})
    return pd.DataFrame(table)


def changes(weights: str, first: pd.Series, last: pd.Series) -> dict[str, object]:
    """What changed from one variant to another of the same weights, each score with its noise (points)."""
    row: dict[str, object] = {"weights": weights, "lab": last.lab, "open": bool(last.open_weights)}
    for score in SCORES:
        row[score] = last[score] - first[score]
        row[f"noise {score}"] = float(np.hypot(error(first, score), error(last, score)))
    row["by knowing"] = 100 * (1 - first.wrong / (100 - last[A])) - first[Q]
    row["start"] = first.effort
    return row


def three_parts(pairs: pd.DataFrame) -> list[float]:
    """Change of q over makers with its ends: whole, what as many wrong answers as before make of it, what is beyond."""
    parts = (pairs[Q], pairs["by knowing"], pairs[Q] - pairs["by knowing"])
    return [number for part in parts for number in over(part.groupby(pairs.lab).mean())]


def student(pairs: pd.DataFrame) -> tuple[float, float]:
    """Two-sided p of the change of q over makers, alone and corrected for asking all measures."""
    p = np.array([stats.ttest_1samp(pairs.groupby("lab")[m].mean(), 0).pvalue for m in MEASURES])
    asked = MEASURES.index(Q)
    return p[asked], holm(p)[asked]


def from_minimal(rows: pd.DataFrame) -> list[float]:
    """From minimal effort on: how many models of how many fall in q, and its change over makers."""
    every = ladders(rows, minimal=True)
    return [int((every[Q] < 0).sum()), len(every), *over(every.groupby("lab")[Q].mean())]


def seen(low: float, high: float, scale=np.arctanh) -> float:
    """The effect that an interval of this width tells from zero in four of five repeats."""
    error = (scale(high) - scale(low)) / 2 / stats.norm.ppf(0.975)
    effect = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * error
    return float(np.tanh(effect) if scale is np.arctanh else effect)


def error(row: pd.Series, score: str) -> float:
    """Binomial standard error of one score of a variant, over the questions that it is a share of (points)."""
    right, wrong = row[A] / 100, row.wrong / 100
    asked = {GPQA: 198, A: 6000, Q: 6000 * (1 - right), "wrong": 6000, "precision": 6000 * (right + wrong)}[score]
    return float(se(row[score], asked))


@once
def off_and_on(rows: pd.DataFrame) -> pd.DataFrame:
    """No thinking to the least of it: the lowest effort named, else the fewest tokens."""
    rung = rows.effort.map(lambda e: EFFORTS.index(e) if e in EFFORTS else 99)
    rows = rows.assign(rung=rung)
    table = []
    for weights, part in rows.groupby("weights"):
        off, on = part[~part.thinks], part[part.thinks]
        if len(off) and len(on):
            first = off.sort_values("rung", kind="stable").iloc[-1]
            table.append(changes(weights, first, on.sort_values(["rung", "tokens"]).iloc[0]))
    return pd.DataFrame(table)


@once
def doses(rows: pd.DataFrame, score: str) -> tuple[tuple[float, float, float], int, int]:
    """Points for ten times the tokens: own slopes within weights, averaged by maker, makers as replicates."""
    part = rows[rows.thinks & (rows.tokens > 0)]
    slopes = []
    for _, g in part.groupby("weights"):
        if len(g) > 1:
            slopes.append((g.lab.iloc[0], stats.linregress(np.log10(g.tokens), g[score]).slope))
    table = pd.DataFrame(slopes, columns=["lab", "slope"])
    means = table.groupby("lab").slope.mean()
    return over(means), len(table), len(means)


@once
def mixed_dose(rows: pd.DataFrame, score: str) -> list[float]:
    """Mixed model of the dose by REML: common slope, its ends, SD of slopes between makers, between models.

    With a level of each model its rows enter by their slope b and by the squares about its own line alone: b is normal
    about the common slope with variance s^2 / Sxx + models, and covariance `makers` with the others of its maker.
    """
    part = rows[rows.thinks & (rows.tokens > 0)]
    x, y = np.log10(part.tokens.astype(float)), part[score].astype(float)
    x, y = (v - v.groupby(part.weights).transform("mean") for v in (x, y))
    squares = pd.DataFrame({"xx": x * x, "xy": x * y, "yy": y * y, "n": 1}).groupby(part.weights).sum()
    squares = squares[squares.n > 1]
    slopes, k = (squares.xy / squares.xx).to_numpy(), len(squares)
    about = float((squares.yy - squares.xy**2 / squares.xx).sum())
    freedom = int(squares.n.sum()) - 2 * k
    lab = part.drop_duplicates("weights").set_index("weights").lab[squares.index].to_numpy(object)
    alike = np.equal.outer(lab, lab)

    def at(sd: np.ndarray) -> tuple[float, float, float]:
        noise, makers, models = sd**2
        inverse = np.linalg.inv(np.diag(noise / squares.xx + models) + makers * alike)
        weight = inverse.sum()
        beta = (inverse @ slopes).sum() / weight
        off = slopes - beta
        minus = freedom * np.log(noise) + about / noise - np.linalg.slogdet(inverse)[1] + off @ inverse @ off
        return minus + np.log(weight), beta, weight**-0.5

    starts = [np.array([(about / freedom) ** 0.5, makers, 3.0]) for makers in (0.5, 4.0)]
    chosen = {"method": "Nelder-Mead", "options": {"xatol": 1e-6, "fatol": 1e-9, "maxfev": 5000}}
    best = min((optimize.minimize(lambda sd: at(sd)[0], start, **chosen) for start in starts), key=lambda one: one.fun)
    _, beta, error = at(best.x)
    return [beta, beta - 1.96 * error, beta + 1.96 * error, *np.abs(best.x[1:])]


@functools.cache
def chapter_9() -> dict[str, list[float]]:
    """Numbers of each sentence of chapter 9, in the order in which they are printed."""
    rows = today()
    r = {m: r_over_makers(rows[GPQA], rows[m], rows.lab) for m in (A, Q, "wrong", "precision")}
    log_size = np.log10(rows["size"])
    held = {m: r_over_makers(rows[GPQA], rows[m], rows.lab, given=[rows.day, log_size]) for m in r}
    both = rows[rows.day.notna() & log_size.notna()]
    dated = {m: r_over_makers(both[GPQA], both[m], both.lab) for m in r}
    effort, pairs = ladders(rows), off_and_on(rows)
    flags = ran_out(rows)
    domains = {}
    for measure in (Q, "wrong"):
        each = []
        for name in DOMAINS:
            a, q = rows[f"accuracy_{name}"] / 100, 1 - rows[f"hallucination_{name}"] / 100
            each.append(rows[GPQA].corr(q if measure == Q else (1 - q) * (1 - a)))
        domains[measure] = over(each)
    qwen = rows[rows.model.str.match(r"Qwen3\.5 [\d.]+B") & rows.thinks].sort_values("size")
    lost = flags.loses[qwen.index]
    left = qwen[~lost]
    dose, dose_wrong = doses(rows, Q), doses(rows, "wrong")
    fell = effort[effort[Q] < 0]
    sure = int((-fell[Q] > 1.96 * fell[f"noise {Q}"]).sum())
    makers = effort.lab.value_counts()
    split = three_parts(effort)
    by_maker = pairs.groupby("lab")[Q].mean()

    makers_of_effort = [len(effort), makers.iloc[0]]
    on = [(pairs[Q] > 0).sum(), len(pairs), (by_maker > 0).sum(), len(by_maker)]

    def three(one: tuple[float, ...]) -> list[float]:
        return list(one[:3])

    return {
        "answer": [
            len(rows),
            *(r[m][0] for m in (A, "wrong", "precision", Q)),
            len(both),
            *(end for m in ("wrong", "precision") for one in (dated, held) for end in three(one[m])),
            *makers_of_effort,
            (effort[A] > 0).sum(),
            len(fell),
        ],
        "answer_interval": [
            rows.lab.nunique(),
            *(end for m in (A, "wrong", "precision", Q) for end in r[m][1:3]),
            *hangs(rows),
        ],
        **{f"r {m}": [*three(r[m]), r[m][3]] for m in r},
        **{f"reading {m}": [*three(r[m]), r[m][3], dated[m][0], *three(held[m]), held[m][3]] for m in r},
        "sure": [
            *domains[Q],
            *domains["wrong"],
        ],
        "artefact": [
            len(qwen),
            qwen[GPQA].corr(qwen[Q]),
            qwen.tokens.iloc[0],
            qwen.answers.iloc[0],
            qwen[GPQA].iloc[0],
            int(lost.sum()),
            left[GPQA].corr(left[Q]),
            len(left),
            qwen[GPQA].corr(qwen.wrong),
            left[GPQA].corr(left.wrong),
        ],
        "effort": [
            len(effort),
            len(makers),
            makers.iloc[0],
            *((effort[m] > 0).sum() for m in (GPQA, A)),
            len(fell),
            *split[:3],
            *((effort[m] > 0).sum() for m in ("wrong", "precision")),
            *from_minimal(rows),
        ],
        "effort_sure": [
            sure,
            len(fell),
            effort.groupby("lab")[Q].mean().lt(0).sum(),
            student(effort)[1],
            *dose[0],
            *dose_wrong[0],
            *doses(rows, "precision")[0],
            dose[1],
            dose[2],
        ],
        "off": [
            len(pairs),
            (pairs.precision > 0).sum(),
            (pairs.wrong < 0).sum(),
            (pairs[Q] > 0).sum(),
            (by_maker > 0).sum(),
            len(by_maker),
            coin(by_maker),
        ],
        "hump": hump(rows),
        "twins": twins(rows[~flags.any(axis=1)]),
        "turn": turn(rows),
        "remember": [
            r[A][0],
            *three(r[Q]),
            *three(held["wrong"]),
            qwen[GPQA].corr(qwen[Q]),
            len(qwen),
            left[GPQA].corr(left[Q]),
            len(left),
            *makers_of_effort,
            len(fell),
            *on,
        ],
        **frontier(),
    }


@once
def headline_table(rows: pd.DataFrame) -> list[tuple[float, ...]]:
    """r, low, high, n of the audit's table: all rows, then without those that ran out; measure by measure."""
    table = []
    for part in (rows, rows[~ran_out(rows).any(axis=1)]):
        size = np.log10(part["size"])
        for m in MEASURES:
            both = part[part.day.notna() & size.notna()]
            table.append(r_over_makers(part[GPQA], part[m], part.lab))
            table.append(r_over_makers(both[GPQA], both[m], both.lab))
            for held in ([part.day], [part.day, size]):
                table.append(r_over_makers(part[GPQA], part[m], part.lab, given=held))
            table.append(r_over_makers(part[GPQA].rank(), part[m].rank(), part.lab))
    return table


@once
def objection_table(rows: pd.DataFrame) -> list[tuple[float, ...]]:
    """r, low, high, n under each objection of the audit, measure by measure."""
    inside = rows.assign(**{c: rows[c] - rows.groupby("lab")[c].transform("mean") for c in SCORES})
    logits = rows.assign(**{c: np.log(rows[c].clip(0.1, 99.9) / (100 - rows[c].clip(0.1, 99.9))) for c in SCORES})
    parts = [
        rows,
        rows[~ran_out(rows).any(axis=1)],
        rows[(rows.tokens <= 5000) | rows.tokens.isna()],
        rows[rows[GPQA] > 40],
        rows[rows[GPQA] > 80],
        inside,
        rows.groupby("lab")[list(SCORES)].mean().reset_index(),
        rows.groupby("weights").agg({"lab": "first", **dict.fromkeys(SCORES, "mean")}),
        rows.sort_values([GPQA, "slug"]).drop_duplicates("weights", keep="last"),
        rows[rows.thinks],
        rows[~rows.thinks],
        rows[rows.open_weights],
        rows[~rows.open_weights],
        logits,
    ]
    table = [r_over_makers(part[GPQA], part[m], part.lab) for part in parts for m in MEASURES]
    table += [r_over_makers(rows[t], rows[m], rows.lab) for t in ("hle", "critpt", "scicode") for m in MEASURES]
    table += [r_over_makers(rows[GPQA], rows[m], rows.lab, given=[rows[A]]) for m in MEASURES[1:]]
    for m in MEASURES:
        left = {lab: rows[rows.lab != lab] for lab in rows.lab.unique()}
        far = max(left.values(), key=lambda part: abs(part[GPQA].corr(part[m]) - rows[GPQA].corr(rows[m])))
        table.append(r_over_makers(far[GPQA], far[m], far.lab))
    return table


def hangs(rows: pd.DataFrame) -> list[float]:
    """Where r of the share known, the wrong and the admitted one reads otherwise: in how many checks of how many, r."""
    table, days_size = objection_table(rows), [rows.day, np.log10(rows["size"])]
    numbers: list[float] = []

    def sign(one: tuple[float, ...]) -> int:
        return 1 if one[1] > 0 else -1 if one[2] < 0 else 0

    for m in (A, "wrong", Q):
        i = MEASURES.index(m)
        plain = 17 * len(MEASURES)  # those of one row a measure, before arithmetic
        mine = [table[k] for k in range(i, plain, len(MEASURES))] + [table[len(table) - len(MEASURES) + i]]
        mine.append(r_over_makers(rows[GPQA].rank(), rows[m].rank(), rows.lab))
        mine.append(r_over_makers(rows[GPQA], rows[m], rows.lab, given=days_size))
        shown = [one for one in mine[1:] if sign(one) != sign(mine[0])]
        r = [one[0] for one in shown]
        if shown:
            numbers += [len(shown), len(mine) - 1, *([min(r), max(r)] if len(r) > 3 else r)]
    return numbers


@once
def coin(values: pd.Series) -> float:
    """Two-sided p of the mean where each sign is a coin: all ways to set them, by the spread of their sum."""
    means = {0.0: 1}
    for value in np.round(values.to_numpy(float), 9):
        step: dict[float, int] = {}
        for total, ways in means.items():
            for signed in (total + value, total - value):
                step[round(signed, 9)] = step.get(round(signed, 9), 0) + ways
        means = step
    far = abs(float(values.sum())) - 1e-6
    return sum(ways for total, ways in means.items() if abs(total) >= far) / 2.0 ** len(values)


def lost_majorities(checks: list[list[int]]) -> list[int]:
    """Of checks (n, makers, admits fell, wrong rose, precision rose): those whose majority is not that of the first."""
    numbers: list[int] = []
    for column in (2, 3, 4):
        lead = [np.sign(2 * check[column] - check[0]) for check in checks]
        turned = [check for check, way in zip(checks, lead, strict=True) if way != lead[0]]
        numbers += [len(turned)] if turned else []
        for check in turned:
            numbers += [check[column] if lead[0] > 0 else check[0] - check[column], check[0]]
    return numbers


def count_table(pairs: pd.DataFrame) -> list[list[float]]:
    """Rose, fell, n, sure, mean, mean over makers with its ends, makers up, makers, p; one row a score."""
    table = []
    for score in SCORES:
        change, by_maker = pairs[score], pairs.groupby("lab")[score].mean()
        rose, fell = int((change > 0).sum()), int((change < 0).sum())
        sure = int(((change if rose >= fell else -change) > 1.96 * pairs[f"noise {score}"]).sum())
        makers = (int((by_maker > 0).sum()), len(by_maker))
        table.append([rose, fell, len(pairs), sure, change.mean(), *over(by_maker), *makers, coin(by_maker)])
    return table


def moved(pairs: pd.DataFrame) -> list[int]:
    """n, makers, and how many fell in the share admitted, rose in the wrong share and in precision."""
    counts = (int((pairs[Q] < 0).sum()), *(int((pairs[m] > 0).sum()) for m in ("wrong", "precision")))
    return [len(pairs), pairs.lab.nunique(), *counts]


@once
def check_tables(rows: pd.DataFrame) -> tuple[list[list[int]], list[list[int]]]:
    """The objections to the counts of efforts, and to those of thinking off and on."""
    steady = rows[~ran_out(rows).any(axis=1)]
    climbs = ladders(rows)
    part = rows[rows.thinks & rows.effort.notna() & rows.weights.isin(climbs.weights)]
    steps = []
    for weights, ladder in part.groupby("weights"):
        ladder = ladder.sort_values("effort", key=lambda e: e.map(EFFORTS.index))
        steps += [changes(weights, a, b) for (_, a), (_, b) in itertools.pairwise(ladder.iterrows())]
    most = climbs.lab.value_counts().index[0]
    of_efforts = [climbs, ladders(steady), pd.DataFrame(steps), climbs[climbs.start.isin(EFFORTS[:2])]]
    of_efforts.append(ladders(rows, minimal=True))
    of_efforts += [climbs[climbs.lab != most], climbs[climbs.open]]
    for name in DOMAINS:
        a, q = rows[f"accuracy_{name}"], 100 - rows[f"hallucination_{name}"]
        wrong = (100 - q) * (100 - a) / 100
        of_efforts.append(ladders(rows.assign(**{A: a, Q: q, "wrong": wrong, "precision": 100 * a / (a + wrong)})))
    pairs = off_and_on(rows)
    most = pairs.lab.value_counts().index[0]
    of_pairs = [pairs, off_and_on(steady), pairs[pairs.lab != most], pairs[pairs.open]]
    of_pairs.append(off_and_on(rows[~rows.thinks | rows.effort.isna()]))
    return [moved(p) for p in of_efforts], [moved(p) for p in of_pairs]


def domain_table(rows: pd.DataFrame) -> dict[str, list[float]]:
    """r of GPQA with each measure, domain by domain."""
    table: dict[str, list[float]] = {m: [] for m in MEASURES}
    for name in DOMAINS:
        a, q = rows[f"accuracy_{name}"] / 100, 1 - rows[f"hallucination_{name}"] / 100
        wrong = (1 - q) * (1 - a)
        for m, v in zip(MEASURES, (a, q, wrong, a / (a + wrong)), strict=True):
            table[m].append(rows[GPQA].corr(v))
    return table


def year_table(rows: pd.DataFrame, measure: str) -> list[tuple[float, ...]]:
    """r, low, high, n in each year of twenty variants or more."""
    years = (g for _, g in rows.groupby(rows.release_date.str[:4]) if len(g) >= 20)
    return [r_over_makers(g[GPQA], g[measure], g.lab) for g in years]


@once
def hump(rows: pd.DataFrame) -> list[float]:
    """Humps of how many models and makers, the share (%) where q only falls with thinking, p of a third, makers.

    That share is the chance that the middle of three lies above both ends, averaged over the falls that were seen.
    """
    pairs = off_and_on(rows).set_index("weights")
    first, then = pairs[Q], wide(rows).set_index("weights")[Q]
    both = first.index.intersection(then.index)
    up, down = first[both].to_numpy(), then[both].to_numpy()
    scatter = np.std((up - down) / 2) / np.sqrt(1.5)

    def above(fall: float) -> float:
        half = fall / 2 / scatter
        chance = lambda t: stats.norm.pdf(t) * stats.norm.cdf(t + half) * stats.norm.cdf(t - half)  # noqa: E731
        return float(integrate.quad(chance, -12, 12)[0])

    share = 100 * float(np.mean([above(fall) for fall in up + down]))
    humped, n, makers = int(((up > 0) & (down < 0)).sum()), len(both), pairs.loc[both].lab.nunique()
    return [humped, n, makers, share, float(stats.binom.sf(humped - 1, n, 1 / 3)), makers]


def alike(rows: pd.DataFrame) -> list[tuple[float, pd.Series, pd.Series]]:
    """Pairs of the best twentieth of those that think, within a point of GPQA: how far apart in wrong answers."""
    top = rows[rows.thinks & (rows[GPQA] >= rows[GPQA].quantile(0.95))]
    two = ((a, b) for (_, a), (_, b) in itertools.combinations(top.iterrows(), 2))
    return [(abs(a.wrong - b.wrong), a, b) for a, b in two if abs(a[GPQA] - b[GPQA]) <= 1]


def twins_usual(rows: pd.DataFrame) -> list[float]:
    """Pairs, models and makers among them; the middle gap and the one that a tenth exceeds."""
    top = rows[rows.thinks & (rows[GPQA] >= rows[GPQA].quantile(0.95))]
    gaps = [gap for gap, *_ in alike(rows)]
    return [len(gaps), 1, len(top), top.lab.nunique(), np.median(gaps), np.quantile(gaps, 0.9)]


def twins_answer(rows: pd.DataFrame) -> list[float]:
    """The three measures of the two of `twins`; last those within noise, with how many standard errors apart."""
    _, less, more = max(((gap, *sorted(p, key=lambda row: row.wrong)) for gap, *p in alike(rows)), key=lambda p: p[0])
    apart, noise = [], []
    for m in ("wrong", Q, "precision"):
        z = abs(less[m] - more[m]) / np.sqrt(error(less, m) ** 2 + error(more, m) ** 2)
        if z < stats.norm.ppf(0.975):
            noise += [less[m], more[m], z]
        else:
            apart += [less[m], more[m]]
    return [*apart, *noise]


def twins(rows: pd.DataFrame) -> list[float]:
    """Of the best twentieth of those that think: two within a point of GPQA, furthest apart in wrong answers."""
    pairs = [(gap, *sorted(pair, key=lambda row: row.wrong)) for gap, *pair in alike(rows)]
    _, less, more = max(pairs, key=lambda pair: pair[0])
    shares = [[row[A], row.wrong, 100 - row[A] - row.wrong] for row in (less, more)]
    return [len(pairs), less[GPQA], more[GPQA], *shares[0], *shares[1]]


def generations(rows: pd.DataFrame) -> pd.Series:
    """The generation that a name says: without its sizes and the words for a kind of model."""
    fixes = pd.read_csv(DATA / "variant_corrections.csv").query("column == 'generation'").set_index("slug").value
    kind = r"[ -](?:Instruct|Think(?:ing|er)?|Reasoning|Preview|Chat)\b|\s*\(Vision\)|^NVIDIA "
    size = r"[ -]?(?<![\w.])(?:A|E)?\d+(?:\.\d+)?(?:B|M|T)\b"
    alone = rows.weights.str.split(": ", n=1).str[1] == rows.model.str.lower()
    named = rows.model.where(alone, rows.model.str.replace(r"\s*\([^()]*\)$", "", regex=True))
    plain = named.str.replace(kind, "", regex=True, flags=re.I).str.replace(size, "", regex=True, flags=re.I)
    plain = plain.str.replace(r"\s+", " ", regex=True).str.strip(" -")
    plain = plain.where(plain != "", named)
    return rows.slug.map(fixes).fillna(plain)


@once
def size_ladders(rows: pd.DataFrame, size_column: str = "size") -> list[pd.DataFrame]:
    """One generation in one mode by size, one variant a size, three sizes or more; size_column: "size" or "active"."""
    part = rows.assign(generation=generations(rows))
    part = part.assign(size=part[size_column])
    part = part[part["size"].notna() & (part.effort.isna() | (part.effort == "high"))]
    ladders = part.sort_values(["size", "model"]).groupby(["generation", "thinks"])
    one_a_size = (ladder.drop_duplicates("size") for _, ladder in ladders)
    return [ladder for ladder in one_a_size if len(ladder) > 2]


@once
def turn(rows: pd.DataFrame, measure: str = Q) -> list[float]:
    """Steps between sizes: how many move a measure and GPQA apart, below 3.5 B, to 10 B, above."""
    counts = {"below 3.5": [0, 0], "to 10": [0, 0], "above": [0, 0]}
    for ladder in size_ladders(rows):
        for (_, a), (_, b) in itertools.pairwise(ladder.iterrows()):
            middle = np.sqrt(a["size"] * b["size"])
            where = counts["below 3.5" if middle < 3.5 else "to 10" if middle < 10 else "above"]
            where[0] += (b[measure] - a[measure]) * (b[GPQA] - a[GPQA]) < 0
            where[1] += 1
    low, middle, high = counts.values()
    # Fisher's test: with these margins, all tables that are no likelier than the one seen.
    apart, steps = low[0] + middle[0] + high[0], low[1] + middle[1] + high[1]
    chance = stats.hypergeom(steps, apart, low[1]).pmf(np.arange(low[1] + 1))
    p = chance[chance <= chance[low[0]] * (1 + 1e-7)].sum()
    return [3.5, *low, 3.5, 10, *middle, *high, 3.5, p, low[1]]


def holm(p: np.ndarray) -> np.ndarray:
    order = p.argsort()
    out = np.empty(len(p))
    out[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return out


@once
def whole_sizes(rows: pd.DataFrame, measure: str, size_column: str = "size") -> list[float]:
    """Smallest to largest size: ladders, how many surely rise and fall (Holm), pooled points a point of GPQA, spread.

    Random effects by DerSimonian and Laird, the interval by Hartung and Knapp.
    """
    dx, dy, noise = [], [], []
    for ladder in size_ladders(rows, size_column):
        first, last = ladder.iloc[0], ladder.iloc[-1]
        dx.append(last[GPQA] - first[GPQA])
        dy.append(last[measure] - first[measure])
        noise.append(np.hypot(error(first, measure), error(last, measure)))
    dx, dy, noise = map(np.array, (dx, dy, noise))
    sure = holm(2 * stats.norm.sf(np.abs(dy / noise))) < 0.05
    up = dx > 0
    slope, v = dy[up] / dx[up], (noise[up] / dx[up]) ** 2
    w, k = 1 / v, int(up.sum())
    q = (w * (slope - (w * slope).sum() / w.sum()) ** 2).sum()
    tau2 = max(0.0, (q - (k - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (v + tau2)
    mean = (w * slope).sum() / w.sum()
    half = stats.t.ppf(0.975, k - 1) * np.sqrt((w * (slope - mean) ** 2).sum() / w.sum() / (k - 1))
    rose, fell = int((sure & (dy > 0)).sum()), int((sure & (dy < 0)).sum())
    return [len(dx), rose, fell, mean, mean - half, mean + half, float(np.sqrt(tau2))]


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Ladders by the wider rule: any bracket that names an effort."""
    part = rows[rows.thinks & rows.effort.notna()].assign(rung=lambda f: f.effort.map(EFFORTS.index))
    table = []
    for weights, ladder in part.groupby("weights"):
        if ladder.rung.nunique() > 1:
            ladder = ladder.sort_values("rung")
            table.append(changes(weights, ladder.iloc[0], ladder.iloc[-1]))
    return pd.DataFrame(table)


def frontier() -> dict[str, list[float]]:
    """The line, the agent and the labs of the independent panel."""
    rows = pd.read_csv(DATA / "frontier_independent.csv")
    swe, gpqa = rows.swe_bench_verified, rows[GPQA]
    line = stats.linregress(swe, gpqa)
    half = stats.t.ppf(0.975, len(rows) - 2) * line.stderr
    version = rows.swe_agent.str.extract(r"v1\.(\d+)", expand=False).astype(float)
    stated = pd.read_csv(DATA / "frontier_scores.csv").drop_duplicates("model").set_index("model").release_date
    dates = pd.to_datetime(rows.model.map(stated).fillna(rows.release_date))
    day = (dates - pd.Timestamp("2025-01-01")).dt.days.astype(float)
    held = {"agent": [version], "day": [day]}
    r = {name: r_over_makers(swe, gpqa, rows.lab, given, alike=True) for name, given in held.items()}
    high = swe >= 65
    without = [stats.linregress(swe.drop(i), gpqa.drop(i)).slope for i in swe.index]
    cells = pd.read_csv(DATA / "frontier_cells.csv").pivot(index="model", columns="benchmark", values="value")
    makers = stats.linregress(cells.swe_bench_verified, cells[GPQA])
    wide = stats.t.ppf(0.975, len(cells) - 2) * makers.stderr
    h = (gpqa - line.intercept - line.slope * swe).groupby(rows.lab)
    of_labs = pd.DataFrame({"mean": h.mean(), "n": h.size(), "error": h.sem()})
    of_labs["half"] = stats.t.ppf(0.975, of_labs.n - 1) * of_labs.error
    off = of_labs[of_labs["mean"].abs() > of_labs.half].sort_values("mean", ascending=False)
    return {
        "line": [
            len(rows),
            line.slope,
            line.slope - half,
            line.slope + half,
            line.intercept,
            line.rvalue,
            max(without, key=lambda slope: abs(slope - line.slope)),
            makers.slope,
            makers.slope - wide,
            makers.slope + wide,
            len(cells),
        ],
        "labs": [len(of_labs), *off["mean"]],
        "agent": [
            *r_over_makers(swe, gpqa, rows.lab),
            *r["agent"][:3],
            *r["day"][:3],
            *r_over_makers(swe[high], gpqa[high], rows.lab[high]),
            version.corr(day),
        ],
    }


def runs(x: str, y: str, from_step: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two scores of each run (columns) over its checkpoints (rows) from a step on."""
    long = pd.read_csv(DATA / "pythia_checkpoints.csv")
    long = long[long.step >= from_step]
    long = long.assign(model=long.model.str.removesuffix("-bf16"))  # the precision in which the 1B was trained
    one, two = (long[long.benchmark == b].pivot(index="step", columns="model", values="score") for b in (x, y))
    return one, two


@once
def beyond(
    x: str, from_step: int = 1000, y: str = "crows_pairs_english", of: str = "changes"
) -> tuple[float, float, list[float], float]:
    """Own and twin r of changes (or levels), the gap in z with the interval of the swap test turned round, its p."""
    one, two = runs(x, y, from_step)
    if of == "changes":
        one, two = one.diff().dropna(), two.diff().dropna()
    names = sorted({name.removesuffix("-deduped") for name in one})
    own, twin = [], []
    for name in names:
        pair = (name, f"{name}-deduped")
        r = {(a, b): np.arctanh(one[a].corr(two[b])) for a in pair for b in pair}
        own.append((r[pair[0], pair[0]] + r[pair[1], pair[1]]) / 2)
        twin.append((r[pair[0], pair[1]] + r[pair[1], pair[0]]) / 2)
    gap = np.array(own) - np.array(twin)
    means = [np.mean(gap * signs) for signs in itertools.product((1, -1), repeat=len(gap))]
    p = float(np.mean(np.array(means) >= gap.mean() - 1e-12))
    many = (itertools.combinations(gap, k) for k in range(1, len(gap) + 1))
    subsets = sorted(np.mean(chosen) for some in many for chosen in some)
    out = int(0.025 * (len(subsets) + 1))
    ends = [subsets[out - 1], subsets[-out]]
    return float(np.tanh(np.mean(own))), float(np.tanh(np.mean(twin))), [float(gap.mean()), *map(float, ends)], p


def twin_spread(y: str) -> float:
    """How far two runs of one size lie apart, points: the root of the mean square over sizes and checkpoints."""
    _, two = runs(y, y, 1000)
    plain = [n for n in two if not n.endswith("-deduped")]
    return float(np.sqrt(np.mean([((two[n] - two[f"{n}-deduped"]) ** 2).mean() for n in plain])))


def noise_of_changes(column: str, from_step: int) -> tuple[float, float, float]:
    """SD of the changes, SD that the questions' noise could make of them, share of variance: medians over the runs."""
    long = pd.read_csv(DATA / "pythia_checkpoints.csv")
    long = long[(long.step >= from_step) & (long.benchmark == column)].sort_values("step")
    table = []
    for _, run in long.groupby("model"):
        v = run.stderr.to_numpy() ** 2
        noise = np.mean([v[i] + v[i + 1] for i in range(len(v) - 1)])
        table.append((run.score.diff().std(), np.sqrt(noise), noise / run.score.diff().var()))
    return tuple(float(v) for v in np.median(np.array(table), axis=0))


@once
def chapter_10(x: str = "lambada_openai") -> dict[str, list[float]]:
    """Numbers of each sentence of chapter 10 and its audit for one capability, in the order of print."""
    y = "crows_pairs_english"
    levels = {step: runs(x, y, step) for step in (1000, 3000, 13000)}
    own = {step: one.corrwith(two) for step, (one, two) in levels.items()}
    change = {step: one.diff().corrwith(two.diff()).median() for step, (one, two) in levels.items()}
    one, two = levels[1000]
    cross = pd.DataFrame({a: {b: one[a].corr(two[b]) for b in two} for a in one})
    other = cross.to_numpy()[~np.eye(len(cross), dtype=bool)]
    large = [n for n in one if re.search(r"(1\.4b|2\.8b|6\.9b|12b)", n)]
    part = cross.loc[large, large].to_numpy()
    mine = ~np.eye(len(large), dtype=bool)
    test = {name: beyond(name) for name in (x, *(c for c in CAPABILITIES if c != x))}
    p = holm(np.array([test[name][3] for name in test]))
    big = one["pythia-12b"], two["pythia-12b"]
    plain = [n for n in one if not n.endswith("-deduped")]
    halves = [plain, [f"{n}-deduped" for n in plain]]
    by_size = {step: [one.loc[step, half].corr(two.loc[step, half]) for half in halves] for step in one.index}
    at_the_end = by_size[143000]
    early = [end([r for step, pair in by_size.items() if step < 13000 for r in pair]) for end in (min, max)]
    rest = [r for step, pair in by_size.items() if step >= 13000 for r in pair]
    lead = test[x]
    late = holm(np.array([beyond(name, 13000)[3] for name in test]))[0]
    levels_p = holm(np.array([beyond(name, of="levels")[3] for name in test]))[0]

    def with_lead(p: float, one: tuple[float, float, list[float], float]) -> list[float]:
        return [p, *([seen(*one[2][1:], scale=lambda end: end)] if p >= 0.05 else [])]

    later = [13000, *with_lead(late, beyond(x, 13000))]
    changed = levels[1000][0].diff().corrwith(levels[1000][1].diff())
    high = {step: (int((own[step] >= 0.85).sum()), len(own[step])) for step in levels}
    noise = {step: [noise_of_changes(c, step) for c in (x, y)] for step in levels}
    most = {step: np.prod([max(0.0, 1 - share) for *_, share in both]) ** 0.5 for step, both in noise.items()}
    more = [number for step in most if change[step] > most[step] for number in (change[step], step)]
    ties = [beyond(a, y=b) for a, b in itertools.combinations(CAPABILITIES, 2)]
    least = min(ties, key=lambda tie: tie[2][0])
    return {
        "noise": [13000, *noise[13000][1][:2], *itertools.chain(*((r, step) for step, r in most.items())), *more],
        "control": [sum(tie[3] < 0.05 for tie in ties), len(ties), 0.05, *least[:2]],
        "answer": [0.85, *high[1000], 100 * (own[1000] >= 0.85).mean(), 100 * (other >= 0.85).mean()],
        "answer_interval": [
            lead[0],
            lead[1],
            8,
            *lead[2],
            4,
            *with_lead(p[0], lead),
            *with_lead(levels_p, beyond(x, of="levels")),
            *later[1:],
            later[0],
        ],
        "one": [
            1000,
            143000,
            big[0].iloc[0],
            big[0].iloc[-1],
            big[1].iloc[0],
            big[1].iloc[-1],
            big[0].corr(big[1]),
            len(big[0]),
            len(runs(x, y, 0)[0]),
        ],
        "starts": [
            1000,
            *high[1000],
            0.85,
            change[1000],
            *itertools.chain(*((step, *high[step], change[step]) for step in (3000, 13000))),
        ],
        "strangers": [own[1000].median(), np.median(other), 1.4, np.median(np.diag(part)), np.median(part[mine])],
        "starts_table": [n for step in levels for n in (step, high[step][0], own[step].median(), change[step])],
        "test": [lead[0], lead[1], p[0], 4, *later],
        "averages": [lead[0], changed.mean(), changed.median()],
        "holm": [*p[1:], 4, twin_spread(y)],
        "sizes": [8, *at_the_end, 13000, *early, np.median(rest), min(rest)],
        "remember": [own[1000].median(), np.median(other), lead[0], lead[1], p[0], *later],
    }


# --- pages: what stands on them beside the sentences above, in the order of print ------------------------------------


def flat(table) -> list[float]:
    return [float(value) for row in table for value in row]


def page_9() -> list[list[float]]:
    """Chapter 9: its sentences, titles, captions and boxes."""
    rows, nine = today(), chapter_9()
    steady = rows[~ran_out(rows).any(axis=1)]
    step = rows[GPQA] // 10 * 10
    wrong = rows.groupby(step).wrong.agg(["mean", "size"]).query("size >= 5")["mean"]
    steps = dict.fromkeys([wrong.index[0], wrong.idxmax(), wrong.index[-1]])
    many = int((step.groupby(step).transform("size") >= 5).sum())
    effort = ladders(rows)
    fell, makers = int((effort[Q] < 0).sum()), effort.groupby("lab")[Q].mean()
    whole, left = nine["artefact"][1], nine["artefact"][6]
    return [
        *nine.values(),
        *boxes(rows),
        twins_answer(steady),
        [len(rows)],
        *(list(r_over_makers(rows[GPQA], rows[m], rows.lab)[:3]) for m in MEASURES),
        [value for low in steps for value in (wrong[low], low, low + 10)],
        [len(rows) - many, many],
        [whole, 8, left],
        [9000, 8],
        *whole_figure(rows, Q),
        [len(effort), effort.lab.value_counts().iloc[0], fell],
        [len(effort), len(makers)],
    ]


def boxes(rows: pd.DataFrame) -> list[list[float]]:
    """What the boxes of O01 to O04 and O06 print, below their statements."""
    r = {m: r_over_makers(rows[GPQA], rows[m], rows.lab) for m in (A, Q)}
    ranks = rows[[GPQA, "wrong"]].rank()
    spearman = r_over_makers(ranks[GPQA], ranks.wrong, rows.lab)
    sized = rows[rows["size"].notna() & rows.day.notna()]
    ranked = sized[[GPQA, "wrong"]].assign(day=sized.day, size=np.log10(sized["size"])).rank()
    held = r_over_makers(ranked[GPQA], ranked.wrong, sized.lab, [ranked.day, ranked["size"]])
    family = rows[(generations(rows) == "Qwen3.5") & rows.thinks]
    left = family[~ran_out(rows).loses[family.index]]

    def fisher(part: pd.DataFrame) -> list[float]:
        r, half = part[GPQA].corr(part[Q]), stats.norm.ppf(0.975) / np.sqrt(len(part) - 3)
        return [r, *np.tanh(np.arctanh(r) + np.array([-half, half]))]

    part, effort = fisher(left), ladders(rows)
    wrong = [one[GPQA].corr(one.wrong) for one in (family, left)]
    by_maker = effort.groupby("lab")[Q].mean()
    mean, _, high = over(by_maker)
    return [
        list(r[A]),
        [seen(*r[Q][1:3]), *r[Q]],
        [part[0], len(left), seen(*part[1:]), *wrong, *fisher(family), len(family)],
        [
            len(by_maker),
            *student(effort),
            mean,
            high,
            int((effort[Q] < 0).sum()),
            len(effort),
            len(effort),
            len(effort),
        ],
        [held[0], seen(*held[1:3]), *spearman],
    ]


def whole_figure(rows: pd.DataFrame, measure: str) -> list[list[float]]:
    """Title and caption of the ladders by size: how many surely fall and rise, and those that start in doubt."""
    loses = set(rows.model[ran_out(rows).loses])
    each = size_ladders(rows)
    change = np.array([one[measure].iloc[-1] - one[measure].iloc[0] for one in each])
    noise = np.array([np.hypot(error(one.iloc[0], measure), error(one.iloc[-1], measure)) for one in each])
    sure = holm(2 * stats.norm.sf(np.abs(change / noise))) < 0.05
    doubt = np.array([one.model.iloc[0] in loses for one in each])
    fall, rise = sure & (change < 0), sure & (change > 0)
    n = len(each)
    return [[fall.sum(), n, rise.sum()], [n, (fall & doubt).sum(), fall.sum(), (rise & doubt).sum(), rise.sum(), n]]


def family(rows: pd.DataFrame, name: str) -> list[float]:
    """r of GPQA with q and the wrong share in one generation: all, without what ran out, without the two smallest."""
    own = rows[(generations(rows) == name) & rows.thinks & rows["size"].notna()].sort_values("size")
    numbers: list[float] = []
    for part in (own, own[~ran_out(rows).loc[own.index].any(axis=1)], own.iloc[2:]):
        numbers.append(len(part))
        numbers += [part[GPQA].corr(part[m]) for m in (Q, "wrong")] if len(part) > 2 else []
    return numbers


def doubts(rows: pd.DataFrame) -> list[list[float]]:
    """The objections of the audit that stand in sentences: first to the correlations, then to the lever of effort."""
    tests = [rows[GPQA].corr(rows[t]) for t in ("hle", "critpt", "scicode", "ifbench", "tau2_bench")]
    tests.append(rows[GPQA].corr(rows.terminal_bench_hard))
    domains = dict(zip(DOMAINS, domain_table(rows)[A], strict=True))
    science = domains.pop("science")
    hidden = []
    for part in (rows, rows[rows[GPQA] > 80]):
        p = part[GPQA].clip(50 / 198, 100 - 50 / 198) / 100
        hidden.append(100 - 100 * np.sqrt(1 - (1e4 * p * (1 - p) / 198).mean() / part[GPQA].var()))
    every = pd.read_csv(DATA / "one_lab_2026.csv")
    missing = every[~every.slug.isin(rows.slug)]
    known = missing[GPQA].dropna()
    effort = ladders(rows)
    fell, makers = effort[effort[Q] < 0], effort.groupby("lab")
    parts = three_parts(effort)
    other = rows.assign(tokens=rows.gpqa_reasoning_tokens)
    n = len(makers)
    return [
        [len(tests), min(tests), max(tests), np.median(tests), rows[GPQA].corr(rows[A])],
        [science, min(domains.values()), max(domains.values())],
        [*hidden, 80],
        [len(missing), len(every), len(known), known.median(), rows[GPQA].median()],
        [(fell.wrong <= 0).sum(), len(fell), n, *parts, seen(*parts[-2:], scale=lambda end: end)],
        [*student(effort), 2.0 * 0.5**n],
        flat(doses(other, m)[0] for m in (Q, "wrong", "precision")),
    ]


def page_9_audit() -> list[list[float]]:
    """The audit of chapter 9: sentences and tables row by row."""
    rows, nine = today(), chapter_9()
    flags = ran_out(rows)
    steady = rows[~flags.any(axis=1)]
    parts = (rows, steady)
    gap = (rows.omniscience_index - (rows[A] - rows.wrong)).abs().max()
    out = rows[flags.any(axis=1)].sort_values("tokens", ascending=False)
    still = rows[(generations(rows) == "Qwen3.5") & ~rows.thinks & rows["size"].notna()].drop_duplicates("size")
    objections = objection_table(rows)
    zero = [seen(low, high) for _, low, high, _ in objections if low <= 0 <= high]
    domains = [domain_table(part) for part in parts]
    years = [{m: dict(year_rows(part, m)) for m in MEASURES} for part in parts]
    sizes = [whole_sizes(*chosen) for m in MEASURES for chosen in ((rows, m), (rows, m, "active"), (steady, m, "size"))]
    effort, pairs, more = ladders(rows), off_and_on(rows), wide(rows)
    ends = [effort, pairs, more]
    by_maker = pairs.groupby("lab")[Q].mean()
    top = pairs.sort_values(Q, ascending=False).head(6)
    mixed = [(doses(part, s)[0], mixed_dose(part, s)) for part in parts for s in SCORES]
    of_dose = [[*both[:3], *makers, *both[3:]] for makers, both in mixed]
    return [
        *nine.values(),
        *boxes(rows),
        *doubts(rows),
        [len(rows), rows.weights.nunique(), rows.lab.nunique(), gap],
        [9000],
        [len(out)],
        flat(out[["tokens", "answers", GPQA, A, Q]].to_numpy()),
        [nine["artefact"][1], 8, nine["artefact"][6]],
        [9000, 8],
        [len(still), still[GPQA].corr(still[Q])],
        *(family(rows, name) for name in ("Qwen3.5", "Gemma 4", "Qwen3", "Qwen3 VL", "Qwen3 2507", "Nemotron 3")),
        flat(headline_table(rows)),
        flat(objections),
        [len(zero), len(objections), min(zero), max(zero)],
        twins_usual(steady),
        flat([d[m][i] for m in MEASURES] for i in np.argsort(DOMAINS) for d in domains),
        flat([year, *(y[m][year] for m in MEASURES)] for year in sorted(years[0][A]) for y in years),
        [sizes[0][0], sizes[1][0]],
        flat(sizes),
        *whole_figure(rows, Q),
        *whole_figure(rows, "wrong"),
        *(turn(part, m) for part in parts for m in MEASURES),
        flat(effort[["efforts", *SCORES]].to_numpy()),
        *(flat(count_table(one)) for one in ends),
        *(flat(table) for table in check_tables(rows)),
        lost_majorities(check_tables(rows)[0]),
        [len(more)],
        flat(of_dose[:5]),
        flat(of_dose[5:]),
        [(by_maker > 0).sum(), len(by_maker), (by_maker < 0).sum()],
        flat(pairs.groupby("lab")[Q].agg(["size", "mean", "min", "max"]).sort_values("mean").to_numpy()),
        [len(pairs)],
        flat(top[[Q, A, "wrong"]].to_numpy()),
        *(hump(part) for part in parts),
        rests_on(),
        from_minimal(rows),
    ]


def year_rows(rows: pd.DataFrame, measure: str) -> list[tuple[int, float]]:
    """Year and r in each year of twenty variants or more."""
    years = rows.release_date.str[:4]
    enough = sorted(year for year, n in years.value_counts().items() if n >= 20)
    return [(int(year), one[0]) for year, one in zip(enough, year_table(rows, measure), strict=True)]


def rests_on() -> list[float]:
    """On how many rows the conclusion of each frontier claim rests on the independent panel, in order of the claims."""
    rows = pd.read_csv(DATA / "frontier_independent.csv").sort_values(["release_date", "model"])
    labs = rows.lab.value_counts()
    papers = pd.read_csv(DATA / "frontier_panel.csv")
    core = rows.model.isin(papers.model[papers.subset == "core"]).sum()
    steps = rows.groupby("lab").swe_bench_verified.diff().dropna()
    high = int((rows.swe_bench_verified >= 40).sum())
    four = {lab: part.swe_bench_verified.corr(part[GPQA]) for lab, part in rows.groupby("lab") if len(part) > 3}
    least = min(four, key=lambda lab: four[lab])
    n, three, google, openai, top = len(rows), int((labs > 2).sum()), labs.Google, labs.OpenAI, 5
    of_labs = [google, openai, labs.DeepSeek, labs.Anthropic, google]
    trends = [n, three, n, core, high, n, n]  # C39, C75 to C80
    # Of the newest releases, SWE-bench and GPQA come from the maker's side or another's, from which gives more of both.
    stated = pd.read_csv(DATA / "frontier_scores.csv").query("role == 'main'")
    stated = stated.assign(other=stated.claimed_by == "independent")
    pair = stated[stated.benchmark.isin(["swe_bench_verified", GPQA])].drop_duplicates(["model", "benchmark", "other"])
    both = pair.groupby(["model", "other"]).size().unstack(fill_value=0).max(axis=1) == 2
    hle = int(both[both].index.isin(stated.model[stated.benchmark == "hle"]).sum())
    last = [labs[least], google, three, top, top, hle, 2, openai - 1]  # C82 to C100
    return [n, *of_labs, n, 2, (steps != 0).sum(), 0, *trends, *last]


def page_10(x: str = "lambada_openai") -> list[list[float]]:
    """Chapter 10 and its audit: sentences, titles and captions for one capability, its box, and the audit's tables."""
    ten = chapter_10(x)
    y = "crows_pairs_english"
    one, two = runs(x, y, 1000)
    cross = np.array([[one[a].corr(two[b]) for b in two] for a in one])
    own, other = np.diag(cross), cross[~np.eye(len(cross), dtype=bool)]
    n = len(own)
    strangers = np.where(np.eye(n, dtype=bool), np.nan, cross)
    low, rise = np.nanmedian(strangers, axis=0) < 0.85, (two.iloc[-1] - two.iloc[0]).to_numpy()
    begun = []
    for step in (512, 1000, 3000, 13000, 43000, 73000):
        first, second = runs(x, y, step)
        level, change = first.corrwith(second), first.diff().corrwith(second.diff())
        begun.append([step, (level >= 0.85).sum(), len(level), 0.85, level.median(), change.median()])
    return [
        *ten.values(),
        *begun,
        [begun[1][0], *begun[1][4:]],
        [*ten["answer"][1:], *ten["answer_interval"]],
        [np.median(own), np.median(other)],
        [np.median(other), np.median(own)],
        [ten["one"][-3]],
        [len(one)],
        [0.85, *ten["answer"][1:3]],
        [end(rise[low]) for end in (min, max)] + [n, 1000],
        ten["sizes"][1:3],
        [ten["sizes"][0]],
        [0.85, 100 * (other >= 0.85).mean(), 100 * (own >= 0.85).mean(), *ten["answer"][1:3], 0.85, 1000, n, n],
    ]


def page_10_audit() -> list[list[float]]:
    """The audit of chapter 10: the sentences of every capability, and the tables row by row."""
    y = "crows_pairs_english"
    pages = [page_10(x) for x in CAPABILITIES]
    pairs = [runs(x, y, 1000) for x in CAPABILITIES]
    order = pairs[0][0].columns
    sizes = order.str.extract(r"-([\d.]+)([mb])", expand=True)
    billions = sizes[0].astype(float) * sizes[1].map({"m": 0.001, "b": 1.0})
    order = [name for _, name in sorted(zip(billions, order, strict=True), key=lambda pair: pair[0])]
    steps, kinds = (1000, 3000, 13000), ("changes", "levels")
    tests = ((step, *beyond(x, step, of=of)) for x in CAPABILITIES for step in steps for of in kinds)
    ties = (beyond(a, y=b) for a, b in itertools.combinations(CAPABILITIES, 2))
    return [
        *itertools.chain(*pages),
        flat(zip(*([one.corrwith(two)[name] for name in order] for one, two in pairs), strict=True)),
        flat((step, own, twin, *gap, p) for step, own, twin, gap, p in tests),
        flat((step, *noise_of_changes(c, step)) for c in (*CAPABILITIES, y) for step in steps),
        flat((own, twin, gap[0], p) for own, twin, gap, p in ties),
    ]
