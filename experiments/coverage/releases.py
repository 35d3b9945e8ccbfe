"""Releases at the frontier: h and its interval, the rule of excursions, slopes of labs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from cape_lib import frontier
from cape_lib.frontier.lines import EXCURSION, line_through
from cape_lib.stats import permutations_within
from experiments.coverage.rates import Rate, Setting, coverage, share

Floats = NDArray[np.float64]
SLOPE, INTERCEPT = 0.5, 46.0
#: scatter of releases about the line and of labs about it, points: as in the published panel
SCATTER, DRAWS = 8.5, 200
#: SWE-bench scores of the planted releases, percent; scatter at the two ends where it falls, points; scatter of logits
LOWEST, HIGHEST = 25.0, 82.0
FALLING, LOGITS = (13.0, 4.0), 0.45
#: how releases scatter about the line: alike at every level, with t of four degrees of freedom, half of it the
#: lab's (variance), less the higher the score, both, or alike in logits
WORLDS = ("normal", "heavy tails", "labs", "falls", "falls, heavy tails", "logits")
#: from here on a release counts as strong
STRONG = 70.0
#: numbers of models of ten labs: as in the published panel
LAB_SIZES = (9, 8, 5, 4, 2, 2, 1, 1, 1, 1)
#: rules for a change of h -> degrees of freedom of the scatter (None: the papers'); 24 as in 34 rows of ten labs
RULES = {"beyond ten points": None, "beyond the scatter": 24}


def panels(
    n: int, replications: int, rng: np.random.Generator, *, world: str = "normal", bounded: bool = False
) -> tuple[Floats, Floats]:
    """Scores (x, y) of releases about a known line, each (replications, n), percent.

    world: one of `WORLDS`; bounded: a score y that no benchmark gives is drawn again, which bends the line a little.
    """
    x = rng.uniform(LOWEST, HIGHEST, size=(replications, n))
    line = INTERCEPT + SLOPE * x
    y = line + _away(x, line, world, rng)
    while bounded and (wrong := (y < 0) | (y > 100)).any():
        y = np.where(wrong, line + _away(x, line, world, rng), y)
    return x, y


def _away(x: Floats, line: Floats, world: str, rng: np.random.Generator) -> Floats:
    """Distances from the line, points."""
    scatter = np.interp(x, [LOWEST, HIGHEST], FALLING) if "falls" in world else SCATTER
    if "heavy tails" in world:
        return np.asarray(scatter * rng.standard_t(4, size=x.shape) / np.sqrt(2.0))
    if world == "labs":
        codes = np.resize(np.repeat(np.arange(len(LAB_SIZES)), LAB_SIZES), x.shape[1])
        shared = rng.standard_normal((x.shape[0], len(LAB_SIZES)))[:, codes]
        return np.asarray(scatter * np.sqrt(0.5) * (rng.standard_normal(x.shape) + shared))
    if world == "logits":
        return np.asarray(100.0 * expit(logit(line / 100.0) + LOGITS * rng.standard_normal(x.shape)) - line)
    return np.asarray(scatter * rng.standard_normal(x.shape))


def h_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The slope's interval, the prediction interval behind h, and the papers' two rules for an excursion.

    Ten times the replications: these are quick, and the shares are near their limits.
    """
    replications *= 10
    for n in (8, 34):
        for world in WORLDS:
            x, y = panels(n + 1, replications, rng, world=world, bounded=True)
            lines = [line_through(x[i, :-1], y[i, :-1]) for i in range(replications)]
            fits = [line.fit for line in lines]
            ends = np.array([line.ordinary(x[i, -1]) for i, line in enumerate(lines)])
            outside = (y[:, -1] < ends[:, 0]) | (y[:, -1] > ends[:, 1])
            bands = [fit.predict(x[i, -1]) for i, fit in enumerate(fits)]
            h = y[:, -1] - np.array([float(band.fit) for band in bands])
            plain = np.array([float(band.high - band.fit) for band in bands])
            strong = x[:, -1] >= STRONG
            scatter = np.array([fit.residual_sd * np.sqrt((n - 2) / n) for fit in fits])

            def at(method: str, n: int = n, world: str = world) -> Setting:
                return Setting("h-field", method, "an ordinary release", n, world)

            yield coverage(at("prediction interval"), ends, y[:, -1])
            strongest = f"coverage from SWE {STRONG:g}"
            yield coverage(at("prediction interval"), ends[strong], y[strong, -1], measure=strongest)
            yield share(at("prediction interval"), outside, "false positives")
            yield share(at("t interval of 95 %"), np.abs(h) > plain, "false positives")
            yield share(at("beyond 10 points"), np.abs(h) > EXCURSION, "false positives")
            yield share(at("published band"), np.abs(h) > 1.96 * scatter, "false positives")
            slopes = [(fit.slope.low, fit.slope.high) for fit in fits]
            yield coverage(Setting("h-field", "slope, t interval", f"slope {SLOPE:g}", n, world), slopes, SLOPE)


