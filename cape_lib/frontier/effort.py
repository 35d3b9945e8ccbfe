"""Thinking as a lever: the same weights, asked to think more.

Figures: `charts.variants`; sentences: `story.again`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc
from scipy.stats import multivariate_normal, ttest_1samp

from cape_lib.errors import MissingError
from cape_lib.frontier.variants import ADMITS, KNOWS, MEASURES, PRECISION, REASONING, WRONG, of_domain, steady
from cape_lib.stats import Z95, Estimate, corrected, mean_interval, sign_flip_p, within
from cape_lib.tables.variants import DOMAINS, EFFORTS

LADDER_RULE = (
    "A ladder of effort is two or more variants of the same weights, all thinking, whose last bracket names an "
    "effort; it is read from the lowest effort to the highest. A setting that is named minimal and spends no reasoning "
    "tokens does not think, and is no rung."
)
#: the method of a mean over makers: no width in it comes from how many models a maker has
MAKERS = "makers as replicates, t"
CHANGES: tuple[str, ...] = (REASONING, *MEASURES)
#: what the objections to a lever are counted in: a measure, and the way that the headline says it moves
MOVED = ((ADMITS, -1), (WRONG, 1), (PRECISION, 1))
#: an effort by name: where it spends no reasoning tokens it does not think
MINIMAL = "minimal"
MOVES = ("admits_fell", "wrong_rose", "precision_rose")
#: what q would have changed by (points) had the wrong answers stayed as many: only more is known
BY_KNOWING = "by_knowing"
_BARE = r"\((?:minimal|low|medium|high|xhigh|max)\)$"


def effort_ladders(rows: pd.DataFrame, *, bare: bool = True, minimal: bool = False) -> pd.DataFrame:
    """One row a ladder of effort, by `LADDER_RULE`: what changed from its lowest effort to its highest.

    rows: from `variants.readings`. bare: only names that end in the bare word, "(high)"; False also takes "(Reasoning,
    High Effort)". minimal: also take settings named `MINIMAL` that do not think, as the lowest rung. Returns weights,
    lab, model, lowest, highest, and for each score of `CHANGES` the change in points and its standard error
    `<score>_se`, as if the two runs were independent: they answer the same questions; `BY_KNOWING`, and efforts, how
    many there are.
    Raises MissingError where no weights have two efforts.
    """
    rungs = _rungs(rows, bare=bare, minimal=minimal)
    efforts = rungs.groupby("weights")["rung"].nunique()
    rungs = rungs[rungs["weights"].map(efforts) > 1]
    if rungs.empty:
        raise MissingError("no model was measured at two efforts; a lever needs two settings of the same weights")
    pairs = _changed(*(rungs.drop_duplicates("weights", keep=end) for end in ("first", "last")))
    return pairs.assign(efforts=pairs["weights"].map(efforts))


def _rungs(rows: pd.DataFrame, *, bare: bool = True, minimal: bool = False) -> pd.DataFrame:
    """The variants that think and name an effort, by weights, from the lowest `rung` to the highest; minimal: those
    named so too where they do not think.
    """
    rung = (rows["mode"] == "reasoning") | (minimal & (rows["effort"] == MINIMAL))
    part = rows[rung & rows["effort"].notna()]
    part = part[part["model"].str.contains(_BARE, case=False)] if bare else part
    return part.assign(rung=part["effort"].map(EFFORTS.index)).sort_values(["weights", "rung"], kind="stable")


def _changed(first: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """Two settings of the same weights, row by row alike, as the columns of `effort_ladders`."""
    first, last = first.reset_index(drop=True), last.reset_index(drop=True)
    pairs = last[["weights", "lab"]].assign(model=last["weights"].str.split(": ").str[1])
    pairs = pairs.assign(lowest=first["effort"], highest=last["effort"])
    for score in CHANGES:
        pairs[score] = last[score] - first[score]
        pairs[f"{score}_se"] = np.hypot(first[f"{score}_stderr"], last[f"{score}_stderr"])
    left = (100 - last[KNOWS]).where(last[KNOWS] < 100)
    pairs[BY_KNOWING] = 100 - 100 * first[WRONG] / left - first[ADMITS]
    return pairs.sort_values(["lab", "weights"], kind="stable", ignore_index=True)


def over_makers(pairs: pd.DataFrame, score: str) -> Estimate:
    """The mean change of a score over the means of makers, points, with a t interval over them.

    Makers choose the efforts and differ in policy, so that they are what another draw would replace.
    """
    return mean_interval(pairs.groupby("lab")[score].mean(), MAKERS)


def counted(pairs: pd.DataFrame, score: str) -> dict[str, Any]:
    """How a score moved over ladders or pairs (rows of `effort_ladders`, `off_and_on`).

    Returns score; how many rose and fell of n; sure, those that moved by more than 1.96 standard errors the way most
    did; mean, the mean change over all, and by_maker with its ends (`over_makers`), points; makers_up of makers rise on
    average; p, two-sided, of as large a mean over makers where the sign of each is a coin (`stats.sign_flip_p`).
    """
    change, makers = pairs[score].to_numpy(float), pairs.groupby("lab")[score].mean()
    rose, fell = int((change > 0).sum()), int((change < 0).sum())
    way, over = 1.0 if rose >= fell else -1.0, over_makers(pairs, score)
    return {
        "score": score,
        "rose": rose,
        "fell": fell,
        "n": len(pairs),
        "sure": int((way * change > Z95 * pairs[f"{score}_se"].to_numpy(float)).sum()),
        "mean": float(change.mean()),
        "by_maker": over.estimate,
        "by_maker_low": over.low,
        "by_maker_high": over.high,
        "makers_up": int((makers > 0).sum()),
        "makers": len(makers),
        "p": sign_flip_p(makers),
    }


def student_p(pairs: pd.DataFrame, score: str) -> tuple[float, float]:
    """Student's two-sided p of the mean change of a measure over makers: alone, and corrected (Holm) for asking all."""
    p = ttest_1samp(pairs.groupby("lab")[list(MEASURES)].mean(), 0.0).pvalue
    at = MEASURES.index(score)
    return float(p[at]), float(corrected(p)[at])


