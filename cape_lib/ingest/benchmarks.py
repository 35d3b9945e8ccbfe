"""Which task of a results file is which benchmark, and the 57 subjects of MMLU with their sizes."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """Where a benchmark stands in a results file: our `column`, and the `metric` that is read."""

    column: str
    metric: str


#: lm-evaluation-harness 0.4: task -> benchmark. The metric stands in the file as "<metric>,none".
#: The group `truthfulqa` is the mean of mc1 and mc2, so it is not here; neither are the groups of MMLU.
TASKS_0_4: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "acc_norm"),),
    "arc_challenge": (Source("arc_challenge", "acc_norm"),),
    "winogrande": (Source("winogrande", "acc"),),
    "truthfulqa_mc2": (Source("truthfulqa", "acc"),),
    "truthfulqa_mc1": (Source("truthfulqa_mc1", "acc"),),
    # Open LLM Leaderboard v2, raw scores: not normalised by what guessing gives, as its pages are
    "leaderboard_bbh": (Source("bbh", "acc_norm"),),
    "leaderboard_gpqa": (Source("gpqa_mc", "acc_norm"),),
    "leaderboard_ifeval": (Source("ifeval", "prompt_level_strict_acc"),),
    "leaderboard_math_hard": (Source("math_hard", "exact_match"),),
    "leaderboard_mmlu_pro": (Source("mmlu_pro", "acc"),),
    "leaderboard_musr": (Source("musr", "acc_norm"),),
}

#: lm-evaluation-harness 0.3: one TruthfulQA task holds both metrics.
TASKS_0_3: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "acc_norm"),),
    "arc_challenge": (Source("arc_challenge", "acc_norm"),),
    "winogrande": (Source("winogrande", "acc"),),
    "truthfulqa_mc": (Source("truthfulqa", "mc2"), Source("truthfulqa_mc1", "mc1")),
}

#: Open LLM Leaderboard v1 writes a colon where the harness writes an underscore: "harness|truthfulqa:mc|0".
TASKS_LEADERBOARD: dict[str, tuple[Source, ...]] = {
    name.replace("arc_challenge", "arc:challenge").replace("truthfulqa_mc", "truthfulqa:mc"): sources
    for name, sources in TASKS_0_3.items()
}

#: shots with which the Open LLM Leaderboard v1 measured, and most others since
USUAL_SHOTS: dict[str, int] = {"hellaswag": 10, "truthfulqa": 0, "arc_challenge": 25, "winogrande": 5, "mmlu": 5}

#: lighteval: the leaderboard's tasks and its own, with the metric that each writes
TASKS_LIGHTEVAL: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "acc_norm"),),
    "arc:challenge": (Source("arc_challenge", "acc_norm"),),
    "winogrande": (Source("winogrande", "acc"),),
    "truthfulqa:mc": (Source("truthfulqa", "truthfulqa_mc2"), Source("truthfulqa_mc1", "truthfulqa_mc1")),
}

#: olmes: the metric is the task's own primary one
TASKS_OLMES: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "primary_score"),),
    "arc_challenge": (Source("arc_challenge", "primary_score"),),
    "winogrande": (Source("winogrande", "primary_score"),),
    "truthfulqa": (Source("truthfulqa", "primary_score"),),
    "mmlu": (Source("mmlu", "primary_score"),),
    "gsm8k": (Source("gsm8k", "primary_score"),),
}

#: OpenCompass, by the small letters of its data sets
TASKS_OPENCOMPASS: dict[str, str] = {
    "hellaswag": "hellaswag",
    "arc-c": "arc_challenge",
    "winogrande": "winogrande",
    "mmlu": "mmlu",
    "gsm8k": "gsm8k",
    "openai_humaneval": "humaneval",
    "gpqa_diamond": "gpqa_diamond",
    "ifeval": "ifeval",
    "truthful_qa": "truthfulqa",
}

#: LLM Foundry's gauntlet
TASKS_GAUNTLET: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "accuracy"),),
    "arc_challenge": (Source("arc_challenge", "accuracy"),),
    "winogrande": (Source("winogrande", "accuracy"),),
    "mmlu": (Source("mmlu", "accuracy"),),
}

#: HELM: its multiple choice of TruthfulQA has one right answer, as MC1
TASKS_HELM: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "exact_match"),),
    "truthful_qa_mc_single": (Source("truthfulqa_mc1", "exact_match"),),
    "gsm": (Source("gsm8k", "exact_match_indicator"),),
}

#: Inspect's own evaluations
TASKS_INSPECT: dict[str, tuple[Source, ...]] = {
    "hellaswag": (Source("hellaswag", "accuracy"),),
    "arc_challenge": (Source("arc_challenge", "accuracy"),),
    "winogrande": (Source("winogrande", "accuracy"),),
    "truthfulqa_mc1": (Source("truthfulqa_mc1", "accuracy"),),
    "truthfulqa_mc2": (Source("truthfulqa", "accuracy"),),
    "gpqa_diamond": (Source("gpqa_diamond", "accuracy"),),
    "mmlu_0_shot": (Source("mmlu", "accuracy"),),
    "gsm8k": (Source("gsm8k", "accuracy"),),
}

#: Subject -> questions in the test split of MMLU; 14,042 together.
MMLU_SUBJECTS: dict[str, int] = {
    "abstract_algebra": 100,
    "anatomy": 135,
    "astronomy": 152,
    "business_ethics": 100,
    "clinical_knowledge": 265,
    "college_biology": 144,
    "college_chemistry": 100,
    "college_computer_science": 100,
    "college_mathematics": 100,
    "college_medicine": 173,
    "college_physics": 102,
    "computer_security": 100,
    "conceptual_physics": 235,
    "econometrics": 114,
    "electrical_engineering": 145,
    "elementary_mathematics": 378,
    "formal_logic": 126,
    "global_facts": 100,
    "high_school_biology": 310,
    "high_school_chemistry": 203,
    "high_school_computer_science": 100,
    "high_school_european_history": 165,
    "high_school_geography": 198,
    "high_school_government_and_politics": 193,
    "high_school_macroeconomics": 390,
    "high_school_mathematics": 270,
    "high_school_microeconomics": 238,
    "high_school_physics": 151,
    "high_school_psychology": 545,
    "high_school_statistics": 216,
    "high_school_us_history": 204,
    "high_school_world_history": 237,
    "human_aging": 223,
    "human_sexuality": 131,
    "international_law": 121,
    "jurisprudence": 108,
    "logical_fallacies": 163,
    "machine_learning": 112,
    "management": 103,
    "marketing": 234,
    "medical_genetics": 100,
    "miscellaneous": 783,
    "moral_disputes": 346,
    "moral_scenarios": 895,
    "nutrition": 306,
    "philosophy": 311,
    "prehistory": 324,
    "professional_accounting": 282,
    "professional_law": 1534,
    "professional_medicine": 272,
    "professional_psychology": 612,
    "public_relations": 110,
    "security_studies": 245,
    "sociology": 201,
    "us_foreign_policy": 100,
    "virology": 166,
    "world_religions": 171,
}

_LEAF_PREFIXES = ("mmlu_", "hendrycksTest-")


def mmlu_subject(task: str) -> str | None:
    """The MMLU subject that a task measures, or None: only the 57 leaves count, no group and no variant of MMLU."""
    for prefix in _LEAF_PREFIXES:
        if task.startswith(prefix) and task[len(prefix) :] in MMLU_SUBJECTS:
            return task[len(prefix) :]
    return None


def sources(task: str, known: dict[str, tuple[Source, ...]]) -> tuple[Source, ...]:
    """The benchmarks that a task feeds; a leaf of MMLU feeds "mmlu/<subject>"; an unknown task none."""
    subject = mmlu_subject(task)
    if subject is not None:
        return (Source(f"mmlu/{subject}", "acc"),)
    return known.get(task, ())