def rule_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The step and excursion rule on series of h in which nothing, one step or one excursion happens."""
    worlds = ((2.0, 15.0), (4.0, 15.0), (6.0, 15.0), (8.0, 15.0), (6.0, 40.0))
    for (sd, size), (rule, freedom) in product(worlds, RULES.items()):
        seed = int(rng.integers(2**31))
        rates = frontier.rule_error_rates(
            [4, 6, 9], noise_sd=sd, freedom=freedom, size=size, series=replications, seed=seed
        )
        for row in rates.to_dict("records"):
            hits = np.arange(replications) < round(float(row["share"]) * replications)
            answer, truth = str(row["said"]), str(row["truth"])
            noise = f"h scatters by {sd:g} points"
            if truth == "nothing" and answer != "noise" and size == 15.0:
                setting = Setting("step or excursion", f"says {answer}, {rule}", truth, int(row["length"]), noise)
                yield share(setting, hits, "false positives")
            elif truth == answer:
                planted = f"{truth} of {size:g} points"
                setting = Setting("step or excursion", f"says {answer}, {rule}", planted, int(row["length"]), noise)
                yield share(setting, hits, "power")
    yield from _order_rates(replications, rng)


def _order_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The test of order: steps in h of the right order against shuffles, where order means nothing."""
    labs = np.repeat(np.arange(len(LAB_SIZES)), LAB_SIZES)
    hits = []
    for _ in range(replications):
        rows = pd.DataFrame({"lab": labs, "order": np.arange(labs.size), "h": 6.0 * rng.standard_normal(labs.size)})
        table = frontier.order_null(rows, resamples=DRAWS - 1, seed=int(rng.integers(2**31)))
        hits.append(bool((table["p"][table["kind"] == "step"] < 0.05).any()))
    setting = Setting("step or excursion", "order against shuffles", "nothing", labs.size, "h scatters by 6 points")
    yield share(setting, hits, "false positives")


def lab_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Slopes of labs: each one's interval, the pooled one, and the test that they differ."""
    for tau, truth in ((0.0, "slopes alike"), (0.3, "slopes differ by 0.3")):
        for sizes, noise in (((3, 3, 4, 4, 8), "five labs of 3 to 8 models"), ((8,) * 10, "ten labs of 8 models")):
            own, pooled, differ, textbook = [], [], [], []
            for _ in range(replications):
                table, true = _lab_slopes(sizes, tau, rng)
                shrunk = frontier.shrunken_slopes(table)
                own.append(np.column_stack([table[["low", "high"]].to_numpy(float), true]))
                pooled.append(np.column_stack([shrunk[["shrunk_low", "shrunk_high"]].to_numpy(float), true]))
                differ.append(frontier.heterogeneity(table).p < 0.05)
                textbook.append(frontier.heterogeneity(frontier.known_errors(table)).p < 0.05)
            n = sum(sizes)
            for method, rows in (("own slope, t interval", own), ("shrunken slope", pooled)):
                together = np.vstack(rows)
                yield coverage(Setting("lab slopes", method, truth, n, noise), together[:, :2], together[:, 2])
            measure = "power" if tau else "false positives"
            yield share(Setting("lab slopes", "F test of equal slopes", truth, n, noise), differ, measure)
            yield share(Setting("lab slopes", "Cochran's Q", truth, n, noise), textbook, measure)
    yield from _lab_shuffles(replications, rng)


def _lab_slopes(sizes: tuple[int, ...], tau: float, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """The columns of `frontier.lab_slopes` for labs with known slopes, and those slopes."""
    true = SLOPE + tau * rng.standard_normal(len(sizes))
    lab = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.uniform(25.0, 82.0, size=lab.size)
    y = INTERCEPT + true[lab] * x + SCATTER / np.sqrt(2) * rng.standard_normal(lab.size)
    table = frontier.lab_slopes(pd.DataFrame({"lab": lab, frontier.lines.X: x, frontier.lines.Y: y}))
    return table, true[table["lab"].astype(int)]


def _lab_shuffles(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The permutation test that labs differ in h, on labs that do not: lab names mean nothing."""
    labs = np.repeat(np.arange(len(LAB_SIZES)), LAB_SIZES)
    one_hot = np.eye(len(LAB_SIZES))[labs]
    x, y = panels(labs.size, replications, rng)
    hits = []
    for i in range(replications):
        h = line_through(x[i], y[i]).h(x[i], y[i])
        draws = h[permutations_within(np.zeros(labs.size), DRAWS, rng)]
        between = [((v @ one_hot) ** 2 / one_hot.sum(axis=0)).sum(axis=-1) for v in (h, draws)]
        hits.append((1 + np.count_nonzero(between[1] >= between[0])) / (1 + DRAWS) < 0.05)
    setting = Setting("lab slopes", "labs differ in h, shuffled", "labs alike", labs.size, "normal")
    yield share(setting, hits, "false positives")
