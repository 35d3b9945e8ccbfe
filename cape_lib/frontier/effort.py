"""Thinking as a lever: the same weights, asked to think more.

Figures: `charts.variants`; sentences: `story.again`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from cape_lib.errors import MissingError
from cape_lib.frontier.variants import ADMITS, MEASURES, PRECISION, REASONING, WRONG, of_domain, steady
from cape_lib.stats import Estimate, generator, mean_interval
from cape_lib.tables.variants import DOMAINS, EFFORTS

LADDER_RULE = (
    "A ladder of effort is two or more variants of the same weights, all thinking, whose last bracket names an "
    "effort; "
    "it is read from the lowest effort to the highest."
)
#: the method of a mean over makers: no width in it comes from how many models a maker has
MAKERS = "makers as replicates, t"
CHANGES: tuple[str, ...] = (REASONING, *MEASURES)
#: what the objections to a lever are counted in: a measure, and the way that the headline says it moves
MOVED = ((ADMITS, -1), (WRONG, 1), (PRECISION, 1))
_BARE = r"\((?:minimal|low|medium|high|xhigh|max)\)$"


def effort_ladders(rows: pd.DataFrame, *, bare: bool = True) -> pd.DataFrame:
    """One row a ladder of effort, by `LADDER_RULE`: what changed from its lowest effort to its highest.

    rows: from `variants.readings`. bare: only names that end in the bare word, "(high)"; False also takes "(Reasoning,
    High Effort)". Returns weights, lab, model, lowest, highest, efforts, and for each score of `CHANGES` the change
    in points and its standard error `<score>_se`, as if the two runs were independent: they answer the same questions.
    Raises MissingError where no weights have two efforts.
    """
    part = rows[(rows["mode"] == "reasoning") & rows["effort"].notna()]
    if bare:
        part = part[part["model"].str.contains(_BARE, case=False)]
    part = part.assign(rung=part["effort"].map({name: i for i, name in enumerate(EFFORTS)}))
    table = []
    for _, ladder in part.groupby("weights", sort=True):
        if ladder["rung"].nunique() > 1:
            ends = ladder.sort_values("rung").iloc[[0, -1]]
            table.append({**_ends(ends), "efforts": int(ladder["rung"].nunique())})
    if not table:
        raise MissingError("no model was measured at two efforts; a lever needs two settings of the same weights")
    return pd.DataFrame(table).sort_values(["lab", "weights"], ignore_index=True)


def _ends(ends: pd.DataFrame) -> dict[str, object]:
    """A pair of rows as one: names, and the change of each score with its standard error."""
    first, last = ends.iloc[0], ends.iloc[1]
    name = str(last["weights"]).split(": ")[1]
    row: dict[str, object] = {"weights": last["weights"], "lab": last["lab"], "model": name}
    row |= {"lowest": first["effort"], "highest": last["effort"]}
    for score in CHANGES:
        row[score] = float(last[score] - first[score])
        row[f"{score}_se"] = float(np.hypot(first[f"{score}_stderr"], last[f"{score}_stderr"]))
    return row


@dataclass(frozen=True, slots=True)
class Counted:
    """How many pairs rose: `rose` and `fell` of `n`; `sure` moved by more than 1.96 standard errors the way most did.

    `mean` is the mean change over pairs, points; `by_maker` that over the means of makers, with a t interval: makers
    choose the efforts and differ in policy, so that they are what another draw would replace. `makers_up` of `makers`
    rise on average.
    """

    score: str
    rose: int
    fell: int
    n: int
    sure: int
    mean: float
    by_maker: Estimate
    makers_up: int
    makers: int


def counted(pairs: pd.DataFrame, score: str) -> Counted:
    """The count of one score over ladders or pairs (rows of `effort_ladders` or `off_and_on`)."""
    change = pairs[score].to_numpy(float)
    rose, fell = int((change > 0).sum()), int((change < 0).sum())
    way = 1.0 if rose >= fell else -1.0
    sure = int((way * change > 1.96 * pairs[f"{score}_se"].to_numpy(float)).sum())
    makers = pairs.groupby("lab")[score].mean()
    up, over = int((makers > 0).sum()), mean_interval(makers, MAKERS)
    return Counted(score, rose, fell, len(pairs), sure, float(change.mean()), over, up, len(makers))


def off_and_on(rows: pd.DataFrame, *, exclude_efforts: bool = False) -> pd.DataFrame:
    """Pairs of the same weights without thinking and at their lowest effort, in the columns of `effort_ladders`.

    Lowest is the lowest effort named, else the fewest reasoning tokens. Of several modes without thinking the one that
    names no effort, or the highest, counts. exclude_efforts: leave out pairs whose thinking side names an effort.
    """
    rank = {name: i for i, name in enumerate(EFFORTS)}
    table = []
    both = rows[rows.groupby("weights")["mode"].transform("nunique") > 1]
    for _, part in both.groupby("weights", sort=True):
        off, on = part[part["mode"] == "none"], part[part["mode"] == "reasoning"]
        if exclude_efforts:
            on = on[on["effort"].isna()]
        if off.empty or on.empty:
            continue
        first = off.assign(rung=off["effort"].map(rank).fillna(99)).sort_values("rung").iloc[[-1]]
        second = on.assign(rung=on["effort"].map(rank).fillna(99)).sort_values(["rung", "reasoning_tokens"]).iloc[[0]]
        table.append(_ends(pd.concat([first, second])))
    if not table:
        raise MissingError("no model was measured with thinking off and on")
    return pd.DataFrame(table).sort_values(["lab", "weights"], ignore_index=True)


def counts(pairs: pd.DataFrame) -> pd.DataFrame:
    """`counted` for every score, one row each: its columns; mean, by_maker and its ends in points."""
    table = []
    for score in CHANGES:
        one = counted(pairs, score)
        over = one.by_maker.estimate, one.by_maker.low, one.by_maker.high
        table.append((score, one.rose, one.fell, one.n, one.sure, one.mean, *over, one.makers_up, one.makers))
    ends = ["by_maker", "by_maker_low", "by_maker_high"]
    return pd.DataFrame(table, columns=["score", "rose", "fell", "n", "sure", "mean", *ends, "makers_up", "makers"])


def ladder_checks(rows: pd.DataFrame) -> pd.DataFrame:
    """Ladders of effort under each objection to their count: objection, check, n, makers, and how many moved.

    Truncation (no variant that was set aside), ends only (every step from one effort to the next), one maker (without
    the one with most ladders), equal weights (open ones, which anyone can compare), and each of the six domains.
    `admits_fell`, `wrong_rose`, `precision_rose` of n.
    """
    ladders = effort_ladders(rows)
    most = ladders["lab"].value_counts().index[0]
    table = [
        ("none", "all ladders", ladders),
        ("truncation", "without variants set aside", effort_ladders(steady(rows))),
        ("ends only", "each step of effort", _steps(rows, set(ladders["weights"]))),
        ("one maker", f"without {most}", ladders[ladders["lab"] != most]),
        ("equal weights", "open weights only", _open(ladders, rows)),
    ]
    table += [("one domain", name, effort_ladders(of_domain(rows, name))) for name in DOMAINS]
    return _checked(table)


def off_on_checks(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of thinking off and on under each objection, in the columns of `ladder_checks`."""
    pairs = off_and_on(rows)
    most = pairs["lab"].value_counts().index[0]
    table = [
        ("none", "all pairs", pairs),
        ("truncation", "without variants set aside", off_and_on(steady(rows))),
        ("one maker", f"without {most}", pairs[pairs["lab"] != most]),
        ("equal weights", "open weights only", _open(pairs, rows)),
        ("an effort is more than on", "thinking sides that name no effort", off_and_on(rows, exclude_efforts=True)),
    ]
    return _checked(table)