def counts(pairs: pd.DataFrame) -> pd.DataFrame:
    """`counted` for every score of `CHANGES`, one row each."""
    return pd.DataFrame([counted(pairs, score) for score in CHANGES])


def off_and_on(rows: pd.DataFrame, *, exclude_efforts: bool = False) -> pd.DataFrame:
    """Pairs of the same weights without thinking and at their lowest effort, in the columns of `effort_ladders`.

    Lowest is the lowest effort named, else the fewest reasoning tokens. Of several modes without thinking the one that
    names no effort, or the highest, counts. exclude_efforts: leave out pairs whose thinking side names an effort.
    """
    on, off = (rows[rows["mode"] == mode] for mode in ("reasoning", "none"))
    on = on[on["effort"].isna()] if exclude_efforts else on
    rank = {name: i for i, name in enumerate(EFFORTS)}
    first, last = (part.assign(rung=part["effort"].map(rank).fillna(len(rank))) for part in (off, on))
    first = first.sort_values(["weights", "rung"], kind="stable").drop_duplicates("weights", keep="last")
    last = last.sort_values(["weights", "rung", "reasoning_tokens"], kind="stable").drop_duplicates("weights")
    first, last = (part[part["weights"].isin(other["weights"])] for part, other in ((first, last), (last, first)))
    if first.empty:
        raise MissingError("no model was measured with thinking off and on")
    return _changed(first, last)


