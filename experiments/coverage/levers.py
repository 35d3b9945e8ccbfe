"""Intervals of levers, labs and laws: equivalent scale, the web trend, mean h, corrections, gamma's flow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cape_lib.base import dynamics
from cape_lib.base.levers import beside_trend, equivalent_scale, web_trend
from cape_lib.frontier.labs import leave_one_lab_out, paired_changes
from cape_lib.frontier.lines import X, Y
from cape_lib.stats import Estimate, fisher, mean_interval, pearson_rows, score_sd
from cape_lib.tables import ITEM_COUNTS
from experiments.coverage.rates import Floats, Rate, Setting, coverage, repeated
from experiments.coverage.releases import LABS, panels

PART = "levers, labs and laws"
#: size (billions) of the planted curated model, and of the web-trained ones that score alike
OWN_B, EQUIVALENT_B = 1.3, 5.0
ITEMS = {name: ITEM_COUNTS[name] for name in ("hellaswag", "truthfulqa")}


def rates(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """Coverage of each interval of chapters 2, 3 and 6 that has no part of its own."""
    for family_sd in (0.0, 3.0):
        noise = f"24 families, apart by {family_sd:g} points"
        scale, beside = [], []
        for seed in range(replications):
            panel, target = _web(family_sd, rng)
            row = equivalent_scale(panel, reading="x", resamples=300, seed=seed).iloc[0]
            scale.append((row["low"], row["high"]))
            trend = web_trend(panel, "hellaswag")
            middle, half = beside_trend(trend, OWN_B)
            another = float(_course(np.log10(OWN_B))) + family_sd * rng.standard_normal() + target
            beside.append((middle - half - another, middle + half - another))
        yield coverage(
            _setting("equivalent scale, families resampled", f"{EQUIVALENT_B:g} B", 96, noise), scale, EQUIVALENT_B
        )
        yield coverage(_setting("one model beside the trend, t interval", "of a new family", 96, noise), beside, 0.0)
    for n in (3, 7):
        ends = [mean_interval(5.0 + 6.0 * rng.standard_normal(n), "t") for _ in range(replications)]
        yield coverage(_setting("mean h of a lab, t interval", "5 points", n, "h scatters by 6 points"), ends, 5.0)
    within = [_within_families(12, 5, 0.3, rng) for _ in range(replications)]
    yield coverage(_setting("r within families, Fisher's z", "r 0.3 within", 60, "12 families of 5"), within, 0.3)
    yield from _corrections(replications, rng)
    yield from _flow(replications, rng)
    yield from _held_out(replications, rng)
    yield from _corrections(replications, rng, of_labs=True)


def _setting(method: str, truth: str, n: int, noise: str) -> Setting:
    return Setting(PART, method, truth, n, noise)


def _course(t: Floats | float) -> Floats:
    """HellaSwag (percent) that web-trained models have at log10 billions, on average."""
    return np.asarray(48.0 + 16.0 * np.asarray(t) - 3.0 * np.asarray(t) ** 2)


def _web(family_sd: float, rng: np.random.Generator) -> tuple[pd.DataFrame, float]:
    """Web-trained families of four sizes and one curated model that scores as they do at five billions; and the noise
    of one more score."""
    start = rng.uniform(-1.0, 0.6, size=(24, 1))
    t = (start + rng.uniform(0.8, 1.25, size=(24, 1)) * np.linspace(0, 1, 4)).ravel()
    level = np.repeat(family_sd * rng.standard_normal(24), 4)
    true = np.append(_course(t) + level, _course(np.log10(EQUIVALENT_B)))
    frame = pd.DataFrame({"params_b": np.append(10.0**t, OWN_B), "hellaswag": true, "truthfulqa": 40.0})
    for name, items in ITEMS.items():
        frame[name] += score_sd(frame[name], items=items) * rng.standard_normal(len(frame))
    families = [*np.repeat([f"family {i}" for i in range(24)], 4), "curated"]
    frame = frame.assign(family=families, model=[f"m{i}" for i in range(97)], instruct=False, doubtful=None)
    frame["training"] = ["web"] * 96 + ["curated"]
    return frame, float(score_sd(_course(np.log10(OWN_B)), items=ITEMS["hellaswag"]) * rng.standard_normal())


def _within_families(families: int, k: int, r: float, rng: np.random.Generator) -> Estimate:
    """r of scores less their family's mean, as `coupling.population_coupling` has them."""
    x, other, levels = rng.standard_normal((3, families, k))
    y = r * x + np.sqrt(1 - r**2) * other
    parts = ((v + 3 * levels[:, :1] - (v + 3 * levels[:, :1]).mean(axis=1, keepdims=True)).ravel() for v in (x, y))
    return fisher(float(pearson_rows(*parts)), families * k, given=families - 1)


