"""The only place with random numbers: bootstrap, permutation, score noise; and intervals in closed form.

Models of one family, releases of one laboratory, are not independent: with eight clusters or more each is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, owens_t, stdtr, stdtrit

from cape_lib.errors import MissingError, ScoresError, UsageError
from cape_lib.names import suggest
from cape_lib.tables.benchmarks import ITEM_COUNTS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Alternative = Literal["two-sided", "less", "greater"]
Scale = Literal["plain", "fisher"]
NAN = float("nan")
Z95 = float(ndtri(0.975))
#: Z95 as the papers and the browser round it: published bands, and noise that is on record, rest on it
ROUNDED_Z95 = 1.96
TINY = 1e-60
# Spread below this share of the size of the values is rounding, not variation.
FLAT = 1e-12
#: an effect counts as one that would have been seen where four of five repeats show it
POWER = 0.8
LEAST_P = 0.001
#: half of the rows of `fixed_normals`
FIXED_HALF = 500
#: Park and Miller's generator: state = 48271 state mod (2^31 - 1), from a first state that is no small number
MULTIPLIER, MODULUS, FIRST_STATE = 48271, 2**31 - 1, 123456789
#: a/b of the isocline of TruthfulQA over HellaSwag as published, calibrated on OLMo
RATIO = 0.187
#: fewer clusters than this cannot stand for the clusters there might be
LEAST_CLUSTERS = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval: `estimate` and [`low`, `high`] in one unit, `n` observations, the `method`.

    An unbounded side is +-inf; an interval that does not exist is NaN on both sides. Where `low` exceeds `high` the
    interval is the outside of a gap: every value up to `high` and every value from `low` on (a ratio whose
    denominator may be zero; see `fieller_limits`). Ask `contains` rather than comparing the ends.
    """

    estimate: float
    low: float
    high: float
    n: int
    method: str

    @property
    def outside(self) -> bool:
        """True where the interval is the outside of a gap."""
        return self.low > self.high

    @property
    def bounded(self) -> bool:
        """True where the interval exists and has two finite ends with everything between them."""
        return math.isfinite(self.low) and math.isfinite(self.high) and not self.outside

    def contains(self, value: float) -> bool:
        """True where `value` lies in the interval; False where the interval does not exist."""
        if self.outside:
            return value <= self.high or value >= self.low
        return self.low <= value <= self.high

    def row(self, name: str = "estimate") -> dict[str, float]:
        """As columns of a table: n, the number under `name`, low and high."""
        return {"n": self.n, name: self.estimate, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        if math.isnan(self.low) or math.isnan(self.high):
            interval = "[no interval]"
        elif self.outside:
            interval = f"[up to {self.high:.3g} or from {self.low:.3g}]"
        elif math.isinf(self.low) and math.isinf(self.high):
            interval = "[any value]"
        else:
            interval = f"[{self.low:.3g}, {self.high:.3g}]"
        return f"{self.estimate:.3g} {interval} (n = {self.n}; {self.method})"


def normal_estimate(estimate: float, se: float, n: int, *, method: str = "normal") -> Estimate:
    """An estimate with its normal 95 % interval; se: standard error in the estimate's unit, NaN gives no interval."""
    return Estimate(estimate, estimate - Z95 * se, estimate + Z95 * se, n, method)


def mean_interval(values: ArrayLike, method: str) -> Estimate:
    """Mean of independent values, (n,), with Student's t from their own scatter; no interval (NaN) for one value."""
    v = np.asarray(values, dtype=float)
    mean, n = float(v.mean()) if v.size else NAN, v.size
    half = student(0.95, n - 1) * float(v.std(ddof=1)) / float(np.sqrt(n)) if n > 1 else NAN
    return Estimate(mean, mean - half, mean + half, n, method)


def mixture_interval(weight: Floats, mean: Floats, sd: Floats, *, freedom: float = math.inf) -> tuple[float, float]:
    """Central 95 % of a mixture of normals, or of Student's t with so many degrees of freedom; all three (parts,)."""
    from scipy.optimize import brentq

    def below(value: float, tail: float) -> float:
        return float(weight @ stdtr(freedom, (value - mean) / sd) / weight.sum()) - tail

    ends = float((mean - 40 * sd).min()), float((mean + 40 * sd).max())
    low, high = (float(brentq(below, *ends, args=(tail,), xtol=1e-12)) for tail in (0.025, 0.975))
    return low, high


def student(level: float, freedom: float) -> float:
    """Half-width of the central interval of Student's t, in standard errors."""
    return float(stdtrit(freedom, 0.5 + level / 2)) if freedom > 0 else NAN


# p values, and what a test could have seen


def normal_p(z: float, alternative: Alternative = "two-sided") -> float:
    """p (0-1) of a value z in standard errors; alternative as in scipy. NaN where z is."""
    if alternative == "two-sided":
        return float(2 * ndtr(-abs(z)))
    return float(ndtr(-z if alternative == "greater" else z))


def corrected(p: ArrayLike, method: str = "holm") -> Floats:
    """The p values of one family of tests after correction, same order; NaN stays NaN and counts as no test.

    p: (n,), 0-1; method: a name of statsmodels' `multipletests` ("holm" keeps the chance of one false finding among
    all at the level, "fdr_bh" the share of false ones among the findings).
    """
    from statsmodels.stats.multitest import multipletests

    values = np.asarray(p, dtype=float).ravel()
    answer, known = np.full(values.shape, np.nan), ~np.isnan(values)
    if known.any():
        answer[known] = multipletests(values[known], method=method)[1]
    return answer


def p_short(p: float) -> str:
    """A p value for a column headed p: "0.016", "< 0.001" (never 0.00), "> 0.99"; a dash for NaN."""
    if math.isnan(p):
        return "\N{EN DASH}"
    if p < LEAST_P:
        return f"< {LEAST_P:g}"
    if p > 0.995:
        return "> 0.99"
    return f"{p:.2f}" if p >= 0.0995 else f"{p:.3f}"


def p_text(p: float, sided: Alternative | Literal[""] = "two-sided", *, correction: str = "") -> str:
    """A p value in words: "p = 0.016, two-sided"; "p < 0.001" below that, never 0.00; "p not known" for NaN.

    sided: what the alternative was ("less" and "greater" read "one-sided"; "" leaves it out, where a table's header
    says it); correction: "Holm" adds "after Holm's correction".
    """
    if math.isnan(p):
        return "p not known"
    short = p_short(p)
    text = f"p {short}" if short[0] in "<>" else f"p = {short}"
    side = "one-sided" if sided in ("less", "greater") else sided
    after = f"after {correction}'s correction" if correction else ""
    return ", ".join(part for part in (text, side, after) if part)


def seen_difference(se: float, *, tests: int = 1) -> float:
    """The smallest true difference that would have been told from zero in four of five repeats, in the unit of se.

    se: standard error; tests: how many share the 5 % (Bonferroni). 2.8 standard errors for one test.
    """
    return se * float(ndtri(1 - 0.025 / tests) + ndtri(POWER))


def seen_effect(interval: Estimate, *, scale: str = "plain") -> float:
    """The smallest true effect that this interval would have told from zero in four of five repeats; its unit.

    interval: 95 %, of an effect that is zero where nothing is there; scale: "plain", or "fisher" for a correlation,
    whose interval is even on Fisher's scale. NaN without a bounded interval.
    """
    if not interval.bounded:
        return math.nan
    ends = np.array([interval.low, interval.high])
    if scale == "fisher":
        ends = np.arctanh(np.clip(ends, -1 + FLAT, 1 - FLAT))
    effect = seen_difference(float(ends[1] - ends[0]) / 2 / Z95)
    return math.tanh(effect) if scale == "fisher" else effect


def seen_words(effect: float, *, digits: int = 2) -> str:
    """What stands beside an effect that is not shown, part of a sentence; empty for NaN.  digits: after the point.

    Smaller effects are missed in more than one of five repeats.
    """
    return "" if math.isnan(effect) else f"less than {effect:.{digits}f} could be missed"


def seen_share(n: int) -> float:
    """The smallest share (0-1) that n independent trials would have shown at least once in four of five repeats.

    Beside a "0 of n": 0 of 10 would have missed any share below 0.15 too often to speak. n: 1 or more.
    """
    return 1 - (1 - POWER) ** (1 / n) if n > 0 else math.nan


def seen_signs(n: int) -> float:
    """The smallest share of one sign (0.5-1) that a two-sided sign test of n independent steps would have seen.

    NaN where no outcome of n steps is significant (fewer than six at 95 %).
    """
    from scipy.stats import binom, binomtest

    reject = [k for k in range(n + 1) if n - k <= k and binomtest(k, n).pvalue <= 0.05] if n else []
    if not reject:
        return math.nan
    shares = np.linspace(0.5, 1.0, 501)
    return float(shares[np.argmax(binom.sf(reject[0] - 1, n, shares) >= POWER)])


# Random draws: all vectorised, all from a generator or fixed


def generator(seed: int | np.random.Generator = 0) -> np.random.Generator:
    """A random generator: PCG64 from an integer seed, or the given generator itself."""
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)