def _checked(parts: list[tuple[str, str, pd.DataFrame]]) -> pd.DataFrame:
    table = [
        (objection, check, len(pairs), pairs["lab"].nunique(), *(int((sign * pairs[m] > 0).sum()) for m, sign in MOVED))
        for objection, check, pairs in parts
    ]
    names = ["admits_fell", "wrong_rose", "precision_rose"]
    return pd.DataFrame(table, columns=["objection", "check", "n", "makers", *names])


def _open(pairs: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The pairs of weights that are published: that both settings are the same weights can be checked in them."""
    published = rows.loc[rows["open_weights"].fillna(False).astype(bool), "weights"]
    return pairs[pairs["weights"].isin(set(published))]


def _steps(rows: pd.DataFrame, weights: set[str]) -> pd.DataFrame:
    """Changes from each named effort to the next one of the same weights."""
    part = rows[(rows["mode"] == "reasoning") & rows["effort"].notna() & rows["weights"].isin(weights)]
    part = part.assign(rung=part["effort"].map({name: i for i, name in enumerate(EFFORTS)})).sort_values("rung")
    return pd.DataFrame(
        [
            _ends(ladder.iloc[[i, i + 1]])
            for _, ladder in part.groupby("weights", sort=True)
            for i in range(len(ladder) - 1)
        ]
    )


def doses(rows: pd.DataFrame) -> pd.DataFrame:
    """`dose` for every score: points for ten times the tokens, mixed model and makers as replicates, where singular."""
    table = []
    for score in CHANGES:
        one = dose(rows, score)
        mixed, makers = one.mixed, one.by_maker
        ends = mixed.low, mixed.high, makers.estimate, makers.low, makers.high
        table.append((score, mixed.estimate, *ends, one.between_makers, one.between_models, one.singular))
    columns = ["score", "mixed", "low", "high", "by_maker", "by_maker_low", "by_maker_high"]
    return pd.DataFrame(table, columns=[*columns, "between_makers", "between_models", "singular"])


@dataclass(frozen=True, slots=True)
class Dose:
    """What ten times the reasoning tokens do to a score, at the same weights, in points.

    `slopes` has one row a model (weights, lab, n, slope). `mixed` is the mixed model's common slope: `singular` where
    it cannot tell makers or models apart, and too narrow with few makers, for its spreads are taken for known;
    `between_makers`, `between_models` its standard deviations of slopes. `by_maker` is the mean of the makers' mean
    slopes, with a t interval over makers: the one to show.
    """

    score: str
    slopes: pd.DataFrame
    mixed: Estimate
    between_makers: float
    between_models: float
    singular: bool
    by_maker: Estimate


def dose(rows: pd.DataFrame, score: str) -> Dose:
    """Effort as a measured dose: change of a score for ten times the reasoning tokens, at the same weights.

    rows: from `variants.readings`; weights with two or more thinking variants and counted tokens are used. Both sides
    are taken relative to the weights' own mean, and the mixed model (REML) has a level of each model, so that no
    difference between models enters; the slope may vary by maker and by model within maker. Raises MissingError with
    fewer than three such models.
    """
    import statsmodels.formula.api as smf

    part = rows[(rows["mode"] == "reasoning") & (rows["reasoning_tokens"] > 0)]
    part = part[part.groupby("weights")["model"].transform("size") > 1]
    if part["weights"].nunique() < 3:
        raise MissingError("a dose needs three models at two efforts each, with counted reasoning tokens")
    data = pd.DataFrame({"lab": part["lab"], "weights": part["weights"], "y": part[score].astype(float)})
    data["x"] = np.log10(part["reasoning_tokens"].astype(float))
    for column in ("x", "y"):
        data[column] -= data.groupby("weights")[column].transform("mean")
    own = []
    for weights, g in data.groupby("weights"):
        tokens, points = g["x"].to_numpy(float), g["y"].to_numpy(float)
        own.append((weights, g["lab"].iloc[0], len(g), float(tokens @ points) / float(tokens @ tokens)))
    slopes = pd.DataFrame(own, columns=["weights", "lab", "n", "slope"])
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
    makers, models = float(np.asarray(fit.cov_re)[0, 0]), float(np.asarray(fit.vcomp)[0])
    # Generalized least squares at the fitted spreads: the error of the fit itself is NaN or far off where one is zero.
    x, maker, model = (data[column].to_numpy() for column in ("x", "lab", "weights"))
    alike = makers * np.equal.outer(maker, maker) + models * np.equal.outer(model, model)
    covariance = fit.scale * np.eye(len(x)) + np.outer(x, x) * alike
    se = float(x @ np.linalg.solve(covariance, x)) ** -0.5
    method = "mixed model, slopes by model in maker"
    mixed = Estimate(beta, beta - 1.96 * se, beta + 1.96 * se, len(data), method)
    by_maker = slopes.groupby("lab")["slope"].mean()
    pooled = mean_interval(by_maker, MAKERS)
    # A spread under a hundredth of that of the models' own slopes is none.
    singular = not fit.converged or min(makers, models) <= 1e-4 * float(slopes["slope"].var())
    return Dose(score, slopes, mixed, makers**0.5, models**0.5, singular, pooled)


@dataclass(frozen=True, slots=True)
class Hump:
    """Whether a little thought admits more than none and more than much: `humped` of `n` models, beside two nulls.

    `null_share` is the share under a planted null in which thinking does nothing (1/3: the low point is as often the
    highest of three), `p` the chance of as many; `trend_share` the share where q only falls with thinking and
    scatters as it does here. The two steps share the low point, so that noise in it alone makes humps.
    """

    humped: int
    n: int
    null_share: float
    p: float
    trend_share: float
    makers: int


def hump(rows: pd.DataFrame, *, score: str = ADMITS, draws: int = 4_000, seed: int = 0) -> Hump:
    """Off, lowest and highest effort of the same weights: is the middle the highest? See `Hump`."""
    pairs = off_and_on(rows).set_index("weights")
    ladders = effort_ladders(rows, bare=False).set_index("weights")
    both = pairs.index.intersection(ladders.index)
    if len(both) < 3:
        raise MissingError("a hump needs three models measured without thought and at two efforts")
    up, down = pairs.loc[both, score].to_numpy(float), ladders.loc[both, score].to_numpy(float)
    humped = int(((up > 0) & (down < 0)).sum())
    total = up + down
    rng = generator(seed)
    # A straight fall of the observed mean size, with the scatter about each model's own straight line.
    scatter = float(np.std((up - down) / 2) / np.sqrt(1.5))
    noise = rng.normal(0.0, scatter, (draws, 3))
    falls = rng.choice(total, draws)
    off, low, high = noise[:, 0], falls / 2 + noise[:, 1], falls + noise[:, 2]
    trend = float(((low > off) & (low > high)).mean())
    p = float(bdtrc(humped - 1, len(both), 1 / 3))
    return Hump(humped, len(both), 1 / 3, p, trend, int(pairs.loc[both, "lab"].nunique()))
