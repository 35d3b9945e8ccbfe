"""Lab slopes that borrow strength from each other: how much of their spread is more than noise."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc, ndtri

from cape_lib.errors import MissingError, ScoresError
from cape_lib.frontier.lines import X, Y, complete_rows


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Cochran's test that all lab slopes are one: `q` on `freedom` degrees, `p`, and what is left over for labs.

    `tau` is the standard deviation of the true slopes (DerSimonian-Laird, zero where the spread is no more than
    noise), `share` the part of the spread that is not noise (I squared, 0-1), `common` the pooled slope.
    """

    q: float
    freedom: int
    p: float
    tau: float
    share: float
    common: float
    common_low: float
    common_high: float

    def __str__(self) -> str:
        return (
            f"Cochran's Q = {self.q:.1f} on {self.freedom} degrees of freedom, p = {self.p:.2g}; beyond noise slopes "
            f"spread by {self.tau:.2f} (sd) around {self.common:.2f} [{self.common_low:.2f}, {self.common_high:.2f}]"
        )


@dataclass(frozen=True, slots=True)
class SlopeTest:
    """F test that all labs share one slope: `f` on `freedom` (numerator, denominator), `p`, labs and models in it."""

    f: float
    freedom: tuple[int, int]
    p: float
    labs: int
    n: int

    def __str__(self) -> str:
        first, second = self.freedom
        return f"F = {self.f:.2f} on {first} and {second} degrees of freedom, p = {self.p:.2g}, {self.labs} labs"


@dataclass(frozen=True, slots=True)
class MixedSlopes:
    """Partial pooling by a mixed model (slope and intercept vary by lab).

    `slopes` has one row a lab (lab, n, slope); `slope_sd` is the model's standard deviation of slopes between labs;
    `singular` is True where the fit puts a variance at its edge or does not converge: then the data cannot tell the
    labs' slopes apart in this model, and `message` says so.
    """

    slopes: pd.DataFrame
    common: float
    slope_sd: float
    singular: bool
    message: str


def heterogeneity(slopes: pd.DataFrame) -> Heterogeneity:
    """Whether the labs' slopes differ by more than their noise.

    slopes: from `labs.lab_slopes`, columns slope and standard_error, two labs or more (else
    MissingError); ScoresError where a standard error is zero.
    """
    if len(slopes) < 2:
        raise MissingError(f"comparing slopes needs two labs with three models each, {len(slopes)} given")
    exact = slopes["standard_error"].to_numpy(float) == 0
    if exact.any():
        raise ScoresError(
            "the models of a lab lie exactly on a line, so that the noise of its slope is unknown; add one"
        )
    b = slopes["slope"].to_numpy(float)
    w = 1.0 / slopes["standard_error"].to_numpy(float) ** 2
    fixed = float((w * b).sum() / w.sum())
    q, freedom = float((w * (b - fixed) ** 2).sum()), len(b) - 1
    excess = max(0.0, q - freedom)
    tau2 = excess / float(w.sum() - (w**2).sum() / w.sum())
    w_star = 1.0 / (1.0 / w + tau2)
    common = float((w_star * b).sum() / w_star.sum())
    half = float(ndtri(0.975)) / float(np.sqrt(w_star.sum()))
    share = excess / q if q > 0 else 0.0
    return Heterogeneity(q, freedom, float(chdtrc(freedom, q)), tau2**0.5, share, common, common - half, common + half)