def fixed_normals(columns: int) -> Floats:
    """The same standard normal draws everywhere, shape (1000, columns): page, report and terminal show one interval.

    Lehmer's sequence with Park and Miller's multiplier fills column after column with 500 draws, so that a column is
    the same however many there are; the other 500 are their mirror image, so that no column has a mean. The integers
    stay below 2^53, which a browser repeats exactly.
    """
    return _columns(max(64, 2 ** int(np.ceil(np.log2(max(columns, 1))))))[:, :columns]


@lru_cache(maxsize=4)
def _columns(columns: int) -> Floats:
    state, jump = np.array([FIRST_STATE], dtype=np.int64), MULTIPLIER
    while state.size < FIXED_HALF * columns:
        # The next so many states are these, moved on by as many steps at once: products stay below 2^62.
        state, jump = np.concatenate([state, state * jump % MODULUS]), jump * jump % MODULUS
    half = ndtri(state[: FIXED_HALF * columns] / MODULUS).reshape(columns, FIXED_HALF).T
    normals = np.concatenate([half, -half])
    normals.flags.writeable = False
    return normals


def row_bootstrap_counts(n: int, resamples: int, rng: np.random.Generator) -> Integers:
    """How often each row is drawn in each resample, shape (resamples, n); each row of the answer sums to n."""
    rows = rng.integers(0, n, size=(resamples, n), dtype=np.int64)
    flat = (rows + n * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=n * resamples).reshape(resamples, n)


