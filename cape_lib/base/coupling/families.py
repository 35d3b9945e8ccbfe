"""Steps of many ladders beside the size and the training tokens of their models: shares, regressions, a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cape_lib import stats
from cape_lib.base.coupling.local import local_couplings
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import Estimate

Floats = NDArray[np.float64]
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
#: a step is near a size, and was trained on as many tokens, within these factors
NEAR, NEAR_TOKENS = 3.0, 3.0
COVARIATES = {"size": "size_b", "tokens": "tokens_b", "compute": "flops_1e21"}
Integers = NDArray[np.int64]
#: points of each standard deviation in the grid; twice as many move no end by a fiftieth of its width
COARSE, GRID = 10, 24
#: log10 billions over which a turn is looked for; an end beyond them is beyond every model there is
REACH = (-3.0, 4.0)
#: a new family has an upward turn where its gamma goes from below to above zero between these sizes, billions
TURN = (0.1, 100.0)
TAILS = (0.025, 0.975)
POSTERIOR = "posterior, level of all families"


def training_tokens(rows: pd.DataFrame) -> Floats:
    """Training tokens of each model, billions, (n,); NaN where unknown or where the source has an evident slip.

    rows: optionally with `pretrain_tokens_b`. BTLM's 627,000 billion (0.627 trillion in truth) is such a slip.
    """
    if "pretrain_tokens_b" not in rows.columns:
        return np.full(len(rows), np.nan)
    tokens = rows["pretrain_tokens_b"].to_numpy(dtype=float)
    return np.where((tokens > 0) & (tokens < MOST_TOKENS_B), tokens, np.nan)


def known_steps(
    panel: pd.DataFrame,
    *,
    by: str = "ladder",
    x: str = "hellaswag",
    y: str = "truthfulqa",
    size: SizeRule = SIZE_RULE,
) -> pd.DataFrame:
    """`local_couplings` of a panel, each step with its family, size, training tokens and compute.

    panel: one row a model with `model`, optionally family and pretrain_tokens_b (billions); size: which size a step
    gets. Adds family, size_b (billions), tokens_b (geometric mean of the two models, billions; NaN where one is not
    known) and flops_1e21 (6 N D, 1e21 operations). Steps without a gamma are left out. Errors as `local_couplings`.
    """
    if size not in SIZE_RULES:
        raise UsageError(suggest("size of a step", size, SIZE_RULES))
    steps = local_couplings(panel, by=by, x=x, y=y).dropna(subset=["gamma"])
    models = panel.drop_duplicates("model").set_index("model")
    tokens = pd.Series(training_tokens(models), index=models.index)
    family = models["family"] if "family" in models.columns else pd.Series(models.index, index=models.index)
    size_b = steps[SIZE_RULES[size]]
    tokens_b = np.sqrt(steps["smaller"].map(tokens) * steps["larger"].map(tokens))
    return steps.assign(
        family=steps["smaller"].map(family).fillna(steps[by]),
        size_b=size_b,
        tokens_b=tokens_b,
        flops_1e21=6 * size_b * tokens_b / 1e3,
    ).reset_index(drop=True)


def signs_by_size(
    steps: pd.DataFrame, *, edges: Sequence[float] = CLASSES, size: SizeRule = SIZE_RULE, level: float = 0.95
) -> pd.DataFrame:
    """Share of steps with gamma < 0 in classes of size.

    steps: as `local_couplings` or `known_steps` returns; edges: limits of the classes in billions; size: which size a
    step gets. Returns from_b, to_b, intervals, negative, share, low, high (0-1; families taken for alike where eight
    stand behind the class, else Wilson); a class without steps has NaN.
    """
    defined = steps[steps["gamma"].notna()]
    classes = _classes(defined, defined[SIZE_RULES[size]], edges)
    return pd.DataFrame(
        [
            {"from_b": start, "to_b": end, "intervals": len(inside)} | _negative(inside, level)
            for start, end, inside in classes
        ]
    )


def _classes(
    steps: pd.DataFrame, sizes: pd.Series, edges: Sequence[float]
) -> Iterator[tuple[float, float, pd.DataFrame]]:
    """The steps by class of size: its two limits (billions) and its rows."""
    for start, end in pairwise([0.0, *sorted(edges), np.inf]):
        yield start, end, steps[(sizes >= start) & (sizes < end)]


def _negative(steps: pd.DataFrame, level: float = 0.95) -> dict[str, float]:
    """How many steps are negative, and their share with its interval, as columns of a table."""
    share = negative_share(steps, level=level)
    count = int((steps["gamma"] < 0).sum())
    return {"negative": count, "share": share.estimate, "low": share.low, "high": share.high}


def negative_share(steps: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """Share of steps with gamma < 0 (0-1): families taken for alike where at least eight stand behind it, else Wilson.

    steps: with gamma and, optionally, family or ladder. Steps of one family are not independent.
    """
    return _share(steps, steps["gamma"] < 0, level)


def _share(steps: pd.DataFrame, hits: pd.Series, level: float = 0.95) -> Estimate:
    names = next((steps[c] for c in ("family", "ladder") if c in steps.columns), np.zeros(len(steps)))
    return stats.clustered_share(hits.to_numpy(), names, level)


def signs_by_tokens(
    steps: pd.DataFrame, *, edges: Sequence[float] = EDGES, token_edge: float = TOKEN_EDGE
) -> pd.DataFrame:
    """Share of steps with gamma < 0 by class of size and by training tokens.

    steps: as `known_steps` returns; steps without tokens are left out; edges, token_edge: billions. Returns from_b,
    to_b, tokens ("under", "over" the edge), steps, negative, families, share, low, high (`negative_share`).
    On the uniform panel: 16 of 17 and 3 of 8 below 3.5 B, 9 of 9 and 5 of 14 to 10 B, 1 of 4 and 5 of 20 above.
    """
    known = steps.dropna(subset=["tokens_b", "gamma"])
    answer = []
    for start, end, inside in _classes(known, known["size_b"], edges):
        few = inside["tokens_b"] < token_edge
        for name, rows in (("under", inside[few]), ("over", inside[~few])):
            row = {"from_b": start, "to_b": end, "tokens": name, "steps": len(rows)}
            answer.append(row | _negative(rows) | {"families": int(rows["family"].nunique())})
    columns = ["from_b", "to_b", "tokens", "steps", "negative", "families", "share", "low", "high"]
    return pd.DataFrame(answer)[columns]


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How often known steps near a size cost truthfulness: `steps`, their `families`, how many are a `tax`, the share.

    `share`: of steps that are a tax, 0-1; its interval takes families for alike where at least eight stand behind it,
    else it is Wilson's. `tokens_b`: the training tokens asked for (billions), None where steps of any tokens count.
    """

    steps: int
    families: int
    tax: int
    share: Estimate
    size_b: float
    tokens_b: float | None


