"""Chapters 9 and 10 over again: every number of their sentences, from the tables by another way.

Nothing of `cape_lib` is used: the CSV files are read as they are, names are taken apart anew, statistics are scipy's,
statsmodels' or written out. `tests/test_again.py` compares each sentence of the chapters with the list of its numbers
here, in order and to the last printed digit.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

DATA = Path(__file__).parents[2] / "data"
EFFORTS = ["minimal", "low", "medium", "high", "xhigh", "max"]
GPQA, A, Q = "gpqa_diamond", "omniscience_accuracy", "omniscience_non_hallucination"


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
    fixes = pd.read_csv(DATA / "variant_corrections.csv")
    for slug, column, value in fixes[["slug", "column", "value"]].itertuples(index=False):
        if column == "mode":
            rows.loc[rows.slug == slug, "thinks"] = value == "reasoning"
        elif column == "params_b_total":
            rows.loc[rows.slug == slug, "size"] = float(value)
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


def se(p: pd.Series, n: pd.Series | float) -> pd.Series:
    """Binomial standard error of a score in percent, half a question away from the ends, points."""
    n = np.maximum(n, 1.0)
    p = (p / 100).clip(0.5 / n, 1 - 0.5 / n)
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


def r_over_makers(x, y, labs, given=None) -> tuple[float, float, float, int]:
    """r (partial r given columns) with the jackknife over makers in Fisher's z: r, low, high, n."""
    data = pd.DataFrame({"x": x, "y": y, "lab": labs})
    names = []
    for i, column in enumerate(given or []):
        data[f"g{i}"] = column
        names.append(f"g{i}")
    data = data.dropna()

    def one(rows: pd.DataFrame) -> float:
        x, y = rows.x, rows.y
        if names:
            design = sm.add_constant(rows[names])
            x, y = (sm.OLS(v, design).fit().resid for v in (x, y))
        return float(np.corrcoef(x, y)[0, 1])

    whole = one(data)
    makers = sorted(data.lab.unique())
    z = np.arctanh([one(data[data.lab != maker]) for maker in makers])
    g = len(makers)
    error = np.sqrt((g - 1) / g * ((z - z.mean()) ** 2).sum())
    freedom = g - 2 - len(names)
    if names:
        sizes = data.lab.value_counts()
        freedom = min(freedom, sizes.sum() ** 2 / (sizes**2).sum() - 2 - len(names))
    half = stats.t.ppf(0.975, freedom) * error
    return whole, np.tanh(np.arctanh(whole) - half), np.tanh(np.arctanh(whole) + half), len(data)


def over(values) -> tuple[float, float, float]:
    """Mean with Student's interval, one value a maker (a domain)."""
    v = np.asarray(values, float)
    low, high = stats.t.interval(0.95, len(v) - 1, loc=v.mean(), scale=stats.sem(v))
    return float(v.mean()), float(low), float(high)


def ladders(rows: pd.DataFrame) -> pd.DataFrame:
    """Lowest to highest effort of the same weights, by the bare word in the last bracket: change of each score."""
    part = rows[rows.thinks & rows.bare_effort.str.lower().isin(EFFORTS)]
    part = part.assign(rung=part.bare_effort.str.lower().map(EFFORTS.index))
    found = []
    for weights, ladder in part.groupby("weights"):
        if ladder.rung.nunique() > 1:
            ladder = ladder.sort_values("rung")
            found.append(changes(weights, ladder.iloc[0], ladder.iloc[-1]))
    return pd.DataFrame(found)


def changes(weights: str, first: pd.Series, last: pd.Series) -> dict[str, object]:
    noise = np.hypot(*(se(pd.Series([row[Q]]), 6000 * (1 - row[A] / 100))[0] for row in (first, last)))
    scores = {s: last[s] - first[s] for s in (GPQA, A, Q, "wrong", "precision")}
    return {"weights": weights, "lab": last.lab, "noise": noise} | scores


def off_and_on(rows: pd.DataFrame) -> pd.DataFrame:
    """No thinking to the least of it: the lowest effort named, else the fewest tokens."""
    rung = rows.effort.map(lambda e: EFFORTS.index(e) if e in EFFORTS else 99)
    rows = rows.assign(rung=rung)
    found = []
    for weights, part in rows.groupby("weights"):
        off, on = part[~part.thinks], part[part.thinks]
        if len(off) and len(on):
            first = off.sort_values("rung", kind="stable").iloc[-1]
            found.append(changes(weights, first, on.sort_values(["rung", "tokens"]).iloc[0]))
    return pd.DataFrame(found)


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