def ladder_checks(rows: pd.DataFrame) -> pd.DataFrame:
    """Ladders of effort under each objection to their count: objection, check, n, makers, and how many moved.

    Truncation (no variant that was set aside), ends only (every step from one effort to the next), unlike starts
    (those that start at low effort; all, with minimal where it does not think as the lowest), one maker (without the
    one with most ladders), equal weights (open ones, which anyone can compare), and each of the six domains.
    `admits_fell`, `wrong_rose`, `precision_rose` of n.
    """
    whole, truncated, one_maker, open_weights = _checks(rows, effort_ladders, "ladders")
    ladders, steps = whole[-1], _rungs(rows, bare=False)
    steps = steps[steps["weights"].isin(ladders["weights"])]
    follows = steps["weights"].eq(steps["weights"].shift(-1)).to_numpy()
    parts = [
        whole,
        truncated,
        ("ends only", "each step of effort", _changed(steps[follows], steps[1:][follows[:-1]])),
        ("unlike starts", "from low effort on", ladders[ladders["lowest"].isin(EFFORTS[:2])]),
        ("unlike starts", "with minimal effort", effort_ladders(rows, minimal=True)),
        one_maker,
        open_weights,
    ]
    return _counted([*parts, *(("one domain", name, effort_ladders(of_domain(rows, name))) for name in DOMAINS)])