def base_rate(steps: pd.DataFrame, size_b: float, *, tokens_b: float | None = None) -> BaseRate:
    """The base rate of a tax near a size, optionally among families trained on as many tokens.

    steps: as `known_steps` returns; size_b, tokens_b: billions; near is within a factor of three. Between families
    tokens are no proof of cause: recipes changed with the years, and tokens with them.
    Raises UsageError where a number is not positive.
    """
    if not size_b > 0 or (tokens_b is not None and not tokens_b > 0):
        raise UsageError("a base rate needs a size and tokens above 0, in billions")
    near = steps[(steps["size_b"] >= size_b / NEAR) & (steps["size_b"] <= size_b * NEAR)]
    if tokens_b is not None:
        near = near[(near["tokens_b"] >= tokens_b / NEAR_TOKENS) & (near["tokens_b"] <= tokens_b * NEAR_TOKENS)]
    return BaseRate(
        steps=len(near),
        families=int(near["family"].nunique()),
        tax=int((near["phase"] == "tax").sum()),
        share=_share(near, near["phase"] == "tax"),
        size_b=float(size_b),
        tokens_b=tokens_b,
    )


def sign_regression(steps: pd.DataFrame, *, on: Sequence[str] = ("size", "tokens")) -> pd.DataFrame:
    """Log-odds that a step is negative, on the decades of size, tokens or compute, families as clusters.

    steps: as `known_steps` returns, those with every covariate count; on: of "size", "tokens", "compute" (the third is
    the sum of the other two). Returns one row a covariate: term, estimate (log-odds a decade), low, high, p
    (two-sided), p_holm (after correction over the rows), steps, families. Generalised estimating equations of
    statsmodels with independent working correlation, so that the estimates are those of the logit, and the
    bias-reduced sandwich of Mancl and DeRouen (2001) with Student's t, families less the number of coefficients.
    Raises MissingError with fewer than eight families or where all steps have one sign.
    On the uniform panel: size -1.23, tokens -2.11.
    """
    import statsmodels.api as sm

    rows, _, design = _design(steps, on)
    negative = (rows["gamma"] < 0).to_numpy(dtype=float)
    if negative.min() == negative.max():
        raise MissingError("all steps have one sign; a regression of the sign needs both")
    model = sm.GEE(negative, sm.add_constant(design), groups=rows["family"], family=sm.families.Binomial())
    return _terms(model, on, rows)