def chapter_9() -> dict[str, list[float]]:
    """Numbers of each sentence of chapter 9, in the order in which they are printed."""
    rows = today()
    r = {m: r_over_makers(rows[GPQA], rows[m], rows.lab) for m in (A, Q, "wrong", "precision")}
    log_size = np.log10(rows["size"])
    held = {m: r_over_makers(rows[GPQA], rows[m], rows.lab, given=[rows.day, log_size]) for m in r}
    effort, pairs = ladders(rows), off_and_on(rows)
    flags = ran_out(rows)
    steady = rows[~flags.any(axis=1)]
    best = rows.sort_values([GPQA, "slug"]).drop_duplicates("weights", keep="last")
    domains = {}
    for measure in (Q, "wrong"):
        each = []
        for name in ("business", "law", "health", "humanities", "software", "science"):
            a, q = rows[f"accuracy_{name}"] / 100, 1 - rows[f"hallucination_{name}"] / 100
            each.append(rows[GPQA].corr(q if measure == Q else (1 - q) * (1 - a)))
        domains[measure] = over(each)
    years = rows.groupby(rows.release_date.str[:4]).apply(lambda g: (len(g), g[GPQA].corr(g[Q])))
    years = [(int(y), v) for y, (n, v) in years.items() if n >= 20]
    qwen = rows[rows.model.str.match(r"Qwen3\.5 [\d.]+B") & rows.thinks].sort_values("size")
    lost = flags.loses[qwen.index]
    left = qwen[~lost]
    dose, dose_wrong = doses(rows, Q), doses(rows, "wrong")
    fell = effort[effort[Q] < 0]
    sure = int((-fell[Q] > 1.96 * fell.noise).sum())
    makers = effort.lab.value_counts()
    by_maker = pairs.groupby("lab")[Q].mean()
    both = sorted(set(pairs.weights) & set(wide(rows).weights))
    up = pairs.set_index("weights").loc[both, Q]
    down = wide(rows).set_index("weights").loc[both, Q]
    humped = int(((up > 0) & (down < 0)).sum())
    hump_makers = pairs.set_index("weights").loc[both].lab.nunique()

    def three(one: tuple[float, ...]) -> list[float]:
        return list(one[:3])

    return {
        "answer": [len(rows), *(r[m][0] for m in (A, "wrong", Q)), (effort[A] > 0).sum(), len(effort), len(fell)],
        "answer_interval": [rows.lab.nunique(), *(end for m in (A, "wrong", Q) for end in r[m][1:3])],
        **{f"r {m}": [*three(r[m]), r[m][3]] for m in r},
        **{f"reading {m}": [*three(r[m]), r[m][3], *three(held[m]), held[m][3]] for m in r},
        "sure": [
            rows.lab.nunique(), *domains[Q], *domains["wrong"],
            *three(r_over_makers(steady[GPQA], steady[Q], steady.lab)),
            *three(r_over_makers(best[GPQA], best[Q], best.lab)), *itertools.chain(*((v, y) for y, v in years)),
        ],
        "artefact": [
            len(qwen), qwen[GPQA].corr(qwen[Q]), qwen.tokens.iloc[0], qwen.answers.iloc[0], qwen[GPQA].iloc[0],
            int(lost.sum()), left[GPQA].corr(left[Q]), len(left), qwen[GPQA].corr(qwen.wrong),
            left[GPQA].corr(left.wrong),
        ],
        "effort": [
            len(effort), len(makers), makers.iloc[0], *((effort[m] > 0).sum() for m in (GPQA, A)), len(fell),
            effort[Q].mean(), *((effort[m] > 0).sum() for m in ("wrong", "precision")),
        ],
        "effort_sure": [sure, len(fell), *dose[0], *dose_wrong[0], dose[1], dose[2]],
        "off": [
            len(pairs), (pairs.precision > 0).sum(), (pairs.wrong < 0).sum(), (pairs[Q] > 0).sum(),
            (by_maker > 0).sum(), len(by_maker),
        ],
        "hump": [
            humped, len(both), hump_makers, float(stats.binom.sf(humped - 1, len(both), 1 / 3)), hump_makers,
        ],
        "twins": twins(rows),
        "turn": turn(rows),
        "remember": [
            r[A][0], *three(r[Q]), held[Q][0], qwen[GPQA].corr(qwen[Q]), len(qwen), left[GPQA].corr(left[Q]), len(left),
            len(fell), len(effort),
        ],
        **frontier(),
    }  # fmt: skip


