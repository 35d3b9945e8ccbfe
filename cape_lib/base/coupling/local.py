"""Local coupling gamma12: the change of one score for a point of another, from one size of a family to the next."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cape_lib import stats
from cape_lib.errors import MissingError, UsageError
from cape_lib.stats import Estimate
from cape_lib.tables.axes import PARAMS, Axis

PHASES = ("tax", "transition", "bonus")
# Between these gammas an interval is neither a tax nor a bonus.
TAX, BONUS = -0.1, 0.1
#: the sign of a lone interval is settled where P(gamma < 0) is beyond this on either side
SETTLED = 0.975


def phase(gamma: float) -> str:
    """The phase of an interval: "tax" below -0.1, "bonus" above 0.1, else "transition"; "undefined" for NaN."""
    if math.isnan(gamma):
        return "undefined"
    if gamma < TAX:
        return "tax"
    return "bonus" if gamma > BONUS else "transition"


def settled_beyond(steps: int) -> float:
    """P(gamma < 0) beyond which the sign of one of so many intervals is settled: Bonferroni's share of `SETTLED`.

    A ladder of eight sizes has seven chances of a lucky interval; each alone at 97.5 % would call one settled in a
    quarter of the ladders on which nothing happens. steps: 1 or more.
    """
    return 1 - (1 - SETTLED) / steps


def local_coupling(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    correlation: float = 0.0,
    level: float = 0.95,
    along: Axis = PARAMS,
) -> pd.DataFrame:
    """Coupling of two scores between consecutive sizes of one family, with score noise.

    ladder: one row a model; columns params_b (billions), x and y (percent, 0-100), optionally <score>_stderr.
    correlation: of the noise of one score between two models, 0-1 (they answered the same questions); the default 0
    and binomial noise give a conservative bound. Variation between training seeds is in neither. along: another axis,
    whose column takes the place of params_b here and in the names of the answer.
    Returns one row an interval: smaller, larger, params_b_low, params_b_high, params_b_mid (geometric mean), dx, dy
    (points), gamma (points of y per point of x; NaN where dx is 0), low, high (Fieller at `level`), interval
    ("bounded", "outside" of the gap between high and low, "every" value, "unknown" where the noise is), p_negative,
    p_tax, p_transition, p_bonus (0-1, exact for normal noise) and phase. Neighbouring rows share a model, so that
    their noise is related.
    Raises MissingError with fewer than two sizes, ScoresError on equal sizes, UsageError on correlation outside 0-1.
    Source: paper A, Methods; on the published Pythia rows the first gamma is -0.683.
    """
    if not 0.0 <= correlation <= 1.0:
        raise UsageError(f"correlation of the noise is {correlation:g}; give a number from 0 to 1")
    by = along.column
    rows = stats.ladder_rows(ladder, [x, y], purpose="a local coupling", by=by)
    at = rows[by].to_numpy(dtype=float)
    names = rows["model"] if "model" in rows.columns else pd.Series([f"{b:g} B" for b in at])
    (dx, var_dx), (dy, var_dy) = (_steps(rows, score, correlation) for score in (x, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = np.where(dx == 0, np.nan, dy / dx)
    low, high = stats.fieller_limits(dy, dx, var_dy=var_dy, var_dx=var_dx, level=level)
    every = np.isneginf(low) & np.isposinf(high)
    below = {c: stats.ratio_below(c, dy, dx, var_dy=var_dy, var_dx=var_dx) for c in (TAX, 0.0, BONUS)}
    return pd.DataFrame(
        {
            "smaller": names.to_numpy()[:-1],
            "larger": names.to_numpy()[1:],
            f"{by}_low": at[:-1],
            f"{by}_high": at[1:],
            f"{by}_mid": along.middle(at[:-1], at[1:]),
            "dx": dx,
            "dy": dy,
            "gamma": gamma,
            "low": low,
            "high": high,
            "interval": np.select([np.isnan(low), every, low > high], ["unknown", "every", "outside"], "bounded"),
            "p_negative": below[0.0],
            "p_tax": below[TAX],
            "p_transition": np.clip(below[BONUS] - below[TAX], 0.0, 1.0),
            "p_bonus": 1.0 - below[BONUS],
            "phase": [phase(g) for g in gamma],
        }
    )


@dataclass(frozen=True, slots=True)
class WholeLadder:
    """What a ladder did from its smallest to its largest size, in one difference.

    `smaller`, `larger`: names of the two models; `low`, `high`: their sizes, billions (or values of another axis);
    `sizes`: of the ladder; `dx`, `dy`: change of the two scores, points, with the interval of their noise; `z`: dy in
    standard errors; `p`: its two-sided p; `gamma`: dy / dx with Fieller's interval; `p_negative`, `p_tax`,
    `p_transition`, `p_bonus` (0-1) and `phase` of gamma; `settled`: P(gamma < 0) is beyond 97.5 % on either side. A
    standard error that is not known gives NaN.
    """

    smaller: str
    larger: str
    low: float
    high: float
    sizes: int
    dx: Estimate
    dy: Estimate
    z: float
    p: float
    gamma: Estimate
    p_negative: float
    p_tax: float
    p_transition: float
    p_bonus: float
    phase: str
    settled: bool


def whole_ladder(
    ladder: pd.DataFrame,
    *,
    x: str = "hellaswag",
    y: str = "truthfulqa",
    correlation: float = 0.0,
    level: float = 0.95,
    along: Axis = PARAMS,
) -> WholeLadder:
    """The change of two scores from the smallest to the largest size of one family: first, before any of its steps.

    Each step carries the noise of two models, and neighbouring steps share one with opposite signs; over the whole
    ladder only the noise of its two ends is left. Arguments and errors as `local_coupling`.
    On the published Pythia rows: -15.1 points, standard error 2.4, z = -6.3, where no step alone is sure.
    """
    rows = stats.ladder_rows(ladder, [x, y], purpose="a whole ladder", by=along.column)
    ends = rows.iloc[[0, -1]]
    step = local_coupling(ends, x=x, y=y, correlation=correlation, level=level, along=along).iloc[0]
    (dx, var_x), (dy, var_y) = (
        (float(change[0]), float(variance[0])) for change, variance in (_steps(ends, s, correlation) for s in (x, y))
    )
    p_negative = float(step["p_negative"])
    z = dy / math.sqrt(var_y) if var_y > 0 else math.nan
    return WholeLadder(
        smaller=str(step["smaller"]),
        larger=str(step["larger"]),
        low=float(step[f"{along.column}_low"]),
        high=float(step[f"{along.column}_high"]),
        sizes=len(rows),
        dx=stats.normal_estimate(dx, math.sqrt(var_x), 2, level=level, method="noise of two scores"),
        dy=stats.normal_estimate(dy, math.sqrt(var_y), 2, level=level, method="noise of two scores"),
        z=z,
        p=stats.normal_p(z),
        gamma=stats.fieller(dy, dx, var_dy=var_y, var_dx=var_x, level=level),
        p_negative=p_negative,
        p_tax=float(step["p_tax"]),
        p_transition=float(step["p_transition"]),
        p_bonus=float(step["p_bonus"]),
        phase=str(step["phase"]),
        settled=p_negative > SETTLED or p_negative < 1 - SETTLED,
    )


def whole_ladders(
    panel: pd.DataFrame, *, by: str = "ladder", x: str = "hellaswag", y: str = "truthfulqa", correlation: float = 0.0
) -> pd.DataFrame:
    """`whole_ladder` of every ladder of a panel that has two sizes with both scores, most sizes first.

    by: the column that names the ladders; rows where it is missing are left out. Returns that column, smaller, larger,
    params_b_low, params_b_high (billions), sizes, dx, dy, dy_low, dy_high (points), z, p (two-sided), p_holm (the same
    after Holm's correction over the ladders), gamma, low, high (Fieller), p_negative (0-1) and phase.
    Raises MissingError where no ladder has two sizes, ScoresError where a ladder has a size twice.
    """
    wholes = {
        name: whole_ladder(ladder, x=x, y=y, correlation=correlation) for name, ladder in _ladders(panel, by, x, y)
    }
    p_holm = stats.corrected([one.p for one in wholes.values()])
    table = pd.DataFrame(
        {
            by: name,
            "smaller": one.smaller,
            "larger": one.larger,
            "params_b_low": one.low,
            "params_b_high": one.high,
            "sizes": one.sizes,
            "dx": one.dx.estimate,
            "dy": one.dy.estimate,
            "dy_low": one.dy.low,
            "dy_high": one.dy.high,
            "z": one.z,
            "p": one.p,
            "p_holm": p,
            "gamma": one.gamma.estimate,
            "low": one.gamma.low,
            "high": one.gamma.high,
            "p_negative": one.p_negative,
            "phase": one.phase,
        }
        for (name, one), p in zip(wholes.items(), p_holm, strict=True)
    )
    return table.sort_values(["sizes", by], ascending=[False, True], kind="stable", ignore_index=True)


def local_couplings(
    panel: pd.DataFrame, *, by: str = "ladder", x: str = "hellaswag", y: str = "truthfulqa", correlation: float = 0.0
) -> pd.DataFrame:
    """`local_coupling` of every ladder of a panel that has two sizes with both scores, one below the other.

    by: the column that names the ladders; rows where it is missing are left out. The answer has that column first.
    Raises MissingError where no ladder has two sizes, ScoresError where a ladder has a size twice.
    """
    steps = {
        name: local_coupling(ladder, x=x, y=y, correlation=correlation) for name, ladder in _ladders(panel, by, x, y)
    }
    return pd.concat(steps, names=[by, None]).reset_index(level=0).reset_index(drop=True)


def _ladders(panel: pd.DataFrame, by: str, x: str, y: str) -> Sequence[tuple[Hashable, pd.DataFrame]]:
    """The ladders of a panel that have two sizes with both scores, by name; MissingError without any."""
    rows = stats.complete_rows(panel, [by, "params_b", x, y], least=0)
    ladders = [(name, ladder) for name, ladder in rows.groupby(by, sort=True) if len(ladder) > 1]
    if not ladders:
        raise MissingError(f"no {by} has two sizes with {x} and {y}; add a second size of one family")
    return ladders


def _steps(rows: pd.DataFrame, score: str, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Differences of one score between consecutive rows, and the variance of their noise."""
    sd = stats.score_noise(rows, score)
    shared = 2 * correlation * sd[:-1] * sd[1:]
    return np.diff(rows[score].to_numpy(dtype=float)), sd[:-1] ** 2 + sd[1:] ** 2 - shared