def cluster_bootstrap_counts(labels: ArrayLike, resamples: int, rng: np.random.Generator) -> Integers:
    """How often each row is drawn when whole clusters (families) are drawn with replacement, (resamples, n).

    labels: one label a row, (n,); a missing label is a cluster of its own. As many clusters are drawn as there are;
    the number of rows in a resample varies with their sizes.
    """
    codes, clusters = labels_to_codes(labels)
    return row_bootstrap_counts(clusters, resamples, rng)[:, codes]


def permutations_within(labels: ArrayLike, resamples: int, rng: np.random.Generator) -> Integers:
    """Row numbers shuffled among the rows of one label only, (resamples, n).  labels: (n,); one for all: any order."""
    codes, _ = labels_to_codes(labels)
    shuffled = np.argsort(codes + rng.random((resamples, codes.size)), axis=1)
    answer = np.empty_like(shuffled)
    answer[:, np.argsort(codes, kind="stable")] = shuffled
    return answer


def noisy_scores(
    score: ArrayLike, sd: ArrayLike, resamples: int, rng: np.random.Generator, *, correlation: float = 0.0
) -> Floats:
    """Scores that a repeat with other questions might give, shape (resamples, n): normal about each score.

    score, sd: percent points, (n,); correlation: of the noise between models, 0-1 (models that answer the same
    questions share part of it). Draws may leave 0-100: clipping would bias them.
    """
    middle, spread = np.asarray(score, dtype=float), np.asarray(sd, dtype=float)
    own = rng.standard_normal((resamples, middle.size))
    shared = rng.standard_normal((resamples, 1))
    return np.asarray(middle + spread * (np.sqrt(1.0 - correlation) * own + np.sqrt(correlation) * shared))


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Central interval (low, high) of the draws that are not NaN; NaN on both sides if there is none. level: 0-1.

    Draws may be infinite ("beyond every size"); an end then is one of the draws, as nothing lies half way to infinity.
    """
    values = np.asarray(draws, dtype=float).ravel()
    values = values[~np.isnan(values)]
    if values.size == 0:
        return NAN, NAN
    tails = ((1 - level) / 2, (1 + level) / 2)
    if np.isfinite(values).all():
        low, high = np.quantile(values, tails)
    else:
        low, high = np.quantile(values, tails[0], method="lower"), np.quantile(values, tails[1], method="higher")
    return float(low), float(high)


def permutation_p(
    statistic: float, draws: ArrayLike, alternative: Alternative = "two-sided", *, exact: bool = False
) -> float:
    """p (0-1) of a statistic among its permutation draws, (1 + as extreme) / (1 + draws): never zero.

    alternative: "two-sided" compares sizes without sign, "less" and "greater" with it; exact: the draws are all that
    there are, the data among them. Draws that are NaN are left out; NaN where the statistic is NaN or no draw is left.
    """
    values = np.asarray(draws, dtype=float).ravel()
    values = values[~np.isnan(values)]
    if np.isnan(statistic) or values.size == 0:
        return NAN
    # A draw that repeats the data must count as a tie, whatever the order of its sums.
    slack = 1e-12 * max(1.0, abs(statistic))
    if alternative == "two-sided":
        statistic, values = abs(statistic), np.abs(values)
    extreme = values <= statistic + slack if alternative == "less" else values >= statistic - slack
    own = 0 if exact else 1
    return float((own + np.count_nonzero(extreme)) / (own + values.size))


def sign_flip_p(values: ArrayLike, alternative: Alternative = "two-sided") -> float:
    """p (0-1) of the mean of independent values where the sign of each is a coin: the share of all 2^n ways to set the
    signs that give as extreme a mean. Exact up to 17 values; beyond, 100,000 fixed draws and the rule of
    `permutation_p`. It can be no less than 2^-n (two-sided 2^(1-n)); NaN without values or with one that is not finite.
    """
    own, n = np.asarray(values, dtype=np.float64), np.size(values)
    if n == 0 or not np.isfinite(own).all():
        return math.nan
    if n > 17:
        signs = generator(0).choice([-1.0, 1.0], (100_000, n))
    else:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    return permutation_p(float(own.mean()), signs @ own / n, alternative, exact=n <= 17)


def labels_to_codes(labels: ArrayLike) -> tuple[Integers, int]:
    """Numbers 0, 1, ... for the labels in order of appearance, and how many; a missing label counts as its own."""
    codes, names = pd.factorize(pd.Series(np.asarray(labels, dtype=object)), use_na_sentinel=True)
    codes, missing = codes.astype(np.int64), np.flatnonzero(codes < 0)
    codes[missing] = len(names) + np.arange(missing.size)
    return codes, len(names) + missing.size


def within(values: ArrayLike, labels: ArrayLike) -> Floats:
    """Values less the mean of their label, same shape, (n,) or (n, k).  labels: (n,); a missing one is its own."""
    rows = pd.DataFrame(np.asarray(values, dtype=float))
    away = rows - rows.groupby(labels_to_codes(labels)[0]).transform("mean")
    return away.mask(away.abs() <= FLAT * rows.abs(), 0.0).to_numpy().reshape(np.shape(values))


def scatter_within(values: ArrayLike, labels: ArrayLike) -> tuple[float, int]:
    """Standard deviation of values, (n,), about the mean of their label, and its degrees of freedom; NaN and 0 where no
    label has two.
    """
    rest = within(values, labels)
    freedom = rest.size - labels_to_codes(labels)[1]
    return (float(np.sqrt(rest @ rest / freedom)), freedom) if freedom > 0 else (NAN, 0)


def within_r(
    x: ArrayLike, y: ArrayLike, labels: ArrayLike, *, resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """r of two columns, (n,), less the means of their label; and its p (0-1, two-sided) among y shuffled within labels.

    The shuffles leave the means alone, so that what is left of y is shuffled in the place of y.
    """
    first, second = within(x, labels), within(y, labels)
    r = float(pearson_rows(first, second))
    return r, permutation_p(r, pearson_rows(first, second[permutations_within(labels, resamples, rng)]))


# Rows made ready for an analysis, and the noise of their scores


def complete(*columns: ArrayLike) -> list[Floats]:
    """The columns as float arrays without the rows in which any is missing; ScoresError if lengths differ."""
    arrays = [np.asarray(column, dtype=float) for column in columns]
    if len({array.shape for array in arrays}) > 1:
        raise ScoresError(f"columns of different length: {', '.join(str(array.size) for array in arrays)}")
    keep = np.all([np.isfinite(array) for array in arrays], axis=0)
    return [array[keep] for array in arrays]


def complete_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str | None = "params_b"
) -> pd.DataFrame:
    """The rows that have a value in each of `columns`, smallest size first; the input is left as it is.

    by: the column that they are put in order by, where it is there; None: they stay in their order, with their index.
    MissingError where a column is absent or fewer than `least` rows are left; `purpose` says what needs them.
    """
    for column in columns:
        if column not in frame.columns:
            raise MissingError(f"{suggest('column', column, map(str, frame.columns))}; add it to the table of scores")
    whole = np.logical_and.reduce([frame[column].notna().to_numpy() for column in columns])
    rows = frame if whole.all() else frame[whole]
    if len(rows) < least:
        blank = [column for column in columns if len(frame) and frame[column].isna().all()]
        step = f"fill in {' and '.join(blank)}, blank in every row" if blank else "add more models"
        needs = f"{purpose or 'this'} needs {least} rows with {', '.join(columns)}"
        raise MissingError(f"{needs}; {len(rows)} of {len(frame)} have them: {step}")
    if by is None:
        return rows
    # A second key, so that the order of rows in the file never matters.
    keys = [by, "model"] if {by, "model"} <= set(rows.columns) else [columns[0]]
    first = rows[keys[0]].to_numpy()
    if first.dtype.kind in "if" and (first[1:] > first[:-1]).all():
        return rows.reset_index(drop=True)
    return rows.sort_values(keys, kind="stable", ignore_index=True)


def ladder_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, least: int = 2, purpose: str = "", by: str = "params_b"
) -> pd.DataFrame:
    """The sizes of one family that have a value in each of `columns`, smallest first.

    by: the column of another axis, whose values take the place of the sizes. MissingError as `complete_rows`;
    ScoresError where two rows have one size or the rows are of several families (a `ladder` column that names one
    ladder settles the latter).
    """
    rows = complete_rows(frame, [by, *columns], least=least, purpose=purpose, by=by)
    groups = [rows[name] for name in ("ladder", "family") if name in rows.columns]
    if groups and all(group.nunique(dropna=False) > 1 for group in groups):
        listed = ", ".join(str(name) for name in groups[-1].unique()[:4])
        raise ScoresError(f"rows of several families in one ladder ({listed}); choose one family")
    size = rows[by].to_numpy(dtype=float)

    def named(places: NDArray[np.int64]) -> list[str]:
        return [str(rows["model"].iloc[i]) if "model" in rows.columns else f"row {i + 1}" for i in places]

    if by == "params_b" and not np.all(size > 0):
        wrong = ", ".join(named(np.flatnonzero(size <= 0)[:4]))
        raise ScoresError(f"params_b of {wrong} is not positive; give the size in billions")
    again = np.flatnonzero(np.diff(size) == 0)
    if again.size:
        pair = " and ".join(named(again[0] + np.arange(2)))
        what = "equal sizes" if by == "params_b" else "equals"
        raise ScoresError(
            f"{pair} have the same {by} {size[again[0]]:g}; the step between two {what} is undefined: keep one"
        )
    return rows


def score_sd(score: ArrayLike, benchmark: str | None = None, *, items: int | None = None) -> Floats:
    """Standard deviation of a score from the number of questions alone (percent points), same shape as `score`.

    score: percent, 0-100; benchmark: a name in `tables.ITEM_COUNTS`; items: number of questions, which goes before it.
    NaN where the number is unknown. Binomial: sqrt(p (1 - p) / items), a score of 0 or 100 taken half a question away
    from it. A conservative bound for MC2 (a mean of probabilities) and for two models asked the same questions;
    variation between training seeds is not in it.
    """
    percent = np.asarray(score, dtype=float)
    count = items if items is not None else ITEM_COUNTS.get(benchmark or "")
    if count is None:
        return np.full(percent.shape, np.nan)
    p = np.where(np.isnan(percent), np.nan, np.clip(percent / 100.0, 0.5 / count, 1.0 - 0.5 / count))
    return np.asarray(100.0 * np.sqrt(p * (1.0 - p) / count))


def score_noise(frame: pd.DataFrame, benchmark: str) -> Floats:
    """Standard deviation of the noise of each row's score, percent points, shape (n,).

    The harness's own standard error where `<benchmark>_stderr` gives it (percent points), else `score_sd`; NaN where
    neither is known.
    """
    sd = score_sd(frame[benchmark].to_numpy(dtype=float), benchmark)
    stated = frame.get(f"{benchmark}_stderr")
    return sd if stated is None else np.where(stated.isna(), sd, stated.to_numpy(dtype=float))


# Ratios and shares, in closed form


def fieller_limits(
    dy: ArrayLike,
    dx: ArrayLike,
    *,
    var_dy: ArrayLike,
    var_dx: ArrayLike,
    cov: ArrayLike = 0.0,
    freedom: float = np.inf,
) -> tuple[Floats, Floats]:
    """Ends (low, high) of Fieller's 95 % interval of dy / dx, element by element.

    It holds every ratio g for which dy - g dx is within its own noise of zero: g^2 A - 2 g B + C <= 0 with
    A = dx^2 - z^2 var_dx, B = dx dy - z^2 cov, C = dy^2 - z^2 var_dy. Where dx cannot be told from zero (A < 0) the
    answer is the outside of a gap, returned with low > high (values up to `high` or from `low` on), or, where dy
    cannot be told from zero either, every value, (-inf, inf). NaN in, NaN out. freedom: of the variances, where they
    were estimated: z is then Student's t.
    """
    up, along, var_up, var_along, both = (np.asarray(v, dtype=float) for v in (dy, dx, var_dy, var_dx, cov))
    z2 = student(0.95, freedom) ** 2
    a, b, c = np.broadcast_arrays(along**2 - z2 * var_along, along * up - z2 * both, up**2 - z2 * var_up)
    # B^2 - A C, expanded by hand: the difference of the two products would lose its digits to cancellation.
    inside = z2 * (along**2 * var_up + up**2 * var_along - 2 * along * up * both - z2 * (var_along * var_up - both**2))
    root = np.sqrt(np.clip(inside, 0.0, None))
    q = b + np.where(b < 0, -root, root)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = q / a
        second = np.where(q == 0, first, c / q)
    small, large = np.fmin(first, second), np.fmax(first, second)
    low, high = np.where(a < 0, large, small), np.where(a < 0, small, large)
    everything = (a <= 0) & (inside <= 0)
    low, high = np.where(everything, -np.inf, low), np.where(everything, np.inf, high)
    unknown = np.isnan(a + b + c)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def ratio_below(
    limit: ArrayLike, dy: ArrayLike, dx: ArrayLike, *, var_dy: ArrayLike, var_dx: ArrayLike, cov: ArrayLike = 0.0
) -> Floats:
    """Probability (0-1) that the ratio of two noisy differences is below `limit`, element by element, exactly.

    The true differences are taken as bivariate normal about the observed ones. With u = dy - limit dx and v = dx the
    ratio is below the limit where u and v have opposite signs, and for standardised means h, k and correlation rho

        P = delta + 2 T(h, (k / h - rho) / s) + 2 T(k, (h / k - rho) / s),   s = sqrt(1 - rho^2),

    T being Owen's function (1 / 2 pi) int_0^atan(a) exp(-h^2 / (2 cos^2 t)) dt, and delta = 1 where h and k have
    opposite signs, else 0. In any language: T is even in h and odd in a; for 0 <= a <= 1 it takes 48 Gauss-Legendre
    nodes up to min(atan(a), atan(8 / h)), and for a > 1 T(h, a) = (P + Q) / 2 - P Q - T(a h, 1 / a) with P, Q the
    normal distribution at h and a h: 1e-12 (a test does it). NaN where a variance is NaN.
    """
    g, up, along, var_up, var_along, both = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (limit, dy, dx, var_dy, var_dx, cov))
    )
    var_u = np.clip(var_up - 2 * g * both + g**2 * var_along, 0.0, None)
    # A variance of zero (a score without noise) leaves the sign to decide.
    sd_u, sd_v = np.sqrt(np.maximum(var_u, TINY)), np.sqrt(np.maximum(var_along, TINY))
    # Zero is moved aside by nothing that matters, so that h / k keeps a sign.
    h, k = (np.where(np.abs(m) < TINY, TINY, m) for m in ((up - g * along) / sd_u, along / sd_v))
    rho = np.clip((both - g * var_along) / (sd_u * sd_v), -1.0, 1.0)
    s = np.sqrt(np.clip((1.0 - rho) * (1.0 + rho), 0.0, None))
    wedges = np.where((h < 0) != (k < 0), 1.0, 0.0)
    for one, other in ((h, k), (k, h)):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = (other - rho * one) / (one * s)
        # 0 / 0: u and v are one and the same line, which has no wedge.
        wedges = wedges + 2 * owens_t(one, np.where(np.isnan(slope), 0.0, slope))
    return np.where(np.isnan(h + k + rho), np.nan, np.clip(wedges, 0.0, 1.0))


def wilson(k: int, n: int) -> Estimate:
    """Share k / n with Wilson's 95 % score interval (fractions, 0-1); scipy's: 9 of 10 gives 0.9 [0.596, 0.982].

    k: successes; n: trials, 0 gives NaN with the interval [0, 1].
    """
    from scipy.stats import binomtest

    if n <= 0:
        return Estimate(NAN, 0.0, 1.0, 0, "Wilson")
    interval = binomtest(k, n).proportion_ci(0.95, "wilson")
    return Estimate(k / n, float(interval.low), float(interval.high), n, "Wilson")


def wilson_clustered(hits: ArrayLike, clusters: ArrayLike) -> Estimate:
    """Share of yes with Wilson's 95 % interval where answers of one cluster (topic, family) may be alike.

    hits: (n,) yes or no; clusters: (n,) one label each. The number of answers is divided by the design effect that the
    clusters show (never below 1), and Student's t with one freedom less than there are clusters takes the place of the
    normal. [0, 1] with fewer than two clusters.
    Source: Korn and Graubard 1998, with Wilson's interval in place of the exact one.
    """
    yes = np.asarray(hits, dtype=float).ravel()
    n = yes.size
    names, codes = np.unique(np.asarray(clusters).ravel(), return_inverse=True)
    if n == 0:
        return Estimate(NAN, 0.0, 1.0, 0, "Wilson, clusters")
    share, groups = float(yes.mean()), len(names)
    if groups < 2:
        return Estimate(share, 0.0, 1.0, n, "Wilson, one cluster: no interval")
    away = np.bincount(codes, weights=yes - share)
    variance = groups / (groups - 1) * float(away @ away) / n**2
    plain = share * (1 - share) / n
    effect = max(1.0, variance / plain) if plain > 0 else 1.0
    many, z2 = n / effect, student(0.95, groups - 1) ** 2
    middle = (share + z2 / (2 * many)) / (1 + z2 / many)
    half = float(np.sqrt(z2 * (share * (1 - share) / many + z2 / (4 * many * many)))) / (1 + z2 / many)
    low, high = 0.0 if share == 0 else middle - half, 1.0 if share == 1 else middle + half
    return Estimate(share, low, high, n, f"Wilson, {groups} clusters, design effect {effect:.1f}")


# Correlations and straight lines of independent rows


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line y = slope x + intercept by least squares, with exact t intervals.

    `residual_sd` has n - 2 in its denominator; `covariance` is that of (slope, intercept), shape (2, 2);
    `mean_x` and `spread_x` (sum of squares about the mean) serve the prediction interval.
    """

    slope: Estimate
    intercept: Estimate
    residual_sd: float
    covariance: Floats
    r: float
    n: int
    mean_x: float
    spread_x: float

    def at(self, x: ArrayLike) -> Floats:
        """The fitted y, same shape as `x`."""
        return np.asarray(self.slope.estimate * np.asarray(x, dtype=float) + self.intercept.estimate)

    def half(self, x: ArrayLike, *, level: float = 0.95, sd: float | None = None) -> Floats:
        """How far from the line one further observation at `x` may lie: exact t, n - 2 degrees of freedom.

        sd: the scatter about the line, by default `residual_sd`; the answer is in its unit.
        """
        away = np.asarray(x, dtype=float) - self.mean_x
        wide = np.sqrt(1 + 1 / self.n + away**2 / self.spread_x)
        return np.asarray(student(level, self.n - 2) * (self.residual_sd if sd is None else sd) * wide)


