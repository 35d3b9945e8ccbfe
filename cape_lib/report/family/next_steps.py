"""What to measure next: the size that would say most, and commands that are ready to run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.report.family import measuring
from cape_lib.report.family.planning import BASE_PAIR, Part
from cape_lib.tables.axes import Axis, day

#: Sizes further apart than this have room for one in between.
WIDE_STEP = 1.6
#: A size beyond the largest or below the smallest is suggested at this ratio.
BEYOND = 2.5
#: What stands for a model that is not there yet.
PLACE = "YOUR_CHECKPOINT"


def next_size(rows: pd.DataFrame, scales: pd.DataFrame) -> dict[str, Any]:
    """The size whose score would say most about a boundary: `params_b` (billions) and the reason `why`.

    rows: of one family, by size; scales: `boundary.critical_scales` of them.
    """
    sizes = rows["params_b"].to_numpy(dtype=float)
    inside = scales["n_c_b"].dropna()
    if len(inside):
        around = float(inside.median())
        upper = min(max(int((sizes < around).sum()), 1), len(sizes) - 1)
        if sizes[upper] / sizes[upper - 1] > WIDE_STEP:
            middle = math.sqrt(sizes[upper] * sizes[upper - 1])
            return {"params_b": middle, "why": f"between {sizes[upper - 1]:g} B and {sizes[upper]:g} B, where it turns"}
    if (scales["raw_b"] > sizes[-1]).any() or not len(inside):
        above = sizes[-1] * BEYOND
        return {"params_b": above, "why": f"beyond {sizes[-1]:g} B, to see whether the coupling turns or stays turned"}
    below = sizes[0] / BEYOND
    return {"params_b": below, "why": f"below {sizes[0]:g} B, to see where the coupling was before"}


def next_point(rows: pd.DataFrame, along: Axis, diagnosis: dict[str, Any]) -> dict[str, Any]:
    """The place on another axis whose scores would say most about a turn: `at` (as `text` too) and the reason `why`.

    rows: of one path, in order; diagnosis: `diagnose_path` of them.
    """
    values = rows[along.column].astype(float).tolist()
    t, inside = along.t(values), [row for row in diagnosis["boundary"].values() if row["inside"]]
    if inside:
        # The widest gap beside the turn that the first estimator with one names.
        turn = along.read(str(inside[0]["estimate"]))
        upper = min(max(int((t < along.t([turn])[0]).sum()), 1), len(values) - 1)
        if t[upper] - t[upper - 1] > np.ptp(t) / (2 * len(values)):
            at = along.back(float(t[upper] + t[upper - 1]) / 2)
            low, high = (along.number(values[place]) for place in (upper - 1, upper))
            return _point(along, at, f"between {low} and {high}, where it turns")
    at = along.ahead(values[-1], values[0])
    return _point(along, at, "further on, to see whether the coupling turns or stays turned")


def _point(along: Axis, at: float, why: str) -> dict[str, Any]:
    return {"at": day(at) if along.name == "date" else at, "text": along.shown(at), "why": why}


def stderr_columns(part: Part, analysis: dict[str, Any]) -> list[str]:
    """The columns of standard errors that would give every step its interval; none where all have one."""
    if all(step["p_negative"] is not None for step in analysis["diagnosis"]["steps"]):
        return []
    return [f"{name}_stderr" for name in (part.x, part.y) if name not in tables.ITEM_COUNTS]


def commands(scores: pd.DataFrame, part: Part, analysis: dict[str, Any]) -> list[tuple[str, str]]:
    """What to run next: (why, command) pairs, ready for a shell. scores: every row of the family."""
    if part.kind == "pairs":
        return []
    if part.kind == "frontier":
        return _of_releases(scores)
    if part.kind == "path":
        pair = [name for name in (part.x, part.y) if name in measuring.LEADERBOARD_TASKS]
        shots = {name: measuring.shots_of(part.rows, name) for name in pair}
        why = f"of a {part.along.point} near {analysis['next_point']['text']}"
        return [(f"{tables.label(name)} {why}", measuring.command(name, PLACE, shots=shots[name])) for name in pair]
    lines: list[tuple[str, str]] = []
    pair = [name for name in (part.x, part.y) if name in measuring.LEADERBOARD_TASKS]
    for benchmark in pair:
        for line in measuring.commands(scores, [benchmark]):
            lines.append((f"{tables.label(benchmark)} of the sizes that lack it", line))
    size = f"of a size near {analysis['next_size']['params_b']:.2g} B"
    shots = {benchmark: measuring.shots_of(part.rows, benchmark) for benchmark in pair}
    if part.kind == "base" and shots["truthfulqa"] in (None, 0):
        lines.append((f"both scores {size}", measuring.both(PLACE, shots=shots["hellaswag"])))
    else:
        lines += [(f"{tables.label(name)} {size}", measuring.command(name, PLACE, shots=shots[name])) for name in pair]
    if part.kind == "base":
        others = [name for name in measuring.LEADERBOARD_TASKS if name not in BASE_PAIR]
        lines += [
            ("the other three benchmarks, for the pairs and the dimension of chapter 1", line)
            for line in measuring.commands(scores, others)
        ]
    return lines


def _of_releases(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """A command a release for each benchmark that it lacks and the harness has, and how to read the result."""
    lines, options = [], []
    for benchmark, (task, metric) in measuring.RELEASE_TASKS.items():
        blank = scores[benchmark].isna() if benchmark in scores else pd.Series(True, index=scores.index)
        lacking = scores.loc[blank, "model"].astype(str)
        why = f"{tables.label(benchmark)} of {{}}, if its weights are open"
        lines += [(why.format(model), measuring.release_command(benchmark, model)) for model in lacking]
        options += [f"--also '{task}:{metric}={benchmark}'"] if len(lacking) else []
    if lines:
        lines.append(("then, to read what they wrote", f"cape import results/ {' '.join(options)} -o measured.csv"))
    return lines
