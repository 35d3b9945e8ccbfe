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
