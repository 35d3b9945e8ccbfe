"""Models of today and two scores along training: how often each design of chapters 9 and 10 sees what was planted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, rankdata

from cape_lib.base import training
from cape_lib.frontier import effort, variants
from cape_lib.frontier.labs import pooled_ladders
from cape_lib.stats import clustered_r, mean_interval, pearson_rows
from experiments.coverage.rates import Rate, Setting, share

Floats = NDArray[np.float64]
VARIANTS, LEVERS, TRAINING = "models of today", "thinking and size today", "along training"
KEPT, PLAIN = "r, those that ran out kept", "r, size left out of account"
HEADLINE = "r of 0.85 along training"
#: share of the variance of scores between makers and between the models of a maker (GPQA, q: .3 to .45, .5)
BETWEEN_MAKERS, BETWEEN_MODELS = 0.35, 0.5
TYPICAL = f"makers {BETWEEN_MAKERS:.0%} of the variance, models {BETWEEN_MODELS:.0%}"


def variant_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """r of reasoning with q over the variants that the book has: their makers, models and sizes, planted scores."""
    rows = variants.readings()
    sizes = rows.dropna(subset=["params_b", "released"]).reset_index(drop=True)
    for tie in (0.0, 0.2, 0.4):
        x, q = _planted(rows, tie, replications, rng)
        away = [_away(x[i], q[i], rows) for i in range(replications)]
        yield share(_setting("r, makers left out", _tied(tie), len(rows), TYPICAL), away, _measure(tie))
    for tie in (0.0, 0.4):
        x, q = _planted(rows, tie, replications, rng)
        wrong = (100 - q) * (100 - _knows(x)) / 100
        away = [_away(rankdata(x[i]), rankdata(wrong[i]), rows) for i in range(replications)]
        if tie == 0.0:
            # What is known follows reasoning here, and so the wrong share must fall with it, whatever q does.
            yield share(_setting("Spearman with the wrong share", "q 0, a tied", len(rows), TYPICAL), away, "power")
        wrong = (100 - q) * (100 - _knows(rng.permuted(x, axis=1))) / 100
        away = [_away(rankdata(x[i]), rankdata(wrong[i]), rows) for i in range(replications)]
        truth = f"{_tied(tie)}, a not"
        yield share(_setting("Spearman with the wrong share", truth, len(rows), TYPICAL), away, _measure(tie))
    for tie in (0.0, 0.4):
        x, q = _planted(sizes, tie, replications, rng)
        size = np.log10(sizes["params_b"].to_numpy(float))
        size = (size - size.mean()) / size.std()
        bold, open_ = x + 10 * size, q + 10 * size
        if tie == 0.0:
            away = [_away(bold[i], open_[i], sizes) for i in range(replications)]
            yield share(_setting(PLAIN, "tied through size only", len(sizes), TYPICAL), away, "false positives")
        away = [_away(bold[i], open_[i], sizes, given=size) for i in range(replications)]
        truth = "tied through size only" if tie == 0.0 else f"{_tied(tie)}, at equal size"
        yield share(_setting("r given size, makers left out", truth, len(sizes), TYPICAL), away, _measure(tie))
    yield from _truncated(rows, replications, rng)


def _truncated(rows: pd.DataFrame, replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Nothing is tied, but the weakest tenth of those that think run out: little reasoning, and q near 100."""
    x, q = _planted(rows, 0.0, replications, rng)
    thinks = (rows["mode"] == "reasoning").to_numpy()
    weak = x.argsort(axis=1).argsort(axis=1) < len(rows) // 5
    lost = weak & thinks & (rng.random(x.shape) < 0.5)
    x, q = np.where(lost, x - 15, x), np.where(lost, 95.0, q)
    away = [_away(x[i], q[i], rows) for i in range(replications)]
    yield share(_setting(KEPT, "truncation alone", len(rows), TYPICAL), away, "false positives")
    steady = [_away(x[i][~lost[i]], q[i][~lost[i]], rows[~lost[i]]) for i in range(replications)]
    setting = _setting("r without those that ran out", "truncation alone", len(rows), TYPICAL)
    yield share(setting, steady, "false positives")