def gamma_regression(steps: pd.DataFrame, *, on: Sequence[str] = ("size", "tokens")) -> pd.DataFrame:
    """Gamma itself on the decades of size, tokens or compute, families as clusters; see `sign_regression`.

    The change of y is regressed on dx times (1, covariates): so a step of two points of x, whose gamma is twice as
    uncertain as that of a step of four, counts a quarter. `family_model` gives each family a level of its own as well.
    """
    import statsmodels.api as sm

    rows, _, design = _design(steps, on)
    dx = rows["dx"].to_numpy(dtype=float)
    model = sm.GEE(rows["dy"].to_numpy(dtype=float), sm.add_constant(design) * dx[:, None], groups=rows["family"])
    return _terms(model, on, rows)


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


def _terms(model: object, on: Sequence[str], rows: pd.DataFrame) -> pd.DataFrame:
    """The coefficients of a fitted model with bias-reduced errors, one row a covariate."""
    from scipy.special import stdtr

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = model.fit(cov_type="bias_reduced")  # type: ignore[attr-defined]
    except (ValueError, np.linalg.LinAlgError):
        fit = None
    if fit is None or not (np.isfinite(fit.bse).all() and (np.asarray(fit.bse) > 0).all()):
        raise MissingError(f"{len(rows)} steps do not determine a regression on {', '.join(on)}; add families")
    families = int(rows["family"].nunique())
    freedom = families - len(on) - 1
    estimate, se = np.asarray(fit.params)[1:], np.asarray(fit.bse)[1:]
    half = stats.student(0.95, freedom) * se
    p = 2 * stdtr(freedom, -np.abs(estimate / se))
    return pd.DataFrame(
        {
            "term": list(on),
            "estimate": estimate,
            "low": estimate - half,
            "high": estimate + half,
            "p": p,
            "p_holm": stats.corrected(p),
            "steps": len(rows),
            "families": families,
        }
    )


def partial_couplings(
    panel: pd.DataFrame, *, cut_b: float | None = 3.5, x: str = "hellaswag", y: str = "truthfulqa", by: str = "family"
) -> pd.DataFrame:
    """r of two scores over models, alone and given size, tokens, both, or compute, below and above a cut.

    panel: one row a model with params_b, x, y and optionally pretrain_tokens_b; every row of one side holds the same
    models, those whose tokens are known. cut_b: billions, None for all models together. Returns side ("all", "below",
    "above"), given ("nothing", "size", "tokens", "size and tokens", "compute"), r, low, high (`clustered_r`), n.
    Raises MissingError where no model has tokens.
    """
    rows = stats.complete_rows(panel.assign(tokens=training_tokens(panel)), ["params_b", x, y, "tokens"], least=0)
    if rows.empty:
        raise MissingError("no model has its training tokens; add a column pretrain_tokens_b (billions)")
    size, tokens = np.log10(rows["params_b"].to_numpy(float)), np.log10(rows["tokens"].to_numpy(float))
    held = {
        "nothing": None,
        "size": size,
        "tokens": tokens,
        "size and tokens": np.column_stack([size, tokens]),
        "compute": size + tokens,
    }
    below = rows["params_b"].to_numpy(float) < (cut_b or np.inf)
    sides = {"all": np.ones(len(rows), dtype=bool)} | ({} if cut_b is None else {"below": below, "above": ~below})
    answer = []
    for side, inside in sides.items():
        part = rows[inside]
        for controls, columns in held.items():
            r = stats.clustered_r(part[x], part[y], part[by], given=None if columns is None else columns[inside])
            answer.append((side, controls, r.estimate, r.low, r.high, r.n))
    return pd.DataFrame(answer, columns=["side", "given", "r", "low", "high", "n"])


