"""What to measure next: the size that would say most, and commands of lm-evaluation-harness that are ready to run."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cape_lib import tables
from cape_lib.tables.axes import Axis, day
from cape_lib.tables.benchmarks import PAIRS

if TYPE_CHECKING:
    from cape_lib.report.family.planning import Part

#: benchmark -> (task, shots): as the Open LLM Leaderboard v1 ran them
LEADERBOARD_TASKS: dict[str, tuple[str, int]] = {
    "hellaswag": ("hellaswag", 10),
    "truthfulqa": ("truthfulqa_mc2", 0),
    "arc_challenge": ("arc_challenge", 25),
    "winogrande": ("winogrande", 5),
    "mmlu": ("mmlu", 5),
}
#: benchmark of a frontier release -> (task, metric that is its score); SWE-bench and HLE have harnesses of their own
RELEASE_TASKS: dict[str, tuple[str, str]] = {
    "gpqa_diamond": ("gpqa_diamond_cot_zeroshot", "exact_match,flexible-extract"),
    "ifeval": ("ifeval", "prompt_level_strict_acc"),
}
#: Sizes further apart than this have room for one in between.
WIDE_STEP = 1.6
#: A size beyond the largest or below the smallest is suggested at this ratio.
BEYOND = 2.5
#: What stands for a model that is not there yet.
PLACE = "YOUR_CHECKPOINT"


def _run(model: str, tasks: str, options: str) -> str:
    """One command; the scores land under `results/`, where `cape import` and `cape family` find them."""
    return (
        f"lm-eval run --model hf --model_args pretrained={shlex.quote(model)} --tasks {tasks} "
        f"{options} --batch_size auto --output_path results/"
    )


def command(benchmark: str, model: str, *, shots: int | None = None) -> str:
    """The command for a base benchmark; `shots` as the other sizes were measured, else the leaderboard's."""
    task, usual = LEADERBOARD_TASKS[benchmark]
    return _run(model, task, f"--num_fewshot {usual if shots is None else shots}")


def both(model: str, *, shots: int | None = None) -> str:
    """One command for HellaSwag and TruthfulQA together: TruthfulQA keeps its 0 shots whatever `--num_fewshot` says."""
    return command("hellaswag", model, shots=shots).replace("--tasks hellaswag", "--tasks hellaswag,truthfulqa_mc2")


def shots_of(scores: pd.DataFrame, benchmark: str) -> int | None:
    """The shots that stand in the protocol column of a benchmark, if all rows that know it agree; else None."""
    protocols = scores.get(f"{benchmark}_protocol", pd.Series(dtype=object)).dropna().astype(str)
    counts = {int(shots[1]) for text in protocols if (shots := re.search(r"\b(\d+)-shot\b", text))}
    return counts.pop() if len(counts) == 1 else None


def _lacking(scores: pd.DataFrame, benchmark: str) -> list[str]:
    """The models without a score in a benchmark."""
    blank = scores[benchmark].isna() if benchmark in scores else pd.Series(True, index=scores.index)
    return scores.loc[blank, "model"].astype(str).tolist()


def commands(scores: pd.DataFrame, benchmarks: Iterable[str]) -> list[str]:
    """One command a base benchmark that some model lacks; for several models a shell loop over them."""
    lines = []
    for benchmark in benchmarks:
        models, shots = _lacking(scores, benchmark), shots_of(scores, benchmark)
        if len(models) == 1:
            lines.append(command(benchmark, models[0], shots=shots))
        elif models:
            inside = command(benchmark, "MODEL", shots=shots).replace("pretrained=MODEL", 'pretrained="$model"')
            lines.append(f"for model in {' '.join(map(shlex.quote, models))}; do {inside}; done")
    return lines


