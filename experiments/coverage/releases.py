"""Releases at the frontier: h and its interval, the rule of excursions, slopes of labs, the best and their spreads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cape_lib import frontier
from cape_lib.frontier.lines import EXCURSION, X, Y, line_through
from cape_lib.frontier.saturation import ratio_interval
from cape_lib.stats import permutations_within, score_sd
from experiments.coverage.rates import Floats, Rate, Setting, coverage, repeated, share

SPREADS = "spread of the best"
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
LABS = np.repeat(np.arange(len(LAB_SIZES)), LAB_SIZES)
#: rules for a change of h -> degrees of freedom of the scatter (None: the papers'); 24 as in 34 rows of ten labs
RULES = {"beyond ten points": None, "beyond the scatter": 24}
#: releases, how many of them are the best, their highest true score, percent
RELEASES, BEST, CEILING = 34, 5, 80.0
#: how the true scores lie: far apart, crowded below a ceiling, within a noise's width of one another, a point apart,
#: eight of them equal
CROWDS = ("far apart", "below a ceiling", "crowded", "a point apart", "eight equal")


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
        shared = rng.standard_normal((x.shape[0], len(LAB_SIZES)))[:, np.resize(LABS, x.shape[1])]
        return np.asarray(scatter * np.sqrt(0.5) * (rng.standard_normal(x.shape) + shared))
    if world == "logits":
        return np.asarray(100.0 * expit(logit(line / 100.0) + LOGITS * rng.standard_normal(x.shape)) - line)
    return np.asarray(scatter * rng.standard_normal(x.shape))


def h_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The slope's interval, the prediction interval behind h, and the papers' two rules for an excursion.

    Ten times the replications: these are quick, and the shares are near their limits.
    """
    replications *= 10
    for n, world in product((8, 34), WORLDS):
        x, y = panels(n + 1, replications, rng, world=world, bounded=True)
        lines = [line_through(x[i, :-1], y[i, :-1]) for i in range(replications)]
        fits, at, true = [line.fit for line in lines], x[:, -1], y[:, -1]
        ends = np.array([line.ordinary(at[i]) for i, line in enumerate(lines)])
        h = np.abs(true - np.array([float(fit.at(at[i])) for i, fit in enumerate(fits)]))
        strong = at >= STRONG
        widths = {
            "t interval of 95 %": np.array([float(fit.half(at[i])) for i, fit in enumerate(fits)]),
            "beyond 10 points": EXCURSION,
            "published band": 1.96 * np.array([fit.residual_sd * np.sqrt((n - 2) / n) for fit in fits]),
        }
        plain = Setting("h-field", "prediction interval", "an ordinary release", n, world)
        yield coverage(plain, ends, true)
        yield coverage(plain, ends[strong], true[strong], measure=f"coverage from SWE {STRONG:g}")
        yield share(plain, (true < ends[:, 0]) | (true > ends[:, 1]), "false positives")
        for method, width in widths.items():
            setting = Setting("h-field", method, "an ordinary release", n, world)
            yield share(setting, h > width, "false positives")
        setting = Setting("h-field", "slope, t interval", f"slope {SLOPE:g}", n, world)
        yield coverage(setting, [fit.slope for fit in fits], SLOPE)