def off_on_checks(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of thinking off and on under each objection, in the columns of `ladder_checks`."""
    unnamed = off_and_on(rows, exclude_efforts=True)
    more = ("an effort is more than on", "thinking sides that name no effort", unnamed)
    return _counted([*_checks(rows, off_and_on, "pairs"), more])


def _checks(
    rows: pd.DataFrame, pairs_of: Callable[[pd.DataFrame], pd.DataFrame], what: str
) -> list[tuple[str, str, pd.DataFrame]]:
    """The checks that ladders and pairs share; open weights: that both settings are the same can be checked there."""
    pairs = pairs_of(rows)
    most = pairs["lab"].value_counts().index[0]
    published = rows.loc[rows["open_weights"].fillna(False).astype(bool), "weights"]
    return [
        ("none", f"all {what}", pairs),
        ("truncation", "without what ran out", pairs_of(steady(rows))),
        ("one maker", f"without {most}", pairs[pairs["lab"] != most]),
        ("equal weights", "open weights only", pairs[pairs["weights"].isin(set(published))]),
    ]


def _counted(parts: list[tuple[str, str, pd.DataFrame]]) -> pd.DataFrame:
    table = [
        (objection, check, len(pairs), pairs["lab"].nunique(), *(int((sign * pairs[m] > 0).sum()) for m, sign in MOVED))
        for objection, check, pairs in parts
    ]
    return pd.DataFrame(table, columns=["objection", "check", "n", "makers", *MOVES])


def slopes(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    """Points of a score for ten times the reasoning tokens at the same weights: weights, lab, n, slope; a row a model.

    rows: from `variants.readings`; weights with two or more thinking variants and counted tokens are used. Raises
    MissingError with fewer than three such models.
    """
    data = _within(rows, score).assign(xx=lambda t: t["x"] ** 2, xy=lambda t: t["x"] * t["y"])
    own = data.groupby("weights").agg(lab=("lab", "first"), n=("x", "size"), xx=("xx", "sum"), xy=("xy", "sum"))
    return own.assign(slope=own["xy"] / own["xx"]).reset_index()[["weights", "lab", "n", "slope"]]


def dose(rows: pd.DataFrame, score: str) -> Estimate:
    """Effort as a measured dose: the mean of the makers' mean `slopes` with a t interval over makers; n: makers."""
    return over_makers(slopes(rows, score), "slope")


def _within(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    """lab, weights, y, x (log10 of the reasoning tokens), the last two less the mean of their weights."""
    part = rows[(rows["mode"] == "reasoning") & (rows["reasoning_tokens"] > 0)]
    part = part[part.groupby("weights")["model"].transform("size") > 1]
    if part["weights"].nunique() < 3:
        raise MissingError("a dose needs three models at two efforts each, with counted reasoning tokens")
    data = pd.DataFrame({"lab": part["lab"], "weights": part["weights"], "y": part[score].astype(float)})
    data["x"] = np.log10(part["reasoning_tokens"].astype(float))
    data[["x", "y"]] = within(data[["x", "y"]], data["weights"])
    return data


def doses(rows: pd.DataFrame) -> pd.DataFrame:
    """The dose of every score by two ways, points for ten times the tokens: `dose`, and a mixed model (REML).

    The mixed model has a level of each model, so that no difference between models enters, and slopes that vary by
    maker and by model within maker. Returns score; mixed, low, high: its common slope, too narrow with few makers, for
    its spreads are taken for known; by_maker with its ends, the one to show; between_makers, between_models: standard
    deviations of slopes; singular: it cannot tell makers or models apart.
    """
    import statsmodels.formula.api as smf

    table = []
    for score in CHANGES:
        data, makers = _within(rows, score), dose(rows, score)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = smf.mixedlm(
                "y ~ 0 + C(weights) + x",
                data,
                groups=data["lab"],
                re_formula="0 + x",
                vc_formula={"model": "0 + C(weights):x"},
            ).fit(reml=True, method=["lbfgs", "powell"])
        beta = float(fit.fe_params["x"])
        of_makers, of_models = float(np.asarray(fit.cov_re)[0, 0]), float(np.asarray(fit.vcomp)[0])
        # Generalized least squares at the fitted spreads: the error of the fit itself is NaN or far off where one is 0.
        x, maker, model = (data[column].to_numpy() for column in ("x", "lab", "weights"))
        alike = of_makers * np.equal.outer(maker, maker) + of_models * np.equal.outer(model, model)
        covariance = fit.scale * np.eye(len(x)) + np.outer(x, x) * alike
        half = Z95 * float(x @ np.linalg.solve(covariance, x)) ** -0.5
        # A spread under a hundredth of that of the models' own slopes is none.
        singular = not fit.converged or min(of_makers, of_models) <= 1e-4 * float(slopes(rows, score)["slope"].var())
        ends = makers.estimate, makers.low, makers.high
        table.append((score, beta, beta - half, beta + half, *ends, of_makers**0.5, of_models**0.5, singular))
    columns = ["score", "mixed", "low", "high", "by_maker", "by_maker_low", "by_maker_high"]
    return pd.DataFrame(table, columns=[*columns, "between_makers", "between_models", "singular"])


def hump(rows: pd.DataFrame, *, score: str = ADMITS) -> pd.Series:
    """Whether a little thought admits more than none and more than much: off, lowest and highest effort of the same
    weights.

    Returns humped of n models of so many makers, beside two nulls: p is the chance of as many under a planted null in
    which thinking does nothing (the low point is as often the highest of three as any: 1/3); trend_share the share
    where q only falls with thinking and scatters as it does here. The two steps share the low point, so that noise in
    it alone makes humps.
    """
    pairs = off_and_on(rows).set_index("weights")
    ladders = effort_ladders(rows, bare=False).set_index("weights")
    both = pairs.index.intersection(ladders.index)
    if len(both) < 3:
        raise MissingError("a hump needs three models measured without thought and at two efforts")
    up, down = pairs.loc[both, score].to_numpy(float), ladders.loc[both, score].to_numpy(float)
    humped = int(((up > 0) & (down < 0)).sum())
    # Straight falls as seen, with the scatter about each model's own line: both steps have the noise of the middle.
    scatter = float(np.std((up - down) / 2) / np.sqrt(1.5))
    steps = multivariate_normal([0, 0], scatter**2 * np.array([[2.0, 1.0], [1.0, 2.0]]))
    half = (up + down) / 2
    trend = float(np.mean(steps.cdf(np.column_stack([half, -half]))))
    answer = {"humped": humped, "n": len(both), "p": float(bdtrc(humped - 1, len(both), 1 / 3)), "trend_share": trend}
    return pd.Series(answer | {"makers": pairs.loc[both, "lab"].nunique()}, dtype=object)
