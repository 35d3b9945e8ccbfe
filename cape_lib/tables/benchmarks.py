"""The benchmarks by the names of their columns: display names, item counts, which panel has which."""

from __future__ import annotations

BASE_BENCHMARKS: tuple[str, ...] = ("hellaswag", "truthfulqa", "arc_challenge", "winogrande", "mmlu")
FRONTIER_BENCHMARKS: tuple[str, ...] = ("swe_bench_verified", "gpqa_diamond", "hle", "ifeval")

#: pairs that are analysed where nobody names another: reasoning and truthfulness of base models, of releases
PAIRS: tuple[tuple[str, str], ...] = (("hellaswag", "truthfulqa"), ("swe_bench_verified", "gpqa_diamond"))

# Items per benchmark, for the binomial noise of a score. MC2 is a mean of probabilities, so that 817 gives a bound.
ITEM_COUNTS: dict[str, int] = {
    "hellaswag": 10_042,
    "truthfulqa": 817,
    "arc_challenge": 1_172,
    "winogrande": 1_267,
    "mmlu": 14_042,
    "gpqa_diamond": 198,
    "swe_bench_verified": 500,
    "ifeval": 541,
    "hle": 2_500,
}

#: What a guess scores, percent: over 1, so that a score of at most 1 is a fraction there. TruthfulQA is MC2: the mean
#: share of true answers among the reference answers of the 813 questions that its authors published
#: (github.com/sylinrl/TruthfulQA).
CHANCE: dict[str, float] = {
    "hellaswag": 25.0,
    "truthfulqa": 46.4,
    "truthfulqa_mc1": 20.0,
    "arc_challenge": 25.0,
    "winogrande": 50.0,
    "mmlu": 25.0,
    "mmlu_pro": 10.0,
    "xwinograd": 50.0,
    "gpqa_diamond": 25.0,
}

LABELS: dict[str, str] = {
    "hellaswag": "HellaSwag",
    "truthfulqa": "TruthfulQA",
    "arc_challenge": "ARC-Challenge",
    "winogrande": "WinoGrande",
    "mmlu": "MMLU",
    "swe_bench_verified": "SWE-bench Verified",
    "gpqa_diamond": "GPQA Diamond",
    "hle": "HLE",
    "hle_tools": "HLE with tools",
    "hle_verified": "HLE-Verified",
    "ifeval": "IFEval",
    "ifbench": "IFBench",
    "arc_agi_2": "ARC-AGI-2",
    "critpt": "CritPt",
    "scicode": "SciCode",
    "mmlu_pro": "MMLU-Pro",
    "gsm8k": "GSM8K",
    "humaneval": "HumanEval",
    "xwinograd": "XWinograd",
    "params_b": "Parameters (billions)",
    "omniscience_accuracy": "share known (a)",
    "omniscience_non_hallucination": "share admitted (q)",
    "wrong": "wrong share",
    "precision": "precision",
    "lambada_openai": "LAMBADA",
    "arc_easy": "ARC-Easy",
    "sciq": "SciQ",
    "piqa": "PIQA",
    "crows_pairs_english": "CrowS-Pairs",
    "released": "Release date",
    "h": "h (points)",
}


def label(column: str) -> str:
    """Display name of a column; a benchmark of the reader's own keeps its name, underscores as spaces."""
    return LABELS.get(column, column.replace("_", " "))
