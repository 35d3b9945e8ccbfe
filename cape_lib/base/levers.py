"""The levers of the papers (width, curation, architecture), each with its null or with what is confounded.

Figures: `charts.testbed`; sentences: `story.levers`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from cape_lib import stats
from cape_lib.base.boundary import Parabolas, fit_parabolas
from cape_lib.errors import MissingError, UsageError
from cape_lib.names import suggest
from cape_lib.stats import Estimate, Floats

#: width of Pythia-70M, the papers' unit
REFERENCE_WIDTH = 512.0
WIDTH_COLUMNS = (
    *("n", "r", "low", "high", "r_normalised", "low_normalised", "high_normalised"),
    *("null", "null_low", "null_high", "share_positive", "p"),
)
#: the papers' critical size of web-trained models, billions
CRITICAL_B = 3.5
#: what is put equal between a curated and a web-trained model -> in words
READINGS: dict[str, str] = {
    "x": "the same first score (HellaSwag)",
    "y": "the same second score (TruthfulQA), on the rising side of the dip",
    "residual": "the same second score beyond what the first one leads to expect",
}
GRID = 400


def normalise(ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """Both scores divided by d_model / 512, as columns `x_normalised` and `y_normalised`, beside the given rows.

    Raises MissingError with fewer than three rows that hold both scores and a width, or with one width only.
    Source: paper A, width normalisation; it names the risk that a common divisor makes r positive by itself.
    """
    rows = ladder.dropna(subset=[x, y, "d_model"])
    if len(rows) < 3 or rows["d_model"].nunique() < 2:
        raise MissingError(
            f"width normalisation needs three models of different width with {x} and {y}, {len(rows)} given; "
            "add the column d_model"
        )
    unit = rows["d_model"].astype(float) / REFERENCE_WIDTH
    return rows.assign(x_normalised=rows[x] / unit, y_normalised=rows[y] / unit)


def width_normalised(
    ladder: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", resamples: int = 4_000, seed: int = 0
) -> dict[str, float]:
    """r before and after dividing both scores by width, beside random scores on the same widths.

    ladder: sizes of one family with d_model, scores in percent; errors as `normalise`. The random scores are the
    ladder's own x and y, each shuffled over the sizes by itself: no coupling and no trend with size. Returns n, r, low,
    high (Fisher), r_normalised, low_normalised, high_normalised, null, null_low, null_high (mean and 95 % of r over the
    random scores), share_positive (of them, 0-1) and p (one-sided, that the ladder's r exceeds theirs).
    Source: paper A; Pythia -0.989 to +0.963.
    """
    rows, rng = normalise(ladder, x=x, y=y), stats.generator(seed)
    before, after = stats.pearson(rows[x], rows[y]), stats.pearson(rows["x_normalised"], rows["y_normalised"])
    unit = rows["d_model"].to_numpy(float) / REFERENCE_WIDTH
    shuffled = [rng.permuted(np.tile(rows[score].to_numpy(float), (resamples, 1)), axis=1) for score in (x, y)]
    drawn = stats.pearson_rows(shuffled[0] / unit, shuffled[1] / unit)
    p = stats.permutation_p(after.estimate, drawn, "greater")
    readings = before.n, before.estimate, before.low, before.high, after.estimate, after.low, after.high
    null = float(np.nanmean(drawn)), *stats.percentile_interval(drawn), float(np.mean(drawn > 0))
    return dict(zip(WIDTH_COLUMNS, (*readings, *null, p), strict=True))


def width_by_ladder(
    panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa", resamples: int = 4_000
) -> pd.DataFrame:
    """`width_normalised` of every ladder of a panel (`tables.base`) with at least three widths: ladder, its columns."""
    table = []
    for name, rows in panel.dropna(subset=["ladder"]).groupby("ladder"):
        with suppress(MissingError):
            table.append({"ladder": str(name)} | width_normalised(rows, x=x, y=y, resamples=resamples))
    return pd.DataFrame(table, columns=["ladder", *WIDTH_COLUMNS])


def minimum_curation(params_b: float, *, critical_b: float = CRITICAL_B) -> float:
    """Share of curated data (0-1) that the papers ask for at a size below the critical one: ((N_c - N) / N_c)^1.5.

    params_b: billions, above zero (UsageError else); at or above the critical size the answer is zero. A calculator:
    the exponent was set, no data were fitted, and no run has tested it.
    Source: paper A; 60 % at 1 B, 5 % at 3 B.
    """
    for name, size in (("size", params_b), ("critical size", critical_b)):
        if not np.isfinite(size) or size <= 0:
            raise UsageError(f"{name} {size:g} is out of range; give billions of parameters, above 0")
    return float(max(0.0, (critical_b - params_b) / critical_b) ** 1.5)


def web_trained(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """The rows known to be trained on web text, base models only, with both scores; MissingError below ten."""
    rows = panel[(panel["training"] == "web") & ~panel["instruct"].fillna(False).astype(bool)].dropna(subset=[x, y])
    if len(rows) < 10:
        raise MissingError(f"equivalent scale needs ten web-trained models with {x} and {y}, {len(rows)} given")
    return rows


def curated(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """The rows marked curated or distilled, with both scores."""
    return panel[panel["training"].isin(["curated", "distilled"])].dropna(subset=[x, y])


def web_trend(panel: pd.DataFrame, benchmark: str) -> dict[str, Any]:
    """A parabola of one score in log10 size over the web-trained rows, with what its intervals need, as plain data.

    Returns coefficients (3,): of 1, u and u^2 with u = log10 params_b - mean_log; inverse (3, 3): of the normal matrix;
    residual_sd: points; n: rows; t95: Student's t for 95 %; low_b, high_b: range of the sizes, billions. MissingError
    below ten rows.
    """
    rows = web_trained(panel)
    log, n = np.log10(rows["params_b"].to_numpy(float)), len(rows)
    design = np.vander(log - log.mean(), 3, increasing=True)
    curve, sd = _about_size(log, rows[benchmark].to_numpy(float))
    return {
        "coefficients": [float(one[0]) for one in (curve.constant, curve.slope, curve.curvature)],
        "inverse": np.linalg.pinv(design.T @ design).tolist(),
        "residual_sd": sd,
        "n": n,
        "t95": stats.student(0.95, n - 3),
        "mean_log": float(log.mean()),
        "low_b": float(rows["params_b"].min()),
        "high_b": float(rows["params_b"].max()),
    }


def _about_size(log: Floats, score: Floats, *, bend: bool = True) -> tuple[Parabolas, float]:
    """The parabola (bend=False: line) of a score in log10 size, and its residual standard deviation (points)."""
    curve = fit_parabolas(log, score, bend=bend)
    rest = score - curve.at(log)[0]
    return curve, float(np.sqrt(rest @ rest / (log.size - 2 - bend)))


def beside_trend(trend: dict[str, Any], params_b: float) -> tuple[float, float]:
    """The score (percent) that web-trained models of this size (billions) have on average, and half of the exact 95 %
    prediction interval of one more of them, points.  trend: of `web_trend`.
    """
    u = np.vander([np.log10(params_b) - trend["mean_log"]], 3, increasing=True)[0]
    spread = float(u @ np.array(trend["inverse"]) @ u)
    return float(u @ trend["coefficients"]), float(trend["t95"] * trend["residual_sd"] * np.sqrt(1 + spread))


def curation_contrasts(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """Each curated model beside what web-trained models of its size have, with what else differs.

    Returns model, params_b, training, instruct, doubtful, and for x, y and the residual (y beyond what x leads to
    expect): value, `<name>_expected`, `<name>_excess` (points over the web-trained at this size) and `<name>_p`
    (share of web-trained models, by the t distribution of their scatter, that would lie as high; NaN without scatter).
    """
    web, rows = web_trained(panel, x=x, y=y), curated(panel, x=x, y=y)
    size, own = (np.log10(part["params_b"].to_numpy(float)) for part in (web, rows))
    first, second = web[[x, y]].to_numpy(float).T
    curve = fit_parabolas(first, second)
    table = rows[["model", "params_b", "training", "instruct", "doubtful", x, y]].copy()
    table["residual"] = rows[y].to_numpy(float) - curve.at(rows[x].to_numpy(float))[0]
    readings = {"x": (x, first), "y": (y, second), "residual": ("residual", second - curve.at(first)[0])}
    for name, (column, score) in readings.items():
        bend = name != "residual"
        trend, sd = _about_size(size, score, bend=bend)
        table[f"{name}_expected"] = trend.at(own)[0]
        table[f"{name}_excess"] = table[column] - table[f"{name}_expected"]
        with np.errstate(divide="ignore", invalid="ignore"):
            table[f"{name}_p"] = stdtr(len(web) - 2 - bend, -table[f"{name}_excess"].to_numpy(float) / sd)
    return table.reset_index(drop=True)


def equivalent_scale(
    panel: pd.DataFrame,
    *,
    reading: str = "residual",
    resamples: int = 2000,
    seed: int = 0,
    x: str = "hellaswag",
    y: str = "truthfulqa",
) -> pd.DataFrame:
    """For each curated model the size of a web-trained model with the same value of one reading (UsageError).

    reading: a name of `READINGS`. The web-trained expectation is a parabola in log size (a line for the residual)
    within the sizes of the panel; families are resampled whole, the model's own scores redrawn with their noise.
    Returns model, params_b, equivalent_b, low, high (billions; inf: no web-trained size of the panel gets there, 0: the
    smallest already does), ratio, ratio_low, ratio_high (equivalent over own size), unreached (share of resamples).
    Source: paper A's "one unit of data quality is ten times the scale" and "Phi at 1 B like 10 B web-trained".
    """
    if reading not in READINGS:
        raise UsageError(suggest("reading", reading, READINGS))
    web, rows = web_trained(panel, x=x, y=y), curated(panel, x=x, y=y)
    rng = stats.generator(seed)
    size = np.log10(web["params_b"].to_numpy(float))
    grid = np.linspace(size.min(), size.max(), GRID)
    counts = stats.cluster_bootstrap_counts(web["family"].to_numpy(), resamples, rng)
    weights = np.vstack([np.ones(len(web), dtype=np.int64), counts])
    first, second = web[[x, y]].to_numpy(float).T
    curve = fit_parabolas(first, second, weights)
    targets = {"x": first, "y": second, "residual": second - curve.at(first)}
    expected = fit_parabolas(size, targets[reading], weights, bend=reading != "residual").at(grid)
    # The curated models' own values: as measured first, then with the noise of their scores.
    repeats = rng.standard_normal((2, len(weights), len(rows)))
    repeats[:, 0] = 0.0
    old, new = (
        score + np.nan_to_num(stats.score_sd(score, name)) * noise
        for name, score, noise in zip((x, y), rows[[x, y]].to_numpy(float).T, repeats, strict=True)
    )
    values = {"x": old, "y": new, "residual": new - curve.at(old)}[reading]
    sizes = np.array([_crossing(grid, expected, own) for own in values.T]).reshape(len(rows), len(weights))
    # Draws may be 0 or inf: an end is one of them, as nothing lies half way to infinity.
    low, high = np.quantile(sizes[:, 1:], [0.025, 0.975], axis=1, method="inverted_cdf")
    table = rows[["model", "params_b"]].assign(equivalent_b=sizes[:, 0], low=low, high=high).reset_index(drop=True)
    for ratio, column in (("ratio", "equivalent_b"), ("ratio_low", "low"), ("ratio_high", "high")):
        table[ratio] = table[column] / table["params_b"]
    return table.assign(unreached=np.isinf(sizes[:, 1:]).mean(axis=1))


def ten_times(equivalents: pd.DataFrame) -> Estimate:
    """Median ratio of equivalent to own size: "one unit of data quality = ten times the scale" as one number.

    equivalents: from `equivalent_scale`. Interval: the widest limits of any of the models; so few allow nothing finer.
    """
    method = "median ratio, widest limits of the models"
    if equivalents.empty:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, method)
    ratio = float(np.quantile(equivalents["ratio"].to_numpy(float), 0.5, method="lower"))
    low, high = float(equivalents["ratio_low"].min()), float(equivalents["ratio_high"].max())
    return Estimate(ratio, low, high, len(equivalents), method)


def _crossing(grid: Floats, expected: Floats, values: Floats) -> Floats:
    """Size (billions) at which each expectation rises through its value; inf if it never does, 0 if always above.

    grid: log10 sizes, (g,); expected: (sets, g); values: (sets,). Straight lines between the points of the grid. The
    last rise counts: below the dip of a U the same value belongs to a model on its way down.
    """
    above = expected >= values[:, None]
    rises = ~above[:, :-1] & above[:, 1:]
    last = rises.shape[1] - 1 - rises[:, ::-1].argmax(axis=1)
    sets = np.arange(len(values))
    before, after = expected[sets, last], expected[sets, last + 1]
    part = np.divide(values - before, after - before, out=np.ones(len(values)), where=after > before)
    sizes = 10.0 ** (grid[last] + np.clip(part, 0.0, 1.0) * (grid[last + 1] - grid[last]))
    return np.where(rises.any(axis=1), sizes, np.where(above[:, -1], 0.0, np.inf))


def generation_pairs(internal: pd.DataFrame, *, older: str = "Qwen2.5", newer: str = "Qwen3") -> pd.DataFrame:
    """Models of two generations matched by nearest size, within one kind of measurement.

    internal: `tables.load("internal_coupling")`. Returns measure_id, older, newer, older_b, newer_b, size_ratio,
    older_coupling, newer_coupling, difference, same_everywhere (True where the newer value equals that of another size
    of its generation to three digits). Raises MissingError where the two share no measurement.
    Source: paper A: Qwen 0.025 to 0.830 "at matched scale"; Qwen3-8B .741 against Qwen2.5-7B .619.
    """
    rows = internal.dropna(subset=["net_coupling"]).copy()
    in_name = rows["model"].str.extract(r"(?i)(?:^|-)(\d+\.?\d*)b$")[0].astype(float)
    rows["size"] = rows["params_b"].fillna(in_name)
    table = []
    for name, group in rows.groupby("measure_id"):
        old, new = group[group["family"] == older], group[group["family"] == newer]
        if old.empty or new.empty:
            continue
        rounded = new["net_coupling"].round(3)
        columns = [new["model"], new["size"].astype(float), new["net_coupling"], rounded.duplicated(keep=False)]
        for model, size, after, twin in zip(*columns, strict=True):
            near = old.iloc[int(np.abs(np.log(old["size"].to_numpy(float)) - np.log(size)).argmin())]
            pair = (name, near["model"], model, near["size"], size, size / near["size"])
            before = near["net_coupling"]
            table.append((*pair, before, after, after - before, twin))
    if not table:
        raise MissingError(f"{older} and {newer} share no measurement; rows of different measures are not compared")
    names = ["measure_id", "older", "newer", "older_b", "newer_b", "size_ratio", "older_coupling", "newer_coupling"]
    return pd.DataFrame(table, columns=[*names, "difference", "same_everywhere"])


def architecture_rows(internal: pd.DataFrame, *, family: str = "Gemma") -> pd.DataFrame:
    """All internal measurements of one family, with whether each was made like the others and on what kind of model.

    Returns model, params_b, measure_id, net_coupling, d_rep, tuned (instruction-tuned by name or note), note.
    Published: Gemma-3 .965, Gemma-4 .871, Gemma-4-it .952, E2B .789.
    """
    rows = internal[internal["family"] == family].copy()
    note = rows["note"].fillna("").astype(str)
    rows["tuned"] = rows["model"].str.endswith("-it") | note.str.contains("instruction-tuned")
    columns = ["model", "params_b", "measure_id", "net_coupling", "d_rep", "tuned", "note"]
    return rows[columns].sort_values("net_coupling", ascending=False, ignore_index=True)