def _corrections(replications: int, rng: np.random.Generator, *, of_labs: bool = False) -> Iterator[Rate]:
    """What correcting a third of the cells does to r and to the slope: models resampled in pairs, or labs left out.

    of_labs: half of the scatter is the lab's, and so are the wrong cells: two of three in every second lab.
    """

    def worlds(n: int) -> list[pd.DataFrame]:
        x = 65 + 12 * rng.standard_normal(n)
        scatter, wrong = 5 * rng.standard_normal(n), rng.random(n) < 1 / 3
        if of_labs:
            labs = np.resize(LABS, n) + (LABS.max() + 1) * (np.arange(n) // LABS.size)
            shared, careless = rng.standard_normal(labs.max() + 1), rng.random(labs.max() + 1) < 1 / 2
            scatter = np.sqrt(0.5) * (scatter + 5 * shared[labs])
            wrong = careless[labs] & (rng.random(n) < 2 / 3)
        y = 80 + 0.6 * (x - 65) + scatter
        stated = y - np.where(wrong, 12.0 * rng.random(n), 0.0)
        lab = LABS if of_labs and n == LABS.size else 0
        return [pd.DataFrame({"model": np.arange(n), "lab": lab, X: x, Y: score}) for score in (stated, y)]

    true = {name: one.estimate for name, one in paired_changes(*worlds(400_000), X, Y, 2, 0).items()}
    ends = [paired_changes(*worlds(LABS.size), X, Y, 500, seed) for seed in range(replications)]
    how, noise = ("labs left out", "half of the scatter is the lab's") if of_labs else ("models resampled", "normal")
    for name in ("r", "slope"):
        setting = _setting(f"change of {name} by corrections, {how}", "a third corrected", LABS.size, noise)
        yield coverage(setting, [one[name] for one in ends], true[name])


def _flow(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """gamma on its way to a resting point at 0.5, seen through the noise of the questions."""
    size, slope, rest = 10.0 ** np.linspace(-1.2, 1.1, 8), -1.0, 0.5
    fine = np.linspace(-1.2, 1.1, 2301)
    gamma = rest + (-0.8 - rest) * np.exp(slope * (fine - fine[0]))
    first = 30 + 18 * (fine - fine[0])
    second = 42 + np.append(0.0, np.cumsum((gamma[1:] + gamma[:-1]) / 2 * np.diff(first)))
    for times in (1, 16):

        def once(times: int = times) -> dict[str, Estimate]:
            ladder = pd.DataFrame({"params_b": size})
            for (name, items), true in zip(ITEMS.items(), (first, second), strict=True):
                at = np.interp(np.log10(size), fine, true)
                ladder[name] = at + score_sd(at, items=items * times) * rng.standard_normal(8)
            flow, rest = dynamics.gamma_flow(ladder)
            return {"slope": flow.slope, "rest": rest}

        trial = repeated(replications, once)
        noise = "questions" if times == 1 else f"{times} times the questions"
        setting = _setting("slope of gamma's flow, t interval", f"slope {slope:g}", 8, noise)
        yield coverage(setting, trial["slope"], slope)
        setting = _setting("resting point of gamma, Fieller with t noise", f"gamma {rest:g}", 8, noise)
        yield coverage(setting, trial["rest"], rest)


def _held_out(replications: int, rng: np.random.Generator) -> Iterator[Rate]:
    """The error of a line on a lab that it has not seen; the truth is the mean of it over all panels planted."""
    for world, noise in (("normal", "releases alike"), ("labs", "half of the scatter is the lab's")):
        x, y = panels(LABS.size, replications, rng, world=world)
        frames = [pd.DataFrame({"lab": LABS, X: x[i], Y: y[i]}) for i in range(replications)]
        errors = [leave_one_lab_out(frame)[0] for frame in frames]
        true = float(np.mean([error.estimate for error in errors]))
        setting = _setting("error on a lab not seen, t over labs", f"{true:.0f} points", LABS.size, noise)
        yield coverage(setting, errors, true)