def twins(rows: pd.DataFrame) -> list[float]:
    """Of the best twentieth of those that think: two within a point of GPQA, furthest apart in wrong answers."""
    top = rows[rows.thinks & (rows[GPQA] >= rows[GPQA].quantile(0.95))]
    pairs = [
        (abs(a.wrong - b.wrong), *sorted((a, b), key=lambda row: row.wrong))
        for (_, a), (_, b) in itertools.combinations(top.iterrows(), 2)
        if abs(a[GPQA] - b[GPQA]) <= 1
    ]
    _, less, more = max(pairs, key=lambda pair: pair[0])
    shares = [[row[A], row.wrong, 100 - row[A] - row.wrong] for row in (less, more)]
    return [less[GPQA], more[GPQA], *shares[0], *shares[1]]


def turn(rows: pd.DataFrame) -> list[float]:
    """Steps between sizes of a generation in one mode: how many move q and GPQA apart, below 3.5 B, to 10 B, above."""
    fixes = pd.read_csv(DATA / "variant_corrections.csv").query("column == 'generation'").set_index("slug").value
    kind = r"[ -](?:Instruct|Think(?:ing|er)?|Reasoning|Preview|Chat)\b|\s*\(Vision\)|^NVIDIA "
    size = r"[ -]?(?<![\w.])(?:A|E)?\d+(?:\.\d+)?(?:B|M|T)\b"
    named = rows.model.where(rows.weights.str.split(": ", n=1).str[1] == rows.model.str.lower(), rows.model.str.replace(
        r"\s*\([^()]*\)$", "", regex=True))
    plain = named.str.replace(kind, "", regex=True, flags=re.I).str.replace(size, "", regex=True, flags=re.I)
    plain = plain.str.replace(r"\s+", " ", regex=True).str.strip(" -")
    plain = plain.where(plain != "", named)
    part = rows.assign(generation=rows.slug.map(fixes).fillna(plain))
    part = part[part["size"].notna() & (part.effort.isna() | (part.effort == "high"))]
    counts = {"below 3.5": [0, 0], "to 10": [0, 0], "above": [0, 0]}
    for _, ladder in part.sort_values(["size", "model"]).groupby(["generation", "thinks"]):
        ladder = ladder.drop_duplicates("size")
        if len(ladder) < 3:
            continue
        for (_, a), (_, b) in itertools.pairwise(ladder.iterrows()):
            middle = np.sqrt(a["size"] * b["size"])
            where = counts["below 3.5" if middle < 3.5 else "to 10" if middle < 10 else "above"]
            where[0] += (b[Q] - a[Q]) * (b[GPQA] - a[GPQA]) < 0
            where[1] += 1
    low, middle, high = counts.values()
    return [3.5, *low, 3.5, 10, *middle, *high]


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Ladders by the wider rule: any bracket that names an effort."""
    part = rows[rows.thinks & rows.effort.notna()].assign(rung=lambda f: f.effort.map(EFFORTS.index))
    found = []
    for weights, ladder in part.groupby("weights"):
        if ladder.rung.nunique() > 1:
            ladder = ladder.sort_values("rung")
            found.append(changes(weights, ladder.iloc[0], ladder.iloc[-1]))
    return pd.DataFrame(found)


def frontier() -> dict[str, list[float]]:
    """The line, the agent and the labs of the independent panel."""
    rows = pd.read_csv(DATA / "frontier_independent.csv")
    swe, gpqa = rows.swe_bench_verified, rows[GPQA]
    line = stats.linregress(swe, gpqa)
    half = stats.t.ppf(0.975, len(rows) - 2) * line.stderr
    version = rows.swe_agent.str.extract(r"v1\.(\d+)", expand=False).astype(float)
    day = pd.to_datetime(rows.release_date).astype("int64").astype(float) / 8.64e13

    def fisher(x, y, given=()) -> list[float]:
        if len(given):
            design = sm.add_constant(np.column_stack(given))
            x, y = (sm.OLS(np.asarray(v, float), design).fit().resid for v in (x, y))
        r = float(np.corrcoef(x, y)[0, 1])
        width = stats.norm.ppf(0.975) / np.sqrt(len(x) - 3 - len(given))
        return [r, float(np.tanh(np.arctanh(r) - width)), float(np.tanh(np.arctanh(r) + width))]

    high = swe >= 65
    return {
        "line": [len(rows), line.slope, line.slope - half, line.slope + half, line.intercept, line.rvalue],
        "agent": [
            *fisher(swe, gpqa), len(rows), *fisher(swe, gpqa, [version]), *fisher(swe, gpqa, [day]),
            *fisher(swe[high], gpqa[high]), int(high.sum()), version.corr(day),
        ],
    }  # fmt: skip


def runs(x: str, y: str, from_step: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two scores of each run (columns) over its checkpoints (rows) from a step on."""
    long = pd.read_csv(DATA / "pythia_checkpoints.csv")
    long = long[long.step >= from_step]
    long = long.assign(model=long.model.str.removesuffix("-bf16"))  # the precision in which the 1B was trained
    one, two = (long[long.benchmark == b].pivot(index="step", columns="model", values="score") for b in (x, y))
    return one, two