def pearson_rows(x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Pearson r of each row of two (resamples, n) arrays, shape (resamples,); either may be one row, (n,).

    weights: counts of the rows, (resamples, n), in place of gathered resamples. NaN where a row is constant.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    w = np.ones(xs.shape[-1]) if weights is None else np.asarray(weights, dtype=float)
    total = w.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x, mean_y = (w * xs).sum(axis=-1) / total, (w * ys).sum(axis=-1) / total
        dx, dy = xs - mean_x[..., None], ys - mean_y[..., None]
        xx, yy = (w * dx * dx).sum(axis=-1), (w * dy * dy).sum(axis=-1)
        r = (w * dx * dy).sum(axis=-1) / np.sqrt(xx * yy)
        flat = (xx <= total * (FLAT * mean_x) ** 2) | (yy <= total * (FLAT * mean_y) ** 2)
    return np.where(flat, np.nan, np.clip(r, -1.0, 1.0))


def fisher(r: float, n: int, *, given: int = 0) -> Estimate:
    """A correlation with Fisher's z interval; each of the `given` variables held fixed costs one observation.

    r: -1 to 1, NaN allowed; n: observations. No interval (NaN) without a degree of freedom left.
    """
    freedom = n - 3 - given
    if np.isnan(r) or freedom <= 0:
        return Estimate(r, NAN, NAN, n, "Fisher z")
    with np.errstate(divide="ignore"):
        z = np.arctanh(r)
    half = Z95 / np.sqrt(freedom)
    return Estimate(r, float(np.tanh(z - half)), float(np.tanh(z + half)), n, "Fisher z")


def pearson(x: ArrayLike, y: ArrayLike, *, given: ArrayLike | None = None) -> Estimate:
    """Pearson r (-1 to 1), or partial r given other columns, with Fisher's z interval.

    x, y: (n,); given: (n,) or (n, k), held fixed: each column costs one observation. Rows with a missing value are left
    out. NaN where a column is constant or has no variation beside `given`, and with too few rows: it takes two, beside
    k columns k + 3.
    Published: -0.989 for HellaSwag and TruthfulQA of the eight Pythia sizes.
    """
    xs, ys, *columns = complete(x, y, *_held(given))
    k, n = len(columns), xs.size
    if n < (k + 3 if k else 2):
        return fisher(NAN, n, given=k)
    if k:
        design = np.column_stack([np.ones(n), *[_standard(c) for c in columns]])
        xs, ys = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (_standard(xs), _standard(ys)))
        # Standardised columns: a remainder of 1e-9 is rounding.
        if any(float(v @ v) <= 1e-18 * n for v in (xs, ys)):
            return fisher(NAN, n, given=k)
    return fisher(float(pearson_rows(xs, ys)), n, given=k)