def next_commands(scores: pd.DataFrame, part: Part, analysis: dict[str, Any]) -> list[tuple[str, str]]:
    """What to run next: (why, command) pairs, ready for a shell. scores: every row of the family."""
    if part.kind == "pairs":
        return []
    if part.kind == "frontier":
        return _of_releases(scores)
    pair = [name for name in (part.x, part.y) if name in LEADERBOARD_TASKS]
    shots = {name: shots_of(part.rows, name) for name in pair}
    lines: list[tuple[str, str]] = []
    if part.kind == "path":
        what = f"of a {part.along.point} near {analysis['next_point']['text']}"
    else:
        what = f"of a size near {analysis['next_size']['params_b']:.2g} B"
        for name in pair:
            why = f"{tables.label(name)} of the sizes that lack it"
            lines += [(why, line) for line in commands(scores, [name])]
    if part.kind == "base" and shots["truthfulqa"] in (None, 0):
        lines.append((f"both scores {what}", both(PLACE, shots=shots["hellaswag"])))
    else:
        lines += [(f"{tables.label(name)} {what}", command(name, PLACE, shots=shots[name])) for name in pair]
    if part.kind == "base":
        why = "the other three benchmarks, for the pairs and the dimension of chapter 1"
        others = [name for name in LEADERBOARD_TASKS if name not in PAIRS[0]]
        lines += [(why, line) for line in commands(scores, others)]
    return lines


def _of_releases(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """A command a release for each benchmark that it lacks and the harness has, and how to read the result."""
    lines, options = [], []
    for benchmark, (task, metric) in RELEASE_TASKS.items():
        for model in _lacking(scores, benchmark):
            why = f"{tables.label(benchmark)} of {model}, if its weights are open"
            lines.append((why, _run(model, task, "--apply_chat_template")))
        options += [f"--also '{task}:{metric}={benchmark}'"] if _lacking(scores, benchmark) else []
    if lines:
        lines.append(("then, to read what they wrote", f"cape import results/ {' '.join(options)} -o measured.csv"))
    return lines


def next_size(rows: pd.DataFrame, scales: pd.DataFrame) -> dict[str, Any]:
    """The size whose score would say most about a boundary: `params_b` (billions) and the reason `why`.

    rows: of one family, by size; scales: `boundary.critical_scales` of them.
    """
    sizes = rows["params_b"].to_numpy(dtype=float)
    inside = scales["n_c_b"].dropna()
    if len(inside):
        upper = min(max(int((sizes < float(inside.median())).sum()), 1), len(sizes) - 1)
        low, high = sizes[upper - 1], sizes[upper]
        if high / low > WIDE_STEP:
            return {"params_b": math.sqrt(high * low), "why": f"between {low:g} B and {high:g} B, where it turns"}
    if (scales["raw_b"] > sizes[-1]).any() or not len(inside):
        why = f"beyond {sizes[-1]:g} B, to see whether the coupling turns or stays turned"
        return {"params_b": sizes[-1] * BEYOND, "why": why}
    return {"params_b": sizes[0] / BEYOND, "why": f"below {sizes[0]:g} B, to see where the coupling was before"}


def next_point(rows: pd.DataFrame, along: Axis, diagnosis: dict[str, Any]) -> dict[str, Any]:
    """The place on another axis whose scores would say most about a turn: `at` (as `text` too) and the reason `why`.

    rows: of one path, in order; diagnosis: `diagnose_path` of them.
    """
    values = rows[along.column].astype(float).tolist()
    t, inside = along.t(values), [row for row in diagnosis["boundary"].values() if row["inside"]]
    at, why = along.ahead(values[-1], values[0]), "further on, to see whether the coupling turns or stays turned"
    if inside:
        # The widest gap beside the turn that the first estimator with one names.
        turn = along.read(str(inside[0]["estimate"]))
        upper = min(max(int((t < along.t([turn])[0]).sum()), 1), len(values) - 1)
        if t[upper] - t[upper - 1] > np.ptp(t) / (2 * len(values)):
            at = along.back(float(t[upper] + t[upper - 1]) / 2)
            low, high = (along.number(values[place]) for place in (upper - 1, upper))
            why = f"between {low} and {high}, where it turns"
    return {"at": day(at) if along.name == "date" else at, "text": along.shown(at), "why": why}


def stderr_columns(part: Part, analysis: dict[str, Any]) -> list[str]:
    """The columns of standard errors that would give every step its interval; none where all have one."""
    if all(step["p_negative"] is not None for step in analysis["diagnosis"]["steps"]):
        return []
    return [f"{name}_stderr" for name in (part.x, part.y) if name not in tables.ITEM_COUNTS]
