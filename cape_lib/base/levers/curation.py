"""Curated data and scale: what a curated model has over web-trained ones, and the size that would give the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from cape_lib.errors import MissingError, UsageError
from cape_lib.stats import Estimate, cluster_bootstrap_counts, generator, percentile_interval, score_sd

Floats = NDArray[np.float64]
#: the papers' critical size of web-trained models, billions
CRITICAL_B = 3.5
#: what is put equal between a curated and a web-trained model -> in words
READINGS: dict[str, str] = {
    "x": "the same first score (HellaSwag)",
    "y": "the same second score (TruthfulQA), on the rising side of the dip",
    "residual": "the same second score beyond what the first one leads to expect",
}
GRID = 400


def minimum_curation(params_b: float, *, critical_b: float = CRITICAL_B) -> float:
    """Share of curated data (0-1) that the papers ask for at a size below the critical one: ((N_c - N) / N_c)^1.5.

    params_b: billions, above zero (UsageError else); at or above the critical size the answer is zero. A calculator:
    the exponent was set, no data were fitted, and no run has tested it.
    Source: paper A; 60 % at 1 B, 5 % at 3 B.
    """
    if not np.isfinite(params_b) or params_b <= 0:
        raise UsageError(f"size {params_b:g} is out of range; give billions of parameters, above 0")
    if not np.isfinite(critical_b) or critical_b <= 0:
        raise UsageError(f"critical size {critical_b:g} is out of range; give billions of parameters, above 0")
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


@dataclass(frozen=True, slots=True)
class WebTrend:
    """A parabola of one score in log10 size over the web-trained rows, with what its intervals need.

    `coefficients` (3,): of 1, u and u^2 with u = log10 params_b - `mean_log`; `inverse` (3, 3): of the normal matrix;
    `residual_sd`: points; `n`: rows; `t95`: Student's t for 95 %; `low_b`, `high_b`: range of the sizes, billions.
    """

    coefficients: Floats
    inverse: Floats
    residual_sd: float
    n: int
    t95: float
    mean_log: float
    low_b: float
    high_b: float

    def expected(self, params_b: ArrayLike) -> Floats:
        """The score (percent) that web-trained models of these sizes (billions) have on average, same shape."""
        return np.asarray(self._design(params_b) @ self.coefficients)

    def half_width(self, params_b: ArrayLike) -> Floats:
        """Half of the exact 95 % prediction interval of one more web-trained model, points, same shape."""
        design = self._design(params_b)
        spread = ((design @ self.inverse) * design).sum(axis=-1)
        return np.asarray(self.t95 * self.residual_sd * np.sqrt(1 + spread))

    def _design(self, params_b: ArrayLike) -> Floats:
        u = np.log10(np.asarray(params_b, dtype=float)) - self.mean_log
        return np.stack([np.ones_like(u), u, u * u], axis=-1)


def web_trend(panel: pd.DataFrame, benchmark: str, *, x: str = "hellaswag", y: str = "truthfulqa") -> WebTrend:
    """The trend of one score (`benchmark`) over the web-trained rows that hold x and y; MissingError below ten."""
    rows = web_trained(panel, x=x, y=y)
    log, score = np.log10(rows["params_b"].to_numpy(float)), rows[benchmark].to_numpy(float)
    design = np.vander(log - log.mean(), 3, increasing=True)
    coefficients = np.linalg.lstsq(design, score, rcond=None)[0]
    residual, n = score - design @ coefficients, len(rows)
    return WebTrend(
        coefficients=coefficients,
        inverse=np.linalg.pinv(design.T @ design),
        residual_sd=float(np.sqrt(residual @ residual / (n - 3))),
        n=n,
        t95=float(stdtrit(n - 3, 0.975)),
        mean_log=float(log.mean()),
        low_b=float(rows["params_b"].min()),
        high_b=float(rows["params_b"].max()),
    )


def curation_contrasts(panel: pd.DataFrame, *, x: str = "hellaswag", y: str = "truthfulqa") -> pd.DataFrame:
    """Each curated model beside what web-trained models of its size have, with what else differs.

    Returns model, params_b, training, instruct, doubtful, and for x, y and the residual (y beyond what x leads to
    expect): value, `<name>_expected`, `<name>_excess` (points over the web-trained at this size) and `<name>_p`
    (share of web-trained models, by the t distribution of their scatter, that would lie as high).
    """
    web = web_trained(panel, x=x, y=y)
    rows = curated(panel, x=x, y=y)
    own, weights = rows["params_b"].to_numpy(float), np.ones((1, len(web)))
    table = rows[["model", "params_b", "training", "instruct", "doubtful", x, y]].copy()
    table["residual"] = _residual(rows, web, weights, x, y)[0]
    for name, column in (("x", x), ("y", y)):
        trend = web_trend(panel, column, x=x, y=y)
        values = rows[column].to_numpy(float)
        _beside(table, name, values, trend.expected(own), sd=trend.residual_sd, freedom=trend.n - 3)
    size, rest = np.log10(web["params_b"].to_numpy(float)), _residual(web, web, weights, x, y)
    line = _weighted_fit(size, rest, weights, 1)[0]
    sd = float(np.sqrt(((rest[0] - np.vander(size, 2) @ line) ** 2).sum() / (len(web) - 2)))
    expected = np.vander(np.log10(own), 2) @ line
    _beside(table, "residual", table["residual"].to_numpy(), expected, sd=sd, freedom=len(web) - 2)
    return table.reset_index(drop=True)


def _beside(table: pd.DataFrame, name: str, values: Floats, expected: Floats, *, sd: float, freedom: int) -> None:
    """Put one reading's expectation, excess (points) and p into the table."""
    excess = values - expected
    table[f"{name}_expected"], table[f"{name}_excess"] = expected, excess
    table[f"{name}_p"] = stdtr(freedom, -excess / sd)


