"""A lab's releases in order: which changes of h stay, which come back, and how often chance looks the same.

The claim: shifts from pretraining stay, excursions from post-training recover, so a lab that sees its h jump either
retrains or waits. Made a rule here, with what the rule does on series in which nothing happens. The papers' ten points
are less than releases of one lab scatter by, so that the book's rule asks for more: a change beyond that scatter.

Figures: `charts.frontier`; sentences: `story.frontier`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cape_lib import stats
from cape_lib.frontier.lines import FrontierLine, X, Y, as_line, complete_rows, h_field
from cape_lib.stats import Floats, Integers

#: paper B, playbook level 2: a change of h beyond this many points is a reallocation
THRESHOLD = 10.0
KINDS = ("first", "noise", "step", "excursion", "return", "open")
FIRST, NOISE, STEP, EXCURSION, RETURN, OPEN = range(6)


def classify_changes(h: ArrayLike, *, threshold: float | Floats = THRESHOLD) -> Integers:
    """The kind of each release in one or many series of h, as an index into `KINDS`, same shape as `h`.

    h: points, time along the last axis. A release within `threshold` of the one before is noise. Beyond it, the next
    release decides: nearer to the old level, an excursion (and that next release its return); nearer to the new level,
    a step; no next release, open. A tie is a step: it did not come back. threshold: points, for all or a series each.
    """
    values = np.asarray(h, dtype=float)
    kinds = np.full(values.shape, NOISE, dtype=np.int64)
    kinds[..., 0] = FIRST
    for t in range(1, values.shape[-1]):
        jump = (np.abs(values[..., t] - values[..., t - 1]) > threshold) & (kinds[..., t] != RETURN)
        if t + 1 == values.shape[-1]:
            kinds[..., t] = np.where(jump, OPEN, kinds[..., t])
            continue
        to_old = np.abs(values[..., t + 1] - values[..., t - 1])
        back = jump & (to_old < np.abs(values[..., t + 1] - values[..., t]))
        kinds[..., t] = np.where(jump, np.where(back, EXCURSION, STEP), kinds[..., t])
        kinds[..., t + 1] = np.where(back, RETURN, kinds[..., t + 1])
    return kinds


def change_limit(sd: ArrayLike, freedom: int, releases: int) -> Floats:
    """Points that no change among so many releases of one lab passes by scatter alone, in 95 % of the labs.

    sd: scatter of h within a lab, points (`within_lab_scatter`), any shape; freedom: its degrees; releases: of the lab.
    A change is the difference of two releases; Bonferroni's bound over all changes. inf where the scatter is unknown.
    """
    spread = np.asarray(sd, dtype=float)
    if releases < 2 or freedom < 1:
        return np.full(spread.shape, np.inf)
    t = stats.student(1 - 0.05 / (releases - 1), freedom)
    return np.where(np.isnan(spread), np.inf, np.sqrt(2.0) * spread * t)


def trajectories(
    frame: pd.DataFrame,
    *,
    chosen: FrontierLine | str | None = "frozen",
    lab: str | None = None,
    x: str = X,
    y: str = Y,
) -> pd.DataFrame:
    """Every lab's releases in order of date with h, its interval, the change and what the rule calls it.

    Returns the columns of `h_field` and `order` (from 1), those of `changes`, and `order_known` (False where a date is
    so vague that the release before might have come after). Releases of one date stand in order of their names, never
    of a score: that would make a rise of every vague date. For dates to the day see `tables.dated_by_makers`.
    Published: DeepSeek +11.2 to -4.7; Anthropic -13.1 (Sonnet 4.6) and +3.5 (Opus 4.6), both of one month.
    """
    rows = h_field(frame, chosen=chosen, x=x, y=y)
    scatter = within_lab_scatter(frame, chosen=chosen, x=x, y=y)
    rows = rows.sort_values(["lab", "released", "model"], ignore_index=True)
    if lab is not None:
        rows = rows[rows["lab"] == lab].reset_index(drop=True)
    by_lab = rows.groupby("lab", sort=False)
    rows["order"] = by_lab.cumcount() + 1
    parts = [changes(group, scatter=scatter) for _, group in by_lab]
    rows = rows.join(pd.concat(parts)) if parts else rows
    rows["order_known"] = _order_known(rows)
    return rows


def changes(rows: pd.DataFrame, *, scatter: tuple[float, int]) -> pd.DataFrame:
    """What changed from each release of one lab to the next, and what the two rules call it.

    rows: the lab's releases in order, with `h` and `noise_sd` (points); scatter: of h within labs and its degrees of
    freedom (`within_lab_scatter`). Returns, with the index of `rows`: `change` (points since the release before),
    `change_low`, `change_high` (95 %, sampling noise of both releases), `limit` (points: `change_limit` of so many
    releases, at least `THRESHOLD`), `kind` (beyond that limit; the rule of the book) and `papers_kind` (beyond
    `THRESHOLD` alone).
    """
    h, noise_sd = rows["h"], rows["noise_sd"]
    limit = max(THRESHOLD, float(change_limit(*scatter, len(rows))))
    change, noise = h.diff(), stats.ROUNDED_Z95 * np.hypot(noise_sd, noise_sd.shift())
    ours, theirs = (classify_changes(h, threshold=points) for points in (limit, THRESHOLD))
    table = pd.DataFrame({"change": change, "change_low": change - noise, "change_high": change + noise})
    return table.assign(limit=limit, kind=[KINDS[k] for k in ours], papers_kind=[KINDS[k] for k in theirs])


def _order_known(rows: pd.DataFrame) -> pd.Series:
    """Whether each release is surely later than its lab's previous one, given how precise the two dates are."""
    stated = [pd.Period(date) if pd.notna(date) else pd.NaT for date in rows["release_date"]]
    begin, end = (
        pd.Series([getattr(date, side, pd.NaT) for date in stated], index=rows.index, dtype="datetime64[ns]")
        for side in ("start_time", "end_time")
    )
    by_lab = rows.groupby("lab", sort=False)
    return (by_lab.cumcount() == 0) | (begin > end.groupby(rows["lab"], sort=False).shift())


