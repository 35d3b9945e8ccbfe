"""One model of all families: gamma on size and training tokens, each family with a level of its own, known noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from cape_lib.base.coupling.steps import COVARIATES
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import LEAST_CLUSTERS, Estimate, ratio_below, score_noise

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
#: points of each standard deviation in the grid; twice as many move no end by a fiftieth of its width
COARSE, GRID = 10, 24
#: log10 billions over which a turn is looked for; an end beyond them is beyond every model there is
REACH = (-3.0, 4.0)
#: a new family has an upward turn where its gamma goes from below to above zero between these sizes, billions
TURN = (0.1, 100.0)
TAILS = (0.025, 0.975)
POSTERIOR = "posterior, level of all families"


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

    def spread(self) -> tuple[Estimate, Estimate]:
        """Standard deviation of gamma between families, and between steps of one beyond noise: median, central 95 %."""
        answer = []
        for values in self.tau.T:
            points, place = np.unique(values, return_inverse=True)
            weight = np.bincount(place, weights=self.weight)
            share = np.cumsum(weight) - weight / 2
            low, middle, high = np.interp([TAILS[0], 0.5, TAILS[1]], share, points)
            answer.append(Estimate(float(middle), float(low), float(high), self.steps, "posterior"))
        return answer[0], answer[1]

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
        differ = ratio_below(0.0, first, second, var_dy=var_first, var_dx=var_second, cov=both)
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
    for name in on:
        if name not in COVARIATES:
            raise UsageError(suggest("covariate", name, COVARIATES))
    if not on or on[0] != "size":
        raise UsageError('a model of the families needs "size" as its first covariate')
    columns = [COVARIATES[name] for name in on]
    rows = steps.dropna(subset=["gamma", *columns])
    rows = rows.sort_values(["family", "params_b_low", "smaller"], kind="stable")
    families = int(rows["family"].nunique())
    logs = np.log10(rows[columns].to_numpy(dtype=float))
    design = np.column_stack([np.ones(len(rows)), logs - logs.mean(axis=0) if len(rows) else logs])
    if families < LEAST_CLUSTERS or np.linalg.matrix_rank(design, tol=1e-6 * len(rows)) < design.shape[1]:
        raise MissingError(
            f"a model of all families needs {LEAST_CLUSTERS} of them that differ in {' and '.join(on)}; "
            f"{families} have a step"
        )
    gamma, codes = rows["gamma"].to_numpy(dtype=float), pd.factorize(rows["family"])[0]
    expected = np.full(len(rows), np.median(gamma))
    for points in (COARSE, COARSE, GRID):
        # The noise of x enters a step in proportion to its gamma: the model's, not the noisy one seen.
        noise = step_noise(rows, panel, expected, x=x, y=y)
        tau, weight, beta, covariance = posterior(gamma, design, codes, noise, grid=points)
        expected = design @ beta[int(np.argmax(weight))]
    centre = dict(zip(on, logs.mean(axis=0).tolist(), strict=True))
    return FamilyModel(("level", *on), centre, len(rows), families, tau, weight, beta, covariance)


def step_noise(rows: pd.DataFrame, panel: pd.DataFrame, gamma: Floats, *, x: str, y: str) -> Floats:
    """Covariance of the noise of gamma over steps, (n, n): that of y and of gamma times x, which neighbours share."""
    models = panel.drop_duplicates("model").set_index("model")
    names = pd.Index(pd.unique(rows[["smaller", "larger"]].to_numpy().ravel()))
    variance = {score: score_noise(models.loc[names], score) ** 2 for score in (x, y)}
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