def _held(given: ArrayLike | None) -> list[Floats]:
    """What is held fixed, (n,) or (n, k), as a list of k columns."""
    return [] if given is None else list(np.atleast_2d(np.asarray(given, dtype=float).T))


def _standard(v: Floats) -> Floats:
    """Centred, and divided by its spread unless it has none: units then do not matter to rounding."""
    v = v - v.mean()
    scale = float(np.sqrt(np.mean(v**2)))
    return v / scale if scale > 0 else v


def ols(x: ArrayLike, y: ArrayLike) -> Line:
    """Straight line y on x by least squares, with exact 95 % t intervals; rows with a missing value are left out.

    MissingError with fewer than two complete rows, ScoresError where x is constant. With two rows the line has no
    interval (NaN). Published: frontier panel of 34 rows, slope 0.513, intercept 46.4.
    """
    xs, ys = complete(x, y)
    n = xs.size
    if n < 2:
        raise MissingError(f"a line needs two complete rows, {n} given; add rows that have both values")
    mean_x, mean_y = float(xs.mean()), float(ys.mean())
    dx = xs - mean_x
    spread = float(dx @ dx)
    if spread <= n * (FLAT * mean_x) ** 2:
        raise ScoresError(f"a line needs two different values of x, all {n} are {mean_x:g}")
    slope = float(dx @ (ys - mean_y)) / spread
    intercept = mean_y - slope * mean_x
    residual = ys - mean_y - slope * dx
    sd = float(np.sqrt(residual @ residual / (n - 2))) if n > 2 else NAN
    covariance = sd**2 * np.array([[1 / spread, -mean_x / spread], [-mean_x / spread, 1 / n + mean_x**2 / spread]])
    halves = (student(0.95, n - 2) * np.sqrt(np.diag(covariance))).tolist()
    first, second = (
        Estimate(value, value - half, value + half, n, "least squares, t interval")
        for value, half in zip((slope, intercept), halves, strict=True)
    )
    return Line(first, second, sd, covariance, float(pearson_rows(xs, ys)), n, mean_x, spread)