def slope_test(frame: pd.DataFrame, *, x: str = X, y: str = Y, fewest: int = 3) -> SlopeTest:
    """Exact F test that all labs share one slope: a line for each lab against parallel lines (analysis of covariance).

    frame: one row a model, scores in percent; labs with at least `fewest` models count. Unlike Cochran's Q, which takes
    standard errors of a few models each as known and calls equal slopes different too often, it holds its level.
    Raises MissingError with fewer than two such labs or without a degree of freedom left.
    """
    rows = complete_rows(frame, x, y)
    rows = rows[rows.groupby("lab")[x].transform("size") >= fewest]
    labs, old, new = pd.factorize(rows["lab"])[0], rows[x].to_numpy(float), rows[y].to_numpy(float)
    k, n = int(rows["lab"].nunique()), len(rows)
    if k < 2 or n <= 2 * k:
        raise MissingError(f"comparing slopes needs two labs with {fewest} models each and some to spare, {k} given")
    count = np.bincount(labs)
    dx, dy = (v - (np.bincount(labs, weights=v) / count)[labs] for v in (old, new))
    xx, xy, yy = (np.bincount(labs, weights=v) for v in (dx * dx, dx * dy, dy * dy))
    apart = float((yy - np.divide(xy**2, xx, out=np.zeros_like(xx), where=xx > 0)).sum())
    together = float(yy.sum() - xy.sum() ** 2 / xx.sum()) if xx.sum() > 0 else float(yy.sum())
    freedom = (k - 1, n - 2 * k)
    # A line through every point leaves nothing to judge by: no test, not a certain one.
    known = apart > 1e-12 * max(float(yy.sum()), 1e-300)
    f = (together - apart) / freedom[0] / (apart / freedom[1]) if known else float("nan")
    return SlopeTest(f, freedom, float(fdtrc(*freedom, f)) if known else float("nan"), k, n)


def shrunken_slopes(slopes: pd.DataFrame) -> pd.DataFrame:
    """Each lab's slope drawn towards the common one by as much as it is noise.

    slopes: from `labs.lab_slopes`. Returns its rows with `shrunk`, `shrunk_low`, `shrunk_high` (95 %, normal, tau taken
    as known) and `own_weight` (0: nothing of the lab's own slope is kept, 1: all of it).
    """
    spread = heterogeneity(slopes)
    variance = slopes["standard_error"].to_numpy(float) ** 2
    tau2 = spread.tau**2
    weight = tau2 / (tau2 + variance)
    common_variance = ((spread.common_high - spread.common_low) / 2 / float(ndtri(0.975))) ** 2
    half = float(ndtri(0.975)) * np.sqrt(weight * variance + (1 - weight) ** 2 * common_variance)
    shrunk = weight * slopes["slope"].to_numpy(float) + (1 - weight) * spread.common
    return slopes.assign(shrunk=shrunk, shrunk_low=shrunk - half, shrunk_high=shrunk + half, own_weight=weight)


def mixed_slopes(frame: pd.DataFrame, *, x: str = X, y: str = Y) -> MixedSlopes:
    """The same by statsmodels' MixedLM on all complete rows, labs with one model included.

    Slope and intercept vary by lab; x is centred and scaled by ten points inside for a stable fit. A singular fit is an
    answer and is returned as one.  Raises MissingError with fewer than three labs.
    """
    import statsmodels.formula.api as smf
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    rows = complete_rows(frame, x, y)
    if rows["lab"].nunique() < 3:
        raise MissingError(f"partial pooling needs three labs, {rows['lab'].nunique()} given")
    data = pd.DataFrame(
        {"y": rows[y].astype(float), "x": (rows[x].astype(float) - rows[x].mean()) / 10.0, "lab": rows["lab"]}
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = smf.mixedlm("y ~ x", data, groups=data["lab"], re_formula="~x").fit(reml=True, method=["lbfgs", "powell"])
    cov = np.asarray(fit.cov_re, dtype=float)
    edge = np.linalg.eigvalsh(cov).min() < 1e-3 * max(float(np.trace(cov)), 1e-9)
    convergence = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    singular = bool(edge or not fit.converged or convergence)
    common = float(fit.fe_params["x"])
    own = {str(lab): common + float(effect["x"]) for lab, effect in fit.random_effects.items()}
    counts = rows.groupby("lab").size()
    table = pd.DataFrame([(lab, int(counts[lab]), s / 10.0) for lab, s in own.items()], columns=["lab", "n", "slope"])
    message = (
        "singular fit: with so few models a lab the mixed model cannot separate slopes from intercepts"
        if singular
        else "regular fit"
    )
    table = table.sort_values("slope", ascending=False, ignore_index=True)
    return MixedSlopes(table, common / 10.0, float(np.sqrt(max(cov[1, 1], 0.0))) / 10.0, singular, message)
