"""Steps of many ladders beside the size and the training tokens of their models: shares, regressions, base rates."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cape_lib.base.coupling.local import local_couplings
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import (
    LEAST_CLUSTERS,
    Estimate,
    clustered_r,
    clustered_share,
    complete_rows,
    corrected,
    student,
)

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
    values = defined[SIZE_RULES[size]]
    limits = [0.0, *sorted(edges), np.inf]
    answer = []
    for start, end in zip(limits[:-1], limits[1:], strict=True):
        inside = defined[(values >= start) & (values < end)]
        negative, share = int((inside["gamma"] < 0).sum()), negative_share(inside, level=level)
        answer.append((start, end, len(inside), negative, share.estimate, share.low, share.high))
    return pd.DataFrame(answer, columns=["from_b", "to_b", "intervals", "negative", "share", "low", "high"])


def negative_share(steps: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """Share of steps with gamma < 0 (0-1): families taken for alike where at least eight stand behind it, else Wilson.

    steps: with gamma and, optionally, family or ladder. Steps of one family are not independent.
    """
    return _share(steps, steps["gamma"] < 0, level)


def _share(steps: pd.DataFrame, hits: pd.Series, level: float = 0.95) -> Estimate:
    names = next((steps[c] for c in ("family", "ladder") if c in steps.columns), np.zeros(len(steps)))
    return clustered_share(hits.to_numpy(), names, level)


def signs_by_tokens(
    steps: pd.DataFrame, *, edges: Sequence[float] = EDGES, token_edge: float = TOKEN_EDGE
) -> pd.DataFrame:
    """Share of steps with gamma < 0 by class of size and by training tokens.

    steps: as `known_steps` returns; steps without tokens are left out; edges, token_edge: billions. Returns from_b,
    to_b, tokens ("under", "over" the edge), steps, negative, families, share, low, high (`negative_share`).
    On the uniform panel: 16 of 17 and 3 of 8 below 3.5 B, 9 of 9 and 5 of 14 to 10 B, 1 of 4 and 5 of 20 above.
    """
    known = steps.dropna(subset=["tokens_b", "gamma"])
    limits = [0.0, *sorted(edges), np.inf]
    answer = []
    for start, end in zip(limits[:-1], limits[1:], strict=True):
        inside = known[(known["size_b"] >= start) & (known["size_b"] < end)]
        few = inside["tokens_b"] < token_edge
        for name, rows in (("under", inside[few]), ("over", inside[~few])):
            share = negative_share(rows)
            answer.append(
                {
                    "from_b": start,
                    "to_b": end,
                    "tokens": name,
                    "steps": len(rows),
                    "negative": int((rows["gamma"] < 0).sum()),
                    "families": int(rows["family"].nunique()),
                    "share": share.estimate,
                    "low": share.low,
                    "high": share.high,
                }
            )
    return pd.DataFrame(answer)


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

    rows, design = _design(steps, on)
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

    rows, design = _design(steps, on)
    dx = rows["dx"].to_numpy(dtype=float)
    model = sm.GEE(rows["dy"].to_numpy(dtype=float), sm.add_constant(design) * dx[:, None], groups=rows["family"])
    return _terms(model, on, rows)


def _design(steps: pd.DataFrame, on: Sequence[str]) -> tuple[pd.DataFrame, Floats]:
    """The steps that have every covariate, and their decades less the mean, one column each."""
    for name in on:
        if name not in COVARIATES:
            raise UsageError(suggest("covariate", name, COVARIATES))
    columns = [COVARIATES[name] for name in on]
    rows = steps.dropna(subset=["gamma", *columns]).sort_values(["family", "smaller"], kind="stable")
    families = int(rows["family"].nunique())
    if families < LEAST_CLUSTERS:
        raise MissingError(
            f"a regression over families needs {LEAST_CLUSTERS} of them with {', '.join(on)}; {families} have a step"
        )
    decades = np.log10(rows[columns].to_numpy(dtype=float))
    decades = decades - decades.mean(axis=0)
    if np.linalg.matrix_rank(decades, tol=1e-8 * len(decades)) < len(columns):
        raise MissingError(f"{', '.join(on)} cannot be told apart on {len(rows)} steps; add families or ask for fewer")
    return rows, decades


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
    half = student(0.95, freedom) * se
    p = 2 * stdtr(freedom, -np.abs(estimate / se))
    return pd.DataFrame(
        {
            "term": list(on),
            "estimate": estimate,
            "low": estimate - half,
            "high": estimate + half,
            "p": p,
            "p_holm": corrected(p),
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
    rows = complete_rows(panel.assign(tokens=training_tokens(panel)), ["params_b", x, y, "tokens"], least=0)
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
        for given, columns in held.items():
            r = clustered_r(part[x], part[y], part[by], given=None if columns is None else columns[inside])
            answer.append((side, given, r.estimate, r.low, r.high, r.n))
    return pd.DataFrame(answer, columns=["side", "given", "r", "low", "high", "n"])
