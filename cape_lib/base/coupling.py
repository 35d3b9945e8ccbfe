"""How two scores move together: between the sizes of one family, over a panel, over the steps of many families.

Figures: `charts.base`; sentences: `story.coupling`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, stdtr

from cape_lib import stats
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import NAN, Estimate, Floats, Integers, pearson, pearson_rows
from cape_lib.tables import BASE_BENCHMARKS
from cape_lib.tables.axes import PARAMS, Axis

PHASES = ("tax", "transition", "bonus")
# Between these gammas an interval is neither a tax nor a bonus.
TAX, BONUS = -0.1, 0.1
#: the sign of a lone interval is settled where P(gamma < 0) is beyond this on either side
SETTLED = 0.975
#: resamples that fill one direction or all of them are this far from it
EDGE = 1e-9
#: fewer complete rows than this have no effective dimension: n rows span at most n - 1 directions
LEAST_ROWS = 6
SizeRule = Literal["geometric mean", "smaller model", "larger model"]
#: the size that a step is given, everywhere: the geometric mean of its two models
SIZE_RULE: SizeRule = "geometric mean"
SIZE_RULES: dict[str, str] = {
    "geometric mean": "params_b_mid",
    "smaller model": "params_b_low",
    "larger model": "params_b_high",
}
#: the edges of the classes of size that the chapters show, billions
EDGES = (3.5, 10.0)
#: classes of size whose shares of signs are shown (billions)
CLASSES: tuple[float, ...] = (1.0, *EDGES)
#: training tokens below and above which steps are told apart, billions
TOKEN_EDGE = 600.0
#: a model with more training tokens than this (billions) has a slip in its source: none published has a tenth of it
MOST_TOKENS_B = 200_000.0
#: a step is near a size within this factor
NEAR = 3.0
COVARIATES = {"size": "size_b", "tokens": "tokens_b", "compute": "flops_1e21"}
#: points of each standard deviation in the grid; twice as many move no end by a fiftieth of its width
COARSE, GRID = 10, 24
#: log10 billions over which a turn is looked for; an end beyond them is beyond every model there is
REACH = (-3.0, 4.0)
#: a new family has an upward turn where its gamma goes from below to above zero between these sizes, billions
TURN = (0.1, 100.0)
TAILS = (0.025, 0.975)
POSTERIOR = "posterior, level of all families"


# Local coupling gamma12: the change of one score for a point of another, from one size of a family to the next


def phase(gamma: float) -> str:
    """The phase of an interval: "tax" below -0.1, "bonus" above 0.1, else "transition"; "undefined" for NaN."""
    if math.isnan(gamma):
        return "undefined"
    if gamma < TAX:
        return "tax"
    return "bonus" if gamma > BONUS else "transition"


def settled_beyond(steps: int) -> float:
    """P(gamma < 0) beyond which the sign of one of so many intervals is settled: Bonferroni's share of `SETTLED`.

    A ladder of eight sizes has seven chances of a lucky interval; each alone at 97.5 % would call one settled in a
    quarter of the ladders on which nothing happens. steps: 1 or more.
    """
    return 1 - (1 - SETTLED) / steps


def local_coupling(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    correlation: float = 0.0,
    along: Axis = PARAMS,
) -> pd.DataFrame:
    """Coupling of two scores between consecutive sizes of one family, with score noise.

    ladder: one row a model; columns params_b (billions), x and y (percent, 0-100), optionally <score>_stderr.
    correlation: of the noise of one score between two models, 0-1 (they answered the same questions); 0 and binomial
    noise give a conservative bound; variation between training seeds is in neither. along: another axis, whose column
    takes the place of params_b here and in the names of the answer.
    Returns one row an interval: smaller, larger, params_b_low, params_b_high, params_b_mid (geometric mean), dx, dy
    (points), gamma (points of y per point of x; NaN where dx is 0), low, high (Fieller, 95 %), interval
    ("bounded", "outside" of the gap between high and low, "every" value, "unknown" where the noise is), p_negative,
    p_tax, p_transition, p_bonus (0-1, exact for normal noise) and phase. Neighbouring rows share a model's noise.
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes, UsageError on correlation outside 0-1.
    Source: paper A, Methods; on the published Pythia rows the first gamma is -0.683.
    """
    if not 0.0 <= correlation <= 1.0:
        raise UsageError(f"correlation of the noise is {correlation:g}; give a number from 0 to 1")
    by = along.column
    rows = stats.ladder_rows(ladder, [x, y], purpose="a local coupling", by=by)
    at = rows[by].to_numpy(dtype=float)
    names = rows["model"].to_numpy() if "model" in rows.columns else np.array([f"{b:g} B" for b in at])
    (dx, var_dx), (dy, var_dy) = (_steps(rows, score, correlation) for score in (x, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = np.where(dx == 0, np.nan, dy / dx)
    low, high = stats.fieller_limits(dy, dx, var_dy=var_dy, var_dx=var_dx)
    every = np.isneginf(low) & np.isposinf(high)
    below = {c: stats.ratio_below(c, dy, dx, var_dy=var_dy, var_dx=var_dx) for c in (TAX, 0.0, BONUS)}
    return pd.DataFrame(
        {
            "smaller": names[:-1],
            "larger": names[1:],
            f"{by}_low": at[:-1],
            f"{by}_high": at[1:],
            f"{by}_mid": along.middle(at[:-1], at[1:]),
            "dx": dx,
            "dy": dy,
            "gamma": gamma,
            "low": low,
            "high": high,
            "interval": np.select([np.isnan(low), every, low > high], ["unknown", "every", "outside"], "bounded"),
            "p_negative": below[0.0],
            "p_tax": below[TAX],
            "p_transition": np.clip(below[BONUS] - below[TAX], 0.0, 1.0),
            "p_bonus": 1.0 - below[BONUS],
            "phase": [phase(g) for g in gamma],
        }
    )


def _steps(rows: pd.DataFrame, score: str, correlation: float = 0.0) -> tuple[Floats, Floats]:
    """Differences of one score between consecutive rows, and the variance of their noise."""
    sd = stats.score_noise(rows, score)
    shared = 2 * correlation * sd[:-1] * sd[1:]
    return np.diff(rows[score].to_numpy(dtype=float)), sd[:-1] ** 2 + sd[1:] ** 2 - shared


def whole_ladder(
    ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", along: Axis = PARAMS
) -> pd.Series:
    """The change of two scores from the smallest to the largest size of one family: first, before any of its steps.

    Over the whole ladder only the noise of its two ends is left. Arguments and errors as `local_coupling`. Returns a
    row: `smaller`, `larger` (names of the two models), `low`, `high` (their sizes, billions, or values of another
    axis), `sizes` of the ladder; `dx`, `dy` (Estimates: change of the two scores, points, with the interval of their
    noise); `z` (dy in standard errors) and `p`, its two-sided p; `gamma` (Estimate: dy / dx, Fieller's interval), its
    `p_negative` (0-1) and `phase`, and `settled` (P beyond 97.5 % on either side). An unknown standard error gives NaN.
    On the published Pythia rows: -15.1 points, standard error 2.4, z = -6.3, where no step alone is sure.
    """
    rows = stats.ladder_rows(ladder, [x, y], purpose="a whole ladder", by=along.column)
    ends = rows.iloc[[0, -1]]
    step = local_coupling(ends, x=x, y=y, along=along).iloc[0]
    row = step[["smaller", "larger"]].to_dict() | {"low": step[f"{along.column}_low"]}
    row |= {"high": step[f"{along.column}_high"], "sizes": len(rows)}
    for change, score in (("dx", x), ("dy", y)):
        error = math.sqrt(_steps(ends, score)[1].item())
        row[change] = stats.normal_estimate(step[change], error, 2, method="noise of two scores")
    z = step["dy"] / error if error > 0 else NAN
    row |= {"z": z, "p": stats.normal_p(z), "gamma": Estimate(step["gamma"], step["low"], step["high"], 2, "Fieller")}
    settled = bool(abs(step["p_negative"] - 0.5) > SETTLED - 0.5)
    return pd.Series(row | step[["p_negative", "phase"]].to_dict() | {"settled": settled})


def whole_ladders(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """`whole_ladder` of every ladder of a panel that has two sizes with both scores, most sizes first.

    panel: rows without a `ladder` are left out. Returns ladder, smaller, larger, params_b_low, params_b_high (B),
    sizes, dx, dy, dy_low, dy_high (points), z, p (two-sided), p_holm (the same after Holm's correction over the
    ladders), gamma, low, high (Fieller), p_negative (0-1) and phase.
    Raises MissingError where no ladder has two sizes, ScoresError where a ladder has a size twice.
    """
    columns = ["ladder", "smaller", "larger", "params_b_low", "params_b_high", "sizes", "dx", "dy", "dy_low", "dy_high"]
    columns += ["z", "p", "p_holm", "gamma", "low", "high", "p_negative", "phase"]
    rows = []
    for name, ladder in _ladders(panel, x, y):
        one = whole_ladder(ladder, x=x, y=y)
        ends = {f"params_b_{end}": one[end] for end in ("low", "high")}
        for part, prefix in (("dx", "dx_"), ("dy", "dy_"), ("gamma", "")):
            ends |= {part: one[part].estimate, f"{prefix}low": one[part].low, f"{prefix}high": one[part].high}
        rows.append({"ladder": name, **one, **ends})
    table = pd.DataFrame(rows)
    table["p_holm"] = stats.corrected(table["p"])
    return table[columns].sort_values(["sizes", "ladder"], ascending=[False, True], kind="stable", ignore_index=True)


def local_couplings(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """`local_coupling` of every ladder of a panel that has two sizes with both scores, one below the other.

    panel: rows without a `ladder` are left out; that column comes first.
    Raises MissingError where no ladder has two sizes, ScoresError where a ladder has a size twice.
    """
    steps = {name: local_coupling(ladder, x=x, y=y) for name, ladder in _ladders(panel, x, y)}
    return pd.concat(steps, names=["ladder", None]).reset_index(level=0).reset_index(drop=True)


def _ladders(panel: pd.DataFrame, x: str, y: str) -> Sequence[tuple[Hashable, pd.DataFrame]]:
    """The ladders of a panel that have two sizes with both scores, by name; MissingError without any."""
    rows = stats.complete_rows(panel, ["ladder", "params_b", x, y], least=0)
    ladders = [(name, ladder) for name, ladder in rows.groupby("ladder", sort=True) if len(ladder) > 1]
    if not ladders:
        raise MissingError(f"no ladder has two sizes with {x} and {y}; add a second size of one family")
    return ladders


# A panel of many models: r without size and family, on both sides of a cut, of every pair; and its dimension


class PopulationCoupling(NamedTuple):
    """r of two scores over a panel in four readings.

    `pearson`: Fisher interval, which takes models for independent; `clustered`: the same r, families left out in
    turn (no interval below eight families); `partial_given_size`: given log10 of the size, the same where there are
    eight families, else Fisher; `family_demeaned`: scores less their family's mean, families of one size left out;
    `permutation_p`: share of shuffles within families that give a demeaned r as far from zero. Both are NaN where
    families have too few sizes for a correlation: two of one family always lie on a line.
    """

    pearson: Estimate
    clustered: Estimate
    partial_given_size: Estimate
    family_demeaned: Estimate
    permutation_p: float


def population_coupling(
    panel: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    resamples: int = 10_000,
    seed: int = 0,
) -> PopulationCoupling:
    """Pearson r of two scores over a panel, beside its partial, demeaned, clustered and permuted readings.

    panel: one row a model; columns params_b (billions), x, y (percent), family (a missing one is a family of its own).
    Rows without both scores are left out; a constant score gives NaN. Raises MissingError with fewer than two complete
    rows. Published: -0.989 over the eight Pythia sizes.
    """
    rows = stats.complete_rows(panel, ["params_b", x, y], purpose="a correlation")
    first, second = rows[[x, y]].to_numpy(dtype=float).T
    family = stats.labels_to_codes(_families(rows))[0]
    several = np.bincount(family)[family] > 1
    dummies = pd.get_dummies(family[several]).iloc[:, 1:]
    demeaned = pearson(first[several], second[several], given=dummies)
    _, p = stats.within_r(first, second, family, resamples=resamples, rng=stats.generator(seed))
    return PopulationCoupling(
        pearson=pearson(first, second),
        clustered=stats.clustered_r(first, second, family, fallback=False),
        partial_given_size=stats.clustered_r(first, second, family, given=np.log10(rows["params_b"])),
        family_demeaned=demeaned,
        permutation_p=NAN if math.isnan(demeaned.estimate) else p,
    )


def _families(rows: pd.DataFrame) -> pd.Series:
    """The family of each row; without that column the rows are one family."""
    return rows["family"] if "family" in rows.columns else pd.Series("all", index=rows.index)


def pair_couplings(
    panel: pd.DataFrame, *, cut_b: float = 3.5, benchmarks: Sequence[str] = BASE_BENCHMARKS
) -> pd.DataFrame:
    """Pearson r of every pair of benchmarks below and above a cut, and whether its sign rests on one family.

    panel: one row a model; columns params_b, benchmarks (percent), family; cut_b: billions, a model of that size is
    above. Returns two rows a pair (ten pairs of the five base benchmarks): x, y, side, n, families, r, low, high
    (`stats.clustered_r`), leave_low, leave_high (smallest and largest r with one family left out), sign_holds (the
    same sign whichever family is left out), changed_by (families without which the sign changes, by name). r is NaN
    with fewer than three rows or a constant score.
    Raises MissingError for an absent column, UsageError for a cut that is not positive.
    """
    table = []
    for x, y in combinations(benchmarks, 2):
        for side, rows in _sides(stats.complete_rows(panel, ["params_b", x, y], least=0), cut_b).items():
            family = _families(rows)
            r = stats.clustered_r(rows[x], rows[y], family)
            codes, families = stats.labels_to_codes(family)
            keep = codes != np.arange(families)[:, None]
            left = np.where(keep.sum(axis=1) > 2, pearson_rows(rows[x], rows[y], keep), NAN)
            known = left[~np.isnan(left)]
            names = np.array([f"row {i}" if pd.isna(name) else str(name) for i, name in enumerate(family)])
            changed = np.unique(names[(left * r.estimate < 0)[codes]])
            low, high = (known.min(), known.max()) if known.size else (NAN, NAN)
            about = (x, y, side, len(rows), families, r.estimate, r.low, r.high, low, high)
            table.append((*about, bool(known.size and not changed.size), ", ".join(changed)))
    columns = ["x", "y", "side", "n", "families", "r", "low", "high", "leave_low", "leave_high"]
    return pd.DataFrame(table, columns=[*columns, "sign_holds", "changed_by"])


def cut_sweep(
    panel: pd.DataFrame, cuts: Sequence[float], *, x: str = "hellaswag", y: str = "truthfulqa"
) -> pd.DataFrame:
    """r of one pair below and above each of many cuts: does the sign flip at one size or at all of them?

    cuts: billions. Returns one row a cut: cut_b, then n, r, low, high (`stats.clustered_r`) with the endings _below
    and _above, flips (r < 0 below and r > 0 above: so it is in a quarter of the panels of unrelated scores) and
    flips_surely (both intervals on their side of zero). Published story: one critical scale near 3.5 B.
    """
    rows = stats.complete_rows(panel, ["params_b", x, y], least=0)
    table = []
    for cut in cuts:
        row: dict[str, object] = {"cut_b": float(cut)}
        parts = _sides(rows, cut).items()
        sides = {side: stats.clustered_r(part[x], part[y], _families(part)) for side, part in parts}
        for side, r in sides.items():
            row |= {f"{name}_{side}": value for name, value in r.row("r").items()}
        row["flips"] = sides["below"].estimate < 0 < sides["above"].estimate
        row["flips_surely"] = sides["below"].high < 0 < sides["above"].low
        table.append(row)
    return pd.DataFrame(table)


def _sides(rows: pd.DataFrame, cut: float) -> dict[str, pd.DataFrame]:
    """The rows below a cut (billions) and above it."""
    if not cut > 0:
        raise UsageError(f"the cut is {cut:g}; give a size in billions above 0")
    below = rows["params_b"] < cut
    return {"below": rows[below], "above": rows[~below]}


class EffectiveDimension(NamedTuple):
    """Participation ratio of the covariance of the scores, with its spectrum.

    `estimate` (1 to the number of benchmarks); `eigenvalues` (k,), largest first, points squared; `vectors` (k, k),
    one row a benchmark, one column an eigenvalue, the largest loading positive.
    """

    estimate: Estimate
    eigenvalues: Floats
    vectors: Floats


def effective_dimension(
    panel: pd.DataFrame, *, benchmarks: Sequence[str] = BASE_BENCHMARKS, resamples: int = 2_000, seed: int = 0
) -> EffectiveDimension:
    """d_eff = (sum lambda)^2 / sum lambda^2 of the covariance of the scores over complete rows.

    panel: one row a model; columns `benchmarks` (percent), optionally family. The interval resamples families where
    there are at least eight, else rows (`dimension_interval`). NaN below six complete rows, and where all benchmarks
    are constant. Raises MissingError where a benchmark is absent or fewer than two rows are complete.
    Source: paper A; there 1.38, 1.22 and 1.15 for three phases of 26, 27 and 3 models.
    """
    rows = stats.complete_rows(panel, list(benchmarks), purpose="an effective dimension")
    scores = rows[list(benchmarks)].to_numpy(dtype=float)
    n, k = scores.shape
    centred = scores - scores.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / (n - 1))
    values, vectors = np.clip(values[::-1], 0.0, None), vectors[:, ::-1]
    # Of loadings that are as large the first decides, whatever rounding says.
    lead = np.argmax(np.abs(vectors) > (1 - 1e-9) * np.abs(vectors).max(axis=0), axis=0)
    vectors = vectors * np.sign(vectors[lead, np.arange(k)])
    if n < LEAST_ROWS:
        estimate = Estimate(NAN, NAN, NAN, n, f"not defined below {LEAST_ROWS} complete rows")
        return EffectiveDimension(estimate, values, vectors)
    rng, family = stats.generator(seed), _families(rows)
    families = stats.labels_to_codes(family)[1]
    if families >= stats.LEAST_CLUSTERS:
        counts, drawn = stats.cluster_bootstrap_counts(family, resamples, rng), f"{families} families"
    else:
        counts, drawn = stats.row_bootstrap_counts(n, resamples, rng), "rows"
    point = float(participation_ratio(scores)[0])
    low, high = dimension_interval(point, participation_ratio(scores, counts), k)
    estimate = Estimate(point, low, high, n, f"participation ratio, {drawn} resampled")
    return EffectiveDimension(estimate, values, vectors)


def participation_ratio(scores: Floats, counts: Integers | None = None) -> Floats:
    """(trace C)^2 / trace(C C) of the covariance C of scores (n, k), one a row of counts (resamples, n) if given.

    The traces equal the sums over eigenvalues and need no decomposition. NaN where nothing varies.
    """
    centred = scores - scores.mean(axis=0)
    weights = np.ones((1, len(scores))) if counts is None else counts.astype(float)
    total = weights.sum(axis=1)[:, None, None]
    mean = (weights @ centred)[:, :, None] / total
    products = (centred[:, :, None] * centred[:, None, :]).reshape(len(scores), -1)
    k = scores.shape[1]
    covariance = (weights @ products).reshape(-1, k, k) / total - mean * mean.transpose(0, 2, 1)
    trace, square = np.trace(covariance, axis1=1, axis2=2), np.sum(covariance**2, axis=(1, 2))
    floor = (1e-12 * max(1.0, float(np.max(np.abs(scores))))) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(trace > floor, trace**2 / square, np.nan)


def dimension_interval(estimate: float, draws: Floats, most: int) -> tuple[float, float]:
    """95 % interval of a participation ratio from its resamples; most: the number of benchmarks.

    A resample repeats rows and spans fewer directions, so that its percentiles lie too low (they cover 20 to 80 % where
    two directions are strong): as far below the estimate as the estimate lies below the truth. The interval reaches to
    the outer of two ends, the percentile and its reflection about the estimate on the scale of log((d - 1) / (most -
    d)), which keeps both bounds.
    """
    low, high = stats.percentile_interval(draws)
    if not 1.0 < estimate < most:
        return low, high
    middle, first, last = logit((np.clip([estimate, low, high], 1 + EDGE, most - EDGE) - 1) / (most - 1))
    turned = 1 + (most - 1) * expit([2 * middle - last, 2 * middle - first])
    return min(low, float(turned[0])), max(high, float(turned[1]))


# Steps of many ladders beside the size and the training tokens of their models: shares, regressions


def training_tokens(rows: pd.DataFrame) -> Floats:
    """Training tokens of each model, billions, (n,); NaN where unknown or where the source has an evident slip.

    rows: optionally with `pretrain_tokens_b`. BTLM's 627,000 billion (0.627 trillion in truth) is such a slip.
    """
    if "pretrain_tokens_b" not in rows.columns:
        return np.full(len(rows), np.nan)
    tokens = rows["pretrain_tokens_b"].to_numpy(dtype=float)
    return np.where((tokens > 0) & (tokens < MOST_TOKENS_B), tokens, np.nan)


def known_steps(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """`local_couplings` of a panel, each step with its family, size, training tokens and compute.

    panel: one row a model with `model`, optionally family and pretrain_tokens_b (billions). Adds family, size_b
    (billions, by `SIZE_RULE`), tokens_b (geometric mean of the two models, billions; NaN where one is not known) and
    flops_1e21 (6 N D, 1e21 operations). Steps without a gamma are left out. Errors as `local_couplings`.
    """
    steps = local_couplings(panel, x=x, y=y).dropna(subset=["gamma"])
    models = panel.drop_duplicates("model").set_index("model")
    tokens = pd.Series(training_tokens(models), index=models.index)
    family = models["family"] if "family" in models.columns else pd.Series(models.index, index=models.index)
    size_b = steps[SIZE_RULES[SIZE_RULE]]
    tokens_b = np.sqrt(steps["smaller"].map(tokens) * steps["larger"].map(tokens))
    return steps.assign(
        family=steps["smaller"].map(family).fillna(steps["ladder"]),
        size_b=size_b,
        tokens_b=tokens_b,
        flops_1e21=6 * size_b * tokens_b / 1e3,
    ).reset_index(drop=True)


def signs_by_size(
    steps: pd.DataFrame,
    *,
    edges: Sequence[float] = CLASSES,
    size: SizeRule = SIZE_RULE,
    interval: Callable[[ArrayLike, ArrayLike], Estimate] = stats.clustered_share,
) -> pd.DataFrame:
    """Share of steps with gamma < 0 in classes of size.

    steps: as `local_couplings` or `known_steps` returns; edges: limits of the classes in billions; size: which size a
    step gets (UsageError); interval: of a share, from its steps and their families, else ladders. Returns from_b, to_b,
    families, steps, negative, share, low, high (0-1); a class without steps has NaN.
    """
    if size not in SIZE_RULES:
        raise UsageError(suggest("size of a step", size, SIZE_RULES))
    defined, table = steps[steps["gamma"].notna()], []
    whose = next((defined[name] for name in ("family", "ladder") if name in defined), defined["gamma"] * 0)
    for start, end in pairwise([0.0, *sorted(edges), np.inf]):
        inside = defined[SIZE_RULES[size]].between(start, end, inclusive="left")
        negative, of = defined["gamma"][inside] < 0, whose[inside]
        share = interval(negative, stats.labels_to_codes(of)[0])
        count = of.nunique(), share.n, int(negative.sum())
        table.append((start, end, *count, share.estimate, share.low, share.high))
    columns = ["from_b", "to_b", "families", "steps", "negative", "share", "low", "high"]
    return pd.DataFrame(table, columns=columns)


def signs_by_tokens(steps: pd.DataFrame, *, edges: Sequence[float] = EDGES) -> pd.DataFrame:
    """Share of steps with gamma < 0 by class of size (edges, billions) and by training tokens (`TOKEN_EDGE`).

    steps: as `known_steps` returns; steps without tokens are left out. Returns from_b, to_b, tokens ("under", "over"
    the edge) and the columns of `signs_by_size`, whose intervals take families for clusters, however few there are.
    On the uniform panel: 16 of 17 and 3 of 8 below 3.5 B, 9 of 9 and 5 of 14 to 10 B, 1 of 4 and 5 of 20 above.
    """
    known = steps.dropna(subset=["tokens_b"])
    few = known["tokens_b"] < TOKEN_EDGE
    parts = {
        name: signs_by_size(known[part], edges=edges, interval=stats.wilson_clustered)
        for name, part in (("under", few), ("over", ~few))
    }
    table = pd.concat(parts, names=["tokens", None]).reset_index(level=0).sort_values("from_b", kind="stable")
    return table[["from_b", "to_b", "tokens", *table.columns[3:]]].reset_index(drop=True)


def base_rate(steps: pd.DataFrame, size_b: float) -> pd.Series:
    """The base rate of a tax near a size.

    steps: as `known_steps` returns, or those of them trained on few tokens: between families tokens are no proof of
    cause, as recipes changed with the years. size_b: billions, near is within a factor of three; UsageError where it is
    not positive. Returns how many steps are near it, of how many families, how many are a tax (gamma below -0.1) or
    only negative (below 0), and the share of a tax (Estimate, 0-1, `clustered_share`).
    """
    if not size_b > 0:
        raise UsageError("a base rate needs a size above 0, in billions")
    near = steps[(steps["size_b"] >= size_b / NEAR) & (steps["size_b"] <= size_b * NEAR)]
    tax, negative = near["phase"] == "tax", near["gamma"] < 0
    counts = {"steps": len(near), "families": near["family"].nunique(), "tax": int(tax.sum())}
    share = stats.clustered_share(tax, near["family"])
    return pd.Series(counts | {"negative": int(negative.sum()), "share": share}, dtype=object)


def regression(steps: pd.DataFrame, of: Literal["sign", "gamma"], on: Sequence[str]) -> pd.DataFrame:
    """Log-odds that a step is negative, or gamma, on the decades of size, tokens or compute, families as clusters.

    steps: as `known_steps` returns, those with every covariate count; on: of "size", "tokens", "compute" (the third is
    the sum of the other two). of: "sign", or "gamma": dy is then regressed on dx times (1, covariates), so that a step
    of two points of x, whose gamma is twice as uncertain as that of a step of four, counts a quarter (`family_model`
    gives each family a level of its own as well).
    Returns one row a covariate: term, estimate (log-odds or gamma a decade), low, high, p (two-sided), p_holm (after
    correction over the rows), steps, families. Generalised estimating equations of statsmodels with independent working
    correlation, so that the estimates of a sign are those of the logit, and the bias-reduced sandwich of Mancl and
    DeRouen (2001) with Student's t, families less the number of coefficients.
    Raises MissingError with fewer than eight families or where all steps have one sign.
    On the uniform panel, of the sign: size -1.23, tokens -2.11.
    """
    import statsmodels.api as sm

    rows, _, decades = _design(steps, on)
    design, outcome, family = sm.add_constant(decades), (rows["gamma"] < 0).to_numpy(float), sm.families.Binomial()
    if of == "gamma":
        outcome, family = rows["dy"].to_numpy(float), sm.families.Gaussian()
        design = design * rows["dx"].to_numpy(float)[:, None]
    elif np.ptp(outcome) == 0:
        raise MissingError("all steps have one sign; a regression of the sign needs both")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = sm.GEE(outcome, design, groups=rows["family"], family=family).fit(cov_type="bias_reduced")
            determined = bool(np.isfinite(fit.bse).all() and (np.asarray(fit.bse) > 0).all())
    except (ValueError, np.linalg.LinAlgError):
        determined = False
    if not determined:
        raise MissingError(f"{len(rows)} steps do not determine a regression on {', '.join(on)}; add families")
    families = int(rows["family"].nunique())
    freedom = families - len(on) - 1
    estimate, se = np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]
    half, p = stats.student(0.95, freedom) * se, 2 * stdtr(freedom, -np.abs(estimate / se))
    table = pd.DataFrame({"term": list(on), "estimate": estimate, "low": estimate - half, "high": estimate + half})
    return table.assign(p=p, p_holm=stats.corrected(p), steps=len(rows), families=families)


def _design(steps: pd.DataFrame, on: Sequence[str]) -> tuple[pd.DataFrame, Floats, Floats]:
    """The steps that have every covariate, the mean decade of each, and the decades less it, one column each."""
    for name in on:
        if name not in COVARIATES:
            raise UsageError(suggest("covariate", name, COVARIATES))
    columns = [COVARIATES[name] for name in on]
    order = ["family", "params_b_low", "smaller"]
    rows = steps.dropna(subset=["gamma", *columns]).sort_values(order, kind="stable")
    families = int(rows["family"].nunique())
    if families < stats.LEAST_CLUSTERS:
        raise MissingError(
            f"a regression over families needs {stats.LEAST_CLUSTERS} of them with {', '.join(on)}; "
            f"{families} have a step"
        )
    decades = np.log10(rows[columns].to_numpy(dtype=float))
    centre = decades.mean(axis=0)
    decades = decades - centre
    if np.linalg.matrix_rank(decades, tol=1e-8 * len(decades)) < len(columns):
        raise MissingError(f"{', '.join(on)} cannot be told apart on {len(rows)} steps; add families or ask for fewer")
    return rows, centre, decades


def partial_couplings(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """r of two scores over models, alone and given size, tokens, both, or compute, below and above 3.5 billions.

    panel: one row a model with params_b, x, y, family and optionally pretrain_tokens_b; every row of one side holds the
    same models, those whose tokens are known. Returns side ("all", "below", "above"), held ("nothing", "size",
    "tokens", "size and tokens", "compute"), r, low, high (`clustered_r`), n.
    Raises MissingError where no model has tokens.
    """
    rows = stats.complete_rows(panel.assign(tokens=training_tokens(panel)), ["params_b", x, y, "tokens"], least=0)
    if rows.empty:
        raise MissingError("no model has its training tokens; add a column pretrain_tokens_b (billions)")
    rows = rows.assign(size=np.log10(rows["params_b"]), tokens=np.log10(rows["tokens"]))
    rows["compute"] = rows["size"] + rows["tokens"]
    held = {"nothing": [], "size": ["size"], "tokens": ["tokens"], "size and tokens": ["size", "tokens"]}
    below, answer = rows["params_b"] < EDGES[0], []
    for side, part in {"all": rows, "below": rows[below], "above": rows[~below]}.items():
        for controls, columns in (held | {"compute": ["compute"]}).items():
            r = stats.clustered_r(part[x], part[y], part["family"], given=part[columns])
            answer.append((side, controls, r.estimate, r.low, r.high, r.n))
    return pd.DataFrame(answer, columns=["side", "held", "r", "low", "high", "n"])


# A model of gamma over the steps of all families


@dataclass(frozen=True, slots=True)
class FamilyModel:
    """A random-effects meta-regression of gamma over the steps of many families, and what it holds of a turn.

    Its coefficients are the level (gamma at the mean covariates) and the slope on each covariate (gamma a decade);
    `centre`: mean log10 of each covariate; `steps`, `families`. The posterior is a mixture of normals over a grid of
    the two standard deviations `tau` (points, 2; between families, between steps of one beyond noise): `weight`
    (points,), `beta` (points, k), `covariance` (points, k, k). All that is asked of it is exact: nothing is drawn.
    """

    centre: dict[str, float]
    steps: int
    families: int
    tau: Floats
    weight: Floats
    beta: Floats
    covariance: Floats

    def terms(self) -> pd.DataFrame:
        """One row a coefficient: term, estimate (posterior mean), low, high (central 95 %), p_negative (0-1)."""
        rows = []
        for name, chosen in zip(("level", *self.centre), np.eye(1 + len(self.centre)), strict=True):
            value = self._of(chosen)
            rows.append((name, value.estimate, value.low, value.high, self._below_zero(chosen)))
        return pd.DataFrame(rows, columns=["term", "estimate", "low", "high", "p_negative"])

    def spread(self) -> Estimate:
        """Standard deviation of gamma between families: posterior median, central 95 %."""
        points, place = np.unique(self.tau[:, 0], return_inverse=True)
        weight = np.bincount(place, weights=self.weight)
        low, middle, high = np.interp([TAILS[0], 0.5, TAILS[1]], np.cumsum(weight) - weight / 2, points)
        return Estimate(float(middle), float(low), float(high), self.steps, "posterior")

    def gamma(self, size_b: float, *, tokens_b: float | None = None) -> Estimate:
        """Expected gamma over families at a size, at the mean log tokens or at `tokens_b`; both in billions."""
        return self._of(self._at(size_b, tokens_b))

    def critical_scale(self, *, tokens_b: float | None = None) -> Estimate:
        """N_c (billions): the size at which the expected gamma over families goes from below to above zero.

        The estimate is where the posterior mean crosses; NaN where it does not rise. The interval holds every size at
        which P(gamma < 0) lies between 2.5 and 97.5 %: 0 or inf where no size is excluded on that side.
        """
        sizes = np.logspace(*REACH, 701)
        means = self.weight @ self.beta
        rise, level = means[1], means @ self._at(1.0, tokens_b)
        negative = np.array([self._below_zero(self._at(size, tokens_b)) for size in sizes])
        inside = np.flatnonzero((negative > TAILS[0]) & (negative < TAILS[1]))
        low, high = sizes[inside[[0, -1]]] if inside.size else (NAN, NAN)
        return Estimate(
            float(10 ** (-level / rise)) if rise > 0 else NAN,
            0.0 if low == sizes[0] else float(low),
            math.inf if high == sizes[-1] else float(high),
            self.steps,
            POSTERIOR,
        )

    def p_turn(self, low_b: float, high_b: float, *, tokens_b: float | None = None, new_family: bool = False) -> float:
        """Probability (0-1) that the expected gamma turns upwards between two sizes (billions): that N_c lies there.

        new_family: of a family that is not among these, whose own level is one of the families' spread.
        """
        small, large = self._at(low_b, tokens_b), self._at(high_b, tokens_b)
        level = self.tau[:, 0] ** 2 * new_family
        (first, sd_first), (second, sd_second) = self._normals(small), self._normals(large)
        both = np.einsum("i,pij,j->p", small, self.covariance, large) + level
        var_first, var_second = sd_first**2 + level, sd_second**2 + level
        # P(below zero at one size, above at the other): from P(signs differ) and the two P(below zero).
        differ = stats.ratio_below(0.0, first, second, var_dy=var_first, var_dx=var_second, cov=both)
        fewer = ndtr(-first / np.sqrt(var_first)) - ndtr(-second / np.sqrt(var_second))
        return float(np.clip(self.weight @ (differ + fewer) / 2, 0.0, 1.0))

    def p_no_turn(self, *, tokens_b: float | None = None) -> float:
        """Probability (0-1) that a new family has no upward turn between 0.1 and 100 billion parameters.

        Its own level is one of the families' spread; it may lie above zero at all these sizes, or below.
        """
        return 1 - self.p_turn(*TURN, tokens_b=tokens_b, new_family=True)

    def _at(self, size_b: float, tokens_b: float | None) -> Floats:
        """Weights of the coefficients that give the expected gamma at a size and tokens."""
        if tokens_b is not None and "tokens" not in self.centre:
            raise UsageError("this model of the families has no training tokens; fit it on size and tokens")
        asked = {"size": size_b} | ({} if tokens_b is None else {"tokens": tokens_b})
        away = [np.log10(asked[name]) - mean if name in asked else 0.0 for name, mean in self.centre.items()]
        return np.array([1.0, *away])

    def _normals(self, chosen: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of a combination of coefficients at each point of the grid."""
        return self.beta @ chosen, np.sqrt(np.einsum("i,pij,j->p", chosen, self.covariance, chosen))

    def _below_zero(self, chosen: Floats) -> float:
        """Probability (0-1) that a combination of coefficients is below zero."""
        mean, sd = self._normals(chosen)
        return float(self.weight @ ndtr(-mean / sd))

    def _of(self, chosen: Floats) -> Estimate:
        mean, sd = self._normals(chosen)
        low, high = stats.mixture_interval(self.weight, mean, sd)
        return Estimate(float(self.weight @ mean), low, high, self.steps, POSTERIOR)


def family_model(
    steps: pd.DataFrame,
    panel: pd.DataFrame,
    *,
    on: Sequence[str] = ("size", "tokens"),
    x: str = "hellaswag",
    y: str = "truthfulqa",
) -> FamilyModel:
    """A model of gamma over the steps of all families: its level, its slope on size and on tokens, and their spread.

    steps: as `known_steps` returns, those with every covariate count; panel: the models, whose noise (`score_noise`)
    is taken as known; on: "size" first, then "tokens" or nothing. Families vary in level (tau_family), steps of one
    beyond their noise (tau_step). Flat priors: the coefficients are integrated exactly, the standard deviations over a
    grid of their restricted likelihood.
    Raises MissingError with fewer than eight families, UsageError for an unknown covariate.
    """
    if not on or on[0] != "size":
        raise UsageError('a model of the families needs "size" as its first covariate')
    rows, centre, decades = _design(steps, on)
    design = np.column_stack([np.ones(len(rows)), decades])
    gamma, codes = rows["gamma"].to_numpy(dtype=float), pd.factorize(rows["family"])[0]
    expected = np.full(len(rows), np.median(gamma))
    for points in (COARSE, COARSE, GRID):
        # The noise of x enters a step in proportion to its gamma: the model's, not the noisy one seen.
        noise = step_noise(rows, panel, expected, x=x, y=y)
        tau, weight, beta, covariance = posterior(gamma, design, codes, noise, grid=points)
        expected = design @ beta[int(np.argmax(weight))]
    families = int(rows["family"].nunique())
    middle = dict(zip(on, centre.tolist(), strict=True))
    return FamilyModel(middle, len(rows), families, tau, weight, beta, covariance)


def step_noise(rows: pd.DataFrame, panel: pd.DataFrame, gamma: Floats, *, x: str, y: str) -> Floats:
    """Covariance of the noise of gamma over steps, (n, n): that of y and of gamma times x, which neighbours share."""
    models = panel.drop_duplicates("model").set_index("model")
    names = pd.Index(pd.unique(rows[["smaller", "larger"]].to_numpy().ravel()))
    variance = {score: stats.score_noise(models.loc[names], score) ** 2 for score in (x, y)}
    unknown = [score for score, values in variance.items() if np.isnan(values).any()]
    if unknown:
        raise MissingError(f"the noise of {unknown[0]} is not known; add a column {unknown[0]}_stderr (points)")
    ends, order = np.zeros((len(rows), len(names))), np.arange(len(rows))
    ends[order, names.get_indexer(rows["smaller"])] = -1.0
    ends[order, names.get_indexer(rows["larger"])] = 1.0
    ends = ends / rows["dx"].to_numpy(dtype=float)[:, None]
    along = ends * gamma[:, None]
    return np.asarray((ends * variance[y]) @ ends.T + (along * variance[x]) @ along.T)


def restricted_likelihood(
    gamma: Floats, design: Floats, codes: Integers, noise: Floats, tau: tuple[float, float]
) -> tuple[float, Floats, Floats]:
    """Restricted log-likelihood (up to a constant) of the two spreads, the coefficients and their covariance.

    gamma (n,), design (n, k), codes: family of each step (n,), noise (n, n): its known covariance; tau: standard
    deviation between families and between steps. With noise zero this is statsmodels' MixedLM by REML.
    """
    alike = (codes[:, None] == codes[None, :]).astype(float)
    total = noise + tau[0] ** 2 * alike + tau[1] ** 2 * np.eye(len(gamma))
    root = np.linalg.cholesky(total)
    solved = np.linalg.solve(root, np.column_stack([design, gamma]))
    scaled, target = solved[:, :-1], solved[:, -1]
    normal = scaled.T @ scaled
    covariance = np.asarray(np.linalg.inv(normal), dtype=np.float64)
    beta = covariance @ (scaled.T @ target)
    residual = target - scaled @ beta
    value = -np.log(np.diag(root)).sum() - 0.5 * np.linalg.slogdet(normal)[1] - 0.5 * residual @ residual
    return float(value), beta, covariance


def posterior(
    gamma: Floats, design: Floats, codes: Integers, noise: Floats, *, grid: int = GRID
) -> tuple[Floats, Floats, Floats, Floats]:
    """Both spreads (points, 2), their weights, the coefficients and their covariances at each point of a grid.

    A coarse grid finds where the restricted likelihood lives, a fine one weighs it.
    """
    weights = 1 / np.diag(noise)
    centre = float((weights * gamma).sum() / weights.sum())
    most = 4 * float(np.sqrt((weights * (gamma - centre) ** 2).sum() / weights.sum())) + 1e-3
    ranges = [(0.0, most), (0.0, most)]
    for points in (COARSE, grid):
        tau = np.array([(a, b) for a in np.linspace(*ranges[0], points) for b in np.linspace(*ranges[1], points)])
        fits = [restricted_likelihood(gamma, design, codes, noise, (a, b)) for a, b in tau]
        value = np.array([fit[0] for fit in fits])
        likely = tau[value > value.max() - 9.0]
        step = [(high - low) / (points - 1) for low, high in ranges]
        ranges = [
            (max(0.0, float(likely[:, i].min()) - step[i]), float(likely[:, i].max()) + step[i]) for i in range(2)
        ]
    weight = np.exp(value - value.max())
    return tau, weight / weight.sum(), np.array([fit[1] for fit in fits]), np.array([fit[2] for fit in fits])