def rule_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The step and excursion rule on series of h in which nothing, one step or one excursion happens; then the test of
    order, on releases whose order means nothing."""
    worlds = ((2.0, 15.0), (4.0, 15.0), (6.0, 15.0), (8.0, 15.0), (6.0, 40.0))
    for (sd, size), (rule, freedom) in product(worlds, RULES.items()):
        seed, planted = int(rng.integers(2**31)), {"noise_sd": sd, "freedom": freedom, "size": size}
        rates = frontier.rule_error_rates([4, 6, 9], series=replications, seed=seed, **planted)
        for row in rates.to_dict("records"):
            answer, truth = str(row["kind"]), str(row["truth"])
            wrong = truth == "nothing" and answer != "noise" and size == 15.0
            if wrong or truth == answer:
                world = (truth if wrong else f"{truth} of {size:g} points", int(row["length"]))
                noise = f"h scatters by {sd:g} points"
                hits = np.arange(replications) < round(float(row["share"]) * replications)
                setting = Setting("step or excursion", f"says {answer}, {rule}", *world, noise)
                yield share(setting, hits, "false positives" if wrong else "power")

    hits = []
    for _ in range(replications):
        rows = pd.DataFrame({"lab": LABS, "order": np.arange(LABS.size), "h": 6.0 * rng.standard_normal(LABS.size)})
        table = frontier.order_null(rows, resamples=DRAWS - 1, seed=int(rng.integers(2**31)))
        hits.append(bool((table["p"][table["kind"] == "step"] < 0.05).any()))
    setting = Setting("step or excursion", "order against shuffles", "nothing", LABS.size, "h scatters by 6 points")
    yield share(setting, hits, "false positives")


def lab_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Slopes of labs: each one's interval, the pooled one, and the tests that they or their h differ."""
    for tau, truth in ((0.0, "slopes alike"), (0.3, "slopes differ by 0.3")):
        for sizes, noise in (((3, 3, 4, 4, 8), "five labs of 3 to 8 models"), ((8,) * 10, "ten labs of 8 models")):

            def once(sizes: tuple[int, ...] = sizes, tau: float = tau) -> dict[str, object]:
                table, true = _lab_slopes(sizes, tau, rng)
                ends = frontier.shrunken_slopes(table)[["low", "high", "shrunk_low", "shrunk_high"]].to_numpy(float)
                tests = [frontier.heterogeneity(slopes).p < 0.05 for slopes in (table, frontier.known_errors(table))]
                return {"own": ends[:, :2], "pooled": ends[:, 2:], "true": true, "differ": tests}

            trial, n = repeated(replications, once), sum(sizes)
            for method, name in (("own slope, t interval", "own"), ("shrunken slope", "pooled")):
                setting = Setting("lab slopes", method, truth, n, noise)
                yield coverage(setting, np.vstack(trial[name]), np.concatenate(trial["true"]))
            for method, hits in zip(
                ("F test of equal slopes", "Cochran's Q"), np.array(trial["differ"]).T, strict=True
            ):
                setting = Setting("lab slopes", method, truth, n, noise)
                yield share(setting, hits, "power" if tau else "false positives")

    # The permutation test that labs differ in h, on labs that do not: lab names mean nothing.
    one_hot = np.eye(len(LAB_SIZES))[LABS]
    x, y = panels(LABS.size, replications, rng)
    hits = []
    for i in range(replications):
        h = line_through(x[i], y[i]).h(x[i], y[i])
        draws = h[permutations_within(np.zeros(LABS.size), DRAWS, rng)]
        between = [((v @ one_hot) ** 2 / one_hot.sum(axis=0)).sum(axis=-1) for v in (h, draws)]
        hits.append((1 + np.count_nonzero(between[1] >= between[0])) / (1 + DRAWS) < 0.05)
    setting = Setting("lab slopes", "labs differ in h, shuffled", "labs alike", LABS.size, "normal")
    yield share(setting, hits, "false positives")


def _lab_slopes(sizes: tuple[int, ...], tau: float, rng: np.random.Generator) -> tuple[pd.DataFrame, Floats]:
    """The columns of `frontier.lab_slopes` for labs with known slopes, and those slopes."""
    true = SLOPE + tau * rng.standard_normal(len(sizes))
    lab = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.uniform(25.0, 82.0, size=lab.size)
    y = INTERCEPT + true[lab] * x + SCATTER / np.sqrt(2) * rng.standard_normal(lab.size)
    table = frontier.lab_slopes(pd.DataFrame({"lab": lab, X: x, Y: y}))
    return table, true[table["lab"].astype(int)]


def spread_rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Intervals of the spread of either axis among the top five by one, and of sigma: true spreads of those models."""
    names = [f"{i:02d}" for i in range(RELEASES)]
    for world in CROWDS:

        def once(world: str = world) -> dict[str, object]:
            old = _true_scores(world, rng)
            true = {X: old, Y: (46.0 + 0.5 * old + rng.normal(0.0, 6.0, RELEASES)).clip(5.0, 98.0)}
            scores = {axis: rng.normal(one, score_sd(one, axis)).clip(0.0, 100.0) for axis, one in true.items()}
            rows = pd.DataFrame({"model": names, "lab": names, **scores})
            top = frontier.top_rows(rows, X, also=(Y,), k=BEST)
            draws = frontier.spread_draws(rows, X, (X, Y), k=BEST, seed=int(rng.integers(2**31)))
            best = top["model"].astype(int).to_numpy()
            spreads = [frontier.spread(top[axis]) for axis in (X, Y)]
            ends = [frontier.spread_interval(draws[axis], one) for axis, one in zip((X, Y), spreads, strict=True)]
            known = [frontier.spread(true[axis][best]) for axis in (X, Y)]
            return {"ends": [*ends, ratio_interval(*spreads, *ends)], "true": [*known, known[0] / known[1]]}

        trial = repeated(replications, once)
        ends, true = np.array(trial["ends"]), np.array(trial["true"])
        for i, name in enumerate(("old axis", "new axis", "sigma")):
            setting = Setting(SPREADS, f"{name}, noise off and on", f"scores {world}", RELEASES, "questions")
            yield coverage(setting, ends[:, i], true[:, i])


def _true_scores(world: str, rng: np.random.Generator) -> Floats:
    """True scores of releases on the axis that ranks them, (34,), percent.  world: one of `CROWDS`."""
    if world == "far apart":
        return rng.normal(60.0, 10.0, RELEASES).clip(20.0, 92.0)
    if world == "below a ceiling":
        return CEILING - rng.exponential(8.0, RELEASES)
    if world == "crowded":
        return rng.normal(75.0, 1.8, RELEASES)
    if world == "a point apart":
        return CEILING - np.arange(RELEASES, dtype=float)
    return np.concatenate([np.full(8, CEILING), rng.uniform(40.0, 74.0, RELEASES - 8)])