@dataclass(frozen=True, slots=True)
class FamilyModel:
    """A random-effects meta-regression of gamma over the steps of many families, and what it holds of a turn.

    `names`: "level" (gamma at the mean covariates), then the covariates (gamma a decade); `centre`: mean log10 of each
    covariate; `steps`, `families`. The posterior is a mixture of normal ones over a grid of the two standard deviations
    `tau` (points, 2; between families, between steps of one beyond noise): `weight` (points,), `beta` (points, k),
    `covariance` (points, k, k). All that is asked of it is exact: nothing is drawn.
    """

    names: tuple[str, ...]
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
        for name, chosen in zip(self.names, np.eye(len(self.names)), strict=True):
            value = self._of(chosen)
            rows.append((name, value.estimate, value.low, value.high, self._below(*self._normals(chosen))))
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
        logs = np.linspace(*REACH, 701)
        means = self.weight @ self.beta
        rise, level = means[1], means @ self._at(1.0, tokens_b)
        estimate = 10 ** (-level / rise) if rise > 0 else float("nan")
        negative = np.array([self._below(*self._normals(self._at(10**log, tokens_b))) for log in logs])
        open_ = logs[(negative > TAILS[0]) & (negative < TAILS[1])]
        if open_.size == 0:
            return Estimate(float(estimate), float("nan"), float("nan"), self.steps, POSTERIOR)
        low = 0.0 if open_[0] == logs[0] else 10 ** open_[0]
        high = np.inf if open_[-1] == logs[-1] else 10 ** open_[-1]
        return Estimate(float(estimate), float(low), float(high), self.steps, POSTERIOR)

    def p_turn(self, low_b: float, high_b: float, *, tokens_b: float | None = None) -> float:
        """Probability (0-1) that the expected gamma turns upwards between two sizes (billions): that N_c lies there."""
        return self._upward(low_b, high_b, tokens_b, own=False)

    def p_no_turn(self, *, tokens_b: float | None = None) -> float:
        """Probability (0-1) that a new family has no upward turn between 0.1 and 100 billion parameters.

        Its own level is one of the families' spread; it may lie above zero at all these sizes, or below.
        """
        return 1 - self._upward(*TURN, tokens_b, own=True)

    def _at(self, size_b: float, tokens_b: float | None) -> Floats:
        """Weights of the coefficients that give the expected gamma at a size and tokens."""
        if tokens_b is not None and "tokens" not in self.centre:
            raise UsageError("this model of the families has no training tokens; fit it on size and tokens")
        asked = {"size": size_b, "tokens": tokens_b}
        away = [
            0.0 if asked.get(name) is None else float(np.log10(asked[name])) - middle  # type: ignore[arg-type]
            for name, middle in self.centre.items()
        ]
        return np.array([1.0, *away])

    def _normals(self, chosen: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of a combination of coefficients at each point of the grid."""
        return self.beta @ chosen, np.sqrt(np.einsum("i,pij,j->p", chosen, self.covariance, chosen))

    def _below(self, mean: Floats, sd: Floats, limit: float = 0.0) -> float:
        return float(self.weight @ ndtr((limit - mean) / sd))

    def _of(self, chosen: Floats) -> Estimate:
        from scipy.optimize import brentq

        mean, sd = self._normals(chosen)
        ends = (float((mean - 12 * sd).min()), float((mean + 12 * sd).max()))
        low, high = (brentq(lambda v, q=q: self._below(mean, sd, v) - q, *ends, xtol=1e-10) for q in TAILS)
        return Estimate(float(self.weight @ mean), float(low), float(high), self.steps, POSTERIOR)

    def _upward(self, low_b: float, high_b: float, tokens_b: float | None, *, own: bool) -> float:
        """P(gamma below zero at one size, above at the other): from P(signs differ) and the two P(below zero)."""
        small, large = self._at(low_b, tokens_b), self._at(high_b, tokens_b)
        level = self.tau[:, 0] ** 2 if own else np.zeros(len(self.tau))
        (first, sd_first), (second, sd_second) = self._normals(small), self._normals(large)
        both = np.einsum("i,pij,j->p", small, self.covariance, large) + level
        var_first, var_second = sd_first**2 + level, sd_second**2 + level
        differ = stats.ratio_below(0.0, first, second, var_dy=var_first, var_dx=var_second, cov=both)
        fewer = ndtr(-first / np.sqrt(var_first)) - ndtr(-second / np.sqrt(var_second))
        return float(np.clip(self.weight @ (differ + fewer) / 2, 0.0, 1.0))


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
    is taken as known: neighbouring steps share a model, so their noise is correlated; on: "size" first, then "tokens"
    or nothing. Families vary in level (tau_family), steps of one beyond their noise (tau_step). Flat priors on the
    coefficients and on both standard deviations: the coefficients are integrated exactly, the standard deviations over
    a grid of their restricted likelihood (`restricted_likelihood`).
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
    return FamilyModel(("level", *on), middle, len(rows), families, tau, weight, beta, covariance)


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