def within_lab_scatter(
    frame: pd.DataFrame, *, chosen: FrontierLine | str | None = "frozen", x: str = X, y: str = Y
) -> tuple[float, int]:
    """Standard deviation (points) of h about its lab's mean, and its degrees of freedom; NaN and 0 without two models.

    Steps that did happen are in it, which makes a verdict that rests on it the more careful.
    """
    rows = complete_rows(frame, x, y)
    return stats.scatter_within(as_line(chosen, rows, x=x, y=y).h(rows[x], rows[y]), rows["lab"])


def order_null(rows: pd.DataFrame, *, resamples: int = 4999, seed: int = 0) -> pd.DataFrame:
    """How many steps, excursions and open jumps there are, beside the same h in shuffled order within each lab.

    rows: columns lab, order, h, as `trajectories` gives them. Returns kind, observed, expected (mean over shuffles),
    low, high (95 % of shuffles), p (two-sided as distance from the expected number).
    """
    ordered = rows.sort_values(["lab", "order"])
    h, order = ordered["h"].to_numpy(float), stats.permutations_within(ordered["lab"], resamples, stats.generator(seed))
    # The releases as they came, then the shuffles; a lab is one slice of columns, for shuffles stay within labs.
    series = np.vstack([h, h[order]])
    ends = np.cumsum(ordered.groupby("lab", sort=False).size().to_numpy())[:-1]
    kinds = np.hstack([classify_changes(part) for part in np.split(series, ends, axis=1)])
    table = []
    for kind in ("step", "excursion", "open"):
        observed, *shuffled = (kinds == KINDS.index(kind)).sum(axis=1)
        drawn = np.array(shuffled, dtype=float)
        expected = float(drawn.mean())
        p = stats.permutation_p(observed - expected, drawn - expected)
        table.append((kind, int(observed), expected, *stats.percentile_interval(drawn), p))
    return pd.DataFrame(table, columns=["kind", "observed", "expected", "low", "high", "p"])


def rule_error_rates(
    lengths: list[int],
    *,
    noise_sd: float,
    freedom: int | None = None,
    size: float = 15.0,
    series: int = 4000,
    seed: int = 0,
) -> pd.DataFrame:
    """What the rule says about series whose truth is known, at the lengths that labs have.

    lengths: releases a lab, each 4 or more (shorter ones hold no change with a release before and after); noise_sd:
    scatter of h within a lab, points; freedom: None for the papers' rule of ten points, else the rule of the
    book, its scatter estimated on so many degrees of freedom; size: of the true change, points.
    Returns length, truth ("nothing", "step", "excursion"), kind ("noise", "step", "excursion"), share, low, high
    (Wilson): for a true change, what the rule says at its place; for nothing, the share of series in which it says so
    anywhere.
    """
    rng = stats.generator(seed)
    table = []
    for length in (n for n in lengths if n >= 4):
        noise = noise_sd * rng.standard_normal((3, series, length))
        limits = np.full((3, series), THRESHOLD)
        if freedom is not None:
            scatter = noise_sd * np.sqrt(rng.chisquare(freedom, size=(3, series)) / freedom)
            limits = np.maximum(limits, change_limit(scatter, freedom, length))
        at, time = rng.integers(1, length - 1, size=(series, 1)), np.arange(length)
        changes_of = {"nothing": 0.0 * time, "step": size * (time >= at), "excursion": size * (time == at)}
        for (truth, change), own_noise, limit in zip(changes_of.items(), noise, limits, strict=True):
            kinds = classify_changes(own_noise + change, threshold=limit)
            if truth != "nothing":
                kinds = np.take_along_axis(kinds, at, axis=1)
            hits = {"step": (kinds == STEP).any(axis=1), "excursion": (kinds == EXCURSION).any(axis=1)}
            hits["noise"] = ~(hits["step"] | hits["excursion"])
            for kind, hit in hits.items():
                share = stats.wilson(int(hit.sum()), series)
                table.append((length, truth, kind, share.estimate, share.low, share.high))
    return pd.DataFrame(table, columns=["length", "truth", "kind", "share", "low", "high"])