def _planted(rows: pd.DataFrame, tie: float, replications: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """GPQA and q, (replications, n) around 65 and 30: correlated by `tie` between makers, models and variants alike."""
    parts = []
    for share_, codes in (
        (BETWEEN_MAKERS, pd.factorize(rows["lab"])[0]),
        (BETWEEN_MODELS, pd.factorize(rows["weights"])[0]),
        (1 - BETWEEN_MAKERS - BETWEEN_MODELS, np.arange(len(rows))),
    ):
        first, other = rng.standard_normal((2, replications, int(codes.max()) + 1))
        second = tie * first + np.sqrt(1 - tie**2) * other
        parts.append((np.sqrt(share_) * first[:, codes], np.sqrt(share_) * second[:, codes]))
    x, q = (sum(part[i] for part in parts) for i in (0, 1))
    return 65 + 15 * np.asarray(x), 30 + 12 * np.asarray(q)


def _knows(x: Floats) -> Floats:
    """The share known of models that reason so well, as in the table: about a third of GPQA."""
    return x / 3


def _away(x: Floats, y: Floats, rows: pd.DataFrame, given: Floats | None = None) -> bool:
    """As `variants.association` decides: makers left out in turn, by their sizes where something is held fixed."""
    makers = rows["lab"].to_numpy()
    return not clustered_r(x, y, makers, given=given, unit="makers", uneven=given is not None).contains(0.0)


def _setting(method: str, truth: str, n: int, noise: str, part: str = VARIANTS) -> Setting:
    return Setting(part, method, truth, n, noise)


def _tied(tie: float) -> str:
    return f"r {tie:g}"


def _measure(tie: float) -> str:
    return "false positives" if tie == 0.0 else "power"


def lever_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Ladders of effort, thinking off and on, sizes of families and the hump: the makers that the book has."""
    rows = variants.readings()
    pairs = {"effort": effort.effort_ladders(rows), "off and on": effort.off_and_on(rows)}
    for name, table in pairs.items():
        makers = pd.factorize(table["lab"])[0]
        for spread in (2.5, 7.0):
            for mean in (0.0, -7.0):
                shape = (replications, len(table))
                change = mean + spread * rng.standard_normal((replications, makers.max() + 1))[:, makers]
                change = change + 5 * rng.standard_normal(shape)
                own = np.stack([change[:, makers == maker].mean(axis=1) for maker in range(makers.max() + 1)], axis=1)
                away = [not mean_interval(one, "t").contains(0.0) for one in own]
                setting = _setting(
                    f"{name}, makers as replicates",
                    f"mean change {mean:g}",
                    len(table),
                    f"makers differ by {spread:g}",
                    LEVERS,
                )
                yield share(setting, away, _measure(mean))
    yield from _size_rates(replications, rng)
    yield from _hump_rates(replications, rng)


def _size_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Whole ladders by size, pooled: families whose slopes scatter around nothing, or around half a point a point."""
    k, spread = 18, 0.7
    for slope in (0.0, 0.5):
        away = []
        for _ in range(replications):
            dx, error = rng.uniform(15, 60, k), rng.uniform(0.6, 1.2, k)
            dy = (slope + spread * rng.standard_normal(k)) * dx + error * rng.standard_normal(k)
            ladders = pd.DataFrame({"dx": dx, "dy": dy, "dy_low": dy - 1.96 * error, "dy_high": dy + 1.96 * error})
            mean = pooled_ladders(ladders)
            away.append(not mean.common_low <= 0 <= mean.common_high)
        setting = _setting(
            "sizes, pooled over families", f"slope {slope:g}", k, f"families differ by {spread:g}", LEVERS
        )
        yield share(setting, away, _measure(slope))


def _hump_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Off, a little, much: the middle is highest in a third of the models where thinking does nothing."""
    k = 18
    for height in (0.0, 10.0):
        q = 5 * rng.standard_normal((replications, k, 3)) + np.array([0.0, height, 0.0])
        humped = ((q[..., 1] > q[..., 0]) & (q[..., 1] > q[..., 2])).sum(axis=1)
        setting = _setting("hump, against a third", f"a hump of {height:g}", k, "models differ by 5", LEVERS)
        yield share(setting, binom.sf(humped - 1, k, 1 / 3) < 0.05, _measure(height))


def training_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Two scores of sixteen runs that rise alike; of the scatter at a checkpoint a share is common to both scores."""
    sizes, checkpoints = 8, 16
    twins = np.arange(2 * sizes) ^ 1
    for scatter in ("checkpoints", "a drift"):
        for common in (0.0, 0.3, 0.6):
            shape = (replications, 2 * sizes, checkpoints)
            both, one, two = rng.standard_normal((3, *shape))
            noise = [np.sqrt(common) * both + np.sqrt(1 - common) * own for own in (one, two)]
            if scatter == "a drift":
                noise = [np.cumsum(part, axis=-1) / 2 for part in noise]
            trend = np.arange(checkpoints)
            x, y = trend + noise[0], trend / 2 + noise[1]
            world = "trend alone" if common == 0.0 else f"{common:.0%} of the scatter shared"
            if common == 0.0:
                high = np.median(pearson_rows(x, y), axis=1) >= 0.85
                setting = _setting(HEADLINE, world, 2 * sizes, f"scatter of {scatter}", TRAINING)
                yield share(setting, high, "false positives")
            dx, dy = np.diff(x, axis=-1), np.diff(y, axis=-1)
            own, other = pearson_rows(dx, dy), pearson_rows(dx, dy[:, twins])
            z = [np.arctanh(part).reshape(replications, sizes, 2).mean(axis=2) for part in (own, other)]
            seen = [training.excess(a, b).p < 0.05 for a, b in zip(*z, strict=True)]
            setting = _setting("own run against its twin", world, 2 * sizes, f"scatter of {scatter}", TRAINING)
            yield share(setting, seen, _measure(common))
