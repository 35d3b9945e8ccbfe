"""The command of lm-evaluation-harness that measures what is missing, with the shots that make it comparable."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

import pandas as pd

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


def command(benchmark: str, model: str, *, shots: int | None = None) -> str:
    """One `lm-eval run` command for a base benchmark; `shots` as the other sizes were measured, else the leaderboard's.

    The scores land under `results/`, where `cape import` and `cape family` find them.
    """
    task, usual = LEADERBOARD_TASKS[benchmark]
    chosen = usual if shots is None else shots
    return (
        f"lm-eval run --model hf --model_args pretrained={shlex.quote(model)} --tasks {task} "
        f"--num_fewshot {chosen} --batch_size auto --output_path results/"
    )


def both(model: str, *, shots: int | None = None) -> str:
    """One command for HellaSwag and TruthfulQA together: TruthfulQA keeps its 0 shots whatever `--num_fewshot` says."""
    return command("hellaswag", model, shots=shots).replace("--tasks hellaswag", "--tasks hellaswag,truthfulqa_mc2")


def release_command(benchmark: str, model: str) -> str:
    """One command for a benchmark of a frontier release (see `RELEASE_TASKS`), with the model's own chat template."""
    return (
        f"lm-eval run --model hf --model_args pretrained={shlex.quote(model)} --tasks {RELEASE_TASKS[benchmark][0]} "
        f"--apply_chat_template --batch_size auto --output_path results/"
    )


def shots_of(scores: pd.DataFrame, benchmark: str) -> int | None:
    """The shots that stand in the protocol column of a benchmark, if all rows that know it agree; else None."""
    protocols = scores.get(f"{benchmark}_protocol", pd.Series(dtype=object)).dropna().astype(str)
    counts = {int(shots[1]) for text in protocols if (shots := re.search(r"\b(\d+)-shot\b", text))}
    return counts.pop() if len(counts) == 1 else None


def missing(scores: pd.DataFrame, benchmarks: Iterable[str]) -> dict[str, list[str]]:
    """Benchmark -> models without a score in it, of the benchmarks that a command is known for."""
    lacking = {}
    for benchmark in benchmarks:
        if benchmark in LEADERBOARD_TASKS:
            blank = scores[benchmark].isna() if benchmark in scores else pd.Series(True, index=scores.index)
            if blank.any():
                lacking[benchmark] = scores.loc[blank, "model"].astype(str).tolist()
    return lacking


def commands(scores: pd.DataFrame, benchmarks: Iterable[str]) -> list[str]:
    """One command a benchmark that some model lacks; for several models a shell loop over them."""
    lines = []
    for benchmark, models in missing(scores, benchmarks).items():
        shots = shots_of(scores, benchmark)
        if len(models) == 1:
            lines.append(command(benchmark, models[0], shots=shots))
        else:
            inside = command(benchmark, "MODEL", shots=shots).replace("pretrained=MODEL", 'pretrained="$model"')
            lines.append(f"for model in {' '.join(map(shlex.quote, models))}; do {inside}; done")
    return lines