def isocline(score: ArrayLike, ratio: float = RATIO) -> Floats:
    """The papers' curve: the critical second score (percent) over a first score (percent), 100 sqrt(ratio score / 100).

    score: percent, 0-100, any shape; ratio: a/b, above 0. TQA_c = sqrt(0.187 HellaSwag), GPQA_c = sqrt(0.513
    SWE-bench), IFEval_c = sqrt(0.97 GPQA), of fractions; at SWE 80 the curve is at 64.1.
    Raises UsageError for a ratio that is not positive, ScoresError for a negative score.
    """
    if not ratio > 0:
        raise UsageError(f"a/b is {ratio:g}; give a number above 0")
    values = np.asarray(score, dtype=float)
    if (values < 0).any():
        raise ScoresError(f"a score of {float(np.nanmin(values)):g} has no square root; give percent, 0 to 100")
    return np.asarray(100.0 * np.sqrt(ratio * values / 100.0))


# The same where rows come in clusters


def clustered(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    clusters: ArrayLike,
    given: int = 0,
    scale: Scale = "plain",
    unit: str = "families",
    few: Estimate | None = None,
    uneven: bool = False,
) -> Estimate:
    """Any statistic with a 95 % interval from leaving each cluster out in turn: the jackknife.

    statistic: takes the columns (or the rows of them that are left) and returns a number; columns: (n,) or (n, k);
    given: variables held fixed; scale: "fisher" for a correlation; unit: what the clusters are; few: the estimate to
    show below eight clusters, whose interval takes rows for independent (without it there is none). Half-width:
    Student's t with clusters - 2 - given degrees of freedom times the jackknife's standard error; with a dozen clusters
    it covers 94 to 96 %, where percentiles of resampled clusters cover 88 to 92 %. Source: Bell and McCaffrey 2002.
    uneven: the freedom is that of as many even clusters as count alike, (sum of sizes)^2 / sum of squares (Kish), as
    where a few makers have most of the rows.
    """
    arrays = [np.asarray(column) for column in columns]
    codes, number = labels_to_codes(clusters)
    if few is not None and number < LEAST_CLUSTERS:
        return few
    estimate, n = float(statistic(*arrays)), codes.size
    if number < LEAST_CLUSTERS:
        return Estimate(estimate, NAN, NAN, n, f"{number} {unit}: too few to leave out")
    left = np.array([float(statistic(*(array[codes != code] for array in arrays))) for code in range(number)])
    count = n**2 / (np.bincount(codes) ** 2).sum() if uneven else number
    freedom, method = float(min(number, count)) - 2 - given, f"{number} {unit}, each left out in turn"
    if np.isnan(estimate) or freedom < 1 or np.isnan(left).any():
        return Estimate(estimate, NAN, NAN, n, method)
    ends, middle = left, estimate
    if scale == "fisher":
        ends, middle = (np.arctanh(np.clip(v, -1 + FLAT, 1 - FLAT)) for v in (left, estimate))
    half = student(0.95, freedom) * float(np.sqrt((number - 1) / number * ((ends - ends.mean()) ** 2).sum()))
    low, high = (np.tanh(v) if scale == "fisher" else v for v in (middle - half, middle + half))
    return Estimate(estimate, float(low), float(high), n, method)


