"""What people have - results files of many tools, tables, folders of both - as one checked table of scores."""

from cape_lib.ingest.benchmarks import MMLU_SUBJECTS, Source
from cape_lib.ingest.importing import Imported, read_results, write_scores
from cape_lib.ingest.intake import Intake, Options, read_any

__all__ = ["MMLU_SUBJECTS", "Imported", "Intake", "Options", "Source", "read_any", "read_results", "write_scores"]