def equivalent_scale(
    panel: pd.DataFrame,
    *,
    reading: str = "residual",
    resamples: int = 2000,
    seed: int = 0,
    x: str = "hellaswag",
    y: str = "truthfulqa",
) -> pd.DataFrame:
    """For each curated model the size of a web-trained model with the same value of one reading.

    reading: a name of `READINGS`. The web-trained expectation is a parabola in log size (a line for the residual)
    within the sizes of the panel; families are resampled whole, and the model's own scores are redrawn with their
    noise.
    Returns model, params_b, equivalent_b, low, high (billions; inf: no web-trained size of the panel gets there, 0: the
    smallest already does), ratio, ratio_low, ratio_high (equivalent over own size), unreached (share of resamples).
    Source: paper A's "one unit of data quality is ten times the scale" and "Phi at 1 B like 10 B web-trained".
    """
    if reading not in READINGS:
        from cape_lib.names import suggest

        raise UsageError(suggest("reading", reading, READINGS))
    web, rows = web_trained(panel, x=x, y=y), curated(panel, x=x, y=y)
    rng = generator(seed)
    size = np.log10(web["params_b"].to_numpy(float))
    grid = np.linspace(size.min(), size.max(), GRID)
    counts = cluster_bootstrap_counts(web["family"].to_numpy(), resamples, rng)
    weights = np.vstack([np.ones(len(web)), counts]).astype(float)
    power = 1 if reading == "residual" else 2
    coefficients = _weighted_fit(size, _targets(web, weights, x, y)[reading], weights, power)
    expected = coefficients @ np.vander(grid, power + 1).T
    values = _values(rows, web, weights, x=x, y=y, rng=rng)[reading]
    table = []
    for i, (model, own) in enumerate(zip(rows["model"], rows["params_b"].to_numpy(float), strict=True)):
        sizes = _crossing(grid, expected, values[:, i])
        point, drawn = float(sizes[0]), sizes[1:]
        low, high = _open_interval(drawn)
        table.append((model, own, point, low, high, point / own, low / own, high / own, float(np.isinf(drawn).mean())))
    columns = ["model", "params_b", "equivalent_b", "low", "high", "ratio", "ratio_low", "ratio_high", "unreached"]
    return pd.DataFrame(table, columns=columns)