def clustered_r(
    x: ArrayLike,
    y: ArrayLike,
    clusters: ArrayLike,
    *,
    given: ArrayLike | None = None,
    unit: str = "families",
    fallback: bool = True,
    uneven: bool = False,
) -> Estimate:
    """Pearson r, or partial r given other columns, with the interval to show: clusters left out where there are eight.

    x, y, clusters: (n,); given: (n,) or (n, k), held fixed; rows with a missing number are left out. With fewer
    clusters the interval is Fisher's, which takes rows for independent (fallback=False: none). NaN below three rows.
    uneven: as in `clustered`.
    """
    first, second, labels, *held = complete(x, y, labels_to_codes(clusters)[0], *_held(given))
    n, k = first.size, len(held)

    def r(a: Floats, b: Floats, *fixed: Floats) -> float:
        return pearson(a, b, given=np.column_stack(fixed) if fixed else None).estimate

    plain = fisher(r(first, second, *held) if n > 2 else NAN, n, given=k)
    if np.isnan(plain.estimate):
        return plain
    few, columns = plain if fallback else None, (first, second, *held)
    return clustered(r, *columns, clusters=labels, given=k, scale="fisher", unit=unit, few=few, uneven=uneven)


def clustered_share(hits: ArrayLike, clusters: ArrayLike) -> Estimate:
    """Share of yes (0-1) with the interval to show: `wilson_clustered` where there are eight clusters, else Wilson's.

    hits: (n,) yes or no; clusters: (n,) one label each, a missing one is a cluster of its own.
    """
    yes = np.asarray(hits, dtype=bool).ravel()
    codes, number = labels_to_codes(clusters)
    return wilson(int(yes.sum()), yes.size) if number < LEAST_CLUSTERS else wilson_clustered(yes, codes)
