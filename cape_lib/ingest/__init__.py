"""Scores from results files: lm-evaluation-harness 0.3 and 0.4, Open LLM Leaderboard v1 -> one scores table."""

from cape_lib.ingest.benchmarks import MMLU_SUBJECTS, Source
from cape_lib.ingest.importing import Imported, read_results, write_scores

__all__ = ["MMLU_SUBJECTS", "Imported", "Source", "read_results", "write_scores"]
