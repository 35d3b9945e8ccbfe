"""Results files with our own numbers in the shape that each release of the harness, and the leaderboard, writes.

The shapes were read off the releases' own source; the numbers are made up. `test_ingest_real.py` reads files
that the harness itself wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cape_lib.ingest import Options, read_any, task_table
from cape_lib.tables.scores import refuse_mixed

MMLU_SUBJECTS = task_table()["mmlu_subjects"]
RELEASES = ["0.4.0", "0.4.1", "0.4.2", "0.4.3", "0.4.4", "0.4.5", "0.4.7", "0.4.8"]
RELEASES += ["0.4.9", "0.4.9.1", "0.4.9.2", "0.4.10", "0.4.11", "0.4.12", "0.4.13"]
SCORES = {"hellaswag": 0.40, "arc_challenge": 0.30, "winogrande": 0.55, "truthfulqa_mc2": 0.42, "truthfulqa_mc1": 0.25}
SHOTS = {"hellaswag": 10, "arc_challenge": 25, "winogrande": 5, "truthfulqa_mc2": 0, "truthfulqa_mc1": 0}
ITEMS = {"hellaswag": 10042, "arc_challenge": 1172, "winogrande": 1267, "truthfulqa_mc2": 817, "truthfulqa_mc1": 817}


def read_results(sources: list[Path], *, allow: tuple[str, ...] = (), **options: Any) -> SimpleNamespace:
    """The scores in results files with notes and files; models that may not be compared are refused as on import."""
    read = read_any([str(source) for source in sources], Options(allow=frozenset(allow), **options))
    frame = read.scores.frame.drop(columns="family")
    if "mixed" not in allow:
        refuse_mixed(frame, [name for name in frame if f"{name}_protocol" in frame], name="the files")
    return SimpleNamespace(scores=frame, notes=read.scores.notes, files=read.files)


def numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def subject_score(subject: str) -> float:
    """A score for each subject, unlike for small and large ones, so that the two means differ."""
    return 0.25 + 0.5 * (MMLU_SUBJECTS[subject] / 2000)


def harness_0_4(
    release: str = "0.4.13",
    model: str = "lab/model-1b",
    *,
    params: float | None = 1.0e9,
    scores: dict[str, float] | None = None,
    mmlu: bool = False,
    **change: Any,
) -> dict[str, Any]:
    """A results file as `release` writes it; `change` replaces top-level keys, `config=` updates that section."""
    at = numbers(release)
    scores = SCORES if scores is None else scores
    leaves = {f"mmlu_{subject}": subject_score(subject) for subject in MMLU_SUBJECTS} if mmlu else {}
    results: dict[str, Any] = {}
    for task, value in (scores | leaves).items():
        row: dict[str, Any] = {"acc,none": value, "acc_stderr,none": 0.012, "alias": task}
        if task in ("hellaswag", "arc_challenge"):
            row = {
                "acc,none": value - 0.05,
                "acc_stderr,none": 0.011,
                "acc_norm,none": value,
                "acc_norm_stderr,none": 0.013,
                "alias": task,
            }
        if at >= (0, 4, 12):
            row |= {"name": task, "sample_len": 100}
        results[task] = row
    document: dict[str, Any] = {
        "results": results,
        "configs": {task: {"task": task, "num_fewshot": SHOTS.get(task, 5)} for task in results},
        "versions": {task: _version(task, at) for task in results},
        "n-shot": {task: SHOTS.get(task, 5) for task in results},
        "config": {
            "model": "hf",
            "model_args": f"pretrained={model},dtype=float16",
            "batch_size": "8",
            "batch_sizes": [],
            "device": "cuda",
            "use_cache": None,
            "limit": None,
            "bootstrap_iters": 100000,
        },
        "git_hash": "abc1234",
    }
    if mmlu:
        group = {"acc,none": 0.99, "acc_stderr,none": 0.001, "alias": "mmlu"}
        document["results"]["mmlu"] = dict(group)
        document["groups"] = {"mmlu": group}
        document["n-shot"]["mmlu"] = 0  # the count of a group's first task: not to be trusted
        document["group_subtasks"] = {"mmlu": list(leaves)}
    if at >= (0, 4, 2):
        document["date"] = 1_700_000_000.25
    if at >= (0, 4, 3):
        document["n-samples"] = {
            task: {"original": n, "effective": n} for task in results if (n := _items(task)) is not None
        }
        document |= {
            "model_source": "hf",
            "model_name": model,
            "model_name_sanitized": model.replace("/", "__"),
            "chat_template": None,
            "system_instruction": None,
            "fewshot_as_multiturn": False,
        }
        document["config"] |= {"model_num_parameters": -1 if params is None else int(params), "model_revision": "main"}
    if at >= (0, 4, 9):
        document["lm_eval_version"] = release
        document["config"]["model_args"] = {"pretrained": model, "dtype": "float16"}
    document["config"] |= change.pop("config", {})
    return document | change


def _version(task: str, at: tuple[int, ...]) -> float:
    if task == "truthfulqa_mc2":
        return 3.0 if at >= (0, 4, 9) else 2.0
    if task == "truthfulqa_mc1":
        return 2.0
    if task.startswith("mmlu"):
        return 1.0 if at >= (0, 4, 4) else 0.0
    return 1.0


def _items(task: str) -> int | None:
    return MMLU_SUBJECTS.get(task.removeprefix("mmlu_"), ITEMS.get(task))


def harness_0_3(
    model: str = "lab/model-1b", *, shots: int = 10, tasks: tuple[str, ...] = ("hellaswag",)
) -> dict[str, Any]:
    """A results file as 0.3.0 writes it: one shot count for all tasks, no date, no parameter count."""
    rows: dict[str, Any] = {
        "hellaswag": {"acc": 0.35, "acc_stderr": 0.01, "acc_norm": 0.40, "acc_norm_stderr": 0.013},
        "arc_challenge": {"acc": 0.25, "acc_stderr": 0.01, "acc_norm": 0.30, "acc_norm_stderr": 0.013},
        "winogrande": {"acc": 0.55, "acc_stderr": 0.012},
        "truthfulqa_mc": {"mc1": 0.25, "mc1_stderr": 0.012, "mc2": 0.42, "mc2_stderr": 0.014},
    }
    rows |= {
        f"hendrycksTest-{subject}": {
            "acc": subject_score(subject),
            "acc_stderr": 0.012,
            "acc_norm": 0.9,
            "acc_norm_stderr": 0.012,
        }
        for subject in MMLU_SUBJECTS
    }
    chosen = {task: row for task, row in rows.items() if task.startswith(tasks)}
    return {
        "results": chosen,
        "versions": {task: int(task.startswith(("truthfulqa_mc", "hendrycksTest"))) for task in chosen},
        "config": {
            "model": "hf-causal",
            "model_args": f"pretrained={model}",
            "num_fewshot": shots,
            "batch_size": 8,
            "device": "cuda",
            "no_cache": True,
            "limit": None,
            "bootstrap_iters": 100000,
            "description_dict": {},
        },
    }


def leaderboard_v1(model: str = "lab/model-1b", *, general: bool = True, mmlu_version: int = 1) -> dict[str, Any]:
    """A results file of the Open LLM Leaderboard v1, in either of its two headings."""
    rows: dict[str, Any] = {
        "harness|arc:challenge|25": {"acc": 0.25, "acc_stderr": 0.01, "acc_norm": 0.30, "acc_norm_stderr": 0.013},
        "harness|hellaswag|10": {"acc": 0.35, "acc_stderr": 0.01, "acc_norm": 0.40, "acc_norm_stderr": 0.013},
        "harness|truthfulqa:mc|0": {"mc1": 0.25, "mc1_stderr": 0.012, "mc2": 0.42, "mc2_stderr": 0.014},
        "harness|winogrande|5": {"acc": 0.55, "acc_stderr": 0.012},
        "harness|gsm8k|5": {"acc": 0.02, "acc_stderr": 0.004},
    }
    rows |= {
        f"harness|hendrycksTest-{subject}|5": {
            "acc": subject_score(subject),
            "acc_stderr": 0.012,
            "acc_norm": 0.9,
            "acc_norm_stderr": 0.012,
        }
        for subject in MMLU_SUBJECTS
    }
    versions = {key: mmlu_version if "hendrycksTest" in key else 1 if "truthfulqa" in key else 0 for key in rows}
    heading = {"model_name": model, "model_sha": "0123abcd", "model_dtype": "torch.float16", "model_size": "1.9 GB"}
    if general:
        heading |= {"max_samples": None, "num_few_shot_default": 0, "job_id": "", "start_time": 1.5, "end_time": 9.5}
    rows["all"] = {"acc": 0.5, "acc_stderr": 0.02, "acc_norm": 0.5, "mc1": 0.25, "mc2": 0.42}
    return {"config_general" if general else "config": heading, "results": rows, "versions": versions | {"all": 0}}


def write(folder: Path, name: str, document: Any) -> Path:
    """Write a document as a results file; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


def ladder(folder: Path, *, release: str = "0.4.13", sizes: tuple[float, ...] = (0.5, 1.5, 4.0, 9.0)) -> Path:
    """A folder of one family, one file a size: TruthfulQA falls, then rises, while HellaSwag rises."""
    for i, size in enumerate(sizes):
        scores = SCORES | {"hellaswag": 0.35 + 0.1 * i, "truthfulqa_mc2": (0.42, 0.38, 0.385, 0.42, 0.45)[i % 5]}
        document = harness_0_4(release, f"lab/model-{size:g}b", params=size * 1e9, scores=scores)
        write(folder / f"lab__model-{size:g}b", f"results_2025-03-0{i + 1}T10-00-00.000000.json", document)
    return folder