def beyond(x: str, from_step: int = 1000) -> tuple[float, float, list[float], float]:
    """Own and twin r of changes, the gap in z with the interval that turns the swap test round, and its p."""
    one, two = (frame.diff().dropna() for frame in runs(x, "crows_pairs_english", from_step))
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


def chapter_10() -> dict[str, list[float]]:
    """Numbers of each sentence of chapter 10, in the order in which they are printed."""
    x, y = "lambada_openai", "crows_pairs_english"
    levels = {step: runs(x, y, step) for step in (1000, 3000, 13000)}
    own = {step: one.corrwith(two) for step, (one, two) in levels.items()}
    change = {step: one.diff().corrwith(two.diff()).median() for step, (one, two) in levels.items()}
    one, two = levels[1000]
    cross = pd.DataFrame({a: {b: one[a].corr(two[b]) for b in two} for a in one})
    other = cross.to_numpy()[~np.eye(len(cross), dtype=bool)]
    large = [n for n in one if re.search(r"(1\.4b|2\.8b|6\.9b|12b)", n)]
    part = cross.loc[large, large].to_numpy()
    mine = ~np.eye(len(large), dtype=bool)
    test = {name: beyond(name) for name in (x, "arc_easy", "sciq", "piqa")}
    p = np.array([test[name][3] for name in test])
    holm = np.empty(4)
    order = p.argsort()
    holm[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(4, 0, -1)))
    big = one["pythia-12b"], two["pythia-12b"]
    plain = [n for n in one if not n.endswith("-deduped")]
    halves = [plain, [f"{n}-deduped" for n in plain]]
    by_size = {step: [one.loc[step, half].corr(two.loc[step, half]) for half in halves] for step in one.index}
    at_the_end = by_size[143000]
    early = [end([r for step, pair in by_size.items() if step < 13000 for r in pair]) for end in (min, max)]
    lead = test[x]
    high = {step: (int((own[step] >= 0.85).sum()), len(own[step])) for step in levels}
    return {
        "answer": [0.85, int((own[1000] >= 0.85).sum()), len(own[1000]), own[1000].median(), np.median(other)],
        "answer_interval": [lead[0], lead[1], *lead[2], 8, holm[0], 4],
        "one": [
            1000, 143000, big[0].iloc[0], big[0].iloc[-1], big[1].iloc[0], big[1].iloc[-1], big[0].corr(big[1]),
            len(big[0]),
        ],
        "starts": [1000, *high[1000], 0.85, change[1000],
                   *itertools.chain(*((step, *high[step], change[step]) for step in (3000, 13000)))],
        "strangers": [own[1000].median(), np.median(other), 1.4, np.median(np.diag(part)), np.median(part[mine])],
        "test": [lead[0], lead[1], holm[0], 4],
        "holm": [*holm[1:]],
        "sizes": [8, *at_the_end, 13000, *early],
        "remember": [own[1000].median(), np.median(other), lead[0], lead[1], holm[0]],
    }  # fmt: skip
