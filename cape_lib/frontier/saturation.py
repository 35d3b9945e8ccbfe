"""When an axis stops telling the best models apart: the saturation ratio and the call to rotate."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd

from cape_lib.errors import MissingError
from cape_lib.frontier.lines import X, Y, complete_rows
from cape_lib.stats import Floats, generator, noisy_scores, percentile_interval, score_sd

#: how many models are the best
BEST = 5
#: paper B: below this the old axis no longer separates
ROTATE_BELOW = 0.2
AXES = (X, Y, "hle", "ifeval")
#: the method of an interval of a spread, in words
TRUE_SPREAD = "noise of the questions taken off, and added once more"
#: draws of a true spread of either kind
DRAWS = 2000
#: what the table of `rotation` shows of each pair
SHOWN = ("old", "new", "spread_old", "spread_new", "sigma", "low", "high", "noise_spread", "p_rotate")
#: what an interval of a spread leaves out below and above
BELOW, ABOVE = 0.04, 0.01


def top_rows(frame: pd.DataFrame, by: str, *, also: tuple[str, ...] = (), k: int = BEST) -> pd.DataFrame:
    """The k best rows by one axis among those that hold the other axes as well, best first; ties by name."""
    rows = complete_rows(frame, by, *also)
    return rows.sort_values([by, "model"], ascending=[False, True]).head(k)


def spread(scores: Floats | pd.Series) -> float:
    """Largest minus smallest score, points."""
    return float(np.ptp(np.asarray(scores, dtype=float)))


def saturation(frame: pd.DataFrame, *, old: str = X, new: str = Y, seed: int = 0) -> pd.Series:
    """sigma = spread(old) / spread(new) among the top five by the old axis; MissingError where fewer hold both scores.

    Returns a row: old, new, spread_old, spread_new (max - min, points), sigma; low, high: 95 % of sigma of the true
    scores of these models (`ratio_interval`); noise_spread: the spread that sampling noise alone would show among
    equally good models on the old axis; p_rotate: share of the draws in which sigma calls for rotation (0-1); models
    in rank order; skipped: better models that lack the new score; rotate: paper B's trigger, sigma below 0.2.
    Source: paper B, section 6; the 34 rows give 0.9 and 9.1 points for SWE-bench and GPQA (printed: 1.3 and 9.1).
    """
    rows = complete_rows(frame, old, new)
    if len(rows) < BEST:
        raise MissingError(
            f"the top {BEST} by {old} need {BEST} models with {old} and {new}, {len(rows)} have both; add rows"
        )
    top = top_rows(rows, old, also=(new,))
    better = complete_rows(frame, old).query("model not in @rows.model")
    skipped = better[better[old] >= float(top[old].min())]["model"]
    drawn = spread_draws(rows, old, (old, new), k=BEST, seed=seed)
    measured = spread(top[old]), spread(top[new])
    ends = [spread_interval(drawn[axis], one) for axis, one in zip((old, new), measured, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        sigma = float(np.divide(*measured))
        # Noise off one spread and once more on the other.
        p_rotate = float(np.mean(drawn[old] / drawn[new][::-1] < ROTATE_BELOW))
    alone = noise_spread(float(top[old].mean()), old)
    row = old, new, *measured, sigma, *ratio_interval(*measured, *ends), alone, p_rotate
    lists = {"models": tuple(top["model"]), "skipped": tuple(skipped), "rotate": sigma < ROTATE_BELOW}
    return pd.Series(dict(zip(SHOWN, row, strict=True)) | lists)


def spread_draws(frame: pd.DataFrame, by: str, axes: tuple[str, ...], *, k: int, seed: int = 0) -> dict[str, Floats]:
    """Draws of the true spread of each axis among the top k by `by`, (2, 2000) each, points: with the noise of the
    questions off, and once more on. MissingError where none has the scores.

    off: the spread to which noise has to be added to give the measured one; zero where noise alone gives as much.
    on: the spread if every score were measured again, the models ranked anew. A measured spread is too wide where the
    models lie close, and too narrow where noise picked the best: an interval begins with the first, ends with the
    second. Noise is binomial, each model's its own: a bound, as models that answer the same questions share part of it.
    """
    rows = complete_rows(frame, *dict.fromkeys((by, *axes)))
    if rows.empty:
        raise MissingError(f"no model has {', '.join(dict.fromkeys((by, *axes)))}; add one")
    rng = generator(seed)
    rows = rows.sort_values([by, "model"], ascending=[False, True])
    answer = {}
    for axis in dict.fromkeys((by, *axes)):
        scores = rows[axis].to_numpy(float)
        noise = noisy_scores(np.zeros_like(scores), score_sd(scores, axis), 2 * DRAWS, rng)
        again = scores + noise[DRAWS:]
        # The axis that ranks the models ranks them anew; on another they are the same models.
        again = -np.sort(-again, axis=1) if axis == by else again
        answer[axis] = np.array([spread_without_noise(scores[:k], noise[:DRAWS, :k]), np.ptp(again[:, :k], axis=1)])
    return {axis: answer[axis] for axis in axes}


def spread_interval(draws: Floats, measured: float) -> tuple[float, float]:
    """95 % interval of a spread from `spread_draws`, widened where need be to hold the value as measured: the truth
    where models share all noise.

    It leaves out 4 % below and 1 % above, as noise that picks the best hides more than it shows. Where the best are
    equal it nearly always holds the truth, zero: the best five of eight equal models lie closer than five alone,
    and an interval that left zero out in 5 % of the repeats for eight would do so in a quarter for five, which
    scores do not tell apart. Test inversion over planted spreads covers 79 to 97 %, prior shapes are no narrower.
    """
    low, high = percentile_interval(draws[0], 1 - 2 * BELOW)[0], percentile_interval(draws[1], 1 - 2 * ABOVE)[1]
    return min(low, measured), max(high, measured)


def ratio_interval(
    old: float, new: float, old_ends: tuple[float, float], new_ends: tuple[float, float]
) -> tuple[float, float]:
    """Interval of the ratio of two spreads from the spreads (points) and the interval of each.

    On the log scale the distance to an end is the hypotenuse of the two distances that make it up: both spreads are
    hardly ever at their ends at once, as the ratio of the ends would have it. An end at zero makes that of the ratio
    zero or inf. Source: Zou and Donner 2008 (variance estimates recovered from limits).
    """
    (old_low, old_high), (new_low, new_high) = old_ends, new_ends
    with np.errstate(divide="ignore"):
        if old == 0 or new == 0:
            return old_low / new_high, float(np.divide(old_high, new_low))
        middle = np.log(old / new)
        low = middle - np.hypot(np.log(old / np.float64(old_low)), np.log(new_high / new))
        high = middle + np.hypot(np.log(old_high / old), np.log(new / np.float64(new_low)))
    return float(np.exp(low)), float(np.exp(high))


def spread_without_noise(scores: Floats, noise: Floats) -> Floats:
    """For each row of noise the spread that it widens to the measured one, the scores keeping their shape, (draws,).

    Scores drawn together about their mean by a factor f and measured with that noise spread as far as they did once
    the first pair, (better, worse), lies that far apart; that f is the smallest over the pairs.
    """
    wide = spread(scores)
    better, worse = np.nonzero(scores[:, None] > scores[None, :])
    if not better.size:
        return np.zeros(len(noise))
    apart = noise[:, better] - noise[:, worse]
    factor = ((wide - apart) / (scores[better] - scores[worse])).min(axis=1)
    none = np.ptp(noise, axis=1) >= wide
    return np.asarray(wide * np.where(none, 0.0, factor))


def noise_spread(score: float, benchmark: str, *, k: int = BEST, draws: int = 4000, seed: int = 0) -> float:
    """Mean spread (points) of k equally good models at `score` percent, from the number of questions alone.

    Five models at 80 % of SWE-bench Verified (500 questions) lie about 4 points apart by chance.
    """
    sd = float(score_sd(score, benchmark))
    return float(np.ptp(generator(seed).standard_normal((draws, k)), axis=1).mean()) * sd


def rotation(frame: pd.DataFrame) -> pd.DataFrame:
    """The rotation protocol: sigma of every ordered pair of `AXES` for which five models hold both scores.

    Returns old, new, n, spread_old, spread_new, sigma, low, high, noise_spread, p_rotate, advice. Advice is "rotate"
    where sigma and its whole interval are below 0.2, "rotate, not certain" where only sigma is, "keep", or "too few".
    """
    table = []
    for old, new in permutations([axis for axis in AXES if axis in frame], 2):
        n = len(complete_rows(frame, old, new))
        if n < BEST:
            table.append({"old": old, "new": new, "n": n, "advice": "too few"})
            continue
        s = saturation(frame, old=old, new=new)
        advice = "keep" if not s.rotate else "rotate" if s.high < ROTATE_BELOW else "rotate, not certain"
        table.append({"n": n, "advice": advice, **{name: s[name] for name in SHOWN}})
    return pd.DataFrame(table, columns=["old", "new", "n", *SHOWN[2:], "advice"])
