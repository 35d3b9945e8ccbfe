"""Models of today and two scores along training: how often each design of chapters 9 and 10 sees what was planted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import binom, rankdata

from cape_lib.base import training
from cape_lib.frontier import effort, variants
from cape_lib.frontier.labs import pooled_ladders
from cape_lib.stats import Estimate, clustered_r, mean_interval, pearson_rows
from experiments.coverage.rates import Floats, Rate, Setting, away, share

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
    every, spearman = len(rows), "Spearman with the wrong share"
    for tie in (0.0, 0.2, 0.4):
        x, q = _planted(rows, tie, replications, rng)
        yield away(_setting("r, makers left out", f"r {tie:g}", every, TYPICAL), _all_r(x, q, rows), tie)
    for tie in (0.0, 0.4):
        x, q = _planted(rows, tie, replications, rng)
        # The share known is about a third of GPQA, as in the table.
        tied, free = ((100 - q) * (100 - known / 3) / 100 for known in (x, rng.permuted(x, axis=1)))
        if tie == 0.0:
            # What is known follows reasoning here, and so the wrong share must fall with it, whatever q does.
            yield away(_setting(spearman, "q 0, a tied", every, TYPICAL), _all_r(x, tied, rows, rank=True), 1.0)
        setting = _setting(spearman, f"r {tie:g}, a not", every, TYPICAL)
        yield away(setting, _all_r(x, free, rows, rank=True), tie)
    for tie in (0.0, 0.4):
        x, q = _planted(sizes, tie, replications, rng)
        size = np.log10(sizes["params_b"].to_numpy(float))
        size = (size - size.mean()) / size.std()
        bold, open_ = x + 10 * size, q + 10 * size
        if tie == 0.0:
            setting = _setting(PLAIN, "tied through size only", len(sizes), TYPICAL)
            yield away(setting, _all_r(bold, open_, sizes))
        truth = f"r {tie:g}, at equal size" if tie else "tied through size only"
        setting = _setting("r given size, makers left out", truth, len(sizes), TYPICAL)
        yield away(setting, _all_r(bold, open_, sizes, given=size), tie)

    # Nothing is tied, but the weakest tenth of those that think run out: little reasoning, and q near 100.
    x, q = _planted(rows, 0.0, replications, rng)
    thinks = (rows["mode"] == "reasoning").to_numpy()
    weak = x.argsort(axis=1).argsort(axis=1) < every // 5
    lost = weak & thinks & (rng.random(x.shape) < 0.5)
    x, q = np.where(lost, x - 15, x), np.where(lost, 95.0, q)
    yield away(_setting(KEPT, "truncation alone", every, TYPICAL), _all_r(x, q, rows))
    x[lost] = np.nan
    yield away(_setting("r without those that ran out", "truncation alone", every, TYPICAL), _all_r(x, q, rows))


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


def _all_r(
    x: Floats, y: Floats, rows: pd.DataFrame, *, given: Floats | None = None, rank: bool = False
) -> list[Estimate]:
    """r of each replication as `variants.association` has it: makers left out in turn, by their sizes where something
    is held fixed."""
    if rank:
        x, y = rankdata(x, axis=1), rankdata(y, axis=1)
    how = {"given": given, "unit": "makers", "uneven": given is not None}
    return [clustered_r(one, other, rows["lab"], **how) for one, other in zip(x, y, strict=True)]


def _setting(method: str, truth: str, n: int, noise: str, part: str = VARIANTS) -> Setting:
    return Setting(part, method, truth, n, noise)


def lever_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Ladders of effort, thinking off and on, sizes of families and the hump: the makers that the book has."""
    rows = variants.readings()
    pairs = {"effort": effort.effort_ladders(rows), "off and on": effort.off_and_on(rows)}
    for (name, table), spread, mean in product(pairs.items(), (2.5, 7.0), (0.0, -7.0)):
        makers = pd.factorize(table["lab"])[0]
        change = mean + spread * rng.standard_normal((replications, makers.max() + 1))[:, makers]
        change = change + 5 * rng.standard_normal((replications, len(table)))
        own = np.stack([change[:, makers == maker].mean(axis=1) for maker in range(makers.max() + 1)], axis=1)
        world = f"mean change {mean:g}", len(table), f"makers differ by {spread:g}"
        yield away(
            _setting(f"{name}, makers as replicates", *world, LEVERS), [mean_interval(v, "t") for v in own], mean
        )

    # Whole ladders by size, pooled: families whose slopes scatter around nothing, or around half a point a point.
    k, spread = 18, 0.7
    for slope in (0.0, 0.5):
        hits = []
        for _ in range(replications):
            dx, error = rng.uniform(15, 60, k), rng.uniform(0.6, 1.2, k)
            dy = (slope + spread * rng.standard_normal(k)) * dx + error * rng.standard_normal(k)
            ladders = pd.DataFrame({"dx": dx, "dy": dy, "dy_low": dy - 1.96 * error, "dy_high": dy + 1.96 * error})
            mean = pooled_ladders(ladders)
            hits.append(not mean.common_low <= 0 <= mean.common_high)
        world = f"slope {slope:g}", k, f"families differ by {spread:g}"
        setting = _setting("sizes, pooled over families", *world, LEVERS)
        yield share(setting, hits, "power" if slope else "false positives")

    # Off, a little, much: the middle is highest in a third of the models where thinking does nothing.
    for height in (0.0, 10.0):
        q = 5 * rng.standard_normal((replications, k, 3)) + np.array([0.0, height, 0.0])
        humped = ((q[..., 1] > q[..., 0]) & (q[..., 1] > q[..., 2])).sum(axis=1)
        setting = _setting("hump, against a third", f"a hump of {height:g}", k, "models differ by 5", LEVERS)
        yield share(setting, binom.sf(humped - 1, k, 1 / 3) < 0.05, "power" if height else "false positives")


def training_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Two scores of sixteen runs that rise alike; of the scatter at a checkpoint a share is common to both scores."""
    sizes, checkpoints = 8, 16
    twins = np.arange(2 * sizes) ^ 1
    for scatter, common in product(("checkpoints", "a drift"), (0.0, 0.3, 0.6)):
        both, one, two = rng.standard_normal((3, replications, 2 * sizes, checkpoints))
        noise = [np.sqrt(common) * both + np.sqrt(1 - common) * own for own in (one, two)]
        if scatter == "a drift":
            noise = [np.cumsum(part, axis=-1) / 2 for part in noise]
        trend = np.arange(checkpoints)
        x, y = trend + noise[0], trend / 2 + noise[1]
        truth = f"{common:.0%} of the scatter shared" if common else "trend alone"
        world = truth, 2 * sizes, f"scatter of {scatter}", TRAINING
        if not common:
            high = np.median(pearson_rows(x, y), axis=1) >= 0.85
            yield share(_setting(HEADLINE, *world), high, "false positives")
        dx, dy = np.diff(x, axis=-1), np.diff(y, axis=-1)
        own, other = pearson_rows(dx, dy), pearson_rows(dx, dy[:, twins])
        z = [np.arctanh(part).reshape(replications, sizes, 2).mean(axis=2) for part in (own, other)]
        seen = [training.excess(a, b).p < 0.05 for a, b in zip(*z, strict=True)]
        yield share(_setting("own run against its twin", *world), seen, "power" if common else "false positives")