def ten_times(equivalents: pd.DataFrame) -> Estimate:
    """Median ratio of equivalent to own size: "one unit of data quality = ten times the scale" as one number.

    equivalents: from `equivalent_scale`. Interval: the widest limits of any of the models, inf where no web-trained
    size gets there; so few models allow nothing finer.
    """
    method = "median ratio, widest limits of the models"
    if equivalents.empty:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, method)
    ratio = float(np.quantile(equivalents["ratio"].to_numpy(float), 0.5, method="lower"))
    low, high = float(equivalents["ratio_low"].min()), float(equivalents["ratio_high"].max())
    return Estimate(ratio, low, high, len(equivalents), method)


def _targets(web: pd.DataFrame, weights: Floats, x: str, y: str) -> dict[str, Floats]:
    """The web-trained values of each reading for each set of weights, (sets, n)."""
    one = np.ones((len(weights), 1))
    return {
        "x": one * web[x].to_numpy(float),
        "y": one * web[y].to_numpy(float),
        "residual": _residual(web, web, weights, x, y),
    }


def _values(
    rows: pd.DataFrame, web: pd.DataFrame, weights: Floats, *, x: str, y: str, rng: np.random.Generator
) -> dict[str, Floats]:
    """The curated models' values of each reading, (sets, models): row 0 as measured, the others with score noise."""
    old, new = (rows[c].to_numpy(float) for c in (x, y))
    repeats = rng.standard_normal((2, len(weights), len(rows)))
    repeats[:, 0] = 0.0
    first = old + np.nan_to_num(score_sd(old, x)) * repeats[0]
    second = new + np.nan_to_num(score_sd(new, y)) * repeats[1]
    curve = _weighted_fit(web[x].to_numpy(float), web[y].to_numpy(float) * np.ones((len(weights), 1)), weights, 2)
    expected = curve[:, [0]] * first**2 + curve[:, [1]] * first + curve[:, [2]]
    return {"x": first, "y": second, "residual": second - expected}


def _residual(rows: pd.DataFrame, web: pd.DataFrame, weights: Floats, x: str, y: str) -> Floats:
    """y beyond the web-trained parabola y(x), (sets, rows)."""
    curve = _weighted_fit(web[x].to_numpy(float), web[y].to_numpy(float) * np.ones((len(weights), 1)), weights, 2)
    return np.asarray(rows[y].to_numpy(float) - curve @ np.vander(rows[x].to_numpy(float), 3).T)


def _weighted_fit(x: Floats, y: Floats, weights: Floats, power: int) -> Floats:
    """Polynomial coefficients, highest power first, for every set of weights at once: (sets, power + 1)."""
    # A constant x leaves the mean alone: its powers are then zero, not 0 / 0.
    centre, scale = x.mean(), x.std() or 1.0
    design = np.vander((x - centre) / scale, power + 1)
    gram = np.einsum("sn,ni,nj->sij", weights, design, design)
    # A resample of few families can leave fewer sizes than coefficients: a trace of ridge keeps it solvable.
    gram += 1e-9 * np.eye(power + 1)
    right = np.einsum("sn,ni,sn->si", weights, design, y)
    standard = np.linalg.solve(gram, right[..., None])[..., 0]
    return _unscale(standard, float(centre), float(scale))


def _unscale(standard: Floats, centre: float, scale: float) -> Floats:
    """Coefficients in x from coefficients in (x - centre) / scale, power 1 or 2."""
    if standard.shape[1] == 2:
        b, c = standard.T
        return np.column_stack([b / scale, c - b * centre / scale])
    a, b, c = standard.T
    first = a / scale**2
    second = b / scale - 2 * centre * first
    return np.column_stack([first, second, c - b * centre / scale + first * centre**2])


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


def _open_interval(drawn: Floats) -> tuple[float, float]:
    """Central 95 % of draws of which some may be 0 or inf, without interpolating towards infinity."""
    finite = drawn[~np.isnan(drawn)]
    if finite.size == 0:
        return percentile_interval(drawn)
    low, high = np.quantile(finite, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)
